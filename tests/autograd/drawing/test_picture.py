"""Does a drawing become what is asked for? Files of a format, a column of a paper, a slide, a notebook's output."""

import gzip
import html
import json
import re
import struct
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote

import graphviz
import pytest

import autograd
import nn
from autograd import Value, draw, topological_order
from autograd.drawing import Drawing, DrawingError, engine
from tests.autograd.drawing.graphs import mostly_slow
from tests.autograd.drawing.test_drawing import HOSTILE, example_graph
from tests.autograd.drawing.test_folding import irregular
from tests.autograd.drawing.test_svg import SVG, groups, mlp_loss, readme_example, texts

needs_engine = pytest.mark.skipif(
    not (engine.has_dot() or engine.find_spec("pygraphviz")), reason="neither dot nor pygraphviz is here"
)
FIRST_BYTES = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "eps": b"%!PS", "ps": b"%!PS", "jpg": b"\xff\xd8"}
FIRST_BYTES |= {"jpeg": b"\xff\xd8", "gif": b"GIF8", "svgz": b"\x1f\x8b", "json": b"{", "plain": b"graph"}
FIRST_BYTES |= {"dot": b"digraph", "xdot": b"digraph"}
CENTIMETRE = 72 / 2.54  # points


def svg_of(drawing):
    return drawing.pipe(format="svg", encoding="utf-8")


def size_of_svg(drawing):
    """Width and height in pixels, and how many of these one unit of the picture has."""
    root = ElementTree.fromstring(svg_of(drawing).encode("utf-8"))
    width, height = float(root.get("width")), float(root.get("height"))
    return width, height, width / float(root.get("viewBox").split()[2])


def size_of_png(data):
    return struct.unpack(">II", data[16:24])


def size_of_pdf(data):
    """Width and height in points."""
    return [float(x) for x in re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", data).groups()]


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setattr(engine, "has_dot", lambda: False)
    monkeypatch.setattr(engine, "find_spec", lambda name: None)


# What it is


def test_drawing_returns_a_digraph_and_changes_no_gradient():
    y = example_graph()
    before = [(v.data, v.grad) for v in topological_order(y)]
    drawing = draw(y, theme="dark", direction="TB", precision=2)
    assert isinstance(drawing, graphviz.Digraph)
    draw(y, focus=y.parents[0], radius=1, expand=True)
    assert [(v.data, v.grad) for v in topological_order(y)] == before


def test_a_drawing_shows_the_numbers_of_when_it_was_made():
    y = example_graph()
    drawing = draw(y)
    before = svg_of(drawing)
    y.zero_grad()
    assert svg_of(drawing) == before
    assert svg_of(draw(y)) != before


@needs_engine
@pytest.mark.parametrize("style", ["page", "paper", "slide"])
def test_graphviz_draws_boxes_and_texts_where_the_svg_has_them(style):
    model, loss = mlp_loss()
    drawing = draw(loss, model=model, style=style)
    answer = json.loads(drawing.pipe("json"))
    nodes = {found["name"]: found for found in answer["objects"]}
    root = ElementTree.fromstring(svg_of(drawing).encode("utf-8"))
    left, top, _, height = map(float, root.get("viewBox").split())
    scale = 0.75 * size_of_svg(drawing)[2]
    for box in groups(svg_of(drawing), "box"):
        node, outline = nodes[f"n{box.get('data-box')}"], box.find(f"{SVG}rect")
        name = node["name"]
        assert [nodes[f"{name}_{k}"]["label"].removesuffix("\\n") for k in range(len(texts(box)))] == texts(box)
        assert f"{name}_{len(texts(box))}" not in nodes
        if outline is not None:
            x, y, width, tall = (float(outline.get(name)) for name in ("x", "y", "width", "height"))
            where = [float(part) for part in node["pos"].split(",")]
            assert where == pytest.approx(
                [(x + width / 2 - left) * scale, (height - y - tall / 2 + top) * scale], abs=0.2
            )
            assert float(node["width"]) * 72 == pytest.approx(width * scale, abs=0.2)


@needs_engine
@pytest.mark.parametrize("labels", [HOSTILE[:10], HOSTILE[10:]])
def test_hostile_labels_reach_graphviz_as_text(labels):
    root = Value(0.0)
    for label in labels:
        root = root + Value(1.0, label=label)
    drawing = draw(root, format="png")
    drawing.node("mine")  # so that Graphviz draws the SVG
    picture = ElementTree.fromstring(drawing.pipe("svg"))
    shown = ["".join(text.itertext()).replace("\xa0", " ") for text in picture.iter(f"{SVG}text")]
    for label in labels:
        assert autograd.drawing.text.printable(label) in shown


@needs_engine
def test_what_is_added_in_the_dot_language_is_drawn():
    drawing = draw(example_graph())
    drawing.node("mine", label="my own note", pos="10,10")
    assert "my own note" in svg_of(drawing)
    assert "my own note" in drawing._repr_mimebundle_()["image/svg+xml"]


def test_a_copy_is_a_digraph_too():
    drawing = draw(example_graph())
    assert drawing.copy().source == drawing.source


# Files


@needs_engine
@pytest.mark.parametrize("name", engine.FORMATS)
def test_a_file_has_the_format_of_its_ending(tmp_path, name):
    drawing = draw(example_graph(), format=name)
    files = [tmp_path / f"of_its_ending.{name}", tmp_path / f"IN_CAPITALS.{name.upper()}", tmp_path / f"source.{name}"]
    assert drawing.render(files[0]) == str(files[0])
    assert drawing.render(outfile=files[1], cleanup=True) == str(files[1])
    assert drawing.render("source", directory=tmp_path) == str(files[2])
    for file in files:
        assert file.read_bytes().startswith(FIRST_BYTES[name])
    assert sorted(tmp_path.iterdir()) == sorted([*files, tmp_path / "source"])
    assert (tmp_path / "source").read_text(encoding="utf-8") == drawing.source


@pytest.mark.parametrize(
    "attempt",
    [
        lambda folder: draw(Value(1.0), format="bpm"),
        lambda folder: draw(nn.MLP(1, [1]), format="bpm"),
        lambda folder: draw(Value(1.0)).pipe("bpm"),
        lambda folder: draw(Value(1.0)).render(folder / "fig.bpm"),
        lambda folder: draw(Value(1.0)).render("fig.bpm", directory=folder),
        lambda folder: draw(Value(1.0)).render(folder / "fig", format="bpm"),
        lambda folder: draw(Value(1.0)).render(outfile=folder / "fig.bpm"),
    ],
)
def test_a_format_that_there_is_not_is_refused_and_nothing_is_written(tmp_path, attempt):
    with pytest.raises(
        ValueError, match=r"^(format|the ending of the file's name) takes one of svg, png, pdf, eps, .*; got 'bpm'$"
    ):
        attempt(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_and_a_format_that_differ_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"got a name that ends in \.eps and format='pdf'"):
        draw(Value(1.0)).render(tmp_path / "fig.eps", format="pdf")
    assert list(tmp_path.iterdir()) == []


def test_the_source_may_have_graphvizs_own_ending(tmp_path):
    assert draw(Value(1.0)).render(tmp_path / "graph.gv") == str(tmp_path / "graph.gv.svg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["graph.gv", "graph.gv.svg"]


def test_a_compressed_svg_is_the_svg():
    drawing = draw(example_graph())
    assert gzip.decompress(drawing.pipe("svgz")).decode("utf-8") == svg_of(drawing)


@pytest.mark.skipif(engine.find_spec("pygraphviz") is None, reason="pygraphviz is not installed")
def test_pictures_come_out_where_no_dot_is_installed(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(engine, "has_dot", lambda: False)
    drawing = draw(example_graph())
    assert drawing.pipe(format="png").startswith(b"\x89PNG")
    assert drawing.pipe(format="pdf").startswith(b"%PDF")
    assert drawing.render(tmp_path / "graph.eps") == str(tmp_path / "graph.eps")
    assert [p.name for p in tmp_path.iterdir()] == ["graph.eps"]
    assert set(drawing._repr_mimebundle_()) == {"text/html", "image/png", "text/plain"}
    assert capfd.readouterr().err == ""


def test_without_graphviz_there_is_the_svg_and_a_sentence_for_the_rest(no_graphviz, tmp_path):
    drawing = draw(example_graph())
    assert drawing.render(tmp_path / "graph.svg") == str(tmp_path / "graph.svg")
    assert "Drawing" in repr(drawing)
    assert set(drawing._repr_mimebundle_()) == {"text/html", "text/plain"}
    for name in ("png", "pdf"):
        with pytest.raises(DrawingError, match="pip install pygraphviz"):
            drawing.render(tmp_path / f"graph.{name}")
    assert [p.name for p in tmp_path.iterdir()] == ["graph.svg"]


def test_the_display_never_raises(monkeypatch):
    drawing = draw(example_graph())
    monkeypatch.setattr(Drawing, "source", property(lambda self: 1 / 0))
    assert "division by zero" in drawing._repr_mimebundle_()["text/plain"]


# Sizes and styles


@needs_engine
def test_files_have_the_size_of_the_picture_and_images_twice_the_dots():
    drawing = draw(example_graph())
    width, height, scale = size_of_svg(drawing)
    assert scale == 1
    assert size_of_png(drawing.pipe("png")) == pytest.approx([2 * width, 2 * height], abs=2)
    assert size_of_pdf(drawing.pipe("pdf")) == pytest.approx([0.75 * width, 0.75 * height], abs=1)


@needs_engine
@pytest.mark.parametrize("root", [readme_example(), example_graph(), mlp_loss()])
def test_in_a_paper_a_picture_is_a_column_wide_and_type_has_8_points(root):
    model, root = root if isinstance(root, tuple) else (None, root)
    drawing = draw(root, model=model, style="paper")
    width, _, scale = size_of_svg(drawing)
    assert width * 0.75 == pytest.approx(8 * CENTIMETRE, abs=0.1)
    assert size_of_pdf(drawing.pipe("pdf"))[0] == pytest.approx(8 * CENTIMETRE, abs=1)
    assert 11 * scale * 0.75 == pytest.approx(8, abs=0.02)
    assert "@media" not in svg_of(drawing)


def test_in_a_paper_what_does_not_fit_a_column_is_wider_and_not_smaller():
    values = [Value(float(i), label=f"a long name {i}") for i in range(12)]
    with pytest.warns(UserWarning, match=r"^the picture is [\d.]+ cm wide, and a column 8 cm.*: draw fewer boxes"):
        width, _, scale = size_of_svg(draw(autograd.sum(values), style="paper", direction="TB", expand=True))
    assert width * 0.75 > 8 * CENTIMETRE
    assert 11 * scale * 0.75 == pytest.approx(8, abs=0.02)


def test_a_graph_is_folded_until_it_fits_a_column_or_a_slide():
    for root in (mlp_loss()[1], irregular(300, 12)):
        whole = len(groups(svg_of(draw(root)), "box"))
        paper, slide = draw(root, style="paper"), draw(root, style="slide")
        assert size_of_svg(paper)[0] * 0.75 == pytest.approx(8 * CENTIMETRE, abs=0.1)
        assert 11 * size_of_svg(slide)[2] >= 24
        assert all(5 <= len(groups(svg_of(drawing), "box")) < whole for drawing in (paper, slide))


@needs_engine
@pytest.mark.parametrize(("style", "dots"), [("page", 192), ("paper", 300), ("slide", 96)])
def test_an_image_says_how_many_dots_it_has_per_inch(style, dots):
    data = draw(readme_example(), style=style).pipe("png")
    place = data.index(b"pHYs") + 4
    assert int.from_bytes(data[place : place + 4], "big") * 0.0254 == pytest.approx(dots, abs=0.02)


def test_in_a_paper_digits_are_left_out_before_a_picture_is_too_wide():
    root = autograd.sum([Value(1.23456789), Value(-2.3456789), Value(3.45678901)])
    found = svg_of(draw(root, style="paper", precision=17, direction="TB"))
    assert "1.23" in found
    assert "1.23456" not in re.sub("<title>.*?</title>", "", found)


@needs_engine
@pytest.mark.parametrize("root", [readme_example(), mlp_loss()])
def test_a_slide_is_16_to_9_in_type_that_a_lecture_hall_can_read(root):
    model, root = root if isinstance(root, tuple) else (None, root)
    drawing = draw(root, model=model, style="slide")
    width, height, scale = size_of_svg(drawing)
    assert (round(width), round(height)) == (1920, 1080)
    assert 24 <= 11 * scale <= 44.1
    assert size_of_png(drawing.pipe("png")) == pytest.approx([1920, 1080], abs=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "poster"}, "style takes one of page, paper, slide; got 'poster'"),
        ({"style": []}, r"style takes one of page, paper, slide; got \[\]"),
        ({"theme": "blue"}, "theme takes one of auto, light, dark; got 'blue'"),
        ({"direction": "up"}, "direction takes one of auto, LR, RL, TB, BT; got 'up'"),
        ({"format": 5}, "format takes a name"),
        ({"theme": []}, "theme takes one of"),
    ],
)
def test_looks_that_there_are_not_are_refused(options, message):
    for root in (Value(1.0), nn.MLP(1, [1])):
        with pytest.raises((TypeError, ValueError), match=message):
            draw(root, **options)


# In a notebook


def test_the_output_of_a_notebook_is_an_image_that_needs_no_script():
    y = example_graph()
    found = draw(y)._repr_mimebundle_()["text/html"]
    image = re.search(r'<img alt="([^"]*)" src="data:image/svg\+xml,([^"]*)"', found)
    assert image[1] == "computation graph of y, 5 nodes"
    assert unquote(html.unescape(image[2])) == svg_of(draw(y)).strip().replace('"', "'")
    assert 'style="max-width:100%"' in found


def test_a_second_picture_is_there_only_if_the_first_may_be_too_wide():
    model, loss = mlp_loss()
    assert "data-narrow" in draw(loss, model=model)._repr_mimebundle_()["text/html"]
    assert "data-narrow" not in draw(loss, model=model, direction="LR")._repr_mimebundle_()["text/html"]
    assert "data-narrow" not in draw(Value(1.0) * 2)._repr_mimebundle_()["text/html"]


HOSTS = {
    "a page that says nothing": ("", "", "{}", "", False),
    "a cream page": ("", "", "body{background:#fdf5e0}", "", False),
    "a dark page that says nothing but colours": ("", "", "html{background:#101418;color:#ddd}", "", True),
    "JupyterLab, light": ("", 'data-jp-theme-light="true"', "body{background:#fff}", "", False),
    "JupyterLab, dark": ("", 'data-jp-theme-light="false"', "body{background:#111;color:#eee}", "", True),
    "nbconvert, dark": ("", 'data-jp-theme-light="false"', "main{background:#111}", "<main>", True),
    "VS Code, light": ("", 'class="vscode-light"', "body{background:transparent}", "", False),
    "VS Code, dark": ("", 'class="vscode-dark"', "body{background:transparent}", "", True),
    "VS Code, high contrast": ("", 'class="vscode-high-contrast"', "{}", "", True),
    "Colab, light": ("", "", "body{background:white}", "", False),
    "Colab, dark": ('theme="dark"', "", "{}", "", True),
    "furo, light": ("", 'data-theme="light"', "body{background:oklch(1 0 0)}", "", False),
    "furo, dark": ("", 'data-theme="dark"', "body{background:oklch(0.2 0.01 250)}", "", True),
    "pydata, dark": ('data-theme="dark"', "", "html{background:rgb(18, 18, 18)}", "", True),
    "Quarto, light": ("", 'class="quarto-light"', "body{background:#fff}", "", False),
    "Quarto, dark": ("", 'class="quarto-dark"', "body{background:#222}", "", True),
    "a light card on a dark page": (
        "",
        "",
        "body{background:#111}div.card{background:#fff}",
        '<div class="card">',
        False,
    ),
    "a glass card on a dark page": ("", "", "body{background:#111}div{background:rgba(255,255,255,.1)}", "<div>", True),
    "a page that follows the system": ("", "", ":root{color-scheme:light dark}", "", None),
}
"""By name: attributes of <html> and of <body>, style, what stands around the picture, whether it must be dark."""


def page_with(fragment, html="", body="", style="", around=""):
    return (
        f"<!doctype html><html {html}><head><meta charset='utf-8'><style>{style}</style></head>"
        f"<body {body}>{around}{fragment}</body></html>"
    )


COLOUR_OF_TEXT = """(i) => {
    const svg = document.querySelectorAll('[data-autograd-drawing]')[i].shadowRoot.querySelector('svg');
    return getComputedStyle(svg.querySelector('.box text')).fill;
}"""
TEXT_COLOURS = {False: "rgb(31, 35, 40)", True: "rgb(230, 237, 243)"}


def wait_for_theme(page, dark, i=0):
    page.wait_for_function(f"(i) => ({COLOUR_OF_TEXT})(i) === {TEXT_COLOURS[dark]!r}", arg=i)


@pytest.fixture(scope="module")
def fragment():
    return draw(example_graph())._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("name", [*list(HOSTS)[::3], *mostly_slow(*(name for k, name in enumerate(HOSTS) if k % 3))])
@pytest.mark.parametrize("system", ["light", *mostly_slow("dark")])
def test_a_picture_has_the_theme_of_its_page_whatever_the_system_prefers(open_page, fragment, name, system):
    *parts, dark = HOSTS[name]
    page = open_page(page_with(fragment, *parts), color_scheme=system)
    wait_for_theme(page, system == "dark" if dark is None else dark)


def test_a_picture_follows_a_change_of_theme(open_page, fragment):
    style = "body{background:#fff;transition:background .2s}body[data-theme=dark]{background:#111}"
    page = open_page(page_with(fragment, style=style))
    wait_for_theme(page, False)
    page.evaluate("document.body.dataset.theme = 'dark'")
    wait_for_theme(page, True)
    page.evaluate("delete document.body.dataset.theme")
    wait_for_theme(page, False)
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: 'body{background:#000}'}))"
    )
    wait_for_theme(page, True)


def test_a_picture_follows_jupyterlab_which_takes_outputs_out_and_brings_its_style_sheet_late(open_page, fragment):
    style = "body{background:#fff}"
    page = open_page(page_with(fragment, body='data-jp-theme-light="true"', style=style), color_scheme="light")
    wait_for_theme(page, False)
    for dark, late in ((True, False), (False, True), (True, True)):
        page.evaluate(
            """([dark, late]) => {
                const host = document.querySelector('[data-autograd-drawing]'), place = host.parentElement;
                const paint = () => { document.querySelector('style').textContent = `body{background:${
                    dark ? '#111' : '#fff'}}`; };
                document.body.style.display = 'none';
                if (!late) paint();
                document.body.dataset.jpThemeLight = String(!dark);
                if (late) setTimeout(paint, 250);
                setTimeout(() => { document.body.style.display = ''; host.remove(); }, 100);
                setTimeout(() => { place.append(host); window.back = true; }, 500);
            }""",
            [dark, late],
        )
        page.wait_for_function("window.back")
        page.evaluate("delete window.back")
        wait_for_theme(page, dark)
        host = "document.querySelector('[data-autograd-drawing]')"
        page.evaluate(f"{host}.parentElement.append({host})")
        wait_for_theme(page, dark)


def test_a_theme_that_is_asked_for_stays_and_brings_its_background(open_page):
    dark = draw(example_graph(), theme="dark")._repr_mimebundle_()["text/html"]
    page = open_page(page_with(dark))
    wait_for_theme(page, True)
    paper = "document.querySelector('[data-autograd-drawing]').shadowRoot.querySelector('.paper')"
    assert page.evaluate(f"getComputedStyle({paper}).display") != "none"


@pytest.mark.parametrize(
    ("style", "theme"), [("page", "light"), ("page", "dark"), ("slide", "dark"), ("paper", "auto")]
)
def test_a_theme_that_is_asked_for_takes_no_colour_from_its_page(open_page, style, theme):
    drawing = draw(example_graph(), style=style, theme=theme)._repr_mimebundle_()["text/html"]
    page = open_page(page_with(f"<style>:root {{ --paper: #123456 }}</style>{drawing}"))
    colours = page.evaluate(
        """() => {
            const root = document.querySelector('[data-autograd-drawing]').shadowRoot;
            const paper = getComputedStyle(root.querySelector('.paper')).fill;
            return [paper, ...[...root.querySelectorAll('.label text')].map((text) => getComputedStyle(text).stroke)];
        }"""
    )
    assert len(colours) > 2
    assert len(set(colours)) == 1


def test_one_output_may_be_shown_twice(open_page, fragment):
    page = open_page(page_with(fragment + fragment))
    for i in range(2):
        wait_for_theme(page, False, i)
    assert page.evaluate("document.querySelectorAll('[id]').length") == 0


def test_a_narrow_column_has_the_picture_from_top_to_bottom_and_none_is_blown_up(open_page):
    model, loss = mlp_loss()
    page = open_page(
        page_with(draw(loss, model=model)._repr_mimebundle_()["text/html"]), viewport={"width": 1280, "height": 800}
    )
    host = "document.querySelector('[data-autograd-drawing]')"
    box = f"{host}.shadowRoot.querySelector('svg').getBoundingClientRect()"
    sizes = f"[{box}.width, {box}.height]"
    natural = page.evaluate(f"Number({host}.shadowRoot.querySelector('svg').getAttribute('width'))")
    width, height = page.evaluate(sizes)
    assert width == pytest.approx(natural, abs=0.5)
    assert width > height
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(f"(() => {{ const [w, h] = {sizes}; return h > w && w <= 390; }})()")
    page.set_viewport_size({"width": 2560, "height": 1440})
    page.wait_for_function(f"{sizes}[0] > {sizes}[1]")
    assert page.evaluate(sizes)[0] == pytest.approx(natural, abs=0.5)


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_inert_in_a_notebook(label):
    found = draw(Value(1.0, label=label) * Value(2.0, label=label))._repr_mimebundle_()["text/html"]
    parts = re.sub(r"<script>.*</script>$", "", found, flags=re.DOTALL)
    assert found.count("<script") == 1
    assert re.fullmatch(r'<div data-autograd-drawing="\w+"( data-narrow="[^"<>]*")?><img [^<>]*></div>', parts)
