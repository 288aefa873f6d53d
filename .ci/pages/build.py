"""Builds the site: `build.py PYODIDE FRESH OUT`. `.ci/site` calls it.

PYODIDE is what `.ci/pyodide.py` prepares. FRESH/wheels has the other wheels that the notebooks need, ours among them.
"""

import html
import re
import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pdoc
from course import REPOSITORY, Notebook, course
from jupyter import build_jupyter
from links import problems, read
from pages import MARKDOWN, notebook_page, page, run_link, style

import nn

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MODULES = ("autograd", "autograd.testing", "nn", "nn.datasets", "nn.init", "nn.metrics", "nn.experiments")
"""What has a page in the API."""

INTRODUCTION = """
<h1>Back-propagation, step by step</h1>
<p class="lead">scalar-autograd is a small engine in Python that differentiates. Every number remembers how it was
computed, so you can see what a network does, forward and backward, and train real ones. Everything here runs in your
browser. Nothing has to be installed.</p>
<p class="buttons"><a class="button" href="playground.html">Watch a network learn</a>
<a class="button quiet" href="notebooks/{first}.html">Start the course</a></p>
<h2 id="course">The course</h2>
<p class="lead">Each notebook asks a question, lets you guess, and shows the answer. Read it as a page, or run it:
the first time, Python comes with it, some 40 MB.</p>
<ol class="course">{entries}</ol>
<h2>More</h2>
<p class="lead"><a href="api/index.html">What every function does</a>, with an example for each.
<a href="jupyter/lab/index.html">JupyterLab with all notebooks</a>. <a href="{repository}">The source</a>, where you
also learn how to install it.</p>
"""


def front_page(notebooks: list[Notebook]) -> str:
    """What this is, and the course as a list."""
    entries = "".join(entry(notebook) for notebook in notebooks)
    text = INTRODUCTION.format(first=notebooks[0].name, entries=entries, repository=REPOSITORY)
    return page("scalar-autograd", text)


def entry(notebook: Notebook) -> str:
    """A notebook's line in the list."""
    question = MARKDOWN.renderInline(notebook.question)
    return (
        f'<li><h3><a href="notebooks/{notebook.name}.html">{html.escape(notebook.title)}</a></h3><p>{question}</p>'
        f'<div class="run"><small>{notebook.minutes} minutes</small>{run_link(notebook, "", "button quiet")}</div></li>'
    )


def playground_page() -> str:
    """The page of `nn.playground()`, with the data sets that it brings."""
    return page("Playground", f"<h1>Watch a network learn</h1>{nn.playground()._repr_html_()}", kind="playground")


def build_api(out: Path) -> None:
    """The pages of the public names, from their docstrings."""
    for module in map(import_module, MODULES):  # pdoc sees what is there, not what is loaded when it is asked for
        for name in getattr(module, "__all__", ()):
            setattr(module, name, getattr(module, name))
        if hasattr(module, "__all__"):
            module.__all__ = sorted(module.__all__, key=str.lower)  # as one looks a name up: film beside fit and GPT
        module.__doc__ = as_list(module)
    pdoc.render.configure(
        docformat="google", search=True, show_source=False, favicon="data:,", template_directory=HERE / "api"
    )
    only = rf"!(?!({'|'.join(map(re.escape, MODULES))})$)"
    with warnings.catch_warnings(action="ignore"):  # annotations of names that only type checkers import
        pdoc.pdoc(*MODULES, only, output_directory=out)
    (out / "index.html").write_text(api_page(), encoding="utf-8")
    for path in out.rglob("*.html"):
        path.write_text(without_dead_places(path.read_text(encoding="utf-8"), read(path).anchors), encoding="utf-8")


def without_dead_places(text: str, places: set[str]) -> str:
    """A page without its links to places that it lacks: pdoc links members that it only lists as inherited."""
    return re.sub(r'<a href="#([^"]+)">(.*?)</a>', lambda m: m[0] if m[1] in places else m[2], text)


def as_list(module: ModuleType) -> str:
    """A module's docstring, its table of contents, "Data:   Table, datasets", as a list whose names are links."""

    def entry(found: re.Match[str]) -> str:
        linked: set[str] = set()

        def link(word: re.Match[str]) -> str:
            name = word[0]
            if name in linked or name not in module.__all__:
                return name
            linked.add(name)
            own_page = f"{module.__name__}.{name}" in MODULES
            return f"[{name}]({module.__name__}/{name}.html)" if own_page else f"[{name}](#{name})"

        return f"- **{found[1]}**: " + re.sub(r"[A-Za-z]\w*", link, found[2])

    return re.sub(r"^([A-Z]\w+): +(\S.*(?:\n +.*)*)", entry, module.__doc__ or "", flags=re.MULTILINE)


def api_page() -> str:
    """What has a page in the API, a line for each."""
    lines = []
    for name in MODULES:
        about = MARKDOWN.renderInline((import_module(name).__doc__ or "").strip().partition("\n\n")[0])
        lines.append(f'<li><h3><a href="{name.replace(".", "/")}.html"><code>{name}</code></a></h3><p>{about}</p></li>')
    return page("API", f'<h1>API</h1><ol class="course">{"".join(lines)}</ol>', "../")


def main() -> None:
    """Builds everything, and fails if a link leads nowhere."""
    pyodide, fresh, out = map(Path, sys.argv[1:])
    notebooks = course(ROOT / "notebooks")
    (out / "notebooks").mkdir(parents=True, exist_ok=True)
    (out / "site.css").write_text(style(), encoding="utf-8")
    (out / "index.html").write_text(front_page(notebooks), encoding="utf-8")
    (out / "playground.html").write_text(playground_page(), encoding="utf-8")
    for before, notebook, after in zip([None, *notebooks], notebooks, [*notebooks[1:], None], strict=False):
        path = out / "notebooks" / f"{notebook.name}.html"
        path.write_text(notebook_page(notebook, before, after), encoding="utf-8")
    build_api(out / "api")
    build_jupyter(notebooks, pyodide, fresh, out / "jupyter")
    found = problems(out)
    print("\n".join(found) or f"no dead link in {len(list(out.rglob('*.html')))} pages")
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
