"""For which processors is native code made? For the one at hand, or for one that is named."""

import os
import platform
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite")

x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are names of other processors")


def named(name, code):
    """What a new process prints, whose native code is made for the processor of this name."""
    environment = os.environ | {"AUTOGRAD_PROCESSOR": name}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)


@x86
@pytest.mark.parametrize(
    ("name", "width", "tile"), [("x86-64", 2, "4 3"), ("haswell", 4, "4 3"), ("skylake-avx512", 8, "8 3")]
)
def test_vectors_and_tiles_are_those_of_the_processor_that_is_named(name, width, tile):
    code = (
        "from autograd.compiler.native.processor import processor; p = processor(); print(p.width, p.rows, p.vectors)"
    )
    assert named(name, code).stdout == f"{width} {tile}\n"


@x86
def test_a_name_that_nobody_knows_is_refused():
    done = named("Haswell", "import autograd; autograd.compile(autograd.tanh)(1.0)")
    assert done.returncode == 1
    assert "ValueError: AUTOGRAD_PROCESSOR names no processor that is known: 'Haswell'; it takes" in done.stderr
