"""One stamp, code or control number proves one document: where an answer gives another's, it proves neither.

Looked at in the transaction that writes the answer, so that no two runs, processes or ledgers of one file can pass it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, or_, select

from batch_issuer.days import year_of
from batch_issuer.documents import State
from batch_issuer.ledger import schema
from batch_issuer.ledger.records import SHARED_PROOF, Kind, NewEvent
from batch_issuer.ledger.rows import identifier

_AT_ONCE = 300
"""Answers looked at in one query."""
_CLAIMS = (State.STAMPED.value, State.CONTINGENCY.value)
"""States that an answer proves by what it names."""

Proof = tuple[str, str]
"""Which of the three it is, and its value as it is compared."""


def without_shared_proofs(connection: Connection, company: str, at: str, new: Sequence[NewEvent]) -> Sequence[NewEvent]:
    """The events, with doubt in place of every claim whose stamp, code or number is another document's.

    `at` is when they are written. Whoever had it before is in doubt too from then on, if it still claims anything.
    """
    claims = [one for one in new if one.kind is Kind.ANSWERED and one.body["state"] in _CLAIMS]
    if not claims:
        return new
    owners = _owners(connection, company, at, claims)
    doubted: dict[str, str] = {}
    written: list[NewEvent] = []
    for one in new:
        if one.kind is not Kind.ANSWERED or one.body["state"] not in _CLAIMS:
            written.append(one)
            continue
        others = {}
        for proof in _proofs(one):
            others.update({ref: state for ref, state in owners.get(proof, {}).items() if ref != one.external_ref})
            owners.setdefault(proof, {})[one.external_ref] = one.body["state"]
        if not others:
            written.append(one)
            continue
        written.append(replace(one, body={**one.body, "state": State.UNSURE.value, "reason": SHARED_PROOF}))
        doubted.update({ref: one.external_ref for ref, state in others.items() if state in _CLAIMS})
    return [*written, *(_doubt(reference, other) for reference, other in doubted.items())]


def _doubt(reference: str, other: str) -> NewEvent:
    """That a document is in doubt, because another one was answered with its stamp, code or number."""
    body = {"state": State.UNSURE.value, "reason": SHARED_PROOF, "answer": {}, "detail": other}
    return NewEvent(kind=Kind.UNANSWERED, external_ref=reference, body=body)


def _proofs(answered: NewEvent) -> Iterator[Proof]:
    answer: Mapping[str, Any] = answered.body["answer"]
    for name in ("generation_code", "reception_stamp"):
        if value := answer.get(name, ""):
            yield name, identifier(value)
    if value := answer.get("control_number", ""):
        yield "control_number", value


def _owners(connection: Connection, company: str, at: str, claims: Sequence[NewEvent]) -> dict[Proof, dict[str, str]]:
    """References and states of the documents that have one of the proofs already. Numbers begin anew each year."""
    table = schema.documents
    found: dict[Proof, dict[str, str]] = {}
    year = year_of(at)
    wanted = [proof for one in claims for proof in _proofs(one)]
    columns = (table.c.generation_code, table.c.reception_stamp, table.c.control_number)
    for start in range(0, len(wanted), _AT_ONCE):
        values: dict[str, list[str]] = {column.name: [] for column in columns}
        for name, value in wanted[start : start + _AT_ONCE]:
            values[name].append(value)
        any_of = [column.in_(values[column.name]) for column in columns if values[column.name]]
        query = select(table.c.external_ref, table.c.state, table.c.numbered_at, *columns)
        for row in connection.execute(query.where(table.c.company == company, or_(*any_of))):
            for column in columns:
                value = getattr(row, column.name)
                if value and (
                    column is not table.c.control_number or (row.numbered_at and year_of(row.numbered_at) == year)
                ):
                    found.setdefault((column.name, value), {})[row.external_ref] = row.state
    return found
