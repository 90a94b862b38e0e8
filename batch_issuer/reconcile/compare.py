"""The files against the ledger, sale by sale: what both have, what only one has, what differs.

It changes nothing. What it finds is plain JSON, as a run's record holds it, so that a report can be made of it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from batch_issuer.ledger.store import Ledger
from batch_issuer.model.records import Record, RunRecord
from batch_issuer.model.states import Action, State
from batch_issuer.plan.credit_notes import with_credits
from batch_issuer.plan.customers import customer_name
from batch_issuer.plan.doubts import Doubtful
from batch_issuer.plan.plan import Candidate, Step
from batch_issuer.plan.prepare import Prepared, conflict_list, summary
from batch_issuer.plan.recognise import recognise, unsent_record
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reconcile.gather import Subject, files_scope, reconcile_subject, span
from batch_issuer.rules.across import BACK_DATED
from batch_issuer.settings import Company, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the files and the ledger say of each other."""

    reading: Mapping[str, Any]
    """What a run's record says of it: sources, held-back documents, conflicts, and the comparison."""
    records: tuple[Record, ...]
    """The documents of the files that the ledger has."""
    only_in_ledger: tuple[Record, ...]
    held: tuple[Record, ...]
    """What the ledger has of documents that the files hold with a problem."""
    unknown: tuple[Record, ...]
    """Documents that the ledger does not have, as it would have them: to ask the provider about."""


def compare(
    prepared: Prepared, ledger: Ledger, company: str, first: dt.date | None = None, last: dt.date | None = None
) -> Compared:
    """Compare the documents of the files with the ledger, and the ledger's of the same days with the files.

    The days are those from `first` to `last` where one is given, else those that the files' own dates cover; sales
    without dates are looked for among those that were read from the same sheets before.
    """
    recognised = recognise(prepared, ledger, company, prepared.settings.source.alike)
    prepared = with_credits(recognised.prepared, ledger, company)
    steps = recognised.plan(prepared).steps
    known = tuple(step.record for step in steps if step.record is not None)
    missing = [step.candidate for step in steps if step.record is None]
    held_references = [one.document.external_ref for one in prepared.held]
    held = ledger.records(company, held_references)
    named = {step.candidate.external_ref for step in steps} | set(held_references)
    period = _period(prepared, first, last)
    only = _only_in_ledger(prepared, ledger, company, period, named)
    likes = _Likenesses(steps, recognised.doubtful, ledger, company)
    comparison = {
        **period,
        "changed": [step.candidate.external_ref for step in steps if step.changed or _is_in_question(step)],
        "missing": [_missing(prepared, candidate, likes.looks_like(candidate)) for candidate in missing],
        "only_in_ledger": [record.external_ref for record in only],
        "lookalikes": likes.pairs(),
    }
    return Compared(
        reading={**_reading(prepared, ledger, steps, held), "comparison": comparison},
        records=known,
        only_in_ledger=tuple(only),
        held=tuple(held.values()),
        unknown=tuple(unsent_record(company, candidate) for candidate in missing),
    )


def _reading(prepared: Prepared, ledger: Ledger, steps: Sequence[Step], held: Mapping[str, Record]) -> dict[str, Any]:
    """Return what a run's record says of the files, with the state of what the ledger has of held-back documents."""
    # A comparison looks at days long gone on purpose: that their sales are old is no news.
    noted = replace(prepared, notes=tuple(note for note in prepared.notes if note.kind is not BACK_DATED))
    known = [step.candidate.external_ref for step in steps if step.record is not None]
    plain = summary(noted, known, [])
    for one in plain["held_back"]:
        record = held.get(one["external_ref"])
        one["state"] = record.state.value if record else ""
    # A cancelled document stands no more, so the files contradict nothing when they say otherwise.
    conflicts = [
        step
        for step in steps
        if _is_in_question(step)
        or (step.action is Action.CONFLICT and step.record and step.record.state is not State.CANCELLED)
    ]
    return {**plain, "conflicts": conflict_list(conflicts, prepared, ledger)}


def reconcile_files(ledger: Ledger, compared: Compared, company: Company, settings: Settings) -> Reconciliation:
    """Return the reconciliation of files that were only read: no run of the ledger tells of it."""
    reading = RunRecord(
        run="", company=company.code, command="reconcile", version="", started_at="", summary=compared.reading
    )
    scope = files_scope(compared.reading["comparison"])
    since, until = span(scope.first, scope.last)
    subject = Subject(
        runs=[reading], records=compared.records, scope=scope, since=since, until=until,
        only_in_ledger=compared.only_in_ledger,
    )  # fmt: skip
    return reconcile_subject(ledger, subject, company, settings)


def _period(prepared: Prepared, first: dt.date | None, last: dt.date | None) -> dict[str, str]:
    """Return the days that the ledger is looked through for, and by what they were chosen (`Scope.chosen_by`)."""
    if first or last:
        return {
            "first": first.isoformat() if first else "",
            "last": last.isoformat() if last else "",
            "chosen_by": "period",
        }
    if prepared.days:
        return {"first": prepared.days[0].isoformat(), "last": prepared.days[1].isoformat(), "chosen_by": "dates"}
    return {"first": "", "last": "", "chosen_by": "files"}


def _only_in_ledger(
    prepared: Prepared, ledger: Ledger, company: str, period: Mapping[str, str], named: Collection[str]
) -> list[Record]:
    """Return the ledger's documents that the files should have and do not name."""
    if period["chosen_by"] == "files":
        sheets = {(source.path, source.sheet) for source in prepared.batch.sources}
        references = ledger.references_read_from(company, sheets)
    else:
        references = ledger.references_dated(company, period["first"], period["last"] or "9999-12-31")
    if period["chosen_by"] == "period":
        # A sale without a date of its own belongs to the day on which it was sent.
        sent = ledger.sent_between(company, *span(period["first"], period["last"]))
        references = [*references, *(record.external_ref for record in sent if not record.date)]
    found = ledger.records(company, [one for one in references if one not in named])
    return [record for record in found.values() if record.state is not State.CANCELLED]


def _is_in_question(step: Step) -> bool:
    """Whether the ledger has a document that may be another sale; one that was only withdrawn is the same."""
    return step.action is Action.QUESTION and step.record is not None and not step.record.withdrawn_at


class _Likenesses:
    """Which sales are the same in everything but their reference."""

    def __init__(self, steps: Sequence[Step], doubtful: Sequence[Doubtful], ledger: Ledger, company: str) -> None:
        self._doubted = {one.candidate.number: one.record.external_ref for one in doubtful}
        self._steps = [step for step in steps if step.candidate.is_named]
        self._named = {step.candidate.external_ref for step in steps}
        self._in_ledger = ledger.alikes(company, sorted({step.candidate.likeness for step in self._steps}))

    def looks_like(self, candidate: Candidate) -> str:
        """Return the reference under which the ledger may have this sale already; empty where nothing is like it."""
        # Documents of nobody in particular are alike by the dozen: only what is named is looked for.
        named = self._other_of(candidate) if candidate.is_named else ""
        return self._doubted.get(candidate.number, named)

    def _other_of(self, candidate: Candidate) -> str:
        """Return the reference that the ledger has for such a sale and that the files do not name; empty for none."""
        known = self._in_ledger.get(candidate.likeness, ())
        return next((reference for reference in known if reference not in self._named), "")

    def pairs(self) -> list[dict[str, Any]]:
        """Return every pair, once: with another one of the files, or with one that only the ledger has."""
        first: dict[str, Candidate] = {}
        found = []
        for step in self._steps:
            candidate = step.candidate
            other = first.setdefault(candidate.likeness, candidate)
            if other is not candidate:
                found.append(_pair(candidate, other.external_ref, step, in_files=True))
            elif reference := self._other_of(candidate):
                found.append(_pair(candidate, reference, step, in_files=False))
        return found


def _pair(candidate: Candidate, other: str, step: Step, *, in_files: bool) -> dict[str, Any]:
    return {
        "external_ref": candidate.external_ref,
        "other_ref": other,
        "in_files": in_files,
        "gross": str(candidate.gross),
        "customer": step.record.customer if step.record else "",
    }


def _missing(prepared: Prepared, candidate: Candidate, looks_like: str) -> dict[str, Any]:
    """Return a document that the ledger does not have as a run's record tells of it."""
    document = prepared.content(candidate)
    places = [prepared.batch.place(row) for row in document.rows]
    return {
        "external_ref": candidate.external_ref,
        "doc_type": candidate.doc_type,
        "file": places[0].file,
        "sheet": places[0].sheet,
        "rows": [place.row for place in places],
        "gross": str(candidate.gross),
        "branch": document.branch,
        "date": document.date.isoformat() if document.date else "",
        "customer": customer_name(document),
        "payment_method": document.payment_method,
        "looks_like": looks_like,
    }
