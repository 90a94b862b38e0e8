"""Issuing: intents that go to the disk ahead of what is sent, and what follows from each answer to a POST.

The rules it keeps: an intent is durable before its first byte leaves; what may have arrived is asked about before it is
sent again; what is in contingency is never sent again; one reference is never in flight twice.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, assert_never

from batch_issuer.model.problems import Stop
from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.model.states import State
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import (
    Client,
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
from batch_issuer.provider.contents import differences
from batch_issuer.send.ask import Asker
from batch_issuer.send.courier import Job
from batch_issuer.send.journal import Journal

SEND_AGAIN_AFTER = frozenset(
    {Reason.LOST_ANSWER, Reason.READ_TIMEOUT, Reason.SERVER_ERROR, Reason.NOT_UNDERSTOOD, Reason.NOT_REGISTERED}
)
"""Doubts after which a document that the provider does not have is issued again in the same run."""

_REFUSALS = frozenset({413, 415, 422})
"""What other servers say where this one documents 400: believed once the provider also says that it has nothing."""

_MOST_CHUNKS_AHEAD = 6
"""Chunks of intents on their way to the disk while those before them are sent; after a crash so many documents more
are asked about, so there are no more of them than the disk's slowness makes necessary."""

_CHUNKS_READ = 4
"""Chunks of bodies that are read out of the ledger together."""

_LEAST_CHUNK = 16
"""Documents whose intents are written with one commit, where fewer are sent at once."""

Content = tuple[Record, bytes]
"""A document and its canonical body."""


class Issuer:
    """Issues documents whose content is planned in the ledger."""

    def __init__(self, *, client: Client, asker: Asker, journal: Journal) -> None:
        self._client = client
        self._asker = asker
        self._courier = asker.courier
        self._journal = journal

    async def issue(self, records: Sequence[Record]) -> None:
        """Issue documents in this order, each until something is known of it or it must wait for another run."""
        self._courier.allow_retries_for(len(records))
        await self._courier.carry_chunks(self._intended(records))
        await self._journal.flush()

    async def _intended(self, records: Sequence[Record]) -> AsyncIterator[Sequence[Job]]:
        """Yield chunks of documents whose intents are durable; the next are on their way to the disk meanwhile.

        Whenever half of the window is sent before a chunk is durable, twice as many chunks go ahead from then on: when
        it is empty it is too late, as what goes ahead then waits for two commits.
        """
        most = 1
        unreadable: Stop | None = None
        ahead: deque[asyncio.Task[Sequence[Job]]] = deque()
        try:
            async with aclosing(self._read(records, max(self._courier.concurrency, _LEAST_CHUNK))) as chunks:
                try:
                    async for chunk in chunks:
                        if self._courier.is_stopping:
                            break
                        ahead.append(asyncio.create_task(self._intend(chunk)))
                        if len(ahead) > most:
                            durable = await ahead.popleft()
                            if self._courier.is_running_dry:
                                most = min(2 * most, _MOST_CHUNKS_AHEAD)
                            yield durable
                except Stop as stop:  # what was read before is sent, and then the run ends
                    unreadable = stop
            while ahead:
                yield await ahead.popleft()
            if unreadable is not None:
                raise unreadable
        finally:
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _read(self, records: Sequence[Record], size: int) -> AsyncGenerator[Sequence[Content], None]:
        """Yield chunks of so many documents with their bodies. Raises `Stop` before a page that cannot be read.

        A page is read while the one before is sent: what is being committed to a slow disk keeps readers out meanwhile.
        """
        step = _CHUNKS_READ * size
        pages = [records[start : start + step] for start in range(0, len(records), step)]
        reading: deque[asyncio.Task[dict[str, bytes]]] = deque()
        try:
            for number, page in enumerate(pages):
                for one in pages[number + len(reading) : number + 2]:
                    reading.append(asyncio.create_task(asyncio.to_thread(self._journal.ledger.bodies, one)))
                bodies = await reading.popleft()
                for at in range(0, len(page), size):
                    yield [(record, bodies[record.external_ref]) for record in page[at : at + size]]
        finally:
            await asyncio.gather(*reading, return_exceptions=True)

    async def _intend(self, chunk: Sequence[Content]) -> Sequence[Job]:
        await self._journal.intend(record for record, _ in chunk)
        return [partial(self._issue, record, body) for record, body in chunk]

    async def _issue(self, record: Record, body: bytes) -> None:
        """Issue one document whose intent is durable."""
        posts = self._courier.patience.posts
        post = partial(self._client.issue, record.doc_type, record.external_ref, body)
        for number in range(1, posts + 1):
            reply = await self._courier.until_taken(post, record.external_ref)
            doubt = await self._take(record, body, reply, in_doubt=number > 1)
            if doubt is None or not await self._must_go_again(record, doubt, is_last=number == posts):
                return
            self._courier.retry()
            # Another request, another intent, durable before it leaves.
            await self._journal.intend([record])

    async def _take(self, record: Record, body: bytes, reply: Reply, *, in_doubt: bool) -> Found | Uncertain | None:
        """Record what the reply to a POST settles; return the doubt that it leaves otherwise, which is written too.

        `in_doubt` says that an earlier POST may have arrived.
        """
        match reply:
            # The answer is that of an earlier request, which another program or an older ledger may have sent.
            case Found() if reply.state is not State.UNSURE and reply.answer.is_duplicate:
                await self._take_duplicate(record, body, reply)
            case Found() if reply.state is not State.UNSURE:
                self._journal.answered(record, reply)
            case Refused():
                # 400: nothing was created (provider.md 15b).
                self._journal.answered(record, Found(state=State.INVALID, answer=reply.answer))
            case Found() | Uncertain():
                self._journal.unanswered(record.external_ref, reply)
                if not _takes_no_documents(reply, record.doc_type):
                    return reply
                self._journal.progress.count(State.UNSURE)
                self._courier.refuse_address(reply.answer.http_status)
            case Withheld() | NeverLeft() | SlowDown() | KeyRefused():
                self._give_back(record, self._courier.not_sent(reply), in_doubt=in_doubt)
            case Missing():
                self._courier.failed(Reason.UNEXPECTED_STATUS.value)
                self._give_back(record, Reason.UNEXPECTED_STATUS, in_doubt=in_doubt)
            case _:
                assert_never(reply)
        return None

    async def _must_go_again(self, record: Record, doubt: Found | Uncertain, *, is_last: bool) -> bool:
        """Ask what came of a request without a clear answer, and record it.

        Returns whether it is to be sent once more: only where the provider says twice that it has nothing.
        """
        found = await self._asker.status_after_doubt(record, doubt.answer.document_id)
        if isinstance(found, Found):
            self._journal.answered(record, found)
            return False
        if isinstance(found, Missing) and doubt.answer.http_status in _REFUSALS:
            self._journal.answered(record, Found(state=State.INVALID, answer=doubt.answer))
            return False
        reason = doubt.reason or Reason.NOT_UNDERSTOOD
        again = isinstance(found, Missing) and reason in SEND_AGAIN_AFTER and not self._courier.is_stopping
        if again and not is_last:
            return True
        self._journal.progress.count(State.UNSURE)
        self._courier.failed(reason.value, doubt.answer.detail)
        return False

    def _give_back(self, record: Record, reason: Reason, *, in_doubt: bool) -> None:
        """Record that a document was not sent (again): planned, or unsure where an earlier request may have arrived."""
        if in_doubt:
            self._journal.unanswered(record.external_ref, Uncertain(reason=reason))
            self._journal.progress.count(State.UNSURE)
        else:
            self._journal.release(record, reason, unsent=True)

    async def _take_duplicate(self, record: Record, body: bytes, found: Found) -> None:
        """Record an answer that is that of an earlier request for this reference: whose, and about what, must be told.

        Ours, with the same content: as any answer. Ours, with content that was corrected since: the provider may
        have kept the old one. Nobody's that this ledger knows: perhaps another sale, and a person has to say.
        """
        sent, planned = self._sent_before(record)
        if set(sent) == {record.fingerprint}:
            self._journal.answered(record, found)
            return
        _, document = await self._asker.content(record)
        differs = differences(record, body, found.answer, document)
        told = document is not None or found.answer.amounts.gross is not None
        if sent and told and not differs:
            self._journal.answered(record, found)
            return
        old = planned.get(next((one for one in reversed(sent) if one != record.fingerprint), ""))
        if old is not None:
            as_it_was = replace(
                record, expected_gross=Decimal(old["expected_gross"]), lines=old["lines"], date=old["date"]
            )
            if not differences(as_it_was, old["body"].encode(), found.answer, document):
                said_again = NewEvent(kind=Kind.PLANNED, external_ref=record.external_ref, body=old)
                self._journal.answered(record, found, planned=said_again)
                self._journal.show_conflict(record, found, differs)
                return
        reason = Reason.OTHER_CONTENT if differs else Reason.UNEXPECTED_DUPLICATE
        self._journal.leave_to_person(record, found, reason, differs, unexpected=not sent)

    def _sent_before(self, record: Record) -> tuple[list[str], Mapping[str, Mapping[str, Any]]]:
        """Return what was sent under a reference, without the request under way, and the plans it was made from.

        Fingerprints in the order in which they were sent; and the last plan of each, as its event has it.
        """
        sent: list[str] = []
        planned: dict[str, Mapping[str, Any]] = {}
        story = self._journal.ledger.story(record.company, record.external_ref) if record.first_sent_at else ()
        for event in story:
            if event.kind is Kind.SENDING:
                sent.append(json.loads(event.body)["fingerprint"])
            elif event.kind is Kind.PLANNED:
                body = json.loads(event.body)
                planned[body["fingerprint"]] = body
        return sent[:-1], planned


def _takes_no_documents(reply: Found | Uncertain, doc_type: str) -> bool:
    """Whether what answered is not the provider's issuing route: a redirection, no such route, no entry.

    Types with a route of their own say nothing of the address: a company may have no right to them, and a 404 for a
    credit note may mean its CCF.
    """
    status = reply.answer.http_status or 0
    if not isinstance(reply, Uncertain):
        return False
    return 300 <= status < 400 or (status in (403, 404, 405) and doc_type not in ("05", "14"))
