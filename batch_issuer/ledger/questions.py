"""What reports ask of a ledger: periods, waits, control numbers, stories, what persons wrote. By index, read only."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Column, Engine, Select, func, select

from batch_issuer.ledger import schema
from batch_issuer.ledger.rows import can_be_stored, read_body, read_record, read_sound_event
from batch_issuer.model.records import (
    FIRST_HASH,
    Event,
    Kind,
    Note,
    Numbered,
    Record,
    SignOff,
    Wait,
    fold,
    read_note,
    read_sign_off,
)
from batch_issuer.model.states import ISSUED, State

_AT_ONCE = 500
"""References asked for in one query."""
_PAGE = 200
"""Events looked through at a time."""
_BY_PERSONS = (Kind.NOTED.value, Kind.SIGNED.value)

Written = TypeVar("Written")


class Archive:
    """The reading half of a `Ledger`."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine

    def sent_between(self, company: str, since: str, until: str) -> list[Record]:
        """Documents first sent in [since, until), and those never sent and last touched then, as they were planned.

        The times are ISO in UTC; an empty one does not limit.
        """
        table = schema.documents
        of_company = select(table).where(table.c.company == company)
        sent = _between(of_company.where(table.c.first_sent_at != ""), table.c.first_sent_at, since, until)
        unsent = _between(of_company.where(table.c.first_sent_at == ""), table.c.updated_at, since, until)
        with schema.reading(self._engine, self.path) as connection:
            rows = [*connection.execute(sent).all(), *connection.execute(unsent).all()]
        return sorted(map(read_record, rows), key=lambda record: record.content_seq)

    def references_dated(self, company: str, first: str, last: str) -> list[str]:
        """References of documents whose own date lies between two days, ISO, both included, as they were planned."""
        table = schema.documents
        query = (
            select(table.c.external_ref)
            .where(table.c.company == company, table.c.date >= first, table.c.date <= last, table.c.date != "")
            .order_by(table.c.content_seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            return list(connection.execute(query).scalars())

    def references_read_from(self, company: str, sheets: Collection[tuple[str, str]]) -> list[str]:
        """References of documents without a date of their own that were last read from these (file, sheet)."""
        table = schema.documents
        query = (
            select(table.c.external_ref, table.c.file, table.c.sheet)
            .where(table.c.company == company, table.c.date == "")
            .order_by(table.c.content_seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [row.external_ref for row in connection.execute(query) if (row.file, row.sheet) in sheets]

    def alikes(self, company: str, likenesses: Sequence[str]) -> dict[str, list[str]]:
        """References of all documents that were sent, by likeness, in their order."""
        table = schema.documents
        found: dict[str, list[str]] = {}
        with schema.reading(self._engine, self.path) as connection:
            for start in range(0, len(likenesses), _AT_ONCE):
                query = select(table.c.likeness, table.c.external_ref).where(
                    table.c.company == company,
                    table.c.likeness.in_(likenesses[start : start + _AT_ONCE]),
                    table.c.attempts > 0,
                )
                for row in connection.execute(query.order_by(table.c.external_ref)):
                    found.setdefault(row.likeness, []).append(row.external_ref)
        return found

    def credited(self, company: str, names: Collection[str]) -> dict[str, Decimal]:
        """What live credit notes (05) come to, by the name of the CCF as each of them gives it; only of these names."""
        table = schema.documents
        query = select(table.c.adjusts, table.c.expected_gross).where(
            table.c.company == company, table.c.state.in_(ISSUED), table.c.doc_type == "05"
        )
        found: dict[str, Decimal] = {}
        with schema.reading(self._engine, self.path) as connection:
            for row in connection.execute(query):
                if row.adjusts in names or row.adjusts.lower() in names:
                    found[row.adjusts] = found.get(row.adjusts, Decimal(0)) + Decimal(row.expected_gross)
        return found

    def waits(self, company: str, since: str, until: str) -> list[Wait]:
        """Every stay in contingency that shares a moment with [since, until); empty times do not limit."""
        table = schema.documents
        stayed = select(
            table.c.external_ref, table.c.state, table.c.expected_gross, table.c.waits, table.c.waited_from,
            table.c.waited_to, table.c.settled_at,
        ).where(table.c.company == company, table.c.waits > 0)  # fmt: skip
        if until:
            stayed = stayed.where(table.c.waited_from < until)
        found: list[Wait] = []
        with schema.reading(self._engine, self.path) as connection:
            for still in (table.c.waited_to == "", table.c.waited_to >= (since or "0")):
                for row in connection.execute(stayed.where(still).order_by(table.c.content_seq)).all():
                    found += _wait(row) or self._waits_of(company, row.external_ref)
        return [
            one for one in found if (not until or one.entered_at < until) and (not one.left_at or one.left_at >= since)
        ]

    def _waits_of(self, company: str, external_ref: str) -> list[Wait]:
        """Every stay of one document, from its story."""
        found: list[Wait] = []
        record: Record | None = None
        for event in self.story(company, external_ref):
            before, record = record, fold(record, event, json.loads(event.body))
            if record.state is State.CONTINGENCY and (before is None or before.state is not State.CONTINGENCY):
                found.append(Wait(external_ref=external_ref, gross=record.expected_gross, entered_at=event.at))
            elif before is not None and before.state is State.CONTINGENCY and record.state is not State.CONTINGENCY:
                found[-1] = replace(found[-1], left_at=event.at, left_to=record.state)
        return found

    def numbers(self, company: str, first: str, last: str) -> list[Numbered]:
        """Documents whose control number, as text, lies between two of one series, both included."""
        table = schema.documents
        query = (
            select(table.c.control_number, table.c.external_ref, table.c.numbered_at)
            .where(table.c.company == company, table.c.control_number >= first, table.c.control_number <= last)
            .order_by(table.c.control_number, table.c.external_ref)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [_numbered(row) for row in connection.execute(query)]

    def number_before(self, company: str, series: str, first: str, since: str, until: str) -> Numbered | None:
        """The document with the highest control number of a series below one, numbered in [since, until)."""
        table = schema.documents
        query = (
            select(table.c.control_number, table.c.external_ref, table.c.numbered_at)
            .where(
                table.c.company == company, table.c.control_number > f"{series}-", table.c.control_number < first,
                table.c.numbered_at >= since, table.c.numbered_at < until,
            )
            .order_by(table.c.control_number.desc())
            .limit(1)
        )  # fmt: skip
        with schema.reading(self._engine, self.path) as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else _numbered(row)

    def began_at(self, company: str) -> str:
        """When the company's first run began; empty where there was none."""
        table = schema.runs
        query = select(func.min(table.c.started_at)).where(table.c.company == company)
        with schema.reading(self._engine, self.path) as connection:
            return connection.execute(query).scalar() or ""

    def known_at(self, company: str) -> str:
        """When the newest thing about the company's documents was written; what persons wrote does not count."""
        table = schema.events
        query = select(table.c.seq, table.c.company, table.c.kind, table.c.at).order_by(table.c.seq.desc()).limit(_PAGE)
        with schema.reading(self._engine, self.path) as connection:
            rows = connection.execute(query).all()
            while rows:
                for row in rows:
                    if row.company == company and row.kind not in _BY_PERSONS:
                        return str(row.at)
                rows = connection.execute(query.where(table.c.seq < rows[-1].seq)).all()
        return ""

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest event."""
        table = schema.events
        query = select(table.c.seq, table.c.hash).order_by(table.c.seq.desc()).limit(1)
        with schema.reading(self._engine, self.path) as connection:
            row = connection.execute(query).one_or_none()
            return (row.seq, row.hash) if row else (0, FIRST_HASH)

    def hash_at(self, seq: int) -> str:
        """The hash of one event; empty where there is none of this number."""
        if not seq:
            return FIRST_HASH
        query = select(schema.events.c.hash).where(schema.events.c.seq == seq)
        with schema.reading(self._engine, self.path) as connection:
            return connection.execute(query).scalar() or ""

    def story(self, company: str, external_ref: str) -> list[Event]:
        """Every event of one document, in order."""
        table = schema.events
        query = (
            select(table).where(table.c.company == company, table.c.external_ref == external_ref).order_by(table.c.seq)
        )
        if not can_be_stored(external_ref):
            return []
        with schema.reading(self._engine, self.path) as connection:
            return [read_sound_event(row) for row in connection.execute(query)]

    def notes(self, company: str) -> list[Note]:
        """What persons wrote about documents, the oldest first."""
        return self._beside_documents(company, Kind.NOTED, read_note)

    def sign_offs(self, company: str) -> list[SignOff]:
        """Who answered for which period, the oldest first."""
        return self._beside_documents(company, Kind.SIGNED, read_sign_off)

    def _beside_documents(
        self, company: str, kind: Kind, read: Callable[[Event, Mapping[str, Any]], Written]
    ) -> list[Written]:
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


def _between(query: Select[Any], column: Column[str], since: str, until: str) -> Select[Any]:
    if since:
        query = query.where(column >= since)
    return query.where(column < until) if until else query


def _numbered(row: Any) -> Numbered:
    return Numbered(control_number=row.control_number, external_ref=row.external_ref, at=row.numbered_at)


def _wait(row: Any) -> list[Wait]:
    """The one stay of a document, where the row alone tells it; nothing where only its story does."""
    if row.waits != 1 or (row.waited_to and row.waited_to != row.settled_at):
        return []
    try:
        left_to = State(row.state) if row.waited_to else None
        gross = Decimal(row.expected_gross)
    except (ValueError, ArithmeticError) as error:
        raise schema.Unreadable(f"{row.external_ref}: {error}") from error
    return [
        Wait(
            external_ref=row.external_ref, gross=gross, entered_at=row.waited_from, left_at=row.waited_to,
            left_to=left_to,
        )
    ]  # fmt: skip
