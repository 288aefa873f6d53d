"""Does the summary of a model show what there is, with the right shapes, on 80 columns, and change nothing?"""

import random

import pytest
from hypothesis import given, settings, strategies as st

from autograd import Value
from autograd.terminal import width
from nn import (
    MLP,
    BatchNorm,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Module,
    Neuron,
    ReLU,
    Sequential,
    Softmax,
    Standardize,
    Tanh,
)


class Scaled(Module):
    """A layer of one's own: it adds an output."""

    def __init__(self):
        self.factor = Value(2.0)

    def forward(self, row):
        return [*(self.factor * x for x in row), 1.0]


class Residual(Module):
    """A model of one's own, whose first layer tells how many inputs there are."""

    def __init__(self):
        self.inner = Sequential(Layer(3, 4), Tanh(), Layer(4, 3, activation="linear"))
        self.head = Layer(3, 1, nonlin=False)

    def forward(self, row):
        return self.head([x + y for x, y in zip(row, self.inner(row), strict=True)])


def columns(model, *example):
    """The name and the shape of each line of the summary."""
    lines = model.summary(*example).splitlines()
    starts = [lines[0].index(name) for name in ("kind", "outputs", "parameters")]
    assert len(set(map(len, (lines[0], lines[1])))) == 1
    rows = [line for line in lines[1:] if not line.startswith("---")]
    return [(row[: starts[0]].rstrip(), row[starts[1] : starts[2]].strip()) for row in rows]


def test_layers_stand_in_the_order_in_which_they_are_computed_with_their_total():
    assert MLP(2, [1000, 3], dropout=0.5).summary().splitlines() == [
        "layer       kind                      outputs    parameters",
        "-----------------------------------------------------------",
        "layers.0    Layer(2 -> 1000, relu)    (n, 1000)       3,000",
        "dropouts.0  Dropout                   (n, 1000)           0",
        "layers.1    Layer(1000 -> 3, linear)  (n, 3)          3,003",
        "-----------------------------------------------------------",
        "total       MLP                       (n, 3)          6,003",
    ]


def test_what_is_inside_a_module_is_indented():
    model = Sequential(Embedding(27, 3), Sequential(Layer(9, 16), BatchNorm(16), Tanh()), Dropout(0.1), Layer(16, 27))
    assert columns(model) == [
        ("layers.0", "(n, 9)"),
        ("layers.1", "(n, 16)"),
        ("  layers.0", "(n, 16)"),
        ("  layers.1", "(n, 16)"),
        ("  layers.2", "(n, 16)"),
        ("layers.2", "(n, 16)"),
        ("layers.3", "(n, 27)"),
        ("total", "(n, 27)"),
    ]


def test_shapes_of_ones_own_modules_are_seen_where_the_number_of_inputs_can_be_told():
    assert columns(Residual())[-2:] == [("head", "(n, 1)"), ("total", "(n, 1)")]
    model = Sequential(Scaled(), Layer(4, 2))
    assert columns(model) == [("layers.0", ""), ("layers.1", ""), ("total", "")]
    for example in 3, [1.0, 2.0, 3.0]:
        assert columns(model, example) == [("layers.0", "(n, 4)"), ("layers.1", "(n, 2)"), ("total", "(n, 2)")]


def test_a_forward_that_fails_on_zeros_leaves_the_shapes_blank_unless_an_example_is_given():
    class Inverse(Module):
        def __init__(self):
            self.layer = Layer(2, 3)

        def forward(self, row):
            return self.layer([1.0 / x for x in row])

    assert columns(Inverse()) == [("layer", ""), ("total", "")]
    assert columns(Inverse(), [1.0, 2.0]) == [("layer", "(n, 3)"), ("total", "(n, 3)")]
    with pytest.raises(ZeroDivisionError):
        Inverse().summary(2)
    with pytest.raises(ValueError, match="takes 2 inputs; got an example of 3"):
        Inverse().summary([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="takes an example such as"):
        Inverse().summary("abc")


@pytest.mark.parametrize("model", [Neuron(2), Tanh(), Sequential(), Sequential(MLP(2, [1]), Standardize([0], [1]))])
def test_every_module_has_a_summary(model):
    lines = model.summary().splitlines()
    assert lines[-1].endswith(str(len(model.parameters())))
    assert len(set(map(len, lines))) == 1


def test_a_model_is_as_before():
    model = Sequential(Residual(), Dropout(0.5), BatchNorm(1))
    model.layers[1].eval()
    before = model.state_dict(), [(set(vars(m)) - {"training"}, m.training) for m in model.modules()], random.getstate()
    model.summary()
    with pytest.raises(ValueError, match="takes 3 inputs"):
        model.summary(2)
    assert (
        model.state_dict(),
        [(set(vars(m)) - {"training"}, m.training) for m in model.modules()],
        random.getstate(),
    ) == before


class Nested(Module):
    """Modules under names of any length."""

    def __init__(self, names, parts):
        self.parts = dict(zip(names, parts, strict=True))

    def forward(self, row):
        for part in self.parts.values():
            row = part.forward(row)
        return row


parts = st.recursive(
    st.sampled_from([lambda: Layer(3, 3, rng=0), lambda: LayerNorm(3), ReLU, Softmax, Scaled]).map(lambda make: make()),
    lambda inner: st.builds(
        lambda named: Nested(*map(list, zip(*named.items(), strict=True))),
        st.dictionaries(st.text(min_size=1, max_size=90), inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


@given(parts)
@settings(max_examples=50)
def test_no_line_is_longer_than_80_columns_whatever_the_names(model):
    lines = model.summary().splitlines()
    assert all(width(line) <= 80 for line in lines)
    assert all(line.isprintable() for line in lines)


def test_a_number_of_numpys_and_a_batch_are_examples_too():
    np = pytest.importorskip("numpy")
    model = MLP(3, [4, 2])
    for example in (3, np.int64(3), [0.0] * 3, np.zeros(3), [[0.0] * 3] * 5, np.zeros((5, 3))):
        assert model.summary(example) == model.summary()
