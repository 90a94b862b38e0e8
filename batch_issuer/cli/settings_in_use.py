"""Which settings file counts, and when one that lies beside the sales may take the place of the owner's.

The owner's is the one in the working folder. Files with sales come from elsewhere: a stick, an archive, last year's
folder. Settings that came with them must not change what is issued, as whom, and with what guard, unless somebody has
said once that they are meant.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from batch_issuer import settings as settings_room
from batch_issuer.cli.asking import choose
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.settings import DEFAULT_COMPANY, FILE_NAME, Settings

# What decides whose documents are issued, at which prices, and what counts as one sale. Another key issues in another
# company's name, and references that are made another way would issue the same sales a second time.
_GUARDED_OF_COMPANY = frozenset({"key_env", "key_file", "keyring", "expect_environment", "nit"})
_GUARDED = frozenset({"companies", "columns.unit_price", "columns.quantity", "issue.tolerance"})
_GUARDED_OF_SOURCE = ("source.prices.", "source.doc_type", "source.external_ref", "source.repeated_rows")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """The settings that count."""

    settings: Settings
    accepted: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """What a run remembers of a file that somebody has chosen: its path and a digest; empty where nobody chose."""


def settings_in_use(output: Output, config: str | None, files: Sequence[str], ledger: Path) -> InUse:
    """Return the settings of the file named with `--config`, else of the one beside the sales, else of the one here.

    One beside the sales that changes what is guarded in the one here is asked about, unless the ledger remembers that
    it was accepted. Raises `CannotStart` where nobody can be asked, and for settings that cannot be read.
    """
    path = settings_room.find(config, files)
    settings = settings_room.load(path)
    owners = Path(FILE_NAME)
    if config is not None:
        return InUse(settings=settings, accepted=_acceptance(settings))
    if path is None or not owners.is_file() or path.resolve() == owners.resolve():
        return InUse(settings=settings)
    return _beside_the_owners(output, settings, settings_room.load(owners), ledger)


def show_settings(output: Output) -> None:
    """Say which file counts."""
    if output.settings_file is None:
        output.say(N_("Settings: none; everything goes by default."))
    else:
        output.say(N_("Settings: {path}"), path=output.settings_file)


def _beside_the_owners(output: Output, beside: Settings, owners: Settings, ledger: Path) -> InUse:
    """Return which of two files counts, after asking where the one beside the sales changes what is guarded."""
    ours, theirs = _flat(owners), _flat(beside)
    names = [name for name in {**ours, **theirs} if ours.get(name, "") != theirs.get(name, "")]
    if not names:
        return InUse(settings=beside)
    guarded = [name for name in names if _is_guarded(name)]
    acceptance = _acceptance(beside)
    counts = not guarded or _is_accepted(ledger, acceptance)
    nothing, told = output.messages.text(N_("nothing")), []
    for name in names if counts else guarded:
        here, there = (f"«{values[name]}»" if values.get(name) else nothing for values in (ours, theirs))
        said = N_("{name}: {ours} here, {theirs} beside the sales")
        told.append(output.messages.text(said, name=name, ours=here, theirs=there))
    parameters = {"owners": _path(owners), "beside": _path(beside), "values": "; ".join(told)}
    if counts:
        output.say(N_("The settings beside the sales count, and differ from {owners}: {values}."), **parameters)
        return InUse(settings=beside)
    question = CannotStart(
        N_("Beside the sales lie other settings, {beside}, than yours, {owners}: {values}."),
        repair=N_(
            "Say which of the two is meant: --config {owners}, or --config {beside}. What an issue has used so once is "
            "not asked again. Nothing was sent."
        ),
        **parameters,
    )
    choices = {"1": N_("yours counts: {owners}"), "2": N_("the one beside the sales counts: {beside}")}
    chosen = {"1": InUse(settings=owners), "2": InUse(settings=beside, accepted=acceptance)}
    return chosen[choose(output, question, choices)]


def _is_guarded(name: str) -> bool:
    """Whether a value decides what is issued, as whom, or with what guard."""
    place, _, last = name.rpartition(".")
    if place.startswith(("company", "companies")):
        return last in _GUARDED_OF_COMPANY
    return name in _GUARDED or name.startswith(_GUARDED_OF_SOURCE)


def _flat(settings: Settings) -> dict[str, str]:
    """Return every value by its name as the file has it, as text; empty where nothing is set."""
    found = {"companies": ", ".join(settings.companies)}
    for code, company in settings.companies.items():
        place = "company" if code == DEFAULT_COMPANY else f"companies.{code}"
        found |= _fields(place, company)
        if company.key_file:
            # Wherever the program is called from: a relative path is one from the settings' own folder.
            base = settings.path.resolve().parent if settings.path else Path()
            found[f"{place}.key_file"] = str(base / Path(company.key_file).expanduser())
    for part in ("source", "issue", "rules", "sign_off"):
        found |= _fields(part, getattr(settings, part))
    return found | _texts("columns", settings.columns)


def _fields(place: str, values: Any) -> dict[str, str]:
    plain = {one.name: getattr(values, one.name) for one in fields(values) if one.name != "code"}
    return _texts(place, plain)


def _texts(place: str, values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        match value:
            case bool():
                found[f"{place}.{name}"] = "true" if value else ""
            case tuple():
                found[f"{place}.{name}"] = ", ".join(map(str, value))
            case Mapping():
                found |= _texts(f"{place}.{name}", value)
            case _:
                found[f"{place}.{name}"] = str(value)
    return found


def _path(settings: Settings) -> str:
    return str(settings.path.resolve()) if settings.path else ""


def _acceptance(settings: Settings) -> Mapping[str, str]:
    """Return the file's path, and a digest of what is guarded in it."""
    # Not of the whole file: a heading or a note that changes must not ask again, and another key file must.
    guarded = {name: value for name, value in _flat(settings).items() if _is_guarded(name) and value}
    digest = hashlib.sha256(json.dumps(guarded, sort_keys=True).encode()).hexdigest()
    return {"path": _path(settings), "sha256": digest}


def _is_accepted(ledger: Path, acceptance: Mapping[str, str]) -> bool:
    """Whether a run that wrote this ledger was told to use this file."""
    from batch_issuer.ledger import schema
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.model.records import Kind

    if not schema.exists(ledger):
        return False
    with closing(open_to_read(ledger)) as opened:
        return any(body == acceptance for _, _, _, body in opened.bodies_beside((Kind.SETTINGS_ACCEPTED,)))
