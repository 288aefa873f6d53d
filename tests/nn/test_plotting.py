"""Can the pictures of predictions be read: nothing overlaps, and nothing is lost?"""

import io
import random
from itertools import pairwise

import numpy as np
import pytest

import nn
from nn import plot_confusion, plot_predictions

pytest.importorskip("matplotlib")
LONG = "a species whose name is much longer than any column"


def confused(classes, examples):
    """Predicted and true classes, a fifth of them wrong."""
    draw = random.Random(classes)
    truth = [*range(classes), *(draw.randrange(classes) for _ in range(examples))]
    return [t if draw.random() < 0.8 else draw.randrange(classes) for t in truth], truth


def texts(ax):
    return [text.get_text() for text in ax.texts]


def overlapping(labels, figure):
    """The first two neighbours among the labels whose texts lie on each other."""
    boxes = [label.get_window_extent(figure.canvas.get_renderer()) for label in labels if label.get_text()]
    return next(((a, b) for a, b in pairwise(boxes) if a.overlaps(b)), None)


def drawn(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).draw()
    return figure


@pytest.mark.parametrize(
    ("classes", "names"),
    [(2, None), (2, [LONG, LONG]), (10, None), (10, [f"{LONG} {i}" for i in range(10)]), (30, [LONG] * 30)],
)
def test_names_and_counts_of_any_number_of_classes_do_not_overlap(classes, names):
    figure = drawn(plot_confusion(*confused(classes, 40_000 if classes < 30 else 20_000), names=names))
    ax = figure.axes[0]
    for labels in ax.get_xticklabels(), ax.get_yticklabels():
        assert len(labels) == classes
        assert overlapping(labels, figure) is None
    assert overlapping(ax.texts, figure) is None
    width, height = figure.canvas.get_width_height()
    for label in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label, ax.title):
        box = label.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= width
        assert 0 <= box.y0 <= box.y1 <= height


def test_each_row_has_the_examples_of_a_class_and_each_column_what_was_predicted():
    ax = plot_confusion(["dog", "cat", "dog"], ["cat", "cat", "dog"]).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog"]
    places = {tuple(map(round, text.get_position())): text.get_text() for text in ax.texts}
    assert places == {(0, 0): "1", (1, 0): "1", (1, 1): "1"}  # (column, row): a cat was taken for a dog
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("predicted class", "true class", "66.7 % right")


def test_outputs_of_a_model_and_a_matrix_show_the_same():
    outputs, targets = [[0.2, 0.8], [0.9, 0.1], [0.3, 0.7]], [1, 0, 0]
    by_outputs = plot_confusion(outputs, targets, loss="cross_entropy").axes[0]
    by_matrix = plot_confusion(nn.metrics.confusion_matrix(outputs, targets)).axes[0]
    assert texts(by_outputs) == texts(by_matrix) == ["1", "1", "1"]
    assert texts(plot_confusion(np.array([[3, 0], [0, 0]])).axes[0]) == ["3"]


def test_dollars_in_names_are_no_formulas():
    drawn(plot_confusion([0, 1], [0, 1], names=["$", "10^$ {"]))


def test_the_same_predictions_give_the_same_picture():
    def png(make):
        figure, file = make(), io.BytesIO()
        figure.savefig(file, format="png", dpi=40)
        return file.getvalue()

    for make in (lambda: plot_confusion(*confused(3, 50))), (lambda: plot_predictions([1.0, 2.0], [1.5, 2.0])):
        assert png(make) == png(make)


def test_each_target_has_its_points_and_its_errors():
    predictions, targets = np.array([[1.0, 10.0], [2.0, 30.0]]), [[1.5, 10.0], [2.0, 20.0]]
    axes = plot_predictions(predictions, targets, names=["height", "weight"]).axes
    assert [ax.get_ylabel() for ax in axes[::2]] == ["predicted height", "predicted weight"]
    assert axes[2].lines[1].get_xydata().tolist() == [[10.0, 10.0], [20.0, 30.0]]
    assert axes[3].lines[1].get_xydata().tolist() == [[10.0, 0.0], [30.0, 10.0]]
    assert axes[2].get_title() == "R2 -1.000, mean absolute error 5"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: plot_confusion([1], [1, 0]), "takes a target for each prediction; got 2 for 1"),
        (lambda: plot_confusion([], []), "needs at least one example; got none"),
        (lambda: plot_confusion([0.5], [1], loss="mse_loss"), "takes classes, such as 0 and 1 or text"),
        (lambda: plot_confusion([[1, 2, 3]]), "predictions and targets, or a square matrix of counts alone; got"),
        (lambda: plot_confusion([[1, -2], [3, 4]]), "or a square matrix of counts alone; got"),
        (lambda: plot_confusion([1, 0], [1, 0], names=["a"]), r"names takes one for each of 2; got 1: \['a'\]"),
        (lambda: plot_predictions([1.0], [1.0, 2.0]), "X has 1 row but y has 2 targets"),
        (lambda: plot_predictions([], []), "plot_predictions needs at least one example; got none"),
        (
            lambda: plot_predictions([[1.0, 2.0]], [1.0]),
            "as many numbers for each example as it has targets; got 2 for 1",
        ),
        (lambda: plot_predictions([float("nan")], [1.0]), r"predictions\[0\]\[0\] .* is nan, not a finite number"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


# A model in place of predictions


def shown(figure):
    """The texts and points in a figure."""
    return [[*texts(ax), *(line.get_xydata().tolist() for line in ax.lines)] for ax in figure.axes]


def test_a_model_or_an_estimator_is_asked_itself():
    rng = random.Random(0)
    X = [[rng.gauss(0.0, 1.0), rng.gauss(0.0, 1.0)] for _ in range(40)]
    labels, sizes = ["up" if a > b else "low" for a, b in X], [a - b for a, b in X]
    y = [int(a > b) for a, b in X]
    model, scores = nn.MLP(2, [3, 2], rng=0), nn.MLP(2, [3, 1], rng=0)
    two_classes = "binary_cross_entropy_with_logits"
    classifier = nn.Classifier(epochs=3, random_state=0).fit(X, labels)
    regressor = nn.Regressor(epochs=3, random_state=0).fit(X, sizes)
    table = nn.Table({"a": [a for a, _ in X], "b": [b for _, b in X], "way": labels})
    named = nn.Classifier(epochs=3, random_state=0).fit(table, "way")
    pairs = [
        (plot_confusion(model, X, y), plot_confusion(nn.predict(model, X), y)),
        (plot_confusion(scores, X, y, loss=two_classes), plot_confusion(nn.predict(scores, X), y, loss=two_classes)),
        (plot_confusion(classifier, X, labels), plot_confusion(classifier.predict(X), labels)),
        (plot_confusion(named, table, "way"), plot_confusion(named.predict(table), labels)),
        (plot_predictions(regressor, X, sizes), plot_predictions(regressor.predict(X), sizes)),
        (plot_predictions(scores, X, sizes), plot_predictions(nn.predict(scores, X), sizes)),
    ]
    for asked, from_predictions in pairs:
        assert shown(asked) == shown(from_predictions) != []


@pytest.mark.parametrize("draw", [plot_confusion, plot_predictions])
def test_a_model_needs_examples_and_targets(draw):
    with pytest.raises(TypeError, match=r"takes \(predictions, targets\), or \(model, X, y\); got MLP with X and no y"):
        draw(nn.MLP(1, [2]), [[1.0]])
    with pytest.raises(TypeError, match=r"or \(model, X, y\); got \[1, 0\] with X and y"):
        draw([1, 0], [1, 0], [1, 0])
