from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.verify import verify
from batch_issuer.ledger.writer import Writer
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.states import State
from tests.ledger.histories import COMPANY, answered, planned, reading, sending


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """The writer of a new run, inside a running event loop."""
    with (
        open_to_write(path, COMPANY, create=True) as ledger,
        Writer(partial(ledger.append, COMPANY, ledger.begin_run(COMPANY, "issue").run)) as writer,
    ):
        yield writer


def test_what_is_awaited_is_durable(tmp_path: Path) -> None:
    """Another connection sees it as soon as the future is done."""
    path = tmp_path / "ledger.db"

    async def write() -> None:
        with writing(path) as writer, reading(path) as reader:
            for number in range(20):
                await writer.append([planned(f"A-{number}"), sending(f"A-{number}")])
                seen = reader.record(COMPANY, f"A-{number}")
                assert seen is not None
                assert seen.state is State.SENDING

    asyncio.run(write())


def test_events_are_written_in_the_order_given(tmp_path: Path) -> None:
    """However many wait at once, and with nobody waiting for them."""
    path = tmp_path / "ledger.db"

    async def write() -> None:
        with writing(path) as writer:
            for number in range(300):
                writer.append([planned(f"A-{number}")])
                writer.append([sending(f"A-{number}"), answered(f"A-{number}")])

    asyncio.run(write())
    with reading(path) as ledger:
        _, *events = ledger.every_event()
        wanted = [(f"A-{number}", kind) for number in range(300) for kind in ("planned", "sending", "answered")]
        assert [(event.external_ref, event.kind) for event in events] == wanted
        assert verify(ledger).damages == ()


def test_many_appends_are_one_commit(tmp_path: Path) -> None:
    """While one is on its way to the disk the next ones gather: they share a moment."""
    path = tmp_path / "ledger.db"

    async def write() -> None:
        with writing(path) as writer:
            await asyncio.gather(*[writer.append([planned(f"A-{number}")]) for number in range(500)])

    asyncio.run(write())
    with reading(path) as ledger:
        assert len({event.at for event in ledger.every_event()}) < 250


def test_an_empty_append_is_done_too(tmp_path: Path) -> None:
    """Nobody waits for nothing."""

    async def write() -> None:
        with writing(tmp_path / "ledger.db") as writer:
            await asyncio.wait_for(writer.append([]), 10)

    asyncio.run(write())


def test_a_mistake_of_ours_fails_every_append(tmp_path: Path) -> None:
    """It is kept for the traceback, nobody waits for ever, and nothing more is written."""
    path = tmp_path / "ledger.db"

    async def write() -> None:
        with writing(path) as writer:
            await writer.append([planned("A-1")])
            for event in (sending("NEVER-PLANNED"), sending("A-1")):
                with pytest.raises(StoppedMidway, match="A bug of ours ended the run"):
                    await asyncio.wait_for(writer.append([event]), 10)
            assert isinstance(writer.bug, ValueError)

    asyncio.run(write())
    with reading(path) as ledger:
        record = ledger.record(COMPANY, "A-1")
        assert record is not None
        assert record.state is State.PLANNED
        assert verify(ledger).damages == ()


FULL = """
import asyncio, resource, sys
from functools import partial
from pathlib import Path
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.writer import Writer
from batch_issuer.model.problems import StoppedMidway
from tests.ledger.histories import planned

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def write():
    path = Path(sys.argv[1])
    with open_to_write(path, "default", create=True) as ledger:
        with Writer(partial(ledger.append, "default", ledger.begin_run("default", "issue").run)) as writer:
            room(path.stat().st_size + 30000)
            done = [await asyncio.gather(one(writer, 2 * number), one(writer, 2 * number + 1)) for number in range(100)]
            room(resource.RLIM_INFINITY)
            print(sum(sum(pair) for pair in done), writer.failed is not None, await one(writer, 1000))

async def one(writer, number):
    try:
        await writer.append([planned(f"A-{number}", "x" * 400)])
    except StoppedMidway:
        return False
    return True

asyncio.run(write())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_after_a_full_disk_nothing_more_is_written(tmp_path: Path) -> None:
    """What was said to be durable is there, what was not is not, and a later append fails although there is room."""
    path = tmp_path / "ledger.db"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    count, failed, later = done.stdout.split()
    assert (failed, later) == ("True", "False")
    with reading(path) as ledger:
        assert verify(ledger).damages == ()
        assert len(list(ledger.all_records())) == int(count)
        assert 0 < int(count) < 200


KILLED = """
import asyncio, os, signal, sys, threading, time
from functools import partial
from pathlib import Path
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.writer import Writer
from tests.ledger.histories import planned

def die(after):
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGKILL)

async def write():
    with open_to_write(Path(sys.argv[1]), "default", create=True) as ledger:
        with Writer(partial(ledger.append, "default", ledger.begin_run("default", "issue").run)) as writer:
            threading.Thread(target=die, args=[float(sys.argv[2])]).start()
            for number in range(10_000):
                await writer.append([planned(f"{number}-{part}", "x" * 400) for part in range(50)])
                print(number, flush=True)

asyncio.run(write())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("after", [0.02, 0.1, 0.2, 0.3])
def test_a_killed_run_leaves_what_was_said_to_be_durable_and_lets_go(tmp_path: Path, after: float) -> None:
    """A batch is there whole or not at all, and the next run gets the lock."""
    path = tmp_path / "ledger.db"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(after)], capture_output=True, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with open_to_write(path, COMPANY, create=False) as ledger:
        there = ledger.count_states(COMPANY).get(State.PLANNED, 0)
        assert there - 50 * len(killed.stdout.splitlines()) in (0, 50)
        assert verify(ledger).damages == ()
