"""What every test can count on: no key and no settings from outside, one language, and a browser where there is one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
OFFICE_NAMES = ("soffice", "libreoffice", "localc")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")

signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have processes in the background ignore it
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often the program is killed in `tests/kill`; whether golden files are written anew."""
    parser.addoption("--regenerate", action="store_true", help="write the golden files in tests/reports/golden anew")
    parser.addoption("--kills", type=int, default=30, help="how often tests/kill kills the program (default: 30)")


def pytest_configure() -> None:
    """Forget the real key, the settings and the language of whoever runs the tests, for subprocesses too."""
    for name in list(os.environ):
        if name.startswith(("OCOTE_", "BATCH_ISSUER_")) or name in {"LC_ALL", "LC_MESSAGES", "LANGUAGE"}:
            del os.environ[name]
    os.environ["LANG"] = "C.UTF-8"


@pytest.fixture(scope="session")
def root() -> Path:
    """The source checkout."""
    return ROOT


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for tests marked `browser`. One for each module: while it is open, its thread runs an event loop."""
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - slow to import, and few tests need it

    executable = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=executable)
        except Error as error:
            _without_browser(error.message)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def resave(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Path]]:
    """Opens workbooks in LibreOffice Calc and saves them again, as whoever corrects them does; where the copies are."""
    executable = next(filter(None, map(shutil.which, OFFICE_NAMES)), None)
    if executable is None:
        missing("LibreOffice Calc is not there; `make libreoffice` installs it.")
    profile = tmp_path_factory.mktemp("office")

    def resaved(*paths: Path) -> list[Path]:
        folder = tmp_path_factory.mktemp("resaved")
        command = [executable, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx"]
        subprocess.run([*command, "--outdir", folder, *paths], check=True, capture_output=True, timeout=300)
        return [folder / path.name for path in paths]

    return resaved


def _without_browser(reason: str) -> NoReturn:
    missing(f"Chromium did not start; `make chromium` installs it. {reason}")


def missing(sentence: str) -> NoReturn:
    """Skip on a person's machine; fail in CI, where a missing program would hide what is broken."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)
