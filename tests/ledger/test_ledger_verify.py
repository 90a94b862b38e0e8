from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_issuer.ledger import schema
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.rows import event_row
from batch_issuer.ledger.verify import Damage, rebuild, verify
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Event, hash_after
from tests.ledger.histories import (
    COMPANY,
    SMALL,
    Clock,
    Step,
    answered,
    planned,
    reading,
    sending,
    steps,
    tamper,
    told,
    write,
)

CHANGED = "the event was changed after it was written"
MISSING = "an event is missing"
STATE = "the state does not follow from the events"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Events 1 to 14: a run, its key, what it read, four planned (4 to 7), three sent, three answered, its end."""
    path = tmp_path / "ledger.db"
    write(path, SMALL)
    return path


def damages(path: Path) -> tuple[Damage, ...]:
    with reading(path) as ledger:
        return verify(ledger).damages


def test_a_sound_ledger_says_what_was_looked_at(small: Path) -> None:
    """Events, documents, and the hash to keep elsewhere."""
    with reading(small) as ledger:
        verified = verify(ledger)
        *_, last = ledger.every_event()
    assert (verified.events, verified.documents, verified.damages) == (14, 4, ())
    assert verified.head == last.hash


EDITS = {
    "at": "'2026-11-21T00:00:00.000+00:00'",
    "run": "'another'",
    "company": "'another'",
    "external_ref": "'A-9'",
    "kind": "'released'",
    "body": "'{}'",
    "hash": f"'{'0' * 64}'",
}


@pytest.mark.parametrize("column", EDITS)
@pytest.mark.parametrize("seq", [1, 6, 14])
def test_an_edited_event_is_named(small: Path, column: str, seq: int) -> None:
    """Whatever of it was changed, wherever it stands."""
    tamper(small, f"UPDATE events SET {column} = {EDITS[column]} WHERE seq = {seq}")  # noqa: S608 - our own table
    found = damages(small)
    assert [(one.seq, one.message) for one in found] == [(seq, CHANGED)]


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'invented'", "kind = x'00ff'", "at = 7", "body = 'not json'", "body = 'null'", "body = x'7b7d'",
        "external_ref = x'ff'", "hash = 5",
    ],
)  # fmt: skip
def test_an_event_that_makes_no_sense_is_named(small: Path, change: str) -> None:
    """Other types and other kinds than were ever written."""
    tamper(small, f"UPDATE events SET {change} WHERE seq = 9")  # noqa: S608 - our own table
    assert [(one.seq, one.message) for one in damages(small)] == [(9, CHANGED)]


@pytest.mark.parametrize("seq", range(1, 14))
def test_a_deleted_event_is_named(small: Path, seq: int) -> None:
    """The first number that is not there."""
    tamper(small, "DELETE FROM events WHERE seq = :seq", seq=seq)
    assert damages(small) == (Damage(seq=seq, message=MISSING),)


def test_a_deleted_beginning_is_named(small: Path) -> None:
    """Numbers must begin at 1."""
    tamper(small, "DELETE FROM events WHERE seq < 4", "UPDATE events SET seq = seq - 3")
    assert [(one.seq, one.message) for one in damages(small)] == [(1, CHANGED)]


def test_a_deleted_end_shows_in_the_state(small: Path) -> None:
    """The events that are left are sound; the run and the documents know more than they say."""
    tamper(small, "DELETE FROM events WHERE seq > 11")
    found = damages(small)
    assert [(one.seq, one.message) for one in found] == [
        (0, "the record of a run does not follow from the events"),
        (0, STATE),
        (0, STATE),
    ]
    assert [one.external_ref for one in found[1:]] == ["A-2", "A-3"]


@pytest.mark.parametrize("seq", [0, -3, 15])
def test_an_inserted_event_is_named(small: Path, seq: int) -> None:
    """Before the first or behind the last."""
    tamper(
        small,
        "INSERT INTO events (seq, at, run, company, external_ref, kind, body, hash) "
        "SELECT :seq, at, run, company, external_ref, kind, body, hash FROM events WHERE seq = 8",
        seq=seq,
    )
    found = damages(small)
    assert [(one.seq, one.message) for one in found] == ([(15, CHANGED)] if seq == 15 else [(1, MISSING)])


def test_an_event_inserted_between_is_named(small: Path) -> None:
    """The others moved up to make room."""
    tamper(
        small,
        "UPDATE events SET seq = -seq WHERE seq > 9",
        "UPDATE events SET seq = 1 - seq WHERE seq < 0",
        "INSERT INTO events (seq, at, run, company, external_ref, kind, body, hash) "
        "SELECT 10, at, run, company, external_ref, kind, body, hash FROM events WHERE seq = 9",
    )
    assert [(one.seq, one.message) for one in damages(small)] == [(10, CHANGED)]


@pytest.mark.parametrize(("first", "second"), [(8, 9), (2, 14), (4, 11)])
def test_the_first_of_reordered_events_is_named(small: Path, first: int, second: int) -> None:
    """Two events in each other's place."""
    tamper(
        small,
        "UPDATE events SET seq = 99 WHERE seq = :first",
        "UPDATE events SET seq = :first WHERE seq = :second",
        "UPDATE events SET seq = :second WHERE seq = 99",
        first=first,
        second=second,
    )
    assert [(one.seq, one.message) for one in damages(small)] == [(first, CHANGED)]


def forged(path: Path, event: Event) -> None:
    """Append an event with the right hash, as somebody would who knows how."""
    with reading(path) as ledger:
        *_, last = ledger.every_event()
    row = event_row(replace(event, seq=last.seq + 1, hash=hash_after(last.hash, replace(event, seq=last.seq + 1))))
    tamper(
        path,
        "INSERT INTO events (seq, at, run, company, external_ref, kind, body, hash) "
        "VALUES (:seq, :at, :run, :company, :external_ref, :kind, :body, :hash)",
        **dict(zip(schema.events.c.keys(), row, strict=True)),
    )


@pytest.mark.parametrize(
    ("changes", "seq"),
    [
        ({"external_ref": "NEVER-PLANNED"}, 15),
        ({"body": '{"state":"no such state"}'}, 15),
        ({"body": "[]"}, 15),
        ({"body": "{}"}, 15),
        ({"external_ref": ""}, 15),
        ({}, 0),
    ],
)
def test_a_forged_event_is_found(small: Path, changes: dict[str, Any], seq: int) -> None:
    """Its hash is right: either it is none that can follow, or the state does not know of it."""
    with reading(small) as ledger:
        answer = next(event for event in ledger.every_event() if event.kind == "answered")
    forged(small, replace(answer, **changes))
    found = damages(small)
    expected = "the event is none that this program writes" if seq else STATE
    assert [(one.seq, one.message) for one in found] == [(seq, expected)]


@pytest.mark.parametrize(
    ("statement", "message", "subject"),
    [
        ("UPDATE documents SET state = 'stamped' WHERE external_ref = 'A-2'", STATE, "A-2"),
        ("UPDATE documents SET expected_gross = '5.01' WHERE external_ref = 'A-1'", STATE, "A-1"),
        ("UPDATE documents SET external_ref = 'A-9' WHERE external_ref = 'A-1'", STATE, "A-9"),
        ("UPDATE documents SET last_seq = 99 WHERE external_ref = 'A-1'", STATE, "A-1"),
        ("UPDATE documents SET state = 'planned', last_seq = 99 WHERE external_ref = 'A-1'", STATE, "A-1"),
        ("DELETE FROM documents WHERE external_ref = 'A-1'", "the state of this document is missing", "A-1"),
        (
            "UPDATE documents SET state = 'no such state' WHERE external_ref = 'A-2'",
            "the state of the documents cannot be read",
            "",
        ),
        (
            "UPDATE documents SET lines = 'x' WHERE external_ref = 'A-2'",
            "the state of the documents cannot be read",
            "",
        ),
    ],
)
def test_a_state_that_does_not_follow_is_found_and_rebuilt(
    small: Path, statement: str, message: str, subject: str
) -> None:
    """The events say what it was."""
    with reading(small) as ledger:
        before = told(ledger)
    tamper(small, statement)
    assert (message, subject) in [(one.message, one.external_ref) for one in damages(small)]
    with open_to_write(small, COMPANY, create=False) as ledger:
        assert rebuild(ledger).damages == ()
        assert verify(ledger).damages == ()
        assert told(ledger) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE runs SET exit_code = 0",
        "UPDATE runs SET read_seq = 0",
        "UPDATE runs SET host = 'elsewhere'",
        "DELETE FROM runs",
    ],
)
def test_a_run_that_was_changed_is_found_and_rebuilt(small: Path, statement: str) -> None:
    """Who issued, when, and how it ended is as safe as the documents."""
    with reading(small) as ledger:
        before = told(ledger)
    tamper(small, statement)
    found = damages(small)
    assert [one.message for one in found] == ["the record of a run does not follow from the events"]
    assert found[0].external_ref == before.runs[0].run
    with open_to_write(small, COMPANY, create=False) as ledger:
        rebuild(ledger)
    with reading(small) as ledger:
        assert told(ledger) == before


SPOILING = (
    "DELETE FROM documents",
    "DELETE FROM runs",
    "DELETE FROM documents WHERE external_ref = 'A-1'",
    "UPDATE documents SET state = 'planned', attempts = 0",
    "UPDATE documents SET answer = '{}', settled_at = '', numbered_at = ''",
    "UPDATE documents SET company = 'other-' || company",
    "UPDATE documents SET content_seq = content_seq + 1",
    "UPDATE runs SET ended_at = '', exit_code = NULL, end_seq = 0",
    "UPDATE runs SET company = 'other'",
)


@settings(max_examples=12)
@given(steps(), st.lists(st.sampled_from(SPOILING), min_size=1, max_size=3))
def test_rebuilding_gives_back_what_was_there(
    tmp_path_factory: pytest.TempPathFactory, history: list[Step], spoiling: list[str]
) -> None:
    """Of any history, however the state was spoilt."""
    path = tmp_path_factory.mktemp("history") / "ledger.db"
    write(path, history)
    with reading(path) as ledger:
        before = told(ledger)
    tamper(path, *spoiling)
    with open_to_write(path, COMPANY, create=False) as ledger:
        rebuilt = rebuild(ledger)
        assert rebuilt.damages == ()
        assert told(ledger) == before
        assert verify(ledger) == rebuilt


def test_a_broken_chain_is_not_rebuilt(small: Path) -> None:
    """What stands in the state may be all that is left of the truth."""
    tamper(small, "UPDATE events SET body = '{}' WHERE seq = 9")
    with reading(small) as ledger:
        before = list(ledger.all_records())
    with open_to_write(small, COMPANY, create=False) as ledger:
        assert [(one.seq, one.message) for one in rebuild(ledger).damages] == [(9, CHANGED)]
        assert list(ledger.all_records()) == before


def test_the_next_run_goes_on_from_a_rebuilt_state(small: Path) -> None:
    """In the same opening too: nothing is remembered from before."""
    with open_to_write(small, COMPANY, create=False, clock=Clock()) as ledger:
        assert ledger.record(COMPANY, "A-4") is not None
        tamper(small, "UPDATE documents SET attempts = 7 WHERE external_ref = 'A-4'")
        rebuild(ledger)
        ledger.append(COMPANY, ledger.begin_run(COMPANY, "issue").run, [sending("A-4")])
        assert verify(ledger).damages == ()


def test_verifying_does_not_mind_a_run_that_goes_on(small: Path) -> None:
    """Whatever is written between any two steps of it is no damage."""
    with open_to_write(small, COMPANY, create=False, clock=Clock()) as writer, reading(small) as ledger:
        run = writer.begin_run(COMPANY, "issue").run
        names = iter(range(100))

        def write_more() -> None:
            new = f"N-{next(names)}"
            writer.append(COMPANY, run, [planned(new), sending(new), sending("A-4"), answered("A-4")])
            writer.begin_run(COMPANY, "refresh")

        interrupted = Between(ledger, write_more)
        for step in range(1, 30):
            interrupted.at = step
            assert verify(interrupted).damages == ()  # type: ignore[arg-type]
            if interrupted.steps < step:
                break
        else:
            pytest.fail("verify takes more steps than were tried")


class Between:
    """A ledger in which something happens just before one of its methods gives its next value."""

    def __init__(self, ledger: Any, happen: Callable[[], None]) -> None:
        self._ledger = ledger
        self._happen = happen
        self._at = 0
        self.steps = 0

    @property
    def at(self) -> int:
        return self._at

    @at.setter
    def at(self, step: int) -> None:
        self._at, self.steps = step, 0

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self._at:
            self._happen()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._ledger, name)

        def called(*arguments: Any) -> Any:
            self._step()
            return method(*arguments)

        return called


def test_a_damaged_file_is_no_matter_of_events(small: Path) -> None:
    """What SQLite itself finds is said in its words."""
    whole = small.read_bytes()
    small.write_bytes(whole[:-4096])
    with pytest.raises(CannotStart, match="is damaged"), reading(small) as ledger:
        verify(ledger)
