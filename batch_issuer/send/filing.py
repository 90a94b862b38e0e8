"""Downloaded files on the disk: a folder a day, names that every system takes, and a manifest with their hashes.

A file's name follows from the document alone; where two documents would share one on a system that ignores case, the
later one gets a digest of its reference.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import unicodedata
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from batch_issuer.files import write_whole
from batch_issuer.messages import N_
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.records import Record

MANIFEST = "manifest.json"
_LONGEST_BYTES = 120
"""Of a name without its digest and ending: whole paths stay below what Windows takes."""
_FORBIDDEN = frozenset('<>:"/\\|?*')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever follows the first point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """One downloaded file, as its day's manifest lists it."""

    external_ref: str
    type: str
    """`ticket`, `invoice` or `json`."""
    file: str
    """Its name in the manifest's folder."""
    sha256: str
    size: int
    downloaded_at: str
    state: str
    """Of the document at that time: a ticket printed in contingency is another than the stamped one's."""
    doc_type: str = ""
    control_number: str = ""
    generation_code: str = ""
    environment: str = ""
    signature: str = ""
    """Of a signed document: `usual`, of `unusual` length, or `none`."""


def safe_name(reference: str) -> str:
    """Turn a reference into the beginning of a file's name for every system; only what must be is changed."""
    name = unicodedata.normalize("NFC", reference)
    name = "".join("_" if one in _FORBIDDEN or not one.isprintable() else one for one in name)
    name = name.lstrip(". ").encode()[:_LONGEST_BYTES].decode(errors="ignore").rstrip(". ").strip()
    if not name or _RESERVED.fullmatch(name):
        name = f"_{name}"
    return name


def digest_of(reference: str) -> str:
    """Return eight letters that tell two references of one name apart."""
    return hashlib.sha256(reference.encode("utf-8", "surrogatepass")).hexdigest()[:8]


class Day:
    """The folder of one day, with its manifest. Two threads may file at once, as long as not under one name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filed = _read_manifest(folder / MANIFEST)
        self._owners = {one.file.casefold(): (one.external_ref, one.type) for one in self._filed.values()}
        self._changed = False

    def kept(self, record: Record, kind: str) -> Filed | None:
        """Return the entry of a file that is there and is what the manifest says; None where it has to be fetched."""
        filed = self._filed.get((record.external_ref, kind))
        # A ticket that was printed in contingency is another paper than that of the stamped document.
        if filed is None or (kind == "ticket" and filed.state != record.state.value):
            return None
        content = self.content(filed)
        return filed if content is not None and hashlib.sha256(content).hexdigest() == filed.sha256 else None

    def content(self, filed: Filed) -> bytes | None:
        """Read a file's bytes; None where it is not there, or has another size."""
        try:
            path = self.folder / filed.file
            return path.read_bytes() if path.stat().st_size == filed.size else None
        except OSError:
            return None

    def name_for(self, record: Record, kind: str, extension: str) -> str:
        """Return the name that a document's file has, or find one that no other file of the day has."""
        if filed := self._filed.get((record.external_ref, kind)):
            return filed.file
        stem, tail = safe_name(record.external_ref), f"{'' if kind == 'json' else f'-{kind}'}{extension}"
        name = f"{stem}{tail}"
        if stem != record.external_ref or self._owners.get(name.casefold(), ("", ""))[0] not in (
            "",
            record.external_ref,
        ):
            name = f"{stem}~{digest_of(record.external_ref)}{tail}"
        self._owners[name.casefold()] = (record.external_ref, kind)
        return name

    def put(self, filed: Filed, content: bytes) -> None:
        """Write one file and remember it. Raises `StoppedMidway` where it cannot be written."""
        _write(self.folder / filed.file, content)
        self._filed[filed.external_ref, filed.type] = filed
        self._changed = True

    def save(self) -> None:
        """Write the manifest, if anything was filed; what another program filed meanwhile stays in it.

        Raises `StoppedMidway` where it cannot be written.
        """
        if not self._changed:
            return
        path = self.folder / MANIFEST
        # Read again, as another program may have filed into the same day.
        merged = {**_read_manifest(path), **self._filed}
        listed = [asdict(merged[key]) for key in sorted(merged)]
        _write(path, json.dumps({"files": listed}, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace"))
        self._changed = False


def filed_now(
    record: Record,
    kind: str,
    name: str,
    content: bytes,
    now: dt.datetime,
    *,
    environment: str = "",
    signature: str = "",
) -> Filed:
    """Make the entry of a file that has just come."""
    return Filed(
        external_ref=record.external_ref,
        type=kind,
        file=name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        downloaded_at=now.astimezone(dt.UTC).isoformat(timespec="seconds"),
        state=record.state.value,
        doc_type=record.doc_type,
        control_number=record.answer.control_number,
        generation_code=record.answer.generation_code,
        environment=environment,
        signature=signature,
    )


_KINDS = {field.name: int if field.name == "size" else str for field in fields(Filed)}


def _read_manifest(path: Path) -> dict[tuple[str, str], Filed]:
    """Read a manifest's entries; what cannot be read says nothing, and its files are fetched again."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))["files"]
        listed = [one for one in plain if all(type(one.get(name)) is kind for name, kind in _KINDS.items())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    found = [Filed(**{name: one[name] for name in _KINDS}) for one in listed]
    # A manifest that somebody else wrote may name a file in another folder, none, or itself: such an entry is none.
    return {
        (one.external_ref, one.type): one
        for one in found
        if Path(one.file).name == one.file
        and one.file.isprintable()
        and one.file.casefold() not in ("", "..", MANIFEST)
    }


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise StoppedMidway(
            N_("{path} cannot be written: {reason}."),
            repair=N_("Make room on the disk, or name another folder with --out; then run the same command again."),
            path=path,
            reason=error.strerror or str(error),
        ) from error
