"""How do tests open a page? In the browser of `tests/autograd/conftest.py`, and any error of the page fails them."""

import pytest

from autograd.drawing.page import page as written

PATIENCE = 300_000  # ms; only a page that hangs takes minutes, however busy the machine is


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens the page of an explanation, or HTML, and fails if it reports an error or asks a network for anything."""
    pages, errors = [], []

    def opener(shown, **options):
        text = shown if isinstance(shown, str) else written(shown)
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(text, encoding="utf-8")
        page = browser.new_page(**{"reduced_motion": "reduce", **options})
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
        page.goto(path.as_uri())
        pages.append(page)
        if page.locator("[data-autograd-stepper]").count() and options.get("java_script_enabled", True):
            page.locator("div.frame").last.wait_for()  # its script is unpacked first
        return page

    yield opener
    for page in pages:
        page.close()
    assert errors == []
