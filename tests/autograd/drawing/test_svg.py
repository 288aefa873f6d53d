"""Does our SVG say what the graph says, small, in every theme, and inert whatever is in it?"""

import math
import random
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import example, given, settings, strategies as st

import nn
from autograd import Value, draw, log, tanh, topological_order, where
from autograd.drawing import engine
from autograd.drawing.appearance import Marks, wrapped
from autograd.drawing.graph import scene_of
from autograd.drawing.layout import place, width_of
from autograd.drawing.numbers import Numbers
from autograd.drawing.svg import svg_of
from autograd.drawing.text import printable
from autograd.drawing.theme import ALL, THEMES, rules, stylesheet
from tests.autograd.drawing.test_drawing import HOSTILE, example_graph
from tests.autograd.test_graph import graphs

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", autouse=True)
def no_graphviz():
    """SVG needs none; and asking it for a layout takes 0.2 s, again for each example of a property."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "render", refuse)
        yield


def refuse(*args, **more):
    raise engine.DrawingError("there is no Graphviz here")


def picture_of(root, theme="auto", **options):
    """The SVG of a graph."""
    scene = scene_of(root)
    numbers = Numbers(scene)
    return svg_of(scene, place(scene, "LR", numbers.shown(4)), numbers, theme, **options)


def groups(svg, name):
    """The groups of a class, in order."""
    root = ElementTree.fromstring(svg.encode("utf-8"))
    return [g for g in root.iter(f"{SVG}g") if name in g.get("class", "").split()]


def texts(group):
    return ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]


def outline(box):
    return box.find(f"{SVG}rect")


def readme_example():
    a, b, c = Value(0.5, label="a"), Value(-1.5, label="b"), Value(10.0, label="c")
    y = tanh(a * b) + c
    y.backward()
    return y


def mlp_loss():
    model = nn.MLP(2, [4, 4, 1], rng=random.Random(0))
    loss = (model([0.5, -1.0]) - 1.0) ** 2
    loss.backward()
    return model, loss


def test_a_picture_shows_data_gradients_operations_and_local_derivatives():
    svg = picture_of(example_graph())
    boxes = [texts(box) for box in groups(svg, "box")]
    assert ["a", "data 2", "grad 1"] in boxes
    assert ["y", "add", "data -2", "grad 1"] in boxes
    assert sorted(" ".join(texts(label)) for label in groups(svg, "label")) == ["-3", "1", "1", "2", "2", "2"]


@given(graphs())
def test_every_node_and_every_operand_is_drawn_once(nodes):
    order = topological_order(nodes[-1])
    scene = scene_of(nodes[-1], most_nodes=10_000)
    numbers = Numbers(scene)
    svg = svg_of(scene, place(scene, "LR", numbers.shown(4)), numbers)
    constants = sum(len(v.operands) - len(v.parents) for v in order)  # at most 8 a node in these graphs
    assert len(scene.boxes) == len(order) + constants
    assert len(scene.arrows) == sum(len(v.operands) for v in order)
    assert [int(box.get("data-box")) for box in groups(svg, "box")] == list(range(len(scene.boxes)))
    assert [line.get("data-arrow") for line in groups(svg, "arrow")] == [arrow.name for arrow in scene.arrows]


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_shown_as_text(label):
    svg = picture_of(Value(1.0, label=label) * 2, name=label, caption=[label])
    assert printable(label) in [texts(box)[0] for box in groups(svg, "box")]
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg.encode("utf-8")).iter()}
    assert tags <= {"svg", "style", "g", "rect", "path", "text", "title"}
    assert not re.search(r"<[^>]*\s(on\w+|href|id)=", svg)


@settings(max_examples=50)
@given(st.lists(st.text(), min_size=1, max_size=8))
@example(HOSTILE)
def test_any_text_is_shown_as_text(labels):
    root = Value(0.0)
    for label in labels:
        root = root + Value(1.0, label=label)
    shown = [texts(box)[0] for box in groups(picture_of(root), "box")]
    for label in labels:
        assert not label or printable(label) in shown


def test_inf_and_nan_are_unmistakable():
    x = Value(0.0, label="x")
    y = where(x > 0, log(x), 0.0) + log(x) * x
    y.backward()
    svg = picture_of(y)
    alarms = [*groups(svg, "box"), *groups(svg, "arrow")]
    alarms = [group for group in alarms if "alarm" in group.get("class").split()]
    assert len(alarms) >= 5
    for group in alarms:
        assert any(part.get("stroke-dasharray") for part in group)
    for box in groups(svg, "box"):
        broken = any("inf" in text or "nan" in text for text in texts(box))
        assert broken == ("alarm" in box.get("class").split())


def test_colour_and_thickness_follow_sign_and_size():
    a, b, c = Value(1.0, label="a"), Value(1.0, label="b"), Value(1.0, label="c")
    y = a * 1e3 - b * 1e3 + c * 1e-3
    y.backward()
    boxes = {texts(box)[0]: box for box in groups(picture_of(y), "box")}
    widths = {name: float(outline(boxes[name]).get("stroke-width")) for name in "abc"}
    assert widths["a"] == widths["b"] > widths["c"]
    signs = {name: boxes[name].get("class").split()[-1] for name in "abc"}
    assert signs == {"a": "positive", "b": "negative", "c": "positive"}
    assert outline(boxes["a"]).get("stroke") == THEMES["light"].positive
    assert outline(boxes["b"]).get("stroke") == THEMES["light"].negative


def test_gradients_of_any_size_have_a_width():
    v = Value(1.0)
    for grad in (0.0, 5e-324, 1e308, -1e-300, math.inf, math.nan):
        v.grad = grad
        for box in groups(picture_of(v * 2), "box"):
            if outline(box) is not None:
                assert 0.5 <= float(outline(box).get("stroke-width")) <= 4.0


def test_a_picture_is_small():
    assert len(picture_of(readme_example()).encode("utf-8")) < 4_700
    assert len(picture_of(readme_example(), tooltips=False).encode("utf-8")) < 4_200
    model, loss = mlp_loss()
    assert len(str(draw(loss, model=model).pipe("svg", encoding="utf-8"))) < 23_000


def test_coordinates_have_tenths_of_a_pixel():
    for value in re.findall(r' (?:x|y|width|height|d|viewBox)="([^"]*)"', picture_of(example_graph())):
        assert not re.search(r"\.\d\d|e", value)


def test_lines_come_before_boxes_and_labels_last():
    model, loss = mlp_loss()
    svg = str(draw(loss, model=model).pipe("svg", encoding="utf-8"))
    order = ["frame", "arrow", "box", "label"]
    places = [order.index(kind) for kind in re.findall(r'<g class="(arrow|box|label|frame(?! label))\b', svg)]
    assert places == sorted(places)
    assert set(places) == {0, 1, 2, 3}


# Themes


def test_light_and_dark_are_attributes_and_auto_is_light_with_a_dark_style_sheet():
    light, dark, auto = (picture_of(example_graph(), theme) for theme in ("light", "dark", "auto"))
    assert "@media" not in light + dark
    # Only "auto" follows the page around it: its letters have a halo of the page's colour.
    assert re.sub(r"@media.*?(?=</style>)", "", auto).replace("var(--paper,#ffffff)", "#ffffff") == light
    assert "--paper" not in light + dark
    assert THEMES["dark"].background in dark
    assert THEMES["light"].background not in dark


@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_style_sheet_has_every_colour_of_its_theme_and_no_other(name):
    theme, others = THEMES[name], set(re.findall("#[0-9a-f]{6}", str(THEMES["dark" if name == "light" else "light"])))
    found = set(re.findall("#[0-9a-f]{6}", stylesheet(name)))
    assert found == set(re.findall("#[0-9a-f]{6}", str(theme)))
    assert not found & (others - found)


def test_the_automatic_style_sheet_ends_with_one_rule_for_dark_pages():
    light, dark = rules(THEMES["light"]), rules(THEMES["dark"])
    assert stylesheet("auto") == f"{light}@media (prefers-color-scheme:dark){{{dark}}}"


def test_rules_of_classes_that_do_not_occur_are_left_out():
    assert "folded" not in rules(THEMES["dark"], ["leaf"])
    assert len(rules(THEMES["dark"], ["leaf"])) < len(rules(THEMES["dark"], ALL))


# Steps


def test_what_is_not_known_is_blank_and_what_is_not_computed_is_pale():
    root = readme_example()
    scene = scene_of(root)
    numbers, last = Numbers(scene), len(scene.nodes) - 1
    unknown = {f"v{last}", *(f"g{i}" for i in range(len(scene.nodes)))}
    svg = svg_of(scene, place(scene, "LR", numbers.shown(4)), lambda c: None if c in unknown else numbers(c))
    boxes = groups(svg, "box")
    for i, box in enumerate(boxes):
        assert "none" in box.get("class").split()
        assert texts(box)[-1].strip() == "grad"
        assert ("pending" in box.get("class").split()) == (i == scene.box_of[last])
        assert (outline(box).get("opacity") is not None) == (i == scene.box_of[last])
    assert f"{root.data:.4g}" not in svg


def test_marked_parts_have_the_class_and_a_halo():
    scene = scene_of(readme_example())
    numbers = Numbers(scene)
    layout, head = place(scene, "LR", numbers.shown(4)), scene.arrows[0].head
    marks = Marks([head], [scene.arrows[0].name], [scene.arrows[0].tail])
    svg = svg_of(scene, layout, numbers, marks=marks, caption=["one", "two"])
    assert [int(box.get("data-box")) for box in groups(svg, "current") if box.get("data-box")] == [head]
    assert [int(box.get("data-box")) for box in groups(svg, "receiving")] == [scene.arrows[0].tail]
    marked = [group.get("data-arrow") for group in groups(svg, "current") if group.get("data-arrow")]
    assert marked == [scene.arrows[0].name] * 2  # the line and its label
    assert svg.count('class="halo"') == 3
    plain = svg_of(scene, layout, numbers)
    assert 'class="halo"' not in plain
    height = [float(re.search(r'height="([\d.]+)"', text)[1]) for text in (plain, svg)]
    assert height[1] > height[0] + 20


@given(st.text(st.characters(codec="ascii")), st.floats(20, 300))
def test_wrapped_text_keeps_its_words_and_its_width(text, width):
    lines = wrapped(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(width_of(line) <= width or len(line.split()) == 1 for line in lines)


def test_nothing_is_changed_by_a_picture():
    y = example_graph()
    before = [(v.data, v.grad) for v in topological_order(y)]
    picture_of(y)
    assert [(v.data, v.grad) for v in topological_order(y)] == before
