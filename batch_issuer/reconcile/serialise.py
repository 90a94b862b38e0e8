"""A reconciliation as plain JSON: what `--json` prints, and the whole of it for the report file (docs/report-json.md).

Money is text with two decimals, and more only where the provider gave more; days are ISO; the order is always the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from itertools import chain, islice
from typing import Any, NamedTuple

from batch_issuer.model.money import figure, total_of
from batch_issuer.model.records import Note, Record
from batch_issuer.model.states import State
from batch_issuer.reconcile.reconciliation import Reconciliation
from batch_issuer.reconcile.values import (
    Change,
    Comparison,
    Conflict,
    ContingencyBridge,
    Difference,
    Group,
    Lookalike,
    Match,
    Missing,
    OpenItem,
    OtherMonth,
    ProblemText,
    Repeat,
    Scope,
    Series,
    SignedOff,
    Since,
    SourceSummary,
    StateChange,
    Tally,
    Total,
)


def as_json(made: Reconciliation) -> dict[str, Any]:
    """Return the parts that `--json` of every reporting command shares."""
    states = made.states
    total = made.total
    return {
        "company": made.company,
        "rows": made.rows,
        "documents": total.documents,
        "states": {state.value: states[state].documents for state in State},
        "held_back": len(made.held_back),
        "needs_person": made.needs_person,
        "totals": {
            "expected_gross": figure(total.gross),
            "to_issue_gross": figure(total_of(one.gross for one in states.values())),
            "held_back_gross": figure(total_of(one.gross for one in made.held_back)),
            **_fields(total, "provider_gross", "retention", "income_tax"),
            "invoiced_gross": figure(made.invoiced.gross),
            "credit_notes_gross": figure(made.credit_notes.gross),
            "purchases_gross": figure(made.purchases.gross),
            **{f"{state.value}_gross": figure(states[state].gross) for state in State},
            "difference_beyond_tolerance": figure(total_of(one.amount for one in made.beyond_tolerance)),
            "difference_within_tolerance": figure(total_of(one.amount for one in made.within_tolerance)),
        },
        "late_rejections": [one.external_ref for one in made.late_rejections],
        "conflicts": _plain(made.conflicts),
        "differences": [{"external_ref": one.record.external_ref, **_plain(one)} for one in made.differences],
        "open": _plain(made.open_items),
    }


def report_json(made: Reconciliation, fingerprint: str) -> Iterator[str]:
    """Yield the text of a JSON file with everything: one line for each part, and for each entry of a long one."""
    parts: dict[str, Any] = {
        "format": 1,
        **as_json(made),
        **findings_json(made),
        "fingerprint": fingerprint,
        "exit_code": made.exit_code,
        "sources": _plain(made.sources),
        "problems": _Each(_plain, chain(chain.from_iterable(one.problems for one in made.held_back), made.notes)),
        "held_back_documents": [
            {
                **_fields(one, "external_ref", "doc_type", "gross"),
                "ledger_state": one.state,
                **_fields(one, "file", "sheet", "rows"),
            }
            for one in made.held_back
        ],
        "documents_list": _Each(_document, made.records),
    }
    before = "{\n"
    for name, value in parts.items():
        yield f"{before}{_text(name)}: "
        yield from _lines(value)
        before = ",\n"
    yield "\n}\n"


class _Each(NamedTuple):
    """A long list, whose entries are made as they are written."""

    plain: Callable[[Any], dict[str, Any]]
    entries: Iterable[Any]


def _lines(value: Any) -> Iterator[str]:
    """Yield the text of one part piece by piece: a day of 25,900 documents is never in memory as text."""
    if isinstance(value, _Each):
        entries: Iterator[Any] = map(value.plain, value.entries)
    elif isinstance(value, list):
        entries = iter(value)
    else:
        yield _text(value)
        return
    # Lists of one entry stay on one line: two have to be seen before the first can be written.
    first = [_text(one) for one in islice(entries, 2)]
    yield "[\n" + ",\n".join(first) if len(first) > 1 else f"[{''.join(first)}"
    for one in entries:
        yield f",\n{_text(one)}"
    yield "\n]" if len(first) > 1 else "]"


_text = json.JSONEncoder(ensure_ascii=False).encode

_SHAPES: Mapping[type, tuple[str, ...]] = {
    Change: ("what", "issued", "file"),
    Conflict: ("external_ref", "state", "file", "sheet", "rows", "issued_gross", "file_gross", "changes"),
    ContingencyBridge: ("since", "until", "opening", "entered", "settled", "closing"),
    Difference: ("what", "expected", "answered", "within_tolerance"),
    Lookalike: ("external_ref", "other_ref", "in_files", "gross"),
    Missing: ("external_ref", "doc_type", "file", "sheet", "rows", "gross", "looks_like"),
    Note: ("external_ref", "at", "by", "reason"),
    OpenItem: ("cause", "external_ref", "gross", "detail"),
    OtherMonth: ("sold", "issued", "stamped"),
    ProblemText: (
        "code", "severity", "external_ref", "file", "sheet", "row", "column", "heading", "value", "message", "repair",
    ),
    Repeat: ("number", "references"),
    Scope: ("about", "run", "first", "last", "chosen_by"),
    Series: ("name", "year", "first", "last", "documents", "missing_numbers", "missing", "repeated"),
    Since: ("report", "as_of", "resolved", "still_open", "gone", "new"),
    SourceSummary: ("file", "sheet", "sha256", "rows", "documents", "control_total", "read_total"),
    StateChange: ("external_ref", "before", "now", "recorded", "gross", "reason"),
    Tally: ("documents", "gross"),
    Total: ("documents", "gross", "provider_gross", "taxable", "vat", "retention", "income_tax"),
}  # fmt: skip
"""What the JSON says of each value, under the names that it has here, in this order: part of the contract."""


def _fields(one: object, *names: str) -> dict[str, Any]:
    """Return these fields of a value under their own names, in this order."""
    return {name: _plain(getattr(one, name)) for name in names}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; one without a shape of its own is JSON already."""
    match value:
        case Decimal():
            return figure(value)
        case StrEnum():
            return value.value
        case tuple():
            return [_plain(one) for one in value]
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
        case _:
            return _fields(value, *_SHAPES[type(value)]) if type(value) in _SHAPES else value


def _document(record: Record) -> dict[str, Any]:
    """Return one document of the long list."""
    answer = record.answer
    return {
        "external_ref": record.external_ref,
        "doc_type": record.doc_type,
        "state": record.state.value,
        "reason": record.reason,
        "gross": figure(record.expected_gross),
        "provider_gross": None if answer.amounts.gross is None else figure(answer.amounts.gross),
        "retention": None if answer.amounts.retention is None else figure(answer.amounts.retention),
        "date": record.date,
        "branch": record.branch,
        "control_number": answer.control_number,
        "reception_stamp": answer.reception_stamp,
        "file": record.source.file,
        "sheet": record.source.sheet,
        "rows": list(record.source.rows),
    }


def findings_json(made: Reconciliation) -> dict[str, Any]:
    """Return what `report` and `reconcile` say beyond `as_json`."""
    return {
        **_fields(made, "as_of", "scope"),
        "verdict": made.verdict.format(**made.verdict_parameters),
        "tolerance": str(made.tolerance),
        "bridge": [
            # Only the first step counts rows: the others do not have the key at all.
            _fields(step, "key", "sign", *(() if step.rows is None else ("rows",)), "documents", "gross")
            for step in made.bridge
        ],
        "sales": _plain(made.sales),
        **{name: _groups(getattr(made, name)) for name in ("by_type", "by_branch", "by_day", "by_payment")},
        "contingency": {**_plain(made.contingency), "ages": _ages(made.ages)},
        "rejection_ages": _ages(made.rejection_ages),
        "carried": [
            {**_fields(one, "external_ref", "state"), "gross": figure(one.expected_gross)} for one in made.carried
        ],
        "tolerances": {"within": _apart(made.within_tolerance), "beyond": _apart(made.beyond_tolerance)},
        "comparison": _comparison(made.comparison) if made.comparison else None,
        "still_in_files": [one.external_ref for one in made.still_in_files],
        "series": _plain(made.series),
        "odd_numbers": [
            {"external_ref": one.external_ref, "control_number": one.answer.control_number} for one in made.odd_numbers
        ],
        "other_months": [{"external_ref": one.record.external_ref, **_plain(one)} for one in made.other_months],
        "noted": _plain(made.noted),
        "sign_offs": [_signed(one) for one in made.sign_offs],
        "since": _plain(made.since),
    }


def _groups(groups: Iterable[Group]) -> list[dict[str, Any]]:
    """Return the groups of one dimension, each with its totals and what is not among them."""
    return [
        {
            "name": one.name,
            **_plain(one.total),
            # The order of the states is that of the table of states, not that in which documents came.
            "states": {state.value: _plain(one.by_state[state]) for state in State if state in one.by_state},
            "held_back": {"documents": one.held_back, "gross": figure(one.held_gross)},
            **_fields(one, "missing", "sales"),
        }
        for one in groups
    ]


def _ages(ages: Iterable[tuple[str, int, Decimal]]) -> dict[str, Any]:
    return {name: {"documents": documents, "gross": figure(gross)} for name, documents, gross in ages}


def _apart(found: tuple[Difference, ...]) -> dict[str, Any]:
    return {
        "documents": len(found),
        "difference": figure(total_of(one.amount for one in found)),
        "absolute": figure(total_of(abs(one.amount) for one in found)),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    """Return the files against the ledger, with every match, those of no document too."""
    return {
        "matches": {match.value: _plain(comparison.matches.get(match, Tally())) for match in Match},
        "missing": _plain(comparison.missing),
        "only_in_ledger": [
            {
                **_fields(one, "external_ref", "state"),
                "gross": figure(one.expected_gross),
                "date": one.date,
                **_fields(one.source, "file", "sheet"),
            }
            for one in comparison.only_in_ledger
        ],
        **_fields(comparison, "lookalikes", "asked", "state_changes"),
    }


def _signed(signed: SignedOff) -> dict[str, Any]:
    """Return a sign-off, and what has become of what was signed."""
    one = signed.sign_off
    return {
        **_fields(one, "first", "last", "role", "by", "at", "documents", "gross"),
        "needed_person": one.needs_person,
        "event": one.after,
        "hash": one.hash,
        "unchanged": signed.unchanged,
        "changed": list(signed.changed),
        "now": _plain(signed.now),
    }
