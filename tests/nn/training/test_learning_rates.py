"""Does the range test suggest a rate that trains well, and leave everything as it was?"""

import copy
import math
import random
import signal

import numpy as np
import pytest

import nn
from autograd import Value
from nn import find_learning_rate
from nn.module import Module

X = [[i / 20.0] for i in range(-20, 20)]
Y = [x * x for [x] in X]


def everything(model, optimizer, *generators):
    """All that could have changed."""
    parameters = [(p.data, p.grad) for p in model.parameters()]
    modes = [module.training for module in model.modules()]
    rest = {name: copy.deepcopy(x) for name, x in vars(optimizer).items() if name != "params"}
    layers = [module.rng.getstate() for module in model.modules() if getattr(module, "rng", None) is not None]
    return parameters, model.state_dict(), modes, rest, layers, [x.getstate() for x in (random, *generators)]


def network():
    """A model with everything that training changes, in the middle of a training."""
    random.seed(0)  # the second dropout draws from there
    layers = nn.Layer(1, 8, rng=1), nn.BatchNorm(8), nn.Tanh(), nn.Dropout(0.2, rng=random.Random(3)), nn.Dropout(0.1)
    model = nn.Sequential(*layers, nn.Layer(8, 1, nonlin=False, rng=2))
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    nn.fit(model, X, Y, loss="mse_loss", optimizer=optimizer, epochs=2, batch_size=8, progress=False, rng=4)
    model.train()
    model.layers[1].eval()
    return model, optimizer


@pytest.mark.parametrize("engine", ["eager", "compiled"])
@pytest.mark.parametrize("by_name", [False, True])
def test_everything_is_as_before(engine, by_name):
    (model, optimizer), rng = network(), random.Random(5)
    before = everything(model, optimizer, rng)
    found = find_learning_rate(
        model, X, Y, loss="mse_loss", optimizer="sgd" if by_name else optimizer, batch_size=8, rng=rng, engine=engine
    )
    assert 1e-6 < found.suggestion < 10.0
    assert everything(model, optimizer, rng) == before


class Fails(Module):
    """Raises in the n-th call."""

    def __init__(self, layer, calls, error):
        self.layer, self.calls, self.error = layer, calls, error

    def forward_batch(self, rows):
        self.calls -= 1
        if not self.calls:
            raise self.error
        return self.layer.forward_batch(rows)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_everything_is_as_before_after_an_error_too(error):
    (layers, _), rng = network(), random.Random(5)
    model = Fails(layers, 6, error)
    optimizer = nn.Adam(model.parameters())
    before = everything(model, optimizer, rng)
    with pytest.raises(error):
        find_learning_rate(model, X, Y, loss="mse_loss", optimizer=optimizer, batch_size=8, rng=rng, engine="eager")
    assert everything(model, optimizer, rng) == before


class Presses(random.Random):
    """A generator in whose third order of the examples Ctrl-C is pressed."""

    def shuffle(self, x):
        super().shuffle(x)
        self.orders = getattr(self, "orders", 0) + 1
        if self.orders == 3:
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_everything_is_as_before_after_ctrl_c(engine):
    (model, optimizer), rng = network(), Presses(5)
    before = everything(model, optimizer, rng)
    with pytest.raises(KeyboardInterrupt):
        find_learning_rate(
            model, X, Y, loss="mse_loss", optimizer=optimizer, batch_size=8, rng=rng, engine=engine, highest=1e-3
        )
    assert everything(model, optimizer, rng) == before


class Remembers(nn.Optimizer):
    """An optimiser of one's own, which keeps more than it says."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, lr)
        self.seen, self.moved = [], self.params[:1]

    def step(self):
        self.seen.append(self.lr)
        for p in self.params:
            p.data -= self.lr * p.grad
        self.newest = self.lr


def test_an_optimizer_of_ones_own_forgets_what_it_saw():
    model = nn.MLP(1, [4, 1], rng=0)
    optimizer = Remembers(model.parameters())
    find_learning_rate(model, X, Y, loss="mse_loss", optimizer=optimizer, rng=0, steps=20)
    assert (optimizer.seen, optimizer.lr, hasattr(optimizer, "newest")) == ([], 0.1, False)
    assert optimizer.moved[0] is optimizer.params[0] is model.parameters()[0]


def test_both_engines_find_the_same():
    found = [
        find_learning_rate(nn.MLP(1, [8, 1], rng=0), X, Y, loss="mse_loss", rng=0, engine=engine)
        for engine in ("eager", "compiled")
    ]
    assert found[0].rates == found[1].rates
    np.testing.assert_allclose(found[0].losses, found[1].losses, rtol=1e-6)
    assert found[0].suggestion == found[1].suggestion


def test_rates_rise_evenly_and_end_where_the_loss_explodes():
    found = find_learning_rate(nn.MLP(1, [8, 1], rng=0), X, Y, loss="mse_loss", optimizer="sgd", highest=1e6, rng=0)
    steps = np.diff(np.log(found.rates))
    assert found.rates[0] == 1e-6
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 100
    np.testing.assert_allclose(steps, math.log(1e12) / 99)
    assert all(map(math.isfinite, found.losses))


def test_where_the_loss_never_falls_there_is_no_suggestion():
    weight = Value(1.0)

    class Stays(Module):
        def __init__(self):
            self.weight = weight

        def forward(self, row):
            return [self.weight * 0.0]

    found = find_learning_rate(Stays(), X, [1.0] * 40, loss="mse_loss", rng=0)
    assert math.isnan(found.suggestion)
    assert str(found).endswith("the loss fell at none of them; is the model trained already?")
    found.plot()


def lowest_loss(model, X, y, loss, lr):
    """The lowest loss on the second half in 20 epochs on the first."""
    half = len(X) // 2
    optimizer = nn.Adam(model.parameters(), lr=lr)
    history = nn.fit(
        *(model, X[:half], y[:half]),
        loss=loss,
        optimizer=optimizer,
        epochs=20,
        batch_size=32,
        validation=(X[half:], y[half:]),
        progress=False,
        rng=0,
    )
    return min((x for x in history.validation_loss if math.isfinite(x)), default=math.inf)


@pytest.mark.parametrize(
    "name",
    ["digits", *(pytest.param(x, marks=pytest.mark.slow) for x in ("iris", "wine", "breast_cancer", "diabetes"))],
)
def test_the_suggestion_trains_about_as_well_as_the_best_of_a_grid(name):
    data = getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")()
    order = np.random.RandomState(0).permutation(len(data.data))
    X = (data.data - data.data.mean(0)) / np.maximum(data.data.std(0), 1e-9)
    X, y = X[order][:1000], data.target[order][:1000]
    loss, outputs = ("mse_loss", 1) if name == "diabetes" else ("cross_entropy", len(data.target_names))
    if name == "diabetes":
        y = (y - y.mean()) / y.std()

    def model():
        return nn.MLP(X.shape[1], [16, outputs], rng=0)

    found = find_learning_rate(model(), X[: len(X) // 2], y[: len(X) // 2], loss=loss, rng=0)
    grid = [lowest_loss(model(), X, y, loss, 10.0 ** (k / 2)) for k in range(-8, 1)]
    assert lowest_loss(model(), X, y, loss, found.suggestion) < min(grid) + 0.2 * (grid[0] - min(grid))


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"lowest": 0.0}, ValueError, "learning rates above 0, the lowest below the highest; got lowest=0.0"),
        ({"highest": 1e-7}, ValueError, "the lowest below the highest; got lowest=1e-06, highest=1e-07"),
        ({"highest": math.inf}, ValueError, "the lowest below the highest"),
        ({"lowest": "a"}, TypeError, "lowest takes a real number; got 'a'"),
        ({"steps": 3}, ValueError, "steps"),
        ({"loss": "mse"}, ValueError, "there is no loss 'mse'"),
        ({"optimizer": "adm"}, ValueError, "there is no optimizer 'adm'"),
        ({"engine": "jit"}, ValueError, "engine takes"),
        ({"loss": lambda p, t: p[0] * math.nan}, ValueError, "the loss is not a finite number before the first step"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(options, kind, sentence):
    model = nn.MLP(1, [1], rng=0)
    before = model.state_dict()
    with pytest.raises(kind, match=sentence):
        find_learning_rate(model, X, Y, **{"loss": "mse_loss", **options})
    assert model.state_dict() == before


def test_only_a_module_is_tried_out():
    with pytest.raises(TypeError, match="find_learning_rate tries out a Module, such as"):
        find_learning_rate([1.0], X, Y, loss="mse_loss")


def test_a_flat_curve_says_so_and_a_steep_one_does_not():
    rng = random.Random(0)
    X = [[rng.uniform(-1.0, 1.0)] for _ in range(200)]
    y = [x * x + rng.gauss(0.0, 0.1) for [x] in X]
    model = nn.MLP(1, [8, 1], rng=0)
    steep = find_learning_rate(model, X, y, loss="mse_loss", rng=0)
    assert not steep.is_flat
    assert "is a good one to train with" in str(steep)
    nn.fit(model, X, y, loss="mse_loss", epochs=150, rng=0, progress=False)
    flat = find_learning_rate(model, X, y, loss="mse_loss", rng=0)
    assert flat.is_flat
    assert "the curve is flat" in str(flat)
    assert "is a guess" in str(flat)


def test_the_repr_is_one_short_line():
    found = find_learning_rate(nn.MLP(1, [2, 1], rng=0), X, Y, loss="mse_loss", rng=0)
    assert repr(found).startswith(f"LearningRates({len(found.rates)} rates from 1e-06 to ")
    assert len(repr(found)) < 80


def test_weights_that_are_all_0_are_refused():
    with pytest.raises(ValueError, match="the examples have weight 0, all"):
        find_learning_rate(nn.MLP(1, [2, 1]), X, Y, loss="mse_loss", sample_weight=[0.0] * len(X))
