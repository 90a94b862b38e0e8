"""What a run shows while it sends: how far it is, what became of the documents, and when it will realistically end."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import time
from collections import deque

from batch_issuer.cli.screen.durations import duration
from batch_issuer.cli.screen.output import put
from batch_issuer.messages import N_, Messages
from batch_issuer.model.states import State
from batch_issuer.provider.limits import estimate
from batch_issuer.provider.quota import Quota
from batch_issuer.reconcile import STATE_NAMES
from batch_issuer.send.progress import Progress

_LINE_EVERY = 5.0
"""Seconds between lines where the output is not a terminal."""
_RATE_OVER = 20.0
"""Seconds over which the pace is measured."""


class TerminalWatcher:
    """One line on stderr, drawn over itself on a terminal and repeated now and then elsewhere."""

    def __init__(self, messages: Messages, *, over_itself: bool, quiet: bool = False) -> None:
        self._messages = messages
        self._over_itself = over_itself
        self._quiet = quiet
        self._progress = Progress()
        self._quota: Quota | None = None
        self._seen: deque[tuple[float, int]] = deque()
        self._last_line = time.monotonic()
        self._width = 0

    def begin(self, progress: Progress, quota: Quota) -> None:
        """Begin anew with a run's counts and its quota."""
        self._progress, self._quota = progress, quota
        self._seen.clear()
        self._last_line = time.monotonic()

    def tick(self) -> None:
        """Measure the pace, and show how far the run is, where it is time for that."""
        now = time.monotonic()
        self._seen.append((now, self._progress.done))
        while now - self._seen[0][0] > _RATE_OVER:
            self._seen.popleft()
        if self._quiet or not self._progress.total:
            return
        if self._over_itself:
            self._draw(self._line())
        elif now - self._last_line >= _LINE_EVERY:
            self._last_line = now
            put(self._line() + "\n", sys.stderr)

    def end(self) -> None:
        """Wipe the line out: what follows is said below, not over it."""
        if self._over_itself and self._width:
            put("\r" + " " * self._width + "\r", sys.stderr)

    def rest(self, seconds: float, left: int) -> None:
        """Wait, and show how long still: one line elsewhere, a countdown on a terminal."""
        until = time.monotonic() + seconds
        if not self._over_itself and not self._quiet:
            put(self._resting(seconds, left) + "\n", sys.stderr)
        while (remaining := until - time.monotonic()) > 0:
            if self._over_itself:
                self._draw(self._resting(remaining, left))
            time.sleep(min(remaining, 0.5))
        self.end()

    def _resting(self, seconds: float, left: int) -> str:
        clock = dt.datetime.now().astimezone() + dt.timedelta(seconds=seconds)
        return self._messages.count(
            "{n} not settled yet · asking again at {clock} (in {time})",
            "{n} not settled yet · asking again at {clock} (in {time})",
            left,
            clock=f"{clock:%H:%M:%S}",
            time=duration(seconds),
        )

    def _draw(self, line: str) -> None:
        put("\r" + line + " " * (self._width - len(line)), sys.stderr)
        self._width = len(line)

    def _line(self) -> str:
        progress, text = self._progress, self._messages.text
        parts = [text(N_("{done} of {total}"), done=f"{progress.done:,}", total=f"{progress.total:,}")]
        parts += [
            f"{text(STATE_NAMES[state]).lower()} {progress.states[state]:,}"
            for state in State
            if progress.states[state]
        ]
        waiting = self._waiting()
        if waiting:
            parts.append(text(N_("quota used up, going on in {time}"), time=duration(waiting)))
        seconds = self._remaining()
        if seconds is not None:
            ends = dt.datetime.now().astimezone() + dt.timedelta(seconds=seconds)
            parts.append(text(N_("ends about {clock} (in {time})"), clock=f"{ends:%H:%M}", time=duration(seconds)))
        return " · ".join(parts)

    def _waiting(self) -> float:
        until = self._quota.waiting_until if self._quota else None
        return max(0.0, until - asyncio.get_running_loop().time()) if until is not None else 0.0

    def _remaining(self) -> float | None:
        """Return the seconds to the end, by the quota or by the pace of the last seconds, whichever is slower."""
        left = self._progress.total - self._progress.done
        (began, done), (now, current) = self._seen[0], self._seen[-1]
        by_pace = left * (now - began) / (current - done) if current > done and now > began else None
        quota = self._quota
        if quota is None or not (quota.per_minute or quota.per_hour):
            return by_pace
        # While a run waits for the quota its pace says nothing; else it is believed, up to a minute beyond the quota.
        by_quota = self._waiting() + estimate(left, quota.per_minute, quota.per_hour)
        return by_quota if by_pace is None or self._waiting() else max(by_quota, min(by_pace, by_quota + 60))
