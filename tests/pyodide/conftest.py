"""What runs Python where there are no processes and no files but its own: Pyodide in Node, without a browser.

`.ci/pyodide.py` prepares it from packages. The files in `inside/` are tests that pytest runs in there.
"""

import json
import queue
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
collect_ignore = [] if sys.platform == "emscripten" else ["inside"]
INI = """[pytest]
addopts = -q --strict-markers -m "not slow" --tb=short --color=no --capture=sys
    -p no:cacheprovider -p tests.pyodide.plugin
doctest_optionflags = NORMALIZE_WHITESPACE ELLIPSIS
markers = slow: takes minutes
filterwarnings =
    error
    ignore::pytest.PytestAssertRewriteWarning
"""
PURE = ("attrs", "packaging", "pygments")
"""What the distribution with NumPy has itself."""


class Pyodide:
    """A process of Node with Python in it.

    Arguments:
        core: the folder of a Pyodide.
        packages: those of its distribution that are loaded.
        wheels: files in pure Python that are installed.
        viz: the folder of @viz-js/viz, or None for a page that has none.
        files: a zip file, unpacked where Python starts.
    """

    def __init__(self, core: Path, packages: list[str], wheels: list[Path], viz: Path | None, files: Path) -> None:
        node = [shutil.which("node") or "node", "--no-warnings", str(Path(__file__).parent / "node.mjs")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(node, encoding="utf-8", **pipes)
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        output, failed = self.ask(
            {
                "core": str(core),
                "packages": packages,
                "wheels": [str(wheel) for wheel in wheels],
                "viz": viz and str(viz),
                "files": str(files),
                "environment": {"HOME": "/home/pyodide", "CI": "true", "PYTHONUNBUFFERED": "1"},
            }
        )
        assert not failed, output

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def ask(self, what: object, patience: float = 600.0) -> tuple[str, bool]:
        """What was printed, and whether it failed."""
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        try:
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            self.end()
            pytest.fail(f"Pyodide did not answer within {patience:g} s and was ended; it was asked {what!r}")
        if not line:
            pytest.fail(f"Pyodide ended with {self.process.wait()}; it was asked {what!r}")
        answer = json.loads(line)
        return answer["output"], answer["failed"]

    def run(self, code: str, patience: float = 600.0) -> str:
        """What the code prints; it may not raise."""
        output, failed = self.ask(code, patience)
        assert not failed, output
        return output

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdin.close()
        self.process.stdout.close()


def has_node() -> str:
    """Why there is no Pyodide here; nothing if it can be prepared."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"Pyodide runs in Node, and {' and '.join(missing)} is not on the PATH" if missing else ""


@pytest.fixture(scope="session")
def prepared() -> Path:
    if why := has_node():
        pytest.skip(why)
    command = [sys.executable, str(ROOT / ".ci" / "pyodide.py")]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two packages and their tests in one file."""
    archive = tmp_path_factory.mktemp("source") / "source.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for folder in ("autograd", "nn", "tests"):
            for path in sorted((ROOT / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    file.write(path, path.relative_to(ROOT))
        file.write(ROOT / "README.md", "README.md")
        file.writestr("pytest.ini", INI)
    return archive


@pytest.fixture(scope="session")
def with_numpy(prepared: Path, source: Path) -> Iterator[Pyodide]:
    """Python 3.12 with NumPy and Matplotlib, and with Graphviz in WebAssembly: as on the site."""
    packages = ["numpy", "matplotlib", "pandas", "attrs", "packaging", "pygments"]
    wheels = [wheel for wheel in _wheels(prepared) if wheel.name.partition("-")[0] not in PURE]
    viz = prepared / "node_modules" / "@viz-js" / "viz"
    pyodide = Pyodide(prepared / "distribution", packages, wheels, viz, source)
    yield pyodide
    pyodide.end()


@pytest.fixture(scope="session")
def bare(prepared: Path, source: Path) -> Iterator[Pyodide]:
    """The newest Python, without NumPy and without Graphviz."""
    pyodide = Pyodide(prepared / "node_modules" / "pyodide-newest", [], _wheels(prepared), None, source)
    yield pyodide
    pyodide.end()


def _wheels(prepared: Path) -> list[Path]:
    return sorted([*(prepared / "wheels").glob("*.whl"), *(prepared / "test-wheels").glob("*.whl")])
