"""Are the losses and their gradients right: by an independent formula, by PyTorch, and at special points?

The oracles are the definitions, evaluated by mpmath with 50 digits; their derivatives are mpmath's numerical ones.
"""

import json
import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, reject, settings, strategies as st

import nn
from autograd import Value
from autograd.testing import assert_close_ulp
from nn import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
)
from tests.nn.make_pytorch_figures import FIGURES, LOSS_CASES

PYTORCH = json.loads(FIGURES.read_text(encoding="utf-8"))["losses"]
INF = math.inf


def values(numbers):
    """The same nested list, of Values."""
    return [values(x) for x in numbers] if isinstance(numbers, list) else Value(numbers)


def data(result):
    return [data(x) for x in result] if isinstance(result, list) else getattr(result, "data", result)


def grads(nested):
    return [grads(x) for x in nested] if isinstance(nested, list) else nested.grad


def flat(nested):
    return [x for item in nested for x in flat(item)] if isinstance(nested, list) else [nested]


def loss_and_gradients(loss, predictions, *arguments, **options):
    """The loss as a float and its derivative for each prediction."""
    leaves = values(predictions)
    result = loss(leaves, *arguments, **options)
    result.backward()
    return result.data, grads(leaves)


# Against PyTorch


@pytest.mark.parametrize(
    ("name", "options", "predictions", "targets", "figures"),
    [(*case, figures) for case, figures in zip(LOSS_CASES, PYTORCH, strict=True)],
    ids=[f"{name}-{options}" for name, options, _, _ in LOSS_CASES],
)
def test_losses_and_gradients_are_pytorchs(name, options, predictions, targets, figures):
    loss, gradients = loss_and_gradients(getattr(nn, name), predictions, targets, **options)
    # PyTorch's log_softmax is right to about 1e-15 of its largest term, 40 here; so is the rest, relatively.
    assert loss == pytest.approx(figures["loss"], rel=1e-12)
    assert flat(gradients) == pytest.approx(flat(figures["gradients"]), rel=1e-12, abs=1e-15)


# Against the definitions

mpmath.mp.dps = 50

reals = st.floats(-50.0, 50.0).map(lambda x: round(x, 6))
shares = st.floats(0.0, 1.0).map(lambda x: round(x, 6))
inner_shares = st.floats(0.001, 0.999).map(lambda x: round(x, 6))


def bernoulli_loss(p, t):
    return -t * mpmath.log(p) - (1 - t) * mpmath.log(1 - p)


def huber(p, t):
    error = abs(p - t)
    return error**2 / 2 if error <= 1 else error - mpmath.mpf(1) / 2


# name, the definition for one number, the kind of predictions, the kind of targets
DEFINITIONS = [
    ("mse_loss", lambda p, t: (p - t) ** 2, reals, reals),
    ("l1_loss", lambda p, t: abs(p - t), reals, reals),
    ("huber_loss", huber, reals, reals),
    ("hinge_loss", lambda p, t: max(mpmath.mpf(0), 1 - t * p), reals, st.sampled_from([-1, 1])),
    ("binary_cross_entropy", bernoulli_loss, inner_shares, shares),
    ("binary_cross_entropy_with_logits", lambda z, t: bernoulli_loss(1 / (1 + mpmath.exp(-z)), t), reals, shares),
    ("kl_div", lambda q, t: t * (mpmath.log(t) - q), reals, inner_shares),
]


@pytest.mark.parametrize(("name", "definition", "prediction", "target"), DEFINITIONS, ids=[d[0] for d in DEFINITIONS])
@settings(max_examples=60)  # each is an evaluation and a numerical derivative with 50 digits
@given(draws=st.data())
def test_a_loss_of_numbers_is_its_definition(name, definition, prediction, target, draws):
    p, t = draws.draw(prediction), draws.draw(target)
    if name in ("l1_loss", "huber_loss", "hinge_loss") and min(abs(abs(p - t) - k) for k in (0, 1)) < 1e-5:
        reject()  # a kink has no derivative to compare with; the special points are below
    loss, gradient = loss_and_gradients(getattr(nn, name), p, t)
    exact, slope = mpmath.mpf(p), mpmath.diff(lambda x: definition(x, mpmath.mpf(t)), p, h=mpmath.mpf(10) ** -15)
    # abs: 1e-15 times the largest term, where terms of opposite sign nearly cancel
    assert loss == pytest.approx(float(definition(exact, mpmath.mpf(t))), rel=1e-13, abs=1e-13)
    assert gradient == pytest.approx(float(slope), rel=1e-12, abs=1e-12)


def log_softmax(logits):
    total = mpmath.log(sum(mpmath.exp(z) for z in logits))
    return [z - total for z in logits]


rows = st.lists(reals, min_size=1, max_size=6)


@settings(max_examples=60)
@given(rows, st.data(), st.floats(0.0, 1.0).map(lambda x: round(x, 3)))
def test_cross_entropy_of_a_class_is_its_definition(logits, draws, smoothing):
    label = draws.draw(st.integers(0, len(logits) - 1))

    def definition(*z):
        logs = log_softmax(z)
        return -(1 - mpmath.mpf(smoothing)) * logs[label] - mpmath.mpf(smoothing) / len(z) * sum(logs)

    check_row(logits, definition, label, label_smoothing=smoothing)


@settings(max_examples=60)
@given(st.lists(st.tuples(reals, st.integers(0, 9)), min_size=2, max_size=6).filter(lambda r: any(n for _, n in r)))
def test_cross_entropy_of_probabilities_is_its_definition(pairs):
    logits, total = [z for z, _ in pairs], sum(n for _, n in pairs)
    wanted = [n / total for _, n in pairs]
    check_row(logits, lambda *z: -sum(p * q for p, q in zip(wanted, log_softmax(z), strict=True)), wanted)


def check_row(logits, definition, target, **options):
    loss, gradients = loss_and_gradients(cross_entropy, logits, target, **options)
    exact = [mpmath.mpf(z) for z in logits]
    assert loss == pytest.approx(float(definition(*exact)), rel=1e-13, abs=1e-13)
    for k, gradient in enumerate(gradients):
        direction = tuple(int(k == i) for i in range(len(logits)))
        slope = mpmath.diff(definition, exact, direction, h=mpmath.mpf(10) ** -15)
        assert gradient == pytest.approx(float(slope), rel=1e-12, abs=1e-12)


@given(rows.filter(lambda row: len(row) > 1), st.data())
def test_cross_entropy_is_nll_loss_of_log_softmax(logits, draws):
    label = draws.draw(st.integers(0, len(logits) - 1))
    assert cross_entropy(logits, label) == nll_loss(nn.LogSoftmax()(logits), label)


# One example, a batch, and the reductions

PAIRED = {
    "mse_loss": ([0.5, -2.0], [0.25, 1.0]),
    "l1_loss": ([0.5, -2.0], [0.25, 1.0]),
    "huber_loss": ([0.5, -2.0], [0.25, 1.0]),
    "hinge_loss": ([0.5, -2.0], [1, -1]),
    "binary_cross_entropy": ([0.5, 0.25], [1, 0.0]),
    "binary_cross_entropy_with_logits": ([0.5, -2.0], [1, 0.25]),
    "kl_div": ([-0.5, -2.0], [0.75, 0.25]),
}


@pytest.mark.parametrize("name", PAIRED)
def test_a_batch_is_reduced_over_all_its_numbers(name):
    loss = getattr(nn, name)
    p, t = PAIRED[name]
    terms = [loss(a, b) for a, b in zip(p, t, strict=True)]
    assert data(loss(p, t, reduction="none")) == terms
    assert_close_ulp(loss(p, t), sum(terms) / 2, ulp=1)
    assert_close_ulp(loss([p, p], [t, t], reduction="sum"), 2 * sum(terms), ulp=1)
    assert_close_ulp(loss([p, p], [t, t]), sum(terms) / 2, ulp=1)
    assert loss([p, p], [t, t], reduction="none") == terms * 2
    assert_close_ulp(loss(np.array([p]), np.array([t])), sum(terms) / 2, ulp=1)


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss])
def test_a_batch_of_rows_is_reduced_over_its_examples(loss):
    batch, classes = [[0.5, -2.0, 1.0], [1.0, 1.0, 0.0]], [2, 0]
    terms = [loss(row, c) for row, c in zip(batch, classes, strict=True)]
    assert loss(batch, classes, reduction="none") == terms
    assert_close_ulp(loss(batch, classes, reduction="sum"), sum(terms), ulp=1)
    assert_close_ulp(loss(batch, classes), sum(terms) / 2, ulp=1)
    assert_close_ulp(loss(np.array(batch), np.array(classes)), sum(terms) / 2, ulp=1)
    assert loss(batch[0], 2, reduction="none") == terms[:1]


def test_batchmean_divides_by_the_examples_and_not_by_the_numbers():
    q, t = [[-1.0, -2.0], [-0.5, -1.5]], [[0.5, 0.5], [1.0, 0.0]]
    total = kl_div(q, t, reduction="sum")
    assert kl_div(q, t, reduction="batchmean") == total / 2
    assert kl_div(q, t) == total / 4
    assert kl_div(q[0], t[0], reduction="batchmean") == kl_div(q[0], t[0], reduction="sum")


@pytest.mark.parametrize("name", PAIRED)
def test_plain_numbers_give_a_float_and_values_a_value(name):
    p, t = PAIRED[name]
    assert type(getattr(nn, name)(p, t)) is float
    assert type(getattr(nn, name)(values(p), t)) is Value


def test_classes_may_be_whole_floats_bools_and_numpy_integers():
    for label in (1, 1.0, True, np.int64(1), np.float64(1.0), np.float32(1.0)):
        assert cross_entropy([0.0, 1.0], label) == cross_entropy([0.0, 1.0], 1)


def test_a_one_hot_target_is_the_class():
    z = [0.3, -1.0, 2.0]
    assert cross_entropy(z, [0.0, 0.0, 1.0]) == cross_entropy(z, 2)


# Special points


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "value", "slope"),
    [
        (mse_loss, 2.0, 2.0, 0.0, 0.0),
        (mse_loss, 1e200, 0.0, INF, 2e200),
        (l1_loss, 2.0, 2.0, 0.0, 0.0),
        (l1_loss, -INF, 0.0, INF, -1.0),
        (huber_loss, 1.0, 0.0, 0.5, 1.0),
        (huber_loss, -1.0, 0.0, 0.5, -1.0),
        (huber_loss, 0.0, 0.0, 0.0, 0.0),
        (huber_loss, INF, 0.0, INF, 1.0),
        (hinge_loss, 1.0, 1, 0.0, 0.0),
        (hinge_loss, 0.0, -1, 1.0, 1.0),
        (binary_cross_entropy, 0.0, 0, 0.0, 1.0),
        (binary_cross_entropy, 1.0, 1, 0.0, -1.0),
        (binary_cross_entropy, 0.0, 1, INF, -INF),
        (binary_cross_entropy, 1e-20, 0, 1e-20, 1.0),  # where 1 - p rounds to 1
        (binary_cross_entropy, 1.0, 0, INF, INF),
        (binary_cross_entropy_with_logits, 1000.0, 1, 0.0, 0.0),
        (binary_cross_entropy_with_logits, 1000.0, 0, 1000.0, 1.0),
        (binary_cross_entropy_with_logits, -1000.0, 1, 1000.0, -1.0),
        (binary_cross_entropy_with_logits, -1e308, 0.5, 5e307, -0.5),
        (binary_cross_entropy_with_logits, -INF, 0, 0.0, 0.0),
        (binary_cross_entropy_with_logits, 0.0, 0.5, math.log(2.0), 0.0),
        (kl_div, -INF, 0.0, 0.0, 0.0),
        (kl_div, -1.0, 0.0, 0.0, 0.0),
        (kl_div, 0.0, 1, 0.0, -1.0),
    ],
)
def test_special_points_of_a_number(loss, prediction, target, value, slope):
    assert loss_and_gradients(loss, prediction, target) == (value, slope)


@pytest.mark.parametrize(
    ("logits", "target", "options", "value", "slopes"),
    [
        ([1000.0, 0.0], 0, {}, 0.0, [0.0, 0.0]),
        ([1000.0, 0.0], 1, {}, 1000.0, [1.0, -1.0]),
        ([-1e308, 1e308], 0, {}, INF, [-1.0, 1.0]),
        ([-INF, 0.0], 1, {}, 0.0, [0.0, 0.0]),
        ([-INF, 0.0], 0, {}, INF, [-1.0, 1.0]),
        ([-INF, 0.0], [0.0, 1.0], {}, 0.0, [0.0, 0.0]),
        ([7.0], 0, {}, 0.0, [0.0]),
        ([0.0, 0.0], 0, {"label_smoothing": 1.0}, math.log(2.0), [0.0, 0.0]),
        ([1000.0, 0.0], 0, {"label_smoothing": 0.5}, 250.0, [0.25, -0.25]),
    ],
)
def test_special_points_of_cross_entropy(logits, target, options, value, slopes):
    loss, gradients = loss_and_gradients(cross_entropy, logits, target, **options)
    assert_close_ulp(loss, value, ulp=1)
    assert_close_ulp(gradients, slopes, ulp=1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=5), st.floats(-1e6, 1e6))
@example([0.0, 1.0], 1e6)
def test_cross_entropy_does_not_change_when_all_logits_are_shifted(logits, shift):
    shifted = [z + shift for z in logits]
    # Adding the shift rounds each logit, by at most 1e-9 where numbers are about 2e6.
    assert cross_entropy(shifted, 0) == pytest.approx(cross_entropy(logits, 0), rel=1e-12, abs=1e-8)


@given(rows, st.data())
def test_the_gradient_of_cross_entropy_sums_to_zero(logits, draws):
    label = draws.draw(st.integers(0, len(logits) - 1))
    _, gradients = loss_and_gradients(cross_entropy, logits, label)
    assert math.fsum(gradients) == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize("name", PAIRED)
def test_nan_in_a_prediction_is_nan_in_the_loss(name):
    _, t = PAIRED[name]
    assert math.isnan(getattr(nn, name)([math.nan, 0.5], t))


def test_the_largest_delta_makes_huber_half_the_square():
    assert huber_loss(3.0, 0.0, delta=INF) == 4.5


# Bad input


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: mse_loss([1.0, 2.0], [1.0]), r"mse_loss takes a target for each prediction; got shapes \(2,\) and"),
        (lambda: mse_loss([1.0], 1.0), r"got shapes \(1,\) and \(\)"),
        (lambda: mse_loss([1.0], [[1.0]]), r"got shapes \(1,\) and \(1, 1\)"),
        (lambda: mse_loss([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0, 4.0]]), "rows of unequal length"),
        (lambda: l1_loss([[1.0, 2], [3.0], [4.0, 5, 6]], [[1.0, 2], [3.0, 4], [5.0, 6]]), "rows of unequal length"),
        (lambda: l1_loss([], []), "l1_loss needs at least one prediction; got an empty list"),
        (lambda: cross_entropy([], []), "cross_entropy needs at least one prediction; got an empty list"),
        (lambda: huber_loss(1.0, 2.0, delta=0.0), "huber_loss takes a positive delta; got 0.0"),
        (lambda: huber_loss(1.0, 2.0, delta=math.nan), "huber_loss takes a positive delta; got nan"),
        (lambda: hinge_loss([1.0], [0]), "hinge_loss takes targets -1 and 1; got 0"),
        (lambda: binary_cross_entropy([1.5], [1]), "probabilities from 0 to 1; got 1.5: for logits, use"),
        (lambda: binary_cross_entropy(values([-0.5]), [1]), "probabilities from 0 to 1; got -0.5"),
        (lambda: binary_cross_entropy([0.5], [2]), "binary_cross_entropy takes targets from 0 to 1; got 2"),
        (lambda: binary_cross_entropy_with_logits([0.5], [-1]), "takes targets from 0 to 1; got -1"),
        (lambda: binary_cross_entropy_with_logits([0.5], [math.nan]), "takes targets from 0 to 1; got nan"),
        (lambda: kl_div([-1.0], [1.5]), "kl_div takes targets from 0 to 1; got 1.5"),
        (lambda: cross_entropy([0.0, 0.0], 2), "label 2 is out of range: with 2 outputs the classes are 0 to 1"),
        (lambda: cross_entropy([0.0, 0.0], -1), "label -1 is out of range"),
        (lambda: cross_entropy([[0.0, 0.0]], [2], label_smoothing=0.1), "label 2 is out of range"),
        (lambda: nll_loss([0.0, 0.0], 2), "label 2 is out of range"),
        (lambda: cross_entropy([0.0, 0.0], 0.5), "label is a whole number from 0 to 1; got 0.5"),
        (lambda: cross_entropy([0.0, 0.0], "cat"), "label is a whole number from 0 to 1; got 'cat'"),
        (lambda: cross_entropy([0.0, 0.0], math.nan), "label is a whole number from 0 to 1; got nan"),
        (lambda: cross_entropy([0.0, 0.0], [0.5, 0.25, 0.25]), "has one for each class; got 3 for 2 outputs"),
        (lambda: cross_entropy([[0.0, 0.0]], [0, 1]), "a target for each example; got 1 examples and 2 targets"),
        (lambda: cross_entropy([[0.0, 0.0]], 0), "a target for each example; got 1 examples and 1 targets"),
        (lambda: cross_entropy(Value(1.0), 0), "a number for each class; got the single output Value"),
        (lambda: cross_entropy([0.0, 0.0], 0, label_smoothing=1.5), "a share from 0.0 to 1.0; got 1.5"),
        *(
            (lambda name=name: getattr(nn, name)(*PAIRED[name], reduction="avg"), 'reduction takes "mean", "sum" or')
            for name in PAIRED
        ),
        (lambda: cross_entropy([0.0, 0.0], 0, reduction="avg"), 'reduction takes "mean", "sum" or "none"; got .avg'),
        (lambda: nll_loss([[0.0, 0.0]], [0], reduction=None), "reduction takes"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: mse_loss(["a"], ["b"]), "mse_loss takes numbers; got the prediction 'a' and the target 'b'"),
        (lambda: l1_loss([1.0], [None]), "l1_loss takes numbers; got the prediction 1.0 and the target None"),
        (lambda: hinge_loss(1j, 1), "hinge_loss takes numbers; got the prediction 1j"),
        (lambda: huber_loss(1.0, 2.0, delta="a"), r"delta takes a real number; got 'a' \(str\)"),
        (lambda: cross_entropy([0.0, 0.0], 0, label_smoothing="a"), "label_smoothing takes a real number; got 'a'"),
    ],
)
def test_what_is_no_number_is_refused_with_a_sentence(make, sentence):
    with pytest.raises(TypeError, match=sentence):
        make()
