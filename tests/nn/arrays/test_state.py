"""Does a model's state_dict of arrays have PyTorch's names and shapes, and does it come back, from others too?"""

import random

import numpy as np
import pytest
from hypothesis import given, settings

from autograd import Value
from nn import MLP, BatchNorm, Dropout, Embedding, Layer, LayerNorm, Module, Neuron, RMSNorm, Sequential
from nn.arrays.matching import matched
from tests.nn.random_models import models

few = settings(max_examples=50)


def shapes(model):
    return {name: array.shape for name, array in model.state_dict(arrays=True).items()}


def bits(model):
    return [number.hex() for number in model.state_dict().values()]


@few
@given(models)
def test_arrays_have_all_numbers_and_come_back_to_the_bit(drawn):
    model, _ = drawn
    before, arrays = bits(model), model.state_dict(arrays=True)
    assert sum(array.size for array in arrays.values()) == len(before)
    assert sorted(x.hex() for array in arrays.values() for x in map(float, array.ravel())) == sorted(before)
    model.load_state_dict(dict.fromkeys(model.state_dict(), 1.0))
    model.load_state_dict(arrays)
    assert bits(model) == before


def test_names_and_shapes_are_those_of_pytorch():
    assert shapes(Layer(3, 2)) == {"weight": (2, 3), "bias": (2,)}
    assert shapes(Neuron(3)) == {"weight": (1, 3), "bias": (1,)}
    assert shapes(Embedding(5, 2)) == {"weight": (5, 2)}
    assert shapes(RMSNorm(2)) == {"weight": (2,)}
    assert shapes(LayerNorm(2)) == {"weight": (2,), "bias": (2,)}
    assert shapes(BatchNorm(2, affine=False)) == {"running_mean": (2,), "running_var": (2,), "num_batches_tracked": ()}
    assert list(shapes(BatchNorm(2))) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert list(shapes(Sequential(Dropout(), MLP(1, [1, 1], dropout=0.5)))) == [
        f"layers.1.layers.{i}.{part}" for i in (0, 1) for part in ("weight", "bias")
    ]
    assert {array.dtype for array in MLP(1, [1]).state_dict(arrays=True).values()} == {np.dtype(np.float64)}
    assert BatchNorm(1).state_dict(arrays=True)["num_batches_tracked"].dtype == np.int64


def test_the_arrays_are_copies():
    layer = Layer(2, 1)
    before = layer.state_dict()
    for array in layer.state_dict(arrays=True).values():
        array[...] = 9.0
    assert layer.state_dict() == before


class Own(Module):
    """Parameters of every arrangement."""

    buffer_names = ("steps",)

    def __init__(self):
        self.scale, self.table = Value(1.0), [[Value(2.0), Value(3.0)], [Value(4.0), Value(5.0)]]
        self.ragged = [[Value(6.0)], [Value(7.0), Value(8.0)]]
        self.by_name = {"a": Value(9.0), "b": (Value(10.0), Value(11.0))}
        self.computed, self.fixed, self.nothing = self.scale * 2.0, [1.0, 2.0], []
        self.layer, self.steps = Layer(1, 1), 3


def test_parameters_of_ones_own_are_arrays_where_they_make_one():
    own = Own()
    assert shapes(own) == {
        "scale": (),
        "table": (2, 2),
        "ragged.0": (1,),
        "ragged.1": (2,),
        "by_name.a": (),
        "by_name.b": (2,),
        "steps": (),
        "layer.weight": (1, 1),
        "layer.bias": (1,),
    }
    state = {name: array + 1 for name, array in own.state_dict(arrays=True).items()}
    own.load_state_dict(state)
    assert [own.scale.data, own.table[1][0].data, own.by_name["b"][1].data, own.steps] == [2.0, 5.0, 12.0, 4]


class Slope(Neuron):
    """A neuron with a parameter more."""

    def __init__(self, nin):
        super().__init__(nin)
        self.slope = Value(0.5)


def test_no_parameter_of_a_neuron_of_ones_own_is_left_out():
    layer = Layer(2, 2)
    layer.neurons = [Slope(2), Slope(2)]
    assert list(shapes(layer)) == ["weight", "bias", "neurons.0.slope", "neurons.1.slope"]
    layer.neurons = [Slope(2), Slope(1)]  # of different widths: no weight of the layer
    assert sum(a.size for a in layer.state_dict(arrays=True).values()) == len(layer.parameters())
    layer.neurons = [Own()]
    assert sum(a.size for a in layer.state_dict(arrays=True).values()) == len(layer.state_dict())


def test_what_is_shared_has_a_name_for_each_place_and_one_number():
    layer = Layer(2, 2)
    model = Sequential(layer, layer)
    state = model.state_dict(arrays=True)
    assert list(state) == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    model.load_state_dict(state)
    with pytest.raises(ValueError, match=r"stands in several places; got 0\.0 and 1\.0 for it"):
        model.load_state_dict({**state, "layers.1.bias": np.ones(2)})
    norm = BatchNorm(1)
    state = Sequential(norm, norm).state_dict(arrays=True)
    with pytest.raises(ValueError, match="stands in several places"):
        Sequential(norm, norm).load_state_dict({**state, "layers.1.running_mean": np.ones(1)})


def test_a_module_that_knows_the_one_above_it_has_an_end():
    layer = Layer(1, 1)
    layer.model = Sequential(layer)
    assert "weight" in shapes(layer)


def test_two_arrays_of_one_name_are_refused():
    class Model(Module):
        def __init__(self):
            self.d = {"a.b": Value(1.0), "a": {"b": Value(2.0)}}

    with pytest.raises(ValueError, match=r"the name 'd\.a\.b': rename"):
        Model().state_dict(arrays=True)


# Loading


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int8, bool, list])
def test_numbers_of_every_kind_are_taken_exactly(kind):
    model = MLP(2, [2, 1])
    state = {name: np.arange(a.size).reshape(a.shape) / 3 for name, a in model.state_dict(arrays=True).items()}
    state = {name: a.tolist() if kind is list else a.astype(kind) for name, a in state.items()}
    model.load_state_dict(state)
    for name, array in model.state_dict(arrays=True).items():
        assert array.tolist() == np.asarray(state[name], np.float64).tolist()


def change(name, make):
    return lambda state: {**state, name: make(state[name])}


REFUSED = [
    (change("layers.0.weight", np.transpose), ValueError, r"'layers.0.weight' has the shape \(2, 3\).*its transpose"),
    (change("layers.0.weight", lambda a: a[:2]), ValueError, r"shape \(2, 2\), .* has \(3, 2\): it belongs to another"),
    (change("layers.0.bias", lambda a: a * 1j), TypeError, "the state_dict's 'layers.0.bias' takes real numbers"),
    (change("layers.0.bias", lambda a: a.astype(str)), TypeError, r"takes real numbers; got '0\.0' \(str\)"),
    (change("layers.0.bias", lambda a: None), TypeError, "takes real numbers; got None"),
    (change("layers.0.bias", lambda a: [Value(1.0)] * 3), TypeError, r"give its \.data"),
    (change("layers.1.num_batches_tracked", lambda a: -1), ValueError, "whole numbers of at least 0"),
    (change("layers.1.num_batches_tracked", lambda a: 0.5), ValueError, "whole numbers of at least 0"),
    (lambda s: {n: a for n, a in s.items() if n != "layers.0.bias"}, KeyError, "lacks 'layers.0.bias': it belongs to"),
    (lambda s: {**s, "more": np.ones(2)}, KeyError, "has 'more', which the model does not have"),
    (lambda s: {"a.weight": np.ones((3, 2))}, KeyError, r"has 1 layer: 'a' \(weight\), and the model has 3 layers"),
]


@pytest.mark.parametrize(("spoil", "kind", "sentence"), REFUSED, ids=lambda x: x if isinstance(x, str) else "")
def test_what_does_not_fit_is_refused_and_nothing_changes(spoil, kind, sentence):
    model = Sequential(Layer(2, 3), BatchNorm(3), Layer(3, 1))
    before, state = model.state_dict(), model.state_dict(arrays=True)
    with pytest.raises(kind, match=sentence) as caught:
        model.load_state_dict(spoil({name: array + 1 for name, array in state.items()} if kind is KeyError else state))
    assert "\n" not in str(caught.value)
    assert model.state_dict() == before


# Other names


def renamed(state, names, order=None):
    """The arrays under other names of the layers."""
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in state))
    new = dict(zip(layers, names, strict=True))
    pairs = {f"{new[n.rpartition('.')[0]]}.{n.rpartition('.')[2]}": array for n, array in state.items()}
    return {name: pairs[name] for name in order(pairs)} if order else pairs


NAMES = [
    ["0", "2", "4"],
    ["fc1", "fc2", "fc10"],
    ["module.net.0", "module.net.3", "module.net.12"],
    ["layers.0", "layers.2", "layers.4"],
]


@pytest.mark.parametrize("names", NAMES, ids=repr)
@pytest.mark.parametrize("order", [None, sorted, lambda names: sorted(names, reverse=True)])
def test_numbers_in_the_names_say_which_layer_is_which_even_among_equal_ones(names, order):
    rng = random.Random(0)
    source, model = (MLP(2, [2, 2, 2], rng=rng) for _ in range(2))
    model.load_state_dict(renamed(source.state_dict(arrays=True), names, order))
    assert model.state_dict() == source.state_dict()


@pytest.mark.parametrize("order", [None, sorted])
def test_shapes_say_it_where_each_is_there_once(order):
    source, model = (
        Sequential(Layer(2, 4), BatchNorm(4), Layer(4, 1)),
        Sequential(Layer(2, 4), BatchNorm(4), Layer(4, 1)),
    )
    model.load_state_dict(renamed(source.state_dict(arrays=True), ["stem", "norm", "head"], order))
    assert model.state_dict() == source.state_dict()


def test_where_nothing_says_it_the_sentence_does():
    model = MLP(2, [2, 2])
    with pytest.raises(
        KeyError, match=r"'entry' and 'hidden' have the same shapes.*give .* \{'layers\.0\.weight': state"
    ):
        model.load_state_dict(renamed(model.state_dict(arrays=True), ["entry", "hidden"]))


class TorchsDict(dict):
    """As PyTorch's state_dict, which has this attribute and the order of the network."""

    _metadata = None


def test_the_order_of_pytorchs_own_state_dict_counts():
    source, model = MLP(2, [2, 2]), MLP(2, [2, 2])
    model.load_state_dict(TorchsDict(renamed(source.state_dict(arrays=True), ["hidden", "entry"])))
    assert model.state_dict() == source.state_dict()
    with pytest.raises(
        KeyError, match=r"layer 'a' has weight \(1, 2\).*the model's 'layers.0' in its place has weight"
    ):
        MLP(2, [2, 1]).load_state_dict(
            TorchsDict({"a.weight": np.ones((1, 2)), "a.bias": np.ones(1), "b.weight": np.eye(2), "b.bias": np.ones(2)})
        )


def test_layers_of_other_parts_do_not_match():
    own = {"layers.0.weight": (2, 2), "layers.0.bias": (2,)}
    with pytest.raises(KeyError, match=r"has weight \(2, 2\), and the model's 'layers.0' .* weight \(2, 2\) and bias"):
        matched(own, {"weight": (2, 2)}, is_in_order=True)
    with pytest.raises(KeyError, match="has no arrays, and the model has 1 layer"):
        matched(own, {}, is_in_order=False)
