"""Do the worked examples of CONTRIBUTING.md work? Each is followed to the letter, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from autograd.operations import operations

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (An? \w+)\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL))

ABOVE = re.compile(r"In `([\w/.]+)`, above the line that begins with `([^\n]+)`:\n\n```python\n(.*?)```", re.DOTALL)
NEW = re.compile(r"In the new file `([\w/.]+)`:\n\n```python\n(.*?)```", re.DOTALL)
TRIED = re.compile(r"Then this works:\n\n```python\n(.*?)```", re.DOTALL)


def insert(file: Path, beginning: str, code: str) -> None:
    """Puts the code above the first line that begins so, as far to the right as that line."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    place = next(k for k, line in enumerate(lines) if line.lstrip().startswith(beginning))
    margin = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
    lines.insert(place, textwrap.indent(code, margin))
    file.write_text("".join(lines), encoding="utf-8")


def followed(section: str, tmp_path: Path) -> str:
    """Makes a copy of the project in which the section's example was followed; returns what should work then."""
    for package in ("autograd", "nn"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, code in NEW.findall(SECTIONS[section]):
        (tmp_path / file).write_text(code, encoding="utf-8")
    for file, beginning, code in ABOVE.findall(SECTIONS[section]):
        insert(tmp_path / file, beginning, code)
    (tried,) = TRIED.findall(SECTIONS[section])
    return str(tried)


def run(folder: Path, *words: str, native: bool = False) -> subprocess.CompletedProcess[str]:
    """Python in the copy; without native code, which would have to be compiled anew for it."""
    if not native:
        (folder / "sitecustomize.py").write_text("import sys; sys.modules['llvmlite'] = None\n", encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("section", SECTIONS)
def test_the_example_works(section: str, tmp_path: Path) -> None:
    tried = followed(section, tmp_path)
    result = run(tmp_path, "-W", "ignore", "-c", tried)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("section", "file"),
    [
        ("An operation", "autograd/functions.py"),
        ("A layer", "nn/scale.py"),
        ("An optimiser", "nn/optim.py"),
        ("A loss", "nn/losses.py"),
    ],
)
def test_its_docstring_runs_too(section: str, file: str, tmp_path: Path) -> None:
    followed(section, tmp_path)
    module = file.removesuffix(".py").replace("/", ".")
    code = f"import doctest, {module} as m, sys; sys.exit(doctest.testmod(m, optionflags=12).failed)"
    result = run(tmp_path, "-c", code)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("section", SECTIONS)
def test_it_is_in_the_style_of_the_project(section: str, tmp_path: Path) -> None:
    followed(section, tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for words in ["check"], ["format", "--check"]:
        result = run(tmp_path, "-m", "ruff", *words, "--no-cache", "autograd", "nn", native=True)
        assert result.returncode == 0, result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_its_types_are_right(section: str, tmp_path: Path) -> None:
    followed(section, tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    result = run(tmp_path, "-m", "mypy", "--strict", "autograd", "nn", native=True)
    assert result.returncode == 0, result.stdout


def test_a_new_operation_is_found_everywhere(tmp_path: Path) -> None:
    followed("An operation", tmp_path)
    result = run(tmp_path, "-m", "autograd", "mish(a)*b", "--at", "a=-1", "b=2")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("mish(a)*b = -0.606")
    code = """
import random
import autograd
from autograd import draw, grad, mish
from autograd.operations import operations
from autograd.testing.truth.oracles import oracles
from nn import MLP, diagnose
from nn.activations import ACTIVATIONS
assert ACTIVATIONS["mish"] is mish and operations["mish"].rule.activation.steepest == 1.09
assert set(oracles) == set(operations)
second, step = grad(grad(mish))(0.5), 2.0**-16
assert abs(second - (grad(mish)(0.5 + step) - grad(mish)(0.5 - step)) / (2.0 * step)) < 1e-8
program = autograd.compile(mish)
assert program(0.5) == mish(0.5)
assert program.value_and_grad(0.5)[1][0] == grad(mish)(0.5)
model = MLP(2, [3, 1], activation="mish", rng=random.Random(0))
y = model([1.0, 2.0])
assert "mish" in draw(y, model=model).source
assert "mish" in str(diagnose(model, [[1.0, 2.0]] * 30, [1.0] * 30, loss="mse_loss"))
"""
    result = run(tmp_path, "-W", "ignore", "-c", code)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_new_operation_is_native_code_too(tmp_path: Path) -> None:
    followed("An operation", tmp_path)
    code = """
import math
import numpy as np
from autograd import Value, compile, mish
from autograd.ieee754 import Real
from autograd.operations import operations

def is_near(x, y, scale):
    return x == y or x != x and y != y or abs(x - y) <= 8 * math.ulp(max(abs(y), scale))

xs = np.array([-800.0, -710.0, -5.0, -1.19, -0.0, 0.5, 3.0, 400.0, float("inf"), float("nan")])
values, (slopes,) = compile(mish).value_and_grad(xs)
for x, y, slope in zip(xs.tolist(), values.tolist(), slopes.tolist()):
    expected = mish(Value(x))
    assert is_near(y, expected.data, 0.0), (x, y, expected)
    (scale,) = operations["mish"].careful.scale(Real(expected.data), Real(x))  # near -1.19 two terms cancel
    assert is_near(slope, expected.local_derivatives[0], float(scale)), (x, slope)
"""
    result = run(tmp_path, "-c", code, native=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_native_code_is_printed() -> None:
    (section,) = re.findall(r"^## Native code\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL)
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert 'define void @"forward"' in result.stdout


def test_the_list_of_methods_for_type_checkers_is_that_of_the_table() -> None:
    source = (ROOT / "autograd" / "value.py").read_text(encoding="utf-8")
    block = source.partition("if TYPE_CHECKING:")[2].partition("\n\n\n")[0]
    listed = set(re.findall(r"\b[a-z]\w*(?= =)", block)) | set(re.findall(r"def ([a-z]\w*)", block))
    assert listed == {name for name, operation in operations.items() if operation.rule.method}
