"""Do predict and evaluate say in native code what they say in Python? Do the programs that a model keeps still hold?"""

import copy
import gc
import pickle
import random
import threading
import weakref
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

import autograd
import nn
from autograd import Value
from nn import MLP, SGD, BatchNorm, Dropout, Embedding, Layer, LayerNorm, Module, Sequential, evaluate, fit, predict
from nn.losses import LOSSES
from nn.training import compiled, compiled_model
from nn.training.examples import Examples
from nn.training.figures import Figures
from nn.training.outputs import figures_of, outputs_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 6))
CLASSES = RNG.integers(0, 4, 400)


def mlp(outputs=4, **options):
    return MLP(6, [30, outputs], rng=random.Random(0), **options)


def normalised():
    rng = random.Random(0)
    model = Sequential(Layer(6, 30, rng=rng), BatchNorm(30), LayerNorm(30), Dropout(0.5), Layer(30, 4, rng=rng))
    model([row.tolist() for row in X[:20]])  # so that there are running statistics
    return model


class Doubling(Module):
    """A module of one's own that only computes."""

    def __init__(self):
        self.part, self.factor = mlp(), Value(2.0)

    def forward(self, row):
        return [autograd.tanh(self.factor * y) for y in self.part.forward(row)]


class Branching(Doubling):
    def forward(self, row):
        return [y if y > 0.0 else 0.5 * y for y in self.part.forward(row)]


class Noting(Doubling):
    """It notes each of its outputs."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, row):
        outputs = super().forward(row)
        self.seen.append(len(outputs))
        return outputs


class Printing(Doubling):
    def forward(self, row):
        print("called")
        return super().forward(row)


class Drawing(Doubling):
    def forward(self, row):
        return [y + random.random() for y in super().forward(row)]


MODELS = [mlp, lambda: mlp(1), lambda: mlp(activation="tanh", dropout=0.5), normalised, Doubling]


@pytest.fixture
def compilations(monkeypatch):
    """Each time that something is traced."""
    found = []
    for module in (compiled_model, compiled):
        original = module.traced
        monkeypatch.setattr(module, "traced", lambda *a, original=original: found.append(a) or original(*a))
    one = compiled.one_by_one
    monkeypatch.setattr(compiled, "one_by_one", lambda *a: found.append(a) or one(*a))
    return found


@pytest.mark.parametrize("make", MODELS)
def test_many_examples_have_the_outputs_that_they_have_in_python(make, compilations):
    model = make()
    outputs = predict(model, X)
    assert compilations
    np.testing.assert_allclose(outputs, outputs_of(model, X.tolist()), rtol=1e-12, atol=1e-12)
    assert {type(y) for row in outputs for y in (row if isinstance(row, list) else [row])} == {float}


@pytest.mark.parametrize("make", [Branching, Noting, Printing, Drawing])
def test_what_may_do_more_than_compute_runs_in_python_exactly(make, capsys):
    model, expected = make(), make()
    random.seed(1)
    outputs = predict(model, X)
    random.seed(1)
    assert outputs == outputs_of(expected, X.tolist())
    if make is Noting:
        assert model.seen == [4] * len(X)
    if make is Printing:
        assert capsys.readouterr().out == "called\n" * 2 * len(X)


LOSS_TARGETS = {"cross_entropy": CLASSES, "nll_loss": CLASSES, "hinge_loss": RNG.choice([-1, 1], size=(400, 4))}
SHARES = RNG.dirichlet(np.ones(4), 400)


@pytest.mark.parametrize("name", [*LOSSES, "one's own"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_many_examples_have_the_figures_that_they_have_in_python(name, reduction):
    model = Sequential(mlp(), nn.Sigmoid()) if name == "binary_cross_entropy" else mlp()
    targets = LOSS_TARGETS.get(name, SHARES)

    def own(p, t):
        return autograd.mean(nn.mse_loss(p, t, reduction="none"))

    given = own if name == "one's own" else LOSSES[name]
    if reduction == "sum" and name in LOSSES:
        given = partial(LOSSES[name], reduction="sum")
    expected = figures_of(Figures(given), outputs_of(model, X.tolist()), Examples(X, targets))
    assert evaluate(model, X, targets, loss=given) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss", ["binary_cross_entropy_with_logits", "binary_cross_entropy", "hinge_loss"])
def test_two_classes_have_the_accuracy_that_they_have_in_python(loss):
    model = Sequential(mlp(1), nn.Sigmoid()) if loss == "binary_cross_entropy" else mlp(1)
    targets = np.where(X[:, 0] > 0, 1, -1 if loss == "hinge_loss" else 0)
    expected = figures_of(Figures(LOSSES[loss]), outputs_of(model, X.tolist()), Examples(X, targets))
    assert evaluate(model, X, targets, loss=loss) == pytest.approx(expected, rel=1e-12)
    assert "accuracy" in expected


@pytest.mark.parametrize(
    ("ask", "kind", "sentence"),
    [
        (lambda: predict(mlp(), X[:, :5]), ValueError, "takes 6 inputs; got an example of 5"),
        (lambda: evaluate(mlp(), X, CLASSES + 1, loss="cross_entropy"), ValueError, "class label 4 is out of range"),
        (lambda: evaluate(mlp(), X, CLASSES + 0.5, loss="nll_loss"), ValueError, "a class label is a whole number"),
        (lambda: evaluate(mlp(), X, CLASSES, loss="mse_loss"), ValueError, r"got shapes \(400, 4\) and \(400,\)"),
        (lambda: evaluate(mlp(1), X, CLASSES, loss="cross_entropy"), ValueError, "the model has a single one"),
        (lambda: evaluate(mlp(), X, CLASSES[:7], loss="cross_entropy"), ValueError, "X has 400 rows but y has 7"),
        (lambda: predict(Embedding(2, 60), [[0.0], [5.0]] * 100), IndexError, "."),
    ],
)
def test_what_does_not_fit_is_said_in_the_words_of_python(ask, kind, sentence):
    with pytest.raises(kind, match=sentence):
        ask()


def test_a_second_call_compiles_nothing(compilations):
    model = mlp()
    first = predict(model, X)
    count = len(compilations)
    assert predict(model, X) == first
    model.layers[0].neurons[0].w[0].data += 1.0
    assert predict(model, X) != first
    assert len(compilations) == count


CHANGES = {
    "a layer": lambda model: model.layers.append(nn.Tanh()),
    "an activation": lambda model: setattr(model.layers[2].neurons[1], "_activate", autograd.sin),
    "a parameter": lambda model: setattr(model.layers[0].neurons[0], "b", Value(3.0)),
    "a weight": lambda model: model.layers[0].neurons[3].w.__setitem__(2, Value(3.0)),
    "an option": lambda model: setattr(model.layers[1], "eps", 0.5),
    "running statistics": lambda model: model.layers[1].running_mean.__setitem__(0, 9.0),
    "a list of running statistics": lambda model: setattr(model.layers[1], "running_mean", [9.0] * 30),
    "order": lambda model: model.layers.reverse(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_model_that_has_changed_says_what_it_is_now(name):
    rng = random.Random(0)
    model = Sequential(Layer(6, 30, rng=rng), BatchNorm(30), Layer(30, 6, rng=rng))
    before = predict(model, X)
    if name == "order":
        model.layers[1:] = [Layer(30, 6, rng=rng), nn.Tanh()]
        model.layers.insert(0, nn.Sigmoid())
    else:
        CHANGES[name](model)
    after = predict(model, X)
    assert after != before
    np.testing.assert_allclose(after, outputs_of(model, X.tolist()), rtol=1e-12, atol=1e-12)


def trained(model, loss="cross_entropy", optimizer=SGD, options=(), **settings):
    mover = optimizer(model.parameters(), lr=0.1, **dict(options))
    settings = {"epochs": 2, "batch_size": 50, "progress": False, "rng": random.Random(0), **settings}
    return fit(model, X, CLASSES, loss=loss, optimizer=mover, **settings)


def test_a_second_fit_compiles_nothing_and_gives_the_same_bits(compilations):
    model, other = normalised(), normalised()
    start = model.state_dict()
    settings = {"validation": (X, CLASSES)}
    first = trained(model, **settings), model.state_dict()
    count = len(compilations)
    for module in (*model.modules(), *other.modules()):
        if isinstance(module, Dropout):
            module.rng = random.Random(5)
    model.load_state_dict(start)
    trained(model, **settings)  # another generator is another recording
    between = len(compilations)
    assert between > count
    model.load_state_dict(start)
    model.layers[3].rng.seed(5)
    second = trained(model, **settings), model.state_dict()
    assert len(compilations) == between
    assert first[0].engine == second[0].engine == "compiled"
    trained(other, **settings)
    assert other.state_dict() == second[1]


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "nll_loss"},
        {"loss": "mse_loss"},
        {"optimizer": nn.Adam},
        {"options": {"momentum": 0.9}},
        {"batch_size": 7},
        {"max_grad_norm": 0.01},
    ],
)
def test_another_fit_of_the_same_model_does_what_a_first_one_would(change):
    model, fresh = mlp(), mlp()
    data = (X, SHARES) if change.get("loss") == "mse_loss" else (X, CLASSES)
    start = model.state_dict()
    trained(model)
    model.load_state_dict(start)
    settings = {"loss": "cross_entropy", "batch_size": 50, **change}
    make, options = settings.pop("optimizer", SGD), settings.pop("options", {})
    histories = [
        fit(x, *data, optimizer=make(x.parameters(), lr=0.1, **options), epochs=2, progress=False,
            rng=random.Random(0), **settings)
        for x in (model, fresh)
    ]  # fmt: skip
    assert model.state_dict() == fresh.state_dict()
    assert histories[0].epochs == histories[1].epochs


def test_batch_statistics_with_validation_are_recorded_once(compilations):
    model = Sequential(Layer(6, 8), BatchNorm(8), Layer(8, 4))
    trained(model, epochs=1, validation=(X, CLASSES))
    once = len(compilations)
    other = Sequential(Layer(6, 8), BatchNorm(8), Layer(8, 4))
    trained(other, epochs=5, validation=(X, CLASSES), callbacks=[lambda model, history: None])
    assert len(compilations) == 2 * once


def test_a_model_is_freed_with_its_programs_and_copied_without_them():
    model = mlp()
    trained(model)
    predict(model, X)
    copied, pickled = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    assert predict(copied, X) == predict(pickled, X) == predict(model, X)
    copied.layers[0].neurons[0].b.data += 1.0
    assert predict(copied, X) != predict(model, X)
    seen = weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None


def test_a_batch_norm_alone_is_freed_too():
    model = BatchNorm(6)
    fit(
        model, X, X, loss="mse_loss", optimizer=SGD(model.parameters(), lr=0.1), epochs=1, batch_size=50, progress=False
    )
    predict(model, X)
    seen = weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None


def test_threads_may_ask_one_model():
    model = mlp()
    expected, found = predict(mlp(), X), []
    threads = [threading.Thread(target=lambda: found.extend(predict(model, X) for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 20


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200))
def test_the_same_call_gives_the_same_bits_whatever_was_called_before(count):
    model = mlp()
    first = predict(model, X[:count])
    predict(model, X)
    assert predict(model, X[:count]) == first


def test_the_figures_of_the_best_epoch_are_those_of_evaluate():
    model = mlp()
    history = trained(model, validation=(X, CLASSES), epochs=4)
    assert evaluate(model, X, CLASSES, loss="cross_entropy")["loss"] == min(history.validation_loss)


@pytest.mark.parametrize(
    "loss",
    [
        lambda p, t: nn.cross_entropy(p, t) * (2.0 if len(p) > 100 else 1.0),
        lambda p, t: autograd.max([nn.cross_entropy(a, b) for a, b in zip(p, t, strict=True)]),
    ],
)
def test_the_validation_loss_of_ones_own_may_depend_on_how_many_examples_there_are(loss):
    losses = [trained(mlp(), loss, validation=(X, CLASSES), engine=engine) for engine in ("eager", "compiled")]
    assert losses[1].validation_loss == pytest.approx(losses[0].validation_loss, rel=1e-9)


def test_inside_strict_python_answers(compilations):
    model = mlp()
    expected = outputs_of(model, X.tolist())
    with autograd.strict():
        assert predict(model, X) == expected
    assert not compilations


def test_without_native_code_numpy_answers(without_llvmlite, compilations):
    model = mlp()
    np.testing.assert_allclose(predict(model, X), outputs_of(model, X.tolist()), rtol=1e-12)
    assert compilations


def test_100_000_rows_need_no_lists_and_each_target_is_tried_once():
    tried = []

    def loss(p, t):
        tried.append(len(t))
        return nn.cross_entropy(p, t)

    model = MLP(2, [3], rng=random.Random(0))
    many = RNG.normal(size=(100_000, 2))
    history = fit(model, many, (many[:, 0] > 0).astype(int), loss=loss, optimizer=SGD(model.parameters(), lr=0.1),
                  epochs=1, batch_size=1000, progress=False, engine="compiled")  # fmt: skip
    assert history.engine == "compiled"
    assert max(tried) <= 1000  # a batch; the targets themselves are two
