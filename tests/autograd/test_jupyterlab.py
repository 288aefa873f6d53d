"""Does the stepper work in a real JupyterLab, trusted and untrusted, and does no key fall through to the notebook?"""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from autograd import explain
from tests.autograd.test_drawing import example_graph
from tests.autograd.test_stepper import BROWSER, check, shown

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="Chromium is not on this machine")]
EXPLANATION = explain(example_graph(), lr=0.1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab with a trusted and an untrusted notebook, each of three cells; gives its address."""
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    environment = os.environ | {
        f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("DATA", "CONFIG", "RUNTIME")
    }
    for name in ("trusted", "untrusted"):
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        bundle = nbformat.v4.new_output("display_data", data=EXPLANATION._repr_mimebundle_())
        notebook.cells = [nbformat.v4.new_code_cell("1"), nbformat.v4.new_code_cell("explain(y)", outputs=[bundle])]
        notebook.cells.append(nbformat.v4.new_code_cell("2"))
        nbformat.write(notebook, folder / f"{name}.ipynb")
    run = [sys.executable, "-m", "jupyter"]
    subprocess.run([*run, "trust", str(folder / "trusted.ipynb")], env=environment, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--no-browser",
        f"--port={port}",
        "--ip=127.0.0.1",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
    ]
    server = subprocess.Popen(
        [*run, "lab", "--allow-root", *options], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{address}/api"):
                    break
            except OSError:
                assert server.poll() is None, "JupyterLab did not start"
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(300)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield running
        running.close()


def test_untrusted_there_is_the_picture_and_the_table(lab, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto(f"{lab}/lab/tree/untrusted.ipynb?reset", timeout=120_000)
    image = page.locator('.jp-OutputArea img[alt^="computation graph"]')
    image.wait_for(timeout=120_000)
    assert image.evaluate("(i) => i.naturalWidth") > 100
    assert page.locator(".jp-OutputArea details tbody tr").count() == len(EXPLANATION.steps)
    assert page.evaluate("[...document.querySelectorAll('.jp-OutputArea *')].every((e) => !e.shadowRoot)")


def test_trusted_the_stepper_works_and_no_key_falls_through(lab, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.goto(f"{lab}/lab/tree/trusted.ipynb?reset", timeout=120_000)
    page.locator(".autograd-stepper .frame").wait_for(timeout=120_000)
    page.wait_for_timeout(5000)  # JupyterLab shows its outputs once more when the kernel is there
    cells = page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    page.locator(".autograd-stepper [data-do=next]").click()
    check(shown(page), EXPLANATION, 1)
    page.locator(".autograd-stepper .frame").focus()
    for key in ["j", "ArrowRight", "b", "a", "d", "d", "x", "m", "y", "k", "0", "0", "Enter"]:
        page.keyboard.press(key)
    check(shown(page), EXPLANATION, 2)
    assert cells.count() == before
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".jp-Notebook.jp-mod-editMode").count() == 0
