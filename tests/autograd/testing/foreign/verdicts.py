"""What does `check_gradient` say of a case?"""

import re
from collections.abc import Mapping

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign.approximate import Approximate
from tests.autograd.testing.foreign.case import Case, Function


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
        named = remedy_named(str(error), case)
        works = bool(named) and passes(case, case.df, named) and not passes(case, case.gross, named)
        return "remedy" if works else "false alarm"
    return "inconclusive" if report.inconclusive else "right"


def remedy_named(message: str, case: Approximate) -> Mapping[str, float]:
    """What the message says to pass, the first of them. Where it names no number, the case knows it."""
    named = re.search(r"(exact_to|noise)=([0-9.]+(?:e[+-]?[0-9]+)?)", message)
    if named:
        return {named[1]: float(named[2])}
    return {name: value for name, value in (case.remedy or {}).items() if f"{name}=" in message}


def passes(case: Approximate, df: Function, remedy: Mapping[str, float]) -> bool:
    try:
        check_gradient(case.f, df, case.point, **remedy)
    except WrongGradientError:
        return False
    return True


def passes_with_the_remedy(case: Approximate) -> bool:
    """With what the case knows itself."""
    return passes(case, case.df, case.remedy or {})


def gross_error_is_found(case: Approximate) -> bool:
    """With the remedy too."""
    return not passes(case, case.gross, case.remedy or {})
