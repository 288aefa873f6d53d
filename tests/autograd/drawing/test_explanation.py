"""What does `explain` give, without a browser? Steps that change nothing, one file, and sentences where it refuses."""

import math
import re
from pathlib import Path

import pytest

import nn
from autograd import Value, draw, explain, topological_order
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


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"lr": math.nan}, ValueError, "lr takes a finite number, 0 or more, such as 0.1; got nan"),
        ({"lr": math.inf}, ValueError, "got inf"),
        ({"lr": -0.1}, ValueError, "got -0.1"),
        ({"lr": True}, ValueError, "got True"),
        ({"lr": 10**400}, ValueError, "lr takes a finite number"),
        ({"quiz": 1}, TypeError, "quiz takes True or False; got 1"),
        ({"parameters": Value(1.0)}, TypeError, "parameters takes a list of Values"),
        ({"parameters": 5}, TypeError, "parameters takes a list of Values; got 5"),
        ({"model": []}, ValueError, "no parameter of"),
        ({"model": nn.MLP(2, [1]), "lr": 0.1}, ValueError, "none of the 3 parameters of the model"),
    ],
)
def test_arguments_out_of_range_are_refused_in_a_sentence(options, error, said):
    with pytest.raises(error, match=said):
        explain(Value(1.0) * 2, **options)


def test_a_parameter_that_is_given_twice_moves_once():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    assert explain(a * b, lr=0.1, parameters=[a, a]).moved == [a]
    assert explain(a * b, lr=0.0).steps[-1].lines[0] == "mul1 before: 6, mul1 after: 6"


# Files

WRITERS = {
    "save": ("page", ".html", ".htm"),
    "worksheet": ("page", ".html", ".htm"),
    "gif": ("film", ".gif"),
    "mp4": ("film", ".mp4"),
}


@pytest.mark.parametrize("call", WRITERS)
def test_each_writer_has_its_endings(call, tmp_path):
    explanation, (_, *endings) = explain(Value(1.0) * 2), WRITERS[call]
    for name in ("a.pdf", "a", "a.html.txt", ".html"):
        if name == ".html" and call in ("gif", "mp4"):
            continue
        said = (
            rf"^{call} writes files that end in {' or '.join(endings)}; got '.*': give a name such as '.*{endings[0]}'$"
        )
        with pytest.raises(ValueError, match=said):
            getattr(explanation, call)(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [*WRITERS, "frames", "render"])
def test_what_is_no_path_is_refused_in_a_sentence(call, tmp_path):
    write = draw(Value(1.0) * 2).render if call == "render" else getattr(explain(Value(1.0) * 2), call)
    ending = WRITERS.get(call, ("", ".svg"))[1]
    for path, error in (("", ValueError), (5, TypeError), ([], TypeError), (f"a\0b{ending}", ValueError)):
        with pytest.raises(error, match=rf"^{call} takes a path; got .*: give .*'$") as refusal:
            write(path)
        assert "\n" not in str(refusal.value)
    if call != "render":  # graphviz gives a name to a drawing without one
        with pytest.raises(TypeError, match=rf"^{call} takes a path; got None"):
            write(None)
    file = tmp_path / "file"
    file.write_text("mine")
    path = file if call == "frames" else file / f"x{ending}"
    with pytest.raises(OSError, match=rf"^{call} needs a folder, and '.*file' in '.*' is a file: choose another path$"):
        write(path)
    assert file.read_text() == "mine"
    if call != "frames":
        (tmp_path / f"folder{ending}").mkdir()
        with pytest.raises(OSError, match=rf"^{call} writes a file, and '.*' is a folder: add the file's name to it$"):
            write(tmp_path / f"folder{ending}")


def test_missing_folders_are_made(tmp_path):
    explanation = explain(Value(1.0) * 2)
    assert explanation.save(tmp_path / "a" / "b" / "page.HTML").exists()
    assert explanation.worksheet(tmp_path / "c" / "sheet.htm").exists()


def test_saving_a_drawing_writes_its_source_and_no_picture(tmp_path):
    drawing = draw(Value(1.0) * 2)
    with pytest.raises(ValueError, match=r"save writes the DOT source, and 'x.svg' is .*: use .render\('x.svg'\)"):
        drawing.save(tmp_path / "x.svg")
    with pytest.raises(TypeError, match="save takes a path; got 5"):
        drawing.save(5)
    assert list(tmp_path.iterdir()) == []
    assert "digraph" in Path(drawing.save(tmp_path / "x.gv")).read_text(encoding="utf-8")


def test_pages_stay_small():
    for explanation, most in ((example(), 45_000), (network(), 90_000), (explain(graph_of(300), lr=0.1), 600_000)):
        assert len(written(explanation).encode("utf-8")) < most


def test_a_page_of_twice_the_nodes_takes_little_more_than_twice_the_work():
    half, whole = graph_of(120), graph_of(240)
    written(explain(half))  # what is made once
    assert lines_executed(lambda: written(explain(whole))) <= 2.5 * lines_executed(lambda: written(explain(half)))
