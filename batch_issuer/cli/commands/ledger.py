"""`ledger show|export|verify|backup|restore`: looking into the ledger, copying it, and putting a copy in its place."""

from __future__ import annotations

import codecs
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output, silence
from batch_issuer.cli.screen.tables import harmless
from batch_issuer.messages import N_
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import CancelStep, Event, Kind, Note, Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import STATE_NAMES
from batch_issuer.reports.wording import REASONS

if TYPE_CHECKING:
    from batch_issuer.ledger.store import Ledger
    from batch_issuer.ledger.verify import Verified


@click.group("ledger", cls=program.Group, help=program.COMMANDS["ledger"][1])
@program.language_option
def command() -> None:
    """Only the group."""


def _opened(path: str) -> closing[Ledger]:
    from batch_issuer.ledger.opening import open_to_read

    return closing(open_to_read(Path(path)))


@command.command("show", help=N_("Show one document's whole story."))
@program.argument("reference", metavar="REF")
@program.common
@program.with_output
def show(output: Output, reference: str, **options: Any) -> int:
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.export import export_row

    session = open_session(output, options)
    with _opened(options["ledger"]) as ledger:
        record = ledger.record(session.company.code, reference)
        story = ledger.story(session.company.code, reference)
        notes = [note for note in ledger.notes(session.company.code) if note.external_ref == reference]
    if record is None:
        raise CannotStart(
            N_("The ledger {path} does not know «{reference}» of «{company}»."),
            repair=N_("References are written exactly as in the file; `batch-issuer ledger export` lists them all."),
            path=options["ledger"],
            reference=reference,
            company=session.company.name or session.company.code,
        )
    _show_record(output, record)
    output.show()
    text = output.messages.text
    happened = [(event.seq, _local(event.at), text(_HAPPENED[event.kind]), _gist(output, event)) for event in story]
    happened += [(note.seq, _local(note.at), text(N_("note by {by}"), by=note.by), note.reason) for note in notes]
    output.table([tuple(parts) for _, *parts in sorted(happened)])
    events = [
        {"seq": one.seq, "at": one.at, "run": one.run, "kind": one.kind.value, "body": json.loads(one.body)}
        for one in story
    ]
    output.give({**export_row(record, notes), "events": events, "exit_code": 0})
    return 0


def _show_record(output: Output, record: Record) -> None:
    """Say what the ledger knows of a document; nothing where it knows nothing."""
    from batch_issuer.model.money import dollars

    answer, source, messages, text = record.answer, record.source, output.messages, output.messages.text
    numbers = ", ".join(map(str, source.rows))
    place = (source.file, source.sheet, messages.count("row {rows}", "rows {rows}", len(source.rows), rows=numbers))
    first = _local(record.first_sent_at)
    rows = [
        (text(N_("Reference")), record.external_ref),
        (text(N_("State")), _joined(text(STATE_NAMES[record.state]), _reason(output, record.reason))),
        (text(N_("Control number")), answer.control_number),
        (text(N_("Generation code")), answer.generation_code),
        (text(N_("Stamp")), answer.reception_stamp),
        *_cancellation_rows(output, record),
        (text(N_("Total")), dollars(record.expected_gross)),
        (text(N_("The provider's total")), "" if answer.amounts.gross is None else dollars(answer.amounts.gross)),
        (text(N_("Expected to be withheld")), dollars(record.expected_retention) if record.expected_retention else ""),
        (text(N_("The provider withheld")), dollars(answer.amounts.retention) if answer.amounts.retention else ""),
        (text(N_("Adjusts")), record.adjusts),
        (text(N_("Customer")), record.customer),
        (
            text(N_("The provider's words")),
            _joined(answer.said_with_code, "" if answer.detail in answer.words else answer.detail),
        ),
        (text(N_("Source")), _joined(*place)),
        (
            text(N_("Sent")),
            messages.count("{n} time, first {when}", "{n} times, first {when}", record.attempts, when=first),
        ),
    ]
    output.table([row for row in rows if row[1]])


def _cancellation_rows(output: Output, record: Record) -> list[tuple[str, str]]:
    cancellation, text = record.cancellation, output.messages.text
    if cancellation is None:
        return []
    reason = _reason(output, cancellation.reason)
    memo = cancellation.memo
    return [
        (text(N_("Cancellation")), _joined(text(CANCEL_STEPS[cancellation.step]), reason, cancellation.words)),
        (text(N_("Stamp of the cancellation")), cancellation.stamp),
        (text(N_("Credit note instead")), f"{memo.control_number} · {memo.document_id}" if memo else ""),
    ]


_HAPPENED: Mapping[Kind, str] = {
    Kind.PLANNED: N_("written down"),
    Kind.SENDING: N_("sent"),
    Kind.ANSWERED: N_("answered"),
    Kind.UNANSWERED: N_("no answer"),
    Kind.RELEASED: N_("free to be sent"),
    Kind.CANCELLING: N_("cancellation asked for"),
    Kind.CANCEL_ANSWERED: N_("cancellation answered"),
    Kind.CANCEL_UNANSWERED: N_("no answer to the cancellation"),
    Kind.RECOGNISED: N_("said to be this sale"),
    Kind.WITHDRAWN: N_("withdrawn"),
    Kind.LOOK_OWED: N_("its status is to be asked"),
}


def _gist(output: Output, event: Event) -> str:
    """Return what an event says: the state, why, and the provider's words."""
    body = json.loads(event.body)
    answer = body.get("answer", {})
    parts = [
        output.messages.text(STATE_NAMES[State(body["state"])]).lower() if body.get("state") else "",
        output.messages.text(CANCEL_STEPS[CancelStep(body["step"])]) if body.get("step") else "",
        _reason(output, body.get("reason", "")),
        body.get("detail", ""),
        body.get("words", ""),
        body.get("memo", {}).get("control_number", ""),
        *(answer.get(name) for name in ("control_number", "codigo_msg", "detail")),
    ]
    return _joined(*(str(part) for part in parts if part))


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


CANCEL_STEPS: Mapping[CancelStep, str] = {
    CancelStep.REQUESTED: N_("not known whether it is cancelled"),
    CancelStep.PENDING: N_("taken; the ministry has not answered yet"),
    CancelStep.REFUSED: N_("not cancelled"),
    CancelStep.DONE: N_("cancelled"),
}


def _reason(output: Output, code: str) -> str:
    return output.messages.text(REASONS.get(code, "")) or code


def _local(moment: str) -> str:
    import datetime as dt

    if not moment:
        return "–"
    return f"{dt.datetime.fromisoformat(moment).astimezone(EL_SALVADOR):%d/%m/%Y %H:%M:%S}"


@command.command("export", help=N_("Write all documents as JSON Lines, CSV or XLSX."))
@program.option(
    "--format", "form", type=click.Choice(["jsonl", "csv", "xlsx"]), default="jsonl", show_default=True,
    help=N_("Format of the output."),
)  # fmt: skip
@program.option(
    "--out", "-o", metavar=N_("FILE"), help=N_("Where to write; by default standard output (not for xlsx).")
)
@program.common
@program.with_output
def export(output: Output, form: str, out: str | None, **options: Any) -> int:
    from batch_issuer.ledger.export import sign_off_row

    if form == "xlsx" and out is None:
        raise click.UsageError(output.messages.text(N_("--format xlsx needs --out FILE.")))
    company = options["company"]
    with _opened(options["ledger"]) as ledger:
        rows = _export_rows(ledger, company)
        if output.as_json and out is None:
            owners = [company] if company else ledger.companies()
            signed = [sign_off_row(owner, one) for owner in owners for one in ledger.sign_offs(owner)]
            output.give({"documents": list(rows), "sign_offs": signed, "exit_code": 0})
            return 0
        count = _write(rows, form, Path(out)) if out else _print(rows, form)
    if out:
        output.show(
            output.messages.count("{n} document is in {path}.", "{n} documents are in {path}.", count, path=out)
        )
        output.give({"documents": count, "file": out, "exit_code": 0})
    return 0


def _export_rows(ledger: Ledger, company: str | None) -> Iterator[dict[str, Any]]:
    """Every document with the notes about it."""
    from batch_issuer.ledger.export import export_row

    notes: dict[tuple[str, str], list[Note]] = {}
    for owner in [company] if company else ledger.companies():
        for note in ledger.notes(owner):
            notes.setdefault((owner, note.external_ref), []).append(note)
    for record in ledger.all_records(company):
        yield export_row(record, notes.get((record.company, record.external_ref), ()))


def _print(rows: Iterable[dict[str, Any]], form: str) -> int:
    """On standard output, of which a reader may take as much as he wants."""
    count = 0
    try:
        count = _WRITERS[form](rows, sys.stdout)
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise CannotStart(
                N_("The output could not be written: {reason}."), reason=error.strerror or str(error)
            ) from error
    return count


def _write(rows: Iterable[dict[str, Any]], form: str, path: Path) -> int:
    """Write a file for its owner only, whole or not at all."""
    from batch_issuer.files import draft, put

    try:
        with draft(path) as file:
            if form == "xlsx":
                from batch_issuer.reports.workbook.export import sheet_content

                content, count = sheet_content(map(_flat, rows))
                file.write(content)
            else:
                count = _WRITERS[form](rows, codecs.getwriter("utf-8")(file))
            put(file, path)
    except OSError as error:
        raise CannotStart(
            N_("{path} cannot be written: {reason}."),
            repair=N_("Choose another place."),
            path=path,
            reason=error.strerror or str(error),
        ) from error
    return count


def _write_lines(rows: Iterable[dict[str, Any]], file: Any) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is what is given back
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _write_csv(rows: Iterable[dict[str, Any]], file: Any) -> int:
    writer, count = None, 0
    for count, row in enumerate(map(_flat, rows), 1):  # noqa: B007 - as above
        if writer is None:
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
        writer.writerow({name: harmless(value) for name, value in row.items()})
    return count


_WRITERS = {"jsonl": _write_lines, "csv": _write_csv}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    source = row.pop("source")
    rows = ", ".join(str(number) for number in source["rows"])
    return {
        **row,
        "observaciones": "; ".join(row["observaciones"]),
        "notes": "; ".join(f"{note['by']}: {note['reason']}" for note in row["notes"]),
        "source_file": source["file"],
        "source_sheet": source["sheet"],
        "source_rows": rows,
    }


@command.command("verify", help=N_("Check that nothing was changed, removed or reordered since it was written."))
@program.option("--rebuild", "rebuilds", is_flag=True, help=N_("Write the current state anew from the events."))
@program.common
@program.with_output
def verify_command(output: Output, *, rebuilds: bool, **options: Any) -> int:
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_write
    from batch_issuer.ledger.verify import rebuild, verify

    path = Path(options["ledger"])
    if rebuilds:
        session = open_session(output, options)
        with open_to_write(path, session.company.code, create=False) as ledger:
            verified = rebuild(ledger)
    else:
        with _opened(options["ledger"]) as ledger:
            verified = verify(ledger)
    _say_verified(output, path, verified)
    code = 2 if verified.damages else 0
    output.give(
        {
            "events": verified.events,
            "documents": verified.documents,
            "head": verified.head,
            "damages": [
                {"event": one.seq, "external_ref": one.external_ref, "message": output.messages.text(one.message)}
                for one in verified.damages
            ],
            "exit_code": code,
        }
    )
    return code


def _say_verified(output: Output, path: Path, verified: Verified) -> None:
    """Say whether the ledger is sound; else what is wrong first, and what to do."""
    events = f"{verified.events:,}"
    if not verified.damages:
        sound = N_("{path} is sound: {events} events, {documents} documents. Last event {head}…")
        output.say(sound, path=path, events=events, documents=f"{verified.documents:,}", head=verified.head[:16])
        return
    first = verified.damages[0]
    message = output.messages.text(first.message)
    if first.seq:
        output.say(
            N_("{path} is damaged at event {seq}{reference}: {message}. The {events} events before it are good."),
            path=path,
            seq=first.seq,
            reference=f" ({first.external_ref})" if first.external_ref else "",
            message=message,
            events=events,
        )
        output.say(
            N_("Put your newest backup in its place: batch-issuer ledger restore BACKUP --ledger {path}"), path=path
        )
    else:
        output.say(
            N_("{path}: the events are sound, but {count} entries of the current state do not follow. The first:"),
            path=path,
            count=f"{len(verified.damages):,}",
        )
        output.show(f"  {first.external_ref or '–'}: {message}")
        output.say(N_("Write it anew with: batch-issuer ledger verify --rebuild"))


@command.command("backup", help=N_("Make a consistent copy, even while a run writes."))
@program.argument("copy", metavar=N_("FILE"))
@program.common
@program.with_output
def backup_command(output: Output, copy: str, **options: Any) -> int:
    from batch_issuer.ledger.export import backup

    with _opened(options["ledger"]):
        size = backup(Path(options["ledger"]), Path(copy))
    output.say(
        N_("{path} is a copy of {ledger} ({size} bytes)."), path=copy, ledger=options["ledger"], size=f"{size:,}"
    )
    output.give({"file": copy, "bytes": size, "exit_code": 0})
    return 0


@command.command("restore", help=N_("Put a backup in the ledger's place; the file that was there is kept."))
@program.argument("backup", metavar=N_("FILE"))
@program.option("--yes", is_flag=True, help=N_("Do it although the ledger has what the backup lacks."))
@program.common
@program.with_output
def restore_command(output: Output, backup: str, *, yes: bool, **options: Any) -> int:
    from batch_issuer.ledger.restore import restore

    done = restore(Path(backup), Path(options["ledger"]), sure=yes)
    output.say(N_("{path} is now a copy of {backup}."), path=options["ledger"], backup=backup)
    if done.newest_at:
        output.say(N_("The backup's newest event is of {when}."), when=_local(done.newest_at))
    if done.replaced:
        output.say(N_("The file that was there is kept beside it as {name}."), name=done.replaced)
    output.show(
        output.messages.count(
            "It has {n} document. To be asked about, as it may have been cancelled since: {looks}.",
            "It has {n} documents. To be asked about, as they may have been cancelled since: {looks}.",
            done.documents,
            looks=f"{done.looks_owed:,}",
        )
    )
    output.say(
        N_(
            "Now run batch-issuer refresh, and then batch-issuer issue again with every file since that day: "
            "each document is looked for at the provider before it is sent."
        )
    )
    plain = {"path": options["ledger"], "replaced": done.replaced, "head": list(done.head)}
    output.give({**plain, "documents": done.documents, "looks_owed": done.looks_owed, "exit_code": 0})
    return 0
