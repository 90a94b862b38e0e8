"""A process of its own that appends to the ledger for one run: what it works costs the sending of documents nothing.

It holds the company's lock with the process that forked it, and lives until that one closes the pipe or dies; what it
had been handed by then it still writes.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection, Pipe
from typing import NoReturn

from batch_issuer.ledger.records import Kind, NewEvent
from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.problems import StoppedMidway

Append = Callable[[Sequence[NewEvent]], None]
"""Makes events of one run durable before it returns, all or none. Raises `Stop`."""


@contextmanager
def appending(ledger: Ledger, company: str, run: str, *, apart: bool) -> Iterator[Append]:
    """How a run appends: by a process of its own if wanted and safe, on Linux and by the only thread; else here."""
    there: Apart | None = None
    if apart and sys.platform == "linux" and threading.active_count() == 1:
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
        self._pipe, theirs = Pipe()
        gc.freeze()  # a collector that walks over everything would have everything copied, and finds nothing new in it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._process = os.fork()
            if self._process == 0:
                self._pipe.close()
                _serve(ledger, company, run, theirs)
        except OSError:
            self._pipe.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()

    def append(self, new: Sequence[NewEvent]) -> None:
        """`Ledger.append` over there. Raises what it raised, or `StoppedMidway` where that process is gone."""
        try:
            self._pipe.send([(one.kind.value, one.external_ref, one.body) for one in new])
            error = self._pipe.recv()
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
        self._pipe.close()
        os.waitpid(self._process, 0)


def _serve(ledger: Ledger, company: str, run: str, pipe: Connection) -> NoReturn:
    """Append until the pipe ends. Signals stay blocked here: they are the other process's affair."""
    code = 1
    try:
        gc.disable()
        while True:
            try:
                events = pipe.recv()
            except EOFError:
                code = 0
                break
            pipe.send(_appended(ledger, company, run, events))
    finally:
        os._exit(code)


def _appended(ledger: Ledger, company: str, run: str, events: Sequence[tuple[str, str, dict[str, object]]]) -> object:
    """None, or the exception, its traceback among its notes."""
    try:
        new = [NewEvent(kind=Kind(kind), external_ref=reference, body=body) for kind, reference, body in events]
        ledger.append(company, run, new)
    except Exception as error:  # noqa: BLE001 - whatever it was, the other process has to know
        error.add_note(traceback.format_exc())
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        except Exception:  # noqa: BLE001 - one that cannot travel
            return RuntimeError(repr(error))
        return error
    return None
