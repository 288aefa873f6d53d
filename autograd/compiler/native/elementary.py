"""What are the elementary functions of native code? The namespace that rules take, over terms.

Those that training needs are in `vector_functions.py`, for whole vectors at once. The others are C's, called for each
number of a vector. All follow IEEE 754, and none raises. Rows (see `autograd/rows.py`) are loops over scratch memory.
"""

from collections.abc import Callable, Sequence
from typing import Any

from autograd import symbols
from autograd.compiler.native import vector_functions
from autograd.compiler.native.tables import MOST_ROWS
from autograd.compiler.native.terms import Code, Pointer, Term, Variable
from autograd.compiler.native.translation import call, call_apart
from autograd.ieee754 import ELEMENTARY


class Row:
    """A row of vectors, or of tuples of them, in scratch memory.

    Arguments:
        code: gets the instructions.
        scratch: the memory, and the most vectors in a row there.
        parts: which rows of the memory it is: one, or one for each number of a tuple.
        count: how many vectors, or tuples of them, it has.
    """

    def __init__(self, code: Code, scratch: Any, parts: Sequence[int], count: Term, is_tuple: bool = False) -> None:
        self.code, self._scratch, self.parts, self.count, self.is_tuple = code, scratch, parts, count, is_tuple

    def __getitem__(self, j: Any) -> Any:
        if isinstance(j, slice):  # [:-1]
            return Row(self.code, self._scratch, self.parts, self.count + j.stop, self.is_tuple)
        place = self.count + j if isinstance(j, int) and j < 0 else j
        found = [self._load(part, place) for part in self.parts]
        return tuple(found) if self.is_tuple else found[0]

    def set(self, j: Any, x: Any) -> None:
        """Sets what is at a place."""
        for part, one in zip(self.parts, x if self.is_tuple else (x,), strict=True):
            self.code.builder.store(self.code.splat(one).value, self._place(part, j).value, align=8)

    def _load(self, part: int, j: Any) -> Term:
        return self.code.term(self.code.builder.load(self._place(part, j).value, typ=self.code.vector, align=8))

    def _place(self, part: int, j: Any) -> Pointer:
        numbers, most = self._scratch
        place: Pointer = numbers.at((most * part + self.code.whole(j)) * self.code.processor.width)
        return place


class Elementary:
    """The namespace for the rules of one function that is being written.

    Arguments:
        code: gets the instructions.
        scratch: memory for rows, if the rule takes any number of operands.
        most: the most numbers in a row, if there are rows.
    """

    def __init__(self, code: Code, scratch: Pointer | None = None, most: Term | None = None) -> None:
        self.code, self._scratch, self._most = code, scratch, most
        self._used = 0
        for name in ELEMENTARY:
            if not hasattr(self, name):
                setattr(self, name, self._function(name))
        code.functions = {"floordiv": self._floor_divide, "mod": self._remainder}

    def _function(self, name: str) -> Callable[..., Any]:
        for_vectors = vector_functions.NAMED.get(name)

        def apply(*xs: Any) -> Any:
            # A single number takes C's function, which is faster then: an irregular graph of one example takes 314 us
            # and not 381.
            if for_vectors is None or not any(map(self.code.is_vector, xs)):
                return call(self.code, vector_functions.outside, name, *xs)
            return self._of_vectors(name, for_vectors, *xs)

        return apply

    def _of_vectors(self, name: str, function: Any, *xs: Any) -> Any:
        """A function of vectors; of single numbers it is the same one, so that the number of lanes changes no bit."""
        alone = not any(self.code.is_vector(x) for x in xs)
        result = call_apart(self.code, f"{name}_of_vectors", function, *xs, rare=alone)
        return self.code.first(result) if alone else result

    def sqrt(self, x: Any) -> Any:
        """The square root."""
        return self.code.intrinsic("llvm.sqrt", self.code.number(x))

    def floor(self, x: Any) -> Any:
        """The largest whole number up to x."""
        return self.code.intrinsic("llvm.floor", self.code.number(x))

    def ceil(self, x: Any) -> Any:
        """The smallest whole number from x on."""
        return self.code.intrinsic("llvm.ceil", self.code.number(x))

    def round(self, x: Any) -> Any:
        """The nearest whole number, of two the even one."""
        return self.code.intrinsic("llvm.rint", self.code.number(x))

    def _floor_divide(self, x: Any, y: Any) -> Any:
        return self._of_vectors("floor_divide", vector_functions.floor_divide, x, y)

    def _remainder(self, x: Any, y: Any) -> Any:
        return self._of_vectors("remainder", vector_functions.remainder, x, y)

    def select(self, condition: Any, yes: Any, no: Any) -> Any:
        """One of two numbers, or of two tuples of them, by the answer to a question."""
        if isinstance(yes, tuple):
            return tuple(self.select(condition, a, b) for a, b in zip(yes, no, strict=True))
        return self.code.select(condition, yes, no)

    def part(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that decides by numbers: both sides are computed, place by place."""

        def written(*arguments: Any) -> Any:
            flat, shape = symbols.flattened(arguments)
            traced = next((x for x in flat if isinstance(x, symbols.Expression)), None)
            if traced is not None:  # inside another part
                return traced.tracing.namespace.part(function)(*arguments)
            expressions, is_tuple = symbols.traced_part(function, shape)
            results = symbols.evaluate(expressions, flat, m=self, number=float)
            return tuple(results) if is_tuple else results[0]

        return written

    # Rows

    def map(self, f: Callable[..., Any], *rows: Any) -> Row:
        """The row of f(x, y, ...)."""
        result: Row | None = None
        with self.code.counting(0, rows[0].count) as (j, _):
            x = f(*(row[j] for row in rows))
            result = result or self._new(rows[0], x)
            result.set(j, x)
        assert result is not None
        return result

    def fold(self, f: Callable[..., Any], start: Any, *rows: Row) -> Any:
        """The last of the states that begin with `start`."""
        state, is_tuple = self._state(start)
        with self.code.counting(0, rows[0].count) as (j, _):
            self._move(state, is_tuple, f, *(row[j] for row in rows))
        return _now(state, is_tuple)

    def accumulate(self, f: Callable[..., Any], start: Any, row: Row, reverse: bool = False) -> Row:
        """The states before each place."""
        state, is_tuple = self._state(start)
        result = self._new(row, start)
        with self.code.counting(0, row.count) as (i, _):
            j = row.count - 1 - i if reverse else i
            result.set(j, _now(state, is_tuple))
            self._move(state, is_tuple, f, row[j])
        return result

    def places(self, row: Row) -> Any:
        """The row 0, 1, 2, ..."""
        return _Computed(row.count, self.code.splat)

    def count(self, row: Row) -> Any:
        """How many numbers the row holds."""
        return self.code.splat(row.count)

    def same(self, number: Any, row: Row) -> Any:
        """The row that holds this number at each place."""
        return _Computed(row.count, lambda j: number)

    def branch(self, condition: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
        """yes() or no(), by the answer to a question in each place of a vector: both are computed."""
        if not isinstance(condition, Term):
            return yes() if condition else no()
        a, b = yes(), no()
        if not isinstance(a, Row | _Computed):
            return self.code.select(condition, a, b)
        return self.map(lambda x, y: self.code.select(condition, x, y), a, b)

    def sum(self, numbers: Any) -> Any:
        """The sum, with twice the digits on the way."""
        row = self._as_row(numbers)
        return call(self.code, vector_functions.accurate_sum, row, row.count)

    def norm(self, numbers: Any) -> Any:
        """The square root of the sum of squares."""
        row = self._as_row(numbers)
        return call(self.code, vector_functions.norm, row, row.count)

    def _as_row(self, numbers: Any) -> Any:
        """Numbers that are known one by one, as a row in memory."""
        if not isinstance(numbers, list):
            return numbers
        row = Row(self.code, (self.code.room(len(numbers)), 0), [0], self.code.whole(len(numbers)))
        for j, x in enumerate(numbers):
            row.set(j, x)
        return row

    def at(self, row: Row, index: Any) -> Any:
        """The number at an index, which may differ from place to place of the vector."""
        choose = self._chooser(row, index)
        return self.fold(lambda found, x, j: choose(j, x, found), row[0], row, self.places(row))

    def put(self, row: Row, index: Any, number: Any) -> Any:
        """The row with another number at an index. It is chosen wherever the row is read."""
        choose = self._chooser(row, index)
        return _Computed(row.count, lambda j: choose(self.code.splat(j), number, row[j]))

    def _chooser(self, row: Row, index: Any) -> Callable[[Any, Any, Any], Any]:
        """A function of a place and two numbers: one for the place that the index means, one for all others."""
        index = self.code.splat(index)
        place = self.code.select(index < 0.0, index + self.count(row), index)
        return lambda j, there, elsewhere: self.code.select(place == j, there, elsewhere)

    def _new(self, like: Any, x: Any) -> Row:
        """A new row of the same length, with room for what is like x."""
        is_tuple = isinstance(x, tuple)
        first, self._used = self._used, self._used + (len(x) if is_tuple else 1)
        assert self._used <= MOST_ROWS
        return Row(self.code, (self._scratch, self._most), range(first, self._used), like.count, is_tuple)

    def row_of(self, count: Term) -> Row:
        """A new row, to be filled."""
        return self._new(_Computed(count, self.code.splat), 0.0)

    def _state(self, start: Any) -> tuple[list[Variable], bool]:
        parts = start if isinstance(start, tuple) else (start,)
        return [Variable(self.code, self.code.splat(x)) for x in parts], isinstance(start, tuple)

    def _move(self, state: list[Variable], is_tuple: bool, f: Callable[..., Any], *numbers: Any) -> None:
        new = f(_now(state, is_tuple), *numbers)
        for variable, x in zip(state, new if is_tuple else (new,), strict=True):
            variable.set(x)


class _Computed:
    """A row whose numbers are computed from their places."""

    def __init__(self, count: Term, at: Callable[[Any], Any]) -> None:
        self.count, self._at = count, at

    def __getitem__(self, j: Any) -> Any:
        return self._at(j)


def _now(state: list[Variable], is_tuple: bool) -> Any:
    return tuple(x.get() for x in state) if is_tuple else state[0].get()
