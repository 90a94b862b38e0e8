"""A provider that is a list of literal answers, a ledger in memory, and virtual time: one path of a state machine each.

A test says what is sent in which order and what comes back; whatever else the machine would send is a failure.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.model.records import Event, Kind, NewEvent, Record, fold
from batch_issuer.provider.client import Client
from batch_issuer.provider.quota import Quota
from batch_issuer.send.courier import Patience
from batch_issuer.send.crew import Crew
from batch_issuer.send.keys import KeyBook
from tests.send.archive import planned
from tests.send.virtual_time import run_virtually

NOON = dt.datetime(2026, 11, 21, 18, tzinfo=dt.UTC)
STAMP = "2026SELLODEPRUEBA"
ID = "0a1b2c3d-0000-4000-8000-000000000001"
PATIENT = Patience(connections=3, first_connections=2, asks=3, posts=3, refusals=2, settling=2.0)
"""Few tries of everything, so that a path to the end of patience can be written down."""

Reply = httpx.Response | type[httpx.RequestError]
Exchange = tuple[str, Reply]
"""The beginning of a request («POST /invoice»), and what comes back."""


def answer(status: int = 200, **said: Any) -> httpx.Response:
    """An answer with a JSON object."""
    return httpx.Response(status, content=json.dumps(said).encode(), headers={"content-type": "application/json"})


def issued(*, stamp: str = STAMP, **said: Any) -> httpx.Response:
    """An answer about a document that the provider registered."""
    told: dict[str, Any] = {"success": True, "dte_success": bool(stamp), "contingency": False, "rejected": False}
    told |= {"document_id": ID, "reception_stamp": stamp, "amount_gross": 11.30, "control_number": "DTE-01-M001P001-1"}
    return answer(**{**told, **said})


STAMPED = issued()
CONTINGENCY = issued(stamp="", contingency=True)
REJECTED = issued(stamp="", rejected=True, codigo_msg="020", observaciones=["sin CUI"])
UNPROVEN = issued(stamp="", dte_success=True)
"""It says that the ministry took it, and shows no stamp."""
NOT_REGISTERED = answer(success=False, dte_success=False, contingency=False, rejected=False, document_id="")
OF_ANOTHER = issued(external_ref="OTHER")
BAD = answer(400, detail="precio negativo")
NO_KEY = answer(401, detail="API key inválida")
MISSING = answer(404, detail="Documento no encontrado")
CONFLICT = answer(409, detail="en proceso")
UNPROCESSABLE = answer(422, detail="no se entiende")
SLOW_DOWN = httpx.Response(429, headers={"retry-after": "7"})
BROKEN = answer(500, detail="oops")
PAGE = httpx.Response(200, content=b"<html>", headers={"content-type": "text/html"})
LOST = httpx.ReadError
TIMEOUT = httpx.ReadTimeout
NEVER = httpx.ConnectError


class Book:
    """A ledger and its writer in memory: every event is durable at once and folded as ever."""

    def __init__(self, *documents: NewEvent) -> None:
        self.events: list[Event] = []
        self.now_records: dict[str, Record] = {}
        self.ahead = dt.timedelta()
        self.take(documents)

    def take(self, new: Sequence[NewEvent]) -> None:
        for one in new:
            event = Event(
                seq=len(self.events) + 1, at=self.now().isoformat(timespec="microseconds"), run="run",
                company="default", external_ref=one.external_ref, kind=one.kind, body=json.dumps(one.body),
            )  # fmt: skip
            self.events.append(event)
            if one.external_ref:
                known = self.now_records.get(one.external_ref)
                self.now_records[one.external_ref] = fold(known, event, json.loads(event.body))

    def append(self, new: Sequence[NewEvent]) -> asyncio.Future[None]:
        self.take(new)
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        durable.set_result(None)
        return durable

    append_soon = append

    def now(self) -> dt.datetime:
        """Noon and what has passed since in virtual time."""
        try:
            passed = asyncio.get_running_loop().time()
        except RuntimeError:
            passed = 0.0
        return NOON + dt.timedelta(seconds=passed) + self.ahead

    def bodies(self, records: Sequence[Record]) -> dict[str, bytes]:
        return {
            event.external_ref: json.loads(event.body)["body"].encode()
            for event in self.events
            if event.kind is Kind.PLANNED and event.external_ref in {one.external_ref for one in records}
        }

    def story(self, _company: str, reference: str) -> list[Event]:
        return [event for event in self.events if event.external_ref == reference]

    def records(self, _company: str, references: Sequence[str]) -> dict[str, Record]:
        return {one: self.now_records[one] for one in references if one in self.now_records}

    def named(self, _company: str, name: str) -> list[Record]:
        return [one for one in self.now_records.values() if name in (one.answer.document_id, one.answer.control_number)]

    def bodies_beside(self, _kinds: object) -> list[Any]:
        return []

    def kinds(self, reference: str) -> list[str]:
        """What was written of a document after its content, in order."""
        return [event.kind.value for event in self.events[1:] if event.external_ref == reference]


@dataclass
class Played:
    """What came of one path."""

    book: Book
    crew: Any
    sent: list[str] = field(default_factory=list)
    """Requests in their order."""
    at: list[float] = field(default_factory=list)
    """When each was sent, in seconds since the beginning."""
    seconds: float = 0.0

    @property
    def record(self) -> Record:
        """The one document, or the first."""
        return next(iter(self.book.now_records.values()))

    @property
    def end(self) -> tuple[str, str]:
        """State and reason of the one document."""
        return self.record.state.value, self.record.reason

    @property
    def stopped(self) -> str:
        """The sentence that ended it, or nothing."""
        return str(self.crew.courier.stopped or "")


Act = Callable[[Crew, list[Record]], Awaitable[Any]]


def play(
    act: Act,
    *script: Exchange,
    book: Book | None = None,
    patience: Patience = PATIENT,
    key: KeyBook | None = None,
    concurrency: int = 1,
) -> Played:
    """Do something with all documents of a book while the provider answers by the script, which must be used up."""
    book = book or Book(planned("F-1", "01"))
    left = list(script)

    def reply(request: httpx.Request) -> httpx.Response:
        assert left, f"one request too many: {request.method} {request.url.path}"
        wanted, said = left.pop(0)
        asked = f"{request.method} {request.url.raw_path.decode()}"
        assert asked.startswith(wanted), (asked, wanted)
        played.sent.append(asked)
        played.at.append(asyncio.get_running_loop().time())
        if isinstance(said, httpx.Response):
            return httpx.Response(said.status_code, headers=said.headers, content=said.content)
        raise said("literal", request=request)

    async def run() -> None:
        client = Client("https://provider.invalid/api", "odt_xxx", quota=Quota(), transport=httpx.MockTransport(reply))
        async with client:
            played.crew = Crew(
                client=client, ledger=cast("Ledger", book), writer=cast("Writer", book), concurrency=concurrency,
                patience=patience, key=key, jitter=lambda _, longest: longest,
            )  # fmt: skip
            await act(played.crew, list(book.now_records.values()))
            played.seconds = asyncio.get_running_loop().time()

    played = Played(book=book, crew=None)
    run_virtually(run())
    assert not left, f"never sent: {[wanted for wanted, _ in left]}"
    return played


async def issue(crew: Crew, records: list[Record]) -> None:
    await crew.issuer.issue(records)


async def ask(crew: Crew, records: list[Record]) -> None:
    await crew.settler.settle(records)


async def cancel(crew: Crew, records: list[Record]) -> None:
    await crew.canceller.cancel(records)


async def ask_cancellations(crew: Crew, records: list[Record]) -> None:
    await crew.canceller.ask(records)


async def pay(crew: Crew, records: list[Record]) -> None:
    await crew.canceller.pay(records)


async def recognise(crew: Crew, records: list[Record]) -> None:
    await crew.settler.recognise(records, crew.journal.ledger.bodies(records))


def sent(reference: str = "F-1", doc_type: str = "01", **more: Any) -> Book:
    """A document whose intent is written, and of which nothing was heard."""
    content = planned(reference, doc_type, **more)
    return Book(content, intent(content))


def intent(content: NewEvent) -> NewEvent:
    body = {"fingerprint": content.body["fingerprint"]}
    return NewEvent(kind=Kind.SENDING, external_ref=content.external_ref, body=body)


def stands(state: str, *, reference: str = "F-1", doc_type: str = "01", reason: str = "", **said: Any) -> Book:
    """A document that was answered, and stands so."""
    book = sent(reference, doc_type)
    body: dict[str, Any] = {"state": state, "answer": {"http_status": 200, "document_id": ID, **said}}
    if state in ("stamped", "cancelled"):
        body["answer"] |= {"reception_stamp": STAMP}
    if reason:
        body["reason"] = reason
    book.take([NewEvent(kind=Kind.ANSWERED, external_ref=reference, body=body)])
    return book


def with_content(book: Book, reference: str = "F-1", **more: Any) -> Book:
    """The same with its content corrected and its intent written again, as a second file does it."""
    record = book.now_records[reference]
    content = planned(reference, record.doc_type, **more)
    book.take([content, intent(content)])
    return book
