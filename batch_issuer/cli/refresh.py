"""`refresh`: what became of documents in contingency or in doubt."""

from __future__ import annotations

from typing import Any

import click

from batch_issuer.cli import base
from batch_issuer.cli.connecting import connect, watcher
from batch_issuer.cli.output import Output
from batch_issuer.cli.report import finish
from batch_issuer.cli.session import open_session
from batch_issuer.issuing import refresh
from batch_issuer.messages import N_


@click.command("refresh", cls=base.Command, help=base.COMMANDS["refresh"][1])
@base.option("--only", multiple=True, metavar="STATE|TYPE|REF", help=N_("Only these documents; may be repeated."))
@base.sending
@base.out_option
@base.common
@base.with_output
def command(output: Output, **options: Any) -> int:
    session = open_session(output, options)
    outcome = refresh(
        ledger_path=session.ledger,
        company=session.company,
        connection=connect(session, options),
        watcher=watcher(session),
        only=options["only"],
    )
    if outcome.progress.newly_rejected:
        output.say(
            N_("ATTENTION: {count} documents that were in contingency have been REJECTED by the ministry."),
            count=outcome.progress.newly_rejected,
        )
    return finish(session, outcome, options["out"])
