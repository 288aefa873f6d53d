"""Layouts: nothing overlaps, arrows lead from border to border, and a drawing always comes."""

import itertools
import json
import random
import sys
import types

import pytest
from hypothesis import example, given, settings, strategies as st

from autograd.drawing import engine, layout as layout_module
from autograd.drawing.layout import LABEL_LINES, LINE, TYPE, Layout, frames_of, place, places, width_of
from autograd.drawing.scene import Arrow, Box, Scene
from autograd.drawing.text import filled

DIRECTIONS = ["LR", "RL", "TB", "BT"]
HAS_GRAPHVIZ = engine.has_dot() or engine.find_spec("pygraphviz") is not None


def shown(code):
    """A number for a code, always the same."""
    return f"{random.Random(code).gauss(0.0, 1.0):.4g}"


def text_box(number, lines, kind="operation", column=None, module=""):
    return Box(kind, [(f"box {number}",), *([("data ", f"v{number}", "")] * lines)], [], column=column, module=module)


def label(lines, number):
    return [("grad ", f"g{number}", "")] * lines


@st.composite
def graphs(draw, modules=("",)):
    """Boxes of several sizes; arrows lead to boxes of higher numbers, some twice."""
    count = draw(st.integers(1, 14))
    kinds, names = st.sampled_from(["leaf", "constant"]), st.sampled_from(modules)
    boxes = [text_box(i, draw(st.integers(0, 4)), draw(kinds), module=draw(names)) for i in range(count)]
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    pairs = draw(st.lists(ends, max_size=24)) if count > 1 else []
    arrows = [Arrow(t, h, f"e_{h}_{i}", label(draw(st.integers(0, 2)), i)) for i, (t, h) in enumerate(pairs)]
    return Scene(boxes, arrows)


@st.composite
def networks(draw):
    """Columns of boxes; every box leads to every one of the next column, and some arrows jump over columns."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    lines = draw(st.integers(0, 2))
    scene = network(sizes, lines, lines)
    numbers = st.integers(0, len(scene.boxes) - 1)
    for tail, head in draw(st.lists(st.tuples(numbers, numbers), max_size=6)):
        if scene.boxes[tail].column < scene.boxes[head].column:
            scene.arrows.append(Arrow(tail, head, f"j_{len(scene.arrows)}", label(draw(st.integers(0, 2)), tail)))
    return scene


def network(sizes, lines_of_labels, lines_of_last=1, lines_of_boxes=4):
    """A network with a box for each neuron, and labels on all lines."""
    scene = Scene(form="network")
    before = []
    for column, size in enumerate(sizes):
        module = f"layers.{column - 1}.neurons.0" if 0 < column < len(sizes) - 1 else ""
        rows = lines_of_boxes if module else 2
        now = [scene.add(text_box(len(scene.boxes), rows, "neuron", column, module)) for _ in range(size)]
        lines = lines_of_last if column == len(sizes) - 1 else lines_of_labels
        for head, tail in itertools.product(now, before):
            scene.arrows.append(Arrow(tail, head, f"e_{head}_{tail}", label(lines, head * 100 + tail)))
        before = now
    return scene


def edges_of(rectangle):
    x, y, width, height = rectangle
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(one, other, tolerance=0.05):
    a, b = edges_of(one), edges_of(other)
    return min(a[2], b[2]) - max(a[0], b[0]) > tolerance and min(a[3], b[3]) - max(a[1], b[1]) > tolerance


def curve(points, samples=24):
    """Points on a Bezier curve."""
    for i in range(0, len(points) - 1, 3):
        piece = points[i : i + 4]
        for t in (k / samples for k in range(samples + 1)):
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield tuple(sum(w * p[axis] for w, p in zip(weights, piece, strict=True)) for axis in (0, 1))


def on_border(point, rectangle):
    left, top, right, bottom = edges_of(rectangle)
    x, y = point
    inside = left - 0.05 <= x <= right + 0.05 and top - 0.05 <= y <= bottom + 0.05
    return inside and min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) <= 0.05


def label_sizes(scene, direction):
    return [
        (
            max(width_of(filled(line, shown)) for line in arrow.lines),
            LABEL_LINES[direction] * (len(arrow.lines) - 1) + 0.9 * TYPE,
        )
        if arrow.lines
        else (0.0, 0.0)
        for arrow in scene.arrows
    ]


def labels_of(scene, layout):
    """The rectangles of the labels that have a text."""
    sizes = label_sizes(scene, layout.direction)
    return [(*layout.arrows[i][1], *size) for i, size in enumerate(sizes) if size[0]]


def check(scene, layout: Layout):
    """What holds for every layout."""
    assert len(layout.boxes) == len(scene.boxes)
    assert len(layout.arrows) == len(scene.arrows)
    for one, other in itertools.combinations(layout.boxes, 2):
        assert not overlap(one, other)
    for box, (_, _, width, height) in zip(scene.boxes, layout.boxes, strict=True):
        assert width >= max(width_of(filled(line, shown)) for line in box.lines)
        assert height >= LINE * len(box.lines)
    along = 0 if layout.direction in ("LR", "RL") else 1
    for arrow, (points, _) in zip(scene.arrows, layout.arrows, strict=True):
        tail, head = layout.boxes[arrow.tail], layout.boxes[arrow.head]
        assert len(points) % 3 == 1
        assert on_border(points[0], tail)
        assert on_border(points[-1], head)
        forward = head[along] - tail[along] if layout.direction in ("LR", "TB") else tail[along] - head[along]
        assert forward >= (tail[2 + along] + head[2 + along]) / 2
    for left, top, right, bottom in map(edges_of, [*layout.boxes, *labels_of(scene, layout)]):
        assert left >= 0
        assert top >= 0
        assert right <= layout.width
        assert bottom <= layout.height
    for _, *frame in layout.frames:
        left, top, right, bottom = edges_of(frame)
        assert left >= 0
        assert top >= 0
        assert right <= layout.width
        assert bottom <= layout.height


def check_apart(scene, layout):
    """What holds for our own layouts besides: no line in a box, no label on another or on a box."""
    for points, _ in layout.arrows:
        for x, y in curve(points):
            assert not any(overlap((x, y, 0.2, 0.2), box, 0.15) for box in layout.boxes)
    labels = labels_of(scene, layout)
    for one, other in itertools.combinations(labels, 2):
        assert not overlap(one, other)
    for one, other in itertools.product(labels, layout.boxes):
        assert not overlap(one, other)


@pytest.fixture
def always_graphviz(monkeypatch):
    """Graphviz is asked for small graphs too."""
    monkeypatch.setattr(layout_module, "MOST_OWN", 0)


@pytest.fixture
def no_graphviz(monkeypatch):
    def refuse(sources):
        raise engine.DrawingError("there is none")

    monkeypatch.setattr(engine, "layout_by_graphviz", refuse)


def asked_of_graphviz(monkeypatch):
    """The list of what Graphviz will be asked."""
    asked, ask = [], engine.layout_by_graphviz
    monkeypatch.setattr(engine, "layout_by_graphviz", lambda sources: asked.append(sources) or ask(sources))
    return asked


@pytest.mark.skipif(not HAS_GRAPHVIZ, reason="neither dot nor pygraphviz is here")
@settings(max_examples=15, deadline=None)
@given(graphs())
def test_graphviz_places_boxes_apart_and_arrows_from_border_to_border(scene):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout_module, "MOST_OWN", 0)
        for layout in places(scene, DIRECTIONS, shown).values():
            check(scene, layout)


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_the_plain_layout_places_boxes_and_labels_apart(scene):
    for layout in places(scene, DIRECTIONS, shown).values():
        check(scene, layout)
        check_apart(scene, layout)


@settings(max_examples=80, deadline=None)
@given(graphs(["", "layers.0", "layers.0.neurons.0", "layers.0.neurons.1", "layers.1.neurons.0", "head"]))
def test_frames_hold_the_boxes_of_their_modules_and_no_others(scene):
    for layout in places(scene, DIRECTIONS, shown).values():
        check(scene, layout)
        check_apart(scene, layout)
        for name, *frame in layout.frames:
            left, top, right, bottom = edges_of(frame)
            for box, rectangle in zip(scene.boxes, layout.boxes, strict=True):
                if name in frames_of(box.module):
                    inside = edges_of(rectangle)
                    assert left < inside[0] < inside[2] < right
                    assert top < inside[1] < inside[3] < bottom
                else:
                    assert not overlap(frame, rectangle)


def spelled_out(layers, inputs=2):
    """A network with a box for each weight, product and sum, in frames."""
    scene = Scene()
    before = [scene.add(text_box(i, 1)) for i in range(inputs)]
    for depth, size in enumerate(layers):
        now = []
        for neuron in range(size):
            module = f"layers.{depth}.neurons.{neuron}"
            products = []
            for tail in before:
                weight = scene.add(text_box(len(scene.boxes), 2, module=module))
                products.append(scene.add(text_box(len(scene.boxes), 2, module=module)))
                scene.arrows += [Arrow(t, products[-1], f"e_{t}_{products[-1]}", label(1, t)) for t in (weight, tail)]
            now.append(scene.add(text_box(len(scene.boxes), 2, module=module)))
            scene.arrows += [Arrow(t, now[-1], f"e_{t}_{now[-1]}", label(1, t)) for t in products]
        before = now
    return scene


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_expanded_network_has_a_frame_for_each_neuron_and_layers_in_columns(direction):
    scene = spelled_out([3, 2, 1])
    layout = place(scene, direction, shown)
    check(scene, layout)
    check_apart(scene, layout)
    names = {name for box in scene.boxes for name in frames_of(box.module)}
    frames = {name: frame for name, *frame in layout.frames}
    assert set(frames) == names
    assert len(frames) == len(layout.frames)
    outer = [frames[f"layers.{depth}"] for depth in range(3)]
    for one, other in itertools.combinations(outer, 2):
        assert not overlap(one, other)
    neurons = [frame for name, frame in frames.items() if "neurons" in name]
    for one, other in itertools.combinations(neurons, 2):
        assert not overlap(one, other)


@settings(max_examples=60, deadline=None)
@given(networks())
@example(network([2, 4, 4, 1, 1], 2))
@example(network([3, 1, 3], 0))
def test_in_a_network_no_line_runs_through_a_box_and_labels_stand_apart(scene):
    for layout in places(scene, DIRECTIONS, shown).values():
        check(scene, layout)
        check_apart(scene, layout)


def columns_of(scene, layout):
    """The boxes of each column, as (along, across)."""
    along, across = (0, 1) if layout.direction == "LR" else (1, 0)
    columns = {}
    for box, where in zip(scene.boxes, layout.boxes, strict=True):
        columns.setdefault(box.column, []).append((where[along], where[across]))
    return columns.values()


@settings(max_examples=50, deadline=None)
@given(networks(), st.sampled_from(["LR", "TB"]))
def test_columns_of_a_network_keep_the_order_of_their_boxes(scene, direction):
    for column in columns_of(scene, place(scene, direction, shown)):
        assert len({along for along, _ in column}) == 1
        assert [across for _, across in column] == sorted({across for _, across in column})


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.sampled_from(["LR", "TB"]))
def test_columns_of_a_network_are_centred(sizes, direction):
    scene = network(sizes, 0, 0)
    middles = [(column[0][1] + column[-1][1]) / 2 for column in columns_of(scene, place(scene, direction, shown))]
    assert max(middles) - min(middles) < 0.1


@pytest.mark.parametrize("most_own", [0, 1000])
def test_the_same_scene_has_the_same_layout(most_own, monkeypatch):
    monkeypatch.setattr(layout_module, "MOST_OWN", most_own)
    rng = random.Random(3)
    pairs = [(rng.randrange(head), head) for head in range(1, 30) for _ in range(2)]
    scenes = [
        Scene(
            [text_box(i, 2) for i in range(30)], [Arrow(t, h, f"e_{i}", label(1, i)) for i, (t, h) in enumerate(pairs)]
        )
        for _ in range(2)
    ]
    assert places(scenes[0], DIRECTIONS, shown) == places(scenes[1], DIRECTIONS, shown)


def test_a_network_of_two_layers_of_four_with_its_loss_fits_a_notebook_and_a_phone():
    scene = network([2, 4, 4, 1, 1], 2)
    notebook, phone = (place(scene, direction, shown, room=8) for direction in ("LR", "TB"))
    assert TYPE * min(1180 / notebook.width, 480 / notebook.height) >= 9.0
    assert TYPE * min(366 / phone.width, 560 / phone.height) >= 9.0


@pytest.mark.parametrize("direction", ["LR", "RL"])
def test_a_label_of_one_line_stands_above_its_level_line(direction):
    for lines in (1, 2):
        arrows = [Arrow(0, 2, "e_2_0", label(lines, 0)), Arrow(1, 2, "e_2_1", label(1, 1))]
        layout = place(Scene([text_box(i, 3) for i in range(3)], arrows), direction, shown)
        points, (x, y) = layout.arrows[1]
        height = next(b for a, b in curve(points) if abs(a - x) < 3)
        assert y + 0.4 * TYPE < height - 2 < y + TYPE


def test_layers_of_a_network_have_their_modules_names():
    layout = place(network([2, 3, 3, 1, 1], 2), "LR", shown)
    assert [frame[0] for frame in layout.frames] == ["layers.0", "layers.1", "layers.2"]


def test_room_is_kept_for_numbers_that_change():
    scene = Scene([text_box(0, 1)])
    narrow, wide = (place(scene, "LR", lambda code: "0", room=room).boxes[0][2] for room in (0, 10))
    assert wide >= narrow + width_of("000000000") - 0.01


def test_wide_letters_and_marks_are_measured():
    assert width_of("漢字") == 2 * TYPE
    assert width_of("e\u0301") == width_of("e")
    assert width_of("W") > width_of("w") > width_of("i")


def test_a_graphviz_that_crashes_is_not_noticed(always_graphviz, monkeypatch, capfd):
    monkeypatch.setattr(engine, "has_dot", lambda: False)
    monkeypatch.setattr(engine, "_PROGRAM", "import os; os.write(2, b'bad'); os.abort()")
    scene = Scene([text_box(0, 2), text_box(1, 2)], [Arrow(0, 1, "e_1_0", label(1, 0))])
    check(scene, place(scene, "LR", shown))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("count", "module", "asked"), [(20, "", 0), (60, "", 1), (60, "layers.0", 0)])
def test_graphviz_is_asked_for_large_graphs_without_frames(count, module, asked, monkeypatch):
    sources = asked_of_graphviz(monkeypatch)
    scene = Scene([text_box(i, 1, module=module) for i in range(count)], [Arrow(0, 1, "e_1_0")])
    check(scene, place(scene, "LR", shown))
    assert len(sources) == asked


def test_a_chain_of_thousands_needs_no_recursion(no_graphviz):
    count = 3000
    scene = Scene([text_box(i, 1) for i in range(count)], [Arrow(i, i + 1, f"e_{i}") for i in range(count - 1)])
    layout = place(scene, "LR", shown)
    assert [box[0] for box in layout.boxes] == sorted(box[0] for box in layout.boxes)


def test_a_thousand_irregular_boxes_are_placed_without_graphviz(no_graphviz):
    rng = random.Random(1)
    pairs = [(rng.randrange(max(0, head - 60), head), head) for head in range(1, 1000) for _ in range(2)]
    arrows = [Arrow(tail, head, f"e_{i}", label(1, i)) for i, (tail, head) in enumerate(pairs)]
    scene = Scene([text_box(i, 2) for i in range(1000)], arrows)
    layout = place(scene, "TB", shown)
    rows = sorted(layout.boxes, key=lambda box: (box[1], box[0]))
    for one, other in itertools.pairwise(rows):
        assert not overlap(one, other)


def test_arrows_in_a_circle_are_drawn(no_graphviz):
    scene = Scene([text_box(i, 1) for i in range(3)], [Arrow(i, (i + 1) % 3, f"e_{i}") for i in range(3)])
    layout = place(scene, "LR", shown)
    for arrow, (points, _) in zip(scene.arrows, layout.arrows, strict=True):
        assert on_border(points[0], layout.boxes[arrow.tail])
        assert on_border(points[-1], layout.boxes[arrow.head])


def test_an_empty_scene_has_a_layout():
    assert place(Scene(), "LR", shown).boxes == []


@pytest.mark.skipif(not HAS_GRAPHVIZ, reason="neither dot nor pygraphviz is here")
def test_many_sources_become_many_pictures():
    sources = [f'digraph {{ n [pos="20,20" label="{i}"] }}' for i in range(3)]
    for format, beginning in {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}.items():
        pictures = engine.render(sources, format)
        assert len(pictures) == 3
        assert all(picture.startswith(beginning) for picture in pictures)
        assert len(set(pictures)) == 3
    assert engine.render([], "png") == []


@pytest.mark.skipif(not HAS_GRAPHVIZ, reason="neither dot nor pygraphviz is here")
def test_a_source_that_graphviz_refuses_is_an_error_with_its_word():
    with pytest.raises(engine.DrawingError, match="could not draw the graph as png"):
        engine.render(["digraph {"], "png")


class Page:
    """What Python in a web page sees of it, with an instance of `@viz-js/viz`."""

    JSON = types.SimpleNamespace(parse=json.loads)

    def __init__(self, refuses=False):
        self.asked = []
        self._refuses = refuses
        self.viz = self

    def render(self, source, options):
        self.asked.append((source, options))
        if self._refuses:
            error = types.SimpleNamespace(message="syntax error in line 1")
            return types.SimpleNamespace(status="failure", output=None, errors=[error])
        return types.SimpleNamespace(status="success", output="<svg>é</svg>", errors=[])


def test_in_a_web_page_graphviz_in_webassembly_is_asked(monkeypatch):
    page = Page()
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setitem(sys.modules, "js", page)
    assert engine.render(["digraph {}"], "svg") == ["<svg>é</svg>".encode()]
    assert page.asked == [("digraph {}", {"format": "svg", "engine": "nop2"})]


def test_in_a_web_page_a_refusal_is_an_error_for_pictures_and_no_matter_for_layouts(always_graphviz, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setitem(sys.modules, "js", Page(refuses=True))
    with pytest.raises(engine.DrawingError, match="syntax error in line 1"):
        engine.render(["digraph {"], "svg")
    scene = Scene([text_box(0, 2), text_box(1, 2)], [Arrow(0, 1, "e_1_0", label(1, 0))])
    check(scene, place(scene, "LR", shown))


def test_in_a_web_page_without_graphviz_pictures_say_what_to_do_and_layouts_come(always_graphviz, monkeypatch):
    monkeypatch.setattr(engine, "has_dot", lambda: False)
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setitem(sys.modules, "js", types.SimpleNamespace())
    with pytest.raises(engine.DrawingError, match="global name viz"):
        engine.render(["digraph {}"], "eps")
    with pytest.raises(engine.DrawingError, match="Graphviz writes texts only"):
        engine.render(["digraph {}"], "png")
    scene = Scene([text_box(0, 2), text_box(1, 2)], [Arrow(0, 1, "e_1_0", label(1, 0))])
    check(scene, place(scene, "LR", shown))
