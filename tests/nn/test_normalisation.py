"""Do the normalising layers compute what PyTorch's do, with right gradients, and keep their running statistics?"""

import copy
import json
import math
import pickle
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import autograd
import nn
from autograd import Value, no_grad
from autograd.testing import gradcheck
from nn import (
    SGD,
    BatchNorm,
    CheckpointError,
    Dropout,
    Layer,
    LayerNorm,
    Module,
    ReLU,
    RMSNorm,
    Sequential,
    checkpoint,
    evaluate,
    fit,
    load,
    mse_loss,
    predict,
    save,
)
from tests.nn.make_pytorch_figures import BASE_LR, FEATURES, FIGURES, LAYER_CASES, STEPS, batch, counted

PYTORCH = json.loads(FIGURES.read_text(encoding="utf-8"))
EQUAL = 1e-10
LAYERS = [BatchNorm, LayerNorm, RMSNorm]
few = settings(max_examples=5)  # each is a gradcheck, 10 to 100 ms; Hypothesis draws others in every run
numbers = st.floats(-100.0, 100.0)

every_layer = pytest.mark.parametrize("cls", LAYERS)


def data(outputs):
    return [data(y) for y in outputs] if isinstance(outputs, list) else getattr(outputs, "data", outputs)


def loss_of(outputs):
    """A made-up loss in which every output counts differently."""
    pairs = zip(outputs, counted(outputs), strict=True)
    return autograd.sum([y * weight for row, weights in pairs for y, weight in zip(row, weights, strict=True)])


def close(expected, scale=1.0):
    return pytest.approx(expected, rel=EQUAL, abs=EQUAL * scale)


def tables(least_rows=2):
    return st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=least_rows, max_size=4)
    )


# Against PyTorch


@pytest.mark.parametrize(
    ("name", "options", "figures"),
    [(*case, figures) for case, figures in zip(LAYER_CASES, PYTORCH["layers"], strict=True)],
    ids=[f"{n}-{o}" for n, o in LAYER_CASES],
)
def test_outputs_gradients_and_running_statistics_are_pytorchs_over_100_steps(name, options, figures):
    layer = getattr(nn, name)(FEATURES, **options)
    for step in range(1, STEPS + 1):
        rows = [[Value(x) for x in row] for row in batch(step)]
        outputs = layer(rows)
        layer.zero_grad()
        loss_of(outputs).backward()
        for parameter in layer.parameters():
            parameter.data -= BASE_LR * parameter.grad
        if str(step) in figures:
            assert_same(layer, outputs, rows, figures[str(step)])
    outputs = data(layer.eval()(batch(0)))
    for row, expected in zip(outputs, figures["evaluation"], strict=True):
        assert row == close(expected)


def assert_same(layer, outputs, rows, figures):
    slopes = [[x.grad for x in row] for row in rows]
    steepest = [max(abs(row[k]) for row in figures["gradients"]) for k in range(FEATURES)]
    for k in range(FEATURES):  # a gradient is a difference of terms as large as the steepest
        assert [row[k].data for row in outputs] == close([row[k] for row in figures["outputs"]])
        assert [row[k] for row in slopes] == close([row[k] for row in figures["gradients"]], scale=steepest[k])
    assert layer.state_dict() == close(flat_state(figures["state"]))


def flat_state(state):
    """PyTorch's state_dict with a name for each number."""
    numbers = {}
    for name, held in state.items():
        numbers |= {f"{name}.{i}": x for i, x in enumerate(held)} if isinstance(held, list) else {name: held}
    return numbers


# By their definition


@given(tables())
def test_in_training_a_feature_has_mean_0_and_variance_1_over_the_batch(rows):
    outputs = BatchNorm(len(rows[0]), eps=1e-12, affine=False).forward_batch(rows)
    for column, normalised in zip(zip(*rows, strict=True), zip(*outputs, strict=True), strict=True):
        if statistics.pstdev(column) > 1e-3:
            assert statistics.fmean(normalised) == pytest.approx(0.0, abs=1e-9)
            assert statistics.pstdev(normalised) == pytest.approx(1.0, rel=1e-5)


@given(tables(), st.sampled_from([0.0, 0.1, 0.5, 1.0, None]))
def test_the_running_statistics_are_means_of_the_batches_own(rows, momentum):
    layer = BatchNorm(len(rows[0]), momentum=momentum)
    batches = [rows, [[2.0 * x + 1.0 for x in row] for row in rows], rows[::-1]]
    mean, variance = layer.running_mean[0], layer.running_var[0]
    for seen, examples in enumerate(batches, 1):
        layer.forward_batch(examples)
        column = [row[0] for row in examples]
        share = 1.0 / seen if momentum is None else momentum
        mean += share * (statistics.fmean(column) - mean)
        variance += share * (statistics.variance(column) - variance)  # with 1 / (n - 1)
    assert layer.num_batches_tracked == 3
    assert layer.running_mean[0] == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert layer.running_var[0] == pytest.approx(variance, rel=1e-9, abs=1e-9)


@every_layer
def test_equal_numbers_come_out_as_the_bias(cls):
    layer = cls(2)
    for parameter, number in zip(layer.parameters(), [2.0, 3.0, 0.25, -0.5], strict=False):
        parameter.data = number
    rows = data(layer([[7.0, 7.0], [7.0, 7.0]]))
    assert rows[0] == (pytest.approx([2.0, 3.0]) if cls is RMSNorm else [0.25, -0.5])


def test_in_evaluation_an_example_does_not_depend_on_the_others():
    layer = BatchNorm(2)
    layer([[1.0, 5.0], [3.0, 9.0]])
    layer.eval()
    before = layer.state_dict()
    alone = data(layer([2.0, 2.0]))
    assert data(layer([[2.0, 2.0], [100.0, -100.0]]))[0] == alone
    assert data(layer([[2.0, 2.0]])) == [alone]
    expected = [(2.0 - m) / math.sqrt(v + 1e-5) for m, v in zip(layer.running_mean, layer.running_var, strict=True)]
    assert alone == pytest.approx(expected)
    assert layer.state_dict() == before


@pytest.mark.parametrize("cls", [LayerNorm, RMSNorm])
def test_layers_that_look_at_one_example_compute_the_same_in_both_modes(cls):
    layer = cls(2)
    rows = [[1.0, 4.0], [-2.0, 0.5]]
    training = data(layer(rows))
    assert data(layer.eval()(rows)) == training == [data(layer(row)) for row in rows]


def test_rmsnorms_own_eps_is_the_machine_epsilon():
    x = [1e-9, 2e-9]
    assert data(RMSNorm(2)(x)) == pytest.approx([v / math.sqrt(2.5e-18 + 2.0**-52) for v in x], rel=EQUAL)


@every_layer
def test_without_affine_nothing_is_learned_and_plain_numbers_stay_plain(cls):
    layer = cls(2, affine=False)
    assert layer.parameters() == []
    assert {type(y) for row in layer([[1, 2], [3, 5]]) for y in row} == {float}


def test_parameters_and_buffers_have_pytorchs_names():
    assert list(BatchNorm(1).state_dict()) == ["weight.0", "bias.0", "running_mean.0", "running_var.0",
                                               "num_batches_tracked"]  # fmt: skip
    assert list(LayerNorm(1).state_dict()) == ["weight.0", "bias.0"]
    assert list(RMSNorm(1).state_dict()) == ["weight.0"]


def test_a_batch_statistic_is_one_node():
    rows = [[Value(float(i))] for i in range(5)]
    output = BatchNorm(1)(rows)[0]
    names = [node.operation for node in autograd.graph.topological_order(output) if node.operation]
    assert (names.count("mean"), names.count("dot"), names.count("sub")) == (1, 1, 5)


# Gradients


def shaped(xs, width):
    return [list(xs[i : i + width]) for i in range(0, len(xs), width)]


@every_layer
@pytest.mark.parametrize("training", [True, False])
@few
@given(tables(), st.booleans(), st.sampled_from([1e-5, 0.1, 2.0]))
def test_the_gradient_of_the_inputs_is_right(cls, training, rows, affine, eps):
    layer = cls(len(rows[0]), eps=eps, affine=affine).train(training)
    gradcheck(lambda xs: loss_of(layer.forward_batch(xs)), rows)


@every_layer
@pytest.mark.parametrize("training", [True, False])
@few
@given(tables(), st.integers(0, 2**32))
def test_the_gradient_of_weights_and_biases_is_right(cls, training, rows, seed):
    layer, rng = cls(len(rows[0])), random.Random(seed)
    for parameter in layer.parameters():
        parameter.data = rng.gauss(0.0, 1.0)
    gradcheck(lambda model: loss_of(model.forward_batch(rows)), layer.train(training))


@every_layer
@pytest.mark.parametrize("training", [True, False])
def test_the_gradients_of_a_network_with_the_layer_are_right(cls, training):
    rng = random.Random(0)
    model = Sequential(Layer(2, 3, nonlin=False, rng=rng), cls(3), ReLU(), Layer(3, 1, nonlin=False, rng=rng))
    rows, targets = [[1.0, -2.0], [0.5, 3.0], [-1.5, 0.25]], [1.0, -1.0, 0.5]
    gradcheck(lambda network: mse_loss(network(rows), targets), model.train(training))


@every_layer
def test_second_derivatives_are_right(cls):
    layer = cls(1 if cls is BatchNorm else 3)
    width = layer.num_features
    gradcheck(lambda *xs: loss_of(layer.forward_batch(shaped(xs, width))), (1.0, -0.5, 2.5), order=2)


def test_gradients_flow_through_the_batchs_mean_and_variance():
    rows = [[Value(x)] for x in (1.0, 2.0, 4.0)]
    autograd.sum(BatchNorm(1)(rows)).backward()
    assert [row[0].grad for row in rows] == pytest.approx([0.0] * 3, abs=1e-12)  # the outputs' sum is always 0
    rows = [[Value(x)] for x in (1.0, 2.0, 4.0)]
    BatchNorm(1)(rows)[0].backward()
    assert all(row[0].grad for row in rows)  # each example moves the others


# Saving, copying, training, drawing


def seen(layer):
    """A layer that has seen a batch, or is as new where it keeps nothing."""
    layer.forward_batch([[1.0 + k for k in range(layer.num_features)], [0.1 * k for k in range(layer.num_features)]])
    for number, parameter in enumerate(layer.parameters(), 1):
        parameter.data = number / 3.0
    return layer


SEEN = [
    seen(BatchNorm(2)),
    seen(BatchNorm(3, eps=0.25, momentum=None, affine=False)),
    seen(LayerNorm(2)),
    seen(LayerNorm(3, eps=0.5, affine=False)),
    seen(RMSNorm(2)),
    seen(RMSNorm(3, eps=0.5, affine=False)),
]
copies = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "state_dict": lambda model: loaded(checkpoint.build(checkpoint.describe(model)), model.state_dict()),
    "json": lambda model: loaded(
        checkpoint.build(checkpoint.describe(model)), json.loads(json.dumps(model.state_dict()))
    ),
}


def loaded(model, state):
    model.load_state_dict(state)
    return model


def kept(model):
    """Every number that the model keeps, to the bit."""
    return [(name, number.hex()) for name, number in model.state_dict().items()]


@pytest.mark.parametrize("layer", SEEN, ids=lambda layer: f"{layer!r}-{layer.affine}")
@pytest.mark.parametrize("name", copies)
def test_a_copy_has_the_same_numbers_and_goes_on_alone(layer, name):
    model = Sequential(Layer(2, layer.num_features, rng=random.Random(0)), copy.deepcopy(layer))
    before = kept(model)
    other = copies[name](model)
    assert kept(other) == before
    rows = [[1.0, 2.0], [3.0, -1.0]]
    assert data(other(rows)) == data(model.train()(rows))
    assert kept(other) == kept(model)
    other(rows[::-1] * 2)
    if isinstance(layer, BatchNorm):
        assert kept(other) != kept(model)


@pytest.mark.parametrize("layer", SEEN, ids=lambda layer: f"{layer!r}-{layer.affine}")
@pytest.mark.parametrize("around", [lambda layer: layer, lambda layer: Sequential(Layer(2, layer.num_features), layer)])
def test_a_checkpoint_keeps_parameters_and_buffers_to_the_bit(layer, around, tmp_path):
    model, path = around(layer), tmp_path / "model.json"
    save(model, path)
    other = load(path)
    assert kept(other) == kept(model)
    assert checkpoint.describe(other) == checkpoint.describe(model)
    rows = [[1.0 + k for k in range(layer.num_features if model is layer else 2)]]
    assert predict(other, rows) == predict(model, rows)


def test_a_checkpoint_of_before_there_were_buffers_still_loads(tmp_path):
    path = tmp_path / "model.json"
    path.write_text(
        '{"format": "scalar-autograd checkpoint", "version": 1, "model": {"class": "MLP", "arguments": {"nin": 1, '
        '"nouts": [1], "activation": "relu", "dropout": 0.0, "expanded": false}}, "parameters": '
        '{"layers.0.neurons.0.w.0": 0.5, "layers.0.neurons.0.b": 2.0}, "metadata": {}}',
        encoding="utf-8",
    )
    assert predict(load(path), [[3.0]]) == [3.5]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"class": "BatchNorm", "arguments": {"num_features": 10**12}},
            "ask for 2000000000000 parameters; the file has",
        ),
        (
            {"class": "LayerNorm", "arguments": {"num_features": 10**12}},
            "ask for 2000000000000 parameters; the file has",
        ),
        ({"class": "RMSNorm", "arguments": {"num_features": 10**12}}, "ask for 1000000000000 parameters; the file has"),
        (
            {"class": "Embedding", "arguments": {"num_embeddings": 10**6, "embedding_dim": 10**6}},
            "ask for 1000000000000 parameters; the file has",
        ),
        ({"class": "BatchNorm", "arguments": {"num_features": -1}}, "at least 1; got -1"),
        ({"class": "BatchNorm", "arguments": {"num_features": "2"}}, "takes a whole number"),
        ({"class": "Embedding", "arguments": {"num_embeddings": 2}}, "embedding_dim"),
        ({"class": "LayerNorm", "arguments": {}}, "num_features"),
    ],
)
def test_a_hostile_file_is_refused_before_it_takes_memory(arguments, sentence, tmp_path):
    path = tmp_path / "model.json"
    save(BatchNorm(1), path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "model": arguments}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=sentence):
        load(path)


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        ({"num_batches_tracked": 1.5}, ValueError, "a whole number of at least 0 for 'num_batches_tracked'; got 1.5"),
        ({"num_batches_tracked": -1}, ValueError, "a whole number of at least 0 for 'num_batches_tracked'; got -1"),
        ({"num_batches_tracked": math.nan}, ValueError, "a whole number of at least 0"),
        (
            {"running_mean.0": "x"},
            TypeError,
            r"takes a number for each parameter; got 'x' \(str\) for 'running_mean.0'",
        ),
        (
            {"running_mean.2": 1.0},
            KeyError,
            "has 1 names that are no parameters of the model, such as 'running_mean.2'",
        ),
    ],
)
def test_a_state_dict_with_wrong_buffers_is_refused_and_changes_nothing(change, kind, sentence):
    layer = BatchNorm(2)
    before = kept(layer)
    with pytest.raises(kind, match=sentence):
        layer.load_state_dict({**dict.fromkeys(layer.state_dict(), 7.0), **change})
    assert kept(layer) == before


def test_a_state_dict_without_the_buffers_is_refused():
    with pytest.raises(
        KeyError, match="lacks 5 of the model's 9 parameters and buffers, such as 'num_batches_tracked'"
    ):
        BatchNorm(2).load_state_dict(LayerNorm(2).state_dict())


def test_buffers_are_no_parameters():
    model = Sequential(Layer(1, 2), BatchNorm(2))
    assert len(model.parameters()) == 8
    assert dict(model.named_buffers()) == {
        "layers.1.running_mean.0": 0.0,
        "layers.1.running_mean.1": 0.0,
        "layers.1.running_var.0": 1.0,
        "layers.1.running_var.1": 1.0,
        "layers.1.num_batches_tracked": 0,
    }
    assert list(Sequential(Layer(1, 2), Dropout(0.5)).named_buffers()) == []


def test_a_module_of_ones_own_can_have_buffers():
    class Counting(Module):
        buffer_names = ("seen", "largest")

        def __init__(self):
            self.seen, self.largest = 0, [-math.inf]

        def forward(self, row):
            self.seen += 1
            self.largest[0] = max(self.largest[0], *row)
            return row

    first, second = Counting(), Counting()
    first([[1.0, 5.0], [2.0, 3.0]])
    second.load_state_dict(first.state_dict())
    assert (second.seen, second.largest, type(second.seen)) == (2, [5.0], int)


@every_layer
def test_a_network_with_the_layer_learns(cls):
    rng = random.Random(1)
    model = Sequential(Layer(1, 8, rng=rng), cls(8), ReLU(), Layer(8, 1, nonlin=False, rng=rng))
    X = [[x / 8.0] for x in range(-16, 16)]
    Y = [math.sin(x) for (x,) in X]
    history = fit(model, X, Y, loss="mse_loss", optimizer=SGD(model.parameters(), lr=0.05), epochs=60, batch_size=8,
                  rng=random.Random(0), progress=False)  # fmt: skip
    assert history.loss[-1] < 0.1 * history.loss[0]
    assert evaluate(model, X, Y, loss="mse_loss")["loss"] < 0.1


def test_running_statistics_are_kept_without_a_graph_too():
    layer = BatchNorm(1)
    with no_grad():
        layer([[1.0], [3.0]])
    assert layer.running_mean == [pytest.approx(0.2)]


@every_layer
def test_a_network_with_the_layer_is_drawn_and_summed_up(cls):
    model = Sequential(Layer(2, 3), cls(3), Layer(3, 1))
    assert autograd.draw(model).source
    assert cls.__name__ in model.summary()
    loss = mse_loss(model([[1.0, 2.0], [3.0, 4.0]]), [1.0, 2.0])
    loss.backward()
    assert "layers.1" in autograd.draw(loss, model=model).source
    assert cls(3).summary().endswith(f"{len(cls(3).parameters()):,}")
    assert repr(cls(3)) == f"{cls.__name__}(3)"


def test_a_table_of_numpy_is_a_batch():
    layer = BatchNorm(2)
    assert data(layer(np.array([[1, 2], [3, 5]]))) == data(BatchNorm(2)([[1.0, 2.0], [3.0, 5.0]]))
    assert {type(x) for x in (*layer.running_mean, *layer.running_var)} == {float}


# Bad input


@pytest.mark.parametrize(
    "call", [lambda m: m([1.0, 2.0]), lambda m: m([[1.0, 2.0]]), lambda m: Sequential(m)([1.0, 2.0]),
             lambda m: Sequential(Layer(1, 2), m)([[1.0]])]
)  # fmt: skip
def test_batchnorm_in_training_needs_a_batch_and_says_so(call):
    layer = BatchNorm(2)
    before = kept(layer)
    with pytest.raises(
        ValueError, match=r"^BatchNorm in training takes a batch of at least 2 examples, .* got one: .*eval"
    ):
        call(layer)
    assert kept(layer) == before


def test_a_batch_without_examples_gives_none():
    layer = BatchNorm(2)
    assert layer.forward_batch([]) == []
    assert layer.num_batches_tracked == 0


@every_layer
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("rows", "kind", "sentence"),
    [
        ([[1.0, 2.0], [1.0, 2.0, 3.0]], ValueError, r"\(2\) takes 2 inputs; got an example of 3"),
        ([[1.0], [1.0]], ValueError, r"\(2\) takes 2 inputs; got an example of 1"),
        ([[1.0, 2.0], [1.0, "a"]], TypeError, r"takes numbers or Values; got 'a' \(str\)"),
        ([[1.0, 2.0], [1.0, None]], TypeError, r"takes numbers or Values; got None \(NoneType\)"),
    ],
)
def test_an_example_that_does_not_fit_is_refused_and_changes_nothing(cls, training, rows, kind, sentence):
    layer = cls(2).train(training)
    before = kept(layer)
    with pytest.raises(kind, match=cls.__name__ + sentence if sentence.startswith(r"\(") else sentence):
        layer(rows)
    assert kept(layer) == before


@every_layer
@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"num_features": 0}, ValueError, "num_features takes a whole number of at least 1; got 0"),
        ({"num_features": 2.5}, TypeError, r"num_features takes a whole number; got 2.5 \(float\)"),
        ({"num_features": 2, "eps": -1.0}, ValueError, "takes a number of at least 0 for eps; got -1.0"),
        ({"num_features": 2, "eps": math.nan}, ValueError, "takes a number of at least 0 for eps; got nan"),
        ({"num_features": 2, "eps": "x"}, TypeError, r"takes a number for eps; got 'x' \(str\)"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(cls, options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        cls(**options)


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"eps": 0.0}, ValueError, "BatchNorm takes an eps above 0"),
        ({"momentum": 1.5}, ValueError, "BatchNorm takes a number from 0 to 1.0 for momentum; got 1.5"),
        ({"momentum": "x"}, TypeError, "BatchNorm takes a number for momentum; got 'x'"),
        ({"momentum": True}, TypeError, "BatchNorm takes a number for momentum; got True"),
    ],
)
def test_batchnorms_own_arguments_are_checked(options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        BatchNorm(2, **options)


def test_numbers_beyond_the_range_raise_nothing():
    for row in ([1e300, -1e300], [math.inf, 1.0], [math.nan, 1.0], [5e-324, -5e-324]):
        for cls in LAYERS:
            loss = loss_of(cls(2)([[Value(x) for x in row], [Value(1.0), Value(2.0)]]))
            loss.backward()
