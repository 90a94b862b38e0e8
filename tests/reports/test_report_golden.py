"""Reports against files that a person has read. After a change that is meant: `pytest tests/reports --regenerate`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from batch_issuer.messages import Messages
from batch_issuer.reconcile import as_json, findings_json
from batch_issuer.reports.page.page import page_text
from batch_issuer.reports.workbook.workbook import workbook_content
from tests.reports import invented

GOLDEN = Path(__file__).parent / "golden"


def page(language: str) -> str:
    """The page without the texts of its style and script, which have files of their own, and their digests."""
    html = page_text(invented.a_small_day(), Messages(language))
    html = re.sub(r"<style>.*?</style>", "<style></style>", html, flags=re.DOTALL)
    html = re.sub(r"<script>.*?</script>", "<script></script>", html, flags=re.DOTALL)
    return re.sub(r"sha256-[A-Za-z0-9+/=]+", "sha256-…", html)


def sheets(language: str) -> str:
    """Every cell that has something, formulas as such."""
    book = load_workbook(BytesIO(workbook_content(invented.a_small_day(), Messages(language))))
    lines = []
    for sheet in book:
        lines.append(f"# {sheet.title}")
        for row in sheet.iter_rows():
            cells = [f"{cell.coordinate}={cell.value!r}" for cell in row if cell.value is not None]
            if cells:
                lines.append(" | ".join(cells))
    return "\n".join(lines) + "\n"


def plain(_: str) -> str:
    day = invented.a_small_day()
    return json.dumps(as_json(day) | findings_json(day), indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("name", "made", "language"),
    [
        ("page-es.html", page, "es"),
        ("page-en.html", page, "en"),
        ("sheets-es.txt", sheets, "es"),
        ("sheets-en.txt", sheets, "en"),
        ("report.json", plain, "en"),
    ],
)
def test_report_is_as_it_was_read(
    name: str, made: Callable[[str], str], language: str, request: pytest.FixtureRequest
) -> None:
    """To the letter."""
    path, now = GOLDEN / name, made(language)
    if request.config.getoption("--regenerate"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8", newline="\n")
    assert now == path.read_text(encoding="utf-8")
