"""Is the name found that was meant, and none where nothing is near?"""

import pytest
from hypothesis import given, strategies as st

from autograd.spelling import did_you_mean

NAMES = ["sgd", "adam", "cross_entropy", "leaky_relu", "accuracy", "--optimizer", "Survived"]


@given(st.sampled_from(NAMES), st.data())
def test_other_letters_of_the_same_size_and_one_that_is_missing_are_seen_through(name, draws):
    case = draws.draw(st.sampled_from([str.upper, str.title, str.swapcase, str]))
    gone = draws.draw(st.integers(-1, len(name) - 1))
    word = case(name if gone < 0 else name[:gone] + name[gone + 1 :])
    assert did_you_mean(word, NAMES) == f" (did you mean {name!r}?)"


@pytest.mark.parametrize("word", ["", "zzz", "x", 5, None, ["adam"]])
def test_what_is_near_to_no_name_gets_no_hint(word):
    assert did_you_mean(word, NAMES) == ""


def test_a_beginning_is_enough():
    assert did_you_mean("acc", NAMES) == " (did you mean 'accuracy'?)"
    assert did_you_mean("mse", ["l1_loss", "mse_loss"], show=str) == " (did you mean mse_loss?)"
