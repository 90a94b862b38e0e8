"""Numbers of sales that begin anew each day, in each branch or at each till, and the template that tells them apart.

A number that stands for two sales makes one document of both, or takes the second for one that was issued before. The
sheet's own date, branch or till, in the reference, keeps them apart.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Place, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import SourceFile
from batch_issuer.reading.sheets.external_refs import Refs
from batch_issuer.reading.tables import Codes, Flags

if TYPE_CHECKING:
    from batch_issuer.reading.sheets.fields import SheetSales

TELLING = ("branch", "till", "date")
"""What tells sales of the same number apart, in the order in which a template has it."""
_NAMES: Mapping[str, str] = {"branch": "Sucursal", "till": "Caja", "date": "Fecha"}
"""A heading to add where the sheet has none."""
_DENSE = 1.2
"""Numbers from 1 on of which hardly one is missing were counted by somebody who may begin anew."""
_LONGEST = 9
"""Digits: more are no number that somebody counts."""


def propose_template(source: SourceFile, differs: Sequence[str]) -> str:
    """Return the line of settings that puts the fields which differ into the reference, by the sheet's own headings.

    `differs` are fields of `TELLING`. Empty where the sheet has none of them, or the reference is not one column.
    """
    named = {one.field: one for one in source.mapping}
    numbers = [one for one in source.mapping if one.field == "external_ref"]
    parts = [named[name] for name in TELLING if name in differs and name in named]
    if source.template or len(numbers) != 1 or not parts:
        return ""
    times = Counter(text.casefold() for text in (*source.ignored, *(one.heading for one in source.mapping)))
    names = [
        f"{one.heading} ({one.column})" if times[one.heading.casefold()] > 1 else one.heading
        for one in (*parts, *numbers)
    ]
    if re.search("[{}]", "".join(names)):  # a template has no way to say a brace
        return ""
    return template_line("-".join(f"{{{name}}}" for name in names))


def template_line(template: str) -> str:
    """Return the line of settings that makes references of a template."""
    return f"external_ref = {json.dumps(template, ensure_ascii=False)}"


def notes_on_numbers(
    sheets: Sequence[SheetSales], documents: Sequence[Codes], disagree: Mapping[str, Flags]
) -> Iterator[Problem]:
    """Return what is told of each sheet's numbers, with the line of settings that makes them references.

    `documents` are those of each sheet, `disagree` those held back, by field.
    """
    for sheet, of_sheet in zip(sheets, documents, strict=True):
        held = {name: flags[of_sheet] for name, flags in disagree.items() if flags[of_sheet].any()}
        count = int(np.logical_or.reduce(list(held.values())).sum()) if held else 0
        kind, line, parameters = kinds.NUMBERS_RESTART_IN_FILE, "", {}
        if count > 1:
            line = propose_template(sheet.source, list(held))
            heading_of = {one.field: f"«{one.heading}»" for one in sheet.source.mapping}
            headings = ", ".join(heading_of[name] for name in TELLING if name in held and name in heading_of)
            parameters = {"count": f"{count:,}", "headings": headings}
        elif last := _counted_to(sheet):  # said before it happens: tomorrow's 1 would be taken for today's
            line = propose_template(sheet.source, _told_by(sheet))
            kind, parameters = kinds.NUMBERS_MAY_RESTART, {"last": str(last)}
        if line:
            place = Place(file=sheet.source.path, sheet=sheet.source.sheet)
            yield Problem(kind=kind, place=place, parameters={**parameters, "line": line})


def _told_by(sheet: SheetSales) -> list[str]:
    """Return what may tell numbers apart: branch and till where the sheet has more than one, and the date.

    Of a sheet that has neither dates nor two of one of the others, whatever it has.
    """
    telling = [field for field in sheet.fields if field.name in TELLING]
    said = {one.name: {one.values[code] for code in one.column.used_codes()} - {None, ""} for one in telling}
    several = [name for name, values in said.items() if (name == "date" and values) or len(values) > 1]
    return several or [name for name, values in said.items() if values]


def _counted_to(sheet: SheetSales) -> int:
    """Return the last of numbers that are counted from 1 in the order of the rows; 0 where they are not."""
    numbers = sheet.numbers
    last = max(numbers.values(), default=0)
    # A template tells the days apart already, and of one sale nothing can be said.
    if sheet.source.template or len(numbers) < 2 or min(numbers.values()) > 1 or last > _DENSE * len(numbers):
        return 0
    first_rows = sheet.refs.first_rows().tolist()
    in_order = sorted(numbers, key=first_rows.__getitem__)
    return last if all(numbers[one] < numbers[next_] for one, next_ in pairwise(in_order)) else 0


def are_counted(numbers: Collection[int]) -> bool:
    """Whether these may be numbers that were counted from 1, and begin anew somewhere: hardly one is missing.

    The first may be: a sale that was taken out, or has a mistake.
    """
    return 0 < max(numbers, default=0) <= _DENSE * len(numbers) + 1


def counted_numbers(refs: Refs) -> Mapping[int, int]:
    """Return the number of each reference that stands in some row, by code.

    Empty where one is no plain whole number, or where they may not have been counted from 1.
    """
    texts = {code: text for code in refs.used_codes() if (text := refs.texts[code])}
    if not all(text.isascii() and text.isdigit() and len(text) <= _LONGEST for text in texts.values()):
        return {}
    numbers = {code: int(text) for code, text in texts.items()}
    return numbers if min(numbers.values(), default=0) == 1 or are_counted(numbers.values()) else {}


def restart_of(refs: Refs, numbers: Mapping[int, int]) -> int:
    """Return the place among the rows at which numbers that were counted from 1 begin at 1 again, and so to the end.

    So do the days of a week in one sheet. 0 where the numbers do not.
    """
    if not numbers:
        return 0
    number_of = np.zeros(len(refs.texts), np.int64)
    number_of[[*numbers]] = [*numbers.values()]
    rows = np.flatnonzero(number_of[refs.codes])
    counted = number_of[refs.codes[rows]]
    begins = np.flatnonzero(np.diff(counted) < 0) + 1
    if not len(begins):
        return 0
    for run in np.split(counted, begins):
        different = int((np.diff(run) > 0).sum()) + 1
        if run[0] != 1 or different == 1 or run[-1] > _DENSE * different:
            return 0
    return int(rows[begins[0]])


def questions_about_numbers(
    sheets: Sequence[SheetSales],
    documents: Sequence[Codes],
    refs: Sequence[str],
    told_apart: Flags,
    tills_differ: Flags,
) -> Iterator[CannotStart]:
    """Ask about the first sheet, and the first two, that count their sales from 1 and do not tell two of them apart.

    What answers for these answers for all others. `documents` are those of each sheet, `told_apart` those held back
    because date, branch or till differ, and `tills_differ` those with two values in a column that may be a till.
    """
    for sheet in sheets:
        if question := _about_one(sheet, refs, told_apart):
            yield question
            break
    counting = [
        (sheet, frozenset(of_sheet.tolist()))
        for sheet, of_sheet in zip(sheets, documents, strict=True)
        if sheet.numbers
    ]
    for (first, ours), (second, theirs) in combinations(counting, 2):
        shared = sorted(number for number in ours & theirs if not told_apart[number])
        # Few in common are a sale that goes on in the other file; two counts from 1 have the shorter one in common.
        if shared and 2 * len(shared) >= min(len(ours), len(theirs)):
            by_till = propose_template(second.source, ["till"]) if tills_differ[shared].any() else ""
            yield _about_two(first, second, [refs[number] for number in shared], by_till)
            break


def _about_one(sheet: SheetSales, refs: Sequence[str], told_apart: Flags) -> CannotStart | None:
    """Return a question about a sheet whose numbers begin anew, if a document has rows on both sides of that row."""
    if sheet.restart is None:
        return None
    below = int(np.searchsorted(sheet.rows.sales, sheet.restart))
    number_of = {reference: number for number, reference in enumerate(refs)}
    both = np.intersect1d(sheet.refs.codes[:below], sheet.refs.codes[below:]).tolist()
    if all(told_apart[number_of[text]] for code in both if (text := sheet.refs.texts[code])):
        return None
    return CannotStart(
        N_(
            "{where}: the numbers of the sales are counted from 1, and in row {row} they begin at 1 again: nothing "
            "says whether the same number is one sale or two. As one, the lines of both would be issued together."
        ),
        repair=N_(
            "If they are different sales, each needs a reference of its own: add a column that tells them apart (day, "
            "branch, till) and say in the settings that the reference is made of both:\n[source]\n{line}\n"
            "If a sale goes on further down, say it with --alike same."
        ),
        where=sheet.sheet.title,
        row=sheet.restart + 1,
        line=_line_with_another(sheet),
    )


def _about_two(first: SheetSales, second: SheetSales, shared: Sequence[str], line: str) -> CannotStart:
    return CannotStart(
        N_(
            "{where} and {other} both number their sales from 1, and {count} numbers stand in both, for example "
            "«{reference}»: nothing says whether that is one sale or two. As one, the lines of both files would be "
            "issued together."
        ),
        repair=N_(
            "If they are different sales, each needs a reference of its own: add a column that tells the files apart "
            "(day, branch, till) to both, and say in the settings that the reference is made of both:\n[source]\n"
            "{line}\nIf both files hold the same sales, name only one of them. If a sale goes on in the other file, "
            "say it with --alike same."
        ),
        where=first.sheet.title,
        other=second.sheet.title,
        count=f"{len(shared):,}",
        reference=shared[0],
        line=line or _line_with_another(second),
    )


def line_with_another(named: Collection[str], made_of: str, telling: Sequence[str] = TELLING) -> str:
    """Return the line of settings with a column that has to be added, before what references are made of now.

    It is the first of `telling` that the sheet has not, of whose fields `named` are those with a column.
    """
    added = next((_NAMES[name] for name in telling if name not in named), "Serie")
    return template_line(f"{{{added}}}-{made_of}")


def _line_with_another(sheet: SheetSales) -> str:
    number = sheet.header.headings[sheet.header.ref_columns[0]]
    return line_with_another({field.name for field in sheet.fields}, sheet.source.template or f"{{{number}}}")
