"""A reconciliation as plain JSON: what `--json` prints, and the whole of it for the report file (docs/report-json.md).

Money is text with two decimals, and more only where the provider gave more; days are ISO; the order is always the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import chain, islice
from typing import Any, NamedTuple

from batch_issuer.model.money import figure, total_of
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.reconcile.reconciliation import Reconciliation
from batch_issuer.reconcile.values import (
    Comparison,
    Difference,
    Group,
    Match,
    OpenItem,
    ProblemText,
    Series,
    SignedOff,
    Since,
    SourceSummary,
    Tally,
    Total,
)


def as_json(made: Reconciliation) -> dict[str, Any]:
    """The parts that `--json` of every reporting command shares."""
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
            "provider_gross": figure(total.provider_gross),
            "retention": figure(total.retention),
            "income_tax": figure(total.income_tax),
            "invoiced_gross": figure(made.invoiced.gross),
            "credit_notes_gross": figure(made.credit_notes.gross),
            "purchases_gross": figure(made.purchases.gross),
            **{f"{state.value}_gross": figure(states[state].gross) for state in State},
            "difference_beyond_tolerance": figure(total_of(one.amount for one in made.beyond_tolerance)),
            "difference_within_tolerance": figure(total_of(one.amount for one in made.within_tolerance)),
        },
        "late_rejections": [one.external_ref for one in made.late_rejections],
        "conflicts": [
            {
                "external_ref": one.external_ref,
                "state": one.state.value,
                "file": one.file,
                "sheet": one.sheet,
                "rows": list(one.rows),
                "issued_gross": figure(one.issued_gross),
                "file_gross": figure(one.file_gross),
                "changes": [{"what": part.what, "issued": part.issued, "file": part.file} for part in one.changes],
            }
            for one in made.conflicts
        ],
        "differences": [
            {
                "external_ref": one.record.external_ref,
                "what": one.what,
                "expected": figure(one.expected),
                "answered": figure(one.answered),
                "within_tolerance": one.within_tolerance,
            }
            for one in made.differences
        ],
        "open": [_item(one) for one in made.open_items],
    }


def report_json(made: Reconciliation, fingerprint: str) -> Iterator[str]:
    """Everything, as the text of a JSON file: one line for each part, and for each entry of a long one."""
    parts: dict[str, Any] = {
        "format": 1,
        **as_json(made),
        **findings_json(made),
        "fingerprint": fingerprint,
        "exit_code": made.exit_code,
        "sources": [_source(one) for one in made.sources],
        "problems": _Each(_problem, chain(chain.from_iterable(one.problems for one in made.held_back), made.notes)),
        "held_back_documents": [
            {
                "external_ref": one.external_ref,
                "doc_type": one.doc_type,
                "gross": figure(one.gross),
                "ledger_state": one.state,
                "file": one.file,
                "sheet": one.sheet,
                "rows": list(one.rows),
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
    if isinstance(value, _Each):
        entries: Iterator[Any] = map(value.plain, value.entries)
    elif isinstance(value, list):
        entries = iter(value)
    else:
        yield _text(value)
        return
    first = [_text(one) for one in islice(entries, 2)]
    yield "[\n" + ",\n".join(first) if len(first) > 1 else f"[{''.join(first)}"
    for one in entries:
        yield f",\n{_text(one)}"
    yield "\n]" if len(first) > 1 else "]"


_text = json.JSONEncoder(ensure_ascii=False).encode


def _source(source: SourceSummary) -> dict[str, Any]:
    return {
        "file": source.file,
        "sheet": source.sheet,
        "sha256": source.sha256,
        "rows": source.rows,
        "documents": source.documents,
        "control_total": None if source.control_total is None else figure(source.control_total),
        "read_total": None if source.read_total is None else figure(source.read_total),
    }


def _problem(problem: ProblemText) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "external_ref": problem.external_ref,
        "file": problem.file,
        "sheet": problem.sheet,
        "row": problem.row,
        "column": problem.column,
        "heading": problem.heading,
        "value": problem.value,
        "message": dict(problem.message),
        "repair": dict(problem.repair),
    }


def _document(record: Record) -> dict[str, Any]:
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
    """What `report` and `reconcile` say beyond that."""
    return {
        "as_of": made.as_of,
        "scope": {
            "about": made.scope.about.value,
            "run": made.scope.run,
            "first": made.scope.first,
            "last": made.scope.last,
            "chosen_by": made.scope.chosen_by,
        },
        "verdict": made.verdict.format(**made.verdict_parameters),
        "tolerance": str(made.tolerance),
        "bridge": [
            {
                "key": step.key,
                "sign": step.sign,
                **({} if step.rows is None else {"rows": step.rows}),
                "documents": step.documents,
                "gross": figure(step.gross),
            }
            for step in made.bridge
        ],
        "sales": _total(made.sales),
        "by_type": _groups(made.by_type),
        "by_branch": _groups(made.by_branch),
        "by_day": _groups(made.by_day),
        "by_payment": _groups(made.by_payment),
        "contingency": {
            "since": made.contingency.since,
            "until": made.contingency.until,
            "opening": _tally(made.contingency.opening),
            "entered": _tally(made.contingency.entered),
            "settled": {state.value: _tally(one) for state, one in made.contingency.settled.items()},
            "closing": _tally(made.contingency.closing),
            "ages": _ages(made.ages),
        },
        "rejection_ages": _ages(made.rejection_ages),
        "carried": [
            {"external_ref": one.external_ref, "state": one.state.value, "gross": figure(one.expected_gross)}
            for one in made.carried
        ],
        "tolerances": {"within": _apart(made.within_tolerance), "beyond": _apart(made.beyond_tolerance)},
        "comparison": _comparison(made.comparison) if made.comparison else None,
        "still_in_files": [one.external_ref for one in made.still_in_files],
        "series": [_series(one) for one in made.series],
        "odd_numbers": [
            {"external_ref": one.external_ref, "control_number": one.answer.control_number} for one in made.odd_numbers
        ],
        "other_months": [
            {
                "external_ref": one.record.external_ref,
                "sold": one.sold,
                "issued": one.issued,
                "stamped": one.stamped,
            }
            for one in made.other_months
        ],
        "noted": [
            {"external_ref": one.external_ref, "at": one.at, "by": one.by, "reason": one.reason} for one in made.noted
        ],
        "sign_offs": [_signed(one) for one in made.sign_offs],
        "since": _since(made.since) if made.since else None,
    }


def _total(total: Total) -> dict[str, Any]:
    return {
        "documents": total.documents,
        "gross": figure(total.gross),
        "provider_gross": figure(total.provider_gross),
        "taxable": figure(total.taxable),
        "vat": figure(total.vat),
        "retention": figure(total.retention),
        "income_tax": figure(total.income_tax),
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {"documents": tally.documents, "gross": figure(tally.gross)}


def _groups(groups: Iterable[Group]) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            **_total(one.total),
            "states": {state.value: _tally(one.by_state[state]) for state in State if state in one.by_state},
            "held_back": {"documents": one.held_back, "gross": figure(one.held_gross)},
            "missing": _tally(one.missing),
            "sales": _total(one.sales),
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
    return {
        "matches": {match.value: _tally(comparison.matches.get(match, Tally())) for match in Match},
        "missing": [
            {
                "external_ref": one.external_ref,
                "doc_type": one.doc_type,
                "file": one.file,
                "sheet": one.sheet,
                "rows": list(one.rows),
                "gross": figure(one.gross),
                "looks_like": one.looks_like,
            }
            for one in comparison.missing
        ],
        "only_in_ledger": [
            {
                "external_ref": one.external_ref,
                "state": one.state.value,
                "gross": figure(one.expected_gross),
                "date": one.date,
                "file": one.source.file,
                "sheet": one.source.sheet,
            }
            for one in comparison.only_in_ledger
        ],
        "lookalikes": [
            {
                "external_ref": one.external_ref,
                "other_ref": one.other_ref,
                "in_files": one.in_files,
                "gross": figure(one.gross),
            }
            for one in comparison.lookalikes
        ],
        "asked": comparison.asked,
        "state_changes": [
            {
                "external_ref": one.external_ref,
                "before": one.before,
                "now": one.now,
                "recorded": one.recorded,
                "gross": figure(one.gross),
                "reason": one.reason,
            }
            for one in comparison.state_changes
        ],
    }


def _series(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "year": series.year,
        "first": series.first,
        "last": series.last,
        "documents": series.documents,
        "missing_numbers": series.missing_numbers,
        "missing": [list(ends) for ends in series.missing],
        "repeated": [{"number": one.number, "references": list(one.references)} for one in series.repeated],
    }


def _signed(signed: SignedOff) -> dict[str, Any]:
    one = signed.sign_off
    return {
        "first": one.first,
        "last": one.last,
        "role": one.role,
        "by": one.by,
        "at": one.at,
        "documents": one.documents,
        "gross": figure(one.gross),
        "needed_person": one.needs_person,
        "event": one.after,
        "hash": one.hash,
        "unchanged": signed.unchanged,
        "changed": list(signed.changed),
        "now": _tally(signed.now),
    }


def _item(item: OpenItem) -> dict[str, Any]:
    return {
        "cause": item.cause.value,
        "external_ref": item.external_ref,
        "gross": figure(item.gross),
        "detail": item.detail,
    }


def _since(since: Since) -> Mapping[str, Any]:
    return {
        "report": since.report,
        "as_of": since.as_of,
        "resolved": [_item(one) for one in since.resolved],
        "still_open": [_item(one) for one in since.still_open],
        "gone": [_item(one) for one in since.gone],
        "new": [_item(one) for one in since.new],
    }
