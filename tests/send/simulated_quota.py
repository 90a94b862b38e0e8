"""A provider's quota in virtual time: workers that ask `Quota` before every request, and what the windows saw of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from batch_issuer.provider.quota import Quota, Ticket
from batch_issuer.sandbox import SandboxOptions
from batch_issuer.sandbox.quota import Quota as Windows
from tests.send.virtual_time import run_virtually

Latency = Callable[[Random], float]

NOON = 1_795_284_000.0
"""2026-11-21 18:00:00 UTC: a whole hour, so that windows of the clock begin with it."""


def steady(seconds: float) -> Latency:
    return lambda _: seconds


def spread(least: float, most: float) -> Latency:
    return lambda chance: chance.uniform(least, most)


def heavy(typical: float, slowest: float) -> Latency:
    """Mostly about `typical`, and once in twenty up to `slowest`."""
    return lambda chance: chance.uniform(typical, slowest) if chance.random() < 0.05 else chance.uniform(0, typical)


@dataclass(slots=True)
class Seen:
    """What the provider saw; times are seconds since the run began."""

    admitted: list[float] = field(default_factory=list)
    refused: list[tuple[float, str]] = field(default_factory=list)
    """When, and by which window."""
    waits: list[float] = field(default_factory=list)
    """What each refusal told to wait."""
    least_left: float = math.inf
    """Requests of the minute that were left after any of ours."""
    seconds: float = 0.0

    def refused_by(self, window: str) -> int:
        return sum(1 for _, name in self.refused if name == window)

    def admitted_before(self, seconds: float) -> int:
        return sum(1 for at in self.admitted if at < seconds)


def simulate(
    quota: Quota,
    *,
    work: int,
    concurrency: int,
    latency: Latency,
    offset: float = 0.0,
    until: float = math.inf,
    seed: int = 0,
    **options: object,
) -> Seen:
    """Send `work` requests, beginning `offset` seconds after a whole hour, until they are done or time is up."""
    windows = Windows(SandboxOptions(**options))  # type: ignore[arg-type]
    sending = _Sending(quota, windows, latency, Random(seed), work, NOON + offset + until)
    run_virtually(sending.run(concurrency), start=NOON + offset)
    return sending.seen


class _Sending:
    def __init__(
        self, quota: Quota, windows: Windows, latency: Latency, chance: Random, work: int, until: float
    ) -> None:
        self.seen = Seen()
        self._quota = quota
        self._windows = windows
        self._latency = latency
        self._chance = chance
        self._work = work
        self._until = until
        self._began = 0.0

    async def run(self, concurrency: int) -> None:
        self._began = asyncio.get_running_loop().time()
        await asyncio.gather(*[self._worker() for _ in range(concurrency)])
        self.seen.seconds = asyncio.get_running_loop().time() - self._began

    async def _worker(self) -> None:
        while self._work > 0:
            self._work -= 1
            admitted = False
            while not admitted:
                ticket = await self._quota.wait()
                if ticket is None or asyncio.get_running_loop().time() >= self._until:
                    self._quota.close()
                    return
                admitted = await self._admitted(ticket)

    async def _admitted(self, ticket: Ticket) -> bool:
        """One request, counted at any moment of its way."""
        loop, seen = asyncio.get_running_loop(), self.seen
        latency = self._latency(self._chance)
        there = latency * self._chance.random()
        await asyncio.sleep(there)
        taken = self._windows.take(loop.time())
        headers = {name.lower(): value for name, value in taken.headers}
        at = loop.time() - self._began
        await asyncio.sleep(latency - there)
        self._quota.learn(ticket, headers)
        if taken.refused:
            seen.refused.append((at, taken.refused))
            seen.waits.append(self._quota.refused(headers))
            return False
        seen.admitted.append(at)
        seen.least_left = min(seen.least_left, int(headers["x-ratelimit-remaining-minute"]))
        return True
