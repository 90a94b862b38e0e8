"""The language of a call, and click's own words in it.

click asks gettext for its words in the default domain of the process; `speak` makes our catalog that domain.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Sequence

import click

from batch_issuer.messages import LOCALE_FOLDER, N_, Messages, choose_language


def language_of(argv: Sequence[str]) -> str:
    """Return what `--lang` says, wherever it stands, else the environment: help needs it before options are read."""
    for number, argument in enumerate(argv):
        if argument == "--lang" and number + 1 < len(argv):
            return choose_language(argv[number + 1])
        if argument.startswith("--lang="):
            return choose_language(argument.removeprefix("--lang="))
    return choose_language()


def speak(language: str) -> None:
    """Let click's words come out of our catalog from here on, in this language."""
    gettext.bindtextdomain("batch_issuer", LOCALE_FOLDER)
    gettext.textdomain("batch_issuer")
    os.environ["LANGUAGE"] = language  # the variable by which gettext chooses among the languages of a domain


def messages_of(context: click.Context | None) -> Messages:
    """Return the texts in the language of this call."""
    output = context.find_root().obj if context is not None else None
    return output.messages if output is not None else Messages(choose_language())


def both_(one: str, many: str) -> tuple[str, str]:
    """Mark a text and its plural for the catalog without translating them."""
    return one, many


CLICK_TEXTS: tuple[str | tuple[str, str], ...] = (
    N_("Usage:"),
    N_("[OPTIONS]"),
    N_("COMMAND [ARGS]..."),
    N_("Options"),
    N_("default: {default}"),
    N_("Missing command."),
    N_("Missing argument"),
    N_("Missing option"),
    N_("required"),
    N_("Invalid value: {message}"),
    N_("Invalid value for {param_hint}: {message}"),
    N_("No such command {name!r}."),
    N_("No such option {name!r}."),
    N_("Option {name!r} does not take a value."),
    both_("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    both_("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    both_("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    both_("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)
"""What click says on its own in a program like this one; written as in click, which looks them up by these words."""
