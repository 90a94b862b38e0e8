"""What reading gives: a batch of documents, built one at a time from columns, each with the problems of its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from batch_issuer.model.documents import Document
from batch_issuer.model.problems import CannotStart, Place, Problem

Found = TypeVar("Found")

if TYPE_CHECKING:
    from batch_issuer.reading.cells.values import Value
    from batch_issuer.reading.tables import CellKind


class RepeatedRows(CannotStart):
    """Rows that are equal in every cell to another row of their document: they count, or they were pasted twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Which heading became which field, with a sample of its values."""

    field: str
    heading: str
    column: str
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One sheet that was read, for the plan, the run's record and the report."""

    path: str
    sheet: str
    sha256: str
    header_row: int
    rows: int
    """Rows with content below the header that are sales lines (totals, blank and repeated header rows are not)."""
    left_out: int
    """Totals, blank and repeated header rows."""
    mapping: tuple[Mapped, ...]
    ignored: tuple[str, ...]
    """Headings that are not used."""
    examples: tuple[str, ...] = ()
    """Sheets of the workbook that are the template's example and so were not read."""
    encoding: str = ""
    separator: str = ""
    decimal: str = ""
    dates: str = ""
    template: str = ""
    """How the settings make the reference of several columns; empty where one column is the reference as it stands."""
    control_total: Decimal | None = None
    """What the sheet's own total row says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document of the batch with every problem of its rows. It may be sent when none of them blocks."""

    document: Document
    problems: tuple[Problem, ...] = ()

    @property
    def held_back(self) -> bool:
        """Whether a problem keeps the document from being sent."""
        return any(problem.blocks for problem in self.problems)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a source as its owner wrote it, for the fix file."""

    source: int
    """Index into `Batch.sources`."""
    number: int
    headings: Sequence[str]
    cells: Sequence[str]
    kinds: Sequence[CellKind] = ()
    """How each cell was stored; empty where all are texts."""
    values: Mapping[int, Value] = field(default_factory=dict)
    """By column, from 0: what was read from the cells of numbers and dates that could be read."""
    formats: Mapping[int, str] = field(default_factory=dict)
    """By column: number formats with words of their own, which say more than the number."""


class Batch(Protocol):
    """All documents of the files of one command. `batch[i]` builds document `i`; only a few are ever kept.

    Documents stand in the order in which their first row stands in the files.
    """

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        """The sheets that were read, in the order in which they were named."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Problems and notes of the files as a whole and of rows that belong to no document."""

    @property
    def rows(self) -> int:
        """Sales rows read, of all sources."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Entry: ...

    def __iter__(self) -> Iterator[Entry]: ...

    def entries(self, documents: Sequence[int]) -> Iterator[Entry]:
        """Build some of the documents, cheaper than one by one."""

    def place(self, row: int, field: str = "") -> Place:
        """Return file, sheet and row number of a batch row, and the column that the field was read from."""

    def row_numbers(self, rows: Sequence[int]) -> list[int]:
        """Return the row numbers, from 1, that a spreadsheet program shows for batch rows."""

    def source(self, row: int) -> tuple[str, str]:
        """Return file and sheet in which a batch row stands."""

    def cells_with(self, field: str, judge: Callable[[Any], Found | None]) -> Iterator[tuple[int, int, Found]]:
        """Yield document, batch row and what the judge found, of each line in whose value of a field it finds one.

        Each distinct value is judged once. The rows stand document by document.
        """

    def sheet_row(self, row: int) -> SheetRow:
        """Return the row as it stands in its file, every column, used or not."""
