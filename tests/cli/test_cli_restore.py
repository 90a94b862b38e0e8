from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from batch_issuer.ledger.export import backup
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.schema import VERSION
from batch_issuer.ledger.verify import verify
from batch_issuer.model.records import Kind
from batch_issuer.sandbox import SandboxOptions, running
from tests.cli.desk import Desk, Open
from tests.ledger.histories import SMALL, Step, planned, tamper, write
from tests.promises.kill.shop import Done, Nursery, Shop, until, write_sales

NOBODY = 65534


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A ledger of four documents, and a backup of it that lacks the fifth."""
    write(tmp_path / "ledger.db", SMALL)
    backup(tmp_path / "ledger.db", tmp_path / "copy.db")
    write(tmp_path / "ledger.db", [Step("default", (planned("A-5"),))])
    return Desk(tmp_path, "http://127.0.0.1:9")


def content(folder: Path) -> Mapping[str, bytes]:
    """Every file; what is beside a ledger only while it is used is left out."""
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.is_file() and not file.name.endswith(("-journal", "-wal", "-shm", ".holder", ".lock"))
    }


def is_marked(path: Path) -> bool:
    """Whether a ledger, which must be sound, says that it was restored."""
    ledger = open_to_read(path)
    try:
        assert verify(ledger).damages == ()
        return ledger.last_body("default", Kind.RESTORED) is not None
    finally:
        ledger.close()


def halve(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def test_a_damaged_ledger_is_restored_as_its_own_sentence_says(open_desk: Open) -> None:
    """What it says was done was done, and what it names is there; what was stamped is to be asked about."""
    desk, _ = open_desk(contingency_refs="A-3", documents=4)
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.call("ledger", "backup", "copy.db").code == 0
    assert desk.call("cancel", "A-1", "--yes").code == 0
    halve(desk.ledger)
    broken = desk.ledger.read_bytes()
    refused = desk.call("issue", "ventas.csv", "--json")
    assert refused.code == 2
    assert "`batch-issuer ledger restore BACKUP --ledger ledger.db`" in refused.err
    done = desk.call("ledger", "restore", "copy.db", "--ledger", "ledger.db", "--json")
    assert done.code == 0, done.err
    assert done.json.keys() == {"settings_file", "path", "replaced", "head", "documents", "looks_owed", "exit_code"}
    assert (done.json["path"], done.json["documents"], done.json["looks_owed"]) == ("ledger.db", 4, 3)
    assert (desk.folder / done.json["replaced"]).read_bytes() == broken
    assert f"The file that was there is kept beside it as {done.json['replaced']}." in done.err
    assert "Now run batch-issuer refresh, and then batch-issuer issue again" in done.err
    assert {ref: record.look_owed for ref, record in desk.records().items()} == {
        "A-1": "restored", "A-2": "restored", "A-3": "", "A-4": "restored",
    }  # fmt: skip
    shown = desk.call("ledger", "show", "A-1")
    assert shown.code == 0
    assert "its status is to be asked" in shown.out
    for command in (
        ("ledger", "verify"), ("ledger", "export"), ("ledger", "backup", "b.db"), ("report",), ("doctor",),
        ("check", "ventas.csv"),
    ):  # fmt: skip
        assert desk.call(*command).code in (0, 1), command


def test_a_lost_ledger_is_restored(desk: Desk) -> None:
    """Nothing was there, so nothing is kept."""
    for file in desk.folder.glob("ledger.db*"):
        file.unlink()
    done = desk.call("ledger", "restore", "copy.db")
    assert done.code == 0
    first, second, third, _ = done.out.splitlines()
    assert first == "ledger.db is now a copy of copy.db."
    assert second == "The backup's newest event is of 21/11/2026 12:00:06."
    assert third.startswith("It has 4 documents. ")
    assert is_marked(desk.ledger)
    assert not list(desk.folder.glob("*replaced*"))
    assert not list(desk.folder.glob(".*draft*"))


def refuses(desk: Desk, *arguments: str) -> str:
    """Why it is not done; not a byte is another one."""
    before = content(desk.folder)
    done = desk.call("ledger", "restore", *arguments, "--json")
    assert (done.code, done.json["exit_code"]) == (2, 2)
    assert content(desk.folder) == before
    return str(done.json["error"])


def test_a_sound_ledger_that_knows_more_needs_no_restoring(desk: Desk) -> None:
    """It says by how much; with --yes it is done, and what was there is kept."""
    said = refuses(desk, "copy.db")
    assert said == (
        "The ledger ledger.db is sound and has all that the backup copy.db has, and newer events (2): "
        "nothing needs restoring."
    )
    before = desk.ledger.read_bytes()
    done = desk.call("ledger", "restore", "copy.db", "--yes", "--json")
    assert done.code == 0
    assert (desk.folder / done.json["replaced"]).read_bytes() == before
    assert is_marked(desk.ledger)
    assert set(desk.records()) == {"A-1", "A-2", "A-3", "A-4"}
    assert "different ways" in refuses(desk, done.json["replaced"])


def test_a_ledger_that_is_just_the_backup_needs_no_restoring(desk: Desk) -> None:
    """However often it was copied."""
    assert desk.call("ledger", "backup", "now.db").code == 0
    assert "has just what the backup now.db has: nothing needs restoring" in refuses(desk, "now.db")


def test_an_older_copy_in_place_is_replaced_by_the_newer_backup(desk: Desk) -> None:
    """It has nothing that the backup lacks."""
    assert desk.call("ledger", "backup", "now.db").code == 0
    shutil.copyfile(desk.folder / "copy.db", desk.ledger)
    assert desk.call("ledger", "restore", "now.db").code == 0
    assert set(desk.records()) == {"A-1", "A-2", "A-3", "A-4", "A-5"}


def test_two_that_went_different_ways_are_said_to_be_so(desk: Desk) -> None:
    """Either has something that would be lost."""
    write(desk.folder / "copy.db", [Step("default", (planned("B-1"),))])
    assert refuses(desk, "copy.db") == (
        "The ledger ledger.db and the backup copy.db went different ways: each has events that the other does not have."
    )
    assert desk.call("ledger", "restore", "copy.db", "--yes").code == 0
    assert is_marked(desk.ledger)


def test_what_cannot_be_read_as_a_ledger_is_replaced_only_with_a_yes(desk: Desk) -> None:
    """It may be a ledger of which nothing is left, or somebody's notes."""
    desk.ledger.write_bytes(bytes(5000))
    assert refuses(desk, "copy.db") == "ledger.db cannot be read as a ledger: it may be something else."
    done = desk.call("ledger", "restore", "copy.db", "--yes", "--json")
    assert done.code == 0
    assert (desk.folder / done.json["replaced"]).read_bytes() == bytes(5000)


def test_a_state_that_does_not_follow_is_no_reason_to_restore(desk: Desk) -> None:
    """Its events are sound, and are what counts."""
    tamper(desk.ledger, "UPDATE documents SET state = 'stamped'")
    assert "nothing needs restoring" in refuses(desk, "copy.db")


def test_a_chain_that_was_changed_is_a_reason_to_restore(desk: Desk) -> None:
    """The sentence of `ledger verify` names the command."""
    tamper(desk.ledger, "DELETE FROM events WHERE seq = 5")
    assert "batch-issuer ledger restore BACKUP --ledger ledger.db" in desk.call("ledger", "verify").out
    assert desk.call("ledger", "restore", "copy.db").code == 0
    assert is_marked(desk.ledger)


def another_database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE sales (id)")


def a_hole(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[4096 * 3 : 4096 * 3 + 64] = bytes(64)
    path.write_bytes(whole)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (Path.unlink, "There is no backup copy.db."),
        (lambda path: path.write_text("notes"), "copy.db is not a ledger of batch_issuer."),
        (lambda path: path.write_bytes(b""), "copy.db is not a ledger of batch_issuer."),
        (another_database, "copy.db is not a ledger of batch_issuer."),
        (lambda path: (path.unlink(), path.mkdir()), "copy.db is not a ledger of batch_issuer."),
        (halve, "The backup copy.db is damaged: "),
        (a_hole, "The backup copy.db is damaged: "),
        (lambda path: tamper(path, "DELETE FROM events WHERE seq = 5"), "The backup copy.db is damaged: an event is"),
        (
            lambda path: tamper(path, "UPDATE documents SET state = 'stamped'"),
            "The backup copy.db is damaged: the state does not follow from the events.",
        ),
        (
            lambda path: tamper(path, f"PRAGMA user_version = {VERSION + 1}"),
            "A newer batch_issuer wrote the ledger copy.db",
        ),
    ],
)
def test_a_backup_that_is_none_is_refused(desk: Desk, spoil: Callable[[Path], object], said: str) -> None:
    """Even with a yes; the ledger in place, damaged as it is, stays."""
    halve(desk.ledger)
    spoil(desk.folder / "copy.db")
    assert refuses(desk, "copy.db", "--yes").startswith(said)


def test_the_ledger_is_no_backup_of_itself(desk: Desk) -> None:
    """Under whatever name."""
    os.link(desk.ledger, desk.folder / "hard.db")
    (desk.folder / "soft.db").symlink_to(desk.ledger)
    for name in ("ledger.db", "hard.db", "soft.db"):
        assert refuses(desk, name, "--yes") == f"{name} is the ledger itself, not a backup of it."


def test_a_newer_programs_ledger_is_not_replaced(desk: Desk) -> None:
    """It is not damaged; this program only does not understand it."""
    tamper(desk.ledger, f"PRAGMA user_version = {VERSION + 1}")
    assert refuses(desk, "copy.db", "--yes").startswith("A newer batch_issuer wrote the ledger ledger.db")


@pytest.mark.skipif(sys.platform == "win32", reason="the shop's processes are POSIX")
def test_a_run_that_writes_keeps_its_ledger(tmp_path: Path, nursery: Nursery) -> None:
    """Nobody else may exchange it, even with a yes."""
    faults = ["hang-after:route=invoice,after=3"]
    with running(SandboxOptions(minute_limit=None, hour_limit=None), faults=faults) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 40), nursery=nursery)
        first = shop.start("issue", "ventas.csv", fresh=False)
        until(lambda: len(sandbox.documents()) == 11)
        backup(shop.ledger, tmp_path / "copy.db")
        refused = shop.run("ledger", "restore", "copy.db", "--yes", "--json", fresh=False)
        assert refused.code == 2
        start = f"The ledger ledger.db is being written by another run: issue, process {first.pid} on "
        assert refused.json["error"].startswith(start)
        sandbox.clear_faults()
        sandbox.release()
        assert first.done().code == 0


def in_a_copy_of_this_process(work: Callable[[], int]) -> int:
    """Its exit code, negative for the signal that ended it."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


POSIX = pytest.mark.skipif(os.name != "posix", reason="processes are forked")


@POSIX
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_at_any_moment_it_was_done_or_not(desk: Desk, number: signal.Signals, *, links: bool) -> None:
    """Everything has the name that it had, or the ledger is restored and what was there is kept."""
    moment, code = 0, 1
    before = content(desk.folder)
    while code:
        moment += 1
        code = in_a_copy_of_this_process(lambda: restoring_until(desk, moment, number, links=links))  # noqa: B023
        assert code in (0, 130, 143)
        kept = list(desk.folder.glob("ledger.db.replaced-*"))
        if not kept:
            assert code
            assert {name: one for name, one in content(desk.folder).items() if ".draft" not in name} == before
        else:
            assert is_marked(desk.ledger)
            assert [file.read_bytes() for file in kept if not file.name.endswith(("-journal", "-wal", "-shm"))] == [
                before["ledger.db"]
            ]
            for file in (*kept, desk.ledger):
                file.unlink()
            desk.ledger.write_bytes(before["ledger.db"])
        for file in desk.folder.glob(".*draft*"):  # of a signal that came while these were taken away
            file.unlink()
    assert moment > 10


@POSIX
@pytest.mark.parametrize("links", [True, False])
def test_killed_at_any_moment_it_was_done_or_not(desk: Desk, *, links: bool) -> None:
    """Either what was there is there, or a marked ledger; what was there is never lost, and a second time it is done."""
    moment, code = 0, -signal.SIGKILL
    halve(desk.ledger)
    broken = desk.ledger.read_bytes()
    seen = set()
    while code:
        moment += 1
        for file in desk.folder.glob("ledger.db*"):
            file.unlink()
        desk.ledger.write_bytes(broken)
        code = in_a_copy_of_this_process(lambda: restoring_until(desk, moment, signal.SIGKILL, links=links))  # noqa: B023
        assert code in (0, -signal.SIGKILL)
        if desk.ledger.exists() and desk.ledger.read_bytes() == broken:
            seen.add("not yet")
        elif desk.ledger.exists():
            seen.add("done")
            assert is_marked(desk.ledger)
        else:
            assert not links
            seen.add("between")
        assert any(file.read_bytes() == broken for file in desk.folder.glob("ledger.db*"))
        again = desk.call("ledger", "restore", "copy.db", "--yes")
        assert again.code == 0, again.err
        assert is_marked(desk.ledger)
        assert any(file.read_bytes() == broken for file in desk.folder.glob("ledger.db.replaced-*"))
    assert seen == ({"not yet", "done"} if links else {"not yet", "between", "done"})
    assert moment > 10


def restoring_until(desk: Desk, moment: int, number: signal.Signals, *, links: bool) -> int:
    """Restore, and get a signal before this number of what is done to files."""
    done = 0

    def watch(event: str, _: object) -> None:
        nonlocal done
        if event in ("os.link", "os.rename", "os.remove", "sqlite3.connect"):
            done += 1
            if done == moment:
                os.kill(os.getpid(), number)

    if not links:
        os.link = without_links
    sys.addaudithook(watch)
    return desk.call("ledger", "restore", "copy.db", "--yes").code


def without_links(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged user can reach, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def told_by(work: Callable[[], Done], folder: Path) -> tuple[int, str]:
    """Exit code and words of a call in a copy of this process."""
    said = folder / "said.txt"
    said.touch()
    said.chmod(0o666)

    def call() -> int:
        with said.open("w", encoding="utf-8") as file:
            done = work()
            file.write(done.err + done.out)
        return done.code

    code = in_a_copy_of_this_process(call)
    words = said.read_text(encoding="utf-8")
    said.unlink()
    return code, words


@POSIX
@pytest.mark.parametrize("room", [0, 20_000, 60_000])
def test_a_full_disk_is_a_sentence(desk: Desk, room: int) -> None:
    """Wherever it is found out."""
    halve(desk.ledger)
    before = content(desk.folder)

    def call() -> Done:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        done = desk.call("ledger", "restore", "copy.db")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return done

    code, words = told_by(call, desk.folder)
    assert code == 2, words
    assert words.startswith("The ledger ledger.db could not be restored: "), words
    assert "Nothing was changed." in words
    assert content(desk.folder) == before
    assert not list(desk.folder.glob(".*draft*"))


@POSIX
def test_a_folder_that_may_not_be_written_is_a_sentence(open_folder: Path) -> None:
    """Nothing is changed."""
    write(open_folder / "ledger.db", SMALL)
    backup(open_folder / "ledger.db", open_folder / "copy.db")
    halve(open_folder / "ledger.db")
    desk = Desk(open_folder, "http://127.0.0.1:9")
    before = content(open_folder)

    def call() -> Done:
        for file in (open_folder, *open_folder.iterdir()):
            os.chown(file, NOBODY, NOBODY)
        open_folder.chmod(0o500)
        os.seteuid(NOBODY)
        return desk.call("ledger", "restore", "copy.db")

    if os.geteuid():
        pytest.skip("Only root can become somebody else.")
    code, words = told_by(call, open_folder)
    assert (code, words.splitlines()[0]) == (2, "The ledger ledger.db could not be restored: Permission denied."), words
    assert content(open_folder) == before
