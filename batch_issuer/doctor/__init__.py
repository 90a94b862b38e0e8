"""What is set, from where, and what is wrong: one look at everything that a run needs, changing nothing.

One request goes to the provider, about a document that does not exist; without an answer the rest is told all the same.
The key is never shown.

- `check`: one line of the diagnosis, and what is looked at.
- `setup`: program, settings, company, address, key, calendar.
- `books`: the ledger, its lock, its documents, the environment that the key is known for.
- `reach`: the provider, the quota, the clock.
- `machine`: the disk, and whether it is this machine's.

It may use `send`, `provider`, `ledger` and what lies below them. Its texts are of the catalog; `cli` shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batch_issuer.doctor.books import ledger
from batch_issuer.doctor.check import Check, Level, Subject, stopped
from batch_issuer.doctor.machine import disk, is_on_network, share
from batch_issuer.doctor.reach import ask_provider, clock, provider
from batch_issuer.doctor.setup import address, calendar, company, key, settings, version
from batch_issuer.messages import N_
from batch_issuer.model.problems import Stop
from batch_issuer.provider.client import Sign

CHECK_NAMES: Mapping[str, str] = {
    "version": N_("Version"),
    "settings": N_("Settings"),
    "company": N_("Company"),
    "address": N_("Address"),
    "key": N_("Key"),
    "environment": N_("Environment"),
    "provider": N_("Provider"),
    "quota": N_("Quota"),
    "clock": N_("Clock"),
    "ledger": N_("Ledger"),
    "lock": N_("Writing"),
    "documents": N_("Documents"),
    "disk": N_("Disk"),
    "share": N_("Place"),
    "calendar": N_("Calendar"),
}


def diagnose(subject: Subject, ask: Callable[[str, str], Sign | Stop | None] = ask_provider) -> list[Check]:
    """Return every check, in the order in which a run needs it. `ask` asks the provider, by address and key."""
    found, of_key = key(subject)
    sign = ask(subject.base_url, found) if found else None
    checks = [
        *(version(), settings(subject), company(subject), address(subject), of_key),
        *ledger(subject, found),
        *provider(subject, sign, asked=bool(found)),
        *(clock(sign if isinstance(sign, Sign) else None), disk(subject), share(subject), calendar()),
    ]
    order = list(CHECK_NAMES)
    return sorted(checks, key=lambda check: order.index(check.name))


def exit_code(checks: list[Check]) -> int:
    """Return 2 where a run could not start, 1 where something else needs a person, else 0; warnings do not count."""
    problems = [check for check in checks if check.level is Level.PROBLEM]
    return 2 if any(check.stops for check in problems) else int(bool(problems))


def settings_problem(stop: Stop) -> Check:
    """Return the line of settings that cannot be read: no run could start with them."""
    return stopped("settings", stop)


__all__ = ["CHECK_NAMES", "Check", "Level", "Subject", "diagnose", "exit_code", "is_on_network", "settings_problem"]
