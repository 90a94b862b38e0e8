"""What a run would do, computed before it does anything: the plan table, as pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from batch_issuer.model.documents import WITHOUT_VAT
from batch_issuer.model.identity import Appearance
from batch_issuer.model.money import split_vat, total_of
from batch_issuer.model.records import Record
from batch_issuer.model.states import MEANINGS, Action, State


def decide(state: State | None, *, changed: bool) -> Action:
    """Return what a run does with a document, by the table of states.

    `state` is None for a document that the ledger does not know; `changed` says that its fingerprint is another.
    """
    if state is None:
        return Action.ISSUE
    return MEANINGS[state].changed if changed else MEANINGS[state].same


class Candidate(NamedTuple):
    """A document that may be sent, without its content: `number` finds that in the batch."""

    number: int
    external_ref: str
    doc_type: str
    fingerprint: str
    gross: Decimal
    retention: Decimal | None = None
    """What should be withheld; None where that cannot be known beforehand."""
    adjusts: str = ""
    """Type 05: the CCF, as the sheet names it."""
    full: bool = False
    """Type 05: all of it is credited."""
    customer_id: str = ""
    """NIT, else DUI, digits only."""
    likeness: str = ""
    """Digest of everything but the reference (`plan/judge.py`); empty where nothing is compared with it."""
    is_named: bool = False
    """Whether the sale says who bought. Anonymous consumers buy the same coffee all day long."""
    date: str = ""
    """ISO."""
    branch: str = ""
    till: str = ""
    row: int = 0
    """The batch row on which the document begins."""
    written_ref: str = ""
    """The reference as the file has it, where the sale is one that the ledger has under another."""

    @property
    def appearance(self) -> Appearance:
        """How the sale stands in the file."""
        return Appearance(self.written_ref or self.external_ref, self.date, self.branch, self.till)


class Step(NamedTuple):
    """One document of a plan."""

    candidate: Candidate
    record: Record | None
    action: Action

    @property
    def changed(self) -> bool:
        return self.record is not None and self.record.fingerprint != self.candidate.fingerprint


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every document of the files that may be sent, in the order of the files."""

    steps: tuple[Step, ...]

    def of(self, *actions: Action) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action in actions)

    @cached_property
    def counts(self) -> Mapping[Action, int]:
        found = Counter(step.action.value for step in self.steps)
        return {action: found[action.value] for action in Action}

    @property
    def gross(self) -> Decimal:
        """What the plan would issue, VAT included."""
        return total_of(gross for gross, _ in self._sums.values())

    def gross_of(self, *doc_types: str) -> Decimal:
        """Return what it would issue of these types, VAT included."""
        return total_of(gross for doc_type, (gross, _) in self._sums.items() if doc_type in doc_types)

    @property
    def taxable(self) -> Decimal:
        """The same without VAT, where there is any."""
        without = self.gross_of(*WITHOUT_VAT)
        return split_vat(self.gross - without)[0] + without

    @property
    def retention(self) -> Decimal:
        """VAT that buyers are expected to withhold of it."""
        return total_of(retention for doc_type, (_, retention) in self._sums.items() if doc_type != "14")

    @property
    def income_tax(self) -> Decimal:
        """What is withheld from excluded subjects."""
        return total_of(retention for doc_type, (_, retention) in self._sums.items() if doc_type == "14")

    @cached_property
    def _sums(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        """Gross and what is withheld of the documents of each type that would be issued."""
        issued: dict[str, list[Candidate]] = {}
        for step in self.of(Action.ISSUE, Action.ASK):
            issued.setdefault(step.candidate.doc_type, []).append(step.candidate)
        return {
            doc_type: (total_of(one.gross for one in found), total_of(one.retention for one in found))
            for doc_type, found in issued.items()
        }

    @property
    def requests(self) -> int:
        """Requests that the plan takes when nothing goes wrong."""
        counts = self.counts
        return counts[Action.ISSUE] + 2 * counts[Action.ASK] + counts[Action.WATCH]

    @property
    def seen_before(self) -> bool:
        """Whether the ledger already knows every document of the files."""
        return bool(self.steps) and all(
            step.record is not None and step.record.attempts and step.action is not Action.QUESTION
            for step in self.steps
        )


def make_plan(
    candidates: Iterable[Candidate],
    records: Mapping[str, Record],
    doubted: Collection[int] = (),
    left: Collection[int] = (),
) -> Plan:
    """Decide what to do with each candidate, given what the ledger knows.

    `doubted` are the numbers of those about which a person is asked, `left` of those that a person wants left alone.
    """
    new = decide(None, changed=False)
    steps = []
    for candidate in candidates:
        record = records.get(candidate.external_ref)
        if candidate.number in doubted:
            steps.append(Step(candidate, record, Action.QUESTION))
            continue
        if candidate.number in left:
            steps.append(Step(candidate, record, Action.NOTHING))
            continue
        if record is None:
            steps.append(Step(candidate, None, new))
            continue
        action = decide(record.state, changed=record.fingerprint != candidate.fingerprint)
        steps.append(Step(candidate, record, action))
    return Plan(steps=tuple(steps))


def select(plan: Plan, *, only: Sequence[str] = (), limit: int | None = None) -> Plan:
    """Return the part of a plan that `--only` (states, types or references) and `--limit` leave.

    The limit counts documents that would be sent; those that need no sending stay.
    """
    kept: list[Step] = []
    sent = 0
    for step in plan.steps:
        state = step.record.state if step.record else State.PLANNED
        if only and {step.candidate.external_ref, step.candidate.doc_type, state.value}.isdisjoint(only):
            continue
        if step.action in (Action.ISSUE, Action.ASK):
            sent += 1
            # Only what would be sent is counted: documents that need no sending cost no quota.
            if limit is not None and sent > limit:
                continue
        kept.append(step)
    return Plan(steps=tuple(kept))
