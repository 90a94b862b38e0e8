"""What needs a person, grouped by cause and cut to what a page can hold as tables. The rest is named in full, in brief.

Nothing is left out: a page with ten thousand refusals in tables does not open, one that lists their references does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from batch_issuer.documents import State, total_of
from batch_issuer.ledger.records import Record
from batch_issuer.messages import N_, Messages
from batch_issuer.reconciliation import Cause, Conflict, Difference, HeldBack, ProblemText, Reconciliation, Refusal
from batch_issuer.reports.figures import local_time, shared_words, signed_money, span
from batch_issuer.reports.wording import CAUSE_ACTIONS, CAUSE_TITLES

TABLE_ROWS = 800
"""Rows of exceptions that the page shows as tables."""
GROUP_ROWS = 200
"""Of these, the most that one group takes."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion(Generic[Item]):
    """A list, its first part to be shown in full and the rest in brief."""

    shown: Sequence[Item]
    rest: Sequence[Item]

    def __len__(self) -> int:
        return len(self.shown) + len(self.rest)


@dataclass(slots=True)
class Room:
    """How many table rows are left for the sections that follow."""

    left: int = TABLE_ROWS

    def portion(self, items: Sequence[Item], most: int = GROUP_ROWS) -> Portion[Item]:
        count = min(len(items), most, self.left)
        self.left -= count
        return Portion(shown=items[:count], rest=items[count:])


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemGroup:
    """Problems of one code. `document` beside each problem is None where it belongs to none."""

    code: str
    title: str
    repair: str
    documents: int
    items: Portion[tuple[ProblemText, HeldBack | None]]
    has_amounts: bool
    alike: bool
    """Whether the title, with its value, says all that each problem would say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalGroup:
    """Documents with one and the same refusal or doubt."""

    refusal: Refusal
    records: Portion[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something worth knowing about documents that need nobody: a sentence and the documents."""

    title: str
    explanation: str
    records: Portion[Record]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One line of what to do now. `anchor` is its section's."""

    anchor: str
    title: str
    action: str
    documents: int
    gross: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """Everything that the page shows of single documents, in the order in which it should be looked at."""

    conflicts: Portion[Conflict]
    refusals: dict[Cause, tuple[RefusalGroup, ...]]
    differences: Portion[Difference]
    problems: tuple[ProblemGroup, ...]
    contingency: Portion[Record]
    notes: tuple[ProblemGroup, ...]
    findings: tuple[Finding, ...]


def gather(reconciliation: Reconciliation, messages: Messages) -> Exceptions:
    """The exceptions of a reconciliation, the most urgent first to take room."""
    room = Room()
    conflicts = room.portion(reconciliation.conflicts)
    refusals: dict[Cause, tuple[RefusalGroup, ...]] = {
        cause: tuple(
            RefusalGroup(refusal=refusal, records=room.portion(refusal.records))
            for refusal in reconciliation.refusals
            if refusal.cause is cause
        )
        for cause in (Cause.UNSURE, Cause.NOT_SENT, Cause.REJECTED, Cause.INVALID)
    }
    return Exceptions(
        conflicts=conflicts,
        refusals=refusals,
        differences=room.portion(reconciliation.beyond_tolerance),
        problems=problem_groups(blocking(reconciliation), messages, room),
        contingency=room.portion(oldest_first(reconciliation)),
        notes=problem_groups(warning(reconciliation), messages, room),
        findings=findings(reconciliation, room),
    )


def in_brief(one: Record | Conflict | Difference | tuple[ProblemText, HeldBack | None]) -> tuple[str, str]:
    """The reference of a document that is not in a table, with its rows or its difference."""
    match one:
        case Record():
            return one.external_ref, span(one.source.rows)
        case Conflict():
            return one.external_ref, span(one.rows)
        case Difference():
            return one.record.external_ref, signed_money(one.amount)
        case (problem, document):
            rows = (problem.row,) if problem.row is not None else document.rows if document else ()
            return problem.external_ref or (document.external_ref if document else "–"), span(rows)


def blocking(reconciliation: Reconciliation) -> list[tuple[ProblemText, HeldBack | None]]:
    """Problems that hold something back: those of files and rows first, then those of documents."""
    loose = [(note, None) for note in reconciliation.notes if note.severity == "blocks"]
    return [*loose, *_of_documents(reconciliation, "blocks")]


def warning(reconciliation: Reconciliation) -> list[tuple[ProblemText, HeldBack | None]]:
    """Problems that hold nothing back."""
    loose = [(note, None) for note in reconciliation.notes if note.severity != "blocks"]
    return [*loose, *_of_documents(reconciliation, "warns")]


def _of_documents(reconciliation: Reconciliation, severity: str) -> Iterable[tuple[ProblemText, HeldBack | None]]:
    return ((one, held) for held in reconciliation.held_back for one in held.problems if one.severity == severity)


def problem_groups(
    problems: Iterable[tuple[ProblemText, HeldBack | None]], messages: Messages, room: Room
) -> tuple[ProblemGroup, ...]:
    """Problems by code, the most frequent first."""
    by_code: dict[str, list[tuple[ProblemText, HeldBack | None]]] = defaultdict(list)
    for problem, document in problems:
        by_code[problem.code].append((problem, document))
    ordered = sorted(by_code.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return tuple(_problem_group(code, members, messages, room) for code, members in ordered)


def _problem_group(
    code: str, members: Sequence[tuple[ProblemText, HeldBack | None]], messages: Messages, room: Room
) -> ProblemGroup:
    said = dict.fromkeys(_without_value(problem, messages.language) for problem, _ in members)
    repairs = (problem.repair.get(messages.language, "") for problem, _ in members)
    return ProblemGroup(
        code=code,
        title=shared_words(said),
        repair=shared_words(repairs),
        documents=len({id(document) if document else problem.external_ref for problem, document in members}),
        items=room.portion(members),
        has_amounts=any(document is not None for _, document in members),
        alike=len(said) == 1,
    )


def _without_value(problem: ProblemText, language: str) -> str:
    said, value = problem.message.get(language, ""), problem.value
    if not value:
        return said
    if any(mark.isdigit() for mark in value):
        said = re.sub(rf"(?<![\w.,-]){re.escape(value)}(?![\w,])", "…", said, count=1)
    return said.replace(f"«{value}»", "«…»")


def oldest_first(reconciliation: Reconciliation) -> list[Record]:
    """Documents in contingency, those that wait longest first."""
    waiting = reconciliation.in_state(State.CONTINGENCY)
    return sorted(waiting, key=lambda record: (record.numbered_at or record.updated_at, record.external_ref))


def findings(reconciliation: Reconciliation, room: Room) -> tuple[Finding, ...]:
    """What is known of settled documents beyond their state, where there is any."""
    cancelled = {id(one) for one in reconciliation.still_in_files}
    candidates: Sequence[tuple[str, str, Callable[[Record], bool]]] = (
        (
            N_("Already issued before this ledger knew of them"),
            N_("Another ledger or another program had issued them under the same reference. Each counts once."),
            lambda record: record.unexpected_duplicate,
        ),
        (
            N_("Stamped with observations of the ministry"),
            N_("They are valid. What the ministry observed is worth correcting before the next sale."),
            lambda record: record.state is State.STAMPED and bool(record.answer.observaciones),
        ),
        (
            N_("Cancelled, and still in the files"),
            N_("Take out the rows of sales that no longer exist."),
            lambda record: id(record) in cancelled,
        ),
        (
            N_("Issued in another month than that of their date in the file"),
            N_("A document belongs to the period in which it was issued, whatever the file says."),
            _other_month,
        ),
    )
    found = ((title, text, [one for one in reconciliation.records if test(one)]) for title, text, test in candidates)
    return tuple(
        Finding(title=title, explanation=text, records=room.portion(records))
        for title, text, records in found
        if records
    )


def _other_month(record: Record) -> bool:
    if record.date[:7] == record.numbered_at[:7] and record.numbered_at[8:10] != "01":
        return False  # the same month in UTC, and too late in it to be another one six hours earlier
    numbered = local_time(record.numbered_at)
    return bool(record.date) and numbered is not None and record.date[:7] != f"{numbered:%Y-%m}"


def tasks(reconciliation: Reconciliation) -> tuple[Task, ...]:
    """What to do now, in the order of urgency; empty when nothing needs a person."""
    counted: dict[Cause, tuple[int, Decimal | None]] = {
        cause: (
            sum(len(one.records) for one in reconciliation.refusals if one.cause is cause),
            total_of(one.gross for one in reconciliation.refusals if one.cause is cause),
        )
        for cause in Cause
    }
    beyond = reconciliation.beyond_tolerance
    counted[Cause.CONFLICT] = (
        len(reconciliation.conflicts),
        total_of(one.issued_gross for one in reconciliation.conflicts),
    )
    counted[Cause.DIFFERENCE] = (len(beyond), total_of(one.amount for one in beyond))
    counted[Cause.MISSING] = (len(reconciliation.missing), total_of(one.gross for one in reconciliation.missing))
    for cause, records in (
        (Cause.ONLY_IN_LEDGER, reconciliation.only_in_ledger),
        (Cause.CANCELLED, reconciliation.still_in_files),
    ):
        counted[cause] = (len(records), total_of(one.expected_gross for one in records))
    contradictions = reconciliation.comparison.contradictions if reconciliation.comparison else ()
    counted[Cause.CONTRADICTION] = (len(contradictions), total_of(one.gross for one in contradictions))
    counted[Cause.PROBLEM] = (
        len(reconciliation.held_back) + reconciliation.file_problems,
        total_of(one.gross for one in reconciliation.held_back),
    )
    return tuple(
        Task(anchor=cause.value, title=CAUSE_TITLES[cause], action=CAUSE_ACTIONS[cause], documents=number, gross=gross)
        for cause, (number, gross) in counted.items()
        if number
    )
