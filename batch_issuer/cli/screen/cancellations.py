"""How cancellations look: what will happen to each document and until when, and how each ended."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars
from batch_issuer.reports.wording import REASONS, type_name
from batch_issuer.rules.deadlines import SOURCE_NAMES

if TYPE_CHECKING:
    from batch_issuer.model.records import Record
    from batch_issuer.plan.cancel import Outlook

_SHOWN = 20
"""Documents of which the screen tells everything; the plan's file has them all."""
_COURSES: Mapping[str, str] = {
    "invalidate": N_("to be invalidated"),
    "credit-note": N_("to be replaced by the provider's own credit note"),
    "ask": N_("asked for before: to be asked about first"),
    "nothing": N_("already cancelled"),
    "held-back": N_("held back"),
    "unknown": N_("not in the ledger"),
}


def show_outlooks(output: Output, outlooks: Sequence[Outlook], unknown: Sequence[str]) -> None:
    """Say what will happen to each document and until when, then the counts."""
    text = output.messages.text
    for one in outlooks[:_SHOWN]:
        record = one.record
        head = [record.external_ref, type_name(record.doc_type, output.messages), dollars(gross_of(record))]
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


ENDS: Mapping[str, str] = {
    "cancelled": N_("cancelled"),
    "pending": N_("taken; the ministry has not answered yet: batch-issuer refresh"),
    "refused": N_("not cancelled: refused"),
    "unsure": N_("not known whether it is cancelled: run the same command again"),
    "not_cancelled": N_("not cancelled: nothing was asked for"),
}


def gross_of(record: Record) -> Decimal:
    """Return what the provider says that a document came to, else what was expected of it."""
    return record.expected_gross if record.answer.amounts.gross is None else record.answer.amounts.gross


def show_ends(output: Output, ends: Sequence[tuple[Record, str]]) -> None:
    """Say how it ended: those that need a person one by one, the rest counted."""
    text = output.messages.text
    output.show()
    counts = Counter(end for _, end in ends)
    output.table([(text(label), f"{counts[end]:,}") for end, label in ENDS.items() if counts[end]], right=[1])
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
            output.show(f"✗ {record.external_ref}: {' · '.join(filter(None, (text(ENDS[end]), *why)))}")
