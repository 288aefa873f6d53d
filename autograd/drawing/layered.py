"""Where do boxes stand whose arrows all lead one way, and how do the arrows run between them?

The layered layout of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures"
(1981), in the steps of Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs" (1993):

1. each box has a layer, after those of the boxes that lead to it;
2. an arrow over several layers passes each of those between at a point of its own, which takes up room as a box does;
3. the boxes and points of a layer are ordered so that few arrows cross;
4. they are moved towards their neighbours, as far as their order and their sizes allow;
5. between two layers there is a zone where arrows fan out, and then a strip where they run straight, with their labels
   on them. So no arrow runs through a box, and no label lies on another.

Boxes in one frame are a group, which is placed by itself and then moved as a whole.

All is said in two directions: `along` the arrows, and `across` them. `layout.py` makes x and y of it.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

Point = tuple[float, float]


@dataclass(frozen=True)
class Spacing:
    """Distances in pixels. `fan` is the least and the greatest length of the zone where arrows fan out, `tip` that of
    the zone between labels and boxes, and `slope` the length for each pixel that an arrow moves across."""

    boxes: float = 14.0
    lines: float = 5.0
    points: float = 16.0
    labels: float = 3.0
    lane: float = 3.0
    tip: tuple[float, float] = (14.0, 14.0)
    fan: tuple[float, float] = (18.0, 90.0)
    slope: float = 0.35


@dataclass
class Task:
    """What is to be arranged: sizes of boxes and labels (along, across), and the arrows as (tail, head).

    `columns` are the layers of boxes, where they are given; with `keep_order`, boxes of a layer stand in the order of
    their numbers. `above` is how far before its line (across) a label's middle stands, 0 for on it. Where
    `labels_in_rows`, labels make no layer wider than the widest one is without: those of a box then stand in several
    rows. A `light` box gives way to others.

    `groups` are the frames that boxes stand in, "" for none: no other box stands among those of a group. `before` are
    further pairs of boxes of which the first has an earlier layer. `border` is the room that a frame needs: along,
    before its first layer, and across, at its beginning and at its end.
    """

    boxes: list[Point]
    arrows: list[tuple[int, int]]
    labels: list[Point]
    above: list[float]
    columns: list[int | None]
    light: list[bool]
    keep_order: bool
    spacing: Spacing
    labels_in_rows: bool
    groups: list[str]
    before: list[tuple[int, int]]
    border: tuple[float, float, float]


class Arrangement(NamedTuple):
    """The middles of boxes, and of each arrow its Bezier curve and the middle of its label; the layer of each box."""

    boxes: list[Point]
    arrows: list[tuple[list[Point], Point]]
    layers: list[int]


class Link(NamedTuple):
    """One arrow's way from an item to an item of the next layer; `arrow` is the one that ends there, or -1."""

    tail: int
    head: int
    arrow: int


class Lane(NamedTuple):
    """Where a link runs across, before and after the row of its label, and where it meets the box."""

    before: float
    after: float
    row: int
    port: float


def arrange(task: Task) -> Arrangement:
    """Places boxes and arrows. Its time grows with the number of boxes and of the layers that arrows pass."""
    return _Layering(task).arrangement()


# Layers


def layers_of(
    columns: Sequence[int | None], arrows: Sequence[tuple[int, int]], before: Sequence[tuple[int, int]] = ()
) -> tuple[list[int], list[bool]]:
    """The layer of each box, and whether each arrow leads back, which happens only where arrows form a circle.

    A box stands after all that lead to it, at its column or later. One that nothing leads to, and that has no column,
    stands just before what it leads to. Of a pair in `before` the first has an earlier layer, if the arrows allow it.

    >>> layers_of([None] * 4, [(0, 1), (1, 2), (3, 2)])
    ([0, 1, 2, 1], [False, False, False])
    """
    for pairs in ([*arrows, *before], arrows):
        order = _topological_order(len(columns), pairs)
        place = {box: i for i, box in enumerate(order)}
        back = [place[tail] >= place[head] for tail, head in arrows]
        if not any(back):
            break
    links = [(h, t) if leads_back else (t, h) for (t, h), leads_back in zip(arrows, back, strict=True) if t != h]
    led_to = {head for _, head in links}
    tails: dict[int, list[int]] = defaultdict(list)
    heads: dict[int, list[int]] = defaultdict(list)
    for tail, head in (*links, *(pair for pair in before if place[pair[0]] < place[pair[1]])):
        tails[head].append(tail)
        heads[tail].append(head)
    layers = [0] * len(columns)
    for box in order:
        layers[box] = max([columns[box] or 0, *(layers[tail] + 1 for tail in tails[box])])
    for box in reversed(order):
        if columns[box] is None and heads[box] and box not in led_to:
            layers[box] = min(layers[head] for head in heads[box]) - 1
    used = {layer: i for i, layer in enumerate(sorted(set(layers)))}
    return [used[layer] for layer in layers], back


def _topological_order(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """Tails before heads; a circle is opened at its box of the lowest number."""
    waiting, heads = [0] * count, defaultdict[int, list[int]](list)
    for tail, head in arrows:
        waiting[head] += 1
        heads[tail].append(head)
    ready = [box for box in range(count) if not waiting[box]][::-1]
    order: list[int] = []
    done = [False] * count
    lowest = 0
    while len(order) < count:
        if not ready:
            while done[lowest]:
                lowest += 1
            ready.append(lowest)
        box = ready.pop()
        if done[box]:
            continue
        done[box] = True
        order.append(box)
        for head in heads[box]:
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    return order


# Order


def crossings(upper: Sequence[int], pairs: Sequence[tuple[int, int]]) -> int:
    """How many of the lines between two layers cross; `pairs` are the places of their ends.

    >>> crossings([0, 1], [(0, 1), (1, 0)])
    1
    """
    lower = [low for _, low in sorted(pairs)]
    size = max(lower, default=0) + 2
    tree = [0] * size  # a Fenwick tree of the ends that were seen
    total = 0
    for seen, low in enumerate(lower):
        total += seen
        i = low + 1
        while i > 0:
            total -= tree[i]
            i -= i & -i
        i = low + 1
        while i < size:
            tree[i] += 1
            i += i & -i
    return total


# Coordinates


def spread(wanted: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (least weighted squares) that keep their order and their least distances.

    Neighbours that would be too near become a block, whose place is the mean of what its members want (the pool
    adjacent violators algorithm; Barlow et al., "Statistical inference under order restrictions", 1972).

    >>> spread([0.0, 0.0, 50.0], [1.0, 1.0, 1.0], [10.0, 10.0])
    [-5.0, 5.0, 50.0]
    """
    offsets = [0.0]
    for distance in distances:
        offsets.append(offsets[-1] + distance)
    blocks: list[tuple[float, float, int]] = []  # place, weight, members
    for place, weight, offset in zip(wanted, weights, offsets, strict=False):
        block = (place - offset, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            last = blocks.pop()
            total = last[1] + block[1]
            block = ((last[0] * last[1] + block[0] * block[1]) / total, total, last[2] + block[2])
        blocks.append(block)
    places = [place for place, _, members in blocks for _ in range(members)]
    return [place + offset for place, offset in zip(places, offsets, strict=False)]


def _apart(
    layers: Sequence[Sequence[Hashable]], distances: Sequence[Sequence[float]], place: Mapping[Any, float]
) -> dict[Any, float]:
    """Places as near to these that keep all distances in all layers: the mean of those where each unit only moves up,
    and of those where each only moves down. Both keep the distances, and so does their mean."""
    after: dict[Hashable, list[tuple[Hashable, float]]] = defaultdict(list)
    waiting: dict[Hashable, int] = dict.fromkeys(place, 0)
    for layer, apart in zip(layers, distances, strict=True):
        for (one, other), distance in zip(pairwise(layer), apart, strict=True):
            after[one].append((other, distance))
            waiting[other] += 1
    order = [unit for unit, count in waiting.items() if not count]
    for unit in order:
        for other, _ in after[unit]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    up, down = dict(place), dict(place)
    for unit in order:
        for other, distance in after[unit]:
            up[other] = max(up[other], up[unit] + distance)
    for unit in reversed(order):
        for other, distance in after[unit]:
            down[unit] = min(down[unit], down[other] - distance)
    return {unit: (up[unit] + down[unit]) / 2 for unit in place}


MOST_SWAPS = 4
"""How often neighbours are swapped in each sweep."""
LINE_ROOM = 1.5
"""How far across the line of a label that stands beside it reaches."""
SWEEPS = 8
"""How often the order of all layers is improved, forth and back, and then their places. More changes little."""


class _Path:
    """A Bezier curve that grows. Straight pieces that go on in one direction become one."""

    def __init__(self, start: Point) -> None:
        self.points = [start]
        self._level = False  # whether the last piece runs straight along

    def straight_to(self, point: Point) -> None:
        a, c = self.points[-1]
        if point[0] - a < 0.01 and abs(point[1] - c) < 0.01:
            return
        if self._level and point[1] == c:
            del self.points[-3:]
            a, c = self.points[-1]
        self._level = point[1] == c
        self.points += [_between(self.points[-1], point, 1 / 3), _between(self.points[-1], point, 2 / 3), point]

    def curve_to(self, point: Point, flat_start: bool, flat_end: bool) -> None:
        """A curve that leaves, or arrives, straight along, where it is flat."""
        a, c = self.points[-1]
        if point[1] == c or not (flat_start or flat_end):
            return self.straight_to(point)
        reach = (point[0] - a) * 0.45
        near = (a + reach, c) if flat_start else _between((a, c), point, 1 / 3)
        far = (point[0] - reach, point[1]) if flat_end else _between((a, c), point, 2 / 3)
        self._level = False
        self.points += [near, far, point]
        return None

    def middle(self) -> Point:
        return _between(self.points[0], self.points[-1], 0.5)


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


class _Layering:
    """The items (boxes, and points where arrows pass a layer) and what becomes known of them step by step."""

    def __init__(self, task: Task) -> None:
        self.task, self.spacing = task, task.spacing
        self.sizes = list(task.boxes)
        self.boxes = len(task.boxes)
        self.layer, self.back = layers_of(task.columns, task.arrows, task.before)
        self.box_layers = list(self.layer)
        self.group = list(task.groups)
        self.spans = {g: [m for n, m in zip(task.groups, self.layer, strict=True) if n == g] for g in task.groups if g}
        self.ways: list[list[int]] = []
        self.links: list[Link] = []
        self._make_ways()
        self.order: list[list[int]] = [[] for _ in range(1 + max(self.layer, default=-1))]
        self.into: list[list[int]] = [[] for _ in self.layer]
        self.out: list[list[int]] = [[] for _ in self.layer]
        for i, link in enumerate(self.links):
            self.into[link.head].append(i)
            self.out[link.tail].append(i)
        # The items before and after each, kept: 1,000 irregular boxes take 0.7 s in place of 1.1.
        self.near = {
            True: [[self.links[i].tail for i in numbers] for numbers in self.into],
            False: [[self.links[i].head for i in numbers] for numbers in self.out],
        }
        self._order_items()
        self.rows = [1] * len(self.order)
        self._choose_rows()
        self.across = self._places_across()
        self.lanes: dict[Link, Lane] = {}
        for item, numbers in enumerate(self.into):
            if numbers:
                self.lanes |= self._lanes_into(item)
        self.start: list[float] = []
        self.end: list[float] = []
        self.strip: list[tuple[float, float]] = []
        self._places_along()

    def _make_ways(self) -> None:
        """The items that each arrow passes. Arrows from one box share their points, as long as they run together."""
        points: dict[tuple[int, int, str], int] = {}
        made: dict[tuple[int, int], int] = {}
        for arrow, (tail, head) in enumerate(self.task.arrows):
            first, last = (head, tail) if self.back[arrow] else (tail, head)
            way = [first]
            for layer in range(self.layer[first] + 1, self.layer[last]):
                group = self._group_of_point(first, last, layer)
                if (point := points.get((first, layer, group))) is None:
                    point = points[first, layer, group] = len(self.layer)
                    self.layer.append(layer)
                    self.group.append(group)
                    self.sizes.append((0.0, 0.0))
                if (way[-1], point) not in made:
                    made[way[-1], point] = len(self.links)
                    self.links.append(Link(way[-1], point, -1))
                way.append(point)
            if first != last:
                self.links.append(Link(way[-1], last, arrow))
            self.ways.append([*way, last])

    def _group_of_point(self, first: int, last: int, layer: int) -> str:
        """The group inside which an arrow passes a layer: its tail's or its head's, where these reach so far."""
        tail, head = self.group[first], self.group[last]
        if tail and (tail == head or layer <= max(self.spans[tail])):
            return tail
        return head if head and layer >= min(self.spans[head]) else ""

    # Step 3: the order

    def _order_items(self) -> None:
        """The order of the layers: as the boxes are numbered, points where a straight line would pass; and then, unless
        the order is given, the best one of some sweeps, in which each item goes to the mean place of its neighbours."""
        for item in range(self.boxes):
            self.order[self.layer[item]].append(item)
        keys = {item: (i + 0.5) / len(items) for items in self.order for i, item in enumerate(items)}
        straight: dict[int, list[float]] = defaultdict(list)
        for way in self.ways:
            first, last = way[0], way[-1]
            for step, point in enumerate(way[1:-1], 1):
                share = step / (len(way) - 1)
                straight[point].append(keys[first] + (keys[last] - keys[first]) * share)
        for point, wanted in straight.items():
            keys[point] = sum(wanted) / len(wanted)
            self.order[self.layer[point]].append(point)
        for items in self.order:
            self._sort(items, keys)
        if self.task.keep_order:
            return
        best, fewest = [list(items) for items in self.order], self._crossings()
        for sweep in range(2 * SWEEPS):
            if not fewest:
                break
            self._sweep(sweep % 2 == 0)
            self._swap()
            if (count := self._crossings()) < fewest:
                best, fewest = [list(items) for items in self.order], count
        self.order = best

    def _sweep(self, forward: bool) -> None:
        """Orders each layer by the mean places of the neighbours in the layer that was ordered just before."""
        layers = self.order if forward else self.order[::-1]
        for fixed, items in pairwise(layers):
            place = {item: i for i, item in enumerate(fixed)}
            means = {}
            for i, item in enumerate(items):
                near = [place[other] for other in self.near[forward][item]]
                means[item] = sum(near) / len(near) if near else i * len(fixed) / len(items)
            self._sort(items, means)

    def _swap(self) -> None:
        """Swaps neighbours in a layer as long as fewer lines cross then."""
        place = {item: i for items in self.order for i, item in enumerate(items)}

        def crossed(one: int, other: int) -> int:
            """How many lines of two neighbours cross if they stand in this order."""
            return sum(
                place[a] > place[b]
                for before in (True, False)
                for a in self.near[before][one]
                for b in self.near[before][other]
            )

        for _ in range(MOST_SWAPS):
            swapped = False
            for items in self.order:
                for i in range(len(items) - 1):
                    one, other = items[i : i + 2]
                    if self.group[one] == self.group[other] and crossed(one, other) > crossed(other, one):
                        items[i : i + 2] = other, one
                        place[one], place[other] = i + 1, i
                        swapped = True
            if not swapped:
                return

    def _sort(self, items: list[int], keys: Mapping[int, float]) -> None:
        """Sorts a layer, with the items of a group together, and groups in the order of their first boxes."""
        units: dict[Hashable, list[int]] = defaultdict(list)
        for item in sorted(items, key=lambda item: (keys[item], item)):
            units[self.group[item] or item].append(item)
        ordered = sorted(units, key=lambda unit: sum(keys[item] for item in units[unit]) / len(units[unit]))
        groups = iter([name for name in self.spans if name in units])
        ordered = [next(groups) if isinstance(unit, str) else unit for unit in ordered]
        items[:] = [item for unit in ordered for item in units[unit]]

    def _crossings(self) -> int:
        place = {item: i for items in self.order for i, item in enumerate(items)}
        pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for link in self.links:
            pairs[self.layer[link.tail]].append((place[link.tail], place[link.head]))
        return sum(crossings([], of_layer) for of_layer in pairs.values())

    # Labels, and the room that they need

    def _label(self, link: Link) -> Point:
        return self.task.labels[link.arrow] if link.arrow >= 0 else (0.0, 0.0)

    def _reach(self, link: Link) -> tuple[float, float]:
        """How far across a line reaches with its label, before it and after it."""
        across, above = self._label(link)[1], self.task.above[link.arrow] if link.arrow >= 0 else 0.0
        if not across:
            return self.spacing.lines / 2, self.spacing.lines / 2
        return across / 2 + above + self.spacing.labels / 2, max(
            across / 2 - above, LINE_ROOM
        ) + self.spacing.labels / 2

    def _lanes(self, links: Sequence[Link]) -> list[float]:
        """Where the lines into a box run, relative to its middle, so that labels stand beside each other."""
        lanes, edge = [], 0.0
        for before, after in map(self._reach, links):
            lanes.append(edge + before)
            edge += before + after
        return [lane - (lanes[0] + lanes[-1]) / 2 for lane in lanes]

    def _band(self, item: int, rows: int) -> float:
        """How far across the lines into an item reach with their labels; 0 without labels."""
        links = [self.links[i] for i in self.into[item]]
        widest = max((self._label(link)[1] for link in links), default=0.0)
        if not widest:
            return 0.0
        if rows > 1:
            return widest + self.spacing.labels * 2 + self.spacing.lane * (len(links) - 1)
        lanes, reaches = self._lanes(links), [self._reach(link) for link in links]
        return 2 * max(reaches[0][0] - lanes[0], lanes[-1] + reaches[-1][1])

    def _room(self, item: int, rows: int) -> float:
        """How far across an item reaches, with a distance to its neighbours."""
        own = self.sizes[item][1] if item < self.boxes else self.spacing.points
        return max(own + self.spacing.boxes, self._band(item, rows) + self.spacing.labels)

    def _choose_rows(self) -> None:
        """Labels stand in one row, or, where that would make a layer wider than all are without, each in its own."""
        if not self.task.labels_in_rows:
            return
        widest = max(sum(self.sizes[i][1] + self.spacing.boxes for i in items) for items in self.order)
        for layer, items in enumerate(self.order):
            if sum(self._room(item, 1) for item in items) > widest:
                self.rows[layer] = max(len(self.into[item]) for item in items)

    # Step 4: places

    def _places_across(self) -> dict[int, float]:
        """Each layer centred, if the order is given; otherwise each item near its neighbours: first in each group, then
        the groups, which are rigid, and all else."""
        half = {
            item: self._room(item, self.rows[layer]) / 2 for layer, items in enumerate(self.order) for item in items
        }
        if self.task.keep_order:
            return self._centred(half)
        unit_of: dict[int, Hashable] = {item: group or item for item, group in enumerate(self.group)}
        inner: dict[int, float] = {}
        halves: dict[Hashable, float] = {item: half[item] for item, group in enumerate(self.group) if not group}
        for name in self.spans:
            members = {item: item for item, group in enumerate(self.group) if group == name}
            places = self._settled(members, {}, half)
            low = min(places[item] - half[item] for item in members) - self.task.border[1]
            high = max(places[item] + half[item] for item in members) + self.task.border[2]
            halves[name] = (high - low) / 2
            inner.update((item, places[item] - (low + high) / 2) for item in members)
        outer = self._settled(unit_of, inner, halves)
        return {item: outer[unit] + inner.get(item, 0.0) for item, unit in unit_of.items()}

    def _settled(
        self, unit_of: Mapping[int, Hashable], inner: Mapping[int, float], half: Mapping[Any, float]
    ) -> dict[Any, float]:
        """The places of units, each an item or several with places in it (`inner`), near their neighbours. Sweeps go
        forth and back; a unit that reaches over several layers moves in the first of them, and is heavy in the others.
        """
        layers = [list(dict.fromkeys(unit_of[i] for i in items if i in unit_of)) for items in self.order]
        members: dict[Hashable, list[int]] = defaultdict(list)
        for item, unit in unit_of.items():
            members[unit].append(item)
        distances = [[half[a] + half[b] for a, b in pairwise(layer)] for layer in layers]
        place: dict[Any, float] = {}
        for layer, apart in zip(layers, distances, strict=True):
            known = [place.get(unit, 0.0) for unit in layer]
            place.update(zip(layer, spread(known, [1000.0 if u in place else 1.0 for u in layer], apart), strict=True))
        for sweep in range(2 * SWEEPS):
            forward, moved = sweep % 2 == 0, set[Hashable]()
            for number in range(len(layers))[:: 1 if forward else -1]:
                wanted, weights = [], []
                for unit in layers[number]:
                    near = [] if unit in moved else self._wishes(members[unit], unit_of, inner, place, forward)
                    wanted.append(sum(near) / len(near) if near else place[unit])
                    light = 4.0 if unit not in moved and members[unit][0] >= self.boxes else 1.0
                    weights.append(1000.0 if unit in moved else light)
                place.update(zip(layers[number], spread(wanted, weights, distances[number]), strict=True))
                moved.update(layers[number])
        return _apart(layers, distances, place)

    def _wishes(
        self,
        items: Sequence[int],
        unit_of: Mapping[int, Hashable],
        inner: Mapping[int, float],
        place: Mapping[Any, float],
        forward: bool,
    ) -> list[float]:
        """Where the neighbours of a unit would have it: those of the layers before, or else those after."""
        for before in (forward, not forward):
            wishes = [
                place[unit_of[other]] + inner.get(other, 0.0) - inner.get(item, 0.0)
                for item in items
                for other in self.near[before][item]
                if other in unit_of and unit_of[other] != unit_of[item]
            ]
            if wishes:
                return wishes
        return []

    def _centred(self, half: Mapping[int, float]) -> dict[int, float]:
        """Centres the boxes of each layer. Light boxes go beside their heads, and points where a straight line would
        pass, as far as the others allow."""
        light = {i for i in range(self.boxes) if self.task.light[i] and self.out[i]}
        wanted: dict[int, float] = {}
        across: dict[int, float] = {}
        for items in self.order:
            heavy = [item for item in items if item < self.boxes and item not in light]
            edge = -sum(half[item] for item in heavy)
            for item in heavy:
                wanted[item] = edge + half[item]
                edge += 2 * half[item]
        for items in reversed(self.order):
            last = max((wanted[item] + half[item] for item in items if item in wanted), default=0.0)
            for item in light.intersection(items):
                wanted[item] = wanted[self.links[self.out[item][0]].head]
                if len(items) - len(light.intersection(items)) > 1:  # not among the neurons of a layer
                    wanted[item] = max(wanted[item], last + half[item] + self.spacing.boxes)
        for way in self.ways:
            for step, point in enumerate(way[1:-1], 1):
                wanted[point] = wanted[way[0]] + (wanted[way[-1]] - wanted[way[0]]) * step / (len(way) - 1)
        for items in self.order:
            items.sort(key=lambda item: (wanted[item], item))
            weights = [1.0 if item < self.boxes and item not in light else 0.001 for item in items]
            distances = [half[a] + half[b] for a, b in pairwise(items)]
            across.update(zip(items, spread([wanted[item] for item in items], weights, distances), strict=True))
        return across

    def _places_along(self) -> None:
        """Where each layer begins and ends, and the strip of labels before it."""
        into: dict[int, list[Link]] = defaultdict(list)
        for link in self.links:
            into[self.layer[link.head]].append(link)
        edge = 0.0
        for layer, items in enumerate(self.order):
            if layer:
                moved = max((abs(self.across[i.tail] - self.lanes[i].before) for i in into[layer]), default=0.0)
                edge += self._length(self.spacing.fan, moved)
                edge += self.task.border[0] if layer in {min(span) for span in self.spans.values()} else 0.0
            longest = max((self._label(link)[0] for link in into[layer]), default=0.0)
            strip = edge + (longest + self.spacing.labels) * self.rows[layer] if longest else edge
            self.strip.append((edge, strip))
            edge = strip
            if layer:
                edge += self._length(
                    self.spacing.tip,
                    max((abs(self.lanes[i].after - self.lanes[i].port) for i in into[layer]), default=0.0),
                )
            self.start.append(edge)
            edge += max((self.sizes[item][0] for item in items), default=0.0)
            self.end.append(edge)

    def _length(self, bounds: tuple[float, float], moved: float) -> float:
        """How long a zone is in which an arrow moves so far across."""
        least, most = bounds
        return min(max(least, self.spacing.slope * moved), most)

    # Step 5: the ways of the arrows

    def arrangement(self) -> Arrangement:
        boxes = []
        for item in range(self.boxes):
            layer = self.layer[item]
            boxes.append(((self.start[layer] + self.end[layer]) / 2, self.across[item]))
        arrows = [self._curve(arrow, boxes) for arrow in range(len(self.ways))]
        return Arrangement(boxes, arrows, self.box_layers)

    def _lanes_into(self, item: int) -> dict[Link, Lane]:
        """How the lines into an item run, in the order of the places that they come from."""
        links = sorted((self.links[i] for i in self.into[item]), key=lambda link: (self.across[link.tail], link.arrow))
        middle, count = self.across[item], len(links)
        labelled = any(self._label(link)[1] for link in links)
        offsets = self._lanes(links)
        band = 2 * max(map(abs, offsets))
        side = max(self.sizes[item][1] - 12.0, 0.0)
        ports = [middle + offset * min(1.0, side / band if band else 1.0) for offset in offsets]
        if labelled and count > 1 and self.rows[self.layer[item]] > 1:
            return {link: self._slalom(item, i, count, side / 2) for i, link in enumerate(links)}
        lanes = [middle + offset for offset in offsets] if labelled else ports
        return {link: Lane(lane, lane, 0, port) for link, lane, port in zip(links, lanes, ports, strict=True)}

    def _slalom(self, item: int, i: int, count: int, side: float) -> Lane:
        """A line's way where labels stand in rows: down one side of the labels of others, through its own, and down the
        other side. The line that comes from the far end of the other side passes first, so that none cross."""
        middle, last = self.across[item], self.rows[self.layer[item]] - 1
        half = self._band(item, last + 1) / 2 - self.spacing.labels / 2
        before = middle - half + self.spacing.lane * i
        after = middle + half - self.spacing.lane * (count - 1 - i)
        return Lane(before, after, last - i, middle + side * (i + 1) / count)

    def _curve(self, arrow: int, boxes: list[Point]) -> tuple[list[Point], Point]:
        """One arrow's Bezier curve, and the middle of its label."""
        way, last = self.ways[arrow], self.ways[arrow][-1]
        if len(way) == 2 and way[0] == last:
            return [boxes[last]] * 4, boxes[last]
        path = _Path((boxes[way[0]][0] + self.sizes[way[0]][0] / 2, self.across[way[0]]))
        label: Point | None = None
        for tail, head in pairwise(way):
            link = Link(tail, head, arrow if head == last else -1)
            label = self._follow(path, link) or label
            if head < self.boxes:
                path.straight_to((boxes[head][0] - self.sizes[head][0] / 2, self.lanes[link].port))
        points = path.points[::-1] if self.back[arrow] else path.points
        return points, label or path.middle()

    def _follow(self, path: _Path, link: Link) -> Point | None:
        """Leads a path from one layer to the next; returns the middle of the label."""
        layer, lane = self.layer[link.head], self.lanes[link]
        first, end = self.strip[layer]
        flat = link.tail >= self.boxes or path.points[-1][0] < self.end[layer - 1] - 0.01
        path.straight_to((self.end[layer - 1], path.points[-1][1]))
        if link.head < self.boxes and end == first:  # no labels: one line up to the box
            path.curve_to((self.start[layer], lane.port), flat, False)
            return None
        row = (end - first) / self.rows[layer]
        top = first + row * lane.row
        path.curve_to((first, lane.before), flat, True)
        path.straight_to((top, lane.before))
        path.curve_to((top + row, lane.after), True, True)
        path.straight_to((end, lane.after))
        if link.head < self.boxes:
            path.curve_to((self.start[layer], lane.port), True, True)
        else:
            path.straight_to((self.end[layer], lane.after))
        if not self._label(link)[0]:
            return None
        return top + row / 2, (lane.before + lane.after) / 2 - self.task.above[link.arrow]
