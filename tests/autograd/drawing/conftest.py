"""Which browser do the tests of pictures and pages use? Chromium, once for each file, with pages that must not fail."""

import os
import shutil

import pytest

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
    """Opens a page of HTML, and fails if it reports an error or asks for anything from a network."""
    pages, errors = [], []

    def opener(text, **options):
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(text, encoding="utf-8")
        page = browser.new_page(**options)
        page.set_default_timeout(300_000)  # only a page that hangs takes minutes, however busy the machine is
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield opener
    for page in pages:
        page.close()
    assert errors == []
