"""The numbers that the provider gave, by series: first, last, what is missing between them, what came twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from batch_issuer.ledger.records import Record

_DIGITS = 15
"""Of a control number: `DTE-{type}-{establishment and point of sale}-{15 digits}` (provider.md 3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One document type at one establishment and point of sale."""

    name: str
    """For example `DTE-01-M001P001`."""
    first: int
    last: int
    documents: int
    missing: tuple[tuple[int, int], ...]
    """Runs of numbers that none of the documents has, ends included. Other programs may have used them."""
    repeated: tuple[int, ...]

    @property
    def missing_numbers(self) -> int:
        return sum(end - start + 1 for start, end in self.missing)


def split_control_number(text: str) -> tuple[str, int] | None:
    """The series and the number within it; None for what is not built so."""
    series, _, digits = text.rpartition("-")
    return (series, int(digits)) if len(digits) == _DIGITS and digits.isdecimal() and digits.isascii() else None


def series_of(records: Iterable[Record]) -> tuple[Series, ...]:
    """Every series that the documents' control numbers belong to, by name."""
    numbers: dict[str, Counter[int]] = defaultdict(Counter)
    for record in records:
        if parts := split_control_number(record.answer.control_number):
            numbers[parts[0]][parts[1]] += 1
    return tuple(_series(name, numbers[name]) for name in sorted(numbers))


def _series(name: str, counts: Counter[int]) -> Series:
    ordered = sorted(counts)
    return Series(
        name=name,
        first=ordered[0],
        last=ordered[-1],
        documents=counts.total(),
        missing=tuple(_holes(ordered)),
        repeated=tuple(number for number in ordered if counts[number] > 1),
    )


def _holes(ordered: Sequence[int]) -> Iterator[tuple[int, int]]:
    for before, after in pairwise(ordered):
        if after > before + 1:
            yield before + 1, after - 1
