"""The program as click has it: its commands, the options that they share, and help in the reader's language.

`--help` and `--version` import no command: the table below has their first lines.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

import click

from batch_issuer import __version__
from batch_issuer.cli import option_values
from batch_issuer.cli.exit_codes import exit_codes
from batch_issuer.cli.language import messages_of
from batch_issuer.messages import N_

# In the order of the work, which is the help's too: to try, the daily run, what comes after it, and the tools.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", N_("Try it: issue the sample files to a sandbox on this machine, in a new folder.")),
    "template": ("template", N_("Write a workbook to fill in, with lists, notes and an example.")),
    "check": ("check", N_("Read the files, apply the rules, and show the plan and every problem. Sends nothing.")),
    "rules": ("rules", N_("List every rule: what it says, whether it blocks, how to repair it, and who demands it.")),
    "issue": ("issue", N_("Issue the documents of the files, record every answer, and write the reports.")),
    "retry": ("retry", N_("Send again, from the ledger, what is not settled and may be sent again.")),
    "refresh": ("refresh", N_("Ask what became of documents in contingency or in doubt. Never issues.")),
    "download": ("download", N_("Fetch tickets, letters and signed documents in bulk, checked, into a folder a day.")),
    "cancel": ("cancel", N_("Invalidate documents, after showing what will happen to each and until when.")),
    "reconcile": ("reconcile", N_("Compare the files with the ledger, sale by sale, and with the provider if asked.")),
    "report": ("report", N_("Write the reports again, from the ledger alone.")),
    "note": ("note", N_("Write a note about a document into the ledger: a reason, and whose it is.")),
    "sign-off": ("sign_off", N_("Sign a period as the ledger has it; reports say whether anything changed since.")),
    "ledger": ("ledger", N_("Look into the ledger, copy and restore it: show, export, verify, backup, restore.")),
    "doctor": ("doctor", N_("Look at settings, key, clock, ledger, disk and quota, and say what is wrong.")),
    "sandbox": ("sandbox", N_("Run a stand-in for the provider on this machine, with faults and quota to order.")),
}
"""Command name: its module in this folder, and the line that `--help` shows."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Option(click.Option):
    """An option whose help and whose name for its value are in the catalog."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        # click makes the help from the attribute: it is lent the translation and gets its own text back.
        written, self.help = self.help, messages_of(ctx).text(self.help or "")
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = written

    def make_metavar(self, ctx: click.Context) -> str:
        return messages_of(ctx).text(super().make_metavar(ctx))


class Argument(click.Argument):
    """An argument whose name is in the catalog."""

    def make_metavar(self, ctx: click.Context) -> str:
        return messages_of(ctx).text(super().make_metavar(ctx))


class Command(click.Command):
    """A command whose help is in the catalog, and ends with its exit codes."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        written, self.help = self.help, messages_of(ctx).text(self.help or "")
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = written

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        messages = messages_of(ctx)
        codes = exit_codes(" ".join(ctx.command_path.split()[1:]))
        with formatter.section(messages.text(N_("Exit codes"))):
            formatter.write_dl([(str(code), messages.text(meaning)) for code, meaning in codes])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [messages_of(ctx).text(piece) for piece in super().collect_usage_pieces(ctx)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click's parser forgets whose help would help
            raise

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = messages_of(ctx).text(N_("Show this help and leave."))
        return found


class Group(Command, click.Group):
    """A group of such commands."""

    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, messages_of(ctx).text(self.first_line(name))) for name in self.list_commands(ctx)]
        with formatter.section(messages_of(ctx).text(N_("Commands"))):
            formatter.write_dl(rows)

    def first_line(self, name: str) -> str:
        return (self.commands[name].help or "").split("\n")[0]


class LazyGroup(Group):
    """The program: a command is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's form
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"batch_issuer.cli.commands.{COMMANDS[cmd_name][0]}")
        command = module.command
        assert isinstance(command, click.Command)  # noqa: S101 - the table is ours
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def first_line(self, name: str) -> str:
        return COMMANDS[name][1]


def option(*names: str, **attributes: Any) -> Callable[[Decorated], Decorated]:
    """Make a `click.option` whose texts are in the catalog."""
    return click.option(*names, cls=Option, **attributes)


def argument(name: str, **attributes: Any) -> Callable[[Decorated], Decorated]:
    """Make a `click.argument` whose name is in the catalog."""
    return click.argument(name, cls=Argument, **attributes)


def with_output(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the `Output` of this call as its first argument; what it returns is the exit code."""
    return click.pass_obj(function)


def shared(*decorators: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Make one decorator of several options, which stand in the help in this order."""

    def decorate(function: Decorated) -> Decorated:
        for one in reversed(decorators):
            function = one(function)
        return function

    return decorate


def number_option(
    name: str, least: int, most: int = option_values.MOST, **attributes: Any
) -> Callable[[Decorated], Decorated]:
    """Make an option that takes a whole number from `least` to `most`."""
    return option(name, metavar=N_("NUMBER"), callback=option_values.whole(least, most), **attributes)


files_argument = argument("files", nargs=-1, required=True, metavar=N_("FILES…"))
references_argument = argument("references", nargs=-1, metavar=N_("REF…"))
language_option = option(
    "--lang", type=click.Choice(["es", "en"]), expose_value=False, help=N_("Language of everything shown.")
)
json_option = option(
    "--json", "as_json", is_flag=True, expose_value=False, help=N_("One JSON object on stdout; the rest on stderr.")
)
config_option = option(
    "--config", "-c", metavar=N_("FILE"), help=N_("Settings file; by default batch-issuer.toml beside the files.")
)
company_option = option(
    "--company", metavar=N_("NAME"), help=N_("The company that issues, where the settings have several.")
)
ledger_option = option(
    "--ledger", "-l", metavar=N_("FILE"), default="ledger.db", show_default=True, help=N_("The ledger's file.")
)
out_option = option(
    "--out", "-o", metavar=N_("FOLDER"), default="reports", show_default=True, help=N_("Folder of the reports.")
)
base_url_option = option(
    "--base-url", metavar="URL", envvar="OCOTE_BASE_URL", help=N_("The provider's address (OCOTE_BASE_URL).")
)
only_option = option(
    "--only",
    multiple=True,
    metavar=N_("STATE|TYPE|REF"),
    help=N_("Only these, by state (rejected, unsure…), type or reference; may be repeated."),
)
common = shared(config_option, company_option, ledger_option, language_option, json_option)
reading = shared(
    option("--decimal", type=click.Choice(["point", "comma"]), help=N_("Decimal mark of the files.")),
    option("--dates", type=click.Choice(["dmy", "mdy", "ymd"]), help=N_("Order of day, month and year in the files.")),
    option(
        "--sheet",
        metavar=N_("NAME"),
        help=N_("Sheet of the workbooks to read; with * in it, every sheet of that name."),
    ),
    option(
        "--hidden-rows",
        type=click.Choice(["include", "skip"]),
        help=N_("Read the rows that a filter has hidden, or leave them out."),
    ),
    option(
        "--alike",
        type=click.Choice(["same", "new"]),
        help=N_("Sales that look like earlier ones are those (same), or are other sales (new)."),
    ),
    option(
        "--repeated-rows",
        type=click.Choice(["count", "once"]),
        help=N_("Rows equal in every cell to another of their document: count each, or only once."),
    ),
)
sending = shared(
    base_url_option,
    number_option("--concurrency", 1, 512, help=N_("Requests at once (default 8).")),
    number_option("--reserve", 0, help=N_("Requests a minute left free for your other systems.")),
    option(
        "--max-wait",
        metavar=N_("DURATION"),
        callback=option_values.seconds,
        help=N_("Stop rather than wait longer for the quota, e.g. 90s, 10m, 2h."),
    ),
    option("--new-key", is_flag=True, help=N_("The company changed its API key: accept the new one.")),
)
choosing = shared(number_option("--limit", 0, help=N_("Send only the first NUMBER documents.")), only_option)
guards = shared(
    number_option("--stop-after", 1, help=N_("Stop after the same failure NUMBER times in a row (default 20).")),
    number_option("--canary", 0, help=N_("Send NUMBER documents first; go on only if all of them are issued.")),
    option(
        "--expect-environment",
        type=click.Choice(["test", "production"]),
        help=N_("Prove with the first document that the key belongs to this environment."),
    ),
)


def commands_table() -> click.Group:
    """Return the whole program."""
    help_text = N_("Issue a day's sales as electronic tax documents, and prove what became of each row.")
    program = LazyGroup("batch-issuer", help=help_text)
    version = click.version_option(
        __version__,
        prog_name="batch-issuer",
        message="%(prog)s %(version)s",
        cls=Option,
        help=N_("Show the version and leave."),
    )
    return language_option(version(program))
