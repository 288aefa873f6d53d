"""How do tests open a page? In the browser of `tests/autograd/conftest.py`, and any error of the page fails them."""

import pytest

from autograd.drawing.page import page as written

PATIENCE = 300_000  # ms; only a page that hangs takes minutes, however busy the machine is


@pytest.fixture(scope="module")
def free_pages(browser):
    """Empty pages for the next tests, by the options that they were made with.

    To make a page and show something takes 0.7 seconds of processor time, and to show it in one that is there 0.2.
    """
    return {}


@pytest.fixture
def open_page(request, browser, free_pages, tmp_path):
    """Opens the page of an explanation, or HTML, and fails if it reports an error or asks a network for anything."""
    opened, failed_before = [], request.session.testsfailed

    def new_page(options):
        page, errors = browser.new_page(**options), []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
        return page, errors, page.viewport_size

    def opener(shown, **options):
        text = shown if isinstance(shown, str) else written(shown)
        path = tmp_path / f"page{len(opened)}.html"
        path.write_text(text, encoding="utf-8")
        options = {"reduced_motion": "reduce", **options}
        free = free_pages.setdefault(repr(options), [])
        opened.append((free, free.pop() if free else new_page(options)))
        page = opened[-1][1][0]
        page.goto(path.as_uri())
        if page.locator("[data-autograd-stepper]").count() and options.get("java_script_enabled", True):
            page.locator("div.frame").last.wait_for()  # its script is unpacked first
        return page

    yield opener
    found = []
    for free, (page, errors, size) in opened:
        if page.is_closed() or page.viewport_size != size:
            page.close()
        else:
            page.mouse.move(-1, -1)  # points at nothing
            free.append((page, errors, size))
        found += errors
    if found or request.session.testsfailed > failed_before:  # these pages may have a key that is held, or an error
        free_pages.clear()
    assert found == []
