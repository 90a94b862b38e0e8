"""Large CSV files by pandas' C reader; where there is a second core, another process reads the second half."""

from __future__ import annotations

import codecs
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batch_issuer.forking import Beside, can_fork
from batch_issuer.reading.csv_survey import BLOCK, Middle, Survey
from batch_issuer.reading.csv_tables import MAX_CELL, MAX_ROWS, Again, Layout, changed, many_rows, table_of
from batch_issuer.reading.tables import Column, ColumnBuilder, Table

_ROWS = 100_000

Read = Callable[[int], bytes]
"""At most so many bytes more; none at the end."""


def read_fast(path: str, stream: BinaryIO, survey: Survey, layout: Layout) -> tuple[Table, str] | None:
    """The columns and the file's hash, or None where pandas refuses the file. Raises `CannotStart` as `read_csv`."""
    if survey.middle is not None and can_fork():
        return read_halves(path, stream, survey, layout, survey.middle)
    raw = Again(stream, survey.bom)
    found = _columns(_Utf8(raw.read_block, survey.encoding), layout, path)
    return None if found is None else (table_of(*found), raw.digest_of(path, survey))


def read_halves(
    path: str, stream: BinaryIO, survey: Survey, layout: Layout, middle: Middle
) -> tuple[Table, str] | None:
    """The same by two processes. Were `middle` within a quoted cell, pandas would refuse the first half."""
    with Beside(partial(_second_half, path, stream.fileno(), survey, layout, middle), harmless=True) as other:
        raw = Again(stream, survey.bom)
        first = _up_to(middle.at - survey.bom, raw.read_block)
        found = _columns(_Utf8(first, survey.encoding), layout, path)
        if found is None:
            return None
        second = other.result()
    if second is None:
        return None
    if (raw.checksum, second.checksum) != (middle.checksum, survey.checksum):
        raise changed(path)
    builders, rows = found
    for builder, (codes, texts) in zip(builders, second.columns, strict=True):
        builder.add_factorized(codes, texts)
    if rows + second.rows > MAX_ROWS:
        raise many_rows(path)
    return table_of(builders, rows + second.rows), survey.sha256


@dataclass(frozen=True, slots=True)
class _Half:
    """What the other process read, as it goes through a pipe."""

    rows: int
    columns: Sequence[tuple[NDArray[np.unsignedinteger], Sequence[str]]]
    """A code for each row, and the distinct texts in the order of their first row."""
    checksum: int
    """Of the whole file, if its first half is what was surveyed."""


def _second_half(path: str, file: int, survey: Survey, layout: Layout, middle: Middle) -> _Half | None:
    at, checksum = middle.at, middle.checksum

    def read(size: int) -> bytes:
        nonlocal at, checksum
        block = os.pread(file, size, at)
        at += len(block)
        checksum = zlib.crc32(block, checksum)
        return block

    found = _columns(_Utf8(read, survey.encoding), layout, path, begins=False)
    if found is None:
        return None
    builders, rows = found
    columns = [builder.column() for builder in builders]
    return _Half(rows, [(_narrow(column), column.texts) for column in columns], checksum)


def _narrow(column: Column) -> NDArray[np.unsignedinteger]:
    """Its codes in as few bytes as they need: less to send."""
    return column.codes.astype(np.min_scalar_type(len(column.texts)))


def _up_to(size: int, read: Read) -> Read:
    left = size

    def read_less(most: int) -> bytes:
        nonlocal left
        block = read(min(most, left))
        left -= len(block)
        return block

    return read_less


class _Utf8:
    """What pandas reads: UTF-8 whatever the file's encoding, so that no text is decoded twice."""

    def __init__(self, read: Read, encoding: str) -> None:
        self._read = read
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)("strict")

    def read(self, size: int = -1) -> bytes:
        while block := self._read(size):
            if self._decoder is None:
                return block
            if text := self._decoder.decode(block):
                return text.encode()
        return b""

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(BLOCK), b"")


def _columns(
    source: _Utf8, layout: Layout, path: str, *, begins: bool = True
) -> tuple[list[ColumnBuilder], int] | None:
    """The columns of a stretch of rows and how many they are; None where pandas refuses them."""
    builders = [ColumnBuilder() for _ in range(layout.width)]
    rows = 0
    try:
        chunks = pd.read_csv(  # type: ignore[call-overload] # the stubs ask more of a stream than pandas does
            source,
            engine="c",
            dtype=object,
            header=None,
            names=list(range(layout.width)),
            index_col=None,
            sep=layout.separator,
            na_filter=False,
            keep_default_na=False,
            skip_blank_lines=False,
            skiprows=1 if layout.announced and begins else None,
            encoding="utf-8",
            low_memory=True,
            chunksize=_ROWS,
        )
        for chunk in chunks:
            rows += len(chunk)
            if rows > MAX_ROWS:
                raise many_rows(path)
            for number, builder in enumerate(builders):
                codes, distinct = pd.factorize(chunk[number].to_numpy())
                if max(map(len, distinct), default=0) > MAX_CELL:
                    return None
                builder.add_factorized(codes, distinct)
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        return None
    return builders, rows
