"""Do the optimisers move the weights as PyTorch's do, and can they stop and go on?"""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

import nn
from autograd import Value
from autograd.testing import assert_close_ulp
from nn import SGD, Adagrad, Adam, AdamW, RMSprop, clip_grad_norm_, clip_grad_value_
from tests.nn.make_pytorch_figures import CLIP_CASES, FIGURES, OPTIMIZER_CASES, SHOWN, START, STEPS, gradients

PYTORCH = json.loads(FIGURES.read_text(encoding="utf-8"))
EQUAL = 1e-12  # relative: PyTorch fuses some products and sums, which rounds differently, about 1e-16 a step

cases = pytest.mark.parametrize(("name", "options"), OPTIMIZER_CASES, ids=[f"{n}-{o}" for n, o in OPTIMIZER_CASES])


def run(optimizer, first, last):
    """The steps from first to last, with the gradients that PyTorch had too; the weights after each."""
    for step in range(first, last + 1):
        numbers = gradients(step, [w.data for w in optimizer.params])
        for weight, gradient in zip(optimizer.params, numbers, strict=True):
            weight.grad = gradient
        optimizer.step()
        yield step, [w.data for w in optimizer.params]


# Against PyTorch


@pytest.mark.parametrize(
    ("name", "options", "figures"),
    [(*case, figures) for case, figures in zip(OPTIMIZER_CASES, PYTORCH["optimizers"], strict=True)],
    ids=[f"{n}-{o}" for n, o in OPTIMIZER_CASES],
)
def test_the_weights_are_pytorchs_over_100_steps(name, options, figures):
    optimizer = getattr(nn, name)([Value(w) for w in START], **options)
    for step, weights in run(optimizer, 1, STEPS):
        if step in SHOWN:
            assert weights == pytest.approx(figures[str(step)], rel=EQUAL, abs=0.0), step


@pytest.mark.parametrize(
    ("slopes", "bound", "figures"), [(*c, f) for c, f in zip(CLIP_CASES, PYTORCH["clipping"], strict=True)]
)
def test_clipping_is_pytorchs(slopes, bound, figures):
    weights = with_gradients(slopes)
    assert clip_grad_norm_(weights, bound) == pytest.approx(figures["norm"], rel=EQUAL)
    assert [w.grad for w in weights] == pytest.approx(figures["by_norm"], rel=EQUAL, abs=0.0)
    weights = with_gradients(slopes)
    clip_grad_value_(weights, bound)
    assert [w.grad for w in weights] == figures["by_value"]


def with_gradients(slopes):
    weights = [Value(0.0) for _ in slopes]
    for weight, slope in zip(weights, slopes, strict=True):
        weight.grad = slope
    return weights


# By their definition


@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0, 1))
def test_plain_sgd_is_one_line(data, grad, lr):
    weight = Value(data)
    weight.grad = grad
    SGD([weight], lr=lr).step()
    assert weight.data == data - lr * grad


def test_without_gradients_only_weight_decay_moves_the_weights():
    for optimizer, moved in [
        (SGD([Value(1.0)], lr=0.5), 1.0),
        (SGD([Value(1.0)], lr=0.5, weight_decay=0.5), 0.75),
        (Adam([Value(1.0)], lr=0.5), 1.0),
        (AdamW([Value(1.0)], lr=0.5, weight_decay=0.5), 0.75),
        (RMSprop([Value(1.0)], lr=0.5, momentum=0.9, centered=True), 1.0),
        (Adagrad([Value(1.0)], lr=0.5), 1.0),
    ]:
        optimizer.step()
        assert optimizer.params[0].data == moved, optimizer


def test_the_first_step_of_adam_has_the_length_of_the_learning_rate_whatever_the_gradient():
    for slope in (1e-4, -1.0, 1e6):  # eps is 1e-8: a slope of 1e-4 is shortened by a ten-thousandth
        weight = Value(0.0)
        weight.grad = slope
        Adam([weight], lr=0.1).step()
        assert weight.data == pytest.approx(math.copysign(0.1, -slope), rel=2e-4)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6))
def test_rmsprop_divides_by_the_root_of_the_running_mean_of_squares(slopes):
    weight, square = Value(0.0), 0.0
    optimizer = RMSprop([weight], lr=0.5, alpha=0.75)
    for slope in slopes:
        before, weight.grad = weight.data, slope
        optimizer.step()
        square = 0.75 * square + 0.25 * slope**2
        assert weight.data == pytest.approx(before - 0.5 * slope / (math.sqrt(square) + 1e-8), rel=1e-9, abs=1e-12)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), st.floats(0.0, 1.0))
def test_adagrad_divides_by_the_root_of_the_sum_of_squares(slopes, start):
    weight = Value(0.0)
    optimizer = Adagrad([weight], lr=0.5, lr_decay=0.25, initial_accumulator_value=start)
    for t, slope in enumerate(slopes, 1):
        before, weight.grad = weight.data, slope
        optimizer.step()
        total = math.fsum([start, *(s * s for s in slopes[:t])])
        expected = before - 0.5 / (1 + 0.25 * (t - 1)) * slope / (math.sqrt(total) + 1e-10)
        assert weight.data == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("slope", [0.1, -3.7, 1e5])
def test_a_variance_that_rounding_makes_negative_counts_as_0(slope):
    weight = Value(0.0)
    optimizer = RMSprop([weight], lr=1e-12, alpha=0.5, centered=True)
    for _ in range(200):  # after 60 steps the mean of squares and the square of the mean differ by rounding alone
        weight.grad = slope
        optimizer.step()
    assert math.isfinite(weight.data)


def test_the_learning_rate_may_be_changed_between_steps():
    weight = Value(1.0)
    optimizer = SGD([weight], lr=0.5)
    weight.grad = 1.0
    optimizer.step()
    optimizer.lr = 0.25
    optimizer.step()
    assert weight.data == 0.25


def test_zero_grad_clears_every_gradient():
    weights = with_gradients([1.0, math.nan, math.inf])
    SGD(weights).zero_grad()
    assert [w.grad for w in weights] == [0.0, 0.0, 0.0]


def test_the_parameters_may_come_from_a_generator():
    weights = [Value(1.0), Value(2.0)]
    assert SGD(w for w in weights).params == weights


def test_a_repr_names_every_option():
    text = repr(SGD([Value(0.0)], lr=0.1, momentum=0.9, nesterov=True))
    assert text == "SGD(1 parameters, lr=0.1, momentum=0.9, dampening=0.0, weight_decay=0.0, nesterov=True)"


# Stopping and going on


@cases
def test_a_state_dict_resumes_bit_for_bit_even_through_json(name, options):
    cls = getattr(nn, name)
    whole = dict(run(cls([Value(w) for w in START], **options), 1, 20))
    first = cls([Value(w) for w in START], **options)
    halfway = dict(run(first, 1, 7))
    state = json.loads(json.dumps(first.state_dict()))
    second = cls([Value(w) for w in halfway[7]], lr=99.0)  # its lr and options come from the state
    second.load_state_dict(state)
    assert dict(run(second, 8, 20)) == {step: whole[step] for step in range(8, 21)}


def test_a_state_dict_is_a_copy_that_later_steps_do_not_change():
    optimizer = Adam([Value(1.0)])
    optimizer.params[0].grad = 1.0
    optimizer.step()
    state = optimizer.state_dict()
    before = json.dumps(state)
    other = Adam([Value(1.0)])
    other.load_state_dict(state)
    for moved in (optimizer, other):
        moved.params[0].grad = 2.0
        moved.step()
    assert json.dumps(state) == before


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        None,
        Adam([Value(1.0)]).state_dict(),
        {**SGD([Value(1.0)]).state_dict(), "options": {}},
        {**SGD([Value(1.0)]).state_dict(), "state": {"momentum_buffer": [1.0, 2.0]}},
        {**SGD([Value(1.0)]).state_dict(), "more": 1},
        *(
            {**SGD([Value(1.0)]).state_dict(), **change}
            for change in (
                *({"lr": lr} for lr in ("x", None, -1.0, 10**400, (1, 2))),
                *({"steps": steps} for steps in ("x", -1, 1.5, True, None)),
                *({"options": options} for options in (5, None, [])),
                *({"state": {"momentum_buffer": numbers}} for numbers in (["a"], 5, None, "a", {})),
                *({"state": state} for state in (5, {"foo": [1.0]})),
                {"options": {**SGD([Value(1.0)]).options, "momentum": "x"}},
                {"optimizer": "Adam"},
            )
        ),
    ],
)
def test_a_foreign_state_dict_is_refused_and_changes_nothing(state):
    optimizer = SGD([Value(1.0)], lr=0.5, momentum=0.9)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match="state_dict"):
        optimizer.load_state_dict(state)
    assert optimizer.state_dict() == before


@pytest.mark.parametrize(
    "change",
    [
        {"state": {"exp_avg": [1.0]}},  # without the other mean
        {"state": {"exp_avg": ["a"], "exp_avg_sq": [1.0]}},
        {"state": {"square_avg": [1.0]}},
        {"options": {"betas": 5, "eps": 1e-8, "weight_decay": 0.0}},
        {"options": {"betas": ["a", "b"], "eps": 1e-8, "weight_decay": 0.0}},
        AdamW([Value(1.0)]).state_dict(),
    ],
)
def test_adam_refuses_what_is_not_its_state_and_changes_nothing(change):
    optimizer = Adam([Value(1.0)], lr=0.5)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match="state_dict"):
        optimizer.load_state_dict({**before, **change})
    assert optimizer.state_dict() == before


def test_numpys_numbers_are_numbers():
    optimizer = Adam([Value(1.0)], lr=np.float32(0.5), betas=np.array([0.5, 0.75]), eps=np.float64(0.25))
    assert (optimizer.lr, optimizer.options["betas"], optimizer.options["eps"]) == (0.5, (0.5, 0.75), 0.25)
    json.dumps(optimizer.state_dict())


# Clipping


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=6), st.floats(0, 1e6))
def test_after_clipping_by_norm_the_norm_is_at_most_the_bound_and_the_direction_is_kept(slopes, bound):
    weights = with_gradients(slopes)
    before = clip_grad_norm_(weights, bound)
    assert_close_ulp(before, math.hypot(*slopes), ulp=len(slopes) + 8)  # what the rule of norm declares
    factor = 1.0 if before + 1e-6 <= bound else bound / (before + 1e-6)
    # abs: a product below the normal numbers keeps fewer digits
    assert [w.grad for w in weights] == pytest.approx([factor * slope for slope in slopes], rel=1e-9, abs=1e-300)
    assert math.hypot(*(w.grad for w in weights)) <= bound * (1 + 1e-9) + 1e-300


@given(st.lists(st.floats(), min_size=1, max_size=6), st.floats(0, allow_nan=False))
def test_clipping_by_value_brings_each_number_to_the_interval_and_keeps_nan(slopes, bound):
    weights = with_gradients(slopes)
    clip_grad_value_(weights, bound)
    for weight, slope in zip(weights, slopes, strict=True):
        if math.isnan(slope):
            assert math.isnan(weight.grad)
        else:
            assert weight.grad == (slope if -bound <= slope <= bound else math.copysign(bound, slope))


# Bad input


@pytest.mark.parametrize("cls", [SGD, Adam, AdamW, RMSprop, Adagrad])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"lr": -0.1}, "takes a lr of at least 0; got -0.1"),
        ({"lr": math.nan}, "takes a lr of at least 0; got nan"),
        ({"lr": math.inf}, "takes a lr of at least 0; got inf: give a finite number"),
        ({"weight_decay": -1.0}, "takes a weight_decay of at least 0; got -1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(cls, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        cls([Value(1.0)], **options)


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (lambda: SGD([]), ValueError, "SGD needs at least one parameter; got an empty list"),
        (lambda: SGD([w := Value(1.0), w]), ValueError, "SGD got a parameter twice, and would move it twice"),
        (lambda: SGD(None), TypeError, r"SGD takes a list of parameters, such as model.parameters\(\); got None"),
        (lambda: SGD([Value(1.0)], lr=(1, 2)), TypeError, r"takes a number for lr; got \(1, 2\) \(tuple\)"),
        (lambda: SGD([Value(1.0)], lr=10**400), ValueError, r"takes a lr of at least 0; got 10{56}\.\.\."),
        (lambda: Adam([Value(1.0)], betas=None), ValueError, "takes two betas from 0 to below 1; got None"),
        (lambda: Adam([Value(1.0)], betas="ab"), ValueError, "takes two betas from 0 to below 1; got 'ab'"),
        (lambda: clip_grad_norm_(Value(1.0), 1.0), TypeError, "takes a list of parameters, such as model.parameters"),
        (lambda: clip_grad_value_([1.0], 1.0), TypeError, "clip_grad_value_ takes a list of parameters"),
        (lambda: clip_grad_norm_([Value(1.0)], "a"), TypeError, "max_norm takes a real number; got 'a'"),
        (lambda: clip_grad_value_([Value(1.0)], None), TypeError, "clip_value takes a real number; got None"),
        (lambda: SGD([1.0]), TypeError, r"SGD moves Values; got 1.0 \(float\)"),
        (lambda: SGD([Value(1.0)], lr="0.1"), TypeError, r"SGD takes a number for lr; got '0.1' \(str\)"),
        (lambda: SGD([Value(1.0)], lr=None), TypeError, "SGD takes a number for lr; got None"),
        (lambda: SGD([Value(1.0)], momentum=-0.9), ValueError, "takes a momentum of at least 0"),
        (lambda: SGD([Value(1.0)], nesterov=True), ValueError, "nesterov=True needs a momentum above 0"),
        (lambda: SGD([Value(1.0)], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "and no dampening"),
        (lambda: Adam([Value(1.0)], betas=(0.9, 1.0)), ValueError, "two betas from 0 to below 1"),
        (lambda: Adam([Value(1.0)], betas=(0.9,)), ValueError, "two betas from 0 to below 1"),
        (lambda: AdamW([Value(1.0)], betas=(-0.1, 0.9)), ValueError, "AdamW takes two betas"),
        (lambda: Adam([Value(1.0)], eps=-1.0), ValueError, "takes a eps of at least 0"),
        (lambda: Adam([Value(1.0)], eps=0.0), ValueError, "takes an eps above 0"),
        (lambda: RMSprop([Value(1.0)], alpha=1.0), ValueError, "RMSprop takes an alpha from 0 to below 1; got 1.0"),
        (lambda: RMSprop([Value(1.0)], alpha=-0.1), ValueError, "RMSprop takes a alpha of at least 0; got -0.1"),
        (lambda: RMSprop([Value(1.0)], eps=0.0), ValueError, "RMSprop takes an eps above 0"),
        (lambda: RMSprop([Value(1.0)], momentum="x"), TypeError, "RMSprop takes a number for momentum; got 'x'"),
        (lambda: Adagrad([Value(1.0)], eps=0.0), ValueError, "Adagrad takes an eps above 0"),
        (lambda: Adagrad([Value(1.0)], lr_decay=-1.0), ValueError, "Adagrad takes a lr_decay of at least 0; got -1.0"),
        (
            lambda: Adagrad([Value(1.0)], initial_accumulator_value=-1.0),
            ValueError,
            "takes a initial_accumulator_value of at least 0; got -1.0",
        ),
        (lambda: clip_grad_norm_([Value(1.0)], -1.0), ValueError, "takes a max_norm of at least 0; got -1.0"),
        (lambda: clip_grad_norm_([Value(1.0)], math.nan), ValueError, "takes a max_norm of at least 0; got nan"),
        (lambda: clip_grad_value_([Value(1.0)], -1.0), ValueError, "takes a clip_value of at least 0; got -1.0"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()


def test_extreme_gradients_raise_nothing():
    rng = random.Random(0)
    for cls in (SGD, Adam, AdamW, RMSprop, Adagrad):
        weights = with_gradients([math.inf, -math.inf, math.nan, 1e308, 5e-324, 0.0])
        optimizer = cls(weights, lr=rng.random())
        optimizer.step()
        optimizer.step()
        assert weights[-1].data == 0.0
