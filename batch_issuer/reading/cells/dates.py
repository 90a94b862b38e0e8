"""Dates as people write them: strict reading under one order, and finding the order from a whole column."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from batch_issuer.model.documents import EL_SALVADOR

Order = Literal["dmy", "mdy", "ymd"]
ORDERS: tuple[Order, ...] = ("dmy", "mdy", "ymd")

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "ene enero jan january", "feb febrero february", "mar marzo march", "abr abril apr april", "may mayo",
            "jun junio june", "jul julio july", "ago agosto aug august", "sep sept set septiembre setiembre september",
            "oct octubre october", "nov noviembre november", "dic diciembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_TIME = re.compile(
    r"(?:[T\s,]+)(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)\s*"
    r"(?P<half>[ap]\.?\s?m\.?)?\s*(?P<zone>Z|UTC|[-+][0-9]{2}:?[0-9]{2})?",
    re.IGNORECASE,
)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-2][0-9]:[0-5][0-9](?::[0-5][0-9])?)?")
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_COMPACT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_SHORT_YEAR = re.compile(r"([0-9]{2}|[0-9])([-/.])([0-9]{1,2})\2([0-9]{2})")
_DAY_MONTH_NAME = re.compile(r"([0-9]{1,2})[-/ .]+(?:de\s+)?([a-z]+)\.?[-/ .,]+(?:de[l]?\s+)?([0-9]{4}|[0-9]{2})")
_MONTH_NAME_DAY = re.compile(r"([a-z]+)\.?\s+([0-9]{1,2})(?:st|nd|rd|th)?,?\s+([0-9]{4})")
_MINUTE = dt.timedelta(minutes=1)
_WEEKDAY = re.compile(r"^(?:lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo|[a-z]{3,9}day),?\s+")


def read_date(text: str, order: Order) -> dt.date | None:
    """Return the date of a text under one order, or None. Years of two digits are of this century."""
    # Workbooks give every moment so, and thousands of them differ: through `readings` each takes three times as long.
    if _ISO.fullmatch(text) and (found := _date(int(text[:4]), int(text[5:7]), int(text[8:10]))) is not None:
        return found
    return readings(text).get(order)


def readings(text: str) -> dict[Order, dt.date]:
    """Return the date under every order that allows one; equal under all where the text leaves no doubt."""
    day, clock = _split_time(text)
    if day is None:
        return {}
    found = _certain(day)
    if found is not None:
        return dict.fromkeys(ORDERS, _local(found, clock))
    parts = _YEAR_LAST.fullmatch(day) or _SHORT_YEAR.fullmatch(day)
    if parts is None:
        return {}
    first, second, last = int(parts[1]), int(parts[3]), parts[4]
    year = int(last) if len(last) == 4 else 2000 + int(last)
    dates = {"dmy": _date(year, second, first), "mdy": _date(year, first, second)}
    # `26-01-31` may be year first: some programs shorten the ISO date so, always with hyphens and two digits.
    if len(last) == 2 and len(parts[1]) == 2 and parts[2] == "-":
        dates["ymd"] = _date(2000 + first, second, int(last))
    return {order: _local(date, clock) for order in ORDERS if (date := dates.get(order)) is not None}


def _certain(day: str) -> dt.date | None:
    """Return a date that can be read in one way only: with its year first, or its month by name."""
    if parts := _YEAR_FIRST.fullmatch(day):
        return _date(int(parts[1]), int(parts[3]), int(parts[4]))
    if parts := _COMPACT.fullmatch(day):
        return _date(int(parts[1]), int(parts[2]), int(parts[3]))
    named = _WEEKDAY.sub("", day.lower())
    if (parts := _DAY_MONTH_NAME.fullmatch(named)) and parts[2] in _MONTHS:
        year = int(parts[3])
        return _date(year if year > 99 else 2000 + year, _MONTHS[parts[2]], int(parts[1]))
    if (parts := _MONTH_NAME_DAY.fullmatch(named)) and parts[1] in _MONTHS:
        return _date(int(parts[3]), _MONTHS[parts[1]], int(parts[2]))
    return None


def _split_time(text: str) -> tuple[str | None, re.Match[str] | None]:
    """Return the day and the time after it, or None for each where what follows the day is no time."""
    if ":" not in text:
        return text, None
    found = _TIME.search(text)
    if found is None or found.end() != len(text):
        return None, None
    hour, minute, *rest = found["time"].replace(",", ".").split(":")
    is_time = int(hour) < 24 and int(minute) < 60 and all(float(second) < 61 for second in rest)  # 60: a leap second
    return (text[: found.start()], found) if is_time else (None, None)


def _local(date: dt.date, clock: re.Match[str] | None) -> dt.date:
    """Return the day in El Salvador: with a zone, 23:00 UTC of one day and 03:00 UTC of the next are one day there."""
    if clock is None or clock["zone"] is None:
        return date
    hour, minute = _hour_and_minute(clock)
    moment = dt.datetime(date.year, date.month, date.day, hour, minute, tzinfo=dt.timezone(_offset(clock["zone"])))
    return moment.astimezone(EL_SALVADOR).date()


def _hour_and_minute(clock: re.Match[str]) -> tuple[int, int]:
    hour, minute = map(int, clock["time"].split(":")[:2])
    if clock["half"]:
        hour = hour % 12 + (12 if clock["half"][0].lower() == "p" else 0)
    return hour, minute


def _offset(zone: str) -> dt.timedelta:
    """Return how far a zone is ahead of UTC."""
    if zone.upper() in ("Z", "UTC"):
        return dt.timedelta()
    return dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])) * (-1 if zone[0] == "-" else 1)


def time_of(text: str) -> str:
    """Return the time of day that stands after a date, in El Salvador: `HH:MM`, or `HH:MM:SS` where seconds are said.

    One moment has one text: a workbook adds seconds of zero to every time. Empty where there is none, and for
    midnight, which programs write after a day without a time.
    """
    if ":" not in text:
        return ""
    if _ISO.fullmatch(text):
        found = text[11:]
    elif (clock := _split_time(text)[1]) is None:
        return ""
    else:
        hour, minute = _hour_and_minute(clock)
        if clock["zone"]:
            minutes = hour * 60 + minute + (EL_SALVADOR.utcoffset(None) - _offset(clock["zone"])) // _MINUTE
            hour, minute = divmod(minutes % (24 * 60), 60)
        seconds = re.split("[.,]", clock["time"])[0].split(":")[2:]
        # A leap second exists for clocks and for no library of dates that will read this text.
        found = ":".join([f"{hour:02}", f"{minute:02}", *("59" if leap == "60" else leap for leap in seconds)])
    if found >= "24" or not found.strip("0:"):
        return ""
    return found[:5] + found[5:].removesuffix(":00")


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvidence:
    """Under which orders every date of a column can be read."""

    orders: tuple[Order, ...]
    """Empty where no order fits all."""
    examples: tuple[str, ...] = ()
    """Where there is doubt: values that tell, or could tell, the orders apart."""

    @property
    def order(self) -> Order | None:
        return self.orders[0] if len(self.orders) == 1 else None


def find_order(texts: Iterable[str]) -> OrderEvidence:
    """Return the orders that fit every date of the column. One that is read alike in all orders is no evidence."""
    fitting: tuple[Order, ...] = ORDERS
    examples: list[str] = []
    apart = False
    for text in texts:
        found = {} if _ISO.fullmatch(text) else readings(text)
        if not found or (len(found) == len(ORDERS) and len(set(found.values())) == 1):
            continue
        fits = tuple(order for order in fitting if order in found)
        if fits != fitting or not examples:
            examples.append(text)
        fitting = fits
        apart = apart or len({found[order] for order in fits}) > 1
        if not fitting:
            break
    if len(fitting) > 1 and not apart:
        # `05/05/2026` is the same day under both orders: either will do, and nobody is asked.
        return OrderEvidence(orders=fitting[:1] if examples else ("ymd",))
    return OrderEvidence(orders=fitting, examples=tuple(examples[:4]))
