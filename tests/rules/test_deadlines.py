from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.rules.deadlines import (
    Source,
    at_the_latest,
    business_day_after,
    credit_note_until,
    days_off,
    deadlines,
    is_business_day,
    safe_until,
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def last_days(doc_type: str, issued: str, activity: str = "") -> dict[Source, dt.date | None]:
    return {one.source: one.last_day for one in deadlines(doc_type, day(issued), day(issued), activity)}


@pytest.mark.parametrize(
    ("stamped", "last_day"),
    [
        ("2026-03-19", "2026-04-20"),  # the manual's own examples
        ("2026-04-25", "2026-05-15"),
        *(
            (f"2026-{month:02}-01", last)
            for month, last in enumerate(
                ["2026-02-13", "2026-03-13", "2026-04-20", "2026-05-15", "2026-06-12", "2026-07-14", "2026-08-20",
                 "2026-09-14", "2026-10-14", "2026-11-16", "2026-12-14"], 1,
            )
        ),
    ],
)  # fmt: skip
def test_the_tenth_business_day_is_the_manuals(stamped: str, last_day: str) -> None:
    """Both examples of MF2, and the dates that follow from the ministry's calendar (domain.md 4)."""
    assert last_days("03", stamped)[Source.MF2] == day(last_day)
    assert last_days("05", stamped)[Source.MF2] == day(last_day)


@pytest.mark.parametrize(
    ("stamped", "last_day"), [("2026-11-30", "2027-02-28"), ("2026-01-15", "2026-04-15"), ("2027-11-30", "2028-02-29")]
)
def test_three_months_end_with_a_shorter_month(stamped: str, last_day: str) -> None:
    """30 November and three months are the last of February; no calendar of days off is needed."""
    for doc_type in ("01", "11", "14"):
        assert last_days(doc_type, stamped)[Source.MF2] == day(last_day)


@pytest.mark.parametrize(
    ("issued", "last_day"), [("2026-01-05", "2026-05-20"), ("2026-03-19", "2026-08-10"), ("2026-08-17", "2026-12-23")]
)
def test_the_provider_gives_90_business_days(issued: str, last_day: str) -> None:
    """Written down with numpy's calendar over the ministry's days off: the 90th day is still one, the 91st is not."""
    assert last_days("01", issued)[Source.PROVIDER] == day(last_day)
    assert credit_note_until(day(issued)) == day(last_day)


def test_some_activities_have_two_years() -> None:
    """MF2 lists them."""
    assert last_days("01", "2026-11-25", "46482")[Source.MF2] == day("2028-11-25")
    assert last_days("03", "2026-03-19", "46482")[Source.MF2] == day("2026-04-20")


def test_the_sources_disagree_and_all_are_shown() -> None:
    """A CCF of 19 March: the next day by the provider and by NC2, 20 April by MF2."""
    found = deadlines("03", day("2026-03-19"), day("2026-03-19"))
    assert [(one.source, one.last_day) for one in found] == [
        (Source.PROVIDER, day("2026-03-20")),
        (Source.NC2, day("2026-03-20")),
        (Source.MF2, day("2026-04-20")),
    ]
    assert (safe_until(found), at_the_latest(found)) == (day("2026-03-20"), day("2026-04-20"))


def test_beyond_the_known_calendar_nothing_is_guessed() -> None:
    """No last day, and a day until which it is certain; of years without a calendar not even that."""
    november = deadlines("01", day("2026-11-25"), day("2026-11-25"))[0]
    assert (november.last_day, november.not_before) == (None, day("2026-12-31"))
    assert safe_until(deadlines("01", day("2026-11-25"), day("2026-11-25"))) == day("2026-12-31")
    december = deadlines("03", day("2026-12-02"), day("2026-12-02"))[2]
    assert (december.last_day, december.not_before) == (None, day("2026-12-31"))
    before = deadlines("01", day("2025-12-02"), day("2025-12-02"))[0]
    assert (before.last_day, before.not_before) == (None, None)
    assert credit_note_until(day("2026-12-02")) is None


@given(st.dates(day("2026-01-01"), day("2026-12-31")), st.integers(1, 120))
def test_business_days_are_counted_one_by_one(start: dt.date, count: int) -> None:
    """So many working days lie between the start and the last day, which is one itself; or the calendar is over."""
    last = business_day_after(start, count)
    if last is None:
        left = [start + dt.timedelta(days=one) for one in range(1, (day("2026-12-31") - start).days + 1)]
    else:
        left = [start + dt.timedelta(days=one) for one in range(1, (last - start).days + 1)]
    working = [one for one in left if one.weekday() < 5 and one not in days_off()]
    assert len(working) < count if last is None else (len(working) == count and last == working[-1])


@pytest.mark.parametrize("day", [dt.date(2025, 12, 31), dt.date(2027, 1, 1)])
def test_of_a_year_without_known_days_off_no_day_is_called_a_business_day(day: dt.date) -> None:
    """The ministry publishes its days off a year at a time: to guess one would promise a day too many."""
    with pytest.raises(ValueError, match=day.isoformat()):
        is_business_day(day)
