"""Where is native code kept from one run to the next? In a folder for each version of what made it."""

import atexit
import hashlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numba

from autograd.compiler.native import kernels, scalar_functions
from autograd.modes import RecordingError
from autograd.operations import Operation
from autograd.terminal import is_watched

_addresses: dict[Operation, tuple[int, int]] = {}


def kernels_of(operation: Operation) -> tuple[int, int]:
    """The addresses of the operation's two loops: its value, and its chain rule.

    The loops of built-in operations are kept on disk. Those of users' own are compiled anew in each process.

    Raises:
        RecordingError: the operation was given for plain floats only.
    """
    if operation not in _addresses:
        module = _module(operation) if operation.function is None else _own_module(operation)
        _addresses[operation] = module.forward.address, module.backward.address
    return _addresses[operation]


@cache
def layer_kernels() -> tuple[int, int]:
    """The addresses of the two loops of whole layers."""
    module: Any = _kept_module(kernels.LAYER_NAME, kernels.layer_source())
    return module.forward.address, module.backward.address


@cache
def load_function(module: str, function: str) -> Any:
    """A function of `machine.py` or `random_numbers.py`, compiled in the cache folder, or read from there."""
    text = (Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8")

    def load(place: Path) -> Any:
        found = _loaded(_written(place, module, text))
        getattr(found, function).compile(found.SIGNATURES[function])
        return getattr(found, function)

    return _from_folder(module, load)


def _own_module(operation: Operation) -> Any:
    """The kernels of an operation of one's own."""
    if operation.over is None:
        raise RecordingError(
            f"{operation.name} cannot be compiled, since its value and derivatives were given over plain floats: give "
            f"them over a namespace m of elementary functions, as autograd.operation explains"
        )
    module = ModuleType(f"kernels_of_{operation.name}")
    module.__dict__["RULE"] = operation.over(scalar_functions)
    exec(compile(kernels.source(operation, "RULE", cached=False), f"<{module.__name__}>", "exec"), module.__dict__)
    return module


def _module(operation: Operation) -> Any:
    """The module with the kernels of a built-in operation."""
    return _kept_module(operation.name, kernels.source(operation, f"rule_named({operation.name!r})", cached=True))


def _kept_module(name: str, text: str) -> ModuleType:
    """The module of this text, whose file is written if it is not there yet."""
    module: ModuleType = _from_folder(name, lambda place: _loaded(_written(place, name, text)))
    return module


def _from_folder(name: str, load: Callable[[Path], Any]) -> Any:
    """What `load` finds in the cache folder. What was damaged there is compiled again."""
    try:
        return load(folder())
    except OSError:  # the home directory may be read-only
        return load(_private_folder())
    except Exception:  # numba could not read a damaged file
        for path in (folder() / "__pycache__").glob(f"{name}.*"):
            path.unlink()
        return load(folder())


def _loaded(file: Path) -> ModuleType:
    name = f"autograd_kernels_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # where numba looks for kept code
    spec.loader.exec_module(module)
    return module


def _written(path: Path, name: str, text: str) -> Path:
    """The file with the text. It is written elsewhere and moved, since other processes may be reading it."""
    file = path / f"{name}.py"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path, suffix=".tmp", delete=False, encoding="utf-8") as temporary:
            temporary.write(text)
        os.replace(temporary.name, file)
    return file


@cache
def _private_folder() -> Path:
    """A folder for this process alone, in which others cannot write; it is used where nothing can be kept."""
    path = tempfile.mkdtemp(prefix="scalar-autograd-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def warm_up(operations: Iterable[Operation], layers: bool) -> None:
    """Compiles the machine and the kernels that are needed, with a progress bar if that takes a while."""
    wanted: dict[str, Callable[[], Any]] = {"machine.run": partial(load_function, "machine", "run")}
    for operation in sorted(operations, key=lambda x: x.name):
        if operation not in _addresses:
            wanted[operation.name] = partial(kernels_of, operation)
    if layers:
        wanted[kernels.LAYER_NAME] = layer_kernels
    cold = [name for name in wanted if not any((folder() / "__pycache__").glob(f"{name}[-.]*.nbc"))]
    shown = len(cold) > 1 and is_watched()
    from tqdm import tqdm

    with tqdm(cold, "compiling for the first time", leave=False, disable=not shown) as bar:
        for name in bar:
            wanted[name]()


def folder() -> Path:
    """The folder for this version of the rules, the compiler, numba and Python, on this kind of processor."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    except RuntimeError:  # there is no home directory
        base = _private_folder()
    return Path(base) / "scalar-autograd" / _version()


@cache
def _version() -> str:
    """A hash of everything that the native code depends on."""
    here = Path(__file__).parent
    modules = (
        "compile_rule kernels machine matrix_products random_numbers scalar_functions vector_functions vector_types"
    )
    files = [here.parents[1] / "rules.py", here.parents[1] / "ieee754.py", here.parents[1] / "recorded_operations.py"]
    sources = [file.read_bytes() for file in (*files, *(here / f"{name}.py" for name in modules.split()))]
    versions = [sys.version, numba.__version__, platform.machine(), platform.processor()]
    return hashlib.sha256(b"\0".join([*sources, *map(str.encode, versions)])).hexdigest()[:16]
