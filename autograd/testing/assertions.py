"""Are two numbers, or two sets of gradients, the same? Assertions that count in ulp and say where and by how much.

A tolerance such as `abs=1e-9` is loose for small numbers and out of reach for large ones. Units in the last place (ulp)
are the doubles themselves: 4 ulp are four steps from one double to the next, at 1e-300 as at 1e300.

Nothing here needs more than Python's standard library.
"""

import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

from autograd.reals import as_float, real_or_none, shown
from autograd.testing.truth.special_points import same
from autograd.value import Value


def ulp_distance(x: Any, y: Any) -> float:
    """How many steps lead from x to y, each from one double to the next.

    Arguments:
        x, y: numbers or Values.

    Returns:
        a whole number: 0 for equal numbers (0.0 and -0.0 are equal), 1 for neighbours. The infinities are the
        neighbours of the largest doubles. For nan and a number it is inf, for nan and nan 0.

    Raises:
        TypeError: x or y is no real number.

    >>> ulp_distance(0.1 + 0.2, 0.3), ulp_distance(-5e-324, 5e-324), ulp_distance(1.0, math.nan)
    (1, 2, inf)
    """
    a, b = (_data(number, "ulp_distance") for number in (x, y))
    if math.isnan(a) or math.isnan(b):
        return 0 if math.isnan(a) and math.isnan(b) else math.inf
    return abs(_place(a) - _place(b))


def _place(x: float) -> int:
    """The place of x when all doubles are counted upwards from 0.0, those below it with negative numbers."""
    bits: int = struct.unpack("<q", struct.pack("<d", abs(x)))[0]
    return -bits if x < 0.0 else bits


def assert_close_ulp(actual: Any, expected: Any, ulp: float = 4) -> None:
    """Asserts that numbers are equal up to a few units in the last place. nan equals nan.

    Arguments:
        actual, expected: numbers or Values; or lists, tuples, dictionaries or arrays of them, nested at will,
            of the same shape.
        ulp: how many steps from one double to the next they may be apart (see `ulp_distance`).

    Raises:
        AssertionError: two numbers are farther apart, or the shapes differ. The message says which and where.
        TypeError: there is something other than a number.
        ValueError: ulp is negative or nan.

    >>> assert_close_ulp([0.1 + 0.2, Value(1.0)], [0.3, 1.0])
    >>> assert_close_ulp([[1.0, 2.0]], [[1.0, 2.000001]])
    Traceback (most recent call last):
        ...
    AssertionError: [0][1] is 2251799814 ulp from what was expected; 4 are allowed
      actual    2.0
      expected  2.0000010000000001
    """
    _check_ulp(ulp, "assert_close_ulp")
    _assert_pairs(actual, expected, "assert_close_ulp", lambda a, b: ulp_distance(a, b) <= ulp, f"{ulp:g} are allowed")


def assert_same_float(actual: Any, expected: Any) -> None:
    """Asserts that numbers are the same doubles: 0.0 is not -0.0, nan is nan.

    Arguments:
        actual, expected: as for `assert_close_ulp`.

    Raises:
        AssertionError: two numbers, or the shapes, differ. The message says which and where.
        TypeError: there is something other than a number.

    >>> assert_same_float([0.5, math.nan], [0.5, math.nan])
    >>> assert_same_float(-0.0, 0.0)
    Traceback (most recent call last):
        ...
    AssertionError: it has another sign than expected; the same double is asked for
      actual    -0.0
      expected  0.0
    """
    _assert_pairs(actual, expected, "assert_same_float", same, "the same double is asked for")


def assert_same_gradients(actual: Any, expected: Any, ulp: float = 0) -> None:
    """Asserts that two sets of Values have the same gradients: two models, or one computed in two ways.

    Arguments:
        actual, expected: models (anything with `parameters()`), or lists, tuples or dictionaries of Values; a plain
            number stands for a gradient. Call `backward()` first.
        ulp: how many steps from one double to the next each pair may be apart; by default none. The sign of a
            zero is free, and nan equals nan.

    Raises:
        AssertionError: two gradients, or the numbers of them, differ. The message names the first, by the model's name
            for it, or by its place and label.
        TypeError: there is something that is neither a Value nor a number.
        ValueError: ulp is negative or nan.

    >>> x, y = Value(3.0, label="x"), Value(3.0)
    >>> (x * x).backward(), (y**2).backward()
    (None, None)
    >>> assert_same_gradients([x], [y])
    >>> assert_same_gradients([x], [7.0])
    Traceback (most recent call last):
        ...
    AssertionError: the gradient of [0] (x) is 1125899906842624 ulp from what was expected; 0 are allowed
      actual    6.0
      expected  7.0
    """
    _check_ulp(ulp, "assert_same_gradients")
    ours, theirs = _parameters(actual, expected)
    _assert_pairs(
        ours,
        theirs,
        "assert_same_gradients",
        lambda a, b: ulp_distance(a, b) <= ulp,
        f"{ulp:g} are allowed",
        _gradient,
    )


def _parameters(*models: Any) -> list[Any]:
    """The parameters of models, by name if all have the same names; anything else as it is."""
    names = [dict(model.named_parameters()) if hasattr(model, "named_parameters") else {} for model in models]
    if names[0] and all(list(n) == list(names[0]) for n in names):
        return names
    return [model.parameters() if callable(getattr(model, "parameters", None)) else model for model in models]


def _gradient(x: Any, what: str) -> float:
    return _data(x.grad if isinstance(x, Value) else x, what)  # after create_graph=True a gradient is a Value


def _data(x: Any, what: str) -> float:
    return x.data if isinstance(x, Value) else as_float(x, what)


def _check_ulp(ulp: Any, what: str) -> None:
    if real_or_none(ulp) is None or not ulp >= 0:
        raise ValueError(f"{what}(..., ulp) takes a number of at least 0; got {shown(ulp)}")


# Walking two structures side by side


class _Pair(NamedTuple):
    """Two numbers at the same place of two structures."""

    path: str
    actual: Any
    expected: Any


def _assert_pairs(
    actual: Any,
    expected: Any,
    what: str,
    agree: Callable[[float, float], bool],
    allowed: str,
    number: Callable[[Any, str], float] = _data,
) -> None:
    count, wrong = 0, []
    for pair in _pairs(actual, expected):
        count += 1
        a, b = number(pair.actual, what), number(pair.expected, what)
        if not agree(a, b):
            wrong.append((pair, a, b))
    if wrong:
        (pair, a, b), more = wrong[0], f"\n  {len(wrong)} of {count} numbers differ; this is the first"
        subject = _subject(pair, number is _gradient)
        raise AssertionError(
            f"{subject} {_difference(a, b)}; {allowed}\n  actual    {_digits(a)}\n  expected  {_digits(b)}"
            f"{more if count > 1 and len(wrong) > 1 else ''}"
        )


def _subject(pair: _Pair, of_gradient: bool) -> str:
    label = next((x.label for x in (pair.actual, pair.expected) if isinstance(x, Value) and x.label), "")
    place = " ".join(part for part in (pair.path, f"({label})" if label else "") if part)
    if of_gradient:
        return f"the gradient of {place or 'it'}"
    return place or "it"


def _difference(a: float, b: float) -> str:
    distance = ulp_distance(a, b)
    if not distance:
        return "has another sign than expected"
    return f"is {distance} ulp from what was expected" if math.isfinite(distance) else "is not what was expected"


def _digits(x: float) -> str:
    """17 digits, which tell any double from any other."""
    text = f"{x:.17g}"
    return text if not math.isfinite(x) or set(text) & set(".e") else f"{text}.0"


def _pairs(actual: Any, expected: Any) -> Iterator[_Pair]:
    """The numbers of two structures, place by place, in order."""
    waiting = [_Pair("", actual, expected)]
    while waiting:
        pair = waiting.pop()
        parts = [_parts(pair.actual), _parts(pair.expected)]
        if parts[0] is None and parts[1] is None:
            yield pair
            continue
        if isinstance(pair.actual, Mapping) and isinstance(pair.expected, Mapping):
            order = {key: i for i, key in enumerate(pair.actual)}
            parts[1] = sorted(parts[1] or [], key=lambda part: order.get(part[0], len(order)))
        keys = [None if part is None else [key for key, _ in part] for part in parts]
        if keys[0] != keys[1]:
            raise AssertionError(f"{pair.path or 'it'} is {_shape(keys[0])} where {_shape(keys[1])} was expected")
        inner = zip(parts[0] or [], parts[1] or [], strict=True)
        waiting += [_Pair(f"{pair.path}[{key!r}]", a, b) for (key, a), (_, b) in inner][::-1]


def _parts(x: Any) -> Sequence[tuple[Any, Any]] | None:
    """What x consists of, each part with its key; None if it is a number, or should be one."""
    if isinstance(x, Value) or real_or_none(x) is not None or isinstance(x, str | bytes):
        return None
    if isinstance(x, Mapping):
        return list(x.items())
    if isinstance(x, Iterable) and not isinstance(x, Set):
        return list(enumerate(x))
    return None


def _shape(keys: Sequence[Any] | None) -> str:
    if keys is None:
        return "one number"
    if keys == list(range(len(keys))):
        return f"a sequence of {len(keys)}"
    return f"a mapping with the keys {shown(keys)}"
