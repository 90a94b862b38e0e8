"""Whole processes, measured from outside: seconds, CPU, the most memory that they ever held, and what they said.

What is compared runs interleaved (A B C A B C …), so that a busy minute of the machine falls on all of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PYTHON = sys.executable
PRODUCT = (PYTHON, "-m", "batch_issuer")
KEY = "odt_benchmarks"


class Failed(Exception):  # noqa: N818 - it is told as it is
    """A process that ended otherwise than it should: a figure of it would be worth nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process, from its start to its exit."""

    seconds: float
    cpu: float
    mebibytes: float
    said: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.said)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Something to compare, and what has to be put in place before each of its runs."""

    command: Sequence[str]
    before: Callable[[], None] = lambda: None
    codes: Sequence[int] = (0,)
    environment: Mapping[str, str] | None = None
    rounds: int | None = None
    """Fewer than the others, for what takes minutes."""
    after: Callable[[Run], float | None] = lambda _: None
    """A figure of its own for a run, where the whole process is not what counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The runs of one variant. Figures are medians."""

    runs: tuple[Run, ...]
    figures: tuple[float, ...]

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)

    @property
    def cpu(self) -> float:
        return median(run.cpu for run in self.runs)

    @property
    def mebibytes(self) -> float:
        return max(run.mebibytes for run in self.runs)

    @property
    def figure(self) -> float:
        return median(self.figures)


def compare(variants: Mapping[str, Variant], rounds: int, folder: Path) -> dict[str, Measured]:
    """Every variant, interleaved, so many times."""
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        for name, variant in variants.items():
            if variant.rounds is not None and number >= variant.rounds:
                continue
            variant.before()
            run = run_process(variant, folder)
            runs[name].append(run)
            if (figure := variant.after(run)) is not None:
                figures[name].append(figure)
    return {name: Measured(runs=tuple(runs[name]), figures=tuple(figures[name])) for name in variants}


def run_process(variant: Variant, folder: Path) -> Run:
    """Run one process in a folder. Raises `Failed` where it ends with another exit code than expected."""
    environment = {**os.environ, "OCOTE_API_KEY": KEY, "PYTHONPATH": str(ROOT), "BATCH_ISSUER_LANG": "en"}
    environment.update(variant.environment or {})
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        began = time.perf_counter()
        process = subprocess.Popen(variant.command, cwd=folder, env=environment, stdout=said, stderr=told)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        told.seek(0)
        if process.returncode not in variant.codes:
            command = " ".join(map(str, variant.command))
            raise Failed(f"{command}\nended with {process.returncode}:\n{told.read().decode()[-2000:]}")
        return Run(
            seconds=seconds,
            cpu=used.ru_utime + used.ru_stime,
            mebibytes=used.ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10)),
            said=said.read().decode(),
        )


@dataclass(frozen=True, slots=True)
class Provider:
    """The fast server, running."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def counted(self) -> dict[str, Any]:
        """What it has seen since this was asked last."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/counted")
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


@contextmanager
def provider(*options: str) -> Iterator[Provider]:
    """The fast server in a process of its own, for as long as it is needed."""
    command = [PYTHON, str(HERE / "provider.py"), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Provider(int(process.stdout.readline()))
        finally:
            process.terminate()
