"""Is there a way out where a right gradient of a rough function is rejected, and none for a wrong one?"""

from collections.abc import Iterator

import pytest

from tests.autograd.testing.foreign.approximate import Approximate, mixed_precision, scipy_solvers, solvers, tables
from tests.autograd.testing.foreign.verdicts import gross_error_is_found, passes_with_the_remedy, verdict


def of_scipy() -> Iterator[Approximate]:
    try:
        yield from scipy_solvers()
    except ImportError:
        return


CASES = [*tables(), *solvers(), *of_scipy(), *mixed_precision()]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_right_gradient_passes_or_the_remedy_is_named_and_works(case: Approximate) -> None:
    assert verdict(case) != "false alarm"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_with_the_remedy_it_passes_and_a_gross_error_is_found(case: Approximate) -> None:
    assert passes_with_the_remedy(case)
    assert gross_error_is_found(case)
