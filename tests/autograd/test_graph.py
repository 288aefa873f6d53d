"""Is every walk in order, complete, linear and free of recursion? And do copies keep the graph?"""

import copy
import io
import math
import pickle
import struct
import sys
import threading

import pytest
from hypothesis import given, strategies as st

import autograd
from autograd import Value, leaves, topological_order
from autograd.graph import contribution, interior, interior_at_zero

LONG = 1_000_000


@st.composite
def graphs(draw):
    """The nodes of a random graph with shared operands, in the order in which they were made."""
    nodes = [Value(draw(st.floats(-2, 2))) for _ in range(draw(st.integers(1, 3)))]
    for kind, i, j in draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20), st.integers(0, 20)), max_size=20)):
        x, y = nodes[min(i, len(nodes) - 1)], nodes[min(j, len(nodes) - 1)]
        make = [
            lambda x, y: x + y,
            lambda x, y: x * y,
            lambda x, y: x * 0.5,
            lambda x, y: x.tanh(),
            lambda x, y: autograd.dot([x, y, x], [y, 2.0, x], bias=y),
            lambda x, y: autograd.clip(x, y, 1.0),
        ][kind]
        nodes.append(make(x, y))
    return nodes


@given(graphs())
def test_every_ancestor_once_and_parents_first(nodes):
    order = topological_order(nodes[-1])
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is nodes[-1]
    assert all(place[parent] < place[node] for node in order for parent in node.parents)
    expected, pending = set(), [nodes[-1]]
    while pending:
        node = pending.pop()
        if node not in expected:
            expected.add(node)
            pending += node.parents
    assert expected == set(order)
    assert leaves(nodes[-1]) == [node for node in order if not node.operation]


def test_the_order_is_depth_first_and_follows_the_operands():
    a, b, c, d = (Value(1.0, label=label) for label in "abcd")
    left, right, third = b * a, d * c, -a
    root = autograd.dot([left + right, third], [third, right])
    assert leaves(root) == [b, a, d, c]
    assert topological_order(root) == [b, a, left, d, c, right, root.parents[0], third, root]
    assert (topological_order(a), leaves(a)) == ([a], [a])


@given(graphs())
def test_the_walk_of_backward_is_that_of_all_others_and_leaves_its_nodes_at_zero(nodes):
    root = nodes[-1]
    for node in nodes:
        node.grad = 2.0
    for _ in range(2):  # the second walk is not led astray by the zeros of the first
        assert interior_at_zero(root) == interior(root) == [node for node in topological_order(root) if node.operation]
        assert all(node.grad == (0.0 if node.operation else 2.0) for node in topological_order(root))


@given(graphs())
def test_backward_equals_the_sum_over_all_paths(nodes):
    """The chain rule as it is defined: forward accumulation, node by node, for each leaf."""
    root = nodes[-1]
    order = topological_order(root)
    root.zero_grad()
    root.backward()
    for leaf in leaves(root):
        tangent = dict.fromkeys(order, 0.0)
        tangent[leaf] = 1.0
        for node in order:
            for parent, local in zip(node.parents, node.local_derivatives, strict=True):
                tangent[node] += local * tangent[parent]
        assert leaf.grad == pytest.approx(tangent[root], rel=1e-9, abs=1e-9)


@given(graphs())
@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, *(lambda x, p=p: pickle.loads(pickle.dumps(x, p)) for p in range(6))]
)
def test_copies_keep_numbers_structure_and_identities(duplicate, nodes):
    nodes[0].label = "first"
    nodes[-1].backward()
    twins = duplicate(nodes)
    number = {node: i for i, node in enumerate(nodes)}
    number |= {twin: i for i, twin in enumerate(twins)}
    for node, twin in zip(nodes, twins, strict=True):
        assert (twin.data, twin.grad, twin.label) == (node.data, node.grad, node.label)
        assert (twin.operation, twin.local_derivatives) == (node.operation, node.local_derivatives)
        assert [number[p] for p in twin.parents] == [number[p] for p in node.parents]
        assert not set(twin.parents) & set(nodes)
    before = [node.grad for node in nodes]
    twins[-1].backward()
    assert [node.grad for node in nodes] == before


@pytest.mark.parametrize("pick", [lambda x, h, loss: (x, h, loss), lambda x, h, loss: {"loss": loss, "x": [x, h]}])
def test_pickling_several_nodes_keeps_their_identities(pick):
    x = Value(2.0, label="x")
    h = x * 3
    loss = h * x
    twins = pickle.loads(pickle.dumps(pick(x, h, loss)))
    loss2 = twins["loss"] if isinstance(twins, dict) else twins[2]
    x2, h2 = twins["x"] if isinstance(twins, dict) else twins[:2]
    assert loss2.parents == (h2, x2)
    assert h2.parents == (x2,)


@pytest.mark.parametrize("order", [1, -1])
def test_pickling_all_nodes_of_a_chain_takes_linear_space(order):
    _, end = chain(3000)
    nodes = topological_order(end)
    text = pickle.dumps(nodes[::order])
    assert len(text) < 150 * len(nodes)
    twins = pickle.loads(text)[::order]
    assert all(twin.parents == (twins[i],) for i, twin in enumerate(twins[1:]))
    assert len(pickle._dumps(end)) < 150 * len(nodes)  # the pickler in pure Python too


def test_two_picklers_that_live_at_the_same_time_each_write_the_whole_graph():
    _, end = chain(3000)
    first, second = io.BytesIO(), io.BytesIO()
    one, two = pickle.Pickler(first), pickle.Pickler(second)
    for node in (topological_order(end)[1500], end):
        one.dump(node)
        two.dump(node)
    for file in (first, second):
        file.seek(0)
        reader = pickle.Unpickler(file)
        middle, last = reader.load(), reader.load()
        assert topological_order(last)[1500] is middle
        assert last.data == end.data


def test_a_number_that_was_pickled_by_itself_stays_what_it_was():
    x = Value(2.0, label="x")
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    pickler.dump(x)
    x.data = 7.0
    pickler.dump(x * 3 + 1)
    file.seek(0)
    reader = pickle.Unpickler(file)
    twin, end = reader.load(), reader.load()
    assert leaves(end) == [twin]
    assert twin.data == 2.0


def test_a_pickler_that_failed_leaves_nothing_behind():
    class Local(Value):
        """No pickler finds this class."""

    x = Value(2.0)
    h = x * 2 * x
    pickler = pickle.Pickler(io.BytesIO())
    with pytest.raises((pickle.PicklingError, AttributeError), match="Local"):
        pickler.dump(Local(3.0).tanh() * h)
    x2, h2 = pickle.loads(pickle.dumps((x, h)))
    assert (leaves(h2), h2.data) == ([x2], 8.0)
    assert pickler  # it is alive, and its list of nodes was left in the middle


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_keep_every_bit(duplicate):
    x, y = Value(-0.0, label="x"), Value(float("inf"))
    x.grad, y.grad = -0.0, 5e-324
    end = autograd.where(1.0, 2.0 - x, y / 0) + autograd.sum([x, 0.1, y, x]) ** 2
    end.parents[0].grad = float("nan")
    for node, twin in zip(topological_order(end), topological_order(duplicate(end)), strict=True):
        fields = [(v.data, v.grad, *v.local_derivatives) for v in (node, twin)]
        assert struct.pack(f"{len(fields[0])}d", *fields[0]) == struct.pack(f"{len(fields[1])}d", *fields[1])
        constants = [[x for x in v.operands if not isinstance(x, Value)] for v in (node, twin)]
        assert constants[0] == constants[1]
        assert (node.label, node.operation) == (twin.label, twin.operation)


@pytest.mark.parametrize("length", [1_000, pytest.param(LONG, marks=pytest.mark.slow)])
def test_a_pickled_node_of_a_loop_takes_40_bytes(length):
    a, b, c = Value(1.0), Value(0.999999), Value(1e-7)
    for _ in range(length // 2):
        a = a * b + c
    assert len(pickle.dumps(a)) < 40 * length + 1_000


def test_deepcopy_takes_what_the_memo_already_has():
    x = Value(2.0)
    h = x * 3
    assert copy.deepcopy(h * h, {id(h): h}).parents == (h, h)


def test_a_shallow_copy_shares_its_parents():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    twin = copy.copy(c)
    assert twin is not c
    assert (twin.parents, twin.data) == (c.parents, c.data)


def test_subclasses_keep_their_attributes_in_copies():
    p = Named(2.0)
    p.name = ["w"]
    loss = p * p
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss)), copy.copy(loss)):
        assert type(twin.parents[0]) is Named
        assert twin.parents[0].name == ["w"]


class Named(Value):
    """A Value with a __dict__."""


class Placed(Value):
    """A Value with a slot of its own."""

    __slots__ = ("place",)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, lambda x: pickle.loads(pickle.dumps(x))])
def test_subclasses_keep_their_slots_and_the_values_in_their_attributes(duplicate):
    placed, named = Placed(2.0), Named(3.0)
    product = placed * named
    placed.place, named.square = [1], named * named
    twin = duplicate(product)
    assert twin.parents[0].place == [1]
    assert twin.parents[1].square.parents == (twin.parents[1],) * 2


def chain(length):
    x = Value(1.0, label="x")
    node = x
    for _ in range(length):
        node = node * 1.0000001
    return x, node


def test_a_chain_of_a_million_nodes_needs_no_recursion():
    assert sys.getrecursionlimit() < LONG
    x, end = chain(LONG)
    end.backward()
    assert x.grad == pytest.approx(end.data)
    assert len(topological_order(end)) == LONG + 1
    del end  # and freeing it is no recursion either
    assert x.grad == pytest.approx(1.1051709, rel=1e-6)


@pytest.mark.parametrize("length", [100_000, pytest.param(LONG, marks=pytest.mark.slow)])
def test_long_chains_are_pickled_and_copied_without_recursion(length):
    x, end = chain(length)
    x2, end2 = pickle.loads(pickle.dumps((x, end)))
    assert (x2.label, end2.data) == ("x", end.data)
    x3, end3 = copy.deepcopy((x, end))
    end3.backward()
    assert x3.grad == pytest.approx(end.data)
    assert x.grad == x2.grad == 0.0


def test_a_comb_of_shared_nodes_is_walked_in_linear_time():
    node = Value(1.0)
    for _ in range(2000):  # 2**2000 paths
        node = (node + node) * 0.5
    node.backward()
    assert node.data == 1.0


def test_a_wide_node_whose_parents_were_all_computed():
    x = Value(1.0)
    parents = [x * i for i in range(20_000)]
    total = autograd.sum(parents)
    total.backward()
    assert x.grad == sum(range(20_000))


def test_deep_graphs_in_a_thread_with_a_small_stack():
    results = []

    def work():
        _, end = chain(50_000)
        end.backward()
        results.append(copy.deepcopy(end).data == pickle.loads(pickle.dumps(end)).data == end.data)

    old = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
    assert results == [True]


def test_a_contribution_is_a_product_in_which_zero_wins() -> None:
    assert contribution(2.0, 3.0) == 6.0
    assert contribution(math.inf, 0.5) == contribution(0.5, math.inf) == math.inf
    assert contribution(math.inf, 0.0) == contribution(0.0, math.nan) == 0.0
    assert math.isnan(contribution(math.inf, math.nan))
