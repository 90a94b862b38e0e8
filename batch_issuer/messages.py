"""Everything that a person reads, in Spanish and English, from one gettext catalog (`locale/`).

English is written in the code and is the key; Spanish is looked up. Texts are marked with `N_` where they are
declared and translated where they are shown, because a problem found by a rule does not know who will read it.
"""

from __future__ import annotations

import gettext
import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("es", "en")
LOCALE_FOLDER = Path(__file__).parent / "locale"


def N_(text: str) -> str:  # noqa: N802 - the marker that gettext's extractors know
    """Mark a text for the catalog without translating it."""
    return text


@cache
def _catalog(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation("batch_issuer", LOCALE_FOLDER, languages=[language], fallback=True)


@dataclass(frozen=True, slots=True)
class Terms:
    """Texts of the catalog that stand inside another one, and are translated with it."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Messages:
    """Texts in one language."""

    language: str = "es"

    def text(self, message: str, /, **parameters: object) -> str:
        """Return the message in this language, with `{name}` places filled in."""
        if not message:  # gettext answers the empty text with the catalog's own header
            return ""
        found = _catalog(self.language).gettext(message)
        if not parameters:
            return found
        shown = {
            name: ", ".join(map(self.text, value.texts)) if isinstance(value, Terms) else value
            for name, value in parameters.items()
        }
        return found.format_map(_Quoted(shown))

    def count(self, one: str, many: str, number: int, /, **parameters: object) -> str:
        """Return the singular or plural text; `{n}` is the number, with thousands separated."""
        found = _catalog(self.language).ngettext(one, many, number)
        return found.format_map(_Quoted({"n": f"{number:,}", **parameters}))


class _Quoted(dict[str, object]):
    """Parameters of a text; one that is missing shows as itself instead of ending the program."""

    def __init__(self, parameters: Mapping[str, object]) -> None:
        super().__init__(parameters)

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def choose_language(asked: str | None = None, configured: str | None = None) -> str:
    """Return `es` or `en`: by `--lang`, BATCH_ISSUER_LANG, the settings or the locale, whichever says it first.

    A locale that is not English is Spanish.
    """
    for choice in (asked, os.environ.get("BATCH_ISSUER_LANG"), configured):
        if choice and choice[:2].lower() in LANGUAGES:
            return choice[:2].lower()
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "en" if value[:2].lower() == "en" else "es"
    system = locale.getlocale()[0] or ""
    return "en" if system[:2].lower() == "en" else "es"
