"""`retry`: send again, from the ledger alone, what may be sent again and is not settled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.model.records import Record
from batch_issuer.model.states import IN_DOUBT, UNFINISHED, State
from batch_issuer.send.credit_notes import issue_all, pay_what_is_owed
from batch_issuer.send.crew import Crew
from batch_issuer.send.forgotten import look_up, may_be_behind
from batch_issuer.send.guards import Guards
from batch_issuer.send.owing import CREDITED
from batch_issuer.send.run import Connection, Outcome, Run, Watcher, chosen, in_states
from batch_issuer.settings import Company


def retry(
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    only: Sequence[str] = (),
    limit: int | None = None,
) -> Outcome:
    """Ask about what is in doubt, then issue what is planned.

    Raises:
        CannotStart: before anything is sent.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        run = Run(ledger, company, "retry", connection, watcher)
        records = to_retry(ledger, company.code, only=only, limit=limit)
        run.check_key()
        run.begin(records)

        async def steps(crew: Crew, guards: Guards) -> None:
            # First what may have arrived: asked about, it may turn out to be planned.
            doubts = in_states(records, *IN_DOUBT)
            crew.progress.total = len(doubts)
            await pay_what_is_owed(crew, company.code, CREDITED)
            await crew.settler.settle(doubts)
            now = ledger.records(company.code, [record.external_ref for record in records])
            planned = in_states(list(now.values()), State.PLANNED)
            crew.progress.total += len(planned)
            if may_be_behind(ledger, company.code):
                planned = await look_up(crew, planned, {one.external_ref for one in planned if not one.attempts})
            await issue_all(crew, guards, planned)

        return run.send(steps)


def to_retry(ledger: Ledger, company: str, *, only: Sequence[str], limit: int | None = None) -> list[Record]:
    """Return what `retry` sends or asks about: all that is not settled, but for what a person has withdrawn."""
    left = ledger.in_states(company, UNFINISHED)
    return chosen([record for record in left if not record.withdrawn_at], only=only, limit=limit)
