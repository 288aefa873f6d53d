"""Does a program compute one of its outputs as a program of that output alone does?"""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import autograd
from autograd import Value, compile, dot, exp, log, scan, take, tanh
from autograd.testing import expressions
from nn import SGD, Adam
from tests.autograd.compiler.interpreter import Interpreter

INPUTS = 4


def weights(count, seed=0):
    rng = random.Random(seed)
    return [Value(rng.gauss(0.0, 0.5)) for _ in range(count)]


def recurrent(w, x):
    """An RNN by hand, two hidden numbers: the mean of the first n errors for each n."""
    h, total, found = [0.0, 0.0], 0.0, []
    for n, number in enumerate(x, 1):
        h = [tanh(dot(w[3 * k : 3 * k + 3], [number, *h], w[6 + k])) for k in range(2)]
        total = total + (dot(w[8:10], h) - 0.5) ** 2
        found.append(total / n)
    return found


def convolved(w, x):
    """A convolution by hand: windows of two, and for each n the loss of those among the first n inputs."""
    windows = [[tanh(dot(w[2 * k : 2 * k + 2], x[i : i + 2])) for k in range(3)] for i in range(len(x) - 1)]
    return [autograd.sum([dot(w[6:9], row) ** 2 for row in windows[:n]]) for n in range(1, len(x))]


def layered(w, x):
    """Layers that some outputs need and others do not."""
    first = [tanh(dot(w[2 * k : 2 * k + 2], x[:2])) for k in range(3)]
    second = [exp(dot(w[6 + 2 * k : 8 + 2 * k], x[2:])) for k in range(2)]
    return [dot(w[10:13], first), dot(w[13:15], second), dot(first, w[13:16]) + second[0], x[0], w[0]]


def looped(w, x):
    """A loop with state, which only some outputs need."""
    carry, given_ = scan(lambda h, number: (tanh(w[0] * h + w[1] * number), h * w[2]), w[3], x)
    return [carry, x[0] * w[4], autograd.sum(given_) + w[0]]


MODELS = {"an RNN": (recurrent, 10), "a convolution": (convolved, 9), "layers": (layered, 16), "a loop": (looped, 5)}


def program_of(model, parameters):
    x = [Value(0.1 * k) for k in range(INPUTS)]
    return compile(model(parameters, x), x, parameters=parameters)


def alone(model, parameters, output):
    x = [Value(0.1 * k) for k in range(INPUTS)]
    return compile(model(parameters, x)[output], x, parameters=parameters)


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("count", [1, 3, 200])
def test_an_output_is_what_a_program_of_it_alone_gives(name, count):
    model, size = MODELS[name]
    parameters = weights(size)
    program, rng = program_of(model, parameters), np.random.default_rng(0)
    numbers = list(range(len(program([0.0] * INPUTS))))
    random.Random(0).shuffle(numbers)
    for output in [*numbers, *numbers]:  # again, when others have left their numbers
        X = rng.normal(size=(count, INPUTS))
        expected = alone(model, parameters, output).value_and_grad(X)
        assert_same(program.value_and_grad(X, output=output), expected)
        interpreted = Interpreter(program._graph)
        by_inputs = np.empty(X.shape)
        leaves = np.array([p.data for p in parameters])
        values, by_parameters = interpreted.run(X, leaves, by_inputs=by_inputs, outputs=(output,))
        assert_same((values[:, 0], by_inputs, by_parameters), expected)
        np.testing.assert_allclose(program(X)[:, output], expected[0], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_steps_of_several_outputs_share_an_optimizer(name, optimizer, either_code):
    model, size = MODELS[name]
    ours, theirs = weights(size), weights(size)
    program, rng = program_of(model, ours), np.random.default_rng(0)
    a, b = optimizer(ours, lr=0.01), optimizer(theirs, lr=0.01)
    outputs = len(program([0.0] * INPUTS))
    for step in range(3 * outputs):
        output, X = (step * 2) % outputs, rng.normal(size=([1, 8, 3][step % 3], INPUTS))
        if not alone(model, theirs, output).parameters:
            continue
        loss = program.step(a, X, output=output)
        b.zero_grad()
        values = alone(model, theirs, output).backward(X, output=0)
        for p in theirs:
            p.grad /= len(X)
        b.step()
        assert loss == pytest.approx(values.mean(), rel=1e-12, abs=1e-13)
        for p, q in zip(ours, theirs, strict=True):
            assert p.data == pytest.approx(q.data, rel=1e-10, abs=1e-12)


@settings(max_examples=40)
@given(st.lists(expressions(max_nodes=8), min_size=2, max_size=4), st.integers(0, 2**32))
def test_of_random_graphs(parts, seed):
    rng = np.random.default_rng(seed)
    count = max(len(part.inputs) for part in parts)
    x = [Value(0.5) for _ in range(count)]
    program = compile([part(*x[: len(part.inputs)]) for part in parts], x)
    X = rng.normal(size=(int(rng.integers(1, 12)), count))
    for output, part in enumerate(parts):
        expected = compile(part(*x[: len(part.inputs)]), x).value_and_grad(X)
        for a, b in zip(program.value_and_grad(X, output=output), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_what_other_outputs_need_may_be_out_of_range_or_infinite():
    x, i, w = Value(1.0), Value(0.0), Value(2.0)
    program = compile([take([w, x], i), w * x, log(x - x)], [x, i], parameters=[w])
    assert program.value_and_grad([3.0, 7.0], output=1)[0] == 6.0
    with pytest.raises(IndexError, match="take got an index"):
        program.value_and_grad([3.0, 7.0], output=0)
    assert program.value_and_grad([3.0, 7.0], output=1)[2].tolist() == [3.0]


def test_backward_adds_the_gradient_of_an_output():
    x, w = Value(1.0), Value(3.0)
    program = compile([w * x, w * x * x], [x], parameters=[w])
    assert program.backward([[2.0], [3.0]], output=1).tolist() == [12.0, 27.0]
    assert w.grad == 13.0


@pytest.mark.parametrize("output", [2, -1, 1.0, "0", None, True])
def test_there_must_be_such_an_output(output):
    x, w = Value(1.0), Value(3.0)
    program = compile([w * x, w * x * x], [x], parameters=[w])
    with pytest.raises((ValueError, TypeError), match="output takes"):
        program.step(SGD([w], lr=0.1), [2.0], output=output)
    assert w.data == 3.0


@pytest.mark.parametrize("name", ["an RNN", "a convolution"])
def test_one_recording_serves_all_lengths_as_the_eager_engine_computes_them(name):
    model, size = MODELS[name]
    parameters, rng = weights(size), random.Random(1)
    program = program_of(model, parameters)
    lengths = list(range(len(program([0.0] * INPUTS))))
    for output in [*lengths, *reversed(lengths)]:
        numbers = [rng.gauss(0.0, 1.0) for _ in range(INPUTS)]
        x = [Value(number) for number in numbers]
        for p in parameters:
            p.grad = 0.0
        loss = model(parameters, x)[output]
        loss.backward()
        expected = loss.data, [v.grad for v in x], [p.grad for p in parameters]
        assert_same(program.value_and_grad(numbers, output=output), expected)


@pytest.mark.parametrize("name", ["an RNN", "a convolution"])
def test_what_lies_behind_the_end_of_a_shorter_sequence_changes_nothing(name):
    model, size = MODELS[name]
    program = program_of(model, weights(size))
    ends = [1, 2, 3, 4] if name == "an RNN" else [2, 3, 4]
    for output, end in enumerate(ends):
        numbers = [0.5, -1.0, 2.0, 0.25][:end]
        expected = program.value_and_grad([*numbers, *[0.0] * (INPUTS - end)], output=output)
        for padding in (7.0, math.nan, math.inf):
            found = program.value_and_grad([*numbers, *[padding] * (INPUTS - end)], output=output)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_array_equal(a, b)
