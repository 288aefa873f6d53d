"""Are the metrics right? By scikit-learn, for lists and arrays alike, and at special points."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import nn
from autograd import Value
from nn import metrics
from nn.metrics import (
    METRICS,
    accuracy,
    chosen_classes,
    confusion_matrix,
    f1_score,
    mean_absolute_error,
    mean_squared_error,
    precision,
    r2_score,
    recall,
)

WEIGHTS = st.floats(0.0, 10.0)
LABELS = st.one_of(
    st.just(st.integers(-1, 3)), st.just(st.sampled_from(["cat", "dog", "a tern"])), st.just(st.booleans())
)


def as_array(values):
    return None if values is None else np.array(values)


@st.composite
def classified(draw):
    """Predicted classes, true ones, and weights or None; a weight of at least one example is above 0."""
    labels = draw(LABELS)
    count = draw(st.integers(1, 12))
    lists = [draw(st.lists(labels, min_size=count, max_size=count)) for _ in range(2)]
    weights = draw(st.none() | st.lists(WEIGHTS, min_size=count, max_size=count).filter(lambda w: sum(w) > 1e-3))
    return *lists, weights


# Against scikit-learn


@pytest.mark.filterwarnings("ignore")
@given(classified())
@example((["cat", "dog"], ["dog", "dog"], None))
@example(([1, 1], [0, 0], None))
@settings(max_examples=30)
def test_figures_of_classes_are_those_of_scikit_learn(case):
    theirs = pytest.importorskip("sklearn.metrics")
    chosen, truth, weights = case
    share = theirs.accuracy_score(truth, chosen, sample_weight=weights)
    matrix = theirs.confusion_matrix(truth, chosen, sample_weight=weights)
    shares = theirs.precision_recall_fscore_support(truth, chosen, sample_weight=weights, zero_division=0)[:3]
    for make in list, as_array:
        p, t, w = (None if x is None else make(x) for x in case)
        assert accuracy(p, t, sample_weight=w) == pytest.approx(share)
        np.testing.assert_allclose(confusion_matrix(p, t, sample_weight=w), matrix)
        for ours, each in zip((precision, recall, f1_score), shares, strict=True):
            assert ours(p, t, sample_weight=w, average=None) == pytest.approx(each)
            assert ours(p, t, sample_weight=w) == pytest.approx(np.mean(each))


NUMBERS = st.floats(-1e6, 1e6)


@st.composite
def measured(draw):
    """Predictions, targets of the same shape, and weights or None."""
    count, width = draw(st.integers(2, 8)), draw(st.integers(0, 3))
    row = NUMBERS if width == 0 else st.lists(NUMBERS, min_size=width, max_size=width)
    lists = [draw(st.lists(row, min_size=count, max_size=count)) for _ in range(2)]
    weights = draw(st.none() | st.lists(st.floats(0.5, 10.0), min_size=count, max_size=count))
    return *lists, weights


@given(measured())
@example(([1.0, 2.0], [3.0, 3.0], None))
@example(([3.0, 3.0], [3.0, 3.0], None))
@settings(max_examples=30)
def test_figures_of_quantities_are_those_of_scikit_learn(case):
    theirs = pytest.importorskip("sklearn.metrics")
    found, wanted, weights = case
    for name in "mean_absolute_error", "mean_squared_error", "r2_score":
        figure = getattr(theirs, name)(wanted, found, sample_weight=weights)
        for make in list, as_array:
            p, t, w = (None if x is None else make(x) for x in case)
            assert getattr(metrics, name)(p, t, sample_weight=w) == pytest.approx(figure, rel=1e-6, abs=1e-6)


# What a class is


def data(nested):
    """The same numbers, without Values."""
    return [data(x) for x in nested] if isinstance(nested, list) else getattr(nested, "data", nested)


@pytest.mark.parametrize(
    ("predictions", "targets", "loss", "share"),
    [
        ([[0.1, 0.9], [0.8, 0.2], [0.5, 0.4]], [1, 1, 0], nn.cross_entropy, 2 / 3),
        ([[0.1, 0.9], [0.8, 0.2]], [1, 0], None, 1.0),
        ([[Value(0.1), Value(0.9)]], [1.0], nn.cross_entropy, 1.0),
        ([0.2, -0.2], [1, 0], nn.binary_cross_entropy_with_logits, 1.0),
        ([0.6, 0.4], [1, 0], nn.binary_cross_entropy, 1.0),
        ([[0.6], [0.4]], [[1], [0]], "binary_cross_entropy", 1.0),
        ([0.2, -0.2, 3.0], [1, 1, -1], nn.hinge_loss, 1 / 3),
        ([[0.2, -0.2]], [[1.0, 0.0]], nn.cross_entropy, 1.0),
        ([[0.2, -0.2]], [[0.9, 0.1]], nn.cross_entropy, None),
        ([[0.2, 0.5], [1.0, 3.0]], [[1, 1], [0, 1]], nn.binary_cross_entropy_with_logits, None),
        ([0.2, -0.2], [1, 0], nn.mse_loss, None),
        ([[0.2, -0.2]], [[1.0, 0.0]], nn.mse_loss, None),
        ([0.2], [0.5], nn.binary_cross_entropy, None),
        ([0.2, 1.0], [0, 1], lambda p, t: p[0], None),
        ([0.2, 1.0], [0, 1], None, None),
        (["cat", "dog"], ["cat", "cat"], None, 0.5),
        ([], [], nn.cross_entropy, None),
    ],
)
def test_accuracy_is_the_share_that_is_right_and_none_where_there_are_no_classes(predictions, targets, loss, share):
    assert accuracy(predictions, targets, loss) == share
    if "cat" not in targets:
        assert accuracy(np.array(data(predictions), float), np.array(targets, float), loss) == share


def test_losses_with_other_options_choose_the_same_classes():
    from functools import partial

    smooth = partial(nn.binary_cross_entropy_with_logits, reduction="sum")
    assert chosen_classes([0.2, -0.2], smooth) == [1, 0]
    assert chosen_classes(np.array([0.2, -0.2]), smooth).tolist() == [1, 0]
    assert chosen_classes(np.array([0.2, -0.2]), "hinge_loss").tolist() == [1, -1]


def test_every_class_counts_the_same_in_the_mean():
    outputs, targets = [[1.0, 0.0, 0.0]] * 9 + [[0.0, 1.0, 0.0]], [0] * 8 + [1, 2]
    assert recall(outputs, targets, "cross_entropy", average=None) == [1.0, 0.0, 0.0]
    assert recall(outputs, targets, "cross_entropy") == METRICS["recall"](outputs, targets, nn.cross_entropy) == 1 / 3


def test_classes_can_be_named_in_any_order_also_those_that_do_not_occur():
    assert confusion_matrix([2, 0, 2], [2, 2, 0], labels=range(3)) == [[0, 0, 1], [0, 0, 0], [1, 0, 1]]
    assert confusion_matrix([2, 0, 2], [2, 2, 0], labels=[2]) == [[1]]


# Special points


def test_a_diverged_model_has_figures_that_are_not_numbers():
    p, t = [[math.inf, 1.0], [math.nan, 2.0]], [[1.0, 1.0], [2.0, 3.0]]
    for name in "mae", "mse", "r2":
        assert not math.isfinite(METRICS[name](p, t))
        assert not math.isfinite(METRICS[name](np.array(p), np.array(t)))


def test_of_one_example_no_variance_can_be_explained():
    assert math.isnan(r2_score([1.0], [2.0]))
    assert math.isnan(METRICS["r2"]([1.0], [2.0], nn.mse_loss))


def test_predictions_may_be_values():
    assert mean_absolute_error([Value(1.0), Value(3.0)], [0.0, 0.0]) == 2.0
    assert mean_squared_error([[Value(1.0), Value(3.0)]], [[0.0, 0.0]]) == 5.0


def test_frames_are_read_by_their_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"truth": ["a", "b", "b"], "chosen": ["a", "a", "b"]})
    assert confusion_matrix(frame["chosen"], frame["truth"]) == [[1, 0], [1, 1]]
    assert mean_absolute_error(pandas.DataFrame({"p": [1.0, 2.0]}), [1.0, 1.0]) == 0.5


# Bad input


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: accuracy([0.5], [1, 0]), "accuracy takes a target for each prediction; got 2 for 1"),
        (lambda: r2_score([0.5], [1, 0]), "r2_score takes a target for each prediction; got 2 for 1"),
        (lambda: recall([], []), "recall needs at least one example; got none"),
        (lambda: mean_absolute_error([], []), "mean_absolute_error needs at least one example; got none"),
        (lambda: METRICS["accuracy"]([], [], nn.cross_entropy), "accuracy needs at least one example; got none"),
        (lambda: METRICS["accuracy"]([0.5], [0.5], nn.mse_loss), "got 0.5 for the target 0.5 with mse_loss: for quant"),
        (lambda: precision([0.5, 1.5], [0, 1]), "precision takes classes, such as 0 and 1 or text, and the outputs"),
        (lambda: chosen_classes([0.5], "mse_loss"), "stand for no classes where the loss is mse_loss: train with"),
        (lambda: chosen_classes([0.5], "mse"), r"no loss 'mse' \(did you mean 'mse_loss'\?\); choose one of mse_loss"),
        (lambda: recall([1, 2], [1, 2], sample_weight=[1e308, 1e308]), "with a finite sum; got"),
        (lambda: r2_score([[1.0, 2.0, 3.0]], [1]), "got 3 for 1: for classes take accuracy, precision"),
        (lambda: confusion_matrix(["a", 1], [1, 1]), "confusion_matrix takes classes of one kind, all text or all num"),
        (lambda: recall([1], [1], average="micro"), 'average takes "macro", or None for a figure of each class; got'),
        (lambda: recall([1], [1], sample_weight=[1, 2]), "sample_weight takes a number for each example; got 2 for 1"),
        (
            lambda: recall([1], [1], sample_weight=[-1]),
            r"finite numbers of at least 0, and one above it, with a finite sum; got \[-1\]",
        ),
        (lambda: recall([1], [1], sample_weight=[0]), "finite numbers of at least 0, and one above it"),
        (lambda: r2_score([1], [1], sample_weight=[math.nan]), "finite numbers of at least 0, and one above it"),
        (lambda: r2_score(["a", "b"], [1, 2]), r"takes a number, or as many of them, for each example; got \['a', 'b'"),
        (lambda: r2_score([[1, 2], [3, 4]], [1, 2]), "takes as many predictions as targets; got 2 for 1"),
        (lambda: r2_score([[1, 2], [3]], [1, 2]), "takes a number, or as many of them, for each example"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_completion_shows_what_is_for_users():
    assert dir(metrics) == sorted(metrics.__all__)
    assert {"accuracy", "f1_score", "confusion_matrix", "r2_score"} <= set(dir(metrics)) - {"Any", "Counter", "cast"}
