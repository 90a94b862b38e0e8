"""CSV files as columns of text: encoding by a ladder, separator by evidence, nothing converted.

Two readers give the same columns: pandas for large files, the standard library for small ones and for what pandas
refuses, because it can name the row. A file is read twice, first to survey it, and must be the same both times.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, BinaryIO

from batch_issuer.forking import Beside
from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart
from batch_issuer.reading.tables import Column, ColumnBuilder, Sheet, Table

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SEPARATORS = (",", ";", "\t", "|")
SEPARATOR_NAMES = {"\t": "tab"}
ENCODING_NAMES = {
    "utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32-le": "UTF-32", "utf-32-be": "UTF-32",
    "cp1252": "Windows-1252",
}  # fmt: skip
FAST_FROM_BYTES = 3_000_000
"""Below this the import of pandas costs more than it saves."""

Recognise = Callable[[Sequence[str]], int]
"""How many of our fields the cells of a row name."""

BLOCK = 1 << 20
"""Bytes that are read at once."""
_SAMPLE = 1 << 16
_ROWS = 20_000
_SAMPLE_ROWS = 30
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16, whose mark is the beginning of its own."""
_UNDEFINED_IN_CP1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))
_END = "\x00end of file"
_CUT_OFF = bytes(8)
MAX_COLUMNS = 2_000
"""A row with more cells is no row of a table."""
MAX_ROWS = 20_000_000
MAX_LINE = 4 << 20
"""Bytes without a line end; a row of a table has some hundreds."""
MAX_CELL = 131_072
"""Characters, four times what a cell of a workbook can hold; the standard library's own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the first pass over a file found."""

    checksum: int
    size: int
    encoding: str
    bom: int
    """Bytes of byte-order mark to pass over."""
    holds_nul: bool
    sample: str
    """The first lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the rows are written."""

    separator: str
    width: int
    announced: bool
    """The first line is Excel's `sep=;` and no row."""


def read_csv(path: str, stream: BinaryIO, recognise: Recognise) -> Sheet:
    """One CSV as a sheet.

    Raises `CannotStart` for text in no known encoding, a quotation mark that does not close, or a file that changes.
    """
    survey = _surveyed(path, stream)
    if survey.holds_nul:
        _refuse_cut_off(path, stream, survey.size)
    layout = find_layout(survey.sample, recognise)
    found = None
    try:
        if survey.size >= FAST_FROM_BYTES and not survey.holds_nul and layout.width <= MAX_COLUMNS:
            from batch_issuer.reading.csv_fast import read_fast  # noqa: PLC0415 - it takes pandas

            found = read_fast(path, stream, survey, layout)
        table, digest = found or read_carefully(path, stream, survey, layout)
    except UnicodeDecodeError as error:
        raise changed(path) from error
    _refuse_swallowed_rows(path, table, layout)
    return Sheet(
        path=path,
        name="",
        sha256=digest,
        table=table,
        encoding=ENCODING_NAMES[survey.encoding],
        separator=SEPARATOR_NAMES.get(layout.separator, layout.separator),
    )


def _surveyed(path: str, stream: BinaryIO) -> Survey:
    """The survey of a large file is made by another process while this one imports pandas."""
    large = stream.seek(0, os.SEEK_END) >= FAST_FROM_BYTES
    with Beside(partial(survey_csv, path, stream), worth=large, harmless=True) as surveying:
        if large:
            import batch_issuer.reading.csv_fast  # noqa: F401, PLC0415 - so that it is there
        return surveying.result()


def survey_csv(path: str, stream: BinaryIO) -> Survey:
    """Checksum, size, encoding and first lines: a byte-order mark, else strict UTF-8, else Windows-1252."""
    stream.seek(0)
    first = stream.read(BLOCK)
    bom, encoding = _marked_encoding(first)
    checksum, size, line, holds_nul, undefined = 0, 0, 0, False, False
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    fits, block = True, first
    while block:
        checksum = zlib.crc32(block, checksum)
        undefined = undefined or (not block.isascii() and any(byte in block for byte in _UNDEFINED_IN_CP1252))
        holds_nul = holds_nul or b"\0" in block
        fits = fits and _decodes(decoder, block if size else block[bom:])
        size += len(block)
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        line = line + len(block) if end < 0 else len(block) - end
        if line > MAX_LINE:
            raise _long_line(path)
        block = stream.read(BLOCK)
    fits = fits and _decodes(decoder, b"", final=True)
    if not fits:
        if bom or undefined:
            raise _in_no_encoding(path)
        encoding = "cp1252"
    sample = codecs.getincrementaldecoder(encoding)("strict").decode(first[bom : bom + _SAMPLE])
    return Survey(
        checksum=checksum,
        size=size,
        encoding=encoding,
        bom=bom,
        holds_nul=holds_nul and not encoding.startswith(("utf-16", "utf-32")),
        sample=sample,
    )


def _long_line(path: str) -> CannotStart:
    return CannotStart(
        N_("{file} has a line of more than {size} MB: it is no table."),
        repair=N_("Save it again from the program that made it, as CSV or as an Excel workbook (.xlsx)."),
        file=path,
        size=MAX_LINE >> 20,
    )


def many_rows(path: str) -> CannotStart:
    return CannotStart(
        N_("{file} has more than {rows} rows, blank ones counted."),
        repair=N_("Delete the blank rows, or divide it into several files and name them together."),
        file=path,
        rows=f"{MAX_ROWS:,}",
    )


def _marked_encoding(first: bytes) -> tuple[int, str]:
    for mark, encoding in _BOMS:
        if first.startswith(mark):
            return len(mark), encoding
    even, odd = first[:200:2], first[1:200:2]
    if odd.count(0) > len(odd) // 2 and not even.count(0):
        return 0, "utf-16-le"
    if even.count(0) > len(even) // 2 and not odd.count(0):
        return 0, "utf-16-be"
    return 0, "utf-8"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_cut_off(path: str, stream: BinaryIO, size: int) -> None:
    """A disk or a network that failed while the file was written leaves zeros where rows should be."""
    stream.seek(max(0, size - len(_CUT_OFF)))
    if stream.read() == _CUT_OFF:
        raise CannotStart(
            N_("{file} ends in zero bytes: it was not written to its end, and rows may be missing."),
            repair=N_("Save it again from the program that made it."),
            file=path,
        )


def _in_no_encoding(path: str) -> CannotStart:
    return CannotStart(
        N_("{file}: the text is neither UTF-8 nor Windows-1252."),
        repair=N_("Open it in the program that made it and save it as «CSV UTF-8», or as an Excel workbook (.xlsx)."),
        file=path,
    )


def find_layout(sample: str, recognise: Recognise) -> Layout:
    """The separator under which the first rows name most of our fields; where none does, the one that cuts most."""
    announced = sample[:4].lower() == "sep=" and len(sample) > 4
    lines = _lines(sample)[1 if announced else 0 :]
    if announced:
        separator = sample[4]
        return Layout(separator=separator, width=_width(lines, separator), announced=True)
    best, best_score = SEPARATORS[0], (-1, -1)
    for separator in SEPARATORS:
        rows = _sample_rows(lines, separator)[:_SAMPLE_ROWS]
        score = (max(map(recognise, rows), default=0), sorted(map(len, rows))[len(rows) // 2] if rows else 0)
        if score > best_score:
            best, best_score = separator, score
    return Layout(separator=best, width=_width(lines, best), announced=False)


def _lines(sample: str) -> list[str]:
    """The whole lines of the sample; the last one may be cut and is left out unless it is the only one."""
    lines = list(io.StringIO(sample, newline=""))
    return lines[:-1] if len(lines) > 1 and len(sample) >= _SAMPLE // 4 else lines


def _sample_rows(lines: Iterable[str], separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        return []


def _width(lines: Iterable[str], separator: str) -> int:
    return max(map(len, _sample_rows(lines, separator)), default=1) or 1


class Again(io.RawIOBase):
    """The second pass: the bytes after the byte-order mark, hashed by another thread as they are read."""

    def __init__(self, stream: BinaryIO, bom: int) -> None:
        super().__init__()
        stream.seek(0)
        self._stream = stream
        self._sha256 = hashlib.sha256()
        self._checksum = 0
        self._hasher = ThreadPoolExecutor(1)
        self._note(stream.read(bom))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        block = self.read_block(len(view))
        view[: len(block)] = block
        return len(block)

    def read_block(self, size: int) -> bytes:
        block = self._stream.read(size)
        self._note(block)
        return block

    def _note(self, block: bytes) -> None:
        self._checksum = zlib.crc32(block, self._checksum)
        self._hasher.submit(self._sha256.update, block)

    def digest_of(self, path: str, survey: Survey) -> str:
        """The hash of all bytes.

        Raises `CannotStart` when they are not those of the first pass.
        """
        self._hasher.shutdown()
        if self._checksum != survey.checksum:
            raise changed(path)
        return self._sha256.hexdigest()


def changed(path: str) -> CannotStart:
    return CannotStart(
        N_("{file} changed while it was read."),
        repair=N_("Wait until the program that writes it has finished, and run again."),
        file=path,
    )


def read_carefully(path: str, stream: BinaryIO, survey: Survey, layout: Layout) -> tuple[Table, str]:
    """The columns by the standard library, of a file whose rows may differ in length, and the file's hash."""
    raw = Again(stream, survey.bom)
    text = io.TextIOWrapper(io.BufferedReader(raw, BLOCK), encoding=survey.encoding, errors="strict", newline="")
    lines = islice(text, 1 if layout.announced else 0, None)
    reader = csv.reader(chain(lines, (_END,)), delimiter=layout.separator)
    builders: list[ColumnBuilder] = []
    rows = 0
    last: list[str] = []
    while chunk := _next_rows(path, reader, rows):
        last = chunk[-1]
        if last == [_END]:
            chunk.pop()
        for number, texts in enumerate(zip_longest(*chunk, fillvalue="")):
            if number == len(builders):
                builders.append(ColumnBuilder())
                builders[-1].add([""] * rows)
            builders[number].add(texts)
        width = max(map(len, chunk), default=0)
        for builder in builders[width:]:
            builder.add([""] * len(chunk))
        rows += len(chunk)
        if rows > MAX_ROWS:
            raise many_rows(path)
    if last != [_END]:
        raise _quote_not_closed(path, rows)
    return table_of(builders, rows), raw.digest_of(path, survey)


def _next_rows(path: str, reader: Iterator[list[str]], done: int) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        rows.extend(islice(reader, _ROWS))
    except csv.Error as error:
        row = done + len(rows) + 1
        raise (_long_cell(path, row) if "limit" in str(error) else _quote_not_closed(path, row)) from error
    widest = max(range(len(rows)), key=lambda row: len(rows[row]), default=0)
    if rows and len(rows[widest]) > MAX_COLUMNS:
        raise CannotStart(
            N_("{file}, row {row} has {cells} cells: that is no row of a table."),
            repair=N_("Save the file again from Excel."),
            file=path,
            row=done + widest + 1,
            cells=f"{len(rows[widest]):,}",
        )
    return rows


def _long_cell(path: str, row: int) -> CannotStart:
    """What is longer than any cell is mostly many rows that an open quotation mark has swallowed."""
    return CannotStart(
        N_("{file}, row {row}: a cell has more than {size} characters."),
        repair=N_('Perhaps a quotation mark (") opens there and does not close. Correct it, or save the file again.'),
        file=path,
        row=row,
        size=f"{MAX_CELL:,}",
    )


def table_of(builders: Sequence[ColumnBuilder], rows: int) -> Table:
    return Table(columns=tuple(builder.column() for builder in builders), rows=rows)


def _refuse_swallowed_rows(path: str, table: Table, layout: Layout) -> None:
    """A quotation mark that opens in one row and closes in another makes one row of two: a sale would be lost.

    The text between then holds exactly the separators of the rows that it swallowed.
    """
    if layout.width < 4:
        return
    for column in table.columns:
        for code, text in enumerate(column.texts):
            breaks = text.count("\n") or text.count("\r")
            if breaks and text.count(layout.separator) == breaks * (layout.width - 1):
                raise _quote_not_closed(path, _first_row(column, code) + 1)


def _first_row(column: Column, code: int) -> int:
    return int((column.codes == code).argmax())


def _quote_not_closed(path: str, row: int) -> CannotStart:
    return CannotStart(
        N_('{file}, row {row}: a quotation mark (") opens and does not close in the same row, so rows run together.'),
        repair=N_('Write the mark twice (""), delete it, or save the file again from Excel.'),
        file=path,
        row=row,
    )
