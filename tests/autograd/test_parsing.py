"""Does text become the function that it says, and is anything else refused, in a sentence, and never run?"""

import math
import operator
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
from autograd import Value
from autograd.parsing import COMPARISONS, FUNCTIONS, ExpressionError, parse
from autograd.testing.agreement import agreement
from autograd.value import data_of

inf = math.inf


def value(text: str, **values: Any) -> Any:
    return parse(text, values)(values)


def error_of(text: str) -> ExpressionError:
    """The error for a text, whether it shows when reading or when evaluating."""
    error = outcome(text)
    assert isinstance(error, ExpressionError), f"{text!r} gives {error!r}"
    return error


def outcome(text: str) -> Any:
    """The value of a text where all names are 1, or the ExpressionError."""
    try:
        f = parse(text)
        return f(dict.fromkeys(f.names, 1.0))
    except ExpressionError as error:
        return error


def same(x: float, y: float) -> bool:
    return (math.isnan(x) and math.isnan(y)) or (x == y and math.copysign(1.0, x) == math.copysign(1.0, y))


# What an expression may say

VALUES = [
    ("tanh(a*b) + c", {"a": 0.0, "b": 1.0, "c": 10.0}, 10.0),
    ("-a**2", {"a": 3.0}, -9.0),
    ("2**-1", {}, 0.5),
    ("2**3**2", {}, 512.0),
    ("a - b - c", {"a": 1.0, "b": 2.0, "c": 3.0}, -4.0),
    ("a--b", {"a": 1.0, "b": 2.0}, 3.0),
    ("a -+- b", {"a": 1.0, "b": 2.0}, 3.0),
    ("1e-3 - 1e+3", {}, 1e-3 - 1e3),
    ("0x1e+5 + 1_000", {}, 1035.0),
    ("7 // 2 + -7 % 3", {}, 5.0),
    ("(a + b) * (a - b)", {"a": 3.0, "b": 2.0}, 5.0),
    ("1 / 0", {}, inf),
    ("1e400 - 1e400", {}, math.nan),
    ("9**9**9**9", {}, inf),
    ("2*pi", {}, 2.0 * math.pi),
    ("e*a", {"a": 2.0}, math.e * 2.0),
    ("e*a", {"a": 2.0, "e": 3.0}, 6.0),
    ("atan2(x=1, y=0)", {}, 0.0),
    ("hypot(3, 4)", {}, 5.0),
    ("leaky_relu(-2, 0.5)", {}, -1.0),
    ("leaky_relu(-2, negative_slope=0.5)", {}, -1.0),
    ("leaky_relu(-2)", {}, -0.02),
    ("clip(5, low=0, high=1)", {}, 1.0),
    ("where(a < b, 1, 2)", {"a": 1.0, "b": 2.0}, 1.0),
    ("where(0 < a <= 1, 1, 2)", {"a": 1.0}, 1.0),
    ("where(a >= 0, log(a), 0)", {"a": -1.0}, 0.0),
    ("where(a, 1, 2)", {"a": 0.0}, 2.0),
    ("sum([a, b, 3])", {"a": 1.0, "b": 2.0}, 6.0),
    ("sum([])", {}, 0.0),
    ("max([a, b]) - min([a, b])", {"a": 1.0, "b": 2.0}, 1.0),
    ("dot([a, 2], [3, 4], 5)", {"a": 1.0}, 16.0),
    ("dot([a, 2], [3, 4], bias=5)", {"a": 1.0}, 16.0),
    ("softmax([0, 0])[0]", {}, 0.5),
    ("softmax([0, 1000])[-1]", {}, 1.0),
    ("sum(softmax([1, 1, 1, 1]))", {}, 1.0),
    ("log_softmax([0, 1000], 0)", {}, -1000.0),
    ("log_softmax([0, 1000])[0]", {}, -1000.0),
    ("take([1, 2, 3], a)", {"a": 2.0}, 3.0),
    ("gelu(1.0, approximate='tanh')", {}, autograd.gelu(1.0, approximate="tanh")),
    ("a\n+\n\tb", {"a": 1.0, "b": 2.0}, 3.0),
]


@pytest.mark.parametrize(("text", "values", "expected"), VALUES, ids=[text for text, *_ in VALUES])
def test_the_value_is_what_the_text_says(text: str, values: dict[str, float], expected: float) -> None:
    assert same(value(text, **values), expected)


@pytest.mark.parametrize(("text", "values", "expected"), VALUES, ids=[text for text, *_ in VALUES])
def test_values_and_numbers_give_the_same(text: str, values: dict[str, float], expected: float) -> None:
    out = value(text, **{name: Value(x) for name, x in values.items()})
    assert same(out.data if isinstance(out, Value) else out, expected)


def test_every_public_function_of_numbers_may_be_called() -> None:
    others = {"DomainError", "Value", "no_grad", "strict", "operation", "leaves", "topological_order"}
    others |= {"backward_steps", "draw", "explain"}
    shadowing = {"abs", "max", "min", "pow", "round", "sum"}
    functions_of_numbers = {n for n in autograd.__all__ if hasattr(autograd.functions, n)} - others
    assert functions_of_numbers | shadowing == set(FUNCTIONS)
    assert all(getattr(autograd, name) is getattr(autograd.functions, name) for name in FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_call_is_the_function_itself(name: str) -> None:
    signature, kinds = FUNCTIONS[name]
    texts = {"list": "[0.5, 0.25]", "number": "0.5", "condition": "1 > 2", "word": "'none'"}
    values = {"list": [0.5, 0.25], "number": 0.5, "condition": False, "word": "none"}
    if name == "acosh":
        texts["number"], values["number"] = "1.5", 1.5
    needed = [p for p in signature.parameters if signature.parameters[p].default is signature.empty]
    if name == "take":
        texts["number"], values["number"] = "1", 1.0
    text = f"{name}({', '.join(texts[kinds[p]] for p in needed)})"
    expected = getattr(autograd, name)(*(values[kinds[p]] for p in needed))
    if isinstance(expected, list):
        text, expected = f"{text}[0]", expected[0]
    assert value(text) == expected


def test_names_come_in_the_order_of_their_first_appearance() -> None:
    f = parse("where(y=b, condition=pi*a > 0, x=c) + a*d - e")
    assert f.names == ("b", "a", "c", "d")
    assert f.constants == ("pi", "e")
    assert f.text.startswith("where")


def test_one_name_is_one_value() -> None:
    a = Value(3.0, label="a")
    out = parse("a*a + a")({"a": a})
    out.backward()
    assert a.grad == 7.0
    assert autograd.leaves(out) == [a]


def test_letters_that_python_takes_for_the_same_name_are_the_same() -> None:
    assert parse("\N{MATHEMATICAL BOLD SMALL X} + x").names == ("x",)
    assert parse("größe * 変数 + é + हिन्दी").names == ("größe", "変数", "é", "हिन्दी")


# Random expressions

SIMPLE = ("sin", "cos", "tanh", "atan", "asinh", "erf", "exp", "sqrt", "log")
floats = st.floats(min_value=-8.0, max_value=8.0)


def expressions(functions: tuple[str, ...], operators: tuple[str, ...]) -> st.SearchStrategy[str]:
    leaves = st.one_of(st.sampled_from("abc"), floats.map(abs).map(repr))

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from(operators), inner)
        return st.one_of(
            binary.map(lambda parts: f"{parts[0]} {parts[1]} {parts[2]}"),
            binary.map(lambda parts: f"({parts[0]}{parts[1]}{parts[2]})"),
            inner.map(lambda x: f"-{x}"),
            st.tuples(st.sampled_from(functions), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        )

    return st.recursive(leaves, larger, max_leaves=12)


def python_value(text: str, values: dict[str, float]) -> Any:
    """What Python makes of the text, or None where it raises."""
    names: dict[str, Any] = {"__builtins__": {}, **{name: getattr(math, name) for name in SIMPLE}, **values}
    try:
        return eval(text, names)
    except (ArithmeticError, ValueError, TypeError):  # a domain error, or a complex number on the way
        return None


@given(expressions(SIMPLE, ("+", "-", "*", "/", "//", "%", "**")), floats, floats, floats)
@example("a - b - c", 1.0, 2.0, 3.0)
@example("2.0 ** -a ** b", 1.0, 2.0, 3.0)
@example("-a%b", 1.0, 3.0, 0.0)
def test_an_expression_has_the_value_that_python_gives_it(text: str, a: float, b: float, c: float) -> None:
    values = {"a": a, "b": b, "c": c}
    expected = python_value(text, values)
    if isinstance(expected, float):
        assert same(value(text, **values), expected)


@given(expressions(("sin", "tanh", "atan", "softplus", "sigmoid"), ("+", "-", "*")), floats, floats, floats)
@settings(max_examples=100)
def test_derivatives_agree_with_finite_differences(text: str, a: float, b: float, c: float) -> None:
    f = parse(text)
    at = {"a": a, "b": b, "c": c}
    leaves = {name: Value(at[name]) for name in f.names}
    root = f(leaves)
    if not isinstance(root, Value):
        return
    root.backward()
    for name, leaf in leaves.items():

        def one(x: Value, name: str = name) -> Any:
            return f({**at, name: x})

        row = agreement(name, one, at[name], data_of(leaf.grad))
        assert row.agree is not False, row


@given(st.sampled_from(["<", "<=", ">", ">="]), floats, floats)
def test_a_condition_compares_as_python_does(sign: str, a: float, b: float) -> None:
    assert value(f"where(a {sign} b, 1, 2)", a=a, b=b) == (1.0 if eval(f"a {sign} b") else 2.0)
    assert len(COMPARISONS) == 4


# What it may not say

REFUSED = [
    # text, column, a part of the sentence
    ("a ^ 2", 3, "use ** for powers"),
    ("a.__class__", 2, "'.'"),
    ("a[0]", 1, "index"),
    ("[a, b][0]", 1, "index"),
    ("softmax([a, b])[c]", 17, "whole number"),
    ("softmax([a, b])[2]", 17, "outside a list of 2"),
    ("softmax([a, b])[0.0]", 17, "whole number"),
    ("softmax([a, b])", 1, "softmax([a, b])[0]"),
    ("lambda: 1", 1, "lambda"),
    ("a if b else c", 3, "if"),
    ("[x for x in a]", 4, "for"),
    ("a and b", 3, "and"),
    ("not a", 1, "not"),
    ("(a := 1)", 4, "':'"),
    ("'a'", 1, "not a real number"),
    ("'a b'", 1, "text in quotes"),
    ("f'a'", 1, "text"),
    ("f'{a}'", 2, "text in quotes"),
    ("b'a'", 1, "not a real number"),
    ("gelu('none')", 6, "not a real number"),
    ("gelu(a, b)", 9, "word in quotes"),
    ("gelu(a, 'other')", 1, 'approximate="none"'),
    ("1j", 2, "operator is missing"),
    ("2x", 2, "use * to multiply"),
    ("2(a)", 1, "use * to multiply"),
    ("True", 1, "True"),
    ("...", 1, "'.'"),
    ("sin", 1, "sin(x)"),
    ("1 + sum", 5, "sum([a, b])"),
    ("tnah(a)", 1, "did you mean tanh?"),
    ("1 + ln(a)", 5, "did you mean log?"),
    ("zzzzzz(a)", 1, "unknown function zzzzzz"),
    ("operation(a)", 1, "unknown function"),
    ("sin()", 1, "got no arguments"),
    ("sin(a, b)", 1, "got 2 arguments"),
    ("atan2(a)", 1, "takes y and x"),
    ("max(a, b)", 1, "write max([a, b])"),
    ("sum(a)", 5, "takes a list"),
    ("sum((a, b))", 5, "takes a list"),
    ("sum(tanh(a))", 5, "one number"),
    ("sum([a, [b]])", 9, "the list"),
    ("elu(a, slope=1)", 1, "no argument slope"),
    ("elu(a, x=1)", 1, "got 2 arguments"),
    ("elu(x=a, x=1)", 1, "given twice"),
    ("sum(*a)", 5, "list"),
    ("sin(*a)", 5, "*"),
    ("sin(**a)", 7, "**"),
    ("a < b", 1, "outside a condition"),
    ("where(a == b, 1, 2)", 12, "<, <=, > or >="),
    ("a, b", 1, "square brackets"),
    ("a = 1", 3, "'='"),
    ("a b", 3, "'b'"),
    ("max([a b])", 6, "comma"),
    ("a << b", 1, "operator"),
    ("a @ b", 3, "'@'"),
    ("~a", 1, "'~'"),
    ("a # b", 3, "'#'"),
    ("a; b", 2, "';'"),
    ("a \\\n b", 3, "'\\\\'"),
    ("", 1, "missing"),
    ("a + ", 5, "missing"),
    ("a *", 4, "missing"),
    ("(a", 1, "never closed"),
    ("a + (b))", 8, "closes nothing"),
    ("(a]", 3, "does not close the ( at column 1"),
    ("07", 1, "cannot be read"),
    ("mean([])", 1, "at least one value"),
    ("dot([a], [b, c])", 1, "as many"),
    ("é + ü * (é €)", 12, "'€'"),
    ("é + ü * (é é)", 10, "cannot be read"),
    ("変数 + tnah(変数)", 6, "tanh"),
    ("a \u202e b", 3, "U+202E"),
    ("a\u00a0+ b", 2, "U+00A0"),
    ("a\0", 2, "U+0000"),
    ("\ud800", 1, "U+D800"),
    ("\N{MATHEMATICAL BOLD SMALL I}f", 1, "Python"),
    ("9" * 5000, 1, "5000 characters"),
    ("1 + " + "(" * 100_000, 105, "brackets"),
    ("f(" * 100_000 + "a", 202, "brackets"),
    ("-" * 100_000 + "a", 1, "nested too deeply"),
    ("b + " + "a*" * 100_000 + "a", 5, "nested too deeply"),
    ("a**" * 100_000 + "a", 1, "nested too deeply"),
    ("__import__('os').system('touch hacked')", 17, "'.'"),
    ("__import__('os')", 1, "unknown function __import__"),
    ("eval('a')", 1, "unknown function eval"),
    ("exec(a)", 1, "unknown function exec"),
    ("print(1)", 1, "unknown function print"),
    ("open('passwd')", 1, "unknown function open"),
]


@pytest.mark.parametrize(("text", "column", "part"), REFUSED, ids=[text[:30] for text, *_ in REFUSED])
def test_anything_else_is_refused_in_one_sentence_that_names_the_column(text: str, column: int, part: str) -> None:
    error = error_of(text)
    sentence = str(error)
    assert part in sentence
    assert error.column == column
    assert f"column {column}" in sentence
    assert "\n" not in sentence
    assert len(sentence) < 200


@given(st.text())
@settings(max_examples=500)
@example("0x1for x in y")
@example("1_")
@example("a\x0cb")
@example("\n a")
def test_random_text_raises_nothing_but_an_expression_error(text: str) -> None:
    check_outcome(text)


def check_outcome(text: str) -> None:
    found = outcome(text)
    if isinstance(found, ExpressionError):
        assert 1 <= found.column <= len(text) + 1
        assert f"column {found.column}" in str(found)
    else:
        assert type(found) is float


WORDS = """
    a b + - * / % ( ) [ ] , < > = . : ' " \\ # @ ! ~ & | { } 1 ** // <= == 1e 0x tanh sum softmax where gelu
    'tanh' lambda for in if é [0] x= f' pi dot([ ]) __import__
"""
TOKENS = st.sampled_from([" ", "\n", *WORDS.split()])


@given(st.lists(TOKENS, max_size=14).map("".join))
@settings(max_examples=500)
@example("gelu(1,approximate=[])")
@example("gelu(1,-1)")
@example("sum([])[0]")
@example("softmax(softmax([1]))[0][0]")
@example("log_softmax([1],index=[0])")
@example("where(x=1,y=1,condition=1)(1)")
@example("sum(sum)")
@example("tanh(x=)")
def test_random_tokens_raise_nothing_but_an_expression_error(text: str) -> None:
    check_outcome(text)


WATCH = """
import sys
from autograd.parsing import ExpressionError, parse
parse("1")  # so that everything is loaded
texts, seen, watching = eval(sys.stdin.read()), set(), True
sys.addaudithook(lambda event, arguments: seen.add(event) if watching else None)
for text in texts:
    try:
        f = parse(text)
        f(dict.fromkeys(f.names, 2.0))
    except ExpressionError:
        pass
watching = False
print(sorted(seen))
"""


def test_python_sees_nothing_executed_imported_or_opened() -> None:
    hostile = [text for text, *_ in REFUSED] + ["9**9**9**9", "sum([9**9**9])", "1e999**1e999", "tanh(a*b) + c"]
    command = [sys.executable, "-c", WATCH]
    run = subprocess.run(command, input=ascii(hostile), capture_output=True, text=True, check=True)
    assert run.stdout == "['compile']\n"  # that is ast.parse, whose result is data


def test_an_error_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(error_of("a ^ 2")))
    assert (str(error), error.column) == (str(error_of("a ^ 2")), 3)


# Size


def test_a_sum_of_100_000_terms_is_evaluated_and_differentiated() -> None:
    a = Value(1.0)
    out = parse("a" + " + a - 2" * 50_000)({"a": a})
    out.backward()
    assert (out.data, a.grad) == (-49_999.0, 50_001.0)


def test_a_list_of_30_000_numbers_is_read_in_linear_time() -> None:
    assert value(f"sum([{'é, ' * 30_000}])", é=0.5) == 15_000.0


def test_brackets_nest_a_hundred_deep() -> None:
    assert value("(" * 100 + "a" + ")" * 100, a=2.0) == 2.0
    assert value("tanh(" * 100 + "0" + ")" * 100) == 0.0


def test_long_products_are_evaluated_without_recursion() -> None:
    assert value("a" + "*a" * 800, a=-1.0) == -1.0


# Calls


def test_a_missing_value_is_named_with_its_column() -> None:
    with pytest.raises(ExpressionError, match="no value for b and c, first needed at column 5") as caught:
        parse("a + b*c")({"a": 1.0})
    assert caught.value.column == 5


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="the name a takes a real number; got 'x'"):
        value("a", a="x")
    with pytest.raises(TypeError, match="parse takes an expression as a string; got 5"):
        parse(5)  # type: ignore[arg-type]


def test_strict_reaches_into_expressions() -> None:
    with autograd.strict(), pytest.raises(autograd.DomainError):
        value("log(a)", a=Value(-1.0))


@given(floats, floats)
def test_operators_are_those_of_values(a: float, b: float) -> None:
    for sign, operation in (("+", operator.add), ("-", operator.sub), ("*", operator.mul), ("/", operator.truediv)):
        x, y = Value(a), Value(b)
        u, v = Value(a), Value(b)
        left, right = value(f"x {sign} y", x=x, y=y), operation(u, v)
        assert same(left.data, right.data)
        assert all(map(same, left.local_derivatives, right.local_derivatives))
        assert left.operation == right.operation
