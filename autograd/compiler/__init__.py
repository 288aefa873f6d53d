"""Turns a graph that was recorded once into native code that runs for many examples at once.

NumPy and llvmlite are loaded when something is compiled. `compiled.py` has `compile` itself; read it first.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any

if _TYPE_CHECKING:
    from autograd.compiler.compiled import CompiledFunction, compile
    from autograd.compiler.program import Program
    from autograd.compiler.tracing import RecordingError

_MODULES = {"CompiledFunction": "compiled", "compile": "compiled", "Program": "program", "RecordingError": "tracing"}

__all__ = ["CompiledFunction", "Program", "RecordingError", "compile"]


def __getattr__(name: str) -> _Any:
    """Loads what is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module 'autograd.compiler' has no attribute {name!r}")
    return getattr(_import_module(f"autograd.compiler.{_MODULES[name]}"), name)
