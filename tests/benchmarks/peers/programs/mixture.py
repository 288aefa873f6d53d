"""A mixture of Gaussians: the logarithm of the likelihood of some points, with a Wishart prior.

For each of K Gaussians: a weight alpha, a mean mu, and a triangular matrix L, whose diagonal is exp(q). A point x has
the logarithm of sum_k exp(alpha_k + sum(q_k) - |L_k (x - mu_k)|**2 / 2); the weights are normalised once, at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.peers.programs.gradients import Program
from tests.benchmarks.peers.rows import Row


@dataclass(frozen=True)
class Mixture:
    """The sizes, the points, and the program in both forms. Parameters: all alpha, mu, q, and L below the diagonal."""

    dimensions: int
    gaussians: int
    points: Any

    def parts(self, numbers: Any) -> tuple[Any, Any, Any, Any]:
        """The parameters, by what they are."""
        k, d = self.gaussians, self.dimensions
        ends = np.cumsum([k, k * d, k * d]).tolist()
        return numbers[: ends[0]], numbers[ends[0] : ends[1]], numbers[ends[1] : ends[2]], numbers[ends[2] :]

    @property
    def parameters(self) -> int:
        k, d = self.gaussians, self.dimensions
        return k + 2 * k * d + k * d * (d - 1) // 2

    def of_a_point(self, numbers: Any) -> Callable[[Any], Any]:
        """The logarithm for one point, as a function of it."""
        from autograd import dot, exp, logsumexp, sum as sum_of

        k, d = self.gaussians, self.dimensions
        alpha, mu, q, below = self.parts(numbers)
        scales = [exp(x) for x in q]
        levels = [alpha[i] + sum_of(q[i * d : (i + 1) * d]) for i in range(k)]

        def logarithm(x: Any) -> Any:
            scores = []
            for i in range(k):
                off = [a - b for a, b in zip(x, mu[i * d : (i + 1) * d], strict=True)]
                at, rows = i * d * (d - 1) // 2, []
                for r in range(d):
                    diagonal = scales[i * d + r] * off[r]
                    rows.append(dot(below[at : at + r], off[:r], diagonal) if r else diagonal)
                    at += r
                scores.append(levels[i] - 0.5 * sum_of([z * z for z in rows]))
            return logsumexp(scores)

        return logarithm

    def prior(self, numbers: Any) -> Any:
        """What does not depend on the points: the normalised weights, and the prior of the matrices."""
        from autograd import exp, logsumexp, sum as sum_of

        alpha, _, q, below = self.parts(numbers)
        squares = [exp(2.0 * x) for x in q] + [x * x for x in below]
        return -len(self.points) * logsumexp(alpha) - 0.5 * sum_of(squares)

    def scalars(self, numbers: Any) -> Any:
        from autograd import sum as sum_of

        logarithm = self.of_a_point(numbers)
        return sum_of([logarithm(x) for x in self.points.tolist()]) + self.prior(numbers)

    def compiled(self) -> Callable[[], Any]:
        """One program that runs for all points side by side, and one for the prior."""
        from autograd import Value, compile

        point = self.point()
        numbers, x = [Value(p) for p in point.tolist()], [Value(0.0) for _ in range(self.dimensions)]
        likelihood = compile(self.of_a_point(numbers)(x), x, parameters=numbers)
        prior = compile(self.prior(numbers), numbers)

        def run() -> tuple[float, Any]:
            logarithms, _, gradient = likelihood.value_and_grad(self.points)
            value, by_prior, _ = prior.value_and_grad(point)
            return logarithms.sum() + value, gradient + by_prior

        return run

    def arrays(self, xp: Any) -> Any:
        k, d = self.gaussians, self.dimensions
        below_at, diagonal_at = np.tril_indices(d, -1), np.diag_indices(d)
        places = np.zeros((d * (d - 1) // 2, d, d)), np.zeros((d, d, d))
        for place, at in zip(places, (below_at, diagonal_at), strict=True):
            place[np.arange(len(place)), at[0], at[1]] = 1.0
        points, by_below, by_diagonal = (
            xp.asarray(x) for x in (self.points, *(place.reshape(-1, d * d) for place in places))
        )

        def logarithm(numbers: Any) -> Any:
            alpha, mu, q, below = self.parts(numbers)
            mu, q, below = mu.reshape(k, d), q.reshape(k, d), below.reshape(k, -1)
            L = (xp.exp(q) @ by_diagonal + below @ by_below).reshape(k, d, d)
            rows = xp.einsum("kij,nkj->nki", L, points[:, None, :] - mu)
            scores = alpha + q.sum(axis=1) - 0.5 * (rows * rows).sum(axis=2)
            prior = -len(points) * xp.logsumexp(alpha, 0) - 0.5 * (xp.exp(2.0 * q).sum() + (below * below).sum())
            return xp.logsumexp(scores, 1).sum() + prior

        return logarithm

    def point(self) -> Any:
        return np.random.default_rng(1).normal(size=self.parameters) * 0.5


def row(dimensions: int, gaussians: int = 5, points: int = 1000) -> Row:
    mixture = Mixture(dimensions, gaussians, np.random.default_rng(0).normal(size=(points, dimensions)))
    program = Program(mixture.point(), mixture.scalars, mixture.arrays)
    return program.row(f"Gaussian mixture, d {dimensions}, {points:,} points", mixture.compiled)
