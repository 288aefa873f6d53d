"""Does the stepper's page show what was recorded, in a real browser, and execute nothing of a user's text?"""

import math
import random

import pytest

import nn
from autograd import Value, explain, tanh, topological_order
from autograd.drawing.page import fragment, page as written
from autograd.drawing.text import filled, number
from tests.autograd.drawing.conftest import PATIENCE
from tests.autograd.drawing.test_drawing import HOSTILE

WIDE, NOTEBOOK, BESIDE, PHONE = (  # BESIDE: a notebook beside a list of files
    {"width": width, "height": height} for width, height in ((1280, 800), (1180, 640), (852, 676), (390, 844))
)
STATE = """(host) => {
    const root = document.querySelectorAll('.autograd-stepper')[host].shadowRoot;
    const all = (names) => [...root.querySelectorAll(names)], texts = (groups) => groups.flatMap(
        (g) => [...g.querySelectorAll('text:not(.was)')].map((t) => t.textContent));
    const marks = (g) => [...g.classList];
    return {
        phase: root.querySelector('.phase').textContent, title: root.querySelector('.title').textContent,
        lines: all('.lines p').map((p) => p.firstChild.data), count: root.querySelector('.count').textContent,
        boxes: Object.fromEntries(all('g.box').map((g) => [g.dataset.box, {texts: texts([g]), marks: marks(g)}])),
        lines_of: Object.fromEntries(all('g.arrow').map((g) => [g.dataset.arrow, {
            texts: texts(all(`g.label[data-arrow="${g.dataset.arrow}"]`)), marks: marks(g)}])),
        current: all('g.box.current').map((g) => Number(g.dataset.box)),
        receiving: all('g.box.receiving').map((g) => Number(g.dataset.box)),
        lit: all('g.arrow.lit').map((g) => g.dataset.arrow),
    };
}"""
EVERYTHING_IN_SIGHT = """() => {
    const root = document.querySelector('.autograd-stepper').shadowRoot;
    const frame = root.querySelector('.picture').getBoundingClientRect();
    const inside = (r, of) => r.left >= of.left - 1 && r.right <= of.right + 1
        && r.top >= of.top - 1 && r.bottom <= of.bottom + 1;
    const svg = root.querySelector('.picture > svg.autograd');
    return {
        window: ['.bar', '.picture', '.panel'].every((name) => inside(root.querySelector(name).getBoundingClientRect(),
            {left: 0, top: 0, right: innerWidth, bottom: innerHeight})),
        whole: [...root.querySelectorAll('g.box')].every((g) => inside(g.getBoundingClientRect(), frame)),
        touched: [...root.querySelectorAll('.current, .receiving, .lit')].every((g) => inside(
            g.querySelector('rect:not(.halo, .gap), text, .line').getBoundingClientRect(), frame)),
        type: 11 * svg.getScreenCTM().a, scroll: root.querySelector('div.frame').scrollWidth <= innerWidth,
        overview: root.querySelector('.overview').getClientRects().length > 0,
        left: svg.getScreenCTM().e,
    };
}"""


def example(lr=0.1, **options):
    """The example of the README."""
    a, b, c = Value(0.5, label="a"), Value(-1.5, label="b"), Value(10.0, label="c")
    y = tanh(a * b) + c
    y.label = "y"
    return explain(y, lr=lr, **options)


def network(widths=(4, 4, 1), **options):
    model = nn.MLP(2, list(widths), activation="tanh", rng=random.Random(1))
    loss = (model([1.0, -0.5]) - 1.0) ** 2
    loss.label = "loss"
    return explain(loss, lr=0.1, model=model, **options)


def graph_of(count):
    """A graph of about so many nodes with shared operands."""
    nodes = [Value(0.1 + i / 10, label=f"x{i}") for i in range(5)]
    while len(topological_order(nodes[-1])) < count:
        nodes.append((nodes[-1] * nodes[-5]).tanh() + nodes[-3] * 0.5)
    return nodes[-1]


def shown(page, host=0):
    """What the page shows."""
    return page.evaluate(STATE, host)


def until(page, expression):
    """Waits; a page's own policy forbids Playwright's way to."""
    for _ in range(PATIENCE // 50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def choose(page, name, value):
    page.locator(f"select[aria-label='{name}']").select_option(value)


def known(explanation, k):
    """The number of a code when k steps are done, or None. From the recorded steps alone."""
    done, scene, numbers = explanation.steps[:k], explanation.scene, explanation.numbers
    if len(done) == len(explanation.steps) and explanation.after is not None:
        return explanation.after
    computed = {m.node for m in done if m.phase == "forward"}
    moved = {m.node for m in done if m.phase == "update"}
    gradients = {}
    for moment in done:
        if moment.phase == "backward":
            gradients.setdefault(moment.node, 1.0)
            for slot, operand in enumerate(scene.nodes[moment.node].operands):
                if isinstance(operand, Value):
                    gradients[scene.index_of(operand)] = numbers(f"a{moment.node}.{slot}")
    passed = {m.node for m in done if m.phase == "backward"}

    def look_up(code):
        kind, index = code[0], int(code[1:].split(".")[0])
        if kind == "v":
            is_known = index in computed or not scene.nodes[index].operation
            return numbers(code.replace("v", "n") if index in moved else code) if is_known else None
        if kind == "g":
            return gradients.get(index)
        if kind == "q":
            some = [gradients[i] for i in scene.boxes[index].nodes if i in gradients]
            return math.sqrt(sum(x * x for x in some) / len(some)) if some else None
        return numbers(code) if index in (computed if kind in "lm" else passed) else None

    return look_up


def check_numbers(state, explanation, k):
    """Every text and every colour is of what is known when k steps are done."""
    look_up, scene = known(explanation, k), explanation.scene
    parts = [(state["boxes"][str(i)], box) for i, box in enumerate(scene.boxes)]
    parts += [(state["lines_of"][arrow.name], arrow) for arrow in scene.arrows]
    for part, described in parts:
        for text, line in zip(part["texts"], described.lines, strict=True):
            codes = [look_up(code) for code in line[1::2]]
            expected = " " if None in codes else filled(line, lambda code: number(look_up(code), explanation.precision))
            assert text == expected
        x = look_up(described.colour) if described.colour else None
        sign = (
            "alarm"
            if x is not None and not math.isfinite(x)
            else "none"
            if not x
            else "positive"
            if x > 0
            else "negative"
        )
        assert sign in part["marks"]


def check(page, explanation, k):
    """The page at step k, going node by node, shows that step and nothing of later ones."""
    state, moment = shown(page), explanation.steps[k - 1]
    assert state["count"] == f"{k} / {len(explanation.steps)}"
    assert (state["title"], state["lines"]) == (moment.title, moment.lines)
    assert state["current"] == [moment.box]
    assert state["receiving"] == sorted(set(moment.receivers) - {moment.box})
    names = {arrow.name for arrow in explanation.scene.arrows}
    assert set(state["lit"]) >= names.intersection(moment.arrows)
    check_numbers(state, explanation, k)


# Stepping


def test_buttons_go_both_ways_and_show_every_step_and_nothing_of_later_ones(open_page):
    explanation = example()
    page, total = open_page(explanation), len(explanation.steps)
    for k in range(1, total + 1):
        page.click("[data-do=next]")
        check(page, explanation, k)
    assert page.locator("[data-do=next]").is_disabled()
    for k in range(total - 1, 0, -1):
        page.click("[data-do=previous]")
        check(page, explanation, k)
    page.click("[data-do=last]")
    check(page, explanation, total)
    page.keyboard.press("ArrowLeft")  # the pressed button is disabled now, and keys still work
    check(page, explanation, total - 1)
    page.click("[data-do=first]")
    state = shown(page)
    assert (state["count"], state["current"], state["phase"]) == (f"0 / {total}", [], "start")


@pytest.mark.parametrize("make", [lambda: network((3, 2, 1)), lambda: explain(graph_of(300), lr=0.1)])
def test_a_network_and_a_folded_graph_show_every_step_too(open_page, make):
    explanation = make()
    page, total = open_page(explanation), len(explanation.steps)
    choose(page, "Steps", "by node")
    for k in sorted({*range(1, total, max(1, total // 40)), total - 1, total}):
        page.locator("input[type=range]").evaluate("(s, k) => { s.value = k; s.dispatchEvent(new Event('input')); }", k)
        check(page, explanation, k)


def test_keys_the_slider_and_play(open_page):
    explanation = example()
    total = len(explanation.steps)
    page = open_page(explanation)
    page.clock.install(time=0)
    page.clock.pause_at(1_000)  # time stands still but for run_for
    at = 0
    moves = {"ArrowRight": 1, "j": 1, "k": -1, "ArrowLeft": -1, "End": total, "Home": -total}
    for key, step in moves.items():  # a page of its own takes keys at once
        page.keyboard.press(key)
        at = max(0, min(total, at + step))
        assert shown(page)["count"] == f"{at} / {total}"
    page.locator("input[type=range]").evaluate("(s) => { s.value = 3; s.dispatchEvent(new Event('input')); }")
    check(page, explanation, 3)
    page.locator("div.frame").focus()
    page.keyboard.press("Space")
    page.clock.run_for(2_000)
    check(page, explanation, 5)
    page.keyboard.press("Space")
    page.clock.run_for(5_000)
    check(page, explanation, 5)
    choose(page, "Speed of playing", "4\u00d7")
    page.click("[data-do=play]")
    page.clock.run_for(1_000)
    check(page, explanation, 9)
    page.clock.run_for(5_000)
    check(page, explanation, total)
    assert page.locator("[data-do=play]").get_attribute("aria-label") == "Play"
    page.close()  # its time is not that of others


def test_a_network_steps_neuron_by_neuron_and_layer_by_layer(open_page):
    explanation = network()
    page = open_page(explanation)
    scene, layers = explanation.scene, {}
    for moment in explanation.steps:
        layers.setdefault((moment.phase, moment.group), set()).add(moment.box)
    page.keyboard.press("j")
    first = shown(page)
    assert len(first["current"]) == 1
    assert scene.boxes[first["current"][0]].kind == "neuron"
    assert first["boxes"][str(first["current"][0])]["texts"][-2].startswith("tanh ")  # the sum and the activation
    page.keyboard.press("Home")
    choose(page, "Steps", "by layer")
    seen = []
    while page.locator("[data-do=next]").is_enabled():
        page.click("[data-do=next]")
        seen.append(shown(page)["current"])
    assert sorted(seen[0]) == sorted(layers["forward", explanation.steps[0].group])
    assert len(seen[0]) == 4
    check_numbers(shown(page), explanation, len(explanation.steps))


def test_a_neuron_opens_to_its_products(open_page):
    explanation = network()
    numbers, scene = explanation.numbers, explanation.scene
    page = open_page(explanation)
    last = max(i for i, box in enumerate(scene.boxes) if box.kind == "neuron")
    arrows = [arrow for arrow in scene.arrows if arrow.head == last and arrow.leaf >= 0]
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.locator(f"g.box[data-box='{last}']").click(position={"x": 12, "y": 6})
    rows = page.locator(".scalars tr").all_inner_texts()
    assert len(rows) == 1 + len(arrows)
    choose(page, "Steps", "by node")
    backward = [k for k, moment in enumerate(explanation.steps, 1) if moment.phase == "backward"]
    page.locator("input[type=range]").evaluate(
        "(s, k) => { s.value = k; s.dispatchEvent(new Event('input')); }", backward[-1]
    )
    page.locator(f"g.box[data-box='{last}']").focus()
    page.keyboard.press("Enter")
    cells = [row.split("\t") for row in page.locator(".scalars tr").all_inner_texts()]
    assert cells[0] == ["input", "weight", "product", "grad weight", "to input"]
    for arrow, row in zip(arrows, cells[1:], strict=True):
        _, head, slot = arrow.name.split("_")
        x = scene.nodes[int(head)].operands[int(slot)].data
        w = numbers(f"v{arrow.leaf}")
        expected = (w, w * x, numbers(f"g{arrow.leaf}"), numbers(f"c{head}.{slot}"))
        assert row[1:] == [number(z, explanation.precision) for z in expected]
    label = page.locator(".scalars table").get_attribute("aria-label")
    page.keyboard.press("Enter")  # now it is the table of the step's own neuron again
    assert page.locator(".scalars table").get_attribute("aria-label") != label


def test_the_exact_formula_is_shown_on_request(open_page):
    page = open_page(explain(Value(0.75, label="x").sigmoid()))
    page.keyboard.press("j")
    buttons = page.locator(".exact")
    if buttons.count():
        before = shown(page)["lines"]
        buttons.first.click()
        assert shown(page)["lines"] != before
        buttons.first.click()
        assert shown(page)["lines"] == before


def test_a_single_leaf_is_explained(open_page):
    page = open_page(explain(Value(1.0, label="x")))
    assert "press Next" not in page.locator(".panel").inner_text() or page.locator("[data-do=next]").is_enabled()
    page.keyboard.press("End")
    state = shown(page)
    assert state["boxes"]["0"]["texts"] == ["x", "data 1", "grad 1"]
    assert state["lines"][-1] == "grad x = 1, since d x/d x = 1"


# What is in sight


@pytest.mark.parametrize("viewport", [WIDE, NOTEBOOK, BESIDE, PHONE], ids=["wide", "notebook", "beside", "phone"])
@pytest.mark.parametrize("make", [example, network], ids=["example", "network"])
def test_everything_is_in_the_first_view(open_page, make, viewport):
    page = open_page(make(), viewport=viewport)
    for key in ("Home", "j", "End"):
        page.keyboard.press(key)
        sight = page.evaluate(EVERYTHING_IN_SIGHT)
        assert sight["window"]
        assert sight["whole"]
        assert sight["touched"]
        assert sight["scroll"]
        assert sight["type"] >= 8.99
        assert not sight["overview"]


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_what_a_step_touches_is_always_in_sight(open_page, viewport):
    model = nn.MLP(2, [4, 4, 1], activation="tanh", rng=random.Random(1))
    explanation = explain(model([1.0, -0.5]), lr=0.1)  # without the model it is larger than any window
    page = open_page(explanation, viewport=viewport)
    sight = page.evaluate(EVERYTHING_IN_SIGHT)
    assert sight["window"]
    assert sight["overview"]
    assert sight["type"] >= 8.99
    for _ in explanation.steps:
        page.keyboard.press("j")
        sight = page.evaluate(EVERYTHING_IN_SIGHT)
        assert sight["touched"]
        assert sight["window"]


def test_zoom_pan_fit_and_the_overview(open_page):
    page = open_page(network())

    def sight():
        return page.evaluate(EVERYTHING_IN_SIGHT)

    rest = sight()
    page.click("[data-do=in]")
    page.keyboard.press("+")
    near = sight()
    assert near["type"] == pytest.approx(rest["type"] * 1.25**2)
    assert near["overview"]
    page.keyboard.press("Shift+ArrowRight")
    assert sight()["left"] < near["left"]
    page.keyboard.press("Shift+ArrowLeft")
    assert sight()["left"] == pytest.approx(near["left"])
    box = page.locator(".picture").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 50, box["y"] + 8, steps=5)
    page.mouse.up()
    assert sight()["left"] == pytest.approx(near["left"] - 50, abs=1)
    small = page.locator(".overview").bounding_box()
    page.mouse.click(small["x"] + small["width"] - 3, small["y"] + small["height"] / 2)
    assert sight()["left"] < near["left"] - 50
    page.keyboard.press("f")
    assert sight()["type"] == pytest.approx(rest["type"])
    assert sight()["whole"]
    assert not sight()["overview"]
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    until(page, f"({EVERYTHING_IN_SIGHT})().type > {rest['type'] * 1.1}")
    page.keyboard.press("0")
    page.keyboard.press("-")
    assert sight()["type"] < rest["type"] + 0.01


def test_moves_are_smooth_unless_that_is_not_wanted(open_page):
    page = open_page(network(), reduced_motion="no-preference")
    page.keyboard.press("+")
    page.keyboard.press("+")
    near = page.evaluate(EVERYTHING_IN_SIGHT)["type"]
    page.keyboard.press("0")
    until(page, f"({EVERYTHING_IN_SIGHT})().whole && ({EVERYTHING_IN_SIGHT})().type < {near}")


def test_it_fills_the_screen_and_comes_back(open_page):
    page = open_page(example())
    before = page.locator("div.frame").bounding_box()
    page.click("[data-do=full]")
    frame = "document.querySelector('.autograd-stepper').shadowRoot.querySelector('div.frame')"
    until(page, f"{frame}.offsetHeight === innerHeight")
    page.click("[data-do=full]")
    until(page, f"{frame}.offsetHeight === {before['height']}")


def test_the_picture_follows_the_width(open_page):
    page = open_page(example(), viewport=WIDE)
    leads = (
        "(() => { const boxes = document.querySelector('.autograd-stepper').shadowRoot.querySelectorAll('g.box');"
        "const [one, other] = [boxes[0], boxes[boxes.length - 1]].map((g) => g.getBoundingClientRect());"
        "return other.left - one.left > Math.abs(other.top - one.top) ? 'right' : 'down'; })()"
    )
    assert page.evaluate(leads) == "right"
    page.keyboard.press("j")
    page.set_viewport_size(PHONE)
    until(page, f"{leads} === 'down' && ({EVERYTHING_IN_SIGHT})().whole && ({EVERYTHING_IN_SIGHT})().window")
    assert shown(page)["count"].startswith("1 /")


# Where it stands


def test_hostile_labels_execute_nothing(open_page):
    root = Value(0.0)
    more = ['"><img src=x onerror=alert(1)>', "'onclick='alert(1)", "</div></template></svg><script>alert(1)"]
    for label in [*HOSTILE, *more]:
        root = root + Value(1.0, label=label)
    explanation = explain(root, lr=0.1)
    watcher = "<script>window.alert = () => { window.hacked = true; };</script>"
    page = open_page(written(explanation).replace("</head>", f"{watcher}</head>", 1))
    scripts = page.locator("script").count()
    for _ in explanation.steps:
        page.keyboard.press("ArrowRight")
    assert page.evaluate("window.hacked") is None
    assert page.locator("script").count() == scripts
    assert page.locator("img").count() == 1
    check(page, explanation, len(explanation.steps))


def test_it_has_the_theme_of_its_page_or_the_one_it_was_given(open_page):
    text = written(example())

    def background(page):
        return page.locator("div.frame").evaluate("(frame) => getComputedStyle(frame).backgroundColor")

    light, dark = (background(open_page(text, color_scheme=scheme)) for scheme in ("light", "dark"))
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(22, 25, 29)")
    page = open_page(
        text.replace("</style>", "body { background: #fdf6e3 !important; }</style>", 1), color_scheme="dark"
    )
    assert background(page) == light
    page.evaluate("document.body.style.setProperty('background', '#111', 'important')")
    until(
        page,
        "document.querySelector('.autograd-stepper').shadowRoot.querySelector('div.frame').dataset.theme === 'dark'",
    )
    assert background(page) == dark
    assert background(open_page(example(theme="dark"), color_scheme="light")) == dark


def test_colours_of_gradients_are_those_of_drawings(open_page):
    for scheme, blue, orange in (
        ("light", "rgb(0, 114, 178)", "rgb(213, 94, 0)"),
        ("dark", "rgb(86, 180, 233)", "rgb(255, 140, 66)"),
    ):
        page = open_page(network(), color_scheme=scheme)

        def colours(page, name):
            return set(
                page.evaluate(
                    "(name) => [...document.querySelector('.autograd-stepper').shadowRoot"
                    ".querySelectorAll(`g.${name} .line`)].map((line) => getComputedStyle(line).stroke)",
                    name,
                )
            )

        assert colours(page, "positive") == colours(page, "negative") == set()
        page.keyboard.press("End")
        assert (colours(page, "positive"), colours(page, "negative")) == ({blue}, {orange})


def test_a_hostile_style_sheet_does_not_reach_it(open_page):
    piece = fragment(example())
    rules = (
        "* { all: unset !important; } html { background: white !important; }"
        "div, button, svg { display: none !important; color: red !important; font: 3px fantasy; }"
    )
    page = open_page(f"<style>{rules} .autograd-stepper {{ display: block !important; }}</style><body>{piece}")
    assert page.locator("div.frame").evaluate("(f) => getComputedStyle(f).color") == "rgb(31, 35, 40)"
    page.click("[data-do=next]")
    assert shown(page)["count"].startswith("1 /")
    assert page.locator("[data-do=next]").evaluate("(b) => getComputedStyle(b).fontSize") == "14px"


def test_it_works_in_a_sandboxed_frame_that_grows_with_it(open_page, browser):
    html = written(example()).replace("&", "&amp;").replace('"', "&quot;")
    page = browser.new_page(viewport=WIDE)
    page.set_default_timeout(PATIENCE)
    page.set_content(f'<iframe sandbox="allow-scripts" style="width:100%; height:150px" srcdoc="{html}"></iframe>')
    inner = page.frame_locator("iframe")
    inner.locator("[data-do=next]").click()
    assert inner.locator(".count").inner_text() == "1 / 10"
    heights = []
    for height in (700, 690, 680):
        page.locator("iframe").evaluate("(f, height) => { f.style.height = `${height}px`; }", height)
        heights.append(inner.locator("div.frame").evaluate("(f) => f.offsetHeight"))
    assert len(set(heights)) == 1
    assert heights[0] > 300
    page.close()


# Without seeing it, without a mouse


def test_every_control_has_a_name_and_can_be_reached(open_page):
    page = open_page(network())
    assert page.locator("div.frame").get_attribute("role") == "group"
    assert page.locator(".step").get_attribute("aria-live") == "polite"
    names = page.locator("button[data-do]").evaluate_all("(all) => all.map((button) => button.ariaLabel)")
    assert names[:5] == ["First", "Previous", "Play", "Next", "Last"]
    controls = page.locator("button, select, input, [tabindex='0'], [role=button]")
    for label in controls.evaluate_all(
        "(all) => all.map((c) => c.ariaLabel || c.textContent.trim() || c.labels?.[0]?.textContent.trim() || '')"
    ):
        assert label
    assert page.locator("svg.autograd").get_attribute("aria-label").startswith("computation graph of loss")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.querySelector('.autograd-stepper').shadowRoot.activeElement?.dataset.do"))
    assert reached >= {"play", "next", "last", "quiz", "in", "out", "fit", "full", "help"}
    page.locator("div.frame").focus()
    page.keyboard.press("?")
    assert page.locator(".help").is_visible()
    assert "next step" in page.locator(".help").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".help").is_hidden()
    page.keyboard.press("ArrowRight")
    assert shown(page)["count"].startswith("1 /")


def test_no_key_falls_through_to_the_page(open_page):
    page = open_page(example())
    page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    for key in ["j", "b", "a", "d", "x", "k", "0", "f", "+", "-", "?", "Enter", " ", "ArrowDown", "Shift+ArrowUp"]:
        page.keyboard.press(key)
    assert page.evaluate("heard") in ([], ["Shift"])
    page.keyboard.press("Escape")  # closes the help
    page.keyboard.press("Escape")
    page.keyboard.press("Control+b")
    assert "b" in page.evaluate("heard")
    assert page.evaluate("heard").count("Escape") == 1


def test_a_step_of_five_hundred_nodes_writes_little(open_page):
    explanation = explain(graph_of(500), lr=0.1)
    page = open_page(explanation)
    choose(page, "Steps", "by node")
    changes = page.evaluate(
        """() => {
            const root = document.querySelector('.autograd-stepper').shadowRoot;
            const next = root.querySelector('[data-do=next]'), counts = [];
            const observer = new MutationObserver(() => {});
            observer.observe(root.querySelector('.picture'), {subtree: true, childList: true});
            for (let i = 0; i < 300; i++) {
                next.click();
                counts.push(observer.takeRecords().length);
            }
            return counts;
        }"""
    )
    assert max(changes) < 40  # it is these that cost time
