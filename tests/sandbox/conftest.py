"""A sandbox per test, over a real socket, with a clock that only the test moves."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from batch_issuer.sandbox import Running, SandboxOptions, changed, running

NOON = 1_795_284_000.0
"""2026-11-21 18:00:00 UTC, noon in El Salvador."""


NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loopback needs no certificates, and loading them takes longer than a test."""


class Clock:
    """Seconds since 1970 that stand still until moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


class Till:
    """A client of the sandbox, as a shop's till would be."""

    def __init__(self, sandbox: Running, clock: Clock, key: str) -> None:
        self.sandbox = sandbox
        self.clock = clock
        headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.Client(base_url=sandbox.base_url, headers=headers, timeout=10, verify=NO_TLS)

    def issue(self, ref: str, price: object = 1, /, **fields: Any) -> dict[str, Any]:
        """The body of a 200 to a one-line document."""
        answer = self.post(ref, price, **fields)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def post(self, ref: str, price: object = 1, /, **fields: Any) -> httpx.Response:
        line = {"description": "Café", "quantity": 1, "unit_price": price}
        return self.http.post("/invoice", json={"external_ref": ref, "lines": [line]} | fields)

    def get(self, route: str, ref: str, **query: str) -> httpx.Response:
        return self.http.get(f"/{route}/{quote(ref, safe='')}", params=query)

    def status(self, ref: str) -> dict[str, Any]:
        answer = self.get("status", ref)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


Open = Callable[..., Till]


def until(condition: Callable[[], object], seconds: float = 5) -> None:
    """Ask again until it is so; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to pass"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_till(clock: Clock) -> Iterator[Open]:
    """Opens sandboxes with options by name, and closes them after the test."""
    with ExitStack() as stack:

        def open_one(*faults: str, state: Path | None = None, key: str = "", **options: object) -> Till:
            chosen = changed(SandboxOptions(), options)
            sandbox = stack.enter_context(running(chosen, faults=faults, state=state, clock=clock))
            till = Till(sandbox, clock, key or sandbox.key)
            stack.callback(till.http.close)
            return till

        yield open_one


@pytest.fixture
def till(open_till: Open) -> Till:
    """A sandbox as documented."""
    return open_till()
