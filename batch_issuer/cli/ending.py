"""How a command ends that reconciles: the verdict on the screen, the reports in their folder, the object of `--json`.

`finish` ends every run that wrote the ledger; `tell` ends `report` and `reconcile`. The exit code comes from the
reconciliation, as the page, the workbook and the JSON do.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from batch_issuer.cli.screen.findings import show_findings
from batch_issuer.cli.screen.output import Output, listed
from batch_issuer.cli.screen.plan import show_left_out, show_reports
from batch_issuer.cli.screen.verdict import show_reconciliation
from batch_issuer.cli.session import Session
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.model.problems import Stop, StoppedMidway
from batch_issuer.plan.prepare import Prepared
from batch_issuer.reconcile import Reconciliation, as_json, findings_json
from batch_issuer.reconcile.gather import reconcile_run
from batch_issuer.reports.fix.gather import Fixes, outcomes_of_run, write_fixes, write_fixes_again
from batch_issuer.reports.writing import write_reports
from batch_issuer.send.run import Outcome


def finish(
    session: Session,
    outcome: Outcome,
    out: str,
    prepared: Prepared | None = None,
    *,
    also: Mapping[str, Any] | None = None,
    needs_person: bool = False,
) -> int:
    """Reconcile a run that wrote the ledger, write its reports, say the verdict; return its exit code.

    `also` is what the command adds to `--json`; `needs_person` says that something beside the reconciliation does.
    """
    output, stopped = session.output, outcome.stopped
    _say_why_it_ended(output, stopped)
    with closing(open_to_read(session.ledger)) as ledger:
        made = reconcile_run(ledger, outcome.run.run, session.company, session.settings)
    show_reconciliation(output, made, unfinished=needs_person)
    reports: dict[str, str] = {}
    fixes, outcomes, fix_path = Fixes(), outcomes_of_run(made), Path(out, f"{outcome.run.run}-fix.xlsx")
    try:
        reports |= write_reports(made, output.messages, Path(out), outcome.run.run)
        if prepared is not None:
            fixes = write_fixes(prepared, outcomes, output.messages, fix_path)
        elif outcomes.refused:  # without the files at hand, from those that the ledger names
            fixes = write_fixes_again(list(outcomes.refused.values()), session.settings, output.messages, fix_path)
        show_left_out(output, fixes)
        reports |= fixes.reports
    except StoppedMidway as unwritten:
        # What was issued stays issued: the run is told to its end, and the exit code says that a report is missing.
        _say_why_it_ended(output, unwritten)
        stopped = stopped or unwritten
    code = stopped.exit_code if stopped else max(made.exit_code, int(needs_person))
    show_reports(output, reports)
    if output.as_json:
        problems = listed(one.as_json(output.messages) for one in prepared.problems) if prepared else listed(())
        plain = {**as_json(made), "problems": problems, "ledger": str(session.ledger), "reports": reports}
        output.give({**plain, **(also or {}), **_run_json(outcome, code), **_error_json(output, stopped)})
    return code


def tell(session: Session, made: Reconciliation, out: str, name: str, outcome: Outcome | None = None) -> int:
    """Say the verdict and the findings, and write reports of this name; return the exit code.

    `outcome` is the run that asked the provider, where one did. Raises `StoppedMidway` where a report cannot be
    written.
    """
    output, stopped = session.output, outcome.stopped if outcome is not None else None
    _say_why_it_ended(output, stopped)
    show_reconciliation(output, made)
    show_findings(output, made)
    reports = write_reports(made, output.messages, Path(out), name)
    show_reports(output, reports)
    code = stopped.exit_code if stopped is not None else made.exit_code
    plain = {**as_json(made), **findings_json(made), "ledger": str(session.ledger), "reports": reports}
    ended = _run_json(outcome, code) if outcome is not None else {"exit_code": code}
    output.give({**plain, **ended, **_error_json(output, stopped)})
    return code


def _say_why_it_ended(output: Output, stopped: Stop | None) -> None:
    if stopped is not None:
        click.echo(stopped.text(output.messages), err=True)


def _run_json(outcome: Outcome, exit_code: int) -> dict[str, Any]:
    """Return what `--json` says of a run: its name, what it sent and asked, and how it ended."""
    return {
        "run": outcome.run.run,
        "sent": outcome.progress.posts,
        "asked": outcome.progress.asks,
        "seconds": outcome.seconds,
        "exit_code": exit_code,
    }


def _error_json(output: Output, stopped: Stop | None) -> dict[str, str]:
    return {} if stopped is None else {"error": output.messages.text(stopped.message, **stopped.parameters)}
