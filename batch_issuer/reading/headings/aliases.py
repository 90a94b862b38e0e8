"""What makes two headings the same, and which field each means. Accents, capitals, spaces and punctuation do not count.

The headings themselves are in the table of fields. One that could mean two things stands nowhere: it is mapped in the
settings or ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from batch_issuer.model.fields import TABLE
from batch_issuer.reading.cells.letters import letters_of

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType({field.key: field.headings for field in TABLE})
"""Our field, then its headings. Equal headings under two fields would be a mistake; a test looks for it."""

LINE_TOTALS = (
    "Total", "Importe", "Subtotal", "Sub total", "Monto", "Valor", "Total línea", "Total de línea", "Venta total",
    "Amount", "Line total", "Ventas gravadas", "Total IVA incluido", "Total con IVA", "Gross sales", "Net sales",
    "Ventas brutas", "Ventas netas",
    "Importe total", "Monto total", "Total renglón", "Total producto", "Order subtotal", "Total neto",
    "Item total", "Ext. price", "Extended price", "Total price",
)  # fmt: skip
"""Never sent; a sheet's own total is compared under them."""

TOTAL_WORDS = (
    "total", "totales", "total general", "gran total", "grand total", "subtotal", "sub total", "suma", "sumas",
    "total del dia", "total dia", "total ventas", "total de ventas", "suma total", "totals",
)  # fmt: skip

WITHOUT_VAT = re.compile(
    r"\bsin iva\b|\bnetos?\b|(?:\+|\bmas)\s*iva\b|\biva no incl|\b(?:without|excl?(?:uding|\.)?) vat\b|\bnet\b"
)
WITH_VAT = re.compile(r"\bcon iva\b|\biva incl|\b(?:with|incl?(?:uding|\.)?) vat\b|\bvat incl|\bgross\b")
"""What a price heading may say about VAT, in small letters."""

VAT_OF_TYPES = re.compile(r"((?:\b[0-9]{2}\b[\s,y&]*(?:and )?)+)((?:con|sin) iva|with(?:out)? vat)")
"""The same said by type of document, as the template's heading does: `01, 03 y 05 con IVA; 11 y 14 sin IVA`."""

_PARENTHESES = re.compile(r"\((?!\s*%\s*\))[^)]*\)|\[[^\]]*\]")
"""What a heading says in parentheses does not count, but for the per cent sign that makes another column of it."""
_OF_LINES = re.compile(
    r"\s*(?:l[ií]neas? (?:de la |del |de )?(?:orden|pedido|factura|venta)"
    r"|(?:sales? )?(?:order|invoice) ?(?:lines?|items?))\s*[/:]\s*(?=\S)",
    re.IGNORECASE,
)
"""«Líneas del pedido/Cantidad»: exports of related tables name the table first."""


def key_of(heading: str) -> str:
    """Return a heading as it is compared: `P. Unit. ($)` is `punit`, and `InvoiceNo` is `Invoice No.`."""
    text = _PARENTHESES.sub(" ", heading) if not heading.strip().startswith("(") else heading
    text = _OF_LINES.sub("", text, count=1)
    return letters_of(text)


_SAID_OF_VAT = ("con IVA", "sin IVA", "IVA incluido", "más IVA", "with VAT", "without VAT", "incl. VAT", "excl. VAT")
"""What a price heading may add without parentheses; what it says is the price basis (`columns.vat_said`)."""
# A price's own heading wins over what another makes with these words: the second mapping is laid over the first.
FIELD_OF: Mapping[str, str] = MappingProxyType(
    {key_of(f"{heading} {words}"): "unit_price" for heading in ALIASES["unit_price"] for words in _SAID_OF_VAT}
    | {key_of(heading): field for field, headings in ALIASES.items() for heading in headings}
)
LINE_TOTAL_KEYS = frozenset(map(key_of, LINE_TOTALS))
