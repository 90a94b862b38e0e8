"""Days and years as El Salvador counts them. The ledger keeps its times in UTC."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from batch_issuer.model.documents import EL_SALVADOR


def today() -> dt.date:
    """Return the day that it is in El Salvador: after 18:00 there it is tomorrow in UTC, and on many machines."""
    # Never the machine's own zone: a till's computer may stand on any.
    return now().astimezone(EL_SALVADOR).date()


def now() -> dt.datetime:
    """Return this moment, in UTC as the ledger has its times."""
    return dt.datetime.now(dt.UTC)


def day_of(moment: str) -> str:
    """Return the day in El Salvador of a time of the ledger, ISO; empty where no time is known."""
    return _day_of_hour(moment[:13], moment[-6:]) if moment else ""


@lru_cache(maxsize=8192)
def _day_of_hour(hour: str, offset: str) -> str:
    # Every moment of an hour is of one day, as offsets are whole hours: few hours are asked about, many times.
    return f"{dt.datetime.fromisoformat(f'{hour}:00:00{offset}').astimezone(EL_SALVADOR):%Y-%m-%d}"


def year_of(moment: str) -> int:
    """Return the calendar year in El Salvador, where the new one begins six hours later than in UTC."""
    return int(day_of(moment)[:4] if moment[5:10] == "01-01" else moment[:4])
