"""What is set: the program itself, the settings, the company, the address, the key, and what it knows of the year."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Mapping
from pathlib import Path

from batch_issuer import __version__
from batch_issuer.doctor.check import Check, Subject, ok, stopped, warn
from batch_issuer.ledger import schema
from batch_issuer.messages import N_
from batch_issuer.model.days import today
from batch_issuer.model.problems import CannotStart
from batch_issuer.provider.transport import system_proxy
from batch_issuer.rules.deadlines import CALENDAR_YEAR
from batch_issuer.settings import has_documented_form, key_place, read_key


def version() -> Check:
    """Return which program, Python and SQLite run here."""
    return ok(
        "version",
        N_("batch_issuer {version}, Python {python}, SQLite {sqlite}, {system}"),
        version=__version__,
        python=platform.python_version(),
        sqlite=schema.SQLITE,
        system=platform.system(),
    )


def settings(subject: Subject) -> Check:
    """Return which settings file counts."""
    if subject.settings.path is None:
        return ok("settings", N_("no batch-issuer.toml here or beside the sales: everything by default"))
    return ok("settings", N_("{path}"), path=subject.settings.path.resolve())


def company(subject: Subject) -> Check:
    """Return which company issues, and whether its environment is said."""
    company = subject.company
    if company.expect_environment:
        text = N_("«{name}», which expects the {environment} environment")
        return ok("company", text, name=company.name or company.code, environment=company.expect_environment)
    return warn(
        "company",
        N_("«{name}»; the environment that its key must be of is not said"),
        N_('Write expect_environment = "test" or "production" in the settings: a wrong key is then found out.'),
        name=company.name or company.code,
    )


_FROM: Mapping[str, str] = {
    "option": N_("{url} (--base-url)"),
    "env": N_("{url} (OCOTE_BASE_URL)"),
    "default": N_("{url} (the usual one)"),
}


def address(subject: Subject) -> Check:
    """Return where requests would go, and by whose word."""
    proxy = system_proxy(subject.base_url)
    if proxy:
        host = proxy.rpartition("@")[2]  # before it stand a name and a password
        return ok("address", N_("{url}, through the system's proxy {proxy}"), url=subject.base_url, proxy=host)
    return ok("address", _FROM[subject.base_url_from], url=subject.base_url)


def key(subject: Subject) -> tuple[str, Check]:
    """Return the key, empty where there is none, and what is to be said of it: never itself."""
    try:
        key = read_key(subject.company, subject.settings.path)
    except CannotStart as stop:
        return "", stopped("key", stop)
    place, name = key_place(subject.company, subject.settings.path)
    if not has_documented_form(key):
        return key, warn(
            "key",
            N_("found in {place}, but it has not the form that the provider's page gives (odt_ and 56 digits)"),
            N_("If the provider refuses it, copy it again from the provider's panel."),
            place=name,
        )
    if place == "file" and os.name == "posix" and stat.S_IMODE(Path(name).stat().st_mode) & 0o077:
        return key, warn(
            "key", N_("found in {place}, which others on this machine may read"), N_("chmod 600 {place}"), place=name
        )
    return key, ok("key", _PLACES[place], place=name)


_PLACES: Mapping[str, str] = {
    "env": N_("found in the environment variable {place}"),
    "file": N_("found in the file {place}"),
    "keyring": N_("found in the system's keyring as {place}"),
}


def calendar() -> Check:
    """Return whether the ministry's days off of this year are known: deadlines are counted with them."""
    year = today().year
    if year != CALENDAR_YEAR:
        return warn(
            "calendar",
            N_("the ministry's days off of {year} are not known here"),
            N_("Deadlines in business days cannot be counted; a newer batch_issuer may know them."),
            year=year,
        )
    return ok("calendar", N_("the ministry's days off of {year}; catalogs V1.1 of July 2026"), year=year)
