"""Does `python -m autograd` say the value, each derivative, whether differences agree, and what is wrong?"""

import json
import math
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
from autograd import Value, drawing
from autograd.command.main import main
from autograd.command.printed import table
from autograd.parsing import parse
from autograd.testing import Difference
from autograd.testing.agreement import Agreement, agreement

inf, nan = math.inf, math.nan


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process."""

    def command(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(arguments)
        return Outcome(code, *capsys.readouterr())

    return command


# What it prints

EXAMPLE = """\
tanh(a*b) + c = 9.000012288349204

name  value        d/d name  by differences  error  agree
a         2  -7.3729642e-05  -7.3729642e-05  2e-11  yes
b        -3   4.9153095e-05   4.9153095e-05  9e-12  yes
c        10               1               1  1e-14  yes
"""


def test_the_example_gives_value_derivatives_and_agreement(run: Run) -> None:
    code, out, err = run("tanh(a*b) + c", "--at", "a=2", "b=-3", "c=10")
    assert (code, err) == (0, "")
    head, _, *rows = out.splitlines()
    assert head == EXAMPLE.splitlines()[0]
    assert [row.split()[:4] for row in rows] == [row.split()[:4] for row in EXAMPLE.splitlines()[2:]]
    assert [row.split()[-1] for row in rows] == ["agree", "yes", "yes", "yes"]


def test_no_arguments_give_a_short_help_with_an_example(run: Run) -> None:
    code, out, _ = run()
    assert code == 0
    assert 'python -m autograd "tanh(a*b) + c" --at a=2 b=-3 c=10' in out
    assert len(out.splitlines()) < 15


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "autograd", "a*b", "--at", "a=2", "b=3"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("a*b = 6.0\n")


def test_an_expression_may_begin_with_a_minus_sign(run: Run) -> None:
    assert run("-a*b", "--at", "a=2", "b=3").out.startswith("-a*b = -6.0\n")
    assert run("-2").out == "-2 = -2.0\n"
    assert run("-(a", "--at", "a=2").err.endswith("\n  -(a\n   ^\n")


def test_an_expression_without_names_has_just_a_value(run: Run) -> None:
    assert run("2*pi") == (0, f"2*pi = {2 * math.pi}\n", "")


def test_a_given_value_goes_before_a_constant(run: Run) -> None:
    assert run("e*a", "--at", "a=1", "e=3").out.startswith("e*a = 3.0\n")


def test_steps_are_those_of_backward_steps(run: Run) -> None:
    out = run("a*b + a", "--at", "a=2", "b=-3", "--steps").out
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    assert out.endswith("\n\n" + "\n".join(map(str, autograd.backward_steps(a * b + a))) + "\n")


@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from(["a", "変数", "é" * 30, "x" * 1000, "変" * 30]), st.from_regex(r"[a-z_]{1,30}")),
            *[st.floats()] * 4,
            st.sampled_from(["yes", "no", "kink", "jump", "-"]),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=100)
@example([("変" * 30, -1.234567e-300, -1.23456789e-300, -1.23456789e-300, 1.5e-300, "kink")])
def test_a_table_is_aligned_and_at_most_80_columns_wide(rows: list[Any]) -> None:
    lines = table(
        [
            Agreement(n.strip(), d, Difference(numeric, abs(e), "smooth", 0, False, 0.0), at=x, word=word)
            for n, x, d, numeric, e, word in rows
        ]
    )

    def columns(text: str) -> int:
        wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
        return len(text) + wide - sum(unicodedata.category(c) == "Mn" for c in text)

    assert max(map(columns, lines)) <= 80
    ends = {columns(line) - len(line.split()[-1]) for line in lines}
    assert len(ends) == 1


# Agreement

JUDGED = [
    # expression, where, agree, a part of the note
    ("a*a", 3.0, True, ""),
    ("tanh(7*a)", 1.0, True, ""),
    ("log(a)", 1e-300, True, ""),
    ("a**-3", 1e-3, True, ""),
    ("sin(1e6*a)", 1.0, True, ""),
    ("(a + 1e8) - 1e8", 1.3, True, ""),
    ("exp(-1/a)", 0.01, True, ""),
    ("exp(a)", 700.0, True, ""),
    ("0*a", 1.0, True, ""),
    ("tanh(1000*a)", 5.0, True, ""),
    ("abs(a)", 1e-9, True, ""),
    ("relu(a)", -1.0, True, ""),
    ("abs(a)", 0.0, None, "a kink: the slope is -1 on the left and 1 on the right; autograd's 0"),
    ("relu(a) + 3", 0.0, None, "a kink"),
    ("max([a, 2])", 2.0, None, "a kink"),
    ("sqrt(abs(a))", 0.0, None, "a kink: the slope is -inf on the left and inf on the right"),
    ("where(a > 0, sqrt(a), 2*a)", 0.0, None, "the slope is 2 on the left and inf on the right; autograd's 2 is one"),
    ("floor(a)", 2.0, None, "a jump: the value is 2 here and 1 just to the left"),
    ("sign(a)", 0.0, None, "a jump"),
    ("where(a < 1, a, 5)", 1.0, None, "a jump: the value is 5 here and 1 just to the left"),
    ("sqrt(a)", 0.0, True, "infinitely steep: the differences grow without end, differences to the right only"),
    ("cbrt(a)", 0.0, True, "infinitely steep"),
    ("-cbrt(a) + 2", 0.0, True, "infinitely steep"),
    ("a*a*sqrt(a)", 0.0, True, "differences to the right only"),
    ("a*sqrt(a)", 0.0, True, "differences to the right only"),
    ("log(a)", 0.0, None, "the value is -inf"),
    ("log(a)", -1.0, None, "the value is nan"),
    ("1/a", 0.0, None, "the value is inf"),
    ("tanh(a)", inf, None, "a is inf"),
    ("a", nan, None, "a is nan"),
    ("(-2)**a", 3.0, None, "no finite value on either side"),
    ("relu(a) - relu(-a)", 0.0, None, "autograd's 0 follows a convention: relu is at a kink"),  # its slope is 1
    ("relu(a) - 2*relu(-a)", 0.0, None, "2 on the left and 1 on the right; autograd's 0 follows a convention: relu"),
    ("sign(a)*sign(a)*a", 0.0, None, "follows a convention: sign is at a jump"),
    ("cbrt(a)**3", 0.0, None, "follows a convention: cbrt is infinitely steep"),
    ("1/(1/a)", 0.0, None, "too uncertain to tell"),
]


@pytest.mark.parametrize(("text", "x", "agree", "part"), JUDGED, ids=[f"{text} at {x}" for text, x, *_ in JUDGED])
def test_kinks_jumps_and_edges_are_said_in_words(text: str, x: float, agree: bool | None, part: str, run: Run) -> None:
    code, out, err = run(text, "--at", f"a={x}", "--json")
    found = json.loads(out)
    assert found["agree"] == {"a": agree}
    assert part in found["notes"].get("a", "")
    assert (code, err) == (1 if agree is False else 0, "")


def test_a_wrong_derivative_is_found_and_the_exit_code_is_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = autograd.operation(math.sin, lambda out, x: math.cos(x) * (1.0 + 1e-9), name="sin")
    monkeypatch.setattr(autograd.functions, "sin", wrong)
    code, out, err = run("sin(a)*b", "--at", "a=1", "b=2")
    assert (code, err) == (1, "")
    assert [line.split()[-1] for line in out.splitlines()[3:]] == ["no", "yes"]


@pytest.mark.parametrize("slope", [-0.5, 1.5, nan])
def test_a_rule_beyond_its_kink_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch, slope: float) -> None:
    wrong = autograd.operation(lambda x: max(x, 0.0), lambda out, x: slope if x == 0.0 else float(x > 0.0), name="relu")
    monkeypatch.setattr(autograd.functions, "relu", wrong)
    for text in ("relu(a)", "relu(a) - relu(-a)"):
        code, out, _ = run(text, "--at", "a=0", "--json")
        assert (code, json.loads(out)["agree"]) == (1, {"a": False}), text
    assert f"autograd's {slope:.6g} is neither, nor between" in " ".join(run("relu(a)", "--at", "a=0").out.split())


def test_a_wrong_derivative_is_wrong_beside_a_right_rule() -> None:
    assert agreement("x", lambda x: x * x, 1.0, nan).agree is False
    assert agreement("x", lambda x: x * x, 1.0, 2.0 + 1e-12).agree is False
    assert agreement("x", lambda x: x * x, 1.0, 2.0).agree is True


def test_notes_that_several_names_share_are_printed_once(run: Run) -> None:
    out = run("sqrt(a) + sqrt(b)", "--at", "a=0", "b=0").out
    assert out.count("infinitely steep") == 1
    assert "\na and b: infinitely steep" in out


# The finite differences

# Here the last digits of the values limit the differences: what these may hide is in the bound.
WIDER_BOUNDS = {("tanh(x)", -7.0): 2e-12, ("tanh(x)", 20.0): 1e-13, ("hypot(x, 1e-8)", 0.0): 1e-11}


@pytest.mark.parametrize(
    ("text", "x"),
    [
        *(("exp(x)", x) for x in (-700.0, 0.0, 1.0, 700.0)),
        *(("log(x)", x) for x in (1e-300, 1e-8, 1.0, 1e300)),
        *(("1/(x-1)", x) for x in (1.000001, 0.0, 1e10)),
        *(("tanh(x)", x) for x in (-7.0, 0.0, 0.5, 20.0)),
        *(("x*sin(1/x)", x) for x in (0.01, 1.0)),
        *(("x**1.5", x) for x in (1e-6, 2.0)),
        ("x**x", 2.5),
        ("hypot(x, 1e-8)", 0.0),
        ("acos(x)", 1.0 - 1e-9),
        ("sigmoid(x)", -700.0),
        ("softplus(x)", -30.0),
        ("sin(x)", 1e8),
        ("tanh(1000*(x - 1))", 1.0),
    ],
)
def test_the_error_bound_holds_and_is_small(text: str, x: float) -> None:
    largest = WIDER_BOUNDS.get((text, x), 1e-15)
    leaf = Value(x)
    parse(text)({"x": leaf}).backward()
    row = agreement("x", lambda x: parse(text)({"x": x}), x, leaf.grad)
    assert row.agree is True
    assert row.error <= max(1e-7 * abs(row.numeric), largest)


@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.floats(-10.0, 10.0))
@settings(max_examples=100)
def test_the_error_bound_holds_for_polynomials(a: float, b: float, c: float, x: float) -> None:
    exact = 3.0 * a * x * x + 2.0 * b * x + c
    size = abs(3.0 * a * x * x) + abs(2.0 * b * x) + abs(c)
    row = agreement("x", lambda x: a * x * x * x + b * x * x + c * x, x, exact)
    assert not abs(row.numeric - exact) > row.error + 1e-15 * size


# How long it takes


def squares(count: int) -> list[str]:
    names = [f"a{i}" for i in range(count)]
    return ["+".join(f"{name}*{name}" for name in names), "--at", *(f"{name}=1.5" for name in names)]


def test_of_many_names_a_choice_is_compared_and_the_rest_said_not_to_be(run: Run) -> None:
    found = json.loads(run(*squares(200), "--json").out)
    compared = [name for name, agree in found["agree"].items() if agree]
    assert compared[0] == "a0"
    assert compared[-1] == "a199"
    assert set(found["agree"].values()) == {True, None}
    assert found["derivatives"] == dict.fromkeys(found["at"], 3.0)
    assert found["notes"]["a1"] == (
        f"not compared, to save time: differences are taken for {len(compared)} of 200 names"
    )
    assert f"\na1 and {199 - len(compared)} more: not compared" in run(*squares(200)).out


def test_every_name_of_an_ordinary_expression_is_compared(run: Run) -> None:
    assert all(json.loads(run(*squares(30), "--json").out)["agree"].values())


def test_neither_mpmath_nor_hypothesis_is_needed() -> None:
    code = (
        "import sys; sys.modules.update(mpmath=None, hypothesis=None, numpy=None); "
        "from autograd.command.main import main; sys.exit(main(['relu(a)-relu(-a)', '--at', 'a=0']))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


# JSON


def test_json_has_everything_and_nothing_else_is_printed(run: Run, tmp_path: Path) -> None:
    code, out, err = run(
        "a*b", "--at", "a=2", "b=-3", "--json", "--steps", "--draw", str(tmp_path / "graph.svg"), "--explain",
        str(tmp_path / "page.html"),
    )  # fmt: skip
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["expression"] == "a*b"
    assert found["at"] == {"a": 2.0, "b": -3.0}
    assert found["value"] == -6.0
    assert found["derivatives"] == {"a": -3.0, "b": 2.0}
    assert found["numeric"]["a"] == pytest.approx(-3.0)
    assert 0.0 < found["error"]["a"] < 1e-12
    assert found["agree"] == {"a": True, "b": True}
    assert found["steps"][0]["node"] == "mul -6"
    assert found["steps"][0]["edges"][0]["contribution"] == -3.0


def test_inf_and_nan_are_strings_in_json(run: Run) -> None:
    found = json.loads(run("1/a + inf", "--at", "a=-0.0", "--json").out, parse_constant=pytest.fail)
    assert found["value"] == "nan"
    assert found["derivatives"] == {"a": "-inf"}
    assert (found["numeric"], found["error"], found["agree"]) == ({"a": "nan"}, {"a": "inf"}, {"a": None})


# Files


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_draw_writes_the_picture(run: Run, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"graph.{suffix}"
    code, out, err = run("tanh(a*b) + c", "--at", "a=2", "b=-3", "c=10", "--draw", str(file))
    assert (code, err) == (0, "")
    assert out.endswith(f"the graph is in {file}\n")
    assert file.stat().st_size > 500


@pytest.mark.skipif(not hasattr(drawing, "explain"), reason="there is no stepper page")
def test_explain_writes_the_page(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    code, out, err = run("tanh(a*b) + c", "--at", "a=2", "b=-3", "c=10", "--explain", str(file))
    assert (code, err) == (0, "")
    assert str(file) in out
    assert "<html" in file.read_text(encoding="utf-8")


# Errors

WRONG = [
    # arguments, a part of the sentence
    (["a*b + d", "--at", "a=1"], "needs a value for b and d; add --at b=1 d=1"),
    (["a", "--at", "a=1", "b=2", "c=3"], "gives b and c, which the expression does not use; leave them out"),
    (["2", "--at", "pi=3"], "gives pi"),
    (["a", "--at", "a=x"], "takes a number for a, such as a=2, a=1e-3 or a=inf; got 'x'"),
    (["a", "--at", "a="], "got ''"),
    (["a", "--at", "a"], "takes NAME=NUMBER, as in --at a=2; got 'a'"),
    (["a", "--at", "=2"], "got '=2'"),
    (["a", "--at", "-3"], "got '-3'"),
    (["a", "--at", "a=1", "a=2"], "gives a twice"),
    (["a", "--at", "a\nb=1"], "NAME=NUMBER"),
    (["a", "--at", "a=1", "--draw", "graph.bmp"], "writes .svg, .png, .pdf files; got 'graph.bmp'"),
    (["a", "--at", "a=1", "--explain", "page"], "writes an .html file; got 'page'"),
    (["a", "--at", "a=1", "--draw", f"{__file__}/\n/graph.svg"], "test_main.py"),
    (["a", "--at", "a=1", "--nonsense"], "unrecognized arguments: --nonsense"),
    (["a", "b"], "unrecognized arguments: b"),
    (["--json"], "required: EXPRESSION"),
]


@pytest.mark.parametrize(("arguments", "part"), WRONG, ids=[part for _, part in WRONG])
def test_what_is_wrong_is_one_sentence_and_exit_code_2(run: Run, arguments: list[str], part: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("python -m autograd: ")
    assert part in err
    assert err.count("\n") == 1


CARETS = [
    ("a + tnah(b)", ["  a + tnah(b)", "      ^"]),
    ("a ^ b", ["  a ^ b", "    ^"]),
    ("a +", ["  a +", "     ^"]),
    ("変数 + $", ["  変数 + $", "         ^"]),
    ("a\n+ $", ["  a + $", "      ^"]),
    ("a\0b", ["  a\\x00b", "   ^"]),
    ("a \u202e b", ["  a \\u202e b", "    ^"]),
    ("softmax([1])[1]", ["  softmax([1])[1]", "               ^"]),
]


@pytest.mark.parametrize(("text", "lines"), CARETS, ids=[ascii(text) for text, _ in CARETS])
def test_a_bad_expression_is_shown_with_a_caret_under_the_column(run: Run, text: str, lines: list[str]) -> None:
    code, out, err = run(text)
    assert (code, out) == (2, "")
    assert err.splitlines()[1:] == lines


def test_of_a_long_expression_the_part_around_the_column_is_shown(run: Run) -> None:
    err = run("a+" * 10_000 + "$" + "+a" * 10_000).err
    _, extract, caret = err.splitlines()
    assert len(extract) <= 80
    assert extract[len(caret) - 1] == "$"
    assert extract.startswith("  ...")
    assert extract.endswith("...")


@given(st.lists(st.text(max_size=12), min_size=1, max_size=3))
@settings(max_examples=200)
@example(["\udcff"])
@example(["a", "--at", "a=\udcff"])
@example(["-"])
@example(["--"])
@example(["%s"])
def test_no_arguments_make_it_crash(arguments: list[str]) -> None:
    if not {"-h", "--help"} & set(arguments):
        assert main(arguments) in (0, 1, 2)


def test_a_reader_that_stops_early_is_no_error() -> None:
    command = f'"{sys.executable}" -m autograd "{"a*" * 200}a" --at a=1 --steps | head -n 1'
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (result.stderr, result.returncode) == ("", 0)


def test_a_terminal_without_unicode_gets_escapes() -> None:
    command = [sys.executable, "-m", "autograd", "größe*2", "--at", "größe=2"]
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1", "PATH": ""}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    assert "gr\\xf6\\xdfe" in result.stdout
