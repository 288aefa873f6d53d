"""Is a gradient right? `gradcheck` asks at three levels, each of which blames a different culprit.

1. Every local derivative that was recorded, against an oracle that knows nothing of the rules: a *rule* is wrong.
2. Every gradient in the graph, against the exact sums of the recorded local derivatives: the *accumulation* is wrong.
3. The gradient of every input, against finite differences of the function, whose own error bound is the
   tolerance: something is wrong *end to end*, such as a part of the computation that was never recorded.

No level has a tolerance to choose. It is also seen to that a second run gives the same bits, that a second
`backward()` adds the same again, and that inputs are left as they were. The three levels are in `rule_checks.py`,
`exact_accumulation.py` and `finite_differences.py`; here they are put together, and what they find is put into words.
"""

import copy
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from numbers import Integral
from types import FrameType
from typing import Any, NamedTuple

from autograd import value as engine
from autograd.graph import topological_order
from autograd.modes import user_frame
from autograd.reals import real_or_none, shown
from autograd.steps import parent_slots, recompute
from autograd.testing.differences.finite_differences import Difference, difference_at, judge
from autograd.testing.differences.function_values import FunctionValues, same_number
from autograd.testing.differences.rounding_errors import U
from autograd.testing.differences.step_sizes import steps_for
from autograd.testing.errors import (
    GradcheckError,
    InconclusiveError,
    InputChangedError,
    NotDeterministicError,
    UndefinedPointError,
    WrongAccumulationError,
    WrongGradientError,
    WrongRuleError,
)
from autograd.testing.graphs.expression import Expression, expression_of
from autograd.testing.truth.exact_accumulation import TOO_LARGE, Adjoint, adjoints
from autograd.testing.truth.oracles import oracles
from autograd.testing.truth.rule_checks import Miss, local_misses
from autograd.transforms import gradients
from autograd.value import Value

LONGEST_SOURCE = 12
"""How many operations a graph may have to be written out in a message."""
WORK = 40_000
"""Up to so many inputs times operands, differences are taken for every input; beyond that, for a choice of them."""
FEWEST_INPUTS = 8


@dataclass(frozen=True)
class Row:
    """One derivative: what autograd says, what the differences say, and whether they agree.

    `verdict` is "right", "wrong" or "inconclusive"; or "convention", where the function has no derivative in
    the usual sense and none is claimed.
    """

    name: str
    derivative: float
    difference: Difference
    verdict: str

    def __str__(self) -> str:
        what = f"  d f/d {self.name}  "
        word = "" if self.verdict == "right" else f"  ({self.verdict})"
        return f"{what}autograd {self.derivative:.10g}{word}\n{' ' * len(what)}numeric  {self.difference}\n"


@dataclass
class Report:
    """What `gradcheck` found. It prints as text.

    Attributes:
        function: its name.
        names, point: the inputs, and the numbers at which they were checked.
        value: the function's value there.
        nodes, operands: the number of operations in the graph, and of all their operands.
        gradient: the derivative for each input, by `backward()`, or by compiled code.
        rows: the comparisons with finite differences.
        rules: how many local derivatives were held against the truth.
        worst_rule: the largest error of one, as a part of what is allowed.
        worst_accumulation: the same for the gradients in the graph.
        notes: what else is to be known.
        derivatives: with an order above 1, a report on each derivative as a function of its own.
    """

    function: str
    names: list[str]
    point: list[float]
    value: float = math.nan
    nodes: int = 0
    operands: int = 0
    gradient: list[float] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    rules: int = 0
    worst_rule: float = 0.0
    worst_accumulation: float = 0.0
    notes: list[str] = field(default_factory=list)
    derivatives: list["Report"] = field(default_factory=list)

    @property
    def inconclusive(self) -> list[Row]:
        """The derivatives that finite differences could neither confirm nor refute."""
        return [row for row in self.rows if row.verdict == "inconclusive"]

    @property
    def where(self) -> str:
        """The function and the point, in a few words."""
        return f"{self.function} at ({', '.join(f'{x:.10g}' for x in self.point[:6])}{', ...' * (len(self.point) > 6)})"

    def __str__(self) -> str:
        lines = [f"gradcheck of {self.where}: passed\n", *map(str, self.rows[:20])]
        if len(self.rows) > 20:
            lines.append(f"  and {len(self.rows) - 20} more\n")
        if self.rules:
            lines.append(f"  rules: {self.rules} local derivatives, the worst at {self.worst_rule:.2f} of its bound\n")
            lines.append(
                f"  accumulation: {self.nodes} nodes, the worst at {self.worst_accumulation:.2f} of its bound\n"
            )
        lines.append("  inputs untouched; deterministic; a second backward() adds the same again")
        lines += [f"\n  {note}" for note in self.notes]
        return "".join([*lines, *(f"\n{report}" for report in self.derivatives)])


def gradcheck(
    f: Callable[..., Any], point: Any, order: int = 1, value_type: Any = Value, conclusive: bool = False
) -> Report:
    """Checks the gradient of a function of Values, without tolerances and without steps to choose.

    A derivative is called wrong only if nothing else explains the difference: a structure of the function that is finer
    than the rounding of its values makes it "inconclusive", and where digits cancel in the gradient itself, it may.

    Arguments:
        f: takes one Value for each input and returns one. Of a function that `autograd.compile` made, the gradient
            that is held against the differences is that of the compiled code.
        point: a number, or a sequence of numbers (Values count by their data); or a model, anything with
            `parameters()`: then f is called with a copy of it, and the gradients of all its parameters are checked.
        order: 1 for the gradient; 2 for the second derivatives as well, and so on: each derivative that is finite and
            depends on an input is then checked as a function of its own, computed with Values from the table of rules.
        value_type: the engine: called with a number it gives a leaf with `data`, `grad` and `backward()`. Of one that
            is no `Value` only the end-to-end check is made.
        conclusive: whether to raise InconclusiveError where differences can neither confirm nor refute.

    Returns:
        a `Report`. Kinks and jumps are in it, and pass if the derivative is one that the function has to the left, to
        the right, or between. Of very large graphs the differences are taken for a choice of inputs, and it says so.

    Raises:
        WrongRuleError: a local derivative is not within the bound that the operation's rule declares.
        WrongAccumulationError: a gradient is not the sum of its contributions, in the first or a second `backward()`.
        WrongGradientError: the gradient of an input is not what finite differences say.
        UndefinedPointError: f raises ArithmeticError or ValueError, or has no finite value, at the point.
        NotDeterministicError: f gave another result when called again.
        InputChangedError: f changed the data or the gradient of an input.
        InconclusiveError: see `conclusive`.
        TypeError: f returns something else than a Value; point is no number, sequence of numbers, or model.
        ValueError: no input is in the graph of the result; order is not a positive whole number.

    >>> from autograd import tanh
    >>> print(gradcheck(lambda x, y: tanh(x * y), (0.5, 1.0)))
    gradcheck of <lambda> at (0.5, 1): passed
      d f/d x0  autograd 0.786447733
                numeric  0.786447733 +- ... (... evaluations, smooth)
      d f/d x1  autograd 0.3932238665
                numeric  0.3932238665 +- ... (... evaluations, smooth)
      rules: 3 local derivatives, the worst at 0... of its bound
      accumulation: 2 nodes, the worst at 0... of its bound
      inputs untouched; deterministic; a second backward() adds the same again
    """
    __tracebackhide__ = True
    if not isinstance(order, Integral) or isinstance(order, bool) or order < 1:
        raise ValueError(f"gradcheck takes an order of 1 or more; got {shown(order)}")
    problem = _Problem(f, point, value_type)
    report = _Check(problem).report()
    if conclusive and report.inconclusive:
        row = report.inconclusive[0]
        raise InconclusiveError(f"the gradient of {report.where} could not be confirmed\n{row}", report)
    if order > 1:
        report.derivatives = [
            gradcheck(derivative, problem.point if problem.model is None else point, order - 1, value_type, conclusive)
            for derivative in _derivatives(problem, report)
        ]
    return report


def _derivatives(problem: "_Problem", report: Report) -> Iterator[Callable[..., Any]]:
    """The derivatives of the function as functions, but for those that are constant or not finite."""
    for i, name in enumerate(problem.names):

        def derivative(*given: Any, i: int = i) -> Value:
            out = problem.f(*given)
            leaves = list(given) if problem.model is None else _named_parameters(given[0])[1]
            return gradients(out, leaves)[i]

        derivative.__name__ = f"d {problem.name}/d {name}"
        leaves = problem.inputs(problem.point)
        given = leaves if problem.model is None else [problem.model]
        found = derivative(*given)
        if math.isfinite(found.data) and set(leaves) & set(topological_order(found)):
            yield derivative
        else:
            report.notes.append(f"d f/d {name} is {found.data:.10g}, and not checked as a function")


# The function, and where it is checked


class _Problem:
    """A function and a point; `inputs` makes leaves of numbers, `call` applies the function to them."""

    def __init__(self, f: Callable[..., Any], point: Any, value_type: Any) -> None:
        if not callable(f):
            raise TypeError(f"gradcheck takes a function of Values and a point; got {shown(f)} as the function")
        if not callable(value_type):
            raise TypeError(f"gradcheck takes the class of an engine's numbers as value_type; got {shown(value_type)}")
        if isinstance(point, type):
            raise TypeError(f"gradcheck takes a model, not its class: make one, such as {point.__name__}(...)")
        self.f, self.value_type = f, value_type
        self.name = getattr(f, "__name__", type(f).__name__)
        self.model = copy.deepcopy(point) if hasattr(point, "parameters") else None
        if self.model is None:
            self.point = _numbers(point)
            self.names = [f"x{i}" for i in range(len(self.point))]
        else:
            self.names, self.leaves = _named_parameters(self.model)
            self.point = [leaf.data for leaf in self.leaves]
        if not self.point:
            raise ValueError("gradcheck takes at least one input; the point has none")

    def inputs(self, numbers: Sequence[float]) -> list[Any]:
        """Leaves of these numbers, with gradient 0."""
        if self.model is None:
            made = [self.value_type(x) for x in numbers]
            for leaf in made[:1]:
                if not (hasattr(leaf, "data") and real_or_none(getattr(leaf, "grad", None)) is not None):
                    raise TypeError(f"{shown(self.value_type)} makes numbers without data and grad; got {shown(leaf)}")
            return made
        for leaf, number in zip(self.leaves, numbers, strict=True):
            leaf.data, leaf.grad = number, 0.0
        return self.leaves

    def call(self, leaves: Sequence[Any]) -> Any:
        return self.f(*leaves) if self.model is None else self.f(self.model)

    def compiled_gradient(self) -> list[float]:
        """The gradient by compiled code, if there is any."""
        f: Any = self.f
        is_compiled = hasattr(f, "program") and hasattr(f, "value_and_grad")
        return list(f.value_and_grad(*self.point)[1]) if is_compiled and self.model is None else []

    def at(self, numbers: Sequence[float]) -> Any:
        """The function's result on fresh leaves of these numbers: a Value, or the number in another engine's."""
        out = self.call(self.inputs(numbers))
        return out if isinstance(out, Value) or not hasattr(out, "data") else out.data


def _named_parameters(model: Any) -> tuple[list[str], list[Any]]:
    """The parameters with their names, a shared one once."""
    if hasattr(model, "named_parameters"):
        named = {leaf: name for name, leaf in model.named_parameters()}
    else:
        named = {leaf: f"p{i}" for i, leaf in enumerate(dict.fromkeys(model.parameters()))}
    for leaf, name in named.items():
        if not hasattr(leaf, "grad") or not math.isfinite(leaf.data):
            raise TypeError(f"gradcheck takes a model whose parameters are finite Values; {name} is {shown(leaf)}")
    return list(named.values()), list(named)


def _numbers(point: Any) -> list[float]:
    many = [point] if isinstance(point, Value) or real_or_none(point) is not None else point
    if not isinstance(many, Iterable) or isinstance(many, Mapping | Set):
        raise TypeError(f"gradcheck takes numbers or a model as the point; got {shown(point)}")
    items = list(many)
    found = []
    for item in items:
        number = item.data if isinstance(item, Value) else real_or_none(item)
        if number is None or not math.isfinite(number):
            raise TypeError(f"the point of gradcheck is made of finite real numbers; got {shown(item)} among them")
        found.append(float(number))
    return found


# The three levels


class _Trouble(NamedTuple):
    """What is wrong, which exception says so, and the line that repeats it."""

    kind: type[GradcheckError]
    lines: Sequence[str]
    reproduce: Sequence[str] = ()


class _Check:
    """One check of one problem: what is found goes into the report, what is wrong into a list of troubles."""

    def __init__(self, problem: _Problem) -> None:
        self.problem = problem
        self.found = Report(problem.name, problem.names, problem.point)
        self.troubles: list[_Trouble] = []
        self.leaves: list[Any] = []
        self.exact: dict[Any, Adjoint] = {}
        self.claims = 0  # how many local derivatives there are, but for repetitions

    def report(self) -> Report:
        """The report, if all is right; the first trouble is raised."""
        __tracebackhide__ = True
        leaves = self.leaves = self.problem.inputs(self.problem.point)
        out = self.first_call(leaves)
        self.check_result(leaves, out)
        records = isinstance(out, Value)
        with _gradients_of_others_kept(out, leaves):
            out.backward()
            self.found.gradient = [float(leaf.grad) for leaf in leaves]
            if records:
                self.check_rules(out)
                self.check_accumulation(out)
            twice = self.second_backward(leaves, out)
            if twice and records:
                self.trouble(WrongAccumulationError, *twice, reproduce=self.as_a_line(out))
        self.check_again()
        self.use(self.problem.compiled_gradient())
        if not self.troubles:
            self.check_differences(out)
        if self.troubles:
            trouble = self.troubles[0]
            raise trouble.kind("\n".join([*trouble.lines, self.rest(), *trouble.reproduce]), self.found)
        if not records:
            name = f"{type(out).__module__}.{type(out).__name__}"
            self.found.notes.append(f"end to end only: {name} does not record local derivatives")
            self.found.notes += [line.strip() for line in twice]
        return self.found

    def trouble(self, kind: type[GradcheckError], *lines: str, reproduce: str = "") -> None:
        self.troubles.append(_Trouble(kind, lines, [f"  reproduce: {reproduce}"] if reproduce else []))

    def rest(self) -> str:
        """What was found to be right beside the trouble."""
        kinds = {trouble.kind for trouble in self.troubles}
        fine = {
            WrongRuleError: "rules right",
            WrongAccumulationError: "accumulation right",
            InputChangedError: "inputs untouched",
            NotDeterministicError: "deterministic",
        }
        if not self.found.rules:
            del fine[WrongRuleError], fine[WrongAccumulationError]
        return "  " + "; ".join(text for kind, text in fine.items() if kind not in kinds)

    # Before the levels: is there something to check?

    def first_call(self, leaves: Sequence[Any]) -> Any:
        """The result; the inputs wear a mark meanwhile, which the function must leave alone."""
        for leaf in leaves:
            leaf.grad = MARK
        try:
            out = self.problem.call(leaves)
        except (ArithmeticError, ValueError) as error:
            raise UndefinedPointError(
                f"{self.found.where} raised {type(error).__name__}: {error}; if this is where its domain ends, choose "
                f"a point inside",
                self.found,
            ) from error
        for name, leaf, number in zip(self.found.names, leaves, self.found.point, strict=True):
            if not (leaf.grad == MARK and leaf.data == number):
                raise InputChangedError(
                    f"{self.found.function} changed its input {name}: data {number!r} became {leaf.data!r}, "
                    f"grad {MARK} became {leaf.grad!r}; compute with new Values in place of changing those given",
                    self.found,
                )
            leaf.grad = 0.0
        return out

    def check_result(self, leaves: Sequence[Any], out: Any) -> None:
        """Refuses what is no number with a history and a finite value."""
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
            raise UndefinedPointError(
                f"{self.found.where} is {out.data}, so that it has no derivative to check; choose another point",
                self.found,
            )
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
            operands = _operands(node)
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

    def blame_rule(self, out: Value, node: Value, miss: Miss) -> None:
        """A report on the one operation alone."""
        operation = node._operation
        assert operation is not None
        alone, place = _alone(node, miss.place)
        lines = [f"the rule of `{operation.name}` is wrong{_shrunk(self.found.nodes)}", _indented(alone)]
        difference = _difference_of(alone, place)
        what = f"  d y/d x{place}  "
        lines.append(f"{what}autograd {miss.actual:.10g}")
        lines.append(f"{' ' * len(what)}numeric  {difference}")
        lines.append(
            f"  blame: {_call(alone)}: local derivative {miss.actual!r}, exact {miss.expected!r}\n"
            f"         off by {miss.ulp:.3g} ulp, of which {miss.bound} are allowed"
        )
        lines += self.called_at(out, node)
        self.trouble(WrongRuleError, *lines, reproduce=f"gradcheck({alone.function_source}, {alone.inputs!r})")

    def called_at(self, out: Value, node: Value) -> list[str]:
        """Where the node was made, found by calling the function once more under watch."""
        place = topological_order(out).index(node)
        with _watched() as callers:
            again = self.problem.call(self.problem.inputs(self.problem.point))
        order = topological_order(again) if isinstance(again, Value) else []
        caller = callers.get(order[place]) if place < len(order) else None
        return [f"  called at {caller}"] if caller else []

    # Level 2

    def check_accumulation(self, out: Value) -> None:
        """Every gradient in the graph against exact sums; the first that is wrong in the backward pass is blamed."""
        exact = self.exact = adjoints(out)
        wrong = None
        for node in exact:
            share = exact[node].excess(node.grad)
            self.found.worst_accumulation = max(self.found.worst_accumulation, share)
            if wrong is None and not share <= 1.0:
                wrong = node
        if wrong is not None:
            self.blame_accumulation(out, wrong, f"it is {float(exact[wrong].true)!r} by the local derivatives recorded")

    def blame_accumulation(self, out: Value, node: Value, truth: str) -> None:
        self.trouble(
            WrongAccumulationError,
            "gradients are not accumulated as the chain rule says",
            self.source(out),
            f"  blame: the gradient of {self.name_of(node, out)} became {node.grad!r}; {truth}",
            *self.called_at(out, node),
            reproduce=self.as_a_line(out),
        )

    def second_backward(self, leaves: Sequence[Any], out: Any) -> list[str]:
        """What is wrong if not the same comes again: leaves have twice their gradient, interior nodes the same."""
        if self.troubles:
            return []
        order = topological_order(out) if isinstance(out, Value) else leaves
        once = {node: float(node.grad) for node in order}
        out.backward()
        for node in order:
            is_leaf = not isinstance(node, Value) or not node.operation
            expected = 2.0 * once[node] if is_leaf else once[node]
            # The second time each contribution is added to a sum that has begun: it is rounded elsewhere.
            size = self.exact[node].size if node in self.exact else 1e6 * abs(expected)
            allowed = 8.0 * len(order) * U * size if is_leaf else 0.0
            if not (same_number(expected, node.grad) or abs(expected - node.grad) <= allowed or not size < TOO_LARGE):
                return [
                    "a second backward() does not add the same again",
                    *([self.source(out)] if isinstance(out, Value) else []),
                    f"  blame: the gradient of {self.name_of(node, out)} was {once[node]!r} after the first\n"
                    f"         and {node.grad!r} after the second; it should be {expected!r}",
                ]
        return []

    # Is a second run the same?

    def use(self, compiled: list[float]) -> None:
        """Holds the gradient of compiled code, if there is any, against that of the graph, and checks it from now on.

        Every operation may be a few units in the last place off; the sums have their slack for the same.
        """
        for i, (new, old) in enumerate(zip(compiled, self.found.gradient, strict=False)):
            slack = self.exact[self.leaves[i]].slack if self.leaves[i] in self.exact else 0.0
            if not (same_number(new, old) or abs(new - old) <= 8.0 * slack):
                self.trouble(
                    WrongGradientError,
                    f"compiled code gives {new!r} for the gradient of {self.found.names[i]} of {self.found.where}, "
                    f"where backward() gives {old!r}",
                )
        self.found.gradient = compiled or self.found.gradient

    def check_again(self) -> None:
        """Fresh inputs, the same numbers: value and gradients bit for bit."""
        leaves = self.problem.inputs(self.problem.point)
        out = self.problem.call(leaves)
        value = float(getattr(out, "data", math.nan))
        if not same_number(value, self.found.value):
            self.differs("value", self.found.value, value)
            return
        with _gradients_of_others_kept(out, leaves):
            out.backward()
        gradient = [float(leaf.grad) for leaf in leaves]
        for name, first, second, number, leaf in zip(
            self.found.names, self.found.gradient, gradient, self.found.point, leaves, strict=True
        ):
            if not same_number(first, second):
                self.differs(f"gradient of {name}", first, second)
                return
            if leaf.data != number:
                self.trouble(
                    InputChangedError, f"backward() changed the data of {name} from {number!r} to {leaf.data!r}"
                )

    def differs(self, what: str, first: float, second: float) -> None:
        self.trouble(
            NotDeterministicError,
            f"the {what} of {self.found.where} was {first!r} and, called again, {second!r}; seed its random numbers "
            f"anew at each call, or switch them off (model.eval() for dropout)",
        )

    # Level 3

    def check_differences(self, out: Any) -> None:
        """The gradient against finite differences of the function."""
        convention = isinstance(out, Value) and any(map(_at_kink, topological_order(out)))
        n = len(self.found.point)
        chosen = self.chosen(n)
        for i in chosen:
            slack = self.exact[self.leaves[i]].slack if self.leaves[i] in self.exact else 0.0
            row = self.row(self.found.names[i], self.found.gradient[i], self.along(i), slack, convention)
            if row.verdict == "wrong" and isinstance(out, Value) and self.is_explained(out, i):
                row = replace(row, verdict="inconclusive")
            self.found.rows.append(row)
        kinks = any(row.difference.verdict == "kink" for row in self.found.rows)
        if n > 1 and (kinks or len(chosen) < n):
            total = math.fsum(self.found.gradient)
            slack = math.fsum(self.exact[leaf].slack for leaf in self.leaves if leaf in self.exact)
            self.found.rows.append(self.row("all together", total, self.along_all(), slack, convention or kinks))
        if any(row.verdict == "convention" for row in self.found.rows):
            self.found.notes.append("at a kink or a jump a derivative is a convention, and not a limit")
        if len(chosen) < n:
            self.found.notes.append(
                f"differences for {len(chosen)} of {n:,} inputs, and for all of them moved together;\n"
                f"  rules and accumulation for every one"
            )
        for row in self.found.rows:
            if row.verdict == "wrong":
                self.blame_gradient(out, row)

    def chosen(self, n: int) -> Sequence[int]:
        """The inputs to take differences for, evenly spread if there are too many."""
        most = max(FEWEST_INPUTS, WORK // max(self.found.operands, 1))
        return range(n) if n <= most else sorted({round(k * (n - 1) / (most - 1)) for k in range(most)})

    def along(self, i: int) -> Difference:
        point = self.found.point

        def f(x: float) -> Any:
            return self.problem.at([*point[:i], x, *point[i + 1 :]])

        return difference_at(FunctionValues(f), point[i])

    def along_all(self) -> Difference:
        """The derivative as all inputs are moved by the same distance; that each is rounded counts as noise."""
        point = self.found.point
        noise = math.fsum(U * abs(x * g) for x, g in zip(point, self.found.gradient, strict=True) if g)

        def f(t: float) -> Any:
            return self.problem.at([x + t for x in point])

        return difference_at(FunctionValues(f, noise=noise if isinstance(f(0.0), Value) else None), 0.0)

    def is_explained(self, out: Value, i: int) -> bool:
        """Whether the recorded graph is all there is to the function near the point.

        Every rule in it was held against the truth and the sums were right: then differences that say otherwise have
        missed something finer than their steps, or than the rounding of the values.
        """
        order, leaf = topological_order(out), self.leaves[i]
        if self.found.rules < self.claims or leaf not in order:
            return False
        x = self.found.point[i]
        for step in steps_for(x)[::5]:
            for moved in (x + step, x - step):
                point = [*self.found.point[:i], moved, *self.found.point[i + 1 :]]
                try:
                    there = self.problem.at(point)
                except (ArithmeticError, ValueError):
                    return False
                if not same_number(there.data, recompute(order, {leaf: moved})[out]):
                    return False
        return True

    def row(self, name: str, derivative: float, difference: Difference, slack: float, convention: bool) -> Row:
        verdict = judge(derivative, difference, slack=slack)
        return Row(name, derivative, difference, "convention" if verdict == "wrong" and convention else verdict)

    def blame_gradient(self, out: Any, row: Row) -> None:
        self.trouble(
            WrongGradientError,
            f"the gradient of {self.found.where} is not what finite differences say",
            self.source(out),
            str(row).rstrip(),
            "  blame: not an operation that was recorded; a part of the computation is not\n"
            "         in the graph: look for .data, math.*, or Values made before the call"
            if isinstance(out, Value)
            else "  blame: unknown, since this engine does not record its local derivatives",
            reproduce=self.as_called(),
        )

    # Words

    def expression(self, out: Any) -> Expression | None:
        """The graph in x0, x1, ..., if it is short enough to be read."""
        if not isinstance(out, Value) or self.found.nodes > LONGEST_SOURCE or self.problem.model is not None:
            return None
        return expression_of(out, self.leaves)

    def name_of(self, node: Any, out: Any) -> str:
        """What a node is called in the source."""
        if node is out:
            return "y"
        if node in self.leaves:
            return self.found.names[self.leaves.index(node)]
        computed = [n for n in topological_order(out) if n.operation] if isinstance(out, Value) else []
        return f"t{computed.index(node)}" if node in computed else f"a closed-over Value of {node.data!r}"

    def source(self, out: Any) -> str:
        expression = self.expression(out)
        if expression:
            return _indented(expression)
        return f"  in {self.found.where}" + (f", {self.found.nodes:,} operations" if self.found.nodes else "")

    def as_a_line(self, out: Any) -> str:
        """The check of the recorded graph alone."""
        expression = self.expression(out)
        return f"gradcheck({expression.function_source}, {expression.inputs!r})" if expression else self.as_called()

    def as_called(self) -> str:
        """The check as it was asked for, as well as that can be said."""
        if self.problem.model is not None:
            return f"gradcheck({self.found.function}, model)"
        return f"gradcheck({self.found.function}, {tuple(self.found.point)!r})"


MARK = 0.4375


def _operands(node: Value) -> tuple[float, ...]:
    return tuple(x.data if isinstance(x, Value) else x for x in node.operands)


def _at_kink(node: Value) -> bool:
    """Whether the node's operation has no derivative at its operands, so that its rule follows a convention."""
    oracle = oracles.get(node.operation)
    return oracle is not None and bool(oracle.kink(*_operands(node)))


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


def _indented(expression: Expression) -> str:
    return "\n".join(f"    {line}" for line in repr(expression).splitlines())


@contextmanager
def _gradients_of_others_kept(out: Any, leaves: Sequence[Any]) -> Iterator[None]:
    """Values of the graph that are no inputs get their gradients back at the end; leaves have gradient 0 meanwhile."""
    inputs = {id(leaf) for leaf in leaves}
    order = topological_order(out) if isinstance(out, Value) else []
    kept = [(node, node.grad) for node in order if id(node) not in inputs]
    for node, _ in kept:
        if not node.operation:
            node.grad = 0.0
    try:
        yield
    finally:
        for node, grad in kept:
            node.grad = grad


@contextmanager
def _watched() -> Iterator[dict[Value, str]]:
    """Notes for each node that is made meanwhile the file and the line where the user's code asked for it."""
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
