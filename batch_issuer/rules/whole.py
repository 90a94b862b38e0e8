"""Rules about a document as a whole: how many lines, which amounts, whether its customer has to be known."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from batch_issuer.messages import N_
from batch_issuer.model.amounts import expected_amounts
from batch_issuer.model.documents import DOC_TYPES, Document
from batch_issuer.model.money import CENT, exact_grouped
from batch_issuer.model.problems import Kind, Problem, Severity
from batch_issuer.rules.catalogs import fold
from batch_issuer.rules.cells import TOO_LARGE, as_written
from batch_issuer.settings import Rules

MOST_LINES = 2000
IDENTIFIED_FROM = Decimal("25000.00")
ON_CREDIT = "2"
NAMED_BY_THEIR_OWN_RULE = ("03", "14")

NOBODY = frozenset(
    fold(name)
    for name in (
        "Consumidor Final", "Cliente Final", "Cliente General", "Clientes Varios", "Cliente Varios", "Varios",
        "Público en General", "Cliente", "Anónimo", "Sin nombre", "N/A",
    )
)  # fmt: skip
"""Names that tills write when they do not know the customer."""

DOC_TYPE_UNISSUED = Kind(
    code="doc-type-unissued",
    message=N_("The provider does not issue documents of type «{value}»."),
    repair=N_("Write one of 01, 03, 05, 11 and 14, or take the document out of the file."),
)
LINES_MISSING = Kind(
    code="lines-missing",
    message=N_("The document has no lines."),
    repair=N_("Add at least one line, or take the document out."),
)
LINES_MANY = Kind(
    code="lines-many",
    message=N_("The document has {lines} lines; at most 2,000 are accepted."),
    repair=N_("Divide it into several documents with references of their own."),
)
TOTAL_DIFFERS = Kind(
    code="total-differs",
    message=N_("The sheet's total is {total} and the lines come to {expected}."),
    repair=N_("Correct the total or the lines; it is not sent while they disagree."),
)
AMOUNT_ZERO = Kind(
    code="amount-zero",
    message=N_("The document comes to 0.00."),
    repair=N_("Correct its prices and quantities, or take it out."),
)
AMOUNT_LARGE = Kind(
    code="amount-large",
    message=N_("The document comes to {amount}; it must be less than 100,000,000,000."),
    repair=N_("Correct its prices and quantities; perhaps a code stands in the wrong column."),
)
CUSTOMER_NOT_IDENTIFIED = Kind(
    code="customer-not-identified",
    message=N_("The document comes to ${amount} and does not say who bought: from $25,000.00 the law demands it."),
    repair=N_("Fill in the customer's name and the DUI, NIT or other identity document."),
)
CUSTOMER_ANONYMOUS = Kind(
    code="customer-anonymous",
    message=N_("The document comes to ${amount} without an identified customer; from ${threshold} it may be refused."),
    repair=N_(
        "Nothing to do if it is accepted. Customers cannot be made to give their name below $25,000.00; "
        "warn_anonymous_from in the settings changes this warning."
    ),
    severity=Severity.WARNS,
)
CUSTOMER_NAME_MISSING = Kind(
    code="customer-name-missing",
    message=N_("There are customer data without a name."),
    repair=N_("Fill in the customer's name, or empty the other cells of the customer."),
)
CUSTOMER_TWO_NAMES = Kind(
    code="customer-two-names",
    message=N_("The customer has two names: «{value}» and «{name}»."),
    repair=N_("Leave one. It is sent with «{name}»."),
    severity=Severity.WARNS,
)
TERM_WITHOUT_CREDIT = Kind(
    code="term-without-credit",
    message=N_("There is a credit term, and the condition is not credit: the term would not count."),
    repair=N_("Write 2 as the condition, or empty the term."),
    severity=Severity.WARNS,
)
CREDIT_WITHOUT_TERM = Kind(
    code="credit-without-term",
    message=N_("The sale is on credit and does not say for how long: the provider puts one day."),
    repair=N_("Fill in the unit and the period: 1 and 30 are 30 days."),
    severity=Severity.WARNS,
)


def lines_are_few(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A document has 1 to 2,000 lines (fe-fc-v1 and fe-f-v2, cuerpoDocumento)."""
    if not document.lines:
        yield Problem(LINES_MISSING)
    elif len(document.lines) > MOST_LINES:
        yield Problem(LINES_MANY, parameters={"lines": f"{len(document.lines):,}"}, row=document.row)


def customer_has_one_name(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A customer that is sent has a name (Ocote, POST /invoice, customer.name), and only one."""
    if not document.customer:
        return
    name = document.customer.name
    if not name and document.doc_type not in NAMED_BY_THEIR_OWN_RULE:
        yield Problem(CUSTOMER_NAME_MISSING, row=row_of(document), field="name")
    elif name and document.customer_name and fold(document.customer_name) != fold(name):
        yield Problem(
            CUSTOMER_TWO_NAMES, document.customer_name, {"name": name}, row=row_of(document), field="customer_name"
        )


def term_belongs_to_credit(document: Document, _rules: Rules) -> Iterator[Problem]:
    """A term counts only with the condition credit, where it is one day unless said (Ocote, POST /invoice)."""
    field = "period" if document.period else "deadline"
    if (document.period or document.deadline) and document.transaction_condition != ON_CREDIT:
        yield Problem(TERM_WITHOUT_CREDIT, document.period or document.deadline, row=row_of(document), field=field)
    elif not document.period and document.transaction_condition == ON_CREDIT:
        yield Problem(CREDIT_WITHOUT_TERM, row=row_of(document), field="period")


def amounts_are_possible(document: Document, gross: Decimal, _rules: Rules) -> Iterator[Problem]:
    """The total is more than zero and below 100,000,000,000 (fe-fc-v1 and fe-f-v2, resumen)."""
    if not gross:
        yield Problem(AMOUNT_ZERO, row=row_of(document))
    elif gross >= TOO_LARGE:
        yield Problem(AMOUNT_LARGE, parameters={"amount": exact_grouped(gross)}, row=row_of(document))


def total_agrees(document: Document, gross: Decimal, _rules: Rules) -> Iterator[Problem]:
    """The sheet's own total is ours to a cent a line (rounding: Manual Funcional 2.0, XXI)."""
    if document.total is None or document.full_adjustment:
        return
    tolerance = CENT * len(document.lines)
    # A sheet may mean the total with VAT, without it where its prices are, or less what the buyer withholds.
    amounts = expected_amounts(document)
    meant = (gross, None if document.prices_with_vat else amounts.taxable, amounts.total)
    if all(amount is None or abs(document.total - amount) > tolerance for amount in meant):
        parameters = {"total": exact_grouped(document.total), "expected": exact_grouped(gross)}
        yield Problem(TOTAL_DIFFERS, as_written(document.total), parameters, row=row_of(document), field="total")


def buyer_is_identified(document: Document, gross: Decimal, rules: Rules) -> Iterator[Problem]:
    """From $25,000.00 the buyer is identified (Código Tributario, arts. 114 and 119-G, D.L. 94 of 2024).

    Below, nothing is demanded; fe-fc-v1 asks for a receptor from $1,095.00, so that an anonymous sale is a warning.
    """
    if gross >= IDENTIFIED_FROM and not is_identified(document):
        field = "dui" if _is_named(document) else "customer_name"
        yield Problem(
            CUSTOMER_NOT_IDENTIFIED, parameters={"amount": exact_grouped(gross)}, row=row_of(document), field=field
        )
    elif 0 < rules.warn_anonymous_from <= gross and not is_identified(document):
        parameters = {"amount": exact_grouped(gross), "threshold": exact_grouped(rules.warn_anonymous_from)}
        yield Problem(CUSTOMER_ANONYMOUS, parameters=parameters, row=row_of(document))


def is_identified(document: Document) -> bool:
    """Whether the document says who bought: a name and a NIT, DUI or other number."""
    customer = document.customer
    return customer is not None and bool(customer.nit or customer.dui) and _is_named(document)


def _is_named(document: Document) -> bool:
    name = (document.customer.name if document.customer else "") or document.customer_name
    return bool(name) and not is_nobody(name)


@lru_cache(maxsize=16384)
def is_nobody(name: str) -> bool:
    """Whether a name only stands for a customer who is not known."""
    return fold(name) in NOBODY


def type_is_issued(document: Document) -> Problem | None:
    """The provider issues 01, 03, 05, 11 and 14 (Ocote, welcome); nothing else may leave."""
    if document.doc_type in DOC_TYPES:
        return None
    return Problem(DOC_TYPE_UNISSUED, document.doc_type, row=row_of(document), field="doc_type")


def row_of(document: Document) -> int | None:
    """Return the batch row that a finding about the whole document points at; None without lines."""
    return document.row if document.lines else None
