"""How is a program run? One instruction after the other, each by its native loop, over one block of examples.

The machine is compiled once for all programs: an instruction is the address of a kernel, and the machine calls it.
"""

from typing import Any

from llvmlite import ir
from numba import int64, njit, types, void
from numba.core import cgutils
from numba.extending import intrinsic

_INT = ir.IntType(64)
_POINTERS = [ir.DoubleType().as_pointer()] * 2 + [_INT.as_pointer()] * 5


@intrinsic
def _call(typing_context: Any, address: Any, pointers: Any, first: Any, count: Any, out: Any, n: Any) -> Any:
    """Calls the kernel at an address."""
    signature = void(int64, types.UniTuple(int64, 7), int64, int64, int64, int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, pointers, *rest = arguments
        kernel = ir.FunctionType(ir.VoidType(), [*_POINTERS, *[_INT] * 4]).as_pointer()
        addresses = cgutils.unpack_tuple(builder, pointers, 7)
        given = [builder.inttoptr(x, kind) for x, kind in zip(addresses, _POINTERS, strict=True)]
        builder.call(builder.inttoptr(address, kernel), [*given, *rest])
        return context.get_dummy_value()

    return signature, generate


def _kept(function: Any) -> Any:
    """The function compiled, and kept on disk if there is a place for it."""
    try:
        return njit(function, cache=True)
    except RuntimeError:  # neither the package nor the home directory can be written
        return njit(function)


@_kept
def run(kernels: Any, first: Any, count: Any, out: Any, pointers: Any, n: int) -> None:
    """Runs instructions in order on n examples.

    Arguments:
        kernels: the address of each instruction's kernel.
        first, count, out: each instruction's operands and result (see `kernels.KERNEL`).
        pointers: the addresses of the arrays that kernels work on.
    """
    for k in range(len(kernels)):
        _call(kernels[k], pointers, first[k], count[k], out[k], n)  # type: ignore[call-arg]
