"""A real browser for the tests of pages and of JavaScript. They are skipped where there is none."""

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
