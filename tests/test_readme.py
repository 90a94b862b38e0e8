"""The README is a contract: it names every command, option and exit code, and none that does not exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from batch_issuer.cli.program import commands_table
from batch_issuer.model import problems

Names = tuple[str, ...]
"""Names of a command, from the outermost group to itself; empty for the program."""

OTHER_EXIT_CODES = {0, 1, 70, 130, 143}
"""Beside those that exceptions carry: done, done with something for a person, a bug of ours, interrupted."""

CODE_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"(?:\$ |> )?(?:\S+[/\\])?batch-issuer(?:\.exe)?\s+([^|>&]*)")
EXIT_CODES = re.compile(
    r"^#+ *(?:Exit codes|Códigos de salida)\b.*?\n(.*?)(?=^#|\Z)", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
CODES_OF_A_LINE = re.compile(r"^[|*\- ]*[`*]*(\d+)[`*]*(?: *(?:/|,|or|and|o|y) *[`*]*(\d+))?", re.MULTILINE)


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def commands() -> dict[Names, click.Command]:
    """Every command that the program has, by its names."""
    return dict(walk(commands_table(), (), None))


def walk(command: click.Command, path: Names, parent: click.Context | None) -> Iterator[tuple[Names, click.Command]]:
    """A command and all below it, without the hidden ones."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1] if path else "batch-issuer", parent=parent)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, name
            if not below.hidden:
                yield from walk(below, (*path, name), context)


def long_options(command: click.Command) -> set[str]:
    """The `--names` of a command's options, without the hidden ones."""
    return {
        name
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        for name in (*option.opts, *option.secondary_opts)
        if name.startswith("--")
    }


def examples(readme: str) -> Iterator[tuple[str, list[str]]]:
    """Every line of a code block that runs the program, with its words; what follows a `|`, `>` or `&&` is left out."""
    for block in CODE_BLOCK.findall(readme):
        for line in block.replace("\\\n", " ").splitlines():
            if found := EXAMPLE.match(line.strip()):
                yield line.strip(), shlex.split(found[1], comments=True, posix="\\" not in found[1])


def test_readme_names_every_command(readme: str, commands: dict[Names, click.Command]) -> None:
    """A reader of the README meets every command, with its group before it."""
    unnamed = [
        " ".join(names)
        for names in commands
        if names and not re.search(rf"(?:`|batch-issuer ){re.escape(' '.join(names))}(?![\w-])", readme)
    ]
    assert unnamed == []


def test_readme_names_every_option(readme: str, commands: dict[Names, click.Command]) -> None:
    """A reader of the README meets every option of every command."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", readme))
    assert {
        " ".join(path): unnamed for path, command in commands.items() if (unnamed := long_options(command) - named)
    } == {}


def test_readme_s_examples_can_be_typed(readme: str, commands: dict[Names, click.Command]) -> None:
    """Each example names a command that exists, and only options that this command takes."""
    found = list(examples(readme))
    assert found
    assert [line for line, words in found if not can_be_typed(words, commands)] == []


def can_be_typed(words: list[str], commands: dict[Names, click.Command]) -> bool:
    """Whether the words name a command, with only such options as it or its groups take."""
    path: Names = ()
    allowed = {"--help"} | long_options(commands[()])
    for word in words:
        if not word.startswith("-") and (*path, word) in commands:
            path = (*path, word)
            allowed |= long_options(commands[path])
    named = {word.split("=")[0] for word in words if word.startswith("--")}
    return named <= allowed and (not isinstance(commands[path], click.Group) or bool(named))


def exit_codes() -> set[int]:
    """Every exit code that the program can end with."""
    stops = [value for value in vars(problems).values() if isinstance(value, type) and issubclass(value, problems.Stop)]
    return OTHER_EXIT_CODES | {stop.exit_code for stop in stops}


def test_readme_explains_every_exit_code(readme: str) -> None:
    """Under its heading, each exit code has a line or a table row of its own that begins with it."""
    section = EXIT_CODES.search(readme)
    assert section, "README.md has a section headed Exit codes"
    assert {int(code) for codes in CODES_OF_A_LINE.findall(section[1]) for code in codes if code} == exit_codes()


def test_readme_has_the_tables_of_the_code(root: Path) -> None:
    """The fields that the README lists, the headings of docs/columns.md and the rules of docs/rules.md are the code's."""
    done = subprocess.run(
        [sys.executable, "tools/readme_tables.py", "--check"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": "."},
        check=False,
    )
    assert done.returncode == 0, "run: python tools/readme_tables.py"
