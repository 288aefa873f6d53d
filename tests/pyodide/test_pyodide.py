"""Does the whole work in a web page, where there are neither processes nor threads? With NumPy and without.

`inside/` says what has to work there; some files of the suite run there as they are.
"""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
INSIDE = sorted(path.name for path in (Path(__file__).parent / "inside").glob("test_*.py"))

SUITE = (
    "test_value.py",
    "test_rows.py",
    "test_spelling.py",
    "test_terminal.py",
    "drawing/test_explanation.py",
    "drawing/test_moments.py",
    "drawing/test_network.py",
    "drawing/test_parts.py",
    "drawing/test_svg.py",
    "drawing/test_worksheet.py",
)
"""Files of tests/autograd that need no other package; what they need else is skipped there, with the reason."""


@pytest.mark.parametrize("file", SUITE)
def test_the_suite_passes_in_a_page(bare, file):
    _passes(bare, f"tests/autograd/{file}")


@pytest.mark.parametrize("pyodide", ["with_numpy", "bare"])
@pytest.mark.parametrize("file", INSIDE)
def test_what_people_do_in_a_page_works(pyodide, file, request):
    _passes(request.getfixturevalue(pyodide), f"tests/pyodide/inside/{file}")


def _passes(pyodide, *words):
    """pytest inside: all that is printed is shown if a test fails there."""
    output = pyodide.run(f"""
import os, sys, pytest
os.chdir("/home/pyodide")
for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
    del sys.modules[name]
print("exit", int(pytest.main({["-rfEs", *words]!r})))
""")
    assert output.rstrip().endswith(("exit 0", "exit 5")), output  # 5: no test of the file can run there
