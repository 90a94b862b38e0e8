from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from batch_issuer.documents import State
from batch_issuer.ledger.apart import Apart, Append, appending
from batch_issuer.ledger.export import backup
from batch_issuer.ledger.lock import Occupied, is_held
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.verify import verify
from batch_issuer.problems import StoppedMidway
from tests.ledger.histories import COMPANY, answered, planned, reading, sending

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the ledger is written in the same process")


@contextmanager
def appending_apart(path: Path) -> Iterator[tuple[Ledger, Append, int]]:
    """A ledger, how a new run appends to it, and the process that does."""
    before = children()
    with open_to_write(path, COMPANY, create=True) as ledger:
        apart = Apart(ledger, COMPANY, ledger.begin_run(COMPANY, "issue").run)
        try:
            (child,) = children() - before
            yield ledger, apart.append, child
        finally:
            apart.close()
        assert children() == before


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()}


def test_what_another_process_appended_is_there_when_it_says_so(tmp_path: Path) -> None:
    """The same events, the same chain, the same states, whichever process reads them."""
    path = tmp_path / "ledger.db"
    with appending_apart(path) as (ledger, append, _), reading(path) as reader:
        for number in range(30):
            append([planned(f"A-{number}"), sending(f"A-{number}")])
            for one in (ledger, reader):
                record = one.record(COMPANY, f"A-{number}")
                assert record is not None
                assert record.state is State.SENDING
            append([answered(f"A-{number}")])
        assert verify(ledger).damages == ()
        assert ledger.count_states(COMPANY) == {State.STAMPED: 30}


def test_both_processes_may_append_in_turn(tmp_path: Path) -> None:
    """What one of them knew of a document is forgotten when the other has written of it."""
    path = tmp_path / "ledger.db"
    with open_to_write(path, COMPANY, create=True) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("A-1"), planned("A-2")])
        apart = Apart(ledger, COMPANY, run)
        apart.append([sending("A-1"), answered("A-1"), sending("A-2")])
        apart.close()
        ledger.append(COMPANY, run, [answered("A-2")])
        assert verify(ledger).damages == ()
        assert ledger.count_states(COMPANY) == {State.STAMPED: 2}


def test_what_goes_wrong_there_is_raised_here(tmp_path: Path) -> None:
    """A mistake of ours with its traceback; nothing of that append is written, and the next one is."""
    path = tmp_path / "ledger.db"
    with appending_apart(path) as (ledger, append, _):
        append([planned("A-1")])
        with pytest.raises(ValueError, match="never planned") as raised:
            append([sending("A-1"), sending("NEVER-PLANNED")])
        assert "_folded" in raised.value.__notes__[0]
        append([sending("A-1")])
        assert ledger.count_states(COMPANY) == {State.SENDING: 1}
        assert verify(ledger).damages == ()


FULL = """
import resource, signal, sys
from pathlib import Path
from batch_issuer.ledger.apart import appending
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.problems import StoppedMidway
from tests.ledger.histories import planned

path = Path(sys.argv[1])
with open_to_write(path, "default", create=True) as ledger:
    run = ledger.begin_run("default", "issue").run
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 30000, resource.RLIM_INFINITY))
    done = 0
    with appending(ledger, "default", run, apart=True) as append:
        try:
            for number in range(200):
                append([planned(f"A-{number}", "x" * 400)])
                done += 1
        except StoppedMidway as stop:
            print(done, stop.message)
"""


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """What was said to be durable is there, and nothing else."""
    path = tmp_path / "ledger.db"
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    count, _, said = done.stdout.partition(" ")
    assert said.startswith("The ledger {path} could not be written")
    with reading(path) as ledger:
        assert verify(ledger).damages == ()
        assert len(list(ledger.all_records())) == int(count)
        assert 0 < int(count) < 200


def test_when_it_is_killed_the_run_stops(tmp_path: Path) -> None:
    """Nothing more counts as written, and what counted before is there."""
    path = tmp_path / "ledger.db"
    with appending_apart(path) as (ledger, append, child):
        append([planned("A-1")])
        os.kill(child, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(StoppedMidway, match="was ended by somebody"):
                append([planned("A-2")])
        assert verify(ledger).damages == ()
        assert ledger.count_states(COMPANY) == {State.PLANNED: 1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_of_the_whole_group_do_not_end_it(tmp_path: Path, number: signal.Signals) -> None:
    """Answers that are awaited after an interruption are recorded."""
    with appending_apart(tmp_path / "ledger.db") as (ledger, append, child):
        append([planned("A-1")])
        os.kill(child, number)
        append([sending("A-1")])
        assert ledger.count_states(COMPANY) == {State.SENDING: 1}


KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
from batch_issuer.ledger.apart import appending
from batch_issuer.ledger.opening import open_to_write
from tests.ledger.histories import planned

def die(after):
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGKILL)

with open_to_write(Path(sys.argv[1]), "default", create=True) as ledger:
    with appending(ledger, "default", ledger.begin_run("default", "issue").run, apart=True) as append:
        threading.Thread(target=die, args=[float(sys.argv[2])]).start()
        for number in range(10_000):
            append([planned(f"{number}-{part}", "x" * 400) for part in range(50)])
            print(number, flush=True)
"""


@pytest.mark.parametrize("after", [0.02, 0.05, 0.1, 0.15, 0.2, 0.3])
def test_when_the_run_is_killed_it_finishes_and_lets_go(tmp_path: Path, after: float) -> None:
    """A batch is there whole or not at all, nothing comes after the lock is free, and the next run gets it."""
    path = tmp_path / "ledger.db"
    said = tmp_path / "said"
    with said.open("w", encoding="ascii") as file:
        killed = subprocess.run([sys.executable, "-c", KILLED, str(path), str(after)], stdout=file, check=False)
    assert killed.returncode == -signal.SIGKILL
    wait_for_lock(path)
    with open_to_write(path, COMPANY, create=False) as ledger:
        before = ledger.count_states(COMPANY).get(State.PLANNED, 0)
        assert before in {50 * len(said.read_text(encoding="ascii").splitlines()) + more for more in (0, 50)}
        time.sleep(0.1)
        assert ledger.count_states(COMPANY).get(State.PLANNED, 0) == before
        assert verify(ledger).damages == ()


def wait_for_lock(path: Path) -> None:
    """However slow the machine is, the last commit ends some time."""
    for _ in range(1000):
        if not is_held(path, COMPANY)[0]:
            return
        time.sleep(0.02)


STOPPED = """
import os, signal, sys
from pathlib import Path
from batch_issuer.ledger.apart import appending
from batch_issuer.ledger.opening import open_to_write
from tests.ledger.histories import planned

with open_to_write(Path(sys.argv[1]), "default", create=True) as ledger:
    with appending(ledger, "default", ledger.begin_run("default", "issue").run, apart=True) as append:
        append([planned("A-1")])
        (child,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        os.kill(int(child), signal.SIGSTOP)
        print(child, flush=True)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        append([planned("A-2")])
"""


def test_the_lock_is_held_until_the_last_commit_however_long_it_takes(tmp_path: Path) -> None:
    """A run that was killed lets no other in while a process of it may still write."""
    path = tmp_path / "ledger.db"
    said = tmp_path / "said"
    with said.open("w", encoding="ascii") as file:
        killed = subprocess.run([sys.executable, "-c", STOPPED, str(path)], stdout=file, check=False)
    assert killed.returncode == -signal.SIGALRM
    try:
        with pytest.raises(Occupied), open_to_write(path, COMPANY, create=False):
            pass
        assert is_held(path, COMPANY)[0]
    finally:
        os.kill(int(said.read_text(encoding="ascii")), signal.SIGCONT)
    wait_for_lock(path)
    with open_to_write(path, COMPANY, create=False) as ledger:
        before = ledger.count_states(COMPANY)
        assert before[State.PLANNED] in {1, 2}
        time.sleep(0.1)
        assert ledger.count_states(COMPANY) == before
        assert verify(ledger).damages == ()


def test_with_other_threads_nothing_is_forked(tmp_path: Path) -> None:
    """A copied process would have their locks and not them."""
    end, before = threading.Event(), children()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        with open_to_write(tmp_path / "ledger.db", COMPANY, create=True) as ledger:
            with appending(ledger, COMPANY, ledger.begin_run(COMPANY, "issue").run, apart=True) as append:
                assert children() == before
                append([planned("A-1")])
            assert ledger.count_states(COMPANY) == {State.PLANNED: 1}
    finally:
        end.set()
        thread.join()


def test_both_processes_find_out_that_the_ledger_was_exchanged(tmp_path: Path) -> None:
    """The one that writes, and after it the run itself, which knows what the other wrote last; nothing is written."""
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    with appending_apart(path) as (ledger, append, _):
        append([planned("A-1")])
        backup(path, copy)
        append([sending("A-1")])
        path.write_bytes(copy.read_bytes())
        before = path.read_bytes()
        for one in (append, partial(ledger.append, COMPANY, ledger.runs(COMPANY)[0].run)):
            with pytest.raises(StoppedMidway, match="not the one that this run began with"):
                one([planned("A-2")])
        assert path.read_bytes() == before
        assert verify(ledger).damages == ()


def test_they_may_write_in_any_order(tmp_path: Path) -> None:
    """Each learns from the other which event is the last."""
    with appending_apart(tmp_path / "ledger.db") as (ledger, append, _):
        run = ledger.runs(COMPANY)[0].run
        for number in range(6):
            append([planned(f"A-{number}")])
            ledger.append(COMPANY, run, [planned(f"B-{number}")])
        assert verify(ledger).damages == ()
        assert ledger.count_states(COMPANY) == {State.PLANNED: 12}
