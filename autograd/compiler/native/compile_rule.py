"""How does a rule become native code? numba compiles the very functions of `rules.py`.

A rule's functions call others in the same closure or in the same module. numba wants all of them compiled. So `native`
builds a function anew, with every Python function that it refers to compiled as well.
"""

import inspect
from types import CellType, FunctionType
from typing import Any

from numba import njit

_compiled: dict[FunctionType, Any] = {}


def native(function: Any) -> Any:
    """The function as numba compiles it when it is first called; what is not a Python function is returned as it is.

    A function of any number of operands (`*xs`) then takes an array of them instead.
    """
    if not isinstance(function, FunctionType):
        return function
    if function not in _compiled:
        code = function.__code__
        if code.co_flags & inspect.CO_VARARGS:  # `*xs` stands where one more argument would stand
            code = code.replace(co_flags=code.co_flags & ~inspect.CO_VARARGS, co_argcount=code.co_argcount + 1)
        names = {name: native(x) for name, x in function.__globals__.items() if name in code.co_names}
        cells = tuple(CellType(native(cell.cell_contents)) for cell in function.__closure__ or ())
        rebuilt = FunctionType(code, {**function.__globals__, **names}, function.__name__, function.__defaults__, cells)
        _compiled[function] = njit(rebuilt, error_model="numpy")
    return _compiled[function]
