"""Columns of text: what every file becomes, whatever it was. Each distinct text is kept, and later parsed, once.

A column is an array of codes, one per row, into the list of its distinct texts; half a million rows then cost
two megabytes a column instead of one Python object a cell.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from itertools import count
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.int32]
Flags: TypeAlias = NDArray[np.bool_]


BLANKS = (
    " \t\r\n\v\f\x1a\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""Spaces of every kind, also those that cannot be seen, and the mark with which old programs end a file."""


class CellKind(IntEnum):
    """How a cell was stored. A CSV has only texts."""

    TEXT = 0
    NUMBER = 1
    DATE = 2
    BOOLEAN = 3
    ERROR = 4
    FORMULA = 5
    """A formula without a stored result; its text is the formula."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`texts[codes[row]]` is the text of a row. Two codes may have the same text, stored in two ways."""

    codes: Codes
    texts: Sequence[str]
    kinds: bytes = b""
    """One `CellKind` per text; empty when all are TEXT."""

    def __getitem__(self, row: int) -> str:
        text: str = self.texts[self.codes[row]]
        return text

    def kind(self, code: int) -> CellKind:
        """Return how the cells of a code were stored."""
        return CellKind(self.kinds[code]) if self.kinds else CellKind.TEXT

    def used_codes(self) -> list[int]:
        """Return the codes that stand in at least one row, ascending."""
        used: list[int] = np.flatnonzero(np.bincount(self.codes, minlength=len(self.texts))).tolist()
        return used

    def flags(self, test: Callable[[str], bool]) -> Flags:
        """Return which texts, by code, pass a test."""
        return np.fromiter(map(test, self.texts), np.bool_, len(self.texts))

    def taken(self, rows: NDArray[np.intp] | NDArray[np.int32] | slice) -> Column:
        """Return the column of some rows; its codes and texts stay as they are."""
        return Column(codes=self.codes[rows], texts=self.texts, kinds=self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All rows of one sheet, with whatever stands above its headings."""

    columns: tuple[Column, ...]
    rows: int
    present: Codes | None = None
    """The rows that the file holds, where others between them do not exist."""

    def cells(self, row: int) -> list[str]:
        """Return the texts of a row, counted from 0."""
        return [column[row] for column in self.columns]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSheet:
    """A sheet that is the template's example and so was not read."""

    name: str
    row: int | None = None
    """The first table row, from 0, that is not the example's own; `text` is its reference."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table with what is known of where it came from."""

    path: str
    name: str
    sha256: str
    table: Table
    encoding: str = ""
    separator: str = ""
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()
    """Table rows, from 0, that a filter or a person has hidden."""
    hidden_columns: frozenset[int] = frozenset()
    formats: Mapping[tuple[int, int], str] = field(default_factory=dict)
    """Number formats with words of their own, by (column, code of the text)."""
    examples: tuple[ExampleSheet, ...] = ()
    """The example sheets of the same workbook."""

    @property
    def title(self) -> str:
        """File and sheet, as sentences name them."""
        return f"{self.path} · {self.name}" if self.name else self.path


class ColumnBuilder:
    """Gathers the texts of one column, a chunk of rows at a time."""

    def __init__(self) -> None:
        self._code_of: defaultdict[str, int] = defaultdict(count().__next__)
        self._chunks: list[Codes] = []

    def add(self, texts: Sequence[str]) -> None:
        """Add a chunk of rows."""
        self._chunks.append(self._codes(texts))

    def add_factorized(self, codes: NDArray[np.integer], distinct: Sequence[str]) -> None:
        """Add a chunk of rows as codes into its own distinct texts, which are in the order of their first row."""
        self._chunks.append(self._codes(distinct)[codes])

    def _codes(self, texts: Sequence[str]) -> Codes:
        # A text that is new gets its code from `__missing__`, in C: the fastest way to number half a million texts.
        return np.fromiter(map(self._code_of.__getitem__, texts), np.int32, len(texts))

    def column(self) -> Column:
        """Return the column, and let the chunks go: nothing can be added any more."""
        codes = np.concatenate(self._chunks) if self._chunks else np.empty(0, np.int32)
        self._chunks.clear()
        return Column(codes=codes, texts=list(self._code_of))


@cache
def letter_of(column: int) -> str:
    """Return the letters that a spreadsheet program shows for a column counted from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def is_blank(text: str) -> bool:
    """Whether a text is nothing but spaces, also of the kinds that cannot be seen."""
    return not text.strip(BLANKS)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Switch the garbage collector off: it takes half of the time of making many small values, none in a cycle."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
