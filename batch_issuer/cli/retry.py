"""`retry`: what may be sent again, from the ledger alone."""

from __future__ import annotations

from typing import Any

import click

from batch_issuer.cli import base
from batch_issuer.cli.output import Output
from batch_issuer.messages import N_


@click.command("retry", cls=base.Command, help=base.COMMANDS["retry"][1])
@base.choosing
@base.guards
@base.sending
@base.out_option
@base.common
@base.with_output
def command(output: Output, **options: Any) -> int:
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.report import finish
    from batch_issuer.cli.session import open_session
    from batch_issuer.cli.show_results import show_where_from
    from batch_issuer.issuing.runs import retry, to_retry
    from batch_issuer.ledger.opening import open_to_read

    session = open_session(output, options)
    connection = connect(session, options)
    ledger = open_to_read(session.ledger)
    try:
        waiting = to_retry(ledger, session.company.code, only=options["only"], limit=options["limit"])
    finally:
        ledger.close()
    if waiting:
        output.say(N_("To be asked about or sent, by where it came from:"))
        show_where_from(output, waiting)
    outcome = retry(
        ledger_path=session.ledger,
        company=session.company,
        connection=connection,
        watcher=watcher(session),
        only=options["only"],
        limit=options["limit"],
    )
    return finish(session, outcome, options["out"])
