from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.rules import catalogs
from batch_issuer.rules.catalogs import Catalog, fold, territory

ALL = [
    catalogs.document_kinds(),
    catalogs.departments(),
    catalogs.conditions(),
    catalogs.payment_methods(),
    catalogs.term_units(),
    catalogs.activities(),
    catalogs.identity_documents(),
    catalogs.contributors(),
]


@pytest.mark.parametrize(
    ("catalog", "text", "code"),
    [
        (catalogs.payment_methods(), "01", "01"),
        (catalogs.payment_methods(), "1", "01"),
        (catalogs.payment_methods(), "EFECTIVO", "01"),
        (catalogs.payment_methods(), "billetes y monedas", "01"),
        (catalogs.payment_methods(), "Tarjeta de Crédito", "03"),
        (catalogs.payment_methods(), "tarjeta credito", "03"),
        (catalogs.payment_methods(), "Transferencia", "05"),
        (catalogs.payment_methods(), "Tarjeta", ""),
        (catalogs.payment_methods(), "06", ""),
        (catalogs.conditions(), "Crédito", "2"),
        (catalogs.conditions(), "contado", "1"),
        (catalogs.conditions(), "02", "2"),
        (catalogs.term_units(), "Días", "1"),
        (catalogs.term_units(), "01", "1"),
        (catalogs.term_units(), "30", ""),
        (catalogs.departments(), "6", "06"),
        (catalogs.departments(), "USULUTÁN", "11"),
        (catalogs.departments(), "usulutan", "11"),
        (catalogs.departments(), "San Miguel", "12"),
        (catalogs.departments(), "Morazán", "13"),
        (catalogs.activities(), "1111", "01111"),
        (catalogs.activities(), "01111", "01111"),
        (catalogs.identity_documents(), "dui", "13"),
        (catalogs.identity_documents(), "3", "03"),
        (catalogs.contributors(), "Gran contribuyente", "3"),
        (catalogs.contributors(), "5", ""),
        (catalogs.document_kinds(), "factura", "01"),
    ],
)
def test_what_people_write_becomes_a_code(catalog: Catalog, text: str, code: str) -> None:
    """Codes with or without their zeros, and names whatever their accents and case."""
    assert catalog.code_of(text) == code


@pytest.mark.parametrize("catalog", ALL)
def test_every_code_and_every_single_name_is_found(catalog: Catalog) -> None:
    """Each code stands for itself; each name for its code, unless two entries share it."""
    folded = [fold(name) for name in catalog.names.values()]
    for code, name in catalog.names.items():
        assert catalog.code_of(code) == code
        expected = code if folded.count(fold(name)) == 1 else ""
        assert catalog.code_of(name.upper()) == expected


@given(st.text())
def test_any_text_is_answered_with_a_code_or_nothing(text: str) -> None:
    """No text makes a catalog fail."""
    for catalog in ALL:
        assert catalog.code_of(text) in {"", *catalog.names}


def test_there_are_44_municipalities_and_262_districts() -> None:
    """The territory is that of the reform of May 2024, and one entry for foreigners."""
    assert len(territory().municipalities) == 44 + 1
    assert len(territory().districts) == 262 + 1


def test_every_district_belongs_to_a_municipality_of_its_department() -> None:
    """No district points outside."""
    for district in territory().districts.values():
        assert territory().municipality_of(district).department == district.department


def test_cabanas_is_the_edition_of_july_2026() -> None:
    """09-10 and 09-11 were the other way round in the edition before."""
    assert territory().municipalities["09", "10"].name == "Cabañas Este"
    assert territory().municipalities["09", "11"].name == "Cabañas Oeste"


def test_no_code_from_before_the_reform_is_a_code_of_today() -> None:
    """An old municipality code can always be told from a new one, so it is never taken for another place."""
    old = set(territory().districts) - {("00", "00")}
    assert not old & set(territory().municipalities)


def test_identifiers_load_nothing_else() -> None:
    """Reading asks for check digits at once: that must not load catalogs or libraries."""
    code = "import sys, batch_issuer.rules.identifiers; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"csv", "decimal", "pandas", "numpy", "batch_issuer.rules.catalogs"} & set(loaded)
