"""Lists of ours as JSON, CSV or XLSX, by the name of the file: whole or not at all, for their owner only."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# With apostrophes before it, and in full width (U+FF1D and others): spreadsheets take these for formulas too.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_AMOUNT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
"""Negative amounts are no formulas."""


def write_table(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of like keys, as what the name ends in says.

    Raises `StoppedMidway` where the file cannot be written.
    """
    from batch_issuer.reports.replacing import replace_file

    if path.suffix.lower() == ".xlsx":
        from batch_issuer.reports.workbook.export import sheet_content

        content, _ = sheet_content(rows)
    elif path.suffix.lower() == ".csv":
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows({name: harmless(value) for name, value in row.items()} for row in rows)
        content = out.getvalue().encode("utf-8-sig")  # with the mark by which Excel knows UTF-8
    else:
        content = json.dumps({"documents": list(rows)}, ensure_ascii=False, indent=2).encode()
    replace_file(path, content)


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would take for a formula (CWE-1236).

    So does one get that already has it: taking one away then gives the text back, and reading does that by itself.
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _AMOUNT.fullmatch(value):
        return value
    return f"'{value}"
