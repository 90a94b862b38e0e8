"""Rows to documents: a partition of the rows, in order, whatever order they stand in, with what disagrees told."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from batch_issuer.model.documents import Customer
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.settings import Settings
from tests.reading.reading_samples import (
    HEADINGS,
    codes,
    csv_file,
    quantities,
    read_lines,
    read_text,
    refs,
    settings,
    told,
)  # fmt: skip

within_a_test = effort(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@within_a_test
@given(st.lists(st.sampled_from(["A1", "A2", "a3", "B 4", ""]), min_size=1, max_size=30), st.booleans())
def test_every_row_is_in_one_document_or_told(tmp_path: Path, references: Sequence[str], continue_rows: bool) -> None:
    """Grouping is a partition: no row is lost, none is in two documents, and their order is kept."""
    if not any(references):
        return
    lines = "".join(f"{ref},Producto {number},{number + 1},2.50\n" for number, ref in enumerate(references))
    batch = read_lines(tmp_path, lines, settings(continue_rows=continue_rows))
    in_documents = [row for entry in batch for row in entry.document.rows]
    told_rows = [problem.place.row - 2 for problem in batch.problems if problem.place.row]
    assert sorted([*in_documents, *told_rows]) == list(range(len(references)))
    assert [entry.document.row for entry in batch] == sorted(entry.document.row for entry in batch)
    for entry in batch:
        rows = entry.document.rows
        assert list(rows) == sorted(rows)
        assert [line.quantity for line in entry.document.lines] == [row + 1 for row in rows]
        if not continue_rows:
            assert {references[row] for row in rows} == {entry.document.external_ref}


@within_a_test
@given(st.lists(st.integers(0, 8), min_size=1, max_size=40), st.integers(1, 4))
def test_files_together_are_the_same_as_one(tmp_path: Path, numbers: Sequence[int], parts: int) -> None:
    """Rows may be spread over files; the documents are those of the files one after the other."""
    lines = [f"A{number},Producto {at},{at + 1},2.50\n" for at, number in enumerate(numbers)]
    whole = read_lines(tmp_path, "".join(lines))
    size = -(-len(lines) // parts)
    pieces = [lines[at : at + size] for at in range(0, len(lines), size)]
    files = [csv_file(tmp_path, HEADINGS + "".join(piece), f"parte{at}.csv") for at, piece in enumerate(pieces)]
    together = read(files, Settings())
    assert [entry.document for entry in together] == [entry.document for entry in whole]
    assert [(together.place(row).file, together.place(row).row) for row in range(len(lines))] == [
        (files[at // size], at % size + 2) for at in range(len(lines))
    ]


def test_asking_for_one_document_builds_the_same(tmp_path: Path) -> None:
    """`batch[i]`, from either end, and the iteration agree; beyond the end there is nothing."""
    rows = [f"A{number % 37},Producto {number},{number % 5 or 'x'},2\n" for number in range(200)]
    batch = read_lines(tmp_path, "".join(rows))
    assert [batch[index] for index in range(len(batch))] == list(batch)
    assert batch[-1] == batch[len(batch) - 1]
    with pytest.raises(IndexError):
        batch[len(batch)]


def test_shuffled_rows_make_the_same_documents(tmp_path: Path) -> None:
    """Only the order of lines and documents follows the file."""
    rows = [f"A{number % 50},Producto {number},{number + 1},2\n" for number in range(500)]
    straight = read_lines(tmp_path, "".join(rows))
    random.Random(7).shuffle(rows)
    shuffled = read_lines(tmp_path, "".join(rows))
    by_ref = {entry.document.external_ref: sorted(line.quantity for line in entry.document.lines) for entry in straight}
    assert {
        entry.document.external_ref: sorted(line.quantity for line in entry.document.lines) for entry in shuffled
    } == by_ref


SALE = "Factura,Fecha,Sucursal,Cliente,NIT,NRC,Forma de pago,Correo,Giro,Descripción,Cant.,Precio,Es servicio,Total factura\n"


def test_every_field_of_a_document_is_read(tmp_path: Path) -> None:
    """Header, customer and lines; an empty cell of a later row means the same as above."""
    text = SALE + (
        "A1,2026-01-05 08:26,Centro,Ana,0614-050707-104-8,123-4,01,ana@ejemplo.sv,62010,Café,2,3.50,no,10.5\n"
        "A1,2026-01-05 08:31,,,,,,,,Té,1,3.50,sí,\n"
    )
    document = read_text(tmp_path, text)[0].document
    assert document.date == dt.date(2026, 1, 5)
    assert (document.branch, document.customer_name, document.payment_method) == ("Centro", "Ana", "01")
    assert document.customer == Customer(
        nit="0614-050707-104-8", nrc="123-4", email="ana@ejemplo.sv", activity_code="62010"
    )
    assert [line.is_service for line in document.lines] == [False, True]
    assert document.total == Decimal("10.5")
    assert document.expected_gross == Decimal("10.50")


def test_what_nobody_says_is_left_to_the_provider(tmp_path: Path) -> None:
    """Empty texts, no date, no customer, no discount."""
    document = read_lines(tmp_path, "A1,Café,1,2\n")[0].document
    assert (document.doc_type, document.date, document.customer, document.customer_name) == ("01", None, None, "")
    assert document.prices_with_vat
    assert document.lines[0].discount_percentage == 0


def test_header_fields_that_disagree_are_told_with_both_rows(tmp_path: Path) -> None:
    """One problem for each other value; times of the same day are the same date."""
    text = SALE + (
        "A1,2026-01-05,Centro,Ana,,,,,,Café,2,3,,\n"
        "A2,2026-01-05,Centro,Eva,,,,,,Ron,2,3,,\n"
        "A1,2026-01-06,Centro,Ana,,,,,,Té,1,3,,\n"
        "A1,2026-01-05 10:00,Norte,Ana,,,,,,Pan,1,3,,\n"
    )
    batch = read_text(tmp_path, text)
    assert told(batch) == [
        "B4 The document has two values for «Fecha»: «2026-01-05» in row 2 and «2026-01-06» in row 4.",
        "C5 The document has two values for «Sucursal»: «Centro» in row 2 and «Norte» in row 5.",
    ]
    assert batch[0].document.date == dt.date(2026, 1, 5)
    assert batch[0].held_back
    assert not batch[1].held_back


def test_disagreement_across_files_names_both(tmp_path: Path) -> None:
    """The other file stands behind its row."""
    first = csv_file(tmp_path, "Factura,Cliente,Descripción,Cantidad,Precio\nA1,Ana,Café,1,2\n", "uno.csv")
    second = csv_file(tmp_path, "Factura,Cliente,Descripción,Cantidad,Precio\nA1,Eva,Té,1,2\n", "dos.csv")
    batch = read([first, second], Settings())
    assert f"A2 The lines of the document stand in «{first}» and in «{second}»; they are issued together." in told(
        batch
    )
    assert f"B2 The document has two values for «Cliente»: «Ana» in row 2 ({first}) and «Eva» in row 2." in told(batch)


def test_a_document_repeated_in_a_second_file_is_held_back(tmp_path: Path) -> None:
    """Two exports that overlap would double its lines."""
    first = csv_file(tmp_path, HEADINGS + "A1,Café,1,2\nA1,Té,1,3\nA2,Ron,1,4\n", "uno.csv")
    second = csv_file(tmp_path, HEADINGS + "A1,Café,1,2.00\nA1,Té,1,3\nA3,Pan,1,1\n", "dos.csv")
    batch = read([first, second], Settings())
    assert [entry.held_back for entry in batch] == [True, False, False]
    assert codes(batch) == ["same-lines-in-two-files"]


@pytest.mark.parametrize("between", ["", "A1,Sal,1,9\n"])
def test_single_lines_repeated_in_another_file_hold_back(tmp_path: Path, between: str) -> None:
    """A noon's export and the evening's may share a line of a sale; nobody says whether it was sold twice."""
    noon = csv_file(tmp_path, HEADINGS + "A1,Café,1,2\nA1,Té,1,3\n", "a.csv")
    other = [csv_file(tmp_path, HEADINGS + between, "b.csv")] if between else []
    evening = csv_file(tmp_path, HEADINGS + "A1,Café,1,2\nA1,Pan,1,1\n", "c.csv")
    files = [noon, *other, evening]
    batch = read(files, Settings())
    assert codes(batch) == ["some-lines-in-two-files"]
    assert batch[0].held_back
    assert (batch[0].problems[0].parameters["file"], batch[0].problems[0].parameters["other_file"]) == (noon, evening)
    assert codes(read(files, settings(repeated_rows="count"))) == ["document-in-two-files"]


def test_the_same_content_under_two_names_stops(tmp_path: Path) -> None:
    """A copy of a file would double every document."""
    files = [csv_file(tmp_path, HEADINGS + "A1,Café,1,2\n", name) for name in ("ventas.csv", "ventas (1).csv")]
    with pytest.raises(CannotStart, match="have the same content"):
        read(files, Settings())


def test_a_field_that_only_one_file_has_is_empty_in_the_other(tmp_path: Path) -> None:
    """Files of different shapes are one batch."""
    first = csv_file(tmp_path, HEADINGS + "A1,Café,1,2\n", "uno.csv")
    second = csv_file(tmp_path, "Precio,Cant.,Producto,Ticket,Sucursal,% Desc.\n5,1,Té,B1,Norte,10\n", "dos.csv")
    documents = [entry.document for entry in read([first, second], Settings())]
    assert [document.branch for document in documents] == ["", "Norte"]
    assert [str(document.lines[0].discount_percentage) for document in documents] == ["0", "10"]


@pytest.mark.parametrize(
    ("first", "second"), [("A1", "a1"), ("A 1", "A1"), ("\uff211", "A1"), ("0012", "12"), ("A-01", "a-1"), ("0", "00")]
)
def test_references_that_look_alike_are_told_on_both(tmp_path: Path, first: str, second: str) -> None:
    """They stay two documents: whether the provider tells them apart is not known."""
    batch = read_lines(tmp_path, f"{first},Café,1,2\n{second},Té,1,2\nB,Pan,1,1\n")
    assert refs(batch) == [first, second, "B"]
    assert codes(batch) == ["refs-look-alike", "refs-look-alike"]
    assert told(batch)[1] == (
        f"A3 The references «{second}» and «{first}» (row 2) differ only in spaces, capital letters or leading zeros."
    )


def test_zeros_within_a_number_make_another_reference(tmp_path: Path) -> None:
    """No warning where nobody would confuse them."""
    assert codes(read_lines(tmp_path, "A1,Café,1,2\nA10,Té,1,2\nA101,Té,1,2\nA11,Té,1,2\nB0,Té,1,2\nB,Té,1,2\n")) == []


def test_spaces_around_a_reference_do_not_make_another_sale(tmp_path: Path) -> None:
    """But where the file writes it both ways it is told; where it always does, it is not."""
    batch = read_lines(tmp_path, "A1,Café,1,2\nA1 ,Té,1,2\nB1  ,Pan,1,1\n")
    assert refs(batch) == ["A1", "B1"]
    assert codes(batch) == ["refs-look-alike"]


def test_references_that_cannot_be_sent_are_held_back(tmp_path: Path) -> None:
    """Too long, or with a character that cannot be printed; 100 characters are allowed."""
    batch = read_lines(
        tmp_path, f'{"x" * 101},Café,1,2\n{"y" * 100},Té,1,2\n"A\n1",Pan,1,1\n1.23E+15,Sal,1,1\n1E5,Ron,1,1\n'
    )
    assert codes(batch) == ["ref-too-long", "ref-unprintable", "scientific-notation"]
    assert [entry.held_back for entry in batch] == [True, False, True, True, False]


def test_one_problem_for_each_cell(tmp_path: Path) -> None:
    """Each names its cell and quotes it; the neutral value lets the rules go on."""
    batch = read_lines(tmp_path, "A1,Café,dos,2\nA1,Té,dos,\n")
    assert told(batch) == [
        "C2 The quantity «dos» is not a number.",
        "C3 The quantity «dos» is not a number.",
        "D3 The unit price is empty.",
    ]
    assert [(str(line.quantity), str(line.unit_price)) for line in batch[0].document.lines] == [("0", "2"), ("0", "0")]


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    """Problems, documents and sources, all in the same order."""
    path = csv_file(tmp_path, SALE + "A1,2026-01-05,x,Ana,1,,,,,Café,z,3,,\na1,2026-01-05,y,Eva,,,,,,Té,1,q,,\n")
    first, second = read([path], Settings()), read([path], Settings())
    assert list(first) == list(second)
    assert (first.sources, first.problems) == (second.sources, second.problems)


def test_repeated_rows_are_lines(tmp_path: Path) -> None:
    """The same product twice in one sale is two lines, where the settings say so."""
    counted = settings(repeated_rows="count")
    assert quantities(read_lines(tmp_path, "A1,Café,1,2\nA1,Café,1,2\n", counted)) == ["1", "1"]


@within_a_test
@given(st.lists(st.integers(0, 120), min_size=1, max_size=60))
def test_a_document_is_the_same_in_whatever_order_it_is_asked_for(tmp_path: Path, asked: Sequence[int]) -> None:
    """One at a time, one after the other or at random: the same documents as all in a row."""
    lines = "".join(f"A{number % 121},Producto {number},{number + 1},2.50\n" for number in range(200))
    batch = read_lines(tmp_path, lines)
    in_a_row = list(batch)
    for index in [*asked, *range(len(in_a_row))]:
        assert batch[index] == in_a_row[index]
        rows = in_a_row[index].document.rows
        assert batch.row_numbers(rows) == [batch.place(row).row for row in rows]
