"""Texts as they are compared: by their letters and digits, whatever their accents, capitals, signs and spaces."""

from __future__ import annotations

import re
import unicodedata

from batch_issuer.reading.tables import BLANKS

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SIGNS = str.maketrans({"#": " numero ", "%": " porcentaje ", "º": "o", "°": "o", "ª": "a", "№": " numero "})
_SHORT = re.compile(r"\b(?:no|nro|num|nr|n\s*o|nbr|number|numero)\b")
_SMALL_WORDS = re.compile(r"\b(?:de|del|la|el|los|las|the|of)\b")


def letters_of(text: str) -> str:
    """Return a text as it is compared: small letters and digits; `No.`, `Nº`, `#` and `Número` are one word."""
    text = _CAMEL.sub(" ", text).translate(_SIGNS)
    text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    text = re.sub(r"[^0-9a-z]+", " ", text.casefold())
    return _SMALL_WORDS.sub("", _SHORT.sub("no", text)).replace(" ", "")


def tidy(text: str) -> str:
    """Return a text as a person sees it: without the spaces around it, and with one space between words."""
    return " ".join(text.strip(BLANKS).split())


def folded(text: str) -> str:
    """Return a tidy text without regard to capitals; accents and signs still count."""
    return tidy(text).casefold()
