"""One writing run per company at a time. The system lets go of the lock when its holder dies, however it died.

On Linux the lock is on the ledger itself: on one byte far behind its end, which belongs to the company. It has no file
that could be removed, and every name of the ledger, a hard link too, leads to it. It belongs to the descriptor that is
opened here, and goes when that is closed.

Closing any descriptor of a file lets go of the locks that SQLite, in the same process, has on that file. So nothing
here is called while a transaction of this process is open.

Elsewhere the lock is on a file beside the ledger. Where such a file is left from an older version of this program, it
is locked on Linux too: a run of the older version would otherwise not be noticed.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import platform
import re
import struct
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor

from batch_issuer.messages import N_
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import RunRecord

if sys.platform == "linux":
    import fcntl

_WAIT = 1.0
"""Seconds for a lock that is about to go: the system still ends a run that was killed while it waited for the disk, and
whoever asks whether a lock beside the ledger is held (`is_held`) has it for a moment."""

_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)

_FIRST = 2**62
"""Offset from which on bytes belong to companies: far behind every ledger's end, and behind the bytes SQLite locks."""
_FLOCK = "hhqqi0q"
"""`struct flock`: kind of lock, whence, start, length (0: to the end of all files), process; padded as C pads it."""

InPlace = Callable[[], bool]
"""Whether the ledger's name still leads to the file that is locked."""


Unfinished = Callable[[], Sequence[RunRecord]]
"""The runs whose records have no end, the newest first: asked only where somebody else has the lock."""


@contextmanager
def holding(ledger_path: Path, company: str, unfinished: Unfinished = tuple) -> Iterator[InPlace]:
    """Hold the company's lock on an existing ledger.

    Raises: `Occupied` where another program has it and keeps it, `CannotStart` where the file cannot be locked.
    """
    with _holding(ledger_path, [company], _byte_of(company), 1, unfinished) as in_place:
        yield in_place


@contextmanager
def holding_all(ledger_path: Path, companies: Sequence[str], unfinished: Unfinished = tuple) -> Iterator[InPlace]:
    """Hold the locks of every company. Those that are known are named, for where the lock is not on the ledger itself.

    Raises: `Occupied` and `CannotStart` as `holding` does.
    """
    with _holding(ledger_path, companies, _FIRST, 0, unfinished) as in_place:
        yield in_place


def is_held(ledger_path: Path, company: str) -> tuple[bool, tuple[int, str] | None]:
    """Return whether another program holds the company's lock now, and which process on which host, where it said."""
    path = ledger_path.resolve()
    if _asks(older := _beside(path, company, "lock"), _FLAGS, lambda file: not lock_descriptor(file, blocking=False)):
        return True, _read_name(older) or _read_name(_beside(path, company, "holder"))
    if _can_lock_bytes() and _asks(path, os.O_RDONLY, lambda file: _finds_lock(file, _byte_of(company), 1)):
        return True, _read_name(_beside(path, company, "holder"))
    return False, None


@contextmanager
def _holding(
    ledger_path: Path, companies: Sequence[str], start: int, length: int, unfinished: Unfinished
) -> Iterator[InPlace]:
    """Hold bytes of the ledger, and the locks beside it, until the context is left. Raises as `holding` does."""
    # Through links: two names of one ledger must have one lock.
    path = ledger_path.resolve()
    # One deadline for all locks of this call: a run does not wait once for each company.
    deadline = time.monotonic() + _WAIT
    with ExitStack() as stack:
        try:
            descriptor = _lock_ledger(stack, path, start, length, deadline)
            for company in companies:
                _lock_beside(stack, _beside(path, company, "lock"), deadline, create=descriptor is None)
        except OSError as error:
            raise CannotStart(
                N_("The ledger {path} cannot be locked: {reason}."),
                repair=N_("It must be a file that you may write to, in a folder that you may write to."),
                path=ledger_path,
                reason=error.strerror or str(error),
            ) from error
        except _Busy:
            held = (holder for is_taken, holder in (is_held(path, company) for company in companies) if is_taken)
            raise Occupied.by(ledger_path, next(held, None), unfinished()) from None
        for company in companies:
            # For whoever finds the lock held. It protects nothing: where it cannot be written, the run's record does.
            with suppress(OSError):
                name = os.open(_beside(path, company, "holder"), _FLAGS | os.O_CREAT | os.O_TRUNC, 0o600)
                with open(name, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no path
                    file.write(json.dumps([os.getpid(), platform.node()]))
        yield lambda: _leads_to(path, descriptor)


def _leads_to(path: Path, descriptor: int | None) -> bool:
    """Whether the file of this name is the open one; without an open one, whether there is a file at all."""
    try:
        there = path.stat()
        return descriptor is None or os.path.samestat(there, os.fstat(descriptor))
    except OSError:
        return False


def _lock_ledger(stack: ExitStack, path: Path, start: int, length: int, deadline: float) -> int | None:
    """Return a descriptor that holds bytes of the ledger until the stack is left; None without such locks."""
    if not _can_lock_bytes():
        return None
    while True:
        with ExitStack() as attempt:
            descriptor = os.open(path, os.O_RDWR)
            attempt.callback(os.close, descriptor)
            try:
                locked = _lock_bytes(descriptor, start, length)
            except OSError as error:
                if error.errno == errno.EINVAL:  # a system that says it is Linux, and has no such locks
                    return None
                raise
            if locked and _leads_to(path, descriptor):
                stack.push(attempt.pop_all())
                return descriptor
        if time.monotonic() > deadline:
            raise _Busy
        time.sleep(0.05)


def _lock_beside(stack: ExitStack, path: Path, deadline: float, *, create: bool) -> None:
    """Hold the file beside the ledger until the stack is left; without `create`, only where it is there."""
    try:
        descriptor = os.open(path, _FLAGS | (os.O_CREAT if create else 0), 0o600)
    except OSError:
        if create:
            raise
        return
    stack.callback(os.close, descriptor)
    while not lock_descriptor(descriptor, blocking=False):
        if time.monotonic() > deadline:
            raise _Busy
        time.sleep(0.05)


def _asks(path: Path, flags: int, is_locked: Callable[[int], bool]) -> bool:
    """Ask of a file whether it is locked; False where it cannot be opened or asked."""
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return False
    try:
        return is_locked(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)


if sys.platform == "linux":

    def _can_lock_bytes() -> bool:
        return hasattr(fcntl, "F_OFD_SETLK")

    def _lock_bytes(descriptor: int, start: int, length: int) -> bool:
        """Lock bytes for this open file; False where another one has some of them."""
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _finds_lock(descriptor: int, start: int, length: int) -> bool:
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, wanted)
        return bool(struct.unpack(_FLOCK, found)[0] != fcntl.F_UNLCK)

else:

    def _can_lock_bytes() -> bool:
        return False

    def _lock_bytes(descriptor: int, start: int, length: int) -> bool:
        raise NotImplementedError

    def _finds_lock(descriptor: int, start: int, length: int) -> bool:
        raise NotImplementedError


def _byte_of(company: str) -> int:
    """Return the company's own byte of every ledger."""
    return _FIRST + int.from_bytes(hashlib.sha256(company.encode()).digest()[:7])


class _Busy(Exception):  # noqa: N818 - becomes `Occupied`
    """Somebody has the lock, and keeps it."""


def _read_name(path: Path) -> tuple[int, str] | None:
    try:
        pid, host = json.loads(path.read_text(encoding="utf-8"))
        return int(pid), str(host)
    except (OSError, ValueError, TypeError):
        return None


class Occupied(CannotStart):
    """Another run is writing."""

    @classmethod
    def by(cls, ledger_path: Path, holder: tuple[int, str] | None, unfinished: Sequence[RunRecord]) -> Occupied:
        """Say who holds it: the run of that process, or the newest that has not ended, as their records say."""
        runs = [run for run in unfinished if holder is None or (run.pid, run.host) == holder]
        repair = N_("Wait until it ends, then run this again. Nothing was sent.")
        if runs:
            since = dt.datetime.fromisoformat(runs[0].started_at).astimezone(EL_SALVADOR)
            return cls(
                N_(
                    "The ledger {path} is being written by another run: {command}, process {pid} on {host}, "
                    "since {since}."
                ),
                repair=repair,
                path=ledger_path,
                command=runs[0].command,
                pid=runs[0].pid,
                host=runs[0].host,
                since=f"{since:%d/%m/%Y %H:%M:%S}",
            )
        if holder is not None:
            return cls(
                N_("Another program is writing the ledger {path}: process {pid} on {host}."),
                repair=repair,
                path=ledger_path,
                pid=holder[0],
                host=holder[1],
            )
        return cls(N_("Another program is writing the ledger {path}."), repair=repair, path=ledger_path)


def _beside(ledger_path: Path, company: str, what: str) -> Path:
    """Return the name of the company's lock or holder beside the ledger."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "", company)
    if plain != company or len(plain) > 40:
        plain = f"{plain[:20]}-{hashlib.sha256(company.encode()).hexdigest()[:8]}"
    return ledger_path.with_name(f"{ledger_path.name}.{plain}.{what}")
