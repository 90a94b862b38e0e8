"""`recheck`, for a reconciliation: ask how documents in every state stand now. Nothing is ever issued."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.model.states import ONLY_PROVIDER_SETTLES
from batch_issuer.provider.client import Found
from batch_issuer.send.crew import Crew
from batch_issuer.send.recheck import Judged, change_of, judge, moved
from batch_issuer.send.run import Connection, Outcome, Run, Watcher, in_states
from batch_issuer.settings import Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What a reconciliation asks the provider about."""

    reading: Mapping[str, Any]
    """What was read, for the run's record."""
    records: Sequence[Record]
    unknown: Sequence[Record] = ()
    """Documents that the ledger does not have, as they would be planned."""


def recheck(
    inquire: Callable[[Ledger], Inquiry],
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
) -> Outcome:
    """Ask how documents in every state stand now; record what became of them.

    Raises:
        CannotStart: before anything is asked.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        run = Run(ledger, company, "reconcile", connection, watcher)
        run.check_key()
        inquiry = inquire(ledger)
        run.begin()
        run.write([NewEvent(kind=Kind.RUN_READ, body=inquiry.reading)])
        return run.send(lambda crew, _guards: _recheck(run, crew, inquiry))


async def _recheck(run: Run, crew: Crew, inquiry: Inquiry) -> None:
    """Ask about what is open as ever; look at the rest, and record it where that takes no stamp away."""
    open_ones = in_states(inquiry.records, *ONLY_PROVIDER_SETTLES)
    settled = [record for record in inquiry.records if record.state not in ONLY_PROVIDER_SETTLES]
    crew.progress.total = len(inquiry.records) + len(inquiry.unknown)
    await crew.settler.settle(open_ones)
    said = await crew.asker.look([*settled, *inquiry.unknown])
    changes = []
    for record in settled:
        if (reply := said.get(record.external_ref)) and (judged := judge(record, reply)):
            changes.append(change_of(record, judged))
            if judged.recorded and isinstance(reply, Found):
                crew.journal.answered(record, reply)
    await crew.journal.flush()
    now = run.ledger.records(run.company, [record.external_ref for record in open_ones])
    touched = [record for record in open_ones if now[record.external_ref].last_seq != record.last_seq]
    there = [(one, reply) for one in inquiry.unknown if isinstance(reply := said.get(one.external_ref), Found)]
    run.ending = {
        "answered": len(said) + len(touched),
        "state_changes": [
            *moved(open_ones, now),
            *changes,
            *(change_of(one, Judged(now=reply.state.value, recorded=False), known=False) for one, reply in there),
        ],
    }
