"""What somebody has to do, and which documents and problems that is: page and workbook tell it in the same order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from batch_issuer.model.money import total_of
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import Cause, HeldBack, ProblemText, Reconciliation
from batch_issuer.reports.wording import CAUSE_ACTIONS, CAUSE_TITLES

FoundProblem: TypeAlias = tuple[ProblemText, HeldBack | None]
"""A problem with the document that it holds back, or is noted of; None where it belongs to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One line of what to do now. `anchor` is its section's."""

    anchor: str
    title: str
    action: str
    documents: int
    gross: Decimal


def tasks(reconciliation: Reconciliation) -> tuple[Task, ...]:
    """Return what to do now, a line for each cause in the order of urgency; nothing when nothing needs a person."""
    found: dict[Cause, list[Decimal]] = {cause: [] for cause in Cause}
    for item in reconciliation.open_items:
        found[item.cause].append(item.gross)
    return tuple(
        Task(
            anchor=cause.value,
            title=CAUSE_TITLES[cause],
            action=CAUSE_ACTIONS[cause],
            documents=len(amounts),
            gross=total_of(amounts),
        )
        for cause, amounts in found.items()
        if amounts
    )


def left_open(reconciliation: Reconciliation) -> list[Record]:
    """Return the documents of other runs that need a person."""
    named = {item.external_ref for item in reconciliation.open_items if item.cause is Cause.LEFT_OPEN}
    return [one for one in reconciliation.carried if one.external_ref in named]


def waiting_since(record: Record) -> str:
    """Return the instant from which the age of an open document counts."""
    if record.state is State.REJECTED:  # until then it was the ministry that was waited for
        return record.settled_at or record.updated_at
    return record.numbered_at or record.first_sent_at or record.updated_at


def blocking(reconciliation: Reconciliation) -> list[FoundProblem]:
    """Return problems that hold something back: those of files and rows first, then those of documents."""
    loose = [(note, None) for note in reconciliation.notes if note.severity == "blocks"]
    return [*loose, *_of_documents(reconciliation, "blocks")]


def warning(reconciliation: Reconciliation) -> list[FoundProblem]:
    """Return problems that hold nothing back, in the same order."""
    loose = [(note, None) for note in reconciliation.notes if note.severity != "blocks"]
    return [*loose, *_of_documents(reconciliation, "warns")]


def _of_documents(reconciliation: Reconciliation, severity: str) -> Iterable[FoundProblem]:
    return ((one, held) for held in reconciliation.held_back for one in held.problems if one.severity == severity)


def oldest_first(reconciliation: Reconciliation) -> list[Record]:
    """Return documents in contingency, those that wait longest first."""
    waiting = reconciliation.in_state(State.CONTINGENCY)
    return sorted(waiting, key=lambda record: (record.numbered_at or record.updated_at, record.external_ref))
