"""Numbers, dates and identifiers: strict under a notation, the notation from the whole column, asked when in doubt."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.cells.dates import find_order, read_date, readings
from batch_issuer.reading.cells.numbers import Mark, find_mark, read_number
from tests.reading.reading_samples import codes, quantities, read_lines, read_text, refusal, settings, told


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("7", "7", "7"),
        ("1.5", "1.5", None),
        ("1,5", None, "1.5"),
        ("0.435", "0.435", None),
        ("0,435", None, "0.435"),
        ("1.234", "1.234", "1234"),
        ("1,234", "1234", "1.234"),
        ("1.355,90", None, "1355.90"),
        ("1,355.90", "1355.90", None),
        ("1.234.567", None, "1234567"),
        ("12,34,567.00", None, None),
        ("1 234,50", None, "1234.50"),
        ("1'234.50", "1234.50", None),
        ("12 34", None, None),
        ("$ 3.50", "3.50", None),
        ("US$1,200.00", "1200.00", None),
        ("3.50 USD", "3.50", None),
        ("(3.50)", "-3.50", None),
        ("-3", "-3", "-3"),
        ("3-", "-3", "-3"),
        ("−3", "-3", "-3"),
        ("--3", None, None),
        ("(-3)", None, None),
        (".5", "0.5", None),
        ("1.", "1", None),
        (".", None, None),
        ("1.2.3", None, None),
        ("3 x 2", None, None),
        ("€3", None, None),
        ("1e3", None, None),
        ("٣", None, None),
        ("", None, None),
    ],
)
def test_a_number_is_read_strictly_under_each_mark(text: str, point: str | None, comma: str | None) -> None:
    """Nothing is dropped or guessed: a text that does not fit a mark whole is no number under it."""
    assert [number and str(number) for number in (read_number(text, "point"), read_number(text, "comma"))] == [
        point,
        comma,
    ]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3), st.sampled_from(["point", "comma"]), st.booleans())
def test_every_written_number_comes_back_exactly(number: Decimal, mark: Mark, grouped: bool) -> None:
    """A number written under a mark, with or without thousands, is read as the same decimal."""
    text = f"{number:,f}" if grouped else f"{number:f}"
    if mark == "comma":
        text = text.translate(str.maketrans(",.", ".,"))
    assert read_number(text, mark) == number


@given(st.text(alphabet="0123456789.,$-() ", max_size=10))
def test_no_text_is_read_as_more_than_its_digits(text: str) -> None:
    """Whatever is read keeps the digits of the text, in their order."""
    for mark in ("point", "comma"):
        if (number := read_number(text, mark)) is not None:
            assert "".join(filter(str.isdigit, f"{number:f}")).lstrip("0") == "".join(filter(str.isdigit, text)).lstrip(
                "0"
            )


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["1", "20"], "point"),
        (["1.234", "0.5"], "point"),
        (["1.234", "7,5"], "comma"),
        (["1,234", "1,234.5"], "point"),
        (["1.234"], None),
        (["1.5", "1,5"], None),
        (["abc", "2,50"], "comma"),
    ],
)
def test_the_mark_comes_from_the_whole_column(texts: list[str], mark: str | None) -> None:
    """One value that can be read one way only decides for all; without one, or against one another, nobody decides."""
    assert find_mark(texts).mark == mark


def test_a_column_that_could_be_thousands_is_asked(tmp_path: Path) -> None:
    """The question shows an example and what it would be each way, and the answer that decides."""
    with pytest.raises(CannotStart) as stopped:
        read_lines(tmp_path, "A1,Café,1.234,5\n")
    assert refusal(stopped.value) == (
        f"{tmp_path}/ventas.csv: the column «Cantidad» (C) can be read in two ways: «1.234» is 1.234 or 1234.\n"
        'Say which with --decimal point or --decimal comma, or in the settings:\n[source]\ndecimal = "point"'
    )


@pytest.mark.parametrize(("decimal", "quantity"), [("point", "1.234"), ("comma", "1234")])
def test_the_settings_answer_it(tmp_path: Path, decimal: str, quantity: str) -> None:
    """`decimal` under [source] wins over everything."""
    assert quantities(read_lines(tmp_path, "A1,Café,1.234,5\n", settings(decimal=decimal))) == [quantity]


def test_each_column_has_its_own_mark(tmp_path: Path) -> None:
    """A till that writes quantities one way and prices the other is read as it writes."""
    batch = read_lines(tmp_path, 'A1,Café,0.5,"2,50"\nA2,Té,1.5,"1.250,75"\n')
    assert [line.unit_price for entry in batch for line in entry.document.lines] == [
        Decimal("2.50"),
        Decimal("1250.75"),
    ]
    assert batch.sources[0].decimal == "comma, point"


def test_both_marks_in_one_column_are_asked(tmp_path: Path) -> None:
    """With the answer, the values of the other mark are held back, cell by cell."""
    lines = 'A1,Café,1,2.50\nA2,Té,1,"2,75"\n'
    with pytest.raises(CannotStart, match="decimal point"):
        read_lines(tmp_path, lines)
    batch = read_lines(tmp_path, lines, settings(decimal="point"))
    assert told(batch) == ["D3 «2,75» is not a number where the decimal mark is «.»."]
    assert batch[1].document.lines[0].unit_price == 0


def test_a_percentage_is_the_number_before_its_sign(tmp_path: Path) -> None:
    """A discount of 10% is ten, and an empty one is none."""
    batch = read_text(
        tmp_path, "Factura,Producto,Cant.,Precio,% Desc.\nA1,Café,1,2,10%\nA1,Té,1,2,\nA1,Pan,1,2,7.5\nA1,Sal,1,2,x\n"
    )
    assert [str(line.discount_percentage) for line in batch[0].document.lines] == ["10", "0", "7.5", "0"]
    assert codes(batch) == ["discount-not-a-number"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05", {"2026-01-05"}),
        ("2026-01-05 08:26:00", {"2026-01-05"}),
        ("2026/1/5", {"2026-01-05"}),
        ("20260105", {"2026-01-05"}),
        ("05/01/2026", {"2026-01-05", "2026-05-01"}),
        ("5/1/26 8:26 p. m.", {"2026-01-05", "2026-05-01"}),
        ("13.01.2026", {"2026-01-13"}),
        ("5-ene-2026", {"2026-01-05"}),
        ("5 de enero de 2026", {"2026-01-05"}),
        ("lunes, 5 de enero de 2026", {"2026-01-05"}),
        ("Jan 5, 2026", {"2026-01-05"}),
        ("26-01-05", {"2026-01-05", "2005-01-26"}),
        ("2026-01-06T03:30:00Z", {"2026-01-05"}),
        ("2026-01-05 23:30:00 -0600", {"2026-01-05"}),
        ("2026-01-05 25:00", set()),
        ("31/02/2026", set()),
        ("29/02/2025", set()),
        ("5/13-2026", set()),
        ("mañana", set()),
        ("46027", set()),
        ("", set()),
    ],
)
def test_a_date_has_the_days_that_its_text_allows(text: str, expected: set[str]) -> None:
    """A moment with a zone belongs to its day in El Salvador."""
    assert {date.isoformat() for date in readings(text).values()} == expected


@given(
    st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)), st.sampled_from(["dmy", "mdy", "ymd"]), st.sampled_from("/-.")
)
def test_every_written_date_comes_back(date: dt.date, order: str, between: str) -> None:
    """A date written in an order is read as the same day under it."""
    parts = {"d": f"{date.day:02}", "m": f"{date.month:02}", "y": f"{date.year:04}"}
    assert read_date(between.join(parts[letter] for letter in order), order) == date  # type: ignore[arg-type]


@given(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2050, 1, 1)), st.integers(-12, 14))  # noqa: DTZ001
def test_a_moment_anywhere_is_a_day_in_el_salvador(moment: dt.datetime, hours: int) -> None:
    """The zone is honoured whatever it is."""
    zoned = moment.replace(second=0, microsecond=0, tzinfo=dt.timezone(dt.timedelta(hours=hours)))
    assert read_date(zoned.isoformat(), "ymd") == zoned.astimezone(EL_SALVADOR).date()


@pytest.mark.parametrize(
    ("texts", "orders"),
    [
        (["05/01/2026", "13/01/2026"], ("dmy",)),
        (["05/01/2026", "01/13/2026"], ("mdy",)),
        (["05/01/2026"], ("dmy", "mdy")),
        (["13/01/2026", "01/13/2026"], ()),
        (["05/05/2026"], ("dmy",)),
        (["2026-01-05"], ("ymd",)),
        ([], ("ymd",)),
    ],
)
def test_the_order_comes_from_the_whole_column(texts: list[str], orders: tuple[str, ...]) -> None:
    """The thirteenth of a month decides; without one it is asked, and two that contradict are asked."""
    assert find_order(texts).orders == orders


DATED = "Factura,Fecha,Producto,Cant.,Precio\n"


def test_a_date_in_doubt_is_asked_with_both_readings(tmp_path: Path) -> None:
    """The question shows the date each way."""
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, DATED + "A1,05/01/2026,Café,1,2\n")
    assert refusal(stopped.value).startswith(
        f"{tmp_path}/ventas.csv: the dates of the column «Fecha» (B) can be read in two ways: "
        "«05/01/2026» is 2026-01-05 (dmy) / 2026-05-01 (mdy).\nSay which with --dates"
    )
    batch = read_text(tmp_path, DATED + "A1,05/01/2026,Café,1,2\n", settings(dates="mdy"))
    assert batch[0].document.date == dt.date(2026, 5, 1)
    assert batch.sources[0].dates == "mdy"


def test_dates_in_two_orders_are_asked_and_then_held_back(tmp_path: Path) -> None:
    """With the answer, a date of the other order is a problem of its cell."""
    lines = DATED + "A1,13/01/2026,Café,1,2\nA2,01/14/2026,Té,1,2\n"
    with pytest.raises(CannotStart, match="not all in the same order"):
        read_text(tmp_path, lines)
    assert told(read_text(tmp_path, lines, settings(dates="dmy"))) == ["B3 «01/14/2026» is not a date."]


def test_a_bare_number_is_no_date(tmp_path: Path) -> None:
    """A serial number that lost its format says so."""
    batch = read_text(tmp_path, DATED + "A1,46027,Café,1,2\n")
    assert codes(batch) == ["date-is-a-number"]
    assert batch[0].document.date is None


IDENTIFIED = "Factura,NIT,DUI,NRC,Producto,Cant.,Precio\n"


@pytest.mark.parametrize(
    ("nit", "dui", "read", "problems"),
    [
        ("06140507071048", "000162975", ("06140507071048", "000162975"), []),
        ("0614-050707-104-8", "00016297-5", ("0614-050707-104-8", "00016297-5"), []),
        ("6140507071048", "", ("06140507071048", ""), ["zeros-restored"]),
        ("6140507071049", "", ("6140507071049", ""), []),
        ("", "12345679", ("", "12345679"), []),
        ("6.14051E+12", "", ("6.14051E+12", ""), ["scientific-notation"]),
    ],
)
def test_a_lost_zero_is_put_back_only_where_the_check_digit_fits(
    tmp_path: Path, nit: str, dui: str, read: tuple[str, str], problems: list[str]
) -> None:
    """Every repair is listed; what cannot be proved stays as it stands."""
    batch = read_text(tmp_path, f"{IDENTIFIED}A1,{nit},{dui},,Café,1,2\n")
    customer = batch[0].document.customer
    assert customer is not None
    assert (customer.nit, customer.dui) == read
    assert codes(batch) == problems


def test_the_repair_says_what_was_read(tmp_path: Path) -> None:
    """A restored zero is a warning: the document is sent."""
    batch = read_text(tmp_path, f"{IDENTIFIED}A1,6140507071048,,,Café,1,2\n")
    assert told(batch) == [
        "B2 «6140507071048» had lost its leading zero and was read as 06140507071048; the check digit confirms it."
    ]
    assert not batch[0].held_back


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("1", "01"), ("01", "01"), ("Factura", "01"), ("consumidor final", "01"), ("3", "03"), ("CCF", "03"),
        ("Crédito Fiscal", "03"), ("comprobante de credito fiscal", "03"), ("Nota de crédito", "05"),
        ("Exportación", "11"), ("FSE", "14"), ("Sujeto excluido", "14"), ("", "01"),
    ],
)  # fmt: skip
def test_types_are_known_by_code_and_by_name(tmp_path: Path, written: str, code: str) -> None:
    """An empty type is the settings' own."""
    chosen = settings(prices={"03": "with_vat", "05": "with_vat", "14": "without_vat"})
    batch = read_text(tmp_path, f"Factura,Tipo de documento,Producto,Cant.,Precio\nA1,{written},Café,1,2\n", chosen)
    assert batch[0].document.doc_type == code
    assert not codes(batch)


def test_an_unknown_type_is_held_back(tmp_path: Path) -> None:
    """The document has no type then; it does not take the settings' own."""
    batch = read_text(tmp_path, "Factura,Tipo doc.,Producto,Cant.,Precio\nA1,Remisión,Café,1,2\n")
    assert told(batch) == ["B2 «Remisión» is not a type of document that can be issued."]
    assert batch[0].document.doc_type == ""


@pytest.mark.parametrize(("written", "value"), [("Sí", True), ("x", True), ("1", True), ("no", False), ("", False)])
def test_yes_and_no(tmp_path: Path, written: str, value: bool) -> None:
    """Yes and no as people write them."""
    batch = read_text(tmp_path, f"Factura,Es servicio,Producto,Cant.,Precio\nA1,{written},Café,1,2\n")
    assert batch[0].document.lines[0].is_service is value


def test_anything_else_is_neither(tmp_path: Path) -> None:
    """A word that is no answer is a problem."""
    batch = read_text(tmp_path, "Factura,Es servicio,Producto,Cant.,Precio\nA1,tal vez,Café,1,2\n")
    assert told(batch) == ["B2 «tal vez» is neither yes nor no."]


@pytest.mark.parametrize("word", ["#N/A", "#REF!", "#¡VALOR!", "#DIV/0!"])
def test_spreadsheet_errors_are_never_values(tmp_path: Path, word: str) -> None:
    """Not even in a text."""
    batch = read_lines(tmp_path, f"A1,{word},{word},2\n")
    assert codes(batch) == ["error-value", "error-value"]
    assert batch[0].document.lines[0].description == ""


def test_excels_quoted_texts_keep_their_zeros(tmp_path: Path) -> None:
    """`="007"` is how exports keep zeros from Excel, and a leading apostrophe is how we disarm a formula."""
    batch = read_lines(tmp_path, '="007",\'=1+1,2,3\n')
    assert batch[0].document.external_ref == "007"
    assert batch[0].document.lines[0].description == "=1+1"


def test_garbled_text_is_told(tmp_path: Path) -> None:
    """UTF-8 that was read as Windows-1252 once, and saved."""
    batch = read_lines(tmp_path, "A1,CafÃ© molido,1,2\n")
    assert codes(batch) == ["text-garbled"]
    assert batch[0].held_back
