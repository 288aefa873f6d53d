"""Does a program do what its graph does, for any number of examples, and say what does not fit?"""

import math
import os
import pickle
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import autograd
from autograd import Program, Value, compile, dot, exp, log, operation, take, tanh
from autograd.compiler.flat_graph import flatten
from autograd.compiler.fusion import fused
from autograd.compiler.native import ProgramBackend
from autograd.compiler.native.layout import BLOCK, CACHE, Layout
from autograd.compiler.native.run import Memory
from nn import MLP, cross_entropy
from tests.autograd.compiler.interpreter import Interpreter


def small():
    """A graph of two inputs and two parameters, w and b."""
    x0, x1 = Value(0.5), Value(-1.0)
    w, b = Value(2.0, label="w"), Value(0.25, label="b")
    y = tanh(w * x0 + b) * exp(x1) + w * w
    return y, [x0, x1], [w, b]


def eager(row, w, b):
    """The value of that graph and its derivatives by the inputs and the parameters."""
    leaves = [Value(x) for x in (*row, w, b)]
    x0, x1, w, b = leaves
    y = tanh(w * x0 + b) * exp(x1) + w * w
    y.backward()
    return y.data, [x.grad for x in leaves]


@pytest.mark.parametrize("examples", [1, 2, 63, 64, 65, 197, 5000])
def test_values_and_gradients_for_any_number_of_examples(examples):
    y, inputs, parameters = small()
    program = compile(y, inputs)
    assert set(program.parameters) == set(parameters)
    X = np.random.default_rng(0).normal(size=(examples, 2))
    expected = [eager(row, 2.0, 0.25) for row in X]
    values, by_inputs, by_parameters = program.value_and_grad(X)
    assert values.tolist() == pytest.approx([value for value, _ in expected], rel=1e-14)
    assert by_inputs.tolist() == [pytest.approx(g[:2], rel=1e-14) for _, g in expected]
    sums = dict(zip(parameters, [math.fsum(g[k] for _, g in expected) for k in (2, 3)], strict=True))
    assert by_parameters.tolist() == pytest.approx([sums[p] for p in program.parameters], rel=1e-12)
    assert program(X).tolist() == [[value] for value in values.tolist()]


def test_one_example_gives_one_float_and_flat_gradients():
    y, inputs, _ = small()
    value, by_inputs, by_parameters = compile(y, inputs).value_and_grad([0.5, -1.0])
    assert type(value) is float
    assert value == y.data
    assert by_inputs.shape == (2,)
    assert by_parameters.shape == (2,)
    assert compile(y, inputs)([0.5, -1.0]).tolist() == [y.data]


def test_no_examples_give_no_values_and_no_gradients():
    y, inputs, _ = small()
    values, by_inputs, by_parameters = compile(y, inputs).value_and_grad(np.zeros((0, 2)))
    assert values.shape == (0,)
    assert by_inputs.shape == (0, 2)
    assert by_parameters.tolist() == [0.0, 0.0]


def test_parameters_are_read_afresh_at_each_call():
    y, inputs, (w, b) = small()
    program = compile(y, inputs)
    w.data, b.data = -1.0, 3.0
    assert program([0.5, -1.0])[0] == pytest.approx(eager([0.5, -1.0], -1.0, 3.0)[0], rel=1e-15)


def test_backward_adds_to_the_parameters_gradients():
    y, inputs, (w, b) = small()
    w.grad = 10.0
    values = compile(y, inputs).backward([[0.5, -1.0], [1.0, 0.0]])
    rows = [eager(row, 2.0, 0.25) for row in ([0.5, -1.0], [1.0, 0.0])]
    assert values.tolist() == pytest.approx([value for value, _ in rows])
    assert w.grad == pytest.approx(10.0 + sum(g[2] for _, g in rows), rel=1e-14)
    assert b.grad == pytest.approx(sum(g[3] for _, g in rows), rel=1e-14)
    assert inputs[0].grad == 0.0


def test_several_outputs_that_may_be_inputs_parameters_and_repeats():
    y, inputs, (w, _) = small()
    program = compile([y, inputs[1], w, y, w * w], inputs)
    assert program([[0.5, -1.0]] * 2).tolist() == [[y.data, -1.0, 2.0, y.data, 4.0]] * 2


def test_a_program_without_instructions():
    x, w = Value(1.0), Value(2.0)
    program = compile([autograd.sum([x]), w], [x])
    assert program([[3.0], [4.0]]).tolist() == [[3.0, 2.0], [4.0, 2.0]]
    assert [a.tolist() for a in program.value_and_grad([[3.0], [4.0]])] == [[3.0, 4.0], [[1.0], [1.0]], [0.0]]


def test_an_output_that_depends_on_no_input_has_gradient_0_by_all_of_them():
    w, x = Value(3.0), Value(1.0)
    values, by_inputs, by_parameters = compile(w * w, [x]).value_and_grad([[1.0], [2.0], [5.0]])
    assert values.tolist() == [9.0] * 3
    assert by_inputs.tolist() == [[0.0]] * 3
    assert by_parameters.tolist() == [18.0]  # 6 for each example


def test_a_network_with_its_loss():
    model = MLP(4, [5, 3], rng=random.Random(0))
    inputs = [Value(x) for x in (0.1, -0.2, 0.3, 0.4)]
    program = compile(cross_entropy(model(inputs), 2), inputs)
    X = np.random.default_rng(1).normal(size=(100, 4))
    model.zero_grad()
    cross_entropy(model(X.tolist()), [2] * 100, reduction="sum").backward()
    expected = {p: p.grad for p in model.parameters()}
    _, _, gradients = program.value_and_grad(X)
    assert gradients.tolist() == pytest.approx([expected[p] for p in program.parameters], rel=1e-11, abs=1e-13)


def test_a_program_has_the_same_bits_every_time():
    y, inputs, _ = small()
    X = np.random.default_rng(0).normal(size=(200, 2))
    first, second = (compile(y, inputs).value_and_grad(X) for _ in range(2))
    assert [a.tobytes() for a in first] == [a.tobytes() for a in second]


def test_no_call_changes_what_another_gave():
    y, inputs, _ = small()
    program, rng, found = compile(y, inputs), np.random.default_rng(0), []
    for examples in rng.choice([1, 2, 8, 100, 1000], 50).tolist():
        X = rng.normal(size=(examples, 2))
        X.setflags(write=bool(rng.integers(2)))
        found.append((X, program(X), *program.value_and_grad(X)[:2], program.jacobian(X)))
    for X, outputs, values, by_inputs, matrices in found:
        fresh = compile(y, inputs)
        assert fresh(X).tobytes() == outputs.tobytes()
        assert [a.tobytes() for a in fresh.value_and_grad(X)[:2]] == [values.tobytes(), by_inputs.tobytes()]
        assert fresh.jacobian(X).tobytes() == matrices.tobytes()


def test_several_threads_may_call_it_at_the_same_time():
    y, inputs, _ = small()
    program, rng = compile(y, inputs), np.random.default_rng(0)
    rows = [rng.normal(size=(n, 2)) for n in (1, 3, 64, 300) * 8]
    expected = [[a.tobytes() for a in program.value_and_grad(X)] for X in rows]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            found = [[a.tobytes() for a in x] for x in pool.map(program.value_and_grad, rows)]
            assert found == expected


def test_the_interpreter_computes_the_same():
    y, inputs, _ = small()
    graph = flatten([y, inputs[0]], inputs)
    X = np.random.default_rng(0).normal(size=(10, 2))
    leaves, results = np.array([p.data for p in graph.parameters]), []
    for backend in (ProgramBackend(graph), Interpreter(graph)):
        by_inputs = np.empty(X.shape)
        results.append([*backend.run(X, leaves, by_inputs=by_inputs), by_inputs])
    for native, interpreted in zip(*results, strict=True):
        np.testing.assert_allclose(native, interpreted, rtol=1e-13)


def test_without_llvmlite_it_works_and_nobody_is_warned(without_llvmlite):
    y, inputs, _ = small()
    program = compile(y, inputs)
    assert program([0.5, -1.0]).tolist() == pytest.approx([y.data], rel=1e-15)


class TestWhatIsPrinted:
    def test_the_listing_has_an_instruction_a_line_with_its_operation(self):
        y, inputs, _ = small()
        y.label = "y"
        assert str(compile(y, inputs)).splitlines() == [
            "program of 2 inputs, 2 parameters",
            "t0 = mul(w, x0)",
            "t1 = add(t0, b)",
            "t2 = tanh(t1)",
            "t3 = exp(x1)",
            "t4 = mul(t2, t3)",
            "t5 = mul(w, w)",
            "t6 = add(t4, t5)    # y",
            "return t6",
        ]
        assert repr(compile(y, inputs)) == "Program(2 inputs, 2 parameters, 7 instructions)"

    def test_many_operands_are_shortened(self):
        xs = [Value(float(i)) for i in range(50)]
        text = str(compile(dot(xs, xs), xs))
        assert "t0 = dot(x0, x1, x2, ... 96 more, x49)" in text


class TestSpecialNumbers:
    def test_nan_and_infinities_pass_or_are_refused(self):
        x = Value(1.0)
        program = compile(x * 2.0, [x])
        assert np.isnan(program([[math.nan]])).all()
        assert program([[math.inf]]).tolist() == [[math.inf]]
        with pytest.raises(ValueError, match=r"X\[1, 0\] is nan; allow_nan=True would let it through"):
            program([[1.0], [math.nan]], allow_nan=False)

    def test_a_zero_factor_gives_zero(self):
        x = Value(1.0)
        program = compile(autograd.where(x > 0, 1.0, 0.0) * 0.0 * log(x) + autograd.sqrt(x * x), [x])
        _, gradients, _ = program.value_and_grad([[0.0], [4.0]])
        assert gradients.tolist() == [[0.0], [1.0]]

    def test_zeros_of_both_signs_are_two_constants(self):
        x = Value(1.0)
        program = compile([x * 0.0, x * -0.0], [x])
        assert [math.copysign(1.0, z) for z in program([2.0])] == [1.0, -1.0]

    def test_an_index_out_of_range_is_an_error(self):
        x, i = Value(1.0), Value(0.0)
        program = compile(take([x, x * x, 3.0], i), [x, i])
        assert program([[5.0, 0.0], [5.0, 1.0], [5.0, -1.0]]).tolist() == [[5.0], [25.0], [3.0]]
        for wrong in (3.0, -4.0, 0.5, math.nan):
            with pytest.raises(IndexError, match="take got an index that is no whole number from -3 to 2"):
                program([[5.0, wrong]])


class TestTheOrderOfParameters:
    def test_it_is_that_of_the_list(self):
        model, inputs = MLP(3, [4, 2], rng=random.Random(0)), [Value(0.1 * k) for k in range(3)]
        loss, parameters = cross_entropy(model(inputs), 1), model.parameters()
        random.Random(1).shuffle(parameters)
        loss.backward()
        expected = pytest.approx([p.grad for p in parameters], rel=1e-12, abs=1e-15)
        program = compile(loss, inputs, parameters=parameters)
        assert program.parameters == parameters
        assert program.value_and_grad([x.data for x in inputs])[2].tolist() == expected

    def test_without_a_list_it_is_that_of_first_use(self):
        w, b, x = Value(2.0), Value(0.5), Value(1.0)
        assert compile(w * x + b, x).parameters == [w, b]
        assert compile(w * (b + x), x).parameters == [b, w]

    def test_a_parameter_that_the_graph_does_not_use_has_gradient_0(self):
        y, inputs, (w, b) = small()
        unused = Value(5.0, label="unused")
        program = compile(y, inputs, parameters=[unused, b, w])
        assert program.value_and_grad([0.5, -1.0])[2].tolist() == [0.0, *eager([0.5, -1.0], 2.0, 0.25)[1][:1:-1]]
        program.backward([[0.5, -1.0]])
        assert unused.grad == 0.0
        assert str(program).splitlines()[0] == "program of 2 inputs, 3 parameters"

    def test_a_pickled_program_keeps_it(self):
        y, inputs, parameters = small()
        program = pickle.loads(pickle.dumps(compile(y, inputs, parameters=[Value(3.0), *parameters])))
        assert [p.data for p in program.parameters] == [3.0, 2.0, 0.25]

    def test_a_function_takes_it_too(self):
        w, b, unused = Value(2.0), Value(0.5), Value(7.0)
        f = compile(lambda x: w * x + b, parameters=[b, unused, w])
        assert f(3.0) == 6.5
        assert f.program.parameters == [b, unused, w]
        assert f.program.value_and_grad([[3.0], [4.0]])[2].tolist() == [2.0, 0.0, 7.0]

    def test_a_leaf_that_is_in_no_list_is_an_error(self):
        y, inputs, (w, b) = small()
        sentence = r"a leaf that is neither an input nor in parameters: Value\(.*\): add it to parameters, or"
        with pytest.raises(ValueError, match=sentence):
            compile(y, inputs, parameters=[w])
        f = compile(lambda x: w * x + b, parameters=[w])
        with pytest.raises(ValueError, match=sentence):
            f(1.0)

    def test_what_is_no_list_of_leaves_is_refused(self):
        y, inputs, (w, b) = small()
        for parameters, error, sentence in (
            ([w, b, w], ValueError, r"a parameter is given twice, as parameters\[0\] and parameters\[2\]: give each"),
            ([w, b * 2.0], ValueError, r"parameters\[1\] was computed, by mul: the parameters of a program are leaves"),
            ([w, 1.0], TypeError, r"compile takes Values as parameters; got 1\.0 \(float\): give a list of them"),
            (MLP(1, [1]), TypeError, r"compile takes Values as parameters; got .* \(MLP\): give a list of them"),
        ):
            with pytest.raises(error, match=sentence):
                compile(y, inputs, parameters=parameters)
            with pytest.raises(error, match=sentence):
                compile(lambda x: w * x + b, parameters=parameters)
        with pytest.raises(ValueError, match=r"parameters\[1\] is inputs\[0\] too: give each leaf as one"):
            compile(y, inputs, parameters=[w, inputs[0], b])

    def test_a_single_parameter_needs_no_list(self):
        w, x = Value(3.0), Value(1.0)
        assert compile(w * x, x, parameters=w).value_and_grad([2.0])[2].tolist() == [2.0]


class TestWhatDoesNotFit:
    @pytest.mark.parametrize(
        ("X", "error", "sentence"),
        [
            ([1.0], ValueError, r"takes examples of 2 inputs, .* got shape \(1,\)"),
            ([[1.0, 2.0, 3.0]], ValueError, r"got shape \(1, 3\)"),
            ([[[1.0, 2.0]]], ValueError, r"got shape \(1, 1, 2\)"),
            (1.0, ValueError, r"got shape \(\)"),
            ([["a", "b"]], TypeError, "takes an array of real numbers; got one of <U1"),
            ([[1j, 2.0]], TypeError, "got one of complex128"),
            ([[None, 2.0]], TypeError, "got one of object"),
        ],
    )
    def test_examples_of_another_shape_or_kind(self, X, error, sentence):
        y, inputs, parameters = small()
        for call in (Program.__call__, Program.value_and_grad, Program.backward):
            with pytest.raises(error, match=sentence):
                call(compile(y, inputs), X)
        assert all(p.grad == 0.0 for p in parameters)

    def test_inputs_that_are_no_leaves_or_not_given_once(self):
        y, inputs, _ = small()
        with pytest.raises(ValueError, match=r"inputs\[1\] was computed, by mul"):
            compile(y, [inputs[0], inputs[1] * 2.0])
        with pytest.raises(ValueError, match="an input is given twice"):
            compile(y, [inputs[0], inputs[0]])
        with pytest.raises(TypeError, match="compile takes Values as inputs"):
            compile(y, [1.0])
        with pytest.raises(TypeError, match="compile takes Values as outputs"):
            compile([1.0], inputs)
        with pytest.raises(ValueError, match="at least one output"):
            compile([], inputs)
        with pytest.raises(TypeError, match="compile takes a function, or outputs and inputs"):
            compile(y)

    def test_an_operation_of_plain_floats_has_no_rule_to_compile(self):
        halve = operation(lambda x: x / 2.0, lambda out, x: 0.5, name="halve")
        x = Value(1.0)
        with pytest.raises(TypeError, match=r"halve cannot be compiled, since .* over plain floats"):
            compile(halve(x), [x])


@operation
def softsign(m):
    """One's own, given as a rule."""
    return lambda x: x / (1.0 + abs(x)), lambda out, x: 1.0 / (1.0 + abs(x)) / (1.0 + abs(x))


@operation
def square_sum(m):
    """One's own, of any number of operands."""
    return lambda *xs: m.sum([x * x for x in xs]), lambda out, *xs: [2.0 * x for x in xs]


def test_operations_of_ones_own_are_compiled_too():
    xs = [Value(0.5), Value(-2.0)]
    program = compile(square_sum(softsign(xs[0]), xs[1], 3.0), xs)
    value, gradients, _ = program.value_and_grad([0.5, -2.0])
    y = square_sum(softsign(xs[0]), xs[1], 3.0)
    y.backward()
    assert (value, gradients.tolist()) == (y.data, [x.grad for x in xs])


def test_a_program_is_pickled_with_its_parameters():
    y, inputs, (w, _) = small()
    program, w2 = pickle.loads(pickle.dumps((compile(y, inputs), w)))
    assert program([0.5, -1.0]).tolist() == [y.data]
    assert str(program) == str(compile(y, inputs))
    w2.data = 7.0  # the pickled parameter is that of the pickled program
    assert program([0.5, -1.0]).tolist() == [pytest.approx(eager([0.5, -1.0], 7.0, 0.25)[0])]


def test_the_work_array_does_not_grow_with_the_number_of_examples():
    model, inputs = MLP(64, [16, 10], rng=random.Random(0)), [Value(0.1) for _ in range(64)]
    graph = flatten([cross_entropy(model(inputs), 2)], inputs)
    layout, nodes = Layout(fused(graph)), graph.leaves + len(graph.instructions)
    assert layout.lanes(10**6) == layout.lanes(10**9)
    for examples in (1, 64, 10**6):
        memory = Memory(layout, layout.lanes(examples))
        assert memory.numbers.nbytes + memory.gradients.nbytes <= 2 * nodes * memory.lanes * 16
        assert memory.numbers.nbytes <= 8 * (max(CACHE, BLOCK * nodes) + nodes)


SCRIPT = """
import random
import numpy as np
from autograd import Value, compile
from nn import MLP, SGD, cross_entropy, fit
from nn.datasets import load_digits

digits = load_digits()

for batch_size in (500, 1797):
    model = MLP(64, [40, 10], dropout=0.2, rng=random.Random(0))
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    fit(model, digits.X, digits.y, loss="cross_entropy", optimizer=optimizer, epochs=2, batch_size=batch_size,
        rng=random.Random(1), engine="compiled", max_grad_norm=1.0, progress=False)
    print(model.state_dict(), optimizer.state)

inputs = [Value(0.1) for _ in range(20)]
program = compile(cross_entropy(MLP(20, [30, 5], rng=random.Random(0))(inputs), 2), inputs)
for examples in (1, 999, 3001):
    X = np.random.default_rng(0).normal(size=(examples, 20))
    print([x.tobytes() for x in (program(X), *program.value_and_grad(X))])
"""


def test_the_number_of_threads_changes_no_bit():
    outputs = set()
    for threads in ("1", "2", "3", "8"):
        variables = {**os.environ, "OMP_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=variables, capture_output=True, text=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1


INTERRUPTED = """
import random, signal
import numpy as np
from autograd import Value, compile
from nn import MLP, cross_entropy
inputs = [Value(0.1) for _ in range(20)]
program = compile(cross_entropy(MLP(20, [30, 5], rng=random.Random(0))(inputs), 2), inputs)
X = np.random.default_rng(0).normal(size=(3000, 20))
expected, rng, interrupts = program.value_and_grad(X), random.Random(1), 0

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
while interrupts < 40:
    try:
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(0.0001, 0.004))
        while True:
            program.value_and_grad(X)
    except KeyboardInterrupt:
        interrupts += 1
for a, b in zip(program.value_and_grad(X), expected):
    assert a.tobytes() == b.tobytes()
"""


@pytest.mark.slow  # an interrupt inside Python's own ThreadPoolExecutor may still leave one of its locks taken
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_threads_end_whatever_interrupts_them():
    variables = {**os.environ, "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-c", INTERRUPTED], env=variables, check=True, timeout=600, capture_output=True)


def test_many_examples_in_several_threads_are_what_few_are_in_one():
    model, inputs = MLP(20, [30, 5], rng=random.Random(0)), [Value(0.1) for _ in range(20)]
    program = compile(cross_entropy(model(inputs), 2), inputs)
    X = np.random.default_rng(0).normal(size=(2000, 20))
    values, by_inputs, by_parameters = program.value_and_grad(X)
    parts = [program.value_and_grad(X[i : i + 40]) for i in range(0, 2000, 40)]
    np.testing.assert_allclose(values, np.concatenate([part[0] for part in parts]), rtol=1e-13)
    np.testing.assert_allclose(by_inputs, np.concatenate([part[1] for part in parts]), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(by_parameters, sum(part[2] for part in parts), rtol=1e-10, atol=1e-11)


def test_an_index_that_is_out_of_range_in_another_thread_is_an_error():
    values, i = [Value(float(k)) for k in range(60)], Value(0.0)
    rows = [autograd.dot(values, [v * w for v in values]) for w in (1.0, 2.0, 3.0)]
    program = compile(take(rows, i), [*values, i])
    X = np.random.default_rng(0).normal(size=(20_000, 61))
    X[:, -1] = 1.0
    program(X)
    X[19_000, -1] = 3.0
    with pytest.raises(IndexError, match="take got an index"):
        program(X)
    X[19_000, -1] = 2.0
    assert program(X).shape == (20_000, 1)


def test_a_chain_of_100_000_nodes():
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = y * 0.99999 + 1e-5
    value, gradient, _ = compile(y, [x]).value_and_grad([1.0])
    y.backward()
    assert (value, gradient[0]) == (y.data, x.grad)
