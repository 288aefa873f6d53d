"""What is the smallest random graph that an engine gets wrong?

The graphs are those of `strategies.expressions`, without kinks and steep places, and only with operations that are
right by themselves. Hypothesis shrinks the failing ones.
"""

from collections.abc import Callable
from functools import lru_cache
from random import Random

from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis.errors import Flaky, NoSuchExample

from autograd.testing.engines.forms import WITH_A_CONSTANT
from autograd.testing.engines.programs import first
from autograd.testing.engines.report import Fault
from autograd.testing.engines.their_engine import Engine
from autograd.testing.graphs.expression import Expression
from autograd.testing.graphs.strategies import expressions

EXAMPLES = 300
"""How many random graphs are tried for each claim about them."""
LARGEST_GRAPH = 8
PLAINEST = ("add", "mul", "sub", "neg", "div")


def search(engine: Engine, fault: Callable[[Engine, Expression], Fault | None]) -> Fault | None:
    """The fault of the smallest random graph that has one.

    All claims are tried on the same graphs, since drawing takes longer than judging; they are drawn again to shrink.
    """
    names = {name for name, _ in engine.sound}.difference(WITH_A_CONSTANT)
    chosen = tuple(sorted(names, key=lambda name: ((*PLAINEST, name).index(name), name)))
    sound = (use for use in _random_graphs(chosen) if engine.is_sound(use))
    found = first(fault(engine, use) for use in sound)
    if found is None:
        return None
    smallest = _find(chosen, lambda use: engine.is_sound(use) and fault(engine, use) is not None)
    return (fault(engine, smallest) if smallest else None) or found  # `found` if their engine failed once and not again


@lru_cache(maxsize=8)
def _random_graphs(chosen: tuple[str, ...]) -> list[Expression]:
    """Expressions of these operations, the same for every engine."""
    graphs: list[Expression] = []

    def collect(use: Expression) -> bool:
        graphs.append(use)
        return False

    _find(chosen, collect)
    return graphs


def _find(chosen: tuple[str, ...], condition: Callable[[Expression], bool]) -> Expression | None:
    """The smallest expression that meets the condition, the same each time."""
    options = settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    drawn = expressions(max_nodes=LARGEST_GRAPH, operations=chosen, smooth=True)
    try:
        return find(drawn, condition, settings=options, random=Random(0))
    except (NoSuchExample, Flaky):
        return None
