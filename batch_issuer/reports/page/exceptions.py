"""What needs a person, grouped by cause and cut to what a page can hold as tables. The rest is named in full, in brief.

Nothing is left out: a page with ten thousand refusals in tables does not open, one that lists their references does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

from batch_issuer.messages import N_, Messages
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import (
    Cause,
    Comparison,
    Conflict,
    Difference,
    HeldBack,
    Lookalike,
    Missing,
    OpenItem,
    OtherMonth,
    ProblemText,
    Reconciliation,
    Refusal,
    Since,
    StateChange,
    looks_owed,
)
from batch_issuer.reports.figures import money, shared_words, signed_money, span
from batch_issuer.reports.tasks import FoundProblem, blocking, left_open, oldest_first, waiting_since, warning
from batch_issuer.reports.wording import CAUSE_NAMES, CAUSE_TITLES, refusal_title

TABLE_ROWS = 280
"""Rows of exceptions that the page shows as tables: a page of thousands takes seconds to open."""
GROUP_ROWS = 40
"""Of these, the most that one group takes."""
SINCE_ROWS = 40
"""Of these, the most that each part of the comparison with an earlier report takes."""
NAMES = 12_000
"""References that the page names in running text where its tables end."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion(Generic[Item]):
    """A list: its first part to be shown in full, the rest in brief, and how many are elsewhere only."""

    shown: Sequence[Item]
    rest: Sequence[Item] = ()
    elsewhere: int = 0

    def __len__(self) -> int:
        return len(self.shown) + len(self.rest) + self.elsewhere


@dataclass(slots=True)
class Room:
    """How many table rows and names are left for the sections that follow."""

    rows: int = TABLE_ROWS
    names: int = NAMES

    def portion(self, items: Sequence[Item], most: int = GROUP_ROWS) -> Portion[Item]:
        """Return a list cut to what is left, and take that much room."""
        count = min(len(items), most, self.rows)
        if count == len(items) - 1:
            count += 1  # a line that says "one more" takes as much room as the one
        named = min(len(items) - count, self.names)
        self.rows -= min(count, self.rows)
        self.names -= named
        return Portion(shown=items[:count], rest=items[count : count + named], elsewhere=len(items) - count - named)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemLine:
    """What is wrong in one column of one document, however many of its rows have it."""

    document: HeldBack | None
    first: ProblemText
    rows: tuple[int, ...]
    values: tuple[str, ...]
    """Each value once, in the order of the rows."""

    @property
    def reference(self) -> str:
        """Return the document's reference, or the one that the problem names; empty where there is neither."""
        return self.document.external_ref if self.document else self.first.external_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemGroup:
    """Problems of one code."""

    code: str
    title: str
    repair: str
    documents: int
    problems: int
    items: Portion[ProblemLine]
    has_amounts: bool
    alike: bool
    """Whether the title, with its value, says all that each problem would say."""
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalGroup:
    """Documents with one and the same refusal or doubt."""

    refusal: Refusal
    records: Portion[Record]
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something worth knowing about documents that need nobody: a sentence and the documents."""

    title: str
    explanation: str
    records: Portion[Record]
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[Item]):
    """What one section shows one by one, and the reason by which the list of all documents shows the same."""

    items: Portion[Item]
    reason: int

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Something by which the list of all documents can be narrowed down. Its number is its place among the reasons."""

    title: str
    references: frozenset[str]


@dataclass(slots=True)
class Reasons:
    """The reasons met so far, in the order of the page."""

    found: list[Reason] = field(default_factory=list)

    def number(self, title: str, references: Iterable[str]) -> int:
        """Return the number of a new reason; -1 where it is no document's."""
        named = frozenset(filter(None, references))
        if not named:
            return -1
        self.found.append(Reason(title=title, references=named))
        return len(self.found) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """Everything that the page shows of single documents, in the order in which it should be looked at."""

    conflicts: Listed[Conflict]
    contradictions: Listed[StateChange]
    missing: Listed[Missing]
    only_in_ledger: Listed[Record]
    refusals: dict[Cause, tuple[RefusalGroup, ...]]
    differences: Listed[Difference]
    still_in_files: Listed[Record]
    problems: tuple[ProblemGroup, ...]
    resolved: Portion[OpenItem]
    """Of an earlier report; so are the three that follow."""
    still_open: Portion[OpenItem]
    gone: Portion[OpenItem]
    new: Portion[OpenItem]
    contingency: Portion[Record]
    left_open: Listed[Record]
    """Documents of other runs that need a person."""
    looks_owed: Listed[Record]
    """Documents whose status has to be asked again."""
    carried: Portion[Record]
    """What else is open of other runs."""
    state_changes: Portion[StateChange]
    lookalikes: Portion[Lookalike]
    other_months: Listed[OtherMonth]
    notes: tuple[ProblemGroup, ...]
    findings: tuple[Finding, ...]
    reasons: tuple[Reason, ...]


def gather(reconciliation: Reconciliation, messages: Messages) -> Exceptions:
    """Return the exceptions of a reconciliation, the most urgent first to take room."""
    return _Gathering(reconciliation, messages).exceptions()


class _Gathering:
    """What is left of the page's room, and the reasons met, from section to section."""

    def __init__(self, reconciliation: Reconciliation, messages: Messages) -> None:
        self.reconciliation = reconciliation
        self.messages = messages
        self.room = Room()
        self.reasons = Reasons()

    def exceptions(self) -> Exceptions:
        known = self.reconciliation
        compared = known.comparison or Comparison(matches={})
        since = known.since or Since(report="", as_of="")
        of_others = left_open(known)
        owed = looks_owed(known.records, known.carried)
        others = [one for one in known.carried if one not in of_others and one not in owed]
        return Exceptions(  # in this order the sections take the page's room
            conflicts=self._listed(Cause.CONFLICT, known.conflicts),
            contradictions=self._listed(Cause.CONTRADICTION, compared.contradictions),
            missing=self._listed(Cause.MISSING, compared.missing),
            only_in_ledger=self._listed(Cause.ONLY_IN_LEDGER, compared.only_in_ledger),
            refusals={cause: self._refused(cause) for cause in _REFUSALS},
            left_open=self._listed(Cause.LEFT_OPEN, of_others),
            looks_owed=self._listed(Cause.LOOK_OWED, owed),
            differences=self._listed(Cause.DIFFERENCE, known.beyond_tolerance),
            still_in_files=self._listed(Cause.CANCELLED, known.still_in_files),
            problems=self._problems(blocking(known)),
            resolved=self.room.portion(since.resolved, SINCE_ROWS),
            still_open=self.room.portion(since.still_open, SINCE_ROWS),
            gone=self.room.portion(since.gone, SINCE_ROWS),
            new=self.room.portion(since.new, SINCE_ROWS),
            contingency=self.room.portion(oldest_first(known)),
            carried=self.room.portion(sorted(others, key=lambda one: (waiting_since(one), one.external_ref))),
            state_changes=self.room.portion([one for one in compared.state_changes if one.recorded and one.before]),
            lookalikes=self.room.portion(compared.lookalikes),
            other_months=self._of(OTHER_MONTH, known.other_months),
            notes=self._problems(warning(known)),
            findings=tuple(self._findings()),
            reasons=tuple(self.reasons.found),
        )

    def _listed(self, cause: Cause, items: Sequence[Item]) -> Listed[Item]:
        return self._of(CAUSE_TITLES[cause], items)

    def _of(self, title: str, items: Sequence[Item]) -> Listed[Item]:
        references = [in_brief(one)[0] for one in items]
        return Listed(items=self.room.portion(items), reason=self.reasons.number(self.messages.text(title), references))

    def _refused(self, cause: Cause) -> tuple[RefusalGroup, ...]:
        return tuple(
            RefusalGroup(
                refusal=refusal,
                records=self.room.portion(refusal.records),
                reason=self.reasons.number(
                    f"{self.messages.text(CAUSE_NAMES[cause])}: {refusal_title(refusal, self.messages)}",
                    (record.external_ref for record in refusal.records),
                ),
            )
            for refusal in self.reconciliation.refusals
            if refusal.cause is cause
        )

    def _problems(self, problems: Iterable[FoundProblem]) -> tuple[ProblemGroup, ...]:
        """Return problems by code, the most frequent first."""
        language = self.messages.language
        by_code: dict[str, list[FoundProblem]] = defaultdict(list)
        for problem, document in problems:
            by_code[problem.code].append((problem, document))
        # By code where two are as frequent: the same figures give the same page.
        ordered = sorted(by_code.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        groups = []
        for code, members in ordered:
            said = dict.fromkeys(_without(problem.message.get(language, ""), problem.value) for problem, _ in members)
            title, lines = shared_words(said), _lines(members, language)
            references = {line.reference for line in lines}
            groups.append(
                ProblemGroup(
                    code=code,
                    title=title,
                    repair=shared_words(problem.repair.get(language, "") for problem, _ in members),
                    documents=len(references),
                    problems=len(members),
                    items=self.room.portion(lines),
                    has_amounts=any(document is not None for _, document in members),
                    alike=len(said) == 1,
                    reason=self.reasons.number(title, references),
                )
            )
        return tuple(groups)

    def _findings(self) -> Iterable[Finding]:
        known = self.reconciliation
        for title, text, records in (
            (
                N_("Already issued before this ledger knew of them"),
                N_("Another ledger or another program had issued them under the same reference. Each counts once."),
                [one for one in known.records if one.unexpected_duplicate],
            ),
            (
                N_("Stamped with observations of the ministry"),
                N_("They are valid. What the ministry observed is worth correcting before the next sale."),
                [one for one in known.in_state(State.STAMPED) if one.answer.observaciones],
            ),
        ):
            if records:
                yield Finding(
                    title=title,
                    explanation=text,
                    records=self.room.portion(records),
                    reason=self.reasons.number(self.messages.text(title), (one.external_ref for one in records)),
                )


def in_brief(one: Any) -> tuple[str, str]:
    """Return the reference of something that is not in a table, with its rows, its difference or its amount."""
    match one:
        case Record():
            return one.external_ref, span(one.source.rows)
        case Conflict() | Missing():
            return one.external_ref, span(one.rows)
        case Difference():
            return one.record.external_ref, signed_money(one.amount)
        case OtherMonth():
            return one.record.external_ref, span(one.record.source.rows)
        case ProblemLine():
            return one.reference or "–", span(one.rows)
        case _:
            return one.external_ref, money(one.gross)


def _lines(members: Sequence[FoundProblem], language: str) -> list[ProblemLine]:
    """Draw problems of one document and column that say the same together, in the order of the first of each."""
    alike: dict[tuple[object, ...], list[ProblemText]] = defaultdict(list)
    documents: dict[tuple[object, ...], HeldBack | None] = {}
    for number, (problem, document) in enumerate(members):
        # References may repeat within the files, so a document is told by itself.
        whose = id(document) if document else problem.external_ref or number
        key = (
            whose,
            problem.file,
            problem.sheet,
            problem.column,
            _without(problem.message.get(language, ""), problem.value),
        )
        alike[key].append(problem)
        documents[key] = document
    return [
        ProblemLine(
            document=(document := documents[key]),
            first=problems[0],
            rows=tuple(one.row for one in problems if one.row is not None) or (document.rows if document else ()),
            values=tuple(dict.fromkeys(one.value for one in problems if one.value)),
        )
        for key, problems in alike.items()
    ]


@lru_cache(maxsize=8192)
def _without(said: str, value: str) -> str:
    """Return the text with an ellipsis for the value. Kept: where many rows are held back, most say the same of one."""
    if not value:
        return said
    # A number may be part of another one, as 5 of 15; a word may be any part of the sentence, so it has to be quoted.
    if any(mark.isdigit() for mark in value):
        said = re.sub(rf"(?<![\w.,-]){re.escape(value)}(?![\w,])", "…", said, count=1)
    return said.replace(f"«{value}»", "«…»")


OTHER_MONTH = N_("Issued or stamped in another month than that of the sale")
_REFUSALS = (Cause.UNSURE, Cause.NOT_SENT, Cause.REJECTED, Cause.INVALID)
