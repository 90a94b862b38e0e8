"""The runs that write the ledger: issue, retry, refresh, cancel. Each is: lock, plan, record, send, record the end.

What each sends follows from the plan table; how it sends is `sending`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.restore import looks_owed, may_have_changed_since
from batch_issuer.ledger.store import Exchanged, Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.messages import N_
from batch_issuer.model.problems import Interrupted, Stop, StoppedMidway, raise_together
from batch_issuer.model.records import Answer, Kind, NewEvent, Record, RunRecord
from batch_issuer.model.states import IN_DOUBT, ISSUED, ONLY_PROVIDER_SETTLES, UNFINISHED, Action, State
from batch_issuer.plan.cancel import SENT, Outlook, outlook
from batch_issuer.plan.credit_notes import Balance, balance_of, found_ccf, why_wait
from batch_issuer.plan.doubts import SAME, known_to_provider
from batch_issuer.plan.plan import Candidate, Plan, Step, make_plan, select
from batch_issuer.plan.prepare import Prepared, conflict_list, planned_event, planned_events, summary
from batch_issuer.plan.recognise import recognise, unsent_record
from batch_issuer.provider import wire
from batch_issuer.provider.classify import NEEDS_PERSON, Reason
from batch_issuer.provider.client import Client, Found, Missing, open_transport
from batch_issuer.provider.quota import Quota
from batch_issuer.send import live_catalogs
from batch_issuer.send.cancel import Canceller, is_under_way
from batch_issuer.send.courier import PATIENCE, WHOSE, Patience, Progress, Sender
from batch_issuer.send.keys import KeyBook, is_the_same, key_in, not_found_out, not_this_companys
from batch_issuer.send.naming import named
from batch_issuer.send.owing import CREDITED, RESTORED
from batch_issuer.send.recheck import Judged, change_of, judge, moved
from batch_issuer.settings import Company

_PLANNED_AT_ONCE = 500
_LOOKED_THROUGH = 20
"""Stamped documents among which one is looked for that is not of another company."""
_LOOKED_UP = 3
"""New documents of a file that are looked up before any is sent: the first, the middle one and the last."""
_ASKED_IN_PASSING = 60
"""Documents that earlier runs left in doubt, and that a run asks about on its way: half a minute of the quota."""
_BEHIND_FOR = dt.timedelta(days=31)
"""How long after `ledger restore` every new document is looked up before it is sent."""
_CATALOG_SECONDS = 1.0
"""How long the end of a run waits for catalogs that are still on their way."""


class Watcher(Protocol):
    """Whoever shows what goes on while a run sends."""

    def begin(self, progress: Progress, quota: Quota) -> None: ...

    def tick(self) -> None:
        """Called a few times a second."""

    def end(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to send, as whom, and how fast."""

    base_url: str
    key: str
    concurrency: int = 8
    reserve: int = 0
    max_wait: float = float("inf")
    patience: Patience = PATIENCE
    new_key: bool = False
    """The company changed its key: take it instead of refusing."""
    expect_environment: str = ""
    """"test" or "production"; empty: not checked."""
    canary: int = 0
    """So many documents are issued first, and must all be stamped or in contingency before the rest goes."""
    accepted_settings: Mapping[str, str] = field(default_factory=dict)
    """The settings file that somebody has chosen, to be remembered; empty where nobody has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. What became of its documents is in the ledger."""

    run: RunRecord
    progress: Progress
    seconds: float
    stopped: Stop | None


def issue(
    prepared: Prepared,
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    only: Sequence[str] = (),
    limit: int | None = None,
) -> Outcome:
    """Issue what the plan says of the files' documents. Raises `CannotStart` before anything is sent.

    So it does where sales of the files may be those that the ledger has, and nobody said whether they are.
    """
    alike = prepared.settings.source.alike
    with open_to_write(ledger_path, company.code, create=True) as ledger:
        recognised = recognise(prepared, ledger, company.code, alike)
        raise_together(recognised.questions(alike))
        prepared, plan = recognised.prepared, recognised.plan()
        chosen = select(plan, only=only, limit=limit)
        work = _Work(ledger, company, "issue", connection, watcher)
        work.check_key()
        behind = alike == SAME or work.may_be_behind
        fresh = [step.candidate for step in chosen.of(Action.ISSUE) if step.record is None or not step.record.attempts]
        if not behind:
            work.refuse_known(prepared, fresh, alike)
        work.begin()
        references = [step.candidate.external_ref for step in chosen.steps]
        kept = set(references)
        left_out = [step.candidate for step in plan.steps if step.candidate.external_ref not in kept]
        conflicts = conflict_list(chosen.of(Action.CONFLICT), prepared, ledger)
        body = {**summary(prepared, references, left_out), "conflicts": conflicts}
        same = ledger.has_read_just(company.code, body)
        read = NewEvent(kind=Kind.RUN_READ, body={"same_as": same} if same else body)
        work.write([read, *recognised.said])
        del read, body  # the largest of all events, and nobody needs it while documents are sent
        anew = [
            step.candidate
            for step in chosen.of(Action.ISSUE)
            if step.record is None or step.changed or step.record.withdrawn_at
        ]
        searched = _catalogs_to_ask(prepared, chosen)
        asks = searched is not None and live_catalogs.is_old(ledger_path, ledger.now())

        async def asking(sender: Canceller) -> None:
            # The first answer tells the quota: asked before, catalogs would keep the documents waiting.
            while not sender.progress.done and sender.stopped is None:  # noqa: ASYNC110 - nobody else needs an event
                await asyncio.sleep(0.05)
            await live_catalogs.refresh(sender.client, ledger_path, ledger.now(), searched or ())

        async def steps(sender: Canceller) -> None:
            await work.ask_what_is_open(sender, {one.external_ref for one in prepared.candidates})
            await work.plan_anew(prepared, anew)
            look_up = {one.external_ref for one in fresh} if behind else set()
            sending = _issue_plan(work, sender, prepared, chosen, look_up)
            await _beside(sending, asking(sender) if asks else None)

        return work.send(steps)


def _catalogs_to_ask(prepared: Prepared, plan: Plan) -> frozenset[str] | None:
    """The activities to look for in the provider's catalogs; None where nothing is sent that depends on catalogs."""
    if not plan.of(Action.ISSUE, Action.ASK):
        return None
    problems = [problem for held in prepared.held for problem in held.problems]
    if not prepared.customers.are_placed and not any(problem.field in live_catalogs.FIELDS for problem in problems):
        return None
    return frozenset(one.value for one in problems if one.code == "activity-unknown" and one.value.isdecimal())


async def _beside(sending: Awaitable[None], asking: Coroutine[Any, Any, None] | None) -> None:
    """Send, and meanwhile ask for something that nobody waits for."""
    task = asyncio.create_task(asking) if asking is not None else None
    try:
        await sending
    finally:
        if task is not None:
            await asyncio.wait([task], timeout=_CATALOG_SECONDS)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def retry(
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    only: Sequence[str] = (),
    limit: int | None = None,
) -> Outcome:
    """Send again, from the ledger alone, what may be sent again and is not settled."""
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        work = _Work(ledger, company, "retry", connection, watcher)
        records = to_retry(ledger, company.code, only=only, limit=limit)
        work.check_key()
        work.begin(records)

        async def steps(sender: Canceller) -> None:
            doubts = _in_states(records, *IN_DOUBT)
            sender.progress.total = len(doubts)
            await work.pay_what_is_owed(sender, CREDITED)
            await sender.ask(doubts)
            now = ledger.records(company.code, [record.external_ref for record in records])
            planned = _in_states(list(now.values()), State.PLANNED)
            sender.progress.total += len(planned)
            if work.may_be_behind:
                planned = await work.look_up(sender, planned, {one.external_ref for one in planned if not one.attempts})
            await work.issue_carefully(sender, planned)

        return work.send(steps)


def to_retry(ledger: Ledger, company: str, *, only: Sequence[str], limit: int | None = None) -> list[Record]:
    """What `retry` sends or asks about: all that is not settled, but for what a person has withdrawn."""
    left = ledger.in_states(company, UNFINISHED)
    return chosen([record for record in left if not record.withdrawn_at], only=only, limit=limit)


def refresh(
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    only: Sequence[str] = (),
) -> Outcome:
    """Ask about every document in contingency, unsure or sending, and every cancellation that is not settled.

    The doubtful ones come first, then the oldest. Nothing is ever issued or cancelled.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        work = _Work(ledger, company, "refresh", connection, watcher)
        records = chosen(ledger.in_states(company.code, ONLY_PROVIDER_SETTLES), only=only)
        records.sort(
            key=lambda record: (ONLY_PROVIDER_SETTLES.index(record.state), record.first_sent_at, record.content_seq)
        )
        cancelling = chosen([one for one in ledger.cancellations(company.code) if is_under_way(one)], only=only)
        work.check_key()
        work.begin([*records, *(record for record in cancelling if record.state not in ONLY_PROVIDER_SETTLES)])

        async def steps(sender: Canceller) -> None:
            sender.progress.total = len(records) + len(cancelling)
            await work.pay_what_is_owed(sender, CREDITED, RESTORED)
            await sender.ask(records)
            await work.pay_what_is_owed(sender, CREDITED)
            await sender.ask_cancellations(cancelling)

        return work.send(steps)


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
    """Ask how documents in every state stand now; record what became of them. Nothing is ever issued."""
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        work = _Work(ledger, company, "reconcile", connection, watcher)
        work.check_key()
        inquiry = inquire(ledger)
        work.begin()
        work.write([NewEvent(kind=Kind.RUN_READ, body=inquiry.reading)])
        return work.send(lambda sender: _recheck(work, sender, inquiry))


async def _recheck(work: _Work, sender: Sender, inquiry: Inquiry) -> None:
    """What is open is asked about as ever; the rest is looked at, and recorded where that takes no stamp away."""
    open_ones = _in_states(inquiry.records, *ONLY_PROVIDER_SETTLES)
    settled = [record for record in inquiry.records if record.state not in ONLY_PROVIDER_SETTLES]
    sender.progress.total = len(inquiry.records) + len(inquiry.unknown)
    await sender.ask(open_ones)
    said = await sender.look([*settled, *inquiry.unknown])
    changes = []
    for record in settled:
        reply = said.get(record.external_ref)
        judged = judge(record, reply) if reply is not None else None
        if judged is None:
            continue
        changes.append(change_of(record, judged))
        if judged.recorded and isinstance(reply, Found):
            sender.learn(record, reply)
    await sender.flush()
    now = work.ledger.records(work.company, [record.external_ref for record in open_ones])
    touched = [record for record in open_ones if now[record.external_ref].last_seq != record.last_seq]
    there = [(one, reply) for one in inquiry.unknown if isinstance(reply := said.get(one.external_ref), Found)]
    work.ending = {
        "answered": len(said) + len(touched),
        "state_changes": [
            *moved(open_ones, now),
            *changes,
            *(change_of(one, Judged(now=reply.state.value, recorded=False), known=False) for one, reply in there),
        ],
    }


def outlooks(ledger: Ledger, company: str, records: Sequence[Record], today: dt.date) -> list[Outlook]:
    """What cancelling these documents together would mean, in their order."""
    chosen = {record.external_ref for record in records}
    notes = _live_notes(ledger, company) if any(record.doc_type == "03" for record in records) else {}
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
    """Cancel documents as `outlooks` says of them; credit notes before the CCF that they adjust."""
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        work = _Work(ledger, company, "cancel", connection, watcher)
        planned = outlooks(ledger, company.code, named(ledger, company.code, names), today)
        records = [one.record for one in planned if one.course in SENT]
        work.check_key()
        work.begin([one.record for one in planned])

        async def steps(canceller: Canceller) -> None:
            canceller.progress.total = len(records)
            notes = [record for record in records if record.doc_type == "05"]
            await canceller.cancel(notes)
            others = [record for record in records if record.doc_type != "05"]
            again = ledger.records(company.code, _refs(others))
            now = {one.record.external_ref: one for one in outlooks(ledger, company.code, list(again.values()), today)}
            await canceller.cancel([one for one in others if now[one.external_ref].course in SENT])

        return work.send(steps)


def _refs(records: Sequence[Record]) -> list[str]:
    return [record.external_ref for record in records]


def _live_notes(ledger: Ledger, company: str) -> dict[str, list[str]]:
    """References of valid credit notes, by what each says that it adjusts: a reference, or an id in small letters."""
    found: dict[str, list[str]] = {}
    for note in ledger.of_type(company, "05", ISSUED):
        for name in {note.adjusts, note.adjusts.lower()}:
            found.setdefault(name, []).append(note.external_ref)
    return found


async def _issue_plan(work: _Work, sender: Canceller, prepared: Prepared, plan: Plan, look_up: Collection[str]) -> None:
    """Ask first, then issue, then look after what is in contingency.

    Of documents in `look_up` the ledger may have forgotten that they were sent: they are looked up before they are.
    """
    doubts = [step for step in plan.of(Action.ASK) if step.record is not None]
    waiting = [step.record for step in plan.of(Action.WATCH, Action.CONFLICT) if step.record is not None]
    waiting = _in_states(waiting, State.CONTINGENCY)
    sender.progress.total = len(doubts) + len(plan.of(Action.ISSUE)) + len(waiting)
    in_doubt = [step.record for step in doubts if step.record is not None]
    if prepared.settings.source.alike == SAME:
        theirs = [record for record in in_doubt if record.reason in WHOSE]
        await sender.recognise(theirs, work.ledger.bodies(theirs))
    await sender.ask([record for record in in_doubt if record.reason not in WHOSE])
    clear = {step.candidate.external_ref for step in plan.of(Action.ISSUE)}
    again = await work.plan_again(prepared, doubts)
    sender.progress.total += len(again)
    clear.update(again)
    planned = [step.candidate.external_ref for step in plan.steps if step.candidate.external_ref in clear]
    records = work.ledger.records(work.company, planned)
    to_issue = [records[reference] for reference in planned]
    if look_up:
        to_issue = await work.look_up(sender, to_issue, look_up)
    await work.issue_carefully(sender, to_issue)
    await sender.ask(waiting)


class _Work:
    """What the three runs share: the key, the run's record, the event loop, the signals, the end."""

    def __init__(self, ledger: Ledger, owner: Company, command: str, connection: Connection, watcher: Watcher) -> None:
        self.ledger = ledger
        self.company = owner.code
        self._owner = owner
        self._command = command
        self._connection = connection
        self._watcher = watcher
        self._run: RunRecord | None = None
        self._key_book: KeyBook | None = None
        self._is_looked_at = False
        self._was_known = False
        """Whether the ledger had the key as the company's before the first document of this run."""
        self._canaries = connection.canary
        self._canaries_sent = 0
        self._conflicts: list[dict[str, Any]] = []
        self._writer: Writer | None = None
        self._stopped_before: Stop | None = None
        """Why nothing can be sent, where that was found out before the run began."""
        self.ending: Mapping[str, Any] = {}
        """What this kind of run has to say at its end."""

    @property
    def run(self) -> RunRecord:
        assert self._run is not None  # noqa: S101 - begin() comes first
        return self._run

    @property
    def key(self) -> KeyBook:
        assert self._key_book is not None  # noqa: S101 - check_key() comes first
        return self._key_book

    def check_key(self) -> None:
        """Refuse another key than the company's, and a key that is known to be of the other environment."""
        self._key_book = key_in(
            self.ledger,
            self._owner,
            self._connection.key,
            new_key=self._connection.new_key,
            expect_environment=self._connection.expect_environment,
        )

    def begin(self, records: Sequence[Record] | None = None) -> None:
        """Write that the run begins, and for runs without files what they are about."""
        self._run = self.ledger.begin_run(self.company, self._command)
        self._remember_settings()
        if records is not None:
            body = {"refs": [record.external_ref for record in records], "documents": len(records), "rows": 0}
            self.write([NewEvent(kind=Kind.RUN_READ, body=body)])

    def _remember_settings(self) -> None:
        """Write which settings file was chosen, unless that is known."""
        chosen = self._connection.accepted_settings
        known = self.ledger.bodies_beside((Kind.SETTINGS_ACCEPTED,)) if chosen else []
        if chosen and chosen not in [body for _, _, _, body in known]:
            self.write([NewEvent(kind=Kind.SETTINGS_ACCEPTED, body=chosen)])

    def write(self, new: Sequence[NewEvent]) -> None:
        self.ledger.append(self.company, self.run.run, new)

    async def plan_anew(self, prepared: Prepared, candidates: Sequence[Candidate]) -> None:
        """Write the content of documents that are to be issued, before anything is sent."""
        assert self._writer is not None  # noqa: S101 - a run that issues writes
        events = planned_events(prepared, candidates)
        written: asyncio.Future[None] | None = None
        while chunk := list(islice(events, _PLANNED_AT_ONCE)):
            before, written = written, self._writer.append(chunk)
            if before is not None:
                await before
        if written is not None:
            await written

    async def plan_again(self, prepared: Prepared, steps: Sequence[Step]) -> list[str]:
        """Which documents that were in doubt are to be issued, now that they were asked about."""
        records = self.ledger.records(self.company, [step.candidate.external_ref for step in steps])
        plan = make_plan([step.candidate for step in steps], records)
        self._conflicts += conflict_list(plan.of(Action.CONFLICT), prepared, self.ledger)
        changed = [step.candidate for step in plan.of(Action.ISSUE) if step.changed]
        if self._writer is not None and changed:
            await self._writer.append(list(planned_events(prepared, changed)))
        return [step.candidate.external_ref for step in plan.of(Action.ISSUE)]

    async def issue_carefully(self, sender: Canceller, records: Sequence[Record]) -> None:
        """Issue, behind the environment guard and the canaries; credit notes last, when their CCFs are settled."""
        notes = [record for record in records if record.doc_type == "05"]
        others = [record for record in records if record.doc_type != "05"]
        is_going = bool(records) and sender.stopped is None
        if is_going and self._writer is not None and (tried := self.key.tried()):
            await self._writer.append([tried])
        await self._issue_guarded(sender, others)
        if notes and sender.stopped is None:
            going = await self._notes_that_may_go(sender, notes)
            await self._issue_guarded(sender, going)
            await self.pay_what_is_owed(sender, CREDITED)

    async def pay_what_is_owed(self, sender: Canceller, *reasons: str) -> None:
        """Take the looks that are owed for these reasons, whichever run left them."""
        await sender.flush()
        owed = [one for one in self.ledger.owed(self.company) if one.look_owed in reasons]
        if owed and sender.stopped is None:
            await sender.pay(owed)

    async def ask_what_is_open(self, sender: Canceller, without: Collection[str]) -> None:
        """First what earlier runs left in doubt, where that takes seconds; it may be in no file of today."""
        owed = [one for one in self.ledger.owed(self.company) if one.look_owed == CREDITED]
        left = self.ledger.in_states(self.company, IN_DOUBT)
        doubts = [one for one in left if one.external_ref not in without and one.reason not in NEEDS_PERSON]
        if len(doubts) + len(owed) <= _ASKED_IN_PASSING:
            sender.progress.total += len(doubts)
            await sender.ask(doubts)
            await sender.pay(owed)

    @property
    def may_be_behind(self) -> bool:
        """Whether the ledger took the place of a newer one lately, which may have sent what this one does not know."""
        restored = self.ledger.last_body(self.company, Kind.RESTORED)
        return restored is not None and self.ledger.now() - dt.datetime.fromisoformat(restored["at"]) < _BEHIND_FOR

    def refuse_known(self, prepared: Prepared, fresh: Sequence[Candidate], answer: str) -> None:
        """Look some documents up before anything is sent, and refuse if the provider has one that we never sent.

        Raises `IdentityQuestion`. Where nobody answers, nothing is known, and the run goes on to find out why.
        """
        places = {round(at * (len(fresh) - 1) / (_LOOKED_UP - 1)) for at in range(_LOOKED_UP)} if fresh else ()
        some = [fresh[at] for at in sorted(places)]
        records = [unsent_record(self.company, one) for one in some]
        said = asyncio.run(self._look(records)) if records else {}
        known = [(one, reply) for one in some if isinstance(reply := said.get(one.external_ref), Found)]
        if known:
            raise known_to_provider(prepared, known, len(some), answer)

    async def _look(self, records: Sequence[Record]) -> Mapping[str, Found | Missing]:
        """What the provider says of documents, by reference; nothing is written."""
        async with self._client() as client:
            sender = Sender(
                client=client, ledger=self.ledger, concurrency=len(records), patience=self._connection.patience
            )
            with interruptible(sender):
                said = await sender.look(records)
            if isinstance(sender.stopped, Interrupted):
                raise sender.stopped
            self._stopped_before = sender.stopped
            return said

    async def look_up(self, sender: Sender, records: Sequence[Record], wanted: Collection[str]) -> list[Record]:
        """Of documents that are to be issued, those that the provider does not have; the others are recorded."""
        asked = [record for record in records if record.external_ref in wanted]
        left = await sender.recognise(asked, self.ledger.bodies(asked))
        gone = {one.external_ref for one in asked} - {one.external_ref for one in left}
        await sender.flush()
        if self._writer is not None and not self.may_be_behind and self._found_forgotten(gone):
            now = self.ledger.now()
            restored = {"head": list(self.ledger.head()), "replaced": "", "at": now.astimezone(dt.UTC).isoformat()}
            owed = looks_owed(self.ledger, self.company, may_have_changed_since(now))
            older = [one for one in owed if one.external_ref not in gone]
            await self._writer.append([NewEvent(kind=Kind.RESTORED, body=restored), *older])
        return [record for record in records if record.external_ref not in gone]

    def _found_forgotten(self, references: Collection[str]) -> bool:
        """Whether the provider had sales of ours that this ledger never sent: then it is an older copy."""
        now = self.ledger.records(self.company, list(references))
        return any(record.accepted and not record.attempts for record in now.values())

    async def _notes_that_may_go(self, sender: Sender, notes: Sequence[Record]) -> list[Record]:
        """The credit notes whose CCF is stamped and has enough left; the others are held with the reason.

        A full credit note comes to what its CCF comes to, which only the provider may have known until now.
        """
        balance = balance_of(
            self.ledger, self.company, [note.adjusts for note in notes], [note.external_ref for note in notes]
        )
        unanswered = await self._look_up(sender, balance, {note.adjusts for note in notes})
        bodies = self.ledger.bodies(notes)
        going: list[str] = []
        said_again: list[NewEvent] = []
        for note in notes:
            body = bodies[note.external_ref]
            full = wire.credits_all(body)
            reason = why_wait(note, balance, full=full)
            if reason is not None:
                sender.hold(note, Reason.CCF_UNANSWERED if note.adjusts in unanswered else reason)
                continue
            ccf = balance.find(note.adjusts)
            amount = ccf.gross if full and ccf is not None and ccf.gross is not None else note.expected_gross
            if amount != note.expected_gross:
                said_again.append(planned_event(replace(note, expected_gross=amount), body))
            balance.credit(note.adjusts, amount)
            going.append(note.external_ref)
        if self._writer is not None and said_again:
            await self._writer.append(said_again)
        await sender.flush()
        now = self.ledger.records(self.company, going)
        return [now[reference] for reference in going]

    async def _look_up(self, sender: Sender, balance: Balance, names: set[str]) -> set[str]:
        """Add what the provider says of CCFs that the ledger does not know; the names about which it did not answer."""
        unknown = sorted(name for name in names if balance.find(name) is None)
        unanswered: set[str] = set()
        for start in range(0, len(unknown), self._connection.concurrency):
            some = unknown[start : start + self._connection.concurrency]
            for name, reply in zip(some, await asyncio.gather(*map(sender.look_up, some)), strict=True):
                if isinstance(reply, Found):
                    balance.add(found_ccf(name, reply), [name, reply.answer.document_id])
                elif not isinstance(reply, Missing):
                    unanswered.add(name)
        return unanswered

    async def _issue_guarded(self, sender: Sender, records: Sequence[Record]) -> None:
        rest = list(records)
        if self._connection.expect_environment and not self.key.environment:
            rest = await self._prove_environment(sender, rest)
        self._canaries = max(0, self._canaries - (len(records) - len(rest)))
        if rest and sender.stopped is None and not (self.key.issuer or self.key.is_silent or self._is_looked_at):
            rest = await self._look_at_first(sender, rest)
        if self._canaries and rest and sender.stopped is None:
            await self._send_canaries(sender, rest[: self._canaries])
            rest, self._canaries = rest[self._canaries :], max(0, self._canaries - len(rest))
        if sender.stopped is None:
            await sender.issue(rest)

    async def _look_at_first(self, sender: Sender, records: list[Record]) -> list[Record]:
        """Issue one document alone and see whose key it is, before the others leave; the records that are left.

        What its answer does not say is not asked for: the others go. If it is stamped and says nothing, that is
        remembered, so that this is done once for each key.
        """
        self._is_looked_at = True
        first, *rest = records
        if self._canaries:
            await self._send_canaries(sender, [first])
            self._canaries -= 1
        else:
            await sender.issue([first])
        now = self.ledger.record(self.company, first.external_ref)
        is_stamped = now is not None and now.state is State.STAMPED
        if is_stamped and self._writer is not None and (news := self.key.learn_silence(first.external_ref)):
            await self._writer.append([news])
        return rest

    async def _prove_new_key(self, sender: Sender) -> None:
        """Find out whether a key that the ledger does not know sees what the company has had stamped; else stop.

        One that does not is of another company or environment, and what the ledger calls settled is not settled there.
        """
        stamped = self._stamped(State.STAMPED, State.CANCELLED)
        if self.key.is_known or stamped is None:
            return
        self.key.on_trial = True
        reply = await sender.find(stamped)
        self.key.on_trial = False
        if isinstance(reply, Found) and is_the_same(stamped, reply.answer):
            if self._writer is not None and (news := self.key.learn(reply.answer, stamped.external_ref)):
                await self._writer.append([news])
            if self.key.objection is not None:
                sender.stop(self.key.objection)
        elif isinstance(reply, Found | Missing):
            sender.stop(not_this_companys(stamped, self.company))
        else:
            sender.stop(not_found_out(stamped, self.company))

    def _stamped(self, *states: State) -> Record | None:
        """The company's newest document in these states, none of those that another company's key has issued."""
        return self.key.stamped(self.ledger.newest_stamped(self.company, _LOOKED_THROUGH, states))

    async def _send_canaries(self, sender: Sender, canaries: Sequence[Record]) -> None:
        self._canaries_sent += len(canaries)
        await sender.issue(canaries)
        now = self.ledger.records(self.company, [record.external_ref for record in canaries])
        bad = [record for record in now.values() if record.state not in ISSUED]
        if bad and sender.stopped is None:
            sender.stop(
                StoppedMidway(
                    N_("{bad} of the first {count} documents were not issued; the rest was spared (--canary)."),
                    repair=N_("Look at {reference} in the report, mend the cause, and run the same command again."),
                    bad=len(bad),
                    count=self._canaries_sent,
                    reference=bad[0].external_ref,
                )
            )

    async def _prove_environment(self, sender: Sender, records: list[Record]) -> list[Record]:
        """Find out which environment the key belongs to, from one stamped document; the records that are left.

        Documents go one at a time until one is stamped; one that is registered and not stamped ends the run, and
        those that follow, so that at most one can ever be issued in the wrong place.
        """
        if self._was_known:
            await sender.ask(self.ledger.in_states(self.company, ONLY_PROVIDER_SETTLES)[:1])
            if self.key.environment or sender.stopped is not None:
                return records
            if (stamped := self._stamped(State.STAMPED)) is not None:
                await self._take_environment(sender, stamped)
                return records
            for waiting in self.ledger.in_states(self.company, ONLY_PROVIDER_SETTLES)[:1]:
                self._stop_unproven(sender, waiting)
        while records and sender.stopped is None and not self.key.environment:
            first = records.pop(0)
            await sender.issue([first])
            now = self.ledger.record(self.company, first.external_ref)
            if now is not None and now.state is State.STAMPED:
                if not self.key.environment:
                    await self._take_environment(sender, now)
            elif now is not None and now.state in ONLY_PROVIDER_SETTLES:
                self._stop_unproven(sender, now)
        return records

    def _stop_unproven(self, sender: Sender, record: Record) -> None:
        sender.stop(
            StoppedMidway(
                N_("It is not proven that the key is of the {expected} environment: {reference} has no stamp."),
                repair=N_("Run `batch-issuer refresh` until it is stamped, then run the same command again."),
                expected=self._connection.expect_environment,
                reference=record.external_ref,
            )
        )

    async def _take_environment(self, sender: Sender, record: Record) -> None:
        """Read the environment out of a signed document, remember it, and stop where it is the wrong one."""
        for _ in range(3):
            code = await sender.client.environment(record.external_ref)
            if code in wire.ENVIRONMENTS:
                break
            await asyncio.sleep(1)
        else:
            sender.stop(
                StoppedMidway(
                    N_("The key's environment is not proven: the signed document of {reference} is not readable."),
                    repair=N_("Run the same command again; nothing more is issued until it is proven."),
                    reference=record.external_ref,
                )
            )
            return
        news = self.key.learn(Answer(environment=wire.ENVIRONMENTS[code]), record.external_ref)
        if news is not None and self._writer is not None:
            await self._writer.append([news])
        if self.key.objection is not None:
            sender.stop(self.key.objection)

    def send(self, steps: Callable[[Canceller], Awaitable[None]]) -> Outcome:
        """Run the steps in an event loop, and write how it ended.

        Raises `Exchanged`, as no report can be made then.
        """
        began = time.monotonic()
        sender = asyncio.run(self._send(steps))
        progress, stopped = sender.progress, sender.stopped
        seconds = round(time.monotonic() - began, 3)
        ending = {
            "exit_code": stopped.exit_code if stopped else None,
            "posts": progress.posts,
            "asks": progress.asks,
            "seconds": seconds,
            "stopped": stopped.message if stopped else "",
            "stopped_with": {name: str(value) for name, value in stopped.parameters.items()} if stopped else {},
            "conflicts": [*self._conflicts, *progress.conflicts],
            **self.ending,
        }
        try:
            self.write([NewEvent(kind=Kind.RUN_ENDED, body=ending)])
        except Exchanged:
            raise
        except StoppedMidway as stop:
            stopped = stopped or stop
        return Outcome(run=self.run, progress=progress, seconds=seconds, stopped=stopped)

    async def _send(self, steps: Callable[[Canceller], Awaitable[None]]) -> Canceller:
        connection, client = self._connection, self._client()
        with Writer(self.write) as writer:
            self._writer = writer
            sender = Canceller(
                client=client,
                ledger=self.ledger,
                writer=writer,
                concurrency=connection.concurrency,
                patience=connection.patience,
                key=self.key,
            )
            if self._stopped_before is not None:
                sender.stop(self._stopped_before)
            self._watcher.begin(sender.progress, client.quota)
            ticking = asyncio.create_task(self._tick())
            try:
                async with client:
                    with interruptible(sender):
                        await self._prove_new_key(sender)
                        self._was_known = self.key.is_known
                        await steps(sender)
            except Stop as stop:
                sender.stop(stop)
            finally:
                ticking.cancel()
                await asyncio.gather(ticking, return_exceptions=True)
                self._watcher.end()
        if writer.bug is not None:
            raise writer.bug
        return sender

    def _client(self) -> Client:
        """A connection to the provider with the run's key, and a quota of its own."""
        connection = self._connection
        quota = Quota(reserve=connection.reserve, max_wait=connection.max_wait)
        transport = open_transport(connection.base_url, connection.concurrency)
        return Client(connection.base_url, connection.key, quota=quota, transport=transport)

    async def _tick(self) -> None:
        while True:
            self._watcher.tick()
            await asyncio.sleep(0.2)


@contextmanager
def interruptible(sender: Sender) -> Iterator[None]:
    """The first SIGINT or SIGTERM lets what is under way come home; the second ends the program at once.

    The ledger knows every intent either way.
    """
    loop = asyncio.get_running_loop()
    before = {}
    interrupted = False

    def interrupt(number: int, *_: object) -> None:
        nonlocal interrupted
        if interrupted:
            os._exit(128 + number)
        interrupted = True
        loop.call_soon_threadsafe(sender.stop, Interrupted(128 + number))

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_states(records: Sequence[Record], *states: State) -> list[Record]:
    return [record for record in records if record.state in states]


def chosen(records: Sequence[Record], *, only: Sequence[str], limit: int | None = None) -> list[Record]:
    """What `--only` (states, types or references) and `--limit` leave."""
    kept = [
        record
        for record in records
        if not only or {record.state.value, record.doc_type, record.external_ref} & set(only)
    ]
    return kept[:limit]
