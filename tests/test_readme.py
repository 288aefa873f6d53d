"""Does the README say what is so? Its Python runs, its table came from its command, its links lead somewhere."""

import doctest
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.M | re.S)


@pytest.mark.parametrize("source", [source for language, source in BLOCKS if language == "python"])
def test_code_runs(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(source, "README.md", "exec"), {"__name__": "readme"})


@pytest.mark.parametrize(
    ("source", "shown"),
    [(code, text) for (a, code), (b, text) in pairwise(BLOCKS) if (a, b) == ("python", "text") and "print(" in code],
)
def test_code_prints_what_is_shown_below_it(source, shown, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(source, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out == shown


def test_sessions_show_what_python_shows():
    """They are one session: a later one may use the names of an earlier one."""
    source = "\n".join(source for language, source in BLOCKS if language == "pycon")
    test = doctest.DocTestParser().get_doctest(source, {}, "README.md", None, None)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test)
    assert results.failed == 0
    assert results.attempted > 0


def test_links_into_the_project_lead_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
