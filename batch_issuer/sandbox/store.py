"""The documents that the sandbox holds: never two for one reference and company; kept in a file when asked to.

Records are values; a change is a new record put in the place of the old one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, Any, Self

from batch_issuer.model.documents import Amounts
from batch_issuer.sandbox.payload import Sale, SaleLine

Customer = Mapping[str, Any]
_NOBODY: Customer = MappingProxyType({})


class Standing(StrEnum):
    """Where a document stands with the ministry."""

    PENDING = "pending"
    """Registered; the ministry is being asked."""
    STAMPED = "stamped"
    CONTINGENCY = "contingency"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the ministry said, or that it did not answer."""

    standing: Standing
    state: str = ""
    message: str = ""
    code: str = ""
    observations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One registered document. Times are seconds of the sandbox's clock."""

    company: str
    environment: str
    ref: str
    doc_type: str
    document_id: str
    control_number: str
    generation_code: str
    sale: Sale
    recipient: Customer
    amounts: Amounts
    digest: str
    """Of the content that stands: hexadecimal, of the request's body."""
    registered_at: float
    visible_at: float = 0.0
    """Until then every lookup says that there is no such document."""
    standing: Standing = Standing.PENDING
    state: str = ""
    message: str = ""
    code: str = ""
    observations: tuple[str, ...] = ()
    stamp: str = ""
    settled_at: float | None = None
    received: int = 1
    """POSTs of this reference that reached the register, the refused ones included."""
    sends: int = 0
    queries: int = 0
    """Status answers given while in contingency."""
    refused_digest: str = ""
    """Content that an ordered rejection refused."""
    adjusts: str = ""
    """Type 05: document_id of the CCF."""
    cancelled_at: float | None = None
    cancelled_by: str = ""
    """document_id of the credit note that took its place."""
    cancellation_stamp: str = ""

    @property
    def family(self) -> str:
        """Return `purchase` for type 14, else `sale`."""
        return "purchase" if self.doc_type == "14" else "sale"

    @classmethod
    def read(cls, entry: dict[str, Any]) -> Record:
        """Read a record of the state file, as `Store.put` wrote it."""
        sale = entry["sale"]
        lines = tuple(
            SaleLine(description, Decimal(quantity), Decimal(price), Decimal(discount), is_service)
            for description, quantity, price, discount, is_service in sale["lines"]
        )
        amounts = {name: None if amount is None else Decimal(amount) for name, amount in entry["amounts"].items()}
        record = cls(
            **{
                **entry,
                "sale": Sale(**{**sale, "lines": lines}),
                "amounts": Amounts(**amounts),
                "standing": Standing(entry["standing"]),
                "observations": tuple(entry["observations"]),
            }
        )
        if record.standing is Standing.PENDING:  # it died while the ministry was being asked: the worker's turn
            return replace(record, standing=Standing.CONTINGENCY, settled_at=record.registered_at)
        return record

    def is_hidden(self, now: float) -> bool:
        """Whether the document is still being registered, for all that anybody can see."""
        return self.standing is Standing.PENDING or self.visible_at > now

    def as_json(self) -> dict[str, Any]:
        """Return what the control plane tells about it."""
        return {
            "ref": self.ref,
            "company": self.company,
            "environment": self.environment,
            "doc_type": self.doc_type,
            "state": self.standing.value,
            "document_id": self.document_id,
            "control_number": self.control_number,
            "generation_code": self.generation_code,
            "reception_stamp": self.stamp,
            **{f"amount_{name}": str(amount) for name, amount in _shallow(self.amounts).items()},
            "lines": len(self.sale.lines),
            "recipient": dict(self.recipient),
            "dte_state": self.state,
            "codigo_msg": self.code,
            "observaciones": list(self.observations),
            "received": self.received,
            "sends": self.sends,
            "digest": self.digest,
            "registered_at": self.registered_at,
            "adjusts": self.adjusts,
            "cancelled_by": self.cancelled_by,
        }


class Store:
    """Records by company and reference, by id, and by control number; customers by company and identity."""

    def __init__(self, *, fold_case: bool = False, shared: bool = False, first_number: int = 1) -> None:
        self._fold_case = fold_case
        self._shared = shared
        self._first_number = first_number
        self._records: dict[tuple[str, str, str], Record] = {}
        self._ids: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._memos: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._customers: dict[tuple[str, str], Customer] = {}
        self._journal: IO[str] | None = None

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def keep(self, path: Path) -> None:
        """Load what the file holds, and write every later change to it.

        The end of a line that was being written when the sandbox died is cut off; any other line that is not ours
        raises `ValueError`.
        """
        if path.exists():
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            for line in whole.decode().split("\n")[:-1]:
                entry = json.loads(line)
                if "customer" in entry:
                    company, identity = entry["customer"]["identity"]
                    self._customers[company, identity] = MappingProxyType(entry["customer"]["fields"])
                    continue
                record = self.put(Record.read(entry["record"]))
                counter, number = (record.company, record.doc_type), int(record.control_number.rpartition("-")[2])
                self._numbers[counter] = max(number, self._numbers.get(counter, 0))
            if whole != content and not content[len(whole) :].startswith(b"{"):
                raise ValueError(content[len(whole) :][:40].decode(errors="replace"))
            if whole != content:
                os.truncate(path, len(whole))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._journal = path.open("a", encoding="utf-8", newline="\n")

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def by_ref(self, company: str, family: str, ref: str) -> Record | None:
        """Return the document of a reference, visible or not."""
        return self._records.get(self._key(company, family, ref))

    def find(self, company: str, family: str, id_or_ref: str, *, control_numbers: bool = False) -> Record | None:
        """Return the document that a path names by UUID, reference or, if allowed, control number."""
        if key := self._ids.get((company, id_or_ref.lower())):
            found = self._records[key]
            if found.family == family:
                return found
        if control_numbers:
            for record in self._records.values():
                if record.company == company and record.control_number == id_or_ref:
                    return record
        return self.by_ref(company, family, id_or_ref)

    def current(self, record: Record) -> Record:
        """Return what stands now in the place of a record."""
        return self._records[self._key(record.company, record.family, record.ref)]

    def adjusting(self, ccf: Record) -> list[Record]:
        """Return the credit notes of a CCF."""
        return [self._records[key] for key in self._memos.get((ccf.company, ccf.document_id), ())]

    def next_number(self, company: str, doc_type: str) -> int:
        """Return the next control number of a type, used up by asking."""
        number = self._numbers.get((company, doc_type), self._first_number - 1) + 1
        self._numbers[company, doc_type] = number
        return number

    def put(self, record: Record) -> Record:
        """Keep a new or changed record, and return it. Raises `AssertionError` for a reference's second document."""
        key = self._key(record.company, record.family, record.ref)
        before = self._records.get(key)
        # What tests of a client rest on: a sandbox with two documents for one sale would prove nothing.
        if before is not None and before.document_id != record.document_id:
            raise AssertionError(f"second document for {record.ref!r}")
        self._records[key] = record
        if before is None and record.adjusts:
            self._memos.setdefault((record.company, record.adjusts), []).append(key)
        self._ids[record.company, record.document_id] = key
        if self._journal is not None:
            self._write({"record": _shallow(record)})
        return record

    def merge_customer(self, company: str, sent: Customer, defaults: Customer) -> Customer:
        """Store and return a customer: that of this NIT or DUI, else the defaults, with the fields that were sent."""
        identities = [(company, f"{name}:{sent[name]}") for name in ("nit", "dui") if sent.get(name)]
        known = next((self._customers[identity] for identity in identities if identity in self._customers), defaults)
        merged = MappingProxyType({**known, **sent})
        # Under both numbers, so that a sale with either of them finds the same customer.
        for identity in identities:
            self._customers[identity] = merged
            if self._journal is not None:
                self._write({"customer": {"identity": identity, "fields": dict(merged)}})
        return merged

    def customers(self, company: str | None = None) -> list[Customer]:
        """Return the stored customers, of one company or of all."""
        found = (customer for (owner, _), customer in self._customers.items() if company in (None, owner))
        return list({id(customer): customer for customer in found}.values())

    def _key(self, company: str, family: str, ref: str) -> tuple[str, str, str]:
        return company, "" if self._shared else family, ref.casefold() if self._fold_case else ref

    def _write(self, entry: Mapping[str, Any]) -> None:
        if self._journal is not None:
            self._journal.write(json.dumps(entry, default=_plain, ensure_ascii=False) + "\n")
            self._journal.flush()


def _shallow(value: Record | Sale | Amounts) -> dict[str, Any]:
    """Return the fields by name; `asdict` would copy every line and customer with them."""
    return {item.name: getattr(value, item.name) for item in fields(value)}


def _plain(value: object) -> Any:
    """Return a value as JSON can have it, for `json.dumps`."""
    if isinstance(value, Sale | Amounts):
        return _shallow(value)
    return dict(value) if isinstance(value, Mapping) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A POST that a careful client would not have made: one document more, had the provider been careless."""

    kind: str
    company: str
    ref: str
    at: float
    """Seconds since the sandbox started."""
    changed: bool = field(default=False)
    """The content differs from what is registered."""

    def as_json(self) -> dict[str, Any]:
        """Return one entry of `violations`."""
        return asdict(self)
