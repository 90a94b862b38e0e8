"""A ledger that stops being writable in the middle of something, for machines that crash the program anywhere."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from batch_issuer.ledger.schema import create_file


@contextlib.contextmanager
def failing_after(ledger: Path, writes: int) -> Iterator[None]:
    """A ledger that takes so many more events and then no more, as on a full disk or after a kill."""
    if not ledger.exists():
        create_file(ledger)
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        last = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        connection.execute(
            f"CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.seq > {last + writes} "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    try:
        yield
    finally:
        with contextlib.closing(sqlite3.connect(ledger)) as connection:
            connection.execute("DROP TRIGGER full")
