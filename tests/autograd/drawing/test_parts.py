"""Does a graph fold to the parts that somebody names, down to single Values, and is each picture all of it?"""

import random

import pytest
from hypothesis import given, settings, strategies as st

import autograd
import nn
from autograd import Value, draw, explain, topological_order
from autograd.drawing.graph import scene_of
from autograd.drawing.parts import parts_of
from tests.autograd.drawing.test_folding import check
from tests.autograd.test_graph import graphs

PIECES = ["head.query", "head.key", "head.value", "head.scores", "head.softmax", "head.weighted sum"]


def attention_head(tokens=3, width=2, seed=1):
    """The loss of a causal attention head written by hand, with its parts."""
    rng = random.Random(seed)
    x = [[Value(rng.gauss(0.0, 1.0)) for _ in range(width)] for _ in range(tokens)]

    def mapped(rows):
        weight = [[Value(rng.gauss(0.0, 1.0)) for _ in range(width)] for _ in range(width)]
        return [[autograd.dot(w, row) for w in weight] for row in rows]

    query, key, value = mapped(x), mapped(x), mapped(x)
    scores = [[autograd.dot(query[t], key[s]) / width**0.5 for s in range(t + 1)] for t in range(tokens)]
    weights = [autograd.softmax(row) for row in scores]
    columns = list(zip(*value, strict=True))
    result = [[autograd.dot(row, column[: len(row)]) for column in columns] for row in weights]
    loss = autograd.mean([y**2 for row in result for y in row])
    loss.label = "loss"
    loss.backward()
    pieces = dict(zip(PIECES, [query, key, value, scores, weights, result], strict=True))
    return loss, {f"token {t}": row for t, row in enumerate(x)} | pieces | {"loss": loss}


def titles(scene):
    return [box.lines[0][0] for box in scene.boxes if box.kind != "constant"]


def without_constants(scene):
    """The scene without the boxes of plain numbers, which are no nodes."""
    scene.arrows = [arrow for arrow in scene.arrows if scene.boxes[arrow.tail].kind != "constant"]
    scene.boxes = [box for box in scene.boxes if box.kind != "constant"]
    return scene


def test_a_head_folds_to_one_box_opens_to_its_parts_and_to_single_values():
    loss, parts = attention_head()
    tokens = ["token 0", "token 1", "token 2"]
    folded = scene_of(loss, parts=parts)
    assert sorted(titles(folded)) == ["head", "loss", *tokens]
    arrows = {(titles(folded)[arrow.tail], titles(folded)[arrow.head]) for arrow in folded.arrows}
    assert arrows == {*((token, "head") for token in tokens), ("head", "loss")}
    opened = scene_of(loss, parts=parts, expand="head")
    assert sorted(titles(opened)) == sorted(["loss", *tokens, *(name.removeprefix("head.") for name in PIECES)])
    arrows = {(titles(opened)[arrow.tail], titles(opened)[arrow.head]) for arrow in opened.arrows}
    assert {("query", "scores"), ("key", "scores"), ("scores", "softmax"), ("softmax", "weighted sum")} < arrows
    assert ("value", "scores") not in arrows
    whole = scene_of(loss, parts=parts, expand=True)
    assert all(len(box.nodes) == 1 for box in whole.boxes if box.kind != "constant")
    for scene in (folded, opened, whole):
        check(without_constants(scene), topological_order(loss))


def test_a_box_shows_what_its_part_gives_row_by_row():
    loss, parts = attention_head()
    scene = scene_of(loss, parts=parts, expand="head")
    (box,) = (box for box in scene.boxes if box.lines[0] == ("softmax",))
    rows = [[scene.nodes[int(code[1:])] for code in line[1::2]] for line in box.lines[1:-1]]
    assert rows == parts["head.softmax"]
    assert [sum(weight.data for weight in row) for row in rows] == pytest.approx([1.0, 1.0, 1.0])
    assert box.module == "head"
    shown = scene_of(loss, parts=parts)
    (head,) = (box for box in shown.boxes if box.lines[0] == ("head",))
    assert [len(line[1::2]) for line in head.lines[1:-1]] == [2, 2, 2]  # what its last part gives


def test_of_a_large_result_a_few_rows_and_numbers_are_shown():
    x = [[Value(1.0) for _ in range(9)] for _ in range(7)]
    root = autograd.sum([y for row in x for y in row])
    (box,) = (box for box in scene_of(root, parts={"x": x}).boxes if box.lines[0] == ("x",))
    assert len(box.lines) == 1 + 4 + 1 + 1
    assert all(len(line[1::2]) == 4 and line[-1].endswith("…") for line in box.lines[1:5])


def test_opening_one_part_leaves_the_others_folded():
    loss, parts = attention_head()
    scene = scene_of(loss, parts=parts, expand=["head.scores"])
    assert {"query", "key", "value", "softmax", "weighted sum", "scores[2][1]"} < set(titles(scene))
    assert sum(title.startswith("scores[") for title in titles(scene)) == 6
    assert any(box.kind == "constant" for box in scene.boxes)  # the root of the head's size
    drawing = draw(loss, parts=parts, expand=["head.scores"]).pipe("svg").decode()
    assert "head.scores" in drawing
    assert ">query<" in drawing


@settings(max_examples=60)
@given(graphs(), st.data())
def test_whatever_the_parts_are_the_picture_is_all_of_the_graph(nodes, data):
    order = topological_order(nodes[-1])
    some = st.lists(st.sampled_from(order), min_size=1, max_size=3)
    names = data.draw(
        st.permutations(["a.b", "a.c", "d", "e"]).filter(lambda n: abs(n.index("a.b") - n.index("a.c")) == 1)
    )
    parts = {name: data.draw(some) for name in names}
    expand = data.draw(st.sampled_from([False, True, "a", ["d", "a.c"]]))
    scene = without_constants(scene_of(nodes[-1], parts=parts, expand=expand, most_nodes=data.draw(st.integers(1, 40))))
    check(scene, order)


@given(graphs(), st.data())
def test_a_part_has_its_values_and_what_only_they_need(nodes, data):
    order = topological_order(nodes[-1])
    chosen = data.draw(st.lists(st.sampled_from(order), min_size=1, max_size=3))
    found = parts_of(order, {"part": chosen})
    needed = set(topological_order(autograd.sum(chosen))[:-1])
    for node, path in found.path_of.items():
        assert path == "part"
        assert node in needed
    for node in needed - found.path_of.keys():
        assert not node.operation
        assert any(node in user.parents for user in set(order) - found.path_of.keys())


def test_a_leaf_that_several_parts_use_has_a_box_of_its_own():
    x = Value(2.0, label="x")
    a, b = x * 3.0, x + 1.0
    scene = scene_of(a * b, parts={"both.a": a, "both.b": b})
    assert "x" in titles(scene)
    scene = scene_of(a * b, parts={"in": x, "both.a": a, "both.b": b})
    assert scene.boxes[scene.box_of[scene.index_of(x)]].tooltip[0].startswith("part in")


def test_a_model_names_the_weights_in_an_opened_part():
    layer = nn.Layer(2, 2, rng=0)
    hidden = layer([1.0, 2.0])
    scene = scene_of(autograd.sum(hidden), model=layer, parts={"layer": hidden}, expand=True)
    assert {"w.0", "w.1", "b"} <= set(titles(scene))


def test_explain_steps_through_a_head_part_by_part():
    loss, parts = attention_head()
    before = [node.grad for node in topological_order(loss)]
    explanation = explain(loss, parts=parts, expand="head")
    text = str(explanation)
    assert "compute query[0][0]\n" in text
    assert "compute scores[2][1]\n" in text
    assert "softmax[1][0] passes its gradient on" in text
    boxes = [explanation.scene.boxes[step.box].lines[0][0] for step in explanation.steps if step.phase == "forward"]
    in_turn = [title for i, title in enumerate(boxes) if i == 0 or boxes[i - 1] != title]
    assert sorted(in_turn) == sorted([*(name.removeprefix("head.") for name in PIECES), "loss"])
    assert [node.grad for node in topological_order(loss)] == before
    assert len(explain(loss, parts=parts).steps) == len(explanation.steps)


def test_wrong_parts_are_refused_in_a_sentence():
    x = Value(1.0, label="x")
    y = x * 2.0
    for parts, error, words in [
        ([y], TypeError, r"parts takes a dict of names and Values"),
        ({1: y}, TypeError, r"parts takes a dict of names and Values"),
        ({"": y}, ValueError, r"got '': give each a name"),
        ({"a..b": y}, ValueError, r"got 'a..b'"),
        ({"a": "y"}, TypeError, r"got 'y' \(str\) for 'a'"),
        ({"a": [None]}, TypeError, r"got None \(NoneType\) for 'a'"),
        ({"a": Value(3.0)}, ValueError, r"none of 'a' is in it"),
        ({"a": []}, ValueError, r"none of 'a' is in it"),
        ({"a.b": x, "c": x, "a.d": y}, ValueError, r"the parts of 'a' must follow each other; got 'a.d' after 'c'"),
    ]:
        with pytest.raises(error, match=words):
            draw(y, parts=parts)
    for expand, error, words in [
        ("b", ValueError, r"got 'b': there are a"),
        (3, TypeError, r"names of parts; got 3"),
    ]:
        with pytest.raises(error, match=words):
            draw(y, parts={"a": y}, expand=expand)
    with pytest.raises(TypeError, match="give one of them"):
        draw(y, parts={"a": y}, focus=x)
    with pytest.raises(TypeError, match="parts belong to draw"):
        draw(nn.Neuron(2), [1.0, 2.0], parts={"a": y})
