"""Do the steps say what is computed, in sentences that are true?"""

import math
import re

from hypothesis import example, given, strategies as st

import autograd
import nn
from autograd import Value, explain, leaves, topological_order
from tests.autograd.test_graph import graphs

FUNCTIONS = {name: getattr(autograd, name) for name in (*autograd.__all__, "sum", "max", "min", "abs")}
FUNCTIONS |= {"nan": math.nan, "inf": math.inf, "pi": math.pi, "select": lambda q, a, b: a if q else b}


def value_of(text, names):
    """What a formula gives, by the functions of the package; None where Python overflows on the way."""
    try:
        return autograd.Value(eval(text, {"__builtins__": {}}, FUNCTIONS | names)).data
    except OverflowError:  # of cosh(600)**2, where the page's arithmetic has inf
        return None


def close(x, y):
    return x is None or x == y or (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12)


@given(graphs())
def test_a_formula_with_letters_and_with_numbers_gives_the_number_beside_it(nodes):
    explanation = explain(nodes[-1], precision=17)
    names = {name: node.data for node, name in explanation.names.items()}
    for moment in explanation.steps:
        for line in moment.lines:
            if found := re.fullmatch(r"d \S+/d \S+ = (.*?)(?:  \(operand \d+\))?", line):
                *formulas, number = found[1].split(" = ")
                assert all(close(value_of(formula, names), float(number)) for formula in formulas), line


@given(graphs())
def test_every_line_of_numbers_is_an_equation_that_holds(nodes):
    for moment in explain(nodes[-1], precision=17).steps:
        for line in moment.lines:
            if found := re.fullmatch(
                r"   (\S+) \* (\S+) = (\S+)(?: \(a factor of 0 gives 0\))?, so grad \S+: (\S+) -> (\S+)", line
            ):
                upstream, local, passed, before, after = (float(x.strip("()")) for x in found.groups())
                product = upstream * local if upstream and local else 0.0
                assert passed == product or math.isnan(product)
                assert after == before + passed or math.isnan(before + passed)


@given(graphs(), st.floats(0.001, 1.0))
def test_after_the_update_stands_what_building_again_gives(nodes, lr):
    root = nodes[-1]
    explanation = explain(root, lr=lr)
    last = {leaf: float(text.split(" = ")[-1]) for leaf, text in moved(explain(root, lr=lr, precision=17))}
    order = topological_order(root)
    again = autograd.steps.replay(order, last)
    for index, node in enumerate(explanation.scene.nodes):
        assert explanation.after(f"v{index}") == again[node].data or math.isnan(again[node].data)


def moved(explanation):
    """The leaves that an update moves, each with the line that says so."""
    for moment in explanation.steps:
        if moment.title.startswith("move "):
            yield explanation.scene.nodes[moment.node], moment.lines[0]


def test_with_a_model_its_parameters_move_and_inputs_stay():
    model, x = nn.MLP(2, [1]), [Value(1.0, label="x"), Value(2.0, label="y")]
    loss = (model(x) - 1.0) ** 2
    titles = [moment.title for moment in explain(loss, lr=0.1, model=model).steps if moment.phase == "update"]
    assert titles == ["move w0.0.0", "move w0.0.1", "move b0.0", "compute everything again"]
    assert {leaf for leaf, _ in moved(explain(loss, lr=0.1))} == set(leaves(loss))


def test_a_single_leaf_is_explained():
    lone = explain(Value(3.0, label="a"), lr=0.1)
    assert [moment.phase for moment in lone.steps] == ["backward", "update", "update"]
    assert "grad a = 1, since d a/d a = 1" in lone.steps[0].lines
    assert lone.steps[1].lines == ["a = a - lr * grad a = 3 - 0.1 * 1 = 2.9", "(other numbers follow at the end)"]


def test_both_edges_of_a_square_are_told_apart():
    a = Value(3.0, label="a")
    lines = explain(a * a).steps[0].lines
    assert "d mul1/d a = a = 3  (operand 1)" in lines
    assert "d mul1/d a = a = 3  (operand 2)" in lines


def test_the_promise_of_the_gradient_and_what_came():
    w = Value(2.0, label="w")
    loss = (w * 3.0 - 1.0) ** 2  # the gradient is 30, the step -0.3
    assert explain(loss, lr=0.01).steps[-1].lines == [
        "pow1 before: 25, pow1 after: 16.81",
        "the gradient promised a change of -9, it was -8.19",
        "promised: the sum of gradient * change of each moved leaf; it holds for small steps",
    ]


@given(st.integers(1, 40))
@example(40)
def test_steps_with_many_operands_stay_short(count):
    terms = [Value(1.0 + k) for k in range(count)]
    for moment in explain(autograd.sum(terms)).steps:
        assert len(moment.lines) <= 30


def test_where_a_factor_of_0_decides_it_is_said():
    x, y = Value(0.0, label="x"), Value(-0.0, label="y")
    lines = "\n".join(explain(x * y).steps[1].lines)
    assert "1 * (-0) = 0 (a factor of 0 gives 0), so grad x: 0 -> 0" in lines
    assert "1 * 0 = 0, so grad y: 0 -> 0" in lines


def test_constant_exponents_are_computed():
    x = Value(-3.0, label="x")
    for exponent, formula in ((2, "2 * x = 2 * (-3) = -6"), (3, "3 * x**2 = 3 * (-3)**2 = 27")):
        assert f"d pow1/d x = {formula}" in explain(x**exponent).steps[0].lines
