"""Is `import autograd` light, and does it notice another package of its name?"""

import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import autograd.testing

PACKAGE = Path(autograd.__file__).parent


def run(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


def test_import_loads_nothing_heavy():
    heavy = "{'numpy', 'llvmlite', 'graphviz', 'pygraphviz', 'tqdm', 'matplotlib', 'pandas', 'nn'}"
    result = run(f"import autograd, sys; print(sorted({heavy} & set(sys.modules)))")
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


def test_the_core_needs_only_the_standard_library():
    code = "import sys; before = set(sys.modules); import autograd; print(*set(sys.modules) - before)"
    loaded = {name.split(".")[0] for name in run(code).stdout.split()}
    assert loaded - set(sys.stdlib_module_names) == {"autograd"}


def test_without_graphviz_everything_works_but_drawing_which_says_what_to_install():
    code = "import sys; sys.modules['graphviz'] = None; import autograd; print(autograd.tanh(0.0)); autograd.draw"
    result = run(code)
    assert result.stdout == "0.0\n"
    assert result.stderr.strip().endswith(
        "ImportError: autograd.draw needs the package graphviz: pip install graphviz pygraphviz"
    )


STAR_IMPORT = """
import importlib, sys
module, blocked, *names = sys.argv[1:]
sys.modules.update(dict.fromkeys(blocked.split()))
found = {}
exec(f"from {module} import *", found)

def can_be_had(name):
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False

print(*(name for name in names if can_be_had(name) != (name in found)), "|", *(n for n in names if n not in found))
"""


@pytest.mark.parametrize(
    ("module", "blocked", "gone"),
    [
        (autograd, "numpy", "Program"),
        (autograd, "graphviz", "draw"),
        (autograd.testing, "mpmath", "gradcheck"),
        (autograd.testing, "hypothesis", "expressions"),
    ],
)
def test_an_import_of_everything_gives_what_can_be_had(module, blocked, gone):
    command = [sys.executable, "-c", STAR_IMPORT, module.__name__, blocked, *module.__all__]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wrong, absent = done.stdout.split("|")
    assert wrong.split() == []
    assert gone in absent.split()


def test_an_import_of_everything_gives_every_public_name_where_all_is_installed():
    for module in (autograd, autograd.testing):
        command = [sys.executable, "-c", STAR_IMPORT, module.__name__, "", *module.__all__]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["|"]


def test_lazy_names_are_found_by_completion():
    assert {"draw", "explain", "backward_steps", "grad", "hessian"} <= set(dir(autograd))


def test_the_transforms_are_loaded_when_they_are_asked_for():
    code = "import autograd, sys; print('autograd.transforms' in sys.modules, autograd.grad(autograd.sin)(0.0))"
    assert run(code).stdout == "False 1.0\n"


def test_value_py_can_be_read_in_one_sitting():
    assert len((PACKAGE / "value.py").read_text(encoding="utf-8").splitlines()) < 400


def test_files_of_another_autograd_in_the_same_folder_are_noticed(tmp_path):
    package = tmp_path / "autograd"
    for source in PACKAGE.rglob("*.py"):
        target = package / source.relative_to(PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    (package / "numpy").mkdir()
    (package / "numpy" / "__init__.py").touch()
    result = run("import autograd", cwd=tmp_path)
    assert "ImportError: the files of another package named autograd" in result.stderr
    assert "pip uninstall autograd scalar-autograd" in result.stderr
