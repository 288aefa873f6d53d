"""What does a network look like, as people draw it? Neurons in columns by layer, weights on the lines between them.

`neurons.py` finds the neurons of a graph. A box stands for one neuron, for all examples. What is no neuron has boxes as
in any graph, in columns between. `layers.py` draws a model alone.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd.drawing.folding import alike, levels, link, lot, sum_box, sum_ends
from autograd.drawing.moments import name_in_module, path_of
from autograd.drawing.neurons import Edge, Use, is_parameter, uses_of
from autograd.drawing.scene import (
    MOST_CONSTANTS,
    NETWORK_DIGITS,
    NOWHERE,
    Arrow,
    Box,
    Modules,
    Scene,
    box_for,
    common,
    constant_box,
    plain,
)
from autograd.drawing.text import Text, joined, printable
from autograd.steps import parent_slots
from autograd.value import Value

MOST_IN_A_LAYER = 8
"""How many neurons of a layer are drawn, and how many inputs: of more, `ENDS` at each end and a box for the others."""

ENDS = 3

MOST_LABELS = 20
"""How many lines into a column have their numbers on them."""

MOST_COLUMNS = 12
"""In a picture with more columns, chains of boxes between the neurons are one box. If that does not help, so are the
columns in the middle, except so many at the ends; and then lines have no numbers, which would make it too wide."""

FIRST_COLUMNS, LAST_COLUMNS = 3, 5

NOTES = {
    "labelled": "on each line: weight and gradient",
    "bare": "each line is a weight",
    "derivative": ", or local derivative",
    "colours": "; blue: gradient above 0, orange: below; thick: large",
    "several": "; in a box for several: the root mean square of their gradients",
}
"""What the line below a picture may say."""

LONG_SUM = 4
"""A chain of so many `add` shares a box."""


@dataclass
class Group:
    """What one box stands for: a neuron, an input, a lot of nodes, a constant.

    `kind` is a box's kind. `layer` is the same for neurons that stand in one column, and for the inputs of a layer;
    `place` is the order among them. `numbers` are the plain numbers of an input or a constant. `product` is the operand
    of a `dot` whose product with its partner this is, where the `dot` is spelled out.
    """

    kind: str
    nodes: list[Value] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    layer: Hashable = None
    place: int = 0
    title: str = ""
    count: int = 1
    column: int = 0
    product: "Edge | None" = None


Line = tuple[int, int, Value | Edge | None]
"""From one group to another: the weight that stands on it, or the only operand that it is, or None for several."""


def network_scene(
    order: Sequence[Value], modules: Modules, model: Any, opened: Callable[[str], bool], most: int
) -> Scene | None:
    """The drawing of a graph as a network, or None where no neuron is found, or where it would have too many boxes.

    Arguments:
        order: the graph, parents first.
        modules: where its nodes belong.
        model: has `named_modules()` and `named_parameters()`.
        opened: whether the neurons of the module of that name are drawn as products and sums.
        most: the largest number of boxes.
    """
    named = dict(model.named_modules())
    weights = {path: m.w for path, m in named.items() if isinstance(getattr(m, "w", None), list | tuple)}
    uses = uses_of(order, modules, weights, opened)
    if not uses:
        return None
    for weights_elsewhere in (True, False):
        network = _Network(order, modules, named, uses, opened, weights_elsewhere)
        if network.place_in_columns():
            network.fold()
            return network.scene() if len(network.groups) <= most else None
    return None


class _Network:
    """The groups of a graph, and the lines between them.

    A weight that stands on a line may be used elsewhere too, in a penalty for large weights: then a line leads there
    from its neuron (`weights_elsewhere`), unless that would make a circle.
    """

    def __init__(
        self,
        order: Sequence[Value],
        modules: Modules,
        named: Mapping[str, Any],
        uses: Sequence[Use],
        opened: Callable[[str], bool],
        weights_elsewhere: bool,
    ) -> None:
        self.order, self.modules, self.named, self.opened = order, modules, named, opened
        self.deep = False
        self.groups: dict[int, Group] = {}
        self.lines: dict[Line, list[Edge]] = defaultdict(list)
        self._ids: dict[Hashable, int] = {}
        self.ranks = {p: i for i, p in enumerate(p for p in modules if is_parameter(p, modules))}
        self.use_of = {node: use for use in uses for node in use.members}
        self.unit_of: dict[Use, int] = {}
        self.places: dict[Edge, int] = {}
        self.weight_at: dict[Edge, Value] = {}
        for use in uses:
            for place, (weight, at) in enumerate(use.inputs.items()):
                self.places[at], self.weight_at[at] = place, weight
            for place, at in enumerate(use.others, len(use.inputs)):
                self.places[at] = place
        self._add_units(uses)
        self.on_lines = self._weights_on_lines(uses, weights_elsewhere)
        ends = sum_ends(order, self.use_of)
        lengths = Counter(ends.values())
        self.long_sums = {end for end, count in lengths.items() if count >= LONG_SUM - 1}
        self.sums = {node: end for node, end in ends.items() if end in self.long_sums}
        self.home = self._homes()
        self._add_groups()
        self._add_lines()

    def _id(self, key: Hashable) -> int:
        return self._ids.setdefault(key, len(self._ids))

    # Which box a node is in

    def _add_units(self, uses: Sequence[Use]) -> None:
        """A group for each neuron. One that is used again on what came of it, as in a recurrent network, is another:
        so no line leads back."""
        depth: dict[Value, int] = {}
        totals = {use.total: use for use in uses}
        for node in self.order:
            if node in totals:
                use = totals[node]
                depth[node] = 1 + max((depth[x] for x in use.feeds() if isinstance(x, Value)), default=0)
                group = self._id((frozenset(use.inputs), depth[node]))
                self.unit_of[use] = group
                first = next(iter(use.inputs))
                layer = (layer_of(use.module), depth[node])
                kept = self.groups.setdefault(
                    group, Group("neuron", layer=layer, place=self.ranks[first], title=self._title(use))
                )
                kept.uses.append(use)
            else:
                depth[node] = max((depth[parent] for parent in node.parents), default=0)
        self.several = any(len(group.uses) > 1 for group in self.groups.values())

    def _title(self, use: Use) -> str:
        """What a neuron is called: its label, or its number in its layer."""
        if label := use.members[-1].label or use.total.label:
            return printable(label)
        weight = next(iter(use.inputs))
        path, kind = path_of(use.module), "neuron"
        if not hasattr(self.named[use.module], "w"):
            numbers = self.modules[weight].name.split(".")[1:][: 1 if len(use.inputs) == 1 else -1]
            path, kind = ".".join([path, *numbers]).strip("."), type(self.named[use.module]).__name__
        return printable(f"{kind} {path}".strip())

    def _weights_on_lines(self, uses: Sequence[Use], elsewhere: bool) -> dict[Value, int]:
        """The weights and biases that one neuron alone uses, and its group."""
        heads: dict[Value, set[int]] = defaultdict(set)
        used: Counter[Value] = Counter()
        for use in uses:
            for parameter in [*use.inputs, *([] if use.bias is None else [use.bias])]:
                heads[parameter].add(self.unit_of[use])
                used[parameter] += 1
        consumers = Counter(parent for node in self.order for parent in node.parents)
        return {
            parameter: next(iter(units))
            for parameter, units in heads.items()
            if len(units) == 1 and (elsewhere or consumers[parameter] == used[parameter])
        }

    def _homes(self) -> dict[Value, int]:
        """The group of each node. If neurons are used for several examples, nodes that are alike share one."""
        known = {node: self.unit_of[use] for node, use in self.use_of.items()} | self.on_lines
        for node in self.order:
            if node not in known and (not self.several or is_parameter(node, self.modules)):
                known[node] = self._id(self._lot_of(node))
        return alike(self.order, known, self.places) if self.several else known

    def _lot_of(self, node: Value) -> Hashable:
        """What nodes share a box: the terms of a penalty for large weights, and a long sum."""
        if node.operation and node.parents and all(parent in self.on_lines for parent in node.parents):
            return "penalty", node.operation
        if (end := self.sums.get(node, node)) is not node or node in self.long_sums:
            return "sum", end
        return node

    def _add_groups(self) -> None:
        for node in self.order:
            group = self.home[node]
            if node in self.on_lines:
                continue
            kept = self.groups.setdefault(group, Group("operation" if node.operation else "leaf"))
            kept.nodes.append(node)
        self._ids, self._next = {}, 1 + max(self.groups)

    def _new(self, group: Group, key: Hashable) -> int:
        """The number of the group with that key, which is added if there is none."""
        if key not in self._ids:
            self._ids[key] = self._next
            self.groups[self._next] = group
            self._next += 1
        return self._ids[key]

    # The lines

    def _add_lines(self) -> None:
        for node in self.order:
            head = self.home[node]
            use = self.use_of.get(node)
            operands, spelled_out = node.operands, self._is_spelled_out(node)
            constants = sum(not isinstance(operand, Value) for operand in operands)
            for slot, operand in enumerate(operands):
                at = node, slot
                if isinstance(operand, Value):
                    tail = self.home[operand]
                    if tail == head:
                        continue
                    if at in self.places and self.groups[tail].kind == "leaf":
                        self._mark_input(tail, head, at)
                elif use is not None and at not in self.places:
                    continue  # the 0 that a sum begins with
                elif use is not None:
                    tail = self._number_input(operand, head, at)
                else:
                    together = self.several or constants > MOST_CONSTANTS
                    tail = self._new(Group("constant"), ("constant", head, None if together else slot))
                    self.groups[tail].numbers.append(operand)
                weight = self.weight_at.get(at)
                if spelled_out and slot < len(operands) // 2 * 2:
                    self.lines[tail, self._product(node, slot, head), None].append(at)
                else:
                    lone = None if self.several or self._is_lot(tail) or self._is_lot(head) else at
                    self.lines[tail, head, weight if weight in self.on_lines else lone].append(at)

    def _is_lot(self, group: int) -> bool:
        """Whether a group stands for several nodes that are not one neuron's."""
        return len(self.groups[group].nodes) > 1 and not self.groups[group].uses

    def _is_spelled_out(self, node: Value) -> bool:
        return (
            node.operation == "dot" and node not in self.use_of and self.opened(self.modules.get(node, NOWHERE).module)
        )

    def _product(self, node: Value, slot: int, total: int) -> int:
        """The group of one product in a `dot` that is spelled out, with its line to the sum.

        That line has the complement of the slot, since the slot itself is that of the line to the product."""
        place = slot % (len(node.operands) // 2)
        product = self._new(Group("operation", title="mul", product=(node, place)), ("product", total, place))
        if slot == place:
            self.lines[product, total, None].append((node, ~place))
        return product

    def _mark_input(self, tail: int, head: int, at: Edge) -> None:
        """A leaf that enters a neuron is an input of its layer."""
        group = self.groups[tail]
        if group.layer is None and not is_parameter(group.nodes[0], self.modules):
            group.layer, group.place = ("inputs", self.groups[head].layer), self.places[at]
            group.title = printable(group.nodes[0].label or f"x{group.place}")

    def _number_input(self, number: float, head: int, at: Edge) -> int:
        """The group of a plain number that enters a layer; its neurons share it."""
        layer, place = ("inputs", self.groups[head].layer), self.places[at]
        key = (layer, place) if self.several else (layer, place, repr(number))
        tail = self._new(Group("input", layer=layer, place=place, title=f"x{place}"), key)
        self.groups[tail].numbers.append(number)
        return tail

    # Columns

    def place_in_columns(self) -> bool:
        """Gives each group its column, so that lines lead to the right and a layer is in one; False for a circle."""

        def stand_in(group: int) -> Hashable:
            return self.groups[group].layer if self.groups[group].uses else group

        links = {(stand_in(head), stand_in(tail)) for tail, head, _ in self.lines}
        level = levels(links)  # of the graph read backwards: the longest way from what nothing leads to
        if any(side not in level for pair in links for side in pair) or any(a == b for a, b in links):
            return False
        for number, group in self.groups.items():
            group.column = level.get(stand_in(number), 0)
        heads: dict[int, list[int]] = defaultdict(list)
        inner = set()
        for tail, head, _ in self.lines:
            heads[tail].append(self.groups[head].column)
            inner.add(head)
        for number in heads.keys() - inner:  # leaves and numbers stand just before what uses them
            self.groups[number].column = min(heads[number]) - 1
        return True

    # Folding

    def fold(self) -> None:
        """Merges groups until the picture has few columns, and each column few groups."""
        for lots in (self._chains, self._inner_columns):
            if self._columns() > MOST_COLUMNS:
                self.deep = lots == self._inner_columns
                self._merge(lots())
                self.place_in_columns()
        self._merge(self._middles())
        self._merge(self._crowds())

    def _columns(self) -> int:
        return 1 + max(group.column for group in self.groups.values())

    def _merge(self, lots: Iterable[tuple[Group, Sequence[int]]]) -> None:
        """Puts a new group in the place of each lot of groups, with their lines."""
        ends: dict[int, int] = {}
        for new, lot_of in lots:
            old = [self.groups[number] for number in lot_of]
            for group in old:
                new.nodes += group.nodes
                new.uses += group.uses
                new.numbers += group.numbers
            new.count, new.column = sum(group.count for group in old), old[0].column
            new.place = old[0].place
            ends |= dict.fromkeys(lot_of, self._new(new, ("lot", tuple(lot_of))))
        if not ends:
            return
        new_ones = set(ends.values())
        self.home = {node: ends.get(group, group) for node, group in self.home.items()}
        self.groups = {number: group for number, group in self.groups.items() if number not in ends}
        lines: dict[Line, list[Edge]] = defaultdict(list)
        for (tail, head, weight), between in self.lines.items():
            pair = ends.get(tail, tail), ends.get(head, head)
            if pair[0] != pair[1]:
                lines[*pair, weight] += between
        alongside = Counter((tail, head) for tail, head, _ in lines)
        together: dict[Line, list[Edge]] = defaultdict(list)
        for (tail, head, weight), between in lines.items():
            several = alongside[tail, head] > 1 and not {tail, head}.isdisjoint(new_ones)
            together[tail, head, None if several else weight] += between
        self.lines = together

    def _chains(self) -> Iterator[tuple[Group, list[int]]]:
        """Operations of which each is all that the next one uses, constants apart; not those of the loss."""
        last = max(group.column for group in self.groups.values() if group.uses)
        parents, users = defaultdict(set), defaultdict(set)
        for tail, head, _ in self.lines:
            users[tail].add(head)
            if self.groups[tail].kind != "constant":
                parents[head].add(tail)

        def plain(number: int) -> bool:
            return self.groups[number].kind == "operation" and self.groups[number].column < last

        after = {
            number: user
            for number in self.groups
            if plain(number) and len(users[number]) == 1
            for user in users[number]
            if plain(user) and len(parents[user]) == 1
        }
        for start in after.keys() - set(after.values()):
            chain = [start]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            inside = set(chain)
            chain += [t for t, h, _ in self.lines if h in inside and self.groups[t].kind == "constant"]
            yield Group("folded", title="chain"), chain

    def _middles(self) -> Iterator[tuple[Group, list[int]]]:
        """The middle neurons of each wide layer, and the middle ones of many inputs."""
        layers: dict[Hashable, list[int]] = defaultdict(list)
        for number, group in self.groups.items():
            if group.layer is not None:
                layers[group.layer].append(number)
        for layer, numbers in layers.items():
            numbers.sort(key=lambda number: self.groups[number].place)
            if len(numbers) > MOST_IN_A_LAYER:
                middle = numbers[ENDS:-ENDS]
                what = "neurons" if self.groups[middle[0]].uses else "inputs"
                yield Group("folded", layer=layer, title=f"+{len(middle):,} {what}"), middle

    def _crowds(self) -> Iterator[tuple[Group, list[int]]]:
        """Where a column has many boxes that are neither neurons nor inputs, those of one operation."""
        columns: dict[int, list[int]] = defaultdict(list)
        for number, group in self.groups.items():
            if group.layer is None:
                columns[group.column].append(number)
        for numbers in columns.values():
            if len(numbers) > MOST_IN_A_LAYER:
                kinds: dict[tuple[str, str], list[int]] = defaultdict(list)
                for number in numbers:
                    group = self.groups[number]
                    what = group.nodes[0].operation if group.nodes else group.title
                    kinds[group.kind, what].append(number)
                for (kind, title), alike_ones in kinds.items():
                    if len(alike_ones) > 1:
                        title = "" if self.groups[alike_ones[0]].nodes else f"{title} ×{len(alike_ones):,}"
                        yield Group("constant" if kind == "constant" else "folded", title=title), alike_ones

    def _inner_columns(self) -> Iterator[tuple[Group, list[int]]]:
        """The columns in the middle of a deep network."""
        columns = self._columns()
        inner = range(FIRST_COLUMNS, columns - LAST_COLUMNS)
        numbers = [number for number, group in self.groups.items() if group.column in inner]
        layers = {self.groups[number].layer for number in numbers if self.groups[number].uses}
        title = f"{len(layers):,} layers" if layers else f"{len(inner)} columns"
        yield Group("folded", layer=("inner", inner.start), title=title), numbers

    # The picture

    def scene(self) -> Scene:
        """The boxes, column by column, and the arrows."""
        scene = Scene(form="network")
        for node in self.order:
            scene.index_of(node)
        boxes = {number: scene.add(self._box(scene, self.groups[number])) for number in self._rows()}
        scene.box_of |= {scene.index_of(node): boxes[group] for node, group in self.home.items()}
        strips = Counter(self.groups[head].column for _, head, _ in self.lines)
        for (tail, head, weight), between in self.lines.items():
            weight = None if isinstance(weight, tuple) else weight
            arrow = self._arrow(scene, boxes[tail], boxes[head], weight, between)
            if strips[self.groups[head].column] > MOST_LABELS or self.deep:
                arrow.lines = []
            scene.arrows.append(arrow)
        scene.join_parallel_arrows()
        scene.note = self._note(scene)
        return scene

    def _rows(self) -> list[int]:
        """The groups in the order of the boxes: column by column. In a column, neurons and inputs keep their order;
        every other one stands where what leads to it is in the middle, or what it leads to."""
        height = dict.fromkeys(self.groups, 0.0)
        columns: dict[int, list[int]] = defaultdict(list)
        for number, group in self.groups.items():
            columns[group.column].append(number)
        parents, users = defaultdict(list), defaultdict(list)
        for tail, head, _ in self.lines:
            parents[head].append(tail)
            users[tail].append(head)

        def spread(numbers: list[int]) -> None:
            for row, number in enumerate(numbers):
                height[number] = row - (len(numbers) - 1) / 2

        def middle(number: int) -> float:
            near = [height[n] for n in parents[number] or users[number]]
            return sum(near) / len(near) if near else 0.0

        for _ in range(2):  # leaves look to what uses them, which has a height from the first time on
            for column in sorted(columns):
                layered = [number for number in columns[column] if self.groups[number].layer is not None]
                layered.sort(key=lambda number: (str(self.groups[number].layer), self.groups[number].place))
                spread(layered)
                others = [number for number in columns[column] if self.groups[number].layer is None]
                for number in others:
                    height[number] = middle(number)
                columns[column] = [
                    *layered,
                    *sorted(others, key=height.__getitem__),
                ]  # so that frames hold a layer alone
                spread(columns[column])
        return [number for column in sorted(columns) for number in columns[column]]

    def _box(self, scene: Scene, group: Group) -> Box:
        box = self._unplaced_box(scene, group)
        box.column = group.column
        if not group.uses and box.module in {layer_of(use.module) for use in self.unit_of}:
            box.module = ""  # a layer's frame is about its neurons
        return box

    def _unplaced_box(self, scene: Scene, group: Group) -> Box:
        if group.uses and group.kind == "neuron":
            return _neuron_box(scene, group)
        if group.uses:
            return _folded_box(scene, group, common(layer_of(use.module) for use in group.uses))
        if group.kind == "constant":
            many = f"{len(group.numbers):,} numbers"
            return (
                constant_box(group.numbers[0], digits=NETWORK_DIGITS)
                if len(group.numbers) == 1
                else Box("constant", [(many,)])
            )
        if group.kind == "input":
            if len(set(group.numbers)) > 1:
                what = full = f"{self._examples(group)} numbers"
            else:
                what, full = plain(group.numbers[0], NETWORK_DIGITS), repr(group.numbers[0])
            return Box("input", [(group.title,), (what,)], tooltip=(f"{group.title}: {full}",))
        if group.product is not None:
            index, slot = scene.index_of(group.product[0]), group.product[1]
            grad = ("grad ", f"g{index}", "")
            lines: list[Text] = [("mul",)] if self.several else [("mul",), ("data ", f"m{index}.{slot}", ""), grad]
            return Box("operation", lines, colour="" if self.several else f"g{index}")
        if group.kind == "folded" and group.title:
            return _folded_box(scene, group, "")
        if len(group.nodes) > 1 and self.order[-1] in group.nodes:
            return sum_box(scene, group.nodes, self.modules)
        if len(group.nodes) > 1:
            box = lot(scene, group.nodes, self.modules, same=group.kind != "folded")
        else:
            box = box_for(scene, group.nodes[0], self.modules)
        place = self.modules.get(group.nodes[0], NOWHERE)
        if len(group.nodes) == 1 and self._is_spelled_out(group.nodes[0]) and not group.nodes[0].label:
            box.lines[0] = ("sum",)
        if group.title:
            box.lines[0] = (group.title if len(group.nodes) == 1 else f"{group.title} ×{len(group.nodes):,}",)
        elif len(group.nodes) == 1 and place.name:
            box.lines[0] = (printable(group.nodes[0].label or name_in_module(group.nodes[0], self.modules)),)
            box.module = ""
        return box

    def _examples(self, group: Group) -> int:
        """How many examples an input belongs to: each of the layer's neurons has it once for each."""
        neurons = [g for g in self.groups.values() if g.uses and ("inputs", g.layer) == group.layer]
        return len(group.numbers) // max(1, sum(g.count for g in neurons))

    def _arrow(self, scene: Scene, tail: int, head: int, weight: Value | None, between: Sequence[Edge]) -> Arrow:
        node, slot = between[0]
        index = scene.index_of(node)
        if weight is not None:
            leaf = scene.index_of(weight)
            name = ".".join(filter(None, self.modules[weight]))
            lines: list[Text] = [("", f"v{leaf}", ""), ("grad ", f"g{leaf}", "")]
            tooltip = (f"{printable(name)}: data ", f"v{leaf}", ", grad ", f"g{leaf}", "")
            return Arrow(tail, head, f"e_{index}_{slot}", lines, f"g{leaf}", leaf, len(between), tooltip)
        if slot < 0:
            label, colour = (f"×{len(between):,}", "") if len(between) > 1 else ("1", f"g{index}")
            return Arrow(tail, head, f"p_{index}_{~slot}", [(label,)], colour, count=len(between))
        if slot not in parent_slots(node):
            return Arrow(tail, head, f"e_{index}_{slot}", count=len(between))
        return link(scene, tail, head, between)

    def _note(self, scene: Scene) -> str:
        labelled = any(arrow.lines and arrow.leaf >= 0 for arrow in scene.arrows)
        note = NOTES["labelled" if labelled else "bare"]
        if labelled and any(len(arrow.lines) == 1 and len(arrow.lines[0]) > 1 for arrow in scene.arrows):
            note += NOTES["derivative"]
        note += NOTES["colours"]
        if self.several or any(group.kind == "folded" for group in self.groups.values()):
            note += NOTES["several"]
        return note


def layer_of(module: str) -> str:
    """The layer that a neuron belongs to, by dotted name.

    >>> layer_of("layers.0.neurons.3"), layer_of("head")
    ('layers.0', 'head')
    """
    parts = module.split(".")
    if parts[-1].isdigit():
        parts = parts[:-1]
        if parts and parts[-1] == "neurons":
            parts = parts[:-1]
    return ".".join(parts)


def _neuron_box(scene: Scene, group: Group) -> Box:
    """A neuron: its bias, its sum and its activation with their gradients; for several examples how many."""
    first = group.uses[0]
    lines: list[Text] = [(group.title,)]
    nodes = [scene.index_of(node) for node in sorted_by_index(scene, group.nodes)]
    bias = [] if first.bias is None else [("b ", f"v{scene.index_of(first.bias)}", "")]
    colour = ""  # a root mean square has no sign
    if len(group.uses) > 1:
        grad = f"q{len(scene.boxes)}"
        lines += [(f"{len(group.uses):,} examples",), *bias]
    else:
        total = scene.index_of(first.total)
        grad = colour = f"g{total}"
        lines += [*bias, ("sum ", f"v{total}", "")]
    lines.append(("grad ", grad, ""))
    if len(group.uses) == 1 and first.activation is not None:
        result = scene.index_of(first.activation)
        lines += [(f"{first.activation.operation} ", f"v{result}", ""), ("grad ", f"g{result}", "")]
    tooltip = joined(printable(first.module or group.title, most=100), ": grad ", ("", grad, ""))
    return Box("neuron", lines, nodes, colour, layer_of(first.module), tooltip)


def sorted_by_index(scene: Scene, nodes: Iterable[Value]) -> list[Value]:
    """The nodes in the order of the scene, parents first."""
    return sorted(nodes, key=scene.index_of)


def _folded_box(scene: Scene, group: Group, module: str) -> Box:
    """Several neurons, inputs or steps of a chain in one box."""
    nodes = [scene.index_of(node) for node in sorted_by_index(scene, group.nodes)]
    lines: list[Text] = [(group.title,)]
    code = f"q{len(scene.boxes)}" if nodes else ""
    if group.title == "chain":
        counts = Counter(node.operation for node in group.nodes)
        lines = [(f"{len(nodes):,} operations",), (", ".join(list(counts)[:4]) + ", …" * (len(counts) > 4),)]
    if code:
        lines.append(("grad ", code, ""))
    return Box("folded", lines, nodes, "", module, (f"{group.title}, folded into one box",))
