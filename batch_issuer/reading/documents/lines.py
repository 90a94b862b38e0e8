"""The lines of a document, made from the columns of its sheet when they are asked for, as a mere check does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, overload

from batch_issuer.model.documents import Line
from batch_issuer.reading.documents.grouping import NEUTRAL, JoinedField
from batch_issuer.reading.tables import Codes
from batch_issuer.settings import LINE_FIELDS

LineColumn = tuple[Sequence[Any], Codes] | Any
"""Values and the code of each row; or the one value of all of them."""


def line_columns(fields: Mapping[str, JoinedField], rows: Codes) -> Sequence[LineColumn]:
    """Return the columns of some rows, in the order in which `Line` has its fields."""
    found = [(name, fields.get(name)) for name in LINE_FIELDS]
    return [NEUTRAL.get(name, "") if field is None else (field.values, field.codes[rows]) for name, field in found]


class Lines(Sequence[Line]):
    """The lines in `rows` from `first` to `last`, from columns parallel to these. It equals the tuple of its lines.

    The columns of a block are asked for when somebody looks at a line of it: a check judges whole columns instead.
    """

    __slots__ = ("_columns", "_first", "_last", "_made", "_rows")

    def __init__(self, columns: Callable[[], Sequence[LineColumn]], rows: Codes, first: int, last: int) -> None:
        self._columns = columns
        self._rows = rows
        self._first = first
        self._last = last
        self._made: tuple[Line, ...] | None = None

    def _all(self) -> tuple[Line, ...]:
        if self._made is None:  # a document's lines are looked at by many rules, or by none
            part = slice(self._first, self._last)
            columns = [
                map(one[0].__getitem__, one[1][part].tolist()) if isinstance(one, tuple) else repeat(one)
                for one in self._columns()
            ]
            self._made = tuple(map(Line, *columns, self._rows[part].tolist()))
        return self._made

    def __len__(self) -> int:
        return self._last - self._first

    def __iter__(self) -> Iterator[Line]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Line, ...]: ...

    def __getitem__(self, index: int | slice) -> Line | tuple[Line, ...]:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, Lines) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())
