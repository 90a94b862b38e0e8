"""`cancel`: what the law and the provider allow for each document, a question, and then the cancellation."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
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
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.model.days import today
    from batch_issuer.plan.cancel import SENT
    from batch_issuer.send.naming import find_named, not_known
    from batch_issuer.send.run import outlooks

    session = open_session(output, options)
    names, day = named_references(references, options["file"]), today()
    with closing(open_to_read(session.ledger)) as ledger:
        records, unknown = find_named(ledger, session.company.code, names)
        found = outlooks(ledger, session.company.code, records, day)
    _show(output, found, unknown)
    if options["only_plan"]:
        return _write_plan(output, found, unknown, Path(options["out"]), day)
    if unknown:
        raise not_known(session.ledger, unknown)
    sent = [one for one in found if one.course in SENT]
    if sent and not options["yes"]:
        _ask(output, sent)
    return _cancel(session, names, day, options)


def _cancel(session: Session, names: Sequence[str], day: dt.date, options: Mapping[str, Any]) -> int:
    """Cancel what was shown, and tell how each ended."""
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.ending import finish
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.send.run import cancel

    outcome = cancel(
        ledger_path=session.ledger,
        company=session.company,
        connection=connect(session, options),
        watcher=watcher(session),
        names=names,
        today=day,
    )
    with closing(open_to_read(session.ledger)) as ledger:
        references = list((ledger.run(outcome.run.run).summary or {}).get("refs", ()))
        found = ledger.records(session.company.code, references)
    ends = [(found[reference], _end_of(found[reference])) for reference in references]
    _show_ends(session.output, ends)
    counts = Counter(end for _, end in ends)
    also = {**{end: counts[end] for end in _ENDS}, "cancellations": [_cancellation_json(*one) for one in ends]}
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
    """Say what will happen to each document and until when, then the counts."""
    from batch_issuer.reports.wording import type_name

    text = output.messages.text
    for one in outlooks[:_SHOWN]:
        record = one.record
        head = [record.external_ref, type_name(record.doc_type, output.messages), dollars(_gross(record))]
        head += [record.answer.control_number] if record.answer.control_number else []
        output.show(f"{' · '.join(head)}: {text(_COURSES[one.course.value])}")
        if one.windows:
            output.table(_window_rows(output, one), indent=4)
        for remark in one.remarks:
            output.show(f"    ! {remark.text(output.messages)}")
    if len(outlooks) > _SHOWN:
        output.say(N_("… and {count} more; --plan writes them all."), count=f"{len(outlooks) - _SHOWN:,}")
    for name in unknown[:_SHOWN]:
        output.say(N_("✗ «{name}»: the ledger does not know it"), name=name)
    output.show()
    counts = Counter([one.course.value for one in outlooks] + ["unknown"] * len(unknown))
    output.table(
        [(text(label), f"{counts[course]:,}") for course, label in _COURSES.items() if counts[course]], right=[1]
    )


def _window_rows(output: Output, one: Outlook) -> list[tuple[str, str]]:
    """Return until when the document may be cancelled, by each source that says something of it."""
    from batch_issuer.rules.deadlines import SOURCE_NAMES

    text = output.messages.text
    rows = [
        (text(label), _date(day))
        for label, day in ((N_("issued"), one.issued), (N_("safe until"), one.safe_until))
        if day
    ]
    for window in one.windows:
        until = ""
        if window.last_day is not None:
            until = text(N_("until {day}"), day=_date(window.last_day))
        elif window.not_before is not None:
            until = text(N_("at least until {day}, the end is not known"), day=_date(window.not_before))
        rule = text(window.rule)
        rows.append((text(SOURCE_NAMES[window.source]), f"{until} ({rule})" if until else rule))
    return rows


def _date(day: dt.date) -> str:
    return f"{day:%d/%m/%Y}"


def _gross(record: Record) -> Any:
    return record.expected_gross if record.answer.amounts.gross is None else record.answer.amounts.gross


def _ask(output: Output, outlooks: Sequence[Outlook]) -> None:
    """Go on only with a clear yes: nobody at a terminal is no yes. Raises `CannotStart`."""
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
    """Return what became of a document, as one of `_ENDS`."""
    from batch_issuer.model.records import CancelStep
    from batch_issuer.model.states import State

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


def _show_ends(output: Output, ends: Sequence[tuple[Record, str]]) -> None:
    """Say how it ended: those that need a person one by one, the rest counted."""
    from batch_issuer.reports.wording import REASONS

    text = output.messages.text
    output.show()
    counts = Counter(end for _, end in ends)
    output.table([(text(label), f"{counts[end]:,}") for end, label in _ENDS.items() if counts[end]], right=[1])
    for record, end in ends:
        cancellation = record.cancellation
        if cancellation is not None and cancellation.memo is not None:
            number = cancellation.memo.control_number or cancellation.memo.document_id
            output.say(
                N_("! {ref}: the provider wrote the credit note {number}; it stays in the books."),
                ref=record.external_ref,
                number=number,
            )
        if end in ("refused", "unsure", "not_cancelled"):
            why = (text(REASONS.get(cancellation.reason, "")), cancellation.words) if cancellation else ()
            output.show(f"✗ {record.external_ref}: {' · '.join(filter(None, (text(_ENDS[end]), *why)))}")


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
    """Write the list as JSON, CSV or XLSX by the name, or as a workbook in the folder of the reports.

    Raises `StoppedMidway` where it cannot be written.
    """
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
