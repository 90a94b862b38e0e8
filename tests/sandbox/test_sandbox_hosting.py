from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox import SAMPLE_KEY, Sandbox, SandboxOptions, running
from tests.sandbox.conftest import NO_TLS, Clock, Open, Till

ROOT = Path(__file__).parents[2]
SERVE = """
import pathlib, sys
from batch_issuer.sandbox import SandboxOptions, serve
state = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
serve(SandboxOptions(), "127.0.0.1", 0, lambda url: print(url, flush=True), state=state)
"""


def started(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def issue(url: str, ref: str) -> dict[str, Any]:
    line = {"description": "x", "quantity": 1, "unit_price": 1}
    headers = {"Authorization": f"Bearer {SAMPLE_KEY}"}
    answer = httpx.post(f"{url}/invoice", json={"external_ref": ref, "lines": [line]}, headers=headers, verify=NO_TLS)
    body: dict[str, Any] = answer.json()
    return body


def test_nothing_heavy_is_imported() -> None:
    """The sandbox starts without spreadsheets, clients or the rooms that it is there to test."""
    code = (
        "import sys, batch_issuer.sandbox as s; "
        "heavy = ('pandas', 'openpyxl', 'httpx', 'click', 'sqlalchemy', 'numpy'); "
        "print([name for name in heavy if name in sys.modules], "
        "[name for name in sys.modules if name.startswith('batch_issuer.') "
        "and name.split('.')[1] in ('provider', 'ledger', 'reading', 'rules', 'issuing')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert found.stdout.strip() == "[] []"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_announces_its_address_and_stops_cleanly(number: signal.Signals) -> None:
    """One line with the base URL; a signal ends it with exit code 0 and without a word."""
    with started() as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert issue(url, "A")["dte_success"]
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_sandbox_that_was_killed_has_its_documents_again(tmp_path: Path) -> None:
    """With a state file, a kill in the middle of writing loses neither documents nor the next number."""
    state = tmp_path / "state.jsonl"
    (first,) = _one_life(state, "A")
    state.write_text(state.read_text() + '{"record": {"ref": "half')
    again, other = _one_life(state, "A", "B")
    assert again == first | {"is_duplicate": True, **_addresses(again)}
    assert other["control_number"].endswith("2")
    assert other["document_id"] != first["document_id"]
    with running(state=state) as sandbox:
        assert [(record.ref, record.received) for record in sandbox.documents()] == [("A", 2), ("B", 1)]


def _one_life(state: Path, *refs: str) -> list[dict[str, Any]]:
    with started(str(state)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        bodies = [issue(url, ref) for ref in refs]
        process.kill()
        process.communicate()
    return bodies


def _addresses(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("ticket_url", "invoice_url", "json_url")}


def test_everything_about_a_document_survives(open_till: Open, tmp_path: Path) -> None:
    """What is loaded equals what was written, customers and invalidations included."""
    state = tmp_path / "deep" / "state.jsonl"
    till = open_till(state=state, contingency_refs="K", rejected_refs="R")
    customer = {"name": "Ana", "nit": "0614-050707-104-8", "type_contributor": 3}
    lines = [{"description": "ñ\u2028\x85", "quantity": 1.5, "unit_price": 33.3333, "discount_percentage": 5}]
    till.issue("A", customer=customer, lines=lines)
    for ref in ("K", "R", "X"):
        till.issue(ref)
    till.http.post("/invalidate/X")
    till.status("K")
    other = open_till(state=state)
    assert other.sandbox.documents() == till.sandbox.documents()
    assert other.sandbox.customers() == till.sandbox.customers()


def test_a_state_file_that_is_something_else_is_a_sentence(tmp_path: Path) -> None:
    """A folder, a sheet, or JSON of another kind is refused by name and left as it is."""
    contents = ('{"record": {"ref": "A"}}\n', "fecha;total\n1;2\n", "fecha;total", "[1]\n", "7\n")
    files = [tmp_path / f"other{number}" for number in range(len(contents))]
    for path, content in zip(files, contents, strict=True):
        path.write_text(content)
    for path in (tmp_path, *files):
        with pytest.raises(CannotStart, match="cannot be used"), running(state=path):
            pass
    assert [path.read_text() for path in files] == list(contents)


def test_a_port_in_use_is_a_sentence() -> None:
    """The address is named, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as caught, running(port=port):
            pass
    assert str(caught.value).startswith(f"The sandbox cannot listen on 127.0.0.1:{port}:")


def test_it_runs_in_a_loop_of_ones_own() -> None:
    """Asynchronous code starts and stops it without a thread."""

    async def live() -> int:
        sandbox = Sandbox(SandboxOptions(minute_limit=None))
        url = await sandbox.start()
        async with httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {SAMPLE_KEY}"}, verify=NO_TLS
        ) as client:
            line = {"description": "x", "quantity": 1, "unit_price": 1}
            bodies = [{"external_ref": f"R{number}", "lines": [line]} for number in range(20)]
            await asyncio.gather(*(client.post("/invoice", json=body) for body in bodies))
        await sandbox.stop()
        return len(sandbox.documents())

    assert asyncio.run(live()) == 20


def test_counts_tell_what_arrived_in_which_second(till: Till, clock: Clock) -> None:
    """Requests are counted by second of the sandbox's clock, by route and by status."""
    till.issue("A")
    clock.move(2)
    till.get("status", "A")
    till.get("status", "B")
    requests = till.sandbox.requests()
    assert requests.per_second == (1, 0, 2)
    assert (requests.posts(), requests.count("status"), requests.count("status", 404)) == (1, 2, 1)
    assert json.loads(json.dumps(requests.as_json()))["total"] == 3


def test_a_body_that_is_too_large_is_413(open_till: Open) -> None:
    """Nothing is registered, and the sandbox goes on."""
    till = open_till(max_body=2000)
    assert till.post("A", customer_name="x" * 3000).status_code == 413
    assert till.issue("B")["dte_success"]
