"""The connection to the provider: one request at a time in, one value out. No retries here; the courier has those.

Every failure is told apart by whether the request can have reached the provider: that decides whether it may be sent
again. The transport is an argument, and the only seam that tests need.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
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
from batch_issuer.provider.quota import Quota, count_in
from batch_issuer.provider.routes import cancel_path, cancel_status_path, file_path, issue_path, status_path

DEFAULT_BASE_URL = "https://ocote.io/api/connect"  # provider.md 1

CONNECT_TIMEOUT = 15.0
READ_TIMEOUT = 120.0
WHOLE_TIMEOUT = 300.0
"""Seconds. The provider answers after the ministry did, which may take 20 s and more; giving up early only makes
documents unsure."""
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes. An answer carries at most the signed document, which is far smaller."""

_ANSWERED = (httpx.codes.OK, httpx.codes.CREATED)
"""200 is documented; what a 201 proves is said by the same flags."""


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


Otherwise = Refused | Missing | KeyRefused | SlowDown | NeverLeft | Withheld | Uncertain
"""What came of a request that has no readable 200."""
FileReply = Fetched | Otherwise
CancelReply = CancelSaid | Otherwise
Reply = Found | Otherwise


def check_base_url(base_url: str) -> str:
    """Return the address without its last slash. Raises `CannotStart` unless it is https, or http to this machine."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError, TypeError):
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535:
        raise CannotStart(
            N_("«{url}» is not an address."),
            repair=N_("It looks like {example}. Check --base-url and OCOTE_BASE_URL."),
            url=wire.remove_keys(base_url),
            example=DEFAULT_BASE_URL,
        )
    if url.userinfo or {"?", "#"} & set(base_url) or wire.remove_keys(base_url) != base_url:
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
    """Open connections for this many requests at once, by the system's proxies except to this same machine."""
    from batch_issuer.provider.transport import Transport, system_proxy  # noqa: PLC0415 - aiohttp, only for who sends

    return Transport(
        connections=concurrency + 2,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        whole_timeout=WHOLE_TIMEOUT,
        proxy="" if is_loopback(httpx.URL(base_url).host) else system_proxy(base_url),
    )


def open_client(base_url: str, key: str, *, concurrency: int, quota: Quota) -> Client:
    """Open a client for this many requests at once. Raises `CannotStart` as `check_base_url` does."""
    return Client(base_url, key, quota=quota, transport=open_transport(base_url, concurrency))


class Client:
    """Requests with one key, paced by one quota. Use as an async context manager."""

    def __init__(self, base_url: str, key: str, *, quota: Quota, transport: httpx.AsyncBaseTransport) -> None:
        self.base_url = check_base_url(base_url)
        self.quota = quota
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            headers={
                "Authorization": f"Bearer {key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": f"batch_issuer/{__version__}",
            },
            transport=transport,
            # Each request stands for itself, and nothing of this machine is added: no cookie, no password of a netrc
            # file. The transport has the time limits and knows the system's proxies.
            timeout=None,  # noqa: S113 - the transport's
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
        )
        # They would write addresses and headers, and with them references and the key, wherever somebody logs.
        for name in ("httpx", "aiohttp.client", "aiohttp.internal"):
            logging.getLogger(name).disabled = True

    def __repr__(self) -> str:
        return f"Client({self.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def issue(self, doc_type: str, external_ref: str, body: bytes) -> Reply:
        """`POST /invoice`, `/credit-memo` or `/suex`, as the type demands."""
        said = await self._send("POST", issue_path(doc_type), body)
        return _read(said, external_ref, confirmed=False) if isinstance(said, Mapping) else said

    async def ask(self, doc_type: str, external_ref: str, document_id: str = "") -> Reply:
        """Ask the type's status route what became of a document, by the provider's own id where one is given."""
        said = await self._question(status_path(doc_type, document_id or external_ref))
        return _read(said, external_ref, confirmed=True) if isinstance(said, Mapping) else said

    async def ask_content(self, doc_type: str, external_ref: str) -> tuple[Reply, Mapping[str, Any] | None]:
        """Ask what became of a document, and for the signed one where the provider has it (provider.md 11)."""
        said = await self._question(f"{status_path(doc_type, external_ref)}?include_dte=1")
        if not isinstance(said, Mapping):
            return said, None
        return _read(said, external_ref, confirmed=True), document_in(said)

    async def ask_memo(self, memo_id: str) -> Reply:
        """Ask what became of a credit note of which only the provider's id is known."""
        said = await self._send("GET", status_path("05", memo_id))
        return _read(said, str(said.get("external_ref") or ""), confirmed=True) if isinstance(said, Mapping) else said

    async def cancel(self, record: Record, *, by_reference: bool = False) -> CancelReply:
        """`POST /invalidate/…`, without a body. Missing: the provider has no such document, and nothing was done."""
        said = await self._send("POST", cancel_path(record.doc_type, _name_of(record, by_reference)))
        if isinstance(said, Mapping):
            return _read_cancellation(said, record)
        if isinstance(said, Uncertain) and said.answer.http_status == httpx.codes.NOT_FOUND:
            return Missing(detail=said.answer.detail)
        return said

    async def ask_cancellation(self, record: Record, *, by_reference: bool = False) -> CancelReply:
        """`GET /invalidate/status/…`: what became of an invalidation. Missing: there is none. Never invalidates."""
        said = await self._question(cancel_status_path(record.doc_type, _name_of(record, by_reference)))
        if not isinstance(said, Mapping):
            return said
        reply = _read_cancellation(said, record)
        return Missing() if reply.reason is Reason.NOT_REGISTERED else reply

    async def look_up(self, id_or_ref: str) -> Reply:
        """`GET /status/{id_or_ref}` of a sale that may be of another program: how it stands, and what it comes to."""
        said = await self._question(status_path("03", id_or_ref))
        return _read(said, wire.named(said, id_or_ref), confirmed=True) if isinstance(said, Mapping) else said

    async def sign_of_life(self, reference: str) -> Sign | NeverLeft | Uncertain | Withheld:
        """Ask once about a reference that nobody has, and read what the answer tells beside its 404."""
        received = await self._receive("GET", status_path("01", reference))
        if not isinstance(received, _Received):
            return received
        limit, left = "x-ratelimit-limit", "x-ratelimit-remaining"
        moment: dt.datetime | None = None
        with suppress(ValueError):
            moment = parsedate_to_datetime(received.headers.get("date", ""))
        return Sign(
            status=received.status,
            detail=wire.read_answer(wire.decode(received.content), received.status).detail,
            moment=moment,
            per_minute=count_in(received.headers, f"{limit}-minute"),
            per_hour=count_in(received.headers, f"{limit}-hour"),
            left_minute=count_in(received.headers, f"{left}-minute"),
            left_hour=count_in(received.headers, f"{left}-hour"),
        )

    async def download(self, record: Record, kind: str, *, by_reference: bool = False) -> FileReply:
        """`GET /file/…`: one of `files.KINDS`. Missing: not there, for the reason that its detail says."""
        return await self._fetch(file_path(_name_of(record, by_reference), kind))

    async def catalog(self, path: str) -> object:
        """Fetch the JSON of a live catalog, of whatever shape; None where it cannot be had at once."""
        if (ticket := self.quota.spare()) is None:
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
        """Fetch `ambiente` of a stamped document's signed JSON: "00" test, "01" production; or empty."""
        file = await self._fetch(file_path(external_ref, JSON))
        signed = read_signed(file.content) if isinstance(file, Fetched) else None
        return signed.environment if signed is not None else ""

    async def _fetch(self, path: str) -> FileReply:
        received = await self._receive("GET", path, accept="*/*")
        if not isinstance(received, _Received):
            return received
        if received.status == httpx.codes.OK:
            return Fetched(content=received.content, media_type=received.headers.get("content-type", ""))
        return self._meaning(received, wire.decode(received.content), asked=True)

    async def _send(self, method: str, path: str, body: bytes = b"") -> Mapping[str, Any] | Otherwise:
        """Send one request; return the JSON of a readable 200, or what else came of it."""
        received = await self._receive(method, path, body)
        if not isinstance(received, _Received):
            return received
        plain = wire.decode(received.content)
        if received.status in _ANSWERED and plain is not None:
            return plain
        return self._meaning(received, plain, asked=method == "GET")

    async def _question(self, path: str) -> Mapping[str, Any] | Otherwise:
        """Ask something. A 400 to a question says nothing of a document: none was refused by it."""
        said = await self._send("GET", path)
        return Uncertain(reason=Reason.UNEXPECTED_STATUS, answer=said.answer) if isinstance(said, Refused) else said

    def _meaning(self, received: _Received, plain: Mapping[str, Any] | None, *, asked: bool) -> Otherwise:
        """Say what an answer other than a readable 200 means (provider.md 15b); a 429 holds everybody back."""
        answer = wire.read_answer(plain, received.status)
        match received.status:
            case 200:
                words = wire.remove_keys(received.content[:200].decode("utf-8", "replace"))
                return Uncertain(reason=Reason.NOT_UNDERSTOOD, answer=answer, detail=words)
            case 400:
                return Refused(answer=answer)
            case 401:
                return KeyRefused(detail=answer.detail)
            case 404 if asked:
                return Missing(detail=answer.detail)
            case 409:
                return Uncertain(reason=Reason.CONFLICT, answer=answer)
            case 429:
                return SlowDown(seconds=self.quota.refused(received.headers))
            case status if status >= httpx.codes.INTERNAL_SERVER_ERROR:
                return Uncertain(reason=Reason.SERVER_ERROR, answer=answer)
            case _:
                return Uncertain(reason=Reason.UNEXPECTED_STATUS, answer=answer)

    async def _receive(
        self, method: str, path: str, body: bytes = b"", *, accept: str = ""
    ) -> _Received | Withheld | NeverLeft | Uncertain:
        """Send one request once the quota lets it go, and return the answer as it came.

        What is not known to have failed before its first byte left may have arrived.
        """
        ticket = await self.quota.wait()
        if ticket is None:
            return Withheld()
        try:
            status, headers, content = await self._exchange(method, path, body, accept)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            self.quota.lost(ticket, arrived=False)
            return NeverLeft(detail=_describe(error))
        except httpx.HTTPError as error:
            self.quota.lost(ticket, arrived=True)
            reason = Reason.READ_TIMEOUT if isinstance(error, httpx.TimeoutException) else Reason.LOST_ANSWER
            return Uncertain(reason=reason, detail=_describe(error))
        self.quota.learn(ticket, headers)
        return _Received(status=status, headers=headers, content=content)

    async def _exchange(
        self, method: str, path: str, body: bytes, accept: str = ""
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request and read its whole answer."""
        headers = {"Content-Type": "application/json"} if body else {}
        if accept:
            headers["Accept"] = accept
        request = self._http.build_request(method, path, content=body or None, headers=headers)
        response = await self._http.send(request, stream=True)
        content = bytearray()
        try:
            # `identity` was asked for; what is encoded all the same httpx decodes.
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise httpx.ReadError("the answer is too large")
        finally:
            await response.aclose()
        return response.status_code, dict(response.headers.items()), bytes(content)


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
    """Return the provider's own id where we have one: it travels in every path, and is like no route."""
    return record.external_ref if by_reference else record.answer.document_id or record.external_ref


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


def _describe(error: Exception) -> str:
    return wire.remove_keys(f"{type(error).__name__}: {error}")[:300]
