"""What a report is about: which runs and documents of the ledger it reconciles, and what else the ledger knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.model.days import day_of, year_of
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Numbered, Record, RunRecord
from batch_issuer.model.states import OPEN, State
from batch_issuer.reconcile import (
    About,
    Background,
    Reconciliation,
    Scope,
    SignedOff,
    is_open,
    reconcile,
    share_a_day,
    signed_off,
    split_control_number,
)
from batch_issuer.reconcile.readings import newest_of_each_file
from batch_issuer.reconcile.sums import adjusted_names
from batch_issuer.settings import Company, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is reconciled: the runs whose readings count, the documents, and the time of the bridge of contingency."""

    runs: Sequence[RunRecord]
    records: Sequence[Record]
    scope: Scope
    since: str = ""
    until: str = ""
    only_in_ledger: Sequence[Record] = ()


def reconcile_run(ledger: Ledger, run: str, company: Company, settings: Settings) -> Reconciliation:
    """Reconcile what one run was about, as the ledger knows it now. Raises `CannotStart` for an unknown run."""
    record = find_run(ledger, run, company)
    comparison = record.read.get("comparison")
    beside = comparison["only_in_ledger"] if comparison else ()
    references = record.read.get("refs", ())
    found = ledger.records(record.company, [*references, *beside])
    records = [found[one] for one in references if one in found]
    # Thousands of documents are sent within a few hours: hours are turned into days of El Salvador, not moments.
    hours = {one.first_sent_at[:13] for one in records if one.first_sent_at}
    days = {day_of(record.started_at), *(day_of(f"{hour}:00:00+00:00") for hour in hours)} - {""}
    subject = Subject(
        runs=[record],
        records=records,
        scope=files_scope(comparison, run)
        if comparison
        else Scope(about=About.RUN, run=record.run, first=min(days), last=max(days)),
        since=record.started_at,
        only_in_ledger=[found[one] for one in beside if one in found],
    )
    return reconcile_subject(ledger, subject, company, settings)


def reconcile_period(
    ledger: Ledger, first: dt.date | None, last: dt.date | None, company: Company, settings: Settings
) -> Reconciliation:
    """Reconcile every document first sent, or read, on days of El Salvador from `first` to `last`, both included."""
    first_day, last_day = (day.isoformat() if day else "" for day in (first, last))
    since, until = span(first_day, last_day)
    runs = [run for run in ledger.runs(company.code) if since <= run.started_at < (until or "9999")]
    # Only what `issue` read was meant to be issued; other commands read the same files again.
    read = [ledger.run(run.run) for run in reversed(runs) if run.command == "issue"]
    records = ledger.sent_between(company.code, since, until)
    held = {one["external_ref"] for run in read for one in run.read.get("held_back", ())}
    # Held back on these days, and issued then or on another: nobody has to correct them any more.
    issued = {one.external_ref for one in ledger.records(company.code, sorted(held)).values() if one.attempts}
    issued |= {one.external_ref for one in records}
    scope = Scope(about=About.PERIOD, first=first_day, last=last_day, chosen_by="sent")
    kept = newest_of_each_file(read, issued)
    subject = Subject(runs=kept, records=records, scope=scope, since=since, until=until)
    return reconcile_subject(ledger, subject, company, settings)


def reconcile_subject(ledger: Ledger, subject: Subject, company: Company, settings: Settings) -> Reconciliation:
    """Reconcile a subject, with everything else that the ledger knows of the company as its background."""
    return reconcile(
        company=company.code,
        company_name=company.name,
        runs=subject.runs,
        records=subject.records,
        tolerance=settings.issue.tolerance,
        scope=subject.scope,
        background=_background(ledger, subject, company.code),
    )


def find_run(ledger: Ledger, run: str, company: Company) -> RunRecord:
    """Return one run of the ledger. Raises `CannotStart` with the newest ones where there is none of that name."""
    try:
        return ledger.run(run)
    except KeyError:
        raise CannotStart(
            N_("The ledger {path} has no run {run}."),
            repair=N_("Its newest runs: {runs}."),
            path=ledger.path,
            run=run,
            runs=", ".join(one.run for one in ledger.runs(company.code)[:5]) or "–",
        ) from None


def records_of_run(ledger: Ledger, company: Company, run: str) -> list[Record]:
    """Return the documents that one run was about. Raises `CannotStart` for an unknown run."""
    record = find_run(ledger, run, company)
    references = list(record.read.get("refs", ()))
    found = ledger.records(record.company, references)
    return [found[one] for one in references if one in found]


def last_issue(ledger: Ledger, company: Company) -> str:
    """Return the name of the newest run that issued files. Raises `CannotStart` where there is none."""
    for run in ledger.runs(company.code):
        if run.command == "issue":
            return run.run
    raise CannotStart(
        N_("The ledger {path} has no run of «{company}» that issued anything yet."),
        repair=N_("Begin with: batch-issuer issue FILE."),
        path=ledger.path,
        company=company.name or company.code,
    )


def files_scope(comparison: Mapping[str, Any], run: str = "") -> Scope:
    """Return the scope of a comparison with files, as the run's record has it."""
    return Scope(
        about=About.FILES, run=run, first=comparison["first"], last=comparison["last"],
        chosen_by=comparison["chosen_by"],
    )  # fmt: skip


def beginning(day: dt.date | None) -> str:
    """Return the moment in UTC, as the ledger writes it, at which a day begins in El Salvador; empty for None."""
    if day is None:
        return ""
    return dt.datetime.combine(day, dt.time(), EL_SALVADOR).astimezone(dt.UTC).isoformat(timespec="milliseconds")


def span(first: str, last: str) -> tuple[str, str]:
    """Return the moments between which a period of ISO days lies; an empty day does not limit."""
    end = dt.date.fromisoformat(last) + dt.timedelta(days=1) if last else None
    return beginning(dt.date.fromisoformat(first) if first else None), beginning(end)


def period_records(ledger: Ledger, company: str, first: str, last: str) -> list[Record]:
    """Return the documents of a period of ISO days, as `reconcile_period` has them."""
    return ledger.sent_between(company, *span(first, last))


def _background(ledger: Ledger, subject: Subject, company: str) -> Background:
    """Ask the ledger for what it knows of the company beyond the documents of a subject."""
    shown = {record.external_ref for record in (*subject.records, *subject.only_in_ledger)}
    found = {
        record.external_ref: record
        for record in (*ledger.in_states(company, OPEN), *ledger.owed(company), *ledger.cancellations(company))
        if record.state is State.CONTINGENCY or is_open(record)
    }
    carried = [record for ref, record in found.items() if ref not in shown]
    order = {state: at for at, state in enumerate(OPEN)}
    # The most urgent state first, and within it as they were planned.
    carried.sort(key=lambda record: (order.get(record.state, len(order)), record.content_seq))
    known = shown | {record.external_ref for record in carried}
    for run in subject.runs:
        found_out = (*run.read.get("held_back", ()), *run.read.get("comparison", {}).get("missing", ()))
        known |= {one["external_ref"] for one in found_out}
    return Background(
        as_of=ledger.known_at(company),
        since=subject.since,
        until=subject.until,
        waits=ledger.waits(company, subject.since, subject.until),
        numbers=list(_numbers(ledger, company, subject.records)),
        credited=ledger.credited(company, adjusted_names(subject.records)),
        carried=carried,
        only_in_ledger=subject.only_in_ledger,
        noted=[note for note in ledger.notes(company) if note.external_ref in known],
        sign_offs=list(_sign_offs(ledger, company, subject)),
    )


def _numbers(ledger: Ledger, company: str, records: Iterable[Record]) -> Iterable[Numbered]:
    """Yield what the whole ledger has in the ranges of the documents' control numbers, and the one before each.

    Where the ledger is older than the year and has none before, numbers begin at 1: number 0 stands for that.
    """
    ends: dict[str, list[str]] = {}
    lowest: dict[tuple[str, int], str] = {}
    for record in records:
        number = record.answer.control_number
        if number and record.numbered_at and (parts := split_control_number(number)):
            low, high = ends.setdefault(parts[0], [number, number])
            ends[parts[0]] = [min(low, number), max(high, number)]
            year = year_of(record.numbered_at)
            lowest[parts[0], year] = min(lowest.get((parts[0], year), number), number)
    began = ledger.began_at(company)
    for low, high in ends.values():
        yield from ledger.numbers(company, low, high)
    for (series, year), number in lowest.items():
        since, until = beginning(dt.date(year, 1, 1)), beginning(dt.date(year + 1, 1, 1))
        # Numbers begin again each January: the one before counts only if it is of the same year.
        before = ledger.number_before(company, series, number, since, until)
        if before is not None:
            yield before
        elif began and began < since:
            yield Numbered(control_number=f"{series}-{0:015d}", external_ref="", at=since)


def _sign_offs(ledger: Ledger, company: str, subject: Subject) -> Iterable[SignedOff]:
    """Yield the sign-offs of periods that share a day with the scope; each period is looked at once."""
    scope = subject.scope
    # Files without a date share no day with any period.
    if scope.about is About.FILES and not (scope.first or scope.last):
        return
    periods: dict[tuple[str, str], Sequence[Record]] = {}
    for sign_off in ledger.sign_offs(company):
        if share_a_day(sign_off, scope.first, scope.last):
            period = (sign_off.first, sign_off.last)
            if period not in periods:
                same = scope.about is About.PERIOD and period == (scope.first, scope.last)
                periods[period] = subject.records if same else period_records(ledger, company, *period)
            yield signed_off(sign_off, periods[period])
