"""How does native code draw the random numbers that Python's `random` would draw? By the same generator.

The Mersenne Twister of Matsumoto and Nishimura ("Mersenne Twister: A 623-dimensionally equidistributed uniform
pseudo-random number generator", 1998), as Python uses it: 53 bits for `random()`. A whole number below n takes as many
bits as n has, drawn again until they are below n. The state of a generator is what `getstate()` returns: 624 words, and
how many of them have been used. This file is kept and compiled in the cache folder, beside the kernels.
"""

from typing import Any

from numba import njit, types, void

_SIZE, _SHIFT = 624, 397
_STATE, _STATES = types.uint32[::1], types.uint32[:, ::1]


@njit
def _next(state: Any) -> Any:
    """The next 32 random bits."""
    if state[_SIZE] >= _SIZE:
        for k in range(_SIZE):
            bits = (state[k] & types.uint32(0x80000000)) | (state[(k + 1) % _SIZE] & types.uint32(0x7FFFFFFF))
            mixed = state[(k + _SHIFT) % _SIZE] ^ (bits >> types.uint32(1))
            state[k] = mixed ^ types.uint32(0x9908B0DF) if bits & types.uint32(1) else mixed
        state[_SIZE] = 0
    bits = state[state[_SIZE]]
    state[_SIZE] += types.uint32(1)
    bits ^= bits >> types.uint32(11)
    bits ^= (bits << types.uint32(7)) & types.uint32(0x9D2C5680)
    bits ^= (bits << types.uint32(15)) & types.uint32(0xEFC60000)
    return types.uint32(bits ^ (bits >> types.uint32(18)))


@njit(cache=True, nogil=True)
def shuffle(state: Any, numbers: Any) -> None:
    """Shuffles as `random.shuffle` does."""
    for i in range(len(numbers) - 1, 0, -1):
        bits = 0
        while (i + 1) >> bits:
            bits += 1
        j = i + 1
        while j > i:
            j = types.int64(_next(state)) >> (32 - bits)
        numbers[i], numbers[j] = numbers[j], numbers[i]


@njit(cache=True, nogil=True)
def choose(states: Any, generators: Any, probabilities: Any, counts: Any, ends: Any, choices: Any) -> None:
    """Random choices: 0.0 where `random()` is below a probability, otherwise 1.0.

    Arguments:
        states: of the generators, a row each.
        generators, probabilities, counts: for each layer that draws.
        ends: where each batch ends: the layers take turns, each for all examples of a batch.
        choices: for the choices, a row for each example.
    """
    start = 0
    for end in ends:
        column = 0
        for layer in range(len(counts)):
            state = states[generators[layer]]
            for i in range(start, end):
                for k in range(column, column + counts[layer]):
                    high, low = _next(state) >> types.uint32(5), _next(state) >> types.uint32(6)
                    number = (high * 67108864.0 + low) / 9007199254740992.0
                    choices[i, k] = 1.0 if number >= probabilities[layer] else 0.0
            column += counts[layer]
        start = end


SIGNATURES = {
    "shuffle": void(_STATE, types.int64[::1]),
    "choose": void(
        _STATES, types.int64[::1], types.float64[::1], types.int64[::1], types.int64[::1], types.float64[:, ::1]
    ),
}
