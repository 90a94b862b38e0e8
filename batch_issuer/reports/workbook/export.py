"""Rows of ours as one flat sheet. Every cell is a text: nothing in it can become a formula or a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

_LONGEST = 32_767
"""Characters that a cell of a workbook holds."""


def sheet_content(rows: Iterable[Mapping[str, Any]]) -> tuple[bytes, int]:
    """Return a workbook with rows of like keys under a frozen, filtered header, and how many rows it has."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("ledger")
    sheet.freeze_panes = "A2"
    count = 0
    names: list[str] = []
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is what is given back
        if not names:
            names = list(row)
            sheet.append([_text(sheet, name, bold=True) for name in names])
        sheet.append([_text(sheet, str(row[name])) for name in names])
    if names:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{count + 1}"
    content = BytesIO()
    book.save(content)
    return content.getvalue(), count


def _text(sheet: Any, text: str, *, bold: bool = False) -> Any:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:_LONGEST])
    cell.data_type = "s"  # openpyxl makes a formula of a text that begins with =
    if bold:
        cell.font = Font(bold=True)
    return cell
