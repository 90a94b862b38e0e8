"""`ledger backup` and `ledger restore`: a copy of the ledger, and a copy in the ledger's place."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


@click.command("backup", cls=program.Command, help=N_("Make a consistent copy, even while a run writes."))
@program.argument("copy", metavar=N_("FILE"))
@program.common
@program.with_output
def backup_command(output: Output, copy: str, **options: Any) -> int:
    from batch_issuer.ledger.export import backup
    from batch_issuer.ledger.opening import open_to_read

    with closing(open_to_read(Path(options["ledger"]))):  # refuses what is no ledger, before a copy of it is made
        size = backup(Path(options["ledger"]), Path(copy))
    output.say(
        N_("{path} is a copy of {ledger} ({size} bytes)."), path=copy, ledger=options["ledger"], size=f"{size:,}"
    )
    output.give({"file": copy, "bytes": size, "exit_code": 0})
    return 0


@click.command(
    "restore", cls=program.Command, help=N_("Put a backup in the ledger's place; the file that was there is kept.")
)
@program.argument("backup", metavar=N_("FILE"))
@program.option("--yes", is_flag=True, help=N_("Do it although the ledger has what the backup lacks."))
@program.common
@program.with_output
def restore_command(output: Output, backup: str, *, yes: bool, **options: Any) -> int:
    from batch_issuer.cli.screen.document import local_time
    from batch_issuer.ledger.restore import restore

    done = restore(Path(backup), Path(options["ledger"]), sure=yes)
    output.say(N_("{path} is now a copy of {backup}."), path=options["ledger"], backup=backup)
    if done.newest_at:
        output.say(N_("The backup's newest event is of {when}."), when=local_time(done.newest_at))
    if done.replaced:
        output.say(N_("The file that was there is kept beside it as {name}."), name=done.replaced)
    output.show(
        output.messages.count(
            "It has {n} document. To be asked about, as it may have been cancelled since: {looks}.",
            "It has {n} documents. To be asked about, as they may have been cancelled since: {looks}.",
            done.documents,
            looks=f"{done.looks_owed:,}",
        )
    )
    output.say(
        N_(
            "Now run batch-issuer refresh, and then batch-issuer issue again with every file since that day: "
            "each document is looked for at the provider before it is sent."
        )
    )
    plain = {"path": options["ledger"], "replaced": done.replaced, "head": list(done.head)}
    output.give({**plain, "documents": done.documents, "looks_owed": done.looks_owed, "exit_code": 0})
    return 0
