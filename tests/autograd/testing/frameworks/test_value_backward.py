"""Are the gradients of this engine checked as those of any other framework are?"""

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import nn
from autograd import Value, functions as F
from autograd.testing import NotDeterministicError, WrongGradientError, check_gradient
from autograd.testing.frameworks.choice import as_function

RIGHT: list[tuple[Callable[..., Any], Any]] = [
    (lambda x: x * x, Value(3.0)),
    (lambda x, y: F.tanh(x * y) + y, (Value(0.5), Value(-1.0))),
    (lambda xs: [x * xs[0] for x in xs], [Value(1.0), Value(2.0)]),
    (lambda p: {"loss": p["w"][0] * p["b"], "w": p["w"][1]}, {"w": [Value(2.0), Value(3.0)], "b": Value(-1.0)}),
    (lambda x: x, Value(3.0)),
    (lambda x: [x, 2.0], Value(3.0)),
]


@pytest.mark.parametrize(("f", "point"), RIGHT)
def test_functions_of_values_are_right(f: Callable[..., Any], point: Any) -> None:
    assert check_gradient(f, point=point).passed


WRONG: list[tuple[Callable[..., Any], Any]] = [
    (lambda x: x * x.data, Value(3.0)),
    (lambda x, y: x * y + y.data, (Value(2.0), Value(5.0))),
    (lambda xs: [xs[0] * xs[1], xs[0].data * xs[1]], [Value(2.0), Value(5.0)]),
    (lambda p: p["w"] * math.exp(p["b"].data), {"w": Value(2.0), "b": Value(0.5)}),
]


@pytest.mark.parametrize(("f", "point"), WRONG)
def test_a_value_that_loses_its_history_is_found(f: Callable[..., Any], point: Any) -> None:
    with pytest.raises(WrongGradientError):
        check_gradient(f, point=point)


def test_plain_numbers_beside_values_are_left_alone() -> None:
    report = check_gradient(lambda x, power: x**power, point=(Value(2.0), 3.0))
    assert [row.derivative for row in report] == [12.0]
    assert "only Values are differentiated" in str(report)


def test_a_model_is_checked_by_its_parameters_under_their_names() -> None:
    model = nn.MLP(2, [3, 1])
    state, gradients = model.state_dict(), [p.grad for p in model.parameters()]
    report = check_gradient(model, point=[0.5, -0.25])
    assert report.passed
    assert [row.name for row in report] == [name for name, _ in model.named_parameters()]
    assert model.state_dict() == state
    assert [p.grad for p in model.parameters()] == gradients
    assert model.training


class Averaging(nn.Module):
    """Changes a buffer at each call."""

    buffer_names = ("calls",)

    def __init__(self) -> None:
        self.weight, self.again = Value(2.0), Value(1.0)
        self.shared = self.weight
        self.calls = 0

    def forward(self, row: list[Any]) -> list[Any]:
        self.calls += 1
        return [self.weight * x + self.shared.data * 0.0 for x in row]


def test_what_a_model_notes_in_a_call_is_not_noted_in_it() -> None:
    model = Averaging()
    report = check_gradient(model, point=[Value(3.0)])
    assert model.calls == 0
    assert [row.name for row in report] == ["x[0]", "weight", "again"]


def test_dropout_is_named_where_a_model_is_not_deterministic() -> None:
    model = nn.Sequential(nn.MLP(2, [64]), nn.Dropout(0.5))  # two calls never drop the same of so many
    with pytest.raises(NotDeterministicError, match=r"model\.eval\(\)"):
        check_gradient(model, point=[1.0, 2.0])


def test_a_result_without_history_is_named() -> None:
    with pytest.raises(ValueError, match=r"did f use \.data or \.item\(\)"):
        check_gradient(lambda x: x.data * 2.0, point=Value(3.0))


def test_plain_numbers_have_no_framework() -> None:
    np = pytest.importorskip("numpy")
    for point in 3.0, [1.0, 2.0], np.array([1.0, 2.0]):
        with pytest.raises(TypeError, match="give df, or a point of torch tensors, JAX arrays or Values"):
            as_function(lambda x: x, point)


def test_no_other_library_is_imported() -> None:
    program = """
import sys
from autograd import Value
from autograd.testing import check_gradient
check_gradient(lambda x: x * x, point=Value(3.0))
assert not {"torch", "jax", "numpy", "mpmath", "hypothesis"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_error_of_a_backward_pass_says_which_call_it_was() -> None:
    class Odd(Value):
        def backward(self, *given: Any) -> None:
            raise RuntimeError("no way back")

    with pytest.raises(RuntimeError, match="no way back") as caught:
        check_gradient(lambda x: Odd(2.0), point=Value(3.0))
    assert any("backward()" in note for note in caught.value.__notes__)
