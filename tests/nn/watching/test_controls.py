"""What happens when one uses a playground? In a real browser, with the mouse, the keyboard and a thumb."""

import re
from collections import Counter

import pytest

import nn
from nn.watching.page import CORE, DRAWING, source
from nn.watching.playground import SHOWING
from tests.autograd.conftest import browser  # noqa: F401
from tests.nn.watching.pages import ROOT, blobs, choose, opened, weights

HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>throw 1</script>", "\u202e\n{{x}}", "__proto__"]


def test_no_two_scripts_of_the_page_use_one_name():
    names = Counter()
    for script in (*CORE, *DRAWING, *SHOWING):
        declared = re.findall(r"^(?:async )?function (\w+)|^(?:const|let) (\w+)", source(script), re.MULTILINE)
        names.update({function or constant for function, constant in declared})
    assert [name for name, count in names.items() if count > 1] == []


def epoch(page):
    return int(page.locator(".epoch b").inner_text())


def losses(page):
    return page.locator(".losses").inner_text()


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):  # noqa: F811
    """The first playground, before anything was done; each test begins with a restart."""
    page = opened(browser, tmp_path_factory.mktemp("controls"), nn.playground())
    yield page
    assert page.errors == []
    page.close()


@pytest.fixture
def fresh(page):
    page.locator(".frame").focus()
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    return page


def test_it_plays_and_pauses_with_the_space_key(fresh):
    fresh.keyboard.press(" ")
    fresh.wait_for_function(f"() => {ROOT}.querySelector('.epoch b').innerText > 3")
    assert fresh.locator("[data-do=play]").get_attribute("aria-label") == "Pause"
    fresh.keyboard.press(" ")
    stopped = epoch(fresh), losses(fresh)
    fresh.evaluate("() => new Promise((done) => setTimeout(done, 60))")
    assert (epoch(fresh), losses(fresh)) == stopped
    fresh.keyboard.press("r")
    assert epoch(fresh) == 0


def test_it_plays_phase_by_phase(fresh):
    choose(fresh, "speed", "phases")
    fresh.keyboard.press(" ")
    for name in ("Forward", "Loss"):
        fresh.wait_for_function(f"() => {ROOT}.querySelector('.said').innerText.startsWith('{name}')")
    choose(fresh, "speed", "fast")
    fresh.wait_for_function(f"() => {ROOT}.querySelector('.epoch b').innerText > 1")
    fresh.locator("[data-do=play]").click()


def test_inside_a_step_each_phase_says_its_numbers(fresh):
    said = fresh.locator(".said")
    fresh.keyboard.press("s")
    for name in ("Forward", "Loss", "Backward", "Update"):
        before = weights(fresh)
        fresh.locator("[data-do=inside]").click()
        assert re.match(rf"{name}: .*\d", said.inner_text())
        assert (weights(fresh) != before) == (name == "Update")
    fresh.get_by_role("button", name="Show it").click()
    assert fresh.locator(".panel h3").inner_text()[1:] in said.inner_text()
    assert "by all its gradients so far" in said.inner_text()
    assert "against" not in said.inner_text()  # with Adam many move the other way


def test_all_speaks_of_one_example_and_says_the_answer_in_words(fresh):
    fresh.get_by_role("button", name="An example").click()
    fresh.get_by_title("The example before").click()
    answer = re.search(r"class \d with \d+ % \(output \S+\)", fresh.locator(".panel").inner_text())
    assert answer
    fresh.locator("[data-do=inside]").click()
    said = fresh.locator(".said").inner_text()
    assert "example 200, which is none of them," in said
    assert answer[0] in said


def test_a_field_that_somebody_is_in_stands_still_while_it_plays(fresh):
    fresh.get_by_role("button", name="A weight").click()
    fresh.locator("[data-do=play]").click()
    field = fresh.locator(".chosen .number")
    field.focus()
    before = field.input_value()
    fresh.wait_for_function(f"() => {ROOT}.querySelector('.epoch b').innerText > 2")
    assert field.input_value() == before
    fresh.keyboard.press("Control+A")
    fresh.keyboard.type("9")
    assert fresh.locator("[data-do=play]").get_attribute("aria-label") == "Play"
    loss = re.search(r"training loss\s+(\S+)", losses(fresh))[1]
    fresh.keyboard.press("Enter")
    assert weights(fresh)[0] == 9.0
    was = float(re.search(r"The loss was (\S+), and is ", fresh.locator(".effect").inner_text())[1])
    assert f"{was:.3g}" == loss
    field.focus()
    fresh.keyboard.press("Escape")  # leaves the weight, and the keys are alive
    assert field.count() == 0
    fresh.keyboard.press("r")
    assert epoch(fresh) == 0


def test_every_neuron_of_a_layer_is_in_reach(fresh):
    fresh.get_by_role("button", name="A weight").click()
    fresh.get_by_role("button", name="The neuron", exact=True).click()
    for name in ("The next neuron", "The neuron before", "The neuron before"):
        fresh.get_by_title(name).click()
    assert fresh.locator(".panel h3").inner_text().startswith("Neuron 8 of layer 1")


def test_a_weight_is_typed_pressed_and_dragged(fresh):
    fresh.get_by_role("button", name="A weight").click()
    field, effect = fresh.locator(".chosen .number"), fresh.locator(".effect")
    field.fill("-3*2/7")
    field.press("Enter")
    assert weights(fresh)[0] == -6 / 7
    assert re.match(r"It was .*\. The loss was .*, and is ", effect.inner_text())
    field.press("ArrowUp")
    assert weights(fresh)[0] == pytest.approx(-0.76)
    field.fill("1,5")
    field.press("Enter")
    assert "decimal point" in fresh.locator(".notice").inner_text()
    field.press("Escape")
    field.fill("inf")
    field.press("Enter")
    assert "finite" in fresh.locator(".notice").inner_text()
    field.fill("abc")
    field.press("Enter")
    assert "inf" not in fresh.locator(".notice").inner_text()
    field.press("Escape")
    fresh.locator(".said").click()
    box = field.bounding_box()
    fresh.mouse.move(box["x"] + 9, box["y"] + 9)
    fresh.mouse.down()
    fresh.mouse.move(box["x"] + 59, box["y"] + 9, steps=5)
    fresh.mouse.up()
    assert weights(fresh)[0] > -0.5
    fresh.get_by_role("button", name="Put back").click()
    assert weights(fresh)[0] == pytest.approx(-0.76)


def test_layers_and_neurons_come_and_go_within_bounds(fresh):
    more, less = fresh.get_by_label("one hidden layer more"), fresh.get_by_label("one hidden layer less")
    for _ in range(3):
        more.click()
    assert fresh.locator(".layers b").count() == 5
    assert more.is_disabled()
    assert "at most 5 hidden layers" in more.get_attribute("title")
    fresh.keyboard.press("e")  # keys work although the button that had the focus does not
    assert epoch(fresh) == 1
    for _ in range(5):
        less.click()
    assert fresh.locator(".layers b").count() == 0
    assert less.is_disabled()
    assert len(weights_after_a_step(fresh)) == 3
    more.click()
    fresh.get_by_label("layer 1: one neuron more").click()
    assert fresh.locator(".layers b").all_inner_texts() == ["5"]
    choose(fresh, "activation", "relu")
    fresh.get_by_label("layer 1: one neuron less").click()
    more.click()
    for _ in range(4):
        fresh.get_by_label("layer 1: one neuron more").click()
        fresh.get_by_label("layer 2: one neuron more").click()
    assert len(weights_after_a_step(fresh)) == 3 * 8 + 9 * 8 + 9


def weights_after_a_step(page):
    page.locator("[data-do=step]").click()
    return weights(page)


def test_numbers_that_a_setting_cannot_have_are_refused_in_a_sentence(fresh):
    for label, text, words in [
        ("learning rate", "0", "above 0"),
        ("learning rate", "abc", "no number"),
        ("batch size", "0", "from 1 to 200"),
        ("batch size", "2.5", "whole number"),
        ("dropout", "1.5", "from 0 to 1"),
        ("noise on inputs", "-1", "from 0 to 100"),
        ("seed", "-3", "whole number"),
    ]:
        before = fresh.get_by_label(label, exact=True).input_value()
        choose(fresh, label, text)
        assert words in fresh.locator(".notice").inner_text(), label
        fresh.keyboard.press("Escape")
        assert fresh.get_by_label(label, exact=True).input_value() == before
        assert not fresh.locator(".notice").is_visible()


def test_a_loss_that_is_not_finite_stops_it_in_a_sentence(browser, tmp_path):  # noqa: F811
    X = [[k / 10.0] for k in range(20)]
    made = nn.playground(nn.MLP(1, [3, 1], rng=0), X, [x * x for (x,) in X], optimizer="sgd", lr=1e6)
    page = opened(browser, tmp_path, made)
    page.locator("[data-do=play]").click()
    notice = page.locator(".notice")
    notice.wait_for()
    assert re.match(r"Stopped: the loss of step \d+ is (inf|nan)\. ", notice.inner_text())
    assert page.locator("[data-do=play]").get_attribute("aria-label") == "Play"
    page.locator("[data-do=inside]").click()
    page.locator("[data-do=restart]").click()
    assert not notice.is_visible()
    assert page.errors == []
    page.close()


FOCUSED = f"() => ((at) => at && (at.dataset.do || at.ariaLabel || at.className))({ROOT}.activeElement)"


def test_everything_is_in_reach_of_the_tab_key_and_keys_stay_in_the_page(fresh):
    fresh.locator(".frame").focus()
    seen = set()
    for _ in range(60):
        fresh.keyboard.press("Tab")
        seen.add(fresh.evaluate(FOCUSED))
    wanted = {
        "play",
        "step",
        "epoch",
        "inside",
        "restart",
        "code",
        "link",
        "help",
        "learning rate",
        "activation",
        "seed",
    }
    assert wanted <= seen
    assert any(name and name.startswith("The network") for name in seen)
    fresh.locator(".frame").focus()
    fresh.keyboard.press("?")
    assert fresh.get_by_role("dialog").is_visible()
    fresh.keyboard.press("Escape")
    assert fresh.get_by_role("dialog").count() == 0


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_nothing_is_cut_off(browser, tmp_path, size):  # noqa: F811
    X, y = blobs(10, 60, 5)
    names, classes = [*HOSTILE, "w" * 300], [*HOSTILE, *"abcde", "c" * 300]
    made = nn.playground(nn.MLP(5, [3, 3, 3, 3, 3, 10], rng=1), X, y, names=names, classes=classes)
    page = opened(browser, tmp_path, made, size)
    assert "came with its weights" in page.locator(".data").inner_text()
    assert page.get_by_label("seed", exact=True).locator("option:checked").inner_text() == "0 (as given)"
    page.locator("[data-do=inside]").click()
    page.get_by_role("button", name="An example").click()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    if size[0] > 1000:
        assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    else:
        assert all(button.bounding_box()["height"] >= 40 for button in page.locator(".moves button").all())
        page.mouse.wheel(0, 600)
        assert page.locator("[data-do=play]").bounding_box()["y"] >= 0
    assert page.locator(".frame img, .frame script").count() == 0
    assert page.errors == []
    page.close()


def test_in_a_notebook_the_link_is_the_code(browser, tmp_path):  # noqa: F811
    file = tmp_path / "notebook.html"
    file.write_text(f'<body style="background:#111"><div style="width:900px">{nn.playground()._repr_html_()}</div>')
    page = browser.new_page()
    page.goto(file.as_uri())
    page.locator("[data-do=link]").click()
    assert "nn.MLP(2, [8, 8, 1]" in page.locator("dialog[open] textarea").input_value()
    assert "no address" in page.locator("dialog[open]").inner_text()
    assert page.locator(".frame").get_attribute("data-theme") == "dark"
    page.close()


def test_a_model_without_a_picture_shows_what_it_says_and_what_is_missing(browser, tmp_path):  # noqa: F811
    model = nn.Sequential(nn.Layer(2, 3), nn.BatchNorm(3), nn.Layer(3, 1, nonlin=False))
    page = opened(browser, tmp_path, nn.playground(model, *blobs(2)), wait=".without")
    assert "BatchNorm(3) has no picture here" in page.locator(".without").inner_text()
    assert page.locator(".plot").is_visible()
    assert page.errors == []
    page.close()
