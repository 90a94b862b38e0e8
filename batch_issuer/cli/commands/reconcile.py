"""`reconcile`: the files against the ledger, and with `--ask` against the provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    from batch_issuer.cli.connecting import run_json, say_stop
    from batch_issuer.cli.screen.findings import show_findings
    from batch_issuer.cli.screen.plan import show_reports
    from batch_issuer.cli.screen.verdict import show_reconciliation
    from batch_issuer.cli.session import open_session
    from batch_issuer.reconcile import as_json, findings_json
    from batch_issuer.reports.writing import masked, read_report, write_reports

    option_values.check_order(options["first"], options["last"])
    session = open_session(output, options, files)
    earlier = read_report(Path(options["since"]), session.company.code) if options["since"] else None
    made, outcome = _reconciled(session, files, options, ask=ask)
    if earlier is not None:
        made = _since(session, made, earlier)
    if mask:
        made = masked(made)
    if outcome is not None:
        say_stop(session, outcome)
    show_reconciliation(output, made)
    show_findings(output, made)
    reports = write_reports(made, output.messages, Path(options["out"]), _name(made))
    show_reports(output, reports)
    stopped = outcome.stopped if outcome is not None else None
    code = stopped.exit_code if stopped is not None else made.exit_code
    answer = {
        **as_json(made),
        **findings_json(made),
        "ledger": str(session.ledger),
        "reports": reports,
        **(run_json(outcome, code) if outcome is not None else {"exit_code": code}),
    }
    if stopped is not None:
        answer["error"] = output.messages.text(stopped.message, **stopped.parameters)
    output.give(answer)
    return code


def _reconciled(
    session: Session, files: tuple[str, ...], options: Mapping[str, Any], *, ask: bool
) -> tuple[Reconciliation, Outcome | None]:
    """The reconciliation, and the run where one asked the provider."""
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.reconcile.compare import reconcile_files
    from batch_issuer.reconcile.gather import reconcile_run

    if ask:
        outcome = _asked(session, _comparing(session, files, options), options)
        ledger = open_to_read(session.ledger)
        try:
            return reconcile_run(ledger, outcome.run.run, session.company, session.settings), outcome
        finally:
            ledger.close()
    ledger = open_to_read(session.ledger)
    try:
        compared = _comparing(session, files, options)(ledger)
        return reconcile_files(ledger, compared, session.company, session.settings), None
    finally:
        ledger.close()


def _comparing(session: Session, files: tuple[str, ...], options: Mapping[str, Any]) -> Callable[[Ledger], Compared]:
    """Reads the files now; what it gives compares them with a ledger."""
    from batch_issuer.cli.session import read_files
    from batch_issuer.reconcile.compare import compare

    prepared = read_files(session, files)
    return lambda ledger: compare(prepared, ledger, session.company.code, options["first"], options["last"])


def _asked(session: Session, comparing: Callable[[Ledger], Compared], options: Mapping[str, Any]) -> Outcome:
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.send.commands.recheck import Inquiry, recheck

    def inquire(ledger: Ledger) -> Inquiry:
        compared = comparing(ledger)
        return Inquiry(
            reading=compared.reading,
            records=[*compared.records, *compared.held, *compared.only_in_ledger],
            unknown=compared.unknown,
        )

    return recheck(
        inquire,
        ledger_path=session.ledger,
        company=session.company,
        connection=connect(session, options),
        watcher=watcher(session),
    )


def _since(session: Session, made: Reconciliation, earlier: Any) -> Reconciliation:
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.reconcile import since

    items, as_of, fingerprint = earlier
    ledger = open_to_read(session.ledger)
    try:
        elsewhere = ledger.records(session.company.code, [item.external_ref for item in items])
    finally:
        ledger.close()
    return since(made, items, elsewhere, as_of=as_of, report=fingerprint)


def _name(made: Reconciliation) -> str:
    """The same files and days give reports of the same name; a run that asked has its own."""
    scope = made.scope
    return scope.run or "_".join(part for part in ("reconcile", scope.first, scope.last) if part)
