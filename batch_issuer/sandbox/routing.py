"""Which route a request's path names, and the reference in it, decoded exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote

from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.payload import Refused

BASE_PATH = "/api/connect"
ISSUING = frozenset({"invoice", "suex", "credit-memo"})
_EXACT = {
    "/invoice": ("POST", "invoice"),
    "/suex": ("POST", "suex"),
    "/credit-memo": ("POST", "credit-memo"),
    "/catalogs/activities": ("GET", "activities"),
    "/catalogs/departments": ("GET", "departments"),
    "/catalogs/districts/search": ("GET", "districts"),
}
_WITH_REF = (
    ("GET", "/status/", "status"),
    ("GET", "/file/", "file"),
    ("GET", "/credit-memo/status/", "credit-memo-status"),
    ("GET", "/suex/status/", "suex-status"),
    ("GET", "/invalidate/suex/status/", "invalidate-suex-status"),
    ("GET", "/invalidate/status/", "invalidate-status"),
    ("POST", "/invalidate/suex/", "invalidate-suex"),
    ("POST", "/invalidate/", "invalidate"),
)
ROUTES = (*(route for _, route in _EXACT.values()), *(route for _, _, route in _WITH_REF))
UNKNOWN = "unknown"
_NO_QUERY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request's route; `refused` when there is none such, so that quota and key are looked at first."""

    route: str
    ref: str = ""
    query: Mapping[str, str] = field(default_factory=lambda: _NO_QUERY)
    refused: Refused | None = None


def find(method: str, target: str, options: SandboxOptions) -> Call:
    """Find the route of a request target as it came over the wire, undecoded; no such route is a refused call."""
    path, _, query_text = target.partition("?")
    query = dict(parse_qsl(query_text, keep_blank_values=True)) if query_text else _NO_QUERY
    if not path.startswith(BASE_PATH):
        return _unknown(query)
    rest = path[len(BASE_PATH) :]
    if found := _EXACT.get(rest):
        return Call(route=found[1], query=query) if found[0] == method else _wrong_method(found[1], query)
    return _with_ref(method, rest, query, options)


def _with_ref(method: str, rest: str, query: Mapping[str, str], options: SandboxOptions) -> Call:
    """Find the route of a path that ends in a reference, and decode that once."""
    # `/invalidate/status/x` also begins like `/invalidate/`: what is left of the path must not hold a slash, unless
    # encoded, as a reference may have one.
    named: dict[str, tuple[str, str]] = {}
    for wanted, prefix, route in _WITH_REF:
        encoded = rest.removeprefix(prefix)
        if encoded not in ("", rest) and "/" not in encoded:
            named.setdefault(wanted, (route, encoded))
    if method not in named:
        return _wrong_method(next(iter(named.values()))[0], query) if named else _unknown(query)
    route, encoded = named[method]
    if options.encoded_slash == "not-found" and "%2f" in encoded.lower():
        return _unknown(query)
    try:
        return Call(route=route, ref=unquote(encoded, errors="strict"), query=query)
    except UnicodeDecodeError:
        return _unknown(query)


def _unknown(query: Mapping[str, str]) -> Call:
    return Call(route=UNKNOWN, query=query, refused=Refused(404, "Not Found"))


def _wrong_method(route: str, query: Mapping[str, str]) -> Call:
    return Call(route=route, query=query, refused=Refused(405, "Method Not Allowed"))
