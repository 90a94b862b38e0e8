"""`cancel`: documents by name, as their outlooks say; credit notes before the CCF that they adjust."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.model.records import Record
from batch_issuer.model.states import ISSUED
from batch_issuer.plan.cancel import SENT, Outlook, outlook
from batch_issuer.provider import wire
from batch_issuer.send.crew import Crew
from batch_issuer.send.guards import Guards
from batch_issuer.send.naming import named
from batch_issuer.send.run import Connection, Outcome, Run, Watcher
from batch_issuer.settings import Company


def outlooks(ledger: Ledger, company: str, records: Sequence[Record], today: dt.date) -> list[Outlook]:
    """Return what cancelling these documents together would mean, in their order."""
    chosen = {record.external_ref for record in records}
    # Valid credit notes, by what each says that it adjusts: a reference, or an id in small letters.
    notes: dict[str, list[str]] = {}
    if any(record.doc_type == "03" for record in records):
        for note in ledger.of_type(company, "05", ISSUED):
            for name in {note.adjusts, note.adjusts.lower()}:
                notes.setdefault(name, []).append(note.external_ref)
    bodies = ledger.bodies(records)
    return [
        outlook(
            record,
            today,
            live_notes=[
                note
                for adjusted in (record.external_ref, record.answer.document_id.lower())
                for note in notes.get(adjusted, ())
            ],
            also_cancelled=chosen,
            activity=wire.activity_in(bodies[record.external_ref]),
        )
        for record in records
    ]


def cancel(
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    names: Sequence[str],
    today: dt.date,
) -> Outcome:
    """Cancel documents as `outlooks` says of them.

    Raises:
        CannotStart: before anything is sent; so too where a name is not known.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        run = Run(ledger, company, "cancel", connection, watcher)
        planned = outlooks(ledger, company.code, named(ledger, company.code, names), today)
        records = [one.record for one in planned if one.course in SENT]
        run.check_key()
        run.begin([one.record for one in planned])

        async def steps(crew: Crew, _guards: Guards) -> None:
            crew.progress.total = len(records)
            await crew.canceller.cancel([record for record in records if record.doc_type == "05"])
            # A CCF can go only where its credit notes went, so it is looked at again.
            others = [record for record in records if record.doc_type != "05"]
            again = ledger.records(company.code, [record.external_ref for record in others])
            now = {one.record.external_ref: one for one in outlooks(ledger, company.code, list(again.values()), today)}
            await crew.canceller.cancel([one for one in others if now[one.external_ref].course in SENT])

        return run.send(steps)
