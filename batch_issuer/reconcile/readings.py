"""What runs read, as their records in the ledger have it, back to values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from batch_issuer.model.money import total_of
from batch_issuer.model.records import Record, RunRecord
from batch_issuer.model.states import ISSUED, State
from batch_issuer.reconcile.sums import tally
from batch_issuer.reconcile.values import (
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
    """Return the sheets that the runs read, with what their owners had added up."""
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
        for run in runs
        for one in run.read.get("sources", ())
    )


def rows(runs: Sequence[RunRecord]) -> int:
    return sum(int(run.read.get("rows", 0)) for run in runs)


def held_back(runs: Sequence[RunRecord]) -> tuple[HeldBack, ...]:
    """Return the documents that the runs held back, each with the problems that did it."""
    return tuple(
        HeldBack(
            **{
                **plain,
                "rows": tuple(plain["rows"]),
                "gross": Decimal(plain["gross"]),
                "problems": tuple(_problem(one, texts) for one in plain["problems"]),
            }
        )
        for texts, plain in _listed_with_texts(runs, "held_back")
    )


def notes(runs: Sequence[RunRecord]) -> tuple[ProblemText, ...]:
    return tuple(_problem(one, texts) for texts, one in _listed_with_texts(runs, "notes"))


_Texts = Sequence[Mapping[str, str]]


def _listed_with_texts(runs: Iterable[RunRecord], name: str) -> Iterator[tuple[_Texts, Any]]:
    """Yield every entry of a list of problems, with the texts of its own run."""
    for run in runs:
        for one in run.read.get(name, ()):
            yield run.read.get("texts", ()), one


def _problem(plain: Mapping[str, Any], texts: _Texts) -> ProblemText:
    """Return a problem with its texts, which a run's record has once each, in a list that problems point into."""
    # Runs of before that list wrote the texts out at each problem; their records stay as they are.
    said = {name: texts[at] if isinstance(at := plain[name], int) else at for name in ("message", "repair")}
    return ProblemText(**{**plain, **said})


def conflicts(runs: Sequence[RunRecord]) -> tuple[Conflict, ...]:
    """Return those known before anything was sent, and those that turned up when doubts were asked about."""
    found: dict[str, Conflict] = {}
    for run in runs:
        for plain in [*run.read.get("conflicts", ()), *run.outcome.get("conflicts", ())]:
            found[plain["external_ref"]] = Conflict(
                **{
                    **plain,
                    "state": State(plain["state"]),
                    "rows": tuple(plain["rows"]),
                    "issued_gross": Decimal(plain["issued_gross"]),
                    "file_gross": Decimal(plain["file_gross"]),
                    "changes": tuple(Change(**one) for one in plain["changes"]),
                }
            )
    return tuple(found.values())


def file_amounts(runs: Sequence[RunRecord]) -> dict[str, Decimal]:
    """Return what the files say that each document comes to, where the run's record has it; the newest run counts."""
    found: dict[str, Decimal] = {}
    for run in runs:
        summary = run.read
        found.update(zip(summary.get("refs", ()), map(Decimal, summary.get("amounts", ())), strict=False))
    return found


def newest_of_each_file(runs: Sequence[RunRecord], issued: Collection[str]) -> list[RunRecord]:
    """Return the runs with each file counted once, as it was read last, and without held-back documents `issued` since.

    `runs` come as they were made, the newest last.
    """
    seen: set[tuple[str, str]] = set()
    kept: list[RunRecord] = []
    for run in reversed(runs):
        sources = [one for one in run.read.get("sources", ()) if (one["file"], one["sheet"]) not in seen]
        names = {(one["file"], one["sheet"]) for one in sources}
        seen |= names
        held = [
            one
            for one in run.read.get("held_back", ())
            if (one["file"], one["sheet"]) in names and one["external_ref"] not in issued
        ]
        counted = {"sources": sources, "rows": sum(one["rows"] for one in sources), "held_back": held}
        kept.append(replace(run, summary={**run.read, **counted}))
    return kept[::-1]


def left_out(runs: Iterable[RunRecord]) -> Tally:
    """Return the documents that `--only` and `--limit` kept from these runs."""
    plain = [run.read["left_out"] for run in runs if "left_out" in run.read]
    return Tally(
        documents=sum(int(one["documents"]) for one in plain), gross=total_of(Decimal(one["gross"]) for one in plain)
    )


def stopped(runs: Sequence[RunRecord]) -> tuple[str, dict[str, str]]:
    """Return the sentence that ended the newest run early, and what fills its places; empty where none did."""
    ending = runs[-1].outcome if runs else {}
    return str(ending.get("stopped", "")), {name: str(one) for name, one in ending.get("stopped_with", {}).items()}


def comparison(
    runs: Sequence[RunRecord], records: Iterable[Record], only: Iterable[Record], undone: Collection[str]
) -> Comparison | None:
    """Return what `reconcile` found, as the ledger knows its documents now; None where the newest run is no comparison.

    `only` are documents that the files do not have, `undone` CCFs that credit notes of their own undid.
    """
    if not runs or "comparison" not in runs[-1].read:
        return None
    run = runs[-1]
    plain, ending = run.read["comparison"], run.outcome
    known = {record.external_ref: record for record in records}
    beside = {record.external_ref: record for record in only}
    return Comparison(
        matches=_matches(run, known, frozenset(plain["changed"]), undone),
        missing=tuple(
            Missing(**{**one, "rows": tuple(one["rows"]), "gross": Decimal(one["gross"])}) for one in plain["missing"]
        ),
        only_in_ledger=tuple(beside[reference] for reference in plain["only_in_ledger"] if reference in beside),
        lookalikes=tuple(Lookalike(**{**one, "gross": Decimal(one["gross"])}) for one in plain["lookalikes"]),
        asked=int(ending.get("answered", 0)),
        state_changes=tuple(
            StateChange(**{**one, "gross": Decimal(one["gross"])}) for one in ending.get("state_changes", ())
        ),
    )


def _matches(
    run: RunRecord, records: Mapping[str, Record], changed: Collection[str], undone: Collection[str]
) -> Mapping[Match, Tally]:
    """Count the documents of the files by what they are against the ledger as it is now, with the files' amounts."""
    amounts: dict[Match, list[Decimal]] = defaultdict(list)
    amounts[Match.MISSING] = [Decimal(one["gross"]) for one in run.read["comparison"]["missing"]]
    for reference, gross in file_amounts([run]).items():
        record = records.get(reference)
        if record is None:
            match = Match.MISSING
        elif record.state is State.CANCELLED and reference not in undone:
            match = Match.CANCELLED
        elif reference in changed:
            match = Match.CHANGED
        else:
            match = Match.MATCHED if reference in undone or record.state in ISSUED else Match.UNSETTLED
        amounts[match].append(gross)
    found = {match: Tally(documents=len(amounts[match]), gross=total_of(amounts[match])) for match in Match}
    return found | {Match.HELD_BACK: tally(held_back([run]))}


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
