"""The two windows that the provider documents, and how long they make a number of requests take."""

from __future__ import annotations

PER_MINUTE = 120
PER_HOUR = 5000
"""The provider's defaults (provider.md 14.4); it can raise them, and the headers say so."""

MINUTE = 60.0
HOUR = 3600.0


def estimate(requests: int, per_minute: int | None = PER_MINUTE, per_hour: int | None = PER_HOUR) -> float:
    """Return the seconds that the quota alone makes this many requests take, from windows that are still full."""
    waited = 0.0
    if per_hour and requests > per_hour:
        hours = (requests - 1) // per_hour
        waited += hours * HOUR
        requests -= hours * per_hour
    if per_minute and requests > per_minute:
        waited += (requests - 1) // per_minute * MINUTE
    return waited
