"""Is a flat graph, before and after fusion, what its graph says, and is it made in linear time?"""

import math
import random
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import autograd
from autograd import Value, dot, tanh
from autograd.compiler.flat_graph import BY_INPUTS, BY_PARAMETERS, flatten
from autograd.compiler.fusion import fused
from autograd.graph import topological_order
from autograd.operations import operations
from autograd.recorded_operations import RECORDED
from autograd.testing import expressions
from autograd.value import apply
from tests.autograd.compiler.interpreter import Interpreter

EXACT = ["add", "mul", "sub", "neg", "sum", "mean", "dot", "maximum"]


def some_graph(expression, rng):
    """Several results of an expression, its leaves shuffled, and some of them: those that are inputs."""
    leaves, results = [Value(x) for x in expression.inputs], []

    def computed(name, *operands):
        results.append(apply(operations[name], *operands))
        return results[-1]

    expression.evaluate(leaves, computed)
    some = [x for x in [*results, *leaves] if isinstance(x, Value)]
    rng.shuffle(leaves)
    return rng.choices(some, k=rng.randint(1, 4)), leaves, leaves[: rng.randint(0, len(leaves))]


@settings(max_examples=200, deadline=None)
@given(expressions(max_nodes=25), st.integers(0, 2**32))
def test_the_instructions_are_the_nodes_in_their_order(expression, seed):
    outputs, _, inputs = some_graph(expression, random.Random(seed))
    graph = flatten(outputs, inputs)
    order = list(dict.fromkeys(node for output in outputs for node in topological_order(output)))
    slots = [*inputs, *(x for x in order if not x.operation and x not in inputs)]
    assert list(graph.parameters) == slots[len(inputs) :]
    assert graph.leaves == len(slots) + len(graph.constants)
    slots += [*graph.constants, *(x for x in order if x.operation)]
    assert [slots[slot] for slot in graph.outputs] == outputs
    for instruction, node in zip(graph.instructions, slots[graph.leaves :], strict=True):
        assert slots[instruction.out] is node
        assert instruction.operation is node._operation
        for slot, x in zip(instruction.operands, node.operands, strict=True):
            assert slots[slot] is x or repr(slots[slot]) == repr(x)


@settings(max_examples=200, deadline=None)
@given(expressions(max_nodes=25), st.integers(0, 2**32))
def test_each_slot_knows_on_what_it_depends(expression, seed):
    outputs, _, inputs = some_graph(expression, random.Random(seed))
    graph = flatten(outputs, inputs)
    kinds = [BY_INPUTS] * len(inputs) + [BY_PARAMETERS] * len(graph.parameters) + [0] * len(graph.constants)
    for x in graph.instructions:
        kinds.append(0)
        for slot in x.operands:
            kinds[-1] |= kinds[slot]
    assert graph.dependence.tolist() == kinds


@settings(max_examples=300, deadline=None)
@given(expressions(operations=EXACT, max_nodes=40), st.integers(0, 2**32))
def test_fusion_leaves_out_what_is_not_needed_and_changes_no_number(expression, seed):
    rng = random.Random(seed)
    outputs, leaves, inputs = some_graph(expression, rng)
    for leaf in leaves:
        leaf.data = float(rng.randint(-3, 3))
    graph = flatten(outputs, inputs)
    smaller = fused(graph)
    assert (smaller.uses[smaller.leaves :] > 0).all()
    assert len({(x.operation, x.operands) for x in smaller.instructions}) == len(smaller.codes)
    assert all(max(x.operands) < x.out for x in smaller.instructions)
    rows, numbers = np.array([[x.data for x in inputs]] * 2), np.array([p.data for p in graph.parameters])
    expected, computed = (Interpreter(g).run(rows, numbers) for g in (graph, smaller))
    np.testing.assert_allclose(computed[0], expected[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(computed[1], expected[1], rtol=1e-12, atol=1e-12)


NEUTRAL_OR_NEARLY = [1.0, -1.0, 2.0, -4.0, 0.5, 0.0, -0.0, math.inf, math.nan]
STEPS = ["add", "sub", "mul", "div", "strong_product", "neg", "doubled", "squared"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(NEUTRAL_OR_NEARLY), st.booleans()), max_size=12),
    st.sampled_from([0.0, -0.0, 1.5, -3.0, 1e-310, 1e308, math.inf, -math.inf, math.nan]),
)
def test_what_constants_make_simpler_keeps_every_bit_and_every_derivative(steps, number):
    x = y = Value(number)
    for name, constant, first in steps:
        pair = [constant, y] if first else [y, constant]
        pair = {"neg": [y], "doubled": [y, y], "squared": [y, y]}.get(name, pair)
        name = {"doubled": "add", "squared": "mul"}.get(name, name)
        y = apply(RECORDED.get(name) or operations[name], *pair)
    graph = flatten([y, apply(operations["mul"], y, 1.0)], [x])
    smaller, rows, found = fused(graph), np.array([[number]]), []
    for g in (graph, smaller):
        by_inputs = np.empty((1, 1))
        values, _ = Interpreter(g).run(rows, np.zeros(0), by_inputs=by_inputs)
        found.append([values.tolist(), np.signbit(values[values == values]).tolist(), by_inputs.tolist()])
    assert repr(found[0]) == repr(found[1])
    assert len(smaller.codes) < len(graph.codes)


def test_what_depends_on_constants_alone_is_computed_beforehand():
    x, three = Value(2.0), Value(3.0)
    graph = fused(flatten([x + autograd.exp(three * 0.0)], [x], constants=[three]))
    assert [(i.operation.name, i.operands) for i in graph.instructions] == [("add", (0, graph.leaves - 1))]
    assert graph.constants[-1] == 1.0
    assert graph.notes == ("2 operations on constants are constants",)


def test_an_index_out_of_range_among_constants_waits_for_the_run():
    x, index = Value(2.0), Value(1.0)
    taken = apply(operations["take"], 1.0, 2.0, index)
    index.data = 7.0
    graph = fused(flatten([x * taken], [x], constants=[index]))
    assert [i.operation.name for i in graph.instructions] == ["take", "mul"]


def test_factors_that_are_powers_of_two_become_one():
    x = Value(2.0)
    once = x * -1.0
    graph = fused(flatten([tanh((once + once) * -1.0), x * 3.0 * -1.0], [x]))
    assert [i.operation.name for i in graph.instructions] == ["mul", "tanh", "mul", "mul"]


def test_what_is_constant_between_jumps_has_no_derivative_by_anything():
    x, p = Value(2.0), Value(3.0)
    question = apply(RECORDED["less"], x, p)
    chosen = apply(operations["where"], question, x, 1.0)
    graph = flatten([chosen, question, autograd.floor(p)], [x])
    assert graph.derivatives[list(graph.outputs)].tolist() == [BY_INPUTS, 0, 0]
    assert graph.dependence[list(graph.outputs)].tolist() == [BY_INPUTS | BY_PARAMETERS] * 2 + [BY_PARAMETERS]


def test_constants_are_told_apart_by_their_bits_and_stand_in_the_order_of_first_use():
    x = Value(1.0)
    y = (x * 0.0 + 2.0) * -0.0 + math.nan
    graph = flatten([y - math.inf * x - math.nan + 2.0], [x])
    assert list(map(repr, graph.constants)) == ["0.0", "2.0", "-0.0", "nan", "inf"]


def test_leaves_that_are_outputs_stand_where_the_graph_first_uses_them():
    a, b, c, x = (Value(float(k)) for k in range(4))
    assert flatten([a * x, b, c * a, b], [x]).parameters == (a, b, c)


def test_a_chain_of_sums_becomes_a_dot_whatever_its_shape():
    rng = random.Random(0)
    for count in (2, 3, 10, 50):
        xs, ws = [Value(rng.random()) for _ in range(count)], [Value(rng.random()) for _ in range(count)]
        terms = [w * x if rng.random() < 0.5 else x * w for w, x in zip(ws, xs, strict=True)]
        terms += [Value(1.0), Value(2.0), tanh(xs[0])]
        while len(terms) > 1:  # in any order, as any tree
            a, b = (terms.pop(rng.randrange(len(terms))) for _ in range(2))
            terms.append(a + b)
        graph = fused(flatten(terms, xs))
        assert [x.operation.name for x in graph.instructions].count("dot") == 1
        assert len(graph.codes) == 4  # and tanh, and two sums of what is left
        assert graph.notes == (f"{count} products in 1 sums are parts of dots",)
        rows, numbers = np.array([[x.data for x in xs]]), np.array([p.data for p in graph.parameters])
        assert Interpreter(graph).run(rows, numbers)[0][0, 0] == pytest.approx(terms[0].data, rel=1e-13)


def chain_of(nodes):
    x = y = Value(1.0)
    for _ in range(nodes // 2):
        y = y * 0.9 + 0.1
    return y, [x]


def row_of(nodes):
    xs = [Value(float(k)) for k in range(nodes // 2)]
    return autograd.sum([tanh(x) * x for x in xs]), xs


def sum_of_products(nodes):
    xs = [Value(float(k)) for k in range(nodes // 2)]
    total = Value(0.0)
    for x in xs:
        total = total + Value(1.0) * x
    return total, xs


def two_alike(nodes):
    x, y, z = Value(1.0), Value(1.0), Value(1.0)
    y = z = x
    for _ in range(nodes // 2):
        y, z = tanh(y), tanh(z)
    return y + z, [x]


def dots(nodes):
    rng, xs = random.Random(0), [Value(1.0) for _ in range(8)]
    ys = [dot(rng.sample(xs, 2), rng.sample(xs, 2)) for _ in range(nodes)]
    return autograd.sum(ys), xs


def steps(call):
    """How many lines of Python run, each turn of a loop counted."""
    count = 0

    def line(frame, event, _):
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("make", [chain_of, row_of, sum_of_products, two_alike, dots])
def test_planning_is_linear(make):
    pytest.importorskip("llvmlite")
    from autograd.compiler.native.layout import Layout

    found = []
    for nodes in (1000, 4000):
        y, inputs = make(nodes)
        found.append(steps(lambda y=y, inputs=inputs: Layout(fused(flatten([y], inputs)))))
    assert found[1] <= 4.2 * found[0]
