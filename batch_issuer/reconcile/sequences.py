"""Control numbers by series and calendar year: first, last, what is missing between them, what came twice.

A control number has no year and begins again each January, so the year is the one in which it was given.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from batch_issuer.model.days import day_of, year_of
from batch_issuer.model.records import Numbered, Record
from batch_issuer.reconcile.values import OtherMonth, Repeat, Series

_SERIES = re.compile(r"DTE-[0-9]{2}-[A-Z0-9]{8}", re.ASCII)
"""Type, establishment and point of sale (domain.md 2)."""
_series_found = lru_cache(maxsize=1024)(_SERIES.fullmatch)
"""Remembered: a business has a handful of series, and tens of thousands of numbers in them."""
_DIGITS = 15
"""Of the number after them."""


def split_control_number(text: str) -> tuple[str, int] | None:
    """Return the series of a control number and the number within it; None for what is not built so."""
    series, dash, digits = text[:15], text[15:16], text[16:]
    if len(digits) != _DIGITS or dash != "-" or not (digits.isascii() and digits.isdecimal() and _series_found(series)):
        return None
    return series, int(digits)


_Place = tuple[str, int]
"""A series and a year."""


def series_of(records: Iterable[Record], known: Iterable[Numbered]) -> tuple[Series, ...]:
    """Return every series of the documents reconciled; `known` are the whole ledger's, in and before their range."""
    ours: dict[_Place, list[int]] = defaultdict(list)
    for record in records:
        if found := _place(record.answer.control_number, _given(record)):
            ours[found[0]].append(found[1])
    holders: dict[_Place, dict[int, str]] = defaultdict(dict)
    several: dict[_Place, dict[int, set[str]]] = defaultdict(dict)
    for one in known:
        if found := _place(one.control_number, one.at):
            place, number = found
            # Nearly every number has one holder: a set is made only where a second one comes.
            first = holders[place].setdefault(number, one.external_ref)
            if first != one.external_ref:
                several[place].setdefault(number, {first}).add(one.external_ref)
    return tuple(_series(place, sorted(ours[place]), holders[place], several[place]) for place in sorted(ours))


def numbered(record: Record) -> Numbered:
    """Return a document as one that has a number, like those that the ledger knows."""
    return Numbered(control_number=record.answer.control_number, external_ref=record.external_ref, at=_given(record))


def _given(record: Record) -> str:
    return record.numbered_at or record.settled_at or record.updated_at


def _place(control_number: str, moment: str) -> tuple[_Place, int] | None:
    parts = split_control_number(control_number) if control_number and moment else None
    return ((parts[0], year_of(moment)), parts[1]) if parts else None


def _series(place: _Place, ours: Sequence[int], holders: Mapping[int, str], several: Mapping[int, set[str]]) -> Series:
    """Return one series: `ours` are its numbers here, in order, `holders` and `several` who in the ledger has which."""
    first, last = ours[0], ours[-1]
    everybody = sorted({*ours, *(number for number in holders if number <= last)})
    # The number before our first one tells whether some are missing between; what came earlier is not our business.
    ordered = everybody[max(bisect_left(everybody, first) - 1, 0) :]
    return Series(
        name=place[0],
        year=place[1],
        first=first,
        last=last,
        documents=len(ours),
        missing=tuple((below + 1, above - 1) for below, above in pairwise(ordered) if above > below + 1),
        repeated=tuple(
            Repeat(number=number, references=tuple(sorted(references)))
            for number, references in sorted(several.items())
            if first <= number <= last
        ),
    )


def odd_numbers(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return documents whose control number belongs to no series."""
    return tuple(
        record
        for record in records
        if record.answer.control_number and split_control_number(record.answer.control_number) is None
    )


def other_months(records: Iterable[Record]) -> Iterator[OtherMonth]:
    """Yield documents that were issued, or stamped, in another month than that of their sale."""
    for record in records:
        if not record.numbered_at:
            continue
        stamp = record.answer.reception_stamp
        issued, stamped = day_of(record.numbered_at), day_of(record.settled_at) if stamp else ""
        if len({day[:7] for day in (record.date, issued, stamped) if day}) > 1:
            yield OtherMonth(record=record, sold=record.date, issued=issued, stamped=stamped)
