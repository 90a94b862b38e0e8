"""The headings that are understood, in Spanish and English. Accents, capitals, spaces and punctuation do not count.

A heading that could mean two things stands nowhere here: it is mapped in the settings or ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from batch_issuer.reading.cells.letters import letters_of

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "external_ref": (
            "external_ref", "Referencia", "Referencia externa", "Ref.", "Reference", "Order", "Order number",
            "Order ID", "Pedido", "No. pedido", "Orden", "No. orden", "Factura", "No. factura", "Factura No.",
            "Invoice", "Invoice No.", "Invoice ID", "No. venta", "Sale ID", "Sale number", "Ticket", "No. ticket",
            "No. documento", "Número de documento de venta", "No. doc.", "Correlativo", "Transacción",
            "No. transacción", "Transaction ID", "Receipt", "Receipt number", "No. comprobante", "Folio",
            "Order reference", "Referencia de la orden", "Folio venta", "No. folio", "Bill No.", "Sales order",
            "Sales order number",
            "No. de operación", "Id venta", "Id pedido", "ID de orden", "ID factura", "Código de venta",
            "Referencia del pedido", "Receipt ID", "Nota de venta",
            "No. nota",
        ),
        "doc_type": (
            "doc_type", "Tipo de documento", "Tipo doc.", "Tipo DTE", "Tipo de comprobante", "Tipo de factura",
            "Tipo de documento tributario", "Clase de documento", "DTE type", "Invoice type",
        ),
        "date": (
            "date", "Fecha", "Fecha de venta", "Fecha factura", "Fecha emisión", "Fecha y hora", "Fecha documento",
            "Fecha pedido", "Fecha orden", "Invoice date", "Sale date", "Order date", "Created at", "Issue date",
            "Date and time", "Fecha de operación", "Transaction date", "Date created", "Fecha transacción",
            "Fecha y hora de venta", "Bill date", "Sales date", "Receipt date", "Date sold",
        ),
        "branch": (
            "branch", "Sucursal", "Tienda", "Local", "Establecimiento", "Store", "Shop", "Punto de venta", "Location",
            "Nombre sucursal", "Branch name", "Store name", "Nombre tienda",
        ),
        "till": (
            "till", "Caja", "No. caja", "Número de caja", "Caja registradora", "Terminal", "No. terminal",
            "Cash register", "Register", "Punto de cobro", "POS", "POS terminal",
        ),
        "customer_name": (
            "customer_name", "Cliente", "Nombre cliente", "Customer", "Client", "Client name", "Buyer", "Comprador",
            "Receptor", "Nombre receptor", "Nombre", "Nombre completo", "Billing name", "Nombre de facturación",
        ),
        "payment_method": (
            "payment_method", "Forma de pago", "Método de pago", "Medio de pago", "Tipo de pago", "F. pago", "Payment",
            "Payment type", "Payment method title", "Método de pago utilizado", "Tender type",
        ),
        "transaction_condition": (
            "transaction_condition", "Condición", "Condición de pago", "Condición de la operación",
            "Condición de venta", "Cond. pago", "Payment terms", "Terms",
        ),
        "deadline": ("deadline", "Plazo", "Unidad de plazo", "Tipo de plazo", "Term unit"),
        "period": ("period", "Periodo de plazo", "Días de crédito", "Credit days", "Term length"),
        "activity_code": (
            "activity_code", "Actividad económica emisor", "Cód. actividad emisor", "Giro emisor", "Issuer activity",
        ),
        "redirect_email": (
            "redirect_email", "Correo copia", "Correo adicional", "Copia a", "Enviar copia a", "Email copy",
        ),
        "total": (
            "Total factura", "Total documento", "Total venta", "Total pedido", "Total orden", "Invoice total",
            "Order total", "Document total", "Total a pagar", "Total ticket", "Total comprobante", "Bill total",
            "Receipt total", "Sale total",
        ),
        "adjusts": (
            "adjusts", "Documento que ajusta", "Ajusta a", "Documento relacionado", "Doc. relacionado",
            "CCF relacionado", "CCF que ajusta", "Factura que ajusta", "Related document", "Original document",
            "Credited document",
        ),
        "full_adjustment": ("full_adjustment", "Ajuste total", "Anulación total", "Devolución total", "Full refund"),
        "name": (
            "Razón social", "Nombre o razón social", "Nombre, denominación o razón social", "Legal name",
            "Nombre del proveedor", "Proveedor", "Sujeto excluido", "Nombre del sujeto", "Razón social receptor",
            "Razón social cliente",
        ),
        "nit": (
            "nit", "NIT cliente", "No. NIT", "NIT receptor", "Tax ID", "NIT/DUI", "NIT o DUI", "NIT / DUI cliente",
        ),
        "nrc": ("nrc", "NRC cliente", "No. NRC", "No. registro", "Registro IVA", "Registro fiscal"),
        "dui": ("dui", "DUI cliente", "No. DUI", "DUI receptor"),
        "document_type": (
            "document_type", "Tipo de identificación", "Tipo doc. cliente", "Tipo documento cliente",
            "Tipo de documento de identificación", "Identification type", "ID type",
        ),
        "type_contributor": (
            "type_contributor", "Tipo de contribuyente", "Tamaño contribuyente", "Clase de contribuyente",
            "Contributor type", "Taxpayer type",
        ),
        "favorite_doc": ("favorite_doc", "Documento favorito", "Documento preferido", "Preferred document"),
        "address": (
            "address", "Dirección", "Dirección cliente", "Domicilio", "Direc.", "Dir.", "Customer address",
            "Billing address", "Dirección de facturación", "Address 1",
        ),
        "customer_activity_code": (
            "customer_activity_code", "Giro", "Actividad económica", "Código de actividad", "Cód. actividad",
            "Giro cliente", "Actividad económica cliente", "Economic activity", "Customer activity",
        ),
        "district": ("district", "Distrito"),
        "department": ("department", "Departamento", "Depto.", "Dpto.", "Depto. cliente"),
        "municipality": ("municipality", "Municipio", "Mun.", "Mpio."),
        "email": (
            "email", "Correo", "Correo electrónico", "Correo cliente", "Correo elec.", "Mail", "Email cliente",
            "Customer email", "Email address", "Billing email", "Correo de facturación",
            "Correo electrónico del cliente",
        ),
        "phone": ("phone", "Teléfono", "Tel.", "Teléfono cliente", "Phone number", "Customer phone", "No. teléfono"),
        "description": (
            "description", "Descripción", "Descripción del producto", "Desc. producto", "Descrip.", "Descr.",
            "Detalle", "Producto", "Nombre del producto", "Artículo", "Concepto", "Bien o servicio",
            "Producto o servicio", "Mercadería", "Item name", "Product", "Product name", "Lineitem name",
            "Item description", "Line description", "Product/Service", "Producto/Servicio", "Nombre artículo",
            "Descripción artículo", "Artículo descripción", "Descripción del servicio",

            "Invoice lines/Label",
            "Líneas de factura/Etiqueta", "Product title", "Menu item",
        ),
        "quantity": (
            "quantity", "Cantidad", "Cant.", "Ctd.", "Cdad.", "Unidades", "Uds.", "Qty", "Units", "Lineitem quantity",
            "Cantidad vendida", "Cantidades", "Cant. vendida", "Qty sold", "Quantity sold", "Items sold",
            "Unidades vendidas", "No. unidades",
            "Units sold", "Item quantity", "Ordered quantity",
            "Quantity ordered", "Pzas.", "Piezas",
        ),
        "unit_price": (
            "unit_price", "Precio", "Precio unitario", "Precio unit.", "P. Unit.", "P. Unitario", "Prec. Unit.",
            "P. U.", "Precio U.", "Precio por unidad", "Precio de venta", "Valor unitario", "V. Unit.", "Price",
            "Lineitem price", "Price per unit", "Item price", "Sales price", "Sale price", "Precio unidad",

            "Precio c/u", "Precio cada uno", "Precio unitario de venta",
            "Selling price", "Valor unidad", "Pr. unit.", "Prec. U.", "Precio x unidad", "P. venta", "P.V.P.",
        ),
        "discount_percentage": (
            "discount_percentage", "% descuento", "Descuento %", "% desc.", "Desc. %", "% dto.", "Dto. %",
            "Discount %", "% discount", "Discount percent", "Descuento (%)",
            "Discount (%)", "Porc. descuento", "Disc. %", "% disc.",

        ),
        "is_service": ("is_service", "Es servicio"),
    }
)  # fmt: skip
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
    """A heading as it is compared: `P. Unit. ($)` is `p unit`, and `InvoiceNo` is `Invoice No.`."""
    text = _PARENTHESES.sub(" ", heading) if not heading.strip().startswith("(") else heading
    text = _OF_LINES.sub("", text, count=1)
    return letters_of(text)


_SAID_OF_VAT = ("con IVA", "sin IVA", "IVA incluido", "más IVA", "with VAT", "without VAT", "incl. VAT", "excl. VAT")
"""What a price heading may add without parentheses; what it says is the price basis (`columns.vat_said`)."""
FIELD_OF: Mapping[str, str] = MappingProxyType(
    {key_of(f"{heading} {words}"): "unit_price" for heading in ALIASES["unit_price"] for words in _SAID_OF_VAT}
    | {key_of(heading): field for field, headings in ALIASES.items() for heading in headings}
)
LINE_TOTAL_KEYS = frozenset(map(key_of, LINE_TOTALS))
