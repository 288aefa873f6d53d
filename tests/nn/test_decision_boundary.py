"""Does the picture of a decision boundary show what the model says, and leave the model alone?"""

import math
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import nn
from nn import MLP, Layer, Module, Sequential, Sigmoid, plot_decision_boundary
from nn.datasets import make_moons, make_spirals
from nn.plots import COLOURS, MARKERS

X, Y = make_moons(40, noise=0.1, rng=random.Random(0))


class Formula(Module):
    """A model that is a formula of x0 and x1."""

    def __init__(self, formula):
        self.formula = formula

    def forward(self, row):
        return self.formula(*row)


def axes():
    return Figure(figsize=(4.0, 3.0), dpi=50).subplots()


def drawn(ax):
    """The picture, so that what matplotlib does only when it paints is tested too."""
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] / 255.0


def colour_at(ax, x0, x1):
    image = drawn(ax)
    column, row = ax.transData.transform((x0, x1))
    return image[image.shape[0] - 1 - int(row), int(column)]


def lines_of(ax):
    """The points of the boundary lines: contours of one level, at 0."""
    contours = [c for c in ax.collections if hasattr(c, "levels") and list(c.levels) == [0.0]]
    return [
        segment
        for contour in contours
        for path in contour.get_paths()
        for segment in path.to_polygons(closed_only=False)
    ]


def nearest_class(colour, count):
    """The class whose colour is most like this one, by direction from white."""
    distances = [np.linalg.norm((1 - colour) / np.linalg.norm(1 - colour) - _direction(k)) for k in range(count)]
    return int(np.argmin(distances))


def _direction(k):
    away = 1 - np.array(to_rgb(COLOURS[k]))
    return away / np.linalg.norm(away)


SQUARE = [[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]]


def test_a_single_score_colours_the_plane_by_its_sign():
    ax = plot_decision_boundary(Formula(lambda x0, x1: [5.0 * x0]), SQUARE, [0, 1, 0, 1], ax=axes())
    assert nearest_class(colour_at(ax, -0.8, 0.5), 2) == 0
    assert nearest_class(colour_at(ax, 0.8, 0.5), 2) == 1


def test_the_line_is_where_the_score_is_zero():
    model = Formula(lambda x0, x1: [x0 - 0.3 * x1 - 0.2])
    points = np.concatenate(lines_of(plot_decision_boundary(model, SQUARE, [0, 1, 0, 1], ax=axes())))
    assert len(points) > 10
    assert np.abs(points[:, 0] - 0.3 * points[:, 1] - 0.2).max() < 1e-9


@pytest.mark.parametrize(
    "model",
    [
        Sequential(Layer(2, 1, activation="sigmoid")),
        Sequential(Layer(2, 1, activation="linear"), Sigmoid()),
    ],
)
def test_probabilities_have_their_line_at_a_half(model):
    neuron = model.layers[0].neurons[0]
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 4.0, 0.0, 1.0
    ax = plot_decision_boundary(model, SQUARE, [0, 1, 0, 1], ax=axes())
    assert np.concatenate(lines_of(ax))[:, 0] == pytest.approx(-0.25, abs=1e-3)
    assert nearest_class(colour_at(ax, -0.8, 0.5), 2) == 0
    assert nearest_class(colour_at(ax, 0.8, 0.5), 2) == 1


def test_the_boundary_may_be_given():
    ax = plot_decision_boundary(Formula(lambda x0, x1: [x0]), SQUARE, [0, 1, 0, 1], boundary=0.5, ax=axes())
    assert np.concatenate(lines_of(ax))[:, 0] == pytest.approx(0.5)


def test_several_outputs_colour_the_plane_by_the_largest():
    model = Formula(lambda x0, x1: [-x0, x0 + x1, x0 - x1])
    ax = plot_decision_boundary(model, SQUARE, [0, 1, 2, 2], ax=axes())
    for point, expected in (((-0.8, 0.2), 0), ((0.7, 0.8), 1), ((0.7, -0.8), 2)):
        assert nearest_class(colour_at(ax, *point), 3) == expected
    for x0, x1 in np.concatenate(lines_of(ax)):
        first, second, _ = sorted((-x0, x0 + x1, x0 - x1), reverse=True)
        assert first - second < 0.05  # two classes are level there


def test_a_model_that_chooses_one_class_everywhere_has_no_line():
    for outputs in ([3.0], [1.0, 2.0, 0.0]):
        ax = plot_decision_boundary(Formula(lambda x0, x1, outputs=outputs: outputs), SQUARE, [0, 1, 0, 1], ax=axes())
        drawn(ax)
        assert lines_of(ax) == []


@pytest.mark.parametrize("strange", [math.nan, math.inf, -math.inf, 1e308])
def test_nan_inf_and_huge_scores_are_drawn_without_a_warning(strange):
    for model in (
        Formula(lambda x0, x1: [strange]),
        Formula(lambda x0, x1: [strange if x0 > 0.0 else x0]),
        Formula(lambda x0, x1: [strange, x0, x1]),
        Formula(lambda x0, x1: [strange, -strange, strange]),
    ):
        drawn(plot_decision_boundary(model, SQUARE, [0, 1, 0, 1], steps=10, ax=axes()))


def test_where_the_model_says_nan_the_plane_is_white():
    ax = plot_decision_boundary(
        Formula(lambda x0, x1: [math.nan if x0 > 0.0 else -3.0]), SQUARE, [0, 1, 0, 1], ax=axes()
    )
    assert colour_at(ax, 0.6, 0.3) == pytest.approx(1.0)
    assert nearest_class(colour_at(ax, -0.6, 0.3), 2) == 0


def test_every_point_lies_inside_the_picture_with_the_marker_of_its_class():
    points, classes = make_spirals(30, n_classes=3, rng=random.Random(0))
    ax = plot_decision_boundary(MLP(2, [3]), points, classes, steps=5, ax=axes())
    groups = [c for c in ax.collections if c.get_label().startswith("class")]
    assert [g.get_label() for g in groups] == ["class 0", "class 1", "class 2"]
    assert len({g.get_paths()[0].vertices.tobytes() for g in groups}) == 3
    for k, group in enumerate(groups):
        assert sorted(map(tuple, group.get_offsets())) == sorted(
            tuple(p) for p, c in zip(points, classes, strict=True) if c == k
        )
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert all(left < x0 < right and bottom < x1 < top for x0, x1 in points)


def test_no_two_of_56_classes_look_alike():
    assert math.gcd(len(COLOURS), len(MARKERS)) == 1


@pytest.mark.parametrize("classes", [[-1, 1] * 20, [0, 1] * 20, [1] * 40, [True, False] * 20, [-1.0, 1.0] * 20])
def test_two_classes_may_be_written_in_any_usual_way(classes):
    drawn(plot_decision_boundary(MLP(2, [1]), X, classes, steps=5, ax=axes()))


def test_lists_arrays_and_data_frames_give_the_same_picture():
    model = MLP(2, [4, 1], rng=random.Random(0))
    frame = pd.DataFrame(X, columns=["width", "height"])
    pictures = []
    for points, classes in ((X, Y), (np.array(X), np.array(Y)), (frame, pd.Series(Y))):
        ax = plot_decision_boundary(model, points, classes, steps=10, ax=axes())
        assert (ax.get_xlabel(), ax.get_ylabel()) == (("width", "height") if points is frame else ("x0", "x1"))
        ax.set(xlabel="", ylabel="")
        pictures.append(drawn(ax))
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_its_mode_and_its_gradients_stay_as_they_are(training):
    model = MLP(2, [8, 1], dropout=0.5, rng=random.Random(0))
    nn.mse_loss(model(X), Y).backward()
    model.train(training)
    model.layers[0].training = not training  # a part may be frozen on purpose
    before = [(p.data, p.grad) for p in model.parameters()], [m.training for m in model.modules()]
    plot_decision_boundary(model, X, Y, steps=5, ax=axes())
    assert before == ([(p.data, p.grad) for p in model.parameters()], [m.training for m in model.modules()])


def test_the_same_model_gives_the_same_picture_whatever_its_mode():
    model = MLP(2, [8, 1], dropout=0.5, rng=random.Random(0))
    one, other = (drawn(plot_decision_boundary(model.train(mode), X, Y, steps=10, ax=axes())) for mode in (True, False))
    assert np.array_equal(one, other)


def test_a_single_point_has_a_plane_around_it():
    ax = plot_decision_boundary(MLP(2, [1]), [[5.0, -1e6]], [1], steps=5, ax=axes())
    assert ax.get_xlim()[0] < 5.0 < ax.get_xlim()[1]
    assert ax.get_ylim()[0] < -1e6 < ax.get_ylim()[1]


def test_without_axes_there_is_a_new_figure_with_a_legend():
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    first, second = (plot_decision_boundary(MLP(2, [1]), X, Y, steps=5) for _ in range(2))
    assert first.figure is not second.figure
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["class 0", "class 1"]
    pyplot.close("all")


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((MLP(2, [1]), [[1.0, 2.0, 3.0]], [0]), {}, ValueError, "X takes rows of 2 numbers; got rows of 3"),
        ((MLP(2, [1]), [1.0, 2.0], [0, 1]), {}, ValueError, "X takes a list of rows"),
        ((MLP(2, [1]), [], []), {}, ValueError, "at least one point"),
        ((MLP(2, [1]), [[1.0, math.nan]], [0]), {}, ValueError, r"X\[0\]\[1\] .* is nan"),
        ((MLP(2, [1]), X, Y[:-1]), {}, ValueError, "X has 40 rows but y has 39 targets"),
        ((MLP(3, [1]), X, Y), {}, ValueError, "takes 3 inputs; got an example of 2"),
        ((MLP(2, [1]), X, [2] * 40), {}, ValueError, r"the classes 0 and 1 for a model of one output; y\[0\] is 2"),
        ((MLP(2, [1]), X, [-1, 0] * 20), {}, ValueError, r"the classes -1 and 1 .*; y\[1\] is 0"),
        (
            (MLP(2, [2]), X, [0, 0.5] * 20),
            {},
            ValueError,
            r"the classes 0 and 1 for a model of 2 outputs; y\[1\] is 0.5",
        ),
        ((MLP(2, [3]), X, [3] * 40), {}, ValueError, r"the classes 0 to 2 for a model of 3 outputs; y\[0\] is 3"),
        ((MLP(2, [2]), X, [[0, 1]] * 40), {}, ValueError, r"y\[0\] is \[0.0, 1.0\]"),
        ((MLP(2, [2]), X, ["a"] * 40), {}, TypeError, "number the classes first"),
        ((abs, X, Y), {}, TypeError, "plot_decision_boundary takes a Module"),
        ((MLP(2, [1]), X, Y), {"steps": 1}, ValueError, "steps takes a whole number of at least 2; got 1"),
        ((MLP(2, [1]), X, Y), {"steps": 2.5}, TypeError, "steps takes a whole number; got 2.5"),
        ((MLP(2, [1]), X, Y), {"ax": "here"}, TypeError, "ax takes matplotlib axes"),
    ],
)
def test_what_does_not_fit_is_an_error_in_a_sentence(arguments, options, error, message):
    with pytest.raises(error, match=message):
        plot_decision_boundary(*arguments, **options)


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"needs matplotlib: pip install 'scalar-autograd\[notebooks\]'"):
        plot_decision_boundary(MLP(2, [1]), X, Y, steps=2)


def test_importing_nn_loads_no_matplotlib():
    program = "import sys, nn; nn.plot_decision_boundary; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_picture_evaluates_the_model_once_at_each_point_of_its_grid():
    asked = []

    class Watched(MLP):
        def forward_batch(self, rows):
            asked.extend(map(tuple, rows))
            return super().forward_batch(rows)

    drawn(plot_decision_boundary(Watched(2, [16, 16, 1]), X, Y, steps=20, ax=axes()))
    assert len(asked) == len(set(asked)) == 20 * 20
