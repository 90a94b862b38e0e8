"""The documents of the files, checked and encoded: what may be sent, what is held back, and what both come to."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

from batch_issuer.messages import LANGUAGES, N_, Messages
from batch_issuer.model.documents import Document
from batch_issuer.model.identity import differing
from batch_issuer.model.money import exact_grouped, total_of
from batch_issuer.model.problems import CannotStart, Problem
from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.plan.customers import Customers, customer_name
from batch_issuer.plan.judge import Held, judge_all
from batch_issuer.plan.plan import Candidate, Step
from batch_issuer.provider import wire
from batch_issuer.reading.batch import Batch
from batch_issuer.rules import examine
from batch_issuer.rules.across import BACK_DATED
from batch_issuer.rules.catalogs import fold
from batch_issuer.settings import Settings


class Known(Protocol):
    """What is asked of a ledger about documents that were issued."""

    def bodies(self, records: Sequence[Record]) -> dict[str, bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What one pass over the documents of a batch found. Contents are not kept: `content` builds them anew."""

    batch: Batch
    settings: Settings
    candidates: tuple[Candidate, ...]
    held: tuple[Held, ...]
    notes: tuple[Problem, ...]
    """Problems that hold no document back, and those of files as a whole."""
    by_source: Mapping[tuple[str, str], tuple[int, Decimal]]
    """Documents and gross of each (file, sheet), held back or not."""
    customers: Customers
    """Of the documents that may be sent."""
    today: dt.date
    """The day on which they were read, in El Salvador."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The ledger's references for those of the files that it has under others."""
    days: tuple[dt.date, dt.date] | None = None
    """The first and the last of the documents' own dates, held back or not."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem: those that hold documents back first, in the order of the files."""
        blocking = [problem for held in self.held for problem in held.problems]
        return (*blocking, *self.notes)

    @property
    def gross(self) -> Decimal:
        """All documents of the files, VAT included, held back or not."""
        return total_of(gross for _, gross in self.by_source.values())

    @property
    def ready_gross(self) -> Decimal:
        return total_of(candidate.gross for candidate in self.candidates)

    def content(self, candidate: Candidate) -> Document:
        """Return the document of a candidate, under the reference that the ledger has for it."""
        entry = self.batch[candidate.number]
        # Its lines were judged when the batch was read, and need not be again.
        document = examine(self.batch, entry, self.settings.rules, in_lines=()).document
        if not self.names:
            return document
        adjusts = self.names.get(document.adjusts, document.adjusts)
        return replace(document, external_ref=candidate.external_ref, adjusts=adjusts)

    def renamed(self, references: Mapping[int, str]) -> Prepared:
        """Return the same documents, some under the references that the ledger has for them, given by their numbers."""
        names = {one.external_ref: references[one.number] for one in self.candidates if one.number in references}
        prepared = replace(self, names={**self.names, **names})
        candidates: list[Candidate] = []
        for one in self.candidates:
            reference = references.get(one.number)
            adjusts = prepared.names.get(one.adjusts, one.adjusts)  # its CCF may have another reference now too
            if reference is not None:
                one = one._replace(external_ref=reference, written_ref=one.written_ref or one.external_ref)  # noqa: PLW2901
            elif adjusts == one.adjusts:
                candidates.append(one)
                continue
            one = one._replace(adjusts=adjusts)  # noqa: PLW2901
            # The reference is part of the body, so that another one has another fingerprint.
            fingerprint = wire.fingerprint(wire.encode(prepared.content(one)))
            candidates.append(one._replace(fingerprint=fingerprint))
        return replace(prepared, candidates=tuple(candidates))

    def expect(self, *, documents: int | None, total: Decimal | None, all_or_nothing: bool) -> None:
        """Raise `CannotStart` unless the files hold what their owner counted."""
        found = len(self.candidates) + len(self.held)
        if documents is not None and documents != found:
            raise CannotStart(
                N_("Documents in the files: {found}; --expect-documents says {expected}. Nothing was sent."),
                repair=N_("Find out which of the two is right, then run again."),
                found=f"{found:,}",
                expected=f"{documents:,}",
            )
        if total is not None and total != self.gross:
            raise CannotStart(
                N_("The documents of the files come to {found}; --expect-total says {expected}. Nothing was sent."),
                repair=N_("Find out which of the two is right, then run again."),
                found=exact_grouped(self.gross),
                expected=exact_grouped(total),
            )
        if all_or_nothing and self.held:
            raise CannotStart(
                N_("Documents with problems: {count}; --all-or-nothing refuses the whole batch. Nothing was sent."),
                repair=N_("Run `batch-issuer check --fix-file fix.xlsx` with the same files and correct them."),
                count=f"{len(self.held):,}",
            )


def prepare(batch: Batch, settings: Settings, today: dt.date, *, compared: bool = True) -> Prepared:
    """Check and encode every document of a batch, once, keeping only what a plan needs.

    Where nothing is `compared` with a ledger, anonymous sales need no encoding, and have no fingerprint.
    """
    judged = judge_all(batch, settings, compared=compared)
    customers = Customers(fold)
    for mention, held in judged.mentions:
        customers.add(mention, held=held)
    notes = [*batch.problems, *judged.notes, *customers.problems(batch.place)]
    dates = Counter({day: count for day, count in judged.dates.items() if day != today})
    if dates:
        first, last = f"{min(dates):%d/%m/%Y}", f"{max(dates):%d/%m/%Y}"
        parameters = {"count": f"{dates.total():,}", "days": first if first == last else f"{first} – {last}"}
        notes.insert(0, Problem(BACK_DATED, parameters=parameters))
    return Prepared(
        batch=batch,
        settings=settings,
        candidates=tuple(judged.candidates),
        held=tuple(judged.held),
        notes=tuple(notes),
        by_source=judged.by_source,
        days=(min(judged.days), max(judged.days)) if judged.days else None,
        customers=customers,
        today=today,
    )


def planned_events(prepared: Prepared, candidates: Sequence[Candidate]) -> Iterator[NewEvent]:
    """Yield what the ledger is told of documents before they are sent: their content and where it stands."""
    for candidate in candidates:
        document = prepared.content(candidate)
        file, sheet = prepared.batch.source(document.row)
        yield NewEvent(
            kind=Kind.PLANNED,
            external_ref=candidate.external_ref,
            body={
                "doc_type": document.doc_type,
                "fingerprint": candidate.fingerprint,
                "likeness": candidate.likeness,
                "expected_gross": str(candidate.gross),
                "expected_retention": "" if candidate.retention is None else str(candidate.retention),
                "adjusts": candidate.adjusts,
                "customer_id": candidate.customer_id,
                "body": wire.encode(document).decode(),
                "file": file,
                "sheet": sheet,
                "rows": prepared.batch.row_numbers(document.rows),
                "date": document.date.isoformat() if document.date else "",
                "branch": document.branch,
                "till": document.till,
                "customer": customer_name(document),
                "payment_method": document.payment_method,
                "lines": len(document.lines),
            },
        )


def planned_event(record: Record, body: bytes) -> NewEvent:
    """Return the event that plans a document of the ledger again, because more is known of its amount now."""
    withheld_amount = record.expected_retention
    return NewEvent(
        kind=Kind.PLANNED,
        external_ref=record.external_ref,
        body={
            "doc_type": record.doc_type,
            "fingerprint": record.fingerprint,
            "likeness": record.likeness,
            "expected_gross": str(record.expected_gross),
            "expected_retention": "" if withheld_amount is None else str(withheld_amount),
            "adjusts": record.adjusts,
            "customer_id": record.customer_id,
            "body": body.decode(),
            "file": record.source.file,
            "sheet": record.source.sheet,
            "rows": list(record.source.rows),
            "date": record.date,
            "branch": record.branch,
            "till": record.till,
            "customer": record.customer,
            "payment_method": record.payment_method,
            "lines": record.lines,
        },
    )


def conflict_list(steps: Sequence[Step], prepared: Prepared, ledger: Known) -> list[dict[str, Any]]:
    """Return both versions of documents that the file says otherwise than the ledger, as a run's record has them."""
    issued = ledger.bodies([step.record for step in steps if step.record is not None])
    found = []
    for step in steps:
        if step.record is None:
            continue
        document = prepared.content(step.candidate)
        file, sheet = prepared.batch.source(document.row)
        other = [
            (name, getattr(step.record, name), getattr(step.candidate, name))
            for name in differing(step.record.appearance, step.candidate.appearance)
        ]
        changes = (*other, *wire.compare(issued[step.candidate.external_ref], wire.encode(document)))
        found.append(
            {
                "external_ref": step.candidate.external_ref,
                "state": step.record.state.value,
                "file": file,
                "sheet": sheet,
                "rows": prepared.batch.row_numbers(document.rows),
                "issued_gross": str(step.record.expected_gross),
                "file_gross": str(step.candidate.gross),
                "control_number": step.record.answer.control_number,
                "changes": [{"what": what, "issued": before, "file": now} for what, before, now in changes],
            }
        )
    return found


def summary(prepared: Prepared, references: Sequence[str], left_out: Sequence[Candidate]) -> dict[str, Any]:
    """Return what a run read, for its record in the ledger. `references` are the documents that the run is about."""
    amounts = {candidate.external_ref: candidate.gross for candidate in prepared.candidates}
    texts = _Texts()
    sources = []
    for one in prepared.batch.sources:
        documents, gross = prepared.by_source.get((one.path, one.sheet), (0, Decimal("0.00")))
        sources.append(
            {
                "file": one.path,
                "sheet": one.sheet,
                "sha256": one.sha256,
                "rows": one.rows,
                "documents": documents,
                "control_total": None if one.control_total is None else str(one.control_total),
                "read_total": str(gross),
                "notes": " · ".join(filter(None, (one.encoding, one.separator, one.decimal, one.dates))),
            }
        )
    return {
        "sources": sources,
        "rows": prepared.batch.rows,
        "documents": len(prepared.candidates) + len(prepared.held),
        "refs": list(references),
        "amounts": [str(amounts[reference]) for reference in references],
        "left_out": {"documents": len(left_out), "gross": str(total_of(one.gross for one in left_out))},
        "held_back": [_held(prepared, held, texts) for held in prepared.held],
        "notes": [texts.problem(problem) for problem in prepared.notes],
        "texts": texts.known,
    }


def _held(prepared: Prepared, held: Held, texts: _Texts) -> dict[str, Any]:
    """Return a held-back document as a run's record has it."""
    document = held.document
    file, sheet = prepared.batch.source(document.row)
    return {
        "external_ref": document.external_ref,
        "doc_type": document.doc_type,
        "file": file,
        "sheet": sheet,
        "rows": prepared.batch.row_numbers(document.rows),
        "gross": str(document.expected_gross),
        "branch": document.branch,
        "date": document.date.isoformat() if document.date else "",
        "customer": customer_name(document),
        "payment_method": document.payment_method,
        "problems": [texts.problem(problem) for problem in held.problems],
    }


_BOTH = tuple(map(Messages, LANGUAGES))


class _Texts:
    """Problems as plain JSON, so that a report can be made of the ledger alone; each text, in both languages, once."""

    def __init__(self) -> None:
        self.known: list[dict[str, str]] = []
        self._numbers: dict[tuple[str, ...], int] = {}

    def problem(self, problem: Problem) -> dict[str, Any]:
        """Return a problem as plain JSON, whose `message` and `repair` are places in `known`."""
        place = problem.place
        return {
            "code": problem.code,
            "severity": problem.kind.severity.value,
            "external_ref": problem.external_ref,
            "file": place.file,
            "sheet": place.sheet,
            "row": place.row,
            "column": place.column,
            "heading": place.heading,
            "field": problem.field,
            "value": problem.value,
            "message": self._number(tuple(map(problem.message, _BOTH))),
            "repair": self._number(tuple(map(problem.repair, _BOTH))),
        }

    def _number(self, said: tuple[str, ...]) -> int:
        number = self._numbers.setdefault(said, len(self.known))
        if number == len(self.known):
            self.known.append(dict(zip(LANGUAGES, said, strict=True)))
        return number
