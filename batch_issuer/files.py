"""How files are written: a name has a whole file that survives a power cut, or what it had before.

What is written goes into a draft beside it, which takes the name when it is whole and on the disk. So a full disk, a
folder that goes away, a refusal or a kill leave the older file. The draft's name is random: two hosts on one share have
none in common, and nobody can put a link in its place. A killed program leaves its draft (`.batch-issuer-….draft`),
which no command reads and anybody may delete.

A link under the name is replaced itself; what it points to is never touched. Whoever means what a link points to
(settings, a ledger) looks where that is, and names that place.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes | Iterable[bytes], *, private: bool = True, new: bool = False) -> None:
    """Write a file whose content is at hand, or is made in pieces while it is written.

    `private` and `new` are what `draft` and `put` say. Raises `OSError` as they do.
    """
    with draft(path, private=private) as file:
        file.writelines([content] if isinstance(content, bytes) else content)
        put(file, path, new=new)


@contextmanager
def draft(path: Path, *, private: bool = True) -> Iterator[BinaryIO]:
    """Give an empty file beside `path`, to be written and then `put` in its place; otherwise it is gone afterwards.

    What wants a name to write to, as SQLite does, takes the file's `name`. A private file is its owner's only, whatever
    was there before. Another has the permissions of the file that it replaces, or the usual ones.

    Raises `OSError` where the folder is missing or may not be written.
    """
    name = path.parent / f".batch-issuer-{secrets.token_hex(16)}.draft"
    made_with = partial(os.open, mode=0o600 if private else 0o666)
    file = open(str(name), "xb", opener=made_with)  # noqa: SIM115 - closed below, whatever happens
    try:
        if not private and path.is_file() and not path.is_symlink():
            name.chmod(path.stat().st_mode & 0o777)
        yield file
    finally:
        with suppress(OSError):  # what is still to be written meets the full disk again
            file.close()
        with suppress(OSError):
            name.unlink()


def put(file: BinaryIO, path: Path, *, new: bool = False) -> None:
    """Give a draft, complete, its name: on the disk before it is seen, in place of an older file.

    A `new` file never takes the place of anything. Raises `FileExistsError` where the name is taken then, and `OSError`
    for what the system refuses: the older file stays, unless only the folder could not be synced.
    """
    file.flush()
    os.fsync(file.fileno())
    file.close()  # Windows renames no open file; and some shares tell of a full disk only here
    name = Path(file.name)
    if not new:
        name.replace(path)
    else:
        try:
            os.link(name, path)  # which alone cannot replace what somebody makes meanwhile
        except FileExistsError:
            raise
        except OSError:  # a file system without links, such as FAT
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            name.rename(path)
        else:
            name.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power cut, where the system can. Raises `OSError` where the disk fails."""
    if os.name == "nt":  # opens no folders
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # it may be written, and not be listed
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # what shares say that sync no folders
            raise
    finally:
        os.close(handle)
