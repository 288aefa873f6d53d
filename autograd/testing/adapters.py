"""How is a number of somebody's engine made, how are its value and its gradient read, and how is that written?

One class for each kind of engine: a class in the manner of micrograd's Value, PyTorch, JAX, an object of one's own.
"""

import sys
from collections.abc import Callable, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

from autograd.reals import real_or_none, shown
from autograd.testing.graphs.expression import Expression
from autograd.testing.offers import Namespace, Offer, look_up


class Adapter:
    """How a leaf is made, how a number and a gradient are read, where functions are, and how all that is written."""

    name = ""
    imports: Sequence[str] = ()
    cls: Any = None
    """The class whose methods are operations."""
    places: Sequence[Namespace] = ()
    """Where functions are looked for."""

    def leaf(self, x: float) -> Any:
        """One of their numbers."""
        raise NotImplementedError

    def leaf_text(self, x: float) -> str:
        """How a leaf is written."""
        raise NotImplementedError

    def gradients(self, y: Any, leaves: Sequence[Any]) -> Sequence[Any]:
        """The derivatives of y."""
        y.backward()
        return [x.grad for x in leaves]

    def read(self, y: Any) -> Any:
        """What holds the number: its dtype tells how precise it is."""
        return y

    def look_up(self, name: str) -> Offer | None:
        """How they have an operation."""
        return look_up(name, self.cls, self.places)

    def number(self, y: Any) -> float:
        """The number in one of theirs."""
        return _as_number(self.read(y), "a number")

    def value_and_gradients(self, f: Callable[..., Any], xs: Sequence[float]) -> tuple[float, list[float]]:
        """The value of a function of their numbers, and its derivatives."""
        leaves = [self.leaf(x) for x in xs]
        y = f(*leaves)
        value = self.number(y)
        return value, [_as_number(found, "a gradient") for found in self.gradients(y, leaves)]

    def program(self, f: Expression) -> list[str]:
        """Lines that compute the value and the gradient."""
        return [*self.imports, *f._lines(), "y.backward()"]


def _as_number(x: Any, what: str) -> float:
    if x is None:  # a leaf that nothing was passed on to
        return 0.0
    number = real_or_none(x)
    if number is None:
        try:
            number = float(x)
        except Exception:
            raise TypeError(
                f"{what} of theirs is {shown(x)} ({type(x).__name__}); it must be one real number"
            ) from None
    return number


def _import_of(cls: type) -> list[str]:
    """The line that imports a class, if one does."""
    is_public = getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls and cls.__module__ != "__main__"
    return [f"from {cls.__module__} import {cls.__name__}"] if is_public else []


class OfClass(Adapter):
    """A class in the manner of micrograd's Value."""

    def __init__(self, ValueClass: type) -> None:
        self.cls, self.name = ValueClass, f"{ValueClass.__module__}.{ValueClass.__qualname__}"
        self.imports = _import_of(ValueClass)
        beside = vars(sys.modules.get(ValueClass.__module__, SimpleNamespace()))
        own = {
            name: function
            for name, function in beside.items()
            if getattr(function, "__module__", None) == ValueClass.__module__ and not isinstance(function, type)
        }
        self.places = [Namespace("", own)]
        try:
            made = ValueClass(2.0)
        except Exception as error:
            raise TypeError(
                f"other_engine takes a class that is made from one number; {self.name}(2.0) raised {error}"
            ) from None
        for attribute in "data", "grad", "backward":
            if not hasattr(made, attribute):
                raise TypeError(
                    f"other_engine reads a number's data and grad, and calls backward(); {self.name}(2.0) has no "
                    f"{attribute!r}: pass an object with leaf(x), gradients(y, leaves) and number(y)"
                )

    def leaf(self, x: float) -> Any:
        return self.cls(x)

    def leaf_text(self, x: float) -> str:
        return f"{self.cls.__name__}({x!r})"

    def read(self, y: Any) -> Any:
        if not isinstance(y, self.cls) and not hasattr(y, "data"):
            raise TypeError(f"an operation gave {shown(y)} ({type(y).__name__}), which is no {self.cls.__name__}")
        return y.data


class OfObject(Adapter):
    """An object of one's own, with `leaf` and `gradients`."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.cls = engine, type(engine.leaf(1.0))
        self.name = getattr(engine, "name", type(engine).__name__)

    def leaf(self, x: float) -> Any:
        return self.engine.leaf(x)

    def leaf_text(self, x: float) -> str:
        return f"{self.name}.leaf({x!r})"

    def read(self, y: Any) -> Any:
        return self.engine.number(y) if hasattr(self.engine, "number") else y

    def gradients(self, y: Any, leaves: Sequence[Any]) -> Sequence[Any]:
        found: Sequence[Any] = self.engine.gradients(y, leaves)
        return found

    def program(self, f: Expression) -> list[str]:
        return [*f._lines(), f"{self.name}.gradients(y, [{', '.join(f.names)}])"]


class Torch(Adapter):
    """PyTorch's tensors of one number."""

    imports = ("import torch",)

    def __init__(self, torch: Any, dtype: Any) -> None:
        self.name, self.torch, self.dtype = "torch", torch, torch.float64 if dtype is None else dtype
        self.places = [
            Namespace("torch.", vars(torch)),
            Namespace(
                "torch.nn.functional.",
                vars(torch.nn.functional),
                {"gelu_tanh": ("gelu", {"approximate": "tanh"})},
            ),
            Namespace("torch.special.", vars(torch.special)),
        ]

    def leaf(self, x: float) -> Any:
        return self.torch.tensor(x, dtype=self.dtype, requires_grad=True)

    def leaf_text(self, x: float) -> str:
        return f"torch.tensor({x!r}, dtype={self.dtype}, requires_grad=True)"

    def read(self, y: Any) -> Any:
        return y.detach()


class Jax(Adapter):
    """JAX's arrays of one number. It has no backward pass to call: it differentiates functions."""

    imports = ("import jax", "from jax import numpy as jnp")

    def __init__(self, jax: Any, dtype: Any) -> None:
        self.name, self.jax = "jax", jax
        kind = "float64" if jax.config.jax_enable_x64 else "float32"
        self.dtype = jax.numpy.dtype(kind if dtype is None else dtype)
        self.places = [
            Namespace("jnp.", vars(jax.numpy)),
            Namespace("jax.nn.", vars(jax.nn), {"gelu": ("gelu", {"approximate": False})}),
            Namespace("jax.lax.", vars(jax.lax)),
        ]

    def leaf(self, x: float) -> Any:
        return self.jax.numpy.asarray(x, dtype=self.dtype)

    def leaf_text(self, x: float) -> str:
        return f"jnp.{self.dtype.name}({x!r})"

    def value_and_gradients(self, f: Callable[..., Any], xs: Sequence[float]) -> tuple[float, list[float]]:
        differentiated = self.jax.value_and_grad(f, argnums=tuple(range(len(xs))))
        value, found = differentiated(*map(self.leaf, xs))
        return self.number(value), [_as_number(x, "a gradient") for x in found]

    def program(self, f: Expression) -> list[str]:
        names = ", ".join(f.names)
        leaves = f._lines()[: len(f.inputs)]
        places = tuple(range(len(f.inputs)))
        return [*self.imports, *leaves, *f.function_source.splitlines(), f"jax.grad(f, argnums={places})({names})"]


def adapter_for(of: Any, dtype: Any) -> Adapter:
    """The adapter for a class, a library or an object."""
    name = of.__name__ if isinstance(of, ModuleType) else ""
    if name in ("torch", "jax"):
        return Torch(of, dtype) if name == "torch" else Jax(of, dtype)
    if dtype is not None:
        raise TypeError(
            f"other_engine takes a dtype for torch and jax alone; got {shown(dtype)} for {shown(of)}: leave it out"
        )
    if isinstance(of, type):
        return OfClass(of)
    if callable(getattr(of, "leaf", None)) and callable(getattr(of, "gradients", None)):
        return OfObject(of)
    raise TypeError(
        f"other_engine takes a class such as micrograd.engine.Value, the module torch or jax, or an object with "
        f"leaf(x) and gradients(y, leaves); got {shown(of)} ({type(of).__name__})"
    )
