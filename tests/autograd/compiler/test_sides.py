"""Do formulas whose sides share calls compute the same numbers?"""

import random

import pytest

pytest.importorskip("llvmlite")

from autograd.compiler.sides import COSTLY, with_shared_calls
from autograd.operations import operations
from autograd.symbols import evaluate, formula, walk
from tests.autograd.compiler.test_against_eager import some_number

FEW = [name for name, operation in operations.items() if not operation.nary]


@pytest.mark.parametrize("name", FEW)
def test_the_numbers_are_the_same_bit_by_bit(name):
    rng, found = random.Random(name), formula(name)
    expressions = [found.value, *found.derivatives]
    shared = with_shared_calls(expressions)
    for _ in range(200):
        operands = [some_number(rng) for _ in found.operands]
        out = float(evaluate([found.value], operands)[0])
        assert list(map(repr, evaluate(shared, operands, out))) == list(map(repr, evaluate(expressions, operands, out)))


@pytest.mark.parametrize(("name", "calls"), [("sigmoid", 1), ("silu", 1), ("softplus", 1), ("gelu_tanh", 3)])
def test_one_exponential_serves_both_sides(name, calls):
    (value,) = with_shared_calls([formula(name).value])
    assert sum(x.function == "exp" for x in walk([value])) == calls


@pytest.mark.parametrize("name", FEW)
def test_no_call_is_added(name):
    found = formula(name)
    for expression in (found.value, *found.derivatives):
        (shared,) = with_shared_calls([expression])
        before, after = ([x for x in walk([y]) if x.function in COSTLY] for y in (expression, shared))
        assert len(after) <= len(before)
