"""How do I know that a derivative is right? A toolkit that needs no tolerances.

For anybody's functions, of plain Python, NumPy, PyTorch or JAX:

- `finite_difference(f, x)`: a derivative with its own error bound and a verdict.
- `check_gradient(f, df, point)`: holds a gradient written by hand against them; without `df` what the framework says,
  backward and forward. Here and in `gradcheck` a tuple is the arguments, f(x, y), and anything else is one argument.

For this engine, and for one's own:

- `gradcheck(f, point)`: every local rule against an independent oracle, the accumulation against exact
  arithmetic, the whole against finite differences.
- `check_rule(operation)`, `check_rules()`: one rule, or all, over the whole range of doubles.
- `check_engine(ValueClass)` and `python -m autograd.testing my_engine.py:Value`: judges somebody's engine.

Every check returns a `Report`: `.passed`, `.wrong`, `.inconclusive`, `.notes`; it prints as text, and `.to_dict()` says
the same to programs. Where something is wrong, the error has this report as `error.report`, and ends with a line that
can be pasted to see the error again.

For property tests with Hypothesis: the strategies `expressions`, `points`, `values`, `mlps`, the first and the last
also on the numbers of another engine (`other_engine`); `TrainingMachine`, a state machine for optimisers and modules;
for any test: `assert_close_ulp` and its like.

The extra `testing` brings mpmath and Hypothesis, which are imported only when used. `finite_difference` and
`check_gradient` need neither, and `from autograd.testing import *` leaves out what needs a package that is missing.
Read `differences/finite_differences.py` first, then `gradchecking.py`.
"""

from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec
from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any

if _TYPE_CHECKING:
    from autograd.testing.any_gradient import check_gradient
    from autograd.testing.assertions import assert_close_ulp, assert_same_float, assert_same_gradients, ulp_distance
    from autograd.testing.differences.finite_differences import Difference, finite_difference
    from autograd.testing.engines.judging import check_engine
    from autograd.testing.engines.report import EngineReport
    from autograd.testing.errors import (
        GradcheckError,
        InconclusiveError,
        InputChangedError,
        NotDeterministicError,
        UndefinedPointError,
        WrongAccumulationError,
        WrongGradientError,
        WrongRuleError,
        WrongValueError,
    )
    from autograd.testing.gradchecking import gradcheck
    from autograd.testing.graphs.expression import Expression, expression_of
    from autograd.testing.graphs.strategies import expressions, points, values
    from autograd.testing.other_engines import OtherEngine, other_engine
    from autograd.testing.report import GradcheckReport, GradientReport, Report
    from autograd.testing.truth.rule_checks import RuleReport, check_rule, check_rules

_PLACES = {
    ".assertions": ["assert_close_ulp", "assert_same_float", "assert_same_gradients", "ulp_distance"],
    ".differences.finite_differences": ["Difference", "finite_difference"],
    ".engines.judging": ["check_engine"],
    ".engines.report": ["EngineReport"],
    ".errors": [
        "GradcheckError",
        "InconclusiveError",
        "InputChangedError",
        "NotDeterministicError",
        "UndefinedPointError",
        "WrongAccumulationError",
        "WrongGradientError",
        "WrongRuleError",
        "WrongValueError",
    ],
    ".gradchecking": ["gradcheck"],
    ".any_gradient": ["check_gradient"],
    ".report": ["GradcheckReport", "GradientReport", "Report"],
    ".truth.rule_checks": ["RuleReport", "check_rule", "check_rules"],
    ".graphs.expression": ["Expression", "expression_of"],
    ".graphs.strategies": ["expressions", "points", "values"],
    ".other_engines": ["OtherEngine", "other_engine"],
    # These come from nn, which is built on autograd, and are offered here beside the other strategies.
    "nn.testing": ["TrainingMachine", "mlps"],
}
_NEEDED = {
    "mpmath": (".engines.judging", ".gradchecking", ".truth.rule_checks"),
    "hypothesis": (".graphs.strategies", "nn.testing"),
}
"""The packages of the extra `testing`, and what cannot be had without them."""
_LAZY = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> _Any:
    """Loads each part only when it is asked for: mpmath and Hypothesis take half a second to import."""
    if name in _LAZY:
        try:
            found = globals()[name] = getattr(_import_module(_LAZY[name], __name__), name)
        except ModuleNotFoundError as error:
            if error.name not in _NEEDED:
                raise
            raise ImportError(
                f"autograd.testing.{name} needs the package {error.name}: pip install {' '.join(_NEEDED)}"
            ) from None
        return found
    raise AttributeError(f"module 'autograd.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


__all__ = [
    "Difference",
    "EngineReport",
    "Expression",
    "GradcheckError",
    "GradcheckReport",
    "GradientReport",
    "InconclusiveError",
    "InputChangedError",
    "NotDeterministicError",
    "OtherEngine",
    "Report",
    "RuleReport",
    "TrainingMachine",
    "UndefinedPointError",
    "WrongAccumulationError",
    "WrongGradientError",
    "WrongRuleError",
    "WrongValueError",
    "assert_close_ulp",
    "assert_same_float",
    "assert_same_gradients",
    "check_engine",
    "check_gradient",
    "check_rule",
    "check_rules",
    "expression_of",
    "expressions",
    "finite_difference",
    "gradcheck",
    "mlps",
    "other_engine",
    "points",
    "ulp_distance",
    "values",
]
_MISSING = {place for package, places in _NEEDED.items() if not _find_spec(package) for place in places}
__all__ = [name for name in __all__ if _LAZY[name] not in _MISSING]  # so that a star import gives what can be had
