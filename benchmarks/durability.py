"""Sends documents with the product's sender, with and without its ledger: what durability costs.

`none` forgets everything, `durable` is the product as it is, `slow` is the same on a disk that needs 15 ms more for
each of the syncs of a commit.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.model.records import NewEvent, Record
from batch_issuer.model.states import State
from batch_issuer.provider.client import Client, open_transport
from batch_issuer.provider.quota import Quota
from batch_issuer.send.courier import Sender
from benchmarks.ledgers import COMPANY, planned

CONCURRENCY = 100
SYNC_DELAY = 0.015
SYNCS = 5
"""Of one commit with a rollback journal that is kept (`strace -f -c -e fdatasync`); one with a write-ahead log."""


class Slow(Ledger):
    """A ledger on a slower disk."""

    def append(self, company: str, run: str, new: Sequence[NewEvent]) -> None:
        super().append(company, run, new)
        time.sleep(SYNCS * SYNC_DELAY)


class Forgetful:
    """Ledger and writer in one: it has the bodies at hand, and whatever is written is forgotten."""

    def __init__(self, ledger: Ledger, records: Sequence[Record]) -> None:
        self._bodies = ledger.bodies(records)
        self.now = ledger.now

    def bodies(self, records: Sequence[Record]) -> dict[str, bytes]:
        return {record.external_ref: self._bodies[record.external_ref] for record in records}

    def append(self, _: Sequence[NewEvent]) -> asyncio.Future[None]:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written

    append_soon = append


async def send(ledger: Ledger, run: str, records: Sequence[Record], url: str, *, forget: bool) -> None:
    client = Client(url, "odt_benchmarks", quota=Quota(), transport=open_transport(url, CONCURRENCY))
    with Writer(partial(ledger.append, COMPANY, run)) as writer:
        async with client:
            kept: Any = Forgetful(ledger, records) if forget else None
            sender = Sender(
                client=client,
                ledger=cast("Ledger", kept or ledger),
                writer=cast("Writer", kept or writer),
                concurrency=CONCURRENCY,
            )
            await sender.issue(records)
            assert sender.progress.states == {State.STAMPED: len(records)}, sender.progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--ledger", choices=["none", "durable", "slow"], required=True)
    chosen = parser.parse_args()
    with open_to_write(Path("durability.db"), COMPANY, create=True) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned(number, ledger.now()) for number in range(chosen.documents)])
        records = ledger.in_states(COMPANY, [State.PLANNED])
        if chosen.ledger == "slow":
            ledger.__class__ = Slow
        asyncio.run(send(ledger, run, records, chosen.url, forget=chosen.ledger == "none"))


if __name__ == "__main__":
    main()
