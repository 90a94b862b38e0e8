"""Other currencies than the dollar, as headings, cells and number formats write them."""

from __future__ import annotations

import re

DOLLARS = frozenset(
    {"usd", "us", "dolar", "dolares", "dollar", "dollars", "usdollar", "usdollars", "dolaramericano", "840",
     "dolaresamericanos", "dolarestadounidense", "dolaresestadounidenses", "dolaresusa", "americandollar", "sv"}
)  # fmt: skip
"""Texts that mean the dollar, as `letters_of` gives them."""

# SVC is the colón, whose place the dollar took in 2001 (Ley de Integración Monetaria): old programs still print it.
_CODES = "EUR|GTQ|HNL|NIO|CRC|MXN|GBP|COP|PAB|PEN|CLP|BRL|ARS|DOP|CAD|SVC|BZD|JPY|CNY|BTC"
_SIGNS = "[€£¥₡₲₿₱]|MX\\$|C\\$|R\\$|S/\\.|RD\\$|CA\\$"
_WORDS = "euros?|quetzal(?:es)?|lempiras?|c[oó]rdobas?|colones|pesos|balboas?|soles|libras esterlinas"
_IN_TEXT = re.compile(
    rf"{_SIGNS}|(?<![A-Za-z])(?:{_CODES})(?![A-Za-z])|\b(?:{_WORDS})\b|(?<![A-Za-z])[QL]\.?(?=\s*[#0-9\"\]-]|$|\s*\))",
)
_WORDS_ONLY = re.compile(rf"\b(?:{_WORDS})\b", re.IGNORECASE)
_AMOUNT = re.compile(
    rf"(?:(?:{_SIGNS}|{_CODES}|[QL]\.?)\s*[-(]?[0-9][0-9.,\s]*\)?|[0-9][0-9.,]*\s*(?:{_SIGNS}|{_CODES}|[QL]))"
)


def foreign_currency(text: str) -> str:
    """Return the other currency that a heading or a number format names, or empty."""
    found = _IN_TEXT.search(text) or _WORDS_ONLY.search(text)
    return found[0].strip() if found else ""


def is_foreign_amount(text: str) -> bool:
    """Whether a cell is an amount in another currency."""
    return _AMOUNT.fullmatch(text.strip()) is not None
