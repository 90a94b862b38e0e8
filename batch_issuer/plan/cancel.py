"""What cancelling a document would mean, computed before anything is done: pure, like the plan of an issue.

Nothing here forbids what the sources leave open (domain.md 4): the dates of every source are shown, and the provider
answers. Held back is only what cannot be right: documents that were never issued, or whose fate is not known yet, and
a CCF with a living credit note.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from batch_issuer.messages import N_, Messages
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.records import UNDER_WAY, Record
from batch_issuer.model.states import IN_DOUBT, State
from batch_issuer.rules.deadlines import (
    CALENDAR_YEAR,
    Deadline,
    at_the_latest,
    credit_note_until,
    deadlines,
    safe_until,
)


class Course(StrEnum):
    """What will happen to a document."""

    INVALIDATE = "invalidate"
    CREDIT_NOTE = "credit-note"
    """By its own rule the provider writes a credit note over the whole CCF instead."""
    ASK = "ask"
    """A cancellation is in doubt or under way: it is asked about first, and asked for again only if there is none."""
    NOTHING = "nothing"
    """It is cancelled already."""
    HELD_BACK = "held-back"
    """It cannot be cancelled as things stand."""


SENT = (Course.INVALIDATE, Course.CREDIT_NOTE, Course.ASK)
"""Courses in which the provider is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to know before saying yes: a catalog text with what fills its places."""

    message: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    def text(self, messages: Messages) -> str:
        return messages.text(self.message, **self.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """One document that is to be cancelled, what will happen, and until when which source allows it."""

    record: Record
    course: Course
    issued: dt.date | None = None
    """The day of issue in El Salvador, as far as we know."""
    windows: tuple[Deadline, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def safe_until(self) -> dt.date | None:
        return safe_until(self.windows)

    @property
    def at_the_latest(self) -> dt.date | None:
        return at_the_latest(self.windows)


def outlook(
    record: Record,
    today: dt.date,
    *,
    live_notes: Sequence[str] = (),
    also_cancelled: Collection[str] = (),
    activity: str = "",
) -> Outlook:
    """Return what cancelling this document today would mean.

    `live_notes` are references of credit notes that adjust it; those in `also_cancelled` go with it, and first.
    """
    if record.state is State.CANCELLED:
        return Outlook(record=record, course=Course.NOTHING, issued=_issued(record))
    if (reason := _NOT_ISSUED.get(record.state)) is not None:
        return Outlook(record=record, course=Course.HELD_BACK, remarks=(Remark(message=reason),))
    issued = _issued(record) or today
    stamped = _day(record.settled_at) or issued
    found = deadlines(record.doc_type, issued, stamped, activity)
    standing = [reference for reference in live_notes if reference not in also_cancelled]
    if standing:
        message = N_("Credit notes adjust it ({notes}). Cancel them first, or together with it.")
        course, remarks = Course.HELD_BACK, [Remark(message=message, parameters={"notes": ", ".join(standing)})]
    else:
        course = _course(record, issued, today)
        remarks = [*_remarks(record, course), *_clock(course, found, issued, today)]
    return Outlook(record=record, course=course, issued=issued, windows=found, remarks=tuple(remarks))


_NOT_ISSUED: Mapping[State, str] = {
    State.PLANNED: N_("It was never sent: there is nothing to cancel."),
    State.INVALID: N_("The provider refused it and created nothing: there is nothing to cancel."),
    State.REJECTED: N_("The ministry rejected it, it never was valid: there is nothing to cancel."),
    **dict.fromkeys(IN_DOUBT, N_("It is not known whether it exists. First run: batch-issuer refresh")),
}
"""States in which nothing can be cancelled, and why."""


def _course(record: Record, issued: dt.date, today: dt.date) -> Course:
    """Return what will happen to an issued document that nothing holds back."""
    if record.cancellation is not None and record.cancellation.step in UNDER_WAY:
        return Course.ASK
    # The provider invalidates a CCF on its day and the day after; later it writes a credit note (provider.md 10).
    if record.doc_type == "03" and today > issued + dt.timedelta(days=1):
        return Course.CREDIT_NOTE
    return Course.INVALIDATE


def _remarks(record: Record, course: Course) -> list[Remark]:
    """Return what is to be known of the document and of the course, whatever the day."""
    holds = {
        N_("It has no stamp yet: the provider may refuse, and it may end stamped or rejected."): (
            record.state is State.CONTINGENCY
        ),
        N_("It was issued before this ledger knew it: its day of issue may be earlier than shown here."): (
            record.unexpected_duplicate
        ),
        N_("Its cancellation was asked for before and is not settled: that is asked about first."): (
            course is Course.ASK
        ),
        N_(
            "The provider will not invalidate it but write a CREDIT NOTE over the whole of it: both documents "
            "stay in the books. (One of its pages says this happens only after three months.)"
        ): course is Course.CREDIT_NOTE,
    }
    return [Remark(message=message) for message, said in holds.items() if said]


def _clock(course: Course, found: tuple[Deadline, ...], issued: dt.date, today: dt.date) -> list[Remark]:
    """Say what today's date means; it warns and never forbids."""
    remarks = []
    if course is Course.CREDIT_NOTE:
        message = N_("The 90 business days for that credit note ended on {day}: it will probably be refused.")
        ends = [(credit_note_until(issued), message)]
    else:
        latest = at_the_latest(found) if all(one.last_day for one in found) else None
        ends = [
            (latest, N_("By every source the time ended on {day}: it will probably be refused.")),
            (safe_until(found), N_("Since {day} the sources disagree whether it can still be invalidated.")),
        ]
    if passed := [(day, message) for day, message in ends if day is not None and today > day]:
        day, message = passed[0]
        remarks.append(Remark(message=message, parameters={"day": f"{day:%d/%m/%Y}"}))
    if any(one.last_day is None and one.not_before is not None for one in found):
        message = N_("Days after {year} cannot be counted: the ministry's days off of {next} are not known here.")
        remarks.append(Remark(message=message, parameters={"year": CALENDAR_YEAR, "next": CALENDAR_YEAR + 1}))
    return remarks


def _issued(record: Record) -> dt.date | None:
    return _day(record.first_sent_at or record.numbered_at)


def _day(moment: str) -> dt.date | None:
    """Return the day in El Salvador of a time of the ledger."""
    return dt.datetime.fromisoformat(moment).astimezone(EL_SALVADOR).date() if moment else None
