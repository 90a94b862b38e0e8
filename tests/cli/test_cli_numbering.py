"""Numbers that begin anew, at the command line: told with the line that answers, or refused before anything is sent."""

from __future__ import annotations

import json

import pytest

from tests.cli.desk import Desk, Open

HEADINGS = "Número,Fecha,Sucursal,Descripción,Cantidad,Precio"
SETTINGS = '[columns]\nexternal_ref = "Número"\n'


@pytest.fixture
def desk(open_desk: Open) -> Desk:
    return open_desk()[0]


def write(desk: Desk, *rows: str, name: str = "ventas.csv", settings: str = SETTINGS) -> None:
    (desk.folder / name).write_text("\n".join([HEADINGS, *rows]) + "\n", encoding="utf-8")
    (desk.folder / "batch-issuer.toml").write_text(settings, encoding="utf-8")


def test_check_tells_the_line_of_settings(desk: Desk) -> None:
    write(desk, "1,2026-11-20,Centro,Café,1,2.50", "2,2026-11-20,Centro,Pan,1,1.00")
    done = desk.call("check", "ventas.csv")
    assert done.code == 0
    assert "[numbers-may-restart]" in done.out
    assert 'write external_ref = "{Fecha}-{Número}" under [source]' in done.out


def test_a_week_whose_numbers_begin_anew(desk: Desk) -> None:
    """Held back and told; with the line that was proposed all of it is issued, each sale once."""
    rows = [f"{at},2026-11-{day},Centro,Café {day},1,2.50" for day in (20, 21) for at in (1, 2)]
    write(desk, *rows)
    done = desk.call("issue", "ventas.csv", "--json")
    notes = [problem for problem in json.loads(done.out)["problems"] if problem["code"] == "numbers-restart-in-file"]
    assert len(notes) == 1
    assert desk.states() == {}
    write(desk, *rows, settings='[source]\nexternal_ref = "{Fecha}-{Número}"\n')
    assert desk.call("issue", "ventas.csv").code == 0
    assert sorted(desk.states()) == ["2026-11-20-1", "2026-11-20-2", "2026-11-21-1", "2026-11-21-2"]


def test_two_shops_of_one_day_are_refused(desk: Desk) -> None:
    for name, what in (("centro.csv", "Café"), ("norte.csv", "Pan")):
        write(desk, *(f"{at},2026-11-20,,{what},1,2.50" for at in (1, 2, 3)), name=name)
    done = desk.call("issue", "centro.csv", "norte.csv")
    assert done.code == 2
    assert "centro.csv and norte.csv both number their sales from 1, and 3 numbers stand in both" in done.err
    assert not desk.ledger.exists() or desk.states() == {}
