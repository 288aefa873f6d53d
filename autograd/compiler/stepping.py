"""How does an optimisation step run outside `fit`? Forward, backward and the update in native code, in one call.

The loss is one program, for the examples of a batch side by side. The optimiser's update is another one, for all
parameters side by side. Both keep their numbers from step to step: the parameters are lent to them (`lending.py`), and
so is what the optimiser remembers. Python has the newest numbers as soon as it asks.

What is moved lies in arrays that only native code writes, and only native code counts the steps. So Ctrl-C at any
moment leaves parameters and optimiser as they were after the last whole step.
"""

import copy
import random
from collections.abc import Callable, Sequence
from math import isclose
from threading import RLock
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from autograd import functions
from autograd.compiler.backend import Examples, Numbers, Results, Settings, Words, code
from autograd.compiler.flat_graph import FlatGraph, flatten, with_first
from autograd.compiler.lending import Loan, lent
from autograd.compiler.tracing import RecordingError, tracer, tracing
from autograd.compiler.vectorised import ProgramBackend
from autograd.value import Value


class Optimizer(Protocol):
    """What a step asks of an optimiser. `nn.Optimizer` is one.

    Attributes:
        params: the parameters that it moves, each once.
        lr: the learning rate, where the steps get others than this one.
        counts_steps: whether `scalars` are others in each step, and not only in the first.
        steps: how many steps were made.
        lent: while native code has `steps` and what is remembered, the one to ask for them. Whoever reads or writes the
            `state` of the optimiser takes both back first, and sets this to None.
    """

    params: list[Value]
    lr: float
    counts_steps: bool
    steps: int
    lent: "Remembered | None"

    @property
    def state(self) -> dict[str, list[float]]:
        """What is remembered of the parameters, by name: empty before the first step."""

    def moves_by_rule(self) -> bool:
        """Whether `step` is nothing but `rule`, for each parameter."""

    def settings(self) -> Any:
        """All that `rule` may read, but for what is below, as it is now."""

    def has_settings(self, settings: Any) -> bool:
        """Whether `settings()` are still these."""

    def before_step(self, steps: int, begun: bool, again: Any = None) -> "Optimizer":
        """The optimiser after so many steps, to be asked for `scalars` alone. `begun` says if `state` is not empty.

        `again` is what this gave before with the same settings, to be used again.
        """

    def scalars(self) -> tuple[float, ...]:
        """The numbers of the coming step that are the same for all parameters."""

    def starts(self) -> dict[str, float]:
        """What is remembered of each parameter, by name, and the number that it starts from."""

    def remembered(self) -> list[list[float]]:
        """What is remembered of the parameters now, in the order of `starts()`."""

    def rule(self, m: Any, *scalars: Any) -> Callable[..., tuple[Any, ...]]:
        """The update of one parameter, over any number system whose functions are in `m`."""

    def step(self) -> None:
        """Moves every parameter once, from its `grad`."""


# The update as a program


def recorded_update(
    optimizer: Optimizer, clip_factor: Callable[[Any], Any] | None = None
) -> tuple[FlatGraph, list[int]]:
    """The rule of an optimiser as a graph, and for each output the input that it replaces.

    The inputs are a parameter's data, its gradient, and what is remembered of it. The graph's parameters are the
    scalars, and the norm of the whole gradient if there is a `clip_factor`.

    Arguments:
        optimizer: has the rule.
        clip_factor: by what the gradient is multiplied, as a function of its norm.

    Raises:
        RecordingError: the rule decides something in Python by a number.
    """
    then: Any = optimizer.before_step(0, False)
    numbers, count = then.scalars(), len(optimizer.starts())
    vars(then).pop("lr", None)
    then.lent = _Untold()
    with tracing():
        data, gradient, *remembered = inputs = [tracer(1.0) for _ in range(2 + count)]
        scalars = list(map(tracer, numbers))
        update = then.rule(functions, *scalars)
        if clip_factor is not None:
            scalars.append(tracer(1.0))
            gradient = gradient * clip_factor(scalars[-1])
        outputs = list(update(data, gradient, *remembered))
    graph = flatten(outputs, inputs, scalars)
    if len(graph.parameters) > len(scalars):
        raise RecordingError(
            "the rule of the optimiser reads a Value that is none of its arguments: return it in scalars"
        )
    return graph, [0, *range(2, len(inputs))]  # all inputs but the gradient are moved


class _Untold:
    """In place of `Remembered` while a rule is recorded: what changes from step to step is no part of it."""

    @property
    def steps(self) -> int:
        """Refused, and so is `state`, for which an optimiser asks this first."""
        raise RecordingError("the rule reads steps or state, which change from step to step: return them in scalars")


_TRIAL = [(0.5, 0.125), (-0.25, -3.0), (2.0, 0.0), (0.0, 0.75), (-1.5, 1e-3), (3.0, 40.0)]
"""Parameters and gradients to compare a recorded rule with the optimiser's own step."""

_answers: WeakKeyDictionary[Any, tuple[Any, str]] = WeakKeyDictionary()


def why_no_rule(optimizer: Optimizer) -> str:
    """Why the steps of an optimiser are left to its own Python code, in words; "" if its rule moves natively.

    The rule is recorded, and what it gives for a few numbers is compared with what three of the optimiser's own steps
    do. The answer is kept until the optimiser's settings change.
    """
    known = _answers.get(optimizer)
    if known is None or not optimizer.has_settings(known[0]):
        known = _answers[optimizer] = optimizer.settings(), _tried(optimizer)
    return known[1]


def has_rule(optimizer: Optimizer) -> bool:
    """Whether native code can make the steps of an optimiser."""
    return not why_no_rule(optimizer)


def _tried(optimizer: Optimizer) -> str:
    name = type(optimizer).__name__
    if not optimizer.moves_by_rule():
        return f"{name} has a step of its own"
    drawn = random.getstate()
    try:
        graph, _ = recorded_update(optimizer)
        agrees = _agrees(optimizer, graph)
        if random.getstate() != drawn:
            return f"{name} draws random numbers"
    except Exception as error:  # a rule of somebody's own may raise anything
        return f"the rule of {name} cannot be recorded: {error}"
    finally:
        random.setstate(drawn)
    return "" if agrees else f"the recorded rule of {name} moves parameters otherwise than its step does"


def _agrees(optimizer: Optimizer, graph: FlatGraph) -> bool:
    """Whether the recorded rule does what three steps of a copy of the optimiser do."""
    parameters = [Value(data) for data, _ in _TRIAL]
    twin: Any = copy.deepcopy(optimizer, {id(optimizer.params): parameters})
    twin.steps, twin.state = 0, {}
    settings = twin.settings()
    rows = np.array([[*pair, *optimizer.starts().values()] for pair in _TRIAL])
    backend = ProgramBackend(graph)  # NumPy's: native code for a few numbers would be made for nothing
    for steps in range(3):
        scalars = np.array(optimizer.before_step(steps, steps > 0).scalars(), np.float64)
        moved, _ = backend.run(rows, scalars, gradient=False)
        for p, gradient in zip(parameters, rows[:, 1].tolist(), strict=True):
            p.grad = gradient
        twin.step()
        theirs = [[p.data for p in parameters], *(twin.state[name] for name in optimizer.starts())]
        pairs = zip(moved.T.ravel().tolist(), (x for column in theirs for x in column), strict=True)
        if not all(isclose(a, b, rel_tol=1e-9) or (a != a and b != b) for a, b in pairs):
            return False
        rows[:, 0], rows[:, 2:] = moved[:, 0], moved[:, 1:]
    return bool(twin.steps == 3 and twin.has_settings(settings))


# What the optimiser remembers


class Remembered:
    """What an optimiser remembers of its parameters, and how many steps it made, while native code has them.

    The stepper that ran last has the newest numbers. Another one gets them before it runs.

    Attributes:
        count: how many parameters there are.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self._names = list(optimizer.starts())
        self.count = len(optimizer.params)
        # There may have been more parameters: the optimiser's own step lets go of what is remembered of the rest too.
        remembered = [numbers[: self.count] for numbers in optimizer.remembered()]
        self._numbers = np.array(remembered, np.float64).reshape(-1, self.count)
        self._began_with = None if optimizer.state else optimizer.steps
        # In one tuple, so that no interruption comes between: steps that were made before the stepper's own count.
        self._counted: tuple[int, Stepper | None] = optimizer.steps, None

    @property
    def steps(self) -> int:
        """How many steps were made."""
        before, owner = self._counted
        return before + (0 if owner is None else int(owner.program.done[0]))

    def progress(self) -> tuple[int, bool]:
        """How many steps were made, and whether anything is remembered yet."""
        steps = self.steps
        return steps, steps != self._began_with

    def state(self) -> dict[str, list[float]]:
        """What is remembered, by name; nothing before the first step."""
        owner = self._counted[1]
        if owner is not None:
            with owner.lock:
                self._numbers = owner.state[:, owner.moved_at]
        return dict(zip(self._names, self._numbers.tolist(), strict=True)) if self.progress()[1] else {}

    def give(self, stepper: "Stepper") -> None:
        """Gives what is remembered to a stepper that is about to run."""
        if self._counted[1] is not stepper or stepper.remembered is not self:
            if stepper.remembered is not None:
                stepper.remembered._leave(stepper)
            self.state()
            stepper.remembered = self
            stepper.state[:, stepper.moved_at] = self._numbers
            self._counted = self.steps - int(stepper.program.done[0]), stepper

    def _leave(self, stepper: "Stepper") -> None:
        """Takes what is remembered out of a stepper, which another optimiser is about to use."""
        if self._counted[1] is stepper:
            self.state()
            self._counted = self.steps, None


# Steps


class Stepper:
    """A loss and an optimiser's update in native code.

    Arguments:
        graph: the loss. Its parameters begin with those of the optimiser.
        optimizer: moves them, by its rule or its own step.
        settings: how the program of the loss runs.
        clip_factor: by what the gradient is multiplied, as a function of its norm.
        lends: how many of the parameters are lent. The numbers of the others the caller sets in each run.

    Attributes:
        program: the loss.
        update: the optimiser's rule; None if it has a step of its own.
        state: what is remembered of the parameters, in the places in which the program has them.
        factor: by what the gradients of the program have to be multiplied.
    """

    def __init__(
        self,
        graph: FlatGraph,
        optimizer: Optimizer,
        settings: Any,
        clip_factor: Callable[[Any], Any] | None = None,
        lends: int | None = None,
    ) -> None:
        moved = len(optimizer.params)
        run_by = code()
        self.program = run_by.load(graph, moved, settings)
        self.moved_at = self.program.parameters_at[:moved]
        self.state = run_by.zeros(len(optimizer.starts()), self.program.moved_end)
        self.factor = 1.0
        self.remembered: Remembered | None = None  # what it has in `state`, and counts the steps of
        self.update = None
        if has_rule(optimizer):
            arrays = [self.program.numbers, self.program.gradients, *self.state]
            rule, targets = recorded_update(optimizer, clip_factor)
            norm_last = clip_factor is not None
            self.update = run_by.Update(rule, arrays, targets, self.program.moved_end, norm_last=norm_last)
        self._parameters = graph.parameters[:lends]
        self._lent_at = self.program.parameters_at[: len(self._parameters)]
        self._loan: Loan | None = None
        self._places = np.zeros(0, np.int64)
        self._seen = 0  # the version of the loan's numbers that the program has

    @property
    def lock(self) -> Any:
        """Held while native code runs."""
        assert self._loan is not None
        return self._loan.lock

    def moved(self) -> tuple[Words, Numbers, Numbers]:
        """See `lending.Mover`."""
        places = self._places[: len(self.moved_at)]
        with np.errstate(invalid="ignore"):  # inf * 0 is nan, and as in Python nobody is warned
            gradients = self.program.gradients[self.moved_at] * self.factor
        return places, self.program.numbers[self.moved_at], gradients

    def run(self, optimizer: Optimizer, run: Callable[[], None]) -> None:
        """Runs the program, with the newest numbers.

        Arguments:
            optimizer: the one with which this was made.
            run: calls `program.run` with the `update`.

        Raises:
            IndexError: an index in the graph is out of range for an example; then no further step was made.
        """
        while True:
            loan = self._lend()
            with loan.lock:
                if not loan.is_open:  # another thread has just asked for a number
                    continue
                self._load(optimizer, loan)
                try:
                    run()
                except IndexError:
                    self.program.gradients[self.moved_at] = 0.0  # there was no whole backward pass
                    raise
                return

    def set_aside(self, data: Numbers) -> None:
        """Gives the program other numbers than the newest, for a run without an update."""
        if self._loan is not None:
            self._loan.numbers()  # the newest may be here
        self._seen = -1
        self.program.numbers[self.moved_at] = data

    def _lend(self) -> Loan:
        """The open loan of the parameters."""
        loan = self._loan
        if loan is None or not loan.is_open:
            loan = lent(self._parameters, loan)
            if loan is not self._loan:
                places = loan.places(self._parameters)
                assert places is not None
                self._seen, self._places, self._loan = -1, places, loan  # stored in this order
        return loan

    def _load(self, optimizer: Optimizer, loan: Loan) -> None:
        """Takes over the newest numbers of the parameters, and of what is remembered of them."""
        if self._seen != loan.version:
            self.program.numbers[self._lent_at] = loan.numbers()[self._places]
            self.program.gradients[self.moved_at] = loan.gradients[self._places[: len(self.moved_at)]]
            self.factor = 1.0
        self._seen = loan.change(self)
        if self.update is not None:
            if optimizer.lent is not None and optimizer.lent.count != len(self.moved_at):
                optimizer.state  # noqa: B018  # takes it back: the optimiser has more or fewer parameters now
            if optimizer.lent is None:
                optimizer.lent = Remembered(optimizer)
            optimizer.lent.give(self)


def scalar_rows(optimizer: Optimizer, steps: int, rates: Sequence[float] | None = None) -> Numbers:
    """The numbers that each of the next steps has for all parameters together: a row for each, or one row for all.

    Arguments:
        rates: the learning rate of each step, if it is not the optimiser's `lr` for all.
    """
    made, begun = progress(optimizer)
    differ = optimizer.counts_steps or rates is not None
    found: list[tuple[float, ...]] = []
    then: Any = None
    for k in range(steps if differ else min(steps, 1 if begun else 2)):
        then = optimizer.before_step(made + k, begun or k > 0, then)
        if rates is not None:
            then.lr = rates[k]
        found.append(then.scalars())
    rows = np.array(found, np.float64).reshape(len(found), -1)
    return rows if len(rows) in (1, steps) else np.concatenate([rows, np.repeat(rows[-1:], steps - len(rows), axis=0)])


def progress(optimizer: Optimizer) -> tuple[int, bool]:
    """How many steps an optimiser made, and whether it remembers anything yet."""
    now = optimizer.lent
    return (optimizer.steps, bool(optimizer.state)) if now is None else now.progress()


class Steps:
    """The steps that optimisers make on a program, each in native code that is kept.

    Arguments:
        graph: the program's.
    """

    def __init__(self, graph: FlatGraph) -> None:
        self._graph = graph
        self._kept: dict[bool, WeakKeyDictionary[Any, _KeptStepper]] = {m: WeakKeyDictionary() for m in (True, False)}

    def step(self, optimizer: Optimizer, rows: Numbers, mean: bool, output: int = 0) -> float:
        """One step; returns the loss. See `Program.step`."""
        kept = self._kept[mean].get(optimizer)
        if kept is not None and kept.fits(optimizer, len(rows)):
            return kept.step(optimizer, rows, output)
        if not set(optimizer.params) & set(self._graph.parameters):
            raise ValueError("the optimizer moves none of the program's parameters: make it with program.parameters")
        computed = [p for p in optimizer.params if p.operation]
        if computed:
            raise ValueError(f"the optimizer moves a Value that {computed[0].operation} computed: give it leaves")
        size = len(rows) if kept is None else max(len(rows), min(kept.size * 2, len(rows) * 2))
        kept = self._kept[mean][optimizer] = _KeptStepper(self._graph, optimizer, size, mean)
        return kept.step(optimizer, rows, output)


class _KeptStepper:
    """The steps of one optimiser on a program, for up to `size` examples.

    What it needs is made once, where making it would take as long as a step of one example.
    """

    def __init__(self, graph: FlatGraph, optimizer: Optimizer, size: int, mean: bool) -> None:
        if optimizer.lent is not None:
            optimizer.state  # noqa: B018  # takes everything back: the rule may remember something else now
        self.size = size
        self._settings, self._params = optimizer.settings(), list(optimizer.params)
        settings = Settings(size, mean=mean)
        self._stepper = Stepper(with_first(graph, optimizer.params), optimizer, settings)
        self._scalars = scalar_rows(optimizer, 1)
        self._then = optimizer.before_step(*progress(optimizer))
        self._errors, self._inputs = np.empty(1), graph.inputs
        # For a number of examples and an output: room for examples, and what runs the program on them.
        self._prepared: dict[tuple[int, int], tuple[Numbers, Callable[[], None]]] = {}
        self._lock = RLock()

    def fits(self, optimizer: Optimizer, count: int) -> bool:
        """Whether nothing that was recorded has changed, and there is room for so many examples."""
        same = optimizer.params == self._params  # 0.6 us for 1,000 of them: the list may be changed in place
        return same and optimizer.has_settings(self._settings) and count <= self.size

    def step(self, optimizer: Optimizer, rows: Numbers, output: int) -> float:
        """One step; returns the loss."""
        with self._lock:
            self._scalars[0] = optimizer.before_step(*progress(optimizer), self._then).scalars()
            room, run = self._prepared.get((len(rows), output)) or self._room_for(len(rows), output)
            room[:] = rows
            self._stepper.run(optimizer, run)
            error = float(self._errors[0])
        if self._stepper.update is None:
            optimizer.step()
        return error

    def _room_for(self, count: int, output: int) -> tuple[Numbers, Callable[[], None]]:
        """Room for so many examples, and what runs the program on them. Of each output the last such room is kept."""
        rows, nothing = np.empty((count, self._inputs)), np.empty((count, 0))
        examples = Examples(rows, nothing, nothing, np.arange(count))
        results = Results(np.empty((count, 1)), np.empty((0, 0)), self._errors)
        program, update = self._stepper.program, self._stepper.update
        found = rows, program.prepared(examples, results, update, self._scalars, outputs=(output,))
        for key in [key for key in self._prepared if key[1] == output]:
            del self._prepared[key]
        self._prepared[count, output] = found
        return found
