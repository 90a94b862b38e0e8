from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from batch_issuer.model.documents import Customer, Document, Line
from batch_issuer.model.problems import Kind, Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Batch, Entry, Found, SheetRow, SourceFile
from batch_issuer.rules import all_kinds, examine
from batch_issuer.settings import Rules
from tests.invented_sales import cells_of

COLUMNS = {"description": "B", "quantity": "C", "unit_price": "D", "name": "E", "dui": "F", "total": "G"}
READ_PROBLEM = Kind(
    code="unit-price-missing", message="The unit price is empty.", repair="Write the price of one unit."
)


class Sheet:
    """A batch of one document: row 0 stands in row 2 of a sheet with the columns above."""

    sources: tuple[SourceFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    rows = 1

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Entry:
        return (self.entry,)[index]

    def __iter__(self) -> Iterator[Entry]:
        return iter((self.entry,))

    def entries(self, documents: Sequence[int]) -> Iterator[Entry]:
        return (self[index] for index in documents)

    def place(self, row: int, field: str = "") -> Place:
        column = COLUMNS.get(field, "")
        return Place(file="ventas.csv", row=row + 2, column=column, heading=field if column else "")

    def row_numbers(self, rows: Sequence[int]) -> list[int]:
        return [row + 2 for row in rows]

    def source(self, _row: int) -> tuple[str, str]:
        return "ventas.csv", ""

    def cells_with(self, field: str, judge: Callable[[Any], Found | None]) -> Iterator[tuple[int, int, Found]]:
        return cells_of([self.entry.document], field, judge)

    def sheet_row(self, row: int) -> SheetRow:
        return SheetRow(0, row + 2, (), ())


def entry(problems: tuple[Problem, ...] = (), **changes: Any) -> Entry:
    line = Line("Café", Decimal(1), Decimal("3.25"), Decimal(0), False, 0)
    sound = Document(external_ref="A-1", doc_type="01", lines=(line,), prices_with_vat=True)
    return Entry(document=replace(sound, **changes), problems=problems)


def examined(subject: Entry) -> Entry:
    batch: Batch = Sheet(subject)
    return examine(batch, subject, Rules())


def told(subject: Entry) -> list[tuple[str, str]]:
    return [(problem.code, problem.place.column) for problem in examined(subject).problems]


def line_of(**changes: Any) -> tuple[Line, ...]:
    return (entry().document.lines[0]._replace(**changes),)


def unread_price() -> Problem:
    return Problem(
        kind=READ_PROBLEM, place=Sheet(entry()).place(0, "unit_price"), external_ref="A-1", field="unit_price"
    )


def test_a_sound_entry_is_the_same_entry() -> None:
    """Nothing is copied for the many documents that have nothing wrong."""
    subject = entry()
    assert examined(subject) is subject


def test_a_finding_becomes_a_problem_in_its_cell() -> None:
    """File, row, column, value and reference are all there, and the document is held back."""
    result = examined(entry(lines=line_of(quantity=Decimal("-2.50"))))
    (problem,) = result.problems
    assert (problem.code, problem.field, problem.value, problem.external_ref) == (
        "quantity-not-positive",
        "quantity",
        "-2.50",
        "A-1",
    )
    assert problem.place == Place(file="ventas.csv", row=2, column="C", heading="quantity")
    assert result.held_back


def test_a_warning_does_not_hold_back() -> None:
    """A wrong check digit is told, and the document goes."""
    result = examined(entry(customer=Customer(name="Ana", dui="00016297-6")))
    assert [problem.code for problem in result.problems] == ["dui-check-digit"]
    assert not result.held_back


def test_the_resolved_document_comes_back() -> None:
    """What is sent has codes, also where nothing is wrong."""
    result = examined(entry(payment_method="Efectivo"))
    assert result.document.payment_method == "01"
    assert result.problems == ()


def test_a_cell_that_could_not_be_read_is_told_once() -> None:
    """A price that is missing is not also a price of zero, nor a total that differs."""
    subject = entry((unread_price(),), lines=line_of(unit_price=Decimal(0)), total=Decimal(10))
    assert told(subject) == [("unit-price-missing", "D")]


def test_other_cells_of_the_row_are_still_told() -> None:
    """Everything that is wrong is shown at once."""
    subject = entry((unread_price(),), lines=line_of(unit_price=Decimal(0), quantity=Decimal(0)))
    assert told(subject) == [("unit-price-missing", "D"), ("quantity-not-positive", "C")]


def test_the_name_is_found_in_either_column() -> None:
    """The sheet has a column for the customer's name only, and the problem points there."""
    assert told(entry(lines=line_of(unit_price=Decimal(30000)))) == [("customer-not-identified", "E")]


def test_problems_without_a_column_do_not_hide_each_other() -> None:
    """Fields that no column gave are told apart by their names."""
    subject = entry(payment_method="Tarjeta", activity_code="99999")
    assert told(subject) == [("payment-method-unknown", ""), ("activity-unknown", "")]


def test_a_reading_problem_of_the_whole_row_hides_nothing() -> None:
    """A problem of the row is not a problem of each of its cells."""
    whole = Problem(kind=replace(READ_PROBLEM, code="header-disagrees"), place=Sheet(entry()).place(0))
    assert told(entry((whole,), lines=line_of(quantity=Decimal(0))))[1] == ("quantity-not-positive", "C")


def test_a_document_without_lines_has_a_problem_without_a_place() -> None:
    """There is nowhere to point, and it is held back all the same."""
    (problem,) = examined(entry(lines=())).problems
    assert problem.place == Place()


def test_the_table_of_rules_is_complete() -> None:
    """Every rule has a code of its own, a message, a repair, types and a source."""
    rows = all_kinds()
    assert len({row.code for row in rows}) == len(rows)
    for row in rows:
        assert set(row.code) <= {*string.ascii_lowercase, "-"}
        assert row.message.endswith(".")
        assert row.repair.endswith(".")
        assert row.doc_types
        assert all(source.endswith(".") for source in row.sources)


QUANTITY_MISSING = Problem(kind=kinds.QUANTITY_MISSING, place=Place(), external_ref="A-1", field="quantity")


def test_a_full_credit_note_needs_no_lines() -> None:
    """Empty quantities and prices are no fault where all of the CCF is credited."""
    empty = line_of(description="", quantity=Decimal(0), unit_price=Decimal(0))
    note = entry((QUANTITY_MISSING,), doc_type="05", adjusts="C-1", lines=empty, full_adjustment=True)
    assert examined(note).problems == ()


def test_a_credit_note_that_says_nothing_is_told_so_once() -> None:
    """The one thing that it lacks, instead of every empty cell; it is held back."""
    empty = line_of(description="", quantity=Decimal(0), unit_price=Decimal(0))
    note = entry((QUANTITY_MISSING,), doc_type="05", adjusts="C-1", lines=empty)
    assert [problem.code for problem in examined(note).problems] == ["credit-says-nothing"]
    assert examined(note).held_back


def test_a_half_filled_line_of_a_credit_note_is_a_problem() -> None:
    """Where something is said it must be whole, full adjustment or not."""
    for full in (False, True):
        half = line_of(quantity=Decimal(0))
        note = entry((QUANTITY_MISSING,), doc_type="05", adjusts="C-1", lines=half, full_adjustment=full)
        assert examined(note).held_back


def test_a_file_without_a_column_for_services_is_told_so() -> None:
    """Goods are what the provider takes an unsaid line for; ten per cent may depend on it."""
    assert [code for code, _ in told(entry(doc_type="14", customer=Customer(name="Ana", dui="00016297-5")))] == [
        "service-not-said"
    ]


def test_equal_numbers_are_quoted_as_each_stands_in_its_row() -> None:
    """-1 and -1.00 break the same rule; what is shown is what the owner will look for."""
    for written in ("-1", "-1.00", "-1.0", "-1"):
        (problem,) = examined(entry(lines=line_of(quantity=Decimal(written)))).problems
        assert (problem.code, problem.value) == ("quantity-not-positive", written)
