"""Do models of sequences learn from lists of tokens of any length, in both engines alike?"""

import random
import signal
from functools import partial

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from hypothesis import example, given, settings, strategies as st

import nn
from autograd import Value, dot, mean, softmax
from nn.losses import cross_entropy
from nn.training.compiled_sequences import lengths_of_losses

TOKENS, LONGEST = 5, 6


@nn.register
class Averages(nn.Module):
    """A causal model of one's own: a linear map of the mean of the vectors so far."""

    def __init__(self, seed=0):
        rng = random.Random(seed)
        self.table = nn.Embedding(TOKENS, 3, rng=rng)
        self.out = [[Value(rng.gauss(0.0, 0.5)) for _ in range(3)] for _ in range(TOKENS)]

    def forward(self, tokens):
        vectors = [self.table([token]) for token in tokens]
        means = [[mean(column) for column in zip(*vectors[: t + 1], strict=True)] for t in range(len(vectors))]
        return [[dot(weights, row) for weights in self.out] for row in means]

    def config(self):
        return {}


class LooksAhead(Averages):
    """A model that is not causal: each position sees the whole sequence."""

    def forward(self, tokens):
        last = super().forward(tokens)[-1]
        return [last for _ in tokens]


class SeesTheLength(Averages):
    """A model that is causal, but says something else in a shorter sequence."""

    def forward(self, tokens):
        return [[x * (1.0 + 1.0 / len(tokens)) for x in row] for row in super().forward(tokens)]


def gpt(seed=0, **sizes):
    return nn.GPT(TOKENS, **{"n_embd": 4, "n_head": 2, "block_size": LONGEST, **sizes}, rng=random.Random(seed))


def names(count=14, longest=LONGEST, seed=1):
    """Sequences, and what comes next in each."""
    rng = random.Random(seed)
    X = [[rng.randrange(TOKENS) for _ in range(rng.randint(1, longest))] for _ in range(count - 1)]
    X.append([rng.randrange(TOKENS) for _ in range(longest)])
    return X, [[(3 * token + 1) % TOKENS for token in tokens] for tokens in X]


def trained(make, X, Y, optimizer="adam", engine="compiled", loss="cross_entropy", schedule=None, **more):
    """A model after a training, and its history."""
    model = make()
    moves = getattr(nn, optimizer)(model.parameters(), lr=0.03) if optimizer[0].isupper() else optimizer
    if schedule is not None:
        more |= {"schedule": schedule(moves), "schedule_by": "step"}
    options = {"epochs": 2, "batch_size": 4, "progress": False, "rng": random.Random(3), **more}
    return model, nn.fit(model, X, Y, loss=loss, optimizer=moves, engine=engine, **options)


def numbers(model):
    return list(model.state_dict().values())


def assert_equal(first, second):
    """Two trainings have the same figures and weights, but for rounding."""
    (model, history), (other, expected) = first, second
    assert len(history) == len(expected)
    for seen, wanted in zip(history, expected, strict=True):
        assert seen == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert numbers(model) == pytest.approx(numbers(other), rel=1e-7, abs=1e-9)


# The two engines


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([gpt, Averages]),
    st.lists(st.integers(1, LONGEST), min_size=1, max_size=7),
    st.integers(1, 8),
    st.sampled_from(["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]),
    st.sampled_from([cross_entropy, partial(cross_entropy, reduction="sum")]),
    st.sampled_from([None, 0.1]),
    st.booleans(),
    st.integers(0, 999),
)
@example(gpt, [3, 1, 2, 6, 2], 2, "Adam", cross_entropy, None, False, 0)
@example(Averages, [1, 2], 2, "SGD", cross_entropy, 0.1, True, 1)
def test_both_engines_learn_the_same(make, lengths, batch_size, optimizer, loss, max_grad_norm, is_weighted, seed):
    rng = random.Random(seed)
    X = [[rng.randrange(TOKENS) for _ in range(length)] for length in [*lengths, 2]]
    Y = [[rng.randrange(TOKENS) for _ in row] for row in X]
    weights = [rng.choice([0.0, 0.5, 2.0]) for _ in lengths] + [1.0] if is_weighted else None
    options = {
        "optimizer": optimizer, "batch_size": batch_size, "loss": loss, "max_grad_norm": max_grad_norm,
        "sample_weight": weights,
    }  # fmt: skip
    runs = [trained(make, X, Y, engine=engine, **options) for engine in ("compiled", "eager")]
    assert_equal(*runs)


def test_the_loss_is_the_mean_over_sequences_of_the_mean_over_positions():
    X, Y = names()
    model = gpt()
    expected = [cross_entropy(rows, y) for rows, y in zip(nn.predict(model, X[:3]), Y, strict=False)]
    seen = nn.evaluate(model, X[:3], Y[:3], loss="cross_entropy")["loss"]
    _, history = trained(gpt, X[:3], Y[:3], epochs=1, batch_size=3)
    assert [seen, history.loss[0]] == pytest.approx([sum(expected) / 3] * 2, rel=1e-12)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_accuracy_and_metrics_are_those_of_all_positions(engine):
    X, Y = names()
    model, history = trained(gpt, X, Y, engine=engine, validation=(X, Y), metrics=["precision"], epochs=3)
    rows = [row for sequence in nn.predict(model, X) for row in sequence]
    targets = [target for sequence in Y for target in sequence]
    best = history.best_epoch - 1
    assert history.validation_accuracy[best] == nn.accuracy(rows, targets)
    assert history.validation_precision[best] == nn.metrics.precision(rows, targets)
    assert history.validation_loss[best] == pytest.approx(nn.evaluate(model, X, Y, loss="cross_entropy")["loss"])


@pytest.mark.parametrize("make", [gpt, Averages])
def test_validation_patience_and_callbacks_are_alike_in_both_engines(make):
    X, Y = names(30)
    seen = []
    options = {
        "validation": 0.3, "patience": 2, "epochs": 6, "sample_weight": [1.0 + i % 2 for i in range(30)],
        "callbacks": [lambda model, history: seen.append(len(nn.predict(model, X[:1])[0]))],
    }  # fmt: skip
    runs = [trained(make, X, Y, engine=engine, **options) for engine in ("compiled", "eager")]
    assert_equal(*runs)
    assert seen == [len(X[0])] * len(runs[0][1]) * 2
    assert "validation_accuracy" in runs[0][1][0]


@pytest.mark.parametrize(("make", "why"), [(LooksAhead, "is not causal"), (SeesTheLength, "is not what it says about")])
def test_a_model_whose_recording_would_not_hold_is_trained_eagerly_with_a_word(make, why, capsys):
    X, Y = names(6)
    _, history = trained(make, X, Y, engine="auto", progress=True, epochs=1)
    assert history.engine == "eager"
    assert why in history.why_eager
    assert why in capsys.readouterr().err
    with pytest.raises(TypeError, match=why):
        trained(make, X, Y, engine="compiled")


def test_a_causal_model_of_ones_own_is_compiled_by_itself():
    X, Y = names()
    assert [trained(make, X, Y, engine="auto")[1].engine for make in (gpt, Averages)] == ["compiled"] * 2


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    X, Y = names(200)
    found = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(numbers(trained(partial(gpt, n_embd=16), X, Y, batch_size=200)[0]))
    assert found[0] == found[1]


def test_validation_may_have_longer_sequences():
    X, Y = names(8, longest=3)
    runs = [trained(gpt, X, Y, engine=engine, validation=names(5)) for engine in ("compiled", "eager")]
    assert_equal(*runs)


def test_a_kept_recording_serves_other_sequences():
    first, second = names(9), names(9, seed=2)

    def run(engine):
        model = gpt()
        for X, Y in (first, second):
            history = nn.fit(
                model, X, Y, loss="cross_entropy", epochs=2, batch_size=4, rng=1, engine=engine, progress=False
            )
        return model, history

    assert_equal(run("compiled"), run("eager"))


@given(st.lists(st.integers(1, 200), min_size=1, max_size=30))
@example([1, 11, 10])
def test_every_length_has_a_loss_that_wastes_less_than_a_tenth(lengths):
    found = lengths_of_losses(lengths)
    assert found == sorted(set(found))
    for length in lengths:
        assert min(longer for longer in found if longer >= length) < 1.1 * length


def test_a_learning_rate_is_found_for_sequences():
    X, Y = names(30)
    found = [
        nn.find_learning_rate(gpt(), X, Y, loss="cross_entropy", batch_size=4, steps=20, rng=1, engine=engine)
        for engine in ("eager", "compiled")
    ]
    common = min(len(rates.losses) for rates in found)  # compiled steps are made some at a time
    assert common >= 10
    assert found[0].losses[:common] == pytest.approx(found[1].losses[:common], rel=1e-9)


# What may be given


def test_arrays_tuples_and_whole_floats_are_tokens_too():
    X = [[1, 2, 0], [4, 4, 3], [0, 1, 1]]
    Y = [[2, 0, 1], [4, 3, 0], [1, 1, 1]]
    forms = [
        (X, Y), (np.array(X), np.array(Y)), ([tuple(x) for x in X], [tuple(y) for y in Y]),
        ([list(map(float, x)) for x in X], [list(map(float, y)) for y in Y]),
        ([np.array(x) for x in X], [np.array(y, np.int32) for y in Y]),
    ]  # fmt: skip
    for engine in ("eager", "compiled"):
        found = [numbers(trained(gpt, *form, engine=engine)[0]) for form in forms]
        assert all(found[0] == other for other in found[1:])
    assert nn.predict(gpt(), np.array(X)) == nn.predict(gpt(), X)


X3, Y3 = [[1, 2, 0], [4], [0, 1]], [[2, 0, 1], [4], [1, 1]]


@pytest.mark.parametrize(
    ("X", "Y", "sentence"),
    [
        (X3, [[2, 0, 1], [4], [1, 1, 2]], r"X\[2\] has 2 tokens and Y\[2\] 3 targets"),
        (X3, Y3[:2], "X has 3 sequences but Y has 2"),
        ([[1], [], [2]], [[1], [], [2]], r"X\[1\] is a sequence without tokens"),
        ([], [[1]], "X needs at least one sequence"),
        ([[1, 2], [1, -1]], [[1, 2], [1, 2]], r"X\[1\]\[1\] is -1"),
        ([[1, 2], [1, 0.5]], [[1, 2], [1, 2]], r"X\[1\]\[1\] is 0.5"),
        ([[1, 2], [1, float("nan")]], [[1, 2], [1, 2]], r"X\[1\]\[1\] is nan"),
        ([[1, 2], "ab"], [[1, 2], [1, 2]], r"X\[1\] takes a list"),
        ([[1, 2], [1, 5]], [[1, 2], [1, 2]], "indices from 0 to 4; got 5"),
        ([[1, 2], [0] * 7], [[1, 2], [0] * 7], "6 tokens at most; got 7"),
        (X3, [[2, 0, 1], [5], [1, 1]], "class label 5 is out of range"),
        (X3, [[2, 0, 1], [-1], [1, 1]], "class label -1 is out of range"),
        (X3, [[2, 0, 1], [0.5], [1, 1]], "a class label is a whole number"),
        (X3, [[2, 0, 1], ["a"], [1, 1]], r"Y\[1\] takes numbers"),
    ],
)
@pytest.mark.parametrize("engine", ["eager", "auto"])
def test_what_does_not_fit_is_a_sentence_and_changes_nothing(X, Y, sentence, engine):
    model, rng = gpt(), random.Random(4)
    before, state = model.state_dict(), rng.getstate()
    with pytest.raises((ValueError, TypeError, IndexError), match=sentence):
        nn.fit(model, X, Y, loss="cross_entropy", rng=rng, engine=engine, progress=False)
    assert (model.state_dict(), rng.getstate(), model.training) == (before, state, True)
    with pytest.raises((ValueError, TypeError, IndexError), match=sentence):
        nn.evaluate(model, X, Y, loss="cross_entropy")


def test_validation_is_checked_as_the_rest_is():
    with pytest.raises(ValueError, match=r"validation X\[0\] has 2 tokens and Y\[0\] 1 targets"):
        trained(gpt, X3, Y3, validation=([[1, 2]], [[1]]))
    with pytest.raises(IndexError, match="got 7"):
        trained(gpt, X3, Y3, validation=([[1, 7]], [[1, 2]]))


@pytest.mark.parametrize(("name", "number"), [("max_steps", 0), ("max_steps", 1.5), ("steps_per_epoch", -1)])
def test_steps_are_counts(name, number):
    with pytest.raises((ValueError, TypeError), match=f"{name} takes a whole number"):
        trained(gpt, X3, Y3, **{name: number})


# Steps


def test_max_steps_ends_the_training_within_an_epoch():
    X, Y = names(20)
    made = []

    class Counted(nn.SGD):
        def step(self):
            super().step()
            made.append(self.steps)

    model = gpt()
    optimizer = Counted(model.parameters(), lr=0.1)
    history = nn.fit(
        model,
        X,
        Y,
        loss="cross_entropy",
        optimizer=optimizer,
        batch_size=4,
        max_steps=7,
        engine="eager",
        progress=False,
    )
    assert len(made) == 7
    assert (len(history), history.stopped) == (2, "7 steps are done")


def test_the_schedule_of_a_run_by_steps_falls_to_0():
    X, Y = names(20)
    rates = []
    trained(
        gpt, X, Y, optimizer="SGD", schedule=lambda o: nn.LinearLR(o, 1.0, 0.0, 8), max_steps=8, steps_per_epoch=2,
        epochs=9, callbacks=[lambda model, history: rates.append(len(history))],
    )  # fmt: skip
    optimizer = nn.SGD([Value(0.0)], lr=0.01)
    schedule = nn.LinearLR(optimizer, 1.0, 0.0, 1000)
    assert [schedule.lr_at(step) for step in range(1001)] == [0.01 * (1 - step / 1000) for step in range(1001)]
    assert rates == [1, 2, 3, 4]


@pytest.mark.parametrize("engine", ["eager", "compiled"])
@pytest.mark.parametrize("make", [gpt, Averages])
def test_a_run_that_stops_anywhere_goes_on_to_the_same_bits(make, engine, tmp_path):
    X, Y = names(18)

    def run(path, *stops, **more):
        for stop in stops:
            model, history = trained(
                make, X, Y, optimizer="Adam", schedule=lambda o: nn.LinearLR(o, 1.0, 0.0, 17), engine=engine, epochs=99,
                max_steps=stop, checkpoint=tmp_path / path, **more,
            )  # fmt: skip
        return numbers(model), history

    whole, history = run("whole.json", 17)
    for name, stops, more in [("a", (2, 3, 9, 17), {}), ("b", (17,), {"steps_per_epoch": 4})]:
        assert run(name, *stops, **more)[0] == whole
    by_four, pieces = run("c", 4, 8, 17, steps_per_epoch=4)
    assert by_four == whole
    assert pieces.loss == pytest.approx(run("d", 17, steps_per_epoch=4)[1].loss, rel=1e-12)
    assert len(history) == 4
    assert nn.load(tmp_path / "whole.json").state_dict() == dict(zip(make().state_dict(), whole, strict=True))


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_an_ordinary_run_has_epochs_of_steps_too(engine, tmp_path):
    X, y = nn.datasets.make_moons(30, rng=random.Random(0))

    def run(path, *stops, **more):
        for stop in stops:
            model = nn.MLP(2, [4, 1], rng=random.Random(0))
            options = {"loss": "binary_cross_entropy_with_logits", "batch_size": 8, "rng": random.Random(1)}
            path = tmp_path / str(path)
            nn.fit(model, X, y, **options, max_steps=stop, checkpoint=path, engine=engine, progress=False, **more)
        return numbers(model)

    assert run("a", 11) == run("b", 1, 5, 11) == run("c", 7, 11, steps_per_epoch=3)


def test_ctrl_c_keeps_what_was_learned(tmp_path):
    X, Y = names(30)

    def press(model, history):
        if len(history) == 2:
            signal.raise_signal(signal.SIGINT)

    model, history = trained(gpt, X, Y, steps_per_epoch=5, epochs=4, callbacks=[press], checkpoint=tmp_path / "a")
    assert (history.stopped, len(history)) == ("interrupted", 2)
    resumed, _ = trained(gpt, X, Y, steps_per_epoch=5, epochs=4, checkpoint=tmp_path / "a")
    whole, _ = trained(gpt, X, Y, steps_per_epoch=5, epochs=4)
    assert numbers(resumed) == numbers(whole)
    assert numbers(model) != numbers(gpt())


# Predictions


@pytest.mark.parametrize("make", [gpt, Averages])
def test_many_predictions_are_what_few_are(make):
    X, Y = names(60)
    model = make()
    few = [nn.predict(model, [x])[0] for x in X]
    many = nn.predict(model, X)
    assert [len(rows) for rows in many] == [len(x) for x in X]
    assert [x for rows in many for row in rows for x in row] == pytest.approx(
        [x for rows in few for row in rows for x in row], rel=1e-12
    )
    weights = [1.0 + i % 3 for i in range(60)]
    figures = nn.evaluate(model, X, Y, loss="cross_entropy", sample_weight=weights, metrics=["f1"])
    alone = [nn.evaluate(model, [x], [y], loss="cross_entropy") for x, y in zip(X, Y, strict=True)]
    losses = [w * figures["loss"] for w, figures in zip(weights, alone, strict=True)]
    right = sum(w * figures["accuracy"] * len(x) for w, figures, x in zip(weights, alone, X, strict=True))
    assert figures["loss"] == pytest.approx(sum(losses) / 60, rel=1e-12)
    assert figures["accuracy"] == pytest.approx(right / sum(w * len(x) for w, x in zip(weights, X, strict=True)))


def test_a_head_that_mixes_by_softmax_is_causal_only_as_far_as_it_looks():
    class Head(Averages):
        """Each position mixes the vectors up to its own, or by mistake all of them."""

        def __init__(self, ahead):
            super().__init__()
            self.ahead = ahead

        def forward(self, tokens):
            vectors = [self.table([token]) for token in tokens]
            rows = []
            for t, vector in enumerate(vectors):
                seen = vectors[: min(len(vectors), t + 1 + self.ahead)]
                shares = softmax([dot(vector, other) for other in seen])
                mixed = [dot(shares, list(column)) for column in zip(*seen, strict=True)]
                rows.append([dot(weights, mixed) for weights in self.out])
            return rows

    X, Y = names()
    for ahead, engine in ((0, "compiled"), (1, "eager")):
        assert trained(lambda ahead=ahead: Head(ahead), X, Y, engine="auto", epochs=1)[1].engine == engine
