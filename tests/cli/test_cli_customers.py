"""Whom a batch would make or change at the provider, and where it contradicts itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.desk import Desk, Open

HEADINGS = "external_ref,Razón social,NIT,DUI,Tipo contribuyente,Dirección,Descripción,Cantidad,Precio"


def row(ref: str, name: str, nit: str = "", dui: str = "", size: str = "", address: str = "", price: str = "2") -> str:
    return f"{ref},{name},{nit},{dui},{size},{address},Café,1,{price}"


def write(desk: Desk, *rows: str) -> None:
    desk.write(name="ventas.csv").write_text("\n".join([HEADINGS, *rows]) + "\n", encoding="utf-8")


def checked(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(desk.call("check", "ventas.csv", "--json").out)
    return found


NIT, DUI = "0614-050707-104-8", "00016297-5"


def test_check_lists_whom_the_batch_makes_and_changes(open_desk: Open) -> None:
    """New ones by NIT or DUI, and after an issue only those of whom something else is said."""
    desk, _ = open_desk()
    write(
        desk,
        row("A-1", "Ana", dui=DUI),
        row("A-2", "Ana", dui=DUI),
        row("A-3", "Uno", NIT, size="1"),
        row("A-4", "Eva"),
    )
    found = checked(desk)["customers"]
    assert [(one["id"], one["name"], one["documents"], one["seen"]) for one in found] == [
        ("000162975", "Ana", 2, "new"),
        ("06140507071048", "Uno", 1, "new"),
    ]
    assert found[1]["fields"] == {"name": "Uno", "nit": "06140507071048", "type_contributor": "1"}
    assert desk.call("issue", "ventas.csv").code == 0
    assert checked(desk)["customers"] == []
    write(desk, row("A-5", "Ana", dui=DUI), row("A-6", "Uno", NIT, size="3", address="Calle 1"))
    again = checked(desk)
    assert (again["customers_unchanged"], [one["id"] for one in again["customers"]]) == (1, ["06140507071048"])
    assert again["customers"][0]["changes"] == [
        {"field": "address", "before": "", "now": "Calle 1"},
        {"field": "type_contributor", "before": "1", "now": "3"},
    ]
    said = desk.call("check", "ventas.csv").out
    assert "The customer Uno (06140507071048) is changed at the provider: address: «» → «Calle 1»" in said


def test_customers_without_a_number_are_counted(open_desk: Open) -> None:
    """The provider cannot know them again; a name alone is no customer."""
    desk, _ = open_desk()
    write(desk, row("A-1", "Eva", address="Calle 2"), row("A-2", "Eva"))
    found = checked(desk)
    assert (found["customers"], found["customers_without_number"]) == ([], 1)


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        (row("A-1", "Uno S.A.", NIT), row("A-2", "Dos S.A.", NIT), "name"),
        (row("A-1", "Uno", NIT, size="1"), row("A-2", "Uno", NIT, size="3"), "type_contributor"),
        (row("A-1", "Uno", NIT, address="Calle 1"), row("A-2", "Uno", NIT, address="Calle 2"), "address"),
    ],
)
def test_one_number_with_two_of_anything_is_told(open_desk: Open, first: str, second: str, field: str) -> None:
    """Both places are named; nothing is held back, as the provider would take both."""
    desk, _ = open_desk()
    write(desk, first, second)
    problems = [one for one in checked(desk)["problems"] if one["code"] == "customer-contradicts"]
    assert [(one["field"], one["row"], one["severity"]) for one in problems] == [(field, 3, "warns")]
    assert "in row 2 of ventas.csv" in problems[0]["message"]


def test_another_name_is_told_alone_even_of_what_is_held_back(open_desk: Open) -> None:
    """Whose number was mistyped differs in everything; that his sale has a fault of its own changes nothing."""
    desk, _ = open_desk()
    write(desk, row("A-1", "Uno", NIT, size="1", address="Calle 1"), row("A-2", "Dos", NIT, size="3", price="0"))
    found = checked(desk)
    assert [one["field"] for one in found["problems"] if one["code"] == "customer-contradicts"] == ["name"]
    assert [(one["documents"], one["fields"]["type_contributor"]) for one in found["customers"]] == [(1, "1")]


def test_the_same_written_otherwise_is_the_same(open_desk: Open) -> None:
    """Accents, capitals and an empty cell contradict nothing; two numbers are two customers."""
    desk, _ = open_desk()
    write(
        desk,
        row("A-1", "José Pérez", NIT, address="Calle 1"), row("A-2", "JOSE PEREZ", NIT), row("A-3", "Ana", dui=DUI),
    )  # fmt: skip
    assert [one["code"] for one in checked(desk)["problems"]] == []
