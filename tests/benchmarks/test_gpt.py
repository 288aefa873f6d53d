"""Do the engines that are compared train the same GPT, and is a program of one file run as it stands?"""

import pytest

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'scalar-autograd[bench]'")

from autograd import Value
from tests.benchmarks import gpt, gpt_script
from tests.benchmarks.gpt_ours import Program, with_fit
from tests.benchmarks.gpt_peers import Task

STEPS = 4
PROGRAM = """
class Value:
    def __init__(self, data):
        self.data = data

with open("input.txt") as file:
    names = file.read().split()
for step in range(3):
    print(f"step {step + 1:4d} / {3:4d} | loss {Value(float(step)).data:.4f}")
print(f"sample {1:2d}: {names[0]} by {Value.__module__}")
"""


@pytest.fixture
def names(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text("\n".join(["oslo", "rome", "a", "constantinoplesands", "lima", "bern"]), encoding="utf-8")
    return file


def losses(engine, task):
    trained = engine(task, STEPS, 1)
    return [trained.step(step) for step in range(STEPS)]


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(("engine", "package"), [("PyTorch", "torch"), ("JAX", "jax")])
def test_every_engine_has_the_same_losses(names, engine, package, batch):
    pytest.importorskip(package)
    task = Task(names, batch)
    gpt.check_close(engine, losses(gpt.maker(engine), task), losses(Program, task))


def test_fit_learns_what_a_program_of_ones_own_does(names):
    task = Task(names)
    found = with_fit(task, STEPS)
    assert found["mean_loss"] == pytest.approx(sum(losses(Program, task)) / STEPS, rel=1e-12)
    assert found["samples"] == with_fit(task, STEPS, "eager")["samples"]


def test_a_program_is_run_with_its_own_class_or_with_another(tmp_path, names):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, encoding="utf-8")
    found = gpt_script.run(script, names)
    assert found["losses"] == ["0.0000", "1.0000", "2.0000"]
    assert found["samples"] == ["oslo by __main__"]
    assert len(found["steps"]) == 2
    assert gpt_script.run(script, names, value=Value)["samples"] == ["oslo by autograd.value"]
    assert gpt_script.run(script, names, steps=2)["losses"] == ["0.0000", "1.0000"]


def test_losses_that_differ_stop_the_benchmark():
    with pytest.raises(SystemExit, match="the losses of step 2 differ"):
        gpt.check_close("JAX", [1.0, 2.0], [1.0, 2.1])
