"""Every rule as a row of a table, for the command line and the README."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from batch_issuer.model.problems import Kind, Severity
from batch_issuer.rules.checks import AMOUNT_RULES, CELL_RULES, COLUMN_RULES, DOCUMENT_RULES, PLACE_RULE, TYPE_RULE


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One problem code that the rules can give."""

    code: str
    severity: Severity
    doc_types: tuple[str, ...]
    message: str
    """English, the key of its translation; so is `repair`."""
    repair: str
    sources: tuple[str, ...]
    """What each rule with this code says, and which page or law says so; English."""


def all_kinds() -> tuple[RuleRow, ...]:
    """Every code once, in the order in which the rules are asked."""
    rows: dict[str, RuleRow] = {}
    for kind, doc_types, source in _listed():
        before = rows.get(kind.code)
        rows[kind.code] = RuleRow(
            code=kind.code,
            severity=kind.severity,
            doc_types=doc_types,
            message=kind.message,
            repair=kind.repair,
            sources=(*(before.sources if before else ()), source),
        )
    return tuple(rows.values())


def row_of(kind: Kind, doc_types: tuple[str, ...], source: str) -> RuleRow:
    """A rule that is kept elsewhere, as a row."""
    return RuleRow(
        code=kind.code,
        severity=kind.severity,
        doc_types=doc_types,
        message=kind.message,
        repair=kind.repair,
        sources=(source,),
    )


def _listed() -> Iterator[tuple[Kind, tuple[str, ...], str]]:
    for cell in CELL_RULES:
        yield cell.kind, cell.doc_types, _source(cell.check)
    for rule in (TYPE_RULE, *DOCUMENT_RULES, *COLUMN_RULES, PLACE_RULE, *AMOUNT_RULES):
        for kind in rule.kinds:
            yield kind, rule.doc_types, _source(rule.check)


def _source(check: object) -> str:
    return (inspect.getdoc(check) or "").partition("\n")[0]
