"""What one sheet gives: its sales rows, their references, and each mapped column with its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batch_issuer.model.problems import Problem
from batch_issuer.reading.batch import RepeatedRows, SourceFile
from batch_issuer.reading.cells.values import Value
from batch_issuer.reading.headings.columns import Header
from batch_issuer.reading.sheets.external_refs import Refs
from batch_issuer.reading.sheets.rows import SalesRows
from batch_issuer.reading.tables import Codes, Column, Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of the sales rows with its values: row `r` has `values[codes[r]]`, written `texts[codes[r]]`."""

    name: str
    """Empty for cells that stand under no heading."""
    number: int
    """The column, from 0."""
    codes: Codes
    texts: Sequence[str]
    values: list[Value]
    faults: dict[int, Problem]

    @classmethod
    def unnamed(cls, number: int, column: Column, faults: dict[int, Problem]) -> Field:
        """Return a column that is no field of ours and whose faults, by code, hold their rows back."""
        return cls(
            name="", number=number, codes=column.codes, texts=column.texts, values=[None] * len(column.texts),
            faults=faults,
        )  # fmt: skip

    @property
    def column(self) -> Column:
        return Column(codes=self.codes, texts=self.texts)

    @property
    def sound_values(self) -> Sequence[Value]:
        """The values, without the neutral ones that stand for faults."""
        if not self.faults:
            return self.values
        return [None if code in self.faults else value for code, value in enumerate(self.values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSales:
    """The sales of one sheet."""

    sheet: Sheet
    header: Header
    rows: SalesRows
    refs: Refs
    fields: tuple[Field, ...]
    source: SourceFile
    problems: tuple[Problem, ...]
    question: RepeatedRows | None = None
    """What has to be answered before the rows can be issued."""
    numbers: Mapping[int, int]
    """The number of each reference, by code, where all are numbers that may be counted from 1; empty elsewhere."""
    restart: int | None = None
    """The table row at which these begin at 1 again."""
