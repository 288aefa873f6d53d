"""Are the functions that are computed for whole vectors accurate, on processors of each kind? mpmath is the judge."""

import math
import os
import platform
import subprocess
import sys
from functools import cache

import mpmath
import numpy as np
import pytest

pytest.importorskip("llvmlite")

import llvmlite.binding as llvm

from autograd.ieee754 import ieee

BOUNDS = {
    "exp": 0.8, "exp2": 0.8, "expm1": 1.6, "log": 0.8, "log2": 1.8, "log10": 1.8, "log1p": 1.3, "sin": 1.0, "cos": 1.0,
    "tan": 1.6, "sinh": 2.3, "cosh": 1.4, "tanh": 2.1, "erf": 1.2, "erfc": 2.6, "sqrt": 0.5,
}  # fmt: skip
"""The largest error of each function, in units in the last place."""

SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 1e-310, -1e-310, 2.0**-1022, 1e-20, -1e-20, math.inf, -math.inf, math.nan]
SPECIAL += [1e308, -1e308, sys.float_info.max, 1.0, -1.0, 0.5, 2.0, 0.75, -0.75, 27.2, 27.3, 709.78, 709.79, 710.47]
SPECIAL += [710.48, -710.47, -708.4, -745.1, -745.2, 1023.9, 1024.0, -1074.0, -1074.9, -1075.1, 1.6e6, 1e22]
SPECIAL += [math.nextafter(-1.0, 0.0), math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0), math.sqrt(0.5)]

COMPUTE = """
import sys
import numpy as np
import autograd
from autograd.compiler import compile

points = np.load(sys.argv[1])
np.savez(sys.argv[2], **{name: compile(getattr(autograd, name))(points[name]) for name in points.files})
"""


def points_of(name):
    """Numbers of every size, and more where the function is hard."""
    rng = np.random.default_rng(sum(map(ord, name)))
    found = [SPECIAL, rng.normal(size=400), rng.normal(size=200) * 10.0]
    found += [10.0 ** rng.uniform(-20.0, 20.0, 200) * rng.choice([-1.0, 1.0], 200)]
    if name.startswith("log") or name == "sqrt":
        found += [10.0 ** rng.uniform(-307.0, 308.0, 300), rng.uniform(0.5, 2.0, 300)]
        found += [1.0 + rng.normal(size=300) * 1e-3]
    elif name in ("sin", "cos", "tan"):
        near_zeros = rng.integers(1, 2**20, 300) * (math.pi / 2.0)
        found += [rng.uniform(-2e6, 2e6, 300), near_zeros, np.arange(100) * (math.pi / 2.0)]
    elif name in ("erf", "erfc"):
        found += [rng.uniform(0.6, 28.0, 300), rng.uniform(-1.5, 1.5, 300)]
    else:
        found += [rng.uniform(-1100.0, 1050.0, 300), rng.uniform(-1.5, 1.5, 300)]
    return np.concatenate(found)


@cache
def true_results(name):
    """The function at its points, with 40 digits. What IEEE 754 says where the result is none of its numbers."""
    return [exactly(name, x) for x in points_of(name).tolist()]


def exactly(name, x):
    argument = 1.0 + x if name == "log1p" else x
    outside = (name.startswith("log") and argument <= 0.0) or (name == "sqrt" and x < 0.0)
    saturated = name not in ("sin", "cos", "tan", "sqrt") and not name.startswith("log") and abs(x) > 2000.0
    if x == 0.0 or not math.isfinite(x) or outside or saturated:
        return float(getattr(ieee, name)(x))
    with mpmath.workdps(40):
        of_base = {"log2": lambda x: mpmath.log(x, 2), "log10": mpmath.log10, "exp2": lambda x: mpmath.mpf(2) ** x}
        return of_base.get(name, getattr(mpmath, name, None))(mpmath.mpf(x))


def ulps(computed, exact):
    """How far a number is from the true one, in units of the last place of that."""
    nearest = float(exact)
    if math.isnan(nearest) or math.isnan(computed):
        return 0.0 if math.isnan(nearest) and math.isnan(computed) else math.inf
    if math.isinf(nearest) or math.isinf(computed) or exact == 0:
        same = computed == nearest and math.copysign(1.0, computed) == math.copysign(1.0, nearest)
        return 0.0 if same else math.inf
    with mpmath.workdps(40):
        return float(abs(mpmath.mpf(computed) - exact) / math.ulp(nearest))


def processors():
    """This one; and on x86 one without an instruction for a * b + c, and one whose vectors have four numbers."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return [""]
    return ["", "x86-64", *(["haswell"] if llvm.get_host_cpu_features().get("avx2") else [])]


@pytest.fixture(scope="module")
def results_on(tmp_path_factory):
    """The results of all functions at their points, on a processor."""
    folder = tmp_path_factory.mktemp("points")
    np.savez(folder / "points.npz", **{name: points_of(name) for name in BOUNDS})

    @cache
    def compute(processor):
        target = folder / f"results{processor}.npz"
        command = [sys.executable, "-c", COMPUTE, str(folder / "points.npz"), str(target)]
        subprocess.run(command, check=True, env={**os.environ, "AUTOGRAD_PROCESSOR": processor})
        return dict(np.load(target))

    return compute


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("processor", processors())
def test_a_function_is_within_its_bound(name, processor, results_on):
    found = zip(points_of(name).tolist(), results_on(processor)[name].tolist(), true_results(name), strict=True)
    wrong = [(x, y, float(exact)) for x, y, exact in found if ulps(y, exact) > BOUNDS[name]]
    assert not wrong
