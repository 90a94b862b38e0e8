"""`retry`: what may be sent again, from the ledger alone."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


@click.command("retry", cls=program.Command, help=program.COMMANDS["retry"][1])
@program.choosing
@program.guards
@program.sending
@program.out_option
@program.common
@program.with_output
def command(output: Output, **options: Any) -> int:
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.ending import finish
    from batch_issuer.cli.screen.verdict import show_where_from
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.send.commands.retry import retry, to_retry

    session = open_session(output, options)
    connection = connect(session, options)
    with closing(open_to_read(session.ledger)) as ledger:
        waiting = to_retry(ledger, session.company.code, only=options["only"], limit=options["limit"])
    # Shown before anything is sent: it may be of files that were issued weeks ago.
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
