"""What a run writes of documents: an intent before anything leaves, and every answer and doubt as soon as it is there.

The rules it keeps: an intent is durable before its first byte leaves; a doubt is written at once; what is in
contingency stays so until the provider says stamped or rejected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.model.problems import Stop
from batch_issuer.model.records import NO_ANSWER, Answer, Kind, NewEvent, Record, write_answer
from batch_issuer.model.states import ISSUED, REFUSED, State, rejects_late
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import Found, KeyRefused, SlowDown, Uncertain
from batch_issuer.provider.contents import Difference
from batch_issuer.send.courier import AnyReply, Courier
from batch_issuer.send.keys import KeyBook
from batch_issuer.send.owing import owed_after_stamp

WHOSE = (Reason.UNEXPECTED_DUPLICATE, Reason.OTHER_CONTENT)
"""Doubts about whose document it is that the provider has; no answer of it says."""

_WRITTEN_AT_ONCE = 500
"""Events that are written with one commit, where there are many."""

_LONGEST_DETAIL = 1000
"""Letters of the differences that are kept with a document for a person to judge."""


class Journal:
    """Writes one run's intents and what it learns. Each document is counted when its turn ends.

    `key` is None where nobody wants to know whose key it is.
    """

    def __init__(self, *, ledger: Ledger, writer: Writer, courier: Courier, key: KeyBook | None = None) -> None:
        self.ledger = ledger
        self.progress = courier.progress
        self._writer = writer
        self._courier = courier
        self._key = key
        self._written: set[asyncio.Future[None]] = set()

    def append(self, *new: NewEvent) -> asyncio.Future[None]:
        """Write events, durable once this is awaited. Raises `Stop` then, where the ledger cannot be written."""
        return self._writer.append(new)

    async def append_all(self, new: Iterable[NewEvent]) -> None:
        """Write any number of events, many with one commit; all of them are durable when it returns.

        The next ones are made while those before are on their way to the disk. Raises `Stop` as `append` does.
        """
        events = iter(new)
        written: asyncio.Future[None] | None = None
        while chunk := list(islice(events, _WRITTEN_AT_ONCE)):
            before, written = written, self.append(*chunk)
            if before is not None:
                await before
        if written is not None:
            await written

    def write(self, *new: NewEvent) -> None:
        """Queue what was learned; it counts as done when it is durable, and nobody waits for the disk."""
        written = self._writer.append_soon(new)
        if written not in self._written:
            self._written.add(written)
            written.add_done_callback(self._after_write)

    async def flush(self) -> None:
        """Wait until everything said so far is durable."""
        while self._written:
            await asyncio.wait(tuple(self._written))

    def _after_write(self, written: asyncio.Future[None]) -> None:
        self._written.discard(written)
        error = written.exception()
        # A ledger that cannot be written ends the run: what is sent after it nobody would remember.
        if isinstance(error, Stop):
            self._courier.stop(error)

    async def intend(self, records: Iterable[Record]) -> None:
        """Write that these documents are about to be sent; durable when it returns. Raises `Stop` as `append` does."""
        await self.append(
            *(
                NewEvent(kind=Kind.SENDING, external_ref=one.external_ref, body={"fingerprint": one.fingerprint})
                for one in records
            )
        )

    def hear(self, reply: AnyReply, reference: str) -> Stop | None:
        """Take in what an answer says of whose key it is, and return why nothing more may be sent, if it shows so.

        What may not have come from the provider says nothing: a proxy's error page must not speak for a key.
        """
        if self._key is None or isinstance(reply, KeyRefused | Uncertain | SlowDown):
            return None
        if news := self._key.learn(reply.answer if isinstance(reply, Found) else NO_ANSWER, reference):
            self.write(news)
        return self._key.objection

    def answered(self, record: Record, found: Found, *, planned: NewEvent | None = None) -> None:
        """Record an answer. What is in contingency stays so until the provider says stamped or rejected.

        `planned` is the content that the answer is about, where that is not the one that was sent last.
        """
        # It is in doubt whose document the provider has: until a person says, its status may be another sale's.
        if record.reason in WHOSE and not record.accepted:
            self.progress.count(record.state)
            return
        if record.state is State.CONTINGENCY and found.state is State.UNSURE:
            reason = found.reason or Reason.NOT_UNDERSTOOD
            self.unanswered(record.external_ref, Uncertain(reason=reason, answer=found.answer), state=record.state)
            self.progress.count(record.state)
            return
        answered = NewEvent(kind=Kind.ANSWERED, external_ref=record.external_ref, body=self._body_of(record, found))
        owed = owed_after_stamp(self.ledger, record) if answered.body["state"] == State.STAMPED.value else ()
        self.write(*([planned] if planned else ()), answered, *owed)
        self.progress.count(found.state)
        if found.state in REFUSED:
            self._courier.failed(f"{found.state.value} {found.answer.codigo_msg}", words_of(found.answer))
        elif found.state is not State.UNSURE:
            self._courier.went_well()

    def _body_of(self, record: Record, found: Found) -> dict[str, Any]:
        """Return what an answer changes of a document, as its event has it."""
        body: dict[str, Any] = {"state": found.state.value, "answer": write_answer(found.answer)}
        if found.reason is not None:
            body["reason"] = found.reason.value
        if rejects_late(record.state, found.state):
            body["reason"] = Reason.AFTER_CONTINGENCY.value
            self.progress.late_rejections.append(record.external_ref)
        # Issued it was, but in another's name: a person has to invalidate it there, so it is no stamp of this sale.
        if found.state in ISSUED and self.is_foreign(found.answer):
            body |= {"state": State.UNSURE.value, "reason": Reason.OTHER_ISSUER.value}
        return body

    def is_foreign(self, answer: Answer) -> bool:
        """Whether a document was issued in another company's name, or in another environment than the ledger's.

        One that only the settings did not expect is the company's own.
        """
        return self._key is not None and self._key.is_foreign and bool(answer.issuer_nit or answer.environment)

    def unanswered(self, reference: str, reply: Found | Uncertain, *, state: State = State.UNSURE) -> None:
        """Write the doubt at once: whatever happens next, the next run knows to ask first."""
        reason = reply.reason or Reason.NOT_UNDERSTOOD
        body: dict[str, Any] = {"reason": reason.value, "answer": write_answer(reply.answer)}
        if isinstance(reply, Found):
            body["state"], kind = State.UNSURE.value, Kind.ANSWERED
        else:
            body |= {"state": state.value, "detail": reply.detail}
            kind = Kind.UNANSWERED
        self.write(NewEvent(kind=kind, external_ref=reference, body=body))

    def release(self, record: Record, reason: Reason, *, unsent: bool) -> None:
        """Record that a document is planned again; `unsent` takes its last intent back, as nothing left."""
        body = {"state": State.PLANNED.value, "reason": reason.value, "unsent": unsent}
        self.write(NewEvent(kind=Kind.RELEASED, external_ref=record.external_ref, body=body))
        self.progress.count(State.PLANNED)

    def leave_to_person(
        self, record: Record, found: Found, reason: Reason, differs: Sequence[Difference], *, unexpected: bool
    ) -> None:
        """Record what the provider has under a reference, and that it proves nothing of this sale."""
        body: dict[str, Any] = {
            "state": State.UNSURE.value,
            "answer": write_answer(found.answer),
            "reason": reason.value,
            "detail": "; ".join(f"{one.what}: {one.ours} / {one.theirs}" for one in differs)[:_LONGEST_DETAIL],
        }
        if unexpected:
            body["unexpected_duplicate"] = True
        self.write(NewEvent(kind=Kind.ANSWERED, external_ref=record.external_ref, body=body))
        self.progress.count(State.UNSURE)
        self._courier.failed(reason.value)
        if differs:
            self.show_conflict(record, found, differs)

    def show_conflict(self, record: Record, found: Found, differs: Sequence[Difference]) -> None:
        """Keep what the provider has under a reference against what the file says, for the run's record."""
        gross = found.answer.amounts.gross
        self.progress.conflicts.append(
            {
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
        )


def words_of(answer: Answer) -> str:
    """Return the provider's or the ministry's own words of an answer."""
    return "; ".join(answer.observaciones) or next(iter(answer.words), "")
