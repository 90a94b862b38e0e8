"""Page, workbook and JSON say the same of one document: figure by figure, under the keys of the table of columns."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest

from batch_issuer.messages import Messages
from batch_issuer.model.records import Record
from batch_issuer.reconcile import Reconciliation, report_json
from batch_issuer.reports.columns import Column, Words, answer_columns, document_columns, origin_columns
from batch_issuer.reports.page.page import page_text
from batch_issuer.reports.workbook.workbook import workbook_content
from tests.reports import invented
from tests.reports.test_report_page import Page

EN = Messages("en")
COLUMNS: list[Column[Any]] = [*document_columns(Words(EN)), *answer_columns(income_tax=True), *origin_columns()]
SHARED = ("doc_type", "date", "branch", "gross", "provider_gross", "control_number", "reception_stamp", "file", "sheet")
"""Keys of the JSON's documents under which the workbook has the same; `retention` and `rows` are compared apart."""


@pytest.fixture(scope="module")
def day() -> Reconciliation:
    """A day with purchases from whom income tax is withheld: the provider calls that `retention` too."""
    day = invented.a_day(120)
    return invented.of([taxed(one) for one in day.records], list(day.runs))


def taxed(one: Record) -> Record:
    if one.doc_type != "14" or one.answer.amounts.gross is None:
        return one
    return replace(one, answer=replace(one.answer, amounts=replace(one.answer.amounts, retention=Decimal("15.05"))))


@pytest.fixture(scope="module")
def plain(day: Reconciliation) -> dict[str, dict[str, Any]]:
    return {one["external_ref"]: one for one in json.loads("".join(report_json(day, "f")))["documents_list"]}


@pytest.fixture(scope="module")
def book(day: Reconciliation) -> dict[str, dict[str, Any]]:
    """The workbook's rows of documents, by reference; cells by the key of their column."""
    keys = {EN.text(column.heading): column.key for column in COLUMNS if column.key}
    records = {one.external_ref for one in day.records}
    found: dict[str, dict[str, Any]] = {}
    for sheet in openpyxl.load_workbook(BytesIO(workbook_content(day, EN))):
        headings, *rows = sheet.iter_rows(values_only=True)
        if headings[:2] == ("Reference", "Type") and sheet.title != "Held back":
            for row in rows:
                cells = {keys[str(name)]: cell for name, cell in zip(headings, row, strict=True) if name in keys}
                reference = str(cells["external_ref"])
                if reference in records:
                    found[reference] = cells
    return found


@pytest.fixture(scope="module")
def listed(day: Reconciliation) -> dict[str, dict[str, Any]]:
    """The page's list by reference, with the texts that its numbers stand for."""
    listing = Page(page_text(day, EN)).listing
    columns = {name: listing["columns"][name] for name in listing["columns"]}
    for name, texts in (("type", "types"), ("branch", "branches"), ("date", "dates"), ("customer", "customers")):
        columns[name] = [listing[texts][number] for number in columns[name]]
    columns["series"] = [listing["series"][number] if number >= 0 else "" for number in columns["series"]]
    columns["place"] = [listing["places"][number] for number in columns["place"]]
    return {values[0]: dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)}


def cents(amount: object) -> int:
    return int((Decimal(str(amount or 0)) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def shown(value: object) -> str:
    """A cell as the JSON writes it."""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d}"
    return str(value or "")


def test_every_key_of_a_document_that_the_workbook_has_is_a_key_of_the_json(plain: dict[str, dict[str, Any]]) -> None:
    """But for its state, which is the sheet, and the reason, which stands with the advice."""
    keys = {column.key for column in COLUMNS}
    assert set(next(iter(plain.values()))) - keys == {"state", "reason"}


def test_workbook_and_json_say_the_same_of_each_document(
    plain: dict[str, dict[str, Any]], book: dict[str, dict[str, Any]]
) -> None:
    assert len(plain) > 100
    assert any(document["retention"] == "15.05" for document in plain.values())
    assert set(book) == set(plain)
    types = Words(EN).doc_type
    for reference, document in plain.items():
        cells = {"branch": "", **{key: cell for key, cell in book[reference].items() if cell is not None}}
        for key in SHARED:
            wanted = types(document[key]) if key == "doc_type" else document[key]
            if "gross" in key:
                assert cents(cells.get(key)) == cents(wanted), (reference, key)
            else:
                assert shown(cells.get(key)) == shown(wanted), (reference, key)
        assert cents(cells.get("retention") or cells.get("income_tax")) == cents(document["retention"]), reference
        assert ("income_tax" in cells) <= (document["doc_type"] == "14"), reference


def test_page_and_json_say_the_same_of_each_document(
    plain: dict[str, dict[str, Any]], listed: dict[str, dict[str, Any]]
) -> None:
    assert set(plain) <= set(listed)
    types = Words(EN).doc_type
    for reference, document in plain.items():
        row = listed[reference]
        assert (row["type"], row["branch"], row["date"]) == (
            types(document["doc_type"]),
            document["branch"],
            document["date"],
        )
        assert (row["cents"], row["withheld"]) == (cents(document["gross"]), cents(document["retention"]))
        answered = document["provider_gross"]
        assert row["difference"] == (cents(answered) - cents(document["gross"]) if answered else 0)
        assert row["place"] == f"{document['file']} · {document['sheet']}"
        if row["number"] >= 0:
            assert f"{row['series']}-{row['number']:015d}" == document["control_number"]


def test_page_and_workbook_say_the_same_of_each_document(
    book: dict[str, dict[str, Any]], listed: dict[str, dict[str, Any]]
) -> None:
    for reference, cells in book.items():
        row = listed[reference]
        assert row["customer"] == shown(cells["customer"])
        assert row["rows"] == cells["rows"]
        assert row["difference"] == cents(cells.get("difference"))
