"""What a report is about: which runs and documents of the ledger it reconciles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from batch_issuer.ledger.records import Record, RunRecord
from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart
from batch_issuer.reconciliation import EL_SALVADOR, Reconciliation, reconcile
from batch_issuer.settings import Company, Settings


def reconcile_run(ledger: Ledger, run: str, company: Company, settings: Settings) -> Reconciliation:
    """What one run was about, as the ledger knows it now."""
    try:
        record = ledger.run(run)
    except KeyError:
        raise CannotStart(
            N_("The ledger {path} has no run {run}."),
            repair=N_("Its newest runs: {runs}."),
            path=ledger.path,
            run=run,
            runs=", ".join(one.run for one in ledger.runs(company.code)[:5]) or "–",
        ) from None
    references = list((record.summary or {}).get("refs", ()))
    found = ledger.records(record.company, references)
    return _reconcile([record], [found[one] for one in references if one in found], company, settings)


def reconcile_period(
    ledger: Ledger, first: dt.date | None, last: dt.date | None, company: Company, settings: Settings
) -> Reconciliation:
    """Every document first sent, or read, on days of El Salvador from `first` to `last`, both included."""
    since, until = _utc(first), _utc(last + dt.timedelta(days=1) if last else None)
    runs = [run for run in ledger.runs(company.code) if _within(run.started_at, since, until)]
    read = [ledger.run(run.run) for run in reversed(runs) if run.command == "issue"]
    records = [
        record
        for record in ledger.all_records(company.code, since=since)
        if _within(record.first_sent_at or record.updated_at, since, until)
    ]
    return _reconcile(_newest_of_each_file(read, records), records, company, settings)


def last_issue(ledger: Ledger, company: Company) -> str:
    """The newest run that issued files."""
    for run in ledger.runs(company.code):
        if run.command == "issue":
            return run.run
    raise CannotStart(
        N_("The ledger {path} has no run of «{company}» that issued anything yet."),
        repair=N_("Begin with: batch-issuer issue FILE."),
        path=ledger.path,
        company=company.name or company.code,
    )


def _reconcile(
    runs: Sequence[RunRecord], records: Sequence[Record], company: Company, settings: Settings
) -> Reconciliation:
    return reconcile(
        company=company.code,
        company_name=company.name,
        runs=runs,
        records=records,
        tolerance=settings.issue.tolerance,
    )


def _newest_of_each_file(runs: Sequence[RunRecord], records: Sequence[Record]) -> list[RunRecord]:
    """The runs with each file counted once, as it was read last, and without held-back documents issued since."""
    issued = {record.external_ref for record in records}
    seen: set[tuple[str, str]] = set()
    kept: list[RunRecord] = []
    for run in reversed(runs):
        summary = dict(run.summary or {})
        sources = [one for one in summary.get("sources", ()) if (one["file"], one["sheet"]) not in seen]
        names = {(one["file"], one["sheet"]) for one in sources}
        seen |= names
        summary["sources"] = sources
        summary["rows"] = sum(one["rows"] for one in sources)
        summary["held_back"] = [
            one
            for one in summary.get("held_back", ())
            if (one["file"], one["sheet"]) in names and one["external_ref"] not in issued
        ]
        kept.append(replace(run, summary=summary))
    return kept[::-1]


def _utc(day: dt.date | None) -> str:
    if day is None:
        return ""
    return dt.datetime.combine(day, dt.time(), EL_SALVADOR).astimezone(dt.UTC).isoformat(timespec="milliseconds")


def _within(moment: str, since: str, until: str) -> bool:
    return (not since or moment >= since) and (not until or moment < until)
