"""The columns of the workbook to fill in: heading, what it is, for which types, and what may stand in its cells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from batch_issuer.messages import N_
from batch_issuer.model.documents import DOC_TYPES


class Group(StrEnum):
    """What a column tells about."""

    DOCUMENT = "document"
    LINE = "line"
    PAYMENT = "payment"
    CUSTOMER = "customer"
    ADJUSTMENT = "adjustment"


class Cells(StrEnum):
    """How the cells of a column take what is typed into them."""

    TEXT = "text"
    QUANTITY = "quantity"
    PRICE = "price"
    PERCENTAGE = "percentage"
    AMOUNT = "amount"
    DATE = "date"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateColumn:
    """One column."""

    field: str
    es: str
    en: str
    """Its heading in each language: both are read, whichever is spoken."""
    note: str
    group: Group
    cells: Cells = Cells.TEXT
    values: str = ""
    """The list to choose from, by its name; `yes_no` is none of the ministry's."""
    required: tuple[str, ...] = ()
    """Types that are not issued without it."""
    used: tuple[str, ...] = DOC_TYPES
    """Types for which it means something."""
    width: int = 16

    def heading(self, language: str) -> str:
        return self.en if language == "en" else self.es


_SALES = ("01", "03", "11")
_WITH_CUSTOMER = ("01", "03", "11", "14")

COLUMNS = (
    TemplateColumn(
        field="external_ref", es="Referencia", en="Reference",
        note=N_("Your own number of the sale. Rows with the same reference are one document; it never changes."),
        group=Group.DOCUMENT, required=DOC_TYPES, width=18,
    ),
    TemplateColumn(
        field="doc_type", es="Tipo de documento", en="DTE type",
        note=N_("Factura, crédito fiscal, nota de crédito, exportación or sujeto excluido. Empty is 01 Factura."),
        group=Group.DOCUMENT, values="types", required=("03", "05", "11", "14"), width=21,
    ),
    TemplateColumn(
        field="date", es="Fecha", en="Date",
        note=N_("The day of the sale, to compare: a document is issued with the date of the day on which it is sent."),
        group=Group.DOCUMENT, cells=Cells.DATE, width=12,
    ),
    TemplateColumn(
        field="branch", es="Sucursal", en="Branch",
        note=N_("Shop or till, for your own reports. It is not sent."),
        group=Group.DOCUMENT,
    ),
    TemplateColumn(
        field="description", es="Descripción", en="Description",
        note=N_("What was sold, as the document will show it. One row for each product or service."),
        group=Group.LINE, required=DOC_TYPES, width=36,
    ),
    TemplateColumn(
        field="quantity", es="Cantidad", en="Quantity",
        note=N_("How many; more than zero."),
        group=Group.LINE, cells=Cells.QUANTITY, required=DOC_TYPES, width=11,
    ),
    TemplateColumn(
        field="unit_price",
        es="Precio unitario (01, 03 y 05 con IVA; 11 y 14 sin IVA)",
        en="Unit price (01, 03 and 05 with VAT; 11 and 14 without VAT)",
        note=N_(
            "The price of one. The heading says for which types it includes VAT: "
            "if yours are otherwise, change the heading, and prices in the settings."
        ),
        group=Group.LINE, cells=Cells.PRICE, required=DOC_TYPES, width=24,
    ),
    TemplateColumn(
        field="discount_percentage", es="Descuento %", en="Discount %",
        note=N_("Percentage taken off this row, from 0 to 99: write 10 for ten per cent."),
        group=Group.LINE, cells=Cells.PERCENTAGE, used=_SALES, width=13,
    ),
    TemplateColumn(
        field="is_service", es="Es servicio", en="Is service",
        note=N_("Only for 14: yes for a service, from which 10 % of income tax is withheld; no for goods."),
        group=Group.LINE, values="yes_no", used=("14",), width=11,
    ),
    TemplateColumn(
        field="payment_method", es="Forma de pago", en="Payment method",
        note=N_("Choose from the list, or write the code or the name of CAT-017."),
        group=Group.PAYMENT, values="payments", used=_SALES, width=34,
    ),
    TemplateColumn(
        field="transaction_condition", es="Condición de pago", en="Payment terms",
        note=N_("Cash, on credit or other."),
        group=Group.PAYMENT, values="conditions", used=_SALES, width=18,
    ),
    TemplateColumn(
        field="deadline", es="Unidad de plazo", en="Term unit",
        note=N_("On credit: whether the term is counted in days, months or years."),
        group=Group.PAYMENT, values="terms", used=_SALES, width=16,
    ),
    TemplateColumn(
        field="period", es="Periodo de plazo", en="Term length",
        note=N_("On credit: how many of them; 30 for thirty days."),
        group=Group.PAYMENT, cells=Cells.WHOLE, used=_SALES, width=12,
    ),
    TemplateColumn(
        field="customer_name", es="Cliente", en="Customer",
        note=N_(
            "Name or registered name; it goes with any other data of the customer. For 14, whoever sells to you. "
            "Below $25,000 no consumer can be made to give it."
        ),
        group=Group.CUSTOMER, required=("03", "14"), used=_WITH_CUSTOMER, width=32,
    ),
    TemplateColumn(
        field="document_type", es="Tipo de identificación", en="Identification type",
        note=N_("Which document identifies the customer; needed where the column NIT holds another number."),
        group=Group.CUSTOMER, values="identities", used=_WITH_CUSTOMER, width=20,
    ),
    TemplateColumn(
        field="nit", es="NIT", en="NIT",
        note=N_("14 digits, or the 9 of the DUI that replaces it; hyphens may stay. Also the number of a passport."),
        group=Group.CUSTOMER, required=("03",), used=_WITH_CUSTOMER, width=20,
    ),
    TemplateColumn(
        field="dui", es="DUI", en="DUI",
        note=N_("9 digits, with or without hyphen."),
        group=Group.CUSTOMER, used=_WITH_CUSTOMER, width=13,
    ),
    TemplateColumn(
        field="nrc", es="NRC", en="NRC",
        note=N_("The number of the VAT register, 2 to 8 digits, with or without hyphen."),
        group=Group.CUSTOMER, required=("03",), used=("01", "03"), width=12,
    ),
    TemplateColumn(
        field="type_contributor", es="Tipo de contribuyente", en="Contributor type",
        note=N_("Large taxpayers and the government withhold 1 % from $100 on, without VAT."),
        group=Group.CUSTOMER, values="contributors", required=("03",), used=("01", "03"), width=16,
    ),
    TemplateColumn(
        field="customer_activity_code", es="Actividad económica", en="Economic activity",
        note=N_("The customer's activity (CAT-019), by code or name; the sheet of lists has all of them."),
        group=Group.CUSTOMER, values="activities", used=_WITH_CUSTOMER, width=30,
    ),
    TemplateColumn(
        field="department", es="Departamento", en="Department",
        note=N_("Choose it first: the lists of municipalities and districts follow it."),
        group=Group.CUSTOMER, values="departments", used=_WITH_CUSTOMER, width=16,
    ),
    TemplateColumn(
        field="municipality", es="Municipio", en="Municipality",
        note=N_("One of the 44 municipalities since May 2024; it goes with the department."),
        group=Group.CUSTOMER, values="municipalities", used=_WITH_CUSTOMER, width=22,
    ),
    TemplateColumn(
        field="district", es="Distrito", en="District",
        note=N_("The town, which was a municipality until 2024. Alone it is enough where no other town has its name."),
        group=Group.CUSTOMER, values="districts", used=_WITH_CUSTOMER, width=22,
    ),
    TemplateColumn(
        field="address", es="Dirección", en="Address",
        note=N_("Street, number and settlement; up to 200 characters."),
        group=Group.CUSTOMER, used=_WITH_CUSTOMER, width=32,
    ),
    TemplateColumn(
        field="email", es="Correo", en="Email",
        note=N_("Where the customer receives the document: one address."),
        group=Group.CUSTOMER, used=_WITH_CUSTOMER, width=28,
    ),
    TemplateColumn(
        field="phone", es="Teléfono", en="Phone",
        note=N_("8 to 30 characters."),
        group=Group.CUSTOMER, used=_WITH_CUSTOMER, width=13,
    ),
    TemplateColumn(
        field="adjusts", es="Documento que ajusta", en="Related document",
        note=N_("Only for 05: the reference, or the generation code, of the crédito fiscal that is credited."),
        group=Group.ADJUSTMENT, required=("05",), used=("05",), width=24,
    ),
    TemplateColumn(
        field="full_adjustment", es="Ajuste total", en="Full adjustment",
        note=N_("Only for 05: yes credits the whole document and invalidates it; no, only the rows that stand here."),
        group=Group.ADJUSTMENT, values="yes_no", used=("05",), width=12,
    ),
    TemplateColumn(
        field="redirect_email", es="Correo adicional", en="Email copy",
        note=N_("One more address that gets a copy."),
        group=Group.DOCUMENT, used=_SALES, width=24,
    ),
    TemplateColumn(
        field="activity_code", es="Actividad económica emisor", en="Issuer activity",
        note=N_("Only if your company has several activities and this sale is of another one."),
        group=Group.DOCUMENT, values="activities", used=_SALES, width=26,
    ),
    TemplateColumn(
        field="total", es="Total del documento", en="Document total",
        note=N_("What the document comes to by your own count: it is only compared, and held back if it differs."),
        group=Group.DOCUMENT, cells=Cells.AMOUNT, width=16,
    ),
)  # fmt: skip
