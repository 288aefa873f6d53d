"""How does native code draw the random numbers that Python's `random` would draw? By the same generator.

The Mersenne Twister of Matsumoto and Nishimura ("Mersenne Twister: A 623-dimensionally equidistributed uniform
pseudo-random number generator", 1998), as Python uses it: 53 bits for `random()`. A whole number below n takes as many
bits as n has, drawn again until they are below n. The state of a generator is 625 numbers of 32 bits: how many words
have been used, then the 624 words.
"""

from functools import partial
from typing import Any

from autograd.compiler.native.generators import SIZE
from autograd.compiler.native.terms import ADDRESS, FLOAT, INT, SHORT, Code, Pointer
from autograd.compiler.native.translation import native, write_function
from autograd.compiler.native.vectors import Numbers, Words, short_words_at

SHIFT = 397
LOWEST_32 = 0xFFFFFFFF


@native
def mix(words: Words, place: int, following: int, other: int) -> None:
    """One of the next words, from three of the last ones."""
    bits = (words[place] & 0x80000000) | (words[following] & 0x7FFFFFFF)
    mixed = words[other] ^ (bits >> 1)
    words[place] = mixed ^ 0x9908B0DF if bits & 1 else mixed


@native
def next_word(state: Words) -> int:
    """The next 32 random bits."""
    words = state + 1
    if state[0] >= SIZE:
        for k in range(SIZE - SHIFT):
            mix(words, k, k + 1, k + SHIFT)
        for k in range(SIZE - SHIFT, SIZE - 1):
            mix(words, k, k + 1, k + SHIFT - SIZE)
        mix(words, SIZE - 1, 0, SHIFT - 1)
        state[0] = 0
    word = words[state[0]]
    state[0] += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C5680
    word ^= (word << 15) & 0xEFC60000
    return (word ^ (word >> 18)) & LOWEST_32


@native
def shuffle(state: Words, numbers: Words, count: int) -> None:
    """Shuffles as `random.shuffle` does."""
    n, bits = count, 0
    while count >> bits:
        bits += 1
    while n > 1:
        j = next_word(state) >> (32 - bits)
        is_below = j < n
        # A word that is drawn in vain swaps a number with itself: nobody can guess a branch (16 us for 1,797, now 11).
        other = j if is_below else n - 1
        before = numbers[n - 1]
        numbers[n - 1] = numbers[other]
        numbers[other] = before
        n -= is_below
        bits -= (n >> (bits - 1)) == 0


@native
def choose_all(
    states: Words, generators: Words, probabilities: Numbers, counts: Words, layers: int, ends: Words, batches: int,
    choices: Numbers, columns: int,
) -> None:  # fmt: skip
    """Random choices: 0.0 where `random()` is below a probability, otherwise 1.0.

    Arguments:
        states: the addresses of those of the generators.
        generators, probabilities, counts: for each of the layers that draw.
        ends: where each batch ends: the layers take turns, each for all examples of a batch.
        choices: for the choices, a row of so many columns for each example.
    """
    start = 0
    for batch in range(batches):
        end = ends[batch]
        column = 0
        for layer in range(layers):
            state = short_words_at(states[generators[layer]])
            for i in range(start, end):
                for k in range(column, column + counts[layer]):
                    high = next_word(state) >> 5
                    low = next_word(state) >> 6
                    number = (high * 67108864.0 + low) / 9007199254740992.0
                    choices[i * columns + k] = 1.0 if number >= probabilities[layer] else 0.0
            column += counts[layer]
        start = end


def write_random_numbers(code: Code) -> None:
    """Writes `shuffle` and `choose_all`, each a function of addresses of numbers, addresses of words, and numbers."""
    for name, function, kinds in (
        ("shuffle", shuffle, [SHORT, INT, None]),
        ("choose_all", choose_all, [INT, INT, FLOAT, INT, None, INT, None, FLOAT, None]),
    ):
        types = [INT if kind is None else ADDRESS for kind in kinds]
        write_function(code, name, function, types, partial(_wrapped, code, kinds))


def _wrapped(code: Code, kinds: list[Any], *arguments: Any) -> list[Any]:
    """The terms for arguments: numbers where the kind is None, otherwise addresses."""
    pairs = zip(arguments, kinds, strict=True)
    return [code.term(x) if kind is None else Pointer(code, x, kind) for x, kind in pairs]
