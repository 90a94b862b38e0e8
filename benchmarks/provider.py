"""A server that answers like the provider, fast: so that what is measured is the client. A process of its own.

`POST /invoice` answers after `--latency` with a stamp, or with `--contingency` a number only; `GET /status/{ref}` then
finds the stamp. With `--quota N --window SECONDS` it counts as the provider does, in a window of any length.
`GET /counted` says what was seen since the last time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import selectors
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Counted:
    """What was seen of requests that were let in, and how many were refused. Times are those of the loop."""

    requests: int = 0
    posts: int = 0
    refused: int = 0
    first: float = 0.0
    last: float = 0.0
    most_at_once: int = 0
    windows: list[int] = field(default_factory=list)
    """Requests let in, by window of the quota."""


class Provider:
    """What every connection shares."""

    def __init__(self, *, latency: float, contingency: bool, quota: int, window: float) -> None:
        self.latency = latency
        self.contingency = contingency
        self.quota = quota
        self.window = window
        self.counted = Counted()
        self.issued: set[str] = set()
        """References that came in: only these are found when they are asked about."""
        self.under_way = 0
        self._ends = 0.0
        self._left = 0

    def let_in(self, method: bytes, now: float) -> bool:
        """Count a request; False where the quota is used up. The time of sending begins with the first POST."""
        if self.quota:
            if now >= self._ends:
                self._ends, self._left = now + self.window, self.quota
                self.counted.windows.append(0)
            if not self._left:
                self.counted.refused += 1
                return False
            self._left -= 1
            if self.counted.windows:
                self.counted.windows[-1] += 1
        if method == b"POST" and not self.counted.posts:
            self.counted.first = now
        self.counted.first = self.counted.first or now
        self.counted.posts += method == b"POST"
        self.counted.requests += 1
        self.under_way += 1
        self.counted.most_at_once = max(self.counted.most_at_once, self.under_way)
        return True

    def quota_headers(self, now: float) -> bytes:
        if not self.quota:
            return b""
        reset = math.ceil(self._ends - now)
        return (
            f"X-RateLimit-Limit-Minute: {self.quota}\r\nX-RateLimit-Remaining-Minute: {self._left}\r\n"
            f"X-RateLimit-Limit-Hour: 5000\r\nX-RateLimit-Remaining-Hour: 4000\r\nX-RateLimit-Reset: {reset}\r\n"
        ).encode()

    def take_counted(self) -> bytes:
        counted, self.counted = self.counted, Counted()
        if not self.contingency:
            self.issued.clear()  # whoever is measured next has a ledger of its own
        return json.dumps(
            {
                "requests": counted.requests,
                "posts": counted.posts,
                "refused": counted.refused,
                "seconds": counted.last - counted.first,
                "most_at_once": counted.most_at_once,
                "windows": counted.windows,
            }
        ).encode()

    def answer(self, method: bytes, path: bytes, body: bytes) -> tuple[bytes, bytes]:
        if method == b"POST":
            said = json.loads(body)
            self.issued.add(said["external_ref"])
            return b"200 OK", _issued(said["external_ref"], _gross(said), stamped=not self.contingency)
        reference = path.partition(b"?")[0].rpartition(b"/")[2].decode()
        if reference not in self.issued and not reference.startswith("D"):  # those of ledgers made beforehand
            return b"404 Not Found", b'{"detail":"Documento no encontrado"}'
        return b"200 OK", _issued(reference, 0.0, stamped=True)


def _gross(said: dict[str, Any]) -> float:
    gross: float = sum(line["quantity"] * line["unit_price"] for line in said["lines"])
    return math.floor(gross * 100 + 0.5 + 1e-6) / 100


def _issued(reference: str, gross: float, *, stamped: bool) -> bytes:
    taxable = round(gross / 1.13, 2)
    amounts = (
        f'"amount_taxable":{taxable:.2f},"amount_vat":{gross - taxable:.2f},"amount_gross":{gross:.2f},'
        f'"amount_retention":0.00,"amount_total":{gross:.2f},'
        if gross
        else ""
    )
    stamp = f"2026{hash(reference) & 0xFFFFFFFFFFFFFFFF:036X}" if stamped else ""
    return (
        f'{{"success":true,"dte_success":{"true" if stamped else "false"},"contingency":'
        f'{"false" if stamped else "true"},"rejected":false,"posted":true,"is_duplicate":false,'
        f'"document_id":"{hash(reference) & 0xFFFFFFFFFFFF:024x}","external_ref":"{reference}",'
        f'"control_number":"DTE-01-M001P001-{hash(reference) % 10**15:015d}",'
        f'"generation_code":"{hash(reference) & 0xFFFFFFFF:08X}-1F2E-4A3B-8C9D-'
        f'{hash((reference, 1)) & 0xFFFFFFFFFFFF:012X}",'
        f'"reception_stamp":"{stamp}","dte_state":"{"PROCESADO" if stamped else ""}","dte_message":"RECIBIDO",'
        f'"codigo_msg":"001","observaciones":[],{amounts}'
        '"ticket_url":"https://provider.example/api/connect/file/1?type=ticket",'
        '"invoice_url":"https://provider.example/api/connect/file/1?type=pdf",'
        '"json_url":"https://provider.example/api/connect/file/1?type=json"}'
    ).encode()


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, as every client here sends them."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, mark, rest = self._received.partition(b"\r\n\r\n")
        if not mark:
            return
        _, _, length = head.lower().partition(b"content-length:")
        size = int(length.split(b"\r\n", 1)[0]) if length else 0
        if len(rest) >= size:
            self._received = b""
            method, path, _ = head.split(b" ", 2)
            self._asked(method, path, rest)

    def _asked(self, method: bytes, path: bytes, body: bytes) -> None:
        provider, now = self._provider, self._loop.time()
        if path == b"/counted":
            self._send(b"200 OK", b"", provider.take_counted())
        elif not provider.let_in(method, now):
            headers = b"Retry-After: 1\r\n" + provider.quota_headers(now)
            self._send(b"429 Too Many Requests", headers, b'{"detail":"Rate limit"}')
        elif provider.latency:
            self._loop.call_later(provider.latency, self._answer, method, path, body, provider.quota_headers(now))
        else:
            self._answer(method, path, body, provider.quota_headers(now))

    def _answer(self, method: bytes, path: bytes, body: bytes, headers: bytes) -> None:
        self._provider.under_way -= 1
        status, said = self._provider.answer(method, path, body)
        self._send(status, headers, said)
        self._provider.counted.last = self._loop.time()

    def _send(self, status: bytes, headers: bytes, body: bytes) -> None:
        if not self._transport.is_closing():
            length = str(len(body)).encode()
            self._transport.write(
                b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\n" + headers
                + b"Content-Length: " + length + b"\r\n\r\n" + body
            )  # fmt: skip


async def serve(provider: Provider) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Connection(provider), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--contingency", action="store_true")
    parser.add_argument("--quota", type=int, default=0, help="requests a window")
    parser.add_argument("--window", type=float, default=60.0, help="seconds")
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=_punctual if chosen.latency else None) as runner:
        runner.run(serve(Provider(**vars(chosen))))


def _punctual() -> asyncio.AbstractEventLoop:
    """A loop that wakes when an answer is due: with epoll it sleeps whole milliseconds, rounded up."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    main()
