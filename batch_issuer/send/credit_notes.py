"""Credit notes go last: each waits until its CCF is stamped and has enough left, which only the provider may know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from batch_issuer.model.records import NewEvent, Record
from batch_issuer.plan.credit_notes import Balance, balance_of, found_ccf, why_wait
from batch_issuer.plan.prepare import planned_event
from batch_issuer.provider import wire
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import Found, Missing
from batch_issuer.send.crew import Crew
from batch_issuer.send.guards import Guards
from batch_issuer.send.owing import CREDITED


async def issue_all(crew: Crew, guards: Guards, records: Sequence[Record]) -> None:
    """Issue documents behind the guards; credit notes last, when their CCFs are settled."""
    notes = [record for record in records if record.doc_type == "05"]
    if records and crew.courier.stopped is None:
        # Before the first document leaves, so that a crash after it still knows with which key it went.
        await guards.remember_trial()
    await guards.issue([record for record in records if record.doc_type != "05"])
    if notes and crew.courier.stopped is None:
        await guards.issue(await _that_may_go(crew, notes))
        await pay_what_is_owed(crew, notes[0].company, CREDITED)


async def pay_what_is_owed(crew: Crew, company: str, *reasons: str) -> None:
    """Take the looks that are owed for these reasons, whichever run left them."""
    await crew.journal.flush()
    owed = [one for one in crew.journal.ledger.owed(company) if one.look_owed in reasons]
    if owed and crew.courier.stopped is None:
        await crew.canceller.pay(owed)


async def _that_may_go(crew: Crew, notes: Sequence[Record]) -> list[Record]:
    """Return the credit notes whose CCF is stamped and has enough left; the others are held with the reason.

    Each that may go counts against its CCF for those after it.
    """
    ledger, company = crew.journal.ledger, notes[0].company
    adjusted = [note.adjusts for note in notes]
    balance = balance_of(ledger, company, adjusted, [note.external_ref for note in notes])
    unanswered = await _look_up(crew, balance, set(adjusted))
    bodies = ledger.bodies(notes)
    going: list[str] = []
    said_again: list[NewEvent] = []
    for note in notes:
        body = bodies[note.external_ref]
        full = wire.credits_all(body)
        if reason := why_wait(note, balance, full=full):
            shown = Reason.CCF_UNANSWERED if note.adjusts in unanswered else reason
            crew.journal.release(note, shown, unsent=False)
            continue
        # A full note comes to what its CCF comes to, which only the provider may have known until now.
        ccf = balance.find(note.adjusts)
        amount = ccf.gross if full and ccf is not None and ccf.gross is not None else note.expected_gross
        if amount != note.expected_gross:
            said_again.append(planned_event(replace(note, expected_gross=amount), body))
        balance.credit(note.adjusts, amount)
        going.append(note.external_ref)
    await crew.journal.append_all(said_again)
    await crew.journal.flush()
    now = ledger.records(company, going)
    return [now[reference] for reference in going]


async def _look_up(crew: Crew, balance: Balance, names: set[str]) -> set[str]:
    """Add what the provider says of CCFs that the ledger lacks; return the names about which it did not answer."""
    unknown = sorted(name for name in names if balance.find(name) is None)
    unanswered: set[str] = set()
    at_once = crew.courier.concurrency
    for start in range(0, len(unknown), at_once):
        some = unknown[start : start + at_once]
        for name, reply in zip(some, await asyncio.gather(*map(crew.asker.look_up, some)), strict=True):
            if isinstance(reply, Found):
                balance.add(found_ccf(name, reply), [name, reply.answer.document_id])
            elif not isinstance(reply, Missing):
                unanswered.add(name)
    return unanswered
