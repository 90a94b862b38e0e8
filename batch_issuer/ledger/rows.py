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
    """The canonical text of an event's body, and what the text says: bytes that are no characters become `?`."""
    text = _CANONICAL.encode(body)
    if can_be_stored(text):
        return text, body
    text = text.encode("utf-8", "replace").decode()
    return text, json.loads(text)


def read_body(text: Any) -> Mapping[str, Any]:
    """The JSON object of an event's body."""
    try:
        body = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if not isinstance(body, dict):
        raise Unreadable(type(body).__name__)
    return body


def read_content(text: Any, record: Record) -> bytes:
    """The canonical body of a planned document; what does not have the document's fingerprint must not be sent."""
    content = read_body(text).get("body")
    if not isinstance(content, str) or hashlib.sha256(content.encode()).hexdigest() != record.fingerprint:
        raise Unreadable(f"{record.external_ref}: event {record.content_seq}")
    return content.encode()


def event_row(event: Event) -> tuple[Any, ...]:
    """A whole row of the table, in its order."""
    return (
        event.seq, event.at, event.run, event.company, event.external_ref, event.kind.value, event.body, event.hash,
    )  # fmt: skip


_KINDS: Mapping[Any, Kind] = {kind.value: kind for kind in Kind}


def read_event(row: Row[Any]) -> Event:
    """The event as it stands: one that was tampered with may have fields of any type."""
    return Event(
        seq=row.seq, at=row.at, run=row.run, company=row.company, external_ref=row.external_ref,
        kind=_KINDS.get(row.kind, row.kind), body=row.body, hash=row.hash,
    )  # fmt: skip


def read_sound_event(row: Row[Any]) -> Event:
    """The event, if it is one that can have been written."""
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
    """What the columns `STATE` hold."""
    return (
        *_state_of(record),
        record.state.value,
        "{}" if record.answer is NO_ANSWER else _ANSWER.encode(write_answer(record.answer)),
        int(record.unexpected_duplicate),
        int(record.accepted),
        _ANSWER.encode(record.also) if record.also else "",
        "" if record.cancellation is None else _ANSWER.encode(write_cancellation(record.cancellation)),
        record.answer.control_number,
        identifier(record.answer.generation_code),
        identifier(record.answer.reception_stamp),
    )


def identifier(text: str) -> str:
    """A generation code or a stamp as it is compared: the ministry writes both in capitals, not every program does."""
    return text.upper()


def content_row(record: Record) -> tuple[Any, ...]:
    """What the columns `CONTENT` hold."""
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
    """The document of a whole row of the table. Raises `Unreadable`."""
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
            company=company, external_ref=external_ref, doc_type=doc_type, state=State(state),
            fingerprint=fingerprint, expected_gross=Decimal(expected_gross),
            source=SourceRows(file=file, sheet=sheet, rows=read_rows(rows)), date=date, branch=branch,
            customer=customer, payment_method=payment_method, lines=lines, likeness=likeness,
            expected_retention=Decimal(expected_retention) if expected_retention else None,
            adjusts=adjusts, customer_id=customer_id,
            answer=read_answer(json.loads(answer)),
            reason=reason, attempts=attempts, unexpected_duplicate=bool(unexpected_duplicate),
            first_sent_at=first_sent_at, numbered_at=numbered_at, settled_at=settled_at, updated_at=updated_at,
            run=run, content_seq=content_seq, last_seq=last_seq,
            cancellation=read_cancellation(json.loads(cancellation)) if cancellation else None,
            waits=waits, waited_from=waited_from, waited_to=waited_to, till=till,
            also=tuple(Appearance(*one) for one in json.loads(also)) if also else (), accepted=bool(accepted),
            look_owed=look_owed, withdrawn_at=withdrawn_at,
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"{external_ref}: {type(error).__name__} {error}") from error
    told = record.answer
    if (control_number, generation_code, reception_stamp) != (
        told.control_number, identifier(told.generation_code), identifier(told.reception_stamp),
    ):  # fmt: skip
        raise Unreadable(f"{external_ref}: {control_number!r}")
    return record


@lru_cache(maxsize=4096)
def _check_time(text: Any) -> None:
    """A time that is not empty must be one. Many documents share theirs."""
    try:
        if text != "":
            dt.datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise Unreadable(repr(text)) from error


_MOST_ROWS = 1 << 21
"""Of one document; a damaged range must not fill the memory."""


def write_rows(rows: Sequence[int]) -> str:
    """Row numbers as text, in their order, runs of them shortened: `2-5,9`."""
    runs: list[list[int]] = []
    for number in rows:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def read_rows(text: str) -> tuple[int, ...]:
    """The inverse of `write_rows`. Raises `ValueError`."""
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
    """The run of a row. Raises `Unreadable`."""
    _check_time(row.started_at)
    _check_time(row.ended_at)
    return RunRecord(
        run=row.run, company=row.company, command=row.command, version=row.version, started_at=row.started_at,
        ended_at=row.ended_at, exit_code=row.exit_code, pid=row.pid, host=row.host, summary=summary, ending=ending,
    )  # fmt: skip


def run_change(event: Event, body: Mapping[str, Any]) -> dict[str, Any]:
    """What an event changes in the row of its run."""
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
    """UTC with offset, to the millisecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")
