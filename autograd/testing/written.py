"""How is a check written down, so that the line can be pasted and does the same again?

Numbers are written with all the digits that their type needs to get the same bits: arrays of NumPy, PyTorch and JAX,
Values, and any nesting of them. Functions, classes and large arrays go by the names that they have where the check was
called. What is missing there is imported on the same line. `reproduce_line` is what the reports print.
"""

import array
import ast
import base64
import builtins
import dataclasses
import linecache
import math
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autograd.modes import user_frame
from autograd.testing.differences.function_values import quiet
from autograd.value import Value

IN_FULL = 200
"""Arrays and lists of more numbers are written by a name, or packed."""
LONGEST = 8_000
"""A statement of more characters is not printed: it would fill a hundred lines of a terminal."""
ALIASES = {"numpy": "np", "jax.numpy": "jnp"}
"""What modules are usually called."""
HOMES = ("builtins", "math", "numpy", "torch", "jax.numpy")
"""Modules of functions that do not tell where they come from, such as NumPy's `exp`."""
PLAIN = (bool, int, str, bytes, range, slice, type(None), type(...))
"""Types whose `repr` can be pasted."""


class UnwritableError(Exception):
    """Something has no form that can be pasted; the message says what, and what helps."""


def reproduce_line(
    check: str,
    functions: Sequence[Any],
    point: Any,
    keywords: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> str:
    """A statement that does a check again.

    Arguments:
        check: the name of the check in `autograd.testing`.
        functions: what it was called with: functions, or the sources of lambdas; None for one that was left out.
        point: the point, as it was given.
        keywords: the functions' keyword arguments, if there are any.
        options: the check's other arguments, without those that have their default.

    Returns:
        one line of Python, for the module from which the check was called. Where none can be written it is a comment
        that says why.

    >>> reproduce_line("gradcheck", ["lambda x0: x0 * x0"], (0.1,), options={"order": 2})
    'from autograd.testing import gradcheck; gradcheck(lambda x0: x0 * x0, (0.1,), order=2)'
    """
    writer = Writer(user_frame(sys._getframe()).f_globals)
    named = {"keywords": keywords, **(options or {})} if keywords else dict(options or {})
    try:
        parts = [writer.function(f) for f in functions if f is not None]
        parts.append(f"{'point=' if None in functions else ''}{writer.written(point)}")
        parts += [f"{name}={writer.written(value)}" for name, value in named.items()]
        line = writer.statement(check, parts)
        if len(line) > LONGEST:
            raise UnwritableError(
                "the point is too large to be printed; give it a name at the top of a module or in a notebook's cell"
            )
        return line
    except UnwritableError as reason:
        known = [getattr(f, "__name__", type(f).__name__) for f in functions if f is not None]
        return f"# {check}({', '.join([*known, '...'])}) cannot be written down: {reason}"


class Writer:
    """Writes things as Python, and collects the imports that this needs.

    Arguments:
        names: what is known where the text will be pasted, such as a module's `globals()`.

    >>> import numpy as np
    >>> writer = Writer({})
    >>> writer.written((np.float32([0.1, -0.0]), {"w": 1e-300})), writer.imports
    ("(np.array([0.1, -0.0], dtype=np.float32), {'w': 1e-300})", ['import numpy as np'])
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names
        self._imports: dict[str, None] = {}

    @property
    def imports(self) -> list[str]:
        """The statements that must be run before."""
        return list(self._imports)

    def needs(self, statement: str) -> None:
        """Remembers a statement that must be run before."""
        self._imports[statement] = None

    def statement(self, check: str, parts: Sequence[str]) -> str:
        """The call of a check of `autograd.testing`, after the imports that are missing."""
        known = self.names.get(check) is getattr(sys.modules["autograd.testing"], check)
        imports = self.imports if known else [f"from autograd.testing import {check}", *self.imports]
        return "; ".join([*imports, f"{check}({', '.join(parts)})"])

    # What is known by a name

    def module(self, name: str) -> str:
        """What a module is called: as it is known already, or as it is imported from now on."""
        module = sys.modules[name]
        known = next((own for own, thing in self.names.items() if thing is module), None)
        if known or name == "builtins":
            return known or name
        package, _, last = name.rpartition(".")
        if package in sys.modules and self.knows(sys.modules[package]) and _at(sys.modules[package], last) is module:
            return f"{self.module(package)}.{last}"
        alias = ALIASES.get(name, name)
        self.needs(f"import {name}" + (f" as {alias}" if alias != name else ""))
        return alias

    def knows(self, thing: Any) -> bool:
        """Whether it has a name already."""
        return any(other is thing for other in self.names.values())

    def name(self, thing: Any) -> str | None:
        """The name of a function, a class, a model or a large array; None if it has none."""
        own = getattr(thing, "__name__", "")
        if own and self.names.get(own) is thing:
            return str(own)
        known = next((name for name, other in self.names.items() if other is thing and name[0] != "_"), None)
        if known:
            return known
        own, place = getattr(thing, "__qualname__", own), getattr(thing, "__module__", None)
        for home in (str(place).partition(".")[0], place, *HOMES):
            if own and home in sys.modules and _at(sys.modules[home], own) is thing:
                here = home in ("__main__", "builtins") or home == self.names.get("__name__")
                return own if here else f"{self.module(home)}.{own}"
        owner = getattr(thing, "__self__", None)
        if owner is None or isinstance(owner, ModuleType) or not (name := self.name(owner)):
            return None
        return f"{name}.{thing.__name__}"

    def named(self, thing: Any, what: str) -> str:
        """The name, or an error."""
        name = self.name(thing)
        if name:
            return name
        own, _, local = str(getattr(thing, "__qualname__", "")).partition(".<locals>.")
        if local and local != "<lambda>":
            raise UnwritableError(f"{local} is local to {own}; define it at the top of a module")
        owner = getattr(thing, "__self__", None)
        if owner is not None and not isinstance(owner, ModuleType):
            return f"{self.named(owner, f'an object of type {type(owner).__name__}')}.{thing.__name__}"
        raise UnwritableError(f"{what} has no name; {_name_for(thing)} at the top of a module, and pass that")

    def function(self, f: Any) -> str:
        """A function by its name, or a lambda by its source."""
        if isinstance(f, str):
            return self.checked(f, {**vars(sys.modules["autograd"]), **self.names})
        if self.name(f) or not (isinstance(f, FunctionType) and f.__name__ == "<lambda>"):
            return self.named(f, f"a function of type {type(f).__name__}")
        source = source_of_lambda(f)
        if f.__code__.co_freevars:
            inner = ", ".join(f.__code__.co_freevars)
            raise UnwritableError(
                f"a lambda uses {inner} of the function around it; define both at the top of a module"
            )
        if not source:
            raise UnwritableError("the source of a lambda was not found; give it a name at the top of a module")
        return self.checked(source, f.__globals__)

    def checked(self, source: str, meaning: Mapping[str, Any]) -> str:
        """The source of a lambda, after what it uses has been imported if it is not known already."""
        tree = ast.walk(ast.parse(source, mode="eval"))
        nodes = [node for node in tree if isinstance(node, ast.Name | ast.arg)]
        bound = {node.arg for node in nodes if isinstance(node, ast.arg)}
        bound |= {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
        for used in dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)):
            if used in bound or (hasattr(builtins, used) and used not in meaning):
                continue
            thing = meaning.get(used)
            home = "autograd" if _at(sys.modules["autograd"], used) is thing else getattr(thing, "__module__", None)
            if used in self.names and self.names[used] is thing:
                continue
            if isinstance(thing, ModuleType):
                self.needs(f"import {thing.__name__}" + f" as {used}" * (thing.__name__ != used))
            elif thing is not None and home in sys.modules and _at(sys.modules[home], used) is thing:
                self.needs(f"from {home} import {used}")
            else:
                raise UnwritableError(f"{used} is not known at the top of the module; define it there")
        return source

    # Numbers, and what holds them

    def written(self, x: Any) -> str:
        """x as Python that makes the same again, bit for bit."""
        if type(x) is float:
            return repr(x) if math.isfinite(x) else f'float("{x}")'
        if type(x) is complex:  # whose `repr` loses the sign of a zero
            return f"complex({self.written(x.real)}, {self.written(x.imag)})"
        if type(x) in PLAIN:
            return repr(x)
        if isinstance(x, list | tuple | dict):
            return self.container(x)
        if hasattr(x, "dtype"):
            return self.array(x)
        if isinstance(x, Value) or (hasattr(x, "data") and hasattr(x, "grad") and not callable(x)):
            return f"{self.importable(type(x))}({self.written(x.data)})"
        if isinstance(x, Fraction | Decimal):
            return self.importable(type(x)) + repr(x).removeprefix(type(x).__name__)
        if dataclasses.is_dataclass(x) and not isinstance(x, type) and not self.name(x):
            parts = [
                f"{each.name}={self.written(getattr(x, each.name))}" for each in dataclasses.fields(x) if each.init
            ]
            return f"{self.importable(type(x))}({', '.join(parts)})"
        return self.named(x, f"an object of type {type(x).__name__}")

    def importable(self, kind: Any) -> str:
        """The name of a class; Values are called so."""
        if kind is Value and self.names.get("Value", Value) is Value:
            if "Value" not in self.names:
                self.needs("from autograd import Value")
            return "Value"
        return self.named(kind, f"the class {kind.__name__}")

    def container(self, x: Any) -> str:
        """A list, a tuple or a dict, or a class of one's own that is one."""
        if len(x) > IN_FULL and (name := self.name(x)):
            return name
        if type(x) is list and len(x) > IN_FULL and {*map(type, x)} == {float}:
            return f'{self.module("array")}.array("d", {self.packed(array.array("d", x).tobytes())}).tolist()'
        if hasattr(x, "_fields"):
            parts = [f"{field}={self.written(part)}" for field, part in zip(x._fields, x, strict=True)]
            return f"{self.importable(type(x))}({', '.join(parts)})"
        if isinstance(x, dict):
            text = "{" + ", ".join(f"{self.written(key)}: {self.written(part)}" for key, part in x.items()) + "}"
        else:
            parts = list(map(self.written, x))
            text = f"[{', '.join(parts)}]"
            if isinstance(x, tuple):
                text = f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        return text if type(x) in (list, tuple, dict) else f"{self.importable(type(x))}({text})"

    def packed(self, content: bytes) -> str:
        """Bytes as a short literal."""
        text = base64.b85encode(zlib.compress(content, 9)).decode()
        return f'{self.module("zlib")}.decompress({self.module("base64")}.b85decode("{text}"))'

    def array(self, x: Any) -> str:
        """An array, or a number of an array's type."""
        size = math.prod(x.shape)
        if size > IN_FULL and (name := self.name(x)):
            return name
        library = type(x).__module__.partition(".")[0]
        if library == "torch":
            return self.tensor(x, size)
        if library in ("jax", "jaxlib"):
            return self.jax_array(x, size)
        if library in ("numpy", "ml_dtypes"):
            return self.numpy_array(x, size)
        return self.named(x, f"an object of type {type(x).__name__}")

    def numpy_array(self, x: Any, size: int) -> str:
        """An array or a number of NumPy's."""
        numpy = sys.modules["numpy"]
        dtype = self.numpy_type(x.dtype)
        if isinstance(x, numpy.generic):
            if x.dtype.kind in "OSUVMm" and not dtype.startswith("ml_dtypes"):
                raise UnwritableError(f"a number of type {x.dtype} has no short form; use a float64")
            return f"{dtype}({self.numbers(x)[0]})"
        np = self.module("numpy")
        if x.dtype.kind == "O":
            return f"{np}.array({_rows(list(map(self.written, x.reshape(-1).tolist())), x.shape)}, dtype=object)"
        if size == 0:
            return f"{np}.zeros({x.shape}, dtype={dtype})"
        if size > IN_FULL or x.dtype.itemsize > 8:  # Python's floats have not all the digits of a longdouble
            return f"{np}.frombuffer({self.packed(x.tobytes())}, dtype={dtype}).reshape({x.shape}).copy()"
        of_type = "" if x.dtype in (numpy.float64, numpy.bool_) else f", dtype={dtype}"
        return f"{np}.array({_rows(self.numbers(x), x.shape)}{of_type})"

    def numpy_type(self, dtype: Any) -> str:
        """The type of an array's numbers."""
        if dtype.type.__module__ == "ml_dtypes":
            return f"{self.module('ml_dtypes')}.{dtype.name}"
        if dtype.kind in "biufc" and dtype.isnative:
            return f"{self.module('numpy')}.{'bool_' if dtype.kind == 'b' else dtype.type.__name__}"
        return repr(dtype.str)

    def numbers(self, x: Any) -> list[str]:
        """The numbers of an array of NumPy's, with as many digits as their type needs."""
        array_of = sys.modules["numpy"].array
        flat = x.reshape(-1)
        if x.dtype.kind in "biuc":
            return list(map(self.written, flat.tolist()))
        return self.shortest([float(item) for item in flat], lambda texts: array_of(texts, x.dtype).astype(float))

    def jax_array(self, x: Any, size: int) -> str:
        """An array of JAX's."""
        jnp = self.module("jax.numpy")
        inner = sys.modules["numpy"].asarray(x)
        if x.dtype.itemsize == 8 and x.dtype.kind in "iuf":
            self.needs(f'{self.module("jax")}.config.update("jax_enable_x64", True)')
        if size == 0 or size > IN_FULL:
            return f"{jnp}.array({self.numpy_array(inner, size)})"
        return f"{jnp}.array({_rows(self.numbers(inner), x.shape)}, dtype={jnp}.{x.dtype.name})"

    def tensor(self, x: Any, size: int) -> str:
        """A tensor of PyTorch's."""
        torch: Any = sys.modules["torch"]
        module = self.module("torch")
        if x.layout is not torch.strided or x.is_quantized:
            raise UnwritableError("the point has a sparse or quantised tensor; use x.to_dense()")
        of_type = f"dtype={module}.{str(x.dtype).removeprefix('torch.')}"
        bare = x.detach().cpu().contiguous().reshape(-1)
        if size == 0:
            text = f"{module}.zeros({tuple(x.shape)}, {of_type})"
        elif size > IN_FULL:
            content = self.packed(bytes(bare.view(torch.uint8).tolist()))
            text = f"{module}.frombuffer(bytearray({content}), {of_type}).reshape({tuple(x.shape)})"
        else:
            numbers = list(map(self.written, bare.tolist()))
            if x.is_floating_point():
                numbers = self.shortest(bare.tolist(), lambda texts: torch.tensor(texts, dtype=x.dtype).tolist())
            text = f"{module}.tensor({_rows(numbers, x.shape)}, {of_type})"
        text += "" if x.device.type == "cpu" else f'.to("{x.device}")'
        if isinstance(x, torch.nn.Parameter):
            return f"{module}.nn.Parameter({text}{'' if x.requires_grad else ', requires_grad=False'})"
        return f"{text}.requires_grad_()" if x.requires_grad else text

    def shortest(self, numbers: Sequence[float], through: Callable[[list[float]], Any]) -> list[str]:
        """Each number with the fewest digits that become the same in a shorter type than double."""
        texts = list(map(self.written, numbers))
        for digits in range(9, 0, -1):  # nine are enough for float32; a double keeps all that `repr` gives it
            shorter = [float(f"{x:.{digits}g}") for x in numbers]
            with quiet():  # what was the largest float32 may become an infinity
                rounded = zip(texts, numbers, shorter, map(float, through(shorter)), strict=True)
            texts = [self.written(short) if back == x else text for text, x, short, back in rounded]
        return texts


def _at(module: Any, path: str) -> Any:
    """What a module has under a name such as "Tree.grow"."""
    for name in path.split("."):
        module = getattr(module, name, None)
    return module


def _name_for(thing: Any) -> str:
    """How an object gets a name.

    >>> from functools import partial
    >>> _name_for(partial(pow, 2)), _name_for([])
    ('write f = partial(...)', 'give it one')
    """
    return f"write f = {type(thing).__name__}(...)" if callable(thing) else "give it one"


def _rows(texts: Sequence[str], shape: Sequence[int]) -> str:
    """The texts of an array's items as nested lists.

    >>> _rows(["1", "2", "3", "4"], (2, 2)), _rows(["1"], ())
    ('[[1, 2], [3, 4]]', '1')
    """
    for size in reversed(shape):
        texts = [f"[{', '.join(texts[i : i + size])}]" for i in range(0, len(texts), size)]
    return texts[0]


def source_of_lambda(f: FunctionType) -> str:
    """The source of a lambda on one line; "" if it was not found."""
    code = f.__code__
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename, f.__globals__)))
    except SyntaxError:
        return ""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and _holds(node, code)]
    innermost = min(
        found, key=lambda node: (_end(node)[0] - node.lineno, _end(node)[1] - node.col_offset), default=None
    )
    return ast.unparse(innermost) if innermost else ""


def _holds(node: ast.Lambda, code: CodeType) -> bool:
    """Whether the code stems from the part of the source where this lambda is."""
    named = [argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
    if node.lineno != code.co_firstlineno or {*named} != {*code.co_varnames[: len(named)]}:
        return False
    places = [
        ((line, column), (last_line, last_column))
        for line, last_line, column, last_column in code.co_positions()
        if None not in (line, last_line, column, last_column) and column != last_column
    ]
    begin, end = (node.lineno, node.col_offset), _end(node)
    return bool(places) and all(begin <= first and last <= end for first, last in places)


def _end(node: ast.Lambda) -> tuple[int, int]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.end_lineno, node.end_col_offset
