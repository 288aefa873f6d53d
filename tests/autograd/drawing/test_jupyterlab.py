"""Do drawings and the stepper work in a real JupyterLab? Trusted or not, light or dark, in a window of 1280 x 800."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.autograd.drawing.conftest import PATIENCE
from tests.autograd.drawing.test_hosts import (
    GRAPHS,
    OTHER,
    THEMES,
    WINDOW,
    Shown,
    check_picture_and_table,
    explained,
    outputs,
)

pytestmark = pytest.mark.slow


def write_notebooks(folder):
    """A notebook for each graph, which will be trusted, and one that will not: of five cells, two with outputs."""
    nbformat = pytest.importorskip("nbformat")
    for name in (*GRAPHS, "untrusted"):
        notebook = nbformat.v4.new_notebook()
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        drawing, stepper = (
            nbformat.v4.new_output("display_data", data={"text/html": text, "text/plain": "text"})
            for text in outputs("network" if name == "untrusted" else name)
        )
        cell = nbformat.v4.new_code_cell
        notebook.cells = [
            cell("1"),
            cell("draw(y)", outputs=[drawing]),
            cell("explain(y)", outputs=[stepper]),
            cell("2"),
            cell("3"),
        ]
        nbformat.write(notebook, folder / f"{name}.ipynb")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab with the notebooks; gives its address and the file that says its theme."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    environment = os.environ | {
        f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("DATA", "CONFIG", "RUNTIME")
    }
    write_notebooks(folder)
    run = [sys.executable, "-m", "jupyter"]
    for name in GRAPHS:
        subprocess.run([*run, "trust", str(folder / f"{name}.ipynb")], env=environment, check=True, capture_output=True)
    settings = (
        folder
        / "config"
        / "lab"
        / "user-settings"
        / "@jupyterlab"
        / "apputils-extension"
        / "themes.jupyterlab-settings"
    )
    settings.parent.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--no-browser",
        f"--port={port}",
        "--ip=127.0.0.1",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
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
        yield address, settings
    finally:
        server.terminate()
        server.wait(300)


@pytest.fixture
def notebook(lab, browser):
    """Opens a notebook in a theme, while the operating system prefers the other one."""
    address, settings = lab
    pages = []

    def opener(name, theme):
        settings.write_text(json.dumps({"theme": f"JupyterLab {theme.title()}"}))
        page = browser.new_page(viewport=WINDOW, color_scheme=OTHER[theme])
        page.set_default_timeout(PATIENCE)
        pages.append(page)
        page.goto(f"{address}/lab/tree/{name}.ipynb?reset")
        page.locator(
            f"body[data-jp-theme-light={'true' if theme == 'light' else 'false'}] .jp-OutputArea img"
        ).first.wait_for(state="attached")
        return page

    yield opener
    for page in pages:
        page.close()


def shown(page, theme):
    found = Shown(page, theme, window=page.locator(".jp-WindowedPanel-outer").first)
    found.settle()
    page.wait_for_timeout(5000)  # JupyterLab shows its outputs once more when the kernel is there
    found.settle()
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_untrusted_there_are_the_picture_and_the_table(notebook, theme):
    page = notebook("untrusted", theme)
    check_picture_and_table(page, explained("network"))
    assert page.evaluate("[...document.querySelectorAll('.jp-OutputArea *')].every((e) => !e.shadowRoot)")


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("theme", THEMES)
def test_trusted_all_is_in_the_first_view_and_readable(notebook, theme, name):
    found = shown(notebook(name, theme), theme)
    assert found.stepper.locator("div.frame").get_attribute("data-theme") == theme
    found.check()
    found.check_steps(explained(name))


def test_no_key_falls_through_to_the_notebook_and_numbers_can_be_typed(notebook):
    page = notebook("readme", "light")
    found = shown(page, "light")
    cells = page.locator(".jp-Notebook .jp-Cell")
    before, begin = cells.count(), found.title()
    found.stepper.locator("div.frame").focus()
    for key in ["ArrowRight", "j", "k", "b", "a", "d", "d", "x", "m", "y", "0", "0", "Enter"]:
        page.keyboard.press(key)
    assert found.stepper.locator(".count").text_content().startswith("1 ")
    assert found.title() != begin
    number = found.stepper.locator('.live input[aria-label="its number"]')
    number.fill("")
    page.keyboard.type("-3*2/8")
    page.keyboard.press("Enter")
    assert number.input_value() == "-0.75"
    assert cells.count() == before
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".jp-Notebook.jp-mod-editMode").count() == 0


def test_jupyterlabs_theme_is_followed_while_the_notebook_is_open(notebook):
    page = notebook("network", "light")
    found = shown(page, "light")
    page.evaluate("jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    page.wait_for_timeout(2500)
    found.check_readable(found.drawing)
    found.check_readable(found.stepper)
    assert found.stepper.locator("div.frame").get_attribute("data-theme") == "dark"
