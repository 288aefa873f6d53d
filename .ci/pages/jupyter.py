"""JupyterLite with the notebooks, ready to run: Pyodide, its wheels and ours beside it, no request to anywhere else.

Pyodide loads what a cell imports, as far as its lock file names it. The lock file written here names the wheels that
are there and no others: those of Pyodide's distribution that the notebooks and the kernel need; the kernel's own; ours,
and what ours needs. So no cell has to install anything.
"""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from course import Notebook, in_the_repository

KERNEL = ["ssl", "sqlite3", "ipykernel", "comm", "pyodide_kernel", "jedi", "ipython", "micropip", "piplite"]
"""What the kernel loads as it starts. Loaded from the lock file, it asks no index for them."""
OF_PYODIDE = ["matplotlib", "numpy"]
"""What the notebooks import from Pyodide's distribution; the lock file says what these need in turn."""
NEEDS = {"scalar-autograd": ["graphviz", "mpmath", "numpy", "tqdm", "tzdata"], "hypothesis": ["sortedcontainers"]}
"""What is loaded with a wheel of ours: its imports are inside functions, where Pyodide does not look for them."""
APPS = ("lab", "notebooks", "tree")
"""A link from one notebook to another goes by the tree."""
EXTENSION = "@jupyterlite/pyodide-kernel-extension"

LOOK = {"@jupyterlab/apputils-extension:themes": {"adaptive-theme": True}}
"""Light or dark as the reader's system is."""

START = """
// The kernel runs in a worker and calls this. Graphviz has to be there before Python is: autograd asks for `viz`.
// Matplotlib warns that its first plot takes a moment, in red. Here everything does at first, and the page says so.
loadPyodide = ((load) => async (options) => {
  globalThis.viz = await Viz.instance();
  const python = await load(options);
  python.runPython("import logging; logging.getLogger('matplotlib.font_manager').setLevel(logging.ERROR)");
  return python;
})(loadPyodide.loadPyodide ?? loadPyodide);
globalThis.loadPyodide = loadPyodide;
"""


def build_jupyter(notebooks: list[Notebook], pyodide: Path, fresh: Path, out: Path) -> None:
    """JupyterLite in `out`; its parts are put together in `fresh`."""
    work = fresh / "jupyter"
    contents, distribution = work / "contents", work / "pyodide"
    for folder in (contents, distribution):
        folder.mkdir(parents=True)
    for notebook in notebooks:
        text = json.dumps(to_run(notebook.content), ensure_ascii=False)
        (contents / notebook.path.name).write_text(text, encoding="utf-8")
    collect_pyodide(pyodide, [*(fresh / "wheels").glob("*.whl"), *wheels_of_the_kernel()], distribution)
    settings = {"pyodideUrl": "./static/pyodide/pyodide.js", "disablePyPIFallback": True}
    settings["loadPyodideOptions"] = {"packages": KERNEL, "lockFileURL": "./static/pyodide/pyodide-lock.json"}
    config = {
        "litePluginSettings": {f"{EXTENSION}:kernel": settings},
        "appName": "scalar-autograd",
        "exposeAppInBrowser": True,
    }  # for tests
    lite = {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}
    (work / "jupyter-lite.json").write_text(json.dumps(lite), encoding="utf-8")
    (work / "overrides.json").write_text(json.dumps(LOOK), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("jupyter")), "lite", "build", "--lite-dir", str(work)]
    command += ["--contents", str(contents), "--output-dir", str(out), "--no-sourcemaps", "--no-libarchive"]
    for app in APPS:
        command += ["--apps", app]
    built = subprocess.run(command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if built.returncode:  # else it only talks
        raise SystemExit(built.stdout)
    for app in APPS:
        say_how(out / app / "index.html")
    shutil.copytree(distribution, out / "static" / "pyodide")


def say_how(page: Path) -> None:
    """Adds to a page of JupyterLite a line on top: how to run, what it takes, and the way back to the site."""
    line = Path(__file__).with_name("jupyter.html").read_text(encoding="utf-8")
    page.write_text(page.read_text(encoding="utf-8").replace("</head>", f"{line}</head>", 1), encoding="utf-8")


def to_run(content: dict[str, Any]) -> dict[str, Any]:
    """A notebook before it has run: no outputs, Pyodide's kernel, and no links that lead here or to files beside it."""
    cells = []
    for cell in content["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell = {**cell, "outputs": [], "execution_count": None, "metadata": {**cell["metadata"], "trusted": True}}
        elif cell.get("id") == "next":
            source = source.partition("\n\n")[0]
        cells.append({**cell, "source": source if cell["cell_type"] == "code" else in_the_repository(source)})
    kernel = {"kernelspec": {"name": "python", "display_name": "Python (Pyodide)", "language": "python"}}
    return {**content, "cells": cells, "metadata": {**content["metadata"], **kernel}}


def collect_pyodide(pyodide: Path, wheels: list[Path], out: Path) -> None:
    """Pyodide's core, the wheels that are needed, and a lock file that names these and no others."""
    core = pyodide / "distribution"
    for name in ("pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"):
        shutil.copy(core / name, out)
    graphviz = pyodide / "node_modules" / "@viz-js" / "viz" / "dist" / "viz-global.js"
    script = "\n".join([graphviz.read_text(encoding="utf-8"), (core / "pyodide.js").read_text(encoding="utf-8"), START])
    script = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)
    (out / "pyodide.js").write_text(script, encoding="utf-8")
    lock = json.loads((core / "pyodide-lock.json").read_text(encoding="utf-8"))
    ours = entries_of_wheels(wheels, out)
    theirs = needed(lock["packages"], [name for name in [*KERNEL, *OF_PYODIDE] if normal(name) not in ours])
    for entry in theirs.values():
        shutil.copy(core / entry["file_name"], out)
    lock["packages"] = {**theirs, **ours}
    (out / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")


def normal(name: str) -> str:
    """A package's name as lock files have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(known: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The entries of these packages and of all that they need."""
    found: dict[str, Any] = {}
    todo = [*names]
    while todo:
        name = normal(todo.pop())
        if name not in found:
            found[name] = known[name]
            todo += known[name]["depends"]
    return dict(sorted(found.items()))


def wheels_of_the_kernel() -> list[Path]:
    """The wheels that the kernel's extension of JupyterLite brings along, less those for widgets."""
    folder = Path(sys.prefix, "share", "jupyter", "labextensions", EXTENSION, "static", "pypi")
    return [path for path in folder.glob("*.whl") if not path.name.startswith("widgetsnbextension")]


def entries_of_wheels(wheels: list[Path], out: Path) -> dict[str, Any]:
    """The wheels copied, and the entries of a lock file for them."""
    entries = {}
    for wheel in sorted(wheels):
        shutil.copy(wheel, out)
        name, version = normal(wheel.name.split("-")[0]), wheel.name.split("-")[1]
        inside = {path.partition("/")[0] for path in zipfile.ZipFile(wheel).namelist()}
        entries[name] = {
            "name": name,
            "version": version,
            "file_name": wheel.name,
            "install_dir": "site",
            "sha256": sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": sorted(module.removesuffix(".py") for module in inside if ".dist-info" not in module),
            "depends": NEEDS.get(name, []),
            "unvendored_tests": False,
        }
    return entries
