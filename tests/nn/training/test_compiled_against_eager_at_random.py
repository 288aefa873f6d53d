"""Does compiled training do what eager training does, whatever is trained, and however?

The two round differently, and a training run may make much of that. An optimiser that divides a gradient by its own
size makes a whole step of the rounding errors that are left where a gradient cancels. So there is no fixed bound. Where
the two differ by more than the last digits, the eager engine shows how far it is from itself when it rounds otherwise
(`tests/other_roundings.py`). Compiled training may be as far from it, and so may its first step alone. Where runs are
chaos, and compiled training still is farther off, each of its steps is held against an eager one from the same place.

`Fit(...)` in the message of a failure is the call that failed; `check` makes it again.
"""

import dataclasses
import math
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

from nn.training.generators import generator_state, generators
from tests.nn.training.random_fits import Fit, random_fit
from tests.other_roundings import other_roundings

ROUNDING = 1e-12  # of the largest number beside it: what is closer has not been made much of
CHAOS = 1e-9  # of the largest number: by more than this, eager runs that round otherwise differ only in chaos
REPETITIONS = 40
MARGIN = 64.0  # how many times farther off than the farthest of the repetitions: such errors have long tails


# What a call leaves behind


def outcome(fit, engine):
    """All that a call of `fit` leaves behind: numbers, which round, and facts, which do not."""
    model, optimizer, schedule, order, history = fit.run(engine)
    numbers = {
        "weights": [p.data for p in model.parameters()],
        "gradients": [p.grad for p in optimizer.params],
        "buffers": [float(x) for _, x in model.named_buffers()],
        "learning rate": [optimizer.lr],
        **{f"the optimizer's {name}": x for name, x in optimizer.state.items()},
        **{name: getattr(history, name) for name in (history[0] if len(history) else ())},
    }
    remembered = {} if schedule is None else schedule.state_dict()["state"]
    if "best" in remembered:
        numbers["the schedule's best"] = [float(remembered.pop("best"))]
    facts = {
        "engine": history.why_eager,
        "steps": optimizer.steps,
        "epochs": (len(history), history.stopped),
        "schedule": remembered,
        "modes": [module.training for module in model.modules()],
        "generators": {name: generator_state(x) for name, x in generators(model, order).items()},
        "Python's generator": random.getstate(),
    }
    return numbers, facts


def apart(x, y):
    """How far two numbers are apart; infinitely, if only one of them is finite."""
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    return abs(x - y) if math.isfinite(x) and math.isfinite(y) else math.inf


def largest(numbers):
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


# The comparison


def differences(fit):
    """What compiled training did that eager training does not, however it rounds.

    Returns:
        by name the differences, of numbers a row (place, eager, compiled, how far eager is from itself); and how many
        there were before the eager engine rounded otherwise.
    """
    eager, compiled = outcome(fit, "eager"), outcome(fit, "compiled")
    found = wrong = unlike([eager], compiled)
    if found and fit != fit.first_step():  # a run may be chaos; its first step is not
        wrong, _ = differences(fit.first_step())
        if wrong:
            return {f"in the first step, {name}": x for name, x in wrong.items()}, len(found)
    runs = [eager]
    for seed in range(REPETITIONS):
        wrong = unlike(runs, compiled)
        if not wrong:
            break
        with other_roundings(seed), suppress(ValueError):  # of a loss, for what is no probability any more
            runs.append(outcome(fit, "eager"))
    if wrong and is_chaos(runs):
        wrong = differences_of_steps(fit)
    return wrong, len(found)


def is_chaos(runs):
    """Whether eager runs that round otherwise are far from each other: then it is chance how far a compiled one is."""
    return any(
        max(map(apart, expected, run[0][name]), default=0.0) > CHAOS * largest(expected)
        for run in runs
        for name, expected in runs[0][0].items()
    )


def differences_of_steps(fit):
    """In what the compiled steps, each from where the eager run is, are not among eager steps."""
    for k, step in enumerate(fit.steps()):
        runs, compiled = [after_step(step, "eager")], after_step(step, "compiled")
        for seed in range(REPETITIONS):
            wrong = unlike(runs, compiled)
            if not wrong:
                break
            with other_roundings(seed), suppress(ValueError):
                runs.append(after_step(step, "eager"))
        if wrong:
            return {f"in step {k + 1}, {name}": x for name, x in wrong.items()}
    return {}


def after_step(step, engine):
    model, optimizer = step(engine)
    numbers = {
        "weights": [p.data for p in model.parameters()],
        "gradients": [p.grad for p in optimizer.params],
        "buffers": [float(x) for _, x in model.named_buffers()],
        **{f"the optimizer's {name}": x for name, x in optimizer.state.items()},
    }
    return numbers, {"steps": optimizer.steps}


def unlike(runs, compiled):
    """In what a compiled run is not among eager runs, of which the first one rounds as ever."""
    numbers, facts = runs[0]
    wrong = {
        name: (x, compiled[1].get(name))
        for name, x in facts.items()
        if all(run[1].get(name) != compiled[1].get(name) for run in runs)
    }
    for name, expected in numbers.items():
        others = [run[0][name] for run in runs]
        spread = [max(apart(x, y) for y in ys) for x, *ys in zip(expected, *others, strict=False)]
        rows = zip(expected, compiled[0].get(name, ()), spread, strict=False)
        bound = ROUNDING * largest(expected)
        far = [(k, *row) for k, row in enumerate(rows) if not apart(row[0], row[1]) <= bound + MARGIN * row[2]]
        if far or name not in compiled[0]:
            wrong[name] = far
    return wrong


def check(fit):
    try:
        wrong, _ = differences(fit)
    except Exception as error:
        error.add_note(f"in {fit!r}")
        raise
    assert not wrong, f"{fit!r}\n" + "\n".join(f"{name}: {str(x)[:1000]}" for name, x in wrong.items())


@settings(max_examples=30)
@given(st.randoms(use_true_random=False).map(random_fit))
def test_30_calls_of_fit(fit):
    check(fit)


@pytest.mark.slow
@settings(max_examples=500)
@given(st.randoms(use_true_random=False).map(random_fit))
def test_500_calls_of_fit(fit):
    check(fit)


# What was found


KEPT = {
    # clipping multiplies an infinite gradient by 0
    "a warning of NumPy's where a run diverges": Fit(
        seed=0, examples=5, held_out=0, inputs="places", width=1, outputs=3, targets="bits",
        layers=("Embedding(5, 1, rng=rng)", "Layer(1, 2, activation='relu', rng=rng)",
                "Layer(2, 3, nonlin=False, rng=rng, init='he_normal')", "Sigmoid()"),
        loss="partial(binary_cross_entropy, reduction='mean')", optimizer="RMSprop(parameters, lr=0.3162)", schedule="",
        options=(("epochs", 1), ("batch_size", 1), ("shuffle", True), ("max_grad_norm", 0.001), ("validation", 0.2),
                 ("patience", None), ("min_delta", 0.0), ("metrics", ()), ("class_weight", None)),
    ),
    # a third and a third and a third of three is not three
    "a count of right answers that was no whole number": Fit(
        seed=19053, examples=46, held_out=12, inputs="places", width=1, outputs=1, targets="bits",
        layers=("Embedding(5, 1, rng=rng)",), loss="'binary_cross_entropy_with_logits'",
        optimizer="SGD(parameters, lr=0.0034, weight_decay=0.3)", schedule="",
        options=(("epochs", 5), ("batch_size", 2), ("shuffle", True), ("max_grad_norm", 0.0), ("patience", None)),
    ),
    # 0.5 - 1 and 0.5 - 0 cancel: one engine has 0, the other 1e-17, of which AdamW makes a step within three epochs
    "a gradient of 0 that Adam divides by its size": Fit(
        seed=12772, examples=6, held_out=0, inputs="with a constant", width=6, outputs=2, targets="bits",
        layers=("Dropout(1.0, rng=rng)", "Dropout(0.0)", "Layer(6, 2, nonlin=False, rng=rng, init='micrograd')"),
        loss="'binary_cross_entropy_with_logits'", optimizer="AdamW(parameters, lr=0.0204, weight_decay=0.3)",
        schedule="", options=(("epochs", 5), ("batch_size", 6), ("shuffle", True), ("max_grad_norm", None)),
    ),
    # what comes before BatchNorm has gradient 0 where it is the same in all examples
    "rounding errors before BatchNorm, and Adagrad": Fit(
        seed=48669, examples=3, held_out=19, inputs="few", width=6, outputs=3, targets="whole numbers",
        layers=("Standardize([-0.379] * 6, [2.0] * 6)",
                "MLP(6, [4, 8], activation='gelu', rng=rng, dropout=1.0, init='micrograd')",
                "BatchNorm(8)", "Layer(8, 3, nonlin=False, rng=rng)"),
        loss="partial(mse_loss, reduction='sum')", optimizer="Adagrad(parameters, lr=0.0278, weight_decay=0.01)",
        schedule="LinearWarmup(optimizer, total_iters=4)",
        options=(("epochs", 3), ("batch_size", 3), ("shuffle", True), ("max_grad_norm", None), ("patience", 2)),
    ),
    # the bias of the first has no effect: of its gradient, rounding errors, Adagrad makes steps of any size
    "two BatchNorms": Fit(
        seed=58326, examples=43, held_out=11, inputs="few", width=6, outputs=2, targets="shares",
        layers=("BatchNorm(6, eps=0.1, momentum=None)", "BatchNorm(6, momentum=0.0)",
                "Layer(6, 2, nonlin=False, rng=rng)", "LogSoftmax()"),
        loss="'kl_div'", optimizer="Adagrad(parameters, lr=0.2482, weight_decay=0.01)",
        schedule="StepLR(optimizer, 2, gamma=0.5)",
        options=(("epochs", 1), ("batch_size", 4), ("shuffle", True), ("max_grad_norm", None), ("patience", 2)),
    ),
    # the variance of two examples, one of which repeats, is a rounding error
    "BatchNorm of a constant": Fit(
        seed=4549, examples=12, held_out=1, inputs="with a constant", width=6, outputs=6, targets="whole numbers",
        layers=("BatchNorm(6, eps=0.1, momentum=1.0)", "RMSNorm(6, eps=1e-12)", "BatchNorm(6, momentum=1.0)"),
        loss="'l1_loss'", optimizer="Adam(parameters, lr=0.3122, weight_decay=0.3, eps=1e-3)",
        schedule="ReduceLROnPlateau(optimizer, patience=1, factor=0.5)",
        options=(("epochs", 5), ("batch_size", 2), ("shuffle", True), ("max_grad_norm", None), ("patience", 1)),
    ),
    # nothing moves: the epochs differ by the order of a sum, and the schedule goes by the last digit
    "ties between epochs": Fit(
        seed=42772, examples=13, held_out=0, inputs="numbers", width=6, outputs=3, targets="numbers",
        layers=("Layer(6, 1, activation='relu', rng=rng, expanded=True)",
                "Layer(1, 3, nonlin=False, rng=rng, init='micrograd')"),
        loss="'l1_loss'", optimizer="SGD(parameters, lr=0.0038, momentum=0.9, dampening=0.2)",
        schedule="ReduceLROnPlateau(optimizer, patience=1, threshold=0.0, cooldown=0)",
        options=(("epochs", 6), ("batch_size", 2), ("shuffle", True), ("max_grad_norm", 0.0)),
    ),
    # sin of numbers in the thousands: an error grows 1,000 times in every other step
    "a run that is chaos by itself": Fit(
        seed=16037, examples=30, held_out=1, inputs="large and small", width=6, outputs=1, targets="whole numbers",
        layers=("Softplus()", "MLP(6, [4, 7], activation=autograd.sin, rng=rng, dropout=0.3)",
                "LayerNorm(7, eps=0.1)", "RMSNorm(7, eps=1e-12)", "Layer(7, 1, nonlin=False, rng=rng)"),
        loss="'mse_loss'", optimizer="SGD(parameters, lr=0.0094, momentum=0.9, nesterov=True)",
        schedule="StepLR(optimizer, 1, gamma=0.5)",
        options=(("epochs", 6), ("batch_size", 1), ("shuffle", True), ("max_grad_norm", None), ("patience", 1)),
    ),
    # LayerNorm of an embedding of one example: the gradient has two directions in which it is 0
    "Embedding, LayerNorm, ELU, RMSNorm, Layer": Fit(
        seed=55966, examples=2, held_out=3, inputs="places", width=3, outputs=1, targets="numbers",
        layers=("Embedding(5, 1, rng=rng)", "LayerNorm(3)", "ELU()", "RMSNorm(3)",
                "Layer(3, 1, nonlin=False, rng=rng)"),
        loss="partial(huber_loss, reduction='sum', delta=0.1)", optimizer="RMSprop(parameters, lr=0.1)",
        schedule="ExponentialLR(optimizer, 0.7)",
        options=(("epochs", 4), ("batch_size", 2), ("shuffle", True), ("max_grad_norm", 1.0), ("patience", None)),
    ),
    "Embedding, BatchNorm, LayerNorm, Dropout": Fit(
        seed=6312, examples=20, held_out=0, inputs="places", width=2, outputs=2, targets="numbers",
        layers=("Embedding(5, 1, rng=rng)", "BatchNorm(2)", "LayerNorm(2)", "Dropout(0.2, rng=rng)"),
        loss="'l1_loss'", optimizer="Adagrad(parameters, lr=0.1)", schedule="",
        options=(("epochs", 4), ("batch_size", 11), ("shuffle", False), ("max_grad_norm", None)),
    ),
    # the first layer's gradient is large while the loss saturates, and 0 where it does not
    "a linear MLP with smoothing, AdamW and clipping": Fit(
        seed=33281, examples=26, held_out=1, inputs="large and small", width=7, outputs=5, targets="classes",
        layers=("MLP(7, [2, 5], activation='linear', rng=rng)",),
        loss="partial(cross_entropy, label_smoothing=1.0)", optimizer="AdamW(parameters, lr=0.01)",
        schedule="ReduceLROnPlateau(optimizer, patience=0, threshold=1e-4)",
        options=(("epochs", 5), ("batch_size", 1), ("shuffle", False), ("max_grad_norm", 1.0), ("patience", None)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_what_was_found(name):
    check(KEPT[name])


# Would it find a fault?


def test_a_module_that_is_off_by_a_billionth_where_it_is_compiled_is_found():
    fits = [random_fit(random.Random(seed)) for seed in range(10)]
    faulty = [dataclasses.replace(fit, layers=(*fit.layers, "Off()")) for fit in fits]
    assert sum(bool(differences(fit)[0]) for fit in faulty) >= 9  # one may give only zeros
