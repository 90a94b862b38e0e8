"""`ledger show|export|verify|backup|restore`: looking into the ledger, copying it, and putting a copy in its place.

- `show`: one document's whole story.
- `export`: all documents as JSON Lines, CSV or XLSX.
- `verify`: whether anything was changed, removed or reordered.
- `copies`: `backup` and `restore`.
"""

from __future__ import annotations

import click

from batch_issuer.cli import program
from batch_issuer.cli.commands.ledger.copies import backup_command, restore_command
from batch_issuer.cli.commands.ledger.export import export_command
from batch_issuer.cli.commands.ledger.show import show_command
from batch_issuer.cli.commands.ledger.verify import verify_command


@click.group("ledger", cls=program.Group, help=program.COMMANDS["ledger"][1])
@program.language_option
def command() -> None:
    """Only the group."""


for subcommand in (show_command, export_command, verify_command, backup_command, restore_command):
    command.add_command(subcommand)
