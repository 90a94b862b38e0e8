"""Writes the reports of a reconciliation into a folder, and the workbook to fill in."""

from __future__ import annotations

import json
from pathlib import Path

from batch_issuer.messages import N_, Messages
from batch_issuer.model.problems import CannotStart, StoppedMidway
from batch_issuer.reconcile import OpenItem, Reconciliation, read_open_items, report_json


def masked(reconciliation: Reconciliation) -> Reconciliation:
    """Return the reconciliation with names as initials and identity numbers shortened, for every report made of it."""
    from batch_issuer.reports.masking import masked  # noqa: PLC0415 - only for who asks for it

    return masked(reconciliation)


def write_reports(reconciliation: Reconciliation, messages: Messages, folder: Path, name: str) -> dict[str, str]:
    """Write the page, the workbook and all figures as JSON, named after the run or the period; return paths by kind.

    Raises `StoppedMidway` where the folder cannot be written: what was issued is in the ledger all the same.
    """
    from batch_issuer.reports.figures import fingerprint  # noqa: PLC0415 - with the others
    from batch_issuer.reports.page.page import write_page  # noqa: PLC0415 - jinja2, only for who needs it
    from batch_issuer.reports.replacing import replace_file  # noqa: PLC0415 - with the others
    from batch_issuer.reports.workbook.workbook import write_workbook  # noqa: PLC0415 - xlsxwriter, likewise

    page, workbook, plain = (folder / f"{name}.{ending}" for ending in ("html", "xlsx", "json"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_page(reconciliation, messages, page)
        write_workbook(reconciliation, messages, workbook)
        # UTF-8 has no lone surrogates, which damaged files bring; as `\\udcff` they are what JSON has for them.
        lines = report_json(reconciliation, fingerprint(reconciliation))
        replace_file(plain, (line.encode("utf-8", "backslashreplace") for line in lines))
    except OSError as error:
        raise StoppedMidway(
            N_("The reports cannot be written to {path}: {reason}. What was issued is safe in the ledger."),
            repair=N_(
                "Make space, close the file if it is open, or choose another --out; then run `batch-issuer report`."
            ),
            path=folder,
            reason=error.strerror or str(error),
        ) from error
    return {"html": str(page), "workbook": str(workbook), "json": str(plain)}


def read_report(path: Path, company: str) -> tuple[tuple[OpenItem, ...], str, str]:
    """Read an earlier report's JSON: its open items, the moment until which it knew things, and its fingerprint.

    Raises `CannotStart` for anything else, and for a report of another company.
    """
    try:
        # Whoever calls it a report: it may be cut, of another format, or nested deeper than Python goes.
        plain = json.loads(path.read_text(encoding="utf-8"))
        items, other = read_open_items(plain), str(plain["company"])
        as_of, fingerprint = str(plain["as_of"]), str(plain["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise CannotStart(
            N_("{path} is not a report's JSON file that can be read: {reason}."),
            repair=N_("Name the .json that lies beside the page and the workbook of an earlier report."),
            path=path,
            reason=(error.strerror or "") if isinstance(error, OSError) else type(error).__name__,
        ) from error
    if other != company:
        raise CannotStart(
            N_("{path} is a report of «{other}», and this one is of «{company}»."),
            repair=N_("Name a report of the same company, or the other company with --company."),
            path=path,
            other=other,
            company=company,
        )
    return items, as_of, fingerprint


def write_new_template(messages: Messages, path: Path) -> None:
    """Write the workbook to fill in. Raises `CannotStart` for a name that is none of a workbook, or that exists."""
    from batch_issuer.reports.fill_in.template import write_template  # noqa: PLC0415 - xlsxwriter, only for who needs it

    if path.suffix.lower() != ".xlsx":
        raise CannotStart(
            N_("The template is an Excel workbook, and {path} does not end in .xlsx."),
            repair=N_("Write for example: batch-issuer template sales.xlsx"),
            path=path,
        )
    write_template(messages, path)
