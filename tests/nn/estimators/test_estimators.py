"""Do `Classifier` and `Regressor` learn what they are given, in whatever form it is given, and say what is wrong?"""

import copy
import pickle
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given, settings, strategies as st

import nn
from nn import Classifier, Regressor

QUICK = {"hidden": (4,), "epochs": 3, "random_state": 0}
LABELS = {
    "text": ["gull", "tern", "auk"],
    "int": [-3, 7, 2**40],
    "float": [1.0, 2.0, 5.0],
    "bool": [False, True],
    "int8": np.array([3, 1, 2], np.int8),
    "uint64": np.array([2**63, 1], np.uint64),
    "object": np.array(["b", "a"], object),
    "wide text": np.array(["b", "ä" * 9]),
}


def points(count: int, width: int = 2, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(count, width))


def corners(count: int = 40, seed: int = 0) -> tuple[Any, Any]:
    """Points, and the number of the half plane in which each is, well apart."""
    X = points(count, seed=seed)
    y = (X[:, 0] > 0).astype(int)
    X[:, 0] += np.where(y, 1.0, -1.0)
    return X, y


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("as_list", [False, True])
def test_labels_of_any_kind_are_learned_and_come_back_as_they_were(kind: str, as_list: bool) -> None:
    labels = np.array(LABELS[kind]) if isinstance(LABELS[kind], list) else LABELS[kind]
    X = np.repeat(np.eye(3)[: len(labels)], 10, axis=0)
    y = np.repeat(labels, 10)
    model = Classifier(hidden=(), epochs=25, lr=0.1, validation=None, random_state=0).fit(
        X, y.tolist() if as_list else y
    )
    assert model.classes_.tolist() == sorted(labels.tolist())
    assert as_list or model.classes_.dtype == y.dtype
    assert model.predict(X).tolist() == y.tolist()
    assert model.predict(X).dtype == model.classes_.dtype
    assert model.score(X, y) == 1.0


@given(st.integers(2, 4), st.integers(0, 99), st.sampled_from(["relu", "tanh"]))
@settings(max_examples=8, deadline=None)
def test_probabilities_sum_to_one_and_the_likeliest_class_is_predicted(
    classes: int, seed: int, activation: Any
) -> None:
    X = points(24, seed=seed)
    y = np.arange(24) % classes
    model = Classifier((4,), activation=activation, epochs=2, random_state=seed).fit(X, y)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (24, classes)
    assert np.allclose(probabilities.sum(axis=1), 1.0, atol=1e-15)
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(X)).all()


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=2), st.integers(-20, 20), st.integers(0, 99))
@settings(max_examples=8, deadline=None)
@example([1000, -1000], 900, 0)
def test_units_do_not_matter(exponents: list[int], target_exponent: int, seed: int) -> None:
    X, y = points(20, seed=seed), points(20, 1, seed=seed + 1).ravel()
    units, unit = np.ldexp(1.0, exponents), float(np.ldexp(1.0, target_exponent))  # powers of two: nothing is rounded
    model, other = Regressor(**QUICK).fit(X, y), Regressor(**QUICK).fit(X * units, y * unit)
    assert (other.predict(X * units) == model.predict(X) * unit).all()


def test_a_constant_column_changes_nothing_but_the_draws() -> None:
    X, y = corners()
    model = Classifier(**QUICK).fit(np.column_stack([X, np.full(len(X), 0.1)]), y)
    moved = np.column_stack([X, np.full(len(X), 0.2)])
    assert np.isfinite(model.predict_proba(moved)).all()
    assert abs(model.model_.layers[0].deviations[2]) == 1.0


@pytest.mark.parametrize(
    "made",
    [
        lambda X: X.tolist(),
        lambda X: list(map(tuple, X)),
        np.asfortranarray,
        lambda X: X.astype(object),
        lambda X: pd.DataFrame(X),
        lambda X: pd.DataFrame(X, columns=["a", "b"]),
        lambda X: pl.DataFrame(X, schema=["a", "b"]),
        lambda X: np.repeat(X, 2, axis=0)[::2],
    ],
)
def test_the_same_numbers_give_the_same_bits_in_whatever_they_come(made: Any) -> None:
    X, y = corners()
    expected = Classifier(**QUICK).fit(X, y).predict_proba(X)
    model = Classifier(**QUICK).fit(made(X), y.tolist())
    assert (model.predict_proba(made(X)) == expected).all()
    assert (model.predict_proba(X) == expected).all()


@pytest.mark.parametrize(
    "state",
    [lambda: 3, lambda: np.int64(3), lambda: random.Random(3), lambda: np.random.RandomState(3),
     lambda: np.random.default_rng(3)],
)  # fmt: skip
def test_the_same_random_state_gives_the_same_bits(state: Any) -> None:
    X, y = corners()
    first, second = (
        Classifier((4,), epochs=2, dropout=0.3, random_state=state()).fit(X, y).predict_proba(X) for _ in range(2)
    )
    assert (first == second).all()


def test_without_a_random_state_pythons_random_draws() -> None:
    X, y = corners()
    found = []
    for seed in (1, 1, 2):
        random.seed(seed)
        found.append(Classifier((4,), epochs=2).fit(X, y).predict_proba(X))
    assert (found[0] == found[1]).all()
    assert (found[0] != found[2]).any()


def test_fit_begins_anew() -> None:
    X, y = corners()
    model = Classifier(**QUICK).fit(X, y)
    expected = model.predict_proba(X)
    model.fit(points(30, 5), ["a", "b", "c"] * 10)
    assert model.n_features_in_ == 5
    model.fit(people(), "alive")
    assert model.encoder_ is not None
    assert (model.fit(X, y).predict_proba(X) == expected).all()


def explodes(outputs: Any, targets: Any) -> Any:
    raise RuntimeError("a loss of one's own")


@pytest.mark.parametrize(
    ("settings", "y"),
    [
        ({}, [0] * 40), ({"batch_size": 0}, None), ({"patience": 0}, None), ({"engine": "fast"}, None),
        ({"epochs": -1}, None), ({"loss": explodes}, None), ({"optimizer": "lion"}, None),
        ({"hidden": (0,)}, None), ({"validation": 3}, None), ({"random_state": "a"}, None), ({"lr": -1}, None),
    ],
)  # fmt: skip
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(settings: dict[str, Any], y: Any) -> None:
    X, good = corners()
    model, new = Classifier(**QUICK).fit(X, good), Classifier(**QUICK)
    expected = model.predict_proba(X)
    for estimator in (model, new):
        estimator.set_params(**settings)
        before = dict(vars(estimator))
        with pytest.raises((ValueError, TypeError, RuntimeError)):
            estimator.fit(X, good if y is None else y)
        assert list(vars(estimator)) == list(before)
        assert all(vars(estimator)[name] is was for name, was in before.items())
    assert (model.predict_proba(X) == expected).all()
    with pytest.raises(ValueError, match="not fitted"):
        new.predict(X)


def test_a_partial_fit_that_fails_leaves_the_estimator_as_it_was() -> None:
    X, y = points(40), points(40, 1, seed=1).ravel()
    settings: dict[str, Any] = {"dropout": 0.2, "optimizer": lambda p: nn.SGD(p, lr=0.01, momentum=0.9)}
    model, same = (Regressor((4,), **settings, random_state=random.Random(3)).fit(X, y) for _ in range(2))
    model.partial_fit(X, y)
    same.partial_fit(X, y)
    for change in ({"batch_size": 0}, {"loss": explodes}):
        with pytest.raises((ValueError, RuntimeError)):
            model.set_params(**change).partial_fit(X, y)
        model.set_params(batch_size=None, loss=None)
    with pytest.raises(ValueError, match="y has 2 targets"):
        model.partial_fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="nothing was learned"):
        model.partial_fit(X, y, np.full(40, 1e305))
    assert (model.predict(X) == same.predict(X)).all()
    assert model.history_.loss == same.history_.loss
    assert (model.partial_fit(X, y).predict(X) == same.partial_fit(X, y).predict(X)).all()  # the optimiser's memory too
    new = Regressor(**QUICK, loss=explodes)
    with pytest.raises(RuntimeError):
        new.partial_fit(X, y)
    assert not new.__sklearn_is_fitted__()


# Weights


@given(st.lists(st.integers(0, 3), min_size=20, max_size=20), st.integers(0, 9))
@settings(max_examples=4, deadline=None)
@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_a_row_of_weight_zero_is_left_out_and_only_ratios_matter(kind: Any, weights: list[int], seed: int) -> None:
    X, y = points(24, seed=seed), np.arange(24) % 2
    full = np.array([1, 2, 1, 2, *weights])
    counts = full > 0
    model = kind(**QUICK).fit(X, y, sample_weight=full)
    left = kind(**QUICK).fit(X[counts], y[counts], sample_weight=full[counts])
    quarter = kind(**QUICK).fit(X, y, sample_weight=full / 4)
    assert (model._outputs(X) == left._outputs(X)).all()
    assert (model._outputs(X) == quarter._outputs(X)).all()


@given(st.lists(st.integers(1, 3), min_size=12, max_size=12))
@settings(max_examples=4, deadline=None)
@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_a_weight_of_two_is_a_row_twice_where_each_epoch_is_one_step(kind: Any, weights: list[int]) -> None:
    X, y = points(12), np.arange(12) % 2
    whole: dict[str, Any] = {**QUICK, "validation": None, "batch_size": 100}
    weighted = kind(**whole).fit(X, y, sample_weight=weights)
    repeated = kind(**whole).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert np.allclose(weighted._outputs(X), repeated._outputs(X), rtol=1e-6)


def test_equal_weights_are_none() -> None:
    X, y = corners()
    expected = Classifier(**QUICK).fit(X, y).predict_proba(X)
    found = Classifier(**QUICK).fit(X, y, sample_weight=np.full(len(y), 8.0)).predict_proba(X)
    assert np.allclose(found, expected, rtol=1e-9)


def test_class_weights_are_weights_of_the_examples() -> None:
    X = points(40)
    y = np.array(["rare"] * 8 + ["usual"] * 32)
    quick: dict[str, Any] = {**QUICK, "standardize": False, "validation": None}
    weighted = Classifier(**quick).fit(X, y, sample_weight=np.where(y == "rare", 4.0, 1.0))
    by_label = Classifier(**quick, class_weight={"rare": 2.5, "usual": 0.625}).fit(X, y)  # 4 and 1, with mean 1
    balanced = Classifier(**quick, class_weight="balanced").fit(X, y)
    assert (by_label.predict_proba(X) == weighted.predict_proba(X)).all()
    assert np.allclose(balanced.predict_proba(X), weighted.predict_proba(X), rtol=1e-9)
    assert balanced.history_.loss == weighted.history_.loss
    right = [figures["accuracy"] * 40 for figures in balanced.history_]
    assert np.allclose(right, np.round(right))  # in the accuracy examples of all classes count alike
    without = Classifier(**quick, class_weight={"usual": 0.0, "other": 1.0})
    more = np.r_[X, points(8, seed=3)], [*y, *["other"] * 8]
    left_out = Classifier(**quick).fit(*more, sample_weight=(np.array(more[1]) != "usual").astype(float))
    assert (without.fit(*more).predict_proba(X) == left_out.predict_proba(X)).all()


@pytest.mark.parametrize("validation", [None, (points(12, seed=5), ["rare"] * 3 + ["usual"] * 9)])
def test_class_weights_mean_what_they_mean_to_fit(validation: Any) -> None:
    X, y = points(40), np.array(["rare"] * 8 + ["usual"] * 32)
    weights = np.resize([1.0, 2.0, 3.0, 2.0], 40)  # their mean is 2
    settings: dict[str, Any] = {**QUICK, "standardize": False, "validation": None, "lr": 0.01, "batch_size": 32}
    for class_weight, by_number in (("balanced", "balanced"), ({"rare": 3.0}, {0: 3.0})):
        model = Classifier(**settings, class_weight=class_weight).fit(X, y, weights, validation=validation)
        network = nn.MLP(2, [4, 2], rng=(rng := random.Random(0)))
        history = nn.fit(
            network,
            X,
            (y == "usual").astype(int),
            loss="cross_entropy",
            sample_weight=weights / 2.0,
            class_weight=by_number,
            validation=validation and (validation[0], [label == "usual" for label in validation[1]]),
            epochs=3,
            rng=rng,
            progress=False,
        )
        assert history.accuracy == model.history_.accuracy
        assert history.loss == model.history_.loss
        assert history.validation_loss == model.history_.validation_loss


@given(st.integers(0, 99))
@settings(max_examples=5, deadline=None)
def test_scores_are_those_of_the_formulas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y, weights = points(30, seed=seed), rng.normal(size=(30, 2)), rng.integers(1, 5, 30)
    model = Regressor(**QUICK).fit(X, y)
    left, mean = y - model.predict(X), np.average(y, axis=0, weights=weights)
    expected = 1 - (weights @ left**2) / (weights @ (y - mean) ** 2)
    assert np.isclose(model.score(X, y, weights), expected.mean(), rtol=1e-12)
    labels = rng.integers(0, 3, 30)
    classifier = Classifier(**QUICK).fit(X, labels)
    share = np.average(classifier.predict(X) == labels, weights=weights)
    assert np.isclose(classifier.score(X, labels, weights), share, rtol=1e-12)


# Several targets, more data


def test_several_targets_are_learned_at_once() -> None:
    X = points(60)
    Y = np.column_stack([X[:, 0] + 1.0, 1000.0 * X[:, 1]])
    model = Regressor(hidden=(), epochs=300, lr=0.02, validation=None, random_state=0).fit(X, Y)
    assert model.predict(X).shape == (60, 2)
    assert np.allclose(model.predict(X), Y, rtol=1e-2, atol=1e-2 * np.abs(Y).max(axis=0))
    assert np.allclose(nn.predict(model.model_, X), model.predict(X), rtol=1e-12)  # in the units of the targets
    column = Regressor(**QUICK).fit(X, Y[:, :1])
    assert column.predict(X).shape == (60,)


def test_partial_fit_goes_on_with_the_optimisers_memory() -> None:
    X, y = corners()
    whole: dict[str, Any] = {"hidden": (4,), "validation": None, "batch_size": 100, "random_state": 0}
    at_once = Classifier(epochs=5, **whole).fit(X, y)
    bit_by_bit = Classifier(**whole)
    for _ in range(5):
        bit_by_bit.partial_fit(X, y)
    assert np.allclose(bit_by_bit.predict_proba(X), at_once.predict_proba(X), rtol=1e-9)
    assert bit_by_bit.n_iter_ == len(bit_by_bit.history_.loss) == 5


@pytest.mark.parametrize("weight", [0.25, 4.0])
def test_partial_fit_takes_weights_as_they_are(weight: float) -> None:
    X, y = corners()
    settings: dict[str, Any] = {**QUICK, "optimizer": "sgd", "batch_size": 100}
    weighted = Classifier(**settings, lr=0.1).partial_fit(X, y, sample_weight=np.full(40, weight))
    by_class = Classifier(**settings, lr=0.1, class_weight={0: weight, 1: weight}).partial_fit(X, y)
    faster = Classifier(**settings, lr=0.1 * weight).partial_fit(X, y)
    assert np.allclose(weighted.predict_proba(X), faster.predict_proba(X), rtol=1e-12)
    assert (by_class.predict_proba(X) == weighted.predict_proba(X)).all()


def test_partial_fit_learns_classes_that_come_later() -> None:
    X = np.repeat(np.eye(3), 4, axis=0)
    y = np.repeat(["a", "b", "c"], 4)
    model = Classifier(hidden=(), random_state=0, lr=0.3)
    for _ in range(15):
        for label in "abc":
            model.partial_fit(X[y == label], y[y == label], classes=["a", "b", "c"])
    assert (model.predict(X) == y).all()
    with pytest.raises(ValueError, match="'d', which is none of the classes"):
        model.partial_fit(X[:1], ["d"])
    with pytest.raises(ValueError, match="make a new Classifier"):
        model.partial_fit(X[:1], ["a"], classes=["a", "b"])


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.floats(0.0, 0.99), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
@example([0, 2], 0.625, 0)
def test_what_is_held_out_leaves_something_of_each_class(numbers: list[int], share: float, seed: int) -> None:
    numbers = [0, 1, *numbers]
    model = Classifier(hidden=(), epochs=1, validation=share, random_state=seed)
    model.fit([[float(i), 1.0] for i in range(len(numbers))], numbers)
    assert model.classes_.tolist() == sorted(set(numbers))
    assert bool(model.history_.validation_loss) <= (share > 0.0)


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    X, y = points(60), np.arange(60) % 2
    model = Classifier((16,), epochs=25, lr=0.05, patience=None, random_state=1).fit(X, y, validation=(X[::3], y[::3]))
    best = min(model.history_.validation_loss)
    found = nn.evaluate(model.model_, X[::3], y[::3], loss="cross_entropy")["loss"]
    assert np.isclose(found, best, rtol=1e-9)
    assert model.n_iter_ == 25


# Tables


def people(count: int = 120) -> dict[str, list[Any]]:
    draw = random.Random(0)
    sex = [draw.choice(["female", "male"]) for _ in range(count)]
    age = [None if draw.random() < 0.2 else round(draw.uniform(1.0, 80.0)) for _ in range(count)]
    alive = [(s == "female") ^ (draw.random() < 0.05) for s in sex]
    return {"sex": sex, "age": age, "alive": alive}


@pytest.mark.parametrize("made", [dict, nn.Table, pd.DataFrame, pl.DataFrame])
def test_tables_with_texts_and_gaps_are_learned_in_whatever_they_come(made: Any) -> None:
    table = made(people())
    model = Classifier(hidden=(8,), epochs=20, random_state=0).fit(table, "alive")
    assert model.score(table, "alive") > 0.9
    assert model.encoder_ is not None
    assert model.encoder_.target == "alive"
    assert list(model.feature_names_in_) == ["sex", "age"]
    assert model.n_features_in_ == 2
    assert model.predict(made({"sex": ["female", "unknown"], "age": [3, None]})).shape == (2,)
    apart = people()
    alive = apart.pop("alive")
    same = Classifier(hidden=(8,), epochs=20, random_state=0).fit(made(apart), alive)
    assert (same.predict_proba(table) == model.predict_proba(table)).all()


def test_rows_without_a_target_are_left_out_and_whole_numbers_stay_classes() -> None:
    table = people()
    numbers = [None if i % 7 == 0 else int(alive) for i, alive in enumerate(table["alive"])]
    model = Classifier(**QUICK).fit(pd.DataFrame({**table, "alive": numbers}), "alive")
    assert model.classes_.tolist() == [0, 1]
    assert model.predict(table).dtype.kind == "i"


def test_a_table_may_be_held_out() -> None:
    table, other = nn.Table(people()), nn.Table(people(30))
    by_name = Classifier(**QUICK).fit(table, "alive", validation=other)
    by_pair = Classifier(**QUICK).fit(table, "alive", validation=(other, other["alive"].values))
    assert by_name.history_.validation_loss == by_pair.history_.validation_loss
    assert (by_name.predict_proba(table) == by_pair.predict_proba(table)).all()


def test_a_frame_of_numbers_is_read_by_its_names() -> None:
    X, y = corners()
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = Classifier(**QUICK).fit(frame, y)
    assert model.encoder_ is None
    turned = frame[["b", "a"]].assign(c=0.0)
    assert (model.predict_proba(turned) == model.predict_proba(frame)).all()
    with pytest.raises(ValueError, match="no column 'a'"):
        model.predict(frame[["b"]])


@pytest.mark.parametrize(
    "made",
    [
        nn.Table,
        dict,
        pl.DataFrame,
        lambda columns: pd.DataFrame(columns).to_dict("records"),
        lambda columns: pd.DataFrame(columns).to_records(index=False),
    ],
)
def test_an_estimator_of_numbers_takes_any_table_with_its_columns(made: Any) -> None:
    X, y = corners()
    columns = {"b": X[:, 1].tolist(), "more": ["text"] * 40, "a": X[:, 0].tolist()}
    named = Classifier(**QUICK).fit(pd.DataFrame(X, columns=["a", "b"]), y)
    del columns["more"]
    assert (named.predict_proba(made(columns)) == named.predict_proba(pd.DataFrame(X, columns=["a", "b"]))).all()
    without_names = Classifier(**QUICK).fit(X, y)
    in_order = {"a": columns["a"], "b": columns["b"]}
    assert (without_names.predict_proba(made(in_order)) == without_names.predict_proba(X)).all()


def test_columns_that_are_held_out_are_known_by_their_names() -> None:
    X, y = corners()
    frame = pd.DataFrame(X, columns=["a", "b"])
    expected = Classifier(**QUICK).fit(frame, y, validation=(frame, y))
    turned = Classifier(**QUICK).fit(frame, y, validation=(frame[["b", "a"]].assign(c=0.0), y))
    assert turned.history_.validation_loss == expected.history_.validation_loss


def test_a_column_of_a_table_may_be_y_and_the_score_knows_the_target() -> None:
    table = nn.Table(people())
    model = Classifier(**QUICK).fit(table, table["alive"], validation=(table, table["alive"]))
    by_name = Classifier(**QUICK).fit(table, "alive", validation=table)
    assert (model.predict_proba(table) == by_name.predict_proba(table)).all()
    assert model.history_.validation_loss == by_name.history_.validation_loss
    apart = Classifier(**QUICK).fit(table.drop(["alive"]), table["alive"], validation=(table, table["alive"]))
    assert (apart.predict_proba(table) == by_name.predict_proba(table)).all()
    assert model.score(table) == model.score(table, "alive") == apart.score(table, table["alive"])
    with pytest.raises(ValueError, match="score takes the right target of each row"):
        apart.score(table)
    assert model.summary() == model.model_.summary()


def test_a_later_file_is_read_as_the_training_rows_were(tmp_path: Any) -> None:
    rows = [("1,0", "1"), ("2,5", "x"), ("5,0", "1"), ("4,5", "x")] * 10 + [("k.A.", "x")] * 3
    (tmp_path / "first.csv").write_text("mark;goal\n" + "".join(f"{mark};{goal}\n" for mark, goal in rows))
    (tmp_path / "later.csv").write_text("mark;goal\n1,0;1\n5,0;1\n")  # "k.A." and "x" made texts of both
    model = Classifier(random_state=0, lr=0.05).fit(tmp_path / "first.csv", "goal")
    model.save(tmp_path / "model.json")
    for estimator in (model, nn.load_estimator(tmp_path / "model.json")):
        assert estimator.predict(tmp_path / "later.csv").tolist() == ["1", "1"]
        assert estimator.score(tmp_path / "later.csv") == 1.0
        assert estimator.partial_fit(tmp_path / "later.csv", "goal").score(tmp_path / "later.csv") == 1.0


# Files


@pytest.mark.parametrize("kind", LABELS)
def test_a_classifier_comes_back_from_a_file_with_its_labels(kind: str, tmp_path: Any) -> None:
    y = np.resize(np.array(LABELS[kind]) if isinstance(LABELS[kind], list) else LABELS[kind], 30)
    X = points(30)
    model = Classifier((4, 2), epochs=2, random_state=0, class_weight={y[0]: 2.0}).fit(X, y)
    model.save(tmp_path / "model.json", origin="a test")
    for loaded in (nn.load_estimator(tmp_path / "model.json"), Classifier.load(tmp_path / "model.json")):
        assert type(loaded) is Classifier
        assert repr(loaded.get_params()) == repr({**model.get_params(), "class_weight": {y.tolist()[0]: 2.0}})
        assert (loaded.predict_proba(X) == model.predict_proba(X)).all()
        assert loaded.classes_.dtype == model.classes_.dtype
        assert loaded.predict(X).tolist() == model.predict(X).tolist()
        assert (loaded.n_iter_, loaded.n_features_in_, loaded.n_outputs_) == (2, 2, len(model.classes_))
        assert loaded.history_.loss == model.history_.loss
        loaded.partial_fit(X, y)
    assert nn.load(tmp_path / "model.json").state_dict() == model.model_.state_dict()
    assert nn.checkpoint.read(tmp_path / "model.json")["metadata"]["origin"] == "a test"


def test_a_regressor_of_a_table_comes_back_from_a_file(tmp_path: Any) -> None:
    table = {**people(), "height": [float(i % 17) for i in range(120)]}
    model = Regressor(**QUICK, loss=nn.huber_loss).fit(table, "height")
    model.save(tmp_path / "model.json")
    loaded = nn.load_estimator(tmp_path / "model.json")
    assert (loaded.predict(table) == model.predict(table)).all()
    assert loaded.score(table, "height") == model.score(table, "height")
    assert loaded.encoder_.feature_names == model.encoder_.feature_names
    assert loaded.loss == "huber_loss"
    loaded.partial_fit(table, "height")
    assert loaded.n_iter_ == model.n_iter_ + 1


def test_a_damaged_file_is_a_sentence(tmp_path: Any) -> None:
    X, y = corners()
    path = tmp_path / "model.json"
    Classifier(**QUICK).fit(X, y).save(path)
    whole = path.read_bytes()
    draw = random.Random(0)
    for _ in range(60):
        place = draw.randrange(len(whole))
        damaged = whole[:place] if draw.random() < 0.3 else whole[:place] + b"7" + whole[place + 1 :]
        path.write_bytes(damaged)
        if damaged == whole or damaged.split() == whole.split():
            continue
        with pytest.raises(nn.CheckpointError, match=r"model\.json"):
            nn.load_estimator(path)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("class", "Forest"), ("class", 3), ("settings", None), ("settings", {"depth": 3}), ("settings", {"lr": -1}),
        ("features", 5), ("features", "two"), ("names", ["a"]), ("names", 3), ("encoder", {"codes": 3}),
        ("history", {}), ("classes", ["a"]), ("classes", [1, 0]), ("classes", [0, [1]]), ("classes", 3),
        ("classes", ["b", 3]),
    ],
)  # fmt: skip
def test_notes_that_do_not_fit_are_a_sentence(name: str, damage: Any, tmp_path: Any) -> None:
    X, y = corners()
    model = Classifier(**QUICK).fit(X, y)
    model.save(tmp_path / "whole.json")
    kept = nn.checkpoint.read(tmp_path / "whole.json")["metadata"]["estimator"]
    nn.save(model.model_, tmp_path / "model.json", estimator={**kept, name: damage})
    with pytest.raises(nn.CheckpointError, match=r"model\.json is damaged"):
        nn.load_estimator(tmp_path / "model.json")


def test_a_file_of_another_kind_says_what_to_do(tmp_path: Any) -> None:
    X, y = corners()
    Regressor(**QUICK).fit(X, y).save(tmp_path / "regressor.json")
    nn.save(nn.MLP(2, [1]), tmp_path / "model.json")
    with pytest.raises(nn.CheckpointError, match=r"open it with nn\.load_estimator"):
        Classifier.load(tmp_path / "regressor.json")
    with pytest.raises(nn.CheckpointError, match=r"open it with nn\.load$"):
        nn.load_estimator(tmp_path / "model.json")


def test_copies_predict_the_same() -> None:
    X, y = corners()
    model = Classifier(**QUICK, dropout=0.2).fit(X, y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert (other.predict_proba(X) == model.predict_proba(X)).all()
        other.partial_fit(X, y)


# Settings and sentences


def test_settings_are_kept_as_they_are() -> None:
    model = Classifier(hidden=[3], lr=0.5)
    assert repr(model) == "Classifier(hidden=[3], lr=0.5)"
    assert model.get_params()["hidden"] is model.hidden
    assert model.set_params(lr=None, epochs=2) is model
    assert repr(model) == "Classifier(epochs=2, hidden=[3])"
    assert "class_weight" not in Regressor().get_params()


TABLE = people()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: Classifier().predict([[1.0]]), "not fitted yet: call fit"),
        (lambda: Classifier().fit([[1.0], [2.0]], [0, 0.5]), r"continuous. y\[1\] is 0.5.*nn.Regressor learns"),
        (lambda: Classifier().fit([[1.0], [2.0]], ["a", "a"]), "one class only, 'a'"),
        (lambda: Classifier().fit([[1.0], [2.0]], [0, 1, 1]), "2 rows but y has 3 targets"),
        (lambda: Classifier().fit([[1.0], [2.0]], [0, None]), r"y\[1\] is None, not a label"),
        (lambda: Classifier().fit([[1.0], [2.0]], ["a", 1]), "several kinds, int, str"),
        (lambda: Classifier().fit([[1.0], [2.0]], [[0, 1], [1, 0]]), r"shape \(2, 2\).*argmax"),
        (lambda: Classifier().fit([[1.0], [2.0]]), "requires y"),
        (lambda: Classifier().fit([[1.0], [2.0]], 3), "y takes a label for each example; got 3"),
        (lambda: Classifier().fit([[1.0], [float("nan")]], [0, 1]), "row 1, column 0. is nan"),
        (lambda: Classifier().fit(np.array([[1.0], [np.nan]]), [0, 1]), r"row 1, column 0\) is NaN.*nn.Table"),
        (lambda: Classifier().fit(np.zeros((2, 0)), [0, 1]), r"0 feature\(s\)"),
        (lambda: Classifier().fit([[1.0, "a"], [2.0, "b"]], [0, 1]), r"row 0, column 1\) is 'a'.*nn.Table"),
        (lambda: Classifier().fit([], []), "at least one row"),
        (lambda: Classifier().fit([[1], [2]], [0, 1], [1.0, -1.0]), r"sample_weight\[1\] is -1"),
        (lambda: Classifier().fit([[1], [2]], [0, 1], [0.0, 0.0]), "zero for all"),
        (lambda: Classifier().fit([[1], [2]], [0, 1], [1.0]), "each of the 2 examples; got"),
        (lambda: Classifier(hidden="wide").fit([[1], [2]], [0, 1]), "hidden takes the widths"),
        (lambda: Classifier(hidden=(0,)).fit([[1], [2]], [0, 1]), "each width in hidden.*got 0"),
        (lambda: Classifier(activation="step").fit([[1], [2]], [0, 1]), "no activation 'step'; choose one of"),
        (lambda: Classifier(optimizer="lion").fit([[1], [2]], [0, 1]), "no optimizer 'lion'; choose one of"),
        (lambda: Classifier(loss="mse_loss").fit([[1], [2]], [0, 1]), "loss of a Classifier is cross_entropy"),
        (lambda: Classifier(validation=2).fit([[1], [2]], [0, 1]), "validation takes a share.*got 2"),
        (lambda: Classifier(random_state="a").fit([[1], [2]], [0, 1]), "random_state takes.*got 'a'"),
        (lambda: Classifier(random_state=-1).fit([[1], [2]], [0, 1]), "random_state takes.*got -1"),
        (lambda: Classifier(class_weight="even").fit([[1], [2]], [0, 1]), "class_weight takes.*got 'even'"),
        (lambda: Classifier(class_weight={3: 1.0}).fit([[1], [2]], [0, 1]), "class_weight names 3"),
        (lambda: Classifier(class_weight="balanced").partial_fit([[1], [2]], [0, 1]), "all examples at once"),
        (lambda: Classifier(class_weight={0: float("nan")}).fit([[1], [2]], [0, 1]), "takes finite.*nan.*class 0"),
        (lambda: Classifier(class_weight={0: "a"}).fit([[1], [2]], [0, 1]), "got 'a' for the class 0"),
        (lambda: Classifier(class_weight={0: 0.0}).fit([[1], [2]], [0, 1]), "one class only, 1"),
        (lambda: Classifier().fit([[1], [2]], [0, 1], [1e308, 1e308]), "sum a float can hold; the largest is 1e.308"),
        (lambda: Classifier(ordered={}), "no setting 'ordered' .that is text={column: its values in order}"),
        (lambda: Classifier(layers=(3,)), r"no setting 'layers' .that is hidden=\(16, 16\)"),
        (lambda: Classifier(drop=["a"]), "no setting 'drop'.*nn.Table.*drop"),
        (lambda: Regressor(epoch=3), "no setting 'epoch' .did you mean 'epochs'"),
        (lambda: Regressor(class_weight={}), "Regressor has no setting 'class_weight'; choose"),
        (lambda: Classifier().set_params(Hidden=3), "did you mean 'hidden'"),
        (lambda: Classifier(validation=(TABLE, "alive")).fit(TABLE, "alive"), "got tuple.*fit.table, name, val"),
        (lambda: Classifier(loss="crossentropy").fit([[1], [2]], [0, 1]), "did you mean 'cross_entropy'"),
        (lambda: Regressor().fit([[1], [2]], [[1, 2], [3, 4]], validation=([[1]], [1])), "y has 1 targets.*given 2"),
        (lambda: Regressor().fit([[1], [2]], [[1, 2], [3, 4]]).score([[1], [2]], [1, 2]), "y has 1 targets.*given 2"),
        (lambda: Regressor().fit([[1], [2]], [1, 2], validation=([[1, 2]], [1])), "validation has 2 columns"),
        (lambda: Regressor().fit([[1], [2]], []), "0 targets"),
        (lambda: Regressor(**QUICK).fit([[1], [2]], [0, 1]).predict({"a": [1, None]}), "row 1 of the mapping has"),
        (lambda: Regressor(**QUICK).fit([[1], [2]], [0, 1]).predict({"a": ["b"]}), "has 'b' in the column 'a'"),
        (lambda: Classifier(epochs=0).fit([[1], [2]], [0, 1]), "epochs takes a whole number"),
        (lambda: Classifier().set_params(depth=3), "no setting 'depth'; choose one of activation"),
        (lambda: Classifier().fit(TABLE, "survived"), "no column 'survived'"),
        (lambda: Classifier().fit({"x": [1, 2], "y": [1, 2.5]}, "y"), "row . of the mapping has .*.*'y'"),
        (lambda: Classifier().fit([[1], [2]], [0, 1], validation=3), "validation takes a pair"),
        (lambda: Classifier(**QUICK).fit(TABLE, "alive").predict({"sex": ["male"]}), "age"),
        (lambda: Regressor().fit([[1], [2]], ["a", "b"]), "nn.Classifier learns labels"),
        (lambda: Regressor().fit([[1], [2]], [1.0, float("inf")]), r"y\[1\] is inf"),
        (lambda: Regressor(optimizer="sgd", lr=1e300).fit([[1], [2]], [1, 2]), "nothing was learned.*lr is 1e"),
        (lambda: Regressor(**QUICK).fit([[1, 2], [2, 3]], [0, 1]).predict([[1]]), "X has 1 features, but Regressor is"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_sentence(call: Any, sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"(?s){sentence}"):
        call()


def test_a_column_vector_of_labels_is_flattened_with_a_warning() -> None:
    X, y = corners()
    with pytest.warns(UserWarning, match="column-vector"):
        model = Classifier(**QUICK).fit(X, y[:, np.newaxis])
    assert model.predict(X).shape == y.shape


def test_a_prediction_for_many_rows_takes_no_line_of_python_for_each() -> None:
    from tests.work import lines_executed

    X, y = corners()
    model = Classifier(**QUICK).fit(X, y)
    many = np.tile(X, (100, 1))
    model.predict(many)
    assert lines_executed(lambda: model.predict(many)) < len(many)


WITHOUT = """
import sys
sys.modules.update(numpy=None, pandas=None, sklearn=None)
import nn, os, tempfile
X = [[float(i), 1.0 - i] for i in range(20)]
model = nn.Classifier(hidden=(3,), epochs=30, random_state=0).fit(X, ["low"] * 10 + ["high"] * 10, [1.0, 2.0] * 10)
assert model.classes_ == ["high", "low"] and model.predict(X[:1] + X[-1:]) == ["low", "high"]
assert all(abs(sum(row) - 1.0) < 1e-12 for row in model.predict_proba(X)) and model.score(X, model.predict(X)) == 1.0
regressor = nn.Regressor(hidden=(), epochs=5, random_state=0).fit(X, [[float(i), 2.0 * i] for i in range(20)])
assert len(regressor.predict(X)[0]) == 2 and regressor.score(X, [[float(i), 2.0 * i] for i in range(20)]) < 1.0
table = {"color": ["red", "blue"] * 10, "size": [None, 1.0] * 10, "kind": [True, False] * 10}
assert regressor.summary() and regressor.predict({"a": [1.0], "b": [0.0]}) == regressor.predict([[1.0, 0.0]])
tabular = nn.Classifier(hidden=(), epochs=30, lr=0.5, class_weight={True: 2.0}, random_state=0).fit(table, "kind")
assert tabular.predict(table) == table["kind"] and tabular.score(table) == 1.0
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.json")
    for estimator, data in ((model, X), (regressor, X), (tabular, table)):
        estimator.save(path)
        assert nn.load_estimator(path).predict(data) == estimator.predict(data)
model.partial_fit(X, ["low"] * 20)
assert not {"polars", "scipy", "torch", "jax", "matplotlib"} & set(sys.modules)
"""


def test_without_numpy_there_are_lists_and_nothing_is_imported_that_the_user_has_not() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT], check=True)


def test_words_for_gaps_in_the_target_are_remembered(tmp_path):
    path = tmp_path / "marks.csv"
    path.write_text(
        "x,y\n" + "".join(f"{i % 9},{'n.t.' if i == 7 else 'yes please' if i % 9 > 4 else 'no'}\n" for i in range(60))
    )
    table = nn.Table(path, gap_words=["n.t."])
    model = Classifier(epochs=2, random_state=0).fit(table, "y")
    assert list(model.classes_) == ["no", "yes please"]
    assert model.score(path) == model.score(path, "y") == model.score(table, "y")
    model.partial_fit(path, "y")
    Classifier(epochs=2, random_state=0).fit(table, "y", validation=path)
