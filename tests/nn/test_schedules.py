"""Do the schedules set the learning rates that PyTorch's do, and can they stop and go on?"""

import copy
import json
import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

import nn
from autograd import Value
from nn import (
    MLP,
    SGD,
    Adam,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    LinearWarmup,
    ReduceLROnPlateau,
    Schedule,
    StepLR,
)
from tests.nn.make_pytorch_figures import BASE_LR, FIGURES, SCHEDULE_CASES, STEPS, metric

PYTORCH = json.loads(FIGURES.read_text(encoding="utf-8"))
EQUAL = 1e-10
NAMES = {"LinearLR": ("LinearLR", "LinearWarmup")}
"""Our names of PyTorch's schedules, where there is more than one."""
CASES = [(getattr(nn, ours), options) for name, options in SCHEDULE_CASES for ours in NAMES.get(name, (name,))]
FIGURES_OF_CASES = [
    figures
    for (name, _), figures in zip(SCHEDULE_CASES, PYTORCH["schedules"], strict=True)
    for _ in NAMES.get(name, (name,))
]
IDS = [f"{cls.__name__}-{options}" for cls, options in CASES]

cases = pytest.mark.parametrize(("cls", "options"), CASES, ids=IDS)


def optimizer_with(lr):
    return SGD([Value(1.0)], lr=lr)


def run(schedule, first, last):
    """The steps from first to last, with the losses that PyTorch had too; the learning rate after each."""
    for step in range(first, last + 1):
        schedule.step(metric(step)) if schedule.needs_metric else schedule.step()
        yield step, schedule.optimizer.lr


# Against PyTorch


@pytest.mark.parametrize(
    ("cls", "options", "figures"),
    [(*case, figures) for case, figures in zip(CASES, FIGURES_OF_CASES, strict=True)],
    ids=IDS,
)
def test_the_learning_rates_are_pytorchs_over_100_steps(cls, options, figures):
    optimizer = optimizer_with(BASE_LR)
    schedule = cls(optimizer, **options)
    rates = {0: optimizer.lr, **dict(run(schedule, 1, STEPS))}
    for step, expected in figures.items():
        assert rates[int(step)] == pytest.approx(expected, rel=EQUAL, abs=1e-17), (
            step
        )  # abs: PyTorch's 0 may be rounded


def test_every_public_schedule_is_among_those():
    public = {cls for cls in vars(nn).values() if isinstance(cls, type) and issubclass(cls, Schedule)} - {Schedule}
    assert public == {cls for cls, _ in CASES}


# By their definition


@given(st.integers(1, 5), st.floats(0.0, 2.0), st.floats(0.0, 1.0), st.integers(0, 30))
def test_step_and_exponential_multiply_by_gamma(step_size, gamma, base_lr, epochs):
    stepped, exponential = (
        StepLR(optimizer_with(base_lr), step_size, gamma),
        ExponentialLR(optimizer_with(base_lr), gamma),
    )
    for _ in range(epochs):
        stepped.step(), exponential.step()
    assert exponential.optimizer.lr == pytest.approx(math.prod([base_lr] + [gamma] * epochs), rel=1e-12)
    assert stepped.optimizer.lr == pytest.approx(math.prod([base_lr] + [gamma] * (epochs // step_size)), rel=1e-12)


@given(st.integers(1, 50), st.floats(0.0, 0.1), st.floats(0.1, 1.0))
def test_cosine_falls_from_the_start_to_the_least_in_T_max_epochs(T_max, eta_min, base_lr):
    schedule = CosineAnnealingLR(optimizer_with(base_lr), T_max, eta_min)
    rates = [schedule.optimizer.lr, *(lr for _, lr in run(schedule, 1, T_max))]
    assert rates[0] == pytest.approx(base_lr, rel=1e-12)
    assert rates[-1] == pytest.approx(eta_min, abs=1e-15)
    assert rates == sorted(rates, reverse=True)
    assert schedule.lr_at(2 * T_max) == pytest.approx(base_lr)


@given(st.floats(0.01, 1.0), st.floats(0.0, 1.0), st.integers(1, 30))
def test_the_warmup_starts_low_at_once_rises_evenly_and_stays(start_factor, end_factor, total_iters):
    schedule = LinearWarmup(optimizer_with(0.5), start_factor, end_factor, total_iters)
    rates = [schedule.optimizer.lr, *(lr for _, lr in run(schedule, 1, total_iters + 3))]
    assert rates[0] == 0.5 * start_factor
    rises = [after - before for before, after in pairwise(rates)]
    assert rises == pytest.approx(
        [0.5 * (end_factor - start_factor) / total_iters] * total_iters + [0.0] * 3, abs=1e-12
    )
    assert rates[-1] == pytest.approx(0.5 * end_factor, abs=1e-12)


def test_a_plateau_is_left_alone_for_patience_epochs_and_the_cooldown():
    optimizer = optimizer_with(1.0)
    schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=1, cooldown=2)
    rates = []
    for loss in [5.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0]:
        schedule.step(loss)
        rates.append(optimizer.lr)
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_the_learning_rate_never_falls_below_min_lr():
    optimizer = optimizer_with(1.0)
    schedule = ReduceLROnPlateau(optimizer, factor=0.1, patience=0, min_lr=0.05)
    for _ in range(9):
        schedule.step(1.0)
    assert optimizer.lr == 0.05


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_lost_is_no_improvement(loss):
    schedule = ReduceLROnPlateau(optimizer_with(1.0), factor=0.5, patience=0)
    schedule.step(2.0), schedule.step(loss)
    assert (schedule.optimizer.lr, schedule.best) == (0.5, 2.0)


@pytest.mark.parametrize("loss", [Value(2.0), np.float32(2.0), 2])
def test_a_metric_may_be_any_number_or_a_value(loss):
    schedule = ReduceLROnPlateau(optimizer_with(1.0))
    schedule.step(loss)
    assert schedule.best == 2.0


@cases
def test_get_last_lr_is_what_was_set_and_epochs_are_counted(cls, options):
    schedule = cls(optimizer_with(BASE_LR), **options)
    assert (schedule.last_epoch, schedule.get_last_lr()) == (0, [schedule.optimizer.lr])
    for step, lr in run(schedule, 1, 12):
        assert (schedule.last_epoch, schedule.get_last_lr()) == (step, [lr])


def test_a_learning_rate_changed_by_hand_holds_until_the_next_step():
    schedule = ExponentialLR(optimizer_with(1.0), gamma=0.5)
    schedule.optimizer.lr = 7.0
    schedule.step()
    assert schedule.optimizer.lr == 0.5
    plateau = ReduceLROnPlateau(optimizer_with(1.0), factor=0.5, patience=0)
    plateau.step(1.0)
    plateau.optimizer.lr = 8.0
    plateau.step(1.0)
    assert plateau.optimizer.lr == 4.0


def test_a_learning_rate_beyond_the_range_is_infinite_and_raises_nothing():
    schedule = ExponentialLR(optimizer_with(1.0), gamma=1e300)
    assert [lr for _, lr in run(schedule, 1, 2)] == [1e300, math.inf]


def test_one_loop_drives_every_schedule():
    for cls, options in CASES:
        model = MLP(1, [1])
        schedule = cls(Adam(model.parameters(), lr=0.1), **options)
        for loss in (3.0, 2.0):
            schedule.step(loss) if schedule.needs_metric else schedule.step()
        assert schedule.last_epoch == 2


# Stopping and going on


@cases
@pytest.mark.parametrize("pause", [0, 1, 7, 18, 61])
def test_a_state_dict_resumes_bit_for_bit_even_through_json(cls, options, pause):
    whole = dict(run(cls(optimizer_with(BASE_LR), **options), 1, 100))
    first = cls(optimizer_with(BASE_LR), **options)
    list(run(first, 1, pause))
    states = json.loads(json.dumps([first.state_dict(), first.optimizer.state_dict()], allow_nan=False))
    for optimizer_first in (True, False):
        optimizer = optimizer_with(99.0)  # its learning rate comes from the states, whichever is loaded first
        if optimizer_first:
            optimizer.load_state_dict(states[1])
        second = cls(optimizer, **({} if cls in (ReduceLROnPlateau, LinearLR, LinearWarmup) else options))
        if not optimizer_first:
            optimizer.load_state_dict(states[1])
        second.load_state_dict(states[0])
        assert optimizer.lr == first.optimizer.lr
        assert dict(run(second, pause + 1, 100)) == {step: whole[step] for step in range(pause + 1, 101)}


@cases
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda schedule: pickle.loads(pickle.dumps(schedule))])
def test_a_copy_goes_on_alone(cls, options, copied):
    schedule = cls(optimizer_with(BASE_LR), **options)
    list(run(schedule, 1, 12))
    other = copied(schedule)
    before = schedule.optimizer.lr
    rates = dict(run(other, 13, 60))
    assert schedule.optimizer.lr == before
    assert rates == dict(run(schedule, 13, 60))
    assert repr(other) == repr(schedule)


def test_a_state_dict_is_a_copy_that_later_steps_do_not_change():
    schedule = ReduceLROnPlateau(optimizer_with(1.0))
    state = schedule.state_dict()
    before = json.dumps(state)
    list(run(schedule, 1, 30))
    assert json.dumps(state) == before


GOOD = StepLR(optimizer_with(0.5), 2).state_dict()
WATCHING = ReduceLROnPlateau(optimizer_with(0.5)).state_dict()


@pytest.mark.parametrize(
    ("own", "state"),
    [
        *((StepLR, state) for state in ({}, [], None, WATCHING, ExponentialLR(optimizer_with(0.5), 0.5).state_dict())),
        *(
            (StepLR, {**GOOD, **change})
            for change in (
                {"more": 1},
                {"schedule": "ExponentialLR"},
                *(
                    {"options": options}
                    for options in (5, {}, {"step_size": 0, "gamma": 0.1}, {"step_size": 2, "gamma": "x"})
                ),
                *({"base_lr": lr} for lr in ("x", None, -1.0, math.nan)),
                *({"lr": lr} for lr in ("x", None, -1.0, math.inf)),
                *({"last_epoch": epoch} for epoch in ("x", None, -1, 1.5)),
                {"state": {"best": 1.0}},
            )
        ),
        *(
            (ReduceLROnPlateau, {**WATCHING, "state": {**WATCHING["state"], **change}})
            for change in (
                {"best": "x"},
                {"best": None},
                {"num_bad_epochs": -1},
                {"cooldown_counter": 0.5},
                {"more": 1},
            )
        ),
    ],
)
def test_a_foreign_state_dict_is_refused_and_changes_nothing(own, state):
    schedule = own(optimizer_with(0.25), **({"step_size": 3} if own is StepLR else {}))
    before = schedule.state_dict()
    with pytest.raises(ValueError, match="state_dict"):
        schedule.load_state_dict(state)
    assert schedule.state_dict() == before


# Bad input


@pytest.mark.parametrize(
    ("make", "kind", "sentence"),
    [
        (lambda o: StepLR(MLP(1, [1]), 2), TypeError, r"StepLR takes an optimiser such as SGD\(.*\); got MLP"),
        (lambda o: StepLR(o, 0), ValueError, "step_size takes a whole number of at least 1; got 0"),
        (lambda o: StepLR(o, 2.5), TypeError, "step_size takes a whole number; got 2.5"),
        (lambda o: StepLR(o, 2, gamma=-1.0), ValueError, "StepLR takes a number of at least 0 for gamma; got -1.0"),
        (lambda o: ExponentialLR(o, "x"), TypeError, r"ExponentialLR takes a number for gamma; got 'x' \(str\)"),
        (lambda o: ExponentialLR(o, math.nan), ValueError, "takes a number of at least 0 for gamma; got nan"),
        (lambda o: CosineAnnealingLR(o, 0), ValueError, "T_max takes a whole number of at least 1; got 0"),
        (lambda o: CosineAnnealingLR(o, 5, eta_min=-0.1), ValueError, "at least 0 for eta_min; got -0.1"),
        (lambda o: LinearWarmup(o, start_factor=0.0), ValueError, "takes a start_factor above 0"),
        (
            lambda o: LinearWarmup(o, start_factor=1.5),
            ValueError,
            "takes a number from 0 to 1 for start_factor; got 1.5",
        ),
        (lambda o: LinearWarmup(o, end_factor=-0.5), ValueError, "takes a number from 0 to 1 for end_factor; got -0.5"),
        (lambda o: LinearWarmup(o, total_iters=0), ValueError, "total_iters takes a whole number of at least 1"),
        (lambda o: ReduceLROnPlateau(o, mode="low"), ValueError, 'takes "min" or "max" for mode; got \'low\''),
        (
            lambda o: ReduceLROnPlateau(o, threshold_mode=1),
            ValueError,
            'takes "rel" or "abs" for threshold_mode; got 1',
        ),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), ValueError, "takes a factor from 0 to below 1; got 1.0"),
        (
            lambda o: ReduceLROnPlateau(o, patience=-1),
            ValueError,
            "patience takes a whole number of at least 0; got -1",
        ),
        (lambda o: ReduceLROnPlateau(o, cooldown=0.5), TypeError, "cooldown takes a whole number; got 0.5"),
        (lambda o: ReduceLROnPlateau(o, min_lr=[0.1]), TypeError, r"takes a number for min_lr; got \[0.1\] \(list\)"),
        (
            lambda o: ReduceLROnPlateau(o, threshold=-1),
            ValueError,
            "takes a number of at least 0 for threshold; got -1",
        ),
        (lambda o: ReduceLROnPlateau(o).step(), TypeError, r"needs the figure that it watches: call step\(loss\)"),
        (lambda o: ReduceLROnPlateau(o).step("x"), TypeError, "takes a real number; got 'x'"),
        (lambda o: StepLR(o, 2).step(0.5), TypeError, r"goes by the epochs alone: call step\(\); got step\(0.5\)"),
        (lambda o: Schedule(o), NotImplementedError, r"Schedule needs a method lr_at\(self, epoch\)"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence_and_changes_nothing(make, kind, sentence):
    optimizer = optimizer_with(0.5)
    with pytest.raises(kind, match=sentence):
        make(optimizer)
    assert optimizer.lr == 0.5
