"""Options given as text or JSON, on the command line or to a running sandbox, turned into their types or refused."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox.options import Key, SandboxOptions

_HINTS = get_type_hints(SandboxOptions)
_NAMES = tuple(option.name for option in fields(SandboxOptions))
_FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def changed(options: SandboxOptions, changes: Mapping[str, Any]) -> SandboxOptions:
    """Return the options with changes by name; values are JSON values or their text.

    Raises `CannotStart` for an unknown name or an impossible value.
    """
    found = {}
    for given, value in changes.items():
        name = _known(given)
        try:
            found[name] = _coerced(_HINTS[name], value.strip() if isinstance(value, str) else value)
        except (KeyError, ValueError, TypeError, OverflowError):
            raise CannotStart(
                N_("«{value}» is not possible for the sandbox option {name}."),
                repair=N_("Possible: {known}."),
                name=name,
                value="…" if "keys" in name else value,  # a key is shown nowhere, not even a wrong one
                known=_possible(_HINTS[name]),
            ) from None
    return replace(options, **found)


def possible_values(name: str) -> str:
    """Return what an option may be, in words for a list of options. Raises `CannotStart` for an unknown name."""
    return _possible(_HINTS[_known(name)])


def parse_changes(texts: Iterable[str]) -> dict[str, str]:
    """Read `NAME=VALUE` texts, by name. Raises `CannotStart` for one without an equals sign."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise CannotStart(
                N_("The sandbox option «{text}» has no value."), repair=N_("Write NAME=VALUE."), text=text
            )
        found[name.strip()] = value.strip()
    return found


def _known(name: str) -> str:
    """Return an option's name as the field has it. Raises `CannotStart` where there is none such, with the nearest."""
    plain = name.strip().replace("-", "_")
    if plain in _NAMES:
        return plain
    near = difflib.get_close_matches(plain, _NAMES, n=1, cutoff=0)[0]
    raise CannotStart(
        N_("The sandbox has no option «{name}»."), repair=N_("Did you mean «{near}»?"), name=name, near=near
    )


def _coerced(hint: Any, value: Any) -> Any:
    """Return a value as its option's type has it. Raises `KeyError`, `ValueError` or `TypeError` for what cannot be."""
    if get_origin(hint) is Literal:
        return {str(choice): choice for choice in get_args(hint)}[str(value)]
    if get_origin(hint) is UnionType:
        return None if value is None or str(value).lower() in ("none", "") else _coerced(_beside_none(hint), value)
    if get_origin(hint) is tuple:
        return _several(Key.read if get_args(hint)[0] is Key else str, value)
    if hint is bool:
        return value if isinstance(value, bool) else _FLAGS[str(value).lower()]
    return _plain(hint, value)


def _several(make: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    """Return what a list, or a text with commas, is made of; empty parts are left out."""
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(make(part.strip() if isinstance(part, str) else part) for part in parts if part != "")


def _beside_none(hint: Any) -> Any:
    """Return the type that an option has where it is not left out."""
    return next(kind for kind in get_args(hint) if kind is not NoneType)


def _plain(kind: Any, value: Any) -> Any:
    """Return a text or a number of 0 or more. Raises `TypeError` or `ValueError` for anything else."""
    if kind is str:
        if not isinstance(value, str):
            raise TypeError(value)
        return value
    if isinstance(value, bool):  # which is 0 or 1 to Python
        raise TypeError(value)
    number = kind(value)
    if number != float(value) or not 0 <= number < float("inf"):
        raise ValueError(value)
    return number


def _possible(hint: Any) -> str:
    """Return what values of a type may be, in words."""
    if get_origin(hint) is Literal:
        return ", ".join(str(choice) for choice in get_args(hint))
    if get_origin(hint) is UnionType:
        return f"none, {_possible(_beside_none(hint))}"
    if get_origin(hint) is tuple:
        return "KEY=COMPANY:00" if get_args(hint)[0] is Key else "A,B*,C?"
    return {bool: "true, false", int: "0, 1, 2…", float: "0, 0.5, 1…"}.get(hint, "…")
