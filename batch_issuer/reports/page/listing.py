"""All documents as the page's script gets them: columns of numbers, with each repeated text written once.

A page that draws 26,000 rows itself takes ten seconds to open; the same as data takes half a second.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from batch_issuer.messages import Messages
from batch_issuer.model.money import NOTHING, in_cents
from batch_issuer.model.records import Record
from batch_issuer.model.states import OPEN, State
from batch_issuer.reconcile import Reconciliation, split_control_number
from batch_issuer.reports.figures import printable, span
from batch_issuer.reports.page.exceptions import Reason
from batch_issuer.reports.wording import HELD_BACK, MISSING, NAMES, type_name

WHOLE = 40_000
"""Up to so many documents the page has generation codes and stamps too (about 170 bytes a document)."""
BRIEF = 100_000
"""Up to so many it has all but those (about 80 bytes); beyond, those that need nobody are in the workbook only."""

_STATE_NUMBERS = {name: number for number, name in enumerate((*State, HELD_BACK, MISSING))}


_COLUMNS = (
    "ref", "state", "type", "branch", "date", "customer", "place", "rows", "cents", "difference", "withheld", "series",
    "number", "when",
)  # fmt: skip
"""As the page's script knows them."""


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
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for documents, values in (
        (records, _of_record(texts)),
        (reconciliation.held_back, _of_unsent(HELD_BACK, texts)),
        (reconciliation.missing, _of_unsent(MISSING, texts)),
    ):
        for name in _COLUMNS:
            columns[name] += map(values[name], documents)
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


_Values = dict[str, Callable[[Any], Any]]
"""By the name of a column, what stands in it for one document."""


def _of_any(texts: Dictionaries) -> _Values:
    """What a document says of itself, in the ledger or only read."""
    return {
        "ref": lambda one: one.external_ref,
        "type": lambda one: texts.types(one.doc_type),
        "branch": lambda one: texts.branches(one.branch),
        "date": lambda one: texts.dates(one.date),
        "customer": lambda one: texts.customers(one.customer),
    }


def _of_record(texts: Dictionaries) -> _Values:
    return {
        **_of_any(texts),
        "state": lambda one: _STATE_NUMBERS[one.state],
        "place": lambda one: texts.places(_place(one.source.file, one.source.sheet)),
        "rows": lambda one: span(one.source.rows),
        "cents": lambda one: in_cents(one.expected_gross),
        "difference": _difference,
        "withheld": lambda one: in_cents(one.answer.amounts.retention or NOTHING),
        "series": lambda one: _series(one.answer.control_number, texts),
        "number": lambda one: (split_control_number(one.answer.control_number) or ("", -1))[1],
        "when": lambda one: _seconds(one.settled_at or one.numbered_at),
    }


def _of_unsent(state: str, texts: Dictionaries) -> _Values:
    """The same of what was read and is not in the ledger: nobody has answered, so no number, stamp or difference."""
    return {
        **_of_any(texts),
        "state": lambda _: _STATE_NUMBERS[state],
        "place": lambda one: texts.places(_place(one.file, one.sheet)),
        "rows": lambda one: span(one.rows),
        "cents": lambda one: in_cents(one.gross),
        "difference": lambda _: 0,
        "withheld": lambda _: 0,
        "series": lambda _: -1,
        "number": lambda _: -1,
        "when": lambda _: 0,
    }


def _difference(record: Record) -> int:
    """Cents by which the provider's total is not ours; 0 where it gave none."""
    gross = record.answer.amounts.gross
    return 0 if gross is None or gross == record.expected_gross else in_cents(gross - record.expected_gross)


def _place(file: str, sheet: str) -> str:
    return f"{file} · {sheet}" if sheet else file


def _series(control_number: str, texts: Dictionaries) -> int:
    """The number of a control number's series; one that is built otherwise is a series of its own."""
    if not control_number:
        return -1
    return texts.series((split_control_number(control_number) or (control_number,))[0])


def _codes(records: Iterable[Record]) -> dict[str, list[str]]:
    answers = [record.answer for record in records]
    return {
        "generation": [answer.generation_code for answer in answers],
        "stamp": [answer.reception_stamp for answer in answers],
    }


def _seconds(utc: str) -> int:
    """Seconds since 1970; 0 where no time is known."""
    return int(datetime.fromisoformat(utc).timestamp()) if utc else 0
