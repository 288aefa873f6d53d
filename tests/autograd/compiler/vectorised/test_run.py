"""Does NumPy run whole programs as the interpreter does, which goes example by example? And is training the same?"""

import math
import random
import signal
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import nn
from autograd import Value, compile, dot, log, take, tanh, where
from autograd.compiler.flat_graph import flatten
from autograd.compiler.vectorised import ProgramBackend, choose, count_right, run
from autograd.testing.graphs.strategies import expressions
from nn.training.traced import traced
from tests.autograd.compiler.interpreter import Interpreter
from tests.nn.optimizers import OPTIMIZERS
from tests.nn.training.random_fits import random_fit
from tests.nn.training.test_compiled_against_eager_at_random import check


def assert_same(graph, rows, leaves):
    """Values, derivatives and Jacobian, as the interpreter has them."""
    found = []
    for backend in (ProgramBackend(graph), Interpreter(graph)):
        by_inputs = np.empty(rows.shape)
        found.append([*backend.run(rows, leaves, by_inputs=by_inputs), by_inputs, backend.jacobian(rows, leaves)])
    for ours, theirs in zip(*found, strict=True):
        size = np.abs(theirs[np.isfinite(theirs)]).max(initial=1.0)
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11 * size)


def network_with_loss(*widths, positions=1):
    """A network, and its loss for an example; at several positions the sum of its outputs."""
    model = nn.MLP(3, list(widths), activation="tanh", rng=0)
    examples = [[0.1, -0.2, 0.3]] * positions
    graph = traced(model, examples, [0] * positions, nn.cross_entropy)
    flat = flatten(graph.outputs(), graph.leaves())
    return flat, np.array([p.data for p in flat.parameters])


@pytest.mark.parametrize(("positions", "examples"), [(1, 1), (1, 7), (4, 1), (4, 5)])
def test_layers_are_matrix_products_at_one_or_several_positions(positions, examples):
    graph, leaves = network_with_loss(5, 3, positions=positions)
    assert any("as one layer" in note for note in ProgramBackend(graph).notes)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(examples, graph.inputs))
    rows[:, 3 * positions :] = rng.integers(0, 3, size=(examples, positions))
    assert_same(graph, rows, leaves)


@settings(max_examples=25)
@given(st.lists(expressions(max_nodes=12), min_size=1, max_size=3), st.integers(0, 2**32))
def test_random_graphs(parts, seed):
    count = max(len(part.inputs) for part in parts)
    x = [Value(0.5) for _ in range(count)]
    graph = flatten([part(*x[: len(part.inputs)]) for part in parts], x)
    rows = np.random.default_rng(seed).uniform(0.2, 0.9, size=(3, count))
    assert_same(graph, rows, np.array([p.data for p in graph.parameters]))


@pytest.mark.parametrize("examples", [1, 10])
def test_zeros_are_strong_where_a_layer_meets_an_infinity(examples):
    weights, x = [Value(0.0), Value(1.0), Value(0.0), Value(2.0)], [Value(1.0), Value(1.0)]
    hidden = [dot(weights[:2], x), dot(weights[2:], x)]
    graph = flatten([where(x[0], hidden[1], 3.0 * hidden[0])], x, weights)
    rows = np.tile([0.0, math.inf], (examples, 1))
    rows[1:, 1] = 2.0
    by_inputs, expected = np.empty(rows.shape), np.empty(rows.shape)
    leaves = np.array([w.data for w in weights])
    found = ProgramBackend(graph).run(rows, leaves, by_inputs=by_inputs)
    right = Interpreter(graph).run(rows, leaves, by_inputs=expected)
    np.testing.assert_array_equal(by_inputs, expected)
    np.testing.assert_array_equal(found[1], right[1])


def test_the_derivative_of_the_side_that_is_not_taken_is_0(without_llvmlite):
    f = compile(lambda x: where(x > 0.0, log(x), 0.0))
    assert [f.value_and_grad(x) for x in (0.0, 2.0)] == [(0.0, (0.0,)), (pytest.approx(math.log(2.0)), (0.5,))]


def test_blocks_of_examples_are_what_all_are_together(monkeypatch):
    graph, leaves = network_with_loss(5, 3)
    rows = np.random.default_rng(0).integers(0, 3, size=(100, graph.inputs)).astype(float)
    whole = ProgramBackend(graph).run(rows, leaves)
    monkeypatch.setattr(run, "AT_ONCE", 1)
    blocks = ProgramBackend(graph).run(rows, leaves)
    np.testing.assert_allclose(blocks[0], whole[0], rtol=1e-14)
    np.testing.assert_allclose(blocks[1], whole[1], rtol=1e-12, atol=1e-13)


def test_a_program_has_the_same_bits_every_time():
    graph, leaves = network_with_loss(20, 10, 3)
    rows = np.random.default_rng(0).integers(0, 3, size=(50, graph.inputs)).astype(float)
    found = {tuple(x.tobytes() for x in ProgramBackend(graph).run(rows, leaves)) for _ in range(3)}
    assert len(found) == 1


def test_an_index_that_is_out_of_range_is_an_error():
    x, index = [Value(1.0), Value(2.0)], Value(0.0)
    backend = ProgramBackend(flatten([take(x, index)], [*x, index]))
    for wrong in (2.0, -3.0, 0.5, math.nan):
        with pytest.raises(IndexError, match="take got an index that is no whole number from -2 to 1"):
            backend.run(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, wrong]]), np.zeros(0))


def test_random_choices_are_those_that_python_draws():
    ours, theirs = random.Random(3), random.Random(3)
    ours.gauss(0.0, 1.0), theirs.gauss(0.0, 1.0)
    found = np.empty((5, 7))
    choose([ours], np.array([0, 0]), np.array([0.3, 0.6]), np.array([4, 3]), np.array([2, 5]), found)
    expected = np.empty((5, 7))
    for rows in (slice(0, 2), slice(2, 5)):
        for columns, p in ((slice(0, 4), 0.3), (slice(4, 7), 0.6)):
            part = expected[rows, columns]
            part[:] = [[theirs.random() >= p for _ in row] for row in part]
    assert found.tolist() == expected.tolist()
    assert ours.getstate() == theirs.getstate()


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, -math.inf, math.nan]), min_size=3, max_size=3), min_size=1))
def test_right_answers_are_counted_as_by_pythons_max(rows):
    classes = np.array([[1.0]] * len(rows))
    expected = sum(max(range(3), key=row.__getitem__) == 1 for row in rows)
    assert count_right(np.array(rows), classes, np.arange(len(rows))) == expected


# Training


@settings(max_examples=4)
@given(st.randoms(use_true_random=False).map(random_fit))
def test_calls_of_fit(without_llvmlite_for_all, fit):
    check(fit)


@pytest.fixture(scope="module")
def without_llvmlite_for_all():
    """As if llvmlite were not installed, for all examples of a property."""
    from autograd.compiler.backend import why_no_native_code

    before = sys.modules.get("llvmlite")
    why_no_native_code.cache_clear()
    sys.modules["llvmlite"] = None
    yield
    del sys.modules["llvmlite"]
    if before is not None:
        sys.modules["llvmlite"] = before
    why_no_native_code.cache_clear()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_of_python(name, without_llvmlite):
    w, v, x = ([Value(k / 10.0) for k in range(6)] for _ in range(3))
    ours, theirs = OPTIMIZERS[name](w), OPTIMIZERS[name](v)
    program = compile((tanh(dot(w, x)) - 0.5) ** 2, x, w)
    rows = np.random.default_rng(0).normal(size=(5, 6))
    for _ in range(4):
        loss = program.step(ours, rows)
        theirs.zero_grad()
        error = sum((tanh(dot(v, row)) - 0.5) ** 2 for row in rows.tolist()) / 5.0
        error.backward()
        theirs.step()
        assert loss == pytest.approx(error.data, rel=1e-12)
    assert [p.data for p in w] == pytest.approx([p.data for p in v], rel=1e-11, abs=1e-13)


def test_ctrl_c_waits_for_the_end_of_a_step(without_llvmlite):
    """A real signal, at each line of the files that run a step."""

    def stepped(line):
        w, x = [Value(0.5), Value(-0.5)], [Value(1.0), Value(1.0)]
        optimizer, program, count = nn.Adam(w, lr=0.1), compile(dot(w, x) ** 2, x, w), 0

        def trace(frame, event, argument):
            nonlocal count
            if not frame.f_code.co_filename.endswith(("vectorised/run.py", "vectorised/instructions.py")):
                return None
            if event == "line":
                count += 1
                if count == line:
                    signal.raise_signal(signal.SIGINT)
            return trace

        program.step(optimizer, [1.0, 2.0])
        before, interrupted = sys.gettrace(), False
        sys.settrace(trace)
        try:
            program.step(optimizer, [1.0, 2.0])
        except KeyboardInterrupt:
            interrupted = True
        finally:
            sys.settrace(before)
        return interrupted, optimizer.steps, [p.data for p in w], optimizer.state

    _, steps, numbers, state = stepped(-1)
    assert steps == 2
    for line in range(5, 200, 20):
        interrupted, *after = stepped(line)
        if interrupted and after[0] == 2:
            assert after == [2, numbers, state]
