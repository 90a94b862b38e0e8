from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy import event as events_of_engines

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.verify import verify
from batch_issuer.model.records import Event, Kind, NewEvent, Record, fold
from batch_issuer.model.states import State
from batch_issuer.reconcile.contingency import contingency_bridge
from tests.ledger.histories import (
    ANSWER,
    COMPANY,
    Clock,
    Step,
    answered,
    planned,
    reading,
    run_ended,
    sending,
    steps,
    write,
)


def waiting_at(events: list[Event], moment: str) -> dict[str, Record]:
    """Documents of the company that were in contingency when everything before a moment had been written."""
    records: dict[str, Record] = {}
    for event in events:
        if event.external_ref and event.company == COMPANY and event.at < moment:
            records[event.external_ref] = fold(records.get(event.external_ref), event, json.loads(event.body))
    return {ref: record for ref, record in records.items() if record.state is State.CONTINGENCY}


@settings(max_examples=60, deadline=None)
@given(steps(), st.data())
def test_the_bridge_of_contingency_is_what_the_events_say(history: list[Step], data: st.DataObject) -> None:
    """Whatever happened, what was open at a moment is what the events until then leave in contingency, to the cent."""
    with TemporaryDirectory() as folder:
        write(Path(folder) / "ledger.db", history)
        with reading(Path(folder) / "ledger.db") as ledger:
            events = list(ledger.every_event())
            moments = sorted({event.at for event in events})
            since, until = sorted((data.draw(st.sampled_from(moments)), data.draw(st.sampled_from(moments))))
            bridge = contingency_bridge(ledger.waits(COMPANY, since, until), since, until)
            opening, closing = waiting_at(events, since), waiting_at(events, until)
    assert (bridge.opening.documents, bridge.closing.documents) == (len(opening), len(closing))
    assert bridge.opening.gross == sum(one.expected_gross for one in opening.values())
    assert bridge.closing.gross == sum(one.expected_gross for one in closing.values())
    settled = bridge.settled.values()
    assert bridge.opening.gross + bridge.entered.gross - sum(one.gross for one in settled) == bridge.closing.gross


def noted(ref: str, reason: str = "The customer comes tomorrow") -> NewEvent:
    return NewEvent(kind=Kind.NOTED, body={"ref": ref, "by": "Rosa Cliente", "reason": reason})


def test_a_note_is_kept_in_the_chain_and_changes_no_document(tmp_path: Path) -> None:
    """What a person writes is read back as it was written; documents and runs stay what they were."""
    path = tmp_path / "ledger.db"
    with open_to_write(path, COMPANY, create=True, clock=Clock()) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("A-1"), sending("A-1"), answered("A-1"), run_ended()])
        before, known, runs = ledger.record(COMPANY, "A-1"), ledger.known_at(COMPANY), ledger.runs()
        ledger.append(COMPANY, "", [noted("A-1"), noted("never heard of")])
        assert (ledger.record(COMPANY, "A-1"), ledger.known_at(COMPANY), ledger.runs()) == (before, known, runs)
    with reading(path) as ledger:
        assert [(note.external_ref, note.by) for note in ledger.notes(COMPANY)] == [
            ("A-1", "Rosa Cliente"),
            ("never heard of", "Rosa Cliente"),
        ]
        assert ledger.notes("another") == []
        assert verify(ledger).damages == ()


def test_control_numbers_are_found_by_range_and_year(tmp_path: Path) -> None:
    """Numbers between two of a series, and the nearest below them that was given in the same year."""
    path = tmp_path / "ledger.db"
    with open_to_write(path, COMPANY, create=True, clock=Clock()) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        for number in (3, 7, 8, 20):
            answer = replace(ANSWER, control_number=f"DTE-01-M001P001-{number:015d}")
            ledger.append(
                COMPANY, run, [planned(f"A-{number}"), sending(f"A-{number}"), answered(f"A-{number}", answer=answer)]
            )
        low, high = "DTE-01-M001P001-000000000000007", "DTE-01-M001P001-000000000000009"
        assert [one.external_ref for one in ledger.numbers(COMPANY, low, high)] == ["A-7", "A-8"]
        before = ledger.number_before(COMPANY, "DTE-01-M001P001", low, "2026", "2027")
        assert before is not None
        assert before.external_ref == "A-3"
        assert ledger.number_before(COMPANY, "DTE-01-M001P001", low, "2027", "2028") is None
        assert ledger.number_before(COMPANY, "DTE-01-M001P002", low, "2026", "2027") is None


def test_documents_of_a_period_are_found_by_when_they_were_sent(tmp_path: Path) -> None:
    """Those that never left count by when they were last touched."""
    path = tmp_path / "ledger.db"
    clock = Clock()
    with open_to_write(path, COMPANY, create=True, clock=clock) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("A-1"), planned("A-2"), sending("A-1")])
        middle = clock.now.isoformat(timespec="milliseconds")
        ledger.append(COMPANY, run, [planned("A-3"), sending("A-3"), answered("A-1")])
        assert _refs(ledger, "", "") == ["A-1", "A-2", "A-3"]
        after = (clock.now).isoformat(timespec="milliseconds")
        assert _refs(ledger, "", after) == ["A-1", "A-2"]
        assert _refs(ledger, after, "") == ["A-3"]
        assert _refs(ledger, middle, after) == ["A-1", "A-2"]


def _refs(ledger: Ledger, since: str, until: str) -> list[str]:
    return [record.external_ref for record in ledger.sent_between(COMPANY, since, until)]


SINCE, UNTIL = "2026-01-05T00:00:00", "2026-01-06T00:00:00"
SERIES = "DTE-01-M001P001"
LOOKUPS: dict[str, Callable[[Ledger], object]] = {
    "record": lambda ledger: ledger.record(COMPANY, "A-1"),
    "records": lambda ledger: ledger.records(COMPANY, ["A-1", "A-2"]),
    "in_states": lambda ledger: ledger.in_states(COMPANY, [State.SENDING]),
    "cancellations": lambda ledger: ledger.cancellations(COMPANY),
    "named": lambda ledger: ledger.named(COMPANY, "A-1"),
    "last_of_customers": lambda ledger: ledger.last_of_customers(COMPANY, ["0614-010190-101-2"]),
    "alike": lambda ledger: ledger.alike(COMPANY, ["0" * 32]),
    "last_stamped": lambda ledger: ledger.last_stamped(COMPANY),
    "bodies": lambda ledger: ledger.bodies(list(ledger.records(COMPANY, ["A-1"]).values())),
    "last_events": lambda ledger: ledger.last_events(3),
    "last_body": lambda ledger: ledger.last_body(COMPANY, Kind.RUN_READ),
    "waits": lambda ledger: ledger.waits(COMPANY, SINCE, UNTIL),
    "numbers": lambda ledger: ledger.numbers(COMPANY, f"{SERIES}-{1:015d}", f"{SERIES}-{9:015d}"),
    "number_before": lambda ledger: ledger.number_before(COMPANY, SERIES, f"{SERIES}-{7:015d}", SINCE, UNTIL),
    "began_at": lambda ledger: ledger.began_at(COMPANY),
    "known_at": lambda ledger: ledger.known_at(COMPANY),
    "head": lambda ledger: ledger.head(),
    "story": lambda ledger: ledger.story(COMPANY, "A-1"),
    "notes": lambda ledger: ledger.notes(COMPANY),
    "sign_offs": lambda ledger: ledger.sign_offs(COMPANY),
    "sent_between": lambda ledger: ledger.sent_between(COMPANY, SINCE, UNTIL),
}
"""What a day's work asks of a ledger, however old that is."""


@pytest.mark.parametrize("name", LOOKUPS)
def test_a_days_work_looks_nothing_up_by_reading_the_whole_ledger(tmp_path: Path, name: str) -> None:
    """SQLite finds what is asked by an index, or walks one that it leaves after a page."""
    path = tmp_path / "ledger.db"
    with open_to_write(path, COMPANY, create=True, clock=Clock()) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("A-1"), sending("A-1"), answered("A-1"), planned("A-2"), sending("A-2")])
    with reading(path) as ledger:
        plans = _plans(ledger, LOOKUPS[name])
    assert plans
    walks = [plan for plan in plans if plan.startswith("SCAN")]
    assert not [plan for plan in walks if name not in ("last_events", "known_at", "head")], plans
    if name in ("notes", "sign_offs", "last_body"):
        assert all("events_beside_documents" in plan for plan in plans), plans


def _plans(ledger: Ledger, look: Callable[[Ledger], object]) -> list[str]:
    """How SQLite goes about every question of one lookup."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append((statement, parameters))

    events_of_engines.listen(Engine, "before_cursor_execute", note)
    try:
        look(ledger)
    finally:
        events_of_engines.remove(Engine, "before_cursor_execute", note)
    with closing(sqlite3.connect(ledger.path)) as connection:
        return [
            row[3]
            for statement, parameters in asked
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


def test_an_answer_is_compared_with_the_documents_that_it_names(tmp_path: Path) -> None:
    """Its stamp, code and number are each found by an index: no append reads all documents of the company."""
    with open_to_write(tmp_path / "ledger.db", COMPANY, create=True, clock=Clock()) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("A-1"), sending("A-1")])
        plans = _plans(ledger, lambda ledger: ledger.append(COMPANY, run, [answered("A-1")]))
    searches = [plan for plan in plans if "documents" in plan]
    assert searches
    assert not [plan for plan in searches if "SEARCH" not in plan or plan.endswith("(company=?)")], plans
