"""How fast are derivatives of whole programs? The tasks of GradBench, a suite for such engines, beside PyTorch and JAX.

One file a program. Each writes it over single numbers, for this project, and over arrays, for the others
(`gradients.py`). Every gradient is held against one that no engine under test has made before it is timed.
"""

from tests.benchmarks.peers.programs import (
    bundle_adjustment,
    determinant,
    k_means,
    least_squares,
    lstm,
    mixture,
    ode,
)
from tests.benchmarks.peers.rows import Table

TABLE = Table(
    "Value and gradient of a program, one thread (in brackets: until the first was there, imports and compiling too)",
    [
        determinant.row(6),
        determinant.row(7),
        ode.row(1000),
        least_squares.row(256, 128),
        bundle_adjustment.row(31_843),
        mixture.row(dimensions=2),
        mixture.row(dimensions=10),
        k_means.row(),
        k_means.hessian_row(),
        lstm.row(1024),
    ],
    first=True,
)
