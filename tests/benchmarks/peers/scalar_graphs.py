"""How fast is a recorded graph of single numbers? Beside CasADi, beside itself in dots, and as it grows.

An irregular graph has no layers that could be run as one, so that it measures the machine instruction by instruction.
"""

import operator
import random
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.benchmarks.peers.rows import OURS, Bar, Row, Table, ahead, assert_close
from tests.benchmarks.tables import Row as Cells, bar, table
from tests.benchmarks.workloads import SpelledOutMLP, large_graph

Instruction = tuple[str, tuple[int, ...]]
"""An operation, and where its operands are: first the inputs, then the results in their order."""

ARITHMETIC = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv}
UNARY = [
    "abs", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "asin",
    "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf",
]  # fmt: skip
BINARY = ["pow", "atan2", "hypot", "maximum", "minimum"]
CASADI_NAMES = {"abs": "fabs", "pow": "power", "maximum": "fmax", "minimum": "fmin"}
INPUTS, WAITING, NEAR = 20, 30, 50
SHARE = 0.5  # of arithmetic: the rest are functions of the mathematical library, which cost all engines the same


def irregular(nodes: int) -> list[Instruction]:
    """A graph of all operations that CasADi has too, half of them arithmetic, each on random operands.

    Every result is used. What is not a number, too large or too steep is drawn again, so that numbers and gradients
    stay of the size of 1, and can be compared. `autograd` itself says what they are.
    """
    import autograd

    rng, found = random.Random(0), inputs_of(autograd.Value)
    waiting, instructions = list(range(INPUTS)), []  # waiting: the results that nothing has used yet
    while len(instructions) + len(waiting) - 1 < nodes:
        name = rng.choice([*ARITHMETIC]) if rng.random() < SHARE else rng.choice([*UNARY, *BINARY])
        first = rng.choice(waiting) if len(waiting) > WAITING else recent(rng, len(found))
        second = rng.choice([rng.randrange(INPUTS), recent(rng, len(found))])
        places = (first,) if name in UNARY else (first, second)
        result = applied(autograd, name, [found[i] for i in places])
        left = [i for i in waiting if i not in places] + [len(found)]
        fits = len(instructions) + len(left) <= nodes
        if fits and 0.01 < abs(result.data) < 4.0 and sum(map(abs, result.local_derivatives)) <= 2.0:
            waiting = left
            found.append(result)
            instructions.append((name, places))
    total, *others = waiting
    for place in others:
        instructions.append(("add", (total, place)))
        total = INPUTS + len(instructions) - 1
    return instructions


def recent(rng: random.Random, count: int) -> int:
    """One of the last of so many results."""
    return rng.randrange(max(0, count - NEAR), count)


def inputs_of(value: Callable[[float], Any]) -> list[Any]:
    """The inputs of the irregular graph."""
    rng = random.Random(1)
    return [value(rng.uniform(0.2, 1.8)) for _ in range(INPUTS)]


def applied(functions: Any, name: str, operands: list[Any]) -> Any:
    """An operation on any engine's numbers."""
    return ARITHMETIC[name](*operands) if name in ARITHMETIC else getattr(functions, name)(*operands)


def eager_graph(nodes: int, x: Sequence[float] | None = None) -> tuple[Any, list[Any]]:
    """The irregular graph in Values, for these inputs: its result, and the inputs."""
    import autograd

    inputs = [autograd.Value(number) for number in (inputs_of(float) if x is None else x)]
    found = list(inputs)
    for name, places in irregular(nodes):
        found.append(applied(autograd, name, [found[i] for i in places]))
    return found[-1], inputs


def examples_of(count: int) -> Any:
    """So many examples, shape (count, INPUTS): the inputs, and all but the same again, so that the graph fits them."""
    return np.array(inputs_of(float)) * (1.0 + 1e-6 * np.arange(count)[:, None] / count)


def compiled_graph(nodes: int, examples: int) -> Callable[[], Any]:
    """Values and gradients, as arrays of shapes (examples,) and (examples, INPUTS)."""
    import autograd

    program, X = autograd.compile(*eager_graph(nodes)), examples_of(examples)
    x = X[0] if examples == 1 else X
    return lambda: program.value_and_grad(x)[:2]


class CasadiGraph:
    """The same as a CasADi SX function, called the fastest way there is: through buffers, without arguments.

    For many examples CasADi maps the function, in one thread.
    """

    def __init__(self, nodes: int, examples: int) -> None:
        import casadi

        names = [*UNARY, *BINARY]
        functions = SimpleNamespace(**{name: getattr(casadi, CASADI_NAMES.get(name, name)) for name in names})
        inputs = casadi.SX.sym("x", INPUTS)
        found = [inputs[i] for i in range(INPUTS)]
        for name, places in irregular(nodes):
            found.append(applied(functions, name, [found[i] for i in places]))
        gradient = casadi.densify(casadi.gradient(found[-1], inputs))
        one = casadi.Function("f", [inputs], [found[-1], gradient])
        self.function = one if examples == 1 else one.map(examples)

        self.X, self.values, self.by_X = examples_of(examples), np.zeros(examples), np.zeros((examples, INPUTS))
        self.buffer, self.evaluate = self.function.buffer()  # it knows addresses only: all of these must stay alive
        self.buffer.set_arg(0, memoryview(self.X))
        self.buffer.set_res(0, memoryview(self.values))
        self.buffer.set_res(1, memoryview(self.by_X))

    def __call__(self) -> tuple[Any, Any]:
        self.evaluate()
        return self.values, self.by_X


def irregular_row(nodes: int, examples: int, least: float) -> Row:
    """Beside CasADi, which takes one thread."""

    def check(result: tuple[Any, Any]) -> None:
        values, gradients = np.atleast_1d(result[0]), np.atleast_2d(result[1])
        for place in {0, examples - 1}:
            value, inputs = eager_graph(nodes, examples_of(examples)[place].tolist())
            value.backward()
            assert_close(values[place], value.data)
            assert_close(gradients[place], [x.grad for x in inputs])

    engines = {OURS: partial(compiled_graph, nodes, examples), "CasADi": partial(CasadiGraph, nodes, examples)}
    name = f"irregular graph, {nodes:,} nodes, {'1 example' if examples == 1 else f'{examples:,} examples'}"
    return Row(name, engines, [ahead("CasADi", least)], check, one_thread=True)


# Product by product, and in dots


class DotMLP(SpelledOutMLP):
    """The same network with one node for each neuron's weighted sum."""

    def __call__(self, x: list[Any]) -> list[Any]:
        from autograd import dot

        for layer in self.layers:
            sums = [dot(w, x, b) for w, b in layer]
            x = sums if layer is self.layers[-1] else [s.relu() for s in sums]
        return x


def network_of(kind: type[SpelledOutMLP]) -> tuple[list[Any], list[Any]]:
    """The outputs of a 64-16-10 MLP, its first inputs and all its parameters as Values."""
    from autograd import Value

    random.seed(0)
    model = kind(Value, 64, [16, 10])
    inputs = [Value(random.random()) for _ in range(64)]
    return model(inputs), inputs


def spelled(kind: type[SpelledOutMLP], examples: int) -> Callable[[], Any]:
    """The sum of the network's outputs and its gradients, for so many examples."""
    from autograd import compile

    outputs, inputs = network_of(kind)
    program = compile([sum(outputs), *outputs], inputs)
    X = np.random.default_rng(0).random((examples, 64))
    X[0] = [x.data for x in inputs]
    return lambda: program.value_and_grad(X)


def spelling_row(examples: int) -> Row:
    """The same network with a node for each product, and with one for each sum of products."""

    def check(result: tuple[Any, Any, Any]) -> None:
        outputs, inputs = network_of(SpelledOutMLP)
        total = sum(outputs)
        total.backward()
        assert_close(result[0][0], total.data)
        assert_close(result[1][0], [x.grad for x in inputs])

    other = "a node a product"
    engines = {OURS: partial(spelled, DotMLP, examples), other: partial(spelled, SpelledOutMLP, examples)}
    ratio = Bar(f"{other} / in dots", "<=", 1.2, "x", lambda times: times[other]["seconds"] / times[OURS]["seconds"])
    return Row(f"64-16-10 MLP, {examples} examples, in dots", engines, [ratio], check)


TABLE = Table(
    "Value and gradient of a compiled graph",
    [irregular_row(10_000, 1, least=1.2), irregular_row(10_000, 1000, least=5.0), spelling_row(256)],
)


# Growth

STAGES = ("record", "compile", "first value and gradient", "once more")


def growth(nodes: int) -> dict[str, float]:
    """Seconds of each of STAGES for a graph of so many nodes, when the operations are compiled already."""
    from autograd import compile

    _, inputs = small = large_graph(30)
    x = np.array([v.data for v in inputs])
    compile(*small).value_and_grad(x)
    ends = [perf_counter()]
    graph = large_graph(nodes)
    ends.append(perf_counter())
    program = compile(*graph)
    ends.append(perf_counter())
    for _ in range(2):
        program.value_and_grad(x)
        ends.append(perf_counter())
    return {stage: ends[i + 1] - ends[i] for i, stage in enumerate(STAGES)}


def growth_table(seconds: dict[int, dict[str, float]]) -> str:
    rows = [(f"{nodes:,}", *(f"{stages[stage]:.2g}" for stage in STAGES)) for nodes, stages in seconds.items()]
    return table(("nodes, seconds", *STAGES), rows)


def growth_bars(seconds: dict[int, dict[str, float]]) -> list[Cells]:
    """Everything until the first value and gradient."""
    rows = []
    for nodes, limit in ((100_000, 0.6), (1_000_000, 6.0)):
        taken = sum(seconds[nodes][stage] for stage in STAGES[:3]) if nodes in seconds else None
        shown = "-" if taken is None else f"{taken:.2f} s"
        what = f"{nodes:,} nodes, until the first gradient"
        rows.append(bar(what, f"<= {limit:g} s", shown, None if taken is None else taken <= limit))
    return rows
