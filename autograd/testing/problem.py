"""What does `gradcheck` check? A function of Values, or of another engine's numbers, at a point or in a model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd.graph import topological_order
from autograd.reals import real_or_none, shown
from autograd.testing.inputs import Inputs, ModelInputs
from autograd.value import Value


class Problem:
    """A function and the point at which it is checked; `as_called` writes down the whole check."""

    def __init__(self, f: Callable[..., Any], point: Any, value_type: Any, as_called: Callable[[], str]) -> None:
        if not callable(f):
            raise TypeError(f"gradcheck takes a function of Values and a point; got {shown(f)} as the function")
        if not callable(value_type):
            raise TypeError(f"gradcheck takes the class of an engine's numbers as value_type; got {shown(value_type)}")
        if isinstance(point, type):
            raise TypeError(f"gradcheck takes a model, not its class: make one, such as {point.__name__}(...)")
        self.f, self.value_type, self.as_called = f, value_type, as_called
        self.name = getattr(f, "__name__", type(f).__name__)
        self.evaluations = 0
        is_number = isinstance(point, Value) or real_or_none(point) is not None
        self.is_model = hasattr(point, "parameters")
        self.inputs: Inputs | ModelInputs = (
            ModelInputs(point, "gradcheck") if self.is_model else Inputs((point,) if is_number else point, "gradcheck")
        )
        leaf = None if self.is_model else value_type(self.inputs.numbers[0])
        if leaf is not None and not (hasattr(leaf, "data") and real_or_none(getattr(leaf, "grad", None)) is not None):
            raise TypeError(
                f"gradcheck takes the class of an engine's numbers as value_type, with data, grad and backward(); "
                f"{shown(value_type)} made {shown(leaf)}"
            )

    def at(self, numbers: Sequence[float]) -> tuple[list[Any], tuple[Any, ...]]:
        """Leaves of these numbers with gradient 0, and the arguments that hold them."""
        return self.inputs.made_of(self.value_type, numbers)

    def run(self, arguments: tuple[Any, ...]) -> Any:
        """The function's result; it is counted."""
        self.evaluations += 1
        return self.f(*arguments)

    def call(self, numbers: Sequence[float]) -> Any:
        """The function's result on such leaves."""
        return self.run(self.at(numbers)[1])

    def value(self, numbers: Sequence[float]) -> Any:
        """The same as a Value, or as the number in another engine's."""
        out = self.call(numbers)
        return out if isinstance(out, Value) or not hasattr(out, "data") else out.data

    def compiled_gradient(self) -> list[float]:
        """The gradient by compiled code, if there is any."""
        f: Any = self.f
        if not (hasattr(f, "program") and hasattr(f, "value_and_grad") and isinstance(self.inputs, Inputs)):
            return []
        return self.inputs.row(f.value_and_grad(*self.inputs.at(self.inputs.numbers))[1])


@contextmanager
def gradients_of_others_kept(out: Any, leaves: Sequence[Any]) -> Iterator[None]:
    """Gives Values of the graph that are not inputs their gradients back at the end; leaves have 0 until then."""
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
