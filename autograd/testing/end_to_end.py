"""Is the gradient of a function what finite differences say, whatever computed it? The third level of `gradcheck`.

It is the comparison of `check_gradient` (`comparing.py`), which here knows more: how far each gradient may be off, how
far each value of the function is off, and where the recorded graph explains what differences miss.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autograd.graph import topological_order
from autograd.steps import recompute
from autograd.testing.claims import Claim, Whole
from autograd.testing.comparing import Comparison
from autograd.testing.differences.estimates import steps_for
from autograd.testing.differences.function_values import same_number
from autograd.testing.differences.rounding_errors import rounding_error
from autograd.testing.inputs import Inputs
from autograd.testing.outputs import Outputs
from autograd.testing.problem import Problem, gradients_of_others_kept
from autograd.testing.report import GradcheckReport, Row
from autograd.testing.rounded_inputs import Nearby
from autograd.testing.surroundings import Surroundings
from autograd.testing.truth.oracles import oracles
from autograd.value import Value, data_of

WORK = 40_000
"""Up to so many inputs times operands, each derivative is compared alone; beyond that, many along random directions."""
FEW, MANY = 8, 200
"""So many derivatives are compared one by one in every graph, and so many in none."""


class EndToEnd:
    """The gradient of one problem beside differences.

    Arguments:
        problem: the function.
        found: the report, with the gradient in question.
        out, leaves: the function's result and its inputs, whose graph has passed all checks.
        slacks: how far each gradient may be off because it is rounded.
        noise: by how much a value of the function may be off beyond its rounding.
        rules_are_known: whether every local derivative in the graph was held against the truth.
    """

    def __init__(
        self,
        problem: Problem,
        found: GradcheckReport,
        out: Any,
        leaves: Sequence[Any],
        slacks: Sequence[float],
        noise: float | None,
        rules_are_known: bool,
    ) -> None:
        self.problem, self.found, self.out, self.leaves = problem, found, out, leaves
        self.slacks, self.noise, self.rules_are_known = slacks, noise, rules_are_known

    def run(self) -> None:
        """Fills the report's rows, and its notes on them."""
        found, n, out = self.found, self.found.inputs, self.out
        comparison = self.comparison()
        comparison.fill(found, one_by_one=n <= FEW or n * max(found.operands, WORK // MANY) <= WORK)
        kinks = any(row.difference.verdict == "kink" for row in found.rows)
        convention = isinstance(out, Value) and any(map(_at_kink, topological_order(out)))
        found.rows = [self.reviewed(row, convention) for row in found.rows]
        if kinks and n > 1 and not found.directions:
            found.rows.append(self.reviewed(comparison.all_together(), convention=True))
        if any(row.verdict == "convention" for row in found.rows):
            found.notes.append("at a kink or a jump a derivative is a convention, and not a limit")

    def comparison(self) -> Comparison:
        """The gradient beside differences, which move the numbers of the point whatever holds them."""
        inputs = Inputs(self.found.point, "gradcheck")
        inputs.blocks = [("the inputs", 0, len(inputs.numbers))]
        noise = self.noise
        if noise is None and isinstance(self.out, Value) and rounding_error(self.out) is not None:
            noise = 0.0  # beyond what the graph tells
        around = Surroundings(self.near, inputs, Outputs(self.found.value, "f"), noise)
        claim = self.claim(self.found.gradient)
        claim.slacks = self.slacks
        return Comparison(around, [claim], [Nearby(inputs, self.claims_at, 0)])

    def claim(self, gradient: Sequence[float]) -> Claim:
        return Whole("autograd" if isinstance(self.out, Value) else "backward", gradient, 1, len(gradient))

    def near(self, arguments: Any, where: Callable[[], str]) -> Sequence[Any]:
        """The function's result near the point, with its graph if it has one."""
        return [self.problem.value(arguments[0])]

    def claims_at(self, numbers: Sequence[float]) -> Sequence[Claim]:
        """The gradient at another point."""
        leaves, arguments = self.problem.at(numbers)
        out = self.problem.run(arguments)
        with gradients_of_others_kept(out, leaves):
            out.backward()
        return [self.claim([float(leaf.grad) for leaf in leaves])]

    def reviewed(self, row: Row, convention: bool) -> Row:
        """The row with the input's own name, and without a verdict that the graph refutes."""
        columns = row.input or range(self.found.inputs)
        name = self.found.names[columns[0]] if row.input else row.name
        verdict = row.verdict
        if verdict == "wrong" and convention:
            verdict = "convention"
        elif verdict == "wrong" and self.is_explained(columns):
            verdict = "inconclusive"
        return replace(row, name=name, of="f", verdict=verdict, input=())

    def is_explained(self, moving: Sequence[int]) -> bool:
        """Whether the recorded graph is all there is to the function near the point, as these inputs move.

        Every rule in it was held against the truth, and the sums were right. Then differences that say otherwise have
        missed something finer than their steps, or than the rounding of the values.
        """
        if not (self.rules_are_known and isinstance(self.out, Value)):
            return False
        order, point = topological_order(self.out), self.found.point
        nodes = set(order)
        recorded = {i: self.leaves[i] for i in moving if self.leaves[i] in nodes}
        if not recorded:
            return False
        for step in steps_for(point[moving[0]] if len(moving) == 1 else 1.0)[::5]:
            for signed in (step, -step):
                moved = {i: point[i] + signed for i in moving}
                try:
                    there = self.problem.value([moved.get(i, x) for i, x in enumerate(point)])
                except (ArithmeticError, ValueError):
                    return False
                known = {leaf: moved[i] for i, leaf in recorded.items()}
                if not same_number(there.data, recompute(order, known)[self.out]):
                    return False
        return True


def _at_kink(node: Value) -> bool:
    """Whether the node's operation has no derivative at its operands, so that its rule follows a convention."""
    oracle = oracles.get(node.operation)
    return oracle is not None and bool(oracle.kink(*map(data_of, node.operands)))
