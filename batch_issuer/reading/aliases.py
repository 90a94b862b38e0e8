"""The headings that are understood, in Spanish and English. Accents, capitals, spaces and punctuation do not count.

A heading that could mean two things stands nowhere here: it is mapped in the settings or ignored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "external_ref": (
            "external_ref", "Referencia", "Referencia externa", "Ref.", "Reference", "Order", "Order number",
            "Order ID", "Order No.", "Pedido", "No. pedido", "Número de pedido", "N.º de pedido", "Orden",
            "No. orden", "Número de orden", "Factura", "No. factura", "Núm. factura", "Número factura",
            "Número de factura", "N.º factura", "# factura", "Factura No.", "Factura #", "Invoice", "Invoice No.",
            "Invoice number", "Invoice ID", "No. venta", "Número de venta", "N.º venta", "Sale ID", "Sale number",
            "Ticket", "No. ticket", "Número de ticket", "No. documento", "Número de documento de venta", "No. doc.",
            "Correlativo", "Transacción", "No. transacción", "Transaction ID", "Receipt", "Receipt number",
            "No. comprobante", "Número de comprobante", "Folio",
        ),
        "doc_type": (
            "doc_type", "Tipo de documento", "Tipo documento", "Tipo doc.", "Tipo DTE", "Tipo de DTE",
            "Tipo de comprobante", "Tipo comprobante", "Tipo de factura",
        ),
        "date": (
            "date", "Fecha", "Fecha de venta", "Fecha venta", "Fecha factura", "Fecha de factura", "Fecha emisión",
            "Fecha de emisión", "Fecha y hora", "Fecha documento", "Fecha del documento", "Fecha pedido",
            "Fecha orden", "Invoice date", "Sale date", "Order date", "Created at", "Issue date", "Date and time",
        ),
        "branch": ("branch", "Sucursal", "Tienda", "Local", "Establecimiento", "Store", "Shop", "Punto de venta"),
        "customer_name": (
            "customer_name", "Cliente", "Nombre cliente", "Nombre del cliente", "Nombre de cliente", "Customer",
            "Customer name", "Client", "Client name", "Buyer", "Comprador", "Receptor", "Nombre receptor",
            "Nombre del receptor", "Nombre", "Nombre completo",
        ),
        "payment_method": (
            "payment_method", "Forma de pago", "Forma pago", "Método de pago", "Metodo pago", "Medio de pago",
            "Tipo de pago", "F. pago", "Payment method", "Payment", "Payment type",
        ),
        "transaction_condition": (
            "transaction_condition", "Condición", "Condición de pago", "Condición de la operación",
            "Condición de operación", "Condición de venta", "Cond. pago", "Payment terms", "Terms",
        ),
        "deadline": ("deadline", "Plazo", "Unidad de plazo", "Tipo de plazo", "Term unit"),
        "period": ("period", "Periodo de plazo", "Días de crédito", "Días crédito", "Credit days"),
        "activity_code": ("activity_code", "Actividad económica emisor", "Cód. actividad emisor", "Giro emisor"),
        "redirect_email": (
            "redirect_email", "Correo copia", "Correo adicional", "Copia a", "Enviar copia a", "Email copy",
        ),
        "total": (
            "Total factura", "Total de la factura", "Total documento", "Total del documento", "Total venta",
            "Total de la venta", "Total pedido", "Total orden", "Invoice total", "Order total", "Document total",
            "Total a pagar",
        ),
        "adjusts": (
            "adjusts", "Documento que ajusta", "Ajusta a", "Documento relacionado", "Doc. relacionado",
            "CCF relacionado", "CCF que ajusta", "Factura que ajusta", "Related document", "Original document",
            "Credited document",
        ),
        "full_adjustment": (
            "full_adjustment", "Ajuste total", "Anulación total", "Devolución total", "Full adjustment",
            "Full refund",
        ),
        "name": (
            "Razón social", "Nombre o razón social", "Nombre, denominación o razón social", "Legal name",
            "Nombre del proveedor", "Proveedor", "Sujeto excluido", "Nombre del sujeto",
        ),
        "nit": (
            "nit", "NIT cliente", "NIT del cliente", "No. NIT", "Número de NIT", "NIT receptor", "N.I.T.", "Tax ID",
        ),
        "nrc": (
            "nrc", "NRC cliente", "NRC del cliente", "No. NRC", "No. registro", "Número de registro", "Registro IVA",
            "N.R.C.", "Registro fiscal", "No. de registro",
        ),
        "dui": ("dui", "DUI cliente", "DUI del cliente", "No. DUI", "Número de DUI", "D.U.I.", "DUI receptor"),
        "document_type": (
            "document_type", "Tipo de identificación", "Tipo identificación", "Tipo doc. cliente",
            "Tipo documento cliente", "Tipo de documento del cliente", "Tipo de documento de identificación",
            "Identification type", "ID type",
        ),
        "type_contributor": (
            "type_contributor", "Tipo de contribuyente", "Tipo contribuyente", "Tamaño contribuyente",
            "Clase de contribuyente", "Contributor type", "Taxpayer type",
        ),
        "favorite_doc": ("favorite_doc", "Documento favorito", "Documento preferido", "Preferred document"),
        "address": (
            "address", "Dirección", "Dirección cliente", "Dirección del cliente", "Domicilio", "Direc.", "Dir.",
            "Customer address",
        ),
        "customer_activity_code": (
            "customer_activity_code", "Giro", "Actividad económica", "Código de actividad", "Cód. actividad",
            "Código actividad", "Giro cliente", "Actividad económica cliente", "Giro del cliente",
        ),
        "district": ("district", "Distrito"),
        "department": ("department", "Departamento", "Depto.", "Dpto.", "Depto. cliente"),
        "municipality": ("municipality", "Municipio", "Mun.", "Mpio."),
        "email": (
            "email", "e-mail", "Correo", "Correo electrónico", "Correo cliente", "Correo del cliente", "Correo elec.",
            "Mail", "Email cliente", "Customer email", "Email address",
        ),
        "phone": ("phone", "Teléfono", "Tel.", "Teléfono cliente", "Phone number", "Customer phone", "No. teléfono"),
        "description": (
            "description", "Descripción", "Descripción del producto", "Descripción producto", "Desc. producto",
            "Descrip.", "Descr.", "Detalle", "Producto", "Nombre del producto", "Nombre producto", "Artículo",
            "Concepto", "Bien o servicio", "Producto o servicio", "Mercadería", "Item name", "Product",
            "Product name", "Lineitem name", "Item description", "Line description",
        ),
        "quantity": (
            "quantity", "Cantidad", "Cant.", "Ctd.", "Cdad.", "Unidades", "Uds.", "Qty", "Qty.", "Units",
            "Lineitem quantity", "Cantidad vendida",
        ),
        "unit_price": (
            "unit_price", "Precio", "Precio unitario", "Precio unit.", "P. Unit.", "P. Unitario", "Prec. Unit.",
            "P. U.", "P/U", "Precio U.", "Precio por unidad", "Precio de venta", "Precio venta", "Valor unitario",
            "V. Unit.", "Unit price", "Price", "Lineitem price", "Price per unit", "Item price",
        ),
        "discount_percentage": (
            "discount_percentage", "% descuento", "Descuento %", "Porcentaje de descuento", "Porcentaje descuento",
            "% desc.", "Desc. %", "% dto.", "Dto. %", "Discount %", "% discount", "Discount percentage",
            "Discount percent",
        ),
        "is_service": ("is_service", "Es servicio", "Is service"),
    }
)  # fmt: skip
"""Our field, then its headings. Equal headings under two fields would be a mistake; a test looks for it."""

LINE_TOTALS = (
    "Total", "Importe", "Subtotal", "Sub total", "Monto", "Valor", "Total línea", "Total de línea", "Venta total",
    "Amount", "Line total", "Ventas gravadas", "Total IVA incluido",
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

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_SIGNS = str.maketrans({"#": " numero ", "%": " porcentaje ", "º": "o", "°": "o", "ª": "a", "№": " numero "})
_SHORT = re.compile(r"\b(?:no|nro|num|nr|n\s*o|nbr|number|numero)\b")


def key_of(heading: str) -> str:
    """A heading as it is compared: `P. Unit. ($)` is `p unit`, and `InvoiceNo` is `Invoice No.`."""
    text = _PARENTHESES.sub(" ", heading) if not heading.strip().startswith("(") else heading
    return letters_of(text)


def letters_of(heading: str) -> str:
    """Letters and digits only, without accents or capitals; `No.`, `Nº`, `#` and `Número` are one word."""
    text = _CAMEL.sub(" ", heading).translate(_SIGNS)
    text = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    text = re.sub(r"[^0-9a-z]+", " ", text.casefold())
    return _SHORT.sub("no", text).replace(" ", "")


FIELD_OF: Mapping[str, str] = MappingProxyType(
    {key_of(heading): field for field, headings in ALIASES.items() for heading in headings}
)
LINE_TOTAL_KEYS = frozenset(map(key_of, LINE_TOTALS))
