"""Which tables the workbook has, and what stands in their columns. In the page's order: what needs a person first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar

from batch_issuer.documents import State
from batch_issuer.ledger.records import Record, RunRecord
from batch_issuer.messages import N_, Messages
from batch_issuer.reconciliation import (
    Change,
    Conflict,
    Difference,
    HeldBack,
    ProblemText,
    Reconciliation,
    Series,
    SourceSummary,
)
from batch_issuer.reports import figures, wording
from batch_issuer.reports.exceptions import blocking, oldest_first, warning
from batch_issuer.reports.long_sheet import Kind
from batch_issuer.rules.catalogs import payment_methods

Item = TypeVar("Item")

REFERENCE = N_("Reference")
AMOUNT = N_("Amount with VAT")
DIFFERS = N_("Difference")
PROVIDER = N_("According to the provider")
WITHHELD = N_("VAT withheld")


@dataclass(frozen=True, slots=True)
class Column(Generic[Item]):
    """One column of a table. `width` is in characters."""

    heading: str
    width: int
    kind: Kind
    value: Callable[[Item], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[Item]):
    """One sheet. `key` is what the summary finds it by."""

    key: str
    title: str
    columns: Sequence[Column[Item]]
    rows: Sequence[Item]


class Words:
    """Values as the workbook says them, in one language."""

    def __init__(self, messages: Messages) -> None:
        self.messages = messages
        self._payments = payment_methods().names
        self.doc_type = cache(lambda code: wording.type_name(code, messages))

    def payment(self, code: str) -> str:
        return f"{code} {self._payments[code]}" if code in self._payments else code

    def state(self, state: State) -> str:
        return self.messages.text(wording.NAMES[state])

    def in_language(self, texts: Mapping[str, str]) -> str:
        return texts.get(self.messages.language, "")

    def why(self, record: Record) -> str:
        """The reason or the refusal with its code, in whoever's words."""
        answer = record.answer
        reason = self.messages.text(wording.REASONS.get(record.reason, "")) or record.reason
        words = [*answer.observaciones] or [text for text in (answer.dte_message, answer.detail) if text]
        return " · ".join(part for part in (reason, answer.codigo_msg, "; ".join(words)) if part)

    def repair(self, record: Record) -> str:
        known = wording.MINISTRY_REPAIRS.get(record.answer.codigo_msg, "") if record.state is State.REJECTED else ""
        return self.messages.text(known or wording.WHAT_TO_DO[record.state])


def tables(reconciliation: Reconciliation, messages: Messages) -> list[Table[Any]]:
    """Every table that has rows, in the order of the sheets."""
    words = Words(messages)
    waiting = (State.UNSURE, State.SENDING, State.PLANNED, State.REJECTED, State.INVALID)
    problems = [*blocking(reconciliation), *warning(reconciliation)]
    everything: list[Table[Any]] = [
        Table(key="conflicts", title=N_("Conflicts"), columns=_conflict_columns(words), rows=_changes(reconciliation)),
        *(_of_state(state, reconciliation.in_state(state), words) for state in waiting),
        Table(
            key="differences",
            title=N_("Differences"),
            columns=_difference_columns(words),
            rows=reconciliation.differences,
        ),
        Table(
            key=wording.HELD_BACK,
            title=wording.NAMES[wording.HELD_BACK],
            columns=_held_columns(words),
            rows=reconciliation.held_back,
        ),
        Table(key="problems", title=N_("Problems"), columns=_problem_columns(words), rows=problems),
        _of_state(State.CONTINGENCY, oldest_first(reconciliation), words),
        _of_state(State.STAMPED, reconciliation.in_state(State.STAMPED), words),
        _of_state(State.CANCELLED, reconciliation.in_state(State.CANCELLED), words),
        Table(key="series", title=N_("Series"), columns=_series_columns(), rows=reconciliation.series),
        Table(key="sources", title=N_("Files"), columns=_source_columns(), rows=reconciliation.sources),
        Table(key="runs", title=N_("Runs"), columns=_run_columns(), rows=reconciliation.runs),
    ]
    return [table for table in everything if table.rows]


def _of_state(state: State, records: Sequence[Record], words: Words) -> Table[Record]:
    columns = _document_columns(words)
    if state not in (State.STAMPED, State.CONTINGENCY, State.CANCELLED):
        columns += _why_columns(words)
    if any(record.answer.control_number for record in records):
        columns += _answer_columns()
    if state is State.STAMPED and any(record.answer.observaciones for record in records):
        columns.append(Column(N_("Observations"), 50, Kind.LONG, words.why))
    return Table(key=state.value, title=wording.NAMES[state], columns=columns + _origin_columns(), rows=records)


def _document_columns(words: Words) -> list[Column[Record]]:
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.external_ref),
        Column(N_("Type"), 24, Kind.TEXT, lambda one: words.doc_type(one.doc_type)),
        Column(N_("Date"), 11, Kind.DATE, lambda one: one.date),
        Column(N_("Branch"), 18, Kind.TEXT, lambda one: one.branch),
        Column(N_("Customer"), 30, Kind.TEXT, lambda one: one.customer),
        Column(N_("Payment method"), 22, Kind.TEXT, lambda one: words.payment(one.payment_method)),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.expected_gross),
    ]


def _why_columns(words: Words) -> list[Column[Record]]:
    return [
        Column(N_("What is known"), 50, Kind.LONG, words.why),
        Column(N_("What to do"), 50, Kind.LONG, words.repair),
    ]


def _answer_columns() -> list[Column[Record]]:
    return [
        Column(PROVIDER, 15, Kind.MONEY, lambda one: one.answer.amounts.gross),
        Column(DIFFERS, 12, Kind.MONEY, _difference),
        Column(N_("Base"), 14, Kind.MONEY, lambda one: one.answer.amounts.taxable),
        Column(N_("VAT"), 12, Kind.MONEY, lambda one: one.answer.amounts.vat),
        Column(WITHHELD, 13, Kind.MONEY, lambda one: one.answer.amounts.retention),
        Column(N_("To pay"), 14, Kind.MONEY, lambda one: one.answer.amounts.total),
        Column(N_("Control number"), 33, Kind.TEXT, lambda one: one.answer.control_number),
        Column(N_("Generation code"), 39, Kind.TEXT, lambda one: one.answer.generation_code),
        Column(N_("Ministry's stamp"), 43, Kind.TEXT, lambda one: one.answer.reception_stamp),
    ]


def _difference(record: Record) -> Any:
    answered = record.answer.amounts.gross
    return None if answered is None else answered - record.expected_gross


def _origin_columns() -> list[Column[Record]]:
    return [
        Column(N_("First sent"), 17, Kind.MOMENT, lambda one: one.first_sent_at),
        Column(N_("Numbered"), 17, Kind.MOMENT, lambda one: one.numbered_at),
        Column(N_("Settled"), 17, Kind.MOMENT, lambda one: one.settled_at),
        Column(N_("Times sent"), 8, Kind.WHOLE, lambda one: one.attempts),
        Column(N_("File"), 26, Kind.TEXT, lambda one: one.source.file),
        Column(N_("Sheet"), 14, Kind.TEXT, lambda one: one.source.sheet),
        Column(N_("Rows"), 14, Kind.TEXT, lambda one: figures.span(one.source.rows)),
    ]


_Changed: TypeAlias = tuple[Conflict, Change]


def _changes(reconciliation: Reconciliation) -> list[_Changed]:
    return [(conflict, change) for conflict in reconciliation.conflicts for change in conflict.changes]


def _conflict_columns(words: Words) -> list[Column[_Changed]]:
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one[0].external_ref),
        Column(N_("State"), 16, Kind.TEXT, lambda one: words.state(one[0].state)),
        Column(N_("What differs"), 24, Kind.TEXT, lambda one: wording.field_name(one[1].what, words.messages)),
        Column(N_("As it was issued"), 32, Kind.LONG, lambda one: one[1].issued),
        Column(N_("As the file has it now"), 32, Kind.LONG, lambda one: one[1].file),
        Column(N_("Amount issued"), 14, Kind.MONEY, lambda one: one[0].issued_gross),
        Column(N_("Amount in the file"), 14, Kind.MONEY, lambda one: one[0].file_gross),
        Column(N_("Control number"), 33, Kind.TEXT, lambda one: one[0].control_number),
        Column(N_("File"), 26, Kind.TEXT, lambda one: one[0].file),
        Column(N_("Sheet"), 14, Kind.TEXT, lambda one: one[0].sheet),
        Column(N_("Rows"), 14, Kind.TEXT, lambda one: figures.span(one[0].rows)),
    ]


def _difference_columns(words: Words) -> list[Column[Difference]]:
    within = {True: words.messages.text(N_("yes")), False: words.messages.text(N_("no"))}
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.record.external_ref),
        Column(N_("State"), 16, Kind.TEXT, lambda one: words.state(one.record.state)),
        Column(N_("Customer"), 30, Kind.TEXT, lambda one: one.record.customer),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.expected),
        Column(PROVIDER, 15, Kind.MONEY, lambda one: one.answered),
        Column(DIFFERS, 12, Kind.MONEY, lambda one: one.amount),
        Column(N_("Within the tolerance"), 12, Kind.TEXT, lambda one: within[one.within_tolerance]),
        Column(N_("Control number"), 33, Kind.TEXT, lambda one: one.record.answer.control_number),
        Column(N_("File"), 26, Kind.TEXT, lambda one: one.record.source.file),
        Column(N_("Sheet"), 14, Kind.TEXT, lambda one: one.record.source.sheet),
        Column(N_("Rows"), 14, Kind.TEXT, lambda one: figures.span(one.record.source.rows)),
    ]


def _held_columns(words: Words) -> list[Column[HeldBack]]:
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one.external_ref),
        Column(N_("Type"), 24, Kind.TEXT, lambda one: words.doc_type(one.doc_type)),
        Column(N_("Date"), 11, Kind.DATE, lambda one: one.date),
        Column(N_("Branch"), 18, Kind.TEXT, lambda one: one.branch),
        Column(N_("Customer"), 30, Kind.TEXT, lambda one: one.customer),
        Column(N_("Payment method"), 22, Kind.TEXT, lambda one: words.payment(one.payment_method)),
        Column(AMOUNT, 15, Kind.MONEY, lambda one: one.gross),
        Column(
            N_("What is wrong"),
            60,
            Kind.LONG,
            lambda one: _each(one.problems, lambda of: words.in_language(of.message)),
        ),
        Column(
            N_("What to do"), 60, Kind.LONG, lambda one: _each(one.problems, lambda of: words.in_language(of.repair))
        ),
        Column(N_("File"), 26, Kind.TEXT, lambda one: one.file),
        Column(N_("Sheet"), 14, Kind.TEXT, lambda one: one.sheet),
        Column(N_("Rows"), 14, Kind.TEXT, lambda one: figures.span(one.rows)),
    ]


def _each(problems: Iterable[ProblemText], said: Callable[[ProblemText], str]) -> str:
    return "\n".join(dict.fromkeys(said(problem) for problem in problems))


_Found: TypeAlias = tuple[ProblemText, HeldBack | None]


def _problem_columns(words: Words) -> list[Column[_Found]]:
    holds = {"blocks": words.messages.text(N_("held back")), "warns": words.messages.text(N_("note"))}
    return [
        Column(REFERENCE, 22, Kind.TEXT, lambda one: one[1].external_ref if one[1] else one[0].external_ref),
        Column(N_("Effect"), 12, Kind.TEXT, lambda one: holds.get(one[0].severity, one[0].severity)),
        Column(N_("Code"), 24, Kind.TEXT, lambda one: one[0].code),
        Column(N_("What is wrong"), 60, Kind.LONG, lambda one: words.in_language(one[0].message)),
        Column(N_("What to do"), 60, Kind.LONG, lambda one: words.in_language(one[0].repair)),
        Column(N_("Value"), 26, Kind.LONG, lambda one: one[0].value),
        Column(N_("File"), 26, Kind.TEXT, lambda one: one[0].file),
        Column(N_("Sheet"), 14, Kind.TEXT, lambda one: one[0].sheet),
        Column(N_("Row"), 8, Kind.WHOLE, lambda one: one[0].row),
        Column(N_("Column"), 8, Kind.TEXT, lambda one: one[0].column),
        Column(N_("Heading"), 22, Kind.TEXT, lambda one: one[0].heading),
    ]


def _series_columns() -> list[Column[Series]]:
    return [
        Column(N_("Series"), 24, Kind.TEXT, lambda one: one.name),
        Column(N_("Year"), 8, Kind.WHOLE, lambda one: one.year),
        Column(N_("Documents"), 12, Kind.WHOLE, lambda one: one.documents),
        Column(N_("First"), 14, Kind.WHOLE, lambda one: one.first),
        Column(N_("Last"), 14, Kind.WHOLE, lambda one: one.last),
        Column(N_("Numbers missing"), 12, Kind.WHOLE, lambda one: one.missing_numbers),
        Column(N_("Missing"), 60, Kind.LONG, lambda one: ", ".join(_run(*ends) for ends in one.missing)),
        Column(N_("Repeated"), 40, Kind.LONG, lambda one: ", ".join(str(repeat.number) for repeat in one.repeated)),
    ]


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _source_columns() -> list[Column[SourceSummary]]:
    return [
        Column(N_("File"), 34, Kind.TEXT, lambda one: one.file),
        Column(N_("Sheet"), 16, Kind.TEXT, lambda one: one.sheet),
        Column(N_("Rows"), 10, Kind.WHOLE, lambda one: one.rows),
        Column(N_("Documents"), 12, Kind.WHOLE, lambda one: one.documents),
        Column(N_("Its own total"), 15, Kind.MONEY, lambda one: one.control_total),
        Column(N_("Sum read"), 15, Kind.MONEY, lambda one: one.read_total),
        Column(DIFFERS, 12, Kind.MONEY, _source_difference),
        Column("SHA-256", 68, Kind.TEXT, lambda one: one.sha256),
        Column(N_("How it was read"), 40, Kind.LONG, lambda one: one.notes),
    ]


def _source_difference(source: SourceSummary) -> Any:
    if source.control_total is None or source.read_total is None:
        return None
    return source.read_total - source.control_total


def _run_columns() -> list[Column[RunRecord]]:
    return [
        Column(N_("Run"), 30, Kind.TEXT, lambda one: one.run),
        Column(N_("Command"), 14, Kind.TEXT, lambda one: one.command),
        Column(N_("Began"), 17, Kind.MOMENT, lambda one: one.started_at),
        Column(N_("Ended"), 17, Kind.MOMENT, lambda one: one.ended_at),
        Column(N_("Sent"), 10, Kind.WHOLE, lambda one: (one.ending or {}).get("posts")),
        Column(N_("Exit code"), 10, Kind.WHOLE, lambda one: one.exit_code),
        Column(N_("Version"), 12, Kind.TEXT, lambda one: one.version),
        Column(N_("Computer"), 24, Kind.TEXT, lambda one: one.host),
    ]
