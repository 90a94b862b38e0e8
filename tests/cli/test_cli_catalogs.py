"""The provider's catalogs count before ours, are kept beside the ledger, and never delay or fail anything."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.provider.catalogs import read_activities, read_departments
from batch_issuer.rules.catalogs import Live, Municipality, activities, prefer
from batch_issuer.rules.places import place
from batch_issuer.send import live_catalogs
from tests.cli.desk import Desk, Open

HEADINGS = "external_ref,Cliente,DUI,Departamento,Municipio,Giro,description,quantity,unit_price"


@pytest.fixture(autouse=True)
def ours_again() -> Iterator[None]:
    """Other tests count with the shipped catalogs."""
    yield
    prefer(Live())


def test_the_provider_s_numbers_count_before_ours() -> None:
    """The halves of Cabañas were swapped once: names keep their meaning, codes are the provider's, districts follow."""
    before = place("09", "Cabañas Este", ""), place("", "", "Sensuntepeque")
    assert [one.municipality for one in before] == ["10", "10"]
    prefer(Live(municipalities=(Municipality("09", "11", "CABAÑAS ESTE"), Municipality("09", "10", "CABAÑAS OESTE"))))
    after = place("09", "Cabañas Este", ""), place("", "", "Sensuntepeque"), place("09", "Cabañas Oeste", "")
    assert [one.municipality for one in after] == ["11", "11", "10"]
    assert place("06", "San Salvador Centro", "").municipality == "23"


def test_what_only_the_provider_has_is_known() -> None:
    """New places and activities need no new version of ours."""
    assert place("01", "Puerto Nuevo", "").fault
    assert not activities().code_of("99999")
    prefer(Live(municipalities=(Municipality("01", "77", "PUERTO NUEVO"),), activities={"99999": "Minería lunar"}))
    assert place("01", "Puerto Nuevo", "").municipality == "77"
    assert (activities().code_of("99999"), activities().code_of("minería lunar")) == ("99999", "99999")
    assert activities().code_of("01111")


DEPARTMENTS = [
    {
        "code": "11",
        "name": "USULUTÁN",
        "municipalities": [{"code": "1124", "short_code": "24", "name": "USULUTÁN NORTE"}],
    },
    {"code": "06", "municipalities": [{"code": "0614", "name": "SAN SALVADOR"}]},
]


def test_both_shapes_of_the_departments_are_read() -> None:
    """The older page has no short codes; lists inside an object, or of something else, are no harm."""
    found = (Municipality("11", "24", "USULUTÁN NORTE"), Municipality("06", "14", "SAN SALVADOR"))
    assert read_departments(DEPARTMENTS) == read_departments({"results": DEPARTMENTS}) == found
    assert read_activities([{"code": "62010", "description": "Programación"}, {"code": 1}, "x"]) == {
        "62010": "Programación"
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["code", "name", "municipalities", "x"]), inner),
)


@given(JSON)
def test_whatever_the_provider_says_is_read_or_left(plain: object) -> None:
    """No answer can break a run."""
    read_departments(plain)
    read_activities(plain)


@pytest.mark.parametrize(
    "text", ["", "x", "[]", '{"municipalities": [[1]]}', '{"municipalities": 3, "activities": []}']
)
def test_a_damaged_cache_is_no_cache(tmp_path: Path, text: str) -> None:
    """Without it the shipped catalogs count."""
    ledger = tmp_path / "ledger.db"
    live_catalogs.cache_path(ledger).write_text(text, encoding="utf-8")
    assert live_catalogs.kept(ledger) == Live()
    assert live_catalogs.is_old(ledger, dt.datetime.now(dt.UTC))


def write(desk: Desk, *rows: str) -> None:
    desk.write(name="ventas.csv").write_text("\n".join([HEADINGS, *rows]) + "\n", encoding="utf-8")


PLACED = "B-1,Ana,00016297-5,San Salvador,San Salvador Centro,62010,Café,1,2"


def test_a_run_with_places_asks_once_a_week(open_desk: Open) -> None:
    """Beside the ledger, where `check` reads it without network; anonymous sales ask for nothing."""
    desk, provider = open_desk()
    assert desk.call("issue", "ventas.csv").code == 0
    assert provider.requests().count("departments") == 0
    write(desk, PLACED, "B-2,Eva,,,,99999,Café,1,2")
    assert desk.call("issue", "ventas.csv").code == 1
    kept = json.loads((desk.folder / "ledger.db.catalogs.json").read_text(encoding="utf-8"))
    assert ["06", "23", "SAN SALVADOR CENTRO"] in kept["municipalities"]
    assert (provider.requests().count("departments"), provider.requests().count("activities")) == (1, 1)
    write(desk, PLACED.replace("B-1", "B-3"))
    before = provider.requests().total
    assert desk.call("issue", "ventas.csv").code == 0
    assert provider.requests().total == before + 2, "one look whether the provider has it, and the document"
    assert desk.call("check", "ventas.csv").code == 0
    assert provider.requests().total == before + 2


@pytest.mark.parametrize("fault", ["hang-before", "error-before", "html-before", "reset-before", "truncate"])
def test_catalogs_that_cannot_be_had_harm_nothing(open_desk: Open, fault: str) -> None:
    """The run ends as it would have, soon."""
    desk, _ = open_desk(f"{fault}:route=departments")
    write(desk, PLACED)
    assert desk.call("issue", "ventas.csv").code == 0
    assert live_catalogs.kept(desk.ledger).municipalities == ()


def test_check_counts_with_what_the_provider_said(open_desk: Open) -> None:
    """A place of the provider's catalog only is taken; the shipped table would have held the sale back."""
    desk, _ = open_desk()
    write(desk, PLACED.replace("San Salvador Centro", "Villa Nueva"))
    assert desk.call("check", "ventas.csv").code == 1
    content = {
        "asked_at": "2026-11-21T00:00:00+00:00",
        "municipalities": [["06", "77", "VILLA NUEVA"]],
        "activities": {},
    }
    live_catalogs.cache_path(desk.ledger).write_text(json.dumps(content), encoding="utf-8")
    assert desk.call("check", "ventas.csv").code == 0
