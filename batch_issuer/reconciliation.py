"""One frozen tree of totals, bridges and differences: the page, the workbook, the JSON and the exit code come from it.

Pure: what a run read, against what the ledger knows. Nothing here reads a clock; `as_of` is the ledger's own time.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from batch_issuer.documents import State, split_vat, total_of
from batch_issuer.ledger.records import Record, RunRecord
from batch_issuer.messages import N_

EL_SALVADOR = dt.timezone(dt.timedelta(hours=-6), "America/El_Salvador")
"""No daylight saving (domain.md 4)."""


class Cause(StrEnum):
    """Why something needs a person, in the order in which it should be looked at."""

    CONFLICT = "conflict"
    UNSURE = "unsure"
    NOT_SENT = "not-sent"
    REJECTED = "rejected"
    INVALID = "invalid"
    DIFFERENCE = "difference"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSummary:
    """One sheet that was read."""

    file: str
    sheet: str
    sha256: str
    rows: int
    documents: int
    control_total: Decimal | None = None
    read_total: Decimal | None = None
    """The sum of the documents as read, where the sheet has a total of its own."""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A document of the files that was not sent because of its data."""

    external_ref: str
    doc_type: str
    file: str
    sheet: str
    rows: tuple[int, ...]
    gross: Decimal
    branch: str
    date: str
    customer: str
    payment_method: str
    problems: tuple[ProblemText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemText:
    """A problem as the run recorded it: its texts in both languages, its place and the value."""

    code: str
    severity: str
    external_ref: str
    file: str
    sheet: str
    row: int | None
    column: str
    heading: str
    value: str
    message: Mapping[str, str]
    repair: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """The file says something else about a sale that was already issued: both versions."""

    external_ref: str
    state: State
    file: str
    sheet: str
    rows: tuple[int, ...]
    issued_gross: Decimal
    file_gross: Decimal
    changes: tuple[Change, ...]
    control_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between what was issued and what the file says now."""

    what: str
    """Field name, or `line 3: quantity`."""
    issued: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The provider's amount against ours."""

    record: Record
    what: str
    expected: Decimal
    answered: Decimal
    within_tolerance: bool

    @property
    def amount(self) -> Decimal:
        return self.answered - self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Documents and money of one group. `gross` is ours; `provider_gross` is what the answers say."""

    documents: int = 0
    gross: Decimal = Decimal("0.00")
    provider_gross: Decimal = Decimal("0.00")
    taxable: Decimal = Decimal("0.00")
    vat: Decimal = Decimal("0.00")
    retention: Decimal = Decimal("0.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the bridge from rows to states. `sign` says how it enters: 1 adds, -1 takes away, 0 is a result."""

    key: str
    label: str
    sign: int
    documents: int
    gross: Decimal
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One value of a dimension (a type, a branch, a day, a payment method) with its totals by state."""

    name: str
    total: Total
    states: Mapping[State, int]
    held_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Documents refused, or left unsure, for one and the same reason."""

    cause: Cause
    code: str
    message: str
    """The provider's own words, or the reason's code; never a catalog text."""
    gross: Decimal
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Everything that a report shows."""

    company: str
    company_name: str
    runs: tuple[RunRecord, ...]
    as_of: str
    """Time of the newest thing known, UTC ISO."""
    stopped: str
    """The sentence that ended the run early, in English as the key of the catalog; empty when it reached its end."""
    stopped_with: Mapping[str, str]
    """What fills the places of that sentence."""
    tolerance: Decimal
    sources: tuple[SourceSummary, ...]
    rows: int
    records: tuple[Record, ...]
    held_back: tuple[HeldBack, ...]
    notes: tuple[ProblemText, ...]
    """Problems that do not hold a document back, and those of files as a whole."""
    conflicts: tuple[Conflict, ...]
    differences: tuple[Difference, ...]
    states: Mapping[State, Total]
    bridge: tuple[Step, ...]
    by_type: tuple[Group, ...]
    by_branch: tuple[Group, ...]
    by_day: tuple[Group, ...]
    by_payment: tuple[Group, ...]
    refusals: tuple[Refusal, ...]
    ages: tuple[tuple[str, int, Decimal], ...]
    """Contingency by age at `as_of`: (bucket key, documents, gross) for `<1h`, `<24h`, `24-72h`, `>72h`, `>7d`."""

    @property
    def total(self) -> Total:
        """All documents of the sources, sent or held back."""
        held = total_of(one.gross for one in self.held_back)
        known = add_up(self.records)
        return Total(
            documents=known.documents + len(self.held_back),
            gross=known.gross + held,
            provider_gross=known.provider_gross,
            taxable=known.taxable,
            vat=known.vat,
            retention=known.retention,
        )

    def in_state(self, *states: State) -> tuple[Record, ...]:
        return tuple(record for record in self.records if record.state in states)

    @property
    def beyond_tolerance(self) -> tuple[Difference, ...]:
        return tuple(one for one in self.differences if not one.within_tolerance)

    @property
    def needs_person(self) -> int:
        """How many documents somebody has to look at."""
        references = {one.external_ref for one in self.conflicts}
        references |= {one.record.external_ref for one in self.beyond_tolerance}
        references |= {record.external_ref for record in self.records if _waits_for_person(record)}
        return len(references) + len(self.held_back) + self.file_problems

    @property
    def file_problems(self) -> int:
        """Problems that block but belong to no document."""
        return sum(1 for note in self.notes if note.severity == "blocks")

    @property
    def exit_code(self) -> int:
        """0 nothing needs a person, 1 something does. Runs that stopped early have their own code."""
        return 1 if self.needs_person else 0

    @property
    def verdict(self) -> str:
        """Catalog text of the one sentence on top; its places are `documents`, `needs` and `contingency`."""
        if self.stopped:
            return N_("The run stopped before its end. What is shown is what is known; run the same command again.")
        if self.needs_person:
            return N_("{needs} of {documents} documents need a person.")
        if self.states.get(State.CONTINGENCY, Total()).documents:
            return N_("Everything is issued. {contingency} of {documents} documents await the ministry's stamp.")
        if not self.total.documents:
            return N_("There is nothing to issue here.")
        return N_("All {documents} documents are stamped.")

    @property
    def verdict_parameters(self) -> Mapping[str, str]:
        return {
            "documents": f"{self.total.documents:,}",
            "needs": f"{self.needs_person:,}",
            "contingency": f"{self.states.get(State.CONTINGENCY, Total()).documents:,}",
        }


def _waits_for_person(record: Record) -> bool:
    if record.state is State.CONTINGENCY:
        return record.reason == "not-found"
    return record.state in (State.PLANNED, State.SENDING, State.UNSURE, State.REJECTED, State.INVALID)


def add_up(records: Iterable[Record]) -> Total:
    """Totals of documents; base and VAT are the provider's where it answered, ours otherwise."""
    documents, gross, answered, taxable, vat, retention = 0, *(Decimal("0.00") for _ in range(5))
    for record in records:
        amounts = record.answer.amounts
        ours = split_vat(record.expected_gross) if record.doc_type != "11" else (record.expected_gross, Decimal(0))
        documents += 1
        gross += record.expected_gross
        answered += amounts.gross or 0
        taxable += ours[0] if amounts.taxable is None else amounts.taxable
        vat += ours[1] if amounts.vat is None else amounts.vat
        retention += amounts.retention or 0
    return Total(
        documents=documents, gross=gross, provider_gross=answered, taxable=taxable, vat=vat, retention=retention
    )


def reconcile(
    *,
    company: str,
    company_name: str,
    runs: Sequence[RunRecord],
    records: Sequence[Record],
    tolerance: Decimal,
) -> Reconciliation:
    """What the runs read, against what the ledger knows of it now.

    `runs` are those whose sources count (the newest last), `records` the documents of those runs.
    """
    held_back, notes, conflicts = _of_summaries(runs)
    times = [record.updated_at for record in records] + [run.ended_at or run.started_at for run in runs]
    as_of = max(times, default="")
    ending = (runs[-1].ending or {}) if runs else {}
    return Reconciliation(
        company=company,
        company_name=company_name,
        runs=tuple(runs),
        as_of=as_of,
        stopped=str(ending.get("stopped", "")),
        stopped_with={name: str(value) for name, value in ending.get("stopped_with", {}).items()},
        tolerance=tolerance,
        sources=_sources(runs),
        rows=sum(int((run.summary or {}).get("rows", 0)) for run in runs),
        records=tuple(records),
        held_back=held_back,
        notes=notes,
        conflicts=conflicts,
        differences=tuple(differences(records, tolerance)),
        states={state: add_up(record for record in records if record.state is state) for state in State},
        bridge=_bridge(runs, records, held_back),
        by_type=_groups(records, held_back, lambda one: one.doc_type),
        by_branch=_groups(records, held_back, lambda one: one.branch),
        by_day=_groups(records, held_back, lambda one: one.date),
        by_payment=_groups(records, held_back, lambda one: one.payment_method),
        refusals=tuple(_refusals(records)),
        ages=_ages(records, as_of),
    )


def differences(records: Iterable[Record], tolerance: Decimal) -> Iterable[Difference]:
    """Every amount of the provider that is not ours, the largest first. Tolerance is dollars per line."""
    found = [
        Difference(
            record=record,
            what="gross",
            expected=record.expected_gross,
            answered=answered,
            within_tolerance=abs(answered - record.expected_gross) <= tolerance * max(record.lines, 1),
        )
        for record in records
        if (answered := record.answer.amounts.gross) is not None
        and record.state in (State.STAMPED, State.CONTINGENCY, State.CANCELLED, State.UNSURE)
        and answered != record.expected_gross
    ]
    return sorted(found, key=lambda one: (-abs(one.amount), one.record.external_ref))


def _bridge(runs: Sequence[RunRecord], records: Sequence[Record], held_back: Sequence[HeldBack]) -> tuple[Step, ...]:
    """Rows, documents, held back, then one step a state; the states add up to what was to be sent."""
    total = add_up(records)
    held = total_of(one.gross for one in held_back)
    rows = sum(int((run.summary or {}).get("rows", 0)) for run in runs)
    steps = [
        Step(
            key="documents", label=N_("Documents in the files"), sign=0, rows=rows,
            documents=total.documents + len(held_back), gross=total.gross + held,
        ),
        Step(key="held_back", label=N_("Held back for their data"), sign=-1, documents=len(held_back), gross=held),
        Step(key="to_issue", label=N_("To issue"), sign=0, documents=total.documents, gross=total.gross),
    ]  # fmt: skip
    for state in State:
        part = add_up(record for record in records if record.state is state)
        if part.documents or state in (State.STAMPED, State.CONTINGENCY, State.REJECTED, State.INVALID, State.UNSURE):
            steps.append(
                Step(key=state.value, label=STATE_NAMES[state], sign=1, documents=part.documents, gross=part.gross)
            )
    return tuple(steps)


STATE_NAMES: Mapping[State, str] = {
    State.STAMPED: N_("Stamped"),
    State.CONTINGENCY: N_("In contingency"),
    State.REJECTED: N_("Rejected"),
    State.INVALID: N_("Invalid"),
    State.UNSURE: N_("Unsure"),
    State.SENDING: N_("Sent, no answer recorded"),
    State.PLANNED: N_("Not sent yet"),
    State.CANCELLED: N_("Cancelled"),
}


def _groups(records: Sequence[Record], held_back: Sequence[HeldBack], key: Callable[[Any], str]) -> tuple[Group, ...]:
    members: dict[str, list[Record]] = defaultdict(list)
    held: dict[str, int] = defaultdict(int)
    for record in records:
        members[key(record)].append(record)
    for one in held_back:
        held[key(one)] += 1
    return tuple(
        Group(
            name=name,
            total=add_up(members.get(name, ())),
            states=_count_states(members.get(name, ())),
            held_back=held.get(name, 0),
        )
        for name in sorted({*members, *held})
    )


def _count_states(records: Iterable[Record]) -> Mapping[State, int]:
    counts: dict[State, int] = defaultdict(int)
    for record in records:
        counts[record.state] += 1
    return dict(counts)


def _refusals(records: Iterable[Record]) -> Iterable[Refusal]:
    """Refusals and doubts grouped by cause, the largest group first within each cause."""
    grouped: dict[tuple[Cause, str, str], list[Record]] = defaultdict(list)
    for record in records:
        lost = record.state is State.CONTINGENCY and _waits_for_person(record)
        cause = Cause.UNSURE if lost else _CAUSES.get(record.state)
        if cause is not None:
            grouped[(cause, *_why(record))].append(record)
    order = list(Cause)
    for (cause, code, message), members in sorted(
        grouped.items(), key=lambda item: (order.index(item[0][0]), -len(item[1]), item[0][1:])
    ):
        yield Refusal(
            cause=cause, code=code, message=message, records=tuple(members),
            gross=total_of(record.expected_gross for record in members),
        )  # fmt: skip


_CAUSES: Mapping[State, Cause] = {
    State.UNSURE: Cause.UNSURE,
    State.SENDING: Cause.UNSURE,
    State.PLANNED: Cause.NOT_SENT,
    State.REJECTED: Cause.REJECTED,
    State.INVALID: Cause.INVALID,
}


def _why(record: Record) -> tuple[str, str]:
    answer = record.answer
    if record.state in (State.UNSURE, State.SENDING, State.PLANNED):
        return record.reason, answer.detail or answer.dte_message
    words = [*answer.observaciones] or [text for text in (answer.dte_message, answer.detail) if text]
    return answer.codigo_msg or (str(answer.http_status) if record.state is State.INVALID else ""), "; ".join(words)


_BUCKETS = (("<1h", 1), ("<24h", 24), ("24-72h", 72), (">72h", 168))


def _ages(records: Iterable[Record], as_of: str) -> tuple[tuple[str, int, Decimal], ...]:
    counts: dict[str, list[Decimal]] = {name: [] for name in (*(name for name, _ in _BUCKETS), ">7d")}
    for record in records:
        if record.state is State.CONTINGENCY:
            counts[age_bucket(record.numbered_at, as_of)].append(record.expected_gross)
    return tuple((name, len(amounts), total_of(amounts)) for name, amounts in counts.items())


def age_bucket(since: str, as_of: str) -> str:
    """Which bucket of `Reconciliation.ages` a document numbered at `since` falls into."""
    hours = (dt.datetime.fromisoformat(as_of) - dt.datetime.fromisoformat(since)).total_seconds() / 3600 if since else 0
    return next((name for name, limit in _BUCKETS if hours < limit), ">7d")


def _sources(runs: Sequence[RunRecord]) -> tuple[SourceSummary, ...]:
    return tuple(
        SourceSummary(
            file=one["file"],
            sheet=one["sheet"],
            sha256=one["sha256"],
            rows=one["rows"],
            documents=one["documents"],
            control_total=_decimal(one.get("control_total")),
            read_total=_decimal(one.get("read_total")),
            notes=one.get("notes", ""),
        )
        for run in runs
        for one in (run.summary or {}).get("sources", ())
    )


def _of_summaries(
    runs: Sequence[RunRecord],
) -> tuple[tuple[HeldBack, ...], tuple[ProblemText, ...], tuple[Conflict, ...]]:
    held_back: list[HeldBack] = []
    notes: list[ProblemText] = []
    conflicts: list[Conflict] = []
    for run in runs:
        summary = run.summary or {}
        held_back += [_held_back(one) for one in summary.get("held_back", ())]
        notes += [ProblemText(**one) for one in summary.get("notes", ())]
        conflicts += [_conflict(one) for one in summary.get("conflicts", ())]
    return tuple(held_back), tuple(notes), tuple(conflicts)


def _held_back(plain: Mapping[str, Any]) -> HeldBack:
    return HeldBack(
        **{
            **plain,
            "rows": tuple(plain["rows"]),
            "gross": Decimal(plain["gross"]),
            "problems": tuple(ProblemText(**one) for one in plain["problems"]),
        }
    )


def _conflict(plain: Mapping[str, Any]) -> Conflict:
    return Conflict(
        **{
            **plain,
            "state": State(plain["state"]),
            "rows": tuple(plain["rows"]),
            "issued_gross": Decimal(plain["issued_gross"]),
            "file_gross": Decimal(plain["file_gross"]),
            "changes": tuple(Change(**one) for one in plain["changes"]),
        }
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def as_json(reconciliation: Reconciliation) -> dict[str, Any]:
    """The parts that `--json` of every reporting command shares."""
    states = reconciliation.states
    total = reconciliation.total
    return {
        "company": reconciliation.company,
        "rows": reconciliation.rows,
        "documents": total.documents,
        "states": {state.value: states[state].documents for state in State},
        "held_back": len(reconciliation.held_back),
        "needs_person": reconciliation.needs_person,
        "totals": {
            "expected_gross": _money(total.gross),
            "to_issue_gross": _money(add_up(reconciliation.records).gross),
            "held_back_gross": _money(total_of(one.gross for one in reconciliation.held_back)),
            "provider_gross": _money(total.provider_gross),
            "retention": _money(total.retention),
            **{f"{state.value}_gross": _money(states[state].gross) for state in State},
            "difference_beyond_tolerance": _money(total_of(one.amount for one in reconciliation.beyond_tolerance)),
        },
        "conflicts": [
            {
                "external_ref": one.external_ref,
                "state": one.state.value,
                "file": one.file,
                "sheet": one.sheet,
                "rows": list(one.rows),
                "issued_gross": _money(one.issued_gross),
                "file_gross": _money(one.file_gross),
                "changes": [{"what": part.what, "issued": part.issued, "file": part.file} for part in one.changes],
            }
            for one in reconciliation.conflicts
        ],
        "differences": [
            {
                "external_ref": one.record.external_ref,
                "expected": _money(one.expected),
                "answered": _money(one.answered),
                "within_tolerance": one.within_tolerance,
            }
            for one in reconciliation.differences
        ],
    }


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"
