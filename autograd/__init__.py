"""A scalar reverse-mode autograd engine.

`Value` is a number that remembers how it was computed (start with `value.py`); the functions here take numbers
and Values alike. Neural networks are in the package `nn`.

>>> from autograd import Value, tanh
>>> w, x, b = Value(0.5), 2.0, Value(-1.0)
>>> y = tanh(w * x + b)
>>> y.backward()
>>> y.data, w.grad, b.grad
(0.0, 2.0, 1.0)
"""

import builtins as _builtins
from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec
from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any

if _find_spec("autograd.numpy") is not None:  # HIPS autograd has this folder, and this project has not
    raise ImportError(
        "the files of another package named autograd (HIPS autograd) lie in the same folder as scalar-autograd; "
        "run `pip uninstall autograd scalar-autograd` and then `pip install scalar-autograd`"
    )

from autograd import functions as _functions
from autograd.functions import *
from autograd.graph import leaves as leaves, topological_order as topological_order
from autograd.modes import (
    DomainError as DomainError,
    RecordingError as RecordingError,
    no_grad as no_grad,
    strict as strict,
)
from autograd.value import Value as Value

if _TYPE_CHECKING:
    from autograd.compiler import Program as Program, compile as compile
    from autograd.drawing import draw as draw, explain as explain
    from autograd.loops import scan as scan
    from autograd.steps import backward_steps as backward_steps
    from autograd.transforms import (
        derivative as derivative,
        grad as grad,
        hessian as hessian,
        hvp as hvp,
        jacobian as jacobian,
        jvp as jvp,
        value_and_grad as value_and_grad,
        vjp as vjp,
    )

__version__ = "0.1.0"

_LAZY = {
    "autograd.compiler": ("Program", "compile"),
    "autograd.drawing": ("draw", "explain"),
    "autograd.loops": ("scan",),
    "autograd.steps": ("backward_steps",),
    "autograd.transforms": ("derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"),
}
"""The names that are loaded only when somebody asks for them, by module. So `import autograd` stays fast."""

_NEEDS = {
    "autograd.compiler": ("numpy", "NumPy, and for speed llvmlite: pip install 'scalar-autograd[fast]'"),
    "autograd.drawing": ("graphviz", "the package graphviz: pip install graphviz pygraphviz"),
}
"""The package that a module needs, and how to get it."""

_PLACES = {name: module for module, names in _LAZY.items() for name in names}


def __getattr__(name: str) -> _Any:
    """Loads drawing, compiling and transforms when somebody asks for them."""
    if name not in _PLACES:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    package, remedy = _NEEDS.get(_PLACES[name], ("", ""))
    try:
        return getattr(_import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(f"autograd.{name} needs {remedy}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})


def _star() -> list[str]:
    """The names that `from autograd import *` brings: all public ones that work with the packages installed.

    Names that shadow Python's own (abs, compile, max, min, pow, round, sum) are left out: write autograd.sum.
    """
    found = {"DomainError", "RecordingError", "Value", "leaves", "no_grad", "strict", "topological_order"}
    found.update(_functions.PUBLIC)
    for module, names in _LAZY.items():
        package, _ = _NEEDS.get(module, ("", ""))
        if not package or _find_spec(package) is not None:
            found.update(names)
    return sorted(name for name in found if not hasattr(_builtins, name))


def _backward_as_graph(self: Value, gradient: _Any) -> None:
    """`Value.backward(gradient, create_graph=True)`. It is set here since it needs the transforms."""
    from autograd.transforms.reverse import backward

    backward(self, gradient)


Value._backward_as_graph = _backward_as_graph  # type: ignore[method-assign]
globals()["__all__"] = _star()  # in this form, since type checkers then see all names above
