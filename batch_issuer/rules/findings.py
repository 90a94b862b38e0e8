"""What a rule says about a value, before it is known in which cell the value stands, and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from types import MappingProxyType

from batch_issuer.model.documents import Document
from batch_issuer.model.problems import Kind

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that breaks a rule. `value` is quoted in the message; `parameters` fill its other places."""

    kind: Kind
    value: str = ""
    parameters: Mapping[str, str] = dataclass_field(default_factory=lambda: _NONE)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault with its batch row and our field. `row` is None where a document has no line to point at."""

    kind: Kind
    row: int | None
    field: str
    value: str = ""
    parameters: Mapping[str, str] = dataclass_field(default_factory=lambda: _NONE)


@dataclass(frozen=True, slots=True)
class Checked:
    """A document with the names of catalogs turned into codes, and what the rules found."""

    document: Document
    findings: tuple[Finding, ...] = ()


def found(fault: Fault, row: int | None, field: str) -> Finding:
    """The fault in its place."""
    return Finding(fault.kind, row, field, fault.value, fault.parameters)
