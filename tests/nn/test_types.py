"""Does a type checker understand the scripts that people write, and find what they mistype?

The scripts are written as a user would. mypy has what it knows of this project in its cache: they take it a second.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import nn
from nn import checkpoint
from nn.activations import ACTIVATIONS
from nn.losses import LOSSES, LossName
from nn.metrics import METRICS, MetricName

SCRIPT = '''
"""Trains a network, looks at it, and keeps it."""

import random

import numpy as np

import nn
from autograd import Value


@nn.register
class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        self.width = width
        self.inner = nn.Sequential(nn.Layer(width, width, activation="tanh"), nn.Dropout(0.1))

    def forward(self, row: list[Value]) -> list[Value]:
        return [x + y for x, y in zip(row, self.inner(row))]

    def config(self) -> dict[str, int]:
        return {"width": self.width}


X, y = nn.datasets.make_moons(60, noise=0.1, rng=random.Random(0))
model = nn.Sequential(nn.MLP(2, [6, 4], activation="tanh", dropout=0.1), Residual(4), nn.Layer(4, 2, nonlin=False))
print(model.summary())

loss: Value = nn.cross_entropy(model(X), y)
loss.backward()
terms: list[Value] = nn.cross_entropy(model(X), y, reduction="none")
worst: float = max(term.data for term in terms)

found = nn.find_learning_rate(model, X, y, loss="cross_entropy", steps=20)
found.plot().savefig("rates.png")
optimizer = nn.Adam(model.parameters(), lr=found.suggestion)
history = nn.fit(
    model, X, y, loss="cross_entropy", optimizer=optimizer, epochs=20, batch_size=32, validation=(X, y), engine="auto"
)
best: int = history.best_epoch
last: float = history.loss[-1] + history.validation_loss[-1] + history.accuracy[-1]
history.plot().savefig("history.png")

outputs = nn.predict(model, X)
figures = nn.evaluate(model, X, y, loss=nn.cross_entropy)
print(f"{figures['accuracy']:.1%}", nn.metrics.f1_score(outputs, y, average=None)[0])
matrix: list[list[float]] = nn.metrics.confusion_matrix(outputs, y)
nn.plot_confusion(outputs, y, names=["upper", "lower"]).savefig("confusion.png")
nn.plot_confusion(model, X, y)
weights = nn.MLP(2, [3, 1], rng=np.random.default_rng(0)).layers[0].weight[0] * model.layers[0].layers[0].weight[0]
again_history = nn.fit(model, X, y, loss="cross_entropy", metrics=["confusion_matrix"], epochs=1, progress=False)
nn.plot_predictions([1.0, 2.0], [1.5, 2.0]).savefig("predictions.png")

nn.save(model, "model.json")
again = nn.load("model.json")
again.eval()
'''

TYPOS = {
    "nn.Adm(model.parameters())": 'Module has no attribute "Adm"',
    'nn.MLP(2, [16, 1], activation="rleu")': "Literal['rleu']",
    "nn.Layer(2, 3, activaton='tanh')": 'Unexpected keyword argument "activaton"',
    "nn.mse_loss([1.0], [1.0]).backwards()": '"Value" has no attribute "backwards"',
    'nn.mse_loss([1.0], [1.0], reduction="avg")': "No overload variant",
    'nn.cross_entropy([1.0], 0, reduction="none").data': '"list[Value]" has no attribute "data"',
    'nn.fit(model, X, y, loss="cross_entorpy", optimizer=optimizer, epochs=1, batch_size=1)': "cross_entorpy",
    'nn.fit(model, X, y, loss="mse_loss", optimizer=optimizer, epochs=1, batch_size=1, engine="gpu")': "'gpu'",
    'nn.fit(model, X, y, loss="mse_loss", optimizer="adm", epochs=1, batch_size=1)': "'adm'",
    'nn.evaluate(model, X, y, loss="mse")': "'mse'",
    'nn.metrics.recall(y, y, average="mean")': "No overload variant",
    "history.validation_lost": '"History" has no attribute "validation_lost"',
    "found.sugestion": 'has no attribute "sugestion"',
    "model.sumary()": 'has no attribute "sumary"',
    "nn.plot_confusion(y, y, title='a')": 'Unexpected keyword argument "title"',
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What mypy says of the script, and of each line with a typo after it."""
    folder = tmp_path_factory.mktemp("scripts")
    right, wrong = folder / "right.py", folder / "wrong.py"
    right.write_text(SCRIPT)
    wrong.write_text(SCRIPT + "\n".join(TYPOS))
    root = Path(nn.__file__).parents[1]
    command = [sys.executable, "-m", "mypy", "--strict", str(right), str(wrong)]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True).stdout
    lines = SCRIPT.count("\n")
    messages: dict[str, dict[int, str]] = {"right": {}, "wrong": {}}
    for name, line, message in re.findall(r"(right|wrong)\.py:(\d+): error: (.*)", found):
        messages[name][int(line) - lines - 1] = message
    assert re.search(r"Found \d+ errors in 1 file|Success", found), found
    return messages


def test_a_script_of_a_user_has_no_errors_under_strict(findings):
    assert findings["right"] == {}


@pytest.mark.parametrize(("place", "line", "sentence"), [(i, *typo) for i, typo in enumerate(TYPOS.items())])
def test_what_is_mistyped_is_found(findings, place, line, sentence):
    assert sentence in findings["wrong"].get(place, "")


def test_the_right_lines_before_a_typo_are_right(findings):
    assert findings["wrong"].keys() == set(range(len(TYPOS)))


def test_the_script_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "REGISTERED", {**checkpoint.REGISTERED})
    exec(compile(SCRIPT.replace("epochs=20", "epochs=1, progress=False"), "script.py", "exec"), {"__name__": "script"})
    assert {path.name for path in tmp_path.iterdir()} >= {"model.json", "confusion.png", "predictions.png", "rates.png"}


# Names


@pytest.mark.parametrize(
    ("names", "table"),
    [(LossName, LOSSES), (MetricName, METRICS), (nn.activations.ActivationName, ACTIVATIONS)],
)
def test_the_names_that_a_type_checker_knows_are_those_of_the_table(names, table):
    assert sorted(get_args(names)) == sorted(table)


def test_dir_shows_what_is_for_users_and_nothing_else():
    assert set(dir(nn)) == {*nn.__all__, "experiments"}
    assert all(hasattr(nn, name) for name in dir(nn))
    kinds = {name for name in dir(nn) if type(getattr(nn, name)).__name__ == "module"}
    assert kinds == {"datasets", "experiments", "init", "metrics"}


def test_help_begins_with_everything_that_there_is_by_kind():
    assert set(nn.__all__) <= set(re.findall(r"\w+", nn.__doc__))
