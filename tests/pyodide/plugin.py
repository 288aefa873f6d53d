"""A plugin for pytest in Pyodide: what does a test need that is not there? Then it is skipped, with the reason.

There are no processes, no threads, and only the packages that were put in. A test that asks for one of them itself is
skipped. Where the project's own code asks, the test fails: whatever works without must work there.
"""

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

PACKAGES = [str(Path(__file__).parents[2] / name) + "/" for name in ("autograd", "nn")]
ABSENT = ("emscripten does not support processes", "can't start new thread", "No module named", "CI needs Chromium")


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Properties are tried on a tenth of CI's examples, since Python is slow there, once conftest.py has chosen."""
    fewer = settings(deadline=None, max_examples=10, derandomize=True, suppress_health_check=list(HealthCheck))
    settings.register_profile("pyodide", fewer)
    settings.load_profile("pyodide")


def pytest_runtest_logstart(nodeid: str) -> None:
    """For whoever wants to know where Pyodide ended."""
    if sys.platform == "emscripten":
        import js

        js.globalThis.lastTest = nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    report = yield
    if call.excinfo and (reason := _what_is_absent(call.excinfo)):
        report.outcome, report.longrepr = "skipped", (str(item.path), item.location[1], f"Skipped: {reason}")
    return report


def _what_is_absent(error: pytest.ExceptionInfo[BaseException]) -> str:
    ours = any(str(entry.path).startswith(package) for entry in error.traceback for package in PACKAGES)
    text = str(error.value)
    return text if not ours and any(word in text for word in ABSENT) else ""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """A file that imports what is not there is skipped as a whole."""
    report = yield
    if report.failed and any(word in str(report.longrepr) for word in ABSENT):
        last = str(report.longrepr).strip().splitlines()[-1]
        report.outcome, report.longrepr = "skipped", (str(collector.path), None, f"Skipped: {last}")
    return report
