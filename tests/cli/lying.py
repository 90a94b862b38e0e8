"""A provider that answers whatever a test says, over a real socket: for lies that the sandbox does not tell."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Reply = Callable[[str, str, dict[str, Any]], tuple[int, dict[str, Any]]]
"""Method, reference and body of a request; status and object of the answer."""


@dataclass
class Liar:
    """What came in, and how it is answered."""

    reply: Reply
    posted: list[dict[str, Any]] = field(default_factory=list)
    base_url: str = ""


def stamped(ref: str, number: int, gross: str, **more: Any) -> dict[str, Any]:
    """An answer that says stamped, with a code, a stamp and a number made of `number`."""
    return {
        "success": True, "dte_success": True, "contingency": False, "rejected": False, "posted": True,
        "is_duplicate": False, "external_ref": ref, "document_id": f"00000000-0000-4000-8000-{number:012d}",
        "control_number": f"DTE-01-M001P001-{number:015d}", "generation_code": f"0A{number:06d}-0000-4000-8000-000000000000",
        "reception_stamp": f"2026STAMP{number:08d}", "amount_gross": gross,
    } | more  # fmt: skip


@contextmanager
def lying(reply: Reply) -> Iterator[Liar]:
    """Serve until the block ends."""
    liar = Liar(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name in the library
            """Say nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
            liar.posted.append(body)
            self.answer("POST", body.get("external_ref", ""), body)

        def do_GET(self) -> None:
            self.answer("GET", unquote(self.path.partition("?")[0].rpartition("/")[2]), {})

        def answer(self, method: str, ref: str, body: dict[str, Any]) -> None:
            status, said = liar.reply(method, ref, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    liar.base_url = f"http://127.0.0.1:{server.server_port}/api/connect"
    try:
        yield liar
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


NOT_FOUND = (404, {"detail": "Documento no encontrado"})
