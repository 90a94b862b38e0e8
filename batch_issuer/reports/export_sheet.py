"""The ledger as one flat sheet. Every cell is a text: nothing in it can become a formula or a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import xlsxwriter


def write_sheet(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Rows of like keys under a frozen, filtered header; how many were written."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("ledger")
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    count = 0
    names: list[str] = []
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is what is given back
        if not names:
            names = list(row)
            for column, name in enumerate(names):
                sheet.write_string(0, column, name, bold)
        for column, name in enumerate(names):
            sheet.write_string(count, column, str(row[name]))
    if names:
        sheet.autofilter(0, 0, count, len(names) - 1)
    book.close()
    return count
