"""Which API keys are accepted, and the company of each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from batch_issuer.sandbox.options import SAMPLE_KEY, SandboxOptions
from batch_issuer.sandbox.payload import Refused

_FORM = re.compile(r"odt_[0-9a-fA-F]{56}")
_SCHEME = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The company that a key stands for."""

    company: str
    environment: str


def presented_key(authorization: str, query_key: str, options: SandboxOptions, *, download: bool) -> str:
    """Return the key of a request, from the header or, for downloads, `?key=`; empty when there is none."""
    if authorization[: len(_SCHEME)].lower() == _SCHEME:
        return authorization[len(_SCHEME) :].strip()
    return query_key if download and options.key_in_query else ""


def account_of(key: str, options: SandboxOptions) -> Account:
    """Return the account of a key. Raises `Refused` with 401."""
    if not key:
        raise Refused(401, "API key requerida (header Authorization: Bearer odt_xxx)")
    if key not in options.disabled_keys:
        for known in options.keys:
            if known.key == key:
                return Account(company=known.company, environment=known.environment)
        # The form of the provider's keys: each is a company of its own, whose name follows from the key.
        if not options.keys and (key == SAMPLE_KEY or _FORM.fullmatch(key)):
            digest = hashlib.blake2b(key.encode(), digest_size=4).hexdigest()
            company = "example" if key == SAMPLE_KEY else f"company-{digest}"
            return Account(company=company, environment=options.environment)
    raise Refused(401, "API key invalida")
