"""The sandbox for those who have no event loop: in a thread of its own, or as a command that runs until stopped."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from batch_issuer.sandbox.faults import Fault, parse_fault
from batch_issuer.sandbox.options import SAMPLE_KEY, SandboxOptions
from batch_issuer.sandbox.server import Sandbox
from batch_issuer.sandbox.store import Customer, Record
from batch_issuer.sandbox.traffic import Requests

Answered = TypeVar("Answered")
_PATIENCE = 10.0
"""Seconds; whoever waits longer has found a sandbox that hangs, and is told so by `TimeoutError`."""


class Running:
    """A sandbox in its own thread, driven from synchronous code."""

    def __init__(self, sandbox: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        self._sandbox = sandbox
        self._loop = loop

    @property
    def base_url(self) -> str:
        """Return what a client takes as the provider's address."""
        return self._sandbox.base_url

    @property
    def control_url(self) -> str:
        """Return where the control plane is, without a slash at the end."""
        return self.base_url.removesuffix("/api/connect") + "/_sandbox"

    @property
    def key(self) -> str:
        """Return a key that is accepted: the first of those configured."""
        keys = self._sandbox.options.keys
        return keys[0].key if keys else SAMPLE_KEY

    def documents(self) -> tuple[Record, ...]:
        """Return everything registered."""
        return self._ask(self._sandbox.documents)

    def document(self, ref: str) -> Record | None:
        """Return the document of a reference, of whatever company."""
        return next((record for record in self.documents() if record.ref == ref), None)

    def customers(self) -> list[Customer]:
        """Return the customers that the provider stores."""
        return self._ask(self._sandbox.customers)

    def requests(self) -> Requests:
        """Return what came in so far."""
        return self._ask(self._sandbox.requests)

    def order(self, *faults: Fault | str) -> None:
        """Order faults, as values or in their compact form."""
        parsed = [parse_fault(fault) if isinstance(fault, str) else fault for fault in faults]
        self._ask(lambda: self._sandbox.order(*parsed))

    def clear_faults(self) -> None:
        """Withdraw every fault and end an outage."""
        self._ask(self._sandbox.clear_faults)

    def resolve(self, to: str = "stamped", refs: Iterable[str] = ("*",)) -> int:
        """Settle documents in contingency; return how many there were."""
        return self._ask(lambda: self._sandbox.resolve(to, refs))

    def change(self, **changes: object) -> SandboxOptions:
        """Change options while it runs."""
        return self._ask(lambda: self._sandbox.change(**changes))

    def release(self) -> None:
        """Let every hanging request go on."""
        self._ask(self._sandbox.release)

    def _ask(self, question: Callable[[], Answered]) -> Answered:
        # In the sandbox's own thread: its registers know nothing of locks.
        async def asked() -> Answered:
            return question()

        return asyncio.run_coroutine_threadsafe(asked(), self._loop).result(_PATIENCE)


@contextmanager
def running(
    options: SandboxOptions | None = None,
    *,
    faults: Iterable[Fault | str] = (),
    state: Path | None = None,
    clock: Callable[[], float] = time.time,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Running]:
    """Run a sandbox in its own thread while the block lasts. Raises `CannotStart`."""
    parsed = [parse_fault(fault) if isinstance(fault, str) else fault for fault in faults]
    sandbox = Sandbox(options, faults=parsed, state=state, clock=clock)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sandbox", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sandbox.start(host, port), loop).result(_PATIENCE)
        yield Running(sandbox, loop)
    finally:
        asyncio.run_coroutine_threadsafe(_end(sandbox), loop).result(_PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        loop.close()


def serve(
    options: SandboxOptions,
    host: str,
    port: int,
    announce: Callable[[str], None],
    *,
    faults: Iterable[Fault] = (),
    state: Path | None = None,
) -> None:
    """Run a sandbox until SIGINT or SIGTERM; `announce` gets its base URL once. Raises `CannotStart`."""
    sandbox = Sandbox(options, faults=faults, state=state)
    with asyncio.Runner() as runner:
        loop, stopped = runner.get_loop(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, stopped.set)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
        announce(runner.run(sandbox.start(host, port)))
        try:
            runner.run(stopped.wait())
        finally:
            runner.run(sandbox.stop())


async def _end(sandbox: Sandbox) -> None:
    """Stop a sandbox, and what its requests have left in the loop."""
    await sandbox.stop()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
