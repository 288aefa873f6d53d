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

from importlib import import_module as _import_module
from importlib.util import find_spec as _find_spec
from typing import TYPE_CHECKING as _TYPE_CHECKING, Any as _Any

if _find_spec("autograd.numpy") is not None:  # HIPS autograd has this folder, and this project has not
    raise ImportError(
        "the files of another package named autograd (HIPS autograd) lie in the same folder as scalar-autograd; "
        "run `pip uninstall autograd scalar-autograd` and then `pip install scalar-autograd`"
    )

from autograd.functions import (
    abs as abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    ceil,
    clip,
    cos,
    cosh,
    div,
    dot,
    elu,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    floor_divide,
    gelu,
    hypot,
    leaky_relu,
    log,
    log1p,
    log2,
    log10,
    log_softmax,
    logsumexp,
    max as max,
    maximum,
    mean,
    min as min,
    minimum,
    mul,
    neg,
    norm,
    operation,
    pos,
    pow as pow,
    prod,
    relu,
    remainder,
    round as round,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    sub,
    sum as sum,
    take,
    tan,
    tanh,
    where,
)
from autograd.graph import leaves, topological_order
from autograd.modes import DomainError, no_grad, strict
from autograd.value import Value

if _TYPE_CHECKING:
    from autograd.compiler import Program, RecordingError, compile as compile
    from autograd.drawing import draw, explain
    from autograd.steps import backward_steps
    from autograd.transforms import derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

_LAZY = {"draw": "autograd.drawing", "explain": "autograd.drawing", "backward_steps": "autograd.steps"}
_LAZY |= dict.fromkeys(("Program", "RecordingError", "compile"), "autograd.compiler")
_LAZY |= dict.fromkeys(
    ("derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"), "autograd.transforms"
)
_NEEDS = {"graphviz": "the package graphviz: pip install graphviz pygraphviz"}
_NEEDS |= {"numpy": "NumPy, and for speed numba: pip install 'scalar-autograd[fast]'"}


def __getattr__(name: str) -> _Any:
    """Loads drawing, compiling and transforms only when they are asked for: `import autograd` stays light."""
    if name in _LAZY:
        try:
            return getattr(_import_module(_LAZY[name]), name)
        except ModuleNotFoundError as error:
            if error.name not in _NEEDS:
                raise
            raise ImportError(f"autograd.{name} needs {_NEEDS[error.name]}") from None
    raise AttributeError(f"module 'autograd' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


__version__ = "0.1.0"

# Names that shadow Python's own (abs, compile, max, min, pow, round, sum) are left out: write autograd.sum.
__all__ = [
    "DomainError",
    "Program",
    "RecordingError",
    "Value",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "backward_steps",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "derivative",
    "div",
    "dot",
    "draw",
    "elu",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "explain",
    "expm1",
    "floor",
    "floor_divide",
    "gelu",
    "grad",
    "hessian",
    "hvp",
    "hypot",
    "jacobian",
    "jvp",
    "leaky_relu",
    "leaves",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logsumexp",
    "maximum",
    "mean",
    "minimum",
    "mul",
    "neg",
    "no_grad",
    "norm",
    "operation",
    "pos",
    "prod",
    "relu",
    "remainder",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "strict",
    "sub",
    "take",
    "tan",
    "tanh",
    "topological_order",
    "value_and_grad",
    "vjp",
    "where",
]
