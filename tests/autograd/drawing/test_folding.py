"""Does a large graph become a few boxes, which together are all of it?"""

import random
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings, strategies as st

import autograd
import nn
from autograd import Value, draw, topological_order
from autograd.drawing import folding
from autograd.drawing.folding import fold
from autograd.drawing.graph import scene_of
from autograd.drawing.numbers import Numbers, root_mean_square
from autograd.drawing.scene import modules_of
from tests.autograd.drawing.graphs import mostly_slow
from tests.autograd.test_graph import graphs


def irregular(count, reach, seed=0):
    """A graph of `count` nodes, each of which uses two of the `reach` nodes before it, or leaves."""
    rng = random.Random(seed)
    nodes = [Value(rng.uniform(-2, 2)) for _ in range(count // 10 + 2)]
    while len(nodes) < count - 1:
        x, y = nodes[-1 - min(rng.randrange(reach), len(nodes) - 1)], nodes[-1 - rng.randrange(len(nodes))]
        make = [
            lambda x, y: x + y,
            lambda x, y: x * y,
            lambda x, _: x * 0.5,
            lambda x, _: x.tanh(),
            lambda x, y: autograd.dot([x, y, x], [y, 2.0, x], bias=y),
            lambda x, y: autograd.clip(x, y, 1.0),
        ][rng.randrange(6)]
        nodes.append(make(x, y))
    used = {parent for node in nodes for parent in node.parents}
    root = autograd.mean([node for node in nodes if node not in used])
    root.backward()
    return root


def check(scene, order):
    """Every node in one box, an arrow for every edge between two boxes, and no circle."""
    assert set(scene.box_of) == {scene.index_of(node) for node in order}
    assert sorted(i for box in scene.boxes for i in box.nodes) == list(range(len(order)))
    counts = Counter()
    for node in order:
        for parent in node.parents:
            counts[scene.box_of[scene.index_of(parent)], scene.box_of[scene.index_of(node)]] += 1
    expected = {pair: count for pair, count in counts.items() if pair[0] != pair[1]}
    assert {(arrow.tail, arrow.head): arrow.count for arrow in scene.arrows} == expected
    assert len({arrow.name for arrow in scene.arrows}) == len(scene.arrows)
    waiting = Counter(head for _, head in expected)
    ready = [box for box in range(len(scene.boxes)) if not waiting[box]]
    for box in ready:  # the list grows while it is read
        for tail, head in expected:
            if tail == box:
                waiting[head] -= 1
                if not waiting[head]:
                    ready.append(head)
    assert len(ready) == len(scene.boxes)


@settings(max_examples=150)
@given(graphs(), st.integers(1, 12))
def test_a_folded_graph_is_all_of_it(nodes, most):
    scene = fold(nodes[-1], {}, most)
    check(scene, topological_order(nodes[-1]))
    assert len(scene.boxes) <= max(most, 3)


@pytest.mark.parametrize("reach", [3, 20, 300, 1000])
@pytest.mark.parametrize("count", [150, 300, 1000])
def test_irregular_graphs_become_some_dozen_boxes(count, reach):
    root = irregular(count, reach)
    scene = scene_of(root)
    check(scene, topological_order(root))
    assert 8 <= len(scene.boxes) <= 36
    assert len(scene.arrows) <= 80
    links = {(arrow.tail, arrow.head) for arrow in scene.arrows}
    assert max(folding.levels(links).values()) <= 12
    assert scene.note.startswith("a box with two borders stands for several nodes")


def test_a_folded_box_has_the_root_mean_square_of_its_gradients():
    scene = scene_of(irregular(300, 20))
    numbers = Numbers(scene)
    folded = [box for box in scene.boxes if box.kind == "folded"]
    assert folded
    for box in folded:
        assert len(box.nodes) > 1
        (code,) = (line[1] for line in box.lines if line[0] == "grad ")
        assert numbers(code) == root_mean_square([scene.nodes[i].grad for i in box.nodes])
        assert not box.colour  # a root mean square has no sign


def test_graphs_of_up_to_a_hundred_boxes_are_drawn_whole():
    root = irregular(90, 20)
    boxes = len(draw_whole := scene_of(root, most_nodes=1000).boxes)
    assert (len(scene_of(root).boxes) == boxes) == (boxes <= 100)
    assert draw_whole


def test_a_folded_box_names_some_of_its_nodes():
    leaves = [Value(1.0, label=f"x{i}") for i in range(60)]
    y = leaves[0]
    for i in range(300):
        y = (y * leaves[i % 60]).tanh() + leaves[(i * i) % 60]
    boxes = [box for box in scene_of(y).boxes if box.kind == "folded"]
    named = [line[0] for box in boxes for line in box.lines if line[0].startswith("x")]
    assert named
    assert all(name.endswith(", …") or name.count(",") < 3 for name in named)


def titles(scene):
    return {box.lines[0][0] for box in scene.boxes}


def test_layers_of_a_batch_are_folded_and_say_so():
    model = nn.MLP(64, [16, 10], rng=random.Random(0))
    X, y = nn.datasets.load_digits()[:2]
    loss = nn.cross_entropy(model(X[:8]), y[:8])
    loss.backward()
    scene = scene_of(loss)
    check(scene, topological_order(loss))
    assert len(scene.boxes) < 20
    assert {"dot ×128", "relu ×128", "dot ×80"} <= titles(scene)
    assert any(box.lines[1] == ("computed alike",) for box in scene.boxes)


def test_the_terms_of_a_long_sum_are_alike():
    model = nn.MLP(2, [8, 8, 1], rng=random.Random(0))
    loss = sum((model([x / 40, 1.0]) - 1.0) ** 2 for x in range(40))
    scene = scene_of(loss)
    assert len(scene.boxes) < 20
    assert {"pow ×40", "add ×40"} <= titles(scene)  # from 0 + ... on


@cache
def long_chain(length):
    v = Value(1.0, label="x")
    for i in range(length):
        v = v * 1.000001 if i % 3 else v + 0.0
    return v


@pytest.mark.parametrize("count", [20_000, *mostly_slow(100_000)])
def test_a_large_graph_is_drawn_as_a_few_boxes(count):
    rng, nodes = random.Random(0), [Value(1.0) for _ in range(100)]
    for _ in range(count // 2):
        nodes.append(nodes[rng.randrange(len(nodes))] * 0.5 + nodes[-1])
    chain, tangle = scene_of(long_chain(count)), scene_of(nodes[-1])
    assert any(title.startswith(f"{(count - 1) // 1000},") and title.endswith(" in a row") for title in titles(chain))
    assert len(chain.boxes) <= 5
    assert len(tangle.boxes) <= 36
    assert set(tangle.box_of) == set(range(len(tangle.nodes)))


@pytest.mark.slow
def test_of_a_graph_of_a_million_nodes_the_nearest_are_drawn_without_recursion():
    shown = titles(scene_of(long_chain(1_000_000)))
    assert any(title.startswith("149,") and title.endswith(" in a row") for title in shown)
    assert any(title.startswith("+850,") and title.endswith(" more") for title in shown)


@pytest.mark.parametrize("examples", [20, 200])
def test_folding_looks_at_the_nearest_nodes_of_a_large_graph_and_counts_the_rest(monkeypatch, examples):
    model = nn.MLP(2, [4, 1], rng=random.Random(0))
    loss = sum(((model([x / 40, 1.0]) - 1.0) ** 2 for x in range(examples)), long_chain(500))
    monkeypatch.setattr(folding, "MOST_FOLDED", 300)
    scene = scene_of(loss, most_nodes=50)
    assert len(scene.nodes) == 300
    assert sum(len(box.nodes) for box in scene.boxes) == 300
    (note,) = [box for box in scene.boxes if box.kind == "note"]
    assert note.lines == [(f"+{len(topological_order(loss)) - 300:,} more",)]
    assert any(scene.boxes[arrow.tail] is note for arrow in scene.arrows)


def test_boxes_of_a_folded_graph_belong_to_modules():
    model = nn.MLP(2, [8, 8, 1], rng=random.Random(0))
    loss = sum((model([x / 40, 1.0]) - 1.0) ** 2 for x in range(40))
    scene = fold(loss, modules_of(topological_order(loss), model), 36)
    assert {"layers.0", "layers.1"} <= {box.module for box in scene.boxes}


def test_a_focus_shows_the_neighbourhood_and_counts_the_rest():
    chain = long_chain(1000)
    middle = topological_order(chain)[500]
    scene = scene_of(chain, focus=middle, radius=2)
    assert len(scene.nodes) == 5
    assert "+996 more" in titles(scene)
    with pytest.raises(ValueError, match="focus takes a node of the graph"):
        draw(chain, focus=Value(1.0))


def test_a_radius_beyond_the_graph_is_no_matter():
    y = irregular(40, 5)
    assert draw(y, focus=y, radius=10**9).source == draw(y, focus=y, radius=100).source


def test_many_constants_of_a_node_share_a_box():
    model = nn.MLP(64, [16, 10], rng=random.Random(0))
    out = model([0.5] * 64)[0]
    scene = scene_of(out, model, focus=model.layers[0].neurons[0].w[20], radius=1)
    assert "64 numbers" in titles(scene)
    assert len(scene.boxes) < 10
