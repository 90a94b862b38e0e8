"""The ledger that is written: append-only events, each with the hash of the one before, and the state that follows.

Events and the state they lead to are written in one transaction, durably, before `append` returns.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, insert, select, update

from batch_issuer import __version__
from batch_issuer.ledger import schema
from batch_issuer.ledger.history import NEWEST, events_in_order
from batch_issuer.ledger.proofs import without_shared_proofs
from batch_issuer.ledger.questions import Questions, stored
from batch_issuer.ledger.rows import (
    CONTENT,
    KEY,
    STATE,
    content_row,
    event_row,
    run_change,
    state_row,
    write_body,
    write_time,
)
from batch_issuer.messages import N_
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.records import FIRST_HASH, Event, Kind, NewEvent, Record, RunRecord, fold, hash_of


def _insert(table: Table, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - as below


def _update(table: Table, columns: Sequence[str], key: Sequence[str]) -> str:
    return f"UPDATE {table.name} SET {' = ?, '.join(columns)} = ? WHERE {' = ? AND '.join(key)} = ?"  # noqa: S608 - our own names


# Statements as text and rows as tuples: nothing is translated for each event.
_INSERT_EVENTS = _insert(schema.events, schema.events.c.keys())
_INSERT_DOCUMENTS = _insert(schema.documents, (*CONTENT, *KEY))
_CHANGE_CONTENT = _update(schema.documents, CONTENT, KEY)
_CHANGE_STATE = _update(schema.documents, STATE, KEY)

_FOREIGN = "SELECT seq FROM events NOT INDEXED WHERE seq > ? AND company = ? LIMIT 1"
"""An event of a company after one event. By an index, all of the company would be read."""

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The state that follows from the events: documents by company and reference, rows of runs by their id."""

    records: Mapping[tuple[str, str], Record]
    runs: Mapping[str, Mapping[str, Any]]


class Exchanged(StoppedMidway):
    """The ledger is no longer the one that was opened: what stands there now says nothing of what was done here."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            N_(
                "The ledger {path} is not the one that this run began with: it was moved or exchanged, or another "
                "program wrote in it. Nothing more was sent."
            ),
            repair=N_(
                "Put the right file back and look at it with `batch-issuer ledger verify`; "
                "then run the same command again."
            ),
            path=path,
        )


def utc_now() -> dt.datetime:
    """Return this moment in UTC."""
    return dt.datetime.now(dt.UTC)


class Ledger(Questions):
    """An open ledger. One thread at a time may append; readers have their own `Ledger`."""

    def __init__(self, path: Path, engine: Engine, clock: Clock = utc_now) -> None:
        super().__init__(path, engine)
        self._clock = clock
        self._in_place: Callable[[], bool] | None = None
        self._last_written: tuple[int, str] = (0, FIRST_HASH)
        """Number and hash of the newest event when the lock was taken, and then of the last that was written here."""

    def begin_writing(self, in_place: Callable[[], bool]) -> None:
        """Let events be appended from here on, because the lock is held.

        `in_place` says whether the ledger's name still leads to the file that is locked.
        """
        self._last_written = self.head()
        self._in_place = in_place

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def now(self) -> dt.datetime:
        """Return the time that events get."""
        return self._clock()

    def begin_run(self, company: str, command: str) -> RunRecord:
        """Write that a run begins; its id is unique and sorts by time.

        Raises: `Stop` as `append` does.
        """
        now = self._clock()
        run = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        # The process and its computer, so that whoever finds the ledger held can say by whom.
        body = {"command": command, "version": __version__, "pid": os.getpid(), "host": platform.node()}
        self.append(company, run, [NewEvent(kind=Kind.RUN_STARTED, body=body)])
        return self.run(run)

    def append(self, company: str, run: str, new: Sequence[NewEvent]) -> None:
        """Write events and what follows from them, durably and all together.

        Raises: `StoppedMidway` when that fails, `Exchanged` where the ledger is no longer the one that was opened,
        `Damaged` where its pages are; then none of them was written.
        """
        if not new:
            return
        at = write_time(self._clock())
        self._check_place()
        with self._writing() as connection:
            # Again, now that nobody else writes: the file may have been exchanged while we waited for it.
            self._check_place()
            head = self._checked_head(connection, company)
            new = without_shared_proofs(connection, company, at, new)
            written = _chain(head, company, run, at, new)
            before, after = self._follow(connection, company, written)
            connection.exec_driver_sql(_INSERT_EVENTS, [event_row(event) for event, _ in written])
            _write_records(connection, after, before)
            for event, body in written:
                change = run_change(event, body)
                if event.kind is Kind.RUN_STARTED:
                    connection.execute(insert(schema.runs), [change])
                elif change:
                    connection.execute(update(schema.runs).where(schema.runs.c.run == event.run).values(change))
        self._last_written = (written[-1][0].seq, written[-1][0].hash)
        self._remember(after.values())

    def _check_place(self) -> None:
        """Raise `Exchanged` where the ledger's name no longer leads to the file that is locked."""
        if self._in_place is None:
            raise RuntimeError("this ledger was opened to be read")
        if not self._in_place():
            raise Exchanged(self.path)

    def _checked_head(self, connection: Connection, company: str) -> tuple[int, str]:
        """Return the newest event. Raises `Exchanged` where our last one is gone, or the company's newest is not ours.

        Other companies may have written meanwhile.
        """
        table = schema.events
        row = connection.execute(NEWEST).one_or_none()
        newest = (row.seq, row.hash) if row else (0, FIRST_HASH)
        if newest == self._last_written:
            return newest
        seq, last = self._last_written
        found = connection.execute(select(table.c.hash).where(table.c.seq == seq)).scalar() if seq else FIRST_HASH
        foreign = connection.exec_driver_sql(_FOREIGN, (seq, company)).scalar()
        if found != last or foreign is not None:
            raise Exchanged(self.path)
        return newest

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open a transaction that nobody else writes in; what goes wrong becomes a `Stop`, and nothing was written."""
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except schema.FAILURES as error:
            raise schema.write_failed(self.path, error) from error

    def _follow(
        self, connection: Connection, company: str, written: Sequence[tuple[Event, Mapping[str, Any]]]
    ) -> tuple[dict[str, Record], dict[tuple[str, str], Record]]:
        """Return the documents that the events speak of: as they were, by reference, and as they are from now on."""
        wanted = {event.external_ref for event, _ in written if event.external_ref}
        # What this run has read or written itself is known; only the rest is asked of the file.
        before = {ref: record for ref in wanted if (record := self._known.get((company, ref)))}
        before.update(stored(connection, company, [reference for reference in wanted if reference not in before]))
        after: dict[tuple[str, str], Record] = {}
        for event, body in written:
            if event.external_ref:
                key = (event.company, event.external_ref)
                after[key] = fold(after.get(key) or before.get(event.external_ref), event, body)
        return before, after

    def rewrite_state(self, replay: Callable[[Iterator[Event]], Replayed | None]) -> None:
        """Write the state anew as `replay` makes it of all events, while nobody else writes; None leaves it.

        Raises: `StoppedMidway` where it cannot be written, `Damaged` where pages are; then it is as it was.
        """
        with self._writing() as connection:
            state = replay(events_in_order(connection))
            if state is None:
                return
            connection.execute(schema.documents.delete())
            connection.execute(schema.runs.delete())
            _write_records(connection, state.records, {})
            if state.runs:
                connection.execute(insert(schema.runs), list(state.runs.values()))
        with self._knowing:
            self._known.clear()


def _chain(
    head: tuple[int, str], company: str, run: str, at: str, new: Sequence[NewEvent]
) -> list[tuple[Event, Mapping[str, Any]]]:
    """Return the events as they follow on the newest one, each with what its text says."""
    seq, previous = head
    written: list[tuple[Event, Mapping[str, Any]]] = []
    for one in new:
        seq += 1
        text, body = write_body(one.body)
        previous = hash_of(previous, seq, at, run, company, one.external_ref, one.kind, text)
        event = Event(
            seq=seq, at=at, run=run, company=company, external_ref=one.external_ref, kind=one.kind, body=text,
            hash=previous,
        )  # fmt: skip
        written.append((event, body))
    return written


def _write_records(
    connection: Connection, records: Mapping[tuple[str, str], Record], before: Mapping[str, Record]
) -> None:
    """Insert what is new, and of what the table has only what has changed. `before` is what it has, by reference."""
    fresh, planned, changed = [], [], []
    for key, record in records.items():
        known = before.get(record.external_ref)
        if known is None:
            fresh.append((*content_row(record), *key))
        elif known.content_seq != record.content_seq:
            planned.append((*content_row(record), *key))
        else:
            # Where the content stays, its columns and their indexes are left alone: that is half of the work.
            changed.append((*state_row(record), *key))
    for statement, rows in ((_INSERT_DOCUMENTS, fresh), (_CHANGE_CONTENT, planned), (_CHANGE_STATE, changed)):
        if rows:
            connection.exec_driver_sql(statement, rows)
