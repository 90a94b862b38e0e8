"""What the ledger tells beside documents: its runs, what persons wrote, and documents seen from one side only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from batch_issuer.model.events import Event
from batch_issuer.model.states import State


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
    """Read the note of a `NOTED` event."""
    return Note(seq=event.seq, at=event.at, external_ref=body["ref"], by=body["by"], reason=body["reason"])


def read_sign_off(event: Event, body: Mapping[str, Any]) -> SignOff:
    """Read the sign-off of a `SIGNED` event."""
    return SignOff(
        seq=event.seq, at=event.at, by=body["by"], role=body["role"], first=body["first"], last=body["last"],
        content=body["content"], documents=body["documents"], gross=Decimal(body["gross"]),
        needs_person=body["needs_person"], after=body["after"], hash=body["hash"],
    )  # fmt: skip
