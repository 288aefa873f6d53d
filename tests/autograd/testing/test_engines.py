"""Does `check_engine` find what is wrong with an engine, name it where it is, and show it in a few lines?"""

import math
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from micrograd.engine import Value as MicrogradValue

from autograd import Value
from autograd.testing import EngineReport, check_engine, expressions
from autograd.testing.__main__ import main
from autograd.testing.engines import running, search
from autograd.testing.engines.forms import forms, uses
from autograd.testing.engines.report import Claim
from autograd.testing.engines.requirements import standing
from autograd.testing.engines.truth import truth_of
from tests.autograd.testing import my_engines

MY_ENGINES = str(Path(my_engines.__file__))


@lru_cache
def judged(ValueClass: Any) -> EngineReport:
    """The report, made once for all tests."""
    return check_engine(ValueClass)


def wrong(ValueClass: Any) -> list[str]:
    return [f"{claim.topic}: {claim.text}" for claim in judged(ValueClass).wrong]


# Engines that are right


def test_our_own_engine_has_all_and_nothing_is_wrong() -> None:
    report = judged(Value)
    assert report.passed
    assert (report.wrong, report.missing) == ([], [])
    assert [claim.text for claim in report.notes] == ["a graph that is dropped is freed at once"]


def test_a_small_engine_that_is_right_has_much_missing_and_nothing_wrong() -> None:
    report = judged(my_engines.Right)
    assert report.passed
    assert "x / y" in [claim.text for claim in report.missing]
    assert {"x + y", "2 * x", "x.tanh()", "random graphs"} <= {claim.text for claim in report.right}


def test_an_engine_without_backward_is_judged_by_its_values() -> None:
    report = judged(my_engines.OnlyForward)
    assert not report.passed
    assert (report.wrong, report.without_backward) == ([], True)
    assert report.summary.endswith("no derivative was judged: it has no backward().")
    assert "x + y" in [claim.text for claim in report.right]
    assert "derivatives" not in {claim.topic for claim in report.claims}
    assert any("backward()" in claim.text for claim in report.missing)


PLAIN = ["add", "mul", "sub", "neg", "div", "tanh", "exp", "sin", "pow", "log", "sqrt", "relu", "sigmoid"]


@settings(max_examples=100)
@given(expressions(smooth=True, operations=PLAIN))
def test_the_truth_is_what_our_own_engine_says(f: Any) -> None:
    xs = [Value(x) for x in f.inputs]
    y = f(*xs)
    y.backward()
    truth = truth_of(f)
    assert truth.value.admits(y.data)
    assert all(right.admits(x.grad) for right, x in zip(truth.gradients, xs, strict=True))


@pytest.mark.parametrize("name", PLAIN)
def test_an_error_of_a_millionth_in_one_operation_is_not_admitted(name: str) -> None:
    truths = [truth_of(use) for form in forms() if form.operation == name for use in uses(form)]
    numbers = [number for truth in truths for number in (truth.value, *truth.gradients)]
    assert numbers
    for number in numbers:
        true = float(number.true)
        assert number.admits(true)
        assert not number.admits(true + 1e-6 * max(1.0, abs(true)))
        assert not number.admits(math.nan)


# micrograd


def test_micrograds_known_faults_are_named_and_nothing_else_is() -> None:
    assert wrong(MicrogradValue) == [
        "backward: a second backward() adds the same again",
        "special points: x ** 0 at 0",
        "size: a chain of 10,000 additions",
    ]


def test_micrograd_has_all_that_it_can_be_required_to_have() -> None:
    claims = judged(MicrogradValue).claims
    for name in "arithmetic", "plain", "pow", "relu", "chain", "accumulation", "backward", "construction":
        assert standing(claims, name) == "right"
    assert standing(claims, "twice") == "wrong"
    assert standing(claims, "tanh") == "missing"


def test_a_complex_number_is_pythons_own_answer_to_the_root_of_a_negative_number() -> None:
    claim = next(claim for claim in judged(MicrogradValue).claims if claim.text == "x ** 0.5 at -2")
    assert (claim.verdict, claim.note) == ("right", "gives a complex number, as Python's own ** does")


def test_micrograds_second_backward_is_shown_with_two_operations() -> None:
    claim = judged(MicrogradValue).wrong[0]
    assert claim.size <= 2
    assert claim.code.count("y.backward()") == 2
    names: dict[str, Any] = {"Value": MicrogradValue}
    exec("\n".join(claim.code), names)
    assert claim.yours == f"x0.grad = {names['x0'].grad:g}"
    assert claim.expected == "x0.grad = 0"


def test_what_micrograd_refuses_is_missing_and_not_wrong() -> None:
    missing = [claim.text for claim in judged(MicrogradValue).missing]
    assert missing[:2] == ["x ** y", "2 ** x"]
    assert "zero_grad()" in missing


def test_micrograds_cycles_are_a_note() -> None:
    (note,) = judged(MicrogradValue).notes
    assert "garbage collector" in note.text


# Students' engines

FAULTS = [
    (my_engines.Overwrites, "accumulation: x + x"),
    (my_engines.Overwrites, "accumulation: random graphs"),
    (my_engines.NoOrder, "accumulation: a value waits for all its gradients, in b + f(b)"),
    (my_engines.NoOrder, "accumulation: random graphs"),
    (my_engines.ForgetsUpstream, "chain rule: an operation multiplies by the gradient that reaches it"),
    (my_engines.WrongTanh, "derivatives: x.tanh()"),
    (my_engines.WrongConstants, "derivatives: x * 2"),
    (my_engines.FloatProducts, "values: x * y"),
    (my_engines.Swapped, "derivatives: x - y"),
    (my_engines.ChangesItsInputs, "backward: backward() changes no data"),
    (my_engines.Stale, "backward: a second backward() adds the same again"),
    (my_engines.EqualByData, "accumulation: random graphs"),
    (my_engines.EveryPath, "size: 22 doublings, which are 4,194,304 paths"),
    (my_engines.Endless, "derivatives: x + y"),
    (my_engines.HalfGradients, "derivatives: 2 * x"),
]


@pytest.mark.parametrize(("ValueClass", "claim"), FAULTS)
def test_a_students_fault_is_named(ValueClass: Any, claim: str) -> None:
    assert claim in wrong(ValueClass)
    assert not judged(ValueClass).passed


@pytest.mark.parametrize("ValueClass", dict.fromkeys(ValueClass for ValueClass, _ in FAULTS))
def test_the_failing_programs_are_short_and_fail_as_they_say(ValueClass: Any) -> None:
    for claim in judged(ValueClass).wrong:
        assert claim.size <= 4 or claim.topic == "size"
        where, equals, said = claim.yours.partition(" = ")
        if equals:
            names: dict[str, Any] = {ValueClass.__name__: ValueClass}
            with running.limited(10**6):
                exec("\n".join(claim.code), names)
            found = eval(where, names)
            assert f"{found:.12g}" == said.removesuffix(" afterwards")


@pytest.mark.parametrize(
    ("ValueClass", "topics"),
    [
        (my_engines.NoOrder, {"accumulation"}),
        (my_engines.ForgetsUpstream, {"chain rule"}),
        (my_engines.WrongTanh, {"derivatives"}),
        (my_engines.WrongConstants, {"derivatives"}),
        (my_engines.FloatProducts, {"values"}),
        (my_engines.Swapped, {"derivatives"}),
        (my_engines.Stale, {"backward"}),
        (my_engines.HalfGradients, {"derivatives"}),
    ],
)
def test_a_fault_is_named_where_it_is_and_not_where_it_shows(ValueClass: Any, topics: set[str]) -> None:
    assert {claim.topic for claim in judged(ValueClass).wrong} == topics


def test_a_missing_reflected_addition_is_missing_with_pythons_own_words() -> None:
    report = judged(my_engines.NoReflectedAddition)
    assert report.passed
    (claim,) = (claim for claim in report.missing if claim.text == "1 + x")
    assert "unsupported operand" in claim.note
    assert any("sum()" in claim.text for claim in report.missing)


def test_a_float_for_a_result_is_said_to_be_one() -> None:
    claim = next(claim for claim in judged(my_engines.FloatProducts).wrong if claim.text == "2 * x")
    assert claim.yours == "2 * x0 gives 4.0 (float), which has no history"


class NothingError(Exception):
    """An exception that counts as false."""

    def __len__(self) -> int:
        return 0


class RaisesNothing(my_engines.Right):
    def __mul__(self, other: Any) -> Any:
        raise NothingError("no product")


def test_an_exception_that_counts_as_false_is_one() -> None:
    (claim,) = (claim for claim in judged(RaisesNothing).wrong if claim.text == "x * y")
    assert claim.yours == "raises NothingError: no product"


def test_an_endless_loop_is_stopped() -> None:
    text = str(judged(my_engines.Endless))
    assert "The same: x - y; x * y; -x" in text
    assert text.count("no end after 100,200 lines") == 1
    assert "no end after 104,400 lines" in str(judged(my_engines.EveryPath))


FROM_FUNCTIONS = """
import math
from tests.autograd.testing.my_engines import Right

class Number(Right):
    pass

def exp(x):
    e = math.exp(x.data)
    return Number(e, (x,), (e,))

def sigmoid(x):
    s = 1.0 / (1.0 + math.exp(-x.data))
    return Number(s, (x,), (s * (1.0 - s),))
"""


def test_functions_of_the_engines_own_module_count_and_may_not_overflow(
    run: "Run",
) -> None:
    Path("with_functions.py").write_text(FROM_FUNCTIONS)
    code, out, err = run("with_functions.py:Number")
    assert (code, err) == (1, "")
    assert out.endswith("It is the work of somebody else.\n")
    assert "exp(x) at 1000 (raises OverflowError)" in out
    assert "sigmoid(x) at -1000 (raises OverflowError: its formula overflows)" in " ".join(out.split())


def test_what_their_code_says_is_kept_away(capsys: pytest.CaptureFixture[str]) -> None:
    check_engine(my_engines.OnlyForward)
    assert capsys.readouterr() == ("", "")


# The report


def test_the_same_engine_gets_the_same_report_each_time() -> None:
    first = str(judged(my_engines.Overwrites))
    search._graphs.cache_clear()
    truth_of.cache_clear()
    assert str(check_engine(my_engines.Overwrites)) == first


@pytest.mark.parametrize("ValueClass", [Value, MicrogradValue, my_engines.Endless, my_engines.EqualByData])
def test_the_report_fits_into_80_columns_and_names_every_claim(ValueClass: Any) -> None:
    report = judged(ValueClass)
    text = str(report)
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    assert all(" ".join(claim.text.split()) in flat for claim in report.claims)
    assert repr(report) == text


def test_the_report_shows_a_fault_with_its_program_and_both_answers() -> None:
    assert """\
derivatives
  right    x + y; x - y; x * y; -x; x + 1; 1 + x; x - 1; 1 - x; x * 2; 2 * x
  wrong    x.tanh()
               x0 = WrongTanh(2.0)
               y = x0.tanh()
               y.backward()
           yours  x0.grad = 0.0359724199242
           right  x0.grad = 0.0706508248532
""" in str(judged(my_engines.WrongTanh))


def test_of_a_backward_pass_that_is_wrong_only_the_smallest_program_is_shown() -> None:
    assert """\
derivatives
  wrong    x + y
               x0 = HalfGradients(2.0)
               x1 = HalfGradients(3.0)
               y = x0 + x1
               y.backward()
           yours  x0.grad = 0.5
           right  x0.grad = 1
           Also wrong: x - y; x * y; -x; x + 1; 1 + x; x - 1; 1 - x;
           x * 2; 2 * x; x.tanh().

backward
""" in str(judged(my_engines.HalfGradients))
    assert len(judged(my_engines.HalfGradients).wrong) == 11


def printed(wrong: list[Claim], right: int) -> str:
    claims = [*wrong, *(Claim(f"right {place}", "right") for place in range(right))]
    return str(EngineReport("Number", tuple(claim._replace(topic="values") for claim in claims)))


def test_the_smallest_of_many_faults_stands_for_all_only_if_fewer_claims_are_right() -> None:
    wrong = [Claim(f"{i}", "wrong", yours=f"y = {i}", size=size) for i, size in enumerate((3, 2, 1, 2))]
    assert "  wrong    2\n           yours  y = 2\n           Also wrong: 0; 1; 3.\n" in printed(wrong, 3)
    for few in printed(wrong, 4), printed(wrong[:3], 0):
        assert "Also" not in few
        assert few.count("yours") == few.count("  wrong    ")


def test_faults_with_the_same_words_are_printed_once_with_their_note() -> None:
    wrong = [Claim(text, "wrong", note, yours="raises KeyError") for text, note in (("a", "Once."), ("b", ""))]
    assert "  wrong    a\n           yours  raises KeyError\n           Once. The same: b.\n" in printed(wrong, 9)


def test_nothing_of_the_judge_is_left_behind() -> None:
    before = sys.gettrace(), sys.stdin, sys.stdout, sys.getrecursionlimit()
    check_engine(my_engines.OnlyForward)
    assert (sys.gettrace(), sys.stdin, sys.stdout, sys.getrecursionlimit()) == before


# What can be asked


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (3, "check_engine takes a class such as micrograd.engine.Value; got 3"),
        (my_engines.NeedsTwo, "missing 1 required positional argument"),
        (my_engines.NoData, "has no attribute 'data'"),
    ],
)
def test_what_is_no_engine_is_refused_with_a_sentence(wanted: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        check_engine(wanted)


class TanhOdd(my_engines.Right):
    """Wrong in a narrow interval."""

    odd = (0.70, 0.71)

    def tanh(self) -> Any:
        least, most = self.odd
        t = math.tanh(self.data)
        return type(self)(t, (self,), (2.0 if least < self.data < most else 1.0 - t * t,))


class TanhOddNear0(TanhOdd):
    odd = (-0.1, -0.05)


class TanhOddFar(TanhOdd):
    odd = (30.0, 40.0)


@pytest.mark.parametrize("ValueClass", [TanhOdd, TanhOddNear0, TanhOddFar])
def test_a_derivative_that_is_wrong_in_a_narrow_interval_is_found_and_blamed(ValueClass: Any) -> None:
    (claim,) = (claim for claim in judged(ValueClass).wrong if claim.topic == "derivatives")
    assert (claim.text, claim.code[1]) == ("x.tanh()", "y = x0.tanh()")
    assert standing(judged(ValueClass).claims, "tanh") == "wrong"


class AddsInPlace(my_engines.Right):
    def __iadd__(self, other: Any) -> Any:
        self.data += other.data
        return self


def test_an_operator_that_changes_a_number_in_place_and_forgets_the_graph_is_wrong() -> None:
    (claim,) = judged(AddsInPlace).wrong
    assert (claim.text, claim.code[-2:]) == ("x += y", ("y += x1", "y.backward()"))


class LogAlone:
    """No random graph can be made of its one operation where all inputs are negative."""

    __init__, backward = my_engines.Right.__init__, my_engines.Right.backward
    order, pass_on = my_engines.Right.order, my_engines.Right.pass_on

    def log(self) -> Any:
        return LogAlone(math.log(self.data), (self,), (1.0 / self.data,))


def test_an_engine_of_one_operation_with_a_small_domain_is_judged() -> None:
    assert judged(LogAlone).passed
    assert [claim.verdict for claim in judged(LogAlone).claims if claim.text == "random graphs"] == ["right"]


class Single(my_engines.Right):
    """In single precision, as NumPy's float32."""

    def __init__(self, data: Any, parents: Any = (), local_derivatives: Any = ()) -> None:
        data = struct.unpack("f", struct.pack("f", data))[0]
        super().__init__(data, parents, local_derivatives)


class NoInts(my_engines.Right):
    def __init__(self, data: Any, parents: Any = (), local_derivatives: Any = ()) -> None:
        if not isinstance(data, float):
            raise TypeError(f"data must be a float, got {data}")
        super().__init__(data, parents, local_derivatives)


class GradMethod(my_engines.Right):
    def __init__(self, data: Any, parents: Any = (), local_derivatives: Any = ()) -> None:
        super().__init__(data, parents, local_derivatives)
        del self.grad

    def __getattr__(self, name: str) -> Any:
        if name == "_grad":
            return 0.0
        if name == "grad":
            return lambda: self._grad
        raise AttributeError(name)

    def backward(self) -> None:
        order = self.order()
        grads = {id(node): 0.0 for node in order} | {id(self): 1.0}
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.local_derivatives, strict=True):
                grads[id(parent)] += slope * grads[id(node)]
        for node in order:
            node._grad += grads[id(node)]


@pytest.mark.parametrize(
    ("ValueClass", "claims"),
    [
        (Single, []),
        (NoInts, ["construction: NoInts(2) takes an int"]),
        (GradMethod, ["construction: grad is a number"]),
    ],
)
def test_a_habit_of_the_whole_class_is_one_claim(ValueClass: Any, claims: list[str]) -> None:
    assert wrong(ValueClass)[: len(claims) or None] == claims
    assert "derivatives: x.tanh()" in [f"{claim.topic}: {claim.text}" for claim in judged(ValueClass).right]


def test_single_precision_is_noted() -> None:
    assert "it computes in single precision" in [claim.text for claim in judged(Single).notes]


def test_input_is_at_its_end_while_their_code_runs() -> None:
    with running.undisturbed(), pytest.raises(EOFError):
        input()


# The command


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)

    def command(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(arguments)
        for name in set(sys.modules) - modules:
            if not name.startswith(("autograd", "hypothesis", "mpmath")):
                del sys.modules[name]
        return Outcome(code, *capsys.readouterr())

    return command


def test_the_command_judges_a_class_in_a_file(run: Run) -> None:
    code, out, err = run(f"{MY_ENGINES}:HalfGradients")
    assert (code, err) == (1, "")
    assert out.startswith("tests.autograd.testing.my_engines:HalfGradients\n")
    assert "y = x0 + x1" in out


def test_the_exit_status_is_0_if_nothing_is_wrong(run: Run) -> None:
    code, out, err = run(f"{MY_ENGINES}:Right")
    assert (code, err) == (0, "")
    assert out.endswith("Nothing is wrong.\n")


ONLY_DATA = "class Number:\n    def __init__(self, x):\n        self.data = x\n"
SMALL = """
class Number:
    def __init__(self, x, *parents):
        self.data, self.grad, self.parents = x, 0.0, parents
    def tanh(self):
        return Number(__import__("math").tanh(self.data), self)
    def backward(self, g=1.0):
        self.grad += g
        for parent in self.parents:
            parent.backward(g * (1.0 - self.data**2))
"""


def test_the_command_judges_a_class_of_a_module(run: Run) -> None:
    Path("homework.py").write_text(SMALL)
    assert run("homework:Number")[::2] == (0, "")


def test_a_class_with_data_alone_is_no_engine(run: Run) -> None:
    Path("homework.py").write_text(ONLY_DATA)
    code, out, err = run("homework.py:Number")
    assert (code, err) == (1, "")
    assert out.endswith("It offers nothing that could be judged.\n")


def test_a_file_may_import_what_lies_beside_it_and_print(run: Run) -> None:
    Path("beside_it.py").write_text(SMALL)
    Path("homework.py").write_text("print('hello')\nfrom beside_it import Number\n")
    code, out, err = run("homework.py:Number")
    assert (code, err) == (0, "")
    assert "hello" not in out


BAD_CALLS = [
    ("", "name an engine, as in python -m autograd.testing my_engine.py:Value"),
    ("homework", "FILE.py:CLASS or MODULE:CLASS"),
    ("homework.py:", "FILE.py:CLASS or MODULE:CLASS"),
    ("homewrok.py:Value", "homewrok.py does not exist; did you mean 'homework.py'?"),
    ("homework.py:Vlaue", "homework.py has no class 'Vlaue'; did you mean 'Value'?"),
    ("homework.py:value", "did you mean 'Value'?"),
    ("homework.py:Nothing", "homework.py has no class 'Nothing'; its classes are Value"),
    ("homework.py:number", "homework.py has 'number', which is not a class"),
    ("homework:Value", "Value(2.0) raised TypeError"),
    ("homewrok:Value", "there is no module 'homewrok'; did you mean 'homework'?"),
    ("micrograd.engin:Value", "there is no module 'micrograd.engin'; did you mean 'micrograd.engine'"),
    ("my-engine:Value", "'my-engine' is not the name of a module"),
    ("needs.py:Value", "needs.py cannot be imported, since it needs 'not_there', which is not there"),
    ("needs:Value", "needs cannot be imported, since it needs 'not_there', which is not there"),
    ("divides.py:Value", "divides.py cannot be imported: ZeroDivisionError in line 2: division by zero"),
    ("syntax.py:Value", "syntax.py cannot be imported: SyntaxError in line 1"),
    ("leaves.py:Value", "leaves.py cannot be imported: it calls exit() in line 1 (SystemExit): put that under if"),
    ("asks.py:Value", "asks.py cannot be imported: it asks for input() in line 2: put that under if __name__"),
    ("..:Value", ".. is a folder without Python files"),
    ("empty/:Value", "empty/ is a folder without Python files"),
    ("empty/*.py:Value", "empty/*.py matches no file"),
    (
        "homework.py:Value --require tahn",
        "--require takes names such as arithmetic; got 'tahn': did you mean tan or tanh or atan?",
    ),
    ("homework.py:Value --require what", "got 'what'"),
    ("homework.py:Value --require=", "--require takes names such as arithmetic,tanh; got none: leave it out"),
    ("homework.py:Value --seconds 0", "--seconds takes a number from 1 to 86400; got 0"),
    ("homework.py:Value --seconds nan", "--seconds takes a number from 1 to 86400; got nan"),
    ("homework.py:Value --jobs 0", "--jobs takes a whole number of at least 1; got 0"),
    ("homework.py:Value --json empty", "--json writes files that end in .json; got 'empty'"),
    ("homework.py:Value --junit report.txt", "got 'report.txt': give a name such as 'report.xml'"),
    ("homework.py:Value --jsno", "unrecognized arguments: --jsno"),
]


@pytest.mark.parametrize(("words", "sentence"), BAD_CALLS)
def test_a_bad_call_is_one_sentence_and_status_2(run: Run, words: str, sentence: str) -> None:
    Path("homework.py").write_text("class Value:\n    def __init__(self):\n        pass\n\nnumber = 3\n")
    Path("empty").mkdir()
    Path("needs.py").write_text("import not_there\n")
    Path("divides.py").write_text("x = 1\nx / 0\n")
    Path("syntax.py").write_text("def f(:\n")
    Path("asks.py").write_text("\nn = int(input('How many? '))\n")
    Path("leaves.py").write_text("raise SystemExit('bye')\n")
    code, out, err = run(*words.split())
    assert (code, out) == (2, "")
    assert err.startswith("python -m autograd.testing: ")
    assert err.count("\n") == 1
    assert sentence in err


def test_what_a_process_says_last_may_arrive_after_its_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read = os.read

    def slow_read(descriptor: int, length: int) -> bytes:
        time.sleep(0.4)
        return read(descriptor, length)

    Path("homework.py").write_text("number = 3\n")
    monkeypatch.setattr(os, "read", slow_read)
    assert "homework.py has 'number', which is not a class" in run("homework.py:number").err


def test_help_says_what_the_exit_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--help"])
    assert exit.value.code == 0
    out = capsys.readouterr().out
    assert "my_engine.py:Value" in out
    assert "exit status" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_module_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograd.testing", f"{MY_ENGINES}:Right"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
