"""Does the page of a film show what was trained? Its figures against Python's, and everything that one can press."""

import math
import random

import pytest

import nn
from autograd.value import data_of
from nn.datasets import make_moons
from nn.training.recording import MOST
from nn.watching.networks import network_of
from nn.watching.packing import packed, single, thinned
from nn.watching.page import as_json, source
from nn.watching.task import task_of
from tests.autograd.conftest import browser  # noqa: F401
from tests.autograd.drawing.conftest import PATIENCE

LOGITS = "binary_cross_entropy_with_logits"
HOSTILE = ["</script><script>hacked = 1</script>", '"><img src=x onerror="hacked = 1">']


def rows_of(count, width, seed=0):
    rng = random.Random(seed)
    return [[rng.uniform(-1.0, 1.0) for _ in range(width)] for _ in range(count)]


def filmed(model, X, y, **options):
    options = {"epochs": 3, "batch_size": 8, "rng": 0, "film": True, "progress": False, **options}
    return nn.fit(model, X, y, **options)


def of_classes(count, inputs=2, **options):
    X = rows_of(60, inputs)
    model = nn.MLP(inputs, [5, count], "tanh", rng=1)
    return filmed(model, X, [i % count for i in range(60)], loss="cross_entropy", **options)


def of_moons(**options):
    model = nn.MLP(2, [4, 1], "tanh", rng=1)
    return filmed(model, *make_moons(60, noise=0.1, rng=0), **{"loss": LOGITS, "validation": 0.25, **options})


def of_numbers(inputs, outputs, **options):
    X = rows_of(40, inputs)
    y = [[math.sin(3.0 * row[0]) + j for j in range(outputs)] for row in X]
    model = nn.MLP(inputs, [4, outputs], "relu", rng=1)
    return filmed(model, X, y if outputs > 1 else [row[0] for row in y], loss="mse_loss", **options)


def of_batches(**options):
    parts = [nn.Layer(2, 4, activation="tanh", rng=0), nn.BatchNorm(4), nn.Linear(4, 1, rng=0)]
    return filmed(nn.Sequential(*parts), *make_moons(60, noise=0.1, rng=0), loss=LOGITS, **options)


def of_sequences(**options):
    texts = [[0, 1, 2, 1], [2, 1, 0, 0, 1], [1, 1, 2]] * 4
    inputs, targets = [text[:-1] for text in texts], [text[1:] for text in texts]
    return filmed(nn.GPT(3, 4, 2, 1, 6, rng=0), inputs, targets, loss="cross_entropy", **options)


# What the page computes


SCRIPTS = "\n".join(map(source, ("autograd/numbers.js", "nn/watching/film_figures.js")))
FIGURES = """
const { spec, numbers, rows, targets, most, flat } = given, network = makeNetwork(spec, Float64Array.from(numbers));
const functions = spec.layers.map(({ activation }) => KIT.activations[activation]);
const slopes = spec.layers.map(({ activation }, l) => activation === "linear" ? 0 : steepest(functions[l]));
const examples = someOf(examplesOf(rows, targets), most), inside = { functions, slopes, flat };
const job = figuresOf(network, KIT, examples, inside);
let found = job.next();
while (!found.done) found = job.next();
return { ...found.value, gradients: norms(network, network.gradients), weights: norms(network, network.numbers) };
"""


@pytest.mark.parametrize(
    "history",
    [lambda: of_moons(), lambda: of_classes(3), lambda: of_numbers(2, 2), lambda: of_numbers(1, 1)],
    ids=["two classes", "three classes", "two numbers", "one number"],
)
def test_the_figures_of_a_moment_are_those_that_python_computes(core, history):
    recording = history().film
    moment = recording.moments[len(recording.moments) // 2]
    model, task = recording.model_at(moment), task_of(recording, None)
    rows, targets = recording.examples.rows[:30], recording.examples.targets[:30]
    spec = network_of(model).spec
    given = {"spec": spec, "rows": recording.examples.rows, "targets": recording.examples.targets, "most": 30}
    given |= {"numbers": [p.data for p in model.parameters()], "flat": 0.01}
    options = {"loss": recording.loss, "outputs": task.width, "task": task.kind, "wide": task.is_wide}
    seen = core(f"{SCRIPTS}\n{FIGURES}", given, **options)

    model.zero_grad()
    loss = recording.loss(model(rows), targets)
    loss.backward()
    assert seen["loss"] == pytest.approx(loss.data, rel=1e-12)
    if task.kind != "regression":
        assert seen["accuracy"] == nn.evaluate(model, rows, targets, loss=recording.loss)["accuracy"]
    inputs = rows
    for k, layer in enumerate(model.layers):
        parameters = layer.parameters()
        assert seen["gradients"][k] == pytest.approx(math.hypot(*(data_of(p.grad) for p in parameters)), rel=1e-9)
        assert seen["weights"][k] == pytest.approx(math.hypot(*(p.data for p in parameters)), rel=1e-12)
        outputs = [[x.data for x in (out if isinstance(out, list) else [out])] for out in layer(inputs)]
        every = [x for row in outputs for x in row]
        assert seen["size"][k] == pytest.approx(sum(map(abs, every)) / len(every), rel=1e-9)
        if layer.neurons[0].activation == "relu":
            assert seen["flat"][k] == sum(x == 0.0 for x in every) / len(every)
        inputs = outputs


def test_numbers_come_out_of_a_page_in_single_precision(core):
    recording = of_moons(epochs=2).film
    order = list(reversed(range(len(recording.names))))
    moments = packed(recording, order)
    seen = core(
        f"{SCRIPTS}\nreturn [...unpacked(given.text, given.count)];", {"text": moments.numbers, "count": moments.count}
    )
    expected = [moment.numbers[i] for moment in recording.moments for i in order]
    assert seen == pytest.approx(expected, rel=2.0**-24)


def test_numbers_that_are_not_finite_and_too_large_ones_come_through(core):
    text = single([math.inf, -math.inf, math.nan, 1e300, -1e300, -0.0])
    seen = core(f"{SCRIPTS}\nreturn [...unpacked(given)].map(String);", text)
    assert seen == ["Infinity", "-Infinity", "NaN", "Infinity", "-Infinity", "0"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 200])
def test_thinned_moments_keep_the_first_and_the_last(count):
    for most in (2, 3, 7, 300):
        places = thinned(count, most)
        assert len(places) == min(count, most)
        assert places == sorted(set(places))
        assert not count or (places[0], places[-1]) == (0, count - 1)


# The page itself


@pytest.fixture(scope="module")
def window(browser):  # noqa: F811
    """A page that remembers what went wrong, and what it asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda request: page.wrong.append(request.url) if request.url.startswith("http") else None)
    yield page
    page.close()


@pytest.fixture
def opened(window, tmp_path):
    """Opens the page of a film; returns the browser's page with it."""

    def open_film(history, **options):
        path = nn.film(history, **options).save(tmp_path / "film.html")
        window.goto(path.as_uri())
        window.wait_for_selector(".frame.film .told:not(:empty), .refusal")
        return window

    yield open_film
    assert window.wrong == []


TOLD = "document.querySelector('[data-nn-film]').shadowRoot.querySelector('.told').textContent"


def told(page):
    return page.inner_text(".told")


def settled(page):
    """The page when it has computed all figures."""
    page.wait_for_function(f"() => !{TOLD}.includes('\\u2013')")
    return page


def test_keys_curves_and_the_slider_move_through_the_film(opened):
    history = of_moons()
    moments = history.film.moments
    page = settled(opened(history))
    assert told(page).startswith(f"epoch 3 · step {moments[-1].steps} · learning rate 0.01")
    page.keyboard.press("Home")
    assert told(page).startswith("epoch 0 · step 0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert told(page).startswith(f"epoch {moments[2].epoch:.4g} · step {moments[2].steps}")
    page.keyboard.press("End")
    page.locator(".chart canvas").first.click(position={"x": 46, "y": 60})
    assert "step 0 ·" in told(page)
    page.locator("input[type=range]").fill("1")
    assert f"step {moments[1].steps} ·" in told(page)


def test_it_plays_to_the_end_and_shows_gradients(opened):
    history = of_moons(epochs=1)
    page = settled(opened(history))
    page.locator("select").select_option("fast")
    page.locator(".frame").focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {TOLD}.includes('step {history.film.moments[-1].steps} ')")
    page.keyboard.press("g")
    assert told(page).endswith("lines: the gradient of the loss")
    assert page.locator("[data-do=gradients]").get_attribute("aria-pressed") == "true"


def test_the_losses_of_a_moment_stand_in_the_page(opened):
    history = of_moons()
    recording = history.film
    page = settled(opened(history))
    for k in (0, len(recording.moments) // 2, -1):
        model = recording.model_at(recording.moments[k])
        page.locator("input[type=range]").fill(str(k % len(recording.moments)))
        page.wait_for_timeout(20)
        pairs = [(x.rows, x.targets) for x in (recording.examples, recording.held_out)]
        train, test = (nn.evaluate(model, *pair, loss=recording.loss)["loss"] for pair in pairs)
        assert told(settled(page)).endswith(f"loss {train:.3g} · validation {test:.3g}")


@pytest.mark.parametrize(
    "history",
    [
        *(lambda count=count: of_classes(count, epochs=1) for count in (2, 10)),
        lambda: of_classes(3, inputs=5, epochs=1),
        lambda: of_numbers(1, 1, epochs=1),
        lambda: of_numbers(9, 1, epochs=1),
        lambda: of_numbers(3, 4, epochs=1),
        lambda: of_moons(max_steps=1),
        lambda: of_moons(optimizer="sgd", lr=1e300),
    ],
    ids=[
        "2 classes",
        "10 classes",
        "5 inputs",
        "a curve",
        "9 inputs",
        "4 numbers",
        "one step",
        "numbers without bounds",
    ],
)
def test_every_task_has_its_film(opened, history):
    page = opened(history())
    assert page.locator(".chart").count() >= 4
    page.keyboard.press("Home")
    assert "step 0 " in told(page)


def test_a_film_of_one_moment(opened, tmp_path):
    path = tmp_path / "run.json"
    of_moons(checkpoint=path)
    page = opened(of_moons(checkpoint=path))
    assert "step 18 " in told(page)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowLeft")
    assert "step 18 " in told(page)
    assert "The run was resumed at epoch 3: the film begins there." in page.inner_text(".sentences")


def test_what_the_page_cannot_compute_python_has_computed(opened):
    page = opened(of_batches(epochs=1))
    assert "BatchNorm(4) has no picture here." in page.inner_text(".sentences")
    assert page.locator(".predictions canvas").is_visible()
    assert page.locator(".board").count() == 0
    assert page.locator(".arrays canvas").count() == 9
    assert "Gradient of each layer" in page.inner_text(".charts")


def test_sequences_show_their_figures_and_weights(opened):
    page = opened(of_sequences(epochs=1))
    assert "What a model of sequences answers is not shown" in page.inner_text(".sentences")
    assert page.locator(".arrays canvas").first.is_visible()
    assert page.locator(".chart").count() == 4


def test_names_are_only_ever_text(opened):
    page = opened(of_classes(2), names=HOSTILE, classes=HOSTILE)
    page.keyboard.press("Home")
    assert page.evaluate("() => typeof hacked") == "undefined"


def test_sizes(tmp_path):
    X, y = make_moons(200, noise=0.1, rng=0)
    history = filmed(nn.MLP(2, [8, 8, 1], "tanh", rng=0), X, y, loss=LOGITS, epochs=100, batch_size=10)
    assert len(nn.film(history).save(tmp_path / "film.html").read_bytes()) < 500_000
    X, y = rows_of(300, 64), [i % 10 for i in range(300)]
    history = filmed(nn.MLP(64, [32, 10], rng=0), X, y, loss="cross_entropy", epochs=60)
    assert len(history.film.moments) <= MOST
    assert len(nn.film(history).save(tmp_path / "film.html").read_bytes()) < 3_000_000


# What may go wrong


def test_a_training_that_was_not_recorded_says_what_to_do():
    with pytest.raises(ValueError, match=r"was not recorded; call fit\(\.\.\., film=True\)"):
        nn.film(of_moons(film=False))
    with pytest.raises(TypeError, match=r"nn\.film takes a History; got 3 \(int\): give what nn\.fit"):
        nn.film(3)


def test_names_must_be_as_many_as_there_are():
    history = of_moons(epochs=1)
    with pytest.raises(ValueError, match="names takes a name for each input, 2; got 1"):
        nn.film(history, names=["height"])
    with pytest.raises(ValueError, match="classes takes a name for each class, 2; got 3"):
        nn.film(history, classes=["a", "b", "c"])
    with pytest.raises(TypeError, match="names takes a list of names"):
        nn.film(history, names="ab")


def test_a_model_that_was_changed_since_is_no_longer_drawn():
    history = of_moons(epochs=1)
    history.film.model.layers = [nn.Layer(2, 1, rng=0)]
    bundle = nn.film(history)._repr_mimebundle_()
    assert "text/html" in bundle or "other parameters" in bundle["text/plain"]


def test_json_has_no_way_out_of_a_script():
    assert "<" not in as_json(HOSTILE)


def test_a_model_that_was_changed_after_its_training_has_a_sentence():
    model = nn.MLP(2, [3, 1], rng=0)
    history = nn.fit(model, *nn.datasets.xor(), loss="mse_loss", epochs=2, film=True, progress=False, rng=0)
    model.layers[0] = nn.Layer(3, 3)
    with pytest.raises(ValueError, match="needs the model as it was recorded"):
        nn.film(history)
