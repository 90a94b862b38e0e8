"""Until when a document can be invalidated, as each source has it: they disagree, and none of them is chosen here.

Sources: MF2 is the ministry's "Manual Funcional" 2.0 (25 May 2026, pages 11-12), NC2 its "Normativa de Cumplimiento"
2.0, annex V; the provider's pages are provider.md 10. Days are El Salvador's. Days off are those of the ministry's own
calendar of 2026 (`data/holidays-2026.csv`), which reproduce both examples of MF2 (19 March to 20 April, 25 April to
15 May); of other years nothing is known, and nothing is guessed.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from batch_issuer.messages import N_

CALENDAR_YEAR = 2026
_SATURDAY = 5
_PROVIDER_DAYS = 90
"""Business days in which an 01 is invalidated, and a credit note for a CCF made (provider.md 10)."""
_LONG_ACTIVITIES = frozenset({"21001", "21008", "46482", "46484", "46491", "47721"})
"""Issuers of these activities have two years for 01, 11 and 14 (MF2, pages 11-12)."""


class Source(StrEnum):
    """Who says so."""

    PROVIDER = "provider"
    MF2 = "mf2"
    NC2 = "nc2"


SOURCE_NAMES: Mapping[Source, str] = {
    Source.PROVIDER: N_("the provider's pages"),
    Source.MF2: N_("the ministry's Manual Funcional 2.0"),
    Source.NC2: N_("the ministry's Normativa de Cumplimiento 2.0"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The last day on which one source allows the invalidation, that day included."""

    source: Source
    rule: str
    """Catalog text of the rule."""
    last_day: dt.date | None = None
    """None where it cannot be said: the source is silent, or the days lie beyond the calendar that is known."""
    not_before: dt.date | None = None
    """Where `last_day` is not known: a day until which it is allowed for certain."""


@cache
def days_off() -> frozenset[dt.date]:
    """Return the ministry's days off in 2026, weekends apart."""
    text = (files(__package__) / "data" / f"holidays-{CALENDAR_YEAR}.csv").read_text(encoding="utf-8")
    return frozenset(dt.date.fromisoformat(row["date"]) for row in csv.DictReader(text.splitlines()))


def is_business_day(day: dt.date) -> bool:
    """Whether the ministry works on a day of 2026. Raises `ValueError` for another year."""
    if day.year != CALENDAR_YEAR:
        raise ValueError(day)
    return day.weekday() < _SATURDAY and day not in days_off()


def business_day_after(day: dt.date, count: int) -> dt.date | None:
    """Return the business day so many after a day; None where that lies beyond the known calendar."""
    while count:
        day += dt.timedelta(days=1)
        if day.year != CALENDAR_YEAR:
            return None
        # A bool counts as 0 or 1: days off are passed over.
        count -= is_business_day(day)
    return day


def deadlines(doc_type: str, issued: dt.date, stamped: dt.date, activity: str = "") -> tuple[Deadline, ...]:
    """Return what each source says of a document of this type, issued and stamped on these days of El Salvador."""
    match doc_type:
        case "01":
            last_day = business_day_after(issued, _PROVIDER_DAYS)
            # Counted to the end of the days off that are known: the last day lies behind it.
            beyond = dt.date(CALENDAR_YEAR, 12, 31) if last_day is None and issued.year == CALENDAR_YEAR else None
            rule = N_("90 business days from the issue")
            return (
                Deadline(source=Source.PROVIDER, rule=rule, last_day=last_day, not_before=beyond),
                _three_months(stamped, activity),
            )
        case "03":
            next_day = issued + dt.timedelta(days=1)
            rule = N_("the day of issue and the day after; later it writes a credit note")
            return (
                Deadline(source=Source.PROVIDER, rule=rule, last_day=next_day),
                _day_after(stamped),
                _tenth_business_day(stamped),
            )
        case "05":
            return (_unsaid(), _day_after(stamped), _tenth_business_day(stamped))
        case _:
            return (_unsaid(), _three_months(stamped, activity))


def credit_note_until(issued: dt.date) -> dt.date | None:
    """Return the last day for the provider's own credit note in place of a late CCF; None where it is not known."""
    return business_day_after(issued, _PROVIDER_DAYS)


def safe_until(found: tuple[Deadline, ...]) -> dt.date | None:
    """Return the last day on which every source that speaks allows it for certain; None where none is certain."""
    return min((day for one in found if (day := one.last_day or one.not_before)), default=None)


def at_the_latest(found: tuple[Deadline, ...]) -> dt.date | None:
    """Return the latest of the last days that are known."""
    return max((one.last_day for one in found if one.last_day), default=None)


def _unsaid() -> Deadline:
    return Deadline(source=Source.PROVIDER, rule=N_("says nothing of this type: see the ministry's rules"))


def _three_months(stamped: dt.date, activity: str) -> Deadline:
    if activity in _LONG_ACTIVITIES:
        return Deadline(
            source=Source.MF2, rule=N_("2 years from the stamp, for this activity"), last_day=_months_after(stamped, 24)
        )
    return Deadline(source=Source.MF2, rule=N_("3 months from the stamp"), last_day=_months_after(stamped, 3))


def _day_after(stamped: dt.date) -> Deadline:
    return Deadline(source=Source.NC2, rule=N_("1 day after the stamp"), last_day=stamped + dt.timedelta(days=1))


def _tenth_business_day(stamped: dt.date) -> Deadline:
    end_of_month = stamped.replace(day=calendar.monthrange(stamped.year, stamped.month)[1])
    last_day = business_day_after(end_of_month, 10)
    return Deadline(
        source=Source.MF2,
        rule=N_("10th business day of the month after the stamp"),
        last_day=last_day,
        not_before=None if last_day else end_of_month,
    )


def _months_after(day: dt.date, months: int) -> dt.date:
    """Return the same day of a later month, or that month's last: 30 November and three months are 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
