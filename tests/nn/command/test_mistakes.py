"""Does `python -m nn` guard its user against mistakes with files: overwritten, changed, strange, oddly named?"""

import os
import random
import shutil
import subprocess
import sys
import threading

import pytest

import nn
from tests.nn.command.test_main import (
    assert_fits_in_80_columns,
    assert_one_sentence,
    change_notes,
    in_a_folder_of_its_own,
    posix,
    run,
    write_table,
)

__all__ = ["in_a_folder_of_its_own"]  # a fixture

HEADER = ["a", "b", "y"]
FAST = ["--layers", "3", "--epochs", "3"]


def rows(n=60, seed=0):
    """A number and a text, of which the number tells the class."""
    rng = random.Random(seed)
    drawn = [(round(rng.gauss(0, 1), 2), rng.choice(["red", "green", "blue"])) for _ in range(n)]
    return [[x, colour, "yes" if x > 0 else "no"] for x, colour in drawn]


@pytest.fixture
def table():
    write_table("f.csv", HEADER, rows())
    return ["train", "--data", "f.csv", "--target", "y", *FAST]


@pytest.fixture
def model(table):
    assert run(*table, "--save", "m.json")[0] == 0
    return "m.json"


def content(path):
    with open(path, "rb") as file:
        return file.read()


# What is written


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("f.csv", "--save f.csv would overwrite the file of --data"),
        ("./f.csv", "--save ./f.csv would overwrite the file of --data"),
        ("v.csv", "--save v.csv would overwrite the file of --validation"),
        ("diary.txt", "--save diary.txt would overwrite a file that is no model .*: choose another name"),
        ("", "--save takes the name of a file; got an empty one"),
    ],
)
def test_a_model_never_takes_the_place_of_another_file(table, path, pattern):
    write_table("v.csv", HEADER, rows(seed=1))
    write_table("diary.txt", ["Dear diary,"], [["today"]])
    before = {name: content(name) for name in os.listdir()}
    assert_one_sentence(run(*table, "--validation", "v.csv", "--save", path), pattern)
    assert {name: content(name) for name in os.listdir()} == before


def test_a_model_takes_the_place_of_a_model_and_of_an_empty_file(table, model):
    assert "in place of the one that was there" in " ".join(run(*table, "--save", model)[1].split())
    open("empty.json", "w").close()
    assert run(*table, "--save", "empty.json")[0] == 0


@pytest.mark.parametrize("path", ["f.csv", "m.json", "none/p.csv"])
def test_predictions_are_not_written_over_what_they_are_made_of(model, path):
    before = content("f.csv"), content("m.json")
    assert_one_sentence(run("predict", model, "f.csv", "--out", path), "would overwrite|there is no folder")
    assert before == (content("f.csv"), content("m.json"))


def test_predictions_go_to_a_file_with_columns_of_the_table_and_each_probability(model):
    options = ["--keep", "b", "a", "--probabilities", "--separator", ";", "--out", "p.csv"]
    assert run("predict", model, "f.csv", *options) == (0, "", "")
    found = nn.Table("p.csv")
    assert found.names == ["b", "a", "y", "probability of no", "probability of yes"]
    assert found["b"].values == [row[1] for row in rows()]
    assert found["a"].values == [row[0] for row in rows()]
    sums = [sum(pair) for pair in zip(*(found[name].values for name in found.names[3:]), strict=True)]
    assert sums == pytest.approx([1.0] * 60, abs=1e-3)
    assert content("p.csv").startswith("\ufeffb;a;y".encode())
    assert_one_sentence(run("predict", model, "f.csv", "--keep", "c"), "f.csv has no column 'c'")


# What is read


def test_a_training_file_in_another_order_has_no_test_set_any_more(model):
    assert run("evaluate", model)[0] == 0
    write_table("f.csv", HEADER, sorted(rows()))
    assert_one_sentence(run("evaluate", model), "f.csv has changed since the training, so that its test set is not")
    write_table("f.csv", [*HEADER, "more"], [[*row, 1] for row in rows()])
    assert run("evaluate", model)[0] == 0


def test_a_training_file_that_is_elsewhere_is_said_to_be_that(model):
    os.mkdir("there")
    shutil.move("f.csv", "there")
    assert_one_sentence(run("evaluate", model), "f.csv, the file that the model was trained on, is not here")


def test_evaluate_takes_one_file(model):
    outcome = run("evaluate", model, "f.csv", "--data", "nix.csv")
    assert_one_sentence(outcome, "evaluate takes one file; got f.csv and --data nix.csv: leave one out")


def test_rows_that_are_validated_on_and_learned_from_are_remarked(table):
    assert "--validation is the file of --data" in run(*table, "--validation", "f.csv")[1]
    write_table("v.csv", HEADER, rows())
    assert "--validation is" not in run(*table, "--validation", "v.csv")[1]


def test_predict_tells_of_texts_that_the_training_did_not_have_and_of_empty_rows(model):
    write_table("new.csv", HEADER[:2], [[1, "RED"], [2, "red"], [3, "violet"], ["", ""], [4, "violet"]])
    code, out, err = run("predict", model, "new.csv")
    assert (code, len(out.splitlines())) == (0, 6)
    assert_fits_in_80_columns(err)
    words = " ".join(err.split())
    assert "new.csv, line 2: 'RED' in column 'b' was not there in training (did you mean 'red'?)" in words
    assert "new.csv, line 4 and 1 other row: 'violet' in column 'b' was not there in training; taken" in words
    assert "new.csv, line 5 has nothing in the columns that the model uses" in words
    write_table("many.csv", HEADER[:2], [[1, f"colour {i}"] for i in range(40)])
    err = run("predict", model, "many.csv")[2]
    assert "and 30 more texts that the training did not have" in " ".join(err.split())


@posix
def test_predict_reads_a_pipe_and_standard_input(model):
    os.mkfifo("pipe")
    writer = threading.Thread(target=shutil.copyfile, args=("f.csv", "copy.csv"))
    writer.start()
    writer.join()

    def fill():
        with open("pipe", "wb") as pipe:
            pipe.write(content("copy.csv"))

    writer = threading.Thread(target=fill)
    writer.start()
    expected = run("predict", model, "f.csv")
    assert run("predict", model, "pipe") == expected
    writer.join()
    words = [sys.executable, "-m", "nn", "predict", model, "-"]
    done = subprocess.run(words, input=content("f.csv"), capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, expected[1], b"")


# Numbers beyond all bounds


def test_a_prediction_that_is_not_finite_names_its_line(table):
    write_table("f.csv", HEADER, [[x / 100, *others] for x, *others in rows()])
    assert run(*table)[0] == 0
    write_table("new.csv", HEADER, [[1, "red", "yes"], [1e308, "red", "no"]])
    for words in (["predict", "f-checkpoint.json", "new.csv"], ["evaluate", "f-checkpoint.json", "new.csv"]):
        assert_one_sentence(run(*words), "new.csv, line 3 has no finite prediction: its numbers are far beyond")


def test_a_target_that_overflows_names_its_line():
    write_table("f.csv", HEADER, [[i, "red", i * 1.5] for i in range(30)] + [[30, "red", 1e308]])
    outcome = run("train", "--data", "f.csv", "--target", "y", *FAST)
    assert_one_sentence(outcome, r"f.csv, line 32 has 1e\+308 in the target column 'y', and sums .* in larger units")


@pytest.mark.parametrize("rate", ["1e300", "1e9"])
def test_a_learning_rate_that_is_far_too_large_for_a_quantity_saves_nothing(rate):
    write_table("f.csv", HEADER, [[i, "red", i * 1.5] for i in range(30)])
    outcome = run("train", "--data", "f.csv", "--target", "y", "--lr", rate, *FAST)
    assert_one_sentence(outcome, "nothing was learned or saved: .*lower learning rate may help|nothing was learned: ")
    assert os.listdir() == ["f.csv"]


def test_an_epoch_without_a_finite_loss_is_kept_in_a_file():
    model = nn.Regressor(hidden=(), epochs=2, random_state=0).fit([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0])
    model.history_.append({"loss": float("inf"), "validation_loss": float("nan")})
    model.save("m.json")
    assert str(nn.load_estimator("m.json").history_) == str(model.history_)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_quantity_in_three_rows_is_too_little(count):
    write_table("f.csv", HEADER[1:], [[i, 1.5 * i * i] for i in range(1, count + 1)])
    outcome = run("train", "--data", "f.csv", "--target", "y", *FAST)
    assert_one_sentence(outcome, f"f.csv has {count} rows? with a target, and 4 are the least|same value in all rows")


def test_four_rows_can_be_learned_from():
    write_table("f.csv", HEADER[1:], [[i, 1.5 * i * i] for i in range(4)])
    assert run("train", "--data", "f.csv", "--target", "y", *FAST)[0] == 0


# Odd names


@pytest.mark.parametrize(
    ("option", "name", "values"),
    [
        ('b="low, bad",ok,high', "b", ["low, bad", "ok", "high"]),
        ('"a=b"=low,"ok, well",high', "a=b", ["low", "ok, well", "high"]),
        ("b=low, ok ,high", "b", ["low", "ok", "high"]),
    ],
)
def test_values_in_order_may_have_commas_and_names_an_equals_sign(option, name, values):
    rng = random.Random(0)
    write_table("f.csv", [name, "y"], [[rng.choice(values), rng.random()] for _ in range(40)])
    code, out, err = run("train", "--data", "f.csv", "--target", "y", "--ordered", option, *FAST)
    assert (code, err) == (0, "")
    assert f"ordered: {', '.join(values)[:20]}" in out


@posix
def test_a_file_whose_name_begins_with_a_hyphen_can_be_predicted_as_it_says():
    write_table("-f.csv", HEADER, rows())
    code, out, err = run("train", "--data=-f.csv", "--target", "y", *FAST)
    assert (code, err) == (0, "")
    assert "  python -m nn predict ./-f-checkpoint.json ./-f.csv\n" in out
    assert run("predict", "./-f-checkpoint.json", "./-f.csv")[0] == 0


# Checkpoints


def test_notes_without_their_data_are_damage(model):
    change_notes(model, training={**nn.checkpoint.read(model)["metadata"]["training"], "data": None})
    for words in (["predict", model, "f.csv"], ["evaluate", model]):
        assert_one_sentence(run(*words), "m.json is damaged: its note 'data' cannot be None; train the model again")


def test_a_model_of_an_earlier_version_reads_codes_as_the_numbers_that_it_took_them_for():
    write_table("old.csv", ["x", "y"], [[-1, "00"], [1, "01"]])
    known = {"data": "old.csv", "target": "y", "seed": 0, "feature_names": ["x"], "target_names": ["0", "1"]}
    old = nn.MLP(1, [2])
    old.load_state_dict({name: 2.0 * name.startswith("layers.0.neurons.1.w") for name in old.state_dict()})
    nn.save(old, "old.json", **known, classification=True)
    code, out, err = run("evaluate", "old.json", "old.csv")
    assert (code, err) == (0, "")
    assert "accuracy 100.0 % (2 of 2)" in out
