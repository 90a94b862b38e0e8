"""What runs read, as their records in the ledger have it, back to values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from batch_issuer.model.money import total_of
from batch_issuer.model.records import Record, RunRecord
from batch_issuer.model.states import ISSUED, State
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
                "problems": tuple(_problem(one, texts) for one in plain["problems"]),
            }
        )
        for texts, plain in _listed_with_texts(runs, "held_back")
    )


def notes(runs: Sequence[RunRecord]) -> tuple[ProblemText, ...]:
    return tuple(_problem(one, texts) for texts, one in _listed_with_texts(runs, "notes"))


_Texts = Sequence[Mapping[str, str]]


def _listed_with_texts(runs: Iterable[RunRecord], name: str) -> Iterator[tuple[_Texts, Any]]:
    for run in runs:
        for one in (run.summary or {}).get(name, ()):
            yield (run.summary or {}).get("texts", ()), one


def _problem(plain: Mapping[str, Any], texts: _Texts) -> ProblemText:
    """Its texts stand in a list of their own; runs of before wrote them out."""
    said = {name: texts[at] if isinstance(at := plain[name], int) else at for name in ("message", "repair")}
    return ProblemText(**{**plain, **said})


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


def comparison(
    run: RunRecord, records: Mapping[str, Record], only: Mapping[str, Record], undone: Collection[str]
) -> Comparison | None:
    """What `reconcile` found, where the run is one, with what is known now of `records` and of those `only` there.

    `undone` are CCFs that credit notes of their own undid.
    """
    plain = (run.summary or {}).get("comparison")
    if plain is None:
        return None
    ending = run.ending or {}
    return Comparison(
        matches=_matches(run, records, frozenset(plain["changed"]), undone),
        missing=tuple(
            Missing(**{**one, "rows": tuple(one["rows"]), "gross": Decimal(one["gross"])}) for one in plain["missing"]
        ),
        only_in_ledger=tuple(only[reference] for reference in plain["only_in_ledger"] if reference in only),
        lookalikes=tuple(Lookalike(**{**one, "gross": Decimal(one["gross"])}) for one in plain["lookalikes"]),
        asked=int(ending.get("answered", 0)),
        state_changes=tuple(
            StateChange(**{**one, "gross": Decimal(one["gross"])}) for one in ending.get("state_changes", ())
        ),
    )


def _matches(
    run: RunRecord, records: Mapping[str, Record], changed: Collection[str], undone: Collection[str]
) -> Mapping[Match, Tally]:
    """In which match each document of the files is, as the ledger has them now, with the files' amounts."""
    amounts: dict[Match, list[Decimal]] = {match: [] for match in Match}
    for reference, gross in file_amounts([run]).items():
        match = _match(records.get(reference), changed=reference in changed, undone=reference in undone)
        amounts[match].append(gross)
    amounts[Match.MISSING] += [Decimal(one["gross"]) for one in (run.summary or {})["comparison"]["missing"]]
    amounts[Match.HELD_BACK] = [one.gross for one in held_back([run])]
    return {match: Tally(documents=len(some), gross=total_of(some)) for match, some in amounts.items()}


def _match(record: Record | None, *, changed: bool, undone: bool) -> Match:
    if record is None:
        return Match.MISSING
    if record.state is State.CANCELLED and not undone:
        return Match.CANCELLED
    if changed:
        return Match.CHANGED
    issued = undone or record.state in ISSUED
    return Match.MATCHED if issued else Match.UNSETTLED


def _listed(runs: Iterable[RunRecord], name: str) -> Iterable[Any]:
    return (one for run in runs for one in (run.summary or {}).get(name, ()))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
