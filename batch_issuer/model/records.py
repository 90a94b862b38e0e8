"""One document as the ledger knows it, and how each event of its own changes that.

`fold` is the only place where a state follows from an event: the live ledger and its rebuilding both use it. The other
values of the ledger (`events.py`, `answers.py`, `runs.py`) are given on from here, so that who reads the ledger has
one name to import from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from batch_issuer.model.answers import (
    NO_ANSWER,
    UNDER_WAY,
    Answer,
    Cancellation,
    CancelStep,
    CreditMemo,
    read_answer,
    read_cancellation,
    write_answer,
    write_cancellation,
    write_memo,
)
from batch_issuer.model.documents import SourceRows
from batch_issuer.model.events import FIRST_HASH, Event, Kind, NewEvent, hash_after, hash_of
from batch_issuer.model.identity import Appearance, differing
from batch_issuer.model.runs import (
    Like,
    Note,
    Numbered,
    RunRecord,
    SignOff,
    Wait,
    read_note,
    read_sign_off,
)
from batch_issuer.model.states import SETTLED, UNFINISHED, State

__all__ = [
    "AFTER_CONTINGENCY",
    "FIRST_HASH",
    "NO_ANSWER",
    "SHARED_PROOF",
    "UNDER_WAY",
    "Answer",
    "CancelStep",
    "Cancellation",
    "CreditMemo",
    "Event",
    "Kind",
    "Like",
    "NewEvent",
    "Note",
    "Numbered",
    "Record",
    "RunRecord",
    "SignOff",
    "Wait",
    "fold",
    "hash_after",
    "hash_of",
    "read_answer",
    "read_cancellation",
    "read_note",
    "read_sign_off",
    "write_answer",
    "write_cancellation",
    "write_memo",
]

AFTER_CONTINGENCY = "after-contingency"
"""`Record.reason` of a document that this rejection took out of contingency; see `Record.is_late_rejection`."""
SHARED_PROOF = "shared-proof"
"""`Record.reason` of documents that were answered with one and the same stamp, code or control number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One document as the ledger knows it now."""

    company: str
    external_ref: str
    doc_type: str
    state: State
    fingerprint: str
    """SHA-256 of the canonical body, in hexadecimal."""
    expected_gross: Decimal
    source: SourceRows
    date: str = ""
    """The sheet's date, ISO; empty where the sheet has none."""
    branch: str = ""
    customer: str = ""
    payment_method: str = ""
    lines: int = 0
    likeness: str = ""
    """Digest of everything but the reference, for sales with a named customer."""
    expected_retention: Decimal | None = None
    """What should be withheld; None where that cannot be known beforehand."""
    adjusts: str = ""
    """Type 05: the CCF, by our reference or the provider's id, as the sheet says it."""
    customer_id: str = ""
    """The customer's NIT, else DUI, digits only: what the provider knows customers by."""
    answer: Answer = NO_ANSWER
    reason: str = ""
    """Code of what is known about an `unsure` or released document, for example `read-timeout`."""
    attempts: int = 0
    """POSTs whose intent was written."""
    cancellation: Cancellation | None = None
    """None while nobody has asked for one."""
    unexpected_duplicate: bool = False
    """The provider already had it when we first sent it: another ledger or another program issued it."""
    accepted: bool = False
    """A person said that the document which the provider has under this reference is this sale."""
    first_sent_at: str = ""
    numbered_at: str = ""
    """When we first learned that the provider registered it: contingency is aged from here."""
    settled_at: str = ""
    waits: int = 0
    """How often it has entered contingency."""
    waited_from: str = ""
    """When it first entered contingency."""
    waited_to: str = ""
    """When it last left contingency; empty while it waits."""
    updated_at: str = ""
    run: str = ""
    content_seq: int = 0
    """The event that holds the body that was last planned."""
    last_seq: int = 0
    till: str = ""
    also: tuple[Appearance, ...] = ()
    """How else this sale stands in files, as persons said."""
    look_owed: str = ""
    """Why its status has to be asked although it is settled: `credited` (a credit note over all of it was stamped),
    `restored` (the ledger was replaced by an older copy); empty where nothing is owed."""
    withdrawn_at: str = ""
    """When somebody said that it is not to be issued; empty where nobody did, or where a file has planned it since."""

    @property
    def appearance(self) -> Appearance:
        """How the sale stood in the file that it was planned from."""
        return Appearance(self.external_ref, self.date, self.branch, self.till)

    def is_known_as(self, appearance: Appearance) -> bool:
        """Whether a sale that stands like this in a file is this document, by what the files and persons said."""
        return any(
            one.external_ref == appearance.external_ref and not differing(one, appearance)
            for one in (self.appearance, *self.also)
        )

    @property
    def is_late_rejection(self) -> bool:
        """Whether customers may hold it: accepted in contingency, and this very rejection came afterwards.

        The one definition, for every report and command. Corrected, or withdrawn by a person, it is none any more: what
        the ministry then says of the corrected document, nobody was given before.
        """
        return self.state is State.REJECTED and self.reason == AFTER_CONTINGENCY and not self.withdrawn_at

    @property
    def why(self) -> tuple[str, str]:
        """Code and words of why it stands as it does: of our reason while it is unfinished, else of the refusal.

        A request that the provider refused has no code of the ministry: the HTTP status stands for it.
        """
        if self.state in UNFINISHED:
            return self.reason, self.answer.said
        status = str(self.answer.http_status) if self.state is State.INVALID else ""
        return self.answer.codigo_msg or status, self.answer.said

    @property
    def cancelled_unasked(self) -> bool:
        """Whether it is cancelled without our having asked: a full credit note does that, or somebody elsewhere."""
        return self.state is State.CANCELLED and not (self.cancellation and self.cancellation.requests)


def fold(record: Record | None, event: Event, body: Mapping[str, Any]) -> Record:
    """Return what is known about a document after one more event of its own.

    Raises `ValueError` for an event of a document that was never planned, or that is about no document.
    """
    if event.kind is Kind.PLANNED:
        after = _planned(record, event, body)
    elif record is None:
        raise ValueError(f"event {event.seq} speaks of a document that was never planned")
    else:
        changes = _changes(record, event, body)
        after = replace(record, **changes, updated_at=event.at, run=event.run, last_seq=event.seq)
    # Any event may take a document into contingency or out of it, so that it is counted here for all.
    waited, waits = record is not None and record.state is State.CONTINGENCY, after.state is State.CONTINGENCY
    if waited == waits:
        return after
    if waits:
        return replace(after, waits=after.waits + 1, waited_from=after.waited_from or event.at, waited_to="")
    return replace(after, waited_to=event.at)


_KEPT = (
    "answer", "attempts", "first_sent_at", "numbered_at", "waits", "waited_from", "waited_to", "unexpected_duplicate",
    "accepted", "cancellation", "also", "look_owed",
)  # fmt: skip
"""What a correction leaves as it was: what the provider and persons said, and what was sent. The rest is the file's."""


def _planned(record: Record | None, event: Event, body: Mapping[str, Any]) -> Record:
    """Return a document as a file has it; one that is known already keeps its history."""
    return Record(
        company=event.company,
        external_ref=event.external_ref,
        doc_type=body["doc_type"],
        state=State.PLANNED,
        fingerprint=body["fingerprint"],
        expected_gross=Decimal(body["expected_gross"]),
        source=SourceRows(file=body["file"], sheet=body["sheet"], rows=tuple(body["rows"])),
        **{name: body[name] for name in ("date", "branch", "customer", "payment_method", "lines")},
        # Events of earlier versions do not have these: the ledger is never rewritten.
        **{name: body.get(name, "") for name in ("likeness", "adjusts", "customer_id", "till")},
        expected_retention=Decimal(withheld) if (withheld := body.get("expected_retention")) else None,
        updated_at=event.at,
        run=event.run,
        content_seq=event.seq,
        last_seq=event.seq,
        **({} if record is None else {name: getattr(record, name) for name in _KEPT}),
    )


def _changes(record: Record, event: Event, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that an event of a planned document changes, beside when it was and whose."""
    match event.kind:
        case Kind.SENDING:
            first = record.first_sent_at or event.at
            return {"state": State.SENDING, "reason": "", "attempts": record.attempts + 1, "first_sent_at": first}
        case Kind.RELEASED:
            # A request that never left this machine is as if it had not been meant.
            attempts = record.attempts - bool(body["unsent"])
            first = record.first_sent_at if attempts else ""
            return {
                "state": State(body["state"]), "reason": body["reason"], "attempts": attempts, "first_sent_at": first,
            }  # fmt: skip
        case Kind.UNANSWERED:
            return {"state": State(body["state"]), "reason": body["reason"]}
        case Kind.ANSWERED:
            return _answered(record, event, body)
        case Kind.CANCELLING | Kind.CANCEL_UNANSWERED:
            return {"cancellation": _cancelling(record.cancellation, event, body)}
        case Kind.CANCEL_ANSWERED:
            return _cancel_answered(record.cancellation, event, body)
        case _:
            return _told(record, event, body)


def _told(record: Record, event: Event, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event changes that neither a request nor an answer brought: mostly a person's word."""
    match event.kind:
        case Kind.RECOGNISED if body.get("at_provider"):
            return {"accepted": True}
        case Kind.RECOGNISED:
            return {
                "also": (*record.also, Appearance(body["external_ref"], body["date"], body["branch"], body["till"]))
            }
        case Kind.WITHDRAWN:
            return {"withdrawn_at": event.at}
        case Kind.LOOK_OWED:
            return {"look_owed": body["why"]}
        case _:
            raise ValueError(f"event {event.seq} is not about a document")


def _answered(record: Record, event: Event, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer about a document changes."""
    state, answer, before = State(body["state"]), read_answer(body["answer"]), record.answer
    if state is State.INVALID and not answer.document_id:
        # A refused request names no document; one that was issued before under this reference is still there.
        answer = replace(
            answer,
            document_id=before.document_id,
            control_number=before.control_number,
            generation_code=before.generation_code,
        )
    # An answer that says the same again does not move the time at which the document came to what it is.
    same = record.settled_at if record.state is state else ""
    return {
        "state": state,
        "answer": answer,
        "reason": body.get("reason", ""),
        "unexpected_duplicate": record.unexpected_duplicate or bool(body.get("unexpected_duplicate")),
        "numbered_at": record.numbered_at or (event.at if answer.control_number else ""),
        "settled_at": (same or event.at) if state in SETTLED else "",
        "look_owed": "",
    }


def _cancelling(before: Cancellation | None, event: Event, body: Mapping[str, Any]) -> Cancellation | None:
    """Return a cancellation after its intent was written, or after a request for it had no answer."""
    if event.kind is Kind.CANCELLING:
        known = before or Cancellation(step=CancelStep.REQUESTED, requested_at=event.at)
        step, requests = CancelStep.REQUESTED, known.requests + 1
        return replace(known, step=step, requests=requests, updated_at=event.at, reason="", words="")
    if before is None:
        raise ValueError(f"event {event.seq} speaks of a cancellation that was never requested")
    # A request that never left is taken back; if it was the only one, nobody has asked for anything.
    requests = before.requests - bool(body["unsent"])
    if not requests:
        return None
    step = CancelStep(body["step"])
    return replace(
        before, step=step, requests=requests, updated_at=event.at, reason=body["reason"], words=body["words"]
    )


def _cancel_answered(before: Cancellation | None, event: Event, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer about a cancellation changes: the document's state only where it is done."""
    # There may have been no request of ours: a full credit note invalidates too, and so may somebody elsewhere.
    known = before or Cancellation(step=CancelStep.REQUESTED)
    after = replace(
        known,
        step=CancelStep(body["step"]),
        updated_at=event.at,
        stamp=body.get("stamp", ""),
        memo=CreditMemo(**body["memo"]) if body.get("memo") else known.memo,
        reason=body.get("reason", ""),
        words=body.get("words", ""),
    )
    if after.step is not CancelStep.DONE:
        return {"cancellation": after}
    return {
        "state": State.CANCELLED, "cancellation": after, "settled_at": event.at, "reason": "", "look_owed": "",
    }  # fmt: skip
