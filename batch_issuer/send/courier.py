"""The sending state machine, and the only concurrency: a window of durable intents, and workers that empty it.

The rules it keeps: an intent is durable before its first byte leaves; what may have arrived is asked about before it is
sent again; what is in contingency is never sent again; a request under way is never cancelled; one reference is never
in flight twice.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import random
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, assert_never

from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Stop, StoppedMidway, Unreachable
from batch_issuer.model.records import NO_ANSWER, Answer, Kind, NewEvent, Record, write_answer
from batch_issuer.model.states import ISSUED, REFUSED, State, rejects_late
from batch_issuer.provider.classify import NEEDS_PERSON, Reason
from batch_issuer.provider.client import (
    CancelReply,
    Client,
    FileReply,
    Found,
    KeyRefused,
    Missing,
    NeverLeft,
    Refused,
    Reply,
    SlowDown,
    Uncertain,
    Withheld,
)
from batch_issuer.provider.contents import Difference, differences
from batch_issuer.send.keys import KeyBook
from batch_issuer.send.owing import owed_after_stamp

Said = TypeVar("Said", bound=Reply | CancelReply | FileReply)

SEND_AGAIN_AFTER = frozenset(
    {Reason.LOST_ANSWER, Reason.READ_TIMEOUT, Reason.SERVER_ERROR, Reason.NOT_UNDERSTOOD, Reason.NOT_REGISTERED}
)
"""Doubts after which a document that the provider does not have is issued again in the same run."""

WHOSE = (Reason.UNEXPECTED_DUPLICATE, Reason.OTHER_CONTENT)
"""Doubts about whose document it is that the provider has; no answer of it says."""

_REFUSALS = frozenset({413, 415, 422})
"""What other servers say where this one documents 400: believed once the provider also says that it has nothing."""

_MOST_CHUNKS_AHEAD = 6
"""Chunks of intents on their way to the disk while those before them are sent; after a crash so many documents more
are asked about, so there are no more of them than the disk's slowness makes necessary."""

_CHUNKS_READ = 4
"""Chunks of bodies that are read out of the ledger together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to try. Seconds."""

    connections: int = 6
    """Tries to connect, a document."""
    first_connections: int = 3
    """The same while nothing has answered yet in this run."""
    asks: int = 5
    """Questions about a document in doubt."""
    posts: int = 3
    """POSTs of one document in one run."""
    refusals: int = 100
    """429 answers to one document."""
    first_pause: float = 0.5
    longest_pause: float = 20.0
    settling: float = 2.0
    """Between two 404 answers before a lost request is sent again: the provider may still be at work on it."""
    recent: float = 120.0
    """So long after a request the provider may still be at work on it."""
    stop_after: int = 20
    """The same failure this many times in a row ends the run."""
    budget_share: float = 0.2
    budget_least: int = 60
    """Retries of the whole run: this share of its documents, and at least so many."""


PATIENCE = Patience()


@dataclass(slots=True)
class Progress:
    """What a run has done so far, for whoever watches."""

    total: int = 0
    done: int = 0
    posts: int = 0
    asks: int = 0
    states: Counter[State] = field(default_factory=Counter)
    late_rejections: list[str] = field(default_factory=list)
    """References of documents that were in contingency and turned out rejected."""
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    """Both versions of documents that the provider has otherwise than they were sent, as a run's record has them."""
    retries: int = 0


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One turn of a worker."""

    record: Record
    body: bytes = b""
    """Empty for a document that is not issued."""
    act: Callable[[Record], Awaitable[None]] | None = None
    """What to do with it instead of issuing or asking."""


class Sender:
    """Sends and asks for one run. Every method runs inside one event loop."""

    def __init__(
        self,
        *,
        client: Client,
        ledger: Ledger,
        writer: Writer | None = None,
        concurrency: int,
        patience: Patience = PATIENCE,
        progress: Progress | None = None,
        key: KeyBook | None = None,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.client = client
        self.progress = progress or Progress()
        self.stopped: Stop | None = None
        self._ledger = ledger
        self._writer = writer
        self._key = key
        self._concurrency = concurrency
        self._patience = patience
        self._jitter = jitter
        self._stopping = asyncio.Event()
        self._window: asyncio.Queue[WorkItem | None] = asyncio.Queue()
        self._written: set[asyncio.Future[None]] = set()
        self._streak: tuple[str, int] = ("", 0)
        self._missing: list[Record] = []
        self._reached = False
        self._bug: Exception | None = None
        self._budget = self._patience.budget_least
        self._unreadable: Stop | None = None

    def stop(self, stop: Stop) -> None:
        """Send nothing more; what is under way is awaited and recorded. The first reason given stays."""
        if self.stopped is None:
            midway = StoppedMidway(stop.message, repair=stop.repair, **stop.parameters)
            self.stopped = midway if isinstance(stop, CannotStart) else stop
        self._stopping.set()
        self.client.quota.close()

    async def issue(self, records: Sequence[Record]) -> None:
        """Issue documents whose content is planned in the ledger, in this order."""
        self._budget += int(self._patience.budget_share * len(records))
        await self._run(self._intended(records))

    async def ask(self, records: Sequence[Record]) -> None:
        """Ask what became of documents, and record it; one that the provider does not have is planned anew.

        A 404 is believed at the second time of asking where the last request is only moments old.
        """
        self._missing = []
        await self._run(self._asked(records))
        recent = [record for record in self._missing if self._is_recent(record)]
        if recent:
            self._missing = [record for record in self._missing if not self._is_recent(record)]
            await self._sleep(self._patience.settling)
            await self._run(self._asked(recent))
        for record in self._missing:
            if record.state is State.CONTINGENCY:
                self._unanswered(record.external_ref, Uncertain(reason=Reason.NOT_FOUND), state=State.CONTINGENCY)
                self._count(State.CONTINGENCY)
            elif record.reason in NEEDS_PERSON:
                self._count(record.state)
            else:
                self._release(record, Reason.NOT_FOUND, unsent=False)
        await self.flush()

    async def look(self, records: Sequence[Record]) -> Mapping[str, Found | Missing]:
        """What the provider says of documents in any state, by reference; nothing is recorded."""
        said: dict[str, Found | Missing] = {}

        async def look(record: Record) -> None:
            reply = await self._ask(record, record.answer.document_id)
            if isinstance(reply, Found | Missing):
                said[record.external_ref] = reply
            self._count(record.state)

        async def items() -> AsyncIterator[list[WorkItem]]:
            yield [WorkItem(record, act=look) for record in records]

        await self._run(items())
        return said

    def learn(self, record: Record, found: Found) -> None:
        """Record what a look has shown."""
        self._answered(record, found)

    async def look_up(self, id_or_ref: str) -> Reply:
        """How a document of the provider stands that the ledger does not know, asked until it is answered."""
        reply = await self._until_answered(lambda: self.client.look_up(id_or_ref))
        if self.client.quota.closed_by is not None:
            self.stop(self.client.quota.closed_by)
        return reply

    async def find(self, record: Record) -> Reply:
        """How a document stands, by the provider's own id first: another company may have the same reference."""
        ask = partial(self.client.ask, record.doc_type, record.external_ref)
        reply: Reply = Missing()
        for name in dict.fromkeys((record.answer.document_id, record.external_ref)):
            if name and isinstance(reply, Missing):
                reply = await self._until_answered(partial(ask, name))
        return reply

    def hold(self, record: Record, reason: Reason) -> None:
        """Leave a planned document for a later run, and say why."""
        self._release(record, reason, unsent=False)

    async def flush(self) -> None:
        """Wait until everything said so far is durable."""
        while self._written:
            await asyncio.wait(tuple(self._written))

    async def _run(self, chunks: AsyncIterator[list[WorkItem]]) -> None:
        """Feed the window and let the workers empty it; a stop empties it without sending."""
        window: asyncio.Queue[WorkItem | None] = asyncio.Queue(maxsize=2 * self._concurrency)
        self._window = window
        workers = [asyncio.create_task(self._work(window)) for _ in range(self._concurrency)]
        try:
            async for chunk in chunks:
                for item in chunk:
                    await window.put(item)
        except Stop as stop:
            self.stop(stop)
        finally:
            for _ in workers:
                await window.put(None)
            await asyncio.gather(*workers)
        await self.flush()
        if self._bug is not None:
            raise self._bug

    async def _intended(self, records: Sequence[Record]) -> AsyncIterator[list[WorkItem]]:
        """Chunks of documents whose intents are durable; the next ones are on their way to the disk meanwhile.

        Whenever half of the window is sent before a chunk is durable, twice as many chunks go ahead from then on: when
        it is empty it is too late, as what goes ahead then waits for two commits.
        """
        size, most = max(self._concurrency, 16), 1
        ahead: deque[asyncio.Task[list[WorkItem]]] = deque()
        try:
            async with aclosing(self._read(records, size)) as chunks:
                async for chunk in chunks:
                    if self._stopping.is_set():
                        break
                    ahead.append(asyncio.create_task(self._intend(chunk)))
                    if len(ahead) > most:
                        durable = await ahead.popleft()
                        if self._window.qsize() < self._concurrency:
                            most = min(2 * most, _MOST_CHUNKS_AHEAD)
                        yield durable
            while ahead:
                yield await ahead.popleft()
            if self._unreadable is not None:
                raise self._unreadable
        finally:
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _read(self, records: Sequence[Record], size: int) -> AsyncGenerator[list[WorkItem], None]:
        """Chunks of documents with their bodies.

        A page is read while the one before is sent: what is being committed to a slow disk keeps readers out meanwhile.
        They end before a page that cannot be read; what was read before is sent, and then the run ends.
        """
        step = _CHUNKS_READ * size
        reading: deque[asyncio.Task[dict[str, bytes]]] = deque()
        try:
            for start in range(0, len(records) + step, step):
                if start < len(records):
                    page = records[start : start + step]
                    reading.append(asyncio.create_task(asyncio.to_thread(self._ledger.bodies, page)))
                if start:
                    try:
                        bodies = await reading.popleft()
                    except Stop as stop:
                        self._unreadable = stop
                        return
                    before = records[start - step : start]
                    for at in range(0, len(before), size):
                        yield [WorkItem(record, bodies[record.external_ref]) for record in before[at : at + size]]
        finally:
            await asyncio.gather(*reading, return_exceptions=True)

    async def _intend(self, chunk: list[WorkItem]) -> list[WorkItem]:
        await self._append([_intent(item.record) for item in chunk])
        return chunk

    async def _asked(self, records: Sequence[Record]) -> AsyncIterator[list[WorkItem]]:
        yield [WorkItem(record) for record in records]

    async def _work(self, window: asyncio.Queue[WorkItem | None]) -> None:
        while (item := await window.get()) is not None:
            try:
                if item.act is not None:
                    await item.act(item.record)
                elif item.body:
                    await self._issue(item)
                else:
                    await self._resolve(item.record)
            except Stop as stop:
                self.stop(stop)
            except Exception as bug:  # noqa: BLE001 - a bug must not lose the answers that are on their way; raised later
                self._bug = bug
                self.stop(StoppedMidway(N_("A bug of ours ended the run.")))
            if self.client.quota.closed_by is not None:
                self.stop(self.client.quota.closed_by)

    async def _resolve(self, record: Record) -> None:
        """One document of which something may exist at the provider."""
        reply = await self._ask(record, record.answer.document_id)
        if isinstance(reply, Found):
            self._answered(record, reply)
        elif isinstance(reply, Missing):
            self._missing.append(record)
        else:
            self._count(record.state)

    def _is_recent(self, record: Record) -> bool:
        """Whether the provider may still be at work on a request for this document."""
        moment = self._ledger.now() - dt.timedelta(seconds=self._patience.recent)
        return dt.datetime.fromisoformat(record.updated_at) > moment

    async def _issue(self, item: WorkItem) -> None:
        """One document whose intent is durable, until something is known of it or it must wait for another run."""
        reference = item.record.external_ref
        for post in range(1, self._patience.posts + 1):
            reply = await self._until_taken(partial(self._post, item), reference)
            if isinstance(reply, Found) and reply.state is not State.UNSURE:
                if reply.answer.is_duplicate:
                    await self._take_duplicate(item, reply)
                else:
                    self._answered(item.record, reply)
                return
            if isinstance(reply, Refused):
                self._answered(item.record, Found(state=State.INVALID, answer=reply.answer))
                return
            if not isinstance(reply, Found | Uncertain):
                self._give_back(item.record, reply, in_doubt=post > 1)
                return
            self._unanswered(reference, reply)
            if _takes_no_documents(reply, item.record.doc_type):
                self._count(State.UNSURE)
                self._leave_address(reply)
                return
            found = await self._ask_after_doubt(item.record, reply.answer.document_id)
            if isinstance(found, Found):
                self._answered(item.record, found)
                return
            if isinstance(found, Missing) and reply.answer.http_status in _REFUSALS:
                self._answered(item.record, Found(state=State.INVALID, answer=reply.answer))
                return
            reason = reply.reason or Reason.NOT_UNDERSTOOD
            again = isinstance(found, Missing) and reason in SEND_AGAIN_AFTER and not self._stopping.is_set()
            if not again or post == self._patience.posts:
                self._count(State.UNSURE)
                self._failed(reason.value, reply.answer.detail)
                return
            self._retry()
            await self._append([_intent(item.record)])

    async def _post(self, item: WorkItem) -> Reply:
        return await self.client.issue(item.record.doc_type, item.record.external_ref, item.body)

    async def _until_taken(self, post: Callable[[], Awaitable[Said]], reference: str = "") -> Said:
        """One POST, until the provider has had it in hand: what never left and what a quota refused is sent again."""
        failures = refusals = 0
        while True:
            reply = await post()
            if isinstance(reply, NeverLeft):
                failures += 1
                if self._gives_up(failures) or not await self._pause(failures - 1):
                    return reply
                self._retry()
                continue
            if isinstance(reply, Withheld):
                return reply
            self._reach(reply, reference)
            self.progress.posts += 1
            refusals += isinstance(reply, SlowDown)
            if not isinstance(reply, SlowDown) or refusals > self._patience.refusals:
                return reply

    def _reach(self, reply: Reply | CancelReply | FileReply, reference: str = "") -> None:
        """Something answered; that it did not refuse the key, and what it says of whose it is, is written once."""
        self._reached = True
        if self._key is None or isinstance(reply, KeyRefused | Uncertain | SlowDown):
            return
        if news := self._key.learn(reply.answer if isinstance(reply, Found) else NO_ANSWER, reference):
            self._write([news])
        if self._key.objection is not None:
            self.stop(self._key.objection)

    def _gives_up(self, failures: int) -> bool:
        """Whether a document has been kept from leaving often enough; a provider never reached ends the run early."""
        if not self._reached and failures >= self._patience.first_connections:
            self.stop(
                Unreachable(
                    N_("Nothing answers at {url}."),
                    repair=N_(
                        "Nothing was issued. Check the connection and the address (--base-url, OCOTE_BASE_URL), "
                        "then run the same command again."
                    ),
                    url=self.client.base_url,
                )
            )
        return self._stopping.is_set() or failures >= self._patience.connections

    def _leave_address(self, reply: Found | Uncertain) -> None:
        self.stop(
            StoppedMidway(
                N_("{url} does not take documents: it answered {status}."),
                repair=N_("Check the address (--base-url, OCOTE_BASE_URL), then run the same command again."),
                url=self.client.base_url,
                status=reply.answer.http_status,
            )
        )

    async def _ask_after_doubt(self, record: Record, document_id: str) -> Reply:
        """What became of a request whose answer is lost; Missing only when the provider says so twice."""
        reply = await self._ask(record, document_id)
        if not isinstance(reply, Missing):
            return reply
        await self._sleep(self._patience.settling)
        return await self._ask(record, document_id)

    async def _ask(self, record: Record, document_id: str) -> Reply:
        """What the provider knows of a reference; one that it does not find is looked for by its own id too.

        Some references do not travel in every path, and what has an id was registered.
        """
        ask = partial(self.client.ask, record.doc_type, record.external_ref)
        reply = await self._until_answered(ask, record.external_ref)
        if isinstance(reply, Missing) and document_id:
            return await self._until_answered(partial(ask, document_id), record.external_ref)
        return reply

    async def _until_answered(self, ask: Callable[[], Awaitable[Said]], reference: str = "") -> Said | Withheld:
        """One question, until it is answered or patience is at its end."""
        reply: Said | Withheld = Withheld()
        for attempt in range(self._patience.asks):
            reply = await ask()
            if not isinstance(reply, Withheld | NeverLeft):
                self._reach(reply, reference)
                self.progress.asks += 1
            match reply:
                case NeverLeft() if not self._reached and self._gives_up(attempt + 1):
                    return reply
                case KeyRefused():
                    self._refuse_key(reply)
                    return reply
                case NeverLeft() | Uncertain():
                    if not await self._pause(attempt):
                        return reply
                    self._retry()
                case SlowDown():
                    continue
                case _:
                    return reply
        return reply

    def _give_back(self, record: Record, reply: Reply, *, in_doubt: bool) -> None:
        """A document that was not sent (again): planned, or unsure where an earlier request may have arrived."""
        match reply:
            case Withheld():
                reason = Reason.RUN_ENDED
            case NeverLeft():
                reason = Reason.NEVER_LEFT
                self._failed(reason.value, reply.detail)
            case SlowDown():
                reason = Reason.QUOTA
                self._failed(reason.value, "")
            case KeyRefused():
                reason = Reason.KEY_REFUSED
                self._refuse_key(reply)
            case Missing():
                reason = Reason.UNEXPECTED_STATUS
                self._failed(reason.value, "")
            case Found() | Refused() | Uncertain():
                raise AssertionError(reply)
            case _:
                assert_never(reply)
        if in_doubt:
            self._unanswered(record.external_ref, Uncertain(reason=reason))
            self._count(State.UNSURE)
        else:
            self._release(record, reason, unsent=True)

    def _refuse_key(self, reply: KeyRefused) -> None:
        self.stop(
            StoppedMidway(
                N_("The provider refuses the API key{detail}."),
                repair=N_(
                    "Check that the key is whole, active and of this company, then run the same command again: "
                    "what was not sent is sent then."
                ),
                detail=f": {reply.detail}" if reply.detail else "",
            )
        )

    async def _take_duplicate(self, item: WorkItem, found: Found) -> None:
        """An answer that is that of an earlier request for this reference: whose, and about what, has to be told.

        Ours, with the same content: as any answer. Ours, with content that was corrected since: the provider may
        have kept the old one. Nobody's that this ledger knows: perhaps another sale, and a person has to say.
        """
        record = item.record
        before = self._sent_before(record)
        if before and set(before) == {record.fingerprint}:
            self._answered(record, found)
            return
        _, document = await self._ask_content(record)
        differs = differences(record, item.body, found.answer, document)
        told = document is not None or found.answer.amounts.gross is not None
        if before and told and not differs:
            self._answered(record, found)
            return
        old = self._planned_before(record, next((one for one in before[::-1] if one != record.fingerprint), ""))
        if old is not None and not _differs_from(old, record, found.answer, document):
            self._answered(record, found, planned=old)
            self.progress.conflicts.append(_conflict(record, found, differs))
            return
        reason = Reason.OTHER_CONTENT if differs else Reason.UNEXPECTED_DUPLICATE
        self._leave_to_person(record, found, reason, differs, unexpected=not before)

    async def _ask_content(self, record: Record) -> tuple[Reply, Mapping[str, Any] | None]:
        """What became of a document, asked until it is answered, and the signed one where the provider gives it."""
        document: Mapping[str, Any] | None = None

        async def ask() -> Reply:
            nonlocal document
            reply, document = await self.client.ask_content(record.doc_type, record.external_ref)
            return reply

        return await self._until_answered(ask, record.external_ref), document

    def _sent_before(self, record: Record) -> list[str]:
        """Fingerprints of what was sent under a reference, without the request that is under way."""
        if not record.first_sent_at:
            return []
        story = self._ledger.story(record.company, record.external_ref)
        sent = [json.loads(event.body)["fingerprint"] for event in story if event.kind is Kind.SENDING]
        return sent[:-1]

    def _planned_before(self, record: Record, fingerprint: str) -> NewEvent | None:
        """The plan of an earlier content of a document, to be said again: it is what the provider has."""
        for event in reversed(self._ledger.story(record.company, record.external_ref) if fingerprint else ()):
            if event.kind is Kind.PLANNED and (body := json.loads(event.body))["fingerprint"] == fingerprint:
                return NewEvent(kind=Kind.PLANNED, external_ref=record.external_ref, body=body)
        return None

    def _leave_to_person(
        self, record: Record, found: Found, reason: Reason, differs: Sequence[Difference], *, unexpected: bool
    ) -> None:
        """Record what the provider has under a reference, and that it proves nothing of this sale."""
        body: dict[str, Any] = {
            "state": State.UNSURE.value,
            "answer": write_answer(found.answer),
            "reason": reason.value,
            "detail": "; ".join(f"{one.what}: {one.ours} / {one.theirs}" for one in differs)[:1000],
        }
        if unexpected:
            body["unexpected_duplicate"] = True
        self._write([NewEvent(kind=Kind.ANSWERED, external_ref=record.external_ref, body=body)])
        self._count(State.UNSURE)
        self._failed(reason.value, "")
        if differs:
            self.progress.conflicts.append(_conflict(record, found, differs))

    async def recognise(self, records: Sequence[Record], bodies: Mapping[str, bytes]) -> list[Record]:
        """Look up documents that this ledger never sent, and record those that the provider has; the others.

        A person said, or `ledger restore` did, that the ledger may have forgotten them: what the provider has with the
        same content is this sale, what it has with another is not.
        """
        missing: list[Record] = []

        async def look(record: Record) -> None:
            reply, document = await self._ask_content(record)
            if isinstance(reply, Missing):
                missing.append(record)
                self._count(State.PLANNED)
            elif not isinstance(reply, Found):
                self._release(record, Reason.NOT_LOOKED_UP, unsent=False)
            elif reply.state is State.UNSURE:
                self._unanswered(record.external_ref, reply)
                self._count(State.UNSURE)
            elif self._is_foreign(reply.answer):
                self._leave_to_person(record, reply, Reason.OTHER_ISSUER, (), unexpected=True)
            elif differs := differences(record, bodies[record.external_ref], reply.answer, document):
                self._leave_to_person(record, reply, Reason.OTHER_CONTENT, differs, unexpected=True)
            else:
                accepted = NewEvent(kind=Kind.RECOGNISED, external_ref=record.external_ref, body={"at_provider": True})
                self._write([accepted])
                self._answered(replace(record, accepted=True), reply)

        async def items() -> AsyncIterator[list[WorkItem]]:
            yield [WorkItem(record, act=look) for record in records]

        await self._run(items())
        found = {record.external_ref for record in missing}
        return [record for record in records if record.external_ref in found]

    def _answered(self, record: Record, found: Found, *, planned: NewEvent | None = None) -> None:
        """Record an answer. What is in contingency stays so until the provider says stamped or rejected.

        `planned` is the content that the answer is about, where that is not the one that was sent last.
        """
        if record.reason in WHOSE and not record.accepted:
            self._count(record.state)
            return
        if record.state is State.CONTINGENCY and found.state is State.UNSURE:
            reason = found.reason or Reason.NOT_UNDERSTOOD
            self._unanswered(record.external_ref, Uncertain(reason=reason, answer=found.answer), state=record.state)
            self._count(record.state)
            return
        answer = found.answer
        body: dict[str, Any] = {"state": found.state.value, "answer": write_answer(answer)}
        if found.reason is not None:
            body["reason"] = found.reason.value
        if rejects_late(record.state, found.state):
            body["reason"] = Reason.AFTER_CONTINGENCY.value
            self.progress.late_rejections.append(record.external_ref)
        if found.state in ISSUED and self._is_foreign(answer):
            body |= {"state": State.UNSURE.value, "reason": Reason.OTHER_ISSUER.value}
        answered = NewEvent(kind=Kind.ANSWERED, external_ref=record.external_ref, body=body)
        owed = owed_after_stamp(self._ledger, record) if body["state"] == State.STAMPED.value else ()
        self._write([*([planned] if planned else ()), answered, *owed])
        self._count(found.state)
        if found.state in REFUSED:
            self._failed(f"{found.state.value} {answer.codigo_msg}", words_of(answer))
        elif found.state is not State.UNSURE:
            self._streak = ("", 0)

    def _is_foreign(self, answer: Answer) -> bool:
        """Whether a document was issued in another company's name, or in another environment than the ledger's.

        One that only the settings did not expect is the company's own.
        """
        foreign = self._key is not None and self._key.is_foreign
        return foreign and bool(answer.issuer_nit or answer.environment)

    def _unanswered(self, reference: str, reply: Found | Uncertain, *, state: State = State.UNSURE) -> None:
        """Write the doubt at once: whatever happens next, the next run knows to ask first."""
        if isinstance(reply, Found):
            body: Mapping[str, Any] = {
                "state": State.UNSURE.value,
                "answer": write_answer(reply.answer),
                "reason": (reply.reason or Reason.NOT_UNDERSTOOD).value,
            }
            self._write([NewEvent(kind=Kind.ANSWERED, external_ref=reference, body=body)])
            return
        body = {
            "state": state.value,
            "reason": reply.reason.value,
            "answer": write_answer(reply.answer),
            "detail": reply.detail,
        }
        self._write([NewEvent(kind=Kind.UNANSWERED, external_ref=reference, body=body)])

    def _release(self, record: Record, reason: Reason, *, unsent: bool) -> None:
        body = {"state": State.PLANNED.value, "reason": reason.value, "unsent": unsent}
        self._write([NewEvent(kind=Kind.RELEASED, external_ref=record.external_ref, body=body)])
        self._count(State.PLANNED)

    def _count(self, state: State) -> None:
        self.progress.done += 1
        self.progress.states[state] += 1

    def _failed(self, code: str, words: str) -> None:
        """Count the same failure in a row; too many of them are one cause, and the rest is spared."""
        cause = f"{code} {words}".strip()
        self._streak = (cause, self._streak[1] + 1 if self._streak[0] == cause else 1)
        if self._streak[1] >= self._patience.stop_after:
            self.stop(
                StoppedMidway(
                    N_("The same failure {count} times in a row: {cause}. The rest was spared."),
                    repair=N_("Mend this one cause, then run the same command again."),
                    count=self._streak[1],
                    cause=cause,
                )
            )

    def _retry(self) -> None:
        self.progress.retries += 1
        self._budget -= 1
        if self._budget < 0:
            self.stop(
                StoppedMidway(
                    N_("Too many requests had to be repeated ({count}): the provider or the connection is in trouble."),
                    repair=N_("Wait a little, then run the same command again."),
                    count=self.progress.retries,
                )
            )

    async def _pause(self, attempt: int) -> bool:
        """Wait before another try, longer each time; False when the run is ending."""
        patience = self._patience
        longest = min(patience.longest_pause, patience.first_pause * 2**attempt)
        await self._sleep(self._jitter(longest / 4, longest))
        return not self._stopping.is_set()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _append(self, new: Sequence[NewEvent]) -> None:
        assert self._writer is not None  # noqa: S101 - who only asks writes nothing
        await self._writer.append(new)

    def _write(self, new: Sequence[NewEvent]) -> None:
        """Queue what was learned; it counts as done when it is durable, and nobody waits for the disk."""
        assert self._writer is not None  # noqa: S101 - as above
        written = self._writer.append_soon(new)
        if written not in self._written:
            self._written.add(written)
            written.add_done_callback(self._after_write)

    def _after_write(self, written: asyncio.Future[None]) -> None:
        self._written.discard(written)
        error = written.exception()
        if isinstance(error, Stop):
            self.stop(error)


def _intent(record: Record) -> NewEvent:
    return NewEvent(kind=Kind.SENDING, external_ref=record.external_ref, body={"fingerprint": record.fingerprint})


def _differs_from(
    planned: NewEvent, record: Record, answer: Answer, document: Mapping[str, Any] | None
) -> list[Difference]:
    """What the provider's document says otherwise than an earlier content of ours."""
    body = planned.body
    before = replace(record, expected_gross=Decimal(body["expected_gross"]), lines=body["lines"], date=body["date"])
    return differences(before, body["body"].encode(), answer, document)


def _conflict(record: Record, found: Found, differs: Sequence[Difference]) -> dict[str, Any]:
    """What the provider has under a reference against what the file says, as a run's record has it."""
    gross = found.answer.amounts.gross
    return {
        "external_ref": record.external_ref,
        "state": found.state.value,
        "file": record.source.file,
        "sheet": record.source.sheet,
        "rows": list(record.source.rows),
        "issued_gross": str(record.expected_gross if gross is None else gross),
        "file_gross": str(record.expected_gross),
        "control_number": found.answer.control_number,
        "changes": [{"what": one.what, "issued": one.theirs, "file": one.ours} for one in differs],
    }


def _takes_no_documents(reply: Found | Uncertain, doc_type: str) -> bool:
    """Whether what answered is not the provider's issuing route: a redirection, no such route, no entry.

    Types with a route of their own say nothing of the address: a company may have no right to them, and a 404 for a
    credit note may mean its CCF.
    """
    status = reply.answer.http_status or 0
    if not isinstance(reply, Uncertain):
        return False
    return 300 <= status < 400 or (status in (403, 404, 405) and doc_type not in ("05", "14"))


def words_of(answer: Answer) -> str:
    """The provider's or the ministry's own words of an answer."""
    return "; ".join(answer.observaciones) or next(iter(answer.words), "")
