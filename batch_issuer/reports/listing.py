"""All documents as the page's script gets them: columns of numbers, with each repeated text written once.

A page that draws 26,000 rows itself takes ten seconds to open; the same as data takes half a second.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from batch_issuer.documents import State
from batch_issuer.ledger.records import Record
from batch_issuer.messages import Messages
from batch_issuer.reconciliation import HeldBack, Reconciliation
from batch_issuer.reports.figures import masked_name, printable, span
from batch_issuer.reports.series import split_control_number
from batch_issuer.reports.wording import HELD_BACK, NAMES, type_name

WHOLE = 40_000
"""Up to so many documents the page has generation codes and stamps too (about 170 bytes a document)."""
BRIEF = 100_000
"""Up to so many it has all but those (about 80 bytes); beyond, those that need nobody are in the workbook only."""

_STATE_NUMBERS = {name: number for number, name in enumerate((*State, HELD_BACK))}


class Texts:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.listed)
            self.listed.append(printable(text))
        return found


@dataclass(frozen=True, slots=True)
class Dictionaries:
    """The texts that repeat from document to document."""

    types: Texts = field(default_factory=Texts)
    branches: Texts = field(default_factory=Texts)
    dates: Texts = field(default_factory=Texts)
    customers: Texts = field(default_factory=Texts)
    places: Texts = field(default_factory=Texts)
    series: Texts = field(default_factory=Texts)


def listed_records(reconciliation: Reconciliation) -> Sequence[Record]:
    """The documents that the list holds: all, or none of the stamped and cancelled where there are too many."""
    if len(reconciliation.records) <= BRIEF:
        return reconciliation.records
    return [one for one in reconciliation.records if one.state not in (State.STAMPED, State.CANCELLED)][:BRIEF]


def listing(reconciliation: Reconciliation, messages: Messages, *, mask: bool) -> str:
    """The list as JSON that can stand inside a script element."""
    records = listed_records(reconciliation)
    texts = Dictionaries()
    rows = [*_rows(records, texts, mask=mask), *_held_rows(reconciliation.held_back, texts, mask=mask)]
    names = ("ref", "state", "type", "branch", "date", "customer", "place", "rows", "cents", "difference", "withheld",
             "series", "number", "when")  # fmt: skip
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {name: () for name in names}
    content = {
        "states": [[name, messages.text(NAMES[name])] for name in _STATE_NUMBERS],
        "types": [type_name(text, messages) for text in texts.types.listed],
        "branches": texts.branches.listed,
        "dates": texts.dates.listed,
        "customers": texts.customers.listed,
        "places": texts.places.listed,
        "series": texts.series.listed,
        "columns": columns,
        "codes": _codes(records) if len(records) <= WHOLE else None,
    }
    return inside_script(content)


def inside_script(content: Any) -> str:
    """JSON that no text within it can end, nor turn into markup."""
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _rows(records: Iterable[Record], texts: Dictionaries, *, mask: bool) -> Iterable[tuple[object, ...]]:
    shown = masked_name if mask else str
    for record in records:
        source = record.source
        amounts = record.answer.amounts
        series, number = _numbered(record.answer.control_number, texts)
        yield (
            printable(record.external_ref),
            _STATE_NUMBERS[record.state],
            texts.types(record.doc_type),
            texts.branches(record.branch),
            texts.dates(record.date),
            texts.customers(shown(record.customer)),
            texts.places(f"{source.file} · {source.sheet}" if source.sheet else source.file),
            span(source.rows),
            _cents(record.expected_gross),
            0 if amounts.gross is None else _cents(amounts.gross - record.expected_gross),
            _cents(amounts.retention) if amounts.retention else 0,
            series,
            number,
            _seconds(record.settled_at or record.numbered_at),
        )


def _held_rows(held_back: Iterable[HeldBack], texts: Dictionaries, *, mask: bool) -> Iterable[tuple[object, ...]]:
    shown = masked_name if mask else str
    for one in held_back:
        yield (
            printable(one.external_ref),
            _STATE_NUMBERS[HELD_BACK],
            texts.types(one.doc_type),
            texts.branches(one.branch),
            texts.dates(one.date),
            texts.customers(shown(one.customer)),
            texts.places(f"{one.file} · {one.sheet}" if one.sheet else one.file),
            span(one.rows),
            _cents(one.gross),
            0,
            0,
            -1,
            -1,
            0,
        )


def _numbered(control_number: str, texts: Dictionaries) -> tuple[int, int]:
    """A control number as series and number; one that is built otherwise is a series of its own."""
    if not control_number:
        return -1, -1
    series, number = split_control_number(control_number) or (control_number, -1)
    return texts.series(series), number


def _codes(records: Iterable[Record]) -> dict[str, list[str]]:
    answers = [record.answer for record in records]
    return {
        "generation": [printable(answer.generation_code) for answer in answers],
        "stamp": [printable(answer.reception_stamp) for answer in answers],
    }


def _cents(amount: Decimal) -> int:
    return int(amount * 100)


def _seconds(utc: str) -> int:
    """Seconds since 1970; 0 where no time is known."""
    return int(datetime.fromisoformat(utc).timestamp()) if utc else 0
