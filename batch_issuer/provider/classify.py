"""What an answer means: the flag table of the provider's documentation, as a pure function.

The booleans alone decide. A stamp is believed only with a non-empty `reception_stamp`; what contradicts itself or is
not documented is `unsure`, and a flag that is missing or of another type proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from batch_issuer.documents import State

FLAGS = ("success", "dte_success", "contingency", "rejected")


class Reason(StrEnum):
    """Why a document is `unsure` or was not sent."""

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


def classify(plain: Mapping[str, Any], external_ref: str, *, confirmed: bool) -> tuple[State, Reason | None]:
    """The state that a 200 answer proves, with the reason where that is `unsure`.

    `confirmed` says that the answer comes from a status query, which settles what an issuing answer leaves open
    (provider.md 15a: contingency and refusal at once is a refusal once the status says it too).
    """
    if _names_another(plain, external_ref):
        return State.UNSURE, Reason.OTHER_DOCUMENT
    if any(not isinstance(plain.get(name), bool | None) for name in FLAGS):
        return State.UNSURE, Reason.NOT_UNDERSTOOD
    success, dte_success, contingency, rejected = (plain.get(name) for name in FLAGS)
    stamp = plain.get("reception_stamp")
    stamped = isinstance(stamp, str) and bool(stamp.strip())
    match success, dte_success, contingency, rejected:
        case (True | None, True, False | None, False | None) if stamped:
            return State.STAMPED, None
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


def _names_another(plain: Mapping[str, Any], external_ref: str) -> bool:
    """An answer about another reference than the one asked for proves nothing about ours."""
    named = plain.get("external_ref")
    return isinstance(named, str) and bool(named) and named != external_ref
