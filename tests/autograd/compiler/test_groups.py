"""Do instructions run in groups in which each finds its operands, and are these groups few?"""

import random

import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

import autograd
from autograd import Value, compile, dot, tanh
from autograd.compiler.flat_graph import flatten
from autograd.compiler.fusion import fused
from autograd.compiler.groups import Groups
from autograd.compiler.native.code import Code
from autograd.compiler.native.layout import Layout
from autograd.testing import expressions
from tests.autograd.compiler.test_flat_graph import some_graph


def numbers_of_groups(groups):
    """The number of the group of each instruction."""
    found = {}
    for number in range(len(groups.starts) - 1):
        found |= dict.fromkeys(groups.order[groups.starts[number] : groups.starts[number + 1]].tolist(), number)
    return found


@settings(max_examples=200, deadline=None)
@given(expressions(max_nodes=40), st.integers(0, 2**32))
def test_each_instruction_is_in_one_group_behind_those_of_its_operands(expression, seed):
    outputs, _, inputs = some_graph(expression, random.Random(seed))
    graph = fused(flatten(outputs, inputs))
    groups = Groups(graph, 0)
    group_of = numbers_of_groups(groups)
    assert sorted(groups.order.tolist()) == list(range(len(graph.codes))) == sorted(group_of)
    members = {}
    for k, x in enumerate(graph.instructions):
        is_before = group_of[k] < groups.before
        assert is_before == groups.shared[x.out] == (groups.rows[x.out] < 0)
        members.setdefault(group_of[k], set()).add(x.operation)
        assert all(group_of[slot - graph.leaves] < group_of[k] for slot in x.operands if slot >= graph.leaves)
    assert all(len(operations) == 1 for operations in members.values())
    rows = [groups.rows[graph.leaves + k] for k in groups.order.tolist() if groups.rows[graph.leaves + k] >= 0]
    assert rows == list(range(len(inputs), len(inputs) + len(rows)))


def irregular(nodes):
    """A graph of many operations, each on random ones of the last results, and its inputs."""
    rng = random.Random(0)
    inputs = [Value(rng.random()) for _ in range(20)]
    names = ["tanh", "sin", "exp", "sqrt", "atan", "abs", "maximum", "hypot", "minimum"]
    found = list(inputs)
    for _ in range(nodes):
        operation = getattr(autograd, rng.choice(names))
        count = 2 if operation.__name__ in ("maximum", "hypot", "minimum") else 1
        found.append(operation(*rng.sample(found[-50:], count)))
    return found[-50:], inputs


def test_an_irregular_graph_has_fewer_groups_than_levels_with_different_operations():
    outputs, inputs = irregular(3000)
    graph = fused(flatten(outputs, inputs))
    level = [0] * graph.slots
    for x in graph.instructions:
        level[x.out] = 1 + max(level[slot] for slot in x.operands)
    by_level = {(level[x.out], x.operation) for x in graph.instructions}
    assert len(Groups(graph, 0).starts) - 1 < 0.7 * len(by_level)


def test_dots_that_read_different_numbers_run_as_one_group_if_they_are_no_layers():
    rng, xs = random.Random(0), [Value(float(k)) for k in range(12)]
    squares = [x * x for x in xs]
    rows = [dot(squares[k : k + 3], xs[k : k + 3]) for k in range(10)]
    weights = [[Value(rng.random()) for _ in xs] for _ in range(3)]
    layer = [tanh(dot(w, xs)) for w in weights]
    groups = Groups(fused(flatten([*rows, *layer], xs)), 0)
    sizes = [b - a for a, b in zip(groups.starts.tolist(), groups.starts.tolist()[1:], strict=False)]
    assert sorted(sizes) == [3, 3, 10, 12]
    assert [sizes[number] for number in groups.layers] == [3]
    program = compile([*rows, *layer], xs)
    assert program([x.data for x in xs]).tolist() == pytest.approx([y.data for y in (*rows, *layer)], rel=1e-14)


def test_layers_of_one_group_of_dots_are_told_apart_by_what_they_read():
    rng = random.Random(0)
    xs = [Value(rng.random()) for _ in range(8)]
    halves = [[dot([Value(rng.random()) for _ in half], half) for _ in range(4)] for half in (xs[:4], xs[4:])]
    both = [y for pair in zip(*halves, strict=True) for y in pair]  # in turns
    program = compile(both, xs)
    assert str(program).count("4 dots of 4 weights run as one layer") == 2
    assert program([x.data for x in xs]).tolist() == pytest.approx([y.data for y in both], rel=1e-14)


def test_results_in_arrays_of_their_own_are_not_written_side_by_side():
    data, gradient, *_, rate = leaves = [Value(float(k)) for k in range(5)]
    outputs = [data - rate * gradient, -(data * 3.0), -(gradient * 3.0)]
    layout = Layout(fused(flatten(outputs, leaves[:4], [rate])), in_place=[0, 2, 3])
    assert {layout.outside[slot] for slot in layout.graph.outputs} == {0, 2, 3}
    table = Code(layout).tables(False).forward
    assert sorted(table[:, 2].tolist()) == [1, 2, 3]  # the difference, two negations, three products


def test_what_lies_outside_is_not_read_by_a_layer():
    data, gradient, rate, decay = leaves = [Value(float(k)) for k in range(4)]
    graph = fused(flatten([rate * data + decay * gradient], leaves[:2], leaves[2:]))
    assert [x.operation.name for x in graph.instructions] == ["dot"]
    assert Layout(graph).groups.layers
    assert not Layout(graph, in_place=[0]).groups.layers
