"""k-means: the sum over all points of the squared distance to the nearest of k centres; its gradient and its Hessian.

The Hessian is diagonal, so that its product with a vector of ones is all of it: twice the number of points whose
nearest centre it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.peers.programs.gradients import BARS, Program, jax_namespace, torch_namespace
from tests.benchmarks.peers.rows import Row, assert_close


@dataclass(frozen=True)
class Clusters:
    """The points, the first centres, and the program in both forms."""

    points: Any
    centres: Any

    def of_a_point(self, numbers: Any, x: Any) -> Any:
        """The squared distance of one point to the nearest centre."""
        from autograd import min as min_of, sum as sum_of

        d, distances = len(x), []
        for at in range(0, len(numbers), d):
            off = [a - b for a, b in zip(x, numbers[at : at + d], strict=True)]
            distances.append(sum_of([a * a for a in off]))
        return min_of(distances)

    def scalars(self, numbers: Any) -> Any:
        from autograd import sum as sum_of

        return sum_of([self.of_a_point(numbers, x) for x in self.points.tolist()])

    def arrays(self, xp: Any) -> Any:
        points = xp.asarray(self.points)

        def cost(numbers: Any) -> Any:
            off = points[:, None, :] - numbers.reshape(self.centres.shape)
            return xp.amin((off * off).sum(axis=2), axis=1).sum()

        return cost

    def graph(self) -> tuple[Any, Any, Any]:
        """The cost of one point, its inputs and the parameters, all Values."""
        from autograd import Value

        numbers, x = [Value(c) for c in self.point().tolist()], [Value(p) for p in self.points[0].tolist()]
        return self.of_a_point(numbers, x), x, numbers

    def compiled(self) -> Callable[[], Any]:
        """One program that runs for all points side by side."""
        from autograd import compile

        program = compile(*self.graph())

        def run() -> tuple[float, Any]:
            costs, _, gradient = program.value_and_grad(self.points)
            return costs.sum(), gradient

        return run

    def point(self) -> Any:
        return self.centres.ravel()

    # The Hessian times a vector of ones

    def check_hessian(self, result: Any) -> None:
        off = self.points[:, None, :] - self.centres
        nearest = (off * off).sum(axis=2).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(self.centres))
        assert_close(np.asarray(result).ravel(), np.repeat(2.0 * counts, self.centres.shape[1]))

    def compiled_hessian(self) -> Callable[[], Any]:
        """The product for one point, which runs for all points side by side."""
        from autograd import Value, compile, hvp

        numbers = [Value(c) for c in self.point().tolist()]

        def product(*x: Any) -> Any:
            return hvp(lambda centres: self.of_a_point(centres, x), numbers, [1.0] * len(numbers))

        function = compile(product, parameters=numbers)
        function(*self.points[0].tolist())
        program: Any = function.program
        return lambda: program(self.points).sum(axis=0)

    def eager_hessian(self) -> Callable[[], Any]:
        from autograd import hvp

        numbers = self.point().tolist()
        return lambda: hvp(self.scalars, numbers, [1.0] * len(numbers))

    def torch_hessian(self) -> Callable[[], Any]:
        torch = torch_namespace()
        x, cost = torch.tensor(self.point(), requires_grad=True), self.arrays(torch)

        def run() -> Any:
            (gradient,) = torch.autograd.grad(cost(x), x, create_graph=True)
            return torch.autograd.grad(gradient.sum(), x)[0]

        return run

    def jax_hessian(self) -> Callable[[], Any]:
        namespace = jax_namespace()
        jax, x = namespace.jax, namespace.asarray(self.point())
        gradient = jax.grad(self.arrays(namespace))
        function = jax.jit(lambda x: jax.jvp(gradient, (x,), (namespace.ones_like(x),))[1])
        function(x)  # compiles
        return lambda: jax.block_until_ready(function(x))


def clusters(points: int, k: int, d: int) -> Clusters:
    rng = np.random.default_rng(0)
    return Clusters(rng.normal(size=(points, d)), rng.normal(size=(k, d)))


def row(points: int = 1000, k: int = 10, d: int = 8) -> Row:
    found = clusters(points, k, d)
    program = Program(found.point(), found.scalars, found.arrays)
    return program.row(f"k-means, {points:,} points, gradient", found.compiled)


def hessian_row(points: int = 1000, k: int = 10, d: int = 8) -> Row:
    found = clusters(points, k, d)
    engines = {
        "autograd": found.compiled_hessian,
        "eager": found.eager_hessian,
        "PyTorch": found.torch_hessian,
        "JAX": found.jax_hessian,
    }
    return Row(f"k-means, {points:,} points, Hessian", engines, BARS, found.check_hessian, one_thread=True)
