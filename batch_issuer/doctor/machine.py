"""This machine: room on the disk, and whether the ledger lies on another machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from batch_issuer.doctor.check import Check, Subject, ok, problem, stops, warn
from batch_issuer.messages import N_

_LITTLE_SPACE, _NO_SPACE = 1 << 30, 100 << 20
"""Bytes: a warning, a problem."""
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ncpfs"})
_REMOTE_DRIVE = 4
"""What Windows calls a drive of another machine (`GetDriveTypeW`)."""


def disk(subject: Subject) -> Check:
    """Return how much room there is where the ledger lies."""
    folder = _existing(subject.ledger.resolve().parent)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        reason = error.strerror or str(error)
        return warn("disk", N_("{folder}: {reason}"), N_("Check the folder."), folder=folder, reason=reason)
    if not os.access(folder, os.W_OK):
        return stops(
            "disk", N_("{folder} cannot be written to"), N_("Name another place with --ledger."), folder=folder
        )
    if free < _NO_SPACE:
        return problem(
            "disk", N_("{free} free in {folder}"), N_("Make room first."), free=size_text(free), folder=folder
        )
    if free < _LITTLE_SPACE:
        return warn("disk", N_("{free} free in {folder}"), N_("Make room soon."), free=size_text(free), folder=folder)
    return ok("disk", N_("{free} free in {folder}"), free=size_text(free), folder=folder)


def share(subject: Subject) -> Check:
    """Return whether the ledger's folder is on this machine: SQLite's locks are not safe on a share."""
    folder = _existing(subject.ledger.resolve().parent)
    if is_on_network(folder):
        return warn(
            "share",
            N_("{folder} lies on another machine"),
            N_("Keep the ledger on this machine's own disk, and copy it with batch-issuer ledger backup."),
            folder=folder,
        )
    return ok("share", N_("the ledger's folder is on this machine"))


def is_on_network(folder: Path, mounts: str | None = None) -> bool:
    """Whether a folder lies on a network share, as far as the system tells; `mounts` is /proc/mounts."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only

        return str(folder).startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == _REMOTE_DRIVE
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
    # The mount that is deepest counts; /proc/mounts writes a space in a name as \\040.
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        if len(point) >= len(best) and folder.is_relative_to(point):
            best, kind = point, fields[2]
    return kind in _NETWORK_FILE_SYSTEMS


def _existing(folder: Path) -> Path:
    """Return the nearest folder that exists: the ledger's own is made by the first run."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def size_text(count: float) -> str:
    """Return a number of bytes as people say it, in thousands."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
