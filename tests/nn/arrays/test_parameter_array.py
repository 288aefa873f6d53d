"""Does everything that is written to `layer.weight` reach the parameters, or else is it refused?"""

import copy
import pickle
import random
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from autograd import Value
from nn import MLP, SGD, Layer, Neuron, Sequential, fit

few = settings(max_examples=50)
floats = st.floats(width=64)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 4))  # outputs, inputs


def same(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True) and np.shape(a) == np.shape(b)


def in_values(layer):
    return np.array([[w.data for w in neuron.w] for neuron in layer.neurons])


def layer_of(numbers):
    layer = Layer(numbers.shape[1], numbers.shape[0])
    for neuron, row in zip(layer.neurons, numbers.tolist(), strict=True):
        for w, number in zip(neuron.w, row, strict=True):
            w.data = number
    return layer


@few
@given(shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape, elements=floats)), st.data())
def test_reading_and_writing_by_any_index_is_that_of_an_array(numbers, draws):
    layer, mirror = layer_of(numbers), numbers.copy()
    assert same(layer.weight, mirror)
    index = draws.draw(
        arrays.basic_indices(numbers.shape, allow_newaxis=True)
        | arrays.integer_array_indices(numbers.shape[:1], result_shape=st.just((1,)))
        | arrays.arrays(np.bool_, numbers.shape)
    )
    assert same(layer.weight[index], mirror[index])
    new = draws.draw(arrays.arrays(np.float64, np.shape(mirror[index]), elements=floats) | floats)
    layer.weight[index] = new
    mirror[index] = new
    assert same(in_values(layer), mirror)


CHANGES = {
    "one": lambda w: w.__setitem__((1, 2), 7.0),
    "a row of a row": lambda w: w[1].__setitem__(2, 7.0),
    "a view of a view": lambda w: w[1:, ::2].T[1].__setitem__(0, 7.0),
    "all": lambda w: w.__setitem__(slice(None), np.arange(6).reshape(2, 3)),
    "Ellipsis": lambda w: w.__setitem__(..., 0.5),
    "by a mask": lambda w: w.__setitem__(np.asarray(w) > 2, 0.0),
    "T": lambda w: w.T.__setitem__(0, [5.0, 6.0]),
    "reshape": lambda w: w.reshape(-1).__setitem__(3, 7.0),
    "ravel": lambda w: w.ravel().__setitem__(slice(2), 7.0),
    "np.reshape": lambda w: np.reshape(w, 6).__setitem__(3, 7.0),
    "np.transpose": lambda w: np.transpose(w).__setitem__((2, 1), 7.0),
    "np.flip": lambda w: np.flip(w).__setitem__((0, 0), 7.0),
    "fill": lambda w: w.fill(3.0),
    "sort": lambda w: w.sort(axis=0),
    "put": lambda w: w.put([0, 5], [8.0, 9.0]),
    "np.copyto": lambda w: np.copyto(w, [1.0, 2.0, 3.0]),
    "np.copyto where": lambda w: np.copyto(w, 0.0, where=np.asarray(w) > 2),
    "np.put": lambda w: np.put(w, [0, 5], [8.0, 9.0]),
    "np.fill_diagonal": lambda w: np.fill_diagonal(w, 4.0),
    "np.place": lambda w: np.place(w, np.asarray(w) > 2, [9.0]),
    "np.putmask": lambda w: np.putmask(w, np.asarray(w) > 2, 9.0),
    "np.add out": lambda w: np.add(w, 1.0, out=w),
    "np.add out a row": lambda w: np.add([1.0, 2.0, 3.0], 1.0, out=w[0]),
    "np.add.at": lambda w: np.add.at(w, ([0, 0, 1], [1, 1, 2]), 1.0),
    "np.sum out": lambda w: np.sum(np.asarray(w), axis=0, out=w[1]),
    "np.clip out": lambda w: np.clip(w, 1.0, 2.0, out=w),
    "reversed": lambda w: w.__setitem__(slice(None), w[::-1]),
    "*=": lambda w: w.__imul__(0.5),
    "-= itself": lambda w: w.__isub__(w),
    "**= an array": lambda w: w.__ipow__(np.array([1.0, 2.0, 0.5])),
    "swap": lambda w: w.__setitem__([0, 1], np.array(w)[[1, 0]]),
    "integers": lambda w: w.__setitem__(0, np.array([4, 5, 6], np.int8)),
    "single precision": lambda w: w.__setitem__(0, np.array([0.1, 0.2, 0.3], np.float32)),
    "half precision": lambda w: w.__setitem__(0, np.array([0.1, 0.2, 0.3], np.float16)),
    "lists": lambda w: w.__setitem__(slice(None), [[1, 2.5, True], [4, 5, 6]]),
    "a data frame": lambda w: w.__setitem__(slice(None), pd.DataFrame(np.eye(2, 3))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_numpy_changes_reaches_the_parameters(change):
    start = np.array([[1.0, 2.0, 3.0], [4.0, 0.5, 6.0]])
    layer, mirror = layer_of(start), start.copy()
    change(layer.weight)
    change(mirror)
    assert not same(mirror, start)
    assert same(in_values(layer), mirror)


def test_augmented_assignment_reaches_them_whole_and_in_part():
    layer = layer_of(np.array([[1.0, 2.0], [3.0, 4.0]]))
    layer.weight *= 0.5
    layer.weight[0, 1] += 10.0
    layer.weight[layer.weight > 5.0] *= 2.0
    layer.weight[1] -= [0.5, 1.0]
    layer.weight[[1]] *= -1.0
    layer.bias += 1
    layer.bias[1] = 3
    assert same(in_values(layer), [[0.5, 22.0], [-1.0, -1.0]])
    assert [neuron.b.data for neuron in layer.neurons] == [1.0, 3.0]


@few
@given(shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape, elements=floats)))
def test_what_is_set_whole_comes_back_to_the_bit_and_the_values_stay_the_same_ones(numbers):
    layer = Layer(numbers.shape[1], numbers.shape[0])
    before = layer.parameters()
    layer.weight = numbers
    layer.bias = numbers[:, 0]
    assert layer.parameters() == before
    assert in_values(layer).tobytes() == numbers.tobytes()
    assert np.asarray(layer.bias).tobytes() == numbers[:, 0].tobytes()


def test_a_view_follows_the_parameters_wherever_they_are_changed():
    layer = Layer(2, 2)
    weight, row = layer.weight, layer.weight[1]
    layer.neurons[1].w[0].data = 5.0
    assert weight[1, 0] == row[0] == 5.0
    layer.load_state_dict(dict.fromkeys(layer.state_dict(), 7.0))
    assert same(weight, np.full((2, 2), 7.0))


NOT_CHANGED = {
    "np.asarray": lambda w: np.asarray(w).__setitem__(0, 1.0),
    "flat": lambda w: w.flat.__setitem__(0, 1.0),
    "np.split": lambda w: np.split(w, 2)[0].__setitem__(0, 1.0),
    "np.nditer": lambda w: np.nditer(np.asarray(w), op_flags=["readwrite"]),
    "resize": lambda w: w.resize((3, 3)),
    "byteswap": lambda w: w.byteswap(True),
    "copy=False": lambda w: np.array(w, copy=False),
    "memoryview": lambda w: memoryview(w).__setitem__(0, 1.0),
    "shape": lambda w: setattr(w, "shape", (6,)),
    "an attribute": lambda w: setattr(w, "other", 1.0),
}


@pytest.mark.parametrize("change", NOT_CHANGED.values(), ids=NOT_CHANGED)
def test_what_would_end_in_a_copy_is_refused(change):
    layer = Layer(3, 2)
    before = in_values(layer)
    with pytest.raises((ValueError, TypeError, AttributeError)):
        change(layer.weight)
    assert same(in_values(layer), before)


WRONG = [
    ("abc", TypeError, r"weight takes real numbers; got 'abc' \(str\)"),
    (None, TypeError, r"weight takes real numbers; got None \(NoneType\)"),
    (1j, TypeError, "weight takes real numbers; got 1j"),
    (np.ones((2, 3), complex), TypeError, r"weight takes real numbers; got \(1\+0j\) \(complex\)"),
    (np.array([["a"] * 3] * 2), TypeError, "weight takes real numbers; got 'a'"),
    (np.ones((2, 3), "datetime64[s]"), TypeError, "weight takes real numbers"),
    ([[1.0, 2.0], [3.0]], TypeError, r"weight takes an array of numbers; got \[\[1.0, 2.0\], \[3.0\]\] \(list\)"),
    ([[Value(1.0)] * 3] * 2, TypeError, r"weight takes real numbers; got Value\(.*\): give its \.data"),
    ([[1.0, None, 2.0]] * 2, TypeError, "weight takes real numbers; got None"),
    (np.ma.masked_less(np.arange(6.0).reshape(2, 3), 2), TypeError, "weight takes an array of numbers; got masked"),
    (object(), TypeError, "weight takes real numbers"),
    (np.ones((3, 2)), ValueError, r"weight has the shape \(2, 3\); got numbers of shape \(3, 2\): give the transpose"),
    (np.ones(3), ValueError, r"got numbers of shape \(3,\): give an array of shape \(2, 3\)"),
    (0.5, ValueError, r"got numbers of shape \(\): weight\[\.\.\.\] = 0\.5 sets every number to it"),
]


@pytest.mark.parametrize(("numbers", "kind", "sentence"), WRONG, ids=lambda x: x if isinstance(x, str) else "")
def test_what_does_not_fit_is_refused_in_a_sentence_and_nothing_changes(numbers, kind, sentence):
    layer = Layer(3, 2)
    before = in_values(layer)
    with pytest.raises(kind, match=sentence):
        layer.weight = numbers
    if kind is TypeError:
        with pytest.raises(kind, match=sentence):
            layer.weight[:] = numbers
    with pytest.raises(ValueError, match=r"takes numbers of shape \(3,\) there; got numbers of shape \(2,\)"):
        layer.weight[0] = [1.0, 2.0]
    assert same(in_values(layer), before)


def test_a_parameter_in_two_places_takes_one_number_only():
    layer = Layer(1, 2)
    layer.neurons[1].w[0] = layer.neurons[0].w[0]
    layer.weight = [[3.0], [3.0]]
    with pytest.raises(ValueError, match=r"several places; got 1\.0 and 2\.0 for it"):
        layer.weight = [[1.0], [2.0]]
    assert same(layer.weight, [[3.0], [3.0]])


def test_what_is_no_parameter_is_read_and_cannot_be_set():
    layer = Layer(2, 1)
    layer.neurons[0].w[1] = 0.5
    assert layer.weight[0, 1] == 0.5
    with pytest.raises(TypeError, match=r"at \[0, 1\] it has the plain number 0\.5, which is no parameter"):
        layer.weight = [[1.0, 2.0]]
    layer.neurons[0].w[1] = Value(2.0) * 2.0
    with pytest.raises(TypeError, match="a computed Value, which is no parameter"):
        layer.weight[:] = 1.0
    layer.neurons = [Neuron(1), Neuron(2)]
    with pytest.raises(ValueError, match="the neurons differ in their number of weights"):
        _ = layer.weight


@few
@given(shapes.flatmap(lambda shape: arrays.arrays(np.float64, shape, elements=st.floats(-100.0, 100.0))))
def test_it_computes_as_an_array_does_and_gives_arrays(numbers):
    weight = layer_of(numbers).weight
    x = np.arange(1.0, numbers.shape[1] + 1.0)
    for f in (
        *(lambda w: w @ x, lambda w: x @ w.T, lambda w: w + 1, lambda w: 2 - w, lambda w: abs(w) ** 2, lambda w: w > 0),
        *(np.sum, np.linalg.norm, np.exp, lambda w: np.concatenate([w, w]), lambda w: np.where(w > 0, w, 0)),
        *(lambda w: w.mean(axis=0), lambda w: w.max(), lambda w: w.tolist(), lambda w: w.astype("f4"), np.array),
        *(lambda w: w.copy(), lambda w: w.shape, len, list, repr, str, lambda w: np.dot(w, x), lambda w: 1.5 in w),
        *(lambda w: w.dtype, lambda w: w.ndim, lambda w: w.size, lambda w: np.asarray(w, np.float32), np.shape),
        *(lambda w: np.add.reduce(w), lambda w: np.maximum.outer(w[0], w[0]), lambda w: w.T, lambda w: w == w),
    ):
        assert repr(np.asarray(f(weight))) == repr(np.asarray(f(numbers)))


def test_copies_and_pickles_are_arrays_of_their_own():
    layer = Layer(2, 2)
    before = in_values(layer)
    for array in (copy.copy(layer.weight), copy.deepcopy(layer.weight), np.array(layer.weight), layer.weight.copy()):
        assert type(array) is np.ndarray
        array[:] = 9.0
    assert same(pickle.loads(pickle.dumps(layer.weight)), before)
    assert same(in_values(layer), before)
    with pytest.raises(TypeError, match="unhashable"):
        hash(layer.weight)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(layer.weight)
    assert float(Layer(1, 1).bias[0]) == 0.0


def test_the_gradients_are_an_array_of_the_same_kind():
    layer = Layer(2, 1, nonlin=False)
    loss = layer([3.0, 5.0])
    loss.backward()
    assert same(layer.weight.grad, [[3.0, 5.0]])
    layer.weight.grad *= 2.0
    layer.bias.grad = [0.25]
    assert [p.grad for p in layer.parameters()] == [6.0, 10.0, 0.25]
    loss.backward(create_graph=True)
    assert same(layer.weight.grad, [[9.0, 15.0]])


def test_a_neuron_is_a_layer_of_one():
    neuron = Neuron(2)
    neuron.weight = [[1.0, 2.0]]
    neuron.bias[0] = 3.0
    assert [p.data for p in neuron.parameters()] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("engine", ["eager", "auto"])
def test_reading_and_setting_between_trainings_are_seen_by_both_sides(engine):
    X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.2]], [1.0, 0.0, 0.5, 0.2]
    models = [MLP(2, [8, 1], activation="tanh", rng=random.Random(0)) for _ in range(2)]
    for model in models:
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
        for step in range(3):
            fit(model, X, y, loss="mse_loss", optimizer=optimizer, epochs=2, batch_size=2, rng=random.Random(step),
                engine=engine)  # fmt: skip
            if model is models[0]:
                assert same(model.layers[0].weight, in_values(model.layers[0]))
                model.layers[0].weight *= 0.5
                model.layers[0].weight[0, 1] = 2.0
                model.layers[1].bias[0] += 1.0
            else:
                for w in (w for neuron in model.layers[0].neurons for w in neuron.w):
                    w.data *= 0.5
                model.layers[0].neurons[0].w[1].data = 2.0
                model.layers[1].neurons[0].b.data += 1.0
    assert models[0].state_dict() == models[1].state_dict()


def test_without_numpy_it_is_a_sentence_and_the_rest_goes_on():
    program = """
import sys
sys.modules["numpy"] = None
from nn import MLP
model = MLP(2, [3, 1])
model.load_state_dict(model.state_dict())
for use in (lambda: model.layers[0].weight, lambda: setattr(model.layers[0], "bias", [0.0] * 3),
            lambda: model.state_dict(arrays=True), lambda: model.load_state_dict({"weight": [[1.0, 2.0]]})):
    try:
        use()
    except ImportError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    needed = "needs NumPy, which is not installed: pip install numpy, or use"
    assert run.stdout.splitlines() == [
        f"Layer.weight {needed} layer.neurons[i].w",
        f"Layer.bias {needed} layer.neurons[i].b",
        f"state_dict(arrays=True) {needed} state_dict(), which has a float for each name",
        f"load_state_dict with arrays {needed} numbers by the names of state_dict()",
    ]


def test_nested_models_have_them_too():
    model = Sequential(Sequential(Layer(2, 2)))
    model.layers[0].layers[0].weight[:] = np.eye(2)
    assert same(in_values(model.layers[0].layers[0]), np.eye(2))


# What looks like writing, and would be lost


@pytest.mark.parametrize(
    "shuffle",
    [
        lambda w: np.random.default_rng(0).shuffle(w),
        lambda w: np.random.RandomState(0).shuffle(w),
        lambda w: random.Random(0).shuffle(w),
    ],
)
@pytest.mark.filterwarnings("ignore:you are shuffling")
def test_a_shuffle_that_would_lose_rows_is_refused_and_loses_none(shuffle):
    layer, numbers = layer_of(np.arange(12.0).reshape(4, 3)), np.arange(12.0).reshape(4, 3)
    with pytest.raises(ValueError, match=r"would lose a row, .* weight\[\.\.\.\] = rng\.permutation\(weight\)"):
        shuffle(layer.weight)
    assert same(layer.weight, numbers)
    layer.weight[...] = np.random.default_rng(0).permutation(layer.weight)
    assert same(layer.weight, np.random.default_rng(0).permutation(numbers))


def test_rows_may_be_copied_there_and_back():
    layer, mirror = layer_of(np.arange(12.0).reshape(4, 3)), np.arange(12.0).reshape(4, 3)
    for w in (layer.weight, mirror):
        w[0] = w[1]
        w[1] = w[0]
        w[2], w[3] = w[1], w[2]
        w[[0, 1]] = w[[1, 0]]
    assert same(layer.weight, mirror)


@pytest.mark.parametrize("method", ["mean", "std", "var", "sum", "max", "prod"])
def test_the_out_of_a_method_is_refused_and_nothing_written(method):
    layer, numbers = layer_of(np.ones((3, 3))), np.arange(9.0).reshape(3, 3)
    for array in (numbers, layer.weight):
        with pytest.raises(TypeError, match=r"bias cannot be out= of an array's method: write bias\[\.\.\.\] ="):
            getattr(array, method)(axis=0, out=layer.bias)
    assert same(layer.bias, np.zeros(3))
    getattr(np, method)(numbers, axis=0, out=layer.bias)
    assert same(layer.bias, getattr(numbers, method)(axis=0))


@pytest.mark.parametrize("number", [10**400, -(10**400), Decimal("1e400"), np.longdouble("1e400")])
def test_a_number_beyond_floats_is_refused_as_numpy_does(number):
    layer = layer_of(np.ones((2, 2)))

    def by_index():
        layer.weight[0, 0] = number

    for change in (by_index, lambda: layer.weight.assign([[number, 1.0], [1.0, 1.0]])):
        with pytest.raises(OverflowError, match=r"weight takes numbers that a float can hold, up to 1\.8e308; got"):
            change()
    assert same(layer.weight, np.ones((2, 2)))
    layer.weight[0, 0] = Decimal("inf")
    assert layer.weight[0, 0] == np.inf


def test_what_an_array_has_is_there_for_completion_and_works():
    weight = layer_of(np.ones((2, 2))).weight
    assert {"mean", "T", "grad", "assign", "reshape", "shape"} <= set(dir(weight))
    for name in dir(weight):
        getattr(weight, name)
    with pytest.raises(AttributeError, match="weight has no resize"):
        weight.resize(4)
