"""A batch of sales that tests write as literals, without a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from batch_issuer.documents import Document, Line
from batch_issuer.problems import Place, Problem
from batch_issuer.reading.batch import Entry, SheetRow, SourceFile


@dataclass(frozen=True, slots=True)
class InventedBatch:
    """Sales by reference: price of the one thing that each sells, VAT included."""

    sales: Mapping[str, Decimal]

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        return ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return ()

    @property
    def rows(self) -> int:
        return len(self.sales)

    def __len__(self) -> int:
        return len(self.sales)

    def __getitem__(self, index: int) -> Entry:
        reference, price = list(self.sales.items())[index]
        line = Line("Café molido", Decimal(1), price, Decimal(0), False, index)
        return Entry(document=Document(external_ref=reference, doc_type="01", lines=(line,), prices_with_vat=True))

    def __iter__(self) -> Iterator[Entry]:
        return (self[index] for index in range(len(self)))

    def place(self, row: int, field: str = "") -> Place:
        return Place(file="invented.csv", row=row + 2, heading=field)

    def sheet_row(self, row: int) -> SheetRow:
        reference, price = list(self.sales.items())[row]
        return SheetRow(source=0, number=row + 2, headings=("ref", "price"), cells=(reference, str(price)))


class Silent:
    """Watches a run and shows nothing."""

    def begin(self, progress: object, quota: object) -> None:
        pass

    def tick(self) -> None:
        pass

    def end(self) -> None:
        pass
