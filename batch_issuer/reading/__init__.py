"""Files to documents. Who wants the sales of files calls `read(paths, settings)` and gets a `Batch`.

Two more doors: `reference_lists.read_references` for lists without sales, `learned` for what the settings may say next
time. `reports`, which writes files that are read again, asks `cells`, `headings` and `own_sheets` how they will be.

Hidden here: how a CSV or a workbook is stored, which heading means which field, what a cell means, and which rows make
a document. The room may use `model`, `settings`, `files`, `messages`, and of `rules` the check digits only.

The way of the data: paths → `csv/` or `xlsx/` → `tables.Sheet` (texts) → `headings/` → `sheets/` with `cells/` → one
`SheetSales` a sheet → `documents/` → `Batch`.

- `which_sheets`: the files of one command, and which sheets of theirs are read
- `paths`: paths, folders and globs to open files; what is no table is refused by its first bytes
- `tables`: columns of distinct texts, what every file becomes
- `csv/`, `xlsx/`: one file format each
- `headings/`: which column is which field
- `cells/`: what the text of one cell means
- `sheets/`: the sales rows of one sheet, and what the sheet says against itself
- `documents/`: the rows of all sheets to documents
- `batch`: what the room gives: `Batch`, `Entry`, `SourceFile`
- `kinds`: the problems that this room finds
- `own_sheets`: sheets that this program made: the template's example, the workbook to correct
- `reference_lists`: files that only list references, for commands that take some
- `learned`: what was found out about a source, written into the settings
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from batch_issuer.reading.batch import Batch, Entry, Mapped, RepeatedRows, SheetRow, SourceFile
from batch_issuer.settings import Settings

__all__ = ["Batch", "Entry", "Mapped", "RepeatedRows", "SheetRow", "SourceFile", "read"]


def read(paths: Sequence[str], settings: Settings, stdin: BinaryIO | None = None) -> Batch:
    """Read the batch that files, folders and globs make together; `-` is a CSV on `stdin`.

    Raises `CannotStart` for what cannot be read, or can be read in two ways.
    """
    from batch_issuer.reading.which_sheets import read_batch  # noqa: PLC0415 - numpy takes a tenth of a second

    return read_batch(paths, settings, stdin)
