"""`check`: everything that can be known without sending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import base
from batch_issuer.cli.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.plan import Plan
    from batch_issuer.preparing import Prepared


@click.command("check", cls=base.Command, help=base.COMMANDS["check"][1])
@base.files_argument
@base.option(
    "--fix-file", metavar=N_("FILE.xlsx"), help=N_("Write the documents that need a hand into a workbook to correct.")
)
@base.reading
@base.common
@base.with_output
def command(output: Output, files: tuple[str, ...], fix_file: str | None, **options: Any) -> int:
    from batch_issuer.cli.session import open_session, read_files
    from batch_issuer.cli.show import plan_json, show_plan, show_problems, show_sources
    from batch_issuer.reporting import fix_files, write_fixes

    session = open_session(output, options, files)
    prepared = read_files(session, files)
    prepared, plan, conflicts = plan_against_ledger(session, prepared)
    show_sources(output, prepared)
    output.show()
    show_plan(output, prepared, plan)
    show_problems(output, prepared.problems)
    reports: dict[str, str] = {}
    if fix_file:
        written = write_fixes(prepared, {}, output.messages, Path(fix_file))
        if written:
            reports = fix_files(Path(fix_file))
            said = output.messages.count(
                "{n} document to correct is in {path}.",
                "{n} documents to correct are in {path}.",
                written,
                path=fix_file,
            )
            output.show(said)
        else:
            output.say(N_("Nothing needs correcting; {path} was not written."), path=fix_file)
    code = 1 if prepared.held or conflicts or any(problem.blocks for problem in prepared.notes) else 0
    output.give(
        {
            **plan_json(prepared, plan),
            "problems": [problem.as_json(output.messages) for problem in prepared.problems],
            "conflicts": conflicts,
            "reports": reports,
            "exit_code": code,
        }
    )
    return code


def plan_against_ledger(session: Session, prepared: Prepared) -> tuple[Prepared, Plan, list[dict[str, Any]]]:
    """The documents with notes on repeated sales, the plan, and the conflicts; without a ledger everything is new."""
    from batch_issuer.crediting import with_credits
    from batch_issuer.plan import Action
    from batch_issuer.preparing import conflict_list, plan_files
    from batch_issuer.repeats import with_repeats

    company = session.company.code
    if not _may_exist(session.ledger):
        prepared = with_credits(with_repeats(prepared, None, company), None, company)
        return prepared, plan_files(prepared, None, company), []
    from batch_issuer.ledger.opening import open_to_read

    ledger = open_to_read(session.ledger)
    try:
        prepared = with_credits(with_repeats(prepared, ledger, company), ledger, company)
        plan = plan_files(prepared, ledger, company)
        return prepared, plan, conflict_list(plan.of(Action.CONFLICT), prepared, ledger)
    finally:
        ledger.close()


def _may_exist(path: Path) -> bool:
    """Where that cannot be found out, opening it says why."""
    try:
        return path.exists()
    except OSError:
        return True
