"""What is signed, and whether it is still what was signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from batch_issuer.model.records import Record, SignOff
from batch_issuer.reconcile.sums import tally
from batch_issuer.reconcile.values import SignedOff

FOR_EVER = ("", "9999-12-31")


def content_of(records: Iterable[Record]) -> str:
    """Return the SHA-256 of what the ledger says of documents in any order: contents, states, amounts and proofs."""
    # In an order of its own: the ledger's is that of planning, which a correction changes.
    lines = sorted(
        "\t".join(
            (
                record.external_ref,
                record.doc_type,
                record.state.value,
                record.fingerprint,
                str(record.expected_gross),
                str(record.answer.amounts.gross),
                str(record.answer.amounts.retention),
                record.answer.control_number,
                record.answer.generation_code,
                record.answer.reception_stamp,
            )
        )
        for record in records
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def signed_off(sign_off: SignOff, records: Sequence[Record]) -> SignedOff:
    """Return a sign-off beside the documents of its period as they are now."""
    unchanged = content_of(records) == sign_off.content
    touched = () if unchanged else tuple(one.external_ref for one in records if one.last_seq > sign_off.after)
    return SignedOff(sign_off=sign_off, unchanged=unchanged, changed=touched, now=tally(records))


def share_a_day(sign_off: SignOff, first: str, last: str) -> bool:
    """Whether the period of a sign-off has a day in common with another; an empty day does not limit."""
    return (sign_off.first or FOR_EVER[0]) <= (last or FOR_EVER[1]) and first <= (sign_off.last or FOR_EVER[1])
