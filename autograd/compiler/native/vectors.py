"""What does native code compute with, beside single numbers? Vectors, which it loads, stores and adds up.

The classes here are for those who read or check native functions. None of them is ever made.
"""

from typing import Any, Protocol

from llvmlite import ir

from autograd.compiler.native.terms import ADDRESS, BIT, FLOAT, INT, SHORT, Code, Pointer, Term, Variables
from autograd.compiler.native.translation import native, writes

Vector = Any
"""As many numbers as a register of the processor holds, or a mask of as many answers."""


class Numbers(Protocol):
    """The address of numbers."""

    def __getitem__(self, i: int) -> float: ...
    def __setitem__(self, i: int, x: float) -> None: ...
    def __add__(self, i: int) -> "Numbers": ...


class Words(Protocol):
    """The address of whole numbers."""

    def __getitem__(self, i: int) -> int: ...
    def __setitem__(self, i: int, x: int) -> None: ...
    def __add__(self, i: int) -> "Words": ...


@writes
def width(code: Code) -> int:
    """How many numbers a vector has."""
    return code.processor.width


@writes
def splat(code: Code, x: float) -> Vector:
    """A vector with one number in every place."""
    return code.splat(x)


@writes
def load(code: Code, numbers: Numbers, i: int) -> Vector:
    """The vector that begins with the i-th number."""
    place: Any = numbers + i
    return code.term(code.builder.load(place.value, typ=code.vector, align=8))


@writes
def store(code: Code, numbers: Numbers, i: int, x: Vector) -> None:
    """Sets the vector that begins with the i-th number."""
    place: Any = numbers + i
    code.builder.store(code.splat(x).value, place.value, align=8)


@writes
def variables(code: Code, first: list[Any]) -> Any:
    """Vectors that change, kept in registers: a list whose items can be set."""
    return Variables(code, first)


@writes
def fused(code: Code, a: Any, b: Any, c: Any) -> Any:
    """a * b + c; rounded once, where the processor has an instruction for it."""
    if not code.processor.fused:
        return a * b + c
    return exactly_fused.writes(code, a, b, c)  # type: ignore[attr-defined]


@writes
def exactly_fused(code: Code, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""
    kind = code.vector if any(isinstance(x, Term) and x.type == code.vector for x in (a, b, c)) else FLOAT
    return code.intrinsic("llvm.fma", *(code.as_type(x, kind) for x in (a, b, c)))


@writes
def choose(code: Code, condition: Any, yes: Any, no: Any) -> Any:
    """One of two numbers by the answer to a question, place by place."""
    return code.select(condition, yes, no)


@writes
def square_root(code: Code, x: Any) -> Any:
    """The square root."""
    return code.intrinsic("llvm.sqrt", code.number(x))


@writes
def floor(code: Code, x: Any) -> Any:
    """The largest whole number up to x."""
    return code.intrinsic("llvm.floor", x)


@writes
def absolute(code: Code, x: Any) -> Any:
    """The number without its sign."""
    return code.intrinsic("llvm.fabs", x)


def _shuffled(code: Code, a: Term, b: Term, places: list[int]) -> Term:
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
    return code.term(code.builder.shuffle_vector(a.value, b.value, mask))


@writes
def totals(code: Code, vectors: list[Any]) -> Vector:
    """The sum of each of the vectors, as many as a vector has places: neighbours are added up again and again."""
    found, n = list(vectors), code.processor.width
    even, odd = list(range(0, 2 * n, 2)), list(range(1, 2 * n, 2))
    while len(found) > 1:
        pairs = zip(found[::2], found[1::2], strict=True)
        found = [_shuffled(code, a, b, even) + _shuffled(code, a, b, odd) for a, b in pairs]
    return found[0]


@writes
def transposed(code: Code, rows: list[Any]) -> list[Any]:
    """The columns of as many vectors as a vector has places: halves are interleaved again and again."""
    n = code.processor.width
    low = [k // 2 + n * (k % 2) for k in range(n)]
    high = [n // 2 + k for k in low]
    found = list(rows)
    for _ in range(n.bit_length() - 1):
        pairs = list(zip(found[: n // 2], found[n // 2 :], strict=True))
        found = [_shuffled(code, a, b, places) for a, b in pairs for places in (low, high)]
    return found


@writes
def up_to(code: Code, n: int) -> range:
    """0, 1, ... n - 1, known while code is written."""
    return range(n)


@writes
def total(code: Code, vector: Any) -> float:
    """The sum of the numbers of a vector: halves side by side, until one number is left."""
    x, n = vector, code.processor.width
    while n > 1:
        n //= 2
        undefined = code.term(ir.Constant(x.type, ir.Undefined))
        low, high = list(range(n)), list(range(n, 2 * n))
        x = _shuffled(code, x, undefined, low) + _shuffled(code, x, undefined, high)
    return code.term(code.builder.extract_element(x.value, ir.IntType(32)(0)))  # type: ignore[return-value]


@writes
def first_of(code: Code, vector: Any) -> float:
    """The first number of a vector."""
    return code.term(code.builder.extract_element(vector.value, ir.IntType(32)(0)))  # type: ignore[return-value]


@writes
def any_of(code: Code, mask: Any) -> bool:
    """Whether the answer is yes in any place of a mask."""
    name = f"llvm.vector.reduce.or.v{code.processor.width}i1"
    return code.intrinsic_named(name, BIT, mask)  # type: ignore[return-value]


@writes
def first_places(code: Code, count: int) -> Vector:
    """A mask of the first places of a vector."""
    places = ir.VectorType(INT, code.processor.width)
    numbers = ir.Constant(places, list(range(code.processor.width)))
    one = code.builder.insert_element(ir.Constant(places, ir.Undefined), code.whole(count).value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), code.processor.width), [0] * code.processor.width)
    every = code.builder.shuffle_vector(one, ir.Constant(places, ir.Undefined), zeros)
    return code.term(code.builder.icmp_signed("<", numbers, every))


@writes
def power_of_two(code: Code, n: Any) -> Any:
    """2 raised to whole numbers from -1022 to 1023: they are moved to where the exponent is."""
    ints = INT if n.type == FLOAT else ir.VectorType(INT, code.processor.width)
    # Adding 1.5 * 2**52 + 1023 leaves n + 1023 in the lowest bits.
    moved = n + (1.5 * 2.0**52 + 1023.0)
    bits = code.builder.shl(code.builder.bitcast(moved.value, ints), _same(ints, 52, code.processor.width))
    return code.term(code.builder.bitcast(bits, n.type))


@writes
def scaled(code: Code, x: Any, n: Any) -> Any:
    """x times 2 raised to whole numbers, rounded once, even where that is subnormal or infinite."""
    if code.processor.width == 8:  # one instruction of AVX-512
        mask, rounding = code.term(ir.IntType(8)(-1)), code.term(ir.IntType(32)(4))
        return code.intrinsic_named("llvm.x86.avx512.mask.scalef.pd.512", code.vector, x, n, x, mask, rounding)
    # In two steps, since 2**n may be out of range where the result is not. A sum with 1.5 * 2**52 is rounded to a
    # whole number, which stands in its lowest bits.
    half = (n * 0.5 + ROUND) - ROUND
    return x * power_of_two.writes(code, half) * power_of_two.writes(code, n - half)  # type: ignore[attr-defined]


ROUND = 1.5 * 2.0**52


def _same(kind: Any, number: int, count: int) -> Any:
    return ir.Constant(kind, number if kind == INT else [number] * count)


@writes
def bits_of(code: Code, x: Any) -> Any:
    """The bits of numbers, as whole numbers."""
    return code.term(code.builder.bitcast(x.value, _ints(code, x)))


@writes
def from_bits(code: Code, x: Any) -> Any:
    """The numbers that have these bits."""
    return code.term(code.builder.bitcast(x.value, FLOAT if x.type == INT else code.vector))


@writes
def number_of_bits(code: Code, x: Any) -> Any:
    """Whole numbers, as numbers with fractions."""
    return code.term(code.builder.sitofp(x.value, FLOAT if x.type == INT else code.vector))


def _ints(code: Code, x: Any) -> Any:
    return INT if x.type == FLOAT else ir.VectorType(INT, code.processor.width)


@writes
def whole(code: Code, x: Any, like: Any) -> Any:
    """A whole number in every place, where `like` has whole numbers."""
    return code.term(_same(like.type, x, code.processor.width))


@writes
def shifted_left(code: Code, x: Any, places: int) -> Any:
    """Whole numbers, their bits moved towards the highest one."""
    return code.term(code.builder.shl(x.value, _same(x.type, places, code.processor.width)))


@writes
def shifted_right(code: Code, x: Any, places: int) -> Any:
    """Whole numbers, their bits moved towards the lowest one."""
    return code.term(code.builder.lshr(x.value, _same(x.type, places, code.processor.width)))


@writes
def numbers_at(code: Code, address: int) -> Any:
    """The numbers at an address."""
    return Pointer(code, code.builder.inttoptr(code.whole(address).value, ADDRESS), FLOAT)


@writes
def words_at(code: Code, address: int) -> Any:
    """The whole numbers at an address."""
    return Pointer(code, code.builder.inttoptr(code.whole(address).value, ADDRESS), INT)


@writes
def short_words_at(code: Code, address: int) -> Any:
    """The whole numbers of 32 bits at an address."""
    return Pointer(code, code.builder.inttoptr(code.whole(address).value, ADDRESS), SHORT)


@writes
def call_kernel(code: Code, address: int, *arguments: Any) -> None:
    """Calls the function at an address."""
    values = [x.value if isinstance(x, Pointer) else code.whole(x).value for x in arguments]
    kind = ir.FunctionType(ir.VoidType(), [x.type for x in values])
    code.builder.call(code.builder.inttoptr(code.whole(address).value, kind.as_pointer()), values)


@native
def call_groups(
    groups: Words, count: int, M: Numbers, A: Numbers, S: Numbers, words: Words, status: Words, lanes: int, way: int
) -> None:
    """Calls the kernels of groups in order: for each its address, its first word, and how many instructions it has."""
    for g in range(0, 3 * count, 3):
        call_kernel(groups[g], M, A, S, words, status, groups[g + 1], groups[g + 2], lanes, way)


# What several threads see


@writes
def seen(code: Code, words: Words, i: int) -> int:
    """The whole number at a place, which another thread may change."""
    place: Any = words + i
    return code.term(code.builder.load_atomic(place.value, "acquire", 8, typ=INT))  # type: ignore[return-value]


@writes
def show(code: Code, words: Words, i: int, number: int) -> None:
    """Sets a whole number for other threads to see, after all that was written before."""
    code.builder.store_atomic(code.whole(number).value, _typed(code, words, i), "release", 8)


@writes
def add_one(code: Code, words: Words, i: int, number: int) -> int:
    """Adds to a whole number that other threads may change too; returns what it was."""
    place = _typed(code, words, i)
    return code.term(code.builder.atomic_rmw("add", place, code.whole(number).value, "acq_rel"))  # type: ignore[return-value]


@writes
def take_ticket(code: Code, words: Words, i: int, ticket: int) -> bool:
    """Counts a number up by one if it is still `ticket`; returns whether it was."""
    before = code.whole(ticket)
    after: Any = before + 1
    pair = code.builder.cmpxchg(_typed(code, words, i), before.value, after.value, "acq_rel", "acquire")
    return code.term(code.builder.extract_value(pair, 1))  # type: ignore[return-value]


def _typed(code: Code, words: Words, i: int) -> Any:
    """The address of a whole number, in the form in which llvmlite wants it for what threads share."""
    place: Any = words + i
    return code.builder.inttoptr(code.builder.ptrtoint(place.value, INT), INT.as_pointer())


# Numbers in rows


@native
def copy(target: Numbers, source: Numbers, n: int) -> None:
    """Copies n numbers."""
    whole_vectors = n - n % width()
    for i in range(0, whole_vectors, width()):
        store(target, i, load(source, i))
    for i in range(whole_vectors, n):
        target[i] = source[i]


@native
def clear(numbers: Numbers, n: int) -> None:
    """Sets n numbers to 0."""
    whole_vectors = n - n % width()
    for i in range(0, whole_vectors, width()):
        store(numbers, i, 0.0)
    for i in range(whole_vectors, n):
        numbers[i] = 0.0


@native
def store_some(numbers: Numbers, i: int, x: Vector, count: int) -> None:
    """Sets the numbers from the i-th on, but no more than `count` of them."""
    if count >= width():
        store(numbers, i, x)
    else:
        store(numbers, i, choose(first_places(count), x, load(numbers, i)))
