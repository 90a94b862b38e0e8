"""The workbook to correct, from the day's files to the last correction, through the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl

from tests.cli.desk import Open

ROWS = ("A-1,Café,2,2.50", "A-2,Pan,1,0.75", "A-3,Leche,x,1.10", "A-4,Queso,1,4.00")


def cells(path: Path) -> list[list[Any]]:
    """What stands in the workbook below its headings."""
    (sheet,) = openpyxl.load_workbook(path).worksheets
    return [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]


def corrected(path: Path, changes: Mapping[str, Any]) -> None:
    """Write cells, as whoever corrects it."""
    book = openpyxl.load_workbook(path)
    for address, value in changes.items():
        book.worksheets[0][address] = value
    book.save(path)


def test_from_the_first_run_to_the_last_correction(open_desk: Open, resave: Callable[..., list[Path]]) -> None:
    """Rejected and held back: one is corrected, saved by LibreOffice and issued; nothing else is sent; then the other."""
    desk, sandbox = open_desk(rejected_refs="A-2")
    desk.write(*ROWS)
    first = desk.call("issue", "ventas.csv", "--json")
    assert (first.code, first.json["sent"]) == (1, 3)
    fix = desk.folder / first.json["reports"]["fix_file"]
    assert [row[:4] for row in cells(fix)] == [["A-2", "Pan", 1, 0.75], ["A-3", "Leche", "x", 1.1]]

    corrected(fix, {"C3": 4})
    (saved,) = resave(fix)
    second = desk.call("issue", str(saved), "--json")
    assert (second.code, second.json["sent"], second.json["states"]["stamped"]) == (1, 1, 1)
    again = desk.folder / second.json["reports"]["fix_file"]
    assert [row[:4] for row in cells(again)] == [["A-2", "Pan", 1, 0.75]]
    assert desk.call("issue", str(saved), "--json").json["sent"] == 0

    corrected(again, {"B2": "Pan francés"})
    third = desk.call("issue", str(again), "--json")
    assert (third.code, third.json["sent"], "fix_file" in third.json["reports"]) == (0, 1, False)
    assert set(desk.states().values()) == {"stamped"}
    assert [record.ref for record in sandbox.documents()] == ["A-1", "A-2", "A-4", "A-3"]
    assert sandbox.requests().violations == ()


def test_a_late_rejection_gives_a_workbook_out_of_the_same_file(open_desk: Open) -> None:
    """`refresh` has no file: the ledger knows where the sale stands. A file that says something else gives nothing."""
    desk, sandbox = open_desk(contingency=True)
    desk.write(*ROWS)
    desk.call("issue", "ventas.csv")
    sandbox.resolve("rejected", ["A-2"])
    done = desk.call("refresh", "--json")
    assert (done.code, done.json["states"]["rejected"]) == (1, 1)
    assert [row[:4] for row in cells(desk.folder / done.json["reports"]["fix_file"])] == [["A-2", "Pan", 1, 0.75]]

    sandbox.resolve("rejected", ["A-4"])
    desk.write("A-4,Queso fresco,1,4.00")
    done = desk.call("refresh", "--json")
    assert (done.code, "fix_file" in done.json["reports"]) == (1, False)
    assert "1 document has to be corrected in its own file" in done.err
    assert "A-4" in done.err


def test_check_writes_what_the_ledger_knows_too(open_desk: Open) -> None:
    """Rejected before and unchanged, in conflict, and held back now."""
    desk, _ = open_desk(rejected_refs="A-2")
    desk.write(*ROWS)
    desk.call("issue", "ventas.csv")
    desk.write("A-1,Café,3,2.50", *ROWS[1:])
    done = desk.call("check", "ventas.csv", "--fix-file", "fix.xlsx", "--json")
    assert done.json["reports"] == {"fix_file": "fix.xlsx"}
    rows = cells(desk.folder / "fix.xlsx")
    assert [row[0] for row in rows] == ["A-1", "A-2", "A-3"]
    assert rows[0][4].startswith("quantity was issued as «2», and the file says «3»")
    assert rows[1][4].startswith("It was refused: ")
    assert desk.call("issue", "fix.xlsx", "--json").json["sent"] == 0


def test_a_persons_corrections_are_not_written_over(open_desk: Open) -> None:
    """An untouched workbook is renewed; one that somebody has saved, or that is being read, stays."""
    desk, _ = open_desk()
    desk.write(*ROWS)
    check = ("check", "ventas.csv", "--fix-file", "fix.xlsx", "--json")
    assert [desk.call(*check).code for _ in range(2)] == [1, 1]
    corrected(desk.folder / "fix.xlsx", {"C2": 4})
    before = (desk.folder / "fix.xlsx").read_bytes()
    refused = desk.call(*check)
    assert (refused.code, refused.json["error"].partition(",")[0]) == (2, "fix.xlsx exists already")
    reading = desk.call("check", "fix.xlsx", "--fix-file", "fix.xlsx", "--json")
    assert (reading.code, reading.json["error"].partition(":")[0]) == (2, "fix.xlsx is one of the files that are read")
    assert desk.call("check", "ventas.csv", "--fix-file", "ventas.txt", "--json").code == 2
    assert (desk.folder / "fix.xlsx").read_bytes() == before
