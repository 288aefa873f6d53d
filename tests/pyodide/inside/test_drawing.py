"""Is everything that can be looked at made in a web page too? Pictures, the stepper, an exercise sheet."""

import re
import sys
import xml.etree.ElementTree

import pytest

import nn
from autograd import Value, backward_steps, draw, explain
from autograd.drawing.engine import DrawingError

if sys.platform != "emscripten":
    pytest.skip("this is for Pyodide", allow_module_level=True)

import js

HAS_GRAPHVIZ = hasattr(js, "viz")
needs_graphviz = pytest.mark.skipif(not HAS_GRAPHVIZ, reason="this page has no Graphviz")


@pytest.fixture
def loss():
    a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")
    loss = (a * b + c).tanh() * a
    loss.label = "loss"
    loss.backward()
    return loss


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def texts(svg):
    return {element.text for element in xml.etree.ElementTree.fromstring(svg).iter() if element.text}


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_graph_is_drawn(loss, direction):
    assert {"a", "b", "c", "tanh", "loss"} <= texts(draw(loss, direction=direction).pipe("svg"))


def test_a_model_is_drawn():
    assert "%3Csvg" in draw(nn.MLP(2, [4, 4, 1], rng=0))._repr_mimebundle_()["text/html"]


@needs_graphviz
def test_a_graph_of_graphviz_is_that_of_the_page(loss):
    from autograd.drawing.engine import layout_by_graphviz

    (layout,) = layout_by_graphviz(["digraph { a -> b }"])
    assert [box["name"] for box in layout["objects"]] == ["a", "b"]
    for format in ("eps", "ps", "json", "plain", "dot", "xdot"):
        assert draw(loss).render("graph", format=format).endswith(format)


@pytest.mark.parametrize("format", ["png", "pdf", "jpg", "gif"])
def test_a_picture_of_points_is_refused_in_a_sentence_that_says_what_there_is(loss, format):
    with pytest.raises(DrawingError, match=rf'a picture as {format} .* web page.*: use format="svg"'):
        draw(loss).pipe(format)


@pytest.mark.parametrize("film", ["gif", "mp4"])
def test_a_film_is_refused_in_a_sentence_that_says_what_there_is(loss, film):
    with pytest.raises(DrawingError, match=r"web page.*: use \.save\("):
        getattr(explain(loss), film)(f"film.{film}")


@pytest.mark.parametrize("quiz", [False, True])
def test_the_stepper_is_saved(loss, quiz):
    page = explain(loss, quiz=quiz).save("page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Content-Security-Policy" in page
    assert re.search(r"tanh", page)


def test_the_stepper_of_a_model_and_its_update():
    model = nn.MLP(2, [4, 1], rng=0)
    page = explain(model([1.0, 2.0]), model=model, lr=0.1).save("model.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page


def test_the_exercise_sheet_and_the_frames(loss):
    explanation = explain(loss)
    assert "<svg" in explanation.worksheet("sheet.html").read_text(encoding="utf-8")
    frames = explanation.frames("frames", format="svg")
    assert len(frames) > 5
    assert all("loss" in texts(frame.read_bytes()) for frame in frames)


def test_the_steps_are_printed(loss, capsys):
    for step in backward_steps(loss):
        print(step)
    assert "1. loss" in capsys.readouterr().out
