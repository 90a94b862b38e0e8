"""The tables of the ledger, and how its file is opened: durably, owner-only, and never over something else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    literal_column,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from batch_issuer import files
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Stop, StoppedMidway

VERSION = 5
"""2 added `documents.cancellation`; 3 `expected_retention`, `adjusts`, `customer_id`; 4 `control_number` and waits;
5 what tells sales apart: `till`, `alike`, `also`, `accepted`, `look_owed`, `withdrawn_at`, `generation_code`,
`reception_stamp`."""
SQLITE = sqlite3.sqlite_version
"""The version that is linked."""
APPLICATION_ID = 0x42495353
"""`PRAGMA application_id`: tells a ledger from any other SQLite file."""
BUSY_SECONDS = 60.0
CHECKED_WHOLE_BELOW = 64 * 1024 * 1024
"""Bytes. Smaller ledgers are checked page by page at every opening for writing; larger ones by `ledger verify`."""
LONGEST_REASON = 200
"""Characters. Whole cells are quoted in some of SQLite's complaints; they are nobody's business here."""
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_REFUSED = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_NOMEM,
    }
)
"""What the system refused, as against what is wrong with the file."""

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("run", String(40), nullable=False),
    Column("company", String(100), nullable=False),
    Column("external_ref", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("events_of_document", "company", "external_ref", "seq"),
)

BESIDE_DOCUMENTS = events.c.external_ref == literal_column("''")
"""Of events that belong to no document; written out, as SQLite takes an index of few rows for no other question."""
Index("events_beside_documents", events.c.company, events.c.kind, events.c.seq, sqlite_where=BESIDE_DOCUMENTS)

documents = Table(
    "documents",
    metadata,
    Column("company", String(100), primary_key=True),
    Column("external_ref", String(100), primary_key=True),
    Column("doc_type", String(2), nullable=False),
    Column("state", String(12), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("expected_gross", String(30), nullable=False),
    Column("file", Text, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("rows", Text, nullable=False),
    Column("date", String(10), nullable=False),
    Column("branch", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("payment_method", Text, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("likeness", String(32), nullable=False),
    Column("expected_retention", String(30), nullable=False, server_default=""),
    Column("adjusts", String(100), nullable=False, server_default=""),
    Column("customer_id", String(20), nullable=False, server_default=""),
    Column("answer", Text, nullable=False),
    Column("reason", String(40), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("unexpected_duplicate", Integer, nullable=False),
    Column("first_sent_at", String(40), nullable=False),
    Column("numbered_at", String(40), nullable=False),
    Column("settled_at", String(40), nullable=False),
    Column("updated_at", String(40), nullable=False),
    Column("run", String(40), nullable=False),
    Column("content_seq", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("cancellation", Text, nullable=False, server_default=""),
    Column("control_number", Text, nullable=False, server_default=""),
    Column("waits", Integer, nullable=False, server_default="0"),
    Column("waited_from", String(40), nullable=False, server_default=""),
    Column("waited_to", String(40), nullable=False, server_default=""),
    Column("till", Text, nullable=False, server_default=""),
    Column("alike", Text, nullable=False, server_default=""),
    Column("also", Text, nullable=False, server_default=""),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("look_owed", String(20), nullable=False, server_default=""),
    Column("withdrawn_at", String(40), nullable=False, server_default=""),
    Column("generation_code", Text, nullable=False, server_default=""),
    Column("reception_stamp", Text, nullable=False, server_default=""),
    Index("documents_by_state", "company", "state"),
    Index("documents_by_likeness", "company", "likeness"),
    Index("documents_by_time", "company", "updated_at"),
    Index("documents_by_sending", "company", "first_sent_at"),
    Index("documents_by_date", "company", "date"),
    Index("documents_by_customer", "company", "customer_id"),
)
Index("documents_cancelled", documents.c.company, documents.c.content_seq, sqlite_where=documents.c.cancellation != "")
Index("documents_owed", documents.c.company, documents.c.content_seq, sqlite_where=documents.c.look_owed != "")
Index("documents_alike", documents.c.company, documents.c.alike)
Index("documents_by_code", documents.c.company, documents.c.generation_code)
Index("documents_by_stamp", documents.c.company, documents.c.reception_stamp)
Index("documents_by_number", documents.c.company, documents.c.control_number, documents.c.numbered_at)
Index("documents_waiting", documents.c.company, documents.c.waited_to, sqlite_where=documents.c.waits > 0)

runs = Table(
    "runs",
    metadata,
    Column("run", String(40), primary_key=True),
    Column("company", String(100), nullable=False),
    Column("command", String(20), nullable=False),
    Column("version", String(40), nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("ended_at", String(40), nullable=False),
    Column("exit_code", Integer),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("read_seq", Integer, nullable=False),
    Column("end_seq", Integer, nullable=False),
    Index("runs_of_company", "company", "started_at"),
)

# They stop a person with a SQLite shell too; whoever drops them is found out by the hashes.
_TRIGGERS = (
    "CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'append-only'); END",
)


class Unreadable(Exception):  # noqa: N818 - told to the reader as damage
    """Something stored is not what it must be, although SQLite gave it without complaint."""


FAILURES = (DBAPIError, OSError, Unreadable, UnicodeDecodeError)
"""What can go wrong with a file; of a damaged one, even SQLite's complaint may hold bytes that are no characters."""


def exists(path: Path) -> bool:
    """Whether something has this name. Raises `CannotStart` where that cannot be found out."""
    try:
        return path.exists()
    except OSError as error:
        raise _unreadable(path, error) from error


def create_file(path: Path) -> None:
    """Make an empty ledger, whole or not at all, readable by its owner only. An existing file is left as it is."""
    try:
        with draft(path) as file:
            engine = _engine(Path(file.name))
            with engine.begin() as connection:
                metadata.create_all(connection)
                for trigger in _TRIGGERS:
                    connection.exec_driver_sql(trigger)
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
            engine.dispose()
            with suppress(FileExistsError):  # another program has just made one
                files.put(file, path, new=True)
    except (OSError, DBAPIError) as error:
        raise CannotStart(
            N_("The ledger {path} cannot be made: {reason}."),
            repair=N_("Name another place with --ledger, in a folder that you may write to and that has space."),
            path=path,
            reason=reason_of(error),
        ) from error


@contextmanager
def draft(path: Path) -> Iterator[BinaryIO]:
    """Give a draft for SQLite to write by its name; what SQLite keeps beside it is gone afterwards too."""
    with files.draft(path) as file:
        try:
            yield file
        finally:
            for left in beside(Path(file.name)):
                with suppress(OSError):
                    left.unlink()


def beside(path: Path) -> tuple[Path, ...]:
    """Return the files that SQLite may keep beside one of its own, and that belong to it."""
    return tuple(Path(f"{path}-{what}") for what in ("journal", "wal", "shm"))


def open_file(path: Path) -> tuple[Engine, int]:
    """Return the engine of an existing ledger, and its version.

    Raises `CannotStart` where the file is missing or is not a ledger of ours.
    """
    if exists(path) and not path.is_file():
        raise not_a_ledger(path)
    if not path.is_file():
        raise CannotStart(
            N_("There is no ledger {path}."),
            repair=N_("Name it with --ledger. It is made by the first `batch-issuer issue`."),
            path=path,
        )
    check_beginning(path)
    engine = _engine(path)
    with reading(engine, path) as connection:
        if connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION_ID:
            raise not_a_ledger(path)
        version = connection.exec_driver_sql("PRAGMA user_version").scalar()
        if not isinstance(version, int) or version < 1:
            raise damaged(path, f"user_version {version}")
        if version > VERSION:
            raise CannotStart(
                N_("A newer batch_issuer wrote the ledger {path} (its version is {version}, this one reads {ours})."),
                repair=N_("Install the newer batch_issuer; nothing was changed."),
                path=path,
                version=version,
                ours=VERSION,
            )
    return engine, version


def check_beginning(path: Path) -> None:
    """Raise `NotALedger` where a file does not begin as SQLite's do."""
    try:
        with path.open("rb") as file:
            beginning = file.read(100)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not beginning.startswith(b"SQLite format 3\x00") or len(beginning) < 100:
        raise not_a_ledger(path)


def add_what_is_new(engine: Engine, path: Path) -> None:
    """Add columns and indexes that an older program did not know; they have defaults, so that it can still write."""
    with _upgrading(engine, path) as connection:
        known = {row.name for row in connection.exec_driver_sql("PRAGMA table_info(documents)")}
        for column in documents.c:
            if column.name not in known:
                kind = column.type.compile(dialect=connection.dialect)
                default = "0" if isinstance(column.type, Integer) else "''"
                connection.exec_driver_sql(
                    f"ALTER TABLE documents ADD COLUMN {column.name} {kind} DEFAULT {default} NOT NULL"
                )
        for index in documents.indexes | events.indexes:
            index.create(connection, checkfirst=True)


def mark_current(engine: Engine, path: Path) -> None:
    """Say that the file has everything that this version knows."""
    with _upgrading(engine, path) as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")


@contextmanager
def _upgrading(engine: Engine, path: Path) -> Iterator[Connection]:
    """Open a transaction that changes the tables of an older file, or leaves them as they were."""
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection
    except FAILURES as error:
        if _code_of(error) not in _REFUSED:
            raise trouble(path, error) from error
        raise CannotStart(
            N_("An older batch_issuer wrote the ledger {path}, and it cannot be brought up to date: {reason}."),
            repair=N_("Nothing was changed. Make the file and its folder writable and run this again, or copy it."),
            path=path,
            reason=reason_of(error),
        ) from error


def _code_of(error: Exception) -> int:
    """Return SQLite's primary code of a failure; 0 for one of another kind."""
    return int(getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)) & 0xFF


def check_pages(engine: Engine, path: Path, *, largest: int | None = None) -> None:
    """Raise `CannotStart` where SQLite finds damage in pages or indexes; files of more than `largest` bytes pass."""
    with reading(engine, path) as connection:
        if largest is not None and path.stat().st_size > largest:
            return
        found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if found != "ok":
            raise Unreadable(str(found))


@contextmanager
def reading(engine: Engine, path: Path) -> Iterator[Connection]:
    """Open a connection for reading. Raises `CannotStart` where something goes wrong."""
    try:
        with engine.connect() as connection:
            yield connection
    except FAILURES as error:
        raise trouble(path, error) from error


def trouble(path: Path, error: Exception) -> CannotStart:
    """Return what a failed reading means: held too long by another program, refused by the system, or damaged."""
    code = _code_of(error)
    if code in _BUSY:
        return CannotStart(
            N_("Another program has been holding the ledger {path} for more than {seconds} seconds."),
            repair=N_("Wait until it ends, then run this again."),
            path=path,
            seconds=round(BUSY_SECONDS),
        )
    if code in _REFUSED or isinstance(error, OSError):
        return _unreadable(path, error)
    return damaged(path, reason_of(error))


class Damaged(CannotStart):
    """The file is a ledger, and not what was written."""


def damaged(path: Path, reason: str) -> Damaged:
    return Damaged(
        N_("The ledger {path} is damaged: {reason}."),
        repair=N_(
            "Put your newest backup in its place with `batch-issuer ledger restore BACKUP --ledger {path}`: "
            "this file is kept, and you are told how what the backup does not know is found again."
        ),
        path=path,
        reason=reason,
    )


def write_failed(path: Path, error: Exception) -> Stop:
    """Return what a failed write means in the middle of a run."""
    code = _code_of(error)
    if isinstance(error, Unreadable) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, reason_of(error))
    return StoppedMidway(
        N_("The ledger {path} could not be written: {reason}. Nothing more was sent."),
        repair=N_("Make space or mend the folder, then run the same command again; what is under way is asked first."),
        path=path,
        reason=reason_of(error),
    )


def reason_of(error: Exception) -> str:
    orig = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = getattr(orig, "strerror", None) or str(orig) or type(orig).__name__
    return reason.partition(" with text ")[0][:LONGEST_REASON]


def _unreadable(path: Path, error: Exception) -> CannotStart:
    return CannotStart(
        N_("The ledger {path} cannot be read: {reason}."),
        repair=N_("Check who owns it and whether another program holds it."),
        path=path,
        reason=reason_of(error),
    )


class NotALedger(CannotStart):
    """The file is something else."""


def not_a_ledger(path: Path) -> NotALedger:
    return NotALedger(
        N_("{path} is not a ledger of batch_issuer."),
        repair=N_("Nothing was changed. Name the right file with --ledger, or another name for a new ledger."),
        path=path,
    )


def _engine(path: Path) -> Engine:
    """Return an engine whose every connection is durable, and begins its transactions as they are marked."""

    def connect() -> sqlite3.Connection:
        # Read and write, and never create: a ledger that is gone has to be noticed, not begun anew.
        uri = f"{path.resolve().as_uri()}?mode=rw"
        # SQLAlchemy begins the transactions (below); Python's own module must begin none.
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA journal_mode = {journal_mode(sqlite3.sqlite_version_info)}")
            # An intent is on the disk before its request leaves: with less, a power cut could forget what was sent.
            connection.execute("PRAGMA synchronous = FULL")
            # A file that somebody else gave us must run no functions of its own.
            connection.execute("PRAGMA trusted_schema = OFF")
        except (sqlite3.Error, UnicodeDecodeError):
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer has the lock from the start: begun as a reader, it could be refused at its first write.
        immediate = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def journal_mode(version: tuple[int, int, int]) -> str:
    """Return the journal to use: write-ahead only where SQLite has the fix of the WAL-reset corruption of 2026.

    It is in 3.51.3 and from 3.53.0 on; 3.52.0 was withdrawn.
    """
    return "WAL" if version >= (3, 53, 0) or (3, 51, 3) <= version < (3, 52, 0) else "PERSIST"
