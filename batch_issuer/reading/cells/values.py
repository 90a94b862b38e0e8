"""What the texts of a column mean for one field: each distinct text is read once, strictly, or is a fault.

A fault leaves a neutral value (zero, None, empty) so that the rules can still look at the rest of the document.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from batch_issuer.model.fields import BY_KEY, NUMBERS, ValueKind, keys
from batch_issuer.model.problems import Kind, Problem
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.currencies import is_foreign_amount
from batch_issuer.reading.cells.dates import Order, read_date
from batch_issuer.reading.cells.garbling import is_garbled
from batch_issuer.reading.cells.letters import letters_of
from batch_issuer.reading.cells.numbers import SCIENTIFIC, Mark, figure_of, read_number
from batch_issuer.reading.tables import BLANKS, CellKind, Column
from batch_issuer.rules.identifiers import dui_is_valid, nit_is_valid

NUMBER_FIELDS = keys(*NUMBERS)
DATE_FIELDS = keys(ValueKind.DATE)

ZERO = Decimal(0)
EXACT_DIGITS = 15
"""More do not survive in a spreadsheet's numbers."""

Value = str | Decimal | dt.date | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """How a column writes numbers and dates."""

    mark: Mark = "point"
    order: Order = "ymd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """One value per code of a column, and the faults by code."""

    values: list[Value]
    faults: dict[int, Problem]


Read = tuple[Value, Problem | None]
_READ_NOTHING: Read = (None, None)

_ERRORS = re.compile(
    r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|N/D|¡REF!|¡DIV/0!|¡VALOR!|¿NOMBRE\?|¡NUM!|¡NULO!|#+)"
)
_OF_MONEY = (kinds.UNIT_PRICE_NOT_A_NUMBER, kinds.TOTAL_NOT_A_NUMBER)
_ONLY_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\s*[ap]\.?\s?m\.?)?", re.IGNORECASE)
_QUOTED_FORMULA = re.compile(r'="([^"]*)"')
_ESCAPED = re.compile("'+[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_YES = frozenset({"si", "s", "yes", "y", "x", "verdadero", "true", "v", "1", "servicio", "servicios", "service"})
_NO = frozenset({"no", "n", "falso", "false", "f", "0", "bien", "bienes", "producto", "productos", "goods", "good"})

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
    """Without the spaces around, without Excel's `="…"`, and without the apostrophe that disarms a formula."""
    text = text.strip(BLANKS)
    if text[:1] == "=" and (quoted := _QUOTED_FORMULA.fullmatch(text)):
        return quoted[1].strip(BLANKS)
    if text[:1] == "'" and _ESCAPED.match(text):
        return text[1:]
    return text


def read_values(name: str, column: Column, notation: Notation) -> Values:
    """Every distinct text of a column, as values of a field."""
    read = _reader(name, notation)
    values: list[Value] = []
    faults: dict[int, Problem] = {}
    for code, text in enumerate(column.texts):
        value, fault = _read(read, clean(text), column.kind(code))
        values.append(value)
        if fault is not None:
            faults[code] = fault
    return Values(values=values, faults=faults)


Reader = Callable[[str, CellKind], Read]


def _read(read: Reader, text: str, kind: CellKind) -> Read:
    if kind is CellKind.FORMULA:
        return read("", kind)[0], Problem(kinds.FORMULA_WITHOUT_VALUE)
    if kind is CellKind.ERROR or is_error(text):
        return read("", kind)[0], Problem(kinds.ERROR_VALUE)
    return read(text, kind)


def is_error(text: str) -> bool:
    """Whether a text is what spreadsheet programs write in place of a result, such as `#N/A`."""
    return text[:1] == "#" and _ERRORS.fullmatch(text) is not None


def _reader(name: str, notation: Notation) -> Reader:
    match BY_KEY[name].kind:
        case ValueKind.QUANTITY:
            return _required_number(notation.mark, kinds.QUANTITY_MISSING, kinds.QUANTITY_NOT_A_NUMBER)
        case ValueKind.PRICE:
            return _required_number(notation.mark, kinds.UNIT_PRICE_MISSING, kinds.UNIT_PRICE_NOT_A_NUMBER)
        case ValueKind.PERCENTAGE:
            return _discount(notation.mark)
        case ValueKind.AMOUNT:
            return lambda text, kind: (
                _number(text, kind, notation.mark, kinds.TOTAL_NOT_A_NUMBER) if text else _READ_NOTHING
            )
        case ValueKind.DATE:
            return lambda text, kind: _read_date(text, kind, notation.order)
        case ValueKind.YES_NO:
            return _yes_or_no
        case ValueKind.TYPE:
            return _doc_type
        case ValueKind.TAX_IDENTITY:
            return _tax_identity
        case ValueKind.REGISTER_NUMBER | ValueKind.PHONE | ValueKind.REFERENCE:
            return _identifier
    return _text


def _required_number(mark: Mark, missing: Kind, wrong: Kind) -> Reader:
    def read(text: str, kind: CellKind) -> Read:
        if not text:
            return ZERO, Problem(missing)
        value, fault = _number(text, kind, mark, wrong)
        return (ZERO if value is None else value), fault

    return read


def _discount(mark: Mark) -> Reader:
    def read(text: str, kind: CellKind) -> Read:
        if not text:
            return ZERO, None
        value, fault = _number(text.removesuffix("%").rstrip(BLANKS), kind, mark, kinds.DISCOUNT_NOT_A_NUMBER)
        if isinstance(value, Decimal) and 0 < value < 1 and not text.endswith("%"):
            return ZERO, Problem(
                kinds.DISCOUNT_A_FRACTION, parameters={"hundredfold": f"{(value * 100).normalize():f}"}
            )
        return (ZERO if value is None else value), fault

    return read


def _number(text: str, kind: CellKind, mark: Mark, wrong: Kind) -> Read:
    if kind is CellKind.NUMBER:
        value = read_number(text, "point")
        return value, None if value is not None else Problem(wrong)
    if kind is not CellKind.TEXT:
        return None, Problem(wrong)
    value = read_number(text, mark)
    if value is not None:
        return value, None
    if SCIENTIFIC.fullmatch(text):
        return None, Problem(kinds.SCIENTIFIC_NOTATION)
    if wrong in _OF_MONEY and is_foreign_amount(text):
        return None, Problem(kinds.OTHER_CURRENCY)
    figure = figure_of(text)
    if figure is not None and figure.under("comma" if mark == "point" else "point") is not None:
        return None, Problem(kinds.OTHER_DECIMAL_MARK, parameters={"mark": "." if mark == "point" else ","})
    return None, Problem(wrong)


def _read_date(text: str, kind: CellKind, order: Order) -> Read:
    if not text:
        return _READ_NOTHING
    if kind in (CellKind.TEXT, CellKind.DATE) and (date := read_date(text, order)) is not None:
        return date, None
    if kind is CellKind.NUMBER or text.replace(".", "", 1).isdigit():
        return None, Problem(kinds.DATE_IS_A_NUMBER)
    if _ONLY_TIME.fullmatch(text):
        return None, Problem(kinds.DATE_IS_A_TIME)
    return None, Problem(kinds.DATE_NOT_A_DATE)


def _yes_or_no(text: str, _: CellKind) -> Read:
    word = letters_of(text)
    if not text or word in _NO:
        return False, None
    return (True, None) if word in _YES else (False, Problem(kinds.NEITHER_YES_NOR_NO))


def _doc_type(text: str, _: CellKind) -> Read:
    if not text:
        return "", None
    code = doc_type_of(text)
    return (code, None) if code else ("", Problem(kinds.DOC_TYPE_UNKNOWN))


def doc_type_of(text: str) -> str:
    """The type that a text names, or empty."""
    return _DOC_TYPE_OF.get(letters_of(text), "")


def _text(text: str, _: CellKind) -> Read:
    return text, Problem(kinds.TEXT_GARBLED) if is_garbled(text) else None


def _identifier(text: str, kind: CellKind) -> Read:
    if fault := lost_digits(text, kind):
        return text, fault
    return _text(text, kind)


def lost_digits(text: str, kind: CellKind) -> Problem | None:
    """A text of digits of which a spreadsheet program has destroyed some."""
    if SCIENTIFIC.fullmatch(text) and "+" in text:
        return Problem(kinds.SCIENTIFIC_NOTATION)
    if kind is CellKind.NUMBER and sum(map(str.isdigit, text)) > EXACT_DIGITS:
        return Problem(kinds.TOO_MANY_DIGITS)
    return None


def _tax_identity(text: str, kind: CellKind) -> Read:
    """NIT and DUI: a zero is put back only where the check digit then fits."""
    padded = "0" + text  # Excel drops the first zero of a number: a NIT such as 0614…
    if len(padded) == NIT_DIGITS and padded.isdecimal() and nit_is_valid(padded):
        return padded, Problem(kinds.ZEROS_RESTORED, parameters={"read": padded})
    if len(padded) == DUI_DIGITS and padded.isdecimal() and dui_is_valid(padded):
        return padded, Problem(kinds.ZEROS_RESTORED, parameters={"read": padded})
    return _identifier(text, kind)


NIT_DIGITS = 14
DUI_DIGITS = 9
