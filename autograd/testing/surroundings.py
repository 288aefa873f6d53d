"""What do finite differences say of a function around its point, along one input or along a direction of all?"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from autograd.testing.claims import padded, total
from autograd.testing.differences.finite_differences import Difference, difference_at, judge
from autograd.testing.differences.function_values import FunctionValues
from autograd.testing.differences.rounding_errors import SMALLEST, U
from autograd.value import Value

MOST_KEPT = 1_000
"""Up to so many results are kept for each point at which the function was called."""


class Surroundings:
    """The finite differences of a function around its point. Each is computed once, whoever claims what.

    Arguments:
        f: all results of the function for arguments near the point; nan where it has none. A single result may be a
            Value: then its rounding is read from its graph.
        inputs: the point.
        outputs: what f gives at the point.
        noise: by how much its values may be off, or None if that is to be estimated.
    """

    def __init__(
        self, f: Callable[[Any, Callable[[], str]], Sequence[float]], inputs: Any, outputs: Any, noise: float | None
    ) -> None:
        self.f, self.inputs, self.outputs, self.noise = f, inputs, outputs, noise
        self.m, self.n = len(outputs.numbers), len(inputs.numbers)
        self.unit = max(inputs.unit, outputs.unit)
        self.evaluations = 0
        self.known: dict[Any, Difference] = {}
        self._column: tuple[int, dict[float, Sequence[float]]] = (-1, {})

    def entry(self, i: int, j: int, claimed: float | None, noise: float | None = None) -> Difference:
        """The derivative of the i-th result by the j-th input, which alone is moved."""
        key = (i, j, noise)
        if key not in self.known:
            known = self.noise if noise is None else noise
            values = FunctionValues(lambda x: self.moved(j, x)[i], self.unit, known)
            x = self.inputs.numbers[j]
            # any double can stand among doubles: to ask for the nearest takes 17 % of the time of ten derivatives
            nearest = float if self.inputs.unit == U else partial(self.inputs.nearest, j)
            self.known[key] = difference_at(values, x, nearest, claimed)
        return self.known[key]

    def compared(
        self, i: int, j: int, derivative: float, exact_to: float, allowed: float, allowance: Callable[[], float]
    ) -> tuple[Difference, str]:
        """One derivative: what differences say, and the verdict.

        Arguments:
            i, j: the result and the input.
            derivative: what is claimed.
            exact_to, allowed: how exact it is meant to be, as a part of itself, and by how much it may be off at least.
            allowance: by how much it may be off because inputs are rounded; asked for if it seems to be wrong.
        """
        difference = self.entry(i, j, derivative)
        negligible = max(8.0 * SMALLEST, allowed)
        verdict, _ = excused(derivative, difference, self.unit, allowed, negligible, exact_to, allowance)
        return difference, verdict

    def moved(self, j: int, x: float) -> Sequence[float]:
        """All results with x as the j-th input. Those of the last input are kept: each result asks for the same."""
        if self._column[0] != j:
            self._column = j, {}
        known = self._column[1]
        if x not in known:
            was = self.inputs.numbers[j]
            found = self.value(
                self.inputs.moved(j, x), lambda: f"with {self.inputs.name(j)} = {x!r} in place of {was!r}"
            )
            if self.m > MOST_KEPT or isinstance(found[0], Value):  # a Value holds a whole graph
                return found
            known[x] = found
        return known[x]

    def along(self, probe: Any, claimed: float, doubt: float) -> Difference:
        """The derivative of the probe's results along its direction.

        The direction is followed from 1, not from 0: so steps stay as long as entries of the point can hold them.

        Arguments:
            probe: where to.
            claimed: what it is said to be.
            doubt: what the rounding of the moved point may do to f.
        """
        if probe.key not in self.known:
            direction = self.inputs.direction(padded(probe.v, probe.columns, self.n))
            smallest = self.inputs.smallest(direction)
            u, rows = probe.u, probe.rows

            def weighed(p: float) -> Any:
                results = self.value(
                    self.inputs.along(direction, p - 1.0), lambda: f"moved by {p - 1.0!r} times a direction"
                )
                if isinstance(results[0], Value):  # its graph tells its rounding
                    return results[0]
                return total([u[i] * results[i] for i in rows])

            noise = None
            if self.noise is not None:  # that of each result, its rounding, and that of the point
                ours = [abs(u[i]) * (self.noise + self.unit * abs(self.outputs.numbers[i])) for i in rows]
                noise = total(ours) + doubt
            values = FunctionValues(weighed, self.unit, noise)
            self.known[probe.key] = difference_at(values, 1.0, float, claimed, smallest)
        return self.known[probe.key]

    def value(self, arguments: Any, where: Callable[[], str]) -> Sequence[float]:
        """All results for these arguments; the call is counted."""
        self.evaluations += 1
        return self.f(arguments, where)


def excused(
    claimed: float,
    difference: Difference,
    unit: float,
    slack: float,
    negligible: float,
    exact_to: float,
    allowance: Callable[[], float],
) -> tuple[str, float]:
    """The verdict of `judge`, and the slack that it took: if it must, with what the rounding of the inputs explains."""
    verdict = judge(claimed, difference, unit, slack, negligible, exact_to)
    if verdict == "wrong" and difference.verdict in ("smooth", "edge", "quantised"):
        slack += allowance()
        verdict = judge(claimed, difference, unit, slack, negligible, exact_to)
    return verdict, slack
