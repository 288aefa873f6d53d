"""How is a model kept in a file? As JSON: its architecture by name, its numbers exactly, nothing that is executed.

Floats are written in the shortest form that reads back to the same bits. A file appears whole or not at all, and has a
digest, so that damage is seen. A file without one, as earlier versions wrote it, is a model like any other. If its name
ends in .safetensors, the numbers are arrays that other libraries read, and the rest is JSON in the file's header.
"""

import hashlib
import json
import os
import random
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autograd.files import write_atomically
from nn import activations, attention, dropout, embedding, gpt, linear, neuron, normalisation
from nn.exchange.safetensors_files import arrays_in, file_of, need_safetensors
from nn.module import Module, check_module
from nn.standardize import Standardize

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "scalar-autograd checkpoint"
M = TypeVar("M", bound=type[Module])

REGISTERED: dict[str, type[Module]] = {}
"""The classes that a checkpoint may name."""


class CheckpointError(ValueError):
    """A file is not a checkpoint, or is a damaged one."""


def register(cls: M) -> M:
    """A class decorator with which `nn.save` and `nn.load` can rebuild a module of one's own.

    The class needs a method `config()` that returns the arguments, numbers, strings and lists, for its `__init__`.

    >>> @register
    ... class Double(Module):
    ...     def forward(self, row):
    ...         return [2.0 * x for x in row]
    ...     def config(self):
    ...         return {}
    """
    REGISTERED[cls.__name__] = cls
    return cls


for _cls in (neuron.Neuron, neuron.Layer, neuron.Sequential, neuron.MLP, dropout.Dropout, Standardize):
    register(_cls)
for _layer in (normalisation.BatchNorm, normalisation.LayerNorm, normalisation.RMSNorm, embedding.Embedding):
    register(_layer)
for _part in (linear.Linear, attention.MultiHeadAttention, gpt.Block, gpt.GPT):
    register(_part)
for _item in list(vars(activations).values()):
    if isinstance(_item, type) and issubclass(_item, activations.Elementwise):
        register(_item)


def save(model: Module, path: str | os.PathLike[str], **metadata: Any) -> None:
    """Writes a model to a file: architecture, parameters, buffers. It replaces an older file only when complete.

    Arguments:
        model: built of nn's modules, or of registered ones.
        path: the file. If its name ends in ".safetensors" it has the arrays of `state_dict(arrays=True)`, in float64,
            for PyTorch, JAX and others to read; otherwise it is JSON.
        **metadata: anything else worth keeping, as far as JSON can hold it; `read` returns it.

    Raises:
        TypeError: the architecture, or the metadata, cannot be written.
        ImportError: the file is to be a .safetensors, and the packages of the extra "exchange" are not installed.
        OSError: the file cannot be written.

    >>> import tempfile, os
    >>> from nn import MLP
    >>> model = MLP(2, [3, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, os.path.join(folder, "model.json"))
    ...     load(os.path.join(folder, "model.json")).state_dict() == model.state_dict()
    True
    """
    check_module("nn.save writes", model, "call its own save(path)")
    if _is_safetensors(path):
        need_safetensors("nn.save to a file that ends in .safetensors")
    content = {**content_of(model), "metadata": plain(metadata)}
    if _is_safetensors(path):
        write_atomically(path, _as_safetensors(content, model))
        return
    write_atomically(path, json.dumps({**content, "digest": digest_of(content)}, indent=1))


def plain(x: Any) -> Any:
    """x as it is read back from JSON.

    Raises:
        TypeError: JSON cannot hold it.
    """
    try:
        return json.loads(json.dumps(x, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(
            f"nn.save keeps metadata and arguments that JSON can hold ({error}): leave out what it cannot, or write it "
            f"as text"
        ) from None


def compact(content: dict[str, Any]) -> str:
    """A checkpoint on one line, with its digest, written in half the time. The content is as `plain` gives it."""
    text = _canonical(content)
    return f'{{"digest": "{_sha256(text)}", {text[1:]}'


def digest_of(content: dict[str, Any]) -> str:
    """The SHA-256 of a checkpoint's content without its digest, however the file is laid out."""
    return _sha256(_canonical(_without(content, "digest")))


def _without(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {other: part for other, part in content.items() if other != name}


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def content_of(model: Module) -> dict[str, Any]:
    """What a checkpoint says of a model.

    Raises:
        TypeError: the architecture cannot be described.
    """
    description, state = describe(model), model.state_dict()
    rebuilt = build(description)
    if rebuilt.state_dict().keys() != state.keys():
        raise TypeError("nn.save cannot rebuild this model: some of its parameters are shared, or were replaced")
    if _parts(rebuilt) != _parts(model):
        raise TypeError(
            "nn.save cannot rebuild this model: some of its modules were added, replaced or changed after it was made; "
            "put them together in a Sequential"
        )
    return {
        "format": FORMAT,
        "version": 1,
        "model": plain(description),
        "parameters": encoded(state),
        "metadata": {},
    }


def load(path: str | os.PathLike[str]) -> Module:
    """Reads a model that `save` has written: builds its architecture and sets its parameters and buffers.

    Arguments:
        path: the file.

    Returns:
        the model, in evaluation mode.

    Raises:
        CheckpointError: the file is cut off, damaged, or something else.
        OSError: the file cannot be read.
    """
    content = content_in(path)
    model = model_of(content, path)
    check_digest(content, path)
    return model


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a checkpoint: "model", "parameters" (all of the state_dict, buffers too) and "metadata".

    Raises:
        CheckpointError: the file is cut off, damaged, or something else.
        OSError: the file cannot be read.
    """
    content = content_in(path)
    check_digest(content, path)
    return content


def read_arrays(path: str | os.PathLike[str]) -> "dict[str, NDArray[Any]]":
    """The arrays in a file of the format safetensors, whoever wrote it: for `model.load_state_dict(read_arrays(path))`.

    Arguments:
        path: the file.

    Returns:
        the arrays by name, in the order of the alphabet, as they are in the file; bfloat16 as float32.

    Raises:
        CheckpointError: the file is cut off, damaged, or something else.
        ImportError: the packages of the extra "exchange" are not installed.
        OSError: the file cannot be read.
    """
    arrays, texts = _safetensors_in(path, "nn.read_arrays")
    if ABOUT in texts:  # it is one of ours
        _check_safetensors(arrays, texts, path)
    return arrays


ABOUT = "scalar-autograd"
"""The entry in the header of a .safetensors that makes it a checkpoint. It is one, since more come in any order."""


def _is_safetensors(path: str | os.PathLike[str]) -> bool:
    return Path(path).suffix.lower() == ".safetensors"


def _as_safetensors(content: dict[str, Any], model: Module) -> bytes:
    arrays = model.state_dict(arrays=True)
    content = _without(content, "parameters")
    about = _canonical({**content, "digest": _digest_with(arrays, content)})
    return file_of(arrays, {ABOUT: about})


def _digest_with(arrays: "Mapping[str, NDArray[Any]]", content: Mapping[str, Any]) -> str:
    """The SHA-256 of a checkpoint's content without its digest, and of its arrays."""
    digest = hashlib.sha256(_canonical(_without(content, "digest")).encode())
    for name in sorted(arrays):
        digest.update(_canonical([name, arrays[name].dtype.str, arrays[name].shape]).encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def _safetensors_in(path: str | os.PathLike[str], call: str) -> "tuple[dict[str, NDArray[Any]], dict[str, str]]":
    need_safetensors(call)
    try:
        return arrays_in(Path(path).read_bytes())
    except ValueError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from None


def _content_of_safetensors(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a .safetensors as if it had been JSON; its digest has been checked."""
    arrays, texts = _safetensors_in(path, "a checkpoint that ends in .safetensors")
    if ABOUT not in texts:
        raise CheckpointError(
            f"{path} has arrays but no architecture, since another library wrote it: build the model, and give it the "
            f"numbers with model.load_state_dict(nn.read_arrays(path))"
        )
    content = _check_safetensors(arrays, texts, path)
    model = _built(content["model"], lambda: arrays, sum(array.size for array in arrays.values()), path)
    del content["digest"]  # it is that of the arrays
    return {**content, "parameters": encoded(model.state_dict())}


def _check_safetensors(
    arrays: "Mapping[str, NDArray[Any]]", texts: Mapping[str, str], path: str | os.PathLike[str]
) -> dict[str, Any]:
    """What one of our own files says of its arrays, after its digest has been compared."""
    content = _checked(texts[ABOUT], path, "model", "metadata")
    check_digest(content, path, required=True, digest=lambda content: _digest_with(arrays, content))
    return content


def content_in(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a checkpoint, before the digest of JSON is checked."""
    if _is_safetensors(path):
        return _content_of_safetensors(path)
    data = Path(path).read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} is not a checkpoint: it is not text{_foreign(data)}") from None
    return _checked(text, path, "model", "parameters", "metadata")


def _foreign(data: bytes) -> str:
    """What another file probably is, and what reads it."""
    if data[:2] == b"PK":  # a zip
        return (
            ", but may be a file of PyTorch: build the model, and give it the numbers with "
            "model.load_state_dict(torch.load(path, weights_only=True))"
        )
    return ": give a file that nn.save has written"


def _checked(text: str, path: str | os.PathLike[str], *parts: str) -> dict[str, Any]:
    """The content of a checkpoint in its text, which must have these parts."""
    try:
        content = json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        raise CheckpointError(f"{path} is not a complete checkpoint: {error}") from None
    except RecursionError:
        raise CheckpointError(f"{path} is not a checkpoint: it is nested too deeply") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a checkpoint of this library: it does not say {FORMAT!r}")
    if content.get("version") != 1:
        raise CheckpointError(f"{path} has version {content.get('version')!r}; this library reads version 1")
    for name in parts:
        if not isinstance(content.get(name), dict):
            raise CheckpointError(f"{path} is damaged: its part {name!r} is missing or no table")
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def check_digest(
    content: dict[str, Any],
    path: str | os.PathLike[str],
    required: bool = False,
    digest: Callable[[dict[str, Any]], str] | None = None,
) -> None:
    """Raises CheckpointError if the content is not what was written, as its digest tells.

    Arguments:
        content: that of the file.
        path: the file.
        required: whether a file without a digest, as earlier versions wrote it, is refused too.
        digest: computes it; None for that of JSON.
    """
    if "digest" not in content and not required:
        return
    if "digest" not in content:
        raise CheckpointError(
            f"{path} has no digest, so that damage would not be seen: nn.load reads its model, but no training run is "
            f"resumed from it; delete the file to begin anew, or give another one"
        )
    try:
        is_whole = content["digest"] == (digest or digest_of)(content)
    except RecursionError:
        is_whole = False
    if not is_whole:
        raise CheckpointError(
            f"{path} does not fit together: its content is not what was written, as its digest shows; use an undamaged "
            f"copy of it"
        )


def model_of(content: dict[str, Any], path: str | os.PathLike[str]) -> Module:
    """The model in the content of a checkpoint."""
    numbers = content["parameters"]
    return _built(content["model"], lambda: {name: _decode(x) for name, x in numbers.items()}, len(numbers), path)


def _built(
    description: Any, state: Callable[[], Mapping[str, Any]], count: int, path: str | os.PathLike[str]
) -> Module:
    """The model of a description, with the numbers of a state_dict, of which there are `count`."""
    try:
        implied = _implied_parameters(description)
        if implied > count:  # or a few bytes could ask for more memory than there is
            raise ValueError(f"its widths ask for {implied} parameters; the file has {count}")
        model = build(description)
        model.load_state_dict(state())
    except RecursionError:
        raise CheckpointError(f"{path} is not a checkpoint: it is nested too deeply") from None
    except Exception as error:  # a registered class may raise anything when its arguments are damaged
        raise CheckpointError(f"{path} does not fit together: {error.args[0] if error.args else error}") from None
    return model.eval()


def describe(model: Module) -> dict[str, Any]:
    """The architecture as names and arguments."""
    name = type(model).__name__
    if REGISTERED.get(name) is not type(model):
        raise TypeError(f"nn.save knows nn's own modules; give {name} a config() and register it with nn.register")
    if type(model) is neuron.Sequential:
        return {"class": name, "modules": [describe(module) for module in model.layers]}
    return {"class": name, "arguments": model.config()}


def build(description: Any) -> Module:
    """The modules of an architecture that `describe` has described."""
    name = description.get("class") if isinstance(description, dict) else None
    if not isinstance(name, str) or name not in REGISTERED:
        raise ValueError(f"its architecture names {name!r}, which is no module that this library knows")
    modules, arguments = description.get("modules", []), description.get("arguments", {})
    if not isinstance(modules, list) or not isinstance(arguments, dict):
        raise ValueError(f"the modules of its {name} are no list, or the arguments no table")
    parts = [build(module) for module in modules]
    drawn = random.getstate()
    try:
        return REGISTERED[name](*parts, **arguments)
    finally:
        random.setstate(drawn)  # the first weights are overwritten; the user's random numbers stay as they were


def _parts(module: Module) -> list[tuple[type[Module], str]]:
    """Every module and its arguments, in order, a shared one each time; as text, since nan does not equal nan."""
    try:
        arguments = repr(module.config())
    except TypeError:  # it has no config(): the module around it will make it
        arguments = ""
    below = [part for _, child in module.named_children() for part in _parts(child)]
    return [(type(module), arguments), *below]


def _implied_parameters(description: Any) -> int:
    """How many parameters the widths in a description ask for, as far as they are whole numbers."""
    if not isinstance(description, dict):
        return 0
    modules, arguments = description.get("modules", []), description.get("arguments", {})
    inside: int = sum(map(_implied_parameters, modules)) if isinstance(modules, list) else 0
    if not isinstance(arguments, dict):
        return inside
    nouts, name = arguments.get("nouts"), str(description.get("class"))
    if name in _NUMBERS_OF:
        return inside + _NUMBERS_OF[name](arguments)
    further: dict[Any, list[Any]] = {"Neuron": [1], "Layer": [arguments.get("nout")]}
    further["MLP"] = nouts if isinstance(nouts, list) else []
    widths = [arguments.get("nin"), *further.get(name, [])]
    if not all(isinstance(width, int) and width > 0 for width in widths):
        return inside  # `build` says what is wrong with them
    own: int = sum((nin + 1) * nout for nin, nout in pairwise(widths))
    return inside + own


def _whole(arguments: dict[str, Any], name: str) -> int:
    """An argument, if it is a positive whole number; otherwise 0, and `build` says what is wrong with it."""
    number = arguments.get(name)
    return number if isinstance(number, int) and number > 0 else 0


def _of_a_gpt(n_embd: int, n_layer: int, block_size: int) -> int:
    """Those of its positions and blocks; those of its tokens are as many as the vocabulary is long."""
    return n_embd * (block_size + 12 * n_embd * n_layer)


_NUMBERS_OF: dict[str, Callable[[dict[str, Any]], int]] = {
    "BatchNorm": lambda arguments: 2 * _whole(arguments, "num_features"),  # the running statistics, at least
    "LayerNorm": lambda arguments: 2 * _whole(arguments, "num_features") * bool(arguments.get("affine", True)),
    "RMSNorm": lambda arguments: _whole(arguments, "num_features") * bool(arguments.get("affine", True)),
    "Embedding": lambda arguments: _whole(arguments, "num_embeddings") * _whole(arguments, "embedding_dim"),
    "Linear": lambda arguments: _whole(arguments, "in_features") * _whole(arguments, "out_features"),
    "MultiHeadAttention": lambda arguments: 4 * _whole(arguments, "n_embd") ** 2,
    "Block": lambda arguments: 12 * _whole(arguments, "n_embd") ** 2,
    "GPT": lambda arguments: _of_a_gpt(*(_whole(arguments, name) for name in ("n_embd", "n_layer", "block_size"))),
}
"""How many numbers a layer keeps, for those whose arguments are no widths."""


def encoded(state: Mapping[str, float]) -> dict[str, float | str]:
    """The numbers of a state_dict as JSON can hold them; it has no inf and nan."""
    return {name: number if isfinite(number) else str(number) for name, number in state.items()}


def decoded(state: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers that `encoded` was given."""
    return {name: float(x) if isinstance(x, str) and x in _NON_FINITE else x for name, x in state.items()}


_NON_FINITE = ("inf", "-inf", "nan")


def _decode(number: Any) -> float:
    if isinstance(number, str) and number in _NON_FINITE:
        return float(number)
    if isinstance(number, bool) or not isinstance(number, float | int):
        raise ValueError(f"a parameter is a number; got {number!r}")
    return float(number)
