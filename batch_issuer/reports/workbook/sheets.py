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
)
from batch_issuer.reconcile.values import EXCLUDED_SUBJECT
from batch_issuer.reports import wording
from batch_issuer.reports.cells import Kind
from batch_issuer.reports.columns import (
    Changed,
    Column,
    Then,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Generic[Item]):
    """One sheet. `key` is what the summary finds it by."""

    key: str
    title: str
    columns: Sequence[Column[Item]]
    rows: Sequence[Item]
    always: bool = False
    """Whether it has its sheet without rows too, which then says that there are none."""


def tables(reconciliation: Reconciliation, messages: Messages) -> list[Table[Any]]:
    """Every table that has rows, or is always there, in the order of the sheets."""
    words = Words(messages)
    comparison = reconciliation.comparison or Comparison(matches={})
    everything: list[Table[Any]] = [
        Table(key="conflicts", title=N_("Conflicts"), columns=conflict_columns(words), rows=_changes(reconciliation)),
        Table(
            key="contradictions",
            title=CAUSE_NAMES[Cause.CONTRADICTION],
            columns=state_change_columns(words),
            rows=comparison.contradictions,
        ),
        *(_of_state(state, reconciliation.in_state(state), words) for state in UNFINISHED),
        Table(
            key=wording.MISSING,
            title=CAUSE_NAMES[Cause.MISSING],
            columns=missing_columns(words, comparison.at_provider),
            rows=comparison.missing,
        ),
        _of_state(
            "only_in_ledger", comparison.only_in_ledger, words, title=CAUSE_NAMES[Cause.ONLY_IN_LEDGER], with_state=True
        ),
        *(_of_state(state, reconciliation.in_state(state), words) for state in REFUSED),
        Table(
            key="differences",
            title=N_("Differences"),
            columns=difference_columns(words),
            rows=reconciliation.differences,
            always=True,
        ),
        Table(
            key=wording.HELD_BACK,
            title=wording.NAMES[wording.HELD_BACK],
            columns=held_columns(words),
            rows=reconciliation.held_back,
        ),
        Table(
            key="problems",
            title=N_("Problems"),
            columns=problem_columns(words),
            rows=[*blocking(reconciliation), *warning(reconciliation)],
            always=True,
        ),
        _of_state(State.CONTINGENCY, oldest_first(reconciliation), words),
        _of_state("carried", reconciliation.carried, words, title=N_("Open from other runs"), with_state=True),
        _of_state(State.STAMPED, reconciliation.in_state(State.STAMPED), words),
        _cancelled(reconciliation, words),
        *_beside(reconciliation, comparison, words),
    ]
    return [table for table in everything if table.rows or table.always]


def _beside(reconciliation: Reconciliation, comparison: Comparison, words: Words) -> list[Table[Any]]:
    """What is found, written and signed about documents, where they came from, and how their numbers run."""
    learned = [one for one in comparison.state_changes if one.recorded and one.before]
    return [
        Table(key="learned", title=N_("Learned now"), columns=state_change_columns(words), rows=learned),
        Table(key="since", title=N_("Changes"), columns=since_columns(words), rows=_since(reconciliation, words)),
        Table(key="notes", title=N_("Written notes"), columns=note_columns(), rows=reconciliation.noted),
        Table(key="months", title=N_("Other month"), columns=month_columns(words), rows=reconciliation.other_months),
        Table(key="lookalikes", title=N_("Alike"), columns=lookalike_columns(words), rows=comparison.lookalikes),
        Table(
            key="sequences", title=N_("Sequences"), columns=series_columns(), rows=reconciliation.series, always=True
        ),
        _of_state("odd_numbers", reconciliation.odd_numbers, words, title=N_("Odd control numbers")),
        Table(key="sources", title=N_("Sources"), columns=source_columns(), rows=reconciliation.sources, always=True),
        Table(key="runs", title=N_("Runs"), columns=run_columns(), rows=reconciliation.runs),
        Table(key="sign_offs", title=N_("Signed"), columns=sign_off_columns(words), rows=reconciliation.sign_offs),
    ]


def _of_state(
    key: str, records: Sequence[Record], words: Words, *, title: str = "", with_state: bool = False
) -> Table[Record]:
    """Documents of one state, or of several with a column that says which."""
    columns = document_columns(words)
    if with_state:
        columns.insert(1, Column(N_("State"), 16, Kind.TEXT, lambda one: words.state(one.state)))
    if with_state or key not in WERE_ISSUED:
        columns += why_columns(words)
    if any(record.answer.control_number for record in records):
        columns += answer_columns(income_tax=any(record.doc_type == EXCLUDED_SUBJECT for record in records))
    if key == State.STAMPED and any(record.answer.observaciones for record in records):
        columns.append(Column(N_("Observations"), 50, Kind.LONG, words.why))
    return Table(key=key, title=title or wording.NAMES[key], columns=columns + origin_columns(), rows=records)


def _cancelled(reconciliation: Reconciliation, words: Words) -> Table[Record]:
    table = _of_state(State.CANCELLED, reconciliation.in_state(State.CANCELLED), words)
    still = {one.external_ref for one in reconciliation.still_in_files}
    yes = words.messages.text(N_("yes"))
    column: Column[Record] = Column(
        N_("Still in the files"), 12, Kind.TEXT, lambda one: yes if one.external_ref in still else ""
    )
    return replace(table, columns=[*table.columns, column])


def _changes(reconciliation: Reconciliation) -> list[Changed]:
    return [(conflict, change) for conflict in reconciliation.conflicts for change in conflict.changes]


def _since(reconciliation: Reconciliation, words: Words) -> list[Then]:
    since = reconciliation.since
    if since is None:
        return []
    say = words.messages.text
    parts = (
        (N_("New"), since.new),
        (N_("Still open"), since.still_open),
        (N_("Gone"), since.gone),
        (N_("Resolved"), since.resolved),
    )
    return [(say(title), item) for title, items in parts for item in items]
