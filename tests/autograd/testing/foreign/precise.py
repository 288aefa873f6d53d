"""What is the derivative of a function written with NumPy, to 30 digits?

The function is called with arrays of objects that hold numbers of 60 digits. NumPy adds and multiplies those, and
`np.exp` of such an array calls the method `exp` of each number. So the function itself is evaluated to 60 digits, and a
central difference with a step of 1e-20 has an error of about 1e-40. Nothing of `autograd.testing` takes part.

What NumPy refuses to do with objects (linear algebra, Fourier transforms, erf) is here for both kinds of numbers.
"""

import math
from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np

STEP = "1e-20"

digits = mpmath.MPContext()
"""A context of its own: its numbers have methods, and no other test sees them."""
digits.dps = 60

METHODS = {
    "exp": digits.exp, "log": digits.log, "sqrt": digits.sqrt, "sin": digits.sin, "cos": digits.cos,
    "tan": digits.tan, "tanh": digits.tanh, "sinh": digits.sinh, "cosh": digits.cosh, "arcsin": digits.asin,
    "arccos": digits.acos, "arctan": digits.atan, "arctan2": digits.atan2, "log1p": digits.log1p,
    "expm1": digits.expm1, "log10": digits.log10,
}  # fmt: skip
for name, function in METHODS.items():
    setattr(digits.mpf, name, lambda *x, function=function: function(*x))


def exact(x: Any) -> bool:
    return np.asarray(x).dtype == object


# What NumPy does not do with objects


def inverse(a: Any) -> Any:
    return _array(digits.matrix(a.tolist()) ** -1) if exact(a) else np.linalg.inv(a)


def determinant(a: Any) -> Any:
    return digits.det(digits.matrix(a.tolist())) if exact(a) else np.linalg.det(a)


def cholesky(a: Any) -> Any:
    return _array(digits.cholesky(digits.matrix(a.tolist()))) if exact(a) else np.linalg.cholesky(a)


def eigenvalues(a: Any) -> Any:
    """Of a symmetric matrix, the smallest first."""
    if exact(a):
        return np.array(sorted(digits.eigsy(digits.matrix(a.tolist()), eigvals_only=True)), dtype=object)
    return np.linalg.eigvalsh(a)


def fourier_power(x: Any) -> Any:
    """|X_k|^2 of the discrete Fourier transform."""
    if not exact(x):
        return np.abs(np.fft.fft(x)) ** 2
    turns = [[2 * digits.pi * j * k / len(x) for j in range(len(x))] for k in range(len(x))]
    real, imaginary = (np.array([[part(t) for t in row] for row in turns]) @ x for part in (digits.cos, digits.sin))
    return real**2 + imaginary**2


def erf(x: Any) -> Any:
    return digits.erf(x) if isinstance(x, digits.mpf) else math.erf(x)


def log_gamma(x: Any) -> Any:
    return digits.loggamma(x) if isinstance(x, digits.mpf) else math.lgamma(x)


def _array(matrix: Any) -> Any:
    return np.array(matrix.tolist(), dtype=object)


# The derivative


def truth(f: Any, point: Any) -> Any:
    """Its derivatives as floats: a row for each number of the result, a column for each number of the point."""
    numbers = [digits.mpf(float(x)) for x in leaves(point)]
    step = digits.mpf(STEP)
    columns = []
    for k in range(len(numbers)):
        up, down = (_results(f, point, [*numbers[:k], numbers[k] + s, *numbers[k + 1 :]]) for s in (step, -step))
        columns.append([float((a - b) / (2 * step)) for a, b in zip(up, down, strict=True)])
    return np.array(columns).T


def claim(df: Any, point: Any, outputs: int) -> Any:
    """What df says, in the same order."""
    found = df(*point) if type(point) is tuple else df(point)
    parts = _parts(found) if type(point) is tuple or isinstance(point, dict) else [found]
    return np.hstack([np.asarray(part, dtype=float).reshape(outputs, -1) for part in parts])


def leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, dict | list | tuple):
        for part in _parts(x):
            yield from leaves(part)
    else:
        yield from np.asarray(x).reshape(-1)


def _results(f: Any, point: Any, numbers: list[Any]) -> list[Any]:
    given = _rebuilt(point, iter(numbers))
    return list(leaves(f(*given) if type(point) is tuple else f(given)))


def _rebuilt(x: Any, numbers: Iterator[Any]) -> Any:
    if isinstance(x, dict):
        return {key: _rebuilt(part, numbers) for key, part in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(_rebuilt(part, numbers) for part in x)
    if isinstance(x, np.ndarray):
        return np.array([next(numbers) for _ in range(x.size)], dtype=object).reshape(x.shape)
    return next(numbers)


def _parts(x: Any) -> list[Any]:
    return list(x.values() if isinstance(x, dict) else x)
