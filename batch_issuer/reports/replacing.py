"""A report takes the place of an older one, whole or not at all; where it cannot, the sentence says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from batch_issuer.files import write_whole
from batch_issuer.messages import N_
from batch_issuer.model.problems import StoppedMidway


def replace_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a report over an older one, for its owner only: it holds customers' names and what they bought.

    What is large is given in pieces, made as they are written.

    Raises `StoppedMidway` where disk or folder refuse: the ledger has everything.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> StoppedMidway:
    """Say what it means that the system refuses a report, or what is needed to make it."""
    return StoppedMidway(
        N_("The report {path} cannot be written: {reason}."),
        repair=N_(
            "Close it where it is open, make room on the disk, or name another folder with --out; "
            "then make the reports again. The ledger has everything."
        ),
        path=path,
        reason=error.strerror or str(error),
    )
