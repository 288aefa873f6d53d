"""Does a GPT that was killed at any moment, and started again, end with the same bits as one that was not?"""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nn import checkpoint

ROOT = Path(__file__).parents[3]
SIZES = ["--n-embd", "4", "--n-head", "2", "--block-size", "4", "--seed", "3"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")


def started(path, steps, engine):
    """`python -m nn gpt` in a process of its own; its output is left out."""
    options = ["--steps", str(steps), "--engine", engine, "--checkpoint", str(path), *SIZES]
    command = [sys.executable, "-m", "nn", "gpt", *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def whole(path, steps, engine):
    """Runs to the end; returns the seconds that it took."""
    began = time.monotonic()
    assert started(path, steps, engine).wait() == 0
    return time.monotonic() - began


def bits(path):
    """All that the file holds, but for how long it took."""
    content = checkpoint.read(path)
    content.pop("digest", None)
    for name in ("seconds", "preparation"):
        content["training"]["history"].pop(name)
    return json.dumps(content, sort_keys=True)


def kill_at_random_moments(path, kills, steps, engine, seconds, rng):
    """Starts the run again and again, and kills it; one that is at its end is begun anew."""
    done = 0
    while done < kills:
        process = started(path, steps, engine)
        time.sleep(rng.uniform(0.0, seconds))
        if process.poll() is not None:
            path.unlink()
            continue
        process.send_signal(signal.SIGKILL)
        process.wait()
        done += 1
        if path.exists():
            checkpoint.read(path)  # complete, whatever happened


def check(folder, kills, steps, engine, seed):
    undisturbed, killed = folder / "undisturbed.json", folder / "killed.json"
    seconds = whole(undisturbed, steps, engine)
    kill_at_random_moments(killed, kills, steps, engine, seconds, random.Random(seed))
    whole(killed, steps, engine)
    assert bits(killed) == bits(undisturbed)


def test_a_gpt_killed_twice_ends_bit_for_bit_as_one_that_was_not(tmp_path):
    check(tmp_path, 2, 20, "eager", seed=0)


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "steps"), [("eager", 200), ("auto", 40_000)])
def test_a_gpt_killed_ten_times_ends_bit_for_bit_as_one_that_was_not(tmp_path, engine, steps):
    check(tmp_path, 10, steps, engine, seed=1)
