"""Does an encoder make of any table what it says, by what it learned from the training rows alone?"""

import csv
import json
import math
from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import example, given, settings, strategies as st

from nn import Table, TableEncoder
from nn.datasets.encoding import MOST_CATEGORIES
from nn.datasets.tables import listed
from nn.datasets.target_column import Target, known_rows
from tests.sampling import examples

CELLS = {
    "number": st.integers(-1000, 1000) | st.none(),
    "float": st.floats(-1e6, 1e6) | st.none(),
    "text": st.sampled_from(["low", "mid", "high", "é", "a=b"]) | st.none(),
    "boolean": st.booleans() | st.none(),
    "date": st.dates(date(1900, 1, 1), date(2100, 1, 1)) | st.none(),
    "time": st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)) | st.none(),
}


@st.composite
def tables(draw):
    """A table of some kinds of columns, with gaps."""
    n = draw(st.integers(2, 12))
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=5))
    columns = {f"{kind} {k}": draw(st.lists(CELLS[kind], min_size=n, max_size=n)) for k, kind in enumerate(kinds)}
    return Table({**columns, "sure": list(range(n))})


@given(tables())
@settings(max_examples=60, deadline=None)
def test_each_row_has_a_finite_number_for_each_input_and_the_state_is_exact(table):
    encoder = TableEncoder.of(table, None)
    rows = listed(encoder.inputs(table))
    assert {len(row) for row in rows} == {len(encoder.feature_names)}
    assert len(set(encoder.feature_names)) == len(encoder.feature_names)
    assert all(math.isfinite(x) for row in rows for x in row)
    again = TableEncoder.from_state(json.loads(json.dumps(encoder.state_dict())))
    assert listed(again.inputs(table)) == rows
    assert again.report() == encoder.report()
    assert all(len(line) <= 80 for line in encoder.report().splitlines())


@given(tables(), st.data())
@settings(max_examples=40, deadline=None)
def test_a_row_is_encoded_alike_alone_and_among_others(table, data):
    encoder = TableEncoder.of(table, None)
    rows = listed(encoder.inputs(table))
    i = data.draw(st.integers(0, len(table) - 1))
    assert listed(encoder.inputs(table.rows([i]))) == [rows[i]]


@given(tables())
@settings(max_examples=40, deadline=None)
def test_without_numpy_the_same_numbers_are_lists(table):
    encoder = TableEncoder.of(table, None)
    rows = listed(encoder.inputs(table))
    with pytest.MonkeyPatch.context() as patch:
        for module in ("encoding", "column_codes"):
            patch.setattr(f"nn.datasets.{module}.find_spec", lambda name: None)
        assert TableEncoder.of(table, None).inputs(table) == rows


def test_numbers_are_as_they_are_and_gaps_get_the_mean_and_a_mark():
    encoder = TableEncoder.of(Table({"age": [20, None, 40], "size": [1.5, 2.5, 3.5]}), None)
    assert encoder.feature_names == ["age", "age is missing", "size"]
    assert listed(encoder.inputs(Table({"size": [9.0, None], "age": [None, 7]}))) == [[30.0, 1.0, 9.0], [7.0, 0.0, 2.5]]


def test_texts_are_one_hot_and_an_unseen_one_is_none_of_them():
    encoder = TableEncoder.of(Table({"port": ["S", "C", "S", None]}), None)
    assert encoder.feature_names == ["port=C", "port=S", "port is missing"]
    rows = listed(encoder.inputs(Table({"port": ["C", None, "Q"]})))
    assert rows == [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]


def test_rare_texts_share_an_input_which_unseen_ones_have_too():
    texts = [f"t{k}" for k in range(MOST_CATEGORIES + 5) for _ in range(2 + (k < MOST_CATEGORIES))]
    encoder = TableEncoder.of(Table({"code": texts}), None)
    assert len(encoder.feature_names) == MOST_CATEGORIES + 1
    assert encoder.feature_names[-1] == "code is another"
    rare, unseen = listed(encoder.inputs(Table({"code": [f"t{MOST_CATEGORIES}", "new"]})))
    assert rare == unseen == [0.0] * MOST_CATEGORIES + [1.0]


def test_ordered_texts_have_their_place_in_the_order_given_or_found():
    table = Table({"age": ["5-9", "10-14", "0-4"], "size": ["low", "high", "mid"]})
    encoder = TableEncoder.of(table, None, text={"age": "ordered", "size": ["low", "mid", "high"]})
    assert listed(encoder.inputs(table)) == [[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]]
    with pytest.raises(ValueError, match="row 1 of the mapping has 'high' in column 'size', which is not among"):
        TableEncoder.of(table, None, text={"size": ["low", "mid"]})


@given(st.dates(date(1950, 1, 1), date(2050, 1, 1)), st.integers(1, 2000))
@example(date(1970, 1, 1), 365)
@settings(max_examples=30, deadline=None)
def test_a_date_tells_the_days_the_season_and_the_weekday(first, later):
    second = first + timedelta(days=later)
    table = Table({"when": [first, second, first + timedelta(days=1)]})
    encoder = TableEncoder.of(table, None)
    named = dict(zip(encoder.feature_names, listed(encoder.inputs(table))[1], strict=True))
    assert named["when (day)"] == later
    assert named[f"when ({second:%A})"] == 1.0
    assert sum(named[f"when ({first + timedelta(days=k):%A})"] for k in range(7)) == 1.0
    assert named["when (season, sine)"] ** 2 + named["when (season, cosine)"] ** 2 == pytest.approx(1.0)
    assert "when (time, sine)" not in named


def test_a_time_of_day_is_a_place_on_a_circle():
    table = Table({"when": [datetime(2024, 1, 1, 0), datetime(2024, 1, 1, 6), datetime(2024, 1, 1, 12)]})
    encoder = TableEncoder.of(table, None)
    assert encoder.feature_names == ["when (day)", "when (time, sine)", "when (time, cosine)"]
    rows = [[0.0, 0.0, 1.0], [0.25, 1.0, 0.0], [0.5, 0.0, -1.0]]
    assert listed(encoder.inputs(table)) == [pytest.approx(row, abs=1e-12) for row in rows]


def test_columns_that_tell_nothing_are_left_out_and_the_report_says_why():
    n = 30
    cabins = [f"C{k}" if k % 2 else None for k in range(n)]
    table = Table(
        {"name": [f"N{k}" for k in range(n)], "cabin": cabins, "one": [7] * n, "none": [None] * n, "x": range(n)}
    )
    encoder = TableEncoder.of(table, None)
    assert encoder.feature_names == ["cabin is missing", "x"]
    report = encoder.report()
    for words in ("left out: all differ", "only whether it is missing", "left out: always 7", "left out: empty"):
        assert words in report
    assert listed(encoder.inputs(Table({"x": [1], "cabin": [None]}))) == [[1.0, 1.0]]


def test_a_report_of_hundreds_of_columns_with_long_names_is_folded():
    table = Table({f"a rather long name of a column, number {k}": [k, k + 1, 0] for k in range(300)})
    lines = TableEncoder.of(table, None).report().splitlines()
    assert len(lines) == 3
    assert "300 columns" in lines[2]
    texts = Table({f"text {k}": ["a", "b", "a"] for k in range(100)})
    lines = TableEncoder.of(texts, None).report().splitlines()
    assert len(lines) < 50
    assert all(len(line) <= 80 for line in lines)
    assert "and 61 more" in lines[-1]


@pytest.mark.parametrize(
    ("cells", "task", "classes"),
    [
        (["b", "a", "b"], "classification", ["a", "b"]),
        ([10, 9, 10], "classification", [9, 10]),
        ([True, False, None], "classification", [False, True]),
        ([1.0, 0.0, None], "classification", [0, 1]),  # a gap makes floats of whole numbers
        ([1.5, 0.0, 2.0], "regression", []),
        (list(range(21)), "regression", []),
        (list(range(20)), "classification", list(range(20))),
    ],
)
def test_the_target_decides_on_the_task(cells, task, classes):
    table = known_rows(Table({"y": cells, "x": list(range(len(cells)))}), "y")
    encoder = TableEncoder.of(table, "y")
    assert (encoder.task, encoder.classes) == (task, classes)
    present = [cell for cell in cells if cell is not None]
    expected = [classes.index(cell) for cell in present] if classes else present
    assert listed(encoder.targets(table)) == expected


def test_whole_numbers_are_a_quantity_where_that_is_asked_for():
    table = Table({"stars": [1, 5, 3], "x": [1, 2, 3]})
    assert listed(TableEncoder.of(table, "stars", task="regression").targets(table)) == [1.0, 5.0, 3.0]


TABLE = Table(
    {"age": [20, None, 40], "sex": ["m", "f", "f"], "born": [date(2000, 1, k) for k in (1, 2, 9)], "alive": [1, 0, 1]}
)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"age": [1]}, "the mapping lacks 2 of the 3 columns that the model was trained with, 'sex', 'born': add"),
        ({"age": [1], "Sex": ["m"], "born": [None]}, r"trained with, 'sex' \(did you mean 'Sex'\?\)"),
        (
            {"age": [1, "old"], "sex": ["m", "f"], "born": [None, None]},
            "row 1 of the mapping has 'old' in column 'age', where a number such as 1234.5 is wanted",
        ),
        (
            {"age": [1], "sex": ["m"], "born": ["soon"]},
            "row 0 of the mapping has 'soon' in column 'born', where a date such as 2024-12-31 is wanted",
        ),
        (
            {"age": [1], "sex": [True], "born": [None]},
            "the mapping has booleans in column 'sex', which held texts such as 'f'",
        ),
    ],
)
def test_what_does_not_fit_the_training_is_a_sentence(columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        TableEncoder.of(TABLE, "alive").inputs(Table(columns))


def test_an_unseen_text_and_a_gap_can_be_errors():
    rows = Table({"age": [20.0, 30.0], "sex": ["m", "f"]})
    encoder = TableEncoder.of(rows, None, unseen="error", gaps="error")
    with pytest.raises(ValueError, match="row 0 of the mapping has 'x' in column 'sex'; the model knows 'f', 'm':"):
        encoder.inputs(Table({"age": [1], "sex": ["x"]}))
    with pytest.raises(ValueError, match="row 0 of the mapping has an empty cell in column 'age'"):
        encoder.inputs(Table({"age": [None], "sex": ["m"]}))
    with pytest.raises(ValueError, match="row 1 of the mapping has an empty cell in column 'age'"):
        TableEncoder.of(TABLE, "alive", gaps="error")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"target": "alife"}, r"no column 'alife' \(did you mean 'alive'\?\): choose the target from age, sex"),
        ({"target": "born"}, "has dates in the column 'born', which cannot be predicted"),
        ({"target": "alive", "task": "guess"}, "task takes None, 'classification', 'regression'; got 'guess'"),
        ({"target": "sex", "task": "regression"}, "row 0 of the mapping has 'm' in column 'sex', where a number"),
        ({"target": None, "text": "two-hot"}, "text takes 'one-hot' or 'ordered' for all"),
        ({"target": None, "text": ["sex"]}, "or a mapping from columns to one of these"),
        ({"target": None, "text": {"sexe": "one-hot"}}, r"no column 'sexe' \(did you mean 'sex'\?\)"),
        ({"target": "alive", "text": {"alive": "ordered"}}, "the column 'alive' is the target"),
        ({"target": None, "gaps": "zero"}, "gaps takes None, 'mean', 'most frequent', 'error'; got 'zero'"),
        ({"target": None, "gaps": {"sex": "mean"}}, "the column 'sex' holds no numbers, so that it has no mean"),
        ({"target": None, "unseen": "new"}, "unseen takes 'other', 'error'; got 'new'"),
    ],
)
def test_wrong_wishes_are_sentences(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        TableEncoder.of(TABLE, **arguments)


def test_a_target_that_is_always_the_same_or_a_class_that_is_unknown_is_a_sentence():
    with pytest.raises(ValueError, match="the same value in all rows of the column 'y'"):
        Target.of(Table({"y": [1, 1]}), "y")
    with pytest.raises(
        ValueError, match="row 0 of the mapping has the class 7 in column 'alive'; the model knows 0, 1"
    ):
        TableEncoder.of(TABLE, "alive").targets(Table({"alive": [7]}))


def paths(state, at=()):
    """The place of every part of a state."""
    yield at
    if isinstance(state, dict | list):
        for key in state if isinstance(state, dict) else range(len(state)):
            yield from paths(state[key], (*at, key))


STATE = TableEncoder.of(TABLE, "alive", text={"sex": "ordered"}).state_dict()


@given(st.sampled_from(list(paths(STATE))), st.sampled_from([None, [], {}, "x", -1, 0, True, math.inf, [1], [None]]))
@settings(max_examples=200, deadline=None)
def test_a_damaged_state_is_a_sentence_or_an_encoder_that_works(place, damage):
    state = json.loads(json.dumps(STATE))
    if not place:
        state = damage
    else:
        part = state
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = damage
    try:
        encoder = TableEncoder.from_state(state)
    except ValueError:
        return
    assert encoder.report()
    assert TableEncoder.from_state(encoder.state_dict()).feature_names == encoder.feature_names


# --- later files ------------------------------------------------------------------------------------------------------


def german(number):
    """A number as it is written in Germany."""
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


DAYS = st.dates(date(1950, 1, 1), date(2050, 1, 1))
SPELLED = {
    "points": (st.floats(-1e4, 1e4).map(lambda x: f"{x:.2f}"), ["0.25"]),
    "commas": (st.floats(-1e4, 1e4).map(german) | st.integers(1, 9).map("{}.000".format), ["0,25"]),
    "codes": (st.integers(0, 30).map("{:03d}".format), []),
    "numbers": (st.integers(0, 30).map(str), []),
    "words": (st.sampled_from(["low", "mid", "high", "1", "NA", "?"]), []),
    "truths": (st.sampled_from(["yes", "No", "YES"]), []),
    "iso": (DAYS.map(date.isoformat), []),
    "day first": (DAYS.map("{:%d/%m/%Y}".format), ["31/12/2024"]),
    "month first": (DAYS.map("{:%m/%d/%Y}".format), ["12/31/2024"]),
    "dots": (DAYS.map("{:%d.%m.%Y %H:%M}".format), []),
}


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """A function that writes the columns of a table to a CSV file and gives its path."""
    path = tmp_path_factory.mktemp("encoding") / "table.csv"

    def written(columns, separator=","):
        with path.open("w", newline="") as file:
            rows = zip(*columns.values(), strict=True)
            csv.writer(file, delimiter=separator).writerows([columns, *rows])
        return path

    return written


@st.composite
def spelled_columns(draw):
    """Columns of texts, of which each tells how it is to be read, and the separator of their file."""
    kinds = draw(st.lists(st.sampled_from(list(SPELLED)), min_size=1, max_size=4))
    separator = ";" if "commas" in kinds else draw(st.sampled_from(",;\t"))
    n = draw(st.integers(2, 6))
    columns = {"sure": [str(10 * i) for i in range(n + 1)]}
    for k, kind in enumerate(kinds):
        texts, telling = SPELLED[kind]
        cells = draw(st.lists(texts, min_size=n, max_size=n)) + telling
        columns[f"{kind} {k}"] = draw(st.permutations([*cells, cells[0]][: n + 1]))
    return columns, separator


@given(spelled_columns(), st.data())
@settings(max_examples=examples(100), deadline=None)
def test_each_row_of_a_file_is_read_alone_and_as_texts_of_a_frame_as_in_training(write, spelled, data):
    columns, separator = spelled
    encoder = TableEncoder.of(write(columns, separator), None)
    encoder = TableEncoder.from_state(json.loads(json.dumps(encoder.state_dict())))
    rows = listed(encoder.inputs(write(columns, separator)))
    i = data.draw(st.integers(0, len(rows) - 1))
    row = {name: [cells[i]] for name, cells in columns.items()}
    assert listed(encoder.inputs(write(row, separator))) == [rows[i]]
    assert listed(encoder.inputs(row)) == [rows[i]]
    assert listed(encoder.inputs(write({**row, "more": ["=A1+B2"], "when": ["1/2/2024"]}, separator))) == [rows[i]]


def test_a_later_file_does_not_turn_day_and_month_or_points_and_commas(write):
    days = TableEncoder.of(write({"d": ["1/2/2024", "3/13/2024", "2/1/2024"], "x": [1, 2, 4]}), None)
    assert listed(days.inputs({"d": [date(2024, 3, 4)], "x": [1]})) == listed(
        days.inputs(write({"d": ["3/4/2024"], "x": [1]}, ";"))
    )
    with pytest.raises(ValueError, match=r"has '13/4/2024' .* such as 12/31/2024 is wanted.* day_first=True"):
        days.inputs(write({"d": ["13/4/2024"], "x": [1]}))
    numbers = TableEncoder.of(write({"x": ["1.100,5", "2,5", "7"], "z": [1, 2, 4]}, ";"), None)
    with pytest.raises(ValueError, match=r"has '1100\.5' .* such as 1234,5 is wanted.* decimal='\.'"):
        numbers.inputs(write({"x": ["1100.5"], "z": [1]}, ";"))
    path = write({"x": ["1.234"], "z": [1]})
    with pytest.raises(ValueError, match=r"has 1\.234 in column 'x', whose numbers were written with decimal commas"):
        numbers.inputs(path)
    assert listed(numbers.inputs(Table(path, decimal="."))) == [[1.234, 1.0]]


def test_words_for_gaps_are_known_later(write):
    table = Table(write({"x": ["4", "2", "k.A."], "y": [1, 2, 3]}), gap_words=["k.A."])
    encoder = TableEncoder.from_state(TableEncoder.of(table, "y").state_dict())
    assert listed(encoder.inputs(write({"x": ["k.A.", "5"]}))) == [[3.0, 1.0], [5.0, 0.0]]


def test_rare_texts_are_known_where_unseen_ones_are_errors():
    texts = [f"t{k}" for k in range(MOST_CATEGORIES + 5)]
    encoder = TableEncoder.of({"code": texts * 2}, None, unseen="error")
    encoder = TableEncoder.from_state(json.loads(json.dumps(encoder.state_dict())))
    assert len(encoder.inputs({"code": texts})) == len(texts)
    with pytest.raises(ValueError, match="row 0 of the mapping has 'new' in column 'code'"):
        encoder.inputs({"code": ["new"]})


@given(st.lists(st.integers(1, 99_999), min_size=2, max_size=5, unique=True))
@settings(max_examples=examples(20), deadline=None)
def test_postcodes_of_a_frame_with_gaps_and_of_a_file_meet(write, codes):
    frame = pd.DataFrame({"zip": [*codes, None]})
    encoder = TableEncoder.of(frame, None, text={"zip": "one-hot"})
    rows = listed(encoder.inputs(frame))
    assert all(sum(row[:-1]) == 1.0 for row in rows)
    with_row = {"row": range(len(rows))}
    for cells in ([*codes, ""], [*map(float, codes), ""]):
        assert listed(encoder.inputs(write({"zip": cells, **with_row}))) == rows


def test_codes_that_a_frame_has_lost_are_an_error(write):
    path = write({"z": ["001", "011", "001", "011"], "x": [1, 2, 3, 5]})
    encoder = TableEncoder.of(path, None)
    with pytest.raises(
        ValueError, match=r"has numbers in column 'z', which held texts such as '001'.*dtype=\{'z': str\}"
    ):
        encoder.inputs(pd.read_csv(path))
    assert listed(encoder.inputs(pd.read_csv(path, dtype={"z": str}))) == listed(encoder.inputs(path))


@given(
    st.lists(st.sampled_from(["yes", "no", "Yes", "NO", "YES"]), min_size=3), st.sampled_from([str.lower, str.upper])
)
def test_yes_and_no_are_two_classes_in_any_spelling(words, spell):
    words = ["yes", "no", *words]
    table = Table({"x": range(len(words)), "y": words})
    encoder = TableEncoder.of(table, "y")
    assert [label.lower() for label in encoder.classes] in (["no", "yes"], ["yes", "no"])
    numbers = listed(encoder.targets(table))
    assert [encoder.classes[k].lower() for k in numbers] == [word.lower() for word in words]
    assert listed(encoder.targets({"y": list(map(spell, words))})) == numbers


def test_whatever_makes_a_table_is_taken(write):
    columns = {"x": [1, 2, 4], "y": ["a", "b", "a"]}
    for source in (columns, pd.DataFrame(columns), write(columns), str(write(columns))):
        encoder = TableEncoder.of(source, "y")
        assert listed(encoder.inputs(source)) == [[1.0], [2.0], [4.0]]
        assert listed(encoder.targets(source)) == [0, 1, 0]
    assert encoder.inputs(Table(columns).rows([])).shape == (0, 1)


def test_numbers_as_large_as_floats_go_have_a_mean():
    encoder = TableEncoder.of({"x": [1.5e308, 1.0e308, 0.5e308, None]}, None)
    assert listed(encoder.inputs({"x": [None]})) == [[pytest.approx(1e308), 1.0]]


def test_times_with_and_without_a_zone_are_read_alike(write):
    encoder = TableEncoder.of({"at": [datetime(2024, 1, 1, 10), datetime(2024, 1, 2, 8)], "x": [1, 2]}, None)
    rows = listed(encoder.inputs(write({"at": ["2024-01-01T12:00+05:00", "2024-01-01T07:00"], "x": [1, 1]})))
    assert rows[0] == rows[1]


def test_a_column_that_only_numbers_the_rows_gets_a_hint():
    columns = {"id": range(5, 35), "size": [k % 7 for k in range(30)], "people": [1000 * k**2 for k in range(30)]}
    encoder = TableEncoder.of(Table(columns).rows(range(0, 30, 2)), None)
    assert "'id' is another whole number in each row: leave it out (--drop id) if" in encoder.report()
    assert "'people' is" not in encoder.report()
    assert "'size' is" not in encoder.report()


def test_names_with_accents_are_found_however_they_are_written():
    encoder = TableEncoder.of({"Gro\u0308\u00dfe": [1, 2], "y\u0308": [1, 2]}, "y\u0308")
    assert listed(encoder.inputs({"Gr\u00f6\u00dfe": [5]})) == [[5.0]]


def test_texts_of_a_frame_that_look_like_dates_are_pointed_out():
    texts = [f"{day:02d}.09.2025" for day in range(1, 25)]
    assert "texts that look like dates" in TableEncoder.of({"d": texts, "x": range(24)}, None).report()


def test_an_encoder_is_learned_not_made():
    with pytest.raises(TypeError, match=r"TableEncoder\.of\(table, target\)"):
        TableEncoder()
