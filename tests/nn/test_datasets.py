"""Are the data sets what they say, is the split fair, and does a bad file get a clear answer?"""

import gzip
import hashlib
import math
import random
import subprocess
import sys
from collections import Counter
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, strategies as st

from nn.datasets import (
    as_rows,
    as_targets,
    check_same_length,
    load_digits,
    make_circles,
    make_moons,
    make_spirals,
    number_labels,
    read_csv,
    train_validation_test_split,
    xor,
)

# SHA-256 of scikit-learn's digits.csv, unpacked: 1797 lines of 64 pixels and a digit.
DIGITS_CHECKSUM = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"

MAKERS = [make_moons, make_circles, make_spirals]

seeds = st.integers(0, 2**32)
finite_floats = st.floats(allow_nan=False, allow_infinity=False)
tables = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(finite_floats, min_size=width, max_size=width), min_size=1, max_size=8)
)


def assert_one_sentence(error, *fragments):
    """An error is one sentence for a person, and names what it is about."""
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    for fragment in fragments:
        assert fragment in message


# --- digits ---------------------------------------------------------------------------------------


def test_the_digits_are_those_of_scikit_learn_bit_for_bit():
    digits = load_digits()
    lines = [
        ",".join(str(int(16 * pixel)) for pixel in row) + f",{digit}\n"
        for row, digit in zip(digits.X, digits.y, strict=True)
    ]
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == DIGITS_CHECKSUM


def test_the_digits_are_1797_images_of_64_sixteenths():
    digits = load_digits()
    assert len(digits.X) == len(digits.y) == 1797
    assert {len(row) for row in digits.X} == {64} == {len(digits.feature_names)}
    assert {pixel for row in digits.X for pixel in row} == {ink / 16 for ink in range(17)}
    assert {type(pixel) for row in digits.X for pixel in row} == {float}
    assert {type(digit) for digit in digits.y} == {int}
    assert digits.target_names == [str(digit) for digit in range(10)]
    assert len(set(digits.feature_names)) == 64


def test_the_digits_unpack_as_X_and_y():
    X, y = load_digits()[:2]
    assert (X, y) == (load_digits().X, load_digits().y)


def test_changing_the_digits_does_not_change_the_next_ones():
    spoiled = load_digits()
    spoiled.X[0][0] = 99.0
    spoiled.y[0] = 99
    spoiled.feature_names.clear()
    assert load_digits().X[0][0] == 0.0
    assert load_digits().y[0] == 0
    assert len(load_digits().feature_names) == 64


def test_the_digits_file_has_no_time_and_no_file_name_in_it():
    packed = (files("nn.datasets") / "digits.csv.gz").read_bytes()
    flags, modified = packed[3], packed[4:8]
    assert (flags, modified) == (0, bytes(4))
    assert len(packed) < 55_000
    assert hashlib.sha256(gzip.decompress(packed)).hexdigest() == DIGITS_CHECKSUM


def test_the_digits_come_with_their_authors_and_licence():
    licence = (files("nn.datasets") / "digits.LICENSE.md").read_text(encoding="utf-8")
    for text in (licence, load_digits().description):
        for credit in ("Alpaydin", "Kaynak", "CC BY 4.0", "https://doi.org/10.24432/C50P49"):
            assert credit in text


def test_a_dataset_displays_in_one_short_line():
    assert repr(load_digits()) == ("<Dataset: 1797 samples, 64 features, 10 classes: Handwritten digits>")


def test_the_data_sets_need_neither_numpy_nor_pandas():
    program = (
        "import sys; sys.modules.update(numpy=None, pandas=None, sklearn=None)\n"
        "from nn.datasets import load_digits, train_validation_test_split as split\n"
        "digits = load_digits()\n"
        "print(len(split(digits.X, digits.y).test.y))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("360\n", "")


# --- points in the plane --------------------------------------------------------------------------


def test_moons_lie_on_two_half_circles():
    for (x, y), label in zip(*make_moons(101), strict=True):
        if label == 0:
            assert math.hypot(x, y) == pytest.approx(1.0)
            assert y >= 0.0
        else:
            assert math.hypot(x - 1.0, y - 0.5) == pytest.approx(1.0)
            assert y <= 0.5


def test_moons_reach_from_tip_to_tip_as_in_scikit_learn():
    X, y = make_moons(6)
    expected = {
        0: [(-1.0, 0.0), (0.0, 1.0), (1.0, 0.0)],
        1: [(0.0, 0.5), (1.0, -0.5), (2.0, 0.5)],
    }
    for label, corners in expected.items():
        points = sorted(
            tuple(round(v, 9) + 0.0 for v in point) for point, its_label in zip(X, y, strict=True) if its_label == label
        )
        assert points == corners


@given(st.integers(2, 40), st.floats(0.0, 0.99))
def test_circles_have_their_radii_and_evenly_spaced_points(n_samples, factor):
    X, y = make_circles(n_samples, factor=factor)
    for label, radius in ((0, 1.0), (1, factor)):
        circle = [point for point, its_label in zip(X, y, strict=True) if its_label == label]
        for point in circle:
            assert math.hypot(*point) == pytest.approx(radius)
        step = math.tau / len(circle)
        for point in circle:
            turns = (math.atan2(point[1], point[0]) % math.tau) / step if radius > 1e-9 else 0.0
            assert turns == pytest.approx(round(turns), abs=1e-6)


@given(st.integers(2, 5), st.integers(5, 60), st.floats(0.1, 4.0))
def test_a_spiral_arm_turns_in_proportion_to_its_radius(n_classes, n_samples, turns):
    X, y = make_spirals(n_samples, n_classes, turns=turns)
    for point, arm in zip(X, y, strict=True):
        radius = math.hypot(*point)
        assert 0.0 < radius <= 1.0 + 1e-12
        angle = math.tau * (turns * radius + arm / n_classes)
        expected = [radius * math.cos(angle), radius * math.sin(angle)]
        assert point == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("make", MAKERS)
@given(n_samples=st.integers(2, 60))
def test_classes_differ_by_at_most_one_sample_and_the_last_has_more(make, n_samples):
    X, y = make(n_samples)
    assert len(X) == len(y) == n_samples
    assert (y.count(0), y.count(1)) == (n_samples // 2, n_samples - n_samples // 2)


@pytest.mark.parametrize("make", MAKERS)
@given(seed=seeds, noise=st.sampled_from([0.0, 0.3]))
def test_the_same_seed_gives_the_same_bits(make, seed, noise):
    first = make(20, noise=noise, rng=random.Random(seed))
    assert make(20, noise=noise, rng=random.Random(seed)) == first


@pytest.mark.parametrize("make", MAKERS)
def test_with_no_rng_the_global_seed_counts(make):
    random.seed(7)
    first = make(30, noise=0.1)
    random.seed(7)
    again = make(30, noise=0.1)
    other = make(30, noise=0.1)
    assert first == again == make(30, noise=0.1, rng=random.Random(7))
    assert first != other


def test_an_rng_of_ones_own_leaves_the_global_one_alone():
    before = random.getstate()
    make_moons(30, noise=0.1, rng=random.Random(7))
    train_validation_test_split([[0.0]] * 20, [0, 1] * 10, rng=random.Random(7))
    assert random.getstate() == before


@pytest.mark.parametrize("make", MAKERS)
def test_noise_moves_the_points_but_not_their_order(make):
    still, labels = make(400, rng=random.Random(3))
    moved, moved_labels = make(400, noise=0.1, rng=random.Random(3))
    assert moved_labels == labels
    shifts = [b - a for p, q in zip(still, moved, strict=True) for a, b in zip(p, q, strict=True)]
    deviation = math.sqrt(sum(shift**2 for shift in shifts) / len(shifts))
    assert deviation == pytest.approx(0.1, rel=0.15)  # six standard errors


@pytest.mark.parametrize("make", MAKERS)
def test_samples_come_shuffled(make):
    _, y = make(100, rng=random.Random(0))
    assert y != sorted(y)


def test_xor_is_its_truth_table():
    assert dict(zip(map(tuple, xor()[0]), xor()[1], strict=True)) == {
        (0.0, 0.0): 0,
        (0.0, 1.0): 1,
        (1.0, 0.0): 1,
        (1.0, 1.0): 0,
    }


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("arguments", "error", "fragments"),
    [
        ({"n_samples": 0}, ValueError, ["n_samples", "at least 2", "got 0"]),
        ({"n_samples": -5}, ValueError, ["n_samples", "got -5"]),
        ({"n_samples": 10.0}, TypeError, ["n_samples", "10.0 (float)"]),
        ({"n_samples": True}, TypeError, ["n_samples", "True (bool)"]),
        ({"noise": -0.1}, ValueError, ["noise", "got -0.1"]),
        ({"noise": math.nan}, ValueError, ["noise", "got nan"]),
        ({"noise": "much"}, TypeError, ["noise", "'much' (str)"]),
        ({"rng": 4.2}, TypeError, ["rng", "4.2 (float)", "rng=0"]),
    ],
)
def test_a_bad_argument_of_a_shape_is_named(make, arguments, error, fragments):
    with pytest.raises(error) as caught:
        make(**arguments)
    assert_one_sentence(caught, *fragments)


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: make_circles(factor=1.0), "factor"),
        (lambda: make_circles(factor=-0.1), "factor"),
        (lambda: make_circles(factor=math.nan), "factor"),
        (lambda: make_spirals(turns=0.0), "turns"),
        (lambda: make_spirals(turns=math.inf), "turns"),
        (lambda: make_spirals(n_classes=1), "n_classes"),
        (lambda: make_spirals(2, n_classes=3), "n_samples takes a whole number of at least 3"),
    ],
)
def test_a_number_out_of_range_is_named(call, fragment):
    with pytest.raises(ValueError, match="got") as caught:
        call()
    assert_one_sentence(caught, fragment)


# --- split ----------------------------------------------------------------------------------------

# Shares in twentieths: often exact, often not.
sizes_of_parts = st.tuples(st.integers(1, 18), st.integers(1, 18)).map(
    lambda cut: (min(cut) / 20, abs(cut[0] - cut[1]) / 20, 1 - max(cut) / 20)
)


def labelled(class_sizes):
    """Rows that are all different, and a label for each: class_sizes[k] of class k."""
    y = [label for label, size in enumerate(class_sizes) for _ in range(size)]
    return [[float(i), float(label)] for i, label in enumerate(y)], y


def split_or_reject(*arguments, **options):
    """The split, unless some part would be empty: then the example does not count."""
    try:
        return train_validation_test_split(*arguments, **options)
    except ValueError as error:
        assume("empty" not in str(error))
        raise


def test_the_digits_are_split_1257_180_360():
    X, y = load_digits()[:2]
    for stratify in (True, False):
        split = train_validation_test_split(X, y, stratify=stratify, rng=random.Random(0))
        assert [len(part.y) for part in split] == [1257, 180, 360]


@given(st.lists(st.integers(3, 30), min_size=1, max_size=8), sizes_of_parts, seeds)
@example([4, 3], (0.15, 0.55, 0.3), 0)  # the sizes come out only if a sample goes by the third part
def test_every_class_has_its_share_of_every_part_within_one_sample(class_sizes, sizes, seed):
    X, y = labelled(class_sizes)
    split = split_or_reject(X, y, sizes, rng=random.Random(seed))
    for size, part in zip(sizes, split, strict=True):
        assert abs(len(part.y) - size * len(y)) < 1.0
        for label, class_size in enumerate(class_sizes):
            assert abs(part.y.count(label) - size * class_size) < 1.0 + 1e-9


@given(st.integers(1, 60), sizes_of_parts, st.booleans(), seeds)
def test_every_sample_is_in_exactly_one_part_with_its_own_target(n, sizes, stratify, seed):
    X, y = labelled([n, 4, 9])
    split = split_or_reject(X, y, sizes, stratify and n > 2, random.Random(seed))
    together = [tuple(row) for part in split for row in part.X]
    assert Counter(together) == Counter(map(tuple, X))
    for part in split:
        assert [row[1] for row in part.X] == part.y


@given(seeds, st.booleans())
def test_the_same_seed_gives_the_same_split(seed, stratify):
    X, y = labelled([10, 20])
    first = train_validation_test_split(X, y, stratify=stratify, rng=random.Random(seed))
    again = train_validation_test_split(X, y, stratify=stratify, rng=random.Random(seed))
    assert first == again


def test_with_no_rng_the_global_seed_counts_in_the_split_too():
    X, y = labelled([50, 50])
    random.seed(5)
    first = train_validation_test_split(X, y)
    second = train_validation_test_split(X, y)
    assert first == train_validation_test_split(X, y, rng=random.Random(5))
    assert first != second


@given(st.integers(0, 12), sizes_of_parts)
def test_sizes_that_divide_evenly_come_out_exactly(twenties, sizes):
    n = 20 * (twenties + 1)
    split = split_or_reject([[0.0]] * n, [0] * n, sizes)
    assert [len(part.y) for part in split] == [round(size * n) for size in sizes]


def test_thirds_and_sums_with_rounding_errors_come_out_exactly():
    third = train_validation_test_split([[0.0]] * 9, [0] * 9, sizes=(1 / 3, 1 / 3, 1 / 3))
    assert [len(part.y) for part in third] == [3, 3, 3]
    tenths = train_validation_test_split([[0.0]] * 10, [0] * 10, sizes=(0.6, 0.1, 0.1 + 0.2))
    assert [len(part.y) for part in tenths] == [6, 1, 3]


def test_a_part_may_be_left_out_by_a_share_of_zero():
    X, y = labelled([10, 10])
    split = train_validation_test_split(X, y, sizes=(0.8, 0.0, 0.2))
    assert [len(part.X) for part in split] == [16, 0, 4]


def test_classes_are_mixed_within_every_part():
    X, y = labelled([100, 100])
    for part in train_validation_test_split(X, y, rng=random.Random(0)):
        assert part.y != sorted(part.y)


def test_regression_targets_are_split_without_stratifying():
    X = [[float(i)] for i in range(40)]
    y = [i / 7 for i in range(40)]
    split = train_validation_test_split(X, y, stratify=False)
    assert [len(part.y) for part in split] == [28, 4, 8]
    assert sorted(target for part in split for target in part.y) == y


def test_lists_arrays_and_frames_are_split_alike():
    X, y = labelled([10, 20])
    forms = [
        (X, y),
        (tuple(map(tuple, X)), tuple(y)),
        (np.array(X), np.array(y)),
        (pd.DataFrame(X), pd.Series(y)),
    ]
    splits = [train_validation_test_split(*form, rng=random.Random(1)) for form in forms]
    assert all(split == splits[0] for split in splits)
    assert {type(target) for split in splits for target in split.test.y} == {int}


def test_the_parts_share_no_lists_with_the_input():
    X, y = labelled([10, 10])
    split = train_validation_test_split(X, y)
    split.train.X[0][0] = -1.0
    assert all(row[0] >= 0.0 for row in X)


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        ({"sizes": (0.7, 0.2, 0.2)}, ["sizes", "sum to 1", "(0.7, 0.2, 0.2)"]),
        ({"sizes": (0.8, 0.2)}, ["sizes", "three numbers", "(0.8, 0.2)"]),
        ({"sizes": (1.2, -0.4, 0.2)}, ["sizes", "at least 0"]),
        ({"sizes": (math.nan, 0.5, 0.5)}, ["sizes", "nan"]),
        ({"sizes": 0.8}, ["sizes", "got 0.8"]),
        ({"sizes": (0.0, 0.5, 0.5)}, ["train", "above 0"]),
        ({"sizes": (0.98, 0.01, 0.01)}, ["empty", "20 samples"]),
        ({"y": [0] * 19}, ["20 rows", "19 targets"]),
        ({"y": [0] * 18 + [7] * 2}, ["class 7 has 2", "stratify=False"]),
        ({"y": [0.5] * 20}, ["y[0] is 0.5", "stratify=False"]),
        ({"y": [[1.0, 0.0]] * 20}, ["y[0] is [1.0, 0.0]", "stratify=False"]),
        ({"X": [], "y": []}, ["0 samples", "train empty"]),
    ],
)
def test_a_split_that_cannot_be_made_says_why(arguments, fragments):
    with pytest.raises(ValueError, match=r".") as caught:
        train_validation_test_split(**{"X": [[0.0]] * 20, "y": [0, 1] * 10} | arguments)
    assert_one_sentence(caught, *fragments)


# --- rows and targets -----------------------------------------------------------------------------


@given(tables)
def test_rows_are_the_same_from_lists_arrays_and_frames(table):
    for form in (table, tuple(map(tuple, table)), np.array(table), pd.DataFrame(table)):
        rows = as_rows(form)
        assert rows == table
        assert {type(rows), type(rows[0])} == {list}
        assert {type(cell) for row in rows for cell in row} == {float}
    assert as_rows([np.array(row) for row in table]) == table


@given(tables)
def test_rows_are_fresh_lists(table):
    rows = as_rows(table)
    assert rows is not table
    assert all(row is not original for row, original in zip(rows, table, strict=True))


def test_whole_numbers_bools_and_float32_become_floats():
    assert as_rows([[1, True], [np.int8(2), np.float32(0.5)]]) == [[1.0, 1.0], [2.0, 0.5]]
    assert as_rows(np.array([[1, 2]], dtype=np.uint8)) == [[1.0, 2.0]]
    assert as_rows(pd.DataFrame({"a": [1, 2], "b": [True, False]})) == [[1.0, 1.0], [2.0, 0.0]]


def test_no_rows_are_no_error():
    assert as_rows([]) == []
    assert as_targets([]) == []


@given(tables, st.data(), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_number_that_is_not_finite_is_named_by_row_and_column(table, data, bad):
    i = data.draw(st.integers(0, len(table) - 1))
    j = data.draw(st.integers(0, len(table[0]) - 1))
    table[i][j] = bad
    for form in (table, np.array(table), pd.DataFrame(table)):
        with pytest.raises(ValueError, match="finite") as caught:
            as_rows(form, "features")
        assert_one_sentence(caught, f"features[{i}][{j}]", f"row {i}", str(bad))


def test_a_bad_cell_of_a_frame_is_named_by_its_column():
    frame = pd.DataFrame({"height": [1.7, 1.8], "age": [30, None]})
    with pytest.raises(ValueError, match="finite") as caught:
        as_rows(frame)
    assert_one_sentence(caught, "row 1, column 'age'", "nan")


@pytest.mark.parametrize("missing", [None, pd.NA, pd.NaT, np.float64("nan"), 10**400])
def test_a_missing_number_is_a_value_error(missing):
    with pytest.raises(ValueError, match="finite") as caught:
        as_rows([[1.0, missing]])
    assert_one_sentence(caught, "row 0, column 1", "fill it in")
    with pytest.raises(ValueError, match="finite"):
        as_rows(pd.DataFrame({"a": [missing, 1.0]}, dtype=object))


@pytest.mark.parametrize("flat", [[1.0, 2.0], (1, 2), np.array([1.0, 2.0]), pd.Series([1, 2])])
def test_a_flat_list_is_asked_to_be_a_list_of_rows(flat):
    with pytest.raises(ValueError, match="list of rows") as caught:
        as_rows(flat)
    assert_one_sentence(caught, "X[0] is 1", "[X] if this is one sample")


@pytest.mark.parametrize(
    ("table", "error", "fragments"),
    [
        ([[1.0, 2.0], [3.0]], ValueError, ["row 0 has 2 numbers", "row 1 has 1"]),
        ([[], []], ValueError, ["row 0 is empty"]),
        ([["1.5"]], TypeError, ["X[0][0]", "'1.5' (str)"]),
        ([[1j]], ValueError, ["X[0][0]", "1j", "not a real number but a complex one"]),
        ([[[1.0], [2.0]]], TypeError, ["X[0][0]", "flat row"]),
        (np.zeros((2, 8, 8)), TypeError, ["X[0][0]", "flat row"]),
        (np.array([["2024-01-01"]], dtype="datetime64[ns]"), TypeError, ["dates"]),
        (["ab", "cd"], ValueError, ["X[0] is 'ab' (str)", "list of rows"]),
        ([{"a": 1.0}], TypeError, ["X[0]", "dict"]),
        ({"a": [1.0]}, TypeError, ["X takes", "dict"]),
        ("abc", TypeError, ["X takes", "'abc' (str)"]),
        (None, TypeError, ["X takes", "None"]),
        (3.0, TypeError, ["X takes", "3.0 (float)"]),
    ],
)
def test_what_is_no_table_of_numbers_is_told_so(table, error, fragments):
    with pytest.raises(error) as caught:
        as_rows(table)
    assert_one_sentence(caught, *fragments)


@given(st.lists(st.one_of(st.integers(-(2**60), 2**60), finite_floats, st.booleans())))
def test_targets_keep_their_kind_and_value(y):
    targets = as_targets(y)
    assert targets == y
    assert [type(t) for t in targets] == [int if isinstance(t, bool) else type(t) for t in y]


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.array([0, 1], dtype=np.int8), [0, 1]),
        (np.array([0.0, 1.0]), [0.0, 1.0]),
        (np.array([True, False]), [1, 0]),
        ([np.int64(3), np.float32(0.5), np.bool_(True)], [3, 0.5, 1]),
        (pd.Series([2, 1], dtype="Int64"), [2, 1]),
        (pd.Series([0.5, 1.0]), [0.5, 1.0]),
        (np.array([[1, 0], [0, 1]]), [[1.0, 0.0], [0.0, 1.0]]),
        (pd.DataFrame({"u": [1.0], "v": [2.0]}), [[1.0, 2.0]]),
    ],
)
def test_targets_of_arrays_and_frames_become_python_numbers(y, expected):
    targets = as_targets(y)
    assert targets == expected
    assert list(map(type, targets)) == list(map(type, expected))


@pytest.mark.parametrize(
    ("y", "error", "fragments"),
    [
        (["cat", "dog"], TypeError, ["y[0] is 'cat' (str)", "number_labels"]),
        ([0, None], ValueError, ["y[1] is None"]),
        ([0.5, math.nan], ValueError, ["y[1] is nan"]),
        ([[1.0, 2.0], [3.0]], ValueError, ["y takes rows of equal length"]),
        ([[1.0], 2.0], ValueError, ["y[1] is 2.0"]),
        (3, TypeError, ["y takes", "3 (int)"]),
        ({0, 1}, TypeError, ["y takes", "set"]),
    ],
)
def test_what_is_no_target_is_told_so(y, error, fragments):
    with pytest.raises(error) as caught:
        as_targets(y)
    assert_one_sentence(caught, *fragments)


@given(st.lists(st.sampled_from(["gull", "tern", "auk", "skua"])))
def test_labels_are_numbered_in_sorted_order_and_can_be_read_back(labels):
    y, names = number_labels(labels)
    assert names == sorted(set(labels))
    assert [names[number] for number in y] == labels


def test_labels_may_be_whole_numbers_and_come_from_a_frame():
    assert number_labels(np.array([10, 2, 10])) == ([1, 0, 1], ["2", "10"])
    assert number_labels(pd.Series(["b", "a"], dtype="category")) == ([1, 0], ["a", "b"])


@pytest.mark.parametrize("labels", [["a", 1], ["a", None], [1.5], [math.nan, "a"]])
def test_labels_of_several_kinds_are_an_error(labels):
    with pytest.raises(TypeError) as caught:
        number_labels(labels)
    assert_one_sentence(caught, "labels[")


def test_rows_and_targets_of_the_same_length_pass():
    check_same_length([[1.0], [2.0]], [0, 1])
    with pytest.raises(ValueError, match="2 rows but y has 0 targets") as caught:
        check_same_length([[1.0], [2.0]], [])
    assert_one_sentence(caught)


# --- CSV files ------------------------------------------------------------------------------------


@pytest.fixture
def csv_file(tmp_path):
    """A function that writes text or bytes to a CSV file and gives its path."""

    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_csv_file_with_labels_is_read(csv_file):
    data = read_csv(csv_file("a,kind,b\n1,tern,2.5\n-3e1,gull,4\n0,tern,7\n"), target="kind")
    assert data.X == [[1.0, 2.5], [-30.0, 4.0], [0.0, 7.0]]
    assert (data.y, data.target_names) == ([1, 0, 1], ["gull", "tern"])
    assert (data.feature_names, data.description) == (["a", "b"], "table.csv")
    assert repr(data) == "<Dataset: 3 samples, 2 features, 2 classes: table.csv>"


def test_without_a_target_every_column_is_a_feature(csv_file):
    data = read_csv(str(csv_file("a,b\n1,2\n3,4\n")))
    assert (data.X, data.y, data.target_names) == ([[1.0, 2.0], [3.0, 4.0]], [], [])
    assert {type(cell) for row in data.X for cell in row} == {float}
    assert "no targets" in repr(data)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["3", "1"], [3, 1]),
        (["-1", "+1"], [-1, 1]),
        (["3.0", "1.0"], [3.0, 1.0]),
        (["3", "1.5"], [3.0, 1.5]),
        (["1e3", "0"], [1000.0, 0.0]),
    ],
)
def test_targets_that_are_numbers_stay_so(csv_file, column, expected):
    data = read_csv(csv_file("x,y\n" + "".join(f"0,{cell}\n" for cell in column)), target="y")
    assert (data.y, data.target_names) == (expected, [])
    assert list(map(type, data.y)) == list(map(type, expected))


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b\n1,2\n",  # the byte order mark of a spreadsheet
        b"a,b\r\n1,2\r\n",
        b"a,b\r1,2\r",
        b"a,b\n1,2",
        b"\na,b\n\n1,2\n\n",
        b" a , b\n 1 , 2 \n",
        b'"a","b"\n"1","2"\n',
        b"a;b\n1;2\n",
        b"a\tb\n1\t2\n",
        "a,b\n1,2\n".encode("utf-16"),
        gzip.compress(b"a,b\n1,2\n", mtime=0),
    ],
)
def test_a_table_may_be_written_in_many_ways(csv_file, content):
    data = read_csv(csv_file(content))
    assert (data.X, data.feature_names) == ([[1.0, 2.0]], ["a", "b"])


def test_codes_with_zeros_in_front_are_numbers_here(csv_file):
    data = read_csv(csv_file("a,y\n07,001\n10,010\n"), target="y")
    assert (data.X, data.y) == ([[7.0], [10.0]], [1, 10])


def test_labels_keep_their_spelling(csv_file):
    data = read_csv(csv_file("a,y\n1,Yes\n2,No\n"), target="y")
    assert (data.y, data.target_names) == ([1, 0], ["No", "Yes"])


def test_the_description_says_what_a_reader_should_know(csv_file):
    data = read_csv(csv_file(",größe\n0,1\n1,2\n".encode("latin-1")))
    assert data.feature_names == ["größe"]
    assert data.description.splitlines()[0] == "table.csv"
    assert "Windows-1252" in data.description
    assert "no name" in data.description


def test_names_and_labels_may_hold_commas_newlines_and_any_script(csv_file):
    text = '"size, mm",вид\n1,"чайка, белая"\n2,"two\nlines"\n'
    data = read_csv(csv_file(text), target="вид")
    assert data.feature_names == ["size, mm"]
    assert data.target_names == ["two\nlines", "чайка, белая"]


@given(table=tables, labels=st.lists(st.sampled_from(["auk", "gull", "tern"]), min_size=8))
def test_what_pandas_writes_is_read_back_bit_for_bit(tmp_path_factory, table, labels):
    path = tmp_path_factory.mktemp("csv") / "frame.csv"
    frame = pd.DataFrame(table, columns=[f"x{j}" for j in range(len(table[0]))])
    frame["kind"] = labels[: len(table)]
    frame.to_csv(path, index=False)
    data = read_csv(path, target="kind")
    assert table == data.X
    assert [data.target_names[number] for number in data.y] == labels[: len(table)]


@pytest.mark.parametrize(
    ("content", "target", "fragments"),
    [
        ("", None, ["is empty", "column names"]),
        ("\n\n", None, ["is empty"]),
        (b"\xef\xbb\xbf", None, ["is empty"]),
        ("a,b\n", None, ["no rows", "add at least one row"]),
        ("a,b\n1,2\n3,four\n", None, ["line 3", "'four'", "column 'b'", "write a number"]),
        ("a,b\n1,2\n\n3,1_000\n", None, ["line 4", "'1_000'", "column 'b'"]),
        ("a,b\n1,\n", None, ["line 2", "empty cell", "column 'b'", "fill it in"]),
        ("a,b\n1,  \n", None, ["line 2", "empty cell", "column 'b'"]),
        ("a,b\n1,nan\n", None, ["line 2", "nan", "column 'b'"]),
        ("a,b\n1,1e999\n", None, ["line 2", "1e999", "column 'b'"]),
        ("a,b\n1,2\n3\n", None, ["line 3 has 1 cell", "2 columns"]),
        ("a,b\n1,2,3\n", None, ["line 2 has 3 cells", "2 columns"]),
        ("a,a\n1,2\n", None, ["two columns named 'a'", "rename"]),
        ("a,,c\n1,2,3\n", None, ["no name for column 2 of 3"]),
        ('a,b\n1,"2\n', None, ["line 2", "quotation marks"]),
        ("a,b\n1,2\n", "c", ["no column 'c'", "a, b"]),
        ("a,b\n1,2\n", "", ["no column ''", "a, b"]),
        ("y\n1\n", "y", ["no column besides the target 'y'"]),
        ("a,y\n1,gull\n2,\n", "y", ["line 3", "empty cell", "column 'y'"]),
        ("a,y\n1,gull\n2,7\n", "y", ["line 3", "'7'", "'gull'", "target column 'y'"]),
        ("a,y\n1,0\n2,nan\n", "y", ["line 3", "nan", "column 'y'"]),
        ("a,y\nx,0\n", "y", ["line 2", "'x'", "column 'a'"]),
        ("a,b\ntrue,2\n", None, ["line 2", "'true'", "column 'a'", "nn.Table"]),
        ("a,b\n1,2\n2024-01-31,\n", None, ["line 3", "'2024-01-31'", "column 'a'", "nn.Table"]),
        ("a,b\n1,2\n5,\n", None, ["line 3", "empty cell", "column 'b'", "nn.Table"]),
        (b"a,b\n1,\x81\n", None, ["not UTF-8", "line 2", "0x81", "save it again"]),
    ],
)
def test_a_file_that_is_unclear_gets_one_clear_sentence(csv_file, content, target, fragments):
    path = csv_file(content)
    with pytest.raises(ValueError, match=r".") as caught:
        read_csv(path, target)
    assert_one_sentence(caught, str(path), *fragments)


def test_a_missing_file_is_an_os_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        read_csv(tmp_path / "nowhere.csv")


def test_a_long_list_of_columns_is_cut_short_in_the_error(csv_file):
    names = [f"c{j}" for j in range(100)]
    path = csv_file(",".join(names) + "\n" + ",".join("0" for _ in names) + "\n")
    with pytest.raises(ValueError, match=r"c19, \.\.\.") as caught:
        read_csv(path, target="y")
    assert "c20" not in str(caught.value)


@given(st.binary(max_size=60))
@example(b"a\n\x00\n")
@example(b'a\n"')
@example(b"a\n" + b"9" * 5000)
def test_any_bytes_are_either_a_table_or_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "bytes.csv"
    path.write_bytes(content)
    try:
        understood = as_rows(read_csv(path).X)
        complaint = ""
    except ValueError as error:
        understood, complaint = [], str(error)
    assert understood or complaint.startswith(str(path))
