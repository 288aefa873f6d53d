"""A playground's page in a browser: what tests do there. They know only what anybody sees."""

import base64
import json
import math
import random
import struct

from tests.autograd.drawing.conftest import PATIENCE

ROOT = "document.querySelector('[data-nn-playground]').shadowRoot"
"""Where the page's parts are, in JavaScript."""


def blobs(classes=3, count=90, inputs=2, seed=0):
    """Points around as many centres on a circle."""
    rng = random.Random(seed)
    y = [k % classes for k in range(count)]
    centres = [[math.cos(6.3 * k / classes + i) for i in range(inputs)] for k in range(classes)]
    return [[c + rng.gauss(0.0, 0.3) for c in centres[k]] for k in y], y


def opened(browser, folder, playground, size=(1280, 800), hash="", wait=".top"):
    """The page of a playground, saved and opened. What goes wrong in it is in `page.errors`."""
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_default_timeout(PATIENCE)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: request.url.startswith("http") and page.errors.append(request.url))
    page.goto(playground.save(folder / "page.html").as_uri() + hash)
    page.wait_for_selector(f".frame {wait}")
    return page


def code(page):
    """The Python that the page gives."""
    page.locator("[data-do=code]").click()
    text = page.locator("dialog[open] textarea").input_value()
    page.keyboard.press("Escape")
    return text


def link(page):
    """The end of the link that the page gives."""
    page.locator("[data-do=link]").click()
    text = page.locator("dialog[open] input").input_value()
    page.keyboard.press("Escape")
    return "#" + text.partition("#")[2]


def held(link):
    """What a link holds, as a dict."""
    text = link.partition(".")[2]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def linked(state):
    """The link that holds this."""
    return "#playground=1." + base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


def doubles(text):
    """The numbers in base64."""
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 8}d", data))


def weights(page):
    """All weights and biases in the page, from its link."""
    return doubles(held(link(page))["numbers"])


def choose(page, label, value):
    """Chooses a setting, or types a number that is not offered."""
    select = page.get_by_label(label, exact=True)
    if select.locator(f'option[value="{value}"]').count():
        select.select_option(str(value))
        return
    select.select_option("type")
    field = page.get_by_label(f"{label}, typed", exact=True)
    field.fill(str(value))
    field.press("Enter")


def ran(text):
    """The model of a program that was copied, after it has run."""
    scope = {}
    exec(text.replace("import nn\n", "import nn\n", 1), scope)
    return scope["model"]


def numbers(model):
    """All weights and biases of a model."""
    return [parameter.data for parameter in model.parameters()]
