"""What is owed to a document because of what happened to another one: a look at how it stands now.

It is written with the event that causes it, so that a run which ends in between leaves it to the next one.
"""

from __future__ import annotations

from collections.abc import Iterator

from batch_issuer.ledger.store import Ledger
from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.model.states import State
from batch_issuer.provider import wire
from batch_issuer.send.naming import find_named

CREDITED = "credited"
"""A credit note over all of a CCF was stamped: the provider invalidates the CCF (provider.md 8)."""
RESTORED = "restored"
"""The ledger is an older copy: the document may have been cancelled since."""
NOTHING = ""
"""The look was taken, and the document stands as the ledger has it."""


def owed_after_stamp(ledger: Ledger, note: Record) -> Iterator[NewEvent]:
    """Yield the looks that are owed because a document was stamped: one at each CCF that it credits in full."""
    if note.doc_type != "05" or not wire.credits_all(ledger.bodies([note])[note.external_ref]):
        return
    for ccf in find_named(ledger, note.company, [note.adjusts])[0]:
        if ccf.state is State.STAMPED:
            yield look_owed(ccf, CREDITED)


def look_owed(record: Record, why: str) -> NewEvent:
    """Return the event that a look at a document is owed, or with `NOTHING` that none is any more."""
    return NewEvent(kind=Kind.LOOK_OWED, external_ref=record.external_ref, body={"why": why})
