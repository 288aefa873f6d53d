"""Bundle adjustment: how far is a point in a photograph from where camera and point say that it should be?

An observation has a camera (a rotation, a centre, a focal length, a principal point, two coefficients of distortion),
a point in space, a weight, and what was seen: 17 numbers. The Jacobian of the two weighted errors, observation by
observation. The function is written once, for numbers and arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.peers.programs.gradients import BARS, jax_namespace, torch_namespace
from tests.benchmarks.peers.rows import NotThereYet, Row, assert_close

NUMBERS = 17


def errors(m: Any, x: Any) -> tuple[Any, Any]:
    """The two weighted errors of an observation."""
    r, centre, (focal, u0, v0, k1, k2), p, (weight, u, v) = x[0:3], x[3:6], x[6:11], x[11:14], x[14:17]
    off = [p[i] - centre[i] for i in range(3)]
    a, b, c = rotated(m, r, off)
    a, b = a / c, b / c
    square = a * a + b * b
    zoom = focal * (1.0 + k1 * square + k2 * square * square)
    return weight * (a * zoom + u0 - u), weight * (b * zoom + v0 - v)


def rotated(m: Any, r: Any, x: Any) -> list[Any]:
    """x turned about the axis r by its length, by Rodrigues' formula."""
    angle = m.sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2])
    axis, cosine, sine = [r[i] / angle for i in range(3)], m.cos(angle), m.sin(angle)
    along = (axis[0] * x[0] + axis[1] * x[1] + axis[2] * x[2]) * (1.0 - cosine)
    across = [axis[i - 2] * x[i - 1] - axis[i - 1] * x[i - 2] for i in range(3)]
    return [x[i] * cosine + across[i] * sine + axis[i] * along for i in range(3)]


@dataclass(frozen=True)
class Observations:
    """What was seen: an array of 17 numbers for each."""

    X: Any

    def check(self, jacobian: Any) -> None:
        """Column by column: errors(x + ih) has the derivative as its imaginary part."""
        columns = []
        for i in range(NUMBERS):
            moved = self.X.T.astype(complex)
            moved[i] += 1e-30j
            columns.append(np.stack(errors(np, moved)).imag.T * 1e30)
        assert_close(np.asarray(jacobian), np.stack(columns, axis=2))

    def compiled(self) -> Callable[[], Any]:
        import autograd

        x = [autograd.Value(number) for number in self.X[0].tolist()]
        program: Any = autograd.compile(list(errors(autograd, x)), x)
        if not hasattr(program, "jacobian"):
            raise NotThereYet("not there yet")
        return lambda: program.jacobian(self.X)

    def torch(self) -> Callable[[], Any]:
        torch = torch_namespace()
        X = torch.tensor(self.X)
        function = torch.func.vmap(torch.func.jacrev(lambda x: torch.stack(errors(torch, x))))
        return lambda: function(X)

    def jax(self) -> Callable[[], Any]:
        xp = jax_namespace()
        X = xp.asarray(self.X)
        function = xp.jax.jit(xp.jax.vmap(xp.jax.jacrev(lambda x: xp.stack(errors(xp, x)))))
        function(X)  # compiles
        return lambda: xp.jax.block_until_ready(function(X))


def row(observations: int) -> Row:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(observations, NUMBERS))
    X[:, 0:6] *= 0.1  # cameras that are turned and moved a little,
    X[:, 6:11] = [500.0, 0.0, 0.0, 0.1, 0.01] + X[:, 6:11] * 0.01
    X[:, 13] += 8.0  # and points in front of them
    found = Observations(X)
    engines = {"autograd": found.compiled, "PyTorch": found.torch, "JAX": found.jax}
    return Row(f"bundle adjustment, Jacobians of {observations:,}", engines, BARS, found.check, one_thread=True)
