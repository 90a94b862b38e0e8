"""Files to documents: tables of text, which column is which, what the texts mean, which rows make a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from batch_issuer.reading.documents.batch import Batch, Entry, Mapped, RepeatedRows, SheetRow, SourceFile
from batch_issuer.settings import Settings

__all__ = ["Batch", "Entry", "Mapped", "RepeatedRows", "SheetRow", "SourceFile", "read"]


def read(paths: Sequence[str], settings: Settings, stdin: BinaryIO | None = None) -> Batch:
    """The batch that files, folders and globs make together; `-` is a CSV on `stdin`.

    Raises `CannotStart` for what cannot be read, or can be read in two ways.
    """
    from batch_issuer.reading.choice import read_batch  # noqa: PLC0415 - numpy takes a tenth of a second

    return read_batch(paths, settings, stdin)
