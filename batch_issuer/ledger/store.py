"""The ledger: append-only events, each with the hash of the one before, and the state that follows from them.

Events and the state they lead to are written in one transaction, durably, before `append` returns.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from batch_issuer import __version__
from batch_issuer.documents import SourceRows, State
from batch_issuer.ledger import schema
from batch_issuer.ledger.records import (
    FIRST_HASH,
    Event,
    Kind,
    NewEvent,
    Record,
    RunRecord,
    fold,
    hash_after,
    read_answer,
    write_answer,
)

_AT_ONCE = 500
"""References asked for in one query."""

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Ledger:
    """An open ledger. One thread at a time may append; readers have their own `Ledger`."""

    def __init__(self, path: Path, engine: Engine, clock: Clock = utc_now) -> None:
        self.path = path
        self._engine = engine
        self._clock = clock
        self._known: dict[tuple[str, str], Record] = {}

    def close(self) -> None:
        self._engine.dispose()

    def now(self) -> dt.datetime:
        """The time that events get."""
        return self._clock()

    def begin_run(self, company: str, command: str) -> RunRecord:
        """Write that a run begins; its id is unique and sorts by time."""
        now = self._clock()
        run = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        body = {"command": command, "version": __version__, "pid": os.getpid(), "host": platform.node()}
        self.append(company, run, [NewEvent(kind=Kind.RUN_STARTED, body=body)])
        return self.run(run)

    def append(self, company: str, run: str, new: Sequence[NewEvent]) -> None:
        """Write events and what follows from them, durably and all together.

        Raises `StoppedMidway` when that fails; then none of them was written.
        """
        if not new:
            return
        at = _time(self._clock())
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                written = self._chain(connection, company, run, at, new)
                before = self._before(connection, company, new)
                records = _folded(written, before)
                connection.execute(insert(schema.events), [_event_row(event) for event, _ in written])
                _write_records(connection, records, before)
                for event, body in written:
                    _write_run(connection, event, body)
        except (DBAPIError, OSError) as error:
            raise schema.write_failed(self.path, error) from error
        self._known.update(records)

    def record(self, company: str, external_ref: str) -> Record | None:
        """What is known of one document."""
        return self.records(company, [external_ref]).get(external_ref)

    def records(self, company: str, references: Sequence[str]) -> dict[str, Record]:
        """What is known of these documents; those that the ledger does not know are left out."""
        with schema.reading(self._engine, self.path) as connection:
            found = _stored(connection, company, references)
        self._known.update(((company, reference), record) for reference, record in found.items())
        return found

    def in_states(self, company: str, states: Sequence[State]) -> list[Record]:
        """Every document in one of these states, the oldest first."""
        table = schema.documents
        query = (
            select(table)
            .where(table.c.company == company, table.c.state.in_([state.value for state in states]))
            .order_by(table.c.content_seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            found = [_read_record(row) for row in connection.execute(query)]
        self._known.update(((company, record.external_ref), record) for record in found)
        return found

    def last_stamped(self, company: str) -> Record | None:
        """The document that was stamped last."""
        table = schema.documents
        query = (
            select(table)
            .where(table.c.company == company, table.c.state == State.STAMPED.value)
            .order_by(table.c.last_seq.desc())
            .limit(1)
        )
        with schema.reading(self._engine, self.path) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _read_record(row)

    def all_records(self, company: str | None = None, since: str = "", until: str = "") -> Iterator[Record]:
        """Documents last touched in [since, until) (ISO times in UTC), in the order in which they were planned."""
        table = schema.documents
        query = select(table).order_by(table.c.company, table.c.content_seq)
        if company is not None:
            query = query.where(table.c.company == company)
        if since:
            query = query.where(table.c.updated_at >= since)
        if until:
            query = query.where(table.c.updated_at < until)
        with schema.reading(self._engine, self.path) as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield _read_record(row)

    def bodies(self, records: Sequence[Record]) -> dict[str, bytes]:
        """The canonical bodies that were last planned, by reference."""
        table = schema.events
        found: dict[str, bytes] = {}
        with schema.reading(self._engine, self.path) as connection:
            for start in range(0, len(records), _AT_ONCE):
                wanted = [record.content_seq for record in records[start : start + _AT_ONCE]]
                query = select(table.c.external_ref, table.c.body).where(table.c.seq.in_(wanted))
                for row in connection.execute(query):
                    found[row.external_ref] = json.loads(row.body)["body"].encode()
        return found

    def story(self, company: str, external_ref: str) -> list[Event]:
        """Every event of one document, in order."""
        table = schema.events
        query = (
            select(table).where(table.c.company == company, table.c.external_ref == external_ref).order_by(table.c.seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [_read_event(row) for row in connection.execute(query)]

    def every_event(self) -> Iterator[Event]:
        """The whole chain, in order."""
        with schema.reading(self._engine, self.path) as connection:
            query = select(schema.events).order_by(schema.events.c.seq)
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield _read_event(row)

    def runs(self, company: str | None = None) -> list[RunRecord]:
        """Runs without what they read, the newest first."""
        table = schema.runs
        query = select(table).order_by(table.c.started_at.desc(), table.c.run.desc())
        if company is not None:
            query = query.where(table.c.company == company)
        with schema.reading(self._engine, self.path) as connection:
            return [_read_run(row) for row in connection.execute(query)]

    def run(self, run: str) -> RunRecord:
        """One run with what it read and how it ended. Raises `KeyError` for an unknown one."""
        with schema.reading(self._engine, self.path) as connection:
            row = connection.execute(select(schema.runs).where(schema.runs.c.run == run)).one_or_none()
            if row is None:
                raise KeyError(run)
            return _read_run(row, _body_of(connection, row.read_seq), _body_of(connection, row.end_seq))

    def companies(self) -> list[str]:
        """Every company that has ever written here."""
        with schema.reading(self._engine, self.path) as connection:
            query = select(schema.runs.c.company).distinct().order_by(schema.runs.c.company)
            return [row.company for row in connection.execute(query)]

    def last_body(self, company: str, kind: Kind) -> Mapping[str, Any] | None:
        """The newest event of a kind that belongs to no document."""
        table = schema.events
        query = (
            select(table.c.body)
            .where(table.c.company == company, table.c.external_ref == "", table.c.kind == kind.value)
            .order_by(table.c.seq.desc())
            .limit(1)
        )
        with schema.reading(self._engine, self.path) as connection:
            body = connection.execute(query).scalar()
        return None if body is None else json.loads(body)

    def replace_state(self, records: Mapping[tuple[str, str], Record], runs: Sequence[tuple[Event, Any]]) -> None:
        """Write the state anew from what was rebuilt of the events."""
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(schema.documents.delete())
            connection.execute(schema.runs.delete())
            _write_records(connection, records, ())
            for event, body in runs:
                _write_run(connection, event, body)
        self._known.clear()

    def _chain(
        self, connection: Connection, company: str, run: str, at: str, new: Sequence[NewEvent]
    ) -> list[tuple[Event, Mapping[str, Any]]]:
        table = schema.events
        last = connection.execute(select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)).one_or_none()
        seq, previous = (last.seq, last.hash) if last else (0, FIRST_HASH)
        written: list[tuple[Event, Mapping[str, Any]]] = []
        for one in new:
            seq += 1
            body = json.dumps(one.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            event = Event(
                seq=seq, at=at, run=run, company=company, external_ref=one.external_ref, kind=one.kind, body=body
            )
            previous = hash_after(previous, event)
            written.append((replace(event, hash=previous), one.body))
        return written

    def _before(self, connection: Connection, company: str, new: Sequence[NewEvent]) -> dict[str, Record]:
        """The state, until now, of the documents that the new events speak of."""
        wanted = {one.external_ref for one in new if one.external_ref}
        before = {ref: record for ref in wanted if (record := self._known.get((company, ref)))}
        unknown = [reference for reference in wanted if reference not in before]
        before.update(_stored(connection, company, unknown))
        return before


def _folded(
    written: Sequence[tuple[Event, Mapping[str, Any]]], before: Mapping[str, Record]
) -> dict[tuple[str, str], Record]:
    """The new state of every document that the events speak of."""
    changed: dict[tuple[str, str], Record] = {}
    for event, body in written:
        if event.external_ref:
            key = (event.company, event.external_ref)
            changed[key] = fold(changed.get(key) or before.get(event.external_ref), event, body)
    return changed


def _stored(connection: Connection, company: str, references: Sequence[str]) -> dict[str, Record]:
    table = schema.documents
    found: dict[str, Record] = {}
    for start in range(0, len(references), _AT_ONCE):
        some = references[start : start + _AT_ONCE]
        query = select(table).where(table.c.company == company, table.c.external_ref.in_(some))
        found.update((row.external_ref, _read_record(row)) for row in connection.execute(query))
    return found


_UPDATE = (
    update(schema.documents)
    .where(schema.documents.c.company == bindparam("of_company"))
    .where(schema.documents.c.external_ref == bindparam("of_ref"))
    .values({column.name: bindparam(column.name) for column in schema.documents.c if not column.primary_key})
)


def _write_records(connection: Connection, records: Mapping[tuple[str, str], Record], stored: Collection[str]) -> None:
    """Insert or update; `stored` are the references that the table already has."""
    fresh = [_record_row(record) for record in records.values() if record.external_ref not in stored]
    changed = [
        {**_record_row(record), "of_company": record.company, "of_ref": record.external_ref}
        for record in records.values()
        if record.external_ref in stored
    ]
    if fresh:
        connection.execute(insert(schema.documents), fresh)
    if changed:
        for row in changed:
            del row["company"], row["external_ref"]
        connection.execute(_UPDATE, changed)


def _write_run(connection: Connection, event: Event, body: Mapping[str, Any]) -> None:
    table = schema.runs
    match event.kind:
        case Kind.RUN_STARTED:
            row = {
                "run": event.run, "company": event.company, "command": body["command"], "version": body["version"],
                "started_at": event.at, "ended_at": "", "exit_code": None, "pid": body["pid"], "host": body["host"],
                "read_seq": 0, "end_seq": 0,
            }  # fmt: skip
            connection.execute(insert(table), [row])
        case Kind.RUN_READ:
            connection.execute(update(table).where(table.c.run == event.run).values(read_seq=event.seq))
        case Kind.RUN_ENDED:
            values = {"ended_at": event.at, "exit_code": body["exit_code"], "end_seq": event.seq}
            connection.execute(update(table).where(table.c.run == event.run).values(values))


def _event_row(event: Event) -> dict[str, Any]:
    return {
        "seq": event.seq, "at": event.at, "run": event.run, "company": event.company,
        "external_ref": event.external_ref, "kind": event.kind.value, "body": event.body, "hash": event.hash,
    }  # fmt: skip


def _read_event(row: Row[Any]) -> Event:
    return Event(
        seq=row.seq, at=row.at, run=row.run, company=row.company, external_ref=row.external_ref, kind=Kind(row.kind),
        body=row.body, hash=row.hash,
    )  # fmt: skip


_SAME = (
    "company", "external_ref", "doc_type", "fingerprint", "date", "branch", "customer", "payment_method", "lines",
    "reason", "attempts", "first_sent_at", "numbered_at", "settled_at", "updated_at", "run", "content_seq", "last_seq",
)  # fmt: skip
"""Fields of a record that stand in the table as they are."""


def _record_row(record: Record) -> dict[str, Any]:
    return {
        **{name: getattr(record, name) for name in _SAME},
        "state": record.state.value,
        "expected_gross": str(record.expected_gross),
        "file": record.source.file,
        "sheet": record.source.sheet,
        "rows": write_rows(record.source.rows),
        "answer": json.dumps(write_answer(record.answer), ensure_ascii=False, sort_keys=True),
        "unexpected_duplicate": int(record.unexpected_duplicate),
    }


def _read_record(row: Row[Any]) -> Record:
    return Record(
        **{name: getattr(row, name) for name in _SAME},
        state=State(row.state),
        expected_gross=Decimal(row.expected_gross),
        source=SourceRows(file=row.file, sheet=row.sheet, rows=read_rows(row.rows)),
        answer=read_answer(json.loads(row.answer)),
        unexpected_duplicate=bool(row.unexpected_duplicate),
    )


def write_rows(rows: Sequence[int]) -> str:
    """Row numbers as text, runs of them shortened: `2-5,9`."""
    parts: list[str] = []
    start = previous = None
    for number in rows:
        if previous is not None and number == previous + 1:
            previous = number
            continue
        if start is not None and previous is not None:
            parts.append(str(start) if start == previous else f"{start}-{previous}")
        start = previous = number
    if start is not None and previous is not None:
        parts.append(str(start) if start == previous else f"{start}-{previous}")
    return ",".join(parts)


def read_rows(text: str) -> tuple[int, ...]:
    """The inverse of `write_rows`."""
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return tuple(numbers)


def _read_run(
    row: Row[Any], summary: Mapping[str, Any] | None = None, ending: Mapping[str, Any] | None = None
) -> RunRecord:
    return RunRecord(
        run=row.run, company=row.company, command=row.command, version=row.version, started_at=row.started_at,
        ended_at=row.ended_at, exit_code=row.exit_code, pid=row.pid, host=row.host, summary=summary, ending=ending,
    )  # fmt: skip


def _body_of(connection: Connection, seq: int) -> Mapping[str, Any] | None:
    if not seq:
        return None
    body = connection.execute(select(schema.events.c.body).where(schema.events.c.seq == seq)).scalar()
    return None if body is None else json.loads(body)


def _time(moment: dt.datetime) -> str:
    """UTC with offset, to the millisecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds")
