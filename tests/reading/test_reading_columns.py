"""Which column is which: headings, aliases, settings, and every question that is asked instead of guessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batch_issuer.model.documents import Customer
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading import read
from batch_issuer.reading.headings.aliases import ALIASES, FIELD_OF, LINE_TOTALS, key_of
from batch_issuer.reading.headings.columns import template_parts, vat_said
from batch_issuer.settings import FIELDS, Settings
from tests.reading.reading_samples import codes, csv_file, read_text, refs, refusal, settings, workbook


def test_no_heading_stands_for_two_fields() -> None:
    """Every alias belongs to one field, and only to fields that exist."""
    owners: dict[str, set[str]] = {}
    for field, headings in ALIASES.items():
        for heading in headings:
            owners.setdefault(key_of(heading), set()).add(field)
    assert {key: fields for key, fields in owners.items() if len(fields) > 1} == {}
    assert set(ALIASES) <= set(FIELDS)
    assert not owners.keys() & set(map(key_of, LINE_TOTALS))


@pytest.mark.parametrize(
    ("heading", "same"),
    [
        ("CANT.", "Cantidad"), ("P. Unit.", "Precio unitario"), ("P.UNIT", "Precio unitario"), ("Descr.", "Descripción"),
        ("DESCRIPCION", "Descripción"), ("Nº Factura", "No. factura"), ("# Factura", "No. factura"),
        ("InvoiceNo", "Invoice No."), ("UnitPrice", "Unit price"), ("Precio unitario (con IVA)", "Precio unitario"),
        ("  fecha ", "Fecha"), ("Teléfono", "telefono"), ("N.I.T.", "NIT"), ("% Desc.", "Porcentaje desc"),
    ],
)  # fmt: skip
def test_headings_are_the_same_however_they_are_written(heading: str, same: str) -> None:
    """Accents, capitals, spaces, points and abbreviations do not count."""
    fields = {key_of(text): field for field, texts in ALIASES.items() for text in texts}
    assert fields[key_of(heading)] == fields[key_of(same)]


@pytest.mark.parametrize("heading", ["Descuento", "Desc.", "Discount", "Descuento ($)"])
def test_a_discount_without_a_per_cent_sign_is_no_percentage(heading: str) -> None:
    """It may be dollars."""
    assert key_of(heading) not in FIELD_OF
    assert FIELD_OF[key_of("Descuento (%)")] == "discount_percentage"


def test_the_header_is_found_below_a_title(tmp_path: Path) -> None:
    """Titles, dates and blank rows above the headings are passed over."""
    title = "FERRETERÍA EL EJEMPLO,,,\nVentas del 5 de enero,,,\n,,,\n"
    batch = read_text(tmp_path, title + "Factura,Descripción,Cantidad,Precio\nA1,Café,2,3\n")
    assert batch.sources[0].header_row == 4
    assert batch.place(0, "quantity").column == "C"
    assert batch.place(0, "quantity").row == 5


def test_the_mapping_is_told(tmp_path: Path) -> None:
    """Which heading became which field, with a sample; what is not used is listed."""
    batch = read_text(tmp_path, "Factura,Bodega,Descripción,Cantidad,Precio\nA1,Norte,Café,2,3\n")
    source = batch.sources[0]
    assert [(mapped.field, mapped.heading, mapped.column, mapped.sample) for mapped in source.mapping] == [
        ("external_ref", "Factura", "A", "A1"),
        ("description", "Descripción", "C", "Café"),
        ("quantity", "Cantidad", "D", "2"),
        ("unit_price", "Precio", "E", "3"),
    ]
    assert source.ignored == ("Bodega",)
    row = batch.sheet_row(0)
    assert dict(zip(row.headings, row.cells, strict=True))["Bodega"] == "Norte"


def test_the_settings_win_over_the_aliases(tmp_path: Path) -> None:
    """A heading named in [columns] takes the field, and the alias is ignored."""
    text = "Factura,Descripción,Cantidad,Precio,P. oferta\nA1,Café,2,3,2.5\n"
    batch = read_text(tmp_path, text, settings({"unit_price": "P. oferta"}))
    assert str(batch[0].document.lines[0].unit_price) == "2.5"
    assert batch.sources[0].ignored == ("Precio",)


def test_a_field_can_be_left_out_on_purpose(tmp_path: Path) -> None:
    """An empty heading in [columns] means that no column has the field."""
    text = "Factura,Descripción,Cantidad,Precio,Correo\nA1,Café,2,3,no es un correo\n"
    assert read_text(tmp_path, text, settings({"email": ""}))[0].document.customer is None


def test_unknown_headings_are_asked(tmp_path: Path) -> None:
    """The person sees the headings found and the lines to write."""
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, "Factura,Descripción,Ctdad vendida,Importe unitario\nA1,Café,2,3\n")
    assert refusal(stopped.value) == (
        f"{tmp_path}/ventas.csv: no column was recognised for quantity, unit_price. "
        "The headings (row 1) are: «Factura», «Descripción», «Ctdad vendida», «Importe unitario».\n"
        'Say in the settings which heading it is:\n[columns]\nquantity = "Ctdad vendida"\nunit_price = "Importe unitario"'
    )


def test_a_file_without_headings_is_asked(tmp_path: Path) -> None:
    """The first row is shown, so that the person sees what was taken for headings."""
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, "A1,Café,2,3\nA2,Té,1,1\n")
    assert "no headings were recognised in the first 30 rows. The first row with content is: «A1», «Café»" in refusal(
        stopped.value
    )


def test_two_candidates_for_a_field_are_asked(tmp_path: Path) -> None:
    """Both headings and the line that decides are shown."""
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, "Factura,Pedido,Descripción,Cantidad,Precio\nA1,P1,Café,2,3\n")
    assert refusal(stopped.value) == (
        f"{tmp_path}/ventas.csv: several columns could be external_ref: «Factura» (A) = «A1», «Pedido» (B) = «P1».\n"
        'Say in the settings which one it is:\n[columns]\nexternal_ref = "Factura"'
    )


def test_the_same_heading_twice_is_told_apart_by_its_letter(tmp_path: Path) -> None:
    """The question shows a value of each, and the line of settings that it proposes decides."""
    text = "Factura,Descripción,Cantidad,Precio,Precio\nA1,Café,2,3,4\n"
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, text)
    assert "«Precio» (D) = «3», «Precio» (E) = «4»" in refusal(stopped.value)
    assert refusal(stopped.value).endswith('unit_price = "Precio (D)"')
    batch = read_text(tmp_path, text, settings({"unit_price": "Precio (E)"}))
    assert [str(line.unit_price) for line in batch[0].document.lines] == ["4"]
    assert batch.sources[0].ignored == ("Precio",)


def test_a_heading_of_the_settings_that_is_missing_is_asked(tmp_path: Path) -> None:
    """With the nearest one there is."""
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, "Factura,Descripción,Cantidad,Precio\nA1,Café,2,3\n", settings({"quantity": "Cantidades"}))
    assert refusal(stopped.value) == (
        f"{tmp_path}/ventas.csv: there is no heading «Cantidades», "
        'which the settings name: [columns] quantity = "Cantidades".\n'
        "Did you mean «Cantidad»? The headings are: «Factura», «Descripción», «Cantidad», «Precio»."
    )


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("Precio sin IVA", "without_vat"), ("Precio + IVA", "without_vat"), ("P. Unit. (neto)", "without_vat"),
        ("Precio con IVA", "with_vat"), ("Precio (IVA incluido)", "with_vat"), ("Precio", ""), ("Precio magneto", ""),
    ],
)  # fmt: skip
def test_what_a_heading_says_about_vat(heading: str, said: str) -> None:
    """With, without, or nothing."""
    assert vat_said(heading) == said


def test_a_heading_that_contradicts_the_settings_stops(tmp_path: Path) -> None:
    """Prices without VAT, taken as with VAT, would be wrong on every document."""
    text = "Factura,Descripción,Cantidad,Precio sin IVA\nA1,Café,2,3\n"
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, text, settings({"unit_price": "Precio sin IVA"}))
    assert 'prices = { "01" = "without_vat" }' in refusal(stopped.value)
    batch = read_text(tmp_path, text, settings({"unit_price": "Precio sin IVA"}, prices={"01": "without_vat"}))
    assert not batch[0].document.prices_with_vat


def test_the_price_basis_of_every_type_must_be_said(tmp_path: Path) -> None:
    """Nothing fiscal is guessed: all types and the line of settings are named; a 05 is read like its 03."""
    with pytest.raises(CannotStart) as stopped:
        read_text(tmp_path, "Factura,Tipo doc.,Descripción,Cantidad,Precio\nA1,CCF,Café,2,3\nA2,NC,Café,1,3\n")
    assert refusal(stopped.value) == (
        "There are documents of type 03, 05, and nothing says whether their prices include VAT.\n"
        'Say it in the settings, "with_vat" or "without_vat":\n[source]\nprices = { "03" = "with_vat" }'
    )


def test_a_file_in_our_own_names_says_name_for_the_customer(tmp_path: Path) -> None:
    """`name` beside other fields of ours is the customer's; alone among other words it may be anything."""
    ours = read_text(tmp_path, "external_ref,name,nit,description,quantity,unit_price\nA1,Ana,1,Café,2,3\n")
    assert ours[0].document.customer == Customer(name="Ana", nit="1")
    theirs = read_text(tmp_path, "Factura,name,Descripción,Cantidad,Precio\nA1,Ana,Café,2,3\n")
    assert theirs[0].document.customer is None


def test_a_template_is_cut_into_its_parts() -> None:
    """Literals stand around the names."""
    assert template_parts("{Sucursal}-{Número}") == (("", "-", ""), ("Sucursal", "Número"))


@pytest.mark.parametrize("template", ["Factura", "{}", "{a}-{b", "a}{b}"])
def test_a_template_without_names_is_refused(template: str) -> None:
    """A literal alone would give every sale the same reference."""
    with pytest.raises(CannotStart, match="is not a template"):
        template_parts(template)


TEMPLATED = "Sucursal,Número,Fecha,Producto,Cant.,Precio\n"


def test_a_reference_is_made_of_several_columns(tmp_path: Path) -> None:
    """By headings or by our fields; a date is written one way."""
    text = TEMPLATED + "SS,1,13/01/2026,Café,1,2\nSM,1,13/01/2026,Té,1,2\nSS,1,13/01/2026,Pan,1,2\n"
    batch = read_text(tmp_path, text, settings(external_ref="{branch}/{Fecha}-{numero}"))
    assert refs(batch) == ["SS/2026-01-13-1", "SM/2026-01-13-1"]
    assert [line.row for line in batch[0].document.lines] == [0, 2]


def test_different_parts_that_make_one_reference_are_held_back(tmp_path: Path) -> None:
    """A-1 + 2 and A + 1-2 are two sales."""
    text = TEMPLATED + "A-1,2,,Café,1,2\nA,1-2,,Té,1,2\n"
    batch = read_text(tmp_path, text, settings(external_ref="{Sucursal}-{Número}"))
    assert refs(batch) == ["A-1-2"]
    assert "ref-from-other-parts" in codes(batch)
    assert batch[0].held_back


def test_a_template_with_an_empty_part_is_held_back(tmp_path: Path) -> None:
    """The part is named; a row with no part at all has no reference."""
    text = TEMPLATED + "SS,,,Café,1,2\nSS,2,,Té,1,2\n,,,Pan,1,2\n"
    batch = read_text(tmp_path, text, settings(external_ref="{Sucursal}-{Número}"))
    assert codes(batch) == ["ref-part-missing", "may-go-on-below"]
    assert [problem.code for problem in batch.problems] == ["row-without-ref"]


def test_a_template_that_names_a_missing_heading_is_asked(tmp_path: Path) -> None:
    """With the nearest heading."""
    with pytest.raises(CannotStart, match="Did you mean «Número»"):
        read_text(tmp_path, TEMPLATED + "SS,1,,Café,1,2\n", settings(external_ref="{Sucursal}-{Numeros}"))


def test_an_empty_reference_column_is_asked(tmp_path: Path) -> None:
    """Rather than one problem for each row."""
    with pytest.raises(CannotStart, match="is empty in every row"):
        read_text(tmp_path, "Factura,Descripción,Cantidad,Precio\n,Café,2,3\n,Té,1,1\n")


def test_csv_and_workbook_are_mapped_alike(tmp_path: Path) -> None:
    """The kind of file makes no difference to the documents."""
    rows: list[list[Any]] = [
        ["Factura", "Fecha", "Descripción", "Cantidad", "Precio"],
        ["A1", "2026-01-05", "Café", 2, 3.5],
        [17, "2026-01-05", "Té", 1, 0.1],
    ]
    csv_batch = read_text(tmp_path, "\n".join(",".join(map(str, row)) for row in rows))
    excel_batch = read([workbook(tmp_path, rows)], Settings())
    assert [entry.document for entry in excel_batch] == [entry.document for entry in csv_batch]


def test_headings_of_two_rows_are_read_together(tmp_path: Path) -> None:
    """A heading merged with the cell below stands in the upper row, its neighbours' in the lower."""
    text = "VENTAS,,,,\nFactura,Descripción,,Importes,\n,,Cantidad,Precio unitario,Total\nA1,Café,2,3,6\n"
    batch = read_text(tmp_path, text)
    assert batch.sources[0].header_row == 3
    assert [mapped.heading for mapped in batch.sources[0].mapping] == [
        "Factura", "Descripción", "Cantidad", "Precio unitario",
    ]  # fmt: skip
    assert batch.rows == 1


def test_a_blank_row_below_the_headings_is_no_second_row_of_them(tmp_path: Path) -> None:
    """Nor is a row with gaps."""
    batch = read_text(tmp_path, "Factura,Descripción,Cantidad,Precio\n,,,\nA1,Café,2,3\n")
    assert (batch.sources[0].header_row, batch.rows) == (1, 1)


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("Precio (01, 03 y 05 con IVA; 11 y 14 sin IVA)", {"01": "with_vat", "05": "with_vat", "11": "without_vat"}),
        ("Unit price (03 without VAT)", {"03": "without_vat", "01": ""}),
        ("Precio con IVA", {"01": "with_vat", "03": "with_vat"}),
    ],
)
def test_a_price_heading_may_say_it_by_type(heading: str, said: dict[str, str]) -> None:
    """As the template's does."""
    assert {kind: vat_said(heading, kind) for kind in said} == said


@pytest.mark.parametrize(
    ("heading", "included"),
    [
        ("Precio unitario con IVA", True), ("P. Unit. sin IVA", False), ("Precio IVA incluido", True),
        ("Precio venta más IVA", False), ("Unit price excl. VAT", False),
    ],
)  # fmt: skip
def test_a_price_heading_may_say_it_without_parentheses(tmp_path: Path, heading: str, included: bool) -> None:
    """A CCF asks for the basis, and the heading answers."""
    text = f"Factura,Tipo DTE,Descripción,Cantidad,{heading}\nA1,CCF,Café,2,3\n"
    assert [entry.document.prices_with_vat for entry in read_text(tmp_path, text)] == [included]


def test_a_heading_speaks_for_the_documents_below_it(tmp_path: Path) -> None:
    """Two files that say enough by themselves say enough together, in either order; and a contradiction stays one."""
    invoices = csv_file(tmp_path, "Factura,Descripción,Cantidad,Precio (con IVA)\nA1,Café,2,3\n", "facturas.csv")
    ccfs = csv_file(tmp_path, "Factura,Tipo DTE,Descripción,Cantidad,Precio (sin IVA)\nB1,CCF,Café,2,3\n", "ccf.csv")
    more = csv_file(tmp_path, "Factura,Tipo DTE,Descripción,Cantidad,Precio (con IVA)\nB2,CCF,Café,2,3\n", "mas.csv")
    for paths in ([invoices, ccfs], [ccfs, invoices]):
        included = {entry.document.external_ref: entry.document.prices_with_vat for entry in read(paths, Settings())}
        assert included == {"A1": True, "B1": False}
    with pytest.raises(CannotStart):
        read([invoices, ccfs, more], Settings())


def test_a_heading_decides_where_the_settings_are_silent(tmp_path: Path) -> None:
    """What the file says is no guess."""
    text = "Factura,Tipo DTE,Descripción,Cantidad,Precio (sin IVA)\nA1,CCF,Café,2,3\n"
    assert not read_text(tmp_path, text)[0].document.prices_with_vat
