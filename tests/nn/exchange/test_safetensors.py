"""Is a .safetensors exact, whole or absent, readable by others, and harmless to open?"""

import json
import math
import random
import struct
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

import nn
from nn import MLP, BatchNorm, CheckpointError, Layer, LayerNorm, Sequential, Standardize, checkpoint, load, save
from tests.nn.random_models import models

safetensors = pytest.importorskip("safetensors.numpy")

few = settings(max_examples=40)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def bits(model):
    return {name: number.hex() for name, number in model.state_dict().items()}


@few
@given(models)
def test_a_model_comes_back_the_same(tmp_path_factory, drawn):
    model, _ = drawn
    path = tmp_path_factory.getbasetemp() / "model.safetensors"
    save(model, path, note="ü")
    other = load(path)
    assert repr(other) == repr(model)
    assert bits(other) == bits(model)
    assert checkpoint.describe(other) == checkpoint.describe(model)
    assert not any(module.training for module in other.modules())
    content = checkpoint.read(path)
    assert content["metadata"] == {"note": "ü"}
    assert bits(checkpoint.model_of(content, path)) == bits(model)
    written = path.read_bytes()
    save(other.train(), path, note="ü")
    assert path.read_bytes() == written


def test_the_extremes_of_floats_come_back_to_the_bit(path):
    model = Layer(10, 1)
    model.weight = [[-0.0, 0.0, 5e-324, -2.2e-308, 1e308, 0.1, math.pi, math.inf, -math.inf, math.nan]]
    save(model, path)
    assert bits(load(path)) == bits(model)


def test_others_read_the_arrays_by_pytorchs_names(path):
    model = MLP(2, [3, 1])
    save(model, path)
    read = safetensors.load_file(path)
    ours = nn.read_arrays(path)
    for name, array in model.state_dict(arrays=True).items():
        assert read[name].dtype == ours[name].dtype == np.float64
        assert read[name].tobytes() == ours[name].tobytes() == array.tobytes()
        assert read[name].shape == ours[name].shape == array.shape
    ours["layers.0.weight"][0, 0] = 5.0  # they can be changed


def test_a_file_of_others_is_loaded_by_name_and_shape(path):
    source, model = (Sequential(MLP(2, [2, 2], rng=random.Random(seed)), LayerNorm(2)) for seed in (0, 1))
    state = source.state_dict(arrays=True)
    new = dict(zip(("layers.0.layers.0", "layers.0.layers.1", "layers.1"), ("net.0", "net.10", "norm"), strict=True))
    renamed = {f"{new[n.rpartition('.')[0]]}.{n.rpartition('.')[2]}": a.astype("f4") for n, a in state.items()}
    safetensors.save_file(renamed, path)
    model.load_state_dict(nn.read_arrays(path))
    for name, array in model.state_dict(arrays=True).items():
        assert array.tolist() == state[name].astype("f4").tolist()
    with pytest.raises(CheckpointError, match=r"no architecture.*model\.load_state_dict\(nn\.read_arrays\(path\)\)"):
        load(path)


TYPES = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")


@few
@given(st.sampled_from(TYPES).flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, min_side=0))))
def test_arrays_of_every_type_and_shape_are_read_as_they_are(tmp_path_factory, array):
    path = tmp_path_factory.getbasetemp() / "foreign.safetensors"
    safetensors.save_file({"x": array}, path)
    x = nn.read_arrays(path)["x"]
    assert (x.dtype, x.shape, x.tobytes()) == (array.dtype, array.shape, array.tobytes())


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@given(st.integers(0, 2**16 - 1))
@few
def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path_factory, upper):
    path = tmp_path_factory.getbasetemp() / "bf16.safetensors"
    path.write_bytes(file_of({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, struct.pack("<H", upper)))
    [x] = nn.read_arrays(path)["x"]
    assert struct.pack("<f", x)[2:] == struct.pack("<H", upper) or math.isnan(x)
    assert struct.pack("<f", x)[:2] == b"\0\0" or math.isnan(x)


# Damaged, foreign and hostile files


def assert_one_sentence(error, path):
    assert type(error) is CheckpointError
    assert str(path) in str(error)
    assert "\n" not in str(error)


def test_a_file_cut_off_anywhere_is_refused(path):
    save(MLP(1, [1]), path, note="ü")
    whole = path.read_bytes()
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        for read in (load, nn.read_arrays):
            with pytest.raises(CheckpointError) as caught:
                read(path)
            assert_one_sentence(caught.value, path)


@few
@given(st.data())
def test_a_changed_byte_is_seen(tmp_path_factory, draws):
    path = tmp_path_factory.getbasetemp() / "changed.safetensors"
    model = Sequential(Standardize([1.0], [2.0]), MLP(1, [2, 1]), BatchNorm(1))
    save(model, path)
    whole = bytearray(path.read_bytes())
    place = draws.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= draws.draw(st.integers(1, 255))
    path.write_bytes(whole)
    try:
        assert bits(load(path)) == bits(model)  # a space of the header may be another one
    except CheckpointError as error:
        assert_one_sentence(error, path)


@few
@given(st.binary(max_size=200) | st.binary(max_size=100).map(file_of))
def test_arbitrary_bytes_are_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes.safetensors"
    path.write_bytes(data)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert_one_sentence(caught.value, path)


def header(**about):
    content = {"format": checkpoint.FORMAT, "version": 1, "model": {}, "metadata": {}, "digest": "", **about}
    return {"__metadata__": {checkpoint.ABOUT: json.dumps(content)}}


HOSTILE = [
    (b"", "not a complete file of the format safetensors"),
    (b"PK\x03\x04 a zip", r"torch\.load\(path, weights_only=True\)"),
    (b'{"format": "scalar-autograd checkpoint"}', r"nn\.load reads a checkpoint that is JSON"),
    (struct.pack("<Q", 2**62) + b"{}", "not a complete file"),
    (file_of(b"[" * 100_000), "not a complete file"),
    (file_of({"x": {"dtype": "F64", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}, bytes(8)), "not a complete"),
    (file_of({"x": {"dtype": "F64", "shape": [1], "data_offsets": [0, 2**60]}}, bytes(8)), "not a complete file"),
    (file_of({"__metadata__": {checkpoint.ABOUT: "{"}}), "not a complete checkpoint"),
    (file_of({"__metadata__": {checkpoint.ABOUT: "[" * 100_000}}), "nested too deeply"),
    (file_of({"__metadata__": {checkpoint.ABOUT: "3"}}), "not a checkpoint of this library"),
    (file_of(header(version=2)), "has version 2"),
    (file_of(header(model=[])), "its part 'model' is missing"),
    (file_of(header()), "not what was written, as its digest shows"),
    (file_of(header(digest=None)), "not what was written, as its digest shows"),
]


@pytest.mark.parametrize(("data", "sentence"), HOSTILE, ids=lambda x: x if isinstance(x, str) else "")
def test_hostile_files_are_refused_in_a_sentence(data, sentence, path):
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        load(path)
    assert_one_sentence(caught.value, path)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"class": "os.system", "arguments": {"command": "true"}}, "names 'os.system', which is no module"),
        (
            {"class": "Layer", "arguments": {"nin": 20_000, "nout": 20_000}},
            "ask for 400020000 parameters; the file has 2",
        ),
        ({"class": "Layer", "arguments": {"nin": 2, "nout": 1}}, "ask for 3 parameters; the file has 2"),
        ({"class": "Layer", "arguments": {"nin": 1, "nout": 1, "activation": "exec"}}, "there is no activation 'exec'"),
        ({"class": "LayerNorm", "arguments": {"num_features": 1}}, r"has the shape \(1, 1\)"),
    ],
)
def test_an_architecture_that_does_not_fit_the_arrays_is_refused(model, sentence, path, monkeypatch):
    monkeypatch.setattr(checkpoint, "content_of", lambda _: {**content, "model": model})
    content = {"format": checkpoint.FORMAT, "version": 1, "metadata": {}, "parameters": {}}
    save(Layer(1, 1), path)  # with a digest that is right
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=sentence) as caught:
        load(path)
    assert_one_sentence(caught.value, path)


def test_numbers_that_numpy_does_not_have_are_refused_by_name(path):
    path.write_bytes(file_of({"x": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}, b"\0"))
    with pytest.raises(CheckpointError, match="its array 'x' has numbers of type F8_E4M3: convert them to one of BF16"):
        nn.read_arrays(path)


def test_a_missing_file_and_a_folder_are_os_errors(tmp_path):
    (tmp_path / "folder.safetensors").mkdir()
    for read in (load, nn.read_arrays):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none.safetensors")
        with pytest.raises(OSError, match=r"directory|denied"):
            read(tmp_path / "folder.safetensors")


# Written whole or not at all


def test_a_write_that_fails_leaves_the_old_file(path, monkeypatch):
    save(MLP(1, [1]), path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        save(MLP(2, [1]), path)
    with pytest.raises(TypeError, match="keeps metadata"):
        save(MLP(2, [1]), path, x=object())
    with pytest.raises(TypeError, match="register it with"):
        save(nn.Module(), path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("missing", ["numpy", "safetensors"])
def test_without_the_packages_it_is_a_sentence(missing, path, monkeypatch):
    save(MLP(1, [1]), path)
    monkeypatch.setitem(sys.modules, missing, None)
    for use in (lambda: save(MLP(1, [1]), path), lambda: load(path), lambda: nn.read_arrays(path)):
        with pytest.raises(ImportError, match=r"needs .*: pip install 'scalar-autograd\[exchange\]'"):
            use()


def test_a_training_run_is_kept_in_json(path):
    with pytest.raises(ValueError, match=r"the checkpoint of a training run is JSON.*let it end in \.json"):
        nn.fit(MLP(1, [1]), [[0.0], [1.0]], [0.0, 1.0], loss="mse_loss", optimizer="sgd", epochs=1, checkpoint=path)
    assert not path.exists()


def test_read_arrays_sees_damage_in_our_own_files(path):
    save(MLP(2, [3, 1], rng=0), path)
    whole = nn.read_arrays(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="its content is not what was written, as its digest shows"):
        nn.read_arrays(path)
    assert sorted(whole) == ["layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"]


def test_a_file_of_pytorch_and_an_estimator_are_named(tmp_path):
    file = tmp_path / "w.pt"
    file.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(CheckpointError, match=r"may be a file of PyTorch: .*torch\.load\(path, weights_only=True\)"):
        load(file)
    with pytest.raises(TypeError, match=r"nn\.save writes a Module, .*: call its own save\(path\)"):
        save(nn.Classifier(), tmp_path / "m.json")
