"""How does native code get from where it is written to where it runs? Through LLVM, and through a folder on disk.

A unit is what is written and kept together: the kernels of one operation, the layers, the machine. Its object code is
kept in a folder for each version of what made it, on each kind of processor. A file begins with a digest of the rest:
what was damaged is not loaded, but made again. Files are written elsewhere and moved into place, so that several
processes can use the folder at once. Where nothing can be written, nothing is kept.
"""

import contextlib
import ctypes
import hashlib
import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from autograd.compiler.native.processor import processor
from autograd.ieee754 import ELEMENTARY

LOCK = RLock()
"""LLVM's code generator serves one thread at a time."""

if hasattr(os, "register_at_fork"):  # a new process must not wait for a thread that it does not have
    os.register_at_fork(before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release)

OUTSIDE = (*ELEMENTARY, "floor", "ceil", "rint", "fma", "fmod")
"""The functions of C that native code may call."""

_DIGEST = 32


class Unit:
    """Native code that is loaded.

    Arguments:
        name: what its file is called.
        module, write: the module and the name of the function that writes it.
        arguments: what that function takes behind the code.
        kept: whether its object code is kept on disk.
    """

    def __init__(self, name: str, module: str, write: str, *arguments: Any, kept: bool = True) -> None:
        with LOCK:
            _make_c_functions_known()
            place = folder() if kept else None
            path = place / f"{name}.o" if place else None
            object_code = _read(path) if path else None
            if object_code is None:
                writer = getattr(import_module(f"autograd.compiler.native.{module}"), write)
                object_code = compiled(name, writer, *arguments)
                if path:
                    _keep(path, object_code)
            self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), processor().machine())
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(object_code))
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """The address of one of its functions."""
        return int(self._engine.get_function_address(name))


def compiled(name: str, write: Callable[..., None], *arguments: Any) -> bytes:
    """The object code of a unit."""
    from autograd.compiler.native.terms import Code

    began = time.perf_counter()
    machine = processor().machine()
    code = Code(name, processor())
    write(code, *arguments)
    module = llvm.parse_assembly(str(code.module))
    module.verify()
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False  # vectors are written down as such
    options.loop_unrolling = False  # it doubles the code of log_softmax and the time for it, and gains nothing
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    found: bytes = machine.emit_object(module)
    seconds_compiling[name] = time.perf_counter() - began
    return found


seconds_compiling: dict[str, float] = {}
"""How long each unit took that this process had to compile."""


@cache
def _make_c_functions_known() -> None:
    """Tells LLVM where the mathematical library is."""
    library: Any = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)
    with contextlib.suppress(OSError):
        if os.name != "nt":
            library = ctypes.CDLL(math.__file__) if hasattr(math, "__file__") else library
    for name in OUTSIDE:
        function = getattr(library, name, None)
        if function is not None:
            llvm.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)


def _read(path: Path) -> bytes | None:
    """The object code in a file; None if there is none, or if it was damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, object_code = data[:_DIGEST], data[_DIGEST:]
    return object_code if hashlib.sha256(object_code).digest() == digest and object_code else None


def _keep(path: Path, object_code: bytes) -> None:
    """Writes a file; where that is not possible, it is left."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(object_code).digest() + object_code)
        os.replace(temporary, path)
    except OSError:  # a read-only folder, or a full disk
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


@cache
def folder() -> Path | None:
    """The folder for this version of all that makes the code, on this kind of processor; None without a home."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    if not base:
        try:
            base = str(Path.home() / ".cache")
        except RuntimeError:
            return None
    return Path(base) / "scalar-autograd" / _version()


@cache
def _version() -> str:
    """A hash of everything that the native code depends on."""
    package = Path(__file__).parents[2]
    files = [
        package / f"{name}.py" for name in ("rules", "rows", "ieee754", "symbols", "operations", "recorded_operations")
    ]
    files += [package / "compiler" / "coefficients.py", *sorted(Path(__file__).parent.glob("*.py"))]
    target = processor()
    versions = [sys.version, llvmlite.__version__, platform.machine(), target.name, target.features]
    return hashlib.sha256(b"\0".join([*(x.read_bytes() for x in files), *map(str.encode, versions)])).hexdigest()[:16]
