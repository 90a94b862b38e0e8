"""Which of the provider's customers a plan would make or change, as far as the ledger can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from batch_issuer.model.records import Record
from batch_issuer.model.states import Action
from batch_issuer.plan.plan import Plan
from batch_issuer.plan.prepare import Prepared
from batch_issuer.provider import wire


class Seen(StrEnum):
    """What the ledger knows of a customer."""

    NEW = "new"
    """Never sent from here: the provider makes it, or changes it if it has it from elsewhere."""
    CHANGED = "changed"
    """Sent before with other data."""
    SAME = "same"


class Remembers(Protocol):
    """What is asked of a ledger."""

    def last_of_customers(self, company: str, numbers: Sequence[str]) -> dict[str, Record]: ...

    def bodies(self, records: Sequence[Record]) -> dict[str, bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """One customer whom documents to be issued name."""

    number: str
    """NIT, else DUI, without hyphens."""
    documents: int
    doc_types: tuple[str, ...]
    sent: Mapping[str, str]
    """The fields that are sent, by the provider's names."""
    seen: Seen
    changes: tuple[tuple[str, str, str], ...] = ()
    """Field, what was sent before, what would be sent now."""

    @property
    def name(self) -> str:
        return self.sent.get("name", "")

    def as_json(self) -> dict[str, Any]:
        """Return one entry of `customers` in `--json`."""
        return {
            "id": self.number,
            "name": self.name,
            "documents": self.documents,
            "doc_types": list(self.doc_types),
            "seen": self.seen.value,
            "changes": [{"field": field, "before": before, "now": now} for field, before, now in self.changes],
            "fields": dict(self.sent),
        }


def touched(prepared: Prepared, plan: Plan, ledger: Remembers | None, company: str) -> tuple[Touched, ...]:
    """Return every customer with NIT or DUI whom a document to be issued names, in the order of the files."""
    # Only documents that go out carry a customer: what is settled changes nobody's data.
    issued = {step.candidate.customer_id for step in plan.of(Action.ISSUE, Action.ASK)} - {""}
    numbers = [number for number in prepared.customers.named if number in issued]
    before: Mapping[str, Record] = {}
    bodies: Mapping[str, bytes] = {}
    if ledger and numbers:
        before = ledger.last_of_customers(company, numbers)
        bodies = ledger.bodies(list(before.values()))
    found = []
    for number in numbers:
        named = prepared.customers.named[number]
        sent = wire.person(named.customer)
        changes: tuple[tuple[str, str, str], ...] = ()
        seen = Seen.NEW
        if number in before:
            known = wire.person_in(bodies[before[number].external_ref])
            # A field that is not sent leaves the provider's as it is: only what would be sent can change something.
            changes = tuple(
                (name, known.get(name, ""), now) for name, now in sent.items() if known.get(name, "") != now
            )
            seen = Seen.CHANGED if changes else Seen.SAME
        found.append(
            Touched(
                number=number, documents=named.documents, doc_types=tuple(sorted(named.doc_types)), sent=sent,
                seen=seen, changes=changes,
            )
        )  # fmt: skip
    return tuple(found)
