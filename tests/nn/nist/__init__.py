"""Which fits of curves have answers that somebody certifies? The 27 nonlinear regressions of NIST's.

Data, starting points and certified values are those of the Statistical Reference Datasets of the U.S. National
Institute of Standards and Technology, https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml, in the public domain;
the files beside this one keep all of their digits. They were taken from the copies that lmfit 1.3.4 comes with. A test
holds each against its certified sum of squares. (The degrees of freedom are left out: for Rat43 the copies say 9, while
its certified standard deviations belong to 11, which is 15 observations less 4 parameters.)
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from autograd import atan, cos, exp, sin


class Regression(NamedTuple):
    """y = model(x, *parameters) + error: two starting points, and what is certified."""

    name: str
    model: Callable[..., Any]
    x: list[Any]
    y: list[float]
    starts: tuple[list[float], list[float]]
    certified: list[float]
    standard_deviations: list[float]
    sum_of_squares: float
    residual_standard_deviation: float


def sum_of_exponentials(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any) -> Any:
    return b1 * exp(-b2 * x) + b3 * exp(-b4 * x) + b5 * exp(-b6 * x)


def two_peaks(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any, b7: Any, b8: Any) -> Any:
    return b1 * exp(-b2 * x) + b3 * exp(-((x - b4) ** 2) / b5**2) + b6 * exp(-((x - b7) ** 2) / b8**2)


def cubic_over_cubic(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any, b7: Any) -> Any:
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def three_periods(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any, b7: Any, b8: Any, b9: Any) -> Any:
    angle = 2 * math.pi * x
    year = b2 * cos(angle / 12) + b3 * sin(angle / 12)
    return b1 + year + b5 * cos(angle / b4) + b6 * sin(angle / b4) + b8 * cos(angle / b7) + b9 * sin(angle / b7)


MODELS: dict[str, Callable[..., Any]] = {
    "Bennett5": lambda x, b1, b2, b3: b1 * (b2 + x) ** (-1 / b3),
    "BoxBOD": lambda x, b1, b2: b1 * (1 - exp(-b2 * x)),
    "Chwirut1": lambda x, b1, b2, b3: exp(-b1 * x) / (b2 + b3 * x),
    "Chwirut2": lambda x, b1, b2, b3: exp(-b1 * x) / (b2 + b3 * x),
    "DanWood": lambda x, b1, b2: b1 * x**b2,
    "ENSO": three_periods,
    "Eckerle4": lambda x, b1, b2, b3: b1 / b2 * exp(-0.5 * ((x - b3) / b2) ** 2),
    "Gauss1": two_peaks,
    "Gauss2": two_peaks,
    "Gauss3": two_peaks,
    "Hahn1": cubic_over_cubic,
    "Kirby2": lambda x, b1, b2, b3, b4, b5: (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2),
    "Lanczos1": sum_of_exponentials,
    "Lanczos2": sum_of_exponentials,
    "Lanczos3": sum_of_exponentials,
    "MGH09": lambda x, b1, b2, b3, b4: b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4),
    "MGH10": lambda x, b1, b2, b3: b1 * exp(b2 / (x + b3)),
    "MGH17": lambda x, b1, b2, b3, b4, b5: b1 + b2 * exp(-x * b4) + b3 * exp(-x * b5),
    "Misra1a": lambda x, b1, b2: b1 * (1 - exp(-b2 * x)),
    "Misra1b": lambda x, b1, b2: b1 * (1 - (1 + b2 * x / 2) ** -2),
    "Misra1c": lambda x, b1, b2: b1 * (1 - (1 + 2 * b2 * x) ** -0.5),
    "Misra1d": lambda x, b1, b2: b1 * b2 * x * (1 + b2 * x) ** -1,
    "Nelson": lambda x, b1, b2, b3: b1 - b2 * x[0] * exp(-b3 * x[1]),  # of log(y)
    "Rat42": lambda x, b1, b2, b3: b1 / (1 + exp(b2 - b3 * x)),
    "Rat43": lambda x, b1, b2, b3, b4: b1 / (1 + exp(b2 - b3 * x)) ** (1 / b4),
    "Roszman1": lambda x, b1, b2, b3, b4: b1 - b2 * x - atan(b3 / (x - b4)) / math.pi,
    "Thurber": cubic_over_cubic,
}


def _fields(text: str) -> dict[str, str]:
    """What a file says, by name. A line that begins with a blank continues the one before."""
    lines = text.replace("\n  ", " ").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def regression(name: str) -> Regression:
    """The problem of that name."""
    fields = _fields((Path(__file__).parent / f"{name}.dat").read_text(encoding="utf-8"))
    columns = {key: [float(word) for word in words.split()] for key, words in fields.items() if key[0] not in "pm"}
    x: list[Any] = columns["x"] if "x" in columns else list(zip(columns["x1"], columns["x2"], strict=True))
    y = [math.log(number) for number in columns["y"]] if name == "Nelson" else columns["y"]
    return Regression(
        name,
        MODELS[name],
        x,
        y,
        (columns["start 1"], columns["start 2"]),
        columns["certified"],
        columns["standard deviations"],
        *columns["residual sum of squares"],
        *columns["residual standard deviation"],
    )


REGRESSIONS = {name: regression(name) for name in MODELS}


def matching_digits(found: float, certified: float) -> float:
    """The log relative error, as NIST counts it. It is at most 11, the number of certified digits."""
    return 11.0 if found == certified else min(11.0, -math.log10(abs(found - certified) / abs(certified)))
