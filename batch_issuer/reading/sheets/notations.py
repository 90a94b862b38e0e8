"""How each column writes its numbers and dates, decided from all its values; where two ways are possible it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, raise_together
from batch_issuer.reading.cells.dates import Order, OrderEvidence, find_order, readings
from batch_issuer.reading.cells.numbers import Mark, MarkEvidence, find_mark, read_number
from batch_issuer.reading.cells.values import DATE_FIELDS, NUMBER_FIELDS, Notation, clean
from batch_issuer.reading.headings.columns import Header
from batch_issuer.reading.tables import CellKind, Column, Sheet, letter_of
from batch_issuer.settings import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Notations:
    """By field; and what was decided from texts, for the plan."""

    of: Mapping[str, Notation]
    marks: frozenset[str]
    orders: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Headed:
    """A sheet with its headings, for the questions."""

    sheet: Sheet
    header: Header


def find_notations(sheet: Sheet, header: Header, taken: Mapping[str, Column], source: Source) -> Notations:
    """The notation of every mapped column, from the texts of the sales rows.

    Raises `CannotStart` for the columns that can be read in two ways, unless the settings say which.
    """
    headed = _Headed(sheet, header)
    notations: dict[str, Notation] = dict.fromkeys(taken, Notation())
    marks, orders = set[str](), set[str]()
    questions: list[CannotStart] = []
    for name in (name for name in (*NUMBER_FIELDS, *DATE_FIELDS) if name in taken):
        try:
            if name in NUMBER_FIELDS:
                mark, is_said = _number_notation(headed, name, taken[name], source)
                notations[name] = Notation(mark=mark)
                marks |= {mark} if is_said else set()
            else:
                order, is_said = _date_notation(headed, name, taken[name], source)
                notations[name] = Notation(order=order)
                orders |= {order} if is_said else set()
        except CannotStart as question:
            questions.append(question)
    raise_together(questions)
    return Notations(of=notations, marks=frozenset(marks), orders=frozenset(orders))


def _number_notation(headed: _Headed, name: str, column: Column, source: Source) -> tuple[Mark, bool]:
    """The decimal mark of a column, and whether its values say it."""
    evidence = find_mark(text.removesuffix("%").rstrip() for text in _typed_texts(column))
    return _mark(headed, name, evidence, source), bool(evidence.point or evidence.comma or evidence.either)


def _date_notation(headed: _Headed, name: str, column: Column, source: Source) -> tuple[Order, bool]:
    """The order of a column's dates, and whether it has any as text."""
    texts = _typed_texts(column)
    if source.dates:
        return source.dates, bool(texts)  # type: ignore[return-value]
    _refuse_swapped_dates(headed, name, column, texts)
    return _order(headed, name, find_order(texts)), bool(texts)


def _mark(headed: _Headed, name: str, evidence: MarkEvidence, source: Source) -> Mark:
    if source.decimal:
        return "comma" if source.decimal == "comma" else "point"
    if evidence.mark is not None:
        return evidence.mark
    number = headed.header.columns[name]
    if evidence.point and evidence.comma:
        raise CannotStart(
            N_(
                "{where}: the column «{heading}» ({letter}) has numbers with a decimal point («{point}») "
                "and with a decimal comma («{comma}»)."
            ),
            repair=N_(
                "Correct the column, or say which is right with --decimal point or --decimal comma: "
                "the others will be held back."
            ),
            where=headed.sheet.title,
            heading=headed.header.headings[number],
            letter=letter_of(number),
            point=evidence.point,
            comma=evidence.comma,
        )
    raise CannotStart(
        N_(
            "{where}: the column «{heading}» ({letter}) can be read in two ways: "
            "«{example}» is {as_point} or {as_comma}."
        ),
        repair=N_(
            'Say which with --decimal point or --decimal comma, or in the settings:\n[source]\ndecimal = "point"'
        ),
        where=headed.sheet.title,
        heading=headed.header.headings[number],
        letter=letter_of(number),
        example=evidence.either,
        as_point=_shown(read_number(evidence.either, "point"), "point"),
        as_comma=_shown(read_number(evidence.either, "comma"), "comma"),
    )


def _shown(number: Decimal | None, mark: Mark) -> str:
    text = f"{number:f}"
    return text if mark == "point" else text.replace(".", ",")


def _order(headed: _Headed, name: str, evidence: OrderEvidence) -> Order:
    if evidence.order is not None:
        return evidence.order
    number = headed.header.columns[name]
    heading, letter = headed.header.headings[number], letter_of(number)
    if not evidence.orders:
        raise CannotStart(
            N_("{where}: the dates of the column «{heading}» ({letter}) are not all in the same order: {examples}."),
            repair=N_(
                "Correct the column, or say which order is right with --dates dmy, mdy or ymd: "
                "the others will be held back."
            ),
            where=headed.sheet.title,
            heading=heading,
            letter=letter,
            examples=", ".join(f"«{text}»" for text in evidence.examples),
        )
    example = evidence.examples[0]
    raise CannotStart(
        N_("{where}: the dates of the column «{heading}» ({letter}) can be read in two ways: «{example}» is {dates}."),
        repair=N_('Say which with --dates dmy, mdy or ymd, or in the settings:\n[source]\ndates = "dmy"'),
        where=headed.sheet.title,
        heading=heading,
        letter=letter,
        example=example,
        dates=" / ".join(f"{readings(example)[order].isoformat()} ({order})" for order in evidence.orders),
    )


def _refuse_swapped_dates(headed: _Headed, name: str, column: Column, texts: Sequence[str]) -> None:
    """Excel turns day/month into month/day where it can and leaves the rest as text: then no date can be trusted."""
    stored = [column.texts[code] for code in column.used_codes() if column.kind(code) is CellKind.DATE]
    if not stored or any(int(text[8:10]) > 12 for text in stored if text[4:5] == "-"):
        return
    only_late = [text for text in texts if len(readings(text)) == 1]
    if not only_late or len(only_late) != sum(1 for text in texts if readings(text)):
        return
    number = headed.header.columns[name]
    raise CannotStart(
        N_(
            "{where}: the column «{heading}» ({letter}) mixes stored dates («{stored}») with dates as text («{text}»), "
            "as when Excel opens a CSV of another country and swaps day and month."
        ),
        repair=N_(
            "Import the original file again with the date column as text; "
            "or say the order of the texts with --dates, if the stored dates are right."
        ),
        where=headed.sheet.title,
        heading=headed.header.headings[number],
        letter=letter_of(number),
        stored=stored[0],
        text=only_late[0],
    )


def column_mark(column: Column, decimal: str) -> Mark | None:
    """The decimal mark of a column without a field: that of the settings, or what its texts leave no doubt about."""
    if decimal:
        return "comma" if decimal == "comma" else "point"
    texts = (clean(text) for code, text in enumerate(column.texts) if column.kind(code) is CellKind.TEXT)
    return find_mark(texts).mark


def number_in(column: Column, code: int, mark: Mark | None) -> Decimal | None:
    """The number in a cell of a column without a field, or None; `mark` is what `column_mark` says of the column."""
    if column.kind(code) is CellKind.NUMBER:
        return read_number(column.texts[code], "point")
    return read_number(clean(column.texts[code]), mark) if column.kind(code) is CellKind.TEXT and mark else None


def _typed_texts(column: Column) -> list[str]:
    """The distinct texts of a column that somebody typed as text, as `read_values` will see them."""
    return [
        text
        for code in column.used_codes()
        if column.kind(code) is CellKind.TEXT and (text := clean(column.texts[code]))
    ]
