"""Does the GPT of scalars learn the same with its own class, with ours, and compiled?"""

import pytest

from autograd import Value
from tests.benchmarks.gpt_script import run
from tests.benchmarks.swapped_class import PROGRAM, native


@pytest.fixture
def names(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text("oslo\nrome\na\nbern\nconstantinoplesands\n", encoding="utf-8")
    return file


def test_the_losses_are_the_same_with_either_class(names):
    own, ours = run(PROGRAM, names, 3), run(PROGRAM, names, 3, Value)
    assert len(own["losses"]) == 3
    assert own["losses"] == ours["losses"]


@pytest.mark.slow
def test_compiled_they_are_the_same(names):
    pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'scalar-autograd[bench]'")
    assert native(names, 20)["losses"] == run(PROGRAM, names, 20, Value)["losses"]
