"""`refresh`: what became of documents in contingency or in doubt."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


@click.command("refresh", cls=program.Command, help=program.COMMANDS["refresh"][1])
@program.option(
    "--watch", is_flag=True, help=N_("Ask again, with growing pauses, until all is settled or --max-wait is over.")
)
@program.only_option
@program.sending
@program.out_option
@program.common
@program.with_output
def command(output: Output, *, watch: bool, **options: Any) -> int:
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.ending import finish
    from batch_issuer.cli.screen.verdict import show_late_rejections
    from batch_issuer.cli.session import open_session
    from batch_issuer.send import watch as watching
    from batch_issuer.send.run import refresh

    session = open_session(output, options)
    progress, only = watcher(session), options["only"]
    look = partial(
        refresh,
        ledger_path=session.ledger,
        company=session.company,
        connection=connect(session, options),
        watcher=progress,
        only=only,
    )
    if watch:
        outcome = watching.watch(
            look=look,
            count_open=lambda: watching.still_open(session.ledger, session.company.code, only),
            rest=progress.rest,
            longest=float("inf") if options["max_wait"] is None else options["max_wait"],
        )
    else:
        outcome = look()
    late = outcome.progress.late_rejections
    show_late_rejections(output, late)
    return finish(session, outcome, options["out"], also={"late_rejections": late})
