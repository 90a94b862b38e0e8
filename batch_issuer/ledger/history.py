"""What the ledger says of events and runs: the chain, the story of one document, what persons wrote, what runs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, func, select

from batch_issuer.ledger import schema
from batch_issuer.ledger.rows import (
    can_be_stored,
    read_body,
    read_content,
    read_event,
    read_run,
    read_sound_event,
    write_body,
)
from batch_issuer.model.records import (
    FIRST_HASH,
    Event,
    Kind,
    Note,
    Record,
    RunRecord,
    SignOff,
    read_note,
    read_sign_off,
)

AT_ONCE = 500
"""Values asked for in one query: SQLite allows no more than a thousand in older builds."""
_PAGE = 1000
"""Events read at a time: between pages the file is free, so that no reader holds up a run."""
_BY_PERSONS = (Kind.NOTED.value, Kind.SIGNED.value)

NEWEST = select(schema.events.c.seq, schema.events.c.hash).order_by(schema.events.c.seq.desc()).limit(1)

Written = TypeVar("Written")
Value = TypeVar("Value")


def in_parts(values: Sequence[Value], most: int = AT_ONCE) -> Iterator[Sequence[Value]]:
    """Yield the values in their order, in parts of `most` at most."""
    for start in range(0, len(values), most):
        yield values[start : start + most]


def events_in_order(connection: Connection) -> Iterator[Event]:
    """Yield every event in order, a page at a time, as it stands."""
    query = select(schema.events).order_by(schema.events.c.seq).limit(_PAGE)
    rows = connection.execute(query).all()
    while rows:
        # A reader lets go of the file between pages; whoever writes must keep it, or others write in between.
        if not connection.get_execution_options().get("writes"):
            connection.rollback()
        yield from map(read_event, rows)
        rows = connection.execute(query.where(schema.events.c.seq > rows[-1].seq)).all()


class History:
    """Reads events and runs. Every question raises `CannotStart` where the file cannot be read or is damaged."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine

    def check_pages(self, *, largest: int | None = None) -> None:
        """Look for damaged pages and indexes; files of more than `largest` bytes pass.

        Raises: `CannotStart` where there are some.
        """
        schema.check_pages(self._engine, self.path, largest=largest)

    def journal(self) -> str:
        """Return how SQLite keeps its journal: `wal`, or a rollback journal."""
        with schema.reading(self._engine, self.path) as connection:
            return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

    def head(self) -> tuple[int, str]:
        """Return number and hash of the newest event."""
        with schema.reading(self._engine, self.path) as connection:
            row = connection.execute(NEWEST).one_or_none()
            return (row.seq, row.hash) if row else (0, FIRST_HASH)

    def hash_at(self, seq: int) -> str:
        """Return the hash of one event; empty where there is none of this number."""
        if not seq:
            return FIRST_HASH
        query = select(schema.events.c.hash).where(schema.events.c.seq == seq)
        with schema.reading(self._engine, self.path) as connection:
            return connection.execute(query).scalar() or ""

    def every_event(self) -> Iterator[Event]:
        """Yield the whole chain, in order, as it stands: what was tampered with may have fields of any type."""
        with schema.reading(self._engine, self.path) as connection:
            yield from events_in_order(connection)

    def last_events(self, count: int) -> list[Event]:
        """Return the newest events, in order, as they stand."""
        query = select(schema.events).order_by(schema.events.c.seq.desc()).limit(count)
        with schema.reading(self._engine, self.path) as connection:
            return [read_event(row) for row in connection.execute(query)][::-1]

    def story(self, company: str, external_ref: str) -> list[Event]:
        """Return every event of one document, in order."""
        table = schema.events
        query = (
            select(table).where(table.c.company == company, table.c.external_ref == external_ref).order_by(table.c.seq)
        )
        if not can_be_stored(external_ref):
            return []
        with schema.reading(self._engine, self.path) as connection:
            return [read_sound_event(row) for row in connection.execute(query)]

    def bodies(self, records: Sequence[Record]) -> dict[str, bytes]:
        """Return the canonical bodies that were last planned, by reference, each checked against its fingerprint.

        Raises: `CannotStart` where a body is missing, or is not the one that has the document's fingerprint.
        """
        table = schema.events
        found: dict[str, bytes] = {}
        with schema.reading(self._engine, self.path) as connection:
            for part in in_parts(records):
                some = {record.content_seq: record for record in part}
                query = select(table.c.seq, table.c.body).where(table.c.seq.in_(some))
                for row in connection.execute(query):
                    record = some.pop(row.seq)
                    found[record.external_ref] = read_content(row.body, record)
                for record in some.values():
                    raise schema.Unreadable(f"{record.external_ref}: event {record.content_seq}")
        return found

    def last_body(self, company: str, kind: Kind) -> Mapping[str, Any] | None:
        """Return the body of the newest event of a kind that belongs to no document."""
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
        """Return events of these kinds that belong to no document, of every company: number, company, kind, body."""
        table = schema.events
        query = (
            select(table.c.seq, table.c.company, table.c.kind, table.c.body)
            .where(schema.BESIDE_DOCUMENTS, table.c.kind.in_([kind.value for kind in kinds]))
            .order_by(table.c.seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            rows = connection.execute(query)
            return [(row.seq, row.company, Kind(row.kind), read_body(row.body)) for row in rows]

    def notes(self, company: str) -> list[Note]:
        """Return what persons wrote about documents, the oldest first."""
        return self._by_persons(company, Kind.NOTED, read_note)

    def sign_offs(self, company: str) -> list[SignOff]:
        """Return who answered for which period, the oldest first."""
        return self._by_persons(company, Kind.SIGNED, read_sign_off)

    def _by_persons(
        self, company: str, kind: Kind, read: Callable[[Event, Mapping[str, Any]], Written]
    ) -> list[Written]:
        """Return the company's events of one kind that persons wrote, as `read` makes values of them."""
        table = schema.events
        query = (
            select(table)
            .where(table.c.company == company, schema.BESIDE_DOCUMENTS, table.c.kind == kind.value)
            .order_by(table.c.seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            events = [read_sound_event(row) for row in connection.execute(query)]
            try:
                return [read(event, read_body(event.body)) for event in events]
            except (KeyError, TypeError, ArithmeticError) as error:
                raise schema.Unreadable(f"{kind.value}: {error!r}") from error

    def known_at(self, company: str) -> str:
        """Return when the newest thing about the company's documents was written, ISO in UTC; empty where nothing was.

        What persons wrote does not count.
        """
        table = schema.events
        query = select(table.c.seq, table.c.company, table.c.kind, table.c.at).order_by(table.c.seq.desc()).limit(200)
        with schema.reading(self._engine, self.path) as connection:
            rows = connection.execute(query).all()
            while rows:
                for row in rows:
                    if row.company == company and row.kind not in _BY_PERSONS:
                        return str(row.at)
                rows = connection.execute(query.where(table.c.seq < rows[-1].seq)).all()
        return ""

    def companies(self) -> list[str]:
        """Return every company that has ever written here."""
        with schema.reading(self._engine, self.path) as connection:
            query = select(schema.runs.c.company).distinct().order_by(schema.runs.c.company)
            return [row.company for row in connection.execute(query)]

    def began_at(self, company: str) -> str:
        """Return when the company's first run began, ISO in UTC; empty where there was none."""
        table = schema.runs
        query = select(func.min(table.c.started_at)).where(table.c.company == company)
        with schema.reading(self._engine, self.path) as connection:
            return connection.execute(query).scalar() or ""

    def runs(self, company: str | None = None) -> list[RunRecord]:
        """Return runs without what they read, the newest first."""
        table = schema.runs
        query = select(table).order_by(table.c.started_at.desc(), table.c.run.desc())
        if company is not None:
            query = query.where(table.c.company == company)
        with schema.reading(self._engine, self.path) as connection:
            return [read_run(row) for row in connection.execute(query)]

    def unfinished(self, company: str | None = None) -> list[RunRecord]:
        """Return runs that have no end, the newest first: one is under way, the others were killed."""
        return [run for run in self.runs(company) if not run.ended_at]

    def run(self, run: str) -> RunRecord:
        """Return one run with what it read and how it ended.

        Raises: `KeyError` for an unknown one.
        """
        table = schema.runs
        if not can_be_stored(run):
            raise KeyError(run)
        with schema.reading(self._engine, self.path) as connection:
            row = connection.execute(select(table).where(table.c.run == run)).one_or_none()
            if row is None:
                raise KeyError(run)
            summary = _body_of(connection, row.read_seq)
            # Written once for both runs; a chain of such names was never written, so that one is damage.
            if summary is not None and "same_as" in summary:
                named = summary["same_as"]  # the run that had read the very same
                query = select(table.c.read_seq).where(table.c.run == named, table.c.company == row.company)
                summary = _body_of(connection, connection.execute(query).scalar() or 0)
                if summary is None or "same_as" in summary:
                    raise schema.Unreadable(f"{row.run}: {named}")
            return read_run(row, summary, _body_of(connection, row.end_seq))

    def has_read_just(self, company: str, body: Mapping[str, Any]) -> str:
        """Return the run that has read just this, by what the company's newest reading says; empty where none has.

        `body` is that of a `RUN_READ`. Of a day read again it would be written once more: 8 MB for 25,900 documents.
        """
        runs, events = schema.runs, schema.events
        readings = select(runs.c.run, events.c.body).join(events, events.c.seq == runs.c.read_seq)
        readings = readings.where(runs.c.company == company).order_by(runs.c.read_seq.desc()).limit(1)
        text, _ = write_body(body)
        with schema.reading(self._engine, self.path) as connection:
            newest = connection.execute(readings).one_or_none()
            # A shorter one may only name the run that had read it.
            if newest is not None and len(newest.body) < len(text):
                named = read_body(newest.body).get("same_as")
                newest = connection.execute(readings.where(runs.c.run == named)).one_or_none()
            return newest.run if newest is not None and newest.body == text else ""

    def run_rows(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """Return the newest event's number, and the runs as they are stored at that moment, by their id."""
        with schema.reading(self._engine, self.path) as connection:
            newest = connection.execute(select(func.max(schema.events.c.seq))).scalar() or 0
            rows = connection.execute(select(schema.runs))
            return newest, {row.run: dict(row._mapping) for row in rows}  # noqa: SLF001 - its public name

    def has_read(self, company: str, path: str, sha256: str) -> bool:
        """Whether one of the company's runs has read a file of this name with this digest."""
        return any(
            (one.get("file"), one.get("sha256")) == (path, sha256)
            for run in self.runs(company)
            for one in (self.run(run.run).summary or {}).get("sources", ())
        )


def _body_of(connection: Connection, seq: int) -> Mapping[str, Any] | None:
    if not seq:
        return None
    body = connection.execute(select(schema.events.c.body).where(schema.events.c.seq == seq)).scalar()
    if body is None:
        raise schema.Unreadable(f"event {seq}")
    return read_body(body)
