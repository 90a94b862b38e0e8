"""The sandbox on its socket: listening, closing, and passing each request to the exchange or to the control plane."""

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
from batch_issuer.sandbox.control import CONTROL_PATH, control
from batch_issuer.sandbox.faults import Fault
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.routing import BASE_PATH
from batch_issuer.sandbox.stand_in import StandIn

_MOST_WAITING_CONNECTIONS = 1024
_SHUTDOWN_SECONDS = 2.0


class Sandbox(StandIn):
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
        super().__init__(options or SandboxOptions(), faults=faults, clock=clock, close_for=self._close_for)
        self._state = state
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None
        self._reopening: asyncio.TimerHandle | None = None
        self._address = ("127.0.0.1", 0)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the base URL. Port 0 takes a free one.

        Raises `CannotStart` for an address that is taken and for a state file that cannot be used.
        """
        try:
            if self._state is not None:
                self._store.keep(self._state)
        except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            raise CannotStart(
                N_("The sandbox's state file {path} cannot be used: {reason}."),
                repair=N_("Choose another file, or delete this one to begin anew."),
                path=self._state,
                reason=str(error),
            ) from error
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

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        # Orders are no requests of a client: they need no key, use no quota, meet no fault and are not counted.
        if request.raw_path == "/" or request.raw_path.startswith(CONTROL_PATH):
            return wire.respond(await control(self, request), ())
        return await self._exchange.serve(request)

    async def _listen(self) -> None:
        """Open the socket, at first and after a time of being closed. Raises `CannotStart`."""
        if self._server is None:  # stopped, while it was closed to order
            return
        host, port = self._address
        try:
            # `reuse_address`: one that was stopped can be started again at once on its port.
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
        """Drop every connection, and listen again after some seconds."""
        if self._listener is not None:
            self._listener.close()
        for connection in self._server.connections if self._server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()
        loop = asyncio.get_running_loop()
        self._reopening = loop.call_later(seconds, lambda: loop.create_task(self._listen()))
