"""Do `gradcheck` and `check_gradient` take the same points, call functions alike, and refuse the same mistakes?"""

import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from autograd import Value, functions as F
from autograd.testing import (
    InputChangedError,
    NotDeterministicError,
    UndefinedPointError,
    WrongGradientError,
    check_gradient,
    gradcheck,
)
from autograd.testing.inputs import Inputs
from autograd.testing.places import entries
from autograd.transforms.nesting import leaves_of, rebuilt

numbers = st.floats(-4.0, 4.0)
arrays = st.lists(numbers, min_size=1, max_size=2).map(np.array)
arguments = st.recursive(
    numbers | arrays,
    lambda inner: st.lists(inner, min_size=1, max_size=2) | st.dictionaries(st.sampled_from("wb"), inner, min_size=1),
    max_leaves=3,
)
points = arguments | st.lists(arguments, min_size=1, max_size=3).map(tuple)


def weighted_squares(*given: Any) -> Any:
    """1 * x0**2 + 2 * x1**2 + ... over everything that stands in the arguments."""
    return sum((k * x * x for k, x in enumerate(entries(given), start=1)), start=0.0)


def derivatives_at(point: Any) -> Callable[..., Any]:
    """Those of `weighted_squares`, in the structure of the point."""

    def derivatives(*given: Any) -> Any:
        slopes = iter([2.0 * k * x for k, x in enumerate(entries(given), start=1)])
        leaves = (
            np.array([next(slopes) for _ in range(leaf.size)]) if isinstance(leaf, np.ndarray) else next(slopes)
            for leaf in leaves_of(given)
        )
        found = rebuilt(given, leaves)
        return found if isinstance(point, tuple) else found[0]

    return derivatives


def structure(given: Any) -> Any:
    """The kinds of containers, around whatever stands in them."""
    if isinstance(given, dict):
        return {key: structure(part) for key, part in given.items()}
    if isinstance(given, list | tuple):
        return type(given), [structure(part) for part in given]
    return given.shape if isinstance(given, np.ndarray) else "number"


@settings(max_examples=40)
@given(points)
def test_any_nesting_of_numbers_and_arrays_is_checked_by_both(point: Any) -> None:
    seen = []

    def f(*given: Any) -> Any:
        seen.append(structure(list(given)))
        return weighted_squares(*given)

    reports = [gradcheck(f, point), check_gradient(f, derivatives_at(point), point)]
    for report in reports:
        assert [row.derivative for row in report if row.name != "all together"] == [
            2.0 * k * x for k, x in enumerate(Inputs(point, "").numbers, start=1)
        ]
        assert not report.wrong
    assert reports[0].point == reports[1].point
    if not isinstance(point, float):  # a lone number is x0 in a graph, and x in a formula
        assert reports[0].names == [row.name for row in reports[1]]
    assert all(each == structure(list(point) if isinstance(point, tuple) else [point]) for each in seen)


@settings(max_examples=20)
@given(st.data(), points)
def test_one_wrong_derivative_is_found_anywhere_and_named(data: st.DataObject, point: Any) -> None:
    names = gradcheck(weighted_squares, point).names
    place = data.draw(st.integers(0, len(names) - 1))

    def detached(*given: Any) -> Any:
        items = entries(given)
        return weighted_squares(*given) + (items[place].data if isinstance(items[place], Value) else items[place])

    with pytest.raises(WrongGradientError) as caught:
        gradcheck(detached, point)
    assert [row.name for row in caught.value.report.wrong] == [names[place]]


class Place(NamedTuple):
    x: float
    y: float


def test_a_named_tuple_is_one_argument() -> None:
    gradcheck(lambda place: place.x * place.y, Place(1.0, 2.0))
    check_gradient(lambda place: place.x * place.y, lambda place: Place(place.y, place.x), Place(1.0, 2.0))


def test_an_array_becomes_one_of_values() -> None:
    weights = np.array([[1.0, 2.0], [3.0, 4.0]])
    report = gradcheck(lambda x, w: F.tanh((w @ x).sum()), ([0.1, -0.2], weights))
    assert report.names == ["x0[0]", "x0[1]", "x1[0, 0]", "x1[0, 1]", "x1[1, 0]", "x1[1, 1]"]
    assert weights.dtype == float


def test_the_jacobian_of_several_arguments_has_one_part_for_each() -> None:
    def f(x: Any, y: float) -> Any:
        return [x[0] * y, x[1] * y, x[0]]

    report = check_gradient(f, lambda x, y: ([[y, 0.0], [0.0, y], [1.0, 0.0]], [x[0], x[1], 0.0]), ([2.0, 3.0], 5.0))
    assert [(row.output, row.input, row.derivative) for row in report[:3]] == [
        ((0,), (0, 0), 5.0),
        ((1,), (0, 0), 0.0),
        ((2,), (0, 0), 1.0),
    ]
    assert "d f[1]/d x1\n    gradient 3\n" in str(report)


def test_second_derivatives_of_nested_points_are_checked() -> None:
    report = gradcheck(lambda model: model["w"][0] ** 3 * model["b"], {"w": [1.5], "b": 2.0}, order=2)
    assert [inner.gradient for inner in report.derivatives] == [[18.0, 6.75], [6.75, 0.0]]
    assert "d <lambda>/d x['w'][0]" in str(report)


def test_the_lines_of_a_graph_say_which_input_is_which() -> None:
    with pytest.raises(WrongGradientError) as caught:
        gradcheck(lambda model: model["w"][0] * model["b"].data, {"w": [1.5], "b": 2.0})
    message = str(caught.value)
    assert "    x0 = Value(1.5)  # x['w'][0]\n    x1 = Value(2.0)  # x['b']\n    y = x0 * 2.0\n" in message
    assert "reproduce: gradcheck(lambda model: model['w'][0] * model['b'].data, {'w': [1.5], 'b': 2.0})" in message


# The same mistakes


def raising(*given: Any) -> Any:
    raise ZeroDivisionError("by zero")


def appending(x: list[Any]) -> Any:
    x.append(1.0)
    return x[0]


def replacing(x: dict[str, Any]) -> Any:
    x["w"] = x["w"] * 2.0
    return x["w"]


MISTAKES: list[tuple[type[Exception], str, Callable[..., Any], Any]] = [
    (ValueError, r"made of finite numbers; got nan at x\['w'\]\[0\]; choose a point where", abs, {"w": [math.nan]}),
    (ValueError, r"made of finite numbers; got inf at x1\[1, 0\]; choose a", abs, (1.0, np.array([[0.0], [math.inf]]))),
    (TypeError, "takes at least one number as the point; got only None", abs, (None, "mean")),
    (TypeError, r"takes at least one number as the point; got only True", abs, [True]),
    (TypeError, r"as the point, and a tuple as the arguments; x\[0\] is a set: put its", abs, [{1.0}]),
    (TypeError, r"x1 is complex: give its real and its imaginary part", abs, (1.0, 1j)),
    (ValueError, "takes at least one number as the point; it is empty", abs, {"w": []}),
    (UndefinedPointError, r"raised ZeroDivisionError: by zero; if this is where its domain ends", raising, (1.0, 2.0)),
    (UndefinedPointError, r" is nan; choose a point where it is finite", lambda x, y: x * y * math.nan, (1.0, 2.0)),
    (NotDeterministicError, "was .* and, called again, .*; seed its", lambda x: x[0] * random.random(), [1.0]),
    (InputChangedError, "changed the point in place", appending, [1.0]),
    (InputChangedError, "changed the point in place", replacing, {"w": 1.0}),
    (ValueError, "takes a noise of at least 0, or None; got -1", abs, 1.0),
]


@pytest.mark.parametrize(("kind", "sentence", "f", "point"), MISTAKES)
def test_both_say_the_same_of_the_same_mistake(
    kind: type[Exception], sentence: str, f: Callable[..., Any], point: Any
) -> None:
    more = {"noise": -1} if "noise" in sentence else {}
    with pytest.raises(kind, match=sentence):
        gradcheck(f, point, **more)
    with pytest.raises(kind, match=sentence):
        check_gradient(f, derivatives_at(point), point, **more)


def test_a_function_that_takes_another_number_of_arguments_is_told_how_it_was_called() -> None:
    for check in (gradcheck, lambda f, point: check_gradient(f, derivatives_at(point), point)):
        with pytest.raises(TypeError) as caught:
            check(lambda x, y: x * y, [1.0, 2.0])
        assert caught.value.__notes__[0].endswith(
            "with 1 argument: a tuple as the point is the arguments, anything else is one"
        )


@pytest.mark.parametrize("found", [1.0, [1.0], [1.0, 2.0, 3.0], {"w": 1.0}], ids=repr)
def test_a_gradient_of_another_structure_is_refused(found: Any) -> None:
    with pytest.raises(ValueError, match="but the point has 2 parts: return one derivative for each of them"):
        check_gradient(lambda x, y: x * y[0], lambda x, y: found, (1.0, [2.0]))
    with pytest.raises(ValueError, match=r"but the point has the keys \['w', 'b'\]: return one derivative for each"):
        check_gradient(lambda x: x["w"] * x["b"], lambda x: found, {"w": 1.0, "b": 2.0})


def test_noise_can_be_given_to_gradcheck_too() -> None:
    def rounded(x: Any) -> Any:
        return F.sin(x) + (round(math.sin(x.data), 6) - math.sin(x.data))

    with pytest.raises(WrongGradientError):
        gradcheck(rounded, 1.0)
    gradcheck(rounded, 1.0, noise=5e-7)
    with pytest.raises(WrongGradientError):
        gradcheck(lambda x: 1.01 * rounded(x) - 0.01 * rounded(x).detach(), 1.0, noise=5e-7)
