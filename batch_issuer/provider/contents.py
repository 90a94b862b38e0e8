"""What the provider's document says against what we would send: whether the two are one sale.

The provider answers a reference that it has with the document that it has, whatever was sent. Only what both say is
compared; a document of which nothing is told differs in nothing, and proves nothing either.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, NamedTuple

from batch_issuer.model.money import figure
from batch_issuer.model.records import Answer, Record
from batch_issuer.provider.wire import read_amount

_TOLERANCE = Decimal("0.01")
"""Dollars a line: either side may round each."""
_ENOUGH = 40
"""Letters of a description: some programs cut them."""


class Difference(NamedTuple):
    """What the provider's document says otherwise, by our names of fields."""

    what: str
    ours: str
    theirs: str


def differences(record: Record, body: bytes, answer: Answer, document: Mapping[str, Any] | None) -> list[Difference]:
    """Compare a document as we would send it with what the provider has.

    `document` is the signed document in the ministry's form (`identificacion`, `receptor`, `cuerpoDocumento`), where
    the provider gave it; `answer` what else it said.
    """
    found = []
    gross = answer.amounts.gross
    if gross is not None and abs(gross - record.expected_gross) > _TOLERANCE * max(record.lines, 1):
        found.append(Difference("gross", figure(record.expected_gross), figure(gross)))
    if document is not None:
        plain = json.loads(body, parse_float=Decimal)
        found += [*_date(record, document), *_recipient(plain, document), *_lines(plain, document)]
    return found


def _date(record: Record, document: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare the days: no document is issued before its sale, and one issued later may be this sale's."""
    identification = document.get("identificacion")
    issued = identification.get("fecEmi") if isinstance(identification, dict) else None
    if record.date and isinstance(issued, str) and issued < record.date:
        with suppress(ValueError):  # what is no day at all is earlier than nothing
            dt.date.fromisoformat(issued)
            yield Difference("date", record.date, issued)


def _recipient(plain: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Difference]:
    theirs = next((one for key in ("receptor", "sujetoExcluido") if isinstance(one := document.get(key), dict)), None)
    if theirs is None:
        return
    ours: Mapping[str, Any] = next((plain[key] for key in ("customer", "subject") if key in plain), {})
    # Programs differ in capitals, spaces and the dashes of numbers: those are not compared.
    name = ours.get("name") or plain.get("customer_name", "")
    pairs = (
        ("customer.name", _words(name), _words(theirs.get("nombre"))),
        (
            "customer.number",
            _digits(ours.get("nit") or ours.get("dui")),
            _digits(theirs.get("nit") or theirs.get("numDocumento")),
        ),
        ("customer.nrc", _digits(ours.get("nrc")), _digits(theirs.get("nrc"))),
    )
    yield from (Difference(what, mine, other) for what, mine, other in pairs if mine and other and mine != other)


def _lines(plain: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[Difference]:
    ours, theirs = plain.get("lines"), document.get("cuerpoDocumento")
    if not isinstance(ours, list) or not isinstance(theirs, list) or not all(isinstance(one, dict) for one in theirs):
        return
    if len(ours) != len(theirs):
        yield Difference("lines", str(len(ours)), str(len(theirs)))
        return
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True), 1):
        described = _words(other.get("descripcion"))[:_ENOUGH]
        if described and described != _words(mine["description"])[:_ENOUGH]:
            yield Difference(f"lines[{number}].description", mine["description"], str(other["descripcion"])[:200])
        quantity = read_amount(other, "cantidad")
        if quantity is not None and quantity != Decimal(mine["quantity"]):
            yield Difference(f"lines[{number}].quantity", str(mine["quantity"]), str(quantity))


def _words(value: object) -> str:
    return " ".join(value.split()).casefold() if isinstance(value, str) else ""


def _digits(value: object) -> str:
    return "".join(letter for letter in value if letter.isdecimal()) if isinstance(value, str) else ""


def document_in(plain: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the signed document of an answer, its `schema` (provider.md 11) or `dte`; None where it has none."""
    for name in ("schema", "dte"):
        found = plain.get(name)
        if isinstance(found, dict) and isinstance(found.get("identificacion"), dict):
            return found
    return None
