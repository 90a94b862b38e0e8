"""A process of its own that appends to the ledger for one run: what it works costs the sending of documents nothing.

It holds the company's lock with the process that forked it, and lives until that one closes the pipe or dies; what it
had been handed by then it still writes. Both tell each other which event they wrote last, so that either finds out when
the ledger is no longer the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection

from batch_issuer.forking import Copy, can_fork, portable
from batch_issuer.ledger.records import Kind, NewEvent
from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.problems import StoppedMidway

Append = Callable[[Sequence[NewEvent]], None]
"""Makes events of one run durable before it returns, all or none. Raises `Stop`."""


@contextmanager
def appending(ledger: Ledger, company: str, run: str, *, apart: bool) -> Iterator[Append]:
    """How a run appends: by a process of its own if that is wanted and safe, else here."""
    there: Apart | None = None
    if apart and can_fork():
        with suppress(OSError):
            there = Apart(ledger, company, run)
    if there is None:
        yield partial(ledger.append, company, run)
        return
    try:
        yield there.append
    finally:
        there.close()


class Apart:
    """This end of the pipe. One thread at a time may append. Raises `OSError` where no process can be had."""

    def __init__(self, ledger: Ledger, company: str, run: str) -> None:
        self._ledger = ledger
        self._company = company
        self._run = run
        self._copy = Copy(self._serve)

    def append(self, new: Sequence[NewEvent]) -> None:
        """`Ledger.append` over there. Raises what it raised, or `StoppedMidway` where that process is gone."""
        try:
            events = [(one.kind.value, one.external_ref, one.body) for one in new]
            self._copy.pipe.send((self._ledger.last_written, events))
            self._ledger.last_written, error = self._copy.pipe.recv()
        except (EOFError, OSError) as gone:
            raise StoppedMidway(
                N_("The process that writes the ledger {path} was ended by somebody. Nothing more was sent."),
                repair=N_("Run the same command again; what is under way is asked first."),
                path=self._ledger.path,
            ) from gone
        if error is not None:
            raise error
        self._ledger.forget(self._company, {one.external_ref for one in new})

    def close(self) -> None:
        """Wait until it has ended."""
        self._copy.close()

    def _serve(self, pipe: Connection) -> None:
        """Append until the pipe ends."""
        while True:
            self._ledger.last_written, events = pipe.recv()
            try:
                new = [NewEvent(kind=Kind(kind), external_ref=reference, body=body) for kind, reference, body in events]
                self._ledger.append(self._company, self._run, new)
            except Exception as error:  # noqa: BLE001 - whatever it was, the other process has to know
                pipe.send((self._ledger.last_written, portable(error)))
            else:
                pipe.send((self._ledger.last_written, None))
