"""What could the user say of a function or of its gradient that would settle what is wrong or uncertain?

A solver, a table or a simulation computes a rough image of the function that is meant. Its own derivative, which
differences find, is another one than that of what is meant, which a gradient gives. Only the user knows which counts.
So a message names `noise=` and `exact_to=` where they would help, with a number that does, and only there.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from autograd.testing.differences.finite_differences import Difference, judge
from autograd.testing.report import Row

SMALL = 1e-3
"""Up to which part of a derivative its error may be meant."""
ROUGH = 0.1
"""The same where the function is rough: where small steps show another slope than large ones."""
NOISES = [10.0**k for k in range(-14, -1)]
"""The noise that is tried, as a part of the function's size."""
TRIED = 3
"""For how many wrong derivatives noise is tried."""


def remedies(
    wrong: Sequence[Row],
    inconclusive: Sequence[Row],
    with_noise: Callable[[Row, float], Difference],
    size: float,
    is_short: bool,
) -> Iterator[str]:
    """Sentences that name what would help.

    Arguments:
        wrong, inconclusive: single derivatives.
        with_noise: the differences of one of them for a given noise, as a part of `size`.
        size: that of the function's values.
        is_short: whether the numbers have fewer digits than float64.
    """
    if wrong:
        noises = [noise_that_explains(row, with_noise) for row in wrong[:TRIED]]
        off = max(share(error_of(row), row.difference) for row in wrong)
        if off <= (SMALL if None in noises else ROUGH):
            yield f"is df meant to be approximate (a solver, a fit)? then pass exact_to={rounded_up(off)}"
        if None not in noises:
            most = max(noise for noise in noises if noise is not None) * size
            yield f"large steps agree with df: are values of f off so much? pass noise={rounded_up(most)}"
    elif inconclusive:
        vague = max(share(row.difference.bound, row.difference) for row in inconclusive)
        if vague <= ROUGH:
            yield f"differences tell no more digits here: exact_to={rounded_up(vague)} accepts that"
        if any(row.difference.estimated for row in inconclusive):
            yield "if you know by how much a value of f may be off, pass that as noise="
        if is_short:
            yield "differences of float64 numbers tell twice as many digits"


def noise_that_explains(row: Row, with_noise: Callable[[Row, float], Difference]) -> float | None:
    """The least noise with which the derivative is what the curve through the values says, if small steps say another.

    With noise only large steps count. A wrong derivative of a smooth function is far from those too.
    """
    near = 0.25 * error_of(row)
    for noise in NOISES:
        found = with_noise(row, noise)
        sharp = found.bound <= 0.25 * abs(found.value)
        if sharp and abs(row.derivative - found.value) <= near and judge(row.derivative, found) != "wrong":
            return noise
    return None


def error_of(row: Row) -> float:
    """How far the derivative is from the nearest slope that differences found."""
    return min(abs(row.derivative - slope.value) for slope in row.difference.slopes)


def share(error: float, found: Difference) -> float:
    """An error as a part of the derivative, or of the slopes nearby."""
    size = max(found.scale, *(abs(slope.value) for slope in found.slopes))
    return error / size if error < math.inf and 0.0 < size < math.inf else math.inf


def rounded_up(x: float) -> str:
    """A number with one digit that is a little larger.

    >>> rounded_up(2.1e-5), rounded_up(0.098)
    ('3e-5', '1e-1')
    """
    exponent = math.floor(math.log10(x)) if x else -16
    digit = math.ceil(1.01 * x / 10.0**exponent)
    return f"{digit}e{exponent}" if digit < 10 else f"1e{exponent + 1}"
