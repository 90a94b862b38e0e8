"""What the ledger writes: events that are never changed, each with a hash over itself and the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

FIRST_HASH = "0" * 64
"""Stands for the hash before the first event."""


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
    """Return the hash of an event: SHA-256, in hexadecimal, over its fields and the hash of the one before."""
    return hash_of(previous, event.seq, event.at, event.run, event.company, event.external_ref, event.kind, event.body)


def hash_of(previous: str, *covered: str | int) -> str:
    """Return the hash of an event that is not made yet, from the hash before and its other fields in their order."""
    text = _HASHED.encode((previous, *covered))
    # Half a character, as damage leaves it, makes the hash wrong and must not make it impossible.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# What was tampered with may be of any type: its hash is wrong then, and nothing breaks on the way to saying so.
_HASHED = json.JSONEncoder(ensure_ascii=False, default=repr)
