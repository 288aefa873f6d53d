"""What does JAX say of a derivative? `jax.vjp` and `jax.jvp`, so that custom rules are checked too."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd.testing.arrays import JAX
from autograd.testing.claims import Backward, Claim, Forward
from autograd.testing.frameworks.framework import (
    Framework,
    FrameworkFunction,
    Opening,
    Recording,
    detached,
    named,
    parts,
)
from autograd.testing.inputs import Inputs
from autograd.transforms.nesting import is_nested

_NO_BACKWARD = "Reverse-mode differentiation does not work"
"""What JAX says of a loop of unknown length (`jax.lax.while_loop`), which has a forward mode alone."""
_NO_FORWARD = "to a custom_vjp function"
"""What JAX says of a `jax.custom_vjp` function, which has a backward mode alone."""


class Jax(Framework):
    """JAX, as the user has imported it."""

    arrays = "JAX arrays"
    converted = "x.astype(float)"
    detached = "jax.lax.stop_gradient, float(), .item() or numpy"

    def __init__(self, jax: Any) -> None:
        self.jax = jax

    def knows(self, leaf: Any) -> bool:
        """Whether this is an array of JAX, or an object of a registered class that holds some."""
        return any(map(JAX.owns, self.jax.tree_util.tree_leaves(leaf)))

    def opened(self, leaf: Any) -> Opening | None:
        """An object of a class that is registered with JAX, such as a model of Equinox or Flax; or a dataclass."""
        if leaf is None or is_nested(leaf):
            return None
        found, structure = self.jax.tree_util.tree_flatten_with_path(leaf)
        if [path for path, _ in found] == [()]:
            return super().opened(leaf)
        names = [self.jax.tree_util.keystr(path).removeprefix(".") for path, _ in found]
        return dict(zip(names, [part for _, part in found], strict=True)), lambda leaves: structure.unflatten(
            [next(leaves) for _ in names]
        )

    def parameters(self, model: Any) -> dict[str, Any]:
        """The arrays of an object that can be called and is of a registered class, such as a model of Equinox."""
        opened = self.opened(model)
        if not opened:
            return {}
        counting = self.differentiable(list(opened[0].values()))
        return {name: leaf for (name, leaf), counts in zip(opened[0].items(), counting, strict=True) if counts}

    def advice_if_slow(self, f: Any) -> str:
        """Operations that JAX runs one by one take much longer than compiled ones."""
        return "" if hasattr(f, "lower") else "jax.jit(f) is much faster, if f is not compiled yet"

    def call_model(
        self, model: Any, parameters: Mapping[str, Any], positional: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        """Calls another object of the class that holds the arrays."""
        opened = self.opened(model)
        assert opened
        leaves = opened[0] | dict(parameters)
        return opened[1](iter(leaves.values()))(*positional, **keywords)

    def claims(self, f: FrameworkFunction, inputs: Inputs, count: int) -> list[Claim]:
        """`jax.vjp` and `jax.jvp`; only one of them, with a note, where JAX has only one."""
        passes = _Passes(self, f, inputs)
        n = len(inputs.numbers)
        if f.chosen is None:
            f.chosen = passes.choose(count, n)
        return [
            Backward(name, passes.backward(), count, n)
            if name == "backward"
            else Forward(name, passes.forward, count, n)
            for name in f.chosen
        ]


class _Passes:
    """The backward and the forward pass of a function at the point."""

    def __init__(self, framework: Jax, f: FrameworkFunction, inputs: Inputs) -> None:
        self.framework, self.jax = framework, framework.jax
        self.f, self.recording = f, Recording(f, inputs)
        self.arrays = self.recording.arrays()

    def results(self, *arrays: Any) -> list[Any]:
        """What f returns, integers as floats: so their derivatives are 0."""
        jnp = self.jax.numpy
        try:
            results = self.recording.results(arrays)
        except self.jax.errors.TracerBoolConversionError:
            raise  # an `if` under jit: JAX itself says what to do
        except (self.jax.errors.ConcretizationTypeError, self.jax.errors.TracerArrayConversionError) as error:
            raise TypeError(
                "JAX cannot follow f, which turns an array of JAX's into a number of Python's or an array of NumPy's, "
                "such as float(x) or np.sin(x): compute all of f with jax.numpy, or give df"
            ) from error
        if not any(map(JAX.owns, results)):
            raise detached(self.framework, "JAX")
        results = list(map(jnp.asarray, results))
        return [x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(float) for x in results]

    def choose(self, count: int, n: int) -> list[str]:
        """Which passes there are to check; what is left out, and why, goes to the notes of f."""
        chosen = []
        try:
            self.backward()([1.0] * count)
            chosen.append("backward")
        except ValueError as error:
            if _NO_BACKWARD not in str(error):
                raise
            self.f.notes.append(f"only forward mode is checked: JAX says {_first_sentence(error)!r}")
        try:
            self.forward([1.0] * n)
            chosen.append("forward")
        except TypeError as error:
            if _NO_FORWARD not in str(error) or not chosen:
                raise
            self.f.notes.append(f"only backward mode is checked: JAX says {_first_sentence(error)!r}")
        return chosen

    def backward(self) -> Callable[[list[float]], list[float]]:
        """The function that gives u'J."""
        with named("jax.vjp of f"):
            results, pull_back = self.jax.vjp(self.results, *self.arrays)

        def vjp(weights: list[float]) -> list[float]:
            with named("the function that jax.vjp(f, ...) returned"):
                return _flat(pull_back(self._like(results, weights)))

        return vjp

    def forward(self, direction: list[float]) -> list[float]:
        """How all results change along a direction of the inputs."""
        with named("jax.jvp of f"):
            _, tangents = self.jax.jvp(self.results, self.arrays, self._like(self.arrays, direction))
        return _flat(tangents)

    def _like(self, arrays: Sequence[Any], numbers: Sequence[float]) -> list[Any]:
        """The numbers as arrays of the same shapes and types."""
        pieces = parts(numbers, [array.size for array in arrays])
        return [JAX.made(array, piece) for array, piece in zip(arrays, pieces, strict=True)]


def _flat(arrays: Sequence[Any]) -> list[float]:
    return [x for array in arrays for x in JAX.numbers(array)]


def _first_sentence(error: Exception) -> str:
    return str(error).partition(". ")[0].partition("\n")[0].rstrip(".")
