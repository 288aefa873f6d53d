"""What does `check_gradient` say of a case?"""

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign.approximate import Approximate
from tests.autograd.testing.foreign.case import Case

REMEDIES = ("noise", "exact_to")


def is_found(case: Case) -> bool:
    """Whether the gradient is said to be wrong."""
    try:
        check_gradient(case.f, case.df, case.point)
    except WrongGradientError:
        return True
    return False


def verdict(case: Approximate) -> str:
    """ "right", "inconclusive"; "remedy" for an alarm that names what makes it pass; or "false alarm"."""
    try:
        report = check_gradient(case.f, case.df, case.point)
    except WrongGradientError as error:
        named = any(f"{name}=" in str(error) for name in case.remedy or {})
        return "remedy" if named and passes_with_the_remedy(case) else "false alarm"
    return "inconclusive" if report.inconclusive else "right"


def passes_with_the_remedy(case: Approximate) -> bool:
    try:
        check_gradient(case.f, case.df, case.point, **(case.remedy or {}))
    except WrongGradientError:
        return False
    return True


def gross_error_is_found(case: Approximate) -> bool:
    """With the remedy too."""
    try:
        check_gradient(case.f, case.gross, case.point, **(case.remedy or {}))
    except WrongGradientError:
        return True
    return False
