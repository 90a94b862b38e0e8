"""The provider's live catalogs, served from the ministry's tables; districts get UUIDs of our own."""

from __future__ import annotations

import csv
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_TABLES = Path(__file__).parent.parent / "rules" / "data"
# A district has the same UUID in every process: settings and tests may name it.
_NAMESPACE = uuid.UUID("6f1f7a1e-52d7-4d6b-9a55-0c8f1d1e7b10")
MOST_ACTIVITIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A district with the department and municipality that it fills in."""

    id: str
    code: str
    name: str
    department: str
    municipality: str
    municipality_name: str


def activities(search: str) -> list[Mapping[str, str]]:
    """Return the economic activities whose code or description holds the text; at most 50."""
    found = (row for row in _rows("cat-019") if _matches(search, row["code"], row["name"]))
    return [
        {"code": row["code"], "description": row["name"]} for row, _ in zip(found, range(MOST_ACTIVITIES), strict=False)
    ]


def departments(search: str) -> list[Mapping[str, Any]]:
    """Return departments with their municipalities, where the department or one of those matches the text."""
    return [
        {"code": row["code"], "name": row["name"].upper(), "municipalities": _municipalities(row["code"])}
        for row in _rows("cat-012")
        if _matches(search, row["code"], row["name"], *(item["name"] for item in _municipalities(row["code"])))
    ]


def districts(search: str) -> list[Mapping[str, str]]:
    """Return the districts whose name holds the text; at most 50."""
    found = (item for item in _districts().values() if _matches(search, item.name))
    return [
        {
            "id": item.id,
            "code": item.code,
            "name": item.name,
            "department": item.department,
            "municipality": item.department + item.municipality,
            "municipality_name": item.municipality_name,
        }
        for item, _ in zip(found, range(MOST_ACTIVITIES), strict=False)
    ]


def district(identifier: str) -> District | None:
    """Return the district of a UUID, or None."""
    return _districts().get(identifier.lower())


def municipality(department: str, code: str) -> str | None:
    """Return the short code of a municipality given short or long, or None where the department has none such."""
    short = code[len(department) :] if len(code) > 2 and code.startswith(department) else code
    return short if any(known["short_code"] == short for known in _municipalities(department)) else None


def has_activity(code: str) -> bool:
    """Whether the ministry's catalog of economic activities has the code."""
    return code in _codes("cat-019")


def has_document_type(code: str) -> bool:
    """Whether the ministry knows the recipient's kind of identity document."""
    return code in _codes("cat-022")


def has_payment_method(code: str) -> bool:
    """Whether the ministry knows the payment method."""
    return code in _codes("cat-017")


@cache
def _municipalities(department: str) -> list[Mapping[str, str]]:
    return [
        {"code": department + row["code"], "short_code": row["code"], "name": row["name"].upper()}
        for row in _rows("cat-013")
        if row["department_code"] == department
    ]


@cache
def _districts() -> Mapping[str, District]:
    found = {}
    for row in _rows("cat-008"):
        code = row["department_code"] + row["code"]
        district = District(
            id=str(uuid.uuid5(_NAMESPACE, code)),
            code=code,
            name=row["name"],
            department=row["department_code"],
            municipality=row["municipality_code"],
            municipality_name=row["municipality_name"],
        )
        found[district.id] = district
    return found


@cache
def _codes(table: str) -> frozenset[str]:
    return frozenset(row["code"] for row in _rows(table))


@cache
def _rows(table: str) -> tuple[Mapping[str, str], ...]:
    with (_TABLES / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
        return tuple(csv.DictReader(file))


def _matches(search: str, *texts: str) -> bool:
    wanted = _plain(search)
    return not wanted or any(wanted in _plain(text) for text in texts)


def _plain(text: str) -> str:
    """Return a text without accents and case: who searches «Cafe» finds «Café»."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).strip()
