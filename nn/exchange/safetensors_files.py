"""How are arrays kept in a file that other libraries can read? In the format safetensors, which executes nothing.

A file is the length of a header, the header (JSON: name, type and shape of each array, and texts about them), and the
numbers. The package safetensors reads and writes it, and refuses what does not fit together.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?"}
_TYPES |= {f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)}
"""The types of numbers that NumPy has too. bfloat16 is the upper half of a float32."""


def file_of(arrays: "Mapping[str, NDArray[Any]]", about: Mapping[str, str]) -> bytes:
    """The content of a file with these arrays, and texts about them."""
    import numpy as np
    from safetensors.numpy import save

    # The package reads the memory of an array as it lies. (`ascontiguousarray` alone would give a number an axis.)
    dense = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    return bytes(save(dense, dict(about)))


def arrays_in(data: bytes) -> "tuple[dict[str, NDArray[Any]], dict[str, str]]":
    """The arrays in the content of a file, in the order of their names, and the texts about them.

    Arguments:
        data: the content.

    Raises:
        ValueError: it is no such file, or is damaged, or has numbers of a type that NumPy does not have.
    """
    from safetensors import SafetensorError, deserialize

    parts: Any = deserialize  # it has no types
    try:
        found = dict(parts(data))
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(f"it is not a complete file of the format safetensors ({error}){_guess(data)}") from None
    arrays = {name: _array(name, found[name]) for name in sorted(found)}
    return arrays, header.get("__metadata__") or {}


def _array(name: str, tensor: Mapping[str, Any]) -> "NDArray[Any]":
    import numpy as np

    kind, data, shape = tensor["dtype"], bytes(tensor["data"]), tuple(tensor["shape"])
    if kind == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if kind not in _TYPES:
        known = ", ".join(["BF16", *_TYPES])
        raise ValueError(f"its array {name!r} has numbers of type {kind}: convert them to one of {known}")
    return np.frombuffer(data, _TYPES[kind]).reshape(shape).copy()


def _guess(data: bytes) -> str:
    """What else a file may be, and what reads it."""
    if data[:2] == b"PK":
        return ": read a file of PyTorch with torch.load(path, weights_only=True), and give load_state_dict what it has"
    if data.lstrip()[:1] == b"{":
        return ": nn.load reads a checkpoint that is JSON, if its name does not end in .safetensors"
    return ": give an undamaged copy of it"


def need_safetensors(call: str) -> None:
    """Raises ImportError, in a sentence that begins with `call`, if NumPy or safetensors is not installed."""
    try:
        import numpy  # noqa: F401
        import safetensors  # noqa: F401
    except ImportError as error:
        what = {"numpy": "NumPy"}.get(error.name or "", f"the package {error.name}")
        raise ImportError(f"{call} needs {what}: pip install 'scalar-autograd[exchange]'") from None
