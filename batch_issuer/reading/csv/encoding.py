"""The bytes of a CSV file, which is read twice: to find out how its text is encoded, then as that text.

Only the whole file tells UTF-8 from Windows-1252. What is read the second time must be what was surveyed the first.
"""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TextIO

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 20
"""Bytes that are read at once."""
SAMPLE = 1 << 16
"""Bytes of the first lines, from which separator and width are told."""
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
_UNDEFINED_IN_CP1252 = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))
"""Bytes to which Windows-1252 gives no character: a text that has one is in some third encoding."""
_TELLING = bytes((0, *_UNDEFINED_IN_CP1252))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the first pass over a file found."""

    sha256: str
    size: int
    encoding: str
    bom: int
    """Bytes of byte-order mark to pass over."""
    holds_nul: bool
    """Bytes of zero, which UTF-16 and UTF-32 have in every ordinary letter: in the others a write has failed."""
    sample: str
    """The first lines."""


def survey_csv(path: str, stream: BinaryIO) -> Survey:
    """Read a file to its end for its encoding: a byte-order mark, else strict UTF-8, else Windows-1252.

    Raises `CannotStart` for text in neither, and for a line that is no row of a table.
    """
    stream.seek(0)
    first = stream.read(BLOCK)
    bom, encoding = _marked_encoding(first)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    sha256, seen, fits = hashlib.sha256(), set[int](), True
    stream.seek(0)
    for block in _blocks(path, stream):
        sha256.update(block)
        seen.update(byte for byte in _TELLING if byte in block)
        fits = fits and _decodes(decoder, block)
    fits = fits and _decodes(decoder, b"", final=True)
    if not fits and (bom or seen & _UNDEFINED_IN_CP1252):
        raise CannotStart(
            N_("{file}: the text is neither UTF-8 nor Windows-1252."),
            repair=N_(
                "Open it in the program that made it and save it as «CSV UTF-8», or as an Excel workbook (.xlsx)."
            ),
            file=path,
        )
    encoding = encoding if fits else "cp1252"
    holds_nul = 0 in seen and not encoding.startswith(("utf-16", "utf-32"))
    sample = first[bom : bom + SAMPLE].decode(encoding, "ignore")  # it may end within a character
    return Survey(
        sha256=sha256.hexdigest(), size=stream.tell(), encoding=encoding, bom=bom, holds_nul=holds_nul, sample=sample
    )


def _blocks(path: str, stream: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of a stream in blocks.

    Raises `CannotStart` for a line that no table has: the two readers of rows would hold it whole in memory.
    """
    line = 0
    while block := stream.read(BLOCK):
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        line = line + len(block) if end < 0 else len(block) - end
        if line > MAX_LINE:
            raise CannotStart(
                N_("{file} has a line of more than {size} MB: it is no table."),
                repair=N_("Save it again from the program that made it, as CSV or as an Excel workbook (.xlsx)."),
                file=path,
                size=MAX_LINE >> 20,
            )
        yield block


def _marked_encoding(first: bytes) -> tuple[int, str]:
    """Return the size of the byte-order mark, and the encoding that it or the zeros among the first bytes name."""
    for mark, encoding in _BOMS:
        if first.startswith(mark):
            return len(mark), encoding
    # UTF-16 without a byte-order mark: of ordinary letters every other byte is zero.
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


@contextmanager
def surveyed_text(path: str, stream: BinaryIO, survey: Survey) -> Iterator[TextIO]:
    """Open a surveyed file as text, to be read to its end within the block.

    Raises `CannotStart` where what is read is no longer what was surveyed.
    """
    again = _Again(stream, survey.bom)
    try:
        yield io.TextIOWrapper(io.BufferedReader(again, BLOCK), encoding=survey.encoding, errors="strict", newline="")
    except UnicodeDecodeError as error:
        raise _changed(path) from error
    if again.sha256.hexdigest() != survey.sha256:
        raise _changed(path)


class _Again(io.RawIOBase):
    """The bytes of a file after its byte-order mark, and the hash of all of them."""

    def __init__(self, stream: BinaryIO, bom: int) -> None:
        super().__init__()
        stream.seek(0)
        self._stream = stream
        self.sha256 = hashlib.sha256(stream.read(bom))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        block = self._stream.read(len(view))
        self.sha256.update(block)
        view[: len(block)] = block
        return len(block)


def _changed(path: str) -> CannotStart:
    return CannotStart(
        N_("{file} changed while it was read."),
        repair=N_("Wait until the program that writes it has finished, and run again."),
        file=path,
    )
