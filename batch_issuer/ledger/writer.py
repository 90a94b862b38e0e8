"""The one writer: a thread that commits whatever has queued up, once, and then says so to everyone who waits.

While one commit is on its way to the disk the next batch gathers. What nobody waits for gathers a moment longer, and
goes along with what somebody does: half of the commits, and of their cost.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Self

from batch_issuer.messages import N_
from batch_issuer.model.problems import Stop, StoppedMidway
from batch_issuer.model.records import NewEvent

_MOST_AT_ONCE = 2000
"""Events in one transaction, so that no answer waits long."""

GATHERING = 0.025
"""Seconds that answers may gather: what a crash loses of them is asked again, because their intents are durable."""

_Wanted = tuple[Sequence[NewEvent], "asyncio.Future[None]"]


class Writer:
    """Hands events to `append`, in the order given. Use as a context manager inside a running event loop.

    `append` makes events durable before it returns, all or none, or raises `Stop`; it is called in the thread.
    After a failed write nothing more is written, and every append fails with that same `Stop`.
    """

    def __init__(self, append: Callable[[Sequence[NewEvent]], None]) -> None:
        self._append = append
        self._queue: queue.SimpleQueue[_Wanted | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="ledger-writer", daemon=True)
        self._loop = asyncio.get_running_loop()
        self._gathered: list[NewEvent] = []
        self._durable: asyncio.Future[None] | None = None
        """Of what has gathered; None where nothing has."""
        self.failed: Stop | None = None
        self.bug: Exception | None = None
        """What made it fail where that was a mistake of ours."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._hand_over()
        self._queue.put(None)
        self._thread.join()

    def append(self, new: Sequence[NewEvent]) -> asyncio.Future[None]:
        """Queue events. Return a future that is done when they are durable, and raises `Stop` where they are not."""
        durable = self.append_soon(new)
        self._hand_over()
        return durable

    def append_soon(self, new: Sequence[NewEvent]) -> asyncio.Future[None]:
        """Queue events a moment later: what comes until then is written with them, and has the same future."""
        if self._durable is None:
            self._durable = self._loop.create_future()
            self._loop.call_later(GATHERING, self._hand_over, self._durable)
        self._gathered += new
        return self._durable

    def _hand_over(self, only: asyncio.Future[None] | None = None) -> None:
        if self._durable is not None and only in (None, self._durable):
            self._queue.put((self._gathered, self._durable))
            self._gathered, self._durable = [], None

    def _write(self) -> None:
        """Commit what has queued up, until nothing more will come: the thread's own work."""
        ended = False
        while not ended:
            wanted = [self._queue.get()]
            count = len(wanted[0][0]) if wanted[0] else 0
            while count < _MOST_AT_ONCE:
                try:
                    wanted.append(self._queue.get_nowait())
                except queue.Empty:
                    break
                count += len(wanted[-1][0]) if wanted[-1] else 0
            ended = None in wanted
            if batch := [one for one in wanted if one is not None]:
                self._commit(batch)

    def _commit(self, wanted: Sequence[_Wanted]) -> None:
        """Write what was wanted, unless a write has failed before, and say so to whoever waits."""
        if self.failed is None:
            try:
                self._append([event for new, _ in wanted for event in new])
            except Stop as stop:
                self.failed = stop
            except Exception as bug:  # noqa: BLE001 - whoever waits for this thread must not wait for ever
                self.bug = bug
                self.failed = StoppedMidway(N_("A bug of ours ended the run."))
        # As it is now: when the loop comes to it, a later batch may have failed.
        self._loop.call_soon_threadsafe(_settle, [durable for _, durable in wanted], self.failed)


def _settle(futures: Sequence[asyncio.Future[None]], failed: Stop | None) -> None:
    """Say to everyone who waits how it went. Runs in the event loop, whose futures no other thread may touch."""
    for durable in futures:
        if durable.done():  # cancelled by whoever waited for it
            continue
        if failed is None:
            durable.set_result(None)
        else:
            durable.set_exception(failed)
            durable.exception()  # looked at, so that nobody complains of a failure that nobody waits for
