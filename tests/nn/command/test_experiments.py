"""Does `python -m nn experiments` list the experiments, and run one?"""

import pytest

from nn.command.main import main
from nn.experiments import EXPERIMENTS


def test_without_a_name_it_lists_them_with_a_sentence_each(capsys):
    assert main(["experiments"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, line in zip(EXPERIMENTS, lines, strict=False):
        assert line.startswith(name)
        assert line.endswith(".")
    assert max(map(len, lines)) <= 80


@pytest.fixture
def quick(monkeypatch):
    """The experiment, small enough to take a second."""

    def dead_units(seed):
        return EXPERIMENTS["dead-units"](seed, examples=20, hidden=4, epochs=1, progress=False)

    monkeypatch.setattr("nn.command.experiments.EXPERIMENTS", {**EXPERIMENTS, "dead-units": dead_units})


def test_with_a_name_it_prints_the_measurements_and_writes_the_figure(quick, capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main(["experiments", "dead-units", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(EXPERIMENTS["dead-units"](3, examples=20, hidden=4, epochs=1, progress=False).title)
    assert "The figure is in dead-units.png." in printed
    assert (tmp_path / "dead-units.png").read_bytes().startswith(b"\x89PNG")


def test_the_figure_goes_where_it_is_told(quick, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    assert main(["experiments", "dead-units", "--figure", str(tmp_path / "a.svg")]) == 0
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["dead-units", "--figure", "nowhere/a.png"], "there is no folder nowhere"),
        (["dead-units", "--figure", "a.docx"], "a.docx cannot be written"),
        (["dead-units", "--seed", "x"], "invalid int value: 'x'"),
        (["--seed", "1"], "--seed and --figure are for one experiment; name it: vanishing, "),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(quick, capsys, tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["experiments", *options])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_it_says_what_to_install_and_prints_the_rest(quick, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert main(["experiments", "dead-units"]) == 0
    printed = capsys.readouterr().out
    assert "pip install 'scalar-autograd[notebooks]'" in printed.replace("\n", " ")
    assert printed.startswith("Dead units")
