"""Which numbers of a model belong together? Layer by layer, in rows and columns: the page draws each as a picture."""

import re
from collections.abc import Sequence
from typing import Any

from nn.module import Module
from nn.neuron import Neuron
from nn.training.recording import Recording

MOST = 40
"""Of so many arrays of numbers a page has pictures."""


def layers_of(recording: Recording, order: Sequence[int]) -> list[dict[str, Any]]:
    """The arrays of numbers that a model consists of: the layer's name, the array's, its rows and columns, and places.

    Arguments:
        recording: knows the names.
        order: where in a moment the first number of the page is, the second, ...
    """
    layers = layer_paths(recording.model)
    found: dict[tuple[str, str], dict[tuple[int, int], int]] = {}
    for at, place in enumerate(order):
        name = recording.names[place]
        owner = layer_of(name, layers)
        rest = name[len(owner) + 1 :] if owner else name
        numbers = [int(x) for x in re.findall(r"(?<![^.])\d+(?![^.])", rest)]
        title = ".".join(part for part in rest.split(".") if not part.isdigit()).replace("neurons.", "")
        row, column = ([0, 0, *numbers])[-2:] if title != "b" or len(numbers) != 1 else (0, numbers[0])
        found.setdefault((owner, title), {})[row, column] = at
    parameters = {name for name, _ in recording.model.named_parameters()}
    kept = {at for at, place in enumerate(order) if recording.names[place] not in parameters}
    return [_layer(*key, places, kept) for key, places in found.items()][:MOST]


def layer_paths(model: Module) -> list[str]:
    """The paths of the modules in a model, but for single neurons; those within others come first."""
    paths = [path for path, module in model.named_modules() if path and not isinstance(module, Neuron)]
    return sorted(paths, key=len, reverse=True)


def layer_of(name: str, paths: Sequence[str]) -> str:
    """The path of the layer to which a parameter or buffer of this name belongs; "" for the model itself.

    >>> from nn import MLP
    >>> layer_of("layers.0.neurons.3.w.5", layer_paths(MLP(2, [4, 1])))
    'layers.0'
    """
    return next((path for path in paths if name.startswith(f"{path}.")), "")


def _layer(owner: str, title: str, places: dict[tuple[int, int], int], kept: set[int]) -> dict[str, Any]:
    rows, columns = (1 + max(place[k] for place in places) for k in (0, 1))
    grid = [places.get((row, column), -1) for row in range(rows) for column in range(columns)]
    is_learned = not kept.intersection(places.values())  # or it is kept of the examples, as running means are
    shape = {"rows": rows, "columns": columns, "places": _short(grid, rows, columns)}
    return {"layer": owner, "name": title, "isLearned": is_learned, **shape}


def _short(grid: list[int], rows: int, columns: int) -> list[int] | dict[str, int]:
    """Places that lie evenly, in three numbers."""
    first, across = grid[0], grid[1] - grid[0] if columns > 1 else 0
    down = grid[columns] - grid[0] if rows > 1 else 0
    regular = [first + down * row + across * column for row in range(rows) for column in range(columns)]
    return {"first": first, "down": down, "across": across} if grid == regular else grid
