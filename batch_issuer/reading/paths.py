"""From paths, folders, globs and standard input to sheets, each file named for what it is and read once.

What is no table is refused by its first bytes, not by its name, with how to save it as one.
"""

from __future__ import annotations

import difflib
import glob
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart

STANDARD_INPUT = "-"
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
"""What is taken from a folder: also workbooks that cannot be read, so that none is passed over in silence."""
IN_MEMORY = 64 << 20
"""Standard input beyond this waits in a temporary file."""

MOST_BYTES = 8 << 30
"""No standard input of sales is larger; a stream that never ends would fill the disk."""

_AS_XLSX = N_("Open it in Excel and save it with File > Save As > «Excel Workbook (.xlsx)», or as «CSV UTF-8».")
_SAVE_AS_TABLE = N_("Export the sales as an Excel workbook (.xlsx) or as CSV and use that file.")
_FIRST_BYTES = 8192
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PICTURE = N_("{file} is a picture.")
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", N_("{file} is a PDF: it shows a table and holds none that can be read.")),
    (b"\x1f\x8b", N_("{file} is compressed (gzip).")),
    (b"7z\xbc\xaf", N_("{file} is compressed (7z).")),
    (b"Rar!", N_("{file} is compressed (rar).")),
    (b"BZh", N_("{file} is compressed (bzip2).")),
    (b"\xfd7zXZ", N_("{file} is compressed (xz).")),
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"II*\x00", _PICTURE),
    (b"MM\x00*", _PICTURE),
    (b"SQLite format 3", N_("{file} is a database.")),
    (b"\x00\x01\x00\x00Standard ", N_("{file} is a database.")),
    (b"PAR1", N_("{file} is a Parquet file.")),
    (b"{\\rtf", N_("{file} is a document of Word or PowerPoint.")),
    (b"ID;P", N_("{file} is a SYLK file, an old format for exchanging sheets.")),
    (b"MIME-Version:", N_("{file} is a web page or a message, whatever its name says.")),
    (b"BEGIN:V", N_("{file} is a card or a calendar, not a table.")),
)
_FOREIGN_TEXTS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    (
        (b"<!doctype html", b"<html", b"<table", b"<head", b"<meta"),
        N_("{file} is a web page, whatever its name says."),
        _AS_XLSX,
    ),
    ((b"<?xml",), N_("{file} is XML, not a table of the kinds that can be read."), _AS_XLSX),
    ((b"{", b"[{", b"[\n", b"[\r\n"), N_("{file} is JSON, not a table."), _SAVE_AS_TABLE),
)
"""How other kinds of text begin, in small letters and after spaces."""
_STRANGE = tuple(sorted({*range(1, 32)} - {7, 8, 9, 10, 11, 12, 13, 26, 27}))
"""Control characters that texts do not have; a few may be damage, many are another kind of file."""
_OTHER_ARCHIVES = (
    ("vbaProject.bin", N_("{file} is a workbook with macros (.xlsm).")),
    ("workbook.bin", N_("{file} is a binary workbook (.xlsb).")),
    (".iwa", N_("{file} is a sheet of Apple Numbers.")),
)
"""How a name in the archive ends, and what the archive then is."""


def find_files(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the files that paths, folders and globs name, each once, in the order given; folders by name.

    Raises `CannotStart` for what names nothing.
    """
    found: dict[str, str] = {}
    for path in paths:
        for file in _files_of(path):
            # A folder and a pattern may name the same file: read twice, it would be refused as a copy of itself.
            found.setdefault(file if file == STANDARD_INPUT else str(Path(file).resolve()), file)
    if not found:
        raise CannotStart(
            N_("No file was named."),
            repair=N_("Name one or more .xlsx or .csv files, folders, or - for standard input."),
        )
    return tuple(found.values())


def _files_of(path: str) -> Iterable[str]:
    """Return the files that one path, folder or pattern names.

    Raises `CannotStart` where these are none.
    """
    given = Path(path)
    if given.is_dir() and path != STANDARD_INPUT:
        files = sorted(str(file) for file in given.iterdir() if _is_table(file))
        if not files:
            raise CannotStart(
                N_("The folder {path} has no tables."),
                repair=N_("It must hold .xlsx or .csv files; folders inside it are not looked into."),
                path=given,
            )
        return files
    if path == STANDARD_INPUT or given.exists():  # a file may be called `ventas [1].csv`, which is a pattern too
        return (path,)
    if not glob.has_magic(path):
        raise _no_such_file(given)
    found = glob.glob(path, recursive=True)  # noqa: PTH207 - a pattern may be absolute
    matched = sorted(file for file in found if _is_table(Path(file)))
    if not matched:
        raise CannotStart(N_("No file matches {path}."), repair=N_("Check the folder and the pattern."), path=path)
    return matched


def _is_table(file: Path) -> bool:
    """Whether a file may be a table; Excel leaves `~$name.xlsx` beside a workbook that is open, which is none."""
    return file.is_file() and file.suffix.lower() in ENDINGS and not file.name.startswith(("~$", "."))


def _no_such_file(path: Path) -> CannotStart:
    folder = path.parent
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.6)
    repair = N_("Did you mean {near}?") if near else N_("Check the name and the folder.")
    return CannotStart(N_("There is no file {path}."), repair=repair, path=path, near=folder / near[0] if near else "")


@contextmanager
def opened(path: str, stdin: BinaryIO | None) -> Iterator[BinaryIO]:
    """Open a file or standard input for reading its bytes, of which any part can be read again.

    Raises `CannotStart` where it cannot be opened, or where a stream does not end.
    """
    if path == STANDARD_INPUT:
        with _spooled(stdin) as stream:
            yield stream
        return
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - closed below; only opening is explained
    except OSError as error:
        raise CannotStart(
            N_("{file} cannot be opened: {reason}."),
            repair=N_("If it is open in another program, close it there; check that you may read it."),
            file=path,
            reason=error.strerror or type(error).__name__,
        ) from error
    with stream:
        if stream.seekable():
            yield stream
        else:
            with _spooled(stream) as copy:
                yield copy


@contextmanager
def _spooled(stdin: BinaryIO | None) -> Iterator[BinaryIO]:
    """Copy a stream that can be read once: a CSV is read twice, a workbook from its end."""
    if stdin is None:
        raise CannotStart(
            N_("There is nothing on standard input."),
            repair=N_("Send a CSV into the command, or name a file instead of -."),
        )
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as stream:
        while block := stdin.read(1 << 20):
            stream.write(block)
            if stream.tell() > MOST_BYTES:
                raise CannotStart(
                    N_("What comes in on standard input does not end: it is larger than {size} GB."),
                    repair=N_("Write it into a file first, and name that."),
                    size=MOST_BYTES >> 30,
                )
        stream.seek(0)
        yield stream  # type: ignore[misc]


def is_workbook(path: str, stream: BinaryIO) -> bool:
    """Whether the bytes are an .xlsx; otherwise they may be a CSV.

    Raises `CannotStart` for an empty file and for every other kind of file, named for what it is.
    """
    stream.seek(0)
    first = stream.read(_FIRST_BYTES)
    if not first.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise CannotStart(N_("{file} is empty."), repair=N_("Save it again from the program that made it."), file=path)
    if first.startswith(_ZIP):
        refuse_other_archives(path, stream)
        return True
    if first.startswith(_OLE):
        # An OLE container is an .xls or another old document, or wraps an .xlsx with a password.
        stream.seek(0)
        if _ENCRYPTED in stream.read(1 << 22):
            raise CannotStart(
                N_("{file} is protected with a password."),
                repair=N_("Open it in Excel, remove the password (File > Info > Protect Workbook) and save it."),
                file=path,
            )
        raise CannotStart(N_("{file} is a workbook of the old kind (.xls)."), repair=_AS_XLSX, file=path)
    _refuse_foreign(path, first)
    return False


def _refuse_foreign(path: str, first: bytes) -> None:
    """Raise `CannotStart` where the first bytes of a file are of something else than a CSV, named for what it is."""
    for mark, message in _FOREIGN:
        if first.startswith(mark):
            raise CannotStart(message, repair=_SAVE_AS_TABLE, file=path)
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<?xml") and b"schemas-microsoft-com:office:spreadsheet" in start:
        raise CannotStart(N_("{file} is an XML sheet of Excel 2003."), repair=_AS_XLSX, file=path)
    for marks, message, repair in _FOREIGN_TEXTS:
        if start.startswith(marks):
            raise CannotStart(message, repair=repair, file=path)
    # In UTF-16 and UTF-32 the half of every letter is a control character.
    is_wide = first.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or 4 * first.count(0) > len(first)
    if not is_wide and 50 * sum(map(first.count, _STRANGE)) > len(first):
        raise CannotStart(
            N_("{file} is not text: it is some program's own kind of file."), repair=_SAVE_AS_TABLE, file=path
        )


def refuse_other_archives(path: str, stream: BinaryIO) -> None:
    """Raise `CannotStart` for every zip archive but an .xlsx without macros, named for what it is."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            names = frozenset(archive.namelist())
            small = "mimetype" in names and archive.getinfo("mimetype").file_size < 1000  # a bomb is not unpacked
            kind = archive.read("mimetype")[:100] if small else b""
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise CannotStart(
            N_("{file} is damaged: it cannot be read as a workbook."),
            repair=N_(
                "Copy or download it again. If Excel can open it, save it under a new name as «Excel Workbook (.xlsx)» "
                "and use that file."
            ),
            file=path,
        ) from error
    for ending, message in _OTHER_ARCHIVES:
        if any(name.endswith(ending) for name in names):
            raise CannotStart(message, repair=_AS_XLSX, file=path)
    if b"opendocument" in kind:
        raise CannotStart(N_("{file} is an OpenDocument file (.ods)."), repair=_AS_XLSX, file=path)
    folders = {name.partition("/")[0] for name in names if "/" in name}
    if "xl" not in folders and "[Content_Types].xml" not in names:
        raise CannotStart(
            N_("{file} is a zip archive, not a workbook."), repair=N_("Unpack it and name the files in it."), file=path
        )
    if not folders.isdisjoint({"word", "ppt"}):
        raise CannotStart(N_("{file} is a document of Word or PowerPoint."), repair=_SAVE_AS_TABLE, file=path)


def refuse_copies(files: Sequence[tuple[str, str]]) -> None:
    """Raise `CannotStart` for the same content under two names, given as paths and hashes.

    Every line of it would be issued twice.
    """
    path_of: dict[str, str] = {}
    for path, digest in files:
        if (other := path_of.setdefault(digest, path)) != path:
            raise CannotStart(
                N_("{file} and {other} have the same content: every line would be issued twice."),
                repair=N_("Name only one of them."),
                file=path,
                other=other,
            )
