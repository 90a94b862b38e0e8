"""Servers that answer with given bytes, or not at all, and a client that talks to them over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Self

from batch_issuer.provider.client import Client, Reply
from batch_issuer.provider.quota import Quota
from batch_issuer.provider.transport import Transport

BODY = b'{"external_ref":"R","lines":[]}'
GOOD = (
    b'{"success":true,"dte_success":true,"contingency":false,"rejected":false,"reception_stamp":"S","external_ref":"R"}'
)

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A socket that does one thing to every request, and counts the requests that reached it whole."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.requests = 0
        self.connections = 0
        self.head = b""
        """First line and headers of the last request."""
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not reader.at_eof():
                head = self.head = await reader.readuntil(b"\r\n\r\n")
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


def transport(patience: float = 10.0) -> Transport:
    """Connections that are given up after so many seconds without a sign of life."""
    return Transport(connections=4, connect_timeout=patience, read_timeout=patience, whole_timeout=60)


async def post(port: int, *, times: int = 1, patience: float = 10.0) -> list[Reply]:
    client = Client(f"http://127.0.0.1:{port}/api", "odt_xxx", quota=Quota(), transport=transport(patience))
    async with client:
        return [await client.issue("01", "R", BODY) for _ in range(times)]


async def ask(port: int) -> Reply:
    client = Client(f"http://127.0.0.1:{port}/api", "odt_xxx", quota=Quota(), transport=transport())
    async with client:
        return await client.ask("01", "R")


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
    await asyncio.Event().wait()


def one_reply(behave: Behaviour, patience: float = 10.0) -> tuple[Reply, int]:
    """What the client makes of one POST, and how many requests the server saw."""

    async def run() -> tuple[Reply, int]:
        async with Server(behave) as server:
            return (await post(server.port, patience=patience))[0], server.requests

    return asyncio.run(run())
