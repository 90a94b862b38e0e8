"""What the version before wrote - ledger, settings, workbooks to correct, report - is read by this one, and means the same.

`made_before/` was written by the program as it was on 1 December 2026, before the house was rebuilt: the second day of
the demo, and under `said/` what its commands then answered to `--json`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from batch_issuer.ledger.schema import APPLICATION_ID
from tests.cli.desk import Desk

MADE_BEFORE = Path(__file__).with_name("made_before")
OF_THE_MOMENT = frozenset({"as_of", "rejection_ages", "settings_file"})
"""What depends on when and where a command is run: how old a rejection has become, for one."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The folder of the shop as the version before left it."""
    shutil.copytree(MADE_BEFORE, tmp_path, dirs_exist_ok=True)
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.executescript((MADE_BEFORE / "ledger.sql").read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 5")
    return Desk(tmp_path, "http://127.0.0.1:9/api/connect", key="odt_" + "c" * 56)


def said_before(name: str) -> dict[str, Any]:
    """The JSON that the version before answered."""
    said: dict[str, Any] = json.loads((MADE_BEFORE / "said" / f"{name}.json").read_text(encoding="utf-8"))
    return said


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("report", ("report",)),
        ("check", ("check", "ventas.xlsx", "compras.csv")),
        ("check-corrected", ("check", "fix.xlsx", "fix-2.xlsx")),
        ("reconcile", ("reconcile", "ventas.xlsx", "compras.csv")),
        ("export", ("ledger", "export")),
    ],
)
def test_every_answer_is_what_it_was(desk: Desk, name: str, arguments: tuple[str, ...]) -> None:
    """Keys and values, in their order: other people's programs read them."""
    now, before = (
        {key: value for key, value in said.items() if key not in OF_THE_MOMENT}
        for said in (desk.call(*arguments, "--json").json, said_before(name))
    )
    assert json.dumps(now, indent=1) == json.dumps(before, indent=1)


def test_the_ledger_is_sound_and_its_chain_goes_on(desk: Desk) -> None:
    """Every event still has its hash, and one more can be written behind them."""
    assert desk.call("ledger", "verify").code == 0
    assert desk.call("note", "F-2201", "Cliente avisado", "--by", "Ana Ejemplo").code == 0
    assert desk.call("ledger", "verify").code == 0


def test_a_report_goes_on_from_one_that_was_made_before(desk: Desk) -> None:
    """The open items of the earlier report are found in its JSON file, and each is told of."""
    before = json.loads((MADE_BEFORE / "report.json").read_text(encoding="utf-8"))
    done = desk.call("reconcile", "ventas.xlsx", "compras.csv", "--since", "report.json", "--json")
    told = done.json["since"]
    assert told["as_of"] == before["as_of"]
    found = {item["external_ref"] for items in told.values() if isinstance(items, list) for item in items}
    assert {item["external_ref"] for item in before["open"]} <= found
    assert found
