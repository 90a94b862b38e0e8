"""A large worksheet part read by two processes, every other block by each, and put together as one would read it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from batch_issuer.forking import Beside, can_fork
from batch_issuer.problems import Stop
from batch_issuer.reading.excel_rows import (
    MAX_FAR_CELLS,
    MAX_MATCHED_COLUMNS,
    CellKeys,
    NotDivisible,
    Share,
    SheetRows,
    read_rows,
)
from batch_issuer.reading.excel_xml import OversizedWorkbook
from batch_issuer.reading.tables import Codes

WORTH_TWO = 24 << 20
"""Bytes of a part: some 50,000 rows. Below it another process costs more than it saves."""


def read_part(archive: zipfile.ZipFile, name: str) -> SheetRows:
    """All rows of a worksheet part. Raises what `read_rows` raises, and what a damaged archive does."""
    if archive.getinfo(name).file_size >= WORTH_TWO and can_fork():
        whole = read_halves(archive, name)
        if whole is not None:
            return whole
    with archive.open(name) as stream:
        return read_rows(stream)


def read_halves(archive: zipfile.ZipFile, name: str) -> SheetRows | None:
    """The same by two processes, or None where one must read it, also to say what is wrong with it."""
    with Beside(partial(_half, archive, name, 1), harmless=True) as other:
        try:
            first = _half(archive, name, 0)
            return put_together(first, other.result())
        except Stop:
            raise  # somebody interrupts
        except Exception:  # noqa: BLE001 - whatever it is, reading all of it meets it again
            return None


@dataclass(frozen=True, slots=True)
class Half:
    """What one process read, as it goes through a pipe."""

    numbers: Codes
    columns: list[tuple[Codes, list[bytes]]]
    """A code for each row, and the distinct keys, the empty one first."""
    hidden_rows: list[int]
    hidden_columns: set[int]
    far: int
    ends: list[int]

    def column(self, number: int) -> tuple[Codes, list[bytes]]:
        """One that only the other half has is empty here."""
        return self.columns[number] if number < len(self.columns) else (np.zeros(len(self.numbers), np.int32), [b""])


def _half(archive: zipfile.ZipFile, name: str, which: int) -> Half:
    with archive.open(name) as stream:
        rows = read_rows(stream, Share(2, which))
    if len(rows.columns) > MAX_MATCHED_COLUMNS:
        raise NotDivisible
    return Half(
        numbers=np.concatenate([np.empty(0, np.int32), *rows.numbers]),
        columns=[(np.concatenate(column.chunks), list(column.code_of)) for column in rows.columns],
        hidden_rows=rows.hidden_rows,
        hidden_columns=rows.hidden_columns,
        far=rows.far,
        ends=rows.ends,
    )


def put_together(first: Half, second: Half) -> SheetRows:
    """The rows of both in the order of the blocks, with codes in the order in which their keys first appear.

    Raises `OversizedWorkbook` and `DamagedSheet` as `read_rows` does.
    """
    if len(first.ends) != len(second.ends):
        raise NotDivisible
    if first.far + second.far > MAX_FAR_CELLS:
        raise OversizedWorkbook
    counts = [np.diff([0, *half.ends]) for half in (first, second)]
    blocks = np.concatenate([np.repeat(np.arange(len(count)), count) for count in counts])
    order = np.argsort(blocks, kind="stable")
    rows = SheetRows(
        hidden_rows=sorted(first.hidden_rows + second.hidden_rows),
        hidden_columns=first.hidden_columns | second.hidden_columns,
        far=first.far + second.far,
    )
    rows.numbers.append(np.concatenate([first.numbers, second.numbers])[order])
    for number in range(max(len(first.columns), len(second.columns))):
        rows.columns.append(_column(first.column(number), second.column(number), order))
    rows.refuse_impossible_numbers()
    return rows


def _column(first: tuple[Codes, list[bytes]], second: tuple[Codes, list[bytes]], order: NDArray[np.intp]) -> CellKeys:
    code_of = {key: code for code, key in enumerate(first[1])}
    of_second = np.array([code_of.setdefault(key, len(code_of)) for key in second[1]], np.int32)
    codes = np.concatenate([first[0], of_second[second[0]]])[order]
    first_row = np.full(len(code_of), len(codes))
    first_row[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    first_row[0] = -1  # the empty key's code is 0 wherever it stands
    by_row = np.argsort(first_row)
    renumbered = np.empty(len(by_row), np.int32)
    renumbered[by_row] = np.arange(len(by_row), dtype=np.int32)
    found = CellKeys(chunks=[renumbered[codes]])
    keys = list(code_of)
    found.code_of.update((keys[code], new) for new, code in enumerate(by_row.tolist()))
    return found
