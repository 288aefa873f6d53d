"""What stands for a number while native code is being written? A term, which writes down what is done to it.

`Code` is the text that is being written: LLVM's intermediate representation, one function after the other. A `Term` is
a number, a vector of numbers, or an address in it. Python's operators on terms write instructions.
"""

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from autograd.compiler.native.processor import Processor

INT, FLOAT, BIT = ir.IntType(64), ir.DoubleType(), ir.IntType(1)
SHORT = ir.IntType(32)  # in memory alone: what is read is a number of 64 bits
ADDRESS = ir.PointerType()


class Term:
    """A number, a vector or a mask in native code."""

    __slots__ = ("code", "value")
    # Python's operators, which are set below.
    __add__: Any
    __sub__: Any
    __mul__: Any
    __and__: Any
    __or__: Any
    __lt__: Any
    __radd__: Any
    __rsub__: Any

    def __init__(self, code: "Code", value: Any) -> None:
        self.code, self.value = code, value

    @property
    def type(self) -> Any:
        """LLVM's type of it."""
        return self.value.type

    def __bool__(self) -> bool:
        raise TypeError("a number of native code is not known while the code is written: choose with select")

    def __neg__(self) -> "Term":
        builder = self.code.builder
        return self.code.term(builder.neg(self.value) if self.type == INT else builder.fneg(self.value))

    def __abs__(self) -> "Term":
        return self.code.intrinsic("llvm.fabs", self)

    def __invert__(self) -> "Term":
        return self.code.term(self.code.builder.not_(self.value))

    __hash__ = object.__hash__


_ARITHMETIC = {"add": ("add", "fadd"), "sub": ("sub", "fsub"), "mul": ("mul", "fmul"), "truediv": ("sdiv", "fdiv")}
_BITS = {"and": "and_", "or": "or_", "xor": "xor", "lshift": "shl", "rshift": "lshr"}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


def _arithmetic(name: str) -> Callable[[Any, Any], Any]:
    for_ints, for_floats = _ARITHMETIC[name]

    def compute(x: Any, y: Any) -> Any:
        code: Code = (x if isinstance(x, Term) else y).code
        a, b = code.alike(x, y, as_floats=name == "truediv")
        of_ints = INT in (a.type, getattr(a.type, "element", None))
        return code.term(getattr(code.builder, for_ints if of_ints else for_floats)(a.value, b.value))

    return compute


def _bits(name: str) -> Callable[[Any, Any], Any]:
    def compute(x: Any, y: Any) -> Any:
        code: Code = (x if isinstance(x, Term) else y).code
        a, b = code.alike(x, y)
        return code.term(getattr(code.builder, _BITS[name])(a.value, b.value))

    return compute


def _whole(name: str) -> Callable[[Any, Any], Any]:
    """// and %: of whole numbers that are not negative as they are; of others as Python has them."""

    def compute(x: Any, y: Any) -> Any:
        code: Code = (x if isinstance(x, Term) else y).code
        a, b = code.alike(x, y)
        if a.type == INT:
            return code.term((code.builder.sdiv if name == "floordiv" else code.builder.srem)(a.value, b.value))
        return code.functions[name](a, b)

    return compute


def _comparison(name: str) -> Callable[[Any, Any], Any]:
    sign = _COMPARISONS[name]

    def compare(x: Any, y: Any) -> Any:
        if not isinstance(x, Term) and not isinstance(y, Term):
            return getattr(operator, name)(x, y)
        code: Code = (x if isinstance(x, Term) else y).code
        a, b = code.alike(x, y)
        if getattr(a.type, "element", a.type) in (INT, BIT):
            return code.term(code.builder.icmp_signed(sign, a.value, b.value))
        compare = code.builder.fcmp_unordered if name == "ne" else code.builder.fcmp_ordered
        return code.term(compare(sign, a.value, b.value))

    return compare


def _both_ways(name: str, compute: Callable[[Any, Any], Any]) -> None:
    setattr(Term, f"__{name}__", compute)
    setattr(Term, f"__r{name}__", lambda y, x: compute(x, y))


for _name in _ARITHMETIC:
    _both_ways(_name, _arithmetic(_name))
for _name in _BITS:
    _both_ways(_name, _bits(_name))
for _name in ("floordiv", "mod"):
    _both_ways(_name, _whole(_name))
for _name in _COMPARISONS:
    setattr(Term, f"__{_name}__", _comparison(_name))


class Pointer(Term):
    """The address of numbers or words: `p[i]` reads one, `p[i] = x` sets it, `p + i` is the address of the i-th."""

    __slots__ = ("element",)

    def __init__(self, code: "Code", value: Any, element: Any) -> None:
        super().__init__(code, value)
        self.element = element

    def at(self, i: Any) -> "Pointer":
        """The address of the i-th number."""
        place = self.code.builder.gep(self.value, [self.code.whole(i).value], source_etype=self.element)
        return Pointer(self.code, place, self.element)

    __add__ = at

    def __getitem__(self, i: Any) -> Term:
        found = self.code.builder.load(self.at(i).value, typ=self.element)
        return self.code.term(self.code.builder.zext(found, INT) if self.element == SHORT else found)

    def __setitem__(self, i: Any, x: Any) -> None:
        number = self.code.number(x) if self.element == FLOAT else self.code.whole(x)
        if self.element == SHORT:
            number = self.code.term(self.code.builder.trunc(number.value, SHORT))
        if number.type != self.element:
            raise TypeError(f"a place of one number is set to one of type {number.type}: use store for a vector")
        self.code.builder.store(number.value, self.at(i).value)


class Variable:
    """A number that changes in the course of native code."""

    def __init__(self, code: "Code", first: Term) -> None:
        self.code, self.type = code, first.type
        self.element = first.element if isinstance(first, Pointer) else None
        with code.builder.goto_entry_block():
            self.place = code.builder.alloca(self.type)
        self.set(first)

    def get(self) -> Term:
        """The number that it has at this point."""
        value = self.code.builder.load(self.place, typ=self.type)
        return self.code.term(value) if self.element is None else Pointer(self.code, value, self.element)

    def set(self, x: Any) -> None:
        """Gives it another number from this point on."""
        self.code.builder.store(self.code.as_type(x, self.type).value, self.place)


class Variables:
    """Several vectors that change, such as a tile: `tile[k]` reads one, `tile[k] = x` sets it."""

    def __init__(self, code: "Code", first: list[Any]) -> None:
        self._variables = [Variable(code, code.as_term(x)) for x in first]

    def __len__(self) -> int:
        return len(self._variables)

    def __getitem__(self, k: int) -> Term:
        return self._variables[k].get()

    def __setitem__(self, k: int, x: Any) -> None:
        self._variables[k].set(x)


class Code:
    """Native code that is being written, for one processor."""

    def __init__(self, name: str, processor: Processor) -> None:
        self.module = ir.Module(name=name)
        self.processor = processor
        self.vector = ir.VectorType(FLOAT, processor.width)
        self.functions: dict[str, Callable[..., Any]] = {}
        self.outside: set[str] = set()  # the functions of C that are called
        self.builder: Any = None

    def term(self, value: Any) -> Term:
        """The term for a value of LLVM."""
        return Term(self, value)

    def as_term(self, x: Any) -> Term:
        """x itself if it is a term; a number of Python as a constant."""
        if isinstance(x, Term):
            return x
        if isinstance(x, bool):
            return Term(self, ir.Constant(BIT, int(x)))
        if isinstance(x, int):
            return Term(self, ir.Constant(INT, x))
        if isinstance(x, float):
            return Term(self, ir.Constant(FLOAT, x))
        raise TypeError(f"native code computes with numbers; got {x!r}")

    def whole(self, x: Any) -> Term:
        """x as a whole number."""
        term = self.as_term(x)
        return Term(self, self.builder.zext(term.value, INT)) if term.type == BIT else term

    def number(self, x: Any) -> Term:
        """x as a single number with a fraction."""
        term = self.whole(x)
        return Term(self, self.builder.sitofp(term.value, FLOAT)) if term.type == INT else term

    def splat(self, x: Any) -> Term:
        """x as a vector: a single number in every place."""
        term = self.number(x)
        if isinstance(term.type, ir.VectorType):
            return term
        if isinstance(term.value, ir.Constant):
            return Term(self, ir.Constant(self.vector, [term.value.constant] * self.processor.width))
        places = ir.Constant(ir.VectorType(ir.IntType(32), self.processor.width), [0] * self.processor.width)
        one = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), term.value, ir.IntType(32)(0))
        return Term(self, self.builder.shuffle_vector(one, ir.Constant(self.vector, ir.Undefined), places))

    def is_vector(self, x: Any) -> bool:
        """Whether x is a vector of numbers."""
        return isinstance(x, Term) and bool(x.type == self.vector)

    def first(self, x: Term) -> Term:
        """The first number of a vector."""
        return self.term(self.builder.extract_element(x.value, ir.IntType(32)(0)))

    def as_type(self, x: Any, kind: Any) -> Term:
        """x converted to a type that has room for it."""
        if kind == INT:
            return self.whole(x)
        if kind == FLOAT:
            return self.number(x)
        return self.splat(x) if kind == self.vector else self.as_term(x)

    def alike(self, x: Any, y: Any, as_floats: bool = False) -> tuple[Term, Term]:
        """Two numbers as terms of one type: vectors if one is a vector, with fractions if one has them."""
        a, b = self.as_term(x), self.as_term(y)
        if a.type == b.type and not (as_floats and a.type == INT):
            return a, b
        if self.vector in (a.type, b.type):
            return self.splat(a), self.splat(b)
        if isinstance(a.type, ir.VectorType) or isinstance(b.type, ir.VectorType):  # masks
            return self.mask(a), self.mask(b)
        if as_floats or FLOAT in (a.type, b.type):
            return self.number(a), self.number(b)
        return self.whole(a), self.whole(b)

    def mask(self, x: Any) -> Term:
        """A yes or no as a mask with the same answer in every place."""
        term = self.as_term(x)
        if isinstance(term.type, ir.VectorType):
            return term
        ones = self.splat(self.term(self.builder.select(term.value, FLOAT(1.0), FLOAT(0.0))))
        return self.term(self.builder.fcmp_ordered("!=", ones.value, self.splat(0.0).value))

    def truth(self, x: Any) -> Any:
        """Whether x is not 0, as LLVM's bit."""
        term = self.as_term(x)
        if term.type == BIT:
            return term.value
        if term.type == INT:
            return self.builder.icmp_signed("!=", term.value, INT(0))
        return self.builder.fcmp_unordered("!=", term.value, FLOAT(0.0))

    def select(self, condition: Any, yes: Any, no: Any) -> Any:
        """One of two numbers, by the answer to a question; vectors place by place."""
        if not isinstance(condition, Term):
            return yes if condition else no
        if isinstance(yes, Pointer):
            return Pointer(self, self.builder.select(self.truth(condition), yes.value, no.value), yes.element)
        a, b = self.alike(yes, no)
        if isinstance(condition.type, ir.VectorType) and not isinstance(a.type, ir.VectorType):
            a, b = self.splat(a), self.splat(b)
        bit = condition.value if isinstance(condition.type, ir.VectorType) else self.truth(condition)
        return self.term(self.builder.select(bit, a.value, b.value))

    def intrinsic(self, name: str, *arguments: Term) -> Term:
        """One of LLVM's own functions, all of whose arguments and whose result are of one type."""
        kind = arguments[0].type
        return self.intrinsic_named(f"{name}.{'f64' if kind == FLOAT else f'v{kind.count}f64'}", kind, *arguments)

    def intrinsic_named(self, name: str, result: Any, *arguments: Term) -> Term:
        """One of LLVM's own functions, by its full name and the type of its result."""
        known = self.module.globals.get(name)
        if known is None:
            known = ir.Function(self.module, ir.FunctionType(result, [x.type for x in arguments]), name)
        return self.term(self.builder.call(known, [x.value for x in arguments]))

    def call_outside(self, name: str, *arguments: Any) -> Term:
        """A function of C of single numbers."""
        self.outside.add(name)
        known = self.module.globals.get(name)
        if known is None:
            known = ir.Function(self.module, ir.FunctionType(FLOAT, [FLOAT] * len(arguments)), name)
        return self.term(self.builder.call(known, [self.number(x).value for x in arguments]))

    def each_lane(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """A function of single numbers for numbers, or for each place of vectors."""
        terms = [self.as_term(x) for x in arguments]
        if not any(isinstance(x.type, ir.VectorType) for x in terms):
            return function(*terms)
        vectors = [self.splat(x).value for x in terms]
        result = ir.Constant(self.vector, ir.Undefined)
        for k in range(self.processor.width):
            place = ir.IntType(32)(k)
            lanes = [self.term(self.builder.extract_element(x, place)) for x in vectors]
            result = self.builder.insert_element(result, self.number(function(*lanes)).value, place)
        return self.term(result)

    def room(self, count: int) -> Pointer:
        """Memory for so many vectors, until the function returns."""
        with self.builder.goto_entry_block():
            place = self.builder.alloca(self.vector, count)
            place.type = ADDRESS  # of anything, like all others: llvmlite would only let vectors in
            return Pointer(self, place, FLOAT)

    @contextmanager
    def loop(self, condition: Callable[[], Any], advance: Callable[[], None]) -> Iterator[tuple[Any, Any]]:
        """What is written in this block is repeated while the condition holds, with `advance` after each round.

        It gives the blocks that go on with the next round, and with what comes after the loop.
        """
        builder = self.builder
        again, each, following, done = map(builder.append_basic_block, ("again", "round", "next", "done"))
        builder.branch(again)
        builder.position_at_end(again)
        builder.cbranch(self.truth(condition()), each, done)
        builder.position_at_end(each)
        yield following, done
        if not builder.block.is_terminated:
            builder.branch(following)
        builder.position_at_end(following)
        advance()
        builder.branch(again)
        builder.position_at_end(done)

    @contextmanager
    def counting(self, start: Any, end: Any, step: Any = 1) -> Iterator[tuple[Term, tuple[Any, Any]]]:
        """A loop over the whole numbers of a range."""
        counter, last, by = Variable(self, self.whole(start)), self.whole(end), self.whole(step)
        with self.loop(lambda: counter.get() < last, lambda: counter.set(counter.get() + by)) as blocks:
            yield counter.get(), blocks
