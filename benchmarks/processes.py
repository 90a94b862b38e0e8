"""Whole processes, measured from outside: seconds, CPU, the most memory that they ever held, and what they said.

What is compared runs interleaved (A B C A B C …), so that a busy minute of the machine falls on all of it.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from multiprocessing import get_all_start_methods, get_context
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


def compare(variants: Mapping[str, Variant], rounds: int, folder: Path, *, warm: bool = False) -> dict[str, Measured]:
    """Every variant, interleaved, so many times. `warm` as in `run_process`."""
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        for name, variant in variants.items():
            if variant.rounds is not None and number >= variant.rounds:
                continue
            variant.before()
            run = run_process(variant, folder, warm=warm)
            runs[name].append(run)
            if (figure := variant.after(run)) is not None:
                figures[name].append(figure)
    return {name: Measured(runs=tuple(runs[name]), figures=tuple(figures[name])) for name in variants}


def run_process(variant: Variant, folder: Path, *, warm: bool = False) -> Run:
    """Run one process in a folder. Raises `Failed` where it ends with another exit code than expected.

    A `warm` one is forked from a process that has the libraries, where the system can do that: its figures are worth
    nothing, and it runs in a third of the time.
    """
    environment = {**os.environ, "OCOTE_API_KEY": KEY, "PYTHONPATH": str(ROOT), "BATCH_ISSUER_LANG": "en"}
    environment.update(variant.environment or {})
    with tempfile.TemporaryDirectory() as aside:
        said, told = Path(aside, "said"), Path(aside, "told")
        run = _forked if warm and "forkserver" in get_all_start_methods() else _started
        seconds, code, cpu, most = run(variant.command, folder, environment, said, told)
        if code not in variant.codes:
            command = " ".join(map(str, variant.command))
            raise Failed(f"{command}\nended with {code}:\n{told.read_text()[-2000:]}")
        return Run(
            seconds=seconds,
            cpu=cpu,
            mebibytes=most / (1 << (20 if sys.platform == "darwin" else 10)),
            said=said.read_text(encoding="utf-8"),
        )


def _started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], said: Path, told: Path
) -> tuple[float, int, float, int]:
    """Seconds, exit code, seconds of CPU and the most memory of a new process."""
    launch = (PYTHON, "-I", "-S", str(HERE / "launch.py"), str(said), str(told))
    launched = subprocess.run((*launch, *command), cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    seconds, code, cpu, most = json.loads(launched.stdout)
    return seconds, code, cpu, most


_PRELOADED = (
    *(
        "batch_issuer.cli.commands.check",
        "batch_issuer.cli.connecting",
        "batch_issuer.cli.commands.issue",
        "batch_issuer.cli.ending",
        "batch_issuer.cli.planning",
    ),
    *("batch_issuer.ledger.opening", "batch_issuer.provider.transport", "batch_issuer.reading.which_sheets"),
    *("batch_issuer.reports.fix.workbook", "batch_issuer.reports.page.page", "batch_issuer.reports.workbook.workbook"),
    *("httpx", "openpyxl", "pandas"),
)


def _forked(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], said: Path, told: Path
) -> tuple[float, int, float, int]:
    """The same of a process that has the libraries already."""
    began = time.perf_counter()
    context = get_context("forkserver")
    context.set_forkserver_preload(["__main__", *_PRELOADED])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_become, args=(tuple(command), folder, dict(environment), said, told, theirs))
    process.start()
    theirs.close()
    process.join()
    cpu, most = ours.recv()
    assert process.exitcode is not None
    return time.perf_counter() - began, process.exitcode, cpu, most


def _become(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], said: Path, told: Path, pipe: Any
) -> None:
    """Do in this process what a command line of Python does in a new one."""
    import resource

    for path, number in ((said, 1), (told, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [*command[1:]] if command[1] != "-m" else [*command[2:]]
    sys.path.insert(0, str(Path(command[1]).parent) if command[1] != "-m" else "")
    try:
        if command[1] == "-m":
            runpy.run_module(command[2], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(command[1], run_name="__main__")
    finally:
        sys.stdout.flush()
        used = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send((used.ru_utime + used.ru_stime, used.ru_maxrss))


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
