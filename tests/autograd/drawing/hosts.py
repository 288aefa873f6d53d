"""What are the places like where pictures and pages are shown? Their themes, their frames, their style sheets.

Each host is a function that puts an output of a notebook, `content`, into a page of that kind. `toggled` is the script
by which the host's own switch changes its theme. The style sheets are the parts of the real ones that reach into an
output: resets, tables, images, buttons.
"""

import html
import json
from collections.abc import Callable
from dataclasses import dataclass

TEXT = "<p>Back-propagation computes all derivatives in one pass over the graph, from the result to the leaves.</p>"


@dataclass(frozen=True)
class Host:
    """A kind of page: `page(content, theme)` is its HTML; `switch(theme)` is JavaScript that changes its theme."""

    page: Callable[[str, str], str]
    switch: Callable[[str], str]
    framed: bool = False


def document(body: str, css: str, html_attributes: str = "", body_attributes: str = "", head: str = "") -> str:
    return (
        f"<!doctype html><html lang=en {html_attributes}><head><meta charset=utf-8>{head}"
        f'<meta name=viewport content="width=device-width, initial-scale=1"><style>{css}</style></head>'
        f"<body {body_attributes}>{body}</body></html>"
    )


def furo(content: str, theme: str) -> str:
    """Sphinx with Furo: `body[data-theme]`, variables, and normalize.css."""
    css = """
    *, *::before, *::after { box-sizing: border-box; }
    html { line-height: 1.15; -webkit-text-size-adjust: 100%; font-size: 100%; scroll-behavior: smooth; }
    body { margin: 0; --color-background-primary: white; --color-foreground-primary: black;
      font-family: -apple-system, Helvetica, Arial, sans-serif; line-height: 1.5;
      background: var(--color-background-primary); color: var(--color-foreground-primary); }
    body[data-theme="dark"] { --color-background-primary: #131416; --color-foreground-primary: #cfd0d0;
      color-scheme: dark; }
    @media (prefers-color-scheme: dark) { body:not([data-theme="light"]) { --color-background-primary: #131416;
      --color-foreground-primary: #cfd0d0; color-scheme: dark; } }
    button, input, select { margin: 0; font-family: inherit; font-size: 100%; line-height: 1.15; overflow: visible; }
    article { max-width: 46em; margin: 0 auto; padding: 1em; }
    article img { max-width: 100%; box-sizing: border-box; }
    table { border-radius: .2rem; border-spacing: 0; border-collapse: collapse; box-shadow: 0 .2rem .5rem #0001; }
    table td, table th { border: 1px solid #8884; padding: 0 .25rem; }
    p { margin: .5em 0 .75em; line-height: 1.5; }"""
    body = f"<div class=page><article role=main>{TEXT}{content}{TEXT}</article></div>"
    return document(body, css, body_attributes=f'data-theme="{theme}"')


def pydata(content: str, theme: str) -> str:
    """Sphinx with the PyData theme and MyST-NB: `html[data-theme]`, Bootstrap's reset, sizes in rem."""
    css = """
    *, *::before, *::after { box-sizing: border-box; }
    html { font-size: 16px; }
    html[data-theme="light"] { --pst-color-background: #fff; --pst-color-text-base: #222832; color-scheme: light; }
    html[data-theme="dark"] { --pst-color-background: #14181e; --pst-color-text-base: #ced6dd; color-scheme: dark; }
    body { margin: 0; font: 400 1rem/1.65 system-ui, sans-serif; background-color: var(--pst-color-background);
      color: var(--pst-color-text-base); }
    html[data-theme="dark"] .bd-content img:not(.only-dark):not(.dark-light) { filter: brightness(.8) contrast(1.2); }
    html[data-theme="dark"] div.cell_output .text_html:not(:has(table.dataframe)) { background-color: #fff;
      border-radius: .25rem; padding: .5rem; color: #222832; }
    img, svg { vertical-align: middle; } img { max-width: 100%; height: auto; }
    button { border-radius: 0; text-transform: none; } input, button, select { margin: 0; font: inherit; }
    .bd-content { display: flex; max-width: 60em; margin: 0 auto; }
    .bd-article { flex: 1; min-width: 0; padding: 1.5rem; }
    div.cell_output { padding-left: 1em; max-width: 100%; overflow-x: auto; }
    table { border-collapse: collapse; caption-side: bottom; margin: 0 auto 1.15rem; } th { text-align: inherit; }"""
    output = f'<div class="cell_output"><div class="output text_html">{content}</div></div>'
    output = f'<div class="cell docutils container">{output}</div>'
    body = f"<div class=bd-content><article class=bd-article>{TEXT}{output}{TEXT}</article></div>"
    return document(body, css, html_attributes=f'data-theme="{theme}"')


def quarto(content: str, theme: str) -> str:
    """Quarto: `body.quarto-dark`, Bootstrap's reset, outputs in a grid."""
    css = """
    *, *::before, *::after { box-sizing: border-box; }
    body { margin: 0; font: 400 17px/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100%; }
    body.quarto-light { background-color: #fff; color: #343a40; }
    body.quarto-dark { background-color: #222; color: #fff; }
    img, svg { vertical-align: middle; } .quarto-figure img, .cell-output-display img { max-width: 100%; height: auto; }
    button { border-radius: 0; } button, input, select { margin: 0; font: inherit; }
    button, select { text-transform: none; }
    [type=button]:not(:disabled), button:not(:disabled) { cursor: pointer; }
    table { caption-side: top; border-collapse: collapse; margin-bottom: 1rem; } .table td { padding: .5rem; }
    tbody, td, tfoot, th, thead, tr { border: 0 solid; border-color: inherit; } p { margin: 0 0 1rem; }
    main { display: grid; grid-template-columns: 1fr minmax(0, 850px) 1fr; } main > * { grid-column: 2; }
    details { margin-bottom: 1rem; } .cell-output-display { overflow-x: auto; }"""
    output = f'<div class=cell><div class="cell-output cell-output-display">{content}</div></div>'
    body = f"<main class=content>{TEXT}{output}{TEXT}</main>"
    return document(body, css, body_attributes=f'class="fullcontent quarto-{theme}"')


SCRIPTS_BY_HAND = """
function showOutput(place, text) { // as innerHTML starts no script, these frames make each script again
  place.innerHTML = text;
  for (const old of place.querySelectorAll("script")) {
    const script = document.createElement("script");
    script.text = old.textContent;
    place.appendChild(script).remove();
  }
}"""


def framed(inner: str, sandbox: str, css: str, height: str, script: str = "", html_attributes: str = "") -> str:
    """A page with a sandboxed frame for the output, between other cells."""
    frame = f'<iframe sandbox="{sandbox}" srcdoc="{html.escape(inner)}" style="{height}"></iframe>'
    css += "body { margin: 0; } iframe { display: block; width: 100%; border: 0; }"
    css += ".cells { padding: 12px 32px 12px 60px; }"
    return document(f"<div class=cells>{TEXT}{frame}{TEXT}</div><script>{script}</script>", css, html_attributes)


def in_script(text: str) -> str:
    return json.dumps(text).replace("<", "\\u003c")


VSCODE_COLOURS = {
    "light": "--vscode-editor-background:#ffffff;--vscode-editor-foreground:#3b3b3b;--vscode-foreground:#3b3b3b",
    "dark": "--vscode-editor-background:#1f1f1f;--vscode-editor-foreground:#cccccc;--vscode-foreground:#cccccc",
}


def vscode(content: str, theme: str) -> str:
    """VS Code: one transparent frame, as high as the whole notebook; the editor's colour is that of the page around.

    The content security policy is that of the setting `notebook.experimental.enableCsp`; without it there is none.
    """
    policy = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
    css = """
    html { scrollbar-color: #8888 transparent; }
    body { background-color: transparent; color: var(--vscode-editor-foreground); font-family: system-ui, sans-serif;
      font-size: 13px; margin: 0; padding: 0 20px; }
    img, video { max-width: 100%; max-height: 100%; } button, input, select { outline-color: #007fd4; }
    #container .output { padding: 4px 8px; box-sizing: border-box; width: 100%; }
    table, thead, tr, th, td, tbody { border: none; border-color: transparent; border-spacing: 0;
      border-collapse: collapse; }
    table, th, tr { vertical-align: middle; text-align: right; } thead { font-weight: bold; }
    th, td { padding: 4px 8px; } tr:nth-child(even) { background-color: rgba(130, 130, 130, 0.08); }"""
    body = (
        '<div id=container class=widgetarea><div class=cell_container><div class=output_container><div class="output">'
        "<div id=place></div></div></div></div></div>"
        f"<script>{SCRIPTS_BY_HAND}; showOutput(document.getElementById('place'), {in_script(content)});"
        "addEventListener('message', ({ data }) => { document.body.className = `vscode-${data}`;"
        "document.body.dataset.vscodeThemeKind = `vscode-${data}`; });</script>"
    )
    kind = f"vscode-{theme}"
    attributes = f'style="{VSCODE_COLOURS[theme]}"', f'class="{kind}" data-vscode-theme-kind="{kind}" role=document'
    inner = document(body, css, *attributes, f'<meta http-equiv=Content-Security-Policy content="{policy}">')
    outer = "html.light { background: #fff; } html.dark { background: #1f1f1f; color: #ccc; }"
    sandbox = "allow-same-origin allow-pointer-lock allow-scripts allow-downloads allow-forms"
    return framed(inner, sandbox, outer, "height:5000px", html_attributes=f"class={theme}")


def colab(content: str, theme: str) -> str:
    """Colab: a frame for each output, `html[theme=dark]`, which grows with what is in it."""
    css = """
    html { --colab-primary-surface-color: white; --colab-primary-text-color: #212121;
      color: var(--colab-primary-text-color); }
    html[theme=dark] { --colab-primary-surface-color: #383838; --colab-primary-text-color: #d5d5d5;
      color-scheme: dark; }
    body { margin: 0; font-family: Roboto, Noto, sans-serif; font-size: 14px; overflow: hidden;
      background-color: var(--colab-primary-surface-color); }
    #output-body { padding: 4px 8px; }
    .rendered_html table { border: none; border-collapse: collapse; table-layout: fixed; }
    .rendered_html td, .rendered_html th { text-align: right; padding: .5em; max-width: none; }
    .rendered_html img { display: block; margin-left: auto; margin-right: auto; }
    .output_subarea { overflow-x: auto; max-width: 100%; }"""
    body = (
        '<div id=output-area><span id=output-body><div class="output_subarea output_html rendered_html">'
        f"<div id=place></div></div></span></div><script>{SCRIPTS_BY_HAND};"
        "new ResizeObserver(() => parent.postMessage(document.getElementById('output-area').scrollHeight, '*'))"
        f".observe(document.getElementById('output-area'));"
        f"showOutput(document.getElementById('place'), {in_script(content)});"
        "addEventListener('message', ({ data }) => document.documentElement.setAttribute('theme', data));</script>"
    )
    outer = "html[theme=dark] { background: #383838; color: #d5d5d5; }"
    grow = (
        "addEventListener('message', ({ data }) => { document.querySelector('iframe').style.height = `${data}px`; });"
    )
    sandbox = "allow-downloads allow-forms allow-pointer-lock allow-popups allow-popups-to-escape-sandbox allow-scripts"
    sandbox += " allow-same-origin allow-storage-access-by-user-activation allow-modals"
    return framed(document(body, css, f"theme={theme}"), sandbox, outer, "height:1px", grow, f"theme={theme}")


def strict_frame(content: str, theme: str) -> str:
    """A frame with nothing but scripts, of an origin of its own, that says its theme by its background only."""
    inner = document(content, f"body {{ margin: 8px; background: {'#0d1117' if theme == 'dark' else 'white'}; }}")
    return framed(inner, "allow-scripts", "", "height:640px")


def nbconvert(content: str, theme: str, sanitize: bool = False) -> str:
    """`jupyter nbconvert --to html`, without the two libraries that it asks a network for."""
    import nbformat
    from nbconvert import HTMLExporter

    notebook = nbformat.v4.new_notebook()
    output = nbformat.v4.new_output("display_data", data={"text/html": content, "text/plain": "as text"})
    notebook.cells = [nbformat.v4.new_code_cell("explain(y)", outputs=[output]), nbformat.v4.new_code_cell("2")]
    exporter = HTMLExporter(theme=theme, sanitize_html=sanitize, require_js_url="", mathjax_url="", jquery_url="")
    text, _ = exporter.from_notebook_node(notebook)
    return str(text)


def attribute(where: str, name: str, value: str = "{}") -> Callable[[str], str]:
    return lambda theme: f"document.{where}.setAttribute('{name}', '{value.format(theme)}')"


def in_frame(where: str, name: str) -> Callable[[str], str]:
    around = attribute("documentElement", name)
    return lambda theme: f"{around(theme)}; document.querySelector('iframe').contentWindow.postMessage('{theme}', '*')"


HOSTS = {
    "furo": Host(furo, attribute("body", "data-theme")),
    "pydata": Host(pydata, attribute("documentElement", "data-theme")),
    "quarto": Host(quarto, attribute("body", "class", "fullcontent quarto-{}")),
    "vscode": Host(vscode, in_frame("documentElement", "class"), framed=True),
    "colab": Host(colab, in_frame("documentElement", "theme"), framed=True),
}
