"""One run that writes the ledger: check the key, record that it begins, send, record how it ended.

What a run sends follows from its command (`send.commands`); how it sends is its crew's affair.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from batch_issuer.ledger.store import Exchanged, Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.model.problems import Interrupted, Stop, StoppedMidway
from batch_issuer.model.records import Kind, NewEvent, Record, RunRecord
from batch_issuer.model.states import State
from batch_issuer.provider.client import Client, Found, Missing, open_client
from batch_issuer.provider.quota import Quota
from batch_issuer.send.ask import Asker
from batch_issuer.send.courier import PATIENCE, Courier, Patience
from batch_issuer.send.crew import Crew
from batch_issuer.send.guards import Guards
from batch_issuer.send.keys import KeyBook, key_in
from batch_issuer.send.progress import Progress
from batch_issuer.settings import Company

_TICK = 0.2
"""Seconds between two looks of whoever watches."""


class Watcher(Protocol):
    """Whoever shows what goes on while a run sends."""

    def begin(self, progress: Progress, quota: Quota) -> None: ...

    def tick(self) -> None:
        """Called a few times a second."""

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to send, as whom, and how fast."""

    base_url: str
    key: str
    concurrency: int = 8
    reserve: int = 0
    max_wait: float = float("inf")
    patience: Patience = PATIENCE
    new_key: bool = False
    """The company changed its key: take it instead of refusing."""
    expect_environment: str = ""
    """"test" or "production"; empty: not checked."""
    canary: int = 0
    """So many documents are issued first, and must all be stamped or in contingency before the rest goes."""
    accepted_settings: Mapping[str, str] = field(default_factory=dict)
    """The settings file that somebody has chosen, to be remembered; empty where nobody has."""
    opener: Callable[..., Client] = open_client
    """How the provider is reached; tests have ways without a socket."""

    def open(self) -> Client:
        """Make a client with a quota of its own."""
        quota = Quota(reserve=self.reserve, max_wait=self.max_wait)
        return self.opener(self.base_url, self.key, concurrency=self.concurrency, quota=quota)

    def courier(self, client: Client) -> Courier:
        """Make a courier for a client, for those who write nothing in the ledger."""
        return Courier(
            quota=client.quota, address=client.base_url, concurrency=self.concurrency, patience=self.patience
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. What became of its documents is in the ledger."""

    run: RunRecord
    progress: Progress
    seconds: float
    stopped: Stop | None


Steps = Callable[[Crew, Guards], Awaitable[None]]
"""What a command does while it is connected."""


class Run:
    """One run of a command over a ledger that is open to write, and locked. `check_key` comes first, then `begin`."""

    def __init__(self, ledger: Ledger, owner: Company, command: str, connection: Connection, watcher: Watcher) -> None:
        self.ledger = ledger
        self.company = owner.code
        self.conflicts: list[dict[str, Any]] = []
        """Documents of which files and ledger say different things, as the run's record has them."""
        self.ending: Mapping[str, Any] = {}
        """What this kind of run has to say at its end."""
        self._owner = owner
        self._command = command
        self._connection = connection
        self._watcher = watcher
        self._begun: RunRecord | None = None
        self._key_book: KeyBook | None = None
        self._stopped_before: Stop | None = None
        """Why nothing can be sent, where that was found out before the run began."""

    @property
    def record(self) -> RunRecord:
        """The run as it began."""
        assert self._begun is not None  # noqa: S101 - begin() comes first
        return self._begun

    @property
    def _key(self) -> KeyBook:
        assert self._key_book is not None  # noqa: S101 - check_key() comes first
        return self._key_book

    def check_key(self) -> None:
        """Refuse another key than the company's, and a key that is known to be of the other environment.

        Raises:
            CannotStart: the ledger knows another key of the company, or this one as another company's.
            StoppedMidway: the provider's own answers have told that it is not the company's.
        """
        connection = self._connection
        self._key_book = key_in(
            self.ledger,
            self._owner,
            connection.key,
            new_key=connection.new_key,
            expect_environment=connection.expect_environment,
        )

    def begin(self, records: Sequence[Record] | None = None) -> None:
        """Write that the run begins, which settings were chosen, and for runs without files what they are about."""
        self._begun = self.ledger.begin_run(self.company, self._command)
        # Once for a ledger: a settings file that somebody has chosen is not asked about again.
        chosen = self._connection.accepted_settings
        known = self.ledger.bodies_beside((Kind.SETTINGS_ACCEPTED,)) if chosen else []
        if chosen and chosen not in [body for _, _, _, body in known]:
            self.write([NewEvent(kind=Kind.SETTINGS_ACCEPTED, body=chosen)])
        if records is not None:
            body = {"refs": [record.external_ref for record in records], "documents": len(records), "rows": 0}
            self.write([NewEvent(kind=Kind.RUN_READ, body=body)])

    def write(self, new: Sequence[NewEvent]) -> None:
        """Write events of this run, durably. Raises as `Ledger.append` does."""
        self.ledger.append(self.company, self.record.run, new)

    def look_before(self, records: Sequence[Record]) -> Mapping[str, Found | Missing]:
        """Ask what the provider says of documents, by reference, before the run begins; nothing is written.

        What ends the questions ends the run when it sends.

        Raises:
            Interrupted: somebody did not want to wait for it.
        """
        return asyncio.run(self._look(records)) if records else {}

    async def _look(self, records: Sequence[Record]) -> Mapping[str, Found | Missing]:
        async with self._connection.open() as client:
            courier = self._connection.courier(client)
            with interruptible(courier):
                said = await Asker(client=client, courier=courier).look(records)
            if isinstance(courier.stopped, Interrupted):
                raise courier.stopped
            self._stopped_before = courier.stopped
            return said

    def send(self, steps: Steps) -> Outcome:
        """Run the steps in an event loop, and write how it ended.

        Raises:
            Exchanged: another file lies in the ledger's place, so no report can be made of this one.
        """
        began = time.monotonic()
        courier = asyncio.run(self._send(steps))
        progress, stopped = courier.progress, courier.stopped
        seconds = round(time.monotonic() - began, 3)
        ending = {
            "exit_code": stopped.exit_code if stopped else None,
            "posts": progress.posts,
            "asks": progress.asks,
            "seconds": seconds,
            "stopped": stopped.message if stopped else "",
            "stopped_with": {name: str(value) for name, value in stopped.parameters.items()} if stopped else {},
            "conflicts": [*self.conflicts, *progress.conflicts],
            **self.ending,
        }
        try:
            self.write([NewEvent(kind=Kind.RUN_ENDED, body=ending)])
        except Exchanged:  # a `StoppedMidway` too, and the one after which there is nothing to report from
            raise
        except StoppedMidway as stop:
            stopped = stopped or stop
        return Outcome(run=self.record, progress=progress, seconds=seconds, stopped=stopped)

    async def _send(self, steps: Steps) -> Courier:
        connection, client = self._connection, self._connection.open()
        with Writer(self.write) as writer:
            crew = Crew(
                client=client,
                ledger=self.ledger,
                writer=writer,
                concurrency=connection.concurrency,
                patience=connection.patience,
                key=self._key,
            )
            guards = Guards(
                crew=crew,
                ledger=self.ledger,
                company=self.company,
                key=self._key,
                expect_environment=connection.expect_environment,
                canaries=connection.canary,
            )
            if self._stopped_before is not None:
                crew.courier.stop(self._stopped_before)
            async with shown_while(client, crew.courier, self._watcher):
                await guards.prove_key()
                await steps(crew, guards)
        # Only now: what was on its way to the ledger had to be written first.
        if writer.bug is not None:
            raise writer.bug
        return crew.courier


@asynccontextmanager
async def shown_while(client: Client, courier: Courier, watcher: Watcher) -> AsyncIterator[None]:
    """Show what goes on while a client is open; a `Stop` or a signal ends the courier's run, and is kept there."""
    watcher.begin(courier.progress, client.quota)
    ticking = asyncio.create_task(_tick(watcher))
    try:
        async with client:
            with interruptible(courier):
                yield
    except Stop as stop:
        courier.stop(stop)
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        watcher.end()


async def _tick(watcher: Watcher) -> None:
    while True:
        watcher.tick()
        await asyncio.sleep(_TICK)


@contextmanager
def interruptible(courier: Courier) -> Iterator[None]:
    """Let what is under way come home at the first SIGINT or SIGTERM; the second ends the program at once.

    The ledger knows every intent either way.
    """
    loop = asyncio.get_running_loop()
    before = {}
    interrupted = False

    def interrupt(number: int, *_: object) -> None:
        nonlocal interrupted
        if interrupted:
            os._exit(128 + number)  # nothing that waits for threads or the disk: the person has asked twice
        interrupted = True
        loop.call_soon_threadsafe(courier.stop, Interrupted(128 + number))

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_states(records: Sequence[Record], *states: State) -> list[Record]:
    """Return those of the documents that are in one of these states."""
    return [record for record in records if record.state in states]


def chosen(records: Sequence[Record], *, only: Sequence[str], limit: int | None = None) -> list[Record]:
    """Return what `--only` (states, types or references) and `--limit` leave of documents."""
    kept = [
        record
        for record in records
        if not only or {record.state.value, record.doc_type, record.external_ref} & set(only)
    ]
    return kept[:limit]
