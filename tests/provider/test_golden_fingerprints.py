"""What travels, to the byte, for fixed documents of every type: the wire cannot move unseen.

A ledger knows a sale by the fingerprint of its body. Where one of these changes, every ledger in use takes the sales
that it has issued for others: they are asked about, or held back as changed. So this file changes only together with
what the provider documents, and with a way for the ledgers that exist.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest

from batch_issuer.model.documents import DOC_TYPES, Customer, Document, Line
from batch_issuer.provider import wire

EVERYBODY = Customer(
    name="Ñandú & Cía., S.A. de C.V. «El Ágape»", nit="06142803901121", nrc="1234567", dui="00016297-5",
    document_type="36", type_contributor="3", favorite_doc="03", address='Av. "Roosevelt" N.º 5\\B', activity_code="47190",
    district="01", department="06", municipality="23", email="compras@example.com", phone="2222-0000",
)  # fmt: skip
ABROAD = Customer(name="Łódź Import 株式会社", document_type="37", address="1 Main St\tSuite 2", activity_code="10005")
SUBJECT = Customer(
    name="Ana Inventada", dui="00016297-5", nit="06140507071048", nrc="99", document_type="13", type_contributor="1",
    favorite_doc="01", address="Cantón El Ámbar", activity_code="01111", district="02", department="05",
    municipality="25", email="ana@example.com", phone="7777 0000",
)  # fmt: skip
PLAIN = (("Café", "2", "2.50", "0"),)
HARD = (
    ("Pupusa de loroco 🫓", "3", "33.333", "0"),
    ("Ñame\u00a0por libra", "0.12345678", "1234567.87654321", "12.5"),
    ('Línea\ncon salto y \\ y "comillas"', "1000000", "0.00000001", "99.99"),
    ("</script><!-- =1+1", "1E+3", "1.10", "0.00"),
)  # fmt: skip
ID = "3FA85F64-5717-4562-B3FC-2C963F66AFA6"


def document(
    reference: str, doc_type: str, lines: tuple[tuple[str, str, str, str], ...] = PLAIN, **more: object
) -> Document:
    """Lines of text, quantity, price and discount; the last line of several is a service. What never travels is set."""
    given: dict[str, object] = {
        "prices_with_vat": True, "date": dt.date(2026, 11, 21), "time": "18:30", "branch": "Centro", "till": "1",
        "total": Decimal("5.00"), **more,
    }  # fmt: skip
    made = tuple(
        Line(text, Decimal(quantity), Decimal(price), Decimal(discount), len(lines) > 1 and at == len(lines) - 1, at)
        for at, (text, quantity, price, discount) in enumerate(lines)
    )
    return Document(external_ref=reference, doc_type=doc_type, lines=made, **given)  # type: ignore[arg-type]


EVERY_FIELD = {
    "customer": EVERYBODY, "customer_name": "never beside a customer", "payment_method": "05",
    "transaction_condition": "2", "deadline": "01", "period": "30", "activity_code": "47190",
    "redirect_email": "copia@example.com",
}  # fmt: skip

DOCUMENTS = {
    "01 plain": document("V-1", "01"),
    "01 without VAT": document("V-1", "01", prices_with_vat=False),
    "01 a name only": document("V-2", "01", customer_name="José Ñ.", payment_method="01"),
    "01 every field": document("Ñ/1 «á» ?&#%", "01", HARD, **EVERY_FIELD),
    "01 every field without VAT": document("V-3", "01", HARD, prices_with_vat=False, **EVERY_FIELD),
    "03 every field": document("C-1", "03", HARD, **EVERY_FIELD),
    "03 without VAT": document(
        "C-2",
        "03",
        (("Harina", "3", "33.333", "0"), ("Sal", "1", "0.1", "5")),
        prices_with_vat=False,
        customer=EVERYBODY,
    ),
    "05 lines": document("N-1", "05", HARD, adjusts="C-1"),
    "05 lines without VAT": document("N-2", "05", HARD, adjusts=ID, prices_with_vat=False, **EVERY_FIELD),
    "05 everything": document("N-3", "05", (), adjusts=ID, full_adjustment=True),
    "11 every field": document("X-1", "11", HARD, **{**EVERY_FIELD, "customer": ABROAD}),
    "11 without VAT": document("X-2", "11", HARD, prices_with_vat=False, customer=ABROAD),
    "14 every field": document("S-1", "14", HARD, **{**EVERY_FIELD, "customer": SUBJECT}),
    "14 without VAT, a name only": document("S-2", "14", HARD, prices_with_vat=False, customer_name="Ana Inventada"),
}

GOLDEN = {
    "01 plain": (
        ('{"external_ref":"V-1","doc_type":"01","lines":[{"description":"Café","quantity":2,'
        '"unit_price":2.5}]}'),
        "11899d77735093e5784ea23c1e753fe7360abd88fb4ad8a6738a1ec90a251316",
    ),
    "01 without VAT": (
        ('{"external_ref":"V-1","doc_type":"01","lines":[{"description":"Café","quantity":2,'
        '"unit_price":2.825}]}'),
        "dbbfa6f5c85ef32b7c1f7c89565eadeb4a18ad95047b0a59270426642cf5a12f",
    ),
    "01 a name only": (
        ('{"external_ref":"V-2","doc_type":"01","customer_name":"José Ñ.","payment_method":"01",'
        '"lines":[{"description":"Café","quantity":2,"unit_price":2.5}]}'),
        "d071d88c378506408ef885ab6b4a9d29a1ee5a3f6dcde49ec4829032519e9199",
    ),
    "01 every field": (
        ('{"external_ref":"Ñ/1 «á» ?&#%","doc_type":"01",'
        '"customer":{"name":"Ñandú & Cía., S.A. de C.V. «El Ágape»","nit":"06142803901121","nrc":"1234567",'
        '"dui":"00016297-5","document_type":"36","favorite_doc":"03",'
        '"address":"Av. \\"Roosevelt\\" N.º 5\\\\B","activity_code":"47190","district":"01",'
        '"department":"06","municipality":"23","email":"compras@example.com","phone":"2222-0000",'
        '"type_contributor":3},"payment_method":"05","activity_code":"47190",'
        '"redirect_email":"copia@example.com","transaction_condition":2,"deadline":1,"period":30,'
        '"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,"unit_price":33.333},'
        '{"description":"Ñame\xa0por libra","quantity":0.12345678,"unit_price":1234567.87654321,'
        '"discount_percentage":12.5},{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"",'
        '"quantity":1000000,"unit_price":0.00000001,"discount_percentage":99.99},'
        '{"description":"</script><!-- =1+1","quantity":1000,"unit_price":1.1}]}'),
        "fcbc9cb4cf45b55d108c1959a4507feedf20627db30eb200eab402c4aafcd8d1",
    ),
    "01 every field without VAT": (
        ('{"external_ref":"V-3","doc_type":"01","customer":{"name":"Ñandú & Cía., S.A. de C.V. «El Ágape»",'
        '"nit":"06142803901121","nrc":"1234567","dui":"00016297-5","document_type":"36",'
        '"favorite_doc":"03","address":"Av. \\"Roosevelt\\" N.º 5\\\\B","activity_code":"47190",'
        '"district":"01","department":"06","municipality":"23","email":"compras@example.com",'
        '"phone":"2222-0000","type_contributor":3},"payment_method":"05","activity_code":"47190",'
        '"redirect_email":"copia@example.com","transaction_condition":2,"deadline":1,"period":30,'
        '"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,"unit_price":37.66629},'
        '{"description":"Ñame\xa0por libra","quantity":0.12345678,"unit_price":1395061.7004938273,'
        '"discount_percentage":12.5},{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"",'
        '"quantity":1000000,"unit_price":0.0000000113,"discount_percentage":99.99},'
        '{"description":"</script><!-- =1+1","quantity":1000,"unit_price":1.243}]}'),
        "fd24a306b73f7cdbd8d090b4d936f7aab778980a52069e1a916d3be3f243c7d6",
    ),
    "03 every field": (
        ('{"external_ref":"C-1","doc_type":"03","customer":{"name":"Ñandú & Cía., S.A. de C.V. «El Ágape»",'
        '"nit":"06142803901121","nrc":"1234567","dui":"00016297-5","document_type":"36",'
        '"favorite_doc":"03","address":"Av. \\"Roosevelt\\" N.º 5\\\\B","activity_code":"47190",'
        '"district":"01","department":"06","municipality":"23","email":"compras@example.com",'
        '"phone":"2222-0000","type_contributor":3},"payment_method":"05","activity_code":"47190",'
        '"redirect_email":"copia@example.com","transaction_condition":2,"deadline":1,"period":30,'
        '"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,"unit_price":33.333},'
        '{"description":"Ñame\xa0por libra","quantity":0.12345678,"unit_price":1234567.87654321,'
        '"discount_percentage":12.5},{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"",'
        '"quantity":1000000,"unit_price":0.00000001,"discount_percentage":99.99},'
        '{"description":"</script><!-- =1+1","quantity":1000,"unit_price":1.1}]}'),
        "3ba64f65a342beb11afa61eb18b415105a7be1ca54ce67a6a67aec9f654f7d10",
    ),
    "03 without VAT": (
        ('{"external_ref":"C-2","doc_type":"03","customer":{"name":"Ñandú & Cía., S.A. de C.V. «El Ágape»",'
        '"nit":"06142803901121","nrc":"1234567","dui":"00016297-5","document_type":"36",'
        '"favorite_doc":"03","address":"Av. \\"Roosevelt\\" N.º 5\\\\B","activity_code":"47190",'
        '"district":"01","department":"06","municipality":"23","email":"compras@example.com",'
        '"phone":"2222-0000","type_contributor":3},"lines":[{"description":"Harina","quantity":3,'
        '"unit_price":37.66629},{"description":"Sal","quantity":1,"unit_price":0.113,'
        '"discount_percentage":5}]}'),
        "8910ecf703363a82c5b184a50ecf663505d4cb367b72c208e774d5773cd3aac3",
    ),
    "05 lines": (
        ('{"external_ref":"N-1","document_id":"C-1","lines":[{"description":"Pupusa de loroco 🫓",'
        '"quantity":3,"unit_price":33.333},{"description":"Ñame\xa0por libra","quantity":0.12345678,'
        '"unit_price":1080246.89197530875},{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"",'
        '"quantity":1000000,"unit_price":0.000000000001},{"description":"</script><!-- =1+1",'
        '"quantity":1000,"unit_price":1.1}]}'),
        "034c30089b107efc133d020baa7b2ab9ddfaecf0a5ff48e72afe212308165d24",
    ),
    "05 lines without VAT": (
        ('{"external_ref":"N-2","document_id":"3fa85f64-5717-4562-b3fc-2c963f66afa6",'
        '"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,"unit_price":37.66629},'
        '{"description":"Ñame\xa0por libra","quantity":0.12345678,"unit_price":1220678.9879320988875},'
        '{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"","quantity":1000000,'
        '"unit_price":0.00000000000113},{"description":"</script><!-- =1+1","quantity":1000,'
        '"unit_price":1.243}]}'),
        "4ea74b801a85d48ab7d8976368e9c7b0a012272646bb80020741773ecd9d84c1",
    ),
    "05 everything": (
        '{"external_ref":"N-3","document_id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","full_adjustment":true}',
        "86867d9842ec78842629c877cfb89e2ec10317b2732522d953d5a7c1150f97c3",
    ),
    "11 every field": (
        ('{"external_ref":"X-1","doc_type":"11","customer":{"name":"Łódź Import 株式会社","document_type":"37",'
        '"address":"1 Main St\\tSuite 2","activity_code":"10005"},"payment_method":"05",'
        '"activity_code":"47190","redirect_email":"copia@example.com","transaction_condition":2,'
        '"deadline":1,"period":30,"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,'
        '"unit_price":33.333},{"description":"Ñame\xa0por libra","quantity":0.12345678,'
        '"unit_price":1234567.87654321,"discount_percentage":12.5},'
        '{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"","quantity":1000000,'
        '"unit_price":0.00000001,"discount_percentage":99.99},{"description":"</script><!-- =1+1",'
        '"quantity":1000,"unit_price":1.1}]}'),
        "b7c36609e0410834a503e5b4946941638fac2983f58eae678e9924e75958de39",
    ),
    "11 without VAT": (
        ('{"external_ref":"X-2","doc_type":"11","customer":{"name":"Łódź Import 株式会社","document_type":"37",'
        '"address":"1 Main St\\tSuite 2","activity_code":"10005"},'
        '"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,"unit_price":33.333},'
        '{"description":"Ñame\xa0por libra","quantity":0.12345678,"unit_price":1234567.87654321,'
        '"discount_percentage":12.5},{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"",'
        '"quantity":1000000,"unit_price":0.00000001,"discount_percentage":99.99},'
        '{"description":"</script><!-- =1+1","quantity":1000,"unit_price":1.1}]}'),
        "4157e25fb37c5a3e47f8f92019a097f17369374a01df1d6df53d83a9a40027f9",
    ),
    "14 every field": (
        ('{"external_ref":"S-1","subject":{"name":"Ana Inventada","nit":"06140507071048","dui":"00016297-5",'
        '"document_type":"13","address":"Cantón El Ámbar","activity_code":"01111","district":"02",'
        '"department":"05","municipality":"25","email":"ana@example.com","phone":"7777 0000"},'
        '"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,"unit_price":33.333},'
        '{"description":"Ñame\xa0por libra","quantity":0.12345678,"unit_price":1080246.89197530875},'
        '{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"","quantity":1000000,'
        '"unit_price":0.000000000001},{"description":"</script><!-- =1+1","quantity":1000,"unit_price":1.1,'
        '"is_service":true}]}'),
        "6ecd97d623c1281c25f1a2c35bd6178692a2e265c0a894e9547fa6db7781d3db",
    ),
    "14 without VAT, a name only": (
        ('{"external_ref":"S-2","subject":{"name":"Ana Inventada"},'
        '"lines":[{"description":"Pupusa de loroco 🫓","quantity":3,"unit_price":33.333},'
        '{"description":"Ñame\xa0por libra","quantity":0.12345678,"unit_price":1080246.89197530875},'
        '{"description":"Línea\\ncon salto y \\\\ y \\"comillas\\"","quantity":1000000,'
        '"unit_price":0.000000000001},{"description":"</script><!-- =1+1","quantity":1000,"unit_price":1.1,'
        '"is_service":true}]}'),
        "0e07f7d38b9a0314ef2fb584a320f3258463f058320f63ade1f0d66508ff899a",
    ),
}  # fmt: skip
"""Body and fingerprint of each."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_body_and_its_fingerprint_are_as_they_always_were(name: str) -> None:
    """To the byte, non-ASCII letters, order and every decimal included."""
    body = wire.encode(DOCUMENTS[name])
    assert (body.decode(), wire.fingerprint(body)) == GOLDEN[name]


def test_every_type_and_every_field_is_among_them() -> None:
    """A field that is added to the documents has to be added here, and is seen on the wire or named as one that is not."""
    assert {one.doc_type for one in DOCUMENTS.values()} == set(DOC_TYPES)
    everything = "".join(body for body, _ in GOLDEN.values())
    never_sent = {"date", "time", "branch", "till", "total", "prices_with_vat", "begins", "summed", "row", "adjusts"}
    fields = {field.name for owner in (Document, Customer) for field in dataclasses.fields(owner)} | set(Line._fields)
    assert {name for name in fields - never_sent if f'"{name}":' not in everything} == set()
    assert {name for name in never_sent if f'"{name}":' in everything} == set()
