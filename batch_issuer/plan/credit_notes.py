"""Credit notes and the CCFs that they adjust: which note may go, which must wait, and never more than is left.

Told of a plan beforehand, and held against the ledger again when a run is about to send: the CCF must be stamped by
then, and every note that is or may be issued counts against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from batch_issuer.model.money import CENT, grouped, total_of
from batch_issuer.model.problems import Problem
from batch_issuer.model.records import UNDER_WAY, Record
from batch_issuer.model.states import MAY_BE_ISSUED, Action, State
from batch_issuer.plan.judge import Held
from batch_issuer.plan.plan import Candidate, decide, make_plan
from batch_issuer.plan.prepare import Prepared
from batch_issuer.provider.classify import Reason
from batch_issuer.rules.across import (
    CCF_CANCELLED,
    CCF_HELD_BACK,
    CCF_NOT_STAMPED,
    CCF_OTHER_TYPE,
    CCF_UNKNOWN,
    FULL_DIFFERS,
    OVER_CCF,
)
from batch_issuer.rules.identifiers import is_uuid

if TYPE_CHECKING:
    from batch_issuer.provider.client import Found


class Remembers(Protocol):
    """What is asked of a ledger."""

    def records(self, company: str, references: Sequence[str]) -> dict[str, Record]: ...

    def of_type(self, company: str, doc_type: str, states: Sequence[State]) -> list[Record]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ccf:
    """A document that notes adjust, from the ledger, the files or the provider."""

    key: str
    doc_type: str
    gross: Decimal | None
    """None where nobody says."""
    state: State | None
    """None for one of the files that was not issued yet."""
    fingerprint: str = ""
    held: bool = False
    """One of the files that is held back for its data."""
    is_being_cancelled: bool = False
    """Its cancellation was asked for, and is not settled."""
    looked_up: bool = False
    """Only the provider knows it, so that nobody compared the rows of a full adjustment with it yet."""

    def obstacle(self, name: str) -> Problem | None:
        """Return why no note that calls it by this name can ever be issued as things stand in the files."""
        if self.doc_type != "03":
            return Problem(CCF_OTHER_TYPE, name, {"doc_type": self.doc_type})
        if self.held:
            return Problem(CCF_HELD_BACK, name)
        return Problem(CCF_CANCELLED, name) if self.state is State.CANCELLED else None

    @property
    def hindrance(self) -> Reason | None:
        """Why no note of it can be sent now, whatever the note's amount."""
        if self.doc_type != "03":
            return Reason.NOT_A_CCF
        if self.state is not State.STAMPED:
            return _UNSTAMPED.get(self.state, Reason.CCF_NOT_ISSUED)
        return Reason.CCF_CANCELLING if self.is_being_cancelled else None


@dataclass(slots=True)
class Balance:
    """CCFs by every name they have, and what is credited of each."""

    ccfs: dict[str, Ccf] = field(default_factory=dict)
    credited: dict[str, Decimal] = field(default_factory=dict)

    def add(self, ccf: Ccf, names: Iterable[str]) -> None:
        for name in names:
            if name:
                self.ccfs[_plain(name)] = ccf

    def find(self, adjusts: str) -> Ccf | None:
        return self.ccfs.get(_plain(adjusts))

    def credit(self, adjusts: str, gross: Decimal) -> None:
        """Count a note against its CCF, known or not."""
        name = _plain(adjusts)
        self.credited[name] = self.credited.get(name, Decimal("0.00")) + gross

    def of(self, adjusts: str) -> Decimal:
        """Return what is credited so far of a CCF, by whichever of its names."""
        key = self._key(adjusts)
        return total_of(gross for name, gross in self.credited.items() if self._key(name) == key)

    def _key(self, adjusts: str) -> str:
        found = self.find(adjusts)
        return found.key if found else _plain(adjusts)


def balance_of(ledger: Remembers | None, company: str, adjusted: Iterable[str], without: Iterable[str]) -> Balance:
    """Return the CCFs that these names mean in a ledger, and what its notes credit of them, some notes left out."""
    balance = Balance()
    if ledger is None:
        return balance
    names = list(dict.fromkeys(adjusted))
    for record in ledger.records(company, names).values():
        balance.add(_from_ledger(record), [record.external_ref, record.answer.document_id])
    # The provider's id stands inside the answers, where no index finds it: all CCFs are read, only if need be.
    if any(is_uuid(name) and not balance.find(name) for name in names):
        for record in ledger.of_type(company, "03", tuple(State)):
            balance.add(_from_ledger(record), [record.external_ref, record.answer.document_id])
    # Those that are about to be judged: counted here, they would stand in their own way.
    left_out = set(without)
    for note in ledger.of_type(company, "05", MAY_BE_ISSUED):
        if note.external_ref not in left_out:
            balance.credit(note.adjusts, gross_of(note))
    return balance


def gross_of(record: Record) -> Decimal:
    """Return what the provider says of a document, else what we expect."""
    answered = record.answer.amounts.gross
    return record.expected_gross if answered is None else answered


def found_ccf(name: str, found: Found) -> Ccf:
    """Return what the provider says of a document that the ledger does not know; without a type it is a CCF."""
    answer = found.answer
    return Ccf(
        key=_plain(answer.document_id or name),
        doc_type=answer.doc_type or "03",
        gross=answer.amounts.gross,
        state=found.state,
        looked_up=True,
    )


def why_wait(note: Record, balance: Balance, *, full: bool) -> Reason | None:
    """Return why a planned note must not be sent now; None where it may."""
    ccf = balance.find(note.adjusts)
    if ccf is None:
        return Reason.CCF_NOT_FOUND
    if ccf.hindrance is not None or ccf.gross is None:
        return ccf.hindrance
    # A CCF that only the provider knows: the rows of a full adjustment were never held against it.
    rows = note.expected_gross if full and ccf.looked_up else Decimal(0)
    if rows and abs(rows - ccf.gross) > CENT * max(note.lines, 1):
        return Reason.CREDIT_FULL_DIFFERS
    amount = ccf.gross if full else note.expected_gross
    return Reason.CREDIT_OVER_CCF if amount > ccf.gross - balance.of(note.adjusts) else None


_UNSTAMPED: Mapping[State | None, Reason] = {
    State.CONTINGENCY: Reason.CCF_CONTINGENCY,
    State.REJECTED: Reason.CCF_REJECTED,
    State.INVALID: Reason.CCF_REJECTED,
    State.CANCELLED: Reason.CCF_CANCELLED,
}


def with_credits(prepared: Prepared, ledger: Remembers | None, company: str) -> Prepared:
    """Return the same documents, with the credit notes that cannot go held back, and those that wait told of.

    A full adjustment comes to what its CCF comes to.
    """
    notes = [candidate for candidate in prepared.candidates if candidate.doc_type == "05"]
    if not notes:
        return prepared
    known = ledger.records(company, [note.external_ref for note in notes]) if ledger else {}
    to_send = [step.candidate for step in make_plan(notes, known).of(Action.ISSUE, Action.ASK)]
    references = [note.external_ref for note in to_send]
    balance = balance_of(ledger, company, [note.adjusts for note in notes], references)
    _add_files(balance, prepared)
    judged: dict[int, _Judged] = {
        note.number: (_at_its_amount(note, known.get(note.external_ref), balance), None) for note in notes
    }
    judged |= {
        note.number: _judged(note, balance, CENT * max(1, len(prepared.batch[note.number].document.lines)))
        for note in to_send
    }
    return _with_verdicts(prepared, judged)


def _at_its_amount(note: Candidate, record: Record | None, balance: Balance) -> Candidate:
    """Return a note as it was planned, where the ledger has it; else a full one at its CCF's amount."""
    if not note.full:
        return note
    if record is not None and record.fingerprint == note.fingerprint:
        return note._replace(gross=record.expected_gross)
    ccf = balance.find(note.adjusts)
    return note if ccf is None or ccf.gross is None else note._replace(gross=ccf.gross)


def _add_files(balance: Balance, prepared: Prepared) -> None:
    """Add what the files have; what the ledger says counts, unless the document is to be issued now."""
    for candidate in prepared.candidates:
        before = balance.find(candidate.external_ref)
        changed = before is not None and before.fingerprint != candidate.fingerprint
        if candidate.doc_type != "05" and decide(before.state if before else None, changed=changed) is Action.ISSUE:
            ccf = Ccf(key=candidate.external_ref, doc_type=candidate.doc_type, gross=candidate.gross, state=None)
            balance.add(ccf, [candidate.external_ref])
    for held in prepared.held:
        reference = held.document.external_ref
        if balance.find(reference) is None:
            ccf = Ccf(key=reference, doc_type=held.document.doc_type, gross=None, state=None, held=True)
            balance.add(ccf, [reference])


_Judged = tuple[Candidate, Problem | None]
"""A note at its amount, and what is wrong with it."""


def _judged(note: Candidate, balance: Balance, tolerance: Decimal) -> _Judged:
    """Return a note at its amount and what is wrong with it, and count it against its CCF where it may go.

    `tolerance` is in dollars, for the sum of the rows of a full adjustment.
    """
    ccf = balance.find(note.adjusts)
    if ccf is None:
        return note, Problem(CCF_UNKNOWN, note.adjusts)
    if obstacle := ccf.obstacle(note.adjusts):
        return note, obstacle
    if ccf.gross is not None:
        gross = {"gross": grouped(ccf.gross), "amount": grouped(note.gross)}
        if note.full:
            if note.gross and abs(note.gross - ccf.gross) > tolerance:
                return note, Problem(FULL_DIFFERS, note.adjusts, gross)
            note = note._replace(gross=ccf.gross)
        left = ccf.gross - balance.of(note.adjusts)
        if note.gross > left:
            amounts = {"left": grouped(max(left, Decimal(0))), "credited": grouped(ccf.gross - left)}
            return note, Problem(OVER_CCF, note.adjusts, {**gross, "amount": grouped(note.gross), **amounts})
    # Counted from here on: of two notes of one CCF, the second has what the first leaves.
    balance.credit(note.adjusts, note.gross)
    return note, None if ccf.state in (None, State.STAMPED) else Problem(CCF_NOT_STAMPED, note.adjusts)


def _with_verdicts(prepared: Prepared, judged: Mapping[int, _Judged]) -> Prepared:
    """Return what was prepared, with notes held back whose problem blocks, and every note at its amount."""
    candidates: list[Candidate] = []
    held = list(prepared.held)
    notes = list(prepared.notes)
    by_source = dict(prepared.by_source)
    for candidate in prepared.candidates:
        note, found = judged.get(candidate.number, (candidate, None))
        row = candidate.row
        problem = found and replace(found, field="adjusts").at(prepared.batch.place(row, "adjusts"), note.external_ref)
        if problem is not None and problem.blocks:
            document = prepared.content(candidate)
            held.append(Held(number=candidate.number, document=document, problems=(problem,)))
            continue
        if problem is not None:
            notes.append(problem)
        candidates.append(note)
        if note.gross != candidate.gross:
            source = prepared.batch.source(row)
            count, gross = by_source[source]
            by_source[source] = (count, gross + note.gross - candidate.gross)
    held.sort(key=lambda one: one.number)
    return replace(prepared, candidates=tuple(candidates), held=tuple(held), notes=tuple(notes), by_source=by_source)


def _from_ledger(record: Record) -> Ccf:
    return Ccf(
        key=record.external_ref,
        doc_type=record.doc_type,
        gross=gross_of(record),
        state=record.state,
        fingerprint=record.fingerprint,
        is_being_cancelled=record.cancellation is not None and record.cancellation.step in UNDER_WAY,
    )


def _plain(name: str) -> str:
    """Return a name of a CCF as it is compared: the provider's ids are the same in capitals."""
    return name.upper() if is_uuid(name) else name
