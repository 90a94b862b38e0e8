"""The help of every command ends with its exit codes, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from batch_issuer.cli.exit_codes import MEANINGS, OF_COMMANDS, exit_codes
from batch_issuer.cli.program import commands_table
from batch_issuer.messages import Messages
from tests.cli.desk import Open

HEADINGS = {"en": "Exit codes:", "es": "Códigos de salida:"}
ROW = re.compile(r"  (\d+) +(\S.*)")


def every_command() -> Iterator[str]:
    """Each command and sub-command as it is typed; the program itself is empty."""
    yield ""
    group = commands_table()
    context = click.Context(group)
    for name in group.list_commands(context):
        yield name
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from (f"{name} {below}" for below in command.list_commands(context))


def test_the_table_has_every_command_and_no_other() -> None:
    """A new command has to say what its exit codes mean."""
    assert sorted(OF_COMMANDS) == sorted(every_command())


@pytest.mark.parametrize("language", HEADINGS)
@pytest.mark.parametrize("name", [*every_command()], ids=lambda name: name or "batch-issuer")
def test_help_ends_with_the_exit_codes(open_desk: Open, name: str, language: str) -> None:
    """Each code that the command can give stands there once with its words, and nothing comes after them."""
    desk, _ = open_desk()
    done = desk.call(*name.split(), "--help", "--lang", language)
    _, _, end = done.out.partition(f"\n{HEADINGS[language]}\n")
    rows = [found for line in end.splitlines() if (found := ROW.fullmatch(line))]
    wanted = [(code, Messages(language).text(meaning)) for code, meaning in exit_codes(name)]
    assert done.code == 0
    assert [int(row[1]) for row in rows] == [code for code, _ in wanted]
    assert " ".join(end.split()) == " ".join(f"{code} {meaning}" for code, meaning in wanted)


@pytest.mark.parametrize("name", [*every_command()], ids=lambda name: name or "batch-issuer")
def test_no_command_has_a_code_that_the_readme_lacks(name: str) -> None:
    """Every command can succeed, be called wrongly, and meet a bug of ours; whatever else it gives is explained."""
    codes = {code for code, _ in exit_codes(name)}
    assert {0, 2, 70} <= codes <= MEANINGS.keys()
