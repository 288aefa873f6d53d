"""How many examples do the property tests try, and are they the same each time?

Locally Hypothesis looks at new examples in every run and remembers the failures; under CI, and with
`--hypothesis-profile=ci`, it repeats the same ones, a third as many. No example has a deadline: a busy machine is no
fault. Tests that have a number of their own ask `sampling.py`.
"""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=300)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, max_examples=100)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell starts what runs in the background with Ctrl-C ignored, and processes hand that on to those they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def without_llvmlite(monkeypatch):
    """As if llvmlite were not installed."""
    from autograd.compiler.backend import why_no_native_code

    why_no_native_code.cache_clear()
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    yield
    why_no_native_code.cache_clear()


@pytest.fixture(params=["native", "numpy"])
def either_code(request):
    """Programs run in native code, and then by NumPy."""
    if request.param == "numpy":
        request.getfixturevalue("without_llvmlite")


LONGEST = (
    "tests/autograd/testing/submissions/test_submissions.py",  # waits for processes that hang
    "tests/autograd/testing/test_engines.py",
    "tests/autograd/drawing/test_live.py",
    "tests/autograd/testing/graphs/test_strategies.py",
    "tests/autograd/drawing/test_picture.py",
    "tests/nn/command/test_main.py",
    "notebooks/07-vanishing-gradients.ipynb",
    "tests/autograd/drawing/test_hosts.py",
    "tests/autograd/drawing/test_page.py",
    "tests/autograd/compiler/test_stepping.py",
    "tests/autograd/test_accuracy.py",
    "tests/autograd/compiler/test_javascript.py",
    "tests/autograd/drawing/test_quiz.py",
    "tests/nn/diagnosis/test_diagnose.py",
    "tests/autograd/test_symbols.py",
    "tests/autograd/test_rules.py",
    "tests/autograd/testing/test_gradchecking.py",
    "tests/autograd/compiler/native/test_processors.py",
    "notebooks/04-property-tests-and-gradient-checking.ipynb",
    "notebooks/11-mirror-symmetry-1986.ipynb",
    "tests/nn/training/test_predict.py",
    "tests/autograd/compiler/native/test_cache.py",  # begins with an empty cache, again and again
    "tests/autograd/drawing/test_frames.py",
    "tests/autograd/compiler/native/test_vector_functions.py",
    "tests/autograd/testing/truth/test_rule_checks.py",
    "tests/autograd/test_graph.py",
    "tests/autograd/test_special_points.py",
    "tests/autograd/testing/test_seeded_faults.py",
    "tests/nn/test_gradients.py",
    "tests/autograd/testing/test_any_gradient.py",
)
"""The files that take longest, 7 seconds and more. They begin, so that no processor waits for another at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parents[1]
    places = {root / file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
