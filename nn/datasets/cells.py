"""What do the texts in a column of a file mean?  Numbers, truth values, dates, texts or gaps."""

from collections.abc import Callable, Sequence

from nn.datasets.columns import GAP_WORDS, Column


def column_of_texts(name: str, texts: Sequence[str], where: Callable[[int], str], as_text: bool) -> Column:
    texts = [None if t.strip() in GAP_WORDS else t.strip() for t in texts]
    if not as_text:
        for kind in (int, float):
            try:
                return Column(name, "number", [None if t is None else kind(t) for t in texts])
            except ValueError:
                pass
        if {t.lower() for t in texts if t} <= {"true", "false", "yes", "no"}:
            return Column(name, "boolean", [None if t is None else t.lower() in ("true", "yes") for t in texts])
    return Column(name, "text", texts)
