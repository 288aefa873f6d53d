"""Does a film of a training tell what happened, and does it change nothing?"""

import pickle
import random
from itertools import pairwise
from math import isclose

import pytest

import nn
from nn.datasets import make_moons
from nn.training.recording import EXAMPLES, HELD_OUT, MOST

X, Y = make_moons(50, noise=0.2, rng=0)
LOGITS = "binary_cross_entropy_with_logits"

SETTINGS = {
    "plain": {},
    "validation and patience": {"validation": 0.3, "patience": 2, "epochs": 40, "lr": 0.3},
    "max_steps": {"max_steps": 13},
    "steps_per_epoch": {"steps_per_epoch": 3},
    "a schedule by the step": {"schedule_by": "step"},
    "metrics and weights": {"metrics": ["f1"], "sample_weight": [1.0 + i % 3 for i in range(50)]},
    "a callback": {"callbacks": [lambda model, history: None]},
    "batch normalisation": {"normalised": True},
}


def engines():
    return pytest.mark.parametrize("engine", ["eager", "compiled"])


def trained(engine="eager", film=True, seed=0, **settings):
    """A model, its history, and the state of the generator afterwards."""
    if engine == "compiled":
        pytest.importorskip("llvmlite")
    settings = {"epochs": 5, "batch_size": 8, "loss": LOGITS, "progress": False, **settings}
    model = nn.MLP(2, [4, 1], "tanh", dropout=0.1, rng=seed)
    if settings.pop("normalised", False):
        model = nn.Sequential(nn.Layer(2, 4, activation="tanh", rng=seed), nn.BatchNorm(4), nn.Linear(4, 1, rng=seed))
    optimizer = nn.Adam(model.parameters(), lr=settings.pop("lr", 0.02))
    schedule = nn.LinearLR(optimizer, 0.1, 1.0, 9) if settings.get("schedule_by") else None
    rng = random.Random(seed)
    inputs, targets = settings.pop("X", X), settings.pop("Y", Y)
    options = {"optimizer": optimizer, "schedule": schedule, "rng": rng, "engine": engine, "film": film}
    return model, nn.fit(model, inputs, targets, **options, **settings), rng.getstate()


@engines()
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_film_changes_no_bit(engine, settings):
    model, history, state = trained(engine, film=False, **settings)
    filmed, its_history, its_state = trained(engine, **settings)
    assert history.film is None
    assert filmed.state_dict() == model.state_dict()
    assert its_history.epochs == history.epochs
    assert its_history.stopped == history.stopped
    assert its_state == state


@engines()
@pytest.mark.parametrize("normalised", [False, True])
def test_the_numbers_of_a_moment_are_those_of_a_run_that_ends_there(engine, normalised):
    recording = trained(engine, normalised=normalised)[1].film
    for moment in recording.moments[1::5]:
        model, _, _ = trained(engine, film=False, normalised=normalised, max_steps=moment.steps)
        assert recording.state(moment) == model.state_dict()


@engines()
def test_the_losses_of_the_moments_of_an_epoch_make_its_loss(engine):
    history = trained(engine, batch_size=5)[1]
    moments, each = history.film.moments, history.film.steps_per_epoch
    assert moments[0].loss is None
    for epoch, loss in enumerate(history.loss):
        pairs = pairwise(moments)
        parts = [(b.loss, b.steps - a.steps) for a, b in pairs if epoch * each < b.steps <= (epoch + 1) * each]
        assert isclose(sum(x * steps for x, steps in parts) / each, loss, rel_tol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_moments_begin_with_the_first_step_end_with_the_last_and_lie_closer_in_the_beginning(seed):
    rng = random.Random(seed)
    epochs, each = rng.choice([1, 3, 50, 400]), rng.choice([1, 2, 7])
    recording = trained("eager", X=X[:each], Y=Y[:each], batch_size=1, epochs=epochs)[1].film
    steps = [moment.steps for moment in recording.moments]
    gaps = [b - a for a, b in pairwise(steps)]
    assert steps[0] == 0
    assert steps[-1] == epochs * each
    assert len(steps) <= MOST
    assert all(gap > 0 for gap in gaps)
    assert gaps[0] == 1
    if epochs * each >= 300:
        assert len(steps) >= MOST // 3
        assert max(gaps[:20]) < max(gaps[20:])
    assert all(moment.epoch == moment.steps / each for moment in recording.moments)


def test_a_moment_at_the_end_of_an_epoch_has_its_figures_and_the_next_learning_rate():
    history = trained("eager", validation=0.3, schedule_by="step")[1]
    recording = history.film
    ends = [moment for moment in recording.moments if moment.figures]
    assert [dict(moment.figures) for moment in ends] == history.epochs
    assert all(moment.epoch == 1 + i for i, moment in enumerate(ends))
    assert recording.moments[0].lr == pytest.approx(0.002)
    assert recording.moments[-1].lr == pytest.approx(0.02)


def test_examples_are_kept_as_lists_and_no_more_than_a_page_shows():
    many_x, many_y = make_moons(1400, rng=1)
    recording = trained("eager", X=many_x, Y=many_y, max_steps=1, validation=make_moons(600, rng=2))[1].film
    assert len(recording.examples) == EXAMPLES
    assert len(recording.held_out) == HELD_OUT
    pairs = {tuple(row): y for row, y in zip(many_x, many_y, strict=True)}
    assert all(
        pairs[tuple(row)] == y for row, y in zip(recording.examples.rows, recording.examples.targets, strict=True)
    )


def test_after_ctrl_c_there_is_the_film_until_then():
    calls = []

    def loss(predictions, targets):
        calls.append(None)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return nn.binary_cross_entropy_with_logits(predictions, targets)

    model, history, _ = trained("eager", loss=loss, epochs=20)
    recording = history.film
    assert history.stopped == "interrupted"
    assert recording.moments[-1].steps % recording.steps_per_epoch
    assert recording.state(recording.moments[-1]) == model.state_dict()


def test_a_resumed_run_is_recorded_from_there_on(tmp_path):
    path = tmp_path / "run.json"
    trained("eager", checkpoint=path, epochs=2)
    model, history, _ = trained("eager", checkpoint=path, epochs=4)
    recording = history.film
    assert recording.moments[0].steps == recording.began_at == 2 * recording.steps_per_epoch
    assert recording.note == "The run was resumed at epoch 2: the film begins there."
    assert recording.state(recording.moments[-1]) == model.state_dict()
    done = trained("eager", checkpoint=path, epochs=4)[1]
    assert len(done.film.moments) == 1


@engines()
def test_sequences_are_recorded_too(engine):
    if engine == "compiled":
        pytest.importorskip("llvmlite")
    texts = [[0, 1, 2, 1], [2, 1, 0], [1, 1, 2, 0, 1]] * 3
    inputs, targets = [text[:-1] for text in texts], [text[1:] for text in texts]
    states = []
    for film in (False, True):
        model = nn.GPT(3, 4, 2, 1, 6, rng=0)
        options = {"loss": "cross_entropy", "epochs": 2, "batch_size": 4, "rng": 0, "engine": engine, "progress": False}
        history = nn.fit(model, inputs, targets, film=film, **options)
        states.append(model.state_dict())
    assert states[0] == states[1] == history.film.state(history.film.moments[-1])
    assert history.film.examples.rows == inputs


def test_a_recording_survives_pickle_and_gives_the_model_as_it_was():
    model, history, _ = trained("eager")
    recording = pickle.loads(pickle.dumps(history)).film
    first, last = recording.moments[0], recording.moments[-1]
    assert recording.model_at(first).state_dict() == recording.state(first)
    assert recording.model_at(last)(X[:3])[0].data == model(X[:3])[0].data


def test_a_model_that_gets_other_parameters_ends_the_film_with_a_sentence():
    def grow(model, history):
        if len(history) == 2:
            model.extra = nn.Linear(1, 1, rng=0)

    recording = trained("eager", callbacks=[grow])[1].film
    assert recording.note.startswith("The model got other parameters after step 14")
    assert recording.moments[-1].steps == 14


def test_callbacks_are_told_where_a_run_begins_and_ends():
    told = []

    class Watcher:
        def begin(self, model, examples, held_out, loss, optimizer):
            told.append(("begin", len(examples), len(held_out), loss, optimizer.lr))

        def __call__(self, model, history):
            told.append(len(history))

        def end(self, model, history):
            told.append(("end", history.stopped))

    trained("eager", callbacks=[Watcher()], validation=0.3, epochs=2)
    begin = ("begin", 35, 15, nn.binary_cross_entropy_with_logits, 0.02)
    assert told == [begin, 1, 2, ("end", "all epochs are done")]


def test_film_takes_true_or_false():
    with pytest.raises(TypeError, match="film takes True or False; got 1: pass film=True"):
        trained("eager", film=1)
