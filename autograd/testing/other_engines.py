"""Is somebody else's engine right? Random expressions run on its numbers, and differences judge its gradients.

An `OtherEngine` says how a leaf is made, how a gradient is read, and which operations there are. It is all that
`expressions(engine=...)` and `mlps(engine=...)` need to know of micrograd, PyTorch, JAX, or an engine of one's own.
Where operations are looked for is in `offers.py`, and how each kind of engine is called in `adapters.py`.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from autograd.operations import Operation, operations as built_in
from autograd.testing.adapters import Adapter, adapter_for
from autograd.testing.arrays import roundoff
from autograd.testing.differences.finite_differences import difference_at, judge
from autograd.testing.differences.function_values import FunctionValues
from autograd.testing.differences.rounding_errors import U
from autograd.testing.errors import WrongGradientError, WrongValueError
from autograd.testing.graphs.expression import Expression, Instruction, kind_of, spelled_out
from autograd.testing.offers import FUNCTIONS_OF_TWO, OPERATORS, WITH_A_CONSTANT, Offer
from autograd.testing.report import Row
from autograd.value import Value

MOST_DIFFERENCES = 6
"""Of a gradient with more entries those are held against differences that are farthest from the rules of autograd."""


def other_engine(
    of: Any, dtype: Any = None, functions: Mapping[str, Callable[..., Any]] | None = None
) -> "OtherEngine":
    """Somebody else's engine, for property tests with `expressions(engine=...)` and `mlps(engine=...)`.

    Arguments:
        of: a class in the manner of micrograd's Value: made from one number, with `data`, `grad` and `backward()`; the
            module `torch`; the module `jax`; or an object of one's own with two or three methods: `leaf(x)` makes one
            of its numbers, `gradients(y, leaves)` gives the derivatives of y, and `number(y)` a float (if there is
            none, `float(y)` has to do).
        dtype: of PyTorch's or JAX's numbers; by default float64, and in JAX without `jax_enable_x64` float32.
        functions: functions of their numbers, by the names of the operations that they compute, such as
            `{"tanh": MyTanh.apply}`: in place of the engine's own, or beside them.

    Returns:
        an `OtherEngine`. What it offers is found by trying, when it is first asked for.

    Raises:
        TypeError: it is none of these.

    >>> from hypothesis import given, settings
    >>> from autograd.testing import expressions
    >>> engine = other_engine(Value)
    >>> @settings(max_examples=10)
    ... @given(expressions(engine=engine))
    ... def test_gradients(f):
    ...     engine.check(f)
    >>> test_gradients()
    """
    if isinstance(of, OtherEngine):
        return of
    known = [name for name in built_in if _kinds(name)]
    for given in functions or {}:
        if given not in known:
            raise ValueError(
                f"other_engine takes functions by the names of operations of one or two numbers, such as 'tanh'; "
                f"got {given!r}: choose among {', '.join(known)}"
            )
    return OtherEngine(adapter_for(of, dtype), functions or {})


class OtherEngine:
    """Somebody else's engine: what it offers, what it computes, and whether that is right. `other_engine` makes it.

    Attributes:
        name: what it is called.
        unit: the unit roundoff of its numbers.
        operations: the names of the operations that it offers.
    """

    def __init__(self, adapter: Adapter, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.adapter, self.name, self.functions = adapter, adapter.name, functions
        self.unit = roundoff(adapter.read(adapter.leaf(1.0)))
        self._tried: dict[tuple[str, str], Exception | None] = {}

    def __repr__(self) -> str:
        return f"other_engine({self.name})"

    # What it offers

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The names of the operations that it offers."""
        return tuple(name for name in self._found if any(self._takes(name, kind) for kind in _kinds(name)))

    @cached_property
    def _found(self) -> dict[str, Offer]:
        """The operations by name, whether or not they work."""
        looked_up = {name: self.adapter.look_up(name) for name in built_in if _kinds(name)}
        found = {name: offer for name, offer in looked_up.items() if offer}
        for name, function in self.functions.items():
            operands = ", ".join(["{}"] * len(_kinds(name)[0]))
            found[name] = Offer(f"{name}({operands})", function)
        same = found.get("gelu"), found.get("gelu_tanh")
        if same[0] and same[1] and same[0].text == same[1].text:  # one function: which of the two does it compute?
            del found["gelu" if self._is_tanh_approximation(same[0]) else "gelu_tanh"]
        return found

    def _is_tanh_approximation(self, offer: Offer) -> bool:
        try:
            value = self.adapter.number(offer.call(self.adapter.leaf(2.0)))
        except Exception:
            return False
        exact, approximate = (built_in[name].evaluate((2.0,)) for name in ("gelu", "gelu_tanh"))
        return abs(value - approximate) < abs(value - exact)

    def _takes(self, name: str, kind: str) -> bool:
        """Whether an operation works with operands of such a kind: "vc" is a number of theirs and then a plain one."""
        if (name, kind) not in self._tried:
            self._tried[name, kind] = self._try(name, kind)
        return self._tried[name, kind] is None

    def _try(self, name: str, kind: str) -> Exception | None:
        """What the operation raises at every simple point; None if it gives a value and a gradient at one of them."""
        refusal: Exception | None = None
        for point in ((0.5, 2.0), (2.0, 0.5), (-0.5, 3.0)):
            numbers = point[: len(kind)]
            given = [x for x, letter in zip(numbers, kind, strict=True) if letter == "v"]

            def called(*leaves: Any, numbers: Sequence[float] = numbers) -> Any:
                rest = iter(leaves)
                return self.call(name, *(next(rest) if k == "v" else x for x, k in zip(numbers, kind, strict=True)))

            try:
                self.adapter.value_and_gradients(called, given)
                return None
            except Exception as error:  # whatever it raises, it does not offer this
                refusal = error.with_traceback(None)
        return refusal

    def offers(self, instruction: Instruction) -> bool:
        """Whether it has the operation of an `Instruction`, for such operands."""
        operation, operands = instruction
        kind = kind_of(operands)
        return (
            operation is built_in.get(operation.name)
            and operation.name in self._found
            and (kind in _kinds(operation.name) and self._takes(operation.name, kind))
        )

    def check_operations(self, names: Iterable[str]) -> None:
        """Refuses operations that it does not offer.

        Raises:
            ValueError: it does not offer one of them; the sentence says what was raised when that was tried.
        """
        for name in names:
            if name not in self.operations:
                kind = next(iter(_kinds(name)), "")
                error = self._tried.get((name, kind))
                why = "" if error is None else f": {type(error).__name__}: {error}"
                raise ValueError(
                    f"{self.name} does not offer the operation {name}{why}; choose among {', '.join(self.operations)}"
                )

    # What it computes

    def call(self, name: str, *operands: Any) -> Any:
        """One operation on numbers of theirs and plain ones."""
        if name not in self._found:
            raise ValueError(f"{self.name} does not offer the operation {name}")
        return self._found[name].call(*operands)

    def expression(self, f: Expression) -> "TheirExpression":
        """An expression that runs on numbers of theirs and prints as their code."""
        plain = {part.name: getattr(f, part.name) for part in fields(Expression)}
        return TheirExpression(**plain, engine=self)

    def value_and_gradients(self, f: Callable[..., Any], xs: Sequence[float]) -> tuple[float, list[float]]:
        """The value of a function of their numbers, and its derivatives.

        Arguments:
            f: an `Expression`, or anything that computes with their numbers.
            xs: the point.

        >>> other_engine(Value).value_and_gradients(lambda x, y: x * y, [2.0, 3.0])
        (6.0, [3.0, 2.0])
        """
        return self.adapter.value_and_gradients(self.expression(f) if isinstance(f, Expression) else f, xs)

    # Is it right?

    def check(self, f: Expression) -> None:
        """Holds their value of an expression against ours, and their gradient against finite differences.

        Arguments:
            f: an expression, such as `expressions(engine=...)` draws. How far both may be off is found from the unit
                roundoff of their numbers, and from what rounding does to this expression.

        Raises:
            WrongValueError, WrongGradientError: with the expression as their code.
            Exception: whatever their code raises, with a note that has the code.

        >>> class Forgets(Value):
        ...     def tanh(self):
        ...         return 3.0 * self - 2.0 * self
        >>> f = Expression((1.0,), (Instruction(built_in["tanh"], ("x0",)),))
        >>> other_engine(Forgets).check(f)
        Traceback (most recent call last):
        autograd.testing.errors.WrongValueError: ...Forgets: the value is wrong
            x0 = Forgets(1.0)
            y = x0.tanh()
            y.backward()
          theirs 1.0, right 0.7615941559557649 +- ...
        """
        __tracebackhide__ = True
        theirs = self.expression(f if all(map(self.offers, f.instructions)) else spelled_out(f))
        program = "\n".join(f"    {line}" for line in self.adapter.program(theirs))
        xs = [self.adapter.number(self.adapter.leaf(x)) for x in f.inputs]  # float32 rounds them
        try:
            value, gradients = self.value_and_gradients(theirs, xs)
        except Exception as error:
            error.add_note(f"{self.name} raised it in\n{program}")
            raise
        ours = Expression(f.inputs, f.instructions)
        right, slopes, value_slack, slacks = _what_rounding_does(ours, xs, self.unit)
        if not abs(value - right) <= value_slack:
            raise WrongValueError(
                f"{self.name}: the value is wrong\n{program}\n  theirs {value!r}, right {right!r} +- {value_slack:.2g}"
            )
        suspects = sorted(range(len(xs)), key=lambda i: -abs(gradients[i] - slopes[i]) / (slacks[i] or U))
        for i in suspects[:MOST_DIFFERENCES]:
            row = _compared(ours, xs, i, gradients[i], self.unit, slacks[i])
            if row.verdict == "wrong":
                raise WrongGradientError(f"{self.name}: the derivative by x{i} is wrong\n{program}\n{row}")


def _kinds(name: str) -> tuple[str, ...]:
    """The kinds of operands that an operation of one or two operands may have."""
    if name in WITH_A_CONSTANT:
        return ("vc", "vv")
    two = name in FUNCTIONS_OF_TWO or (name in OPERATORS and name != "neg")
    one = not two and len(built_in[name].derivatives) == 1 and not built_in[name].nary
    return ("vv", "vc", "cv") if two else ("v",) if one else ()


def _compared(f: Expression, xs: Sequence[float], i: int, claimed: float, unit: float, slack: float) -> Row:
    """Their derivative by one input beside differences of the expression, whose rounding errors our graph tells."""
    values = FunctionValues(lambda x: f(*xs[:i], Value(x), *xs[i + 1 :]))
    difference = difference_at(values, xs[i], claimed=claimed)
    verdict = judge(claimed, difference, unit, slack)
    return Row(f"x{i}", claimed, difference, verdict, of="y", by="theirs")


# What may rounding do?

TRIALS, ROUNDINGS, SAFETY = 8, 8.0, 8.0


def _what_rounding_does(
    f: Expression, xs: Sequence[float], unit: float
) -> tuple[float, list[float], float, list[float]]:
    """The value and the gradient by the rules of autograd, and how far right rules may be off in numbers so coarse.

    Each result and each local derivative is off by a few roundings, at random: of its own size, and of 1, since others
    compute 1 - t*t where our rule does not cancel. What that does to the end is seen in a few trials.
    """
    value, gradient = _differentiated(f, xs, lambda x: x)
    off, offs = 0.0, [0.0] * len(xs)
    for seed in range(TRIALS):
        rng = random.Random(seed)
        size = ROUNDINGS * max(unit, 2.0**-44)  # doubles: large enough not to be rounded itself, and scaled back
        # of any size between: two that are equal would cancel exactly in every second trial
        other, others = _differentiated(f, xs, lambda x: x + rng.uniform(-size, size) * (abs(x) + 1.0))  # noqa: B023
        off = max(off, abs(other - value))
        offs = [max(known, abs(a - b)) for known, a, b in zip(offs, others, gradient, strict=True)]
    scale = SAFETY * unit / max(unit, 2.0**-44)
    return value, gradient, scale * off + ROUNDINGS * unit * abs(value), [scale * x for x in offs]


def _differentiated(f: Expression, xs: Sequence[float], rounded: Callable[[float], float]) -> tuple[float, list[float]]:
    """The value and the gradient of an expression, where each result and each local derivative is `rounded`."""
    values: dict[str, float] = dict(zip(f.names, xs, strict=True))
    tape: list[tuple[str, list[str], list[float]]] = []
    result = ""
    for place, (operation, operands) in enumerate(f.instructions):
        numbers = [values[x] if isinstance(x, str) else x for x in operands]
        wanted = [k for k, x in enumerate(operands) if isinstance(x, str)]
        value = operation.evaluate(numbers)
        derivatives = operation.differentiate(value, numbers, wanted)
        result = f"t{place}"
        values[result] = rounded(value)
        tape.append((result, [str(operands[k]) for k in wanted], [rounded(d) for d in derivatives]))
    adjoints = {**dict.fromkeys(values, 0.0), result: 1.0}
    for name, parents, derivatives in reversed(tape):
        for parent, derivative in zip(parents, derivatives, strict=True):
            if derivative and adjoints[name]:
                adjoints[parent] += derivative * adjoints[name]
    return values[result], [adjoints[name] for name in f.names]


@dataclass(frozen=True, repr=False)
class TheirExpression(Expression):
    """An expression that runs on the numbers of another engine, and prints as its code.

    >>> f = other_engine(Value).expression(Expression((1.0,), (Instruction(built_in["tanh"], ("x0",)),)))
    >>> f
    x0 = Value(1.0)
    y = x0.tanh()
    >>> f(Value(1.0)).operation
    'tanh'
    """

    engine: Any = field(default=None, compare=False)

    def __call__(self, *xs: Any) -> Any:
        """The result on numbers of theirs; on plain numbers a float, by our rules."""
        if all(type(x) in (int, float) for x in xs):
            return super().__call__(*xs)
        return self.evaluate(xs, self.engine.call)

    def _leaf(self, number: float) -> str:
        text: str = self.engine.adapter.leaf_text(number)
        return text

    def _operation(self, operation: Operation, operands: Sequence[str]) -> str:
        text: str = self.engine._found[operation.name].text
        return text.format(*operands)

    def _on_one_line(self) -> str:
        return ""

    def _imports(self) -> list[str]:
        return list(self.engine.adapter.imports)
