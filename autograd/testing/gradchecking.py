"""Is a gradient right? `gradcheck` asks at three levels, and each blames a different culprit.

1. Every local derivative that was recorded, against an oracle that knows nothing of the rules: a *rule* is wrong.
2. Every gradient in the graph, against the exact sums of the recorded local derivatives: the *accumulation* is wrong.
3. The gradient of every input, against finite differences of the function, whose own error bound is the
   tolerance: something is wrong *end to end*, such as a part of the computation that was never recorded.

There is no tolerance to choose at any level. `gradcheck` also sees to it that a second run gives the same bits, that a
second `backward()` adds the same again, and that inputs are left as they were. The three levels are in
`rule_checks.py`, `exact_accumulation.py` and `end_to_end.py`. Here they are put together, and what they find is put
into words.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral
from types import FrameType
from typing import Any

from autograd import value as engine
from autograd.graph import topological_order
from autograd.modes import user_frame
from autograd.reals import real_or_none, shown
from autograd.steps import parent_slots
from autograd.testing.differences.finite_differences import Difference, difference_at
from autograd.testing.differences.function_values import FunctionValues, checked_noise, same_number
from autograd.testing.differences.rounding_errors import U
from autograd.testing.end_to_end import EndToEnd
from autograd.testing.errors import (
    GradcheckError,
    InconclusiveError,
    InputChangedError,
    NotDeterministicError,
    WrongAccumulationError,
    WrongGradientError,
    WrongRuleError,
    not_finite,
    not_repeated,
    raised_at,
)
from autograd.testing.graphs.expression import Expression, expression_of
from autograd.testing.inputs import add_note_on_arguments
from autograd.testing.problem import Problem, gradients_of_others_kept
from autograd.testing.report import Fault, GradcheckReport, Row
from autograd.testing.truth.exact_accumulation import TOO_LARGE, Adjoint, adjoints
from autograd.testing.truth.rule_checks import Miss, local_misses
from autograd.testing.written import reproduce_line
from autograd.transforms import gradients
from autograd.value import Value, data_of

LONGEST_SOURCE = 12
"""How many operations a graph may have to be written out in a message."""


def gradcheck(
    f: Callable[..., Any],
    point: Any,
    order: int = 1,
    value_type: Any = Value,
    conclusive: bool = False,
    noise: float | None = None,
) -> GradcheckReport:
    """Checks the gradient of a function of Values, without tolerances and without steps to choose.

    A derivative is called wrong only if nothing else explains the difference. Where the function has a structure finer
    than the rounding of its values, it is "inconclusive"; where digits cancel in the gradient itself, it may be off.

    Arguments:
        f: takes Values and returns one. If `autograd.compile` made it, the gradient that is held against the
            differences is that of the compiled code.
        point: where. A tuple is the arguments, f(x, y). Anything else is one argument: a number, a list, a dict or a
            NumPy array, nested at will; Values count by their data. f gets the same with a new Value in the place of
            each number. Or a model, anything with `parameters()`: then f is called with a copy of it, and the
            gradients of all its parameters are checked.
        order: 1 for the gradient; 2 for the second derivatives as well, and so on: each derivative that is finite and
            depends on an input is then checked as a function of its own, computed with Values from the table of rules.
        value_type: the engine: called with a number it gives a leaf with `data`, `grad` and `backward()`. Of one that
            is no `Value` only the gradient is checked, end to end.
        conclusive: whether to raise InconclusiveError where differences can neither confirm nor refute.
        noise: by how much a value of f may be off beyond its own rounding, which is read from the graph.

    Returns:
        a `GradcheckReport`. Kinks and jumps are in it. They pass if the derivative is one that the function has to the
        left, to the right, or between. In large graphs all inputs are moved together along three random directions,
        and what is wrong is found by halving; it says so.

    Raises:
        WrongRuleError: a local derivative is not within the bound that the operation's rule declares.
        WrongAccumulationError: a gradient is not the sum of its contributions, in the first or a second `backward()`.
        WrongGradientError: the gradient of an input is not what finite differences say.
        UndefinedPointError: f raises ArithmeticError or ValueError, or has no finite value, at the point.
        NotDeterministicError: f gave another result when called again.
        InputChangedError: f changed the data or the gradient of an input.
        InconclusiveError: see `conclusive`.
        TypeError: f returns something other than a Value; the point holds no number, or arrays that cannot be checked.
        ValueError: no input is in the graph of the result; the point is empty, or a number in it is not finite; order
            is not a positive whole number, or above 1 for another engine's numbers; noise is negative.

    >>> from autograd import tanh
    >>> print(gradcheck(lambda x, y: tanh(x * y), (0.5, 1.0)))
    gradcheck of <lambda> at (0.5, 1): passed
      d f/d x0
        autograd 0.786447733
        numeric  0.786447733 +- ... (... evaluations, smooth)
      d f/d x1
        autograd 0.3932238665
        numeric  0.3932238665 +- ... (... evaluations, smooth)
      rules: 3 local derivatives, the worst at 0... of its bound
      accumulation: 2 nodes, the worst at 0... of its bound
      inputs untouched; deterministic; a second backward() adds the same again
    """
    __tracebackhide__ = True
    if not isinstance(order, Integral) or isinstance(order, bool) or order < 1:
        raise ValueError(f"gradcheck takes an order of 1 or more; got {shown(order)}")
    if order > 1 and not (isinstance(value_type, type) and issubclass(value_type, Value)):
        raise ValueError(f"gradcheck takes an order above 1 for Values only; got {shown(value_type)} as value_type")
    noise = checked_noise(noise, "gradcheck")
    given = {"order": order, "value_type": value_type, "conclusive": conclusive, "noise": noise}
    defaults = {"order": 1, "value_type": Value, "conclusive": False, "noise": None}
    options = {name: option for name, option in given.items() if option != defaults[name]}
    problem = Problem(f, point, value_type, lambda: reproduce_line("gradcheck", [f], point, options=options))
    return _report(problem, order, conclusive, noise)


def _report(problem: Problem, order: int, conclusive: bool, noise: float | None) -> GradcheckReport:
    """The report on a function, and on its derivatives as functions."""
    __tracebackhide__ = True
    report = _Check(problem, noise).report()
    if report.inconclusive:
        report.reproduce = problem.as_called()
        if conclusive:
            raise InconclusiveError(report.doubt, report)
    if order > 1:
        inner = list(_derivatives(problem, report))
        report.derivatives = [_report(derivative, order - 1, conclusive, noise) for derivative in inner]
    return report


def _derivatives(problem: Problem, report: GradcheckReport) -> Iterator[Problem]:
    """The derivatives of the function as functions, except those that are constant or not finite."""
    for i, name in enumerate(problem.inputs.names):

        def derivative(*given: Any, i: int = i) -> Value:
            return gradients(problem.f(*given), problem.inputs.row(given))[i]

        derivative.__name__ = f"d {problem.name}/d {name}"
        leaves, arguments = problem.at(problem.inputs.numbers)
        found = derivative(*arguments)
        if math.isfinite(found.data) and set(leaves) & set(topological_order(found)):
            yield Problem(derivative, problem.inputs.point, problem.value_type, problem.as_called)
        else:
            report.notes.append(f"d f/d {name} is {found.data:.10g}, and not checked as a function")


# The three levels


class _Check:
    """One check of one problem: what is found goes into the report."""

    def __init__(self, problem: Problem, noise: float | None) -> None:
        self.problem, self.noise = problem, noise
        self.found = GradcheckReport("gradcheck", problem.name, problem.inputs.numbers, problem.inputs.names)
        self.error: type[GradcheckError] | None = None  # for what was found first to be wrong
        self.records = True  # whether the result has a graph of this engine
        self.leaves: list[Any] = []
        self.exact: dict[Any, Adjoint] = {}
        self.claims = 0  # how many local derivatives there are, each counted once

    def report(self) -> GradcheckReport:
        """The report, if all is right; the first trouble is raised."""
        __tracebackhide__ = True
        leaves, arguments = self.problem.at(self.found.point)
        self.leaves = leaves
        try:
            out = self.first_call(leaves, arguments)
            self.check_result(leaves, out)
        except GradcheckError as error:
            self.found.faults.append(Fault(type(error).__name__, str(error)))
            raise
        self.records = isinstance(out, Value)
        with gradients_of_others_kept(out, leaves):
            out.backward()
            self.found.gradient = [float(leaf.grad) for leaf in leaves]
            if self.records:
                self.check_rules(out)
                self.check_accumulation(out)
            if not self.error:
                self.check_second_backward(leaves, out)
        self.check_again()
        self.use(self.problem.compiled_gradient())
        if not self.error:
            self.check_differences(out)
        if not self.records:
            name = f"{type(out).__module__}.{type(out).__name__}"
            self.found.notes.append(f"end to end only: {name} does not record local derivatives")
        self.found.evaluations = self.problem.evaluations
        if self.error:
            raise self.error(self.found.failure, self.found)
        return self.found

    def wrong(self, kind: type[GradcheckError], *lines: str, reproduce: str = "", in_rows: bool = False) -> None:
        """Something is wrong. What is found first is raised in the end; the rest is in the report."""
        fault = Fault(kind.__name__, "\n".join(lines))
        if not self.error:
            self.error, self.found.blame, self.found.reproduce = kind, fault.text, reproduce
        if not in_rows:
            self.found.faults.append(fault)

    def slack(self, leaf: Any) -> float:
        """What the rounding of its gradient's sum may cost; unknown, and so nothing, for another engine's."""
        return self.exact[leaf].slack if isinstance(leaf, Value) and leaf in self.exact else 0.0

    # Before the levels: is there something to check?

    def first_call(self, leaves: Sequence[Any], arguments: tuple[Any, ...]) -> Any:
        """The result; meanwhile the inputs wear a mark, which the function must leave alone."""
        for leaf in leaves:
            leaf.grad = MARK
        try:
            out = self.problem.run(arguments)
        except (ArithmeticError, ValueError) as error:
            raise raised_at(self.found.where, error, self.found) from error
        except TypeError as error:
            add_note_on_arguments(error, "gradcheck", self.found.function, arguments)
            raise
        if not self.problem.is_model and [*map(id, self.problem.inputs.row(arguments))] != [*map(id, leaves)]:
            raise InputChangedError(
                f"{self.found.function} changed the point in place to {shown(arguments)}; compute with a copy of it",
                self.found,
            )
        for name, leaf, number in zip(self.found.names, leaves, self.found.point, strict=True):
            if not (leaf.grad == MARK and leaf.data == number):
                who = self.found.function if isinstance(leaf, Value) else f"{self.found.function}, or the engine,"
                raise InputChangedError(
                    f"{who} changed its input {name}: data {number!r} became {leaf.data!r}, "
                    f"grad {MARK} became {leaf.grad!r}; compute with new Values instead of changing those given",
                    self.found,
                )
            leaf.grad = 0.0
        return out

    def check_result(self, leaves: Sequence[Any], out: Any) -> None:
        """Refuses a result without a history or a finite value."""
        name = self.found.function
        if out is None:
            raise TypeError(f"{name}(...) returned None; end it with `return` and the Value to be differentiated")
        if isinstance(out, complex):
            raise TypeError(
                f"{name}(...) returned the complex number {out}; gradcheck takes functions with real values"
            )
        if real_or_none(out) is not None:
            raise TypeError(
                f"{name}(...) returned {shown(out)}, a plain number that has lost its inputs; "
                f"did it use .data or math.*?"
            )
        if not (hasattr(out, "backward") and hasattr(out, "data")):
            raise TypeError(f"{name}(...) returned {shown(out)} ({type(out).__name__}); it must return one Value")
        if isinstance(out, Value) and not set(leaves) & set(topological_order(out)):
            raise ValueError(
                f"{name}(...) returned {out!r}, a constant: none of its inputs is in the graph; "
                f"did it use .data, or Values made before the call?"
            )
        if not math.isfinite(out.data):
            raise not_finite(self.found.where, out.data, self.found)
        self.found.value = float(out.data)

    # Level 1

    def check_rules(self, out: Value) -> None:
        """Every recorded local derivative against the truth; the worst is blamed."""
        worst: tuple[float, Value, Miss] | None = None
        seen: set[Any] = set()
        for node in topological_order(out):
            operation = node._operation
            if operation is None:
                continue
            self.found.nodes += 1
            operands = tuple(map(data_of, node.operands))
            self.found.operands += len(operands)
            wanted = tuple(parent_slots(node))
            key = operation, operands, wanted, node.local_derivatives
            if key in seen:
                continue
            seen.add(key)
            self.claims += len(wanted)
            for miss in local_misses(operation, operands, node.local_derivatives, wanted):
                self.found.rules += 1
                share = miss.ulp / miss.bound
                self.found.worst_rule = max(self.found.worst_rule, share)
                if not share <= 1.0 and (worst is None or share > worst[0]):
                    worst = share, node, miss
        if worst:
            self.blame_rule(out, worst[1], worst[2])
        elif self.found.rules:
            self.found.confirmed.append("rules right")

    def blame_rule(self, out: Value, node: Value, miss: Miss) -> None:
        """A report on the one operation alone."""
        operation = node._operation
        assert operation is not None
        alone, place = _alone(node, miss.place)
        lines = [f"the rule of `{operation.name}` is wrong{_shrunk(self.found.nodes)}", _indented(alone)]
        lines.append(str(Row(f"x{place}", miss.actual, _difference_of(alone, place), of="y")))
        lines.append(
            f"  blame: {_call(alone)}: local derivative {miss.actual!r}, exact {miss.expected!r}\n"
            f"         off by {miss.ulp:.3g} ulp, of which {miss.bound} are allowed"
        )
        lines += self.called_at(out, node)
        self.wrong(WrongRuleError, *lines, reproduce=self.as_an_expression(alone))

    def called_at(self, out: Value, node: Value) -> list[str]:
        """Where the node was made, found by calling the function once more under watch."""
        place = topological_order(out).index(node)
        with _watched() as callers:
            again = self.problem.call(self.found.point)
        order = topological_order(again) if isinstance(again, Value) else []
        caller = callers.get(order[place]) if place < len(order) else None
        return [f"  called at {caller}"] if caller else []

    # Level 2

    def check_accumulation(self, out: Value) -> None:
        """Every gradient in the graph against exact sums; the first that is wrong in the backward pass is blamed."""
        exact = self.exact = adjoints(out)
        wrong = None
        for node in exact:
            share = exact[node].excess(float(node.grad))
            self.found.worst_accumulation = max(self.found.worst_accumulation, share)
            if wrong is None and not share <= 1.0:
                wrong = node
        if wrong is not None:
            self.blame_accumulation(out, wrong, f"it is {float(exact[wrong].true)!r} by the local derivatives recorded")
        else:
            self.found.confirmed.append("accumulation right")

    def blame_accumulation(self, out: Value, node: Value, truth: str) -> None:
        self.wrong(
            WrongAccumulationError,
            "gradients are not accumulated as the chain rule says",
            self.source(out),
            f"  blame: the gradient of {self.name_of(node, out)} became {node.grad!r}; {truth}",
            *self.called_at(out, node),
            reproduce=self.as_a_line(out),
        )

    def check_second_backward(self, leaves: Sequence[Any], out: Any) -> None:
        """Leaves must get twice their gradient, interior nodes the same again."""
        order = topological_order(out) if isinstance(out, Value) else leaves
        once = {id(node): float(node.grad) for node in order}
        out.backward()
        self.found.adds_up = True
        for node in order:
            is_leaf = not isinstance(node, Value) or not node.operation
            first, twice = once[id(node)], float(node.grad)
            expected = 2.0 * first if is_leaf else first
            # The second time each contribution is added to a larger sum, and is rounded elsewhere.
            known = self.exact.get(node) if isinstance(node, Value) else None
            size = known.size if known else 1e6 * abs(expected)
            allowed = 8.0 * len(order) * U * size if is_leaf else 0.0
            if not (same_number(expected, twice) or abs(expected - twice) <= allowed or not size < TOO_LARGE):
                self.found.adds_up = False
                self.blame_second_backward(out, node, f"{first!r} after the first", twice, expected)
                return

    def blame_second_backward(self, out: Any, node: Any, first: str, twice: float, expected: float) -> None:
        """A fault of this engine; of another one a remark, since some engines mean it so."""
        head = "a second backward() does not add the same again"
        was, then = f"the gradient of {self.name_of(node, out)} was {first}", f"and {twice!r} after the second"
        if isinstance(out, Value):
            blame = f"  blame: {was}\n         {then}; it should be {expected!r}"
            self.wrong(WrongAccumulationError, head, self.source(out), blame, reproduce=self.as_a_line(out))
        else:
            self.found.notes.append(f"{head}: {was} {then}")

    # Is a second run the same?

    def use(self, compiled: list[float]) -> None:
        """Holds the gradient of compiled code, if there is any, against that of the graph, and checks it from now on.

        Every operation may be off by a few units in the last place. The slack of the sums allows for that.
        """
        for i, (new, old) in enumerate(zip(compiled, self.found.gradient, strict=False)):
            slack = self.slack(self.leaves[i])
            if not (same_number(new, old) or abs(new - old) <= 8.0 * slack):
                self.wrong(
                    WrongGradientError,
                    f"compiled code gives {new!r} for the gradient of {self.found.names[i]} of {self.found.where}, "
                    f"where backward() gives {old!r}",
                )
        self.found.gradient = compiled or self.found.gradient

    def check_again(self) -> None:
        """Fresh inputs, the same numbers: value and gradients bit for bit."""
        leaves, arguments = self.problem.at(self.found.point)
        out = self.problem.run(arguments)
        value = float(getattr(out, "data", math.nan))
        if not same_number(value, self.found.value):
            self.differs(self.found.where, self.found.value, value)
            return
        with gradients_of_others_kept(out, leaves):
            out.backward()
        changed = [i for i, leaf in enumerate(leaves) if leaf.data != self.found.point[i]]
        for i in changed[:1]:
            before, after = self.found.point[i], leaves[i].data
            what = f"backward() changed the data of {self.found.names[i]} from {before!r} to {after!r}"
            self.wrong(InputChangedError, what)
        for name, first, leaf in zip(self.found.names, self.found.gradient, leaves, strict=True):
            if not same_number(first, float(leaf.grad)):
                self.differs(f"the gradient of {name} of {self.found.where}", first, float(leaf.grad))
                return
        self.found.confirmed += ["deterministic"] if changed else ["inputs untouched", "deterministic"]

    def differs(self, what: str, first: float, second: float) -> None:
        self.wrong(NotDeterministicError, str(not_repeated(what, first, second)))

    # Level 3

    def check_differences(self, out: Any) -> None:
        """The gradient against finite differences of the function."""
        slacks = [self.slack(leaf) for leaf in self.leaves]
        EndToEnd(self.problem, self.found, out, self.leaves, slacks, self.noise, self.found.rules == self.claims).run()
        rows = [row for row in self.found.rows if row.verdict == "wrong"]
        if rows:
            self.blame_gradient(out, rows)

    def blame_gradient(self, out: Any, rows: list[Row]) -> None:
        self.wrong(
            WrongGradientError,
            f"the gradient of {self.found.where} is not what finite differences say",
            self.source(out),
            *self.found.listed(rows),
            "  blame: not an operation that was recorded; a part of the computation is not\n"
            "         in the graph: look for .data, math.*, or Values made before the call"
            if isinstance(out, Value)
            else "  blame: unknown, since this engine does not record its local derivatives",
            reproduce=self.problem.as_called(),
            in_rows=True,
        )

    # Words

    def expression(self, out: Any) -> Expression | None:
        """The graph in x0, x1, ..., if it is short enough to be read."""
        if not isinstance(out, Value) or self.found.nodes > LONGEST_SOURCE or self.problem.is_model:
            return None
        return expression_of(out, self.leaves)

    def name_of(self, node: Any, out: Any) -> str:
        """What a node is called in the source."""
        if node is out:
            return "y"
        for leaf, name in zip(self.leaves, self.found.names, strict=True):
            if node is leaf:
                return name
        computed = [n for n in topological_order(out) if n.operation] if isinstance(out, Value) else []
        return f"t{computed.index(node)}" if node in computed else f"a closed-over Value of {node.data!r}"

    def source(self, out: Any) -> str:
        expression = self.expression(out)
        if expression:
            return _indented(expression, self.found.names)
        return f"  in {self.found.where}" + (f", {self.found.nodes:,} operations" if self.found.nodes else "")

    def as_a_line(self, out: Any) -> str:
        """The check of the recorded graph alone, if it is short."""
        expression = self.expression(out)
        return self.as_an_expression(expression) if expression else self.problem.as_called()

    def as_an_expression(self, expression: Expression) -> str:
        source = expression.function_source
        on_one_line = source.startswith("lambda")
        return reproduce_line("gradcheck", [source], expression.inputs) if on_one_line else self.problem.as_called()


MARK = 0.4375
"""The gradient that inputs have during the first call."""


def _alone(node: Value, place: Any) -> tuple[Expression, int]:
    """The node's operation on inputs of its own, and which of these stands at the given place."""
    operation: Any = node._operation
    operands = [Value(x.data) if isinstance(x, Value) else x for x in node.operands]
    made = engine.apply(operation, *operands)
    inputs = [x for x in operands if isinstance(x, Value)]
    return expression_of(made, inputs), inputs.index(operands[place])


def _difference_of(alone: Expression, place: int) -> Difference:
    inputs = alone.inputs

    def f(x: float) -> Any:
        return alone(*(Value(x if i == place else number) for i, number in enumerate(inputs)))

    return difference_at(FunctionValues(f), inputs[place])


def _call(alone: Expression) -> str:
    return repr(alone).splitlines()[-1]


def _shrunk(nodes: int) -> str:
    return f"          (1 of {nodes:,} nodes)" if nodes > 1 else ""


def _indented(expression: Expression, names: Sequence[str] = ()) -> str:
    """The lines of the expression; beside the line of an input its name, if that is another."""
    lines = repr(expression).splitlines()
    for i, name in enumerate(names):
        lines[i] += "" if name == f"x{i}" else f"  # {name}"
    return "\n".join(f"    {line}" for line in lines)


@contextmanager
def _watched() -> Iterator[dict[Value, str]]:
    """For each node made in the block, notes the file and the line where the user's code asked for it."""
    callers: dict[Value, str] = {}

    def profile(frame: FrameType, event: str, result: Any) -> None:
        if event == "return" and frame.f_code is engine._record.__code__ and isinstance(result, Value):
            caller = user_frame(frame)
            callers[result] = f"line {caller.f_lineno} of {caller.f_code.co_filename}"

    previous = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield callers
    finally:
        sys.setprofile(previous)
