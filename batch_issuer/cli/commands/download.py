"""`download`: the files of a run, of days, or of a list of documents."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.ledger.store import Ledger
    from batch_issuer.model.records import Record


@click.command("download", cls=program.Command, help=program.COMMANDS["download"][1])
@program.references_argument
@program.option("--file", metavar=N_("FILE"), help=N_("Also the references in this file: a list, a CSV or a workbook."))
@program.option(
    "--run", metavar=N_("RUN"), help=N_("The documents of a run; by default of the newest that issued files.")
)
@program.option(
    "--from", "first", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("First day, in El Salvador.")
)
@program.option(
    "--to", "last", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("Last day, in El Salvador.")
)
@program.option(
    "--type",
    "kinds",
    multiple=True,
    type=click.Choice(["ticket", "invoice", "json"]),
    help=N_("Only files of this type; may be repeated."),
)
@program.option(
    "--out", "-o", metavar=N_("FOLDER"), default="downloads", show_default=True, help=N_("Folder of the days' folders.")
)
@program.only_option
@program.sending
@program.common
@program.with_output
def command(output: Output, references: tuple[str, ...], **options: Any) -> int:
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.screen.downloads import downloads_json, show_downloads
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.send.download import download

    session = open_session(output, options)
    connection = connect(session, options)
    with closing(open_to_read(session.ledger)) as ledger:
        records = _selected(session, ledger, references, options)
    found = download(
        records,
        options["kinds"] or ("ticket", "invoice", "json"),
        ledger_path=session.ledger,
        company=session.company,
        connection=connection,
        watcher=watcher(session),
        folder=Path(options["out"]),
    )
    bad = [end for end in found.ends if end.needs_person]
    show_downloads(output, records, found, bad)
    code, answer = int(bool(bad)), downloads_json(records, found, bad)
    # What came before the stop is whole, and told all the same.
    if found.stopped is not None:
        click.echo(found.stopped.text(output.messages), err=True)
        code = found.stopped.exit_code
        answer["error"] = output.messages.text(found.stopped.message, **found.stopped.parameters)
    output.give({**answer, "exit_code": code})
    return code


def _selected(
    session: Session, ledger: Ledger, references: tuple[str, ...], options: Mapping[str, Any]
) -> list[Record]:
    """Return the documents that were asked for, and of those what `--only` leaves.

    Raises `CannotStart` for a reference or a run that the ledger does not know.
    """
    from batch_issuer.cli.session import named_references
    from batch_issuer.reconcile.gather import last_issue, period_records, records_of_run
    from batch_issuer.send.naming import named
    from batch_issuer.send.run import chosen

    company, first, last = session.company, options["first"], options["last"]
    if references or options["file"]:
        records = named(ledger, company.code, named_references(references, options["file"]))
    elif first or last:
        records = period_records(ledger, company.code, *(day.isoformat() if day else "" for day in (first, last)))
    else:
        records = records_of_run(ledger, company, options["run"] or last_issue(ledger, company))
    return chosen(records, only=options["only"])
