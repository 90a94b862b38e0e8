"""The files against the ledger, sale by sale: what both have, what only one has, what differs.

It changes nothing. What it finds is plain JSON, as a run's record holds it, so that a report can be made of it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from batch_issuer.ledger.store import Ledger
from batch_issuer.model.records import Record, RunRecord
from batch_issuer.model.states import Action, State
from batch_issuer.plan.credit_notes import with_credits
from batch_issuer.plan.customers import customer_name
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
    """Every document of the files against the ledger, and the ledger's documents of the same days against the files.

    The days are those from `first` to `last` where one is given, else those that the files' own dates cover; sales
    without dates are looked for among those that were read from the same sheets before.
    """
    recognised = recognise(prepared, ledger, company, prepared.settings.source.alike)
    prepared = with_credits(recognised.prepared, ledger, company)
    steps = recognised.plan(prepared).steps
    doubted = {one.candidate.number: one.record for one in recognised.doubtful}
    held = ledger.records(company, [one.document.external_ref for one in prepared.held])
    missing = [step.candidate for step in steps if step.record is None]
    period = _period(prepared, first, last)
    named = {step.candidate.external_ref for step in steps} | {one.document.external_ref for one in prepared.held}
    beyond = ledger.records(
        company, [one for one in _looked_through(prepared, ledger, company, period) if one not in named]
    )
    only = [record for record in beyond.values() if record.state is not State.CANCELLED]
    likes = _Likenesses(steps, ledger, company)
    plain = summary(
        replace(prepared, notes=tuple(note for note in prepared.notes if note.kind is not BACK_DATED)),
        [step.candidate.external_ref for step in steps if step.record is not None],
        [],
    )
    for one in plain["held_back"]:
        known = held.get(one["external_ref"])
        one["state"] = known.state.value if known else ""
    comparison = {
        **period,
        "changed": [step.candidate.external_ref for step in steps if step.changed or _is_in_question(step)],
        "missing": [_missing(prepared, candidate, likes, doubted.get(candidate.number)) for candidate in missing],
        "only_in_ledger": [record.external_ref for record in only],
        "lookalikes": likes.pairs(),
    }
    conflicts = [step for step in steps if _is_in_question(step) or _is_conflict(step)]
    return Compared(
        reading={**plain, "conflicts": conflict_list(conflicts, prepared, ledger), "comparison": comparison},
        records=tuple(step.record for step in steps if step.record is not None),
        only_in_ledger=tuple(only),
        held=tuple(held.values()),
        unknown=tuple(unsent_record(company, candidate) for candidate in missing),
    )


def reconcile_files(ledger: Ledger, compared: Compared, company: Company, settings: Settings) -> Reconciliation:
    """The reconciliation of files that were only read: no run of the ledger tells of it."""
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
    if first or last:
        return {
            "first": first.isoformat() if first else "",
            "last": last.isoformat() if last else "",
            "chosen_by": "period",
        }
    if prepared.days:
        return {"first": prepared.days[0].isoformat(), "last": prepared.days[1].isoformat(), "chosen_by": "dates"}
    return {"first": "", "last": "", "chosen_by": "files"}


def _looked_through(prepared: Prepared, ledger: Ledger, company: str, period: Mapping[str, str]) -> list[str]:
    """References of the ledger's documents that the files should have."""
    if period["chosen_by"] == "files":
        sheets = {(source.path, source.sheet) for source in prepared.batch.sources}
        return ledger.references_read_from(company, sheets)
    dated = ledger.references_dated(company, period["first"], period["last"] or "9999-12-31")
    if period["chosen_by"] == "dates":
        return dated
    sent = ledger.sent_between(company, *span(period["first"], period["last"]))
    return [*dated, *(record.external_ref for record in sent if not record.date)]


def _is_in_question(step: Step) -> bool:
    """Whether the ledger has a document that may be another sale; one that was only withdrawn is the same."""
    return step.action is Action.QUESTION and step.record is not None and not step.record.withdrawn_at


def _is_conflict(step: Step) -> bool:
    """Whether the files say something else of a document that stands; a cancelled one stands no more."""
    return step.action is Action.CONFLICT and step.record is not None and step.record.state is not State.CANCELLED


class _Likenesses:
    """Which sales are the same in everything but their reference."""

    def __init__(self, steps: Sequence[Step], ledger: Ledger, company: str) -> None:
        self._steps = [step for step in steps if step.candidate.is_named]
        self._named = {step.candidate.external_ref for step in steps}
        self._in_ledger = ledger.alikes(company, sorted({step.candidate.likeness for step in self._steps}))

    def other_of(self, candidate: Candidate) -> str:
        """The reference that the ledger has for such a sale and that the files do not name; empty for none."""
        known = self._in_ledger.get(candidate.likeness, ())
        return next((reference for reference in known if reference not in self._named), "")

    def pairs(self) -> list[dict[str, Any]]:
        """Every pair, once: with another one of the files, or with one that only the ledger has."""
        first: dict[str, Candidate] = {}
        found = []
        for step in self._steps:
            candidate = step.candidate
            other = first.setdefault(candidate.likeness, candidate)
            if other is not candidate:
                found.append(_pair(candidate, other.external_ref, step, in_files=True))
            elif reference := self.other_of(candidate):
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


def _missing(prepared: Prepared, candidate: Candidate, likes: _Likenesses, perhaps: Record | None) -> dict[str, Any]:
    """What the ledger does not have; `perhaps` is the document that may be the same sale under another reference."""
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
        "looks_like": perhaps.external_ref if perhaps else likes.other_of(candidate) if candidate.is_named else "",
    }
