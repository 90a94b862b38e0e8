"""Where the program's words go: prose to stdout, or one JSON object there and the prose to stderr."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import click

from batch_issuer.messages import N_, Messages
from batch_issuer.model.problems import Stop

BUG = 70
_HARMLESS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "�")
"""Control characters but tab and line end, as they are shown."""


class Listed(str):
    """A list that is JSON already, an entry a line: very long ones are made once and written as they are."""

    __slots__ = ()


def listed(entries: Iterable[Any]) -> Listed:
    """Return a list as JSON, to stand in the object of `--json`."""
    lines = ",\n    ".join(map(_entry, entries))
    return Listed(f"[\n    {lines}\n  ]" if lines else "[]")


_LONG = 100
"""Entries from which on every list is written an entry a line."""
_entry = json.JSONEncoder(ensure_ascii=False).encode


class Output:
    """The screen of one call: where texts go, and in which language."""

    def __init__(self, messages: Messages, *, as_json: bool) -> None:
        self.messages = messages
        self.as_json = as_json
        self.lost = False
        """Whether something that was asked for could not be written."""
        self.settings_file: str | None = None
        """The settings that count, for every object of `--json`."""

    def say(self, message: str = "", /, **parameters: object) -> None:
        """Show a text of the catalog, with its places filled in."""
        self.show(self.messages.text(message, **parameters))

    def show(self, text: str = "") -> None:
        """Show a text that is already in the reader's language."""
        # What a cell holds must not steer the terminal: ESC sequences can hide lines, or type into some terminals.
        self._put(text.translate(_HARMLESS), err=self.as_json)

    def table(self, rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), indent: int = 2) -> None:
        """Show rows of cells in aligned columns; those in `right` are flush right."""
        listed = [tuple(row) for row in rows]
        if not listed:
            return
        widths = [max(len(row[column]) for row in listed) for column in range(len(listed[0]))]
        for row in listed:
            cells = [
                cell.rjust(width) if column in right else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self.show(" " * indent + "   ".join(cells).rstrip())

    def say_more(self, count: int, shown: int) -> None:
        """Say how many there are beyond those that are shown, where there are more."""
        if count > shown:
            self.say(N_("    … and {count} more; the reports have them all"), count=f"{count - shown:,}")

    def give(self, answer: Mapping[str, Any]) -> None:
        """Write the JSON object of `--json`; nothing without that option."""
        if not self.as_json:
            return
        # A value at a time: the lists of a day with 25,900 documents are long, and are not put together to one more.
        before = "{"
        for name, value in {**answer, "settings_file": self.settings_file}.items():
            self._put(f"{before}\n  {_entry(name)}: ", end="")
            shown = listed(value) if isinstance(value, list) and len(value) > _LONG else value
            if not isinstance(shown, Listed):
                shown = json.dumps(shown, ensure_ascii=False, indent=2).replace("\n", "\n  ")
            self._put(shown, end="")
            before = ","
        self._put("\n}")

    def stopped(self, stop: Stop) -> int:
        """Say why a run ended early; return its exit code."""
        self._put(stop.text(self.messages).translate(_HARMLESS), err=True)
        if self.as_json:
            self.give(
                {
                    "error": self.messages.text(stop.message, **stop.parameters),
                    "repair": self.messages.text(stop.repair, **stop.parameters),
                    **({"also": [other.text(self.messages) for other in stop.also]} if stop.also else {}),
                    "exit_code": stop.exit_code,
                }
            )
        return stop.exit_code

    def usage_error(self, error: click.ClickException) -> int:
        """Say what is wrong with how the program was called, and return 2; without a command, its help says it all."""
        said = error.format_message()
        self._put(said, err=True)
        context = getattr(error, "ctx", None)
        if context is not None and not isinstance(error, click.exceptions.NoArgsIsHelpError):
            self._put(self.messages.text(N_("See: {command} --help"), command=context.command_path), err=True)
        if self.as_json:
            self.give({"error": said, "exit_code": 2})
        return 2

    def bug(self, bug: Exception) -> int:
        """Show the traceback of a mistake of ours, without anything that could be a key; return its exit code."""
        # People paste tracebacks into reports of bugs, and those are public.
        from batch_issuer.provider.wire import remove_keys

        self._put(remove_keys("".join(traceback.format_exception(bug))), err=True)
        self._put(
            self.messages.text(
                N_(
                    "This is a bug of batch_issuer, not of your files. "
                    "The ledger is good; please report the lines above."
                )
            ),
            err=True,
        )
        if self.as_json:
            self.give({"error": f"{type(bug).__name__}", "exit_code": BUG})
        return BUG

    def _put(self, text: str, *, err: bool = False, end: str = "\n") -> None:
        reason = put(text + end, sys.stderr if err else sys.stdout)
        if reason and not err:
            self.lost = True
            said = self.messages.text(N_("The output could not be written: {reason}."), reason=reason)
            put(said + "\n", sys.stderr)


def few(references: Sequence[str], most: int) -> str:
    """Return the first references as one text, and how many more there are."""
    more = f" … +{len(references) - most:,}" if len(references) > most else ""
    return ", ".join(references[:most]) + more


def put(text: str, stream: TextIO) -> str:
    """Write a text at once; return why it could not be written, such as a full disk.

    A run never ends because its words cannot be shown: from then on they go nowhere. The reason is empty where whoever
    read them has left, as `| head` does.
    """
    try:
        click.echo(text, file=stream, nl=False)
    except OSError as error:
        silence(stream)
        return "" if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    return ""


def silence(stream: TextIO) -> None:
    """Send what is still to be written to a stream nowhere."""
    # Below Python's buffer, which would else fail once more when the interpreter flushes it on leaving.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_terminal() -> bool:
    """Whether progress may be drawn over itself."""
    return sys.stderr.isatty()
