"""Put a backup in the ledger's place: checked, marked as what it is, whole or not at all; what was there is kept.

The marks say that the ledger does not know what was issued after the backup. Every run that issues then asks the
provider first, and every document that may have been cancelled meanwhile is asked about.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from sqlalchemy.exc import DBAPIError

from batch_issuer import files
from batch_issuer.ledger import lock, schema
from batch_issuer.ledger.export import copy_pages
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.store import Clock, Ledger, utc_now
from batch_issuer.ledger.verify import Verified, verify
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, StoppedMidway
from batch_issuer.model.records import Kind, NewEvent
from batch_issuer.model.states import State

_MAY_HAVE_CHANGED = dt.timedelta(days=95)
"""A document that was settled longer ago can no longer have been cancelled after the backup."""
_AT_ONCE = 5000
"""Marks in one transaction of the copy, which has no name yet."""


Answer = TypeVar("Answer")


class Standing(StrEnum):
    """How what is in the ledger's place compares with the backup."""

    MISSING = "missing"
    DAMAGED = "damaged"
    OTHER = "other"
    """Something that is no ledger, or of which nothing can be read any more."""
    OLDER = "older"
    """The backup has all that it has, and more."""
    SAME = "same"
    NEWER = "newer"
    """It has all that the backup has, and more."""
    APART = "apart"
    """Each has something that the other has not."""


_NOT_WORTH = {
    Standing.SAME: N_("The ledger {path} is sound and has just what the backup {backup} has: nothing needs restoring."),
    Standing.NEWER: N_(
        "The ledger {path} is sound and has all that the backup {backup} has, and newer events ({events}): "
        "nothing needs restoring."
    ),
    Standing.APART: N_(
        "The ledger {path} and the backup {backup} went different ways: each has events that the other does not have."
    ),
    Standing.OTHER: N_("{path} cannot be read as a ledger: it may be something else."),
}
"""Where restoring would lose something, or win nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was found when backup and ledger were laid side by side."""

    standing: Standing
    events: int = 0
    """How many events more the ledger has, where it is newer."""

    def check_worth(self, backup: Path, path: Path) -> None:
        """Raise `CannotStart` where restoring would lose something, or win nothing."""
        if self.standing in _NOT_WORTH:
            raise CannotStart(
                _NOT_WORTH[self.standing],
                repair=N_("Nothing was changed. If you want the backup all the same, say it with --yes."),
                path=path,
                backup=backup,
                events=f"{self.events:,}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was done."""

    replaced: str
    """The name, beside the ledger, of the file that was there; empty where there was none."""
    head: tuple[int, str]
    """The backup's newest event."""
    newest_at: str
    """When that was written; empty for an empty backup."""
    documents: int
    looks_owed: int


def restore(backup: Path, path: Path, *, sure: bool, clock: Clock = utc_now) -> Restored:
    """Put a copy of the backup in the ledger's place; a ledger that is a link stays one, and is restored where it is.

    Without being `sure`, nothing is replaced that the backup does not make better.
    Raises: `CannotStart` where that cannot be done; then everything is as it was.
    """
    _check_names(backup, path)
    place = path.resolve()
    with (
        _failing(path),
        schema.draft(place) as draft,
        _copied(backup, Path(draft.name), clock) as (copy, checked),
        ExitStack() as stack,
    ):
        companies = sorted({*_asked(path, Ledger.companies), *copy.companies()})
        if schema.exists(path):
            stack.enter_context(lock.holding_all(path, companies, lambda: _asked(path, Ledger.unfinished)))
            companies = sorted({*_asked(path, Ledger.companies), *companies})  # nobody begins from here on
        found = _compare(copy, path)
        if not sure:
            found.check_worth(backup, path)
        kept = _kept_name(place, clock())
        replaced = "" if found.standing is Standing.MISSING else kept.name
        newest = copy.last_events(1)
        looks = _mark(copy, companies, replaced, clock())
        _put_in_place(draft, place, kept)
    return Restored(
        replaced=replaced, head=(checked.events, checked.head), newest_at=newest[0].at if newest else "",
        documents=checked.documents, looks_owed=looks,
    )  # fmt: skip


def _check_names(backup: Path, path: Path) -> None:
    """Check that there is a backup, and that it is not the ledger itself. Raises `CannotStart` where that is not so."""
    if not schema.exists(backup):
        raise CannotStart(
            N_("There is no backup {path}."), repair=N_("Name a file that `ledger backup` made."), path=backup
        )
    if not backup.is_file():
        raise schema.not_a_ledger(backup)
    if schema.exists(path) and not path.is_file():
        raise schema.not_a_ledger(path)
    if schema.exists(path) and path.samefile(backup):
        raise CannotStart(
            N_("{path} is the ledger itself, not a backup of it."),
            repair=N_("Nothing was changed. Name a file that `ledger backup` made."),
            path=backup,
        )
    schema.check_beginning(backup)


@contextmanager
def _failing(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a sentence; the ledger is as it was."""
    try:
        yield
    except (OSError, sqlite3.Error, DBAPIError, StoppedMidway) as error:
        reason = (
            str(error.parameters.get("reason", "")) if isinstance(error, StoppedMidway) else schema.reason_of(error)
        )
        raise CannotStart(
            N_("The ledger {path} could not be restored: {reason}."),
            repair=N_(
                "Nothing was changed. Its folder must be one that you may write to, with space for one copy more."
            ),
            path=path,
            reason=reason,
        ) from error


@contextmanager
def _copied(backup: Path, draft: Path, clock: Clock) -> Iterator[tuple[Ledger, Verified]]:
    """Make a sound copy of the backup, brought up to date, which nobody else knows. The backup itself is only read."""
    try:
        if damage := copy_pages(backup, draft):
            raise _unsound(backup, damage)
        copy = open_to_read(draft, clock)
    except schema.Damaged as damaged:
        raise _unsound(backup, str(damaged.parameters["reason"])) from damaged
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise _unsound(backup, schema.reason_of(error)) from error
    except CannotStart as stop:
        stop.parameters["path"] = backup
        raise
    try:
        checked = verify(copy)
        if checked.damages:
            raise _unsound(backup, checked.damages[0].message)
        yield copy, checked
    finally:
        copy.close()


def _unsound(backup: Path, reason: str) -> CannotStart:
    return CannotStart(
        N_("The backup {path} is damaged: {reason}."),
        repair=N_("Nothing was changed. Take another backup."),
        path=backup,
        reason=reason,
    )


@contextmanager
def _opened(path: Path) -> Iterator[Ledger]:
    ledger = open_to_read(path)
    try:
        yield ledger
    finally:
        ledger.close()


def _asked(path: Path, question: Callable[[Ledger], list[Answer]]) -> list[Answer]:
    """Ask the ledger that is in place, of which the answer may be missing: it may be damaged, or no ledger at all."""
    if not schema.exists(path):
        return []
    try:
        with _opened(path) as ledger:
            return question(ledger)
    except (schema.Damaged, schema.NotALedger):
        return []


def _compare(copy: Ledger, path: Path) -> Comparison:
    """Lay the backup's copy beside the ledger. Raises `CannotStart` where it cannot be read for other than damage."""
    if not schema.exists(path):
        return Comparison(standing=Standing.MISSING)
    try:
        with _opened(path) as ledger:
            # Damaged events only: a state that does not follow from them is written anew without a backup.
            if any(damage.seq for damage in verify(ledger).damages):
                return Comparison(standing=Standing.DAMAGED)
            ours, theirs = ledger.head(), copy.head()
            if ours == theirs:
                return Comparison(standing=Standing.SAME)
            if ledger.hash_at(theirs[0]) == theirs[1]:
                return Comparison(standing=Standing.NEWER, events=ours[0] - theirs[0])
            return Comparison(standing=Standing.OLDER if copy.hash_at(ours[0]) == ours[1] else Standing.APART)
    except schema.Damaged:
        return Comparison(standing=Standing.DAMAGED)
    except schema.NotALedger:
        return Comparison(standing=Standing.OTHER)


def _kept_name(path: Path, now: dt.datetime) -> Path:
    """Return a name beside the ledger that nothing has yet."""
    name = f"{path.name}.replaced-{now.astimezone(dt.UTC):%Y%m%dT%H%M%S}"
    names = (path.with_name(name if number == 1 else f"{name}-{number}") for number in range(1, 1000))
    return next(one for one in names if not any(map(os.path.lexists, (one, *schema.beside(one)))))


def _mark(copy: Ledger, companies: Sequence[str], replaced: str, now: dt.datetime) -> int:
    """Write into the copy that it took a ledger's place, and which documents have to be asked about; how many.

    That is said of companies too of which only the ledger that was in place knows: the backup lacks all of theirs.
    """
    copy.begin_writing(lambda: True)  # it has no name yet that others could know
    body = {"head": list(copy.head()), "replaced": replaced, "at": now.astimezone(dt.UTC).isoformat()}
    since = may_have_changed_since(now)
    looks = 0
    for company in companies:
        owed = looks_owed(copy, company, since)
        marks = iter([NewEvent(kind=Kind.RESTORED, body=body), *owed])
        while some := list(islice(marks, _AT_ONCE)):
            copy.append(company, "", some)
        looks += len(owed)
    return looks


def may_have_changed_since(now: dt.datetime) -> str:
    """Return the moment since which a stamped document may have been cancelled by a ledger that is gone, ISO in UTC."""
    return (now - _MAY_HAVE_CHANGED).astimezone(dt.UTC).isoformat()


def looks_owed(ledger: Ledger, company: str, since: str) -> list[NewEvent]:
    """Return the looks that are owed to documents which were stamped since, because the ledger is an older one."""
    return [
        NewEvent(kind=Kind.LOOK_OWED, external_ref=record.external_ref, body={"why": "restored"})
        for record in ledger.all_records(company)
        if record.state is State.STAMPED and record.settled_at >= since
    ]


def _put_in_place(draft: BinaryIO, path: Path, kept: Path) -> None:
    """Give the copy the ledger's name; the old file keeps another one. At every moment something has the name.

    What SQLite keeps beside the old file goes along with it: it would be taken for the new one's.
    """
    pairs = zip((*schema.beside(path), path), (*schema.beside(kept), kept), strict=True)
    moves = [(old, new) for old, new in pairs if old.exists()]
    replaces = path.exists()
    try:
        if _have_two_names(moves):
            files.sync_folder(path.parent)
            for old, _ in moves:
                if old != path:
                    old.unlink()
        else:
            for old, new in moves:
                old.rename(new)
        try:
            files.put(draft, path, new=not path.exists())
        except FileExistsError as error:
            raise CannotStart(
                N_("Another program has just made a ledger {path}."),
                repair=N_("Nothing was overwritten. Look at it, and run this again."),
                path=path,
            ) from error
    except BaseException as error:  # an interruption too may come between any two of these
        if Path(draft.name).exists():
            if replaces:
                _name_as_before(moves)
        elif isinstance(error, OSError):  # the copy has the name, and only the folder could not be synced
            return
        raise


def _have_two_names(moves: Sequence[tuple[Path, Path]]) -> bool:
    """Give every file a second name; False, and no file has one, on a file system without links."""
    try:
        for old, new in moves:
            os.link(old, new)
    except FileExistsError:
        raise
    except OSError:
        _name_as_before(moves)
        return False
    return True


def _name_as_before(moves: Sequence[tuple[Path, Path]]) -> None:
    """Give every file its first name back, and no second one. A file never loses its last name by it."""
    for old, new in moves:
        if not new.exists():
            continue
        if not old.exists():
            new.rename(old)
        elif old.samefile(new):
            new.unlink()
