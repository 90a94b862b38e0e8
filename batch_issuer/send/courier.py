"""Carries requests to the provider: a window of jobs, pauses that grow, a budget of retries, and what ends a run.

It knows requests and replies, and nothing of documents, their states or the ledger: what an answer means is the affair
of those who send with it (`issue`, `ask`, `cancel`, `download`). A request under way is never cancelled.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar, assert_never

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Stop, StoppedMidway, Unreachable
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import (
    CancelReply,
    FileReply,
    KeyRefused,
    NeverLeft,
    Reply,
    SlowDown,
    Uncertain,
    Withheld,
)
from batch_issuer.provider.quota import Quota
from batch_issuer.send.progress import Progress

AnyReply = Reply | CancelReply | FileReply
Said = TypeVar("Said", bound=AnyReply)
Job = Callable[[], Awaitable[None]]
"""One turn of a worker: a document or a file, until something is known of it or it must wait for another run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to try. Seconds."""

    connections: int = 6
    """Tries to connect, a document."""
    first_connections: int = 3
    """The same while nothing has answered yet in this run."""
    asks: int = 5
    """Questions about a document in doubt."""
    posts: int = 3
    """POSTs of one document in one run."""
    refusals: int = 100
    """429 answers to one document."""
    first_pause: float = 0.5
    longest_pause: float = 20.0
    settling: float = 2.0
    """Between two 404 answers before a lost request is sent again: the provider may still be at work on it."""
    recent: float = 120.0
    """So long after a request the provider may still be at work on it."""
    stop_after: int = 20
    """The same failure this many times in a row ends the run."""
    budget_share: float = 0.2
    budget_least: int = 60
    """Retries of the whole run: this share of its documents, and at least so many."""


PATIENCE = Patience()


class Courier:
    """Carries requests for one run. Every method runs inside one event loop, whose clock it goes by.

    `address` is named where nothing answers. `jitter` gives a figure between two, and keeps programs that failed
    together from coming again together.
    """

    def __init__(
        self,
        *,
        quota: Quota,
        address: str,
        concurrency: int,
        patience: Patience = PATIENCE,
        progress: Progress | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.patience = patience
        self.concurrency = concurrency
        self.progress = progress or Progress()
        self.stopped: Stop | None = None
        """Why nothing more is sent; None while there is no reason."""
        self._quota = quota
        self._address = address
        self._jitter = jitter
        self._stopping = asyncio.Event()
        self._window: asyncio.Queue[Job | None] = asyncio.Queue()
        self._streak: tuple[str, int] = ("", 0)
        self._has_reached = False
        self._budget = patience.budget_least
        self._bug: Exception | None = None
        self._hear: Callable[[AnyReply, str], Stop | None] = lambda _reply, _reference: None

    def listen(self, hear: Callable[[AnyReply, str], Stop | None]) -> None:
        """Have every answer heard, with the reference that it is about; what `hear` returns ends the run."""
        self._hear = hear

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._stopping.is_set()

    @property
    def is_running_dry(self) -> bool:
        """Whether less than half of the window is left, so that workers may soon wait for jobs."""
        return self._window.qsize() < self.concurrency

    def stop(self, stop: Stop) -> None:
        """Send nothing more; what is under way is awaited and recorded. The first reason given stays."""
        if self.stopped is None:
            # The run has begun, so documents may have left: nobody must read «nothing was sent» out of its exit code.
            midway = StoppedMidway(stop.message, repair=stop.repair, **stop.parameters)
            self.stopped = midway if isinstance(stop, CannotStart) else stop
        self._stopping.set()
        self._quota.close()

    def allow_retries_for(self, count: int) -> None:
        """Enlarge the budget of retries by the share that so many more documents or files have."""
        self._budget += int(self.patience.budget_share * count)

    async def carry(self, jobs: Iterable[Job]) -> None:
        """Do all jobs, as many at once as the run may have requests under way."""

        async def chunks() -> AsyncIterator[Sequence[Job]]:
            yield tuple(jobs)

        await self.carry_chunks(chunks())

    async def carry_chunks(self, chunks: AsyncIterator[Sequence[Job]]) -> None:
        """Feed the window and let the workers empty it. A `Stop` out of `chunks` or a job ends the run.

        Raises whatever else a job raised, once every worker has come home: a bug must not lose answers on their way.
        """
        # Twice as many as work at once: half of it may be sent while the next chunk is still on its way to the disk.
        window = self._window = asyncio.Queue(maxsize=2 * self.concurrency)
        workers = [asyncio.create_task(self._work(window)) for _ in range(self.concurrency)]
        try:
            async for chunk in chunks:
                for job in chunk:
                    await window.put(job)
        except Stop as stop:
            self.stop(stop)
        finally:
            # Workers are never cancelled: each brings home the answer to what it has sent.
            for _ in workers:
                await window.put(None)
            await asyncio.gather(*workers)
        if self._bug is not None:
            raise self._bug

    async def _work(self, window: asyncio.Queue[Job | None]) -> None:
        while (job := await window.get()) is not None:
            try:
                await job()
            except Stop as stop:
                self.stop(stop)
            # The worker goes on: its next jobs end at once, and whatever fills the window must not wait for it.
            except Exception as bug:  # noqa: BLE001 - raised once the others are home
                self._bug = bug
                self.stop(StoppedMidway(N_("A bug of ours ended the run.")))
            self.heed_quota()

    def heed_quota(self) -> None:
        """End the run where the quota was closed because its wait would be too long."""
        if self._quota.closed_by is not None:
            self.stop(self._quota.closed_by)

    async def until_taken(self, post: Callable[[], Awaitable[Said]], reference: str = "") -> Said:
        """Send one POST until the provider has had it in hand: what never left or was refused by quota goes again.

        Returns `NeverLeft`, `SlowDown` or `Withheld` where patience or the run came to an end before.
        """
        failures = refusals = 0
        while True:
            reply = await post()
            if isinstance(reply, NeverLeft):
                failures += 1
                if self._gives_up(failures) or not await self.pause(failures - 1):
                    return reply
                self.retry()
                continue
            if isinstance(reply, Withheld):
                return reply
            self._reach(reply, reference)
            self.progress.posts += 1
            # After a 429 the quota holds everybody back, so the next try needs no pause of its own.
            refusals += isinstance(reply, SlowDown)
            if not isinstance(reply, SlowDown) or refusals > self.patience.refusals:
                return reply

    async def until_answered(self, ask: Callable[[], Awaitable[Said]], reference: str = "") -> Said | Withheld:
        """Ask one question until it is answered; return the last reply where patience or the run ended before.

        A refused key ends the run.
        """
        reply: Said | Withheld = Withheld()
        for attempt in range(self.patience.asks):
            reply = await ask()
            if not isinstance(reply, Withheld | NeverLeft):
                self._reach(reply, reference)
                self.progress.asks += 1
            match reply:
                case NeverLeft() if not self._has_reached and self._gives_up(attempt + 1):
                    return reply
                case KeyRefused():
                    self.refuse_key(reply)
                    return reply
                case NeverLeft() | Uncertain():
                    if not await self.pause(attempt):
                        return reply
                    self.retry()
                case SlowDown():
                    continue
                case _:
                    return reply
        return reply

    def _reach(self, reply: AnyReply, reference: str) -> None:
        self._has_reached = True
        if (objection := self._hear(reply, reference)) is not None:
            self.stop(objection)

    def _gives_up(self, failures: int) -> bool:
        """Whether a request has been kept from leaving too often; a provider never reached ends the run early."""
        if not self._has_reached and failures >= self.patience.first_connections:
            self.stop(
                Unreachable(
                    N_("Nothing answers at {url}."),
                    repair=N_(
                        "Nothing was issued. Check the connection and the address (--base-url, OCOTE_BASE_URL), "
                        "then run the same command again."
                    ),
                    url=self._address,
                )
            )
        return self.is_stopping or failures >= self.patience.connections

    def not_sent(self, reply: Withheld | NeverLeft | SlowDown | KeyRefused) -> Reason:
        """Return why a request was not made, and count it; a refused key ends the run."""
        match reply:
            case Withheld():
                return Reason.RUN_ENDED
            case KeyRefused():
                self.refuse_key(reply)
                return Reason.KEY_REFUSED
            case NeverLeft():
                reason, words = Reason.NEVER_LEFT, reply.detail
            case SlowDown():
                reason, words = Reason.QUOTA, ""
            case _:
                assert_never(reply)
        self.failed(reason.value, words)
        return reason

    def refuse_key(self, reply: KeyRefused) -> None:
        """End the run: no request with this key will do anything."""
        self.stop(
            StoppedMidway(
                N_("The provider refuses the API key{detail}."),
                repair=N_(
                    "Check that the key is whole, active and of this company, then run the same command again: "
                    "what was not sent is sent then."
                ),
                detail=f": {reply.detail}" if reply.detail else "",
            )
        )

    def refuse_address(self, status: int | None) -> None:
        """End the run: what answers at the address is not the provider's issuing route."""
        self.stop(
            StoppedMidway(
                N_("{url} does not take documents: it answered {status}."),
                repair=N_("Check the address (--base-url, OCOTE_BASE_URL), then run the same command again."),
                url=self._address,
                status=status,
            )
        )

    def failed(self, code: str, words: str = "") -> None:
        """Count the same failure in a row; too many of them are one cause, and the rest is spared."""
        # The words belong to it: documents that are refused for different reasons have no common cause.
        cause = f"{code} {words}".strip()
        self._streak = (cause, self._streak[1] + 1 if self._streak[0] == cause else 1)
        if self._streak[1] >= self.patience.stop_after:
            self.stop(
                StoppedMidway(
                    N_("The same failure {count} times in a row: {cause}. The rest was spared."),
                    repair=N_("Mend this one cause, then run the same command again."),
                    count=self._streak[1],
                    cause=cause,
                )
            )

    def went_well(self) -> None:
        """Forget failures in a row: they were no common cause."""
        self._streak = ("", 0)

    def retry(self) -> None:
        """Count a request that is sent once more; beyond the budget of the run it ends."""
        self.progress.retries += 1
        self._budget -= 1
        if self._budget < 0:
            self.stop(
                StoppedMidway(
                    N_("Too many requests had to be repeated ({count}): the provider or the connection is in trouble."),
                    repair=N_("Wait a little, then run the same command again."),
                    count=self.progress.retries,
                )
            )

    async def pause(self, attempt: int) -> bool:
        """Wait before another try, longer each time; False when the run is ending."""
        # Jittered, so that programs that failed together do not come again together.
        longest = min(self.patience.longest_pause, self.patience.first_pause * 2**attempt)
        await self.sleep(self._jitter(longest / 4, longest))
        return not self.is_stopping

    async def settle(self) -> None:
        """Wait between two 404 answers before they are believed."""
        await self.sleep(self.patience.settling)

    async def sleep(self, seconds: float) -> None:
        """Wait so long, or until the run is ending."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
