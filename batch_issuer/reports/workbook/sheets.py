"""Which tables the workbook has, and what stands in their columns. In the page's order: what needs a person first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from batch_issuer.messages import N_, Messages
from batch_issuer.model.records import Record
from batch_issuer.model.states import REFUSED, UNFINISHED, WERE_ISSUED, State
from batch_issuer.reconcile import (
    Cause,
    Comparison,
    Reconciliation,
    Since,
)
from batch_issuer.reconcile.values import EXCLUDED_SUBJECT
from batch_issuer.reports import wording
from batch_issuer.reports.cells import NAME_LENGTH, Kind
from batch_issuer.reports.columns import (
    Column,
    Words,
    answer_columns,
    conflict_columns,
    difference_columns,
    document_columns,
    held_columns,
    lookalike_columns,
    missing_columns,
    month_columns,
    note_columns,
    origin_columns,
    problem_columns,
    run_columns,
    series_columns,
    sign_off_columns,
    since_columns,
    source_columns,
    state_change_columns,
    why_columns,
)
from batch_issuer.reports.tasks import blocking, oldest_first, warning
from batch_issuer.reports.wording import CAUSE_NAMES

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Table(Generic[Item]):
    """One sheet. `key` is what the summary finds it by."""

    key: str
    title: str
    columns: list[Column[Item]]
    rows: Sequence[Item]
    always: bool = False
    """Whether it has its sheet without rows too, which then says that there are none."""

    def parts(self, title: str, most: int) -> list[Table[Item]]:
        """Return the table under a title in the reader's language; several where a sheet cannot hold its rows."""
        if len(self.rows) <= most:
            return [replace(self, title=title[:NAME_LENGTH])]
        return [
            replace(
                self,
                key=f"{self.key}_{number}",
                title=f"{title[: NAME_LENGTH - 3]} {number}",
                rows=self.rows[at : at + most],
            )
            for number, at in enumerate(range(0, len(self.rows), most), 1)
        ]


def tables(reconciliation: Reconciliation, messages: Messages) -> list[Table[Any]]:
    """Return every table that has rows, or is always there, in the order of the sheets."""
    words, made = Words(messages), reconciliation
    compared = made.comparison or Comparison(matches={})
    changes = [(conflict, change) for conflict in made.conflicts for change in conflict.changes]
    problems = [*blocking(made), *warning(made)]
    contradicted, missing = CAUSE_NAMES[Cause.CONTRADICTION], missing_columns(words, compared.at_provider)
    cancelled = _of_state(State.CANCELLED, made.in_state(State.CANCELLED), words)
    still, yes = {one.external_ref for one in made.still_in_files}, messages.text(N_("yes"))
    cancelled.columns.append(
        Column(N_("Still in the files"), 12, Kind.TEXT, lambda one: yes if one.external_ref in still else "")
    )
    everything: list[Table[Any]] = [
        Table("conflicts", N_("Conflicts"), conflict_columns(words), changes),
        Table("contradictions", contradicted, state_change_columns(words), compared.contradictions),
        *(_of_state(state, made.in_state(state), words) for state in UNFINISHED),
        Table(wording.MISSING, CAUSE_NAMES[Cause.MISSING], missing, compared.missing),
        _of_states("only_in_ledger", CAUSE_NAMES[Cause.ONLY_IN_LEDGER], compared.only_in_ledger, words),
        *(_of_state(state, made.in_state(state), words) for state in REFUSED),
        Table("differences", N_("Differences"), difference_columns(words), made.differences, always=True),
        Table(wording.HELD_BACK, wording.NAMES[wording.HELD_BACK], held_columns(words), made.held_back),
        Table("problems", N_("Problems"), problem_columns(words), problems, always=True),
        _of_state(State.CONTINGENCY, oldest_first(made), words),
        _of_states("carried", N_("Open from other runs"), made.carried, words),
        _of_state(State.STAMPED, made.in_state(State.STAMPED), words),
        cancelled,
        *_beside(made, compared, words),
    ]
    return [table for table in everything if table.rows or table.always]


def _beside(made: Reconciliation, compared: Comparison, words: Words) -> list[Table[Any]]:
    """Return what is found, written and signed about documents, where they came from, and how their numbers run."""
    learned = [one for one in compared.state_changes if one.recorded and one.before]
    then = made.since or Since(report="", as_of="")
    parts = {
        N_("New"): then.new,
        N_("Still open"): then.still_open,
        N_("Gone"): then.gone,
        N_("Resolved"): then.resolved,
    }
    since = [(words.messages.text(title), item) for title, items in parts.items() for item in items]
    return [
        Table("learned", N_("Learned now"), state_change_columns(words), learned),
        Table("since", N_("Changes"), since_columns(words), since),
        Table("notes", N_("Written notes"), note_columns(), made.noted),
        Table("months", N_("Other month"), month_columns(words), made.other_months),
        Table("lookalikes", N_("Alike"), lookalike_columns(words), compared.lookalikes),
        Table("sequences", N_("Sequences"), series_columns(), made.series, always=True),
        Table(
            "odd_numbers", N_("Odd control numbers"), _columns_of(made.odd_numbers, words, why=True), made.odd_numbers
        ),
        Table("sources", N_("Sources"), source_columns(), made.sources, always=True),
        Table("runs", N_("Runs"), run_columns(), made.runs),
        Table("sign_offs", N_("Signed"), sign_off_columns(words), made.sign_offs),
    ]


def _columns_of(
    records: Sequence[Record], words: Words, *, why: bool, beside: Sequence[Column[Record]] = ()
) -> list[Column[Record]]:
    """Return the columns of documents: `why` adds what is known of them, and answers those of what was answered."""
    columns = document_columns(words)
    if why:
        columns += why_columns(words)
    if any(record.answer.control_number for record in records):
        columns += answer_columns(income_tax=any(record.doc_type == EXCLUDED_SUBJECT for record in records))
    return [*columns, *beside, *origin_columns()]


def _of_state(state: State, records: Sequence[Record], words: Words) -> Table[Record]:
    observed: list[Column[Record]] = []
    # The ministry may accept a document and still object to something; few days have any.
    if state is State.STAMPED and any(record.answer.observaciones for record in records):
        observed.append(Column(N_("Observations"), 50, Kind.LONG, words.why))
    columns = _columns_of(records, words, why=state not in WERE_ISSUED, beside=observed)
    return Table(state, wording.NAMES[state], columns, records)


def _of_states(key: str, title: str, records: Sequence[Record], words: Words) -> Table[Record]:
    """Return documents of several states, with a column that says which."""
    columns = _columns_of(records, words, why=True)
    columns.insert(1, Column(N_("State"), 16, Kind.TEXT, lambda one: words.state(one.state)))
    return Table(key, title, columns, records)
