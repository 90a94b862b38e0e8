"""`refresh`: ask about everything that only the provider can settle. Nothing is ever issued or cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.model.states import ONLY_PROVIDER_SETTLES
from batch_issuer.send.cancel import is_under_way
from batch_issuer.send.credit_notes import pay_what_is_owed
from batch_issuer.send.crew import Crew
from batch_issuer.send.guards import Guards
from batch_issuer.send.owing import CREDITED, RESTORED
from batch_issuer.send.run import Connection, Outcome, Run, Watcher, chosen
from batch_issuer.settings import Company


def refresh(
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    only: Sequence[str] = (),
) -> Outcome:
    """Ask about every document in contingency, unsure or sending, and every cancellation that is not settled.

    The doubtful ones come first, then the oldest.

    Raises:
        CannotStart: before anything is asked.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        run = Run(ledger, company, "refresh", connection, watcher)
        records = chosen(ledger.in_states(company.code, ONLY_PROVIDER_SETTLES), only=only)
        records.sort(
            key=lambda record: (ONLY_PROVIDER_SETTLES.index(record.state), record.first_sent_at, record.content_seq)
        )
        cancelling = chosen([one for one in ledger.cancellations(company.code) if is_under_way(one)], only=only)
        run.check_key()
        run.begin([*records, *(record for record in cancelling if record.state not in ONLY_PROVIDER_SETTLES)])

        async def steps(crew: Crew, _guards: Guards) -> None:
            crew.progress.total = len(records) + len(cancelling)
            await pay_what_is_owed(crew, company.code, CREDITED, RESTORED)
            await crew.settler.settle(records)
            await pay_what_is_owed(crew, company.code, CREDITED)
            await crew.canceller.ask(cancelling)

        return run.send(steps)
