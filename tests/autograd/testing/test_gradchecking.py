"""Does `gradcheck` find what is wrong, blame the right level, and leave right gradients alone?"""

import contextlib
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import autograd
import nn
from autograd import Value, functions as F
from autograd.operations import operations
from autograd.rules import WITH_INDEX
from autograd.testing import (
    Expression,
    GradcheckError,
    InconclusiveError,
    InputChangedError,
    NotDeterministicError,
    UndefinedPointError,
    WrongAccumulationError,
    WrongGradientError,
    WrongRuleError,
    expressions,
    gradcheck,
    mlps,
)
from autograd.testing.graphs.expression import expression_of
from autograd.testing.truth.exact_accumulation import adjoints
from autograd.testing.truth.oracles import call, oracles
from tests.autograd.testing.faults import FAULTS
from tests.work import lines_executed

EVERY_OPERATION = pytest.mark.parametrize("name", operations)
Derivatives = tuple[Callable[..., Any], ...]


@contextlib.contextmanager
def derivatives_of(name: str, change: Callable[[Derivatives], Derivatives]) -> Iterator[None]:
    """The operation with other derivatives, for a while."""
    operation = operations[name]
    kept = operation.rule, operation.derivatives
    operation.rule = operation.rule._replace(derivatives=change(operation.derivatives))
    operation.derivatives = operation.rule.derivatives
    try:
        yield
    finally:
        operation.rule, operation.derivatives = kept


@contextlib.contextmanager
def method(name: str, replacement: Any) -> Iterator[None]:
    """Value with another method, for a while."""
    kept = getattr(Value, name)
    setattr(Value, name, replacement)
    try:
        yield
    finally:
        setattr(Value, name, kept)


def message_of(kind: type[BaseException], f: Callable[..., Any], point: Any, **more: Any) -> str:
    with pytest.raises(kind) as caught:
        gradcheck(f, point, **more)
    return str(caught.value)


# No false alarms


@given(expressions())
def test_random_graphs_pass(expression: Expression) -> None:
    report = gradcheck(expression, expression.inputs)
    assert report.worst_rule <= 1.0
    assert report.worst_accumulation <= 1.0


@settings(max_examples=100)
@given(expressions(smooth=True))
def test_random_smooth_graphs_are_found_smooth(expression: Expression) -> None:
    for row in gradcheck(expression, expression.inputs).rows:
        assert row.verdict in ("right", "inconclusive")
        assert row.difference.verdict in ("smooth", "inconclusive")


@EVERY_OPERATION
def test_every_operation_passes_anywhere_in_its_domain(name: str) -> None:
    rng = random.Random(f"gradcheck {name}")
    for _ in range(10):
        check_operation(name, oracles[name].draw(rng))


@pytest.mark.slow
@EVERY_OPERATION
def test_every_operation_passes_at_two_hundred_points_with_all_its_operands(name: str) -> None:
    rng = random.Random(f"many gradchecks {name}")
    for _ in range(200):
        check_operation(name, oracles[name].draw(rng))


def check_operation(name: str, operands: tuple[float, ...]) -> None:
    count = len(operands) - (name in WITH_INDEX)
    try:
        gradcheck(lambda *xs: call(name, *xs, *operands[count:]), operands[:count])
    except UndefinedPointError:
        assert not math.isfinite(operations[name].evaluate(operands))


ORDERS = [name for name in operations if name not in ("floor", "ceil", "round", "sign", "floor_divide")]


@pytest.mark.parametrize("name", ORDERS)
def test_second_derivatives_pass_at_moderate_points(name: str) -> None:
    rng, checked = random.Random(f"second order {name}"), 0
    while checked < 2:
        operands = oracles[name].draw(rng)
        if len(operands) < 7 and all(0.02 < abs(x) < 5.0 for x in operands[: len(operands) - (name in WITH_INDEX)]):
            checked += 1
            count = len(operands) - (name in WITH_INDEX)
            gradcheck(lambda *xs, o=operands, c=count: call(name, *xs, *o[c:]), operands[:count], order=2)


def test_a_wrong_second_derivative_is_found_where_the_first_is_right() -> None:
    """The factor of 0 is no mistake in the first derivative, only in those that follow."""

    @autograd.operation
    def square(m: Any) -> Any:
        return lambda x: x * x, lambda out, x: 2.0 * (x.detach() if isinstance(x, Value) else x)

    gradcheck(square, 3.0)
    report = gradcheck(lambda x: x * x, 3.0, order=3)
    assert [row.derivative for row in report.derivatives[0].rows] == [2.0]
    with pytest.raises((WrongGradientError, ValueError)):
        gradcheck(lambda x: square(x) * x, 3.0, order=2)


def test_the_order_of_an_operation_over_floats_is_one() -> None:
    with pytest.raises(TypeError, match="was given over floats only"):
        gradcheck(autograd.operation(lambda x: x * x, lambda out, x: 2.0 * x), 3.0, order=2)


AT_KINKS: list[tuple[Callable[..., Any], tuple[float, ...]]] = [
    (lambda x: F.relu(x), (0.0,)),
    (lambda x: abs(x), (0.0,)),
    (lambda x, y: F.maximum(x, y), (1.0, 1.0)),
    (lambda x, y, z: F.max([x, y, z]), (2.0, 2.0, 2.0)),
    (lambda x, y: F.max([x, y, x]), (2.0, 2.0)),
    (lambda x: F.maximum(x, x), (3.0,)),
    (lambda x, y: abs(x) + abs(y), (0.0, 0.0)),
    (lambda x: F.clip(x, 0.0, 1.0), (1.0,)),
    (lambda x: F.relu(x) - F.relu(-x), (0.0,)),
    (lambda x: F.sqrt(x), (0.0,)),
    (lambda x: F.sqrt(x * x), (0.0,)),
    (lambda x: F.cbrt(x), (0.0,)),
    (lambda x: F.acos(x), (-1.0,)),
    (lambda x: F.floor(x), (3.0,)),
    (lambda x: x % 1.0, (2.0,)),
    (lambda x, y: F.hypot(x, y), (0.0, 0.0)),
    (lambda x, y: F.atan2(x, y), (0.0, -1.0)),
    (lambda x: x**0, (0.0,)),
    (lambda x: F.where(x > 0, F.log(x), 0.0), (0.0,)),
    (lambda x, y: F.prod([x, y, x]), (0.0, 2.0)),
    (lambda x: x**1.5, (0.0,)),
]


@pytest.mark.parametrize(("f", "point"), AT_KINKS)
def test_conventions_at_kinks_edges_and_jumps_pass(f: Any, point: tuple[float, ...]) -> None:
    gradcheck(f, point)


COUNTEREXAMPLES: list[tuple[Callable[..., Any], tuple[float, ...]]] = [
    (lambda x: x - 0.9999999999999999 * x, (0.5,)),  # contributions cancel: a second backward() rounds otherwise
    (lambda x: F.log_softmax([x, 0.0, x], index=0), (0.0,)),
    (lambda x: F.tanh(F.softmax([x + x, x + x, x + x, x + x])[2]), (1.0,)),  # their exact sum is 0, the float one not
    (lambda x: F.atan2(F.asin(x), F.asin(x)), (1.0,)),  # ... and then comes an infinite slope
    (lambda x: F.clip(x, x, x), (1.0,)),
    (lambda x: F.sin(x) / x, (1e-5,)),  # a right gradient, in which digits cancel
    (lambda x: (F.exp(x) - 1.0) / x, (1e-6,)),
    (lambda x: 1.0 / F.exp(x), (709.5,)),  # one factor underflows, the product would not
    (lambda x: F.relu(x - 0.999999999999999), (1.0,)),
    (lambda x: x + 1e-18 * F.tanh(1e9 * (x - 1.0)), (1.0,)),  # finer than any difference of values
]


@pytest.mark.parametrize(("f", "point"), COUNTEREXAMPLES)
def test_what_was_once_a_false_alarm_passes(f: Any, point: tuple[float, ...]) -> None:
    gradcheck(f, point)


def test_at_a_tie_all_inputs_together_are_checked() -> None:
    rows = gradcheck(lambda x, y: F.maximum(x, y), (1.0, 1.0)).rows
    assert [row.name for row in rows] == ["x0", "x1", "all together"]
    assert rows[-1].derivative == 1.0
    assert rows[-1].difference.verdict == "smooth"


# Wrong rules


WRONG: dict[str, Callable[[Derivatives], Derivatives]] = {
    "off by one in a million": lambda ds: tuple(lambda out, *xs, d=d: d(out, *xs) * (1.0 + 1e-6) for d in ds),
    "negated": lambda ds: tuple(lambda out, *xs, d=d: -d(out, *xs) for d in ds),
    "zero": lambda ds: tuple(lambda out, *xs: 0.0 for _ in ds),
    "off by one in 1e13": lambda ds: tuple(lambda out, *xs, d=d: d(out, *xs) * (1.0 + 1e-13) for d in ds),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["tanh", "exp", "div", "pow", "sqrt", "sin", "sigmoid", "log", "atan2", "hypot"])
def test_a_wrong_rule_is_found_and_named(name: str, wrong: str) -> None:
    operands = (0.7, 1.3)[: len(operations[name].derivatives)]
    with derivatives_of(name, WRONG[wrong]):
        message = message_of(WrongRuleError, lambda *xs: 2.0 * call(name, *xs) + 1.0, operands)
    assert message.startswith(f"the rule of `{name}` is wrong          (1 of 3 nodes)")
    assert "accumulation right; inputs untouched; deterministic" in message


def test_the_report_on_a_wrong_rule_can_be_read_and_repeated() -> None:
    with derivatives_of("tanh", lambda ds: (lambda out, x: ds[0](out, x) / 2.0,)):
        message = message_of(WrongRuleError, lambda x, y: F.exp(F.tanh(x) * y), (1.0, 2.0))
        assert message.splitlines()[:3] == [
            "the rule of `tanh` is wrong          (1 of 3 nodes)",
            "    x0 = Value(1.0)",
            "    y = tanh(x0)",
        ]
        assert "autograd 0.2099871708" in message
        assert "numeric  0.4199743416 +-" in message
        assert "local derivative 0.20998717080701307, exact 0.4199743416140261" in message
        assert f"of {__file__}" in message
        assert len(max(message.splitlines(), key=len)) < 160
        line = next(line for line in message.splitlines() if "reproduce: " in line).split("reproduce: ")[1]
        with pytest.raises(WrongRuleError):
            exec(line, {"gradcheck": gradcheck})


def test_a_rule_with_two_operands_is_blamed_for_the_right_one() -> None:
    with derivatives_of("div", lambda ds: (ds[0], lambda out, x, y: -ds[1](out, x, y))):
        message = message_of(WrongRuleError, lambda x, y: x / y, (3.0, 2.0))
    assert "d y/d x1\n    autograd 0.75" in message


# Wrong accumulation


def test_overwritten_gradients_are_a_wrong_accumulation() -> None:
    with FAULTS["overwrite_instead_of_accumulate"]():
        message = message_of(WrongAccumulationError, lambda x: x * x + x, 3.0)
    assert "blame: the gradient of x0 became 3.0; it is 7.0 by the local derivatives recorded" in message
    assert "reproduce: gradcheck(lambda x0: (x0 * x0) + x0, (3.0,))" in message
    assert "rules right; inputs untouched; deterministic" in message


def test_a_second_backward_that_adds_more_is_found() -> None:
    right = Value.backward

    def backward(self: Value, gradient: float = 1.0) -> None:
        again = any(parent.grad for parent in self.parents)
        right(self, gradient * (2.0 if again else 1.0))

    with method("backward", backward):
        message = message_of(WrongAccumulationError, lambda x: x * x, 3.0)
    assert message.startswith("a second backward() does not add the same again")
    assert "was 6.0 after the first\n         and 18.0 after the second; it should be 12.0" in message


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=3))
def test_gradients_of_integer_graphs_must_be_exact(xs: list[int]) -> None:
    a, b, c = map(Value, xs)
    y = (a * b + c) * (a - c) * F.maximum(2 * a, 2 * b + 1) + b * b  # never a tie: even and odd
    assert all(adjoint.bound == 0.0 for adjoint in adjoints(y).values())
    y.backward()
    assert all(adjoint.excess(node.grad) == 0.0 for node, adjoint in adjoints(y).items())


@given(expressions(max_nodes=20))
def test_exact_adjoints_confirm_the_engine_with_room_to_spare(expression: Expression) -> None:
    root = expression(*map(Value, expression.inputs))
    root.backward()
    assert all(adjoint.excess(node.grad) <= 1.0 for node, adjoint in adjoints(root).items())


# Wrong end to end


def test_a_part_that_is_not_recorded_is_found_by_differences() -> None:
    message = message_of(WrongGradientError, lambda x: x * math.exp(x.data), 1.0)
    assert message.startswith("the gradient of <lambda> at (1) is not what finite differences say")
    assert "a part of the computation is not\n         in the graph: look for .data" in message
    assert all(len(line) <= 80 for line in message.splitlines() if "reproduce" not in line)
    assert "numeric  5.436563657 +-" in message
    assert "rules right; accumulation right; inputs untouched; deterministic" in message


def test_a_straight_through_gradient_is_not_the_gradient() -> None:
    message_of(WrongGradientError, lambda x: x + (F.round(x).detach() - x.detach()), 0.7)


class PlainValue:
    """The smallest engine that can be: it records no local derivatives."""

    def __init__(self, data: float, parents: Any = ()) -> None:
        self.data, self.grad, self.parents = float(data), 0.0, parents

    def __mul__(self, other: "PlainValue") -> "PlainValue":
        return PlainValue(self.data * other.data, [(self, other.data), (other, self.data)])

    def backward(self, gradient: float = 1.0) -> None:
        self.grad += gradient
        for parent, local in self.parents:
            parent.backward(gradient * local)


class WrongValue(PlainValue):
    def __mul__(self, other: "PlainValue") -> "PlainValue":
        return WrongValue(self.data * other.data, [(self, other.data), (other, other.data)])


def test_other_engines_are_checked_end_to_end() -> None:
    report = gradcheck(lambda x, y: x * y, (3.0, 2.0), value_type=PlainValue)
    assert [row.verdict for row in report.rows] == ["right", "right"]
    assert "end to end only" in str(report)
    message = message_of(WrongGradientError, lambda x, y: x * y, (3.0, 2.0), value_type=WrongValue)
    assert "d f/d x1  (wrong)\n    backward 2\n" in message  # it is not autograd that says so
    assert "numeric  3 +-" in message
    assert "accumulation" not in message


class OverwritingValue(PlainValue):
    """Its gradients are those of the last backward pass alone."""

    def __mul__(self, other: "PlainValue") -> "PlainValue":
        return OverwritingValue(self.data * other.data, [(self, other.data), (other, self.data)])

    def backward(self, gradient: float = 1.0) -> None:
        self.grad = gradient
        for parent, local in self.parents:
            parent.backward(gradient * local)


@pytest.mark.parametrize(("engine", "adds"), [(PlainValue, True), (OverwritingValue, False)])
def test_a_report_says_one_thing_of_a_second_backward(engine: Any, adds: bool) -> None:
    report = gradcheck(lambda x, y: x * y, (3.0, 2.0), value_type=engine)
    assert report.adds_up is adds
    assert ("a second backward() adds the same again" in str(report)) is adds
    assert ("a second backward() does not add the same again" in str(report)) is not adds


# Models


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(mlps(max_inputs=3, max_width=3, max_layers=2), st.randoms(use_true_random=False))
def test_models_with_a_loss_pass(model: Any, rng: random.Random) -> None:
    x = [rng.uniform(-2.0, 2.0) for _ in range(len(next(iter(model.layers)).neurons[0].w))]

    def loss(model: Any) -> Value:
        out = model(x)
        return nn.mse_loss(out if isinstance(out, list) else [out], [0.5] * (len(out) if isinstance(out, list) else 1))

    gradcheck(loss, model)


def test_a_model_is_left_as_it_was() -> None:
    model = nn.MLP(2, [3, 1], rng=random.Random(0))
    for parameter in model.parameters():
        parameter.grad = 1.5
    before = [(p.data, p.grad) for p in model.parameters()]
    report = gradcheck(lambda m: nn.mse_loss([m([1.0, -2.0])], [0.5]), model)
    assert [(p.data, p.grad) for p in model.parameters()] == before
    assert report.names[0] == "layers.0.neurons.0.w.0"


def test_dropout_must_be_switched_off() -> None:
    model = nn.Sequential(nn.Layer(2, 40, activation="tanh"), nn.Dropout(0.5), nn.Layer(40, 2, activation="linear"))

    def loss(m: Any) -> Value:  # of 40 units that are never 0 the same ones are not drawn twice
        return nn.mse_loss(m([1.0, -2.0]), [0.5, 0.5])

    assert "model.eval() for dropout" in message_of(NotDeterministicError, loss, model)
    gradcheck(loss, model.eval())


def loss_of_a_large_model(m: Any) -> Value:
    return nn.cross_entropy(m([random.Random(1).uniform(-1.0, 1.0) for _ in range(16)]), 3)


def test_all_derivatives_of_a_large_model_are_checked_together_and_it_says_so() -> None:
    report = gradcheck(loss_of_a_large_model, nn.MLP(16, [40, 10], rng=random.Random(0)))
    assert len(report.rows) == report.directions == 3
    assert len(report.gradient) == report.total == 1_090
    assert "differences of 1,090 derivatives along 3 random directions" in str(report)


@pytest.mark.parametrize("place", [0, 333])
def test_one_derivative_that_is_wrong_in_a_large_model_is_found_and_named(place: int) -> None:
    def detached(m: Any) -> Value:
        return loss_of_a_large_model(m) + 0.01 * m.parameters()[place].data

    model = nn.MLP(16, [12, 10], rng=random.Random(0))
    with pytest.raises(WrongGradientError) as caught:
        gradcheck(detached, model)
    assert [row.name for row in caught.value.report.wrong] == [[*dict(model.named_parameters())][place]]


# Nothing is changed


def test_gradients_of_closed_over_values_are_kept() -> None:
    w = Value(3.0)
    w.grad = 7.0
    gradcheck(lambda x: w * x, 2.0)
    assert w.grad == 7.0
    with derivatives_of("tanh", WRONG["negated"]), pytest.raises(GradcheckError):
        gradcheck(lambda x: F.tanh(w * x), 0.2)
    assert (w.data, w.grad) == (3.0, 7.0)


def test_gradients_of_interior_values_outside_are_kept_too() -> None:
    h = Value(3.0) * 2.0
    h.grad = 7.0
    gradcheck(lambda x: x * h, 2.0)
    assert h.grad == 7.0


def test_a_parameter_that_is_shared_is_checked_once() -> None:
    class Shared:
        def __init__(self) -> None:
            self.w = Value(3.0)

        def parameters(self) -> list[Value]:
            return [self.w, self.w]

    assert gradcheck(lambda m: m.w * m.w, Shared()).gradient == [6.0]


def test_an_operation_of_ones_own_is_taken_for_a_black_box() -> None:
    cosine = autograd.operation(lambda x: 1.0 - math.cos(x), lambda out, x: math.sin(x), name="one_minus_cos")
    (row,) = gradcheck(lambda x: cosine(x), 1e-5).rows
    assert row.difference.estimated
    assert row.verdict in ("right", "inconclusive")


def test_values_given_as_the_point_are_left_alone() -> None:
    xs = [Value(1.0), Value(2.0)]
    xs[0].grad = 5.0
    gradcheck(lambda x, y: x * y, tuple(xs))
    gradcheck(lambda xs: xs[0] * xs[1], xs)
    assert [(x.data, x.grad) for x in xs] == [(1.0, 5.0), (2.0, 0.0)]


def test_a_function_that_changes_its_input_is_found() -> None:
    def doubles(x: Value) -> Value:
        x.data = 2.0 * x.data
        return x * 1.0

    def resets(x: Value) -> Value:
        x.grad = 0.0
        return x * 1.0

    assert "data 1.0 became 2.0" in message_of(InputChangedError, doubles, 1.0)
    assert "grad 0.4375 became 0.0" in message_of(InputChangedError, resets, 1.0)


def test_a_backward_that_changes_the_data_is_found() -> None:
    right = Value.backward

    def backward(self: Value, gradient: float = 1.0) -> None:
        right(self, gradient)
        for node in autograd.leaves(self):
            node.data -= 0.5

    with method("backward", backward):
        assert "backward() changed the data" in message_of(InputChangedError, lambda x: x * 2.0, 1.0)


# Bad input: each its own sentence


def raises(x: Value) -> Value:
    raise ZeroDivisionError("by zero")


BAD: list[tuple[type[Exception], str, Any, Any]] = [
    (TypeError, r"returned None; end it with `return`", lambda x: None, 1.0),
    (TypeError, r"returned 3.0, a plain number that has lost its inputs; did it use .data or math", lambda x: 3.0, 1.0),
    (TypeError, r"returned the complex number 1j", lambda x: 1j, 1.0),
    (TypeError, r"returned \[.*\] \(list\); it must return one Value", lambda x: [x], 1.0),
    (ValueError, r"a constant: none of its inputs is in the graph", lambda x: Value(3.0), 1.0),
    (UndefinedPointError, r"raised ZeroDivisionError: by zero; if this is where its domain ends", raises, 1.0),
    (UndefinedPointError, r"at \(-1\) is nan", lambda x: F.log(x), -1.0),
    (UndefinedPointError, r"at \(1000\) is inf", lambda x: F.exp(x), 1000.0),
    (NotDeterministicError, r"was .* and, called again", lambda x: x * random.random(), 1.0),
    (TypeError, r"takes a function of Values and a point; got 3", 3, 1.0),
    (TypeError, r"takes at least one number as the point; got only 'a' \(str\)", lambda x: x, "a"),
    (ValueError, r"made of finite numbers; got nan at x\[0\]; choose a point", lambda x: x, [math.nan]),
    (ValueError, r"made of finite numbers; got inf at x0; choose a point", lambda x: x, math.inf),
    (TypeError, r"takes at least one number as the point; got only None", lambda x: x, None),
    (ValueError, r"at least one number as the point; it is empty", lambda: Value(1.0), []),
    (TypeError, r"as the point, and a tuple as the arguments; x is a set: put its numbers in a list", abs, {1.0}),
    (TypeError, r"takes a model, not its class: make one, such as MLP", lambda x: x, nn.MLP),
    (KeyError, r"q", lambda x: {}["q"], 1.0),
]


@pytest.mark.parametrize(("kind", "sentence", "f", "point"), BAD)
def test_bad_input_gets_a_sentence(kind: type[Exception], sentence: str, f: Any, point: Any) -> None:
    with pytest.raises(kind, match=sentence):
        gradcheck(f, point)


@pytest.mark.parametrize("order", [0, -1, 1.5, True, "2"])
def test_the_order_is_a_positive_whole_number(order: Any) -> None:
    with pytest.raises(ValueError, match="takes an order of 1 or more"):
        gradcheck(lambda x: x, 1.0, order=order)


def test_of_another_engine_there_are_no_second_derivatives() -> None:
    with pytest.raises(ValueError, match=r"order above 1 for Values only; got .*as value_type"):
        gradcheck(lambda x: x * x, 3.0, order=2, value_type=PlainValue)


class TouchingValue(PlainValue):
    """Its product clears gradients."""

    def __mul__(self, other: "PlainValue") -> "PlainValue":
        self.grad = 0.0
        return TouchingValue(self.data * other.data, [(self, other.data), (other, self.data)])


class UnhashableValue(PlainValue):
    """It compares by its number, as NumPy's do."""

    def __eq__(self, other: object) -> bool:
        return self.data == other


def test_what_another_engine_changes_is_not_blamed_on_the_function_alone() -> None:
    message = message_of(InputChangedError, lambda x: x * x, 3.0, value_type=TouchingValue)
    assert message.startswith("<lambda>, or the engine, changed its input x0: data 3.0 became 3.0")
    assert gradcheck(lambda x: x * x, 3.0, value_type=UnhashableValue).passed


def test_an_inconclusive_check_fails_on_request_only() -> None:
    def saturated(x: Value) -> Value:
        return F.sigmoid(x)

    assert gradcheck(saturated, 33.0).inconclusive
    assert "could not be confirmed" in message_of(InconclusiveError, saturated, 33.0, conclusive=True)
    gradcheck(saturated, 3.0, conclusive=True)


def test_each_verdict_has_a_type_of_its_own_and_carries_the_report() -> None:
    with derivatives_of("tanh", WRONG["zero"]), pytest.raises(WrongRuleError) as caught:
        gradcheck(lambda x: F.tanh(x), 0.5)
    assert caught.value.report.gradient == [0.0]
    with pytest.raises(UndefinedPointError) as undefined:
        gradcheck(lambda x: F.log(x), -1.0)
    assert undefined.value.report  # it has no rows, and is a report
    assert not undefined.value.report.passed
    assert len(undefined.value.report) == 0
    assert isinstance(caught.value, AssertionError)


def test_a_graph_becomes_an_expression() -> None:
    x, w = Value(2.0), Value(5.0)
    expression = expression_of(F.dot([w, x], [x, 3.0], 1.0) ** 2, [x])
    assert repr(expression) == "x0 = Value(2.0)\nt0 = dot([5.0, x0], [x0, 3.0], 1.0)\ny = t0 ** 2.0"
    assert expression(2.0) == 289.0


def test_a_check_of_ten_nodes_is_quick() -> None:
    """Some 20 ms. `python -m tests.benchmarks` measures it; here its lines are counted."""

    def f(a: Value, b: Value, c: Value) -> Value:
        return F.tanh(a * b + F.sin(c)) * F.exp(-a * a) / (1.0 + b * b)

    gradcheck(f, (0.5, -0.3, 2.0))
    assert lines_executed(lambda: gradcheck(f, (0.5, -0.3, 2.0))) < 1_000_000


@pytest.mark.parametrize("length", [1_000])
def test_deep_graphs_are_checked_without_recursion(length: int) -> None:
    def chain(x: Value) -> Value:
        y = x
        for _ in range(length):
            y = y * 0.999 + 0.001
        return y

    assert gradcheck(chain, 2.0).nodes == 2 * length
