"""A finished file issued again: its reports stand, unless anything that they follow from is not what it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_issuer.ledger.opening import open_to_read
from tests.cli.desk import Desk, Open

ROWS = ("A-1,Café,2,2.50", "A-2,Té,1,3.00", "A-3,Pan,x,1.00", "A-4,Pan,1,1.25", "A-4,Miel,,4.00")
STAND = "its reports stand"
NOTE = "ledger.db.reports.json"
OWN = ("run", "seconds", "reports", "ledger")
"""What every run says of itself."""


def finished(open_desk: Open) -> Desk:
    desk, _ = open_desk()
    desk.write(*ROWS)
    desk.call("issue", "ventas.csv")
    return desk


def without_own(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name not in OWN}


def refs_read(desk: Desk, run: str) -> list[str]:
    """Of which documents the ledger says that a run read them."""
    ledger = open_to_read(desk.ledger)
    try:
        return list((ledger.run(run).summary or {})["refs"])
    finally:
        ledger.close()


def test_again_it_says_the_same_and_writes_no_report(open_desk: Open) -> None:
    """Documents held back still need a person: the same JSON, words, exit code as when made anew."""
    desk, sandbox = open_desk()
    desk.write(*ROWS)
    first = desk.call("issue", "ventas.csv", "--json")
    asked, files = sandbox.requests().total, sorted((desk.folder / "reports").iterdir())
    again = [desk.call("issue", "ventas.csv", "--json") for _ in range(2)]
    assert sandbox.requests().total == asked
    assert sorted((desk.folder / "reports").iterdir()) == files
    (desk.folder / NOTE).unlink()
    anew = desk.call("issue", "ventas.csv", "--json")
    assert STAND not in anew.err
    assert sandbox.requests().total == asked
    for done in again:
        assert STAND in done.err
        assert first.json["run"] in done.err
        assert done.json["reports"] == first.json["reports"]
        assert done.code == anew.code == 1
        assert list(done.json) == list(anew.json)
        assert without_own(done.json) == without_own(anew.json)
        said = [line for line in anew.err.splitlines() if line.strip() and anew.json["run"] not in line]
        assert [line for line in said if line not in done.err.splitlines()] == []
    runs = [done.json["run"] for done in (*again, anew)]
    assert len({*runs, first.json["run"]}) == 4
    assert refs_read(desk, runs[0]) == refs_read(desk, runs[2]) == ["A-1", "A-2"]
    assert desk.call("ledger", "verify", "--rebuild").code == 0
    told = [desk.call("report", "--run", run, "--json").json for run in runs]
    parts = ("documents", "states", "totals", "open", "held_back", "rows", "exit_code")
    assert [{name: one[name] for name in parts} for one in told[:2]] == [{name: told[2][name] for name in parts}] * 2


def _edit(name: str, before: str, after: str) -> Callable[[Desk], None]:
    def edit(desk: Desk) -> None:
        path = desk.folder / name
        path.write_bytes(path.read_bytes().replace(before.encode(), after.encode()))

    return edit


def _report(desk: Desk, ending: str) -> Path:
    return next((desk.folder / "reports").glob(f"*{ending}"))


def _append_byte(ending: str) -> Callable[[Desk], None]:
    def append(desk: Desk) -> None:
        path = _report(desk, ending)
        path.write_bytes(path.read_bytes() + b" ")

    return append


def _settings(text: str) -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        (desk.folder / "batch-issuer.toml").write_text(text, encoding="utf-8")

    return write


def _call(*arguments: str) -> Callable[[Desk], None]:
    def call(desk: Desk) -> None:
        desk.call(*arguments)

    return call


CHANGES: dict[str, tuple[Callable[[Desk], object], tuple[str, ...]]] = {
    "a byte of the file": (_edit("ventas.csv", "Pan,x", "Pan,y"), ()),
    "a blank line": (_edit("ventas.csv", "A-4,Miel,,4.00\n", "A-4,Miel,,4.00\n\n"), ()),
    "a setting": (_settings("[issue]\ntolerance = 0.05\n"), ()),
    "a note": (_call("note", "A-1", "why", "--by", "Rosa"), ()),
    "another sale": (lambda desk: (desk.write("B-1,Té,1,3.00", name="mas.csv"), desk.call("issue", "mas.csv")), ()),
    "a cancelled sale": (_call("cancel", "A-1", "--yes"), ()),
    "a deleted page": (lambda desk: _report(desk, ".html").unlink(), ()),
    "a deleted file to correct": (lambda desk: _report(desk, "-fix.xlsx").unlink(), ()),
    "an edited workbook": (_append_byte("[0-9a-f].xlsx"), ()),
    "edited figures": (_append_byte(".json"), ()),
    "a report in Spanish over it": (_call("report", "--lang", "es"), ()),
    "a damaged note": (lambda desk: (desk.folder / NOTE).write_bytes(b"{}"), ()),
    "an altered note": (_edit(NOTE, '"exit_code": 1', '"exit_code": 0'), ()),
    "another folder": (lambda _: None, ("--out", "others")),
    "another language": (lambda _: None, ("--lang", "es")),
    "an expectation": (lambda _: None, ("--expect-documents", "4")),
    "some documents only": (lambda _: None, ("--only", "A-1")),
    "a limit": (lambda _: None, ("--limit", "9")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_makes_the_reports_anew(open_desk: Open, what: str) -> None:
    change, arguments = CHANGES[what]
    desk = finished(open_desk)
    change(desk)
    done = desk.call("issue", "ventas.csv", "--json", *arguments)
    assert done.json["run"] in done.json["reports"]["html"]
    assert Path(desk.folder, done.json["reports"]["html"]).exists()
    assert STAND not in done.err
    assert (desk.folder / NOTE).exists() or what == "a cancelled sale"


def test_what_ages_is_told_anew_every_time(open_desk: Open) -> None:
    """How long ago a document was rejected is in the reports."""
    desk, sandbox = open_desk(rejected_refs=("A-2",))
    for done in [desk.call("issue", "ventas.csv", "--json") for _ in range(2)]:
        assert done.json["run"] in done.json["reports"]["html"]
        assert done.json["states"]["rejected"] == 1
    assert sandbox.requests().posts() == 3


def test_what_is_open_is_looked_at_every_time(open_desk: Open) -> None:
    """A document in contingency is asked about, and what was told of it does not stand."""
    desk, sandbox = open_desk(contingency_refs=("A-1",))
    for done in [desk.call("issue", "ventas.csv", "--json") for _ in range(2)]:
        assert done.json["run"] in done.json["reports"]["html"]
        assert done.json["states"]["contingency"] == 1
    sandbox.resolve("stamped")
    settled = desk.call("refresh", "--json")
    assert settled.json["states"]["stamped"] == 1
    assert desk.call("issue", "ventas.csv", "--json").json["states"]["stamped"] == 3
    assert STAND in desk.call("issue", "ventas.csv").out


def test_another_key_is_refused_all_the_same(open_desk: Open) -> None:
    desk = finished(open_desk)
    desk.key = "odt_another"
    assert desk.call("issue", "ventas.csv").code == 2
