"""How does a text become numbers? Each of its characters has one: its place among all that occur."""

from collections.abc import Iterable

from autograd.reals import as_count, shown


class CharTokenizer:
    """Numbers for characters.

    One more token begins and ends a text. It has no character.

    Arguments:
        texts: the texts whose characters get a token; or the characters, as one string.

    Attributes:
        characters: in order; the token of each is its place.
        bos: the token that begins and ends a text.

    Raises:
        ValueError: there is no character; (`encode`) one is unknown; (`decode`) a token is none of these.
        TypeError: a text is no text.

    >>> tokenizer = CharTokenizer(["Rome", "Oslo"])
    >>> tokenizer.encode("Rose"), tokenizer.bos, len(tokenizer)
    ([1, 5, 6, 2], 7, 8)
    >>> tokenizer.decode([1, 5, 4, 2])
    'Rome'
    """

    def __init__(self, texts: str | Iterable[str]) -> None:
        texts = list(texts)
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"a tokenizer takes texts; got {shown(text)} ({type(text).__name__}) among them")
        self.characters = "".join(sorted(set("".join(texts))))
        if not self.characters:
            raise ValueError("a tokenizer needs texts with at least one character; got none: give it the texts")
        self._tokens = {character: token for token, character in enumerate(self.characters)}
        self.bos = len(self.characters)

    def __len__(self) -> int:
        return self.bos + 1

    def encode(self, text: str) -> list[int]:
        """The token of each character."""
        if not isinstance(text, str):
            raise TypeError(f"encode takes a text; got {shown(text)} ({type(text).__name__})")
        unknown = sorted(set(text) - self._tokens.keys())
        if unknown:
            raise ValueError(
                f"the text has characters that are unknown here: {shown(''.join(unknown))}; known are "
                f"{shown(self.characters)}"
            )
        return [self._tokens[character] for character in text]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens, without those that begin and end it."""
        found = []
        for token in tokens:
            if not 0 <= token <= self.bos:
                raise ValueError(f"decode takes tokens from 0 to {self.bos}; got {shown(token)}")
            found.append(self.characters[token : token + 1])
        return "".join(found)

    def __repr__(self) -> str:
        return f"CharTokenizer({self.characters!r})"


def vocabulary_of(given: CharTokenizer | str | int) -> tuple[CharTokenizer | None, int]:
    """The tokenizer, if there is one, and the number of tokens.

    Arguments:
        given: a tokenizer, its characters, or the number of tokens.

    >>> vocabulary_of("abc"), vocabulary_of(27)
    ((CharTokenizer('abc'), 4), (None, 27))
    """
    tokenizer = CharTokenizer(given) if isinstance(given, str) else given
    if isinstance(tokenizer, CharTokenizer):
        return tokenizer, len(tokenizer)
    if not hasattr(tokenizer, "__index__"):
        what = f"got {shown(given)} ({type(given).__name__}): make one of your texts, CharTokenizer(texts)"
        raise TypeError(f"vocabulary takes a tokenizer, or the number of tokens; {what}")
    return None, as_count(tokenizer, "vocabulary")
