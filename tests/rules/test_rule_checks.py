from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.messages import Messages
from batch_issuer.model.documents import Customer, Document, Line
from batch_issuer.model.problems import Kind, Place, Problem
from batch_issuer.rules import all_kinds, check
from batch_issuer.settings import CUSTOMER_FIELDS, DOCUMENT_FIELDS, LINE_FIELDS, Rules

GOOD_DUI = "00016297-5"
GOOD_NIT = "0614-050707-104-8"
ANA = Customer(name="Ana Ejemplo", dui=GOOD_DUI)


def line(**changes: Any) -> Line:
    sound = Line("Café molido 400 g", Decimal(2), Decimal("3.25"), Decimal(0), False, 7)
    return sound._replace(**changes)


def document(**changes: Any) -> Document:
    sound = Document(external_ref="A-1", doc_type="01", lines=(line(),), prices_with_vat=True)
    return replace(sound, **changes)


def customer(**changes: Any) -> Document:
    return document(customer=replace(Customer(name="Ana Ejemplo"), **changes))


TAXPAYER = Customer(
    name="Comercial Uno", nit=GOOD_NIT, nrc="123456", type_contributor="1", activity_code="01111", address="Calle 1",
    district="Santa Tecla", email="uno@example.com",
)  # fmt: skip


def ccf(**changes: Any) -> Document:
    return document(doc_type="03", customer=replace(TAXPAYER, **changes))


def export(**changes: Any) -> Document:
    return document(doc_type="11", customer=replace(Customer(name="Jane Doe", address="Main St", email=""), **changes))


def purchase(**changes: Any) -> Document:
    return document(doc_type="14", customer=replace(ANA, **changes))


def credit(**changes: Any) -> Document:
    return document(doc_type="05", **{"adjusts": "CCF-1", **changes})


NOTHING = (line(description="", quantity=Decimal(0), unit_price=Decimal(0)),)


def lined(**changes: Any) -> Document:
    return document(lines=(line(**changes),))


def priced(amount: str, **changes: Any) -> Document:
    return document(lines=(line(quantity=Decimal(1), unit_price=Decimal(amount)),), **changes)


def findings(subject: Document, rules: Rules = Rules()) -> tuple[Problem, ...]:  # noqa: B008 - a frozen value
    return check(subject, rules).problems


def codes(subject: Document) -> list[str]:
    return [finding.kind.code for finding in findings(subject)]


BREAKING_AND_PASSING = [
    ("description-missing", "description", lined(description="  "), document()),
    ("text-long", "description", lined(description="x" * 1001), lined(description="x" * 1000)),
    ("text-long", "customer_name", document(customer_name="x" * 251), document(customer_name="x" * 250)),
    ("text-long", "name", customer(name="x" * 251, nrc="12"), customer(name="x" * 250, nrc="12")),
    ("text-long", "address", customer(address="x" * 201), customer(address="x" * 200)),
    ("text-unprintable", "description", lined(description="Caf\x07"), lined(description="Café\nmolido")),
    (
        "text-unprintable",
        "customer_name",
        document(customer_name="Jos\N{REPLACEMENT CHARACTER}"),
        document(customer_name="José"),
    ),
    ("number-missing", "quantity", lined(quantity=Decimal("NaN")), document()),
    ("number-missing", "unit_price", lined(unit_price=Decimal("Infinity")), document()),
    ("quantity-not-positive", "quantity", lined(quantity=Decimal(0)), lined(quantity=Decimal("0.001"))),
    ("quantity-not-positive", "quantity", lined(quantity=Decimal(-1)), document()),
    ("price-not-positive", "unit_price", lined(unit_price=Decimal(0)), lined(unit_price=Decimal("0.01"))),
    (
        "number-large",
        "quantity",
        lined(quantity=Decimal(10) ** 11, unit_price=Decimal("0.00000001")),
        lined(quantity=Decimal(10) ** 11 - 1, unit_price=Decimal("0.00000001")),
    ),
    ("number-large", "unit_price", lined(unit_price=Decimal(10) ** 11), document()),
    ("number-decimals", "quantity", lined(quantity=Decimal("1.123456789")), lined(quantity=Decimal("1.123456780"))),
    (
        "number-decimals",
        "unit_price",
        lined(unit_price=Decimal("1.123456789")),
        lined(unit_price=Decimal("1.12345678")),
    ),
    (
        "discount-out-of-range",
        "discount_percentage",
        lined(discount_percentage=Decimal("99.5")),
        lined(discount_percentage=Decimal(99)),
    ),
    (
        "discount-out-of-range",
        "discount_percentage",
        lined(discount_percentage=Decimal(-1)),
        lined(discount_percentage=Decimal("0.5")),
    ),
    (
        "payment-method-unknown",
        "payment_method",
        document(payment_method="Tarjeta"),
        document(payment_method="Tarjeta de débito"),
    ),
    (
        "condition-unknown",
        "transaction_condition",
        document(transaction_condition="4"),
        document(transaction_condition="1"),
    ),
    (
        "deadline-unknown",
        "deadline",
        document(transaction_condition="2", deadline="30", period="1"),
        document(transaction_condition="2", deadline="1", period="30"),
    ),
    (
        "period-not-whole",
        "period",
        document(transaction_condition="2", deadline="1", period="30 días"),
        document(transaction_condition="2", deadline="1", period="30"),
    ),
    (
        "period-not-whole",
        "period",
        document(transaction_condition="2", deadline="1", period="0"),
        document(transaction_condition="2", deadline="1", period="1"),
    ),
    ("activity-unknown", "activity_code", document(activity_code="99999"), document(activity_code="01111")),
    ("activity-unknown", "customer_activity_code", customer(activity_code="99999"), customer(activity_code="01111")),
    ("email-shape", "email", customer(email="ana@ejemplo"), customer(email="ana@example.com")),
    (
        "email-shape",
        "redirect_email",
        document(redirect_email="ana at example.com"),
        document(redirect_email="ana@example.com"),
    ),
    ("phone-length", "phone", customer(phone="2222"), customer(phone="2222-3333")),
    ("nit-shape", "nit", customer(nit="614-050707-104-8"), customer(nit=GOOD_NIT)),
    ("nit-check-digit", "nit", customer(nit="0614-050707-104-7"), customer(nit="000162975")),
    (
        "other-number-length",
        "nit",
        customer(nit="A1", document_type="Pasaporte"),
        customer(nit="A1234567", document_type="03"),
    ),
    ("dui-shape", "dui", customer(dui="16297-5"), customer(dui=GOOD_DUI)),
    ("dui-check-digit", "dui", customer(dui="00016297-6"), customer(dui="000162975")),
    ("nrc-shape", "nrc", customer(nrc="123456789"), customer(nrc="12345-6")),
    ("identity-document-unknown", "document_type", customer(document_type="99"), customer(document_type="13")),
    ("contributor-unknown", "type_contributor", customer(type_contributor="5"), customer(type_contributor="Pequeño")),
    ("favorite-doc-unknown", "favorite_doc", customer(favorite_doc="99"), customer(favorite_doc="01")),
    (
        "municipality-elsewhere",
        "municipality",
        customer(department="06", municipality="Santa Tecla"),
        customer(department="05", municipality="Santa Tecla"),
    ),
    ("doc-type-unissued", "doc_type", document(doc_type="04"), document()),
    ("ccf-name-missing", "name", ccf(name=""), ccf()),
    ("ccf-nit-missing", "nit", ccf(nit=""), ccf()),
    ("ccf-nrc-missing", "nrc", ccf(nrc=""), ccf()),
    ("ccf-contributor-missing", "type_contributor", ccf(type_contributor=""), ccf(type_contributor="Gobierno")),
    ("ccf-advised-missing", "customer_activity_code", ccf(activity_code="", email=""), ccf()),
    ("ccf-advised-missing", "municipality", ccf(district=""), ccf()),
    ("export-buyer-missing", "name", document(doc_type="11", customer_name="Consumidor Final"), export()),
    ("export-buyer-missing", "address", document(doc_type="11", customer_name="Jane Doe"), export()),
    ("subject-name-missing", "name", purchase(name=""), purchase()),
    ("subject-number-missing", "dui", document(doc_type="14", customer_name="Ana"), purchase()),
    ("subject-with-nrc", "nrc", purchase(nrc="123456"), purchase()),
    (
        "discount-taken-off",
        "discount_percentage",
        document(doc_type="14", customer=ANA, lines=(line(discount_percentage=Decimal(10)),)),
        lined(discount_percentage=Decimal(10)),
    ),
    ("credit-ccf-missing", "adjusts", credit(adjusts=""), credit()),
    ("credit-by-control-number", "adjusts", credit(adjusts="DTE-03-M001P001-000000000000123"), credit()),
    ("credit-of-itself", "adjusts", credit(adjusts="A-1"), credit()),
    ("credit-says-nothing", "full_adjustment", credit(lines=NOTHING), credit(lines=NOTHING, full_adjustment=True)),
    ("adjusts-without-credit", "adjusts", document(adjusts="CCF-1"), credit()),
    ("adjusts-without-credit", "full_adjustment", document(full_adjustment=True), credit(full_adjustment=True)),
    ("lines-many", "", document(customer=ANA, lines=(line(),) * 2001), document(customer=ANA, lines=(line(),) * 2000)),
    (
        "customer-name-missing",
        "name",
        customer(name="", email="ana@example.com"),
        customer(name="Ana", email="ana@example.com"),
    ),
    (
        "customer-two-names",
        "customer_name",
        document(customer_name="Luis", customer=ANA),
        document(customer_name="ANA EJEMPLO", customer=ANA),
    ),
    ("term-without-credit", "period", document(period="30"), document(transaction_condition="2", period="30")),
    ("credit-without-term", "period", document(transaction_condition="2"), document(transaction_condition="1")),
    ("amount-zero", "", priced("0.004"), priced("0.005")),
    (
        "amount-large",
        "",
        document(customer=ANA, lines=(line(quantity=Decimal(10) ** 6, unit_price=Decimal(10) ** 6),)),
        priced("99999999999.99", customer=ANA),
    ),
    ("total-differs", "total", priced("5.00", total=Decimal("5.02")), priced("5.00", total=Decimal("5.01"))),
    ("customer-not-identified", "customer_name", priced("25000.00"), priced("25000.00", customer=ANA)),
    (
        "customer-not-identified",
        "dui",
        priced("25000.00", customer_name="Ana Ejemplo"),
        priced("24999.99", customer=ANA),
    ),
    (
        "customer-not-identified",
        "customer_name",
        priced("25000.00", customer=Customer(name="CONSUMIDOR FINAL", dui=GOOD_DUI)),
        priced("25000", customer=Customer(name="Ana", nit=GOOD_NIT)),
    ),
    ("customer-anonymous", "", priced("1095.00"), priced("1094.99")),
]


@pytest.mark.parametrize(("code", "field", "breaking", "passing"), BREAKING_AND_PASSING)
def test_each_rule(code: str, field: str, breaking: Document, passing: Document) -> None:
    """Every rule is broken by one document, in the field that it is about, and by none beside it."""
    assert [(found.kind.code, found.field) for found in findings(breaking)] == [(code, field)]
    assert code not in codes(passing)


def test_each_code_has_an_example() -> None:
    """No rule goes untested here; places have a table of their own."""
    places = {
        row.code for row in all_kinds() if row.code.startswith(("department", "municipality", "place", "district"))
    }
    examples = {code for code, *_ in BREAKING_AND_PASSING} | places | {"lines-missing", "service-not-said"}
    assert examples == {row.code for row in all_kinds()}


def test_a_sound_document_is_left_as_it_is() -> None:
    """Nothing is found and nothing is copied."""
    subject = document(customer_name="Ana Ejemplo", total=Decimal("6.50"))
    assert check(subject, Rules()).problems == ()
    assert check(subject, Rules()).document is subject


def test_a_document_without_lines_is_refused() -> None:
    """There is no row to point at, and yet a finding."""
    assert findings(document(lines=())) == (Problem(kind_of("lines-missing")),)


def kind_of(code: str) -> Kind:
    row = next(row for row in all_kinds() if row.code == code)
    return Kind(code=row.code, message=row.message, repair=row.repair, severity=row.severity)


@pytest.mark.parametrize("doc_type", ["04", "99", ""])
def test_types_that_the_provider_does_not_issue_do_not_leave(doc_type: str) -> None:
    """Whatever else is wrong, they are held back, and nothing else is said of them."""
    assert codes(document(doc_type=doc_type, lines=(line(quantity=Decimal(0)),))) == ["doc-type-unissued"]
    assert kind_of("doc-type-unissued").severity == "blocks"


@pytest.mark.parametrize("doc_type", ["05", "14"])
def test_what_a_type_cannot_send_is_not_held_against_it(doc_type: str) -> None:
    """Credit notes and purchases have no fields for payment: a wrong one there stops nothing."""
    subject = document(doc_type=doc_type, adjusts="CCF-1" if doc_type == "05" else "", customer=ANA)
    assert codes(replace(subject, payment_method="Tarjeta", transaction_condition="2", period="x")) == []


def test_a_credit_note_has_the_customer_of_its_ccf() -> None:
    """What the sheet says of the customer is only shown."""
    sent = check(credit(customer=replace(ANA, dui="1")), Rules())
    assert (sent.problems, sent.document.customer, sent.document.customer_name) == ((), None, "Ana Ejemplo")


@pytest.mark.parametrize("doc_type", ["03", "14"])
def test_a_name_in_the_documents_column_names_taxpayers_and_subjects(doc_type: str) -> None:
    """Tills have one column for names, whatever the document."""
    sent = check(
        document(doc_type=doc_type, customer_name="Comercial Uno", customer=replace(TAXPAYER, name="")), Rules()
    )
    assert sent.document.customer is not None
    assert sent.document.customer.name == "Comercial Uno"
    assert not [found for found in sent.problems if found.kind.severity == "blocks"]


def test_names_become_codes_and_identifiers_their_form() -> None:
    """What travels is what the provider's examples show."""
    written = Customer(
        name="Ana Ejemplo",
        nit=GOOD_NIT,
        nrc="12345-6",
        dui="000162975",
        document_type="DUI",
        type_contributor="Grande",
        activity_code="1111",
        district="Santa Tecla",
        email="ana@example.com",
    )
    credit = document(transaction_condition="Crédito", deadline="Días", period="30")
    sent = check(replace(credit, customer=written, payment_method="Transferencia"), Rules())
    assert sent.problems == ()
    assert sent.document.customer == replace(
        written,
        nit="06140507071048",
        nrc="123456",
        dui="00016297-5",
        document_type="13",
        type_contributor="3",
        activity_code="01111",
        department="05",
        municipality="28",
        district="",
    )
    header = sent.document
    assert (header.payment_method, header.transaction_condition, header.deadline) == ("05", "2", "1")


def test_a_passport_number_keeps_its_letters() -> None:
    """The number of another document is not squeezed into digits."""
    sent = check(customer(nit="A-123 456", document_type="Pasaporte"), Rules()).document
    assert sent.customer is not None
    assert (sent.customer.nit, sent.customer.document_type) == ("A-123 456", "03")


def test_what_is_not_understood_stays_as_written() -> None:
    """A report quotes the sheet, not our guess."""
    subject = document(payment_method="Tarjeta", customer=Customer(name="Ana", dui="16297-5", department="Narnia"))
    assert check(subject, Rules()).document == subject


def test_the_customer_is_named_by_either_column() -> None:
    """A name in the document's column is the name of the customer whose other data stand beside it."""
    sent = check(document(customer_name="Ana", customer=Customer(email="ana@example.com")), Rules())
    assert sent.problems == ()
    assert sent.document.customer == Customer(name="Ana", email="ana@example.com")


def test_a_customer_with_only_a_name_is_only_a_name() -> None:
    """The provider would store a new customer with each such sale."""
    sent = check(document(customer=Customer(name="Ana Ejemplo")), Rules()).document
    assert (sent.customer, sent.customer_name) == (None, "Ana Ejemplo")


def test_a_cell_is_told_one_fault() -> None:
    """The first rule that is broken speaks for the cell, and every line for itself."""
    subject = document(
        lines=(line(description="\x07" * 1001, quantity=Decimal("-1.123456789")), line(unit_price=Decimal(0), row=8))
    )
    assert [(found.kind.code, found.row) for found in findings(subject)] == [
        ("text-long", 7),
        ("quantity-not-positive", 7),
        ("price-not-positive", 8),
    ]


def test_sums_are_not_judged_over_wrong_lines() -> None:
    """A wrong price is told once, not again as a wrong total."""
    assert codes(document(lines=(line(unit_price=Decimal(-5)),), total=Decimal(99))) == ["price-not-positive"]


def test_the_same_value_is_told_in_every_row() -> None:
    """Judging a value once does not mean telling it once."""
    subject = document(lines=tuple(line(quantity=Decimal(0), row=row) for row in (3, 5, 9)))
    assert [found.row for found in findings(subject)] == [3, 5, 9]
    assert [found.row for found in findings(subject)] == [3, 5, 9]


@pytest.mark.parametrize(
    ("total", "agrees"),
    [("11.30", True), ("11.31", True), ("11.29", True), ("11.32", False), ("10.00", True), ("10.02", False)],
)
def test_a_total_of_net_prices_may_be_net_or_gross(total: str, *, agrees: bool) -> None:
    """Where prices come without VAT, sheets put either total; anything else contradicts the lines."""
    assert (codes(priced("10.00", prices_with_vat=False, total=Decimal(total))) == []) is agrees


def test_a_total_may_leave_out_what_the_buyer_withholds() -> None:
    """A large taxpayer pays 1 % of the base less, and a sheet may show what is paid."""
    large = replace(ANA, type_contributor="3")
    assert codes(priced("1130.00", customer=large, total=Decimal("1120.00"))) == []
    assert codes(priced("1130.00", customer=ANA, total=Decimal("1120.00"))) == ["total-differs"]


def test_the_tolerance_is_a_cent_a_line() -> None:
    """Rounding line by line may differ by a cent in each."""
    lines = tuple(line(quantity=Decimal(1), unit_price=Decimal("1.00"), row=row) for row in range(3))
    assert codes(document(lines=lines, total=Decimal("3.03"))) == []
    assert codes(document(lines=lines, total=Decimal("3.04"))) == ["total-differs"]


def test_the_anonymous_warning_follows_the_settings() -> None:
    """The threshold can be moved, and 0 is never."""
    assert codes(priced("1095.00")) == ["customer-anonymous"]
    assert findings(priced("24999.99"), Rules(warn_anonymous_from=Decimal(0))) == ()
    assert findings(priced("24999.99"), Rules(warn_anonymous_from=Decimal(30000))) == ()


@given(st.decimals("0.01", "24999.99", places=2))
def test_customer_data_are_never_demanded_below_the_threshold(amount: Decimal) -> None:
    """Demanding a name below $25,000 is an offence: no anonymous sale below it is ever held back."""
    assert not any(found.kind.severity == "blocks" for found in findings(priced(str(amount))))


@given(st.decimals("25000", "99999999", places=2), st.sampled_from(["", "Consumidor Final", "Ana Ejemplo"]))
def test_large_sales_are_never_sent_unidentified(amount: Decimal, name: str) -> None:
    """From $25,000 a name without a number is not enough."""
    assert "customer-not-identified" in codes(priced(str(amount), customer_name=name))


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-100, max_value=10**12)
texts = st.text(max_size=30)


@given(texts, numbers, numbers, numbers)
def test_what_passes_is_what_the_provider_takes(
    text: str, quantity: Decimal, price: Decimal, discount: Decimal
) -> None:
    """A line without a finding keeps every limit that the provider states."""
    subject = document(customer=ANA, lines=(Line(text, quantity, price, discount, False, 0),))
    if not codes(subject):
        assert text.strip()
        assert 0 < quantity < 10**11
        assert 0 < price < 10**11
        assert 0 <= discount <= 99
        assert subject.expected_gross > 0


@given(st.fixed_dictionaries({field: texts for field in CUSTOMER_FIELDS if field != "customer_activity_code"}))
def test_any_customer_is_checked(fields: dict[str, str]) -> None:
    """No text in a customer's columns makes a rule fail, and checking twice finds the same."""
    subject = document(customer=Customer(**fields))
    assert findings(subject) == findings(subject)


@given(st.sampled_from(["payment_method", "transaction_condition", "deadline", "period", "activity_code"]), texts)
def test_numbers_that_travel_are_numbers(field: str, text: str) -> None:
    """What has no finding in these columns has the form that the provider's JSON needs."""
    sent = check(document(**{field: text}), Rules())
    if not any(found.field == field and found.kind.severity == "blocks" for found in sent.problems):
        value = getattr(sent.document, field)
        assert value == "" or value.isdigit()


def test_fields_are_those_of_the_settings() -> None:
    """A finding points at a column that the settings can name."""
    known = {"", *DOCUMENT_FIELDS, *CUSTOMER_FIELDS, *LINE_FIELDS}
    assert {field for _, field, *_ in BREAKING_AND_PASSING} <= known


def sentence(subject: Document, language: str) -> tuple[str, str]:
    (found,) = findings(subject)
    problem = Problem(kind=found.kind, place=Place(), value=found.value, parameters=found.parameters)
    return problem.message(Messages(language)), problem.repair(Messages(language))


@pytest.mark.parametrize(
    ("subject", "english", "spanish"),
    [
        (
            lined(quantity=Decimal("-3.00")),
            "The quantity is -3.00; it must be more than zero.",
            "La cantidad es -3.00; debe ser mayor que cero.",
        ),
        (
            customer(dui="1629-75"),
            "The DUI «1629-75» does not have 9 digits.",
            "El DUI «1629-75» no tiene 9 dígitos.",
        ),
        (
            priced("25000.00"),
            "The document comes to $25,000.00 and does not say who bought: from $25,000.00 the law demands it.",
            "El documento suma $25,000.00 y no dice quién compró: desde $25,000.00 la ley lo exige.",
        ),
        (
            priced("5.00", total=Decimal("6.50")),
            "The sheet's total is 6.50 and the lines come to 5.00.",
            "El total de la hoja es 6.50 y las líneas suman 5.00.",
        ),
        (
            customer(department="06", municipality="14"),
            "«14» is the code that San Salvador had as a municipality until May 2024.",
            "«14» es el código que San Salvador tenía como municipio hasta mayo de 2024.",
        ),
        (
            lined(description="Caf\x07"),
            "The text «Caf\N{REPLACEMENT CHARACTER}» holds a character that cannot be printed (U+0007).",
            "El texto «Caf\N{REPLACEMENT CHARACTER}» contiene un carácter que no se puede imprimir (U+0007).",
        ),
    ],
)
def test_sentences(subject: Document, english: str, spanish: str) -> None:
    """What happened and the value, in both languages."""
    assert sentence(subject, "en")[0] == english
    assert sentence(subject, "es")[0] == spanish


def test_repairs_say_what_to_write() -> None:
    """A value out of a catalog comes with the catalog."""
    assert sentence(document(transaction_condition="fiado"), "en")[1] == "Write one of: 1 Contado, 2 A crédito, 3 Otro."
    assert sentence(customer(department="06", municipality="99"), "es")[1] == (
        "Escriba uno de estos: 20 San Salvador Norte, 21 San Salvador Oeste, 22 San Salvador Este, "
        "23 San Salvador Centro, 24 San Salvador Sur."
    )
