"""Does the command that tries mutants still work? (`python -m tests.mutations` tries them all, in some minutes.)"""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="mutants live in forks, which Windows has not")

COMMAND = """
from functools import partial
from tests.mutations.__main__ import run_by_hand
from tests.mutations.engine_by_hand import engine_mutants
from tests.mutations.mutant import Mutant, mutate_table, transplant

def negated(table):
    derivative = table["tanh"].derivatives[0]
    return {**table, "tanh": table["tanh"]._replace(derivatives=(lambda *xs: -derivative(*xs),))}

rule = Mutant("negate", "tanh: derivative 0, negate", partial(mutate_table, negated), frozenset(["tanh"]))
engine = [m for m in engine_mutants() if "in place of adding" in m.name or "strong zeros: a zero" in m.name]
harmless = Mutant("value", "nothing", partial(mutate_table, lambda table: table), frozenset())
broken = Mutant("value", "no Python", partial(transplant, "autograd.value", "def :"), frozenset())
few = {"tests": ("value", "special_points"), "only": "does_not_die_at_20 or known_figures or zero_factor"}
print("exit code", run_by_hand([rule], engine, [], **few))
print("exit code", run_by_hand([], [harmless, broken], [], **few))
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.fixture(scope="module")
def output() -> str:
    result = run("-c", COMMAND)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_mutants_of_a_rule_and_of_the_engine_are_killed(output: str) -> None:
    first, _, second = output.partition("exit code 0\n")
    assert "3 of 3 mutants killed" in first
    assert "tanh                            1/1" in first
    assert second
    assert all(len(line) <= 80 for line in output.splitlines())


def test_a_mutant_that_no_test_notices_fails_the_command_and_so_does_one_that_cannot_be_imported(output: str) -> None:
    assert "\nsurvived nothing\n" in output
    assert "\nbroken   no Python\n" in output
    assert "0 of 2 mutants killed" in output
    assert output.endswith("exit code 1\n")


@pytest.mark.slow
def test_every_mutant_made_by_hand_is_killed() -> None:
    result = run("-m", "tests.mutations")
    assert result.returncode == 0, result.stdout + result.stderr
