"""Does a CSV file become the table that its owner means, and does whatever is unclear get one clear sentence?"""

import csv
import gzip
import io
import math
from datetime import date, datetime

import pandas as pd
import pytest
from hypothesis import example, given, settings, strategies as st

from nn import Table
from tests.sampling import examples


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """A function that writes text or bytes to a CSV file and gives its path."""
    path = tmp_path_factory.mktemp("csv") / "table.csv"

    def written(content):
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return written


@pytest.fixture(scope="module")
def read(write):
    """A function that reads text or bytes as a table."""
    return lambda content, **options: Table(write(content), **options)


def values(table):
    """All columns, which are read one by one when they are asked for."""
    return {name: table[name].values for name in table.names}


def one_column(cells, separator=","):
    """A file with the cells as its column x, and another column that is complete."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerows([["x", "row"], *([cell, i] for i, cell in enumerate(cells))])
    return out.getvalue()


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,é\n".encode(),
        "a,b\n1,é\n".encode("utf-8-sig"),
        "a,b\n1,é\n".encode("utf-16"),
        b"\xfe\xff" + "a,b\n1,é\n".encode("utf-16-be"),
        "a,b\n1,é\n".encode("utf-32"),
        "a,b\n1,é\n".encode("cp1252"),
        gzip.compress("a,b\n1,é\n".encode(), mtime=0),
        "a,b\r\n1,é\r\n",
        "a,b\r1,é\r",
        "a,b\n1,é",
        "\n\na,b\n\n1,é\n\n",
        "  \na,b\n   \n1,é\n  \n",
        " a , b \n 1 , é \n",
        '"a","b"\n"1","é"\n',
        'a, "b"\n1, "é"\n',
        "a;b\n1;é\n",
        "a\tb\n1\té\n",
        "a|b\n1|é\n",
        "sep=;\r\na;b\r\n1;é\r\n",
        ",a,b\n7,1,é\n",
        "Unnamed: 0,a,b\n0,1,é\n",
        "a,b,\n1,é,\n",
        "a,,b\n1,,é\n",
    ],
)
def test_one_table_may_be_written_in_many_ways(read, content):
    assert values(read(content)) == {"a": [1], "b": ["é"]}


def test_what_is_guessed_of_a_file_is_said(read):
    assert "line 2 has the byte 0xe9" in str(read("a,b\n1,é\n".encode("cp1252")))
    assert "Windows-1252" in str(read("a,b\n1,é\n".encode("cp1252")))
    assert "first column has no name" in str(read(",a\n7,1\n"))
    assert "'Unnamed: 0'" in str(read("Unnamed: 0,a\n0,1\n"))
    assert "column 2 has no name and no values" in str(read("a,\n1,\n"))
    assert read("a,b\n1,é\n").remarks == []


def test_a_first_column_that_does_not_count_is_kept(read):
    assert read("Unnamed: 0,a\n3,1\n4,2\n").names == ["Unnamed: 0", "a"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("size, mm;kind\n1,5;a\n2,5;b\n", {"size, mm": [1.5, 2.5], "kind": ["a", "b"]}),
        ("a,b\n1;2,3\n4;5,6\n", {"a": ["1;2", "4;5"], "b": [3, 6]}),
        ('a,"b;c"\n1,2\n', {"a": [1], "b;c": [2]}),
        ("a,b;c\n1,2\n", {"a": [1], "b;c": [2]}),
        ("a;b,c\n1;2\n", {"a": [1], "b,c": [2]}),
        ('a\n"1,2"\n', {"a": ["1,2"]}),
        ('a\n""\n1\n', {"a": [None, 1]}),
        ("0,1,2\n5,6,7\n", {"0": [5], "1": [6], "2": [7]}),
        ("2019,2020\n5,6\n", {"2019": [5], "2020": [6]}),
        ("country,2010,2020\nPeru,6,5\n", {"country": ["Peru"], "2010": [6], "2020": [5]}),
        ("red,other\nred,\n,other\n", {"red": ["red", None], "other": [None, "other"]}),
        ('a,b\n"two\nlines",1\n', {"a": ["two\nlines"], "b": [1]}),
        ('a,b\n"say ""hi""",1\n', {"a": ['say "hi"'], "b": [1]}),
        ('a,b\n5" pipe,1\n', {"a": ['5" pipe'], "b": [1]}),
    ],
)
def test_separators_and_quotes_are_told_from_what_is_in_the_cells(read, content, expected):
    assert values(read(content)) == expected


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        ("", ["is empty", "column names"]),
        ("\n \n", ["is empty"]),
        (",,\n", ["is empty"]),
        (b"\xef\xbb\xbf", ["is empty"]),
        (b"\xff\xfe", ["is empty"]),
        ("a,b\n", ["no rows", "add at least one row"]),
        ("a,b\n1,2\n3\n", ["line 3 has 1 cell", "2 columns"]),
        ("a,b\n1,2,3\n", ["line 2 has 3 cells", "2 columns"]),
        ('a,b\n"two\nlines",1\n\n1,2,3\n', ["line 5 has 3 cells"]),
        ("a,b\r1,2\r3\r", ["line 3 has 1 cell", "contains a comma"]),
        ("a;b\n1;2\n3\n", ["line 3 has 1 cell", "contains a semicolon"]),
        ('"a\nb",c\n1e999,2\n', ["line 3", "column 'a b'"]),
        ('"a\nb","a\nb"\n1,2\n', ["two columns named 'a b'"]),
        ("sep=;\na;b\n1\n", ["line 3 has 1 cell"]),
        ("a,b\n" + "1,2\n" * 700 + "3\n", ["line 702 has 1 cell"]),
        ("a,b\n" + "\n1,2\n" * 700 + "3\n", ["line 1402 has 1 cell"]),
        ("a,a\n1,2\n", ["two columns named 'a'", "rename"]),
        ("a,,c\n1,2,3\n", ["no name for column 2 of 3"]),
        ("5.1,3.5,setosa\n4.9,3,setosa\n", ["numbers such as 5.1 in its first line", "column names"]),
        ("1,2,4\n4,9,3\n", ["numbers such as 1 in its first line"]),
        ("39, State-gov, Male\n50, State-gov, Female\n", ["numbers such as 39 in its first line"]),
        ('a,b\n1,"2\n3,4\n', ["line 2", "quotation marks"]),
        ('a,b\n1,2\n3,"4"5\n', ["line 3", "quotation marks"]),
        ("a,b\n" + "1,2\n" * 700 + '"3,4\n5,6\n', ["line 702", "quotation marks"]),
        ("a,b\n" + "1,2\n" * 249 + '"3,4\n5,6\n', ["line 251", "quotation marks"]),
        ("a\n" + "x" * 200_000, ["line 2", "131072", "shorten the cell"]),
        ("Title\na,b,c\n1,2,3\n", ["line 2 has 3 cells", "remove the line", "the first"]),
        ("a,b\n1,2\nTotal\n", ["line 3 has 1 cell", "remove the line", "a sum"]),
        ("a,b\n1,\x00\n", ["line 2", "NUL", "CSV UTF-8"]),
        ("a,b\n1,2\n".encode("utf-16-le"), ["line 1", "NUL"]),
        (b"\xff\xfea\x00,", ["is not UTF-16 text", "line 1"]),
        (b"a\n1\n\x81\n", ["not UTF-8", "line 3", "0x81"]),
        (b"\x89PNG\r\n\x1a\n\x05", ["not UTF-8", "0x89"]),
        (b"PK\x03\x04xlsx", ["Excel", "save it as"]),
        (b"PAR1", ["Parquet"]),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], ["damaged gzip"]),
        (b"\x1f\x8b\x00", ["damaged gzip"]),
        ("a,b\n1,2\n3,inf\n", ["line 3", "inf", "column 'b'", "write the number"]),
        ("a,b\n1,-Infinity\n", ["line 2", "-Infinity", "column 'b'"]),
        ("a,b\n1,1e999\n", ["line 2", "1e999", "column 'b'"]),
        ("a,b\n,1\n9" + "0" * 400 + ",2\n", ["line 3", "9000", "column 'a'"]),
        ("a\n" + "9" * 5000, ["line 2", "9999", "column 'a'"]),
        ("a,b\n1,=A1+B2\n", ["line 2", "'=A1+B2'", "formula", "column 'b'"]),
        ('a,b\n1,2\n3,"=SUM(A1,B1)"\n', ["line 3", "=SUM(A1,B1)", "column 'b'"]),
        ("a,b\n1,2\n3,#DIV/0!\n", ["line 3", "#DIV/0!", "column 'b'", "spreadsheet"]),
        ("a,b\nx,#REF!\n", ["line 2", "#REF!"]),
        ("a,b\n,1\n1/2/2024,2\n3/4/2024,3\n", ["line 3", "1/2/2024", "column 'a'", "write dates as 2024-12-31"]),
    ],
)
def test_whatever_is_unclear_gets_one_sentence(write, content, fragments):
    path = write(content)
    with pytest.raises(ValueError, match=r"\.$") as caught:
        values(Table(path))
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < 300 + len(str(path))
    for fragment in fragments:
        assert fragment in message


def test_a_file_that_is_not_there_is_an_os_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        Table(tmp_path / "nowhere.csv")
    with pytest.raises(OSError, match=tmp_path.name):
        Table(tmp_path)


def test_formulas_and_errors_may_be_read_as_text(read):
    table = read("a,b\n=A1+B2,#REF!\n", text=["a", "b"])
    assert values(table) == {"a": ["=A1+B2"], "b": ["#REF!"]}


# --- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        (["1", "-2", "+3"], "number", [1, -2, 3]),
        (["1", "2.5", "1e3"], "number", [1.0, 2.5, 1000.0]),
        (["1.", ".5", "-0"], "number", [1.0, 0.5, 0.0]),
        (["\u22121", "2.5"], "number", [-1.0, 2.5]),
        (["0", "0.5", "00.5"], "number", [0.0, 0.5, 0.5]),
        (["123456789012345678901", "1"], "number", [123456789012345678901, 1]),
        (["1", " NA ", " ", "2.5"], "number", [1.0, None, None, 2.5]),
        (["1", "", "NA", "?", "NaN", "#N/A", "null", "None", "2"], "number", [1, *[None] * 7, 2]),
        (["", "?"], "number", [None, None]),
        (["True", "FALSE", "", "true"], "boolean", [True, False, None, True]),
        (["Yes", "no", "NO"], "boolean", [True, False, False]),
        (["yes", "true"], "text", ["yes", "true"]),
        (["yes", "maybe"], "text", ["yes", "maybe"]),
        (["t", "f"], "text", ["t", "f"]),
        (["a", "", " b "], "text", ["a", None, "b"]),
        (["01234", "90210"], "text", ["01234", "90210"]),
        (["-01", "2"], "text", ["-01", "2"]),
        (["1_000", "2"], "text", ["1_000", "2"]),
        (["\u0663", "\u0664"], "text", ["\u0663", "\u0664"]),
        (["1 2", "3"], "text", ["1 2", "3"]),
        (["1\n2", "3"], "text", ["1\n2", "3"]),
        (["0x10", "1"], "text", ["0x10", "1"]),
        (["1,5", "2,5"], "text", ["1,5", "2,5"]),
        (["inf", "sup"], "text", ["inf", "sup"]),
        (["= a", "=)"], "text", ["= a", "=)"]),
        (["2024-01-31", "", "1999-12-01"], "date", [date(2024, 1, 31), None, date(1999, 12, 1)]),
        (["2024-01-31", "2024-01-31 10:20"], "date", [datetime(2024, 1, 31), datetime(2024, 1, 31, 10, 20)]),
        (["2024-01-31T10:20:30.5"], "date", [datetime(2024, 1, 31, 10, 20, 30, 500000)]),
        (["2024-01-31T10:20:30Z", "2024-01-31 10:20+01:00"], "date",
         [datetime(2024, 1, 31, 10, 20, 30), datetime(2024, 1, 31, 9, 20)]),
        (["2024-01-31 10:20Z", "2024-01-31 10:20"], "text", ["2024-01-31 10:20Z", "2024-01-31 10:20"]),
        (["31.12.2024", "1.2.2024"], "date", [date(2024, 12, 31), date(2024, 2, 1)]),
        (["31.12.2024 8:05", "1.2.2024"], "date", [datetime(2024, 12, 31, 8, 5), datetime(2024, 2, 1)]),
        (["2024/1/31", "2024/12/01"], "date", [date(2024, 1, 31), date(2024, 12, 1)]),
        (["1/2/2024", "13/2/2024"], "date", [date(2024, 2, 1), date(2024, 2, 13)]),
        (["1/2/2024", "2/13/2024"], "date", [date(2024, 1, 2), date(2024, 2, 13)]),
        (["1-2-2024", "2-13-2024"], "date", [date(2024, 1, 2), date(2024, 2, 13)]),
        (["1/1/2024", "3/3/2024"], "date", [date(2024, 1, 1), date(2024, 3, 3)]),
        (["1/22/2024 12:30 AM", "3/4/2024 1:05:09 pm"], "date",
         [datetime(2024, 1, 22, 0, 30), datetime(2024, 3, 4, 13, 5, 9)]),
        (["1/13/2024", "13/1/2024"], "text", ["1/13/2024", "13/1/2024"]),
        (["2023-02-29", "2024-02-29"], "text", ["2023-02-29", "2024-02-29"]),
        (["12:30", "13:45"], "text", ["12:30", "13:45"]),
        (["1.2.3", "4.5.6"], "text", ["1.2.3", "4.5.6"]),
    ],
)  # fmt: skip
def test_the_kind_of_a_column(read, cells, kind, expected):
    column = read(one_column(cells))["x"]
    assert (column.kind, column.values) == (kind, expected)
    assert list(map(type, column.values)) == list(map(type, expected))
    assert column.gaps == expected.count(None)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,5", "2"], [1.5, 2.0]),
        (["1.234,5", "-12.000.000", "3"], [1234.5, -12000000.0, 3.0]),
        (["1.234", "5.678"], [1.234, 5.678]),
        ([",5", "2,5e3"], [0.5, 2500.0]),
        (["1,5", ""], [1.5, None]),
        (["1,5", "1.5"], ["1,5", "1.5"]),
        (["1.23,5", "1"], ["1.23,5", "1"]),
        (["1/2/2024", "3/4/2024"], [date(2024, 2, 1), date(2024, 4, 3)]),
    ],
)
def test_semicolons_leave_the_comma_to_numbers(read, cells, expected):
    assert read(one_column(cells, ";"))["x"].values == expected


def test_points_that_may_stand_between_thousands_get_a_remark(read):
    assert "1.234 is less than 1000" in read(one_column(["1.234", "5.678"], ";"))["x"].remark
    assert "1.234 is less than 1000" in read(one_column(["", "1.234", "980"], ";"))["x"].remark
    assert not read(one_column(["1.234", "0.678"], ";"))["x"].remark
    assert not read(one_column(["1.234", "5.678"], ","))["x"].remark


def test_the_cell_that_made_text_of_a_column_is_named_where_numbers_have_commas(read):
    remark = read(one_column(["4,0", "2,3", "k.A."], ";"))["x"].remark
    assert "line 4 has 'k.A.', so all cells are text: leave a cell empty if it is a gap, or read" in remark
    assert "gap_words=['k.A.']" in remark


def test_tabs_leave_the_comma_to_numbers_but_say_nothing_of_dates(read):
    assert read(one_column(["1,5", "2"], "\t"))["x"].values == [1.5, 2.0]
    with pytest.raises(ValueError, match="whether the day comes first"):
        values(read(one_column(["1/2/2024"], "\t")))


@pytest.mark.parametrize(
    ("cells", "remark"),
    [
        (["1", "2", "n.a."], "line 4 has 'n.a.', so all cells are text: leave a cell empty if it is a gap"),
        (["1", "2,345"], "line 3 has '2,345', so all cells are text: write numbers as 1234.5"),
        (["12%", "13%"], "line 2 has '12%', so all cells are text: write numbers without a sign"),
        (["1", "\u20ac 3.50"], "line 3 has '\u20ac 3.50'"),
        (["\u0663", "\u0664"], "write numbers with the digits 0 to 9"),
        (["", "007", "12"], "line 3 has '007', with a zero in front"),
        (["2024-01-01", "2023-02-29"], "line 3 has '2023-02-29', so all cells are text: write dates as 2024-12-31"),
        (["1/13/2024", "3/4/2024"], "dates are month/day/year"),
        (["2024-01-31T10:20:30Z"], "times in UTC"),
        (["", "?"], "all cells are gaps"),
        (["1 Jan 2024", "2 Feb 2024"], "line 2 has '1 Jan 2024', so all cells are text: write dates as 2024-12-31"),
        (["10:30", "9:15 pm"], "line 2 has '10:30', so all cells are text: write times with their date"),
        (["NA", "PE", "None", "PE"], "'NA', 'None': taken for gaps"),
        (["?", "PE", ""], ""),
        (["red", "green", "7"], ""),
        (["1", "2.5", ""], ""),
    ],
)
def test_a_remark_says_what_was_decided_and_why(read, cells, remark):
    table = read(one_column(cells))
    assert remark in table["x"].remark
    assert bool(remark) == bool(table["x"].remark)
    shown = " ".join(str(table).split())
    assert remark in shown


def test_columns_are_text_where_somebody_says_so(read):
    table = read("a,b,c\n90210,1,2\n10001,,3\nNA,?,NA\n", text=["a", "b"])
    assert values(table) == {"a": ["90210", "10001", None], "b": ["1", None, None], "c": [2, 3, None]}
    with pytest.raises(ValueError, match=r"has no column 'd': choose from a, b, c\."):
        read("a,b,c\n90210,1,2\n", text=["d"])


@pytest.mark.parametrize("separator", ["\t", ";", "|"])
@given(st.lists(st.integers(1000, 999_999), min_size=1, max_size=5), st.integers(0, 999))
def test_commas_between_thousands_are_not_taken_for_decimal_commas(write, separator, large, small):
    path = write(one_column([str(small), *(f"{number:,}" for number in large)], separator))
    with pytest.raises(ValueError, match=r"line 3 has .* commas may stand before decimals or between thousands"):
        values(Table(path))
    assert Table(path, decimal=".")["x"].values == [small, *large]
    assert Table(path, decimal=",")["x"].values == [small, *(number / 1000 for number in large)]
    assert Table(path, text=["x"])["x"].values[1] == f"{large[0]:,}"


def test_zeros_or_other_digits_tell_that_commas_are_decimal(read):
    assert read(one_column(["1,234", "0,125"], ";"))["x"].values == [1.234, 0.125]
    assert read(one_column(["1,234", "1,5"], "\t"))["x"].values == [1.234, 1.5]


def test_somebody_may_say_how_numbers_and_dates_are_written(read, write):
    assert read(one_column(["1,5", "1.234"]), decimal=",")["x"].values == [1.5, 1234.0]
    assert read(one_column(["1.234", "5"], ";"), decimal=",")["x"].values == [1234, 5]
    for day_first, expected in ((True, date(2024, 2, 1)), (False, date(2024, 1, 2))):
        assert read(one_column(["1/2/2024"], ";"), day_first=day_first)["x"].values == [expected]
        assert Table(Table(write(one_column(["1/2/2024"]))), day_first=day_first)["x"].values == [expected]
    assert read(one_column(["1/2/2024", "13/2/2024"]), day_first=False)["x"].kind == "text"
    with pytest.raises(ValueError, match="decimal takes"):
        read(one_column(["1"]), decimal="'")
    with pytest.raises(ValueError, match="day_first takes True or False"):
        read(one_column(["1"]), day_first="yes")


@given(st.lists(st.sampled_from(["k.A.", "n. t.", "1", "-2", "", "NA", "-", "\u2013"]), min_size=1, max_size=6))
def test_words_for_gaps_may_be_given(read, cells):
    table = read(one_column(cells), gap_words=["k.A.", " n. t. "])
    assert table["x"].values == [int(cell) if cell in ("1", "-2") else None for cell in cells]
    assert Table({"x": cells}, gap_words=table.gap_words)["x"].gaps == table["x"].gaps
    assert Table(read(one_column(cells)), gap_words=["k.A.", "n. t."])["x"].values == table["x"].values


def test_a_column_is_read_when_it_is_asked_for(read):
    table = read("a,a,b,c,d\n1,2,=A1,1/2/2024,7\n")
    assert table["d"].values == [7]
    assert values(table.drop("a", "b", "c")) == {"d": [7]}
    for name, words in (("a", "two columns named 'a'"), ("b", "formula"), ("c", "day comes first")):
        with pytest.raises(ValueError, match=words):
            table[name]
        assert words in " ".join(str(table).split())
    assert table.read("c", "date", day_first=True).values == [date(2024, 2, 1)]
    assert table.read("c", "text").values == ["1/2/2024"]
    with pytest.raises(ValueError, match=r"line 2 has '1/2/2024' in column 'c', where a number such as"):
        table.read("c", "number")


def test_the_words_of_truth_values_are_kept(read):
    table = read("y,x\nYes,1\nno,2\n")
    assert table["y"].kind == "boolean"
    assert Table(table, text=["y"]).rows([1, 0])["y"].values == ["no", "Yes"]


def test_letters_with_accents_make_one_name_however_they_are_written(read):
    table = read("Gro\u0308\u00dfe,x\n1,2\n")
    assert table.names == ["Gr\u00f6\u00dfe", "x"]
    assert table["Gro\u0308\u00dfe"].values == [1]
    assert table.drop("Gro\u0308\u00dfe").names == ["x"]


@pytest.mark.parametrize(
    ("path", "words"), [("", "give its name"), ("a\0b", "give its name"), ("https://example.org/a.csv", "download it")]
)
def test_what_is_no_path_is_a_sentence(path, words):
    with pytest.raises(ValueError, match=words):
        Table(path)


def test_every_row_knows_its_line(read):
    table = read('a,b\n"two\nlines",1\n\n3,4\n5,6\n')
    assert [table.where(i).rpartition(", ")[2] for i in range(3)] == ["line 2", "line 5", "line 6"]
    assert [table.rows([2, 0]).where(i).rpartition(", ")[2] for i in range(2)] == ["line 6", "line 2"]


# --- properties -------------------------------------------------------------------------------------------------------

plain_words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=5).filter(
    lambda word: (
        word.lower() not in {"true", "false", "yes", "no", "inf", "infinity", "-", "\u2013", "\u2014"}
        and not set(word) & set("=#?\"'")
    )
)
gaps = st.sampled_from(["", "NA", "NaN", "nan", "null", "N/A", "#N/A", "None", "<NA>"])
numbers = st.integers(-(2**53), 2**53).map(str) | st.floats(allow_nan=False, allow_infinity=False).map(repr)


def columns_of(rows):
    cells = st.sampled_from(
        [numbers, numbers | gaps, plain_words, plain_words | gaps, st.sampled_from(["True", "False"])]
    )
    return st.lists(cells.flatmap(lambda cell: st.lists(cell, min_size=rows, max_size=rows)), min_size=1, max_size=4)


@settings(max_examples=examples(300))
@given(st.integers(1, 6).flatmap(columns_of), st.sampled_from(["\n", "\r\n"]))
def test_numbers_gaps_and_texts_are_those_of_pandas(write, columns, line_end):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=line_end, quoting=csv.QUOTE_ALL if len(columns) == 1 else csv.QUOTE_MINIMAL)
    writer.writerows([[f"c{j}" for j in range(len(columns))], *zip(*columns, strict=True)])
    path = write(out.getvalue())
    table = Table(path)
    frame = pd.read_csv(path)
    texts = pd.read_csv(path, dtype=str)
    as_frame = Table(frame)
    for name in table.names:
        column, theirs = table[name], frame[name]
        assert [value is None for value in column.values] == theirs.isna().tolist()
        assert (column.kind, column.gaps) == (as_frame[name].kind, as_frame[name].gaps)
        if column.kind in ("number", "boolean"):
            ours = [math.nan if value is None else value for value in column.values]
            pd.testing.assert_series_equal(pd.Series(ours, name=name), theirs, check_dtype=False, rtol=1e-15, atol=0)
        elif column.kind == "text":
            assert column.values == [None if pd.isna(text) else text for text in texts[name]]


pieces = st.sampled_from(
    [
        *'ab,;\t|"\n\r 10-?_%é\0\ufeff\u2028',
        "\r\n",
        "2.5",
        "e9",
        "=A1",
        "#REF!",
        "NA",
        "true",
        "no",
        "inf",
        "sep=;",
        "1,5",
    ]
) | st.sampled_from(["2024-01-31", "31.12.2024", "1/2/24", "1/2/2024"])
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"])
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
times = st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31)).map(lambda at: at.replace(microsecond=0))


@settings(max_examples=examples(100))
@given(
    st.lists(days, min_size=1, max_size=5),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"]),
)
def test_dates_are_read_as_they_were_written(read, dates, form):
    dates = [*dates, date(2024, 12, 31)]  # which tells the day from the month
    assert read(one_column([day.strftime(form) for day in dates]))["x"].values == dates


@settings(max_examples=examples(100))
@given(
    st.lists(times, min_size=1, max_size=5),
    st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"]),
)
def test_times_are_read_as_they_were_written(read, moments, form):
    moments = [*moments, datetime(2024, 12, 31, 23, 59, 1)]
    assert read(one_column([at.strftime(form) for at in moments]))["x"].values == moments


texts_of_pieces = st.lists(pieces, max_size=40).map("".join)
VALID = """name,age,"size, mm",member,since\n"Ann ""A""\n",31,1.5,yes,2024-01-31\nBo,,2e3,no,\n,40,?,YES,2023-12-01\n"""


@st.composite
def mutated(draw):
    """A valid file in which some places were written over."""
    text = draw(st.sampled_from([VALID, VALID.replace(",", ";").replace(".", ","), VALID.replace("\n", "\r\n")]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(pieces) + text[start + draw(st.integers(0, 3)) :]
    return text


any_texts = st.builds(lambda text, encoding: text.encode(encoding, "replace"), texts_of_pieces | mutated(), encodings)
valid_starts = st.sampled_from([b"a,b\n", b"a;b\n1;2,5\n", b"\x1f\x8b", b"\xff\xfe", b"PK\x03\x04", b"\xef\xbb\xbfa\n"])


@settings(max_examples=examples(600))
@given(any_texts | st.binary(max_size=60) | st.builds(bytes.__add__, valid_starts, st.binary(max_size=60)))
@example(b"a\n\x00\n")
@example(b'a\n"')
@example(b"a\n" + b"9" * 5000)
@example(b"Unnamed: 0,\n0,\n")
def test_any_bytes_are_either_a_table_or_a_sentence_that_names_the_file(write, content):
    path = write(content)
    try:
        table = Table(path)
        assert all(len(line) <= 80 for line in str(table).splitlines()[1:] if str(path) not in line)
        values(table)
    except ValueError as error:
        message = str(error)
        assert message.startswith(str(path))
        assert message.endswith(".")
        assert "\n" not in message
        return
    assert len(table) > 0
    assert table.names
    for name in table.names:
        column = table[name]
        assert len(column) == len(table)
        if column.kind == "number":
            assert all(value is None or math.isfinite(value) for value in column.values)


@pytest.mark.slow
def test_a_million_rows(write):
    rows = 1_000_000
    content = "a,b,c,d,e\n" + "".join(
        f"{i},{i / 7:.6f},{'red' if i % 3 else 'green'},{'' if i % 10 else i},2024-01-{1 + i % 31:02d}\n"
        for i in range(rows)
    )
    table = Table(write(content))
    assert len(table) == rows
    assert [table[name].kind for name in table.names] == ["number", "number", "text", "number", "date"]
    assert table["a"].values == list(range(rows))
    assert table["d"].gaps == rows - rows // 10
    assert table.where(rows - 1).endswith("line 1000001")
    with pytest.raises(ValueError, match="line 1000002 has 1 cell"):
        Table(write(content + "5\n"))
