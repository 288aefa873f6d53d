"""Do `expressions` and `mlps` run on other engines, and is what is wrong there found, and nothing else?"""

import math
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings, strategies as st
from hypothesis.errors import NoSuchExample
from micrograd.engine import Value as Micrograd

import autograd
from autograd import Value
from autograd.operations import operations
from autograd.testing import other_engine
from autograd.testing.errors import GradcheckError, WrongGradientError, WrongValueError
from autograd.testing.graphs.expression import Expression, Instruction, spelled_out
from autograd.testing.graphs.strategies import expressions
from autograd.testing.other_engines import OtherEngine
from nn.testing import mlps
from tests.autograd.testing import my_engines

Rule = tuple[Callable[[Any, Any], Any], Callable[[Any, Any, Any], Any]]
"""A value and a derivative, over the functions `m` of a library, of x and the value y."""

RIGHT: dict[str, Rule] = {
    "tanh": (lambda m, x: m.tanh(x), lambda m, x, y: 1.0 - y * y),
    "exp": (lambda m, x: m.exp(x), lambda m, x, y: y),
    "log": (lambda m, x: m.log(x), lambda m, x, y: 1.0 / x),
    "sin": (lambda m, x: m.sin(x), lambda m, x, y: m.cos(x)),
    "cos": (lambda m, x: m.cos(x), lambda m, x, y: -m.sin(x)),
    "sqrt": (lambda m, x: m.sqrt(x), lambda m, x, y: 0.5 / y),
    "sigmoid": (lambda m, x: 1.0 / (1.0 + m.exp(-x)), lambda m, x, y: y * (1.0 - y)),
    "relu": (lambda m, x: x * (x > 0.0), lambda m, x, y: 1.0 * (x > 0.0)),
    "silu": (lambda m, x: x / (1.0 + m.exp(-x)), lambda m, x, y: y / x + y * (1.0 - y / x) if x else 0.5),
    "atan": (lambda m, x: m.atan(x), lambda m, x, y: 1.0 / (1.0 + x * x)),
}
WRONG: dict[str, Callable[[Any, Any, Any], Any]] = {
    "tanh: y in place of y * y": lambda m, x, y: 1.0 - y,
    "tanh: one thousandth off": lambda m, x, y: 1.001 * (1.0 - y * y),
    "exp: of the sign": lambda m, x, y: -y,
    "exp: of x in place of y": lambda m, x, y: x,
    "log: squared": lambda m, x, y: 1.0 / (x * x),
    "sin: the value": lambda m, x, y: y,
    "cos: the sign": lambda m, x, y: m.sin(x),
    "sqrt: no half": lambda m, x, y: 1.0 / y,
    "sigmoid: a factor": lambda m, x, y: 1.0 - y,
    "relu: 1 everywhere": lambda m, x, y: 1.0 + 0.0 * x,
    "silu: the sigmoid alone": lambda m, x, y: 1.0 / (1.0 + m.exp(-x)),
    "atan: a root too much": lambda m, x, y: 1.0 / m.sqrt(1.0 + x * x),
    "tanh: wrong for negative numbers": lambda m, x, y: (1.0 - y * y) * (1.0 - 2.0 * (x < 0.0)),
    "exp: wrong above 2": lambda m, x, y: y * (1.0 - 0.1 * (x > 2.0)),
}


def rules_with(label: str) -> dict[str, Rule]:
    """The right rules with one wrong derivative."""
    name = label.split(":")[0]
    return RIGHT | {name: (RIGHT[name][0], WRONG[label])}


def student(rules: dict[str, Rule], base: type = my_engines.Right) -> type:
    """A class with these rules as methods."""

    def method(value: Any, derivative: Any) -> Any:
        def of(self: Any) -> Any:
            y = value(math, self.data)
            return type(self)(y, (self,), (derivative(math, self.data, y),))

        return of

    return type("Student", (base,), {name: method(*rule) for name, rule in rules.items()})


def failure(strategy: Any, engine: OtherEngine, examples: int = 2000, shrunk: bool = False) -> Any:
    """An expression that the engine gets wrong, or None; the smallest one if `shrunk`, which takes seconds.

    It is mostly among the first 50. But Hypothesis draws from the constants of all modules that are loaded, too, so
    that no one knows how many there are before it.
    """

    def is_wrong(f: Expression) -> bool:
        try:
            engine.check(f)
        except GradcheckError:
            return True
        return False

    phases = [Phase.generate, Phase.shrink] if shrunk else [Phase.generate]
    chosen = settings(max_examples=examples, database=None, phases=phases, suppress_health_check=list(HealthCheck))
    try:
        return find(strategy, is_wrong, settings=chosen, random=random.Random(1))
    except NoSuchExample:
        return None


def passes(engine: OtherEngine, examples: int = 20, **options: Any) -> None:
    """Random expressions are right on the engine."""

    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @seed(1)
    @given(expressions(engine=engine, **options))
    def every_expression(f: Any) -> None:
        engine.check(f)

    every_expression()


# Classes


@pytest.mark.parametrize("cls", [Micrograd, Value, student(RIGHT), my_engines.Stale])
def test_a_right_class_is_never_wrong(cls: Any) -> None:
    passes(other_engine(cls))


@pytest.mark.slow
@pytest.mark.parametrize("cls", [Micrograd, Value, student(RIGHT)])
def test_a_right_class_is_never_wrong_in_many_expressions(cls: Any) -> None:
    passes(other_engine(cls), examples=2000)


QUICK = [label for label in WRONG if label.startswith(("tanh", "relu", "silu"))]


@pytest.mark.parametrize(
    "label", [pytest.param(label, marks=() if label in QUICK else pytest.mark.slow) for label in WRONG]
)
def test_a_wrong_rule_is_found(label: str) -> None:
    engine = other_engine(student(rules_with(label)))
    found = failure(expressions(max_nodes=6, engine=engine), engine)
    assert label.split(":")[0] in found.operations


@pytest.mark.slow
@pytest.mark.parametrize("label", WRONG)
def test_a_wrong_rule_shrinks_to_few_operations(label: str) -> None:
    engine = other_engine(student(rules_with(label)))
    assert len(failure(expressions(max_nodes=6, engine=engine), engine, shrunk=True)) <= 2


@pytest.mark.parametrize(
    "base",
    [
        my_engines.Overwrites,
        my_engines.NoOrder,
        my_engines.ForgetsUpstream,
        my_engines.HalfGradients,
        my_engines.WrongConstants,
        my_engines.Swapped,
        my_engines.EqualByData,
    ],
)
def test_a_wrong_chain_rule_is_found(base: type) -> None:
    engine = other_engine(base)
    found = failure(expressions(max_nodes=3, engine=engine), engine, shrunk=True)
    assert found is not None
    assert len(found) <= 3


class LosesAtZero(my_engines.Right):
    """A product with 0 has no gradient at all."""

    def __mul__(self, other: Any) -> Any:
        made = super().__mul__(other)
        return made if made.data else type(self)(0.0)


def test_a_gradient_that_is_lost_where_a_factor_is_0_is_found() -> None:
    engine = other_engine(LosesAtZero)
    assert len(failure(expressions(max_nodes=4, engine=engine), engine, shrunk=True)) <= 2


def test_only_what_a_class_offers_is_drawn() -> None:
    engine = other_engine(Micrograd)
    assert engine.operations == ("add", "sub", "mul", "div", "neg", "pow", "relu")
    pow_of = lambda *operands: Instruction(operations["pow"], operands)  # noqa: E731
    assert engine.offers(pow_of("x0", 2.0))
    assert not engine.offers(pow_of("x0", "x1"))
    assert not engine.offers(pow_of(2.0, "x0"))
    assert other_engine(my_engines.NoReflectedAddition).offers(Instruction(operations["add"], ("x0", 1.0)))
    assert not other_engine(my_engines.NoReflectedAddition).offers(Instruction(operations["add"], (1.0, "x0")))


def test_an_operation_that_has_to_be_there_is_asked_for_by_name() -> None:
    with pytest.raises(ValueError, match=r"Value does not offer the operation tanh; choose among add, sub, mul"):
        expressions(operations=["add", "tanh"], engine=other_engine(Micrograd))
    products = other_engine(my_engines.FloatProducts)
    with pytest.raises(ValueError, match=r"FloatProducts does not offer the operation mul: TypeError"):
        expressions(operations=["mul"], engine=products)


class WithGelu(my_engines.Right):
    def gelu(self) -> Any:
        x = self.data
        inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)
        t = math.tanh(inner)
        slope = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * x * x)
        return type(self)(0.5 * x * (1.0 + t), (self,), (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope,))


def test_a_name_with_two_meanings_is_the_one_that_it_computes() -> None:
    assert "gelu_tanh" in other_engine(WithGelu).operations
    assert "gelu" not in other_engine(WithGelu).operations
    passes(other_engine(WithGelu), operations=["gelu_tanh", "mul"])


# What is said


class Off(Micrograd):
    """Relu is off by one thousandth."""

    def relu(self) -> Any:
        return super().relu() * 1.001


class OffBackwards(Micrograd):
    """So is its derivative alone."""

    def relu(self) -> Any:
        out = Micrograd.relu(self)

        def backward() -> None:
            self.grad += (out.data > 0) * out.grad * 1.001

        out._backward = backward
        return out


F = Expression((2.0,), (Instruction(operations["relu"], ("x0",)), Instruction(operations["mul"], ("t0", "x0"))))


def test_a_wrong_value_is_told_with_their_code() -> None:
    with pytest.raises(WrongValueError) as caught:
        other_engine(Off).check(F)
    text = str(caught.value)
    assert text.startswith(f"{__name__}.Off: the value is wrong\n    from {__name__} import Off\n    x0 = Off(2.0)\n")
    assert "    t0 = x0.relu()\n    y = t0 * x0\n    y.backward()\n  theirs 4.00" in text
    assert "right 4.0 +- " in text


def test_a_wrong_gradient_is_told_with_what_differences_say() -> None:
    with pytest.raises(WrongGradientError) as caught:
        other_engine(OffBackwards).check(F)
    text = str(caught.value)
    assert "OffBackwards: the derivative by x0 is wrong\n" in text
    assert "\n  d y/d x0  (wrong)\n    theirs   4.002\n    numeric  4 +- " in text


def test_what_their_code_raises_has_a_note_with_the_code() -> None:
    with pytest.raises(ValueError, match=r"math domain error") as caught:
        other_engine(student(RIGHT)).check(Expression((-1.0,), (Instruction(operations["log"], ("x0",)),)))
    assert "Student raised it in\n    x0 = Student(-1.0)\n    y = x0.log()" in caught.value.__notes__[0]


def test_a_failing_test_prints_their_code() -> None:
    engine = other_engine(OffBackwards)

    @settings(max_examples=100, database=None, phases=[Phase.generate, Phase.shrink])
    @seed(1)
    @given(expressions(max_nodes=3, operations=["relu"], engine=engine))
    def fails(f: Any) -> None:
        engine.check(f)

    with pytest.raises(WrongGradientError) as caught:
        fails()
    assert "    f=\n        x0 = OffBackwards(1.0)\n        y = x0.relu()," in "\n".join(caught.value.__notes__)


def test_the_program_computes_what_the_engine_is_asked_for() -> None:
    engine = other_engine(Micrograd)
    for f in drawn(expressions(engine=engine), 20):
        names: dict[str, Any] = {}
        exec("\n".join(engine.adapter.program(f)), names)
        value, gradients = engine.value_and_gradients(f, f.inputs)
        assert names["y"].data == value
        assert [names[name].grad for name in f.names] == gradients


def drawn(strategy: Any, count: int) -> list[Any]:
    found: list[Any] = []

    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @seed(2)
    @given(strategy)
    def collect(x: Any) -> None:
        found.append(x)

    collect()
    return found


# Dot products and models


@settings(max_examples=100)
@given(expressions(operations=["dot", "sum", "mean", "prod", "tanh", "sub"], smooth=True))
def test_what_is_spelled_out_computes_the_same_with_two_operands(f: Expression) -> None:
    g = spelled_out(f)
    assert not {"dot", "sum", "mean", "prod"} & set(g.operations)
    xs = [Value(x) for x in f.inputs]
    ys = [Value(x) for x in f.inputs]
    first, second = f(*xs), g(*ys)
    assert second.data == pytest.approx(first.data, rel=1e-12, abs=1e-12)
    first.backward()
    second.backward()
    assert [y.grad for y in ys] == pytest.approx([x.grad for x in xs], rel=1e-12, abs=1e-12)


@settings(max_examples=10)
@given(st.data())
def test_models_run_on_micrograd(data: st.DataObject) -> None:
    engine = other_engine(Micrograd)
    f = data.draw(mlps(2, 2, 2, engine=engine))
    engine.check(f)
    leaves = [Micrograd(x) for x in f.inputs]
    assert f(*leaves).data == pytest.approx(f(*f.inputs), rel=1e-12, abs=1e-12)


def test_a_fault_is_found_by_models_and_shrinks_to_one_neuron() -> None:
    engine = other_engine(student(rules_with("tanh: one thousandth off")))
    found = failure(mlps(2, 1, 2, engine=engine), engine, examples=100, shrunk=True)
    assert "tanh" in found.operations
    assert len(found) <= 6  # two layers, tanh between them


# An object of one's own


class Tape:
    """An engine that has no class for people: numbers are places on a tape."""

    name = "tape"

    def leaf(self, x: float) -> Any:
        return my_engines.Right(x)

    def gradients(self, y: Any, leaves: Any) -> Any:
        y.backward()
        return [leaf.grad for leaf in leaves]

    def number(self, y: Any) -> float:
        return float(y.data)


def test_an_object_of_ones_own_is_an_engine() -> None:
    def cube(x: Any) -> Any:
        return x * x * x

    passes(other_engine(Tape()))
    engine = other_engine(Tape(), functions={"cbrt": cube})  # which is something else
    with pytest.raises(
        WrongValueError, match=r"x0 = tape.leaf\(0.5\)\n    y = cbrt\(x0\)\n    tape.gradients\(y, \[x0\]\)"
    ):
        engine.check(Expression((0.5,), (Instruction(operations["cbrt"], ("x0",)),)))


class WithoutGrad:
    def __init__(self, data: float) -> None:
        self.data = data


def test_other_engines_are_refused_with_a_sentence() -> None:
    for of, sentence in [
        (
            3,
            r"other_engine takes a class such as .* or an object with leaf\(x\) and gradients\(y, leaves\); got 3 ",
        ),
        (my_engines.NeedsTwo, r"a class that is made from one number; .*NeedsTwo\(2.0\) raised"),
        (my_engines.NoData, "NoData.2.0. has no 'data'"),
        (WithoutGrad, "has no 'grad': pass an object with leaf"),
    ]:
        with pytest.raises(TypeError, match=sentence):
            other_engine(of)
    with pytest.raises(TypeError, match=r"a dtype for torch and jax alone; got 'float32'"):
        other_engine(Micrograd, "float32")
    with pytest.raises(ValueError, match=r"functions by the names of operations of one or two numbers.*got 'tanhh'"):
        other_engine(Micrograd, functions={"tanhh": abs})
    for strategy in expressions, mlps:
        with pytest.raises(TypeError, match=r"takes an engine that other_engine made; got .*: pass engine="):
            strategy(engine=Micrograd)


# PyTorch and JAX


def torch_function(torch: Any, rule: Rule) -> Any:
    """An operation of one's own."""
    value, derivative = rule

    class Own(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = value(torch, x)
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx: Any, upstream: Any) -> Any:
            x, y = ctx.saved_tensors
            return upstream * derivative(torch, x, y)

    return Own.apply


def jax_function(jax: Any, rule: Rule) -> Any:
    """The same for JAX."""
    value, derivative = rule
    names = {**vars(jax.numpy), "atan": jax.numpy.arctan}
    m = SimpleNamespace(**names)

    def own(x: Any) -> Any:
        return value(m, x)

    def forward(x: Any) -> Any:
        y = value(m, x)
        return y, (x, y)

    def backward(kept: Any, upstream: Any) -> Any:
        return (upstream * derivative(m, *kept),)

    function = jax.custom_vjp(own)
    function.defvjp(forward, backward)
    return function


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_pytorch_is_right(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    engine = other_engine(torch, getattr(torch, dtype))
    assert engine.unit == {"float64": 2.0**-53, "float32": 2.0**-24}[dtype]
    assert {"tanh", "gelu", "gelu_tanh", "softplus", "erf", "maximum", "leaky_relu", "atan2"} < set(engine.operations)
    passes(engine, examples=200)
    f = Expression((1.0,), (Instruction(operations["gelu_tanh"], ("x0",)),))
    assert repr(engine.expression(f)) == (
        f"x0 = torch.tensor(1.0, dtype=torch.{dtype}, requires_grad=True)\n"
        f"y = torch.nn.functional.gelu(x0, approximate='tanh')"
    )


def test_jax_is_right() -> None:
    jax = pytest.importorskip("jax")
    engine = other_engine(jax)
    assert engine.unit == (2.0**-53 if jax.config.jax_enable_x64 else 2.0**-24)
    assert {"tanh", "gelu", "gelu_tanh", "softplus", "erf", "maximum", "leaky_relu", "cbrt"} < set(engine.operations)
    passes(engine, examples=20, operations=["add", "mul", "tanh", "gelu", "softplus", "pow"])
    f = Expression((1.0,), (Instruction(operations["gelu"], ("x0",)),))
    lines = engine.adapter.program(engine.expression(f))
    assert lines[-2:] == ["    return jax.nn.gelu(x0, approximate=False)", "jax.grad(f, argnums=(0,))(x0)"]
    exec("\n".join(lines), {})


@pytest.mark.slow
@pytest.mark.parametrize("label", WRONG)
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_a_wrong_function_of_ones_own_is_found(library: str, label: str) -> None:
    module = pytest.importorskip(library)
    make = torch_function if library == "torch" else jax_function
    name = label.split(":")[0]
    right = other_engine(module, functions={name: make(module, (RIGHT[name][0], simple(name)))})
    passes(right, examples=10, operations=[name, "add", "mul"])
    engine = other_engine(module, functions={name: make(module, rules_with(label)[name])})
    assert name in failure(expressions(max_nodes=4, operations=[name, "add", "mul"], engine=engine), engine).operations


def simple(name: str) -> Any:
    """The right derivative, without a branch of Python's."""
    if name == "silu":
        return lambda m, x, y: (1.0 + x / (1.0 + m.exp(x))) / (1.0 + m.exp(-x))
    return RIGHT[name][1]


@pytest.mark.slow
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_models_run_on_other_libraries(library: str) -> None:
    engine = other_engine(pytest.importorskip(library))

    @settings(max_examples=10, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @seed(1)
    @given(mlps(2, 2, 2, engine=engine))
    def every_model(f: Any) -> None:
        engine.check(f)

    every_model()


def test_nothing_is_imported_that_the_user_has_not_imported() -> None:
    import sys

    before = set(sys.modules)
    other_engine(Micrograd).check(F)
    assert {"torch", "jax"} & (set(sys.modules) - before) == set()
    assert autograd.__name__ in before
