"""What does somebody's class offer, and how is it asked for an operation, a graph, a gradient?

What it offers is found by trying: operators by their special methods, and other operations as methods of the class or
functions of its module.
"""

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from autograd.operations import operations as built_in
from autograd.reals import shown
from autograd.testing.engines.forms import METHODS, OPERATORS, OTHER_NAMES, WITH_TWO_OPERANDS, Form
from autograd.testing.engines.running import NotTheirsError, Refusal, attempt
from autograd.testing.graphs.expression import Expression


class Built(NamedTuple):
    """A graph of theirs: its inputs, its result, and the number in the result."""

    xs: list[Any]
    y: Any
    data: Any


class Engine:
    """Somebody's class, and how its operations are called.

    Attributes:
        ValueClass, name: the class and its name.
        differentiates: whether it has `backward()`.
        methods: for each operation that is not an operator, how it is written and what is called.
        computed: the forms whose values are right.
        sound: those that are right by themselves, by operation and kind.

    Raises:
        TypeError: it is not a class, cannot be made from one number, or has no `data`.
    """

    def __init__(self, ValueClass: Any) -> None:
        if not isinstance(ValueClass, type):
            raise TypeError(f"check_engine takes a class such as micrograd.engine.Value; got {shown(ValueClass)}")
        self.ValueClass, self.name = ValueClass, ValueClass.__name__
        self.differentiates = hasattr(self._first_number(), "backward")
        self.methods = {name: found for name in METHODS if (found := self._look_up(name))}
        self.family = tuple(base for base in ValueClass.__mro__ if base.__module__ != "builtins")
        self.computed: list[Form] = []
        self.sound: dict[tuple[str, str], list[Form]] = {}

    def _first_number(self) -> Any:
        """A number of theirs that has `data`."""
        code = f"{self.name}(2.0)"
        try:
            made = self.number(2.0)
        except Refusal as refusal:
            raise TypeError(
                f"{code} raised {refusal}; check_engine needs a class that is made from one number"
            ) from None
        try:
            attempt(lambda: made.data)
        except Refusal:
            raise TypeError(f"{code} has no attribute 'data'; check_engine reads an engine's numbers there") from None
        return made

    def _look_up(self, name: str) -> tuple[str, Any] | None:
        """How the operation is written, and what is called: a method, or a function of the class's own module."""
        operands = ["{}"] * (2 if name in WITH_TWO_OPERANDS else 1)
        place = self.ValueClass.__module__
        for own in (name, *OTHER_NAMES.get(name, ())):
            method = getattr(self.ValueClass, own, None)
            if callable(method) and _takes(method, len(operands)):
                return "abs({})" if own == "__abs__" else f"{{}}.{own}({', '.join(operands[1:])})", method
            function = getattr(sys.modules.get(place), own, None)
            is_own = inspect.isfunction(function) and function.__module__ == place
            if is_own and _takes(function, len(operands)):
                return f"{own}({', '.join(operands)})", function
        return None

    def has(self, form: Form) -> bool:
        """Whether there is anything to try."""
        if form.operation not in OPERATORS:
            return form.operation in self.methods
        own = OPERATORS[form.operation].__name__
        return any(hasattr(self.ValueClass, special) for special in (f"__{own}__", f"__r{own}__"))

    # One operation: how it is called, and how it is written

    def call(self, name: str, *operands: Any) -> Any:
        """The result; operands are numbers of theirs and plain ones."""
        if name in OPERATORS:
            return OPERATORS[name](*operands)
        return self.methods[name][1](*(x for x in operands if not self.is_plain(x)))

    def text(self, name: str, *operands: Any) -> str:
        """The operation on names and numbers."""
        texts = [x if isinstance(x, str) else repr(x) for x in operands]
        if texts[0].startswith("-"):  # -1 ** x is something else
            texts[0] = f"({texts[0]})"
        if name == "neg":
            return f"-{texts[0]}"
        return f" {built_in[name].symbol} ".join(texts) if name in OPERATORS else self.methods[name][0].format(*texts)

    def text_of(self, form: Form) -> str:
        """The form with x and y."""
        names = {"x0": "x", "x1": "y"}
        return self.text(form.operation, *(names[x] if isinstance(x, str) else x for x in form.operands))

    # Plain numbers among the operands are made theirs unless the engine is known to take them plain.

    def is_plain(self, x: Any) -> bool:
        """Whether it is a number of Python's. (Their class may be a subclass of float.)"""
        return isinstance(x, int | float) and not isinstance(x, self.ValueClass)

    def kind(self, operands: Sequence[Any]) -> str:
        """Where plain numbers stand, as in `Form.kind`; the others are numbers of theirs or names."""
        return "".join("c" if self.is_plain(x) else "v" for x in operands)

    def takes_only_theirs(self, name: str, operands: Sequence[Any]) -> bool:
        """Whether plain numbers have to be made theirs first."""
        if name == "pow":  # with two Values only a positive base will do, with a plain exponent any
            return False
        kind = self.kind(operands)
        return "c" in kind and (name, kind) not in self.sound and (name, "vv") in self.sound

    def made_theirs(self, name: str, operands: Sequence[Any], make: Callable[[Any], Any]) -> Sequence[Any]:
        """The operands, with plain numbers made theirs where they have to be."""
        return (
            [make(x) if self.is_plain(x) else x for x in operands]
            if self.takes_only_theirs(name, operands)
            else operands
        )

    def can(self, name: str, operands: Sequence[Any]) -> bool:
        """Whether the operation is right by itself, with such operands."""
        return (name, self.kind(operands)) in self.sound or self.takes_only_theirs(name, operands)

    def is_sound(self, use: Expression) -> bool:
        """Whether the expression uses only what is right by itself. 0 ** y is special, and left out."""
        return all(
            self.can(operation.name, operands) and not (operation.name == "pow" and operands[0] == 0.0)
            for operation, operands in use.instructions
        )

    # Expressions

    def lines(self, use: Expression) -> tuple[str, ...]:
        """The expression as a program."""
        lines = list(self.inputs_as_lines(use.inputs))
        for place, (operation, operands) in enumerate(use.instructions):
            texts = self.made_theirs(operation.name, operands, lambda x: f"{self.name}({x!r})")
            name = f"t{place}" if place < len(use) - 1 else "y"
            lines.append(f"{name} = {self.text(operation.name, *texts)}")
        return tuple(lines)

    def inputs_as_lines(self, inputs: Sequence[float]) -> tuple[str, ...]:
        """The lines that make the inputs."""
        return tuple(f"x{place} = {self.name}({x!r})" for place, x in enumerate(inputs))

    def build(self, use: Expression, xs: Sequence[Any]) -> Any:
        """The expression on numbers of theirs."""

        def call(operation: str, *operands: Any) -> Any:
            operands = tuple(self.made_theirs(operation, operands, self.ValueClass))
            result = self.call(operation, *operands)
            if not isinstance(result, self.family):
                letters = iter("xy")
                names = [x if self.is_plain(x) else next(letters) for x in operands]
                raise NotTheirsError(self.text(operation, *names), result, self.name)
            return result

        return use.evaluate(xs, call)

    # Their code, run within limits: each of these raises Refusal.

    def number(self, x: float) -> Any:
        """A leaf."""
        return attempt(lambda: self.ValueClass(x))

    def forward(self, inputs: Sequence[float], build: Callable[[list[Any]], Any]) -> Built:
        """The graph that `build` makes of such inputs."""
        xs = [self.number(x) for x in inputs]
        y = attempt(lambda: build(xs))
        return Built(xs, y, attempt(lambda: y.data))

    def built(self, use: Expression) -> Built:
        """The graph of an expression."""
        return self.forward(use.inputs, partial(self.build, use))

    def gradients(self, built: Built) -> list[Any]:
        """What `backward()` leaves in the inputs."""
        attempt(lambda: built.y.backward())
        return [attempt(partial(getattr, x, "grad")) for x in built.xs]


def _takes(function: Any, count: int) -> bool:
    """Whether it can be called with so many operands."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # some of C's functions do not tell
        return True
    return True
