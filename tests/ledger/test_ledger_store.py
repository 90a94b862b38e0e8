from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given, settings

from batch_issuer.ledger.export import export_row
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.verify import verify
from batch_issuer.model.records import Answer, Kind, NewEvent, Record, fold
from batch_issuer.model.states import State
from tests.ledger.histories import (
    ANSWER,
    COMPANY,
    NOON,
    SMALL,
    Clock,
    Step,
    answered,
    digest,
    planned,
    reading,
    released,
    run_ended,
    run_read,
    sending,
    steps,
    told,
    unanswered,
    write,
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    write(path, SMALL)
    return path


def replayed(ledger: Ledger, record: Record) -> Record | None:
    """The document's events, folded one by one."""
    story = ledger.story(record.company, record.external_ref)
    nothing: Record | None = None
    return reduce(lambda before, event: fold(before, event, json.loads(event.body)), story, nothing)


@settings(max_examples=20)
@given(steps())
def test_the_state_is_what_the_events_say(tmp_path_factory: pytest.TempPathFactory, history: list[Step]) -> None:
    """Whatever happens in whatever order, every stored document is its events folded, and the ledger verifies."""
    path = tmp_path_factory.mktemp("history") / "ledger.db"
    write(path, history)
    with reading(path) as ledger:
        records = list(ledger.all_records())
        assert [replayed(ledger, record) for record in records] == records
        events = [event for step in history for event in step.events if event.external_ref]
        assert {record.external_ref for record in records} == {event.external_ref for event in events}
        verified = verify(ledger)
        assert verified.damages == ()
        assert verified.events == sum(len(step.events) for step in history) + len(ledger.runs())


@settings(max_examples=10)
@given(steps())
def test_what_was_written_is_told_again(tmp_path_factory: pytest.TempPathFactory, history: list[Step]) -> None:
    """Every event of a document comes back in its order, with the same content."""
    path = tmp_path_factory.mktemp("history") / "ledger.db"
    write(path, history)
    with reading(path) as ledger:
        for company in {step.company for step in history}:
            events = [event for step in history if step.company == company for event in step.events]
            for ref in {event.external_ref for event in events if event.external_ref}:
                wanted = [(one.kind, dict(one.body)) for one in events if one.external_ref == ref]
                assert [(one.kind, json.loads(one.body)) for one in ledger.story(company, ref)] == wanted


def test_states_are_found(small: Path) -> None:
    """By reference, by state, all of them, and the one stamped last."""
    with reading(small) as ledger:
        states = {record.external_ref: record.state for record in ledger.all_records()}
        assert states == {
            "A-1": State.STAMPED, "A-2": State.UNSURE, "A-3": State.CONTINGENCY, "A-4": State.PLANNED,
        }  # fmt: skip
        assert [one.external_ref for one in ledger.in_states(COMPANY, [State.UNSURE, State.PLANNED])] == ["A-2", "A-4"]
        assert ledger.records(COMPANY, ["A-9", "A-1"]).keys() == {"A-1"}
        assert ledger.record("another", "A-1") is None
        stamped = ledger.last_stamped(COMPANY)
        assert stamped is not None
        assert stamped.external_ref == "A-1"
        assert ledger.last_stamped("another") is None


def test_times_bound_what_is_told(small: Path) -> None:
    """From one moment to before another."""
    with reading(small) as ledger:
        moments = {record.external_ref: record.updated_at for record in ledger.all_records()}
        assert moments["A-4"] < moments["A-1"]
        later = [one.external_ref for one in ledger.all_records(since=moments["A-1"])]
        assert later == ["A-1", "A-2", "A-3"]
        assert [one.external_ref for one in ledger.all_records(COMPANY, until=moments["A-1"])] == ["A-4"]
        assert list(ledger.all_records("another")) == []


def test_runs_tell_what_they_read_and_how_they_ended(small: Path) -> None:
    """A run that has not ended says nothing about its end."""
    with open_to_write(small, COMPANY, create=False, clock=Clock(NOON + dt.timedelta(hours=1))) as ledger:
        second = ledger.begin_run(COMPANY, "retry")
    with reading(small) as ledger:
        newest, oldest = ledger.runs(COMPANY)
        assert (newest.run, newest.command, newest.ended_at, newest.exit_code) == (second.run, "retry", "", None)
        first = ledger.run(oldest.run)
        assert first.summary == run_read("A-1", "A-2", "A-3", "A-4").body
        assert first.ending == run_ended().body
        assert first.ended_at > first.started_at
        assert (ledger.run(second.run).summary, ledger.run(second.run).ending) == (None, None)
        assert ledger.companies() == [COMPANY]
        with pytest.raises(KeyError):
            ledger.run("20261121T000000-nobody")


def test_the_newest_event_of_a_kind(small: Path) -> None:
    """Of one company, such as the key that it used last."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        newer = NewEvent(kind=Kind.KEY_SEEN, body={"salt": "t", "digest": "e", "environment": "test"})
        ledger.append(COMPANY, ledger.begin_run(COMPANY, "issue").run, [newer])
    with reading(small) as ledger:
        assert ledger.last_body(COMPANY, Kind.KEY_SEEN) == newer.body
        assert ledger.last_body("another", Kind.KEY_SEEN) is None


def test_bodies_are_those_planned_last(small: Path) -> None:
    """A corrected document gives its new content."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        ledger.append(COMPANY, ledger.begin_run(COMPANY, "issue").run, [planned("A-2", '{"new":"ñ"}')])
        records = list(ledger.records(COMPANY, ["A-1", "A-2"]).values())
        assert ledger.bodies(records) == {"A-1": b"{}", "A-2": '{"new":"ñ"}'.encode()}


@pytest.mark.parametrize(
    "bad",
    [
        [planned("B-1"), sending("B-1"), sending("NEVER-PLANNED")],
        [
            planned("B-1"),
            NewEvent(kind=Kind.ANSWERED, external_ref="B-1", body={"state": "no such state", "answer": {}}),
        ],
        [planned("B-1"), sending("A-4"), NewEvent(kind=Kind.PLANNED, external_ref="B-2", body={})],
    ],
)
def test_events_are_written_together_or_not_at_all(small: Path, bad: Sequence[NewEvent]) -> None:
    """One that is impossible leaves none of the others behind, and the next append is as good as ever."""
    with reading(small) as ledger:
        before, head = told(ledger), verify(ledger).head
    with open_to_write(small, COMPANY, create=False, clock=Clock()) as ledger:
        run = before.runs[0].run
        with pytest.raises((ValueError, KeyError)):
            ledger.append(COMPANY, run, bad)
        assert told(ledger) == before
        assert verify(ledger).head == head
        ledger.append(COMPANY, run, [sending("A-4")])
        verified = verify(ledger)
        assert (verified.damages, ledger.record(COMPANY, "A-4")) == ((), replayed_one(ledger, "A-4"))


def replayed_one(ledger: Ledger, ref: str) -> Record | None:
    record = ledger.record(COMPANY, ref)
    assert record is not None
    return replayed(ledger, record)


def test_nothing_to_write_writes_nothing(small: Path) -> None:
    """An empty list is no transaction."""
    before = small.read_bytes()
    with open_to_write(small, COMPANY, create=False) as ledger:
        ledger.append(COMPANY, "run", [])
    assert small.read_bytes() == before


def test_several_events_of_one_document_in_one_append(tmp_path: Path) -> None:
    """They follow one another."""
    with open_to_write(tmp_path / "ledger.db", COMPANY, create=True) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(
            COMPANY, run, [planned("A-1"), sending("A-1"), answered("A-1"), planned("A-1", "x"), sending("A-1")]
        )
        record = ledger.record(COMPANY, "A-1")
        assert record is not None
        assert (record.state, record.attempts, record.fingerprint) == (State.SENDING, 2, digest("x"))


def test_one_reference_of_two_companies_is_two_documents(tmp_path: Path) -> None:
    """Each has its own state and its own story."""
    path = tmp_path / "ledger.db"
    write(path, [Step("one", (planned("A-1"), sending("A-1"))), Step("two", (planned("A-1", "x", "9.00"),))])
    with reading(path) as ledger:
        one, two = ledger.record("one", "A-1"), ledger.record("two", "A-1")
        assert one is not None
        assert two is not None
        assert (one.state, two.state) == (State.SENDING, State.PLANNED)
        assert [event.kind for event in ledger.story("two", "A-1")] == [Kind.PLANNED]
        assert verify(ledger).damages == ()


def test_what_another_ledger_wrote_meanwhile_is_seen(small: Path) -> None:
    """A document that was read before is not remembered as older than it is."""
    with open_to_write(small, COMPANY, create=False) as ledger, reading(small) as reader:
        assert reader.record(COMPANY, "A-4") == ledger.record(COMPANY, "A-4")
        ledger.append(COMPANY, ledger.begin_run(COMPANY, "issue").run, [sending("A-4")])
        assert reader.record(COMPANY, "A-4") == ledger.record(COMPANY, "A-4")
        assert ledger.in_states(COMPANY, [State.SENDING]) == [ledger.record(COMPANY, "A-4")]


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET body = '{}' WHERE seq = 1", "DELETE FROM events WHERE seq = 5"]
)
def test_events_refuse_to_be_changed(small: Path, statement: str) -> None:
    """Whoever opens the file with another program is told that it only grows."""
    connection = sqlite3.connect(small)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    with reading(small) as ledger:
        assert verify(ledger).damages == ()


def test_times_are_utc_with_offset_to_the_millisecond(tmp_path: Path) -> None:
    """So that they sort as text, whatever the clock's zone."""
    tick = dt.datetime(2026, 11, 21, 23, 30, 0, 1500, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
    with open_to_write(tmp_path / "ledger.db", COMPANY, create=True, clock=lambda: tick) as ledger:
        run = ledger.begin_run(COMPANY, "issue")
        assert run.started_at == "2026-11-22T05:30:00.001+00:00"
        assert ledger.now() == tick


def test_run_ids_sort_by_time(tmp_path: Path) -> None:
    """A second later is a greater id."""
    with open_to_write(tmp_path / "ledger.db", COMPANY, create=True, clock=Clock()) as ledger:
        ids = [ledger.begin_run(COMPANY, "issue").run for _ in range(3)]
        assert ids == sorted(ids)
        assert len(set(ids)) == 3
        assert ids[0].startswith(f"{NOON:%Y%m%dT%H}")


@pytest.mark.parametrize("text", ["\ud800", "a\udcff.csv"])
def test_text_that_is_no_text_is_stored_as_question_marks(tmp_path: Path, text: str) -> None:
    """An answer or a file name with broken characters ends no run, and what follows is what is stored."""
    path = tmp_path / "ledger.db"
    with open_to_write(path, COMPANY, create=True) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("A-1", file=text), sending("A-1")])
        ledger.append(COMPANY, run, [answered("A-1", answer=Answer(http_status=200, detail=text))])
        record = ledger.record(COMPANY, "A-1")
        assert record is not None
        assert (record.source.file, record.answer.detail) == (text.encode(errors="replace").decode(),) * 2
        assert verify(ledger).damages == ()


def test_a_reference_that_is_no_text_is_unknown(small: Path) -> None:
    """The shell may give bytes that are no characters."""
    with reading(small) as ledger:
        assert ledger.record(COMPANY, "A-\udcff") is None
        assert ledger.story(COMPANY, "A-\udcff") == []
        with pytest.raises(KeyError):
            ledger.run("\udcff")


def test_a_flat_row_has_every_documented_field(small: Path) -> None:
    """Amounts are texts, empty where the provider did not say."""
    with reading(small) as ledger:
        stamped, unsure = (export_row(record) for record in ledger.records(COMPANY, ["A-1", "A-2"]).values())
    assert stamped["amount_gross"] == "5.00"
    assert stamped["amount_retention"] == ""
    assert stamped["reception_stamp"] == ANSWER.reception_stamp
    assert stamped["source"] == {"file": "ventas.csv", "sheet": "", "rows": [2, 3]}
    assert (unsure["state"], unsure["reason"], unsure["amount_gross"]) == ("unsure", "read-timeout", "")
    assert (unsure["attempts"], unsure["settled_at"]) == (1, "")
    documented = {
        "company", "external_ref", "doc_type", "state", "fingerprint", "document_id", "control_number",
        "generation_code", "reception_stamp", "amount_taxable", "amount_vat", "amount_gross", "amount_retention",
        "amount_total", "expected_gross", "attempts", "first_sent_at", "settled_at", "source",
    }  # fmt: skip
    assert documented <= stamped.keys()
    json.dumps(stamped)


def test_a_released_document_is_as_if_it_had_not_been_written_ahead(small: Path) -> None:
    """Only the times tell."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        before = ledger.record(COMPANY, "A-4")
        ledger.append(COMPANY, ledger.begin_run(COMPANY, "issue").run, [sending("A-4"), released("A-4")])
        after = ledger.record(COMPANY, "A-4")
        assert before is not None
        assert after is not None
        assert (after.state, after.attempts, after.first_sent_at) == (before.state, 0, "")
        ledger.append(COMPANY, after.run, [sending("A-4"), unanswered("A-4")])
        assert [one.external_ref for one in ledger.in_states(COMPANY, [State.UNSURE])] == ["A-2", "A-4"]
