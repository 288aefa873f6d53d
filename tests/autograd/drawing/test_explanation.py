"""What does `explain` give, without a browser? Steps that change nothing, one file, and sentences where it refuses."""

import re

import pytest

import nn
from autograd import Value, explain, topological_order
from autograd.drawing.page import page as written
from tests.autograd.drawing.graphs import random_graph
from tests.autograd.drawing.test_page import example, graph_of, network
from tests.work import lines_executed


@pytest.mark.parametrize("seed", range(10))
def test_explaining_changes_nothing(seed):
    root = random_graph(seed)
    root.backward()
    before = [(v.data, v.grad) for v in topological_order(root)]
    written(explain(root, lr=0.5))
    assert [(v.data, v.grad) for v in topological_order(root)] == before


@pytest.mark.parametrize("seed", range(10))
def test_printing_gives_the_steps_in_their_order(seed):
    explanation = explain(random_graph(seed), lr=0.1)
    text = str(explanation)
    assert all(line in text for moment in explanation.steps for line in moment.lines)
    phases = [moment.phase for moment in explanation.steps]
    assert phases == sorted(phases, key=["forward", "backward", "update"].index)
    assert phases.count("forward") == phases.count("backward")
    assert phases.count("update") == 1 + len(explanation.moved)


def test_parameters_have_the_names_of_the_model():
    model = nn.MLP(2, [1])
    text = str(explain(model([1.0, 2.0]), model=model))
    assert "grad w0.0.1 += grad sum0.0 * d sum0.0/d w0.0.1" in text


def test_the_update_shows_the_root_before_and_after():
    w, x = Value(2.0, label="w"), Value(3.0, label="x")
    loss = (w * x - 1.0) ** 2
    lines = explain(loss, lr=0.01, parameters=[w]).steps[-1].lines
    assert lines[0] == "pow1 before: 25, pow1 after: 16.81"  # w = 2 - 0.01 * 30
    with pytest.raises(ValueError, match="explain moves leaves of the graph"):
        explain(loss, lr=0.1, parameters=[Value(1.0)])


def test_a_saved_page_is_one_file_that_needs_no_network(tmp_path):
    text = explain(random_graph(3)).save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href)="(?!data:)', text) == []
    assert "default-src 'none'" in text
    assert written(explain(random_graph(3))) == text  # the same bits for the same graph


def test_labels_like_the_pages_own_markers_are_text():
    root = Value(1.0, label="PAGE_TITLE") * 2
    root.label = "PAGE_CONTENT"
    text = written(explain(root))
    assert text.count("data-autograd-stepper=") == 1
    assert "<title>Back-propagation of PAGE_CONTENT</title>" in text


def test_a_notebook_gets_html_and_text_and_never_an_error(monkeypatch):
    explanation = explain(random_graph(4))
    bundle = explanation._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == str(explanation)

    def broken(self):
        raise RuntimeError("no room left")

    monkeypatch.setattr("autograd.drawing.stepper.fragment", broken)
    assert "no room left" in explanation._repr_mimebundle_()["text/plain"]


def test_graphs_that_are_too_large_are_refused_in_a_sentence():
    v = Value(1.0)
    for _ in range(1000):
        v = v * 2
    with pytest.raises(ValueError, match=r"at most 1,000 nodes, and this graph has 1,001"):
        explain(v)


def test_what_explain_cannot_take_is_refused_in_a_sentence():
    y = Value(1.0) * 2
    for options, said in (
        ({"parameters": [5], "lr": 0.1}, "parameters takes Values; got 5"),
        ({"lr": "fast"}, r"explain\(lr\) takes a real number"),
        ({"theme": "blue"}, "theme takes one of"),
        ({"direction": "up"}, "direction takes one of"),
    ):
        with pytest.raises((TypeError, ValueError), match=said):
            explain(y, **options)
    with pytest.raises(TypeError, match="explain takes a Value; got 3"):
        explain(3)


def test_pages_stay_small():
    for explanation, most in ((example(), 45_000), (network(), 90_000), (explain(graph_of(300), lr=0.1), 600_000)):
        assert len(written(explanation).encode("utf-8")) < most


def test_a_page_of_twice_the_nodes_takes_little_more_than_twice_the_work():
    half, whole = graph_of(120), graph_of(240)
    written(explain(half))  # what is made once
    assert lines_executed(lambda: written(explain(whole))) <= 2.5 * lines_executed(lambda: written(explain(half)))
