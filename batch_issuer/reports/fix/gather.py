"""The workbook to correct: who needs a hand in it, and out of which files their rows are taken.

A person's work is never lost: a workbook that somebody has saved since it was written is not written over.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from batch_issuer.messages import N_, Messages
from batch_issuer.model.days import today
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Record
from batch_issuer.model.states import REFUSED
from batch_issuer.plan.plan import Plan
from batch_issuer.plan.prepare import Prepared, prepare
from batch_issuer.reading import Batch, RepeatedRows, read
from batch_issuer.reconcile import Change, Reconciliation
from batch_issuer.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixes:
    """What was written: documents, workbooks, and the references that none could take."""

    documents: int = 0
    paths: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def reports(self) -> dict[str, str]:
        """Return the workbooks by kind, the first as `fix_file`, the others numbered from 2."""
        return {f"fix_file_{at}" if at > 1 else "fix_file": str(path) for at, path in enumerate(self.paths, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What became of documents that needs a hand, by reference."""

    refused: Mapping[str, Record]
    conflicts: Mapping[str, tuple[Change, ...]]


def outcomes_of_plan(plan: Plan, conflicts: Iterable[Mapping[str, Any]]) -> Outcomes:
    """Return what the ledger says of documents that a plan leaves alone. `conflicts` as `conflict_list` gives them."""
    steps = [step for step in plan.steps if step.record is not None and not step.changed]
    return Outcomes(
        refused={one.candidate.external_ref: one.record for one in steps if one.record and one.record.state in REFUSED},
        conflicts={one["external_ref"]: tuple(Change(**change) for change in one["changes"]) for one in conflicts},
    )


def outcomes_of_run(reconciliation: Reconciliation) -> Outcomes:
    """Return what a run or a comparison found: refusals and conflicts, by reference."""
    return Outcomes(
        refused={record.external_ref: record for record in reconciliation.records if record.state in REFUSED},
        conflicts={conflict.external_ref: conflict.changes for conflict in reconciliation.conflicts},
    )


def write_fixes(prepared: Prepared, outcomes: Outcomes, messages: Messages, path: Path, *, held: bool = True) -> Fixes:
    """Write the documents of the files that need a hand: those held back for their data (`held`), refused, in conflict.

    With none it is not written. Raises `StoppedMidway` where it cannot be.
    """
    from batch_issuer.reports.fix.corrections import Need  # noqa: PLC0415 - xlsxwriter, only for who needs it
    from batch_issuer.reports.fix.workbook import write_fix_file  # noqa: PLC0415

    needs = {one.number: Need(problems=one.problems, document=one.document) for one in prepared.held if held}
    for candidate in prepared.candidates:
        record = outcomes.refused.get(candidate.external_ref)
        changes = outcomes.conflicts.get(candidate.external_ref, ())
        if record or changes:
            needs[candidate.number] = Need(
                refused=(record.answer.said_with_code or record.reason) if record else "", changes=changes
            )
    sheet = prepared.settings.source.sheet
    written = write_fix_file(prepared.batch, needs, messages, path, sheet=sheet, loose=held)
    return Fixes(documents=written.documents, paths=written.paths, left_out=written.left_out)


def _read_again(files: Sequence[str], settings: Settings) -> Batch:
    """Read files again whose documents were sent.

    Nothing is asked about twins or repeated rows: it was answered then, and the fingerprint of each document in the
    ledger says whether it was understood in the same way now.
    """
    settings = replace(settings, source=replace(settings.source, alike="same"))
    try:
        return read(files, settings)
    except RepeatedRows:
        return read(files, replace(settings, source=replace(settings.source, repeated_rows="count")))


def write_fixes_again(refused: Sequence[Record], settings: Settings, messages: Messages, path: Path) -> Fixes:
    """Write documents that the ledger knows to be refused, out of the files that they came from.

    A file that is gone or that says something else now gives nothing: its documents are `left_out`.
    Raises `StoppedMidway` where the workbook cannot be written.
    """
    files = sorted({record.source.file for record in refused if Path(record.source.file).is_file()})
    wanted = {record.external_ref: record for record in refused}
    fixes, found = Fixes(), set[str]()
    if files:
        try:
            prepared = prepare(_read_again(files, settings), settings, today())
        except CannotStart:
            return Fixes(left_out=tuple(sorted(wanted)))
        # By content, not by reference: rows that were changed since are no rows to correct any more.
        prints = {one.external_ref: one.fingerprint for one in prepared.candidates}
        found = {ref for ref, record in wanted.items() if prints.get(ref) == record.fingerprint}
        same = Outcomes(refused={ref: wanted[ref] for ref in found}, conflicts={})
        fixes = write_fixes(prepared, same, messages, path, held=False)
    return replace(fixes, left_out=(*fixes.left_out, *sorted(set(wanted) - found)))


def refuse_to_write_over(path: Path, files: Sequence[str]) -> None:
    """Raise `CannotStart` where a workbook to correct would be lost: one that is read now, or was saved by a person."""
    if any(file != "-" and Path(file).resolve() == path.resolve() for file in files):
        raise CannotStart(
            N_("{path} is one of the files that are read: it would be written over."),
            repair=N_("Give --fix-file another name."),
            path=path,
        )
    if path.suffix.lower() != ".xlsx":
        raise CannotStart(
            N_("The file to correct is an Excel workbook, and {path} does not end in .xlsx."),
            repair=N_("Write for example: --fix-file fix.xlsx"),
            path=path,
        )
    if path.exists() and not _is_untouched(path):
        raise CannotStart(
            N_("{path} exists already, and somebody has changed it since, or it is another file."),
            repair=N_("Give --fix-file another name, or delete it if its corrections are issued."),
            path=path,
        )


def _is_untouched(path: Path) -> bool:
    """Whether a file is a workbook to correct as it was written; whoever saves it puts the moment of that."""
    from batch_issuer.reports.fix.workbook import WRITTEN  # noqa: PLC0415 - xlsxwriter, only for who needs it

    try:
        with zipfile.ZipFile(path) as archive, archive.open("docProps/core.xml") as part:
            core = part.read(10_000)  # it has some 600 bytes; an archive may be made to unpack to gigabytes
    except (OSError, KeyError, zipfile.BadZipFile):
        return False
    return b"<dc:creator>batch_issuer<" in core and f"{WRITTEN:%Y-%m-%dT%H:%M:%SZ}</dcterms:modified>".encode() in core
