"""Are functions and modules of PyTorch checked, the right ones confirmed, and each wrong backward pass found?"""

import dataclasses
import math
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from autograd.testing import InputChangedError, NotDeterministicError, WrongGradientError, check_gradient

torch = pytest.importorskip("torch")
functional = torch.nn.functional
torch.set_num_threads(1)  # on a busy machine its threads wait for each other longer than such small matrices take


def numbers(*shape: int, dtype: Any = torch.float64, seed: int = 0) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def custom(
    forward: Callable[..., Any], backward: Callable[..., Any], jvp: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """A torch.autograd.Function: `backward(ctx, inputs, output, *grads)` and `jvp(inputs, *tangents)`."""

    def forward_pass(ctx: Any, *inputs: Any) -> Any:
        output = forward(*inputs)
        outputs = output if isinstance(output, tuple) else (output,)
        tensors = [x for x in inputs if torch.is_tensor(x)]
        ctx.save_for_backward(*tensors, *outputs)
        ctx.save_for_forward(*tensors, *outputs)
        ctx.others = [None if torch.is_tensor(x) else x for x in inputs]
        return output

    def saved(ctx: Any) -> tuple[list[Any], Any]:
        tensors = iter(ctx.saved_tensors)
        inputs = [next(tensors) if other is None else other for other in ctx.others]
        outputs = tuple(tensors)
        return inputs, outputs[0] if len(outputs) == 1 else outputs

    methods = {
        "forward": staticmethod(forward_pass),
        "backward": staticmethod(lambda ctx, *grads: backward(ctx, *saved(ctx), *grads)),
    }
    if jvp is not None:
        methods["jvp"] = staticmethod(lambda ctx, *tangents: jvp(saved(ctx)[0], *tangents))
    return type("Custom", (torch.autograd.Function,), methods).apply


def square(backward: Callable[..., Any], jvp: Callable[..., Any] | None = None) -> Callable[..., Any]:
    return custom(lambda x: x * x, lambda ctx, inputs, y, g: backward(inputs[0], g), jvp)


def matmul(backward: Callable[..., Any]) -> Callable[..., Any]:
    return custom(lambda x, w: x @ w, lambda ctx, inputs, y, g: backward(*inputs, g))


def added(backward: Callable[..., Any]) -> Callable[..., Any]:
    return custom(lambda x, b: x + b, lambda ctx, inputs, y, g: backward(g))


def product(backward: Callable[..., Any]) -> Callable[..., Any]:
    return custom(lambda a, b: a * b, lambda ctx, inputs, y, g: backward(ctx, *inputs, g))


def unary(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    return custom(forward, lambda ctx, inputs, y, g: backward(inputs[0], y, g))


def only_needed(ctx: Any, a: Any, b: Any, g: Any) -> Any:
    """Right as long as both are needed."""
    return tuple(
        [b * g for _ in [0] if ctx.needs_input_grad[0]] + [a * g for _ in [0] if ctx.needs_input_grad[1]] + [None]
    )[:2]


def side_by_side(g: Any) -> Any:
    """What a kernel reads that believes in contiguous memory."""
    return torch.as_strided(g, g.shape, torch.empty(g.shape).stride())


def normalised(x: Any) -> Any:
    return (x - x.mean()) / x.std(correction=0)


X, Y, M, W = numbers(4), numbers(4, seed=1), numbers(3, 3, seed=2), numbers(3, 3, seed=3)
INDEX = torch.tensor([0, 2, 2, 1])

PAIRS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {  # right, wrong, and the point
    "factor": (square(lambda x, g: 2 * x * g), square(lambda x, g: x * g), X),
    "one percent": (
        unary(torch.tanh, lambda x, y, g: (1 - y * y) * g),
        unary(torch.tanh, lambda x, y, g: 1.01 * (1 - y * y) * g),
        X,
    ),
    "sign": (unary(torch.cos, lambda x, y, g: -x.sin() * g), unary(torch.cos, lambda x, y, g: x.sin() * g), X),
    "broadcast mean": (added(lambda g: (g, g.sum(0))), added(lambda g: (g, g.mean(0))), (M, X[:3])),
    "broadcast axis": (added(lambda g: (g, g.sum(0))), added(lambda g: (g, g.sum(1))), (M, X[:3])),
    "transposed": (matmul(lambda x, w, g: (g @ w.T, x.T @ g)), matmul(lambda x, w, g: (g @ w, x.T @ g)), (M, W)),
    "swapped": (product(lambda ctx, a, b, g: (b * g, a * g)), product(lambda ctx, a, b, g: (a * g, b * g)), (X, Y)),
    "needs_input_grad": (
        product(lambda ctx, a, b, g: (b * g if ctx.needs_input_grad[0] else None, a * g)),
        product(only_needed),
        (X, Y),
    ),
    "forward mode's sign": (
        square(lambda x, g: 2 * x * g, lambda inputs, t: 2 * inputs[0] * t),
        square(lambda x, g: 2 * x * g, lambda inputs, t: -2 * inputs[0] * t),
        X,
    ),
    "not contiguous": (square(lambda x, g: 2 * x * g), square(lambda x, g: 2 * x * side_by_side(g)), X),
    "not contiguous, two axes": (square(lambda x, g: 2 * x * g), square(lambda x, g: 2 * x * side_by_side(g)), M.T),
    "grad_output left out": (square(lambda x, g: 2 * x * g), square(lambda x, g: 2 * x), M),
    "softmax": (
        unary(lambda x: x.softmax(0), lambda x, y, g: y * (g - (y * g).sum())),
        unary(lambda x: x.softmax(0), lambda x, y, g: y * g),
        X,
    ),
    "sigmoid": (
        unary(torch.sigmoid, lambda x, y, g: y * (1 - y) * g),
        unary(torch.sigmoid, lambda x, y, g: x * (1 - x) * g),
        X,
    ),
    "layer norm": (
        unary(normalised, lambda x, y, g: (g - g.mean() - y * (g * y).mean()) / x.std(correction=0)),
        unary(normalised, lambda x, y, g: (g - g.mean()) / x.std(correction=0)),
        X,
    ),
    "clamp": (
        unary(lambda x: x.clamp(-0.5, 0.5), lambda x, y, g: g * (x.abs() < 0.5)),
        unary(lambda x: x.clamp(-0.5, 0.5), lambda x, y, g: g),
        X,
    ),
    "gather": (
        custom(
            lambda x, i: x[i],
            lambda ctx, inputs, y, g: (torch.zeros(4, dtype=g.dtype).index_add(0, inputs[1], g), None),
        ),
        custom(
            lambda x, i: x[i],
            lambda ctx, inputs, y, g: (torch.zeros(4, dtype=g.dtype).index_copy(0, inputs[1], g), None),
        ),
        (X, INDEX),
    ),
    "cumsum": (
        unary(lambda x: x.cumsum(0), lambda x, y, g: g.flip(0).cumsum(0).flip(0)),
        unary(lambda x: x.cumsum(0), lambda x, y, g: g.cumsum(0)),
        X,
    ),
    "norm": (
        unary(torch.linalg.norm, lambda x, y, g: x / y * g),
        unary(torch.linalg.norm, lambda x, y, g: 2 * x * g),
        X,
    ),
    "logsumexp": (
        unary(lambda x: x.logsumexp(0), lambda x, y, g: x.softmax(0) * g),
        unary(lambda x: x.logsumexp(0), lambda x, y, g: x.softmax(0) * g - g / 4),
        X,
    ),
    "inverse": (
        unary(torch.linalg.inv, lambda x, y, g: -y.T @ g @ y.T),
        unary(torch.linalg.inv, lambda x, y, g: -y @ g @ y),
        M,
    ),
    "convolution": (
        unary(
            lambda x: functional.conv1d(x[None], X[None, None, :2])[0],
            lambda x, y, g: functional.conv_transpose1d(g[None], X[None, None, :2])[0],
        ),
        unary(
            lambda x: functional.conv1d(x[None], X[None, None, :2])[0],
            lambda x, y, g: functional.conv_transpose1d(g[None], X[None, None, :2].flip(-1))[0],
        ),
        M[:1],
    ),
    "second of two results": (
        custom(lambda x: (x.sin(), x.cos()), lambda ctx, inputs, y, g, h: y[1] * g - y[0] * h),
        custom(lambda x: (x.sin(), x.cos()), lambda ctx, inputs, y, g, h: y[1] * g),
        X,
    ),
    "option": (
        custom(lambda x, a: a * x.exp(), lambda ctx, inputs, y, g: (y * g, None)),
        custom(lambda x, a: a * x.exp(), lambda ctx, inputs, y, g: (inputs[0].exp() * g, None)),
        (X, 3.0),
    ),
    "detach": (lambda x: x * x, lambda x: x * x.detach(), X),
    "constant of the graph": (lambda x: x / x.norm(), lambda x: x / x.norm().item(), X),
    "no_grad": (lambda x: x * x.exp(), lambda x: x * torch.no_grad()(torch.exp)(x), X),
    "data": (lambda x, y: (x - y).square().sum(), lambda x, y: (x - y.data).square().sum(), (X, Y)),
    "one of a dict": (
        lambda p: {"loss": p["w"] @ p["x"], "size": p["w"].norm()},
        lambda p: {"loss": p["w"] @ p["x"], "size": p["w"].detach().norm()},
        {"w": X, "x": Y},
    ),
    "straight through": (lambda x: x.sin(), lambda x: x + (x.sin() - x).detach(), X),
    "nan at a branch not taken": (
        lambda x: torch.where(x > 0, x.clamp(min=0.01).sqrt(), 0.0),
        lambda x: torch.where(x > 0, x.sqrt(), 0.0),
        torch.tensor([1.0, -1.0], dtype=torch.float64),
    ),
}


def hooked(x: Any) -> Any:
    y = x * x
    y.register_hook(lambda g: 2 * g)
    return y.sum()


PAIRS["hook"] = (lambda x: (x * x).sum(), hooked, X.clone().requires_grad_())


@pytest.mark.parametrize("name", PAIRS)
def test_the_right_ones_pass(name: str) -> None:
    right, _, point = PAIRS[name]
    report = check_gradient(right, point=point)
    assert report.passed
    assert not report.inconclusive


@pytest.mark.parametrize("name", PAIRS)
def test_the_wrong_ones_are_found(name: str) -> None:
    _, wrong, point = PAIRS[name]
    with pytest.raises(WrongGradientError):
        check_gradient(wrong, point=point)


def test_the_wrong_pass_is_named() -> None:
    for name, by in ("needs_input_grad", "alone"), ("forward mode's sign", "forward"), ("not contiguous", "strided"):
        with pytest.raises(WrongGradientError) as caught:
            check_gradient(PAIRS[name][1], point=PAIRS[name][2])
        assert {row.by for row in caught.value.report.wrong} == {by}


def test_what_is_not_checked_is_said() -> None:
    right, _, point = PAIRS["factor"]
    assert "only backward mode is checked" in str(check_gradient(right, point=point))
    assert "only torch tensors are differentiated" in str(check_gradient(torch.mul, point=(X, 2.0)))


# Tensors of all kinds


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_precisions(dtype: Any) -> None:
    x = numbers(3, dtype=dtype)
    check_gradient(torch.tanh, point=x)
    with pytest.raises(WrongGradientError):
        check_gradient(unary(torch.tanh, lambda x, y, g: 2 * (1 - y * y) * g), point=x)


@pytest.mark.parametrize(
    "x",
    [
        numbers(3, 4).T,
        numbers(3, 4)[:, ::2],
        numbers(1, 3).expand(2, 3),
        numbers(),
        numbers(2, 2).requires_grad_(),
        torch.nn.Parameter(numbers(2)),
        numbers(4, 4)[1:3, 1:3].t(),
    ],
)
def test_tensors_of_any_layout(x: Any) -> None:
    before = x.detach().clone(), x.requires_grad, x.grad
    report = check_gradient(lambda x: (x.exp() * x).reshape(-1), point=x)
    assert len(report) == 2 * x.numel() ** 2
    assert (before[0] == x.detach()).all()
    assert (x.requires_grad, x.grad) == before[1:]


def test_integers_and_booleans_are_left_alone() -> None:
    report = check_gradient(
        lambda x, i, mask: (x[i] * mask).sum(), point=(X, INDEX, torch.tensor([True, False, True, True]))
    )
    assert {row.name for row in report} == {"x0[0]", "x0[1]", "x0[2]", "x0[3]"}
    with pytest.raises(TypeError, match="floating-point"):
        check_gradient(lambda i: i * 2.0, point=INDEX)


def test_where_some_tensors_require_a_gradient_the_others_are_left_alone() -> None:
    loss = custom(lambda x, y: ((x - y) ** 2).sum(), lambda ctx, inputs, y, g: (2 * (inputs[0] - inputs[1]) * g, None))
    report = check_gradient(loss, point=(X.clone().requires_grad_(), Y))
    assert {row.name[:2] for row in report} == {"x0"}
    assert "tensors that require no gradient are left alone" in str(report)


def test_an_unused_input_has_the_derivative_0() -> None:
    report = check_gradient(lambda x, y: x.sin(), point=(X[:1], Y[:1]))
    assert [row.derivative for row in report if row.name == "x1[0]"] == [0.0, 0.0]


def test_results_that_are_integers_have_the_derivative_0_and_none_is_left_out() -> None:
    for f in lambda x: x.max(0), lambda x: (x.sum(), x.argmax(), None), lambda x: {"y": [x[0].exp(), None]}:
        report = check_gradient(f, point=X)
        assert report.passed
        assert not report.notes
    attention = torch.nn.MultiheadAttention(2, 1).double()
    x = numbers(3, 2)
    assert check_gradient(attention, point=(x, x, x), keywords={"need_weights": False}).passed


@pytest.mark.parametrize("f", [torch.fft.fft, lambda x: (x.sum(), torch.fft.fft(x)), lambda x: [x.sum(), 1j]])
def test_complex_results_are_refused_beside_others_too(f: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="f must return real numbers, or arrays of them; got complex"):
        check_gradient(f, point=X)


def test_results_that_are_no_tensors_have_the_derivative_0() -> None:
    check_gradient(lambda x: (x.sum(), len(x), 2.0), point=X)
    pytest.importorskip("numpy")
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(lambda x: {"a": x.detach().numpy() ** 2, "b": x**2}, point=X)
    assert {row.of for row in caught.value.report.wrong} == {f"f['a'][{k}]" for k in range(4)}
    assert "1 of the 2 results require no gradient" in str(caught.value)


def test_checkpoints_are_checked() -> None:
    def f(x: Any) -> Any:
        return torch.utils.checkpoint.checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)

    assert check_gradient(f, point=X).passed


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (torch.amax, [1.0, 1.0, 1.0, 1.0]),  # a quarter each; central differences say a half
        (torch.relu, [0.0, -1.0, 2.0]),
        (torch.abs, [0.0, 1.0]),
        (lambda x: x.clamp(-1.0, 1.0), [-1.0, 0.5, 1.0]),
        (lambda x: x.sort().values, [1.0, 1.0, 0.5]),
        (torch.nn.functional.hardtanh, [1.0, 0.0]),
    ],
    ids=["ties", "relu", "abs", "clamp", "sort", "hardtanh"],
)
def test_kinks_are_right_as_pytorch_has_them(f: Callable[..., Any], x: list[float]) -> None:
    assert check_gradient(f, point=torch.tensor(x, dtype=torch.float64)).passed


def test_results_without_history_are_named() -> None:
    for f in lambda x: x.detach() * 2, lambda x: x.sum().item(), torch.no_grad()(torch.exp):
        with pytest.raises(ValueError, match=r"\.detach\(\), \.item\(\), \.numpy\(\) or torch\.no_grad\(\)"):
            check_gradient(f, point=X)


def test_it_works_where_gradients_are_switched_off() -> None:
    with torch.no_grad():
        check_gradient(torch.sin, point=X)
    with torch.inference_mode():
        check_gradient(torch.sin, point=X.clone())


def test_functions_that_differentiate_themselves() -> None:
    def force(x: Any) -> Any:
        x = x if x.requires_grad else x.detach().requires_grad_()
        return torch.autograd.grad((x**3).sum(), x, create_graph=True)[0]

    assert check_gradient(force, point=X).passed
    assert check_gradient(torch.func.grad(lambda x: (x**3).sum()), point=X).passed


# Errors of backward passes


def test_a_tensor_that_is_modified_in_place_is_reported_as_it_is() -> None:
    def f(x: Any) -> Any:
        y = x.exp()
        y.mul_(2)
        return y

    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        check_gradient(f, point=X)
    assert any("torch.autograd.grad" in note for note in caught.value.__notes__)


def test_a_backward_pass_that_fails_is_reported_as_it_is() -> None:
    def fails(x: Any, g: Any) -> Any:
        raise KeyError("no such thing")

    with pytest.raises(KeyError, match="no such thing") as caught:
        check_gradient(square(fails), point=X)
    assert any("torch.autograd.grad" in note for note in caught.value.__notes__)
    with pytest.raises(RuntimeError, match="view size") as caught:
        check_gradient(square(lambda x, g: 2 * x * g.view(-1).view(g.shape)), point=M)
    assert any("not contiguous" in note for note in caught.value.__notes__)
    with pytest.raises(RuntimeError, match="returned an incorrect number of gradients"):
        check_gradient(product(lambda ctx, a, b, g: a * g), point=(X, Y))


def test_a_backward_pass_that_changes_what_others_read() -> None:
    with pytest.raises(InputChangedError, match="grad_output"):
        check_gradient(square(lambda x, g: g.mul_(2 * x)), point=X)
    with pytest.raises(InputChangedError, match="an input of f"):
        check_gradient(square(lambda x, g: x.mul_(2) * g), point=X)


def test_a_backward_pass_that_cannot_run_twice() -> None:
    class Spoiling(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.slope = x.cos()
            return x.sin()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return ctx.slope.mul_(g)

    with pytest.raises(NotDeterministicError, match="retain_graph"):
        check_gradient(Spoiling.apply, point=X)
    with pytest.raises(NotDeterministicError, match="random"):
        check_gradient(square(lambda x, g: 2 * x * g * torch.rand(())), point=X)


# Modules


def state(model: Any) -> Any:
    return (
        {name: tensor.clone() for name, tensor in model.state_dict().items()},
        [(id(p), p.requires_grad, p.grad) for p in model.parameters()],
        [module.training for module in model.modules()],
    )


@pytest.fixture
def untouched() -> Iterator[Callable[[Any], Any]]:
    """Notes a model, and looks at the end whether it is as it was."""
    seen: list[tuple[Any, Any]] = []

    def watch(model: Any) -> Any:
        seen.append((model, state(model)))
        return model

    yield watch
    for model, (tensors, parameters, training) in seen:
        after = state(model)
        assert after[0].keys() == tensors.keys()
        assert all(torch.equal(after[0][name], tensors[name]) for name in tensors)
        assert after[1:] == (parameters, training)


def small(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()


def test_a_module_is_checked_by_its_inputs_and_its_parameters(untouched: Any) -> None:
    model = untouched(small())
    report = check_gradient(model, point=numbers(1, 2))
    assert report.passed
    names = list(dict.fromkeys(row.name.partition("[")[0] for row in report))
    assert names == ["x", "0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_module_of_single_precision(untouched: Any) -> None:
    assert check_gradient(untouched(small().float()), point=numbers(2, 2, dtype=torch.float32)).passed


def test_frozen_parameters_are_left_alone_and_shared_ones_count_once(untouched: Any) -> None:
    model = small()
    model[0].requires_grad_(False)
    model.append(torch.nn.Linear(1, 1).double())
    model.append(model[3])
    report = check_gradient(untouched(model), point=numbers(1, 2))
    names = list(dict.fromkeys(row.name.partition("[")[0] for row in report))
    assert names == ["x", "2.weight", "2.bias", "3.weight", "3.bias"]


def test_tied_weights_are_checked_together(untouched: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2)).double()
    model[2].weight = model[0].weight
    report = check_gradient(untouched(model), point=numbers(1, 2))
    assert report.passed
    assert not any(row.name.startswith("2.weight") for row in report)


def test_batch_norm_in_training_is_checked_and_its_buffers_are_left_as_they_were(untouched: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)).double()
    assert check_gradient(untouched(model), point=numbers(4, 2)).passed


def test_dropout_in_training_is_not_deterministic(untouched: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 50), torch.nn.Dropout())
    with pytest.raises(NotDeterministicError, match=r"model\.eval\(\)"):
        check_gradient(model, point=numbers(1, 2, dtype=torch.float32))
    assert check_gradient(untouched(model.eval()), point=numbers(1, 2, dtype=torch.float32)).passed


def test_a_module_of_integers_is_checked_by_its_parameters(untouched: Any) -> None:
    model = untouched(torch.nn.Sequential(torch.nn.Embedding(3, 2, sparse=True), torch.nn.Linear(2, 1)).double())
    report = check_gradient(model, point=torch.tensor([0, 2]))
    assert report.passed
    assert {row.name.partition("[")[0] for row in report} == {"0.weight", "1.weight", "1.bias"}


class Wrong(torch.nn.Module):  # type: ignore[misc]
    """A layer whose backward pass forgets its factor; and, if asked, raises or takes keywords."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(numbers(2))
        self.register_buffer("calls", torch.zeros(()))
        self.fails = fails

    def forward(self, x: Any, scale: Any = 1.0) -> Any:
        self.calls += 1
        if self.fails and self.calls.item() > 0 and x.requires_grad:
            raise RuntimeError("out of luck")
        return square(lambda x, g: x * g)(x * self.weight) * scale


def test_a_module_is_as_it_was_after_the_check_fails(untouched: Any) -> None:
    model = untouched(Wrong())
    with pytest.raises(WrongGradientError, match=r"d f\[0\]/d weight\[0\]"):
        check_gradient(model, point=numbers(2))
    with pytest.raises(WrongGradientError, match=r"d f\[0\]/d weight"):
        check_gradient(model, point=numbers(2), keywords={"scale": numbers()})
    with pytest.raises(RuntimeError, match="out of luck"):
        check_gradient(untouched(Wrong(fails=True)), point=numbers(2))


def test_a_module_may_have_a_keyword_with_the_name_of_a_parameter(untouched: Any) -> None:
    class Weighted(torch.nn.Linear):  # type: ignore[misc]
        def forward(self, x: Any, weight: Any) -> Any:
            return super().forward(x) * weight

    report = check_gradient(untouched(Weighted(2, 1).double()), point=numbers(1, 2), keywords={"weight": numbers()})
    assert report.passed
    names = list(dict.fromkeys(row.name.partition("[")[0] for row in report))
    assert names == ["x", "weight", "self.weight", "bias"]


@pytest.mark.parametrize(
    "model",
    [
        torch.nn.LSTMCell(1, 1),
        torch.nn.Conv1d(1, 1, 2),
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(1, 2)),
        torch.nn.MultiheadAttention(1, 1),
    ],
    ids=["recurrent", "convolution", "parametrized", "attention"],
)
def test_modules_that_keep_their_tensors_in_other_ways(model: Any, untouched: Any) -> None:
    x = numbers(2, 1, seed=4)
    points = {torch.nn.Conv1d: x.T, torch.nn.MultiheadAttention: (x, x, x)}
    assert check_gradient(untouched(model.double()), point=points.get(type(model), x)).passed


def test_scripted_modules_are_refused() -> None:
    class Scripted(torch.jit.ScriptModule):  # type: ignore[misc]
        pass

    with pytest.raises(TypeError, match="give it the module from which that was made"):
        check_gradient(Scripted(), point=X)


def test_gradients_that_are_given_come_from_torch_too() -> None:
    def f(x: Any) -> Any:
        return (x**3).sum()

    assert check_gradient(f, torch.func.grad(f), X).passed
    assert check_gradient(torch.sin, torch.func.jacrev(torch.sin), X).passed
    with pytest.raises(WrongGradientError):
        check_gradient(torch.sin, torch.func.jacrev(torch.cos), X)


def test_lazy_modules_are_to_be_called_before() -> None:
    with pytest.raises(ValueError, match="call the model once"):
        check_gradient(torch.nn.LazyLinear(2), point=numbers(1, 2))


def test_many_parameters() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(64, 100), torch.nn.Tanh(), torch.nn.Linear(100, 10)).double()
    assert check_gradient(model, point=numbers(2, 64)).passed
    with pytest.raises(WrongGradientError):
        check_gradient(torch.nn.Sequential(model, Scaled(10)), point=numbers(2, 64))


class Scaled(torch.nn.Module):  # type: ignore[misc]
    """Wrong in one entry of its parameter."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(numbers(size))

    def forward(self, x: Any) -> Any:
        def backward(ctx: Any, inputs: Any, y: Any, g: Any) -> Any:
            slope = (g * inputs[0]).sum(0)
            slope[3] *= 1.5
            return g * inputs[1], slope

        return custom(lambda x, w: x * w, backward)(x, self.weight)


def test_infinite_gradients_are_not_taken_for_equal() -> None:
    root = unary(torch.sqrt, lambda x, y, g: g / (2 * y))
    wrong = unary(torch.sqrt, lambda x, y, g: g * math.nan)
    assert check_gradient(root, point=numbers(2).abs()).passed
    with pytest.raises(WrongGradientError):
        check_gradient(wrong, point=numbers(2).abs())


# What stands in a point beside tensors


@dataclasses.dataclass
class Pair:
    first: Any
    second: Any


class Named(NamedTuple):
    first: Any
    second: Any


def test_tensors_in_dataclasses_are_checked() -> None:
    point = (Pair({"w": Pair(3, numbers(2))}, numbers(2, seed=1)), numbers(2, seed=2))
    report = check_gradient(lambda pair, x: Pair(pair.second * x, pair.first["w"].second.sin() * x), point=point)
    names = [f"x0.first['w'].second[{k}]" for k in (0, 1)] + [f"x0.second[{k}]" for k in (0, 1)] + ["x1[0]", "x1[1]"]
    assert list(dict.fromkeys(row.name for row in report)) == names
    assert {row.of for row in report} == {"f.first[0]", "f.first[1]", "f.second[0]", "f.second[1]"}
    with pytest.raises(WrongGradientError) as caught:
        check_gradient(lambda pair: pair.first.detach() * pair.second, point=Pair(numbers(1), numbers(1, seed=1)))
    assert {row.name for row in caught.value.report.wrong} == {"x.first[0]"}
    assert "point=Pair(first=torch.tensor([" in caught.value.report.reproduce


def test_parts_of_named_tuples_go_by_their_names() -> None:
    report = check_gradient(lambda pair: Named(*pair), point=(Named(numbers(1), numbers(1)),))
    assert {row.name for row in report} == {"x0.first[0]", "x0.second[0]"}
    assert {row.of for row in report} == {"f.first[0]", "f.second[0]"}


def test_an_object_that_hides_tensors_is_named() -> None:
    hidden = types.SimpleNamespace(w=[numbers(1)])
    report = check_gradient(lambda layer, x: layer.w[0] * x, point=(hidden, numbers(1)))
    assert report.notes == [
        "argument 0 (SimpleNamespace) is left alone, although it holds arrays: give those in a dict"
    ]
    report = check_gradient(lambda x, layer: layer.w[0] * x, point=numbers(1), keywords={"layer": hidden})
    assert report.notes == ["layer (SimpleNamespace) is left alone, although it holds arrays: give those in a dict"]


def add_an_entry(x: Any) -> Any:
    x["more"] = x["w"]
    return x["w"].sum()


def take_an_entry(x: Any) -> Any:
    return x.pop("w").sum()


def replace_an_entry(x: Any) -> Any:
    x["w"] = x["w"] * 2.0
    return x["w"].sum()


@pytest.mark.parametrize("f", [add_an_entry, take_an_entry, replace_an_entry])
def test_a_function_that_changes_a_dict_of_the_point(f: Callable[..., Any]) -> None:
    with pytest.raises(InputChangedError, match="let it change a copy, such as dict"):
        check_gradient(f, point={"w": numbers(2)})


# Forward mode is one for all threads


def test_two_checks_at_once() -> None:
    started = threading.Barrier(2, timeout=60.0)
    passes: list[set[str]] = []

    def check() -> None:
        started.wait()
        for _ in range(3):
            passes.append({row.by for row in check_gradient(torch.sin, point=numbers(3))})

    threads = [threading.Thread(target=check) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passes == [{"backward", "forward"}] * 6


def test_within_forward_mode_only_the_backward_pass_is_checked() -> None:
    with torch.autograd.forward_ad.dual_level():
        report = check_gradient(torch.sin, point=numbers(1))
    assert {row.by for row in report} == {"backward"}
    assert "only backward mode is checked: within forward mode of your own" in report.notes[0]


# Errors away from the point


@pytest.mark.parametrize(
    "error", [torch.linalg.LinAlgError("singular"), AssertionError(), RuntimeError("no convergence")], ids=repr
)
def test_what_f_raises_away_from_the_point_is_the_end_of_its_domain(error: Exception) -> None:
    def bounded(x: Any, width: float) -> Any:
        if (x.detach() - 1.0).abs().max() > width:
            raise error
        return (x**2).sum()

    x = torch.ones(2, dtype=torch.float64)
    assert {row.verdict for row in check_gradient(bounded, point=(x, 1e-3))} == {"right"}
    report = check_gradient(bounded, point=(x, 0.0))
    assert {row.verdict for row in report} == {"inconclusive"}
    assert any(
        note.startswith(f"f raised {type(error).__name__}") and " with x0[0] = " in note for note in report.notes
    )
    with pytest.raises(type(error)):
        check_gradient(bounded, point=(x, -1.0))  # at the point itself


def test_a_class_of_an_operation_in_place_of_its_apply() -> None:
    class Square(torch.autograd.Function):
        pass

    with pytest.raises(TypeError, match=r"takes a function; got the class Square: pass Square\.apply"):
        check_gradient(Square, point=numbers(1))


def test_an_empty_result() -> None:
    with pytest.raises(TypeError, match="which holds no number: return a number or an array"):
        check_gradient(lambda x: x[:0], point=numbers(2))


def test_both_passes_stand_in_one_row() -> None:
    report = check_gradient(lambda x: x**2, point=torch.tensor([0.5, 1.5], dtype=torch.float64)[:1])
    lines = str(report).splitlines()
    assert lines[:4] == [
        "check_gradient: 1 derivative, 1 right, backward and forward",
        "  d f[0]/d x[0]",
        "    backward 1",
        "    forward  1",
    ]
    assert len(lines) == 5
    wrong_forward = custom(lambda x: x**3, lambda ctx, inputs, y, g: g * 3 * inputs[0] ** 2, lambda inputs, t: t)
    with pytest.raises(WrongGradientError, match="1 of 1 derivative is not") as caught:
        check_gradient(wrong_forward, point=torch.tensor(2.0, dtype=torch.float64))
    assert [row.by for row in caught.value.report.wrong] == ["forward"]
