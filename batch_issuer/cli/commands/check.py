"""`check`: everything that can be known without sending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.problems import raise_together

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.plan.prepare import Prepared


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
    from batch_issuer.cli.planning import may_exist, plan_against_ledger
    from batch_issuer.cli.screen.plan import show_fixes, show_sources
    from batch_issuer.cli.session import open_session, read_files

    named, also = options["config"], dict[str, Any](reports={})
    if write_settings and named is not None and not Path(named).exists():
        options["config"] = None  # it is to be written, and cannot be read yet
    session = open_session(output, options, files)
    # Before anything is read: the workbook to correct must not take the place of a file with sales.
    if fix_file:
        from batch_issuer.reports.fix.gather import refuse_to_write_over

        refuse_to_write_over(Path(fix_file), files)
    prepared = read_files(session, files, compared=may_exist(session.ledger))
    planned = plan_against_ledger(session, prepared)
    show_sources(output, planned.prepared)
    output.show()
    planned.show(output)
    if fix_file:
        from batch_issuer.reports.fix.gather import outcomes_of_plan, write_fixes

        outcomes = outcomes_of_plan(planned.plan, planned.conflicts)
        fixes = write_fixes(planned.prepared, outcomes, output.messages, Path(fix_file))
        show_fixes(output, fixes, fix_file)
        also["reports"] = fixes.reports
    if write_settings:
        also |= save_what_was_learned(output, session, planned.prepared, named, files)
    raise_together(planned.questions)  # after all is shown: `check` takes no answers
    planned.give(output, **also)
    return planned.exit_code


def save_what_was_learned(
    output: Output, session: Session, prepared: Prepared, named: str | None, files: tuple[str, ...]
) -> dict[str, Any]:
    """Add what was found out to the settings file, say what was added and what stayed; return the same for `--json`.

    Raises `CannotStart` where the file cannot be written.
    """
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
