"""Documents of every type that were issued to a sandbox, for tests of what comes after: cancelling, files, questions."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from batch_issuer.ledger.opening import open_to_read, open_to_write
from batch_issuer.ledger.verify import verify
from batch_issuer.model.records import CancelStep, Kind, NewEvent, Record
from batch_issuer.sandbox import Running, Standing
from batch_issuer.sandbox.store import Record as Registered
from batch_issuer.send.commands.cancel import cancel
from batch_issuer.send.commands.refresh import refresh
from batch_issuer.send.commands.retry import retry
from batch_issuer.send.courier import Patience
from batch_issuer.send.run import Connection, Outcome
from batch_issuer.settings import Company
from tests.invented_sales import Silent
from tests.send.nearby import way_to
from tests.send.shop import HURRIED

COMPANY = Company()
CUSTOMER = {"name": "Distribuidora Inventada", "nit": "06142803901121", "nrc": "123456", "type_contributor": 1}
LINES = [{"description": "Café", "quantity": 2, "unit_price": 5.65}]
GROSS = {"01": "11.30", "03": "11.30", "05": "11.30", "11": "11.30", "14": "11.30"}
ONE_OF_EACH = (("F-1", "01"), ("C-1", "03"), ("X-1", "11"), ("S-1", "14"))


def body_of(reference: str, doc_type: str, **more: Any) -> str:
    """A canonical body by hand."""
    body: dict[str, Any] = {"external_ref": reference}
    match doc_type:
        case "05":
            body |= {"lines": LINES}
        case "14":
            body |= {"lines": LINES, "subject": {"name": "Ana Inventada", "dui": "000000000"}}
        case "03":
            body |= {"doc_type": doc_type, "lines": LINES, "customer": CUSTOMER}
        case _:
            body |= {"doc_type": doc_type, "lines": LINES}
    return json.dumps({name: value for name, value in (body | more).items() if value is not None})


def planned(reference: str, doc_type: str, **more: Any) -> NewEvent:
    content = body_of(reference, doc_type, **more)
    body: dict[str, Any] = {
        "doc_type": doc_type, "fingerprint": hashlib.sha256(content.encode()).hexdigest(), "body": content,
        "expected_gross": GROSS[doc_type], "file": "ventas.csv", "sheet": "", "rows": [2], "date": "2026-11-21",
        "branch": "Centro", "customer": "", "payment_method": "", "lines": 1,
        "adjusts": more.get("document_id", ""),
    }  # fmt: skip
    return NewEvent(kind=Kind.PLANNED, external_ref=reference, body=body)


class Archive:
    """A ledger and a provider, with documents between them."""

    def __init__(self, folder: Path, provider: Running, patience: Patience = HURRIED) -> None:
        self.ledger = folder / "ledger.db"
        self.provider = provider
        self.today = dt.datetime.now(dt.timezone(dt.timedelta(hours=-6))).date()
        self.connection = Connection(**way_to(provider), concurrency=3, patience=patience, max_wait=30)

    def issue(self, *documents: tuple[str, str], **more: Any) -> None:
        """Issue documents given as (reference, type); `more` are fields of their bodies."""
        self.write(*(planned(reference, doc_type, **more) for reference, doc_type in documents))
        outcome = retry(ledger_path=self.ledger, company=COMPANY, connection=self.connection, watcher=Silent())
        assert outcome.stopped is None

    def write(self, *events: NewEvent) -> None:
        with open_to_write(self.ledger, COMPANY.code, create=True) as ledger:
            ledger.append(COMPANY.code, ledger.begin_run(COMPANY.code, "issue").run, events)

    def cancel(self, *names: str) -> Outcome:
        return cancel(
            ledger_path=self.ledger,
            company=COMPANY,
            connection=self.connection,
            watcher=Silent(),
            names=names,
            today=self.today,
        )

    def refresh(self) -> Outcome:
        return refresh(ledger_path=self.ledger, company=COMPANY, connection=self.connection, watcher=Silent())

    def records(self) -> dict[str, Record]:
        ledger = open_to_read(self.ledger)
        try:
            assert verify(ledger).damages == ()
            return {record.external_ref: record for record in ledger.all_records()}
        finally:
            ledger.close()

    def record(self, reference: str) -> Record:
        return self.records()[reference]

    def step(self, reference: str) -> CancelStep | None:
        cancellation = self.record(reference).cancellation
        return cancellation.step if cancellation else None

    def there(self, reference: str) -> Registered:
        document = self.provider.document(reference)
        assert document is not None
        return document

    def agree(self, references: Sequence[str]) -> None:
        """Ledger and provider say that these are cancelled, once, and by what."""
        assert self.provider.requests().violations == ()
        for reference in references:
            record, document = self.record(reference), self.there(reference)
            assert record.state.value == document.standing.value == "cancelled", (reference, record)
            assert record.answer.reception_stamp == document.stamp
            assert record.cancellation is not None
            assert record.cancellation.step is CancelStep.DONE
            memo = record.cancellation.memo
            assert (memo.document_id if memo else "") == document.cancelled_by
            notes = [one for one in self.provider.documents() if one.adjusts == document.document_id]
            assert len([one for one in notes if one.standing is not Standing.CANCELLED]) == (1 if memo else 0)


def money(text: str) -> Decimal:
    return Decimal(text)
