"""`ledger export`: all documents as JSON Lines, CSV or XLSX."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output, silence
from batch_issuer.cli.screen.tables import harmless
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Note

if TYPE_CHECKING:
    from batch_issuer.ledger.store import Ledger


@click.command("export", cls=program.Command, help=N_("Write all documents as JSON Lines, CSV or XLSX."))
@program.option(
    "--format", "form", type=click.Choice(["jsonl", "csv", "xlsx"]), default="jsonl", show_default=True,
    help=N_("Format of the output."),
)  # fmt: skip
@program.option(
    "--out", "-o", metavar=N_("FILE"), help=N_("Where to write; by default standard output (not for xlsx).")
)
@program.common
@program.with_output
def export_command(output: Output, form: str, out: str | None, **options: Any) -> int:
    from batch_issuer.ledger.export import sign_off_row
    from batch_issuer.ledger.opening import open_to_read

    # A workbook is no text: a terminal that shows it can be left unusable.
    if form == "xlsx" and out is None:
        raise click.UsageError(output.messages.text(N_("--format xlsx needs --out FILE.")))
    company = options["company"]
    with closing(open_to_read(Path(options["ledger"]))) as ledger:
        rows = _export_rows(ledger, company)
        if output.as_json and out is None:
            owners = [company] if company else ledger.companies()
            signed = [sign_off_row(owner, one) for owner in owners for one in ledger.sign_offs(owner)]
            output.give({"documents": list(rows), "sign_offs": signed, "exit_code": 0})
            return 0
        count = _write(rows, form, Path(out)) if out else _print(rows, form)
    if out:
        output.show(
            output.messages.count("{n} document is in {path}.", "{n} documents are in {path}.", count, path=out)
        )
        output.give({"documents": count, "file": out, "exit_code": 0})
    return 0


def _export_rows(ledger: Ledger, company: str | None) -> Iterator[dict[str, Any]]:
    """Yield every document, of one company or of all, with the notes about it."""
    from batch_issuer.ledger.export import export_row

    notes: dict[tuple[str, str], list[Note]] = {}
    for owner in [company] if company else ledger.companies():
        for note in ledger.notes(owner):
            notes.setdefault((owner, note.external_ref), []).append(note)
    for record in ledger.all_records(company):
        yield export_row(record, notes.get((record.company, record.external_ref), ()))


def _print(rows: Iterable[dict[str, Any]], form: str) -> int:
    """Write documents to standard output, of which a reader may take as much as he wants; return how many.

    Raises `CannotStart` where they cannot be written.
    """
    count = 0
    try:
        count = _write_text(rows, form, sys.stdout)
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)  # or Python would fail once more on leaving, with an exit code of its own
        if not isinstance(error, BrokenPipeError):
            raise CannotStart(
                N_("The output could not be written: {reason}."), reason=error.strerror or str(error)
            ) from error
    return count


def _write(rows: Iterable[dict[str, Any]], form: str, path: Path) -> int:
    """Write documents into a file for its owner only, whole or not at all; return how many. Raises `CannotStart`."""
    from batch_issuer.files import draft, put

    try:
        with draft(path) as file:
            if form == "xlsx":
                from batch_issuer.reports.workbook.export import sheet_content

                content, count = sheet_content(map(_flat, rows))
                file.write(content)
            else:
                count = _write_text(rows, form, codecs.getwriter("utf-8")(file))
            put(file, path)
    except OSError as error:
        raise CannotStart(
            N_("{path} cannot be written: {reason}."),
            repair=N_("Choose another place."),
            path=path,
            reason=error.strerror or str(error),
        ) from error
    return count


def _write_text(rows: Iterable[dict[str, Any]], form: str, file: Any) -> int:
    """Write documents as JSON Lines or CSV, one at a time; return how many."""
    writer, count = None, 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is what is given back
        if form == "jsonl":
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            continue
        flat = {name: harmless(value) for name, value in _flat(row).items()}
        if writer is None:
            writer = csv.DictWriter(file, list(flat))
            writer.writeheader()
        writer.writerow(flat)
    return count


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a document with one value a column, for tables."""
    source = row.pop("source")
    rows = ", ".join(str(number) for number in source["rows"])
    return {
        **row,
        "observaciones": "; ".join(row["observaciones"]),
        "notes": "; ".join(f"{note['by']}: {note['reason']}" for note in row["notes"]),
        "source_file": source["file"],
        "source_sheet": source["sheet"],
        "source_rows": rows,
    }
