"""What does a Value promise? The words of its contract, one test each."""

import copy
import gc
import math
import operator
import pickle
import weakref
from fractions import Fraction

import pytest
from hypothesis import example, given, strategies as st

import autograd
from autograd import Value
from autograd.operations import operations

finite = st.floats(-1e6, 1e6)
ORDERINGS = (operator.lt, operator.le, operator.gt, operator.ge)
BINARY = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
}


class Foreign:
    """No number, but it knows what to do with a Value beside it."""

    def answer(self, other):
        return "its own answer"

    __lt__ = __le__ = __gt__ = __ge__ = answer
    __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __floordiv__ = __mod__ = answer
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rfloordiv__ = __rmod__ = answer


def test_a_leaf_has_a_number_and_nothing_else():
    v = Value(2, label="a")
    assert (v.data, v.grad, v.label, v.item()) == (2.0, 0.0, "a", 2.0)
    assert (v.operation, v.operands, v.parents, v.local_derivatives) == ("", (), (), ())
    assert type(v.data) is type(v.grad) is float


def test_a_node_keeps_operands_parents_and_local_derivatives_in_order():
    a, b = Value(2.0), Value(5.0)
    assert ((a * b).operation, (a * b).operands, (a * b).local_derivatives) == ("mul", (a, b), (5.0, 2.0))
    assert ((3 - a).operands, (3 - a).parents, (3 - a).local_derivatives) == ((3.0, a), (a,), (-1.0,))
    assert ((a * a).parents, (a * a).local_derivatives) == ((a, a), (2.0, 2.0))
    node = autograd.dot([a, 2.0], [3.0, b], bias=1.0)
    assert node.operands == (a, 2.0, 3.0, b, 1.0)
    assert (node.parents, node.local_derivatives) == ((a, b), (3.0, 2.0))
    assert autograd.where(True, 1.0, a).operands == (1.0, 1.0, a)


def test_numbers_among_the_operands_are_kept_as_floats():
    a = Value(2.0)
    many = autograd.where(True, 1, a), autograd.sum([a, 3]), autograd.dot([a, a], [3, True])
    for node in (a * 3, 3 - a, a**True, 1 / a, *many):
        assert {type(x) for x in node.operands} == {float, Value}


def test_a_new_node_has_gradient_0_and_no_label():
    a = Value(2.0, label="a")
    for node in (a * 3.0, -a, a.exp(), autograd.dot([a], [a])):
        assert (node.grad, node.label) == (0.0, "")
    assert +a is a


@pytest.mark.parametrize("data", [True, 3, 3.5, Fraction(1, 2), 10**400, -(10**400), Fraction(10**400)])
def test_every_real_number_becomes_a_float(data):
    assert type(Value(data).data) is float
    v = Value(0.0)
    v.data = v.grad = data
    assert v.data == v.grad == Value(data).data


def test_integers_beyond_the_range_round_to_infinity():
    assert Value(10**400).data == math.inf
    assert (Value(1.0) - 10**400).data == -math.inf


@pytest.mark.parametrize("bad", ["a", b"1", 1j, None, [1.0], object(), Value])
def test_what_is_no_real_number_is_refused_in_a_sentence(bad):
    with pytest.raises(TypeError, match=r"Value\(data\) takes a real number; got "):
        Value(bad)
    v = Value(1.0)
    for name in ("data", "grad"):
        with pytest.raises(TypeError, match=rf"Value\.{name} takes a real number; got "):
            setattr(v, name, bad)
    with pytest.raises(TypeError, match="unsupported operand"):
        v + bad
    with pytest.raises(TypeError, match="unsupported operand"):
        bad / v
    assert (v.data, v.grad) == (1.0, 0.0)


def test_a_value_in_a_value_is_refused_with_a_hint():
    with pytest.raises(TypeError, match=r"got Value\(data=1.0, grad=0.0\) \(Value\); use v.data or v.detach\(\)"):
        Value(Value(1.0))


@pytest.mark.parametrize("convert", [float, int, math.exp, math.sqrt, complex])
def test_a_value_never_turns_into_a_float_by_itself(convert):
    with pytest.raises(TypeError, match=r"use autograd\.exp, .* or v\.data"):
        convert(Value(1.0))


def test_a_label_is_text():
    with pytest.raises(TypeError, match="the label of a Value is a string; got 3"):
        Value(1.0, label=3)


def test_repr_is_that_of_micrograd_and_labels_show():
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"
    assert repr(Value(2, label="w")) == "Value(data=2.0, grad=0.0, label='w')"


def test_formatting_is_that_of_the_number():
    v = Value(math.pi)
    assert (f"{v:.3f}", f"{v:>8.2f}", f"{v}") == ("3.142", "    3.14", str(v))


def test_comparisons_go_by_data_and_equality_by_identity():
    a, b = Value(1.0), Value(2.0)
    assert a < b
    assert a < 2
    assert 2 > a  # noqa: SIM300
    assert a <= 1 <= b
    assert b >= a
    assert not a < 1.0
    assert not a > 1.0
    assert a == a
    assert a != Value(1.0)
    assert a != 1.0
    assert len({a, b, Value(1.0)}) == 3
    assert bool(a)
    assert not Value(0.0)
    with pytest.raises(TypeError):
        a < "b"  # noqa: B015


@pytest.mark.parametrize("operate", [*ORDERINGS, *BINARY.values()])
def test_what_is_no_number_may_answer_itself(operate):
    assert operate(Value(1.0), Foreign()) == "its own answer"
    assert operate(Foreign(), Value(1.0)) == "its own answer"


def test_values_can_be_subclassed_and_weakly_referenced():
    class Parameter(Value):
        def __init__(self, data, name):
            super().__init__(data)
            self.name = name

    p = Parameter(2.0, "w")
    (p * p).backward()
    assert (p.grad, p.name) == (4.0, "w")
    reference = weakref.ref(p)
    del p
    assert reference() is None


def test_a_subclass_keeps_identity():
    with pytest.raises(TypeError, match="Equal must keep == and hash by identity"):

        class Equal(Value):
            def __eq__(self, other):
                return self.data == other.data

    with pytest.raises(TypeError, match="Hashed must keep == and hash by identity"):

        class Hashed(Value):
            def __hash__(self):
                return 1


def test_changing_data_after_the_forward_pass_changes_no_gradient():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    a.data = b.data = c.data = 100.0
    c.backward()
    assert (a.grad, b.grad) == (3.0, 2.0)
    assert (c.operands, c.local_derivatives) == ((a, b), (3.0, 2.0))


# Back-propagation


def test_the_known_figures():
    x = Value(-4)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    assert (y.data, x.grad) == (-20.0, 46.0)


def test_a_node_used_twice_passes_on_its_whole_gradient_once():
    a = Value(3.0)
    b = a + a
    c = b + b
    c.backward()
    assert (a.grad, b.grad, c.grad) == (4.0, 2.0, 1.0)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))  # whole numbers add up without rounding
def test_second_backward_adds_the_same_amount_again(x, y):
    a, b = Value(x), Value(y)
    c = a * b + a * a
    c.backward()
    first, interior = (a.grad, b.grad), c.parents[0].grad
    c.backward()
    assert (a.grad, b.grad) == (2 * first[0], 2 * first[1])
    assert c.parents[0].grad == interior


def test_two_losses_of_one_graph_add_up_in_the_leaves():
    a = Value(2.0)
    shared = a * 3
    (shared * 1).backward()
    (shared * 10).backward()
    assert a.grad == 33.0
    assert shared.grad == 10.0


def test_backward_takes_the_gradient_from_above():
    a = Value(2.0)
    (a * 3).backward(gradient=0.5)
    assert a.grad == 1.5
    with pytest.raises(TypeError, match=r"backward\(gradient\) takes a real number; got 'a'"):
        (a * 3).backward("a")
    assert a.grad == 1.5


def test_infinite_contributions_add_up_too():
    a, b = Value(2.0), Value(2.0)
    (a * 3.0 + a).backward(math.inf)
    (b - b).backward(math.inf)
    assert a.grad == math.inf
    assert math.isnan(b.grad)


def test_backward_on_a_leaf_adds_to_its_gradient():
    a = Value(2.0)
    a.backward()
    a.backward(2)
    assert a.grad == 3.0


def test_zero_grad_clears_every_ancestor():
    a, b = Value(2.0), Value(3.0)
    c = autograd.dot([a, b], [b, 1.0]) * a
    c.backward()
    c.zero_grad()
    assert [v.grad for v in autograd.topological_order(c)] == [0.0] * len(autograd.topological_order(c))


def test_detach_cuts_the_graph():
    a = Value(2.0, label="a")
    b = (a * a).detach()
    (b * 3).backward()
    assert (b.data, b.grad, a.grad) == (4.0, 3.0, 0.0)
    assert a.detach().label == "a"


@given(st.sampled_from([math.inf, -math.inf, math.nan, 0.0, 1.0]), st.sampled_from([0.0, -0.0]))
@example(math.nan, 0.0)
def test_a_zero_factor_makes_a_contribution_zero(other, zero):
    x = Value(other)
    (x * zero).backward()
    assert x.grad == 0.0
    y = Value(zero)
    (y * Value(other) * 0.0).backward()
    assert y.grad == 0.0
    z = Value(zero)
    autograd.dot([z, z], [other, 1.0]).backward(0.0)
    assert z.grad == 0.0
    w = Value(1.0)
    autograd.dot([w], [zero]).backward(other)
    assert w.grad == 0.0


@pytest.mark.parametrize("name", BINARY)
def test_an_operator_with_a_number_on_either_side_is_the_function(name):
    """At numbers for which no operation gives the same when they change places."""
    for left, right in ((Value(7.5), 2.0), (7.5, Value(2.0)), (7, Value(2.0)), (Value(7.5), Value(2.0))):
        node, function = BINARY[name](left, right), getattr(autograd, name)(left, right)
        assert (node.operation, node.data, node.operands) == (name, function.data, (left, right))
        assert (node.parents, node.local_derivatives) == (function.parents, function.local_derivatives)


@given(finite, finite)
def test_the_hand_written_arithmetic_equals_the_table_of_rules(x, y):
    forms = {
        "add": [lambda a, b: a + b, autograd.add],
        "sub": [lambda a, b: a - b, autograd.sub],
        "mul": [lambda a, b: a * b, autograd.mul],
    }
    for name, (written, function) in forms.items():
        a, b = Value(x), Value(y)
        for left, right in ((a, b), (a, y), (x, b)):
            node, table = written(left, right), function(left, right)
            assert (node.operation, node.data, node.operands) == (name, table.data, table.operands)
            assert (node.parents, node.local_derivatives) == (table.parents, table.local_derivatives)
    assert (-a).local_derivatives == autograd.neg(a).local_derivatives


def test_one_step_of_the_chain_rule_has_micrograds_name():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    c.grad = 2.0
    c._backward()
    assert (a.grad, b.grad) == (6.0, 4.0)
    a._backward()
    assert (c._op, a._op, (a / b)._op, (a**2)._op, a.relu()._op) == ("*", "", "/", "**", "relu")
    assert (c._prev, a._prev) == ((a, b), ())


def test_only_operations_that_stand_between_their_operands_have_a_symbol():
    symbols = {name: operation.symbol for name, operation in operations.items() if operation.symbol}
    assert symbols == {
        "add": "+",
        "sub": "-",
        "mul": "*",
        "div": "/",
        "floor_divide": "//",
        "remainder": "%",
        "pow": "**",
    }


# Memory


@pytest.fixture
def collector_off():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collector_off")
def test_dropping_a_graph_frees_it_at_once():
    a = Value(1.0)
    interior = a * 2
    root = autograd.dot([interior, a], [a, interior], a).tanh() ** 2
    root.backward()
    alive = [weakref.ref(v) for v in (interior, root)]
    del interior, root
    assert [reference() for reference in alive] == [None, None]
    assert a.grad != 0.0


@pytest.mark.usefixtures("collector_off")
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))])
def test_copying_keeps_nothing_alive(duplicate):
    root = autograd.dot([Value(1.0), Value(2.0)], [Value(3.0), 4.0]) * 2
    twin = duplicate(root)
    alive = [weakref.ref(root), weakref.ref(twin)]
    del root, twin
    assert [reference() for reference in alive] == [None, None]


@pytest.mark.parametrize("operate", [operator.mul, operator.truediv])
def test_a_node_takes_at_most_230_bytes(operate):
    import tracemalloc

    a, b, nodes = Value(2.0), Value(3.0), [None] * 1000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for i in range(1000):
        nodes[i] = operate(a, b)
    taken = (tracemalloc.get_traced_memory()[0] - before) / 1000
    tracemalloc.stop()
    assert taken <= 230


def test_backward_with_a_graph_begins_with_the_gradient_given() -> None:
    x = Value(3.0)
    (x * x).backward(2.0, create_graph=True)
    assert x.grad.data == 12.0


def test_a_subclass_with_an_equality_of_its_own_is_refused_with_a_remedy() -> None:
    with pytest.raises(TypeError, match=r"since graphs are walked by them: compare \.data, or write a method"):
        type("Mine", (Value,), {"__eq__": lambda self, other: True})
    with pytest.raises(TypeError, match="must keep == and hash by identity"):
        type("Mine", (Value,), {"__hash__": lambda self: 1})
