"""The main job on the sample files against the embedded sandbox: what a first day with the program looks like."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch_issuer import settings as settings_room
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.messages import N_, Messages
from batch_issuer.model.days import today
from batch_issuer.model.problems import CannotStart
from batch_issuer.plan.credit_notes import with_credits
from batch_issuer.plan.prepare import Prepared, prepare
from batch_issuer.reading import read
from batch_issuer.reading.reference_lists import read_references
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reconcile.gather import reconcile_run
from batch_issuer.reports.fix.gather import outcomes_of_run, write_fixes
from batch_issuer.reports.writing import write_reports
from batch_issuer.resources import sample_data_folder
from batch_issuer.sandbox import SandboxOptions, running
from batch_issuer.send.commands.cancel import cancel
from batch_issuer.send.commands.issue import issue
from batch_issuer.send.commands.refresh import refresh
from batch_issuer.send.run import Connection, Outcome, Watcher

DAY = dt.date(2026, 11, 20)
"""The day of the sample sales: the demo is always lived on that day."""

FILES = ("ventas.xlsx", "ventas-kiosco.csv", "ventas-ruta.csv")
"""The day's sales: the shops' workbook, the kiosk's export, the delivery route's."""

MIXED_DAY = dt.date(2026, 11, 23)
MIXED_FOLDER = "mixed"
MIXED_FILES = ("ventas.xlsx", "compras.csv")
CANCELLED_FILE = "anular.csv"
ANSWERED_LATE = ("F-2204", "C-406")
REJECTED_LATE = ("C-404",)
"""Of the second day: what the ministry does not answer at first, and then stamps or rejects."""

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
    files = _copy_samples(sample_data_folder(), FILES, folder)
    settings = settings_room.load(settings_room.find(None, files))
    prepared = prepare(read(files, settings), settings, DAY)
    references = [candidate.external_ref for candidate in prepared.candidates]
    silent = tuple(references[_WITHOUT_ANSWER - 1 :: _WITHOUT_ANSWER])
    where: Any = {"ledger_path": folder / "ledger.db", "company": settings.company(None), "watcher": watcher}
    # Over a real socket: what is shown is the program as it works, and not a story about it.
    with running(_options(silent, silent[-1:])) as sandbox:
        where["connection"] = Connection(base_url=sandbox.base_url, key=sandbox.key)
        say(N_("1. Issuing {count} documents of {files} …"), count=len(references), files=_names(files))
        issued = issue(prepared, **where)
        before = _reconciled(folder, issued, settings)
        say(N_("2. The ministry comes back, except for a few; asking what became of those in contingency …"))
        # One stays in contingency and one is rejected late, so that the report has each kind to show.
        sandbox.resolve("stamped", silent[:-2])
        sandbox.resolve("rejected", silent[-1:])
        refresh(**where)
    say(N_("3. Writing the reports …"))
    after = _reconciled(folder, issued, settings)
    reports = _reports(after, prepared, messages, folder)
    return Demo(folder=folder, prepared=prepared, issued=issued, before=before, after=after, reports=reports)


def run_mixed(folder: Path, messages: Messages, watcher: Watcher, say: Callable[..., None]) -> Demo:
    """Live the day with every type: a late rejection, notes that wait for their CCF, cancellations."""
    files = _copy_samples(sample_data_folder() / MIXED_FOLDER, MIXED_FILES, folder)
    settings = settings_room.load(settings_room.find(None, files))
    checked = prepare(read(files, settings), settings, MIXED_DAY)
    where: Any = {"ledger_path": folder / "ledger.db", "company": settings.company(None), "watcher": watcher}
    prepared = with_credits(checked, None, where["company"].code)
    with running(_options((*ANSWERED_LATE, *REJECTED_LATE), REJECTED_LATE)) as sandbox:
        where["connection"] = Connection(base_url=sandbox.base_url, key=sandbox.key)
        told = {"count": len(prepared.candidates), "files": _names(files)}
        say(N_("1. Issuing {count} documents of every type, of {files} …"), **told)
        first = issue(prepared, **where)
        before = _reconciled(folder, first, settings)
        say(N_("2. The ministry comes back, and rejects one document late; asking what became of them …"))
        sandbox.resolve("stamped", ANSWERED_LATE)
        sandbox.resolve("rejected", REJECTED_LATE)
        sandbox.change(contingency_refs=())
        refresh(**where)
        say(N_("3. The same files again: credit notes go out whose CCF has its stamp by now, and nothing else …"))
        with closing(open_to_read(where["ledger_path"])) as ledger:
            prepared = with_credits(checked, ledger, where["company"].code)
        again = issue(prepared, **where)
        names = read_references(str(folder / CANCELLED_FILE), None)
        say(N_("4. Cancelling {references} …"), references=", ".join(names))
        cancel(**where, names=names, today=today())
    say(N_("5. Writing the reports …"))
    after = _reconciled(folder, again, settings)
    reports = _reports(after, prepared, messages, folder)
    return Demo(folder=folder, prepared=prepared, issued=first, before=before, after=after, reports=reports)


def _options(silent: tuple[str, ...], rejected: tuple[str, ...]) -> SandboxOptions:
    """Return a sandbox without quota, whose ministry says nothing of some documents and rejects some of them late."""
    return SandboxOptions(
        minute_limit=None, hour_limit=None, contingency_refs=silent, resolve_rejected_refs=rejected, latency=0.02
    )


def new_folder(parent: Path, now: dt.datetime) -> Path:
    """Make a folder that did not exist before, and return it. Raises `CannotStart` where none can be made."""
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


def _copy_samples(samples: Path, files: Sequence[str], folder: Path) -> list[str]:
    """Copy the samples into the new folder, settings and lists too; return the files with sales."""
    for file in samples.iterdir():
        if file.suffix in (".toml", ".csv", ".xlsx"):
            shutil.copyfile(file, folder / file.name)
    return [str(folder / name) for name in files]


def _names(files: list[str]) -> str:
    return ", ".join(Path(file).name for file in files)


def _reports(after: Reconciliation, prepared: Prepared, messages: Messages, folder: Path) -> dict[str, str]:
    """Write the reports and what is to be corrected; return their places, and the ledger's, by kind."""
    fixes = write_fixes(prepared, outcomes_of_run(after), messages, folder / "fix.xlsx")
    reports = write_reports(after, messages, folder, "report")
    return {**reports, **fixes.reports, "ledger": str(folder / "ledger.db")}


def _reconciled(folder: Path, outcome: Outcome, settings: settings_room.Settings) -> Reconciliation:
    """Return the reconciliation of a run, from what the ledger has on disk."""
    with closing(open_to_read(folder / "ledger.db")) as ledger:
        return reconcile_run(ledger, outcome.run.run, settings.company(None), settings)
