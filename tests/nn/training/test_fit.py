"""Does fit learn, stop where it should, repeat itself to the bit, and refuse what does not fit before it starts?"""

import copy
import gc
import json
import math
import os
import pickle
import random
import re
import subprocess
import sys
import textwrap
import time
from functools import partial
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from autograd import Value, no_grad
from nn import (
    MLP,
    SGD,
    Adam,
    Dropout,
    History,
    Layer,
    Module,
    Sequential,
    checkpoint,
    cross_entropy,
    evaluate,
    fit,
    mse_loss,
    predict,
)
from nn.datasets import make_moons, train_validation_test_split, xor
from nn.optim import OPTIMIZERS
from nn.training.examples import Examples, HeldOutShare, split_off

X4 = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
Y4 = [0, 1, 1, 0]


def network(seed=0, nouts=(4, 2), **options):
    return MLP(2, list(nouts), rng=random.Random(seed), **options)


def trained(model, X=X4, Y=Y4, optimizer=None, **options):
    """fit, with small settings unless told otherwise."""
    optimizer = optimizer or SGD(model.parameters(), lr=0.1)
    settings = {"loss": "cross_entropy", "epochs": 3, "batch_size": 2, "rng": random.Random(1), "progress": False}
    return fit(model, X, Y, optimizer=optimizer, **{**settings, **options})


# It learns


def test_a_model_examples_and_a_loss_are_enough():
    X, Y = make_moons(60, noise=0.1, rng=1)
    history = fit(MLP(2, [8, 2], rng=0), X, Y, loss="cross_entropy", rng=0, progress=False)
    assert len(history) == 100
    assert history.accuracy[-1] > 0.9
    same = MLP(2, [8, 2], rng=0)
    adam = Adam(same.parameters(), lr=0.01)
    assert history.epochs == fit(same, X, Y, loss="cross_entropy", optimizer=adam, epochs=100, batch_size=32,
                                 rng=random.Random(0), progress=False).epochs  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("lr", [None, 0.05])
def test_an_optimizer_by_name_is_that_class_with_the_usual_rate_or_another(name, lr):
    model, same = network(), network()
    kind, usual = OPTIMIZERS[name]
    trained(same, optimizer=kind(same.parameters(), lr=lr or usual))
    trained(model, optimizer=name, lr=lr)
    assert bits(model) == bits(same)


# A share is held out


@given(st.integers(0, 2**32), st.floats(0.05, 0.95), st.lists(st.integers(0, 3), min_size=2, max_size=40))
def test_of_each_class_a_share_is_held_out(seed, share, Y):
    X, split = [[float(i)] for i in range(len(Y))], HeldOutShare(share, seed)
    examples = Examples(X, Y, None, [1.0 + i for i in range(len(Y))])
    if math.ceil(share * len(X)) == len(X):
        with pytest.raises(ValueError, match="leaves none to learn from: give a smaller share"):
            split_off(examples, cross_entropy, split)
        return
    learned, held_out = split_off(examples, cross_entropy, split)
    assert sorted(learned.rows + held_out.rows) == X
    assert abs(len(held_out) - share * len(X)) <= 1.0
    for part in learned, held_out:
        assert [Y[int(x)] for [x] in part.rows] == part.targets
        assert [1.0 + x for [x] in part.rows] == part.weights
    for label in set(Y):
        if Y.count(label) > 1:
            assert abs(held_out.targets.count(label) - share * Y.count(label)) < 1.0
    arrays = split_off(Examples(np.array(X), np.array(Y)), cross_entropy, split)
    assert [part.listed().rows for part in arrays] == [learned.rows, held_out.rows]


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_a_share_is_evaluated_and_not_learned_from(engine):
    if engine == "compiled":
        pytest.importorskip("llvmlite")
    X, Y = make_moons(50, noise=0.2, rng=3)
    model, same, rng = network(), network(), random.Random(7)
    history = trained(model, X, Y, validation=0.3, patience=2, rng=rng, epochs=5, engine=engine)
    assert {"validation_loss", "validation_accuracy"} <= history[0].keys()
    again = random.Random(7)
    learned, held_out = split_off(Examples(X, Y), cross_entropy, HeldOutShare(0.3, again.getrandbits(32)))
    same_history = trained(same, learned.rows, learned.targets, validation=(held_out.rows, held_out.targets),
                           patience=2, rng=again, epochs=5, engine=engine)  # fmt: skip
    assert history.epochs == same_history.epochs
    assert (bits(model), rng.getstate()) == (bits(same), again.getstate())


def test_a_single_neuron_learns_a_line_exactly():
    model = MLP(1, [1], rng=random.Random(0))
    X = [[x / 4] for x in range(8)]
    history = trained(model, X, [3.0 * x - 1.0 for (x,) in X], loss="mse_loss", epochs=300)
    w, b = (p.data for p in model.parameters())
    assert (w, b) == (pytest.approx(3.0, abs=1e-3), pytest.approx(-1.0, abs=1e-3))
    assert history.loss[-1] < 1e-6
    assert history.accuracy == []  # a regression has none


def test_xor_is_learned_with_a_hidden_layer():
    X, y = xor()
    model = MLP(2, [8, 2], activation="tanh", rng=random.Random(0))
    history = trained(model, X, y, Adam(model.parameters(), lr=0.05), epochs=100, batch_size=4)
    assert history.accuracy[-1] == 1.0
    assert [row.index(max(row)) for row in predict(model, X)] == y


@pytest.mark.parametrize(
    ("loss", "nouts", "labels"),
    [
        ("cross_entropy", [8, 2], {0: 0, 1: 1}),
        ("binary_cross_entropy_with_logits", [8, 1], {0: 0, 1: 1}),
        ("hinge_loss", [8, 1], {0: -1, 1: 1}),
    ],
)
def test_the_moons_are_told_apart(loss, nouts, labels):
    X, y = make_moons(120, noise=0.1, rng=random.Random(0))
    split = train_validation_test_split(X, y, rng=random.Random(0))
    model = MLP(2, nouts, rng=random.Random(0))
    numbered = [[labels[k] for k in part.y] for part in split]
    trained(model, split.train.X, numbered[0], Adam(model.parameters(), lr=0.03), loss=loss, epochs=40, batch_size=8)
    # A straight line reaches about 0.88 here.
    assert evaluate(model, split.test.X, numbered[2], loss=loss)["accuracy"] > 0.95


def test_two_outputs_learn_two_targets():
    model = MLP(1, [2], rng=random.Random(0))
    history = trained(model, [[0.0], [1.0]], [[1.0, 2.0], [3.0, -2.0]], loss="mse_loss", epochs=800)
    assert history.loss[-1] < 1e-6


# What the history says


def test_the_figures_are_those_of_the_batches():
    model = network()
    first = [p.data for p in model.parameters()]
    history = trained(model, optimizer=SGD(model.parameters(), lr=0.0), epochs=1, batch_size=3, shuffle=False)
    assert [p.data for p in model.parameters()] == first
    assert history.loss == [pytest.approx(evaluate(model, X4, Y4, loss="cross_entropy")["loss"])]
    assert history.accuracy == [evaluate(model, X4, Y4, loss="cross_entropy")["accuracy"]]


def test_the_history_has_an_entry_for_each_epoch_and_says_how_it_ended():
    history = trained(network(), epochs=5, validation=(X4, Y4))
    assert len(history) == 5
    assert [list(record) for record in history] == [["loss", "accuracy", "validation_loss", "validation_accuracy"]] * 5
    assert history.loss == [record["loss"] for record in history]
    assert history.validation_loss[2] == history[2]["validation_loss"]
    assert history.stopped == "all epochs are done"
    assert history.seconds > 0.0
    assert history.engine == ("eager" if find_spec("numpy") is None else "compiled")
    assert history.python == ".".join(map(str, sys.version_info[:3]))
    assert repr(history) == f"History(5 epochs, best {history.best_epoch}, stopped: all epochs are done)"


figures = st.one_of(st.floats(), st.floats(0.0, 10.0))


@given(st.lists(st.tuples(figures, st.floats(0.0, 1.0), figures, st.floats(0.0, 1.0)), max_size=5))
def test_the_table_is_at_most_80_columns_wide_whatever_the_figures(records):
    history = History()
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    for record in records:
        history.append(dict(zip(names, record, strict=True)))
    lines = str(history).splitlines()
    assert len(lines) == len(records) + 1
    assert max(map(len, lines)) <= 80
    marked = [epoch for epoch, line in enumerate(lines) if line.endswith("best")]
    assert marked == ([history.best_epoch] if history.best_epoch else [])


@given(st.lists(st.floats(), max_size=6))
def test_the_best_epoch_is_the_first_with_the_lowest_loss_that_is_a_number(losses):
    history = History()
    for loss in losses:
        history.append({"loss": loss})
    numbers = [loss for loss in losses if not math.isnan(loss)]
    assert history.best_epoch == (losses.index(min(numbers)) + 1 if numbers else 0)


def test_epochs_with_unlike_figures_have_gaps_in_the_table():
    history = History()
    for record in ({"loss": 1.0}, {"loss": 0.5, "validation_loss": 3.0}, {"validation_loss": 2.0}, {}):
        history.append(record)
    assert [line.split() for line in str(history).splitlines()] == [
        ["epoch", "loss", "validation", "loss"],
        ["1", "1.0000"],
        ["2", "0.5000", "3.0000"],
        ["3", "2.0000", "best"],
        ["4"],
    ]


def test_the_table_marks_a_best_epoch_only_where_its_weights_are_kept():
    model, seen = network(), []
    keep = {"callbacks": [lambda model, history: seen.append(model.state_dict())], "epochs": 12}
    history = trained(model, optimizer=SGD(model.parameters(), lr=2.0), **keep)
    assert history.best_epoch < 12  # of the training losses, but the last weights stay
    assert model.state_dict() == seen[-1]
    assert history.kept_epoch == 0
    assert "best" not in str(history)

    model, seen[:] = network(), []
    history = trained(model, optimizer=SGD(model.parameters(), lr=2.0), validation=(X4, Y4), **keep)
    assert model.state_dict() == seen[history.kept_epoch - 1]
    assert [line.split()[0] for line in str(history).splitlines() if "best" in line] == [str(history.kept_epoch)]


def test_where_no_validation_loss_is_a_number_no_epoch_is_marked():
    history = History()
    history.append({"loss": 1.0, "validation_loss": math.nan})
    assert (history.best_epoch, history.kept_epoch) == (0, 0)
    assert "best" not in str(history)


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


class Slow(Module):
    """A model that takes two seconds of a clock for each example."""

    def __init__(self, clock):
        self.w, self.clock, self.first_step = Value(1.0), clock, None

    def forward(self, row):
        self.clock.now += 2.0
        if self.training and self.first_step is None:
            self.first_step = self.clock.now - 2.0
        return [self.w * row[0]]

    def config(self):
        return {}


def slow_run(clock, **options):
    """The history of a slow model, when the run began, had its first step, and ended."""
    model, began = Slow(clock), clock.now
    data, optimizer = ([[1.0], [2.0]], [3.0, 4.0]), SGD([model.w], lr=0.1)
    history = trained(model, *data, optimizer, loss="mse_loss", validation=data, engine="eager", **options)
    return history, began, model.first_step, clock.now


def test_the_seconds_are_those_of_the_whole_call_and_tell_what_went_before_the_first_step(monkeypatch):
    history, began, first_step, ended = slow_run(Clock(monkeypatch))
    assert history.seconds == ended - began
    assert history.preparation == first_step - began == 4.0  # an example of each set was tried out


def test_the_seconds_of_a_run_that_goes_on_add_up(monkeypatch, tmp_path):
    monkeypatch.setitem(checkpoint.REGISTERED, "Slow", partial(Slow, Clock(monkeypatch)))
    monkeypatch.setattr(checkpoint, "describe", lambda model: {"class": "Slow", "arguments": {}})
    clock = Clock(monkeypatch)
    first, began, _, ended = slow_run(clock, checkpoint=tmp_path / "run.json", epochs=2)
    clock.now += 1_000.0  # between the calls
    second, began_again, first_step, ended_again = slow_run(clock, checkpoint=tmp_path / "run.json", epochs=5)
    assert (len(second), first.seconds) == (5, ended - began)
    assert second.seconds == first.seconds + ended_again - began_again
    assert second.preparation == first.preparation + first_step - began_again


def test_in_each_epoch_a_callback_sees_the_seconds_so_far(monkeypatch):
    clock, seen = Clock(monkeypatch), []
    _, began, *_ = slow_run(clock, callbacks=[lambda model, history: seen.append((history.seconds, clock.now))])
    assert seen == [(now - began, now) for _, now in seen]


def test_a_history_goes_on_from_its_state_and_refuses_another():
    history = trained(network(), validation=(X4, Y4))
    other = History()
    other.load_state_dict(json.loads(json.dumps(history.state_dict())))
    assert (str(other), other.state_dict(), other.best_epoch) == (
        str(history),
        history.state_dict(),
        history.best_epoch,
    )
    good = history.state_dict()
    for change, sentence in (
        ({"epochs": {}}, "takes a list of figures by name; got {}"),
        ({"epochs": [[1.0]]}, "takes a list of figures by name"),
        ({"epochs": [{"los": 1.0}]}, "has the figures loss, accuracy, .*; got {'los': 1.0}"),
        ({"epochs": [{"loss": "1.0"}]}, "takes a number for loss, .*; got '1.0'"),
        ({"epochs": [{"loss": True}]}, "takes a number for loss, .*; got True"),
        ({"epochs": [{"loss": 1.0, "accuracy": 1.5}]}, "a share for an accuracy; got 1.5"),
        ({"seconds": -1.0}, "a number of at least 0 for seconds; got -1.0"),
        ({"preparation": math.nan}, "a number of at least 0 for preparation; got nan"),
        ({"stopped": None}, "says in words why it stopped; got None"),
        ({"more": 1}, "this is not the state_dict of a History"),
    ):
        with pytest.raises(ValueError, match=sentence):
            other.load_state_dict({**good, **change})
        assert other.state_dict() == good


def test_asking_for_the_best_epoch_looks_at_no_epoch_again():
    class Forgetful(list):
        def __iter__(self):
            raise AssertionError("looked at all epochs")

    history = History()
    history.epochs = Forgetful()
    for loss in (2.0, 1.0, 3.0):
        history.append({"loss": loss, "validation_loss": loss})
    assert history.best_epoch == 2
    assert history.line(-1).split() == ["3", "3.0000", "3.0000"]


def test_a_history_can_be_copied_and_pickled_and_has_no_other_figures():
    history = trained(network())
    for copied in (copy.deepcopy(history), pickle.loads(pickle.dumps(history))):
        assert str(copied) == str(history)
    with pytest.raises(AttributeError, match="no attribute 'los'"):
        _ = history.los


def test_plot_draws_loss_and_accuracy():
    pytest.importorskip("matplotlib")
    figure = trained(network(), validation=(X4, Y4)).plot()
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["loss", "validation loss", "best epoch"]
    assert all(tick == round(tick) for ax in figure.axes for tick in ax.get_xticks())
    figure = trained(network(nouts=(1,)), loss="mse_loss").plot()
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss"]
    assert [line.get_label() for line in figure.axes[0].lines] == ["loss"]  # no epoch is kept as the best
    with pytest.raises(ValueError, match="nothing to plot yet"):
        History().plot()


# Early stopping


def test_the_weights_of_the_best_epoch_come_back():
    model = network()
    seen = []
    history = trained(
        model,
        optimizer=SGD(model.parameters(), lr=2.0),  # so large that the loss jumps up and down
        epochs=12,
        validation=(X4, Y4),
        callbacks=[lambda model, history: seen.append(model.state_dict())],
    )
    assert history.best_epoch < 12
    assert model.state_dict() == seen[history.best_epoch - 1]
    assert evaluate(model, X4, Y4, loss="cross_entropy")["loss"] == min(history.validation_loss)


def test_without_validation_the_last_weights_stay():
    model, seen = network(), []
    trained(model, optimizer=SGD(model.parameters(), lr=2.0), callbacks=[lambda m, h: seen.append(m.state_dict())])
    assert model.state_dict() == seen[-1]


@pytest.mark.parametrize("patience", [1, 3])
def test_patience_counts_the_epochs_without_improvement(patience):
    model = network()
    resting = SGD(model.parameters(), lr=0.0)
    history = trained(model, optimizer=resting, epochs=20, validation=(X4, Y4), patience=patience)
    assert len(history) == 1 + patience  # with a learning rate of 0 only the first epoch is an improvement
    assert history.stopped == f"the validation loss has not improved for {patience} epochs"


def test_while_it_improves_patience_does_not_stop_it():
    model = MLP(1, [1], rng=random.Random(0))
    X, Y = [[0.0], [1.0]], [0.0, 2.0]
    history = trained(model, X, Y, loss="mse_loss", epochs=30, batch_size=2, validation=(X, Y), patience=1)
    assert len(history) == 30


def test_an_improvement_starts_the_patience_anew():
    model = MLP(1, [1], init=lambda *fans: 0.0)
    bias = model.parameters()[-1]
    biases = iter([3.0, 4.0, 2.0, 3.0, 1.0, 2.0, 0.0])

    def worse_and_better(model, history):
        bias.data = next(biases)

    resting = SGD(model.parameters(), lr=0.0)
    options = {"loss": "l1_loss", "optimizer": resting, "callbacks": [worse_and_better], "epochs": 7, "patience": 2}
    history = trained(model, [[0.0]], [0.0], validation=([[0.0]], [0.0]), **options)
    assert history.validation_loss == [0.0, 3.0, 4.0]
    bias.data = 5.0
    biases = iter([6.0, 3.0, 4.0, 2.0, 3.0, 1.0, 0.0])
    history = trained(model, [[0.0]], [0.0], validation=([[0.0]], [0.0]), **options)
    assert history.validation_loss == [5.0, 6.0, 3.0, 4.0, 2.0, 3.0, 1.0]


# The same again


def bits(model):
    return [p.data.hex() for p in model.parameters()]


@settings(max_examples=10)  # each trains two networks
@given(st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_bits(seed):
    def run():
        rng = random.Random(seed)
        model = MLP(2, [4, 2], dropout=0.3, rng=rng)
        return trained(model, rng=rng, validation=(X4, Y4)).loss, bits(model)

    assert run() == run()


def test_without_a_generator_random_seed_decides():
    def run(seed):
        random.seed(seed)
        model = MLP(2, [4, 2], dropout=0.3)
        return trained(model, rng=None).loss, bits(model)

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_with_a_generator_pythons_random_is_left_alone():
    state = random.getstate()
    trained(network(dropout=0.5), validation=(X4, Y4))
    assert random.getstate() == state


def test_the_progress_bar_and_the_callbacks_change_no_bit():
    plain, shown = network(), network()
    trained(plain)
    trained(shown, progress=True, callbacks=[lambda model, history: predict(model, X4)])
    assert bits(plain) == bits(shown)


def test_shuffle_draws_a_new_order_in_each_epoch_and_without_it_the_order_stays():
    class Watched(Module):
        def __init__(self):
            self.w, self.seen = Value(1.0), []

        def forward(self, row):
            if self.training:
                self.seen.append(row[0])
            return [self.w * row[0]]

    X = [[float(i)] for i in range(20)]
    for shuffle in (True, False):
        model = Watched()
        trained(model, X, [0.0] * 20, SGD(model.parameters(), lr=0.0), loss="mse_loss", shuffle=shuffle, epochs=3)
        epochs = [model.seen[i : i + 20] for i in (0, 20, 40)]
        assert all(sorted(epoch) == [x for (x,) in X] for epoch in epochs)
        assert len(set(map(tuple, epochs))) == (3 if shuffle else 1)  # two orders of 20 are equal once in 20!


@pytest.mark.parametrize(
    ("X", "Y"),
    [
        (tuple(map(tuple, X4)), tuple(Y4)),
        ([[0, 0], [0, 1], [1, 0], [True, 1]], [0.0, 1.0, 1.0, 0.0]),
        (np.array(X4), np.array(Y4)),
        (np.array(X4, dtype=np.float32), np.array(Y4, dtype=np.uint8)),
        (np.array(X4, dtype=int), [np.int64(y) for y in Y4]),
        (pd.DataFrame(X4, columns=["a", "b"]), pd.Series(Y4, index=list("wxyz"))),
        (pd.DataFrame(X4, index=[9, 8, 7, 6]), pd.DataFrame({"y": Y4})["y"]),
    ],
)
def test_lists_arrays_and_data_frames_give_identical_results(X, Y):
    expected, model = network(), network()
    history = trained(expected, validation=(X4, Y4))
    assert trained(model, X, Y, validation=(X, Y)).epochs == history.epochs
    assert bits(model) == bits(expected)
    assert predict(model, X) == predict(expected, X4)
    assert evaluate(model, X, Y, loss="cross_entropy") == evaluate(expected, X4, Y4, loss="cross_entropy")


def test_the_data_are_not_changed():
    X, Y = copy.deepcopy(X4), list(Y4)
    trained(network(), X, Y)
    assert (X, Y) == (X4, Y4)


# Stopping early by hand


def interrupt_in_epoch(epoch, batch):
    """An optimiser that is interrupted, as by Ctrl-C, in the middle of an epoch."""

    class Interrupted(SGD):
        def step(self):
            super().step()
            if self.steps == (epoch - 1) * 2 + batch:
                raise KeyboardInterrupt

    return Interrupted


def test_ctrl_c_keeps_the_best_weights_and_returns():
    model, seen = network(), []
    history = trained(
        model,
        optimizer=interrupt_in_epoch(4, 1)(model.parameters(), lr=2.0),
        epochs=9,
        validation=(X4, Y4),
        callbacks=[lambda model, history: seen.append(model.state_dict())],
    )
    assert history.stopped == "interrupted"
    assert len(history) == 3
    assert model.state_dict() == seen[history.best_epoch - 1]
    assert not model.training
    assert gc.isenabled()


def test_ctrl_c_in_the_first_epoch_returns_an_empty_history():
    model = network()
    history = trained(model, optimizer=interrupt_in_epoch(1, 1)(model.parameters()), validation=(X4, Y4))
    assert (len(history), history.best_epoch, history.stopped) == (0, 0, "interrupted")
    assert str(history) == "epoch"


def test_a_callback_that_returns_true_stops_it():
    seen = []
    history = trained(
        network(),
        epochs=9,
        callbacks=[lambda model, history: len(history) == 2, lambda model, history: seen.append(len(history))],
    )
    assert history.stopped == "a callback stopped it"
    assert seen == [1, 2]  # the callbacks after it are called too


def test_callbacks_get_the_model_and_the_history_and_other_answers_mean_nothing():
    model, seen = network(), []

    def callback(*arguments):
        seen.append(arguments)
        return 1  # not True

    history = trained(model, callbacks=(callback for _ in range(1)))
    assert seen == [(model, history)] * 3


def test_an_error_in_a_callback_reaches_the_caller_and_leaves_everything_tidy():
    model = network()

    def fail(model, history):
        raise RuntimeError("of my own")

    with pytest.raises(RuntimeError, match="of my own"):
        trained(model, callbacks=[fail], validation=(X4, Y4))
    assert not model.training
    assert gc.isenabled()


@pytest.mark.parametrize("validation", [None, (X4, Y4)])
def test_a_loss_that_is_no_number_stops_it_with_a_word(validation):
    model = network(nouts=(4, 1))
    optimizer = SGD(model.parameters(), lr=1e200)
    history = trained(model, X4, Y4, optimizer, loss="mse_loss", epochs=20, validation=validation)
    assert len(history) < 20
    assert re.fullmatch("the loss is (nan|inf): a lower learning rate may help", history.stopped)


# Modes and graphs


def test_after_fit_the_model_is_in_evaluation_mode():
    model = network(dropout=0.5)
    trained(model)
    assert not any(module.training for module in model.modules())


def test_dropout_drops_in_training_and_not_in_validation():
    modes = []

    class Watched(Dropout):
        def forward(self, row):
            modes.append(self.training)
            return super().forward(row)

    model = Sequential(Layer(2, 2), Watched(0.5, rng=random.Random(0))).eval()
    trained(model, epochs=1, batch_size=4, validation=(X4, Y4), engine="eager")  # compiled, forward runs only once
    # one example of each set is tried out first
    assert modes == [False] * 2 + [True] * 4 + [False] * 4


@pytest.mark.parametrize("ask", [lambda m: predict(m, X4), lambda m: evaluate(m, X4, Y4, loss="cross_entropy")])
def test_predict_and_evaluate_leave_modes_gradients_and_randomness_alone(ask):
    model = network(dropout=0.5)
    model.layers[0].eval()
    for i, parameter in enumerate(model.parameters()):
        parameter.grad = float(i)
    modes = [module.training for module in model.modules()]
    assert ask(model) == ask(model)  # no dropout, so no chance
    assert [module.training for module in model.modules()] == modes
    assert [p.grad for p in model.parameters()] == [float(i) for i in range(len(model.parameters()))]


def test_predict_and_evaluate_put_the_modes_back_even_after_an_error():
    model = network(dropout=0.5)
    for ask in (lambda: predict(model, [[1.0]]), lambda: evaluate(model, X4, [0, 1, 1, 7], loss="cross_entropy")):
        with pytest.raises(ValueError, match=r"takes 2 inputs|out of range"):
            ask()
        assert all(module.training for module in model.modules())


def test_predict_and_evaluate_record_no_graph():
    class Watched(Module):
        def __init__(self):
            self.w, self.recorded = Value(2.0), set()

        def forward(self, row):
            output = self.w * row[0]
            self.recorded.add(bool(output.parents))
            return [output]

    model = Watched()
    predict(model, [[1.0]])
    evaluate(model, [[1.0]], [2.0], loss="mse_loss")
    assert model.recorded == {False}


def test_predictions_are_floats_in_lists_or_bare():
    assert [type(y) for y in predict(network(nouts=(1,)), X4)] == [float] * 4
    assert [[type(y) for y in row] for row in predict(network(nouts=(3,)), X4[:1])] == [[float] * 3]
    assert predict(network(), []) == []
    model = network()
    with no_grad():
        assert predict(model, X4) == [[y.data for y in row] for row in model(X4)]


def test_evaluate_tells_loss_and_accuracy_or_loss_alone():
    assert set(evaluate(network(), X4, Y4, loss="cross_entropy")) == {"loss", "accuracy"}
    assert set(evaluate(network(nouts=(1,)), X4, Y4, loss=mse_loss)) == {"loss"}


def test_a_loss_of_ones_own_may_call_the_methods_of_values():
    def max_margin(scores, labels):
        return sum((1 + -y * s).relu() for s, y in zip(scores, labels, strict=True)) / len(labels)

    expected, model = network(nouts=(4, 1)), network(nouts=(4, 1))
    labels = [-1, 1, 1, -1]
    losses = trained(expected, Y=labels, loss="hinge_loss", validation=(X4, labels)).validation_loss
    assert trained(model, Y=labels, loss=max_margin, validation=(X4, labels)).validation_loss == pytest.approx(losses)


def test_a_module_of_ones_own_is_trained_by_its_parameters():
    class Scale(Module):
        def __init__(self):
            self.factor, self.frozen = Value(1.0), Value(5.0)

        def forward(self, row):
            return [self.factor * x + self.frozen for x in row]

    model = Scale()
    trained(model, [[1.0], [2.0]], [7.0, 9.0], SGD([model.factor], lr=0.1), loss="mse_loss", epochs=100)
    assert (model.factor.data, model.frozen.data) == (pytest.approx(2.0), 5.0)


# Bad input: a sentence, and nothing is changed

NAN_ROW = [[0.0, 0.0], [0.0, math.nan], [1.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"X": NAN_ROW}, ValueError, r"X\[1\]\[1\] \(row 1, column 1\) is nan, not a finite number"),
        ({"X": np.array(NAN_ROW)}, ValueError, r"X\[1\]\[1\]"),
        ({"X": pd.DataFrame(NAN_ROW, columns=["a", "b"])}, ValueError, "row 1, column 'b'"),
        ({"X": [[0.0, "1"]] * 4}, TypeError, r"X\[0\]\[1\]"),
        ({"X": [0.0, 1.0, 2.0, 3.0]}, ValueError, "takes a list of rows"),
        ({"X": X4[:3]}, ValueError, "X has 3 rows but y has 4 targets"),
        ({"X": [], "Y": []}, ValueError, "X needs at least one example; got none"),
        ({"X": [[0.0]] * 4}, ValueError, r"Layer\(2 -> 4, relu\) takes 2 inputs; got an example of 1"),
        ({"X": [[0.0] * 3] * 4}, ValueError, "takes 2 inputs; got an example of 3"),
        ({"Y": [0, 1, 2, 0]}, ValueError, "class label 2 is out of range: with 2 outputs the classes are 0 to 1"),
        ({"Y": [0, 1, -1, 0]}, ValueError, "class label -1 is out of range"),
        ({"Y": [0, 1, 0.5, 0]}, ValueError, "a class label is a whole number from 0 to 1; got 0.5"),
        ({"Y": [0, 1, math.nan, 0]}, ValueError, r"y\[2\] is nan"),
        ({"Y": ["a", "b", "b", "a"]}, TypeError, "number the classes first"),
        ({"Y": [[0.5, 0.25, 0.25]] * 4}, ValueError, "has one for each class; got 3 for 2 outputs"),
        ({"validation": (X4, [0, 1, 2, 0])}, ValueError, "class label 2 is out of range"),
        ({"validation": ([[0.0]] * 4, Y4)}, ValueError, "takes 2 inputs; got an example of 1"),
        ({"validation": (NAN_ROW, Y4)}, ValueError, r"validation X\[1\]\[1\]"),
        ({"validation": (X4[:2], Y4)}, ValueError, "X has 2 rows but y has 4 targets"),
        ({"validation": ([], [])}, ValueError, "validation X needs at least one example"),
        ({"validation": X4}, ValueError, r"validation takes a pair \(X, Y\)"),
        ({"validation": 1.0}, ValueError, "validation takes a share above 0 and below 1, such as 0.2; got 1.0"),
        ({"validation": 0}, ValueError, "validation takes a share above 0 and below 1, such as 0.2; got 0"),
        ({"validation": True}, ValueError, r"validation takes a pair \(X, Y\) .* or a share .*; got True"),
        ({"validation": 0.9}, ValueError, "leaves none to learn from: give a smaller share"),
        ({"patience": 3}, ValueError, r"patience needs validation=\(X, Y\), or a share"),
        ({"patience": 0, "validation": (X4, Y4)}, ValueError, "patience takes a whole number of at least 1; got 0"),
        ({"patience": 1.5, "validation": (X4, Y4)}, TypeError, r"patience takes a whole number; got 1.5 \(float\)"),
        ({"batch_size": 0}, ValueError, "batch_size takes a whole number of at least 1; got 0"),
        ({"batch_size": -2}, ValueError, "batch_size takes a whole number of at least 1; got -2"),
        ({"batch_size": 2.0}, TypeError, r"batch_size takes a whole number; got 2.0 \(float\)"),
        ({"batch_size": None}, TypeError, "batch_size takes a whole number; got None"),
        ({"epochs": 0}, ValueError, "epochs takes a whole number of at least 1; got 0"),
        ({"epochs": "3"}, TypeError, r"epochs takes a whole number; got '3' \(str\)"),
        ({"loss": "crossentropy"}, ValueError, r"'crossentropy' \(did you mean 'cross_entropy'\?\); choose one of mse"),
        ({"loss": lambda predictions, targets: None}, TypeError, "a function that returns one number; got None"),
        ({"loss": lambda predictions, targets: predictions[0]}, TypeError, "a function that returns one number"),
        ({"loss": "mse_loss"}, ValueError, r"got shapes \(4, 2\) and \(4,\)"),
        ({"loss": "hinge_loss"}, ValueError, "hinge_loss takes"),
        ({"optimizer": "adma"}, ValueError, r"'adma' \(did you mean 'adam'\?\); choose one of sgd, adam, adamw, rms"),
        (
            {"optimizer": SGD},
            TypeError,
            r"optimizer takes a name such as 'adam', or an .* such as SGD\(model.parameters",
        ),
        ({"optimizer": "sgd", "lr": -1.0}, ValueError, "SGD takes a lr of at least 0; got -1.0"),
        ({"lr": 0.1}, TypeError, "lr is for an optimizer by name; got 0.1 beside one that has its own: leave it out"),
        ({"engine": "cuda"}, ValueError, 'engine takes "auto", "eager" or "compiled"; got .cuda'),
        ({"rng": "42"}, TypeError, r"rng takes a seed, .*; got '42' \(str\): pass rng=0"),
        ({"rng": True}, TypeError, r"rng takes a seed, .*; got True \(bool\)"),
        ({"rng": -1}, ValueError, "rng takes a seed, a whole number of at least 0, .*; got -1"),
        ({"callbacks": None}, TypeError, r"callbacks takes functions of \(model, history\); got None: pass a list"),
        ({"callbacks": print}, TypeError, r"callbacks takes functions of .*: pass a list"),
        ({"loss": []}, ValueError, r"there is no loss \[\]; choose one of mse_loss"),
        ({"loss": lambda predictions, targets: 1.0}, TypeError, r"a Value computed from the .*; got 1.0 .* use \.data"),
        ({"loss": lambda predictions, targets: Value(1.0)}, TypeError, "did it, or the model, use .data"),
        ({"callbacks": [print, 5]}, TypeError, r"callbacks takes functions of \(model, history\); got 5"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_changed(options, kind, sentence):
    model = network(dropout=0.5)
    optimizer = Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = 1.0
    before = bits(model), optimizer.state_dict(), [module.training for module in model.modules()], random.getstate()
    arguments = {"loss": "cross_entropy", "optimizer": optimizer, "epochs": 2, "batch_size": 2, "progress": False}
    with pytest.raises(kind, match=sentence):
        fit(model, **{"X": X4, "Y": Y4, **arguments, **options})
    after = bits(model), optimizer.state_dict(), [module.training for module in model.modules()], random.getstate()
    assert after == before
    assert {p.grad for p in model.parameters()} == {1.0}


def test_a_failure_in_the_first_epoch_leaves_the_modes_as_they_were():
    model = network(dropout=0.5)
    model.layers[0].eval()
    modes = [module.training for module in model.modules()]

    class Broken(SGD):
        def step(self):
            raise RuntimeError("of my own")

    with pytest.raises(RuntimeError, match="of my own"):
        trained(model, optimizer=Broken(model.parameters()))
    assert [module.training for module in model.modules()] == modes


@pytest.mark.parametrize("ask", [predict, lambda model, X: evaluate(model, X, Y4, loss="mse_loss")])
def test_only_a_module_predicts(ask):
    with pytest.raises(TypeError, match=r"takes a Module, such as MLP\(2, \[16, 1\]\); got None \(NoneType\)"):
        ask(None, X4)


def test_one_output_cannot_choose_among_classes():  # or a batch of bare outputs would be read as one row of logits
    model = network(nouts=(4, 1))
    before = bits(model)
    with pytest.raises(ValueError, match="cross_entropy takes an output for each class; the model has a single one"):
        trained(model)
    assert bits(model) == before
    with pytest.raises(ValueError, match="use binary_cross_entropy_with_logits for two classes"):
        evaluate(model, X4, Y4, loss="cross_entropy")


def test_only_modules_are_trained():
    with pytest.raises(TypeError, match=r"fit trains a Module, such as MLP\(2, \[16, 1\]\); got .* \(function\)"):
        fit(lambda x: x, X4, Y4, loss="mse_loss", optimizer=SGD([Value(0.0)]), epochs=1, batch_size=1)


# The progress bar

SCRIPT = """
    import random
    from nn import MLP, SGD, fit
    model = MLP(1, [1], rng=random.Random(0))
    print("before", flush=True)
    history = fit(model, [[0.0], [1.0]] * 200, [0.0, 1.0] * 200, loss="mse_loss", epochs=30, batch_size=2,
                  optimizer=SGD(model.parameters(), lr=0.01), rng=random.Random(0), progress={progress})
    print("after", flush=True)
"""


def in_a_terminal(script):
    """What a script of Python writes to a terminal of 80 columns."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    ours, theirs = pty.openpty()
    pytest.importorskip("termios").tcsetwinsize(theirs, (24, 80))
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        output = b""
        while True:
            try:
                chunk = os.read(ours, 65_536)
            except OSError:  # on Linux, the end
                break
            if not chunk:
                break
            output += chunk
        os.close(ours)
    assert process.returncode == 0
    return output.decode()


def screen(output):
    """The lines that stay on a terminal's screen."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[\d*[A-Za-z]|[\s\S]", output):
        if token == "\r":
            column = 0
        elif token == "\n":
            row, column = row + 1, 0
        elif token == "\x1b[A":
            row -= 1
        elif token == "\x1b[K":
            lines[row] = lines[row][:column]
        else:
            lines += [""] * (row + 1 - len(lines))
            line = lines[row].ljust(column)
            lines[row], column = line[:column] + token + line[column + 1 :], column + 1
        lines += [""] * (row + 1 - len(lines))
    return [line.rstrip() for line in lines]


def test_in_a_terminal_the_bar_shows_and_leaves_no_rubbish():
    output = in_a_terminal(SCRIPT.format(progress=True))
    assert "epoch 1/30" in output
    assert "6000" in output  # batches in all
    assert "loss=0.0" in output
    assert max(len(line) for line in re.split(r"[\r\n]+", output)) <= 80
    assert [line for line in screen(output) if line] == ["before", "after"]


def test_without_progress_or_without_a_terminal_there_is_no_bar():
    assert in_a_terminal(SCRIPT.format(progress=False)).split() == ["before", "after"]
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT.format(progress=True))], capture_output=True, text=True
    )
    assert (result.stdout.split(), result.stderr) == (["before", "after"], "")


def test_the_bar_is_gone_after_ctrl_c():
    script = """
        import os, random, signal
        from nn import MLP, SGD, fit
        model = MLP(1, [1], rng=random.Random(0))
        history = fit(model, [[0.0], [1.0]] * 200, [0.0, 1.0] * 200, loss="mse_loss", epochs=30, batch_size=2,
                      optimizer=SGD(model.parameters(), lr=0.01),
                      callbacks=[lambda model, history: os.kill(os.getpid(), signal.SIGINT)])
        print(history.stopped, flush=True)
    """
    assert [line for line in screen(in_a_terminal(script)) if line] == ["interrupted"]
