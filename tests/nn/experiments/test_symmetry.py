"""Figure 1 of 1986: is what is said of it true of the weights, computed here without the library?

In the suite four networks learn, those of seeds 12 to 15, given up after 1,500 sweeps: the first four in a row that
show both ratios and a failure and end soon. `pytest -m slow tests/nn/experiments/test_symmetry.py -s` tries all twenty.
"""

import io
import random
import subprocess
import sys
from itertools import combinations, product
from math import exp
from pathlib import Path

import pytest

from nn.experiments import symmetry
from nn.experiments.symmetry import TARGETS, Learned, Symmetry, learn, mirror_symmetry


@pytest.fixture(scope="module")
def four() -> Symmetry:
    return mirror_symmetry(seed=12, seeds=4, most_sweeps=1500, progress=False)


@pytest.fixture(scope="module")
def hasty() -> Symmetry:
    """One network, given up before it could learn anything."""
    return mirror_symmetry(seed=8, seeds=1, most_sweeps=3, progress=False)


def logistic(x: float) -> float:
    return 1.0 / (1.0 + exp(-x))


def outputs(net: Learned) -> list[float]:
    """What a network of these weights says about the 64 inputs."""
    found = []
    for bits in product((0, 1), repeat=6):
        hidden = [
            logistic(sum(w * x for w, x in zip(ws, bits, strict=True)) + b)
            for ws, b in zip(net.hidden, net.hidden_biases, strict=True)
        ]
        found.append(logistic(sum(v * h for v, h in zip(net.output_weights, hidden, strict=True)) + net.output_bias))
    return found


def sizes(unit: tuple[float, ...]) -> list[float]:
    """The sizes of the first three weights, in order, the largest as 4."""
    three = sorted(map(abs, unit[:3]))
    return [4.0 * size / three[2] for size in three]


def by_hand(seed: int, sweeps: int) -> list[float]:
    """The paper's procedure in plain numbers: w1[0..5], b1, w2[0..5], b2, v[0..1], c."""
    rng = random.Random(seed)
    w = [rng.uniform(-0.3, 0.3) for _ in range(17)]
    change = [0.0] * 17
    for _ in range(sweeps):
        gradient = [0.0] * 17
        for bits in product((0, 1), repeat=6):
            d = float(bits == bits[::-1])
            h = [logistic(sum(w[7 * j + i] * bits[i] for i in range(6)) + w[7 * j + 6]) for j in range(2)]
            y = logistic(w[14] * h[0] + w[15] * h[1] + w[16])
            dy = (y - d) * y * (1.0 - y)
            gradient[16] += dy
            for j in range(2):
                gradient[14 + j] += dy * h[j]
                dh = dy * w[14 + j] * h[j] * (1.0 - h[j])
                gradient[7 * j + 6] += dh
                for i in range(6):
                    gradient[7 * j + i] += dh * bits[i]
        change = [-0.1 * g + 0.9 * before for g, before in zip(gradient, change, strict=True)]
        w = [a + b for a, b in zip(w, change, strict=True)]
    return w


@pytest.mark.parametrize("why_not", ["", "as if there were no native code"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sweeps", [1, 2, 30])
def test_a_sweep_is_the_paper_s_formula(monkeypatch: pytest.MonkeyPatch, why_not: str, seed: int, sweeps: int) -> None:
    monkeypatch.setattr(symmetry, "why_not_compiled", lambda: why_not)
    net = learn(seed, most_sweeps=sweeps)
    (one, other), (b1, b2) = net.hidden, net.hidden_biases
    assert net.sweeps == sweeps
    assert [*one, b1, *other, b2, *net.output_weights, net.output_bias] == pytest.approx(
        by_hand(seed, sweeps), rel=1e-9
    )


def test_eight_of_the_sixty_four_inputs_are_symmetric() -> None:
    assert len(TARGETS) == 64
    assert sum(TARGETS) == 8


def test_three_of_the_four_learn_it_and_one_does_not(four: Symmetry) -> None:
    assert [net.seed for net in four.networks] == [12, 13, 14, 15]
    assert [net.seed for net in four.failed()] == [15]
    for net in four.solved():
        assert net.solved_after is not None
        assert 400 < net.solved_after <= 1500


def test_a_solved_network_is_right_about_every_input(four: Symmetry) -> None:
    for net in four.solved():
        errors = [abs(y - d) for y, d in zip(outputs(net), TARGETS, strict=True)]
        assert max(errors) == pytest.approx(net.worst)
        assert max(errors) < 0.02


def test_mirrored_weights_cancel(four: Symmetry) -> None:
    for net in four.solved():
        for unit in net.hidden:
            for i in range(3):
                assert unit[5 - i] == pytest.approx(-unit[i], rel=0.05)
        assert net.antisymmetry() < 0.05


def test_the_hidden_units_are_opposite_and_the_biases_as_reported(four: Symmetry) -> None:
    for net in four.solved():
        assert net.hidden[1] == pytest.approx([-w for w in net.hidden[0]], rel=0.05)
        assert net.opposition() < -0.999
        assert max(net.hidden_biases) < 0.0 < net.output_bias


def test_both_ratios_are_found(four: Symmetry) -> None:
    for net in four.solved():
        wanted = {"1:2:4": [1.0, 2.0, 4.0], "2:3:4": [2.0, 3.0, 4.0]}[net.ratio()]
        for unit in net.hidden:
            assert sizes(unit) == pytest.approx(wanted, abs=0.2)
    assert {net.ratio() for net in four.solved()} == {"1:2:4", "2:3:4"}


def test_the_eight_halves_send_different_sums(four: Symmetry) -> None:
    for net in four.solved():
        for unit in net.hidden:
            sums = [sum(w * x for w, x in zip(unit, bits, strict=False)) for bits in product((0, 1), repeat=3)]
            gap = min(abs(a - b) for a, b in combinations(sums, 2))
            assert gap > 0.2 * max(map(abs, unit))


def test_the_one_that_fails_says_no_to_everything(four: Symmetry) -> None:
    (net,) = four.failed()
    assert max(outputs(net)) < 1e-4
    assert net.deepest_no < min(other.deepest_no for other in four.solved())
    assert net.sweeps == 1500


def test_a_lower_learning_rate_helps_the_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symmetry, "TRAINED_ON", 0)
    lower = learn(15, most_sweeps=1500, lr=0.03)
    assert lower.solved_after is not None


def test_the_claims_hold_and_the_table_fits_80_columns(four: Symmetry) -> None:
    assert len(four.claims()) == 7
    assert all(claim.holds for claim in four.claims())
    lines = str(four).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert sum("not in 1,500" in line for line in lines) == 1


def test_a_run_without_success_says_so(hasty: Symmetry) -> None:
    assert [claim.holds for claim in hasty.claims()] == [False]
    assert "NO: at least 7 in 10" in str(hasty)


def test_it_is_drawn(four: Symmetry, hasty: Symmetry) -> None:
    assert len(four.plot().axes) == 5  # a network of either ratio, one that failed, and the sweeps twice
    assert len(hasty.plot().axes) == 3
    picture = io.BytesIO()
    four.plot().savefig(picture, format="png")
    assert picture.getvalue()


def test_processes_do_not_change_a_bit() -> None:
    together = mirror_symmetry(seed=3, seeds=2, most_sweeps=5, processes=2, progress=False)
    assert together == mirror_symmetry(seed=3, seeds=2, most_sweeps=5, processes=1, progress=False)
    assert together.networks == (learn(3, most_sweeps=5), learn(4, most_sweeps=5))


def test_a_script_that_cannot_be_imported_is_told_what_to_do(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from nn.experiments.symmetry import mirror_symmetry\nmirror_symmetry(seeds=2, most_sweeps=2, processes=2)\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=600)
    assert ended.returncode == 1
    assert "call mirror_symmetry below `if __name__ == '__main__':`, or with processes=1" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seed": -1}, "seed takes a whole number of at least 0; got -1"),
        ({"seeds": 0}, "seeds takes a whole number of at least 1; got 0"),
        ({"most_sweeps": 0}, "most_sweeps takes a whole number of at least 1; got 0"),
        ({"processes": 0}, "processes takes a whole number of at least 1; got 0"),
        ({"lr": -0.1, "seeds": 1}, "SGD takes a lr of at least 0; got -0.1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        mirror_symmetry(**arguments, progress=False)  # type: ignore[arg-type]


@pytest.mark.slow
def test_twenty_beginnings() -> None:
    twenty = mirror_symmetry(progress=False)
    print(f"\n{twenty}")
    assert len(twenty.networks) == 20
    assert len(twenty.solved()) >= 14
    for net in twenty.solved():
        assert max(abs(y - d) for y, d in zip(outputs(net), TARGETS, strict=True)) < 0.02
        assert net.antisymmetry() < 0.05
    assert all(claim.holds for claim in twenty.claims())
