from __future__ import annotations

import datetime as dt
import re
import zipfile
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from batch_issuer.messages import Messages
from batch_issuer.model.states import State
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reports.cells import LONGEST, NAME_LENGTH
from batch_issuer.reports.workbook.workbook import workbook_content, write_workbook
from tests.reports import invented

EN = Messages("en")


@pytest.fixture(scope="module")
def day() -> Reconciliation:
    return invented.a_day()


@pytest.fixture(scope="module")
def path(day: Reconciliation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports") / "report.xlsx"
    write_workbook(day, EN, path)
    return path


@pytest.fixture(scope="module")
def book(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    """The rows of a table by its headings."""
    headings, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(headings, row, strict=True)) for row in rows]


@pytest.mark.parametrize("language", ["es", "en"])
def test_same_figures_give_the_same_bytes(tmp_path: Path, language: str) -> None:
    """Nothing of the clock gets into the workbook."""
    for name in ("one", "two"):
        write_workbook(invented.a_day(), Messages(language), tmp_path / f"{name}.xlsx")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_sheets_stand_in_the_order_of_urgency(book: Any) -> None:
    """The summary first, then what needs a person, then what is settled, then where it all came from."""
    assert book.sheetnames == [
        "Summary", "Conflicts", "Unsure", "Sent, no answer recorded", "Not sent yet", "Rejected", "Invalid",
        "Differences", "Held back", "Problems", "In contingency", "Stamped", "Cancelled", "Sequences", "Sources", "Runs",
    ]  # fmt: skip


def test_texts_stay_texts(path: Path, book: Any) -> None:
    """No text of a file is a formula or a link; formulas stand in the summary only, and read our own sheets."""
    formulas = {
        sheet.title: [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
        for sheet in book
    }
    assert {title for title, found in formulas.items() if found} == {"Summary"}
    assert not [one for one in formulas["Summary"] if "HYPERLINK" in one or "http" in one]
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    with zipfile.ZipFile(path) as parts:
        assert not [name for name in parts.namelist() if "externalLink" in name or "hyperlink" in name.lower()]
        assert not [
            name for name in parts.namelist() if name.endswith(".rels") and b"http://example" in parts.read(name)
        ]


@pytest.mark.parametrize("trap", invented.TRAPS)
def test_hostile_texts_come_back_letter_for_letter(book: Any, trap: str) -> None:
    """What looks like a formula, a tag or an escape is found again as it was."""
    assert trap in {row["Customer"] for row in rows_of(book["Stamped"])}
    assert trap in {row["Value"] for row in rows_of(book["Problems"])}


def test_every_document_is_in_the_sheet_of_its_state(day: Reconciliation, book: Any) -> None:
    """All documents, none twice, with amount and source."""
    titles = {
        State.UNSURE: "Unsure", State.SENDING: "Sent, no answer recorded", State.PLANNED: "Not sent yet",
        State.REJECTED: "Rejected", State.INVALID: "Invalid", State.CONTINGENCY: "In contingency",
        State.STAMPED: "Stamped", State.CANCELLED: "Cancelled",
    }  # fmt: skip
    for state, title in titles.items():
        rows = {row["Reference"]: row for row in rows_of(book[title])}
        records = {record.external_ref: record for record in day.in_state(state)}
        assert rows.keys() == records.keys()
        for reference, row in rows.items():
            assert Decimal(str(row["Amount with VAT"])) == records[reference].expected_gross
            assert row["File"] == "ventas-noviembre.xlsx"


def test_money_and_times_are_numbers_and_dates(book: Any) -> None:
    """They can be summed, sorted and filtered; the clock is El Salvador's."""
    row = rows_of(book["Stamped"])[0]
    assert isinstance(row["Amount with VAT"], (int, float))
    assert row["Settled"] == dt.datetime(2026, 11, 20, 8, 3, 13)  # noqa: DTZ001 - a spreadsheet's wall clock
    assert row["Date"] == dt.datetime(2026, 11, 20)  # noqa: DTZ001 - as above
    assert book["Stamped"]["G2"].number_format.startswith("$#,##0.00")


def test_sheets_are_tables_with_filters_and_frozen_headings(book: Any) -> None:
    """As a person who lives in Excel expects."""
    for sheet in book.worksheets[1:]:
        (table,) = sheet.tables.values()
        assert table.ref == sheet.dimensions
        assert table.autoFilter is not None
        assert sheet.freeze_panes == "B2"


def test_summary_counts_the_sheets_by_formula_and_stores_the_result(path: Path, day: Reconciliation, book: Any) -> None:
    """Who doubts a total can follow it; who only looks sees the same number."""
    formulas = book["Summary"]
    values = openpyxl.load_workbook(path, data_only=True)["Summary"]
    rows = {str(row[0].value).strip("− "): row[0].row for row in formulas.iter_rows() if row[0].value}
    start = rows["From the files to the ministry"]
    bridge = {str(values.cell(row, 1).value).strip("− "): row for row in range(start + 1, start + 1 + len(day.bridge))}
    stamped, last = bridge["Stamped"], len(day.in_state(State.STAMPED)) + 1
    assert formulas.cell(stamped, 2).value == f"=ROWS('Stamped'!$A$2:$A${last})"
    assert formulas.cell(stamped, 3).value == f"=SUM('Stamped'!$G$2:$G${last})"
    for step, row in zip(day.bridge, bridge.values(), strict=True):
        assert values.cell(row, 2).value == step.documents
        assert Decimal(str(values.cell(row, 3).value)).quantize(Decimal("0.01")) == step.gross
        assert values.cell(row, 6).value == "yes"


def test_problems_have_place_value_and_repair(book: Any) -> None:
    """One row for each problem, with where it is and what to do."""
    row = next(row for row in rows_of(book["Problems"]) if row["Reference"] == "H-000900")
    assert row == {
        "Reference": "H-000900", "Effect": "held back", "Code": "unknown-municipality",
        "What is wrong": "The municipality «Ahuachapan Centr» is not in the ministry's catalog (CAT-013).",
        "What to do": "Write its name or its code as in the catalog.", "Value": "Ahuachapan Centr",
        "File": "ventas-noviembre.xlsx", "Sheet": "Ventas", "Row": 2702, "Column": "K", "Heading": "Municipio",
    }  # fmt: skip


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(day: Reconciliation) -> None:
    """Excel ends at row 1,048,576; the summary's formulas read every part."""
    book = openpyxl.load_workbook(BytesIO(workbook_content(day, EN, sheet_rows=250)))
    parts = [sheet for sheet in book if sheet.title.startswith("Stamped")]
    assert [sheet.title for sheet in parts] == ["Stamped 1", "Stamped 2", "Stamped 3"]
    assert sum(len(rows_of(sheet)) for sheet in parts) == day.states[State.STAMPED].documents
    summed = [str(cell.value) for row in book["Summary"].iter_rows() for cell in row if "Stamped 3" in str(cell.value)]
    assert any(one.startswith("=SUM('Stamped 1'!") for one in summed)


def test_a_text_longer_than_a_cell_is_cut_and_shows_it(day: Reconciliation, tmp_path: Path) -> None:
    """Excel takes 32,767 characters; more would make xlsxwriter leave the cell empty."""
    record = replace(day.records[0], customer="x" * 40_000)
    write_workbook(replace(day, records=(record,)), EN, tmp_path / "long.xlsx")
    (row,) = rows_of(openpyxl.load_workbook(tmp_path / "long.xlsx")["Stamped"])
    assert row["Customer"] == "x" * (LONGEST - 1) + "…"


def test_damaged_texts_do_not_keep_it_from_being_written(day: Reconciliation, tmp_path: Path) -> None:
    """Half a character, or a control character, becomes a sign that something was there."""
    record = replace(day.records[0], customer="half \ud83d", branch="bell \x07")
    write_workbook(replace(day, records=(record,)), EN, tmp_path / "damaged.xlsx")
    (row,) = rows_of(openpyxl.load_workbook(tmp_path / "damaged.xlsx")["Stamped"])
    assert (row["Customer"], row["Branch"]) == ("half \ufffd", "bell \ufffd")


def test_an_empty_ledger_has_a_workbook_too(tmp_path: Path) -> None:
    """The summary, and the sheets that are always there, which say that there are none."""
    write_workbook(invented.nothing(), EN, tmp_path / "empty.xlsx")
    book = openpyxl.load_workbook(tmp_path / "empty.xlsx")
    assert book.sheetnames == ["Summary", "Differences", "Problems", "Sequences", "Sources"]
    assert {sheet["A2"].value for sheet in book.worksheets[1:]} == {"There are none."}


@pytest.mark.parametrize("language", ["es", "en"])
def test_excel_takes_every_name_and_heading(language: str) -> None:
    """Names of sheets and tables within Excel's rules and never twice; no heading twice in a table."""
    book = openpyxl.load_workbook(BytesIO(workbook_content(invented.a_comparison(), Messages(language))))
    titles = [title.casefold() for title in book.sheetnames]
    assert len(set(titles)) == len(titles) > 20
    assert [title for title in titles if len(title) > NAME_LENGTH or re.search(r"[\[\]:*?/\\\\]|^'|'$", title)] == []
    tables = [table for sheet in book for table in sheet.tables.values()]
    names = [table.displayName.casefold() for table in tables]
    assert len(set(names)) == len(names) == len(titles) - 1
    for table in tables:
        headings = [column.name.casefold() for column in table.tableColumns]
        assert len(set(headings)) == len(headings)


def test_what_files_ledger_and_provider_disagree_about_is_there() -> None:
    """Each finding of the comparison has its sheet; so have notes, signatures and what changed since a report."""
    day = invented.a_comparison()
    book = openpyxl.load_workbook(BytesIO(workbook_content(day, EN)))
    for title, references in {
        "Contradicted": {"F-000042"},
        "Not in the ledger": {one.external_ref for one in day.missing},
        "Not in the files": {one.external_ref for one in day.only_in_ledger},
        "Open from other runs": {one.external_ref for one in day.carried},
        "Learned now": {"F-000041"},
        "Written notes": {one.external_ref for one in day.noted},
        "Alike": {"F-000011"},
        "Other month": {one.record.external_ref for one in day.other_months},
    }.items():
        assert {row["Reference"] for row in rows_of(book[title])} == references, title
    changes = rows_of(book["Changes"])
    assert [row["Since the earlier report"] for row in changes] == ["New"] * 4 + ["Still open"] * 5 + [
        "Gone",
        "Resolved",
    ]
    assert [row["Changed since"] for row in rows_of(book["Signed"])] == [None, "F-000040, F-000057"]


def test_summary_walks_from_opening_to_closing_contingency() -> None:
    """What was open, came and went adds up by formula to what is open."""
    day = invented.a_comparison()
    content = BytesIO(workbook_content(day, EN))
    values = openpyxl.load_workbook(content, data_only=True)["Summary"]
    formulas = openpyxl.load_workbook(content)["Summary"]
    rows = {str(row[0].value): row[0].row for row in values.iter_rows() if row[0].value}
    first, last = rows["Open at the beginning"], rows["Open at the end"]
    assert formulas.cell(last, 2).value == f"=SUM(B{first}:B{last - 1})"
    assert sum(int(str(values.cell(row, 2).value)) for row in range(first, last)) == day.contingency.closing.documents
    assert values.cell(last, 2).value == day.contingency.closing.documents
    assert values.cell(rows["Documents of the files"], 2).value == day.total.documents
