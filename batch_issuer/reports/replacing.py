"""A report appears whole under its name or not at all: written beside it, then moved over it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, StoppedMidway

BINARY = getattr(os, "O_BINARY", 0)
"""Windows alone tells texts from bytes."""


def replace_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a report over an older one, for its owner only: it holds customers' names and what they bought.

    What is large is given in pieces, made as they are written.

    Raises `StoppedMidway` where disk or folder refuse: the ledger has everything.
    """
    fresh = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | BINARY, 0o600), "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> StoppedMidway:
    """What it means that the system refuses a report, or what is needed to make it."""
    return StoppedMidway(
        N_("The report {path} cannot be written: {reason}."),
        repair=N_(
            "Close it where it is open, make room on the disk, or name another folder with --out; "
            "then make the reports again. The ledger has everything."
        ),
        path=path,
        reason=error.strerror or str(error),
    )


def write_new_file(path: Path, content: bytes) -> None:
    """Write a file that does not exist yet; an existing one is not touched.

    Raises `CannotStart` where there is one, and where disk or folder refuse.
    """
    fresh = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        if path.exists() or path.is_symlink():
            raise CannotStart(
                N_("{path} exists already."), repair=N_("Give it another name; nothing was overwritten."), path=path
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | BINARY, 0o644), "wb") as file:
            file.write(content)
        fresh.rename(path)
    except OSError as error:
        raise CannotStart(
            N_("{path} cannot be written: {reason}."),
            repair=N_("Choose a folder that you may write to and that has space."),
            path=path,
            reason=error.strerror or str(error),
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink()
