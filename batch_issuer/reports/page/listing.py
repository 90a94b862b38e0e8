"""All documents as the page's script gets them: columns of numbers, with each repeated text written once.

A page that draws 26,000 rows itself takes ten seconds to open; the same as data takes half a second. What stands in
the columns comes out of the table that the workbook has too (`reports/columns.py`); only its form is the script's own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from batch_issuer.messages import Messages
from batch_issuer.model.money import NOTHING, in_cents
from batch_issuer.model.records import Record
from batch_issuer.model.states import OPEN, State
from batch_issuer.reconcile import Reconciliation, split_control_number
from batch_issuer.reports.columns import (
    Column,
    Words,
    answer_columns,
    document_columns,
    held_columns,
    missing_columns,
    origin_columns,
)
from batch_issuer.reports.figures import printable
from batch_issuer.reports.page.exceptions import Reason
from batch_issuer.reports.wording import HELD_BACK, MISSING, NAMES

WHOLE = 40_000
"""Up to so many documents the page has generation codes and stamps too (about 170 bytes a document)."""
BRIEF = 100_000
"""Up to so many it has all but those (about 80 bytes); beyond, those that need nobody are in the workbook only."""

_STATE_NUMBERS = {name: number for number, name in enumerate((*State, HELD_BACK, MISSING))}


_COLUMNS = (
    "ref", "state", "type", "branch", "date", "customer", "place", "rows", "cents", "difference", "withheld", "series",
    "number", "when",
)  # fmt: skip
"""As the page's script knows them (templates/report.js); `cents` is the amount with VAT."""


class Texts:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the number of a text, a new one where it was not met before."""
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
    """Return the documents that the list holds: all, or none of the stamped and cancelled where there are too many."""
    known = (*reconciliation.records, *reconciliation.only_in_ledger)
    if len(known) <= BRIEF:
        return known
    return [one for one in known if one.state in OPEN][:BRIEF]


def listing(
    reconciliation: Reconciliation, reasons: Sequence[Reason], messages: Messages, fingerprint: str = ""
) -> str:
    """Return the list as JSON that can stand inside a script element.

    By the fingerprint the page knows whether what its reader chose was chosen in this report.
    """
    records, words, texts = listed_records(reconciliation), Words(messages), Dictionaries()
    of_records = [*document_columns(words), *answer_columns(income_tax=True), *origin_columns()]
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    for documents, values in (
        (records, _values(of_records, lambda one: one.state, texts)),
        (reconciliation.held_back, _values(held_columns(words), lambda _: HELD_BACK, texts)),
        (reconciliation.missing, _values(missing_columns(words, {}), lambda _: MISSING, texts)),
    ):
        for name in _COLUMNS:
            columns[name] += map(values[name], documents)
    codes = {
        "generation": [one.answer.generation_code for one in records],
        "stamp": [one.answer.reception_stamp for one in records],
    }
    content = {
        "fingerprint": fingerprint,
        "states": [[name, messages.text(NAMES[name])] for name in _STATE_NUMBERS],
        **{one.name: getattr(texts, one.name).listed for one in fields(texts)},
        "reasons": [reason.title for reason in reasons],
        **_reasons_of(columns["ref"], reasons),
        "columns": columns,
        "codes": codes if len(records) <= WHOLE else None,
    }
    return inside_script(content)


def _reasons_of(references: Sequence[str], reasons: Sequence[Reason]) -> dict[str, list[Any]]:
    """Return each set of reasons that a document has, once, and which set is whose. Most documents have none."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, reason in enumerate(reasons):
        for reference in reason.references:
            numbers[reference].append(number)
    sets: dict[tuple[int, ...], int] = {(): 0}
    # A number for each document instead of a list of its own, which would be empty of nearly all.
    whose = [sets.setdefault(tuple(numbers.get(one, ())), len(sets)) for one in references]
    return {"sets": [list(one) for one in sets], "reason": whose}


def inside_script(content: Any) -> str:
    """Return JSON that no text within it can end, nor turn into markup."""
    plain = printable(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    # `</script>` and `<!--` would end or change the element; U+2028 and U+2029 end a line of old JavaScript.
    for mark in "&<>\u2028\u2029":
        plain = plain.replace(mark, f"\\u{ord(mark):04x}")
    return plain


def _values(
    shared: Iterable[Column[Any]], state: Callable[[Any], str], texts: Dictionaries
) -> dict[str, Callable[[Any], Any]]:
    """Return what stands in each of the script's columns for one document, out of the table of columns."""
    # What was only read has no columns of answers: nobody has answered, so it has no number, stamp or difference.
    of: dict[str, Callable[[Any], Any]] = defaultdict(lambda: lambda _: None, {one.key: one.value for one in shared})

    def series(one: Any) -> int:
        control_number = of["control_number"](one)
        # One that is built otherwise than the ministry's (DTE-01-…) is a series of its own.
        return texts.series((split_control_number(control_number) or (control_number,))[0]) if control_number else -1

    def seconds(one: Any) -> int:
        utc = of["settled_at"](one) or of["numbered_at"](one)
        return int(datetime.fromisoformat(utc).timestamp()) if utc else 0

    return {
        "ref": of["external_ref"],
        "state": lambda one: _STATE_NUMBERS[state(one)],
        "type": lambda one: texts.types(of["doc_type"](one)),
        "branch": lambda one: texts.branches(of["branch"](one)),
        "date": lambda one: texts.dates(of["date"](one)),
        "customer": lambda one: texts.customers(of["customer"](one)),
        "place": lambda one: texts.places(" · ".join(filter(None, (of["file"](one), of["sheet"](one))))),
        "rows": of["rows"],
        "cents": lambda one: in_cents(of["gross"](one)),
        "difference": lambda one: in_cents(of["difference"](one) or NOTHING),
        "withheld": lambda one: in_cents(of["retention"](one) or of["income_tax"](one) or NOTHING),
        "series": series,
        "number": lambda one: (split_control_number(of["control_number"](one) or "") or ("", -1))[1],
        "when": seconds,
    }
