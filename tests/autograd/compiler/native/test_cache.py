"""Is native code kept on disk, found again, and never trusted when it is damaged or somebody else's?"""

import os
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite")

SCRIPT = """
import sys, time
from autograd import Value, compile, tanh
x = Value(0.5)
print(compile(tanh(x) * x, [x])([2.0]).tolist())
from autograd.compiler.native.cache import folder, kernels_of
from autograd.operations import operations
print(folder())
"""


def run(cache, **environment):
    variables = {**os.environ, "XDG_CACHE_HOME": str(cache), **environment}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=variables, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def kept_code(tmp_path_factory):
    """A cache in which the script has left its native code, what the script printed, and the code's folder."""
    cache = tmp_path_factory.mktemp("cache")
    return cache, *run(cache)


def test_native_code_is_kept_found_again_and_mended(kept_code):
    tmp_path, result, folder = kept_code
    kept = sorted(os.listdir(f"{folder}/__pycache__"))
    assert {name.split(".")[0] for name in kept} == {"machine", "mul", "tanh"}
    assert run(tmp_path)[0] == result
    assert sorted(os.listdir(f"{folder}/__pycache__")) == kept  # nothing was compiled anew
    for name in kept:
        with open(f"{folder}/__pycache__/{name}", "wb") as file:
            file.write(b"" if name.endswith("nbi") else b"garbage")
    with open(f"{folder}/tanh.py", "w") as file:
        file.write("")
    assert run(tmp_path)[0] == result
    assert run(tmp_path)[0] == result


def test_where_nothing_can_be_kept_it_works_all_the_same(kept_code, tmp_path):
    (tmp_path / "cache").write_text("a file, no folder")
    assert run(tmp_path / "cache")[0] == kept_code[1]
