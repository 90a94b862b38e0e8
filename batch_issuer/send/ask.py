"""Asking the provider about documents: what it says of them, and settling what earlier requests left in doubt.

The rules it keeps: nothing is ever issued by asking; a 404 is believed at the second time where the provider may still
be at work; what is in contingency is never planned again because nobody finds it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.model.states import State
from batch_issuer.provider.classify import NEEDS_PERSON, Reason
from batch_issuer.provider.client import Client, Found, Missing, Reply, Uncertain
from batch_issuer.provider.contents import differences
from batch_issuer.send.courier import Courier
from batch_issuer.send.journal import Journal


class Asker:
    """Asks what the provider says of documents. It writes nothing."""

    def __init__(self, *, client: Client, courier: Courier) -> None:
        self.courier = courier
        self._client = client

    async def status(self, record: Record, document_id: str) -> Reply:
        """Ask what the provider knows of a reference; one that it does not find is looked for by its own id too.

        Some references do not travel in every path, and what has an id was registered.
        """
        ask = partial(self._client.ask, record.doc_type, record.external_ref)
        reply = await self.courier.until_answered(ask, record.external_ref)
        if isinstance(reply, Missing) and document_id:
            return await self.courier.until_answered(partial(ask, document_id), record.external_ref)
        return reply

    async def status_after_doubt(self, record: Record, document_id: str) -> Reply:
        """Ask what became of a request whose answer is lost; Missing only when the provider says so twice."""
        reply = await self.status(record, document_id)
        if not isinstance(reply, Missing):
            return reply
        await self.courier.settle()
        return await self.status(record, document_id)

    async def content(self, record: Record) -> tuple[Reply, Mapping[str, Any] | None]:
        """Ask what became of a document, and for the signed one where the provider gives it."""
        document: Mapping[str, Any] | None = None

        async def ask() -> Reply:
            nonlocal document
            reply, document = await self._client.ask_content(record.doc_type, record.external_ref)
            return reply

        return await self.courier.until_answered(ask, record.external_ref), document

    async def look(self, records: Sequence[Record]) -> Mapping[str, Found | Missing]:
        """Ask what the provider says of documents in any state, by reference; nothing is recorded."""
        said: dict[str, Found | Missing] = {}

        async def look(record: Record) -> None:
            reply = await self.status(record, record.answer.document_id)
            if isinstance(reply, Found | Missing):
                said[record.external_ref] = reply
            self.courier.progress.count(record.state)

        await self.courier.carry(partial(look, record) for record in records)
        return said

    async def look_up(self, id_or_ref: str) -> Reply:
        """Ask how a document of the provider stands that the ledger does not know."""
        reply = await self.courier.until_answered(partial(self._client.look_up, id_or_ref))
        self.courier.heed_quota()
        return reply

    async def find(self, record: Record) -> Reply:
        """Ask how a document stands, by the provider's own id first: another company may have the same reference."""
        ask = partial(self._client.ask, record.doc_type, record.external_ref)
        reply: Reply = Missing()
        for name in dict.fromkeys((record.answer.document_id, record.external_ref)):
            if name and isinstance(reply, Missing):
                reply = await self.courier.until_answered(partial(ask, name))
        return reply


class Settler:
    """Asks what became of documents, and records it."""

    def __init__(self, *, asker: Asker, journal: Journal) -> None:
        self._asker = asker
        self._courier = asker.courier
        self._journal = journal

    async def settle(self, records: Sequence[Record]) -> None:
        """Ask what became of documents, and record it; one that the provider does not have is planned anew.

        A 404 is believed at the second time of asking where the last request is only moments old.
        """
        missing = await self._still_missing(records)
        # The provider may still be at work on a request that left a moment ago.
        lately = self._journal.ledger.now() - dt.timedelta(seconds=self._courier.patience.recent)
        recent = [one for one in missing if dt.datetime.fromisoformat(one.updated_at) > lately]
        if recent:
            missing = [one for one in missing if dt.datetime.fromisoformat(one.updated_at) <= lately]
            await self._courier.settle()
            missing += await self._still_missing(recent)
        for record in missing:
            if record.state is State.CONTINGENCY:
                nobody_found_it = Uncertain(reason=Reason.NOT_FOUND)
                self._journal.unanswered(record.external_ref, nobody_found_it, state=State.CONTINGENCY)
                self._journal.progress.count(State.CONTINGENCY)
            elif record.reason in NEEDS_PERSON:
                self._journal.progress.count(record.state)
            else:
                self._journal.release(record, Reason.NOT_FOUND, unsent=False)
        await self._journal.flush()

    async def _still_missing(self, records: Sequence[Record]) -> list[Record]:
        """Ask once about each document and record what is found; return those that the provider does not have."""
        missing: list[Record] = []

        async def ask(record: Record) -> None:
            reply = await self._asker.status(record, record.answer.document_id)
            if isinstance(reply, Found):
                self._journal.answered(record, reply)
            elif isinstance(reply, Missing):
                missing.append(record)
            else:
                self._journal.progress.count(record.state)

        await self._courier.carry(partial(ask, record) for record in records)
        await self._journal.flush()
        return missing

    async def recognise(self, records: Sequence[Record], bodies: Mapping[str, bytes]) -> list[Record]:
        """Look up documents that this ledger never sent, and record those that the provider has; return the others.

        A person said, or `ledger restore` did, that the ledger may have forgotten them: what the provider has with the
        same content is this sale, what it has with another is not.
        """
        missing: set[str] = set()

        async def look(record: Record) -> None:
            reply, document = await self._asker.content(record)
            if isinstance(reply, Missing):
                missing.add(record.external_ref)
                self._journal.progress.count(State.PLANNED)
            elif not isinstance(reply, Found):
                self._journal.release(record, Reason.NOT_LOOKED_UP, unsent=False)
            elif reply.state is State.UNSURE:
                self._journal.unanswered(record.external_ref, reply)
                self._journal.progress.count(State.UNSURE)
            elif self._journal.is_foreign(reply.answer):
                self._journal.leave_to_person(record, reply, Reason.OTHER_ISSUER, (), unexpected=True)
            elif differs := differences(record, bodies[record.external_ref], reply.answer, document):
                self._journal.leave_to_person(record, reply, Reason.OTHER_CONTENT, differs, unexpected=True)
            else:
                accepted = {"at_provider": True}
                self._journal.write(NewEvent(kind=Kind.RECOGNISED, external_ref=record.external_ref, body=accepted))
                self._journal.answered(replace(record, accepted=True), reply)

        await self._courier.carry(partial(look, record) for record in records)
        await self._journal.flush()
        return [record for record in records if record.external_ref in missing]
