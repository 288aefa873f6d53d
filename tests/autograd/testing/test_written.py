"""The lines that reproduce a check are pasted and run, whatever the point is made of, and find the same again."""

import collections
import math
import struct
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from hypothesis.extra import numpy as arrays

import autograd
from autograd import Value, grad, tanh
from autograd.testing import WrongGradientError, WrongRuleError, check_gradient, check_rule, gradcheck
from autograd.testing.written import Writer, reproduce_line


class Weights(NamedTuple):
    w: Any
    b: Any


def run(line: str, names: dict[str, Any] | None = None) -> Any:
    """Runs a line as if it were pasted into this module, or where only `names` are known."""
    exec(line, dict(globals() if names is None else names))


def again(x: Any) -> Any:
    """x after it was written down and read, in a place where nothing is known but the class Weights."""
    writer = Writer({"Weights": Weights})
    text = writer.written(x)
    names: dict[str, Any] = {"Weights": Weights}
    for statement in writer.imports:
        exec(statement, names)
    return eval(text, names)


def same(a: Any, b: Any) -> bool:
    """Whether two things are alike to the last bit: types, shapes, signs of zeros."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray | np.generic) and a.dtype.kind != "O":
        signs = np.array_equal(np.signbit(a.real), np.signbit(b.real))
        return a.dtype == b.dtype and np.array_equal(a, b) and signs
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and all(map(same, a.reshape(-1).tolist(), b.reshape(-1).tolist()))
    if isinstance(a, Value):
        return same(a.data, b.data)
    if isinstance(a, float):
        return (a != a and b != b) or struct.pack("d", a) == struct.pack("d", b)
    return bool(a == b)


any_array = st.one_of(
    [
        arrays.arrays(
            dtype,
            arrays.array_shapes(min_dims=0, min_side=0, max_side=3),
            elements=arrays.from_dtype(np.dtype(dtype), allow_nan=False),
        )
        for dtype in (np.float64, np.float32, np.float16, np.longdouble, np.int32, np.uint8, np.bool_, np.complex64)
    ]
)
numbers = st.floats() | st.integers() | st.booleans() | st.none() | st.text() | st.fractions()
points = st.recursive(
    numbers | any_array | any_array.filter(lambda a: a.size).map(lambda a: a.reshape(-1)[0]) | st.floats().map(Value),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3)
        | st.tuples(inner, inner).map(lambda pair: Weights(*pair))
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(points)
@example(np.array(3.4025002e38, dtype=np.float32))  # with fewer digits it is beyond the largest float32
@example((np.float32(math.inf), np.complex64(complex(0.0, math.inf))))
def test_what_is_written_is_read_as_the_same_to_the_last_bit(x: Any) -> None:
    found = again(x)
    assert same(x, found) or (isinstance(x, Fraction) and x == found)


def test_numbers_of_short_types_are_written_with_the_fewest_digits() -> None:
    assert Writer(globals()).written(np.float32([0.1, 1e-30, 16777216.0, -0.0, 1 / 3])) == (
        "np.array([0.1, 1e-30, 16777216.0, -0.0, 0.33333334], dtype=np.float32)"
    )
    assert Writer(globals()).written((1.0,)) == "(1.0,)"
    assert Writer(globals()).written(np.zeros((2, 0))) == "np.zeros((2, 0), dtype=np.float64)"


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64])
def test_long_arrays_are_packed(dtype: Any) -> None:
    x = np.arange(1_000).reshape(10, 2, 50).astype(dtype)
    assert len(Writer({}).written(x)) < 3_000
    assert same(again(x), x)
    again(x)[0, 0, 0] = 1  # it can be changed, as the first could


def test_long_lists_are_packed() -> None:
    x = [math.sin(k) for k in range(500)]
    assert same(again(x), x)


# Checks: in the module of the functions, where their names are known


def loss(*leaves: Any, **more: Any) -> Any:
    """The sum of the squares of all numbers, whatever holds them."""
    return sum(float(np.sum(np.asarray(leaf, dtype=float) ** 2)) for leaf in flat([*leaves, more]))


def flat(x: Any) -> list[Any]:
    if isinstance(x, list | tuple | dict):
        return [leaf for part in (x.values() if isinstance(x, dict) else x) for leaf in flat(part)]
    return [x]


def doubled(x: Any, wrong: bool = True) -> Any:
    """Twice the point, in its own structure; the last number is wrong."""
    if isinstance(x, dict):
        return {key: doubled(part, wrong and key == list(x)[-1]) for key, part in x.items()}
    if isinstance(x, list | tuple):
        parts = [doubled(part, wrong and i == len(x) - 1) for i, part in enumerate(x)]
        return Weights(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if np.ndim(x) == 0:
        return 2.0 * float(x) + wrong
    twice = 2.0 * np.asarray(x, dtype=float)
    twice.flat[-1] += wrong
    return twice


def wrong_gradient(*leaves: Any) -> Any:
    return doubled(leaves) if len(leaves) > 1 else doubled(leaves[0])


POINTS = {
    "a number": 0.1,
    "a number of NumPy's": np.float32(0.1),
    "arguments": (0.1, 1.0 / 3.0),
    "a list": [0.1, 2.0],
    "nested lists": [[0.1, 2.0], [1e-300]],
    "a dict": {"w": [0.1, 0.2], "b": 0.3},
    "a named tuple": Weights([0.1], 0.2),
    "an array": np.array([0.1, 1.0 / 3.0]),
    "an array of float32": np.array([[0.1, 1.0 / 3.0]], dtype=np.float32),
    "an array of float16": np.array([0.1, 1.0 / 3.0], dtype=np.float16),
    "a long array": np.sin(np.arange(300.0)),
    "an array and a number": (np.array([0.1, 0.7]), 0.3),
}


def failure(check: Callable[[], Any]) -> WrongGradientError:
    with pytest.raises(WrongGradientError) as caught:
        check()
    return caught.value


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_the_line_of_check_gradient_finds_the_same_error_again(point: Any) -> None:
    first = failure(lambda: check_gradient(loss, wrong_gradient, point))
    line = first.report.reproduce
    assert f"  reproduce: {line}" in str(first)
    assert "check_gradient(loss, wrong_gradient, " in line
    assert failure(lambda: run(line)).report.rows == first.report.rows


def forgetful(x: Value, y: Any) -> Value:
    return tanh(x) * y.data


LARGE = np.random.default_rng(0).normal(size=5_000)


def test_what_else_was_asked_for_is_in_the_line() -> None:
    first = failure(lambda: gradcheck(forgetful, (0.1, 0.2), order=2, noise=1e-12))
    assert first.report.reproduce == "gradcheck(forgetful, (0.1, 0.2), order=2, noise=1e-12)"
    assert str(failure(lambda: run(first.report.reproduce))) == str(first)


def test_imports_are_written_where_they_are_missing() -> None:
    line = reproduce_line("gradcheck", ["lambda x0: tanh(x0)"], (0.5,))
    assert line == "gradcheck(lambda x0: tanh(x0), (0.5,))"
    known = {name: thing for name, thing in globals().items() if name not in ("np", "tanh", "gradcheck")}
    line = eval("reproduce_line('gradcheck', ['lambda x0: tanh(x0[0])'], given)", {**known, "given": np.ones(1)})
    assert line == (
        "from autograd.testing import gradcheck; from autograd import tanh; import numpy as np; "
        "gradcheck(lambda x0: tanh(x0[0]), np.array([1.0]))"
    )
    exec(line, {})


def test_a_large_array_goes_by_its_name() -> None:
    assert reproduce_line("check_gradient", [loss, wrong_gradient], (LARGE, 1.0)) == (
        "check_gradient(loss, wrong_gradient, (LARGE, 1.0))"
    )


def line_for(*functions: Any, point: Any = 1.0) -> str:
    return reproduce_line("check_gradient", functions, point)


scaled = 3.0
partial_loss = collections.namedtuple("partial_loss", "f")(loss).f


class Model:
    def __call__(self, x: float) -> float:
        return x * x

    def gradient(self, x: float) -> float:
        return x


model = Model()


def test_functions_go_by_the_names_they_have_here() -> None:
    assert line_for(model, model.gradient) == "check_gradient(model, model.gradient, 1.0)"
    assert line_for(math.exp, np.exp) == "check_gradient(math.exp, np.exp, 1.0)"
    assert line_for(abs, np.linalg.norm) == "check_gradient(abs, np.linalg.norm, 1.0)"
    assert line_for(loss, None) == "check_gradient(loss, point=1.0)"
    assert line_for(grad, autograd.exp) == "check_gradient(grad, autograd.exp, 1.0)"


def test_lambdas_are_written_by_their_source() -> None:
    assert line_for(lambda x: scaled * x**2, lambda x: 2 * x) == (
        "check_gradient(lambda x: scaled * x ** 2, lambda x: 2 * x, 1.0)"
    )
    over_lines = [
        lambda x: (
            x + 1.0  # one more
        ),
        lambda x: [y for y in x],  # noqa: C416
    ]
    first, second = (lambda x: x + 1.0), (lambda x: x + 2.0)
    assert line_for(second, first) == "check_gradient(lambda x: x + 2.0, lambda x: x + 1.0, 1.0)"
    assert line_for(*over_lines) == "check_gradient(lambda x: x + 1.0, lambda x: [y for y in x], 1.0)"


def test_where_no_line_can_be_written_a_comment_says_why() -> None:
    def local(x: float) -> float:
        return x

    factor = len(sys.argv)
    made = eval("lambda x: x")
    for functions, reason in [
        ([local, loss], "local is local to test_where_no_line_can_be_written_a_comment_says_why"),
        ([lambda x: factor * x], "a lambda uses factor of the function around it"),
        ([made], "the source of a lambda was not found"),
        ([Model()], "a function of type Model has no name; write f = Model(...) at the top of a module"),
        ([partial(loss)], "a function of type partial has no name; write f = partial(...) at the top of a module"),
    ]:
        line = line_for(*functions)
        assert line.startswith("# check_gradient(")
        assert reason in line
        run(line)  # a comment can be pasted too


def test_a_point_that_is_too_large_and_has_no_name_is_left_out() -> None:
    line = line_for(loss, wrong_gradient, point=LARGE + 1.0)
    assert line == (
        "# check_gradient(loss, wrong_gradient, ...) cannot be written down: the point is too large to be printed; "
        "give it a name at the top of a module or in a notebook's cell"
    )


@autograd.operation
def wrong_cube(m: Any) -> Any:
    return lambda x: x * x * x, lambda out, x: 2.0 * x * x


def test_the_line_of_check_rule_finds_the_same_error_again() -> None:
    with pytest.raises(WrongRuleError) as caught:
        check_rule(wrong_cube, points=100)
    line = str(caught.value).splitlines()[-1].removeprefix("  reproduce  ")
    assert line == "check_rule(wrong_cube, points=100)"
    with pytest.raises(WrongRuleError) as again:
        run(line)
    assert str(again.value) == str(caught.value)


# Other libraries


def squares(x: Any) -> Any:
    return (x * x).sum()


def ninefold(x: Any) -> Any:
    return 9.0 * x


def finds_the_same_again(point: Any) -> None:
    first = failure(lambda: check_gradient(squares, ninefold, point))
    assert failure(lambda: run(first.report.reproduce)).report.rows == first.report.rows


def test_tensors_are_written_as_tensors() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool):
        for shape in [(), (2,), (2, 0), (2, 3), (20, 20)]:
            x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
            found = again(x)
            assert (found.dtype, found.shape) == (x.dtype, x.shape)
            assert torch.equal(found, x)
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        finds_the_same_again(torch.tensor([0.1, 1.7], dtype=dtype))
    writer = Writer({"torch": torch})
    weights = torch.nn.Parameter(torch.tensor([0.1]))
    assert writer.written(weights) == "torch.nn.Parameter(torch.tensor([0.1], dtype=torch.float32))"
    assert writer.written(weights.detach().double().requires_grad_()) == (
        "torch.tensor([0.10000000149011612], dtype=torch.float64).requires_grad_()"
    )


def test_one_import_of_jax_is_enough() -> None:
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        x = jax.numpy.ones(1)
        line = reproduce_line("check_gradient", ["lambda x: x", jax.nn.relu], x)
    assert line.count("import jax;") == 1


def test_jax_arrays_are_written_as_jax_arrays() -> None:
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    for dtype in (jnp.float32, jnp.float16, jnp.bfloat16, jnp.int32, jnp.bool_):
        for shape in [(), (2,), (2, 0), (2, 3), (20, 20)]:
            x = jax.random.normal(jax.random.key(0), shape).astype(dtype)
            found = again(x)
            assert isinstance(found, jax.Array)
            assert (found.dtype, found.shape) == (x.dtype, x.shape)
            assert np.asarray(found).tobytes() == np.asarray(x).tobytes()
    finds_the_same_again(jnp.array([0.1, 1.7]))
