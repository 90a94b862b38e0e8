"""`demo`: the main job, without a key and without a network."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output, is_terminal
from batch_issuer.messages import N_


@click.command("demo", cls=program.Command, help=program.COMMANDS["demo"][1])
@program.option(
    "--out", "-o", metavar=N_("FOLDER"), default=".", help=N_("Where to make the new folder; here by default.")
)
@program.option(
    "--mixed",
    is_flag=True,
    help=N_("The second day: every type, credit notes, a late rejection and cancellations."),
)
@program.language_option
@program.json_option
@program.with_output
def command(output: Output, out: str, *, mixed: bool) -> int:
    from batch_issuer.cli.screen.plan import show_problems, show_reports
    from batch_issuer.cli.screen.progress import TerminalWatcher
    from batch_issuer.cli.screen.verdict import show_reconciliation
    from batch_issuer.demo import new_folder, run_demo, run_mixed
    from batch_issuer.reconcile import as_json

    folder = new_folder(Path(out), dt.datetime.now().astimezone())
    watcher = TerminalWatcher(output.messages, over_itself=is_terminal())
    demo = (run_mixed if mixed else run_demo)(folder, output.messages, watcher, output.say)
    output.show()
    show_problems(output, demo.prepared.problems)
    show_reconciliation(output, demo.after)
    show_reports(output, demo.reports)
    output.show()
    output.say(
        N_("All of it happened on this machine: no key, no network, no fiscal effect. Look at the report first.")
    )
    ended = {"run": demo.issued.run.run, "sent": demo.issued.progress.posts, "seconds": demo.issued.seconds}
    output.give(
        {
            **as_json(demo.after),
            **ended,
            "problems": [problem.as_json(output.messages) for problem in demo.prepared.problems],
            "ledger": demo.reports["ledger"],
            "reports": {kind: path for kind, path in demo.reports.items() if kind != "ledger"},
            "needs_person_exit_code": demo.after.exit_code,
            "exit_code": 0,  # that the demo ran: its sales have mistakes on purpose
        }
    )
    return 0
