"""Answers on the wire, whole or broken to order."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from batch_issuer.sandbox import answers
from batch_issuer.sandbox.answers import Answer
from batch_issuer.sandbox.faults import Fault, FaultKind

Headers = Iterable[tuple[str, str]]
_LINGER_ZERO = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_FLAGS = ("success", "dte_success", "contingency", "rejected")
_ONE_CENT = 0.01


def respond(answer: Answer, headers: Headers) -> web.Response:
    """Return the answer as aiohttp sends it."""
    fields = {"Content-Type": answer.media_type}
    fields.update(answer.headers)
    fields.update(headers)
    return web.Response(status=answer.status, body=answer.body, headers=fields)


async def reset(request: web.BaseRequest) -> web.Response:
    """Cut the connection so that the client sees a reset; the response that is returned goes nowhere."""
    transport = request.transport
    if transport is not None:
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            # Lingering for no time makes the kernel send RST; a plain close would send FIN, which is an empty answer.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        transport.abort()
        await asyncio.sleep(0)
    return web.Response()


async def truncate(request: web.BaseRequest, answer: Answer, headers: Headers) -> web.StreamResponse:
    """Promise the whole answer, send half of it, and close."""
    # One byte more than there is: an answer of one byte, cut in half, must not look whole either.
    fields = {"Content-Type": answer.media_type, "Content-Length": str(len(answer.body) + 1), **dict(headers)}
    response = web.StreamResponse(status=answer.status, headers=fields)
    try:
        await response.prepare(request)
        await response.write(answer.body[: len(answer.body) // 2])
    except ConnectionError:
        return web.Response()
    if request.transport is not None:
        request.transport.close()
    return response


def distorted(answer: Answer, struck: Iterable[Fault]) -> Answer:
    """Return the answer with what the faults put into its body."""
    orders = [fault for fault in struck if fault.kind in _DISTORTIONS]
    if not orders or answer.media_type != answers.JSON:
        return answer
    try:
        body = json.loads(answer.body)
    except ValueError:  # a signed document is no JSON, whatever its content type
        return answer
    if not isinstance(body, dict) or "document_id" not in body:
        return answer
    for fault in orders:
        _distort(body, fault)
    return answers.as_json(body, answer.status)


_DISTORTIONS = frozenset({FaultKind.FLAGS, FaultKind.NO_STAMP, FaultKind.CENT, FaultKind.STRANGER})


def _distort(body: dict[str, Any], fault: Fault) -> None:
    """Put into a body what one fault of `_DISTORTIONS` says."""
    match fault.kind:
        case FaultKind.FLAGS:
            body.update(zip(_FLAGS, (letter == "T" for letter in fault.flags), strict=True))
        case FaultKind.NO_STAMP:
            body["reception_stamp"] = ""
        case FaultKind.CENT:
            for name in ("amount_taxable", "amount_gross", "amount_total"):
                body[name] = round(body.get(name, 0) + _ONE_CENT, 2)
        case _:
            body["external_ref"] = f"OTHER-{body.get('external_ref', '')}"
            body["document_id"] = "00000000-0000-4000-8000-000000000000"
