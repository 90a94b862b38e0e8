"""What is asked about columns, in the file's own words: what was looked for, what was found, which line decides.

A table that is no list of sales (a cross table, a bank statement, a list of customers) is told what is wanted instead.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import dropwhile, islice

from batch_issuer.messages import N_, Terms
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.fields import TABLE, Owner
from batch_issuer.model.problems import CannotStart
from batch_issuer.reading.cells.dates import readings
from batch_issuer.reading.cells.garbling import Undone, undone
from batch_issuer.reading.cells.letters import folded, letters_of, tidy
from batch_issuer.reading.cells.numbers import figure_of
from batch_issuer.reading.headings.aliases import FIELD_OF, LINE_TOTAL_KEYS, key_of
from batch_issuer.reading.tables import Sheet, is_blank, letter_of

HEADER_WITHIN = 30
"""Rows among which the headings are looked for."""
LINE_REQUIRED = tuple(field.key for field in TABLE if field.owner is Owner.LINE and field.required == DOC_TYPES)
LONG_ENOUGH = 40
"""Headings that are shown; a table with more is named by its first."""

_NEEDED = {
    "external_ref": N_("external_ref"),
    "description": N_("description"),
    "quantity": N_("quantity"),
    "unit_price": N_("unit_price"),
}
"""The fields that every sale needs; Spanish says in words what they are."""
_WORDS: Mapping[str, tuple[str, ...]] = {
    "external_ref": (
        "factura", "invoice", "orden", "order", "pedido", "ticket", "recibo", "receipt", "folio", "venta", "sale",
        "transaccion", "transaction", "comprobante", "referencia", "reference", "numero", "number", "num", "no", "id",
        "serie", "dte", "name", "bill", "fac", "doc",
    ),
    "description": (
        "descripcion", "description", "producto", "product", "articulo", "item", "concepto", "servicio", "service",
        "detalle", "memo", "titulo", "title", "nombre", "name", "desc", "mercaderia",
    ),
    "quantity": (
        "cantidad", "quantity", "cant", "qty", "unidades", "units", "piezas", "vendidas", "vendido", "sold", "ctdad",
        "count",
    ),
    "unit_price": (
        "precio", "price", "unitario", "unit", "pvp", "tarifa", "rate", "pre", "cost",
    ),
}  # fmt: skip
"""Words that make a heading worth proposing; the earlier, the likelier."""
_OTHERWISE = frozenset(
    {"tipo", "type", "fecha", "date", "hora", "time", "estado", "status", "total", "email", "correo", "zone", "costo",
     "goods"}
)  # fmt: skip
"""Words that no reference, description, quantity or price has in its heading."""
_CALENDAR = re.compile(
    r"ene(ro)?|jan(uary)?|feb(rero|ruary)?|mar(zo|ch)?|abr(il)?|apr(il)?|may(o)?|jun(io|e)?|jul(io|y)?|ago(sto)?"
    r"|aug(ust)?|sept?|septiembre|setiembre|september|oct(ubre|ober)?|nov(iembre|ember)?|dic(iembre)?|dec(ember)?"
    r"|lun(es)?|martes|mie(rcoles)?|jue(ves)?|vie(rnes)?|sab(ado)?|dom(ingo)?|[a-z]{3,6}day|mon|tue|wed|thu|fri|sat|sun"
)
_PERIOD = re.compile(r"(?:19|20)[0-9]{2}|(?:semana|week|sem|dia|day|mes|month|q|t|trimestre|quarter)[0-9]{1,2}")
_DAY_NUMBERS = 5
"""So many bare numbers among the headings are days of a month."""
_MARKS_OF_MONEY = re.compile(r"^[^\d(+-]{1,4}|[^\d)]{1,4}$")
_CELLS_SEEN = 50


def no_header(where: str, sheet: Sheet, recognise: Callable[[Sequence[str]], int]) -> CannotStart:
    """Say that no row names even one of our fields, and what the sheet may be instead."""
    first = next((cells for row in range(min(HEADER_WITHIN, sheet.table.rows))
                  if any(map(tidy, cells := sheet.table.cells(row)))), [])  # fmt: skip
    if (found := _undone_headings(first, recognise)) is not None:
        return _garbled(where, *found)
    if _is_across(first):
        return _across(where, 1, first)
    if sheet.encoding and len(first) == 1 and recognise(re.split(r"[;,|\t]| {2,}", first[0])) > 1:
        return CannotStart(
            N_("{where}: every row is one single cell, for example «{row}»."),
            repair=N_(
                "Its columns are cut by nothing that can be told apart, or each row stands in quotation marks as a "
                "whole. Export it again as CSV with commas or semicolons, or as an Excel workbook (.xlsx)."
            ),
            where=where,
            row=tidy(first[0])[:80],
        )
    return CannotStart(
        N_("{where}: no headings were recognised in the first {rows} rows. The first row with content is: {headings}."),
        repair=N_(
            "What is read is a list of sales: one row of headings, and below it one row for each line sold, with its "
            "reference, description, quantity and unit price. If that is here under other names, say which is which "
            'under [columns] in the settings, for example external_ref = "their heading".'
        ),
        where=where,
        rows=HEADER_WITHIN,
        headings=listed(first),
    )


def missing_columns(
    where: str,
    sheet: Sheet,
    row: int,
    headings: Sequence[str],
    ignored: Sequence[int],
    missing: Sequence[str],
    recognise: Callable[[Sequence[str]], int],
) -> CannotStart:
    """Say which fields that every sale needs have no column; `ignored` are the columns that may be one of them."""
    if (found := _undone_headings(headings, recognise)) is not None:
        return _garbled(where, *found)
    if len(missing) > 1 and _is_across([headings[number] for number in ignored]):
        return _across(where, row + 1, headings)
    near = _proposals(sheet, row, headings, ignored, missing)
    amounts = [headings[number] for number in ignored if key_of(headings[number]) in LINE_TOTAL_KEYS]
    lines = []
    for name in missing:
        # The value of a line of settings to copy, with what else it could be as a comment.
        first, *others = (f'"{heading}"' for heading in near.get(name, ("…",)))
        lines.append(f"{name} = {first}" + (f"   # {' / '.join(others)} ?" if others else ""))
    return CannotStart(
        N_("{where}: no column was recognised for {missing}. The headings (row {row}) are: {headings}."),
        repair=_what_to_do(missing, near, has_amount=bool(amounts)),
        where=where,
        missing=Terms(tuple(_NEEDED[name] for name in missing)),
        row=row + 1,
        headings=listed(headings),
        lines="\n".join(lines),
        example=near.get("external_ref", ("…",))[0],
        amounts=listed(amounts),
    )


def _what_to_do(missing: Sequence[str], near: Mapping[str, Sequence[str]], *, has_amount: bool) -> str:
    """Return the repair that fits what is missing and what could stand for it."""
    if tuple(missing) == ("external_ref",):
        return _NAME_THE_REF if near else _ADD_A_REF
    if len(missing) > 1 and not near:
        return N_(
            "This does not look like a list of sales. One has a row for each line sold, with the reference of its "
            "sale, a description, a quantity and a unit price. Export the detail of the sales; or, if the columns "
            "are here under other names, say which is which under [columns] in the settings."
        )
    if "unit_price" in missing and "unit_price" not in near and has_amount:
        return N_(
            "{amounts} is the amount of whole lines, and what is sent is the price of one unit: nothing is computed "
            "that the file does not say. Add the unit price to the export, or say in the settings which heading "
            "it is:\n[columns]\n{lines}"
        )
    return N_("Say in the settings which heading it is:\n[columns]\n{lines}")


_NAME_THE_REF = N_(
    "Say in the settings which column identifies the sale, or make the reference of several:\n"
    '[columns]\nexternal_ref = "{example}"\nor\n[source]\nexternal_ref = "{{Sucursal}}-{{Número}}"'
)
_ADD_A_REF = N_(
    "No column tells one sale from the next, so the rows cannot be joined into documents, nor a sale be recognised "
    "when the file comes again. Add the number of the ticket or invoice to the export; or make the reference of "
    'several columns in the settings:\n[source]\nexternal_ref = "{{Sucursal}}-{{Número}}"'
)


def two_headings(where: str, name: str, numbers: Sequence[int], headings: Sequence[str], sheet: Sheet) -> CannotStart:
    """Ask which of several columns is a field, and show each with a value."""
    same = len({folded(headings[number]) for number in numbers}) == 1
    named = [f"«{headings[number]}» ({letter_of(number)}){_sample(sheet, number, headings)}" for number in numbers]
    first = f"{headings[numbers[0]]} ({letter_of(numbers[0])})" if same else headings[numbers[0]]
    return CannotStart(
        N_("{where}: several columns could be {name}: {headings}."),
        repair=(
            N_(
                "Two columns have the same heading: rename or delete one of them, or say in the settings which one "
                'it is, with its letter:\n[columns]\n{name} = "{first}"'
            )
            if same
            else N_('Say in the settings which one it is:\n[columns]\n{name} = "{first}"')
        ),
        where=where,
        name=name,
        headings=", ".join(named),
        first=first,
    )


def _sample(sheet: Sheet, number: int, headings: Sequence[str]) -> str:
    """Return the first value below a heading, to tell its column from another."""
    column, heading = sheet.table.columns[number], folded(headings[number])
    texts = [tidy(column[row]) for row in range(min(HEADER_WITHIN + _CELLS_SEEN, sheet.table.rows))]
    # Above the heading stand titles; of a heading that was read over two rows, its own cell holds the end.
    below = dropwhile(lambda text: not text or not heading.endswith(text.casefold()), texts)
    return next((f" = «{text[:40]}»" for text in islice(below, 1, None) if text), "")


def other_table(where: str, row: int, other: int, headings: Sequence[str]) -> CannotStart:
    """Say that the sheet has two tables whose columns differ; rows are counted from 0."""
    return CannotStart(
        N_("{where}: there are two tables: headings stand in row {row}, and others in row {other}: {headings}."),
        repair=N_("Give each table its own sheet or file, and name them together; or make their columns the same."),
        where=where,
        row=row + 1,
        other=other + 1,
        headings=listed(headings),
    )


def unknown_heading(where: str, line: str, heading: str, headings: Sequence[str]) -> CannotStart:
    """Say that the sheet has no such heading as a line of the settings names, and which is nearest."""
    present = [text for text in headings if text]
    near = difflib.get_close_matches(heading.casefold(), [text.casefold() for text in present], n=1, cutoff=0)
    nearest = next((text for text in present if near and text.casefold() == near[0]), "")
    return CannotStart(
        N_("{where}: there is no heading «{heading}», which the settings name: {line}."),
        repair=N_("Did you mean «{nearest}»? The headings are: {headings}."),
        where=where,
        heading=heading,
        line=line,
        nearest=nearest,
        headings=listed(headings),
    )


def listed(headings: Iterable[str]) -> str:
    """Return headings as a sentence lists them, in quotation marks; of very many only the first."""
    texts = [f"«{text[:60]}»" for text in map(tidy, headings) if text]
    shown = texts[:LONG_ENOUGH]
    return ", ".join([*shown, f"… (+{len(texts) - len(shown):,})"] if len(texts) > len(shown) else shown) or "—"


def _undone_headings(headings: Sequence[str], recognise: Callable[[Sequence[str]], int]) -> tuple[str, Undone] | None:
    """Return the first heading that is recognised once its text is decoded with another table, and that reading."""
    for heading in headings:
        if not heading.isascii():
            for one in undone(heading):
                if recognise([one.text]) and not recognise([heading]):
                    return heading, one
    return None


def _garbled(where: str, heading: str, found: Undone) -> CannotStart:
    return CannotStart(
        N_("{where}: the text is garbled: «{heading}» was «{meant}» in the encoding {encoding}."),
        repair=N_(
            "Save it again from the program that made it, as «CSV UTF-8» or as an Excel workbook (.xlsx): the names "
            "in it are garbled too, and would be printed like that."
        ),
        where=where,
        heading=heading,
        meant=found.text,
        encoding=found.encoding,
    )


def _is_across(headings: Sequence[str]) -> bool:
    """Whether several headings are days, months or numbers: the sales stand side by side instead of one below."""
    texts = [text for text in map(tidy, headings) if text]
    if sum(text.isdigit() and int(text) <= 31 for text in texts if len(text) < 3) >= _DAY_NUMBERS:
        return True
    return sum(map(_is_period, texts)) > max(1, len(texts) // 2 - 1)


def _is_period(text: str) -> bool:
    """Whether a heading names a day, a week, a month or a year."""
    words = _plain(text).split()
    if not words or len(text) > 30 or figure_of(text) is not None:
        return re.fullmatch("20[0-9]{2}", text) is not None
    named = any(_CALENDAR.fullmatch(word) for word in words)
    return bool(readings(text)) or (named and len(words) <= 3) or _PERIOD.fullmatch("".join(words)) is not None


def _plain(text: str) -> str:
    """Return the words of a text in small letters without accents, kept apart by spaces."""
    return " ".join(
        filter(None, (letters_of(word) for word in re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))))
    )


def _across(where: str, row: int, headings: Sequence[str]) -> CannotStart:
    return CannotStart(
        N_(
            "{where}: this looks like a cross table, with a column for each day, month or number: "
            "{headings} (row {row})."
        ),
        repair=N_(
            "It holds sums, not sales. Export the detail instead: one row for each line sold, with the reference of "
            "its sale, a description, a quantity and a unit price."
        ),
        where=where,
        row=row,
        headings=listed(headings),
    )


def _proposals(
    sheet: Sheet, row: int, headings: Sequence[str], ignored: Sequence[int], missing: Sequence[str]
) -> dict[str, list[str]]:
    """Return the likeliest headings without a field for each missing one for which any is likely at all."""
    left = [number for number in ignored if headings[number]]
    proposals: dict[str, list[str]] = {}
    for name in missing:
        likely = {number: _likeness(sheet, row, headings[number], number, name) for number in left}
        best = max(likely.values(), default=0)
        if best:
            found = [number for number, score in likely.items() if score == best]
            left = [number for number in left if number not in found]
            proposals[name] = [headings[number] for number in found[:3]]
    return proposals


def _likeness(sheet: Sheet, row: int, heading: str, number: int, name: str) -> int:
    """Return how likely a heading means a field: by its words, its letters, and whether its cells can be that field."""
    column = sheet.table.columns[number]
    cells = (column[at] for at in range(row + 1, min(row + 1 + _CELLS_SEEN, sheet.table.rows)))
    filled = [tidy(cell) for cell in cells if not is_blank(cell)]
    numeric = 2 * sum(figure_of(_MARKS_OF_MONEY.sub("", text)) is not None for text in filled)
    if name == "description":
        can_hold = numeric < len(filled)
    else:
        can_hold = bool(filled) and (name == "external_ref" or numeric >= len(filled))
    words = _plain(heading).split()
    if not can_hold or not _OTHERWISE.isdisjoint(words):
        return 0
    ranks = [len(_WORDS[name]) - _WORDS[name].index(word) for word in words if word in _WORDS[name]]
    known = [key for key, field in FIELD_OF.items() if field == name]
    near = difflib.get_close_matches(key_of(heading), known, n=1, cutoff=0.75)
    return max(ranks, default=0) + (100 if near else 0)
