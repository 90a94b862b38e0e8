from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.cli.desk import Desk, Open
from tests.promises.kill.shop import KEY, Done, Shop

FRAGMENT = KEY[4:24]
"""Enough of the key to be worth something."""


def assert_unseen(folder: Path, *done: Done) -> None:
    """The key is in nothing that was said and in no file, also inside workbooks."""
    for one in done:
        assert FRAGMENT not in one.out
        assert FRAGMENT not in one.err
    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        assert FRAGMENT.encode() not in file.read_bytes(), file
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    assert FRAGMENT.encode() not in archive.read(name), (file, name)


Answer = Callable[["Hostile", str, str], None]


class Hostile(BaseHTTPRequestHandler):
    """A provider, or whatever sits before it, that repeats the Authorization header wherever it can."""

    protocol_version = "HTTP/1.1"
    answers: Mapping[str, Answer]
    posted: set[str]
    asked = ""
    """Which of them every question gets; without it, the same as the document got."""

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name in the library
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.posted.add(body["external_ref"])
        self._answer(body["external_ref"], body["external_ref"])

    def do_GET(self) -> None:
        ref = unquote(self.path.partition("?")[0].rpartition("/")[2])
        if ref in self.posted or self.path.startswith("/api/connect/file"):
            self._answer(ref, self.asked or ref)
        else:
            self.give(404, {"detail": f"not found: {self.headers['Authorization']} at {self.path}"})

    def _answer(self, ref: str, name: str) -> None:
        said = f"refused: Authorization: {self.headers['Authorization']} at {self.path}?key={KEY}&x={ref}"
        self.answers[name if name in self.answers else "*"](self, ref, said)

    def give(self, status: int, body: Any, media_type: str = "application/json", **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def raw(self, content: str) -> None:
        """Bytes that are no answer, and the end of the connection."""
        self.wfile.write(content.encode())
        self.close_connection = True

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


def fields(ref: str, said: str, **more: Any) -> dict[str, Any]:
    """An answer with the key in every text."""
    texts = (
        "document_id", "control_number", "generation_code", "reception_stamp", "dte_state", "dte_message",
        "codigo_msg", "invoice_url", "pdf_url", "json_url",
    )  # fmt: skip
    return {
        "external_ref": ref, "success": True, **dict.fromkeys(texts, said), "observaciones": [said, {"msg": said}],
        "detail": {"error": said}, "dte": {"deep": [said]}, "amount_gross": said, "is_duplicate": said,
    } | more  # fmt: skip


STAMPED = {"dte_success": True, "contingency": False, "rejected": False}
REJECTED = {"success": False, "dte_success": False, "contingency": False, "rejected": True, "reception_stamp": ""}
CONTINGENCY = {"dte_success": False, "contingency": True, "rejected": False, "reception_stamp": ""}
ANSWERS: dict[str, Answer] = {
    "stamped": lambda to, ref, said: to.give(200, fields(ref, said, **STAMPED)),
    "rejected": lambda to, ref, said: to.give(200, fields(ref, said, **REJECTED)),
    "contingency": lambda to, ref, said: to.give(200, fields(ref, said, **CONTINGENCY)),
    "contradictory": lambda to, ref, said: to.give(200, fields(ref, said, **STAMPED | {"rejected": True})),
    "another": lambda to, _ref, said: to.give(200, fields(said, said, **STAMPED)),
    "text": lambda to, _ref, said: to.give(400, {"detail": said}),
    "list": lambda to, _ref, said: to.give(400, {"detail": [{"loc": [said], "msg": said}]}),
    "object": lambda to, _ref, said: to.give(400, {"detail": {"code": said, "message": said}}),
    "conflict": lambda to, _ref, said: to.give(409, {"error": said, "detail": said}),
    "crash": lambda to, _ref, said: to.give(500, {"detail": said, "trace": [said]}),
    "gateway": lambda to, _ref, said: to.give(502, f"<html><b>{said}</b></html>", "text/html"),
    "page": lambda to, _ref, said: to.give(200, f"<html>{said}{said}</html>", "text/html"),
    "not json": lambda to, _ref, said: to.give(200, f'{{"detail": "{said}'),
    "short": lambda to, _ref, said: to.raw(f"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{said}"),
    "no answer": lambda to, _ref, said: to.raw(f"{said}\r\n\r\n"),
    "bad header": lambda to, _ref, said: to.raw(f"HTTP/1.1 200 OK\r\nX-\x01{said}\r\n\r\n{said}"),
    "bad length": lambda to, _ref, said: to.raw(f"HTTP/1.1 200 OK\r\nContent-Length: {said}\r\n\r\n{said}"),
    "bad status": lambda to, _ref, said: to.raw(f"HTTP/1.1 {said}\r\n\r\n"),
    "reset": lambda to, _ref, _said: to.reset(),
}


@contextmanager
def hostile(answers: Mapping[str, Answer], asked: str = "") -> Iterator[str]:
    """Serve answers by reference; its base URL."""
    handler = type("Answering", (Hostile,), {"answers": answers, "asked": asked, "posted": set()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api/connect"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def everything(desk: Desk, *references: str) -> list[Done]:
    """Every command that tells of what happened."""
    commands = [
        ("check", "ventas.csv"), ("report",), ("report", "--from", "2020-01-01", "--out", "period"), ("ledger", "verify"),
        ("ledger", "export"), ("ledger", "export", "--format", "csv", "--out", "all.csv"),
        ("ledger", "export", "--format", "xlsx", "--out", "all.xlsx"),
        *(("ledger", "show", reference) for reference in references),
    ]  # fmt: skip
    copied = [desk.call("ledger", "backup", "copy.db")]
    return copied + [desk.call(*command, *more) for command in commands for more in ((), ("--json", "--lang", "es"))]


LOUD = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, format="%(name)s %(message)s", stream=sys.stderr)
import os
from dataclasses import replace
from pathlib import Path
from batch_issuer.cli.session import today
from batch_issuer.send.commands.issue import issue
from batch_issuer.send.commands.refresh import refresh
from batch_issuer.send.commands.retry import retry
from batch_issuer.send.run import Connection
from batch_issuer.plan.prepare import prepare
from batch_issuer.reading import read
from batch_issuer.send.courier import PATIENCE
from batch_issuer.settings import Company, Settings
from tests.invented_sales import Silent

hasty = replace(PATIENCE, first_pause=0.01, longest_pause=0.02, settling=0.01)
connection = Connection(base_url=sys.argv[1], key=os.environ["OCOTE_API_KEY"], patience=hasty)
about = dict(ledger_path=Path("ledger.db"), company=Company(), connection=connection, watcher=Silent())
print(issue(prepare(read(["ventas.csv"], Settings()), Settings(), today()), **about))
print(retry(**about))
print(refresh(**about))
"""


def test_answers_that_repeat_the_key_leave_no_trace_of_it(tmp_path: Path) -> None:
    """Whatever comes back and however broken, when asked about too, with every library talking at its loudest."""
    with hostile(ANSWERS) as url:
        desk = Desk(tmp_path, url)
        desk.write(*(f"{ref},Café,2,2.50" for ref in ANSWERS))
        shop = Shop(tmp_path, url, [], environment={"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"})
        loud = shop.run(url, wrapper=("-c", LOUD))
        assert loud.code == 0, loud.err
        assert "asyncio" in loud.err
        states = desk.states()
        assert (states["stamped"], states["rejected"], states["contingency"]) == ("stamped", "rejected", "contingency")
        assert {states[ref] for ref in ("text", "list", "object")} == {"invalid"}
        doubtful = set(ANSWERS) - {"stamped", "rejected", "contingency", "text", "list", "object"}
        assert {states[ref] for ref in doubtful} == {"unsure"}
        said = everything(desk, *ANSWERS)
    assert_unseen(tmp_path, loud, *said)
    assert any("odt_…" in done.out for done in said)


def test_commands_that_send_leave_no_trace_of_it(tmp_path: Path) -> None:
    """The same through the command line, where every question is answered with the key in every field."""
    with hostile(ANSWERS, asked="contingency") as url:
        desk = Desk(tmp_path, url)
        desk.write(*(f"{ref},Café,2,2.50" for ref in ANSWERS))
        done = [desk.call(*command) for command in (("issue", "ventas.csv", "--json"), ("retry",), ("refresh",))]
        assert [one.code for one in done] == [1, 1, 1]
        done += everything(desk)
        assert set(desk.states().values()) == {"stamped", "rejected", "contingency", "invalid"}
    assert_unseen(tmp_path, *done)


@pytest.mark.parametrize("status", [401, 302, 403, 422])
def test_a_refusal_of_everything_leaves_no_trace_of_it(tmp_path: Path, status: int) -> None:
    """A key that is refused out loud, and a redirection to an address that holds it."""

    def refuse(to: Hostile, _ref: str, said: str) -> None:
        code = 404 if to.command == "GET" and status != 401 else status
        to.give(code, {"detail": said}, Location=f"http://127.0.0.1:9/api/connect/?key={KEY}&x={KEY}")

    with hostile({"*": refuse}) as url:
        desk = Desk(tmp_path, url)
        desk.fill(1)
        done = [desk.call(*command, "--json") for command in (("issue", "ventas.csv"), ("retry",), ("refresh",))]
        assert [one.code for one in done[:2]] == ([1, 1] if status == 422 else [3, 3])
        done += everything(desk, "A-1")
    assert_unseen(tmp_path, *done)


def test_addresses_of_files_with_the_key_leave_no_trace_of_it(open_desk: Open) -> None:
    """As the provider's own answers may have them."""
    desk, _ = open_desk(urls_with_key=True, keys=f"{KEY}=tienda:00", error_shape="html", contingency_refs="A-2")
    done = [desk.call("issue", "ventas.csv", "--expect-environment", "test"), desk.call("refresh", "--json")]
    done += everything(desk, "A-1", "A-2")
    assert [one.code for one in done] == [0] * len(done), [one.err for one in done]
    assert_unseen(desk.folder, *done)


@pytest.mark.parametrize(
    "url",
    [
        f"https://ocote.io/api/connect?key={KEY}", f"https://user:{KEY}@ocote.io/api/connect", f"http://{KEY}.example",
        f"ftp://ocote.io/{KEY}", f"{KEY}", f"http://127.0.0.1:9/{KEY}",
    ],
)  # fmt: skip
def test_an_address_with_the_key_leaves_no_trace_of_it(tmp_path: Path, url: str) -> None:
    """Pasted from where it should not have been."""
    desk = Desk(tmp_path, url)
    desk.fill(1)
    done = [desk.call("issue", "ventas.csv", *more) for more in ((), ("--json",))]
    assert {one.code for one in done} <= {2, 3}
    assert_unseen(tmp_path, *done)


def test_a_key_file_leaves_no_trace_of_it(open_desk: Open, tmp_path: Path) -> None:
    """Read from the file that the settings name, whatever is wrong with it."""
    desk, _ = open_desk()
    desk.key = ""
    secret = tmp_path / "secret"
    secret.mkdir()
    (desk.folder / "batch-issuer.toml").write_text('[company]\nkey_file = "secret/key.txt"\n')
    done = []
    for content in (f"{KEY}\n", f"\ufeff{KEY}\r\n", f"{KEY} {KEY}", f"llave={KEY}", f"ñ{KEY}"):
        (secret / "key.txt").write_text(content, encoding="utf-8")
        done += [desk.call("issue", "ventas.csv"), desk.call("refresh", "--json")]
    assert [one.code for one in done] == [0, 0, 0, 0, 2, 2, 2, 2, 2, 2]
    (secret / "key.txt").unlink()
    assert_unseen(tmp_path, *done)


def test_the_demo_leaves_no_trace_of_a_key(tmp_path: Path) -> None:
    """It has one of its own, and does not touch that of whoever tries it."""
    desk = Desk(tmp_path, "")
    done = [desk.call("demo"), desk.call("demo", "--json", "--lang", "es")]
    assert [one.code for one in done] == [0, 0]
    assert_unseen(tmp_path, *done)


@pytest.mark.skipif(sys.platform == "win32", reason="/proc is Linux")
def test_the_key_is_never_an_argument(tmp_path: Path) -> None:
    """Nobody who lists processes sees it: there is no option that takes it."""
    desk = Desk(tmp_path, "http://127.0.0.1:9")
    for command in ("issue", "retry", "refresh"):
        shown = desk.call(command, "--help").out
        assert "--key" not in shown.replace("--new-key", "")
