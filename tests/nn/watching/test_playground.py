"""What does `nn.playground` take, and what does its page know? Models of any kind, data of one's own, bad input."""

import json
import math
import random
import re

import pytest

import nn
from autograd import tanh, where
from nn.datasets import make_moons
from nn.watching.networks import network_of

X, Y = make_moons(40, noise=0.1, rng=0)


def known(page):
    """What the page knows."""
    return page._model


def test_the_page_has_the_network_and_the_data():
    model = nn.MLP(2, [3, 1], "tanh", dropout=0.25, rng=1)
    page = known(nn.playground(model, X, Y, validation=(X[:5], Y[:5]), rng=4, lr=0.02, batch_size=7))
    assert page["numbers"] == [p.data for p in model.parameters()]
    assert page["spec"]["layers"] == [
        {"width": 3, "activation": "tanh", "dropout": 0.25},
        {"width": 1, "activation": "linear", "dropout": 0.0},
    ]
    (data,) = page["datasets"]
    assert (data["rows"], data["targets"], data["testRows"], data["testTargets"]) == (X, Y, X[:5], Y[:5])
    assert (page["task"], page["loss"], page["lr"], page["batchSize"], page["seed"], page["optimizer"]) == (
        "binary", "binary_cross_entropy_with_logits", 0.02, 7, 4, "adam"
    )  # fmt: skip
    assert page["missing"] == []


@pytest.mark.parametrize(
    ("width", "targets", "loss", "task"),
    [
        (1, [0, 1], "binary_cross_entropy_with_logits", "binary"),
        (1, [0, 2], "mse_loss", "regression"),
        (1, [0.5, 1.0], "mse_loss", "regression"),
        (3, [0, 2], "cross_entropy", "classes"),
        (2, [[0.0, 1.0], [1.0, 0.5]], "mse_loss", "regression"),
    ],
)
def test_the_loss_that_suits(width, targets, loss, task):
    page = known(nn.playground(nn.MLP(2, [width]), X[:2], targets))
    assert (page["loss"], page["task"]) == (loss, task)


def test_names_are_those_of_the_frame_or_given():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["width", "height"])
    assert known(nn.playground(nn.MLP(2, [1]), frame, Y))["names"]["inputs"] == ["width", "height"]
    page = known(nn.playground(nn.MLP(2, [1]), X, Y, names=["a", "b"], classes=["no", "yes"]))
    assert page["names"] == {"inputs": ["a", "b"], "classes": ["no", "yes"]}


@pytest.mark.parametrize("kind", [nn.Classifier, nn.Regressor])
def test_an_estimator_and_its_table(kind):
    draw = random.Random(0)
    rows = [{"size": draw.gauss(5, 2), "colour": draw.choice(["red", "blue"])} for _ in range(60)]
    labels = ["big" if row["size"] > 5 else "small" for row in rows]
    target = labels if kind is nn.Classifier else [row["size"] * 2 for row in rows]
    table = nn.Table({name: [row[name] for row in rows] for name in ("size", "colour")})
    model = kind(hidden=(4,), epochs=3, random_state=0).fit(table, target)
    page = known(nn.playground(model, table, target))
    assert page["missing"] == []
    assert page["names"]["inputs"][0] == "size"
    assert len(page["spec"]["scale"]["means"]) == page["spec"]["inputs"] == len(page["names"]["inputs"])
    if kind is nn.Classifier:
        assert page["names"]["classes"] == ["big", "small"]
        assert set(page["datasets"][0]["targets"]) == {0, 1}


def test_a_model_with_other_layers_says_what_is_missing():
    model = nn.Sequential(nn.Layer(2, 4), nn.BatchNorm(4), nn.Layer(4, 1, nonlin=False))
    page = known(nn.playground(model, X, Y))
    assert page["spec"] is None
    assert page["missing"] == ["BatchNorm(4) has no picture here."]
    answers = page["answers"]
    assert len(answers["examples"]) == len(X)
    assert len(answers["grid"]) == len(answers["sides"][0]) * len(answers["sides"][1])
    model.eval()
    corner = [answers["sides"][0][-1], answers["sides"][1][0]]
    assert answers["grid"][len(answers["sides"][0]) - 1] == model(corner).data


def test_activations_of_ones_own_are_printed():
    def bent(x):
        return where(x > 0.5, tanh(x) * 2.0, x * x)

    network = network_of(nn.MLP(2, [3, 3, 1], bent))
    assert [layer["activation"] for layer in network.layers] == ["bent", "bent", "linear"]
    text = nn.playground(nn.MLP(2, [3, 1], bent), X, Y)._scripts["KIT"]
    assert '"bent":{value' in text


def test_own_activations_compute_in_the_page(core):
    def bent(x):
        return where(x > 0.5, tanh(x) * 2.0, x * x)

    model = nn.MLP(2, [3, 1], bent, rng=0)
    network = network_of(model)
    found = core(
        """
        const network = makeNetwork(given.spec, Float64Array.from(given.numbers));
        const losses = given.X.map((row, k) => network.backward(row, given.Y[k]));
        return { losses, gradients: [...network.gradients] };
        """,
        {"spec": network.spec, "numbers": network.numbers, "X": X, "Y": Y},
        activations=network.activations,
    )
    loss = nn.binary_cross_entropy_with_logits(model(X), Y, reduction="sum")
    loss.backward()
    assert math.fsum(found["losses"]) == pytest.approx(loss.data, rel=1e-12)
    assert found["gradients"] == pytest.approx([p.grad for p in model.parameters()], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rng": -1}, "rng takes a seed"),
        ({"rng": random.Random(0)}, "rng takes a seed"),
        ({"optimizer": "adm"}, "there is no optimizer 'adm'"),
        ({"optimizer": nn.Adam}, "optimizer takes a name"),
        ({"optimizer": ["adam"]}, "optimizer takes a name"),
        ({"optimizer": nn.SGD(nn.MLP(2, [1]).parameters(), lr=0.1)}, "moves none of the model's parameters"),
        ({"lr": -1.0}, "lr of at least 0"),
        ({"lr": math.nan}, "lr of at least 0"),
        ({"rng": 2**53}, "rng takes a seed"),
        ({"loss": "hinge_loss"}, "targets -1 and 1; got 0"),
        ({"loss": "cross_entropy"}, "an output for each class"),
        ({"validation": (X[:1], [7])}, "targets from 0 to 1; got 7"),
        ({"loss": "mse"}, "there is no loss 'mse'"),
        ({"batch_size": 0}, "batch_size"),
        ({"lr": "fast"}, "lr"),
        ({"names": ["a"]}, "names takes a name for each input, 2; got 1"),
        ({"classes": ["a"]}, "classes takes a name for each class, 2; got 1"),
        ({"validation": 0.2}, r"validation takes a pair \(X, y\)"),
        ({"validation": ([[1.0]], [0])}, "validation has rows of 1 numbers"),
        ({"theme": "blue"}, "theme"),
    ],
)
def test_bad_arguments(arguments, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        nn.playground(nn.MLP(2, [1]), X, Y, **arguments)


@pytest.mark.parametrize("bad", [math.nan, math.inf, "a", None])
def test_bad_data(bad):
    with pytest.raises((ValueError, TypeError), match="X"):
        nn.playground(nn.MLP(2, [1]), [[0.0, bad]], [1])
    with pytest.raises((ValueError, TypeError)):
        nn.playground(nn.MLP(2, [1]), [[0.0, 1.0]], [bad])
    with pytest.raises(ValueError, match="at least one"):
        nn.playground(nn.MLP(2, [1]), [], [])


def test_rows_that_do_not_fit_the_model():
    with pytest.raises(ValueError, match="takes 3 inputs"):
        nn.playground(nn.MLP(3, [1]), X, Y)
    with pytest.raises(TypeError, match="playground shows"):
        nn.playground("model", X, Y)


def test_of_many_examples_a_sample_is_shown():
    page = known(nn.playground(nn.MLP(1, [1]), [[float(k)] for k in range(5000)], [k % 2 for k in range(5000)]))
    assert len(page["datasets"][0]["rows"]) == 2000
    assert page["notes"] == ["2,000 of the 5,000 examples are here, drawn at random."]


def test_the_page_is_one_file_that_asks_for_nothing(tmp_path):
    path = nn.playground(nn.MLP(2, [8, 8, 1], "tanh"), X, Y, classes=["</script><b>", "\u202eright"]).save(
        tmp_path / "deep" / "page.html"
    )
    text = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", text)
    assert "</script><b>" not in text
    with pytest.raises(ValueError, match="html"):
        nn.playground().save(tmp_path / "page.txt")


def test_the_page_is_small(tmp_path):
    """Below 150 kB without the data, of which four points are left here."""
    path = nn.playground(nn.MLP(2, [8, 8, 1], "tanh"), X[:4], Y[:4]).save(tmp_path / "page.html")
    assert path.stat().st_size < 150_000


def test_what_the_page_knows_is_json():
    json.dumps(known(nn.playground()))


def test_a_class_that_is_derived_from_a_layer_is_not_taken_for_it():
    class Hundred(nn.Layer):
        def forward(self, row):
            return [100.0 * x for x in super().forward(row)]

    page = known(nn.playground(nn.Sequential(Hundred(2, 1, nonlin=False)), X, Y))
    assert page["missing"] == ["Hundred has no picture here."]


def test_a_layer_that_is_used_twice_is_not_trained():
    layer = nn.Layer(2, 2, activation="tanh")
    page = known(nn.playground(nn.Sequential(layer, layer, nn.Layer(2, 1, nonlin=False)), X, Y))
    assert page["spec"] is None
    assert page["missing"] == ["A weight or a layer has two places in the model, and a page knows only one for each."]


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (lambda p, t: nn.mse_loss(p, t) if p[0].data > 0 else nn.l1_loss(p, t), "The page cannot compute the loss"),
        (lambda p, t: nn.mse_loss(p, t) * (1.0 + random.random()), "The page cannot compute the loss"),
        (lambda p, t: nn.mse_loss(p, t) + sum(p) * sum(p), "neither the mean of their losses nor the sum"),
    ],
)
def test_a_loss_that_a_page_cannot_compute_is_missing(loss, sentence):
    page = known(nn.playground(nn.MLP(2, [1], rng=0), X, Y, loss=loss))
    assert page["spec"] is None
    assert sentence in page["missing"][0]


def test_a_loss_that_adds_up_over_examples(core):
    def loss(predictions, targets):
        return sum((p - t) * (p - t) for p, t in zip(predictions, targets, strict=True))

    page = nn.playground(nn.MLP(2, [1], rng=0), X, Y, loss=loss)
    assert '"isSum":true' in page._scripts["KIT"]
    assert '"isSum":false' in nn.playground(nn.MLP(2, [1], rng=0), X, Y, loss=nn.mse_loss)._scripts["KIT"]


def test_an_optimizer_that_leaves_parameters_out_is_not_the_pages():
    model = nn.MLP(2, [3, 1])
    page = known(nn.playground(model, X, Y, optimizer=nn.SGD(model.layers[1].parameters(), lr=0.1)))
    assert "leaves out 9 of the model's parameters" in page["missing"][0]


def test_models_of_tokens_say_what_shows_them():
    with pytest.raises(ValueError, match="film its training"):
        nn.playground(nn.GPT(5, 4, 2, 1, 8), [[0, 1], [2, 3]], [[1, 2], [3, 4]])
    page = known(nn.playground(nn.Sequential(nn.Embedding(3, 2), nn.Layer(2, 1, nonlin=False)), [[0], [2]], [0.5, 1.5]))
    assert "grid" not in page["answers"]


def test_examples_may_come_from_a_generator():
    page = known(nn.playground(nn.MLP(2, [1]), (row for row in X), (t for t in Y)))
    assert page["datasets"][0]["rows"] == X


def test_the_axes_are_the_inputs_that_tell_most():
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1) for _ in range(4)] for _ in range(80)]
    page = known(nn.playground(nn.MLP(4, [1]), rows, [int(row[1] + row[3] > 0) for row in rows]))
    assert page["axes"] == [1, 3]


def test_weights_that_came_as_nan_are_told_of():
    model = nn.MLP(2, [1], rng=0)
    model.layers[0].neurons[0].w[0].data = math.nan
    assert known(nn.playground(model, X, Y))["notes"] == ["1 of the model's weights are nan or infinite as they came."]
