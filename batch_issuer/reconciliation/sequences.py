"""Control numbers by series and calendar year: first, last, what is missing between them, what came twice.

A control number has no year and begins again each January, so the year is the one in which it was given.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from batch_issuer.ledger.records import Numbered, Record
from batch_issuer.reconciliation.values import EL_SALVADOR, OtherMonth, Repeat, Series

_CONTROL_NUMBER = re.compile(r"(DTE-[0-9]{2}-[A-Z0-9]{8})-([0-9]{15})", re.ASCII)
"""Type, establishment and point of sale, 15 digits (domain.md 2)."""


def split_control_number(text: str) -> tuple[str, int] | None:
    """The series and the number within it; None for what is not built so."""
    found = _CONTROL_NUMBER.fullmatch(text)
    return (found[1], int(found[2])) if found else None


def day_of(moment: str) -> str:
    """The day in El Salvador of a time of the ledger, ISO; empty where no time is known."""
    return f"{dt.datetime.fromisoformat(moment).astimezone(EL_SALVADOR):%Y-%m-%d}" if moment else ""


def year_of(moment: str) -> int:
    """The calendar year in El Salvador, where the new one begins six hours later than in UTC."""
    return int(day_of(moment)[:4] if moment[5:10] == "01-01" else moment[:4])


@dataclass(frozen=True, slots=True)
class _Place:
    series: str
    year: int


def series_of(records: Iterable[Record], known: Sequence[Numbered]) -> tuple[Series, ...]:
    """Every series of the documents reconciled; `known` are documents of the whole ledger in and before their range."""
    ours: dict[_Place, list[int]] = defaultdict(list)
    for record in records:
        if record.answer.control_number and (at := _place(record.answer.control_number, _given(record))):
            ours[at[0]].append(at[1])
    holders: dict[_Place, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in known:
        if at := _place(one.control_number, one.at):
            holders[at[0]][at[1]].append(one.external_ref)
    return tuple(
        _series(place, sorted(ours[place]), holders[place])
        for place in sorted(ours, key=lambda one: (one.series, one.year))
    )


def numbered(record: Record) -> Numbered:
    """A document as its number is known by."""
    return Numbered(control_number=record.answer.control_number, external_ref=record.external_ref, at=_given(record))


def _given(record: Record) -> str:
    return record.numbered_at or record.settled_at or record.updated_at


def _place(control_number: str, moment: str) -> tuple[_Place, int] | None:
    parts = split_control_number(control_number)
    return (_Place(parts[0], year_of(moment)), parts[1]) if parts and moment else None


def _series(place: _Place, ours: Sequence[int], holders: dict[int, list[str]]) -> Series:
    first, last = ours[0], ours[-1]
    in_range = sorted({*ours, *(number for number in holders if number <= last)})
    before = [number for number in in_range if number < first][-1:]
    run = [*before, *(number for number in in_range if number >= first)]
    return Series(
        name=place.series,
        year=place.year,
        first=first,
        last=last,
        documents=len(ours),
        missing=tuple(_holes(run)),
        repeated=tuple(
            Repeat(number=number, references=tuple(sorted(set(references))))
            for number, references in sorted(holders.items())
            if first <= number <= last and len(set(references)) > 1
        ),
    )


def _holes(ordered: Sequence[int]) -> Iterator[tuple[int, int]]:
    for before, after in pairwise(ordered):
        if after > before + 1:
            yield before + 1, after - 1


def odd_numbers(records: Iterable[Record]) -> tuple[Record, ...]:
    """Documents whose control number belongs to no series."""
    return tuple(
        record
        for record in records
        if record.answer.control_number and split_control_number(record.answer.control_number) is None
    )


def other_months(records: Iterable[Record]) -> Iterator[OtherMonth]:
    """Documents that were issued, or stamped, in another month than that of their sale."""
    for record in records:
        if not record.numbered_at or _within_month(record):
            continue
        stamp = record.answer.reception_stamp
        issued, stamped = day_of(record.numbered_at), day_of(record.settled_at) if stamp else ""
        if len({day[:7] for day in (record.date, issued, stamped) if day}) > 1:
            yield OtherMonth(record=record, sold=record.date, issued=issued, stamped=stamped)


def _within_month(record: Record) -> bool:
    """The same month in UTC, and too late in it to be another one six hours earlier: no time need be taken apart."""
    month = record.numbered_at[:7]
    days = (record.numbered_at[8:10], record.settled_at[8:10])
    return record.date[:7] in ("", month) and record.settled_at[:7] in ("", month) and "01" not in days
