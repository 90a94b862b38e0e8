"""What tells sales of the same number apart and is never sent: the till, and the time of day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.provider import wire
from batch_issuer.reading import read
from batch_issuer.reading.cells.dates import time_of
from batch_issuer.reading.learned import learn
from batch_issuer.settings import Settings
from tests.reading.reading_samples import codes, csv_file, read_text, settings, workbook

WITH_TILL = "Factura,{heading},Fecha,Descripción,Cantidad,Precio unitario\n"


@pytest.mark.parametrize(
    "heading",
    ["till", "No. caja", "Número de caja", "Caja registradora", "Terminal", "No. terminal", "Cash register",
     "Register", "Till", "Punto de cobro", "POS terminal", "Caja", "POS"],
)  # fmt: skip
def test_the_till_is_found_by_its_heading(tmp_path: Path, heading: str) -> None:
    batch = read_text(tmp_path, WITH_TILL.format(heading=heading) + "1,02,2026-11-20,Café,1,2.50\n")
    assert batch[0].document.till == "02"
    assert ("till", heading) in [(one.field, one.heading) for one in batch.sources[0].mapping]


def test_a_box_is_no_till(tmp_path: Path) -> None:
    """«Caja» of two kinds in one document is how the goods are packed: the column is not used, and nothing is said."""
    text = WITH_TILL.format(heading="Caja") + "1,12 un.,2026-11-20,Café,1,2.50\n1,24 un.,2026-11-20,Pan,1,2.50\n"
    batch = read_text(tmp_path, text)
    assert (batch[0].document.till, codes(batch), batch.problems) == ("", [], ())
    assert batch.sources[0].ignored == ("Caja",)


def test_a_till_that_the_settings_name_must_agree(tmp_path: Path) -> None:
    text = WITH_TILL.format(heading="Caja") + "1,1,2026-11-20,Café,1,2.50\n1,2,2026-11-20,Pan,1,2.50\n"
    batch = read_text(tmp_path, text, settings({"till": "Caja"}))
    assert codes(batch) == ["header-disagrees"]
    assert batch[0].held_back


def test_a_till_is_said_in_one_row_or_in_all(tmp_path: Path) -> None:
    text = WITH_TILL.format(heading="Caja") + "1,,2026-11-20,Café,1,2.50\n1,2,2026-11-20,Pan,1,2.50\n"
    assert read_text(tmp_path, text)[0].document.till == "2"


def test_of_two_tills_none_is_taken(tmp_path: Path) -> None:
    batch = read_text(tmp_path, "Factura,Caja,Terminal,Descripción,Cantidad,Precio\n1,1,9,Café,1,2.50\n")
    assert (batch[0].document.till, batch.sources[0].ignored) == ("", ("Caja", "Terminal"))


def test_two_columns_of_the_name_that_the_settings_give_are_asked_about(tmp_path: Path) -> None:
    text = "Factura,Caja,Caja,Descripción,Cantidad,Precio\n1,1,9,Café,1,2.50\n"
    with pytest.raises(Exception, match="several columns could be till"):
        read_text(tmp_path, text, settings({"till": "Caja"}))


def test_nothing_is_wrong_with_a_till(tmp_path: Path) -> None:
    """No rule looks at it: a text that would hold back elsewhere does not here."""
    text = WITH_TILL.format(heading="Caja") + "1,#N/A,2026-11-20,Café,1,2.50\n2,mÃ¡quina,2026-11-20,Pan,1,2.50\n"
    batch = read_text(tmp_path, text)
    assert codes(batch) == []
    assert [entry.document.till for entry in batch] == ["", "mÃ¡quina"]


def test_tills_of_two_files_never_hold_a_sale_back(tmp_path: Path) -> None:
    """Unless the settings name the column, nobody has said that it is one."""
    first = csv_file(tmp_path, WITH_TILL.format(heading="Caja") + "A,1,2026-11-20,Café,1,2.50\n", "1.csv")
    second = csv_file(tmp_path, WITH_TILL.format(heading="Caja") + "A,2,2026-11-20,Pan,1,2.50\n", "2.csv")
    assert codes(read([first, second], Settings())) == ["document-in-two-files"]


def test_neither_till_nor_time_is_sent(tmp_path: Path) -> None:
    lines = "1,{till},{date},Café,1,2.50\n"
    bodies = {
        wire.encode(read_text(tmp_path, WITH_TILL.format(heading="Caja") + lines.format(till=till, date=date))[0].document)
        for till, date in (("1", "2026-11-20 08:15"), ("2", "2026-11-20 09:00:10"), ("", "2026-11-20"))
    }  # fmt: skip
    assert len(bodies) == 1


def test_a_till_is_only_learned_where_the_settings_name_it(tmp_path: Path) -> None:
    """Written into the settings, a box would hold back the next file's sales."""
    batch = read_text(tmp_path, WITH_TILL.format(heading="Caja") + "1,1,2026-11-20,Café,1,2.50\n")
    assert "till" not in learn(batch.sources, Settings(), ["01"])["columns"]
    assert learn(batch.sources, settings({"till": "Caja"}), ["01"])["columns"]["till"] == "Caja"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20", ""), ("2026-11-20 00:00", ""), ("2026-11-20 00:00:00", ""), ("2026-11-20 08:15", "08:15"),
        ("2026-11-20 08:15:09", "08:15:09"), ("2026-11-20 08:15:00", "08:15"), ("20/11/2026 8:15:60", "08:15:59"), ("20/11/2026 8:15", "08:15"), ("20/11/2026 8:15 p. m.", "20:15"),
        ("20/11/2026 12:05 AM", "00:05"), ("2026-11-20T08:15:09.250", "08:15:09"),
        ("2026-11-20T08:15:09Z", "02:15:09"), ("2026-11-20 03:00 UTC", "21:00"), ("2026-11-20 08:15 -0600", "08:15"),
        ("2026-11-20 08:15+02:00", "00:15"), ("20 de noviembre de 2026, 10:00", "10:00"), ("2026-11-20 29:10", ""),
        ("08:15", ""), ("sin fecha: hoy", ""),
    ],
)  # fmt: skip
def test_times_as_people_write_them(text: str, time: str) -> None:
    assert time_of(text) == time


@given(st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)), st.times(), st.sampled_from(["%H:%M", "%H:%M:%S"]))
def test_the_time_of_any_moment(date: dt.date, time: dt.time, style: str) -> None:
    """However a day is written, the time after it is read as it stands."""
    said = time.strftime(style)
    wanted = (said.removesuffix(":00") if len(said) > len("08:15") else said) if said.strip("0:") else ""
    assert {time_of(f"{date:{day}} {said}") for day in ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d")} == {wanted}


def test_a_document_has_the_time_of_its_first_row(tmp_path: Path) -> None:
    """Dates agree by day; the times of a document's rows may differ."""
    rows = "A,,2026-11-20 08:15,Café,1,2.50\nA,,2026-11-20 08:16,Pan,1,2.50\nB,,2026-11-20,Té,1,2.50\n"
    batch = read_text(tmp_path, WITH_TILL.format(heading="Caja") + rows)
    assert codes(batch) == []
    assert [entry.document.time for entry in batch] == ["08:15", ""]


def test_the_time_part_of_a_workbook_s_date(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [
            ["Factura", "Fecha", "Descripción", "Cantidad", "Precio"],
            ["A", dt.datetime.fromisoformat("2026-11-20 08:15:30"), "Café", 1, 2.5],
            ["B", dt.datetime.fromisoformat("2026-11-20"), "Café", 1, 2.5],
        ],
    )
    assert [entry.document.time for entry in read([path], Settings())] == ["08:15:30", ""]


def test_documents_with_the_same_header_have_their_own_times(tmp_path: Path) -> None:
    rows = (f"F-{at},1,2026-11-20 08:{at:02},Café,1,2.50\n" for at in range(10, 20))
    batch = read_text(tmp_path, WITH_TILL.format(heading="Caja") + "".join(rows))
    assert [entry.document.time for entry in batch] == [f"08:{at}" for at in range(10, 20)]
