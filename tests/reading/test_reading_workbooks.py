"""Workbooks: types, formats, formulas, hidden things, odd writers, hostile files; and other readers as witnesses."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.reading.tables import CellKind
from batch_issuer.reading.xlsx.cells import Book, date_text, masked, plain_number, style_of
from batch_issuer.reading.xlsx.rows import read_rows
from batch_issuer.reading.xlsx.workbook import Workbook
from batch_issuer.reading.xlsx.xml import DamagedSheet, plain_strings, rich_strings
from batch_issuer.settings import Settings
from tests.reading.reading_samples import (
    ENGLISH,
    codes,
    quantities,
    raw_workbook,
    refs,
    refusal,
    settings,
    told,
    workbook,
)

HEAD = ["Factura", "Descripción", "Cantidad", "Precio"]


def stopped_by(path: str, chosen: Settings | None = None) -> str:
    with pytest.raises(CannotStart) as stopped:
        read([path], chosen or Settings())
    return refusal(stopped.value)


def test_numbers_are_what_excel_shows(tmp_path: Path) -> None:
    """Whole numbers have no decimals, and binary dust beyond 15 digits is not read."""
    path = workbook(tmp_path, [HEAD, [536365, "Café", 6, 2.5499999999999998], [536366.0, "Té", 1e3, 1e-5]])
    batch = read([path], Settings())
    assert refs(batch) == ["536365", "536366"]
    assert [(str(line.quantity), str(line.unit_price)) for entry in batch for line in entry.document.lines] == [
        ("6", "2.55"),
        ("1000", "0.00001"),
    ]


@given(st.floats(-1e300, 1e300))
def test_every_stored_number_is_plain_and_keeps_15_digits(number: float) -> None:
    """No exponent, no negative zero, and the value to 15 significant digits."""
    text = plain_number(repr(number))
    assert text is not None
    assert "e" not in text.lower()
    assert float(text) == float(format(number, ".15g"))
    assert plain_number(text) == text


@pytest.mark.parametrize("text", ["NaN", "inf", "abc", "", "1,5"])
def test_what_is_no_number_is_none(text: str) -> None:
    """A damaged number is not made into one."""
    assert plain_number(text) is None


@given(st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2999, 12, 31)), st.booleans())  # noqa: DTZ001
def test_every_moment_comes_back_to_the_second(moment: dt.datetime, from_1904: bool) -> None:
    """Both of Excel's calendars."""
    moment = moment.replace(microsecond=0)
    start = dt.datetime(1904, 1, 1) if from_1904 else dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a wall clock
    serial = (moment - start) / dt.timedelta(days=1)
    if serial < 1:
        return
    assert dt.datetime.fromisoformat(date_text(serial, from_1904=from_1904)) == moment


@pytest.mark.parametrize(
    ("serial", "text"),
    [(1, "1900-01-01"), (59, "1900-02-28"), (61, "1900-03-01"), (0.5, "12:00:00"), (-1, ""), (3e6, "")],
)
def test_the_ends_of_excels_calendar(serial: float, text: str) -> None:
    """Excel believes in 29 February 1900."""
    assert date_text(serial, from_1904=False) == text


def test_dates_and_moments_are_days(tmp_path: Path) -> None:
    """A date cell needs no order, and its time does not count."""
    rows: list[list[Any]] = [
        ["Factura", "Fecha", *HEAD[1:]],
        ["A1", dt.datetime(2026, 5, 1, 8, 26), "Café", 1, 2],  # noqa: DTZ001 - a wall clock
        ["A2", dt.date(2026, 1, 5), "Té", 1, 2],
    ]
    batch = read([workbook(tmp_path, rows)], Settings())
    assert [entry.document.date for entry in batch] == [dt.date(2026, 5, 1), dt.date(2026, 1, 5)]
    assert batch.sources[0].dates == ""


def test_stored_dates_swapped_by_excel_stop(tmp_path: Path) -> None:
    """Stored dates up to the twelfth with text dates from the thirteenth: day and month were swapped on opening."""
    rows: list[list[Any]] = [
        ["Factura", "Fecha", *HEAD[1:]],
        ["A1", dt.date(2026, 5, 1), "Café", 1, 2],
        ["A2", "13/01/2026", "Té", 1, 2],
    ]
    path = workbook(tmp_path, rows)
    assert "mixes stored dates («2026-05-01») with dates as text («13/01/2026»)" in stopped_by(path)
    assert len(read([path], settings(dates="dmy"))) == 2


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("00000000000000", 6140507071048, "06140507071048"),
        ("0000-000000-000-0", 6140507071048, "0614-050707-104-8"),
        ('0000"-"000000"-"000"-"0', 6140507071048, "0614-050707-104-8"),
        ("00000000\\-0", 162975, "00016297-5"),
        ("000", 12345, "12345"),
        ("0", 7, "7"),
        ("0.00", 7.5, "7.5"),
        ("#,##0.00", 1234.5, "1234.5"),
        ('"$"#,##0.00', 3.5, "3.5"),
        ("0%", 0.1, "10%"),
        ("0.00%", 0.075, "7.5%"),
        ("General", 5, "5"),
        ("@", 5, "5"),
    ],
)
def test_formats_that_show_more_than_is_stored(tmp_path: Path, code: str, number: float, text: str) -> None:
    """Masks of zeros put them back, percentages are hundredths; decorations are not read."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD)
    sheet.append([number, "Café", 1, 2])
    sheet["A2"].number_format = code
    book.save(tmp_path / "v.xlsx")
    batch = read([str(tmp_path / "v.xlsx")], Settings())
    assert refs(batch) == [text]
    assert not batch.problems


@pytest.mark.parametrize("code", ['"F-"00000', '0.00" €"', "[$€-407] #,##0.00", "[$Q-100A]0.00", '0.0,"K"', "#,##0,"])
def test_formats_with_words_of_their_own_are_told(tmp_path: Path, code: str) -> None:
    """What is seen is not what is stored; once for each column and format."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD)
    for row in range(2, 5):
        sheet.append([f"A{row}", "Café", 1, row])
        sheet.cell(row, 4).number_format = code
    book.save(tmp_path / "v.xlsx")
    batch = read([str(tmp_path / "v.xlsx")], Settings())
    assert [(problem.code, problem.place.row, problem.place.column) for problem in batch.problems] == [
        ("shown-differently", 2, "D")
    ]


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("dd/mm/yyyy", True), ("m/d/yyyy h:mm", True), ("[$-440A]d mmmm yyyy", True), ('yyyy"-"mm', True), ("h:mm:ss", True),
        ("[h]:mm", False), ('0.00" dólares"', False), ("#,##0.00_);[Red](#,##0.00)", False), ("General", False), ('"día" 0', False),
    ],
)  # fmt: skip
def test_formats_of_dates(code: str, is_date: bool) -> None:
    """Letters in quotation marks, colours and durations are no dates."""
    assert style_of(164, {164: code}).is_date is is_date


def test_a_mask_keeps_digits_beyond_it() -> None:
    """No digit is ever cut off."""
    assert masked("123456", "000-0") == "12345-6"


def test_a_discount_stored_as_percentage(tmp_path: Path) -> None:
    """10 % is stored as 0.1 and means ten."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*HEAD, "Descuento %"])
    sheet.append(["A1", "Café", 1, 2, 0.1])
    sheet["E2"].number_format = "0%"
    book.save(tmp_path / "v.xlsx")
    assert str(read([str(tmp_path / "v.xlsx")], Settings())[0].document.lines[0].discount_percentage) == "10"


def test_digits_that_excel_destroyed_are_problems(tmp_path: Path) -> None:
    """A number of more than 15 digits has lost the last ones; as a text it has not."""
    head = ["Factura", "NIT", *HEAD[1:]]
    path = workbook(
        tmp_path,
        [
            head,
            ["A1", 61405070710481234, "Café", 1, 2],
            [12345678901234567, "", "Té", 1, 2],
            ["12345678901234567", "", "Té", 1, 2],
        ],
    )
    assert codes(read([path], Settings())) == ["too-many-digits", "too-many-digits"]


def test_a_reference_that_became_a_date_is_held_back(tmp_path: Path) -> None:
    """1-2 typed into Excel is a day in February."""
    path = workbook(tmp_path, [HEAD, [dt.date(2026, 2, 1), "Café", 1, 2]])
    assert told(read([path], Settings())) == [
        "A2 The reference is stored as the date 2026-02-01: the spreadsheet program has changed what was written."
    ]


def test_formulas_have_the_value_that_excel_stored(tmp_path: Path) -> None:
    """With a stored result it is read; without one it is a problem, never an empty cell."""
    path = tmp_path / "v.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Ventas")
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["A1", "Café"])
        sheet.write_formula("C2", "=1+1", None, 2)
        sheet.write_formula("D2", '=IF(1,"3.5","")', None, "3.5")
        sheet.write_row(2, 0, ["A2", "Té"])
        sheet.write_formula("C3", "=C2*2", None, "")
        sheet.write_number("D3", 2)
    batch = read([str(path)], Settings())
    assert quantities(batch)[0] == "2"
    assert batch[0].document.lines[0].unit_price == Decimal("3.5")


def test_a_formula_without_result_is_a_problem(tmp_path: Path) -> None:
    """A program that is no spreadsheet wrote it, and nobody has calculated it."""
    path = workbook(tmp_path, [HEAD, ["A1", "Café", "=1+1", 2], ["A2", "Té", 1, 2]])
    batch = read([path], Settings())
    assert told(batch) == ["C2 The cell holds the formula =1+1 and no stored result."]
    assert batch[0].held_back


def test_error_cells_are_problems(tmp_path: Path) -> None:
    """Not empty cells: an empty discount would be none."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*HEAD, "Descuento %"])
    sheet.append(["A1", "Café", 1, 2, "#N/A"])
    sheet["E2"].data_type = "e"
    book.save(tmp_path / "v.xlsx")
    assert told(read([str(tmp_path / "v.xlsx")], Settings())) == ["E2 The cell holds the spreadsheet error #N/A."]


def test_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    """Unless the settings name them."""
    book = openpyxl.Workbook()
    for title, ref in (("Ventas", "A1"), ("Enero", "B1")):
        sheet = book.create_sheet(title)
        sheet.append(HEAD)
        sheet.append([ref, "Café", 1, 2])
    book["Enero"].sheet_state = "veryHidden"
    del book["Sheet"]
    book.save(tmp_path / "v.xlsx")
    assert refs(read([str(tmp_path / "v.xlsx")], Settings())) == ["A1"]
    assert refs(read([str(tmp_path / "v.xlsx")], settings(sheet="enero"))) == ["B1"]
    assert "has no sheet «Febrero».\nDid you mean «Enero»?" in stopped_by(
        str(tmp_path / "v.xlsx"), settings(sheet="Febrero")
    )


def test_several_sheets_of_sales_are_asked(tmp_path: Path) -> None:
    """A sheet with other things is no candidate, and neither is one without rows."""
    book = openpyxl.Workbook()
    for title in ("Lunes", "Martes", "Vacía"):
        sheet = book.create_sheet(title)
        sheet.append(HEAD)
        if title != "Vacía":
            sheet.append([f"{title}-1", "Café", 1, 2])
    book.create_sheet("Clientes").append(["Nombre", "Teléfono"])
    path = str(tmp_path / "v.xlsx")
    book.save(path)
    assert stopped_by(path) == (
        f"{path} has several sheets with sales: «Lunes», «Martes».\n"
        'Say which one with --sheet, or with sheet under [source] in the settings; --sheet "*" reads them all.'
    )
    assert refs(read([path], settings(sheet="Martes"))) == ["Martes-1"]
    both = read([path], settings(sheet="*"))
    assert refs(both) == ["Lunes-1", "Martes-1"]
    assert [source.sheet for source in both.sources] == ["Lunes", "Martes"]
    assert refs(read([path], settings(sheet="mar*"))) == ["Martes-1"]
    assert "has no sheet «x*»" in stopped_by(path, settings(sheet="x*"))


def test_hidden_rows_are_asked(tmp_path: Path) -> None:
    """A filter may have been left on, or meant."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEAD)
    for row in range(2, 6):
        sheet.append([f"A{row}", "Café", 1, 2])
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[5].hidden = True
    sheet.row_dimensions[9].hidden = True
    book.save(tmp_path / "v.xlsx")
    path = str(tmp_path / "v.xlsx")
    assert "2 rows of sales are hidden, the first is row 3" in stopped_by(path)
    skipped, included = (read([path], settings(hidden_rows=wanted)) for wanted in ("skip", "include"))
    assert included.rows == skipped.rows + 2
    assert [(problem.code, problem.place.row) for problem in skipped.problems if "hidden" in problem.code] == [
        ("hidden-row-skipped", 3), ("hidden-row-skipped", 5),
    ]  # fmt: skip
    assert {problem.code for problem in included.problems} >= {"hidden-row-read"}


def test_hidden_columns_are_told(tmp_path: Path) -> None:
    """When they are used."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append([*HEAD, "Notas"])
    sheet.append(["A1", "Café", 1, 2, "x"])
    sheet.column_dimensions["D"].hidden = True
    sheet.column_dimensions["E"].hidden = True
    book.save(tmp_path / "v.xlsx")
    batch = read([str(tmp_path / "v.xlsx")], Settings())
    assert [(problem.code, problem.place.column) for problem in batch.problems] == [("hidden-column", "D")]


def test_dates_from_1904_are_read_as_such(tmp_path: Path) -> None:
    """The flag of the workbook is honoured."""
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    sheet.append(["Factura", "Fecha", *HEAD[1:]])
    sheet.append(["A1", dt.date(2026, 1, 5), "Café", 1, 2])
    book.save(tmp_path / "v.xlsx")
    assert read([str(tmp_path / "v.xlsx")], Settings())[0].document.date == dt.date(2026, 1, 5)


def cell(address: str, text: object) -> str:
    kind = "" if isinstance(text, int) else ' t="str"'
    return f'<c r="{address}"{kind}><v>{text}</v></c>'


def rows_xml(*rows: tuple[object, ...]) -> str:
    return "".join(
        f'<row r="{number}">'
        + "".join(cell(f"{'ABCDEFG'[at]}{number}", text) for at, text in enumerate(row))
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )


PLAIN = rows_xml(tuple(HEAD), ("A1", "Café", 2, 3), ("A2", "Té", 1, 4))


@pytest.mark.parametrize(
    "sheet_xml",
    [
        f"<worksheet><sheetData>{PLAIN}</sheetData></worksheet>",
        f"<worksheet><sheetData>{PLAIN.replace('<', '<x:').replace('<x:/', '</x:')}</sheetData></worksheet>".replace(
            "<worksheet><sheetData>", '<x:worksheet xmlns:x="u"><x:sheetData>'
        ).replace("</sheetData></worksheet>", "</x:sheetData></x:worksheet>"),
        f"<worksheet>\n <sheetData>\n{PLAIN.replace('><', '>' + chr(10) + '<')}\n</sheetData>\n</worksheet>",
        f"<worksheet><sheetData><!-- a comment -->{PLAIN}</sheetData></worksheet>",
        "<worksheet><sheetData>" + re.sub(r'<c (r="[A-D]\d") (t="str")>', r"<c \2 \1>", PLAIN) + "</sheetData></worksheet>",
        f'<worksheet><sheetData>{PLAIN}<row r="4" ht="15"/><row r="9"><c r="A9" s="1"/></row></sheetData></worksheet>',
        "<worksheet><sheetData>" + PLAIN.replace("<v>2</v>", "<f>1+1</f><v>2</v>").replace("<v>4</v>", '<f t="shared" si="0"/><v>4</v>') + "</sheetData></worksheet>",
        "<worksheet><sheetData>" + PLAIN.replace("<v>Café</v>", "<v>Caf&#233;</v>").replace("<v>Té</v>", "<v>T&#xE9;</v>") + "</sheetData></worksheet>",
        "<worksheet><sheetData>" + PLAIN.replace('t="str"><v>Café</v>', 't="inlineStr"><is><t>Café</t></is>') + "</sheetData></worksheet>",
        "<worksheet><sheetData>" + PLAIN.replace('t="str"><v>Café</v>', 't="inlineStr"><is><r><t>Ca</t></r><r><rPr><b/></rPr><t>fé</t></r><rPh><t>x</t></rPh></is>') + "</sheetData></worksheet>",
        "<worksheet><sheetData>" + PLAIN.replace("<v>Café</v>", "<v><![CDATA[Café]]></v>") + "</sheetData></worksheet>",
    ],
)  # fmt: skip
def test_every_way_to_write_the_same_rows_is_read_alike(tmp_path: Path, sheet_xml: str) -> None:
    """Prefixes, blanks, comments, formulas, empty rows, references to characters, inline and rich texts."""
    batch = read([raw_workbook(tmp_path, sheet_xml)], Settings())
    lines = [
        (line.description, str(line.quantity), str(line.unit_price)) for entry in batch for line in entry.document.lines
    ]
    assert (refs(batch), lines) == (["A1", "A2"], [("Café", "2", "3"), ("Té", "1", "4")])


def test_addresses_may_be_left_out(tmp_path: Path) -> None:
    """Cells and rows without an address follow one another."""
    bare = PLAIN
    for number in (1, 2, 3):
        bare = bare.replace(f'<row r="{number}">', "<row>")
        for letter in "ABCD":
            bare = bare.replace(f' r="{letter}{number}"', "")
    batch = read([raw_workbook(tmp_path, f"<worksheet><sheetData>{bare}</sheetData></worksheet>")], Settings())
    assert refs(batch) == ["A1", "A2"]


cell_values = st.one_of(
    st.none(),
    st.integers(-(10**12), 10**12),
    st.floats(-1e9, 1e9).map(lambda number: float(format(number, ".12g"))),
    st.text(alphabet=st.sampled_from("aé<&>'\" \n;=1.#_x"), min_size=1, max_size=6).filter(
        lambda text: text.strip() != ""
    ),
    st.booleans(),
    st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2050, 1, 1)).map(  # noqa: DTZ001 - a wall clock
        lambda moment: moment.replace(microsecond=0)
    ),
)


def expected(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case dt.datetime():
            return value.isoformat(" ").removesuffix(" 00:00:00")
        case float() | int():
            return plain_number(repr(value)) or ""
    return str(value)


@effort(max_examples=60, deadline=None)
@given(st.lists(st.lists(cell_values, min_size=4, max_size=4), min_size=1, max_size=6), st.booleans())
def test_both_paths_read_what_was_written(rows: list[list[Any]], constant_memory: bool) -> None:
    """What another program wrote is read cell by cell, by the fast expression and by the XML parser alike."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"constant_memory": constant_memory, "in_memory": not constant_memory}) as book:
        sheet = book.add_worksheet()
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                match value:
                    case bool():
                        sheet.write_boolean(at, column, value)
                    case dt.datetime():
                        sheet.write_datetime(at, column, value, moment)
                    case int() | float():
                        sheet.write_number(at, column, value)
                    case str():
                        sheet.write_string(at, column, value)
    with zipfile.ZipFile(content) as archive:
        part = archive.read("xl/worksheets/sheet1.xml")
        strings = archive.read("xl/sharedStrings.xml") if "xl/sharedStrings.xml" in archive.namelist() else b"<sst/>"
    fast, slow = read_rows(io.BytesIO(part)), read_rows(io.BytesIO(b"<!-- slow -->" + part.partition(b"?>")[2]))
    assert plain_strings(strings) in (None, rich_strings(strings))
    book_read = Book(
        strings=rich_strings(strings), styles=(style_of(0, {}), style_of(164, {164: "yyyy-mm-dd hh:mm:ss"}))
    )
    count = fast.rows
    for found in (fast, slow):
        assert found.rows == count
        columns = []
        for keys in found.columns:
            texts = [book_read.cell(key).text for key in keys.code_of]
            columns.append([texts[code] for code in found.codes(keys, count)])
        written = [[expected(value) for value in row] for row in rows[:count]]
        width = len(columns)
        assert [list(row) for row in zip(*columns, strict=True)] == [row[:width] for row in written] or not width
        assert not any(any(row[width:]) for row in written)


def test_rows_that_repeat_their_number_are_refused(tmp_path: Path) -> None:
    """One of them would be lost."""
    sheet_xml = f"<worksheet><sheetData>{PLAIN.replace('3', '2')}</sheetData></worksheet>"
    assert "is damaged" in stopped_by(raw_workbook(tmp_path, sheet_xml))


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        "<!DOCTYPE x>",
    ],
)
def test_document_types_are_refused_in_every_part(tmp_path: Path, declaration: str) -> None:
    """Entities, growing or external, are in no workbook that a spreadsheet program writes."""
    sheet_xml = f"<worksheet><sheetData>{PLAIN}</sheetData></worksheet>"
    for parts in (
        {"sheet_xml": declaration + sheet_xml},
        {"sheet_xml": sheet_xml, "strings_xml": declaration + "<sst/>"},
        {"sheet_xml": sheet_xml, "styles_xml": declaration + "<styleSheet/>"},
        {"sheet_xml": sheet_xml, "workbook_xml": declaration + "<workbook/>"},
    ):
        assert "is damaged" in stopped_by(raw_workbook(tmp_path, **parts))


def test_an_archive_that_would_unpack_too_far_is_not_opened(tmp_path: Path) -> None:
    """Only its declared sizes are read."""
    path = tmp_path / "v.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _ in range(80):
                part.write(bytes(1 << 20))
    assert "would unpack to 84 MB in 2 parts" in stopped_by(str(path))


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    """A checksum that does not fit, a cut file, XML that does not end."""
    good = Path(raw_workbook(tmp_path, f"<worksheet><sheetData>{PLAIN}</sheetData></worksheet>")).read_bytes()
    at = good.find(b"PK\x01\x02")
    for bad in (good[:at], good[: len(good) // 2], good[:80] + bytes(40) + good[120:]):
        (tmp_path / "bad.xlsx").write_bytes(bad)
        assert "is damaged" in stopped_by(str(tmp_path / "bad.xlsx"))
    cut = raw_workbook(tmp_path, f"<worksheet><sheetData>{PLAIN}")
    assert "is damaged" in stopped_by(cut)
    with pytest.raises(DamagedSheet):
        read_rows(io.BytesIO(b"<worksheet><sheetData><row r='1'><c r='A1'></row>"))


def test_other_readers_say_the_same(tmp_path: Path) -> None:
    """A witness, openpyxl, over a row of everything."""
    values: list[Any] = [
        "Factura",
        1,
        2.5,
        -0.125,
        True,
        dt.datetime(2026, 1, 5, 8, 26),  # noqa: DTZ001 - a wall clock
        "ñ & <b>",
        " espacios ",
        10**14,
    ]
    path = workbook(tmp_path, [values])
    witness = openpyxl.load_workbook(path).active
    assert witness is not None
    book = Workbook(path, Path(path).read_bytes())
    found = book.sheet(book.sheets[0]).table
    assert found.cells(0) == [expected(value) for value in next(iter(witness.iter_rows(values_only=True)))]
    assert [column.kind(int(column.codes[0])) for column in found.columns][3:6] == [
        CellKind.NUMBER, CellKind.BOOLEAN, CellKind.DATE,
    ]  # fmt: skip


def test_the_message_of_a_formula_quotes_it(tmp_path: Path) -> None:
    """In Excel's own writing."""
    path = workbook(tmp_path, [HEAD, ["A1", '="a"&"b"', 1, 2]])
    problem = read([path], Settings())[0].problems[0]
    assert problem.message(ENGLISH) == 'The cell holds the formula ="a"&"b" and no stored result.'


def test_one_stray_cell_far_away_costs_nothing(tmp_path: Path) -> None:
    """The last column of the last row, as a slip of the keyboard leaves it."""
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = raw_workbook(tmp_path, f"<worksheet><sheetData>{PLAIN}{far}</sheetData></worksheet>")
    batch = read([path], Settings())
    assert refs(batch) == ["A1", "A2"]
    assert batch.sources[0].left_out == 1


@pytest.mark.parametrize("number", ["1048577", "99999999999999999999", "0", "-1", "x", ""])
def test_rows_and_columns_beyond_excels_are_refused(tmp_path: Path, number: str) -> None:
    """They would only take memory."""
    row = f'<row r="{number}"><c r="A{number}"><v>1</v></c></row>'
    sheet_xml = f"<worksheet><sheetData>{PLAIN}{row}</sheetData></worksheet>"
    assert "is damaged" in stopped_by(raw_workbook(tmp_path, sheet_xml))
    column = '<row r="9"><c r="ZZZ9"><v>1</v></c></row>'
    sheet_xml = f"<worksheet><sheetData>{PLAIN}{column}</sheetData></worksheet>"
    assert "is damaged" in stopped_by(raw_workbook(tmp_path, sheet_xml))


def test_more_of_anything_than_a_workbook_of_sales_has_is_refused(tmp_path: Path) -> None:
    """Styles, texts, sheets, cells far to the right: counted before they are kept."""
    sheet_xml = f"<worksheet><sheetData>{PLAIN}</sheetData></worksheet>"
    styles = "<styleSheet><cellXfs>" + '<xf numFmtId="1"/>' * 200_001 + "</cellXfs></styleSheet>"
    far = '<row r="9">' + "<c><v>1</v></c>" * 13_000 + "</row>"
    sheets = "".join(f'<sheet name="V{number}" sheetId="{number}" r:id="r1"/>' for number in range(1, 1_002))
    for path in (
        raw_workbook(tmp_path, sheet_xml, styles_xml=styles),
        raw_workbook(tmp_path, f"<worksheet><sheetData>{PLAIN}{far}</sheetData></worksheet>"),
        raw_workbook(
            tmp_path, sheet_xml, workbook_xml=f'<workbook xmlns:r="http://r"><sheets>{sheets}</sheets></workbook>'
        ),
    ):
        assert "holds more sheets, texts, cells or formats than any workbook of sales" in stopped_by(path)


def test_rows_that_are_only_formatted_are_passed_over(tmp_path: Path) -> None:
    """A whole sheet of them is nothing strange, and takes neither memory nor a place among what was left out."""
    empty = "".join(f'<row r="{row}" s="1" customFormat="1"/>' for row in range(9, 500_000))
    hidden = '<cols><col min="1" max="16384" hidden="1"/>' * 2_000 + "</cols>"
    after = "<mergeCells>" + '<mergeCell ref="A1:B1"/>' * 1_000_000 + "</mergeCells>"
    path = raw_workbook(tmp_path, f"<worksheet><sheetData>{PLAIN}{empty}</sheetData>{after}</worksheet>")
    assert refs(read([path], Settings())) == ["A1", "A2"]
    path = raw_workbook(tmp_path, f"<worksheet>{hidden}<sheetData>{PLAIN}</sheetData></worksheet>")
    assert refs(read([path], Settings())) == ["A1", "A2"]


def test_hidden_sales_are_named_where_nothing_visible_is_sold(tmp_path: Path) -> None:
    """A cover sheet before them says nothing."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Informe"])
    hidden = book.create_sheet("Datos")
    hidden.append(HEAD)
    hidden.append(["A1", "Café", 1, 2])
    hidden.sheet_state = "hidden"
    book.save(tmp_path / "v.xlsx")
    assert 'the hidden sheet «Datos» does.\nIf it is the right one, show it in Excel or name it: --sheet "Datos"' in (
        stopped_by(str(tmp_path / "v.xlsx"))
    )
