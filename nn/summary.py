"""What is a model made of? A table of its layers: their names, what they are, what they give, how many parameters."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from autograd import no_grad
from autograd.terminal import WIDTH, on_one_line, table, width

Widths = dict[Any, int]
"""How many numbers a module gives for an example, in the order in which they were called first."""


def summary_of(model: Any, example: list[Any] | None) -> str:
    """The table that `Module.summary` returns.

    Arguments:
        model: a Module.
        example: what is computed to see the outputs; None for zeros, as many as the model takes, if that can be told.
    """
    widths: Widths = {}
    if example is not None:
        widths = widths_for(model, example)
    elif inputs := model.input_width():
        with suppress(Exception):  # a forward() of one's own may want something else; then the outputs stay blank
            widths = widths_for(model, [0.0] * inputs)
    rows = [_row(name, module, widths) for name, module in _layers(model, widths)]
    total = _row("total", model, widths)
    header = ("layer", "kind", "outputs", "parameters")
    lines = table(header, _fitting([header, *rows, total])[1:], left=3).splitlines()
    return "\n".join([*lines[:-1], lines[1], lines[-1]])


def widths_for(model: Any, example: list[Any]) -> Widths:
    """The widths of the outputs of all modules, when the model computes this example in evaluation mode."""
    before = [(module, module.training) for module in model.modules()]
    widths: Widths = {}
    try:
        model.eval()
        with no_grad(), _watched([module for module, _ in before], widths):
            widths[model] = _count(model([example])[0])
    finally:
        for module, training in before:
            module.training = training
    return widths


@contextmanager
def _watched(modules: list[Any], widths: Widths) -> Iterator[None]:
    """A block in which each call of a module notes how many numbers it gave."""

    def watch(module: Any, name: str, is_batch: bool) -> None:
        method = getattr(module, name)

        def watching(x: Any) -> Any:
            widths.setdefault(module, 0)  # its place in the order, before that of what it calls
            outputs = method(x)
            widths[module] = _count(outputs[0] if is_batch else outputs)
            return outputs

        vars(module)[name] = watching

    before = [dict(vars(module)) for module in modules]
    try:
        for module in modules:
            watch(module, "forward", is_batch=False)
            watch(module, "forward_batch", is_batch=True)
        yield
    finally:
        for module, attributes in zip(modules, before, strict=True):
            for name in ("forward", "forward_batch"):
                vars(module).pop(name, None)
                if name in attributes:
                    vars(module)[name] = attributes[name]


def _count(outputs: Any) -> int:
    return len(outputs) if hasattr(outputs, "__len__") else 1


def _layers(module: Any, widths: Widths, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The modules below this one, in the order in which they were called; what has a title of its own is one line."""
    places = {called: place for place, called in enumerate(widths)}
    children = sorted(module.named_children(), key=lambda child: places.get(child[1], len(places)))
    for name, child in children:
        yield "  " * depth + name, child
        if not hasattr(child, "title"):
            yield from _layers(child, widths, depth + 1)


def _row(name: str, module: Any, widths: Widths) -> tuple[str, str, str, str]:
    outputs = f"(n, {widths[module]})" if module in widths else ""
    return on_one_line(name), on_one_line(title_of(module)), outputs, f"{len(module.parameters()):,}"


def _fitting(rows: list[tuple[str, str, str, str]]) -> list[tuple[str, ...]]:
    """The rows of a table of 80 columns: long names lose their beginning, and then long kinds their end."""
    names, kinds, *others = ([width(cell) for cell in column] for column in zip(*rows, strict=True))
    room = WIDTH - 6 - sum(map(max, others))
    longest = min(max(names), max(room - max(kinds), room // 2))
    return [(_end(name, longest), _start(kind, room - longest), *rest) for name, kind, *rest in rows]


def _end(text: str, most: int) -> str:
    while width(text) > most:
        text = f"…{text.removeprefix('…')[1:]}"
    return text


def _start(text: str, most: int) -> str:
    while width(text) > most:
        text = f"{text.removesuffix('…')[:-1]}…"
    return text


def title_of(module: Any) -> str:
    """What the module is, on one line: its `title()`, or else the name of its class."""
    title = getattr(module, "title", None)
    return title() if callable(title) else type(module).__name__
