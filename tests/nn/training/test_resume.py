"""Does an interrupted training run end with the same bits as one that was never interrupted?"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nn
from nn import checkpoint
from nn.checkpoint import CheckpointError

SCRIPT = """
import random, sys
import nn
from tests.nn.training.test_resume import train
train(sys.argv[1], epochs=int(sys.argv[2]))
"""


def made(seed=0):
    """A model with everything that a run must remember: dropout, batch statistics, momentum, a schedule."""
    rng = random.Random(seed)
    model = nn.Sequential(
        nn.Layer(2, 8, rng=rng),
        nn.BatchNorm(8),
        nn.Dropout(0.3, rng=random.Random(5)),
        nn.Layer(8, 1, nonlin=False, rng=rng),
    )
    optimizer = nn.Adam(model.parameters(), lr=0.02)
    return model, optimizer, nn.ReduceLROnPlateau(optimizer, patience=1)


def train(path, epochs=6, made=made, rng=None, callbacks=(), **more):
    model, optimizer, schedule = made()
    X, y = nn.datasets.make_moons(60, noise=0.2, rng=random.Random(1))
    validation = nn.datasets.make_moons(20, noise=0.2, rng=random.Random(2))
    arguments = {
        "loss": "binary_cross_entropy_with_logits", "optimizer": optimizer, "schedule": schedule, "epochs": epochs,
        "batch_size": 16, "validation": validation, "rng": rng or random.Random(3), "progress": False,
        "checkpoint": path, "callbacks": callbacks, **more,
    }  # fmt: skip
    history = nn.fit(model, X, y, **arguments)
    return model, optimizer, schedule, history


def everything(run):
    model, optimizer, schedule, history = run
    return model.state_dict(), optimizer.state_dict(), schedule.state_dict(), history.epochs, history.best_epoch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.json"


def interrupted_after(epochs):
    """A callback that stops the run as Ctrl-C does."""

    def callback(model, history):
        if len(history) == epochs:
            raise KeyboardInterrupt

    return [callback]


def test_a_checkpoint_changes_nothing_in_the_run(path):
    assert everything(train(path)) == everything(train(None))


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_a_run_in_two_parts_is_the_run_in_one(path, epochs):
    train(path, epochs=epochs)
    assert everything(train(path)) == everything(train(None))


def test_a_run_interrupted_by_ctrl_c_goes_on_from_the_last_epoch(path):
    history = train(path, callbacks=interrupted_after(4))[3]
    assert history.stopped == "interrupted"
    again = train(path)
    assert everything(again) == everything(train(None))
    assert again[3].stopped == "all epochs are done"


def test_a_finished_run_is_not_trained_again(path):
    first = train(path)
    before = path.read_bytes()
    second = train(path)
    assert everything(second) == everything(first)
    assert path.read_bytes() == before


def test_pythons_own_generator_goes_on_too(path):
    def plain():
        model = nn.MLP(2, [6, 1], dropout=0.2, rng=random)
        optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return model, optimizer, nn.StepLR(optimizer, 2)

    random.seed(7)
    whole = train(None, made=plain, rng=random)
    random.seed(7)
    train(path, made=plain, rng=random, epochs=3)
    random.seed(99)
    parts = train(path, made=plain, rng=random)
    assert everything(parts) == everything(whole)


def test_the_same_share_is_held_out_whatever_was_drawn_meanwhile(path):
    random.seed(7)
    whole = train(None, validation=0.25, rng=random)
    random.seed(7)
    train(path, validation=0.25, rng=random, epochs=2)
    random.seed(99)
    assert everything(train(path, validation=0.25, rng=random)) == everything(whole)
    with pytest.raises(CheckpointError, match=r"with the validation 0\.25 where this one has 0\.5"):
        train(path, validation=0.5, rng=random)
    state = random.getstate()
    with pytest.raises(CheckpointError, match=r"with the validation 0\.25 where this one has None"):
        train(path, rng=random)
    assert random.getstate() == state


def test_a_run_that_is_refused_leaves_the_generator_as_it_was(path):
    train(path, epochs=2)
    rng = random.Random(5)
    with pytest.raises(CheckpointError, match=r"with the validation None where this one has 0\.25"):
        train(path, validation=0.25, rng=rng)
    assert rng.getstate() == random.Random(5).getstate()


def test_a_stopped_run_stays_stopped(path):
    history = train(path, callbacks=[lambda model, history: len(history) == 2])[3]
    assert (len(history), history.stopped) == (2, "a callback stopped it")
    assert len(train(path)[3]) == 2


def test_the_model_can_be_loaded_from_the_checkpoint(path):
    model = train(path)[0]
    assert nn.load(path).state_dict() == model.state_dict()


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("other examples", {"validation": None, "schedule": None}),
        ("the batch_size 16 where this one has 15", {"batch_size": 15}),
        ("the shuffle True where this one has False", {"shuffle": False}),
        ("the loss binary_cross_entropy_with_logits where this one has mse_loss", {"loss": "mse_loss"}),
    ],
)
def test_another_run_is_refused_and_nothing_is_changed(path, what, change):
    train(path, epochs=2)
    before = path.read_bytes()
    model, optimizer, schedule = made()
    state = model.state_dict()
    with pytest.raises(CheckpointError, match=f"holds a training run with {what}"):
        train(path, made=lambda: (model, optimizer, schedule), **change)
    assert model.state_dict() == state
    assert path.read_bytes() == before


def other_models():
    """Runs that differ from `plain` in one setting each."""

    def plain(lr=0.1, momentum=0.0, activation="relu", epochs=3, dropout=0.1):
        model = nn.MLP(2, [4, 1], activation=activation, dropout=dropout, rng=random.Random(0))
        optimizer = nn.SGD(model.parameters(), lr=lr, momentum=momentum)
        return model, optimizer, nn.CosineAnnealingLR(optimizer, epochs)

    yield "nothing", plain, plain
    yield "other architecture", plain, lambda: plain(activation="tanh")
    yield "other architecture", plain, lambda: plain(dropout=0.9)
    yield r"the optimizer SGD\(17 parameters, lr=0.1, .* has .* lr=0.01", plain, lambda: plain(lr=0.01)
    yield "the optimizer SGD.*momentum=0.0.*has.*momentum=0.9", plain, lambda: plain(momentum=0.9)
    yield "the schedule CosineAnnealingLR .*3.* has .*6", plain, lambda: plain(epochs=6)


@pytest.mark.parametrize(("what", "first", "second"), list(other_models()))
def test_other_settings_are_refused(path, what, first, second):
    train(path, epochs=2, made=first)
    if what == "nothing":
        assert len(train(path, epochs=3, made=second)[3]) == 3
        return
    with pytest.raises(CheckpointError, match=rf"holds a training run with {what}"):
        train(path, epochs=3, made=second)


def test_another_loss_of_ones_own_is_refused(path):
    train(path, epochs=2, loss=lambda p, t: nn.mse_loss(p, t))
    with pytest.raises(CheckpointError, match=r"with the loss .*lambda"):
        train(path, loss=lambda p, t: nn.l1_loss(p, t))
    assert len(train(path, epochs=3, loss=lambda p, t: nn.mse_loss(p, t))[3]) == 3


def test_the_engine_must_be_the_same(path):
    pytest.importorskip("llvmlite")
    train(path, epochs=2, engine="eager")
    with pytest.raises(CheckpointError, match="with the engine eager where this one has compiled"):
        train(path, engine="compiled")


def test_with_more_patience_a_run_that_had_stopped_goes_on(path):
    def hopeless():
        model = nn.MLP(2, [1], rng=random.Random(0))
        optimizer = nn.SGD(model.parameters(), lr=0.0)
        return model, optimizer, nn.ExponentialLR(optimizer, 1.0)

    assert len(train(path, epochs=9, made=hopeless, patience=2)[3]) < 9
    stopped = len(train(path, epochs=9, made=hopeless, patience=2)[3])
    assert len(train(path, epochs=9, made=hopeless, patience=4)[3]) == stopped + 2


def test_without_validation_the_file_has_the_model_that_fit_leaves(path):
    def fast():
        model, optimizer, _ = made()
        optimizer.lr = 1.0
        return model, optimizer, nn.ExponentialLR(optimizer, 1.0)

    model, _, _, history = train(path, epochs=6, made=fast, validation=None)
    assert history.best_epoch < 6
    assert nn.load(path).state_dict() == model.state_dict()


def test_a_folder_that_is_not_there_or_read_only_is_refused_before_anything_is_learned(tmp_path, monkeypatch):
    model, optimizer, schedule = made()
    state = model.state_dict()
    with pytest.raises(FileNotFoundError, match=r"cannot be written: there is no folder .*nowhere"):
        train(tmp_path / "nowhere" / "run.json", made=lambda: (model, optimizer, schedule))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="is read-only"):
        train(tmp_path / "run.json", made=lambda: (model, optimizer, schedule))
    assert model.state_dict() == state


def test_a_model_without_a_run_is_refused(path):
    nn.save(made()[0], path)
    with pytest.raises(CheckpointError, match="holds a model but no training run"):
        train(path)


@pytest.mark.parametrize("part", ["now", "optimizer", "order", "generators", "history"])
def test_a_damaged_file_is_refused_and_nothing_is_changed(path, part):
    train(path, epochs=2)
    content = json.loads(path.read_text())
    content["training"][part] = {"x": 1}
    path.write_text(json.dumps(content))
    model, optimizer, schedule = made()
    before = model.state_dict(), optimizer.state_dict(), schedule.state_dict()
    with pytest.raises(CheckpointError, match="does not fit together"):
        train(path, made=lambda: (model, optimizer, schedule))
    assert (model.state_dict(), optimizer.state_dict(), schedule.state_dict()) == before


def test_a_kill_during_saving_leaves_the_previous_checkpoint(path, monkeypatch):
    train(path, epochs=2)
    before = path.read_bytes()

    def dies(*_):
        raise SystemExit

    monkeypatch.setattr(os, "replace", dies)
    with pytest.raises(SystemExit):
        train(path)
    assert path.read_bytes() == before
    assert checkpoint.read(path)["training"]["history"]["epochs"]


def killed_and_resumed(path, kills, epochs, rng):
    """Starts the run again and again, kills it at a random moment; returns how often it was killed."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", SCRIPT, str(path), str(epochs)]
    done = 0
    while done < kills:
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL)
        size = path.stat().st_mtime_ns if path.exists() else 0
        while process.poll() is None and (path.stat().st_mtime_ns if path.exists() else 0) == size:
            time.sleep(0.001)  # until it has gone on by one epoch
        time.sleep(rng.uniform(0.0, 0.15))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        done += 1
        checkpoint.read(path)  # complete, whatever happened
    return done


def assert_the_same_as_in_one(path):
    """The run goes on for one more epoch."""
    epochs = len(checkpoint.read(path)["training"]["history"]["epochs"]) + 1
    assert everything(train(path, epochs=epochs)) == everything(train(None, epochs=epochs))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_run_killed_five_times_ends_bit_for_bit_as_one_that_was_not(path):
    assert killed_and_resumed(path, 5, 10_000, random.Random(0)) == 5
    assert_the_same_as_in_one(path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_run_killed_fifty_times_ends_bit_for_bit_as_one_that_was_not(path):
    assert killed_and_resumed(path, 50, 100_000, random.Random(1)) == 50
    assert_the_same_as_in_one(path)


@pytest.mark.parametrize(("first", "then", "sentence"), [
    (0, None, "was begun with an rng of its own: pass rng=0, or any other seed, too; how"),
    (None, 0, "was begun without an rng of its own: leave rng out; how"),
])  # fmt: skip
def test_a_run_is_resumed_with_an_rng_if_it_was_begun_with_one(path, first, then, sentence):
    def run(rng, epochs):
        model = nn.MLP(1, [2, 1], rng=0)
        options = {"loss": "mse_loss", "epochs": epochs, "rng": rng, "checkpoint": path, "progress": False}
        return nn.fit(model, [[0.0], [1.0]], [0.0, 1.0], **options)

    run(first, 1)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=sentence):
        run(then, 2)
    assert path.read_bytes() == before
    assert len(run(first, 2)) == 2
