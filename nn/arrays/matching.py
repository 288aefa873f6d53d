"""Which array of PyTorch's belongs to which of ours, when the names differ? The layers are matched by shape and order.

A network that was written by hand has names of its own, such as "fc1.weight" for our "layers.0.weight". What comes
before the last part of a name is the layer; what a layer consists of, by name and shape, must be the same.
"""

import re
from collections.abc import Iterable, Mapping

Shapes = Mapping[str, tuple[int, ...]]


def matched(own: Shapes, given: Shapes, is_in_order: bool) -> dict[str, str]:
    """For each name of ours the name under which the numbers are given.

    Names that are the same belong together. Otherwise layers are matched in order, if the order is known: that of
    PyTorch's own state_dict, or that of the numbers in names such as "fc1" and "fc2". If it is not, since files keep
    arrays by the alphabet, each layer must be the only one of its shapes, or be told by such numbers from the others.

    Arguments:
        own, given: the shapes of the arrays, by name.
        is_in_order: whether `given` has the order of the network.

    Raises:
        KeyError: there is no such match, or more than one.

    >>> own = {"layers.0.weight": (3, 2), "layers.0.bias": (3,), "layers.1.weight": (1, 3), "layers.1.bias": (1,)}
    >>> given = {"out.bias": (1,), "out.weight": (1, 3), "hidden.bias": (3,), "hidden.weight": (3, 2)}
    >>> matched(own, given, is_in_order=False)["layers.1.weight"]
    'out.weight'
    """
    if own.keys() == given.keys():
        return {name: name for name in own}
    try:
        return _by_layers(_layers(own), _layers(given), is_in_order)
    except KeyError:
        if own.keys().isdisjoint(given):
            raise
    missing = [f"lacks {name!r}" for name in own if name not in given]
    unknown = [f"has {name!r}, which the model does not have" for name in given if name not in own]
    raise KeyError(f"the state_dict {' and '.join([*missing[:1], *unknown[:1]])}: it belongs to another architecture")


Layer = dict[str, tuple[int, ...]]


def _layers(shapes: Shapes) -> dict[str, Layer]:
    """The arrays by layer: what comes before the last dot of a name, and what comes after it."""
    layers: dict[str, Layer] = {}
    for name, shape in shapes.items():
        layer, _, part = str(name).rpartition(".")
        layers.setdefault(layer, {})[part] = shape
    return layers


def _by_layers(ours: Mapping[str, Layer], theirs: Mapping[str, Layer], is_in_order: bool) -> dict[str, str]:
    """For each name of ours the one of theirs, layer by layer."""
    if len(ours) != len(theirs):
        raise KeyError(
            f"the state_dict has {_listed(theirs)}, and the model has {_listed(ours)}: it belongs to another "
            f"architecture, or leave out what the model does not have"
        )
    if is_in_order or _sortable(theirs):
        pairs = list(zip(ours, theirs if is_in_order else sorted(theirs, key=_numbers), strict=True))
    else:
        pairs = _by_shapes(ours, theirs)
    for mine, yours in pairs:
        if ours[mine] != theirs[yours]:
            remedy = "it belongs to another architecture"
            if set(ours[mine]) - set(theirs[yours]) == {"bias"}:
                remedy += f", or it has no bias: add zeros of shape {ours[mine]['bias']} as {_joined(yours, 'bias')!r}"
            raise KeyError(
                f"the state_dict's layer {yours!r} has {_shown(theirs[yours])}, and the model's {mine!r} in its place "
                f"has {_shown(ours[mine])}: {remedy}"
            )
    return {_joined(mine, part): _joined(yours, part) for mine, yours in pairs for part in ours[mine]}


def _joined(layer: str, part: str) -> str:
    return f"{layer}.{part}" if layer else part


def _sortable(layers: Iterable[str]) -> bool:
    """Whether names differ in their numbers alone, as "fc1" and "fc2" do."""
    return len({re.sub(r"\d+", "0", layer) for layer in layers}) == 1


def _numbers(layer: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", layer)]


def _by_shapes(ours: Mapping[str, Layer], theirs: Mapping[str, Layer]) -> list[tuple[str, str]]:
    """Pairs of layers of the same shapes, the numbers in their names deciding among equal ones."""
    pairs = []
    for mine, shapes in ours.items():
        equal = [layer for layer in ours if ours[layer] == shapes]
        candidates = [layer for layer in theirs if theirs[layer] == shapes]
        if len(candidates) != len(equal):
            raise KeyError(
                f"the model has {len(equal)} of its layers with {_shown(shapes)}, such as {mine!r}, and the state_dict "
                f"has {len(candidates)}, of {_listed(theirs)}: it belongs to another architecture"
            )
        if len(candidates) > 1 and not _sortable(candidates):
            example = f"{{{_joined(mine, next(iter(shapes)))!r}: state[{_joined(candidates[0], next(iter(shapes)))!r}]"
            raise KeyError(
                f"the state_dict's {' and '.join(map(repr, candidates[:2]))} have the same shapes, and nothing says "
                f"which of them is the model's {mine!r}: give the model's own names, such as {example}, ...}}"
            )
        pairs.append((mine, sorted(candidates, key=_numbers)[equal.index(mine)]))
    return pairs


def _shown(layer: Layer) -> str:
    return " and ".join(f"{part} {shape}" for part, shape in layer.items())


def _listed(layers: Mapping[str, Layer]) -> str:
    """How many layers there are, and the names of the first ones."""
    names = [f"{layer!r} ({', '.join(parts)})" for layer, parts in layers.items()]
    count = f"{len(names)} layer{'' if len(names) == 1 else 's'}"
    return f"{count}: {', '.join(names[:4])}{', ...' if len(names) > 4 else ''}" if names else "no arrays"
