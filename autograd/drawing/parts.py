"""Which parts has a graph that somebody names, and what does it look like with each of them as one box?

A part is whatever its author calls one: an attention head, its queries, one token. `draw(root, parts=...)` says which
Values it gives; what they need belongs to it too. Dotted names are parts of parts, as with modules.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd.drawing.folding import alike, folded_scene, lot
from autograd.drawing.models import kind_of
from autograd.drawing.scene import NOWHERE, Box, Modules, Place, Scene, box_for, constant_arrows
from autograd.drawing.text import Text, joined, printable
from autograd.reals import real_or_none, shown
from autograd.value import Value

MOST_SHOWN = 4
"""So many rows of a part's results stand in its box, and so many numbers of each."""


@dataclass
class Parts:
    """The parts of a graph.

    `path_of` has the dotted name of each node's part, `rows` the results of each part, a row for each list of them, and
    `names` what each result is called: "query[2][0]".
    """

    path_of: dict[Value, str] = field(default_factory=dict)
    rows: dict[str, list[list[Any]]] = field(default_factory=dict)
    names: dict[Value, str] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """The names of all parts, and of the parts that they are parts of."""
        return list(dict.fromkeys(path for name in self.rows for path in _around(name)))

    def places(self, modules: Modules) -> Modules:
        """Where each node belongs: to its part, or else to its module."""
        return modules | {node: Place(path, modules.get(node, NOWHERE).name) for node, path in self.path_of.items()}


def parts_of(order: Sequence[Value], parts: Any) -> Parts:
    """The parts of a graph: each has its results, and what they need beyond the parts before it.

    So no two parts need each other, and boxes of whole parts make no circle. A leaf that is no result and that several
    parts use belongs to none.

    Arguments:
        order: the graph, parents first.
        parts: for each name the results, a Value or nested lists of them; None for no parts.

    Raises:
        TypeError: it is no such dict.
        ValueError: a name is empty, the parts of a part do not follow each other, or none of a part's Values is in
            the graph.
    """
    found = Parts()
    if parts is None:
        return found
    if not isinstance(parts, Mapping) or not all(isinstance(name, str) for name in parts):
        example = "{'head': outputs}"
        raise TypeError(f"parts takes a dict of names and Values, such as {example}; got {shown(parts)}: give names")
    _check_names(parts)
    within = set(order)
    for name, results in parts.items():
        found.rows[name] = rows = list(_rows(name, results))
        nodes = [x for row in rows for x in row if isinstance(x, Value)]
        if within.isdisjoint(nodes):
            raise ValueError(f"parts takes Values of the graph; none of {name!r} is in it: give those that are")
        for node in _needed(nodes, within, found.path_of):
            found.path_of[node] = name
    _share_leaves(order, found)
    lasts = Counter(name.rpartition(".")[2] for name in found.rows)
    for name, rows in found.rows.items():
        last = name.rpartition(".")[2]
        for node, called in _called(last if lasts[last] == 1 else name, rows):
            if not node.label:
                found.names.setdefault(node, printable(called))
    for name, rows in found.rows.items():
        found.rows[name] = [inside for row in rows if (inside := [x for x in row if _is_seen(x, within)])]
    return found


def _check_names(names: Iterable[str]) -> None:
    """Raises ValueError for an empty name, and where what is between two parts of a part is none of its parts."""
    seen: set[str] = set()
    before = ""
    for name in names:
        if not all(name.split(".")):
            raise ValueError(f"parts takes names such as 'head' or 'head.query'; got {name!r}: give each a name")
        for path in _around(name):
            if path in seen and path not in _around(before):
                raise ValueError(
                    f"the parts of {path!r} must follow each other; got {name!r} after {before!r}: put it before"
                )
            seen.add(path)
        before = name


def _is_seen(x: Any, within: set[Value]) -> bool:
    """Whether x is a number, or a Value of the graph."""
    return not isinstance(x, Value) or x in within


def _around(name: str) -> list[str]:
    """The parts around a part and itself, outermost first.

    >>> _around("block.head.query")
    ['block', 'block.head', 'block.head.query']
    """
    pieces = name.split(".")
    return [".".join(pieces[: n + 1]) for n in range(len(pieces))]


def _rows(name: str, results: Any) -> Iterator[list[Any]]:
    """The results as rows of Values and numbers: lists of any depth, one after the other."""
    if isinstance(results, Value) or real_or_none(results) is not None:
        yield [results]
        return
    if isinstance(results, str | bytes | Mapping) or not isinstance(results, Iterable):
        raise TypeError(f"parts takes Values, or lists of them; got {shown(results)} ({kind_of(results)}) for {name!r}")
    listed = list(results)
    if all(isinstance(x, Value) or real_or_none(x) is not None for x in listed):
        yield listed
    else:
        for inner in listed:
            yield from _rows(name, inner)


def _needed(nodes: Sequence[Value], within: set[Value], taken: Mapping[Value, str]) -> list[Value]:
    """The nodes and all that they need, without what other parts have."""
    needed = [node for node in dict.fromkeys(nodes) if node in within and node not in taken]
    seen = set(needed)
    for node in needed:  # the list grows while it is read
        new = [p for p in dict.fromkeys(node.parents) if p in within and p not in seen and p not in taken]
        needed += new
        seen.update(new)
    return needed


def _share_leaves(order: Sequence[Value], found: Parts) -> None:
    """Takes the leaves that several parts use, or a part and what is none, out of the part that came first."""
    results = {x for rows in found.rows.values() for row in rows for x in row if isinstance(x, Value)}
    for node in order:
        for parent in node.parents:
            path = found.path_of.get(parent)
            if path not in (None, found.path_of.get(node)) and not parent.operation and parent not in results:
                del found.path_of[parent]


def _called(name: str, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Value, str]]:
    """What each result of a part is called."""
    for i, row in enumerate(rows):
        for k, node in enumerate(row):
            if isinstance(node, Value):
                places = [i] * (len(rows) > 1) + [k] * (len(row) > 1 or len(rows) > 1)
                yield node, name + "".join(f"[{place}]" for place in places)


# Which are opened


def opened_parts(expand: Any, parts: Parts) -> set[str]:
    """The parts that are drawn opened, with those around them.

    Arguments:
        expand: True for all, False for none; or the name of a part, or several.
        parts: those of the graph.

    Raises:
        TypeError: expand is nothing of that kind.
        ValueError: there is no such part.
    """
    if isinstance(expand, bool):
        return set(parts.paths) if expand else set()
    opened: set[str] = set()
    for name in [expand] if isinstance(expand, str) else _listed(expand):
        if name not in parts.paths:
            listed = ", ".join(parts.paths[:8]) + ", ..." * (len(parts.paths) > 8)
            raise ValueError(f"expand takes the name of a part; got {name!r}: there are {listed}")
        opened.update(_around(name))
    return opened


def _listed(expand: Any) -> list[Any]:
    if isinstance(expand, list | tuple | set | frozenset) and all(isinstance(name, str) for name in expand):
        return list(expand)
    raise TypeError(f"expand takes True, False, or names of parts; got {shown(expand)} ({kind_of(expand)})")


# The picture


def parts_scene(order: Sequence[Value], parts: Parts, expand: Any, modules: Modules, most: int) -> Scene:
    """A box for each part that is not opened; all else node by node, or folded where that would be too many boxes.

    Arguments:
        order: the graph, parents first.
        parts: those of the graph.
        expand: which of them are opened, as `opened_parts` takes it.
        modules: where the nodes belong.
        most: with more boxes, nodes that are alike share one.
    """
    opened = opened_parts(expand, parts)
    numbers: dict[str, int] = {}
    known: dict[Value, int] = {}
    for node, name in parts.path_of.items():
        path = next((path for path in _around(name) if path not in opened), None)
        if path is not None:
            known[node] = numbers.setdefault(path, len(numbers))
    groups = dict(known)
    for node in order:
        groups.setdefault(node, len(numbers) + len(groups))
    if len(set(groups.values())) > most:
        groups = alike(order, known)
    paths = {number: path for path, number in numbers.items()}
    places = parts.places(modules)

    def boxed(scene: Scene, group: int, nodes: Sequence[Value]) -> Box:
        if group in paths:
            return _part_box(scene, paths[group], nodes, parts, places)
        if len(nodes) > 1:
            return lot(scene, nodes, places, same=True)
        return _node_box(scene, nodes[0], parts, places)

    scene = folded_scene(order, groups, len(order), boxed)
    for node in order:
        box = scene.box_of[scene.index_of(node)]
        if groups[node] not in paths and scene.boxes[box].kind != "folded":
            scene.arrows += constant_arrows(scene, node, box, places).values()
    scene.join_parallel_arrows()
    return scene


def _node_box(scene: Scene, node: Value, parts: Parts, places: Modules) -> Box:
    """The box of a node; a result of a part is called so, with its operation below."""
    box = box_for(scene, node, places)
    if node in parts.names:
        box.lines[:1] = [(parts.names[node],), *([(node.operation,)] if node.operation else [])]
    return box


def _part_box(scene: Scene, path: str, nodes: Sequence[Value], parts: Parts, places: Modules) -> Box:
    """One box for a part: its name, its results row by row, and the size of its gradients.

    A single result, such as a loss, has its own gradient there."""
    around, _, last = path.rpartition(".")
    rows = _results(path, parts)
    if sum(map(len, rows)) == 1 and isinstance(rows[0][0], Value):
        box = _node_box(scene, rows[0][0], parts, places)
        box.nodes, box.kind = [scene.index_of(node) for node in nodes], box.kind if len(nodes) == 1 else "folded"
    else:
        box = lot(scene, nodes, places, same=False)
        box.lines = [(printable(last),), *_numbers_of(scene, rows), box.lines[-1]]
    box.module, box.tooltip = around, joined(f"part {printable(path)}: ", box.tooltip)
    return box


def _results(path: str, parts: Parts) -> list[list[Any]]:
    """What a part gives: its own results, or where it has only parts those of the last one."""
    inside = [name for name in parts.rows if name == path or name.startswith(f"{path}.")]
    return parts.rows[path if path in inside else inside[-1]]


def _numbers_of(scene: Scene, rows: Sequence[Sequence[Any]]) -> list[Text]:
    """The rows of numbers as lines of a box."""
    lines: list[Text] = []
    for row in rows[:MOST_SHOWN]:
        numbers: list[Text] = [
            ("", f"v{scene.index_of(x)}", "") if isinstance(x, Value) else (f"{x:.3g}",) for x in row[:MOST_SHOWN]
        ]
        spaced: list[Text | str] = [numbers[0]] if numbers else []
        for number in numbers[1:]:
            spaced += [", ", number]
        lines.append(joined(*spaced, ", …" * (len(row) > MOST_SHOWN)))
    return lines + [("…",)] * (len(rows) > MOST_SHOWN)
