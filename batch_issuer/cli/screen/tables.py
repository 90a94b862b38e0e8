"""Lists of ours as JSON, CSV or XLSX, by the name of the file: whole or not at all, for their owner only."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_AMOUNT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
"""Negative amounts are no formulas."""


def write_table(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows of like keys. Raises `StoppedMidway` where the file cannot be written."""
    from batch_issuer.reports.replacing import replace_file

    if path.suffix.lower() == ".xlsx":
        from batch_issuer.reports.workbook.export import write_sheet

        write_sheet(rows, path)
    elif path.suffix.lower() == ".csv":
        replace_file(path, _as_csv(rows))
    else:
        replace_file(path, json.dumps({"documents": list(rows)}, ensure_ascii=False, indent=2).encode())


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """With the mark by which Excel knows UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows({name: harmless(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8-sig")


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it (CWE-1236).

    So does one that already has it, so that taking one away gives the text back; reading does that by itself.
    """
    if not isinstance(value, str) or not _FORMULA.match(value) or _AMOUNT.fullmatch(value):
        return value
    return f"'{value}"
