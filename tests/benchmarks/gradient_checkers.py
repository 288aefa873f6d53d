"""How does each library check a gradient? The same NumPy functions, given to each in the form that it takes.

All peers get the numbers of the point in a row (`Flat`). Each is used as its documentation says, at its defaults; what
has no defaults says here what it is given. A library that is not installed has no entry in `available()`.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from autograd.testing import WrongGradientError, check_gradient
from tests.autograd.testing.foreign.case import Case
from tests.autograd.testing.foreign.precise import claim, leaves

Check = Callable[[Case], bool]
"""Whether it calls the gradient wrong. A function that cannot be evaluated where the library asks counts as wrong."""

SCIPY_TOLERANCE = {np.float64: 1e-5, np.float32: 1e-2}
"""`check_grad` returns a norm. It is compared with this, as a part of the gradient's norm if that is above 1."""

SETTINGS = {
    "torch": "gradcheck: eps 1e-6, atol 1e-5, rtol 1e-3, its defaults (its documentation advises float64)",
    "jax": "check_grads, order 1, reverse mode: eps 1e-4, tolerance 1e-5 (float32: 2e-3), its defaults",
    "scipy": "check_grad: epsilon the root of the type's, its rule; norm of the error below 1e-5 (float32: 1e-2)",
    "ndt": "numdifftools.Jacobian, its defaults; wrong beyond its error estimate + 1e-5 of the value + 1e-8",
}


class Flat:
    """A case in terms of one row of numbers."""

    def __init__(self, case: Case) -> None:
        self.case = case
        arrays = [x.dtype for x in _arrays(case.point)]
        self.type = np.float32 if np.dtype(np.float32) in arrays else np.float64
        self.point = np.array([float(x) for x in leaves(case.point)], dtype=self.type)
        self.outputs = len(self.values(self.point))

    def values(self, row: Any) -> Any:
        """The results of f in a row."""
        out = self._called(self.case.f, row)
        return np.array([float(x) for x in leaves(out)], dtype=self.type)

    def jacobian(self, row: Any) -> Any:
        """What df claims: a row for each result."""
        return claim(lambda *_: self._called(self.case.df, row), self.case.point, self.outputs).astype(self.type)

    def scalar(self, row: Any) -> float:
        """One result, or a sum of all with weights: `check_grad` of SciPy takes functions of one result."""
        return float(self.weights @ self.values(row))

    def gradient(self, row: Any) -> Any:
        return self.weights @ self.jacobian(row)

    @property
    def weights(self) -> Any:
        return np.ones(1) if self.outputs == 1 else np.random.default_rng(0).normal(size=self.outputs)

    def _called(self, function: Any, row: Any) -> Any:
        numbers = np.asarray(row, dtype=self.type)
        point, _ = _rebuilt(self.case.point, numbers, 0)
        with np.errstate(all="ignore"):
            return function(*point) if type(self.case.point) is tuple else function(point)


def _arrays(x: Any) -> list[Any]:
    if isinstance(x, dict | list | tuple):
        return [array for part in (x.values() if isinstance(x, dict) else x) for array in _arrays(part)]
    return [x] if isinstance(x, np.ndarray) else []


def _rebuilt(x: Any, row: Any, start: int) -> tuple[Any, int]:
    """The same structure with the numbers of a row, and where the next begins."""
    if isinstance(x, np.ndarray):
        return row[start : start + x.size].reshape(x.shape).astype(x.dtype), start + x.size
    if not isinstance(x, dict | list | tuple):
        return float(row[start]), start + 1
    parts = []
    for part in x.values() if isinstance(x, dict) else x:
        made, start = _rebuilt(part, row, start)
        parts.append(made)
    return (dict(zip(x, parts, strict=True)) if isinstance(x, dict) else type(x)(parts)), start


# The checks


def ours(case: Case) -> bool:
    try:
        check_gradient(case.f, case.df, case.point)
    except WrongGradientError:
        return True
    return False


def by_torch() -> Check:
    import torch

    class OfNumPy(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Any, flat: Any) -> Any:
            context.flat, context.point = flat, x.detach().numpy().copy()
            return torch.from_numpy(flat.values(context.point))

        @staticmethod
        def backward(context: Any, upstream: Any) -> Any:
            return torch.from_numpy(upstream.numpy() @ context.flat.jacobian(context.point)), None

    def check(case: Case) -> bool:
        flat = Flat(case)
        x = torch.from_numpy(flat.point.copy()).requires_grad_()
        return not torch.autograd.gradcheck(lambda x: OfNumPy.apply(x, flat), (x,), raise_exception=False)

    return check


def by_jax() -> Check:
    import logging

    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax").setLevel(logging.CRITICAL)  # it prints what the callbacks raise, which is counted here

    def check(case: Case) -> bool:
        flat = Flat(case)
        values = jax.ShapeDtypeStruct((flat.outputs,), flat.type)
        whole = jax.ShapeDtypeStruct((flat.outputs, len(flat.point)), flat.type)

        @jax.custom_vjp
        def f(x: Any) -> Any:
            return jax.pure_callback(flat.values, values, x)

        def backward(x: Any, upstream: Any) -> tuple[Any]:
            return (upstream @ jax.pure_callback(flat.jacobian, whole, x),)

        f.defvjp(lambda x: (f(x), x), backward)
        try:
            check_grads(f, (jax.numpy.asarray(flat.point),), order=1, modes=("rev",))
        except AssertionError:
            return True
        finally:
            jax.clear_caches()  # no function comes twice, and what is kept of a thousand takes gigabytes
        return False

    return check


def by_scipy() -> Check:
    from scipy.optimize import check_grad

    def check(case: Case) -> bool:
        flat = Flat(case)
        step = float(np.sqrt(np.finfo(flat.type).eps))
        error = check_grad(flat.scalar, flat.gradient, flat.point.astype(float), epsilon=step)
        allowed = SCIPY_TOLERANCE[flat.type] * max(1.0, float(np.linalg.norm(flat.gradient(flat.point))))
        return not error <= allowed

    return check


def by_numdifftools() -> Check:
    import numdifftools

    def check(case: Case) -> bool:
        flat = Flat(case)
        result = numdifftools.Jacobian(flat.values, full_output=True)(flat.point.astype(float))
        found = result.estimate.reshape(flat.outputs, -1)
        estimate = result.error_estimate.reshape(found.shape)
        off = abs(flat.jacobian(flat.point) - found)
        return not bool(np.all(off <= estimate + 1e-5 * abs(found) + 1e-8))

    return check


MAKERS: dict[str, tuple[str, Callable[[], Check]]] = {
    "torch": ("torch", by_torch),
    "jax": ("jax", by_jax),
    "scipy": ("scipy", by_scipy),
    "ndt": ("numdifftools", by_numdifftools),
}
"""By column: the package, and how the check is made."""

COLUMNS = ("this", *MAKERS)


def available() -> dict[str, Check]:
    """The checks of what is installed, this project's first."""
    return {"this": ours} | {name: make() for name, (package, make) in MAKERS.items() if find_spec(package)}


def says_wrong(check: Check, case: Case) -> bool:
    try:
        return check(case)
    except Exception:
        return True
