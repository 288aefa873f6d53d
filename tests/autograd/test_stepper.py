"""Does the stepper's page show what was recorded, in a real browser, and execute nothing of a user's text?"""

import json
import os
import re
import shutil

import pytest

import autograd
import nn
from autograd import Value, explain, topological_order
from autograd.drawing import engine
from tests.autograd.test_drawing import HOSTILE, example_graph
from tests.work import lines_executed

pytestmark = pytest.mark.skipif(
    not (engine.has_dot() or engine.find_spec("pygraphviz")), reason="neither dot nor pygraphviz is here"
)
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    if not BROWSER and os.environ.get("CI"):
        pytest.fail("CI needs Chromium: install Debian's package chromium")
    if not BROWSER:
        pytest.skip("Chromium is not on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens a page of HTML and fails if it reports an error."""
    pages, errors = [], []

    def opener(text, **options):
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(text, encoding="utf-8")
        page = browser.new_page(**options)
        page.set_default_timeout(300_000)  # only a page that hangs takes minutes, however busy the machine is
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield opener
    for page in pages:
        page.close()
    assert errors == []


def shown(page, host=0):
    """What the page shows: the phase, the title, the formulas, and each box's texts."""
    return page.evaluate(
        """(host) => {
            const root = document.querySelectorAll('.autograd-stepper')[host].shadowRoot;
            const boxes = {};
            for (const g of root.querySelectorAll('g.node'))
                boxes[g.id.slice(2)] = [...g.querySelectorAll('text')].map((t) => t.textContent);
            return {title: root.querySelector('.title').textContent, lines: root.querySelector('.lines').textContent,
                    count: root.querySelector('.count').textContent, boxes,
                    current: [...root.querySelectorAll('g.node.current')].map((g) => Number(g.id.slice(2))),
                    arrows: [...root.querySelectorAll('g.edge.current')].map((g) => g.id)};
        }""",
        host,
    )


def check(state, explanation, k):
    """The page at step k shows the recorded step and the running sums of all steps up to it."""
    moment = explanation.steps[k - 1]
    assert state["count"] == f"{k} / {len(explanation.steps)}"
    assert (state["title"], state["lines"]) == (moment.title, "\n".join(moment.lines))
    assert state["current"] == [moment.box]
    assert sorted(state["arrows"]) == sorted(moment.arrows)
    for kind, line in (("data", -2), ("grad", -1)):
        known = {}
        for earlier in explanation.steps[:k]:
            known |= earlier.texts.get(kind, {})
        for box, text in known.items():
            assert state["boxes"][str(box)][line] == f"{kind} {text}"


def test_buttons_go_both_ways_and_show_every_recorded_step(open_page):
    explanation = explain(example_graph(), lr=0.1)
    page = open_page(explanation.page())
    total = len(explanation.steps)
    for k in range(1, total + 1):
        page.click("[data-do=next]")
        check(shown(page), explanation, k)
    assert page.locator("[data-do=next]").is_disabled()
    for k in range(total - 1, 0, -1):
        page.click("[data-do=previous]")
        check(shown(page), explanation, k)
    page.click("[data-do=last]")
    check(shown(page), explanation, total)
    page.keyboard.press("ArrowLeft")  # the pressed button is disabled now, and keys still work
    check(shown(page), explanation, total - 1)
    page.click("[data-do=first]")
    assert shown(page)["count"] == f"0 / {total}"
    assert shown(page)["current"] == []


def test_keys_the_slider_and_play(open_page):
    explanation = explain(example_graph())
    total = len(explanation.steps)
    page = open_page(explanation.page())
    frame = page.locator(".frame")
    frame.focus()
    at = 0
    moves = {"ArrowRight": 1, "j": 1, "k": -1, "ArrowLeft": -1, "End": total, "Home": -total}
    for key, step in moves.items():
        page.keyboard.press(key)
        at = max(0, min(total, at + step))
        assert shown(page)["count"] == f"{at} / {total}"
    page.locator("input[type=range]").evaluate("(s) => { s.value = 3; s.dispatchEvent(new Event('input')); }")
    check(shown(page), explanation, 3)
    page.clock.install()  # time stands still but for run_for
    frame.focus()
    page.keyboard.press("Space")
    page.clock.run_for(2_000)
    check(shown(page), explanation, 5)
    page.keyboard.press("Space")
    page.clock.run_for(2_000)
    check(shown(page), explanation, 5)


def test_two_copies_on_one_page_step_by_themselves(open_page):
    explanation = explain(example_graph())
    twice = explanation.page().replace("</body>", explanation.fragment() + "</body>")
    page = open_page(twice)
    page.locator("[data-do=next]").nth(1).click()
    assert shown(page, 0)["count"].startswith("0 /")
    assert shown(page, 1)["count"].startswith("1 /")


def test_without_scripts_there_is_the_picture_and_the_table(open_page):
    explanation = explain(example_graph())
    page = open_page(explanation.page(), java_script_enabled=False)
    assert page.locator("img").evaluate("(i) => i.naturalWidth") > 100
    page.locator("summary").click()
    assert page.locator("tbody tr").count() == len(explanation.steps)
    assert explanation.steps[0].lines[1] in page.locator("tbody").inner_text()


def test_hostile_labels_execute_nothing(open_page):
    root = Value(0.0)
    more = ['"><img src=x onerror=alert(1)>', "'onclick='alert(1)", "</div></template></svg><script>alert(1)"]
    for label in [*HOSTILE, *more]:
        root = root + Value(1.0, label=label)
    explanation = explain(root, lr=0.1)
    page_text = explanation.page()
    watcher = "<script>window.alert = () => { window.hacked = true; };</script>"
    page = open_page(page_text.replace("</head>", f"{watcher}</head>", 1))
    for _ in range(len(explanation.steps)):
        page.keyboard.press("ArrowRight")  # a page of its own takes keys at once
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == 2  # the watcher and the stepper
    assert page.locator("img").count() == 1
    check(shown(page), explanation, len(explanation.steps))


def test_light_and_dark_follow_the_page(open_page):
    text = explain(example_graph()).page()

    def background(page):
        return page.locator(".frame").evaluate("(frame) => getComputedStyle(frame).backgroundColor")

    light, dark = (background(open_page(text, color_scheme=scheme)) for scheme in ("light", "dark"))
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(22, 25, 29)")
    page = open_page(text, color_scheme="dark")
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")  # observers are called before it returns
    assert background(page) == light


def test_the_page_can_be_used_without_seeing_it(open_page):
    page = open_page(explain(example_graph()).page())
    assert page.locator(".frame").get_attribute("role") == "group"
    assert page.locator(".panel").get_attribute("aria-live") == "polite"
    names = [button.get_attribute("aria-label") for button in page.locator("button").all()]
    assert names == ["First", "Previous", "Play", "Next", "Last"]
    assert page.locator("svg").get_attribute("aria-label").startswith("computation graph of y")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert shown(page)["count"].startswith("1 /")


def graph_of(count):
    """A graph of about so many nodes with shared operands."""
    nodes = [Value(1.0 + i / 10, label=f"x{i}") for i in range(5)]
    while len(topological_order(nodes[-1])) < count:
        nodes.append((nodes[-1] * nodes[-5]).tanh() + nodes[-3])
    return nodes[-1]


def test_five_hundred_nodes_make_a_page_under_2_mb_whose_steps_change_little(open_page):
    explanation = explain(graph_of(500))
    text = explanation.page()
    assert len(text.encode("utf-8")) < 2e6
    page = open_page(text)
    texts_changed = page.evaluate(
        """() => {
            const root = document.querySelector('.autograd-stepper').shadowRoot;
            const next = root.querySelector('[data-do=next]'), counts = [];
            const observer = new MutationObserver(() => {});
            observer.observe(root.querySelector('.frame'), {subtree: true, childList: true});
            for (let i = 0; i < 200; i++) {
                next.click();
                counts.push(observer.takeRecords().length);
            }
            return counts;
        }"""
    )
    assert max(texts_changed) < 20  # of 1,000: it is these that cost time, and then a step takes 5 ms


# Without a browser


def test_explaining_changes_no_gradient():
    y = example_graph()
    before = [(v.data, v.grad) for v in topological_order(y)]
    explanation = explain(y, lr=0.5)
    explanation.page()
    assert [(v.data, v.grad) for v in topological_order(y)] == before


def test_printing_gives_the_recorded_steps():
    explanation = explain(example_graph(), lr=0.1)
    text = str(explanation)
    assert all(line in text for moment in explanation.steps for line in moment.lines)
    assert [m.phase for m in explanation.steps] == ["forward"] * 3 + ["backward"] * 3 + ["update"] * 3
    assert max(map(len, text.splitlines())) <= 80


def test_parameters_have_the_names_of_the_model():
    model = nn.MLP(2, [1])
    text = str(explain(model([1.0, 2.0]), model=model))
    assert "grad layers.0.neurons.0.w.1 += grad dot1 * d dot1 / d layers.0.neurons.0.w.1" in text


def test_the_update_shows_the_root_before_and_after():
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    loss = (w * x - 1.0) ** 2
    last = explain(loss, lr=0.01, parameters=[w]).steps[-1]
    assert last.lines == ["pow1 before: 25", "pow1 after: 16.81"]  # w = 2 - 0.01 * 30
    with pytest.raises(ValueError, match="explain moves leaves of the graph"):
        explain(loss, lr=0.1, parameters=[Value(1.0)])


def test_a_saved_page_is_one_file_that_needs_no_network(tmp_path):
    path = explain(example_graph()).save(tmp_path / "page.html")
    text = path.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert "default-src 'none'" in text
    assert explain(example_graph()).page() == text  # the same bits for the same graph


def test_labels_like_the_pages_own_markers_are_text():
    root = Value(1.0, label="PAGE_TITLE") * 2
    root.label = "PAGE_CONTENT"
    page = explain(root).page()
    assert page.count("data-autograd-stepper=") == explain(Value(1.0) * 2).page().count("data-autograd-stepper=")
    assert "<title>Back-propagation of PAGE_CONTENT</title>" in page


def test_frames_are_one_picture_a_step(tmp_path):
    a = Value(2.0, label="a")
    explanation = explain(a * 3.0, lr=0.1)
    paths = explanation.frames(tmp_path / "slides")
    assert [p.name for p in paths] == [f"step-{i:03d}.svg" for i in range(1, 5)]
    first, *_, last = [p.read_text(encoding="utf-8") for p in paths]
    assert "forward: compute mul1" in first
    assert "grad" not in re.sub(r"<!--.*?-->", "", first).split("forward")[0]
    assert "after: 5.1" in last
    (png,) = explain(a * 3.0).frames(tmp_path / "png", format="png", theme="dark")[:1]
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_notebook_gets_html_and_text_and_never_an_error(monkeypatch):
    explanation = explain(example_graph(), model=nn.MLP(1, [1]))
    bundle = explanation._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    steps = json.loads(re.search(r"data-steps='([^']*)'", bundle["text/html"])[1].replace("&gt;", ">"))
    assert [step["lines"] for step in steps] == [moment.lines for moment in explanation.steps]
    monkeypatch.setattr(engine, "has_dot", lambda: False)
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert "pip install pygraphviz" in explanation._repr_mimebundle_()["text/plain"]


def test_graphs_that_are_too_large_are_refused_in_a_sentence():
    v = Value(1.0)
    for _ in range(1001):
        v = v * 2
    with pytest.raises(ValueError, match=r"at most 1,000 nodes, and this graph has 2,003"):
        explain(v)
    with pytest.raises(TypeError, match="explain takes a Value; got 3"):
        explain(3)
    with pytest.raises(ValueError, match="at most 1,000 nodes"):
        explain(autograd.dot([v] * 1001, [1.0] * 1001))
    with pytest.raises(TypeError, match="parameters takes Values; got 5"):
        explain(Value(1.0) * 2, lr=0.1, parameters=[5])
    with pytest.raises(TypeError, match=r"explain\(lr\) takes a real number"):
        explain(Value(1.0) * 2, lr="fast")


def test_a_page_of_twice_the_nodes_takes_little_more_than_twice_the_work():
    half, whole = graph_of(120), graph_of(240)
    assert lines_executed(lambda: explain(whole).page()) <= 2.5 * lines_executed(lambda: explain(half).page())
