"""Whatever bytes a file has, it is read, or refused with a sentence; no damage is a bug of ours, and no row is lost."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.settings import Settings
from tests.reading.reading_samples import ENGLISH, refusal

CSV = (
    'Ventas del día;;;;\r\nFactura;Fecha;Descripción;Cant.;Precio;Importe\r\nA1;25/11/2026;"Café ""fino""; molido";2;3,50;7,00\r\n'
    "A1;25/11/2026;Té;1;1.200,00;1.200,00\r\n;;Pan;1;1;\r\nTOTAL;;;3;;1.207,00\r\n"
).encode()
PIECES = [b'"', b"\n", b";", b"\t", b"\0", b"\xff", b"\xef\xbb\xbf", b"1e5", b"%", b"=", b"\xc3", b"A" * 300, b"</c>",
          b"<row>", b"&", b'"s"', b"-1", b"99999999999", b"&#0;", b"]]>", b"<!DOCTYPE x>"]  # fmt: skip
EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.integers(0, 40), st.one_of(st.sampled_from(PIECES), st.binary(max_size=4))),
    min_size=1,
    max_size=5,
)
"""Where, how many bytes go, and what comes instead."""


def damaged(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, gone, fresh in edits:
        at = place % (len(content) + 1)
        content = content[:at] + fresh + content[at + gone :]
    return content


def is_read_or_refused(content: bytes) -> None:
    """Every sales row is in one document or among the problems; every text can be said."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "v"
        path.write_bytes(content)
        try:
            batch = read([str(path)], Settings())
        except CannotStart as refused:
            refusal(refused)
            return
        held = [line.row for entry in batch for line in entry.document.lines]
        lost = sum(problem.code == "row-without-ref" for problem in batch.problems)
        assert len(set(held)) == len(held) == batch.rows - lost
        for problem in (*batch.problems, *(problem for entry in batch for problem in entry.problems)):
            assert problem.message(ENGLISH)
            assert "{" not in problem.repair(ENGLISH).replace("{Sucursal}", "").replace("{Número}", "")


@effort(max_examples=120)
@given(EDITS)
@example([(0, 1 << 16, b"a\0b")])
def test_no_damage_to_a_csv_is_a_bug(edits: list[tuple[int, int, bytes]]) -> None:
    """Bytes lost, doubled, put in; a file of three bytes."""
    is_read_or_refused(damaged(CSV, edits))


def _book() -> dict[str, bytes]:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Factura", "Fecha", "Descripción", "Cantidad", "Precio", "Importe"], ["A1", "25/11/2026", "Café", 2, 3.5, "=1+1"],
        ["A2", None, "Té & pan", True, "#N/A", 4], ["TOTAL", None, None, 3, None, 11],
    ):  # fmt: skip
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


BOOK = _book()
PARTS = ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml",
         "xl/_rels/workbook.xml.rels", "_rels/.rels"]  # fmt: skip


@effort(max_examples=120)
@given(st.sampled_from(PARTS), EDITS)
def test_no_damage_to_a_part_of_a_workbook_is_a_bug(part: str, edits: list[tuple[int, int, bytes]]) -> None:
    """The archive is sound, and one of its parts is not."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in BOOK.items():
            archive.writestr(name, damaged(data, edits) if name == part else data)
    is_read_or_refused(content.getvalue())


@effort(max_examples=60)
@given(EDITS)
def test_no_damage_to_the_archive_is_a_bug(edits: list[tuple[int, int, bytes]]) -> None:
    """Cut off, or with other bytes in the middle."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in BOOK.items():
            archive.writestr(name, data)
    is_read_or_refused(damaged(content.getvalue(), edits))
