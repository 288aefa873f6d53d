"""Does the main job do its work? Handwritten digits, learned end to end by the default run, in pure Python."""

import re
import statistics

import pytest

from nn.command.main import main


def run(capsys, *options):
    assert main(["train", *options]) == 0
    output = capsys.readouterr().out
    right, total = map(int, re.search(r"test accuracy .* % \((\d+) of (\d+)\)", output).groups())
    assert total == 360
    return right / total


@pytest.mark.slow
def test_the_default_run_reads_97_percent_of_unseen_digits(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    accuracies = [run(capsys, "--seed", str(seed), "--engine", "eager") for seed in range(10)]
    with capsys.disabled():
        shown = " ".join(f"{100 * a:.1f}" for a in accuracies)
        print(f"\ntest accuracies {shown}: median {100 * statistics.median(accuracies):.1f} %")
    assert statistics.median(accuracies) >= 0.97


def test_a_few_epochs_already_read_most_digits(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "--epochs", "3", "--layers", "16") > 0.85  # chance is 0.1
