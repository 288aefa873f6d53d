"""Do a model and PyTorch's of the same numbers compute, learn and remember the same?"""

import copy
import pickle
import random
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import autograd
import nn
from autograd import Value
from nn import (
    ELU,
    GELU,
    MLP,
    BatchNorm,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    Module,
    Neuron,
    RMSNorm,
    Sequential,
    Softmax,
    Softplus,
    Standardize,
    Tanh,
    to_torch,
)
from nn.activations import ACTIVATIONS
from tests.nn.random_models import models

NEAR = 1e-12


def test_without_pytorch_it_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"nn\.to_torch needs PyTorch, which is not installed: pip install torch"):
        to_torch(MLP(1, [1]))


torch = pytest.importorskip("torch")
few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def tensor(rows):
    return torch.tensor(rows, dtype=torch.float64)


def outputs(model, rows):
    """The outputs as Values or numbers, a list for each example."""
    return [y if isinstance(y, list) else [y] for y in model(rows)]


def numbers(rows):
    return np.array([[getattr(y, "data", y) for y in row] for row in rows], np.float64).reshape(len(rows), -1)


def assert_near(ours, theirs):
    theirs = theirs.detach().numpy() if hasattr(theirs, "detach") else theirs
    assert np.shape(ours) == np.shape(theirs)
    scale = np.maximum(1.0, np.abs(theirs))
    assert np.all((np.abs(ours - theirs) <= NEAR * scale) | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))


def examples(width, count, seed=0):
    rng = random.Random(seed)
    return [[rng.gauss(0.0, 2.0) for _ in range(width)] for _ in range(count)]


def same_state(model, module):
    ours, theirs = model.state_dict(arrays=True), module.state_dict()
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        assert array.dtype == theirs[name].numpy().dtype
        assert_near(array, theirs[name])


@few
@given(models, st.integers(0, 2**32))
def test_random_models_compute_the_same_and_come_back(drawn, seed):
    model, width = drawn
    model.eval()
    X = examples(width, 3, seed)
    module = to_torch(model)
    theirs = module(tensor(X))
    assert_near(numbers(outputs(model, X)), theirs)
    before = model.state_dict()
    same_state(model, module)
    model.load_state_dict(dict.fromkeys(before, 1.0))
    model.load_state_dict(module.state_dict())
    assert model.state_dict() == before
    assert_near(pickle.loads(pickle.dumps(module))(tensor(X)).detach().numpy(), theirs)
    assert_near(copy.deepcopy(module)(tensor(X)).detach().numpy(), theirs)


def draws_nothing(model):
    """Whether no dropout draws masks, which each side would draw by itself."""
    return not any(isinstance(module, Dropout) and 0.0 < module.p < 1.0 for module in model.modules())


@few
@given(models.filter(lambda drawn: draws_nothing(drawn[0])), st.integers(0, 2**32), st.booleans())
def test_gradients_and_batch_statistics_are_the_same(drawn, seed, training):
    model, width = drawn
    model.train(training)
    module = to_torch(model)
    assert module.training == training
    for step in range(2):
        X = examples(width, 4, seed + step)
        ours, theirs = outputs(model, X), module(tensor(X))
        if not np.all(np.isfinite(numbers(ours))) or np.abs(numbers(ours)).max(initial=0.0) > 1e3:
            return
        assert_near(numbers(ours), theirs)
        same_state(model, module)
        loss = autograd.sum([y * y for row in ours for y in row])
        if isinstance(loss, Value) and loss.parents and model.parameters():
            model.zero_grad()
            module.zero_grad()
            loss.backward()
            (theirs * theirs).sum().backward()
            _same_gradients(model, module)


def _same_gradients(model, module):
    after = copy.deepcopy(model)
    for (_, value), (_, kept) in zip(model.named_parameters(), after.named_parameters(), strict=True):
        kept.data = value.grad
    ours = after.state_dict(arrays=True)
    for name, parameter in module.named_parameters():
        theirs = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
        scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
        assert np.abs(ours[name] - theirs).max(initial=0.0) <= 1e-10 * scale


NETS = {
    "relu": lambda: MLP(3, [5, 4, 2], rng=random.Random(1)),
    **{name: lambda name=name: MLP(3, [5, 2], activation=name, rng=random.Random(1)) for name in ACTIVATIONS},
    "one output": lambda: MLP(3, [4, 1], activation="tanh", rng=random.Random(1)),
    "normalised": lambda: Sequential(
        Standardize([0.1, -0.2, 0.3], [2.0, 1.5, 0.5]),
        Layer(3, 4, activation="linear", rng=random.Random(1)),
        BatchNorm(4),
        Tanh(),
        LayerNorm(4),
        Layer(4, 3, activation="gelu", rng=random.Random(2)),
        RMSNorm(3),
        BatchNorm(3, momentum=None),
        Sequential(Layer(3, 2, nonlin=False, rng=random.Random(3))),
    ),
}


def train_ours(model, X, Y, steps, optimizer=None):
    optimizer = optimizer or nn.SGD(model.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.mse_loss(outputs(model, X), Y).backward()
        optimizer.step()


def train_theirs(module, X, Y, steps, optimizer=None):
    optimizer = optimizer or torch.optim.SGD(module.parameters(), lr=0.05)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(module(tensor(X)), tensor(Y)).backward()
        optimizer.step()


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_trained_in_pytorch_loaded_here_and_trained_on_on_both_sides(make):
    model, X = make(), examples(3, 6)
    Y = [[x[0] * x[1], x[2]][: len(outputs(copy.deepcopy(model).eval(), X)[0])] for x in X]
    module = to_torch(model)
    train_theirs(module, X, Y, 10)
    model.load_state_dict(module.state_dict())
    train_theirs(module, X, Y, 5)
    train_ours(model, X, Y, 5)
    same_state(model, module)
    assert_near(numbers(outputs(model.eval(), X)), module.eval()(tensor(X)))


@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
def test_trained_here_taken_to_pytorch_and_trained_on_on_both_sides(make):
    model, X = make(), examples(3, 6)
    Y = [[x[0] * x[1], x[2]][: len(outputs(copy.deepcopy(model).eval(), X)[0])] for x in X]
    train_ours(model, X, Y, 10)
    module = to_torch(model)
    assert_near(numbers(outputs(copy.deepcopy(model).eval(), X)), copy.deepcopy(module).eval()(tensor(X)))
    # A bias before BatchNorm has the gradient 0, which is rounding noise; Adam would make whole steps of it.
    name, options = ("SGD", {"momentum": 0.9}) if isinstance(model.layers[-1], Sequential) else ("Adam", {})
    train_theirs(module, X, Y, 5, getattr(torch.optim, name)(module.parameters(), lr=0.01, **options))
    train_ours(model, X, Y, 5, getattr(nn, name)(model.parameters(), lr=0.01, **options))
    same_state(model, module)


@pytest.mark.parametrize("engine", ["eager", "auto"])
def test_what_fit_has_trained_goes_to_pytorch(engine):
    model, X = MLP(3, [6, 2], activation="silu", dropout=0.25, rng=random.Random(0)), examples(3, 12)
    nn.fit(model, X, [[x[0], x[1]] for x in X], loss="mse_loss", optimizer=nn.Adam(model.parameters(), lr=0.01),
           epochs=3, batch_size=4, rng=random.Random(0), engine=engine)  # fmt: skip
    assert_near(numbers(nn.predict(model, X)), to_torch(model)(tensor(X)))


class Handwritten(torch.nn.Module):
    """As people write it, in single precision."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh())
        self.middle = torch.nn.Linear(4, 4)
        self.after = torch.nn.Linear(4, 4)
        self.head = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.after(torch.tanh(self.middle(self.body(x))))))


def counterpart():
    tanh = {"activation": "tanh"}
    return Sequential(
        Layer(3, 4, nonlin=False),
        BatchNorm(4),
        Tanh(),
        Layer(4, 4, **tanh),
        Layer(4, 4, **tanh),
        Layer(4, 2, nonlin=False),
    )


def test_a_network_with_names_of_its_own_comes_here_exactly(tmp_path):
    torch.manual_seed(0)
    theirs, X = Handwritten(), examples(3, 5)
    theirs(torch.tensor(X))  # moves the running statistics
    torch.save(theirs.state_dict(), tmp_path / "weights.pt")
    model = counterpart()
    model.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert_near(numbers(outputs(model.eval(), X)), theirs.double().eval()(tensor(X)))
    for name, parameter in model.state_dict(arrays=True).items():
        assert np.array_equal(parameter.astype(np.float32), parameter), name
    with pytest.raises(KeyError, match="'after' and 'middle' have the same shapes"):
        model.load_state_dict(dict(sorted(theirs.state_dict().items())))


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16"])
def test_files_of_pytorchs_safetensors_are_read_exactly(kind, tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2)).to(getattr(torch, kind))
    save_file(theirs.state_dict(), tmp_path / "foreign.safetensors")
    model = MLP(2, [2, 2])
    model.load_state_dict(nn.read_arrays(tmp_path / "foreign.safetensors"))
    X = examples(2, 4)
    assert_near(numbers(outputs(model, X)), theirs.double()(tensor(X)))
    direct = MLP(2, [2, 2])
    direct.load_state_dict(theirs.state_dict())
    assert direct.state_dict() == model.state_dict()


def test_pytorch_reads_our_safetensors(tmp_path):
    load_file = pytest.importorskip("safetensors.torch").load_file
    model = Sequential(MLP(2, [3, 2]), BatchNorm(2))
    nn.save(model, tmp_path / "ours.safetensors")
    module = to_torch(Sequential(MLP(2, [3, 2]), BatchNorm(2)))
    module.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    same_state(model, module)


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16", "int64", "bool"])
@pytest.mark.parametrize("grad", [False, True])
def test_tensors_of_every_kind_are_taken_by_a_layer(kind, grad):
    weight = torch.tensor([[0.1, 1.0, 2.5]]).to(getattr(torch, kind))
    weight = weight.requires_grad_() if grad and weight.is_floating_point() else weight
    layer = Layer(3, 1)
    layer.weight = weight
    layer.bias[0] = weight[0, 1]
    assert np.asarray(layer.weight).tolist() == weight.detach().double().numpy().tolist()
    with torch.no_grad():
        other = torch.zeros(1, 3, dtype=torch.float64)
        other.copy_(torch.tensor(layer.weight))
    assert other.tolist() == layer.weight.tolist()


@pytest.mark.parametrize(
    "wrong", [torch.ones(1, 3) * 1j, torch.ones(1, 3).to_sparse(), torch.ones(1, 3, device="meta")]
)
def test_tensors_without_real_numbers_are_refused(wrong):
    layer = Layer(3, 1)
    before = layer.state_dict()
    with pytest.raises(TypeError, match=r"weight takes (real|an array of) numbers"):
        layer.weight = wrong
    with pytest.raises(TypeError, match=r"'weight' takes (real|an array of) numbers"):
        layer.load_state_dict({"weight": wrong, "bias": torch.ones(1)})
    assert layer.state_dict() == before


OF_A_GPT = {nn.GPT, nn.Block, nn.MultiHeadAttention}
"""What torch.nn does not have in this form: causal, without biases, and with RMSNorm."""


def test_every_public_layer_has_a_counterpart():
    from nn.exchange.pytorch import _COUNTERPARTS

    public = {cls for cls in vars(nn).values() if isinstance(cls, type) and issubclass(cls, Module)}
    assert public - {Module, Sequential, MLP, *OF_A_GPT} == set(_COUNTERPARTS)


@pytest.mark.parametrize("model", [nn.GPT(3, 4, 2), nn.Block(4, 2), nn.MultiHeadAttention(4, 2)], ids=repr)
def test_the_parts_of_a_gpt_are_refused_with_what_to_do(model):
    with pytest.raises(TypeError, match=r"no counterpart of the module \w+\(.*write that part .* state_dict"):
        to_torch(model)


ACTIVATION_MODELS = [
    *(Softplus(), ELU(0.5), GELU(), GELU("tanh"), LeakyReLU(0.3)),
    *(Neuron(1, activation=name, init=lambda *_: 1.0) for name in ACTIVATIONS),
]


@pytest.mark.parametrize("x", [-1000.0, -30.0, -1e-9, 0.0, 1e-9, 19.0, 21.0, 30.0, 99.0, 101.0, 1000.0])
@pytest.mark.parametrize("model", ACTIVATION_MODELS, ids=repr)
def test_activations_agree_over_the_whole_range(model, x):
    assert_near(numbers(outputs(model, [[x]])), to_torch(model)(tensor([[x]])))


def test_embeddings_take_whole_numbers_and_put_vectors_end_to_end():
    for model in (Embedding(5, 2), Sequential(Embedding(5, 2), Layer(4, 3, activation="tanh"))):
        module = to_torch(model)
        X = [[1, 4], [0, 0]]
        theirs = module(torch.tensor(X))
        assert_near(numbers(outputs(model, X)), theirs)
        autograd.sum([y * y for row in outputs(model, X) for y in row]).backward()
        (theirs * theirs).sum().backward()
        _same_gradients(model, module)


def test_dropout_is_in_the_same_places_and_modes():
    module = to_torch(Sequential(MLP(2, [3, 3, 1], dropout=0.25), Dropout(1.0)))
    assert [m.p for m in module.modules() if isinstance(m, torch.nn.Dropout)] == [0.25, 0.25, 1.0]
    assert module(tensor([[1.0, 2.0]])).item() == 0.0
    mixed = Sequential(Dropout(0.5), BatchNorm(2))
    mixed.layers[1].eval()
    assert [part.training for part in to_torch(mixed).layers] == [True, False]


def test_a_shared_layer_stays_shared_and_tied_parameters_are_refused():
    layer = Layer(2, 2, activation="tanh")
    model, X = Sequential(layer, layer), examples(2, 3)
    module = to_torch(model)
    train_theirs(module, X, X, 3)
    train_ours(model, X, X, 3)
    same_state(model, module)
    model.load_state_dict(module.state_dict())
    tied = Sequential(Layer(2, 2), Layer(2, 2))
    tied.layers[1].neurons[0].w = tied.layers[0].neurons[0].w
    pruned = Layer(2, 2)
    pruned.neurons[0].w[1] = 0.0
    for other in (tied, pruned):
        with pytest.raises(TypeError, match=r"needs a parameter of its own for each weight: .* share a whole layer"):
            to_torch(other)


def test_a_layer_alone_keeps_the_names_and_has_its_activation():
    for model, X in (
        (Layer(2, 3, activation="gelu"), tensor(examples(2, 3))),
        (Neuron(2, activation="tanh"), tensor(examples(2, 3))),
        (Embedding(3, 2), torch.tensor([[0, 2], [1, 1]])),
        (Linear(2, 3), tensor([[0.5, -1.0], [2.0, 3.0]])),
        (Linear(2, 3, bias=False), tensor([[0.5, -1.0], [2.0, 3.0]])),
    ):
        module = to_torch(model)
        same_state(model, module)
        for copied in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
            assert_near(numbers(outputs(model, X.tolist())), copied(X))


def test_the_two_share_nothing_and_pytorchs_generator_stays_as_it_was():
    model = MLP(2, [2, 1])
    state, before = torch.random.get_rng_state(), model.state_dict()
    module = to_torch(model)
    assert torch.equal(torch.random.get_rng_state(), state)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert model.state_dict() == before


class Square(Module):
    """A module of one's own."""

    def forward(self, row):
        return [x * x for x in row]


def mixed_layer():
    layer = Layer(2, 2)
    layer.neurons[1] = Neuron(2, activation="tanh")
    return layer


REFUSED = [
    (Square(), "no counterpart of the module <"),
    (Sequential(Square()), "write that part in PyTorch yourself"),
    (Layer(1, 1, activation=lambda x: x * x), "no counterpart of the activation <function"),
    (Layer(1, 2, activation=Softmax()), r"no counterpart of the activation Softmax\(\)"),
    (LeakyReLU(Value(0.1)), "a LeakyReLU whose negative_slope is learned"),
    (mixed_layer(), "a layer whose neurons differ"),
    (3.0, r"takes a Module, such as MLP\(2, \[16, 1\]\); got 3\.0 \(float\)"),
]


@pytest.mark.parametrize(("model", "sentence"), REFUSED, ids=lambda x: x if isinstance(x, str) else "")
def test_what_pytorch_does_not_have_is_refused_in_a_sentence(model, sentence):
    with pytest.raises(TypeError, match=sentence) as caught:
        to_torch(model)
    assert "\n" not in str(caught.value)


def test_activations_may_be_functions_and_modules_of_ours():
    for activation in (autograd.tanh, Tanh(), GELU("tanh"), LeakyReLU(0.3)):
        model = MLP(2, [3, 1], activation=activation)
        X = examples(2, 3)
        assert_near(numbers(outputs(model, X)), to_torch(model)(tensor(X)))


# Into a module of one's own


def plain_module(widths):
    layers = []
    for a, b in pairwise(widths):
        layers += [torch.nn.Linear(a, b), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


@few
@given(st.lists(st.integers(1, 5), min_size=2, max_size=4), st.integers(0, 100))
def test_a_plain_module_of_ones_own_gets_the_numbers_in_order(widths, seed):
    model = MLP(widths[0], widths[1:], activation="tanh", rng=seed)
    module = plain_module(widths)
    assert to_torch(model, into=module) is module
    x = torch.ones(3, widths[0])
    assert torch.allclose(module(x), to_torch(model)(x.double()).float(), atol=1e-5)
    again = MLP(widths[0], widths[1:], activation="tanh")
    again.load_state_dict(module.double().state_dict())
    for name, number in again.state_dict().items():
        assert number == pytest.approx(model.state_dict()[name], rel=1e-6)


@pytest.mark.parametrize("widths", [[2, 3], [2, 4, 1], [3, 3, 1]])
def test_a_module_of_other_layers_stays_as_it_is(widths):
    module = plain_module(widths)
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(KeyError, match="it belongs to another architecture"):
        to_torch(MLP(2, [3, 1]), into=module)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_what_is_no_state_dict_is_refused_with_what_to_give():
    module = plain_module([2, 3, 1])
    with pytest.raises(TypeError, match=r"takes a dict of numbers by name; got .*: give its state_dict\(\)"):
        MLP(2, [3, 1]).load_state_dict(module)
    with pytest.raises(TypeError, match="got a dict for 'model_state_dict': give that dict"):
        MLP(2, [3, 1]).load_state_dict({"model_state_dict": module.state_dict()})
    with pytest.raises(TypeError, match="takes a torch module for into; got 5"):
        to_torch(MLP(2, [3, 1]), into=5)
    without_bias = torch.nn.Sequential(torch.nn.Linear(2, 3, bias=False), torch.nn.Linear(3, 1))
    with pytest.raises(KeyError, match=r"or it has no bias: add zeros of shape \(3,\) as '0\.bias'"):
        MLP(2, [3, 1]).load_state_dict(without_bias.state_dict())
    with pytest.raises(TypeError, match=r"give a dense tensor with numbers, such as its to_dense\(\)"):
        Layer(2, 2).weight = torch.ones(2, 2).to_sparse()
    with pytest.raises(TypeError, match=r"nn\.to_torch takes a Module, .*: give its network, classifier\.model_"):
        to_torch(nn.Classifier())


def test_one_parameter_of_pytorch_does_not_get_two_arrays():
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh(), torch.nn.Linear(3, 3))
    module[2].weight = module[0].weight
    before = module[0].weight.tolist()
    model = nn.Sequential(nn.Layer(3, 3, activation="tanh", rng=0), nn.Layer(3, 3, activation="linear", rng=1))
    with pytest.raises(ValueError, match="are one parameter, and the model has different numbers"):
        nn.to_torch(model, into=module)
    assert module[0].weight.tolist() == before
    model.layers[1].weight = model.layers[0].weight
    nn.to_torch(model, into=module)
    torch.testing.assert_close(
        module[2].weight.detach().double().numpy(), np.array(model.layers[0].weight), rtol=1e-6, atol=0.0
    )
