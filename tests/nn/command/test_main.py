"""Does `python -m nn` do what its user expects: learn, predict, evaluate, and say in a sentence what is wrong?"""

import contextlib
import csv
import io
import json
import os
import random
import re
import runpy
import shlex
import signal
import subprocess
import sys
import time

import pytest

import nn
from nn.command.main import main

FAST = ["--layers", "8", "--epochs", "2"]
HANGING = 600  # seconds: no process takes so long on the busiest machine, unless it hangs
posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes work differently here")


def run(*arguments):
    """The command in this process: exit code, what it prints, and what it complains of."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(list(map(str, arguments)))
        except SystemExit as exit:
            code = exit.code
    return code, out.getvalue(), err.getvalue()


def command(*arguments, **environment):
    """How to start the command as a process of its own."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": {**os.environ, **environment}}
    return subprocess.Popen([sys.executable, "-m", "nn", *map(str, arguments)], **options)


def assert_one_sentence(outcome, pattern):
    code, _, err = outcome
    assert code == 2
    assert re.fullmatch(r"python -m nn[^\n]*: [^\n]+\n", err), err
    assert re.search(pattern, err), err
    assert "Traceback" not in err


def assert_fits_in_80_columns(text):
    assert [line for line in text.splitlines() if len(line) > 80] == []


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    # A package that is not installed is found from its own folder, in a process of its own too.
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(os.path.dirname(nn.__file__)))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A model of the digits, trained for a moment, and what the training printed."""
    path = tmp_path_factory.mktemp("digits") / "model.json"
    code, out, err = run("train", *FAST, "--save", path)
    assert (code, err) == (0, "")
    return path, out


# The digits


def test_training_shows_data_model_epochs_result_images_and_what_next(digits):
    path, out = digits
    assert_fits_in_80_columns(out.replace(str(path), "model.json"))
    assert "1,797 images of 8 x 8 pixels" in out
    assert "1,257 to train, 180 to validate, 360" in " ".join(out.split())
    assert re.search(r"^layers.0 +Layer\(64 -> 8, relu\) +\(n, 8\) +520$", out, re.MULTILINE)
    assert re.search(r"^epoch +loss +accuracy +validation loss +validation accuracy$", out, re.MULTILINE)
    assert len(re.findall(r"^ +[12]( +[\d.]+ +[\d.]+ %){2}(  best)?$", out, re.MULTILINE)) == 2
    words = " ".join(out.split())
    assert re.search(
        r"stopped: .*; the weights of epoch [12] are kept \(\d+\.\d s, of which \d+\.\d s to prepare", words
    )
    share, right = re.search(r"^test accuracy (\d+\.\d) % \((\d+) of 360\)$", out, re.MULTILINE).groups()
    assert share == f"{100 * int(right) / 360:.1f}"
    assert re.search(r"^confusions: \d read as \d \((\d+ times|once)\)", out, re.MULTILINE)
    counts = [1 if n == "once" else int(n) for n in re.findall(r"\((once|\d+)(?: times)?\)", words)]
    assert len(counts) == 5
    assert counts == sorted(counts, reverse=True)
    assert len(re.findall(r"\d, read as \d", out)) == 4
    assert "@@" in out
    assert out.count("python -m nn") == 3
    for next_command in (f"python -m nn predict {path}", f"python -m nn evaluate {path}", "python -m nn train --"):
        assert f"\n  {next_command}" in out.replace(" \\\n      ", " ")  # a long command is broken as a shell takes it


def test_two_epochs_already_learn_something(digits):
    right = int(re.search(r"\((\d+) of 360\)", digits[1]).group(1))
    assert right > 180  # chance is 36


def test_evaluate_repeats_the_result_of_the_training(digits):
    path, trained = digits
    code, out, err = run("evaluate", path)
    assert (code, err) == (0, "")
    result = re.search(r"test accuracy .*", trained).group()
    assert out.splitlines()[0] == result
    assert out.strip() in trained


def test_predict_without_a_file_shows_images_and_probabilities(digits):
    code, out, err = run("predict", digits[0])
    assert (code, err) == (0, "")
    assert_fits_in_80_columns(out)
    assert len(re.findall(r"\d, read as \d", out)) == 4
    assert len(re.findall(r"\d +\d+\.\d %", out)) == 12  # three probabilities for each


def test_predict_reads_images_from_a_csv_file(digits, tmp_path):
    data = nn.datasets.load_digits()
    with open("images.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([data.feature_names, *data.X[:20]])
    code, out, err = run("predict", digits[0], "images.csv")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "digit,probability"
    assert len(lines) == 21
    assert all(re.fullmatch(r"\d,[01]\.\d{4}", line) for line in lines[1:])
    guessed = [int(line[0]) for line in lines[1:]]
    assert sum(g == t for g, t in zip(guessed, data.y, strict=False)) > 10


def test_the_same_seed_gives_the_same_model_and_another_seed_another():
    states = []
    for seed in (3, 3, 4):
        assert run(*FAST[:2], "--epochs", 1, "--seed", seed, "--save", "model.json")[0] == 0
        states.append(nn.load("model.json").state_dict())
    assert states[0] == states[1] != states[2]


def test_every_option_is_heeded():
    options = ["--layers", 6, 5, "--activation", "tanh", "--dropout", 0.25, "--optimizer", "sgd", "--lr", 0.05]
    options += ["--batch-size", 64, "--patience", 1, "--engine", "eager", "--epochs", 1, "--save", "mine.json"]
    code, out, err = run("train", *options)
    assert (code, err) == (0, "")
    assert nn.load("mine.json").layers[0].config() == {
        "nin": 64,
        "nouts": [6, 5, 10],
        "activation": "tanh",
        "dropout": 0.25,
        "expanded": False,
    }
    assert "Layer(6 -> 5, tanh)" in out


def test_without_hidden_layers_it_is_a_linear_model_and_the_file_has_its_usual_name():
    assert run("--layers", "--epochs", 1)[0] == 0
    assert nn.load("digits-checkpoint.json").layers[0].config()["nouts"] == [10]


# Data of one's own


def write_table(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def birds(n=90):
    """Wing in mm and weight in g of three birds, far apart."""
    rng = random.Random(0)
    kinds = [("gull", 420, 1000), ("tern, common", 270, 130), ("wren", 50, 9)]
    chosen = [kinds[i % 3] for i in range(n)]
    return [[round(rng.gauss(w, w / 20), 1), round(rng.gauss(g, g / 20), 1), name] for name, w, g in chosen]


OWN = ["--layers", "8", "--epochs", "25", "--lr", "0.05", "--batch-size", "8"]


def test_classes_with_names_are_learned_predicted_and_evaluated():
    write_table("birds.csv", ["wing", "weight", "kind"], birds())
    code, out, err = run(*OWN, "--data", "birds.csv", "--target", "kind")
    assert (code, err) == (0, "")
    assert "birds.csv: 90 rows of 2 columns, 3 classes" in out
    assert "test accuracy 100.0 % (18 of 18)" in out
    assert re.search(r"^gull +6 +100.0 % +100.0 %$", out, re.MULTILINE)
    again = "--epochs 25 --lr 0.05 --batch-size 8 --data birds.csv --target kind --layers 16"
    assert f"python -m nn train {again}" in " ".join(out.replace("\\\n", "").split())
    assert run("evaluate", "birds-checkpoint.json")[1] in out
    assert "100.0 % (90 of 90)" in run("evaluate", "birds-checkpoint.json", "--data", "birds.csv")[1]

    # the columns are found by name, in any order, among others
    write_table("new.csv", ["weight", "place", "wing"], [[990, "Skye", 425], [8.5, "Skye", 51], [131, "Mull", 268]])
    code, out, err = run("predict", "birds-checkpoint.json", "new.csv")
    assert (code, err) == (0, "")
    table = list(csv.reader(io.StringIO(out)))
    assert table[0] == ["kind", "probability"]
    assert [row[0] for row in table[1:]] == ["gull", "wren", "tern, common"]
    assert all(0.5 < float(row[1]) <= 1.0 for row in table[1:])


def test_classes_with_numbers_keep_their_numbers():
    codes = {"gull": 30, "tern, common": -7, "wren": 100}  # not 0, 1, 2, and not in the order of their digits
    write_table("birds.csv", ["wing", "weight", "code"], [[w, g, codes[name]] for w, g, name in birds()])
    code, out, _ = run(*OWN, "--data", "birds.csv", "--target", "code", "--save", "own.json")
    assert code == 0
    assert "3 classes" in out
    assert "test accuracy 100.0 % (18 of 18)" in out
    assert run("evaluate", "own.json")[1] in out
    write_table("new.csv", ["wing", "weight"], [[425, 990], [51, 8.5], [268, 131]])
    out = run("predict", "own.json", "new.csv")[1]
    assert [line.split(",")[0] for line in out.splitlines()] == ["code", "30", "100", "-7"]


def test_a_quantity_is_learned_predicted_and_evaluated():
    rows = [[x, y, round(1000.0 + 30.0 * x - 20.0 * y, 1)] for x in range(10) for y in range(10)]
    write_table("flats.csv", ["rooms", "age", "price"], rows)
    code, out, err = run(*OWN, "--data", "flats.csv", "--target", "price", "--epochs", 60)
    assert (code, err) == (0, "")
    assert "100 rows of 2 columns, a number to predict" in " ".join(out.split())
    assert_fits_in_80_columns(out)
    explained = float(
        re.search(r"^test error \S+ on average; R squared (\S+) \(20 rows\)$", out, re.MULTILINE).group(1)
    )
    assert explained > 0.95
    assert run("evaluate", "flats-checkpoint.json")[1] in out
    out = run("predict", "flats-checkpoint.json", "flats.csv")[1].splitlines()
    assert out[0] == "price"
    assert float(out[1]) == pytest.approx(1000.0, rel=0.1)


def test_a_quantity_of_any_size_and_a_constant_column_are_no_problem():
    rows = [[x, 7, x * 1e200] for x in range(40)]
    write_table("huge.csv", ["x", "constant", "y"], rows)
    code, out, err = run("--layers", 2, "--epochs", 2, "--data", "huge.csv", "--target", "y")
    assert (code, err) == (0, "")
    assert "test error" in out


# Ctrl-C, pipes and terminals


def read_until(process, pattern):
    """What the process prints until the pattern appears."""
    seen = ""
    while not re.search(pattern, seen):
        line = process.stdout.readline().decode()
        assert line, f"ended without {pattern}: {seen}{process.stderr.read().decode()}"
        seen += line
    return seen


@posix
def test_ctrl_c_keeps_the_best_weights_and_exits_cleanly():
    with command("train", "--layers", 8, "--epochs", 10**6, "--patience", 10**6, "--lr", 0.001) as process:
        seen = read_until(process, r"\n +2 ")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGING)
    seen += out.decode()
    assert process.returncode == 0
    assert err == b""
    kept = re.search(r"stopped: interrupted; the weights of epoch (\d+) are kept", seen)
    last = int(re.findall(r"^ +(\d+) .*  best$", seen, re.MULTILINE)[-1])
    assert int(kept.group(1)) in (last, last + 1)  # the line of an epoch comes after the epoch
    assert re.search(r"^test accuracy \d+\.\d % \(\d+ of 360\)$", seen, re.MULTILINE)
    assert run("evaluate", "digits-checkpoint.json")[1] in seen


@posix
def test_ctrl_c_before_the_first_epoch_is_over_exits_with_a_word():
    with command("train", "--layers", 2000, "--batch-size", 8, "--engine", "eager") as process:
        read_until(process, "total")
        time.sleep(0.3)  # the first epoch of so large a network takes half a minute
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=HANGING)
    assert process.returncode == 130  # as shells report an interrupt
    assert err == b"interrupted\n"
    assert os.listdir() == []


@posix
@pytest.mark.parametrize("arguments", [["train", "--layers", "4", "--epochs", "3"], ["predict"]])
def test_a_reader_that_has_seen_enough_is_no_error(arguments, digits):
    arguments = arguments if arguments[0] == "train" else ["predict", digits[0]]
    with command(*arguments) as process:
        process.stdout.readline()
        process.stdout.close()  # as `head -1` does
        err = process.stderr.read()
        process.wait(timeout=HANGING)
    assert process.returncode == 0
    assert err == b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_cannot_show_every_letter_gets_an_escape(encoding):
    rows = [[w, g, {"gull": "Möwe", "wren": "Zaunkönig"}.get(name, "Čigra")] for w, g, name in birds(30)]
    write_table("vögel.csv", ["Flügel", "Gewicht", "Art"], rows)
    with command(
        *OWN, "--data", "vögel.csv", "--target", "Art", "--save", "m.json", PYTHONIOENCODING=encoding
    ) as process:
        out, err = process.communicate(timeout=HANGING)
    assert (process.returncode, err) == (0, b"")
    assert "test accuracy" in out.decode(encoding)
    with command("predict", "m.json", "vögel.csv", PYTHONIOENCODING=encoding) as process:
        out, err = process.communicate(timeout=HANGING)
    assert (process.returncode, err) == (0, b"")
    lines = out.decode(encoding).split()
    assert len(lines) == 31
    assert any(line.startswith("\\u010cigra") for line in lines)


def test_the_command_runs_as_a_process_and_prints_help():
    with command("--help") as process:
        out, err = process.communicate(timeout=HANGING)
    assert (process.returncode, err) == (0, b"")
    for name in ("train", "predict", "evaluate"):
        assert name in out.decode()
    for name in ("train", "predict", "evaluate"):
        code, out, err = run(name, "--help")
        assert (code, err) == (0, "")
        assert "usage: python -m nn" in out


# What is wrong, in one sentence


def test_a_traceback_is_not_for_users():
    with command("train", "--data", "none.csv", "--target", "y") as process:
        out, err = process.communicate(timeout=HANGING)
    assert process.returncode == 2
    assert err.decode() == "python -m nn: none.csv: No such file or directory\n"
    assert out == b""


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
        (["train", "extra"], "unrecognized arguments: extra"),
        (["--optimiser", "sgd"], r"unrecognized arguments: --optimiser sgd \(did you mean --optimizer\?\)"),
        (["train", "--layers", "x"], "--layers: takes a whole number of at least 1; got 'x'"),
        (["train", "--layers", "2.5"], "--layers: takes a whole number of at least 1; got '2.5'"),
        (["train", "--layers", "0"], "--layers: takes a whole number of at least 1; got '0'"),
        (["train", "--layers", "-3"], "--layers: takes a whole number of at least 1; got '-3'"),
        (["train", "--activation", "rleu"], "argument --activation: invalid choice: 'rleu'"),
        (["train", "--dropout", "1.5"], "--dropout: takes a number from 0.0 to 1.0; got '1.5'"),
        (["train", "--dropout", "nan"], "--dropout: takes a number from 0.0 to 1.0; got 'nan'"),
        (["train", "--layers", "--dropout", "-1"], "--dropout: takes a number from 0.0 to 1.0; got '-1'"),
        (["train", "--optimizer", "lion"], "argument --optimizer: invalid choice: 'lion'"),
        (["train", "--lr", "-1"], "--lr: takes a number above 0; got '-1'"),
        (["train", "--lr", "nan", "--optimizer", "sgd"], "--lr: takes a number above 0; got 'nan'"),
        (["train", "--lr", "fast"], "--lr: takes a number above 0; got 'fast'"),
        (["train", "--epochs", "0"], "--epochs: takes a whole number of at least 1; got '0'"),
        (["train", "--batch-size", "0"], "--batch-size: takes a whole number of at least 1; got '0'"),
        (["train", "--patience", "0"], "--patience: takes a whole number of at least 1; got '0'"),
        (["train", "--seed", "x"], "--seed: takes a whole number of at least 0; got 'x'"),
        (["train", "--seed", "-1"], "--seed: takes a whole number of at least 0; got '-1'"),
        (["train", "--engine", "warp"], "argument --engine: invalid choice: 'warp'"),
        (["train", "--target", "kind"], "--target names a column of --data FILE.csv; give that too"),
        (["train", "--data", "birds.csv"], "--data needs --target COLUMN"),
        (["train", "--data", "none.csv", "--target", "kind"], "none.csv: No such file"),
        (["train", "--data", ".", "--target", "kind"], r"\.: (Is a directory|Permission denied)"),
        (["train", "--data", "birds.csv", "--target", "sort"], "birds.csv has no column 'sort'"),
        (
            ["train", "--data", "birds.csv", "--target", "weight", "--task", "classification"],
            r"birds.csv, line 2 has \d+\.\d+ in the target column 'weight'; classes are text, whole numbers",
        ),
        (["train", "--data", "inf.csv", "--target", "kind"], "inf.csv, line 2 has inf, not a finite number"),
        (["train", "--data", "empty.csv", "--target", "kind"], "empty.csv is empty"),
        (
            ["train", "--data", "short.csv", "--target", "kind"],
            "each class needs at least 3 rows.*in short.csv the class 'tern, common' of column 'kind' has 1",
        ),
        (
            ["train", "--data", "one.csv", "--target", "kind"],
            "one.csv has the same value in all rows of the column 'kind'",
        ),
        (["train", "--data", "binary.csv", "--target", "kind"], "binary.csv"),
        (["train", "--save", "none/model.json"], "there is no folder none"),
        (["train", "--save", "."], "cannot be written"),
        (["predict"], "the following arguments are required: CHECKPOINT"),
        (["predict", "none.json"], "none.json: No such file"),
        (["predict", "birds.csv"], "birds.csv is not a complete checkpoint"),
        (["predict", "binary.csv"], "binary.csv is not a checkpoint: it is not text"),
        (["predict", "cut.json"], "cut.json is not a complete checkpoint"),
        (["predict", "plain.json"], "plain.json was not written by python -m nn train; open it with nn.load"),
        (["predict", "birds.json"], "predict needs a CSV file with the columns wing, weight"),
        (["predict", "birds.json", "none.csv"], "none.csv: No such file"),
        (["predict", "birds.json", "other.csv"], "other.csv lacks 2 of the 2 columns that .*, 'wing', 'weight': add"),
        (["predict", "birds.json", "text.csv"], "text.csv, line 3 has 'long' in column 'wing', where a number"),
        (["evaluate"], "the following arguments are required: CHECKPOINT"),
        (["evaluate", "none.json"], "none.json: No such file"),
        (["evaluate", "birds.json", "other.csv"], "other.csv has no column 'kind'"),
        (["evaluate", "birds.json", "--data", "other.csv"], "other.csv has no column 'kind'"),
        (
            ["evaluate", "birds.json", "--data", "strange.csv"],
            "strange.csv, line 2 has the class 'emu' in column 'kind'; the model knows gull, ",
        ),
        (
            ["evaluate", "moved.json"],
            "gone.csv, the file that the model was trained on, is not here: .* evaluate moved.json FILE.csv",
        ),
        (
            ["evaluate", "price.json", "--data", "birds.csv"],
            "birds.csv, line 2 has 'gull' in column 'kind', where a number",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_options_and_files_are_one_sentence_and_exit_code_2(arguments, pattern):
    make_files()
    before = sorted(os.listdir())
    assert_one_sentence(run(*arguments), pattern)
    assert sorted(os.listdir()) == before


def make_files():
    """Tables and checkpoints, right and wrong."""
    write_table("birds.csv", ["wing", "weight", "kind"], birds(30))
    write_table("text.csv", ["wing", "weight", "kind"], [[1, 2, "a"], ["long", 2, "b"]])
    write_table("inf.csv", ["wing", "weight", "kind"], [["inf", 2, "a"], [1, 2, "b"]])
    write_table("short.csv", ["wing", "weight", "kind"], birds(4))
    write_table("one.csv", ["wing", "weight", "kind"], [[i, i, "wren"] for i in range(9)])
    write_table("other.csv", ["length", "mass"], [[1, 2]])
    write_table("strange.csv", ["wing", "weight", "kind"], [[1, 2, "emu"]])
    for name, content in [("empty.csv", b""), ("binary.csv", b"\xff\x00\x80")]:
        with open(name, "wb") as file:
            file.write(content)
    known = {
        "data": "birds.csv",
        "target": "kind",
        "seed": 0,
        "feature_names": ["wing", "weight"],
        "target_names": ["gull", "tern, common", "wren"],
        "classification": True,
    }
    nn.save(nn.MLP(2, [3]), "birds.json", **known)
    nn.save(nn.MLP(2, [3]), "moved.json", **{**known, "data": "gone.csv"})
    nn.save(nn.MLP(2, [1]), "price.json", **{**known, "target_names": [], "classification": False})
    nn.save(nn.MLP(2, [3]), "plain.json")
    with open("birds.json", encoding="utf-8") as whole, open("cut.json", "w", encoding="utf-8") as cut:
        cut.write(whole.read()[:-20])


def change_notes(path, digest=False, **notes):
    """Changes a checkpoint; without its digest it is as earlier versions wrote it, and its notes alone are checked."""
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    content["metadata"].update(notes)
    if not digest:
        del content["digest"]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)


def test_a_checkpoint_that_was_changed_is_refused():
    make_files()
    change_notes("birds.json", digest=True, target="weight")
    assert_one_sentence(run("evaluate", "birds.json"), "birds.json does not fit together")


@pytest.mark.parametrize(
    "change",
    [
        *({"target_names": notes} for notes in (["gull"], None, 5, ["a", "b", 3])),
        *({"feature_names": notes} for notes in (5, [], [1, 2])),
        *({"seed": notes} for notes in ("x", [], True)),
        *({"data": 5}, {"target": 5}, {"target": None}, {"data": None}, {"classification": "yes"}),
        *({"classification": False}, {"classification": False, "data": None, "target": None}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("arguments", [["predict", "birds.json", "birds.csv"], ["evaluate", "birds.json"]])
def test_a_checkpoint_whose_notes_were_tampered_with_gives_no_traceback(change, arguments):
    make_files()
    change_notes("birds.json", **change)
    code, _, err = run(*arguments)
    assert code == 2
    assert re.fullmatch(r"python -m nn: birds.json is damaged: [^\n]+\n", err)


HOSTILE = "\x1b[31mred\u202e"


def test_names_in_a_table_cannot_steer_the_terminal():
    rows = [[w, g, HOSTILE if name == "gull" else name] for w, g, name in birds()]
    write_table("birds.csv", ["wing", "weight", "kind\x1b[2J"], rows)
    code, out, err = run(*OWN[:2], "--epochs", 1, "--data", "birds.csv", "--target", "kind\x1b[2J")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "kind\\x1b[2J" in out
    rows = [[w, g, HOSTILE * 2] for w, g, _ in birds(3)]
    write_table("strange.csv", ["wing", "weight", "kind\x1b[2J"], rows)
    code, out, err = run("evaluate", "birds-checkpoint.json", "strange.csv")
    assert (code, out) == (2, "")
    assert "\\x1b[31mred\\u202e" in err
    assert "\x1b" not in err


def test_the_table_that_predict_writes_has_the_names_as_they_are():
    make_files()
    change_notes("birds.json", target_names=[HOSTILE] * 3)
    out = run("predict", "birds.json", "birds.csv")[1]
    assert out.count(HOSTILE) == 30


@posix
def test_what_next_can_be_typed_into_a_shell():
    write_table("my birds.csv", ["wing", "weight", "the kind"], birds())
    options = ["--data", "my birds.csv", "--target", "the kind"]
    code, out, err = run("train", *FAST, *options)
    assert (code, err) == (0, "")
    assert_fits_in_80_columns(out)
    lines = out.replace("\\\n", "").splitlines()
    lines = [shlex.split(line)[3:] for line in lines if line.startswith("  python -m nn ")]
    assert lines == [
        ["predict", "my birds-checkpoint.json", "my birds.csv"],
        ["evaluate", "my birds-checkpoint.json"],
        ["train", *FAST[2:], *options, "--layers", "16"],
    ]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_learning_rate_that_is_far_too_large_ends_with_a_word_and_saves_nothing(optimizer):
    code, out, err = run("train", *FAST, "--optimizer", optimizer, "--lr", "1e300")
    assert code == 2
    assert re.fullmatch(r"python -m nn: nothing was learned.* a lower learning rate may help.*\n", err)
    assert not os.path.exists("digits-checkpoint.json")
    assert_fits_in_80_columns(out)


@pytest.mark.parametrize("missing", ["numpy=None, llvmlite=None", "llvmlite=None"])
def test_without_native_code_it_says_what_to_install(missing):
    words = ["train", *FAST, "--save", "model.json"]
    code = f"import sys; sys.modules.update({missing}); from nn.command.main import main; sys.exit(main({words}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "much faster with llvmlite: pip install 'scalar-autograd[fast]'\n" in done.stdout


def test_ctrl_c_while_the_command_is_loaded_is_a_word(monkeypatch, capsys):
    class Interrupted:
        def find_spec(self, name, *_):
            if name == "nn.command.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "nn.command.main")
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("nn", run_name="__main__")
    assert (ended.value.code, capsys.readouterr().err) == (130, "interrupted\n")
