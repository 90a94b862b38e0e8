"""Lists of references: one a line, or a table (CSV, workbook, our own plan or export) with a column of references."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.headings.aliases import ALIASES, key_of
from batch_issuer.reading.paths import is_workbook, opened

_HEADINGS = frozenset(key_of(alias) for alias in ALIASES["external_ref"])
_HEADER_ROWS = 20
_SEPARATORS = (",", ";", "\t", "|")
_DISARMED = re.compile(r"^'(?=[-=+@])")
"""The apostrophe that our own tables put before what a spreadsheet would take for a formula."""


def read_references(path: str, stdin: BinaryIO | None = None) -> tuple[str, ...]:
    """Read the references of a file, each once, in their order.

    A file without a heading that is recognised is a plain list: every line is one reference, whatever it holds.
    Raises `CannotStart` for a file that cannot be read or has none.
    """
    with opened(path, stdin) as stream:
        start = stream.read(80).removeprefix(b"\xef\xbb\xbf").lstrip()
        is_json = start.startswith((b"{", b"["))
        of_table = not is_json and is_workbook(path, stream)
        stream.seek(0)
        found: Iterable[str]
        if of_table:
            from batch_issuer.reading.xlsx.workbook import Workbook  # noqa: PLC0415 - a list of lines does without

            workbook = Workbook(path, stream.read())
            tables = [workbook.sheet(entry).table for entry in workbook.matching("")[:1]]
            found = _of_rows([table.cells(row) for table in tables for row in range(table.rows)])
        else:
            found = _of_text(path, stream.read())
    references = tuple(dict.fromkeys(text for cell in found if (text := cell.strip())))
    if not references:
        raise CannotStart(
            N_("There are no references in {file}."),
            repair=N_("Write one a line, or give a table with a column «{heading}»."),
            file=path,
            heading="external_ref",
        )
    return references


def _of_text(path: str, content: bytes) -> Iterable[str]:
    """Return the references of JSON, of a CSV with a heading that is known, or of plain lines."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    if text.lstrip().startswith(("{", "[")):
        return _of_json(path, text)
    lines = text.splitlines()
    for separator in _SEPARATORS:
        rows = list(csv.reader(lines, delimiter=separator))
        if _header(rows) is not None:
            return _of_rows(rows)
    return lines


def _of_rows(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Return what stands under the heading of the references, or without one the first cell of each row."""
    header = _header(rows)
    if header is None:
        return [row[0] for row in rows if row]
    number, column = header
    return [_DISARMED.sub("", row[column]) for row in rows[number + 1 :] if len(row) > column]


def _header(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Return row and column in which the heading of the references stands."""
    for number, row in enumerate(rows[:_HEADER_ROWS]):
        for column, cell in enumerate(row):
            if key_of(cell) in _HEADINGS:
                return number, column
    return None


def _of_json(path: str, text: str) -> Iterable[str]:
    """Return the references of a list, an object with `documents`, or JSON Lines; each a text or an `external_ref`.

    Raises `CannotStart` for any other JSON.
    """
    try:
        try:
            plain = json.loads(text)
        except ValueError:
            plain = [json.loads(line) for line in text.splitlines() if line.strip()]
        entries = plain.get("documents", [plain]) if isinstance(plain, dict) else plain
        return [str(entry["external_ref"] if isinstance(entry, dict) else entry) for entry in entries]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotStart(
            N_("{file} cannot be read as a list of references."),
            repair=N_("Write one a line, or give a table with a column «{heading}»."),
            file=path,
            heading="external_ref",
        ) from error
