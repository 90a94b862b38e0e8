"""How a ledger is opened: to read by anyone, to write by one run per company at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batch_issuer.ledger import lock, schema
from batch_issuer.ledger.store import Clock, Ledger, utc_now
from batch_issuer.ledger.verify import rebuild


def open_to_read(path: Path, clock: Clock = utc_now) -> Ledger:
    """Open an existing ledger. One of an older version is brought up to date.

    Raises: `CannotStart` where it is missing, damaged, newer, or not a ledger.
    """
    engine, version = schema.open_file(path)
    ledger = Ledger(path, engine, clock)
    if version < schema.VERSION:
        # The events of an older version say all that is new, and stay as they are: the state is made from them anew.
        schema.add_what_is_new(engine, path)
        rebuild(ledger)
        schema.mark_current(engine, path)
    return ledger


@contextmanager
def open_to_write(path: Path, company: str, *, create: bool, clock: Clock = utc_now) -> Iterator[Ledger]:
    """Open the ledger, made if it is new, and hold it for this company's run.

    Raises: `Occupied` where another run holds it, `CannotStart` as `open_to_read` does.
    """
    if create and not schema.exists(path):
        schema.create_file(path)
    ledger = open_to_read(path, clock)
    try:
        with lock.holding(path, company, lambda: ledger.unfinished(company)) as in_place:
            ledger.check_pages(largest=schema.CHECKED_WHOLE_BELOW)
            ledger.begin_writing(in_place)
            yield ledger
    finally:
        ledger.close()
