"""May code of one's own run only once? Loss functions and modules that are not nn's, read before they are recorded.

Compiled code repeats what it saw when it was recorded. So a function must compute the same each time: it may not print,
count its calls, draw random numbers of its own, or ask the clock. Its code tells what it reads: names from outside,
which must be plain numbers, functions that may be read in turn, or the modules in `HARMLESS`. Whatever else it touches
is in doubt, and the eager engine calls it for every batch. What it reads is compared again before each epoch.
"""

import builtins
import copy
import dis
import functools
import inspect
import itertools
import math
import operator
import os
import random
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

import autograd
from autograd import Value
from autograd.modes import RecordingError
from autograd.operations import Operation
from autograd.reals import shown
from nn.losses import Loss, known_loss
from nn.module import Module
from nn.own import is_own
from nn.training.settings import Same, generators_of

HARMFUL = {
    *("print", "input", "open", "exec", "eval", "compile", "__import__", "breakpoint", "next", "id", "hash"),
    *("setattr", "delattr", "globals", "locals", "vars"),
    *("setitem", "delitem", "iconcat", "iadd", "ior", "iand", "isub", "ixor", "imul"),
}
"""What Python's own functions write, or read otherwise each time."""

HARMLESS = (math, operator, itertools, functools, builtins)
"""Modules whose functions compute the same each time, but for those in `HARMFUL`. So do `autograd` and `nn`."""

_KNOWN = {id(x) for module in HARMLESS for name, x in vars(module).items() if not {name[0], name} & {"_", *HARMFUL}}
_FOLDERS = tuple(f"{folder}{os.sep}" for folder in (*autograd.__path__, Path(__file__).parents[1]))

CALLED = ("forward", "forward_batch", "__call__")
"""The methods of a module that a recording calls."""

WRITES = ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_ATTR", "DELETE_ATTR", "IMPORT_NAME")

WRITES_ITEMS = ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE")

_CHANGEABLE, _FIXED = (list, dict, set, bytearray), (tuple, MappingProxyType, frozenset, bytes)
CHANGING = {
    *({name for kind in _CHANGEABLE for name in dir(kind)} - {name for kind in _FIXED for name in dir(kind)}),
    *("fill", "itemset", "partition", "put", "resize", "setfield", "setflags"),
    *("setitem", "delitem", "iconcat", "iadd", "ior", "iand", "isub", "ixor", "imul"),
}
"""The methods that change a list, a dictionary, a set or an array, and the functions of `operator` that do."""


class Doubt(RecordingError):
    """Code of one's own may compute something else each time, or do more than compute."""


def what_it_reads(model: Module, loss: Loss | None) -> list[Any]:
    """What code of one's own in the model and the loss reads from outside, in a form that shows whether it has changed.

    Raises:
        Doubt: it may compute something else each time, or do more than compute.
    """
    reader = _Reader()
    if loss is not None and not known_loss(loss):
        reader.value("the loss", loss)
    for module in model.modules():
        if not is_own(module):
            reader.module(module)
        for name in ("activation", "_activate"):
            if callable(function := getattr(module, name, None)):
                reader.value(name, function)
    reader.methods()
    reader.changes()
    return reader.read


class _Reader:
    """Follows everything that some functions read.

    Attributes:
        read: what was found, in order.
    """

    def __init__(self) -> None:
        self.read: list[Any] = []
        self._seen: dict[int, Any] = {}
        self._kinds: list[type] = []  # the classes of the modules
        self._attributes: dict[str, None] = dict.fromkeys(CALLED)  # the names of methods that may be called
        self._changes = ""  # what changes something that may come from outside, in words
        self._has_changeable = False  # whether something from outside can be changed

    def value(self, name: str, x: Any) -> None:
        """Something that is read under a name."""
        if x is None or isinstance(x, bool | int | float | str | bytes):
            self.read.append((name, type(x), repr(x)))
            return
        self.read.append((name, Same(x)))
        if id(x) in self._seen and not isinstance(x, list | dict | set):
            return
        if id(x) in self._seen and self._seen[id(x)] is _OPEN:
            raise Doubt(f"{name} contains itself")
        self._seen[id(x)] = _OPEN if isinstance(x, list | dict | set) else x
        self._object(name, x)
        self._seen[id(x)] = x

    def _object(self, name: str, x: Any) -> None:
        self._has_changeable |= isinstance(x, list | dict | set) or bool(getattr(x, "shape", ()))
        if isinstance(x, list | tuple | set | frozenset):
            for item in x if isinstance(x, list | tuple) else sorted(x, key=repr):
                self.value(name, item)
        elif isinstance(x, dict):
            for key, item in x.items():
                self.value(name, key)
                self.value(name, item)
        elif isinstance(x, Value):
            if x.operation:
                raise Doubt(f"{name} is a Value that was computed before")
        elif isinstance(x, ModuleType):
            if x not in HARMLESS and not _is_here(getattr(x, "__file__", None)):
                raise Doubt(f"it uses the module {x.__name__}")
        elif isinstance(x, type):
            if not (id(x) in _KNOWN or x is Value or issubclass(x, BaseException) or "_is_own" in vars(x)):
                raise Doubt(f"it uses the class {x.__name__}")
        elif isinstance(x, Module):
            if not all(map(is_own, x.modules())):
                raise Doubt(f"{name} is a module of your own outside the model")
        elif isinstance(x, random.Random):
            self.read.append(hash(x.getstate()))
        elif getattr(getattr(x, "dtype", None), "kind", "O") in "biuf":
            self.read.append((x.shape, x.tobytes()))
        else:
            self._callable(name, x)

    def _callable(self, name: str, x: Any) -> None:
        if isinstance(x, partial):
            for part in (x.func, x.args, x.keywords):
                self.value(name, part)
        elif isinstance(x, MethodType) and isinstance(x.__self__, Module):
            raise Doubt(f"{name} is a method of a module")
        elif isinstance(x, MethodType):
            self.value(name, x.__func__)
            self.value(name, x.__self__)
        elif isinstance(x, FunctionType):
            self.function(x)
        elif isinstance(x, BuiltinFunctionType) and not isinstance(x.__self__, ModuleType | None):
            raise Doubt(f"{name} is a method of an object")
        elif id(x) not in _KNOWN and not isinstance(x, Operation):
            raise Doubt(f"it uses {name}" if callable(x) else f"{name} is a {type(x).__name__}")

    def function(self, function: FunctionType) -> None:
        """A function, which is read if it is one's own."""
        if _is_here(function.__code__.co_filename):
            return
        self.read.append((function.__name__, Same(function.__code__)))
        self._seen[id(function.__code__)] = function.__code__
        for name, x in (function.__kwdefaults__ or {}).items():
            self.value(name, x)
        for x in function.__defaults__ or ():
            self.value("a default", x)
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        outside = {name: cell.cell_contents for name, cell in cells.items() if name != "__class__"}
        self._code(function.__code__, outside, function.__globals__)

    def _code(self, code: CodeType, outside: Mapping[str, Any], everywhere: Mapping[str, Any]) -> None:
        """A function's code, and that of the functions in it."""
        pending = [code]
        while pending:
            code = pending.pop()
            pending += [x for x in code.co_consts if isinstance(x, CodeType)]
            for receiver, how in _changed(code):
                if not isinstance(everywhere.get(receiver), ModuleType):
                    self._changes = f"{code.co_name} {how} what may come from outside"
            for step in dis.get_instructions(code):
                name = step.argval
                if step.opname in WRITES or (step.opname == "STORE_DEREF" and name in outside):
                    raise Doubt(f"{code.co_name} writes {name}")
                self._has_changeable |= name == "__dict__"
                if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                    self.value(name, everywhere.get(name, getattr(builtins, name, None)))
                elif step.opname in ("LOAD_DEREF", "LOAD_CLASSDEREF") and name in outside:
                    self.value(name, outside[name])
                elif step.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR"):
                    self._attributes[name] = None

    def changes(self) -> None:
        """Refuses code that changes a list that may come from outside, if a list from outside was found at all."""
        if self._changes and self._has_changeable:
            raise Doubt(self._changes)

    # Modules of one's own

    def module(self, module: Module) -> None:
        """A module of one's own: its attributes. Its methods follow when all code was read that may call them."""
        kind = type(module)
        if kind not in self._kinds:
            self._kinds.append(kind)
        for name in ("__getattr__", "__getattribute__", "__setattr__"):
            if getattr(kind, name, None) is not getattr(Module, name, None):
                raise Doubt(f"{kind.__name__} has a {name}")
        for name, x in vars(module).items():
            if name != "training":
                self._attribute(name, x)

    def methods(self) -> None:
        """The methods and properties of all modules whose names were read, and those that these read in turn."""
        done: set[str] = set()
        while names := [name for name in self._attributes if name not in done]:
            done |= set(names)
            for kind in self._kinds:
                for name in names:
                    self._method(kind, name)

    def _attribute(self, name: str, x: Any) -> None:
        """Parts of the model are looked at for themselves."""
        self._has_changeable |= isinstance(x, list | dict)
        if isinstance(x, list | tuple):
            for item in x:
                self._attribute(name, item)
        elif isinstance(x, dict):
            for item in x.values():
                self._attribute(name, item)
        elif not isinstance(x, Module | Value):
            self.value(name, x)

    def _method(self, kind: type, name: str) -> None:
        """A method or property of a class, if it is one's own."""
        for cls in kind.__mro__:
            found = vars(cls).get(name)
            if found is None:
                continue
            if cls is object:
                return
            self.read.append((cls.__name__, name, Same(found)))
            if id(found) in self._seen:
                return
            self._seen[id(found)] = found
            function = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
            if isinstance(function, FunctionType):
                self.function(function)
            else:
                self.value(name, function)
            return


_OPEN = object()


def _changed(code: CodeType) -> Iterator[tuple[str, str]]:
    """What a function's code changes in place: the global name of it, or "", and what happens to it, in words.

    What the code itself has made may be changed, if it has a name.
    """
    steps = _single_steps(code)
    own = _own_containers(code, steps)
    for k, (kind, name, _) in enumerate(steps):
        before, how = ("", "", False), "writes an item of"
        if kind in ("LOAD_ATTR", "LOAD_METHOD") and name in CHANGING:
            before, how = steps[k - 1], f"calls {name} of"
        elif kind not in WRITES_ITEMS:
            continue
        elif kind != "STORE_SLICE" and steps[k - 1][0] in ("LOAD_FAST", "LOAD_CONST"):
            before = steps[k - 2]  # the container; a key may take more steps than one
        if before[0] != "LOAD_FAST" or before[1] not in own:
            yield (before[1] if before[0] == "LOAD_GLOBAL" and name not in HARMFUL else ""), how


def _own_containers(code: CodeType, steps: list[tuple[str, Any, bool]]) -> set[str]:
    """The local names that never stand for anything but a list, a dictionary or a set that was made just before."""
    stored = [(name, steps[k - 1][0], is_target) for k, (kind, name, is_target) in enumerate(steps) if "STORE" in kind]
    flags = code.co_flags & inspect.CO_VARARGS, code.co_flags & inspect.CO_VARKEYWORDS
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + sum(map(bool, flags))]
    others = {name for name, before, is_target in stored if before not in _MAKES or is_target}
    return {name for name, _, _ in stored} - others - set(arguments)


_MAKES = ("BUILD_LIST", "BUILD_MAP", "BUILD_SET", "LIST_EXTEND", "DICT_UPDATE", "SET_UPDATE", "BINARY_OP")


def _single_steps(code: CodeType) -> list[tuple[str, Any, bool]]:
    """The instructions: kind, argument, and whether the code jumps there. Those that do two things come as two."""
    steps: list[tuple[str, Any, bool]] = []
    for step in dis.get_instructions(code):
        kind = step.opname.replace("_BORROW", "").replace("_CHECK", "")
        if kind == "BINARY_OP" and step.argrepr.endswith("="):
            kind = "BINARY_OP_IN_PLACE"
        if kind.count("_FAST") == 2:  # such as STORE_FAST_LOAD_FAST
            first, second = kind[: kind.index("_FAST") + 5], kind[kind.index("_FAST") + 6 :]
            steps += [(first, step.argval[0], step.is_jump_target), (second, step.argval[1], False)]
        else:
            steps.append((kind, step.argval, step.is_jump_target))
    return steps


def _is_here(file: Any) -> bool:
    """Whether a file belongs to one of the two packages."""
    return isinstance(file, str) and file.startswith(_FOLDERS)


def copied_where_it_is_foreign(model: Module) -> tuple[Module, list[Module]]:
    """The model to trace, and the modules that it shares with the original: those that are entirely nn's own.

    Other modules may write down what they see. So they are traced in a copy, which has the same parameters.
    """
    named = list(model.named_modules())
    others = [f"{name}." for name, x in named if not is_own(x)]
    if not others:
        return model, [x for _, x in named]
    own = [x for name, x in named if not any(other.startswith(f"{name}." if name else "") for other in others)]
    kept = [type(x).__name__ for _, x in named if x not in own and x.buffer_names]
    if kept:
        raise RecordingError(f"{kept[0]} is a module of your own with buffers: only the eager engine keeps them")
    memo: dict[int, Any] = {id(x): x for x in (*own, *model.parameters(), *generators_of(model.modules()))}
    try:
        return copy.deepcopy(model, memo), own
    except Exception as error:
        why = f"a module of your own cannot be copied, and compiled training records a copy: {shown(str(error))}"
        raise RecordingError(f'{why}; engine="eager" calls the module itself') from None
