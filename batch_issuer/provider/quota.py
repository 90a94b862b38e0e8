"""The provider's two windows, shared by everything that sends: the whole budget is used, and no minute ends in a 429.

What is left is known only from the answers' headers. A request under way may or may not be counted in the newest
answer, so it is held against the budget until its own answer comes; whether windows are fixed or slide does not matter.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass

from batch_issuer.messages import N_
from batch_issuer.problems import StoppedMidway

PER_MINUTE = 120
PER_HOUR = 5000
"""The provider's defaults (provider.md 14.4); it can raise them, and the headers say so."""

MINUTE = 60.0
HOUR = 3600.0
WITHOUT_RETRY_AFTER = 60.0
"""Seconds to wait after a 429 that does not say how long."""
_ROUNDING = 1.0
"""Seconds that a whole-number reset time may be short of the truth."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to send one request, and when it was given."""

    at: float


@dataclass(slots=True)
class _Known:
    """What the newest answer said."""

    at: float
    minute: int | None
    hour: int | None


class Quota:
    """Permission to send, given one request at a time; lives inside one event loop.

    `reserve` requests a minute are left for other programs with the same key. A wait of more than `max_wait` seconds
    closes the quota with a `StoppedMidway` in `closed_by`.
    """

    def __init__(self, *, reserve: int = 0, max_wait: float = math.inf) -> None:
        self.reserve = reserve
        self.max_wait = max_wait
        self.per_minute: int | None = None
        self.per_hour: int | None = None
        self.refusals = 0
        """429 answers seen."""
        self.waiting_until: float | None = None
        """Loop time until which nothing is sent, while that is so."""
        self.closed_by: StoppedMidway | None = None
        self._closed = False
        self._unlimited = False
        self._in_flight = 0
        self._known: _Known | None = None
        self._minute_ends = -math.inf
        self._blocked_until = -math.inf
        self._changed = asyncio.Event()

    async def wait(self) -> Ticket | None:
        """A ticket as soon as one more request fits; None once the quota is closed."""
        loop = asyncio.get_running_loop()
        while not self._closed:
            now = loop.time()
            delay = self._delay(now)
            if delay <= 0:
                self.waiting_until = None
                self._in_flight += 1
                return Ticket(now)
            if delay is not math.inf and delay > self.max_wait and not self._in_flight:
                self._close_for_waiting(delay)
                break
            await self._until_change(delay)
        return None

    def close(self) -> None:
        """Give no more tickets; those who wait get None."""
        self._closed = True
        self._signal()

    def learn(self, ticket: Ticket, headers: Mapping[str, str]) -> None:
        """Take in the headers of the answer to a ticket's request."""
        self._in_flight -= 1
        now = asyncio.get_running_loop().time()
        minute, hour = (_number(headers, f"x-ratelimit-remaining-{window}") for window in ("minute", "hour"))
        self.per_minute = _number(headers, "x-ratelimit-limit-minute") or self.per_minute
        self.per_hour = _number(headers, "x-ratelimit-limit-hour") or self.per_hour
        if minute is None and hour is None:
            self._unlimited = self._unlimited or self._known is None
        else:
            self._unlimited = False
            self._learn_remaining(ticket, now, minute, hour)
            self._learn_reset(now, headers.get("x-ratelimit-reset"))
        self._check_reserve()
        self._signal()

    def lost(self, *, arrived: bool) -> None:
        """A request ended without an answer; one that may have arrived is counted as spent."""
        self._in_flight -= 1
        if arrived and self._known is not None:
            self._known = _Known(
                self._known.at,
                None if self._known.minute is None else self._known.minute - 1,
                None if self._known.hour is None else self._known.hour - 1,
            )
        self._signal()

    def refused(self, retry_after: float | None) -> float:
        """Hold everybody back after a 429; the seconds that this means."""
        self.refusals += 1
        now = asyncio.get_running_loop().time()
        if retry_after is None:
            retry_after = self._minute_ends - now if self._minute_ends > now else WITHOUT_RETRY_AFTER
        self._blocked_until = max(self._blocked_until, now + retry_after)
        self._known = None
        self._unlimited = False
        self._signal()
        return retry_after

    def _delay(self, now: float) -> float:
        """Seconds until one more request fits; infinite while only an answer on its way can tell."""
        if now < self._blocked_until:
            return self._blocked_until - now
        if self._unlimited:
            return 0
        if self._known is not None and self._known.minute is not None and now >= self._minute_ends:
            self._known = None
        if self._known is None:
            return math.inf if self._in_flight else 0
        if self._known.hour is not None and self._known.hour - self._in_flight <= 0 and self._in_flight:
            return math.inf
        if self._known.minute is not None and self._known.minute - self._in_flight - self.reserve <= 0:
            return self._minute_ends - now
        return 0

    def _learn_remaining(self, ticket: Ticket, now: float, minute: int | None, hour: int | None) -> None:
        if self._known is None or ticket.at >= self._known.at:
            self._known = _Known(now, minute, hour)
        else:
            self._known.minute = _smaller(self._known.minute, minute)
            self._known.hour = _smaller(self._known.hour, hour)

    def _learn_reset(self, now: float, text: str | None) -> None:
        try:
            seconds = float(text or MINUTE)
        except ValueError:
            seconds = MINUTE
        seconds = min(max(seconds, 0.0), HOUR) if math.isfinite(seconds) else MINUTE
        ends = now + seconds + (_ROUNDING if seconds == int(seconds) else 0.05)
        is_next_window = now >= self._minute_ends or ends > self._minute_ends + 2 * _ROUNDING
        self._minute_ends = ends if is_next_window else min(self._minute_ends, ends)

    def _check_reserve(self) -> None:
        if self.per_minute is not None and self.reserve >= self.per_minute and self.closed_by is None:
            self.closed_by = StoppedMidway(
                N_("--reserve {reserve} leaves nothing to send with: the provider allows {limit} requests a minute."),
                repair=N_("Choose a smaller --reserve."),
                reserve=self.reserve,
                limit=self.per_minute,
            )
            self.close()

    def _close_for_waiting(self, delay: float) -> None:
        self.closed_by = StoppedMidway(
            N_("The provider's quota is used up for {seconds} seconds more, which is longer than --max-wait."),
            repair=N_("Run the same command again later; nothing is lost and nothing will be sent twice."),
            seconds=math.ceil(delay),
        )
        self.close()

    async def _until_change(self, delay: float) -> None:
        if delay is not math.inf:
            self.waiting_until = asyncio.get_running_loop().time() + delay
        changed = self._changed
        try:
            async with asyncio.timeout(None if delay is math.inf else delay):
                await changed.wait()
        except TimeoutError:
            pass

    def _signal(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def estimate(requests: int, per_minute: int | None = PER_MINUTE, per_hour: int | None = PER_HOUR) -> float:
    """Seconds that the quota alone makes this many requests take, from windows that are still full."""
    waited = 0.0
    if per_hour and requests > per_hour:
        hours = (requests - 1) // per_hour
        waited += hours * HOUR
        requests -= hours * per_hour
    if per_minute and requests > per_minute:
        waited += (requests - 1) // per_minute * MINUTE
    return waited


def _smaller(first: int | None, second: int | None) -> int | None:
    known = [number for number in (first, second) if number is not None]
    return min(known) if known else None


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
