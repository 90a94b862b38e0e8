"""Whether a request can have left this machine: asked of every way in which a connection can break, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Self

import httpx
import pytest

from batch_issuer.documents import State
from batch_issuer.problems import CannotStart
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
    check_base_url,
)
from batch_issuer.provider.quota import Quota
from batch_issuer.provider.transport import Transport

BODY = b'{"external_ref":"R","lines":[]}'
GOOD = (
    b'{"success":true,"dte_success":true,"contingency":false,"rejected":false,"reception_stamp":"S","external_ref":"R"}'
)

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A socket that does one thing to every connection, and counts the requests that reached it whole."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.requests = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not reader.at_eof():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.lower().split(b"\r\n")
                        if line.startswith(b"content-length")
                    ),
                    0,
                )
                await reader.readexactly(length)
                self.requests += 1
                await self.behave(reader, writer)
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def transport() -> Transport:
    return Transport(connections=4, connect_timeout=0.5, read_timeout=0.5, whole_timeout=5)


async def post(port: int, *, times: int = 1, host: str = "127.0.0.1") -> list[Reply]:
    client = Client(f"http://{host}:{port}/api", "odt_xxx", quota=Quota(), transport=transport())
    async with client:
        return [await client.issue("R", BODY) for _ in range(times)]


async def ask(port: int) -> Reply:
    client = Client(f"http://127.0.0.1:{port}/api", "odt_xxx", quota=Quota(), transport=transport())
    async with client:
        return await client.ask("R")


def answering(raw: bytes, *, close: bool = False) -> Behaviour:
    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if close:
            writer.close()

    return behave


def response(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    linger = socket.SO_LINGER
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, linger, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.close()


async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3)


def one_reply(behave: Behaviour) -> tuple[Reply, int]:
    async def run() -> tuple[Reply, int]:
        async with Server(behave) as server:
            return (await post(server.port))[0], server.requests

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (reset, Reason.LOST_ANSWER),
        (close, Reason.LOST_ANSWER),
        (hang, Reason.READ_TIMEOUT),
        (answering(b"HTTP/1.1 200 OK\r\nContent-", close=True), Reason.LOST_ANSWER),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + GOOD, close=True), Reason.LOST_ANSWER),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + GOOD), Reason.READ_TIMEOUT),
        (
            answering(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"suc\r\n', close=True),
            Reason.LOST_ANSWER,
        ),
        (answering(b"220 mail.example ESMTP\r\n", close=True), Reason.LOST_ANSWER),
        (answering(response(200, b"<html>ok</html>")), Reason.NOT_UNDERSTOOD),
        (answering(response(200, b"")), Reason.NOT_UNDERSTOOD),
        (answering(response(200, b"[1]")), Reason.NOT_UNDERSTOOD),
        (answering(response(307, b"", "Location: http://127.0.0.1:9/")), Reason.UNEXPECTED_STATUS),
        (answering(response(204)), Reason.UNEXPECTED_STATUS),
        (answering(response(403, b'{"detail":"no"}')), Reason.UNEXPECTED_STATUS),
        (answering(response(404, b'{"detail":"no"}')), Reason.UNEXPECTED_STATUS),
        (answering(response(409, b'{"detail":"no"}')), Reason.CONFLICT),
        (answering(response(422, b'{"detail":[{"msg":"no"}]}')), Reason.UNEXPECTED_STATUS),
        (answering(response(500, b"oops")), Reason.SERVER_ERROR),
        (answering(response(503, b"")), Reason.SERVER_ERROR),
    ],
)
def test_what_reached_the_provider_may_have_been_done(behave: Behaviour, reason: Reason) -> None:
    """Once the request has left, no failure is taken for one that did nothing; and it was sent exactly once."""
    reply, requests = one_reply(behave)
    assert isinstance(reply, Uncertain), reply
    assert reply.reason is reason
    assert requests == 1


def test_a_kept_connection_that_the_server_closes_is_not_sent_on_again_in_secret() -> None:
    """The second POST goes out on a connection that is dying: it may have arrived, so it is told and not repeated."""

    async def once_and_then_drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200, GOOD))
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")
        server.requests += 1
        await reset(reader, writer)

    async def run() -> list[Reply]:
        async with server:
            return await post(server.port, times=2)

    server = Server(once_and_then_drop)
    first, second = asyncio.run(run())
    assert isinstance(first, Found)
    assert first.state is State.STAMPED
    assert isinstance(second, Uncertain)
    assert server.requests == 2


def test_nothing_leaves_where_no_connection_is_made() -> None:
    """A closed port and a name that does not exist: nothing can have arrived."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    assert isinstance(asyncio.run(post(closed))[0], NeverLeft)


def test_a_port_that_does_not_speak_tls_gets_no_request() -> None:
    """A handshake that fails ends before the first byte of a request."""

    async def run() -> tuple[Reply, int]:
        async with Server(answering(response(200, GOOD))) as server:
            client = Client(f"https://127.0.0.1:{server.port}/api", "odt_xxx", quota=Quota(), transport=transport())
            async with client:
                return await client.issue("R", BODY), server.requests

    reply, requests = asyncio.run(run())
    assert isinstance(reply, NeverLeft)
    assert requests == 0


def test_a_full_backlog_is_a_connection_that_was_not_made() -> None:
    """A server that does not accept in time never saw the request."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        reply = asyncio.run(post(port))[0]
        for one in waiting:
            one.close()
    assert isinstance(reply, NeverLeft | Uncertain)
    if isinstance(reply, Uncertain):
        assert reply.reason is Reason.READ_TIMEOUT


def test_each_documented_status_has_its_meaning() -> None:
    """400 refuses the content, 401 the key, 429 the pace; 404 to a question means that there is no such document."""
    refused, _ = one_reply(answering(response(400, '{"detail":"Línea 1: descripción es requerida"}'.encode())))
    assert isinstance(refused, Refused)
    assert refused.answer.detail == "Línea 1: descripción es requerida"
    key, _ = one_reply(answering(response(401, b'{"detail":"API key invalida"}')))
    assert key == KeyRefused(detail="API key invalida")

    async def asked() -> Reply:
        async with Server(answering(response(404, b"<html>"))) as server:
            return await ask(server.port)

    assert asyncio.run(asked()) == Missing()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("Retry-After: 7", 7.0), ("Retry-After: 0.5", 0.5), ("Retry-After: soon", 60.0), ("X: y", 60.0)],
)
def test_429_says_how_long(header: str, seconds: float) -> None:
    """Exactly as long as the provider says; a minute where it does not."""
    reply, _ = one_reply(answering(response(429, b"{}", header)))
    assert reply == SlowDown(seconds=seconds)


def test_an_answer_without_end_is_not_swallowed() -> None:
    """Gigabytes that pretend to be an answer end the reading, not the memory."""

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            writer.write(b"x" * (1 << 20))
            await writer.drain()

    reply, _ = one_reply(flood)
    assert isinstance(reply, Uncertain)
    assert reply.reason is Reason.LOST_ANSWER


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://ocote.io/api/connect", True),
        ("https://ocote.io/api/connect/", True),
        ("http://127.0.0.1:8480/api", True),
        ("http://localhost/api", True),
        ("http://[::1]:8480/api", True),
        ("http://ocote.io/api/connect", False),
        ("http://127.0.0.1.example.com/", False),
        ("http://10.0.0.1/", False),
        ("https://user:secret@ocote.io/", False),
        ("https://ocote.io/?key=odt_secret", False),
        ("ftp://ocote.io/", False),
        ("ocote.io/api", False),
        ("", False),
        ("https://", False),
    ],
)
def test_only_addresses_that_keep_a_secret_are_taken(url: str, *, good: bool) -> None:
    """Https everywhere, http to this machine; no passwords, no queries; and the refusal repeats no secret."""
    if good:
        assert check_base_url(url) == url.rstrip("/")
        return
    with pytest.raises(CannotStart) as stopped:
        check_base_url(url)
    assert "secret" not in str(stopped.value)


def test_a_redirection_is_not_followed() -> None:
    """A POST that is sent on elsewhere would take the key and the sale with it."""

    async def run() -> int:
        async with Server(answering(response(200, GOOD))) as other:
            location = f"Location: http://127.0.0.1:{other.port}/"
            async with Server(answering(response(307, b"", location))) as server:
                await post(server.port)
            return other.requests

    assert asyncio.run(run()) == 0


def test_the_client_hides_its_key() -> None:
    """A client that is printed, in a traceback say, does not show the key."""
    client = Client(
        "http://127.0.0.1/", "odt_secret", quota=Quota(), transport=httpx.MockTransport(lambda _: httpx.Response(200))
    )
    assert "secret" not in repr(client)
