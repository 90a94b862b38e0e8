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
    """The options with changes by name; values are JSON values or their text.

    Raises `CannotStart` for an unknown name or an impossible value.
    """
    return replace(options, **{_known(name): _value(_known(name), value) for name, value in changes.items()})


def possible_values(name: str) -> str:
    """What an option may be, in words for a list of options."""
    return _possible(_HINTS[_known(name)])


def parse_changes(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` texts by name. Raises `CannotStart` for one without an equals sign."""
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
    plain = name.strip().replace("-", "_")
    if plain in _NAMES:
        return plain
    near = difflib.get_close_matches(plain, _NAMES, n=1, cutoff=0)[0]
    raise CannotStart(
        N_("The sandbox has no option «{name}»."), repair=N_("Did you mean «{near}»?"), name=name, near=near
    )


def _value(name: str, value: Any) -> Any:
    hint = _HINTS[name]
    try:
        return _coerced(hint, value.strip() if isinstance(value, str) else value)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise CannotStart(
            N_("«{value}» is not possible for the sandbox option {name}."),
            repair=N_("Possible: {known}."),
            name=name,
            value="…" if "keys" in name else value,
            known=_possible(hint),
        ) from None


def _coerced(hint: Any, value: Any) -> Any:
    if get_origin(hint) is Literal:
        return {str(choice): choice for choice in get_args(hint)}[str(value)]
    if get_origin(hint) is UnionType:
        if value is None or str(value).lower() in ("none", ""):
            return None
        return _coerced(next(kind for kind in get_args(hint) if kind is not NoneType), value)
    if get_origin(hint) is tuple:
        return _several(_key if get_args(hint)[0] is Key else str, value)
    if hint is bool:
        return value if isinstance(value, bool) else _FLAGS[str(value).lower()]
    return _plain(hint, value)


def _several(make: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(make(part.strip() if isinstance(part, str) else part) for part in parts if part != "")


def _key(value: Any) -> Key:
    if isinstance(value, str):
        key, _, company = value.partition("=")
        name, _, rest = company.partition(":")
        environment, _, nit = rest.partition(":")
        value = {"key": key, "company": name, "environment": environment or "00", "nit": nit}
    found = Key(**value)
    if not found.key or not found.company or found.environment not in ("00", "01"):
        raise ValueError(found)
    return found


def _plain(kind: Any, value: Any) -> Any:
    if kind is str:
        if not isinstance(value, str):
            raise TypeError(value)
        return value
    if isinstance(value, bool):
        raise TypeError(value)
    number = kind(value)
    if number != float(value) or not 0 <= number < float("inf"):
        raise ValueError(value)
    return number


def _possible(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return ", ".join(str(choice) for choice in get_args(hint))
    if get_origin(hint) is UnionType:
        return ", ".join(["none", *(_possible(kind) for kind in get_args(hint) if kind is not NoneType)])
    if get_origin(hint) is tuple:
        return "KEY=COMPANY:00" if get_args(hint)[0] is Key else "A,B*,C?"
    return {bool: "true, false", int: "0, 1, 2…", float: "0, 0.5, 1…"}.get(hint, "…")
