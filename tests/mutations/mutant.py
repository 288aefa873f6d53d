"""What is a mutant, and how is it put into a running interpreter?

A mutant is a small mistake in the code. Python runs what a function's `__code__` says, so that a mutant is applied by
compiling the changed source and giving each function of the module its new code. Whoever imported the function
before, by whatever name, runs the mutant from then on. There is no way back: apply it in a fork (see `trial.py`).
"""

import ast
import importlib
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from autograd import operations as operations_module, rules as rules_module
from autograd.operations import operations
from autograd.rules import Rule

Table = dict[str, Rule]
Definition = tuple[CodeType, tuple[Any, ...]]
"""The code of a function, and its default values."""


class Mutant(NamedTuple):
    """One mistake.

    `group` and `name` say what is wrong; `apply()` makes the mistake in this process. `concerns` holds the names of the
    operations that change, which says which tests are asked; `changes` shows the changed lines.
    """

    group: str
    name: str
    apply: Callable[[], None]
    concerns: frozenset[str]
    changes: str = ""


OPERATORS = ("add", "sub", "mul", "neg", "div", "pow", "floor_divide", "remainder", "abs", "round")
ENGINE = frozenset([*OPERATORS, "log", "where", "max", "dot", "take", "log_softmax"])
"""Operations of every kind: operators, and some functions of one, two, three and many operands."""


def transplant(module_name: str, source: str) -> None:
    """Gives the functions and methods of a module the code that they have in `source`.

    Arguments:
        module_name: an imported module, such as "autograd.value".
        source: the text of the module with a change in it, or only of some of its functions.

    Raises:
        KeyError: the source has a function that the module has not.
    """
    module = importlib.import_module(module_name)
    live = _live_functions(module)
    for name, definitions in _definitions(source, module).items():
        pairs = zip(reversed(live[name]), reversed(definitions), strict=False)
        for function, (code, defaults) in pairs:  # from the last on: before an overloaded function stand its overloads
            function.__code__ = code
            function.__defaults__ = defaults or None
    if module in (rules_module, operations_module):
        rebuild_operations()


def mutate_table(change: Callable[[Table], Table]) -> None:
    """Makes `rules(m)` return `change(table)`, for every number system m."""
    rules = rules_module.rules
    original = FunctionType(rules.__code__, rules.__globals__, "rules")
    rules_module.mutated_rules = lambda m: change(original(m))  # type: ignore[attr-defined]
    transplant("autograd.rules", "def rules(m): return mutated_rules(m)")


def rebuild_operations() -> None:
    """Binds the rules anew, as importing `operations.py` does; the `Operation`s that others hold stay the same."""
    operations_module._tables.clear()
    rebuilt = operations_module._built_in()
    for name, operation in rebuilt.items():
        live = operations.get(name, operation)
        live.__init__(operation.rule, operation.careful, operation.over)  # type: ignore[misc]
        rebuilt[name] = live
    operations.clear()
    operations.update(rebuilt)


def _live_functions(module: ModuleType) -> dict[str, list[FunctionType]]:
    """The functions and methods that the module defines, by qualified name; a property's getter, then its setter."""
    found: dict[str, list[FunctionType]] = {}
    for thing in _members(module):
        method = thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing
        for function in (method.fget, method.fset) if isinstance(method, property) else (method,):
            function = inspect.unwrap(function) if callable(function) else function  # from behind its decorators
            if isinstance(function, FunctionType) and function.__globals__ is vars(module):
                functions = found.setdefault(function.__qualname__, [])
                functions += [function] if function not in functions else []
    return found


def _members(module: ModuleType) -> Iterator[Any]:
    """Everything in the module and in its classes."""
    for thing in list(vars(module).values()):
        if isinstance(thing, type) and thing.__module__ == module.__name__:
            yield from vars(thing).values()
        else:
            yield thing


def _definitions(source: str, module: ModuleType) -> dict[str, list[Definition]]:
    """The functions and methods in the source, by qualified name."""
    codes = {(code.co_qualname, code.co_firstlineno): code for code in _codes(compile(source, module.__file__, "exec"))}
    found: dict[str, list[Definition]] = defaultdict(list)
    for name, node in _nodes(ast.parse(source)):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        defaults = tuple(eval(ast.unparse(default), vars(module)) for default in node.args.defaults)
        found[name].append((codes[name, first], defaults))
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The codes of the functions in that of a module or class."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & inspect.CO_OPTIMIZED:
                yield constant
            else:
                yield from _codes(constant)


def _nodes(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _nodes(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If):  # such as `if TYPE_CHECKING:`
            continue
