"""The files of documents, in bulk: what each may have, fetched under the common quota, checked, and filed.

A file is believed when it is whole and of its kind; the signed one is compared with the ledger besides. What is there
already, with its hash, is not fetched again. Nothing here writes the ledger.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import assert_never

from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.store import Ledger
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.money import figure
from batch_issuer.model.problems import Stop
from batch_issuer.model.records import Record
from batch_issuer.model.states import WERE_ISSUED, State
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import (
    Client,
    Fetched,
    KeyRefused,
    Missing,
    NeverLeft,
    Refused,
    SlowDown,
    Uncertain,
    Withheld,
)
from batch_issuer.provider.files import (
    INVOICE,
    JSON,
    KINDS,
    TICKET,
    Flaw,
    Signature,
    SignedDocument,
    extension_of,
    find_flaw,
    read_signed,
)
from batch_issuer.provider.wire import ENVIRONMENTS
from batch_issuer.send.courier import Courier
from batch_issuer.send.filing import Day, filed_now, safe_name
from batch_issuer.send.journal import words_of
from batch_issuer.send.keys import key_in
from batch_issuer.send.run import Connection, Watcher, shown_while
from batch_issuer.settings import DEFAULT_COMPANY, Company

_TRIES = 3
"""Of a file that comes broken."""
_SAVED_EVERY = 200
"""Files after which the manifests are written, so that a crash costs few of them."""


class End(StrEnum):
    """What became of one wanted file."""

    FETCHED = "fetched"
    KEPT = "kept"
    """It is there already."""
    NOT_YET = "not-yet"
    """The provider has not made it yet; later it may."""
    NOT_FOUND = "not-found"
    """The provider does not know the document."""
    NO_SUCH_FILE = "no-such-file"
    """Documents of this type have none."""
    FLAWED = "flawed"
    """Every time something came that is not the file."""
    FAILED = "failed"
    WITHHELD = "withheld"
    """The run ended before its turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """The signed document says something else than the ledger."""

    what: str
    ledger: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEnd:
    """One wanted file, and what became of it."""

    record: Record
    kind: str
    end: End
    path: Path | None = None
    detail: str = ""
    """The provider's own words."""
    reason: str = ""
    """Code of why it was not fetched, as for documents."""
    flaw: Flaw | None = None
    differences: tuple[FileDifference, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether somebody has to look: not for what only has to wait for its stamp."""
        if self.end is End.NOT_YET:
            return self.record.state is not State.CONTINGENCY
        return bool(self.differences) or self.end not in (End.FETCHED, End.KEPT, End.NO_SUCH_FILE)


@dataclass(slots=True)
class Downloaded:
    """What became of every wanted file."""

    ends: list[FileEnd] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    environments: set[str] = field(default_factory=set)
    """`test` or `production`, as the signed documents say."""
    signatures: Counter[Signature] = field(default_factory=Counter)
    seconds: float = 0.0
    stopped: Stop | None = None


def available(record: Record) -> tuple[str, ...]:
    """Return the kinds of files that a document of this type has once it is stamped; none where it was not issued."""
    if record.state not in WERE_ISSUED:
        return ()
    return KINDS if record.doc_type == "01" else (INVOICE, JSON)


def download(
    records: Sequence[Record],
    kinds: Sequence[str],
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    folder: Path,
) -> Downloaded:
    """Fetch what these documents have of these kinds into a folder a day.

    Raises:
        CannotStart: the key is not the company's as far as the ledger tells; so does `StoppedMidway`.
    """
    ledger = open_to_read(ledger_path)
    try:
        known = key_in(ledger, company, connection.key, new_key=connection.new_key)
        environment = company.expect_environment or known.environment
        wanted = [(record, kind) for record in records for kind in kinds if kind in available(record)]
        # References are unique within a company only.
        root = folder if company.code == DEFAULT_COMPANY else folder / safe_name(company.code)
        began = time.monotonic()
        found = asyncio.run(_download(wanted, root, environment, connection, watcher, ledger))
        found.seconds = round(time.monotonic() - began, 3)
        return found
    finally:
        ledger.close()


async def _download(
    wanted: Sequence[tuple[Record, str]],
    root: Path,
    environment: str,
    connection: Connection,
    watcher: Watcher,
    ledger: Ledger,
) -> Downloaded:
    client = connection.open()
    courier = connection.courier(client)
    downloader = Downloader(root=root, environment=environment, client=client, courier=courier, now=ledger.now)
    courier.progress.total = len(wanted)
    try:
        async with shown_while(client, courier, watcher):
            await downloader.fetch(wanted)
    finally:
        downloader.save()
    downloader.found.stopped = courier.stopped
    return downloader.found


class Downloader:
    """Fetches files into a folder a day. `now` gives the moment that a manifest names."""

    def __init__(
        self, *, root: Path, environment: str, client: Client, courier: Courier, now: Callable[[], dt.datetime]
    ) -> None:
        self.found = Downloaded()
        self._root = root
        self._environment = environment
        self._client = client
        self._courier = courier
        self._now = now
        self._days: dict[str, Day] = {}

    async def fetch(self, wanted: Sequence[tuple[Record, str]]) -> None:
        """Fetch files, each given as a document and a kind."""
        self._courier.allow_retries_for(len(wanted))
        await self._courier.carry(partial(self._one, record, kind=kind) for record, kind in wanted)

    def save(self) -> None:
        """Write every manifest that has changed. Raises `StoppedMidway` where one cannot be written."""
        for day in self._days.values():
            day.save()

    async def _one(self, record: Record, *, kind: str) -> None:
        """See to one file: what is there already is kept, unless the ledger knows by now that it is another's."""
        moment = dt.datetime.fromisoformat(record.first_sent_at or record.updated_at)
        name = moment.astimezone(EL_SALVADOR).date().isoformat()
        if name not in self._days:
            self._days[name] = Day(self._root / name)
            self.found.folders.append(self._root / name)
        day = self._days[name]
        kept = await asyncio.to_thread(day.kept, record, kind)
        differences = self._differences(record, kind, day.content(kept) or b"") if kept else ()
        if kept is not None and not _names_another(differences):
            path = day.folder / kept.file
            end = FileEnd(record=record, kind=kind, end=End.KEPT, path=path, differences=differences)
        elif self._courier.is_stopping:
            end = FileEnd(record=record, kind=kind, end=End.WITHHELD)
        elif record.state is State.CONTINGENCY and kind != TICKET:  # made after the stamp only (provider.md 14.1)
            end = FileEnd(record=record, kind=kind, end=End.NOT_YET)
        else:
            end = await self._fetched(record, kind, day)
        self.found.ends.append(end)
        self._courier.progress.done += 1
        if len(self.found.ends) % _SAVED_EVERY == 0:
            await asyncio.to_thread(self.save)

    async def _fetched(self, record: Record, kind: str, day: Day) -> FileEnd:
        """Ask for one file until it is whole, or there is a reason why it is not.

        By the provider's id, then by our reference where that finds no document.
        """
        flaw: Flaw | None = None
        for attempt in range(_TRIES):
            reply = await self._courier.until_answered(partial(self._client.download, record, kind))
            is_strange = isinstance(reply, Missing) and _why_missing(reply) in (End.NOT_FOUND, None)
            if is_strange and record.answer.document_id:
                by_reference = partial(self._client.download, record, kind, by_reference=True)
                reply = await self._courier.until_answered(by_reference)
            if not isinstance(reply, Fetched):
                return self._without(record, kind, reply)
            flaw = find_flaw(kind, reply.content, reply.media_type)
            if flaw is None:
                self._courier.went_well()
                return await self._put(record, kind, day, reply.content)
            if not await self._courier.pause(attempt):
                break
            self._courier.retry()
        self._courier.failed(str(flaw))
        return FileEnd(record=record, kind=kind, end=End.FLAWED, flaw=flaw)

    def _without(
        self,
        record: Record,
        kind: str,
        reply: Missing | Withheld | KeyRefused | Refused | NeverLeft | Uncertain | SlowDown,
    ) -> FileEnd:
        """Say why there is no file, and count what the provider did not want or could not do."""
        match reply:
            case Missing():
                end = _why_missing(reply) or End.NOT_YET
                return FileEnd(record=record, kind=kind, end=end, detail=reply.detail)
            case Withheld() | KeyRefused():
                return FileEnd(record=record, kind=kind, end=End.WITHHELD)
            case Refused():
                reason, detail = Reason.NOT_ACCEPTED, words_of(reply.answer)
            case NeverLeft():
                reason, detail = Reason.NEVER_LEFT, reply.detail
            case Uncertain():
                reason, detail = reply.reason, words_of(reply.answer) or reply.detail
            case SlowDown():
                reason, detail = Reason.QUOTA, ""
            case _:
                assert_never(reply)
        self._courier.failed(reason.value)
        return FileEnd(record=record, kind=kind, end=End.FAILED, reason=reason.value, detail=detail)

    async def _put(self, record: Record, kind: str, day: Day, content: bytes) -> FileEnd:
        """File what came, unless it is a signed document of another sale."""
        differences = self._differences(record, kind, content)
        if _names_another(differences):
            flaw = Flaw.OTHER_DOCUMENT
            return FileEnd(record=record, kind=kind, end=End.FLAWED, flaw=flaw, differences=differences)
        signed = read_signed(content) if kind == JSON else None
        name = day.name_for(record, kind, extension_of(kind))
        filed = filed_now(
            record,
            kind,
            name,
            content,
            self._now(),
            environment=signed.environment if signed else "",
            signature=signed.signature.value if signed else "",
        )
        await asyncio.to_thread(day.put, filed, content)
        return FileEnd(record=record, kind=kind, end=End.FETCHED, path=day.folder / name, differences=differences)

    def _differences(self, record: Record, kind: str, content: bytes) -> tuple[FileDifference, ...]:
        """Compare a file with the ledger, where it is a signed document, and count what it says of itself."""
        signed = read_signed(content) if kind == JSON else None
        if signed is None:
            return ()
        self.found.signatures[signed.signature] += 1
        if signed.environment:
            self.found.environments.add(ENVIRONMENTS.get(signed.environment, signed.environment))
        return compared(record, signed, self._environment)


def _names_another(differences: Sequence[FileDifference]) -> bool:
    """Whether a signed document is another one than the ledger's, and not only one that says something else of it."""
    return any(one.what in ("doc_type", "control_number", "generation_code") for one in differences)


_WORDS: Mapping[str, End] = {
    "archivo no disponible": End.NOT_YET,
    "file not available": End.NOT_YET,
    "documento no encontrado": End.NOT_FOUND,
    "ticket solo disponible": End.NO_SUCH_FILE,
    "suex no genera": End.NO_SUCH_FILE,
}
"""The provider's texts of its 404s (provider.md 14.1). Here alone words decide: the codes do not tell them apart."""


def _why_missing(reply: Missing) -> End | None:
    """Read what a 404 means; None where its words are not known."""
    words = reply.detail.casefold()
    return next((end for text, end in _WORDS.items() if text in words), None)


def compared(record: Record, signed: SignedDocument, environment: str) -> tuple[FileDifference, ...]:
    """Compare a signed document with the ledger in everything; what one of them does not say is no difference."""
    answer, amounts = record.answer, record.answer.amounts
    gross = record.expected_gross if amounts.gross is None else amounts.gross
    pairs: list[tuple[str, str, str]] = [
        ("doc_type", record.doc_type, signed.doc_type),
        ("control_number", answer.control_number, signed.control_number),
        ("generation_code", answer.generation_code.upper(), signed.generation_code.upper()),
        ("reception_stamp", answer.reception_stamp, signed.stamp),
        ("environment", environment, ENVIRONMENTS.get(signed.environment, signed.environment)),
        ("amount_gross", _money(gross), _money(signed.amounts.gross)),
        *(
            (f"amount_{name}", _money(getattr(amounts, name)), _money(getattr(signed.amounts, name)))
            for name in ("taxable", "vat", "retention", "total")
        ),
    ]
    return tuple(
        FileDifference(what=what, ledger=ours, file=said)
        for what, ours, said in pairs
        if ours and said and said != ours
    )


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else figure(amount)
