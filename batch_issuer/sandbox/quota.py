"""The provider's two windows of requests, per key, and the headers that tell of them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from batch_issuer.sandbox.options import SandboxOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one request found: the headers of its answer and, when refused, which window was full."""

    headers: tuple[tuple[str, str], ...] = ()
    refused: str = ""
    """`minute` or `hour`."""
    detail: str = ""


class Window:
    """Requests of one key in one window. Times are seconds of the sandbox's clock."""

    def __init__(self, *, kind: str, limit: int, seconds: float, others: float) -> None:
        self._kind = kind
        self._seconds = seconds
        self._others = others
        self.limit = limit
        self._start = -math.inf
        self._used = 0
        self._log: deque[float] = deque()

    def turn(self, now: float) -> None:
        """Forget what lies before the window."""
        if self._kind == "sliding":
            while self._log and self._log[0] <= now - self._seconds:
                self._log.popleft()
        elif now - self._start >= self._seconds or now < self._start:
            self._start = now if self._kind == "first" else now - now % self._seconds
            self._used = 0

    def used(self, now: float) -> int:
        """Return how many requests the window has, those of other programs included."""
        # Windows are counted by key: other programs that have the same one use them up too.
        if self._kind == "sliding":
            return len(self._log) + int(self._others * self._seconds)
        return self._used + int(self._others * (now - self._start))

    def add(self, now: float) -> None:
        """Count one request."""
        if self._kind == "sliding":
            self._log.append(now)
        else:
            self._used += 1

    def reset(self, now: float) -> float:
        """Return the seconds until the window is new; of a sliding one, until its oldest request leaves."""
        if self._kind == "sliding":
            return self._log[0] + self._seconds - now if self._log else 0.0
        return self._start + self._seconds - now


class Quota:
    """Both windows of one key."""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._minute = _window(options, options.minute_limit, options.minute_seconds)
        self._hour = _window(options, options.hour_limit, options.hour_seconds)

    def take(self, now: float) -> Taken:
        """Count a request, or refuse it with 429."""
        refused = self._full(now)
        # Whether refused requests count is not said (provider.md 14.4).
        if not refused or self._options.refused_count:
            for window in (self._minute, self._hour):
                if window is not None:
                    window.add(now)
        headers = self._headers(now)
        if not refused:
            return Taken(headers=headers)
        spanned = self._hour if refused == "hour" and self._options.hour_retry_after == "hour" else self._minute
        wait = spanned.reset(now) if spanned is not None else self._options.minute_seconds
        retry_after = self.rounded(wait)
        limit, unit = self._options.minute_limit, "minuto"
        if refused == "hour":
            limit, unit = self._options.hour_limit, "hora"
        return Taken(
            headers=(*headers, ("Retry-After", retry_after)),
            refused=refused,
            detail=f"Limite de {limit} requests por {unit} excedido",
        )

    def peek(self, now: float) -> tuple[tuple[str, str], ...]:
        """Return the headers of an answer that used up nothing."""
        self._full(now)
        return self._headers(now)

    def rounded(self, seconds: float) -> str:
        """Return seconds as the headers write them."""
        match self._options.reset_rounding:
            case "ceil":
                return str(max(math.ceil(seconds), 1))
            case "floor":
                return str(max(math.floor(seconds), 0))
            case "fraction":
                return f"{max(seconds, 0):.3f}"

    def _full(self, now: float) -> str:
        """Return which window is full, the hour before the minute; empty where there is room."""
        full = ""
        for name, window in (("minute", self._minute), ("hour", self._hour)):
            if window is not None:
                window.turn(now)
                if window.used(now) >= window.limit:
                    full = name
        return full

    def _headers(self, now: float) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for name, window in (("Minute", self._minute), ("Hour", self._hour)):
            if window is not None:
                left = max(window.limit - window.used(now), 0)
                found += [
                    (f"X-RateLimit-Limit-{name}", str(window.limit)),
                    (f"X-RateLimit-Remaining-{name}", str(left)),
                ]
        if self._minute is not None:
            found.append(("X-RateLimit-Reset", self.rounded(self._minute.reset(now))))
        return tuple(found)


def _window(options: SandboxOptions, limit: int | None, seconds: float) -> Window | None:
    if limit is None:
        return None
    return Window(kind=options.window, limit=limit, seconds=seconds, others=options.others_per_second)
