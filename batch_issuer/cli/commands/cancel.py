"""`cancel`: what the law and the provider allow for each document, a question, and then the cancellation."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars, figure, total_of
from batch_issuer.model.problems import CannotStart

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.model.records import Record
    from batch_issuer.plan.cancel import Outlook

_SHOWN = 20
"""Documents of which the screen tells everything; the plan's file has them all."""
_TABLES = (".json", ".csv", ".xlsx")
_YES = frozenset({"y", "yes", "s", "si", "sí"})


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
    from batch_issuer.cli.session import named_references, open_session
    from batch_issuer.model.days import today

    session = open_session(output, options)
    names = named_references(references, options["file"])
    day = today()
    outlooks, unknown = _outlooks(session, names, day)
    _show(output, outlooks, unknown)
    if options["only_plan"]:
        return _write_plan(output, outlooks, unknown, Path(options["out"]), day)
    from batch_issuer.plan.cancel import SENT
    from batch_issuer.send.naming import not_known

    if unknown:
        raise not_known(session.ledger, unknown)
    if any(one.course in SENT for one in outlooks) and not options["yes"]:
        _ask(output, [one for one in outlooks if one.course in SENT])
    return _cancel(session, names, day, options)


def _outlooks(session: Session, names: Sequence[str], day: dt.date) -> tuple[list[Outlook], list[str]]:
    """What would happen to each document that is known, and the names that are not."""
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.send.commands.cancel import outlooks
    from batch_issuer.send.naming import find_named

    ledger = open_to_read(session.ledger)
    try:
        records, unknown = find_named(ledger, session.company.code, names)
        return outlooks(ledger, session.company.code, records, day), unknown
    finally:
        ledger.close()


def _cancel(session: Session, names: Sequence[str], day: dt.date, options: Mapping[str, Any]) -> int:
    from batch_issuer.cli.commands.report import finish
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.send.commands.cancel import cancel

    outcome = cancel(
        ledger_path=session.ledger,
        company=session.company,
        connection=connect(session, options),
        watcher=watcher(session),
        names=names,
        today=day,
    )
    ledger = open_to_read(session.ledger)
    try:
        references = list((ledger.run(outcome.run.run).summary or {}).get("refs", ()))
        found = ledger.records(session.company.code, references)
        records = [found[reference] for reference in references]
    finally:
        ledger.close()
    ends = [_end_of(record) for record in records]
    _show_ends(session.output, records, ends)
    counts = Counter(ends)
    also = {
        **{end: counts[end] for end in _ENDS},
        "cancellations": [_cancellation_json(record, end) for record, end in zip(records, ends, strict=True)],
    }
    needs = any(counts[end] for end in ("refused", "unsure", "not_cancelled"))
    return finish(session, outcome, options["out"], also=also, needs_person=needs)


_COURSES: Mapping[str, str] = {
    "invalidate": N_("to be invalidated"),
    "credit-note": N_("to be replaced by the provider's own credit note"),
    "ask": N_("asked for before: to be asked about first"),
    "nothing": N_("already cancelled"),
    "held-back": N_("held back"),
    "unknown": N_("not in the ledger"),
}


def _show(output: Output, outlooks: Sequence[Outlook], unknown: Sequence[str]) -> None:
    """What will happen to each document and until when, then the counts."""
    for one in outlooks[:_SHOWN]:
        _show_one(output, one)
    if len(outlooks) > _SHOWN:
        output.say(N_("… and {count} more; --plan writes them all."), count=f"{len(outlooks) - _SHOWN:,}")
    for name in unknown[:_SHOWN]:
        output.say(N_("✗ «{name}»: the ledger does not know it"), name=name)
    output.show()
    counts = Counter([one.course.value for one in outlooks] + ["unknown"] * len(unknown))
    text = output.messages.text
    output.table(
        [(text(label), f"{counts[course]:,}") for course, label in _COURSES.items() if counts[course]], right=[1]
    )


def _show_one(output: Output, one: Outlook) -> None:
    from batch_issuer.reports.wording import type_name

    record = one.record
    head = [record.external_ref, type_name(record.doc_type, output.messages), dollars(_gross(record))]
    head += [record.answer.control_number] if record.answer.control_number else []
    course = output.messages.text(_COURSES[one.course.value])
    output.show(f"{' · '.join(head)}: {course}")
    if one.windows:
        output.table(_window_rows(output, one), indent=4)
    for remark in one.remarks:
        output.show(f"    ! {remark.text(output.messages)}")


def _window_rows(output: Output, one: Outlook) -> list[tuple[str, str]]:
    from batch_issuer.rules.deadlines import SOURCE_NAMES

    text = output.messages.text
    rows = []
    if one.issued:
        rows.append((text(N_("issued")), _date(one.issued)))
    if one.safe_until:
        rows.append((text(N_("safe until")), _date(one.safe_until)))
    for window in one.windows:
        until = _until(output, window.last_day, window.not_before)
        rows.append(
            (text(SOURCE_NAMES[window.source]), f"{until} ({text(window.rule)})" if until else text(window.rule))
        )
    return rows


def _until(output: Output, last_day: dt.date | None, not_before: dt.date | None) -> str:
    if last_day is not None:
        return output.messages.text(N_("until {day}"), day=_date(last_day))
    if not_before is not None:
        return output.messages.text(N_("at least until {day}, the end is not known"), day=_date(not_before))
    return ""


def _date(day: dt.date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _gross(record: Record) -> Any:
    return record.expected_gross if record.answer.amounts.gross is None else record.answer.amounts.gross


def _ask(output: Output, outlooks: Sequence[Outlook]) -> None:
    """Go on only with a clear yes. Raises `CannotStart`."""
    if not sys.stdin.isatty():
        raise CannotStart(
            N_("Cancelling needs a yes, and nobody is here to ask. Nothing was sent."),
            repair=N_("Say it with --yes, or look first with --plan."),
        )

    question = output.messages.count(
        "Cancel {n} document for {total}? It cannot be undone. Type yes:",
        "Cancel {n} documents for {total}? It cannot be undone. Type yes:",
        len(outlooks),
        total=dollars(total_of(_gross(one.record) for one in outlooks)),
    )
    answer = click.prompt(question, default="", show_default=False, prompt_suffix=" ", err=True)
    if answer.strip().casefold() not in _YES:
        raise CannotStart(N_("Not confirmed: nothing was sent."))


_ENDS: Mapping[str, str] = {
    "cancelled": N_("cancelled"),
    "pending": N_("taken; the ministry has not answered yet: batch-issuer refresh"),
    "refused": N_("not cancelled: refused"),
    "unsure": N_("not known whether it is cancelled: run the same command again"),
    "not_cancelled": N_("not cancelled: nothing was asked for"),
}


def _end_of(record: Record) -> str:
    """What became of it, as one of `_ENDS`."""
    from batch_issuer.model.documents import State
    from batch_issuer.model.records import CancelStep

    if record.state is State.CANCELLED:
        return "cancelled"
    match record.cancellation.step if record.cancellation else None:
        case CancelStep.PENDING:
            return "pending"
        case CancelStep.REFUSED:
            return "refused"
        case CancelStep.REQUESTED:
            return "unsure"
        case _:
            return "not_cancelled"


def _show_ends(output: Output, records: Sequence[Record], ends: Sequence[str]) -> None:
    """How it ended: those that need a person one by one, the rest counted."""
    text = output.messages.text
    output.show()
    counts = Counter(ends)
    output.table([(text(label), f"{counts[end]:,}") for end, label in _ENDS.items() if counts[end]], right=[1])
    for record, end in zip(records, ends, strict=True):
        cancellation = record.cancellation
        if cancellation is not None and cancellation.memo is not None:
            number = cancellation.memo.control_number or cancellation.memo.document_id
            output.say(
                N_("! {ref}: the provider wrote the credit note {number}; it stays in the books."),
                ref=record.external_ref,
                number=number,
            )
        if end in ("refused", "unsure", "not_cancelled"):
            output.show(f"✗ {record.external_ref}: {text(_ENDS[end])}{_why(output, record)}")


def _why(output: Output, record: Record) -> str:
    from batch_issuer.reports.wording import REASONS

    if record.cancellation is None:
        return ""
    reason = output.messages.text(REASONS.get(record.cancellation.reason, ""))
    said = " · ".join(filter(None, (reason, record.cancellation.words)))
    return f" · {said}" if said else ""


def _cancellation_json(record: Record, end: str) -> dict[str, Any]:
    from batch_issuer.model.records import write_cancellation, write_memo

    known = record.cancellation
    return {
        "external_ref": record.external_ref,
        "doc_type": record.doc_type,
        "state": record.state.value,
        "result": end,
        "credit_memo": write_memo(known.memo) if known and known.memo else None,
        **{name: value for name, value in write_cancellation(known).items() if name != "memo"},
    }


def _write_plan(output: Output, outlooks: Sequence[Outlook], unknown: Sequence[str], out: Path, day: dt.date) -> int:
    """The list as JSON, CSV or XLSX by the name, or as a workbook in the folder of the reports."""
    from batch_issuer.cli.screen.tables import write_table
    from batch_issuer.plan.cancel import Course

    path = out if out.suffix.lower() in _TABLES else out / f"cancel-plan-{day:%Y%m%d}.xlsx"
    rows = [_plan_row(output, one) for one in outlooks]
    rows += [dict.fromkeys(_PLAN_COLUMNS, "") | {"external_ref": name, "course": "unknown"} for name in unknown]
    write_table(rows, path)
    output.say(N_("The list is in {path}. Nothing was cancelled (--plan)."), path=path)
    code = int(bool(unknown) or any(one.course is Course.HELD_BACK for one in outlooks))
    output.give({"documents": len(rows), "plan": rows, "file": str(path), "sent": 0, "exit_code": code})
    return code


_PLAN_COLUMNS = (
    "external_ref", "doc_type", "state", "course", "control_number", "generation_code", "total", "issued", "safe_until",
    "at_the_latest", "until_by_provider", "until_by_mf2", "until_by_nc2", "remarks",
)  # fmt: skip


def _plan_row(output: Output, one: Outlook) -> dict[str, str]:
    record = one.record
    last_days = {window.source.value: window.last_day for window in one.windows}
    return {
        "external_ref": record.external_ref,
        "doc_type": record.doc_type,
        "state": record.state.value,
        "course": one.course.value,
        "control_number": record.answer.control_number,
        "generation_code": record.answer.generation_code,
        "total": figure(_gross(record)),
        "issued": _iso(one.issued),
        "safe_until": _iso(one.safe_until),
        "at_the_latest": _iso(one.at_the_latest),
        **{f"until_by_{source}": _iso(last_days.get(source)) for source in ("provider", "mf2", "nc2")},
        "remarks": " ".join(remark.text(output.messages) for remark in one.remarks),
    }


def _iso(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
