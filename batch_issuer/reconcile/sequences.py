"""Control numbers by series and calendar year: first, last, what is missing between them, what came twice.

A control number has no year and begins again each January, so the year is the one in which it was given.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from batch_issuer.model.days import day_of, year_of
from batch_issuer.model.records import Numbered, Record
from batch_issuer.reconcile.values import OtherMonth, Repeat, Series

_SERIES = re.compile(r"DTE-[0-9]{2}-[A-Z0-9]{8}", re.ASCII)
"""Type, establishment and point of sale (domain.md 2)."""
_DIGITS = 15
"""Of the number after them."""


def split_control_number(text: str) -> tuple[str, int] | None:
    """The series and the number within it; None for what is not built so."""
    series, dash, digits = text[:15], text[15:16], text[16:]
    if len(digits) != _DIGITS or dash != "-" or not (digits.isascii() and digits.isdecimal() and _is_series(series)):
        return None
    return series, int(digits)


@lru_cache(maxsize=1024)
def _is_series(text: str) -> bool:
    return _SERIES.fullmatch(text) is not None


_Place = tuple[str, int]
"""A series and a year."""


def series_of(records: Iterable[Record], known: Iterable[Numbered]) -> tuple[Series, ...]:
    """Every series of the documents reconciled; `known` are documents of the whole ledger in and before their range."""
    ours: dict[_Place, list[int]] = defaultdict(list)
    for record in records:
        if found := _place(record.answer.control_number, _given(record)):
            ours[found[0]].append(found[1])
    holders: dict[_Place, dict[int, str]] = defaultdict(dict)
    several: dict[_Place, dict[int, set[str]]] = defaultdict(dict)
    for one in known:
        if found := _place(one.control_number, one.at):
            place, number = found
            first = holders[place].setdefault(number, one.external_ref)
            if first != one.external_ref:
                several[place].setdefault(number, {first}).add(one.external_ref)
    return tuple(_series(place, sorted(ours[place]), holders[place], several[place]) for place in sorted(ours))


def numbered(record: Record) -> Numbered:
    """A document as its number is known by."""
    return Numbered(control_number=record.answer.control_number, external_ref=record.external_ref, at=_given(record))


def _given(record: Record) -> str:
    return record.numbered_at or record.settled_at or record.updated_at


def _place(control_number: str, moment: str) -> tuple[_Place, int] | None:
    parts = split_control_number(control_number) if control_number and moment else None
    return ((parts[0], year_of(moment)), parts[1]) if parts else None


def _series(place: _Place, ours: Sequence[int], holders: Mapping[int, str], several: Mapping[int, set[str]]) -> Series:
    first, last = ours[0], ours[-1]
    everybody = sorted({*ours, *(number for number in holders if number <= last)})
    before = [number for number in everybody if number < first][-1:]
    return Series(
        name=place[0],
        year=place[1],
        first=first,
        last=last,
        documents=len(ours),
        missing=tuple(_holes([*before, *(number for number in everybody if number >= first)])),
        repeated=tuple(
            Repeat(number=number, references=tuple(sorted(references)))
            for number, references in sorted(several.items())
            if first <= number <= last
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
