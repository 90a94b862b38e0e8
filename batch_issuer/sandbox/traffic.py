"""What came in: requests by route and status, by second, refused by the quota, and at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batch_issuer.sandbox.store import Violation

LOST = "lost"
"""Stands in the place of a status where the connection was cut instead of answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Counts since the sandbox started, the control plane's own left out."""

    total: int
    by_route: Mapping[str, Mapping[str, int]]
    """Route, then status or `lost`."""
    refused_by_window: Mapping[str, int]
    """429 by window: `minute`, `hour`, or `ordered` for the fault."""
    per_second: tuple[int, ...]
    """Requests that arrived in each second."""
    most_at_once: int
    faults: tuple[tuple[str, int], ...]
    """Every fault in force with how many requests it struck."""
    violations: tuple[Violation, ...]

    def posts(self) -> int:
        """Return how many requests asked for a document."""
        return sum(sum(self.by_route.get(route, {}).values()) for route in ("invoice", "suex", "credit-memo"))

    def count(self, route: str, status: int | str | None = None) -> int:
        """Return how many requests of a route there were, of one status or of all."""
        found = self.by_route.get(route, {})
        return sum(found.values()) if status is None else found.get(str(status), 0)

    def as_json(self) -> dict[str, Any]:
        """Return the body of GET /_sandbox/requests."""
        return {
            "total": self.total,
            "by_route": {route: dict(statuses) for route, statuses in self.by_route.items()},
            "refused_by_window": dict(self.refused_by_window),
            "per_second": list(self.per_second),
            "most_at_once": self.most_at_once,
            "faults": [{"fault": fault, "struck": struck} for fault, struck in self.faults],
            "violations": [violation.as_json() for violation in self.violations],
        }


class Traffic:
    """Counts while the sandbox runs."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._answers: Counter[tuple[str, str]] = Counter()
        self._seconds: Counter[int] = Counter()
        self._refused: Counter[str] = Counter()
        self._at_once = 0
        self._most_at_once = 0

    def enter(self, now: float) -> None:
        """Count a request that arrived."""
        self._seconds[int(now - self._started)] += 1
        self._at_once += 1
        self._most_at_once = max(self._most_at_once, self._at_once)

    def leave(self, route: str, status: int | str) -> None:
        """Count a request that was answered or lost."""
        self._at_once -= 1
        self._answers[route, str(status)] += 1

    def refuse(self, window: str) -> None:
        """Count a request that the quota, or an order, refused."""
        self._refused[window] += 1

    def requests(self, faults: tuple[tuple[str, int], ...], violations: tuple[Violation, ...]) -> Requests:
        """Return the counts by now."""
        by_route: dict[str, dict[str, int]] = {}
        for (route, status), number in sorted(self._answers.items()):
            by_route.setdefault(route, {})[status] = number
        last = max(self._seconds, default=-1)
        return Requests(
            total=sum(self._answers.values()),
            by_route=by_route,
            refused_by_window=dict(self._refused),
            per_second=tuple(self._seconds[second] for second in range(last + 1)),
            most_at_once=self._most_at_once,
            faults=faults,
            violations=violations,
        )
