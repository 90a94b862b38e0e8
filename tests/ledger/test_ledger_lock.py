from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import lock_descriptor

from batch_issuer.ledger.export import backup
from batch_issuer.ledger.lock import Occupied, is_held
from batch_issuer.ledger.opening import open_to_read, open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.verify import rebuild, verify
from batch_issuer.model.problems import CannotStart, StoppedMidway
from tests.ledger.histories import COMPANY, SMALL, answered, planned, reading, run_ended, sending, write

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the lock is on a file beside the ledger")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    write(path, SMALL)
    return path


def is_refused(path: Path, company: str = COMPANY) -> bool:
    try:
        with open_to_write(path, company, create=False):
            return False
    except Occupied:
        return True


def beside(path: Path) -> Iterator[Path]:
    """Every other file in the ledger's folder."""
    return (one for one in path.parent.iterdir() if one != path)


@LINUX
def test_a_hard_link_meets_the_same_lock(small: Path) -> None:
    """Under another name, and in another folder, it is the same ledger."""
    (small.parent / "else").mkdir()
    for link in (small.with_name("other.db"), small.parent / "else" / "ledger.db"):
        os.link(small, link)
        with open_to_write(small, COMPANY, create=False):
            assert is_refused(link)
            assert is_held(link, COMPANY)[0]
        with open_to_write(link, COMPANY, create=False):
            assert is_refused(small)


@LINUX
def test_no_file_can_be_removed_to_get_in(small: Path) -> None:
    """Whatever lies beside the ledger, its own lock is on itself."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        for file in beside(small):
            file.unlink()
        assert is_refused(small)
        assert is_held(small, COMPANY) == (True, None)
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [sending("A-4"), answered("A-4"), run_ended()])
    assert not is_refused(small)
    with reading(small) as ledger:
        assert verify(ledger).damages == ()


@LINUX
@pytest.mark.parametrize("content", ["", "[]", '["x", "y"]', "[1", "null", "{}", "\x00"])
def test_whatever_stands_in_the_holders_file_is_only_told(small: Path, content: str) -> None:
    """It protects nothing, and no run fails because of it."""
    holder = small.with_name("ledger.db.default.holder")
    with open_to_write(small, COMPANY, create=False):
        assert is_held(small, COMPANY)[1] is not None
        holder.write_text(content)
        assert is_held(small, COMPANY) == (True, None)
    holder.unlink()
    holder.mkdir()
    with open_to_write(small, COMPANY, create=False):
        assert is_held(small, COMPANY) == (True, None)


@LINUX
def test_looking_at_the_lock_does_not_take_it_away(small: Path) -> None:
    """Nor does a run of another company that begins and ends."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        for _ in range(3):
            assert is_held(small, COMPANY)[0]
            assert not is_held(small, "other")[0]
            assert not is_refused(small, "other")
        ledger.begin_run(COMPANY, "issue")
        assert is_refused(small)
    assert not is_held(small, COMPANY)[0]


@LINUX
def test_a_run_of_an_older_version_is_noticed(small: Path) -> None:
    """It holds the file beside the ledger, in which it has left its name."""
    older = small.with_name("ledger.db.default.lock")
    older.write_text('[4711, "caja-1"]')
    with older.open("r+b") as file:
        assert lock_descriptor(file.fileno(), blocking=False)
        assert is_held(small, COMPANY) == (True, (4711, "caja-1"))
        with pytest.raises(Occupied, match="process 4711 on caja-1"), open_to_write(small, COMPANY, create=False):
            pass
    with open_to_write(small, COMPANY, create=False), older.open("r+b") as file:
        assert not lock_descriptor(file.fileno(), blocking=False)


ELSEWHERE = """
import fcntl, sys
del fcntl.F_OFD_SETLK
from pathlib import Path
from batch_issuer.ledger.lock import Occupied, is_held
from batch_issuer.ledger.opening import open_to_write
from tests.ledger.histories import sending

path = Path(sys.argv[1])
with open_to_write(path, "default", create=False) as ledger:
    ledger.append("default", ledger.begin_run("default", "issue").run, [sending("A-4")])
    print(*is_held(path, "default"), is_held(path, "other")[0])
    try:
        with open_to_write(path, "default", create=False):
            print("got in")
    except Occupied as refused:
        print(refused)
print(is_held(path, "default")[0], path.with_name("ledger.db.default.lock").exists())
"""


@LINUX
def test_where_the_system_has_no_such_locks_a_file_beside_the_ledger_is_locked(small: Path) -> None:
    """As on Windows and macOS; who holds it is told all the same."""
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, str(small)], capture_output=True, text=True, check=True)
    held, refused, _, free = done.stdout.splitlines()
    assert held.startswith("True (")
    assert held.endswith(" False")
    assert "is being written by another run: issue, process " in refused
    assert free == "False True"


def stopped(ledger: Ledger, run: str) -> str:
    """What an append is refused with; the ledger that stands there now was not touched."""
    before = ledger.path.read_bytes() if ledger.path.exists() else b""
    with pytest.raises(StoppedMidway) as caught:
        ledger.append(COMPANY, run, [sending("A-4")])
    assert (ledger.path.read_bytes() if ledger.path.exists() else b"") == before
    assert caught.value.exit_code == 3
    return str(caught.value)


def said(path: Path) -> str:
    return f"The ledger {path} is not the one that this run began with: it was moved or exchanged, "


@LINUX
def test_a_ledger_that_is_gone_or_exchanged_is_not_written(small: Path, tmp_path: Path) -> None:
    """By another file, be it an exact copy; and when the right one is back, the run could go on."""
    away = tmp_path / "away.db"
    with open_to_write(small, COMPANY, create=False) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        small.rename(away)
        assert stopped(ledger, run).startswith(said(small))
        shutil.copy(away, small)
        assert stopped(ledger, run).startswith(said(small))
        away.replace(small)
        ledger.append(COMPANY, run, [sending("A-4")])


def test_the_first_append_of_a_run_looks_too(small: Path, tmp_path: Path) -> None:
    """What was planned follows from the ledger that was opened."""
    backup(small, copy := tmp_path / "copy.db")
    with open_to_write(small, COMPANY, create=False) as ledger:
        ledger.begin_run(COMPANY, "issue")
    with open_to_write(small, COMPANY, create=False) as ledger:
        small.write_bytes(copy.read_bytes())
        assert stopped(ledger, "a-run").startswith(said(small))


def test_an_older_copy_written_into_the_same_file_is_found_out(small: Path, tmp_path: Path) -> None:
    """It lacks what this run wrote last."""
    backup(small, copy := tmp_path / "copy.db")
    with open_to_write(small, COMPANY, create=False) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [sending("A-4")])
        small.write_bytes(copy.read_bytes())
        assert stopped(ledger, run).startswith(said(small))
    with reading(small) as ledger:
        assert verify(ledger).damages == ()


def foreign(path: Path, company: str, run: str = "another-run") -> None:
    """What a program writes that does not heed the lock."""
    ledger = open_to_read(path)
    ledger.begin_writing(lambda: True)
    ledger.append(company, run, [planned("X-1")])
    ledger.close()


def test_an_event_of_the_same_company_by_somebody_else_ends_the_run(small: Path) -> None:
    """One of another company does not."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        foreign(small, "other")
        ledger.append(COMPANY, run, [planned("A-5")])
        foreign(small, COMPANY)
        foreign(small, "other")
        assert stopped(ledger, run).startswith(said(small))
        assert stopped(ledger, "").startswith(said(small))


def test_an_event_that_belongs_to_no_run_is_somebody_elses(small: Path) -> None:
    """Notes have no run: two of them do not pass for one another."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        foreign(small, COMPANY, "")
        assert stopped(ledger, "").startswith(said(small))


def test_what_was_opened_to_be_read_is_not_written(small: Path) -> None:
    """A mistake of ours, and nothing is written."""
    with reading(small) as ledger, pytest.raises(RuntimeError):
        ledger.append(COMPANY, "", [planned("A-5")])


def test_rebuilding_the_state_is_no_event(small: Path) -> None:
    """A run may write after it."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        rebuild(ledger)
        ledger.begin_run(COMPANY, "issue")


def test_a_ledger_that_cannot_be_opened_is_no_lock(tmp_path: Path) -> None:
    """Nobody holds what is not there."""
    assert is_held(tmp_path / "none.db", COMPANY) == (False, None)
    with pytest.raises(CannotStart), open_to_write(tmp_path / "none.db", COMPANY, create=False):
        pass
