"""How are the figures printed? As Markdown tables, with the bars that were set and the machine that was measured."""

import os
import platform
import subprocess
import sys
from pathlib import Path

Row = tuple[str, ...]


def times(number: float | None) -> str:
    return "-" if number is None else f"{number:.1f}x" if number < 100 else f"{number:.0f}x"


def table(head: Row, rows: list[Row]) -> str:
    """A Markdown table with aligned columns, numbers to the right."""
    widths = [max(len(row[i]) for row in [head, *rows] if len(row) > i) for i in range(len(head))]
    rule = [f"{'-' * (width - 1)}{':' if i else '-'}" for i, width in enumerate(widths)]
    lines = []
    for row in [head, tuple(rule), *rows]:
        cells = row + ("",) * (len(head) - len(row))
        aligned = [f"{c:>{w}}" if i else f"{c:<{w}}" for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        lines.append(f"| {' | '.join(aligned)} |")
    return "\n".join(lines)


def bar(what: str, wanted: str, shown: str, reached: bool | None) -> Row:
    """A row of `bar_table`; None where nothing was measured."""
    return what, wanted, shown, "not measured" if reached is None else "pass" if reached else "short"


def bar_table(rows: list[Row]) -> str:
    """The bars that the project set itself, and whether this run reached them."""
    return table(("bar", "wanted", "measured", "reached"), rows)


def machine() -> str:
    """The processor and the Python that the figures belong to."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), processor)
    elif sys.platform == "darwin":
        brand = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        processor = brand.stdout.strip() or processor
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} processors, {platform.system()}; {python}, garbage collector on"
