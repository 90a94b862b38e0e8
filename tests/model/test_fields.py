"""Whoever deals with fields knows every row of the table: a field that one of them forgets fails here by its name.

What a row says is tried through the real thing: a file is read, judged and encoded; a workbook is written; a comparison
is masked. Nothing here lists fields a second time.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from batch_issuer.messages import LANGUAGES, Messages
from batch_issuer.model.documents import DOC_TYPES, Customer, Document, Line
from batch_issuer.model.fields import (
    BY_KEY,
    CUSTOMER_ATTRIBUTES,
    NUMBERS,
    TABLE,
    Field,
    Mask,
    Owner,
    Travels,
    ValueKind,
    named,
)
from batch_issuer.provider import wire
from batch_issuer.reading import read
from batch_issuer.reading.cells.values import DATE_FIELDS, NUMBER_FIELDS
from batch_issuer.reading.headings import questions
from batch_issuer.reading.headings.aliases import FIELD_OF, key_of
from batch_issuer.reconcile import Change, Reconciliation
from batch_issuer.reports.fill_in.columns import COLUMNS
from batch_issuer.reports.fill_in.template import template_content
from batch_issuer.reports.fix import corrections
from batch_issuer.reports.masking import masked
from batch_issuer.reports.wording import FIELD_NAMES, field_name
from batch_issuer.rules import examine
from batch_issuer.rules.checks import _CODES
from batch_issuer.settings import (
    CUSTOMER_FIELDS,
    DOCUMENT_FIELDS,
    FIELDS,
    LINE_FIELDS,
    Rules,
    Settings,
    Source,
    checked,
)
from tests.reports import invented

EVERY = pytest.mark.parametrize("field", TABLE, ids=lambda field: field.key)
HOLDERS: Mapping[Owner, Any] = {Owner.LINE: Line, Owner.DOCUMENT: Document, Owner.CUSTOMER: Customer}
BASE = {"external_ref": "V-1", "description": "Café", "quantity": "2", "unit_price": "3.50"}
"""What every document needs."""
OF_EACH_KIND: Mapping[ValueKind, tuple[str, object]] = {
    ValueKind.TEXT: ("Texto inventado Ñ", "Texto inventado Ñ"),
    ValueKind.REFERENCE: ("INV-77", "INV-77"),
    ValueKind.QUANTITY: ("7", 7),
    ValueKind.PRICE: ("8.25", 8.25),
    ValueKind.PERCENTAGE: ("12", 12),
    ValueKind.AMOUNT: ("7777.77", None),
    ValueKind.WHOLE: ("45", 45),
    ValueKind.DATE: ("2026-11-20", None),
    ValueKind.YES_NO: ("sí", True),
    ValueKind.TAX_IDENTITY: ("00016297-5", "000162975"),
    ValueKind.REGISTER_NUMBER: ("1234567", "1234567"),
    ValueKind.PHONE: ("2222-0000", "2222-0000"),
    ValueKind.EMAIL: ("copia@example.com", "copia@example.com"),
}
"""What stands in a cell, and what is sent for it."""
READ_WITH = Settings(source=Source(prices=dict.fromkeys(DOC_TYPES, "with_vat")))
PLACES = {"department": "06", "municipality": "22", "district": "14"}
"""San Salvador Centro, San Salvador; a place travels whole or not at all."""


def sample(field: Field, doc_type: str) -> tuple[str, object]:
    """A value of the field, as a sheet has it and as it is sent."""
    if field.kind is ValueKind.TYPE:
        return doc_type, doc_type
    if field.kind is ValueKind.PLACE:
        return PLACES[field.key], PLACES[field.key]
    if field.kind is ValueKind.CODE:
        code = next(iter(_CODES[field.key]().names))
        return code, int(code) if field.travels is Travels.AS_WHOLE else code
    return OF_EACH_KIND[field.kind]


def beside(field: Field, doc_type: str) -> dict[str, str]:
    """A document of the type that is complete enough to be encoded, without the field itself."""
    cells = {**BASE, "doc_type": doc_type}
    if doc_type == "05":
        cells["adjusts"] = "CCF-1"
    if field.owner is Owner.CUSTOMER:
        cells |= {"name": "Ana Inventada", "dui": "00016297-5"}  # a customer with nothing but a name is only that name
    if field.kind is ValueKind.PLACE:
        cells |= PLACES
    return {key: value for key, value in cells.items() if key != field.key}


def csv_of(folder: Path, cells: Mapping[str, str]) -> str:
    """A CSV of one row; the keys are its headings."""
    text = io.StringIO()
    csv.writer(text).writerows([cells.keys(), cells.values()])
    path = folder / "ventas.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return str(path)


def heading_of(field: Field) -> str:
    """A heading that is understood whatever else stands in the sheet."""
    return field.headings[0]


def issued(folder: Path, field: Field, doc_type: str, value: str) -> tuple[Any, set[str]]:
    """What would be sent of a document with the value in the field's cell, and the fields of which something blocks it.

    None for what is so wrong that it cannot be encoded.
    """
    cells = {heading_of(BY_KEY[key]): text for key, text in beside(field, doc_type).items()}
    batch = read([csv_of(folder, {**cells, heading_of(field): value})], READ_WITH)
    entry = examine(batch, batch[0], Rules())
    problems = {problem.field for problem in (*batch.problems, *entry.problems) if problem.blocks}
    try:
        return json.loads(wire.encode(entry.document)), problems
    except ValueError:
        return None, problems


def sent(body: Any, field: Field, doc_type: str) -> object:
    """What stands under the field's name at its owner's place in the JSON; None where nothing does."""
    if field.owner is Owner.LINE:
        return body["lines"][0].get(field.wire)
    if field.owner is Owner.CUSTOMER:
        return body.get("subject" if doc_type == "14" else "customer", {}).get(field.wire)
    if field.key == "customer_name" and doc_type == "14":
        return body["subject"].get("name")
    return body.get(field.wire)


def test_each_field_stands_once() -> None:
    """Keys are a set, headings belong to one field, columns of the template to one place."""
    assert len(BY_KEY) == len(TABLE)
    owners = [(key, field.key) for field in TABLE for key in {key_of(heading) for heading in field.headings}]
    assert len({key for key, _ in owners}) == len(owners)
    assert len({field.place for field in COLUMNS}) == len(COLUMNS)
    assert {field.key for field in TABLE} == {*FIELDS} == {*DOCUMENT_FIELDS, *CUSTOMER_FIELDS, *LINE_FIELDS}
    assert set(NUMBER_FIELDS) == {field.key for field in TABLE if field.kind in NUMBERS}
    assert set(DATE_FIELDS) == {field.key for field in TABLE if field.kind is ValueKind.DATE}


@EVERY
def test_a_row_says_all_that_it_must(field: Field) -> None:
    """A row without a name on the wire says why, a length is in its sentence, a column has its note."""
    assert bool(field.wire) is (field.travels is not Travels.NEVER)
    assert bool(field.because) is (field.travels in (Travels.NEVER, Travels.BY_HAND))
    assert set(field.required) <= set(field.used) <= set(field.doc_types) <= set(DOC_TYPES)
    assert not field.length_rule or f"{field.longest:,} characters" in field.length_rule
    assert not field.too_long or f"{field.longest:,} characters" in field.too_long
    assert bool(field.note) is bool(field.place)
    assert bool(field.catalog) is (field.kind in (ValueKind.CODE, ValueKind.PLACE))
    assert field.label


@EVERY
def test_its_owner_holds_it(field: Field) -> None:
    """`Line`, `Document` or `Customer` has its attribute, and a customer has no attribute that is no field."""
    held = HOLDERS[field.owner]
    names = held._fields if field.owner is Owner.LINE else held.__dataclass_fields__
    assert field.attribute in names
    assert set(CUSTOMER_ATTRIBUTES.values()) == set(Customer.__dataclass_fields__)


@EVERY
def test_its_headings_are_read_as_it(field: Field, tmp_path: Path) -> None:
    """Each heading, over a column of a real file, is the field's."""
    doc_type = field.doc_types[-1]  # suppliers are of type 14
    value, _ = sample(field, doc_type)
    cells = {heading_of(BY_KEY[key]): text for key, text in beside(field, doc_type).items()}
    for heading in field.headings:
        batch = read([csv_of(tmp_path, {**cells, heading: value})], READ_WITH)
        assert (field.key, heading) in {(one.field, one.heading) for one in batch.sources[0].mapping}


@EVERY
def test_settings_can_name_its_column(field: Field, tmp_path: Path) -> None:
    """`[columns]` takes its key, and the file is read by it."""
    doc_type = field.doc_types[0]
    settings = checked(
        tmp_path / "batch-issuer.toml",
        {"columns": {field.key: "Columna rara"}, "source": {"prices": dict.fromkeys(DOC_TYPES, "with_vat")}},
    )
    cells = {heading_of(BY_KEY[key]): text for key, text in beside(field, doc_type).items()}
    batch = read([csv_of(tmp_path, {**cells, "Columna rara": sample(field, doc_type)[0]})], settings)
    assert (field.key, "Columna rara") in {(one.field, one.heading) for one in batch.sources[0].mapping}


@EVERY
def test_what_travels_reaches_the_wire_and_nothing_else_does(field: Field, tmp_path: Path) -> None:
    """A cell arrives under its name with the types that the row names, and with no other."""
    for doc_type in DOC_TYPES:
        value, expected = sample(field, doc_type)
        body, _ = issued(tmp_path, field, doc_type, value)
        told_by_route = field.kind is ValueKind.TYPE and doc_type in ("05", "14")
        if field.wire and doc_type in field.doc_types and not told_by_route:
            found = sent(body, field, doc_type)
            if field.kind is ValueKind.TAX_IDENTITY:
                found = str(found).replace("-", "")
            assert found == expected, doc_type
        elif not field.wire:
            assert value not in json.dumps(body, ensure_ascii=False)
        elif "lines" in body or field.owner is not Owner.LINE:
            assert sent(body, field, doc_type) is None, doc_type


@EVERY
def test_a_control_character_never_reaches_the_wire(field: Field, tmp_path: Path) -> None:
    """What cannot be printed is told where it stands, or is not sent."""
    for doc_type in field.doc_types:
        value, _ = sample(field, doc_type)
        body, problems = issued(tmp_path, field, doc_type, f"{value[:1]}\x07{value[1:]}")
        if body is None or "\\u0007" in json.dumps(body):
            assert field.key in problems, doc_type


def of_length(field: Field, length: int) -> str:
    """A value of the field with so many characters."""
    if field.kind is ValueKind.EMAIL:
        return "a" * (length - 12) + "@example.com"
    return ("2" if field.kind is ValueKind.PHONE else "x") * length


@pytest.mark.parametrize("field", [field for field in TABLE if field.longest], ids=lambda field: field.key)
def test_too_long_a_text_is_told(field: Field, tmp_path: Path) -> None:
    """The longest that the row allows is no problem of the field, one character more is."""
    for doc_type in field.doc_types:
        for length, is_told in ((field.longest, False), (field.longest + 1, True)):
            cells = {heading_of(BY_KEY[key]): text for key, text in beside(field, doc_type).items()}
            batch = read([csv_of(tmp_path, {**cells, heading_of(field): of_length(field, length)})], READ_WITH)
            entry = examine(batch, batch[0], Rules())
            kinds = {one.code for one in (*batch.problems, *entry.problems) if one.field == field.key}
            assert bool(kinds & {"text-long", "ref-too-long", "email-shape", "phone-length"}) is is_told, doc_type


@EVERY
def test_free_texts_that_travel_have_a_limit(field: Field) -> None:
    """Nothing of any length goes to the provider; a credited document is looked up, and found or not."""
    if field.kind is ValueKind.TEXT and field.wire:
        assert field.longest


@EVERY
def test_what_no_catalog_has_is_told(field: Field, tmp_path: Path) -> None:
    """A field of codes has its catalog, and the rule that says what is not in it."""
    if field.kind in (ValueKind.CODE, ValueKind.PLACE):
        for doc_type in field.doc_types:
            _, problems = issued(tmp_path, field, doc_type, "no hay tal cosa")
            assert problems & {field.key, "department", "municipality", "district"}, doc_type


@cache
def template(language: str) -> Any:
    return openpyxl.load_workbook(io.BytesIO(template_content(Messages(language), "x.xlsx"))).worksheets[0]


@EVERY
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_to_fill_in_has_its_column(field: Field, language: str) -> None:
    """Heading, note and list stand where the row says, and the heading is understood."""
    heads = {cell.value: cell for cell in template(language)[1]}
    heading = field.heading(language)
    assert FIELD_OF[key_of(heading)] == field.key
    assert (heading in heads) is bool(field.place)
    if field.place:
        assert heads[heading].comment.text.startswith(Messages(language).text(field.note))


def paths_of(field: Field) -> Iterator[str]:
    """The names under which a comparison may speak of the field."""
    yield field.key
    if field.owner is Owner.CUSTOMER:
        yield from (f"customer.{field.wire}", f"subject.{field.wire}")
    elif field.owner is Owner.LINE:
        yield from (f"line 2: {field.key}", f"lines[2].{field.wire}")
    elif field.wire:
        yield field.wire


@EVERY
def test_a_comparison_names_it_in_words(field: Field) -> None:
    """Whatever a comparison calls it, reports call it by its label, in Spanish."""
    assert FIELD_NAMES[field.key] == field.label
    for what in paths_of(field):
        line, key = named(what)
        assert key == field.key
        said = field_name(what, Messages("es"))
        label = Messages("es").text(field.label)
        assert said == (f"línea {line}: {label}" if line else label)


@cache
def a_day() -> Reconciliation:
    return invented.a_comparison(60)


@EVERY
def test_masking_hides_what_is_of_a_person(field: Field) -> None:
    """Neither a difference nor a problem shows it; what a customer or an address of mail says has to be masked."""
    personal = field.kind in (ValueKind.TAX_IDENTITY, ValueKind.REGISTER_NUMBER, ValueKind.PHONE, ValueKind.EMAIL)
    if personal or (field.owner is Owner.CUSTOMER and field.kind is ValueKind.TEXT):
        assert field.mask is not None
    if field.mask is None:
        return
    secret = "Nadia Inventada" if field.mask is Mask.INITIALS else "secreto-987654"
    changes = tuple(Change(what=what, issued=secret, file=secret) for what in paths_of(field))
    day = a_day()
    problem = replace(day.held_back[0].problems[0], field=field.key, value=secret, message={"es": f"«{secret}» no es."})
    told = masked(
        replace(
            day,
            conflicts=(replace(day.conflicts[0], changes=changes),),
            held_back=(replace(day.held_back[0], problems=(problem,)),),
        )
    )
    assert secret not in str((told.conflicts, told.held_back))


@EVERY
def test_the_pages_name_it(field: Field, root: Path) -> None:
    """README has its key, and docs/columns.md its key, every heading, and where it goes."""
    columns = (root / "docs" / "columns.md").read_text(encoding="utf-8")
    readme = (root / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in columns.splitlines() if line.startswith(f"| `{field.key}` |")]
    assert [heading for heading in field.headings if heading not in row] == []
    assert field.because in row
    assert f"`{field.wire}`" in row or not field.wire
    assert f"`{field.key}`" in readme


def test_what_code_lists_by_key_are_fields() -> None:
    """Where code of a room is keyed by fields, there is no key that the table does not have."""
    assert set(questions._NEEDED) == set(questions._WORDS) == {"external_ref", *questions.LINE_REQUIRED}
    assert {"external_ref", *questions.LINE_REQUIRED} == {one.key for one in TABLE if one.required == DOC_TYPES}
    assert {key for keys in corrections._MINISTRY_FIELDS.values() for key in keys} <= BY_KEY.keys()
    assert set(corrections._LINE_FIELDS_SAID.values()) <= set(LINE_FIELDS)
