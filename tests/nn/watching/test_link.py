"""Does a link hold the state of a playground, and does a damaged one harm nobody?"""

import base64
import random

import pytest

import nn
from tests.autograd.conftest import browser  # noqa: F401
from tests.nn.watching.pages import ROOT, blobs, choose, doubles, held, link, linked, opened, weights


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):  # noqa: F811
    """A playground with three classes and a test set."""
    X, y = blobs(3)
    made = nn.playground(nn.MLP(2, [4, 3], "tanh", rng=1), X, y, validation=(X[:9], y[:9]), rng=1)
    page = opened(browser, tmp_path_factory.mktemp("link"), made)
    yield page
    page.close()


def notice(page):
    """What the page says in its bar; "" if nothing."""
    line = page.locator(".notice")
    return line.inner_text() if line.is_visible() else ""


def visit(page, hash):
    """Goes to a link of the page that is open: it is not loaded again."""
    page.evaluate("(hash) => { location.hash = hash; }", hash)
    page.evaluate("() => new Promise((done) => setTimeout(done, 30))")
    page.wait_for_function(f"() => !{ROOT}.querySelector('.notice').textContent.startsWith('Training again')")


def test_a_link_opens_what_was_there(browser, tmp_path):  # noqa: F811
    made = nn.playground()
    page = opened(browser, tmp_path, made)
    settings = {"optimiser": "rmsprop", "learning rate": "0.02", "noise on inputs": "0.1", "batch size": "50"}
    for label, value in settings.items():
        choose(page, label, value)
    page.get_by_label("layer 2: one neuron less").click()
    page.locator("[data-do=epoch]").click()
    page.locator("[data-do=step]").click()
    sent, before = link(page), weights(page)
    page.locator("[data-do=step]").click()
    after, shown = weights(page), page.locator(".losses").inner_text()
    page.close()
    other = opened(browser, tmp_path, made, hash=sent)
    assert notice(other) == ""
    assert other.get_by_label("learning rate", exact=True).input_value() == "0.02"
    assert other.locator(".layers b").all_inner_texts() == ["8", "7"]
    assert weights(other) == before
    assert held(link(other)) == held(sent)
    other.locator("[data-do=step]").click()
    assert weights(other) == after
    assert other.locator(".losses").inner_text() == shown
    other.wait_for_function("(sent) => location.hash.length > 99 && location.hash !== sent", arg=sent)
    other.reload()
    other.wait_for_selector(".frame .top")
    assert weights(other) == after
    other.get_by_role("button", name="A weight").click()  # a run that began with a weight set by hand
    other.locator(".chosen .number").fill("2")
    other.locator(".chosen .number").press("Enter")
    other.locator("[data-do=step]").click()
    sent = link(other)
    other.locator("[data-do=step]").click()
    after = weights(other)
    visit(other, sent)
    other.locator("[data-do=step]").click()
    assert weights(other) == after
    assert other.errors == []
    other.close()


@pytest.mark.slow
def test_a_large_network_is_trained_again(browser, tmp_path):  # noqa: F811
    made = nn.playground(nn.MLP(2, [16, 16, 16, 1], "tanh", rng=0), *nn.datasets.make_moons(40, rng=0))
    page = opened(browser, tmp_path, made)
    page.locator("[data-do=epoch]").click()
    page.locator("[data-do=step]").click()
    sent, losses = link(page), page.locator(".losses").inner_text()
    assert "numbers" not in held(sent)
    assert held(sent)["steps"] == 5
    page.close()
    other = opened(browser, tmp_path, made, hash=sent)
    other.wait_for_function(f"(text) => {ROOT}.querySelector('.losses').innerText === text", arg=losses)
    other.close()


def damage(sent):
    """The link, cut off or changed, and what it holds, with something in it that does not fit."""
    rng, state = random.Random(0), held(sent)
    yield from (sent[: len(sent) * k // 4] for k in (1, 2, 3))
    yield sent.replace("=1.", "=2.")
    yield sent + "!"
    for name in state:
        for value in (None, -1, [], 1e400, "<img src=x onerror=alert(1)>"):
            if state[name] != value:
                yield linked({**state, name: value})
    yield linked({**state, "hidden": [17]})
    yield linked({**state, "hidden": [2] * 6})
    yield linked({**state, "activation": "constructor"})
    yield linked({**state, "optimizer": "__proto__"})
    yield linked({**state, "numbers": base64.b64encode(bytes(8 * len(doubles(state["numbers"])) - 1)).decode()})
    yield linked({**state, "numbers": base64.b64encode(b"\xff" * 8 * len(doubles(state["numbers"]))).decode()})
    for _ in range(20):
        k = rng.randrange(14, len(sent))
        yield sent[:k] + rng.choice("AZaz09-_") + sent[k + 1 :]


VISITS = """async ({ bad, good }) => {
  const root = document.querySelector("[data-nn-playground]").shadowRoot;
  const text = (name) => root.querySelector(name).textContent;
  const visit = (hash) => new Promise((done) => {
    if (location.hash === hash) return done(); // the page wrote it itself
    addEventListener("hashchange", () => setTimeout(done), { once: true });
    location.hash = hash;
  });
  const seen = [];
  for (const hash of bad) {
    await visit(hash);
    const notice = root.querySelector(".notice");
    seen.push([hash, notice.hidden ? "" : notice.textContent, `${text(".losses")} ${text(".epoch")}`]);
    if (notice.hidden) await visit(good);
  }
  return seen;
}"""
"""Goes to each bad link from the good one: what the page then says, and what is in it."""


def test_damaged_links_are_refused_in_a_sentence_and_change_nothing(page):
    page.locator("[data-do=epoch]").click()
    sent = link(page)
    visit(page, "#")
    visit(page, sent)
    shown = "".join(page.locator(x).text_content() + " " * (x == ".losses") for x in (".losses", ".epoch"))
    sentences = set()
    for hash, text, there in page.evaluate(VISITS, {"bad": list(damage(sent)), "good": sent}):
        sentences.add(text)
        if text:
            assert text.startswith("This link cannot be opened: ")
            assert len(text) < 250
            assert there == shown, hash
    assert len(sentences) > 15
    assert page.errors == []


def test_a_link_of_other_data_is_refused(page):
    state = held(link(page))
    for other in ("2|3|other data 60", state["of"][:-1] + str((int(state["of"][-1]) + 1) % 10)):
        visit(page, linked({**state, "of": other}))
        assert "other data" in notice(page)
