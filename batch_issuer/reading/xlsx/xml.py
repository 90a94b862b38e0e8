"""The XML of workbooks: a parser that refuses what no spreadsheet program writes, and the texts that sheets share."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from xml.parsers import expat

from batch_issuer.reading.xlsx.cells import Style, style_of

MAX_FORMATS = 200_000
"""Excel takes some 65,000."""


class DamagedSheet(Exception):  # noqa: N818 - the reader of workbooks says what to do
    """The XML of a sheet is not what a spreadsheet program writes."""


class OversizedWorkbook(DamagedSheet):
    """There is more of something than any workbook of sales has."""


def strict_parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], object],
    text: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    """Return an XML parser that calls these with tags and texts.

    It raises `DamagedSheet` for document type declarations, and with them for entities of any kind: an entity may
    stand for gigabytes, or for a file of this machine.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text

    def refuse(*_: object) -> None:
        raise DamagedSheet

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def read_styles(part: bytes) -> tuple[Style, ...]:
    """Return what the number format of each cell style does, in the order of their numbers.

    Raises `DamagedSheet` for XML that is not well-formed, `OversizedWorkbook` for more formats than Excel takes.
    """
    custom: dict[int, str] = {}
    formats: list[int] = []
    inside: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "numFmt":
            custom[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
        elif tag == "xf" and inside[-1:] == ["cellXfs"]:
            formats.append(int(attributes.get("numFmtId", 0)))
        inside.append(tag)
        if len(custom) > MAX_FORMATS or len(formats) > MAX_FORMATS:
            raise OversizedWorkbook

    parse_whole(part, start, lambda _: inside.pop())
    of_id = {number: style_of(number, custom) for number in set(formats)}
    return tuple(of_id[number] for number in formats)


def parse_whole(
    part: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], object],
    text: Callable[[str], None] | None = None,
) -> None:
    """Feed a whole part to handlers.

    Raises `DamagedSheet` where it is not well-formed.
    """
    parser = strict_parser(start, end, text)
    try:
        parser.Parse(part, True)
    except expat.ExpatError as error:
        raise DamagedSheet from error


def plain_strings(part: bytes) -> list[str] | None:
    """Return shared strings that are all plain texts, fast; None where one has runs of its own formats."""
    found = re.findall(rb"<si><t(?: xml:space=\"preserve\")?(?:/>|>([^<]*)</t>)</si>", part)
    if len(found) != part.count(b"<si>") or b"<!" in part or b"<si/>" in part or b"\0" in part or b":si>" in part:
        return None
    texts: list[str] = [text.decode().replace("\r\n", "\n") for text in found]
    return [html.unescape(text) if "&" in text else text for text in texts]


def rich_strings(part: bytes) -> list[str]:
    """Return shared strings through the XML parser: runs are joined, phonetic hints left out.

    Raises `DamagedSheet` for XML that is not well-formed.
    """
    strings: list[str] = []
    inside: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        inside.append(name.rpartition(":")[2])
        if inside[-1] == "si":
            strings.append("")

    def text(characters: str) -> None:
        if inside and inside[-1] == "t" and "rPh" not in inside:
            strings[-1] += characters

    parse_whole(part, start, lambda _: inside.pop(), text)
    return strings
