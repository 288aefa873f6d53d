"""How does a layer offer its parameters as an array? By an attribute that gathers them when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, overload

if TYPE_CHECKING:
    from nn.arrays.parameter_array import ParameterArray


def need_numpy(what: str, instead: str) -> None:
    """Raises ImportError if NumPy is not installed.

    Arguments:
        what: the beginning of the sentence.
        instead: what works without NumPy.
    """
    if find_spec("numpy") is None:
        raise ImportError(f"{what} needs NumPy, which is not installed: pip install numpy, or use {instead}")


class ArrayView:
    """An attribute of a module: parameters of it as one array, to read and to set.

    Arguments:
        gather: finds them in the module, as a list or a list of lists.
        instead: how to get at them without NumPy.
    """

    def __init__(self, gather: Callable[[Any], Any], instead: str) -> None:
        self.gather = gather
        self._instead = instead
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, module: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, module: object, owner: type | None = None) -> ParameterArray: ...
    def __get__(self, module: object | None, owner: type | None = None) -> Any:
        if module is None:
            return self
        need_numpy(f"{type(module).__name__}.{self._name}", self._instead)
        from nn.arrays.parameter_array import parameter_array

        found = self.gather(module)
        return None if found is None else parameter_array(found, self._name)

    def __set__(self, module: object, numbers: Any) -> None:
        self.__get__(module).assign(numbers)


def views_of(cls: type) -> Iterator[tuple[str, ArrayView]]:
    """The views that a class and those that it is derived from have, by name."""
    for base in reversed(cls.__mro__):
        for name, attribute in vars(base).items():
            if isinstance(attribute, ArrayView):
                yield name, attribute
