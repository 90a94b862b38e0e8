"""RESULTS.md: one table a part, the goals of the design beside what was measured, and on what machine."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "pandas", "numpy", "openpyxl", "xlsxwriter", "jinja2", "click", "sqlalchemy", "httpx", "aiohttp", "polars",
    "fastexcel", "python-calamine", "playwright",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was measured. `ratio` is against what `against` names, in the same minutes."""

    what: str
    measured: str
    ratio: str = ""
    goal: str = ""
    met: bool | None = None
    memory: float | None = None
    """Mebibytes, at most, of the product's process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part with its lines, and a drawing under them."""

    title: str
    words: str
    lines: tuple[Line, ...]
    drawing: str = ""


def against(value: float, limit: float, *, at_least: bool = False) -> bool:
    return value >= limit if at_least else value <= limit


def write_results(path: Path, sections: Sequence[Section], *, command: str, rounds: int, seconds: float) -> None:
    parts = [_HEAD.format(machine=machine(), versions=versions(), command=command, rounds=rounds, minutes=seconds / 60)]
    parts += [f"## {one.title}\n\n{one.words}\n\n{_table(one.lines)}\n{one.drawing}" for one in sections]
    parts.append(Path(__file__).with_name("NOTES.md").read_text(encoding="utf-8"))
    path.write_text("\n".join(parts), encoding="utf-8")


_HEAD = """\
# What was measured

Made by `{command}` in {minutes:.0f} minutes; not to be edited:
what was tried and did not help is in `NOTES.md`, and is repeated at the end.
Every figure is the median of {rounds} rounds (fewer where it says so) of whole processes from start to exit, and what
is compared ran interleaved in the same minutes. Judge the ratios: the seconds are this machine's, and of an hour in
which others may have used it too. Memory is the most that the process ever held.

| | |
|---|---|
| machine | {machine} |
| versions | {versions} |
"""


def _table(lines: Sequence[Line]) -> str:
    rows = ["| what | measured | ratio | goal (stretch) | met | memory |", "|---|---|---|---|---|---|"]
    for line in lines:
        met = "" if line.met is None else "yes" if line.met else "**no**"
        memory = "" if line.memory is None else f"{line.memory:.0f} MiB"
        rows.append(f"| {line.what} | {line.measured} | {line.ratio} | {line.goal} | {met} | {memory} |")
    return "\n".join(rows) + "\n"


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next((int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return (
        f"{os.cpu_count()} × {model or platform.processor() or 'unknown'}, {memory} GiB, {platform.system()} "
        f"{platform.release()}, load {load:.1f} at the end"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def versions() -> str:
    named = []
    for package in PACKAGES:
        try:
            named.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            named.append(f"{package} –")
    return (
        f"{platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        + ", ".join(named)
    )


def bars(points: Sequence[tuple[str, float]], unit: str) -> str:
    """A drawing in letters: one bar for each value, the longest one 40 letters."""
    most = max(value for _, value in points) or 1.0
    width = max(len(name) for name, _ in points)
    lines = [f"{name:<{width}}  {'█' * max(1, round(40 * value / most))} {value:,.4g} {unit}" for name, value in points]
    return "\n```text\n" + "\n".join(lines) + "\n```\n"
