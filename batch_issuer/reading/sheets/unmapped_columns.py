"""Columns that nobody mapped and that change what a sale is: its type, its price, its currency, whether it is one.

To pass over them would issue a wrong document, so they are asked about, or their rows held back. `ignore` under
[source] in the settings says that a column is no part of the sale.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Problem, raise_together
from batch_issuer.reading import kinds
from batch_issuer.reading.cells.currencies import DOLLARS, foreign_currency
from batch_issuer.reading.cells.letters import letters_of
from batch_issuer.reading.cells.values import clean, doc_type_of
from batch_issuer.reading.headings.aliases import key_of
from batch_issuer.reading.headings.columns import Header
from batch_issuer.reading.own_sheets import SURPLUS_HEADINGS
from batch_issuer.reading.sheets.fields import Field
from batch_issuer.reading.sheets.notations import column_mark, number_in
from batch_issuer.reading.sheets.rows import SalesRows
from batch_issuer.reading.tables import Codes, Column, Flags, Sheet, is_blank, letter_of
from batch_issuer.settings import Source

MONEY_FIELDS = ("unit_price", "total")


def _keys(*headings: str) -> frozenset[str]:
    return frozenset(map(key_of, headings))


DISCOUNTS = _keys(
    "Descuento", "Descuentos", "Desc.", "Dto.", "Dcto.", "Rebaja", "Rebajas", "Bonificación", "Monto descuento",
    "Valor descuento", "Descuento total", "Total descuento", "Descuento por línea", "Descuento línea", "Discount",
    "Discounts", "Discount amount", "Lineitem discount", "Line discount", "Descuento en dólares", "Promoción",
)  # fmt: skip
CHARGES = _keys(
    "Recargo", "Recargos", "Propina", "Propinas", "Tip", "Tips", "Envío", "Costo de envío", "Flete", "Shipping",
    "Shipping cost", "Delivery", "Transporte", "Cargo por servicio", "Service charge", "Surcharge", "Otros cargos",
    "Fee", "Fees", "Gastos de envío",
)  # fmt: skip
SUPPLIERS = _keys("Proveedor", "Nombre del proveedor", "Supplier", "Vendor", "Nombre proveedor")
TYPES = _keys("Tipo", "Type", "Clase", "Documento", "Doc.", "DTE", "Tipo venta", "Comprobante", "Tipo de venta")
CURRENCIES = _keys("Moneda", "Divisa", "Currency", "Currency code", "Tipo de moneda", "Código de moneda")
STATUSES = _keys(
    "Estado", "Estatus", "Status", "Situación", "Financial status", "Order status", "Payment status", "Event type",
    "Receipt type", "Transaction type", "Tipo de recibo", "Tipo de transacción", "Tipo de movimiento", "Movimiento",
    "Estado de la orden", "Estado del pedido", "Estado de la venta", "Estado factura", "Estado documento",
    "Estado pago", "Tipo", "Type", "Estado DTE", "Invoice status", "Tipo de operación", "Observaciones",
    "Observación", "Notas", "Nota", "Comentarios", "Comentario", "Comment", "Notes", "Sale status", "Anulación",
    "Anulado por", "State",
)  # fmt: skip
VOIDED = _keys("Anulada", "Anulado", "Cancelada", "Cancelado", "Voided", "Void", "Cancelled", "Canceled", "Devuelto",
               "Devuelta", "Refunded", "Eliminado", "Eliminada", "Is refund", "Anulada?")  # fmt: skip
"""Headings of columns that say yes or no, or when."""
PAID_OR_CALLED_OFF = frozenset({"cancelada", "cancelado", "canceladas", "cancelados"})
"""In El Salvador both are said of a sale."""
NOT_SOLD = frozenset(
    {"anulada", "anulado", "anuladas", "anulados", "cancelled", "canceled", "cancel",
     "void", "voided", "refund", "refunded", "partiallyrefunded", "reembolso", "reembolsada", "reembolsado",
     "reembolsoparcial", "devolucion", "devuelta", "devuelto", "return", "returned", "nula", "nulo",
     "invalidada", "invalidado", "draft", "borrador", "failed", "fallida", "fallido", "rechazada", "rechazado",
     "rejected", "eliminada", "eliminado", "deleted", "pendiente", "pending", "onhold", "enespera",
     "cotizacion", "quotation", "quote", "presupuesto", "proforma", "abandoned", "abandonada", "abandonado",
     "expired", "notadecredito", "creditnote", "creditmemo", "salesreturn", "refundreceipt",
     "devolucionventa", "estimate"}
)  # fmt: skip
"""Small letters without spaces: what a sheet writes in a row that is no sale, or no longer one."""
_NO = frozenset({"", "no", "n", "0", "false", "falso", "f", "none", "null", "na", "activa", "activo"})
_MANY = 60
"""A column with more different texts is no column of types."""
_MOST_TEXTS = 20_000
"""Remarks may differ from row to row; beyond these they are no states."""


def overlooked_columns(header: Header, source: Source) -> tuple[int, ...]:
    """Return the columns without a field that the settings do not pass over."""
    passed = {letters_of(heading) for heading in source.ignore}
    return tuple(number for number in header.ignored_columns if letters_of(header.headings[number]) not in passed)


def refuse_overlooked(
    sheet: Sheet, header: Header, rows: SalesRows, source: Source, *, asked: frozenset[str], confirmed: Flags
) -> None:
    """Ask about columns that name types of documents, take money off, add some, or are in another currency.

    `asked` are the fields in [columns]; `confirmed` the rows whose own amount is quantity × price, which then is
    after any discount.
    Raises `CannotStart` with the values and both lines of settings, all questions at once.
    """
    known = asked | header.columns.keys()
    questions: list[CannotStart | None] = []
    for number in overlooked_columns(header, source):
        key = key_of(header.headings[number])
        if key in TYPES and "doc_type" not in known:
            questions.append(_about_types(sheet, header, rows, number, source.doc_type))
        if key in DISCOUNTS and "discount_percentage" not in known:
            unsure = rows.sales[~confirmed]
            questions.append(_about_amounts(*_DISCOUNT, sheet, header, number, unsure, source.decimal))
        if key in CHARGES:  # also in confirmed rows: a tip stands beside quantity × price, not in it
            questions.append(_about_amounts(*_CHARGE, sheet, header, number, rows.sales, source.decimal))
    for name in MONEY_FIELDS:
        number = header.columns.get(name, -1)
        if number >= 0 and (currency := foreign_currency(header.headings[number])):
            question = CannotStart(
                N_("{where}: the column «{heading}» ({letter}) is in {currency}; documents are in US dollars."),
                repair=N_("Write the amounts in dollars. If they are dollars, correct the heading."),
                where=sheet.title,
                heading=header.headings[number],
                letter=letter_of(number),
                currency=currency,
            )
            questions.append(question)
    raise_together([question for question in questions if question is not None])


def refuse_purchases(sheet: Sheet, header: Header, doc_type: Field | None, default: str) -> None:
    """Refuse a sheet with a column of suppliers, which says that these were bought: only type 14 is issued by who buys.

    `doc_type` is the column of types, and `default` the settings' own where a row says none.
    Raises `CannotStart` where such a sheet would be issued as sales.
    """
    types = {default}
    if doc_type is not None:
        said = {str(doc_type.values[code]) for code in doc_type.column.used_codes() if code not in doc_type.faults}
        types = said - {""} or types
    number = header.columns.get("name")
    sold = sorted(types - {"14"})
    if number is None or key_of(header.headings[number]) not in SUPPLIERS or not sold:
        return
    raise CannotStart(
        N_(
            "{where}: the column «{heading}» ({letter}) names suppliers, so this is a list of purchases, and it would "
            "be issued as sales of type {types}."
        ),
        repair=N_(
            "Purchases from excluded subjects are type 14: say so in a column «Tipo DTE», or in the settings:\n"
            '[source]\ndoc_type = "14"\nOther purchases are not issued by you. If these are sales and the column names '
            'who made the goods:\n[source]\nignore = ["{heading}"]'
        ),
        where=sheet.title,
        heading=header.headings[number],
        letter=letter_of(number),
        types=", ".join(sold),
    )


def with_percentages(sheet: Sheet, header: Header, rows: SalesRows, source: Source, asked: frozenset[str]) -> Header:
    """Return the header with a column of discounts as percentages, if every value but zero has the per cent sign."""
    if "discount_percentage" in header.columns or "discount_percentage" in asked:
        return header
    found = [
        number
        for number in overlooked_columns(header, source)
        if key_of(header.headings[number]) in DISCOUNTS
        and (texts := [text for _, text in _used_texts(sheet.table.columns[number], rows.sales)])
        and any(text.endswith("%") for text in texts)
        and all(text.endswith("%") or not re.search("[1-9]", text) for text in texts)
    ]
    return replace(header, columns={**header.columns, "discount_percentage": found[0]}) if len(found) == 1 else header


def held_columns(sheet: Sheet, header: Header, rows: SalesRows, source: Source) -> Iterator[Field]:
    """Return the columns that mark rows as no sales, or as sales in another currency, with a fault for each mark."""
    # A workbook may say the currency in the format alone, cell by cell: «Q#,##0.00» beside dollars.
    for name in MONEY_FIELDS:
        number = header.columns.get(name)
        codes = [code for (at, code), shown in sheet.formats.items() if at == number and foreign_currency(shown)]
        if number is not None and codes:
            column = rows.of(sheet.table.columns[number])
            yield Field.unnamed(number, column, dict.fromkeys(codes, Problem(kinds.OTHER_CURRENCY)))
    for number in overlooked_columns(header, source):
        heading, column = header.headings[number], sheet.table.columns[number]
        key = key_of(heading)
        if key in STATUSES | VOIDED | CURRENCIES and len(column.texts) <= _MOST_TEXTS:
            found = ((code, _mark_of(key, heading, text)) for code, text in enumerate(column.texts))
            if faults := {code: fault for code, fault in found if fault is not None}:
                yield Field.unnamed(number, rows.of(column), faults)


def _mark_of(key: str, heading: str, text: str) -> Problem | None:
    """Return what a text under a heading of states or currencies says against its row, or None; `key` is its key."""
    word = letters_of(text)
    if key in CURRENCIES and word and word not in DOLLARS and not is_blank(text):
        return Problem(kinds.OTHER_CURRENCY)
    if word in PAID_OR_CALLED_OFF or (key in PAID_OR_CALLED_OFF and word not in _NO):
        return Problem(kinds.PAID_OR_CALLED_OFF, parameters={"heading": heading})
    if word in NOT_SOLD or (key in VOIDED and word not in _NO):
        return Problem(kinds.MARKED_AS_NO_SALE, parameters={"heading": heading})
    return None


def cells_beyond(sheet: Sheet, header: Header, rows: SalesRows) -> Iterator[Field]:
    """Return the cells of a CSV beyond the last heading: a separator inside a text has moved the row's cells."""
    last = max((number for number, text in enumerate(header.headings) if text), default=0)
    surplus = [number for number, text in enumerate(header.headings) if text in SURPLUS_HEADINGS]
    beyond = range(last + 1, len(sheet.table.columns)) if sheet.encoding else ()
    for number in (*surplus, *beyond):
        column = rows.of(sheet.table.columns[number])
        faults = {code: Problem(kinds.ROW_TOO_LONG) for code, text in enumerate(column.texts) if not is_blank(text)}
        if faults:
            yield Field.unnamed(number, column, faults)


def _used_texts(column: Column, sales: Codes) -> list[tuple[int, str]]:
    """Return code and text of what stands in the sales rows of a column."""
    taken = column.taken(sales)
    return [(code, clean(column.texts[code])) for code in taken.used_codes() if not is_blank(column.texts[code])]


def _about_types(sheet: Sheet, header: Header, rows: SalesRows, number: int, default: str) -> CannotStart | None:
    """Return a question about a column in which every text is a type of document, unless all are the settings' own."""
    column = sheet.table.columns[number]
    if len(column.texts) > _MANY:
        return None
    texts = [text for _, text in _used_texts(column, rows.sales)]
    types = [doc_type_of(text) for text in texts]
    if not types or not all(types) or set(types) == {default}:
        return None  # «Tipo» also heads kinds of customers and of goods
    return CannotStart(
        N_(
            "{where}: the column «{heading}» ({letter}) looks like the type of document ({values}) and has no field: "
            "everything would be issued as {default}."
        ),
        repair=N_(
            'Say in the settings that it is the type:\n[columns]\ndoc_type = "{heading}"\nor that it is no part of '
            'the sale:\n[source]\nignore = ["{heading}"]'
        ),
        where=sheet.title,
        heading=header.headings[number],
        letter=letter_of(number),
        values=", ".join(f"«{text[:40]}»" for text in texts[:4]) + (", …" if len(texts) > 4 else ""),
        default=default,
    )


_DISCOUNT = (
    N_(
        "{where}: the column «{heading}» ({letter}) holds discounts, for example «{value}» in row {row}, and does "
        "not say whether that is {value} per cent or {value} dollars."
    ),
    N_(
        'If it is a percentage, say so in the settings:\n[columns]\ndiscount_percentage = "{heading}"\n'
        "If it is dollars, the provider takes none: write the price after the discount in the price column. Then, "
        'or if the price already is after it:\n[source]\nignore = ["{heading}"]'
    ),
)
_CHARGE = (
    N_(
        "{where}: the column «{heading}» ({letter}) holds amounts beside the price, for example «{value}» in row "
        "{row}, and they would not be issued."
    ),
    N_(
        "If they belong to the sale, write each as a line of its own: same reference, a description, quantity 1 "
        "and its price. Then, or if they do not belong to it, say in the settings:\n"
        '[source]\nignore = ["{heading}"]'
    ),
)


def _about_amounts(
    sentence: str, repair: str, sheet: Sheet, header: Header, number: int, sales: Codes, decimal: str
) -> CannotStart | None:
    """Return a question with the first amount in a column that is not zero; None where no sales row has one."""
    column = sheet.table.columns[number]
    mark = column_mark(column, decimal) or "point"
    amounts = {code for code, _ in _used_texts(column, sales) if number_in(column, code, mark)}
    row = next((row for row in sales.tolist() if int(column.codes[row]) in amounts), None)
    if row is None:
        return None
    return CannotStart(
        sentence,
        repair=repair,
        where=sheet.title,
        heading=header.headings[number],
        letter=letter_of(number),
        value=clean(column[row]),
        row=row + 1,
    )
