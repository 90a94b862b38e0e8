"""Workbooks (.xlsx) as columns of text, read from their XML parts after a gate on their declared sizes.

Nothing is shown that is not stored and nothing stored is dropped: errors, formulas without a result, hidden sheets
and rows are all reported to the caller. Entities and document types are refused.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as ET  # noqa: N817 - the name that its documentation uses
from defusedxml.common import DefusedXmlException

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.tables import Column, Sheet, Table
from batch_issuer.reading.xlsx.cells import Book
from batch_issuer.reading.xlsx.rows import SheetRows, read_rows
from batch_issuer.reading.xlsx.xml import DamagedSheet, OversizedWorkbook, plain_strings, read_styles, rich_strings

MAX_DECLARED_BYTES = 1 << 30
"""A full sheet of 1,048,576 rows and 16 columns declares some 700 MB."""
MAX_RATIO = 250
"""Declared over packed bytes of the whole archive; sheets of sales reach 20."""
MAX_PARTS = 10_000
MAX_STRINGS = 4_000_000
"""Different texts; the rows of a full sheet have one or two each."""
MAX_SHEETS = 1_000
MAX_ELEMENTS = 100_000
"""In the parts that only list sheets and relations."""
_SMALL = 50 << 20
"""Below this no ratio is a danger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetEntry:
    """One sheet that a workbook lists."""

    name: str
    part: str
    hidden: bool


class Workbook:
    """An opened .xlsx; sheets are read one at a time."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.sha256 = hashlib.sha256(content).hexdigest()
        with _damage_explained(path):
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            refuse_bombs(path, self._zip, len(content))
            self._main = self._main_part()
            root = self._xml(self._main)
            self.sheets = tuple(islice(self._sheet_entries(root), MAX_SHEETS + 1))
            if len(self.sheets) > MAX_SHEETS:
                raise OversizedWorkbook
            self._book = self._shared(root)

    def sheet(self, entry: SheetEntry) -> Sheet:
        """All rows of one sheet.

        Raises `CannotStart` for a part that is damaged.
        """
        with _damage_explained(self.path), self._zip.open(entry.part) as stream:
            return self._assembled(entry, read_rows(stream))

    def _assembled(self, entry: SheetEntry, rows: SheetRows) -> Sheet:
        count = rows.rows
        present = rows.present(count)
        columns: list[Column] = []
        formats: dict[tuple[int, int], str] = {}
        for number, keys in enumerate(rows.columns):
            cells = [self._book.cell(key) for key in keys.code_of]
            columns.append(
                Column(
                    codes=rows.codes(keys, count),
                    texts=[cell.text for cell in cells],
                    kinds=bytes(cell.kind for cell in cells),
                )
            )
            formats.update({(number, code): cell.shown for code, cell in enumerate(cells) if cell.shown})
        return Sheet(
            path=self.path,
            name=entry.name,
            sha256=self.sha256,
            table=Table(columns=tuple(columns), rows=count, present=present),
            hidden=entry.hidden,
            hidden_rows=tuple(row - 1 for row in rows.hidden_rows),
            hidden_columns=frozenset(rows.hidden_columns),
            formats=formats,
        )

    def _main_part(self) -> str:
        for relation in self._xml("_rels/.rels"):
            if relation.get("Type", "").endswith("/officeDocument"):
                return relation.get("Target", "").lstrip("/")
        raise DamagedSheet

    def _relations(self, part: str) -> Iterator[tuple[str, str, str]]:
        """Id, last word of the type, and full name of every part that a part refers to."""
        folder, name = posixpath.split(part)
        for relation in self._xml(f"{folder}/_rels/{name}.rels".lstrip("/")):
            target = relation.get("Target", "")
            full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            yield relation.get("Id", ""), relation.get("Type", "").rpartition("/")[2], full

    def _sheet_entries(self, root: Element) -> Iterator[SheetEntry]:
        parts = {identity: part for identity, kind, part in self._relations(self._main) if kind == "worksheet"}
        for sheet in _all(root, "sheet"):
            identity = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
            if identity in parts:
                hidden = sheet.get("state", "visible") != "visible"
                yield SheetEntry(name=sheet.get("name", ""), part=parts[identity], hidden=hidden)

    def _shared(self, root: Element) -> Book:
        parts = {kind: part for _, kind, part in self._relations(self._main)}
        settings = next(iter(_all(root, "workbookPr")), None)
        strings: list[str] = []
        if "sharedStrings" in parts:
            content = self._zip.read(parts["sharedStrings"])
            if content.count(b"<si") > MAX_STRINGS:
                raise OversizedWorkbook
            plain = plain_strings(content)
            strings = rich_strings(content) if plain is None else plain
        return Book(
            strings=strings,
            styles=read_styles(self._zip.read(parts["styles"])) if "styles" in parts else (),
            from_1904=settings is not None and settings.get("date1904") in ("1", "true"),
        )

    def _xml(self, part: str) -> Element:
        content = self._zip.read(part)
        if content.count(b"<") > MAX_ELEMENTS:
            raise OversizedWorkbook
        return ET.fromstring(content, forbid_dtd=True)


def _all(root: Element, tag: str) -> Iterator[Element]:
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == tag)


def refuse_bombs(path: str, archive: zipfile.ZipFile, size: int) -> None:
    """Only sizes are read here, nothing is unpacked. A part that holds more than it declares is refused later."""
    parts = archive.infolist()
    declared = sum(part.file_size for part in parts)
    if declared > MAX_DECLARED_BYTES or len(parts) > MAX_PARTS or (declared > _SMALL and declared > MAX_RATIO * size):
        raise CannotStart(
            N_(
                "{file} would unpack to {declared} MB in {parts} parts; "
                "no workbook of sales is like that, so it was not opened."
            ),
            repair=N_("Copy the sales into a new workbook, or save the sheet as CSV UTF-8."),
            file=path,
            declared=f"{declared / 1e6:,.0f}",
            parts=f"{len(parts):,}",
        )
    if any(part.flag_bits & 1 for part in parts):
        raise CannotStart(
            N_("{file} is protected with a password."),
            repair=N_("Open it in Excel, remove the password (File > Info > Protect Workbook) and save it."),
            file=path,
        )


@contextmanager
def _damage_explained(path: str) -> Iterator[None]:
    try:
        yield
    except OversizedWorkbook as error:
        raise CannotStart(
            N_("{file} holds more sheets, texts, cells or formats than any workbook of sales, so it was not read."),
            repair=N_("Copy the sales into a new workbook, or save the sheet as CSV UTF-8."),
            file=path,
        ) from error
    except (
        DamagedSheet, DefusedXmlException, ParseError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, IndexError,
        NotImplementedError, UnicodeDecodeError, ValueError,
    ) as error:  # fmt: skip
        raise CannotStart(
            N_("{file} is damaged: it cannot be read as a workbook."),
            repair=N_(
                "Copy or download it again. If Excel can open it, save it under a new name as «Excel Workbook (.xlsx)» "
                "and use that file."
            ),
            file=path,
        ) from error
