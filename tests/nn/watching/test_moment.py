"""Does the picture of a moment show what the model is and says, whatever the model, the data and the names?"""

import base64
import math
import random
import re
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import pytest
from hypothesis import example, given, settings, strategies as st

import nn
from autograd.drawing.theme import THEMES
from nn.losses import loss_function
from nn.training.examples import Examples
from nn.watching.networks import network_of
from nn.watching.picture import At, picture_of
from nn.watching.pixels import contour, levels_of, png
from nn.watching.plain_network import PlainNetwork
from nn.watching.view import View

SPACE = "{http://www.w3.org/2000/svg}"
LOGITS = "binary_cross_entropy_with_logits"
MOST = 60_000


def view_of(model, X, y, loss=LOGITS, held_out=None, **names):
    held_out = None if held_out is None else Examples(*held_out)
    return View(model, Examples(X, y), held_out, loss_function(loss), **names)


def moons(count=40):
    return nn.datasets.make_moons(count, noise=0.1, rng=0)


def tree(svg):
    """The picture, which is XML and small enough."""
    assert len(svg) < MOST
    return ElementTree.fromstring(svg)


def texts(svg):
    return [x.text for x in tree(svg).iter(f"{SPACE}text")]


def pixels(url):
    """An image with a palette, read by the words of the PNG specification: rows of (red, green, blue, opacity)."""
    data, chunks, at = base64.b64decode(url.partition(",")[2]), {}, 8
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        content = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + content)
        chunks[name], at = content, at + 12 + size
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert kind == [8, 3, 0, 0, 0]
    rows, colours = zlib.decompress(chunks[b"IDAT"]), chunks[b"PLTE"]
    found = []
    for i in range(height):
        row = rows[i * (width + 1) :][: width + 1]
        assert row[0] == 0
        found.append([(*colours[3 * k : 3 * k + 3], chunks[b"tRNS"][k]) for k in row[1:]])
    return found


# What the numbers are


@settings(max_examples=30)
@given(
    st.sampled_from([*nn.activations.ACTIVATIONS, math.tanh, lambda x: x * x]),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(0, 999),
    st.booleans(),
)
def test_the_units_say_what_the_model_says(activation, widths, seed, standardized):
    rng = random.Random(seed)
    model = nn.MLP(3, widths, activation, dropout=0.5, rng=seed) if activation is not math.tanh else nn.MLP(3, widths)
    rows = [[rng.uniform(-3.0, 3.0) for _ in range(3)] for _ in range(5)]
    whole = nn.Sequential(nn.Standardize.of(rows), model) if standardized else model
    units = PlainNetwork(network_of(whole)).responses(list(map(list, zip(*rows, strict=True))))
    said = [row if isinstance(row, list) else [row] for row in nn.predict(whole, rows)]
    for row, expected in zip(zip(*units[-1], strict=True), said, strict=True):
        assert row == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(st.lists(st.floats(-2.0, 2.0) | st.just(math.nan), min_size=16, max_size=16))
@example([0.0] * 16)
def test_an_image_is_a_png_with_a_colour_for_each_number(numbers):
    palette = [("#000000", 0.0), *((f"#{k:02x}0000", 0.5) for k in range(1, 8))]
    found = pixels(png(levels_of(numbers, 4, 1.0, 3), palette))
    for i, number in enumerate(numbers):
        red, _, _, opacity = found[3 - i // 4][i % 4]  # the first row of numbers is the lowest
        if math.isnan(number):
            assert opacity == 0
        else:
            assert abs((red - 4) / 3.0 - max(-1.0, min(1.0, number))) <= 1.0 / 6.0 + 1e-9


@given(st.floats(0.2, 0.8), st.floats(-3.0, 3.0))
def test_the_boundary_of_a_line_is_that_line(offset, slope):
    n = 12
    middles = [(k + 0.5) / n for k in range(n)]
    numbers = [y - 0.5 - slope * (x - offset) for y in middles for x in middles]
    for segment in contour(numbers, n, 0.0, 1.0, 1.0).split("M")[1:]:
        x, y, to_x, to_y = map(float, re.split("[,l]", segment))
        for a, b in ((x, y), (x + to_x, y + to_y)):
            assert 1.0 - b - 0.5 == pytest.approx(slope * (a - offset), abs=0.02)  # to a fiftieth of the plane


def test_where_the_model_says_class_1_the_plane_is_blue_and_else_orange():
    X, y = moons()
    model = nn.MLP(2, [1])
    (neuron,) = model.layers[0].neurons
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 50.0, 0.0, -25.0  # class 1 where x0 > 0.5
    svg = picture_of(view_of(model, X, y), theme="light")
    plane = pixels([x.get("href") for x in tree(svg).iter(f"{SPACE}image")][-1])
    colours = [tuple(bytes.fromhex(getattr(THEMES["light"], name)[1:])) for name in ("negative", "positive")]
    for row in plane:
        assert row[0][:3] == colours[0]
        assert row[-1][:3] == colours[1]


# What is on it


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
@pytest.mark.parametrize(
    ("model", "kind", "task"),
    [
        (nn.MLP(2, [8, 8, 1], rng=0), "plane", "binary"),
        (nn.MLP(1, [5, 1], "tanh", rng=0), "curve", "binary"),
        (nn.MLP(5, [4, 1], "tanh", rng=0), "plane", "binary"),
        (nn.MLP(30, [4, 1], rng=0), "predictions", "binary"),
        (nn.Sequential(nn.Layer(2, 4, rng=0), nn.BatchNorm(4), nn.Layer(4, 1, nonlin=False, rng=0)), "plane", "binary"),
    ],
)
def test_a_picture_is_small_and_whole(model, kind, task, theme):
    width, rng = model.input_width(), random.Random(0)
    X = [[rng.gauss(0.0, 1.0) for _ in range(width)] for _ in range(300)]
    view = view_of(model, X, [int(row[0] > 0.0) for row in X], held_out=([X[0]], [1]))
    assert (view.kind, view.task) == (kind, task)
    svg = picture_of(view, At(3.0, 0.01, [(1.0, 0.5), (2.0, math.nan), (3.0, 0.25)], [(3.0, 0.3)]), theme)
    words = texts(svg)
    assert {"epoch", "3", "learning rate", "0.01", "mean loss in epoch", "0.25", "validation loss", "0.3"} <= {*words}
    assert not re.search(r"\b(nan|inf)\b", re.sub(r'"data:[^"]*"', "", svg))
    assert ("@media" in svg) == (theme == "auto")


def test_several_classes_have_their_names_and_markers():
    X, y = [[float(k), float(k * k % 7)] for k in range(10)], list(range(10))
    names = [f"class {k}" for k in range(10)]
    words = texts(picture_of(view_of(nn.MLP(2, [3, 10], rng=0), X, y, "cross_entropy", classes=names)))
    assert {*names} <= {*words}


def test_many_inputs_show_how_probable_each_class_is():
    digits = nn.datasets.load_digits()
    view = view_of(nn.MLP(64, [4, 10], rng=0), digits.X, digits.y, "cross_entropy")
    words = texts(picture_of(view))
    assert "+ 55 more" in words
    assert "how probable each class is; the right one is framed" in words


def test_many_inputs_of_a_regression_show_predictions_over_targets():
    X = [[float((i * j) % 7) for j in range(20)] for i in range(1, 30)]
    words = texts(picture_of(view_of(nn.MLP(20, [3, 1], rng=0), X, [sum(row) for row in X], "mse_loss")))
    assert {"target", "prediction"} <= {*words}


def test_a_model_of_sequences_shows_tokens_and_says_so():
    model = nn.GPT(5, n_embd=4, n_head=1, n_layer=1, block_size=8, rng=0)
    from nn.training.sequences import given_examples

    examples = given_examples(model, [[0, 1, 2, 3], [2, 1]], [[1, 2, 3, 4], [1, 0]])
    svg = picture_of(View(model, examples, None, nn.cross_entropy))
    assert "A model of sequences: each line is a token to predict." in texts(svg)


def test_what_has_no_picture_is_named():
    X, y = moons()
    model = nn.Sequential(nn.Layer(2, 4, rng=0), nn.BatchNorm(4), nn.Layer(4, 1, nonlin=False, rng=0))
    assert any("BatchNorm" in words for words in texts(picture_of(view_of(model, X, y))))


def test_of_many_inputs_the_two_that_tell_most_are_axes():
    rng = random.Random(0)
    y = [i % 2 for i in range(60)]
    X = [[rng.gauss(0, 1), t + rng.gauss(0, 0.1), rng.gauss(0, 1), -t + rng.gauss(0, 0.1)] for t in y]
    view = view_of(nn.MLP(4, [3, 1], rng=0), X, y, names=["a", "b", "c", "d"])
    assert [axis.name for axis in view.axes] == ["b", "d"]


# Bad input

HOSTILE = ['"><script>alert(1)</script>', "a\x1b[31m\u202eb\n", "x" * 1000, "&lt;b&gt;", "", "'"]


def test_names_are_inert():
    X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], [0, 1, 2]
    view = view_of(nn.MLP(2, [3, 3], rng=0), X, y, "cross_entropy", names=HOSTILE[:2], classes=HOSTILE[2:5])
    svg = picture_of(view)
    assert {x.tag.removeprefix(SPACE) for x in tree(svg).iter()} <= {
        "svg",
        "style",
        "rect",
        "text",
        "path",
        "image",
    } | {
        "circle",
        "title",
    }
    assert not any(c in svg for c in "\x1b\u202e\n")


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=6),
    st.floats(),
    st.sampled_from(["mse_loss", LOGITS, "cross_entropy"]),
    st.sampled_from([1, 2]),
)
@example([(1.7e308, -1.7e308), (-1.7e308, 1.7e308)], 1.7e308, "mse_loss", 2)
@example([(0.0, 0.0)], math.nan, "mse_loss", 2)
@example([(0.0, 0.0), (1.0, 1.0)], math.nan, "cross_entropy", 2)
@example([(0.0, 0.0), (1.0, 1.0)], math.inf, "cross_entropy", 1)
@example([(5e-324, 0.0), (0.0, 0.0)], 0.0, LOGITS, 1)
def test_extreme_numbers_make_a_picture_or_a_sentence(rows, weight, loss, width):
    X = [list(row[:width]) for row in rows]
    model = nn.MLP(width, [2, 3 if loss == "cross_entropy" else 1], rng=0)
    model.layers[0].neurons[0].w[0].data = weight
    y = [abs(row[0]) if loss == "mse_loss" else i % 2 for i, row in enumerate(rows)]
    if not any(all(map(math.isfinite, row)) for row in X):
        with pytest.raises(ValueError, match="finite"):
            view_of(model, X, y, loss)
        return
    svg = picture_of(view_of(model, X, y, loss), At(1.0, math.nan, [(1.0, math.inf)], [(1.0, 1.7e308)]))
    tree(svg)
    drawn = re.findall(r' (?:d|x|y|width|height|cx|cy)="([^"]*)"', svg)
    assert not any(re.search("nan|inf", attribute) for attribute in drawn)


def test_the_largest_picture_is_small():
    rng = random.Random(0)
    X = [[rng.gauss(0.0, 1.0) for _ in range(8)] for _ in range(400)]
    y = [rng.randrange(10) for _ in X]
    view = view_of(nn.MLP(8, [10] * 7, "tanh", rng=0), X, y, "cross_entropy", held_out=(X, y))
    losses = [(float(k), rng.random()) for k in range(1000)]
    tree(picture_of(view, At(1000.0, 0.1, losses, losses)))


@pytest.mark.parametrize("count", [12, 40, 300])
def test_many_classes_have_a_picture(count):
    X = [[float(k), float(-k)] for k in range(count)]
    for layers in ([nn.Layer(2, count, nonlin=False, rng=0)], [nn.BatchNorm(2), nn.Layer(2, count, rng=0)]):
        if count > 100 and len(layers) > 1:
            continue  # to ask the model itself takes seconds
        tree(picture_of(view_of(nn.Sequential(*layers), X, list(range(count)), "cross_entropy")))


@pytest.mark.parametrize("widths", [[1], [40, 3], [3] * 12, [2, 30]])
def test_wide_and_deep_networks_fit(widths):
    X, y = moons()
    targets = y if widths[-1] == 1 else [t % widths[-1] for t in y]
    loss = LOGITS if widths[-1] == 1 else "cross_entropy"
    svg = picture_of(view_of(nn.MLP(2, widths, "tanh", rng=0), X, targets, loss))
    for rect in tree(svg).iter(f"{SPACE}rect"):
        x, y_, w, h = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert -0.1 <= x <= x + w <= 900.1
        assert -0.1 <= y_ <= y_ + h <= 506.1


def test_a_theme_that_is_none_is_refused():
    X, y = moons()
    with pytest.raises(ValueError, match="theme takes one of auto, light, dark; got 'blue'"):
        picture_of(view_of(nn.MLP(2, [1], rng=0), X, y), theme="blue")
