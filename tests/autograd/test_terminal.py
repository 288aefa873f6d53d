"""Does text in a terminal keep to its columns, and does nothing in it steer the terminal?"""

import io
import sys

import pytest
from hypothesis import example, given, strategies as st

from autograd.terminal import WIDTH, aligned, on_one_line, say, table, visible, width, wrapped, write

CELLS = st.text(st.sampled_from("ab変\u0301 "), max_size=6).map(str.strip)
HOSTILE = "\x1b[31mred\u202e\udcff"


@given(st.text())
@example(HOSTILE)
@example("a\tb\r\nc")
def test_visible_text_has_no_control_characters_and_stays_visible(text: str) -> None:
    for shown in (visible(text), on_one_line(text)):
        assert visible(shown) == shown
        assert not set(shown) & {"\x1b", "\u202e", "\n", "\t", "\0"}
    assert visible(text, kept="\n").count("\n") == text.count("\n")


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_columns_stand_below_each_other_in_any_script(rows: list[list[str]]) -> None:
    rows = [[*row, "|"] for row in rows]  # the mark shows where the last column begins
    for left in ((), (0,), range(len(rows[0]))):
        assert len({width(line) for line in aligned(rows, left)}) == 1


def test_a_table_has_a_rule_as_wide_as_its_header() -> None:
    header, rule, row = table(["layer", "gradient"], [["変数", "0.5"]]).splitlines()
    assert (header, rule, row) == ("layer  gradient", "-" * 15, "変数        0.5")


@given(st.lists(st.text("abc-", min_size=1, max_size=WIDTH - 4), max_size=12))
def test_wrapped_text_keeps_its_words_and_the_width(words: list[str]) -> None:
    lines = wrapped(" ".join(words), indent="    ").split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert " ".join(lines).split() == words


@given(st.text())
@example(f"größe, Čigra {HOSTILE}")
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_is_said_can_be_shown_in_any_encoding(encoding: str, text: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        say(text)
        write(text)
    said = stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert said.count("\n") == 2 * text.count("\n") + 2
    assert "\x1b" not in said.split("\n")[0]
