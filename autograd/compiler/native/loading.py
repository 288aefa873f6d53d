"""Which native code is loaded? The loops of operations, whole layers, the machine, and the random numbers."""

import ctypes
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from autograd.compiler.native import kernels
from autograd.compiler.native.cache import Unit
from autograd.compiler.native.machine import write_machine
from autograd.compiler.native.random_numbers import write_random_numbers
from autograd.modes import RecordingError
from autograd.operations import Operation

_addresses: WeakKeyDictionary[Operation, tuple[int, int, Unit]] = WeakKeyDictionary()


def kernels_of(operation: Operation) -> tuple[int, int]:
    """The addresses of the operation's two loops: its value, and its chain rule.

    The loops of built-in operations are kept on disk. Those of users' own are compiled anew in each process.

    Raises:
        RecordingError: the operation was given for plain floats only.
    """
    if operation not in _addresses:
        if operation.over is None:
            raise RecordingError(
                f"{operation.name} cannot be compiled, since its value and derivatives were given over plain floats: "
                f"give them over a namespace m of elementary functions, as autograd.operation explains"
            )
        is_own = operation.function is not None
        unit = Unit(operation.name, lambda code: kernels.write_kernels(code, operation), kept=not is_own)
        _addresses[operation] = unit.address("forward"), unit.address("backward"), unit
    return _addresses[operation][:2]


@cache
def _layers() -> Unit:
    return Unit("layers", kernels.write_layers)


def layer_kernels() -> tuple[int, int]:
    """The addresses of the two loops of whole layers."""
    return _layers().address("forward"), _layers().address("backward")


class Machine:
    """The functions of `machine.py`, to be called with addresses of tables. They let other threads of Python run."""

    def __init__(self) -> None:
        self._unit = Unit("machine", write_machine)
        self.run = _function(self._unit, "run", "p")
        self.help = _function(self._unit, "help", "ppnn")


class RandomNumbers:
    """The functions of `random_numbers.py`."""

    def __init__(self) -> None:
        self._unit = Unit("random_numbers", write_random_numbers)
        self.shuffle = _function(self._unit, "shuffle", "ppn")
        self.choose_all = _function(self._unit, "choose_all", "ppppnpnpn")


machine = cache(Machine)
random_numbers = cache(RandomNumbers)


def _function(unit: Unit, name: str, kinds: str) -> Callable[..., Any]:
    """A function of addresses (p) and whole numbers (n)."""
    types: Iterable[Any] = [ctypes.c_void_p if kind == "p" else ctypes.c_int64 for kind in kinds]
    return ctypes.CFUNCTYPE(None, *types)(unit.address(name))
