"""Which mistakes would mutmut make? Its operators change every number, comparison, argument, sign, name, ... in a
function, one at a time: https://mutmut.readthedocs.io.

The mutants are those of `mutmut run`, under the same names; who notices them is found out by `trial.py`, for reasons of
reach and of time. The rules are called once, when `operations.py` is imported, which is before mutmut chooses a mutant,
so that its mutants of `rules.py` would never reach the engine. And where mutmut starts pytest for each of 3,000
mutants, here the tests are collected once and the process is forked.

Left out are the words of messages (what stands inside `raise ...(...)`) and types (the first operand of `cast`): Python
does nothing with those, and mutmut leaves annotations out itself.
"""

import contextlib
import difflib
import importlib
import tempfile
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from autograd.ieee754 import floats, ieee
from autograd.operations import operations
from tests.mutations.differences import concerned, is_equivalent, rules_of
from tests.mutations.mutant import ENGINE, Mutant, transplant

FILES = ("graph", "value", "functions", "rules")


def mutmut_mutants(name: str, every: int = 1) -> Iterator[Mutant]:
    """The mutants that mutmut makes of autograd/<name>.py, or every second, third, ... of each function's."""
    import libcst
    from mutmut.mutation.file_mutation import create_mutations, deep_replace, group_by_top_level_node
    from mutmut.mutation.trampoline_templates import mangle_function_name

    module_name = f"autograd.{name}"
    path = Path(str(importlib.import_module(module_name).__file__))
    _configure()
    tree, mutations, _, _ = create_mutations(str(path), path.read_text(encoding="utf-8"))
    words, classes = _messages_and_types(tree), _classes(tree)
    for function, group in group_by_top_level_node(mutations).items():
        if not isinstance(function, libcst.FunctionDef):
            continue
        class_name = classes.get(function, "")
        mangled = mangle_function_name(name=function.name.value, class_name=class_name or None)
        before = tree.code_for_node(function)
        for number, mutation in enumerate(group, 1):
            if number % every == 0 and mutation.original_node not in words and not _other_type(mutation):
                mutated = deep_replace(function, mutation.original_node, mutation.mutated_node)
                title = f"{module_name}.{mangled}__mutmut_{number}"
                yield _mutant(name, title, function.name.value, class_name, before, tree.code_for_node(mutated))


def _configure() -> None:
    """mutmut reads its configuration from the current folder, and wants one that says where the source is."""
    from mutmut.configuration import config

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("setup.cfg").write_text("[mutmut]\nsource_paths=autograd\n", encoding="utf-8")
        config()


def _mutant(group: str, title: str, function: str, class_name: str, before: str, after: str) -> Mutant:
    module_name = f"autograd.{group}"
    source = f"class {class_name}:\n{textwrap.indent(after, '    ')}" if class_name else after
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    changes = "\n".join(line for line in lines if line[:3] not in ("---", "+++"))
    concerns = frozenset([function]) if group == "functions" and function in operations else ENGINE
    if group == "rules":
        concerns = _concerned(source)
    return Mutant(group, title, partial(transplant, module_name, source), concerns, changes)


def changes_no_number(mutant: Mutant) -> bool:
    """Whether a mutant of rules.py gives the same numbers as the true rules at every point tried."""
    rules = rules_of(mutant.apply.args[1])  # type: ignore[attr-defined]
    return is_equivalent(rules(floats), rules(ieee), mutant.concerns)


def _concerned(definition: str) -> frozenset[str]:
    """The operations whose rules change when rules.py gets another definition of one of its functions."""
    try:
        return concerned(rules_of(definition)(floats))
    except Exception:  # the table cannot be built: nothing to choose tests by
        return frozenset(operations)


def _messages_and_types(tree: Any) -> set[Any]:
    """Every node inside a `raise` statement, and inside the first operand of a `cast`."""
    from libcst import matchers

    casts = matchers.findall(tree, matchers.Call(func=matchers.Name("cast")))
    stack: list[Any] = [*matchers.findall(tree, matchers.Raise()), *(cast.args[0] for cast in casts)]
    found: set[Any] = set()
    while stack:
        node = stack.pop()
        found.add(node)
        stack += node.children
    return found


def _other_type(mutation: Any) -> bool:
    """Whether the mutation is from cast(T, x) to cast(None, x)."""
    import libcst
    from libcst import matchers

    a_cast = matchers.Call(func=matchers.Name("cast"), args=[matchers.Arg(matchers.Name("None")), matchers.Arg()])
    return isinstance(mutation.mutated_node, libcst.Call) and matchers.matches(mutation.mutated_node, a_cast)


def _classes(tree: Any) -> dict[Any, str]:
    """The class of each method."""
    import libcst

    return {
        method: statement.name.value
        for statement in tree.body
        if isinstance(statement, libcst.ClassDef)
        for method in statement.body.body
        if isinstance(method, libcst.FunctionDef)
    }
