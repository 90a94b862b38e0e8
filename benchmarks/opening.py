"""Opens a page in Chromium and says how long it takes until it is drawn; -1 where there is no Chromium."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
"""Chromium as systems have it, instead of playwright's own."""


def seconds_to_draw(page: Path) -> float:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return -1
    with sync_playwright() as driver:
        try:
            installed = next(filter(None, map(shutil.which, _NAMES)), None)
            browser = driver.chromium.launch(executable_path=installed)
        except Error:
            return -1
        tab = browser.new_page()
        tab.goto("about:blank")
        began = time.perf_counter()
        tab.goto(page.as_uri(), wait_until="load")
        tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        seconds = time.perf_counter() - began
        browser.close()
        return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    print(json.dumps({"seconds": seconds_to_draw(parser.parse_args().page.resolve())}))


if __name__ == "__main__":
    main()
