"""The first pass over a CSV: digest, encoding, first lines, and where two processes may divide a large one."""

from __future__ import annotations

import codecs
import hashlib
import io
import os
import zlib
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from batch_issuer.forking import Beside
from batch_issuer.messages import N_
from batch_issuer.problems import CannotStart

FAST_FROM_BYTES = 3_000_000
"""Below this the import of pandas costs more than it saves."""
WORTH_TWO = 12 << 20
"""Bytes: some 130,000 rows. Below it another process costs more than it saves to read the second half."""
BLOCK = 1 << 20
"""Bytes that are read at once."""
SAMPLE = 1 << 16
MAX_LINE = 4 << 20
"""Bytes without a line end; a row of a table has some hundreds."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 before UTF-16, whose mark is the beginning of its own."""
_UNDEFINED_IN_CP1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))


@dataclass(frozen=True, slots=True)
class Middle:
    """Where a row begins near the middle of a file, as far as the quotation marks before it tell."""

    at: int
    checksum: int
    """Of everything before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the first pass over a file found."""

    sha256: str
    checksum: int
    """A quicker one, by which the second pass proves that it reads the same bytes."""
    size: int
    middle: Middle | None
    """Of a large file that can be divided."""
    encoding: str
    bom: int
    """Bytes of byte-order mark to pass over."""
    holds_nul: bool
    sample: str
    """The first lines."""


def survey_file(path: str, stream: BinaryIO) -> Survey:
    """The survey of a large file is made by another process while this one imports pandas."""
    large = stream.seek(0, os.SEEK_END) >= FAST_FROM_BYTES
    with Beside(partial(_with_middle, path, stream), worth=large, harmless=True) as surveying:
        if large:
            import batch_issuer.reading.csv_fast  # noqa: F401, PLC0415 - so that it is there
        return surveying.result()


def _with_middle(path: str, stream: BinaryIO) -> Survey:
    large = stream.seek(0, os.SEEK_END) >= WORTH_TWO
    return survey_csv(path, stream, find_middle(stream) if large else None)


def survey_csv(path: str, stream: BinaryIO, middle: int | None = None) -> Survey:
    """Digest, size, encoding and first lines: a byte-order mark, else strict UTF-8, else Windows-1252."""
    stream.seek(0)
    first = stream.read(BLOCK)
    bom, encoding = _marked_encoding(first)
    sha256 = hashlib.sha256()
    checksum, size, line, holds_nul, undefined = 0, 0, 0, False, False
    found: Middle | None = None
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    fits, block = True, first
    while block:
        sha256.update(block)
        if middle is not None and size <= middle < size + len(block):
            found = Middle(middle, zlib.crc32(block[: middle - size], checksum))
        checksum = zlib.crc32(block, checksum)
        undefined = undefined or (not block.isascii() and any(byte in block for byte in _UNDEFINED_IN_CP1252))
        holds_nul = holds_nul or b"\0" in block
        fits = fits and _decodes(decoder, block if size else block[bom:])
        size += len(block)
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        line = line + len(block) if end < 0 else len(block) - end
        if line > MAX_LINE:
            raise _long_line(path)
        block = stream.read(BLOCK)
    fits = fits and _decodes(decoder, b"", final=True)
    if not fits:
        if bom or undefined:
            raise _in_no_encoding(path)
        encoding = "cp1252"
    sample = codecs.getincrementaldecoder(encoding)("strict").decode(first[bom : bom + SAMPLE])
    return Survey(
        sha256=sha256.hexdigest(),
        checksum=checksum,
        size=size,
        middle=found,
        encoding=encoding,
        bom=bom,
        holds_nul=holds_nul and not encoding.startswith(("utf-16", "utf-32")),
        sample=sample,
    )


def find_middle(stream: BinaryIO) -> int | None:
    """Where a row begins near the middle, as far as the quotation marks before it tell; None where nobody can say."""
    if not isinstance(stream, io.BufferedReader):
        return None
    file, size = stream.fileno(), stream.seek(0, os.SEEK_END)
    half = size // 2
    if _marked_encoding(os.pread(file, BLOCK, 0))[1] != "utf-8":
        return None
    marks = sum(os.pread(file, min(BLOCK, half - at), at).count(b'"') for at in range(0, half, BLOCK))
    window, start = os.pread(file, BLOCK, half), 0
    while (end := window.find(b"\n", start) + 1) > 0:
        marks += window.count(b'"', start, end)
        if marks % 2 == 0 and half + end < size:
            return half + end
        start = end
    return None


def _long_line(path: str) -> CannotStart:
    return CannotStart(
        N_("{file} has a line of more than {size} MB: it is no table."),
        repair=N_("Save it again from the program that made it, as CSV or as an Excel workbook (.xlsx)."),
        file=path,
        size=MAX_LINE >> 20,
    )


def _marked_encoding(first: bytes) -> tuple[int, str]:
    for mark, encoding in _BOMS:
        if first.startswith(mark):
            return len(mark), encoding
    even, odd = first[:200:2], first[1:200:2]
    if odd.count(0) > len(odd) // 2 and not even.count(0):
        return 0, "utf-16-le"
    if even.count(0) > len(even) // 2 and not odd.count(0):
        return 0, "utf-16-be"
    return 0, "utf-8"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _in_no_encoding(path: str) -> CannotStart:
    return CannotStart(
        N_("{file}: the text is neither UTF-8 nor Windows-1252."),
        repair=N_("Open it in the program that made it and save it as «CSV UTF-8», or as an Excel workbook (.xlsx)."),
        file=path,
    )
