"""THE table of fields: one row for everything that a sheet may say of a sale. Whoever deals with fields reads it.

Settings, headings, reading, rules, the provider's JSON, the workbook to fill in, masking, labels and the documentation
take their lists from here. `tests/model/test_fields.py` asks of every row that each of them knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType

from batch_issuer.messages import N_
from batch_issuer.model.documents import DOC_TYPES


class Owner(StrEnum):
    """Which value of `model/documents.py` holds a field."""

    LINE = "line"
    DOCUMENT = "document"
    CUSTOMER = "customer"


class ValueKind(StrEnum):
    """What a field's cells hold. It decides how they are read, and which rules without a table of their own hold."""

    TEXT = "text"
    REFERENCE = "reference"
    QUANTITY = "quantity"
    PRICE = "price"
    PERCENTAGE = "percentage"
    AMOUNT = "amount"
    WHOLE = "whole number"
    DATE = "date"
    YES_NO = "yes or no"
    TYPE = "type of document"
    CODE = "code or name"
    PLACE = "place, by code or name"
    TAX_IDENTITY = "NIT or DUI"
    REGISTER_NUMBER = "register number"
    PHONE = "telephone"
    EMAIL = "e-mail address"


NUMBERS = (ValueKind.QUANTITY, ValueKind.PRICE, ValueKind.PERCENTAGE, ValueKind.AMOUNT)
FREE_TEXTS = (ValueKind.TEXT, ValueKind.PHONE, ValueKind.REFERENCE)
"""What may hold any character, so that those which cannot be printed have to be looked for."""


class Travels(Enum):
    """How a field goes into the provider's JSON."""

    NEVER = auto()
    AS_TEXT = auto()
    AS_WHOLE = auto()
    """As a whole number."""
    BY_HAND = auto()
    """As code of its own in `provider/wire.py` writes it."""


class Mask(Enum):
    """What a report with `--mask` leaves of a field that is of a person."""

    INITIALS = auto()
    LAST_THREE = auto()


class Band(StrEnum):
    """Columns of the workbook to fill in that stand under one colour."""

    DOCUMENT = "document"
    LINE = "line"
    PAYMENT = "payment"
    CUSTOMER = "customer"
    ADJUSTMENT = "adjustment"


SALES = ("01", "03", "11")
WITH_CUSTOMER = (*SALES, "14")
"""The types that send a customer or a subject; a credit note has its CCF's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. Its attributes are in the order in which a sale meets them: sheet, JSON, rules, reports, template."""

    key: str
    """Its name under `[columns]` in the settings, in `--json` and in the code."""
    owner: Owner
    kind: ValueKind
    es: tuple[str, ...]
    en: tuple[str, ...]
    """Headings that are understood; the first of each language is the template's. The key is one if it is listed."""
    travels: Travels
    wire: str = ""
    """Its name in the provider's JSON; empty for what is never sent."""
    because: str = ""
    """Why it is never sent, or what its own code in `provider/wire.py` does."""
    doc_types: tuple[str, ...] = DOC_TYPES
    """The types for which it means something. What travels is sent with these and with no others."""
    longest: int = 0
    """Characters that are accepted; 0 where the shape or a catalog says it all."""
    length_rule: str = ""
    """The sentence, with its source, of the rule about `longest`; empty where other code looks after it."""
    shape: str = ""
    """What else its values must be, for the documentation; the rules by kind and by key look after it."""
    catalog: str = ""
    """The ministry's catalog of its codes (CAT-…), or `Ocote` for a list of the provider's own."""
    mask: Mask | None = None
    label: str
    """What it is called in reports; English, the key of its translation."""
    place: int = 0
    """Where its column stands in the workbook to fill in, from left to right, in tens; 0 where it has none."""
    titles: tuple[str, str] | None = None
    """Spanish and English heading in that workbook, where it says more than the first of the headings."""
    note: str = ""
    """What the workbook says of the column; English, the key of its translation."""
    band: Band = Band.DOCUMENT
    choices: str = ""
    """The list to choose from, by its name in the workbook; `yes_no` is none of the ministry's."""
    required: tuple[str, ...] = ()
    """Types that are not issued without it."""
    advised: tuple[str, ...] = ()
    """Types for which the workbook shows it, where these are fewer than `doc_types`."""
    too_long: str = ""
    """What the workbook answers to a text longer than `longest`; English, the key of its translation."""
    width: int = 16

    @property
    def attribute(self) -> str:
        """Return the attribute of its owner that holds it: a customer's are called as the provider calls them."""
        return self.wire if self.owner is Owner.CUSTOMER else self.key

    @property
    def headings(self) -> tuple[str, ...]:
        """Return every heading that is understood, Spanish first, each once."""
        return tuple(dict.fromkeys((*self.es, *self.en)))

    @property
    def used(self) -> tuple[str, ...]:
        """Return the types for which the workbook to fill in shows it."""
        return self.advised or self.doc_types

    def heading(self, language: str) -> str:
        """Return its heading in the workbook to fill in; both languages are read, whichever is spoken."""
        if self.titles:
            return self.titles[language == "en"]
        return (self.en if language == "en" else self.es)[0]


_NEVER_A_DATE = "The provider has no field for it: a document is issued with the date of the day on which it is sent."
_ONLY_TELLS_APART = "It tells sales apart and groups reports; the provider has no field for it."

TABLE = (
    Field(
        key="description", owner=Owner.LINE, kind=ValueKind.TEXT, label=N_("Description"),
        es=(
            "Descripción", "Descripción del producto", "Desc. producto", "Descrip.", "Descr.", "Detalle", "Producto",
            "Nombre del producto", "Artículo", "Concepto", "Bien o servicio", "Producto o servicio", "Mercadería",
            "Producto/Servicio", "Nombre artículo", "Descripción artículo", "Artículo descripción",
            "Descripción del servicio", "Líneas de factura/Etiqueta",
        ),
        en=(
            "Description", "Item name", "Product", "Product name", "Lineitem name", "Item description",
            "Line description", "Product/Service", "Invoice lines/Label", "Product title", "Menu item",
        ),
        travels=Travels.BY_HAND, wire="description", because="As it was written.",
        longest=1000, length_rule="A description has at most 1,000 characters (Ocote, POST /invoice; fe-fc-v1).",
        too_long=N_("A description has at most 1,000 characters."),
        place=50, band=Band.LINE, required=DOC_TYPES, width=36,
        note=N_("What was sold, as the document will show it. One row for each product or service."),
    ),
    Field(
        key="quantity", owner=Owner.LINE, kind=ValueKind.QUANTITY, label=N_("Quantity"),
        es=(
            "Cantidad", "Cant.", "Ctd.", "Cdad.", "Unidades", "Uds.", "Cantidad vendida", "Cantidades",
            "Cant. vendida", "Unidades vendidas", "No. unidades", "Pzas.", "Piezas",
        ),
        en=(
            "Quantity", "Qty", "Units", "Lineitem quantity", "Qty sold", "Quantity sold", "Items sold", "Units sold",
            "Item quantity", "Ordered quantity", "Quantity ordered",
        ),
        travels=Travels.BY_HAND, wire="quantity", because="As an exact decimal.",
        shape="above 0, at most 8 decimals",
        place=60, band=Band.LINE, required=DOC_TYPES, width=11,
        note=N_("How many; more than zero."),
    ),
    Field(
        key="unit_price", owner=Owner.LINE, kind=ValueKind.PRICE, label=N_("Unit price"),
        es=(
            "Precio unitario", "Precio", "Precio unit.", "P. Unit.", "P. Unitario", "Prec. Unit.", "P. U.",
            "Precio U.", "Precio por unidad", "Precio de venta", "Valor unitario", "V. Unit.", "Precio unidad",
            "Precio c/u", "Precio cada uno", "Precio unitario de venta", "Valor unidad", "Pr. unit.", "Prec. U.",
            "Precio x unidad", "P. venta", "P.V.P.",
        ),
        en=(
            "Unit price", "Price", "Lineitem price", "Price per unit", "Item price", "Sales price", "Sale price",
            "Selling price",
        ),
        travels=Travels.BY_HAND, wire="unit_price", because="With VAT added where the sheet has it without.",
        shape="above 0, at most 8 decimals",
        place=70, band=Band.LINE, required=DOC_TYPES, width=24,
        titles=(
            "Precio unitario (01, 03 y 05 con IVA; 11 y 14 sin IVA)",
            "Unit price (01, 03 and 05 with VAT; 11 and 14 without VAT)",
        ),
        note=N_(
            "The price of one. The heading says for which types it includes VAT: "
            "if yours are otherwise, change the heading, and prices in the settings."
        ),
    ),
    Field(
        key="discount_percentage", owner=Owner.LINE, kind=ValueKind.PERCENTAGE, label=N_("Discount (%)"),
        es=(
            "Descuento %", "% descuento", "% desc.", "Desc. %", "% dto.", "Dto. %", "Descuento (%)",
            "Porc. descuento",
        ),
        en=(
            "Discount %", "discount_percentage", "% discount", "Discount percent", "Discount (%)", "Disc. %",
            "% disc.",
        ),
        travels=Travels.BY_HAND, wire="discount_percentage",
        because="05 and 14 have no discount: their price is sent with it taken off.",
        doc_types=SALES, shape="0 to 99",
        place=80, band=Band.LINE, width=13,
        note=N_("Percentage taken off this row, from 0 to 99: write 10 for ten per cent."),
    ),
    Field(
        key="is_service", owner=Owner.LINE, kind=ValueKind.YES_NO, label=N_("Is a service"),
        es=("Es servicio",), en=("Is service",),
        travels=Travels.BY_HAND, wire="is_service", because="Only sent where it is yes.", doc_types=("14",),
        place=90, band=Band.LINE, choices="yes_no", width=11,
        note=N_("Only for 14: yes for a service, from which 10 % of income tax is withheld; no for goods."),
    ),
    Field(
        key="external_ref", owner=Owner.DOCUMENT, kind=ValueKind.REFERENCE, label=N_("Reference"),
        es=(
            "Referencia", "Referencia externa", "Ref.", "Pedido", "No. pedido", "Orden", "No. orden", "Factura",
            "No. factura", "Factura No.", "No. venta", "Ticket", "No. ticket", "No. documento",
            "Número de documento de venta", "No. doc.", "Correlativo", "Transacción", "No. transacción",
            "No. comprobante", "Folio", "Referencia de la orden", "Folio venta", "No. folio", "No. de operación",
            "Id venta", "Id pedido", "ID de orden", "ID factura", "Código de venta", "Referencia del pedido",
            "Nota de venta", "No. nota",
        ),
        en=(
            "Reference", "external_ref", "Order", "Order number", "Order ID", "Invoice", "Invoice No.", "Invoice ID",
            "Sale ID", "Sale number", "Transaction ID", "Receipt", "Receipt number", "Order reference", "Bill No.",
            "Sales order", "Sales order number", "Receipt ID",
        ),
        travels=Travels.BY_HAND, wire="external_ref", because="It comes first.",
        longest=100, too_long=N_("A reference has at most 100 characters."),
        place=10, required=DOC_TYPES, width=18,
        note=N_("Your own number of the sale. Rows with the same reference are one document; it never changes."),
    ),
    Field(
        key="doc_type", owner=Owner.DOCUMENT, kind=ValueKind.TYPE, label=N_("Document type"),
        es=(
            "Tipo de documento", "Tipo doc.", "Tipo DTE", "Tipo de comprobante", "Tipo de factura",
            "Tipo de documento tributario", "Clase de documento",
        ),
        en=("DTE type", "doc_type", "Invoice type"),
        travels=Travels.BY_HAND, wire="doc_type", because="05 and 14 say it by their route.",
        place=20, choices="types", required=("03", "05", "11", "14"), width=21,
        note=N_("Factura, crédito fiscal, nota de crédito, exportación or sujeto excluido. Empty is 01 Factura."),
    ),
    Field(
        key="date", owner=Owner.DOCUMENT, kind=ValueKind.DATE, label=N_("Date"),
        es=(
            "Fecha", "Fecha de venta", "Fecha factura", "Fecha emisión", "Fecha y hora", "Fecha documento",
            "Fecha pedido", "Fecha orden", "Fecha de operación", "Fecha transacción", "Fecha y hora de venta",
        ),
        en=(
            "Date", "Invoice date", "Sale date", "Order date", "Created at", "Issue date", "Date and time",
            "Transaction date", "Date created", "Bill date", "Sales date", "Receipt date", "Date sold",
        ),
        travels=Travels.NEVER, because=_NEVER_A_DATE,
        place=30, width=12,
        note=N_("The day of the sale, to compare: a document is issued with the date of the day on which it is sent."),
    ),
    Field(
        key="branch", owner=Owner.DOCUMENT, kind=ValueKind.TEXT, label=N_("Branch"),
        es=("Sucursal", "Tienda", "Local", "Establecimiento", "Punto de venta", "Nombre sucursal", "Nombre tienda"),
        en=("Branch", "Store", "Shop", "Location", "Branch name", "Store name"),
        travels=Travels.NEVER, because=_ONLY_TELLS_APART,
        place=40,
        note=N_("Shop or till, for your own reports. It is not sent."),
    ),
    Field(
        key="till", owner=Owner.DOCUMENT, kind=ValueKind.TEXT, label=N_("Cash register"),
        es=("Caja", "No. caja", "Número de caja", "Caja registradora", "Terminal", "No. terminal", "Punto de cobro"),
        en=("Cash register", "till", "Register", "POS", "POS terminal"),
        travels=Travels.NEVER, because=_ONLY_TELLS_APART,
    ),
    Field(
        key="customer_name", owner=Owner.DOCUMENT, kind=ValueKind.TEXT, label=N_("Customer"),
        es=(
            "Cliente", "Nombre cliente", "Comprador", "Receptor", "Nombre receptor", "Nombre", "Nombre completo",
            "Nombre de facturación",
        ),
        en=("Customer", "customer_name", "Client", "Client name", "Buyer", "Billing name"),
        travels=Travels.BY_HAND, wire="customer_name",
        because="It is the customer's name where there are more data of the customer, and the subject's in 14.",
        doc_types=WITH_CUSTOMER, longest=250, mask=Mask.INITIALS,
        length_rule="A name has at most 250 characters (fe-fc-v1 and fe-f-v2, receptor.nombre).",
        place=140, band=Band.CUSTOMER, required=("03", "14"), width=32,
        note=N_(
            "Name or registered name; it goes with any other data of the customer. For 14, whoever sells to you. "
            "Below $25,000 no consumer can be made to give it."
        ),
    ),
    Field(
        key="payment_method", owner=Owner.DOCUMENT, kind=ValueKind.CODE, label=N_("Payment method"),
        es=(
            "Forma de pago", "Método de pago", "Medio de pago", "Tipo de pago", "F. pago", "Método de pago utilizado",
        ),
        en=("Payment method", "Payment", "Payment type", "Payment method title", "Tender type"),
        travels=Travels.AS_TEXT, wire="payment_method", doc_types=SALES, catalog="CAT-017",
        place=100, band=Band.PAYMENT, choices="payments", width=34,
        note=N_("Choose from the list, or write the code or the name of CAT-017."),
    ),
    Field(
        key="transaction_condition", owner=Owner.DOCUMENT, kind=ValueKind.CODE, label=N_("Condition of sale"),
        es=("Condición de pago", "Condición", "Condición de la operación", "Condición de venta", "Cond. pago"),
        en=("Payment terms", "transaction_condition", "Terms"),
        travels=Travels.AS_WHOLE, wire="transaction_condition", doc_types=SALES, catalog="CAT-016",
        place=110, band=Band.PAYMENT, choices="conditions", width=18,
        note=N_("Cash, on credit or other."),
    ),
    Field(
        key="deadline", owner=Owner.DOCUMENT, kind=ValueKind.CODE, label=N_("Credit term"),
        es=("Unidad de plazo", "Plazo", "Tipo de plazo"), en=("Term unit", "deadline"),
        travels=Travels.AS_WHOLE, wire="deadline", doc_types=SALES, catalog="CAT-018",
        place=120, band=Band.PAYMENT, choices="terms",
        note=N_("On credit: whether the term is counted in days, months or years."),
    ),
    Field(
        key="period", owner=Owner.DOCUMENT, kind=ValueKind.WHOLE, label=N_("Credit period"),
        es=("Periodo de plazo", "Días de crédito"), en=("Term length", "period", "Credit days"),
        travels=Travels.AS_WHOLE, wire="period", doc_types=SALES, shape="1 or more",
        place=130, band=Band.PAYMENT, width=12,
        note=N_("On credit: how many of them; 30 for thirty days."),
    ),
    Field(
        key="activity_code", owner=Owner.DOCUMENT, kind=ValueKind.CODE, label=N_("Economic activity"),
        es=("Actividad económica emisor", "Cód. actividad emisor", "Giro emisor"),
        en=("Issuer activity", "activity_code"),
        travels=Travels.AS_TEXT, wire="activity_code", doc_types=SALES, catalog="CAT-019",
        place=300, choices="activities", width=26,
        note=N_("Only if your company has several activities and this sale is of another one."),
    ),
    Field(
        key="redirect_email", owner=Owner.DOCUMENT, kind=ValueKind.EMAIL, label=N_("E-mail for the document"),
        es=("Correo adicional", "Correo copia", "Copia a", "Enviar copia a"), en=("Email copy", "redirect_email"),
        travels=Travels.AS_TEXT, wire="redirect_email", doc_types=SALES, longest=100, shape="one address",
        mask=Mask.LAST_THREE,
        place=290, width=24,
        note=N_("One more address that gets a copy."),
    ),
    Field(
        key="total", owner=Owner.DOCUMENT, kind=ValueKind.AMOUNT, label=N_("Total"),
        es=(
            "Total del documento", "Total factura", "Total venta", "Total pedido", "Total orden", "Total a pagar",
            "Total ticket", "Total comprobante",
        ),
        en=(
            "Document total", "Invoice total", "Order total", "Bill total", "Receipt total", "Sale total",
        ),
        travels=Travels.NEVER, because="A control: the document is held back where its lines come to something else.",
        place=310,
        note=N_("What the document comes to by your own count: it is only compared, and held back if it differs."),
    ),
    Field(
        key="adjusts", owner=Owner.DOCUMENT, kind=ValueKind.REFERENCE, label=N_("Document adjusted"),
        es=(
            "Documento que ajusta", "Ajusta a", "Documento relacionado", "Doc. relacionado", "CCF relacionado",
            "CCF que ajusta", "Factura que ajusta",
        ),
        en=("Related document", "adjusts", "Original document", "Credited document"),
        travels=Travels.BY_HAND, wire="document_id", because="A UUID is sent in small letters.", doc_types=("05",),
        place=270, band=Band.ADJUSTMENT, required=("05",), width=24,
        note=N_("Only for 05: the reference, or the generation code, of the crédito fiscal that is credited."),
    ),
    Field(
        key="full_adjustment", owner=Owner.DOCUMENT, kind=ValueKind.YES_NO, label=N_("Adjusted in full"),
        es=("Ajuste total", "Anulación total", "Devolución total"), en=("Full adjustment", "Full refund"),
        travels=Travels.BY_HAND, wire="full_adjustment", because="In place of the lines.", doc_types=("05",),
        place=280, band=Band.ADJUSTMENT, choices="yes_no", width=12,
        note=N_("Only for 05: yes credits the whole document and invalidates it; no, only the rows that stand here."),
    ),
    Field(
        key="name", owner=Owner.CUSTOMER, kind=ValueKind.TEXT, label=N_("Customer's name"),
        es=(
            "Razón social", "Nombre o razón social", "Nombre, denominación o razón social", "Nombre del proveedor",
            "Proveedor", "Sujeto excluido", "Nombre del sujeto", "Razón social receptor", "Razón social cliente",
        ),
        en=("Legal name",),
        travels=Travels.AS_TEXT, wire="name", doc_types=WITH_CUSTOMER, longest=250, mask=Mask.INITIALS,
        length_rule="A name has at most 250 characters (fe-fc-v1 and fe-f-v2, receptor.nombre).",
    ),
    Field(
        key="nit", owner=Owner.CUSTOMER, kind=ValueKind.TAX_IDENTITY, label=N_("NIT"),
        es=("NIT", "NIT cliente", "No. NIT", "NIT receptor", "NIT/DUI", "NIT o DUI", "NIT / DUI cliente"),
        en=("NIT", "Tax ID"),
        travels=Travels.AS_TEXT, wire="nit", doc_types=WITH_CUSTOMER, mask=Mask.LAST_THREE,
        shape="14 digits, or the 9 of a DUI; the 3 to 20 characters of another document, where its kind says so",
        place=160, band=Band.CUSTOMER, required=("03",), width=20,
        note=N_("14 digits, or the 9 of the DUI that replaces it; hyphens may stay. Also the number of a passport."),
    ),
    Field(
        key="nrc", owner=Owner.CUSTOMER, kind=ValueKind.REGISTER_NUMBER, label=N_("NRC"),
        es=("NRC", "NRC cliente", "No. NRC", "No. registro", "Registro IVA", "Registro fiscal"), en=("NRC",),
        travels=Travels.AS_TEXT, wire="nrc", doc_types=SALES, shape="2 to 8 digits", mask=Mask.LAST_THREE,
        place=180, band=Band.CUSTOMER, required=("03",), advised=("01", "03"), width=12,
        note=N_("The number of the VAT register, 2 to 8 digits, with or without hyphen."),
    ),
    Field(
        key="dui", owner=Owner.CUSTOMER, kind=ValueKind.TAX_IDENTITY, label=N_("DUI"),
        es=("DUI", "DUI cliente", "No. DUI", "DUI receptor"), en=("DUI",),
        travels=Travels.AS_TEXT, wire="dui", doc_types=WITH_CUSTOMER, shape="9 digits", mask=Mask.LAST_THREE,
        place=170, band=Band.CUSTOMER, width=13,
        note=N_("9 digits, with or without hyphen."),
    ),
    Field(
        key="document_type", owner=Owner.CUSTOMER, kind=ValueKind.CODE, label=N_("Identity document"),
        es=(
            "Tipo de identificación", "Tipo doc. cliente", "Tipo documento cliente",
            "Tipo de documento de identificación",
        ),
        en=("Identification type", "document_type", "ID type"),
        travels=Travels.AS_TEXT, wire="document_type", doc_types=WITH_CUSTOMER, catalog="CAT-022",
        place=150, band=Band.CUSTOMER, choices="identities", width=20,
        note=N_("Which document identifies the customer; needed where the column NIT holds another number."),
    ),
    Field(
        key="type_contributor", owner=Owner.CUSTOMER, kind=ValueKind.CODE, label=N_("Kind of taxpayer"),
        es=("Tipo de contribuyente", "Tamaño contribuyente", "Clase de contribuyente"),
        en=("Contributor type", "type_contributor", "Taxpayer type"),
        travels=Travels.AS_WHOLE, wire="type_contributor", doc_types=SALES, catalog="Ocote",
        place=190, band=Band.CUSTOMER, choices="contributors", required=("03",), advised=("01", "03"),
        note=N_("Large taxpayers and the government withhold 1 % from $100 on, without VAT."),
    ),
    Field(
        key="favorite_doc", owner=Owner.CUSTOMER, kind=ValueKind.CODE, label=N_("Usual document"),
        es=("Documento favorito", "Documento preferido"), en=("Preferred document", "favorite_doc"),
        travels=Travels.AS_TEXT, wire="favorite_doc", doc_types=SALES, catalog="CAT-002",
    ),
    Field(
        key="address", owner=Owner.CUSTOMER, kind=ValueKind.TEXT, label=N_("Address"),
        es=("Dirección", "Dirección cliente", "Domicilio", "Direc.", "Dir.", "Dirección de facturación"),
        en=("Address", "Customer address", "Billing address", "Address 1"),
        travels=Travels.AS_TEXT, wire="address", doc_types=WITH_CUSTOMER, longest=200, mask=Mask.INITIALS,
        length_rule="An address has at most 200 characters (fe-fc-v1 and fe-f-v2, receptor.direccion.complemento).",
        too_long=N_("An address has at most 200 characters."),
        place=240, band=Band.CUSTOMER, width=32,
        note=N_("Street, number and settlement; up to 200 characters."),
    ),
    Field(
        key="customer_activity_code", owner=Owner.CUSTOMER, kind=ValueKind.CODE,
        label=N_("Customer's economic activity"),
        es=(
            "Actividad económica", "Giro", "Código de actividad", "Cód. actividad", "Giro cliente",
            "Actividad económica cliente",
        ),
        en=("Economic activity", "customer_activity_code", "Customer activity"),
        travels=Travels.AS_TEXT, wire="activity_code", doc_types=WITH_CUSTOMER, catalog="CAT-019",
        place=200, band=Band.CUSTOMER, choices="activities", width=30,
        note=N_("The customer's activity (CAT-019), by code or name; the sheet of lists has all of them."),
    ),
    Field(
        key="district", owner=Owner.CUSTOMER, kind=ValueKind.PLACE, label=N_("District"),
        es=("Distrito",), en=("District",),
        travels=Travels.AS_TEXT, wire="district", doc_types=WITH_CUSTOMER, catalog="CAT-008",
        place=230, band=Band.CUSTOMER, choices="districts", width=22,
        note=N_("The town, which was a municipality until 2024. Alone it is enough where no other town has its name."),
    ),
    Field(
        key="department", owner=Owner.CUSTOMER, kind=ValueKind.PLACE, label=N_("Department"),
        es=("Departamento", "Depto.", "Dpto.", "Depto. cliente"), en=("Department",),
        travels=Travels.AS_TEXT, wire="department", doc_types=WITH_CUSTOMER, catalog="CAT-012",
        place=210, band=Band.CUSTOMER, choices="departments",
        note=N_("Choose it first: the lists of municipalities and districts follow it."),
    ),
    Field(
        key="municipality", owner=Owner.CUSTOMER, kind=ValueKind.PLACE, label=N_("Municipality"),
        es=("Municipio", "Mun.", "Mpio."), en=("Municipality",),
        travels=Travels.AS_TEXT, wire="municipality", doc_types=WITH_CUSTOMER, catalog="CAT-013",
        place=220, band=Band.CUSTOMER, choices="municipalities", width=22,
        note=N_("One of the 44 municipalities since May 2024; it goes with the department."),
    ),
    Field(
        key="email", owner=Owner.CUSTOMER, kind=ValueKind.EMAIL, label=N_("E-mail"),
        es=(
            "Correo", "Correo electrónico", "Correo cliente", "Correo elec.", "Email cliente",
            "Correo de facturación", "Correo electrónico del cliente",
        ),
        en=("Email", "Mail", "Customer email", "Email address", "Billing email"),
        travels=Travels.AS_TEXT, wire="email", doc_types=WITH_CUSTOMER, longest=100, shape="one address",
        mask=Mask.LAST_THREE,
        place=250, band=Band.CUSTOMER, width=28,
        note=N_("Where the customer receives the document: one address."),
    ),
    Field(
        key="phone", owner=Owner.CUSTOMER, kind=ValueKind.PHONE, label=N_("Telephone"),
        es=("Teléfono", "Tel.", "Teléfono cliente", "No. teléfono"), en=("Phone", "Phone number", "Customer phone"),
        travels=Travels.AS_TEXT, wire="phone", doc_types=WITH_CUSTOMER, longest=30, shape="8 characters or more",
        mask=Mask.LAST_THREE,
        place=260, band=Band.CUSTOMER, width=13,
        note=N_("8 to 30 characters."),
    ),
)  # fmt: skip
"""Lines, documents, customers, each in the order in which settings list them and the provider's JSON has them.

Within a customer or document the JSON has texts before whole numbers; that order is part of every fingerprint, so a
field that travels is added behind those of its kind that are there.
"""

BY_KEY: Mapping[str, Field] = MappingProxyType({field.key: field for field in TABLE})


def keys(*kinds: ValueKind) -> tuple[str, ...]:
    """Return the keys of the fields of these kinds, in the order of the table."""
    return tuple(field.key for field in TABLE if field.kind in kinds)


def keys_of(owner: Owner) -> tuple[str, ...]:
    """Return the keys of the fields that lines, documents or customers hold, in the order of the table."""
    return tuple(field.key for field in TABLE if field.owner is owner)


CUSTOMER_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {field.key: field.attribute for field in TABLE if field.owner is Owner.CUSTOMER}
)
"""A customer's fields, and the attribute of `Customer` that holds each: two activities go by one name on the wire."""


_WHAT = re.compile(r"(?:line (?P<line>\d+): |lines\[(?P<index>\d+)\]\.|(?P<person>customer|subject)\.)?(?P<name>\w+)")
_KEY_OF_WIRE = {(field.owner is Owner.CUSTOMER, field.wire): field.key for field in TABLE if field.wire}


def named(what: str) -> tuple[int, str]:
    """Return the line, from 1 or 0 for none, and the key of the field that a comparison of two documents names.

    It says `customer.nit`, `lines[3].quantity` or `document_id`, as the provider's JSON does; ledgers of before also
    say `line 3: quantity`. What names no field of ours is given back as it is.
    """
    found = _WHAT.fullmatch(what)
    if found is None:
        return 0, what
    key = _KEY_OF_WIRE.get((bool(found["person"]), found["name"]), found["name"])
    return int(found["line"] or found["index"] or 0), key
