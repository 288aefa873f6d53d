"""Which small problems show what a network can do?  Points in the plane that no line separates.

`make_moons` and `make_circles` have the names and the geometry of scikit-learn's;
`xor` is the problem of four points that needs a hidden layer.
`split.py` divides the samples into training, validation and test parts.
"""

import math
import operator
from reprlib import repr as short

from nn.randomness import Seed, random_source

Points = list[list[float]]


def make_moons(n_samples: int = 100, noise: float = 0.0, rng: Seed = None) -> tuple[Points, list[int]]:
    """Two half circles that reach into each other.

    Class 0 is the upper half of the unit circle; class 1 is a lower half circle, moved by (1, 0.5).

    Arguments:
        n_samples: how many points in all, at least 2; class 1 gets the odd one.
        noise: standard deviation of the Gaussian noise added to both coordinates.
        rng: a seed or a `random.Random`; Python's `random` module if left out.

    Returns:
        `(X, y)`, shuffled: points as `[x, y]` and their classes, 0 or 1.

    Raises:
        ValueError: `n_samples` is below 2, or `noise` is negative or not finite.
        TypeError: an argument is of the wrong kind.

    Example:
        >>> import random
        >>> X, y = make_moons(200, noise=0.1, rng=random.Random(0))
        >>> len(X), len(X[0]), y.count(0), y.count(1)
        (200, 2, 100, 100)
    """
    upper_count, lower_count = _class_sizes(n_samples, 2)
    upper = [[math.cos(a), math.sin(a)] for a in _angles(math.pi, upper_count - 1, upper_count)]
    lower = [[1.0 - math.cos(a), 0.5 - math.sin(a)] for a in _angles(math.pi, lower_count - 1, lower_count)]
    return _shuffled([upper, lower], noise, rng)


def make_circles(
    n_samples: int = 100,
    noise: float = 0.0,
    factor: float = 0.5,
    rng: Seed = None,
) -> tuple[Points, list[int]]:
    """A small circle inside a large one.

    Class 0 is the unit circle; class 1 is the circle of radius `factor` inside it.

    Arguments:
        n_samples: how many points in all, at least 2; class 1 gets the odd one.
        noise: standard deviation of the Gaussian noise added to both coordinates.
        factor: radius of the inner circle, from 0 to just below 1.
        rng: a seed or a `random.Random`; Python's `random` module if left out.

    Returns:
        `(X, y)`, shuffled: points as `[x, y]` and their classes, 0 or 1.

    Raises:
        ValueError: `n_samples` is below 2, `noise` is negative or not finite, or `factor` is
            outside [0, 1).
        TypeError: an argument is of the wrong kind.

    Example:
        >>> X, y = make_circles(100, factor=0.5)
        >>> sorted({round(math.hypot(*point), 6) for point in X})
        [0.5, 1.0]
    """
    outer_count, inner_count = _class_sizes(n_samples, 2)
    radius = _real_number("factor", factor)
    if not 0.0 <= radius < 1.0:
        raise ValueError(f"factor is the inner radius, from 0 to just below 1; got {factor}.")
    outer = [[math.cos(a), math.sin(a)] for a in _angles(math.tau, outer_count, outer_count)]
    inner = [[radius * math.cos(a), radius * math.sin(a)] for a in _angles(math.tau, inner_count, inner_count)]
    return _shuffled([outer, inner], noise, rng)


def make_spirals(
    n_samples: int = 100,
    n_classes: int = 2,
    noise: float = 0.0,
    turns: float = 1.0,
    rng: Seed = None,
) -> tuple[Points, list[int]]:
    """Spiral arms wound around each other, one arm a class.

    Along an arm the radius grows evenly to 1 while the angle grows by `turns` full turns.

    Arguments:
        n_samples: how many points in all, at least one for each class; the last classes get
            one more where it does not divide evenly.
        n_classes: how many arms, at least 2.
        noise: standard deviation of the Gaussian noise added to both coordinates.
        turns: how often each arm goes around, above 0; the more, the harder to learn.
        rng: a seed or a `random.Random`; Python's `random` module if left out.

    Returns:
        `(X, y)`, shuffled: points as `[x, y]` and their classes, 0 .. n_classes - 1.

    Raises:
        ValueError: too few samples or classes, `noise` is negative or not finite, or `turns` is
            not positive and finite.
        TypeError: an argument is of the wrong kind.

    Example:
        >>> X, y = make_spirals(90, n_classes=3)
        >>> [y.count(arm) for arm in range(3)]
        [30, 30, 30]
    """
    n_classes = _whole_number("n_classes", n_classes, at_least=2)
    winding = _real_number("turns", turns)
    if not 0.0 < winding < math.inf:
        raise ValueError(f"turns takes a finite number above 0; got {turns}.")
    arms = [
        _spiral_arm(count, math.tau * arm / n_classes, math.tau * winding)
        for arm, count in enumerate(_class_sizes(n_samples, n_classes))
    ]
    return _shuffled(arms, noise, rng)


def xor() -> tuple[Points, list[int]]:
    """The exclusive or: four points that no single neuron can classify.

    Returns:
        `(X, y)` in the order of the truth table.

    Example:
        >>> xor()
        ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    return [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]


def _spiral_arm(count: int, start: float, winding: float) -> Points:
    """`count` points from near the origin out to radius 1, turning by `winding` radians."""
    # No point has radius 0: there the arms would meet and no model could tell them apart.
    radii = [(step + 1) / count for step in range(count)]
    return [[r * math.cos(start + winding * r), r * math.sin(start + winding * r)] for r in radii]


def _angles(whole: float, steps: int, count: int) -> list[float]:
    """`count` angles from 0 on, `steps` of which make up the `whole`."""
    return [whole * i / max(steps, 1) for i in range(count)]


def _class_sizes(n_samples: int, n_classes: int) -> list[int]:
    """`n_samples` spread over the classes evenly, the last ones getting what is left over."""
    n_samples = _whole_number("n_samples", n_samples, n_classes, ", one for each class")
    return [(n_samples + index) // n_classes for index in range(n_classes)]


def _shuffled(classes: list[Points], noise: float, rng: Seed) -> tuple[Points, list[int]]:
    """The points of all classes in random order, moved about by the noise."""
    source = random_source(rng)
    deviation = _real_number("noise", noise)
    if not 0.0 <= deviation < math.inf:
        raise ValueError(f"noise is a standard deviation, a finite number of at least 0; got {noise}.")
    samples = [(point, label) for label, points in enumerate(classes) for point in points]
    # First the order, then the noise: the same seed gives the same order at every noise level.
    source.shuffle(samples)
    if deviation > 0.0:
        for point, _ in samples:
            point[:] = [coordinate + source.gauss(0.0, deviation) for coordinate in point]
    return [point for point, _ in samples], [label for _, label in samples]


def _whole_number(name: str, value: int, at_least: int, reason: str = "") -> int:
    """The argument as an int, or an error that says what it should have been."""
    expected = f"{name} takes a whole number of at least {at_least}{reason}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{expected}; got {short(value)} ({type(value).__name__}).")
    if operator.index(value) < at_least:
        raise ValueError(f"{expected}; got {value}.")
    return operator.index(value)


def _real_number(name: str, value: float) -> float:
    """The argument as a float, or an error that says what it should have been."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise TypeError(f"{name} takes a number; got {short(value)} ({type(value).__name__}).")
    return float(value)
