"""An httpx transport over aiohttp, which tells exactly whether a request can have left this machine.

That distinction decides whether a document may be sent again, so it is made here by the types of errors, never by
their words; whatever is not known to have failed before the first byte counts as sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import lru_cache, partial
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from yarl import URL

_NEVER_LEFT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""Errors of making a connection: name, address, port, certificate, proxy."""


def system_proxy(url: str) -> str:
    """Return the proxy that this machine's settings name for an address; empty where there is none."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return ""
    proxy = getproxies().get(parts.scheme, "")
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


class Transport(httpx.AsyncBaseTransport):
    """As many connections as requests at once, kept open. Times are seconds; redirects are not followed.

    Raises `httpx.ConnectError` for what never left, `httpx.ReadTimeout` and `httpx.ReadError` for what may have.
    """

    def __init__(
        self, *, connections: int, connect_timeout: float, read_timeout: float, whole_timeout: float, proxy: str = ""
    ) -> None:
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=whole_timeout, sock_connect=connect_timeout, sock_read=read_timeout)
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, once, and give its answer as soon as the headers are there."""
        body = await request.aread()
        try:
            answer = await self._opened().request(
                request.method,
                _address(str(request.url)),
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=body or None,
                allow_redirects=False,
            )
        except _NEVER_LEFT as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except (aiohttp.ServerTimeoutError, TimeoutError) as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            raise httpx.ReadError(f"{type(error).__name__}: {error}", request=request) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer), request=request)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                proxy=self._proxy or None,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        return self._session


_address = lru_cache(maxsize=64)(partial(URL, encoded=True))
"""What was encoded stays so: a reference may be «..» or «a/b»."""


class _Body(httpx.AsyncByteStream):
    """The rest of an answer; what breaks off here had already been answered, so the request had arrived."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.content.iter_any():
                yield chunk
        except (aiohttp.ServerTimeoutError, TimeoutError) as error:
            raise httpx.ReadTimeout(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.ReadError(f"{type(error).__name__}: {error}") from error

    async def aclose(self) -> None:
        # A connection with half an answer left in it would give that to the next request.
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()
