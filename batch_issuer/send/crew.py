"""Everybody who works on one run, over one courier and one journal."""

from __future__ import annotations

import random
from collections.abc import Callable

from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.provider.client import Client
from batch_issuer.send.ask import Asker, Settler
from batch_issuer.send.cancel import Canceller
from batch_issuer.send.courier import PATIENCE, Courier, Patience
from batch_issuer.send.issue import Issuer
from batch_issuer.send.journal import Journal
from batch_issuer.send.keys import KeyBook


class Crew:
    """Asks, settles, issues and cancels for one run, inside one event loop. `jitter` as the courier's."""

    def __init__(
        self,
        *,
        client: Client,
        ledger: Ledger,
        writer: Writer,
        concurrency: int,
        patience: Patience = PATIENCE,
        key: KeyBook | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.client = client
        self.courier = Courier(
            quota=client.quota, address=client.base_url, concurrency=concurrency, patience=patience, jitter=jitter
        )
        self.progress = self.courier.progress
        self.journal = Journal(ledger=ledger, writer=writer, courier=self.courier, key=key)
        self.courier.listen(self.journal.hear)
        self.asker = Asker(client=client, courier=self.courier)
        self.settler = Settler(asker=self.asker, journal=self.journal)
        self.issuer = Issuer(client=client, asker=self.asker, journal=self.journal)
        self.canceller = Canceller(client=client, courier=self.courier, journal=self.journal)
