"""Are pictures and pages whole and readable wherever they are shown? On pages in both themes, in frames, on a phone."""

import random
import re
from functools import cache
from html.parser import HTMLParser

import pytest

from autograd import Value, draw, explain
from autograd.drawing.page import page as page_of
from nn import MLP
from tests.autograd.drawing import hosts
from tests.autograd.drawing.graphs import mostly_slow
from tests.autograd.drawing.hosts import HOSTS

LEAST_TYPE = 9.0
"""Pixels: smaller type is not read."""
LEAST_CONTRAST = 4.5
"""Of WCAG 2.2, success criterion 1.4.3, for text."""
WINDOW = {"width": 1280, "height": 800}
SCREEN = {"width": 1440, "height": 900}
"""Of a laptop: there is more than the window on it."""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
THEMES = ("light", "dark")
OTHER = {"light": "dark", "dark": "light"}
GRAPHS = ("readme", "network")


@cache
def graph(name):
    """The README's example, or a network with a loss; and the model, if there is one."""
    if name == "readme":
        a, b, c = Value(0.5, label="a"), Value(-1.5, label="b"), Value(10.0, label="c")
        y = (a * b).tanh() + c
        y.backward()
        return y, None
    model = MLP(2, [4, 4, 1], rng=random.Random(0))
    loss = (model([1.0, -2.0]) - 1.0) ** 2
    loss.label = "loss"
    loss.backward()
    return loss, model


@cache
def explained(name):
    root, model = graph(name)
    return explain(root, lr=0.1, model=model)


@cache
def outputs(name):
    """What a notebook keeps of a drawing and of a stepper."""
    root, model = graph(name)
    return draw(root, model=model)._repr_mimebundle_()["text/html"], explained(name)._repr_mimebundle_()["text/html"]


# For each text below a host: how large it is on the screen, and how well its colour differs from what is behind it.
# Where no ancestor has a background, `page` is the colour behind.
TEXTS = """(host, page) => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const opaque = (colour) => colour !== "none" && (channels(colour).length === 3 || channels(colour)[3] > 0.5);
  const around = (node) => node.parentElement || node.getRootNode().host;
  const luminance = (colour) => channels(colour).slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  function behind(node) {
    const rect = node.closest(".box") && node.closest(".box").querySelector("rect:not(.halo)");
    if (rect && opaque(getComputedStyle(rect).fill)) return getComputedStyle(rect).fill;
    for (let at = node; at; at = around(at)) {
      if (opaque(getComputedStyle(at).backgroundColor)) return getComputedStyle(at).backgroundColor;
    }
    return page;
  }
  const found = [], root = host.shadowRoot || host;
  for (const node of root.querySelectorAll("*")) {
    const own = [...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data.trim()).join("");
    if (!own || !node.checkVisibility() || node.matches("style, script, option, title")) continue;
    const style = getComputedStyle(node), scale = node.ownerSVGElement ? Math.abs(node.getScreenCTM().a) : 1;
    const [one, other] = [node.ownerSVGElement ? style.fill : style.color, behind(node)].map(luminance);
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const isDisabled = node.matches(":disabled *, :disabled");
    found.push({ text: own, size: parseFloat(style.fontSize) * scale, contrast, isDisabled });
  }
  return found;
}"""
# What of a picture is not inside its window, and whether a bar is cut off. (A panel's lines may be more than it shows.)
CLIPPED = """(host) => {
  const root = host.shadowRoot || host, svg = root.querySelector("svg.autograd");
  const frame = (svg.closest(".picture") || svg).getBoundingClientRect();
  const clipped = [...svg.querySelectorAll("text, .box rect, .line")].filter((part) => {
    const { left, top, right, bottom } = part.getBoundingClientRect();
    return left < frame.left - 1 || top < frame.top - 1 || right > frame.right + 1 || bottom > frame.bottom + 1;
  }).map((part) => part.textContent || part.outerHTML);
  for (const part of root.querySelectorAll(".bar, .panel")) {
    const isTall = part.className === "bar" && part.scrollHeight > part.clientHeight + 1;
    if (isTall || part.scrollWidth > part.clientWidth + 1) clipped.push(part.className);
  }
  return clipped;
}"""
DARK = """(host) => {
  const around = (node) => node.parentElement || node.getRootNode().host;
  for (let at = host; at; at = around(at)) {
    const colour = getComputedStyle(at).backgroundColor.match(/[\\d.]+/g).map(Number);
    if (colour.length === 3 || colour[3] > 0.5) return colour[0] + colour[1] + colour[2] < 382;
  }
  return null;
}"""


class Shown:
    """A page with a drawing and a stepper on it, and what a reader can see of them."""

    def __init__(self, page, theme, framed=False, window=None):
        self.page, self.theme = page, theme
        self.place = page.frame_locator("iframe") if framed else page
        self.behind = "rgb(31, 31, 31)" if theme == "dark" else "rgb(255, 255, 255)"
        self.drawing = self.place.locator("[data-autograd-drawing]").first
        self.stepper = self.place.locator("[data-autograd-stepper]").first
        self.window = window  # the part of the page in which it scrolls; by default the whole

    def settle(self):
        """Waits until both are shown, in the theme and the size that they keep."""
        self.stepper.locator("div.frame svg.autograd").wait_for()  # its script is unpacked first
        self.drawing.locator("svg.autograd").wait_for()
        self.page.wait_for_timeout(600)  # the page is looked at until 400 ms after it is shown: theme.js

    def texts(self, host):
        return host.evaluate(TEXTS, self.behind)

    def check_readable(self, host):
        texts = self.texts(host)
        assert texts
        assert not [text for text in texts if text["size"] < LEAST_TYPE - 0.01]
        assert not [text for text in texts if text["contrast"] < LEAST_CONTRAST and not text["isDisabled"]]
        return min(text["size"] for text in texts)

    def check_in_first_view(self, host, *parts):
        """All of a host is to be seen after it was scrolled to."""
        host.evaluate("(host) => host.scrollIntoView({ block: 'start', behavior: 'instant' })")
        self.page.wait_for_timeout(50)
        window = self.window.bounding_box() if self.window else {"x": 0, "y": 0, **self.page.viewport_size}
        for part in [host, *(host.locator(part) for part in parts)]:
            box = part.bounding_box()
            assert box["x"] >= window["x"] - 1
            assert box["x"] + box["width"] <= window["x"] + window["width"] + 1
            assert box["y"] >= window["y"] - 1
            if part is not host:  # below the stepper, the table may go on
                assert box["y"] + box["height"] <= window["y"] + window["height"] + 1
        assert host.evaluate(CLIPPED) == []

    def check(self):
        self.check_in_first_view(self.drawing, "svg.autograd")
        least = self.check_readable(self.drawing)
        self.check_in_first_view(self.stepper, ".bar", ".picture", ".panel")
        return {"drawing": least, "stepper": self.check_readable(self.stepper)}

    def press(self, name, stepper=None):
        (stepper or self.stepper).locator(f"[data-do={name}]").click()

    def title(self, stepper=None):
        return (stepper or self.stepper).locator(".title").text_content()

    def check_steps(self, explanation, stepper=None):
        """Next goes forward, and back again; the last step is the last of the explanation."""
        begin = self.title(stepper)
        self.press("next", stepper)
        assert self.title(stepper) != begin
        self.press("last", stepper)
        assert self.title(stepper) == explanation.steps[-1].title
        self.press("first", stepper)
        assert self.title(stepper) == begin


@pytest.fixture
def shown(open_page):
    def show(text, theme, framed=False, **options):
        page = open_page(text, **{"viewport": WINDOW, "screen": SCREEN, "color_scheme": OTHER[theme], **options})
        found = Shown(page, theme, framed)
        found.settle()
        return found

    return show


FIRST = ("furo", "vscode")
"""The others take a minute together: `pytest -m slow` tries them too."""


@pytest.mark.parametrize(
    ("theme", "name"),
    [("dark", "network"), *mostly_slow(("light", "network"), ("dark", "readme"))],
)
@pytest.mark.parametrize("host", HOSTS)
def test_on_any_page_all_is_in_view_and_readable_whatever_the_operating_system_prefers(shown, host, theme, name):
    found = shown(HOSTS[host].page("".join(outputs(name)), theme), theme, HOSTS[host].framed)
    found.check()
    found.check_steps(explained(name))


@pytest.mark.parametrize("host", [h if h in FIRST else pytest.param(h, marks=pytest.mark.slow) for h in HOSTS])
def test_the_theme_is_followed_while_the_page_is_open(shown, host):
    found = shown(HOSTS[host].page("".join(outputs("network")), "light"), "light", HOSTS[host].framed)
    for theme in ["dark", "light"]:
        found.page.evaluate(HOSTS[host].switch(theme))
        found.page.wait_for_timeout(700)
        found.behind = "rgb(31, 31, 31)" if theme == "dark" else "rgb(255, 255, 255)"
        found.check_readable(found.drawing)
        found.check_readable(found.stepper)
        is_dark = found.stepper.evaluate(DARK)
        expected = theme if is_dark is None else "dark" if is_dark else "light"
        assert found.stepper.locator("div.frame").get_attribute("data-theme") == expected


@pytest.mark.parametrize("theme", THEMES)
def test_nbconvert_keeps_what_a_notebook_shows(shown, theme):
    pytest.importorskip("nbconvert")
    found = shown(hosts.nbconvert("".join(outputs("network")), theme), theme)
    found.check()
    found.check_steps(explained("network"))


def test_where_nbconvert_sanitises_nothing_is_executed_and_the_table_can_be_read(open_page):
    """It keeps no image and no script, of anybody: what it does not know it shows as text, and that may be long."""
    pytest.importorskip("nbconvert")
    page = open_page(hosts.nbconvert(outputs("readme")[1], "light", sanitize=True), viewport=WINDOW)
    rows = page.locator(".jp-OutputArea tr:has(td)")
    assert [moment.title in row for moment, row in zip(explained("readme").steps, rows.all_inner_texts(), strict=True)]
    assert page.locator("[data-autograd-stepper], .jp-OutputArea script").count() == 0


def test_the_strictest_frame_with_scripts_is_enough(shown):
    found = shown(hosts.strict_frame("".join(outputs("readme")), "dark"), "dark", framed=True)
    found.check_readable(found.drawing)
    found.check_readable(found.stepper)
    found.check_steps(explained("readme"))


def test_a_stepper_in_a_frame_as_high_as_the_notebook_fits_a_window(shown):
    found = shown(hosts.vscode(outputs("network")[0] + outputs("network")[1], "light"), "light", framed=True)
    assert found.stepper.locator("div.frame").bounding_box()["height"] <= WINDOW["height"]


def test_two_on_a_page_and_the_same_twice_do_not_disturb_each_other(shown):
    content = "".join(outputs("readme")) + "".join(outputs("network")) + "".join(outputs("readme"))
    found = shown(hosts.furo(content, "light"), "light")
    steppers = found.place.locator("[data-autograd-stepper]")
    assert steppers.count() == 3
    for i, name in enumerate(["readme", "network", "readme"]):
        others = [found.title(steppers.nth(j)) for j in range(3) if j != i]
        found.check_steps(explained(name), steppers.nth(i))
        found.press("next", steppers.nth(i))
        assert others == [found.title(steppers.nth(j)) for j in range(3) if j != i]
    assert found.place.locator("[data-autograd-drawing]").count() == 3
    found.check_readable(found.place.locator("[data-autograd-drawing]").nth(2))


# Without scripts


def check_picture_and_table(page, explanation, pictures=2):
    """The pictures are as large as their column allows, and the table has all steps and all their lines."""
    images = page.locator('img[alt^="computation graph"]')
    images.nth(pictures - 1).wait_for()
    assert images.count() == pictures
    for i in range(pictures):
        size = "(image) => [image.width, image.naturalWidth, image.parentElement.clientWidth]"
        width, natural, column = images.nth(i).evaluate(size)
        assert natural > 100
        assert width == min(natural, column)
    page.locator("summary").click()
    rows = page.locator("details tr:has(td)")
    assert rows.count() == len(explanation.steps)
    for row, moment in zip(rows.all_inner_texts(), explanation.steps, strict=True):
        assert moment.title in row
        for line in moment.lines:
            assert " ".join(line.split()) in " ".join(row.split())
    assert page.locator("[data-autograd-stepper] div.frame").count() == 0


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("theme", THEMES)
def test_without_scripts_there_are_the_picture_and_the_table(open_page, theme, name):
    content = "".join(outputs(name))
    page = open_page(hosts.quarto(content, theme), java_script_enabled=False, viewport=WINDOW, color_scheme=theme)
    check_picture_and_table(page, explained(name))


GITHUB_TAGS = re.findall(
    r"\w+",
    """h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p ol ul table thead tbody tfoot
    blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details caption figure figcaption
    abbr bdo cite dfn mark small span time wbr""",
)
GITHUB_ATTRIBUTES = re.findall(
    r"[\w-]+",
    """abbr align alt aria-describedby aria-hidden aria-label aria-labelledby border cellpadding cellspacing cite
    colspan dir height href id itemprop itemscope itemtype label lang longdesc name open rel role rowspan scope span
    src start summary tabindex title type valign value width""",
)


class Sanitised(HTMLParser):
    """HTML as GitHub shows it: without other tags, attributes and URLs than it allows.

    The tags and attributes are those of its library html-pipeline, sanitization_filter.rb. GitHub's view of a notebook
    keeps images in `data:` URLs, also SVG; its Markdown does not.
    """

    def __init__(self, text, schemes):
        super().__init__(convert_charrefs=False)
        self.parts, self.schemes, self.inside = [], schemes, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag in ("script", "style"):
            self.inside = tag
        if tag not in GITHUB_TAGS:
            return
        kept = [(name, value or "") for name, value in attributes if name in GITHUB_ATTRIBUTES]
        kept = [(n, v) for n, v in kept if n not in ("src", "href") or re.match(self.schemes, v)]
        written = "".join(f' {name}="{value}"' for name, value in kept)
        self.parts.append(f"<{tag}{written}>")

    def handle_endtag(self, tag):
        self.inside = "" if tag == self.inside else self.inside
        if tag in GITHUB_TAGS:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data):
        self.parts.append("" if self.inside else data)

    def handle_entityref(self, name):
        self.handle_data(f"&{name};")

    def handle_charref(self, name):
        self.handle_data(f"&#{name};")

    def __str__(self):
        return "".join(self.parts)


GITHUB_PAGE = (
    "<!doctype html><meta charset=utf-8><style>img { max-width: 100%; } body { max-width: 1012px; }</style>"
    "<body class=markdown-body>"
)


@pytest.mark.parametrize("name", GRAPHS)
def test_on_github_a_notebook_has_the_picture_and_the_table(open_page, name):
    content = str(Sanitised("".join(outputs(name)), r"https?:|data:image/"))
    assert "script" not in content
    assert not re.search(r"<style| style=", re.sub(r'src="[^"]*"', "", content))
    assert "data-model" not in content
    check_picture_and_table(open_page(GITHUB_PAGE + content), explained(name))


def test_in_githubs_markdown_the_table_remains_and_the_picture_has_its_name(open_page):
    page = open_page(GITHUB_PAGE + str(Sanitised(outputs("readme")[1], r"https?:")))
    assert page.locator("img").get_attribute("alt") == "computation graph of add1, 6 nodes"
    page.locator("summary").click()
    assert page.locator("tbody tr:has(td)").count() == len(explained("readme").steps)


# On a phone


def shown_on_a_phone(shown, name, theme):
    """The page that `save` writes, with a drawing below the stepper."""
    text = page_of(explained(name)).replace("</body>", f"{outputs(name)[0]}</body>")
    return shown(text, theme, color_scheme=theme, **PHONE)


@pytest.mark.parametrize(("theme", "name"), [("light", "network"), ("dark", "network"), ("light", "readme")])
def test_on_a_phone_all_is_in_view_and_readable(shown, theme, name):
    found = shown_on_a_phone(shown, name, theme)
    found.check()
    begin = found.title()
    found.stepper.locator("[data-do=next]").tap()
    assert found.title() != begin
    found.check_in_first_view(found.stepper, ".bar", ".picture", ".panel")


@pytest.mark.parametrize("name", GRAPHS)
def test_on_a_phone_a_leaf_is_dragged_by_a_finger(shown, name):
    found = shown_on_a_phone(shown, name, "light")
    touch = found.page.context.new_cdp_session(found.page)
    leaf, field = (
        found.stepper.locator("g.leaf.grab, g.label.grab").first,
        found.stepper.locator('.live input[aria-label="its number"]'),
    )
    box = leaf.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before, result = field.input_value(), found.stepper.locator(".promise").text_content()
    for kind, points in [("Start", [x]), ("Move", [x + 20]), ("Move", [x + 40]), ("End", [])]:
        fingers = [{"x": at, "y": y} for at in points]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": fingers})
    assert field.input_value() != before
    assert found.stepper.locator(".promise").text_content() != result
    assert found.page.evaluate("scrollY") == 0
    found.check_readable(found.stepper)
