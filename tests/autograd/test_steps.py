"""Are the recorded steps what backward does, and do they leave the graph alone?"""

import math

import pytest
from hypothesis import given, strategies as st

from autograd import Value, backward_steps, leaves, topological_order
from autograd.steps import names_of, recompute, updates
from tests.autograd.test_graph import graphs


@given(graphs())
def test_the_steps_add_up_to_what_backward_adds_bit_for_bit(nodes):
    root = nodes[-1]
    root.zero_grad()
    steps = backward_steps(root)
    sums = {edge.parent: edge.after for step in steps for edge in step.edges}
    assert all(node.grad == 0.0 for node in topological_order(root))
    root.backward()
    for node in topological_order(root):
        assert node.grad == (sums.get(node, 0.0) if node is not root else 1.0)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.upstream == step.node.grad for step in steps)


def test_both_edges_of_a_square_are_there():
    a = Value(3.0, label="a")
    (step,) = backward_steps(a * a)
    assert [(e.slot, e.parent, e.local, e.before, e.after) for e in step.edges] == [
        (0, a, 3.0, 0.0, 3.0),
        (1, a, 3.0, 3.0, 6.0),
    ]


def test_constants_keep_their_slot():
    a = Value(3.0)
    (step,) = backward_steps(2.0 - a)
    assert [edge.slot for edge in step.edges] == [1]


def test_a_zero_factor_contributes_zero_in_the_steps_too():
    x = Value(0.0)
    for step in backward_steps((x.log() * 0.0) + x):
        assert all(math.isfinite(edge.contribution) for edge in step.edges)


def test_a_person_can_walk_in_a_plain_prompt():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    text = [str(step) for step in backward_steps((a * b).tanh(), gradient=2.0)]
    assert text[0].startswith("1. tanh -0.999988 has gradient 2")
    assert "a: " in text[1]
    assert max(map(len, "\n".join(text).splitlines())) <= 80
    assert backward_steps(a) == []
    with pytest.raises(TypeError, match=r"backward_steps\(gradient\) takes a real number"):
        backward_steps(a * b, gradient="x")


@given(graphs())
def test_names_are_unique_and_labels_are_kept(nodes):
    nodes[0].label, nodes[-1].label = "a", "mul1"
    order = topological_order(nodes[-1])
    names = names_of(order)
    assert len(set(names.values())) == len(order)
    assert names[nodes[-1]] == ("mul1" if nodes[-1] is not nodes[0] else nodes[-1].label)


@given(graphs(), st.floats(-2, 2))
def test_recomputing_is_what_building_again_gives(nodes, x):
    root = nodes[-1]
    order = topological_order(root)
    assert recompute(order, {})[root] == root.data
    leaf = leaves(root)[0]
    again = {}
    for node in order:  # the recorded operations, called through the public functions
        import autograd

        if node is leaf:
            again[node] = x
        elif not node.operation:
            again[node] = node.data
        else:
            operands = [again[o] if isinstance(o, Value) else o for o in node.operands]
            if node.operation == "dot":
                n = len(operands) // 2
                again[node] = autograd.dot(operands[:n], operands[n : 2 * n], *operands[2 * n :])
            else:
                again[node] = getattr(autograd, node.operation)(*operands)
    assert recompute(order, {leaf: x})[root] == again[root]


def test_an_update_goes_against_the_gradient():
    w, x = Value(2.0), Value(3.0)
    (step,) = backward_steps(w * x)
    (update,) = updates({edge.parent: edge.after for edge in step.edges}, 0.5, [w])
    assert update == (w, 2.0, 3.0, 0.5)
    assert w.data == 2.0
