"""`report`: the reports of a run or of days, again, from the ledger alone."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


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
    from batch_issuer.cli.ending import tell
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.reconcile.gather import last_issue, reconcile_period, reconcile_run
    from batch_issuer.reports.writing import masked

    first, last = options["first"], options["last"]
    option_values.check_order(first, last)
    session = open_session(output, options)
    with closing(open_to_read(session.ledger)) as ledger:
        # Reports of a period have its name, and those of a run the run's: the same call writes the same files again.
        if first or last:
            made = reconcile_period(ledger, first, last, session.company, session.settings)
            name = f"{first or ''}_{last or ''}"
        else:
            name = run or last_issue(ledger, session.company)
            made = reconcile_run(ledger, name, session.company, session.settings)
    return tell(session, masked(made) if mask else made, out, name)
