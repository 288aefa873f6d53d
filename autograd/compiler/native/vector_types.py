"""What does native code compute with, beside single numbers? Eight numbers at once, and tiles of eight times eight.

numba has no vectors, so they are defined here: a type, and for each thing to be done with it the instructions of LLVM.
A processor with shorter vectors gets the same in several instructions. Numbers lie behind bare pointers: an array of
numba would ask of every index whether it is negative.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic, models, overload, register_model

WIDTH = 8

intrinsic: Any = _intrinsic  # numba gives it the signature of the function that writes the instructions

_DOUBLE, _INDEX = ir.DoubleType(), ir.IntType(32)
_VECTOR, _ORDER = ir.VectorType(_DOUBLE, WIDTH), ir.VectorType(_INDEX, WIDTH)
_UNDEFINED = ir.Constant(_VECTOR, ir.Undefined)


class _Vector(types.Type):
    def __init__(self) -> None:
        super().__init__("Vector")


class _Tile(types.Type):
    def __init__(self) -> None:
        super().__init__("Tile")


class _Mask(types.Type):
    def __init__(self) -> None:
        super().__init__("Mask")


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


@register_model(_Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), WIDTH))


@register_model(_Tile)
class _TileModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.ArrayType(_VECTOR, WIDTH))


NUMBERS, WORDS = types.CPointer(types.float64), types.CPointer(types.int64)
VECTOR, TILE, MASK = _Vector(), _Tile(), _Mask()
_F, _I = types.float64, types.int64


def _instruction(result: Any, *operands: Any) -> Callable[[Callable[..., Any]], Any]:
    """Makes a function of numba from one that writes the instructions, given a builder and the operands."""

    def made(write: Callable[..., Any]) -> Any:
        def typed(typing_context: Any, *given: Any) -> Any:
            def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                written = write(builder, *arguments)
                return context.get_dummy_value() if result is types.void else written

            return result(*operands), generate

        names = ", ".join(f"x{i}" for i in range(len(operands)))  # numba wants the number of operands to be seen
        space: dict[str, Any] = {"typed": typed}
        exec(f"def {write.__name__}(context, {names}):\n    return typed(context, {names})", space)
        function = space[write.__name__]
        function.__doc__, function.__module__ = write.__doc__, __name__
        return intrinsic(function)

    return made


def _at(builder: Any, numbers: Any, place: Any) -> Any:
    """A pointer to the eight numbers from a place on."""
    return builder.bitcast(builder.gep(numbers, [place]), _VECTOR.as_pointer())


def _all(builder: Any, x: Any) -> Any:
    """Eight times one number."""
    first = builder.insert_element(_UNDEFINED, x, ir.Constant(_INDEX, 0))
    return builder.shuffle_vector(first, _UNDEFINED, ir.Constant(_ORDER, [0] * WIDTH))


def _fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v8f64"), [a, b, c])


def _tile(builder: Any, vectors: Any) -> Any:
    tile = ir.Constant(ir.ArrayType(_VECTOR, WIDTH), ir.Undefined)
    for k, vector in enumerate(vectors):
        tile = builder.insert_value(tile, vector, k)
    return tile


def _places(builder: Any, place: Any, step: Any) -> list[Any]:
    """Eight places, each a step behind the last."""
    places = [place]
    for _ in range(WIDTH - 1):
        places.append(builder.add(places[-1], step))
    return places


@intrinsic  # type: ignore[untyped-decorator]
def numbers_of(context: Any, array: Any) -> Any:
    """A bare pointer to the numbers of an array, which must be kept elsewhere."""
    pointer = NUMBERS if array.dtype is types.float64 else WORDS
    return pointer(
        array
    ), lambda context, builder, signature, arguments: context.make_array(array)(context, builder, arguments[0]).data


@_instruction(_I, WORDS, _I)
def word(builder: Any, words: Any, place: Any) -> Any:
    """The whole number at a place."""
    return builder.load(builder.gep(words, [place]))


@_instruction(types.void, WORDS, _I, _I)
def set_word(builder: Any, words: Any, place: Any, x: Any) -> Any:
    """Sets the whole number at a place."""
    builder.store(x, builder.gep(words, [place]))


@_instruction(_I, WORDS, _I)
def seen(builder: Any, words: Any, place: Any) -> Any:
    """The whole number at a place, which another thread may change."""
    return builder.load_atomic(builder.gep(words, [place]), "seq_cst", 8)


@_instruction(types.void, WORDS, _I, _I)
def show(builder: Any, words: Any, place: Any, x: Any) -> Any:
    """Sets a whole number for other threads to see, after all that was written before."""
    builder.store_atomic(x, builder.gep(words, [place]), "seq_cst", 8)


@_instruction(_I, WORDS, _I, _I)
def add_one(builder: Any, words: Any, place: Any, one: Any) -> Any:
    """Adds to a whole number that other threads may change too; returns what it was."""
    return builder.atomic_rmw("add", builder.gep(words, [place]), one, "seq_cst")


@_instruction(types.boolean, WORDS, _I, _I)
def take_ticket(builder: Any, words: Any, place: Any, ticket: Any) -> Any:
    """Counts a number up by one if it is still `ticket`; returns whether it was."""
    next_one = builder.add(ticket, ir.Constant(ir.IntType(64), 1))
    result = builder.cmpxchg(builder.gep(words, [place]), ticket, next_one, "seq_cst", "seq_cst")
    return builder.extract_value(result, 1)


@_instruction(_F, NUMBERS, _I)
def get(builder: Any, numbers: Any, place: Any) -> Any:
    """The number at a place."""
    return builder.load(builder.gep(numbers, [place]))


@_instruction(types.void, NUMBERS, _I, _F)
def put(builder: Any, numbers: Any, place: Any, x: Any) -> Any:
    """Sets the number at a place."""
    builder.store(x, builder.gep(numbers, [place]))


@_instruction(VECTOR, NUMBERS, _I)
def load(builder: Any, numbers: Any, place: Any) -> Any:
    """The eight numbers from a place on."""
    return builder.load(_at(builder, numbers, place), align=8)


@_instruction(types.void, NUMBERS, _I, VECTOR)
def store(builder: Any, numbers: Any, place: Any, vector: Any) -> Any:
    """Sets the eight numbers from a place on."""
    builder.store(vector, _at(builder, numbers, place), align=8)


@_instruction(VECTOR, _F)
def splat(builder: Any, x: Any) -> Any:
    """Eight times one number."""
    return _all(builder, x)


@_instruction(VECTOR, VECTOR, VECTOR)
def plus(builder: Any, a: Any, b: Any) -> Any:
    """a + b."""
    return builder.fadd(a, b)


@_instruction(_F, _F, _F, _F)
def fused_of_one(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c of single numbers, rounded once."""
    return builder.fma(a, b, c)


@_instruction(VECTOR, VECTOR, VECTOR, VECTOR)
def fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""
    return _fused(builder, a, b, c)


@_instruction(TILE, NUMBERS, _I, _I)
def load_tile(builder: Any, numbers: Any, place: Any, step: Any) -> Any:
    """Eight vectors, each a step behind the last."""
    return _tile(builder, [builder.load(_at(builder, numbers, p), align=8) for p in _places(builder, place, step)])


@_instruction(types.void, NUMBERS, _I, _I, TILE)
def store_tile(builder: Any, numbers: Any, place: Any, step: Any, tile: Any) -> Any:
    """Sets eight vectors, each a step behind the last."""
    for k, p in enumerate(_places(builder, place, step)):
        builder.store(builder.extract_value(tile, k), _at(builder, numbers, p), align=8)


@_instruction(TILE, NUMBERS, _I, _I)
def splat_tile(builder: Any, numbers: Any, place: Any, step: Any) -> Any:
    """Eight vectors, each of one number: they are a step apart."""
    return _tile(
        builder, [_all(builder, builder.load(builder.gep(numbers, [p]))) for p in _places(builder, place, step)]
    )


@_instruction(TILE, TILE, NUMBERS, _I, _I, VECTOR)
def plus_scaled(builder: Any, tile: Any, numbers: Any, place: Any, step: Any, vector: Any) -> Any:
    """Adds to each vector of a tile one number times a vector; the numbers are a step apart."""
    factors = [_all(builder, builder.load(builder.gep(numbers, [p]))) for p in _places(builder, place, step)]
    return _tile(builder, [_fused(builder, x, vector, builder.extract_value(tile, k)) for k, x in enumerate(factors)])


@_instruction(TILE, TILE, NUMBERS, _I, _I, VECTOR)
def plus_products(builder: Any, tile: Any, numbers: Any, place: Any, step: Any, vector: Any) -> Any:
    """Adds to each vector of a tile the products, number by number, of eight numbers and a vector."""
    rows = [builder.load(_at(builder, numbers, p), align=8) for p in _places(builder, place, step)]
    return _tile(builder, [_fused(builder, row, vector, builder.extract_value(tile, k)) for k, row in enumerate(rows)])


@_instruction(VECTOR, TILE)
def sums(builder: Any, tile: Any) -> Any:
    """The sum of the numbers of each vector: halves side by side, three times."""
    vectors = [builder.extract_value(tile, k) for k in range(WIDTH)]
    for span in (1, 2, 4):
        first = [
            k
            for base in range(0, WIDTH, 2 * span)
            for k in (*range(base, base + span), *range(base + WIDTH, base + WIDTH + span))
        ]
        other = [k + span for k in first]
        vectors = [
            builder.fadd(
                builder.shuffle_vector(a, b, ir.Constant(_ORDER, first)),
                builder.shuffle_vector(a, b, ir.Constant(_ORDER, other)),
            )
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    return vectors[0]


@_instruction(_F, VECTOR)
def total(builder: Any, vector: Any) -> Any:
    """The sum of eight numbers."""
    numbers = [builder.extract_element(vector, ir.Constant(_INDEX, k)) for k in range(WIDTH)]
    while len(numbers) > 1:
        numbers = [builder.fadd(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    return numbers[0]


@_instruction(TILE, _F)
def filled(builder: Any, x: Any) -> Any:
    """A tile of one number."""
    return _tile(builder, [_all(builder, x)] * WIDTH)


@_instruction(VECTOR, MASK, VECTOR, VECTOR)
def choose(builder: Any, mask: Any, a: Any, b: Any) -> Any:
    """a where the mask says so, otherwise b."""
    return builder.select(mask, a, b)


@_instruction(VECTOR, VECTOR)
def power_of_two(builder: Any, x: Any) -> Any:
    """2 raised to whole numbers from -1022 to 1023: they are moved to where the exponent is."""
    whole = ir.VectorType(ir.IntType(64), WIDTH)
    moved = builder.fadd(x, ir.Constant(_VECTOR, [1.5 * 2.0**52] * WIDTH))  # now they are the last bits
    bits = builder.shl(builder.bitcast(moved, whole), ir.Constant(whole, [52] * WIDTH))
    return builder.bitcast(builder.add(bits, ir.Constant(whole, [1023 << 52] * WIDTH)), _VECTOR)


@_instruction(_F, VECTOR, _I)
def lane(builder: Any, vector: Any, k: Any) -> Any:
    """One of eight numbers."""
    return builder.extract_element(vector, builder.trunc(k, _INDEX))


@_instruction(VECTOR, VECTOR, _I, _F)
def with_lane(builder: Any, vector: Any, k: Any, x: Any) -> Any:
    """The vector with another number in one place."""
    return builder.insert_element(vector, x, builder.trunc(k, _INDEX))


@njit(error_model="numpy")
def place(words: Any, operand: int, lanes: int, i: int) -> Any:
    """Where an operand lies in lane i, and whether it has lanes; its three words (see `kernels`) say so."""
    has_lanes = word(words, operand + 2) & 1
    return word(words, operand) + word(words, operand + 1) * lanes + i * has_lanes, has_lanes


@njit(error_model="numpy")
def number(numbers: Any, words: Any, operand: int, lanes: int, i: int) -> Any:
    """The number of an operand in lane i."""
    return get(numbers, place(words, operand, lanes, i)[0])


@njit(error_model="numpy")
def eight(numbers: Any, words: Any, operand: int, lanes: int, i: int) -> Any:
    """The numbers of an operand in eight lanes from i on."""
    at, has_lanes = place(words, operand, lanes, i)
    return load(numbers, at) if has_lanes else splat(get(numbers, at))


# Operators


def _operator(symbol: Callable[..., Any], result: Any, write: Callable[..., Any]) -> None:
    """Defines an operator between vectors, and between vectors and numbers."""
    write.__name__ = symbol.__name__
    of_vectors = _instruction(result, VECTOR, VECTOR)(write)

    @overload(symbol)
    def _(a, b):  # type: ignore[no-untyped-def]
        number = types.Float | types.Integer
        if a is VECTOR and b is VECTOR:
            return lambda a, b: of_vectors(a, b)
        if a is VECTOR and isinstance(b, number):
            return lambda a, b: of_vectors(a, splat(float(b)))
        if b is VECTOR and isinstance(a, number):
            return lambda a, b: of_vectors(splat(float(a)), b)
        return None


_operator(operator.add, VECTOR, lambda builder, a, b: builder.fadd(a, b))
_operator(operator.sub, VECTOR, lambda builder, a, b: builder.fsub(a, b))
_operator(operator.mul, VECTOR, lambda builder, a, b: builder.fmul(a, b))
_operator(operator.truediv, VECTOR, lambda builder, a, b: builder.fdiv(a, b))
_operator(operator.lt, MASK, lambda builder, a, b: builder.fcmp_ordered("<", a, b))
_operator(operator.le, MASK, lambda builder, a, b: builder.fcmp_ordered("<=", a, b))
_operator(operator.gt, MASK, lambda builder, a, b: builder.fcmp_ordered(">", a, b))
_operator(operator.ge, MASK, lambda builder, a, b: builder.fcmp_ordered(">=", a, b))


@overload(operator.neg)
def _(a):  # type: ignore[no-untyped-def]
    return (lambda a: -0.0 - a) if a is VECTOR else None
