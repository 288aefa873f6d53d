"""Can native code be written for other processors than this one, with tiles that stay in their registers?"""

import os
import platform
import subprocess
import sys

import pytest

llvm = pytest.importorskip("llvmlite.binding")

from autograd.compiler.native import kernels, machine  # noqa: E402
from autograd.compiler.native.processor import Processor, processor  # noqa: E402
from autograd.compiler.native.terms import Code  # noqa: E402
from autograd.operations import operations  # noqa: E402
from tests.sampling import every_second  # noqa: E402

OTHERS = {
    ("aarch64-linux-gnu", "neoverse-n1"): (2, 8, 3),
    ("arm64-apple-macosx", "apple-m1"): (2, 8, 3),
    ("x86_64-linux-gnu", "skylake-avx512"): (8, 8, 3),
    ("x86_64-pc-windows-msvc", "haswell"): (4, 4, 3),
    ("x86_64-linux-gnu", "x86-64"): (2, 4, 3),
}
"""For each system and processor: how many numbers a vector has, and the rows and vectors of a tile."""

UNITS = {
    "machine": (machine.write_machine,),
    "layers": (kernels.write_layers,),
    **{name: (kernels.write_kernels, operations[name], 3) for name in ("tanh", "pow", "dot", "take", "log_softmax")},
}


def assembly(triple, cpu, unit):
    width, rows, vectors = OTHERS[triple, cpu]
    code = Code(unit, Processor(cpu, "", width, rows, vectors, fused=cpu != "x86-64"))
    write, *arguments = UNITS[unit]
    write(code, *arguments)
    target = llvm.Target.from_triple(triple)
    made = target.create_target_machine(cpu=cpu, opt=3, reloc="default", codemodel="jitdefault", jit=True)
    module = llvm.parse_assembly(str(code.module))
    module.verify()
    module.triple, module.data_layout = made.triple, str(made.target_data)
    builder = llvm.create_pass_builder(made, llvm.create_pipeline_tuning_options(speed_level=2))
    builder.getModulePassManager().run(module, builder)
    return made.emit_assembly(module)


@pytest.fixture(scope="module", autouse=True)
def every_target():
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("triple", "cpu"), every_second(OTHERS))
def test_code_for_another_processor_can_be_written(triple, cpu, unit):
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError as error:
        pytest.skip(str(error))
    text = assembly(triple, cpu, unit)
    if unit == "layers":
        fused = {"arm64-apple-macosx": "fmla", "aarch64-linux-gnu": "fmla"}.get(triple, "vfmadd")
        assert (fused in text) == (cpu != "x86-64")


def test_this_processor_is_known():
    found = processor()
    assert found.width in (2, 4, 8)
    assert found.machine().triple


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
