"""How does a function of Python become native code? Statement by statement, from its syntax tree.

A function marked `@native` is never run by Python. Where native code calls it, its statements are written down in
place. Whatever is known at that time is computed by Python: names of modules, tuples, functions, and loops over lists.
Only what depends on a `Term` becomes an instruction. So `if` and loops over `range` become branches if they ask for a
term, and a call of an ordinary function of Python is made while the code is written.

A name that is assigned in one place stands for what it was given. A name that is assigned in several is a variable.
`and` and `or` of terms compute both sides, and so does `a if condition else b`.
"""

import ast
import inspect
import operator
import textwrap
from collections import Counter
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from llvmlite import ir

from autograd.compiler.native.terms import BIT, FLOAT, INT, Code, Term, Variable

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


def native(function: F) -> F:
    """Marks a function whose statements become native code."""
    return Native(function)  # type: ignore[return-value]


def writes(function: Callable[Concatenate[Code, P], R]) -> Callable[P, R]:
    """Marks a function that is called while native code is written, with that code as its first argument."""

    @wraps(function)
    def marked(*arguments: Any) -> Any:
        raise TypeError(f"{function.__name__} is called in native code only")

    marked.writes = function  # type: ignore[attr-defined]
    return marked  # type: ignore[return-value]


class Native:
    """A function whose statements become native code."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, *arguments: Any) -> Any:
        raise TypeError(f"{self.function.__name__} is called in native code only")


@cache
def _parsed(code_object: Any, function: Callable[..., Any]) -> tuple[ast.FunctionDef, Counter[str]]:
    """The syntax tree of a function, and how many places assign each of its names."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    places = Counter(x.id for x in ast.walk(tree) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store))
    for x in ast.walk(tree):
        if isinstance(x, ast.AugAssign) and isinstance(x.target, ast.Name):
            places[x.target.id] += 1
    places.update(x.arg for x in tree.args.args)
    return tree, places


_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.USub: operator.neg, ast.Invert: operator.invert,
}  # fmt: skip


def call(code: Code, function: Any, *arguments: Any) -> Any:
    """Writes down a call: of a native function its statements; of any other, what Python makes of it."""
    if isinstance(function, Native):
        return _Translator(code, function.function, arguments).translate()
    if hasattr(function, "writes"):
        return function.writes(code, *arguments)
    replaced = _BUILT_IN.get(function) if isinstance(function, type | type(min)) else None
    if replaced is not None and any(isinstance(x, Term) for x in arguments):
        return replaced(code, *arguments)
    return function(*arguments)


def _least(code: Code, x: Any, y: Any) -> Any:
    return code.select(x < y, x, y)


def _most(code: Code, x: Any, y: Any) -> Any:
    return code.select(x > y, x, y)


def _truncated(code: Code, x: Any) -> Any:
    return code.term(code.builder.fptosi(x.value, INT)) if x.type == FLOAT else code.whole(x)


_BUILT_IN: dict[Any, Callable[..., Any]] = {min: _least, max: _most, int: _truncated, float: Code.number}
_BUILT_IN[bool] = lambda code, x: code.term(code.truth(x))


def write_function(code: Code, name: str, function: Any, kinds: list[Any], wrap: Callable[..., list[Any]]) -> None:
    """Writes a function that others call, which returns nothing.

    Arguments:
        code: gets the function.
        name: its name.
        function: a native function.
        kinds: the types of its arguments, as LLVM has them.
        wrap: makes the terms from the arguments.
    """
    written = ir.Function(code.module, ir.FunctionType(ir.VoidType(), kinds), name)
    _begin(code, written)
    call(code, function, *wrap(*written.args))
    code.builder.ret_void()


def call_apart(code: Code, name: str, function: Any, *vectors: Any, rare: bool = False) -> Term:
    """Calls a function of vectors that is written down once, when it is first called, and not at each call.

    Arguments:
        code: gets the function.
        name: its name.
        function: what `call` can call. It takes vectors and gives one.
        vectors: its arguments.
        rare: whether it stays out of the code around this call; otherwise LLVM puts it there, which saves 1 to 2 ns.
    """
    known = code.module.globals.get(name)
    if known is None:
        known = ir.Function(code.module, ir.FunctionType(code.vector, [code.vector] * len(vectors)), name)
        known.linkage = "internal"
        outer = code.builder
        _begin(code, known)
        code.builder.ret(call(code, function, *map(code.term, known.args)).value)
        code.builder = outer
    way = "noinline" if rare else "alwaysinline"
    return code.term(code.builder.call(known, [code.splat(x).value for x in vectors], attrs=(way,)))


def _begin(code: Code, written: Any) -> None:
    """Goes to the beginning of a function."""
    code.builder = ir.IRBuilder(written.append_basic_block("entry"))
    body = written.append_basic_block("body")
    # Variables get their places in the entry block, before it ends.
    code.builder.position_at_end(body)
    with code.builder.goto_block(written.blocks[0]):
        code.builder.branch(body)


class _Translator:
    """Writes down one call of one function."""

    def __init__(self, code: Code, function: Callable[..., Any], arguments: Any) -> None:
        self.code = code
        self.tree, self._places = _parsed(function.__code__, function)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        self._outer = {**function.__globals__, **{name: cell.cell_contents for name, cell in cells}}
        self._names: dict[str, Any] = {}
        names = [x.arg for x in self.tree.args.args]
        if len(names) != len(arguments):
            raise TypeError(f"{function.__name__} takes {len(names)} arguments; got {len(arguments)}")
        for name, x in zip(names, arguments, strict=True):
            self._bind(name, x)
        self._exit: Any = None  # the block behind the call, where there are several ways to return
        self._results: Any = None
        self._loops: list[tuple[Any, Any]] = []  # where `continue` and `break` go

    def translate(self) -> Any:
        """Writes down the statements; returns the result."""
        body = self.tree.body
        returns = [x for x in ast.walk(self.tree) if isinstance(x, ast.Return)]
        if not returns or (len(returns) == 1 and body[-1] is returns[0]):
            self._statements(body[:-1] if returns else body)
            return self._value(body[-1].value) if returns else None  # type: ignore[attr-defined]
        self._exit = self.code.builder.append_basic_block("returned")
        self._statements(body)
        if not self._is_over():
            self.code.builder.branch(self._exit)
        self.code.builder.position_at_end(self._exit)
        return self._results.get() if isinstance(self._results, Variable) else self._all_results()

    def _all_results(self) -> Any:
        return None if self._results is None else tuple(x.get() for x in self._results)

    def _is_over(self) -> bool:
        """Whether nothing more can be written in the present block."""
        return bool(self.code.builder.block.is_terminated)

    # Statements

    def _statements(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            if self._is_over():
                return
            self._statement(statement)

    def _statement(self, x: ast.stmt) -> None:
        match x:
            case ast.Assign():
                value = self._value(x.value)
                for target in x.targets:
                    self._assign(target, value)
            case ast.AnnAssign() if x.value is not None:
                self._assign(x.target, self._value(x.value))
            case ast.AugAssign():
                before = self._value(_as_read(x.target))
                self._assign(x.target, _OPERATORS[type(x.op)](before, self._value(x.value)))
            case ast.Expr():
                if not isinstance(x.value, ast.Constant):
                    self._value(x.value)
            case ast.If():
                self._if(x)
            case ast.For():
                self._for(x)
            case ast.While():
                self._while(x)
            case ast.Return():
                self._return(x)
            case ast.Break():
                self.code.builder.branch(self._loops[-1][1])
            case ast.Continue():
                self.code.builder.branch(self._loops[-1][0])
            case ast.Pass():
                pass
            case _:
                raise TypeError(f"native code has no statement like this: {ast.unparse(x)}")

    def _assign(self, target: ast.expr, value: Any) -> None:
        match target:
            case ast.Name():
                self._bind(target.id, value)
            case ast.Tuple():
                for part, one in zip(target.elts, value, strict=True):
                    self._assign(part, one)
            case ast.Subscript():
                self._value(target.value)[self._value(target.slice)] = value
            case _:
                raise TypeError(f"native code cannot assign to {ast.unparse(target)}")

    def _bind(self, name: str, value: Any) -> None:
        known = self._names.get(name)
        if isinstance(known, Variable):
            known.set(value)
        elif self._places[name] > 1 and isinstance(value, Term | int | float):
            self._names[name] = Variable(self.code, self.code.as_term(value))
        else:
            self._names[name] = value

    def _if(self, x: ast.If) -> None:
        condition = self._value(x.test)
        if not isinstance(condition, Term):
            self._statements(x.body if condition else x.orelse)
            return
        builder = self.code.builder
        yes, no, after = (builder.append_basic_block(name) for name in ("yes", "no", "after"))
        builder.cbranch(self.code.truth(condition), yes, no)
        for block, statements in ((yes, x.body), (no, x.orelse)):
            builder.position_at_end(block)
            self._statements(statements)
            if not self._is_over():
                builder.branch(after)
        builder.position_at_end(after)

    def _for(self, x: ast.For) -> None:
        is_range = isinstance(x.iter, ast.Call) and isinstance(x.iter.func, ast.Name) and x.iter.func.id == "range"
        if not is_range:  # over something that is known now: one round after the other is written down
            for value in self._value(x.iter):
                self._assign_locally(x.target, value)
                self._statements(x.body)
            return
        assert isinstance(x.iter, ast.Call)
        assert isinstance(x.target, ast.Name)
        bounds = [self._value(argument) for argument in x.iter.args]
        start, end, *step = bounds if len(bounds) > 1 else (0, *bounds)
        with self.code.counting(start, end, *step) as (i, blocks):
            self._names[x.target.id] = i
            self._round(x.body, blocks)

    def _while(self, x: ast.While) -> None:
        with self.code.loop(lambda: self._value(x.test), lambda: None) as blocks:
            self._round(x.body, blocks)

    def _round(self, body: list[ast.stmt], blocks: tuple[Any, Any]) -> None:
        """The statements of a loop."""
        self._loops.append(blocks)
        self._statements(body)
        self._loops.pop()

    def _return(self, x: ast.Return) -> None:
        if x.value is not None:
            value = self._value(x.value)
            values = value if isinstance(value, tuple) else (value,)
            if self._results is None:
                made = [Variable(self.code, self.code.as_term(one)) for one in values]
                self._results = made if isinstance(value, tuple) else made[0]
            else:
                known = self._results if isinstance(value, tuple) else [self._results]
                for variable, one in zip(known, values, strict=True):
                    variable.set(one)
        self.code.builder.branch(self._exit)

    # Expressions

    def _value(self, x: ast.expr | None) -> Any:
        match x:
            case ast.Constant():
                return x.value
            case ast.Name():
                return self._named(x.id)
            case ast.Attribute():
                return getattr(self._value(x.value), x.attr)
            case ast.BinOp():
                return _OPERATORS[type(x.op)](self._value(x.left), self._value(x.right))
            case ast.UnaryOp(op=ast.Not()):
                return self._not(self._value(x.operand))
            case ast.UnaryOp():
                return _OPERATORS[type(x.op)](self._value(x.operand))
            case ast.Compare():
                return self._compare(x)
            case ast.BoolOp():
                return self._and_or(x)
            case ast.IfExp():
                return self._if_expression(x)
            case ast.Call():
                return self._call(x)
            case ast.Subscript():
                return self._value(x.value)[self._value(x.slice)]
            case ast.Slice():
                return slice(*(None if part is None else self._value(part) for part in (x.lower, x.upper, x.step)))
            case ast.Tuple():
                return tuple(self._all(x.elts))
            case ast.List():
                return self._all(x.elts)
            case ast.ListComp():
                return self._comprehension(x)
            case _:
                raise TypeError(f"native code has no expression like this: {x and ast.unparse(x)}")

    def _all(self, expressions: list[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for x in expressions:
            if isinstance(x, ast.Starred):
                found += self._value(x.value)
            else:
                found.append(self._value(x))
        return found

    def _named(self, name: str) -> Any:
        if name in self._names:
            found = self._names[name]
            return found.get() if isinstance(found, Variable) else found
        if name in self._outer:
            return self._outer[name]
        return getattr(__builtins__, name) if not isinstance(__builtins__, dict) else __builtins__[name]

    def _not(self, x: Any) -> Any:
        return self.code.term(self.code.builder.not_(self.code.truth(x))) if isinstance(x, Term) else not x

    def _compare(self, x: ast.Compare) -> Any:
        sides = [self._value(side) for side in (x.left, *x.comparators)]
        found: Any = True
        for op, left, right in zip(x.ops, sides, sides[1:], strict=False):
            one = _OPERATORS[type(op)](left, right)
            found = one if found is True else found & one if isinstance(found, Term) else found and one
        return found

    def _and_or(self, x: ast.BoolOp) -> Any:
        is_and = isinstance(x.op, ast.And)
        found: Any = is_and
        for part in x.values:
            if not isinstance(found, Term) and bool(found) is not is_and:
                return found
            one = self._value(part)
            if isinstance(found, Term) and isinstance(one, Term):
                a, b = (self._as_bit(found), self._as_bit(one)) if found.type != one.type else (found, one)
                found = a & b if is_and else a | b
            elif isinstance(one, Term) or bool(one) is not is_and:
                found = one
        return found

    def _as_bit(self, x: Term) -> Term:
        return x if x.type == BIT or isinstance(x.type, ir.VectorType) else self.code.term(self.code.truth(x))

    def _if_expression(self, x: ast.IfExp) -> Any:
        condition = self._value(x.test)
        if not isinstance(condition, Term):
            return self._value(x.body if condition else x.orelse)
        return self.code.select(condition, self._value(x.body), self._value(x.orelse))

    def _call(self, x: ast.Call) -> Any:
        if x.keywords:
            raise TypeError(f"native code takes no keywords: {ast.unparse(x)}")
        return call(self.code, self._value(x.func), *self._all(x.args))

    def _comprehension(self, x: ast.ListComp) -> list[Any]:
        return self._rounds(x.generators, x.elt)

    def _rounds(self, generators: list[ast.comprehension], element: ast.expr) -> list[Any]:
        if not generators:
            return [self._value(element)]
        found = []
        for value in self._value(generators[0].iter):
            self._assign_locally(generators[0].target, value)
            found += self._rounds(generators[1:], element)
        return found

    def _assign_locally(self, target: ast.expr, value: Any) -> None:
        """What is known while code is written has a name of its own in each round of a comprehension or a loop."""
        if isinstance(target, ast.Tuple):
            for part, one in zip(target.elts, value, strict=True):
                self._assign_locally(part, one)
        else:
            assert isinstance(target, ast.Name)
            self._names[target.id] = value


def _as_read(target: ast.expr) -> ast.expr:
    """The same expression, to be read in place of assigned."""
    return ast.parse(ast.unparse(target), mode="eval").body
