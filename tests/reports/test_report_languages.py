from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from batch_issuer.messages import Messages
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reports.page.page import page_text
from batch_issuer.reports.workbook.workbook import workbook_content
from batch_issuer.rules.catalogs import payment_methods
from tests.reports import invented

SAME_IN_BOTH = {
    "batch_issuer", "Total", "Series", "no", "SHA-256", "NIT", "No", "issue", "Error", "Base", "es", "en", "UTF-8", "kbd",
    "j", "k", "c", "Enter", "Esc", "PgUp", "PgDn", "Home", "End",
}  # fmt: skip
"""Words and names that are the same in Spanish and English."""
SHOWN = ("title", "aria-label", "placeholder", "alt", "data-label")
LETTERS = re.compile("[a-záéíóúñ]{2,}", re.IGNORECASE)


class Texts(HTMLParser):
    """Every text that a reader or a screen reader meets."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.found |= {str(value) for name, value in attrs if name in SHOWN and value}

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style") and data.strip():
            self.found.add(" ".join(data.split()))


def of_data(value: Any) -> Iterator[str]:
    """Every text in the reconciliation: what files, provider and persons wrote."""
    if isinstance(value, str):
        yield " ".join(value.split())
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from of_data(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from of_data(one)
    elif is_dataclass(value):
        for one in fields(value):
            yield from of_data(getattr(value, one.name))


@pytest.fixture(scope="module")
def day() -> Reconciliation:
    """What every section and every sheet has something of."""
    return invented.a_comparison(30)


@pytest.fixture(scope="module")
def untouched(day: Reconciliation) -> list[str]:
    """Texts that stay as they are in every language, the longest first."""
    texts = {text for text in of_data(day) if LETTERS.search(text)} | set(payment_methods().names.values())
    return sorted(texts, key=len, reverse=True)


def only_ours(text: str, untouched: list[str]) -> str:
    """What remains of a text without what the data says."""
    for known in untouched:
        if known in text and (len(known) > 3 or known == text):
            text = text.replace(known, " ")
    return " ".join(word for word in LETTERS.findall(text) if word not in SAME_IN_BOTH and not word.isupper())


def untranslated(english: set[str], spanish: set[str], untouched: list[str]) -> list[str]:
    """Texts with words of ours that are the same in both languages."""
    return sorted(text for text in english & spanish - SAME_IN_BOTH if only_ours(text, untouched))


def test_page_says_nothing_in_the_other_language(day: Reconciliation, untouched: list[str]) -> None:
    """No text of ours is the same in both languages; what the data says is left aside."""
    english, spanish = (Texts(page_text(day, Messages(language))).found for language in ("en", "es"))
    assert len(english) > 300
    assert untranslated(english, spanish, untouched) == []


def test_workbook_says_nothing_in_the_other_language(day: Reconciliation, untouched: list[str]) -> None:
    """Nor in the workbook: titles of sheets, headings and texts."""

    def texts(language: str) -> set[str]:
        book = load_workbook(BytesIO(workbook_content(day, Messages(language))))
        cells = (
            str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "s"
        )
        return {*book.sheetnames, *(" ".join(text.split()) for text in cells)}

    english, spanish = texts("en"), texts("es")
    assert len(english) > 300
    assert untranslated(english, spanish, untouched) == []


def test_money_and_days_are_written_as_in_el_salvador(day: Reconciliation) -> None:
    """In both languages: dollars with comma and point, day first."""
    for language in ("es", "en"):
        said = " ".join(Texts(page_text(day, Messages(language))).found)
        assert f"${day.total.gross:,.2f}" in said
        assert day.total.gross > Decimal(10_000)
        assert "20/11/2026" in said
        assert not re.search(r"\b20\d\d-\d\d-\d\d\b", said)
