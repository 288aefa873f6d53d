"""Does `from autograd.testing import *` give what can be had where a package is missing?"""

import subprocess
import sys

import pytest

import autograd.testing
from autograd.testing import errors

NEEDS_MPMATH = {"RuleReport", "check_engine", "check_rule", "check_rules", "gradcheck"}
NEEDS_HYPOTHESIS = {"TrainingMachine", "expressions", "mlps", "points", "values"}


def imported(*missing: str) -> set[str]:
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r})); names = {{}}; "
        f"exec('from autograd.testing import *', names); print(*(name for name in names if name[0] != '_'))"
    )
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("missing", "gone"),
    [
        ((), set()),
        (("mpmath",), NEEDS_MPMATH),
        (("hypothesis",), NEEDS_HYPOTHESIS),
        (("mpmath", "hypothesis", "numpy"), NEEDS_MPMATH | NEEDS_HYPOTHESIS),
    ],
)
def test_a_star_import_gives_all_but_what_needs_a_missing_package(missing: tuple[str, ...], gone: set[str]) -> None:
    assert imported(*missing) == set(autograd.testing.__all__) - gone


def test_every_error_that_a_check_raises_can_be_imported_from_the_package() -> None:
    assert {name for name in vars(errors) if name.endswith("Error")} <= set(autograd.testing.__all__)


@pytest.mark.parametrize(("missing", "names"), [("mpmath", NEEDS_MPMATH), ("hypothesis", NEEDS_HYPOTHESIS)])
def test_what_needs_a_missing_package_says_so(missing: str, names: set[str]) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"import autograd.testing\n"
        f"for name in {sorted(names)}:\n"
        f"    try: getattr(autograd.testing, name)\n"
        f"    except ImportError as error: print(error)\n"
    )
    lines = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines == [
        f"autograd.testing.{name} needs the package {missing}: pip install mpmath hypothesis" for name in sorted(names)
    ]
