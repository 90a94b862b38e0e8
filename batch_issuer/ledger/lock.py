"""One writing run per company at a time. The system lets go of the lock when its holder dies, however it died."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from batch_issuer.ledger.records import RunRecord
from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart


@contextmanager
def holding(ledger_path: Path, company: str) -> Iterator[None]:
    """Hold the company's lock beside the ledger. Raises `Held` at once where another program has it."""
    lock = FileLock(_lock_path(ledger_path, company), mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Held from error
    except OSError as error:
        raise CannotStart(
            N_("The ledger {path} cannot be locked: {reason}."),
            repair=N_("Its folder must be one that you may write to."),
            path=ledger_path,
            reason=error.strerror or str(error),
        ) from error
    try:
        yield
    finally:
        lock.release()


class Held(Exception):  # noqa: N818 - caught by the opener, which names the holder
    """Another program holds the lock."""


def held_by(ledger_path: Path, run: RunRecord | None) -> CannotStart:
    """Who holds it, as its run record says."""
    if run is None:
        return CannotStart(
            N_("Another program is writing the ledger {path}."),
            repair=N_("Wait until it ends, then run this again. Nothing was sent."),
            path=ledger_path,
        )
    return CannotStart(
        N_("The ledger {path} is being written by another run: {command}, process {pid} on {host}, since {since}."),
        repair=N_("Wait until it ends, then run this again. Nothing was sent."),
        path=ledger_path,
        command=run.command,
        pid=run.pid,
        host=run.host,
        since=run.started_at,
    )


def _lock_path(ledger_path: Path, company: str) -> Path:
    plain = re.sub(r"[^A-Za-z0-9_-]", "", company)
    if plain != company or len(plain) > 40:
        plain = f"{plain[:20]}-{hashlib.sha256(company.encode()).hexdigest()[:8]}"
    return ledger_path.with_name(f"{ledger_path.name}.{plain}.lock")
