"""Documents examined and encoded, one by one; of many, a second process takes some of the sound ones."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from functools import partial
from itertools import starmap
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from batch_issuer.amounts import withheld
from batch_issuer.documents import Document
from batch_issuer.forking import Beside, can_fork
from batch_issuer.planning.customers import Mention, customer_id, customer_name
from batch_issuer.planning.plan import Candidate
from batch_issuer.problems import Place, Problem
from batch_issuer.provider import wire
from batch_issuer.reading.batch import Batch
from batch_issuer.rules import Finding, examine, faults_of_lines
from batch_issuer.settings import Settings

WORTH_TWO = range(5_000, 100_000)
"""Documents: fewer cost less than another process, and with more both would hold too much at once."""
_HEAVY = 1.35
"""A document with a fault in its lines takes as long as so many sound ones."""
_PIPE = 1.2
"""What another process is given takes so many times as long, as its results must be packed and unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A document that is not sent because of its data."""

    index: int
    document: Document
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Judged:
    """What was found in documents of a batch; `index` is a document's place in it."""

    candidates: list[Candidate] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    notes: list[tuple[int, tuple[Problem, ...]]] = field(default_factory=list)
    """Index and problems of documents that these do not hold back."""
    mentions: list[tuple[int, Mention, bool]] = field(default_factory=list)
    """Index, what is said of the customer, and whether the document is held back."""
    by_source: dict[tuple[str, str], tuple[int, Decimal]] = field(default_factory=dict)
    """Documents and gross of each (file, sheet), held back or not."""
    dates: Counter[dt.date] = field(default_factory=Counter)
    """The own dates of documents that may be sent."""
    days: set[dt.date] = field(default_factory=set)
    """The own dates of all."""

    def take_in(self, other: Judged) -> None:
        """What was found in other documents."""
        self.candidates += other.candidates
        self.held += other.held
        self.notes += other.notes
        self.mentions += other.mentions
        self.dates += other.dates
        self.days |= other.days
        for source, (count, gross) in other.by_source.items():
            self.tally(source, count, gross)

    def tally(self, source: tuple[str, str], count: int, gross: Decimal) -> None:
        known, sum_known = self.by_source.get(source, (0, Decimal("0.00")))
        self.by_source[source] = (known + count, sum_known + gross)

    def sort(self) -> None:
        """The order of the batch."""
        self.candidates.sort(key=attrgetter("index"))
        self.held.sort(key=attrgetter("index"))
        self.notes.sort(key=itemgetter(0))
        self.mentions.sort(key=itemgetter(0))


def judge_all(batch: Batch, settings: Settings, *, compared: bool) -> Judged:
    """Every document of the batch, in its order.

    Where nothing is `compared` with a ledger, only sales that may be alike are encoded, and none has a fingerprint.
    """
    faults = faults_of_lines(batch)
    theirs = _sound_half(len(batch), faults) if len(batch) in WORTH_TWO and can_fork() else []
    return judge_in_two(batch, settings, theirs, faults, compared=compared)


def judge_in_two(
    batch: Batch, settings: Settings, theirs: Sequence[int], faults: Mapping[int, Sequence[Finding]], *, compared: bool
) -> Judged:
    """The same by two processes: the other one gives back what may be sent of `theirs`, and leaves the rest to us."""
    ours = sorted({*range(len(batch))}.difference(theirs))
    with Beside(
        partial(_ready, batch, settings, theirs, compared=compared), worth=bool(theirs), harmless=True
    ) as other:
        judged = _judge(batch, settings, ours, faults, compared=compared)
        ready, left = _unpacked(*other.result())
    judged.take_in(ready)
    judged.take_in(_judge(batch, settings, left, faults, compared=compared))
    judged.sort()
    if not compared:
        _compare_hints(batch, settings, judged.candidates)
    return judged


def _sound_half(count: int, faults: Mapping[int, object]) -> list[int]:
    """Documents without a fault in their lines, from the end on, that take about as long as all others together."""
    sound = np.ones(count, np.bool_)
    sound[list(faults)] = False
    half = int((count + (_HEAVY - 1) * len(faults)) / (1 + _PIPE))
    found: list[int] = np.flatnonzero(sound)[-half:].tolist()
    return found


def _judge(
    batch: Batch,
    settings: Settings,
    documents: Sequence[int],
    faults: Mapping[int, Sequence[Finding]],
    *,
    compared: bool,
    left: list[int] | None = None,
) -> Judged:
    """Where nothing is `compared`, candidates have a hint as their likeness.

    Of those that are held back only the index is noted, in `left`, where that is given.
    """
    judged = Judged()
    for index, built in zip(documents, batch.entries(documents), strict=True):
        entry = examine(batch, built, settings.rules, faults.get(index, ()))
        document, problems = entry.document, entry.problems
        held = bool(problems) and entry.held_back
        if held and left is not None:
            left.append(index)
            continue
        gross = document.expected_gross
        judged.tally(batch.source(document.row), 1, gross)
        if document.date is not None:
            judged.days.add(document.date)
        customer = document.customer
        if customer is not None:
            mention = Mention(customer, document.row, document.doc_type, document.external_ref)
            judged.mentions.append((index, mention, held))
        if held:
            judged.held.append(Held(index=index, document=document, problems=problems))
            continue
        if problems:
            judged.notes.append((index, problems))
        if document.date is not None:
            judged.dates[document.date] += 1
        body = wire.encode(document) if compared else b""
        judged.candidates.append(
            Candidate(
                index=index,
                external_ref=document.external_ref,
                doc_type=document.doc_type,
                fingerprint=wire.fingerprint(body) if body else "",
                gross=gross,
                retention=withheld(document, withheld_at_100=settings.rules.withheld_at_100),
                adjusts=document.adjusts,
                full=document.full_adjustment,
                customer_id=customer_id(customer) if customer else "",
                likeness=_likeness(document, body) if compared else _hint(document, gross),
            )
        )
    return judged


def _likeness(document: Document, body: bytes) -> str:
    """A digest of everything about a named customer's sale but its reference. `body` is canonical."""
    if _is_anonymous(document):
        return ""
    day = document.date.isoformat() if document.date else ""
    return hashlib.sha256(day.encode() + wire.content_of(body)).hexdigest()[:32]


def _hint(document: Document, gross: Decimal) -> str:
    """Quickly made, and never different for two sales of the same likeness: a credit note sends no customer."""
    if _is_anonymous(document):
        return ""
    if document.doc_type == "05":
        return f"05 {document.adjusts.lower()}"
    return f"{document.date} {customer_name(document)} {gross} {len(document.lines)}"


def _is_anonymous(document: Document) -> bool:
    return document.customer is None and not document.customer_name


def _compare_hints(batch: Batch, settings: Settings, candidates: list[Candidate]) -> None:
    """Each candidate whose hint is another's too gets its likeness; nobody is like one whose hint is its own."""
    shared = Counter(candidate.likeness for candidate in candidates)
    places = [at for at, one in enumerate(candidates) if one.likeness and shared[one.likeness] > 1]
    for at, built in zip(places, batch.entries([candidates[at].index for at in places]), strict=True):
        document = examine(batch, built, settings.rules, in_lines=()).document
        candidates[at] = replace(candidates[at], likeness=_likeness(document, wire.encode(document)))


_of_candidate = attrgetter(*(one.name for one in fields(Candidate)))
_PLACE = tuple(one.name for one in fields(Place))
_of_place = attrgetter(*_PLACE)


def _ready(batch: Batch, settings: Settings, documents: Sequence[int], *, compared: bool) -> tuple[Any, ...]:
    """What may be sent of documents without a fault in their lines, as plain values: they go through a pipe quickly."""
    left: list[int] = []
    judged = _judge(batch, settings, documents, {}, compared=compared, left=left)
    return (
        [_of_candidate(candidate) for candidate in judged.candidates],
        [(index, [_packed(problem) for problem in problems]) for index, problems in judged.notes],
        judged.mentions,
        judged.by_source,
        judged.dates,
        judged.days,
        left,
    )


def _unpacked(
    candidates: Iterable[Sequence[Any]],
    notes: Iterable[tuple[int, Iterable[Any]]],
    mentions: Any,
    by_source: Any,
    dates: Any,
    days: Any,
    left: list[int],
) -> tuple[Judged, list[int]]:
    judged = Judged(
        candidates=list(starmap(Candidate, candidates)),
        notes=[(index, tuple(map(_problem, problems))) for index, problems in notes],
        mentions=mentions,
        by_source=by_source,
        dates=dates,
        days=days,
    )
    return judged, left


def _packed(problem: Problem) -> tuple[Any, ...]:
    return (
        problem.kind, _of_place(problem.place), problem.value, problem.external_ref, problem.field,
        dict(problem.parameters),
    )  # fmt: skip


def _problem(packed: tuple[Any, ...]) -> Problem:
    kind, place, value, external_ref, name, parameters = packed
    where = Place(**dict(zip(_PLACE, place, strict=True)))
    return Problem(kind=kind, place=where, value=value, external_ref=external_ref, field=name, parameters=parameters)
