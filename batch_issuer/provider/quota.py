"""The provider's two windows, shared by everything that sends: the whole budget is used, and no minute ends in a 429.

What is left is known only from the answers' headers, and a request under way may or may not be counted in them. So
only what an answer proves is spent, whether the windows are fixed or slide, and whichever way their ends are rounded.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from batch_issuer.messages import N_
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.provider.limits import HOUR, MINUTE

WITHOUT_RETRY_AFTER = 60.0
"""Seconds to wait after a 429 that does not say how long."""
_LONGEST_RESET = 2 * MINUTE
"""Seconds. A reset that lies farther off is not that of a minute."""
_ROUNDING = 1.0
"""Seconds that a whole-number reset time may be short of the truth."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to send one request: when it was given, and how many requests had ended by then."""

    at: float
    ended: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Between which two moments the end of a window lies, in seconds of the event loop's clock."""

    earliest: float
    latest: float


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
        self._given = 0
        self._ended = 0
        self._minute: int | None = None
        """What is left of the minute after every request that has ended; None while only a new answer can tell."""
        self._hour = math.inf
        """The same of the hour; infinite while no answer has said."""
        self._proven: int | None = None
        """So many tickets in all fit, whatever the provider counts when: what the best answer proves."""
        self._least = math.inf
        """The least that was left by the answers since the last ticket: one of them was counted last."""
        self._ends = _Span(-math.inf, -math.inf)
        self._ends_since = -math.inf
        self._asking_since = -math.inf
        self._fresh = 0
        """Requests under way that were sent since then."""
        self._is_asking = True
        """Whether one request goes alone until its answer tells what is left."""
        self._has_minute = False
        self._blocked_until = -math.inf
        self._changed = asyncio.Event()

    async def wait(self) -> Ticket | None:
        """Wait until one more request fits, and return its ticket; None once the quota is closed."""
        loop = asyncio.get_running_loop()
        while not self._closed:
            now = loop.time()
            delay = self._delay(now)
            if delay <= 0:
                return self._give(now)
            # While answers are on their way one of them may tell of more.
            if delay is not math.inf and delay > self.max_wait and not self._in_flight:
                self.closed_by = StoppedMidway(
                    N_("The provider's quota is used up for {seconds} seconds more, which is longer than --max-wait."),
                    repair=N_("Run the same command again later; nothing is lost and nothing will be sent twice."),
                    seconds=math.ceil(delay),
                )
                self.close()
                break
            if delay is not math.inf:
                self.waiting_until = now + delay
            with suppress(TimeoutError):
                async with asyncio.timeout(None if delay is math.inf else delay):
                    await self._changed.wait()
        return None

    def spare(self) -> Ticket | None:
        """Return a ticket if one more request fits right now, for what nobody shall wait for."""
        now = asyncio.get_running_loop().time()
        return self._give(now) if not self._closed and self._delay(now) <= 0 else None

    def _give(self, now: float) -> Ticket:
        self.waiting_until = None
        self._given += 1
        self._fresh += 1
        self._least = math.inf
        return Ticket(now, self._ended)

    def close(self) -> None:
        """Give no more tickets; those who wait get None."""
        self._closed = True
        self._signal()

    def learn(self, ticket: Ticket, headers: Mapping[str, str]) -> None:
        """Take in the headers of the answer to a ticket's request."""
        self._end(ticket)
        minute, hour = (count_in(headers, f"x-ratelimit-remaining-{window}") for window in ("minute", "hour"))
        self.per_minute = count_in(headers, "x-ratelimit-limit-minute") or self.per_minute
        self.per_hour = count_in(headers, "x-ratelimit-limit-hour") or self.per_hour
        if hour is not None:
            self._hour = hour if self._was_alone(ticket) else min(self._hour, hour)
        if minute is not None:
            self._has_minute = True
            self._learn_minute(ticket, minute, headers.get("x-ratelimit-reset"))
        # Answers to requests before the question may speak of the window before.
        if ticket.at >= self._asking_since and (minute is not None or not self._has_minute):
            self._is_asking = False
        self._check_reserve()
        self._signal()

    def lost(self, ticket: Ticket, *, arrived: bool) -> None:
        """Count a request that ended without an answer; one that may have arrived is spent."""
        self._end(ticket)
        if not arrived:
            self._given -= 1
            self._ended -= 1
        elif self._minute is not None:
            self._minute -= 1
            self._least = min(self._least, self._minute)
        self._signal()

    def refused(self, headers: Mapping[str, str]) -> float:
        """Hold everybody back after a 429, as long as its headers say; return the seconds that this means."""
        self.refusals += 1
        now = asyncio.get_running_loop().time()
        seconds = _retry_after(headers)
        if seconds is None:
            seconds = self._ends.latest - now if self._ends.latest > now else WITHOUT_RETRY_AFTER
        seconds = seconds or _ROUNDING  # 0 is less than a second, rounded down
        self._blocked_until = max(self._blocked_until, now + seconds)
        self._hour = math.inf
        reset = _seconds(headers.get("x-ratelimit-reset")) or 0.0
        # It was the minute that refused: what was proven of its window is over.
        if not count_in(headers, "x-ratelimit-remaining-minute") and reset <= seconds + _ROUNDING:
            self._minute = self._proven = None
        self._ask_one(now)
        self._signal()
        return seconds

    @property
    def _in_flight(self) -> int:
        return self._given - self._ended

    def _delay(self, now: float) -> float:
        """Return the seconds until one more request fits; infinite while only an answer on its way can tell."""
        if now < self._blocked_until:
            return self._blocked_until - now
        is_hour_spoken_for = self._in_flight and self._hour <= self._in_flight
        if is_hour_spoken_for or (self._is_asking and self._fresh):
            return math.inf
        if self._minute is None:
            return 0
        if self._minute - self._in_flight > self.reserve:
            if self._proven is None or self._proven - self._given > self.reserve:
                return 0
            # Fewer are proven to fit than the best answer leaves room for: one goes alone, and its answer proves more.
            if not self._in_flight and self._least > self.reserve:
                self._ask_one(now)
                return 0
        if now < self._ends.latest:
            return self._ends.latest - now
        self._minute = None
        self._ask_one(now)
        return 0

    def _end(self, ticket: Ticket) -> None:
        self._ended += 1
        if ticket.at >= self._asking_since:
            self._fresh -= 1

    def _was_alone(self, ticket: Ticket) -> bool:
        """Whether no other request ended while this one, the last to end, was under way: then it was counted last."""
        return ticket.ended == self._ended - 1

    def _ask_one(self, now: float) -> None:
        """Let one request go ahead, and believe its answer alone about what is left; older ones do not count."""
        self._is_asking = True
        self._asking_since = now
        self._fresh = 0

    def _learn_minute(self, ticket: Ticket, minute: int, reset: str | None) -> None:
        now = asyncio.get_running_loop().time()
        self._least = min(self._least, minute)
        ends = _window_ends(ticket.at, now, reset)
        is_next = ends.earliest > self._ends.latest
        if is_next or (self._minute is None and ticket.at >= self._asking_since):
            self._minute = minute
            self._take_end(ends, now)
        elif ends.latest < self._ends.earliest:
            ends = self._ends  # counted in a window that is over
        elif self._minute is not None:
            self._minute = minute if self._was_alone(ticket) else min(self._minute, minute)
            if ticket.at >= self._ends_since:
                self._ends = _Span(max(self._ends.earliest, ends.earliest), min(self._ends.latest, ends.latest))
        # Counted before this answer are only requests that had ended when it was sent, or that were under way.
        proven = minute + ticket.ended + 1
        if self._proven is None or proven > self._proven:
            self._proven = proven
            self._take_end(ends, now)

    def _take_end(self, ends: _Span, now: float) -> None:
        """Take the end of the window, which answers to requests sent from now on may tell more sharply."""
        self._ends, self._ends_since = ends, now

    def _check_reserve(self) -> None:
        if self.per_minute is not None and self.reserve >= self.per_minute and self.closed_by is None:
            self.closed_by = StoppedMidway(
                N_("--reserve {reserve} leaves nothing to send with: the provider allows {limit} requests a minute."),
                repair=N_("Choose a smaller --reserve."),
                reserve=self.reserve,
                limit=self.per_minute,
            )
            self.close()

    def _signal(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _window_ends(sent: float, answered: float, reset: str | None) -> _Span:
    """Return when the window ends that an answer speaks of; it was counted at any moment of its way."""
    seconds = _seconds(reset)
    if seconds is None or seconds > _LONGEST_RESET:  # of the hour, or a moment
        return _Span(sent, answered + MINUTE + _ROUNDING)
    rounding = _ROUNDING if seconds == int(seconds) else 0.05
    return _Span(sent + seconds - rounding, answered + seconds + rounding)


def count_in(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header that is a number of requests; None where it is missing, or no number that a window could have."""
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds to wait; a date is counted from the provider's own clock, which need not be ours."""
    text = headers.get("retry-after")
    if (seconds := _seconds(text)) is not None:
        return seconds
    try:
        ends, answered = parsedate_to_datetime(text or ""), parsedate_to_datetime(headers.get("date", ""))
        return _seconds(str((ends - answered).total_seconds()))
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(text: str | None) -> float | None:
    """Read `Retry-After` or `X-RateLimit-Reset` in seconds; None where that is no number, or more than a week."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 7 * 24 * HOUR else None
