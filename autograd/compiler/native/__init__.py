"""What needs native code: the only entrance to it.

A program is grouped (`groups.py`), laid out in memory (`layout.py`), written down for the machine (`code.py`), and run
(`run.py`). The machine (`machine.py`) calls a kernel for each operation (`kernels.py`), compiled from the table of
rules and kept on disk (`cache.py`).
"""

from autograd.compiler.native.backend import ProgramBackend
from autograd.compiler.native.counting import RightCounter, count_right
from autograd.compiler.native.generators import choose, shuffle
from autograd.compiler.native.run import LoadedProgram, Update, load, zeros

__all__ = [
    "LoadedProgram",
    "ProgramBackend",
    "RightCounter",
    "Update",
    "choose",
    "count_right",
    "load",
    "shuffle",
    "zeros",
]
