"""Does training in native code do what the eager engine does, with every layer, loss and optimiser?"""

import dataclasses
import operator
import random
import sys
import time
from functools import partial

import pytest

pytest.importorskip("llvmlite")

import autograd
import nn
from autograd import RecordingError, Value, operation
from nn import (
    MLP,
    SGD,
    Adam,
    BatchNorm,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Module,
    ReLU,
    RMSNorm,
    Sequential,
    StepLR,
    Tanh,
    fit,
)
from nn.datasets import load_digits
from nn.losses import LOSSES
from nn.training.compiled import CompiledTraining
from nn.training.examples import Examples
from nn.training.figures import Figures
from nn.training.traced import one_by_one
from tests.nn.optimizers import OPTIMIZERS
from tests.nn.training.random_fits import random_fit

DIGITS = load_digits()
X, Y = DIGITS.X[:90], DIGITS.y[:90]


def layers(*modules, inputs=64, outputs=10):
    """Some modules of 8 numbers each between two linear layers."""

    def made(seed=0):
        rng = random.Random(seed)
        first, last = (Layer(*sizes, activation="linear", rng=rng) for sizes in ((inputs, 8), (8, outputs)))
        return Sequential(first, *(module(rng) for module in modules), last)

    return made


MODELS = {
    "mlp": lambda: MLP(64, [8, 10], rng=random.Random(0)),
    "expanded": lambda: MLP(64, [3, 10], rng=random.Random(0), expanded=True),
    "dropout": lambda: MLP(64, [8, 8, 10], dropout=0.4, rng=random.Random(0)),
    "drop everything": lambda: MLP(64, [8, 10], dropout=1.0, rng=random.Random(0)),
    "batch norm": layers(lambda rng: BatchNorm(8), lambda rng: ReLU()),
    "batch norm, mean of all, dropout": layers(
        lambda rng: BatchNorm(8, momentum=None), lambda rng: Dropout(0.3, rng=rng)
    ),
    "layer norm": layers(lambda rng: LayerNorm(8), lambda rng: Tanh()),
    "rms norm": layers(lambda rng: RMSNorm(8)),
}
MODELS |= {
    name: lambda name=name: MLP(64, [6, 10], activation=name, rng=random.Random(0))
    for name in nn.activations.ACTIVATIONS
}


def one_step(make, optimizer, loss="cross_entropy", data=(X[:32], Y[:32])):
    """The model and the optimiser after one step of the eager and of the compiled engine."""
    results = []
    for engine in ("eager", "compiled"):
        random.seed(0)
        model = make()
        mover = optimizer(model.parameters())
        history = fit(model, *data, loss=loss, optimizer=mover, epochs=1, batch_size=32, shuffle=False, engine=engine,
                      progress=False)  # fmt: skip
        assert history.engine == engine
        results.append((model, mover, history))
    return results


def assert_the_same(eager, compiled, rel=1e-12):
    model, other = eager[0].state_dict(), compiled[0].state_dict()
    size = max(map(abs, model.values()))
    assert other == pytest.approx(model, rel=rel, abs=rel * size)
    for name, numbers in eager[1].state.items():
        assert compiled[1].state[name] == pytest.approx(numbers, rel=rel, abs=rel * max(map(abs, numbers)))
    assert compiled[1].steps == eager[1].steps
    grads = [[p.grad for p in run[1].params] for run in (eager, compiled)]
    assert grads[1] == pytest.approx(grads[0], rel=rel, abs=rel * max(map(abs, grads[0])))
    for a, b in zip(eager[2], compiled[2], strict=True):
        assert b == pytest.approx(a, rel=rel)


@pytest.mark.parametrize("name", MODELS)
def test_one_step_of_every_layer(name):
    assert_the_same(*one_step(MODELS[name], OPTIMIZERS["SGD"]))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_one_step_of_every_optimizer(name):
    assert_the_same(*one_step(MODELS["mlp"], OPTIMIZERS[name]))


@pytest.mark.parametrize("clipped", [None, 0.1])
@pytest.mark.parametrize("name", [*OPTIMIZERS, "own"])
def test_several_steps_of_every_optimizer(name, clipped):
    results = []
    for engine in ("eager", "compiled"):
        model = MODELS["mlp"]()
        make = OPTIMIZERS.get(name, lambda p: Drifting(p, lr=0.1))
        optimizer = make(model.parameters())
        history = fit(model, X[:32], Y[:32], loss="cross_entropy", optimizer=optimizer, epochs=2, batch_size=8,
                      shuffle=False, engine=engine, max_grad_norm=clipped, progress=False)  # fmt: skip
        results.append((model, optimizer, history))
    assert_the_same(*results, rel=1e-10)


class Sawtooth(nn.Schedule):
    """A schedule with a step of its own."""

    def lr_at(self, epoch):
        return self.base_lr

    def step(self, metric=None):
        self.last_epoch += 1
        self._set_lr(self.base_lr * (1 + self.last_epoch % 3))


@pytest.mark.parametrize("name", ["SGD, momentum", "AdamW", "Adagrad", "own"])
@pytest.mark.parametrize("make", [lambda o: nn.LinearWarmup(o, total_iters=5), lambda o: StepLR(o, 3), Sawtooth])
def test_schedules_by_the_step(make, name):
    results = []
    for engine in ("eager", "compiled"):
        model = MODELS["mlp"]()
        optimizer = OPTIMIZERS.get(name, lambda p: Drifting(p, lr=0.1))(model.parameters())
        schedule = make(optimizer)
        history = fit(model, X[:32], Y[:32], loss="cross_entropy", optimizer=optimizer, epochs=3, batch_size=10,
                      schedule=schedule, schedule_by="step", shuffle=False, engine=engine, progress=False)  # fmt: skip
        assert schedule.last_epoch == 12
        results.append((model, optimizer, history))
    assert results[0][1].lr == results[1][1].lr
    assert_the_same(*results, rel=1e-10)


def test_a_schedule_that_watches_a_figure_goes_by_the_epoch():
    model = MODELS["mlp"]()
    optimizer = SGD(model.parameters(), lr=0.1)
    schedule = nn.ReduceLROnPlateau(optimizer)
    arguments = {"loss": "cross_entropy", "optimizer": optimizer, "epochs": 1, "batch_size": 10, "schedule": schedule}
    with pytest.raises(ValueError, match="ReduceLROnPlateau watches a figure of whole epochs"):
        fit(model, X[:32], Y[:32], schedule_by="step", **arguments)
    with pytest.raises(ValueError, match='schedule_by takes "epoch" or "step"; got'):
        fit(model, X[:32], Y[:32], schedule_by="batch", **arguments)


def test_a_model_in_evaluation_mode_learns_in_training_mode():
    def made(engine):
        model = MODELS["batch norm, mean of all, dropout"]()
        model.eval()
        optimizer = SGD(model.parameters(), lr=0.1)
        histories = [
            fit(model, X[:22], Y[:22], loss="cross_entropy", optimizer=optimizer, epochs=2, batch_size=4, shuffle=False,
                engine=engine, progress=False)
            for _ in range(2)
        ]  # fmt: skip
        return model, optimizer, histories[-1]

    assert_the_same(made("eager"), made("compiled"), rel=1e-9)


TARGETS = {"nll_loss": Y, "cross_entropy": Y, "kl_div": [[0.1 * (k == y) + 0.09 for k in range(10)] for y in Y]}
TARGETS |= {"hinge_loss": [1 if y > 4 else -1 for y in Y]}
BINARY = [y % 2 for y in Y]


@pytest.mark.parametrize("name", LOSSES)
def test_one_step_of_every_loss(name):
    wide = name in ("cross_entropy", "nll_loss", "kl_div")
    head = {"nll_loss": nn.LogSoftmax, "kl_div": nn.LogSoftmax, "binary_cross_entropy": nn.Sigmoid}.get(name)

    def make():
        mlp = MLP(64, [6, 10 if wide else 1], rng=random.Random(0))
        return mlp if head is None else Sequential(mlp, head())

    targets = TARGETS.get(name, BINARY)
    assert_the_same(*one_step(make, OPTIMIZERS["SGD"], name, (X[:32], targets[:32])))


def test_label_smoothing_and_probabilities_as_targets():
    smooth = lambda p, t: nn.cross_entropy(p, t, label_smoothing=0.1)  # noqa: E731
    assert_the_same(*one_step(MODELS["mlp"], OPTIMIZERS["SGD"], smooth))
    shares = [[float(k == y) for k in range(10)] for y in Y[:32]]
    assert_the_same(*one_step(MODELS["mlp"], OPTIMIZERS["SGD"], "cross_entropy", (X[:32], shares)))


def test_embeddings_are_looked_up_anew_for_every_example():
    def make():
        rng = random.Random(0)
        return Sequential(Embedding(7, 3, rng=rng), Layer(6, 2, activation="linear", rng=rng))

    rng = random.Random(1)
    words = [[float(rng.randrange(7)), float(rng.randrange(7))] for _ in range(32)]
    data = words, [int(a > b) for a, b in words]
    assert_the_same(*one_step(make, OPTIMIZERS["Adam"], "cross_entropy", data))


def run(engine, make, seed=0, **more):
    model = make()
    optimizer = Adam(model.parameters(), lr=0.01)
    settings = {
        "epochs": 4,
        "batch_size": 20,
        "schedule": StepLR(optimizer, 2),
        "validation": (DIGITS.X[90:130], DIGITS.y[90:130]),
    }
    history = fit(model, X, Y, loss="cross_entropy", optimizer=optimizer, rng=random.Random(seed), engine=engine,
                  progress=False, **{**settings, **more})  # fmt: skip
    return model, optimizer, history


@pytest.mark.parametrize("name", ["mlp", "dropout", "batch norm", "batch norm, mean of all, dropout", "layer norm"])
def test_whole_runs_with_shuffling_a_smaller_last_batch_a_schedule_and_validation(name):
    eager, compiled = (run(engine, MODELS[name]) for engine in ("eager", "compiled"))
    assert_the_same(eager, compiled, rel=1e-9)
    assert [e["accuracy"] for e in eager[2]] == [e["accuracy"] for e in compiled[2]]
    assert eager[2].best_epoch == compiled[2].best_epoch


def test_gradients_are_clipped_alike():
    eager, compiled = (run(engine, MODELS["mlp"], max_grad_norm=0.05) for engine in ("eager", "compiled"))
    assert_the_same(eager, compiled, rel=1e-9)
    assert eager[0].state_dict() != run("eager", MODELS["mlp"])[0].state_dict()


def test_the_same_seed_gives_the_same_bits():
    assert run("compiled", MODELS["dropout"])[0].state_dict() == run("compiled", MODELS["dropout"])[0].state_dict()


def test_pythons_own_generator_gives_the_masks_of_the_eager_engine():
    def make():
        rng = random.Random(0)
        return Sequential(
            Layer(64, 8, rng=rng), Dropout(0.5), Layer(8, 8, rng=rng), Dropout(0.2), Layer(8, 10, rng=rng)
        )

    assert_the_same(*one_step(make, OPTIMIZERS["SGD"]))


def test_auto_takes_the_compiled_engine_and_says_so():
    assert run("auto", MODELS["mlp"])[2].engine == "compiled"
    assert run("auto", MODELS["mlp"])[2].why_eager == ""


class Branching(Module):
    def __init__(self):
        self.part = MLP(64, [4, 10], rng=random.Random(0))

    def forward(self, row):
        return [y if y > 0 else 0.1 * y for y in self.part.forward(row)]


class Noisy(Branching):
    def forward(self, row):
        return [y + random.gauss(0.0, 0.1) for y in self.part.forward(row)]


class Counting(Branching):
    calls = 0

    def forward(self, row):
        self.calls += 1
        return self.part.forward(row)


class Gated(Branching):
    def __init__(self):
        super().__init__()
        self.gate = Value(0.1)

    def forward(self, row):
        return [y if self.gate > 0.0 else 2.0 * y for y in self.part.forward(row)]


class Scaled(Gated):
    def forward(self, row):
        return [y * self.gate.data for y in self.part.forward(row)]


def fit_once(model, loss="cross_entropy", optimizer=SGD, targets=Y, **options):
    """An epoch on 90 examples with nothing said about the engine."""
    settings = {"epochs": 1, "batch_size": 30, "progress": False, "rng": random.Random(0), **options}
    return fit(model, X, targets, loss=loss, optimizer=optimizer(model.parameters(), lr=0.1), **settings)


SCALE = 0.5


class Wide(Module):
    """A module of one's own that only computes."""

    def __init__(self):
        self.part, self.factor = MLP(64, [4, 10], rng=random.Random(0)), Value(0.5)

    def forward(self, row):
        return [self.scaled(y) for y in self.part.forward(row)]

    def scaled(self, y):
        return SCALE * autograd.tanh(self.factor * y)


def steep(x):
    return x * autograd.sigmoid(2.0 * x)


@pytest.mark.parametrize(
    ("model", "loss"),
    [
        (Wide, "cross_entropy"),
        (lambda: MLP(64, [4, 10], activation=autograd.tanh, rng=random.Random(0)), "cross_entropy"),
        (lambda: MLP(64, [4, 10], activation=steep, rng=random.Random(0)), "cross_entropy"),
        (lambda: MLP(64, [4, 10], activation=softsign, rng=random.Random(0)), "cross_entropy"),
        (MODELS["mlp"], lambda p, t: nn.cross_entropy(p, t)),
        (MODELS["mlp"], partial(nn.cross_entropy, label_smoothing=0.1)),
        (MODELS["dropout"], lambda p, t: SCALE * nn.cross_entropy(p, t) + sum(nn.cross_entropy(p, t) for _ in p)),
        (MODELS["batch norm"], lambda p, t: autograd.mean([nn.cross_entropy(a, b) for a, b in zip(p, t, strict=True)])),
    ],
)
def test_auto_compiles_what_is_ones_own_where_it_only_computes(model, loss):
    compiled, eager = model(), model()
    history = fit_once(compiled, loss)
    assert (history.engine, history.why_eager) == ("compiled", "")
    assert fit_once(eager, loss, engine="eager").loss == pytest.approx(history.loss, rel=1e-9)
    assert compiled.state_dict() == pytest.approx(eager.state_dict(), rel=1e-9, abs=1e-9)


CALLS, NOTES, WEIGHTS = [0], {"calls": 0}, {"of a class": 1.0}
CLASSES = iter(range(10**9))


def counted_globally(p, t):
    global SCALE
    SCALE = SCALE * 1.0
    return nn.cross_entropy(p, t)


def counted_in_a_list(p, t):
    CALLS[0] += 1
    return nn.cross_entropy(p, t)


def counted_in_a_dict(p, t):
    NOTES["calls"] += 1
    return nn.cross_entropy(p, t)


def counted_elsewhere(p, t):
    return counted_in_a_dict(p, t)


def printed(p, t):
    print("loss")
    return nn.cross_entropy(p, t)


def drawn(p, t):
    return nn.cross_entropy(p, t) * (1.0 + 0.0 * random.random())


def timed(p, t):
    return nn.cross_entropy(p, t) * (1.0 + 0.0 * time.time())


def iterated(p, t):
    return nn.cross_entropy(p, t) * (1.0 + 0.0 * next(CLASSES))


def imported(p, t):
    from time import time

    return nn.cross_entropy(p, t) * (1.0 + 0.0 * time())


def a_closure():
    calls = 0

    def loss(p, t):
        nonlocal calls
        calls += 1
        return nn.cross_entropy(p, t)

    return loss


class Callable:
    calls = 0

    def __call__(self, p, t):
        self.calls += 1
        return nn.cross_entropy(p, t)

    def loss(self, p, t):
        return self(p, t)


def a_generator(rng):
    return lambda p, t: nn.cross_entropy(p, t) * (1.0 + 0.0 * rng.random())


LOSSES_IN_DOUBT = [counted_globally, counted_in_a_list, counted_in_a_dict, counted_elsewhere, printed, drawn, timed]
LOSSES_IN_DOUBT += [iterated, imported, a_closure(), Callable(), Callable().loss, a_generator(random.Random(0))]


@pytest.mark.parametrize("loss", LOSSES_IN_DOUBT)
def test_auto_leaves_a_loss_that_may_do_more_than_compute_to_the_eager_engine(loss):
    history = fit_once(MODELS["mlp"](), loss)
    assert history.engine == "eager"
    assert "the loss is a function of your own" in history.why_eager


@pytest.mark.parametrize("change", [lambda p: p.pop(), lambda p: p.pop(0), lambda p: p.reverse()])
def test_the_optimizers_list_of_parameters_may_be_changed_between_two_runs(change):
    models, states = [], []
    for engine in ("eager", "compiled"):
        model = MODELS["mlp"]()
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            settings = {"epochs": 1, "batch_size": 30, "progress": False, "rng": random.Random(0), "engine": engine}
            assert fit(model, X, Y, loss="cross_entropy", optimizer=optimizer, **settings).engine == engine
            change(optimizer.params)
        models.append(model.state_dict())
        states.append(optimizer.state["momentum_buffer"])
    assert models[1] == pytest.approx(models[0], rel=1e-9, abs=1e-9)
    assert states[1] == pytest.approx(states[0], rel=1e-9, abs=1e-9)


def counted_by_append(p, t, calls=CALLS):
    calls.append(0)
    return nn.cross_entropy(p, t)


def counted_under_another_name(p, t):
    calls = [0] if len(p) < 0 else CALLS
    calls[-1] = calls[-1] + 1
    return nn.cross_entropy(p, t)


def counted_by_a_function_of_operator(p, t):
    operator.setitem(CALLS, 0, CALLS[0] + 1)
    return nn.cross_entropy(p, t)


def emptied(p, t):
    if len(CALLS) > 1:
        del CALLS[-1]
    CALLS[:] = [*CALLS, 0, 0]
    return nn.cross_entropy(p, t)


CHANGING = [counted_in_a_list, counted_in_a_dict, counted_elsewhere, counted_by_append, counted_under_another_name]
CHANGING += [counted_by_a_function_of_operator, emptied]


@pytest.mark.parametrize("loss", CHANGING)
def test_auto_never_calls_a_loss_that_changes_a_list_but_where_it_learns(loss):
    def calls_under(engine):
        calls = 0

        def called(frame, event, argument):
            nonlocal calls
            calls += event == "call" and frame.f_code is loss.__code__

        CALLS[:] = [0]
        sys.setprofile(called)
        try:
            assert fit_once(MODELS["mlp"](), loss, engine=engine).engine == "eager"
        finally:
            sys.setprofile(None)
        return calls

    assert calls_under("auto") == calls_under("eager") > 0


def summed_in_a_list(p, t):
    losses = []
    for a, b in zip(p, t, strict=True):
        losses.append(nn.cross_entropy(a, b))
    return autograd.mean(losses) + len(CALLS) * 0.0


def summed_in_a_dict(p, t):
    losses = {}
    for k in range(len(p)):
        losses[k] = nn.cross_entropy(p[k], t[k])
    losses.pop(0)
    return autograd.mean(list(losses.values())) + len(CALLS) * 0.0


def summed_in_a_list_of_zeros(p, t):
    losses = [0.0] * len(p)
    for k in range(len(p)):
        losses[k] = nn.cross_entropy(p[k], t[k])
    return autograd.mean(losses)


class Collecting(Wide):
    """Has a list of parts, and makes another list."""

    def __init__(self):
        super().__init__()
        self.parts = [Layer(10, 3, rng=random.Random(1)), Layer(10, 7, rng=random.Random(2))]

    def forward(self, row):
        row, out = super().forward(row), []
        for part in self.parts:
            outputs = []
            outputs.extend(part(row))
            outputs.reverse()
            out = [*out, *outputs]
        return out


@pytest.mark.parametrize("loss", [summed_in_a_list, summed_in_a_dict, summed_in_a_list_of_zeros])
@pytest.mark.parametrize("model", [MODELS["mlp"], Collecting])
def test_auto_compiles_code_that_changes_only_lists_of_its_own(model, loss):
    history = fit_once(model(), loss)
    assert (history.engine, history.why_eager) == ("compiled", "")


def summed_from_a_value(p, t):
    total = Value(0.0)
    for outputs, target in zip(p, t, strict=True):
        total = total + nn.cross_entropy(outputs, target)
    return total / len(t)


def mean_with_a_new_value(p, t):
    return autograd.mean([nn.cross_entropy(x, y) * Value(2.0) for x, y in zip(p, t, strict=True)])


class WithNewValues(Wide):
    def forward(self, row):
        return [sum([x], Value(0.5)) for x in super().forward(row)]


@pytest.mark.parametrize("loss", [summed_from_a_value, mean_with_a_new_value, nn.cross_entropy])
@pytest.mark.parametrize("model", [Wide, WithNewValues])
def test_values_that_are_made_anew_in_each_call_are_constants(model, loss):
    compiled, eager = (fit_once(model(), loss, engine=engine) for engine in ("auto", "eager"))
    assert (compiled.engine, compiled.why_eager, eager.engine) == ("compiled", "", "eager")
    assert compiled.loss == pytest.approx(eager.loss, rel=1e-12)


FACTORS = [Value(1.0) for _ in range(8)]


def with_a_value_for_each_place(p, t):
    return autograd.mean([nn.cross_entropy(x, y) * f for x, y, f in zip(p, t, FACTORS, strict=False)])


def test_values_from_outside_that_have_the_same_number_are_not_taken_for_each_other():
    """They may be moved apart, as parameters of the loss."""
    examples = Examples([[0.1 * k] * 4 for k in range(8)], [k % 10 for k in range(8)])
    model = MLP(4, [10], rng=random.Random(0))
    assert one_by_one(model, examples, mean_with_a_new_value, {8}) is not None
    assert one_by_one(model, examples, with_a_value_for_each_place, {8}) is None


class Watching(Wide):
    """What it writes, it writes in each call of the eager engine."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, row):
        self.seen.append(len(row))
        return super().forward(row)


class Helped(Wide):
    def forward(self, row):
        return [self.part.helped(y) for y in super().forward(row)]

    def __init__(self):
        super().__init__()
        self.part = Helper(64, [4, 10], rng=random.Random(0))


class Helper(MLP):
    def helped(self, y):
        print("helped")
        return y


class Delegating(Wide):
    def __getattr__(self, name):
        return random.random()


class Delayed(Wide):
    @property
    def delay(self):
        return time.time()

    def forward(self, row):
        return [y * (1.0 + 0.0 * self.delay) for y in super().forward(row)]


@pytest.mark.parametrize("model", [Branching, Noisy, Counting, Gated, Watching, Helped, Delegating, Delayed])
def test_auto_leaves_a_module_that_may_do_more_than_compute_to_the_eager_engine(model):
    made, expected = model(), model()
    history = fit_once(made)
    assert history.engine == "eager"
    assert f"{model.__name__} is your own" in history.why_eager or "Helper is your own" in history.why_eager
    random.seed(3)
    fit_once(made)
    random.seed(3)
    fit_once(expected)
    if model is Watching:
        assert made.seen == [64] * 2 * 91  # of each run one example to try it out, and then those of the epoch


def test_what_code_of_ones_own_reads_is_read_anew_in_each_epoch():
    def weighted(p, t):
        return WEIGHTS["of a class"] * nn.cross_entropy(p, t)

    def change(model, history):
        WEIGHTS["of a class"] *= 2.0

    losses = []
    for engine in ("eager", "auto"):
        WEIGHTS["of a class"] = 1.0
        history = fit_once(MODELS["mlp"](), weighted, engine=engine, epochs=3, callbacks=[change])
        losses.append(history.loss)
    assert history.engine == "compiled"
    assert losses[1] == pytest.approx(losses[0], rel=1e-9)


def test_trying_out_code_of_ones_own_leaves_nothing_behind():
    model = Sequential(Layer(64, 8, rng=random.Random(0)), BatchNorm(8), Dropout(0.5), Wide8())
    for parameter in model.parameters():
        parameter.grad = 2.0
    random.seed(0)
    before, state = model.state_dict(), random.getstate()
    optimizer = SGD(model.parameters(), lr=0.1)
    CompiledTraining(model, Examples(X, Y), Figures(nn.cross_entropy), optimizer, 30, cautious=True)
    assert (model.state_dict(), random.getstate()) == (before, state)
    assert {p.grad for p in model.parameters()} == {2.0}
    assert all(module.training for module in model.modules())


class Wide8(Wide):
    def __init__(self):
        super().__init__()
        self.part = MLP(8, [4, 10], rng=random.Random(0))


def test_auto_leaves_an_optimizer_of_ones_own_to_the_eager_engine():
    history = fit_once(MODELS["mlp"](), optimizer=Drifting)
    assert history.engine == "eager"
    assert 'engine="compiled" records it all the same' in history.why_eager


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Branching, "a branch"),
        (Noisy, "something else each time"),
        (Counting, "changes its own attributes"),
        (Gated, "keep the Value"),
        (Scaled, "keep the Value"),
    ],
)
def test_what_cannot_be_recorded_is_refused(model, why):
    made = model()
    state = made.state_dict()
    with pytest.raises(RecordingError, match=why):
        fit(made, X, Y, loss="cross_entropy", optimizer=SGD(made.parameters(), lr=0.1), epochs=1, batch_size=30,
            progress=False, engine="compiled")  # fmt: skip
    assert made.state_dict() == state


def test_a_loss_of_ones_own_that_looks_at_the_target_is_not_burned_in():
    def weighted(predictions, targets):
        terms = [(2.0 if t == 1 else 1.0) * (p - t) * (p - t) for p, t in zip(predictions, targets, strict=True)]
        return autograd.mean(terms)

    model = MLP(64, [1], rng=random.Random(0))
    with pytest.raises(RecordingError, match="== with a recorded number"):
        fit(model, X, BINARY, loss=weighted, optimizer=SGD(model.parameters(), lr=0.1), epochs=1, batch_size=30,
            engine="compiled", progress=False)  # fmt: skip


def test_a_loss_that_is_no_mean_of_its_examples_is_recorded_for_the_whole_batch():
    def largest(predictions, targets):
        return autograd.max([nn.cross_entropy(p, t) for p, t in zip(predictions, targets, strict=True)])

    assert_the_same(*one_step(MODELS["mlp"], OPTIMIZERS["SGD"], largest))
    model = MODELS["mlp"]()
    training = CompiledTraining(model, Examples(X, Y), Figures(largest), SGD(model.parameters(), lr=0.1))
    assert training._recording.alone is None


def test_a_loss_that_is_a_sum_is_a_sum():
    def total(predictions, targets):
        return nn.cross_entropy(predictions, targets, reduction="sum")

    eager, compiled = one_step(MODELS["mlp"], lambda p: SGD(p, lr=0.001), total)
    assert_the_same(eager, compiled)


@operation
def softsign(m):
    return lambda x: x / (1.0 + abs(x)), lambda out, x: 1.0 / (1.0 + abs(x)) / (1.0 + abs(x))


def test_modules_and_operations_of_ones_own_are_recorded():
    class Own(Module):
        def __init__(self):
            rng = random.Random(0)
            self.first, self.last, self.scale = Layer(64, 6, rng=rng), Layer(6, 10, rng=rng), Value(0.5)

        def forward(self, row):
            return self.last.forward([softsign(self.scale * x) for x in self.first.forward(row)])

    assert_the_same(*one_step(Own, OPTIMIZERS["Adam"]))


class Drifting(SGD):
    """An optimiser with a step of its own."""

    def step(self):
        for p in self.params:
            p.data -= self.lr * p.grad + 0.001
        self.steps += 1


def test_an_optimizer_with_a_step_of_its_own_makes_it():
    assert_the_same(*one_step(MODELS["mlp"], lambda p: Drifting(p, lr=0.1)))


def test_parameters_that_the_optimizer_does_not_have_stay_and_those_that_get_no_gradient_decay():
    def made(engine):
        model, spare = MODELS["mlp"](), Value(3.0)
        fixed = model.layers[0].parameters()
        moved = [*model.layers[1].parameters(), spare]
        optimizer = SGD(moved, lr=0.1, weight_decay=0.5)
        history = fit(model, X[:32], Y[:32], loss="cross_entropy", optimizer=optimizer, epochs=2, batch_size=16,
                      shuffle=False, engine=engine, progress=False)  # fmt: skip
        return model, optimizer, history, [p.data for p in fixed], spare.data

    eager, compiled = made("eager"), made("compiled")
    assert_the_same(eager[:3], compiled[:3])
    assert eager[3:] == compiled[3:]
    assert eager[4] < 3.0


def test_callbacks_may_change_what_was_recorded():
    def change(model, history):
        if len(history) == 2:
            model.dropouts[0].p = 0.0
            model.layers[0].neurons[0].w[0].data = 5.0

    eager, compiled = (run(engine, MODELS["dropout"], callbacks=[change]) for engine in ("eager", "compiled"))
    assert_the_same(eager, compiled, rel=1e-9)


def test_ctrl_c_leaves_a_model_that_can_be_used():
    def stop(model, history):
        raise KeyboardInterrupt

    model, _, history = run("compiled", MODELS["mlp"], callbacks=[stop])
    assert history.stopped == "interrupted"
    assert model.state_dict() == run("compiled", MODELS["mlp"], epochs=1)[0].state_dict()


def test_without_llvmlite_numpy_trains(without_llvmlite):
    for engine in ("compiled", "auto"):
        assert run(engine, MODELS["mlp"])[2].engine == "compiled"


def test_without_llvmlite_python_trains_where_batches_are_tiny_and_says_what_to_install(without_llvmlite):
    model = nn.MLP(2, [2, 1], rng=0)
    history = nn.fit(model, [[0.0, 1.0]], [1.0], loss="mse_loss", epochs=1, batch_size=1, progress=False)
    assert history.engine == "eager"
    assert "pip install 'scalar-autograd[fast]'" in history.why_eager


def test_an_llvmlite_that_is_too_old_is_as_good_as_none(monkeypatch):
    import llvmlite

    from autograd.compiler.backend import why_no_native_code

    why_no_native_code.cache_clear()
    monkeypatch.setattr(llvmlite, "__version__", "0.45.1")
    try:
        assert why_no_native_code() == "llvmlite 0.45.1 is too old: pip install 'scalar-autograd[fast]'"
        assert run("auto", MODELS["mlp"])[2].engine == "compiled"  # by NumPy
    finally:
        why_no_native_code.cache_clear()


@pytest.mark.parametrize(
    "loss",
    [
        lambda p, t: autograd.mean([(a - b) * (a - b) for a, b in zip(p, t, strict=True)][:2]),
        lambda p, t: autograd.mean([k * (a - b) * (a - b) for k, (a, b) in enumerate(zip(p, t, strict=True), 1)]),
        lambda p, t: nn.mse_loss(p, t) * (2.0 if len(p) > 2 else 1.0),
        lambda p, t: autograd.mean(
            [(2.0 if len(p) > 2 else 1.0) * (a - b) * (a - b) for a, b in zip(p, t, strict=True)]
        ),
    ],
)
def test_a_loss_that_depends_on_the_place_in_the_batch_or_its_size(loss):
    def made(engine):
        model = MLP(64, [1], rng=random.Random(0))
        optimizer = SGD(model.parameters(), lr=0.001)
        history = fit(model, X[:11], BINARY[:11], loss=loss, optimizer=optimizer, epochs=2, batch_size=3, shuffle=False,
                      engine=engine, progress=False)  # fmt: skip
        return model, optimizer, history

    assert_the_same(made("eager"), made("compiled"), rel=1e-9)


def test_a_refusal_that_is_swallowed_is_a_refusal():
    class Swallowing(Branching):
        def forward(self, row):
            try:
                return super().forward(row)
            except TypeError:
                return self.part.forward(row)

    made = Swallowing()
    with pytest.raises(RecordingError, match="a branch"):
        fit(made, X, Y, loss="cross_entropy", optimizer=SGD(made.parameters(), lr=0.1), epochs=1, batch_size=30,
            progress=False, engine="compiled")  # fmt: skip


def test_an_embedding_counts_from_0():
    model = Sequential(Embedding(4, 2), Layer(4, 1, nonlin=False))
    with pytest.raises(IndexError):
        fit(model, [[0, 1], [2, 3], [3, -1], [1, 0]], [0.0] * 4, loss="mse_loss", batch_size=2, epochs=1,
            optimizer=SGD(model.parameters(), lr=0.1), engine="compiled", progress=False)  # fmt: skip


def test_it_makes_no_difference_whether_somebody_looks_between_two_epochs():
    """Where nobody does, the parameters stay in native code."""
    rng = random.Random(5)
    looked_at = 0
    while looked_at < 12:
        call = dataclasses.replace(random_fit(rng), when="", change="")
        if not call.held_out:
            continue
        looked_at += 1
        found = []
        for when in ("", "after the first epoch"):
            model, optimizer, _, order, history = dataclasses.replace(call, when=when, change="pass").run("compiled")
            facts = history.epochs, history.confusion_matrix, history.stopped, order.getstate(), optimizer.steps
            found.append(repr((model.state_dict(), [p.grad for p in optimizer.params], optimizer.state, facts)))
        assert found[0] == found[1], call


def test_a_metric_of_ones_own_may_change_what_was_recorded():
    def halves_the_momentum(predictions, targets):
        optimizer.options["momentum"] *= 0.5
        return 0.0

    rows = [[0.1 * k] for k in range(8)]
    weights = []
    for engine in ("eager", "compiled"):
        model = MLP(1, [1], rng=0)
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
        fit(model, rows, [1.0] * 8, loss="mse_loss", optimizer=optimizer, epochs=4, validation=(rows, [1.0] * 8),
            metrics=[halves_the_momentum], rng=0, engine=engine, progress=False)  # fmt: skip
        weights.append([p.data for p in model.parameters()])
    assert weights[0] == pytest.approx(weights[1], rel=1e-9)


def test_a_callback_may_replace_a_parameter_a_layer_or_a_generator():
    def replace(model, history):
        if len(history) == 1:
            model.layers[1] = nn.Sigmoid()
        if len(history) == 2:
            model.layers[2].rng = random.Random(9)

    def make():
        rng = random.Random(0)
        return Sequential(Layer(64, 8, rng=rng), Tanh(), Dropout(0.3, rng=rng), Layer(8, 10, rng=rng))

    assert_the_same(*(run(engine, make, callbacks=[replace]) for engine in ("eager", "compiled")), rel=1e-9)


def test_where_decides_anew_for_every_example_and_every_weight():
    class Own(Branching):
        def forward(self, row):
            return [autograd.where(y > 0.0, y, 0.1 * y) for y in self.part.forward(row)]

    assert_the_same(*one_step(Own, OPTIMIZERS["Adam"]))


def test_what_auto_leaves_to_the_eager_engine_draws_the_same_numbers():
    random.seed(4)
    noisy = Noisy()
    fit(noisy, X, Y, loss="cross_entropy", optimizer=SGD(noisy.parameters(), lr=0.1), epochs=1, batch_size=30,
        rng=random.Random(0), progress=False)  # fmt: skip
    after = random.getstate()
    random.seed(4)
    other = Noisy()
    fit(other, X, Y, loss="cross_entropy", optimizer=SGD(other.parameters(), lr=0.1), epochs=1, batch_size=30,
        rng=random.Random(0), progress=False, engine="eager")  # fmt: skip
    assert random.getstate() == after
    assert noisy.state_dict() == other.state_dict()


def test_inside_strict_the_eager_engine_looks_at_every_operation():
    with autograd.strict():
        assert run("auto", MODELS["mlp"], epochs=1)[2].engine == "eager"


def test_batch_statistics_beside_modules_of_ones_own_are_kept():
    class Double(Module):
        def forward(self, row):
            return [2.0 * x for x in row]

    def make():
        rng = random.Random(0)
        middle = [Tanh() for _ in range(9)]  # so that there is a layers.1 and a layers.11
        return Sequential(Layer(64, 5, rng=rng), BatchNorm(5), *middle, Double(), Layer(5, 10, rng=rng))

    eager, compiled = one_step(make, OPTIMIZERS["SGD"])
    assert_the_same(eager, compiled)
    assert dict(compiled[0].named_buffers())["layers.1.num_batches_tracked"] == 1


def test_a_module_of_ones_own_with_buffers_learns_eagerly():
    class Own(BatchNorm):
        pass

    def make():
        return Sequential(Layer(64, 5), Own(5), Layer(5, 10))

    _, _, history = run("auto", make, epochs=1)
    assert history.engine == "eager"
    assert "Own is your own" in history.why_eager
    with pytest.raises(RecordingError, match="Own is a module of your own with buffers"):
        run("compiled", make, epochs=1)
