"""Which column is which: the header row, the aliases, and what the settings say. Two candidates are asked about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Place
from batch_issuer.reading.cells.letters import folded, letters_of, tidy
from batch_issuer.reading.headings.aliases import FIELD_OF, VAT_OF_TYPES, WITH_VAT, WITHOUT_VAT, key_of
from batch_issuer.reading.headings.questions import (
    HEADER_WITHIN,
    LINE_REQUIRED,
    missing_columns,
    no_header,
    other_table,
    two_headings,
    unknown_heading,
)
from batch_issuer.reading.tables import Sheet, is_blank, letter_of
from batch_issuer.settings import FIELDS, Settings

REQUIRED = LINE_REQUIRED

_OUR_NAMES = frozenset(FIELDS)
_SEVERAL = 3

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WITH_LETTER = re.compile(r"(.+?)\s*\(([A-Z]{1,3})\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The headings of a sheet and the column of each of our fields."""

    row: int
    """Table row of the headings, from 0."""
    headings: tuple[str, ...]
    columns: Mapping[str, int]
    ref_columns: tuple[int, ...]
    """The columns that the reference is made of."""
    doubts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Fields with several candidates, and these."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that every sale needs and no column could be."""
        named = {*self.columns, *self.doubts, *(("external_ref",) if self.ref_columns else ())}
        return tuple(name for name in ("external_ref", *REQUIRED) if name not in named)

    @property
    def ignored_columns(self) -> tuple[int, ...]:
        """The columns that have a heading and are no field."""
        used = {*self.columns.values(), *self.ref_columns}
        return tuple(number for number, text in enumerate(self.headings) if text and number not in used)

    @property
    def ignored(self) -> tuple[str, ...]:
        """The headings of those columns."""
        return tuple(self.headings[number] for number in self.ignored_columns)


class Columns:
    """The mapping that the settings ask for, to be found in each sheet."""

    def __init__(self, settings: Settings) -> None:
        self.template = settings.source.external_ref
        self.literals, self.placeholders = template_parts(self.template)
        # The template makes the reference: a column that would be it by its heading is not, unless the template asks.
        self._ref_is_made = bool(self.template) and "external_ref" not in self.placeholders
        self.passed = {letters_of(heading) for heading in settings.source.ignore}
        self.asked = {
            name: heading
            for name, heading in settings.columns.items()
            if not (self._ref_is_made and name == "external_ref")
        }
        self._known = FIELD_OF.keys() | {key_of(asked) for asked in self.asked.values() if asked}

    def count(self, cells: Sequence[str]) -> int:
        """Return how many different fields the cells of a row name."""
        keys = {key_of(cell) for cell in cells if not is_blank(cell)}
        asked = {name for name, heading in self.asked.items() if heading and key_of(heading) in keys}
        asked |= {f"{{{name}}}" for name in self.placeholders if key_of(name) in keys}
        return len(asked | {FIELD_OF[key] for key in keys if key in FIELD_OF and FIELD_OF[key] not in self.asked})

    def header(self, sheet: Sheet) -> Header | None:
        """Return the row of the first thirty that names most fields, or None where no row names one.

        Headings of two rows are read together: a heading that is merged with the cell below it stands in the upper
        one, and «Precio» over «Unitario» and «Total» belongs to both.
        """
        best, best_count, headings = None, 0, [""]
        above = [""] * len(sheet.table.columns)
        # Of rows that name equally many, the first: a header that is printed again further down is no better one.
        for row in range(min(HEADER_WITHIN, sheet.table.rows)):
            cells = list(map(tidy, sheet.table.cells(row)))
            count = self.count(both := self._together(above, cells))
            if count > best_count:
                best, best_count, headings = row, count, both
            above = cells
        return None if best is None else self._matched(best, headings)

    def _together(self, above: Sequence[str], cells: Sequence[str]) -> list[str]:
        """Return the headings of a row read with the one above it; equal ones under different groups name theirs."""
        # A group stands over its first column only: the others under it are empty, or merged with it.
        groups = list(accumulate(above, lambda left, text: text or left, initial=""))[1:]
        groups_over = Counter(cell for cell, _ in set(zip(cells, groups, strict=True)))
        is_grouped = sum(map(bool, above)) > 1  # a single text above is the title of the whole
        found = []
        for upper, group, cell in zip(above, groups, cells, strict=True):
            may_join = is_grouped and cell and group and len(cell + group) < 100
            joined = (f"{group} {cell}", f"{cell} {group}") if may_join else ()
            alone = joined[0] if joined and groups_over[cell] > 1 else cell or upper
            found.append(next((text for text in joined if key_of(text) in self._known), alone))
        return found

    def _matched(self, row: int, headings: Sequence[str]) -> Header:
        """Return the row's headings with their fields: first those that the settings ask for, then those understood."""
        found = {name: _find(heading, headings) for name, heading in self.asked.items() if heading}
        taken = {numbers[0] for numbers in found.values() if len(numbers) == 1}
        ours = speaks_our_names(headings)
        for number, heading in enumerate(headings):
            name = "name" if ours and heading == "name" else FIELD_OF.get(key_of(heading), "")
            if name and not (name in self.asked or number in taken or letters_of(heading) in self.passed):
                found[name] = (*found.get(name, ()), number)
        if self._ref_is_made:
            found.pop("external_ref", None)
        for name in ("branch", "till"):
            if name not in self.asked and len(found.get(name, ())) > 1:
                del found[name]  # neither is sent: where two columns could be it, none is
        columns = {name: numbers[0] for name, numbers in found.items() if len(numbers) == 1}
        return Header(
            row=row,
            headings=tuple(headings),
            columns=columns,
            ref_columns=self._ref_columns(headings, columns),
            doubts={name: numbers for name, numbers in found.items() if len(numbers) > 1},
        )

    def _ref_columns(self, headings: Sequence[str], columns: Mapping[str, int]) -> tuple[int, ...]:
        """Return the template's columns, each by its heading or by our field; none where one of them is missing."""
        if not self.template:
            return (columns["external_ref"],) if "external_ref" in columns else ()
        by_heading = {name: found[0] for name in self.placeholders if len(found := _find(name, headings)) == 1}
        found_at = [by_heading.get(name, columns.get(name)) for name in self.placeholders]
        numbers = tuple(number for number in found_at if number is not None)
        return numbers if len(numbers) == len(found_at) else ()

    def confirmed(self, sheet: Sheet, header: Header | None) -> Header:
        """Return the header when nothing about it is missing or in doubt.

        Raises `CannotStart` that names the headings and the line of the settings that decides.
        """
        where = sheet.title
        if header is None:
            raise no_header(where, sheet, self.count)
        self._refuse_unknown_headings(sheet, header)
        # A table above the chosen headings has fewer columns, and sales that would be lost.
        for row in range(header.row - 1):
            cells = list(map(tidy, sheet.table.cells(row)))
            if self.count(cells) > len(REQUIRED) and not self._matched(row, cells).missing:
                raise other_table(where, row, header.row, header.headings)
        for name, numbers in header.doubts.items():
            raise two_headings(where, name, numbers, header.headings, sheet)
        if header.missing:
            raise missing_columns(
                where, sheet, header.row, header.headings, header.ignored_columns, header.missing, self.count
            )
        return header

    def _refuse_unknown_headings(self, sheet: Sheet, header: Header) -> None:
        """Raise `CannotStart` where the settings name a heading that the sheet has not, or has twice in a template."""
        where = sheet.title
        for name, heading in self.asked.items():
            if heading and not _find(heading, header.headings):
                raise unknown_heading(where, f'[columns] {name} = "{heading}"', heading, header.headings)
        for name in self.placeholders:
            if not _find(name, header.headings) and name not in header.columns:
                raise unknown_heading(where, f'external_ref = "{self.template}"', name, header.headings)
            # Settings that make one number of two columns must not pick one of two by themselves.
            if len(found := _find(name, header.headings)) > 1:
                raise two_headings(where, "external_ref", found, header.headings, sheet)


def place_of(sheet: Sheet, header: Header, row: int | None = None, column: int | None = None) -> Place:
    """Return the place of a cell in a sheet; row and column are counted from 0."""
    return Place(
        file=sheet.path,
        sheet=sheet.name,
        row=None if row is None else row + 1,
        column="" if column is None else letter_of(column),
        heading=header.headings[column] if column is not None and column < len(header.headings) else "",
    )


def template_parts(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the texts between and the names inside the braces: of `"{a}-{b}"`, `("", "-", "")` and `("a", "b")`.

    Raises `CannotStart` for braces that do not close, or that hold nothing.
    """
    if not template:
        return (), ()
    pieces = _PLACEHOLDER.split(template)
    literals, names = tuple(pieces[::2]), tuple(name.strip() for name in pieces[1::2])
    if not names or not all(names) or any("{" in text or "}" in text for text in literals):
        raise CannotStart(
            N_("external_ref = «{template}» is not a template."),
            repair=N_('Write headings in braces, for example external_ref = "{{Sucursal}}-{{Número}}".'),
            template=template,
        )
    return literals, names


def vat_said(heading: str, kind: str = "") -> str:
    """Return `with_vat` or `without_vat` where a price heading says so, of all prices or a type's; else empty."""
    text = heading.casefold().replace("i.v.a.", "iva").replace("á", "a")
    if by_type := VAT_OF_TYPES.findall(text):
        return next((_basis(words) for kinds, words in by_type if kind and kind in kinds), "")
    return _basis(text)


def _basis(text: str) -> str:
    if WITHOUT_VAT.search(text):
        return "without_vat"
    return "with_vat" if WITH_VAT.search(text) else ""


def speaks_our_names(headings: Sequence[str]) -> bool:
    """Whether several headings are our fields' own names, letter by letter: then `name` is a customer's."""
    return sum(heading in _OUR_NAMES for heading in headings) >= _SEVERAL


def _find(wanted: str, headings: Sequence[str]) -> tuple[int, ...]:
    """Return the columns with this heading: as written, else by letters and digits, else without parentheses too.

    Of columns with the same heading, `Precio (E)` is the one in column E.
    """
    for same in (folded, letters_of, key_of):
        key = same(wanted)
        if key and (found := tuple(number for number, text in enumerate(headings) if text and same(text) == key)):
            return found if len(found) == 1 else _lettered(wanted, headings) or found
    return _lettered(wanted, headings)


def _lettered(wanted: str, headings: Sequence[str]) -> tuple[int, ...]:
    parts = _WITH_LETTER.fullmatch(wanted.strip())
    if parts is None:
        return ()
    return tuple(
        number
        for number, text in enumerate(headings)
        if letter_of(number) == parts[2] and text and folded(text) == folded(parts[1])
    )
