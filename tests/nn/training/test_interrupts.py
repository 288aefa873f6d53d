"""Does Ctrl-C, at any moment, leave model, optimiser and statistics as they were after the last whole step?"""

import random
import signal
import sys
import threading

import pytest

from autograd.interrupts import certainly, uninterrupted
from nn import SGD, BatchNorm, Layer, Sequential, Tanh, fit

X = [[0.1 * i, (i % 3) - 1.0] for i in range(12)]
Y = [float(i % 2) for i in range(12)]


def made():
    rng = random.Random(0)
    model = Sequential(Layer(2, 3, activation="linear", rng=rng), BatchNorm(3), Tanh(), Layer(3, 1, rng=rng))
    return model, SGD(model.parameters(), lr=0.05, momentum=0.9)


def run(model, optimizer, engine, **options):
    settings = {"loss": "mse_loss", "epochs": 3, "batch_size": 4, "shuffle": False, "progress": False, **options}
    return fit(model, X, Y, optimizer=optimizer, engine=engine, **settings)


def numbers(model, optimizer):
    """All that a step moves."""
    return [*model.state_dict().values(), *optimizer.state.get("momentum_buffer", [0.0] * len(optimizer.params))]


def after_each_step():
    """What the eager engine leaves after 0, 1, 2, ... steps."""
    model, optimizer = made()
    found = [numbers(model, optimizer)]

    class Watched(SGD):
        def step(self):
            super().step()
            found.append(numbers(model, self))

    run(model, Watched(model.parameters(), lr=0.05, momentum=0.9), "eager")
    return found


def pressed_at_line(count, action):
    """Calls the action, and presses Ctrl-C at the line of `nn` or `autograd` with this number; whether it came."""
    lines = 0

    def local(frame, event, argument):
        nonlocal lines
        lines += event == "line"
        if lines == count and event == "line":
            signal.raise_signal(signal.SIGINT)
        return local

    def trace(frame, event, argument):
        name = frame.f_globals.get("__name__", "")
        inside = name.startswith("nn.") and name != "nn.training.interrupts"
        return local if inside and any_epoch(frame) else None

    def any_epoch(frame):
        """Whether a run has begun."""
        while frame is not None:
            if frame.f_code.co_name == "train" and frame.f_globals.get("__name__") == "nn.training.run":
                return True
            frame = frame.f_back
        return False

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:  # before the first epoch, or after the last
        pass
    finally:
        sys.settrace(before)
    return lines >= count


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_ctrl_c_at_any_line_leaves_everything_as_after_the_last_whole_step(engine):
    if engine == "compiled":
        pytest.importorskip("llvmlite")
    expected = after_each_step()
    seen, line, rng = set(), 5, random.Random(0)
    while True:
        model, optimizer = made()
        came = pressed_at_line(line, lambda: run(model, optimizer, engine))  # noqa: B023
        found = numbers(model, optimizer)
        assert found == pytest.approx(expected[optimizer.steps], rel=1e-9, abs=1e-12), line
        seen.add(optimizer.steps)
        if not came:
            break
        line += rng.randrange(1, 400 if engine == "eager" else 25)
    assert len(seen) > 3


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_ctrl_c_at_any_line_keeps_the_weights_of_the_best_epoch_in_the_history(engine):
    if engine == "compiled":
        pytest.importorskip("llvmlite")
    best = []

    def note(model, history):
        best.append(model.state_dict())

    model, optimizer = made()
    run(model, optimizer, engine, callbacks=[note], validation=(X, Y))
    line, rng = 3, random.Random(1)
    came = True
    while came:
        model, optimizer = made()
        histories = []
        came = pressed_at_line(line, lambda: histories.append(run(model, optimizer, engine, validation=(X, Y))))  # noqa: B023
        for history in histories:
            if len(history):
                assert model.state_dict() == best[history.best_epoch - 1], line
        line += rng.randrange(1, 900)


def test_ctrl_c_waits_for_the_end_of_a_block_and_is_not_lost():
    done = []

    def work():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            with uninterrupted():
                signal.raise_signal(signal.SIGINT)
            done.append("both")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["both"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_must_be_done_is_done_however_often_ctrl_c_is_pressed():
    done = []

    def work():
        signal.raise_signal(signal.SIGINT)
        done.append("all")

    certainly(work)
    assert done == ["all"]


def test_in_another_thread_a_block_does_nothing():
    done = []

    def work():
        with uninterrupted():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]
