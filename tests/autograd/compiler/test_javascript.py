"""Do the rules that are printed as JavaScript compute what Python's do? A real browser computes them here.

`pytest -m slow tests/autograd/compiler/test_javascript.py` tries 2,000 points for each operation.
"""

import json
import math
import random
import struct
import subprocess
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

import autograd
from autograd import Value
from autograd.compiler import javascript
from autograd.compiler.javascript import rules_as_javascript
from autograd.ieee754 import Real
from autograd.operations import DECIDED_WHERE, Operation, operations
from autograd.rules import WITH_INDEX
from autograd.symbols import formula
from autograd.testing.truth.special_points import TABLE
from tests.autograd.test_symbols import KINKS, SPECIAL, bump, draw

nan, inf = math.nan, math.inf
COUNTS = (1, 2, 3, 5, 16)
"""The numbers of operands to try, of operations that take any number of them."""

EXACT = {"add", "sub", "mul", "div", "floor_divide", "remainder", "neg", "abs", "sqrt", "relu", "leaky_relu"}
EXACT |= {"maximum", "minimum", "max", "min", "clip", "where", "sign", "floor", "ceil", "round", "take", "dot", "sum"}
EXACT |= {"mean", "prod"}
"""The operations that are made of what IEEE 754 rounds rightly, so that all bits are Python's."""

HARD: list[tuple[str, tuple[float, ...]]] = [
    ("sum", (1.0, 2.0**-53, 5e-324)),  # just above a half of the last place
    ("sum", (-1.0, -(2.0**-53), -5e-324)),
    ("sum", (1.0, 2.0**-53, -5e-324)),
    ("sum", (1.0, 2.0**-53, 2.0**-110)),
    ("sum", (1.7e308, 1.7e308, -1.7e308)),  # too large on the way
    ("sum", (1e308, 1e308, -1e308, -1e308, 5e-324)),
    ("sum", (2.0**1023, 2.0**1023 - 2.0**970, 2.0**970)),
    ("sum", (3e-323, -1e-323, 2.2e-308)),
    ("mean", (1.7e308, 1.7e308, 1.7e308)),
    *(("round", (x,)) for x in (0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994, 2.0**52 - 0.5, 2.0**53 - 1.0, 2.0**53)),
    *((name, (x, y)) for name in ("floor_divide", "remainder") for x in (7.5, -7.5) for y in (2.0, -2.0, inf, -inf)),
    *((name, (x, 0.1)) for name in ("floor_divide", "remainder") for x in (1.0, -1.0, 0.3, 1e17, -1e-20)),
    *(("pow", (x, y)) for x in (1.0, -1.0) for y in (inf, -inf, nan)),
    *(("norm", (3e-324, x, 0.0)) for x in (4e-324, 1e-200, 1e200)),
    *(("erfc", (x,)) for x in (0.75, 1.3, 5.0, 26.0, 27.2, 28.0, -6.0)),
]

COMPUTE = """([code, uses]) => {
    const {rules, formulas} = (0, eval)(code);
    const told = (x) => (Object.is(x, -0) ? "-0" : Number.isFinite(x) ? x : String(x).toLowerCase());
    const result = {};
    for (const [key, points] of Object.entries(uses))
        result[key] = points.map(([out, ...x]) => [
            rules[key].value(...x.map(Number)),
            ...rules[key].derivatives(Number(out), ...x.map(Number)),
            ...formulas[key].ways(Number(out), ...x.map(Number)),
        ].map(told));
    return JSON.stringify(result);
}"""


@autograd.operation
def everything(m: Any) -> Any:
    """Uses what no built-in rule uses in this way: constants below 0, truth, sums and norms of a few numbers."""

    def value(*xs: Any) -> Any:
        total = m.sum([-x - -2.5 for x in xs]) // 0.75 % -3.0
        return total - (-xs[0]) ** 2.0 if xs[0] else m.norm(xs) - (total - -math.inf)

    return value, lambda out, *xs: [(-out - -x) / -(2.0 - x) for x in xs]


OWN: dict[str, Operation] = {"bump": bump.operation, "everything": everything.operation}  # type: ignore[attr-defined]


def points_of(name: str, count: int, random_points: int) -> list[list[float]]:
    """Operands: special ones in all pairs, those of the table of conventions, ordinary and extreme ones."""
    rng = random.Random(f"{name} {count}")
    special = SPECIAL + KINKS
    known = [(row.operation, row.operands) for row in TABLE] + HARD
    found = [list(operands) for operation, operands in known if (operation, len(operands)) == (name, count)]
    if count == 1:
        found += [[x] for x in special]
    elif count == 2 and name not in WITH_INDEX:
        found += [[x, y] for x in special for y in special]
    for _ in range(random_points):
        numbers = [rng.gauss(0.0, 2.0) for _ in range(count)]
        if name in WITH_INDEX:
            numbers[-1] = float(rng.randrange(count - 1))
        found += [
            numbers,
            draw(name, count, rng) if name in operations else [rng.choice(special) for _ in range(count)],
        ]
    return found


USES = [
    (f"{name} {count}", operation, count)
    for name, operation in (operations | OWN).items()
    for count in (COUNTS if operation.nary else [len(operation.derivatives)])
    if count > 1 or name not in WITH_INDEX
]
EVERY_USE = pytest.mark.parametrize(("key", "operation", "count"), USES, ids=[key for key, _, _ in USES])


def in_python(operation: Operation, numbers: Sequence[float]) -> float:
    """The operation's value. That of a dot is a node's, since Python's sum keeps what is lost from 3.12 on."""
    n = len(numbers) // 2
    if operation.name != "dot" or not n:
        return operation.evaluate(numbers)
    weights, inputs, *bias = [[Value(x) for x in part] for part in (numbers[:n], numbers[n : 2 * n], numbers[2 * n :])]
    node: Any = autograd.dot(weights, inputs, *bias[0])
    return float(node.data)


Results = dict[str, list[tuple[float, list[float], list[float]]]]
"""By use: the value in Python, the operands; and what JavaScript gives, the value, the derivatives, the ways."""


def computed(browser: Any, wanted: Sequence[tuple[str, Operation, int]], random_points: int) -> Results:
    """These operations at all points, by one call in one page."""
    uses: dict[str, list[list[float]]] = {}
    for key, operation, count in wanted:
        points = points_of(operation.name, count, random_points)
        uses[key] = [[in_python(operation, numbers), *numbers] for numbers in points]
    code = rules_as_javascript([(operation, count) for _, operation, count in wanted])
    page = browser.new_page()
    page.set_default_timeout(300_000)
    told = {key: [list(map(as_json, row)) for row in rows] for key, rows in uses.items()}
    found = json.loads(page.evaluate(COMPUTE, [code, told]))
    page.close()
    return {
        key: [(out, numbers, list(map(float, got))) for (out, *numbers), got in zip(rows, found[key], strict=True)]
        for key, rows in uses.items()
    }


def as_json(x: float) -> float | str:
    """JSON has neither -0.0 nor what is not finite; JavaScript's Number reads these texts."""
    ordinary = math.isfinite(x) and (x != 0.0 or math.copysign(1.0, x) > 0.0)
    return x if ordinary else repr(x).replace("inf", "Infinity").replace("nan", "NaN")


@pytest.fixture(scope="module")
def results(browser: Any) -> Results:
    return computed(browser, USES, 200)


def ulps(x: float, y: float) -> float:
    """How many floats lie between two."""
    if math.isnan(x) or math.isnan(y):
        return 0.0 if math.isnan(x) and math.isnan(y) else inf
    places = [struct.unpack("q", struct.pack("d", z))[0] for z in (x, y)]
    a, b = (place if place >= 0 else -(place & 0x7FFFFFFFFFFFFFFF) for place in places)
    return float(abs(a - b)) if math.copysign(1.0, x) == math.copysign(1.0, y) else inf


def value_error(name: str, out: float, got: float, numbers: Sequence[float]) -> float:
    """In ulp of the value; or of the largest operand, where the largest and a logarithm cancel."""
    error = ulps(out, got)
    if name == "logsumexp" and error > 4.0:
        return abs(got - out) / math.ulp(max(map(abs, numbers)))
    return error


def scales(operation: Operation, out: float, numbers: Sequence[float], derivatives: Sequence[float]) -> list[float]:
    sizes = list(map(abs, derivatives))
    if operation.careful and operation.careful.scale:
        declared = operation.careful.scale(out, *map(Real, numbers))
        sizes = [max(size, abs(x)) for size, x in zip(sizes, declared, strict=True)]
    return sizes


@EVERY_USE
def test_values_are_those_of_python(results: Results, key: str, operation: Operation, count: int) -> None:
    for out, numbers, (value, *_) in results[key]:
        bar = 0.0 if operation.name in EXACT else 4.0
        assert value_error(operation.name, out, value, numbers) <= bar, (numbers, out, value)


@EVERY_USE
def test_derivatives_are_those_of_python(results: Results, key: str, operation: Operation, count: int) -> None:
    for out, numbers, (_, *more) in results[key]:
        expected, got = operation.differentiate(out, numbers, range(count)), more[:count]
        for x, y, scale in zip(expected, got, scales(operation, out, numbers, expected), strict=True):
            assert ulps(x + 0.0, y + 0.0) <= 2.0 or abs(x - y) <= 1e-12 * scale, (numbers, out, x, y)


@EVERY_USE
def test_ways_are_those_of_python(results: Results, key: str, operation: Operation, count: int) -> None:
    traced = formula(operation, count if operation.nary else None)
    for out, numbers, got in results[key][:300]:
        ways = map(int, got[1 + count :])
        texts = [traced.ways(k).texts[way] for k, way in enumerate(ways)]
        assert texts == [traced.text_at(k, numbers, out) for k in range(count)], numbers


def test_a_dot_keeps_what_is_lost_where_pythons_sum_does(browser: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From Python 3.12 on, a sum of floats is compensated; this is its algorithm."""

    def compensated(numbers: Sequence[float]) -> float:
        n = len(numbers) // 2
        total, lost = (numbers[2 * n] if len(numbers) % 2 else 0.0), 0.0
        for x in (numbers[k] * numbers[n + k] for k in range(n)):
            new = total + x
            lost += (total - new) + x if abs(total) >= abs(x) else (x - new) + total
            total = new
        return total + lost if lost and math.isfinite(lost) else total

    monkeypatch.setattr(javascript, "sys", SimpleNamespace(version_info=(3, 12)))
    uses = [(key, operation, count) for key, operation, count in USES if operation.name == "dot"]
    differs = 0
    for key, found in computed(browser, uses, 200).items():
        for out, numbers, (value, *_) in found:
            assert ulps(compensated(numbers), value) == 0.0, (key, numbers)
            differs += ulps(out, value) > 0.0
    assert differs or sys.version_info >= (3, 12)


@pytest.mark.slow
def test_how_close_they_are(browser: Any) -> None:
    """At 2,000 points each; `pytest -m slow -s` prints the worst of each operation."""
    for key, operation, count in USES:
        found = computed(browser, [(key, operation, count)], 1_000)  # all at once are too much for one call
        worst_value = worst_derivative = 0.0
        for out, numbers, (value, *more) in found[key]:
            worst_value = max(worst_value, value_error(operation.name, out, value, numbers))
            expected = operation.differentiate(out, numbers, range(count))
            for x, y, scale in zip(expected, more[:count], scales(operation, out, numbers, expected), strict=True):
                if ulps(x + 0.0, y + 0.0) > 2.0:
                    worst_derivative = max(worst_derivative, abs(x - y) / scale if scale else inf)
        print(f"{key:16} {worst_value:4.1f} ulp, derivatives {worst_derivative:.1e} (0: all within 2 ulp)")
        assert worst_value <= 4.0
        assert worst_derivative <= 1e-12


# What is printed, and what is refused


def test_a_page_carries_only_what_it_uses() -> None:
    assert len(rules_as_javascript([("tanh", 1), ("mul", 2), ("add", 2)])) < 600
    everywhere = rules_as_javascript([(operation, count) for _, operation, count in USES])
    assert "erfcBeyond" in everywhere
    assert "erfcBeyond" not in rules_as_javascript([("exp", 1)])


def test_a_rule_of_many_operands_is_written_once() -> None:
    once, thrice = (rules_as_javascript([("softmax", n) for n in counts]) for counts in ([3], [3, 4, 5]))
    assert once.count("reduce") == thrice.count("reduce")


def test_a_name_cannot_end_the_script() -> None:
    hostile = autograd.operation(lambda m: (lambda x: x, lambda out, x: 1.0), name='"]}</script><script>alert(1)//')
    assert "</" not in rules_as_javascript([(hostile.operation, 1)])


def test_an_operation_over_floats_has_no_rule_to_print() -> None:
    halve = autograd.operation(lambda x: x / 2.0, lambda out, x: 0.5, name="halve")
    with pytest.raises(TypeError, match="halve was given over floats only"):
        rules_as_javascript([(halve.operation, 1)])


def test_two_operations_of_one_name_are_refused() -> None:
    one, two = (autograd.operation(lambda m: (lambda x: x, lambda out, x: 1.0), name="same") for _ in range(2))
    with pytest.raises(TypeError, match="two different operations are called same: give one of them another name"):
        rules_as_javascript([(one.operation, 1), (two.operation, 1)])
    rules_as_javascript([("where", 3), (DECIDED_WHERE, 3)])


def test_neither_numpy_nor_llvmlite_is_needed() -> None:
    code = (
        "import sys; sys.modules |= {'numpy': None, 'llvmlite': None}\n"
        "from autograd.compiler.javascript import rules_as_javascript\n"
        "print(len(rules_as_javascript([('erf', 1), ('softmax', 3)])))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
