"""Every document of a batch examined and encoded, those with the same header together."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter, itemgetter

from batch_issuer.amounts import withheld
from batch_issuer.documents import Document
from batch_issuer.planning.customers import Mention, customer_id, customer_name
from batch_issuer.planning.plan import Candidate
from batch_issuer.problems import Problem
from batch_issuer.provider import wire
from batch_issuer.reading.batch import Batch, Entry, Outline
from batch_issuer.rules import Finding, as_model, examine, examine_like, faults_of_lines, sound_like
from batch_issuer.settings import Settings

_ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A document that is not sent because of its data."""

    number: int
    document: Document
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Judged:
    """What was found in documents of a batch; `number` is a document's place in it."""

    candidates: list[Candidate] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    notes: list[tuple[int, tuple[Problem, ...]]] = field(default_factory=list)
    """Number and problems of documents that these do not hold back."""
    mentions: list[tuple[int, Mention, bool]] = field(default_factory=list)
    """Number, what is said of the customer, and whether the document is held back."""
    by_source: dict[tuple[str, str], tuple[int, Decimal]] = field(default_factory=dict)
    """Documents and gross of each (file, sheet), held back or not."""
    dates: Counter[dt.date] = field(default_factory=Counter)
    """The own dates of documents that may be sent."""
    days: set[dt.date] = field(default_factory=set)
    """The own dates of all."""

    def tally(self, source: tuple[str, str], count: int, gross: Decimal) -> None:
        known, sum_known = self.by_source.get(source, (0, _ZERO))
        self.by_source[source] = (known + count, sum_known + gross)

    def sort(self) -> None:
        """The order of the batch."""
        self.candidates.sort(key=attrgetter("number"))
        self.held.sort(key=attrgetter("number"))
        self.notes.sort(key=itemgetter(0))
        self.mentions.sort(key=itemgetter(0))


def judge_all(batch: Batch, settings: Settings, *, compared: bool) -> Judged:
    """Every document of the batch, in its order.

    Where nothing is `compared` with a ledger, only sales that may be alike are encoded, and none has a fingerprint.
    """
    judging = _Judging(batch=batch, settings=settings, faults=faults_of_lines(batch), compared=compared)
    judging.take_all()
    judged = judging.judged
    judged.sort()
    if not compared:
        _compare_hints(batch, settings, judged.candidates)
    return judged


@dataclass(slots=True, kw_only=True)
class _Judging:
    """The judging of one batch: what was found so far. Where nothing is `compared`, candidates have only a hint."""

    batch: Batch
    settings: Settings
    faults: Mapping[int, Sequence[Finding]]
    compared: bool
    judged: Judged = field(default_factory=Judged)

    def take_all(self) -> None:
        """Judge documents with the same header at once, the others one by one."""
        documents = range(len(self.batch))
        groups, alone = list(self.batch.alike(documents)), {*documents}
        for group, first in zip(groups, self.batch.entries([one.number for one, *_ in groups]), strict=True):
            if model := as_model(first.document, self.settings.rules):
                self.take_alike(model, group)
                alone.difference_update(outline.number for outline in group)
        rest = sorted(alone)
        for number, built in zip(rest, self.batch.entries(rest), strict=True):
            self.take(number, examine(self.batch, built, self.settings.rules, self.faults.get(number, ())))

    def take_alike(self, model: Document, group: Sequence[Outline]) -> None:
        """Sales that say the same in their headers; no document is made of one that is sound and not `compared`."""
        rules, count, total = self.settings.rules, 0, _ZERO
        for outline in group:
            gross = model.gross_of(outline.amount)
            in_lines = self.faults.get(outline.number, ())
            if in_lines or not sound_like(model, outline, gross, rules):
                self.take(outline.number, examine_like(self.batch, model, outline, rules, in_lines))
                continue
            count, total = count + 1, total + gross
            body = wire.encode(outline.like(model)) if self.compared else b""
            self._send(outline.number, outline.external_ref, model, outline.row, len(outline.lines), gross, body)
        if count:
            self.judged.tally(self.batch.source(model.row), count, total)
            self._date(model, count)

    def take(self, number: int, entry: Entry) -> None:
        """One document with its problems."""
        judged, document, problems = self.judged, entry.document, entry.problems
        held = bool(problems) and entry.held_back
        gross = document.expected_gross
        judged.tally(self.batch.source(document.row), 1, gross)
        self._date(document, 0 if held else 1)
        if document.customer is not None:
            mention = Mention(document.customer, document.row, document.doc_type, document.external_ref)
            judged.mentions.append((number, mention, held))
        if held:
            judged.held.append(Held(number=number, document=document, problems=problems))
            return
        if problems:
            judged.notes.append((number, problems))
        body = wire.encode(document) if self.compared else b""
        self._send(number, document.external_ref, document, document.row, len(document.lines), gross, body)

    def _date(self, document: Document, sent: int) -> None:
        if document.date is not None:
            self.judged.days.add(document.date)
            if sent:
                self.judged.dates[document.date] += sent

    def _send(
        self, number: int, external_ref: str, header: Document, row: int, lines: int, gross: Decimal, body: bytes
    ) -> None:
        """What may be sent; `header` is the document, or a consumer's with the same header."""
        customer = header.customer
        self.judged.candidates.append(
            Candidate(
                number=number,
                external_ref=external_ref,
                doc_type=header.doc_type,
                fingerprint=wire.fingerprint(body) if body else "",
                gross=gross,
                retention=withheld(header, withheld_at_100=self.settings.rules.withheld_at_100),
                adjusts=header.adjusts,
                full=header.full_adjustment,
                customer_id=customer_id(customer) if customer else "",
                likeness=_likeness(header, body) if body else _hint(header, lines, gross),
                is_named=not _is_anonymous(header),
                date=header.date.isoformat() if header.date else "",
                branch=header.branch,
                till=header.till,
                row=row,
            )
        )


def _likeness(document: Document, body: bytes) -> str:
    """A digest of everything about a sale but its reference. `body` is canonical.

    The time of day counts where nobody is named: it is what tells one coffee from the next.
    """
    day = document.date.isoformat() if document.date else ""
    if _is_anonymous(document):
        day = f"{day} {document.time} "
    return hashlib.sha256(day.encode() + wire.content_of(body)).hexdigest()[:32]


def _hint(document: Document, lines: int, gross: Decimal) -> str:
    """Quickly made, and never different for two sales of the same likeness: a credit note sends no customer."""
    if _is_anonymous(document):
        return ""
    if document.doc_type == "05":
        return f"05 {document.adjusts.lower()}"
    return f"{document.date} {customer_name(document)} {gross} {lines}"


def _is_anonymous(document: Document) -> bool:
    return document.customer is None and not document.customer_name


def _compare_hints(batch: Batch, settings: Settings, candidates: list[Candidate]) -> None:
    """Each candidate whose hint is another's too gets its likeness; nobody is like one whose hint is its own."""
    shared = Counter(candidate.likeness for candidate in candidates)
    places = [at for at, one in enumerate(candidates) if one.likeness and shared[one.likeness] > 1]
    for at, built in zip(places, batch.entries([candidates[at].number for at in places]), strict=True):
        document = examine(batch, built, settings.rules, in_lines=()).document
        candidates[at] = candidates[at]._replace(likeness=_likeness(document, wire.encode(document)))
