"""The provider's windows for invalidation, in El Salvador's days."""

from __future__ import annotations

import datetime as dt

from batch_issuer.sandbox.files import moment

_SATURDAY = 5


def ccf_window_open(issued_at: float, now: float, days: int) -> bool:
    """Whether a CCF can still be invalidated directly: the rest of its day and the days after it."""
    return (moment(now).date() - moment(issued_at).date()).days <= days


def invoice_window_open(issued_at: float, now: float, days: int) -> bool:
    """Whether the business days (Monday to Friday) since the issue are not used up."""
    day, today, left = moment(issued_at).date(), moment(now).date(), days
    while day < today and left >= 0:
        day += dt.timedelta(days=1)
        left -= day.weekday() < _SATURDAY  # the pages speak of business days and name no holidays (provider.md 10)
    return left >= 0
