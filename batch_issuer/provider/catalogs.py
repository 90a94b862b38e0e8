"""What the provider's live catalogs say, read with every field optional (provider.md 13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from batch_issuer.rules.catalogs import Municipality

DEPARTMENTS = "/catalogs/departments"
_DEPARTMENT_DIGITS = 2
_LONGEST = 250


def activities_path(search: str) -> str:
    """Return where the activities of a code are; `search` is digits."""
    return f"/catalogs/activities?search={search}"


def read_activities(plain: object) -> Mapping[str, str]:
    """Return the descriptions of activities by their codes."""
    return {code: name for one in _objects(plain) if (code := _text(one, "code")) and (name := _name(one))}


def read_departments(plain: object) -> tuple[Municipality, ...]:
    """Return the municipalities of every department; the short code is the long one without its department."""
    found = []
    for department in _objects(plain):
        code = _text(department, "code")
        if not (code.isascii() and code.isdigit()):
            continue
        code = code.zfill(_DEPARTMENT_DIGITS)
        for one in _objects(department.get("municipalities")):
            long = _text(one, "code")
            short = _text(one, "short_code") or long.removeprefix(code) or long
            if short.isascii() and short.isdigit() and (name := _name(one)):
                found.append(Municipality(code, short.zfill(_DEPARTMENT_DIGITS), name))
    return tuple(found)


def _objects(plain: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(plain, dict):
        plain = next((value for value in plain.values() if isinstance(value, list)), [])
    if isinstance(plain, list):
        yield from (one for one in plain if isinstance(one, dict))


def _name(one: Mapping[str, Any]) -> str:
    return _text(one, "name") or _text(one, "description")


def _text(one: Mapping[str, Any], name: str) -> str:
    value = one.get(name)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text.strip()[:_LONGEST]
