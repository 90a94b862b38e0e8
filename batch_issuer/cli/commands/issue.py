"""`issue`: the main job."""

from __future__ import annotations

from typing import Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


@click.command("issue", cls=program.Command, help=program.COMMANDS["issue"][1])
@program.files_argument
@program.option("--dry-run", is_flag=True, help=N_("Stop after the plan; nothing is sent."))
@program.option("--all-or-nothing", is_flag=True, help=N_("Send nothing if one document has a problem."))
@program.number_option("--expect-documents", 0, help=N_("Send nothing unless the files hold NUMBER documents."))
@program.option(
    "--expect-total",
    metavar=N_("AMOUNT"),
    callback=option_values.amount,
    help=N_("Send nothing unless the files come to AMOUNT, VAT included."),
)
@program.choosing
@program.guards
@program.sending
@program.reading
@program.out_option
@program.common
@program.with_output
def command(output: Output, files: tuple[str, ...], **options: Any) -> int:
    return _issue(output, files, options)


def _issue(output: Output, files: tuple[str, ...], options: dict[str, Any]) -> int:
    """Read, plan, send, reconcile, say; begin anew with each answer that a person gives."""
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.ending import finish
    from batch_issuer.cli.planning import ask_which_sales, plan_against_ledger
    from batch_issuer.cli.session import open_session, read_files
    from batch_issuer.plan.doubts import IdentityQuestion
    from batch_issuer.send.commands.issue import issue

    session = open_session(output, options, files)
    connection = None if options["dry_run"] else connect(session, options)
    chosen: Any = {"only": options["only"], "limit": options["limit"]}
    planned = plan_against_ledger(session, read_files(session, files), **chosen)
    if planned.questions:
        planned.show_counts(output)
        ask_which_sales(session, planned.questions, options, files)
        return _issue(output, files, options)
    expected: Any = {"documents": options["expect_documents"], "total": options["expect_total"]}
    planned.prepared.expect(**expected, all_or_nothing=options["all_or_nothing"])
    planned.show(output)
    if connection is None:
        planned.give(output, sent=0)
        output.say(N_("Nothing was sent (--dry-run)."))
        return planned.exit_code
    where: Any = {"ledger_path": session.ledger, "company": session.company, "connection": connection}
    try:
        outcome = issue(planned.prepared, **where, **chosen, watcher=watcher(session))
    except IdentityQuestion as question:
        ask_which_sales(session, [question], options, files)
        return _issue(output, files, options)
    return finish(session, outcome, options["out"], planned.prepared)
