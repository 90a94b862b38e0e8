"""`sign-off`: somebody answers for the documents of a period as they stand."""

from __future__ import annotations

from typing import Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.money import figure


@click.command("sign-off", cls=program.Command, help=program.COMMANDS["sign-off"][1])
@program.option(
    "--period", required=True, metavar=N_("YYYY-MM[-DD]|FROM..TO"), callback=option_values.period,
    help=N_("A month, a day, or days from one to another, in El Salvador."),
)  # fmt: skip
@program.option("--by", required=True, metavar=N_("NAME"), callback=option_values.words(100), help=N_("Who signs."))
@program.option(
    "--as", "role", type=click.Choice(["preparer", "reviewer"]), default="preparer", show_default=True,
    help=N_("Whether this person prepared the reconciliation or reviewed it."),
)  # fmt: skip
@program.common
@program.with_output
def command(output: Output, period: tuple[str, str], by: str, role: str, **options: Any) -> int:
    from batch_issuer.cli.screen.signatures import show_waiting, signature
    from batch_issuer.cli.session import open_session
    from batch_issuer.model.days import today
    from batch_issuer.reconcile.sign import sign

    session = open_session(output, options)
    signed, waiting = sign(
        session.ledger, session.company, first=period[0], last=period[1], by=by, role=role,
        different_people=session.settings.sign_off.different_people,
    )  # fmt: skip
    one = signed.sign_off
    output.say(
        N_("{days} is signed by {by} ({role}): {documents} documents for {gross}, up to event {event} ({hash}…)."),
        **signature(output, one),
        event=f"{one.after:,}",
        hash=one.hash[:16],
    )
    show_waiting(output, one, waiting)
    if one.last >= today().isoformat():
        output.say(N_("! The period is not over: what is issued in it from now on will show as changed since."))
    plain = {name: getattr(one, name) for name in ("first", "last", "by", "role", "at", "documents", "needs_person")}
    waits = [{"external_ref": record.external_ref, "state": record.state.value} for record in waiting]
    signed_up_to = {"event": one.after, "hash": one.hash, "content": one.content}
    output.give({**plain, "gross": figure(one.gross), "open": waits, **signed_up_to, "exit_code": 0})
    return 0
