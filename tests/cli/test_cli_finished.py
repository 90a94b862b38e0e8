"""A finished file issued again: it is read and planned like any other, nothing is sent, and the reports are made anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_issuer.ledger.opening import open_to_read, open_to_write
from batch_issuer.model.records import Kind, NewEvent
from tests.cli.desk import Desk, Open

ROWS = ("A-1,Café,2,2.50", "A-2,Té,1,3.00", "A-3,Pan,x,1.00", "A-4,Pan,1,1.25", "A-4,Miel,,4.00")
OWN = ("run", "seconds", "sent", "asked", "reports", "as_of")
"""What every run says of itself."""


def without_own(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name not in OWN}


def refs_read(desk: Desk, run: str) -> list[str]:
    """Of which documents the ledger says that a run read them."""
    ledger = open_to_read(desk.ledger)
    try:
        return list((ledger.run(run).summary or {})["refs"])
    finally:
        ledger.close()


def test_again_it_sends_nothing_and_says_the_same(open_desk: Open) -> None:
    """Documents held back still need a person; the run is in the ledger, with reports of its own."""
    desk, sandbox = open_desk()
    desk.write(*ROWS)
    first = desk.call("issue", "ventas.csv", "--json")
    asked = sandbox.requests().total
    again = [desk.call("issue", "ventas.csv", "--json") for _ in range(2)]
    assert sandbox.requests().total == asked
    assert (first.json["sent"], [one.json["sent"] for one in again]) == (2, [0, 0])
    for done in again:
        assert "settled: nothing to do     2" in done.err
        assert done.code == first.code == 1
        assert list(done.json) == list(first.json)
        assert without_own(done.json) == without_own(again[0].json)
        for name in ("documents", "states", "totals", "held_back", "problems", "exit_code"):
            assert done.json[name] == first.json[name], name
        assert refs_read(desk, done.json["run"]) == ["A-1", "A-2"]
        assert all(Path(desk.folder, path).is_file() for path in done.json["reports"].values())
    assert len({one.json["run"] for one in (first, *again)}) == 3
    assert desk.call("ledger", "verify", "--rebuild").code == 0


def said_read(desk: Desk) -> list[Any]:
    """What each run wrote that it had read, in order."""
    ledger = open_to_read(desk.ledger)
    try:
        return [json.loads(one.body) for one in ledger.every_event() if one.kind is Kind.RUN_READ]
    finally:
        ledger.close()


def test_what_was_read_is_written_once(open_desk: Open) -> None:
    """A run that has read just what the newest reading says names that run; every report of it has the same figures."""
    desk, _ = open_desk()
    desk.write(*ROWS)
    runs = [desk.call("issue", "ventas.csv", "--json").json["run"] for _ in range(3)]
    first, *again = said_read(desk)
    assert first["refs"] == ["A-1", "A-2"]
    assert again == [{"same_as": runs[0]}, {"same_as": runs[0]}], "no run is named that names another"
    _edit("ventas.csv", "Té,1,3.00", "Té,1,4.00")(desk)
    runs.append(desk.call("issue", "ventas.csv", "--json").json["run"])
    runs.append(desk.call("issue", "ventas.csv", "--limit", "1", "--json").json["run"])
    _edit("ventas.csv", "Té,1,4.00", "Té,1,3.00")(desk)
    runs += [desk.call("issue", "ventas.csv", "--json").json["run"] for _ in range(2)]
    assert [one.get("same_as") for one in said_read(desk)[3:]] == [None, runs[3], None, runs[5]]
    told = [desk.call("report", "--run", run, "--json").json for run in (runs[0], runs[2], runs[6])]
    for name in ("documents", "states", "totals", "held_back", "rows"):
        assert told[0][name] == told[1][name] == told[2][name], name
    for holding in (("verify", "--rebuild"), ("backup", "copy.db"), ("restore", "copy.db", "--yes"), ("verify",)):
        assert desk.call("ledger", *holding).code == 0
    assert refs_read(desk, runs[2]) == ["A-1", "A-2"]


def test_another_company_has_read_nothing(open_desk: Open) -> None:
    """Its runs name no run of somebody else, though the files be the same."""
    desk, _ = open_desk()
    desk.write(*ROWS)
    first = desk.call("issue", "ventas.csv", "--json").json["run"]
    with open_to_write(desk.ledger, "other", create=False) as ledger:
        (body,) = said_read(desk)
        assert (ledger.has_read_just("default", body), ledger.has_read_just("other", body)) == (first, "")
        run = ledger.begin_run("other", "issue").run
        ledger.append("other", run, [NewEvent(kind=Kind.RUN_READ, body=body)])
        assert ledger.has_read_just("other", body) == run
        assert ledger.has_read_just("other", {**body, "rows": body["rows"] + 1}) == ""
        assert ledger.has_read_just("other", {}) == ""


def _edit(name: str, before: str, after: str) -> Callable[[Desk], None]:
    def edit(desk: Desk) -> None:
        path = desk.folder / name
        path.write_bytes(path.read_bytes().replace(before.encode(), after.encode()))

    return edit


CHANGES: dict[str, tuple[Callable[[Desk], object], Callable[[dict[str, Any]], object], object]] = {
    "a corrected row": (_edit("ventas.csv", "Pan,x", "Pan,2"), lambda plain: plain["sent"], 1),
    "another amount": (_edit("ventas.csv", "Té,1,3.00", "Té,1,4.00"), lambda plain: len(plain["conflicts"]), 1),
    "a cancelled sale": (
        lambda desk: desk.call("cancel", "A-1", "--yes"), lambda plain: plain["states"].get("cancelled"), 1
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_has_changed_is_told(open_desk: Open, what: str) -> None:
    change, told, expected = CHANGES[what]
    desk, _ = open_desk()
    desk.write(*ROWS)
    desk.call("issue", "ventas.csv")
    change(desk)
    assert told(desk.call("issue", "ventas.csv", "--json").json) == expected


def test_what_is_rejected_is_told_again_and_not_sent(open_desk: Open) -> None:
    desk, sandbox = open_desk(rejected_refs=("A-2",))
    for done in [desk.call("issue", "ventas.csv", "--json") for _ in range(2)]:
        assert done.json["states"]["rejected"] == 1
    assert sandbox.requests().posts() == 3


def test_what_is_open_is_asked_about_every_time(open_desk: Open) -> None:
    """Until the provider says how it ended; after that nothing is asked."""
    desk, sandbox = open_desk(contingency_refs=("A-1",))
    for done in [desk.call("issue", "ventas.csv", "--json") for _ in range(2)]:
        assert done.json["states"]["contingency"] == 1
    sandbox.resolve("stamped")
    assert desk.call("issue", "ventas.csv", "--json").json["states"]["stamped"] == 3
    asked = sandbox.requests().total
    assert desk.call("issue", "ventas.csv", "--json").json["states"]["stamped"] == 3
    assert sandbox.requests().total == asked


def test_another_key_is_refused_all_the_same(open_desk: Open) -> None:
    desk, _ = open_desk()
    desk.call("issue", "ventas.csv")
    desk.key = "odt_another"
    assert desk.call("issue", "ventas.csv").code == 2


def test_a_run_of_an_older_version_that_names_another_is_read(open_desk: Open) -> None:
    """It had read just what the other had read, and wrote no more than that."""
    desk, _ = open_desk()
    desk.write(*ROWS)
    first = desk.call("issue", "ventas.csv", "--json")
    with open_to_write(desk.ledger, "default", create=False) as ledger:
        run = ledger.begin_run("default", "issue").run
        ledger.append("default", run, [NewEvent(kind=Kind.RUN_READ, body={"same_as": first.json["run"]})])
    assert refs_read(desk, run) == ["A-1", "A-2"]
    told = [desk.call("report", "--run", name, "--json").json for name in (first.json["run"], run)]
    parts = ("documents", "states", "totals", "held_back", "rows")
    assert [told[1][name] for name in parts] == [told[0][name] for name in parts]
