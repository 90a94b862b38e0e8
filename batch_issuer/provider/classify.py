"""What an answer means: the flag table of the provider's documentation, as a pure function.

The booleans alone decide. A stamp is believed only with a non-empty `reception_stamp`; what contradicts itself or is
not documented is `unsure`, and a flag that is missing or of another type proves nothing. Both tables stay in one
piece, however long: so each can be laid beside the page that it follows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from batch_issuer.model.records import AFTER_CONTINGENCY, SHARED_PROOF, CancelStep
from batch_issuer.model.states import State

FLAGS = ("success", "dte_success", "contingency", "rejected")


class Reason(StrEnum):
    """Why a document is `unsure` or was not sent, or what is to be known of how it came to its state."""

    NOT_UNDERSTOOD = "not-understood"
    CONTRADICTORY = "contradictory"
    NO_STAMP = "no-stamp"
    NOT_REGISTERED = "not-registered"
    OTHER_DOCUMENT = "other-document"
    CONFLICT = "http-409"
    SERVER_ERROR = "server-error"
    UNEXPECTED_STATUS = "unexpected-status"
    LOST_ANSWER = "lost-answer"
    READ_TIMEOUT = "read-timeout"
    NEVER_LEFT = "never-left"
    NOT_FOUND = "not-found"
    RUN_ENDED = "run-ended"
    KEY_REFUSED = "key-refused"
    QUOTA = "quota"
    AFTER_CONTINGENCY = AFTER_CONTINGENCY
    SHARED_PROOF = SHARED_PROOF
    UNEXPECTED_DUPLICATE = "unexpected-duplicate"
    OTHER_CONTENT = "other-content"
    NOT_LOOKED_UP = "not-looked-up"
    OTHER_ISSUER = "other-issuer"
    NOT_ACCEPTED = "http-400"
    NOT_PROVEN = "not-proven"
    CCF_NOT_FOUND = "ccf-not-found"
    CCF_NOT_ISSUED = "ccf-not-issued"
    CCF_CONTINGENCY = "ccf-contingency"
    CCF_REJECTED = "ccf-rejected"
    CCF_CANCELLED = "ccf-cancelled"
    CCF_CANCELLING = "ccf-cancelling"
    CCF_UNANSWERED = "ccf-unanswered"
    NOT_A_CCF = "not-a-ccf"
    CREDIT_OVER_CCF = "credit-over-ccf"
    CREDIT_FULL_DIFFERS = "credit-full-differs"


NEEDS_PERSON = frozenset({Reason.SHARED_PROOF, Reason.UNEXPECTED_DUPLICATE, Reason.OTHER_CONTENT, Reason.OTHER_ISSUER})
"""Doubts that no other answer of the provider settles: a person has to say which sale the document is."""


def classify(plain: Mapping[str, Any], external_ref: str, *, confirmed: bool) -> tuple[State, Reason | None]:
    """Return the state that a 200 answer proves, with the reason where that is `unsure`.

    `confirmed` says that the answer comes from a status query, which settles what an issuing answer leaves open
    (provider.md 15a: contingency and refusal at once is a refusal once the status says it too).
    """
    if doubt := _unreadable(plain, external_ref):
        return State.UNSURE, doubt
    success, dte_success, contingency, rejected = (plain.get(name) for name in FLAGS)
    stamped = bool(_text(plain.get("reception_stamp")))
    # One row for each combination of flags, the first that fits counts: as long as the table of provider.md 15a.
    match success, dte_success, contingency, rejected:
        case (True | None, True, False | None, False | None) if stamped:
            return (State.CANCELLED if confirmed and is_marked_cancelled(plain) else State.STAMPED), None
        case (_, True, _, _):
            contradictory = contingency or rejected or success is False
            return State.UNSURE, Reason.CONTRADICTORY if contradictory else Reason.NO_STAMP
        case (_, _, False | None, True) if not stamped:
            return State.REJECTED, None
        case (True | None, False | None, True, True) if confirmed and not stamped:
            return State.REJECTED, None
        case (True | None, False | None, True, False | None) if not stamped:
            return State.CONTINGENCY, None
        case (True, _, False | None, False | None):
            return State.UNSURE, Reason.NO_STAMP
        case (False, _, False | None, False | None):
            return State.UNSURE, Reason.NOT_REGISTERED
        case (None, None, None, None):
            return State.UNSURE, Reason.NOT_UNDERSTOOD
        case _:
            return State.UNSURE, Reason.CONTRADICTORY


_MARKS = (
    "invalidated", "is_invalidated", "invalidado", "cancelled", "canceled", "is_cancelled", "annulled", "anulado",
)  # fmt: skip
"""Booleans by which an answer may say that a document was invalidated; the pages name none (provider.md 11)."""


def is_marked_cancelled(plain: Mapping[str, Any]) -> bool | None:
    """Whether an answer says outright that the document was invalidated, or was not; None where it does not say."""
    said = [value for name in _MARKS if isinstance(value := plain.get(name), bool)]
    return None if not said else all(said)


_OF_STAMPS = re.compile("stamp|sello", re.IGNORECASE)


def stamp_of_cancellation(plain: Mapping[str, Any], own_stamp: str, depth: int = 2) -> str:
    """Return the stamp that an answer about an invalidation gives, or an empty text.

    The pages name no field for it, so every name that speaks of a stamp is looked at, `depth` objects deep. The
    document's own stamp, which the answer may merely repeat, comes last.
    """
    found = []
    for name, value in plain.items():
        if (stamp := _text(value)) and _OF_STAMPS.search(name):
            found.append(stamp)
        elif isinstance(value, dict) and depth and name not in ("dte", "schema", "response"):
            found.append(stamp_of_cancellation(value, own_stamp, depth - 1))
    return next((stamp for stamp in found if stamp and stamp != own_stamp), own_stamp if own_stamp in found else "")


def classify_cancellation(
    plain: Mapping[str, Any], external_ref: str, own_stamp: str
) -> tuple[CancelStep, Reason | None]:
    """Return what a 200 answer about an invalidation proves; `REQUESTED` with a reason where that is nothing.

    Done is what is marked as invalidated, or has the ministry's stamp on the invalidation: one that is not the stamp of
    the document itself (`own_stamp`), which an answer may merely repeat.
    """
    replaced = plain.get("created_credit_memo") is True
    # The credit note that replaces a document has a reference of its own.
    if doubt := _unreadable(plain, None if replaced else external_ref):
        return CancelStep.REQUESTED, doubt
    success, dte_success, contingency, rejected = (plain.get(name) for name in FLAGS)
    marked, stamp = is_marked_cancelled(plain), stamp_of_cancellation(plain, own_stamp)
    match success, dte_success, contingency, rejected:
        case (_, True, _, True) | (_, True, True, _) | (False, True, _, _):
            return CancelStep.REQUESTED, Reason.CONTRADICTORY
        case (_, _, _, True) if not marked and stamp in ("", own_stamp):
            return CancelStep.REFUSED, None
        case (_, _, _, True):
            return CancelStep.REQUESTED, Reason.CONTRADICTORY
        case (True | None, _, True, _):
            return CancelStep.PENDING, None
        case (False, _, _, _):
            return CancelStep.REQUESTED, Reason.NOT_REGISTERED
        case _ if marked is False and not replaced:
            return CancelStep.REQUESTED, Reason.NOT_REGISTERED
        case (True | None, True, _, _) if stamp and (stamp != own_stamp or marked):
            return CancelStep.DONE, None
        case (True | None, True | None, _, _) if marked:
            return CancelStep.DONE, None
        case _:
            return CancelStep.REQUESTED, Reason.NOT_PROVEN


def _unreadable(plain: Mapping[str, Any], external_ref: str | None) -> Reason | None:
    """Return why an answer proves nothing whatever its flags say: it is about another reference, or they are no flags.

    Which reference it is about is not asked where `external_ref` is None.
    """
    named = plain.get("external_ref")
    if external_ref is not None and isinstance(named, str) and named not in ("", external_ref):
        return Reason.OTHER_DOCUMENT
    if any(not isinstance(plain.get(name), bool | None) for name in FLAGS):
        return Reason.NOT_UNDERSTOOD
    return None


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
