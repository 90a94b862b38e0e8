"""The rows of one worksheet, streamed from its XML: per column one array of codes and the distinct cells.

Half a million rows are matched a row at a time by one regular expression over the bytes. Whatever it does not
match whole (odd writers, formulas without a result, hidden rows) goes through the XML parser; both say the same.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import chain, count
from typing import IO
from xml.parsers import expat

import numpy as np

from batch_issuer.reading.tables import Codes, letter_of
from batch_issuer.reading.xlsx.xml import DamagedSheet, OversizedWorkbook, strict_parser

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_FAR_CELLS = 10_000
_FAR = 2_000
"""A few stray cells stand far to the right; a table does not."""
_MAX_MATCHED_COLUMNS = 200
"""Beyond them the XML parser is as fast."""
_BLOCK = 1 << 18
"""What stays in a processor's cache while it is matched."""
_MOST_CHUNKS = 256
"""Very wide rows come a few at a time, and an array of a few numbers is mostly its own overhead."""
_ROW_END = b"</row>"
_LETTERS = re.compile(rb'<c r="([A-Z]{1,3})[0-9]')
_FORMULA_WITH_RESULT = re.compile(rb"<f(?:[^>]*+>[^<]*+</f>|[^>]*+/>)(?=<v>[^<])")
_WITHOUT_CONTENT = re.compile(rb"<row [^>]*/>|<c [^>]*></c>")
_CELL = rb'(?:<c r="%b\1"([^>]*+><v>[^<]*+)</v></c>|<c r="%b\1"[^>]*+/>|)'
_CELL_OR_INLINE = rb'(?:<c r="%b\1"([^>]*+>(?:<v>|<is><t[^>]*+>)[^<]*+)(?:</v>|</t></is>)</c>|<c r="%b\1"[^>]*+/>|)'
"""With a value, empty, or left out; the group is the cell's key. Texts within the sheet take half as long again."""
_COLUMN = re.compile(r"[A-Z]+")


@dataclass(slots=True)
class CellKeys:
    """One column while it is read: a code per row that has been read, and the distinct keys."""

    chunks: list[Codes] = field(default_factory=list)
    code_of: defaultdict[bytes, int] = field(default_factory=lambda: defaultdict(count(1).__next__, {b"": 0}))

    def add(self, keys: Sequence[bytes]) -> None:
        """Add the keys of more rows."""
        self.chunks.append(np.fromiter(map(self.code_of.__getitem__, keys), np.int32, len(keys)))
        if len(self.chunks) > _MOST_CHUNKS:
            self.chunks[:] = [np.concatenate(self.chunks)]


@dataclass(slots=True)
class SheetRows:
    """The rows read so far; `columns[i].chunks` are parallel to `numbers`, column by column."""

    numbers: list[Codes] = field(default_factory=list)
    columns: list[CellKeys] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    far: int = 0
    """Cells far to the right."""
    _done: int = 0

    def add(self, numbers: Codes, columns: Sequence[Sequence[bytes]]) -> None:
        """Add rows: their numbers and, per column from A on, their keys."""
        while len(self.columns) < len(columns):
            column = CellKeys()
            column.chunks.append(_empty(self._done))
            self.columns.append(column)
        for column, keys in zip(self.columns, columns, strict=False):
            column.add(keys)
        for column in self.columns[len(columns) :]:
            column.chunks.append(_empty(len(numbers)))
        self.numbers.append(numbers)
        self._done += len(numbers)

    @property
    def rows(self) -> int:
        """The highest row number read, which is how many rows the sheet has; those that are left out are empty."""
        return max((int(numbers.max()) for numbers in self.numbers if len(numbers)), default=0)

    @property
    def last(self) -> int:
        """The number of the last row read."""
        return int(self.numbers[-1][-1]) if self.numbers and len(self.numbers[-1]) else 0

    def present(self, rows: int) -> Codes | None:
        """Return the rows, from 0, that the file holds, where it does not hold them all."""
        held = sum(map(len, self.numbers))
        return None if held == rows else np.concatenate([*self.numbers, np.empty(0, np.int32)]).astype(np.int32) - 1

    def codes(self, column: CellKeys, rows: int) -> Codes:
        """Return the codes of every row of the sheet, of a column read to its end; those not in the file are empty."""
        if len(column.code_of) == 1:
            column.chunks.clear()
            return _empty(rows)
        # The chunks are let go before the next array is made: a full sheet has a million rows in each of its columns.
        found = np.concatenate(column.chunks)
        column.chunks.clear()
        if len(found) == rows:
            return found
        codes = np.zeros(rows, np.int32)
        codes[np.concatenate(self.numbers) - 1] = found
        return codes

    def refuse_impossible_numbers(self) -> None:
        """Raise `DamagedSheet` unless the rows ascend: of two with the same number one would be lost."""
        if self.rows > MAX_ROWS:
            raise DamagedSheet
        last = 0
        for numbers in self.numbers:
            if len(numbers) and (int(numbers[0]) <= last or bool((np.diff(numbers) <= 0).any())):
                raise DamagedSheet
            last = int(numbers[-1]) if len(numbers) else last


def _empty(rows: int) -> Codes:
    """Make rows of empty cells that take no memory: one stray cell far to the right makes thousands of such columns."""
    return np.broadcast_to(np.zeros(1, np.int32), rows)


def read_rows(stream: IO[bytes]) -> SheetRows:
    """Read all rows of a worksheet part.

    Raises `DamagedSheet` for what no spreadsheet program writes, also a document type declaration.
    """
    rows = SheetRows()
    parser = _BlockParser(rows)
    blocks = _row_blocks(stream)
    head = next(blocks, b"")
    before, found, first = head.partition(b"<sheetData>")
    declared = re.match(rb'\s*<\?xml[^>]*encoding=["\']([^"\']*)', before)
    is_utf_8 = b"\0" not in before and (declared is None or declared[1].lower() == b"utf-8")
    if found and is_utf_8 and b"<!" not in before:
        parser.parse_head(before)
        _read_blocks(rows, parser, first, blocks)
    else:
        parser.parse_all(head, blocks)
    rows.refuse_impossible_numbers()
    return rows


def _row_blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the part in blocks that each end with a whole row; the last holds what follows the rows."""
    rest, ended = b"", False
    while piece := stream.read(_BLOCK):
        if ended:
            yield piece
            continue
        block = rest + piece
        ended = b"</sheetData>" in block
        if ended:
            end = len(block)
        elif (end := block.rfind(_ROW_END)) >= 0:
            end += len(_ROW_END)
        else:
            end = block.rfind(b"<row ", 1)  # formatted rows without cells have no end tag: the next one begins there
        if end < 0:
            rest = block
            if len(rest) > 64 * _BLOCK:
                raise DamagedSheet  # no cell of a workbook holds more than 32,767 characters
            continue
        rest = block[end:]
        yield block[:end]
    if rest:
        yield rest


def _read_blocks(rows: SheetRows, parser: _BlockParser, first: bytes, blocks: Iterator[bytes]) -> None:
    """Read the rows of every block, by one expression as long as it fits, else by the parser.

    Raises `DamagedSheet` where the rows do not end.
    """
    pattern: re.Pattern[bytes] | None = None
    for block in chain((first,), blocks):
        end = block.find(b"</sheetData>")
        whole = block if end < 0 else block[:end]
        if pattern is None:
            pattern = _row_pattern(whole, len(rows.columns))
        if pattern is None or not _match_block(rows, pattern, whole):
            parser.parse_rows(whole, after=rows.last)
            pattern = None
        if end >= 0:
            deque(blocks, maxlen=0)  # only at its end does the archive check the part's checksum
            return
    raise DamagedSheet


def _row_pattern(block: bytes, known: int) -> re.Pattern[bytes] | None:
    """Return an expression for whole rows with the columns known and those of the block; None where it has none."""
    letters = set(_LETTERS.findall(block))
    width = max((column_number(letter.decode()) + 1 for letter in letters), default=0)
    width = max(width, known)
    if not letters or width > _MAX_MATCHED_COLUMNS:
        return None
    cell = _CELL_OR_INLINE if b"<is>" in block else _CELL
    cells = b"".join(cell % (letter, letter) for letter in (letter_of(number).encode() for number in range(width)))
    return re.compile(rb'<row r="([0-9]{1,7}+)"[^>]*+>' + cells + rb"</row>")


def _match_block(rows: SheetRows, pattern: re.Pattern[bytes], block: bytes) -> bool:
    """Take the rows of the block, if they are all of the usual shape, and say whether they were."""
    # A comment that goes on in the next block is refused by the parser, with the rows in it. "!" is looked for first
    # because it is rare: "<" stands everywhere, and looking for "<!" alone takes as long as a third of the matching.
    if b' hidden="' in block or (b"!" in block and b"<!" in block):
        return False
    found = pattern.findall(block)
    if len(found) != block.count(b"<row"):
        block = _WITHOUT_CONTENT.sub(b"", _FORMULA_WITH_RESULT.sub(b"", block))
        found = pattern.findall(block)
        if len(found) != block.count(b"<row"):
            return False
    if not found:
        return not block.strip()
    numbers, *columns = zip(*found, strict=True)
    rows.add(np.fromiter(map(int, numbers), np.int32, len(numbers)), columns)
    return True


def column_number(letters: str) -> int:
    """Return the column, counted from 0, of a letter such as `AB`."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class _BlockParser:
    """Rows by the XML parser, whatever the prefixes and the order of attributes."""

    def __init__(self, rows: SheetRows) -> None:
        self._rows = rows
        self._row = 0
        self._column = 0
        self._cells: dict[int, bytes] = {}
        self._block: list[tuple[int, dict[int, bytes]]] = []
        self._attributes: dict[str, str] = {}
        self._texts: dict[str, list[str]] = {}
        self._inside: list[str] = []

    def parse_head(self, head: bytes) -> None:
        """Note which columns are hidden, from what stands before the rows."""
        for found in re.finditer(rb"<col ([^>]*)/?>", head):
            self._note_column(dict(re.findall(r'(\w+)="([^"]*)"', found[1].decode("utf-8", "replace"))))

    def parse_rows(self, block: bytes, after: int) -> None:
        """Read whole rows without what surrounds them; one without a number follows the one before, or `after`."""
        self._row = after
        parser = strict_parser(self._start, self._end, self._text)
        self._feed(parser, b"<x>", block, b"</x>", final=True)
        self._flush()

    def parse_all(self, head: bytes, blocks: Iterator[bytes]) -> None:
        """Read a whole part."""
        parser = strict_parser(self._start, self._end, self._text)
        self._feed(parser, head)
        for block in blocks:
            self._flush()
            self._feed(parser, block)
        self._feed(parser, final=True)
        self._flush()

    def _feed(self, parser: expat.XMLParserType, *parts: bytes, final: bool = False) -> None:
        try:
            for part in parts:
                parser.Parse(part, False)
            if final:
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DamagedSheet from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        self._inside.append(tag)
        if tag == "c":
            self._start_cell(attributes)
        elif tag == "row":
            self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
            if not 1 <= self._row <= MAX_ROWS:
                raise DamagedSheet
            self._column = 0
            self._cells = {}
            if attributes.get("hidden") in ("1", "true"):
                self._rows.hidden_rows.append(self._row)
        elif tag == "col":
            self._note_column(attributes)
        elif tag in ("v", "f") or (tag == "t" and "rPh" not in self._inside):
            self._texts.setdefault(tag, [])

    def _start_cell(self, attributes: dict[str, str]) -> None:
        """Begin a cell, in the column of its address or after the one before.

        Raises `DamagedSheet` for two cells in one place, `OversizedWorkbook` for too many far to the right.
        """
        if "r" in attributes:
            letters = _COLUMN.match(attributes["r"])
            if letters is None:
                raise DamagedSheet
            self._column = column_number(letters[0])
        if self._column >= MAX_COLUMNS or self._column in self._cells:
            raise DamagedSheet
        self._rows.far += self._column >= _FAR
        if self._rows.far > MAX_FAR_CELLS:
            raise OversizedWorkbook
        self._attributes, self._texts = attributes, {}

    def _text(self, text: str) -> None:
        tag = self._inside[-1] if self._inside else ""
        if tag in self._texts and "rPh" not in self._inside:
            self._texts[tag].append(text)

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        self._inside.pop()
        if tag == "c":
            self._cells[self._column] = self._key()
            self._column += 1
        elif tag == "row":
            self._block.append((self._row, self._cells))

    def _key(self) -> bytes:
        """Return the cell's key as the regular expression would find it: of the same cell both ways give one key."""
        known = ((name, self._attributes.get(name)) for name in ("s", "t"))
        kept = "".join(f' {name}="{escape(value)}"' for name, value in known if value is not None)
        texts = {tag: "".join(parts) for tag, parts in self._texts.items()}
        is_text = self._attributes.get("t") in ("str", "inlineStr")
        if "f" in texts and not texts.get("v") and not (is_text and "v" in texts):
            return f"{kept}><f>{escape(texts['f'], quote=False)}".encode()
        if "v" in texts:
            return f"{kept}><v>{escape(texts['v'], quote=False)}".encode()
        if "t" in texts:
            return f"{kept}><is><t>{escape(texts['t'], quote=False)}".encode()
        return b""

    def _note_column(self, attributes: dict[str, str]) -> None:
        if attributes.get("hidden") in ("1", "true") and len(self._rows.hidden_columns) < MAX_COLUMNS:
            first, last = int(attributes["min"]), int(attributes["max"])
            self._rows.hidden_columns.update(range(max(first, 1) - 1, min(last, MAX_COLUMNS)))

    def _flush(self) -> None:
        if not self._block:
            return
        width = max((max(cells, default=-1) for _, cells in self._block), default=-1) + 1
        columns = [[cells.get(number, b"") for _, cells in self._block] for number in range(width)]
        self._rows.add(np.fromiter((row for row, _ in self._block), np.int32, len(self._block)), columns)
        self._block = []
