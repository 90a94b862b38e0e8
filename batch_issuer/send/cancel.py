"""Cancelling at the provider, over the courier that issuing uses: the same window, quota, patience and breakers.

The rules it keeps: the intent is durable before the request leaves; what may have arrived is asked about before it is
asked for again; only an answer that proves it makes a document cancelled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import assert_never

from batch_issuer.model.records import (
    UNDER_WAY,
    Answer,
    CancelStep,
    Kind,
    NewEvent,
    Record,
    write_memo,
)
from batch_issuer.model.states import State
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import (
    CancelReply,
    CancelSaid,
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
from batch_issuer.send.courier import Courier
from batch_issuer.send.issue import SEND_AGAIN_AFTER
from batch_issuer.send.journal import Journal, words_of
from batch_issuer.send.owing import NOTHING, look_owed

_NOTHING_WAS_DONE = (400, 403, 404, 405, 413, 415, 422)
"""Refusals of the request itself; after these an invalidation that cannot be found was never made."""


class Canceller:
    """Cancels documents, and finds out what became of cancellations."""

    def __init__(self, *, client: Client, courier: Courier, journal: Journal) -> None:
        self._client = client
        self._courier = courier
        self._journal = journal
        self._cancelled: set[str] = set()
        """References that this run knows to be cancelled."""

    async def cancel(self, records: Sequence[Record]) -> None:
        """Cancel documents; those of which a cancellation is in doubt or under way are asked about first."""
        await self._courier.carry(partial(self._turn, self._cancel, record) for record in records)
        await self._journal.flush()

    async def ask(self, records: Sequence[Record]) -> None:
        """Ask what became of cancellations in doubt or under way; never ask for one."""
        await self._courier.carry(partial(self._turn, self._learn, record) for record in records)
        await self._journal.flush()

    async def pay(self, records: Sequence[Record]) -> None:
        """Take the looks that are owed: find out whether documents that were settled are cancelled now."""
        self._courier.progress.total += len(records)
        await self._courier.carry(partial(self._turn, self._pay, record) for record in records)
        await self._journal.flush()

    async def _turn(self, step: Callable[[Record], Awaitable[object]], record: Record) -> None:
        """Take one step with a document, and count it when its turn ends."""
        await step(record)
        self._journal.progress.count(State.CANCELLED if record.external_ref in self._cancelled else record.state)

    async def _pay(self, record: Record) -> None:
        """Take the look that is owed; while nothing says how the document stands it stays owed."""
        reply = await self._ask_by_both(record)
        if isinstance(reply, Missing):
            # Nobody asked for an invalidation; a credit note over all of it may have cancelled it (provider.md 8).
            reply = CancelSaid(step=CancelStep.REQUESTED, answer=Answer())
        if isinstance(reply, CancelSaid) and not await self._proves(record, reply):
            status = await self._own_status(record)
            if isinstance(status, Found) and status.state is State.CANCELLED:
                self._said(record, _proven(reply))
            elif isinstance(status, Found) and status.state is record.state:
                self._journal.write(look_owed(record, NOTHING))

    async def _own_status(self, record: Record) -> Reply:
        """Ask what the document's own status says, beside that of its invalidation."""
        return await self._courier.until_answered(
            partial(self._client.ask, record.doc_type, record.external_ref, record.answer.document_id)
        )

    async def _cancel(self, record: Record) -> None:
        """Cancel a document, unless an earlier request came to something, or nothing can be learned of it now.

        Where the provider has one and says too little of it, it is asked for again: repeating is harmless there
        (provider.md 10), and request and status together prove it.
        """
        if is_under_way(record):
            reply = await self._learn_twice(record)
            vague = isinstance(reply, CancelSaid) and reply.reason is Reason.NOT_PROVEN and reply.claims_success
            may_go = vague or isinstance(reply, Missing)
            if self._courier.is_stopping or record.external_ref in self._cancelled or not may_go:
                return
        await self._request(record)

    async def _request(self, record: Record) -> None:
        """Ask for the cancellation until something is known of it, or it must wait for another run."""
        in_doubt = is_under_way(record)
        for post in range(1, self._courier.patience.posts + 1):
            if self._courier.is_stopping:
                return
            await self._journal.append(NewEvent(kind=Kind.CANCELLING, external_ref=record.external_ref, body={}))
            reply = await self._courier.until_taken(partial(self._post_cancellation, record))
            match reply:
                case Withheld() | NeverLeft() | SlowDown() | KeyRefused():
                    self._take_back(record, reply, in_doubt=in_doubt)
                    return
                case Refused():
                    self._refused(record, Reason.NOT_ACCEPTED, reply.answer)
                    return
                case Missing():
                    self._refused(record, Reason.NOT_FOUND, Answer(detail=reply.detail))
                    return
                case CancelSaid() if await self._proves(record, reply):
                    return
                case CancelSaid() | Uncertain():
                    in_doubt = True
                    if not await self._must_ask_again(record, reply) or post == self._courier.patience.posts:
                        return
                    self._courier.retry()
                case _:
                    assert_never(reply)

    async def _post_cancellation(self, record: Record) -> CancelReply:
        reply = await self._client.cancel(record)
        if isinstance(reply, Missing) and record.answer.document_id:
            return await self._client.cancel(record, by_reference=True)
        return reply

    async def _must_ask_again(self, record: Record, reply: CancelSaid | Uncertain) -> bool:
        """Find out what came of a request without a clear answer; return whether it is to be made once more."""
        reason = reply.reason or Reason.NOT_PROVEN
        self._doubt(record, reason, reply.answer, reply.detail if isinstance(reply, Uncertain) else "")
        found = await self._learn_twice(record, after=reply)
        if not isinstance(found, Missing):
            return False
        said_no = isinstance(reply, CancelSaid) and reason is Reason.NOT_REGISTERED
        if said_no or reason is Reason.CONFLICT or reply.answer.http_status in _NOTHING_WAS_DONE:
            self._refused(record, reason, reply.answer)
            return False
        again = reason in SEND_AGAIN_AFTER and not self._courier.is_stopping
        if not again:
            self._courier.failed(reason.value, reply.answer.detail)
        return again

    async def _learn_twice(self, record: Record, after: CancelSaid | Uncertain | None = None) -> CancelReply:
        """Ask what became of a cancellation; Missing only when the provider says so twice, with a pause between."""
        reply = await self._learn(record, after)
        if not isinstance(reply, Missing):
            return reply
        await self._courier.settle()
        return await self._learn(record, after)

    async def _learn(self, record: Record, after: CancelSaid | Uncertain | None = None) -> CancelReply:
        """Ask about a cancellation and record what is proven; a doubt stays as it was written."""
        reply = await self._ask_by_both(record)
        # The request was answered and its invalidation is unknown: the document itself may say what became of it.
        if isinstance(reply, Missing) and isinstance(after, CancelSaid):
            return await self._marked(record, after) or reply
        if not isinstance(reply, CancelSaid) or await self._proves(record, reply):
            return reply
        if isinstance(after, CancelSaid) and after.claims_success and reply.claims_success:
            self._said(record, replace(reply, step=CancelStep.DONE))  # the request and its status both say so
        elif await self._marked(record, reply) is None:
            self._doubt(record, reply.reason or Reason.NOT_PROVEN, reply.answer)
        return reply

    async def _marked(self, record: Record, said: CancelSaid) -> CancelSaid | None:
        """Record what the document's own status says outright where the answers about its invalidation do not."""
        reply = await self._own_status(record)
        if not isinstance(reply, Found) or reply.state is not State.CANCELLED:
            return None
        proven = _proven(said)
        self._said(record, proven)
        return proven

    async def _ask_by_both(self, record: Record) -> CancelReply:
        reply = await self._courier.until_answered(partial(self._client.ask_cancellation, record))
        if isinstance(reply, Missing) and record.answer.document_id:
            return await self._courier.until_answered(partial(self._client.ask_cancellation, record, by_reference=True))
        return reply

    async def _proves(self, record: Record, said: CancelSaid) -> bool:
        """Record an answer that settles the matter; where it names a credit note, that note's own status may."""
        memo = said.memo
        if said.step is CancelStep.REQUESTED and memo is not None and memo.document_id:
            reply = await self._courier.until_answered(partial(self._client.ask_memo, memo.document_id))
            if isinstance(reply, Found):
                number, stamp = memo.control_number or reply.answer.control_number, reply.answer.reception_stamp
                said = replace(
                    said,
                    step=_STEP_OF_MEMO.get(reply.state, CancelStep.REQUESTED),
                    memo=replace(memo, control_number=number, reception_stamp=stamp),
                    answer=replace(said.answer, reception_stamp=stamp),
                )
        if said.step is CancelStep.REQUESTED:
            return False
        self._said(record, said)
        return True

    def _said(self, record: Record, said: CancelSaid) -> None:
        """Record what an answer proves."""
        if said.step is CancelStep.DONE:
            self._cancelled.add(record.external_ref)
        body = {
            "step": said.step.value,
            "stamp": said.answer.reception_stamp if said.step is CancelStep.DONE else "",
            "words": words_of(said.answer),
            "memo": write_memo(said.memo) if said.memo else {},
        }
        self._journal.write(NewEvent(kind=Kind.CANCEL_ANSWERED, external_ref=record.external_ref, body=body))
        if said.step is CancelStep.REFUSED:
            self._courier.failed(said.step.value, words_of(said.answer))

    def _refused(self, record: Record, reason: Reason, answer: Answer) -> None:
        """Record that nothing was cancelled: the provider did not take the request."""
        body = {"step": CancelStep.REFUSED.value, "reason": reason.value, "words": words_of(answer)}
        self._journal.write(NewEvent(kind=Kind.CANCEL_ANSWERED, external_ref=record.external_ref, body=body))
        self._courier.failed(reason.value, words_of(answer))

    def _doubt(self, record: Record, reason: Reason, answer: Answer, detail: str = "") -> None:
        """Write the doubt at once: whatever happens next, the next run knows to ask first."""
        known = record.cancellation.step if record.cancellation is not None else CancelStep.REQUESTED
        # What an earlier answer has proven to be pending is not taken back by a doubt.
        step = known if known in UNDER_WAY else CancelStep.REQUESTED
        self._leave(record, step, reason, words_of(answer) or detail, unsent=False)

    def _take_back(
        self, record: Record, reply: Withheld | NeverLeft | SlowDown | KeyRefused, *, in_doubt: bool
    ) -> None:
        """Record that the request was not made; what an earlier one left in doubt stays so."""
        reason = self._courier.not_sent(reply)
        words = reply.detail if isinstance(reply, NeverLeft | KeyRefused) else ""
        before = record.cancellation.step if record.cancellation and not in_doubt else CancelStep.REQUESTED
        self._leave(record, before, reason, words, unsent=True)

    def _leave(self, record: Record, step: CancelStep, reason: Reason, words: str, *, unsent: bool) -> None:
        body = {"step": step.value, "reason": reason.value, "words": words, "unsent": unsent}
        self._journal.write(NewEvent(kind=Kind.CANCEL_UNANSWERED, external_ref=record.external_ref, body=body))


def _proven(said: CancelSaid) -> CancelSaid:
    """Return a cancellation that the document's own status proves, and that has no stamp: the status gives none."""
    return replace(said, step=CancelStep.DONE, answer=replace(said.answer, reception_stamp=""))


_STEP_OF_MEMO = {
    State.STAMPED: CancelStep.DONE,
    State.CONTINGENCY: CancelStep.PENDING,
    State.REJECTED: CancelStep.REFUSED,
}


def is_under_way(record: Record) -> bool:
    """Whether a cancellation was asked for and is not settled."""
    return record.cancellation is not None and record.cancellation.step in UNDER_WAY
