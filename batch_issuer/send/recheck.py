"""What a reconciliation makes of the provider's status of documents that the ledger already holds to be settled.

A stamp that was once given is followed by a cancellation and by nothing else, and a cancellation by nothing: where a
status says otherwise, both are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch_issuer.model.records import Record
from batch_issuer.model.states import NEVER_THERE, WERE_STAMPED, State
from batch_issuer.provider.client import Found, Missing

NOT_FOUND = "not-found"
OTHER_AMOUNTS = "other-amounts"
OTHER_STAMP = "other-stamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What an answer changes; `judge` gives None where that is nothing worth a word."""

    now: str
    """The state that the answer proves, or `not-found`."""
    recorded: bool
    """Whether it is recorded as what became of the document."""
    reason: str = ""


def judge(record: Record, reply: Found | Missing) -> Judged | None:
    """Judge a document that is stamped, rejected, invalid, cancelled or planned by the provider's status of it."""
    never_there = record.state in NEVER_THERE
    if isinstance(reply, Missing):
        return None if never_there else Judged(now=NOT_FOUND, recorded=False, reason=NOT_FOUND)
    now, reason = reply.state.value, reply.reason.value if reply.reason else ""
    match record.state:
        case State.STAMPED if reply.state is State.STAMPED:
            differs = _differs(record, reply)
            return Judged(now=now, recorded=False, reason=differs) if differs else None
        case State.STAMPED:
            # Cancelled is what can follow a stamp; anything else would take it away, and is only shown.
            return Judged(now=now, recorded=reply.state is State.CANCELLED, reason=reason)
        case State.CANCELLED:  # a status need not say that it was invalidated (provider.md 11)
            known = reply.state in WERE_STAMPED
            return None if known else Judged(now=now, recorded=False, reason=reason)
        case _ if reply.state is record.state:
            return None
        case _:
            # That it is there at all is news of a document that never was, whatever else the answer leaves open.
            return Judged(now=now, recorded=never_there or reply.state is not State.UNSURE, reason=reason)


def _differs(record: Record, reply: Found) -> str:
    """Return in what a status differs from the answer on record; what one of them leaves out differs in nothing."""
    before, now = record.answer, reply.answer
    stamps = (
        (before.reception_stamp, now.reception_stamp),
        (before.generation_code, now.generation_code),
        (before.control_number, now.control_number),
    )
    amounts = ((before.amounts.gross, now.amounts.gross), (before.amounts.retention, now.amounts.retention))
    if any(mine and theirs and mine != theirs for mine, theirs in stamps):
        return OTHER_STAMP
    differs = any(mine is not None and theirs is not None and mine != theirs for mine, theirs in amounts)
    return OTHER_AMOUNTS if differs else ""


def change_of(record: Record, judged: Judged, *, known: bool = True) -> dict[str, Any]:
    """Return a change as a run's record has it; `known` is False for a document that is not in the ledger."""
    return {
        "external_ref": record.external_ref,
        "before": record.state.value if known else "",
        "now": judged.now,
        "recorded": judged.recorded,
        "gross": str(record.expected_gross),
        "reason": judged.reason,
    }


def moved(before: Iterable[Record], now: Mapping[str, Record]) -> Sequence[dict[str, Any]]:
    """Return what became of documents that were open and are in another state since they were asked about."""
    return [
        change_of(record, Judged(now=after.state.value, recorded=True, reason=after.reason))
        for record in before
        if (after := now.get(record.external_ref)) is not None and after.state is not record.state
    ]
