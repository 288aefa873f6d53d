"""Do drawings say what the graph says, whatever is in it, at any size, and without changing it?"""

import random
import re
import xml.etree.ElementTree as ElementTree
from functools import cache

import pytest
from hypothesis import given, strategies as st

import autograd
import nn
from autograd import Value, draw, topological_order
from autograd.drawing import engine, folding
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


@given(graphs())
def test_every_node_and_every_operand_is_drawn(nodes):
    root = nodes[-1]
    order = topological_order(root)
    source = draw(root, most_nodes=10_000).source
    constants = sum(len(v.operands) - len(v.parents) for v in order)  # at most 8 a node in these graphs
    assert len(re.findall(r"^\s*n\d+ \[", source, flags=re.M)) == len(order) + constants
    assert source.count(" -> ") == sum(len(v.operands) for v in order)


def test_a_dot_spelled_out_has_products_and_a_sum():
    neuron = nn.Neuron(3, activation="tanh", rng=random.Random(0))
    out = neuron([1.0, 2.0, 3.0])
    assert draw(out).source.count("dot") >= 1
    source = draw(out, expand_dots=True).source
    assert source.count("mul\\n") == 3
    assert source.count("sum\\n") == 1


def model_and_loss(widths=(64, [16, 10]), examples=8):
    model = nn.MLP(*widths, rng=random.Random(0))
    X, y = nn.datasets.load_digits()[:2]
    loss = nn.cross_entropy(model([row[: widths[0]] for row in X[:examples]]), y[:examples])
    loss.backward()
    return model, loss


def test_nodes_are_framed_by_the_modules_of_the_model():
    model = nn.MLP(2, [3, 1], rng=random.Random(0))
    source = draw(model([1.0, 2.0]), model=model).source
    for name in ["layers.0", "layers.1", *(f"layers.0.neurons.{i}" for i in range(3))]:
        assert f'label="{name}"' in source or f"label={name}" in source
    assert "w.0\\n" in source


def test_large_graphs_are_folded_and_say_so():
    model, loss = model_and_loss()
    source = draw(loss, model=model).source
    assert len(re.findall(r"^\s*n\d+ \[", source, flags=re.M)) < 20
    for lot in ("dot ×128", "relu ×128", "dot ×80"):
        assert lot in source
    assert "same shape" in source


def test_the_terms_of_a_long_sum_are_alike():
    model = nn.MLP(2, [8, 8, 1], rng=random.Random(0))
    loss = sum((model([x / 40, 1.0]) - 1.0) ** 2 for x in range(40))
    source = draw(loss, model=model).source
    assert len(re.findall(r"^\s*n\d+ \[", source, flags=re.M)) < 20
    assert "pow ×40" in source
    assert "add ×40" in source  # from 0 + ... on


@cache
def long_chain(length):
    v = Value(1.0, label="x")
    for i in range(length):
        v = v * 1.000001 if i % 3 else v + 0.0
    return v


def test_a_graph_of_100_000_nodes_is_drawn_as_a_few_boxes():
    rng, nodes = random.Random(0), [Value(1.0) for _ in range(100)]
    for _ in range(50_000):
        nodes.append(nodes[rng.randrange(len(nodes))] * 0.5 + nodes[-1])
    chain, irregular = draw(long_chain(100_000)), draw(nodes[-1])
    assert "chain of 99," in chain.source
    for picture in (chain, irregular):
        assert len(picture.source.splitlines()) < 2_000  # laid out in seconds; without folding it would take minutes
        if HAS_ENGINE:
            picture.pipe(format="svg")


@pytest.mark.slow
def test_of_a_graph_of_a_million_nodes_the_nearest_are_drawn_without_recursion():
    source = draw(long_chain(1_000_000)).source
    assert "chain of 149," in source
    assert re.search(r"\+850,\d\d\d more", source)


@pytest.mark.parametrize("examples", [20, 200])
def test_folding_looks_at_the_nearest_nodes_of_a_large_graph_and_counts_the_rest(monkeypatch, examples):
    model = nn.MLP(2, [4, 1], rng=random.Random(0))
    loss = sum(((model([x / 40, 1.0]) - 1.0) ** 2 for x in range(examples)), long_chain(500))
    grouped = []
    monkeypatch.setattr(folding, "MOST_FOLDED", 300)
    monkeypatch.setattr(folding, "alike", lambda order, alike=folding.alike: grouped.append(order) or alike(order))
    source = draw(loss, most_nodes=50).source
    assert [len(order) for order in grouped] == [300]
    boxes = re.findall(r"^\s*n\d+ \[.*?label=\"?(?:chain of |.* ×|(\+))?([\d,]+)?", source, flags=re.M)
    drawn = sum(int((count or "1").replace(",", "")) for _, count in boxes)
    assert drawn == len(topological_order(loss))


def test_irregular_graphs_keep_what_is_nearest_and_count_the_rest():
    rng = random.Random(0)
    nodes = [Value(rng.random(), label=f"v{i}") for i in range(2000)]
    for i in range(4000):
        nodes.append(
            (nodes[rng.randrange(len(nodes))] + nodes[-1]) if i % 2 else nodes[rng.randrange(2000)] * nodes[-1]
        )
    source = draw(nodes[-1], most_nodes=50).source
    assert len(re.findall(r"^\s*n\d+ \[", source, flags=re.M)) <= 51
    assert re.search(r"\+[\d,]+ more", source)


def test_a_focus_shows_the_neighbourhood_and_counts_the_rest():
    chain = long_chain(1000)
    middle = topological_order(chain)[500]
    source = draw(chain, focus=middle, radius=2).source
    assert len(re.findall(r"^\s*n\d+ \[.*data", source, flags=re.M)) == 5
    assert "+996 more" in source
    with pytest.raises(ValueError, match="focus takes a node of the graph"):
        draw(chain, focus=Value(1.0))


def test_many_constants_of_a_node_share_a_box():
    model = nn.MLP(64, [16, 10], rng=random.Random(0))
    source = draw(model([0.5] * 64)[0], model=model, focus=model.layers[0].neurons[0].w[20], radius=1).source
    assert "64 numbers" in source
    assert len(source.splitlines()) < 50


@needs_engine
@pytest.mark.parametrize(("direction", "along", "aside"), [("LR", (1, 0), (0, -1)), ("TB", (0, -1), (1, 0))])
def test_layers_stand_in_order_and_so_do_their_neurons(direction, along, aside):
    model = nn.MLP(4, [6, 3, 1], rng=random.Random(0))
    plain = str(draw(model, direction=direction).pipe(format="plain", encoding="utf-8"))
    found = re.findall(r"^node u(\d)_(\d+) ([\d.]+) ([\d.]+)", plain, flags=re.M)
    place = {(int(layer), int(i)): (float(x), float(y)) for layer, i, x, y in found}

    def way(node, axis):
        return place[node][0] * axis[0] + place[node][1] * axis[1]

    for layer, count in enumerate([4, 6, 3, 1]):
        across = [way((layer, i), aside) for i in range(count)]
        assert across == sorted(across)
        assert len({round(way((layer, i), along), 3) for i in range(count)}) == 1
    depths = [way((layer, 0), along) for layer in range(4)]
    assert depths == sorted(depths)


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


def test_a_radius_beyond_the_graph_is_no_matter():
    y = example_graph()
    assert draw(y, focus=y, radius=10**9).source == draw(y, focus=y, radius=10).source


def test_a_network_is_drawn_as_layers_of_neurons():
    source = draw(nn.MLP(2, [4, 1], rng=random.Random(0))).source
    weights = re.findall(r"^\s*u\d_\d+ -> u\d_\d+ ", source, flags=re.M)
    assert len(weights) == 2 * 4 + 4
    wide = draw(nn.MLP(64, [30, 10], rng=random.Random(0))).source
    assert "+52 more" in wide
    assert "+18 more" in wide


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "up"}, "direction takes one of LR, RL, TB, BT; got 'up'"),
        ({"theme": "blue"}, "theme takes one of light, dark; got 'blue'"),
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
        ({"model": 5}, "model takes an nn.Module; got 5"),
        ({"focus": []}, r"focus takes a Value of the graph; got \[\]"),
    ],
)
def test_options_of_a_wrong_kind_are_refused(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        draw(Value(1.0), **options)
    if "model" not in options and "focus" not in options:
        with pytest.raises((TypeError, ValueError), match=message):
            draw(nn.MLP(1, [1]), **options)


def test_only_values_and_models_are_drawn():
    with pytest.raises(TypeError, match=r"draw takes a Value or a model; got 3 \(int\)"):
        draw(3)
    with pytest.raises(ValueError, match="draw knows models made of layers of neurons; Dropout has none"):
        draw(nn.Dropout(0.5))


# The engines
