from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batch_issuer.sandbox import Running, SandboxOptions, running
from tests.promises.kill.shop import HEADINGS, KEY, ROOT, Nursery, Process, Shop, assert_books_agree, until, write_sales

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
SENTENCE = "Interrupted. The answers on their way were awaited and recorded; run again to go on."


@contextmanager
def issuing(folder: Path, nursery: Nursery, *faults: str, latency: float = 0.0) -> Iterator[tuple[Shop, Running]]:
    options = SandboxOptions(minute_limit=None, hour_limit=None, latency=latency)
    with running(options, faults=faults) as sandbox:
        yield Shop(folder, sandbox.base_url, write_sales(folder / "ventas.csv", 60), nursery=nursery), sandbox


def start(shop: Shop) -> Process:
    return shop.start("issue", "ventas.csv", "--json", "--concurrency", "4", fresh=False)


def finish(shop: Shop, sandbox: Running) -> None:
    """The next run sends what is left, and everybody's books agree."""
    done = shop.run("issue", "ventas.csv", "--json", fresh=False)
    assert (done.code, done.json["states"]["stamped"]) == (0, 60)
    assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])
    assert sandbox.requests().violations == ()
    assert {record.received for record in sandbox.documents()} == {1}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_signal_awaits_the_answers(tmp_path: Path, nursery: Nursery, number: signal.Signals, code: int) -> None:
    """They are recorded, the reports are written, nothing more is sent, and the next run goes on."""
    with issuing(tmp_path, nursery, latency=0.5) as (shop, sandbox):
        process = start(shop)
        until(lambda: len(sandbox.documents()) >= 8)
        process.signal(number)
        done = process.done()
        assert (done.code, done.json["exit_code"], done.json["error"]) == (code, code, SENTENCE)
        assert SENTENCE in done.err
        states = {ref: row["state"] for ref, row in shop.exported().items()}
        at_provider = {record.ref: record.standing.value for record in sandbox.documents()}
        assert 8 <= len(at_provider) < 24
        assert {ref: state for ref, state in states.items() if state != "planned"} == at_provider
        assert done.json["sent"] == done.json["states"]["stamped"] == len(at_provider)
        assert done.json["states"]["planned"] == 60 - len(at_provider)
        assert all((tmp_path / path).is_file() for path in done.json["reports"].values())
        sandbox.change(latency=0)
        finish(shop, sandbox)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, nursery: Nursery, second: signal.Signals) -> None:
    """Four answers are on their way and never come; every intent is in the ledger, and nothing is lost or repeated."""
    with issuing(tmp_path, nursery, "hang-after:route=invoice,after=5") as (shop, sandbox):
        process = start(shop)
        until(lambda: len(sandbox.documents()) == 9)
        process.signal(signal.SIGINT)
        assert process.poll() is None
        began = time.monotonic()
        while process.poll() is None:
            process.signal(second)
            time.sleep(0.05)
        assert time.monotonic() - began < 5
        assert process.poll() == 128 + second
        states = {ref: row["state"] for ref, row in shop.exported().items()}
        assert {states[record.ref] for record in sandbox.documents()} <= {"stamped", "sending"}
        assert list(states.values()).count("sending") >= 4
        sandbox.clear_faults()
        sandbox.release()
        finish(shop, sandbox)


def test_a_signal_after_another_reason_to_stop(tmp_path: Path, nursery: Nursery) -> None:
    """A run that is ending anyway, and waits for answers that never come, ends at the second signal too."""
    faults = ("hang-after:route=invoice,after=1,count=3", "error-before:route=invoice,status=401,after=4")
    with issuing(tmp_path, nursery, *faults) as (shop, sandbox):
        process = start(shop)
        until(lambda: len(sandbox.documents()) == 4 and sandbox.requests().count("invoice", 401))
        began = time.monotonic()
        while process.poll() is None:
            assert time.monotonic() - began < 10
            process.signal(signal.SIGINT)
            time.sleep(0.1)
        assert process.poll() == 130
        sandbox.clear_faults()
        sandbox.release()
        finish(shop, sandbox)


def test_a_signal_while_waiting_for_the_quota(tmp_path: Path, nursery: Nursery) -> None:
    """Nobody waits for the minute to end."""
    with issuing(tmp_path, nursery) as (shop, sandbox):
        sandbox.change(minute_limit=13, minute_seconds=600)
        process = start(shop)
        until(lambda: len(sandbox.documents()) == 10)
        process.signal(signal.SIGTERM)
        done = process.done(20)
        assert (done.code, done.json["states"]["stamped"], done.json["states"]["planned"]) == (143, 10, 50)
        sandbox.change(minute_limit=None)
        finish(shop, sandbox)


def test_a_signal_while_nobody_answers(tmp_path: Path, nursery: Nursery) -> None:
    """Pauses between tries end at once."""
    with issuing(tmp_path, nursery, "reset-before:route=*,after=8") as (shop, sandbox):
        process = start(shop)
        until(lambda: sandbox.requests().total > 10)
        process.signal(signal.SIGINT)
        assert process.done(20).code == 130
        sandbox.clear_faults()
        finish(shop, sandbox)


def reader(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """The program, reading a table from a pipe that stays open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "batch_issuer", *arguments],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "OCOTE_API_KEY": KEY, "BATCH_ISSUER_LANG": "en"},
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(f"{HEADINGS}\n".encode() + b"A-1,Caf\xc3\xa9,2,2.50\n" * 100_000)
    process.stdin.flush()  # more than any pipe holds: from here on it is reading
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("arguments", [("check", "-", "--json"), ("issue", "-", "--json")])
def test_a_signal_while_reading(tmp_path: Path, arguments: tuple[str, ...], number: signal.Signals, code: int) -> None:
    """A sentence, no traceback, no ledger."""
    process = reader(tmp_path, *arguments)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert json.loads(out)["exit_code"] == code
    told = ["Settings: none; everything goes by default.", "Interrupted. Nothing was on its way; run it again."]
    assert [line for line in err.decode().splitlines() if line] == told  # Ctrl-C leaves a line of its own
    assert list(tmp_path.iterdir()) == []


def test_a_signal_at_any_moment_of_a_check(tmp_path: Path, nursery: Nursery) -> None:
    """Wherever it was, in whatever library: the code, and never a traceback."""
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)  # noqa: T201 - shown with a failure
    chance = random.Random(seed)
    shop = Shop(
        tmp_path, "http://127.0.0.1:9/api/connect", write_sales(tmp_path / "ventas.csv", 20_000), nursery=nursery
    )
    codes = []
    for _ in range(8):
        process = shop.start("check", "ventas.csv", fresh=False)
        time.sleep(chance.uniform(0.05, 1))
        number = chance.choice([signal.SIGINT, signal.SIGTERM])
        process.signal(number)
        done = process.done()
        assert done.code in (0, 128 + number), done.err
        codes.append(done.code)
    assert codes.count(0) < len(codes)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_cancellation_that_is_broken_off_is_taken_up_by_asking(
    tmp_path: Path, nursery: Nursery, number: signal.Signals
) -> None:
    """Killed with the request on its way, or interrupted while others wait: asked for once each, all known in the end."""
    with issuing(tmp_path, nursery) as (shop, sandbox):
        assert shop.run("issue", "ventas.csv", "--limit", "6", fresh=False).code in (0, 1)
        references = sorted(record.ref for record in sandbox.documents())
        sandbox.order("hang-after:route=invalidate,after=1,count=2")
        process = shop.start("cancel", *references, "--yes", "--json", "--concurrency", "2", fresh=False)
        until(lambda: sum(record.standing.value == "cancelled" for record in sandbox.documents()) >= 3)
        process.signal(number)
        if number is signal.SIGKILL:
            until(lambda: process.poll() is not None)
        sandbox.clear_faults()
        sandbox.release()
        until(lambda: process.poll() is not None)
        assert process.poll() == (130 if number is signal.SIGINT else -signal.SIGKILL)
        cancelled = {record.ref for record in sandbox.documents() if record.standing.value == "cancelled"}
        assert len(cancelled) < len(references)
        known = {reference for reference, row in shop.exported().items() if row["state"] == "cancelled"}
        assert known == cancelled if number is signal.SIGINT else known < cancelled
        done = shop.run("cancel", *references, "--yes", "--json", fresh=False)
        assert (done.code, done.json["cancelled"]) == (0, len(references))
        requests = sandbox.requests()
        assert (requests.count("invalidate"), requests.violations) == (len(references), ())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_end_changes_nothing(number: signal.Signals) -> None:
    """What is done is done: the exit code is the command's, and there is no traceback."""
    late = f"import atexit, os; atexit.register(os.kill, os.getpid(), {int(number)})"
    code = f"{late}\nfrom batch_issuer.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"batch-issuer")
