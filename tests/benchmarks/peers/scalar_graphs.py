"""How fast is a recorded graph of single numbers? Beside CasADi, beside itself in dots, and as it grows.

An irregular graph has no layers that could be run as one, so that it measures the machine instruction by instruction.
"""

import operator
import random
from collections.abc import Callable
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from tests.benchmarks.workloads import SpelledOutMLP, large_graph, timed

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


def irregular_in_autograd(nodes: int) -> Callable[[], tuple[float, Any]]:
    """Value and gradient of the irregular graph."""
    import autograd

    found = inputs_of(autograd.Value)
    inputs = list(found)
    for name, places in irregular(nodes):
        found.append(applied(autograd, name, [found[i] for i in places]))
    program = autograd.compile(found[-1], inputs)

    import numpy as np

    x = np.array(inputs_of(float))
    return lambda: program.value_and_grad(x)[:2]


class CasadiGraph:
    """The same as a CasADi SX function, called the fastest way there is: through buffers, without arguments."""

    def __init__(self, nodes: int) -> None:
        import casadi
        import numpy as np

        names = [*UNARY, *BINARY]
        functions = SimpleNamespace(**{name: getattr(casadi, CASADI_NAMES.get(name, name)) for name in names})
        inputs = casadi.SX.sym("x", INPUTS)
        found = [inputs[i] for i in range(INPUTS)]
        for name, places in irregular(nodes):
            found.append(applied(functions, name, [found[i] for i in places]))
        gradient = casadi.densify(casadi.gradient(found[-1], inputs))
        self.function = casadi.Function("f", [inputs], [found[-1], gradient])

        self.x, self.value, self.by_x = np.array(inputs_of(float)), np.zeros(1), np.zeros(INPUTS)
        self.buffer, self.evaluate = self.function.buffer()  # it knows addresses only: all of these must stay alive
        self.buffer.set_arg(0, memoryview(self.x))
        self.buffer.set_res(0, memoryview(self.value))
        self.buffer.set_res(1, memoryview(self.by_x))

    def __call__(self) -> tuple[float, Any]:
        self.evaluate()
        return self.value[0], self.by_x


def irregular_figures(engine: str, nodes: int, runs: int = 300) -> dict[str, Any]:
    """Milliseconds of value and gradient, and what they are."""
    run = {"autograd": irregular_in_autograd, "CasADi": CasadiGraph}[engine](nodes)
    figures = timed(run, runs)
    value, gradient = figures.pop("answer")
    return {**figures, "answer": [float(value), *map(float, gradient)]}


# Product by product, and in dots


class DotMLP(SpelledOutMLP):
    """The same network with one node for each neuron's weighted sum."""

    def __call__(self, x: list[Any]) -> list[Any]:
        from autograd import dot

        for layer in self.layers:
            sums = [dot(w, x, b) for w, b in layer]
            x = sums if layer is self.layers[-1] else [s.relu() for s in sums]
        return x


def spelling(engine: str, examples: int, runs: int = 50) -> dict[str, Any]:
    """Milliseconds of the sum of a 64-16-10 MLP's outputs and its gradient, for so many examples."""
    import numpy as np

    from autograd import Value, compile

    random.seed(0)
    model = {"products": SpelledOutMLP, "dots": DotMLP}[engine](Value, 64, [16, 10])
    inputs = [Value(random.random()) for _ in range(64)]
    outputs = model(inputs)
    program = compile([sum(outputs), *outputs], inputs)
    X = np.random.default_rng(0).random((examples, 64))
    figures = timed(lambda: program.value_and_grad(X), runs)
    values, by_inputs, by_parameters = figures.pop("answer")
    return {**figures, "answer": [float(values.sum()), float(by_inputs.sum()), float(by_parameters.sum())]}


# Growth

STAGES = ("record", "compile", "first value and gradient", "once more")


def growth(nodes: int) -> dict[str, float]:
    """Seconds of each of STAGES for a graph of so many nodes, when the operations are compiled already."""
    import numpy as np

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
