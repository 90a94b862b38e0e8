"""How each column writes its numbers and dates, decided from all its values; where two ways are possible it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, raise_together
from batch_issuer.reading.cells.dates import Order, find_order, readings
from batch_issuer.reading.cells.numbers import Mark, MarkEvidence, find_mark, read_number
from batch_issuer.reading.cells.values import DATE_FIELDS, NUMBER_FIELDS, Notation, clean
from batch_issuer.reading.headings.columns import Header
from batch_issuer.reading.tables import CellKind, Column, Sheet, letter_of
from batch_issuer.settings import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Notations:
    """The notation of each field; and what was decided from texts, for the plan."""

    of: Mapping[str, Notation]
    marks: frozenset[str]
    orders: frozenset[str]


def find_notations(sheet: Sheet, header: Header, taken: Mapping[str, Column], source: Source) -> Notations:
    """Return the notation of every mapped column, from the texts of the sales rows.

    Raises `CannotStart` for the columns that can be read in two ways, unless the settings say which.
    """
    notations: dict[str, Notation] = dict.fromkeys(taken, Notation())
    marks, orders = set[str](), set[str]()
    questions: list[CannotStart] = []
    for name in (name for name in (*NUMBER_FIELDS, *DATE_FIELDS) if name in taken):
        number, column = header.columns[name], taken[name]
        asking = partial(CannotStart, where=sheet.title, heading=header.headings[number], letter=letter_of(number))
        typed = (column.texts[code] for code in column.used_codes() if column.kind(code) is CellKind.TEXT)
        texts = [cleaned for cleaned in map(clean, typed) if cleaned]  # as `read_values` will see them
        try:
            if name in NUMBER_FIELDS:
                evidence = find_mark(text.removesuffix("%").rstrip() for text in texts)
                notations[name] = Notation(mark=_mark(evidence, source.decimal, asking))
                if any((evidence.point, evidence.comma, evidence.either)):
                    marks.add(notations[name].mark)
            else:
                notations[name] = Notation(order=_order(column, texts, source.dates, asking))
                if texts:
                    orders.add(notations[name].order)
        except CannotStart as question:
            questions.append(question)
    raise_together(questions)
    return Notations(of=notations, marks=frozenset(marks), orders=frozenset(orders))


def _mark(evidence: MarkEvidence, wanted: str, asking: Callable[..., CannotStart]) -> Mark:
    """Return the decimal mark that the settings say, or else the numbers themselves; raise a question where none do."""
    if wanted:
        return "comma" if wanted == "comma" else "point"
    if evidence.mark is not None:
        return evidence.mark
    if evidence.point and evidence.comma:
        raise asking(
            N_(
                "{where}: the column «{heading}» ({letter}) has numbers with a decimal point («{point}») "
                "and with a decimal comma («{comma}»)."
            ),
            repair=N_(
                "Correct the column, or say which is right with --decimal point or --decimal comma: "
                "the others will be held back."
            ),
            point=evidence.point,
            comma=evidence.comma,
        )
    raise asking(
        N_(
            "{where}: the column «{heading}» ({letter}) can be read in two ways: "
            "«{example}» is {as_point} or {as_comma}."
        ),
        repair=N_(
            'Say which with --decimal point or --decimal comma, or in the settings:\n[source]\ndecimal = "point"'
        ),
        example=evidence.either,
        as_point=f"{read_number(evidence.either, 'point'):f}",
        as_comma=f"{read_number(evidence.either, 'comma'):f}".replace(".", ","),
    )


def _order(column: Column, texts: Sequence[str], wanted: str, asking: Callable[..., CannotStart]) -> Order:
    """Return the order that the settings say, or else the dates themselves; raise a question where none do."""
    if wanted:
        return wanted  # type: ignore[return-value]
    _refuse_swapped_dates(column, texts, asking)
    evidence = find_order(texts)
    if evidence.order is not None:
        return evidence.order
    if not evidence.orders:
        raise asking(
            N_("{where}: the dates of the column «{heading}» ({letter}) are not all in the same order: {examples}."),
            repair=N_(
                "Correct the column, or say which order is right with --dates dmy, mdy or ymd: "
                "the others will be held back."
            ),
            examples=", ".join(f"«{text}»" for text in evidence.examples),
        )
    example = evidence.examples[0]
    raise asking(
        N_("{where}: the dates of the column «{heading}» ({letter}) can be read in two ways: «{example}» is {dates}."),
        repair=N_('Say which with --dates dmy, mdy or ymd, or in the settings:\n[source]\ndates = "dmy"'),
        example=example,
        dates=" / ".join(f"{readings(example)[order].isoformat()} ({order})" for order in evidence.orders),
    )


def _refuse_swapped_dates(column: Column, texts: Sequence[str], asking: Callable[..., CannotStart]) -> None:
    """Raise a question where Excel turned day/month into month/day where it could and left the rest as text.

    No date can be trusted then. It shows in that no stored date has a day after the 12th, and no text one before.
    """
    stored = [column.texts[code] for code in column.used_codes() if column.kind(code) is CellKind.DATE]
    if not stored or any(int(text[8:10]) > 12 for text in stored if text[4:5] == "-"):
        return
    only_late = [text for text in texts if len(readings(text)) == 1]
    if not only_late or len(only_late) != sum(1 for text in texts if readings(text)):
        return
    raise asking(
        N_(
            "{where}: the column «{heading}» ({letter}) mixes stored dates («{stored}») with dates as text («{text}»), "
            "as when Excel opens a CSV of another country and swaps day and month."
        ),
        repair=N_(
            "Import the original file again with the date column as text; "
            "or say the order of the texts with --dates, if the stored dates are right."
        ),
        stored=stored[0],
        text=only_late[0],
    )


def column_mark(column: Column, decimal: str) -> Mark | None:
    """Return the decimal mark of a column without a field: the settings' own, or what its texts leave no doubt of."""
    if decimal:
        return "comma" if decimal == "comma" else "point"
    texts = (clean(text) for code, text in enumerate(column.texts) if column.kind(code) is CellKind.TEXT)
    return find_mark(texts).mark


def number_in(column: Column, code: int, mark: Mark | None) -> Decimal | None:
    """Return the number in a cell of a column without a field; `mark` is what `column_mark` says of the column."""
    if column.kind(code) is CellKind.NUMBER:
        return read_number(column.texts[code], "point")
    return read_number(clean(column.texts[code]), mark) if column.kind(code) is CellKind.TEXT and mark else None
