"""Events, documents and runs as rows of the tables, and back; what is stored and cannot be read is `Unreadable`."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Integer, Row

from batch_issuer.ledger.schema import Unreadable, documents
from batch_issuer.model.documents import SourceRows
from batch_issuer.model.identity import Appearance, alike_key
from batch_issuer.model.records import (
    NO_ANSWER,
    Event,
    Kind,
    Record,
    RunRecord,
    read_answer,
    read_cancellation,
    write_answer,
    write_cancellation,
)
from batch_issuer.model.states import State


def can_be_stored(text: str) -> bool:
    """Whether a text is one that SQLite takes: what the shell gave may hold bytes that are no characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def write_body(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the canonical text of an event's body, and what the text says: bytes that are no characters become `?`."""
    text = _CANONICAL.encode(body)
    if can_be_stored(text):
        return text, body
    text = text.encode("utf-8", "replace").decode()
    return text, json.loads(text)


def read_body(text: Any) -> Mapping[str, Any]:
    """Return the JSON object of an event's body.

    Raises: `Unreadable` where the text is none.
    """
    try:
        body = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if not isinstance(body, dict):
        raise Unreadable(type(body).__name__)
    return body


def read_content(text: Any, record: Record) -> bytes:
    """Return the canonical body of a planned document.

    Raises: `Unreadable` where it does not have the document's fingerprint: such a body must not be sent.
    """
    content = read_body(text).get("body")
    if not isinstance(content, str) or hashlib.sha256(content.encode()).hexdigest() != record.fingerprint:
        raise Unreadable(f"{record.external_ref}: event {record.content_seq}")
    return content.encode()


def event_row(event: Event) -> tuple[Any, ...]:
    """Return a whole row of the table of events, in the order of its columns."""
    return (
        event.seq, event.at, event.run, event.company, event.external_ref, event.kind.value, event.body, event.hash,
    )  # fmt: skip


_KINDS: Mapping[Any, Kind] = {kind.value: kind for kind in Kind}


def read_event(row: Row[Any]) -> Event:
    """Return the event as it stands: one that was tampered with may have fields of any type."""
    return Event(
        seq=row.seq, at=row.at, run=row.run, company=row.company, external_ref=row.external_ref,
        kind=_KINDS.get(row.kind, row.kind), body=row.body, hash=row.hash,
    )  # fmt: skip


def read_sound_event(row: Row[Any]) -> Event:
    """Return the event.

    Raises: `Unreadable` where it is none that can have been written.
    """
    event = read_event(row)
    if not isinstance(event.kind, Kind):
        raise Unreadable(f"event {event.seq}")
    read_body(event.body)
    _check_time(event.at)
    return event


_SAME_CONTENT = (
    "doc_type", "fingerprint", "date", "branch", "customer", "payment_method", "lines", "likeness", "adjusts",
    "customer_id", "content_seq", "till",
)  # fmt: skip
"""Fields of a record that stand in the table as they are, and that only planning changes."""
_SAME_STATE = (
    "reason", "attempts", "first_sent_at", "numbered_at", "settled_at", "updated_at", "run", "last_seq", "waits",
    "waited_from", "waited_to", "look_owed", "withdrawn_at",
)  # fmt: skip
"""Those that every event of the document may change."""
_content_of, _state_of = attrgetter(*_SAME_CONTENT), attrgetter(*_SAME_STATE)
_TYPES = tuple(int if isinstance(column.type, Integer) else str for column in documents.c)
"""Of a row of the table; SQLite itself would store and give anything."""

KEY = ("company", "external_ref")
STATE = (
    *_SAME_STATE, "state", "answer", "unexpected_duplicate", "accepted", "also", "cancellation", "control_number",
    "generation_code", "reception_stamp",
)  # fmt: skip
"""Columns that change while the document's content stays the same."""
CONTENT = (*STATE, *_SAME_CONTENT, "expected_gross", "expected_retention", "file", "sheet", "rows", "alike")
"""All but the key."""


def state_row(record: Record) -> tuple[Any, ...]:
    """Return what the columns `STATE` hold."""
    return (
        *_state_of(record),
        record.state.value,
        "{}" if record.answer is NO_ANSWER else _ANSWER.encode(write_answer(record.answer)),
        int(record.unexpected_duplicate),
        int(record.accepted),
        _ANSWER.encode(record.also) if record.also else "",
        "" if record.cancellation is None else _ANSWER.encode(write_cancellation(record.cancellation)),
        *_names(record),
    )


def _names(record: Record) -> tuple[str, str, str]:
    """Return number, code and stamp of a document's answer, as they are compared and looked up."""
    answer = record.answer
    return answer.control_number, identifier(answer.generation_code), identifier(answer.reception_stamp)


def identifier(text: str) -> str:
    """Return a generation code or a stamp as it is compared."""
    return text.upper()  # the ministry writes both in capitals, not every program does


def content_row(record: Record) -> tuple[Any, ...]:
    """Return what the columns `CONTENT` hold."""
    return (
        *state_row(record),
        *_content_of(record),
        str(record.expected_gross),
        "" if record.expected_retention is None else str(record.expected_retention),
        record.source.file,
        record.source.sheet,
        write_rows(record.source.rows),
        alike_key(record.external_ref),
    )


_ANSWER = json.JSONEncoder(ensure_ascii=False, sort_keys=True)


def read_record(row: Sequence[Any]) -> Record:
    """Return the document of a whole row of the table.

    Raises: `Unreadable` where a column holds what cannot have been written, or contradicts the answer.
    """
    # SQLite stores any type in any column: a damaged or doctored row may hold a number where a text belongs.
    if tuple(map(type, row)) != _TYPES:
        raise Unreadable(f"{row[1]!r}: {', '.join(type(value).__name__ for value in row)}")
    (
        company, external_ref, doc_type, state, fingerprint, expected_gross, file, sheet, rows, date, branch, customer,
        payment_method, lines, likeness, expected_retention, adjusts, customer_id, answer, reason, attempts,
        unexpected_duplicate, first_sent_at, numbered_at, settled_at, updated_at, run, content_seq, last_seq,
        cancellation, control_number, waits, waited_from, waited_to, till, _, also, accepted, look_owed, withdrawn_at,
        generation_code, reception_stamp,
    ) = row  # fmt: skip
    try:
        for moment in (first_sent_at, numbered_at, settled_at, updated_at, waited_from, waited_to, withdrawn_at):
            _check_time(moment)
        record = Record(
            company=company, external_ref=external_ref, doc_type=doc_type, state=State(state), reason=reason, till=till,
            fingerprint=fingerprint, expected_gross=Decimal(expected_gross), date=date, branch=branch, lines=lines,
            source=SourceRows(file=file, sheet=sheet, rows=read_rows(rows)), customer=customer, likeness=likeness,
            payment_method=payment_method, adjusts=adjusts, customer_id=customer_id, attempts=attempts,
            expected_retention=Decimal(expected_retention) if expected_retention else None,
            answer=read_answer(json.loads(answer)), unexpected_duplicate=bool(unexpected_duplicate),
            first_sent_at=first_sent_at, numbered_at=numbered_at, settled_at=settled_at, updated_at=updated_at,
            run=run, content_seq=content_seq, last_seq=last_seq, accepted=bool(accepted), look_owed=look_owed,
            cancellation=read_cancellation(json.loads(cancellation)) if cancellation else None,
            also=tuple(Appearance(*one) for one in json.loads(also)) if also else (),
            waits=waits, waited_from=waited_from, waited_to=waited_to, withdrawn_at=withdrawn_at,
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"{external_ref}: {type(error).__name__} {error}") from error
    # What is looked up by index must be what the answer says, or the wrong document would be taken for the owner.
    if (control_number, generation_code, reception_stamp) != _names(record):
        raise Unreadable(f"{external_ref}: {control_number!r}")
    return record


@lru_cache(maxsize=4096)
def _check_time(text: Any) -> None:
    """Raise `Unreadable` where a text that is not empty is no time. Remembered, because many documents share theirs."""
    try:
        if text != "":
            dt.datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise Unreadable(repr(text)) from error


_MOST_ROWS = 1 << 21
"""Of one document; a damaged range must not fill the memory."""


def write_rows(rows: Sequence[int]) -> str:
    """Return row numbers as text, in their order, runs of them shortened: `2-5,9`."""
    runs: list[list[int]] = []
    for number in rows:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def read_rows(text: str) -> tuple[int, ...]:
    """Return the row numbers of a text that `write_rows` made.

    Raises: `ValueError` where it is none, or names too many rows.
    """
    if text.isdecimal():
        return (int(text),)
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        run = range(int(first), int(last or first) + 1)
        if not run or len(numbers) + len(run) > _MOST_ROWS:
            raise ValueError(text[:80])
        numbers.extend(run)
    return tuple(numbers)


def read_run(
    row: Row[Any], summary: Mapping[str, Any] | None = None, ending: Mapping[str, Any] | None = None
) -> RunRecord:
    """Return the run of a row.

    Raises: `Unreadable` where its times are none.
    """
    _check_time(row.started_at)
    _check_time(row.ended_at)
    return RunRecord(
        run=row.run, company=row.company, command=row.command, version=row.version, started_at=row.started_at,
        ended_at=row.ended_at, exit_code=row.exit_code, pid=row.pid, host=row.host, summary=summary, ending=ending,
    )  # fmt: skip


def run_change(event: Event, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event changes in the row of its run."""
    match event.kind:
        case Kind.RUN_STARTED:
            return {
                "run": event.run, "company": event.company, "command": body["command"], "version": body["version"],
                "started_at": event.at, "ended_at": "", "exit_code": None, "pid": body["pid"], "host": body["host"],
                "read_seq": 0, "end_seq": 0,
            }  # fmt: skip
        case Kind.RUN_READ:
            return {"read_seq": event.seq}
        case Kind.RUN_ENDED:
            return {"ended_at": event.at, "exit_code": body["exit_code"], "end_seq": event.seq}
        case _:
            return {}


def write_time(moment: dt.datetime) -> str:
    """Return a moment as the ledger writes it: ISO, UTC with offset, to the millisecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")
