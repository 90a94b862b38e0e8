"""Finds the texts that a module marks for the catalog, for Babel; what is marked is said in messages.py."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import IO, Any

Found = tuple[int, str, tuple[str, ...], list[str]]
"""Line, gettext's function for such a text, the text with its plural where it has one, and comments."""


def python(file: IO[bytes], _keywords: Collection[str], _tags: Collection[str], **_options: Any) -> Iterator[Found]:
    """An extraction method of Babel: `N_("…")` is one text; `count("…", "…", n)` and `both_("…", "…")` are a pair."""
    calls = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Call)]
    pairs = {call: pair for call in calls if _name(call) in ("count", "both_") and len(pair := _texts(call)) == 2}
    within = {argument for call in pairs for argument in call.args}
    single = {call: text for call in calls if _name(call) == "N_" and call not in within and (text := _texts(call))}
    for call, texts in sorted((pairs | single).items(), key=lambda one: (one[0].lineno, one[0].col_offset)):
        yield call.lineno, "ngettext" if call in pairs else "gettext", texts, []


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts(call: ast.Call) -> tuple[str, ...]:
    """The literal texts among the first two arguments, marked or not."""
    return tuple(text for argument in call.args[:2] if (text := _literal(argument)))


def _literal(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)) | ast.Call(func=ast.Name(id="N_"), args=[ast.Constant(value=str(text))]):
            return text
    return ""
