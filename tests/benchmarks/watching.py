"""How fast does a page train, and does it ever keep somebody waiting? The playground in a browser, drawing included.

    python -m tests.benchmarks.watching [--seconds 10]

For each network it prints how many epochs a second the page makes with its picture, how long the browser's main thread
was busy at a stretch (a press waits at most so long), and how large the page is.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from statistics import quantiles
from typing import Any

import nn
from nn.datasets import make_moons

WATCH = """
window.busy = []; window.frames = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => busy.push(entry.duration)))
  .observe({ entryTypes: ["longtask"] });
const count = () => { frames += 1; requestAnimationFrame(count); };
requestAnimationFrame(count);
"""
EPOCH = "Number(document.querySelector('[data-nn-playground]').shadowRoot.querySelector('.epoch b').textContent)"
CASES = {
    "200 points, MLP(2, [8, 8, 1])": (200, [8, 8, 1]),
    "500 points, MLP(2, [16, 16, 16, 1])": (500, [16, 16, 16, 1]),
    "2,000 points, MLP(2, [4, 1])": (2000, [4, 1]),
}


def measured(browser: Any, path: Path, seconds: float) -> tuple[float, float, list[float]]:
    """Epochs and frames a second, and the stretches over 50 ms, in milliseconds, while keys are pressed."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(WATCH)
    page.goto(path.as_uri())
    page.wait_for_timeout(1500)
    page.keyboard.press("Space")
    page.wait_for_timeout(1000)
    page.evaluate("busy.length = 0; frames = 0")
    began, clock = page.evaluate(EPOCH), page.evaluate("performance.now()")
    for _ in range(int(seconds)):
        page.wait_for_timeout(900)
        page.keyboard.press("Tab")
    elapsed = (page.evaluate("performance.now()") - clock) / 1000
    result = (page.evaluate(EPOCH) - began) / elapsed, page.evaluate("frames") / elapsed, page.evaluate("busy")
    page.close()
    return result


def main() -> None:
    """Prints the table."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds = parser.parse_args().seconds
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, (count, widths) in CASES.items():
            X, y = make_moons(count, noise=0.15, rng=0)
            path = nn.playground(nn.MLP(2, widths, "tanh", rng=0), X, y).save(Path(folder, "page.html"))
            epochs, frames, busy = measured(browser, path, seconds)
            longest = f"longest {max(busy):.0f} ms, median {quantiles([*busy, *busy])[1]:.0f} ms" if busy else "none"
            print(f"{name}: {epochs:.0f} epochs/s, {frames:.0f} frames/s; {path.stat().st_size / 1000:.0f} kB")
            print(f"    busy for over 50 ms at a stretch: {len(busy)} times in {seconds:.0f} s ({longest})")
        browser.close()


if __name__ == "__main__":
    main()
