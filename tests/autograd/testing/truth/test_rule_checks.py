"""Does the check of a rule find what is wrong, and nothing else?

It must be able to fail: every rule is made wrong in four ways, and each change that exceeds the stated bound has to be
noticed. And it must not fail by mistake: on the rules as they are, and on correct operations of a user's own.

`pytest -m slow tests/autograd/testing/test_rule_checks.py -s` takes many points and prints the shares.
"""

import math
import random
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
import pytest
from mpmath import mpf

import autograd
from autograd.operations import Operation, operations
from autograd.rules import WITH_INDEX, Rule
from autograd.testing import WrongRuleError, check_rule, check_rules, gradcheck
from autograd.testing.truth import rule_checks
from autograd.testing.truth.exact_accumulation import adjoints
from autograd.testing.truth.oracles import Operands, exact, oracles, ulp_error
from autograd.testing.truth.rule_checks import local_misses, misses_at

nan, inf = math.nan, math.inf
EVERY_OPERATION = pytest.mark.parametrize("name", operations)


# Rules made wrong

Change = Callable[[str, list[float]], list[float]]


def swapped(name: str, derivatives: list[float]) -> list[float]:
    last = len(derivatives) - (name in WITH_INDEX)
    return [*derivatives[:last][::-1], *derivatives[last:]]


CHANGES: dict[str, Change] = {
    "times 1 + 1e-6": lambda name, derivatives: [d * (1.0 + 1e-6) for d in derivatives],
    "negated": lambda name, derivatives: [-d for d in derivatives],
    "zeroed": lambda name, derivatives: [0.0 for _ in derivatives],
    "swapped": swapped,
}


def changed(operation: Operation, change: Change) -> Operation:
    """The operation with other derivatives, and the same value."""

    def every(rule: Rule) -> Callable[..., list[Any]]:
        if rule.nary:
            return lambda out, *xs: change(rule.name, rule.derivatives[0](out, *xs))
        return lambda out, *xs: change(rule.name, [d(out, *xs) for d in rule.derivatives])

    def one(rule: Rule, place: int) -> Callable[..., Any]:
        return lambda out, *xs: every(rule)(out, *xs)[place]

    def with_change(rule: Rule) -> Rule:
        places = range(len(rule.derivatives))
        return rule._replace(derivatives=(every(rule),) if rule.nary else tuple(one(rule, i) for i in places))

    assert operation.careful is not None
    return Operation(with_change(operation.rule), with_change(operation.careful), operation.over)


def noticed(name: str, change: Change, points: int, seed: int) -> Iterator[tuple[bool, Operands]]:
    """For each derivative that the change moves by more than its bound (and its own error): whether it is noticed."""
    operation, rng = operations[name], random.Random(f"{name} {seed}")
    for operands in (oracles[name].draw(rng) for _ in range(points)):
        wanted = range(len(operands) - (name in WITH_INDEX))
        derivatives = operation.differentiate(operation.evaluate(operands), operands, wanted)
        wrong = changed(operation, change).differentiate(operation.evaluate(operands), operands, wanted)
        exceeds = list(_beyond_the_bound(name, operands, derivatives, wrong))
        found = {miss.place for miss in local_misses(operation, operands, wrong, wanted) if miss.ulp > miss.bound}
        yield from ((place in found, operands) for place in exceeds)


def _beyond_the_bound(
    name: str, operands: Operands, derivatives: Sequence[float], wrong: Sequence[float]
) -> Iterator[int]:
    terms, bound = oracles[name].terms, operations[name].rule.ulp_bound(len(operands))
    sizes = [None] * len(wrong) if terms is None else exact(terms, operands)
    for place, (d, w) in enumerate(zip(derivatives, wrong, strict=True)):
        if not math.isnan(d) and ulp_error(w, mpf(d), sizes[place]) > 2 * bound:
            yield place


def share_noticed(points: int, seed: int) -> float:
    """The share of all changes beyond the bound that are noticed; printed for each kind of change."""
    total = []
    for what, change in CHANGES.items():
        found = [hit for name in operations for hit in noticed(name, change, points, seed)]
        print(f"\n{what:15} {sum(hit for hit, _ in found):7} of {len(found):7} wrong derivatives noticed", end="")
        total += [hit for hit, _ in found]
    return sum(total) / len(total)


def test_nearly_every_wrong_derivative_is_noticed() -> None:
    assert share_noticed(points=15, seed=1) >= 0.99


@pytest.mark.slow
def test_of_many_wrong_derivatives_nearly_every_one_is_noticed() -> None:
    assert share_noticed(points=500, seed=2) >= 0.99


@pytest.mark.parametrize("what", CHANGES)
@EVERY_OPERATION
def test_every_rule_made_wrong_is_found(name: str, what: str) -> None:
    """(Nothing is wrong about minus zero, nor about two equal derivatives swapped.)"""
    if any(noticed(name, CHANGES[what], points=15, seed=3)):
        with pytest.raises(WrongRuleError, match=f"of `{name}` is wrong"):
            check_rule(changed(operations[name], CHANGES[what]), points=15)
    else:
        harmless = {"add", "sum", "mean", "neg", "relu", "floor_divide", "sign", "floor", "ceil", "round"}
        assert name in harmless or len(operations[name].derivatives) == 1


def test_a_wrong_value_is_found() -> None:
    tanh = operations["tanh"]
    wrong = Operation(tanh.rule._replace(value=lambda x: math.tanh(x) * (1.0 + 1e-14)), None)
    with pytest.raises(WrongRuleError, match="the value of `tanh` is wrong"):
        check_rule(wrong, points=50)


def test_a_wrong_special_point_is_found() -> None:
    relu = operations["relu"]
    wrong = Operation(relu.rule._replace(derivatives=(lambda out, x: 1.0 if x >= 0.0 else 0.0,)), None)
    with pytest.raises(WrongRuleError, match=r"at         x = 0\.0"):
        check_rule(wrong, points=1)


# Rules as they are


@EVERY_OPERATION
def test_no_rule_of_the_engine_is_called_wrong(name: str) -> None:
    report = check_rule(name, points=60)
    assert report.failures == 0
    assert report.points >= 60
    assert all(worst.ulp <= worst.bound for worst in report.worst)


@pytest.mark.slow
@EVERY_OPERATION
def test_at_two_thousand_points_no_rule_is_called_wrong(name: str) -> None:
    print(f"\n{check_rule(name, points=2_000, rng=random.Random(f'{name} many'))}", end="")


EXTREMES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -3.0, 6.0, 1e-320, 5e-324, 2.0**52, 1.7e308, -1.7e308, inf, -inf, nan)


@EVERY_OPERATION
def test_at_kinks_ties_and_extremes_no_rule_is_called_wrong(name: str) -> None:
    rng = random.Random(name)
    for _ in range(60):
        count = rng.randint(1, 4) if operations[name].nary else len(operations[name].derivatives)
        operands = tuple(rng.choice(EXTREMES) for _ in range(count))
        if name in WITH_INDEX:
            operands = (*operands, float(rng.randrange(count)))
        assert all(miss.ulp <= miss.bound for miss in misses_at(operations[name], operands)), operands


def test_all_rules_are_reported_in_one_table() -> None:
    reports = check_rules(points=1)
    assert [report.operation for report in reports] == list(operations)
    lines = str(reports).splitlines()
    assert len(lines) == len(operations) + 1
    assert lines[0].split() == ["operation", "points", "value:", "ulp", "derivatives:", "ulp"]


# Kinks and ties


def derivative_is_right(operation: Operation, operands: Sequence[float], *derivatives: float) -> bool:
    misses = local_misses(operation, operands, derivatives, range(len(derivatives)))
    return all(miss.ulp <= miss.bound for miss in misses)


def test_at_a_kink_what_lies_between_the_sides_is_right() -> None:
    leaky = operations["leaky_relu"]
    for slope in (0.1, 0.5, 1.0):
        assert derivative_is_right(leaky, (0.0, 0.1), slope, 0.0)
    for slope in (0.0999, 1.0001, -1.0, inf, nan):
        assert not derivative_is_right(leaky, (0.0, 0.1), slope, 0.0)
    assert not derivative_is_right(leaky, (0.0, 0.1), 0.5, 1e-9)


def test_at_a_jump_the_side_that_is_continuous_decides() -> None:
    assert derivative_is_right(operations["floor"], (3.0,), 0.0)
    assert not derivative_is_right(operations["floor"], (3.0,), 1.0)
    assert not derivative_is_right(operations["remainder"], (6.0, 3.0), 1.0, -3.0)


def test_shares_of_a_tie_sum_to_one() -> None:
    for name in ("max", "min"):
        operation, operands = operations[name], (5.0, 5.0, 5.0, 5.0)
        assert derivative_is_right(operation, operands, 0.25, 0.25, 0.25, 0.25)
        assert derivative_is_right(operation, operands, 1.0, 0.0, 0.0, 0.0)
        assert derivative_is_right(operation, operands, 0.1, 0.2, 0.3, 0.4)
        assert not derivative_is_right(operation, operands, 0.5, 0.5, 0.5, 0.0)
        assert not derivative_is_right(operation, operands, 0.25, 0.25, 0.25, 0.2499)
        assert not derivative_is_right(operation, operands, -0.5, 0.5, 0.5, 0.5)
        assert not derivative_is_right(operation, operands, nan, 0.5, 0.5, 0.0)
    assert not derivative_is_right(operations["max"], (1.0, 5.0, 5.0), 0.1, 0.5, 0.4)


def test_only_some_operands_of_a_tie_may_be_asked_for() -> None:
    operation, operands = operations["max"], (5.0, 5.0, 1.0)
    assert [miss.ulp for miss in local_misses(operation, operands, [0.5], [1])] == [0.0]
    assert [miss.ulp for miss in local_misses(operation, operands, [0.0, 0.5], [2, 0])] == [0.0, 0.0]
    assert next(local_misses(operation, operands, [1.5], [1])).ulp > 1e15


def test_an_index_may_count_from_the_end_and_be_a_value_itself() -> None:
    for name in WITH_INDEX:
        operation, operands = operations[name], (0.5, 1.5, -2.0, -1.0)
        derivatives = operation.differentiate(operation.evaluate(operands), operands, range(4))
        assert derivatives[2] > 0.0
        assert derivative_is_right(operation, operands, *derivatives)
        assert not derivative_is_right(operation, operands, *derivatives[:3], 1.0)


def test_nothing_is_claimed_outside_the_domain() -> None:
    for name, operands in (("log", (-2.0,)), ("atanh", (3.0,)), ("acosh", (-2.0,)), ("div", (2.0, 0.0))):
        assert not list(local_misses(operations[name], operands, [123.0] * len(operands), range(len(operands))))
    assert not list(local_misses(operations["exp"], (inf,), [1.0], [0]))


# Operations of a user's own


@autograd.operation
def cube(m: Any) -> Any:
    return lambda x: x * x * x, lambda out, x: 3.0 * x * x


@autograd.operation
def wrong_cube(m: Any) -> Any:
    return lambda x: x * x * x, lambda out, x: 2.0 * x * x


@autograd.operation
def x_times_sine(m: Any) -> Any:
    """Its derivative crosses zero, where two terms cancel."""
    return lambda x: x * m.sin(x), lambda out, x: m.sin(x) + x * m.cos(x)


@autograd.operation
def sine_by_math(m: Any) -> Any:
    """Its value can be had in floats only: `math.sin` would round a number of many digits."""
    return lambda x: x * math.sin(x), lambda out, x: math.sin(x) + x * math.cos(x)


@autograd.operation
def huber(m: Any) -> Any:
    def value(x: Any) -> Any:
        return 0.5 * x * x if abs(x) < 1.0 else abs(x) - 0.5

    return value, lambda out, x: x if abs(x) < 1.0 else 1.0 if x > 0 else -1.0


@autograd.operation
def hinge(m: Any) -> Any:
    return lambda x: 1.0 - x if x < 1.0 else 0.0, lambda out, x: -1.0 if x < 1.0 else 0.0


@autograd.operation
def stairs(m: Any) -> Any:
    return lambda x: m.floor(x), lambda out, x: 0.0


@autograd.operation
def gelu(m: Any) -> Any:
    """The approximation by a sigmoid: not the built-in operation of that name."""

    def sigmoid(x: Any) -> Any:
        return 1.0 / (1.0 + m.exp(-x)) if x > 0 else m.exp(x) / (1.0 + m.exp(x))

    def derivative(out: Any, x: Any) -> Any:
        s, t = sigmoid(1.702 * x), sigmoid(-1.702 * x)
        return s + 1.702 * x * s * t

    return lambda x: x * sigmoid(1.702 * x), derivative


@autograd.operation
def sum_of_squares(m: Any) -> Any:
    return lambda *xs: m.sum([x * x for x in xs]), lambda out, *xs: [2.0 * x for x in xs]


@autograd.operation
def weighted(m: Any) -> Any:
    return lambda x, y: x * m.exp(y), lambda out, x, y: m.exp(y), lambda out, x, y: out


square_root = autograd.operation(lambda x: math.sqrt(x), lambda out, x: 0.5 / out if out else inf, name="square_root")
softplus = autograd.operation(
    lambda x: math.log1p(math.exp(-abs(x))) + max(x, 0.0),
    lambda out, x: 1.0 / (1.0 + math.exp(-x)) if x > 0 else math.exp(x) / (1.0 + math.exp(x)),
    name="softplus",
)
CORRECT = [
    cube,
    x_times_sine,
    sine_by_math,
    huber,
    hinge,
    stairs,
    gelu,
    sum_of_squares,
    weighted,
    square_root,
    softplus,
]


@pytest.mark.parametrize("correct", CORRECT)
def test_correct_operations_of_ones_own_pass(correct: Any) -> None:
    report = check_rule(correct, points=60)
    assert (report.failures, report.points) == (0, 60)
    assert report.worst


@pytest.mark.slow
@pytest.mark.parametrize("correct", CORRECT)
def test_correct_operations_of_ones_own_pass_at_many_points(correct: Any) -> None:
    print(f"\n{check_rule(correct, points=1_000, rng=random.Random(7))}", end="")


@pytest.mark.parametrize("factor", [1.0 + 1e-6, -1.0, 0.0])
@pytest.mark.parametrize("correct", [c for c in CORRECT if c is not stairs])
def test_wrong_operations_of_ones_own_are_found(correct: Any, factor: float) -> None:
    right = correct.operation.rule

    def scaled(derivative: Callable[..., Any]) -> Callable[..., Any]:
        if right.nary:
            return lambda out, *xs: [d * factor for d in derivative(out, *xs)]
        return lambda out, *xs: derivative(out, *xs) * factor

    rule = right._replace(derivatives=tuple(map(scaled, right.derivatives)), name="own")
    with pytest.raises(WrongRuleError):
        check_rule(Operation(rule, None, correct.operation.over), points=30)


def test_at_a_kink_of_ones_own_what_lies_between_is_right() -> None:
    for slope, right in ((0.0, True), (-0.5, True), (-1.0, True), (0.1, False), (-1.1, False)):
        assert derivative_is_right(hinge.operation, (1.0,), slope) is right  # type: ignore[attr-defined]


def test_a_formula_that_cancels_is_found_and_named_as_such() -> None:
    textbook = autograd.operation(lambda m: (lambda x: m.tanh(x), lambda out, x: 1.0 - out * out), name="textbook")
    with pytest.raises(WrongRuleError, match=r"right to \d+ digits: do terms cancel") as raised:
        check_rule(textbook, points=100)
    assert max(worst.ulp for worst in raised.value.report.worst) > 1e15


# What is said


def test_the_message_shows_the_simplest_point_both_numbers_and_how_to_repeat_it() -> None:
    with pytest.raises(WrongRuleError) as raised:
        check_rule(wrong_cube, points=100)
    message = str(raised.value)
    assert message.splitlines()[:4] == [
        "the derivative d/dx of `wrong_cube` is wrong",
        "  at         x = 1.0",
        "  autograd   2",
        "  true       3.0000000000000000",
    ]
    assert "ulp; 8 are allowed" in message
    assert message.endswith("reproduce  check_rule(wrong_cube, points=100)")
    assert raised.value.report.failures > 50


def test_n_ary_failures_shrink_to_few_operands() -> None:
    wrong = changed(operations["norm"], CHANGES["negated"])
    with pytest.raises(WrongRuleError, match=r"d/dx0 of `norm`.*\n  at         x0 = 1.0\n  autograd   -1\n"):
        check_rule(wrong, points=50)


def test_a_check_repeats_itself_unless_it_is_given_random_numbers() -> None:
    assert check_rule("atan2", points=30) == check_rule("atan2", points=30)
    assert check_rule("atan2", points=30, rng=random.Random(5)) != check_rule("atan2", points=30)


def test_an_operation_may_be_given_in_every_form() -> None:
    forms = ("tanh", autograd.tanh, operations["tanh"], autograd.Value.tanh)
    first, *others = [check_rule(form, points=5) for form in forms]
    assert others == [first] * 3
    assert check_rule(autograd.softmax, points=5).operation == "softmax"
    assert check_rule(autograd.max, points=5).operation == "max"
    assert check_rule(cube, points=5).operation == check_rule(cube.operation, points=5).operation == "cube"  # type: ignore[attr-defined]


def test_the_report_names_operands_and_shows_errors_and_bounds() -> None:
    lines = str(check_rule(autograd.leaky_relu, points=50)).splitlines()
    assert lines[0] == "leaky_relu: 50 points over the whole range of doubles, all within their bounds"
    assert [line.split()[0] for line in lines[1:]] == ["value", "d/dnegative_slope", "d/dx"]
    assert all(" of   8 ulp at (" in line for line in lines[1:])


# Bad input


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(ValueError, match="there is no operation 'tahn'; did you mean 'tan' or 'tanh'"):
        check_rule("tahn")
    with pytest.raises(ValueError, match=r"there is no operation 'qqqq'; autograd.operations has all names"):
        check_rule("qqqq")


@pytest.mark.parametrize("points", [0, -1, 1.5, True, "7", None])
def test_points_are_a_whole_number_from_1(points: Any) -> None:
    with pytest.raises(ValueError, match="whole number of points, at least 1; got"):
        check_rule("tanh", points=points)


@pytest.mark.parametrize("wrong", [math.tanh, 3, None, abs, lambda x: x])
def test_what_is_no_operation_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="check_rule takes an operation"):
        check_rule(wrong)


def test_an_operation_that_is_nowhere_finite_is_refused() -> None:
    nowhere = autograd.operation(lambda x: x * nan, lambda out, x: out, name="nowhere")
    with pytest.raises(ValueError, match="no point was found where nowhere is finite"):
        check_rule(nowhere, points=10)
    raising = autograd.operation(lambda x: x / 0.0, lambda out, x: out, name="raising")
    with pytest.raises(ValueError, match="no point was found where raising is finite"):
        check_rule(raising, points=10)


def test_an_operation_that_gives_no_real_number_is_refused() -> None:
    root = autograd.operation(lambda x: x**0.5, lambda out, x: 0.5 / out, name="root")
    with pytest.raises(TypeError, match=r"root gives .*j\) \(complex\) for \(-.*one real number"):
        check_rule(root, points=10)


def test_an_operation_with_a_mistake_in_it_raises_with_a_note() -> None:
    broken = autograd.operation(lambda x: x.missing, lambda out, x: out, name="broken")
    with pytest.raises(AttributeError, match="missing") as raised:
        check_rule(broken, points=10)
    assert "broken was called with" in raised.value.__notes__[0]


def test_a_derivative_that_raises_where_the_value_is_finite_is_wrong() -> None:
    fragile = autograd.operation(lambda x: abs(x), lambda out, x: math.sqrt(x) / math.sqrt(x), name="fragile")
    with pytest.raises(WrongRuleError, match="autograd   nan"):
        check_rule(fragile, points=30)


@pytest.mark.parametrize("rng", [3, "a", random], ids=repr)
def test_random_numbers_come_from_a_generator(rng: Any) -> None:
    with pytest.raises(TypeError, match=r"check_rule takes a random.Random as rng, or None; got"):
        check_rule("tanh", points=3, rng=rng)


@pytest.mark.parametrize("nothing", [None, "a", 1j], ids=repr)
def test_a_derivative_that_is_no_number_is_named(nothing: Any) -> None:
    own = autograd.operation(lambda x, y: x * y, lambda out, x, y: y, lambda out, x, y: nothing, name="own")
    with pytest.raises(TypeError, match=r"the derivative d/dy of own is .* at \(.*\); return one real number$"):
        check_rule(own, points=3)
    nary = autograd.operation(lambda m: (lambda *xs: m.sum(xs), lambda out, *xs: [nothing for _ in xs]), name="nary")
    with pytest.raises(TypeError, match=r"a derivative of nary is .*; return one real number for each operand$"):
        check_rule(nary, points=3)


# How much is claimed


def test_points_where_nothing_is_known_are_not_counted_as_judged() -> None:
    report = check_rule(sine_by_math, points=60)
    far = sum(
        abs(operands[0]) > 2.0**26 for operands in rule_checks._points(sine_by_math.operation, 60, random.Random(0))
    )  # type: ignore[attr-defined]
    assert far > 0
    assert 0 < report.judged <= 60 - far
    assert str(report).startswith(f"sine_by_math: 60 points, {report.judged} of them judged, all within their bounds\n")


def test_a_report_in_which_nothing_is_judged_says_so() -> None:
    far = autograd.operation(lambda x: x if x > 1e9 else math.nan, lambda out, x: 7.0, name="far")
    assert str(check_rule(far, points=20)) == "far: 20 points, none of them judged"


def test_every_point_of_a_built_in_rule_is_judged() -> None:
    for report in check_rules(points=5):
        assert report.judged == report.points


# Threads


def test_threads_keep_their_precision_apart() -> None:
    before, expected = mpmath.mp.prec, check_rule("gelu", points=60)
    found: list[Any] = []

    def work() -> None:
        found.append(check_rule("gelu", points=60))
        x = autograd.Value(0.7)
        gradcheck(lambda x: (x * x).tanh() + x, 0.7)
        y = x * x + x
        y.backward()
        found.append(adjoints(y)[x].true)

    threads = [threading.Thread(target=work) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert mpmath.mp.prec == before
    assert found.count(expected) == 4
    assert len(found) == 8


# Width


def test_no_line_is_wider_than_80_columns() -> None:
    nary = changed(operations["logsumexp"], CHANGES["times 1 + 1e-6"])
    textbook = autograd.operation(lambda m: (lambda x: m.tanh(x), lambda out, x: 1.0 - out * out), name="textbook")
    for wrong in (nary, textbook, changed(operations["dot"], CHANGES["negated"])):
        with pytest.raises(WrongRuleError) as raised:
            check_rule(wrong, points=100)
        lines = [*str(raised.value).splitlines(), *str(raised.value.report).splitlines()]
        assert all(len(line) <= 80 for line in lines if "reproduce" not in line), lines
    for name in operations:
        assert all(len(line) <= 80 for line in str(check_rule(name, points=20)).splitlines())
