"""The workbook to fill in: what is written into it, by hand or by another program, is read as what it is."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import column_index_from_string, get_column_letter

from batch_issuer.messages import LANGUAGES, Messages
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.problems import CannotStart
from batch_issuer.plan.prepare import prepare
from batch_issuer.reading import Batch, read
from batch_issuer.reports.fill_in.columns import COLUMNS
from batch_issuer.reports.fill_in.example import example_rows
from batch_issuer.reports.fill_in.lists import list_tables
from batch_issuer.reports.fill_in.template import template_content, write_template
from batch_issuer.rules import catalogs
from batch_issuer.rules.places import place
from batch_issuer.settings import Settings, Source

FIELDS = [column.key for column in COLUMNS]
SALE = {"external_ref": "V-1", "description": "Café", "quantity": 2, "unit_price": 3.5}


def filled(path: Path, *rows: Mapping[str, Any], language: str = "es") -> Path:
    """The template with rows on its sheet of sales, written by openpyxl; a text stays one, whatever it looks like."""
    book = openpyxl.load_workbook(BytesIO(empty_template(language)))
    for at, row in enumerate(rows, 2):
        for field, value in row.items():
            cell = book.worksheets[0].cell(at, FIELDS.index(field) + 1, value)
            if isinstance(value, str):
                cell.data_type = "s"
    book.save(path)
    return path


@cache
def empty_template(language: str) -> bytes:
    return template_content(Messages(language), "plantilla.xlsx")


def batch_of(path: Path) -> Batch:
    return read([str(path)], Settings())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_heading_is_read_as_its_field(tmp_path: Path, language: str) -> None:
    """In both languages, without settings; nothing is left over, and the sheet of sales is the one that opens."""
    path = filled(tmp_path / "plantilla.xlsx", SALE, language=language)
    (source,) = batch_of(path).sources
    letters = {one.field: column_index_from_string(one.column) - 1 for one in source.mapping}
    assert letters == {field: at for at, field in enumerate(FIELDS)}
    assert source.ignored == ()
    shown = openpyxl.load_workbook(path).active
    assert shown is not None
    assert source.sheet == shown.title == {"es": "Ventas", "en": "Sales"}[language]


def test_every_cell_takes_what_belongs_there(tmp_path: Path) -> None:
    """Identifiers are texts, dates dates; the sheet begins with the headings, and the first free row is the second."""
    sheet = openpyxl.load_workbook(filled(tmp_path / "plantilla.xlsx"))["Ventas"]
    formats = {field: sheet.cell(2, at).number_format for at, field in enumerate(FIELDS, 1)}
    assert {
        formats[field] for field in ("external_ref", "nit", "dui", "nrc", "phone", "payment_method", "adjusts")
    } == {"@"}
    assert (formats["date"], formats["unit_price"], formats["quantity"]) == ("dd/mm/yyyy", "#,##0.00######", "General")
    assert [cell.value for cell in sheet[1]][:2] == ["Referencia", "Tipo de documento"]
    assert not any(cell.value for row in sheet.iter_rows(min_row=2) for cell in row)


def test_an_untouched_template_has_no_sales(tmp_path: Path) -> None:
    """The example is left alone, and that is known."""
    batch = batch_of(filled(tmp_path / "plantilla.xlsx"))
    assert len(batch) == 0
    assert batch.sources[0].examples == ("Ejemplo",)
    assert [problem.code for problem in batch.problems] == ["no-rows"]


def test_a_sale_among_the_examples_is_told(tmp_path: Path) -> None:
    """Who writes below the examples would lose a sale without noticing."""
    path = filled(tmp_path / "plantilla.xlsx")
    book = openpyxl.load_workbook(path)
    book["Ejemplo"].append(["V-9", "01 Factura", None, None, "Café", 1, 2.5])
    book.save(path)
    told = [problem for problem in batch_of(path).problems if problem.blocks]
    assert [(problem.code, problem.place.sheet, problem.value) for problem in told] == [
        ("sale-in-example", "Ejemplo", "V-9")
    ]


def test_the_example_cannot_be_issued(tmp_path: Path) -> None:
    """Neither as a sheet that is asked for, nor alone, nor copied onto the sheet of sales."""
    path = filled(tmp_path / "plantilla.xlsx", SALE, {**SALE, "external_ref": "EJEMPLO-1"})
    with pytest.raises(CannotStart, match="never issued"):
        read([str(path)], Settings(source=Source(sheet="Ejemplo")))
    found = {entry.document.external_ref: [problem.code for problem in entry.problems] for entry in batch_of(path)}
    assert found == {"V-1": [], "EJEMPLO-1": ["example-ref"]}
    book = openpyxl.load_workbook(path)
    del book["Ventas"]
    book.save(path)
    with pytest.raises(CannotStart, match="never issued"):
        batch_of(path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_the_lists_is_understood(language: str) -> None:
    """What is chosen becomes its code; a place the three codes that it has."""
    understood: dict[str, Callable[[str], str]] = {
        "payments": catalogs.payment_methods().code_of,
        "conditions": catalogs.conditions().code_of,
        "terms": catalogs.term_units().code_of,
        "identities": catalogs.identity_documents().code_of,
        "contributors": catalogs.contributors().code_of,
        "activities": catalogs.activities().code_of,
    }
    lists = {
        name: [row[at] for row in table.rows] for table in list_tables(language) for at, name in enumerate(table.names)
    }
    for name, code_of in understood.items():
        assert {text: code_of(text) for text in lists[name]} == {text: text.split(" ")[0] for text in lists[name]}
    assert [catalogs.departments().code_of(name) for name in lists["departments"]] == list(catalogs.departments().names)
    triples = zip(lists["dis_dep"], lists["dis_mun"], lists["districts"], strict=True)
    placed = [place(*triple) for triple in triples]
    assert all(one.fault is None for one in placed)
    assert {(one.department, one.municipality) for one in placed} == set(catalogs.territory().municipalities)


def test_types_chosen_from_the_list_are_those_types(tmp_path: Path) -> None:
    """Code and name together, as the list shows them."""
    (types,) = (table.rows for table in list_tables("es") if table.names == ("types",))
    rows = [{**SALE, "external_ref": f"V-{at}", "doc_type": text} for at, (text,) in enumerate(types)]
    batch = batch_of(filled(tmp_path / "plantilla.xlsx", *rows))
    assert [entry.document.doc_type for entry in batch] == list(DOC_TYPES)


@pytest.mark.parametrize("name", ["mun_dep", "dis_dep", "dis_mun"])
def test_rows_of_one_choice_stand_together(name: str) -> None:
    """The dependent lists are cut out by place and count."""
    lists = [
        (one, [row[at] for row in table.rows]) for table in list_tables("es") for at, one in enumerate(table.names)
    ]
    column = dict(lists)[name]
    changes = sum(one != other for one, other in pairwise(column))
    assert changes + 1 == len(set(column))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_has_every_type_and_what_each_needs(language: str) -> None:
    """No column that a type needs is empty in its example, and none is filled that it has no use for."""
    shown = set()
    for _, cells in example_rows(language, "E-{number}"):
        kind = str(cells["doc_type"])[:2]
        shown.add(kind)
        for column in COLUMNS:
            assert kind not in column.required or cells.get(column.key), (kind, column.key)
            assert column.key not in cells or kind in column.used, (kind, column.key)
    assert shown == set(DOC_TYPES)


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20)


@settings(max_examples=4)
@given(texts=st.lists(TEXTS, min_size=20, max_size=80))
def test_any_text_is_kept_as_text(tmp_path_factory: pytest.TempPathFactory, texts: Sequence[str]) -> None:
    """Also what looks like a formula, a number or a date."""
    rows = [{**SALE, "external_ref": f"V-{at}", "address": f"x{text}x"} for at, text in enumerate(texts)]
    batch = batch_of(filled(tmp_path_factory.mktemp("texts") / "a.xlsx", *rows))
    addresses = [entry.document.customer.address for entry in batch if entry.document.customer]
    assert addresses == [f"x{text}x" for text in texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_in_it_is_a_formula_or_a_link(language: str) -> None:
    """Formulas only in the rules of cells, at most 255 characters long, as Excel demands; prompts fit too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        book = openpyxl.load_workbook(BytesIO(template_content(Messages(language), "plantilla.xlsx")))
    for sheet in book.worksheets:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
        assert not [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink]
        for rule in sheet.data_validations.dataValidation:
            assert max(map(len, (rule.formula1 or "", rule.prompt or "", rule.error or ""))) <= 255
            assert rule.prompt
    assert len(book.worksheets[0].data_validations.dataValidation) == len(COLUMNS)
    assert all(cell.comment for cell in book.worksheets[0][1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_bytes_every_time(language: str) -> None:
    """Nothing of the clock gets in."""
    assert template_content(Messages(language), "a.xlsx") == template_content(Messages(language), "a.xlsx")


def test_what_exists_is_not_overwritten(tmp_path: Path) -> None:
    """It may be filled in already."""
    path = tmp_path / "ventas.xlsx"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(CannotStart, match="exists already"):
        write_template(Messages("es"), path)
    assert [(one.name, one.read_text(encoding="utf-8")) for one in tmp_path.iterdir()] == [("ventas.xlsx", "mine")]


CHOSEN = (
    {
        "external_ref": "000123", "doc_type": "03 Crédito fiscal", "date": dt.date(2026, 4, 5),
        "description": "=1+1", "quantity": 3, "unit_price": 1234.5678, "discount_percentage": 10,
        "payment_method": "05 Transferencia", "transaction_condition": "2 A crédito", "deadline": "1 Días",
        "period": 30, "customer_name": "007", "nit": "06142803901121", "nrc": "0012345", "dui": "012345678",
        "type_contributor": "3 Grande", "customer_activity_code": "47111 Venta en supermercados",
        "department": "La Libertad", "municipality": "La Libertad Sur", "district": "Santa Tecla",
        "phone": "00503", "total": 4166.67,
    },
    {"external_ref": "2/3", "doc_type": "14 Sujeto excluido", "description": "1,500", "quantity": 0.125,
     "unit_price": 8, "is_service": "Sí", "customer_name": "José Muestra", "department": "San Salvador"},
    {"external_ref": "V-3", "description": " dos  espacios ", "quantity": 1, "unit_price": 0.35},
)  # fmt: skip


def test_saved_by_libreoffice_it_says_the_same(tmp_path: Path, resave: Callable[..., list[Path]]) -> None:
    """Values, formats, lists and notes; the lists of places still follow the choice."""
    path = filled(tmp_path / "ventas.xlsx", *CHOSEN)
    book = openpyxl.load_workbook(path)
    sheet = book["Ventas"]
    rules = {str(rule.sqref).rstrip("0123456789"): rule.formula1 for rule in sheet.data_validations.dataValidation}
    for at, field in enumerate(("municipality", "district")):
        letter = get_column_letter(FIELDS.index(field) + 1)
        (formula,) = (text for where, text in rules.items() if where.startswith(f"{letter}2:"))
        for row in range(2, 2 + len(CHOSEN)):
            placed = formula.replace("$U2", f"Ventas!$U{row}").replace("$V2", f"Ventas!$V{row}")
            book["Instrucciones"].cell(row, 20 + at, f"=ROWS({placed.lstrip('=')})")
    book.save(path)

    (saved,) = resave(path)

    before, after = batch_of(path), batch_of(saved)
    assert [entry for entry in after] == [entry for entry in before]  # noqa: C416 - a batch is no list
    assert after.sources[0].examples == ("Ejemplo",)
    first = after[0].document
    assert (first.external_ref, first.date, first.period) == ("000123", dt.date(2026, 4, 5), "30")
    assert first.lines[0].unit_price == Decimal("1234.5678")
    again = openpyxl.load_workbook(saved, data_only=True)
    assert len(again["Ventas"].conditional_formatting) == sum(bool(column.required) for column in COLUMNS)
    counts = [[again["Instrucciones"].cell(row, 20 + at).value for at in (0, 1)] for row in range(2, 2 + len(CHOSEN))]
    assert counts == [[6, 2], [5, 19], [45, 263]]
    nit = FIELDS.index("nit") + 1
    assert again["Ventas"].cell(2, nit).number_format == "@"
    assert len(again["Ventas"].data_validations.dataValidation) == len(COLUMNS)
    assert all(cell.comment for cell in again["Ventas"][1])


def test_what_a_type_needs_is_what_the_rules_need(tmp_path: Path) -> None:
    """Each example without one of its cells: it is held back exactly where the column says that its type needs it.

    But for those that go with another cell: a name with any data of the customer, a municipality with its department,
    the kind of document with its number.
    """
    together = {"customer_name", "municipality", "document_type"}
    rows, wanted = [], {}
    for number, (shows, cells) in enumerate(example_rows("es", "X-{number}")):
        kind = str(cells["doc_type"])[:2]
        if not shows:
            continue
        for field in set(cells) - {"external_ref", "doc_type"}:
            reference = f"{kind}-{number}-{field}"
            rows.append({name: cell for name, cell in cells.items() if name != field} | {"external_ref": reference})
            (column,) = (column for column in COLUMNS if column.key == field)
            wanted[reference] = kind in column.required
    prepared = prepare(batch_of(filled(tmp_path / "plantilla.xlsx", *rows)), Settings(), dt.date(2026, 11, 20))
    held = {one.document.external_ref for one in prepared.held}
    differing = {ref for ref in wanted if (ref in held) != wanted[ref]}
    assert {ref for ref in differing if ref.split("-")[2] not in together or wanted[ref]} == set()
