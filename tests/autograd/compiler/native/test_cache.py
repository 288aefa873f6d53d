"""Is native code kept on disk, found again, and never trusted when it is damaged or somebody else's?"""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

SCRIPT = """
from autograd import Value, compile, tanh
x = Value(0.5)
print(compile(tanh(x) * x, [x])([2.0]).tolist())
from autograd.compiler.native.cache import folder, seconds_compiling
print(folder())
print(sorted(seconds_compiling))
"""


def run(cache, **environment):
    variables = {**os.environ, "XDG_CACHE_HOME": str(cache), **environment}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=variables, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def kept_code(tmp_path_factory):
    """A cache in which the script has left its native code, what the script printed, and the code's files."""
    cache = tmp_path_factory.mktemp("cache")
    result, folder, compiled = run(cache)
    assert compiled == "['machine', 'mul', 'tanh']"
    return cache, result, sorted(Path(folder).iterdir())


def test_native_code_is_kept_and_found_again(kept_code):
    cache, result, files = kept_code
    assert [file.name for file in files] == ["machine.o", "mul.o", "tanh.o"]
    assert run(cache) == [result, str(files[0].parent), "[]"]


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\xff" * 4000])
def test_what_was_damaged_is_made_again(kept_code, damage):
    cache, result, files = kept_code
    for file in files:
        file.write_bytes(damage)
    assert run(cache)[0] == result
    assert run(cache)[2] == "[]"


@pytest.mark.parametrize("place", [0, 20, 33, 500, -1])
def test_a_single_bit_that_flips_is_found(kept_code, place):
    cache, result, files = kept_code
    data = bytearray(files[2].read_bytes())
    data[place] ^= 1
    files[2].write_bytes(data)
    assert run(cache)[::2] == [result, "['tanh']"]


def test_where_nothing_can_be_kept_it_works_all_the_same(kept_code, tmp_path):
    (tmp_path / "cache").write_text("a file, no folder")
    assert run(tmp_path / "cache")[0] == kept_code[1]


def test_a_read_only_folder_is_read(kept_code):
    cache, result, files = kept_code
    files[1].write_bytes(b"damaged")
    os.chmod(files[0].parent, stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert run(cache)[0] == result
    finally:
        os.chmod(files[0].parent, stat.S_IRWXU)
    assert run(cache)[0] == result


def test_several_processes_can_make_the_same_code_at_once(kept_code):
    cache, result, files = kept_code
    for file in files:
        file.write_bytes(b"damaged")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: run(cache)[0], range(6)))
    assert found == [result] * 6
    assert sorted(files[0].parent.iterdir()) == files  # no temporary file is left


def test_code_for_another_processor_has_a_folder_of_its_own(kept_code):
    cache, result, files = kept_code
    if "x86_64" not in str(os.uname() if hasattr(os, "uname") else ""):
        pytest.skip("names a processor of x86-64")
    other, folder, _ = run(cache, AUTOGRAD_PROCESSOR="x86-64-v2")
    assert other == result
    assert folder != str(files[0].parent)
