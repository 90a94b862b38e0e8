"""`note` and `sign-off` as they are typed, and what reports say of them."""

from __future__ import annotations

import json

import pytest

from batch_issuer.model.records import Kind
from tests.cli.desk import Desk, Open

PERIOD = "2020-01-01..2099-12-31"


@pytest.fixture
def issued(open_desk: Open) -> Desk:
    """Three documents, of which A-2 is rejected."""
    desk, _ = open_desk(rejected_refs="A-2")
    desk.call("issue", "ventas.csv")
    return desk


def test_a_note_is_told_wherever_its_document_is(issued: Desk) -> None:
    """In the story of the document, in the report, in the export; its state is what it was."""
    before = issued.states()
    done = issued.call("note", "A-2", "El cliente trae su NIT mañana", "--by", "Rosa Muestra", "--json")
    assert (done.code, done.json["external_ref"], done.json["by"]) == (0, "A-2", "Rosa Muestra")
    assert issued.states() == before
    assert "note by Rosa Muestra" in issued.call("ledger", "show", "A-2").out
    report = issued.call("report", "--json")
    assert [(one["external_ref"], one["reason"]) for one in report.json["noted"]] == [
        ("A-2", "El cliente trae su NIT mañana")
    ]
    exported = [json.loads(line) for line in issued.call("ledger", "export").out.splitlines()]
    assert [[note["by"] for note in one["notes"]] for one in exported] == [[], ["Rosa Muestra"], []]
    assert issued.call("ledger", "verify").code == 0


def test_a_note_about_nothing_known_is_refused(issued: Desk) -> None:
    """Exit 2 and a sentence; a document that was only held back can have one."""
    done = issued.call("note", "A-9", "why", "--by", "Rosa", "--json")
    assert (done.code, done.json["exit_code"]) == (2, 2)
    assert "does not know «A-9»" in done.err
    issued.write("A-9,Café,dos,2.50")
    issued.call("issue", "ventas.csv")
    assert issued.call("note", "A-9", "why", "--by", "Rosa").code == 0
    assert issued.call("report", "--json").json["noted"][0]["external_ref"] == "A-9"
    assert issued.call("note", "A-9", " ", "--by", "Rosa").code == 2
    assert issued.call("note", "A-9", "why").code == 2


def test_a_report_says_whether_anything_changed_since_it_was_signed(issued: Desk) -> None:
    """Notes change nothing; a corrected document does, and is named."""
    done = issued.call("sign-off", "--period", PERIOD, "--by", "Rosa Muestra", "--json")
    assert (done.code, done.json["documents"], done.json["gross"], done.json["needs_person"]) == (0, 3, "15.00", 1)
    assert done.json["open"] == [{"external_ref": "A-2", "state": "rejected"}]
    assert "Rejected: A-2" in done.err
    issued.call("note", "A-2", "seen", "--by", "Rosa")
    signed = issued.call("report", "--json").json["sign_offs"]
    assert [(one["by"], one["role"], one["unchanged"]) for one in signed] == [("Rosa Muestra", "preparer", True)]
    assert "unchanged since" in issued.call("report").out
    issued.write("A-1,Café,2,2.50", "A-2,Café,2,2.75", "A-3,Café,2,2.50")
    issued.call("issue", "ventas.csv")
    (changed,) = issued.call("report", "--json").json["sign_offs"]
    assert (changed["unchanged"], changed["changed"], changed["now"]["gross"]) == (False, ["A-2"], "15.50")
    assert "CHANGED SINCE" in issued.call("report", "--from", "2020-01-01").out
    assert issued.call("report", "--to", "2020-01-01", "--json").json["sign_offs"][0]["unchanged"] is False
    assert issued.call("report", "--to", "2019-12-31", "--json").json["sign_offs"] == []
    assert issued.call("ledger", "export", "--json").json["sign_offs"][0]["by"] == "Rosa Muestra"
    assert issued.call("ledger", "verify").code == 0


def test_preparer_and_reviewer_may_have_to_be_two(issued: Desk) -> None:
    """With the setting: nothing unprepared is reviewed, nobody reviews himself, however the name is written."""
    (issued.folder / "batch-issuer.toml").write_text("[sign_off]\ndifferent_people = true\n", encoding="utf-8")
    sign = ("sign-off", "--period", PERIOD, "--by")
    early = issued.call(*sign, "Ana Reyes", "--as", "reviewer", "--json")
    assert (early.code, early.json["exit_code"]) == (2, 2)
    assert "Nobody has prepared this period yet" in early.err
    assert issued.call(*sign, "Rosa Pérez").code == 0
    same = issued.call(*sign, "rosa  PEREZ", "--as", "reviewer")
    assert same.code == 2
    assert "«Rosa Pérez» has signed this period already, as preparer" in same.err
    assert issued.call(*sign, "Ana Reyes", "--as", "reviewer").code == 0
    issued.write("A-1,Café,2,2.50", "A-2,Café,2,2.75", "A-3,Café,2,2.50")
    issued.call("issue", "ventas.csv")
    stale = issued.call(*sign, "Ana Reyes", "--as", "reviewer")
    assert "or it has changed since" in stale.err
    assert len(issued.call("report", "--json").json["sign_offs"]) == 2


@pytest.mark.parametrize("period", ["2026", "2026-13", "2026-11-31", "2026-11-05..2026-11-01", "..", "mañana"])
def test_a_period_that_is_none_is_refused(issued: Desk, period: str) -> None:
    """With an example of how to write one; nothing is signed."""
    done = issued.call("sign-off", "--period", period, "--by", "Rosa")
    assert done.code == 2
    assert period in done.err
    assert issued.call("ledger", "export", "--json").json["sign_offs"] == []


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("2026-11", ("2026-11-01", "2026-11-30")),
        ("2028-02", ("2028-02-01", "2028-02-29")),
        ("2026-11-21", ("2026-11-21", "2026-11-21")),
        ("2026-12-30..2027-01-02", ("2026-12-30", "2027-01-02")),
    ],
)
def test_a_period_is_a_month_a_day_or_days(issued: Desk, period: str, days: tuple[str, str]) -> None:
    """First and last day, both included."""
    done = issued.call("sign-off", "--period", period, "--by", "Rosa", "--json")
    assert (done.json["first"], done.json["last"]) == days


def test_what_persons_write_is_in_the_chain(issued: Desk) -> None:
    """Both kinds stand among the events, so that nobody can change them unseen."""
    assert {Kind.NOTED.value, Kind.SIGNED.value} == {"noted", "signed"}
    before = issued.call("ledger", "verify", "--json").json["events"]
    issued.call("note", "A-1", "why", "--by", "Rosa")
    issued.call("sign-off", "--period", PERIOD, "--by", "Rosa")
    assert issued.call("ledger", "verify", "--json").json["events"] == before + 2
