"""What runs programs where there is no native code: NumPy, all examples of a batch side by side.

The same names as in `native`. A program is grouped (`groups.py`), its numbers get places (`places.py`), and each group
is one operation on arrays (`instructions.py`), by its formula (`tapes.py`) or by its rule over rows (`functions.py`).
`run.py` goes through them, forward and backward.

All but `run.py` and `operands.py` are written over `xp`, an array library with NumPy's names. So a program can become a
function of `jax.numpy`: the same groups, in the same order, with `Functions(jax.numpy, knows=False)`.
"""

from autograd.compiler.vectorised.counting import RightCounter, count_right
from autograd.compiler.vectorised.random_numbers import choose, shuffle
from autograd.compiler.vectorised.run import LoadedProgram, ProgramBackend, Update, load, zeros

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
