"""What are the elementary functions of compiled code? Those that `rules(m)` asks of its namespace `m`, for numba.

The namespace is this module itself: numba looks names up in a module as it compiles. All follow IEEE 754, as C's
functions do, and none raises.
"""

import math
from math import (
    acos as acos,
    acosh as acosh,
    asin as asin,
    asinh as asinh,
    atan as atan,
    atan2 as atan2,
    atanh as atanh,
    cos as cos,
    cosh as cosh,
    erf as erf,
    erfc as erfc,
    exp as exp,
    expm1 as expm1,
    log as log,
    log1p as log1p,
    log2 as log2,
    log10 as log10,
    pow as pow,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    tan as tan,
    tanh as tanh,
)
from typing import Any

import numpy as np
from numba import njit

from autograd.compiler.native.vector_types import fused_of_one


@njit(error_model="numpy")
def exp2(x: Any) -> Any:
    """2 raised to x."""
    return np.exp2(x)


@njit(error_model="numpy")
def cbrt(x: Any) -> Any:
    """The cube root."""
    return np.cbrt(x)


@njit(error_model="numpy")
def floor(x: Any) -> Any:
    """The largest whole number up to x, as a float."""
    return np.floor(x)


@njit(error_model="numpy")
def ceil(x: Any) -> Any:
    """The smallest whole number from x on, as a float."""
    return np.ceil(x)


@njit(error_model="numpy")
def round(x: Any) -> Any:
    """The nearest whole number, of two the even one, as a float."""
    return np.rint(x)


@njit(error_model="numpy")
def hypot(x: Any, y: Any) -> Any:
    """The square root of x * x + y * y, rounded nearly as well as can be; numba's own is 2 ulp off.

    Borges, "An Improved Algorithm for hypot(a, b)", 2019, with operands near the ends of the range moved to its middle.
    """
    if math.isinf(x) or math.isinf(y):
        return math.inf
    if x != x or y != y:
        return math.nan
    large, small = max(abs(x), abs(y)), min(abs(x), abs(y))
    if large * 2.0**-60 > small or small == 0.0:
        return large + small
    scale = 2.0**-600 if large > 2.0**500 else 2.0**600 if small < 2.0**-450 else 1.0
    large, small = large * scale, small * scale
    h = math.sqrt(fused_of_one(large, large, small * small))
    square, large_square = h * h, large * large
    error = fused_of_one(-small, small, square - large_square)
    error += fused_of_one(h, h, -square) - fused_of_one(large, large, -large_square)
    return (h - error / (2.0 * h)) / scale


@njit(error_model="numpy")
def index(x: Any) -> Any:
    """A whole number as an int."""
    return int(x)


@njit(error_model="numpy")
def select(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, otherwise b."""
    return a if condition else b


@njit(error_model="numpy")
def row(numbers: Any, count: int) -> Any:
    """Room for so many numbers."""
    return np.empty(count)


@njit(error_model="numpy")
def sum(numbers: Any) -> Any:
    """The sum, with twice the digits on the way: the eager engine rounds once (`math.fsum`).

    Neumaier's variant of Kahan's sum ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974),
    with the errors' own errors kept once more."""
    total, error, error_of_error = 0.0, 0.0, 0.0
    for x in numbers:
        new = total + x
        small = (total - new) + x if abs(total) >= abs(x) else (x - new) + total
        total = new
        new = error + small
        error_of_error += (error - new) + small if abs(error) >= abs(small) else (small - new) + error
        error = new
    if math.isfinite(total):
        return total + (error + error_of_error)
    plain = 0.0
    for x in numbers:
        plain += x
    return plain


@njit(error_model="numpy")
def norm(numbers: Any) -> Any:
    """The square root of the sum of squares, scaled by the largest so that no square leaves the range."""
    largest, finite = 0.0, True
    for x in numbers:
        if math.isinf(x):
            return math.inf
        finite = finite and x == x
        largest = max(largest, abs(x))
    if not finite:
        return math.nan
    if largest == 0.0:
        return 0.0
    _, exponent = math.frexp(largest)
    total, error = 0.0, 0.0
    for x in numbers:
        scaled = math.ldexp(x, -exponent)
        square = scaled * scaled
        new = total + square
        error += (total - new) + square if total >= square else (square - new) + total
        total = new
    return math.ldexp(math.sqrt(total + error), exponent)
