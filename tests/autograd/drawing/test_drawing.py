"""Do drawings say what the graph says, whatever is in it, at any size, and without changing it?"""

import random
import re

import pytest
from hypothesis import given, strategies as st

import autograd
import nn
from autograd import Value, draw
from autograd.drawing import engine
from autograd.drawing.graph import scene_of
from autograd.drawing.text import printable

HOSTILE = [
    "</script><script>alert(1)",
    "<b>",
    "<w>",
    r"\N",
    "\\",
    "a\\",
    'say "hi"',
    "a|b{c}",
    "x" * 10_000,
    "two\nlines",
    "😀",
    "\u202eright to left\u200f",
    "nul\x00",
    "\ud800",
    "&lt;&amp;",
    "-->",
    "]]>",
    "%s {}",
    "\ufffe\uffff\x1b[31m",
]
HAS_ENGINE = engine.has_dot() or engine.find_spec("pygraphviz") is not None
SVG = "{http://www.w3.org/2000/svg}"

needs_engine = pytest.mark.skipif(not HAS_ENGINE, reason="neither dot nor pygraphviz is here")


def example_graph():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    y = a * b + a * a
    y.label = "y"
    y.backward()
    return y


def test_both_edges_of_a_square_and_constants_are_drawn():
    a = Value(3.0, label="a")
    assert draw(a * a).source.count("n0 -> n1") == 2
    source = draw(2 * a).source
    assert source.count(" -> ") == 2
    assert re.search(r'label="?2(\\n)?"?', source)


@given(st.text())
def test_printable_text_has_no_control_or_direction_characters(text):
    shown = printable(text)
    assert len(shown) <= 80
    assert all(c.isprintable() or c in "\u200d\ufe0f" for c in shown)
    shown.encode("utf-8")


def test_irregular_graphs_of_many_edges_have_straight_ones(monkeypatch):
    rng, sources = random.Random(0), []
    values = [Value(rng.random()) for _ in range(10)]
    for _ in range(80):
        values.append(autograd.sum([*values[-5:], *rng.sample(values[:-5], k=5)]))
    layout = engine.layout_by_graphviz
    monkeypatch.setattr(engine, "layout_by_graphviz", lambda asked: sources.extend(asked) or layout(asked))
    assert draw(values[-1], most_nodes=1_000).source.count("->") > 300
    assert all("splines=line" in source for source in sources)  # 1,000 curved ones take 45 s, straight ones 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": 0}, "precision takes a number of digits from 1 to 17; got 0"),
        ({"most_nodes": 0}, "most_nodes takes a whole number of at least 1; got 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        draw(Value(1.0), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": True}, "precision takes a number of digits"),
        ({"most_nodes": True}, r"most_nodes takes a whole number; got True \(bool\)"),
        ({"radius": 3}, "radius says how much is drawn around a focus; got 3 and no focus: give focus="),
        ({"model": 5}, "model takes an nn.Module, or a list of them; got 5"),
        ({"focus": []}, r"focus takes a Value of the graph; got \[\]"),
    ],
)
def test_options_of_a_wrong_kind_are_refused(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        draw(Value(1.0), **options)
    if "precision" in options:
        with pytest.raises((TypeError, ValueError), match=message):
            draw(nn.MLP(1, [1]), **options)


def test_many_edges_between_two_boxes_are_one_line_that_counts_them():
    x = Value(2.0)
    for count in (8, 9, 1000):
        scene = scene_of(autograd.sum([x] * count))
        assert sum(arrow.count for arrow in scene.arrows) == count
        assert len(scene.arrows) == (8 if count == 8 else 1)
    (arrow,) = scene.arrows
    assert (arrow.name, arrow.lines) == ("e_1_0", [("×1,000",)])
