"""What is set, from where, and what is wrong: one look at everything that a run needs, changing nothing.

One request goes to the provider, about a document that does not exist; without an answer the rest is told all the same.
The key is never shown.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import platform
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from batch_issuer import __version__
from batch_issuer.ledger import lock, schema
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.verify import verify_end
from batch_issuer.messages import N_, Messages
from batch_issuer.model.days import today
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.problems import CannotStart, Stop
from batch_issuer.model.states import IN_DOUBT, State
from batch_issuer.provider.client import Client, NeverLeft, Sign, Uncertain, Withheld, open_transport
from batch_issuer.provider.quota import Quota
from batch_issuer.provider.transport import system_proxy
from batch_issuer.rules.deadlines import CALENDAR_YEAR
from batch_issuer.send.keys import key_in
from batch_issuer.settings import Company, Settings, has_documented_form, key_place, read_key

_CLOCK_MAY_DIFFER = 60
"""Seconds; the answer took some of them."""
_LITTLE_SPACE, _NO_SPACE = 1 << 30, 100 << 20
"""Bytes: a warning, a problem."""
_EVENTS_CHECKED = 2000
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ncpfs"})
_REMOTE_DRIVE = 4
"""What Windows calls a drive of another machine (`GetDriveTypeW`)."""


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the diagnosis: catalog texts, with what fills their places."""

    name: str
    level: Level
    message: str
    repair: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    stops: bool = False
    """Nothing could be issued like this: a run would end before it began."""

    def text(self, messages: Messages) -> str:
        return messages.text(self.message, **self.parameters)

    def advice(self, messages: Messages) -> str:
        return messages.text(self.repair, **self.parameters) if self.repair else ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is looked at."""

    settings: Settings
    company: Company
    ledger: Path
    base_url: str
    base_url_from: str
    """`option`, `env` or `default`."""


def diagnose(subject: Subject, ask: Callable[[str, str], Sign | Stop | None] | None = None) -> list[Check]:
    """Every check, in the order in which a run needs it. `ask` is how the provider is asked, by address and key."""
    key, key_check = _key(subject)
    checks = [_version(), _settings(subject), _company(subject), _address(subject), key_check]
    checks += _ledger(subject, key)
    sign = (ask or ask_provider)(subject.base_url, key) if key else None
    checks += _provider(subject, sign, asked=bool(key))
    checks += [_clock(sign if isinstance(sign, Sign) else None), _disk(subject), _share(subject), _calendar()]
    order = list(CHECK_NAMES)
    return sorted(checks, key=lambda check: order.index(check.name))


def exit_code(checks: list[Check]) -> int:
    """2 where a run could not start, 1 where something else needs a person, 0 otherwise; warnings are not counted."""
    problems = [check for check in checks if check.level is Level.PROBLEM]
    return 2 if any(check.stops for check in problems) else int(bool(problems))


def settings_problem(stop: Stop) -> Check:
    """Settings that cannot be read."""
    return _stopped("settings", stop)


def _stopped(name: str, stop: Stop) -> Check:
    return Check(
        name=name, level=Level.PROBLEM, message=stop.message, repair=stop.repair, parameters=stop.parameters, stops=True
    )


def _ok(name: str, message: str, /, **parameters: object) -> Check:
    return Check(name=name, level=Level.OK, message=message, parameters=parameters)


def _warn(name: str, message: str, repair: str, /, **parameters: object) -> Check:
    return Check(name=name, level=Level.WARNING, message=message, repair=repair, parameters=parameters)


def _problem(name: str, message: str, repair: str, /, **parameters: object) -> Check:
    return Check(name=name, level=Level.PROBLEM, message=message, repair=repair, parameters=parameters)


def _version() -> Check:
    return _ok(
        "version",
        N_("batch_issuer {version}, Python {python}, SQLite {sqlite}, {system}"),
        version=__version__,
        python=platform.python_version(),
        sqlite=schema.SQLITE,
        system=platform.system(),
    )


def _settings(subject: Subject) -> Check:
    if subject.settings.path is None:
        return _ok("settings", N_("no batch-issuer.toml here or beside the sales: everything by default"))
    return _ok("settings", N_("{path}"), path=subject.settings.path.resolve())


def _company(subject: Subject) -> Check:
    company = subject.company
    if company.expect_environment:
        text = N_("«{name}», which expects the {environment} environment")
        return _ok("company", text, name=company.name or company.code, environment=company.expect_environment)
    return _warn(
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


def _address(subject: Subject) -> Check:
    proxy = system_proxy(subject.base_url)
    if proxy:
        host = proxy.rpartition("@")[2]
        return _ok("address", N_("{url}, through the system's proxy {proxy}"), url=subject.base_url, proxy=host)
    return _ok("address", _FROM[subject.base_url_from], url=subject.base_url)


def _key(subject: Subject) -> tuple[str, Check]:
    """The key, empty where there is none, and what is to be said of it: never itself."""
    try:
        key = read_key(subject.company, subject.settings.path)
    except CannotStart as stop:
        return "", _stopped("key", stop)
    place, name = key_place(subject.company, subject.settings.path)
    if not has_documented_form(key):
        return key, _warn(
            "key",
            N_("found in {place}, but it has not the form that the provider's page gives (odt_ and 56 digits)"),
            N_("If the provider refuses it, copy it again from the provider's panel."),
            place=name,
        )
    if place == "file" and os.name == "posix" and stat.S_IMODE(Path(name).stat().st_mode) & 0o077:
        return key, _warn(
            "key", N_("found in {place}, which others on this machine may read"), N_("chmod 600 {place}"), place=name
        )
    return key, _ok("key", _PLACES[place], place=name)


_PLACES: Mapping[str, str] = {
    "env": N_("found in the environment variable {place}"),
    "file": N_("found in the file {place}"),
    "keyring": N_("found in the system's keyring as {place}"),
}


def _ledger(subject: Subject, key: str) -> Iterator[Check]:
    folder = subject.ledger.resolve().parent
    if not folder.is_dir():
        yield Check(
            name="ledger",
            level=Level.PROBLEM,
            message=N_("there is no folder {folder}"),
            repair=N_("Make it, or name another place with --ledger."),
            parameters={"folder": folder},
            stops=True,
        )
        return
    if not schema.exists(subject.ledger):
        text = N_("{path} does not exist yet: the first issue makes it")
        yield _ok("ledger", text, path=subject.ledger.resolve())
        return
    try:
        ledger = open_to_read(subject.ledger)
    except CannotStart as stop:
        yield _stopped("ledger", stop)
        return
    try:
        yield from _opened(subject, ledger, key)
    except Stop as stop:
        yield _stopped("ledger", stop)
    finally:
        ledger.close()


def _opened(subject: Subject, ledger: Ledger, key: str) -> Iterator[Check]:
    ledger.check_pages(largest=schema.CHECKED_WHOLE_BELOW)
    damage = verify_end(ledger, _EVENTS_CHECKED)
    size = subject.ledger.stat().st_size
    if damage is not None:
        yield Check(
            name="ledger",
            level=Level.PROBLEM,
            message=N_("{path} is damaged at event {seq}"),
            repair=N_("Run: batch-issuer ledger verify"),
            parameters={"path": subject.ledger, "seq": damage.seq},
            stops=True,
        )
        return
    events, _ = ledger.head()
    yield _ok(
        "ledger",
        N_("{path}: {events} events, {size}, journal {journal}; its pages and newest events are sound"),
        path=subject.ledger.resolve(),
        events=f"{events:,}",
        size=_size(size),
        journal=ledger.journal(),
    )
    yield _lock(subject)
    yield _documents(ledger, subject.company.code)
    if key:
        yield _environment(subject, ledger, key)


def _lock(subject: Subject) -> Check:
    held, holder = lock.is_held(subject.ledger, subject.company.code)
    if not held:
        return _ok("lock", N_("no run is writing now"))
    pid, host = holder or ("?", "?")
    return _warn(
        "lock",
        N_("a run is writing now: process {pid} on {host}"),
        N_("Another run has to wait until it ends."),
        pid=pid,
        host=host,
    )


def _documents(ledger: Ledger, company: str) -> Check:
    counts = ledger.count_states(company)
    doubtful = sum(counts.get(state, 0) for state in IN_DOUBT)
    waiting, unsent = counts.get(State.CONTINGENCY, 0), counts.get(State.PLANNED, 0)
    total = f"{sum(counts.values()):,}"
    if doubtful or unsent:
        return _warn(
            "documents",
            N_("{total}, of which {doubtful} in doubt, {unsent} not sent yet and {waiting} in contingency"),
            N_("Run batch-issuer refresh, then batch-issuer retry."),
            total=total,
            doubtful=f"{doubtful:,}",
            unsent=f"{unsent:,}",
            waiting=f"{waiting:,}",
        )
    return _ok("documents", N_("{total}, none in doubt; {waiting} in contingency"), total=total, waiting=f"{waiting:,}")


def _environment(subject: Subject, ledger: Ledger, key: str) -> Check:
    """What the ledger remembers of the key."""
    try:
        environment = key_in(ledger, subject.company, key).environment
    except Stop as stop:
        return _stopped("environment", stop)
    expected = subject.company.expect_environment
    if environment and expected and environment != expected:
        return Check(
            name="environment",
            level=Level.PROBLEM,
            message=N_("this key issues in the {found} environment, and {expected} is expected"),
            repair=N_("Use the key of the {expected} environment, or change expect_environment."),
            parameters={"found": environment, "expected": expected},
            stops=True,
        )
    if environment:
        return _ok("environment", N_("{found}, as a signed document of this key has proven"), found=environment)
    return _ok("environment", N_("not proven yet for this key: --expect-environment proves it with the first document"))


def ask_provider(base_url: str, key: str) -> Sign | Stop | None:
    """One question; a Stop says why there is no answer."""

    async def ask() -> Sign | NeverLeft | Uncertain | Withheld:
        client = Client(base_url, key, quota=Quota(), transport=open_transport(base_url, 1))
        async with client:
            return await client.sign_of_life(f"batch-issuer-doctor-{secrets.token_hex(8)}")

    reply = asyncio.run(ask())
    if isinstance(reply, Sign):
        return reply
    detail = reply.detail if isinstance(reply, NeverLeft | Uncertain) else ""
    return Stop(
        N_("nothing answers at {url}: {detail}"),
        repair=N_("Everything else here was looked at without the network. Check the connection and the address."),
        url=base_url,
        detail=detail,
    )


def _provider(subject: Subject, sign: Sign | Stop | None, *, asked: bool) -> Iterator[Check]:
    if not asked:
        yield _warn("provider", N_("not asked: there is no key"), N_("Set the key first."))
        return
    if not isinstance(sign, Sign):
        message, repair = (sign.message, sign.repair) if sign else (N_("no answer"), "")
        yield Check(
            name="provider",
            level=Level.PROBLEM,
            message=message,
            repair=repair,
            parameters=sign.parameters if sign else {},
        )
        return
    yield _answered(subject, sign)
    if sign.left_minute is not None or sign.left_hour is not None:
        yield _quota(sign)
    else:
        yield _warn(
            "quota", N_("the answer does not say what is left"), N_("Runs then go by the provider's usual limits.")
        )


def _answered(subject: Subject, sign: Sign) -> Check:
    match sign.status:
        case 404 | 200:
            return _ok("provider", N_("answers, and takes the key"))
        case 401:
            return Check(
                name="provider",
                level=Level.PROBLEM,
                message=N_("refuses the key: {detail}"),
                repair=N_("Check that the key is whole, active and of this company."),
                parameters={"detail": sign.detail or "401"},
                stops=True,
            )
        case 429:
            return _warn("provider", N_("answers, but the quota is used up"), N_("Wait a little."))
        case _:
            return _problem(
                "provider",
                N_("answers {status} to a question about a document"),
                N_("Check the address {url}; if it is right, the provider is in trouble: try later."),
                status=sign.status,
                url=subject.base_url,
            )


def _quota(sign: Sign) -> Check:
    values = {
        name: "?" if value is None else f"{value:,}"
        for name, value in (
            ("minute", sign.left_minute),
            ("per_minute", sign.per_minute),
            ("hour", sign.left_hour),
            ("per_hour", sign.per_hour),
        )
    }
    text = N_("{minute} of {per_minute} requests left this minute, {hour} of {per_hour} this hour")
    if sign.left_hour is not None and sign.per_hour and sign.left_hour < sign.per_hour // 20:
        return _warn("quota", text, N_("The hour is nearly used up: a run will wait for the next."), **values)
    return _ok("quota", text, **values)


def _clock(sign: Sign | None) -> Check:
    now = dt.datetime.now(dt.UTC)
    here = now.astimezone()
    zone = f"UTC{here:%z}"
    shown = f"{now.astimezone(EL_SALVADOR):%d/%m/%Y %H:%M}"
    if sign is not None and sign.moment is not None:
        moment = sign.moment if sign.moment.tzinfo else sign.moment.replace(tzinfo=dt.UTC)
        wrong = round((now - moment).total_seconds())
        if abs(wrong) > _CLOCK_MAY_DIFFER:
            return _problem(
                "clock",
                N_("{seconds} s away from the provider's clock"),
                N_("Set this machine's clock: days and deadlines are counted with it."),
                seconds=f"{wrong:+,}",
            )
        return _ok(
            "clock", N_("as the provider's; in El Salvador it is {now} (this machine: {zone})"), now=shown, zone=zone
        )
    return _ok(
        "clock", N_("not compared; in El Salvador it would be {now} (this machine: {zone})"), now=shown, zone=zone
    )


def _disk(subject: Subject) -> Check:
    folder = _existing(subject.ledger.resolve().parent)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        reason = error.strerror or str(error)
        return _warn("disk", N_("{folder}: {reason}"), N_("Check the folder."), folder=folder, reason=reason)
    if not os.access(folder, os.W_OK):
        return Check(
            name="disk",
            level=Level.PROBLEM,
            message=N_("{folder} cannot be written to"),
            repair=N_("Name another place with --ledger."),
            parameters={"folder": folder},
            stops=True,
        )
    if free < _NO_SPACE:
        return _problem("disk", N_("{free} free in {folder}"), N_("Make room first."), free=_size(free), folder=folder)
    if free < _LITTLE_SPACE:
        return _warn("disk", N_("{free} free in {folder}"), N_("Make room soon."), free=_size(free), folder=folder)
    return _ok("disk", N_("{free} free in {folder}"), free=_size(free), folder=folder)


def _share(subject: Subject) -> Check:
    folder = _existing(subject.ledger.resolve().parent)
    if is_on_network(folder):
        return _warn(
            "share",
            N_("{folder} lies on another machine"),
            N_("Keep the ledger on this machine's own disk, and copy it with batch-issuer ledger backup."),
            folder=folder,
        )
    return _ok("share", N_("the ledger's folder is on this machine"))


def is_on_network(folder: Path, mounts: str | None = None) -> bool:
    """Whether a folder lies on a network share, as far as the system tells; `mounts` is /proc/mounts."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only

        return str(folder).startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == _REMOTE_DRIVE
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        if len(point) >= len(best) and folder.is_relative_to(point):
            best, kind = point, fields[2]
    return kind in _NETWORK_FILE_SYSTEMS


def _calendar() -> Check:
    year = today().year
    if year != CALENDAR_YEAR:
        return _warn(
            "calendar",
            N_("the ministry's days off of {year} are not known here"),
            N_("Deadlines in business days cannot be counted; a newer batch_issuer may know them."),
            year=year,
        )
    return _ok("calendar", N_("the ministry's days off of {year}; catalogs V1.1 of July 2026"), year=year)


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
