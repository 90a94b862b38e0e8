"""The connection to the provider: one request at a time in, one value out. No retries here; `issuing` decides those.

Every failure is told apart by whether the request can have reached the provider: that decides whether it may be sent
again. The transport is an argument, and the only seam that tests need.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import httpx

from batch_issuer import __version__
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Answer, CancelStep, CreditMemo, Record
from batch_issuer.model.states import State
from batch_issuer.provider import wire
from batch_issuer.provider.classify import Reason, classify, classify_cancellation, stamp_of_cancellation
from batch_issuer.provider.contents import document_in
from batch_issuer.provider.files import JSON, read_signed
from batch_issuer.provider.quota import Quota
from batch_issuer.provider.routes import cancel_path, cancel_status_path, file_path, issue_path, status_path

DEFAULT_BASE_URL = "https://ocote.io/api/connect"
"""provider.md 1."""

CONNECT_TIMEOUT = 15.0
READ_TIMEOUT = 120.0
WHOLE_TIMEOUT = 300.0
"""Seconds. The provider answers after the ministry did, which may take 20 s and more; giving up early only makes
documents unsure."""
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes. An answer carries at most the signed document, which is far smaller."""

_ANSWERED = (httpx.codes.OK, httpx.codes.CREATED)
"""200 is documented; what a 201 proves is said by the same flags."""
_LAST_PORT = 65535
_HTTP_LOGGERS = ("httpx", "aiohttp.client", "aiohttp.internal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A 200 answer and the state that it proves."""

    state: State
    answer: Answer
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSaid:
    """A 200 answer about an invalidation and what it proves."""

    step: CancelStep
    answer: Answer
    memo: CreditMemo | None = None
    reason: Reason | None = None
    claims_success: bool = False
    """It says that the ministry took it, and gives no stamp that proves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A 200 answer to a download. What it holds is not looked at here."""

    content: bytes
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What one answer tells of the provider and of the quota; None where it does not say."""

    status: int
    detail: str = ""
    moment: dt.datetime | None = None
    """The provider's clock."""
    per_minute: int | None = None
    per_hour: int | None = None
    left_minute: int | None = None
    left_hour: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """400: nothing was created."""

    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """404 to a question: the provider does not have this reference."""

    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefused:
    """401: no request with this key will do anything."""

    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDown:
    """429: nothing was created. `seconds` is how long nobody sends now."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverLeft:
    """No connection was made: the request cannot have arrived."""

    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """It was not sent, because the run is ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """It may have arrived, and what came of it is not known."""

    reason: Reason
    answer: Answer = Answer()
    detail: str = ""


FileReply = Fetched | Refused | Missing | KeyRefused | SlowDown | NeverLeft | Withheld | Uncertain
CancelReply = CancelSaid | Refused | Missing | KeyRefused | SlowDown | NeverLeft | Withheld | Uncertain
Reply = Found | Refused | Missing | KeyRefused | SlowDown | NeverLeft | Withheld | Uncertain


def check_base_url(base_url: str) -> str:
    """The address without its last slash. Raises `CannotStart` unless it is https, or http to this machine."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError, TypeError):
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > _LAST_PORT:
        raise CannotStart(
            N_("«{url}» is not an address."),
            repair=N_("It looks like {example}. Check --base-url and OCOTE_BASE_URL."),
            url=wire.remove_keys(base_url),
            example=DEFAULT_BASE_URL,
        )
    if url.userinfo or "?" in base_url or "#" in base_url or wire.remove_keys(base_url) != base_url:
        raise CannotStart(
            N_("The address holds a user, a password, a query or a key."),
            repair=N_("Give only scheme, host and path; the key comes from the environment or a key file."),
        )
    if url.scheme == "http" and not is_loopback(url.host):
        raise CannotStart(
            N_("http:// is refused for {host}: the key and the sales would travel readable."),
            repair=N_("Use https://. Plain http is only for this same machine (127.0.0.1, localhost)."),
            host=url.host,
        )
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def open_transport(base_url: str, concurrency: int) -> httpx.AsyncBaseTransport:
    """Connections for this many requests at once; the system's proxies are used except to this same machine."""
    from batch_issuer.provider.transport import Transport, system_proxy  # noqa: PLC0415 - aiohttp, only for who sends

    return Transport(
        connections=concurrency + 2,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        whole_timeout=WHOLE_TIMEOUT,
        proxy="" if is_loopback(httpx.URL(base_url).host) else system_proxy(base_url),
    )


class Client:
    """Requests with one key, paced by one quota. Use as an async context manager."""

    def __init__(self, base_url: str, key: str, *, quota: Quota, transport: httpx.AsyncBaseTransport) -> None:
        self.base_url = check_base_url(base_url)
        self.quota = quota
        self._transport = transport
        self._headers = httpx.Headers(
            {
                "Authorization": f"Bearer {key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"batch_issuer/{__version__}",
            }
        )
        self._headers_of_body = httpx.Headers({**self._headers, "Content-Type": "application/json"})
        for name in _HTTP_LOGGERS:
            logging.getLogger(name).disabled = True

    def __repr__(self) -> str:
        return f"Client({self.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def issue(self, doc_type: str, external_ref: str, body: bytes) -> Reply:
        """`POST /invoice`, `/credit-memo` or `/suex`, as the type demands."""
        reply, plain = await self._send("POST", issue_path(doc_type), body)
        return reply if plain is None else _read(plain, external_ref, confirmed=False)

    async def ask(self, doc_type: str, external_ref: str, document_id: str = "") -> Reply:
        """The type's status route: what became of a document; by the provider's own id where one is given.

        Never issues anything.
        """
        reply, plain = await self._send("GET", status_path(doc_type, document_id or external_ref))
        if isinstance(reply, Refused):
            return Uncertain(reason=Reason.UNEXPECTED_STATUS, answer=reply.answer)
        return reply if plain is None else _read(plain, external_ref, confirmed=True)

    async def ask_content(self, doc_type: str, external_ref: str) -> tuple[Reply, Mapping[str, Any] | None]:
        """What became of a document, and the signed document itself where the provider has one (provider.md 11)."""
        reply, plain = await self._send("GET", f"{status_path(doc_type, external_ref)}?include_dte=1")
        if isinstance(reply, Refused):
            return Uncertain(reason=Reason.UNEXPECTED_STATUS, answer=reply.answer), None
        if plain is None:
            return reply, None
        return _read(plain, external_ref, confirmed=True), document_in(plain)

    async def ask_memo(self, memo_id: str) -> Reply:
        """What became of a credit note of which only the provider's id is known."""
        reply, plain = await self._send("GET", status_path("05", memo_id))
        return reply if plain is None else _read(plain, str(plain.get("external_ref") or ""), confirmed=True)

    async def cancel(self, record: Record, *, by_reference: bool = False) -> CancelReply:
        """`POST /invalidate/…`, without a body. Missing: the provider has no such document, and nothing was done."""
        reply, plain = await self._send("POST", cancel_path(record.doc_type, _name_of(record, by_reference)))
        if isinstance(reply, Uncertain) and reply.answer.http_status == httpx.codes.NOT_FOUND:
            return Missing(detail=reply.answer.detail)
        return _not_found(reply) if plain is None else _read_cancellation(plain, record)

    async def ask_cancellation(self, record: Record, *, by_reference: bool = False) -> CancelReply:
        """`GET /invalidate/status/…`: what became of an invalidation. Missing: there is none. Never invalidates."""
        reply, plain = await self._send("GET", cancel_status_path(record.doc_type, _name_of(record, by_reference)))
        if isinstance(reply, Refused):
            return Uncertain(reason=Reason.UNEXPECTED_STATUS, answer=reply.answer)
        if plain is None:
            return _not_found(reply)
        said = _read_cancellation(plain, record)
        return Missing() if said.reason is Reason.NOT_REGISTERED else said

    async def look_up(self, id_or_ref: str) -> Reply:
        """`GET /status/{id_or_ref}` of a sale that may be of another program: how it stands, and what it comes to."""
        reply, plain = await self._send("GET", status_path("03", id_or_ref))
        if isinstance(reply, Refused):
            return Uncertain(reason=Reason.UNEXPECTED_STATUS, answer=reply.answer)
        return reply if plain is None else _read(plain, wire.named(plain, id_or_ref), confirmed=True)

    async def sign_of_life(self, reference: str) -> Sign | NeverLeft | Uncertain | Withheld:
        """Ask once about a reference that nobody has, and read what the answer tells beside its 404."""
        received = await self._receive("GET", status_path("01", reference))
        if not isinstance(received, _Received):
            return received
        limit, left = "x-ratelimit-limit", "x-ratelimit-remaining"
        return Sign(
            status=received.status,
            detail=wire.read_answer(wire.decode(received.content), received.status).detail,
            moment=_date_of(received.headers),
            per_minute=_count(received.headers, f"{limit}-minute"),
            per_hour=_count(received.headers, f"{limit}-hour"),
            left_minute=_count(received.headers, f"{left}-minute"),
            left_hour=_count(received.headers, f"{left}-hour"),
        )

    async def download(self, record: Record, kind: str, *, by_reference: bool = False) -> FileReply:
        """`GET /file/…`: one of `files.KINDS`. Missing: not there, for the reason that its detail says."""
        received = await self._receive("GET", file_path(_name_of(record, by_reference), kind), accept="*/*")
        if not isinstance(received, _Received):
            return received
        if received.status == httpx.codes.OK:
            return Fetched(content=received.content, media_type=received.headers.get("content-type", ""))
        reply = self._meaning(received, asked=True)
        assert not isinstance(reply, Found)  # noqa: S101 - only a 200 is found
        return reply

    async def catalog(self, path: str) -> object:
        """The JSON of a live catalog, of whatever shape; None where it cannot be had at once."""
        ticket = self.quota.spare()
        if ticket is None:
            return None
        try:
            status, headers, content = await self._exchange("GET", path, b"")
        except httpx.HTTPError:
            self.quota.lost(ticket, arrived=True)
            return None
        self.quota.learn(ticket, headers)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            self.quota.refused(headers)
        return wire.decode_any(content) if status == httpx.codes.OK else None

    async def environment(self, external_ref: str) -> str:
        """`ambiente` of a stamped document's signed JSON: "00" test, "01" production, empty where it cannot be had."""
        received = await self._receive("GET", file_path(external_ref, JSON), accept="*/*")
        if not isinstance(received, _Received):
            return ""
        if received.status == httpx.codes.TOO_MANY_REQUESTS:
            self.quota.refused(received.headers)
        signed = read_signed(received.content) if received.status == httpx.codes.OK else None
        return signed.environment if signed is not None else ""

    async def _send(self, method: str, path: str, body: bytes = b"") -> tuple[Reply, Mapping[str, Any] | None]:
        """The reply to one request, and the JSON of a readable 200."""
        received = await self._receive(method, path, body)
        if not isinstance(received, _Received):
            return received, None
        plain = wire.decode(received.content)
        if received.status in _ANSWERED and plain is not None:
            return Uncertain(reason=Reason.NOT_UNDERSTOOD), plain
        return self._meaning(received, asked=method == "GET", plain=plain), None

    def _meaning(self, received: _Received, *, asked: bool, plain: Mapping[str, Any] | None = None) -> Reply:
        """What an answer other than a readable 200 means; a 429 holds everybody back."""
        plain = wire.decode(received.content) if plain is None else plain
        reply = _read_status(received.status, plain, received.content, asked=asked)
        return SlowDown(seconds=self.quota.refused(received.headers)) if isinstance(reply, SlowDown) else reply

    async def _receive(
        self, method: str, path: str, body: bytes = b"", *, accept: str = ""
    ) -> _Received | Withheld | NeverLeft | Uncertain:
        """The answer to one request as it came, once the quota lets it go."""
        ticket = await self.quota.wait()
        if ticket is None:
            return Withheld()
        try:
            status, headers, content = await self._exchange(method, path, body, accept)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            self.quota.lost(ticket, arrived=False)
            return NeverLeft(detail=_describe(error))
        except httpx.TimeoutException as error:
            self.quota.lost(ticket, arrived=True)
            return Uncertain(reason=Reason.READ_TIMEOUT, detail=_describe(error))
        except httpx.HTTPError as error:
            self.quota.lost(ticket, arrived=True)
            return Uncertain(reason=Reason.LOST_ANSWER, detail=_describe(error))
        self.quota.learn(ticket, headers)
        return _Received(status=status, headers=headers, content=content)

    async def _exchange(
        self, method: str, path: str, body: bytes, accept: str = ""
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request and its whole answer; lengths and host are the transport's affair."""
        sent = self._headers_of_body if body else self._headers
        request = httpx.Request(
            method,
            _address(self.base_url + path),
            headers={**sent, "accept": accept} if accept else sent,
            stream=httpx.ByteStream(body),
            extensions={"timeout": {}},
        )
        response = await self._transport.handle_async_request(request)
        headers = dict(response.headers.items())
        content = bytearray()
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport gave it
        try:
            async for chunk in response.aiter_bytes() if "content-encoding" in headers else response.stream:
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise httpx.ReadError("the answer is too large")
        finally:
            await response.aclose()
        return response.status_code, headers, bytes(content)


_address = lru_cache(maxsize=64)(httpx.URL)
"""To read an address takes as long as to send a request to it; documents are posted to a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Received:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def _read(plain: Mapping[str, Any], external_ref: str, *, confirmed: bool) -> Found:
    state, reason = classify(plain, external_ref, confirmed=confirmed)
    return Found(state=state, reason=reason, answer=wire.read_answer(plain, httpx.codes.OK))


def _name_of(record: Record, by_reference: bool) -> str:  # noqa: FBT001 - the callers name it
    """The provider's own id where we have one: it travels in every path, and is like no route."""
    return record.external_ref if by_reference else record.answer.document_id or record.external_ref


def _not_found(reply: Reply) -> CancelReply:
    assert not isinstance(reply, Found)  # noqa: S101 - a readable 200 comes with its JSON
    return reply


def _read_cancellation(plain: Mapping[str, Any], record: Record) -> CancelSaid:
    step, reason = classify_cancellation(plain, record.external_ref, record.answer.reception_stamp)
    stamp = stamp_of_cancellation(plain, record.answer.reception_stamp)
    return CancelSaid(
        step=step,
        reason=reason,
        answer=replace(wire.read_answer(plain, httpx.codes.OK), reception_stamp=wire.remove_keys(stamp)),
        memo=wire.credit_memo_of(plain, record.answer.document_id),
        claims_success=reason is Reason.NOT_PROVEN and plain.get("dte_success") is True,
    )


def _read_status(status: int, plain: Mapping[str, Any] | None, content: bytes, *, asked: bool) -> Reply:
    """What an answer other than a readable 200 means (provider.md 15b)."""
    answer = wire.read_answer(plain, status)
    match status:
        case 200:
            return Uncertain(reason=Reason.NOT_UNDERSTOOD, answer=answer, detail=_first_words(content))
        case 400:
            return Refused(answer=answer)
        case 401:
            return KeyRefused(detail=answer.detail)
        case 404 if asked:
            return Missing(detail=answer.detail)
        case 409:
            return Uncertain(reason=Reason.CONFLICT, answer=answer)
        case 429:
            return SlowDown()
        case _ if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return Uncertain(reason=Reason.SERVER_ERROR, answer=answer)
        case _:
            return Uncertain(reason=Reason.UNEXPECTED_STATUS, answer=answer)


def _date_of(headers: Mapping[str, str]) -> dt.datetime | None:
    try:
        return parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _describe(error: Exception) -> str:
    return wire.remove_keys(f"{type(error).__name__}: {error}")[:300]


def _first_words(content: bytes) -> str:
    return wire.remove_keys(content[:200].decode("utf-8", "replace"))
