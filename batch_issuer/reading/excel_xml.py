"""The XML of workbooks: a parser that refuses what no spreadsheet program writes, and the texts that sheets share."""

from __future__ import annotations

import html
import re
from xml.parsers import expat


class DamagedSheet(Exception):  # noqa: N818 - the reader of workbooks says what to do
    """The XML of a sheet is not what a spreadsheet program writes."""


def strict_parser() -> expat.XMLParserType:
    """An XML parser that refuses document type declarations, and with them entities of any kind."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise DamagedSheet

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def plain_strings(part: bytes) -> list[str] | None:
    """Shared strings that are all plain texts, fast; None where one has runs of its own formats."""
    found = re.findall(rb"<si><t(?: xml:space=\"preserve\")?(?:/>|>([^<]*)</t>)</si>", part)
    if len(found) != part.count(b"<si>") or b"<!" in part or b"<si/>" in part or b"\0" in part or b":si>" in part:
        return None
    texts: list[str] = [text.decode().replace("\r\n", "\n") for text in found]
    return [html.unescape(text) if "&" in text else text for text in texts]


def rich_strings(part: bytes) -> list[str]:
    """Shared strings through the XML parser: runs are joined, phonetic hints left out."""
    strings: list[str] = []
    inside: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        inside.append(name.rpartition(":")[2])
        if inside[-1] == "si":
            strings.append("")

    def text(characters: str) -> None:
        if inside and inside[-1] == "t" and "rPh" not in inside:
            strings[-1] += characters

    parser = strict_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: inside.pop()
    parser.CharacterDataHandler = text
    try:
        parser.Parse(part, True)
    except expat.ExpatError as error:
        raise DamagedSheet from error
    return strings
