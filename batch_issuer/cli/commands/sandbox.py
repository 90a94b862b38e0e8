"""`sandbox`: the provider of our own, on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from batch_issuer.cli import program
from batch_issuer.cli.language import messages_of
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_


class _Command(program.Command):
    """Its help has every option and fault of the sandbox, from the same tables that it runs on."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from batch_issuer.sandbox import KIND_HELP, described

        messages = messages_of(ctx)
        with formatter.section(messages.text(N_("Faults: --fault KIND[:route=…,ref=…,p=…,after=…,count=…,seconds=…]"))):
            formatter.write_dl([(kind.value, messages.text(text)) for kind, text in KIND_HELP.items()])
        with formatter.section(messages.text(N_("Behaviour: --set NAME=VALUE"))):
            formatter.write_dl([(name, messages.text(text)) for name, text in described().items()])
        super().format_epilog(ctx, formatter)


@click.command("sandbox", cls=_Command, help=program.COMMANDS["sandbox"][1])
@program.option(
    "--host",
    metavar=N_("ADDRESS"),
    default="127.0.0.1",
    show_default=True,
    help=N_("Address of this machine to listen on."),
)
@program.number_option("--port", 0, 65535, default="8480", show_default=True, help=N_("Port; 0 takes a free one."))
@program.option(
    "--fault", "faults", multiple=True, metavar=N_("FAULT"), help=N_("Order a fault, as below; may be repeated.")
)
@program.option(
    "--set",
    "changes",
    multiple=True,
    metavar=N_("NAME=VALUE"),
    help=N_("Set its behaviour, as below; may be repeated."),
)
@program.option("--no-quota", is_flag=True, help=N_("Have no quota: requests are not counted."))
@program.option(
    "--state", metavar=N_("FILE"), help=N_("Keep the documents in this file, for a sandbox that dies and comes back.")
)
@program.language_option
@program.json_option
@program.with_output
def command(
    output: Output,
    host: str,
    port: int,
    faults: tuple[str, ...],
    changes: tuple[str, ...],
    state: str | None,
    *,
    no_quota: bool,
) -> int:
    from batch_issuer.sandbox import SAMPLE_KEY, SandboxOptions, changed, parse_changes, parse_fault, serve

    options = changed(SandboxOptions(), parse_changes(changes))
    if no_quota:
        options = changed(options, {"minute_limit": None, "hour_limit": None})
    key = options.keys[0].key if options.keys else SAMPLE_KEY

    # A key that opens nothing but this sandbox, and so may be shown.
    def announce(base_url: str) -> None:
        output.say(N_("The sandbox answers at {url}"), url=base_url)
        output.say(N_("Its key: OCOTE_API_KEY={key}   Stop it with Ctrl-C."), key=key)
        output.give({"base_url": base_url, "key": key})

    serve(
        options,
        host,
        port,
        announce,
        faults=[parse_fault(text) for text in faults],
        state=Path(state) if state else None,
    )
    return 0
