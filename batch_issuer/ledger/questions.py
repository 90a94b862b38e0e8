"""What plans, runs and reports ask of the documents in a ledger: each question with its index, read only."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Select, func, select

from batch_issuer.ledger import schema
from batch_issuer.ledger.history import History, in_parts
from batch_issuer.ledger.rows import can_be_stored, read_record, read_rows
from batch_issuer.model.records import Like, Numbered, Record, Wait, fold
from batch_issuer.model.states import GIVEN_UP, ISSUED, State


def stored(connection: Connection, company: str, references: Sequence[str]) -> dict[str, Record]:
    """Return the documents of these references as their rows say, by reference; unknown ones are left out."""
    table = schema.documents
    found: dict[str, Record] = {}
    for some in in_parts([reference for reference in references if can_be_stored(reference)]):
        query = select(table).where(table.c.company == company, table.c.external_ref.in_(some))
        found.update((row.external_ref, read_record(row)) for row in connection.execute(query).all())
    return found


class Questions(History):
    """Reads documents. Every question raises `CannotStart` where the file cannot be read or is damaged."""

    def __init__(self, path: Path, engine: Engine) -> None:
        super().__init__(path, engine)
        self._known: dict[tuple[str, str], Record] = {}
        """What was read or written of documents: a run need not read it again before it writes of them."""
        self._knowing = threading.Lock()

    def _remember(self, records: Collection[Record]) -> None:
        with self._knowing:
            for record in records:
                key = (record.company, record.external_ref)
                known = self._known.get(key)
                # What another thread has written meanwhile is newer than what was read.
                if known is None or known.last_seq < record.last_seq:
                    self._known[key] = record

    def _documents(self, company: str, *conditions: Any) -> list[Record]:
        """Return the company's documents of which all this is true, in the order in which they were planned."""
        table = schema.documents
        query = select(table).where(table.c.company == company, *conditions).order_by(table.c.content_seq)
        with schema.reading(self._engine, self.path) as connection:
            return [read_record(row) for row in connection.execute(query).all()]

    def record(self, company: str, external_ref: str) -> Record | None:
        """Return what is known of one document."""
        return self.records(company, [external_ref]).get(external_ref)

    def records(self, company: str, references: Sequence[str]) -> dict[str, Record]:
        """Return what is known of these documents; those that the ledger does not know are left out."""
        with schema.reading(self._engine, self.path) as connection:
            found = stored(connection, company, references)
        self._remember(found.values())
        return found

    def in_states(self, company: str, states: Sequence[State]) -> list[Record]:
        """Return every document in one of these states, the oldest first."""
        found = self._documents(company, schema.documents.c.state.in_([state.value for state in states]))
        self._remember(found)
        return found

    def cancellations(self, company: str) -> list[Record]:
        """Return every document that somebody has asked to cancel, whatever came of it, the oldest first."""
        found = self._documents(company, schema.documents.c.cancellation != "")
        self._remember(found)
        return found

    def owed(self, company: str) -> list[Record]:
        """Return every document that a look is owed to (`Record.look_owed`), the oldest first."""
        return self._documents(company, schema.documents.c.look_owed != "")

    def of_type(self, company: str, doc_type: str, states: Sequence[State]) -> list[Record]:
        """Return every document of a type in one of these states, the oldest first."""
        table = schema.documents
        return self._documents(
            company, table.c.state.in_([state.value for state in states]), table.c.doc_type == doc_type
        )

    def named(self, company: str, identifier: str) -> list[Record]:
        """Return documents of which the provider said this id, control number or generation code, in any case."""
        wanted = identifier.lower()
        if not can_be_stored(wanted):
            return []
        # The answer is JSON: its text shows which rows may be meant, its fields which are.
        found = self._documents(company, func.instr(func.lower(schema.documents.c.answer), f'"{wanted}"') > 0)
        names = attrgetter("document_id", "control_number", "generation_code")
        return [record for record in found if wanted in [name.lower() for name in names(record.answer)]]

    def last_of_customers(self, company: str, numbers: Sequence[str]) -> dict[str, Record]:
        """Return the document that was last sent for each of these customers, by their NIT, else DUI.

        Credit notes (05) are left out: they name their customer by the CCF that they adjust.
        """
        table = schema.documents
        found: dict[str, Record] = {}
        for some in in_parts(numbers):
            sent = self._documents(
                company, table.c.customer_id.in_(some), table.c.attempts > 0, table.c.doc_type != "05"
            )
            found.update((record.customer_id, record) for record in sent)
        return found

    def alike(self, company: str, likenesses: Sequence[str]) -> dict[str, str]:
        """Return the reference of one document that was sent, by likeness."""
        table = schema.documents
        found: dict[str, str] = {}
        with schema.reading(self._engine, self.path) as connection:
            for some in in_parts(likenesses):
                query = select(table.c.likeness, table.c.external_ref).where(
                    table.c.company == company, table.c.likeness.in_(some), table.c.attempts > 0
                )
                found.update((row.likeness, row.external_ref) for row in connection.execute(query))
        return found

    def alikes(self, company: str, likenesses: Sequence[str]) -> dict[str, list[str]]:
        """Return references of all documents that were sent, by likeness, in their order."""
        table = schema.documents
        found: dict[str, list[str]] = {}
        with schema.reading(self._engine, self.path) as connection:
            for some in in_parts(likenesses):
                query = select(table.c.likeness, table.c.external_ref).where(
                    table.c.company == company, table.c.likeness.in_(some), table.c.attempts > 0
                )
                for row in connection.execute(query.order_by(table.c.external_ref)):
                    found.setdefault(row.likeness, []).append(row.external_ref)
        return found

    def look_alikes(self, company: str, keys: Sequence[str]) -> dict[str, list[Record]]:
        """Return documents by the key of their reference (`identity.alike_key`), the oldest first."""
        table = schema.documents
        found: dict[str, list[Record]] = {}
        with schema.reading(self._engine, self.path) as connection:
            for some in in_parts([key for key in keys if can_be_stored(key)]):
                query = select(table).where(table.c.company == company, table.c.alike.in_(some))
                for row in connection.execute(query.order_by(table.c.content_seq)):
                    found.setdefault(row.alike, []).append(read_record(row))
        return found

    def like(self, company: str, likenesses: Sequence[str], most: int) -> list[Like]:
        """Return documents of these likenesses that are or may be issued, in the order in which they were planned.

        Of very many, each query gives only the newest `most`.
        """
        table = schema.documents
        columns = (
            table.c.likeness, table.c.external_ref, table.c.content_seq, table.c.file, table.c.sheet, table.c.rows,
            table.c.also,
        )  # fmt: skip
        found: list[Like] = []
        with schema.reading(self._engine, self.path) as connection:
            for some in in_parts(likenesses):
                query = select(*columns).where(
                    table.c.company == company, table.c.likeness.in_(some),
                    table.c.state.not_in(GIVEN_UP), table.c.withdrawn_at == "",
                )  # fmt: skip
                found += [
                    Like(
                        likeness=row.likeness,
                        external_ref=row.external_ref,
                        content_seq=row.content_seq,
                        source=(row.file, row.sheet),
                        first_row=next(iter(read_rows(row.rows)), 0),
                        has_other_names=bool(row.also),
                    )
                    for row in connection.execute(query.order_by(table.c.content_seq.desc()).limit(most))
                ]
        return sorted(found, key=attrgetter("content_seq"))

    def last_stamped(self, company: str) -> Record | None:
        """Return the document that was stamped last."""
        return next(iter(self.newest_stamped(company, 1)), None)

    def newest_stamped(self, company: str, count: int, states: Sequence[State] = (State.STAMPED,)) -> list[Record]:
        """Return the documents that were stamped last and are in one of these states, the newest first."""
        table = schema.documents
        query = (
            select(table)
            .where(table.c.company == company, table.c.state.in_([state.value for state in states]))
            .order_by(table.c.last_seq.desc())
            .limit(count)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [read_record(row) for row in connection.execute(query)]

    def count_states(self, company: str) -> dict[State, int]:
        """Return how many documents are in each state."""
        table = schema.documents
        query = select(table.c.state, func.count()).where(table.c.company == company).group_by(table.c.state)
        with schema.reading(self._engine, self.path) as connection:
            return {State(state): count for state, count in connection.execute(query)}

    def all_records(self, company: str | None = None, since: str = "", until: str = "") -> Iterator[Record]:
        """Yield documents last touched in [since, until) (ISO times in UTC), in the order in which they were planned.

        The order is that of the beginning; each document is as it stands when its turn comes.
        """
        table = schema.documents
        query = select(table.c.company, table.c.external_ref).order_by(table.c.company, table.c.content_seq)
        if company is not None:
            query = query.where(table.c.company == company)
        query = _between(query, table.c.updated_at, since, until)
        with schema.reading(self._engine, self.path) as connection:
            keys = connection.execute(query).all()
            connection.rollback()
            for owner, group in groupby(keys, key=attrgetter("company")):
                for some in in_parts([key.external_ref for key in group]):
                    found = stored(connection, owner, some)
                    connection.rollback()  # whoever takes these records may take long: the file is free meanwhile
                    yield from (found[reference] for reference in some if reference in found)

    def sent_between(self, company: str, since: str, until: str) -> list[Record]:
        """Return documents first sent in [since, until), and those never sent and last touched then.

        They come as they were planned. The times are ISO in UTC; an empty one does not limit.
        """
        table = schema.documents
        of_company = select(table).where(table.c.company == company)
        # Two questions, each with its index: asked with OR, SQLite reads every document of the company.
        sent = _between(of_company.where(table.c.first_sent_at != ""), table.c.first_sent_at, since, until)
        unsent = _between(of_company.where(table.c.first_sent_at == ""), table.c.updated_at, since, until)
        with schema.reading(self._engine, self.path) as connection:
            rows = [*connection.execute(sent).all(), *connection.execute(unsent).all()]
        return sorted(map(read_record, rows), key=attrgetter("content_seq"))

    def references_dated(self, company: str, first: str, last: str) -> list[str]:
        """Return references of documents whose own date lies between two ISO days, both included, as planned."""
        table = schema.documents
        query = (
            select(table.c.external_ref)
            .where(table.c.company == company, table.c.date >= first, table.c.date <= last, table.c.date != "")
            .order_by(table.c.content_seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            return list(connection.execute(query).scalars())

    def references_read_from(self, company: str, sheets: Collection[tuple[str, str]]) -> list[str]:
        """Return references of documents without a date of their own that were last read from these (file, sheet)."""
        table = schema.documents
        query = (
            select(table.c.external_ref, table.c.file, table.c.sheet)
            .where(table.c.company == company, table.c.date == "")
            .order_by(table.c.content_seq)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [row.external_ref for row in connection.execute(query) if (row.file, row.sheet) in sheets]

    def credited(self, company: str, names: Collection[str]) -> dict[str, Decimal]:
        """Return what live credit notes (05) come to, by the name of the CCF as each of them gives it.

        Only CCFs of these names count, which are compared as they are given and in small letters.
        """
        if not names:
            return {}
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
        """Return every stay in contingency that shares a moment with [since, until); empty times do not limit."""
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
                    found += self._stays(company, row)
        return [
            one for one in found if (not until or one.entered_at < until) and (not one.left_at or one.left_at >= since)
        ]

    def _stays(self, company: str, row: Any) -> list[Wait]:
        """Return every stay in contingency of one document: by its row where that tells it, else by its story."""
        # A document that left contingency and was settled again later has a state that is not what it left to.
        if row.waits == 1 and row.waited_to in ("", row.settled_at):
            try:
                left_to = State(row.state) if row.waited_to else None
                gross = Decimal(row.expected_gross)
            except (ValueError, ArithmeticError) as error:
                raise schema.Unreadable(f"{row.external_ref}: {error}") from error
            return [Wait(external_ref=row.external_ref, gross=gross, entered_at=row.waited_from,
                         left_at=row.waited_to, left_to=left_to)]  # fmt: skip
        found: list[Wait] = []
        record: Record | None = None
        waiting = False
        for event in self.story(company, row.external_ref):
            record = fold(record, event, json.loads(event.body))
            if waiting is (record.state is State.CONTINGENCY):
                continue
            waiting = not waiting
            if waiting:
                found.append(Wait(external_ref=row.external_ref, gross=record.expected_gross, entered_at=event.at))
            else:
                found[-1] = replace(found[-1], left_at=event.at, left_to=record.state)
        return found

    def numbers(self, company: str, first: str, last: str) -> list[Numbered]:
        """Return documents whose control number, as text, lies between two of one series, both included."""
        table = schema.documents
        query = (
            select(table.c.control_number, table.c.external_ref, table.c.numbered_at)
            .where(table.c.company == company, table.c.control_number >= first, table.c.control_number <= last)
            .order_by(table.c.control_number, table.c.external_ref)
        )
        with schema.reading(self._engine, self.path) as connection:
            return [_numbered(row) for row in connection.execute(query)]

    def number_before(self, company: str, series: str, first: str, since: str, until: str) -> Numbered | None:
        """Return the document with the highest control number of a series below one, numbered in [since, until)."""
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


def _between(query: Select[Any], column: Column[str], since: str, until: str) -> Select[Any]:
    if since:
        query = query.where(column >= since)
    return query.where(column < until) if until else query


def _numbered(row: Any) -> Numbered:
    return Numbered(control_number=row.control_number, external_ref=row.external_ref, at=row.numbered_at)
