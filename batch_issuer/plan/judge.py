"""Every document of a batch examined and encoded: which may be sent, and which are held back because of their data."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from batch_issuer.model.amounts import withheld
from batch_issuer.model.documents import Document
from batch_issuer.model.problems import Problem
from batch_issuer.plan.customers import Mention, customer_id, customer_name
from batch_issuer.plan.plan import Candidate
from batch_issuer.provider import wire
from batch_issuer.reading.batch import Batch
from batch_issuer.rules import examine, faults_of_lines
from batch_issuer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A document that is not sent because of its data."""

    number: int
    document: Document
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Judged:
    """What was found in the documents of a batch, in their order; `number` is a document's place in it."""

    candidates: list[Candidate] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    """Problems that do not hold their documents back."""
    mentions: list[tuple[Mention, bool]] = field(default_factory=list)
    """What is said of customers, and whether the document that says it is held back."""
    by_source: dict[tuple[str, str], tuple[int, Decimal]] = field(default_factory=dict)
    """Documents and gross of each (file, sheet), held back or not."""
    dates: Counter[dt.date] = field(default_factory=Counter)
    """The own dates of documents that may be sent."""
    days: set[dt.date] = field(default_factory=set)
    """The own dates of all."""


def judge_all(batch: Batch, settings: Settings, *, compared: bool) -> Judged:
    """Examine every document of a batch, and encode those that may be sent.

    Where nothing is `compared` with a ledger, only sales that may be alike are encoded, and none has a fingerprint.
    """
    judged, faults = Judged(), faults_of_lines(batch)
    for number, built in enumerate(batch):
        entry = examine(batch, built, settings.rules, faults.get(number, ()))
        document, held, gross = entry.document, entry.held_back, entry.document.expected_gross
        # Held back or not, it counts in the total of its sheet: that is what the owner has added up.
        source = batch.source(document.row)
        count, total = judged.by_source.get(source, (0, Decimal("0.00")))
        judged.by_source[source] = (count + 1, total + gross)
        if document.customer is not None:
            mention = Mention(document.customer, document.row, document.doc_type, document.external_ref)
            judged.mentions.append((mention, held))
        if document.date is not None:
            judged.days.add(document.date)
        if held:
            judged.held.append(Held(number=number, document=document, problems=entry.problems))
            continue
        if document.date is not None:
            judged.dates[document.date] += 1
        judged.notes += entry.problems
        judged.candidates.append(_candidate(number, document, gross, settings, compared=compared))
    if not compared:
        _compare_hints(batch, settings, judged.candidates)
    return judged


def _candidate(number: int, document: Document, gross: Decimal, settings: Settings, *, compared: bool) -> Candidate:
    """Return what a plan needs of a document. Where nothing is `compared`, its likeness is only a hint of one."""
    fingerprint = ""
    if compared:
        body = wire.encode(document)
        fingerprint, likeness = wire.fingerprint(body), _likeness(document, body)
    # A hint is quickly made, and never different for two sales of the same likeness.
    elif _is_anonymous(document):
        likeness = ""
    elif document.doc_type == "05":  # a credit note sends no customer
        likeness = f"05 {document.adjusts.lower()}"
    else:
        likeness = f"{document.date} {customer_name(document)} {gross} {len(document.lines)}"
    return Candidate(
        number=number,
        external_ref=document.external_ref,
        doc_type=document.doc_type,
        fingerprint=fingerprint,
        gross=gross,
        retention=withheld(document, withheld_at_100=settings.rules.withheld_at_100),
        adjusts=document.adjusts,
        full=document.full_adjustment,
        customer_id=customer_id(document.customer) if document.customer else "",
        likeness=likeness,
        is_named=not _is_anonymous(document),
        date=document.date.isoformat() if document.date else "",
        branch=document.branch,
        till=document.till,
        row=document.row,
    )


def _likeness(document: Document, body: bytes) -> str:
    """Return a digest of everything about a sale but its reference. `body` is canonical.

    The time of day counts where nobody is named: it is what tells one coffee from the next.
    """
    day = document.date.isoformat() if document.date else ""
    if _is_anonymous(document):
        day = f"{day} {document.time} "
    return hashlib.sha256(day.encode() + wire.content_of(body)).hexdigest()[:32]


def _is_anonymous(document: Document) -> bool:
    return document.customer is None and not document.customer_name


def _compare_hints(batch: Batch, settings: Settings, candidates: list[Candidate]) -> None:
    """Give each candidate whose hint is another's too its likeness: only these can be like another sale."""
    shared = Counter(candidate.likeness for candidate in candidates)
    places = [at for at, one in enumerate(candidates) if one.likeness and shared[one.likeness] > 1]
    for at, built in zip(places, batch.entries([candidates[at].number for at in places]), strict=True):
        document = examine(batch, built, settings.rules, in_lines=()).document
        candidates[at] = candidates[at]._replace(likeness=_likeness(document, wire.encode(document)))
