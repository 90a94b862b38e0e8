"""`check`: everything that can be known without sending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.problems import raise_together

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.ledger.store import Ledger
    from batch_issuer.plan.doubts import IdentityQuestion
    from batch_issuer.plan.plan import Plan
    from batch_issuer.plan.prepare import Prepared
    from batch_issuer.plan.touched_customers import Touched


@click.command("check", cls=program.Command, help=program.COMMANDS["check"][1])
@program.files_argument
@program.option(
    "--fix-file", metavar=N_("FILE.xlsx"), help=N_("Write the documents that need a hand into a workbook to correct.")
)
@program.option(
    "--write-settings",
    is_flag=True,
    help=N_("Add what was found out (columns, decimal mark, order of dates…) to the settings file."),
)
@program.reading
@program.common
@program.with_output
def command(
    output: Output, files: tuple[str, ...], fix_file: str | None, *, write_settings: bool, **options: Any
) -> int:
    from batch_issuer.cli.screen.plan import (
        plan_json,
        show_customers,
        show_fixes,
        show_plan,
        show_problems,
        show_sources,
    )
    from batch_issuer.cli.session import open_session, read_files

    named = options["config"]
    if write_settings and named is not None and not Path(named).exists():
        options["config"] = None
    session = open_session(output, options, files)
    if fix_file:
        from batch_issuer.reports.fix.gather import refuse_to_write_over

        refuse_to_write_over(Path(fix_file), files)
    prepared = read_files(session, files, compared=_may_exist(session.ledger))
    prepared, plan, conflicts, customers, questions = plan_against_ledger(session, prepared)
    show_sources(output, prepared)
    output.show()
    show_plan(output, prepared, plan)
    show_customers(output, customers, prepared.customers.unnumbered)
    show_problems(output, prepared.problems)
    reports: Mapping[str, str] = {}
    if fix_file:
        from batch_issuer.reports.fix.gather import outcomes_of_plan, write_fixes

        fixes = write_fixes(prepared, outcomes_of_plan(plan, conflicts), output.messages, Path(fix_file))
        show_fixes(output, fixes, fix_file)
        reports = fixes.reports
    settings_written = save_what_was_learned(output, session, prepared, named, files) if write_settings else {}
    raise_together(questions)
    code = 1 if prepared.held or conflicts or any(problem.blocks for problem in prepared.notes) else 0
    if output.as_json:
        output.give(
            {
                **plan_json(prepared, plan, customers),
                "problems": [problem.as_json(output.messages) for problem in prepared.problems],
                "conflicts": conflicts,
                "reports": reports,
                **settings_written,
                "exit_code": code,
            }
        )
    return code


def save_what_was_learned(
    output: Output, session: Session, prepared: Prepared, named: str | None, files: tuple[str, ...]
) -> dict[str, Any]:
    """Add it to the settings file, say what was added and what stayed; the same for `--json`."""
    from batch_issuer.reading.learned import learn, settings_path, write_settings

    types = {candidate.doc_type for candidate in prepared.candidates}
    types |= {held.document.doc_type for held in prepared.held if held.document.doc_type}
    learned = learn(prepared.batch.sources, prepared.settings, sorted(types))
    written = write_settings(settings_path(named, session.settings, files), learned)
    output.show()
    if written.added:
        output.say(N_("Added to {path}; the next file of this kind is read the same way:"), path=written.path)
    else:
        output.say(N_("{path} says all of it already; nothing was written."), path=written.path)
    for line in written.added:
        output.show(f"    {line}")
    if written.kept:
        output.say(N_("These lines of yours stayed as they are, although this time something else was read:"))
    for line in written.kept:
        output.show(f"    {line}")
    return {"settings": {"path": str(written.path), "added": list(written.added), "kept": list(written.kept)}}


class Planned(NamedTuple):
    """What the files' documents come to against a ledger."""

    prepared: Prepared
    plan: Plan
    conflicts: list[dict[str, Any]]
    customers: tuple[Touched, ...]
    questions: Sequence[IdentityQuestion]
    """What has to be answered before anything of the files is sent."""


def plan_against_ledger(
    session: Session,
    prepared: Prepared,
    *,
    only: Sequence[str] = (),
    limit: int | None = None,
) -> Planned:
    """The documents with notes on repeated sales and credit notes, and the plan; without a ledger everything is new."""
    if not _may_exist(session.ledger):
        return _planned(session, prepared, None, only, limit)
    from batch_issuer.ledger.opening import open_to_read

    ledger = open_to_read(session.ledger)
    try:
        return _planned(session, prepared, ledger, only, limit)
    finally:
        ledger.close()


def _planned(
    session: Session,
    prepared: Prepared,
    ledger: Ledger | None,
    only: Sequence[str],
    limit: int | None,
) -> Planned:
    from batch_issuer.plan.credit_notes import with_credits
    from batch_issuer.plan.lookalikes import with_repeats
    from batch_issuer.plan.plan import Action, select
    from batch_issuer.plan.prepare import conflict_list
    from batch_issuer.plan.recognise import recognise
    from batch_issuer.plan.touched_customers import touched

    company, alike = session.company.code, session.settings.source.alike
    recognised = recognise(prepared, ledger, company, alike)
    prepared = with_credits(with_repeats(recognised.prepared, ledger, company), ledger, company)
    plan = recognised.plan(prepared)
    conflicts = conflict_list(plan.of(Action.CONFLICT), prepared, ledger) if ledger else []
    chosen = select(plan, only=only, limit=limit)
    customers = touched(prepared, chosen, ledger, company)
    return Planned(prepared, chosen, conflicts, customers, recognised.questions(alike))


def _may_exist(path: Path) -> bool:
    """Where that cannot be found out, opening it says why."""
    try:
        return path.exists()
    except OSError:
        return True
