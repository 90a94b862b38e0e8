"""`reconcile`: the files against the ledger, and with `--ask` against the provider."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_issuer.cli.session import Session
    from batch_issuer.ledger.store import Ledger
    from batch_issuer.reconcile import Reconciliation
    from batch_issuer.reconcile.compare import Compared
    from batch_issuer.send.run import Outcome


@click.command("reconcile", cls=program.Command, help=program.COMMANDS["reconcile"][1])
@program.files_argument
@program.option("--ask", is_flag=True, help=N_("Ask the provider about every document too, and record what it says."))
@program.option(
    "--from", "first", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("First day, in El Salvador.")
)
@program.option(
    "--to", "last", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("Last day, in El Salvador.")
)
@program.option(
    "--since", metavar=N_("REPORT.json"), help=N_("Tell what became of the open items of an earlier report.")
)
@program.option("--mask", is_flag=True, help=N_("Hide identity numbers, and leave only the initials of names."))
@program.sending
@program.reading
@program.out_option
@program.common
@program.with_output
def command(output: Output, files: tuple[str, ...], *, ask: bool, mask: bool, **options: Any) -> int:
    from batch_issuer.cli.ending import tell
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.reconcile import since
    from batch_issuer.reports.writing import masked, read_report

    option_values.check_order(options["first"], options["last"])
    session = open_session(output, options, files)
    earlier = read_report(Path(options["since"]), session.company.code) if options["since"] else None
    made, outcome = _reconciled(session, files, options, ask=ask)
    if earlier is not None:
        items, as_of, fingerprint = earlier
        with closing(open_to_read(session.ledger)) as ledger:
            elsewhere = ledger.records(session.company.code, [item.external_ref for item in items])
        made = since(made, items, elsewhere, as_of=as_of, report=fingerprint)
    # The same files and days give reports of the same name; a run that asked has its own.
    days = [part for part in (made.scope.first, made.scope.last) if part]
    name = made.scope.run or "_".join(["reconcile", *days])
    return tell(session, masked(made) if mask else made, options["out"], name, outcome)


def _reconciled(
    session: Session, files: tuple[str, ...], options: Mapping[str, Any], *, ask: bool
) -> tuple[Reconciliation, Outcome | None]:
    """Reconcile the files with the ledger, after asking the provider about each of both where `ask` says so.

    The run that asked is returned too.
    """
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.session import read_files
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.reconcile.compare import compare, reconcile_files
    from batch_issuer.reconcile.gather import reconcile_run
    from batch_issuer.send.commands.recheck import Inquiry, recheck

    prepared, outcome = read_files(session, files), None

    def compared(ledger: Ledger) -> Compared:
        return compare(prepared, ledger, session.company.code, options["first"], options["last"])

    def inquire(ledger: Ledger) -> Inquiry:
        found = compared(ledger)
        records = [*found.records, *found.held, *found.only_in_ledger]
        return Inquiry(reading=found.reading, records=records, unknown=found.unknown)

    if ask:
        where: Any = {"ledger_path": session.ledger, "company": session.company}
        outcome = recheck(inquire, **where, connection=connect(session, options), watcher=watcher(session))
    # Compared anew with the ledger as the answers have left it.
    with closing(open_to_read(session.ledger)) as ledger:
        if outcome is not None:
            return reconcile_run(ledger, outcome.run.run, session.company, session.settings), outcome
        return reconcile_files(ledger, compared(ledger), session.company, session.settings), None
