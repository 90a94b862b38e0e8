"""`template`: a workbook to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


@click.command("template", cls=program.Command, help=program.COMMANDS["template"][1])
@program.argument("file", metavar=N_("FILE.xlsx"))
@program.language_option
@program.json_option
@program.with_output
def command(output: Output, file: str) -> int:
    from batch_issuer.reports.writing import write_new_template

    path = Path(file)
    write_new_template(output.messages, path)
    output.say(N_("{path} is ready to fill in. Its sheet of instructions says how; then:"), path=path)
    # To be copied into a shell, so a name with spaces is quoted.
    output.show("  batch-issuer check " + (f'"{path}"' if " " in file else f"{path}"))
    output.give({"template": str(path), "exit_code": 0})
    return 0
