"""Are the figures that fit was asked for those of the metrics, in both engines, and in the history?"""

import copy
import functools
import json
import pickle
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

import nn
from nn import CheckpointError, History, metrics
from nn.metrics import METRICS

ENGINES = ["eager", "compiled"]
X = [[random.Random(i).gauss(0.0, 1.0), float(i % 5) - 2.0] for i in range(25)]
CLASSES = [int(x[0] + 0.3 * x[1] > 0.2) + 2 * int(x[1] > 1.5) for x in X]
NUMBERS = [x[0] * x[1] + 0.5 for x in X]
BITS = [int(y > 0.5) for y in NUMBERS]

CASES = [
    ("cross_entropy", 4, CLASSES, ("accuracy", "precision", "recall", "f1")),
    ("cross_entropy", 4, [[float(k == y) for k in range(4)] for y in CLASSES], ("precision",)),
    ("binary_cross_entropy_with_logits", 1, BITS, ("precision", "recall")),
    ("hinge_loss", 1, [2 * y - 1 for y in BITS], ("f1",)),
    ("mse_loss", 1, NUMBERS, ("r2", "mae", "mse")),
    ("l1_loss", 2, [[y, y * y] for y in NUMBERS], ("r2", "mae")),
]


@pytest.fixture(params=ENGINES)
def engine(request):
    if request.param == "compiled":
        pytest.importorskip("llvmlite")
    return request.param


def network(outputs=4):
    return nn.MLP(2, [5, outputs], activation="tanh", rng=0)


def trained(model, Y=CLASSES, loss="cross_entropy", **options):
    settings = {"optimizer": "sgd", "epochs": 3, "batch_size": 8, "rng": 1, "progress": False}
    return nn.fit(model, X, Y, loss=loss, **{**settings, **options})


def farthest(predictions, targets):
    """A metric of one's own."""
    return max(abs(np.asarray(predictions) - np.asarray(targets)).ravel())


@pytest.mark.parametrize(("loss", "outputs", "Y", "names"), CASES)
def test_the_figures_are_those_of_the_metrics(engine, loss, outputs, Y, names):
    model = network(outputs)
    history = trained(model, Y, loss, lr=0.0, metrics=names, validation=(X[:9], Y[:9]), engine=engine)
    found = nn.predict(model, X)  # nothing moved: the outputs seen on the way are those of the end
    for name in names:
        assert history.figure(name) == pytest.approx([METRICS[name](found, Y, loss)] * 3, rel=1e-12)
        few = METRICS[name](found[:9], Y[:9], loss)
        assert history.figure(f"validation_{name}") == pytest.approx([few] * 3, rel=1e-12)
        assert getattr(history, name) == history.figure(name)
    assert nn.evaluate(model, X, Y, loss=loss, metrics=names) == pytest.approx(
        {name: history[0][name] for name in ("loss", "accuracy", *names) if name in history[0]}, rel=1e-12
    )


def test_of_several_targets_the_mean_is_taken():
    model = network(2)
    Y = [[y, 10.0 * y * y] for y in NUMBERS]
    figures = nn.evaluate(model, X, Y, loss="mse_loss", metrics=["r2", "mae"])
    outputs = nn.predict(model, X)
    columns = [([p[k] for p in outputs], [t[k] for t in Y]) for k in range(2)]
    assert figures["r2"] == pytest.approx(sum(metrics.r2_score(*c) for c in columns) / 2)
    assert figures["mae"] == pytest.approx(sum(metrics.mean_absolute_error(*c) for c in columns) / 2)


def test_asking_for_figures_changes_no_bit(engine):
    plain, asked = network(), network()
    first = trained(plain, engine=engine, validation=(X, CLASSES))
    second = trained(asked, engine=engine, validation=(X, CLASSES), metrics=["f1", "confusion_matrix"])
    assert [p.data for p in plain.parameters()] == [p.data for p in asked.parameters()]
    for name in first[0]:
        assert first.figure(name) == second.figure(name)


def test_a_function_of_ones_own_gets_predictions_and_targets(engine):
    seen = []

    def watch(predictions, targets):
        seen.append((type(predictions), predictions.shape, targets.shape))
        return 1

    history = trained(network(1), NUMBERS, "mse_loss", metrics=[farthest, watch], validation=0.2, engine=engine)
    assert history.figure("watch") == [1.0] * 3
    assert set(seen) == {(np.ndarray, (20,), (20,)), (np.ndarray, (5,), (5,))}
    assert len(history.figure("validation_farthest")) == 3
    assert "farthest" in str(history)


def test_the_functions_of_nn_metrics_can_be_given_too():
    history = trained(
        network(1), BITS, "binary_cross_entropy_with_logits", metrics=[metrics.precision, metrics.r2_score]
    )
    named = trained(network(1), BITS, "binary_cross_entropy_with_logits", metrics=["precision", "r2"])
    assert history.precision == named.precision
    assert history.figure("r2_score") == named.r2


# Confusions


def test_the_confusions_are_those_of_the_weights_that_are_kept(engine):
    model = network()
    history = trained(model, lr=2.0, epochs=9, metrics=["confusion_matrix"], validation=(X, CLASSES), engine=engine)
    assert history.best_epoch < 9
    assert history.confusion_matrix == metrics.confusion_matrix(nn.predict(model, X), CLASSES, labels=range(4))
    assert "confusion_matrix" not in history[0]
    resting = trained(model, lr=0.0, metrics=["confusion_matrix"], engine=engine)
    assert resting.confusion_matrix == history.confusion_matrix
    assert trained(model).confusion_matrix is None


# The history


def test_the_table_has_what_was_asked_for_and_fits_a_terminal_where_it_can():
    history = trained(network(), metrics=["precision", "f1"], validation=(X, CLASSES))
    training, validation = (table.splitlines() for table in str(history).split("\n\n"))
    assert validation[0].split() == ["validation"] * 4
    assert training[0].split() == validation[1].split() == ["epoch", "loss", "accuracy", "precision", "f1"]
    for lines in training, validation:
        assert {len(line) for line in lines} <= {len(lines[0]), len(lines[0]) + len("  best")}
        assert sum(line.endswith("best") for line in lines) == 1
    assert history.header().split() == [*["validation"] * 4, "epoch", *["loss", "accuracy", "precision", "f1"] * 2]
    few = str(trained(network(1), NUMBERS, "mse_loss", metrics=["r2"], validation=(X, NUMBERS))).splitlines()
    assert few[0].split() == ["epoch", "loss", "r2", "validation", "loss", "validation", "r2"]


def test_a_history_with_metrics_is_copied_and_goes_on_from_its_state():
    history = trained(network(), metrics=["f1", "confusion_matrix"], validation=0.2)
    other = History(metrics=history.metrics)
    other.load_state_dict(json.loads(json.dumps(history.state_dict())))
    for same in copy.deepcopy(history), pickle.loads(pickle.dumps(history)), other:
        assert (str(same), same.f1, same.confusion_matrix) == (str(history), history.f1, history.confusion_matrix)
    good = history.state_dict()
    for matrix, sentence in (
        ([[1, 2]], "has a row and a column for each class"),
        ([[1, 2], [3, "4"]], "takes numbers of at least 0; got '4'"),
        ([[1, 2], [3, -4]], "takes numbers of at least 0; got -4"),
        (5, "has a row and a column for each class; got 5"),
    ):
        with pytest.raises(ValueError, match=sentence):
            other.load_state_dict({**good, "confusion_matrix": matrix})
    assert other.state_dict() == good


def test_every_figure_is_plotted():
    pytest.importorskip("matplotlib")
    figure = trained(network(), metrics=["precision", "f1"], validation=(X, CLASSES)).plot()
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy", "precision", "f1"]
    assert [line.get_label() for line in figure.axes[3].lines] == ["f1", "validation f1", "best epoch"]


def test_every_metric_has_an_attribute_of_its_own_and_a_typo_has_none():
    for name in METRICS:
        assert getattr(History(), name) == getattr(History(), f"validation_{name}") == []
        assert {name, f"validation_{name}"} <= set(dir(History))
    with pytest.raises(AttributeError, match="no attribute 'acuracy'"):
        _ = History().acuracy


# A run that goes on


def test_a_run_with_metrics_goes_on(engine, tmp_path):
    options = {"metrics": [farthest, "r2"], "validation": 0.2, "engine": engine, "min_delta": 0.01, "patience": 3}
    path, whole = tmp_path / "run.json", network(1)
    expected = trained(whole, NUMBERS, "mse_loss", epochs=4, **options)
    trained(network(1), NUMBERS, "mse_loss", epochs=2, checkpoint=path, **options)
    assert trained(network(1), NUMBERS, "mse_loss", epochs=4, checkpoint=path, **options).epochs == expected.epochs
    with pytest.raises(CheckpointError, match=r"with the metrics \['farthest', 'r2'\] where this one has \['r2'\]"):
        trained(network(1), NUMBERS, "mse_loss", checkpoint=path, **{**options, "metrics": ["r2"]})


def test_the_confusions_are_in_the_checkpoint(tmp_path):
    path = tmp_path / "run.json"
    first = trained(network(), metrics=["confusion_matrix"], checkpoint=path)
    again = trained(network(), metrics=["confusion_matrix"], checkpoint=path)
    assert again.confusion_matrix == first.confusion_matrix


# Patience


def test_an_improvement_of_no_more_than_min_delta_is_none():
    def run(**options):
        model = nn.MLP(1, [1], rng=0)
        data = [[0.0], [1.0]], [0.0, 2.0]
        return nn.fit(model, *data, loss="mse_loss", optimizer="sgd", lr=0.01, epochs=200, batch_size=2,
                      validation=data, progress=False, **options)  # fmt: skip

    assert len(run(patience=2)) == 200
    history = run(patience=2, min_delta=0.05)
    assert history.stopped == "the validation loss has not improved by more than 0.05 for 2 epochs"
    losses = history.validation_loss
    lowest, improved = losses[0], 1
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest - 0.05:
            lowest, improved = loss, epoch
    assert len(losses) == improved + 2
    assert history.kept_epoch == len(losses)  # the lowest loss all the same


# Bad input


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"metrics": "r2"}, TypeError, r"""metrics takes a list of names or functions, .*; got 'r2'"""),
        (
            {"metrics": ["R2"]},
            ValueError,
            r"there is no metric 'R2' \(did you mean 'r2'\?\); choose from accuracy, .* confusion_matrix, or give",
        ),
        ({"metrics": [5]}, ValueError, "there is no metric 5; choose from"),
        ({"metrics": ["f1", "f1"]}, ValueError, "each figure once, by a name of its own; f1 is there already"),
        ({"metrics": [lambda p, t: 0.0]}, ValueError, "one has none: write it with def"),
        ({"metrics": ["precision"], "Y": NUMBERS, "loss": "mse_loss"}, ValueError, "precision takes classes"),
        ({"metrics": ["accuracy"], "Y": NUMBERS, "loss": "mse_loss"}, ValueError, "accuracy takes classes"),
        (
            {"min_delta": -1.0, "patience": 1, "validation": 0.2},
            ValueError,
            "min_delta takes a finite number of at least",
        ),
        ({"min_delta": "1", "patience": 1, "validation": 0.2}, TypeError, "min_delta takes a real number; got '1'"),
        ({"min_delta": 0.1, "validation": 0.2}, ValueError, "min_delta is for patience, which is not given"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(options, kind, sentence):
    model = network(1 if "Y" in options else 4)
    before, state = [p.data for p in model.parameters()], random.getstate()
    with pytest.raises(kind, match=sentence):
        trained(model, **{"rng": random, **options})
    assert [p.data for p in model.parameters()] == before
    assert random.getstate() == state


def test_a_metric_that_returns_no_number_says_so(engine):
    def shape(predictions, targets):
        return predictions.shape

    with pytest.raises(TypeError, match=r"a function that returns one number; shape returned \(25, 4\)"):
        trained(network(), metrics=[shape], engine=engine)
    with pytest.raises(ValueError, match=r"for the matrix call nn\.metrics\.confusion_matrix"):
        nn.evaluate(network(), X, CLASSES, loss="cross_entropy", metrics=["confusion_matrix"])


# Metrics of other makers


@pytest.mark.parametrize("name", ["r2_score", "mean_squared_error", "median_absolute_error"])
def test_metrics_of_scikit_learn_get_the_targets_first(engine, name):
    theirs = getattr(pytest.importorskip("sklearn.metrics"), name)
    model = network(1)
    weights = [1.0 + i % 3 for i in range(len(X))]
    held_out = X, NUMBERS, weights
    history = trained(model, NUMBERS, "mse_loss", lr=0.0, metrics=[theirs], validation=held_out, engine=engine)
    expected = theirs(NUMBERS, nn.predict(model, X), sample_weight=weights)
    assert history.figure(f"validation_{name}") == pytest.approx([expected] * 3, rel=1e-12)


def test_the_area_under_the_curve_is_that_of_the_scores(engine):
    theirs = pytest.importorskip("sklearn.metrics").roc_auc_score
    model = network(1)
    history = trained(model, BITS, "binary_cross_entropy_with_logits", lr=0.0, metrics=[theirs], engine=engine)
    assert history.roc_auc_score == pytest.approx([theirs(BITS, nn.predict(model, X))] * 3, rel=1e-12)


def test_a_metric_that_changes_what_it_gets_changes_nothing_else(engine):
    def careless(predictions, targets, sample_weight):
        predictions -= targets
        targets[:] = 0.0
        sample_weight *= 0.0
        return abs(predictions).max()

    options = {"validation": (X[:9], NUMBERS[:9], [2.0] * 9), "sample_weight": [3.0] * 25, "engine": engine}
    seen, alone = (trained(network(1), NUMBERS, "mse_loss", metrics=m, **options) for m in (["r2", careless], ["r2"]))
    for name in ("loss", "validation_loss", "r2", "validation_r2"):
        assert seen.figure(name) == alone.figure(name)
    assert seen.careless != []


class Largest:
    def __call__(self, predictions, targets):
        return np.array([np.max(predictions)])


def test_objects_that_are_called_and_partial_functions_are_metrics(engine):
    metrics = [Largest(), functools.partial(farthest), functools.partial(nn.metrics.mean_absolute_error)]
    history = trained(network(1), NUMBERS, "mse_loss", metrics=metrics, engine=engine)
    assert history.metrics == ("Largest", "farthest", "mean_absolute_error")
    assert len(history.Largest) == len(history.farthest) == 3


def test_a_metric_of_ones_own_is_found_by_its_name(engine):
    history = trained(network(1), NUMBERS, "mse_loss", metrics=[farthest], validation=(X, NUMBERS), engine=engine)
    for kept in (history, pickle.loads(pickle.dumps(history)), copy.deepcopy(history)):
        assert kept.farthest == history.figure("farthest") != []
        assert kept.validation_farthest == history.figure("validation_farthest") != []
    assert {"farthest", "validation_farthest", "loss"} <= set(dir(history))
    with pytest.raises(AttributeError, match=r"no attribute 'acuracy' \(did you mean 'accuracy'\?\)"):
        history.acuracy  # noqa: B018


def test_a_function_that_does_not_tell_what_it_takes_is_refused():
    with pytest.raises(TypeError, match=r"metrics takes functions of .* got <built-in function max>, which does not"):
        trained(network(), metrics=[max])


names = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=90)


@given(st.sets(st.sampled_from(list(METRICS)) | names, max_size=9), st.integers(0, 3), st.booleans())
def test_the_table_is_at_most_80_columns_wide_whatever_was_asked_for(asked, epochs, validated):
    history = History(metrics=sorted(asked))
    shown = {"loss", *asked} | ({f"validation_{name}" for name in {"loss", *asked}} if validated else set())
    for epoch in range(epochs):
        history.append(dict.fromkeys(shown, -1.5e-300 / (epoch + 1)))
    lines = str(history).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.count("e-30") + line.count("0 %") for line in lines) == epochs * len(shown)
