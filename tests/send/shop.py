"""A shop for tests: a ledger, a file and a provider, and the comparison of what each says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from batch_issuer.ledger.opening import open_to_read, open_to_write
from batch_issuer.ledger.verify import verify
from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.model.states import State
from batch_issuer.plan.prepare import planned_events, prepare
from batch_issuer.sandbox import Running, SandboxOptions
from batch_issuer.send.courier import Patience
from batch_issuer.send.run import Connection, Outcome, issue, refresh, retry
from batch_issuer.settings import Company, Settings
from tests.invented_sales import InventedBatch, Silent

SALES = {f"V-{number}": Decimal(number + 1) / 4 for number in range(12)}
HURRIED = Patience(
    first_pause=0.001, longest_pause=0.05, settling=0.15, connections=60, first_connections=60, budget_least=1000
)
FREE = SandboxOptions(minute_limit=None, hour_limit=None, reset_rounding="fraction")


class Shop:
    """A ledger, a file and a provider."""

    def __init__(
        self,
        folder: Path,
        provider: Running,
        *,
        sales: Iterable[str] = SALES,
        concurrency: int = 4,
        patience: Patience = HURRIED,
    ) -> None:
        self.ledger = folder / "ledger.db"
        self.provider = provider
        self.sales = {reference: SALES.get(reference, Decimal("1.25")) for reference in sales}
        self.connection = Connection(
            base_url=provider.base_url, key=provider.key, concurrency=concurrency, patience=patience
        )

    def issue(self, sales: dict[str, Decimal] | None = None) -> Outcome:
        prepared = prepare(InventedBatch(sales or self.sales), Settings(), dt.date(2026, 11, 21))
        return issue(prepared, ledger_path=self.ledger, company=Company(), connection=self.connection, watcher=Silent())

    def retry(self) -> Outcome:
        return retry(ledger_path=self.ledger, company=Company(), connection=self.connection, watcher=Silent())

    def refresh(self) -> Outcome:
        return refresh(ledger_path=self.ledger, company=Company(), connection=self.connection, watcher=Silent())

    def crash(self) -> None:
        """Leave behind what a run leaves that was killed after writing its intents and before sending anything."""
        prepared = prepare(InventedBatch(self.sales), Settings(), dt.date(2026, 11, 21))
        with open_to_write(self.ledger, Company().code, create=True) as ledger:
            run = ledger.begin_run(Company().code, "issue").run
            planned = list(planned_events(prepared, prepared.candidates))
            intents = [
                NewEvent(kind=Kind.SENDING, external_ref=one.external_ref, body={"fingerprint": one.fingerprint})
                for one in prepared.candidates
            ]
            ledger.append(Company().code, run, [*planned, *intents])

    def states(self) -> list[State]:
        """The states of the sales, in the order of the file."""
        records = self.records()
        return [records[reference].state for reference in self.sales]

    def records(self) -> dict[str, Record]:
        ledger = open_to_read(self.ledger)
        try:
            assert verify(ledger).damages == ()
            return {record.external_ref: record for record in ledger.all_records()}
        finally:
            ledger.close()

    def agree(self) -> None:
        """Ledger and provider say the same of every sale, and nothing was sent that should not have been."""
        there = {document.ref: document for document in self.provider.documents()}
        records = self.records()
        assert set(there) == set(records) == set(self.sales)
        for reference, record in records.items():
            document = there[reference]
            assert record.state.value == document.standing.value, (reference, record)
            assert record.answer.control_number == document.control_number
            assert record.answer.generation_code == document.generation_code
            assert record.answer.reception_stamp == document.stamp
            assert record.answer.amounts.gross in (document.amounts.gross, None)
        assert self.provider.requests().violations == ()
