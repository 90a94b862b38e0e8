"""How one document looks: what the ledger knows of it, and what happened to it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping

from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.money import dollars
from batch_issuer.model.records import Cancellation, CancelStep, Event, Kind, Note, Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import STATE_NAMES
from batch_issuer.reports.wording import REASONS


def show_document(output: Output, record: Record) -> None:
    """Say what the ledger knows of a document; lines of which it knows nothing are left out."""
    answer, source, messages, text = record.answer, record.source, output.messages, output.messages.text
    numbers = ", ".join(map(str, source.rows))
    place = (source.file, source.sheet, messages.count("row {rows}", "rows {rows}", len(source.rows), rows=numbers))
    detail = "" if answer.detail in answer.words else answer.detail  # often the same words once more
    first = local_time(record.first_sent_at)
    rows = [
        (text(N_("Reference")), record.external_ref),
        (text(N_("State")), _joined(text(STATE_NAMES[record.state]), _reason(output, record.reason))),
        (text(N_("Control number")), answer.control_number),
        (text(N_("Generation code")), answer.generation_code),
        (text(N_("Stamp")), answer.reception_stamp),
        *_cancellation_rows(output, record.cancellation),
        (text(N_("Total")), dollars(record.expected_gross)),
        (text(N_("The provider's total")), "" if answer.amounts.gross is None else dollars(answer.amounts.gross)),
        (text(N_("Expected to be withheld")), dollars(record.expected_retention) if record.expected_retention else ""),
        (text(N_("The provider withheld")), dollars(answer.amounts.retention) if answer.amounts.retention else ""),
        (text(N_("Adjusts")), record.adjusts),
        (text(N_("Customer")), record.customer),
        (text(N_("The provider's words")), _joined(answer.said_with_code, detail)),
        (text(N_("Source")), _joined(*place)),
        (
            text(N_("Sent")),
            messages.count("{n} time, first {when}", "{n} times, first {when}", record.attempts, when=first),
        ),
    ]
    output.table([row for row in rows if row[1]])


def _cancellation_rows(output: Output, cancellation: Cancellation | None) -> list[tuple[str, str]]:
    """Return the labels and values of a cancellation; none where nobody asked for one."""
    text = output.messages.text
    if cancellation is None:
        return []
    reason = _reason(output, cancellation.reason)
    memo = cancellation.memo
    return [
        (text(N_("Cancellation")), _joined(text(_CANCEL_STEPS[cancellation.step]), reason, cancellation.words)),
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


def show_story(output: Output, story: Iterable[Event], notes: Iterable[Note]) -> None:
    """Say what happened to a document, events and notes in the order in which they were written."""
    text = output.messages.text
    happened = [(note.seq, note.at, text(N_("note by {by}"), by=note.by), note.reason) for note in notes]
    for event in story:
        body = json.loads(event.body)
        answer = body.get("answer", {})
        gist = (
            text(STATE_NAMES[State(body["state"])]).lower() if body.get("state") else "",
            text(_CANCEL_STEPS[CancelStep(body["step"])]) if body.get("step") else "",
            _reason(output, body.get("reason", "")),
            body.get("detail", ""),
            body.get("words", ""),
            body.get("memo", {}).get("control_number", ""),
            *(answer.get(name) for name in ("control_number", "codigo_msg", "detail")),
        )
        happened.append((event.seq, event.at, text(_HAPPENED[event.kind]), _joined(*(str(one) for one in gist if one))))
    output.table([(local_time(at), what, said) for _, at, what, said in sorted(happened)])


_CANCEL_STEPS: Mapping[CancelStep, str] = {
    CancelStep.REQUESTED: N_("not known whether it is cancelled"),
    CancelStep.PENDING: N_("taken; the ministry has not answered yet"),
    CancelStep.REFUSED: N_("not cancelled"),
    CancelStep.DONE: N_("cancelled"),
}


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _reason(output: Output, code: str) -> str:
    """Return why, in words; a code without words stays as it is."""
    return output.messages.text(REASONS.get(code, "")) or code


def local_time(moment: str) -> str:
    """Return an ISO moment as date and time of El Salvador; a dash where there is none."""
    if not moment:
        return "–"
    return f"{dt.datetime.fromisoformat(moment).astimezone(EL_SALVADOR):%d/%m/%Y %H:%M:%S}"
