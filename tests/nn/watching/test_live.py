"""Does a notebook show one picture that changes while a network learns, and is the training the same?"""

import re
import sys
import types

import pytest

import nn
from nn.watching import live

CODE = """
import nn
X, y = nn.datasets.make_moons(40, noise=0.1, rng=0)
model = nn.MLP(2, [3, 1], "tanh", rng=0)
history = nn.fit(model, X, y, loss="binary_cross_entropy_with_logits", epochs=40, rng=0, engine="eager", validation=0.2,
                 callbacks=[nn.Live(every=0.0)])
"""


class Notebook:
    """A notebook's `display`: what it was given to show, in their order, by the places where they are shown."""

    def __init__(self, shell="ZMQInteractiveShell"):
        self.outputs = []
        shell = type(shell, (), {})()
        self.module = types.ModuleType("IPython")
        self.module.get_ipython = lambda: shell
        self.display_module = types.ModuleType("IPython.display")
        self.display_module.display = self.display

    def display(self, bundle, raw, display_id):
        assert raw
        assert display_id is True
        output = [bundle]
        self.outputs.append(output)
        return types.SimpleNamespace(update=lambda bundle, raw: output.append(bundle))


@pytest.fixture
def notebook(monkeypatch):
    found = Notebook()
    monkeypatch.setitem(sys.modules, "IPython", found.module)
    monkeypatch.setitem(sys.modules, "IPython.display", found.display_module)
    return found


def train(*callbacks, epochs=4, engine="eager", model=None, **options):
    X, y = nn.datasets.make_moons(40, noise=0.1, rng=0)
    model = model or nn.MLP(2, [3, 1], "tanh", rng=0)
    loss = "binary_cross_entropy_with_logits"
    settings = {"loss": loss, "epochs": epochs, "rng": 0, "progress": False, "engine": engine, **options}
    return nn.fit(model, X, y, callbacks=callbacks, **settings), [p.data for p in model.parameters()]


def test_in_a_notebook_there_is_one_output_above_the_progress_bar_and_it_changes():
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    shown = []

    class Client(nbclient.NotebookClient):
        def process_message(self, message, cell, index):
            if message["msg_type"] in ("display_data", "update_display_data"):
                shown.append(message)
            return super().process_message(message, cell, index)

    cell = nbformat.v4.new_code_cell(CODE)
    Client(nbformat.v4.new_notebook(cells=[cell]), timeout=300).execute()
    pictures = [m for m in shown if "nn-film" in m["content"]["data"].get("text/html", "")]
    kinds = [m["msg_type"] for m in pictures]
    assert kinds == ["display_data"] + ["update_display_data"] * (len(pictures) - 1)
    assert len({m["content"]["transient"]["display_id"] for m in pictures}) == 1
    found = [m["content"]["data"]["text/html"] for m in pictures]
    assert len(found) >= 2, "before the training and after it; within it, if there is time"
    assert len({*found}) == len(found)
    assert ("epoch 0" in found[0], "epoch 40" in found[-1]) == (True, True)
    outputs = [output["data"]["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]
    assert outputs == [found[-1]]
    assert cell.outputs[0]["data"]["text/html"] == found[-1]
    assert any("batch/s" in output.get("text", "") for output in cell.outputs), "there is a bar"


def test_while_it_learns_nothing_needs_a_script_and_what_stays_is_an_image(notebook):
    train(nn.Live(every=0.0))
    (output,) = notebook.outputs
    *during, last = [bundle["text/html"] for bundle in output]
    assert all(html.startswith("<svg") and "<script" not in html for html in during)
    assert last.startswith("<div data-autograd-drawing")  # with its script taken away, an <img> is left
    assert '<img alt="' in last
    assert len({*during, last}) == len(output)


@pytest.mark.parametrize("engine", ["eager", "auto"])
@pytest.mark.parametrize("validation", [None, 0.25])
def test_a_training_that_is_watched_ends_with_the_same_bits(notebook, engine, validation):
    plain, watched = (
        train(*callbacks, engine=engine, validation=validation, model=nn.MLP(2, [4, 1], dropout=0.3, rng=5))
        for callbacks in ([], [nn.Live(every=0.0)])
    )
    assert watched[1] == plain[1]
    assert [*watched[0]] == [*plain[0]]


def test_pictures_come_at_most_so_often_and_at_the_end(notebook, monkeypatch):
    now = 0.0

    def later(model, history):
        nonlocal now
        now += 0.3

    monkeypatch.setattr(live, "time", types.SimpleNamespace(monotonic=lambda: now))
    train(later, nn.Live(every=1.0), epochs=10)
    epochs = [re.search("epoch ([0-9]+)", bundle["text/html"]).group(1) for bundle in notebook.outputs[0]]
    assert epochs == ["0", "4", "8", "10"]


def test_a_slow_picture_leaves_most_of_the_time_to_the_training(notebook, monkeypatch):
    now = 0.0

    def slow(*arguments, **options):
        nonlocal now
        now += 2.0
        return "<svg></svg>"

    def later(model, history):
        nonlocal now
        now += 1.0

    monkeypatch.setattr(live, "time", types.SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(live, "picture_of", slow)
    train(later, nn.Live(every=0.0), epochs=40)
    assert 1 + 40 // 10 <= len(notebook.outputs[0]) <= 3 + 40 // 8


def test_the_last_picture_comes_after_an_interruption_too(notebook):
    def interrupt(model, history):
        if len(history) == 2:
            raise KeyboardInterrupt

    history, _ = train(nn.Live(every=1000.0), interrupt, epochs=10)
    assert history.stopped == "interrupted"
    assert "epoch 2" in notebook.outputs[0][-1]["text/html"]


def test_two_trainings_have_a_picture_each(notebook):
    watching = nn.Live()
    train(watching)
    train(watching)
    assert len(notebook.outputs) == 2


@pytest.mark.parametrize("when", ["View", "picture_of"])
def test_what_goes_wrong_with_a_picture_is_a_sentence_and_the_training_goes_on(notebook, monkeypatch, when):
    def fails(*arguments, **options):
        raise ZeroDivisionError("<b>no</b>")

    monkeypatch.setattr(live, when, fails)
    history, _ = train(nn.Live(every=0.0))
    assert len(history) == 4
    said = {bundle["text/html"] for bundle in notebook.outputs[0]}
    assert said == {
        "<p>nn.Live has no picture of this run: ZeroDivisionError: &lt;b&gt;no&lt;/b&gt;. The training goes on.</p>"
    }


def test_a_notebook_that_is_gone_stops_no_training(notebook):
    def gone(*arguments, **options):
        raise OSError("no connection")

    notebook.display_module.display = gone
    assert train(nn.Live(every=0.0))[1] == train()[1]


def test_a_second_interruption_during_the_last_picture_loses_no_history(notebook, monkeypatch):
    watching = nn.Live(every=1000.0)

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    def before_the_end(model, history):
        monkeypatch.setattr(live, "picture_of", interrupted)

    history, _ = train(watching, before_the_end)
    assert len(history) == 4


@pytest.mark.parametrize("where", ["a terminal", "IPython in a terminal"])
def test_outside_of_a_notebook_it_does_nothing(monkeypatch, capsys, where):
    if where == "a terminal":
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "IPython", Notebook("TerminalInteractiveShell").module)
    history, numbers = train(nn.Live())
    assert (len(history), numbers) == (4, train()[1])
    assert capsys.readouterr() == ("", "")


def test_arrays_are_examples_too(notebook):
    np = pytest.importorskip("numpy")
    X, y = nn.datasets.make_moons(40, noise=0.1, rng=0)
    history = nn.fit(nn.MLP(2, [1], rng=0), np.array(X), np.array(y), loss="hinge_loss" if -1 in y else "mse_loss",
                     epochs=1, progress=False, callbacks=[nn.Live()])  # fmt: skip
    assert len(history) == 1
    assert "nn-film" in notebook.outputs[0][-1]["text/html"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"every": -1.0}, "every takes seconds between two pictures"),
        ({"every": float("nan")}, "every takes seconds between two pictures"),
        ({"theme": "blue"}, "theme takes one of auto, light, dark"),
    ],
)
def test_bad_arguments_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        nn.Live(**arguments)
