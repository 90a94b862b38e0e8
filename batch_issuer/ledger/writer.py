"""The one writer: a thread that commits whatever has queued up, once, and then says so to everyone who waits.

Nobody chooses a window: while one commit is on its way to the disk the next batch gathers.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from typing import Self

from batch_issuer.ledger.records import NewEvent
from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.problems import Stop, StoppedMidway

_MOST_AT_ONCE = 2000
"""Events in one transaction, so that no answer waits long."""

_Wanted = tuple[Sequence[NewEvent], "asyncio.Future[None]"]


class Writer:
    """Writes events of one run, in the order given. Use as a context manager inside a running event loop.

    After a failed write nothing more is written, and every append fails with that same `Stop`.
    """

    def __init__(self, ledger: Ledger, company: str, run: str) -> None:
        self._ledger = ledger
        self._company = company
        self._run = run
        self._queue: queue.SimpleQueue[_Wanted | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="ledger-writer", daemon=True)
        self._loop = asyncio.get_running_loop()
        self.failed: Stop | None = None
        self.bug: Exception | None = None
        """What made it fail where that was a mistake of ours."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def append(self, new: Sequence[NewEvent]) -> asyncio.Future[None]:
        """Queue events; the future is done when they are durable."""
        written: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((new, written))
        return written

    def _write(self) -> None:
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
            self._commit([one for one in wanted if one is not None])

    def _commit(self, wanted: Sequence[_Wanted]) -> None:
        if not wanted:
            return
        if self.failed is None:
            try:
                self._ledger.append(self._company, self._run, [event for new, _ in wanted for event in new])
            except Stop as stop:
                self.failed = stop
            except Exception as bug:  # noqa: BLE001 - whoever waits for this thread must not wait for ever
                self.bug = bug
                self.failed = StoppedMidway(N_("A bug of ours ended the run."))
        self._loop.call_soon_threadsafe(_settle, [written for _, written in wanted], self.failed)


def _settle(futures: Sequence[asyncio.Future[None]], failed: Stop | None) -> None:
    for written in futures:
        if written.done():
            continue
        if failed is None:
            written.set_result(None)
        else:
            written.set_exception(failed)
            written.exception()
