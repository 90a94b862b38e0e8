"""`reconcile` as it is typed: files against ledger against provider, and what became of an earlier report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.desk import Desk, Open
from tests.cli.test_cli_types import ccf, note
from tests.cli.test_cli_types import write as write_types

DATED = "external_ref,date,customer_name,description,quantity,unit_price"


def dated(desk: Desk, *rows: str, name: str = "ventas.csv") -> Path:
    """A table with dates and customers."""
    path = desk.folder / name
    path.write_text("\n".join([DATED, *rows]) + "\n", encoding="utf-8")
    return path


def follow(bridge: list[dict[str, object]]) -> None:
    """Each result is the one before less its steps, and the last is made of the states."""
    left = [0, 0]
    for at, step in enumerate(bridge):
        values = [int(str(step["documents"])), round(float(str(step["gross"])) * 100)]
        if step["sign"] == 0:
            assert at == 0 or left == values, step
            left = values
        else:
            left = [left[0] - values[0], left[1] - values[1]]
    assert left == [0, 0]


@pytest.fixture
def issued(open_desk: Open) -> Desk:
    """Four documents of one day, A-1 to A-4, all stamped."""
    desk, _ = open_desk()
    dated(desk, *(f"A-{at},2026-11-20,Cliente {at},Café,{at},2.50" for at in (1, 2, 3, 4)))
    assert desk.call("issue", "ventas.csv").code == 0
    return desk


def test_files_that_are_what_was_issued_reconcile_without_network(issued: Desk) -> None:
    """Exit 0, every document matched, every bridge closed; the same again gives the same bytes, and no run is written."""
    runs = len(issued.call("ledger", "export", "--format", "jsonl").out.splitlines())
    issued.key = ""
    done = issued.call("reconcile", "ventas.csv", "--json")
    assert done.code == 0, done.err
    assert done.json["comparison"]["matches"]["matched"] == {"documents": 4, "gross": "25.00"}
    assert sum(one["documents"] for one in done.json["comparison"]["matches"].values()) == 4
    follow(done.json["bridge"])
    contingency = done.json["contingency"]
    assert contingency["opening"]["documents"] == contingency["closing"]["documents"] == 0
    assert done.json["scope"] == {
        "about": "files", "run": "", "first": "2026-11-20", "last": "2026-11-20", "chosen_by": "dates",
    }  # fmt: skip
    contents = {kind: (issued.folder / path).read_bytes() for kind, path in done.json["reports"].items()}
    again = issued.call("reconcile", "ventas.csv", "--json")
    assert {kind: (issued.folder / path).read_bytes() for kind, path in again.json["reports"].items()} == contents
    assert set(contents) == {"html", "workbook", "json"}
    assert len(issued.call("ledger", "export", "--format", "jsonl").out.splitlines()) == runs


def test_every_difference_has_its_name(issued: Desk) -> None:
    """Missing on either side, changed, held back, looking alike: each sale is in exactly one place, to the cent."""
    issued.call("cancel", "A-4", "--yes")
    dated(
        issued,
        "A-1,2026-11-20,Cliente 1,Café,1,2.50",
        "A-2,2026-11-20,Cliente 2,Café,5,2.50",
        "A-4,2026-11-20,Cliente 4,Café,4,2.50",
        "B-1,2026-11-20,Cliente 1,Café,1,2.50",
        "B-2,2026-11-20,Cliente 9,Café,1,9.00",
        "B-3,2026-11-20,Cliente 9,Café,0,9.00",
    )
    done = issued.call("reconcile", "ventas.csv", "--json")
    assert done.code == 1
    comparison = done.json["comparison"]
    assert {name: one["documents"] for name, one in comparison["matches"].items()} == {
        "matched": 1, "unsettled": 0, "changed": 1, "cancelled": 1, "missing": 2, "held-back": 1,
    }  # fmt: skip
    assert [one["external_ref"] for one in comparison["missing"]] == ["B-1", "B-2"]
    assert [one["external_ref"] for one in comparison["only_in_ledger"]] == ["A-3"]
    assert [(one["external_ref"], one["other_ref"]) for one in comparison["lookalikes"]] == [("B-1", "A-1")]
    assert [one["external_ref"] for one in done.json["conflicts"]] == ["A-2"]
    assert done.json["still_in_files"] == ["A-4"]
    follow(done.json["bridge"])
    steps = {step["key"]: step for step in done.json["bridge"]}
    assert (steps["documents"]["documents"], steps["documents"]["gross"]) == (6, "36.50")
    assert steps["changed"]["gross"] == "7.50"
    assert (steps["to_issue"]["documents"], steps["to_issue"]["gross"]) == (3, "17.50")
    causes = {(item["cause"], item["external_ref"]) for item in done.json["open"]}
    assert causes == {
        ("conflict", "A-2"), ("missing", "B-1"), ("missing", "B-2"), ("only-in-ledger", "A-3"), ("cancelled", "A-4"),
        ("problem", "B-3"),
    }  # fmt: skip


def test_a_folder_of_files_is_looked_through_over_all_its_days(issued: Desk) -> None:
    """The days that the files cover together; and a period asked for in its place."""
    month = issued.folder / "mes"
    month.mkdir()
    (issued.folder / "ventas.csv").rename(month / "20.csv")
    dated(issued, "C-1,2026-11-22,Ana,Té,1,3.00", name="mes/22.csv")
    done = issued.call("reconcile", "mes", "--json")
    assert (done.code, done.json["scope"]["first"], done.json["scope"]["last"]) == (1, "2026-11-20", "2026-11-22")
    assert [one["external_ref"] for one in done.json["comparison"]["missing"]] == ["C-1"]
    only = issued.call("reconcile", "mes/22.csv", "--json")
    assert only.json["comparison"]["only_in_ledger"] == []
    asked = issued.call("reconcile", "mes/22.csv", "--from", "2026-11-01", "--to", "2026-11-30", "--json")
    assert len(asked.json["comparison"]["only_in_ledger"]) == 4
    assert asked.json["scope"]["chosen_by"] == "period"


def test_sales_without_dates_are_looked_for_in_the_same_sheet(open_desk: Open) -> None:
    """A row that was taken out of its file after it was issued does not go unseen."""
    desk, _ = open_desk(documents=3)
    desk.call("issue", "ventas.csv")
    desk.fill(2)
    done = desk.call("reconcile", "ventas.csv", "--json")
    assert (done.code, done.json["scope"]["chosen_by"]) == (1, "files")
    assert [one["external_ref"] for one in done.json["comparison"]["only_in_ledger"]] == ["A-3"]


def test_what_the_provider_says_is_asked_and_recorded(open_desk: Open) -> None:
    """Contingency that was settled meanwhile is learned; documents that the ledger lacks are found at the provider."""
    desk, sandbox = open_desk(documents=3, contingency=True)
    desk.call("issue", "ventas.csv")
    sandbox.resolve()
    desk.fill(4)
    other = desk.call("issue", "ventas.csv", "--ledger", "other.db", "--alike", "same")
    assert other.code == 0, other.err
    there = len(sandbox.documents())
    done = desk.call("reconcile", "ventas.csv", "--ask", "--json", "--base-url", desk.base_url)
    assert (done.code, done.json["sent"]) == (1, 0)
    comparison = done.json["comparison"]
    assert comparison["asked"] == 4
    assert [(one["external_ref"], one["before"], one["now"]) for one in comparison["state_changes"]] == [
        ("A-1", "contingency", "stamped"),
        ("A-2", "contingency", "stamped"),
        ("A-3", "contingency", "stamped"),
        ("A-4", "", "contingency"),
    ]
    assert [one["external_ref"] for one in comparison["missing"]] == ["A-4"]
    assert set(desk.states().values()) == {"stamped"}
    again = desk.call("report", "--run", done.json["run"], "--json")
    assert again.json["comparison"] == comparison
    assert len(sandbox.documents()) == there


def test_a_stamp_is_never_taken_back_by_a_status(open_desk: Open) -> None:
    """A provider that has forgotten a stamped document is contradicted: exit 1, and the ledger keeps the proof."""
    desk, _ = open_desk(documents=2)
    desk.call("issue", "ventas.csv")
    empty, _ = open_desk(documents=2)
    done = desk.call("reconcile", "ventas.csv", "--ask", "--json", "--base-url", empty.base_url)
    assert done.code == 1
    assert [(one["before"], one["now"], one["recorded"]) for one in done.json["comparison"]["state_changes"]] == [
        ("stamped", "not-found", False),
        ("stamped", "not-found", False),
    ]
    assert {item["cause"] for item in done.json["open"]} == {"contradiction"}
    assert set(desk.states().values()) == {"stamped"}


def test_an_earlier_report_tells_what_was_resolved_what_is_open_and_what_is_new(issued: Desk) -> None:
    """By document: what was mended, what still waits, what came since, what the files do not have any more."""
    rows = ["A-1,2026-11-20,Cliente 1,Café,1,2.50", "A-2,2026-11-20,Cliente 2,Café,5,2.50"]
    dated(issued, *rows, "X-1,2026-11-20,,Té,1,1.00", "X-2,2026-11-20,,Té,0,1.00", "X-3,2026-11-20,,Té,1,1.00")
    first = issued.call("reconcile", "ventas.csv", "--json", "--out", "first")
    earlier = first.json["reports"]["json"]
    dated(
        issued, rows[0], "A-2,2026-11-20,Cliente 2,Café,2,2.50", "A-4,2026-11-20,Cliente 4,Café,4,2.50",
        "X-2,2026-11-20,,Té,0,1.00", "X-4,2026-11-20,,Té,1,1.00", "X-1,2026-11-20,,Té,1,1.00",
    )  # fmt: skip
    done = issued.call("reconcile", "ventas.csv", "--since", earlier, "--json")
    since = {
        name: [one["external_ref"] for one in done.json["since"][name]]
        for name in ("resolved", "still_open", "new", "gone")
    }
    assert since == {
        "resolved": ["A-2", "A-4"],
        "still_open": ["X-1", "A-3", "X-2"],
        "new": ["X-4"],
        "gone": ["X-3"],
    }
    assert (
        json.loads((issued.folder / done.json["reports"]["json"]).read_text(encoding="utf-8"))["since"]
        == done.json["since"]
    )


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"open": [{"cause": "no such"}]}', None])
def test_a_report_that_is_none_is_refused(issued: Desk, content: str | None) -> None:
    """With a sentence that says which file to name."""
    if content is not None:
        (issued.folder / "earlier.json").write_text(content, encoding="utf-8")
    done = issued.call("reconcile", "ventas.csv", "--since", "earlier.json", "--json")
    assert (done.code, done.json["exit_code"]) == (2, 2)
    assert "earlier.json is not a report's JSON file" in done.err
    assert "Traceback" not in done.err


def test_days_the_wrong_way_round_are_refused(issued: Desk) -> None:
    """Exit 2, instead of a report about nothing."""
    for command in (("reconcile", "ventas.csv"), ("report",)):
        done = issued.call(*command, "--from", "2026-12-01", "--to", "2026-11-01", "--json")
        assert (done.code, done.json["exit_code"]) == (2, 2)
        assert "--from 2026-12-01 comes after --to 2026-11-01." in done.err


def test_without_a_ledger_nothing_can_be_reconciled(open_desk: Open) -> None:
    """Exit 2; a ledger is not made by comparing with it."""
    desk, _ = open_desk()
    done = desk.call("reconcile", "ventas.csv")
    assert done.code == 2
    assert "There is no ledger" in done.err
    assert not desk.ledger.exists()


def test_a_ccf_that_its_credit_note_undid_reconciles(open_desk: Open) -> None:
    """Issued, issued again, reconciled, asked about: always the same totals, and nothing for a person to do."""
    desk, sandbox = open_desk()
    rows = (
        ccf("C-1", "697.50"), note("N-2", "C-1", full="si"), ccf("C-3", "100.00"), note("N-4", "C-3", "20.00"),
    )  # fmt: skip
    write_types(desk, *rows)
    calls: tuple[tuple[str, ...], ...] = (
        ("issue", "ventas.csv"),
        ("issue", "ventas.csv"),
        ("reconcile", "ventas.csv"),
        ("reconcile", "ventas.csv", "--ask", "--base-url", desk.base_url),
    )
    told = []
    for call in calls:
        done = desk.call(*call, "--json")
        assert done.code == 0, (call, done.json["open"], done.err)
        told.append((done.json["documents"], done.json["states"]["cancelled"], done.json["totals"]["expected_gross"]))
    assert told == [told[0]] * len(calls)
    found = desk.call("reconcile", "ventas.csv", "--json").json
    assert found["comparison"]["matches"]["matched"]["documents"] == 4
    assert found["sales"]["gross"] == "90.40"
    follow(found["bridge"])
    assert len(sandbox.documents()) == 4


def test_a_silent_provider_stops_it_midway(open_desk: Open) -> None:
    """Exit 3 with the sentence; the reports show what is known, and nothing is recorded as changed."""
    desk, _ = open_desk(documents=2)
    desk.call("issue", "ventas.csv")
    silent = desk.call("reconcile", "ventas.csv", "--ask", "--json", "--base-url", "http://127.0.0.1:9/api/connect")
    assert silent.code == 3
    assert "Nothing answers" in silent.json["error"]
    assert silent.json["comparison"]["asked"] == 0
    assert "Traceback" not in silent.err
    assert set(desk.states().values()) == {"stamped"}
    assert desk.call("reconcile", "ventas.csv").code == 0
