"""Does a network learn in a web page, and is it kept? Eagerly in every Python, compiled where there is NumPy."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest

import autograd
import nn
from autograd import Value
from nn.datasets import load_digits, make_moons

if sys.platform != "emscripten":
    pytest.skip("this is for Pyodide", allow_module_level=True)

HAS_NUMPY = importlib.util.find_spec("numpy") is not None
ENGINES = ["eager", pytest.param("compiled", marks=pytest.mark.skipif(not HAS_NUMPY, reason="there is no NumPy"))]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_derivatives_of_every_kind():
    def f(x, y):
        return autograd.tanh(x * y) + x

    assert autograd.grad(f)(0.0, 3.0) == pytest.approx(4.0)
    x = Value(2.0)
    (x**3).backward()
    assert x.grad == 12.0
    assert autograd.hessian(lambda v: v[0] ** 2 * v[1])([3.0, 2.0]) == [[4.0, 6.0], [6.0, 0.0]]
    assert autograd.jacobian(lambda v: [v[0] * v[1], v[1]])([3.0, 2.0]) == [[2.0, 3.0], [0.0, 1.0]]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_moons_are_learned(engine):
    X, y = make_moons(60, rng=random.Random(0))
    model = nn.MLP(2, [8, 1], activation="tanh", rng=random.Random(0))
    loss = nn.binary_cross_entropy_with_logits
    history = nn.fit(model, X, y, loss=loss, optimizer="adam", lr=0.05, epochs=20, rng=0, engine=engine)
    assert history.loss[-1] < history.loss[0] * 0.7
    assert nn.diagnose(model, X, y, loss=loss) is not None


@pytest.mark.skipif(not HAS_NUMPY, reason="there is no NumPy")
def test_a_compiled_program_gives_what_the_function_gives():
    def f(x):
        return autograd.sin(x) * x + autograd.exp(-x)

    program = autograd.compile(f)
    numbers = [0.5, -1.0, 3.0]
    assert [program(x) for x in numbers] == pytest.approx([f(x) for x in numbers], rel=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_digits_are_loaded_and_learned_for_a_moment(engine):
    X, y = load_digits()[:2]
    model = nn.MLP(64, [8, 10], rng=0)
    settings = {"loss": "cross_entropy", "lr": 0.01, "batch_size": 20, "rng": 0, "engine": engine}
    history = nn.fit(model, X[:60], y[:60], epochs=3, **settings)
    assert history.loss[-1] < history.loss[0]
    assert len(nn.predict(model, X[:3])) == 3
    assert "layer" in str(nn.diagnose(model, X[:20], y[:20], "cross_entropy"))


def test_a_model_is_kept_and_an_interrupted_run_goes_on_where_it_stopped():
    X, y = make_moons(20, rng=0)

    def run(epochs, checkpoint):
        model = nn.MLP(2, [4, 1], rng=0)
        settings = {"loss": "binary_cross_entropy_with_logits", "rng": 0, "engine": "eager"}
        nn.fit(model, X, y, epochs=epochs, checkpoint=checkpoint, **settings)
        return model

    whole = run(4, "whole.json")
    run(2, "run.json")
    resumed = run(4, "run.json")
    numbers = [p.data for p in whole.parameters()]
    assert [p.data for p in resumed.parameters()] == numbers
    nn.save(resumed, "model.json")
    assert [p.data for p in nn.load("model.json").parameters()] == numbers


def test_a_table_and_a_classifier():
    Path("birds.csv").write_text("wing,colour,kind\n" + "10,red,robin\n30,black,crow\n" * 10, encoding="utf-8")
    birds = nn.Table("birds.csv")
    model = nn.Classifier(hidden=(4,), random_state=0, epochs=30, lr=0.05, engine="eager").fit(birds, "kind")
    assert list(model.predict(birds))[:2] == ["robin", "crow"]


def test_a_gpt_learns_a_few_steps_and_writes():
    words = ["abba", "baab"]
    gpt = nn.GPT(nn.CharTokenizer(words), n_embd=4, n_head=2, n_layer=1, block_size=8, rng=0)
    X, Y = gpt.examples(words)
    history = nn.fit(gpt, X, Y, loss="cross_entropy", batch_size=1, epochs=3, rng=0, engine="eager")
    assert history.loss[-1] < history.loss[0]
    assert set(gpt.generate(rng=0)) <= set("ab")


def test_an_experiment_that_has_a_process_for_each_core_elsewhere():
    from nn.experiments import mirror_symmetry

    assert len(mirror_symmetry(seed=8, seeds=2, most_sweeps=3, processes=2).rows()) == 2


def test_a_file_is_replaced_as_a_whole_and_ctrl_c_waits():
    from autograd.files import write_atomically
    from autograd.interrupts import uninterrupted

    with uninterrupted():
        write_atomically("file.txt", "old")
        write_atomically("file.txt", "new")
    assert Path("file.txt").read_text(encoding="utf-8") == "new"
    assert [path.name for path in Path().iterdir()] == ["file.txt"]
