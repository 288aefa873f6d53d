"""Does each library's check of gradients judge what it must, and does the table stand without those not installed?

pytest tests/benchmarks/test_gradients.py
"""

import math

import numpy as np
import pytest

from tests.autograd.testing.foreign import fields, learning, sizes
from tests.autograd.testing.foreign.case import Case, right
from tests.autograd.testing.foreign.precise import claim, truth
from tests.benchmarks import gradients
from tests.benchmarks.gradient_checkers import COLUMNS, MAKERS, Flat, available, says_wrong

CUBE = Case("a cube", lambda x: x**3, lambda x: 3 * x * x, 2.0)
WRONG_CUBE = Case("a cube", lambda x: x**3, lambda x: 2 * x * x, 2.0, "the wrong factor")


@pytest.fixture(scope="module")
def checks():
    return available()


@pytest.mark.filterwarnings("default")  # what the peers warn of when they are loaded is their own affair
@pytest.mark.parametrize("column", COLUMNS)
def test_a_right_gradient_passes_and_a_wrong_one_does_not(column, checks):
    if column not in checks:
        pytest.skip(f"{MAKERS[column][0]} is not installed")
    small = sizes.of_size(5)
    assert not checks[column](CUBE)
    assert checks[column](WRONG_CUBE)
    assert not checks[column](small)
    assert checks[column](sizes.of_size(5, "two neighbours swapped"))


@pytest.mark.parametrize("case", right([*learning.PROBLEMS, *fields.PROBLEMS]), ids=str)
def test_peers_are_given_the_same_function_and_gradient(case):
    flat = Flat(case)
    f_of_point = case.f(*case.point) if type(case.point) is tuple else case.f(case.point)
    assert np.array_equal(flat.values(flat.point), np.ravel(f_of_point))
    assert np.array_equal(flat.jacobian(flat.point), claim(case.df, case.point, flat.outputs))
    assert flat.jacobian(flat.point).shape == truth(case.f, case.point).shape


def test_a_check_that_raises_counts_as_an_alarm():
    assert says_wrong(lambda case: math.sqrt(-1.0), CUBE)


def test_every_row_has_cases_of_one_kind():
    for row in gradients.rows(count=1):
        assert row.cases
        assert row.fault in (gradients.MISSED, gradients.REJECTED)


def test_tables_stand_without_the_peers(monkeypatch):
    monkeypatch.setattr(gradients, "TIMES", gradients.TIMES[:1])
    alone = {"this": available()["this"]}
    found = [gradients.Row("a cube", "rejected", [CUBE]), gradients.Row("a wrong cube", "missed", [WRONG_CUBE])]
    lines = gradients.judged_table(found, alone).splitlines()
    assert [line.split("|")[4].strip() for line in lines[2:4]] == ["0", "0"]
    assert all("absent" in line for line in lines[2:4])
    assert all(len(line) <= 100 for line in lines)
    assert "failed" not in gradients.times_table(alone, sizes.FEW)
