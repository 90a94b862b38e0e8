"""Work for a second core: a copy of this process does it beside us, on Linux, where a copy is safe.

Only the thread that forks lives on in the copy, so nothing is forked while there are others. The copy is deaf to
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
from typing import Generic, Self, TypeVar

Result = TypeVar("Result")


def can_fork() -> bool:
    """Whether a copy of this process may be made now, and would have a core to work on."""
    return sys.platform == "linux" and threading.active_count() == 1 and len(os.sched_getaffinity(0)) > 1


def fork(serve: Callable[[Connection], None]) -> tuple[int, Connection]:
    """The copy's process id, and our end of the pipe to what it serves. Raises `OSError`."""
    ours, theirs = Pipe()
    gc.freeze()  # a collector that walks over everything would have everything copied, and finds nothing new in it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        process = os.fork()
        if process == 0:
            ours.close()
            _live(serve, theirs)
    except OSError:
        ours.close()
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
    return process, ours


def _live(serve: Callable[[Connection], None], pipe: Connection) -> None:
    """What the copy does until it ends. Signals stay blocked."""
    code = 1
    try:
        gc.disable()
        serve(pipe)
        code = 0
    except (EOFError, BrokenPipeError):
        code = 0
    finally:
        os._exit(code)


def portable(error: Exception) -> Exception:
    """An exception that can go through a pipe, its traceback among its notes."""
    error.add_note(traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - one that cannot travel
        return RuntimeError(repr(error))
    return error


class Beside(Generic[Result]):
    """A piece of work that changes nothing in memory, begun in a copy of this process, or else done when it is asked.

    What it gives back, or raises, must go through a pipe. A copy that was ended by somebody is done without. Use as a
    context manager.
    """

    def __init__(self, work: Callable[[], Result], *, worth: bool = True) -> None:
        self._work = work
        self._pipe: Connection | None = None
        if worth and can_fork():
            try:
                self._process, self._pipe = fork(self._serve)
            except OSError:
                self._pipe = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until the copy has ended, whether its result was asked for or not."""
        if self._pipe is not None:
            self._pipe.close()
            os.waitpid(self._process, 0)

    def result(self) -> Result:
        """What the work gave; raises what it raised."""
        if self._pipe is None:
            return self._work()
        try:
            result, error = self._pipe.recv()
        except (EOFError, OSError):
            return self._work()
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def _serve(self, pipe: Connection) -> None:
        try:
            answer = (self._work(), None)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is raised on the other side
            answer = (None, portable(error))  # type: ignore[assignment]
        pipe.send(answer)
