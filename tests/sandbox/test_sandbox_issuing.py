from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.sandbox import SandboxOptions, Standing
from batch_issuer.sandbox.amounts import amounts_of
from batch_issuer.sandbox.payload import Sale, SaleLine
from tests.sandbox.conftest import Open, Till

FLAGS = ("success", "dte_success", "contingency", "rejected", "posted", "is_duplicate")
TAXPAYER = {"name": "Comercial El Ejemplo", "nit": "0614-050707-104-8", "nrc": "1234-5", "type_contributor": 1}


def flags(body: dict[str, Any]) -> str:
    return "".join("T" if body[name] else "F" for name in FLAGS)


def test_a_stamped_answer_has_every_documented_field(till: Till) -> None:
    """The answer to an accepted document is the documented one, number, stamp and addresses included."""
    body = till.issue("SALE-2026-0042", 9)
    assert flags(body) == "TTFFTF"
    assert body["control_number"] == "DTE-01-M001P001-000000000000001"
    assert body["generation_code"] == body["document_id"].upper()
    assert re.fullmatch(r"20261121120000[0-9A-F]{26}", body["reception_stamp"])
    assert (body["dte_state"], body["dte_message"], body["observaciones"], body["codigo_msg"]) == ("", "", [], "")
    assert body["ticket_url"] == f"{till.sandbox.base_url}/file/{body['document_id']}?type=ticket"
    amounts = [body[f"amount_{name}"] for name in ("taxable", "vat", "gross", "retention", "total")]
    assert amounts == [7.96, 1.04, 9.0, 0.0, 9.0]
    assert body["dte"]["identificacion"]["numeroControl"] == body["control_number"]


def test_numbers_are_consecutive_per_type_and_a_refused_body_uses_none(till: Till) -> None:
    """Each type counts from one; a 400 leaves no gap."""
    till.issue("A")
    assert till.post("B", 0).status_code == 400
    assert till.issue("C")["control_number"].endswith("-000000000000002")
    assert till.issue("D", doc_type="11")["control_number"] == "DTE-11-M001P001-000000000000001"


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"doc_type": "02"}, "doc_type debe ser uno de: 01, 03, 11"),
        ({"lines": []}, "Debe incluir al menos una línea"),
        ({"lines": None}, "Debe incluir al menos una línea"),
        ({"lines": [{"description": "x", "quantity": 0, "unit_price": 1}]}, "Línea 1: cantidad debe ser mayor a cero"),
        (
            {"lines": [{"description": "x", "quantity": 1, "unit_price": -2}]},
            "Línea 1: precio unitario debe ser mayor a cero",
        ),
        (
            {
                "lines": [
                    {"description": "x", "quantity": 1, "unit_price": 1},
                    {"description": " ", "quantity": 1, "unit_price": 1},
                ]
            },
            "Línea 2: descripción es requerida",
        ),
        (
            {"customer": {"name": "x", "department": "06", "municipality": "99"}},
            "Departamento/municipio no encontrado: 06/99",
        ),
        ({"doc_type": "03"}, "customer es requerido para CCF (03)"),
        ({"customer": {"name": ""}}, "customer.name es requerido"),
        ({"external_ref": "x" * 101}, "external_ref no debe exceder 100 caracteres"),
        ({"lines": [{"description": "x", "quantity": "NaN", "unit_price": 1}]}, "lines.0.quantity: debe ser un número"),
        ({"external_ref": 12}, "external_ref: debe ser texto"),
    ],
)
def test_a_body_that_cannot_be_issued_is_refused_in_the_documented_words(
    till: Till, fields: dict[str, Any], detail: str
) -> None:
    """Refusals are 400 with the provider's text, and register nothing."""
    answer = till.post("A", **fields)
    assert (answer.status_code, answer.json()) == (400, {"detail": detail})
    assert till.sandbox.documents() == ()


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"lines": NaN}', b'{"external_ref": "\\ud800"}', b"\xff"])
def test_a_body_that_is_not_json_is_refused(till: Till, body: bytes) -> None:
    """Bodies that are no JSON object are a 400, never a 500."""
    assert till.http.post("/invoice", content=body).status_code == 400


@pytest.mark.parametrize("municipality", ["23", "0623"])
def test_municipalities_are_taken_short_and_long(till: Till, municipality: str) -> None:
    """Both documented forms of a municipality name the same place."""
    till.issue("A", customer={"name": "x", "department": "06", "municipality": municipality})
    assert till.sandbox.documents()[0].recipient["municipality"] == "23"


@pytest.mark.parametrize(
    ("customer", "code", "observation"),
    [
        ({"email": "no es correo"}, "096", "Campo #/receptor/correo no cumple el formato requerido"),
        ({"email": "ana@ejemplo"}, "096", "Campo #/receptor/correo no cumple el formato requerido"),
        ({"nit": "0614-050707-104-9"}, "094", "Campo #/receptor/nit no es un número válido"),
        ({"dui": "01234567-9"}, "094", "Campo #/receptor/numDocumento no es un número válido"),
        ({"document_type": "99"}, "092", "Campo #/receptor/tipoDocumento no existe en el catálogo"),
        ({"nrc": "letras"}, "095", "Campo #/receptor/nrc no cumple el formato requerido"),
        ({"activity_code": "00000"}, "089", "Campo #/receptor/codActividad no existe en el catálogo"),
    ],
)
def test_the_ministry_rejects_bad_data_and_the_number_stays(
    till: Till, customer: dict[str, str], code: str, observation: str
) -> None:
    """A rejection keeps its number, and the corrected document is stamped under it."""
    body = till.issue("A", customer={"name": "Ana"} | customer)
    assert flags(body) == "FFFTFF"
    assert (body["codigo_msg"], body["observaciones"], body["reception_stamp"]) == (code, [observation], "")
    assert body["dte_state"] == "RECHAZADO"
    corrected = till.issue("A", customer={"name": "Ana"})
    assert flags(corrected) == "TTFFTF"
    assert (corrected["control_number"], corrected["document_id"]) == (body["control_number"], body["document_id"])
    assert till.sandbox.requests().violations == ()


def test_identifiers_with_good_check_digits_are_stamped(till: Till) -> None:
    """The documentation's own DUI, a NIT of 14 digits and a DUI in the NIT's place are accepted."""
    for number, customer in enumerate(({"dui": "01234567-8"}, {"nit": "06140507071048"}, {"nit": "00016297-5"})):
        assert till.issue(f"A{number}", customer={"name": "Ana"} | customer)["dte_success"]


@pytest.mark.parametrize(("answer", "code"), [("rejected", 200), ("error400", 400)])
def test_a_ccf_without_nrc_is_rejected_or_refused(open_till: Open, answer: str, code: int) -> None:
    """The missing NRC is named either way."""
    customer = {name: value for name, value in TAXPAYER.items() if name != "nrc"}
    found = open_till(ccf_without_nrc=answer).post("A", doc_type="03", customer=customer)
    assert found.status_code == code
    assert "Campo #/receptor/nrc es requerido" in found.text


@pytest.mark.parametrize(
    ("price", "kind", "rule", "retention"),
    [
        ("112.99", 3, "at-least", "0.00"),
        ("113.00", 3, "at-least", "1.00"),
        ("113.00", 4, "above", "0.00"),
        ("113.02", 4, "above", "1.00"),
        ("1130.00", 1, "at-least", "0.00"),
    ],
)
def test_one_per_cent_is_withheld_by_large_buyers_from_a_hundred_on(
    price: str, kind: int, rule: str, retention: str, open_till: Open
) -> None:
    """The rule at exactly 100.00 is the chosen one, and the total is what remains."""
    till = open_till(retention_rule=rule)
    till.issue("A", price, doc_type="03", customer=TAXPAYER | {"type_contributor": kind})
    amounts = till.sandbox.documents()[0].amounts
    assert amounts.retention == Decimal(retention)
    assert amounts.total == Decimal(price) - Decimal(retention)


def test_a_known_customer_keeps_what_is_not_sent(till: Till) -> None:
    """A customer known by NIT is only changed in the fields that are sent, and its stored kind decides."""
    nit = "0614-050707-104-8"
    till.issue("A", customer={"name": "Ana", "nit": nit, "type_contributor": 3, "phone": "2222-3333"})
    till.issue("B", 226, customer={"name": "Ana María", "nit": nit})
    (customer,) = till.sandbox.customers()
    assert (customer["name"], customer["phone"], customer["document_type"]) == ("Ana María", "2222-3333", "37")
    assert till.sandbox.documents()[1].amounts.retention == Decimal("2.00")


money = st.decimals("0.01", "9999", places=4)


@given(
    st.lists(st.tuples(money, money, st.integers(0, 99)), min_size=1, max_size=8), st.sampled_from(["document", "line"])
)
def test_amounts_always_add_up(lines: list[tuple[Decimal, Decimal, int]], rounding: str) -> None:
    """Base and VAT make the gross, gross less the withheld the total, and rounding moves a cent a line at most."""
    sale = Sale(
        doc_type="01",
        ref="",
        lines=tuple(SaleLine("x", quantity, price, Decimal(off), False) for quantity, price, off in lines),
    )
    amounts = amounts_of(sale, 3, SandboxOptions(rounding="line" if rounding == "line" else "document"))
    assert amounts.taxable is not None
    assert amounts.vat is not None
    assert amounts.gross is not None
    assert amounts.retention is not None
    exact = sum((line.quantity * line.unit_price * (100 - line.discount) / 100 for line in sale.lines), Decimal(0))
    assert amounts.taxable + amounts.vat == amounts.gross
    assert amounts.gross - amounts.retention == amounts.total
    assert abs(amounts.gross - exact) <= Decimal("0.005") * len(lines)
    assert abs(amounts.vat - amounts.taxable * Decimal("0.13")) <= Decimal("0.02") * len(lines)


def test_a_net_price_sent_unrounded_comes_back_to_the_cent(till: Till) -> None:
    """Every decimal of a JSON number counts: 3 × 33.333 net, sent with VAT, is 99.999 net and 113.00 gross."""
    till.issue("A", lines=[{"description": "x", "quantity": 3, "unit_price": 37.66629}])
    assert till.sandbox.documents()[0].amounts.gross == Decimal("113.00")


@pytest.mark.parametrize(("price", "gross"), [(5.665, "5.67"), (5.675, "5.68"), (0.005, "0.01"), (5.6649, "5.66")])
def test_half_a_cent_is_rounded_up(till: Till, price: float, gross: str) -> None:
    """As the ministry rounds summary fields, and never through binary fractions."""
    till.issue("A", price)
    assert till.sandbox.documents()[0].amounts.gross == Decimal(gross)


def test_an_export_has_no_vat(till: Till) -> None:
    """Type 11 takes its prices as they are."""
    body = till.issue("A", 100, doc_type="11")
    assert [body[f"amount_{name}"] for name in ("taxable", "vat", "gross", "total")] == [100.0, 0.0, 100.0, 100.0]


def test_without_reference_the_uuid_is_the_reference(till: Till) -> None:
    """Two bodies without reference are two documents."""
    line = {"description": "x", "quantity": 1, "unit_price": 1}
    bodies = [till.http.post("/invoice", json={"lines": [line]}).json() for _ in range(2)]
    assert bodies[0]["external_ref"] == bodies[0]["document_id"] != bodies[1]["document_id"]


@pytest.mark.parametrize(
    "ref", ["A/B", "ñandú 1", "a%2Fb", "100 %", "¿?&=#", "+", "日本", "a\\b", "status", "suex/1", "x" * 100, "..", "🧾"]
)
def test_every_reference_is_found_by_its_encoded_path(till: Till, ref: str) -> None:
    """References travel percent-encoded, slashes and all, in every route."""
    issued = till.issue(ref)
    if ref != "..":  # dots are part of a path's grammar and cannot be encoded
        assert till.status(ref)["document_id"] == issued["document_id"]
        assert till.get("file", ref, type="ticket").status_code == 200
    assert till.status(issued["document_id"].upper())["external_ref"] == ref


def test_a_slash_is_not_found_where_it_was_ordered(open_till: Open) -> None:
    """A router that decodes first answers 404 for a document that exists."""
    till = open_till(encoded_slash="not-found")
    till.issue("A/B")
    assert till.get("status", "A/B").json() == {"detail": "Not Found"}
    assert till.sandbox.document("A/B") is not None


def test_an_unknown_reference_and_an_unknown_route_are_404(till: Till) -> None:
    """A reference of another company is as unknown as one that nobody used."""
    till.issue("A")
    other = {"Authorization": "Bearer odt_" + "0" * 56}
    assert till.http.get("/status/A", headers=other).json() == {"detail": "Documento no encontrado"}
    assert till.http.get("/nowhere").status_code == 404
    assert till.http.get("/invoice").status_code == 405


@pytest.mark.parametrize(
    ("long_ref", "status", "kept"), [("error400", 400, 0), ("truncated", 200, 100), ("accepted", 200, 101)]
)
def test_a_reference_over_100_characters(open_till: Open, long_ref: str, status: int, kept: int) -> None:
    """It is refused, cut, or kept, as ordered."""
    till = open_till(long_ref=long_ref)
    answer = till.post("x" * 101)
    assert answer.status_code == status
    assert len(answer.json().get("external_ref", "")) == kept


def test_references_that_differ_by_case_may_be_one(open_till: Open) -> None:
    """Without case, the second POST finds the first document."""
    till = open_till(ref_case_sensitive=False)
    first = till.issue("sale-1")
    assert till.issue("SALE-1")["document_id"] == first["document_id"]
    assert len(till.sandbox.documents()) == 1


def test_observed_documents_are_stamped(open_till: Open) -> None:
    """OBSERVADO is valid and carries its warnings."""
    body = open_till(observed_refs="A*").issue("A1")
    assert (body["dte_success"], body["dte_state"], len(body["observaciones"])) == (True, "OBSERVADO", 1)


def test_an_ordered_rejection_lasts_until_the_content_changes(open_till: Open) -> None:
    """The same content is rejected again; another is stamped; the unchanged repeat is noted."""
    till = open_till(rejected_refs="A*", rejected_code="099")
    assert till.issue("A1")["codigo_msg"] == "099"
    assert till.issue("A1")["rejected"]
    assert till.issue("A1", 2)["dte_success"]
    assert [violation.kind for violation in till.sandbox.requests().violations] == ["post-on-rejected-unchanged"]


def test_shares_fall_on_the_same_references_whatever_the_order(open_till: Open) -> None:
    """A share is drawn from seed and reference alone."""
    refs = [f"R{number}" for number in range(60)]
    found = []
    for order in (refs, refs[::-1]):
        till = open_till(rejected_share=0.3, contingency_share=0.3, seed=7, minute_limit=None)
        for ref in order:
            till.issue(ref)
        found.append({record.ref: record.standing for record in till.sandbox.documents()})
    assert found[0] == found[1]
    assert set(found[0].values()) == {Standing.STAMPED, Standing.REJECTED, Standing.CONTINGENCY}
