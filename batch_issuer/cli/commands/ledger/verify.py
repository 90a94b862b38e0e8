"""`ledger verify`: whether anything was changed, removed or reordered since it was written."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from batch_issuer.ledger.verify import Verified


@click.command(
    "verify", cls=program.Command, help=N_("Check that nothing was changed, removed or reordered since it was written.")
)
@program.option("--rebuild", "rebuilds", is_flag=True, help=N_("Write the current state anew from the events."))
@program.common
@program.with_output
def verify_command(output: Output, *, rebuilds: bool, **options: Any) -> int:
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_read, open_to_write
    from batch_issuer.ledger.verify import rebuild, verify

    path = Path(options["ledger"])
    # Writing the state anew needs a writer's lock: no run may write meanwhile. Looking needs none.
    if rebuilds:
        session = open_session(output, options)
        with open_to_write(path, session.company.code, create=False) as ledger:
            verified = rebuild(ledger)
    else:
        with closing(open_to_read(path)) as ledger:
            verified = verify(ledger)
    _say_verified(output, path, verified)
    code = 2 if verified.damages else 0
    output.give(
        {
            "events": verified.events,
            "documents": verified.documents,
            "head": verified.head,
            "damages": [
                {"event": one.seq, "external_ref": one.external_ref, "message": output.messages.text(one.message)}
                for one in verified.damages
            ],
            "exit_code": code,
        }
    )
    return code


def _say_verified(output: Output, path: Path, verified: Verified) -> None:
    """Say whether the ledger is sound; else what is wrong first, and what to do."""
    events = f"{verified.events:,}"
    if not verified.damages:
        sound = N_("{path} is sound: {events} events, {documents} documents. Last event {head}…")
        output.say(sound, path=path, events=events, documents=f"{verified.documents:,}", head=verified.head[:16])
        return
    first = verified.damages[0]
    message = output.messages.text(first.message)
    if first.seq:
        output.say(
            N_("{path} is damaged at event {seq}{reference}: {message}. The {events} events before it are good."),
            path=path,
            seq=first.seq,
            reference=f" ({first.external_ref})" if first.external_ref else "",
            message=message,
            events=events,
        )
        output.say(
            N_("Put your newest backup in its place: batch-issuer ledger restore BACKUP --ledger {path}"), path=path
        )
    else:
        output.say(
            N_("{path}: the events are sound, but {count} entries of the current state do not follow. The first:"),
            path=path,
            count=f"{len(verified.damages):,}",
        )
        output.show(f"  {first.external_ref or '–'}: {message}")
        output.say(N_("Write it anew with: batch-issuer ledger verify --rebuild"))
