"""`cancel`: what the law and the provider allow for each document, a question, and then the cancellation."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.cli.screen.tables import write_table
from batch_issuer.messages import N_
from batch_issuer.model.money import figure, total_of
from batch_issuer.model.records import CancelStep, write_cancellation
from batch_issuer.model.states import State

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.plan.cancel import Outlook

_TABLES = (".json", ".csv", ".xlsx")


@click.command("cancel", cls=program.Command, help=program.COMMANDS["cancel"][1])
@program.references_argument
@program.option("--file", metavar=N_("FILE"), help=N_("Also the references in this file: a list, a CSV or a workbook."))
@program.option("--plan", "only_plan", is_flag=True, help=N_("Write the list of what would be done, and do nothing."))
@program.option("--yes", is_flag=True, help=N_("Do it without asking."))
@program.sending
@program.option(
    "--out",
    "-o",
    metavar=N_("FOLDER"),
    default="reports",
    show_default=True,
    help=N_("Folder of the reports; with --plan also a file: .json, .csv or .xlsx."),
)
@program.common
@program.with_output
def command(output: Output, references: tuple[str, ...], **options: Any) -> int:
    from batch_issuer.cli.asking import confirm_cancelling
    from batch_issuer.cli.screen.cancellations import gross_of, show_outlooks
    from batch_issuer.cli.session import named_references, open_session
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.model.days import today
    from batch_issuer.plan.cancel import SENT
    from batch_issuer.send.commands.cancel import outlooks
    from batch_issuer.send.naming import find_named, not_known

    session = open_session(output, options)
    # One day for what is shown and for what is done, even where midnight lies between.
    names, day = named_references(references, options["file"]), today()
    with closing(open_to_read(session.ledger)) as ledger:
        records, unknown = find_named(ledger, session.company.code, names)
        found = outlooks(ledger, session.company.code, records, day)
    show_outlooks(output, found, unknown)
    if options["only_plan"]:
        return _write_plan(output, found, unknown, Path(options["out"]), day)
    # Shown before it is refused: with one reference mistyped nothing of the list is cancelled.
    if unknown:
        raise not_known(session.ledger, unknown)
    sent = [one for one in found if one.course in SENT]
    if sent and not options["yes"]:
        confirm_cancelling(output, len(sent), total_of(gross_of(one.record) for one in sent))
    return _cancel(session, names, day, options)


def _cancel(session: Session, names: Sequence[str], day: dt.date, options: Mapping[str, Any]) -> int:
    """Cancel what was shown, and tell how each ended."""
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.ending import finish
    from batch_issuer.cli.screen.cancellations import ENDS, show_ends
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.send.commands.cancel import cancel

    where: Any = {"ledger_path": session.ledger, "company": session.company, "connection": connect(session, options)}
    outcome = cancel(**where, watcher=watcher(session), names=names, today=day)
    # What is told is read back: only what the ledger has on disk is said to be cancelled.
    with closing(open_to_read(session.ledger)) as ledger:
        references = list((ledger.run(outcome.run.run).summary or {}).get("refs", ()))
        found = ledger.records(session.company.code, references)
    ends, cancellations = [], []
    for record in map(found.__getitem__, references):
        step = record.cancellation.step if record.cancellation else None
        end = "cancelled" if record.state is State.CANCELLED else _ENDS_OF_STEPS.get(step, "not_cancelled")
        ends.append((record, end))
        known = write_cancellation(record.cancellation)
        plain = {"external_ref": record.external_ref, "doc_type": record.doc_type, "state": record.state.value}
        cancellations.append({**plain, "result": end, "credit_memo": known.pop("memo", None), **known})
    show_ends(session.output, ends)
    counts = Counter(end for _, end in ends)
    also = {**{end: counts[end] for end in ENDS}, "cancellations": cancellations}
    needs = any(counts[end] for end in ("refused", "unsure", "not_cancelled"))
    return finish(session, outcome, options["out"], also=also, needs_person=needs)


_ENDS_OF_STEPS: Mapping[CancelStep | None, str] = {
    CancelStep.PENDING: "pending",
    CancelStep.REFUSED: "refused",
    CancelStep.REQUESTED: "unsure",
}
"""What became of a document that is not cancelled, as the screen names it."""


def _write_plan(output: Output, outlooks: Sequence[Outlook], unknown: Sequence[str], out: Path, day: dt.date) -> int:
    """Write what would be done into the file or folder of `--out`; return the exit code."""
    from batch_issuer.cli.screen.cancellations import gross_of
    from batch_issuer.plan.cancel import Course

    path = out if out.suffix.lower() in _TABLES else out / f"cancel-plan-{day:%Y%m%d}.xlsx"
    gap = dict.fromkeys(_PLAN_COLUMNS, "")
    rows = [
        {
            **gap,
            "external_ref": one.record.external_ref,
            "doc_type": one.record.doc_type,
            "state": one.record.state.value,
            "course": one.course.value,
            "control_number": one.record.answer.control_number,
            "generation_code": one.record.answer.generation_code,
            "total": figure(gross_of(one.record)),
            "issued": _iso(one.issued),
            "safe_until": _iso(one.safe_until),
            "at_the_latest": _iso(one.at_the_latest),
            **{f"until_by_{window.source.value}": _iso(window.last_day) for window in one.windows},
            "remarks": " ".join(remark.text(output.messages) for remark in one.remarks),
        }
        for one in outlooks
    ]
    rows += [{**gap, "external_ref": name, "course": "unknown"} for name in unknown]
    write_table(rows, path)
    output.say(N_("The list is in {path}. Nothing was cancelled (--plan)."), path=path)
    code = int(bool(unknown) or any(one.course is Course.HELD_BACK for one in outlooks))
    output.give({"documents": len(rows), "plan": rows, "file": str(path), "sent": 0, "exit_code": code})
    return code


_PLAN_COLUMNS = (
    "external_ref", "doc_type", "state", "course", "control_number", "generation_code", "total", "issued", "safe_until",
    "at_the_latest", "until_by_provider", "until_by_mf2", "until_by_nc2", "remarks",
)  # fmt: skip


def _iso(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
