"""Writes the reports of a reconciliation into a folder, and the workbook to fill in."""

from __future__ import annotations

from pathlib import Path

from batch_issuer.messages import N_, Messages
from batch_issuer.problems import CannotStart, StoppedMidway
from batch_issuer.reconciliation import Reconciliation


def masked(reconciliation: Reconciliation) -> Reconciliation:
    """The reconciliation with names as initials and identity numbers shortened, for every report made of it."""
    from batch_issuer.reports.masking import masked  # noqa: PLC0415 - only for who asks for it

    return masked(reconciliation)


def write_reports(reconciliation: Reconciliation, messages: Messages, folder: Path, name: str) -> dict[str, str]:
    """The page and the workbook, named after the run or the period; their paths by kind.

    Raises `StoppedMidway` where the folder cannot be written: what was issued is in the ledger all the same.
    """
    from batch_issuer.reports.page import write_page  # noqa: PLC0415 - jinja2, only for who needs it
    from batch_issuer.reports.workbook import write_workbook  # noqa: PLC0415 - xlsxwriter, likewise

    page, workbook = folder / f"{name}.html", folder / f"{name}.xlsx"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_page(reconciliation, messages, page)
        write_workbook(reconciliation, messages, workbook)
    except OSError as error:
        raise _not_written(folder, error) from error
    return {"html": str(page), "workbook": str(workbook)}


def write_new_template(messages: Messages, path: Path) -> None:
    """The workbook to fill in. Raises `CannotStart` for a name that is none of a workbook, or that exists."""
    from batch_issuer.reports.template import write_template  # noqa: PLC0415 - xlsxwriter, only for who needs it

    if path.suffix.lower() != ".xlsx":
        raise CannotStart(
            N_("The template is an Excel workbook, and {path} does not end in .xlsx."),
            repair=N_("Write for example: batch-issuer template sales.xlsx"),
            path=path,
        )
    write_template(messages, path)


def _not_written(path: Path, error: OSError) -> StoppedMidway:
    return StoppedMidway(
        N_("The reports cannot be written to {path}: {reason}. What was issued is safe in the ledger."),
        repair=N_("Make space, close the file if it is open, or choose another --out; then run `batch-issuer report`."),
        path=path,
        reason=error.strerror or str(error),
    )
