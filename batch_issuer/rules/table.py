"""Every rule about documents, listed: what `checks` asks, and what `batch-issuer rules`, README and docs show.

What reading finds in cells, rows and sheets (`reading/kinds`) is not among them: that is before there are documents.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.fields import FREE_TEXTS, SALES, TABLE, WITH_CUSTOMER, ValueKind, keys
from batch_issuer.model.problems import Kind, Problem, Severity
from batch_issuer.rules import across, by_type, cells, whole
from batch_issuer.rules.places import PLACE_KINDS, place


@dataclass(frozen=True, slots=True)
class CellRule:
    """A rule about the value of one cell, and the fields in which it holds."""

    fields: tuple[str, ...]
    check: Callable[[Any], Problem | None]
    kind: Kind
    doc_types: tuple[str, ...] = DOC_TYPES


@dataclass(frozen=True, slots=True)
class WholeRule:
    """A rule about several cells of a document together."""

    check: Callable[..., Any]
    kinds: tuple[Kind, ...]
    doc_types: tuple[str, ...] = DOC_TYPES


_NUMBERS = ("quantity", "unit_price")
_PRINTABLE = tuple(
    field.key for field in TABLE if field.kind in FREE_TEXTS and field.wire and field.key != "external_ref"
)
"""What is printed as it was written; references have been looked at when they were read."""


def _length_rules() -> Iterator[CellRule]:
    """Yield the rules about texts that may be too long, from the table of fields; fields that share one are one."""
    shared: dict[tuple[int, str, tuple[str, ...]], list[str]] = {}
    for field in TABLE:
        if field.length_rule:
            shared.setdefault((field.longest, field.length_rule, field.doc_types), []).append(field.key)
    for (limit, sentence, doc_types), fields in shared.items():
        yield CellRule(tuple(fields), cells.text_fits(limit, sentence), cells.TEXT_LONG, doc_types)


CELL_RULES = (
    CellRule(("description",), cells.description_is_given, cells.DESCRIPTION_MISSING),
    *_length_rules(),
    CellRule(_PRINTABLE, cells.text_is_printable, cells.TEXT_UNPRINTABLE),
    CellRule((*_NUMBERS, "discount_percentage"), cells.number_is_there, cells.NUMBER_MISSING),
    CellRule(("quantity",), cells.quantity_is_positive, cells.QUANTITY_NOT_POSITIVE),
    CellRule(("unit_price",), cells.price_is_positive, cells.PRICE_NOT_POSITIVE),
    CellRule(("discount_percentage",), cells.discount_is_in_range, cells.DISCOUNT_OUT_OF_RANGE),
    CellRule(_NUMBERS, cells.number_is_below_limit, cells.NUMBER_LARGE),
    CellRule((*_NUMBERS, "discount_percentage"), cells.number_has_few_decimals, cells.NUMBER_DECIMALS),
    CellRule(("payment_method",), cells.payment_method_is_known, cells.PAYMENT_UNKNOWN, SALES),
    CellRule(("transaction_condition",), cells.condition_is_known, cells.CONDITION_UNKNOWN, SALES),
    CellRule(("deadline",), cells.deadline_is_known, cells.DEADLINE_UNKNOWN, SALES),
    CellRule(keys(ValueKind.WHOLE), cells.period_is_whole, cells.PERIOD_NOT_WHOLE, SALES),
    CellRule(
        ("activity_code", "customer_activity_code"), cells.activity_is_known, cells.ACTIVITY_UNKNOWN, WITH_CUSTOMER
    ),
    CellRule(keys(ValueKind.EMAIL), cells.email_is_plausible, cells.EMAIL_SHAPE, WITH_CUSTOMER),
    CellRule(keys(ValueKind.PHONE), cells.phone_fits, cells.PHONE_LENGTH, WITH_CUSTOMER),
    CellRule(("nit",), cells.nit_looks_right, cells.NIT_SHAPE, WITH_CUSTOMER),
    CellRule(("nit",), cells.nit_check_digit_fits, cells.NIT_CHECK_DIGIT, WITH_CUSTOMER),
    CellRule(("other_number",), cells.other_number_fits, cells.OTHER_NUMBER_LENGTH, WITH_CUSTOMER),
    CellRule(("dui",), cells.dui_looks_right, cells.DUI_SHAPE, WITH_CUSTOMER),
    CellRule(("dui",), cells.dui_check_digit_fits, cells.DUI_CHECK_DIGIT, WITH_CUSTOMER),
    CellRule(("nrc",), cells.nrc_looks_right, cells.NRC_SHAPE, SALES),
    CellRule(("document_type",), cells.identity_document_is_known, cells.IDENTITY_DOCUMENT_UNKNOWN, WITH_CUSTOMER),
    CellRule(("type_contributor",), cells.contributor_is_known, cells.CONTRIBUTOR_UNKNOWN, SALES),
    CellRule(("favorite_doc",), cells.favorite_doc_is_known, cells.FAVORITE_DOC_UNKNOWN, SALES),
)
"""In the order in which they are asked; the first that is broken speaks for its cell."""

TYPE_RULE = WholeRule(whole.type_is_issued, (whole.DOC_TYPE_UNISSUED,))
PLACE_RULE = WholeRule(place, PLACE_KINDS, WITH_CUSTOMER)
DOCUMENT_RULES = (
    WholeRule(whole.lines_are_few, (whole.LINES_MISSING, whole.LINES_MANY)),
    WholeRule(whole.customer_has_one_name, (whole.CUSTOMER_NAME_MISSING, whole.CUSTOMER_TWO_NAMES), WITH_CUSTOMER),
    WholeRule(whole.term_belongs_to_credit, (whole.TERM_WITHOUT_CREDIT, whole.CREDIT_WITHOUT_TERM), SALES),
    WholeRule(
        by_type.taxpayer_is_complete,
        (
            by_type.CCF_NAME_MISSING, by_type.CCF_NIT_MISSING, by_type.CCF_NRC_MISSING,
            by_type.CCF_CONTRIBUTOR_MISSING,
        ),
        ("03",),
    ),
    WholeRule(by_type.taxpayer_is_described, (by_type.CCF_ADVISED_MISSING,), ("03",)),
    WholeRule(by_type.foreign_buyer_is_named, (by_type.EXPORT_BUYER_MISSING,), ("11",)),
    WholeRule(by_type.subject_is_named, (by_type.SUBJECT_NAME_MISSING,), ("14",)),
    WholeRule(
        by_type.subject_is_identified, (by_type.SUBJECT_NUMBER_MISSING, by_type.SUBJECT_WITH_NRC), ("14",)
    ),
    WholeRule(by_type.discount_is_in_the_price, (by_type.DISCOUNT_TAKEN_OFF,), ("05", "14")),
    WholeRule(
        by_type.credit_names_its_ccf,
        (by_type.CREDIT_CCF_MISSING, by_type.CREDIT_BY_NUMBER, by_type.CREDIT_OF_ITSELF),
        ("05",),
    ),
    WholeRule(by_type.credit_says_what, (by_type.CREDIT_SAYS_NOTHING,), ("05",)),
    WholeRule(by_type.only_credits_adjust, (by_type.ADJUSTS_WITHOUT_CREDIT,), WITH_CUSTOMER),
)  # fmt: skip
AMOUNT_RULES = (
    WholeRule(whole.amounts_are_possible, (whole.AMOUNT_ZERO, whole.AMOUNT_LARGE)),
    WholeRule(whole.total_agrees, (whole.TOTAL_DIFFERS,)),
    WholeRule(whole.buyer_is_identified, (whole.CUSTOMER_NOT_IDENTIFIED, whole.CUSTOMER_ANONYMOUS), ("01",)),
)
"""Only asked where every line has sound numbers."""
COLUMN_RULES = (WholeRule(by_type.service_is_said, (by_type.SERVICE_NOT_SAID,), ("14",)),)
"""About what the file has no column for; asked of documents in a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One problem code that the rules can give."""

    code: str
    severity: Severity
    doc_types: tuple[str, ...]
    message: str
    """English, the key of its translation; so is `repair`."""
    repair: str
    sources: tuple[str, ...]
    """What each rule with this code says, and which page or law says so; English."""


def all_rules() -> tuple[RuleRow, ...]:
    """Return every code once: of cells and documents in the order in which they are asked, then across documents."""
    return (
        *all_kinds(),
        *(_row(kind, ("05",), (source,)) for kind, source in across.CREDIT_SOURCES.items()),
        *(_row(kind, DOC_TYPES, (source,)) for kind, source in across.BATCH_SOURCES.items()),
    )


def all_kinds() -> tuple[RuleRow, ...]:
    """Return every code of a rule about one document, once, in the order in which the rules are asked."""
    listed: list[tuple[Kind, tuple[str, ...], object]] = [(one.kind, one.doc_types, one.check) for one in CELL_RULES]
    for rule in (TYPE_RULE, *DOCUMENT_RULES, *COLUMN_RULES, PLACE_RULE, *AMOUNT_RULES):
        listed += [(kind, rule.doc_types, rule.check) for kind in rule.kinds]
    rows: dict[str, RuleRow] = {}
    for kind, doc_types, check in listed:
        before = rows.get(kind.code)
        # A rule's own first sentence is its source, so that what is printed and what is checked cannot drift apart.
        source = (inspect.getdoc(check) or "").partition("\n")[0]
        rows[kind.code] = _row(kind, doc_types, (*(before.sources if before else ()), source))
    return tuple(rows.values())


def _row(kind: Kind, doc_types: tuple[str, ...], sources: tuple[str, ...]) -> RuleRow:
    return RuleRow(
        code=kind.code,
        severity=kind.severity,
        doc_types=doc_types,
        message=kind.message,
        repair=kind.repair,
        sources=sources,
    )
