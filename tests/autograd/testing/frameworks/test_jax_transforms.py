"""Are functions of JAX checked, the right ones confirmed, and each wrong custom rule found?"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd.testing import WrongGradientError, any_gradient, check_gradient

jax = pytest.importorskip("jax")
jnp = jax.numpy


def with_vjp(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """A jax.custom_vjp function: `backward(inputs, output, g)`."""
    function = jax.custom_vjp(forward)

    def forward_pass(*inputs: Any) -> Any:
        output = forward(*inputs)
        return output, (inputs, output)

    function.defvjp(forward_pass, lambda saved, g: backward(*saved, g))
    return function  # type: ignore[no-any-return]


def with_jvp(forward: Callable[..., Any], slope: Callable[..., Any]) -> Callable[..., Any]:
    """A jax.custom_jvp function: `slope(inputs, tangents)`."""
    function = jax.custom_jvp(forward)
    function.defjvp(lambda inputs, tangents: (forward(*inputs), slope(inputs, tangents)))
    return function  # type: ignore[no-any-return]


X, Y = jnp.array([0.5, -1.25, 2.0]), jnp.array([1.5, 0.25, -0.75])
M, W = jnp.array([[2.0, 0.5], [-0.25, 1.0]]), jnp.array([[1.0, -0.5], [0.75, 2.0]])


def solved(a: Any, b: Any) -> Any:
    return jnp.linalg.solve(a, b)


PAIRS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {  # right, wrong, and the point
    "factor": (
        with_vjp(lambda x: x * x, lambda inputs, y, g: (2 * inputs[0] * g,)),
        with_vjp(lambda x: x * x, lambda inputs, y, g: (inputs[0] * g,)),
        X,
    ),
    "swapped": (
        with_vjp(lambda a, b: a * b, lambda inputs, y, g: (inputs[1] * g, inputs[0] * g)),
        with_vjp(lambda a, b: a * b, lambda inputs, y, g: (inputs[0] * g, inputs[1] * g)),
        (X, Y),
    ),
    "broadcast": (
        with_vjp(lambda m, b: m + b, lambda inputs, y, g: (g, g.sum(0))),
        with_vjp(lambda m, b: m + b, lambda inputs, y, g: (g, g.mean(0))),
        (M, X[:2]),
    ),
    "transposed": (
        with_vjp(lambda m, w: m @ w, lambda inputs, y, g: (g @ inputs[1].T, inputs[0].T @ g)),
        with_vjp(lambda m, w: m @ w, lambda inputs, y, g: (g @ inputs[1], inputs[0].T @ g)),
        (M, W),
    ),
    "implicit": (
        with_vjp(solved, lambda inputs, y, g: (-jnp.outer(solved(inputs[0].T, g), y), solved(inputs[0].T, g))),
        with_vjp(solved, lambda inputs, y, g: (-jnp.outer(solved(inputs[0], g), y), solved(inputs[0], g))),
        (M, X[:2]),
    ),
    "second result": (
        with_vjp(
            lambda x: {"sin": jnp.sin(x), "cos": jnp.cos(x)},
            lambda inputs, y, g: (y["cos"] * g["sin"] - y["sin"] * g["cos"],),
        ),
        with_vjp(lambda x: {"sin": jnp.sin(x), "cos": jnp.cos(x)}, lambda inputs, y, g: (y["cos"] * g["sin"],)),
        X,
    ),
    "forward rule": (
        with_jvp(jnp.cos, lambda inputs, tangents: -jnp.sin(inputs[0]) * tangents[0]),
        with_jvp(jnp.cos, lambda inputs, tangents: jnp.sin(inputs[0]) * tangents[0]),
        X,
    ),
    "forward rule, one argument": (
        with_jvp(jnp.multiply, lambda inputs, tangents: inputs[0] * tangents[1] + inputs[1] * tangents[0]),
        with_jvp(jnp.multiply, lambda inputs, tangents: inputs[0] * tangents[1]),
        (X, Y),
    ),
    "clipped": (
        with_vjp(lambda x: jnp.clip(x, -1, 1), lambda inputs, y, g: (jnp.where(jnp.abs(inputs[0]) < 1, g, 0.0),)),
        with_vjp(lambda x: jnp.clip(x, -1, 1), lambda inputs, y, g: (g,)),
        X,
    ),
    "softmax": (
        with_vjp(lambda x: jax.nn.softmax(x), lambda inputs, y, g: (y * (g - (y * g).sum()),)),
        with_vjp(lambda x: jax.nn.softmax(x), lambda inputs, y, g: (y * g,)),
        X,
    ),
    "stop_gradient": (lambda x: x * jnp.exp(x), lambda x: x * jax.lax.stop_gradient(jnp.exp(x)), X),
    "jit": (
        jax.jit(lambda p: jnp.tanh(p["w"] @ p["x"][0])),
        jax.jit(lambda p: jnp.tanh(jax.lax.stop_gradient(p["w"]) @ p["x"][0])),
        {"w": M, "x": [X[:2]]},
    ),
    "nan at a branch not taken": (
        lambda x: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0),
        lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0),
        jnp.array([1.0, -1.0]),
    ),
    "loop": (
        jax.jit(lambda x: jax.lax.scan(lambda s, _: (jnp.sin(s) + x, None), x, None, length=3)[0]),
        jax.jit(
            lambda x: jax.lax.scan(lambda s, _: (jnp.sin(s) + jax.lax.stop_gradient(x), None), x, None, length=3)[0]
        ),
        X,
    ),
    "rescaled gradient": (jax.nn.gelu, with_vjp(lambda x: jax.nn.gelu(x), lambda inputs, y, g: (g * 0.5,)), X),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_right_ones_pass(name: str) -> None:
    right, _, point = PAIRS[name]
    assert check_gradient(right, point=point).passed


@pytest.mark.parametrize("name", PAIRS)
def test_the_wrong_ones_are_found(name: str) -> None:
    _, wrong, point = PAIRS[name]
    with pytest.raises(WrongGradientError):
        check_gradient(wrong, point=point)


def test_both_passes_are_checked_where_there_are_both() -> None:
    assert {row.by for row in check_gradient(jnp.sin, point=X)} == {"backward", "forward"}
    assert {row.by for row in check_gradient(PAIRS["forward rule"][0], point=X)} == {"backward", "forward"}
    report = check_gradient(PAIRS["factor"][0], point=X)
    assert {row.by for row in report} == {"backward"}
    assert "only backward mode is checked: JAX says" in str(report)


def test_a_loop_of_unknown_length_has_only_a_forward_mode() -> None:
    @jax.jit  # type: ignore[untyped-decorator]
    def powers(x: Any) -> Any:
        return jax.lax.while_loop(lambda s: s[0] < 3.0, lambda s: (s[0] + 1.0, s[1] * x), (0.0, x))[1]

    report = check_gradient(powers, point=jnp.float32(1.5))
    assert {row.by for row in report} == {"forward"}
    assert "only forward mode is checked: JAX says" in str(report)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_precisions(dtype: str) -> None:
    check_gradient(jnp.tanh, point=X.astype(dtype))
    with pytest.raises(WrongGradientError):
        check_gradient(with_vjp(jnp.tanh, lambda inputs, y, g: (2 * (1 - y * y) * g,)), point=X.astype(dtype))


def test_double_precision() -> None:
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        x = jnp.array([0.5, 2.0])
        assert x.dtype == "float64"
        assert check_gradient(jnp.tanh, point=x).passed
        with pytest.raises(WrongGradientError):
            check_gradient(with_vjp(jnp.tanh, lambda inputs, y, g: ((1 + 1e-6) * (1 - y * y) * g,)), point=x)


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Layer:
    """As libraries on JAX make their models: arrays, and options that are none."""

    weight: Any
    bias: Any
    name: str = dataclasses.field(default="layer", metadata={"static": True})

    def __call__(self, x: Any) -> Any:
        return jnp.tanh(self.weight @ x + self.bias)


def test_registered_classes_are_opened() -> None:
    def f(layer: Layer, x: Any) -> Any:
        return Layer(layer(x), layer.bias * 2.0, layer.name)

    report = check_gradient(f, point=(Layer(M, X[:2]), Y[:2]))
    assert report.passed
    assert "x0['weight'][0, 1]" in {row.name for row in report}
    with pytest.raises(WrongGradientError):
        check_gradient(lambda layer: Layer(jax.lax.stop_gradient(layer.bias), layer.weight), point=Layer(M, X[:2]))


def test_a_model_of_a_registered_class_is_checked_by_its_arrays() -> None:
    report = check_gradient(Layer(M, X[:2]), point=Y[:2])
    assert report.passed
    assert {row.name.partition("[")[0] for row in report} == {"x", "weight", "bias"}


def test_integers_and_options_are_left_alone() -> None:
    report = check_gradient(
        lambda x, index, axis, keep: x[index].sum(axis=axis, keepdims=keep),
        point=(M, jnp.array([1, 1]), 0),
        keywords={"keep": True},
    )
    assert report.passed
    assert {row.name[:2] for row in report} == {"x0"}
    with pytest.raises(TypeError, match=r"it has none: convert it \(such as x\.astype\(float\)\), or give df"):
        check_gradient(lambda i: i * 2.0, point=jnp.array([1, 2]))


def test_results_that_are_integers_are_left_alone() -> None:
    assert check_gradient(lambda x: (x.max(), x.argmax(), {"places": [x.argmin(), None]}), point=X).passed


def test_results_without_history_are_named() -> None:
    import numpy as np

    constant = np.float32(3.0)
    with pytest.raises(ValueError, match="stop_gradient"):
        check_gradient(lambda x: float(constant), point=X)


def test_an_error_says_which_call_it_was() -> None:
    def broken(inputs: Any, y: Any, g: Any) -> Any:
        raise KeyError("no such thing")

    with pytest.raises(KeyError, match="no such thing") as caught:
        check_gradient(with_vjp(lambda x: x * x, broken), point=X)
    assert any("jax.vjp" in note for note in caught.value.__notes__)


def test_gradients_that_are_given_come_from_jax_too() -> None:
    assert check_gradient(lambda x: (x**3).sum(), jax.grad(lambda x: (x**3).sum()), X).passed
    assert check_gradient(jnp.sin, jax.jacfwd(jnp.sin), X).passed
    with pytest.raises(WrongGradientError):
        check_gradient(jnp.sin, jax.jacfwd(jnp.cos), X)


@pytest.mark.parametrize("f", [lambda x: np.sin(x).sum(), lambda x: float(x.sum()) * x, lambda x: x[np.asarray(x) > 0]])
def test_what_jax_cannot_follow(f: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"JAX cannot follow f, .*: compute all of f with jax.numpy, or give df"):
        check_gradient(f, point=X)


def test_value_and_grad_in_place_of_the_gradient() -> None:
    def f(x: Any) -> Any:
        return (x**2).sum()

    assert check_gradient(f, jax.grad(f), X).passed
    with pytest.raises(ValueError, match="as of value_and_grad: give df the second part alone"):
        check_gradient(f, jax.value_and_grad(f), X)


def test_a_slow_function_that_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(any_gradient, "SLOW", 0.0)
    assert any("jax.jit(f) is much faster" in note for note in check_gradient(lambda x: x.sum(), point=X).notes)
    assert check_gradient(jax.jit(lambda x: x.sum()), point=X).notes == []
