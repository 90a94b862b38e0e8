"""One writing run per company at a time. The system lets go of the lock when its holder dies, however it died.

A process that the holder forked holds it too, until it ends: so the descriptor is opened here and locked by filelock,
whose own `FileLock` is closed in every forked process.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor

from batch_issuer.documents import EL_SALVADOR
from batch_issuer.ledger.records import RunRecord
from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart

_LAST_COMMIT = 1.0
"""Seconds: a run that was killed may have a process left that finishes what it was writing."""

_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def holding(ledger_path: Path, company: str) -> Iterator[None]:
    """Hold the company's lock beside the ledger. Raises `Held` where another program has it and keeps it."""
    path = _lock_path(ledger_path.resolve(), company)
    try:
        descriptor = os.open(path, _FLAGS | os.O_CREAT, 0o600)
    except OSError as error:
        raise _cannot_lock(ledger_path, error) from error
    try:
        _lock(descriptor, path, ledger_path)
        _leave_name(path)
        yield
    finally:
        os.close(descriptor)  # which lets go of it, unless a forked process holds it still


def is_held(ledger_path: Path, company: str) -> tuple[bool, tuple[int, str] | None]:
    """Whether another program holds the company's lock now, and which process on which host, where it said so."""
    path = _lock_path(ledger_path.resolve(), company)
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return False, None
    try:
        held = not lock_descriptor(descriptor, blocking=False)
    except OSError:
        return False, None
    finally:
        os.close(descriptor)
    return held, _read_name(path) if held else None


def _lock(descriptor: int, path: Path, ledger_path: Path) -> None:
    deadline = time.monotonic() + _LAST_COMMIT
    try:
        while not lock_descriptor(descriptor, blocking=False):
            if time.monotonic() > deadline:
                raise Held(path)
            time.sleep(0.05)
    except OSError as error:
        raise _cannot_lock(ledger_path, error) from error


def _cannot_lock(ledger_path: Path, error: OSError) -> CannotStart:
    return CannotStart(
        N_("The ledger {path} cannot be locked: {reason}."),
        repair=N_("Its folder must be one that you may write to."),
        path=ledger_path,
        reason=error.strerror or str(error),
    )


class Held(Exception):  # noqa: N818 - caught by the opener, which names the holder
    """Another program holds the lock. `holder` is its process and host, where it could leave them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.holder = _read_name(path)


def _leave_name(path: Path) -> None:
    """For whoever finds the lock held. It protects nothing: where it cannot be written, the run's record must do."""
    with suppress(OSError):
        path.write_text(json.dumps([os.getpid(), platform.node()]), encoding="utf-8")


def _read_name(path: Path) -> tuple[int, str] | None:
    try:
        pid, host = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return None
    return int(pid), str(host)


class Occupied(CannotStart):
    """Another run is writing."""


def held_by(ledger_path: Path, holder: tuple[int, str] | None, unfinished: Sequence[RunRecord]) -> Occupied:
    """Who holds it: the run of that process, or the newest that has not ended, as their records say."""
    runs = [run for run in unfinished if holder is None or (run.pid, run.host) == holder]
    repair = N_("Wait until it ends, then run this again. Nothing was sent.")
    if runs:
        return Occupied(
            N_("The ledger {path} is being written by another run: {command}, process {pid} on {host}, since {since}."),
            repair=repair,
            path=ledger_path,
            command=runs[0].command,
            pid=runs[0].pid,
            host=runs[0].host,
            since=_local(runs[0].started_at),
        )
    if holder is not None:
        return Occupied(
            N_("Another program is writing the ledger {path}: process {pid} on {host}."),
            repair=repair,
            path=ledger_path,
            pid=holder[0],
            host=holder[1],
        )
    return Occupied(N_("Another program is writing the ledger {path}."), repair=repair, path=ledger_path)


def _local(moment: str) -> str:
    return f"{dt.datetime.fromisoformat(moment).astimezone(EL_SALVADOR):%d/%m/%Y %H:%M:%S}"


def _lock_path(ledger_path: Path, company: str) -> Path:
    plain = re.sub(r"[^A-Za-z0-9_-]", "", company)
    if plain != company or len(plain) > 40:
        plain = f"{plain[:20]}-{hashlib.sha256(company.encode()).hexdigest()[:8]}"
    return ledger_path.with_name(f"{ledger_path.name}.{plain}.lock")
