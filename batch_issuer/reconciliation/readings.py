"""What runs read, as their records in the ledger have it, back to values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from batch_issuer.documents import State
from batch_issuer.ledger.records import Record, RunRecord
from batch_issuer.reconciliation.values import (
    Change,
    Comparison,
    Conflict,
    HeldBack,
    Lookalike,
    Match,
    Missing,
    ProblemText,
    SourceSummary,
    StateChange,
    Tally,
)


def sources(runs: Sequence[RunRecord]) -> tuple[SourceSummary, ...]:
    return tuple(
        SourceSummary(
            file=one["file"],
            sheet=one["sheet"],
            sha256=one["sha256"],
            rows=one["rows"],
            documents=one["documents"],
            control_total=_decimal(one.get("control_total")),
            read_total=_decimal(one.get("read_total")),
            notes=one.get("notes", ""),
        )
        for one in _listed(runs, "sources")
    )


def rows(runs: Sequence[RunRecord]) -> int:
    return sum(int((run.summary or {}).get("rows", 0)) for run in runs)


def held_back(runs: Sequence[RunRecord]) -> tuple[HeldBack, ...]:
    return tuple(
        HeldBack(
            **{
                **plain,
                "rows": tuple(plain["rows"]),
                "gross": Decimal(plain["gross"]),
                "problems": tuple(ProblemText(**one) for one in plain["problems"]),
            }
        )
        for plain in _listed(runs, "held_back")
    )


def notes(runs: Sequence[RunRecord]) -> tuple[ProblemText, ...]:
    return tuple(ProblemText(**one) for one in _listed(runs, "notes"))


def conflicts(runs: Sequence[RunRecord]) -> tuple[Conflict, ...]:
    """Those known before anything was sent, and those that turned up when doubts were asked about."""
    found: dict[str, Conflict] = {}
    for run in runs:
        for plain in [*(run.summary or {}).get("conflicts", ()), *(run.ending or {}).get("conflicts", ())]:
            found[plain["external_ref"]] = _conflict(plain)
    return tuple(found.values())


def _conflict(plain: Mapping[str, Any]) -> Conflict:
    return Conflict(
        **{
            **plain,
            "state": State(plain["state"]),
            "rows": tuple(plain["rows"]),
            "issued_gross": Decimal(plain["issued_gross"]),
            "file_gross": Decimal(plain["file_gross"]),
            "changes": tuple(Change(**one) for one in plain["changes"]),
        }
    )


def file_amounts(runs: Sequence[RunRecord]) -> dict[str, Decimal]:
    """What the files say that each document comes to, where the run's record has it; the newest run counts."""
    found: dict[str, Decimal] = {}
    for run in runs:
        summary = run.summary or {}
        found.update(zip(summary.get("refs", ()), map(Decimal, summary.get("amounts", ())), strict=False))
    return found


def left_out(run: RunRecord) -> Tally:
    """Documents that `--only` and `--limit` kept from a run."""
    plain = (run.summary or {}).get("left_out", {})
    return Tally(documents=int(plain.get("documents", 0)), gross=Decimal(plain.get("gross", "0.00")))


def comparison(run: RunRecord, records: Mapping[str, Record]) -> Comparison | None:
    """What `reconcile` found, where the run is one. `records` has the documents that only the ledger has too."""
    plain = (run.summary or {}).get("comparison")
    if plain is None:
        return None
    ending = run.ending or {}
    return Comparison(
        matches={
            match: Tally(documents=one["documents"], gross=Decimal(one["gross"]))
            for match in Match
            if (one := plain["matches"].get(match.value))
        },
        missing=tuple(
            Missing(**{**one, "rows": tuple(one["rows"]), "gross": Decimal(one["gross"])}) for one in plain["missing"]
        ),
        only_in_ledger=tuple(records[reference] for reference in plain["only_in_ledger"] if reference in records),
        lookalikes=tuple(Lookalike(**{**one, "gross": Decimal(one["gross"])}) for one in plain["lookalikes"]),
        asked=int(ending.get("answered", 0)),
        state_changes=tuple(
            StateChange(**{**one, "gross": Decimal(one["gross"])}) for one in ending.get("state_changes", ())
        ),
    )


def _listed(runs: Iterable[RunRecord], name: str) -> Iterable[Any]:
    return (one for run in runs for one in (run.summary or {}).get(name, ()))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
