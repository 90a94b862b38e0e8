"""`cancel` as it is typed: the question, the plan, the list, the exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from openpyxl import Workbook

from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.reference_lists import read_references
from tests.cli.desk import Desk, Open


@pytest.fixture
def issued(open_desk: Open) -> Desk:
    """Three stamped documents: A-1, A-2, A-3."""
    desk, _ = open_desk()
    assert desk.call("issue", "ventas.csv").code == 0
    return desk


def test_without_a_terminal_and_without_yes_nothing_is_sent(issued: Desk) -> None:
    """It shows what it would do, says how to say yes, and leaves with 2."""
    done = issued.call("cancel", "A-1")
    assert done.code == 2
    assert "A-1 · 01 Invoice · $5.00" in done.out
    assert "Cancelling needs a yes, and nobody is here to ask. Nothing was sent." in done.err
    assert set(issued.states().values()) == {"stamped"}


def test_cancelled_documents_are_told_of_and_reconcile(issued: Desk) -> None:
    """One object on standard output; the state is the provider's; a second time there is nothing to do."""
    done = issued.call("cancel", "A-1", "A-2", "--yes", "--json")
    assert (done.code, done.json["cancelled"], done.json["sent"]) == (0, 2, 2)
    assert [one["result"] for one in done.json["cancellations"]] == ["cancelled", "cancelled"]
    assert done.json["states"]["cancelled"] == 2
    assert all(Path(issued.folder, path).is_file() for path in done.json["reports"].values())
    again = issued.call("cancel", "A-1", "--yes", "--json")
    assert (again.code, again.json["cancelled"], again.json["sent"]) == (0, 1, 0)
    story = issued.call("ledger", "show", "A-1").out
    assert "cancellation asked for" in story
    assert "Stamp of the cancellation" in story
    exported = [json.loads(line) for line in issued.call("ledger", "export").out.splitlines()]
    assert [(one["state"], one["cancellation"]) for one in exported] == [
        ("cancelled", "done"),
        ("cancelled", "done"),
        ("stamped", ""),
    ]


def test_a_refusal_needs_a_person(open_desk: Open) -> None:
    """Exit 1, with the provider's words; the document stays what it was."""
    desk, _ = open_desk("error-before:route=invalidate,ref=*,status=400")
    desk.call("issue", "ventas.csv")
    done = desk.call("cancel", "A-1", "--yes")
    assert done.code == 1
    assert "✗ A-1: not cancelled: refused · The provider did not accept the request." in done.out
    assert "Not everything that was asked for is done: see above." in done.out
    assert "are stamped" not in done.out
    assert set(desk.states().values()) == {"stamped"}


def test_an_unknown_reference_sends_nothing(issued: Desk) -> None:
    """Not even of those that are known."""
    done = issued.call("cancel", "A-1", "A-9", "--yes")
    assert done.code == 2
    assert "does not know: «A-9»" in done.err
    assert "A-1 · 01 Invoice" in done.out
    plan = issued.call("cancel", "A-1", "A-9", "--plan", "--json")
    assert (plan.code, [one["course"] for one in plan.json["plan"]]) == (1, ["invalidate", "unknown"])
    assert set(issued.states().values()) == {"stamped"}
    assert issued.call("cancel", "--yes").code == 2


@pytest.mark.parametrize("name", ["plan.json", "plan.csv", "plan.xlsx", ""])
def test_a_plan_is_a_list_and_nothing_more(issued: Desk, name: str) -> None:
    """By its name as JSON, CSV or workbook; without one, a workbook in the folder of the reports. It needs no key."""
    issued.key = ""
    done = issued.call("cancel", "A-1", "A-2", "--plan", "--json", *(["--out", name] if name else []))
    assert (done.code, done.json["sent"]) == (0, 0)
    path = issued.folder / done.json["file"]
    assert path.name == name or (path.parent.name == "reports" and path.suffix == ".xlsx")
    assert read_references(str(path)) == ("A-1", "A-2")
    assert set(issued.states().values()) == {"stamped"}


def test_a_list_is_read_whatever_its_form(issued: Desk) -> None:
    """The references of a table's column, one a line, or a workbook's."""
    table = issued.folder / "lista.csv"
    with table.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows([["Motivo", "Número de factura"], ["devolución", "A-2"]])
    done = issued.call("cancel", "A-1", "--file", "lista.csv", "--yes", "--json")
    assert (done.code, done.json["cancelled"]) == (0, 2)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("A,1\nB;2\n\nA,1\n", ("A,1", "B;2")),
        ('external_ref,total\n"A,1",5\n', ("A,1",)),
        ('["A", {"external_ref": "B"}]', ("A", "B")),
        ('{"external_ref": "A"}\n{"external_ref": "B"}\n', ("A", "B")),
        ("\ufeffReferencia\tx\n'=1\ty\n", ("=1",)),
    ],
)
def test_references_are_taken_as_they_stand(tmp_path: Path, content: str, found: tuple[str, ...]) -> None:
    """Lines hold what they hold; only a heading that is known makes a table."""
    path = tmp_path / "list.txt"
    path.write_text(content, encoding="utf-8")
    assert read_references(str(path)) == found


def test_a_workbook_without_references_says_so(tmp_path: Path) -> None:
    """Numbers keep their digits; an empty list is refused."""
    book = Workbook()
    sheet = book.create_sheet("Lista", 0)
    sheet.append(["Fecha", "Referencia"])
    sheet.append(["hoy", "0012"])
    book.save(tmp_path / "list.xlsx")
    assert read_references(str(tmp_path / "list.xlsx")) == ("0012",)
    (tmp_path / "none.csv").write_text("Referencia\n\n", encoding="utf-8")
    with pytest.raises(CannotStart, match="There are no references"):
        read_references(str(tmp_path / "none.csv"))
