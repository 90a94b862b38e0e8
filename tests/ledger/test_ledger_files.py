from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from batch_issuer.ledger.export import backup
from batch_issuer.ledger.lock import Occupied
from batch_issuer.ledger.opening import open_to_read, open_to_write
from batch_issuer.ledger.schema import APPLICATION_ID, VERSION, journal_mode
from batch_issuer.ledger.verify import verify
from batch_issuer.model.problems import CannotStart, Stop
from tests.ledger.histories import COMPANY, SMALL, Step, answered, planned, reading, sending, tamper, told, write

POSIX = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
NOBODY = 65534


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    write(path, SMALL)
    return path


def refusal(path: Path, *, create: bool = False) -> str:
    """The sentence with which a ledger is refused, the same for reading and for writing where it exists."""
    with pytest.raises(CannotStart) as caught, open_to_write(path, COMPANY, create=create):
        pass
    if path.exists():
        with pytest.raises(CannotStart) as reader:
            open_to_read(path)
        assert str(reader.value) == str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


@POSIX
def test_whatever_is_made_is_its_owners_only(tmp_path: Path) -> None:
    """Ledger, journal, the holder's name and copy: they hold customers' names and purchases."""
    before = os.umask(0)
    try:
        write(tmp_path / "ledger.db", SMALL)
        backup(tmp_path / "ledger.db", tmp_path / "copy.db")
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert {"ledger.db", "ledger.db.default.holder", "copy.db"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode != 0o600} == {}


def test_making_a_ledger_leaves_nothing_else(tmp_path: Path) -> None:
    """No half-made file beside it."""
    with open_to_write(tmp_path / "ledger.db", COMPANY, create=True):
        pass
    assert {file.name for file in tmp_path.iterdir()} <= {
        "ledger.db", "ledger.db-journal", "ledger.db.default.holder"
    }  # fmt: skip


def test_a_missing_ledger_is_a_sentence(tmp_path: Path) -> None:
    """Nothing is made in its place."""
    path = tmp_path / "ledger.db"
    assert refusal(path) == (
        f"There is no ledger {path}.\nName it with --ledger. It is made by the first `batch-issuer issue`."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"external_ref,description\nA-1,x\n" * 99, b"SQLite format 3\x00", b"SQLite format 3\x00" + bytes(200)],
    ids=["empty", "one byte", "a table", "only the mark", "mark and nothing"],
)
def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """Whatever it is, it is somebody's."""
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    sentence = refusal(path, create=True)
    assert f"{path} is not a ledger of batch_issuer." in sentence or f"{path} is damaged" in sentence
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """SQLite, and not ours."""
    path = tmp_path / "ledger.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE sales (id)")
    connection.close()
    before = path.read_bytes()
    assert refusal(path, create=True) == (
        f"{path} is not a ledger of batch_issuer.\n"
        "Nothing was changed. Name the right file with --ledger, or another name for a new ledger."
    )
    assert path.read_bytes() == before


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    """Whether it is to be made or only read."""
    assert refusal(tmp_path, create=True).startswith(f"{tmp_path} is not a ledger of batch_issuer.")


def test_a_name_that_the_system_refuses_is_a_sentence(tmp_path: Path) -> None:
    """Longer than any file system allows."""
    path = tmp_path / ("x" * 300)
    for create in (True, False):
        with pytest.raises(CannotStart, match="cannot be"), open_to_write(path, COMPANY, create=create):
            pass


def test_a_folder_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    """It is not made on the way."""
    path = tmp_path / "no" / "ledger.db"
    with pytest.raises(CannotStart) as caught, open_to_write(path, COMPANY, create=True):
        pass
    assert str(caught.value) == (
        f"The ledger {path} cannot be made: No such file or directory.\n"
        "Name another place with --ledger, in a folder that you may write to and that has space."
    )


def test_a_newer_ledger_is_refused_and_left_alone(small: Path) -> None:
    """Whoever wrote it knows things that we do not."""
    tamper(small, f"PRAGMA user_version = {VERSION + 1}")
    before = small.read_bytes()
    assert refusal(small, create=True) == (
        f"A newer batch_issuer wrote the ledger {small} (its version is {VERSION + 1}, this one reads {VERSION}).\n"
        "Install the newer batch_issuer; nothing was changed."
    )
    assert small.read_bytes() == before


def test_a_ledger_without_version_or_mark_is_refused(small: Path) -> None:
    """Both are written before the first event."""
    tamper(small, "PRAGMA user_version = 0")
    assert "is damaged: user_version 0" in refusal(small)
    tamper(small, f"PRAGMA user_version = {VERSION}", f"PRAGMA application_id = {APPLICATION_ID + 1}")
    assert "is not a ledger of batch_issuer" in refusal(small)


def test_an_index_that_lost_a_document_is_found_before_writing(small: Path) -> None:
    """A document that is not found by its reference would be sent again."""
    tamper(
        small,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'documents_by_state') "
        "WHERE name = 'documents_by_time'",
    )
    with pytest.raises(CannotStart, match="is damaged"), open_to_write(small, COMPANY, create=False):
        pass


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Without root's powers, for which permission bits do not bind."""
    root = os.geteuid() == 0
    if root:
        for file in (folder, *folder.iterdir()):
            os.chown(file, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged user can reach, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@POSIX
def test_a_folder_that_may_not_be_written_is_a_sentence(open_folder: Path) -> None:
    """For a new ledger and for a copy."""
    write(open_folder / "ledger.db", SMALL)
    with unprivileged(open_folder):
        open_folder.chmod(0o500)
        opening = open_to_write(open_folder / "new.db", COMPANY, create=True)
        with pytest.raises(CannotStart, match="cannot be made: Permission denied"), opening:
            pass
        with pytest.raises(CannotStart, match="could not be made: Permission denied"):
            backup(open_folder / "ledger.db", open_folder / "copy.db")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the lock is on a file beside the ledger")
def test_a_ledger_in_a_folder_where_nothing_can_be_made_is_written(open_folder: Path) -> None:
    """It and its journal are all that is needed: the lock has no file, and who holds it need not be told."""
    path = open_folder / "ledger.db"
    write(path, SMALL)
    (open_folder / "ledger.db.default.holder").unlink()
    if not (open_folder / "ledger.db-journal").exists():
        pytest.skip("This SQLite writes ahead, into a file of its own.")
    with unprivileged(open_folder):
        open_folder.chmod(0o500)
        with open_to_write(path, COMPANY, create=True) as ledger:
            ledger.begin_run(COMPANY, "issue")
            with pytest.raises(Occupied), open_to_write(path, COMPANY, create=True):
                pass


@POSIX
def test_a_ledger_that_may_not_be_written_is_a_sentence(open_folder: Path) -> None:
    """The run does not begin."""
    path = open_folder / "ledger.db"
    write(path, SMALL)
    with unprivileged(open_folder):
        path.chmod(0o400)
        with pytest.raises(CannotStart) as caught, open_to_write(path, COMPANY, create=True):
            pass
        assert "cannot be locked: Permission denied" in str(caught.value)
        with reading(path) as ledger:
            assert verify(ledger).damages == ()


@POSIX
def test_a_ledger_that_may_not_be_read_is_a_sentence(open_folder: Path) -> None:
    """Not even its first bytes."""
    path = open_folder / "ledger.db"
    write(path, SMALL)
    with unprivileged(open_folder):
        path.chmod(0)
        assert refusal(path) == (
            f"The ledger {path} cannot be read: Permission denied.\n"
            "Check who owns it and whether another program holds it."
        )


@POSIX
def test_a_full_disk_stops_the_run_and_loses_nothing(small: Path) -> None:
    """The append that finds no room writes nothing; what was written before verifies."""
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from batch_issuer.ledger.opening import open_to_write\n"
        "from batch_issuer.model.problems import Stop\n"
        "from tests.ledger.histories import planned\n"
        "path = Path(sys.argv[1])\n"
        "with open_to_write(path, 'default', create=False) as ledger:\n"
        "    run = ledger.begin_run('default', 'issue').run\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20000,) * 2)\n"
        "    for number in range(1000):\n"
        "        try:\n"
        "            ledger.append('default', run, [planned(f'N-{number}', 'x' * 500)])\n"
        "        except Stop as stop:\n"
        "            print(number, stop.exit_code, stop)\n"
        "            break\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(small)], capture_output=True, text=True, check=True)
    number, code, sentence = done.stdout.split(" ", 2)
    assert (code, sentence.splitlines()[0].endswith("Nothing more was sent.")) == ("3", True)
    assert f"The ledger {small} could not be written: " in sentence
    with reading(small) as ledger:
        assert verify(ledger).damages == ()
        written = [record.external_ref for record in ledger.all_records() if record.external_ref.startswith("N-")]
        assert written == [f"N-{one}" for one in range(int(number))]
        assert int(number) > 0


def test_a_second_writer_is_told_who_holds_it(small: Path) -> None:
    """Command, process, machine and since when."""
    with open_to_write(small, COMPANY, create=False) as ledger:
        with pytest.raises(CannotStart) as early, open_to_write(small, COMPANY, create=False):
            pass
        run = ledger.begin_run(COMPANY, "retry")
        with pytest.raises(CannotStart) as late, open_to_write(small, COMPANY, create=False):
            pass
    assert str(early.value).startswith(
        f"Another program is writing the ledger {small}: process {os.getpid()} on {run.host}.\n"
    )
    first, second = str(late.value).split("\n")
    assert first.startswith(
        f"The ledger {small} is being written by another run: retry, process {os.getpid()} on {run.host}, since "
    )
    assert second == "Wait until it ends, then run this again. Nothing was sent."
    with open_to_write(small, COMPANY, create=False):
        pass


def test_a_link_to_a_ledger_is_that_ledger(small: Path, tmp_path: Path) -> None:
    """Under whatever name it is opened, one run at a time."""
    link = tmp_path / "link.db"
    try:
        link.symlink_to(small)
    except OSError:
        pytest.skip("This system makes no links.")
    second = open_to_write(link, COMPANY, create=False)
    with (
        open_to_write(small, COMPANY, create=False),
        pytest.raises(CannotStart, match="Another program is writing"),
        second,
    ):
        pass


@pytest.mark.parametrize("company", ["../../etc", "Tienda Ñ", "a/b", "x" * 200, "", "CON", "a b", "a_b"])
def test_every_company_has_a_lock_of_its_own(small: Path, company: str) -> None:
    """Whatever characters its name has; who holds it is told in a file beside the ledger."""
    before = set(small.parent.iterdir())
    with open_to_write(small, COMPANY, create=False), open_to_write(small, company, create=False):
        pass
    (made,) = set(small.parent.iterdir()) - before
    assert made.name.startswith("ledger.db.")
    assert made.parent == small.parent


def test_two_companies_write_one_ledger_at_once(tmp_path: Path) -> None:
    """Their events interleave, and the chain is one."""
    path = tmp_path / "ledger.db"
    with open_to_write(path, "one", create=True):
        pass
    failures: list[BaseException] = []
    half_way = threading.Barrier(2, timeout=60)

    def issue(company: str) -> None:
        try:
            with open_to_write(path, company, create=True) as ledger:
                run = ledger.begin_run(company, "issue").run
                for number in range(40):
                    if number == 20:
                        half_way.wait()
                    ref = f"A-{number}"
                    ledger.append(company, run, [planned(ref), sending(ref)])
                    ledger.append(company, run, [answered(ref)])
        except Stop as stop:
            failures.append(stop)

    threads = [threading.Thread(target=issue, args=(company,)) for company in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with reading(path) as ledger:
        verified = verify(ledger)
        assert (verified.damages, verified.documents, verified.events) == ((), 80, 2 + 2 * 40 * 3)
        companies = [event.company for event in ledger.every_event()]
        assert companies != sorted(companies)


def test_a_copy_is_the_whole_ledger(small: Path, tmp_path: Path) -> None:
    """It tells the same and verifies by itself."""
    copy = tmp_path / "copy.db"
    size = backup(small, copy)
    assert size == copy.stat().st_size
    with reading(small) as ledger, reading(copy) as other:
        assert told(other) == told(ledger)
        assert verify(other) == verify(ledger)


def test_a_copy_made_while_a_run_writes_is_consistent(small: Path, tmp_path: Path) -> None:
    """Every copy verifies, and holds only whole transactions."""
    stopping = threading.Event()

    def issue() -> None:
        with open_to_write(small, COMPANY, create=False) as ledger:
            run, number = ledger.begin_run(COMPANY, "issue").run, 0
            while not stopping.is_set():
                number += 1
                ledger.append(COMPANY, run, [planned(f"N-{number}"), sending(f"N-{number}"), answered(f"N-{number}")])

    thread = threading.Thread(target=issue)
    thread.start()
    sizes = []
    try:
        for number in range(8):
            copy = tmp_path / f"copy-{number}.db"
            backup(small, copy)
            with reading(copy) as ledger:
                verified = verify(ledger)
                assert verified.damages == ()
                assert {record.state.value for record in ledger.all_records() if record.external_ref > "N"} <= {
                    "stamped"
                }
                sizes.append(verified.events)
    finally:
        stopping.set()
        thread.join()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]


def test_a_reader_that_dawdles_does_not_hold_up_a_run(small: Path) -> None:
    """Whoever pages through an export keeps nobody from issuing."""
    with reading(small) as reader, open_to_write(small, COMPANY, create=False) as ledger:
        records, events = reader.all_records(), reader.every_event()
        next(records)
        next(events)
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [sending("A-4")])
        assert [record.external_ref for record in records] == ["A-2", "A-3", "A-4"]
        assert [event.seq for event in events] == list(range(2, 17))


def test_a_copy_overwrites_nothing(small: Path, tmp_path: Path) -> None:
    """Not the ledger itself either."""
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    for target in (other, small, tmp_path):
        with pytest.raises(CannotStart) as caught:
            backup(small, target)
        assert str(caught.value) == f"{target} exists already.\nGive the copy another name; nothing was overwritten."
    assert other.read_text() == "mine"


def test_a_copy_into_nowhere_is_a_sentence(small: Path, tmp_path: Path) -> None:
    """A folder that does not exist."""
    copy = tmp_path / "no" / "copy.db"
    with pytest.raises(CannotStart) as caught:
        backup(small, copy)
    assert str(caught.value).startswith(f"The copy {copy} could not be made: No such file or directory.")


def test_a_damaged_ledger_is_no_backup(small: Path, tmp_path: Path) -> None:
    """The copy would be trusted one day."""
    whole = bytearray(small.read_bytes())
    whole[4096 * 3 : 4096 * 3 + 64] = bytes(64)
    small.write_bytes(whole)
    with pytest.raises(CannotStart, match="is damaged"):
        backup(small, tmp_path / "copy.db")
    assert not [file for file in tmp_path.iterdir() if "copy" in file.name]


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "PERSIST"), ((3, 51, 2), "PERSIST"), ((3, 51, 3), "WAL"), ((3, 52, 0), "PERSIST"),
        ((3, 53, 0), "WAL"), ((4, 0, 0), "WAL"),
    ],
)  # fmt: skip
def test_write_ahead_only_where_it_is_mended(version: tuple[int, int, int], mode: str) -> None:
    """SQLite's corruption of 2026 is fixed in 3.51.3 and from 3.53.0 on."""
    assert journal_mode(version) == mode


def test_what_an_older_ledger_lacks_follows_from_its_events(tmp_path: Path) -> None:
    """Columns that came later hold what the events always said, as if they had been there from the beginning."""
    path = tmp_path / "ledger.db"
    note = planned("N-1", doc_type="05", adjusts="C-1", expected_retention="1.00", customer_id="06140507071048")
    write(path, [Step(COMPANY, (note,))])
    tamper(path, "ALTER TABLE documents DROP COLUMN adjusts", "PRAGMA user_version = 2")
    with reading(path) as ledger:
        record = ledger.record(COMPANY, "N-1")
        assert record is not None
        assert (record.adjusts, str(record.expected_retention)) == ("C-1", "1.00")
        assert verify(ledger).damages == ()


def _indexes(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}


def test_a_ledger_of_the_first_version_is_brought_up_to_date(small: Path) -> None:
    """What it lacks is added when it is opened; what it says stays, and it verifies."""
    with reading(small) as ledger:
        before = told(ledger)
    indexes = _indexes(small)
    tamper(
        small,
        *(
            f"DROP INDEX documents_{name}"
            for name in (
                "cancelled",
                "by_customer",
                "by_number",
                "waiting",
                "owed",
                "alike",
                "by_code",
                "by_stamp",
            )
        ),
        *(
            f"ALTER TABLE documents DROP COLUMN {name}"
            for name in (
                "cancellation",
                "expected_retention",
                "adjusts",
                "customer_id",
                "control_number",
                "waits",
                "waited_from",
                "waited_to",
                "till",
                "alike",
                "also",
                "accepted",
                "look_owed",
                "withdrawn_at",
                "generation_code",
                "reception_stamp",
            )
        ),
        "DROP INDEX events_beside_documents",
        "PRAGMA user_version = 1",
    )
    with reading(small) as ledger:
        assert told(ledger) == before
        assert verify(ledger).damages == ()
        assert ledger.cancellations(COMPANY) == []
    connection = sqlite3.connect(small)
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    connection.close()
    assert _indexes(small) == indexes
