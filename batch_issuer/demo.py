"""The main job on the sample files against the embedded sandbox: what a first day with the program looks like."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from batch_issuer import settings as settings_room
from batch_issuer.correcting import outcomes_of_run, write_fixes
from batch_issuer.issuing import Connection, Outcome, Watcher, issue, refresh
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.messages import N_, Messages
from batch_issuer.preparing import Prepared, prepare
from batch_issuer.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.reconciliation import Reconciliation
from batch_issuer.reconciling import reconcile_run
from batch_issuer.reporting import write_reports
from batch_issuer.resources import sample_data_folder
from batch_issuer.sandbox import SandboxOptions, running

DAY = dt.date(2026, 11, 20)
"""The day of the sample sales: the demo is always lived on that day."""

FILES = ("ventas.xlsx", "ventas-kiosco.csv", "ventas-ruta.csv")
"""The day's sales: the shops' workbook, the kiosk's export, the delivery route's."""

_WITHOUT_ANSWER = 9
"""Every so many documents the ministry of the demo does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo left."""

    folder: Path
    prepared: Prepared
    issued: Outcome
    before: Reconciliation
    """Before the refresh."""
    after: Reconciliation
    reports: dict[str, str]


def run_demo(folder: Path, messages: Messages, watcher: Watcher, say: Callable[..., None]) -> Demo:
    """Issue, refresh and report into a new folder. `say` gets catalog texts as the story goes on."""
    files = _copy_samples(folder)
    settings = settings_room.load(settings_room.find(None, files))
    company = settings.company(None)
    prepared = prepare(read(files, settings), settings, DAY)
    references = [candidate.external_ref for candidate in prepared.candidates]
    silent = tuple(references[_WITHOUT_ANSWER - 1 :: _WITHOUT_ANSWER])
    options = SandboxOptions(
        minute_limit=None, hour_limit=None, contingency_refs=silent, resolve_rejected_refs=silent[-1:], latency=0.02
    )
    with running(options) as sandbox:
        connection = Connection(base_url=sandbox.base_url, key=sandbox.key)
        ledger_path = folder / "ledger.db"
        say(N_("1. Issuing {count} documents of {files} …"), count=len(references), files=_names(files))
        issued = issue(prepared, ledger_path=ledger_path, company=company, connection=connection, watcher=watcher)
        before = _reconciled(ledger_path, issued.run.run, company, settings)
        say(N_("2. The ministry comes back, except for a few; asking what became of those in contingency …"))
        sandbox.resolve("stamped", silent[:-2])
        sandbox.resolve("rejected", silent[-1:])
        refresh(ledger_path=ledger_path, company=company, connection=connection, watcher=watcher)
    after = _reconciled(ledger_path, issued.run.run, company, settings)
    say(N_("3. Writing the reports …"))
    reports = write_reports(after, messages, folder, "report")
    fixes = folder / "fix.xlsx"
    reports |= write_fixes(prepared, outcomes_of_run(after), messages, fixes).reports
    reports["ledger"] = str(ledger_path)
    return Demo(folder=folder, prepared=prepared, issued=issued, before=before, after=after, reports=reports)


def new_folder(parent: Path, now: dt.datetime) -> Path:
    """A folder that did not exist before. Raises `CannotStart` where none can be made."""
    try:
        for number in range(1, 1000):
            folder = parent / f"batch-issuer-demo-{now:%Y%m%d-%H%M%S}{f'-{number}' if number > 1 else ''}"
            if not folder.exists():
                folder.mkdir(parents=True)
                return folder
    except OSError as error:
        raise CannotStart(
            N_("The demo cannot make a folder in {path}: {reason}."),
            repair=N_("Choose another with --out."),
            path=parent,
            reason=error.strerror or str(error),
        ) from error
    raise CannotStart(N_("There are too many demo folders in {path}."), repair=N_("Delete some."), path=parent)


def _copy_samples(folder: Path) -> list[str]:
    samples = sample_data_folder()
    for name in ("batch-issuer.toml", *FILES):
        shutil.copyfile(samples / name, folder / name)
    return [str(folder / name) for name in FILES]


def _names(files: list[str]) -> str:
    return ", ".join(Path(file).name for file in files)


def _reconciled(
    ledger_path: Path, run: str, company: settings_room.Company, settings: settings_room.Settings
) -> Reconciliation:
    ledger = open_to_read(ledger_path)
    try:
        return reconcile_run(ledger, run, company, settings)
    finally:
        ledger.close()
