"""Are dots that run as one matrix product, and what fusion leaves out, still what the graph says?"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("llvmlite")

from autograd import Value, compile, dot, log_softmax, relu, sqrt, tanh
from nn import MLP

U = 2.0**-53


def layer(m, k, bias, rng):
    """The sum of tanh of m dots of k inputs: the output, the inputs and the parameters."""
    inputs = [Value(rng.gauss(0.0, 1.0)) for _ in range(k)]
    weights = [[Value(rng.gauss(0.0, 1.0)) for _ in range(k)] for _ in range(m)]
    biases = [Value(rng.gauss(0.0, 1.0)) for _ in range(m)] if bias else [None] * m
    dots = [dot(w, inputs) if b is None else dot(w, inputs, b) for w, b in zip(weights, biases, strict=True)]
    total = dots[0]
    for y in dots[1:]:
        total = total * 0.5 + y
    return [total, *dots], inputs, [x for row in weights for x in row] + [b for b in biases if b is not None]


def by_hand(outputs, inputs, parameters, rows):
    """Values, derivatives by the inputs and summed derivatives by the parameters, example by example."""
    values, by_inputs, sums = [], [], np.zeros(len(parameters))
    numbers = [x.data for x in inputs]
    program = outputs[0]
    for row in rows:
        fresh = dict(zip(inputs, map(Value, row), strict=True))
        copy = recomputed(program, fresh, parameters)
        values.append(copy[0].data)
        copy[0].backward()
        by_inputs.append([fresh[x].grad for x in inputs])
        sums += [copy[1][p].grad for p in parameters]
    assert [x.data for x in inputs] == numbers
    return values, by_inputs, sums


def recomputed(root, fresh, parameters):
    """The graph on other leaves: its root, and the parameters of the copy."""
    from autograd.graph import topological_order
    from autograd.value import apply

    known = {**fresh, **{p: Value(p.data) for p in parameters}}
    for node in topological_order(root):
        if node not in known:
            operands = [known[x] if isinstance(x, Value) else x for x in node.operands]
            known[node] = apply(node._operation, *operands) if node.operation else Value(node.data)
    return known[root], known


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 19), st.integers(1, 19), st.booleans(), st.integers(1, 40), st.integers(0, 2**32))
def test_layers_of_every_width_for_every_number_of_examples(m, k, bias, examples, seed):
    rng = random.Random(seed)
    outputs, inputs, parameters = layer(m, k, bias, rng)
    program = compile(outputs[0], inputs)
    rows = [[rng.gauss(0.0, 1.0) for _ in inputs] for _ in range(examples)]
    values, by_inputs, sums = by_hand(outputs, inputs, parameters, rows)
    found = program.value_and_grad(np.array(rows))
    np.testing.assert_allclose(found[0], values, rtol=0.0, atol=1e-13 * (m + k))
    np.testing.assert_allclose(found[1], by_inputs, rtol=0.0, atol=1e-13 * (m + k))
    places = [parameters.index(p) for p in program.parameters]
    np.testing.assert_allclose(found[2], sums[places], rtol=0.0, atol=1e-12 * (m + k))
    single = program.value_and_grad(rows[0])
    np.testing.assert_allclose(single[1], by_inputs[0], rtol=0.0, atol=1e-13 * (m + k))
    assert str(program).count("as one layer") == 1


def test_a_dot_of_a_layer_is_within_its_bound():
    rng = random.Random(0)
    for k in (1, 7, 8, 64, 100):
        outputs, inputs, _ = layer(9, k, True, rng)
        program = compile(outputs[1:], inputs)
        rows = np.array([[rng.gauss(0.0, 1.0) * 10.0 ** rng.randint(-6, 6) for _ in inputs] for _ in range(50)])
        found = program(rows)
        for j, y in enumerate(outputs[1:]):
            numbers = [[w.data * x for w, x in zip(y.operands[:k], row, strict=True)] for row in rows.tolist()]
            for i, products in enumerate(numbers):
                bias = y.operands[-1].data
                truth, size = math.fsum([*products, bias]), math.fsum(map(abs, [*products, bias]))
                assert abs(found[i, j] - truth) <= (k + 1) * U * size


def products(weights, inputs, bias):
    total = bias
    for w, x in zip(weights, inputs, strict=True):
        total = total + w * x
    return total


def test_products_and_sums_run_as_dots_and_then_as_layers():
    rng = random.Random(0)
    inputs = [Value(rng.random()) for _ in range(5)]
    rows = [[Value(rng.random()) for _ in inputs] for _ in range(4)]
    biases = [Value(rng.random()) for _ in rows]
    spelled = [relu(products(w, inputs, b)) for w, b in zip(rows, biases, strict=True)]
    program = compile([sum(spelled), *spelled], inputs)
    text = str(program)
    assert text.count("= dot(") == 4
    assert "# 20 products in 4 sums are parts of dots" in text
    assert "# 4 dots of 5 weights run as one layer" in text
    X = np.random.default_rng(0).normal(size=(30, 5))
    found = program(X)
    for row, ys in zip(X.tolist(), found.tolist(), strict=True):
        expected = [
            max(0.0, b.data + math.fsum(w.data * x for w, x in zip(ws, row, strict=True)))
            for ws, b in zip(rows, biases, strict=True)
        ]
        assert ys[1:] == pytest.approx(expected, rel=1e-13, abs=1e-13)


def test_a_product_that_something_else_reads_stays():
    x, w, v = Value(1.0), Value(2.0), Value(3.0)
    first = w * x
    y = first + v * x + tanh(first)
    program = compile(y, [x])
    assert "dot" not in str(program)
    value, by_x, _ = program.value_and_grad([0.5])
    assert value == pytest.approx(1.0 + 1.5 + math.tanh(1.0))
    assert by_x[0] == pytest.approx(2.0 + 3.0 + 2.0 / math.cosh(1.0) ** 2)


def test_what_stands_there_twice_is_computed_once():
    x, y = Value(0.5), Value(0.25)
    z = tanh(x * y) + tanh(x * y) * tanh(x * y)
    program = compile(z, [x, y])
    assert str(program).count("tanh(") == 1
    assert "# 4 repeated subexpressions are computed once" in str(program)
    z.backward()
    value, gradient, _ = program.value_and_grad([0.5, 0.25])
    assert value == z.data
    assert gradient.tolist() == pytest.approx([x.grad, y.grad], rel=1e-15)


def test_weights_that_two_layers_share():
    rng = random.Random(0)
    inputs = [Value(rng.gauss(0.0, 1.0)) for _ in range(3)]
    weights = [[Value(rng.gauss(0.0, 1.0)) for _ in range(3)] for _ in range(3)]
    hidden = [tanh(dot(w, inputs)) for w in weights]
    y = sum(tanh(dot(w, hidden)) for w in weights)
    program = compile(y, inputs)
    y.backward()
    for examples in (1, 3):
        _, by_inputs, by_parameters = program.value_and_grad([[x.data for x in inputs]] * examples)
        assert by_inputs[0].tolist() == pytest.approx([x.grad for x in inputs], rel=1e-13)
        assert by_parameters.tolist() == pytest.approx([examples * p.grad for p in program.parameters], rel=1e-13)


@pytest.mark.parametrize("examples", [1, 2, 8, 9])
@pytest.mark.parametrize("special", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("where", ["input", "weight"])
def test_a_zero_factor_gives_zero_in_a_layer_too(where, special, examples):
    """relu is 0 there, so that nothing comes back: neither inf nor nan beside it may change that."""
    x = [Value(1.0), Value(2.0)]
    w = [[Value(-1.0), Value(-1.0)], [Value(1.0), Value(0.5)]]
    hidden = [relu(dot(row, x)) for row in w]
    y = dot([Value(3.0), Value(4.0)], hidden)
    program = compile(y, x)
    if where == "weight":
        w[0][0].data = special
        row = [0.0, 1.0]
    else:
        row = [special, 1.0]
    leaves = [Value(v) for v in row]
    hidden = [relu(dot([Value(p.data) for p in ws], leaves)) for ws in w]
    expected = dot([Value(3.0), Value(4.0)], hidden)
    expected.backward()
    values, by_inputs, _ = program.value_and_grad([row] * examples)
    np.testing.assert_array_equal(values, [expected.data] * examples)
    np.testing.assert_array_equal(by_inputs, [[v.grad for v in leaves]] * examples)


@pytest.mark.parametrize("examples", [1, 2, 8])
def test_a_zero_factor_gives_zero_in_many_lanes_too(examples):
    x, w = Value(0.0), Value(2.0)
    program = compile(sqrt(w * x - 1.0), [x])
    _, by_x, by_w = program.value_and_grad([[0.0]] * examples)
    assert np.isnan(by_x).all()
    assert by_w.tolist() == [0.0]  # nan * 0, for every example


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 2**32))
def test_log_softmax_of_many_examples_at_once(count, examples, seed):
    rng = random.Random(seed)
    xs = [Value(rng.gauss(0.0, 3.0)) for _ in range(count)]
    index = Value(0.0)
    program = compile(log_softmax(xs, index=index), [*xs, index])
    rows = [[*(rng.gauss(0.0, 30.0) for _ in xs), float(rng.randint(-count, count - 1))] for _ in range(examples)]
    values, by_inputs, _ = program.value_and_grad(rows)
    for row, value, gradient in zip(rows, values.tolist(), by_inputs.tolist(), strict=True):
        leaves = [Value(x) for x in row[:-1]]
        out = log_softmax(leaves, index=int(row[-1]))
        out.backward()
        assert value == pytest.approx(out.data, rel=1e-15, abs=1e-300)
        assert gradient[:-1] == pytest.approx([x.grad for x in leaves], rel=1e-14, abs=1e-300)


def test_a_large_network_says_what_runs_together():
    inputs = [Value(0.0) for _ in range(8)]
    text = str(compile(MLP(8, [16, 4], rng=random.Random(0))(inputs), inputs))
    assert "# 16 dots of 8 weights run as one layer" in text
    assert "# 4 dots of 16 weights run as one layer" in text
