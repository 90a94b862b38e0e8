"""One table of sales, written in every dialect and format that is read: the documents are the same each time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import xlsxwriter
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.reading import read
from batch_issuer.reading.cells.garbling import is_garbled
from tests.reading.reading_samples import settings

Sale = tuple[str, str, Decimal, Decimal]
HEADINGS = ("No. factura", "Descripción", "Cant.", "P. Unit.")


def looks_like_rows(text: str) -> bool:
    """Whether a text with line breaks holds just the separators of as many rows, as after a mark that never closed."""
    return "\n" in text and any(text.count(mark) == 3 * text.count("\n") for mark in ",;\t|")


WORDS = (
    st.text(alphabet=st.sampled_from("abÑéZ 1,;|\"'.\n\t-_%&<>ü€"), min_size=1, max_size=12)
    .map(lambda text: f"x{text}x")
    .filter(lambda text: not is_garbled(text) and not looks_like_rows(text))
)
"""Between letters, so that no spreadsheet program and no reader would trim it; `&ab;` would be held back as garbled, and
a text like swallowed rows is refused, which `test_reading_csv.py` asks."""
AMOUNTS = st.decimals("0.01", "99999.99", places=2)
SALES: st.SearchStrategy[list[Sale]] = st.lists(
    st.tuples(st.integers(1, 5).map("F-{}".format), WORDS, AMOUNTS, AMOUNTS), min_size=1, max_size=8
)
Write = Callable[[Path, Sequence[Sale]], None]


def csv_writer(encoding: str, separator: str, quoting: int, end: str, *, comma: bool, around: bool) -> Write:
    def written(number: Decimal) -> str:
        return str(number).replace(".", ",") if comma else str(number)

    def write(path: Path, sales: Sequence[Sale]) -> None:
        out = io.StringIO(newline="")
        rows = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
        if around:
            rows.writerows([["Ventas del día"], []])
        rows.writerow(HEADINGS)
        for ref, text, quantity, price in sales:
            rows.writerow([ref, text, written(quantity), written(price)])
        if around:
            rows.writerows([[], ["TOTAL", "", written(sum((sale[2] for sale in sales), Decimal(0))), ""]])
        path.write_bytes(out.getvalue().encode(encoding))

    return write


CSVS = st.builds(
    csv_writer,
    st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    comma=st.booleans(),
    around=st.booleans(),
)


def with_openpyxl(path: Path, sales: Sequence[Sale]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADINGS)
    for ref, text, quantity, price in sales:
        sheet.append([ref, text, quantity, float(price)])
    book.save(path)


def with_xlsxwriter(path: Path, sales: Sequence[Sale]) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": len(sales) % 2 == 0}) as book:
        sheet = book.add_worksheet()
        money = book.add_format({"num_format": "$#,##0.00"})
        for at, row in enumerate([HEADINGS, *sales]):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(at, column, value)
                elif isinstance(value, Decimal):
                    sheet.write_number(at, column, float(value), money)


@effort(max_examples=80)
@given(SALES, st.one_of(CSVS, st.sampled_from([with_openpyxl, with_xlsxwriter])))
def test_a_table_reads_back_the_same_however_it_was_written(sales: list[Sale], write: Write) -> None:
    """Texts to the character, numbers to the last digit, rows in order; separator, encoding and decimal mark by evidence."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ventas"
        write(path, sales)
        batch = read([str(path)], settings(repeated_rows="count"))
        found = [
            (entry.document.external_ref, line.description, line.quantity, line.unit_price)
            for entry in batch
            for line in entry.document.lines
        ]
        assert not any(entry.held_back for entry in batch)
    assert found == sorted(sales, key=lambda sale: [one[0] for one in sales].index(sale[0]))
    assert not batch.problems
