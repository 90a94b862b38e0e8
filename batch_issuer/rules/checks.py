"""The rules, listed, and how a document is held against them. What they find are values: nothing is raised or sent.

Cells are judged once per distinct value. Catalog names become codes and identifiers take the form that travels; what
cannot be understood stays as it was written, with a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batch_issuer.model.documents import DOC_TYPES, Customer, Document, Line
from batch_issuer.model.problems import Kind, Place, Problem, Severity
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Entry
from batch_issuer.rules import by_type, catalogs, cells, whole
from batch_issuer.rules.catalogs import Catalog
from batch_issuer.rules.findings import Checked, Fault, Finding, found
from batch_issuer.rules.identifiers import digits_of, dui_has_shape, dui_with_hyphen, nit_has_shape, nrc_has_shape
from batch_issuer.rules.places import PLACE_KINDS, place
from batch_issuer.settings import LINE_FIELDS, Rules

if TYPE_CHECKING:
    from batch_issuer.reading.batch import Batch


@dataclass(frozen=True, slots=True)
class CellRule:
    """A rule about the value of one cell, and the fields in which it holds."""

    fields: tuple[str, ...]
    check: Callable[[Any], Fault | None]
    kind: Kind
    doc_types: tuple[str, ...] = DOC_TYPES


@dataclass(frozen=True, slots=True)
class WholeRule:
    """A rule about several cells of a document together."""

    check: Callable[..., Any]
    kinds: tuple[Kind, ...]
    doc_types: tuple[str, ...] = DOC_TYPES


_NUMBERS = ("quantity", "unit_price")
_TEXTS = ("description", "customer_name", "name", "address", "phone")

_SALES = ("01", "03", "11")
_WITH_CUSTOMER = (*_SALES, "14")
"""The types that send a customer or subject; a credit note has its CCF's."""

CELL_RULES = (
    CellRule(("description",), cells.description_is_given, cells.DESCRIPTION_MISSING),
    CellRule(("description",), cells.description_fits, cells.TEXT_LONG),
    CellRule(("customer_name", "name"), cells.name_fits, cells.TEXT_LONG, _WITH_CUSTOMER),
    CellRule(("address",), cells.address_fits, cells.TEXT_LONG, _WITH_CUSTOMER),
    CellRule(_TEXTS, cells.text_is_printable, cells.TEXT_UNPRINTABLE),
    CellRule((*_NUMBERS, "discount_percentage"), cells.number_is_there, cells.NUMBER_MISSING),
    CellRule(("quantity",), cells.quantity_is_positive, cells.QUANTITY_NOT_POSITIVE),
    CellRule(("unit_price",), cells.price_is_positive, cells.PRICE_NOT_POSITIVE),
    CellRule(("discount_percentage",), cells.discount_is_in_range, cells.DISCOUNT_OUT_OF_RANGE),
    CellRule(_NUMBERS, cells.number_is_below_limit, cells.NUMBER_LARGE),
    CellRule((*_NUMBERS, "discount_percentage"), cells.number_has_few_decimals, cells.NUMBER_DECIMALS),
    CellRule(("payment_method",), cells.payment_method_is_known, cells.PAYMENT_UNKNOWN, _SALES),
    CellRule(("transaction_condition",), cells.condition_is_known, cells.CONDITION_UNKNOWN, _SALES),
    CellRule(("deadline",), cells.deadline_is_known, cells.DEADLINE_UNKNOWN, _SALES),
    CellRule(("period",), cells.period_is_whole, cells.PERIOD_NOT_WHOLE, _SALES),
    CellRule(
        ("activity_code", "customer_activity_code"), cells.activity_is_known, cells.ACTIVITY_UNKNOWN, _WITH_CUSTOMER
    ),
    CellRule(("email", "redirect_email"), cells.email_is_plausible, cells.EMAIL_SHAPE, _WITH_CUSTOMER),
    CellRule(("phone",), cells.phone_fits, cells.PHONE_LENGTH, _WITH_CUSTOMER),
    CellRule(("nit",), cells.nit_looks_right, cells.NIT_SHAPE, _WITH_CUSTOMER),
    CellRule(("nit",), cells.nit_check_digit_fits, cells.NIT_CHECK_DIGIT, _WITH_CUSTOMER),
    CellRule(("other_number",), cells.other_number_fits, cells.OTHER_NUMBER_LENGTH, _WITH_CUSTOMER),
    CellRule(("dui",), cells.dui_looks_right, cells.DUI_SHAPE, _WITH_CUSTOMER),
    CellRule(("dui",), cells.dui_check_digit_fits, cells.DUI_CHECK_DIGIT, _WITH_CUSTOMER),
    CellRule(("nrc",), cells.nrc_looks_right, cells.NRC_SHAPE, _SALES),
    CellRule(("document_type",), cells.identity_document_is_known, cells.IDENTITY_DOCUMENT_UNKNOWN, _WITH_CUSTOMER),
    CellRule(("type_contributor",), cells.contributor_is_known, cells.CONTRIBUTOR_UNKNOWN, _SALES),
    CellRule(("favorite_doc",), cells.favorite_doc_is_known, cells.FAVORITE_DOC_UNKNOWN, _SALES),
)
"""In the order in which they are asked; the first that is broken speaks for its cell."""

TYPE_RULE = WholeRule(whole.type_is_issued, (whole.DOC_TYPE_UNISSUED,))
PLACE_RULE = WholeRule(place, PLACE_KINDS, _WITH_CUSTOMER)
DOCUMENT_RULES = (
    WholeRule(whole.lines_are_few, (whole.LINES_MISSING, whole.LINES_MANY)),
    WholeRule(whole.customer_has_one_name, (whole.CUSTOMER_NAME_MISSING, whole.CUSTOMER_TWO_NAMES), _WITH_CUSTOMER),
    WholeRule(whole.term_belongs_to_credit, (whole.TERM_WITHOUT_CREDIT, whole.CREDIT_WITHOUT_TERM), _SALES),
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
    WholeRule(by_type.only_credits_adjust, (by_type.ADJUSTS_WITHOUT_CREDIT,), _WITH_CUSTOMER),
)  # fmt: skip
AMOUNT_RULES = (
    WholeRule(whole.amounts_are_possible, (whole.AMOUNT_ZERO, whole.AMOUNT_LARGE)),
    WholeRule(whole.total_agrees, (whole.TOTAL_DIFFERS,)),
    WholeRule(whole.buyer_is_identified, (whole.CUSTOMER_NOT_IDENTIFIED, whole.CUSTOMER_ANONYMOUS), ("01",)),
)
"""Only asked where every line has sound numbers."""
COLUMN_RULES = (WholeRule(by_type.service_is_said, (by_type.SERVICE_NOT_SAID,), ("14",)),)
"""About what the file has no column for; asked of documents in a batch."""


_CODES: Mapping[str, Callable[[], Catalog]] = MappingProxyType(
    {
        "payment_method": catalogs.payment_methods,
        "transaction_condition": catalogs.conditions,
        "deadline": catalogs.term_units,
        "activity_code": catalogs.activities,
        "customer_activity_code": catalogs.activities,
        "document_type": catalogs.identity_documents,
        "type_contributor": catalogs.contributors,
        "favorite_doc": catalogs.document_kinds,
    }
)
_HEADER_FIELDS = (
    "customer_name", "payment_method", "transaction_condition", "deadline", "period", "activity_code", "redirect_email",
)  # fmt: skip
_NOT_SENT: Mapping[str, frozenset[str]] = MappingProxyType(
    {"05": frozenset(_HEADER_FIELDS), "14": frozenset(_HEADER_FIELDS) - {"customer_name"}}
)
"""Fields for which a type's route has no place: nothing is said against them."""
_NOT_OF_SUBJECTS = frozenset({"nrc", "type_contributor", "favorite_doc"})
_CUSTOMER_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "name",
        "nit": "nit",
        "nrc": "nrc",
        "dui": "dui",
        "document_type": "document_type",
        "type_contributor": "type_contributor",
        "favorite_doc": "favorite_doc",
        "address": "address",
        "customer_activity_code": "activity_code",
        "email": "email",
        "phone": "phone",
    }
)
"""Our field to the customer's attribute; the place has a rule of its own."""
_OTHER_DOCUMENTS = frozenset({"03", "02", "37"})
_ANOTHER_COLUMN: Mapping[str, str] = MappingProxyType({"customer_name": "name", "name": "customer_name"})
_MISSING_NUMBERS = frozenset({kinds.QUANTITY_MISSING, kinds.UNIT_PRICE_MISSING})
_AMOUNT_KINDS = frozenset(kind for rule in AMOUNT_RULES for kind in rule.kinds)


def check(document: Document, rules: Rules, in_lines: Sequence[Finding] | None = None) -> Checked:
    """The document as it may travel, and every finding, in the order of its rows.

    `in_lines` is what is wrong in its lines, where that is known (see `faults_of_lines`).
    """
    if wrong_type := whole.type_is_issued(document):
        return Checked(document, (wrong_type,))
    row = document.row if document.lines else None
    document, header = _header(_named(document), row)
    lines = _lines(document) if in_lines is None else in_lines if _lines_count(document) else ()
    ruled = _asked(_DOCUMENT_RULES[document.doc_type], document, rules)
    return Checked(document, (*header, *ruled, *lines, *_in_amounts(document, lines, rules)))


def _asked(checks: Sequence[Callable[..., Iterator[Finding]]], *about: object) -> Iterator[Finding]:
    """What each of these finds, in their order."""
    for one in checks:
        yield from one(*about)


def _in_amounts(document: Document, lines: Sequence[Finding], rules: Rules) -> Iterator[Finding]:
    if _comes_to_something(document) and not any(_blocks(finding) for finding in lines):
        yield from _asked(_AMOUNT_RULES[document.doc_type], document, document.expected_gross, rules)


def _comes_to_something(document: Document) -> bool:
    """Whether the lines have amounts to judge; those of a full credit note are its CCF's."""
    return bool(document.lines) and (document.doc_type != "05" or by_type.says_lines(document))


def faults_of_lines(batch: Batch) -> Mapping[int, Sequence[Finding]]:
    """What is wrong in the lines of all documents of a batch, by document, in the order of their rows."""
    findings: dict[int, list[Finding]] = {}
    for field in _SOUND:
        for document, row, fault in batch.cells_with(field, partial(_fault, field)):
            findings.setdefault(document, []).append(found(fault, row, field))
    for of_document in findings.values():
        of_document.sort(key=attrgetter("row"))
    return findings


def examine(batch: Batch, entry: Entry, rules: Rules, in_lines: Sequence[Finding] | None = None) -> Entry:
    """The entry with its document as it may travel and the problems that the rules found in it.

    A cell that has a problem already gets no second one; where a number could not be read, sums are not judged.
    """
    entry = _without_asking_for_lines(entry)
    checked = check(entry.document, rules, in_lines)
    if entry.document.doc_type == "14":
        has_column = bool(batch.place(entry.document.row, "is_service").column)
        unsaid = by_type.service_is_said(checked.document, has_column=has_column)
        checked = Checked(checked.document, (*checked.findings, *unsaid))
    if not checked.findings and checked.document is entry.document:
        return entry
    problems = _new_problems(batch, checked.document.external_ref, checked.findings, entry.problems)
    return Entry(document=checked.document, problems=(*entry.problems, *problems))


def _without_asking_for_lines(entry: Entry) -> Entry:
    """A credit note without lines is not asked for quantities and prices: what it lacks is a rule of its own."""
    if entry.document.doc_type != "05" or not entry.problems or by_type.says_lines(entry.document):
        return entry
    return replace(entry, problems=tuple(one for one in entry.problems if one.kind not in _MISSING_NUMBERS))


def _new_problems(
    batch: Batch, external_ref: str, findings: Sequence[Finding], known: Sequence[Problem] = ()
) -> Iterator[Problem]:
    taken = {_cell(problem) for problem in known}
    unread = any(problem.blocks and problem.field in LINE_FIELDS for problem in known)
    for finding in findings:
        if unread and finding.kind in _AMOUNT_KINDS:
            continue
        problem = _problem(batch, finding, external_ref)
        if (cell := _cell(problem)) not in taken:
            taken.add(cell)
            yield problem


def _problem(batch: Batch, finding: Finding, external_ref: str) -> Problem:
    return Problem(
        kind=finding.kind,
        place=_place(batch, finding),
        value=finding.value,
        external_ref=external_ref,
        field=finding.field,
        parameters=finding.parameters,
    )


def _place(batch: Batch, finding: Finding) -> Place:
    if finding.row is None:
        return Place()
    at = batch.place(finding.row, finding.field)
    if at.column or finding.field not in _ANOTHER_COLUMN:
        return at
    return batch.place(finding.row, _ANOTHER_COLUMN[finding.field])


def _cell(problem: Problem) -> tuple[str, ...]:
    """What makes two problems be about the same cell; of those without a column, only the same kind is the same."""
    place = problem.place
    column = place.column or problem.field or problem.code
    return place.file, place.sheet, str(place.row), column


def _blocks(finding: Finding) -> bool:
    return finding.kind.severity is Severity.BLOCKS


def _named(document: Document) -> Document:
    """The document with its customer's name where it belongs.

    A customer without a name has the one of the document's own column. One with nothing but a name is only that name:
    sent as a customer, the provider would store a new one with each sale. A credit note has the customer of its CCF.
    """
    customer = document.customer
    if customer is None:
        return document
    if document.doc_type == "05":
        return replace(document, customer=None, customer_name=customer.name or document.customer_name)
    if not customer.name and document.customer_name:
        customer = replace(customer, name=document.customer_name)
    if _is_only_a_name(customer) and document.customer_name in ("", customer.name):
        return replace(document, customer=None, customer_name=customer.name)
    return document if customer is document.customer else replace(document, customer=customer)


def _is_only_a_name(customer: Customer) -> bool:
    return not (customer.dui or customer.nit or customer.email) and customer == Customer(name=customer.name)


def _header(document: Document, row: int | None) -> tuple[Document, list[Finding]]:
    findings: list[Finding] = []
    changes: dict[str, Any] = {}
    for field in _HEADER_FIELDS:
        if text := getattr(document, field):
            sent, fault = _judged(field, text)
            if fault and field not in _NOT_SENT.get(document.doc_type, ()):
                findings.append(found(fault, row, field))
            elif not fault and sent != text:
                changes[field] = sent
    if document.customer:
        customer, faults = _customer(document.customer)
        left_out = _NOT_OF_SUBJECTS if document.doc_type == "14" else ()
        findings += [found(fault, row, field) for field, fault in faults if field not in left_out]
        if customer is not document.customer:
            changes["customer"] = customer
    return (replace(document, **changes) if changes else document), findings


def _lines(document: Document) -> list[Finding]:
    """Faults of the lines. Most hold nothing but values that were found sound before, which is asked of all at once."""
    if not document.lines or _all_sound(document.lines) or not _lines_count(document):
        return []
    return [found(fault, line.row, field) for line in document.lines for field, fault in _line(line)]


def _lines_count(document: Document) -> bool:
    """Whether the lines are part of what is issued; a credit note may be for all of its CCF."""
    return document.doc_type != "05" or not (document.full_adjustment or not by_type.says_lines(document))


def _all_sound(lines: Sequence[Line]) -> bool:
    descriptions, quantities, prices, discounts, _, _ = zip(*lines, strict=True)
    return (
        _SOUND["description"].issuperset(descriptions)
        and _SOUND["quantity"].issuperset(quantities)
        and _SOUND["unit_price"].issuperset(prices)
        and (not any(discounts) or _SOUND["discount_percentage"].issuperset(discounts))
    )


def _line(line: Line) -> Iterator[tuple[str, Fault]]:
    for field, sound in _SOUND.items():
        value = getattr(line, field)
        if value in sound:
            continue
        if fault := _fault(field, value):
            yield field, fault
        else:
            if len(sound) >= _MOST_REMEMBERED:
                sound.clear()
            sound.add(value)


@catalogs.remembered(16384)
def _customer(customer: Customer) -> tuple[Customer, tuple[tuple[str, Fault], ...]]:
    faults: list[tuple[str, Fault]] = []
    changes: dict[str, str] = {}
    for field, attribute in _CUSTOMER_FIELDS.items():
        if text := getattr(customer, attribute):
            sent, fault = _judged(_rules_of(field, customer), text)
            changes[attribute] = sent
            if fault:
                faults.append((field, fault))
    placing = place(customer.department, customer.municipality, customer.district)
    if placing.fault:
        faults.append((placing.field, placing.fault))
    changes |= {name: getattr(placing, name) for name in ("department", "municipality", "district")}
    if all(getattr(customer, attribute) == sent for attribute, sent in changes.items()):
        return customer, tuple(faults)
    return replace(customer, **changes), tuple(faults)


def _rules_of(field: str, customer: Customer) -> str:
    if field == "nit" and catalogs.identity_documents().code_of(customer.document_type) in _OTHER_DOCUMENTS:
        return "nit" if nit_has_shape(digits_of(customer.nit)) else "other_number"
    return field


@catalogs.remembered(16384)
def _judged(field: str, text: str) -> tuple[str, Fault | None]:
    """The form in which a header's text travels, and what is wrong with it."""
    fault = _fault(field, text)
    if fault and fault.kind.severity is Severity.BLOCKS:
        return text, fault
    return _travelling(field, text), fault


def _travelling(field: str, text: str) -> str:
    digits = digits_of(text)
    match field:
        case "nit" if nit_has_shape(digits):
            return digits
        case "nrc" if nrc_has_shape(digits):
            return digits
        case "dui" if dui_has_shape(digits):
            return dui_with_hyphen(digits)
        case _ if field in _CODES:
            return _CODES[field]().code_of(text)
        case _:
            return text


def _fault(field: str, value: object) -> Fault | None:
    """The first rule of the field that the value breaks."""
    return next((fault for rule in _RULES[field] if (fault := rule(value))), None)


def _by_field(rules: Sequence[CellRule]) -> Mapping[str, tuple[Callable[[Any], Fault | None], ...]]:
    fields = {field for rule in rules for field in rule.fields}
    return {field: tuple(rule.check for rule in rules if field in rule.fields) for field in fields}


def _by_type(rules: Sequence[WholeRule]) -> Mapping[str, tuple[Callable[..., Any], ...]]:
    return {kind: tuple(rule.check for rule in rules if kind in rule.doc_types) for kind in DOC_TYPES}


_RULES = _by_field(CELL_RULES)
_DOCUMENT_RULES = _by_type(DOCUMENT_RULES)
_AMOUNT_RULES = _by_type(AMOUNT_RULES)
_MOST_REMEMBERED = 100_000
_SOUND: Mapping[str, set[Any]] = MappingProxyType(
    {"description": set(), "quantity": set(), "unit_price": set(), "discount_percentage": set()}
)
"""Values of line fields that broke no rule, so that each is judged once."""
