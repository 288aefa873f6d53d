"""Do the strategies draw what they promise, without rejecting any example, and do they shrink to something small?"""

import math
import pickle
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings, strategies as st
from hypothesis.errors import InvalidArgument

import autograd
from autograd import Value, rules as rule_table
from autograd.ieee754 import ieee
from autograd.operations import operations
from autograd.testing import Expression, expressions, mlps, points, values
from autograd.testing.graphs.strategies import LARGEST, RADIUS, SIDES, Instruction

FEW = settings(max_examples=100, deadline=None)


@autograd.operation
def cube(m: Any) -> Any:
    """One to be imported."""
    return lambda x: x * x * x, lambda out, x: 3.0 * x * x


root_of_a_positive = autograd.operation(math.sqrt, lambda out, x: 0.5 / out, name="root_of_a_positive")
own_abs = autograd.operation(abs, lambda out, x: math.copysign(1.0, x), name="own_abs")


def drawn(strategy: st.SearchStrategy[Any], count: int, seed: int = 0) -> list[Any]:
    """So many examples, the same each time, none of which was rejected."""
    examples: list[Any] = []

    def keep(example: Any) -> bool:
        examples.append(example)
        return False

    # No health check is suppressed: too much filtering would be an error.
    chosen = settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
    with pytest.raises(Exception, match="No examples found"):
        find(strategy, keep, settings=chosen, random=random.Random(seed))
    return examples


@pytest.fixture(scope="module")
def many() -> list[Expression]:
    return drawn(expressions(), 2000)


@pytest.fixture(scope="module")
def many_smooth() -> list[Expression]:
    return drawn(expressions(smooth=True), 500)


def users(f: Expression) -> Counter[Any]:
    return Counter(x for instruction in f.instructions for x in set(instruction.operands))


# What is drawn


def test_no_example_is_rejected(many: list[Expression]) -> None:
    assert len(many) == 2000


def test_nearly_all_operations_are_reached_in_2000_examples(
    many: list[Expression], many_smooth: list[Expression]
) -> None:
    for examples in many, many_smooth:
        counts = Counter(name for f in examples for name in f.operations)
        assert len(counts) >= len(operations) - 2


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("name", operations)
def test_every_operation_is_reached_among_a_few(name: str, smooth: bool) -> None:
    few = [name, "add" if name != "add" else "mul", "sub" if name != "sub" else "mul"]
    counts = Counter(n for f in drawn(expressions(operations=few, smooth=smooth), 25) for n in f.operations)
    assert counts[name] > 0


def test_results_are_shared_operands_repeated_and_constants_used(many: list[Expression]) -> None:
    shared = sum(any(users(f)[f"t{k}"] > 1 for k in range(len(f))) for f in many)
    repeated = sum(any(len(set(i.operands)) < len(i.operands) for i in f.instructions) for f in many)
    constant = sum(any(isinstance(x, float) for i in f.instructions for x in i.operands) for f in many)
    assert shared > 200
    assert repeated > 600
    assert constant > 400


def test_graphs_are_of_all_sizes(many: list[Expression]) -> None:
    assert {len(f) for f in many} == set(range(1, 13))
    assert {len(f.inputs) for f in many} == {1, 2, 3}


def test_nothing_that_is_drawn_is_dead(many: list[Expression]) -> None:
    for f in many:
        used = {x for i in f.instructions for x in i.operands if isinstance(x, str)}
        assert used == {*f.names, *(f"t{k}" for k in range(len(f) - 1))}


def test_values_and_gradients_are_finite_and_moderate(many: list[Expression], many_smooth: list[Expression]) -> None:
    for f in [*many, *many_smooth]:
        xs = [Value(x) for x in f.inputs]
        y = f(*xs)
        y.backward()
        assert all(abs(node.data) <= LARGEST for node in autograd.topological_order(y))
        assert all(math.isfinite(x.grad) for x in xs), f


def test_operations_can_be_chosen_in_every_way() -> None:
    wanted = ["mul", autograd.tanh, operations["exp"], cube, autograd.max]
    names = {name for f in drawn(expressions(operations=wanted), 100) for name in f.operations}
    assert names == {"mul", "tanh", "exp", "cube", "max"}


@pytest.mark.parametrize("name", operations)
def test_every_operation_can_be_drawn_by_itself(name: str) -> None:
    for smooth in False, True:
        for f in drawn(expressions(max_nodes=3, operations=[name], smooth=smooth), 5):
            assert set(f.operations) == {name}


def test_the_number_of_inputs_can_be_fixed() -> None:
    assert {len(f.inputs) for f in drawn(expressions(inputs=4, max_nodes=2), 50)} == {4}
    assert {len(f.inputs) for f in drawn(expressions(inputs=2, operations=["acosh"]), 50)} == {2}


# How it is written and called


def test_the_source_runs_and_agrees_bit_for_bit(many: list[Expression], many_smooth: list[Expression]) -> None:
    for f in [*many, *many_smooth][::4]:
        namespace: dict[str, Any] = {}
        exec(f.source, namespace)
        xs = [Value(x) for x in f.inputs]
        y = f(*xs)
        assert namespace["y"].data == y.data == f(*f.inputs)
        y.backward()
        namespace["y"].backward()
        assert [namespace[name].grad for name in f.names] == [x.grad for x in xs]


def test_the_function_source_runs_and_agrees_bit_for_bit(many: list[Expression]) -> None:
    for f in many[::4]:
        namespace: dict[str, Any] = {}
        exec(f.source, namespace)
        exec(f.function_source if f.function_source.startswith("def") else f"f = {f.function_source}", namespace)
        assert namespace["f"](*map(Value, f.inputs)).data == f(*f.inputs), f.function_source


def test_an_expression_is_printed_as_the_lines_that_compute_it() -> None:
    f = Expression(
        (1.0, -2.0),
        (
            Instruction(operations["max"], ("x0", "x1", 2.0)),
            Instruction(operations["pow"], (-1.0, "t0")),
            Instruction(operations["dot"], ("t1", 3.0, "x0", "x0", "x1")),
            Instruction(operations["softmax"], ("t2", "t0", 1)),
        ),
    )
    lines = """x0 = Value(1.0)
x1 = Value(-2.0)
t0 = autograd.max([x0, x1, 2.0])
t1 = (-1.0) ** t0
t2 = dot([t1, 3.0], [x0, x0], x1)
y = softmax([t2, t0], index=1)"""
    assert repr(f) == lines
    assert f.source == f"import autograd\nfrom autograd import Value, dot, softmax\n{lines}"
    assert f.operations == ("max", "pow", "dot", "softmax")
    assert len(f) == 4
    assert f.function_source.splitlines()[0] == "def f(x0, x1):"
    assert f.function_source.splitlines()[-1] == "    return softmax([t2, t0], index=1)"


def test_brackets_keep_the_order_of_operations_on_one_line() -> None:
    f = Expression(
        (3.0,),
        (
            Instruction(operations["neg"], ("x0",)),
            Instruction(operations["pow"], ("t0", 2.0)),
            Instruction(operations["sub"], (1.0, "t1")),
            Instruction(operations["sub"], ("x0", "t2")),
        ),
    )
    assert f.function_source == "lambda x0: x0 - (1.0 - ((-x0) ** 2.0))"
    assert eval(f.function_source)(Value(3.0)).data == f(3.0) == 11.0


def test_a_users_own_operation_is_imported_from_its_module() -> None:
    f = find(expressions(operations=[cube]), lambda f: True)
    assert f.source == f"from autograd import Value\nfrom {__name__} import cube\nx0 = Value(1.0)\ny = cube(x0)"


def test_another_engine_runs_the_same_expression(many: list[Expression]) -> None:
    rules = rule_table.rules(ieee)
    for f in many[::4]:
        names: list[str] = []

        def call(name: str, *operands: Any, names: list[str] = names) -> float:
            names.append(name)
            return float(rules[name].value(*operands))

        assert f.evaluate(f.inputs, call) == f(*f.inputs)
        assert tuple(names) == f.operations


def test_numbers_give_a_float_and_any_value_a_value() -> None:
    f = Expression((1.0, 2.0), (Instruction(operations["div"], ("x0", "x1")),))
    assert f(1, 0) == math.inf
    assert type(f(1, 2)) is float
    assert isinstance(f(1.0, Value(2.0)), Value)


def test_expressions_are_equal_by_content_pickle_and_do_not_change() -> None:
    for f in drawn(expressions(operations=["mul", "tanh", cube]), 30):
        assert pickle.loads(pickle.dumps(f)) == f
        assert hash(pickle.loads(pickle.dumps(f))) == hash(f)
        with pytest.raises(AttributeError):
            f.inputs = ()
    assert len({Expression((1.0,), (Instruction(operations[n], ("x0",)),)) for n in ("sin", "cos", "sin")}) == 2


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda f: f(1.0, 2.0), "this expression takes 1 inputs; got 2"),
        (lambda f: f(), "this expression takes 1 inputs; got 0"),
        (lambda f: f("1"), "an Expression takes a real number; got '1' (str)"),
        (lambda f: f.evaluate([], print), "this expression takes 1 inputs; got 0"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(call: Callable[[Expression], Any], sentence: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(Expression((1.0,), (Instruction(operations["sin"], ("x0",)),)))
    assert str(caught.value) == sentence


# Smooth


def test_smooth_means_smooth(many_smooth: list[Expression]) -> None:
    """Within the promised radius no operation changes sides, and a central difference finds the gradient."""
    rng = random.Random(0)
    for f in many_smooth:
        sides = sides_at(f, f.inputs)
        for _ in range(10):
            assert sides_at(f, [x + RADIUS * rng.uniform(-1.0, 1.0) for x in f.inputs]) == sides, f
        xs = [Value(x) for x in f.inputs]
        f(*xs).backward()
        for i, x in enumerate(xs):
            assert math.isclose(x.grad, difference(f, i), rel_tol=1e-4, abs_tol=1e-4), f


def sides_at(f: Expression, xs: Any) -> list[Any]:
    """On which side of its kinks each operation is; constants stay where they are."""
    sides = []

    def call(name: str, *operands: Any) -> float:
        value = operations[name].evaluate(operands)
        assert math.isfinite(value), f
        if name in SIDES and name not in ("max", "min"):
            sides.append(SIDES[name](*operands))
        elif name in SIDES:
            sides.append([x == value for x in operands])
        return value

    f.evaluate(xs, call)
    return sides


def difference(f: Expression, place: int) -> float:
    """The derivative for one input by a central difference of fourth order."""

    def at(step: float) -> float:
        return f(*(x + step * (i == place) for i, x in enumerate(f.inputs)))

    h = RADIUS / 4.0
    return (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)


def test_a_kink_in_a_users_own_operation_is_avoided_where_smooth() -> None:
    for f in drawn(expressions(max_nodes=4, operations=[own_abs, "sub", "mul"], smooth=True), 200):
        xs = [Value(x) for x in f.inputs]
        for node in autograd.topological_order(f(*xs)):
            if node.operation == "own_abs":
                assert abs(node.parents[0].data) > RADIUS


def test_a_users_operation_may_raise_outside_its_domain() -> None:
    names = Counter(n for f in drawn(expressions(operations=["sub", root_of_a_positive]), 100) for n in f.operations)
    assert names["root_of_a_positive"] > 20


# Shrinking


def shrunk(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool], seed: int = 0) -> Any:
    return find(strategy, condition, settings=settings(database=None, max_examples=1000), random=random.Random(seed))


def test_the_smallest_expression_is_one_addition() -> None:
    assert repr(shrunk(expressions(), lambda f: True)) == "x0 = Value(1.0)\ny = x0 + x0"


@pytest.mark.slow
def test_what_contains_tanh_shrinks_to_two_operations() -> None:
    assert len(shrunk(expressions(4), lambda f: "tanh" in f.operations)) <= 2


@pytest.mark.slow
def test_what_contains_tanh_shrinks_to_tanh_of_one() -> None:
    found = [shrunk(expressions(4), lambda f: "tanh" in f.operations, seed) for seed in range(5)]
    assert "x0 = Value(1.0)\ny = tanh(x0)" in map(repr, found)
    assert max(map(len, found)) <= 2  # from some draws, which depend on the modules loaded, it stops at tanh(x0 + x0)


def test_a_failing_test_shows_the_lines() -> None:
    @settings(max_examples=20, database=None, derandomize=True)
    @given(expressions())
    def fails(f: Expression) -> None:
        raise AssertionError("as it should")

    with pytest.raises(AssertionError) as caught:
        fails()
    assert "    f=\n        x0 = Value(1.0)\n        y = x0 + x0," in "\n".join(caught.value.__notes__)


# Points, values and models


@FEW
@given(st.data())
def test_points_are_as_fine_as_the_drawn_one(data: st.DataObject) -> None:
    f = data.draw(expressions(smooth=data.draw(st.booleans())))
    xs = data.draw(points(f))
    leaves = [Value(x) for x in xs]
    y = f(*leaves)
    y.backward()
    assert math.isfinite(y.data)
    assert all(math.isfinite(x.grad) for x in leaves)
    if f.smooth:
        assert sides_at(f, [x + RADIUS for x in xs]) == sides_at(f, [x - RADIUS for x in xs])


def test_points_move_and_shrink_to_the_drawn_one() -> None:
    f = Expression((0.5,), (Instruction(operations["asin"], ("x0",)),))
    found = drawn(points(f), 200)
    assert len(set(found)) > 100
    assert all(-1.0 < x < 1.0 for (x,) in found)
    assert shrunk(points(f), lambda xs: True) == (0.5,)


@FEW
@given(values(min_value=-1.0, max_value=2.0, labels=st.just("a")))
def test_values_are_leaves_within_the_bounds(x: Value) -> None:
    assert -1.0 <= x.data <= 2.0
    assert (x.parents, x.label, x.grad) == ((), "a", 0.0)


def test_values_are_finite_unless_more_is_allowed() -> None:
    assert all(math.isfinite(x.data) for x in drawn(values(), 500))
    wild = [x.data for x in drawn(values(allow_nan=True, allow_infinity=True), 500)]
    assert any(map(math.isnan, wild))
    assert any(map(math.isinf, wild))


@FEW
@given(mlps(max_inputs=2, max_width=3, max_layers=2), st.data())
def test_models_take_as_many_numbers_as_their_first_layer(model: Any, data: st.DataObject) -> None:
    n = model.layers[0].nin
    outputs = model(data.draw(st.lists(st.floats(-1.0, 1.0), min_size=n, max_size=n)))
    assert n <= 2
    assert len(model.layers) <= 2
    assert isinstance(outputs, Value) or len(outputs) == len(model.layers[-1].neurons) <= 3


def test_a_model_shrinks_to_one_linear_neuron_and_shows_its_numbers() -> None:
    @settings(max_examples=20, database=None, derandomize=True)
    @given(mlps())
    def fails(model: Any) -> None:
        raise AssertionError("as it should")

    with pytest.raises(AssertionError) as caught:
        fails()
    notes = "\n".join(caught.value.__notes__)
    assert "model=MLP(1, [1], activation='linear') with the parameters [1.0, 1.0]" in notes


# Bad arguments


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: expressions(0), ValueError, "max_nodes is at least 1; got 0"),
        (lambda: expressions(1.5), TypeError, "max_nodes is a whole number; got 1.5 (float)"),
        (lambda: expressions(True), TypeError, "max_nodes is a whole number; got True (bool)"),
        (lambda: expressions(inputs=0), ValueError, "inputs is at least 1; got 0"),
        (lambda: expressions(operations=[]), ValueError, "operations is an empty list: name at least one"),
        (lambda: expressions(operations=["tanhh"]), ValueError, "no operation 'tanhh'; did you mean 'tanh'?"),
        (lambda: expressions(operations=["xyz"]), ValueError, "no operation 'xyz'; choose among add, sub, mul"),
        (lambda: expressions(operations="tanh"), TypeError, 'operations is a list, such as ["add", "tanh"]; got'),
        (lambda: expressions(operations=3), TypeError, "operations is a list"),
        (lambda: expressions(operations=[math.tanh]), TypeError, "an operation is a name, a function of autograd, or"),
        (lambda: expressions(operations=[autograd.pos]), TypeError, "an operation is a name, a function of autograd"),
        (lambda: expressions(operations=[3]), TypeError, "an operation is a name, a function of autograd, or one made"),
        (lambda: expressions(operations=[own("tanh", 1.0)]), ValueError, "two operations are named 'tanh'"),
        (lambda: expressions(operations=[own("f", 1.0), own("f", 1.0)]), ValueError, "two operations are named 'f'"),
        (lambda: expressions(operations=[own("my op", 1.0)]), ValueError, "'my op' cannot be printed as Python"),
        (lambda: expressions(operations=[own("g", math.nan)]), ValueError, "the operation g is finite at none of"),
        (lambda: points(3), TypeError, "points takes an Expression; got 3 (int)"),
        (lambda: mlps(max_width=0), ValueError, "max_width is at least 1; got 0"),
        (lambda: values(2.0, 1.0), InvalidArgument, "max_value=1.0"),
    ],
)
def test_a_bad_argument_is_refused_at_once(call: Callable[[], Any], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert sentence in str(caught.value)


def own(name: str, value: float) -> Any:
    return autograd.operation(lambda x: value, lambda out, x: 0.0, name=name)


# What Hypothesis knows by the entry point


@settings(max_examples=20)
@given(...)
def test_an_argument_annotated_with_value_is_drawn(x: Value) -> None:
    assert isinstance(x, Value)
    assert math.isfinite(x.data)


def test_hypothesis_knows_value_and_the_profile_without_loading_the_strategies() -> None:
    program = """
import sys, hypothesis
assert hypothesis.settings.get_profile("autograd").max_examples == 300
assert hypothesis.settings.get_profile("autograd").deadline is None
assert hypothesis.settings.default.max_examples == 100
assert not {"autograd.testing.graphs.strategies", "numpy", "mpmath", "nn"} & set(sys.modules)
from autograd import Value
assert isinstance(hypothesis.find(hypothesis.strategies.from_type(Value), lambda x: True), Value)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=600)
