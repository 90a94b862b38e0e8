"""Make a reconciliation of what runs read and what the ledger knows.

Pure: values in, one value out. `gather.py` asks the ledger for what it needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from batch_issuer.messages import N_
from batch_issuer.model.money import NOTHING, total_of
from batch_issuer.model.records import Note, Numbered, Record, RunRecord, Wait
from batch_issuer.model.states import COMPARED, NEEDS_PERSON, State
from batch_issuer.reconcile import readings
from batch_issuer.reconcile.contingency import contingency_ages, contingency_bridge, rejection_ages
from batch_issuer.reconcile.reconciliation import Reconciliation, is_cancelling
from batch_issuer.reconcile.sequences import numbered, odd_numbers, other_months, series_of
from batch_issuer.reconcile.sums import bridge, live_notes, sum_up, tally, undone_by_notes
from batch_issuer.reconcile.values import (
    About,
    Cause,
    Comparison,
    Difference,
    OpenItem,
    Refusal,
    Scope,
    SignedOff,
    Step,
    Tally,
    Total,
)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What the ledger knows beyond the documents that are reconciled."""

    as_of: str = ""
    """Time of the company's newest event; empty: of the newest thing among the documents and runs."""
    since: str = ""
    until: str = ""
    """The time that the bridge of contingency spans."""
    waits: Sequence[Wait] = ()
    """Every wait of the company's documents in contingency that shares a moment with that time."""
    numbers: Sequence[Numbered] | None = None
    """Of the whole ledger; None: there are no others than those of the documents."""
    credited: Mapping[str, Decimal] | None = None
    """What live credit notes of the ledger come to, by what they adjust; None: only those of the documents."""
    carried: Sequence[Record] = ()
    only_in_ledger: Sequence[Record] = ()
    """Documents that a comparison names beside those of the files."""
    noted: Sequence[Note] = ()
    sign_offs: Sequence[SignedOff] = ()


def reconcile(
    *,
    company: str,
    company_name: str,
    runs: Sequence[RunRecord],
    records: Sequence[Record],
    tolerance: Decimal,
    scope: Scope = Scope(),
    background: Background = Background(),
) -> Reconciliation:
    """Reconcile what the runs read with what the ledger knows of it now.

    `runs` are those whose sources count (the newest last), `records` the documents of those runs.
    """
    held_back = readings.held_back(runs)
    conflicts = readings.conflicts(runs)
    times = [record.updated_at for record in records] + [run.ended_at or run.started_at for run in runs]
    as_of = background.as_of or max(times, default="")
    undone = undone_by_notes(records, live_notes(records) if background.credited is None else background.credited)
    comparison = readings.comparison(runs, records, background.only_in_ledger, undone)
    missing = comparison.missing if comparison else ()
    sums = sum_up(records, held_back, missing, undone)
    stopped, stopped_with = readings.stopped(runs)
    everything = [*records, *background.carried]
    numbers = map(numbered, records) if background.numbers is None else background.numbers
    made = Reconciliation(
        company=company, company_name=company_name, runs=tuple(run for run in runs if run.run), as_of=as_of,
        stopped=stopped, stopped_with=stopped_with, tolerance=tolerance, scope=scope, records=tuple(records),
        sources=readings.sources(runs), rows=readings.rows(runs), notes=readings.notes(runs), held_back=held_back,
        conflicts=conflicts, comparison=comparison, differences=tuple(differences(records, tolerance)),
        states=sums.states, sales=sums.sales, by_type=sums.by_type, by_branch=sums.by_branch, by_day=sums.by_day,
        by_payment=sums.by_payment, bridge=_bridge(runs, records, scope, comparison, sums.states),
        refusals=tuple(_refusals(records)), ages=contingency_ages(everything, as_of),
        rejection_ages=rejection_ages(everything, as_of), carried=tuple(background.carried),
        contingency=contingency_bridge(background.waits, background.since, background.until),
        still_in_files=_still_in_files(runs, records, undone), series=series_of(records, numbers),
        odd_numbers=odd_numbers(records), other_months=tuple(other_months(records)), noted=tuple(background.noted),
        sign_offs=tuple(background.sign_offs),
    )  # fmt: skip
    return replace(made, open_items=_open_items(made))


def _bridge(
    runs: Sequence[RunRecord],
    records: Sequence[Record],
    scope: Scope,
    comparison: Comparison | None,
    states: Mapping[State, Total],
) -> tuple[Step, ...]:
    """Return the bridge from the rows of the files, where the runs read any, to the states of the documents."""
    held_back = readings.held_back(runs)
    filed = scope.about is not About.RUN or any("sources" in run.read for run in runs) or bool(held_back)
    if not filed:
        label = N_("Documents of this run")
    elif comparison is not None or scope.about is About.PERIOD:
        label = N_("In the ledger")
    else:
        label = N_("To issue")
    # A conflict is not among what its run planned, so the amount of the file stands with the conflict only.
    amounts = {one.external_ref: one.file_gross for one in readings.conflicts(runs)} | readings.file_amounts(runs)
    # What one run of a period left out, another may have issued: of a period nothing is left out.
    left_out = Tally() if scope.about is About.PERIOD else readings.left_out(runs[-1:])
    return bridge(
        rows=readings.rows(runs),
        states=states,
        held_back=tally(held_back),
        left_out=left_out,
        missing=_not_known(runs, records, comparison, scope),
        changed=total_of(
            amounts[one.external_ref] - one.expected_gross for one in records if one.external_ref in amounts
        ),
        label=label,
        filed=filed,
    )


def _not_known(
    runs: Sequence[RunRecord], records: Sequence[Record], comparison: Comparison | None, scope: Scope
) -> Tally:
    """Count the documents that were read and that the ledger does not have.

    A comparison names them as missing; those of a run that was killed before it planned them stand among its refs.
    """
    missing = comparison.missing if comparison else ()
    found = tally(missing)
    if scope.about is not About.RUN:
        return found
    known = {one.external_ref for one in records} | {one.external_ref for one in missing}
    lost = [gross for reference, gross in readings.file_amounts(runs).items() if reference not in known]
    return Tally(documents=found.documents + len(lost), gross=found.gross + total_of(lost))


def differences(records: Iterable[Record], tolerance: Decimal) -> Iterable[Difference]:
    """Return every amount of the provider that is not ours, the largest first; `tolerance` is dollars a line."""
    found = [
        Difference(
            record=record,
            what=what,
            expected=expected,
            answered=answered,
            # Each line is rounded by itself, so that the difference may grow with them.
            within_tolerance=abs(answered - expected) <= tolerance * max(record.lines, 1),
        )
        for record in records
        if record.state in COMPARED
        for what, expected, answered in (
            ("gross", record.expected_gross, record.answer.amounts.gross),
            ("retention", record.expected_retention, record.answer.amounts.retention),
        )
        if expected is not None and answered is not None and answered != expected
    ]
    return sorted(found, key=lambda one: (-abs(one.amount), one.record.external_ref, one.what))


def _still_in_files(runs: Sequence[RunRecord], records: Iterable[Record], undone: frozenset[str]) -> tuple[Record, ...]:
    """Return the cancelled documents that were read from a file after they had been cancelled, or compared with one.

    Those that a credit note undid (`undone`) are rightly there: the files have the sale and its note.
    """
    cancelled = [one for one in records if one.state is State.CANCELLED and one.external_ref not in undone]
    read_at: dict[str, str] = {}
    for run in runs:
        summary = run.read
        if summary.get("sources"):
            # A comparison reads the files as they are now: whatever was cancelled by then is still in them.
            when = _END if "comparison" in summary else run.started_at
            read_at.update(dict.fromkeys(summary.get("refs", ()), when))
    return tuple(
        one for one in cancelled if one.external_ref in read_at and one.settled_at <= read_at[one.external_ref]
    )


_END = "9999"


def is_open(record: Record) -> bool:
    """Whether a document of another run is still somebody's business: refused, in doubt, or owed a look."""
    return waits_for_person(record) or bool(record.look_owed) or is_cancelling(record)


def waits_for_person(record: Record) -> bool:
    """Whether its state alone means that somebody has to look at a document."""
    if record.withdrawn_at:
        return False
    # Contingency settles by itself, unless the provider denies that it has the document at all.
    if record.state is State.CONTINGENCY:
        return record.reason == "not-found"
    return record.state in NEEDS_PERSON


def _refusals(records: Iterable[Record]) -> Iterable[Refusal]:
    """Yield refusals and doubts grouped by cause; within a cause late rejections first, then the largest group."""
    grouped: dict[tuple[Cause, bool, str, str], list[Record]] = defaultdict(list)
    for record in filter(waits_for_person, records):
        cause = _CAUSES.get(record.state, Cause.UNSURE)
        # False comes first: of one cause, those that customers may hold already.
        grouped[(cause, not record.is_late_rejection, *record.why)].append(record)
    order = list(Cause)
    for (cause, in_time, code, message), members in sorted(
        grouped.items(), key=lambda item: (order.index(item[0][0]), item[0][1], -len(item[1]), item[0][2:])
    ):
        yield Refusal(
            cause=cause, code=code, message=message, records=tuple(members), after_contingency=not in_time,
            gross=total_of(record.expected_gross for record in members),
        )  # fmt: skip


_CAUSES: Mapping[State, Cause] = {
    State.UNSURE: Cause.UNSURE,
    State.SENDING: Cause.UNSURE,
    State.PLANNED: Cause.NOT_SENT,
    State.REJECTED: Cause.REJECTED,
    State.INVALID: Cause.INVALID,
}


def _open_items(made: Reconciliation) -> tuple[OpenItem, ...]:
    """Return everything that needs a person: its reference, what it comes to and a code, in the order of the causes."""
    contradictions = made.comparison.contradictions if made.comparison else ()
    # A report of a period says nothing of what is not of it.
    of_others = () if made.scope.about is About.PERIOD else made.carried
    left_open = (one for one in of_others if is_open(one) and not one.look_owed)
    blocking = (note for note in made.notes if note.severity == "blocks")
    items = [
        *_items(Cause.CONFLICT, made.conflicts, lambda one: (one.external_ref, one.issued_gross, "")),
        *_items(Cause.CONTRADICTION, contradictions, lambda one: (one.external_ref, one.gross, one.now)),
        *(
            OpenItem(cause=one.cause, external_ref=record.external_ref, gross=record.expected_gross, detail=one.code)
            for one in made.refusals
            for record in one.records
        ),
        *_of_records(Cause.LEFT_OPEN, left_open, lambda one: one.state.value),
        *_of_records(Cause.LOOK_OWED, looks_owed(made.records, made.carried), lambda one: one.look_owed),
        *_items(Cause.MISSING, made.missing, lambda one: (one.external_ref, one.gross, one.looks_like)),
        *_of_records(Cause.ONLY_IN_LEDGER, made.only_in_ledger, lambda one: one.state.value),
        *_items(Cause.DIFFERENCE, made.beyond_tolerance, lambda one: (one.record.external_ref, one.amount, one.what)),
        *_of_records(Cause.CANCELLING, made.cancelling, lambda _: ""),
        *_of_records(Cause.CANCELLED, made.still_in_files, lambda _: ""),
        *_items(Cause.PROBLEM, made.held_back, lambda one: (one.external_ref, one.gross, one.first_code)),
        *_items(Cause.PROBLEM, blocking, lambda note: (note.place, NOTHING, note.code)),
    ]
    order = {cause: at for at, cause in enumerate(Cause)}
    return tuple(sorted(items, key=lambda item: order[item.cause]))


def _of_records(cause: Cause, records: Iterable[Record], detail: Callable[[Record], str]) -> Iterable[OpenItem]:
    return _items(cause, records, lambda one: (one.external_ref, one.expected_gross, detail(one)))


def _items(
    cause: Cause, found: Iterable[Found], shown_as: Callable[[Found], tuple[str, Decimal, str]]
) -> Iterable[OpenItem]:
    """Yield one item for each thing found; `shown_as` gives its reference, what it comes to, and a code."""
    for one in found:
        reference, gross, detail = shown_as(one)
        yield OpenItem(cause=cause, external_ref=reference, gross=gross, detail=detail)


def looks_owed(*records: Iterable[Record]) -> list[Record]:
    """Return the documents whose status has to be asked again."""
    return [one for some in records for one in some if one.look_owed]
