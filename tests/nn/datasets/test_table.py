"""Are frames, arrays, mappings and lists the tables that their owners mean, and does a table print what it is?"""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, strategies as st

from nn import Table

VALUES = {"n": [1, 2, 3], "x": [0.5, None, -1.0], "word": ["a", None, "c"], "yes": [True, False, True]}
KINDS = {"n": "number", "x": "number", "word": "text", "yes": "boolean"}
RECORDS = [dict(zip(VALUES, row, strict=True)) for row in zip(*VALUES.values(), strict=True)]


def structured():
    array = np.ma.array(
        [(1, 0.5, "a", True), (2, 0.0, "", False), (3, -1.0, "c", True)],
        dtype=[("n", "i2"), ("x", "f4"), ("word", "U4"), ("yes", "?")],
    )
    array["x"][1] = np.ma.masked
    return array


class Rows:
    """An object that is no table."""

    def __repr__(self):
        return "Rows()"


@pytest.mark.parametrize(
    "source",
    [
        VALUES,
        {name: tuple(values) for name, values in VALUES.items()},
        {name: iter(values) for name, values in VALUES.items()},
        {"n": np.array([1, 2, 3], "u1"), "x": pd.Series([0.5, None, -1.0]), **{k: VALUES[k] for k in ("word", "yes")}},
        RECORDS,
        [{name: value for name, value in record.items() if value is not None} for record in RECORDS],
        pd.DataFrame(VALUES),
        pd.DataFrame(VALUES, index=["i", "j", "k"]),
        pd.DataFrame(VALUES).convert_dtypes(),
        pd.DataFrame(VALUES).astype(object),
        pd.DataFrame(VALUES).astype({"word": "category"}),
        pl.DataFrame(VALUES),
        pl.DataFrame(VALUES).with_columns(pl.col("word").cast(pl.Categorical)),
        pl.DataFrame(VALUES).with_columns(pl.col("word").cast(pl.Enum(["a", "b", "c"]))),
        pl.DataFrame(VALUES).with_columns(pl.col("x").cast(pl.Decimal(10, 2))),
        structured(),
        Table(VALUES),
    ],
    ids=lambda source: type(source).__name__,
)
def test_one_table_comes_from_many_sources(source):
    table = Table(source)
    assert {name: table[name].values for name in table.names} == VALUES
    assert {name: table[name].kind for name in table.names} == KINDS
    assert len(table) == 3
    assert table["x"].gaps == 1


@pytest.mark.parametrize("array", [[[1.5, 2.0], [3.0, 4.0]], [(1.5, 2.0), (3.0, 4.0)]])
@pytest.mark.parametrize("convert", [list, np.array, np.ma.array])
def test_arrays_and_lists_of_rows_have_numbered_columns(array, convert):
    table = Table(convert(array))
    assert {name: table[name].values for name in table.names} == {"x0": [1.5, 3.0], "x1": [2.0, 4.0]}


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2.5, True], "number", [1.0, 2.5, 1.0]),
        ([1, True, None], "number", [1, 1, None]),
        ([Decimal("1.5"), Fraction(1, 4), np.float32(0.5), np.int8(3)], "number", [1.5, 0.25, 0.5, 3.0]),
        ([float("nan"), None, pd.NA, pd.NaT, np.ma.masked, np.nan], "number", [None] * 6),
        ([Decimal("sNaN"), 1], "number", [None, 1]),
        ([np.datetime64("2024-01-02T03", "ns"), np.datetime64("NaT")], "date", [datetime(2024, 1, 2, 3), None]),
        ([np.longdouble(0.5), 1], "number", [0.5, 1.0]),
        ([2**70, 1], "number", [2**70, 1]),
        ([np.bool_(True), None], "boolean", [True, None]),
        (["a", " b ", "", "NA", "?"], "text", ["a", "b", None, None, None]),
        (["1", "2"], "text", ["1", "2"]),
        ([1, "a"], "text", ["1", "a"]),
        ([date(2024, 1, 2), "a", 1.5], "text", ["2024-01-02", "a", "1.5"]),
        ([date(2024, 1, 2), None], "date", [date(2024, 1, 2), None]),
        ([date(2024, 1, 2), datetime(2024, 1, 2, 3)], "date", [datetime(2024, 1, 2), datetime(2024, 1, 2, 3)]),
        ([datetime(2024, 1, 2, 3, tzinfo=UTC)], "date", [datetime(2024, 1, 2, 3)]),
        (pd.to_datetime(["2024-01-02 03:04:05.000006", None]), "date", [datetime(2024, 1, 2, 3, 4, 5, 6), None]),
        (pd.Series(pd.to_datetime(["2024-01-02 03:00", None]).tz_localize("Europe/Berlin")), "date",
         [datetime(2024, 1, 2, 2), None]),
        (pd.Series([datetime(2024, 1, 2)], dtype="datetime64[ns]"), "date", [datetime(2024, 1, 2)]),
        (pd.Series([1, 2], dtype="category"), "text", ["1", "2"]),
        (pd.Series([1, None], dtype="Int64"), "number", [1, None]),
        (pd.Series([True, None], dtype="boolean"), "boolean", [True, None]),
        (pd.Series([True, None], dtype=object), "boolean", [True, None]),
        (pd.Series(["a", None], dtype="string"), "text", ["a", None]),
        (pd.cut([1.0, 5.0], [0, 2, 6]), "text", ["(0, 2]", "(2, 6]"]),
        (pd.period_range("2024-01", periods=1, freq="M").to_timestamp(), "date", [datetime(2024, 1, 1)]),
        (np.array(["2024-01-02", "NaT"], "datetime64[D]"), "date", [date(2024, 1, 2), None]),
        (np.array(["2024-01-02T03", "NaT"], "datetime64[ns]"), "date", [datetime(2024, 1, 2, 3), None]),
        (np.array([1.5, np.nan], "f2"), "number", [1.5, None]),
        (np.ma.array([1, 2], mask=[0, 1]), "number", [1, None]),
        (pl.Series([None, None]), "number", [None, None]),
        (pl.Series([1.5, float("nan"), None]), "number", [1.5, None, None]),
        (pl.Series([date(2024, 1, 2), None]), "date", [date(2024, 1, 2), None]),
        (pl.Series([datetime(2024, 1, 2, 3)]).dt.replace_time_zone("Europe/Berlin"), "date", [datetime(2024, 1, 2, 2)]),
        (range(3), "number", [0, 1, 2]),
        ([], "number", []),
    ],
)  # fmt: skip
def test_the_kind_of_a_column(values, kind, expected):
    column = Table({"x": values})["x"]
    assert (column.kind, column.values) == (kind, expected)
    assert list(map(type, column.values)) == list(map(type, expected))


@pytest.mark.parametrize(
    ("source", "fragments"),
    [
        ({}, ["the mapping has no columns"]),
        (pd.DataFrame(), ["the data frame has no columns"]),
        ({"a": [1, 2], "b": [1]}, ["2 values in column 'a'", "1 in column 'b'", "None for a gap"]),
        ({"a\nb": [[1]]}, ["row 0", "column 'a b'"]),
        ({"a": [np.ones((2, 2))]}, ["row 0", "(ndarray)"]),
        ({"a": 5}, ["5 (int)", "column 'a'", "list of values"]),
        ({"a": "abc"}, ["'abc' (str)", "column 'a'"]),
        ({"a": np.array(5.0)}, ["column 'a'", "list of values"]),
        ({"a": [1, [2]]}, ["row 1 of the mapping has [2] (list) in column 'a'", "numbers, texts, bools or dates"]),
        ({"a": [1, 2j]}, ["row 1", "2j (complex)", "column 'a'"]),
        ({"a": [b"x"]}, ["row 0", "b'x' (bytes)", "decode"]),
        ({"a": [timedelta(1)]}, ["row 0", "timedelta", "seconds"]),
        ({"a": [None, float("inf")]}, ["row 1 of the mapping has inf, not a finite number, in column 'a'"]),
        ({"a": [1, -(10**400)]}, ["row 1", "column 'a'", "not a finite number"]),
        (pd.DataFrame({"a": [1.0, np.inf]}), ["row 1 of the data frame has inf", "column 'a'"]),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ["the data frame has 2 columns named 'a'", "rename"]),
        (pd.DataFrame({"a": [pd.Timedelta(1)]}), ["row 0", "Timedelta", "seconds"]),
        (pl.DataFrame({"a": [[1, 2]]}), ["row 0 of the data frame has [1, 2] (list) in column 'a'"]),
        (pl.DataFrame({"a": [{"b": 1}]}), ["row 0", "(dict)", "column 'a'"]),
        (np.array([[1.0, np.inf]]), ["row 0 of the array has inf", "column 'x1'"]),
        (np.zeros(2, [("a", "f8", 3)]), ["row 0 of the array", "column 'a'"]),
        ({"a": np.array(["20240-01-01"], "M8[s]")}, ["row 0", "20240-01-01", "after 9999"]),
        ({"a": np.array(["2024-01-01", "20240-01-01"], "M8[D]")}, ["row 1", "20240-01-01", "after 9999"]),
        ({"a": [np.datetime64("20240-01-01", "s")]}, ["row 0", "year 9999"]),
        ({"a": np.array([5], "m8[ns]")}, ["row 0", "timedelta", "seconds"]),
        ({"a": [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))]}, ["row 0", "before the year 1"]),
        ([[1, 2], [3]], ["row 1 of the list has 1 value", "row 0 has 2"]),
    ],
)
def test_whatever_is_unclear_gets_one_sentence(source, fragments):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        [table[name] for table in [Table(source)] for name in table]
    message = str(caught.value)
    assert "\n" not in message
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize(
    ("source", "fragment"),
    [
        (5, "got 5 (int)"),
        (None, "got None (NoneType)"),
        ([], "got [] (list)"),
        ([1, 2], "got [1, 2] (list)"),
        (np.zeros(3), "(ndarray)"),
        (np.zeros((2, 2, 2)), "(ndarray)"),
        (pd.Series([1]), "got a Series, one column: pass what its to_frame() gives"),
        (pd.DataFrame({"a": [1]}).groupby("a"), "DataFrameGroupBy"),
        (Rows(), "got Rows() (Rows)"),
        (pl.LazyFrame({"a": [1]}), "got a LazyFrame: pass what its collect() gives"),
    ],
)
def test_what_is_no_table_is_refused(source, fragment):
    with pytest.raises(TypeError, match=r"^Table takes .*\.$") as caught:
        Table(source)
    assert fragment in str(caught.value)


def test_names_become_texts():
    assert Table(pd.DataFrame([[1, 2]])).names == ["0", "1"]
    levels = pd.MultiIndex.from_tuples([("a", "min"), ("a", 5)])
    assert Table(pd.DataFrame([[1, 2]], columns=levels)).names == ["a_min", "a_5"]


def test_columns_are_chosen_and_left_out():
    table = Table(VALUES)
    assert table.select(["word", "n"]).names == ["word", "n"]
    assert table.select("word").names == ["word"]
    assert table.drop(["word", "n"]).names == ["x", "yes"]
    assert "word" in table
    assert "word" not in table.drop("word")
    for wrong in (lambda: table["nine"], lambda: table.select(["n", "nine"]), lambda: table.drop("nine")):
        with pytest.raises(ValueError, match=r"the mapping has no column 'nine': choose from n, x, word, yes\."):
            wrong()
    assert table.names == list(VALUES)


@given(st.lists(st.integers(-3, 2)))
def test_rows_are_chosen_in_any_order_and_stay_where_they_were(places):
    chosen = Table(VALUES).rows(places)
    assert len(chosen) == len(places)
    for name in VALUES:
        assert chosen[name].values == [VALUES[name][i] for i in places]
        assert chosen[name].kind == KINDS[name]
    assert [chosen.where(i) for i in range(len(places))] == [f"row {i % 3} of the mapping" for i in places]


@given(st.lists(st.booleans(), min_size=4, max_size=4), st.booleans())
def test_bools_choose_the_rows_where_they_are_true(mask, as_array):
    table = Table({"x": [1, 2, 3, 4]})
    chosen = table.rows(np.array(mask) if as_array else mask)
    assert chosen["x"].values == [x for x, kept in zip([1, 2, 3, 4], mask, strict=True) if kept]


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda table: table.rows([3]), IndexError, "has 3 rows; got the place 3: the first row is 0"),
        (lambda table: table.where(9), IndexError, "got the place 9"),
        (lambda table: table.rows([True, False]), IndexError, "one bool for each of the 3 rows; got 2"),
        (lambda table: table.rows([1.5]), TypeError, r"got 1\.5 \(float\)"),
        (lambda table: table[0], TypeError, "the name of a column"),
        (lambda table: table.columns, AttributeError, "see names"),
    ],
)
def test_wrong_rows_and_names_are_sentences(use, error, words):
    with pytest.raises(error, match=words):
        use(Table(VALUES))


def test_slices_are_rows_and_lists_of_names_are_columns():
    table = Table(VALUES)
    assert table[1:]["n"].values == [2, 3]
    assert table[["word", "n"]].names == ["word", "n"]
    assert table[::-1].to_pandas()["n"].tolist() == [3, 2, 1]


def test_a_table_does_not_change_with_the_list_of_a_column():
    for table in (Table(VALUES), Table(VALUES).rows([0, 1, 2])):
        table["n"].values.append(9)
        assert table["n"].values == [1, 2, 3]


def test_numbers_become_texts_without_points():
    frame = pd.DataFrame({"zip": [90210.0, None, 0.5]})
    assert Table(frame, text=["zip"])["zip"].values == ["90210", None, "0.5"]
    assert Table(frame).read("zip", "text").values == Table(frame)["zip"].as_text().values == ["90210", None, "0.5"]


@given(st.lists(st.integers(-(10**6), 10**6).map(lambda n: n / 100) | st.none(), min_size=1))
def test_texts_of_a_frame_may_be_read_as_numbers(numbers):
    texts = [None if number is None else f"{number:.2f}".replace(".", ",") for number in numbers]
    column = Table({"x": texts}).read("x", "number", decimal=",")
    assert column.values == numbers


def test_names_that_are_numbers_are_known_as_such():
    assert Table({3: [1]}, text=[3])[3].values == ["1"]


def test_columns_are_texts_where_somebody_says_so():
    table = Table(VALUES, text=["n", "yes"])
    assert (table["n"].kind, table["n"].values) == ("text", ["1", "2", "3"])
    assert table["yes"].values == ["True", "False", "True"]
    assert Table(Table(VALUES), text="n")["n"].values == ["1", "2", "3"]
    for source in (VALUES, Table(VALUES)):
        with pytest.raises(ValueError, match="has no column 'nine'"):
            Table(source, text=["nine"])


def test_a_mixed_column_says_why_it_is_text():
    assert Table({"a": [1, None, "x"]})["a"].remark == "row 2 of the mapping has the text 'x', so all cells are text"
    assert "the date '2024-01-02'" in Table({"a": [1, date(2024, 1, 2)]})["a"].remark


def test_a_table_prints_what_it_is():
    table = Table({**VALUES, "when": [date(2024, 1, 2), None, date(2024, 1, 2)], "mix": [1, "a", 2]})
    assert repr(table) == "<Table: 3 rows, 6 columns: the mapping>"
    assert str(table).splitlines() == [
        "the mapping: 3 rows, 6 columns",
        "column  kind     gaps  distinct  examples",
        "--------------------------------------------",
        "n       number      0         3  1, 2, 3",
        "x       number      1         2  0.5, -1",
        "word    text        1         2  a, c",
        "yes     boolean     0         2  True, False",
        "when    date        1         1  2024-01-02",
        "mix     text        0         3  1, a, 2",
        "mix: row 1 of the mapping has the text 'a', so all cells are text",
    ]
    assert "&lt;" in Table({"<b>": [1]})._repr_html_()


def test_a_print_is_80_columns_wide_whatever_the_texts_are():
    table = Table(
        {
            "long" * 40: ["word " * 40, "ab\n\x1b[31m" * 9],
            "変数" * 30: ["変数" * 60, 1.5],
            **{f"c{i}": [i, i] for i in range(99)},
        }
    )
    lines = str(table).splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in str(table)
    assert any("41 more columns are not shown" in line for line in lines)


def test_neither_numpy_nor_pandas_is_needed():
    code = (
        "import sys; sys.modules.update(numpy=None, pandas=None, polars=None); from nn.datasets import Table; "
        "print(Table({'a': [1, None], 'b': ['x', 'y']}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "number" in done.stdout
