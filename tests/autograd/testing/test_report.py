"""All checks return one kind of report, which says the same as text and as JSON."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import functions as F
from autograd.testing import (
    GradcheckError,
    GradcheckReport,
    GradientReport,
    Report,
    RuleReport,
    WrongGradientError,
    check_engine,
    check_gradient,
    check_rule,
    check_rules,
    gradcheck,
)
from tests.autograd.testing import my_engines


def report_of(check: Callable[[], Any]) -> Any:
    """What the check returns, or the report that its error carries."""
    try:
        return check()
    except GradcheckError as error:
        return error.report


def large(x: Any) -> Any:
    return np.sum(np.sin(x))


def forgotten(x: Any) -> Any:
    found = np.cos(x)
    found[17], found[400] = 0.0, 1.0
    return found


LARGE = np.linspace(0.0, 1.0, 1_000)
CHECKS: dict[str, Callable[[], Any]] = {
    "right": lambda: check_gradient(lambda x: x**3, lambda x: 3 * x**2, 2.0),
    "wrong": lambda: check_gradient(lambda x: x**3, lambda x: x**2, 2.0),
    "not a number": lambda: check_gradient(lambda x: x**3, lambda x: math.nan, 2.0),
    "a kink": lambda: check_gradient(abs, lambda x: 0.5, 0.0),
    "infinite": lambda: check_gradient(math.sqrt, lambda x: math.inf, 0.0),
    "many, right": lambda: check_gradient(large, np.cos, LARGE),
    "many, wrong": lambda: check_gradient(large, forgotten, LARGE),
    "gradcheck": lambda: gradcheck(lambda x, y: F.tanh(x * y), (0.5, 1.0), order=2),
    "gradcheck, wrong": lambda: gradcheck(lambda x, y: x * y.data, (0.5, 1.0)),
    "gradcheck, undefined": lambda: gradcheck(lambda x: F.log(x), -1.0),
    "gradcheck, inconclusive": lambda: gradcheck(lambda x: F.sigmoid(x), 33.0),
    "rule": lambda: check_rule("tanh", points=20),
    "rules": lambda: check_rules(points=1),
    "engine": lambda: check_engine(my_engines.Right),
}
PASSED = {
    "right",
    "a kink",
    "infinite",
    "many, right",
    "gradcheck",
    "gradcheck, inconclusive",
    "rule",
    "rules",
    "engine",
}


def texts_in(x: Any) -> str:
    """All that is in a JSON document, as one text; floats with as many digits as texts have."""
    if isinstance(x, dict):
        return " ".join(f"{key} {texts_in(value)}" for key, value in x.items())
    if isinstance(x, list):
        return " ".join(map(texts_in, x))
    return f"{x!r} {x:.10g} {x:.1g} {x:.2f} {x:.3g} {x:,}" if isinstance(x, float | int) else str(x)


@pytest.mark.parametrize("name", CHECKS)
def test_a_report_is_the_same_as_text_and_as_json(name: str) -> None:
    report = report_of(CHECKS[name])
    assert isinstance(report, Report)
    assert report.passed is (name in PASSED)
    assert report.passed is not bool(report.wrong)
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert found["passed"] is report.passed
    assert found["report"] == type(report).__name__
    assert len(found["wrong"]) == len(report.wrong)
    assert len(found["inconclusive"]) == len(report.inconclusive)
    assert len(found["notes"]) == len(report.notes)
    counts = Counter(claim["verdict"] for claim in found.get("claims", []))
    known = f"{texts_in(found)} {dict(counts)}"
    for number in re.findall(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?", str(report)):
        assert number.rstrip(",") in known, number


@pytest.mark.parametrize("name", CHECKS)
def test_a_report_fits_into_a_terminal(name: str) -> None:
    text = str(report_of(CHECKS[name]))
    assert all(len(line) <= 80 for line in text.splitlines() if "reproduce" not in line), text


class Printer:
    """What IPython gives to `_repr_pretty_`."""

    def __init__(self) -> None:
        self.shown = ""

    def text(self, text: str) -> None:
        self.shown += text


def test_a_notebook_shows_the_text() -> None:
    report, printer = CHECKS["right"](), Printer()
    report._repr_pretty_(printer, False)
    assert printer.shown == str(report) == repr(report)


def test_numbers_that_are_not_finite_are_texts() -> None:
    row = report_of(CHECKS["not a number"]).to_dict()["rows"][0]
    assert row["derivative"] == "nan"
    assert report_of(CHECKS["infinite"]).to_dict()["rows"][0]["derivative"] == "inf"


def test_of_a_large_gradient_the_wrong_entries_are_listed() -> None:
    report = report_of(CHECKS["many, wrong"])
    assert {row.name for row in report.wrong} == {"x[17]", "x[400]"}
    assert "2 of 1,000 derivatives along 3 random directions are not what finite differences say" in report.failure
    assert 0 < report.evaluations < 20_000
    assert report.unsettled == 0


def test_what_gradcheck_finds_is_in_its_report() -> None:
    with pytest.raises(WrongGradientError) as caught:
        CHECKS["gradcheck, wrong"]()
    report = caught.value.report
    assert isinstance(report, GradcheckReport)
    assert isinstance(report, GradientReport)
    assert [row.name for row in report.wrong] == ["x1"]
    assert report.confirmed == ["rules right", "accumulation right", "inputs untouched", "deterministic"]
    assert str(report).startswith("gradcheck of <lambda> at (0.5, 1): wrong\n")
    assert report_of(CHECKS["gradcheck, undefined"]).wrong[0].kind == "UndefinedPointError"


def test_the_reports_of_rules_are_a_sequence() -> None:
    reports = check_rules(points=1)
    assert all(isinstance(report, RuleReport) for report in reports)
    assert reports[0] in reports
    assert len(reports[:2]) == 2
