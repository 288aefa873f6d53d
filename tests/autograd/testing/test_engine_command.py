"""What does the teacher's command say of many engines: in its table, its exit status, as JSON and as JUnit's XML?"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autograd.terminal import width
from autograd.testing import EngineReport
from autograd.testing.__main__ import main
from autograd.testing.engines.finding import engines_in
from autograd.testing.engines.outcomes import Outcome, as_json, as_junit, passed, table_of
from autograd.testing.engines.report import Claim
from autograd.testing.engines.requirements import NAMES, required, standing

ADDS = """
class Value:
    def __init__(self, data, *parents):
        self.data, self.grad, self.parents = data, 0.0, parents
    def __add__(self, other):
        return Value(self.data + other.data, self, other)
    def backward(self, g=1.0):
        self.grad += g
        for parent in self.parents:
            parent.backward(g)
"""
SUBTRACTS = ADDS.replace("self.data + other.data", "self.data - other.data")
BROKEN = "import not_there\n"
ODD = "class Value:\n    def __init__(self, x): raise RuntimeError('\\x00\\x1b[31m]]><&\\ud800\\ufffe')\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in a folder with a few submissions."""
    monkeypatch.chdir(tmp_path)
    Path("handed in").mkdir()
    for name, text in {"anna": ADDS, "ben": SUBTRACTS, "cem": BROKEN, "dora": ODD}.items():
        Path(f"handed in/{name}.py").write_text(text, encoding="ascii")

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        return (main(arguments), *capsys.readouterr())

    return command


def test_a_pattern_that_the_shell_could_not_expand_is_expanded(run: Run) -> None:
    files = [f"handed in/{name}.py:Value" for name in ("anna", "ben", "cem", "dora")]
    assert engines_in("handed in/*.py:Value") == files
    assert engines_in("handed in/:Value") == files
    assert engines_in("handed in/[ab]*.py:Value") == files[:2]
    assert engines_in("micrograd.engine:Value") == ["micrograd.engine:Value"]


def test_many_engines_are_a_table_in_the_order_of_the_arguments_with_their_reports_as_json_and_xml(run: Run) -> None:
    words = ("handed in/b*.py:Value", "handed in/*.py:Value", "--json", "r/all.json", "--junit", "r/all.xml")
    code, out, err = run(*words)
    assert (code, err) == (1, "")
    lines = re.sub(r"\d+\.\d$", "s", out, flags=re.M).splitlines()
    rows = [re.split("  +", line) for line in lines[2 : lines.index("")]]
    assert [row for row in rows if row[0]] == [
        ["ben.py", "wrong", "values: x + y", "s"],
        ["anna.py", "wrong", "size: a chain of 10,000 additions: raises", "s"],
        ["cem.py", "not judged", "it needs 'not_there', which is not there", "s"],
        ["dora.py", "not judged", r"Value(2.0) raised RuntimeError:", "s"],
    ]
    assert lines[-1] == "4 submissions: 2 wrong, 2 not judged."
    assert max(map(len, lines)) <= 80
    whole = json.loads(Path("r/all.json").read_text(encoding="utf-8"))
    assert [each["verdict"] for each in whole["submissions"]] == ["wrong", "wrong", "not judged", "not judged"]
    assert whole["submissions"][0]["report"]["wrong"][0]["code"][-1] == "y = x0 + x1"
    assert_is_junit(Path("r/all.xml").read_bytes())


def test_only_what_is_required_decides(run: Run) -> None:
    assert run("handed in/anna.py:Value", "--require", "add")[0] == 0
    code, out, err = run("handed in/anna.py:Value", "--require", "add,size", "--require", "mul")
    assert (code, err) == (1, "")
    assert out.endswith("\nRequired: add is right, size is wrong, mul is missing.\n")


def test_all_reports_are_printed_if_one_asks_for_them(run: Run) -> None:
    out = run("handed in/[ab]*.py:Value", "--verbose", "--jobs", "1")[1]
    assert out.index("anna:Value\n\nconstruction") < out.index("ben:Value\n\nconstruction") < out.index("submission ")


# The table


def outcome(name: str, *claims: Claim, names: str = "", sentence: str = "") -> Outcome:
    report = None if sentence else EngineReport(name, claims)
    return Outcome(f"{name}:Value", report, sentence, 1.25, required([names]))


RIGHT = Claim("x + y", "right", topic="values", about=("add",))
WRONG = Claim("x.tanh()", "wrong", yours="y.data = 1", topic="values", about=("tanh",))
TWICE = Claim("a second backward()", "wrong", yours="y.data = 1", topic="backward", about=("twice",))
NO_BACKWARD = Claim("backward()", "missing", "did you mean backprop()?", about=("pass", "no backward()"))
BORROWED = Claim("its backward is another's", "note", topic="engine", about=("borrowed",))
LEFT_OUT = Claim("size, memory", "left out", "since it is late", topic="left out", about=("size", "memory"))


@pytest.mark.parametrize(
    ("claims", "names", "verdict", "remark"),
    [
        ([RIGHT], "", "right", ""),
        ([], "", "nothing", "it offers nothing that could be judged"),
        ([RIGHT, WRONG], "", "wrong", "values: x.tanh()"),
        ([RIGHT, WRONG], "add", "right", "not required, wrong: x.tanh()"),
        ([RIGHT, TWICE, WRONG], "", "wrong", "values: x.tanh() (+ 1 more)"),
        (
            [RIGHT, NO_BACKWARD],
            "",
            "missing",
            "no backward(), so that no derivative was judged (did you mean backprop()?)",
        ),
        ([RIGHT, BORROWED], "add", "borrowed", "its backward is another's"),
        ([RIGHT, WRONG], "add,tanh", "wrong", "values: x.tanh()"),
        ([RIGHT], "add,mul", "missing", "required: mul"),
        ([RIGHT, LEFT_OUT], "", "left out", "since it is late"),
        ([RIGHT, LEFT_OUT], "add,size", "left out", "since it is late"),
        ([RIGHT, LEFT_OUT], "add", "right", "since it is late"),
        ([RIGHT], "arithmetic", "missing", "required: arithmetic"),
    ],
)
def test_the_verdict_follows_from_the_claims(claims: list[Claim], names: str, verdict: str, remark: str) -> None:
    found = outcome("a.py", *claims, names=names)
    assert (found.verdict, found.remark) == (verdict, remark)
    assert passed([found]) == (verdict == "right")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_can_be_required_is_right_where_nothing_was_found(name: str) -> None:
    assert standing([], name) == "missing"
    assert standing([LEFT_OUT._replace(about=("values", "derivatives", "construction"))], name) in (
        "missing",
        "left out",
    )


def test_the_table_fits_into_80_columns_whatever_the_names() -> None:
    long = [outcome(f"{k}/{'変数' * 20}{k}.py", RIGHT, WRONG._replace(text="\x1b[31m\n" * 40)) for k in range(3)]
    text = table_of([*long, outcome("b.py", sentence="b.py is " + "no engine " * 20)])
    assert max(map(width, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert len(text.splitlines()) <= 4 + 3 * 4 + 2


def test_what_is_wrong_in_several_is_counted_below_the_table() -> None:
    assert table_of([outcome(f"{k}.py", RIGHT, WRONG) for k in range(3)]).endswith("\n3 of 3: values: x.tanh()")


def test_a_helper_that_a_pattern_finds_is_no_submission(run: Run) -> None:
    Path("handed in/helper.py").write_text("import math\n")
    out = run("handed in/[ah]*.py:Value", "--require", "add")[1]
    assert "1 right, 1 no submission" in " ".join(out.split())
    assert run("handed in/[ah]*.py:Value", "--require", "add")[0] == 0
    code, out, _ = run("handed in/helper.py", "handed in/anna.py", "--require", "add")
    assert code == 1
    assert re.search("helper.py +not judged", out)


def test_a_package_is_one_submission_and_a_file_of_it_is_imported_as_part_of_it(run: Run) -> None:
    Path("handed in/emil").mkdir()
    Path("handed in/emil/__init__.py").write_text("from .numbers import Value\n")
    Path("handed in/emil/numbers.py").write_text("from .ops import add\n" + ADDS)
    Path("handed in/emil/ops.py").write_text("import random\n\ndef add(x, y): return x + random.Random and y\n")
    Path("handed in/emil/random.py").write_text("raise RuntimeError('not this one')\n")
    sep = os.sep
    assert f"handed in/emil{sep}:Value" in engines_in("handed in/:Value")
    assert engines_in("handed in/*/*.py:Value") == [f"handed in/emil{sep}:Value"]
    assert run("handed in/emil:Value", "--require", "add")[0] == 0
    assert run("handed in/emil/numbers.py:Value", "--require", "add")[0] == 0


def test_an_old_report_is_gone_even_if_nothing_can_be_judged(run: Run) -> None:
    Path("old.json").write_text("{}")
    assert run("handed in/cem.py", "--json", "old.json")[0] == 2
    assert json.loads(Path("old.json").read_text())["passed"] is False


def test_a_file_that_is_named_twice_is_judged_once(run: Run) -> None:
    assert run("handed in/anna.py:Value", "./handed in/anna.py:Value", "--require", "add")[1].startswith("anna:Value")


def test_files_of_one_name_are_told_apart() -> None:
    text = table_of([outcome("anna/engine.py", RIGHT), outcome("ben/engine.py", RIGHT)])
    assert "anna/engine.py" in text
    assert "ben/engine.py" in text


# For programs

ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "disabled", "errors"},
    "testsuite": {
        *("name", "tests", "failures", "errors", "time", "disabled", "skipped"),
        *("timestamp", "hostname", "id", "package", "file"),
    },
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "assertions", "time", "classname", "status", "file", "line"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}
"""What the schema that Jenkins publishes (junit-10.xsd) allows, as far as it is used."""
NEEDED = {"testsuite": {"name", "tests"}, "testcase": {"name", "classname"}, "property": {"name", "value"}}
CHILDREN = {
    "testsuites": "(testsuite,)*",
    "testsuite": "(properties,)?(testcase,)*",
    "properties": "(property,)*",
    "testcase": "(skipped,)?(error,)*(failure,)*",
}


def assert_is_junit(data: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(data)
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        assert set(element.attrib) >= NEEDED.get(element.tag, set())
        assert re.fullmatch(CHILDREN.get(element.tag, ""), "".join(f"{child.tag}," for child in element))
        for name in {"tests", "failures", "errors", "skipped"}.intersection(element.attrib):
            assert int(element.attrib[name]) >= 0
        assert float(element.get("time", "0")) >= 0
    for suite in root:
        for name, tag in ("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
            assert int(suite.attrib[name]) == len(list(suite.iter(tag)))
    return root


@pytest.mark.parametrize("words", ["]]>", "\x00\x01\x1b[0m", "\ud800", "\ufffe", "<a b='\"'>&", "\r\n\t", "𝄞"])
def test_the_xml_is_valid_whatever_an_engine_says(words: str) -> None:
    claims = [RIGHT, WRONG._replace(text=words, yours=words, code=(words,)), LEFT_OUT._replace(note=words)]
    outcomes = [outcome(f"a{words}.py", *claims, names="add,tanh"), outcome("b.py", sentence=words)]
    root = assert_is_junit(as_junit(outcomes))
    assert (root.get("failures"), root.get("errors")) == ("2", "1")
    assert json.loads(as_json(outcomes))["submissions"][0]["required"] == {"add": "right", "tanh": "wrong"}


def test_in_the_xml_only_what_is_required_fails() -> None:
    (suite,) = assert_is_junit(as_junit([outcome("a.py", RIGHT, WRONG, names="add")]))
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")
    (suite,) = assert_is_junit(as_junit([outcome("a.py", RIGHT, WRONG)]))
    (failure,) = suite.iter("failure")
    assert (failure.get("message"), failure.text) == ("y.data = 1", WRONG.entry())
