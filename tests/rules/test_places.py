from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.rules.catalogs import territory
from batch_issuer.rules.places import place

UUID = "2f1d7c3e-5a0b-4b3c-9d9e-0123456789ab"


@pytest.mark.parametrize(
    ("department", "municipality", "district", "codes"),
    [
        ("", "", "", ("", "")),
        ("06", "23", "", ("06", "23")),
        ("6", "23", "", ("06", "23")),
        ("11", "1124", "", ("11", "24")),
        ("", "1124", "", ("11", "24")),
        ("", "620", "", ("06", "20")),
        ("San Salvador", "San Salvador Centro", "", ("06", "23")),
        ("", "san salvador centro", "", ("06", "23")),
        ("San Salvador", "Soyapango", "", ("06", "22")),
        ("San Salvador", "San Salvador", "", ("06", "23")),
        ("", "Antiguo Cuscatlan", "", ("05", "26")),
        ("", "ANTGO CUSCATLÁN", "", ("05", "26")),
        ("", "", "Santa Tecla", ("05", "28")),
        ("05", "", "Santa Tecla", ("05", "28")),
        ("05", "28", "Santa Tecla", ("05", "28")),
        ("05", "", "11", ("05", "28")),
        ("", "", "0511", ("05", "28")),
        ("10", "", "San Lorenzo", ("10", "14")),
        ("01", "13", "San Lorenzo", ("01", "13")),
        ("00", "00", "", ("00", "00")),
    ],
)
def test_places_become_codes(department: str, municipality: str, district: str, codes: tuple[str, str]) -> None:
    """Codes short and long, names of municipalities, and names of the towns that are districts today."""
    placing = place(department, municipality, district)
    assert placing.fault is None
    assert (placing.department, placing.municipality, placing.district) == (*codes, "")


@pytest.mark.parametrize(
    ("department", "municipality", "district", "field", "code"),
    [
        ("Narnia", "23", "", "department", "department-unknown"),
        ("15", "23", "", "department", "department-unknown"),
        ("06", "", "", "municipality", "municipality-missing"),
        ("", "24", "", "municipality", "department-missing"),
        ("06", "99", "", "municipality", "municipality-unknown"),
        ("06", "Soyapanga", "", "municipality", "municipality-unknown"),
        ("06", "14", "", "municipality", "municipality-old-code"),
        ("", "0614", "", "municipality", "municipality-old-code"),
        ("06", "1124", "", "municipality", "municipality-elsewhere"),
        ("06", "Santa Tecla", "", "municipality", "municipality-elsewhere"),
        ("", "San Lorenzo", "", "municipality", "place-ambiguous"),
        ("", "", "San Lorenzo", "district", "place-ambiguous"),
        ("", "", "Santa Techa", "district", "district-unknown"),
        ("", "", "11", "district", "district-unknown"),
        ("06", "", "Santa Tecla", "district", "district-elsewhere"),
        ("05", "26", "Santa Tecla", "district", "district-elsewhere"),
    ],
)
def test_places_that_are_refused(department: str, municipality: str, district: str, field: str, code: str) -> None:
    """What contradicts itself or names nothing stays as it was written, with its fault."""
    placing = place(department, municipality, district)
    assert placing.fault is not None
    assert (placing.field, placing.fault.kind.code) == (field, code)
    assert (placing.department, placing.municipality, placing.district) == (department, municipality, district)


@pytest.mark.parametrize(("department", "municipality"), [("", ""), ("06", ""), ("06", "23")])
def test_a_uuid_is_left_to_the_provider(department: str, municipality: str) -> None:
    """The provider's own key of a district is sent as it is, and it wins there over the rest."""
    placing = place(department, municipality, UUID)
    assert placing.fault is None
    assert placing.district == UUID


def test_the_old_code_says_what_it_is_today() -> None:
    """Who typed a code from an old list learns the new one."""
    fault = place("06", "14", "").fault
    assert fault is not None
    assert fault.parameters == {"district": "San Salvador", "code": "23", "name": "San Salvador Centro"}


def test_an_ambiguous_name_names_the_places() -> None:
    """Who wrote a name that several towns have sees which ones."""
    fault = place("", "", "San Fernando").fault
    assert fault is not None
    assert fault.parameters["places"] == "Chalatenango Centro (Chalatenango); Morazán Norte (Morazán)"


@given(st.sampled_from(sorted(territory().districts)))
def test_every_district_is_found_by_its_name_in_its_department(key: tuple[str, str]) -> None:
    """Names lead to the municipality of the ministry's table, in either column."""
    district = territory().districts[key]
    for written in ((district.department, district.name, ""), (district.department, "", district.name)):
        assert place(*written).municipality == district.municipality


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_any_text_gives_codes_or_a_fault(department: str, municipality: str, district: str) -> None:
    """Whatever is written, what is sent is a municipality of the ministry's table, or a UUID, or nothing."""
    placing = place(department, municipality, district)
    if placing.fault is None and not placing.district:
        assert (placing.department, placing.municipality) in {("", ""), *territory().municipalities}
