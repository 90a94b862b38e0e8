"""What the ledger holds, as values: events that are never changed, and what they say about each document and run.

`fold` is the only place where a state follows from an event; the live ledger and its rebuilding both use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from batch_issuer.model.documents import Amounts, SourceRows
from batch_issuer.model.identity import Appearance, differing
from batch_issuer.model.states import SETTLED, UNFINISHED, State

FIRST_HASH = "0" * 64
AFTER_CONTINGENCY = "after-contingency"
"""`Record.reason` of a document that this rejection took out of contingency; see `Record.is_late_rejection`."""
SHARED_PROOF = "shared-proof"
"""`Record.reason` of documents that were answered with one and the same stamp, code or control number."""


class Kind(StrEnum):
    """What can be written in the ledger."""

    RUN_STARTED = "run_started"
    RUN_READ = "run_read"
    RUN_ENDED = "run_ended"
    KEY_SEEN = "key_seen"
    KEY_TRIED = "key_tried"
    SETTINGS_ACCEPTED = "settings_accepted"
    PLANNED = "planned"
    SENDING = "sending"
    RELEASED = "released"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    CANCELLING = "cancelling"
    CANCEL_ANSWERED = "cancel_answered"
    CANCEL_UNANSWERED = "cancel_unanswered"
    NOTED = "noted"
    SIGNED = "signed"
    RECOGNISED = "recognised"
    """A person said that a sale which stands otherwise in a file, or a document of the provider, is this one."""
    WITHDRAWN = "withdrawn"
    """A person said that this sale, which the provider does not have, is not to be issued."""
    LOOK_OWED = "look_owed"
    """How this document stands has to be asked, because of something that happened to another one or to the ledger."""
    RESTORED = "restored"
    """An older copy took the ledger's place: what was issued after it is not in here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something to be written. `external_ref` is empty for events of a run."""

    kind: Kind
    external_ref: str = ""
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something written. `hash` covers every other field and the hash of the event before."""

    seq: int
    at: str
    run: str
    company: str
    external_ref: str
    kind: Kind
    body: str
    hash: str = ""


def hash_after(previous: str, event: Event) -> str:
    """Return the hash of an event: SHA-256 over its fields and the hash of the one before."""
    return hash_of(previous, event.seq, event.at, event.run, event.company, event.external_ref, event.kind, event.body)


def hash_of(previous: str, *covered: str | int) -> str:
    """Return the same of an event that is yet to be made: every field but its hash, in their order."""
    text = _HASHED.encode((previous, *covered))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_HASHED = json.JSONEncoder(ensure_ascii=False, default=repr)
"""What was tampered with may be of any type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider said about a document, without its file URLs' keys. None where it did not say."""

    http_status: int | None = None
    doc_type: str = ""
    document_id: str = ""
    control_number: str = ""
    generation_code: str = ""
    reception_stamp: str = ""
    is_duplicate: bool = False
    dte_state: str = ""
    dte_message: str = ""
    codigo_msg: str = ""
    """The ministry's code of a rejection."""
    detail: str = ""
    """The provider's error text."""
    issuer_nit: str = ""
    """Digits of the NIT of who issued, where the answer carries the document."""
    environment: str = ""
    """`test` or `production`, from the same place."""
    observaciones: tuple[str, ...] = ()
    """What the ministry observed, of a rejected document or of a stamped one."""
    amounts: Amounts = Amounts()

    @property
    def words(self) -> tuple[str, ...]:
        """What the provider said in words: the ministry's observations, else its message and the provider's detail."""
        return self.observaciones or tuple(filter(None, (self.dte_message, self.detail)))

    @property
    def said(self) -> str:
        """The same as one text, without a code."""
        return "; ".join(self.words)

    @property
    def said_with_code(self) -> str:
        """The same with the ministry's code before it."""
        return " · ".join(filter(None, (self.codigo_msg, self.said)))


NO_ANSWER = Answer()


class CancelStep(StrEnum):
    """How far a cancellation has come. Only `DONE` changes the document's state."""

    REQUESTED = "requested"
    """The intent is written; what came of it is not known."""
    PENDING = "pending"
    """The provider took it; the ministry has not answered yet."""
    REFUSED = "refused"
    DONE = "done"


UNDER_WAY = frozenset({CancelStep.REQUESTED, CancelStep.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditMemo:
    """The credit note that the provider wrote in place of a late invalidation; what it did not say is empty."""

    document_id: str = ""
    control_number: str = ""
    generation_code: str = ""
    reception_stamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What is known about the cancelling of a document."""

    step: CancelStep
    requests: int = 0
    """POSTs whose intent was written."""
    requested_at: str = ""
    updated_at: str = ""
    stamp: str = ""
    """The ministry's stamp on the invalidation."""
    memo: CreditMemo | None = None
    reason: str = ""
    """Code of why it is not done, as for documents."""
    words: str = ""
    """The provider's own."""


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
        """Cancelled, and not because we asked for it: a full credit note does that, or somebody elsewhere."""
        return self.state is State.CANCELLED and not (self.cancellation and self.cancellation.requests)


def fold(record: Record | None, event: Event, body: Mapping[str, Any]) -> Record:
    """Return what is known about a document after one more event of its own."""
    after = _folded(record, event, body)
    waited, waits = record is not None and record.state is State.CONTINGENCY, after.state is State.CONTINGENCY
    if waited == waits:
        return after
    if waits:
        return replace(after, waits=after.waits + 1, waited_from=after.waited_from or event.at, waited_to="")
    return replace(after, waited_to=event.at)


def _folded(record: Record | None, event: Event, body: Mapping[str, Any]) -> Record:
    if event.kind is Kind.PLANNED:
        return _planned(record, event, body)
    if record is None:
        raise ValueError(f"event {event.seq} speaks of a document that was never planned")
    common: dict[str, Any] = {"updated_at": event.at, "run": event.run, "last_seq": event.seq}
    match event.kind:
        case Kind.SENDING:
            return replace(
                record,
                state=State.SENDING,
                reason="",
                attempts=record.attempts + 1,
                first_sent_at=record.first_sent_at or event.at,
                **common,
            )
        case Kind.RELEASED:
            attempts = record.attempts - (1 if body["unsent"] else 0)
            sent = record.first_sent_at if attempts else ""
            state = State(body["state"])
            return replace(record, state=state, reason=body["reason"], attempts=attempts, first_sent_at=sent, **common)
        case Kind.UNANSWERED:
            return replace(record, state=State(body["state"]), reason=body["reason"], **common)
        case Kind.ANSWERED:
            return _answered(record, event, body, common)
        case Kind.CANCELLING:
            return replace(record, cancellation=_requested(record.cancellation, event), **common)
        case Kind.CANCEL_UNANSWERED:
            return replace(record, cancellation=_in_doubt(record.cancellation, event, body), **common)
        case Kind.CANCEL_ANSWERED:
            return _cancel_answered(record, event, body, common)
        case _:
            return _told(record, event, body, common)


def _planned(record: Record | None, event: Event, body: Mapping[str, Any]) -> Record:
    fresh = Record(
        company=event.company,
        external_ref=event.external_ref,
        doc_type=body["doc_type"],
        state=State.PLANNED,
        fingerprint=body["fingerprint"],
        expected_gross=Decimal(body["expected_gross"]),
        source=SourceRows(file=body["file"], sheet=body["sheet"], rows=tuple(body["rows"])),
        date=body["date"],
        branch=body["branch"],
        customer=body["customer"],
        payment_method=body["payment_method"],
        lines=body["lines"],
        likeness=body.get("likeness", ""),
        expected_retention=Decimal(withheld) if (withheld := body.get("expected_retention")) else None,
        adjusts=body.get("adjusts", ""),
        customer_id=body.get("customer_id", ""),
        till=body.get("till", ""),
        updated_at=event.at,
        run=event.run,
        content_seq=event.seq,
        last_seq=event.seq,
    )
    if record is None:
        return fresh
    return replace(
        fresh,
        answer=record.answer,
        attempts=record.attempts,
        first_sent_at=record.first_sent_at,
        numbered_at=record.numbered_at,
        waits=record.waits,
        waited_from=record.waited_from,
        waited_to=record.waited_to,
        unexpected_duplicate=record.unexpected_duplicate,
        accepted=record.accepted,
        cancellation=record.cancellation,
        also=record.also,
        look_owed=record.look_owed,
    )


def _told(record: Record, event: Event, body: Mapping[str, Any], common: Mapping[str, Any]) -> Record:
    """Return what is known of a document after something that neither a request nor an answer said."""
    match event.kind:
        case Kind.RECOGNISED if body.get("at_provider"):
            return replace(record, accepted=True, **common)
        case Kind.RECOGNISED:
            also = (*record.also, Appearance(body["external_ref"], body["date"], body["branch"], body["till"]))
            return replace(record, also=also, **common)
        case Kind.WITHDRAWN:
            return replace(record, withdrawn_at=event.at, **common)
        case Kind.LOOK_OWED:
            return replace(record, look_owed=body["why"], **common)
        case _:
            raise ValueError(f"event {event.seq} is not about a document")


def _answered(record: Record, event: Event, body: Mapping[str, Any], common: Mapping[str, Any]) -> Record:
    state = State(body["state"])
    answer = read_answer(body["answer"])
    if state is State.INVALID and not answer.document_id:
        answer = replace(
            answer,
            document_id=record.answer.document_id,
            control_number=record.answer.control_number,
            generation_code=record.answer.generation_code,
        )
    return replace(
        record,
        state=state,
        answer=answer,
        reason=body.get("reason", ""),
        unexpected_duplicate=record.unexpected_duplicate or bool(body.get("unexpected_duplicate")),
        numbered_at=record.numbered_at or (event.at if answer.control_number else ""),
        settled_at=_settled_at(record, event, state),
        look_owed="",
        **common,
    )


def _settled_at(record: Record, event: Event, state: State) -> str:
    """When it came to what it is: an answer that says the same again does not move that."""
    if state not in SETTLED:
        return ""
    return record.settled_at if record.state is state and record.settled_at else event.at


def _requested(before: Cancellation | None, event: Event) -> Cancellation:
    known = before or Cancellation(step=CancelStep.REQUESTED, requested_at=event.at)
    step, requests = CancelStep.REQUESTED, known.requests + 1
    return replace(known, step=step, requests=requests, updated_at=event.at, reason="", words="")


def _in_doubt(before: Cancellation | None, event: Event, body: Mapping[str, Any]) -> Cancellation | None:
    """After a request without an answer; one that never left is as if it had not been meant."""
    if before is None:
        raise ValueError(f"event {event.seq} speaks of a cancellation that was never requested")
    requests = before.requests - (1 if body["unsent"] else 0)
    if not requests:
        return None
    step = CancelStep(body["step"])
    return replace(
        before, step=step, requests=requests, updated_at=event.at, reason=body["reason"], words=body["words"]
    )


def _cancel_answered(record: Record, event: Event, body: Mapping[str, Any], common: Mapping[str, Any]) -> Record:
    before = record.cancellation or Cancellation(step=CancelStep.REQUESTED)
    memo = CreditMemo(**body["memo"]) if body.get("memo") else before.memo
    after = replace(
        before,
        step=CancelStep(body["step"]),
        updated_at=event.at,
        stamp=body.get("stamp", ""),
        memo=memo,
        reason=body.get("reason", ""),
        words=body.get("words", ""),
    )
    if after.step is not CancelStep.DONE:
        return replace(record, cancellation=after, **common)
    return replace(
        record, state=State.CANCELLED, cancellation=after, settled_at=event.at, reason="", look_owed="", **common
    )


# The order of the fields is that of the JSON, and an event's hash covers its text: a new field goes before
# `observaciones`, and none changes its place.
_PLAIN = tuple(field.name for field in fields(Answer) if field.name not in ("observaciones", "amounts"))
_AMOUNT_OF = {f"amount_{field.name}": field.name for field in fields(Amounts)}


def write_answer(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain JSON, empty fields left out and amounts as texts beside the others."""
    plain: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(answer, name))}
    if answer.observaciones:
        plain["observaciones"] = list(answer.observaciones)
    for key, name in _AMOUNT_OF.items():
        if (amount := getattr(answer.amounts, name)) is not None:
            plain[key] = str(amount)
    return plain


def read_answer(plain: Mapping[str, Any]) -> Answer:
    """Return the answer that `write_answer` wrote."""
    if not plain:
        return NO_ANSWER
    amounts = {_AMOUNT_OF[key]: Decimal(value) for key, value in plain.items() if key in _AMOUNT_OF}
    rest = {key: value for key, value in plain.items() if key not in _AMOUNT_OF}
    return Answer(**{**rest, "observaciones": tuple(rest.get("observaciones", ()))}, amounts=Amounts(**amounts))


def write_cancellation(cancellation: Cancellation | None) -> dict[str, Any]:
    """Return a cancellation as plain JSON, empty fields left out; nothing at all for None."""
    if cancellation is None:
        return {}
    plain = {name: value for name, value in _fields(cancellation).items() if value}
    if cancellation.memo is not None:
        plain["memo"] = write_memo(cancellation.memo)
    return plain | {"step": cancellation.step.value}


def read_cancellation(plain: Mapping[str, Any]) -> Cancellation | None:
    """Return the inverse of `write_cancellation`."""
    if not plain:
        return None
    memo = CreditMemo(**plain["memo"]) if "memo" in plain else None
    return Cancellation(**{**plain, "step": CancelStep(plain["step"]), "memo": memo})


def write_memo(memo: CreditMemo) -> dict[str, str]:
    """Return a credit note as plain JSON, empty fields left out."""
    return {name: value for name, value in _fields(memo).items() if value}


def _fields(value: Cancellation | CreditMemo) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One execution of a command that wrote the ledger."""

    run: str
    company: str
    command: str
    version: str
    started_at: str
    ended_at: str = ""
    exit_code: int | None = None
    pid: int = 0
    host: str = ""
    summary: Mapping[str, Any] | None = None
    """What was read (`RUN_READ`): sources, rows, documents, refs, held-back documents with problems, conflicts;
    where its event names another run (`same_as`), what that one read: it was the very same."""
    ending: Mapping[str, Any] | None = None
    """How it ended (`RUN_ENDED`): POSTs, seconds, the sentence that stopped it."""

    @property
    def read(self) -> Mapping[str, Any]:
        """`summary`, empty where the run was killed before it had read everything."""
        return self.summary or {}

    @property
    def outcome(self) -> Mapping[str, Any]:
        """`ending`, empty where the run was killed, or is still under way."""
        return self.ending or {}


class Like(NamedTuple):
    """A document that is like a sale of the files in everything but its reference."""

    likeness: str
    external_ref: str
    content_seq: int
    source: tuple[str, str]
    """File and sheet."""
    first_row: int
    """0: the ledger does not know."""
    has_other_names: bool
    """Whether a person said that it stands otherwise in some file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A document that has a control number. `at`: when we first learned it, which gives its calendar year."""

    control_number: str
    external_ref: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One stay of a document in contingency."""

    external_ref: str
    gross: Decimal
    entered_at: str
    left_at: str = ""
    """Empty while it lasts."""
    left_to: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a person wrote about a document. It changes no state."""

    seq: int
    at: str
    external_ref: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """Somebody answers for the documents of a period as they were at the event before this one."""

    seq: int
    at: str
    by: str
    role: str
    """`preparer` or `reviewer`."""
    first: str
    """First day in El Salvador, ISO."""
    last: str
    content: str
    """Digest of what the ledger said of the period's documents."""
    documents: int
    gross: Decimal
    needs_person: int
    """Documents that needed a person when it was signed."""
    after: int
    """The newest event when it was signed."""
    hash: str
    """That event's hash: proves the ledger up to it."""


def read_note(event: Event, body: Mapping[str, Any]) -> Note:
    """Return the note of a `NOTED` event."""
    return Note(seq=event.seq, at=event.at, external_ref=body["ref"], by=body["by"], reason=body["reason"])


def read_sign_off(event: Event, body: Mapping[str, Any]) -> SignOff:
    """Return the sign-off of a `SIGNED` event."""
    return SignOff(
        seq=event.seq, at=event.at, by=body["by"], role=body["role"], first=body["first"], last=body["last"],
        content=body["content"], documents=body["documents"], gross=Decimal(body["gross"]),
        needs_person=body["needs_person"], after=body["after"], hash=body["hash"],
    )  # fmt: skip
