"""`refresh`: what became of documents in contingency or in doubt."""

from __future__ import annotations

from typing import Any

import click

from batch_issuer.cli import base
from batch_issuer.cli.output import Output


@click.command("refresh", cls=base.Command, help=base.COMMANDS["refresh"][1])
@base.only_option
@base.sending
@base.out_option
@base.common
@base.with_output
def command(output: Output, **options: Any) -> int:
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.report import finish
    from batch_issuer.cli.session import open_session
    from batch_issuer.issuing import refresh

    session = open_session(output, options)
    outcome = refresh(
        ledger_path=session.ledger,
        company=session.company,
        connection=connect(session, options),
        watcher=watcher(session),
        only=options["only"],
    )
    if outcome.progress.newly_rejected:
        warning = output.messages.count(
            "ATTENTION: {n} document that was in contingency has been REJECTED by the ministry.",
            "ATTENTION: {n} documents that were in contingency have been REJECTED by the ministry.",
            outcome.progress.newly_rejected,
        )
        output.show(warning)
    return finish(session, outcome, options["out"])
