"""Does the main job do its work? Handwritten digits, learned end to end by the default run, in pure Python."""

import re
import statistics
import time

import pytest

from nn.command.main import main


def run(capsys, *options):
    assert main(["train", *options]) == 0
    output = capsys.readouterr().out
    right, total = map(int, re.search(r"test accuracy .* % \((\d+) of (\d+)\)", output).groups())
    assert total == 360
    return right / total


@pytest.mark.slow
def test_the_default_run_reads_97_percent_of_unseen_digits_within_a_minute(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    accuracies, seconds = [], []
    for seed in range(10):
        start = time.perf_counter()
        accuracies.append(run(capsys, "--seed", str(seed), "--engine", "eager"))
        seconds.append(time.perf_counter() - start)
    with capsys.disabled():
        shown = " ".join(f"{100 * a:.1f}" for a in accuracies)
        print(
            f"\ntest accuracies {shown}: median {100 * statistics.median(accuracies):.1f} %; "
            f"slowest {max(seconds):.1f} s"
        )
    assert statistics.median(accuracies) >= 0.97


def test_a_few_epochs_already_read_most_digits(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "--epochs", "3", "--layers", "16") > 0.85  # chance is 0.1
