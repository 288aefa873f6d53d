"""Which engines stand beside each other, and which way of running each counts? The columns of the table."""

import os
from importlib.util import find_spec

Place = tuple[int, int]
"""Width and batch: a row of the table."""
Times = dict[Place, dict[str, float]]
"""Microseconds of a step, by place and engine; an engine that is not installed has none."""

PACKAGES = {
    "autograd": "llvmlite",
    "nn.fit": "llvmlite",
    "NumPy": "numpy",
    "PyTorch": "torch",
    "JAX": "jax",
    "CasADi": "casadi",
    "scikit-learn": "sklearn",
    "micrograd": "micrograd",
}
"""What must be importable for an engine; all else needs nothing but this project."""
ENGINES = {
    "autograd": ("autograd",),
    "nn.fit": ("nn.fit",),
    "NumPy": ("NumPy, 1 thread", "NumPy, as it comes"),
    "PyTorch": ("PyTorch, 1 thread", "PyTorch, 2 threads"),
    "JAX step": ("JAX step, as it comes",),
    "JAX scan": ("JAX scan, as it comes",),
    "micrograd": ("micrograd",),
}
"""The columns of the table, and the ways in which each is run: the faster one counts."""
THREADS = {"1 thread": "1", "2 threads": "2", "as it comes": "*"}
LEGEND = (
    "Threads in brackets: 1 or 2, whichever was faster; * as many as the library takes when nobody tells it, which is "
    f"up to {os.cpu_count()} here. autograd is the epoch alone, as the peers are; nn.fit adds shuffling, accuracy and "
    "history. micrograd is plain Python, and goes through a hundred digits only."
)


def installed(engine: str) -> bool:
    """Whether the library that an engine needs is there."""
    package = PACKAGES.get(engine.split()[0].rstrip(","))
    return package is None or find_spec(package) is not None


def fastest(times: dict[str, float], column: str) -> str | None:
    """The faster way of running an engine; None where it was not measured."""
    return min((way for way in ENGINES[column] if way in times), key=lambda way: times[way], default=None)


def ratio(times: dict[str, float], column: str) -> float | None:
    """How many times faster than this engine autograd is."""
    way = fastest(times, column)
    return None if way is None or "autograd" not in times else times[way] / times["autograd"]
