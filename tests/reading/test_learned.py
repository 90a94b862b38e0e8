"""What `check --write-settings` adds to the settings: the next file asks nothing, and nothing of the owner is lost."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.learned import Learned, write_settings
from tests.cli.desk import Desk

ASKED = "Boleta,Fecha,Qué,Cuánto,A cómo,Nota\nB1,01/02/2026,Café,2,3.5,x\nB2,03/04/2026,Té,1,2,y\n"
CHOSEN = '[columns]\nexternal_ref = "Boleta"\ndescription = "Qué"\nquantity = "Cuánto"\nunit_price = "A cómo"\n'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "dia.csv").write_text(ASKED, encoding="utf-8")
    return Desk(tmp_path, "")


def test_the_next_file_of_the_source_asks_nothing(desk: Desk) -> None:
    """Columns, decimal mark, order of dates and price basis are found out once."""
    path = desk.folder / "batch-issuer.toml"
    path.write_text(CHOSEN, encoding="utf-8")
    assert desk.call("check", "dia.csv").code == 2
    done = desk.call("check", "dia.csv", "--dates", "dmy", "--write-settings", "--json")
    assert done.code == 0
    assert done.json["settings"]["added"] == [
        '[source] decimal = "point"', '[source] dates = "dmy"', '[source] prices = { "01" = "with_vat" }',
        '[columns] date = "Fecha"',
    ]  # fmt: skip
    assert path.read_text(encoding="utf-8").startswith(CHOSEN[:-1])
    assert desk.call("check", "dia.csv").code == 0
    before = path.read_bytes()
    again = desk.call("check", "dia.csv", "--write-settings", "--json")
    assert again.json["settings"]["added"] == []
    assert path.read_bytes() == before


def test_settings_are_made_where_there_are_none(desk: Desk) -> None:
    """Beside the file, or where --config says."""
    (desk.folder / "dia.csv").write_text("Factura,Detalle,Cant.,Precio,Precio\nA1,Café,2,3.5,4\n", encoding="utf-8")
    (desk.folder / "otro.toml").write_text('[columns]\nunit_price = "Precio (E)"\n', encoding="utf-8")
    assert desk.call("check", "dia.csv", "--config", "otro.toml", "--write-settings").code == 0
    assert tomllib.loads((desk.folder / "otro.toml").read_text(encoding="utf-8"))["columns"] == {
        "unit_price": "Precio (E)", "external_ref": "Factura", "description": "Detalle", "quantity": "Cant.",
    }  # fmt: skip
    desk.fill(2)
    done = desk.call("check", "ventas.csv", "--config", "nuevo.toml", "--write-settings")
    assert done.code == 0
    assert "Added to nuevo.toml" in done.out
    assert desk.call("check", "ventas.csv", "--config", "nuevo.toml").code == 0


def test_what_the_owner_wrote_stays_and_is_told(desk: Desk) -> None:
    """Comments, blank lines, line ends and values; also one that this file contradicts."""
    own = (
        "\ufeff# mine\r\n[company]\r\nname = \"X\"   # us\r\n\r\n[source]   # how\r\ndates = 'mdy'\r\n\r\n"
        '# below\r\n[columns]\r\nexternal_ref = "Boleta"\r\ndescription = "Qué"\r\nquantity = "Cuánto"\r\n'
        'unit_price = "A cómo" # dear'
    )  # fmt: skip
    path = desk.folder / "batch-issuer.toml"
    path.write_bytes(own.encode())
    done = desk.call("check", "dia.csv", "--dates", "dmy", "--write-settings", "--json")
    assert done.json["settings"]["kept"] == ['[source] dates = "mdy"']
    written = path.read_bytes().decode()
    rest = iter(written.split("\r\n"))
    assert all(line in rest for line in own.split("\r\n"))
    assert "\n" not in written.replace("\r\n", "")


@pytest.mark.parametrize(
    "own",
    ["source = { dates = 'dmy' }\n", "source.dates = 'dmy'\n", "[ 'source' ]\ndates = 'dmy'\n", "columns = {}\n"],
)
def test_unusual_forms_are_left_alone(tmp_path: Path, own: str) -> None:
    """The lines to add are named instead."""
    path = tmp_path / "s.toml"
    path.write_text(own, encoding="utf-8")
    with pytest.raises(CannotStart, match="it was left as it is"):
        write_settings(path, {"source": {"decimal": "point"}, "columns": {"quantity": "Cant."}})
    assert path.read_text(encoding="utf-8") == own


@pytest.mark.parametrize("there", [True, False])
def test_settings_that_are_a_link_are_written_beside_it_only(tmp_path: Path, *, there: bool) -> None:
    """The link stays. One that leads into another folder is told, and nothing is written there."""
    (tmp_path / "shop").mkdir()
    real, elsewhere, link = tmp_path / "shop" / "real.toml", tmp_path / "elsewhere.toml", tmp_path / "shop" / "s.toml"
    for place in (real, elsewhere):
        if there:
            place.write_text("# mine\n", encoding="utf-8")
    link.symlink_to(real)
    write_settings(link, {"source": {"decimal": "point"}})
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8").endswith('[source]\ndecimal = "point"\n')
    link.unlink()
    link.symlink_to(elsewhere)
    with pytest.raises(CannotStart, match=r"s\.toml cannot be written: it is a link to another folder"):
        write_settings(link, {"source": {"decimal": "point"}})
    assert link.is_symlink()
    assert (elsewhere.read_text(encoding="utf-8") if there else elsewhere.exists()) == ("# mine\n" if there else False)
    assert {path.name for path in tmp_path.rglob("*")} - {"elsewhere.toml"} == {"shop", "real.toml", "s.toml"}


TABLES = st.dictionaries(st.sampled_from(["quantity", "unit_price", "date"]), st.text(max_size=12), max_size=3)


@given(TABLES, TABLES, st.sampled_from(["\n", "\r\n"]))
def test_any_heading_is_written_and_read_back(first: dict[str, str], second: dict[str, str], end: str) -> None:
    """Quotes, backslashes, control characters: TOML says what was added, and what was there."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.toml"
        path.write_bytes(f"# a{end}[source]{end}decimal = 'point' # b".encode())
        for columns in (first, second):
            learned: Learned = {"source": {"dates": "dmy"}, "columns": columns}
            write_settings(path, learned)
        found = tomllib.loads(path.read_bytes().decode())
        assert found["source"] == {"decimal": "point", "dates": "dmy"}
        assert found.get("columns", {}) == {**second, **first}
        assert path.read_bytes().decode().startswith(f"# a{end}[source]{end}decimal = 'point' # b{end}")
