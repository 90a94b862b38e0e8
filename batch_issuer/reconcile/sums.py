"""Sums of documents: by state and by every dimension in one pass, and the bridge from rows to states.

A control total counts every document as it is. Where *sales* are summed, credit notes (05) take away and purchases
from excluded subjects (14) do not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any

from batch_issuer.messages import N_
from batch_issuer.model.documents import WITHOUT_VAT
from batch_issuer.model.money import NOTHING, split_vat, total_of
from batch_issuer.model.records import Record, Wait
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

    def __init__(self, parts: _Parts = (NOTHING,) * 6, documents: int = 0) -> None:
        self.documents = documents
        self.parts = parts

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
    """Return what `_Parts` adds up: ours, the provider's, base, VAT, VAT withheld, income tax withheld."""
    amounts, doc_type, gross = record.answer.amounts, record.doc_type, record.expected_gross
    # Base and VAT are ours where the provider said none; what it withheld is only ever its own.
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
    """Return what documents of one kind add to the sales; None where they are no sales, or not issued."""
    doc_type, *_, state, credited = key
    if not (state in ISSUED or credited) or doc_type == EXCLUDED_SUBJECT:
        return None
    # Ours gives way to `gross`, which is the provider's where it answered: that is what was sold.
    _, *others = parts
    sign = -1 if doc_type == CREDIT_NOTE else 1
    answered, taxable, vat, withheld, income_tax = (sign * part for part in others)
    return sign * gross, answered, taxable, vat, withheld, income_tax


def add_up(records: Iterable[Record]) -> Total:
    """Return the control totals of documents; base and VAT are the provider's where it answered, ours otherwise."""
    total = _Sum()
    for record in records:
        total.add(_parts_of(record))
    return total.total()


def tally(items: Iterable[Record | HeldBack | Missing | Wait]) -> Tally:
    """Count documents or their waits, and add up what they come to by our own amounts."""
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


def adjusted_names(records: Iterable[Record]) -> set[str]:
    """Return every name by which a credit note of any day may adjust a CCF here that was cancelled without our asking.

    Those are our reference, and the provider's two ids in small letters.
    """
    names: set[str] = set()
    for record in records:
        if record.doc_type == "03" and record.cancelled_unasked:
            answer = record.answer
            names |= {record.external_ref, answer.document_id.lower(), answer.generation_code.lower()}
    return names - {""}


def undone_by_notes(records: Iterable[Record], credited: Mapping[str, Decimal]) -> frozenset[str]:
    """Return references of CCFs that credit notes of their own undid: the sale stands, and the notes take it away.

    `credited` is what live credit notes come to, by what each says that it adjusts: a reference, or an id.
    """
    # Ids are hexadecimal, which sheets write in either case; our references are taken as they are.
    plain = {name.lower(): gross for name, gross in credited.items()}

    def amount(record: Record) -> Decimal:
        ids = {record.answer.document_id.lower(), record.answer.generation_code.lower()} - {""}
        return credited.get(record.external_ref, NOTHING) + sum((plain.get(one, NOTHING) for one in ids), NOTHING)

    return frozenset(
        record.external_ref
        for record in records
        if record.cancelled_unasked
        # The provider's own note in place of a late invalidation is over the whole of its CCF.
        and ((record.cancellation and record.cancellation.memo) or amount(record) >= record.expected_gross > 0)
    )


def live_notes(records: Iterable[Record]) -> dict[str, Decimal]:
    """Return what the credit notes among these documents come to, by what each says that it adjusts."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        if record.doc_type == CREDIT_NOTE and record.state in ISSUED:
            found[record.adjusts] += record.expected_gross
    return found


def sum_up(
    records: Sequence[Record], held_back: Sequence[HeldBack], missing: Sequence[Missing], undone: frozenset[str]
) -> Sums:
    """Sum documents by state and by every dimension, reading each once; `undone` are CCFs that credit notes undid."""
    # What is alike in every dimension is added up first: of 25,900 documents there are few kinds.
    kinds: dict[_Key, _Sum] = defaultdict(_Sum)
    sold_gross: dict[_Key, Decimal] = defaultdict(Decimal)
    for one in records:
        key = (one.doc_type, one.branch, one.date, one.payment_method, one.state, one.external_ref in undone)
        kinds[key].add(_parts_of(one))
        answered = one.answer.amounts.gross
        sold_gross[key] += one.expected_gross if answered is None else answered
    states: dict[State, _Sum] = {state: _Sum() for state in State}
    sold: dict[_Key, _Sum] = {}
    for key, total in kinds.items():
        states[key[4]].add(total.parts, total.documents)
        parts = _sold(key, total.parts, sold_gross[key])
        if parts is not None:
            sold[key] = _Sum(parts, total.documents)
    by_type, by_branch, by_day, by_payment = (
        _groups(at, kinds, sold, _by_name(held_back, name_of), _by_name(missing, name_of))
        for at, name_of in enumerate(_DIMENSIONS)
    )
    return Sums(
        states={state: total.total() for state, total in states.items()}, sales=_merged(sold.values()),
        by_type=by_type, by_branch=by_branch, by_day=by_day, by_payment=by_payment,
    )  # fmt: skip


def _merged(sums: Iterable[_Sum]) -> Total:
    merged = _Sum()
    for one in sums:
        merged.add(one.parts, one.documents)
    return merged.total()


def _by_name(items: Iterable[HeldBack | Missing], name_of: Callable[[Any], str]) -> Mapping[str, Tally]:
    """Return what documents come to that are not in the ledger, by what `name_of` says of each."""
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    for one in items:
        amounts[name_of(one)].append(one.gross)
    return {name: Tally(documents=len(some), gross=total_of(some)) for name, some in amounts.items()}


def _groups(
    at: int,
    kinds: Mapping[_Key, _Sum],
    sold: Mapping[_Key, _Sum],
    held_back: Mapping[str, Tally],
    missing: Mapping[str, Tally],
) -> tuple[Group, ...]:
    """Return the groups of one dimension, by name; `at` is its place in a key."""
    table: dict[str, dict[State, _Sum]] = defaultdict(lambda: defaultdict(_Sum))
    sales: dict[str, _Sum] = defaultdict(_Sum)
    for key, total in kinds.items():
        name = key[:4][at]
        table[name][key[4]].add(total.parts, total.documents)
        if key in sold:
            sales[name].add(sold[key].parts, total.documents)
    none = Tally()
    return tuple(
        Group(
            name=name,
            total=_merged(table[name].values()),
            states={state: one.documents for state, one in table[name].items()},
            by_state={state: Tally(documents=one.documents, gross=one.parts[0]) for state, one in table[name].items()},
            held_back=held_back.get(name, none).documents,
            held_gross=held_back.get(name, none).gross,
            missing=missing.get(name, none),
            sales=sales[name].total(),
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
    """Return the steps from the rows of the files to the states, each result the one before less its steps.

    `changed` is how much more the files say than the ledger does about documents that both have; `label` is what the
    documents of the ledger are called; without files (`filed`) the bridge begins with them.
    """
    known = _together(states.values())
    everything = _together([known, held_back, left_out, missing, Tally(gross=changed)])
    planned = states[State.PLANNED]
    sent = Tally(documents=known.documents - planned.documents, gross=known.gross - planned.gross)
    steps = [_step("documents", label, 0, known)]
    if filed:
        steps = [
            _step("documents", N_("Documents in the files"), 0, everything, rows),
            _step("held_back", N_("Held back for their data"), -1, held_back),
            _step("left_out", N_("Left out by --only or --limit"), -1, left_out),
            _step("missing", N_("Not in the ledger"), -1, missing),
            _step("changed", N_("Amounts that the files say otherwise"), -1, Tally(gross=NOTHING + changed)),
            _step("to_issue", label, 0, known),
        ]
    steps += [
        _step("planned", STATE_NAMES[State.PLANNED], -1, planned),
        _step("sent", N_("Sent to the provider"), 0, sent),
        *(_step(state.value, STATE_NAMES[state], 1, states[state]) for state in SENT),
    ]
    return tuple(step for step in steps if step.documents or step.gross or step.key in _ALWAYS)


_ALWAYS = ("documents", "held_back", "to_issue", "sent", *(state.value for state in ALWAYS_SHOWN))


def _together(parts: Iterable[Tally | Total]) -> Tally:
    counted = list(parts)
    return Tally(documents=sum(one.documents for one in counted), gross=total_of(one.gross for one in counted))


def _step(key: str, label: str, sign: int, of: Tally | Total, rows: int | None = None) -> Step:
    return Step(key=key, label=label, sign=sign, documents=of.documents, gross=of.gross, rows=rows)
