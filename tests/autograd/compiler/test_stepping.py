"""Does `program.step` do what forward, backward and the optimiser's own step do, and has Python the newest numbers?"""

import copy
import pickle
import random
import sys
import threading
from itertools import product

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import autograd
from autograd import Value, compile, dot, take, tanh
from autograd.compiler import lending
from autograd.compiler.stepping import Steps, has_rule, why_no_rule
from nn import SGD, Adam, AdamW, LinearWarmup, Optimizer
from tests.nn.optimizers import OPTIMIZERS


def weights(count, seed=0):
    rng = random.Random(seed)
    return [Value(rng.uniform(-1, 1)) for _ in range(count)]


def examples(count, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(count, columns))


def net(w, x):
    """Two hidden units and one output, of nine weights and two inputs."""
    hidden = [tanh(dot(w[k : k + 2], x[:2], w[k + 2])) for k in (0, 3)]
    return dot(w[6:8], hidden, w[8])


def error(w, x):
    """A loss of two inputs and a target; of two more weights, one counts on some examples only, one never."""
    wrong = net(w, x) - x[2]
    return wrong * wrong + autograd.where(x[0] > 0.0, w[9], 0.0) * 0.1


def program_of(loss, w, inputs=3):
    x = [Value(0.5) for _ in range(inputs)]
    return compile(loss(w, x), x, parameters=w)


def eager_step(loss, w, optimizer, rows, reduction="mean"):
    optimizer.zero_grad()
    reduce = autograd.mean if reduction == "mean" else autograd.sum
    total = reduce([loss(w, [float(x) for x in row]) for row in rows])
    total.backward()
    optimizer.step()
    return total.data


def state_of(w, optimizer):
    """Everything that a step changes, as numbers."""
    return [p.data for p in w], [p.grad for p in w], optimizer.steps, optimizer.state


def assert_equal_states(ours, theirs, rel=1e-12):
    for a, b in zip((*ours[:2], *ours[3].values()), (*theirs[:2], *theirs[3].values()), strict=True):
        assert a == pytest.approx(b, rel=rel, abs=rel * max(map(abs, b)))
    assert ours[2] == theirs[2]
    assert ours[3].keys() == theirs[3].keys()


def branching(w, x):
    """The same without a branch on the sign of an input: it is recorded from plain Values."""
    wrong = net(w, x) - x[2]
    return wrong * wrong + autograd.relu(x[0]) * w[9] * 0.1


# Against the eager engine


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_hundred_steps_are_those_of_the_eager_engine(name, reduction):
    w, v = weights(11), weights(11)
    ours, theirs = OPTIMIZERS[name](w), OPTIMIZERS[name](v)
    if reduction == "sum":  # of up to 20 examples
        ours.lr = theirs.lr = ours.lr / 20
    program, rng = program_of(branching, w), random.Random(1)
    for step in range(100):
        rows = examples(rng.choice([1, 2, 7, 8, 20]), 3, seed=step)
        loss = program.step(ours, rows, reduction=reduction)
        assert loss == pytest.approx(eager_step(branching, v, theirs, rows, reduction), rel=1e-11)
    assert_equal_states(state_of(w, ours), state_of(v, theirs), rel=1e-11)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_native_code_the_steps_are_the_same(name, without_llvmlite):
    w, v = weights(11), weights(11)
    ours, theirs = OPTIMIZERS[name](w), OPTIMIZERS[name](v)
    steps = Steps(program_of(branching, w)._graph)
    for step in range(5):
        rows = examples(4, 3, seed=step)
        assert steps.step(ours, rows, mean=True) == pytest.approx(eager_step(branching, v, theirs, rows), rel=1e-12)
    assert_equal_states(state_of(w, ours), state_of(v, theirs))


def test_a_single_example_is_a_batch_of_one():
    w, v = weights(11), weights(11)
    ours, theirs = SGD(w, lr=0.1), SGD(v, lr=0.1)
    a, b = program_of(branching, w), program_of(branching, v)
    assert a.step(ours, [0.1, 0.2, 0.3]) == b.step(theirs, [[0.1, 0.2, 0.3]])
    assert state_of(w, ours) == state_of(v, theirs)


# Several programs, and Python in between


def test_two_programs_share_parameters_and_each_moves_its_own():
    """As a generator and a discriminator do: each loss reads both, and each optimiser moves one."""

    def made():
        w = weights(11)
        return w, Adam(w[:6], lr=0.02), SGD(w[6:], lr=0.1, momentum=0.5)

    def other(w, x):
        return -branching(w, x) + autograd.tanh(w[10]) * x[1]

    (w, first, second), (v, third, fourth) = made(), made()
    one, two = program_of(branching, w), program_of(other, w)
    for step in range(30):
        rows = examples(5, 3, seed=step)
        losses = [one.step(first, rows), two.step(second, rows[:3])]
        grads = [p.grad for p in v[6:]]
        expected = [eager_step(branching, v, third, rows)]
        for p, g in zip(v[6:], grads, strict=True):  # a step leaves the gradients of all others
            p.grad = g
        grads = [p.grad for p in v[:6]]
        expected.append(eager_step(other, v, fourth, rows[:3]))
        for p, g in zip(v[:6], grads, strict=True):
            p.grad = g
        assert losses == pytest.approx(expected, rel=1e-11)
    assert_equal_states(state_of(w, first), state_of(v, third), rel=1e-11)
    assert_equal_states(state_of(w, second), state_of(v, fourth), rel=1e-11)


def test_programs_that_share_a_part_each_do_not_end_each_others_loans():
    w = weights(11)
    one, two = compile(w[0] * w[1], []), compile(w[1] * w[2], [])
    first, second = SGD(w[:2], lr=0.1), SGD(w[1:3], lr=0.1)
    empty = np.zeros((1, 0))
    for _ in range(3):
        one.step(first, empty)
        two.step(second, empty)
    loans = {lending._data.__get__(p) for p in w[:3]}
    assert len(loans) == 1
    assert next(iter(loans)).is_open


class World:
    """A program, two optimisers and their parameters, and everything that may be done with them."""

    def __init__(self, is_native):
        self.is_native = is_native
        self.w = weights(11)
        self.optimizers = [Adam(self.w[:9], lr=0.02), SGD(self.w[4:], lr=0.05, momentum=0.9)]
        self.programs = [program_of(branching, self.w), program_of(lambda w, x: branching(w, x) * w[10], self.w)]

    def step(self, which, optimizer, count, seed):
        rows, moved = examples(count, 3, seed), self.optimizers[optimizer]
        if self.is_native:
            return self.programs[which].step(moved, rows)
        kept = [(p, p.grad) for p in self.w if p not in moved.params]
        loss = branching if which == 0 else lambda w, x: branching(w, x) * w[10]
        total = eager_step(loss, self.w, moved, rows)
        for p, grad in kept:
            p.grad = grad
        return total

    def read(self, place):
        return self.w[place].data

    def read_grad(self, place):
        return self.w[place].grad

    def write(self, place, number):
        self.w[place].data = number

    def write_grad(self, place, number):
        self.w[place].grad = number

    def compute(self, number):
        return branching(self.w, [number, 0.5, 0.1]).data

    def run(self, number):
        return float(self.programs[1]([number, 0.5, 0.1])[0])

    def backward(self, number):
        self.programs[0].backward([number, 0.5, 0.1])
        return [p.grad for p in self.w]

    def own_step(self, which):
        self.optimizers[which].step()

    def zero_grad(self, which):
        self.optimizers[which].zero_grad()

    def change_lr(self, which, lr):
        self.optimizers[which].lr = lr

    def change_option(self, number):
        self.optimizers[1].options["weight_decay"] = number

    def steps(self, which):
        return self.optimizers[which].steps

    def state(self, which):
        return [x for numbers in self.optimizers[which].state.values() for x in numbers]

    def change_state(self, place, number):
        state = self.optimizers[1].state
        if state:
            state["momentum_buffer"][place] = number

    def reload(self, which):
        self.optimizers[which].load_state_dict(self.optimizers[which].state_dict())

    def copies(self, place):
        made = [copy.copy(self.w[place]), copy.deepcopy(self.w)[place], pickle.loads(pickle.dumps(self.w))[place]]
        made += [copy.deepcopy(self.optimizers[0]).params[place % 9]]
        assert all(type(p) is Value for p in made)
        return [x for p in made for x in (p.data, p.grad)]


def actions(rng):
    """An action on a World, and its arguments."""
    place, number, which = rng.randrange(11), rng.uniform(-1, 1), rng.randrange(2)
    step = ("step", which, rng.randrange(2), rng.choice([1, 3, 9]), rng.randrange(100))
    return rng.choice(
        [
            *[step] * 12,
            ("read", place),
            ("read_grad", place),
            ("write", place, number),
            ("write_grad", place, number),
            ("compute", number),
            ("run", number),
            ("backward", number),
            ("own_step", which),
            ("zero_grad", which),
            ("change_lr", which, abs(number) * 0.1),
            ("change_option", abs(number) * 0.1),
            ("steps", which),
            ("state", which),
            ("change_state", rng.randrange(7), number),
            ("reload", which),
            ("copies", place),
        ]
    )


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_read_and_written_between_steps_it_is_the_newest(seed):
    rng = random.Random(seed)
    native, eager = World(True), World(False)
    for _ in range(60):
        name, *arguments = actions(rng)
        ours, theirs = getattr(native, name)(*arguments), getattr(eager, name)(*arguments)
        assert ours == (None if theirs is None else pytest.approx(theirs, rel=1e-9, abs=1e-11)), (name, arguments)
    for a, b in zip(native.optimizers, eager.optimizers, strict=True):
        assert_equal_states(state_of(native.w, a), state_of(eager.w, b), rel=1e-9)


def test_another_thread_may_ask_at_any_moment():
    """What it sees goes down: each step of this loss does, and nobody sees half a step."""
    w, x = [Value(1.0) for _ in range(40)], Value(1.0)
    program = compile(autograd.sum([v * v for v in w]) * x, [x], parameters=w)
    optimizer, seen, is_done = SGD(w, lr=0.01), [], threading.Event()

    def ask():
        while not is_done.is_set():
            seen.append([p.data for p in w[:3]])
            seen.append([p.data for p in w[:3]])

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(300):
        program.step(optimizer, [1.0])
    is_done.set()
    thread.join()
    assert optimizer.steps == 300
    assert w[0].data == pytest.approx(0.98**300)
    assert [max(numbers) for numbers in seen] == sorted((max(numbers) for numbers in seen), reverse=True)


def test_a_parameter_of_a_class_of_ones_own_is_lent_too():
    class Weight(Value):
        pass

    w = [Weight(0.5), Weight(-0.5)]
    w[0].name = "first"
    x = Value(1.0)
    program, optimizer = compile(w[0] * x + w[1] * w[1], [x]), SGD(w, lr=0.25)
    assert program.step(optimizer, [2.0]) == 1.25
    assert isinstance(w[0], Weight)
    assert (w[0].name, w[0].data, w[0].grad, type(w[0]).__name__) == ("first", 0.0, 2.0, "Weight")


def test_gradients_that_are_graphs_stay_where_no_step_changes_them():
    w, x = weights(3), Value(1.0)
    program, optimizer = compile(w[0] * w[1] * w[2] * x, [x], parameters=w), SGD(w[:1], lr=0.1)
    (w[1] * w[1] * w[0]).backward(create_graph=True)
    graph = w[1].grad
    assert isinstance(w[0].grad, Value)
    assert program.step(optimizer, [2.0]) is not None
    assert w[0].grad == pytest.approx(2.0 * w[1].data * w[2].data)
    assert w[1].grad is graph


def test_several_optimizers_take_turns_on_a_program():
    w, v = weights(11), weights(11)
    ours, theirs = [[Adam(p, lr=0.01), Adam(p[:5], lr=0.03), SGD(p, lr=0.1, momentum=0.9)] for p in (w, v)]
    program = program_of(branching, w)
    for step in range(12):
        which = step * 5 % 3
        kept = [p.grad for p in v]
        program.step(ours[which], examples(5, 3, seed=step))
        eager_step(branching, v, theirs[which], examples(5, 3, seed=step))
        for p, grad in zip(v, kept, strict=True):
            if p not in theirs[which].params:
                p.grad = grad
    for a, b in zip(ours, theirs, strict=True):
        assert_equal_states(state_of(w, a), state_of(v, b), rel=1e-10)


def test_the_optimizer_may_get_other_parameters_and_other_options():
    w = weights(11)
    program, optimizer = program_of(branching, w), SGD(w[:5], lr=0.1, momentum=0.9)
    program.step(optimizer, examples(2, 3))
    before = [p.data for p in w]
    optimizer.params = w[5:10]
    optimizer.state = {}
    program.step(optimizer, examples(2, 3))
    assert [p.data for p in w[:5]] == before[:5]
    assert all(p.data != x for p, x in zip(w[5:9], before[5:9], strict=True))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("change", [lambda p: p.pop(), lambda p: p.pop(0), lambda p: p.reverse()])
def test_the_list_of_parameters_may_be_changed_in_place(optimizer, change):
    w, v = weights(11), weights(11)
    ours, theirs = OPTIMIZERS[optimizer](w[:9]), OPTIMIZERS[optimizer](v[:9])
    program = program_of(branching, w)
    for step in range(6):
        if step % 2 == 1:
            change(ours.params)
            change(theirs.params)
        rows = examples(5, 3, seed=step)
        program.step(ours, rows)
        eager_step(branching, v, theirs, rows)
    assert [p.data for p in w] == pytest.approx([p.data for p in v], rel=1e-11)
    assert ours.state == {name: pytest.approx(numbers, rel=1e-11) for name, numbers in theirs.state.items()}


def test_an_index_that_is_out_of_range_moves_nothing():
    w, x = weights(3), Value(1.0)
    program, optimizer = compile(take(w, x), [x], parameters=w), Adam(w, lr=0.1)
    program.step(optimizer, [[0.0], [1.0]])
    numbers, _, steps, state = copy.deepcopy(state_of(w, optimizer))
    with pytest.raises(IndexError):
        program.step(optimizer, [[0.0], [5.0]])
    assert (numbers, steps, state) == (state_of(w, optimizer)[0], *state_of(w, optimizer)[2:])
    program.step(optimizer, [[0.0], [1.0]])
    assert optimizer.steps == 2


def test_what_does_not_fit_is_refused():
    w = weights(11)
    program = program_of(branching, w)
    with pytest.raises(ValueError, match="at least one example; got none"):
        program.step(SGD(w, lr=0.1), np.zeros((0, 3)))
    with pytest.raises(ValueError, match="moves none of the program's parameters"):
        program.step(SGD(weights(2), lr=0.1), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="a Value that mul computed"):
        program.step(SGD([w[0], w[0] * w[1]], lr=0.1), np.zeros((1, 3)))
    with pytest.raises(ValueError, match='"mean" or "sum" as reduction; got'):
        program.step(SGD(w, lr=0.1), np.zeros((1, 3)), reduction="max")


def test_a_schedule_moves_after_each_step():
    w, v = weights(11), weights(11)
    ours, theirs = AdamW(w, lr=0.1), AdamW(v, lr=0.1)
    program = program_of(branching, w)
    schedules = LinearWarmup(ours, total_iters=4), LinearWarmup(theirs, total_iters=4)
    for step in range(7):
        program.step(ours, examples(5, 3, seed=step))
        eager_step(branching, v, theirs, examples(5, 3, seed=step))
        for schedule in schedules:
            schedule.step()
    assert ours.lr == theirs.lr == 0.1
    assert_equal_states(state_of(w, ours), state_of(v, theirs))


# Optimisers of one's own


class Lion(Optimizer):
    """Chen et al., 2023: by the sign of a running mean."""

    remembers = ("mean",)

    def __init__(self, params, lr=1e-2, beta=0.9, decay=0.01):
        super().__init__(params, lr, beta=beta, decay=decay)

    def starts(self):
        return {"mean": 0.0}

    def rule(self, m, lr):
        beta, decay = self.options["beta"], self.options["decay"]

        def update(data, grad, mean):
            direction = m.sign(beta * mean + (1.0 - beta) * grad)
            return data - lr * (direction + decay * data), beta * mean + (1.0 - beta) * grad

        return update


class Falling(Lion):
    """Its learning rate falls by itself."""

    counts_steps = True

    def scalars(self):
        return (self.lr / (1 + self.steps),)


class Warming(Lion):
    """Reads the number of steps in its rule."""

    def rule(self, m, lr):
        return super().rule(m, lr * min(1.0, (self.steps + 1) / 3))


class Bold(Lion):
    """Reads the learning rate itself."""

    def rule(self, m, lr):
        return super().rule(m, self.lr)


class Branching(Lion):
    """Decides in Python by a number."""

    def rule(self, m, lr):
        return lambda data, grad, mean: (data - lr * grad if grad > 0.0 else data, mean)


class Noisy(Lion):
    """Draws a random number for each step."""

    def rule(self, m, lr):
        return super().rule(m, lr * random.random())


class Counting(Lion):
    """Counts in an attribute of its own."""

    calls = 0

    def scalars(self):
        self.calls += 1
        return (self.lr / self.calls,)


class Overriding(Lion):
    """Makes its step itself."""

    def step(self):
        for p in self.params:
            p.data -= self.lr * p.grad
        self.steps += 1


class Python(Lion):
    """Uses functions of floats."""

    def rule(self, m, lr):
        return lambda data, grad, mean: (data - lr * float(grad), mean)


OWN = {Lion: "", Falling: "", Warming: "reads steps", Bold: "'lr'", Branching: "a branch", Noisy: "random",
       Counting: "otherwise", Overriding: "a step of its own", Python: "float"}  # fmt: skip


@pytest.mark.parametrize("cls", OWN)
def test_a_rule_of_ones_own_runs_natively_if_that_is_what_its_step_does(cls):
    w, v = weights(11), weights(11)
    ours, theirs = cls(w), cls(v)
    assert has_rule(ours) == (not OWN[cls])
    assert OWN[cls] in why_no_rule(ours)
    program = program_of(branching, w)
    for step in range(8):
        rows = examples(5, 3, seed=step)
        random.seed(step)
        program.step(ours, rows)
        random.seed(step)
        eager_step(branching, v, theirs, rows)
    assert_equal_states(state_of(w, ours), state_of(v, theirs), rel=1e-11)


def test_to_find_out_draws_nothing_and_moves_nothing():
    w = weights(3)
    optimizer = Noisy(w)
    before, drawn = copy.deepcopy(state_of(w, optimizer)), random.getstate()
    assert why_no_rule(optimizer)
    assert state_of(w, optimizer) == before
    assert random.getstate() == drawn


def test_settings_of_ones_own_may_change():
    class Scaled(Lion):
        scale = 1.0

        def rule(self, m, lr):
            return super().rule(m, lr * self.scale)

    w, v = weights(11), weights(11)
    ours, theirs = Scaled(w), Scaled(v)
    program = program_of(branching, w)
    for step, scale in enumerate([1.0, 2.0, 2.0, 0.5]):
        ours.scale = theirs.scale = scale
        program.step(ours, examples(5, 3, seed=step))
        eager_step(branching, v, theirs, examples(5, 3, seed=step))
    assert_equal_states(state_of(w, ours), state_of(v, theirs))


# Other threads


def visited_at(line, function, visit):
    """Calls a function, and another one in a second thread when the first is at a line of the two files about steps.

    The line is counted from the start. The first goes on when the second has returned, or waits for the first.

    Returns whether the function got so far, and what the second returned or raised.
    """
    count, threads, found = 0, [], []

    def visitor():
        try:
            found.append(visit())
        except Exception as error:
            found.append(error)

    def trace(frame, event, argument):
        nonlocal count
        if not frame.f_code.co_filename.endswith(("lending.py", "stepping.py")):
            return None
        count += event == "line"
        if event == "line" and count == line:
            threads.append(threading.Thread(target=visitor))
            threads[0].start()
            threads[0].join(0.005)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    for thread in threads:
        thread.join(10.0)
        assert not thread.is_alive()
    return bool(threads), found


def lent_and_taken_back():
    """Parameters, and a function that lends them, takes them back, and lends them again. No step changes them."""
    w = [Value(k + 0.5) for k in range(20)]
    x = Value(1.0)
    program, optimizer = compile(dot(w, w) * x, [x], parameters=w), SGD(w, lr=0.0)
    program.step(optimizer, [1.0])

    def function():
        assert [p.data for p in w] == [k + 0.5 for k in range(20)]
        program.step(optimizer, [1.0])
        assert program([2.0])[0] == sum(2.0 * (k + 0.5) ** 2 for k in range(20))
        program.step(optimizer, [1.0])

    return w, program, function


READS = {
    "a number": lambda w: w[3].data,
    "a gradient": lambda w: w[3].grad / 2.0,
    "the last gradient": lambda w: w[19].grad / 2.0 - 16.0,
    "all numbers": lambda w: [p.data for p in w][3],
}


@pytest.mark.parametrize("name", READS)
def test_at_every_line_another_thread_reads_the_newest(name):
    w, _, function = lent_and_taken_back()
    line, goes_on = 0, True
    while goes_on:
        line += 1
        function()
        goes_on, found = visited_at(line, function, lambda: READS[name](w))
        assert found == ([3.5] if goes_on else []), line
        assert [p.data for p in w] == [k + 0.5 for k in range(20)]
        assert {type(p) for p in w} == {Value}
    assert line > 50


def test_at_every_line_another_thread_runs_the_program_and_ends_the_loan():
    def visit(w, program):
        return [p.data for p in w], program([2.0])[0], [p.data for p in w]

    w, program, function = lent_and_taken_back()
    numbers = [k + 0.5 for k in range(20)]
    line, goes_on = 0, True
    while goes_on:
        line += 1
        function()
        goes_on, found = visited_at(line, function, lambda: visit(w, program))
        assert found == ([(numbers, 2.0 * sum(x * x for x in numbers), numbers)] if goes_on else []), line
    assert line > 50


@pytest.mark.parametrize("name", ["data", "grad"])
def test_at_every_line_another_thread_may_write(name):
    """What it wrote stays: no step moves this parameter."""
    w, x = [Value(k + 0.5) for k in range(20)], Value(1.0)
    program, optimizer = compile(dot(w, w) * x, [x], parameters=w), SGD(w[:19], lr=0.0)

    def function():
        for p in w:
            assert type(p.data) is float
        program.step(optimizer, [1.0])
        program.step(optimizer, [1.0])

    line, goes_on = 0, True
    while goes_on:
        line += 1
        w[19].data, w[19].grad = 19.5, 0.0
        program.step(optimizer, [1.0])
        goes_on, found = visited_at(line, function, lambda: setattr(w[19], name, 7.0))
        assert found == ([None] if goes_on else []), line
        expected = {"data": 19.5, "grad": 0.0} | ({name: 7.0} if goes_on else {})
        assert {"data": w[19].data, "grad": w[19].grad} == expected, line
    assert line > 30


def test_threads_that_step_and_run_programs_of_shared_parameters_do_not_disturb_each_other():
    w, v = ([Value(first + k) for k in range(20)] for first in (0.0, 100.0))
    x = [Value(1.0) for _ in w]
    one, two = compile(dot(w, x), x, parameters=w), compile(dot(w[::-1], v), [])
    optimizers, empty, errors = [SGD(w, lr=0.0), SGD([*v, *w], lr=0.0)], np.zeros((1, 0)), []
    is_done = threading.Event()

    def run():
        try:
            while not is_done.is_set():
                assert one(np.eye(20))[:, 0].tolist() == [float(k) for k in range(20)]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for k in range(400):
            program, rows = ((one, np.eye(20)), (two, empty))[k % 2]
            program.step(optimizers[k % 3 % 2 if program is one else 1], rows)
            if k % 5 == 0:
                assert [p.data for p in w] == [float(k) for k in range(20)]
    finally:
        is_done.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(before)
    assert errors == []


# Ctrl-C


def interrupted_at(line, function):
    """Calls a function, and raises KeyboardInterrupt at a line of the project's, counted from its start.

    Returns whether the function got so far.
    """
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        name = frame.f_code.co_filename
        if not name.endswith(("lending.py", "stepping.py", "optim.py", "program.py", "run.py")):
            return None
        if event == "line":
            count += 1
            if count == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


EVERY_FIFTH = [(asks, count, first, 5) for first, (asks, count) in enumerate(product((False, True), (4, 2)), 1)]
EVERY = [pytest.param(*case, 1, 1, marks=pytest.mark.slow) for case in product((False, True), (4, 2))]


@pytest.mark.parametrize(("asks", "count", "first", "stride"), [*EVERY_FIFTH, *EVERY])
def test_whenever_ctrl_c_comes_the_last_whole_step_counts(asks, count, first, stride):
    def made():
        w = weights(11)
        return w, Adam(w, lr=0.01), program_of(branching, w)

    rows = examples(count, 3)
    v, theirs, other = made()
    states = [copy.deepcopy(state_of(v, theirs))]
    for step in range(6):
        other.step(theirs, rows if step else examples(4, 3))
        states.append(copy.deepcopy(state_of(v, theirs)))
    line, goes_on = first - stride, True
    while goes_on:
        line += stride
        w, ours, program = made()
        program.step(ours, examples(4, 3))

        def more(w=w, ours=ours, program=program):
            if asks:
                state_of(w, ours)
            program.step(ours, rows)
            if asks:
                state_of(w, ours)

        goes_on = interrupted_at(line, more)
        numbers, _, steps, state = state_of(w, ours)
        assert (numbers, state) == (states[steps][0], states[steps][3]), line
        program.step(ours, rows)
        numbers, _, steps, state = state_of(w, ours)
        assert (numbers, state) == (states[steps][0], states[steps][3]), line
    assert line > 20
    assert steps == 3
