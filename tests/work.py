"""How much work is a call, on any machine and however busy it is? The lines of Python that it executes.

A clock says more, and says it in `python -m tests.benchmarks`. No test asserts what a clock says.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_executed(call: Callable[[], Any]) -> int:
    """How many lines of Python run until the call returns. What C code does inside one line is not seen."""
    lines = 0

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return follow

    before = sys.gettrace()  # a debugger's, or that of a coverage report
    sys.settrace(follow)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines
