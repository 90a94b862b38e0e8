"""Brings the Spanish catalog up to date with the texts marked in the code, compiles it, and says what it still lacks.

Texts are marked as `batch_issuer/messages.py` says: `N_("…")`; a singular with its plural, marked or not, where both
are given to `count`; `both_("…", "…")`; and in templates whatever is given to `_`, `filled` and `count`.
Spanish that stands in other .po files is taken over: `python tools/catalog.py FILE.po …`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "batch_issuer" / "locale" / "es" / "LC_MESSAGES" / "batch_issuer.po"
IN_TEMPLATES = {"_": None, "filled": None, "count": (1, 2)}

Marked = str | tuple[str, str]
"""A text, or a singular with its plural."""


def template() -> Catalog:
    """Every text that is marked, with the files where it stands."""
    catalog = Catalog()
    for path in sorted([*(ROOT / "batch_issuer").rglob("*.py"), *(ROOT / "templates").glob("*.j2")]):
        place = path.relative_to(ROOT).as_posix()
        for text in _in_template(path) if path.suffix == ".j2" else _in_module(path):
            catalog.add(text, locations=[(place, 0)])
    return catalog


def _in_template(path: Path) -> Iterator[Marked]:
    for _, text, *_ in extract_from_file("jinja2", path, keywords=IN_TEMPLATES):
        yield text if isinstance(text, str) else (text[0], text[1])


def _in_module(path: Path) -> Iterator[Marked]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = sorted((node for node in ast.walk(tree) if isinstance(node, ast.Call)), key=_position)
    pairs = {call: pair for call in calls if _name(call) in ("count", "both_") and len(pair := _texts(call)) == 2}
    within = {argument for call in pairs for argument in call.args}
    for call in calls:
        if call in pairs:
            yield pairs[call][0], pairs[call][1]
        elif _name(call) == "N_" and call not in within:
            yield from _texts(call)


def _position(call: ast.Call) -> tuple[int, int]:
    return call.lineno, call.col_offset


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts(call: ast.Call) -> list[str]:
    return [text for argument in call.args[:2] if (text := _literal(argument))]


def _literal(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)) | ast.Call(func=ast.Name(id="N_"), args=[ast.Constant(value=str(text))]):
            return text
    return ""


def waiting(catalog: Catalog) -> list[str]:
    """The texts without Spanish, and those whose English has changed since."""
    listed = [message for message in catalog if message.id and (message.fuzzy or "" in _forms(message.string))]
    return [_forms(message.id)[0] for message in listed]


def _forms(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, (tuple, list)) else (str(text or ""),)


def complete(catalog: Catalog, other: Catalog) -> None:
    """Take from another catalog the Spanish that this one lacks."""
    for text in waiting(catalog):
        message, found = catalog[text], other.get(text)
        if found is not None and found.string and found.pluralizable == message.pluralizable:
            message.string, message.flags = found.string, set()


def main(*others: str) -> int:
    with CATALOG.open("rb") as file:
        catalog = read_po(file)
    catalog.update(template(), update_creation_date=False)
    for other in others:
        with Path(other).open("rb") as file:
            complete(catalog, read_po(file))
    for message in catalog:
        message.flags &= {"fuzzy"}  # no text of ours is a format of printf, whatever its per cent signs look like
    with CATALOG.open("wb") as file:
        write_po(file, catalog, width=0, ignore_obsolete=True, include_lineno=False)
    with CATALOG.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)
    for text in waiting(catalog):
        print(f"waits for Spanish: {text!r}")
    return 1 if waiting(catalog) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
