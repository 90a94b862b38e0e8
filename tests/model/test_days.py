"""Which day it is: El Salvador's, whatever zone the machine keeps, and the evening is not yet tomorrow."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import batch_issuer
from batch_issuer.model import days
from batch_issuer.model.documents import EL_SALVADOR
from tests.cli.desk import Desk

ZONES = ("UTC", "America/El_Salvador", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Madrid")
"""Between the first to begin a day and the last to end it: whenever this runs, it is not one day in all of them."""
CLOSING_TIME = dt.datetime(2026, 11, 22, 0, 30, tzinfo=dt.UTC)
"""18:30 of the 21st in El Salvador."""


@pytest.fixture
def move_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Moves the machine to another zone."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone", ZONES)
def test_at_closing_time_it_is_still_today(
    zone: str, move_to: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """18:00 in El Salvador is midnight in UTC, when shops send their day."""
    move_to(zone)
    monkeypatch.setattr(days, "now", lambda: CLOSING_TIME)
    assert days.today() == dt.date(2026, 11, 21)
    monkeypatch.setattr(days, "now", lambda: dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC))
    assert days.today() == dt.date(2026, 11, 22)


@pytest.mark.parametrize("zone", ZONES)
def test_the_program_warns_of_other_days_than_el_salvadors(
    zone: str, move_to: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The sheet of the day that ends is today's; of the day that has begun in Europe it is told."""
    move_to(zone)
    monkeypatch.setattr(days, "now", lambda: CLOSING_TIME)
    desk = Desk(tmp_path, "http://127.0.0.1:9", environment={"TZ": zone})
    assert dated(desk, "2026-11-21") == []
    assert dated(desk, "2026-11-20") == ["back-dated"]
    assert dated(desk, "2026-11-22") == ["back-dated"]


@pytest.mark.parametrize("zone", ZONES)
def test_the_real_clock_is_read_in_el_salvador(zone: str, move_to: Callable[[str], None], tmp_path: Path) -> None:
    """The same with the clock as it runs: in some of the zones it is another day now."""
    move_to(zone)
    desk = Desk(tmp_path, "http://127.0.0.1:9", environment={"TZ": zone})
    before = dt.datetime.now(EL_SALVADOR).date()
    assert days.today() in (before, dt.datetime.now(EL_SALVADOR).date())
    found = dated(desk, before.isoformat())
    assert found == [] or dt.datetime.now(EL_SALVADOR).date() != before


@pytest.mark.parametrize(
    ("moment", "day", "year"),
    [
        ("2026-11-22T05:59:59.999+00:00", "2026-11-21", 2026),
        ("2026-11-22T06:00:00.000+00:00", "2026-11-22", 2026),
        ("2026-11-22T00:30:00.000-06:00", "2026-11-22", 2026),
        ("2026-12-31T23:59:00.000+00:00", "2026-12-31", 2026),
        ("2027-01-01T05:59:59.000+00:00", "2026-12-31", 2026),
        ("2027-01-01T06:00:00.000+00:00", "2027-01-01", 2027),
        ("2027-01-02T00:00:00.000+00:00", "2027-01-01", 2027),
        ("2027-10-01T03:00:00.000+00:00", "2027-09-30", 2027),
    ],
)
def test_a_time_of_the_ledger_has_el_salvadors_day_and_year(moment: str, day: str, year: int) -> None:
    """The day begins six hours later than in UTC, and so does the year in which documents are numbered."""
    assert (days.day_of(moment), days.year_of(moment)) == (day, year)


def test_no_time_has_no_day() -> None:
    """A document that was never sent has none."""
    assert days.day_of("") == ""


def dated(desk: Desk, day: str) -> list[str]:
    """What `check` has to say of the date of a sale."""
    path = desk.folder / "ventas.csv"
    path.write_text(f"external_ref,fecha,description,quantity,unit_price\nA-1,{day},Café,2,2.50\n", encoding="utf-8")
    done = desk.call("check", "ventas.csv", "--json")
    return [one["code"] for one in done.json["problems"] if one["code"] == "back-dated"]


def test_no_module_asks_the_machine_which_day_it_is() -> None:
    """`days` does. What shows a clock to whoever sits there, or is aware of UTC, is named here."""
    shown = {
        "cli/screen/progress.py": 2,  # when a run will be done, by the clock on the wall
        "cli/commands/demo.py": 1,  # the name of the demonstration's folder
    }
    asks = re.compile(r"date\.today\(|datetime\.now\((?!dt\.UTC\))|utcnow\(|fromtimestamp\([^,)]*\)|time\.localtime\(")
    root = Path(batch_issuer.__file__).parent
    found: dict[str, int] = {}
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not name.startswith("sandbox/") and (count := len(asks.findall(path.read_text("utf-8")))):
            found[name] = count
    assert found == shown
