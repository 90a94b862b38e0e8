"""`report`, and the end of every run: reconcile what the ledger knows, write the reports, say the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output, listed
from batch_issuer.messages import N_
from batch_issuer.model.problems import StoppedMidway

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.plan.prepare import Prepared
    from batch_issuer.reconcile import Reconciliation
    from batch_issuer.reports.fix.gather import Fixes
    from batch_issuer.send.run import Outcome


@click.command("report", cls=program.Command, help=program.COMMANDS["report"][1])
@program.option("--run", metavar=N_("RUN"), help=N_("The run to report; by default the newest that issued anything."))
@program.option(
    "--from", "first", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("First day, in El Salvador.")
)
@program.option(
    "--to", "last", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("Last day, in El Salvador.")
)
@program.option("--mask", is_flag=True, help=N_("Hide identity numbers, and leave only the initials of names."))
@program.out_option
@program.common
@program.with_output
def command(output: Output, run: str | None, out: str, *, mask: bool, **options: Any) -> int:
    from batch_issuer.cli.screen.findings import show_findings
    from batch_issuer.cli.screen.plan import show_reports
    from batch_issuer.cli.screen.verdict import show_reconciliation
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.reconcile import as_json, findings_json
    from batch_issuer.reconcile.gather import last_issue, reconcile_period, reconcile_run
    from batch_issuer.reports.writing import masked, write_reports

    option_values.check_order(options["first"], options["last"])
    session = open_session(output, options)
    ledger = open_to_read(session.ledger)
    try:
        first, last = options["first"], options["last"]
        if first or last:
            reconciliation = reconcile_period(ledger, first, last, session.company, session.settings)
            name = f"{first or ''}_{last or ''}"
        else:
            name = run or last_issue(ledger, session.company)
            reconciliation = reconcile_run(ledger, name, session.company, session.settings)
    finally:
        ledger.close()
    if mask:
        reconciliation = masked(reconciliation)
    show_reconciliation(output, reconciliation)
    show_findings(output, reconciliation)
    reports = write_reports(reconciliation, output.messages, Path(out), name)
    show_reports(output, reports)
    code = reconciliation.exit_code
    plain = {**as_json(reconciliation), **findings_json(reconciliation)}
    output.give({**plain, "ledger": str(session.ledger), "reports": reports, "exit_code": code})
    return code


def finish(
    session: Session,
    outcome: Outcome,
    out: str,
    prepared: Prepared | None = None,
    *,
    also: Mapping[str, Any] | None = None,
    needs_person: bool = False,
) -> int:
    """The end of a run that wrote the ledger: reconcile, report, verdict; its exit code.

    `also` is what the command has to say beside that in `--json`; `needs_person` that something else does.
    """
    from batch_issuer.cli.connecting import run_json, say_stop
    from batch_issuer.cli.screen.plan import show_left_out, show_reports
    from batch_issuer.cli.screen.verdict import show_reconciliation
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.reconcile import as_json
    from batch_issuer.reconcile.gather import reconcile_run
    from batch_issuer.reports.writing import write_reports

    output = session.output
    say_stop(session, outcome)
    ledger = open_to_read(session.ledger)
    try:
        reconciliation = reconcile_run(ledger, outcome.run.run, session.company, session.settings)
    finally:
        ledger.close()
    show_reconciliation(output, reconciliation, unfinished=needs_person)
    figures = as_json(reconciliation)
    stopped, reports, problems = outcome.stopped, dict[str, str](), listed(())
    if prepared and output.as_json:
        problems = listed(problem.as_json(output.messages) for problem in prepared.problems)
    try:
        reports |= write_reports(reconciliation, output.messages, Path(out), outcome.run.run)
        fixes = _fixes(session, prepared, reconciliation, Path(out), outcome.run.run)
        reports |= fixes.reports
        show_left_out(output, fixes)
    except StoppedMidway as unwritten:
        click.echo(unwritten.text(output.messages), err=True)
        stopped = stopped or unwritten
    code = stopped.exit_code if stopped else max(reconciliation.exit_code, int(needs_person))
    show_reports(output, reports)
    answer = {
        **figures,
        "problems": problems,
        "ledger": str(session.ledger),
        "reports": reports,
        **(also or {}),
        **run_json(outcome, code),
    }
    if stopped is not None:
        answer["error"] = output.messages.text(stopped.message, **stopped.parameters)
    output.give(answer)
    return code


def _fixes(
    session: Session, prepared: Prepared | None, reconciliation: Reconciliation, folder: Path, name: str
) -> Fixes:
    """The workbook to correct, where there is something; without the files, out of those that the ledger names."""
    from batch_issuer.reports.fix.gather import Fixes, outcomes_of_run, write_fixes, write_fixes_again

    path, outcomes, messages = folder / f"{name}-fix.xlsx", outcomes_of_run(reconciliation), session.output.messages
    if prepared is not None:
        return write_fixes(prepared, outcomes, messages, path)
    if outcomes.refused:
        return write_fixes_again(list(outcomes.refused.values()), session.settings, messages, path)
    return Fixes()
