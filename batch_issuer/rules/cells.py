"""Rules about the value of one cell, each a small function: it gives a fault or nothing.

A function is asked once per distinct value, not once per row. The first rule of a field that is broken is the one told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from batch_issuer.messages import N_
from batch_issuer.model.problems import Kind, Problem, Severity
from batch_issuer.rules import catalogs
from batch_issuer.rules.catalogs import Catalog
from batch_issuer.rules.identifiers import (
    PHONE_LENGTHS,
    digits_of,
    dui_has_shape,
    dui_is_valid,
    email_has_shape,
    is_all_digits,
    nit_has_shape,
    nit_is_valid,
    nrc_has_shape,
)

MOST_DECIMALS = 8
OTHER_NUMBER_LENGTHS = range(3, 21)
# The ministry's schemas: `exclusiveMaximum` of quantities, prices and totals.
TOO_LARGE = Decimal(10) ** 11
LARGEST_DISCOUNT = Decimal(99)

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
"""Control characters except tab and line ends, and what is left where an encoding was misread."""

DESCRIPTION_MISSING = Kind(
    code="description-missing",
    message=N_("The line has no description."),
    repair=N_("Write what was sold."),
)
TEXT_LONG = Kind(
    code="text-long",
    message=N_("The text has {length} characters; at most {limit} are accepted."),
    repair=N_("Shorten it."),
)
TEXT_UNPRINTABLE = Kind(
    code="text-unprintable",
    message=N_("The text «{value}» holds a character that cannot be printed ({character})."),
    repair=N_("Write the text again; it was damaged when it was copied or saved."),
)
NUMBER_MISSING = Kind(
    code="number-missing",
    message=N_("There is no number here."),
    repair=N_("Write the number."),
)
QUANTITY_NOT_POSITIVE = Kind(
    code="quantity-not-positive",
    message=N_("The quantity is {value}; it must be more than zero."),
    repair=N_("Correct it. If it is a return, take the row out and cancel the document that was issued."),
)
PRICE_NOT_POSITIVE = Kind(
    code="price-not-positive",
    message=N_("The unit price is {value}; it must be more than zero."),
    repair=N_("Correct it. What is given away does not go on a line of its own: take the row out."),
)
NUMBER_LARGE = Kind(
    code="number-large",
    message=N_("The number {value} is too large; it must be less than 100,000,000,000."),
    repair=N_("Correct it; perhaps a code stands in the wrong column."),
)
NUMBER_DECIMALS = Kind(
    code="number-decimals",
    message=N_("The number {value} has more than 8 decimals."),
    repair=N_("Round it to 8 decimals or fewer."),
)
DISCOUNT_OUT_OF_RANGE = Kind(
    code="discount-out-of-range",
    message=N_("The discount is {value} %; it must be between 0 and 99."),
    repair=N_("Write the percentage, for example 10 for ten per cent."),
)
EMAIL_SHAPE = Kind(
    code="email-shape",
    message=N_("«{value}» is not an e-mail address."),
    repair=N_("Write one address such as name@example.com, or leave the cell empty."),
)
PHONE_LENGTH = Kind(
    code="phone-length",
    message=N_("The telephone «{value}» does not have between 8 and 30 characters."),
    repair=N_("Complete it, or leave the cell empty: the ministry may refuse it."),
    severity=Severity.WARNS,
)
NIT_SHAPE = Kind(
    code="nit-shape",
    message=N_("The NIT «{value}» does not have 14 digits, nor the 9 of a DUI."),
    repair=N_("Copy it again from the card, as text; Excel drops the zeros at the beginning of numbers."),
)
NIT_CHECK_DIGIT = Kind(
    code="nit-check-digit",
    message=N_("The check digit of the NIT «{value}» does not fit: probably one digit is wrong."),
    repair=N_("Compare it with the card. It is sent as it is."),
    severity=Severity.WARNS,
)
OTHER_NUMBER_LENGTH = Kind(
    code="other-number-length",
    message=N_("The number «{value}» of the identity document does not have between 3 and 20 characters."),
    repair=N_("Copy it again from the document."),
)
DUI_SHAPE = Kind(
    code="dui-shape",
    message=N_("The DUI «{value}» does not have 9 digits."),
    repair=N_("Copy it again from the card, as text; Excel drops the zeros at the beginning of numbers."),
)
DUI_CHECK_DIGIT = Kind(
    code="dui-check-digit",
    message=N_("The check digit of the DUI «{value}» does not fit: probably one digit is wrong."),
    repair=N_("Compare it with the card. It is sent as it is."),
    severity=Severity.WARNS,
)
NRC_SHAPE = Kind(
    code="nrc-shape",
    message=N_("The NRC «{value}» does not have between 2 and 8 digits."),
    repair=N_("Copy it again from the taxpayer's card, or leave the cell empty."),
)
PAYMENT_UNKNOWN = Kind(
    code="payment-method-unknown",
    message=N_("The payment method «{value}» is not in the ministry's catalog (CAT-017)."),
    repair=N_("Write one of: {known}."),
)
CONDITION_UNKNOWN = Kind(
    code="condition-unknown",
    message=N_("The condition «{value}» is not in the ministry's catalog (CAT-016)."),
    repair=N_("Write one of: {known}."),
)
DEADLINE_UNKNOWN = Kind(
    code="deadline-unknown",
    message=N_("The unit of the credit term is «{value}»; it must be one of: {known}."),
    repair=N_("For 30 days, write 1 here and 30 in the column of the period."),
)
PERIOD_NOT_WHOLE = Kind(
    code="period-not-whole",
    message=N_("The credit period is «{value}»; it must be a whole number of 1 or more."),
    repair=N_("Write only the number: for 30 days, 30 here and 1 in the column of the unit."),
)
ACTIVITY_UNKNOWN = Kind(
    code="activity-unknown",
    message=N_("The economic activity «{value}» is not in the ministry's catalog (CAT-019)."),
    repair=N_("Write its five-digit code, as the taxpayer's card has it."),
)
CONTRIBUTOR_UNKNOWN = Kind(
    code="contributor-unknown",
    message=N_("The size of taxpayer «{value}» is not one of: {known}."),
    repair=N_("Write the number. Large taxpayers and the government withhold part of the VAT."),
)
IDENTITY_DOCUMENT_UNKNOWN = Kind(
    code="identity-document-unknown",
    message=N_("The kind of identity document «{value}» is not in the ministry's catalog (CAT-022)."),
    repair=N_("Write one of: {known}."),
)
FAVORITE_DOC_UNKNOWN = Kind(
    code="favorite-doc-unknown",
    message=N_("The customer's usual document «{value}» is not in the ministry's catalog (CAT-002)."),
    repair=N_("Write one of: {known}."),
)


def as_written(number: Decimal) -> str:
    """A number for a sentence, never in scientific notation."""
    return format(number, "f") if number.is_finite() else ""


def description_is_given(text: str) -> Problem | None:
    """A line has a description (Ocote, POST /invoice: «Línea N: descripción es requerida»)."""
    return None if text.strip() else Problem(DESCRIPTION_MISSING)


def text_fits(limit: int, sentence: str) -> Callable[[str], Problem | None]:
    """Return the rule that a text has at most so many characters, with the sentence that says so and its source."""

    def fits(text: str) -> Problem | None:
        if len(text) <= limit:
            return None
        return Problem(TEXT_LONG, text, {"length": f"{len(text):,}", "limit": f"{limit:,}"})

    fits.__doc__ = sentence
    return fits


def text_is_printable(text: str) -> Problem | None:
    """A text has no control characters (RFC 8259 would carry them, printed documents cannot)."""
    if not (damaged := _UNPRINTABLE.search(text)):
        return None
    # The sentence is printed too: it must not carry the character that it complains of.
    shown = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return Problem(TEXT_UNPRINTABLE, shown, {"character": f"U+{ord(damaged[0]):04X}"})


def number_is_there(number: Decimal) -> Problem | None:
    """Quantity and price are numbers (Ocote, POST /invoice, lines)."""
    return None if number.is_finite() else Problem(NUMBER_MISSING)


def quantity_is_positive(number: Decimal) -> Problem | None:
    """A quantity is more than zero (Ocote, POST /invoice: «cantidad debe ser mayor a cero»)."""
    return None if number > 0 else Problem(QUANTITY_NOT_POSITIVE, as_written(number))


def price_is_positive(number: Decimal) -> Problem | None:
    """A unit price is more than zero (Ocote, POST /invoice: «precio unitario debe ser mayor a cero»)."""
    return None if number > 0 else Problem(PRICE_NOT_POSITIVE, as_written(number))


def number_is_below_limit(number: Decimal) -> Problem | None:
    """Quantity and price are below 100,000,000,000 (fe-fc-v1 and fe-f-v2, cuerpoDocumento)."""
    return None if number < TOO_LARGE else Problem(NUMBER_LARGE, as_written(number))


def number_has_few_decimals(number: Decimal) -> Problem | None:
    """Quantity and price have at most 8 decimals (fe-fc-v1 and fe-f-v2, cuerpoDocumento, multipleOf)."""
    # Zeros at the end are how a spreadsheet shows a number, not decimals that it has.
    exponent = number.normalize().as_tuple().exponent
    too_many = isinstance(exponent, int) and exponent < -MOST_DECIMALS
    return Problem(NUMBER_DECIMALS, as_written(number)) if too_many else None


def discount_is_in_range(number: Decimal) -> Problem | None:
    """A discount is from 0 to 99 per cent (Ocote, POST /invoice, discount_percentage)."""
    return None if 0 <= number <= LARGEST_DISCOUNT else Problem(DISCOUNT_OUT_OF_RANGE, as_written(number))


def email_is_plausible(text: str) -> Problem | None:
    """An e-mail address has 6 to 100 characters and a domain (fe-f-v2, receptor.correo)."""
    return None if email_has_shape(text) else Problem(EMAIL_SHAPE, text)


def phone_fits(text: str) -> Problem | None:
    """A telephone has 8 to 30 characters (fe-fc-v1 and fe-f-v2, receptor.telefono)."""
    return None if len(text) in PHONE_LENGTHS else Problem(PHONE_LENGTH, text)


def nit_looks_right(text: str) -> Problem | None:
    """A NIT has 14 digits, or the 9 of the DUI that replaces it (fe-fc-v1, `^([0-9]{14}|[0-9]{9})$`)."""
    return None if nit_has_shape(digits_of(text)) else Problem(NIT_SHAPE, text)


def nit_check_digit_fits(text: str) -> Problem | None:
    """The last digit of a NIT follows from the others; the ministry does not publish how, so this only warns."""
    return None if nit_is_valid(digits_of(text)) else Problem(NIT_CHECK_DIGIT, text)


def other_number_fits(text: str) -> Problem | None:
    """The number of a passport or another document, in the NIT's column, has 3 to 20 characters (fe-fc-v1)."""
    return None if len(text) in OTHER_NUMBER_LENGTHS else Problem(OTHER_NUMBER_LENGTH, text)


def dui_looks_right(text: str) -> Problem | None:
    """A DUI has 9 digits (type 01: `########-#`)."""
    return None if dui_has_shape(digits_of(text)) else Problem(DUI_SHAPE, text)


def dui_check_digit_fits(text: str) -> Problem | None:
    """The last digit of a DUI follows from the others; the ministry does not publish how, so this only warns."""
    return None if dui_is_valid(digits_of(text)) else Problem(DUI_CHECK_DIGIT, text)


def nrc_looks_right(text: str) -> Problem | None:
    """An NRC has 2 to 8 digits (fe-fc-v1, receptor.nrc)."""
    return None if nrc_has_shape(digits_of(text)) else Problem(NRC_SHAPE, text)


def period_is_whole(text: str) -> Problem | None:
    """A credit period is a whole number of 1 or more (Ocote, POST /invoice, period; pagos.periodo > 0)."""
    return None if is_all_digits(text) and int(text) > 0 else Problem(PERIOD_NOT_WHOLE, text)


def payment_method_is_known(text: str) -> Problem | None:
    """A payment method is in CAT-017, by code or name."""
    return _known(text, catalogs.payment_methods(), PAYMENT_UNKNOWN)


def condition_is_known(text: str) -> Problem | None:
    """A condition is in CAT-016, by code or name: 1 cash, 2 credit, 3 other."""
    return _known(text, catalogs.conditions(), CONDITION_UNKNOWN)


def deadline_is_known(text: str) -> Problem | None:
    """The unit of a credit term is in CAT-018, by code or name: 1 days, 2 months, 3 years (Ocote, changelog)."""
    return _known(text, catalogs.term_units(), DEADLINE_UNKNOWN)


def activity_is_known(text: str) -> Problem | None:
    """An economic activity is in CAT-019, by code or name."""
    return None if catalogs.activities().code_of(text) else Problem(ACTIVITY_UNKNOWN, text)


def contributor_is_known(text: str) -> Problem | None:
    """The size of a taxpayer is 1 small, 2 medium, 3 large or 4 government (Ocote, POST /invoice, type_contributor)."""
    return _known(text, catalogs.contributors(), CONTRIBUTOR_UNKNOWN)


def identity_document_is_known(text: str) -> Problem | None:
    """The kind of identity document is in CAT-022, by code or name."""
    return _known(text, catalogs.identity_documents(), IDENTITY_DOCUMENT_UNKNOWN)


def favorite_doc_is_known(text: str) -> Problem | None:
    """The customer's usual document is in CAT-002, by code or name (Ocote, POST /invoice, favorite_doc)."""
    return _known(text, catalogs.document_kinds(), FAVORITE_DOC_UNKNOWN)


def _known(text: str, catalog: Catalog, kind: Kind) -> Problem | None:
    return None if catalog.code_of(text) else Problem(kind, text, {"known": catalog.listed()})
