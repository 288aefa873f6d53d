"""Does the picture of attention show the model's own weights, at the right characters, and can it be read?"""

import math
import random

import pytest

import autograd
import nn
from autograd import Value
from autograd.drawing.graph import scene_of
from nn import plot_attention
from tests.nn.test_plotting import drawn, overlapping, texts

pytest.importorskip("matplotlib")
NAMES = ["Rome", "Oslo", "San Juan", "Sao Tome"]


def gpt(**sizes):
    return nn.GPT(nn.CharTokenizer(NAMES), **{"n_embd": 8, "n_head": 2, "block_size": 8, "rng": 3} | sizes)


def shown(ax):
    """The rows of the triangle."""
    square = ax.images[0].get_array().filled(math.nan).tolist()
    return [[x for x in row if not math.isnan(x)] for row in square]


def labels(ax):
    return [label.get_text() for label in ax.get_xticklabels()], [label.get_text() for label in ax.get_yticklabels()]


def panels(figure):
    return [ax for ax in figure.axes if ax.get_title() and ax.get_visible()]


@pytest.mark.parametrize(("layers", "heads"), [(1, 1), (1, 4), (2, 2), (3, 8)])
def test_each_head_of_each_layer_has_a_triangle_of_shares(layers, heads):
    model = gpt(n_layer=layers, n_head=heads)
    figure = plot_attention(model, "Rome")
    assert len(panels(figure)) == layers * heads
    for ax in panels(figure):
        rows = shown(ax)
        assert [len(row) for row in rows] == [1, 2, 3, 4, 5]
        assert [sum(row) for row in rows] == pytest.approx([1.0] * 5)
        assert labels(ax) == (["•", *"Rome"], ["•", *"Rome"])
    titles = [ax.get_title() for ax in panels(figure)]
    assert titles[-1] == (f"head {heads - 1}" if layers == 1 else f"layer {layers - 1}, head {heads - 1}")


def test_the_weights_are_those_with_which_the_model_computes():
    model = gpt(n_layer=2)
    tokens = [model.tokenizer.bos, *model.tokenizer.encode("Oslo")]
    found = model.attention_weights(tokens)
    pairs = [zip(model.wte([token]), model.wpe([place]), strict=True) for place, token in enumerate(tokens)]
    rows = [[x.data for x in model.norm([a + b for a, b in pair])] for pair in pairs]
    for block, heads in zip(model.blocks, found, strict=True):
        normed = [[x / math.sqrt(sum(y * y for y in row) / len(row) + 1e-5) for x in row] for row in rows]
        keys, queries = (
            [[x.data for x in m(row)] for row in normed] for m in (block.attention.key, block.attention.query)
        )
        for h, triangle in enumerate(heads):
            part = slice(4 * h, 4 * h + 4)
            for t, weights in enumerate(triangle):
                dots = [
                    sum(a * b for a, b in zip(queries[t][part], key[part], strict=True)) / 2.0 for key in keys[: t + 1]
                ]
                total = sum(map(math.exp, dots))
                assert weights == pytest.approx([math.exp(d) / total for d in dots], rel=1e-12)
        rows = [[x.data for x in row] for row in block(rows)]
    assert all(type(x) is float for heads in found for triangle in heads for row in triangle for x in row)
    for ax, triangle in zip(panels(plot_attention(model, "Oslo")), [t for heads in found for t in heads], strict=True):
        assert shown(ax) == triangle


def test_a_module_names_its_parts_for_drawings():
    attention = nn.MultiHeadAttention(4, 2, rng=0)
    x = [[Value(0.5 * t - i) for i in range(4)] for t in range(3)]
    rows, parts = attention.parts(x)
    assert [y.data for row in rows for y in row] == [y.data for row in attention(x) for y in row]
    for head, triangle in enumerate(attention.weights(x)):
        assert [w.data for row in triangle for w in row] == [
            w.data for row in parts[f"head {head}.softmax"] for w in row
        ]
    loss = autograd.mean([y**2 for row in rows for y in row])
    tokens = {f"token {t}": row for t, row in enumerate(x)}
    # three maps, two heads, the last map and the loss; with a head opened, its three parts
    for expand, count in (False, 7), ("head 0", 9):
        scene = scene_of(loss, attention, expand, parts=tokens | parts | {"loss": loss})
        assert sum(box.kind != "constant" for box in scene.boxes) == 3 + count
    text = str(autograd.explain(loss, model=attention, parts=tokens | parts | {"loss": loss}, expand="head 1"))
    assert "head 1.softmax[2][1] passes its gradient on" in text


def test_weights_of_ones_own_are_drawn_too_and_may_be_values():
    rows = [[Value(1.0)], [Value(0.25), Value(0.75)]]
    figure = plot_attention([rows], ["Rom", "$x"], titles=["mine"])
    (ax,) = panels(figure)
    assert shown(ax) == [[1.0], [0.25, 0.75]]
    assert (ax.get_title(), texts(ax)) == ("mine", ["1", ".25", ".75"])
    assert labels(drawn(figure).axes[0])[0] == ["Rom", r"\$x"]


def test_tokens_are_taken_as_they_are_and_white_space_is_seen():
    figure = plot_attention(gpt(), "San Ju")
    assert labels(panels(figure)[0])[0] == ["•", *"San␣Ju"]
    model = gpt()
    tokens = [model.tokenizer.bos, *model.tokenizer.encode("Rom"), model.tokenizer.bos]
    assert labels(panels(plot_attention(model, tokens))[0])[0] == ["•", *"Rom", "•"]
    without = nn.GPT(11, n_embd=4, n_head=1, rng=0)
    assert labels(panels(plot_attention(without, [10, 3]))[0])[0] == ["10", "3"]


@pytest.mark.parametrize("count", [1, 5, 20])
@pytest.mark.parametrize("heads", [1, 5])
def test_nothing_overlaps_whatever_the_length(count, heads):
    draw = random.Random(count)
    rows = [[1.0 / (t + 1)] * (t + 1) for t in range(count)]
    figure = drawn(plot_attention([rows] * heads, [draw.choice("WMiæ") for _ in range(count)]))
    width, height = figure.canvas.get_width_height()
    for ax in panels(figure):
        for ticks in ax.get_xticklabels(), ax.get_yticklabels():
            assert overlapping(ticks, figure) is None
        assert overlapping(ax.texts, figure) is None
        for label in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.title):
            box = label.get_window_extent()
            assert 0 <= box.x0 <= box.x1 <= width
            assert 0 <= box.y0 <= box.y1 <= height


def test_what_cannot_be_drawn_is_refused_in_a_sentence():
    model = gpt()
    for call, error, words in [
        (lambda: plot_attention(model, "Rom!"), ValueError, "unknown"),
        (lambda: plot_attention(model, "Sao Tome Sao"), ValueError, "1 to 8 tokens; got 13"),
        (lambda: plot_attention(model, []), ValueError, "1 to 8 tokens; got 0"),
        (lambda: plot_attention(nn.GPT(5, n_embd=4, n_head=1), "Rom"), TypeError, "without a tokenizer; got 'Rom'"),
        (lambda: plot_attention(3, "Rom"), TypeError, r"for each head the rows of its weights; got 3 \(int\)"),
        (lambda: plot_attention([], "Rom"), ValueError, "at least one head"),
        (lambda: plot_attention([[[1.0]]], "Rom"), ValueError, r"each of 3 positions.*got rows of \[1\]"),
        (lambda: plot_attention([[[1.0]]], "R", titles=["a", "b"]), ValueError, "each of 1 heads; got 2"),
    ]:
        with pytest.raises(error, match=words):
            call()
