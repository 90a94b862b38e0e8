"""Sums of documents: by state and by every dimension in one pass, and the bridge from rows to states.

A control total counts every document as it is. Where *sales* are summed, credit notes (05) take away and purchases
from excluded subjects (14) do not count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any

from batch_issuer.messages import N_
from batch_issuer.model.documents import WITHOUT_VAT
from batch_issuer.model.money import NOTHING, split_vat, total_of
from batch_issuer.model.records import Record
from batch_issuer.model.states import ALWAYS_SHOWN, ISSUED, SENT, STATE_NAMES, State
from batch_issuer.reconcile.values import (
    CREDIT_NOTE,
    EXCLUDED_SUBJECT,
    Group,
    HeldBack,
    Missing,
    Step,
    Tally,
    Total,
)

_Parts = tuple[Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]
_Key = tuple[str, str, str, str, State, bool]
"""Type, branch, day, payment method, state, and whether a credit note undid it: what is alike is summed first."""


class _Sum:
    """A `Total` while it grows."""

    __slots__ = ("documents", "parts")

    def __init__(self) -> None:
        self.documents = 0
        self.parts: _Parts = (NOTHING,) * 6

    def add(self, parts: _Parts, documents: int = 1) -> None:
        self.documents += documents
        a, b, c, d, e, f = self.parts
        u, v, w, x, y, z = parts
        self.parts = (a + u, b + v, c + w, d + x, e + y, f + z)

    def total(self) -> Total:
        gross, answered, taxable, vat, retention, income_tax = self.parts
        return Total(
            documents=self.documents, gross=gross, provider_gross=answered, taxable=taxable, vat=vat,
            retention=retention, income_tax=income_tax,
        )  # fmt: skip


def _parts_of(record: Record) -> _Parts:
    """Ours, the provider's, base, VAT, VAT withheld, income tax withheld; base and VAT are ours where it said none."""
    amounts, doc_type, gross = record.answer.amounts, record.doc_type, record.expected_gross
    taxable, vat = amounts.taxable, amounts.vat
    if taxable is None or vat is None:
        ours = (gross, NOTHING) if doc_type in WITHOUT_VAT else split_vat(gross)
        taxable = ours[0] if taxable is None else taxable
        vat = ours[1] if vat is None else vat
    withheld = amounts.retention or NOTHING
    answered = amounts.gross or NOTHING
    if doc_type == EXCLUDED_SUBJECT:
        return gross, answered, taxable, vat, NOTHING, withheld
    return gross, answered, taxable, vat, withheld, NOTHING


def _sold(key: _Key, parts: _Parts, gross: Decimal) -> _Parts | None:
    """What documents of one kind add to the sales; None where they are no sales, or not issued."""
    doc_type, *_, state, credited = key
    if not (state in ISSUED or credited) or doc_type == EXCLUDED_SUBJECT:
        return None
    _, *others = parts
    sign = -1 if doc_type == CREDIT_NOTE else 1
    answered, taxable, vat, withheld, income_tax = (sign * part for part in others)
    return sign * gross, answered, taxable, vat, withheld, income_tax


def add_up(records: Iterable[Record]) -> Total:
    """Control totals of documents; base and VAT are the provider's where it answered, ours otherwise."""
    total = _Sum()
    for record in records:
        total.add(_parts_of(record))
    return total.total()


def tally(items: Iterable[Record | HeldBack | Missing]) -> Tally:
    """How many, and what they come to by our own amounts."""
    amounts = [one.expected_gross if isinstance(one, Record) else one.gross for one in items]
    return Tally(documents=len(amounts), gross=total_of(amounts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """All sums of some documents."""

    states: Mapping[State, Total]
    sales: Total
    by_type: tuple[Group, ...]
    by_branch: tuple[Group, ...]
    by_day: tuple[Group, ...]
    by_payment: tuple[Group, ...]


_DIMENSIONS: tuple[Callable[[Any], str], ...] = (
    attrgetter("doc_type"),
    attrgetter("branch"),
    attrgetter("date"),
    attrgetter("payment_method"),
)


def undone_by_notes(records: Iterable[Record], credited: Mapping[str, Decimal]) -> frozenset[str]:
    """References of CCFs that credit notes of their own undid: the sale stands, and the notes take it away.

    `credited` is what live credit notes come to, by what each says that it adjusts: a reference, or an id.
    """
    plain = {name.lower(): gross for name, gross in credited.items()}

    def amount(record: Record) -> Decimal:
        ids = {record.answer.document_id.lower(), record.answer.generation_code.lower()} - {""}
        return credited.get(record.external_ref, NOTHING) + sum((plain.get(one, NOTHING) for one in ids), NOTHING)

    return frozenset(
        record.external_ref
        for record in records
        if record.cancelled_unasked
        and ((record.cancellation and record.cancellation.memo) or amount(record) >= record.expected_gross > 0)
    )


def live_notes(records: Iterable[Record]) -> dict[str, Decimal]:
    """What the credit notes among these documents come to, by what each says that it adjusts."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        if record.doc_type == CREDIT_NOTE and record.state in ISSUED:
            found[record.adjusts] += record.expected_gross
    return found


def sum_up(
    records: Sequence[Record], held_back: Sequence[HeldBack], missing: Sequence[Missing], undone: frozenset[str]
) -> Sums:
    """Every sum of a reconciliation, in one pass over the documents; `undone` are CCFs that credit notes undid."""
    kinds: dict[_Key, _Sum] = defaultdict(_Sum)
    sold_gross: dict[_Key, Decimal] = defaultdict(Decimal)
    for record in records:
        key = (
            record.doc_type,
            record.branch,
            record.date,
            record.payment_method,
            record.state,
            record.external_ref in undone,
        )
        kinds[key].add(_parts_of(record))
        answered = record.answer.amounts.gross
        sold_gross[key] += record.expected_gross if answered is None else answered
    tables: list[dict[str, dict[State, _Sum]]] = [defaultdict(lambda: defaultdict(_Sum)) for _ in _DIMENSIONS]
    sales: list[dict[str, _Sum]] = [defaultdict(_Sum) for _ in _DIMENSIONS]
    for key, total in kinds.items():
        sold = _sold(key, total.parts, sold_gross[key])
        for name, table, sale in zip(key[:4], tables, sales, strict=True):
            table[name][key[4]].add(total.parts, total.documents)
            if sold is not None:
                sale[name].add(sold, total.documents)
    by_type, by_branch, by_day, by_payment = (
        _groups(table, sale, _by_name(held_back, name_of), _by_name(missing, name_of))
        for table, sale, name_of in zip(tables, sales, _DIMENSIONS, strict=True)
    )
    states = {state: _merged(states[state] for states in tables[0].values() if state in states) for state in State}
    return Sums(
        states=states, sales=_merged(sales[0].values()), by_type=by_type, by_branch=by_branch, by_day=by_day,
        by_payment=by_payment,
    )  # fmt: skip


def _merged(sums: Iterable[_Sum]) -> Total:
    merged = _Sum()
    for one in sums:
        merged.add(one.parts, one.documents)
    return merged.total()


def _by_name(items: Iterable[HeldBack | Missing], name_of: Callable[[Any], str]) -> Mapping[str, Tally]:
    counts, amounts = Counter[str](), defaultdict[str, Decimal](Decimal)
    for one in items:
        counts[name_of(one)] += 1
        amounts[name_of(one)] += one.gross
    return {name: Tally(documents=counts[name], gross=NOTHING + amounts[name]) for name in counts}


def _groups(
    table: Mapping[str, Mapping[State, _Sum]],
    sales: Mapping[str, _Sum],
    held_back: Mapping[str, Tally],
    missing: Mapping[str, Tally],
) -> tuple[Group, ...]:
    none = Tally()
    return tuple(
        Group(
            name=name,
            total=_merged(table[name].values()) if name in table else Total(),
            states={state: one.documents for state, one in table[name].items()} if name in table else {},
            by_state={state: Tally(documents=one.documents, gross=one.parts[0]) for state, one in table[name].items()}
            if name in table
            else {},
            held_back=held_back.get(name, none).documents,
            held_gross=held_back.get(name, none).gross,
            missing=missing.get(name, none),
            sales=sales[name].total() if name in sales else Total(),
        )
        for name in sorted({*table, *held_back, *missing})
    )


def bridge(
    *,
    rows: int,
    states: Mapping[State, Total],
    held_back: Tally,
    left_out: Tally,
    missing: Tally,
    changed: Decimal,
    label: str,
    filed: bool = True,
) -> tuple[Step, ...]:
    """From the rows of the files to the states, each result the one before less its steps, to the cent.

    `changed` is how much more the files say than the ledger does about documents that both have; `label` is what the
    documents of the ledger are called; without files (`filed`) the bridge begins with them.
    """
    known = sum(one.documents for one in states.values()), total_of(one.gross for one in states.values())
    beside = (held_back, left_out, missing)
    documents = known[0] + sum(one.documents for one in beside)
    gross = known[1] + total_of(one.gross for one in beside) + changed
    planned = states[State.PLANNED]
    from_files = [
        Step(key="documents", label=N_("Documents in the files"), sign=0, rows=rows, documents=documents, gross=gross),
        _less("held_back", N_("Held back for their data"), held_back),
        _less("left_out", N_("Left out by --only or --limit"), left_out),
        _less("missing", N_("Not in the ledger"), missing),
        _less("changed", N_("Amounts that the files say otherwise"), Tally(gross=NOTHING + changed)),
    ]
    steps = [
        *(from_files if filed else ()),
        Step(
            key="to_issue" if filed else "documents", label=label, sign=0, rows=None if filed else rows,
            documents=known[0], gross=known[1],
        ),
        _less("planned", STATE_NAMES[State.PLANNED], Tally(documents=planned.documents, gross=planned.gross)),
        Step(
            key="sent", label=N_("Sent to the provider"), sign=0, documents=known[0] - planned.documents,
            gross=known[1] - planned.gross,
        ),
        *(
            Step(key=state.value, label=STATE_NAMES[state], sign=1, documents=part.documents, gross=part.gross)
            for state, part in ((state, states[state]) for state in SENT)
        ),
    ]  # fmt: skip
    return tuple(step for step in steps if step.documents or step.gross or step.key in _ALWAYS)


_ALWAYS = ("documents", "held_back", "to_issue", "sent", *(state.value for state in ALWAYS_SHOWN))


def _less(key: str, label: str, taken: Tally) -> Step:
    return Step(key=key, label=label, sign=-1, documents=taken.documents, gross=taken.gross)
