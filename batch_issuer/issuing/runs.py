"""The runs that write the ledger: issue, retry, refresh, cancel. Each is: lock, plan, record, send, record the end.

What each sends follows from the plan table; how it sends is `sending`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from batch_issuer.documents import State
from batch_issuer.issuing import live_catalogs
from batch_issuer.issuing.invalidating import Canceller, is_under_way
from batch_issuer.issuing.rechecking import Judged, change_of, judge, moved
from batch_issuer.issuing.sending import PATIENCE, Patience, Progress, Sender
from batch_issuer.ledger.apart import Append, appending
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.records import Kind, NewEvent, Record, RunRecord
from batch_issuer.ledger.store import Exchanged, Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.messages import N_
from batch_issuer.planning.cancelling import SENT, Outlook, outlook
from batch_issuer.planning.crediting import Balance, balance_of, found_ccf, why_wait
from batch_issuer.planning.plan import Action, Candidate, Plan, Step, make_plan, select
from batch_issuer.planning.preparing import Prepared, conflict_list, plan_files, planned_event, planned_events, summary
from batch_issuer.problems import CannotStart, Interrupted, Stop, StoppedMidway
from batch_issuer.provider import wire
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import Client, Found, Missing, open_transport
from batch_issuer.provider.quota import Quota
from batch_issuer.settings import Company

ENVIRONMENTS = {"00": "test", "01": "production"}
"""`identificacion.ambiente` (CAT-001)."""

_PLANNED_AT_ONCE = 500
_EVENTS_OF_A_REPETITION = 3
"""It begins, reads, ends."""
_WORTH_A_PROCESS = 200
"""Documents from which on the ledger is written by a process of its own."""
_CATALOG_SECONDS = 1.0
"""How long the end of a run waits for catalogs that are still on their way."""
_REGISTERED = (State.CONTINGENCY, State.UNSURE, State.SENDING)
"""States of documents that the provider has, or may have, without a stamp that was seen."""


OPEN_STATES = (State.UNSURE, State.SENDING, State.CONTINGENCY)
"""States that only the provider can settle, the most doubtful first."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. What became of its documents is in the ledger."""

    run: RunRecord
    progress: Progress
    seconds: float
    stopped: Stop | None
    head: tuple[int, str] | None = None
    """The ledger's newest event when it ended, where nobody else wrote meanwhile and that was looked at."""


def repeat(
    run: str, head: tuple[int, str], *, ledger_path: Path, company: Company, connection: Connection, watcher: Watcher
) -> Outcome | None:
    """Note that files were read just as `run` read them, and that nothing is to be sent of them.

    That follows from a plan that the caller made, and holds if the ledger's newest event still is `head`; otherwise,
    and where the key's environment has to be proven, nothing is written, and the answer is None. Raises `CannotStart`.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        work = _Work(ledger, company.code, "issue", connection, watcher)
        work.check_key()
        if ledger.head() != head or not work.is_proven:
            return None
        work.begin()
        work.write([NewEvent(kind=Kind.RUN_READ, body={"same_as": run})])
        outcome = work.end(Progress(), time.monotonic())
        now = ledger.head()
        return replace(outcome, head=now if now[0] == head[0] + _EVENTS_OF_A_REPETITION else None)


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
    """Issue what the plan says of the files' documents. Raises `CannotStart` before anything is sent."""
    with open_to_write(ledger_path, company.code, create=True) as ledger:
        plan = plan_files(prepared, ledger, company.code)
        chosen = select(plan, only=only, limit=limit)
        work = _Work(ledger, company.code, "issue", connection, watcher)
        work.check_key()
        work.begin()
        references = [step.candidate.external_ref for step in chosen.steps]
        kept = set(references)
        left_out = [step.candidate for step in plan.steps if step.candidate.external_ref not in kept]
        conflicts = conflict_list(chosen.of(Action.CONFLICT), prepared, ledger)
        read = NewEvent(kind=Kind.RUN_READ, body={**summary(prepared, references, left_out), "conflicts": conflicts})
        work.write([read])
        del read  # the largest of all events, and nobody needs it while documents are sent
        anew = [step.candidate for step in chosen.of(Action.ISSUE) if step.record is None or step.changed]
        searched = _catalogs_to_ask(prepared, chosen)
        asks = searched is not None and live_catalogs.is_old(ledger_path, ledger.now())

        async def asking(sender: Canceller) -> None:
            # The first answer tells the quota: asked before, catalogs would keep the documents waiting.
            while not sender.progress.done and sender.stopped is None:  # noqa: ASYNC110 - nobody else needs an event
                await asyncio.sleep(0.05)
            await live_catalogs.refresh(sender.client, ledger_path, ledger.now(), searched or ())

        async def steps(sender: Canceller) -> None:
            await work.plan_anew(prepared, anew)
            await _beside(_issue_plan(work, sender, prepared, chosen), asking(sender) if asks else None)

        return work.send(steps, documents=len(chosen.of(Action.ISSUE, Action.ASK, Action.WATCH)))


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
        work = _Work(ledger, company.code, "retry", connection, watcher)
        records = chosen(
            ledger.in_states(company.code, (State.PLANNED, State.SENDING, State.UNSURE)), only=only, limit=limit
        )
        work.check_key()
        work.begin(records)

        async def steps(sender: Sender) -> None:
            doubts = _in_states(records, State.SENDING, State.UNSURE)
            sender.progress.total = len(doubts)
            await sender.ask(doubts)
            now = ledger.records(company.code, [record.external_ref for record in records])
            planned = _in_states(list(now.values()), State.PLANNED)
            sender.progress.total += len(planned)
            await work.issue_carefully(sender, planned)

        return work.send(steps, documents=len(records))


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
        work = _Work(ledger, company.code, "refresh", connection, watcher)
        records = chosen(ledger.in_states(company.code, OPEN_STATES), only=only)
        records.sort(key=lambda record: (OPEN_STATES.index(record.state), record.first_sent_at, record.content_seq))
        cancelling = chosen([one for one in ledger.cancellations(company.code) if is_under_way(one)], only=only)
        work.check_key()
        work.begin([*records, *(record for record in cancelling if record.state not in OPEN_STATES)])

        async def steps(sender: Canceller) -> None:
            sender.progress.total = len(records) + len(cancelling)
            await sender.ask(records)
            await work.look_at_credited(sender, records)
            await sender.ask_cancellations(cancelling)

        return work.send(steps, documents=len(records) + len(cancelling))


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
        work = _Work(ledger, company.code, "reconcile", connection, watcher)
        work.check_key()
        inquiry = inquire(ledger)
        work.begin()
        work.write([NewEvent(kind=Kind.RUN_READ, body=inquiry.reading)])
        return work.send(lambda sender: _recheck(work, sender, inquiry), documents=len(inquiry.records))


async def _recheck(work: _Work, sender: Sender, inquiry: Inquiry) -> None:
    """What is open is asked about as ever; the rest is looked at, and recorded where that takes no stamp away."""
    open_ones = _in_states(inquiry.records, *_REGISTERED)
    settled = [record for record in inquiry.records if record.state not in _REGISTERED]
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
        work = _Work(ledger, company.code, "cancel", connection, watcher)
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

        return work.send(steps, documents=len(records))


def _refs(records: Sequence[Record]) -> list[str]:
    return [record.external_ref for record in records]


def find_named(ledger: Ledger, company: str, names: Sequence[str]) -> tuple[list[Record], list[str]]:
    """Documents by reference, or by what the provider calls them, each once; and the names that name none, or several.

    A name that the shell or a person wrote otherwise is not guessed at.
    """
    known = ledger.records(company, names)
    found: dict[str, Record] = {}
    unknown = []
    for name in names:
        by_id = [known[name]] if name in known else ledger.named(company, name)
        if len(by_id) == 1:
            found[by_id[0].external_ref] = by_id[0]
        else:
            unknown.append(name)
    return list(found.values()), unknown


def named(ledger: Ledger, company: str, names: Sequence[str]) -> list[Record]:
    """The same, where all must be known. Raises `CannotStart`."""
    found, unknown = find_named(ledger, company, names)
    if unknown:
        raise not_known(ledger.path, unknown)
    return found


def not_known(path: Path, names: Sequence[str]) -> CannotStart:
    """References that the ledger does not have."""
    return CannotStart(
        N_("The ledger {path} does not know: {references}."),
        repair=N_(
            "References are written exactly as in the file; `batch-issuer ledger export` lists them all. "
            "Nothing was sent."
        ),
        path=path,
        references=", ".join(f"«{name}»" for name in names[:10]) + (" …" if len(names) > 10 else ""),
    )


def _live_notes(ledger: Ledger, company: str) -> dict[str, list[str]]:
    """References of valid credit notes, by what each says that it adjusts: a reference, or an id in small letters."""
    found: dict[str, list[str]] = {}
    for note in ledger.of_type(company, "05", (State.STAMPED, State.CONTINGENCY)):
        for name in {note.adjusts, note.adjusts.lower()}:
            found.setdefault(name, []).append(note.external_ref)
    return found


async def _issue_plan(work: _Work, sender: Sender, prepared: Prepared, plan: Plan) -> None:
    """Ask first, then issue, then look after what is in contingency."""
    doubts = [step for step in plan.of(Action.ASK) if step.record is not None]
    waiting = [step.record for step in plan.of(Action.WATCH, Action.CONFLICT) if step.record is not None]
    waiting = _in_states(waiting, State.CONTINGENCY)
    sender.progress.total = len(doubts) + len(plan.of(Action.ISSUE)) + len(waiting)
    await sender.ask([step.record for step in doubts if step.record is not None])
    clear = {step.candidate.external_ref for step in plan.of(Action.ISSUE)}
    again = await work.plan_again(prepared, doubts)
    sender.progress.total += len(again)
    clear.update(again)
    planned = [step.candidate.external_ref for step in plan.steps if step.candidate.external_ref in clear]
    records = work.ledger.records(work.company, planned)
    await work.issue_carefully(sender, [records[reference] for reference in planned])
    await sender.ask(waiting)


class _Work:
    """What the three runs share: the key, the run's record, the event loop, the signals, the end."""

    def __init__(self, ledger: Ledger, company: str, command: str, connection: Connection, watcher: Watcher) -> None:
        self.ledger = ledger
        self.company = company
        self._command = command
        self._connection = connection
        self._watcher = watcher
        self._run: RunRecord | None = None
        self._key_news: dict[str, Any] | None = None
        self._environment = ""
        self._canaries = connection.canary
        self._conflicts: list[dict[str, Any]] = []
        self._writer: Writer | None = None
        self.ending: Mapping[str, Any] = {}
        """What this kind of run has to say at its end."""

    @property
    def run(self) -> RunRecord:
        assert self._run is not None  # noqa: S101 - begin() comes first
        return self._run

    def check_key(self) -> None:
        """Refuse another key than the company's, and a key that is known to be of the other environment."""
        seen = key_in(self.ledger, self.company, self._connection)
        if seen is not None:
            self._environment = seen["environment"]
            self._check_environment()
            return
        salt = secrets.token_hex(16)
        self._key_news = {"salt": salt, "digest": _digest(salt, self._connection.key), "environment": ""}

    @property
    def is_proven(self) -> bool:
        """Whether nothing has to be found out about the key's environment."""
        return bool(self._environment) or not self._connection.expect_environment

    def begin(self, records: Sequence[Record] | None = None) -> None:
        """Write that the run begins, and for runs without files what they are about."""
        self._run = self.ledger.begin_run(self.company, self._command)
        if records is not None:
            body = {"refs": [record.external_ref for record in records], "documents": len(records), "rows": 0}
            self.write([NewEvent(kind=Kind.RUN_READ, body=body)])

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

    async def issue_carefully(self, sender: Sender, records: Sequence[Record]) -> None:
        """Issue, behind the environment guard and the canaries; credit notes last, when their CCFs are settled."""
        notes = [record for record in records if record.doc_type == "05"]
        others = [record for record in records if record.doc_type != "05"]
        await self._issue_guarded(sender, others)
        if notes and sender.stopped is None:
            going = await self._notes_that_may_go(sender, notes)
            await self._issue_guarded(sender, going)
            await self.look_at_credited(sender, going)

    async def look_at_credited(self, sender: Sender, notes: Sequence[Record]) -> None:
        """Find out how CCFs stand that a full credit note has just been stamped for: the provider invalidates them.

        That page says so (provider.md 8); the ledger says so only when the CCF's own status does.
        """
        now = self.ledger.records(self.company, [note.external_ref for note in notes if note.doc_type == "05"])
        stamped = [note for note in now.values() if note.state is State.STAMPED]
        bodies = self.ledger.bodies(stamped)
        names = [note.adjusts for note in stamped if wire.credits_all(bodies[note.external_ref])]
        credited = [record for name in names for record in find_named(self.ledger, self.company, [name])[0]]
        if credited and sender.stopped is None and isinstance(sender, Canceller):
            await sender.discover(_in_states(credited, State.STAMPED))

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
        if self._connection.expect_environment and not self._environment:
            rest = await self._prove_environment(sender, rest)
        self._canaries = max(0, self._canaries - (len(records) - len(rest)))
        if self._canaries and rest and sender.stopped is None:
            await self._send_canaries(sender, rest[: self._canaries])
            rest, self._canaries = rest[self._canaries :], max(0, self._canaries - len(rest))
        if sender.stopped is None:
            await sender.issue(rest)

    async def _send_canaries(self, sender: Sender, canaries: Sequence[Record]) -> None:
        await sender.issue(canaries)
        now = self.ledger.records(self.company, [record.external_ref for record in canaries])
        bad = [record for record in now.values() if record.state not in (State.STAMPED, State.CONTINGENCY)]
        if bad and sender.stopped is None:
            sender.stop(
                StoppedMidway(
                    N_("{bad} of the first {count} documents were not issued; the rest was spared (--canary)."),
                    repair=N_("Look at {reference} in the report, mend the cause, and run the same command again."),
                    bad=len(bad),
                    count=len(canaries),
                    reference=bad[0].external_ref,
                )
            )

    async def _prove_environment(self, sender: Sender, records: list[Record]) -> list[Record]:
        """Find out which environment the key belongs to, from one stamped document; the records that are left.

        Documents go one at a time until one is stamped; one that is registered and not stamped ends the run, and
        those that follow, so that at most one can ever be issued in the wrong place.
        """
        if self._key_news is None:
            await sender.ask(self.ledger.in_states(self.company, _REGISTERED)[:1])
            if (stamped := self.ledger.last_stamped(self.company)) is not None:
                await self._take_environment(sender, stamped)
                return records
            for waiting in self.ledger.in_states(self.company, _REGISTERED)[:1]:
                self._stop_unproven(sender, waiting)
        while records and sender.stopped is None and not self._environment:
            first = records.pop(0)
            await sender.issue([first])
            now = self.ledger.record(self.company, first.external_ref)
            if now is not None and now.state is State.STAMPED:
                await self._take_environment(sender, now)
            elif now is not None and now.state in _REGISTERED:
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
            if code in ENVIRONMENTS:
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
        self._environment = ENVIRONMENTS[code]
        salt = secrets.token_hex(16)
        body = {
            "salt": salt,
            "digest": _digest(salt, self._connection.key),
            "environment": self._environment,
            "proven_by": record.external_ref,
        }
        if self._writer is not None:
            await self._writer.append([NewEvent(kind=Kind.KEY_SEEN, body=body)])
        try:
            self._check_environment()
        except StoppedMidway as stop:
            sender.stop(stop)

    def _check_environment(self) -> None:
        expected = self._connection.expect_environment
        if expected and self._environment and expected != self._environment:
            raise StoppedMidway(
                N_("This key issues in the {found} environment; {expected} is expected. Nothing more is sent."),
                repair=N_("Use the key of the {expected} environment, or change expect_environment."),
                found=self._environment,
                expected=expected,
            )

    def send(self, steps: Callable[[Canceller], Awaitable[None]], documents: int) -> Outcome:
        """Run the steps for so many documents in an event loop, and write how it ended."""
        began = time.monotonic()
        apart = documents >= _WORTH_A_PROCESS
        with appending(self.ledger, self.company, self.run.run, apart=apart) as append:
            sender = asyncio.run(self._send(steps, append))
        return self.end(sender.progress, began, sender.stopped)

    def end(self, progress: Progress, began: float, stopped: Stop | None = None) -> Outcome:
        """Write how it ended; `began` by the monotonic clock. Raises `Exchanged`, as no report can be made then."""
        seconds = round(time.monotonic() - began, 3)
        ending = {
            "exit_code": stopped.exit_code if stopped else None,
            "posts": progress.posts,
            "asks": progress.asks,
            "seconds": seconds,
            "stopped": stopped.message if stopped else "",
            "stopped_with": {name: str(value) for name, value in stopped.parameters.items()} if stopped else {},
            "conflicts": self._conflicts,
            **self.ending,
        }
        try:
            self.write([NewEvent(kind=Kind.RUN_ENDED, body=ending)])
        except Exchanged:
            raise
        except StoppedMidway as stop:
            stopped = stopped or stop
        return Outcome(run=self.run, progress=progress, seconds=seconds, stopped=stopped)

    async def _send(self, steps: Callable[[Canceller], Awaitable[None]], append: Append) -> Canceller:
        connection = self._connection
        quota = Quota(reserve=connection.reserve, max_wait=connection.max_wait)
        transport = open_transport(connection.base_url, connection.concurrency)
        client = Client(connection.base_url, connection.key, quota=quota, transport=transport)
        with Writer(append) as writer:
            self._writer = writer
            sender = Canceller(
                client=client,
                ledger=self.ledger,
                writer=writer,
                concurrency=connection.concurrency,
                patience=connection.patience,
                when_key_is_taken=NewEvent(kind=Kind.KEY_SEEN, body=self._key_news) if self._key_news else None,
            )
            self._watcher.begin(sender.progress, quota)
            ticking = asyncio.create_task(self._tick())
            try:
                async with client:
                    with interruptible(sender):
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

    async def _tick(self) -> None:
        while True:
            self._watcher.tick()
            await asyncio.sleep(0.2)


def key_in(ledger: Ledger, company: str, connection: Connection) -> Mapping[str, Any] | None:
    """What the ledger knows of this key; None where it is new to it. Raises `CannotStart` for another key."""
    seen = ledger.last_body(company, Kind.KEY_SEEN)
    if seen is None:
        return None
    if _digest(seen["salt"], connection.key) == seen["digest"]:
        return seen
    if connection.new_key:
        return None
    raise CannotStart(
        N_("This API key is not the one that this ledger knows for «{company}»."),
        repair=N_(
            "With the key of another company sales would be issued in its name. If the company's key was "
            "changed, say so once with --new-key; for another company use --company or --ledger."
        ),
        company=company,
    )


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


def _digest(salt: str, key: str) -> str:
    return hashlib.sha256(f"{salt}{key}".encode()).hexdigest()


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
