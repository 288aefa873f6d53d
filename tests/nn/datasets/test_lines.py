"""Are the lines of a text file read as they are, and is what is no text refused in a sentence?"""

import pytest
from hypothesis import given, strategies as st

import nn

TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(lambda text: text == text.strip())


@given(
    texts=st.lists(st.one_of(st.just(""), TEXTS)).filter(any),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_is_written_is_read(texts, end, encoding, tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "f.txt"
    path.write_bytes(end.join(texts).encode(encoding))
    marked = texts[0].startswith("\ufeff") or texts[0][:1] == "\ufffe"  # then it is the mark of an encoding
    if not marked:
        assert nn.datasets.load_lines(path) == [text for text in texts if text]


def test_blanks_around_a_line_are_no_part_of_it(tmp_path):
    path = tmp_path / "f.txt"
    path.write_text("  Rhine\t\n\n   \nNew River")
    assert nn.datasets.load_lines(str(path)) == ["Rhine", "New River"]


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        (b"", r"f.txt has no text: write one example on each line"),
        (b" \n\n\t\n", r"f.txt has no text: write one example on each line"),
        (b"\xef\xbb\xbf", r"f.txt has no text"),
        (b"Rhine\nD\xfcna\n", r"f.txt is not UTF-8 text \(line 2 has the byte 0xfc\): save it as plain text in UTF-8"),
        (b"a\r\nb\r\n\0", r"f.txt is not text \(line 3 has the character '\\x00'\): save it as plain text"),
        (b"a\x07", r"f.txt is not text \(line 1 has the character '\\x07'\)"),
    ],
)
def test_what_is_no_text_is_refused(content, pattern, tmp_path):
    path = tmp_path / "f.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=pattern):
        nn.datasets.load_lines(path)
