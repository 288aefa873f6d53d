"""How does each engine differentiate a program? As its manual says, everything but the run prepared outside the clock.

A program over arrays is a function of a namespace, `numpy`, `torch` or `jax.numpy`, which returns the function that is
differentiated: its data become arrays there, once. NumPy has no derivatives. It gives the reference: with a tiny
imaginary step, f(x + ihv) has the derivative along v as its imaginary part, to the last digit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.benchmarks.peers.rows import Prepare, Row, ahead, assert_close

Function = Callable[[Any], Any]
BARS = (ahead("PyTorch"), ahead("JAX", 1 / 1.5))


@dataclass(frozen=True)
class Program:
    """A function of some numbers, whose value and gradient are wanted.

    Attributes:
        point: where.
        scalars: the function of a list of numbers or Values.
        arrays: given a namespace, the function of an array.
        reference: the function over NumPy's complex numbers, where it is not that of `arrays`.
    """

    point: Any
    scalars: Callable[[Sequence[Any]], Any]
    arrays: Callable[[Any], Function]
    reference: Function | None = None

    def check(self, result: tuple[Any, Any]) -> None:
        """Holds value and gradient against the reference, the gradient along three directions."""
        function = self.reference or self.arrays(numpy_namespace())
        value, gradient = float(result[0]), np.asarray(result[1], np.float64).ravel()
        assert_close(value, function(self.point))
        for direction in np.random.default_rng(7).normal(size=(3, len(self.point))):
            derivative = function(self.point + 1e-30j * direction).imag * 1e30
            assert_close(gradient @ direction, derivative, scale=np.abs(gradient) @ np.abs(direction))

    def row(self, name: str, ours: Prepare | None = None, without: Sequence[str] = ()) -> Row:
        """The row of the table; `ours` where the compiled program is not simply the graph of `scalars`."""
        engines: dict[str, Prepare] = {
            "autograd": ours or partial(compiled, self),
            "eager": partial(eager, self),
            "PyTorch": partial(pytorch, self),
            "JAX": partial(jax, self),
        }
        there = {engine: prepare for engine, prepare in engines.items() if engine not in without}
        return Row(name, there, BARS, self.check, one_thread=True)


def compiled(program: Program) -> Callable[[], Any]:
    from autograd import Value, compile

    inputs = [Value(x) for x in program.point.tolist()]
    native = compile(program.scalars(inputs), inputs)
    return lambda: native.value_and_grad(program.point)[:2]


def recorded(program: Program) -> Callable[[], Any]:
    """As `compiled`, with loops recorded as such: the function is called on Tracers, and not on Values."""
    from autograd import compile

    function = compile(program.scalars)
    function(program.point.tolist())
    native = function.program
    assert native is not None
    return lambda: native.value_and_grad(program.point)[:2]


def eager(program: Program) -> Callable[[], Any]:
    from autograd import Value

    numbers = program.point.tolist()

    def run() -> tuple[float, list[float]]:
        inputs = [Value(x) for x in numbers]
        result = program.scalars(inputs)
        result.backward()
        return result.data, [x.grad for x in inputs]

    return run


def pytorch(program: Program) -> Callable[[], Any]:
    torch = torch_namespace()
    x, function = torch.tensor(program.point, requires_grad=True), program.arrays(torch)

    def run() -> tuple[float, Any]:
        x.grad = None
        value = function(x)
        value.backward()
        return value.item(), x.grad

    return run


def jax(program: Program) -> Callable[[], Any]:
    namespace = jax_namespace()
    x = namespace.asarray(program.point)
    function = namespace.jax.jit(namespace.jax.value_and_grad(program.arrays(namespace)))
    function(x)  # compiles
    return lambda: namespace.jax.block_until_ready(function(x))


# Namespaces: what the three libraries call differently


def scan_in_python(step: Callable[[Any, Any], tuple[Any, Any]], state: Any, xs: Any) -> tuple[Any, list[Any]]:
    """A loop with a state, as `jax.lax.scan` has it: the last state, and what each step gave beside it."""
    results = []
    for x in zip(*xs, strict=True):
        state, result = step(state, x)
        results.append(result)
    return state, results


def numpy_namespace() -> Any:
    def logsumexp(x: Any, axis: int) -> Any:
        largest = x.max(axis=axis, keepdims=True)  # of complex numbers, that with the largest real part
        return np.log(np.exp(x - largest).sum(axis=axis)) + largest.squeeze(axis)

    def sigmoid(x: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-x))

    own = {"logsumexp": logsumexp, "sigmoid": sigmoid, "scan": scan_in_python}
    return SimpleNamespace(**(vars(np) | own))


def torch_namespace() -> Any:
    import torch

    torch.set_num_threads(1)
    return SimpleNamespace(**(vars(torch) | {"scan": scan_in_python}))


def jax_namespace() -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    own = {"logsumexp": jax.nn.logsumexp, "sigmoid": jax.nn.sigmoid, "scan": jax.lax.scan, "jax": jax}
    return SimpleNamespace(**(vars(jax.numpy) | own))
