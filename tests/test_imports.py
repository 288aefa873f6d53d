"""Does no module import, by any way round, a module that imports it?

import-linter holds the layers (`lint-imports`, with the contracts of pyproject.toml). Here every import counts: those
in functions, those for annotations only, and the names of modules that are loaded when they are asked for.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import autograd
import nn

PACKAGES = [Path(package.__path__[0]) for package in (autograd, nn)]


def modules() -> dict[str, Path]:
    """The files of both packages, by the names that import them."""
    files = {}
    for package in PACKAGES:
        for file in package.rglob("*.py"):
            parts = [package.name, *file.relative_to(package).with_suffix("").parts]
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return files


def imported(name: str, text: str, known: set[str]) -> set[str]:
    """The modules of `known` that a module imports anywhere in its text.

    >>> sorted(imported("a.b", "def f():\\n    from a import c, d\\n    import e", {"a", "a.c", "e"}))
    ['a', 'a.c', 'e']
    >>> imported("a", "PLACES = {'x': 'b'}\\nimport_module('a.' + PLACES['x'])", {"a", "a.b"})
    {'a.b'}
    """
    loads_by_name = "import_module" in text
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports by a relative name"
            found.update(_sources(str(node.module), [alias.name for alias in node.names], known))
        elif loads_by_name and isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value, f"{name}.{node.value}"}
    return (found & known) - {name}


def _sources(module: str, names: list[str], known: set[str]) -> Iterator[str]:
    """`from module import name` takes the module of that name if there is one, and otherwise a name in `module`."""
    for name in names:
        yield f"{module}.{name}" if f"{module}.{name}" in known else module


def all_imports() -> dict[str, set[str]]:
    files = modules()
    return {name: imported(name, file.read_text(encoding="utf-8"), set(files)) for name, file in files.items()}


def test_no_circle_of_imports() -> None:
    try:
        TopologicalSorter(all_imports()).prepare()
    except CycleError as error:
        pytest.fail(" is imported by ".join(error.args[1]))


def test_autograd_imports_nothing_of_nn() -> None:
    """Only the strategy that draws networks is loaded from there, when it is asked for by `autograd.testing.mlps`."""
    wrong = {name: [m for m in found if m.split(".")[0] == "nn"] for name, found in all_imports().items()}
    assert {name: found for name, found in wrong.items() if found and name.split(".")[0] == "autograd"} == {
        "autograd.testing": ["nn.testing"]
    }


def test_imports_are_found_wherever_they_stand() -> None:
    found = all_imports()
    assert "autograd.compiler" in found["autograd"]  # for annotations
    assert "autograd.drawing" in found["autograd"]  # by its name, when it is asked for
    assert "autograd.testing.any_gradient" in found["autograd.testing"]  # by a part of its name
    assert "nn.experiments" in found["nn"]


def test_how_a_node_stores_its_operands_is_known_in_few_places() -> None:
    """`forward.py` has its measured reason beside it."""
    slots = re.compile(r"\b(_dx|_dy|_x|_y)\b")
    knowing = {name for name, file in modules().items() if slots.search(file.read_text(encoding="utf-8"))}
    core = {"autograd.value", "autograd.graph", "autograd.copying"}
    assert knowing == {*core, "autograd.transforms.forward"}


def test_no_decision_of_nn_hangs_on_the_name_of_a_module() -> None:
    """Only Hypothesis is told by name how a model is printed."""
    asking = {name for name, file in modules().items() if "__module__" in file.read_text(encoding="utf-8")}
    assert {name for name in asking if name.split(".")[0] == "nn"} == {"nn.testing"}
