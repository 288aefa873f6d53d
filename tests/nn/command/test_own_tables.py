"""Does `python -m nn` take tables as people have them: text, gaps, dates, truth values, and wishes about columns?"""

import csv
import io
import os
import random
import re
import subprocess
import sys
from datetime import date

import pytest

import nn
from nn.command.results import MOST_CLASSES
from tests.benchmarks import own_tables
from tests.nn.command.test_main import (
    assert_fits_in_80_columns,
    assert_one_sentence,
    change_notes,
    in_a_folder_of_its_own,
    run,
    write_table,
)

__all__ = ["in_a_folder_of_its_own"]  # a fixture

HEADER = ["day", "name", "sex", "age", "size", "port", "alone", "zip", "fare", "survived"]
FAST = ["--layers", "4", "--epochs", "3"]


def passengers(n=120, seed=0):
    """Rows with text, gaps, dates and truth values, of which sex and size tell who survived."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        sex, size = rng.choice(["female", "male"]), rng.choice(["low", "mid", "high"])
        cells = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}", f"Nobody {i}", sex, rng.choice(["", rng.randrange(80)]), size]
        cells += [rng.choice(["S", "C", "Q", ""]), rng.choice(["true", "false"]), rng.randrange(4)]
        rows.append([*cells, round(rng.uniform(1, 99), 2), "yes" if sex == "female" or size == "high" else "no"])
    return rows


@pytest.fixture
def table():
    write_table("p.csv", HEADER, passengers())
    return ["train", "--data", "p.csv", "--target", "survived", *FAST]


def line_of(out, name):
    """The line of the report about a column."""
    return next(line for line in out.splitlines() if re.match(rf"{name} ", line))


def test_a_table_with_text_gaps_and_dates_is_learned_predicted_and_evaluated(table):
    code, out, err = run(*table[:5], "--epochs", 40)
    assert (code, err) == (0, "")
    assert_fits_in_80_columns(out)
    assert "left out: all differ" in line_of(out, "name")
    assert "one-hot: female, male" in line_of(out, "sex")
    assert re.search(r"as it is; gaps [\d.]+$", line_of(out, "age"))
    assert "one-hot: C, Q, S; gaps" in line_of(out, "port")
    assert "day, season, weekday" in line_of(out, "day")
    assert "0 or 1" in line_of(out, "alone")
    assert "2 classes" in line_of(out, "survived")
    assert int(re.search(r"test accuracy .*\((\d+) of 24\)", out)[1]) >= 22
    assert re.search(r"^yes +\d+ +[\d.]+ % +[\d.]+ %", out, re.MULTILINE)
    assert run("evaluate", "p-checkpoint.json")[1] in out

    # predict needs the columns that are used, and no target; others do not matter, nor does their order
    rows = [[row[2], row[4], "", "", row[6], 1, 3, "2025-01-01", "new"] for row in passengers(8)]
    write_table("new.csv", ["sex", "size", "age", "port", "alone", "zip", "fare", "day", "further"], rows)
    code, out, err = run("predict", "p-checkpoint.json", "new.csv")
    assert (code, err) == (0, "")
    lines = list(csv.reader(io.StringIO(out)))
    assert lines[0] == ["survived", "probability"]
    assert {row[0] for row in lines[1:]} <= {"yes", "no"}
    right = [guess == row[-1] for (guess, _), row in zip(lines[1:], passengers(8), strict=True)]
    assert sum(right) >= 7


def test_what_the_command_does_three_lines_of_python_do_too(table):
    assert run(*table, "--validation", "p.csv", "--seed", 3)[0] == 0
    by_command = nn.load_estimator("p-checkpoint.json")
    rows = nn.Table("p.csv", text=["survived"])
    settings = {"hidden": (4,), "epochs": 3, "validation": None, "random_state": 3}
    from nn.command.data import parts_of
    from nn.datasets.target_column import Target

    train = parts_of(rows, Target.of(rows, "survived"), 3, True)[0]
    by_hand = nn.Classifier(**settings).fit(train, "survived", validation=rows)
    assert by_hand.model_.state_dict() == by_command.model_.state_dict()
    assert list(by_hand.predict(rows)) == list(by_command.predict(rows))


def test_columns_are_dropped_ordered_and_read_as_text(table):
    wishes = ["--drop", "name", "fare", "--text", "zip", "--ordered", "size=low,mid,high", "--ordered", "sex"]
    code, out, err = run(*table, *wishes)
    assert (code, err) == (0, "")
    assert not re.search("^(name|fare) ", out, re.MULTILINE)
    assert "one-hot: 0, 1, 2, 3" in line_of(out, "zip")
    assert "ordered: low, mid, high" in line_of(out, "size")
    assert "ordered: female, male" in line_of(out, "sex")
    assert run("evaluate", "p-checkpoint.json")[1] in out  # reads the same columns as text


def test_a_target_of_few_whole_numbers_can_be_a_quantity(table):
    code, out, err = run("train", "--data", "p.csv", "--target", "zip", "--task", "regression", *FAST)
    assert (code, err) == (0, "")
    assert "R squared" in out
    assert "Always answering the mean is as good: try more rows" in out  # it is random
    assert run("evaluate", "p-checkpoint.json")[1] in out
    assert run("predict", "p-checkpoint.json", "p.csv")[1].splitlines()[0] == "zip"


def test_validation_rows_can_be_a_file_of_their_own(table):
    write_table("v.csv", HEADER, passengers(40, seed=1))
    code, out, err = run(*table, "--validation", "v.csv")
    assert (code, err) == (0, "")
    assert "96 to train, 40 to validate (those of v.csv), 24 to test" in " ".join(out.split())
    assert run("evaluate", "p-checkpoint.json")[1] in out


def test_rows_without_a_target_are_left_out_with_a_word():
    rows = [[*row[:-1], "" if i < 3 else row[-1]] for i, row in enumerate(passengers())]
    write_table("p.csv", HEADER, rows)
    code, out, err = run("train", "--data", "p.csv", "--target", "survived", *FAST)
    assert (code, err) == (0, "")
    assert "117 rows of 9 columns" in out
    assert "3 rows without 'survived' left out." in " ".join(out.split())
    assert "3 rows of p.csv without survived left out." in run("evaluate", "p-checkpoint.json", "p.csv")[1]
    assert run("evaluate", "p-checkpoint.json")[0] == 0


def test_a_cell_that_makes_text_of_a_column_is_named():
    rows = [[cell if (i, j) != (5, 3) else "old" for j, cell in enumerate(row)] for i, row in enumerate(passengers())]
    write_table("p.csv", HEADER, rows)
    code, out, _ = run("train", "--data", "p.csv", "--target", "survived", *FAST)
    assert code == 0
    assert re.search(r"^age: p.csv, line 7 has 'old', so all cells are text", out, re.MULTILINE)


def test_an_unseen_text_is_other_or_a_sentence(table):
    rows = [[*row[:5], "Oslo", *row[6:]] for row in passengers(3)]
    write_table("new.csv", HEADER, rows)
    assert run(*table)[0] == 0
    assert run("predict", "p-checkpoint.json", "new.csv")[0] == 0
    assert run(*table, "--unseen", "error")[0] == 0
    outcome = run("predict", "p-checkpoint.json", "new.csv")
    assert_one_sentence(outcome, "new.csv, line 2 has 'Oslo' in column 'port'; the model knows 'C', 'Q', 'S'")


def test_balanced_classes_and_gaps_by_the_most_frequent_number(table):
    code, out, err = run(*table, "--class-weight", "balanced", "--gaps", "most-frequent")
    assert (code, err) == (0, "")
    assert re.search(r"gaps \d+$", line_of(out, "age"))
    assert nn.load_estimator("p-checkpoint.json").class_weight == "balanced"


def test_an_estimator_that_python_has_saved_is_used_by_the_command(table):
    nn.Classifier(hidden=(4,), epochs=3, random_state=0).fit(nn.Table("p.csv"), "survived").save("mine.json")
    code, out, err = run("predict", "mine.json", "p.csv")
    assert (code, err) == (0, "")
    assert out.startswith("survived,probability\n")
    assert run("evaluate", "mine.json", "p.csv")[0] == 0
    assert_one_sentence(run("evaluate", "mine.json"), "evaluate needs a CSV file: mine.json does not say what")
    nn.Regressor(hidden=(), epochs=2).fit([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0]).save("plain.json")
    assert_one_sentence(run("predict", "plain.json", "p.csv"), "plain.json was trained on columns without names")


def test_a_file_that_has_grown_has_no_test_set_any_more(table):
    assert run(*table)[0] == 0
    write_table("p.csv", HEADER, passengers(130))
    assert_one_sentence(run("evaluate", "p-checkpoint.json"), "p.csv has changed .* 130 rows with a target, not 120")


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["--target", "Survived"], r"p.csv has no column 'Survived' \(did you mean 'survived'\?\)"),
        (["--target", "day"], "p.csv has dates in the column 'day', which cannot be predicted"),
        (
            ["--target", "sex", "--task", "regression"],
            r"p.csv, line \d+ has '(fe)?male' in column 'sex', where a number",
        ),
        (["--text", "zap"], "p.csv has no column 'zap'"),
        (["--text", "survived", "--drop", "survived"], "--drop survived: this is the target"),
        (["--drop", *HEADER[:-1]], "p.csv has no column besides the target 'survived'"),
        (["--drop", *HEADER[:1], *HEADER[2:-1]], "no column to learn from: name is left out: all differ"),
        (["--ordered", "size=low"], "--ordered: takes COLUMN or COLUMN=LOW,MID,HIGH, two values or more"),
        (["--ordered", "size=low,high"], r"p.csv, line \d+ has 'mid' in column 'size', which is not among the values"),
        (["--gaps", "error"], r"p.csv, line \d+ has an empty cell in column 'age'"),
        (["--validation", "other.csv"], "other.csv has no column 'survived': --validation needs it"),
        (
            ["--validation", "new.csv"],
            "new.csv, line 2 has the class 'perhaps' in column 'survived'; the model knows no",
        ),
        (["--target", "fare", "--class-weight", "balanced"], "--class-weight is for classes, and 'fare' is a quantity"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_wishes_are_one_sentence(table, arguments, pattern):
    write_table("other.csv", ["x"], [[1]])
    write_table("new.csv", HEADER, [[*passengers(1)[0][:-1], "perhaps"]])
    before = sorted(os.listdir())
    assert_one_sentence(run(*table, *arguments), pattern)
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(
    "option",
    [
        "--task regression",
        "--text x",
        "--ordered x",
        "--drop x",
        "--validation p.csv",
        "--gap-words x",
        "--dates day-first",
    ],
)
def test_what_is_said_of_a_table_needs_one(option):
    assert_one_sentence(run("train", *option.split()), f"{option.split()[0]} is for a table, --data FILE.csv")


@pytest.mark.parametrize("change", [5, {}, {"seed": 0}, {"target": {"name": "survived"}}], ids=repr)
def test_notes_that_were_tampered_with_give_no_traceback(table, change):
    assert run(*table)[0] == 0
    change_notes("p-checkpoint.json", training=change)
    assert_one_sentence(run("predict", "p-checkpoint.json", "p.csv"), "p-checkpoint.json is damaged")


def test_many_classes_are_folded_to_those_read_worst():
    rows = [[k, f"kind {k}"] for k in range(MOST_CLASSES + 5) for _ in range(10)]
    write_table("kinds.csv", ["x", "kind"], rows)
    code, out, err = run("train", "--data", "kinds.csv", "--target", "kind", *FAST)
    assert (code, err) == (0, "")
    assert_fits_in_80_columns(out)
    assert "and 5 more classes, read no worse" in out


def test_without_numpy_a_table_is_learned_too(table):
    code = f"import sys; sys.modules.update(numpy=None, llvmlite=None); from nn.command.main import main; main({table})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert run("evaluate", "p-checkpoint.json")[1] in done.stdout


def test_tables_that_are_made_to_measure_with_are_learned():
    for make, target, least in ((own_tables.rentals, "count", 0.8), (own_tables.mushrooms, "class", 0.85)):
        own_tables.write(make(n=800), "made.csv")
        code, out, err = run("train", "--data", "made.csv", "--target", target)
        assert (code, err) == (0, "")
        assert_fits_in_80_columns(out)
        share, explained = re.search(r"test accuracy ([\d.]+) %", out), re.search(r"R\s+squared ([\d.]+)", out)
        assert (float(share[1]) / 100 if share else float(explained[1])) > least


def written(path, header, rows):
    """A file with these lines, cells as they are."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in [header, *rows]))


def test_a_column_that_is_dropped_or_not_used_may_hold_anything():
    cells = ["3/4/2024", "=A1+B2", "inf", "#REF!"]
    written("f.csv", "d,x,y", [f"{cells[i % 4]},{i % 7},{i % 7 > 3}" for i in range(60)])
    code, out, err = run("train", "--data", "f.csv", "--target", "y", "--drop", "d", *FAST)
    assert (code, err) == (0, "")
    written("new.csv", "x,e,e", [f"1,{cell},{cell}" for cell in cells])
    code, out, err = run("predict", "f-checkpoint.json", "new.csv")
    assert (code, err, len(out.splitlines())) == (0, "", 5)


def test_text_that_looks_like_dates_is_read_as_in_training_without_the_target():
    written("f.csv", "zip,y", [f"{1 + i % 3}/2/2024,{'a' if i % 3 else 'b'}" for i in range(60)])
    assert run("train", "--data", "f.csv", "--target", "y", "--text", "zip", *FAST)[0] == 0
    written("new.csv", "zip", ["1/2/2024", "2/2/2024"])
    code, out, err = run("predict", "f-checkpoint.json", "new.csv")
    assert (code, err, len(out.splitlines())) == (0, "", 3)


@pytest.mark.parametrize(
    ("words", "later", "labels"),
    [
        (["Yes", "yes", "yes", "no"], ["YES", "No"], ["no", "yes"]),
        (["TRUE", "FALSE"], ["true", "False"], ["FALSE", "TRUE"]),
    ],
)
def test_yes_and_no_are_two_classes_in_any_case(words, later, labels):
    written("f.csv", "x,y", [f"{i % len(words)},{words[i % len(words)]}" for i in range(80)])
    written("v.csv", "x,y", [f"{i % len(words)},{words[i % len(words)].upper()}" for i in range(80)])
    for validation in ([], ["--validation", "v.csv"]):
        code, out, err = run("train", "--data", "f.csv", "--target", "y", *validation, *FAST)
        assert (code, err) == (0, "")
        assert f"to predict: {', '.join(labels)}" in line_of(out, "y")
        written("new.csv", "x,y", [f"0,{word}" for word in later])
        assert run("evaluate", "f-checkpoint.json", "new.csv")[0] == 0
        answers = {line.split(",")[0] for line in run("predict", "f-checkpoint.json", "f.csv")[1].splitlines()[1:]}
        assert answers <= set(labels)


def test_days_and_decimals_are_read_as_in_training():
    rows = [f"{1 + i % 28}/{1 + i % 12}/2024;1.{100 + i % 9},5;{i},5" for i in range(60)]
    written("f.csv", "day;price;y", rows)
    assert run("train", "--data", "f.csv", "--target", "y", *FAST)[0] == 0
    encoder = nn.load_estimator("f-checkpoint.json").encoder_
    written("new.csv", "day;price", ["3/4/2024;1.104"])  # alone it could be read otherwise
    expected = encoder.inputs(nn.Table({"day": [date(2024, 4, 3)], "price": [1104.0]}))
    assert encoder.inputs(nn.Table("new.csv")).tolist() == expected.tolist()
    assert run("predict", "f-checkpoint.json", "new.csv")[0] == 0
    written("other.csv", "day,price", ["3/4/2024,1.104"])  # it may be from elsewhere
    assert_one_sentence(run("predict", "f-checkpoint.json", "other.csv"), "other.csv, line 2 has 1.104 in column")
    assert run("predict", "f-checkpoint.json", "other.csv", "--decimal", "comma")[0] == 0


@pytest.mark.parametrize(("order", "first"), [("day-first", "2024-04-03"), ("month-first", "2024-03-04")])
def test_the_order_of_days_and_months_can_be_said(order, first):
    written("f.csv", "day,price,y", [f'{3 + i % 4}/4/2024,"1,{500 + i}",{i}.5' for i in range(40)])
    command = ["train", "--data", "f.csv", "--target", "y", *FAST]
    assert_one_sentence(run(*command), "f.csv.* in column 'day'")
    code, out, err = run(*command, "--dates", order, "--decimal", "point")
    assert (code, err) == (0, "")
    assert first in line_of(out, "day")
    assert "1500 to 1539" in line_of(out, "price")
    assert run("evaluate", "f-checkpoint.json")[1] in out


def test_a_model_that_the_command_has_trained_reads_frames_as_it_reads_files():
    pandas = pytest.importorskip("pandas")
    written("f.csv", "day,code,y", [f"{1 + i % 28:02}.01.2024,{i % 4:03},{'a' if i % 4 else 'b'}" for i in range(80)])
    assert run("train", "--data", "f.csv", "--target", "y", *FAST)[0] == 0
    model = nn.load_estimator("f-checkpoint.json")
    frame = pandas.read_csv("f.csv", dtype={"code": str})
    assert model.predict_proba(frame).tolist() == model.predict_proba("f.csv").tolist()


def test_words_for_gaps_are_remembered():
    written("f.csv", "x,y", [f"{'k.A.' if i % 5 == 0 else i},{i}.5" for i in range(40)])
    code, out, err = run("train", "--data", "f.csv", "--target", "y", "--gap-words", "k.A.", "n.t.", *FAST)
    assert (code, err) == (0, "")
    assert "number, 1 to 39" in line_of(out, "x")
    assert run("evaluate", "f-checkpoint.json")[1] in out
    written("new.csv", "x", ["n.t.", "5"])
    code, out, err = run("predict", "f-checkpoint.json", "new.csv")
    assert (code, len(out.splitlines())) == (0, 3)
    assert "new.csv, line 2 has nothing in the columns" in " ".join(err.split())
