"""Does each example count as much as its weight says, in both engines, in evaluation, and in a run that goes on?"""

import inspect
import random
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
import nn
from autograd import Value
from nn import CheckpointError, metrics
from nn.losses import LOSSES, weighted
from nn.training.examples import examples_of, weights_of_classes

ENGINES = ["eager", "compiled"]
X = [[random.Random(i).gauss(0.0, 1.0), float(i % 5) - 2.0] for i in range(23)]
CLASSES = [int(x[0] + 0.3 * x[1] > 0.2) + 2 * int(x[1] > 1.5) for x in X]
NUMBERS = [x[0] * x[1] + 0.5 for x in X]
WEIGHTS = [random.Random(100 + i).choice([0.0, 0.5, 1.0, 2.0, 3.25]) for i in range(23)]


@pytest.fixture(params=ENGINES)
def engine(request):
    if request.param == "compiled":
        pytest.importorskip("llvmlite")
    return request.param


def network(outputs=4, seed=0):
    return nn.MLP(2, [5, outputs], activation="tanh", rng=seed)


def bits(model):
    return [p.data for p in model.parameters()]


def trained(model, Y=CLASSES, loss="cross_entropy", X=X, **options):
    settings = {"optimizer": "sgd", "epochs": 3, "batch_size": 8, "rng": 1, "progress": False}
    return nn.fit(model, X, Y, loss=loss, **{**settings, **options})


def own(predictions, targets):
    terms = [(p - t) ** 2 + 0.1 * abs(p) for p, t in zip(predictions, targets, strict=True)]
    return autograd.mean(terms)


# What a weight is


LOSS_CASES = {
    "mse_loss": ([[0.5, 1.0], [2.0, -1.0]], [[1.0, 1.0], [0.0, 2.0]]),
    "l1_loss": ([0.5, 2.0], [1.0, -1.0]),
    "huber_loss": ([0.5, 4.0], [1.0, -1.0]),
    "hinge_loss": ([0.5, -2.0], [1, 1]),
    "binary_cross_entropy": ([0.5, 0.25], [1, 0]),
    "binary_cross_entropy_with_logits": ([[0.5, 1.0], [-2.0, 0.0]], [[1, 0], [0, 1]]),
    "cross_entropy": ([[0.5, 1.0, 0.0], [2.0, 1.0, 0.0]], [2, 0]),
    "nll_loss": ([[-0.5, -1.0], [-2.0, -0.25]], [0, 1]),
    "kl_div": ([[-0.5, -1.0], [-2.0, -0.25]], [[0.5, 0.5], [0.25, 0.75]]),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_of_a_batch_is_the_mean_of_weight_times_loss(name, reduction):
    predictions, targets = LOSS_CASES[name]
    loss = partial(LOSSES[name], reduction=reduction)
    alone = [loss([p], [t]) for p, t in zip(predictions, targets, strict=True)]
    total = 3.0 * alone[0] + 0.5 * alone[1]
    expected = total if reduction == "sum" else total / 2.0
    assert weighted(loss, predictions, targets, [3.0, 0.5]) == pytest.approx(expected, rel=1e-15)
    assert weighted(loss, predictions, targets, [1.0, 1.0]) == pytest.approx(loss(predictions, targets), rel=1e-15)


def test_an_example_of_weight_0_counts_as_0_even_where_its_loss_is_infinite():
    p = [Value(1.0), Value(0.5)]
    error = weighted(nn.binary_cross_entropy, p, [0, 1], [0.0, 1.0])
    error.backward()
    assert (error.data, p[0].grad, p[1].grad) == (0.5 * float(np.log(2.0)), 0.0, -1.0)


def gradients(engine, loss, outputs, Y, **options):
    """How far one step of SGD with rate 1 moves the weights."""
    model = network(outputs)
    before = bits(model)
    trained(model, Y, loss, lr=1.0, epochs=1, batch_size=99, engine=engine, **options)
    return np.array(before) - bits(model)


CASES = [
    ("cross_entropy", 4, CLASSES),
    (partial(nn.cross_entropy, label_smoothing=0.1), 4, CLASSES),
    ("mse_loss", 1, NUMBERS),
    (partial(nn.mse_loss, reduction="sum"), 1, NUMBERS),
    ("mse_loss", 2, [[y, -y] for y in NUMBERS]),
    ("hinge_loss", 1, [1 if y > 0 else -1 for y in NUMBERS]),
    ("binary_cross_entropy_with_logits", 1, [int(y > 0) for y in NUMBERS]),
    (own, 1, NUMBERS),
]


@pytest.mark.parametrize(("loss", "outputs", "Y"), CASES)
def test_whole_weights_are_repetitions(engine, loss, outputs, Y):
    times = [random.Random(i).randrange(4) for i in range(len(X))]
    often = [i for i, count in enumerate(times) for _ in range(count)]
    repeated = network(outputs)
    before = bits(repeated)
    rows, targets = [X[i] for i in often], [Y[i] for i in often]
    trained(repeated, targets, loss, X=rows, lr=1.0, epochs=1, batch_size=999, engine=engine)
    is_sum = isinstance(loss, partial) and loss.keywords.get("reduction") == "sum"
    share = 1.0 if is_sum else len(often) / len(X)  # the mean is over what there is
    moved = gradients(engine, loss, outputs, Y, sample_weight=times)
    np.testing.assert_allclose(moved, share * (np.array(before) - bits(repeated)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("loss", "outputs", "Y"), CASES)
@pytest.mark.parametrize("weights", [[1] * 23, np.ones(23), [1.0] * 23])
def test_weights_of_1_give_the_same_bits_as_none(engine, loss, outputs, Y, weights):
    plain, same = network(outputs), network(outputs)
    first = trained(plain, Y, loss, validation=(X, Y), engine=engine)
    second = trained(same, Y, loss, validation=(X, Y, weights), sample_weight=weights, engine=engine)
    assert bits(plain) == bits(same)
    assert first.epochs == second.epochs


@pytest.mark.parametrize(("loss", "outputs", "Y"), CASES)
def test_both_engines_agree(loss, outputs, Y):
    pytest.importorskip("llvmlite")
    runs = []
    for engine in ENGINES:
        model = network(outputs)
        settings = {"sample_weight": WEIGHTS, "validation": (X, Y, WEIGHTS[::-1]), "engine": engine}
        history = trained(model, Y, loss, **settings)
        runs.append([*bits(model), *(figure for figures in history for figure in figures.values())])
    assert history.engine == "compiled"
    np.testing.assert_allclose(*runs, rtol=1e-9, atol=1e-12)


def test_a_layer_that_mixes_examples_sees_all_of_them(engine):
    def model():
        return nn.Sequential(nn.Layer(2, 4, rng=0), nn.BatchNorm(4), nn.Layer(4, 4, nonlin=False, rng=1))

    first, other = model(), model()
    trained(first, batch_size=23, sample_weight=WEIGHTS, engine=engine, epochs=1)
    moved = [[float(x) for _, x in m.named_buffers()] for m in (first, other)]
    trained(other, batch_size=23, engine=engine, epochs=1)
    assert moved[0] == [float(x) for _, x in other.named_buffers()]
    assert bits(first) != bits(other)


# Classes


def test_balanced_classes_count_the_same_together():
    classes = set(CLASSES)
    expected = [len(X) / (len(classes) * CLASSES.count(y)) for y in CLASSES]  # as scikit-learn defines it
    first, second = network(), network()
    a = trained(first, class_weight="balanced", engine="eager")
    b = trained(second, sample_weight=expected, engine="eager")
    np.testing.assert_allclose(bits(first), bits(second), rtol=1e-12)
    np.testing.assert_allclose(a.loss, b.loss, rtol=1e-12)


def test_a_class_that_is_left_out_counts_1_and_class_weights_multiply_those_of_the_examples(engine):
    first, second = network(), network()
    validation = (X[:5], CLASSES[:5], WEIGHTS[2:7])
    a = trained(first, class_weight={1: 3.0, 0: 0.5}, sample_weight=WEIGHTS, validation=validation, engine=engine)
    factors = [{1: 3.0, 0: 0.5}.get(y, 1.0) for y in CLASSES]
    weights = [w * f for w, f in zip(WEIGHTS, factors, strict=True)]
    held_out = [w * f for w, f in zip(WEIGHTS[2:7], factors, strict=False)]
    b = trained(second, sample_weight=weights, validation=(X[:5], CLASSES[:5], held_out), engine=engine)
    assert bits(first) == bits(second)
    assert (a.loss, a.validation_loss) == (b.loss, b.validation_loss)
    assert a.accuracy[-1] == metrics_of_last_epoch(engine)["accuracy"]  # what classes count is a matter of the loss


def metrics_of_last_epoch(engine):
    model = network()
    seen = {}

    def watched(predictions, targets, sample_weight):
        seen["accuracy"] = metrics.accuracy(predictions, targets, "cross_entropy", sample_weight)
        return 0.0

    trained(model, class_weight={1: 3.0, 0: 0.5}, sample_weight=WEIGHTS, metrics=[watched], engine=engine)
    return seen


def test_a_class_of_a_single_example_may_be_held_out():
    Y = [0, 1] * 11 + [2]
    for seed in range(10):
        history = trained(network(), Y, class_weight={2: 2.0}, validation=0.3, rng=seed, epochs=1)
        assert len(history) == 1
        assert len(trained(network(), Y, class_weight="balanced", validation=0.3, rng=seed, epochs=1)) == 1


@pytest.mark.parametrize(("loss", "low"), [("hinge_loss", -1), ("binary_cross_entropy_with_logits", 0)])
def test_two_classes_of_one_score_have_weights_too(engine, loss, low):
    Y = [1 if y > 0.5 else low for y in NUMBERS]
    first, second = network(1), network(1)
    trained(first, Y, loss, class_weight={low: 3.0}, engine=engine)
    trained(second, Y, loss, sample_weight=[3.0 if y == low else 1.0 for y in Y], engine=engine)
    assert bits(first) == bits(second)


def test_one_hot_targets_are_classes_too(engine):
    one_hot = [[float(k == y) for k in range(4)] for y in CLASSES]
    first, second = network(), network()
    a = trained(first, class_weight={1: 3.0}, engine=engine)
    b = trained(second, one_hot, class_weight={1: 3.0}, engine=engine)
    np.testing.assert_allclose(bits(first), bits(second), rtol=1e-9)
    assert a.accuracy == b.accuracy


# Figures


def test_the_figures_count_examples_by_their_weights(engine):
    model = network()
    figures = nn.evaluate(model, X, CLASSES, loss="cross_entropy", sample_weight=WEIGHTS, metrics=["precision"])
    outputs = nn.predict(model, X)
    losses = [nn.cross_entropy(p, t) for p, t in zip(outputs, CLASSES, strict=True)]
    assert figures["loss"] == pytest.approx(sum(w * e for w, e in zip(WEIGHTS, losses, strict=True)) / len(X))
    assert figures["accuracy"] == metrics.accuracy(outputs, CLASSES, "cross_entropy", WEIGHTS)
    assert figures["precision"] == metrics.precision(outputs, CLASSES, "cross_entropy", WEIGHTS)
    history = trained(model, lr=0.0, epochs=1, validation=(X, CLASSES, WEIGHTS), sample_weight=WEIGHTS, engine=engine,
                      metrics=["precision"])  # fmt: skip
    assert history[0] == pytest.approx({f"{part}{k}": x for part in ("", "validation_") for k, x in figures.items()})


@settings(max_examples=5)
@given(st.integers(0, 1000), st.lists(st.sampled_from([0.0, 0.5, 2.0]), min_size=64, max_size=64))
@example(0, [0.5] * 64)
def test_many_examples_are_evaluated_as_in_python(seed, weights):
    pytest.importorskip("llvmlite")
    rng = np.random.default_rng(seed)
    rows, classes = rng.normal(size=(64, 30)), rng.integers(0, 3, 64)
    if not any(weights):
        return
    model = nn.MLP(30, [20, 3], rng=0)
    found = nn.evaluate(model, rows, classes, loss="cross_entropy", sample_weight=weights, metrics=["f1"])
    with autograd.strict():  # runs in Python
        expected = nn.evaluate(model, rows, classes, loss="cross_entropy", sample_weight=weights, metrics=["f1"])
    assert found == pytest.approx(expected, rel=1e-12)


# A run that goes on


def test_a_run_with_weights_goes_on_to_the_same_bits(engine, tmp_path):
    options = {"sample_weight": WEIGHTS, "class_weight": "balanced", "validation": 0.3, "engine": engine}
    path, whole, parts = tmp_path / "run.json", network(), network()
    expected = trained(whole, epochs=4, **options)
    trained(network(), epochs=2, checkpoint=path, **options)
    history = trained(parts, epochs=4, checkpoint=path, **{**options, "rng": 99})
    assert bits(parts) == bits(whole)
    assert history.epochs == expected.epochs
    for change in ({"sample_weight": None}, {"class_weight": None}, {"sample_weight": [2.0] * 23}):
        with pytest.raises(CheckpointError, match="holds a training run with other weights"):
            trained(network(), checkpoint=path, **{**options, **change})


# Bad input


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"sample_weight": [1.0, 2.0]}, ValueError, "sample_weight takes one number for each of 23 examples; got 2"),
        ({"sample_weight": [[1.0, 2.0]] * 23}, ValueError, r"takes one number for each of 23 .*; got rows such as \["),
        ({"sample_weight": [-1.0] * 23}, ValueError, r"numbers of at least 0; sample_weight\[0\] is -1.0"),
        ({"sample_weight": [float("nan")] * 23}, ValueError, r"sample_weight\[0\] is nan, not a finite number"),
        ({"sample_weight": ["1"] * 23}, TypeError, r"sample_weight takes numbers; sample_weight\[0\] is '1'"),
        ({"sample_weight": 2.0}, TypeError, "sample_weight"),
        ({"sample_weight": [0] * 23}, ValueError, "the examples to learn from have weight 0, all 23"),
        ({"validation": (X, CLASSES, [0] * 23)}, ValueError, "the examples for validation have weight 0, all 23"),
        ({"validation": (X, CLASSES, [1.0])}, ValueError, "one number for each of 23 examples; got 1"),
        ({"class_weight": "even"}, TypeError, """takes "balanced", or a dict with a weight for each .*; got 'even'"""),
        ({"class_weight": [1.0, 2.0]}, TypeError, "or a dict with a weight for each class"),
        ({"class_weight": {7: 1.0}}, ValueError, "has a weight for 7, which no target is: the classes are 0, 1, 2"),
        ({"class_weight": {"1": 1.0}}, ValueError, "has a weight for '1', which no target is"),
        ({"class_weight": {1: -1.0}}, ValueError, "finite numbers of at least 0; got -1.0 for class 1"),
        ({"class_weight": {0: 0, 1: 0, 2: 0, 3: 0}}, ValueError, "the examples to learn from have weight 0"),
        (
            {"Y": NUMBERS, "loss": "mse_loss", "class_weight": "balanced"},
            ValueError,
            "targets that are classes for the",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(options, kind, sentence):
    model = network(1 if "loss" in options else 4)
    before = bits(model)
    with pytest.raises(kind, match=sentence):
        trained(model, **{"rng": random, **options})
    assert bits(model) == before
    if "sample_weight" in options:
        with pytest.raises(kind, match=sentence.replace(" to learn from", "")):
            nn.evaluate(model, X, CLASSES, loss="cross_entropy", sample_weight=options["sample_weight"])


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.0, 4.0)), min_size=6, max_size=20))
def test_balanced_counts_examples_by_their_weight_as_scikit_learn_does(pairs):
    labels, weights = ([*x] for x in zip(*pairs, (0, 1.0), (1, 0.5), (2, 2.0), strict=True))
    utils = pytest.importorskip("sklearn.utils.class_weight")
    if "sample_weight" not in inspect.signature(utils.compute_class_weight).parameters:
        pytest.skip("this scikit-learn counts examples alone")
    expected = utils.compute_class_weight("balanced", classes=np.arange(3), y=labels, sample_weight=weights)
    examples = examples_of([[0.0]] * len(labels), labels, weights)
    found = weights_of_classes("balanced", examples, LOSSES["cross_entropy"])
    assert [found[label] for label in range(3)] == pytest.approx(expected.tolist(), rel=1e-12)


def test_weights_whose_sum_is_no_float_are_refused():
    for call in (lambda w: trained(network(), sample_weight=w), lambda w: nn.evaluate(network(), X, CLASSES,
                 loss="cross_entropy", sample_weight=w)):  # fmt: skip
        with pytest.raises(ValueError, match=r"sample_weight takes numbers with a finite sum; got .*: divide them"):
            call([5e307] * 23)
