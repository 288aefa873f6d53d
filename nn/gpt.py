"""What is a GPT? A network that says which token comes next, and so can go on with a text.

Each token has a vector, and so has each position; their sum goes through blocks. In a block a position first looks at
those before it (`attention.py`), then its numbers go through two layers; both add to what was there. In the end a
linear map gives a number for each token that may follow, and softmax makes probabilities of them.
(Radford et al., 2019: GPT-2; with RMSNorm in place of LayerNorm, ReLU in place of GELU, and no biases.)
"""

from collections.abc import Iterable
from copy import copy
from math import isfinite
from typing import Any

from autograd import Value, no_grad, relu, softmax
from autograd.reals import as_count, as_float, shown
from nn.attention import Cache, MultiHeadAttention, SequenceModule, by_head
from nn.embedding import Embedding
from nn.init import Initialiser, normal
from nn.linear import Linear
from nn.losses import cross_entropy
from nn.module import Module, Row
from nn.normalisation import RMSNorm
from nn.own import own
from nn.randomness import Seed, random_source
from nn.tokenizer import CharTokenizer, vocabulary_of

EPS = 1e-5


@own
class Block(SequenceModule):
    """x + attention(norm(x)), then x + mlp(norm(x)): what each position gets is added to what it had.

    Arguments:
        n_embd: the length of a row; between the two layers it is four times as long.
        n_head: the number of heads.
        init, rng: for the linear maps, which have no bias.

    >>> block = Block(4, 2, rng=0)
    >>> len(block([[1.0, 0.0, 2.0, 1.0], [0.5, 1.0, 0.0, 1.0]]))
    2
    """

    def __init__(self, n_embd: int, n_head: int, *, init: str | Initialiser | None = None, rng: Seed = None) -> None:
        source = random_source(rng)
        self.norm = RMSNorm(n_embd, EPS, affine=False)
        self.attention = MultiHeadAttention(n_embd, n_head, init=init, rng=source)
        self.fc1 = Linear(n_embd, 4 * n_embd, bias=False, init=init, rng=source)
        self.fc2 = Linear(4 * n_embd, n_embd, bias=False, init=init, rng=source)

    def following(self, row: Row, cache: Cache) -> Row:
        """What the next position gets, after those whose keys and values are kept."""
        row = _sum(self.attention.following(self.norm.forward(row), cache), row)
        hidden = [relu(x) for x in self.fc1.forward(self.norm.forward(row))]
        return _sum(self.fc2.forward(hidden), row)

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return self.attention.config()

    def __repr__(self) -> str:
        return f"Block({self.attention.n_embd}, {self.attention.n_head} heads)"


def _sum(row: Row, other: Row) -> Row:
    return [x + y for x, y in zip(row, other, strict=True)]


@own
class GPT(Module):
    """A GPT over tokens. Called on T tokens it gives T rows: a number for each token that may follow.

    Arguments:
        vocabulary: a tokenizer, its characters, or the number of tokens.
        n_embd: the length of a token's vector.
        n_head, n_layer: the number of heads, and of blocks.
        block_size: the most tokens that it looks at.
        rng: a seed, or a `random.Random` to draw from; by default Python's `random`. All weights start as normal
            numbers with standard deviation 0.08.

    Raises:
        ValueError: a size is no whole number above 0, or n_embd no multiple of n_head; (when called) there are more
            than `block_size` tokens.

    >>> gpt = GPT(CharTokenizer(["Oslo", "Rome"]), n_embd=8, n_head=2, block_size=4, rng=0)
    >>> len(gpt([7, 0, 5])), len(gpt([7, 0, 5])[0])     # three positions, eight tokens
    (3, 8)
    """

    def __init__(
        self,
        vocabulary: CharTokenizer | str | int,
        n_embd: int = 16,
        n_head: int = 4,
        n_layer: int = 1,
        block_size: int = 16,
        *,
        rng: Seed = None,
    ) -> None:
        self.tokenizer, size = vocabulary_of(vocabulary)
        self.n_embd, self.n_head = as_count(n_embd, "n_embd"), as_count(n_head, "n_head")
        self.n_layer, self.block_size = as_count(n_layer, "n_layer"), as_count(block_size, "block_size")
        source, init = random_source(rng), normal(0.08)
        self.wte = Embedding(size, n_embd, rng=source, init=init)
        self.wpe = Embedding(block_size, n_embd, rng=source, init=init)
        self.lm_head = Linear(n_embd, size, bias=False, init=init, rng=source)
        self.norm = RMSNorm(n_embd, EPS, affine=False)
        self.blocks = [Block(n_embd, n_head, init=init, rng=source) for _ in range(n_layer)]

    def forward(self, row: Row) -> Row:
        """The rows for the tokens of one sequence."""
        if len(row) > self.block_size:
            at_most = f"{self!r} looks at {self.block_size} tokens at most; got {len(row)}"
            raise ValueError(f"{at_most}: cut them, as `examples` cuts texts, or take a larger block_size")
        caches = [Cache() for _ in self.blocks]
        return [self._following(token, position, caches) for position, token in enumerate(row)]

    def _following(self, token: Any, position: int, caches: list[Cache]) -> Row:
        """The row for the next token, after those whose keys and values are kept."""
        row = self.norm.forward(_sum(self.wte.forward([token]), self.wpe.forward([position])))
        for block, cache in zip(self.blocks, caches, strict=True):
            row = block.following(row, cache)
        return self.lm_head.forward(row)

    def attention_weights(self, tokens: list[int]) -> list[list[list[Row]]]:
        """For each block and each of its heads how much each position looks at those up to its own, as plain numbers.

        `nn.plot_attention` shows them.

        Raises:
            ValueError: there are no tokens, or more than `block_size`.
        """
        if not 0 < len(tokens) <= self.block_size:
            raise ValueError(f"{self!r} looks at 1 to {self.block_size} tokens; got {len(tokens)}")
        on_floats, caches = _on_floats(self), [Cache() for _ in self.blocks]
        with no_grad():
            for position, token in enumerate(tokens):
                on_floats._following(token, position, caches)
        return [by_head(cache.weights) for cache in caches]

    def loss(self, tokens: list[Any]) -> Value:
        """How surprising each next token is, in nats: the mean over the positions.

        Arguments:
            tokens: with the one that begins a text and, if it is whole, the one that ends it. At most block_size
                of them are predicted.

        >>> from autograd import compile
        >>> gpt = GPT("ab", n_embd=4, n_head=2, block_size=3, rng=0)
        >>> of_each_length = compile(lambda tokens: [gpt.loss(tokens[: n + 1]) for n in (1, 2, 3)])     # recorded once
        >>> losses = of_each_length([2, 0, 1, 2])     # the losses of the first 1, 2 and 3 guesses
        >>> from nn import Adam
        >>> optimizer = Adam(gpt.parameters(), lr=0.01)
        >>> loss = of_each_length.program.step(optimizer, [2, 0, 2, 0], output=1)     # "a", filled up to the length
        """
        if isinstance(tokens, str):
            raise TypeError(f"loss takes tokens; got {shown(tokens)}: give [bos, *tokenizer.encode(text), bos]")
        tokens = list(tokens)[: self.block_size + 1]
        if len(tokens) < 2:
            raise ValueError(f"the loss is of each next token, so it takes at least two tokens; got {len(tokens)}")
        return cross_entropy(self.forward(tokens[:-1]), tokens[1:])

    def examples(self, texts: Iterable[str]) -> tuple[list[list[int]], list[list[int]]]:
        """Texts as tokens to learn from, X, and the tokens that follow each, Y; cut to block_size.

        Raises:
            ValueError: the model has no tokenizer, or a text has an unknown character.
            TypeError: these are no texts.
        """
        if self.tokenizer is None:
            raise ValueError("the model knows tokens, but no characters: make it as GPT(CharTokenizer(texts))")
        if isinstance(texts, str):
            raise TypeError(f"examples takes a list of texts; got one text, {shown(texts)}: put it in a list")
        bos = self.tokenizer.bos
        whole = [[bos, *self.tokenizer.encode(text), bos][: self.block_size + 1] for text in texts]
        return [tokens[:-1] for tokens in whole], [tokens[1:] for tokens in whole]

    def generate(
        self, rng: Seed = None, temperature: float = 1.0, prompt: str = "", max_tokens: int | None = None
    ) -> Any:
        """Goes on with a text, token by token, until one ends it.

        Arguments:
            rng: a seed, or a `random.Random` to draw from; by default Python's `random`.
            temperature: the numbers for the tokens are divided by it: below 1 likely tokens get likelier. With 0 the
                likeliest one is always taken.
            prompt: how the text begins.
            max_tokens: at most so many tokens are added; by default as many as fit into block_size.

        Returns:
            the text, with the prompt; without a tokenizer the list of tokens.

        Raises:
            ValueError: the temperature is negative or nan; the prompt is longer than the model looks, or has an unknown
                character; the numbers of the model are not finite.
            TypeError: the prompt is no text, or without a tokenizer no list of tokens.
        """
        source, heat = random_source(rng), as_float(temperature, "temperature")
        if not heat >= 0.0:
            raise ValueError(f"temperature takes a number of at least 0; got {temperature}")
        most = self.block_size if max_tokens is None else as_count(max_tokens, "max_tokens", least=0)
        given = self._tokens_of(prompt)
        bos = self.wte.num_embeddings - 1
        tokens, caches = [bos, *given], [Cache() for _ in self.blocks]
        if len(tokens) > self.block_size:
            raise ValueError(f"the prompt has {len(given)} tokens; {self!r} goes on from at most {self.block_size - 1}")
        most = min(self.block_size, len(given) + most)
        on_floats = _on_floats(self)
        with no_grad():
            for position in range(most):
                row = on_floats._following(tokens[position], position, caches)
                if position + 1 == len(tokens):
                    token = _drawn(row, heat, source)
                    if token == bos:
                        break
                    tokens.append(token)
        return tokens[1:] if self.tokenizer is None else self.tokenizer.decode(tokens)

    def _tokens_of(self, prompt: Any) -> list[Any]:
        if self.tokenizer is not None:
            return self.tokenizer.encode(prompt)
        if prompt and not isinstance(prompt, list | tuple):
            raise TypeError(
                f"the model knows tokens, but no characters, so the prompt is a list of tokens; got {shown(prompt)} "
                f"({type(prompt).__name__}): make it as GPT(CharTokenizer(texts)) if it should go on with a text"
            )
        return list(prompt or [])

    def input_width(self, following: int | None = None) -> int | None:
        """As many tokens as it looks at."""
        return self.block_size

    def config(self) -> dict[str, Any]:
        """The arguments that build this module again, for `nn.save`."""
        return {
            "vocabulary": self.tokenizer.characters if self.tokenizer else self.wte.num_embeddings,
            "n_embd": self.n_embd, "n_head": self.n_head,
            "n_layer": self.n_layer, "block_size": self.block_size,
        }  # fmt: skip

    def __repr__(self) -> str:
        sizes = {"token": self.wte.num_embeddings, "number": self.n_embd, "head": self.n_head, "block": self.n_layer}
        shown_sizes = [f"{n} {what}" + "s" * (n != 1) for what, n in sizes.items()]
        return f"GPT({', '.join(shown_sizes)})"


def _drawn(row: Row, temperature: float, rng: Any) -> int:
    """The next token: drawn by its probability, or at temperature 0 the likeliest."""
    if not all(map(isfinite, row)):
        raise ValueError("the numbers of the model are not finite, so no token can be drawn: train it at a lower lr")
    scaled = [x / temperature for x in row] if temperature else row
    if not temperature or not all(map(isfinite, scaled)):  # so low that it is as good as 0
        return max(range(len(row)), key=row.__getitem__)
    probabilities = softmax(scaled)
    token: int = rng.choices(range(len(row)), weights=probabilities)[0]
    return token


def _on_floats(module: Any) -> Any:
    """A copy of a module that computes with plain floats."""
    new = copy(module)
    for name, item in vars(module).items():
        vars(new)[name] = _plain(item)
    return new


def _plain(item: Any) -> Any:
    if isinstance(item, Value):
        return item.data
    if isinstance(item, Module):
        return _on_floats(item)
    return [_plain(x) for x in item] if isinstance(item, list) else item
