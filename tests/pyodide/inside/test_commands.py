"""Do the two commands work where there is no shell? They are called with their words, as a notebook can call them."""

import contextlib
import io
import sys
from pathlib import Path

import pytest

from autograd.command.main import main as autograd_main
from nn.command.main import main as nn_main

if sys.platform != "emscripten":
    pytest.skip("this is for Pyodide", allow_module_level=True)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(main, *words):
    """What the command prints; it has to succeed without a complaint."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(words))
    assert (code or 0, err.getvalue()) == (0, "")
    return out.getvalue()


def complaint(main, *words):
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        assert main(list(words)) == 2
    assert "Traceback" not in err.getvalue()
    return err.getvalue()


def test_an_expression_its_derivatives_its_picture_and_its_stepper():
    at = ["--at", "a=2", "b=-3", "c=10"]
    out = run(autograd_main, "tanh(a*b) + c", *at, "--draw", "graph.svg", "--explain", "stepper.html")
    assert "tanh" in out
    assert "<svg" in Path("graph.svg").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in Path("stepper.html").read_text(encoding="utf-8")


def test_what_is_wrong_is_said_in_a_sentence():
    assert "did you mean tanh?" in complaint(autograd_main, "tnah(a)", "--at", "a=1")
    assert "web page" in complaint(autograd_main, "tanh(a)", "--at", "a=1", "--draw", "graph.png")
    for expression in ("a*" + "-" * 100_000 + "a", "b + " + "a*" * 100_000 + "a", "a**" * 100_000 + "a"):
        assert "nested too deeply" in complaint(autograd_main, expression, "--at", "a=1", "b=1")
    assert "no-such.json" in complaint(nn_main, "evaluate", "no-such.json")


def test_digits_are_learned_and_evaluated():
    out = run(nn_main, "train", "--layers", "4", "--epochs", "1")
    assert "1,797 images" in out
    assert "%" in run(nn_main, "evaluate", "digits-checkpoint.json")


def test_a_table_is_learned_and_predicted():
    Path("birds.csv").write_text("wing,colour,kind\n" + "10,red,robin\n30,black,crow\n" * 20, encoding="utf-8")
    words = [
        "train",
        "--data",
        "birds.csv",
        "--target",
        "kind",
        "--layers",
        "4",
        "--epochs",
        "5",
        "--save",
        "birds.json",
    ]
    assert "kind" in run(nn_main, *words)
    assert "robin" in run(nn_main, "predict", "birds.json", "birds.csv")


def test_a_gpt_is_trained_and_writes():
    run(
        nn_main,
        "gpt",
        "--steps",
        "2",
        "--n-embd",
        "4",
        "--n-head",
        "2",
        "--checkpoint",
        "gpt.json",
        "--engine",
        "eager",
    )
    assert len(run(nn_main, "generate", "gpt.json", "--count", "3", "--seed", "1").splitlines()) == 3
