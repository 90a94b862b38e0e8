"""All documents as the page's script gets them: columns of numbers, with each repeated text written once.

A page that draws 26,000 rows itself takes ten seconds to open; the same as data takes half a second.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from batch_issuer.messages import Messages
from batch_issuer.model.money import in_cents
from batch_issuer.model.records import Record
from batch_issuer.model.states import OPEN, State
from batch_issuer.reconcile import HeldBack, Missing, Reconciliation, split_control_number
from batch_issuer.reports.figures import printable, span
from batch_issuer.reports.page.exceptions import Reason
from batch_issuer.reports.wording import HELD_BACK, MISSING, NAMES, type_name

WHOLE = 40_000
"""Up to so many documents the page has generation codes and stamps too (about 170 bytes a document)."""
BRIEF = 100_000
"""Up to so many it has all but those (about 80 bytes); beyond, those that need nobody are in the workbook only."""

_STATE_NUMBERS = {name: number for number, name in enumerate((*State, HELD_BACK, MISSING))}


class Texts:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.listed)
            self.listed.append(text)
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
    known = (*reconciliation.records, *reconciliation.only_in_ledger)
    if len(known) <= BRIEF:
        return known
    return [one for one in known if one.state in OPEN][:BRIEF]


def listing(
    reconciliation: Reconciliation, reasons: Sequence[Reason], messages: Messages, fingerprint: str = ""
) -> str:
    """The list as JSON that can stand inside a script element.

    By the fingerprint the page knows whether what its reader chose was chosen in this report.
    """
    records = listed_records(reconciliation)
    texts = Dictionaries()
    columns = _columns(records, texts)
    for state, unknown in ((HELD_BACK, reconciliation.held_back), (MISSING, reconciliation.missing)):
        for name, values in _unsent_columns(state, unknown, texts).items():
            columns[name] += values
    content = {
        "fingerprint": fingerprint,
        "states": [[name, messages.text(NAMES[name])] for name in _STATE_NUMBERS],
        "types": [type_name(text, messages) for text in texts.types.listed],
        "branches": texts.branches.listed,
        "dates": texts.dates.listed,
        "customers": texts.customers.listed,
        "places": texts.places.listed,
        "series": texts.series.listed,
        "reasons": [reason.title for reason in reasons],
        **_reasons_of(columns["ref"], reasons),
        "columns": columns,
        "codes": _codes(records) if len(records) <= WHOLE else None,
    }
    return inside_script(content)


def _reasons_of(references: Sequence[str], reasons: Sequence[Reason]) -> dict[str, list[Any]]:
    """Each set of reasons that a document has, once, and which set is whose. Most documents have none."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, reason in enumerate(reasons):
        for reference in reason.references:
            numbers[reference].append(number)
    sets: dict[tuple[int, ...], int] = {(): 0}
    whose = [sets.setdefault(tuple(numbers.get(one, ())), len(sets)) for one in references]
    return {"sets": [list(one) for one in sets], "reason": whose}


def inside_script(content: Any) -> str:
    """JSON that no text within it can end, nor turn into markup."""
    plain = printable(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    for mark in "&<>\u2028\u2029":
        plain = plain.replace(mark, f"\\u{ord(mark):04x}")
    return plain


def _columns(records: Sequence[Record], texts: Dictionaries) -> dict[str, list[Any]]:
    answers = [one.answer for one in records]
    numbered = [_numbered(answer.control_number, texts) for answer in answers]
    return {
        "ref": [one.external_ref for one in records],
        "state": [_STATE_NUMBERS[one.state] for one in records],
        "type": [texts.types(one.doc_type) for one in records],
        "branch": [texts.branches(one.branch) for one in records],
        "date": [texts.dates(one.date) for one in records],
        "customer": [texts.customers(one.customer) for one in records],
        "place": [texts.places(_place(one.source.file, one.source.sheet)) for one in records],
        "rows": [span(one.source.rows) for one in records],
        "cents": [in_cents(one.expected_gross) for one in records],
        "difference": [
            0 if (gross := one.answer.amounts.gross) is None or gross == one.expected_gross
            else in_cents(gross - one.expected_gross)
            for one in records
        ],
        "withheld": [in_cents(amount) if (amount := answer.amounts.retention) else 0 for answer in answers],
        "series": [series for series, _ in numbered],
        "number": [number for _, number in numbered],
        "when": [_seconds(one.settled_at or one.numbered_at) for one in records],
    }  # fmt: skip


def _unsent_columns(
    state: str, documents: Sequence[HeldBack] | Sequence[Missing], texts: Dictionaries
) -> dict[str, list[Any]]:
    count = len(documents)
    return {
        "ref": [one.external_ref for one in documents],
        "state": [_STATE_NUMBERS[state]] * count,
        "type": [texts.types(one.doc_type) for one in documents],
        "branch": [texts.branches(one.branch) for one in documents],
        "date": [texts.dates(one.date) for one in documents],
        "customer": [texts.customers(one.customer) for one in documents],
        "place": [texts.places(_place(one.file, one.sheet)) for one in documents],
        "rows": [span(one.rows) for one in documents],
        "cents": [in_cents(one.gross) for one in documents],
        "difference": [0] * count,
        "withheld": [0] * count,
        "series": [-1] * count,
        "number": [-1] * count,
        "when": [0] * count,
    }


def _place(file: str, sheet: str) -> str:
    return f"{file} · {sheet}" if sheet else file


def _numbered(control_number: str, texts: Dictionaries) -> tuple[int, int]:
    """A control number as series and number; one that is built otherwise is a series of its own."""
    if not control_number:
        return -1, -1
    series, number = split_control_number(control_number) or (control_number, -1)
    return texts.series(series), number


def _codes(records: Iterable[Record]) -> dict[str, list[str]]:
    answers = [record.answer for record in records]
    return {
        "generation": [answer.generation_code for answer in answers],
        "stamp": [answer.reception_stamp for answer in answers],
    }


def _seconds(utc: str) -> int:
    """Seconds since 1970; 0 where no time is known."""
    return int(datetime.fromisoformat(utc).timestamp()) if utc else 0
