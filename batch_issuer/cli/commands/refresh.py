"""`refresh`: what became of documents in contingency or in doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from batch_issuer.cli.screen.progress import TerminalWatcher
    from batch_issuer.cli.session import Session
    from batch_issuer.send.run import Outcome


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
    from batch_issuer.cli.commands.report import finish
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.session import open_session
    from batch_issuer.send.commands.refresh import refresh

    session = open_session(output, options)
    progress = watcher(session)
    look = partial(
        refresh,
        ledger_path=session.ledger,
        company=session.company,
        connection=connect(session, options),
        watcher=progress,
        only=options["only"],
    )
    outcome = _watched(session, options, look, progress) if watch else look()
    late = outcome.progress.late_rejections
    if late:
        _warn(output, late)
    return finish(session, outcome, options["out"], also={"late_rejections": late})


def _watched(
    session: Session, options: Mapping[str, Any], look: Callable[[], Outcome], progress: TerminalWatcher
) -> Outcome:
    from batch_issuer.send.watch import still_open
    from batch_issuer.send.watch import watch as ask_until_settled

    return ask_until_settled(
        look=look,
        count_open=lambda: still_open(session.ledger, session.company.code, options["only"]),
        rest=progress.rest,
        longest=float("inf") if options["max_wait"] is None else options["max_wait"],
    )


def _warn(output: Output, late: Sequence[str]) -> None:
    """Customers hold these documents, and they are not valid: nothing is more urgent."""
    warning = output.messages.count(
        "ATTENTION: {n} document that was in contingency has been REJECTED by the ministry.",
        "ATTENTION: {n} documents that were in contingency have been REJECTED by the ministry.",
        len(late),
    )
    output.show()
    output.show(f"!!! {warning}")
    more = f" … +{len(late) - 10:,}" if len(late) > 10 else ""
    output.show(f"    {', '.join(late[:10])}{more}")
    output.say(N_("    Your customers may hold them already. Correct the data and issue them again, same references."))
