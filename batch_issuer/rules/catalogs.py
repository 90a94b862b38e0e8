"""The ministry's catalogs, loaded when first asked for: from what people write to the code that travels.

Source: "Catálogos – Facturación Electrónica" of the Ministerio de Hacienda, Excel V1.1, July 2026. Codes are text and
keep their zeros. A name is found whatever its case and accents; a name that stands for several things is never chosen.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeVar, cast

Named = TypeVar("Named")
Asked = TypeVar("Asked", bound=Callable[..., Any])
_NOT_A_WORD = re.compile(r"[^0-9a-z]+")
# `05 Transferencia`, `05-Transferencia`, `05) Transferencia`: as people copy a line of the catalog.
_CODE_AND_NAME = re.compile(r"([0-9]+)\s*[-\u2013.:·)]?\s*([^\W\d].*)")

PAYMENT_NAMES: Mapping[str, str] = {
    "efectivo": "01",
    "cash": "01",
    "débito": "02",
    "tarjeta de débito": "02",
    "debit card": "02",
    "tarjeta de crédito": "03",
    "credit card": "03",
    "check": "04",
    "cheque": "04",
    "transferencia": "05",
    "transferencia bancaria": "05",
    "depósito": "05",
    "depósito bancario": "05",
    "transfer": "05",
    "bank transfer": "05",
    "otros": "99",
    "otro": "99",
}
"""What tills write, beside the names of CAT-017. "Tarjeta" alone is not here: it may be either card."""

CONDITION_NAMES: Mapping[str, str] = {"crédito": "2", "al contado": "1", "cash": "1", "credit": "2", "other": "3"}
TERM_UNIT_NAMES: Mapping[str, str] = {
    "día": "01", "mes": "02", "año": "03", "days": "01", "day": "01", "months": "02", "month": "02",
    "years": "03", "year": "03",
}  # fmt: skip
CONTRIBUTORS: Mapping[str, str] = {"1": "Pequeño", "2": "Mediano", "3": "Grande", "4": "Gobierno"}
"""The provider's `type_contributor`; no catalog of the ministry."""
CONTRIBUTOR_NAMES: Mapping[str, str] = {
    "pequeño contribuyente": "1", "small": "1", "mediano contribuyente": "2", "medium": "2",
    "gran contribuyente": "3", "large": "3", "government": "4",
}  # fmt: skip


_REMEMBERED: list[Callable[[], None]] = []


def remembered(most: int | None = None) -> Callable[[Asked], Asked]:
    """Remember, like `lru_cache`, what follows from catalogs, until other catalogs are preferred."""

    def decorate(asked: Asked) -> Asked:
        kept = lru_cache(maxsize=most)(asked)
        _REMEMBERED.append(kept.cache_clear)
        return cast("Asked", kept)

    return decorate


def fold(text: str) -> str:
    """Return the text for comparing: without accents, case, punctuation and repeated spaces."""
    # Takes accents off their letters, so that they can be left out.
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _NOT_A_WORD.sub(" ", "".join(mark for mark in plain if not unicodedata.combining(mark))).strip()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Codes with their names."""

    names: Mapping[str, str]
    """Code to name, in the ministry's order."""
    codes: Mapping[str, str]
    """Folded name to code; names of several codes are left out."""

    def code_of(self, text: str) -> str:
        """Return the code that a text stands for; empty when none or several.

        Given as code (zeros lost or not), as name, or as both where they agree: `05`, `Transferencia`,
        `05 Transferencia`.
        """
        wanted = text.strip()
        if wanted.isascii() and wanted.isdigit():
            return self._code(wanted)
        return self.codes.get(fold(wanted), "") or (wanted if wanted in self.names else self._code_with_name(wanted))

    def listed(self) -> str:
        """Return every code with its name, for a sentence."""
        return ", ".join(f"{code} {name}" for code, name in self.names.items())

    def _code_with_name(self, text: str) -> str:
        """Return the code of a text such as `05 Transferencia`, where both say the same; empty otherwise."""
        parts = _CODE_AND_NAME.fullmatch(text)
        code = self._code(parts[1]) if parts else ""
        if not parts or not code:
            return ""
        name = fold(parts[2])
        return code if name == fold(self.names[code]) or self.codes.get(name) == code else ""

    def _code(self, digits: str) -> str:
        if digits in self.names:
            return digits
        # A spreadsheet drops zeros: `5` is `05`, as long as it can be no other code.
        found = [code for code in self.names if code.isdigit() and code.lstrip("0") == digits.lstrip("0")]
        return found[0] if len(found) == 1 else ""


def _catalog(names: Mapping[str, str], also: Mapping[str, str] | None = None) -> Catalog:
    # A name that two codes have stands for neither: nothing is chosen for whoever wrote it.
    several: defaultdict[str, set[str]] = defaultdict(set)
    for code, name in names.items():
        several[fold(name)].add(code)
    for name, code in (also or {}).items():
        several[fold(name)] = {code}
    return Catalog(names, {name: next(iter(codes)) for name, codes in several.items() if len(codes) == 1})


def _rows(number: str) -> Iterator[dict[str, str]]:
    text = (files(__package__) / "data" / f"cat-{number}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())


def _names(number: str) -> dict[str, str]:
    return {row["code"]: row["name"] for row in _rows(number)}


def _read(number: str, also: Mapping[str, str] | None = None) -> Catalog:
    return _catalog(_names(number), also)


@cache
def document_kinds() -> Catalog:
    """Return CAT-002, types of fiscal documents: 01 factura, 03 comprobante de crédito fiscal, and so on."""
    return _read("002")


@cache
def departments() -> Catalog:
    """Return CAT-012, the 14 departments; 00 is for foreigners."""
    return _read("012", {"otro": "00", "extranjero": "00"})


@cache
def conditions() -> Catalog:
    """Return CAT-016, conditions of the transaction: 1 cash, 2 credit, 3 other."""
    return _read("016", CONDITION_NAMES)


@cache
def payment_methods() -> Catalog:
    """Return CAT-017, means of payment."""
    return _read("017", PAYMENT_NAMES)


@cache
def term_units() -> Catalog:
    """Return CAT-018, units of a credit term, with the provider's codes 1, 2 and 3 for 01, 02 and 03."""
    catalog = _read("018", TERM_UNIT_NAMES)
    return _catalog(
        {code.lstrip("0"): name for code, name in catalog.names.items()},
        {name: code.lstrip("0") for name, code in catalog.codes.items()},
    )


@remembered()
def activities() -> Catalog:
    """Return CAT-019, economic activities, five digits, and those that only the provider knows."""
    return _catalog({**_names("019"), **_preferred.activities})


@cache
def identity_documents() -> Catalog:
    """Return CAT-022, a customer's identity documents: 36 NIT, 13 DUI, 03 passport, 02 residence card, 37 other."""
    return _read("022", {"passport": "03", "carnet de residencia": "02", "other": "37"})


@cache
def contributors() -> Catalog:
    """Return the sizes of taxpayers as the provider numbers them."""
    return _catalog(CONTRIBUTORS, CONTRIBUTOR_NAMES)


class Municipality(NamedTuple):
    """One of the 44 municipalities since 1 May 2024. Its code is only unique within its department."""

    department: str
    code: str
    name: str


class District(NamedTuple):
    """One of the 262 districts, which are the municipalities of before May 2024 with their codes."""

    department: str
    code: str
    name: str
    municipality: str


@dataclass(frozen=True, slots=True)
class Territory:
    """Municipalities (CAT-013) and districts (CAT-008), by key and by folded name."""

    municipalities: Mapping[tuple[str, str], Municipality]
    districts: Mapping[tuple[str, str], District]
    municipalities_named: Mapping[str, tuple[Municipality, ...]]
    districts_named: Mapping[str, tuple[District, ...]]

    def of_department(self, department: str) -> tuple[Municipality, ...]:
        """Return the municipalities of a department, in the ministry's order."""
        return tuple(found for found in self.municipalities.values() if found.department == department)

    def municipality_of(self, district: District) -> Municipality:
        """Return the municipality to which a district belongs."""
        return self.municipalities[district.department, district.municipality]


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the provider's own catalogs say, which counts before ours where both speak (provider.md 13)."""

    municipalities: tuple[Municipality, ...] = ()
    activities: Mapping[str, str] = field(default_factory=dict)
    """Code to description; the provider tells only those that are searched for."""


_preferred = Live()


def prefer(live: Live) -> None:
    """Let the provider's catalogs count from here on; what was found with others is forgotten."""
    global _preferred  # noqa: PLW0603 - the catalogs are one for the whole program, like those of the files
    if live != _preferred:
        _preferred = live
        for forget in _REMEMBERED:
            forget()


@remembered()
def territory() -> Territory:
    """Return CAT-013 and CAT-008 in the edition of July 2026, in which 09-10 is Cabañas Este and 09-11 Cabañas Oeste.

    A municipality that the provider numbers otherwise has the provider's code, with its districts.
    """
    # The provider numbers some municipalities otherwise, and it is the one that must understand the code.
    code_of = {(found.department, fold(found.name)): found.code for found in _preferred.municipalities}
    shipped = [Municipality(row["department_code"], row["code"], row["name"]) for row in _rows("013")]
    codes = {(one.department, one.code): code_of.get((one.department, fold(one.name)), one.code) for one in shipped}
    live = {(one.department, one.code) for one in _preferred.municipalities}
    ours = [
        one
        for one in shipped
        if (one.department, one.code) not in live and (one.department, fold(one.name)) not in code_of
    ]
    municipalities = [*ours, *_preferred.municipalities]
    districts: list[tuple[District, set[str]]] = []
    for row in _rows("008"):
        department = row["department_code"]
        one = District(department, row["code"], row["name"], codes[department, row["municipality_code"]])
        districts.append((one, {fold(row["name"]), fold(row["official_label"])}))
    return _territory(municipalities, districts)


def _territory(
    municipalities: Sequence[Municipality], districts: Sequence[tuple[District, Collection[str]]]
) -> Territory:
    return Territory(
        municipalities={(found.department, found.code): found for found in municipalities},
        districts={(found.department, found.code): found for found, _ in districts},
        municipalities_named=_grouped((found.name, found) for found in municipalities),
        districts_named=_grouped((name, found) for found, names in districts for name in sorted(names)),
    )


def _grouped(pairs: Iterable[tuple[str, Named]]) -> Mapping[str, tuple[Named, ...]]:
    groups: defaultdict[str, list[Named]] = defaultdict(list)
    for name, found in pairs:
        groups[fold(name)].append(found)
    return {name: tuple(found) for name, found in groups.items()}
