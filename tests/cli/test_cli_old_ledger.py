"""A ledger that the version before wrote is opened, sound, and goes on; what is new follows from its events."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from batch_issuer.ledger.schema import APPLICATION_ID, VERSION
from tests.cli.desk import Desk

DUMP = Path(__file__).parents[1] / "ledger" / "made_before" / "version-4.sql"
STATES = {
    "V-1": "cancelled", "V-0002": "stamped", "V-3": "contingency", "V-4": "rejected", "C-1": "stamped",
    "N-1": "stamped",
}  # fmt: skip
HEADINGS = "external_ref,Fecha,Sucursal,description,quantity,unit_price"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder with a ledger of version 4: of each state one, a credit note, a cancellation, a note."""
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 4")
    return Desk(tmp_path, "http://127.0.0.1:9/api/connect", key="odt_" + "c" * 56)


def test_it_is_opened_and_sound(desk: Desk) -> None:
    """Every document is what it was, and the chain is the one that was written."""
    assert desk.call("ledger", "verify").code == 0
    assert desk.states() == STATES
    with contextlib.closing(sqlite3.connect(desk.ledger)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    record = desk.records()["N-1"]
    assert (record.adjusts, record.look_owed, record.also, record.till) == ("C-1", "", (), "")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("V-2,2026-11-21,Centro,Pan,2,1.00", "the ledger has «V-0002»"),
        ("V-0002,2026-11-22,Centro,Pan,2,1.00", "with another day, branch or till: 1"),
        ("V-0002,2026-11-21,Norte,Pan,2,1.00", "with another day, branch or till: 1"),
    ],
)
def test_what_is_asked_of_new_ledgers_is_asked_of_it(desk: Desk, row: str, said: str) -> None:
    """Its documents have days, branches and references as any."""
    (desk.folder / "ventas.csv").write_text(f"{HEADINGS}\n{row}\n", encoding="utf-8")
    done = desk.call("check", "ventas.csv", "--json")
    assert done.code == 2
    assert said in done.json["error"]


def test_the_same_sales_are_still_settled(desk: Desk) -> None:
    """What it issued is what the file says: nothing is asked, and nothing is to be sent."""
    (desk.folder / "ventas.csv").write_text(f"{HEADINGS}\nV-0002,2026-11-21,Centro,Pan,2,1.00\n", encoding="utf-8")
    done = desk.call("check", "ventas.csv", "--json")
    assert (done.code, done.json["plan"]["nothing"], done.json["plan"]["issue"]) == (0, 1, 0)
