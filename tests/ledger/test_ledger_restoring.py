from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from batch_issuer.ledger.export import backup
from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.restore import Restored, restore
from batch_issuer.ledger.verify import verify
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Kind
from batch_issuer.model.states import State
from tests.ledger.histories import (
    COMPANY,
    NOON,
    SMALL,
    Clock,
    Step,
    answered,
    planned,
    reading,
    run_ended,
    sending,
    tamper,
    told,
    write,
)

OTHERS = (
    Step("other", (planned("A-1"), sending("A-1"), answered("A-1"), planned("A-2"), sending("A-2"), answered("A-2"))),
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    write(path, SMALL)
    return path


@pytest.fixture
def copy(small: Path) -> Path:
    backup(small, copy := small.with_name("copy.db"))
    return copy


def later(path: Path, company: str = COMPANY) -> None:
    """A run that sends one document more."""
    with open_to_write(path, company, create=False, clock=Clock(NOON + dt.timedelta(hours=1))) as ledger:
        run = ledger.begin_run(company, "issue").run
        ledger.append(company, run, [planned("Z-1"), sending("Z-1"), answered("Z-1"), run_ended()])


def restored(backup: Path, path: Path, *, sure: bool = False, days: float = 1) -> Restored:
    return restore(backup, path, sure=sure, clock=Clock(NOON + dt.timedelta(days=days)))


def marks(path: Path) -> list[tuple[str, str, Kind, object]]:
    """What was written that no run writes."""
    with reading(path) as ledger:
        assert verify(ledger).damages == ()
        return [
            (event.company, event.external_ref, event.kind, json.loads(event.body))
            for event in ledger.every_event()
            if event.kind in (Kind.RESTORED, Kind.LOOK_OWED)
        ]


@pytest.mark.parametrize(("days", "owed"), [(1, 1), (94.9, 1), (95.1, 0)])
def test_what_may_have_been_cancelled_since_is_to_be_asked(small: Path, copy: Path, days: float, owed: int) -> None:
    """Stamped documents of the last 95 days; the others are asked as ever, or can no longer be cancelled."""
    with reading(small) as ledger:
        before, head = told(ledger), ledger.head()
    small.unlink()
    done = restored(copy, small, days=days)
    assert (done.replaced, done.head, done.documents, done.looks_owed) == ("", head, 4, owed)
    first, *looks = marks(small)
    assert first[:3] == (COMPANY, "", Kind.RESTORED)
    assert first[3] == {
        "head": list(head), "replaced": "", "at": (NOON + dt.timedelta(days=days, seconds=2)).isoformat()
    }  # fmt: skip
    assert looks == [(COMPANY, "A-1", Kind.LOOK_OWED, {"why": "restored"})][:owed]
    with reading(small) as ledger:
        after = told(ledger)
        assert [(one.external_ref, one.state) for one in after.records] == [
            (one.external_ref, one.state) for one in before.records
        ]
        assert {one.external_ref: one.look_owed for one in after.records if one.look_owed} == (
            {"A-1": "restored"} if owed else {}
        )


def test_every_company_of_either_is_marked(tmp_path: Path) -> None:
    """Of one that began after the backup, the backup knows nothing at all."""
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    write(path, [*SMALL, *OTHERS])
    backup(path, copy)
    later(path, "newcomer")
    done = restored(copy, path, sure=True)
    assert done.looks_owed == 3
    assert [mark[:3] for mark in marks(path)] == [
        (COMPANY, "", Kind.RESTORED),
        (COMPANY, "A-1", Kind.LOOK_OWED),
        ("newcomer", "", Kind.RESTORED),
        ("other", "", Kind.RESTORED),
        ("other", "A-1", Kind.LOOK_OWED),
        ("other", "A-2", Kind.LOOK_OWED),
    ]


def test_what_was_there_is_kept(small: Path, copy: Path) -> None:
    """With its name beside the ledger, in the mark too; a second one of the same moment has another name."""
    later(small)
    before = small.read_bytes()
    name = "ledger.db.replaced-20261122T180001"
    assert restored(copy, small, sure=True).replaced == name
    assert small.with_name(name).read_bytes() == before
    assert json.loads(json.dumps(marks(small)[0][3]))["replaced"] == name
    assert restored(copy, small, sure=True).replaced == f"{name}-2"
    assert small.with_name(name).read_bytes() == before
    assert small.stat().st_nlink == 1


def test_a_restored_ledger_is_written_as_ever(small: Path, copy: Path) -> None:
    """It can be restored again from a backup of itself, too."""
    small.unlink()
    restored(copy, small)
    later(small)
    with reading(small) as ledger:
        assert ledger.count_states(COMPANY)[State.STAMPED] == 2
    backup(small, again := small.with_name("again.db"))
    small.unlink()
    assert restored(again, small).documents == 5
    assert [mark[2] for mark in marks(small)].count(Kind.RESTORED) == 2


def test_a_journal_that_lies_about_goes_along(small: Path, copy: Path) -> None:
    """SQLite would take it for the new file's, and write old pages into it."""
    for days, there in ((2, True), (3, False)):
        small.write_bytes(bytes(5000))
        if not there:
            small.unlink()
        for what in ("journal", "wal", "shm"):
            small.with_name(f"ledger.db-{what}").write_bytes(f"an old {what}".encode())
        done = restored(copy, small, sure=True, days=days)
        kept = f"ledger.db.replaced-{NOON + dt.timedelta(days=days, seconds=1):%Y%m%dT%H%M%S}"
        assert done.replaced == (kept if there else "")
        for what in ("journal", "wal", "shm"):
            assert small.with_name(f"{kept}-{what}").read_bytes() == f"an old {what}".encode()
        assert len(marks(small)) == 2


FULL = """
import resource, sys
from pathlib import Path
from batch_issuer.ledger.restore import restore
from batch_issuer.model.problems import CannotStart
from tests.ledger.histories import NOON, Clock

copy, path = map(Path, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_FSIZE, (copy.stat().st_size + 8192, resource.RLIM_INFINITY))
try:
    restore(copy, path, sure=True, clock=Clock(NOON))
except CannotStart as refused:
    print(refused)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_disk_that_is_full_when_the_marks_are_written_is_a_sentence(tmp_path: Path) -> None:
    """A ledger without its marks never gets the name."""
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    events = [one for number in range(500) for one in (planned(f"A-{number}"), sending(f"A-{number}"))]
    write(path, [Step(COMPANY, (*events, *(answered(f"A-{number}") for number in range(500))))])
    backup(path, copy)
    later(path)
    before, files = path.read_bytes(), set(tmp_path.iterdir())
    done = subprocess.run([sys.executable, "-c", FULL, copy, path], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith(f"The ledger {path} could not be restored: ")
    assert second.startswith("Nothing was changed.")
    assert path.read_bytes() == before
    assert set(tmp_path.iterdir()) <= files


def test_a_backup_of_an_older_version_is_brought_up_to_date(small: Path, copy: Path) -> None:
    """In the ledger's place; the backup stays as it is."""
    tamper(copy, "ALTER TABLE documents DROP COLUMN adjusts", "PRAGMA user_version = 2")
    before = copy.read_bytes()
    small.unlink()
    restored(copy, small)
    with reading(small) as ledger:
        assert verify(ledger).damages == ()
    assert copy.read_bytes() == before


def test_on_a_file_system_without_links(small: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there is renamed, and has its name again when the copy cannot get it."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    later(small)
    before = small.read_bytes()
    done = restored(copy, small, sure=True)
    assert small.with_name(done.replaced).read_bytes() == before
    assert len(marks(small)) == 2


def test_a_ledger_that_points_elsewhere_is_restored_there(small: Path, copy: Path) -> None:
    """The pointer stays."""
    (small.parent / "else").mkdir()
    real = small.parent / "else" / "real.db"
    small.rename(real)
    small.symlink_to(real)
    done = restored(copy, small, sure=True)
    assert small.is_symlink()
    assert real.with_name(done.replaced).exists()
    assert len(marks(small)) == len(marks(real)) == 2


def test_nobody_may_be_writing_for_any_company(tmp_path: Path) -> None:
    """The backup's companies, those of the ledger, and one that has written nothing yet."""
    path, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    write(path, SMALL)
    backup(path, copy)
    write(tmp_path / "more.db", OTHERS)
    for company in (COMPANY, "other", "unheard of"):
        with open_to_write(path, company, create=False):
            before = path.read_bytes()
            with pytest.raises(CannotStart, match="Another program is writing the ledger"):
                restored(copy, path, sure=True)
            assert path.read_bytes() == before
    assert restored(copy, path, sure=True).documents == 4
