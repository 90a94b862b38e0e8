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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as ET  # noqa: N817 - the name that its documentation uses
from defusedxml.common import DefusedXmlException

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.tables import Column, Sheet, Table
from batch_issuer.reading.xlsx.cells import Book
from batch_issuer.reading.xlsx.rows import read_rows
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


def is_sheet_name(asked: str) -> bool:
    """Whether what is asked for is one sheet; with a wildcard, or empty, it may be several."""
    return bool(asked) and "*" not in asked and "?" not in asked


class Workbook:
    """An opened .xlsx; sheets are read one at a time."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.sha256 = hashlib.sha256(content).hexdigest()
        with _damage_explained(path):
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            refuse_bombs(path, self._zip, len(content))
            main = next((part for _, kind, part in self._relations("") if kind == "officeDocument"), "")
            root = self._xml(main)
            relations = tuple(self._relations(main))
            part_of = {identity: part for identity, kind, part in relations if kind == "worksheet"}
            sheets: list[SheetEntry] = []
            for sheet in _all(root, "sheet"):
                identity = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")
                if identity in part_of:
                    hidden = sheet.get("state", "visible") != "visible"
                    sheets.append(SheetEntry(name=sheet.get("name", ""), part=part_of[identity], hidden=hidden))
            if len(sheets) > MAX_SHEETS:
                raise OversizedWorkbook
            self.sheets = tuple(sheets)
            self._book = self._shared(root, {kind: part for _, kind, part in relations})

    def matching(self, asked: str) -> list[SheetEntry]:
        """Return the visible sheets whose names fit a pattern, all for an empty one; of a plain name its sheet.

        Whoever names a sheet means it, hidden or not.
        """
        wanted = asked.strip().casefold()
        if is_sheet_name(asked):
            return [entry for entry in self.sheets if entry.name.strip().casefold() == wanted][:1]
        visible = (entry for entry in self.sheets if not entry.hidden)
        return [entry for entry in visible if fnmatchcase(entry.name.strip().casefold(), wanted or "*")]

    def sheet(self, entry: SheetEntry) -> Sheet:
        """Read all rows of one sheet.

        Raises `CannotStart` for a part that is damaged.
        """
        columns: list[Column] = []
        formats: dict[tuple[int, int], str] = {}
        with _damage_explained(self.path), self._zip.open(entry.part) as stream:
            rows = read_rows(stream)
            count = rows.rows
            present = rows.present(count)
            for number, keys in enumerate(rows.columns):
                cells = list(map(self._book.cell, keys.code_of))
                texts, kinds = [cell.text for cell in cells], bytes(cell.kind for cell in cells)
                columns.append(Column(codes=rows.codes(keys, count), texts=texts, kinds=kinds))
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

    def _relations(self, part: str) -> Iterator[tuple[str, str, str]]:
        """Yield id, last word of the type, and full name of each part that a part, or the archive (""), refers to."""
        folder, name = posixpath.split(part)
        for relation in self._xml(f"{folder}/_rels/{name}.rels".lstrip("/")):
            target = relation.get("Target", "")
            full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            yield relation.get("Id", ""), relation.get("Type", "").rpartition("/")[2], full

    def _shared(self, root: Element, parts: Mapping[str, str]) -> Book:
        """Return what the cells of all sheets share; `parts` are the names of parts by the last word of their type."""
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
    """Raise `CannotStart` for an archive that would unpack to more than any workbook of sales, or that has a password.

    Only sizes are read here, nothing is unpacked. A part that holds more than it declares is refused when it is read.
    """
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
    # Bit 0 of a part's flags: encrypted. Excel itself wraps such a workbook in an OLE container, which never gets here.
    if any(part.flag_bits & 1 for part in parts):
        raise CannotStart(
            N_("{file} is protected with a password."),
            repair=N_("Open it in Excel, remove the password (File > Info > Protect Workbook) and save it."),
            file=path,
        )


@contextmanager
def _damage_explained(path: str) -> Iterator[None]:
    """Raise `CannotStart` in place of whatever the libraries raise for an archive or an XML that is broken."""
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
