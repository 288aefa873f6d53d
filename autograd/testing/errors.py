"""What can be wrong with a derivative? One exception for each answer.

Hypothesis tells failures apart by their type. With one type for each verdict it shrinks a wrong rule and a wrong
accumulation to one example each, and never turns one into the other. All are `AssertionError`s, so that test runners
count them as failures and not as crashes.
"""

from typing import Any


class GradcheckError(AssertionError):
    """A gradient is wrong, or cannot be checked. The message is the report in words.

    Attributes:
        report: what was found, a `Report`; None if the check ended before anything was compared.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class WrongRuleError(GradcheckError):
    """A local derivative is not the derivative of its operation."""


class WrongAccumulationError(GradcheckError):
    """The local derivatives are right, but the chain rule was not applied to them correctly."""


class WrongGradientError(GradcheckError):
    """End to end, the gradient is not what finite differences of the function say."""


class WrongValueError(GradcheckError):
    """Another engine's value of an expression is not what it should be."""


class InconclusiveError(GradcheckError):
    """Finite differences are too uncertain to confirm the gradient (raised only on request)."""


class UndefinedPointError(GradcheckError):
    """The function has no finite value at the point, so that there is no derivative to check."""


class NotDeterministicError(GradcheckError):
    """The same inputs gave another value or gradient the second time."""


class InputChangedError(GradcheckError):
    """The function, or `backward()`, changed its inputs."""


# Sentences that several checks say


def raised_at(where: str, error: Exception, report: Any = None) -> UndefinedPointError:
    """The function raised what Python raises outside of a domain."""
    return UndefinedPointError(
        f"{where} raised {type(error).__name__}: {error}; if this is where its domain ends, choose a point inside",
        report,
    )


def not_finite(where: str, value: Any, report: Any = None) -> UndefinedPointError:
    """The function has no finite value."""
    return UndefinedPointError(f"{where} is {value}; choose a point where it is finite", report)


def not_repeated(what: str, first: Any, second: Any) -> NotDeterministicError:
    """The function gave something else when called again."""
    return NotDeterministicError(
        f"{what} was {first} and, called again, {second}; seed its random numbers anew at each call, "
        f"or switch them off (model.eval() for dropout)"
    )
