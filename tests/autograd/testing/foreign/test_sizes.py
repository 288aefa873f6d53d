"""Does a gradient of many numbers take few calls, and is one wrong entry among them found and named?"""

import pytest

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign.case import Case
from tests.autograd.testing.foreign.sizes import (
    A_MILLION,
    DEFECTS,
    MANY,
    Counted,
    classifier,
    jacobian,
    layer,
    of_size,
    typical,
)


def calls_of_a_right_one(case: Case) -> int:
    f = Counted(case.f)
    check_gradient(f, case.df, case.point)
    return f.calls


def calls_of_a_wrong_one(case: Case) -> tuple[int, WrongGradientError]:
    f = Counted(case.f)
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(f, case.df, case.point)
    return f.calls, caught.value


def test_ten_thousand_right_ones_take_fewer_calls_than_a_tenth_of_them() -> None:
    assert calls_of_a_right_one(of_size(MANY)) < MANY / 10


def test_one_wrong_among_ten_thousand_is_named() -> None:
    case = of_size(MANY, "one entry doubled")
    calls, error = calls_of_a_wrong_one(case)
    assert [row.name for row in error.report.wrong] == [f"x[{typical(of_size(MANY).df(case.point))}]"]
    assert calls < MANY / 2


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_found(defect: str) -> None:
    calls_of_a_wrong_one(of_size(MANY, defect))


@pytest.mark.parametrize("defect", ["transposed", "no gradient of the bias"])
def test_a_layer(defect: str) -> None:
    case = layer(100)
    check_gradient(case.f, case.df, case.point)
    calls_of_a_wrong_one(layer(100, defect))


@pytest.mark.parametrize("defect", ["transposed", "one entry doubled"])
def test_a_jacobian(defect: str) -> None:
    right = jacobian(100)
    assert calls_of_a_right_one(right) < 1_000
    calls_of_a_wrong_one(jacobian(100, defect))


@pytest.mark.parametrize("kind", ["softmax float64", "softmax float32", "hinge"])
def test_a_classifier(kind: str) -> None:
    assert calls_of_a_right_one(classifier(kind)) < 1_000
    for defect in ("no 1/n", "transposed", "one entry doubled"):
        calls_of_a_wrong_one(classifier(kind, defect))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300))
def test_a_right_gradient_of_ten_thousand_is_not_rejected(seed: int) -> None:
    case = of_size(MANY + seed)
    check_gradient(case.f, case.df, case.point)


@pytest.mark.slow
def test_a_million() -> None:
    assert calls_of_a_right_one(of_size(A_MILLION)) < 1_000
    calls, error = calls_of_a_wrong_one(of_size(A_MILLION, "one entry doubled"))
    assert len(error.report.wrong) == 1
    assert calls < 10_000
