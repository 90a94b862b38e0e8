"""`refresh` as it is typed: late rejections loudly, cancellations too, and watching that ends."""

from __future__ import annotations

import json
from pathlib import Path

from openpyxl import load_workbook

from batch_issuer.model.states import State
from tests.cli.desk import Desk, Open

SAID = ("AFTER CONTINGENCY", "accepted in contingency")


def test_a_late_rejection_is_loud_everywhere(open_desk: Open) -> None:
    """On the screen, in the JSON, on the page, and in every later report; the exit code is 1."""
    desk, sandbox = open_desk(contingency_refs="A-2,A-3", resolve_rejected_refs="A-2")
    assert desk.call("issue", "ventas.csv").code == 0
    sandbox.resolve("rejected", ["A-2"])
    sandbox.resolve("stamped", ["A-3"])
    done = desk.call("refresh")
    assert done.code == 1
    assert "!!! ATTENTION: 1 document that was in contingency has been REJECTED by the ministry.\n    A-2\n" in done.out
    assert "AFTER CONTINGENCY, customers may hold them: 096" in done.out
    (page,) = (path for path in Path(desk.folder, "reports").glob("*.html") if path.name in done.out)
    assert "AFTER CONTINGENCY, customers may hold them" in page.read_text(encoding="utf-8")
    again = desk.call("refresh", "--json")
    assert (again.code, again.json["late_rejections"]) == (1, []), "it is open until somebody corrects or withdraws it"
    assert desk.call("report", "--from", "2026-01-01", "--json").json["late_rejections"] == ["A-2"]


def test_a_rejection_at_once_is_not_late(open_desk: Open) -> None:
    """Nobody holds such a document."""
    desk, _ = open_desk(rejected_refs="A-1")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["late_rejections"]) == (1, [])


def test_corrected_and_rejected_at_once_it_is_late_no_longer(open_desk: Open) -> None:
    """Nobody holds the corrected document. Run, report, page, workbook and screen give one and the same answer."""
    desk, sandbox = open_desk(contingency_refs="A-2")
    desk.call("issue", "ventas.csv")
    sandbox.resolve("rejected", ["A-2"])
    assert desk.call("refresh", "--json").json["late_rejections"] == ["A-2"]
    assert late_everywhere(desk, "report", "--from", "2026-01-01") == ["A-2"]

    sandbox.change(contingency_refs=(), rejected_refs=("A-2",))
    desk.write("A-1,Café,2,2.50", "A-2,Café,2,2.75", "A-3,Café,2,2.50")
    assert late_everywhere(desk, "issue", "ventas.csv") == []
    record = desk.records()["A-2"]
    assert (record.state, record.waits, record.reason) == (State.REJECTED, 1, "")
    assert late_everywhere(desk, "report", "--from", "2026-01-01") == []
    assert desk.call("refresh", "--json").json["late_rejections"] == []


def test_withdrawn_by_a_person_it_is_late_no_longer(open_desk: Open) -> None:
    """Somebody has said what becomes of it; that it was one stays in its story, and in the list of documents."""
    desk, sandbox = open_desk(contingency_refs="A-2")
    desk.call("issue", "ventas.csv")
    sandbox.resolve("rejected", ["A-2"])
    desk.call("refresh")
    assert desk.call("note", "A-2", "vendido de nuevo", "--withdraw", "--by", "Ana").code == 0
    assert desk.call("report", "--from", "2026-01-01", "--json").json["late_rejections"] == []


def late_everywhere(desk: Desk, *command: str) -> list[str]:
    """The late rejections of a command, which JSON, its file, page, workbook and screen agree about."""
    said = desk.call(*command, "--json").json
    late = [str(reference) for reference in said["late_rejections"]]
    page, workbook = (Path(desk.folder, said["reports"][kind]) for kind in ("html", "workbook"))
    assert json.loads(page.with_suffix(".json").read_text("utf-8"))["late_rejections"] == late
    assert ("AFTER CONTINGENCY" in page.read_text("utf-8")) is bool(late)
    cells = [str(cell) for sheet in load_workbook(workbook) for row in sheet.values for cell in row]
    assert any("accepted in contingency" in cell for cell in cells) is bool(late)
    assert any(words in desk.call(*command).out for words in SAID) is bool(late)
    return late


def test_watching_ends_when_its_time_is_up_or_all_is_settled(open_desk: Open) -> None:
    """Exit 3 with what waits and how to go on; nothing to wait for is exit 0 at once."""
    desk, sandbox = open_desk(contingency=True, documents=2)
    desk.call("issue", "ventas.csv")
    done = desk.call("refresh", "--watch", "--max-wait", "0", "--json")
    assert (done.code, done.json["states"]["contingency"]) == (3, 2)
    assert "The time of --max-wait is over, and 2 are not settled yet." in done.err
    sandbox.change(contingency=False)
    sandbox.resolve()
    done = desk.call("refresh", "--watch", "--json")
    assert (done.code, done.json["states"]["stamped"]) == (0, 2)
    assert sandbox.requests().posts() == 2


def test_a_cancellation_that_waits_is_asked_about(open_desk: Open) -> None:
    """And only then is the document cancelled."""
    desk, sandbox = open_desk(documents=1)
    desk.call("issue", "ventas.csv")
    sandbox.change(contingency=True)
    assert desk.call("cancel", "A-1", "--yes", "--json").json["pending"] == 1
    assert desk.states() == {"A-1": "stamped"}
    sandbox.change(contingency=False)
    assert desk.call("refresh").code == 0
    assert desk.states() == {"A-1": "cancelled"}
