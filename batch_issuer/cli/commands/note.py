"""`note`: what a person has to say about a document."""

from __future__ import annotations

from typing import Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


@click.command("note", cls=program.Command, help=program.COMMANDS["note"][1])
@program.argument("reference", metavar="REF")
@program.argument("reason", metavar=N_("REASON"), callback=option_values.words(2000))
@program.option("--by", required=True, metavar=N_("NAME"), callback=option_values.words(100), help=N_("Who writes it."))
@program.option(
    "--withdraw",
    is_flag=True,
    help=N_("The sale is not to be issued any more; only of one that the provider does not have."),
)
@program.common
@program.with_output
def command(output: Output, reference: str, reason: str, by: str, *, withdraw: bool, **options: Any) -> int:
    from batch_issuer.cli.session import open_session
    from batch_issuer.reconcile import sign

    session = open_session(output, options)
    write = sign.withdraw if withdraw else sign.write_note
    note = write(session.ledger, session.company, reference, reason, by)
    output.say(N_("Noted about {ref}, by {by}: {reason}"), ref=note.external_ref, by=note.by, reason=note.reason)
    if withdraw:
        output.say(N_("It is withdrawn: no run sends it. A file that has it again is asked about."))
    else:
        output.say(N_("It stands in the ledger and in every report that shows the document; its state is what it was."))
    output.give(
        {
            "external_ref": note.external_ref,
            "by": note.by,
            "reason": note.reason,
            "at": note.at,
            "event": note.seq,
            "withdrawn": withdraw,
            "exit_code": 0,
        }
    )
    return 0
