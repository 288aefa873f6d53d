"""Does the Python that the page gives make the page's weights? It is copied, and run."""

import ast
import math
import random

import pytest

import nn
from tests.autograd.conftest import browser  # noqa: F401
from tests.nn.watching.pages import blobs, choose, code, numbers, opened, ran, weights


def press(page, keys):
    """Presses keys on the page itself."""
    page.locator(".frame").focus()
    for key in keys:
        page.keyboard.press(key)


def first(page):
    press(page, "ees")


def changing_rates(page):
    choose(page, "optimiser", "momentum")
    press(page, "ss")
    choose(page, "learning rate", "0.03")
    press(page, "s")
    choose(page, "learning rate", "0.0123")
    press(page, "ss")


def noisy(page):
    choose(page, "noise on inputs", "0.2")
    choose(page, "dropout", "0.3")
    choose(page, "optimiser", "rmsprop")
    choose(page, "batch size", "7")
    choose(page, "seed", "41")
    press(page, "e")


def by_hand(page):
    press(page, "es")
    page.get_by_role("button", name="A weight").click()
    field = page.locator(".chosen .number")
    field.fill("-3*2/7")
    field.press("Enter")
    press(page, "se")


def inside(page):
    press(page, "siiiiii")  # the second step is begun, and not ended


def own_layers():
    X, y = blobs(3)
    rng = random.Random(5)
    layers = [nn.Layer(2, 5, activation="relu", rng=rng), nn.Layer(5, 4, activation="sigmoid", rng=rng)]
    last = nn.Layer(4, 3, activation="linear", rng=rng)
    model = nn.Sequential(nn.Standardize.of(X), layers[0], nn.Dropout(0.25, rng=3), layers[1], last)
    return nn.playground(model, X, y, batch_size=16, rng=5)


def given_optimizer():
    model = nn.MLP(2, [4, 1], "silu", rng=7)
    optimizer = nn.SGD(model.parameters(), lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.01)
    return nn.playground(model, *nn.datasets.make_moons(50, noise=0.1, rng=0), optimizer=optimizer, rng=7)


def table():
    X, y = blobs(3, 150, 6)
    return nn.playground(nn.MLP(6, [4, 3], "tanh", rng=3), X, y, rng=3)


def regression():
    X = [[i / 10] for i in range(-30, 30)]
    model = nn.MLP(1, [5, 1], "softplus", rng=2)
    return nn.playground(model, X, [math.sin(x) for (x,) in X], optimizer="adagrad", rng=2)


@pytest.mark.parametrize(
    ("make", "use"),
    [
        (nn.playground, changing_rates),
        (nn.playground, noisy),
        (regression, by_hand),
        (table, first),
        pytest.param(given_optimizer, first, marks=pytest.mark.slow),
        pytest.param(nn.playground, first, marks=pytest.mark.slow),
        pytest.param(nn.playground, by_hand, marks=pytest.mark.slow),
        pytest.param(nn.playground, inside, marks=pytest.mark.slow),
        pytest.param(own_layers, first, marks=pytest.mark.slow),
    ],
)
def test_the_code_gives_the_pages_weights(browser, tmp_path, make, use):  # noqa: F811
    page = opened(browser, tmp_path, make())
    use(page)
    text, found = code(page), weights(page)
    assert page.errors == []
    page.close()
    expected = numbers(ran(text))
    assert len(found) == len(expected)
    assert max(abs(x - y) for x, y in zip(found, expected, strict=True)) < 1e-9, text


HOSTILE = ['"]\nimport os\nos.abort()  # ', "\\", "\u2028raise SystemExit", "<!-- </script>"]


def test_names_are_only_text_in_the_code_and_long_data_has_a_place(browser, tmp_path):  # noqa: F811
    X, y = blobs(2, 2000, 11)
    made = nn.playground(nn.MLP(11, [3, 1], rng=0), X, y, names=HOSTILE + list("abcdefg"), classes=["'\n1", "b"])
    page = opened(browser, tmp_path, made)
    text = code(page)
    assert "Put your X and y in first" in page.locator("dialog.code").text_content()
    tree = ast.parse(text)
    assert [type(x).__name__ for x in tree.body[:3]] == ["Import", "Assign", "Assign"]
    assert "X = ...  # 2000 rows of 11 numbers" in text
    assert not any(isinstance(x, ast.Import) and x.names[0].name == "os" for x in ast.walk(tree))
    page.close()
