"""Is a checkpoint exact, whole or absent, and harmless to open?"""

import json
import math
import os
import random
import stat
import sys

import pytest
from hypothesis import given, settings, strategies as st

import nn
from autograd import Value
from nn import (
    ELU,
    GELU,
    GPT,
    MLP,
    BatchNorm,
    CheckpointError,
    Dropout,
    Embedding,
    Identity,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Module,
    Neuron,
    ReLU,
    RMSNorm,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Standardize,
    Tanh,
    checkpoint,
    load,
    predict,
    register,
    save,
)
from nn.activations import ACTIVATIONS

EXTREMES = [-0.0, 0.0, 5e-324, -2.2e-308, 1e308, 0.1, 1 / 3, math.pi, math.inf, -math.inf, math.nan]

MODULES = [
    *(MLP(2, [3, 2], activation=name) for name in ACTIVATIONS),
    MLP(2, [3, 3, 1], dropout=0.25, expanded=True),
    MLP(1, [1]),
    Neuron(3, activation="tanh"),
    Layer(2, 3, nonlin=False),
    Layer(2, 3, expanded=True),
    Sequential(Standardize([1.0, 2.0], [0.5, 3.0]), MLP(2, [2, 2]), Softmax()),
    Sequential(Sequential(Sequential(Layer(1, 1)))),
    Sequential(),
    Sequential(BatchNorm(2), LayerNorm(2), RMSNorm(2)),
    Embedding(3, 2),
    Linear(2, 3, bias=False),
    GPT("abc", n_embd=4, n_head=2, block_size=3),
    Dropout(0.75),
    LeakyReLU(0.5),
    ELU(0.5),
    GELU("tanh"),
    *(cls() for cls in (GELU, Identity, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh)),
]


def bits(numbers):
    return [number.hex() for number in numbers]


def same_structure(a, b):
    return checkpoint.describe(a) == checkpoint.describe(b) and list(a.state_dict()) == list(b.state_dict())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.json"


# Exact


@pytest.mark.parametrize("model", MODULES, ids=repr)
@pytest.mark.parametrize("trained", [False, True])
def test_every_built_in_module_comes_back_the_same(model, trained, path):
    model.eval() if trained else model.train()
    save(model, path)
    other = load(path)
    assert type(other) is type(model)
    assert repr(other) == repr(model)
    assert same_structure(other, model)
    assert bits(other.state_dict().values()) == bits(model.state_dict().values())
    assert not any(module.training for module in other.modules())


def test_every_public_module_is_among_those():
    public = {cls for cls in vars(nn).values() if isinstance(cls, type) and issubclass(cls, Module)} - {Module}
    assert public == {type(module) for model in MODULES for module in model.modules()}


def test_the_extremes_of_floats_come_back_to_the_bit(path):
    model = MLP(10, [1])
    for parameter, number in zip(model.parameters(), EXTREMES, strict=True):
        parameter.data = number
    save(model, path)
    assert bits(load(path).state_dict().values()) == bits(EXTREMES)


@settings(max_examples=100)
@given(st.lists(st.floats(), min_size=4, max_size=4))
def test_any_floats_come_back_to_the_bit(tmp_path_factory, numbers):
    model = MLP(3, [1])
    for parameter, number in zip(model.parameters(), numbers, strict=True):
        parameter.data = number
    path = tmp_path_factory.getbasetemp() / "floats.json"
    save(model, path)
    assert bits(load(path).state_dict().values()) == bits(numbers)


def test_a_loaded_model_predicts_the_same(path):
    model = MLP(2, [5, 3], activation="gelu", dropout=0.5, rng=random.Random(0))
    save(model, path)
    x = [[1.0, -2.0], [0.0, 3.0]]
    assert predict(load(path), x) == predict(model, x)


def test_saving_and_loading_take_nothing_from_pythons_random(path):
    random.seed(3)
    model = MLP(2, [3, 1], dropout=0.5)
    state = random.getstate()
    save(model, path)
    load(path)
    assert random.getstate() == state


def test_the_file_is_json_that_others_can_read(path):
    model = MLP(1, [1])
    model.load_state_dict({"layers.0.neurons.0.w.0": 0.1, "layers.0.neurons.0.b": math.inf})
    save(model, path)

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    content = json.loads(path.read_text(encoding="ascii"), parse_constant=refuse)
    assert content["parameters"] == {"layers.0.neurons.0.w.0": 0.1, "layers.0.neurons.0.b": "inf"}


def test_metadata_comes_back(path):
    metadata = {"accuracy": 0.97, "names": ["a", "ü"], "nothing": None, "nested": {"k": [1, 2]}}
    save(MLP(1, [1]), path, **metadata)
    assert checkpoint.read(path)["metadata"] == metadata


def test_paths_may_be_strings(path):
    save(MLP(1, [1]), str(path))
    assert isinstance(load(str(path)), MLP)


# Modules of one's own


@register
class Scale(Module):
    """A registered module with a parameter and an argument."""

    def __init__(self, power):
        self.power, self.factor = power, Value(1.0)

    def forward(self, row):
        return [self.factor * x**self.power for x in row]

    def config(self):
        return {"power": self.power}


def test_a_registered_module_comes_back(path):
    model = Sequential(Scale(2.0), Layer(1, 1))
    model.layers[0].factor.data = 5.0
    save(model, path)
    assert isinstance(load(path).layers[0], Scale)
    assert predict(load(path), [[3.0]]) == predict(model, [[3.0]])


class Unknown(Module):
    """A module that is not registered."""

    def forward(self, row):
        return row


class Bigger(MLP):
    """A subclass of a module that is registered."""


def mlp(change):
    """A network that was changed after it was made."""
    model = MLP(2, [3, 1], dropout=0.5)
    change(model)
    return model


def test_one_activation_may_stand_in_several_places(path):
    tanh = Tanh()
    model = Sequential(Layer(1, 2), tanh, Layer(2, 1), tanh)
    save(model, path)
    assert repr(load(path)) == repr(model)


@register
class Around(Module):
    """A registered module that makes one that cannot be described by itself."""

    def __init__(self):
        self.inner = Layer(1, 1, activation=lambda x: x)

    def forward(self, row):
        return self.inner.forward(row)

    def config(self):
        return {}


def test_a_registered_module_may_make_what_has_no_description(path):
    save(Around(), path)
    assert isinstance(load(path), Around)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Unknown(), r"give Unknown a config\(\) and register it with nn.register"),
        (lambda: Sequential(Unknown()), "register it with nn.register"),
        (lambda: Bigger(1, [1]), "give Bigger a config"),
        (lambda: MLP(1, [1, 1], activation=lambda x: x), "keeps activations by name; got the function <lambda>"),
        (lambda: Sequential(layer := Layer(1, 1), layer), "parameters are shared, or were replaced"),
        (lambda: LeakyReLU(math.nan), "that JSON can hold"),
        (lambda: mlp(lambda m: m.layers.append(Tanh())), "modules were added, replaced or changed"),
        (lambda: mlp(lambda m: m.layers.reverse()), "modules were added|parameters are shared"),
        (lambda: mlp(lambda m: m.layers.__setitem__(0, Layer(2, 3, activation="tanh"))), "added, replaced or changed"),
        (
            lambda: mlp(lambda m: m.layers[0].neurons.__setitem__(1, Neuron(2, activation="tanh"))),
            "replaced or changed",
        ),
        (lambda: mlp(lambda m: setattr(m.dropouts[0], "p", 0.9)), "put them together in a Sequential"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused_and_no_file_appears(make, sentence, path):
    with pytest.raises(TypeError, match=sentence):
        save(make(), path)
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("metadata", [{"x": object()}, {"x": math.nan}, {"x": {1, 2}}, {"x": Value(1.0)}])
def test_metadata_that_json_cannot_hold_is_refused_and_the_old_file_stays(metadata, path):
    save(MLP(1, [1]), path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match=r"nn\.save keeps metadata and arguments that JSON can hold"):
        save(MLP(1, [1]), path, **metadata)
    assert path.read_bytes() == before


# Damaged, foreign and hostile files


def assert_one_sentence(error, path):
    assert type(error) is CheckpointError
    assert str(path) in str(error)
    assert "\n" not in str(error)


def test_a_file_cut_off_anywhere_is_refused(path):
    save(MLP(1, [1, 1]), path, note="ü")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError) as caught:
            load(path)
        assert_one_sentence(caught.value, path)


@settings(max_examples=100)
@given(st.data())
def test_a_file_with_one_byte_changed_is_refused_or_loads_a_model(tmp_path_factory, draws):
    path = tmp_path_factory.getbasetemp() / "changed.json"
    save(MLP(1, [1, 1]), path)
    content = bytearray(path.read_bytes())
    content[draws.draw(st.integers(0, len(content) - 1))] = draws.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        assert isinstance(load(path), Module)
    except CheckpointError as error:
        assert_one_sentence(error, path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"scalar-autograd checkpoint"',
        b"\x80\x04\x95",  # the beginning of a pickle
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04",
        b"name,weight\na,1\n",
        b"\xef\xbb\xbf{}",
        b'{"format": "scalar-autograd checkpoint"',
        b'{"format": ["scalar-autograd checkpoint"], "version": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda content: repr(content[:20]),
)
def test_a_foreign_file_is_refused(content, path):
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert_one_sentence(caught.value, path)


def changed(path, change):
    """A checkpoint whose content was changed."""
    save(MLP(1, [1], activation="tanh"), path)
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def model_of(**description):
    return lambda content: content.update(model=description)


def parameter(number):
    return lambda content: content["parameters"].update({"layers.0.neurons.0.b": number})


def nested(depth):
    description = {"class": "Sequential", "modules": []}
    for _ in range(depth):
        description = {"class": "Sequential", "modules": [description]}
    return description


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: c.update(version=2), "has version 2; this library reads version 1"),
        (lambda c: c.pop("version"), "has version None"),
        (lambda c: c.update(format="other"), "it does not say 'scalar-autograd checkpoint'"),
        (lambda c: c.pop("model"), "its part 'model' is missing or no table"),
        (lambda c: c.update(parameters=[1.0]), "its part 'parameters' is missing or no table"),
        (lambda c: c.update(metadata=None), "its part 'metadata' is missing or no table"),
        (lambda c: c["parameters"].clear(), "ask for 2 parameters; the file has 0"),
        (
            lambda c: c["parameters"].update(other=c["parameters"].pop("layers.0.neurons.0.b")),
            "lacks 1 of the model's 2",
        ),
        (lambda c: c["parameters"].update(more=1.0), "has 1 names that are no parameters"),
        (parameter("1.0"), "a parameter is a number; got '1.0'"),
        (parameter(None), "a parameter is a number; got None"),
        (parameter(True), "a parameter is a number; got True"),
        (parameter([1.0]), r"a parameter is a number; got \[1.0\]"),
        (parameter(10**400), "too large"),
        (model_of(), "names None, which is no module"),
        (model_of(**{"class": "os.system", "arguments": {"command": "true"}}), "names 'os.system'"),
        (model_of(**{"class": "__import__('os').abort()", "arguments": {}}), "which is no module"),
        (model_of(**{"class": "Module", "arguments": {}}), "names 'Module'"),
        (model_of(**{"class": ["MLP"], "arguments": {}}), "which is no module"),
        (model_of(**{"class": "MLP"}), "nin"),
        (model_of(**{"class": "MLP", "arguments": []}), "the arguments no table"),
        (model_of(**{"class": "Sequential", "modules": {"a": 1}}), "are no list"),
        (model_of(**{"class": "Sequential", "modules": [5]}), "names None"),
        (model_of(**{"class": "MLP", "arguments": {"nin": 1, "nouts": [1], "rng": "5"}}), "rng takes a seed"),
        (
            model_of(**{"class": "Neuron", "arguments": {"nin": 10**12}}),
            "ask for 1000000000001 parameters; the file has 2",
        ),
        (model_of(**{"class": "Layer", "arguments": {"nin": 20_000, "nout": 20_000}}), "its widths ask for 400020000"),
        (model_of(**{"class": "MLP", "arguments": {"nin": 20_000, "nouts": [20_000]}}), "its widths ask for 400020000"),
        (
            model_of(**{"class": "Sequential", "modules": [{"class": "Neuron", "arguments": {"nin": 10**9}}]}),
            "its widths ask for 1000000001 parameters; the file has 2",
        ),
        (model_of(**{"class": "MLP", "arguments": {"nin": "1", "nouts": [1]}}), "takes a whole number"),
        (model_of(**{"class": "MLP", "arguments": {"nin": -1, "nouts": [1]}}), "at least 1; got -1"),
        (model_of(**{"class": "MLP", "arguments": {"nin": 1, "nouts": [1], "activation": "exec"}}), "no activation"),
        (model_of(**{"class": "MLP", "arguments": {"nin": 1, "nouts": [1], "activation": ["relu"]}}), "no activation"),
        (model_of(**{"class": "MLP", "arguments": {"nin": 1, "nouts": [1], "surprise": 1}}), "unexpected keyword"),
        (model_of(**{"class": "Dropout", "arguments": {"p": 2}}), "takes a probability"),
        (model_of(**{"class": "Standardize", "arguments": {"means": ["a"], "deviations": [1]}}), "a real number"),
        (model_of(**nested(300)), "nested too deeply|lacks|that are no parameters"),
    ],
)
def test_a_checkpoint_that_does_not_fit_together_is_refused(change, sentence, path):
    changed(path, change)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        load(path)
    assert_one_sentence(caught.value, path)


def test_nothing_in_a_file_is_executed(path, monkeypatch):
    def forbidden(*arguments, **options):
        raise AssertionError("executed")

    changed(path, model_of(**{"class": "builtins.eval", "arguments": {"source": "1/0"}}))
    modules = set(sys.modules)
    for name in ("eval", "exec", "compile", "__import__"):
        monkeypatch.setattr(f"builtins.{name}", forbidden)
    try:
        load(path)
    except CheckpointError as error:
        message = str(error)
    monkeypatch.undo()
    assert "which is no module that this library knows" in message
    assert set(sys.modules) == modules


def test_a_missing_file_and_a_folder_are_os_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.json")
    with pytest.raises(OSError, match=r"directory|denied"):
        load(tmp_path)


# Whole or not at all


class FullDisk:
    """A file on a disk that is full."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.file.close()

    def write(self, text):
        self.file.write(text[: len(text) // 2])
        raise OSError(28, "No space left on device")


def fail(*arguments):
    raise OSError(5, "Input/output error")


def interrupt(*arguments):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("name", "replacement", "kind"),
    [
        ("replace", fail, OSError),
        ("fsync", fail, OSError),
        ("fsync", interrupt, KeyboardInterrupt),
        ("fdopen", lambda *arguments, fdopen=os.fdopen, **options: FullDisk(fdopen(*arguments, **options)), OSError),
    ],
)
@pytest.mark.parametrize("existing", [True, False])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(name, replacement, kind, existing, path, monkeypatch):
    if existing:
        save(MLP(1, [1]), path)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    monkeypatch.setattr(os, name, replacement)
    with pytest.raises(kind):
        save(MLP(2, [2]), path)
    monkeypatch.undo()
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_new_file_replaces_the_old_one_and_keeps_its_permissions(path):
    save(MLP(1, [1]), path)
    path.chmod(0o640)
    save(MLP(2, [2]), path)
    assert repr(load(path)) == repr(MLP(2, [2]))
    assert os.listdir(path.parent) == [path.name]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="not a regular file"):
        save(MLP(1, [1]), folder)
    with pytest.raises(FileNotFoundError):
        save(MLP(1, [1]), tmp_path / "none" / "model.json")
    assert os.listdir(tmp_path) == ["folder"]


def test_an_error_names_the_path_that_was_given(tmp_path):
    for path in (tmp_path / "none" / "model.json", str(tmp_path / ("x" * 300))):
        with pytest.raises(OSError, match=r"No such file|too long|cannot find") as caught:
            save(MLP(1, [1]), path)
        assert caught.value.filename == str(path)
        assert ".part" not in str(caught.value)


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path):
    path = tmp_path / ("x" * 250 + ".json")
    save(MLP(1, [1]), path)
    assert isinstance(load(path), MLP)


@pytest.mark.skipif(os.name != "posix", reason="links need a privilege here")
def test_a_link_stays_a_link_to_the_new_file(tmp_path):
    file, link = tmp_path / "model.json", tmp_path / "latest.json"
    save(MLP(1, [1]), file)
    link.symlink_to(file)
    save(MLP(2, [2]), link)
    assert link.is_symlink()
    assert repr(load(file)) == repr(MLP(2, [2]))
