"""Does compiled training do what eager training does, whatever is trained, and however?

The two round differently, and a training run may make much of that: an optimiser that divides a gradient by its own size
makes a step of what is left where a gradient cancels. So there is no fixed bound. Where the two differ by more than
the last digits, the eager engine shows how much it differs from itself: it trains several times more, with the result
and the local derivatives of every operation, and all that the optimiser moves, changed at random by as much as compiled
code may differ from it in one operation. What compiled training does must be among what this does.
"""

import math
import random
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("numba")

from autograd import functions, value
from nn import Optimizer
from nn.training.generators import generator_state, generators
from tests.nn.training.random_fits import random_fit

MOST_ULP = 4  # how far the value of a compiled operation may be from the eager one (see test_against_eager.py)
ROUNDING = 1e-12  # of the largest number beside it: what is closer has not been made much of
CANCELLED = 2.0**-43  # of the largest gradient: what is left where the terms of a gradient cancel may be as large
REPETITIONS = 10
MARGIN = 8.0  # how much farther off than the farthest of the repetitions


def outcome(fit, engine):
    """All that a call of `fit` leaves behind: numbers, which round, and facts, which do not."""
    try:
        model, optimizer, schedule, order, history = fit.run(engine)
    except Exception as error:
        return {}, {"error": f"{type(error).__name__}: {error}"}
    buffers = dict(model.named_buffers())
    numbers = {
        "weights": [p.data for p in optimizer.params],
        "gradients": [p.grad for p in optimizer.params],
        "buffers": list(map(float, buffers.values())),
        "lr": [optimizer.lr],
        **{f"state of the optimizer: {name}": x for name, x in optimizer.state.items()},
        **{name: getattr(history, name) for name in (history[0] if len(history) else ())},
    }
    remembered = {} if schedule is None else schedule.state_dict()["state"]
    if "best" in remembered:
        numbers["best of the schedule"] = [float(remembered.pop("best"))]
    facts = {
        "steps": optimizer.steps,
        "stopped": (len(history), history.stopped),
        "schedule": remembered,
        "modes": [module.training for module in model.modules()],
        "generators": {name: generator_state(x) for name, x in generators(model, order).items()},
        "Python's generator": random.getstate(),
    }
    return numbers, facts


class OtherRounding:
    """Numbers whose every operation is up to MOST_ULP units in the last place off, at random.

    Sums that cancel may cancel exactly in one order and leave rounding errors in another. So in every other repetition
    gradients that are no larger than rounding errors are 0.
    """

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.negligible = CANCELLED * (seed % 2)

    def off(self, x):
        moved = x * (1.0 + MOST_ULP * 2.0**-52 * self.rng.uniform(-1.0, 1.0))
        return moved if abs(x) > 1.0 else max(-1.0, min(moved, 1.0))  # a probability stays one

    def gradients(self, params):
        least = self.negligible * largest([p.grad for p in params])
        return [p.grad if abs(p.grad) > least else 0.0 for p in params]

    def derivatives_off(self, derivatives):
        return tuple(map(self.off, derivatives)) if type(derivatives) is tuple else derivatives and self.off(derivatives)

    def number(self, x):
        """A float with such operations, for the rules of optimisers."""
        return _Number(x, self)

    def sqrt(self, x):
        return self.number(self.off(math.sqrt(x)))

    maximum, minimum = staticmethod(max), staticmethod(min)


class _Number(float):
    def __new__(cls, x, rounding):
        number = super().__new__(cls, x)
        number.rounding = rounding
        return number


def _operation(name):
    def operation(self, other):
        return _Number(self.rounding.off(getattr(float, name)(self, other)), self.rounding)

    return operation


for _name in ("add", "sub", "mul", "truediv"):
    for _form in (f"__{_name}__", f"__r{_name}__"):
        setattr(_Number, _form, _operation(_form))


@contextmanager
def other_roundings(seed):
    """A block in which the eager engine, and the optimiser, round otherwise."""
    rounding = OtherRounding(seed)
    record = value._record

    def recorded(operation, data, x, dx, y=None, dy=None):
        return record(operation, rounding.off(data), x, rounding.derivatives_off(dx), y, rounding.derivatives_off(dy))

    def step(self):
        update = self.rule(rounding, *map(rounding.number, self.scalars()))
        rows = [[p.data for p in self.params], rounding.gradients(self.params), *self.remembered()]
        moved = [update(*map(rounding.number, row)) for row in zip(*rows, strict=True)]
        data, *remembered = ([float(x) for x in column] for column in zip(*moved, strict=True))
        for parameter, number in zip(self.params, data, strict=True):
            parameter.data = number
        self.state |= dict(zip(self.starts(), remembered, strict=True))
        self.steps += 1

    with (
        patch.object(value, "_record", recorded),
        patch.object(functions, "_record", recorded),
        patch.object(Optimizer, "step", step),
    ):
        yield


def apart(x, y):
    """How far two numbers are apart; infinitely, if only one of them is finite."""
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    return abs(x - y) if math.isfinite(x) and math.isfinite(y) else math.inf


def largest(numbers):
    return max((abs(x) for x in numbers if math.isfinite(x)), default=0.0)


def differences(fit):
    """What compiled training did that eager training does not, however it rounds.

    Returns:
        the differences, by name; and how many there were before the eager engine was asked to round otherwise.
    """
    eager, compiled = outcome(fit, "eager"), outcome(fit, "compiled")
    found = _differences(eager, compiled, [eager])
    if not found or "error" in found:
        return found, len(found)
    if fit != fit.first_step():  # a run may be chaos; its first step is not
        wrong, _ = differences(fit.first_step())
        if wrong:
            return {"in the first step alone": wrong}, len(found)
    runs = [eager]
    for seed in range(REPETITIONS):
        with other_roundings(seed):
            runs.append(outcome(fit, "eager"))
        wrong = _differences(eager, compiled, runs)
        if not wrong:
            break
    return wrong, len(found)


def _differences(eager, compiled, runs):
    facts = {name: (x, compiled[1].get(name)) for name, x in eager[1].items()}
    wrong = {
        name: pair for name, pair in facts.items() if not any(run[1].get(name) == pair[1] for run in runs)
    }
    if "error" in compiled[1] or "error" in eager[1]:
        return wrong | {"error": (eager[1], compiled[1])} if eager[1] != compiled[1] else {}
    for name, numbers in eager[0].items():
        others = [run[0][name] for run in runs if name in run[0]]
        bound = ROUNDING * largest(numbers)
        far = [max(apart(x, y) for y in ys) for x, *ys in zip(numbers, *others, strict=False)]
        pairs = enumerate(zip(numbers, compiled[0].get(name, []), far, strict=False))
        rows = [(k, *row) for k, row in pairs if not apart(row[0], row[1]) <= bound + MARGIN * row[2]]
        if rows or name not in compiled[0]:
            wrong[name] = rows
    return wrong


def check(fit):
    wrong, _ = differences(fit)
    assert not wrong, f"{fit!r}\n" + "\n".join(f"{name}: {x!r}" for name, x in wrong.items())


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_20_calls_of_fit(rng):
    check(random_fit(rng))


@pytest.mark.slow
@settings(max_examples=500)
@given(st.randoms(use_true_random=False))
def test_500_calls_of_fit(rng):
    check(random_fit(rng))
