"""A batch of sales that tests write as literals, without a file; the beginning of a reference says its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from batch_issuer.model.documents import Customer, Document, Line
from batch_issuer.model.problems import Place, Problem
from batch_issuer.reading.batch import Entry, Found, SheetRow, SourceFile

TYPES = {"CCF": "03", "FEX": "11", "FSE": "14", "NC": "05", "NCT": "05"}
"""By what a reference begins with; 01 for any other. `NC-1a` credits something of `CCF-1`, `NCT-2a` all of `CCF-2`."""
TAXPAYER = Customer(name="Comercial Uno", nit="0614-050707-104-8", nrc="12345-6", type_contributor="3")
SUBJECT = Customer(name="Juan Ejemplo", dui="00016297-5")


def invented(reference: str, price: Decimal, row: int) -> Document:
    """One thing at a price that includes VAT where there is any."""
    beginning, _, rest = reference.partition("-")
    doc_type, full = TYPES.get(beginning, "01"), beginning == "NCT"
    line = Line("Café molido", Decimal(1), price, Decimal(0), doc_type == "14", row)
    return Document(
        external_ref=reference,
        doc_type=doc_type,
        lines=(line._replace(description="", quantity=Decimal(0), unit_price=Decimal(0)) if full else line,),
        prices_with_vat=True,
        customer={"03": TAXPAYER, "14": SUBJECT}.get(doc_type),
        adjusts=f"CCF-{rest[:1]}" if doc_type == "05" else "",
        full_adjustment=full,
    )


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
        return Entry(document=invented(reference, price, index))

    def __iter__(self) -> Iterator[Entry]:
        return (self[index] for index in range(len(self)))

    def entries(self, documents: Sequence[int]) -> Iterator[Entry]:
        return (self[index] for index in documents)

    def place(self, row: int, field: str = "") -> Place:
        return Place(file="invented.csv", row=row + 2, heading=field)

    def row_numbers(self, rows: Sequence[int]) -> list[int]:
        return [row + 2 for row in rows]

    def source(self, _row: int) -> tuple[str, str]:
        return "invented.csv", ""

    def cells_with(self, field: str, judge: Callable[[Any], Found | None]) -> Iterator[tuple[int, int, Found]]:
        return cells_of([one.document for one in self], field, judge)

    def sheet_row(self, row: int) -> SheetRow:
        reference, price = list(self.sales.items())[row]
        return SheetRow(source=0, number=row + 2, headings=("ref", "price"), cells=(reference, str(price)))


def cells_of(
    documents: Sequence[Document], field: str, judge: Callable[[Any], Found | None]
) -> Iterator[tuple[int, int, Found]]:
    """`Batch.cells_with` by looking at every line."""
    for number, document in enumerate(documents):
        for line in document.lines:
            if (found := judge(getattr(line, field))) is not None:
                yield number, line.row, found


class Silent:
    """Watches a run and shows nothing."""

    def begin(self, progress: object, quota: object) -> None:
        pass

    def tick(self) -> None:
        pass

    def end(self) -> None:
        pass
