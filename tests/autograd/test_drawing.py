"""Do drawings say what the graph says, whatever is in it, at any size, and without changing it?"""

import math
import random
import re
import xml.etree.ElementTree as ElementTree

import graphviz
import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
import nn
from autograd import Value, draw, log, topological_order, where
from autograd.drawing import DrawingError, engine
from autograd.drawing.text import printable
from tests.autograd.test_graph import graphs

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


def parsed(drawing):
    """Every text of the rendered picture, by the id of its node or edge."""
    picture = drawing.pipe(format="svg", encoding="utf-8")
    root = ElementTree.fromstring(picture.encode("utf-8"))
    groups = {
        g.get("id"): g for g in root.iter(f"{SVG}g") if g.get("class", "").split(" ")[0] in ("node", "edge", "cluster")
    }
    return {
        name: ["".join(t.itertext()).replace("\xa0", " ") for t in group.iter(f"{SVG}text")]
        for name, group in groups.items()
    }


def example_graph():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    y = a * b + a * a
    y.label = "y"
    y.backward()
    return y


@needs_engine
def test_a_drawing_shows_data_gradients_operations_and_local_derivatives():
    texts = parsed(draw(example_graph()))
    nodes = [lines for name, lines in texts.items() if name.startswith("n_")]
    assert ["a", "data 2", "grad 1"] in nodes
    assert ["y", "add", "data -2", "grad 1"] in nodes
    edges = sorted(" ".join(lines).strip() for name, lines in texts.items() if name.startswith("e_"))
    assert edges == ["-3", "1", "1", "2", "2", "2"]


def test_both_edges_of_a_square_and_constants_are_drawn():
    a = Value(3.0, label="a")
    assert draw(a * a).source.count("n0 -> n1") == 2
    source = draw(2 * a).source
    assert source.count(" -> ") == 2
    assert re.search(r'label="?2(\\n)?"?', source)


def test_drawing_returns_a_digraph_and_changes_no_gradient():
    y = example_graph()
    before = [(v.data, v.grad) for v in topological_order(y)]
    drawing = draw(y, theme="dark", direction="TB", precision=2)
    assert isinstance(drawing, graphviz.Digraph)
    assert "rankdir=TB" in drawing.source
    draw(y, focus=y.parents[0], radius=1, expand=True)
    assert [(v.data, v.grad) for v in topological_order(y)] == before


@needs_engine
@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_shown_as_text(label):
    v = Value(1.0, label=label)
    texts = parsed(draw(v * 2))
    assert any(lines[0] == printable(label) for lines in texts.values() if lines)
    picture = draw(v * 2).pipe(format="svg", encoding="utf-8")
    assert "<script" not in picture
    assert "href" not in picture.replace("xlink:title", "").replace('xmlns:xlink="http://www.w3.org/1999/xlink"', "")


@needs_engine
@settings(max_examples=25)  # each is a picture by a process of its own
@given(st.lists(st.text(), min_size=1, max_size=8))
@example(HOSTILE)
@example(["0  "])  # Graphviz keeps spaces apart by no-break spaces
def test_any_text_is_shown_as_text(labels):
    root = Value(0.0)
    for label in labels:
        root = root + Value(1.0, label=label)
    texts = parsed(draw(root))
    shown = [lines[0] for name, lines in texts.items() if name.startswith("n_")]
    for label in labels:
        assert not label or printable(label) in shown or not printable(label).strip()


@given(st.text())
def test_printable_text_has_no_control_or_direction_characters(text):
    shown = printable(text)
    assert len(shown) <= 80
    assert all(c.isprintable() or c in "\u200d\ufe0f" for c in shown)
    shown.encode("utf-8")


@given(graphs())
def test_every_node_and_every_operand_is_drawn(nodes):
    root = nodes[-1]
    order = topological_order(root)
    source = draw(root, most_nodes=10_000).source
    constants = sum(len(v.operands) - len(v.parents) for v in order)  # at most 8 a node in these graphs
    assert len(re.findall(r"^\s*n\d+ \[", source, flags=re.M)) == len(order) + constants
    assert source.count(" -> ") == sum(len(v.operands) for v in order)


@needs_engine
def test_inf_and_nan_are_unmistakable():
    x = Value(0.0, label="x")
    y = where(x > 0, log(x), 0.0) + log(x) * x
    y.backward()
    source = draw(y).source
    assert source.count("dashed") == 5
    assert "grad -inf" in source
    assert "data nan" in source
    parsed(draw(y))


def test_colour_and_thickness_follow_sign_and_size():
    a, b, c = Value(1.0, label="a"), Value(1.0, label="b"), Value(1.0, label="c")
    y = a * 1e3 - b * 1e3 + c * 1e-3
    y.backward()
    lines = {
        label: next(s for s in draw(y).source.splitlines() if f"{label}\\n" in s and "penwidth" in s) for label in "abc"
    }
    width = {label: float(re.search(r"penwidth=([\d.]+)", line)[1]) for label, line in lines.items()}
    colour = {label: re.search(r'\scolor="(#\w+)"', line)[1] for label, line in lines.items()}
    assert width["a"] == width["b"] > width["c"]
    assert len(set(colour.values())) == 3


@pytest.mark.parametrize(("nodes", "operands"), [(100, 10), (150, 2)])
def test_irregular_graphs_below_the_limit_have_few_edges_or_straight_ones(nodes, operands):
    rng = random.Random(0)
    values = [Value(rng.random()) for _ in range(10)]
    for _ in range(nodes):
        recent = [values[-1 - rng.randrange(5)] for _ in range(operands // 2)]
        values.append(autograd.sum([*recent, *(rng.choice(values) for _ in range(operands - operands // 2))]))
    picture = draw(values[-1])
    source = picture.source
    assert source.count("->") <= 300 or "splines=line" in source  # 1,000 curved edges take 45 seconds, straight ones 2
    if HAS_ENGINE:
        picture.pipe(format="svg")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "up"}, "direction takes one of .*LR, RL, TB, BT.*; got 'up'"),
        ({"theme": "blue"}, "theme takes one of .*light, dark.*; got 'blue'"),
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
        ({"theme": []}, "theme takes one of"),
        ({"format": 5}, "format takes a name"),
        ({"precision": True}, "precision takes a number of digits"),
        ({"model": 5}, "model takes an nn.Module, or a list of them; got 5"),
        ({"focus": []}, r"focus takes a Value of the graph; got \[\]"),
    ],
)
def test_options_of_a_wrong_kind_are_refused(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        draw(Value(1.0), **options)
    if "model" not in options and "focus" not in options:
        with pytest.raises((TypeError, ValueError), match=message):
            draw(nn.MLP(1, [1]), **options)


# The engines


@pytest.mark.skipif(engine.find_spec("pygraphviz") is None, reason="pygraphviz is not installed")
def test_pictures_come_out_where_no_dot_is_installed(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(engine, "has_dot", lambda: False)
    drawing = draw(example_graph())
    assert drawing.pipe(format="png").startswith(b"\x89PNG")
    assert drawing.pipe(format="pdf").startswith(b"%PDF")
    assert drawing.render(tmp_path / "graph.svg") == str(tmp_path / "graph.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["graph.svg"]
    assert drawing.render("other", directory=tmp_path, format="png") == str(tmp_path / "other.png")
    assert (tmp_path / "other").read_text(encoding="utf-8") == drawing.source
    assert set(drawing._repr_mimebundle_()) == {"image/svg+xml", "image/png", "text/plain"}
    assert capfd.readouterr().err == ""
    with pytest.raises(DrawingError, match="Graphviz could not draw the graph as nonsense"):
        drawing.pipe(format="nonsense")


def test_where_there_is_no_engine_repr_works_and_saving_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "has_dot", lambda: False)
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    drawing = draw(example_graph())
    assert "Drawing" in repr(drawing)
    assert "pip install pygraphviz" in drawing._repr_mimebundle_()["text/plain"]
    with pytest.raises(DrawingError, match="pip install pygraphviz"):
        drawing.render(tmp_path / "graph.svg")
    assert list(tmp_path.iterdir()) == []


FIRST_BYTES = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "eps": b"%!PS", "ps": b"%!PS", "jpg": b"\xff\xd8"}
FIRST_BYTES |= {"jpeg": b"\xff\xd8", "gif": b"GIF8", "svgz": b"\x1f\x8b", "json": b"{", "plain": b"graph"}
FIRST_BYTES |= {"dot": b"digraph", "xdot": b"digraph"}


@needs_engine
@pytest.mark.parametrize("name", engine.FORMATS)
def test_a_file_has_the_format_of_its_ending(tmp_path, name):
    drawing = draw(example_graph(), format=name)
    files = [tmp_path / f"of_its_ending.{name}", tmp_path / f"IN_CAPITALS.{name.upper()}", tmp_path / f"source.{name}"]
    assert drawing.render(files[0]) == str(files[0])
    assert drawing.render(outfile=files[1], cleanup=True) == str(files[1])
    assert drawing.render("source", directory=tmp_path) == str(files[2])
    for file in files:
        assert file.read_bytes().startswith(FIRST_BYTES[name])
    assert sorted(tmp_path.iterdir()) == sorted([*files, tmp_path / "source"])


@pytest.mark.parametrize(
    "attempt",
    [
        lambda folder: draw(Value(1.0), format="bpm"),
        lambda folder: draw(nn.MLP(1, [1]), format="bpm"),
        lambda folder: draw(Value(1.0)).render(folder / "fig.bpm"),
        lambda folder: draw(Value(1.0)).render("fig.bpm", directory=folder),
        lambda folder: draw(Value(1.0)).render(folder / "fig", format="bpm"),
        lambda folder: draw(Value(1.0)).render(outfile=folder / "fig.bpm"),
        lambda folder: autograd.explain(Value(1.0) * 2).frames(folder / "frames", format="bpm"),
    ],
)
def test_a_format_that_the_engine_does_not_give_is_refused_and_nothing_is_written(tmp_path, attempt):
    with pytest.raises(
        ValueError, match=r"^(format|the ending of the file's name) takes one of svg, png, pdf, eps, .*; got 'bpm'$"
    ):
        attempt(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_and_a_format_that_differ_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"got a name that ends in \.eps and format='pdf'"):
        draw(Value(1.0)).render(tmp_path / "fig.eps", format="pdf")
    assert list(tmp_path.iterdir()) == []


@needs_engine
def test_the_source_may_have_graphvizs_own_ending(tmp_path):
    assert draw(Value(1.0)).render(tmp_path / "graph.gv") == str(tmp_path / "graph.gv.svg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph.gv", "graph.gv.svg"]


def test_gradients_of_any_size_have_a_colour():
    v = Value(1.0)
    for grad in (5e-324, 1e308, -1e-300, math.inf, math.nan):
        v.grad = grad
        assert "penwidth" in draw(v * 2).source
