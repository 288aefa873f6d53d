"""The notebooks as pages: text, highlighted code, formulas, and the outputs that were stored, with their scripts.

Markdown becomes HTML here, and formulas become MathML, which browsers show by themselves. `page` is the frame around
every page of the site.
"""

import html
import re
from pathlib import Path
from typing import Any

from course import DIFFERENT_IN_A_BROWSER, Notebook, in_the_repository
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

HERE = Path(__file__).parent
SHOWN = ("text/html", "image/svg+xml", "image/png", "text/markdown", "text/plain")
"""The kinds of an output, the best first."""


def coloured(code: str, language: str = "python") -> str:
    """Code as HTML, a class on each word that has a colour."""
    try:
        lexer = get_lexer_by_name(language or "text")
    except ValueError:  # no language that Pygments knows
        lexer = get_lexer_by_name("text")
    return f'<div class="code"><pre>{highlight(code, lexer, HtmlFormatter(nowrap=True))}</pre></div>'


def formula(text: str, options: dict[str, Any]) -> str:
    """A formula in TeX's words as MathML."""
    return str(convert(text, display="block" if options.get("display_mode") else "inline"))


MARKDOWN = MarkdownIt("commonmark", {"html": True, "highlight": lambda code, language, _: coloured(code, language)})
MARKDOWN.enable(["table", "strikethrough"]).use(dollarmath_plugin, renderer=formula, allow_space=False)


def prose(text: str) -> str:
    """Markdown as HTML. A link to a notebook leads to its page, one to a file of the project to the repository."""
    text = in_the_repository(re.sub(r"\]\(([\w-]+)\.ipynb\)", r"](\1.html)", text))
    return (
        str(MARKDOWN.render(text)).replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    )


def output(content: dict[str, Any]) -> str:
    """One output of a cell."""
    if content["output_type"] == "stream":
        return f'<pre class="{content["name"]}">{html.escape("".join(content["text"]))}</pre>'
    if content["output_type"] == "error":
        return f'<pre class="stderr">{html.escape(content["ename"] + ": " + content["evalue"])}</pre>'
    kind = next((kind for kind in SHOWN if kind in content["data"]), "text/plain")
    data = "".join(content["data"].get(kind, ""))
    if kind == "image/png":
        return f'<img alt="the figure that this cell draws" src="data:image/png;base64,{data.strip()}">'
    if kind == "text/plain":
        return f"<pre>{html.escape(data)}</pre>"
    return prose(data) if kind == "text/markdown" else data


def cell(content: dict[str, Any]) -> str:
    """A cell and its outputs."""
    source = "".join(content["source"])
    if content["cell_type"] == "markdown":
        return f"<section>{prose(source)}</section>"
    outputs = "".join(f'<div class="output">{output(each)}</div>' for each in content["outputs"])
    return f'<section class="cell">{coloured(source)}{outputs}</section>'


def run_link(notebook: Notebook, up: str = "", kind: str = "button") -> str:
    """The link that opens the notebook in JupyterLite; what does not run there is said beside it."""
    note = DIFFERENT_IN_A_BROWSER.get(notebook.name[:2], "")
    address = f"{up}jupyter/notebooks/index.html?path={notebook.name}.ipynb"
    link = f'<a class="{kind}" href="{address}">Run this in your browser</a>'
    return f"{link} <small>{note}</small>" if note else link


def notebook_page(notebook: Notebook, before: Notebook | None, after: Notebook | None) -> str:
    """A notebook as a page, with links to the ones before and after it."""
    cells = [each for each in notebook.content["cells"] if each.get("id") != "next"]  # the page's own links say it
    back = f'<a rel="prev" href="{before.name}.html">← {html.escape(before.title)}</a>' if before else ""
    on = f'<a rel="next" href="{after.name}.html">{html.escape(after.title)} →</a>' if after else ""
    takes = f"{notebook.minutes} minutes to read. To run it, Python is loaded once, some 40 MB."
    run = f'<p class="run">{run_link(notebook, "../")} <small>{takes}</small></p>'
    again = f'<p class="run">{run_link(notebook, "../")}</p>'
    body = "\n".join(cell(each) for each in cells)
    body = body.replace("</h1>", f"</h1>{run}", 1)
    return page(notebook.title, f"<article>{body}{again}</article><nav class='beside'>{back}{on}</nav>", "../")


def page(title: str, body: str, up: str = "", kind: str = "text") -> str:
    """A page of the site; `up` leads to its front page, and scripts and styles know its kind."""
    frame = (HERE / "page.html").read_text(encoding="utf-8")
    for name, text in {
        "TITLE": html.escape(title),
        "UP": up,
        "KIND": kind,
        "BODY": body,
    }.items():  # BODY may hold any text: last
        frame = frame.replace(f"@{name}@", text)
    return frame


def style() -> str:
    """The style sheet: the site's own, and the colours of code."""
    return (HERE / "site.css").read_text(encoding="utf-8")
