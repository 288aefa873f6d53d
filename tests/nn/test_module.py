"""Is a model a tree of parameters in a fixed order, callable on one example and on a batch?"""

import copy
import math
import pickle
import random
from collections import OrderedDict
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import autograd
from autograd import Value, no_grad
from autograd.operations import operations
from autograd.testing import assert_same_float, assert_same_gradients
from nn import (
    ELU,
    GELU,
    MLP,
    Dropout,
    Identity,
    Layer,
    LeakyReLU,
    LogSoftmax,
    Module,
    Neuron,
    ReLU,
    Sequential,
    Softmax,
    Standardize,
    Tanh,
)
from nn.activations import ACTIVATIONS

widths = st.lists(st.integers(1, 4), min_size=1, max_size=4)
numbers = st.floats(-10.0, 10.0)
few = settings(max_examples=100)  # each builds networks


def data(outputs):
    """The numbers of a nested list of Values."""
    return [data(y) for y in outputs] if isinstance(outputs, list) else getattr(outputs, "data", outputs)


def example_for(nin, rng):
    return [rng.uniform(-2.0, 2.0) for _ in range(nin)]


# The tree of parameters


@few
@given(st.integers(1, 4), widths)
def test_parameters_come_neuron_by_neuron_the_weights_then_the_bias(nin, nouts):
    model = MLP(nin, nouts)
    expected = [p for layer in model.layers for neuron in layer.neurons for p in (*neuron.w, neuron.b)]
    assert model.parameters() == expected
    sizes = [nin, *nouts]
    assert len(expected) == sum((a + 1) * b for a, b in pairwise(sizes))


def test_parameters_are_named_after_their_place():
    assert [name for name, _ in MLP(2, [1, 1]).named_parameters()] == [
        "layers.0.neurons.0.w.0",
        "layers.0.neurons.0.w.1",
        "layers.0.neurons.0.b",
        "layers.1.neurons.0.w.0",
        "layers.1.neurons.0.b",
    ]


def test_values_in_lists_tuples_and_dicts_at_any_depth_are_parameters():
    class Nested(Module):
        def __init__(self):
            self.table = {"a": Value(1.0), "b": [Value(2.0), (Value(3.0), {"c": Value(4.0)})]}
            self.part = {"inner": Neuron(1)}

    names = [name for name, _ in Nested().named_parameters()]
    assert names == ["table.a", "table.b.0", "table.b.1.0", "table.b.1.1.c", "part.inner.w.0", "part.inner.b"]


def test_a_value_that_was_computed_is_no_parameter():
    class Model(Module):
        def __init__(self):
            self.w = Value(2.0)
            self.square = self.w * self.w

    assert list(Model().state_dict()) == ["w"]


def test_a_shared_parameter_and_a_shared_module_count_once():
    layer = Layer(2, 2)
    model = Sequential(layer, Tanh(), layer)
    assert model.parameters() == layer.parameters()
    assert list(model.modules()).count(layer) == 1
    tied = Sequential(Layer(1, 1), Layer(1, 1))
    tied.layers[1].neurons[0].w = tied.layers[0].neurons[0].w
    assert list(tied.state_dict()) == [
        "layers.0.neurons.0.w.0",
        "layers.0.neurons.0.b",
        "layers.1.neurons.0.b",
    ]


def test_a_shared_module_gets_the_gradients_of_all_its_uses():
    layer = Layer(1, 1, nonlin=False)
    w = layer.neurons[0].w[0]
    w.data = 3.0
    Sequential(layer, layer)([2.0]).backward()
    assert w.grad == 2 * 3.0 * 2.0  # d/dw (w * (w * 2))


def test_modules_come_parents_first_in_order():
    model = MLP(1, [1, 1], dropout=0.5)
    names = [name for name, _ in model.named_modules()]
    assert names == ["", "layers.0", "layers.0.neurons.0", "layers.1", "layers.1.neurons.0", "dropouts.0"]
    assert [module for _, module in model.named_modules()] == list(model.modules())


def test_a_chain_of_many_modules_is_walked_without_recursion():
    class Link(Module):
        def __init__(self, inner):
            self.inner = inner

    chain = Neuron(1)
    for _ in range(5_000):  # five times Python's limit on recursion
        chain = Link(chain)
    assert len(chain.parameters()) == 2
    chain.eval()


def test_zero_grad_clears_the_gradients_of_all_parameters():
    model = MLP(2, [3, 1], activation="tanh")
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert {p.grad for p in model.parameters()} == {0.0}


def test_train_and_eval_switch_the_whole_tree_and_return_the_model():
    model = Sequential(MLP(2, [2, 2], dropout=0.5), Dropout(0.5))
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model
    assert all(module.training for module in model.modules())
    assert not any(module.training for module in model.train(False).modules())


def test_the_mode_belongs_to_one_model_alone():
    first, second = Tanh(), Tanh()
    first.eval()
    assert second.training


@pytest.mark.parametrize("model", [MLP(2, [3, 1], dropout=0.5), Sequential(Layer(2, 2), Tanh(), Dropout(0.2))])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_computes_the_same_and_learns_alone(model, copied):
    other = copied(model)
    assert other.state_dict() == model.state_dict()
    assert not set(other.parameters()) & set(model.parameters())
    model.eval(), other.eval()
    assert data(other([0.5, -1.0])) == data(model([0.5, -1.0]))


# state_dict


@few
@given(st.integers(1, 3), widths, st.data())
def test_a_state_dict_round_trip_keeps_every_bit(nin, nouts, draws):
    model, other = MLP(nin, nouts), MLP(nin, nouts)
    for p in model.parameters():
        p.data = draws.draw(st.floats())
    other.load_state_dict(model.state_dict())
    assert list(map(repr, other.state_dict().items())) == list(map(repr, model.state_dict().items()))


def test_a_state_dict_holds_plain_floats_that_do_not_follow_the_model():
    model = MLP(1, [1])
    state = model.state_dict()
    assert {type(number) for number in state.values()} == {float}
    before = dict(state)
    model.parameters()[0].data += 1.0
    assert state == before


def test_load_state_dict_keeps_the_values_so_that_optimisers_still_hold_them():
    model = MLP(1, [1])
    before = model.parameters()
    model.load_state_dict(OrderedDict((name, np.float32(0.5)) for name in model.state_dict()))
    assert model.parameters() == before
    assert {p.data for p in before} == {0.5}


def without(state, name):
    return {key: number for key, number in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (
            lambda state: {**state, "layers.9.b": 1.0},
            KeyError,
            "has 1 names that are no parameters of the model, such as 'layers.9.b'",
        ),
        (lambda state: without(state, "layers.0.neurons.0.b"), KeyError, "lacks 1 of .*'layers.0.neurons.0.b'"),
        (lambda state: {}, KeyError, "lacks 9 of the model's 9 parameters"),
        (lambda state: {**state, "layers.1.neurons.0.b": "1"}, TypeError, "'1' .*'layers.1.neurons.0.b'"),
        (lambda state: {**state, "layers.1.neurons.0.b": None}, TypeError, "takes a number for each parameter"),
        (lambda state: {**state, "layers.1.neurons.0.b": [1.0]}, TypeError, r"got \[1.0\] \(list\)"),
        (lambda state: {**state, "layers.1.neurons.0.b": 1j}, TypeError, "takes a number for each parameter"),
        (lambda state: list(state.values()), TypeError, "takes a dict of numbers by name"),
    ],
)
def test_a_state_dict_that_does_not_fit_is_refused_and_changes_nothing(change, kind, sentence):
    model = MLP(2, [2, 1])
    before = model.state_dict()
    wrong = dict.fromkeys(before, 7.0)
    with pytest.raises(kind, match=sentence):
        model.load_state_dict(change(wrong))
    assert model.state_dict() == before


@pytest.mark.parametrize("table", [{"a.b": Value(1.0), "a": {"b": Value(2.0)}}, {0: Value(1.0), "0": Value(2.0)}])
def test_two_parameters_of_one_name_are_refused(table):
    class Model(Module):
        def __init__(self):
            self.d = table

    with pytest.raises(ValueError, match=r"two parameters have the name 'd\.(a\.b|0)': rename"):
        Model().state_dict()


# One example and many


@few
@given(st.integers(1, 3), widths, st.integers(1, 4), st.integers(0, 2**32))
def test_a_batch_gives_the_outputs_of_its_examples(nin, nouts, count, seed):
    rng = random.Random(seed)
    model = MLP(nin, nouts, activation="tanh", rng=rng)
    batch = [example_for(nin, rng) for _ in range(count)]
    assert data(model(batch)) == [data(model(example)) for example in batch]


@few
@given(st.integers(1, 3), widths)
def test_one_output_is_bare_and_more_are_a_list(nin, nouts):
    output = MLP(nin, nouts)([1.0] * nin)
    assert isinstance(output, Value) if nouts[-1] == 1 else len(output) == nouts[-1]


def test_hidden_layers_of_one_neuron_work():  # micrograd's own MLP(2, [1, 1]) raises a TypeError
    model = MLP(2, [1, 1])
    state = dict.fromkeys(model.state_dict(), 2.0)
    model.load_state_dict(state)
    assert model([1.0, 3.0]).data == 2.0 * (2.0 * 1.0 + 2.0 * 3.0 + 2.0) + 2.0
    assert data(model([[1.0, 3.0], [0.0, 0.0]])) == [22.0, 6.0]
    model([1.0, 3.0]).backward()
    assert [p.grad for p in model.parameters()] == [2.0, 6.0, 2.0, 10.0, 1.0]


def test_a_layer_takes_the_bare_output_of_the_layer_before():
    first, second = Layer(2, 1), Layer(1, 1, nonlin=False)
    assert isinstance(second(first([1.0, 2.0])), Value)


@pytest.mark.parametrize(
    "batch",
    [
        [(1, 2), (3, 4)],
        ([1.0, 2.0], [3.0, 4.0]),
        np.array([[1, 2], [3, 4]]),
        np.array([[1, 2], [3, 4]], dtype=np.float32),
        [np.array([1.0, 2.0]), np.array([3.0, 4.0])],
        pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}),
        [[Value(1.0), Value(2.0)], [Value(3.0), 4.0]],
        np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]),
        (list(row) for row in [[1.0, 2.0], [3.0, 4.0]]),
    ],
)
def test_batches_of_every_kind_are_the_same_batch(batch):
    model = MLP(2, [3, 2], rng=random.Random(0))
    assert data(model(batch)) == data(model([[1.0, 2.0], [3.0, 4.0]]))


@pytest.mark.parametrize("x", [[1, 2], (1.0, 2.0), np.array([1.0, 2.0]), pd.Series([1, 2]), map(float, [1, 2])])
def test_examples_of_every_kind_are_the_same_example(x):
    model = MLP(2, [3, 2], rng=random.Random(0))
    assert data(model(x)) == data(model([1.0, 2.0]))


@pytest.mark.parametrize("x", [2, 2.0, True + 1, np.float64(2.0), np.float32(2.0), np.int64(2), Value(2.0)])
def test_a_bare_number_is_an_example_of_one(x):
    model = MLP(1, [2], rng=random.Random(0))
    assert data(model(x)) == data(model([2.0]))


def test_gradients_flow_to_inputs_that_are_values():
    x = [Value(1.0), Value(2.0)]
    neuron = Neuron(2, nonlin=False)
    neuron(x).backward()
    assert [v.grad for v in x] == [w.data for w in neuron.w]


def test_a_table_without_rows_gives_no_outputs():
    for empty in (np.zeros((0, 2)), pd.DataFrame({"a": [], "b": []})):
        assert MLP(2, [1])(empty) == []


NO_EXAMPLES = [None, {1.0, 2.0}, {"a": 1.0}, "ab", [[1.0, 2.0], 3.0], [[1.0, 2.0], None], [[1.0, 2.0], {1.0}], ...]


@pytest.mark.parametrize("x", NO_EXAMPLES, ids=repr)
def test_what_is_no_example_and_no_batch_is_refused(x):
    with pytest.raises(TypeError, match=r"MLP takes an example such as \[1\.0, 2\.0\], or a list of .*; got"):
        MLP(2, [1])(x)


# Neurons, layers, networks


@few
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6), numbers, st.sampled_from(list(ACTIVATIONS)))
def test_an_expanded_neuron_computes_the_same_with_separate_products_and_sums(pairs, bias, activation):
    neurons = [Neuron(len(pairs), activation=activation, expanded=expanded) for expanded in (False, True)]
    rows = [[Value(x) for _, x in pairs] for _ in neurons]
    outputs = []
    for neuron, row in zip(neurons, rows, strict=True):
        for w, (number, _) in zip(neuron.w, pairs, strict=True):
            w.data = number
        neuron.b.data = bias
        outputs.append(neuron(row))
        outputs[-1].backward()
    assert_same_float(outputs[0], outputs[1])
    assert_same_gradients(neurons[0], neurons[1])
    assert_same_gradients(rows[0], rows[1])


def operations_of(value):
    """How many nodes of each operation the graph has."""
    return [node.operation for node in autograd.topological_order(value) if node.operation]


def test_dot_is_one_node_and_expanded_is_a_node_for_each_product_and_sum():
    assert operations_of(Neuron(3, nonlin=False)([1.0, 2.0, 3.0])) == ["dot"]
    assert sorted(operations_of(Neuron(3, nonlin=False, expanded=True)([1.0, 2.0, 3.0]))) == ["add"] * 3 + ["mul"] * 3


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_hidden_layers_have_the_activation_and_the_last_is_linear(name):
    model = MLP(1, [1, 1], activation=name)
    model.load_state_dict(dict.fromkeys(model.state_dict(), 1.0))
    assert model([-3.0]).data == ACTIVATIONS[name](-2.0) + 1.0


def test_an_activation_may_be_a_function_or_a_module():
    for activation in (lambda x: x * x, autograd.tanh, Tanh()):
        neuron = Neuron(1, activation=activation)
        neuron.w[0].data = 2.0
        assert neuron([1.0]).data == activation(2.0)


def test_activation_modules_apply_to_each_number_and_softmax_to_the_example():
    assert LeakyReLU(0.5)([-2.0, 2.0]) == [-1.0, 2.0]
    assert ELU(2.0)([-1.0, 2.0]) == [2.0 * math.expm1(-1.0), 2.0]
    assert ReLU()([[-1.0, 1.0], [2.0, -2.0]]) == [[0.0, 1.0], [2.0, 0.0]]
    assert Softmax()([[0.0, 0.0], [1000.0, 0.0]]) == [[0.5, 0.5], [1.0, 0.0]]
    assert LogSoftmax()([1000.0, 0.0]) == [0.0, -1000.0]
    assert Identity()([1.0, 2.0]) == [1.0, 2.0]


def test_reprs_are_how_to_build_it_again_whatever_the_mode():
    modules = [LeakyReLU(0.5), Tanh(), Dropout(0.25)]
    for module in modules:
        assert repr(module) == repr(eval(repr(module))) == repr(module.eval())


# A module of one's own


class MicrogradNeuron(Module):
    """As people wrote it on micrograd's Module: `__call__` and `parameters` of one's own."""

    def __init__(self, nin):
        self.weights = [Value(1.0) for _ in range(nin)]

    def __call__(self, x):
        return sum((w * xi for w, xi in zip(self.weights, x, strict=True)), 0.0).tanh()

    def parameters(self):
        return self.weights[1:]  # the first is frozen


def test_a_module_in_micrograds_manner_keeps_its_call_and_its_parameters():
    neuron = MicrogradNeuron(3)
    neuron([0.1, 0.2, 0.3]).backward()
    assert len(neuron.parameters()) == 2
    neuron.zero_grad()
    assert [w.grad != 0.0 for w in neuron.weights] == [True, False, False]


class Residual(Module):
    """A module with forward: x + layer(x)."""

    def __init__(self, n):
        self.layer = Layer(n, n, activation="tanh")

    def forward(self, row):
        return [x + y for x, y in zip(row, self.layer.forward(row), strict=True)]


def test_a_module_with_forward_takes_examples_and_batches_and_stands_in_a_sequence():
    model = Sequential(Residual(2), Layer(2, 1, nonlin=False))
    assert len(model.parameters()) == 2 * 3 + 3
    batch = [[1.0, 2.0], [-1.0, 0.0]]
    assert data(model(batch)) == [data(model(x)) for x in batch]


def test_forward_may_call_modules_and_so_give_a_bare_value():
    class Model(Module):
        def __init__(self):
            self.inner = MLP(2, [2, 1])

        def forward(self, row):
            return self.inner(row)

    model = Model()
    assert model([1.0, 2.0]).data == model.inner([1.0, 2.0]).data
    assert data(model([[1.0, 2.0]])) == [model.inner([1.0, 2.0]).data]


def test_a_forward_that_gives_a_bare_number_stands_in_a_sequence_too():
    class Total(Module):
        def forward(self, row):
            return sum(row)

    model = Sequential(Total(), Layer(1, 2), Total())
    model.layers[1].neurons[0].b.data = 5.0
    batch = [[1.0, 2.0], [3.0, 4.0]]
    assert data(model(batch)) == [data(model(x)) for x in batch]
    assert Sequential(Total())([1.0, 2.0]) == Total()([1.0, 2.0]) == 3.0


def test_a_slope_may_be_a_value_that_learns():
    slope = Value(0.5)
    LeakyReLU(slope)(-2.0).backward()
    assert slope.grad == -2.0


def test_a_module_without_forward_says_what_it_needs():
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty needs a method forward\(self, row\) that returns a list"):
        Empty()([1.0])


# Text


# Bad input


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (lambda: Neuron(0), ValueError, "nin takes a whole number of at least 1; got 0"),
        (lambda: Neuron(2.5), TypeError, r"nin takes a whole number; got 2.5 \(float\)"),
        (lambda: Layer(2, -1), ValueError, "nout takes a whole number of at least 1; got -1"),
        (lambda: Layer(2, None), TypeError, "nout takes a whole number; got None"),
        (lambda: MLP(2, []), ValueError, r"MLP needs at least one layer, such as MLP\(2, \[1\]\); got nouts=\[\]"),
        (lambda: MLP(2, [0, 1]), ValueError, "nouts takes a whole number of at least 1; got 0"),
        (lambda: MLP(2, 3), TypeError, r"takes the widths of its layers as a list, such as MLP\(2, \[16, 1\]\); got 3"),
        (lambda: MLP(2, [16, "1"]), TypeError, r"each width in nouts takes a whole number; got '1' \(str\)"),
        (lambda: MLP(2, [2, 1], activation="rleu"), ValueError, r"'rleu' \(did you mean 'relu'\?\); choose one of"),
        (lambda: MLP(2, [2, 1], activation=["relu"]), ValueError, "there is no activation"),
        (lambda: MLP(2, [1], activation="rleu"), ValueError, "there is no activation 'rleu'"),
        (lambda: MLP(2, [1], init="glorot"), ValueError, "there is no initialiser 'glorot'; choose one of he_normal"),
        (lambda: MLP(2, [1], init=3), ValueError, "there is no initialiser 3"),
        (lambda: MLP(2, [1], dropout=1.5), ValueError, "dropout takes a probability from 0.0 to 1.0; got 1.5"),
        (lambda: MLP(2, [2, 1], dropout=-0.1), ValueError, "dropout takes a probability from 0.0 to 1.0; got -0.1"),
        (lambda: MLP(2, [1], rng=4.2), TypeError, r"rng takes a seed, .*; got 4.2 \(float\)"),
        (lambda: LeakyReLU("a"), TypeError, r"LeakyReLU takes a real number; got 'a' \(str\)"),
        (lambda: ELU("a"), TypeError, r"ELU takes a real number; got 'a' \(str\)"),
        (lambda: GELU("x"), ValueError, "GELU takes approximate=.none. or .tanh.; got 'x'"),
        (lambda: GELU(["x"]), ValueError, "GELU takes approximate"),
        (lambda: Sequential(Tanh), TypeError, r"Sequential takes modules such as Layer and Tanh\(\); got"),
        (lambda: Sequential(autograd.tanh), TypeError, "Sequential takes modules"),
        (lambda: Standardize([1.0], []), ValueError, "takes a deviation for each mean; got 1 and 0"),
        (lambda: Standardize(["a"], [1.0]), TypeError, "takes a real number; got 'a'"),
        (lambda: Standardize([0.0], [1.0])([1.0, 2.0]), ValueError, "takes 1 inputs; got an example of 2"),
        (lambda: MLP(2, [3, 1])([1.0]), ValueError, r"Layer\(2 -> 3, relu\) takes 2 inputs; got an example of 1"),
        (lambda: MLP(2, [1])([[1.0, 2.0], [1.0]]), ValueError, "takes 2 inputs; got an example of 1"),
        (lambda: Neuron(2)([1.0]), ValueError, "2 weights and 1 inputs"),
        (lambda: Neuron(2, expanded=True)([1.0]), ValueError, "takes 2 inputs; got an example of 1"),
        (lambda: MLP(2, [1])(["a", "b"]), (TypeError, ValueError), "takes"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(make, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make()


def test_no_graph_is_recorded_inside_no_grad():
    with no_grad():
        assert MLP(2, [2, 1])([1.0, 2.0]).parents == ()


def test_layers_know_every_activation_of_the_table_of_operations_by_name():
    table = [name for name, operation in operations.items() if operation.rule.activation is not None]
    assert [*ACTIVATIONS] == ["relu", *(name for name in table if name in vars(autograd) and name != "relu"), "linear"]
