"""What does a drawing ask of a model? The names of its modules and parameters, and what it computes of one example.

Nothing here imports `nn`: anything that has `named_modules()` and `named_parameters()` and can be called will do.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from autograd import functions
from autograd.graph import topological_order
from autograd.reals import real_or_none, shown
from autograd.steps import backward_steps, gradients_of
from autograd.value import Value


class _Listed:
    """Several modules as one, named by their places."""

    def __init__(self, modules: Sequence[Any]) -> None:
        self._modules = modules

    def named_modules(self) -> Iterator[tuple[str, Any]]:
        yield "", self
        for i, module in enumerate(self._modules):
            yield from ((f"{i}.{path}".rstrip("."), inner) for path, inner in module.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        for i, module in enumerate(self._modules):
            yield from ((f"{i}.{path}", parameter) for path, parameter in module.named_parameters())


def as_model(model: Any) -> Any:
    """The model, or a list of modules as one; None stays None.

    Raises:
        TypeError: it is neither.
    """
    modules = list(model) if isinstance(model, list | tuple) else [model]
    for module in modules:
        if model is not None and (not hasattr(module, "named_modules") or isinstance(module, type)):
            raise TypeError(f"model takes an nn.Module, or a list of them; got {shown(module)} ({kind_of(module)})")
    return _Listed(modules) if isinstance(model, list | tuple) else model


def kind_of(x: Any) -> str:
    """What x is, for an error's sentence."""
    return f"the class {x.__name__}" if isinstance(x, type) else type(x).__name__


def opened_by(expand: Any, model: Any) -> Callable[[str], bool]:
    """Whether the neurons of the module of that name are drawn as products and sums.

    Arguments:
        expand: True for all, False for none; or a module or its dotted name, or a list of those.
        model: has the modules; None if there is none.

    Raises:
        TypeError: expand is nothing of that kind, or there is no model.
        ValueError: the model has no such module.
    """
    if isinstance(expand, bool):
        return lambda path: expand
    wanted = expand if isinstance(expand, list | tuple | set | frozenset) else [expand]
    if model is None:
        raise TypeError(f"expand takes True or False where no model is given; got {shown(expand)}: give model= too")
    paths = dict(model.named_modules())
    chosen = [_path_of(name, paths) for name in wanted]
    return lambda path: any(not name or path == name or path.startswith(f"{name}.") for name in chosen)


def _path_of(name: Any, paths: Mapping[str, Any]) -> str:
    """The dotted name of a module that is given by itself or by its name."""
    known = [path for path in paths if path]
    listed = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "") or "none"
    if isinstance(name, str):
        if name in paths:
            return name
        raise ValueError(f"expand takes the name of a module of the model; got {name!r}: there are {listed}")
    for path, module in paths.items():
        if module is name:
            return path
    if hasattr(name, "named_modules"):
        raise ValueError(f"expand takes modules of the model; {shown(name)} is not one of them: there are {listed}")
    raise TypeError(f"expand takes True, False, or names of modules; got {shown(name)} ({kind_of(name)})")


# One example


class Example(NamedTuple):
    """What a model computes of one example: the nodes, parents first, the root, and each node's gradient.

    The root is None where there are several outputs and no target: then there are no gradients."""

    order: list[Value]
    root: Value | None
    gradients: dict[Value, float]


def example_of(model: Any, x: Any, target: Any, loss: Callable[[Any, Any], Any] | None) -> Example:
    """The graph of one example, as in evaluation: nothing is dropped, and no gradient and no mode is changed.

    Raises:
        TypeError, ValueError: x is no example of the model's, or the target does not fit the outputs.
    """
    row = _numbers(x)
    _check_width(model, row)
    with _evaluating(model):
        outputs = model(row)
    listed = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    if not listed or not all(isinstance(y, Value) for y in listed):
        raise ValueError(f"draw(model, x) takes a model that computes Values; this one gives {shown(outputs)}")
    if target is None and loss is not None:
        raise TypeError("draw(model, x, target, loss=...) takes a target for the loss; got none")
    if target is None and len(listed) > 1:
        return Example(topological_order(functions.sum(listed))[:-1], None, {})
    root = listed[0] if target is None else _loss(outputs, listed, target, loss)
    if target is not None and root.operation and root not in listed:
        root.label = root.label or "loss"
    return Example(topological_order(root), root, gradients_of(root, backward_steps(root)))


def _numbers(x: Any) -> list[Any]:
    """One example as a list of numbers and Values."""
    if isinstance(x, Value) or real_or_none(x) is not None:
        return [x]
    if isinstance(x, str | bytes | Mapping | set) or not isinstance(x, Iterable):
        raise TypeError(f"draw(model, x) takes one example, a list of numbers; got {shown(x)} ({kind_of(x)})")
    row = list(x)
    for item in row:
        if isinstance(item, list | tuple) or getattr(item, "shape", ()) != ():
            raise ValueError(f"draw(model, x) takes one example, a list of numbers; got a batch, {shown(x)}: give x[0]")
        if not isinstance(item, Value) and real_or_none(item) is None:
            raise TypeError(f"draw(model, x) takes a list of numbers; got {shown(item)} ({kind_of(item)}) in it")
    return [item if isinstance(item, Value) else real_or_none(item) for item in row]


def _check_width(model: Any, row: Sequence[Any]) -> None:
    """Raises ValueError if the first parameters are a neuron's, and it takes another number of inputs."""
    first = next((parameter for _, parameter in model.named_parameters()), None)
    for _, module in model.named_modules():
        weights = getattr(module, "w", None)
        if isinstance(weights, list | tuple) and weights and weights[0] is first and len(weights) != len(row):
            raise ValueError(
                f"draw(model, x) takes an example of {len(weights)} numbers for this model; got {len(row)}"
            )


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """A block in which the modules evaluate; after it each is in its mode again."""
    before = [(module, vars(module).get("training")) for _, module in model.named_modules()]
    try:
        for module, _ in before:
            module.training = False
        yield
    finally:
        for module, training in before:
            if training is None:
                del module.training  # it had the mode of its class
            else:
                module.training = training


def _loss(outputs: Any, listed: list[Value], target: Any, loss: Callable[[Any, Any], Any] | None) -> Value:
    if loss is not None:
        if not callable(loss):
            raise TypeError(f"loss takes a function of the prediction and the target; got {shown(loss)}")
        result = loss(outputs, target)
        if not isinstance(result, Value):
            raise TypeError(f"loss takes a function that gives a Value; this one gives {shown(result)}")
        return result
    number = None if isinstance(target, bool) else real_or_none(target)
    if number is not None and len(listed) == 1:
        return (listed[0] - number) ** 2
    if number is not None:
        return _cross_entropy(listed, target, number)
    if isinstance(target, str | bytes | Mapping | set | bool) or not isinstance(target, Iterable):
        raise TypeError(f"target takes a number, a class or a list of numbers; got {shown(target)} ({kind_of(target)})")
    targets = list(target)
    numbers = [real_or_none(t) for t in targets]
    if len(targets) != len(listed) or None in numbers:
        raise ValueError(f"target takes a number for each of the {len(listed)} outputs; got {shown(target)}")
    squares = [(y - t) ** 2 for y, t in zip(listed, numbers, strict=True)]
    return squares[0] if len(squares) == 1 else functions.mean(squares)


def _cross_entropy(outputs: list[Value], target: Any, number: float) -> Value:
    """-log(softmax(outputs)[target])."""
    if not number.is_integer() or not 0 <= number < len(outputs):
        classes = f"a class from 0 to {len(outputs) - 1}, or a list of {len(outputs)} numbers"
        raise ValueError(f"target takes {classes} for {len(outputs)} outputs; got {shown(target)}")
    result: Value = -functions.log_softmax(outputs, index=int(number))
    return result
