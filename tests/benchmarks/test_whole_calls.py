"""Does every engine train as the others do, and do the tables stand where a peer is missing?"""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'scalar-autograd[bench]'")

from tests.benchmarks import whole_calls

ENGINES = [
    pytest.param(engine, marks=[pytest.mark.slow] if engine in whole_calls.PEERS else [])
    for engine in whole_calls.ENGINES
]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("are_classes", [True, False])
def test_every_engine_learns_what_can_be_learned(engine, are_classes, tmp_path):
    pytest.importorskip(whole_calls.PEERS.get(engine, "numpy"))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = X[:, 0] + 0.5 * X[:, 1]
    np.savez(tmp_path / "data.npz", X=X, y=(y > 0.0).astype(int) if are_classes else 100.0 * y)
    figures = whole_calls.measure(str(tmp_path / "data.npz"), engine, 15, seed=0)
    assert figures["score"] > 0.9
    assert figures["seconds"] > 0.0
    assert 1.0 < figures["megabytes"] < 100_000.0


def test_the_tables_say_what_was_measured_and_what_was_not():
    found = {"iris": {"nn.Classifier": {"score": 0.95, "seconds": 2.0, "cold": 3.0}, "PyTorch": {"seconds": 1.0}}}
    text = whole_calls.tables(found)
    assert "0.950" in text
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["iris: PyTorch / ours", ">= 1x", "0.50x", "short"] in rows
    assert ["iris: PyTorch / ours, cold", ">= 1x", "0.33x", "short"] in rows
    assert ["iris: scikit-learn / ours", ">= 1x", "-", "not measured"] in rows
    assert max(map(len, text.splitlines())) <= 80


def test_a_wrong_option_is_one_sentence():
    command = [sys.executable, "-m", "tests.benchmarks.whole_calls", "--seeds", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--seeds takes a whole number of at least 1" in done.stderr
