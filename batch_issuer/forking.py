"""Work for a second core: a copy of this process does it beside us, on Linux, where a copy is safe.

Only the thread that forks lives on in the copy, so nothing is forked while Python knows of another; of threads that a
library began by itself it does not know. The copy is deaf to
signals, which are our affair; it ends when it has answered, or when we do.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from typing import NoReturn


def can_fork() -> bool:
    """Whether a copy of this process may be made now, and would have a core to work on."""
    return sys.platform == "linux" and threading.active_count() == 1 and len(os.sched_getaffinity(0)) > 1


class Copy:
    """A copy of this process, and our end of the pipe to what it serves. Raises `OSError` where none can be had."""

    def __init__(self, serve: Callable[[Connection], None]) -> None:
        self.pipe, theirs = Pipe()
        gc.freeze()  # a collector that walks over everything would have everything copied, and finds nothing new in it
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._process = os.fork()
            if self._process == 0:
                self.pipe.close()
                _live(serve, theirs)
        except OSError:
            self.pipe.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()

    def close(self, *, now: bool = False) -> None:
        """Wait until it has ended; with `now`, end it."""
        self.pipe.close()
        if now:
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _live(serve: Callable[[Connection], None], pipe: Connection) -> NoReturn:
    """What the copy does until it ends, which is also when nobody is left at our end. Signals stay blocked."""
    try:
        gc.disable()
        serve(pipe)
    finally:
        os._exit(0)


def portable(error: Exception) -> Exception:
    """An exception that can go through a pipe, its traceback among its notes."""
    error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - one that cannot travel
        return RuntimeError(repr(error))
    return error
