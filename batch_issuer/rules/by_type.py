"""Rules of one type of document each: CCF (03), credit note (05), export invoice (11), excluded subject (14).

What the provider's pages demand blocks. What only the ministry's schemas demand warns: the provider completes documents
from what it knows of a customer, so that it, and not we, can say whether something is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from batch_issuer.messages import N_
from batch_issuer.model.documents import Customer, Document
from batch_issuer.model.problems import Kind, Problem, Severity
from batch_issuer.rules.whole import is_nobody, row_of
from batch_issuer.settings import Rules

_CONTROL_NUMBER = re.compile(r"DTE-\d\d-[A-Z0-9]{8}-\d{15}")

CCF_NAME_MISSING = Kind(
    code="ccf-name-missing",
    message=N_("A CCF (03) needs the customer's name, and it is empty."),
    repair=N_("Fill in the name of the person or business as the NRC card has it."),
)
CCF_NIT_MISSING = Kind(
    code="ccf-nit-missing",
    message=N_("A CCF (03) needs the customer's NIT, and it is empty."),
    repair=N_("Fill in the NIT, or the DUI that replaces it, in the column of the NIT."),
)
CCF_NRC_MISSING = Kind(
    code="ccf-nrc-missing",
    message=N_("A CCF (03) needs the customer's NRC, and it is empty."),
    repair=N_("Fill in the NRC. Who has none gets an invoice (01) instead: write 01 as the type."),
)
CCF_CONTRIBUTOR_MISSING = Kind(
    code="ccf-contributor-missing",
    message=N_("A CCF (03) needs the size of the taxpayer, which decides whether 1 % is withheld, and it is empty."),
    repair=N_("Write 1 small, 2 medium, 3 large or 4 government, as the NRC card has it."),
)
CCF_ADVISED_MISSING = Kind(
    code="ccf-advised-missing",
    severity=Severity.WARNS,
    message=N_("The customer of a CCF (03) lacks {fields}; the ministry's structure demands it."),
    repair=N_("Fill it in if the provider does not know this customer yet: the document may be rejected without."),
)
EXPORT_BUYER_MISSING = Kind(
    code="export-buyer-missing",
    severity=Severity.WARNS,
    message=N_("An export invoice (11) lacks the buyer's {fields}."),
    repair=N_("Fill in the foreign buyer's name and address; the provider advises it."),
)
SUBJECT_NAME_MISSING = Kind(
    code="subject-name-missing",
    message=N_("A document of an excluded subject (14) needs the name of who sold to you, and it is empty."),
    repair=N_("Fill in the seller's name."),
)
SUBJECT_NUMBER_MISSING = Kind(
    code="subject-number-missing",
    severity=Severity.WARNS,
    message=N_("The excluded subject (14) has neither DUI nor NIT nor another number; the ministry demands one."),
    repair=N_("Fill in the seller's DUI or NIT: the document may be rejected without."),
)
SUBJECT_WITH_NRC = Kind(
    code="subject-with-nrc",
    severity=Severity.WARNS,
    message=N_("The seller of a document of an excluded subject (14) has the NRC «{value}»."),
    repair=N_("Who has an NRC is no excluded subject and issues a document to you; ask for it. The NRC is not sent."),
)
SERVICE_NOT_SAID = Kind(
    code="service-not-said",
    severity=Severity.WARNS,
    message=N_("No column says whether what an excluded subject (14) sold is a service: it is sent as goods."),
    repair=N_("If it is a service, add a column «Es servicio» with «sí»: 10 % income tax is withheld from services."),
)
DISCOUNT_TAKEN_OFF = Kind(
    code="discount-taken-off",
    severity=Severity.WARNS,
    message=N_("Lines of type {doc_type} have no discount at the provider: prices are sent with it taken off."),
    repair=N_("Nothing to do: the amounts are the same."),
)
CREDIT_CCF_MISSING = Kind(
    code="credit-ccf-missing",
    message=N_("The credit note does not say which CCF it adjusts."),
    repair=N_("Write the CCF's reference, or the provider's UUID of it, in the column «Documento que ajusta»."),
)
CREDIT_BY_NUMBER = Kind(
    code="credit-by-control-number",
    message=N_("The credit note names its CCF by the control number «{value}», by which the provider finds none."),
    repair=N_("Write the CCF's reference, or its generation code (the UUID), instead."),
)
CREDIT_OF_ITSELF = Kind(
    code="credit-of-itself",
    message=N_("The credit note has the same reference as the CCF that it adjusts."),
    repair=N_("Give the credit note a reference of its own."),
)
CREDIT_SAYS_NOTHING = Kind(
    code="credit-says-nothing",
    message=N_("The credit note says neither what is credited nor that everything is."),
    repair=N_("Fill in description, quantity and price of what is credited, or write «sí» in «Ajuste total»."),
)
ADJUSTS_WITHOUT_CREDIT = Kind(
    code="adjusts-without-credit",
    message=N_("The row says that it adjusts «{value}», and its type is {doc_type}: only credit notes (05) adjust."),
    repair=N_("Write 05 as the type, or empty the column of the adjusted document."),
)


def taxpayer_is_complete(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A CCF has a customer with name, NIT, NRC and size of taxpayer (Ocote, CCF 03)."""
    customer = document.customer or Customer(name=document.customer_name)
    needed = (
        (customer.name, CCF_NAME_MISSING, "name"),
        (customer.nit, CCF_NIT_MISSING, "nit"),
        (customer.nrc, CCF_NRC_MISSING, "nrc"),
        (customer.type_contributor, CCF_CONTRIBUTOR_MISSING, "type_contributor"),
    )
    for value, kind, field in needed:
        if not value:
            yield Problem(kind, row=row_of(document), field=field)


def taxpayer_is_described(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A CCF's customer has activity, place, address and e-mail (fe-ccf-v3 and -v4, receptor; Ocote advises it)."""
    customer = document.customer
    if customer is None:
        return
    advised = {
        "customer_activity_code": customer.activity_code,
        "municipality": customer.municipality or customer.district,
        "address": customer.address,
        "email": customer.email,
    }
    if missing := [field for field, value in advised.items() if not value]:
        yield Problem(
            CCF_ADVISED_MISSING, parameters={"fields": _headings(missing)}, row=row_of(document), field=missing[0]
        )


def foreign_buyer_is_named(document: Document, _rules: Rules) -> Iterator[Problem]:
    """An export says who bought and where (Ocote, export invoice 11: optional but advised)."""
    customer = document.customer or Customer(name=document.customer_name)
    if document.customer and not customer.name:
        return  # customer-name-missing says so, and holds it back
    said = {"name": customer.name if not is_nobody(customer.name) else "", "address": customer.address}
    if missing := [field for field, value in said.items() if not value]:
        yield Problem(
            EXPORT_BUYER_MISSING, parameters={"fields": _headings(missing)}, row=row_of(document), field=missing[0]
        )


_HEADINGS = {
    "customer_activity_code": "Giro", "municipality": "Municipio", "address": "Dirección", "email": "Correo",
    "name": "Razón social",
}  # fmt: skip
"""A heading by which each field is recognised, to be added as a column."""


def _headings(fields: Iterable[str]) -> str:
    return ", ".join(f"«{_HEADINGS[field]}»" for field in fields)


def subject_is_named(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A purchase names its excluded subject (Ocote, POST /suex, subject.name)."""
    if not (document.customer.name if document.customer else document.customer_name):
        yield Problem(SUBJECT_NAME_MISSING, row=row_of(document), field="name")


def subject_is_identified(document: Document, _rules: Rules) -> Iterator[Problem]:
    """An excluded subject has an identity number (fe-fse-v1, sujetoExcluido.numDocumento) and no NRC."""
    customer = document.customer or Customer()
    if not (customer.nit or customer.dui):
        yield Problem(SUBJECT_NUMBER_MISSING, row=row_of(document), field="dui")
    if customer.nrc:
        yield Problem(SUBJECT_WITH_NRC, customer.nrc, row=row_of(document), field="nrc")


def service_is_said(document: Document, *, has_column: bool) -> Iterator[Problem]:
    """A service bears 10 % of income tax; a line that does not say is goods (Ocote, POST /suex, is_service)."""
    if not has_column and not any(line.is_service for line in document.lines):
        yield Problem(SERVICE_NOT_SAID, row=row_of(document), field="is_service")


def discount_is_in_the_price(document: Document, _rules: Rules) -> Iterator[Problem]:
    """Neither /suex nor /credit-memo has a documented discount (Ocote, SUEX 14 and credit note)."""
    discounted = next((line for line in document.lines if line.discount_percentage), None)
    if discounted is not None:
        parameters = {"doc_type": document.doc_type}
        yield Problem(DISCOUNT_TAKEN_OFF, parameters=parameters, row=discounted.row, field="discount_percentage")


def credit_names_its_ccf(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A credit note adjusts an issued CCF (Ocote, POST /credit-memo, document_id)."""
    if not document.adjusts:
        yield Problem(CREDIT_CCF_MISSING, row=row_of(document), field="adjusts")
    # It looks like the best name of a CCF, and is the one by which the provider finds none.
    elif _CONTROL_NUMBER.fullmatch(document.adjusts.strip().upper()):
        yield Problem(CREDIT_BY_NUMBER, document.adjusts, row=row_of(document), field="adjusts")
    elif document.adjusts == document.external_ref:
        yield Problem(CREDIT_OF_ITSELF, document.adjusts, row=row_of(document), field="adjusts")


def credit_says_what(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A credit note has lines or a full adjustment; with neither, Ocote would credit the whole CCF."""
    if not document.full_adjustment and not says_lines(document):
        yield Problem(CREDIT_SAYS_NOTHING, row=row_of(document), field="full_adjustment")


def only_credits_adjust(document: Document, _rules: Rules) -> Iterator[Problem]:
    """Only a credit note adjusts another document; an invoice in its place would tax a return (Ocote, credit note)."""
    if document.adjusts or document.full_adjustment:
        field = "adjusts" if document.adjusts else "full_adjustment"
        parameters = {"doc_type": document.doc_type}
        yield Problem(ADJUSTS_WITHOUT_CREDIT, document.adjusts, parameters, row=row_of(document), field=field)


def says_lines(document: Document) -> bool:
    """Whether any line has a quantity or a price."""
    return any(line.quantity or line.unit_price for line in document.lines)
