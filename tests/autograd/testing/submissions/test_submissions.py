"""Is each engine of a class judged rightly, and does none that hangs, floods, exits or cheats keep the others waiting?

All of them take minutes, and are marked slow; a few of each kind are tried always.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograd.testing.engines.many import judge_all
from autograd.testing.engines.outcomes import Outcome
from autograd.testing.engines.requirements import required
from tests.autograd.testing.submissions.faults import FAULTS, RIGHT as BASE, Fault
from tests.autograd.testing.submissions.hostile import ANOTHERS, HOSTILE, Hostile
from tests.autograd.testing.submissions.right import OFFERED, RIGHT, TEXTBOOK

SECONDS = 60.0
"""Three times the usual: the machine may be busy."""
ALWAYS = ["micrograd"]
FAULTS_ALWAYS = ["zero_operand", "leaks"]
HOSTILE_ALWAYS = ["children", "always_equal", "kills_its_parent"]


def _slow(name: str, always: list[str]) -> tuple[pytest.MarkDecorator, ...]:
    return () if name in always else (pytest.mark.slow,)


def judged(folder: Path, name: str, text: str, names: str = "", seconds: float = SECONDS) -> Outcome:
    file = folder / f"{name}.py"
    file.write_text(text)
    (outcome,) = judge_all([f"{file}:Value"], seconds, 1, required([names]))
    return outcome


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.report, outcome.sentence
    return [f"{claim.topic}: {claim.text}" for claim in outcome.report.wrong]


@pytest.mark.parametrize("name", [pytest.param(name, marks=_slow(name, ALWAYS)) for name in RIGHT])
def test_a_right_engine_is_right_in_any_style(tmp_path: Path, name: str) -> None:
    outcome = judged(tmp_path, name, RIGHT[name], OFFERED)
    assert outcome.verdict == "right"
    assert not outcome.remark.strip() or outcome.remark.startswith("not required, wrong: ")
    topics = {"values", "derivatives", "plain numbers", "chain rule", "accumulation"}
    assert [claim for claim in wrong(outcome) if claim.partition(":")[0] in topics] == []


def test_textbook_formulas_are_right_although_they_lose_digits_and_overflow_far_out(tmp_path: Path) -> None:
    outcome = judged(tmp_path, "textbook", TEXTBOOK)
    assert (outcome.verdict, wrong(outcome)) == ("right", [])


@pytest.mark.slow
def test_the_engine_that_gets_the_faults_has_none(tmp_path: Path) -> None:
    outcome = judged(tmp_path, "base", BASE)
    assert (outcome.verdict, wrong(outcome)) == ("right", [])


@pytest.mark.parametrize("fault", [pytest.param(each, marks=_slow(each.name, FAULTS_ALWAYS)) for each in FAULTS])
def test_a_planted_fault_is_found(tmp_path: Path, fault: Fault) -> None:
    outcome = judged(tmp_path, fault.name, fault.text)
    assert outcome.verdict == "wrong"
    assert any(claim.startswith(fault.claim) for claim in wrong(outcome))


@pytest.mark.parametrize("hostile", [pytest.param(each, marks=_slow(each.name, HOSTILE_ALWAYS)) for each in HOSTILE])
def test_what_hangs_floods_exits_or_cheats_gets_a_verdict(tmp_path: Path, hostile: Hostile) -> None:
    outcome = judged(tmp_path, hostile.name, hostile.text, seconds=4.0 if "import takes" in hostile.says else 20.0)
    assert outcome.verdict in ("wrong", "not judged")
    said = f"{outcome.sentence} {outcome.report or ''}"
    assert hostile.says in " ".join(said.split())
    assert not left_behind(tmp_path)


def left_behind(folder: Path) -> list[int]:
    """The processes that were started for a file in that folder, and are still there."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                b"AUTOGRAD_TESTING_JUDGES" in (process / "environ").read_bytes()
                and (process / "cwd").resolve() == folder
            ):
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_an_engine_that_is_nothing_but_anothers_is_borrowed(tmp_path: Path) -> None:
    outcome = judged(tmp_path, "anothers", ANOTHERS, "arithmetic")
    assert (outcome.verdict, outcome.remark) == ("borrowed", "backward is that of autograd.value:Value")


def test_an_operation_that_hangs_does_not_keep_the_others_from_being_judged(tmp_path: Path) -> None:
    hangs = next(each for each in HOSTILE if each.name == "sleeps")
    outcome = judged(tmp_path, "hangs", hangs.text, "arithmetic,exp,backward", seconds=20.0)
    assert outcome.verdict == "right"
    assert wrong(outcome) == ["values: x.tanh()"]
    assert outcome.report
    assert not outcome.report.inconclusive


def test_what_always_hangs_is_left_out_after_three_programs(tmp_path: Path) -> None:
    text = BASE.replace("    def backward(self):\n", "    def backward(self):\n        import time; time.sleep(1000)\n")
    outcome = judged(tmp_path, "hangs", text, seconds=8.0)  # on a busy machine
    assert outcome.report
    assert len(outcome.report.wrong) == 2  # the third was lost to the question whether backward() takes an argument
    (rest,) = outcome.report.inconclusive
    assert rest.note == "since 3 programs ended or hung its process"
    assert "accumulation" in rest.text
    assert "left out" in str(outcome.report)


def test_what_the_seconds_do_not_suffice_for_is_said_to_be_left_out(tmp_path: Path) -> None:
    slow = BASE.replace("        self.data = data\n", "        self.data = data; import time; time.sleep(0.01)\n")
    outcome = judged(tmp_path, "slow", slow, "arithmetic", seconds=2.0)
    assert outcome.verdict == "left out"
    assert outcome.remark.startswith("since the time is over (--seconds gives more)")


@pytest.mark.skipif(sys.platform != "linux", reason="only there orphans are adopted")
def test_a_process_with_no_environment_and_a_session_of_its_own_does_not_survive(tmp_path: Path) -> None:
    start = "import subprocess, sys; subprocess.Popen({}, env={{}}, start_new_session=True)\n"
    sleeper = [sys.executable, "-c", "import time; time.sleep(1000)", str(tmp_path)]
    judged(tmp_path, "leaves_one", start.format(sleeper) + BASE, "tanh", seconds=20.0)
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(file.read_bytes())
    assert not any(str(tmp_path).encode() in command for command in commands)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="there are no signals")
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_an_interruption_ends_everything(tmp_path: Path, how: str) -> None:
    import signal

    for name in "abc":
        (tmp_path / f"{name}.py").write_text(f"open('{name}.txt', 'w')\nwhile True:\n    pass\n")
    command = [sys.executable, "-m", "autograd.testing", "*.py:Value", "--seconds", "600", "--jobs", "2"]
    command += ["--junit", "report.xml", "--json", "report.json"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True)
    while not (tmp_path / "b.txt").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(getattr(signal, how))
    out, err = process.communicate()
    assert "a.py        left out" in out
    verdicts = [each["verdict"] for each in json.loads((tmp_path / "report.json").read_text())["submissions"]]
    assert verdicts == ["left out"] * 3
    assert 'errors="3"' in (tmp_path / "report.xml").read_text()
    assert process.returncode == (130 if how == "SIGINT" else 143)
    assert err == ("interrupted\n" if how == "SIGINT" else "")
    assert not left_behind(tmp_path)
