"""What a ledger may have forgotten that took another's place: such documents are looked up before they are sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from batch_issuer.ledger.restore import looks_owed, may_have_changed_since
from batch_issuer.ledger.store import Ledger
from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.plan.doubts import known_to_provider
from batch_issuer.plan.plan import Candidate
from batch_issuer.plan.prepare import Prepared
from batch_issuer.plan.recognise import unsent_record
from batch_issuer.provider.client import Found
from batch_issuer.send.crew import Crew
from batch_issuer.send.run import Run

_LOOKED_UP = 3
"""New documents of a file that are looked up before any is sent: the first, the middle one and the last."""
_BEHIND_FOR = dt.timedelta(days=31)
"""How long after `ledger restore` every new document is looked up before it is sent."""


def may_be_behind(ledger: Ledger, company: str) -> bool:
    """Whether the ledger took the place of a newer one lately, which may have sent what this one does not know."""
    restored = ledger.last_body(company, Kind.RESTORED)
    return restored is not None and ledger.now() - dt.datetime.fromisoformat(restored["at"]) < _BEHIND_FOR


def refuse_known(run: Run, prepared: Prepared, fresh: Sequence[Candidate], answer: str) -> None:
    """Look some documents up before anything is sent, and refuse if the provider has one that we never sent.

    Where nobody answers, nothing is known, and the run goes on to find out why.

    Raises:
        IdentityQuestion: the provider has one of them; `answer` is what somebody said about such sales.
    """
    places = {round(at * (len(fresh) - 1) / (_LOOKED_UP - 1)) for at in range(_LOOKED_UP)} if fresh else ()
    some = [fresh[at] for at in sorted(places)]
    said = run.look_before([unsent_record(run.company, one) for one in some])
    known = [(one, reply) for one in some if isinstance(reply := said.get(one.external_ref), Found)]
    if known:
        raise known_to_provider(prepared, known, len(some), answer)


async def look_up(crew: Crew, records: Sequence[Record], wanted: Collection[str]) -> list[Record]:
    """Look up documents that are to be issued, record those that the provider has, and return the others.

    Only those in `wanted` are looked up. Where the provider has sales that this ledger never sent, it is an older copy:
    that is remembered, and looks are owed at what may have been cancelled since.
    """
    ledger, journal = crew.journal.ledger, crew.journal
    asked = [record for record in records if record.external_ref in wanted]
    left = await crew.settler.recognise(asked, ledger.bodies(asked))
    gone = {one.external_ref for one in asked} - {one.external_ref for one in left}
    if asked and not may_be_behind(ledger, company := asked[0].company):
        now = ledger.records(company, list(gone))
        # One that was never sent from here, and is there with our content: this is an older copy of the ledger.
        if any(record.accepted and not record.attempts for record in now.values()):
            moment = ledger.now()
            restored = {"head": list(ledger.head()), "replaced": "", "at": moment.astimezone(dt.UTC).isoformat()}
            owed = looks_owed(ledger, company, may_have_changed_since(moment))
            older = [one for one in owed if one.external_ref not in gone]
            await journal.append(NewEvent(kind=Kind.RESTORED, body=restored), *older)
    return [record for record in records if record.external_ref not in gone]
