"""Which native code is loaded? The loops of operations, layers, the machine, random numbers, and what counts.

What writes them is imported only if it is asked for: what is found on disk is loaded in a third of the time.
"""

import ctypes
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

from autograd.compiler.native.cache import LOCK, Unit
from autograd.operations import Operation

T = TypeVar("T")


def kernels_of(operation: Operation, count: int) -> tuple[int, int]:
    """The addresses of the operation's two loops: its value, and its chain rule.

    The loops of built-in operations are kept on disk. Those of users' own are compiled anew in each process, and for
    each number of operands; they are freed with the operation.
    """
    is_own = operation.function is not None
    with LOCK:
        unit: Unit = operation.kept(
            ("native", count if is_own else 0),
            lambda: Unit(operation.name, "kernels", "write_kernels", operation, count, kept=not is_own),
        )
        return unit.address("forward"), unit.address("backward")


def layer_kernels() -> tuple[int, int]:
    """The addresses of the two loops of whole layers."""
    return _addresses("layers", "kernels", "write_layers")


def spaced_dot_kernels() -> tuple[int, int]:
    """The addresses of the two loops of dots of evenly spaced numbers."""
    return _addresses("spaced_dots", "kernels", "write_spaced_dots")


def loop_kernels() -> tuple[int, int]:
    """The addresses of the two loops of loops with state."""
    return _addresses("loops", "loop_kernels", "write_loop_kernels")


def _addresses(*unit: str) -> tuple[int, int]:
    """The addresses of the two loops of a unit, which is loaded once."""
    found = once(lambda: _unit(*unit))
    return found.address("forward"), found.address("backward")


_unit = cache(Unit)


def once(make: Callable[[], T]) -> T:
    """What a cached function makes, which two threads must not make at the same time: one's code would be freed."""
    with LOCK:
        return make()


class Machine:
    """The functions of `machine.py`, to be called with addresses of tables. They let other threads of Python run."""

    def __init__(self) -> None:
        self._unit = Unit("machine", "machine", "write_machine")
        self.run = _function(self._unit, "run", "p")
        self.help = _function(self._unit, "help", "ppnn")


class RandomNumbers:
    """The functions of `random_numbers.py`."""

    def __init__(self) -> None:
        self._unit = Unit("random_numbers", "random_numbers", "write_random_numbers")
        self.shuffle = _function(self._unit, "shuffle", "ppn")
        self.choose_all = _function(self._unit, "choose_all", "ppppnpnpn")


class Classification:
    """The function of `classification.py`."""

    def __init__(self) -> None:
        self._unit = Unit("classification", "classification", "write_classification")
        self.count_right = _function(self._unit, "count_right", "pnnppnp")


def machine() -> Machine:
    """The machine, which is loaded once."""
    return once(_machine)


def random_numbers() -> RandomNumbers:
    """The random numbers, which are loaded once."""
    return once(_random_numbers)


def classification() -> Classification:
    """What counts the examples that are classified right, which is loaded once."""
    return once(_classification)


_machine, _random_numbers, _classification = cache(Machine), cache(RandomNumbers), cache(Classification)


def _function(unit: Unit, name: str, kinds: str) -> Callable[..., Any]:
    """A function of addresses (p) and whole numbers (n)."""
    types: Iterable[Any] = [ctypes.c_void_p if kind == "p" else ctypes.c_int64 for kind in kinds]
    return ctypes.CFUNCTYPE(None, *types)(unit.address(name))
