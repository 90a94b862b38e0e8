"""What the texts of a column mean for one field: each distinct text is read once, strictly, or is a fault.

A fault leaves a neutral value (zero, None, no, or the text) so that the rules can still look at the rest of the
document.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import MappingProxyType

from batch_issuer.model.fields import BY_KEY, NUMBERS, ValueKind, keys
from batch_issuer.model.problems import Kind, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.currencies import is_foreign_amount
from batch_issuer.reading.cells.dates import Order, read_date
from batch_issuer.reading.cells.garbling import is_garbled
from batch_issuer.reading.cells.letters import letters_of
from batch_issuer.reading.cells.numbers import SCIENTIFIC, Mark, read_number
from batch_issuer.reading.tables import BLANKS, CellKind, Column
from batch_issuer.rules.identifiers import dui_is_valid, nit_is_valid

NUMBER_FIELDS = keys(*NUMBERS)
DATE_FIELDS = keys(ValueKind.DATE)

ZERO = Decimal(0)
EXACT_DIGITS = 15
"""Digits that survive in a spreadsheet's number; further ones become zeros."""

Value = str | Decimal | dt.date | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """How a column writes numbers and dates: its decimal mark, and the order of day, month and year."""

    mark: Mark = "point"
    order: Order = "ymd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """One value per code of a column, and the faults by code."""

    values: list[Value]
    faults: dict[int, Problem]


Read = tuple[Value, Problem | None]
Reader = Callable[[str, CellKind, Notation], Read]

_ERRORS = re.compile(
    r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|N/D|¡REF!|¡DIV/0!|¡VALOR!|¿NOMBRE\?|¡NUM!|¡NULO!|#+)"
)
_OF_MONEY = (kinds.UNIT_PRICE_NOT_A_NUMBER, kinds.TOTAL_NOT_A_NUMBER)
_ONLY_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\s*[ap]\.?\s?m\.?)?", re.IGNORECASE)
_QUOTED_FORMULA = re.compile(r'="([^"]*)"')
_ESCAPED = re.compile("'+[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_YES = ("si", "s", "yes", "y", "x", "verdadero", "true", "v", "1", "servicio", "servicios", "service")
_NO = ("", "no", "n", "falso", "false", "f", "0", "bien", "bienes", "producto", "productos", "goods", "good")
_YES_OR_NO = dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)
"""The one field of this kind is whether a line is a service: goods are a no."""

DOC_TYPE_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "01": ("1", "01", "Factura", "Factura consumidor final", "Factura de consumidor final", "Consumidor final",
               "Factura electrónica", "FCF", "FC", "CF", "FE", "Fact.", "FAC", "Invoice"),
        "03": ("3", "03", "CCF", "Crédito fiscal", "Comprobante de crédito fiscal", "Comprobante crédito fiscal",
               "Factura de crédito fiscal", "CCFE"),
        "05": ("5", "05", "Nota de crédito", "NC", "N/C", "NCE", "Credit note", "Credit memo"),
        "11": ("11", "Factura de exportación", "Exportación", "FEX", "FEXE", "Export invoice", "Export"),
        "14": ("14", "Sujeto excluido", "Factura de sujeto excluido", "Factura sujeto excluido", "FSE", "FSEE", "SUEX"),
    }
)  # fmt: skip
"""The types that the provider issues, and how sheets name them. Capitals, accents and spaces do not count."""
_DOC_TYPE_OF = {letters_of(name): code for code, names in DOC_TYPE_NAMES.items() for name in names}
_DOC_TYPE_OF |= {code + name: code for name, code in list(_DOC_TYPE_OF.items()) if not name.isdigit()}
"""Also code and name together, as lists show them: `01 Factura`."""


def clean(text: str) -> str:
    """Return a text without the spaces around, Excel's `="…"`, and the apostrophe that disarms a formula."""
    text = text.strip(BLANKS)
    if text[:1] == "=" and (quoted := _QUOTED_FORMULA.fullmatch(text)):
        return quoted[1].strip(BLANKS)
    if text[:1] == "'" and _ESCAPED.match(text):
        return text[1:]
    return text


def read_values(name: str, column: Column, notation: Notation) -> Values:
    """Read every distinct text of a column as a value of a field."""
    read = _READERS.get(BY_KEY[name].kind, _text)
    values: list[Value] = []
    faults: dict[int, Problem] = {}
    for code, text in enumerate(map(clean, column.texts)):
        kind = column.kind(code)
        broken = kinds.FORMULA_WITHOUT_VALUE if kind is CellKind.FORMULA else None
        if kind is CellKind.ERROR or (not broken and is_error(text)):
            broken = kinds.ERROR_VALUE
        value, fault = read("" if broken else text, kind, notation)
        if broken:
            fault = Problem(broken)
        values.append(value)
        if fault is not None:
            faults[code] = fault
    return Values(values=values, faults=faults)


def is_error(text: str) -> bool:
    """Whether a text is what spreadsheet programs write in place of a result, such as `#N/A`."""
    return text[:1] == "#" and _ERRORS.fullmatch(text) is not None


def _number(
    text: str, kind: CellKind, notation: Notation, *, wrong: Kind, missing: Kind | None = None, neutral: Value = None
) -> Read:
    if not text:
        return neutral, Problem(missing) if missing else None
    # A workbook's number has no notation: how it looks is the format's doing, and what is stored has a point.
    mark = "point" if kind is CellKind.NUMBER else notation.mark
    value = read_number(text, mark) if kind in (CellKind.NUMBER, CellKind.TEXT) else None
    if value is not None:
        return value, None
    if kind is not CellKind.TEXT:
        return neutral, Problem(wrong)
    if SCIENTIFIC.fullmatch(text):
        return neutral, Problem(kinds.SCIENTIFIC_NOTATION)
    if wrong in _OF_MONEY and is_foreign_amount(text):
        return neutral, Problem(kinds.OTHER_CURRENCY)
    if read_number(text, "comma" if mark == "point" else "point") is not None:
        return neutral, Problem(kinds.OTHER_DECIMAL_MARK, parameters={"mark": "." if mark == "point" else ","})
    return neutral, Problem(wrong)


def _discount(text: str, kind: CellKind, notation: Notation) -> Read:
    bare = text.removesuffix("%").rstrip(BLANKS) or text
    value, fault = _number(bare, kind, notation, wrong=kinds.DISCOUNT_NOT_A_NUMBER, neutral=ZERO)
    # 0.1 is ten per cent to a spreadsheet and a tenth of one to whoever typed it: of a discount that is too much doubt.
    if isinstance(value, Decimal) and 0 < value < 1 and not text.endswith("%"):
        return ZERO, Problem(kinds.DISCOUNT_A_FRACTION, parameters={"hundredfold": f"{(value * 100).normalize():f}"})
    return value, fault


def _date(text: str, kind: CellKind, notation: Notation) -> Read:
    if not text:
        return None, None
    if kind in (CellKind.TEXT, CellKind.DATE) and (date := read_date(text, notation.order)) is not None:
        return date, None
    if kind is CellKind.NUMBER or text.replace(".", "", 1).isdigit():
        return None, Problem(kinds.DATE_IS_A_NUMBER)
    if _ONLY_TIME.fullmatch(text):
        return None, Problem(kinds.DATE_IS_A_TIME)
    return None, Problem(kinds.DATE_NOT_A_DATE)


def _word(text: str, _: CellKind, __: Notation, *, meanings: Mapping[str, Value], neutral: Value, wrong: Kind) -> Read:
    word = letters_of(text)
    if word in meanings:
        return meanings[word], None
    return neutral, Problem(wrong) if text else None


def doc_type_of(text: str) -> str:
    """Return the code of the type that a text names, or empty."""
    return _DOC_TYPE_OF.get(letters_of(text), "")


def _text(text: str, _: CellKind, __: Notation) -> Read:
    return text, Problem(kinds.TEXT_GARBLED) if is_garbled(text) else None


def _identifier(text: str, kind: CellKind, notation: Notation) -> Read:
    fault = lost_digits(text, kind)
    return (text, fault) if fault else _text(text, kind, notation)


def lost_digits(text: str, kind: CellKind) -> Problem | None:
    """Return the problem of a text of digits of which a spreadsheet program has destroyed some, or None."""
    if SCIENTIFIC.fullmatch(text) and "+" in text:
        return Problem(kinds.SCIENTIFIC_NOTATION)
    if kind is CellKind.NUMBER and sum(map(str.isdigit, text)) > EXACT_DIGITS:
        return Problem(kinds.TOO_MANY_DIGITS)
    return None


_CHECKED_BY_LENGTH: Mapping[int, Callable[[str], bool]] = MappingProxyType({14: nit_is_valid, 9: dui_is_valid})
"""The tax identities with a check digit, by how many digits they have: NIT and DUI."""


def _tax_identity(text: str, kind: CellKind, notation: Notation) -> Read:
    # A spreadsheet drops the first zero of a number, as of the NIT 0614…: it is put back only where the check digit
    # then fits, and told.
    padded = "0" + text
    is_valid = _CHECKED_BY_LENGTH.get(len(padded))
    if is_valid and padded.isdecimal() and is_valid(padded):
        return padded, Problem(kinds.ZEROS_RESTORED, parameters={"read": padded})
    return _identifier(text, kind, notation)


_READERS: Mapping[ValueKind, Reader] = MappingProxyType(
    {
        ValueKind.QUANTITY: partial(
            _number, wrong=kinds.QUANTITY_NOT_A_NUMBER, missing=kinds.QUANTITY_MISSING, neutral=ZERO
        ),
        ValueKind.PRICE: partial(
            _number, wrong=kinds.UNIT_PRICE_NOT_A_NUMBER, missing=kinds.UNIT_PRICE_MISSING, neutral=ZERO
        ),
        ValueKind.AMOUNT: partial(_number, wrong=kinds.TOTAL_NOT_A_NUMBER),
        ValueKind.PERCENTAGE: _discount,
        ValueKind.DATE: _date,
        ValueKind.YES_NO: partial(_word, meanings=_YES_OR_NO, neutral=False, wrong=kinds.NEITHER_YES_NOR_NO),
        ValueKind.TYPE: partial(_word, meanings=_DOC_TYPE_OF, neutral="", wrong=kinds.DOC_TYPE_UNKNOWN),
        ValueKind.TAX_IDENTITY: _tax_identity,
        ValueKind.REGISTER_NUMBER: _identifier,
        ValueKind.PHONE: _identifier,
        ValueKind.REFERENCE: _identifier,
    }
)
"""How each kind of field is read; the other kinds are texts as they stand."""
