"""What is in the course: each notebook's title, question, and how long it takes to read.

The notebooks are the only source. `pages.py` makes pages of them, `jupyter.py` gives them to JupyterLite to run.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

WORDS_A_MINUTE = 180
LINES_A_MINUTE = 15
"""How fast prose and code are read, with time to think."""

REPOSITORY = "https://github.com/scalar-autograd/scalar-autograd"

DIFFERENT_IN_A_BROWSER = {
    "04": "In a browser the cells that check PyTorch and JAX do nothing: neither runs there.",
}
"""What a reader should know before running a notebook in a browser, by the notebook's number."""


def in_the_repository(markdown: str) -> str:
    """The text with its links to files of the project, "../tests/...", leading to the repository."""
    return re.sub(r"\]\(\.\./", f"]({REPOSITORY}/blob/main/", markdown)


@dataclass(frozen=True)
class Notebook:
    """One notebook of the course."""

    path: Path

    @property
    def name(self) -> str:
        """Its file's name, without the ending: "05-moons"."""
        return self.path.stem

    @cached_property
    def content(self) -> dict[str, Any]:
        """What is in its file."""
        content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return content

    def sources(self, kind: str) -> list[str]:
        """The texts of its cells of a kind, "markdown" or "code"."""
        return ["".join(cell["source"]) for cell in self.content["cells"] if cell["cell_type"] == kind]

    @property
    def title(self) -> str:
        """The first line: "05 · Moons: a decision boundary forms"."""
        return self.sources("markdown")[0].splitlines()[0].removeprefix("# ").replace("`", "")

    @property
    def question(self) -> str:
        """The question that it starts with; of a long one the last two sentences."""
        found = re.search(r"\*\*Question\.\*\* (.+?)\n\n", self.sources("markdown")[0], flags=re.DOTALL)
        if found is None:
            raise ValueError(f"{self.path.name} has no paragraph that begins with **Question.**: add one")
        text = " ".join(found[1].split())
        sentences = re.split(r"(?<=[.?]) ", text)
        return text if len(text) < 250 else " ".join(sentences[-2:])

    @property
    def minutes(self) -> int:
        """How long it takes to read, in steps of five minutes."""
        words = sum(len(text.split()) for text in self.sources("markdown"))
        lines = sum(len([line for line in text.splitlines() if line.strip()]) for text in self.sources("code"))
        return 5 * max(1, round((words / WORDS_A_MINUTE + lines / LINES_A_MINUTE) / 5))


def course(folder: Path) -> list[Notebook]:
    """The notebooks of a folder in their order."""
    return [Notebook(path) for path in sorted(folder.glob("*.ipynb"))]
