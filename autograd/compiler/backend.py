"""What does a program ask of the code that runs it? And which is it: native code, or NumPy's?"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from autograd.compiler.flat_graph import FlatGraph

Numbers = NDArray[np.float64]
Words = NDArray[np.int64]


@cache
def why_no_native_code() -> str:
    """Why programs run in NumPy, in words; "" if there is native code."""
    if find_spec("llvmlite") is None:
        return "llvmlite is not installed: pip install 'scalar-autograd[fast]'"
    version = "in some version"
    try:
        import llvmlite

        version = llvmlite.__version__
        if list(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
            return f"llvmlite {version} is too old: pip install 'scalar-autograd[fast]'"
        from autograd.compiler.native.loading import machine

        machine()
    except (ImportError, OSError, RuntimeError, AttributeError, SyntaxError) as error:
        # It is damaged, or does not know this processor.
        why = " ".join(str(error).split())  # LLVM's errors have several lines
        return f"llvmlite {version} makes no native code here ({why}): install another version of it"
    return ""


OLDEST = [0, 46]
"""The first version of llvmlite whose addresses have no type, as pyproject.toml says too. (0.45 mixes both.)"""


def code() -> ModuleType:
    """What runs programs here: the package `native`, or `vectorised` where there is no native code.

    Both have the same names: what runs programs, draws random choices, and counts right answers.
    """
    return import_module(f"autograd.compiler.{'vectorised' if why_no_native_code() else 'native'}")


@dataclass
class Examples:
    """The numbers of the inputs, in this order: examples, targets, random choices.

    Attributes:
        rows: the examples, a row each.
        targets: their targets, a row each.
        choices: random choices, a row for each place in the order, or for each batch.
        order: which examples to take, batch after batch.
    """

    rows: Numbers
    targets: Numbers
    choices: Numbers
    order: Words


@dataclass
class Results:
    """Where the results go.

    Attributes:
        outputs: a row for each place in the order, or for each batch.
        by_inputs: the derivatives by the inputs, if it has columns.
        errors: the first output of each batch.
    """

    outputs: Numbers
    by_inputs: Numbers
    errors: Numbers


@dataclass
class Settings:
    """How a program runs.

    Attributes:
        batch_size: how many examples a batch has.
        whole: whether the program computes a whole batch, and not one example.
        mean: whether the result of a batch is the mean of those of its examples, or else their sum.
    """

    batch_size: int
    whole: bool = False
    mean: bool = False

    @property
    def side_by_side(self) -> int:
        """How many examples of a batch can run side by side."""
        return 1 if self.whole else self.batch_size


class Backend(Protocol):
    """What runs a flat graph: native code, or NumPy where there is none."""

    graph: FlatGraph
    """What is run: the graph as it was flattened, or after `fusion`."""

    notes: list[str]
    """What runs together, in words."""

    def run(
        self,
        rows: Numbers,
        leaves: Numbers,
        *,
        gradient: bool = True,
        by_inputs: Numbers | None = None,
        outputs: tuple[int, ...] | None = None,
    ) -> tuple[Numbers, Numbers]:
        """The outputs for each example, and the derivatives of the first output by the parameters.

        Arguments:
            rows: the examples, shape (m, inputs).
            leaves: the numbers of the parameters.
            gradient: whether to go backward too.
            by_inputs: an array of the shape of rows, for the derivatives by the inputs.
            outputs: the numbers of some outputs, if they alone are to be computed. The first of them is differentiated.

        Returns:
            the outputs, shape (m, outputs); and the derivatives, summed over the examples, or zeros without `gradient`.

        Raises:
            IndexError: an index in the graph is out of range for an example.
        """

    def jacobian(self, rows: Numbers, leaves: Numbers) -> Numbers:
        """The derivatives of each output by the inputs, for each example: shape (m, outputs, inputs).

        Arguments:
            rows, leaves: as in `run`.

        Raises:
            IndexError: an index in the graph is out of range for an example.
        """
