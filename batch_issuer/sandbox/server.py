"""The sandbox on its socket, with what can be ordered of it and asked about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from aiohttp import web

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox import wire
from batch_issuer.sandbox.changes import changed
from batch_issuer.sandbox.control import CONTROL_PATH, control
from batch_issuer.sandbox.exchange import Exchange
from batch_issuer.sandbox.faults import Fault, Faults
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.register import Register
from batch_issuer.sandbox.routing import BASE_PATH
from batch_issuer.sandbox.store import Customer, Record, Store
from batch_issuer.sandbox.traffic import Requests

_AT_START = ("ref_case_sensitive", "shared_namespace", "first_number", "keepalive_seconds", "max_body", "seed")
_QUOTA = (
    "minute_limit", "hour_limit", "minute_seconds", "hour_seconds", "window", "reset_rounding", "hour_retry_after",
    "refused_count", "others_per_second",
)  # fmt: skip
_MOST_WAITING_CONNECTIONS = 1024
_SHUTDOWN_SECONDS = 2.0


class Sandbox:
    """A provider on a socket of this machine, in the running event loop.

    `state` names a file in which documents outlive the process. `clock` gives seconds since 1970; windows,
    contingencies and slow registrations follow it.
    """

    def __init__(
        self,
        options: SandboxOptions | None = None,
        *,
        faults: Iterable[Fault] = (),
        state: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        options = options or SandboxOptions()
        self._state = state
        self._store = Store(
            fold_case=not options.ref_case_sensitive, shared=options.shared_namespace, first_number=options.first_number
        )
        self._register = Register(options, self._store, clock)
        self._exchange = Exchange(
            self._register, Faults(faults, seed=options.seed), clock=clock, close_for=self._close_for
        )
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._reopening: asyncio.TimerHandle | None = None
        self._address = ("127.0.0.1", 0)

    @property
    def options(self) -> SandboxOptions:
        """The options in force."""
        return self._register.options

    @property
    def base_url(self) -> str:
        """What `--base-url` of a client takes; empty before the start."""
        return self._exchange.base_url

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and give the base URL. Port 0 takes a free one. Raises `CannotStart`."""
        if self._state is not None:
            self._load(self._state)
        loop, size = asyncio.get_running_loop(), self.options.max_body
        self._server = web.Server(
            self._serve,
            request_factory=partial(web.BaseRequest, loop=loop, client_max_size=size),
            access_log=None,
            keepalive_timeout=self.options.keepalive_seconds,
        )
        self._address = (host, port)
        await self._listen()
        shown = f"[{host}]" if ":" in host else host
        self._exchange.base_url = f"http://{shown}:{self._address[1]}{BASE_PATH}"
        return self.base_url

    async def stop(self) -> None:
        """Let every hanging request go, close connections, and close the state file."""
        if self._reopening is not None:
            self._reopening.cancel()
        self.release()
        if self._listener is not None:
            self._listener.close()
        if self._server is not None:
            self._server.pre_shutdown()
            await self._server.shutdown(_SHUTDOWN_SECONDS)
            self._server = None
        self._store.close()

    def documents(self) -> tuple[Record, ...]:
        """Everything registered, with what the provider's worker has done by now."""
        return tuple(self._register.settled(record) for record in tuple(self._store))

    def customers(self) -> list[Customer]:
        """The customers that the provider stores."""
        return self._store.customers()

    def order(self, *faults: Fault) -> None:
        """Order faults, behind those in force."""
        for fault in faults:
            self._exchange.faults.order(fault)

    def clear_faults(self) -> None:
        """Withdraw every fault and end an outage."""
        self._exchange.faults.clear()
        self._exchange.end_outage()

    def resolve(self, to: str = "stamped", refs: Iterable[str] = ("*",)) -> int:
        """Settle documents in contingency with references like these, `stamped` or `rejected`; how many there were."""
        return self._register.resolve(tuple(refs), to)

    def change(self, **changes: object) -> SandboxOptions:
        """Change options while it runs. Raises `CannotStart` for impossible ones."""
        options = changed(self.options, changes)
        differing = {name for name in (*_AT_START, *_QUOTA) if getattr(options, name) != getattr(self.options, name)}
        for name in differing.intersection(_AT_START):
            raise CannotStart(
                N_("The sandbox option {name} can only be chosen when it starts."),
                repair=N_("Stop the sandbox and start it with the option."),
                name=name,
            )
        if differing:
            self._exchange.forget_quotas()
        self._register.options = options
        return options

    def requests(self) -> Requests:
        """What came in so far."""
        faults = tuple((fault.text, struck) for fault, struck in self._exchange.faults.struck())
        return self._exchange.traffic.requests(faults, tuple(self._register.violations))

    def release(self) -> None:
        """Let every hanging request go on."""
        self._exchange.release()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.raw_path == "/" or request.raw_path.startswith(CONTROL_PATH):
            return wire.respond(await control(self, request), ())
        return await self._exchange.serve(request)

    def _load(self, state: Path) -> None:
        try:
            self._store.keep(state)
        except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            raise CannotStart(
                N_("The sandbox's state file {path} cannot be used: {reason}."),
                repair=N_("Choose another file, or delete this one to begin anew."),
                path=state,
                reason=str(error),
            ) from error

    async def _listen(self) -> None:
        if self._server is None:
            return
        host, port = self._address
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                self._server, host, port, backlog=_MOST_WAITING_CONNECTIONS, reuse_address=True
            )
        except OSError as error:
            raise CannotStart(
                N_("The sandbox cannot listen on {host}:{port}: {reason}."),
                repair=N_("Choose another port, or 0 for a free one."),
                host=host,
                port=port,
                reason=error.strerror or str(error),
            ) from error
        self._address = (host, self._listener.sockets[0].getsockname()[1])

    def _close_for(self, seconds: float) -> None:
        if self._listener is not None:
            self._listener.close()
        for connection in self._server.connections if self._server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()
        loop = asyncio.get_running_loop()
        self._reopening = loop.call_later(seconds, lambda: loop.create_task(self._listen()))
