"""What was found out about a source, written into the settings so that its next file asks nothing.

Only added to: every line, comment and value that the owner wrote stays. What would change one is told instead. The
result is read back as TOML before it replaces the file, and must say what the file said and what was added.
"""

from __future__ import annotations

import errno
import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch_issuer.files import write_whole
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.batch import SourceFile
from batch_issuer.settings import FIELDS, FILE_NAME, Settings, checked

Learned = Mapping[str, Mapping[str, Any]]
"""Keys and values by table of the settings."""

_HEADER = re.compile(r"\s*\[\s*([A-Za-z_]+)\s*\]\s*(?:#.*)?")
_ANY_HEADER = re.compile(r"\s*\[")
_OF_ONE_DAY = re.compile(r"[0-9]{2}")
"""A sheet whose name counts or dates is another one tomorrow."""
_SEVERAL = re.compile(", ")
"""A notation that differs between the columns of one source."""
_BARE = re.compile(r"(?![0-9]+$)[A-Za-z0-9_-]+")
"""Keys that need no quotation marks; those of digits have some, as the README writes the types of documents."""
_DEFAULTS = {"repeated_rows": "ask", "doc_type": "01"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of the settings file."""

    path: Path
    added: tuple[str, ...]
    """Lines, each with its table in front."""
    kept: tuple[str, ...]
    """Lines that stayed although something else was found out."""


def learn(sources: Sequence[SourceFile], settings: Settings, doc_types: Sequence[str]) -> Learned:
    """Return what all sources of a batch have in common; where they differ nothing is learned.

    `doc_types` are the types of the documents read, whose price basis was said or is the provider's.
    """
    source = settings.source
    found: dict[str, Any] = {
        "external_ref": source.external_ref,
        "sheet": source.sheet or _common((one.sheet for one in sources), but=_OF_ONE_DAY),
        "decimal": source.decimal or _common((one.decimal for one in sources), but=_SEVERAL),
        "dates": source.dates or _common((one.dates for one in sources), but=_SEVERAL),
        "prices": {kind: source.prices[kind] for kind in doc_types if kind in source.prices},
        "continue_rows": source.continue_rows,
        "repeated_rows": source.repeated_rows,
        "ignore": list(source.ignore),
        "doc_type": source.doc_type,
    }
    # What holds without settings is not written into them: its default may become another one day.
    told = {name: value for name, value in found.items() if value and value != _DEFAULTS.get(name)}
    return {"source": told, "columns": _columns(sources, settings)}


def _columns(sources: Sequence[SourceFile], settings: Settings) -> dict[str, str]:
    """Return the heading of each field, in the order of our fields; with its letter where another column has the same.

    A field that the settings leave out stays left out.
    """
    of_each: list[dict[str, str]] = []
    for source in sources:
        times = Counter([*source.ignored, *(one.heading for one in source.mapping)])
        of_each.append(
            {
                one.field: f"{one.heading} ({one.column})" if times[one.heading] > 1 else one.heading
                for one in source.mapping
            }
        )
    found = {name: {one.get(name, "") for one in of_each} for name in FIELDS}
    columns = {name: headings.pop() for name, headings in found.items() if len(headings) == 1}
    if settings.source.external_ref:
        columns.pop("external_ref", None)  # the template says it
    if "till" not in settings.columns:
        columns.pop("till", None)  # a column that the settings name must agree within a document, and this one may not
    left_out = {name: heading for name, heading in settings.columns.items() if not heading}
    return {name: heading for name, heading in columns.items() if heading} | left_out


def _common(values: Iterable[str], *, but: re.Pattern[str]) -> str:
    """Return the value of all that have any, unless they differ or it is like `but`."""
    different = {value for value in values if value}
    return different.pop() if len(different) == 1 and not any(map(but.search, different)) else ""


def write_settings(path: Path, learned: Learned) -> Written:
    """Add to a settings file what it does not say yet, or make one.

    Raises `CannotStart` where it cannot be read or written, or is written so that lines cannot be added without
    touching others; these are then named, to be added by hand.
    """
    text, said = _read(path)
    new_line = "\r\n" if "\r\n" in text else "\n"
    added: list[str] = []
    kept: list[str] = []
    lines = text.removesuffix(new_line).split(new_line) if text else []
    wanted = {table: dict(values) for table, values in said.items() if isinstance(values, dict)}
    for table, values in learned.items():
        own = wanted.setdefault(table, {})
        missing = {name: value for name, value in values.items() if name not in own}
        kept += [
            f"[{table}] {_line(name, own[name])}"
            for name, value in values.items()
            if name in own and _differ(own[name], value)
        ]
        own.update(missing)
        if missing:
            _add(lines, table, [_line(name, value) for name, value in missing.items()])
        added += [f"[{table}] {_line(name, value)}" for name, value in missing.items()]
    if added:
        result = new_line.join([*lines, ""])
        _prove(path, result, {**said, **{table: values for table, values in wanted.items() if values}}, added)
        _replace(path, result)
    return Written(path=path, added=tuple(added), kept=tuple(kept))


def _differ(own: Any, value: Any) -> bool:
    """Whether the settings say something else than was found out; of tables, about a key that both have."""
    if isinstance(own, dict) and isinstance(value, dict):
        return any(own[key] != one for key, one in value.items() if key in own)
    return bool(own != value)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of the settings, empty where there is no file yet, and what it says.

    Raises `CannotStart` where it cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        return text, tomllib.loads(text.removeprefix("\ufeff"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotStart(
            N_("The settings file {path} cannot be read: {reason}."),
            repair=N_("It must be TOML in UTF-8; the README has an example."),
            path=path,
            reason=str(error),
        ) from error


def _add(lines: list[str], table: str, fresh: Sequence[str]) -> None:
    """Put lines at the end of a table, before the blank lines and comments that lead to the next one."""
    start = next((at for at, line in enumerate(lines) if (m := _HEADER.fullmatch(line)) and m[1] == table), None)
    if start is None:
        lines += [*([""] if "".join(lines[-1:]).strip() else []), f"[{table}]", *fresh]
        return
    end = next((at for at in range(start + 1, len(lines)) if _ANY_HEADER.match(lines[at])), len(lines))
    while end > start + 1 and (
        not lines[end - 1].strip() or (lines[end - 1].lstrip().startswith("#") and end < len(lines))
    ):
        end -= 1
    lines[end:end] = fresh


def _line(name: str, value: Any) -> str:
    return f"{name} = {_toml(value)}"


def _toml(value: Any) -> str:
    """Return a value as TOML writes it: the strings of JSON are strings of TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            inside = (f"{key if _BARE.fullmatch(key) else _toml(key)} = {_toml(one)}" for key, one in value.items())
            return f"{{ {', '.join(inside)} }}"
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case str():
            # JSON lets the control character 7F stand in a string, and TOML does not.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return str(value)


def _prove(path: Path, text: str, wanted: Mapping[str, Any], added: Sequence[str]) -> None:
    """Raise `CannotStart` unless the text says what the file said and what was added, and is a settings file."""
    try:
        proved = tomllib.loads(text.removeprefix("\ufeff")) == wanted
    except tomllib.TOMLDecodeError:
        proved = False
    if not proved:
        raise CannotStart(
            N_("{path} is written so that nothing can be added without touching what is there; it was left as it is."),
            repair=N_("Add these lines yourself:\n{lines}"),
            path=path,
            lines="\n".join(added),
        )
    checked(path, wanted)


def _replace(path: Path, text: str) -> None:
    """Put the new text in the old one's place, with its permissions.

    Settings may be a link to a file beside them, and stay one. Written through a link that leads elsewhere, they would
    change a file that their folder's owner has perhaps never seen.
    """
    try:
        place = Path(os.path.realpath(path)) if path.is_symlink() else path
        if place.parent.resolve() != path.parent.resolve():
            raise OSError(errno.ELOOP, "it is a link to another folder")
        write_whole(place, text.encode("utf-8"), private=False)
    except OSError as error:
        raise CannotStart(
            N_("{path} cannot be written: {reason}."),
            repair=N_("Choose a folder that you may write to and that has space."),
            path=path,
            reason=error.strerror or str(error),
        ) from error


def settings_path(config: str | None, settings: Settings, files: Sequence[str]) -> Path:
    """Return the file that is written: the one in use, the one named, or a new one beside the first file."""
    if settings.path is not None:
        return settings.path
    if config is not None:
        return Path(config)
    first = next((Path(file) for file in files if file != "-"), Path())
    if first.is_dir():
        return first / FILE_NAME
    return (first.parent if first.exists() else Path()) / FILE_NAME
