"""Are results and gradients of any structure read in the right order, and those of a wrong one named?"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from autograd.testing.inputs import Inputs
from autograd.testing.outputs import Outputs, note_on_integers
from autograd.transforms.nesting import is_nested

shapes = st.lists(st.integers(1, 2), max_size=2).map(tuple)
arrays = shapes.map(np.ones)
others = st.sampled_from([None, "mean", True]) | st.integers(1, 3).map(lambda n: np.arange(n))
leaves = st.just(1.5) | arrays | st.integers(1, 3).map(lambda n: [1.5] * n)
arguments = st.recursive(
    leaves | others,
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda parts: [np.ones(2), *parts])
        | st.dictionaries(st.sampled_from("wb"), inner, min_size=1)
    ),
    max_leaves=4,
)
results = st.recursive(
    st.just(1.5) | arrays,
    lambda inner: st.dictionaries(st.sampled_from("pq"), inner, min_size=1) | st.tuples(st.just(np.ones(3)), inner),
    max_leaves=3,
)


def is_leaf(part: Any) -> bool:
    """Whether a part of a point or of a result has one array of derivatives: a list of numbers does too."""
    return not is_nested(part) or (isinstance(part, list) and all(type(x) is float for x in part))


def counts(part: Any) -> bool:
    return isinstance(part, float | list) or (isinstance(part, np.ndarray) and part.dtype == float)


class Gradient:
    """Derivatives that are all different, in the structure that df is to return, and in a row."""

    def __init__(self) -> None:
        self.drawn = 0
        self.blocks: list[np.ndarray[Any, Any]] = []

    def of(self, result: Any, point: Any, keywords: Any) -> tuple[Any, list[float]]:
        if not is_leaf(result):
            keys = list(result) if isinstance(result, dict) else range(len(result))
            each = [self.of(result[key], point, keywords) for key in keys]
            row = [number for _, numbers in each for number in numbers]
            found = [part for part, _ in each]
            return (dict(zip(keys, found, strict=True)) if isinstance(result, dict) else found), row
        shape = np.shape(result)
        self.blocks = []
        by_argument = tuple(self.by(part, shape) for part in point)
        if any(map(self.holds_numbers, keywords.values())):
            by_argument = (*by_argument, self.by(keywords, shape))
        row = [x for place in np.ndindex(shape) for block in self.blocks for x in block[place].ravel().tolist()]
        return by_argument, row

    def by(self, part: Any, shape: tuple[int, ...]) -> Any:
        if is_leaf(part):
            if not counts(part):
                return None
            size = math.prod(shape + np.shape(part))
            block = np.arange(self.drawn, self.drawn + size, dtype=float).reshape(shape + np.shape(part))
            self.drawn += size
            self.blocks.append(block)
            return float(block) if block.shape == () else block
        if isinstance(part, dict):
            return {key: self.by(below, shape) for key, below in part.items()}
        return [self.by(below, shape) for below in part]

    def holds_numbers(self, part: Any) -> bool:
        if is_leaf(part):
            return counts(part)
        return any(map(self.holds_numbers, part.values() if isinstance(part, dict) else part))


@settings(max_examples=150)
@given(
    st.lists(arguments, min_size=1, max_size=3).map(lambda parts: (1.5, *parts)),
    st.dictionaries(st.sampled_from(["scale", "axis"]), arguments),
    results,
    st.booleans(),
)
def test_derivatives_of_any_structure_are_read_in_the_order_of_the_inputs(
    point: tuple[Any, ...], keywords: dict[str, Any], result: Any, leaves_out: bool
) -> None:
    gradient = Gradient()
    inputs, outputs = Inputs(point, "check", keywords), Outputs(result, "f")
    found, row = gradient.of(result, point, keywords)
    numbers = inputs.derivatives(found, outputs)
    assert numbers == row
    assert len(numbers) == len(inputs.numbers) * len(outputs.numbers)
    checked = [gradient.holds_numbers(part) for part in point]
    if leaves_out and is_leaf(result) and sum(checked) > 1:  # of what is left alone nothing need be said
        by_keyword = found[len(point) :]
        kept = tuple(part for part, kept in zip(found, checked, strict=False) if kept)
        assert inputs.derivatives((*kept, *by_keyword), outputs) == row


def test_beside_labels_and_options_a_gradient_may_be_given_bare() -> None:
    labels = np.array([0, 1])
    for point in ((np.ones(2), labels), (labels, np.ones(2), "mean"), (np.ones(2), 3)):
        inputs = Inputs(point, "check", {"axis": 0})
        assert inputs.derivatives(np.array([1.0, 2.0]), Outputs(1.5, "f")) == [1.0, 2.0]
        assert inputs.derivatives([[1.0, 2.0], [3.0, 4.0]], Outputs(np.ones(2), "f")) == [1.0, 2.0, 3.0, 4.0]
        parts = tuple(np.array([1.0, 2.0]) if isinstance(x, np.ndarray) and x.dtype == float else None for x in point)
        assert inputs.derivatives(parts, Outputs(1.5, "f")) == [1.0, 2.0]
        assert inputs.derivatives((*parts, {}), Outputs(1.5, "f")) == [1.0, 2.0]


def test_derivatives_by_keyword_are_a_dict() -> None:
    only = Inputs((), "check", {"w": np.ones(2), "b": 1.5, "axis": 0})
    assert only.names == ["w[0]", "w[1]", "b"]
    assert only.derivatives({"b": 3.0, "w": [1.0, 2.0]}, Outputs(1.5, "f")) == [1.0, 2.0, 3.0]
    beside = Inputs(1.5, "check", {"w": np.ones(2)})
    assert beside.names == ["x", "w[0]", "w[1]"]
    assert beside.derivatives((3.0, {"w": [1.0, 2.0]}), Outputs(1.5, "f")) == [3.0, 1.0, 2.0]
    for found in (3.0, [3.0, 1.0], None):
        with pytest.raises((TypeError, ValueError), match=r"^df returned .*(ends with a dict|a return missing)"):
            beside.derivatives(found, Outputs(1.5, "f"))
    with pytest.raises(ValueError, match=r"df returned \{'v': 1.0\}, but the call by keyword has the keys \['w'\]"):
        beside.derivatives((3.0, {"v": 1.0}), Outputs(1.5, "f"))


def test_beside_other_results_only_numbers_have_derivatives() -> None:
    inputs = Inputs(np.ones(2), "check")
    outputs = Outputs((1.5, None, np.array([1, 2]), "converged"), "f")
    assert (outputs.numbers, outputs.names) == ([1.5], ["[0]"])
    assert inputs.derivatives([1.0, 2.0], outputs) == [1.0, 2.0]
    assert outputs.numbers_of((2.5, None, np.array([3, 4]), "diverged")) == [2.5]
    assert Outputs([1, True, 2.5], "f").numbers == [1.0, 2.5]
    assert Outputs(np.array([1, 2]), "f").numbers == [1.0, 2.0]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ((np.ones(2), None), r"df returned None for x1: return zeros where f does not depend on it \(torch"),
        ((np.ones(2), [None, 1.0]), r"df must return real numbers, or arrays of them; got None"),
        ((np.ones(2), np.array([1j, 2])), "df must return real numbers, or arrays of them; got complex"),
        (
            (np.ones(3), np.ones(2)),
            r"df returned the shape \(3,\), but f has the shape \(\) and x0 \(2,\): return \(2,\)",
        ),
        ((np.ones(2), np.ones((2, 2))), r"df returned the shape \(2, 2\), but f has the shape \(\) and x1 \(2,\)"),
        ((np.ones(2),), r"df returned .*, but the point has 2 parts: return one derivative for each of them"),
        (np.ones(3), r"df returned .*, but the point has 2 parts: return one derivative for each of them"),
        ("ab", r"df must return real numbers, or arrays of them; got 'a' \(str\)"),
        (lambda: 1.0, "df returned .*, but the point has 2 parts"),
    ],
)
def test_a_gradient_of_the_wrong_kind_is_named(found: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{sentence}"):
        Inputs((np.ones(2), [1.0, 2.0]), "check").derivatives(found, Outputs(1.5, "f"))


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (None, "got None: is a return missing?"),
        ("a", r"got 'a' \(str\)"),
        (True, r"got True \(bool\)"),
        (1j, "got complex: give its real and its imaginary part"),
        ([], r"f returned \[\], which holds no number: return a number or an array"),
    ],
)
def test_a_result_without_numbers_is_refused(result: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        Outputs(result, "f")


def test_another_structure_near_the_point_is_refused_and_complex_numbers_are_outside_of_the_domain() -> None:
    outputs = Outputs({"a": np.ones(2), "b": 1.5}, "f")
    for result in ({"a": np.ones(3), "b": 1.5}, {"a": np.ones(2)}, [1.0, 2.0, 3.0], None):
        with pytest.raises(
            TypeError, match=r"f returned (the|None).* at the point itself; it must be the same near the point"
        ):
            outputs.numbers_of(result)
    assert outputs.numbers_of({"a": np.array([1.0, 2.0]), "b": np.float32(0.5)}) == [1.0, 2.0, 0.5]
    found = Outputs([1.5, 2.5], "f").numbers_of([(-1.0) ** 0.5, 2.5])
    assert math.isnan(found[0])
    assert found[1] == 2.5


def test_integers_in_a_gradient_are_read_and_can_be_pointed_at() -> None:
    found = np.eye(2, dtype=int)
    assert Inputs(np.ones(2), "check").derivatives(found, Outputs(np.ones(2), "f")) == [1.0, 0.0, 0.0, 1.0]
    assert note_on_integers({"w": found, "b": 2}) == "df returned integers (int64), which cut off fractions"
    assert note_on_integers({"w": found * 1.0, "b": 2}) == ""


def test_whole_numbers_are_numbers_unless_arrays_or_keywords_make_indices_of_them() -> None:
    assert Inputs((2, 3.0), "check").numbers == [2.0, 3.0]
    assert Inputs([1, 2], "check").numbers == [1.0, 2.0]
    assert Inputs((np.ones(1), 3, [0, 1], [0, 0.5]), "check").numbers == [1.0, 0.0, 0.5]
    assert Inputs(2.0, "check", {"axis": 1}).numbers == [2.0]
    assert Inputs((), "check", {"n": 1}).numbers == [1.0]
    assert Inputs(np.array([1, 2]), "check").moved(0, 0.5)[0].tolist() == [0.5, 2.0]
