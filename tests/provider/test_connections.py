"""Whether a request can have left this machine: asked of every way in which a connection can break, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
from pathlib import Path

import httpx
import pytest

from batch_issuer.model.problems import CannotStart
from batch_issuer.model.states import State
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
    open_transport,
)
from batch_issuer.provider.quota import Quota
from tests.provider.sockets import (
    BODY,
    GOOD,
    Behaviour,
    Server,
    answering,
    ask,
    close,
    hang,
    one_reply,
    post,
    reset,
    response,
    transport,
)


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
        (answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Reason.LOST_ANSWER),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + GOOD), Reason.LOST_ANSWER),
        (answering(b"HTTP/1.1 200 OK\r\n\r\n" + GOOD[:-9], close=True), Reason.NOT_UNDERSTOOD),
        (answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, close=True), Reason.LOST_ANSWER),
        (answering(response(200, GOOD, "Content-Encoding: gzip")), Reason.LOST_ANSWER),
        (answering(response(200, GOOD, "Content-Encoding: unknown")[:-5], close=True), Reason.LOST_ANSWER),
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
    reply, requests = one_reply(behave, patience=0.3 if reason is Reason.READ_TIMEOUT else 10.0)
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


@pytest.mark.parametrize(
    "raw",
    [
        response(200, GOOD),
        response(201, GOOD),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + response(200, GOOD),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + GOOD,
        response(200, gzip.compress(GOOD), "Content-Encoding: gzip"),
        response(200, b"\xef\xbb\xbf" + GOOD),
        response(200, b"  " + GOOD + b"\r\n", "Content-Type: text/html"),
    ],
    ids=["plain", "created", "chunked", "1xx", "until it closes", "gzip", "byte order mark", "called a page"],
)
def test_an_answer_is_read_however_it_travels(raw: bytes) -> None:
    """Framing, compression and labels are the carrier's affair: a whole answer is believed."""
    reply, requests = one_reply(answering(raw, close=True))
    assert isinstance(reply, Found), reply
    assert (reply.state, requests) == (State.STAMPED, 1)


def test_a_connection_that_was_closed_in_peace_is_simply_made_anew() -> None:
    """A server that hangs up after every answer, without saying so, costs a connection and no doubt."""

    async def answer_and_hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200, GOOD))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async def run() -> tuple[list[Reply], Server]:
        async with Server(answer_and_hang_up) as server:
            client = Client(f"http://127.0.0.1:{server.port}/api", "odt_xxx", quota=Quota(), transport=transport())
            replies = []
            async with client:
                for _ in range(3):
                    replies.append(await client.issue("01", "R", BODY))
                    await hung_up.wait()
                    hung_up.clear()
                    for _ in range(20):  # until the end of the connection has arrived
                        await asyncio.sleep(0)
            return replies, server

    hung_up = asyncio.Event()
    replies, server = asyncio.run(run())
    assert all(isinstance(reply, Found) for reply in replies)
    assert (server.requests, server.connections) == (3, 3)


def test_nothing_leaves_where_no_connection_is_made() -> None:
    """A closed port and a name that does not exist: nothing can have arrived."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    assert isinstance(asyncio.run(post(closed))[0], NeverLeft)

    async def nowhere() -> Reply:
        client = Client("https://provider.invalid/api", "odt_xxx", quota=Quota(), transport=transport())
        async with client:
            return await client.issue("01", "R", BODY)

    assert isinstance(asyncio.run(nowhere()), NeverLeft)


def test_a_proxy_that_lets_nothing_through_gets_no_sale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tunnel is refused before it exists: only its address was told, and no password of this machine was added."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password of-theirs\n")
    netrc.chmod(0o600)

    async def run() -> tuple[Reply, bytes]:
        async with Server(answering(response(407, b"who are you?"), close=True)) as proxy:
            monkeypatch.setenv("NETRC", str(netrc))
            monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
            monkeypatch.setenv("no_proxy", "example.com")
            url = "https://provider.invalid/api"
            client = Client(url, "odt_xxx", quota=Quota(), transport=open_transport(url, 2))
            async with client:
                return await client.issue("01", "R", BODY), proxy.head

    reply, head = asyncio.run(run())
    assert isinstance(reply, NeverLeft)
    assert head.startswith(b"CONNECT provider.invalid:443 ")
    assert b"odt_xxx" not in head
    assert b"authorization" not in head.lower()


def test_this_machine_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key and the sales for a sandbox on this machine never take the way over another."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")

    async def run() -> Reply:
        async with Server(answering(response(200, GOOD))) as server:
            url = f"http://127.0.0.1:{server.port}/api"
            async with Client(url, "odt_xxx", quota=Quota(), transport=open_transport(url, 2)) as client:
                return await client.issue("01", "R", BODY)

    assert isinstance(asyncio.run(run()), Found)


def test_the_request_is_what_the_provider_documents() -> None:
    """The key travels in the header and nowhere else; the body says what it is."""

    async def run() -> bytes:
        async with Server(answering(response(200, GOOD))) as server:
            await post(server.port)
            return server.head

    head = asyncio.run(run())
    assert head.startswith(b"POST /api/invoice HTTP/1.1\r\n")
    assert b"\r\nauthorization: bearer odt_xxx\r\n" in head.lower()
    assert b"\r\ncontent-type: application/json\r\n" in head.lower()
    assert head.count(b"odt_xxx") == 1


def test_a_port_that_does_not_speak_tls_gets_no_request() -> None:
    """A handshake that fails ends before the first byte of a request."""

    async def run() -> tuple[Reply, int]:
        async with Server(answering(response(200, GOOD))) as server:
            client = Client(f"https://127.0.0.1:{server.port}/api", "odt_xxx", quota=Quota(), transport=transport(0.3))
            async with client:
                return await client.issue("01", "R", BODY), server.requests

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
        reply = asyncio.run(post(port, patience=0.3))[0]
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
    [
        ("Retry-After: 7", 7.0),
        ("retry-after: 0.5", 0.5),
        ("Retry-After: soon", 60.0),
        ("Retry-After: Sat, 21 Nov 2026 18:00:00 GMT", 60.0),
        ("X: y", 60.0),
        ("X-RateLimit-Reset: 12", 60.0),
    ],
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
        ("https://ocote.io/api?", False),
        ("https://ocote.io/api#top", False),
        ("https://ocote.io/api/#", False),
        ("https://user@ocote.io/api", False),
        ("http://127.0.0.2:80/api", True),
        ("http://LOCALHOST/api", True),
        ("http://localhost.example.com/api", False),
        ("http://localhost@ocote.io/api", False),
        ("http://[::2]/api", False),
        ("http://0.0.0.0/api", False),
        ("http://127.0.0.1:99999/api", False),
        ("https://[::1/api", False),
        ("https:///api", False),
        ("//ocote.io/api", False),
        ("https://ocote.io/a b", True),
        ("https://proveedor-ñandú.example/api", True),
        ("ftp://ocote.io/", False),
        ("ocote.io/api", False),
        ("", False),
        ("https://", False),
    ],
)
def test_only_addresses_that_keep_a_secret_are_taken(url: str, *, good: bool) -> None:
    """Https everywhere, http to this machine; no passwords, no queries; and the refusal repeats no secret."""
    if good:
        assert httpx.URL(check_base_url(url)) == httpx.URL(url.rstrip("/"))
        assert not check_base_url(url).endswith("/")
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
