from __future__ import annotations

import asyncio
import base64
import json
import urllib.parse
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.documents import Amounts, Customer, Document, Line
from batch_issuer.model.records import write_answer
from batch_issuer.model.states import State
from batch_issuer.provider import wire
from batch_issuer.provider.client import Client, Found, open_transport
from batch_issuer.provider.files import read_signed
from batch_issuer.provider.quota import Quota
from batch_issuer.sandbox import Running, SandboxOptions, running

KEY = "odt_" + "0123456789abcdef" * 3 + "01234567"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def sale(*lines: tuple[str, str, str], reference: str = "V-1", with_vat: bool = True, **header: Any) -> Document:
    return Document(
        external_ref=reference,
        doc_type="01",
        lines=tuple(
            Line(text, Decimal(quantity), Decimal(price), Decimal(0), False, row)
            for row, (text, quantity, price) in enumerate(lines)
        ),
        prices_with_vat=with_vat,
        **header,
    )


def test_the_body_is_what_the_provider_documents() -> None:
    """Names, types and order of the request, to the byte: its digest is the fingerprint."""
    customer = Customer(name="Ana Ejemplo", dui="00016297-5", type_contributor="1", department="06", municipality="23")
    document = sale(
        ("Café «molido»", "2", "3.250"), customer=customer, payment_method="05", transaction_condition="2",
        deadline="1", period="30", redirect_email="copia@example.com",
    )  # fmt: skip
    assert wire.encode(document).decode() == (
        '{"external_ref":"V-1","doc_type":"01","customer":{"name":"Ana Ejemplo","dui":"00016297-5","department":"06",'
        '"municipality":"23","type_contributor":1},"payment_method":"05","redirect_email":"copia@example.com",'
        '"transaction_condition":2,"deadline":1,"period":30,'
        '"lines":[{"description":"Café «molido»","quantity":2,"unit_price":3.25}]}'
    )


def test_where_a_sale_stands_in_a_sheet_is_not_what_was_said_of_it() -> None:
    """Rows may move, and zeros may be written differently: the same sale keeps its fingerprint."""
    first, moved = sale(("Pan", "1.0", "0.50")), sale(("Pan", "1", "0.5"))
    moved = Document(**{**{name: getattr(moved, name) for name in moved.__slots__}, "lines": tuple(
        line._replace(row=99) for line in moved.lines
    )})  # fmt: skip
    assert wire.fingerprint(wire.encode(first)) == wire.fingerprint(wire.encode(moved))
    assert wire.fingerprint(wire.encode(sale(("Pan", "1", "0.51")))) != wire.fingerprint(wire.encode(first))


@given(
    st.lists(
        st.tuples(
            TEXTS,
            st.decimals("0.00000001", "99999999", places=8),
            st.decimals("0.00000001", "99999999", places=8),
            st.decimals(0, 99, places=2),
        ),
        min_size=1,
        max_size=5,
    ),
    TEXTS,
)
def test_numbers_and_texts_arrive_exactly(lines: list[tuple[str, Decimal, Decimal, Decimal]], reference: str) -> None:
    """No binary float comes between a sheet's number and the request, and every text survives."""
    document = Document(
        external_ref=reference,
        doc_type="01",
        lines=tuple(Line(*line, False, row) for row, line in enumerate(lines)),
        prices_with_vat=True,
    )
    body = json.loads(wire.encode(document), parse_float=Decimal, parse_int=Decimal)
    assert body["external_ref"] == reference
    assert [
        (line["description"], line["quantity"], line["unit_price"], line.get("discount_percentage", 0))
        for line in body["lines"]
    ] == lines


@given(st.decimals("0.01", "99999.99", places=2))
def test_a_net_price_becomes_gross_unrounded(price: Decimal) -> None:
    """Net times 1.13 with every decimal, so that the cent comes back at the provider."""
    line = json.loads(wire.encode(sale(("X", "1", str(price)), with_vat=False)), parse_float=Decimal)["lines"][0]
    assert Decimal(line["unit_price"]) == price * Decimal("1.13")


REFERENCES = ["A/1", "A B", "ñ-é-ü", "a?b#c", "100%", "..", ".", "a+b&c=d", "suex", "%2F", "日本", "a\\b", "x" * 100]


def test_every_reference_travels_in_a_path() -> None:
    """Whatever characters a reference has, it is issued once, and the status of exactly that document comes back."""

    async def run(provider: Running) -> list[str]:
        url = provider.base_url
        client = Client(url, provider.key, quota=Quota(), transport=open_transport(url, 1))
        found = []
        async with client:
            for reference in REFERENCES:
                await client.issue("01", reference, wire.encode(sale(("Pan", "1", "0.50"), reference=reference)))
            for reference in REFERENCES:
                reply = await client.ask("01", reference)
                assert isinstance(reply, Found), reference
                assert reply.state is State.STAMPED, reference
                assert await client.environment(reference) == "00", reference
                found.append(reply.answer.document_id)
        return found

    with running(SandboxOptions(minute_limit=None, hour_limit=None)) as provider:
        found = asyncio.run(run(provider))
        assert found == [document.document_id for document in provider.documents()]
        assert [document.ref for document in provider.documents()] == REFERENCES


@given(TEXTS)
def test_a_path_segment_is_reversible_and_has_no_separators(reference: str) -> None:
    """Two references never share a path, and none escapes its segment."""
    segment = wire.path_of(reference)
    assert urllib.parse.unquote(segment) == reference
    assert not set(segment) & set("/?#\\ ")
    assert segment not in (".", "..")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"https://h/file/a?type=json&key={KEY}", "https://h/file/a?type=json"),
        (f"https://h/file/a?key={KEY}&type=json", "https://h/file/a?type=json"),
        (f"https://h/file/a?x=1&key={KEY}&type=json", "https://h/file/a?x=1&type=json"),
        (f"https://h/file/a?key={KEY}", "https://h/file/a"),
        (f"https://h/file/a?KEY={KEY}#top", "https://h/file/a#top"),
        (f"https://h/file/a?%6bey={KEY}&x=1", "https://h/file/a?x=1"),
        (f"https://h/file/a?key={KEY}&key=another&x=1", "https://h/file/a?x=1"),
        ("https://h/file/a?key=without-the-prefix", "https://h/file/a"),
        ("https://h/file/a?monkey=3&keys=4", "https://h/file/a?monkey=3&keys=4"),
        (f"see <https://h/f?key={KEY}> and «https://h/g?key={KEY}&a=b»", "see <https://h/f> and «https://h/g?a=b»"),
        (f"Authorization: Bearer {KEY}", "Authorization: Bearer odt_…"),
        (f"Authorization: Bearer {KEY.upper()}", "Authorization: Bearer odt_…"),
        ("nothing here", "nothing here"),
    ],
)
def test_keys_are_cut_out_of_texts(text: str, left: str) -> None:
    """Addresses keep exactly what is not the key."""
    assert wire.remove_keys(text) == left


PARAMETERS = st.lists(
    st.tuples(
        st.sampled_from(["type", "a", "keys", "monkey", "key", "KEY", "%6bey", "k%65y", "%4Bey"]),
        st.text("abc019-._~%", max_size=8),
    ),
    max_size=6,
)


@given(PARAMETERS, st.sampled_from(["", "#top", " and more", '"', ">"]))
def test_every_parameter_but_the_key_survives(parameters: list[tuple[str, str]], after: str) -> None:
    """However often and however written the key stands in an address, the other parameters stay as they were."""

    def address(some: list[tuple[str, str]]) -> str:
        return "https://h/f" + "".join(f"{'&' if n else '?'}{name}={value}" for n, (name, value) in enumerate(some))

    others = [(name, value) for name, value in parameters if urllib.parse.unquote(name).lower() != "key"]
    assert wire.remove_keys(address(parameters) + after) == address(others) + after


@given(TEXTS, TEXTS)
def test_no_key_survives(before: str, after: str) -> None:
    """Wherever a key stands in a text, it is gone."""
    assert KEY not in wire.remove_keys(f"{before}{KEY} {after}")
    assert KEY not in wire.remove_keys(f"{before}?key={KEY}&{after}")
    assert KEY not in json.dumps(write_answer(wire.read_answer({"detail": {before: [KEY, after]}}, 400)))


def jws(payload: object) -> str:
    def part(plain: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS512'})}.{part(payload)}.c2lnbmF0dXJl"


DTE = {"identificacion": {"ambiente": "01", "tipoDte": "01"}, "resumen": {}}


@pytest.mark.parametrize(
    ("content", "environment"),
    [
        (jws(DTE), "01"),
        (json.dumps(jws(DTE)), "01"),
        (json.dumps({"body": jws(DTE), "status": "OK"}), "01"),
        (json.dumps({"a": {"b": [1, {"firma": jws(DTE)}]}}), "01"),
        (json.dumps(DTE), "01"),
        (json.dumps({"dte": DTE}), "01"),
        (jws({"identificacion": {"ambiente": "00"}}), "00"),
        (jws({"identificacion": {}}), ""),
        ("a.b.c", ""),
        ("<html>", ""),
        ("", ""),
        ("[" * 5000, ""),
        (json.dumps({"identificacion": {"ambiente": 1}}), ""),
    ],
)
def test_the_environment_is_found_in_every_form_of_the_signed_document(content: str, environment: str) -> None:
    """A bare compact JWS, or a JSON document that is or contains one; anything else proves nothing."""
    signed = read_signed(content.encode())
    assert (signed.environment if signed else "") == environment


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Línea 1: cantidad debe ser mayor a cero", "Línea 1: cantidad debe ser mayor a cero"),
        (["a", "b"], "a; b"),
        ([{"loc": ["body", "lines"], "msg": "field required"}], "field required"),
        ({"code": 7}, '{"code": 7}'),
        (None, ""),
        ([], ""),
        (17, "17"),
    ],
)
def test_a_detail_may_have_any_shape(value: object, text: str) -> None:
    """The shape of error texts is not documented: a text, a list or an object are all read."""
    assert wire.read_answer({"detail": value}, 400).detail == text


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists, max_leaves=5))
def test_no_answer_is_too_strange_to_read(value: object) -> None:
    """Each field may hold anything; reading it never fails."""
    names = ("document_id", "reception_stamp", "amount_gross", "observaciones", "detail", "is_duplicate", "codigo_msg")
    wire.read_answer(dict.fromkeys(names, value), 200)


@pytest.mark.parametrize(
    "content",
    [
        '{"success": true, "x": 1e99999999999999999999}',
        '{"success": true, "x": %s}' % ("9" * 5000),
        '{"success": true, "x": ' + "[" * 100_000,
        "[true]",
    ],
    ids=["exponent", "digits", "depth", "list"],
)
def test_json_beyond_all_bounds_is_no_answer(content: str) -> None:
    """Nothing that a server can write is a bug of ours; what cannot be read proves nothing."""
    assert wire.decode(content.encode()) is None
    assert read_signed(content.encode()) is None


def test_a_detail_may_be_as_deep_as_json_allows() -> None:
    """It is read as far down as a person would."""
    detail: object = "b"
    for _ in range(900):
        detail = ["a", detail]
    assert wire.read_answer({"detail": detail}, 400).detail == "; ".join("a" * 8)


def test_amounts_are_read_to_the_cent_as_they_were_written() -> None:
    """JSON numbers become decimals without passing through floats."""
    plain = wire.decode(b'{"amount_taxable": 7.96, "amount_vat": 1.04, "amount_gross": 9.00, "amount_total": "9.00"}')
    assert wire.read_answer(plain, 200).amounts == Amounts(
        taxable=Decimal("7.96"), vat=Decimal("1.04"), gross=Decimal("9.00"), total=Decimal("9.00")
    )


def test_two_versions_of_a_sale_are_compared_part_by_part() -> None:
    """Only what differs is shown, with both values."""
    before = wire.encode(sale(("Pan", "1", "0.50"), customer=Customer(name="Ana")))
    now = wire.encode(sale(("Pan", "2", "0.50"), ("Café", "1", "3"), customer=Customer(name="Eva")))
    assert wire.compare(before, now) == (
        ("customer.name", "Ana", "Eva"),
        ("lines[1].quantity", "1", "2"),
        ("lines[2].description", "", "Café"),
        ("lines[2].quantity", "", "1"),
        ("lines[2].unit_price", "", "3"),
    )


@pytest.mark.parametrize("name", ["dte", "schema"])
def test_who_issued_is_read_out_of_the_document(name: str) -> None:
    """Digits of the NIT, 14 or the 9 of a DUI, and the environment by its code."""
    document = {"emisor": {"nit": "0614-010190-101-0"}, "identificacion": {"ambiente": "01"}}
    answer = wire.read_answer({name: document}, 200)
    assert (answer.issuer_nit, answer.environment) == ("06140101901010", "production")
    person = {"emisor": {"nit": "00016297-5"}, "identificacion": {"ambiente": "00"}}
    answer = wire.read_answer({name: person}, 200)
    assert (answer.issuer_nit, answer.environment) == ("000162975", "test")


STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("nit", "ambiente", "emisor", "x")), inner),
    max_leaves=6,
)


@given(STRANGE, STRANGE)
def test_a_strange_document_names_nobody_or_an_issuer(one: object, other: object) -> None:
    """Whatever stands where the document is expected, reading it never fails, and nothing half is taken."""
    for plain in ({"dte": one, "schema": other}, {"dte": {"emisor": one, "identificacion": other}}):
        answer = wire.read_answer(plain, 200)
        assert answer.issuer_nit == "" or len(answer.issuer_nit) in (9, 14)
        assert answer.environment in ("", "test", "production")


@pytest.mark.parametrize("nit", ["", "odt_0123456789", "0614", "0614-010190-101-0 x", 6140101901010, None, ["0614"]])
def test_what_is_no_nit_names_nobody(nit: object) -> None:
    """An issuer that is not understood is not compared."""
    assert wire.read_answer({"dte": {"emisor": {"nit": nit}}}, 200).issuer_nit == ""
