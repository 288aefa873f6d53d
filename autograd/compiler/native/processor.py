"""For which processor is native code written? For the one that runs it, with vectors as wide as its registers."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm


@dataclass(frozen=True)
class Processor:
    """What code that is being written needs to know of its processor.

    Attributes:
        name: LLVM's name for it.
        features: its features, as LLVM takes them.
        width: how many numbers a vector has.
        rows, vectors: the tile of a matrix product: so many rows, each of so many vectors, stay in registers.
        fused: whether it has an instruction for a * b + c.
    """

    name: str
    features: str
    width: int
    rows: int
    vectors: int
    fused: bool

    def machine(self) -> Any:
        """LLVM's code generator for it. It belongs to the caller: it is not safe for several threads."""
        target = llvm.Target.from_triple(llvm.get_process_triple())
        return target.create_target_machine(
            cpu=self.name, features=self.features, opt=3, reloc="default", codemodel="jitdefault", jit=True
        )


@cache
def processor() -> Processor:
    """The processor of this machine; or the one that AUTOGRAD_PROCESSOR names, such as haswell, for measurements."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    wanted = os.environ.get("AUTOGRAD_PROCESSOR", "")
    name = wanted or llvm.get_host_cpu_name()
    features = {} if wanted else dict(llvm.get_host_cpu_features())
    arm = llvm.get_process_triple().startswith(("aarch64", "arm64"))
    if arm:
        width, registers, fused = 2, 32, True
    else:
        has = _features_of(name) if wanted else {key for key, value in features.items() if value}
        width = 8 if "avx512f" in has else 4 if "avx2" in has else 2
        registers, fused = (32, True) if width == 8 else (16, "fma" in has)
    # Tiles that were tried: 4 x 3 vectors made 38 GFLOP/s on AVX2, where 8 x 4 spills and made 18 (OpenBLAS: 29).
    rows, vectors = (8, 3) if registers == 32 else (4, 3)
    flags = ",".join(f"{'+' if value else '-'}{key}" for key, value in sorted(features.items()))
    return Processor(name, flags, width, rows, vectors, fused)


_SSE = ("x86-64", "x86-64-v2", "nehalem", "westmere", "sandybridge", "ivybridge")
_AVX2 = ("x86-64-v3", "haswell", "broadwell", "skylake", "alderlake", "znver1", "znver2", "znver3")
_AVX512 = ("x86-64-v4", "skylake-avx512", "icelake-client", "icelake-server", "sapphirerapids", "znver4", "znver5")


def _features_of(name: str) -> set[str]:
    """The features that decide about vectors, of a processor that was named.

    Raises:
        ValueError: the name is none of these. (LLVM makes code of 32 bits for a name that it does not know.)
    """
    if name in _AVX512:
        return {"avx512f", "avx2", "fma"}
    if name not in _SSE + _AVX2:
        known = ", ".join(_SSE + _AVX2 + _AVX512)
        raise ValueError(f"AUTOGRAD_PROCESSOR names no processor that is known: {name!r}; it takes {known}")
    return {"avx2", "fma"} if name in _AVX2 else set()
