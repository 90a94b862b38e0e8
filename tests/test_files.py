"""A file is there whole, or its name has what it had: on a real file system, with what a system can refuse."""

from __future__ import annotations

import ast
import errno
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.cli.screen.tables import write_table
from batch_issuer.files import draft, put, sync_folder, write_whole
from batch_issuer.ledger.export import backup
from batch_issuer.ledger.schema import create_file
from batch_issuer.messages import Messages
from batch_issuer.model.problems import Stop
from batch_issuer.reading.learned import write_settings
from batch_issuer.reports.fill_in.template import write_template
from batch_issuer.reports.replacing import replace_file
from batch_issuer.send.filing import Day, Filed

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes, links and limits are POSIX")
NEW, OLD = b"new" * 50_000, b"old"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture
def umask() -> Iterator[None]:
    """A umask that takes nothing away, so that what is left out was never asked for."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("content", [b"", NEW, [b"in ", b"", b"pieces"]])
@pytest.mark.parametrize("new", [True, False])
def test_a_file_has_its_content_and_nothing_is_beside_it(
    tmp_path: Path, content: bytes | list[bytes], *, new: bool
) -> None:
    path = tmp_path / "a.bin"
    write_whole(path, content, new=new)
    assert path.read_bytes() == (content if isinstance(content, bytes) else b"in pieces")
    assert names(tmp_path) == ["a.bin"]


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_the_last_one_written_is_what_is_there(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    """However long the older ones were."""
    path = tmp_path_factory.mktemp("files") / "a.bin"
    for content in (OLD, *contents):
        write_whole(path, content)
    assert path.read_bytes() == [OLD, *contents][-1]
    assert names(path.parent) == ["a.bin"]


@pytest.mark.parametrize("name", ["ñandú.csv", "x" * 255, ".hidden", "con espacio .xlsx", "-", "a\nb"])
@POSIX
def test_a_name_is_as_long_as_the_system_takes_it(tmp_path: Path, name: str) -> None:
    """The draft has a name of its own, which does not grow with it."""
    write_whole(tmp_path / name, NEW)
    assert names(tmp_path) == [name]


def test_a_name_in_the_folder_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_whole(Path("a.bin"), NEW)
    assert names(tmp_path) == ["a.bin"]
    for no_file in (".", ".."):
        with pytest.raises(OSError, match=r".+"):
            write_whole(Path(no_file), NEW)
    assert names(tmp_path) == ["a.bin"]


def test_what_is_new_never_takes_a_name_that_is_taken(tmp_path: Path) -> None:
    """By a file, a folder, or a link to nothing."""
    (tmp_path / "file").write_bytes(OLD)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for name in ("file", "folder", "link"):
        with pytest.raises(FileExistsError):
            write_whole(tmp_path / name, NEW, new=True)
    assert (tmp_path / "file").read_bytes() == OLD
    assert names(tmp_path) == ["file", "folder", "link"]


def refuse(number: int) -> object:
    """A call of the system that fails."""

    def failing(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return failing


def test_what_is_new_on_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FAT and some shares have none: the name is looked at before it is given."""
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    (tmp_path / "old").write_bytes(OLD)
    write_whole(tmp_path / "a.bin", NEW, new=True)
    for name in ("a.bin", "link", "old"):
        with pytest.raises(FileExistsError):
            write_whole(tmp_path / name, b"other", new=True)
    assert names(tmp_path) == ["a.bin", "link", "old"]
    assert ((tmp_path / "a.bin").read_bytes(), (tmp_path / "old").read_bytes()) == (NEW, OLD)


@POSIX
@pytest.mark.usefixtures("umask")
def test_who_may_read(tmp_path: Path) -> None:
    """A private file its owner only, whatever was there; another keeps what its owner gave it."""
    path = tmp_path / "a.bin"
    write_whole(path, NEW, private=False)
    assert mode(path) == "0o666"
    for given_by_owner in (0o640, 0o444, 0o600):
        path.chmod(given_by_owner)
        write_whole(path, NEW, private=False)
        assert mode(path) == oct(given_by_owner)
    path.chmod(0o666)
    write_whole(path, NEW)
    assert mode(path) == "0o600"
    os.umask(0o027)
    write_whole(tmp_path / "b.bin", NEW, private=False)
    write_whole(tmp_path / "c.bin", NEW)
    assert (mode(tmp_path / "b.bin"), mode(tmp_path / "c.bin")) == ("0o640", "0o600")


@POSIX
@pytest.mark.usefixtures("umask")
def test_a_private_draft_is_never_anybody_elses(tmp_path: Path) -> None:
    """Not while it is written either."""
    with draft(tmp_path / "a.bin") as file:
        assert mode(Path(file.name)) == "0o600"
    assert names(tmp_path) == []


@pytest.mark.parametrize("where", ["in", "out"])
def test_a_link_is_replaced_and_never_followed(tmp_path: Path, where: str) -> None:
    """What it pointed to stays as it was, in the folder or out of it; so does its permission, which is not taken over."""
    folder = tmp_path / "folder"
    folder.mkdir()
    other = (folder if where == "in" else tmp_path) / "other"
    other.write_bytes(OLD)
    path = folder / "a.bin"
    for private in (True, False):
        path.unlink(missing_ok=True)
        path.symlink_to(other)
        write_whole(path, NEW, private=private)
        assert (path.is_symlink(), path.read_bytes(), other.read_bytes()) == (False, NEW, OLD)
    assert sorted({*names(folder)} - {"other"}) == ["a.bin"]


def test_a_draft_is_made_through_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever guesses its name and puts a link there is found out."""
    monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
    with draft(tmp_path / "a.bin") as file:
        guessed = Path(file.name)
    (tmp_path / "victim").write_bytes(OLD)
    guessed.symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "a.bin", NEW)
    assert (tmp_path / "victim").read_bytes() == OLD
    assert guessed.is_symlink(), "what is not ours is not taken away"


def test_two_hosts_have_no_draft_in_common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two containers on one share may have the same process id."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with draft(tmp_path / "a.bin") as first, draft(tmp_path / "a.bin") as second:
        first.write(b"first")
        second.write(b"second")
        put(second, tmp_path / "a.bin")
        put(first, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == b"first"
    assert names(tmp_path) == ["a.bin"]


def test_of_many_writers_at_once_one_wins(tmp_path: Path) -> None:
    """Everybody who looks meanwhile sees a whole file; of new ones just one gets the name."""
    path, contents = tmp_path / "a.bin", [bytes([number]) * 200_000 for number in range(8)]
    write_whole(path, contents[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    got: list[int] = []

    def write(number: int) -> None:
        write_whole(path, contents[number])
        try:
            write_whole(tmp_path / "new.bin", contents[number], new=True)
        except FileExistsError:
            return
        got.append(number)

    looking = threading.Thread(target=look)
    looking.start()
    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    looking.join()
    assert seen <= set(contents)
    assert (tmp_path / "new.bin").read_bytes() == contents[got[0]]
    assert len(got) == 1
    assert names(tmp_path) == ["a.bin", "new.bin"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_what_the_system_refuses_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """A disk that is full when it is to be synced; on Windows, a target that is open in Excel."""
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    monkeypatch.setattr(os, call, refuse(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        write_whole(path, NEW)
    assert caught.value.errno == number
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["a.bin"]


LIMITED = """
import resource, sys
from pathlib import Path
from batch_issuer.files import draft, put, write_whole
path, how = Path(sys.argv[1]), sys.argv[2]
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    if how == "write":
        write_whole(path, b"x" * 100_000)
    elif how == "pieces":
        write_whole(path, (b"x" * 100 for _ in range(1000)))
    elif how == "last piece":  # found out only when what was kept back is written
        write_whole(path, (b"x" * 100 for _ in range(201)))
    else:
        with draft(path) as file, open(file.name, "wb") as other:
            other.write(b"x" * 100_000)
except OSError as error:
    print(error.strerror)
"""


@POSIX
@pytest.mark.parametrize("how", ["write", "pieces", "last piece", "by name"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, how: str) -> None:
    """Wherever in the writing it is found out."""
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    done = subprocess.run([sys.executable, "-c", LIMITED, path, how], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("File too large\n", "")
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["a.bin"]


def test_a_folder_that_is_not_there_or_none(tmp_path: Path) -> None:
    """Nothing is made in its place."""
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no" / "a.bin", NEW)
    with pytest.raises(OSError, match="Not a directory" if os.name == "posix" else ""):
        write_whole(tmp_path / "file" / "a.bin", NEW)
    with pytest.raises(OSError, match=r".+"):
        write_whole(tmp_path, NEW)
    assert names(tmp_path) == ["file"]


@POSIX
@pytest.mark.parametrize("new", [True, False])
def test_a_folder_that_goes_away_meanwhile(tmp_path: Path, *, new: bool) -> None:
    """Or becomes a file."""
    folder = tmp_path / "share"
    folder.mkdir()

    def pieces() -> Iterator[bytes]:
        yield NEW
        folder.rename(tmp_path / "elsewhere")
        folder.write_bytes(OLD)

    with pytest.raises(NotADirectoryError):
        write_whole(folder / "a.bin", pieces(), new=new)
    assert folder.read_bytes() == OLD
    assert "a.bin" not in names(tmp_path / "elsewhere")


def test_a_mistake_in_the_middle_leaves_the_old_file(tmp_path: Path) -> None:
    """Whatever is raised while the content is made; and a draft that nobody puts in place is gone."""
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)

    def pieces() -> Iterator[bytes]:
        yield NEW
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, pieces())
    with draft(path) as file:
        file.write(NEW)
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["a.bin"]


KILLED = """
import os, signal, sys
from pathlib import Path
from batch_issuer.files import write_whole
path, moment, new = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"
done = 0
def watch(event, _):
    global done
    if event in ("open", "os.link", "os.rename", "os.remove"):
        done += 1
        if done == moment:
            os.kill(os.getpid(), signal.SIGKILL)
fsync = os.fsync
def slow(number):
    watch("open", ())
    fsync(number)
    watch("open", ())
os.fsync = slow
sys.addaudithook(watch)
write_whole(path, b"new" * 50_000, new=new)
"""


@POSIX
@pytest.mark.parametrize("new", [True, False])
def test_killed_at_any_moment(tmp_path: Path, *, new: bool) -> None:
    """Its name has what it had, or the whole; what a kill leaves is hidden, and hinders nobody."""
    path, before = tmp_path / "a.csv", None if new else OLD
    code, moment, seen = -signal.SIGKILL, 0, set()
    while code:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)
        moment += 1
        code = subprocess.run([sys.executable, "-c", KILLED, path, str(moment), str(new)], check=False).returncode
        assert code in (0, -signal.SIGKILL)
        found = path.read_bytes() if path.exists() else None
        assert found in (before, NEW)
        seen.add(found == NEW)
        for left in {*names(tmp_path)} - {"a.csv"}:
            assert left.startswith(".batch-issuer-")
            assert left.endswith(".draft")
    assert seen == {True, False}
    assert moment >= 7
    assert path.read_bytes() == NEW


def test_who_writes_by_name_is_served(tmp_path: Path) -> None:
    """As SQLite does, and what writes workbooks."""
    path = tmp_path / "a.bin"
    with draft(path) as file:
        Path(file.name).write_bytes(NEW)
        put(file, path)
    assert path.read_bytes() == NEW
    assert names(tmp_path) == ["a.bin"]


@POSIX
def test_a_folder_that_cannot_be_synced_hinders_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems sync no folders; one that fails is told, and then the file is there all the same."""
    fsync = os.fsync

    def refusing(number: int, why: int) -> None:
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(why, os.strerror(why))
        fsync(number)

    for why in (errno.EINVAL, errno.ENOTSUP):
        monkeypatch.setattr(os, "fsync", lambda number, why=why: refusing(number, why))
        write_whole(tmp_path / "a.bin", NEW)
        sync_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda number: refusing(number, errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        write_whole(tmp_path / "b.bin", NEW)
    assert names(tmp_path) == ["a.bin", "b.bin"]


def make_ledger(path: Path) -> Path:
    if not path.exists():
        create_file(path)
    return path


FILED = Filed(
    external_ref="F-1", type="json", file="a", sha256="", size=3, downloaded_at="", state="stamped"
)  # fmt: skip
CONSUMERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a.html": (lambda path: replace_file(path, NEW), "The report {path} cannot be written: {reason}."),
    "a.csv": (lambda path: write_table([{"a": 1}], path), "The report {path} cannot be written: {reason}."),
    "a.xlsx": (lambda path: write_table([{"a": 1}], path), "The report {path} cannot be written: {reason}."),
    "new.xlsx": (lambda path: write_template(Messages("en"), path), "{path} cannot be written: {reason}."),
    "a.toml": (lambda path: write_settings(path, {"source": {"decimal": "point"}}), "{path} cannot be written: {reason}."),
    "a.pdf": (lambda path: Day(path.parent).put(replace(FILED, file=path.name), NEW), "{path} cannot be written: {reason}."),
    "new.db": (create_file, "The ledger {path} cannot be made: {reason}."),
    "new copy.db": (
        lambda path: backup(make_ledger(path.with_name("ledger.db")), path), "The copy {path} could not be made: {reason}."
    ),
}  # fmt: skip
"""Who writes files of the name, and what he says where that cannot be."""


@pytest.mark.parametrize("name", CONSUMERS)
@pytest.mark.parametrize("calls", [("replace", "link", "rename"), ("fsync",)])
def test_everybody_who_writes_says_what_the_system_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, calls: tuple[str, ...]
) -> None:
    """A file that is open in Excel, a disk that fails: a sentence, the old file, and nothing beside it."""
    write, sentence = CONSUMERS[name]
    path = tmp_path / name
    make_ledger(tmp_path / "ledger.db")
    if not name.startswith("new"):
        path.write_text("# old", encoding="utf-8")
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    for call in calls:
        monkeypatch.setattr(os, call, refuse(errno.EACCES))
    with pytest.raises(Stop) as caught:
        write(path)
    assert str(caught.value).splitlines()[0] == sentence.format(path=path, reason="Permission denied")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


ELSEWHERE = {
    "files.py": "this is the writer",
    "cli/screen/output.py": "opens the null device, for output that nobody reads any more",
    "demo.py": "copies the samples into a folder that is new, and tells whoever looks that it is a demo",
    "ledger/lock.py": "a lock lives in the file itself: another one under its name would be another lock",
    "ledger/restore.py": "the ledger that was there gets another name, and its first one again where restoring fails",
    "sandbox/store.py": "another world, which shares no code; it appends to a journal",
}
"""The modules that may do to files what `written_by_hand` finds, each with its reason."""
CALLS = {
    "fsync", "fdatasync", "mkstemp", "mkdtemp", "NamedTemporaryFile", "rename", "renames", "link", "hardlink_to",
    "symlink", "symlink_to", "write_bytes", "touch", "chmod", "fchmod", "copy2", "copyfile", "copyfileobj", "move",
}  # fmt: skip


def written_by_hand(module: Path) -> Iterator[str]:
    """What a module does to files by itself, with its line."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in CALLS:
                pass
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="open" | "replace" as name)):
                pass
            case ast.Call(func=ast.Attribute(attr="replace" as name), args=[_], keywords=[]):  # not a text's
                pass
            case ast.Call(func=ast.Attribute(attr="write_text" as name), args=[_]):  # not a cell's
                pass
            case ast.Call(func=ast.Name(id="open" as name) | ast.Attribute(attr="open" as name)) if any(
                isinstance(one, ast.Constant) and re.fullmatch(r"(?=.*[wxa+])[rwxabt+]{1,4}", str(one.value))
                for one in (*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode"))
            ):
                pass
            case _:
                continue
        yield f"{node.lineno} {name}"


def test_nobody_else_writes_files(root: Path) -> None:
    """What is whole, private and durable is decided in one module; each exception has its reason."""
    package = root / "batch_issuer"
    found = {str(path.relative_to(package)): [*written_by_hand(path)] for path in sorted(package.rglob("*.py"))}
    assert {name: calls for name, calls in found.items() if calls and name not in ELSEWHERE} == {}
    assert {name for name in ELSEWHERE if not found[name]} == set(), "an exception that is none any more"
