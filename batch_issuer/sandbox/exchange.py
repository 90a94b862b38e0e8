"""One request and its answer: key, quota, faults, turns, and then the register."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from batch_issuer.sandbox import answers, routing, wire
from batch_issuer.sandbox.answers import Addresses, Answer
from batch_issuer.sandbox.api import Api
from batch_issuer.sandbox.faults import Fault, FaultKind, Faults
from batch_issuer.sandbox.keys import Account, account_of, presented_key
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.payload import Refused, parse_body
from batch_issuer.sandbox.quota import Quota
from batch_issuer.sandbox.register import Busy, Posting, Register
from batch_issuer.sandbox.routing import Call
from batch_issuer.sandbox.store import Standing
from batch_issuer.sandbox.traffic import LOST, Traffic

Headers = tuple[tuple[str, str], ...]
_NO_PAYLOAD: Mapping[str, Any] = {}
_NO_OUTAGE = (0.0, 503)
_AFTERWARDS = frozenset({FaultKind.HANG_AFTER, FaultKind.RESET_AFTER, FaultKind.ERROR_AFTER, FaultKind.HTML_AFTER})
"""What strikes when the document is registered already, and only the answer is missing."""


class Lost(Exception):  # noqa: N818 - ordered
    """The connection is to be reset instead of answered."""


class Page(Exception):  # noqa: N818 - ordered
    """A page is to stand in the place of the answer."""


class TooMany(Refused):
    """Refused with 429 and the headers that say for how long."""

    def __init__(self, detail: str, headers: Headers) -> None:
        super().__init__(429, detail)
        self.headers = headers


class Exchange:
    """Answers requests, many at once; POSTs of one reference take turns."""

    def __init__(
        self,
        register: Register,
        faults: Faults,
        *,
        clock: Callable[[], float],
        close_for: Callable[[float], None],
    ) -> None:
        self.faults = faults
        self.traffic = Traffic(clock())
        self.base_url = ""
        self._register = register
        self._api = Api(register)
        self._clock = clock
        self._close_for = close_for
        self._quotas: dict[str, Quota] = {}
        self._turns: dict[str, asyncio.Event] = {}
        self._released = asyncio.Event()
        self._outage = _NO_OUTAGE

    def release(self) -> None:
        """Let every hanging request go on."""
        self._released.set()  # wakes those that hang now; later ones wait for the next release
        self._released = asyncio.Event()

    def end_outage(self) -> None:
        """Answer again."""
        self._outage = _NO_OUTAGE

    def forget_quotas(self) -> None:
        """Begin every window anew."""
        self._quotas.clear()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, or cut its connection if so ordered."""
        call = routing.find(request.method, request.raw_path, self._options)
        self.traffic.enter(self._clock())
        status: int | str = LOST
        try:
            response = await self._exchange(request, call)
            status = response.status
        except Lost:
            response = await wire.reset(request)
        except ConnectionError:  # the client went away while it was sending
            response = web.Response()
        finally:
            self.traffic.leave(call.route, status)
        return response

    @property
    def _options(self) -> SandboxOptions:
        return self._register.options

    async def _exchange(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        """Answer one request after looking at its size, the outage, its key and the quota, in this order."""
        try:
            body = await request.read() if request.can_read_body else b""
        except web.HTTPRequestEntityTooLarge:
            return wire.respond(answers.refusal(Refused(413, "Request Entity Too Large"), self._options), ())
        authorization = request.headers.get("Authorization", "")
        key = presented_key(authorization, call.query.get("key", ""), self._options, download=call.route == "file")
        until, status = self._outage
        try:
            if self._clock() < until:
                raise Refused(status, "Servicio no disponible")
            # A key that is refused uses up no quota; whatever comes after it does, refused or not.
            account = account_of(key, self._options)
            taken = self._quota(key).take(self._clock())
            if taken.refused:
                self.traffic.refuse(taken.refused)
                raise TooMany(taken.detail, taken.headers)
        except TooMany as refused:
            return wire.respond(answers.refusal(refused, self._options), refused.headers)
        except Refused as refused:
            return wire.respond(answers.refusal(refused, self._options), self._quota(key).peek(self._clock()))
        return await self._admitted(request, call, _Work(account=account, key=key, body=body), taken.headers)

    def _quota(self, key: str) -> Quota:
        if key not in self._quotas:
            self._quotas[key] = Quota(self._options)
        return self._quotas[key]

    async def _admitted(
        self, request: web.BaseRequest, call: Call, work: _Work, headers: Headers
    ) -> web.StreamResponse:
        """Answer a request that has its key and its place in the quota, with the faults that strike it."""
        work.read(call, self._options)
        struck = self.faults.draw(call.route, work.ref)
        late = [fault for fault in struck if fault.kind in _AFTERWARDS]
        try:
            for fault in struck:
                if fault not in late:
                    await self._strike(fault, call, work)
            answer = wire.distorted(await self._answer(call, work), struck)
            for fault in late:
                await self._strike(fault, call, work)
        except Page:
            answer = Answer(body=answers.PAGE, media_type=answers.HTML)
        except TooMany as refused:
            answer, headers = answers.refusal(refused, self._options), headers + refused.headers
        except Refused as refused:
            answer = answers.refusal(refused, self._options)
        if any(fault.kind is FaultKind.TRUNCATE for fault in struck):
            return await wire.truncate(request, answer, headers)
        return wire.respond(answer, headers)

    async def _strike(self, fault: Fault, call: Call, work: _Work) -> None:
        """Let one fault strike; those that `wire` puts into the answer do nothing here.

        Raises `Lost`, `Page`, `TooMany` or `Refused`, where there is no answer then or another one.
        """
        match fault.kind:
            case FaultKind.DELAY:
                await asyncio.sleep(fault.seconds)
            case FaultKind.HANG_BEFORE | FaultKind.HANG_AFTER:
                await self._released.wait()
            case FaultKind.RESET_BEFORE | FaultKind.RESET_AFTER:
                raise Lost
            case FaultKind.ERROR_BEFORE | FaultKind.ERROR_AFTER:
                raise Refused(fault.status, "Error interno del servidor")
            case FaultKind.HTML_BEFORE | FaultKind.HTML_AFTER:
                raise Page
            case FaultKind.SLOW:
                self._register_slowly(call, work, fault.seconds)
                raise Lost
            case FaultKind.OUTAGE:
                self._outage = (self._clock() + fault.seconds, fault.status)
                raise Refused(fault.status, "Servicio no disponible")
            case FaultKind.CLOSED:
                self._close_for(fault.seconds)
                raise Lost
            case FaultKind.TOO_MANY:
                self.traffic.refuse("ordered")
                limit = self._options.minute_limit or 0
                wait = self._quota(work.key).rounded(fault.seconds)
                raise TooMany(f"Limite de {limit} requests por minuto excedido", (("Retry-After", wait),))

    async def _answer(self, call: Call, work: _Work) -> Answer:
        """Return what the provider answers when nothing goes wrong."""
        try:
            if call.refused is not None:
                raise call.refused
            if call.route in routing.ISSUING:
                return await self._issued(call, work)
            if self._options.read_latency:
                await asyncio.sleep(self._options.read_latency)
            match call.route:
                case "status" | "credit-memo-status" | "suex-status":
                    return self._api.status(call.route, work.account, call.ref, call.query, self._addresses(work))
                case "file":
                    return self._api.file(work.account, call.ref, call.query)
                case "invalidate" | "invalidate-suex":
                    return self._api.cancel(call.route, work.account, call.ref)
                case "invalidate-status" | "invalidate-suex-status":
                    return self._api.cancel_status(call.route, work.account, call.ref)
                case _:
                    return self._api.catalog(call.route, call.query)
        except Refused as refused:
            return answers.refusal(refused, self._options)

    async def _issued(self, call: Call, work: _Work) -> Answer:
        """Register a document when its turn has come, and ask the ministry about it. Raises `Refused`."""
        posting: Posting | None = None
        waited = False
        while posting is None:
            try:
                posting = self._register.register(call.route, work.account, work.payload, work.digest, waited=waited)
            except Busy as busy:
                waited = True
                turn = self._turns.get(busy.record.document_id)
                if turn is not None:
                    await turn.wait()
                elif busy.record.standing is Standing.PENDING:  # whoever registered it has gone: send it in its place
                    self._register.send(busy.record)
                else:
                    self._register.reveal(busy.record)
        record = posting.record
        if posting.to_send and self._options.latency:
            turn = self._turns[record.document_id] = asyncio.Event()
            try:
                await asyncio.sleep(self._options.latency)
                record = self._register.send(record)
            finally:
                del self._turns[record.document_id]
                turn.set()
        elif posting.to_send:
            record = self._register.send(record)
        addresses = self._addresses(work)
        return answers.as_json(answers.issued(record, self._options, addresses, duplicate=posting.duplicate))

    def _register_slowly(self, call: Call, work: _Work, seconds: float) -> None:
        """Register a document that appears only some seconds later: the client looks for it, and finds nothing."""
        if call.route not in routing.ISSUING:
            return
        try:
            posting = self._register.register(call.route, work.account, work.payload, work.digest)
        except (Refused, Busy):
            return
        record = self._register.send(posting.record) if posting.to_send else posting.record
        if not posting.record.sends:  # a document that was there before does not disappear
            self._register.hide(record, seconds)

    def _addresses(self, work: _Work) -> Addresses:
        """Return what the addresses of files in an answer are made of."""
        return Addresses(base=self.base_url, key=work.key if self._options.urls_with_key else "")


class _Work:
    """What a request brings along."""

    __slots__ = ("_payload", "account", "body", "key", "ref", "refused")

    def __init__(self, *, account: Account, key: str, body: bytes) -> None:
        self.account = account
        self.key = key
        self.body = body
        self.ref = ""
        self.refused: Refused | None = None
        self._payload = _NO_PAYLOAD

    def read(self, call: Call, options: SandboxOptions) -> None:
        """Look for the reference, in the path or in the body; a body that cannot be read is refused later."""
        self.ref = call.ref
        if call.route not in routing.ISSUING or call.refused is not None:
            return
        try:
            self._payload = parse_body(self.body, options)
        except Refused as refused:
            self.refused = refused
        ref = self._payload.get("external_ref")
        self.ref = ref if isinstance(ref, str) else ""

    @property
    def payload(self) -> Mapping[str, Any]:
        """Return the body. Raises `Refused` when it is not a JSON object."""
        if self.refused is not None:
            raise self.refused
        return self._payload

    @property
    def digest(self) -> str:
        """Return a digest of the body as it came."""
        return hashlib.blake2b(self.body, digest_size=16).hexdigest()
