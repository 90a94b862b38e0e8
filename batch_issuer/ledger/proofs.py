"""One stamp, code or control number proves one document: where an answer gives another's, it proves neither.

Looked at in the transaction that writes the answer, so that no two runs, processes or ledgers of one file can pass it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection

from batch_issuer.ledger.rows import identifier
from batch_issuer.model.days import year_of
from batch_issuer.model.records import SHARED_PROOF, Kind, NewEvent
from batch_issuer.model.states import ISSUED, State

_NUMBER = "control_number"

# One query for each column: asked with OR, SQLite takes no index and reads every document of the company.
_SEARCH = {
    name: (
        f"SELECT external_ref, state, numbered_at, answer, {name} AS proof FROM documents "  # noqa: S608 - our own names
        f"WHERE company = ? AND {name} IN (SELECT value FROM json_each(?))"
    )
    for name in ("generation_code", "reception_stamp", _NUMBER)
}

Proof = tuple[str, str]
"""Which of the three it is, and its value as it is compared."""


class Owner(NamedTuple):
    """A document that has a proof. Empty text means that its answer does not say."""

    state: str
    year: int
    """The calendar year in which it was numbered: numbers begin anew each year."""
    issuer: str
    environment: str

    def may_share_a_number_with(self, other: Owner) -> bool:
        """Whether both count in series of their own, so that one number stands for two documents."""
        return any(mine and theirs and mine != theirs for mine, theirs in zip(self[1:], other[1:], strict=True))


def without_shared_proofs(connection: Connection, company: str, at: str, new: Sequence[NewEvent]) -> Sequence[NewEvent]:
    """Return the events, with doubt in place of every claim whose stamp, code or number is another document's.

    `at` is when they are written. Whoever had it before is in doubt too from then on, if it still claims anything.
    """
    if not any(map(_is_claim, new)):
        return new
    owners = _owners(connection, company, [one for one in new if _is_claim(one)])
    doubted: dict[str, str] = {}
    written: list[NewEvent] = []
    for one in new:
        # Taken one after the other: of two claims in one batch, the second finds the first.
        others = _take(owners, one, year_of(at)) if _is_claim(one) else {}
        if others:
            doubted.update({ref: one.external_ref for ref, owner in others.items() if owner.state in ISSUED})
            one = replace(one, body={**one.body, "state": State.UNSURE.value, "reason": SHARED_PROOF})  # noqa: PLW2901
        written.append(one)
    for reference, other in doubted.items():
        body = {"state": State.UNSURE.value, "reason": SHARED_PROOF, "answer": {}, "detail": other}
        written.append(NewEvent(kind=Kind.UNANSWERED, external_ref=reference, body=body))
    return written


def _is_claim(event: NewEvent) -> bool:
    return event.kind is Kind.ANSWERED and event.body["state"] in ISSUED


def _take(owners: dict[Proof, dict[str, Owner]], claim: NewEvent, year: int) -> dict[str, Owner]:
    """Return the other documents that have a proof of this one; from now on it is an owner too."""
    answer = claim.body["answer"]
    mine = Owner(claim.body["state"], year, answer.get("issuer_nit", ""), answer.get("environment", ""))
    found: dict[str, Owner] = {}
    for proof in _proofs(answer):
        found |= {
            reference: owner
            for reference, owner in owners.setdefault(proof, {}).items()
            if reference != claim.external_ref and not (proof[0] == _NUMBER and owner.may_share_a_number_with(mine))
        }
        owners[proof][claim.external_ref] = mine
    return found


def _proofs(answer: Mapping[str, Any]) -> Iterator[Proof]:
    for name in ("generation_code", "reception_stamp"):
        if value := answer.get(name, ""):
            yield name, identifier(value)
    if value := answer.get(_NUMBER, ""):
        yield _NUMBER, value


def _owners(connection: Connection, company: str, claims: Sequence[NewEvent]) -> dict[Proof, dict[str, Owner]]:
    """Return the documents that have one of the proofs already, by reference."""
    wanted: dict[str, list[str]] = {}
    for one in claims:
        for name, value in _proofs(one.body["answer"]):
            wanted.setdefault(name, []).append(value)
    found: dict[Proof, dict[str, Owner]] = {}
    for name, values in wanted.items():
        for row in connection.exec_driver_sql(_SEARCH[name], (company, json.dumps(values))):
            answer = json.loads(row.answer)
            year = year_of(row.numbered_at) if row.numbered_at else 0
            owner = Owner(row.state, year, answer.get("issuer_nit", ""), answer.get("environment", ""))
            found.setdefault((name, row.proof), {})[row.external_ref] = owner
    return found
