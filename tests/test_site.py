"""Does the site show and run the course, with nothing dead and nothing fetched from elsewhere? `.ci/site` builds it."""

import functools
import http.server
import json
import re
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.autograd.conftest import browser  # noqa: F401

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / ".ci" / "pages"))

from course import course  # noqa: E402
from links import problems  # noqa: E402

NOTEBOOKS = course(ROOT / "notebooks")


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ('<a href="other.html">', None),
        ('<a href="other.html#there">', None),
        ('<a href="other.html#%74here">', None),
        ('<a href="folder/">', None),
        ('<a href="other.html?path=1">', None),
        ('<a href="https://example.org/">', None),  # a reader presses it
        ('<a href="#here"><h1 id="here">', None),
        ('<img src="data:image/png;base64,AA=="><script>"<a href=lost.html>"</script>', None),
        ('<a href="lost.html">', "refers to lost.html, which is not there"),
        ('<a href="lost/">', "refers to lost/, which is not there"),
        ('<a href="other.html#lost">', "refers to other.html#lost, and that page has no such place"),
        ('<a href="#lost">', "refers to #lost, and that page has no such place"),
        ('<a href="/other.html">', "works at the root of a server only"),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js from elsewhere"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css from elsewhere"),
        ('<img srcset="other.html 1x, http://example.org/x.png 2x">', "loads http://example.org/x.png from elsewhere"),
        ("<style>p { background: url(http://example.org/x.png) }</style>", "loads http://example.org/x.png"),
        ('<p style="background: url(lost.png)">', "refers to lost.png, which is not there"),
        ('<svg><image href="http://example.org/x.png"/></svg>', "loads http://example.org/x.png"),
    ],
)
def test_the_link_checker_sees(page, complaint, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("<p>", encoding="utf-8")
    (tmp_path / "other.html").write_text('<p id="there">', encoding="utf-8")
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    found = problems(tmp_path)
    assert found == [] if complaint is None else len(found) == 1 and complaint in found[0]


def test_the_link_checker_reads_style_sheets(tmp_path):
    (tmp_path / "site.css").write_text(
        '@import "https://example.org/font.css"; a { b: url("lost.png") }', encoding="utf-8"
    )
    assert problems(tmp_path) == [
        "site.css loads https://example.org/font.css from elsewhere: bring it along",
        "site.css refers to lost.png, which is not there",
    ]


def test_each_notebook_asks_a_question_and_takes_its_time():
    for notebook in NOTEBOOKS:
        assert notebook.question.endswith("?"), notebook.name
        assert 10 <= notebook.minutes <= 60, notebook.name


def test_each_notebook_leads_to_the_next_and_to_where_it_runs():
    for notebook, after in pairwise(NOTEBOOKS):
        assert f"]({after.name}.ipynb)" in notebook.sources("markdown")[-1]
    for notebook in NOTEBOOKS:
        assert notebook.content["cells"][-1]["id"] == "next"
        assert f"/jupyter/notebooks/index.html?path={notebook.name}.ipynb)" in notebook.sources("markdown")[-1]


def test_links_in_notebooks_lead_somewhere():
    links = [
        link
        for notebook in NOTEBOOKS
        for text in notebook.sources("markdown")
        for link in re.findall(r"\]\(([^)#\s]+)", text)
        if "://" not in link
    ]
    assert len(links) >= len(NOTEBOOKS)
    assert [link for link in links if not (ROOT / "notebooks" / link).exists()] == []


# Below is what takes minutes: the site is built, and its notebooks run in a browser.


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The site under a path of a plain file server."""
    folder = tmp_path_factory.mktemp("server")
    began = time.monotonic()
    subprocess.run([ROOT / ".ci" / "site", folder / "some" / "path"], check=True)
    print(f"built in {time.monotonic() - began:.0f} s")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/some/path"
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(browser, address):  # noqa: F811
    """Opens a page of the site; at the end, nothing was asked of another server, and nothing was missing."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    elsewhere, missing = [], []

    def answer(route):
        if route.request.url.startswith(address):
            return route.continue_()
        elsewhere.append(route.request.url)
        return route.abort()

    context.route("**/*", answer)
    page = context.new_page()
    page.on("response", lambda response: response.status >= 400 and missing.append(response.url))

    def open_page(path):
        page.goto(f"{address}/{path}")
        return page

    yield open_page
    context.close()
    assert (elsewhere, missing) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("name", [notebook.name for notebook in NOTEBOOKS])
def test_a_notebook_is_a_page(name, visit):
    errors = []
    page = visit("index.html")
    page.on("pageerror", lambda error: errors.append(error))
    page.click(f'a[href="notebooks/{name}.html"]')
    page.wait_for_url(f"**/notebooks/{name}.html")
    assert page.locator("a", has_text="Run this in your browser").count() == 2
    assert page.locator("section.cell").count() > 10
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert errors == []


@pytest.mark.slow
def test_a_page_has_live_steppers_and_formulas(visit):
    page = visit("notebooks/03-stepping-back-propagation.html")
    page.wait_for_function("[...document.querySelectorAll('.output *')].filter((e) => e.shadowRoot).length >= 4")
    page = visit("notebooks/11-mirror-symmetry-1986.html")
    assert page.locator("math").count() > 5


@pytest.mark.slow
def test_the_playground_trains_and_its_link_holds_the_state(visit):
    page = visit("playground.html")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "!/epoch\\s+0\\b/.test(document.querySelector('[data-nn-playground]').shadowRoot.textContent)"
    )
    page.get_by_role("button", name="Link").click()


@pytest.mark.slow
def test_names_are_found_in_the_api(visit):
    page = visit("api/nn.html")
    shown = page.locator("nav .memberlist a:visible").all_inner_texts()
    names = [name.removeprefix("class ").removesuffix("()") for name in shown]  # members are folded
    assert names == sorted(names, key=str.lower)
    page.locator(".module-info a", has_text=re.compile("^film$")).click()
    assert 0 <= page.locator("#film").bounding_box()["y"] < 100  # at once, not after a long glide
    page.get_by_role("searchbox").fill("playground")
    page.locator(".search-result a", has_text="nn.playground").first.click()
    page.wait_for_url("**/api/nn.html#playground")


RUN_ALL = """() => {
  window.ran = null;
  jupyterapp.commands.execute("notebook:run-all-cells").then((done) => { window.ran = done; });
}"""
CELLS = "() => [...jupyterapp.shell.currentWidget.content.model.cells].map((cell) => JSON.stringify(cell.toJSON()))"


@pytest.mark.slow
@pytest.mark.parametrize("number", ["00", "01", "02", "03", "05"])
def test_a_notebook_runs_from_the_top(number, visit):
    (notebook,) = [notebook for notebook in NOTEBOOKS if notebook.name.startswith(number)]
    page = visit(f"notebooks/{notebook.name}.html")
    page.locator("a", has_text="Run this in your browser").first.click()
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady", timeout=120_000)
    assert "Run All Cells" in page.locator("#how").inner_text()
    back = page.locator("#how a").evaluate("(link) => link.href")
    page.evaluate(RUN_ALL)
    page.wait_for_function("window.ran !== null", timeout=600_000)
    cells = [cell for cell in map(json.loads, page.evaluate(CELLS)) if cell["cell_type"] == "code"]
    stored = [cell for cell in notebook.content["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(stored) + 1)]
    for cell, before in zip(cells, stored, strict=True):
        assert pictures(cell) == pictures(before), cell["source"]
        assert "error" not in [output["output_type"] for output in cell["outputs"]], cell["source"]
        assert "font cache" not in json.dumps(cell["outputs"]), cell["source"]
    page.context.new_page().goto(back)
    assert page.context.pages[-1].locator("h1").inner_text() == notebook.title


def pictures(cell):
    """The kinds of a cell's outputs that are pictures or pages."""
    kinds = [kind for output in cell["outputs"] for kind in output.get("data", {})]
    return sorted(kind for kind in kinds if kind in {"image/png", "image/svg+xml", "text/html"})
