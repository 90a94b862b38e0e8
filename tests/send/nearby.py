"""The sandbox without a socket: its exchange answers in the client's own event loop, with every fault and every doubt.

For tests whose subject is what the sender makes of an answer. Whether a request can have left this machine is asked
over real sockets in `tests/provider`, and whole runs are in `tests/cli` and `tests/promises`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import httpx
from aiohttp import web

from batch_issuer.provider.client import Client, open_client
from batch_issuer.provider.quota import Quota
from batch_issuer.sandbox import Fault, Running, Sandbox, SandboxOptions, parse_fault
from batch_issuer.sandbox.hosting import Answered

ADDRESS = "http://127.0.0.1:1/api/connect"


class Nearby(Running):
    """A sandbox that is asked without a socket; otherwise what `running` gives."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._exchange = sandbox._exchange
        self._exchange.base_url = ADDRESS
        self._exchange._close_for = self._close_for
        self._closed_until = 0.0

    def open(self, base_url: str, key: str, *, concurrency: int, quota: Quota) -> Client:
        """A client of this provider; any other address is reached over sockets as ever."""
        if base_url != ADDRESS:
            return open_client(base_url, key, concurrency=concurrency, quota=quota)
        return Client(base_url, key, quota=quota, transport=httpx.MockTransport(self.reply))

    async def reply(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request, or the error of one whose connection was cut or never made."""
        if time.monotonic() < self._closed_until:
            raise httpx.ConnectError("closed", request=request)
        asked = _Asked(request, await request.aread())
        answered = await self._exchange.serve(cast("web.BaseRequest", asked))
        if asked.is_cut:
            raise httpx.ReadError("cut", request=request)
        assert isinstance(answered, web.Response)
        body = answered.body
        assert isinstance(body, bytes)
        return httpx.Response(answered.status, headers=list(answered.headers.items()), content=body)

    def post(self, path: str) -> httpx.Response:
        """What another program with the same key sends."""
        request = httpx.Request("POST", ADDRESS + path, headers={"Authorization": f"Bearer {self.key}"})
        answered = asyncio.run(self.reply(request))
        answered.request = request
        return answered

    def _close_for(self, seconds: float) -> None:
        self._closed_until = time.monotonic() + seconds

    def _ask(self, question: Callable[[], Answered]) -> Answered:
        return question()


class _Asked:
    """As much of an aiohttp request as the exchange looks at."""

    def __init__(self, request: httpx.Request, body: bytes) -> None:
        self.method = request.method
        self.raw_path = request.url.raw_path.decode()
        self.headers = request.headers
        self.can_read_body = bool(body)
        self.is_cut = False
        self._body = body

    async def read(self) -> bytes:
        return self._body

    @property
    def transport(self) -> _Asked:
        return self

    def get_extra_info(self, _name: str) -> None:
        return None

    def abort(self) -> None:
        """A reset."""
        self.is_cut = True

    @property
    def _payload_writer(self) -> NoReturn:
        """Half an answer is never taken for the whole: it is as good as none."""
        self.is_cut = True
        raise ConnectionError


@contextmanager
def running(
    options: SandboxOptions | None = None,
    *,
    faults: Iterable[Fault | str] = (),
    clock: Callable[[], float] = time.time,
) -> Iterator[Nearby]:
    """The same as `batch_issuer.sandbox.running`, without a socket and a thread."""
    parsed = [parse_fault(fault) if isinstance(fault, str) else fault for fault in faults]
    yield Nearby(Sandbox(options, faults=parsed, clock=clock))


def way_to(provider: Running) -> dict[str, Any]:
    """Arguments of a `Connection` to a provider, over sockets or without."""
    way: dict[str, Any] = {"base_url": provider.base_url, "key": provider.key}
    return way | ({"opener": provider.open} if isinstance(provider, Nearby) else {})
