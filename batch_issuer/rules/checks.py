"""Hold a document against the rules that `table` lists. What they find are values: nothing is raised or sent.

Cells are judged once per distinct value. Catalog names become codes and identifiers take the form that travels; what
cannot be understood stays as it was written, with a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batch_issuer.model.documents import DOC_TYPES, Customer, Document, Line
from batch_issuer.model.fields import CUSTOMER_ATTRIBUTES, TABLE, Owner, ValueKind, keys_of
from batch_issuer.model.problems import Place, Problem, Severity
from batch_issuer.reading import kinds
from batch_issuer.reading.batch import Entry
from batch_issuer.rules import by_type, catalogs, whole
from batch_issuer.rules.catalogs import Catalog
from batch_issuer.rules.identifiers import digits_of, dui_has_shape, dui_with_hyphen, nit_has_shape, nrc_has_shape
from batch_issuer.rules.places import place
from batch_issuer.rules.table import AMOUNT_RULES, CELL_RULES, DOCUMENT_RULES, WholeRule
from batch_issuer.settings import LINE_FIELDS, Rules

if TYPE_CHECKING:
    from batch_issuer.reading.batch import Batch


_CATALOGS: Mapping[str, Callable[[], Catalog]] = MappingProxyType(
    {
        "CAT-002": catalogs.document_kinds,
        "CAT-016": catalogs.conditions,
        "CAT-017": catalogs.payment_methods,
        "CAT-018": catalogs.term_units,
        "CAT-019": catalogs.activities,
        "CAT-022": catalogs.identity_documents,
        "Ocote": catalogs.contributors,
    }
)
_CODES = {field.key: _CATALOGS[field.catalog] for field in TABLE if field.kind is ValueKind.CODE}
_OTHER_DOCUMENTS = frozenset({"03", "02", "37"})
_ANOTHER_COLUMN: Mapping[str, str] = MappingProxyType({"customer_name": "name", "name": "customer_name"})
_MISSING_NUMBERS = frozenset({kinds.QUANTITY_MISSING, kinds.UNIT_PRICE_MISSING})
_AMOUNT_KINDS = frozenset(kind for rule in AMOUNT_RULES for kind in rule.kinds)


def check(document: Document, rules: Rules, in_lines: Sequence[Problem] | None = None) -> Entry:
    """Return the document as it may travel, with every problem on its field and batch row, in the order of its rows.

    `in_lines` is what is wrong in its lines, where that is known (see `faults_of_lines`).
    """
    # Nothing else is judged then: which fields and rules there are depends on the type.
    if wrong_type := whole.type_is_issued(document):
        return Entry(document=document, problems=(wrong_type,))
    document, header = _header(_named(document), whole.row_of(document))
    lines = _lines(document) if in_lines is None else in_lines if _lines_count(document) else ()
    ruled = _asked(_DOCUMENT_RULES[document.doc_type], document, rules)
    amounts: Iterator[Problem] = iter(())
    # Amounts are judged where there are some: those of a full credit note are its CCF's.
    has_amounts = document.lines and (document.doc_type != "05" or by_type.says_lines(document))
    if has_amounts and not any(problem.blocks for problem in lines):
        amounts = _asked(_AMOUNT_RULES[document.doc_type], document, document.expected_gross, rules)
    return Entry(document=document, problems=(*header, *ruled, *lines, *amounts))


def _asked(checks: Sequence[Callable[..., Iterator[Problem]]], *about: object) -> Iterator[Problem]:
    """Yield what each of these finds, in their order."""
    for one in checks:
        yield from one(*about)


def faults_of_lines(batch: Batch) -> Mapping[int, Sequence[Problem]]:
    """Return what is wrong in the lines of all documents of a batch, by document, in the order of their rows."""
    found: dict[int, list[Problem]] = {}
    for field in _SOUND:
        for document, row, fault in batch.cells_with(field, partial(_fault, field)):
            found.setdefault(document, []).append(fault.on(row, field))
    for of_document in found.values():
        of_document.sort(key=attrgetter("row"))
    return found


def examine(batch: Batch, entry: Entry, rules: Rules, in_lines: Sequence[Problem] | None = None) -> Entry:
    """Return the entry with its document as it may travel, and the problems that the rules found in it at their places.

    A cell that has a problem already gets no second one; where a number could not be read, sums are not judged.
    """
    document, known = entry.document, entry.problems
    # A credit note without lines is not asked for quantities and prices: what it lacks is a rule of its own.
    if known and document.doc_type == "05" and not by_type.says_lines(document):
        known = tuple(one for one in known if one.kind not in _MISSING_NUMBERS)
    checked = check(document, rules, in_lines)
    found = checked.problems
    if document.doc_type == "14":
        has_column = bool(batch.place(document.row, "is_service").column)
        found = (*found, *by_type.service_is_said(checked.document, has_column=has_column))
    if not found and checked.document is document and known is entry.problems:
        return entry  # as most are
    problems = (*known, *_new_problems(batch, checked.document.external_ref, found, known))
    return Entry(document=checked.document, problems=problems)


def _new_problems(
    batch: Batch, external_ref: str, found: Sequence[Problem], known: Sequence[Problem]
) -> Iterator[Problem]:
    """Yield what the rules found, at its places, as far as nothing is known of the same cell."""
    taken = {_cell(problem) for problem in known}
    unread = any(problem.blocks and problem.field in LINE_FIELDS for problem in known)
    for one in found:
        if unread and one.kind in _AMOUNT_KINDS:
            continue
        problem = one.at(_place(batch, one), external_ref)
        if (cell := _cell(problem)) not in taken:
            taken.add(cell)
            yield problem


def _place(batch: Batch, problem: Problem) -> Place:
    """Return where a problem stands in the user's files."""
    if problem.row is None:
        return Place()
    at = batch.place(problem.row, problem.field)
    if at.column or problem.field not in _ANOTHER_COLUMN:
        return at
    return batch.place(problem.row, _ANOTHER_COLUMN[problem.field])


def _cell(problem: Problem) -> tuple[str, ...]:
    """Return what makes two problems be about one cell; of those without a column, only the same kind is the same."""
    place = problem.place
    column = place.column or problem.field or problem.code
    return place.file, place.sheet, str(place.row), column


def _named(document: Document) -> Document:
    """Return the document with its customer's name where it belongs.

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
    if customer == Customer(name=customer.name) and document.customer_name in ("", customer.name):
        return replace(document, customer=None, customer_name=customer.name)
    return document if customer is document.customer else replace(document, customer=customer)


def _header(document: Document, row: int | None) -> tuple[Document, list[Problem]]:
    """Return the document with its own fields and its customer as they travel, and what is wrong with them."""
    faults: list[tuple[str, Problem]] = []
    changes: dict[str, Any] = {}
    for field in _HEADER_FIELDS:
        if text := getattr(document, field):
            sent, fault = _judged(field, text)
            if fault:
                faults.append((field, fault))
            elif sent != text:
                changes[field] = sent
    if document.customer:
        customer, of_customer = _customer(document.customer)
        faults += of_customer
        if customer is not document.customer:
            changes["customer"] = customer
    not_sent = _NOT_SENT[document.doc_type]
    problems = [fault.on(row, field) for field, fault in faults if field not in not_sent]
    return (replace(document, **changes) if changes else document), problems


def _lines(document: Document) -> list[Problem]:
    """Return what is wrong in the lines. Most hold only values that were found sound before: that is asked at once."""
    if not document.lines or not _lines_count(document):
        return []
    descriptions, quantities, prices, discounts, _, _ = zip(*document.lines, strict=True)
    if (
        _SOUND["description"].issuperset(descriptions)
        and _SOUND["quantity"].issuperset(quantities)
        and _SOUND["unit_price"].issuperset(prices)
        # Nearly no line has a discount: asking whether any has is quicker than looking each one up.
        and (not any(discounts) or _SOUND["discount_percentage"].issuperset(discounts))
    ):
        return []
    return [fault.on(line.row, field) for line in document.lines for field, fault in _line(line)]


def _lines_count(document: Document) -> bool:
    """Whether the lines are part of what is issued; a credit note may be for all of its CCF."""
    return document.doc_type != "05" or not (document.full_adjustment or not by_type.says_lines(document))


def _line(line: Line) -> Iterator[tuple[str, Problem]]:
    """Yield what is wrong in one line with the field in which it stands, and remember the values that are sound."""
    for field, sound in _SOUND.items():
        value = getattr(line, field)
        if value in sound:
            continue
        if fault := _fault(field, value):
            yield field, fault
        else:
            # Prices of a year can all differ: beginning anew costs less than the memory.
            if len(sound) >= _MOST_REMEMBERED:
                sound.clear()
            sound.add(value)


@catalogs.remembered(16384)
def _customer(customer: Customer) -> tuple[Customer, tuple[tuple[str, Problem], ...]]:
    """Return a customer as it travels, and what is wrong with it. Remembered: a shop sells to the same ones."""
    faults: list[tuple[str, Problem]] = []
    changes: dict[str, str] = {}
    # The NIT's column also takes the number of a passport or another document, which has a rule of its own.
    is_other = catalogs.identity_documents().code_of(customer.document_type) in _OTHER_DOCUMENTS
    nit_rule = "other_number" if is_other and not nit_has_shape(digits_of(customer.nit)) else "nit"
    for field, attribute in _CUSTOMER_FIELDS.items():
        if text := getattr(customer, attribute):
            sent, fault = _judged(nit_rule if field == "nit" else field, text)
            changes[attribute] = sent
            if fault:
                faults.append((field, fault))
    placing = place(customer.department, customer.municipality, customer.district)
    if placing.fault:
        faults.append((placing.field, placing.fault))
    changes |= {
        "department": placing.department, "municipality": placing.municipality, "district": placing.district,
    }  # fmt: skip
    if all(getattr(customer, attribute) == sent for attribute, sent in changes.items()):
        return customer, tuple(faults)
    return replace(customer, **changes), tuple(faults)


@catalogs.remembered(16384)
def _judged(field: str, text: str) -> tuple[str, Problem | None]:
    """Return the form in which a header's text travels, and what is wrong with it."""
    fault = _fault(field, text)
    if fault and fault.kind.severity is Severity.BLOCKS:
        return text, fault
    digits = digits_of(text)
    if (field == "nit" and nit_has_shape(digits)) or (field == "nrc" and nrc_has_shape(digits)):
        text = digits
    elif field == "dui" and dui_has_shape(digits):
        text = dui_with_hyphen(digits)
    elif field in _CODES:
        text = _CODES[field]().code_of(text)
    return text, fault


def _fault(field: str, value: object) -> Problem | None:
    """Return what the first rule of the field says that the value breaks."""
    return next((fault for rule in _RULES[field] if (fault := rule(value))), None)


def _by_type(rules: Sequence[WholeRule]) -> Mapping[str, tuple[Callable[..., Any], ...]]:
    return {kind: tuple(rule.check for rule in rules if kind in rule.doc_types) for kind in DOC_TYPES}


_RULES: Mapping[str, tuple[Callable[[Any], Problem | None], ...]] = {
    name: tuple(rule.check for rule in CELL_RULES if name in rule.fields)
    for name in {name for rule in CELL_RULES for name in rule.fields}
}
_HEADER_FIELDS = tuple(key for key in keys_of(Owner.DOCUMENT) if key in _RULES)
_CUSTOMER_FIELDS = {key: attribute for key, attribute in CUSTOMER_ATTRIBUTES.items() if key in _RULES}
"""Our field to the customer's attribute; the place has a rule of its own."""
_NOT_SENT = {kind: frozenset(field.key for field in TABLE if kind not in field.doc_types) for kind in DOC_TYPES}
"""Fields for which a type's route has no place: nothing is said against them."""
_DOCUMENT_RULES = _by_type(DOCUMENT_RULES)
_AMOUNT_RULES = _by_type(AMOUNT_RULES)
_MOST_REMEMBERED = 100_000
_SOUND: Mapping[str, set[Any]] = MappingProxyType({key: set() for key in LINE_FIELDS if key in _RULES})
"""Values of line fields that broke no rule, so that each is judged once."""
