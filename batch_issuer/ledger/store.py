"""The ledger: append-only events, each with the hash of the one before, and the state that follows from them.

Events and the state they lead to are written in one transaction, durably, before `append` returns.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from batch_issuer import __version__
from batch_issuer.ledger import schema
from batch_issuer.ledger.proofs import without_shared_proofs
from batch_issuer.ledger.questions import Archive
from batch_issuer.ledger.rows import (
    CONTENT,
    KEY,
    STATE,
    can_be_stored,
    content_row,
    event_row,
    read_body,
    read_content,
    read_event,
    read_record,
    read_rows,
    read_run,
    run_change,
    state_row,
    write_body,
    write_time,
)
from batch_issuer.messages import N_
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.records import (
    FIRST_HASH,
    Event,
    Kind,
    Like,
    NewEvent,
    Record,
    RunRecord,
    fold,
    hash_of,
)
from batch_issuer.model.states import GIVEN_UP, State

_AT_ONCE = 500
"""References asked for in one query."""
_PAGE = 1000
"""Events read at a time: between pages the file is free, so that no reader holds up a run."""


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
_NEWEST = select(schema.events.c.seq, schema.events.c.hash).order_by(schema.events.c.seq.desc()).limit(1)

Clock = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The state that follows from the events: documents by company and reference, rows of runs by their id."""

    records: Mapping[tuple[str, str], Record]
    runs: Mapping[str, Mapping[str, Any]]


def utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Ledger(Archive):
    """An open ledger. One thread at a time may append; readers have their own `Ledger`."""

    def __init__(self, path: Path, engine: Engine, clock: Clock = utc_now) -> None:
        super().__init__(path, engine)
        self._clock = clock
        self._known: dict[tuple[str, str], Record] = {}
        self._knowing = threading.Lock()
        self._in_place: Callable[[], bool] | None = None
        self._last_written: tuple[int, str] = (0, FIRST_HASH)
        """Number and hash of the newest event when the lock was taken, and then of the last that was written here."""

    def begin_writing(self, in_place: Callable[[], bool]) -> None:
        """Once the lock is held; `in_place` says whether the ledger's name still leads to the file that is locked."""
        self._last_written = self.head()
        self._in_place = in_place

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

        Raises `StoppedMidway` when that fails, and where the ledger is no longer the one that was opened; then none of
        them was written.
        """
        if not new:
            return
        at = write_time(self._clock())
        self._check_place()
        with self._writing() as connection:
            self._check_place()
            head = self._checked_head(connection, company)
            new = without_shared_proofs(connection, company, at, new)
            written = self._chain(head, company, run, at, new)
            before = self._before(connection, company, new)
            records = _folded(written, before)
            connection.exec_driver_sql(_INSERT_EVENTS, [event_row(event) for event, _ in written])
            _write_records(connection, records, before)
            for event, body in written:
                _write_run(connection, event, body)
        self._last_written = (written[-1][0].seq, written[-1][0].hash)
        self._remember(records.values())

    def _check_place(self) -> None:
        """Raise `Exchanged` where the ledger's name no longer leads to the file that is locked."""
        if self._in_place is None:
            raise RuntimeError("this ledger was opened to be read")
        if not self._in_place():
            raise _not_the_same(self.path)

    def _checked_head(self, connection: Connection, company: str) -> tuple[int, str]:
        """The newest event. Raises `Exchanged` where our last one is not there, or another program wrote after it.

        Other companies may have written meanwhile.
        """
        table = schema.events
        row = connection.execute(_NEWEST).one_or_none()
        newest = (row.seq, row.hash) if row else (0, FIRST_HASH)
        if newest == self._last_written:
            return newest
        seq, last = self._last_written
        found = connection.execute(select(table.c.hash).where(table.c.seq == seq)).scalar() if seq else FIRST_HASH
        foreign = connection.exec_driver_sql(_FOREIGN, (seq, company)).scalar()
        if found != last or foreign is not None:
            raise _not_the_same(self.path)
        return newest

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that nobody else writes in; what goes wrong becomes a `Stop`, and nothing was written."""
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except schema.FAILURES as error:
            raise schema.write_failed(self.path, error) from error

    def _remember(self, records: Collection[Record]) -> None:
        """Keep what is known of documents; what another thread has written meanwhile is newer than what was read."""
        with self._knowing:
            for record in records:
                key = (record.company, record.external_ref)
                known = self._known.get(key)
                if known is None or known.last_seq < record.last_seq:
                    self._known[key] = record

    def record(self, company: str, external_ref: str) -> Record | None:
        """What is known of one document."""
        return self.records(company, [external_ref]).get(external_ref)

    def records(self, company: str, references: Sequence[str]) -> dict[str, Record]:
        """What is known of these documents; those that the ledger does not know are left out."""
        with schema.reading(self._engine, self.path) as connection:
            found = _stored(connection, company, references)
        self._remember(found.values())
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
            found = [read_record(row) for row in connection.execute(query).all()]
        self._remember(found)
        return found

    def cancellations(self, company: str) -> list[Record]:
        """Every document that somebody has asked to cancel, whatever came of it, the oldest first."""
        table = schema.documents
        query = (
            select(table).where(table.c.company == company, table.c.cancellation != "").order_by(table.c.content_seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            found = [read_record(row) for row in connection.execute(query).all()]
        self._remember(found)
        return found

    def owed(self, company: str) -> list[Record]:
        """Every document that a look is owed to (`Record.look_owed`), the oldest first."""
        table = schema.documents
        query = select(table).where(table.c.company == company, table.c.look_owed != "").order_by(table.c.content_seq)
        with schema.reading(self._engine, self.path) as connection:
            return [read_record(row) for row in connection.execute(query)]

    def of_type(self, company: str, doc_type: str, states: Sequence[State]) -> list[Record]:
        """Every document of a type in one of these states, the oldest first."""
        table = schema.documents
        query = (
            select(table)
            .where(
                table.c.company == company,
                table.c.state.in_([state.value for state in states]),
                table.c.doc_type == doc_type,
            )
            .order_by(table.c.content_seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [read_record(row) for row in connection.execute(query).all()]

    def named(self, company: str, identifier: str) -> list[Record]:
        """Documents of which the provider said this id, control number or generation code, in any case."""
        if not can_be_stored(identifier):
            return []
        table = schema.documents
        found = func.instr(func.lower(table.c.answer), f'"{identifier.lower()}"') > 0
        with schema.reading(self._engine, self.path) as connection:
            rows = connection.execute(select(table).where(table.c.company == company, found)).all()
            return [record for record in map(read_record, rows) if identifier.lower() in _names_of(record)]

    def last_of_customers(self, company: str, numbers: Sequence[str]) -> dict[str, Record]:
        """The document that was last sent for each of these customers (NIT, else DUI)."""
        table = schema.documents
        found: dict[str, Record] = {}
        with schema.reading(self._engine, self.path) as connection:
            for start in range(0, len(numbers), _AT_ONCE):
                query = (
                    select(table)
                    .where(
                        table.c.company == company,
                        table.c.customer_id.in_(numbers[start : start + _AT_ONCE]),
                        table.c.attempts > 0,
                        table.c.doc_type != "05",
                    )
                    .order_by(table.c.content_seq)
                )
                found.update((record.customer_id, record) for record in map(read_record, connection.execute(query)))
        return found

    def alike(self, company: str, likenesses: Sequence[str]) -> dict[str, str]:
        """References of documents that were sent, by likeness."""
        table = schema.documents
        found: dict[str, str] = {}
        with schema.reading(self._engine, self.path) as connection:
            for start in range(0, len(likenesses), _AT_ONCE):
                query = select(table.c.likeness, table.c.external_ref).where(
                    table.c.company == company,
                    table.c.likeness.in_(likenesses[start : start + _AT_ONCE]),
                    table.c.attempts > 0,
                )
                found.update((row.likeness, row.external_ref) for row in connection.execute(query))
        return found

    def look_alikes(self, company: str, keys: Sequence[str]) -> dict[str, list[Record]]:
        """Documents by the key of their reference (`identity.alike_key`), the oldest first."""
        table = schema.documents
        found: dict[str, list[Record]] = {}
        with schema.reading(self._engine, self.path) as connection:
            for start in range(0, len(keys), _AT_ONCE):
                some = [key for key in keys[start : start + _AT_ONCE] if can_be_stored(key)]
                query = select(table).where(table.c.company == company, table.c.alike.in_(some))
                for row in connection.execute(query.order_by(table.c.content_seq)):
                    found.setdefault(row.alike, []).append(read_record(row))
        return found

    def like(self, company: str, likenesses: Sequence[str], most: int) -> list[Like]:
        """Documents of these likenesses that are or may be issued, the newest of each question, in their order.

        Of very many only the newest `most` are given.
        """
        table = schema.documents
        columns = (
            table.c.likeness, table.c.external_ref, table.c.content_seq, table.c.file, table.c.sheet, table.c.rows,
            table.c.also,
        )  # fmt: skip
        found: list[Like] = []
        with schema.reading(self._engine, self.path) as connection:
            for start in range(0, len(likenesses), _AT_ONCE):
                query = select(*columns).where(
                    table.c.company == company, table.c.likeness.in_(likenesses[start : start + _AT_ONCE]),
                    table.c.state.not_in(GIVEN_UP), table.c.withdrawn_at == "",
                )  # fmt: skip
                newest = query.order_by(table.c.content_seq.desc()).limit(most)
                found += [
                    Like(
                        likeness=row.likeness,
                        external_ref=row.external_ref,
                        content_seq=row.content_seq,
                        source=(row.file, row.sheet),
                        first_row=next(iter(read_rows(row.rows)), 0),
                        has_other_names=bool(row.also),
                    )
                    for row in connection.execute(newest)
                ]
        return sorted(found, key=attrgetter("content_seq"))

    def has_read(self, company: str, path: str, sha256: str) -> bool:
        """Whether one of the company's runs has read a file of this name with this digest."""
        return any(
            (one.get("file"), one.get("sha256")) == (path, sha256)
            for run in self.runs(company)
            for one in (self.run(run.run).summary or {}).get("sources", ())
        )

    def last_stamped(self, company: str) -> Record | None:
        """The document that was stamped last."""
        return next(iter(self.newest_stamped(company, 1)), None)

    def newest_stamped(self, company: str, count: int, states: Sequence[State] = (State.STAMPED,)) -> list[Record]:
        """The documents that were stamped last and are in one of these states, the newest first."""
        table = schema.documents
        query = (
            select(table)
            .where(table.c.company == company, table.c.state.in_([state.value for state in states]))
            .order_by(table.c.last_seq.desc())
            .limit(count)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [read_record(row) for row in connection.execute(query)]

    def all_records(self, company: str | None = None, since: str = "", until: str = "") -> Iterator[Record]:
        """Documents last touched in [since, until) (ISO times in UTC), in the order in which they were planned.

        The order is that of the beginning; each document is as it stands when its turn comes.
        """
        table = schema.documents
        query = select(table.c.company, table.c.external_ref).order_by(table.c.company, table.c.content_seq)
        if company is not None:
            query = query.where(table.c.company == company)
        if since:
            query = query.where(table.c.updated_at >= since)
        if until:
            query = query.where(table.c.updated_at < until)
        with schema.reading(self._engine, self.path) as connection:
            keys = connection.execute(query).all()
            connection.rollback()
            for owner, some in _by_company(keys):
                found = _stored(connection, owner, some)
                connection.rollback()
                yield from (found[reference] for reference in some if reference in found)

    def bodies(self, records: Sequence[Record]) -> dict[str, bytes]:
        """The canonical bodies that were last planned, by reference, each checked against its fingerprint."""
        table = schema.events
        found: dict[str, bytes] = {}
        with schema.reading(self._engine, self.path) as connection:
            for start in range(0, len(records), _AT_ONCE):
                some = {record.content_seq: record for record in records[start : start + _AT_ONCE]}
                query = select(table.c.seq, table.c.body).where(table.c.seq.in_(some))
                for row in connection.execute(query):
                    record = some.pop(row.seq)
                    found[record.external_ref] = read_content(row.body, record)
                for record in some.values():
                    raise schema.Unreadable(f"{record.external_ref}: event {record.content_seq}")
        return found

    def check_pages(self, *, largest: int | None = None) -> None:
        """Raise `CannotStart` where pages or indexes are damaged; files of more than `largest` bytes pass."""
        schema.check_pages(self._engine, self.path, largest=largest)

    def every_event(self) -> Iterator[Event]:
        """The whole chain, in order, as it stands: an event that was tampered with may have fields of any type."""
        with schema.reading(self._engine, self.path) as connection:
            yield from _events(connection)

    def last_events(self, count: int) -> list[Event]:
        """The newest events, in order, as they stand."""
        query = select(schema.events).order_by(schema.events.c.seq.desc()).limit(count)
        with schema.reading(self._engine, self.path) as connection:
            return [read_event(row) for row in connection.execute(query)][::-1]

    def count_states(self, company: str) -> dict[State, int]:
        """How many documents are in each state."""
        table = schema.documents
        query = select(table.c.state, func.count()).where(table.c.company == company).group_by(table.c.state)
        with schema.reading(self._engine, self.path) as connection:
            return {State(state): count for state, count in connection.execute(query)}

    def journal(self) -> str:
        """How SQLite keeps its journal: `wal`, or a rollback journal."""
        with schema.reading(self._engine, self.path) as connection:
            return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

    def runs(self, company: str | None = None) -> list[RunRecord]:
        """Runs without what they read, the newest first."""
        table = schema.runs
        query = select(table).order_by(table.c.started_at.desc(), table.c.run.desc())
        if company is not None:
            query = query.where(table.c.company == company)
        with schema.reading(self._engine, self.path) as connection:
            return [read_run(row) for row in connection.execute(query)]

    def run(self, run: str) -> RunRecord:
        """One run with what it read and how it ended. Raises `KeyError` for an unknown one."""
        if not can_be_stored(run):
            raise KeyError(run)
        with schema.reading(self._engine, self.path) as connection:
            row = connection.execute(select(schema.runs).where(schema.runs.c.run == run)).one_or_none()
            if row is None:
                raise KeyError(run)
            return read_run(row, _summary_of(connection, row), _body_of(connection, row.end_seq))

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
            .where(table.c.company == company, schema.BESIDE_DOCUMENTS, table.c.kind == kind.value)
            .order_by(table.c.seq.desc())
            .limit(1)
        )
        with schema.reading(self._engine, self.path) as connection:
            body = connection.execute(query).scalar()
            return None if body is None else read_body(body)

    def bodies_beside(self, kinds: Sequence[Kind]) -> list[tuple[int, str, Kind, Mapping[str, Any]]]:
        """Events of these kinds that belong to no document, of every company: number, company, kind and body."""
        table = schema.events
        query = (
            select(table.c.seq, table.c.company, table.c.kind, table.c.body)
            .where(schema.BESIDE_DOCUMENTS, table.c.kind.in_([kind.value for kind in kinds]))
            .order_by(table.c.seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            rows = connection.execute(query)
            return [(row.seq, row.company, Kind(row.kind), read_body(row.body)) for row in rows]

    def run_rows(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """The newest event's number, and the runs as they are stored at that moment, by their id."""
        with schema.reading(self._engine, self.path) as connection:
            newest = connection.execute(select(func.max(schema.events.c.seq))).scalar() or 0
            rows = connection.execute(select(schema.runs))
            return newest, {row.run: dict(row._mapping) for row in rows}  # noqa: SLF001 - its public name

    def rewrite_state(self, replay: Callable[[Iterator[Event]], Replayed | None]) -> None:
        """Write the state anew as `replay` makes it of all events, while nobody else writes; None leaves it."""
        with self._writing() as connection:
            state = replay(_events(connection))
            if state is None:
                return
            connection.execute(schema.documents.delete())
            connection.execute(schema.runs.delete())
            _write_records(connection, state.records, {})
            if state.runs:
                connection.execute(insert(schema.runs), list(state.runs.values()))
        with self._knowing:
            self._known.clear()

    @staticmethod
    def _chain(
        head: tuple[int, str], company: str, run: str, at: str, new: Sequence[NewEvent]
    ) -> list[tuple[Event, Mapping[str, Any]]]:
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

    def _before(self, connection: Connection, company: str, new: Sequence[NewEvent]) -> dict[str, Record]:
        """The state, until now, of the documents that the new events speak of."""
        wanted = {one.external_ref for one in new if one.external_ref}
        before = {ref: record for ref in wanted if (record := self._known.get((company, ref)))}
        unknown = [reference for reference in wanted if reference not in before]
        before.update(_stored(connection, company, unknown))
        return before


def _names_of(record: Record) -> tuple[str, ...]:
    """What the provider calls a document, in small letters."""
    answer = record.answer
    return answer.document_id.lower(), answer.control_number.lower(), answer.generation_code.lower()


class Exchanged(StoppedMidway):
    """The ledger is no longer the one that was opened: what stands there now says nothing of what was done here."""


def _not_the_same(path: Path) -> Exchanged:
    return Exchanged(
        N_(
            "The ledger {path} is not the one that this run began with: it was moved or exchanged, or another program "
            "wrote in it. Nothing more was sent."
        ),
        repair=N_(
            "Put the right file back and look at it with `batch-issuer ledger verify`; then run the same command again."
        ),
        path=path,
    )


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


def _events(connection: Connection) -> Iterator[Event]:
    """Every event in order, a page at a time."""
    query = select(schema.events).order_by(schema.events.c.seq).limit(_PAGE)
    rows = connection.execute(query).all()
    while rows:
        if not connection.get_execution_options().get("writes"):
            connection.rollback()
        yield from map(read_event, rows)
        rows = connection.execute(query.where(schema.events.c.seq > rows[-1].seq)).all()


def _by_company(keys: Sequence[Any]) -> Iterator[tuple[str, list[str]]]:
    """References in their order, in parts of one company and not too many."""
    for company, group in groupby(keys, key=lambda key: key.company):
        references = [key.external_ref for key in group]
        for start in range(0, len(references), _AT_ONCE):
            yield company, references[start : start + _AT_ONCE]


def _stored(connection: Connection, company: str, references: Sequence[str]) -> dict[str, Record]:
    table = schema.documents
    found: dict[str, Record] = {}
    references = [reference for reference in references if can_be_stored(reference)]
    for start in range(0, len(references), _AT_ONCE):
        some = references[start : start + _AT_ONCE]
        query = select(table).where(table.c.company == company, table.c.external_ref.in_(some))
        found.update((row.external_ref, read_record(row)) for row in connection.execute(query).all())
    return found


def _write_records(
    connection: Connection, records: Mapping[tuple[str, str], Record], before: Mapping[str, Record]
) -> None:
    """Insert what is new, and of what the table has only what has changed. `before` is what it has, by reference.

    Where the content stays, its columns and their indexes are left alone: that is half of the work.
    """
    fresh, planned, changed = [], [], []
    for key, record in records.items():
        known = before.get(record.external_ref)
        if known is None:
            fresh.append((*content_row(record), *key))
        elif known.content_seq != record.content_seq:
            planned.append((*content_row(record), *key))
        else:
            changed.append((*state_row(record), *key))
    for statement, rows in ((_INSERT_DOCUMENTS, fresh), (_CHANGE_CONTENT, planned), (_CHANGE_STATE, changed)):
        if rows:
            connection.exec_driver_sql(statement, rows)


def _write_run(connection: Connection, event: Event, body: Mapping[str, Any]) -> None:
    change = run_change(event, body)
    if event.kind is Kind.RUN_STARTED:
        connection.execute(insert(schema.runs), [change])
    elif change:
        connection.execute(update(schema.runs).where(schema.runs.c.run == event.run).values(change))


def _summary_of(connection: Connection, row: Any) -> Mapping[str, Any] | None:
    """What a run read; an older version wrote of the very same files which run had read them before (`same_as`)."""
    summary = _body_of(connection, row.read_seq)
    if summary is None or "same_as" not in summary:
        return summary
    table = schema.runs
    query = select(table.c.read_seq).where(table.c.run == summary["same_as"], table.c.company == row.company)
    same = _body_of(connection, connection.execute(query).scalar() or 0)
    if same is None or "same_as" in same:
        raise schema.Unreadable(f"{row.run}: {summary['same_as']}")
    return same


def _body_of(connection: Connection, seq: int) -> Mapping[str, Any] | None:
    if not seq:
        return None
    body = connection.execute(select(schema.events.c.body).where(schema.events.c.seq == seq)).scalar()
    if body is None:
        raise schema.Unreadable(f"event {seq}")
    return read_body(body)
