from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from batch_issuer.sandbox import Key, SandboxOptions, files
from tests.sandbox.conftest import Open, Till

TAXPAYER = {"name": "Comercial El Ejemplo", "nit": "0614-050707-104-8", "nrc": "1234-5", "type_contributor": 3}
NOT_STAMPED = "Archivo no disponible"
ONLY_01 = "Ticket solo disponible para Factura (01)"


def unsigned(jws: str) -> dict[str, Any]:
    payload = jws.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def issue_all(till: Till) -> None:
    till.issue("T01", 113, customer=TAXPAYER)
    till.issue("T03", 226, doc_type="03", customer=TAXPAYER)
    till.issue("T11", 100, doc_type="11")
    lines = [{"description": "x", "quantity": 1, "unit_price": 1}]
    assert till.http.post("/credit-memo", json={"external_ref": "T05", "document_id": "T03", "lines": lines}).is_success
    assert till.http.post("/suex", json={"external_ref": "T14", "subject": {"name": "Ana"}, "lines": lines}).is_success


@pytest.mark.parametrize(
    ("ref", "kind", "status", "detail"),
    [
        ("T01", "ticket", 200, ""),
        ("T01", "invoice", 200, ""),
        ("T01", "json", 200, ""),
        ("T03", "ticket", 404, ONLY_01),
        ("T03", "json", 200, ""),
        ("T05", "ticket", 404, ONLY_01),
        ("T05", "invoice", 200, ""),
        ("T11", "ticket", 404, ONLY_01),
        ("T11", "json", 200, ""),
        ("T14", "ticket", 404, "SUEX no genera ticket PDF"),
        ("T14", "invoice", 200, ""),
        ("T14", "json", 200, ""),
        ("T01", "xml", 400, "type debe ser uno de: ticket, invoice, json"),
        ("T01", "", 400, "type debe ser uno de: ticket, invoice, json"),
        ("T99", "json", 404, "Documento no encontrado"),
    ],
)
def test_the_availability_matrix_of_stamped_documents(
    till: Till, ref: str, kind: str, status: int, detail: str
) -> None:
    """Every type gives the files that the documentation promises, and refuses the rest in its words."""
    issue_all(till)
    answer = till.get("file", ref, type=kind)
    assert answer.status_code == status
    if detail:
        assert answer.json() == {"detail": detail}


@pytest.mark.parametrize(
    ("options", "ticket"),
    [({"contingency": True}, 200), ({"rejected_refs": "A"}, 404)],
    ids=["contingency", "rejected"],
)
def test_without_stamp_there_is_only_the_ticket_of_a_contingency(
    open_till: Open, options: dict[str, Any], ticket: int
) -> None:
    """The ticket prints its note; letter and JSON wait for the stamp."""
    till = open_till(**options)
    till.issue("A")
    found = till.get("file", "A", type="ticket")
    assert found.status_code == ticket
    if ticket == 200:
        assert b"CONTINGENCIA" in found.content
    for kind in ("invoice", "json"):
        assert till.get("file", "A", type=kind).json() == {"detail": NOT_STAMPED}


@pytest.mark.parametrize("kind", ["ticket", "invoice"])
def test_pdfs_are_real(till: Till, kind: str) -> None:
    """Every object lies where the cross-reference table says, and the text shows the total."""
    till.issue("A", 9, customer={"name": "Ñandú (hijos) \\ Cía"})
    content = till.get("file", "A", type=kind).content
    assert content.startswith(b"%PDF-1.4")
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF", content)[0])
    assert content[start : start + 4] == b"xref"
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", content), 1):
        assert content[int(place) :].startswith(b"%d 0 obj" % number)
    assert b"Total 9.00" in content
    assert "Ñandú \\(hijos\\) \\\\ Cía".encode("cp1252") in content


@pytest.mark.parametrize("environment", ["00", "01"])
def test_the_signed_json_tells_environment_and_totals(open_till: Open, environment: str) -> None:
    """A compact JWS whose payload has what a client checks."""
    till = open_till(environment=environment)
    body = till.issue("A", 113, customer=TAXPAYER)
    answer = till.get("file", "A", type="json")
    assert answer.text.count(".") == 2
    document = unsigned(answer.text)
    head = document["identificacion"]
    assert (head["ambiente"], head["tipoDte"]) == (environment, "01")
    assert (head["numeroControl"], head["codigoGeneracion"]) == (body["control_number"], body["generation_code"])
    assert (head["fecEmi"], head["horEmi"]) == ("2026-11-21", "12:00:00")
    assert document["resumen"]["totalPagar"] == 112.0
    assert document["resumen"]["ivaRete1"] == 1.0
    assert document["selloRecibido"] == body["reception_stamp"]


def test_the_json_file_may_be_a_document_around_its_jws(open_till: Open) -> None:
    """The other plausible shape, and the ordered content type."""
    till = open_till(json_file="document", json_media_type="application/octet-stream")
    till.issue("A")
    answer = till.get("file", "A", type="json")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    document = answer.json()
    assert unsigned(document["firmaElectronica"])["identificacion"] == document["identificacion"]


def test_keys_in_the_query_are_for_files_only(open_till: Open) -> None:
    """`?key=` opens a file while it is allowed, and nothing else ever."""
    till = open_till(urls_with_key=True)
    url = till.issue("A")["ticket_url"]
    assert url.endswith("?type=ticket&key=odt_xxx")
    del till.http.headers["Authorization"]
    assert till.http.get(url).status_code == 200
    missing = till.http.get("/status/A?key=odt_xxx")
    assert (missing.status_code, missing.json()["detail"]) == (
        401,
        "API key requerida (header Authorization: Bearer odt_xxx)",
    )
    till.sandbox.change(key_in_query=False)
    assert till.http.get(url).status_code == 401


@pytest.mark.parametrize("key", ["odt_", "odt_" + "g" * 56, "odt_" + "0" * 55, "xxx"])
def test_a_malformed_key_is_invalid(till: Till, key: str) -> None:
    """Only the documented form, or the sample, is a key."""
    answer = till.http.get("/status/A", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "API key invalida"})


def test_configured_keys_are_companies_and_can_be_deactivated(open_till: Open) -> None:
    """Each key sees its own company's documents in its own environment, until it is switched off."""
    till = open_till(keys="odt_shop=tienda:00,odt_real=matriz:01")
    other = {"Authorization": "Bearer odt_real"}
    till.issue("A")
    assert till.http.get("/status/A", headers=other).status_code == 404
    till.http.headers.update(other)
    till.issue("A")
    assert {(record.company, record.environment) for record in till.sandbox.documents()} == {
        ("tienda", "00"),
        ("matriz", "01"),
    }
    till.sandbox.change(disabled_keys="odt_real")
    assert till.get("status", "A").json() == {"detail": "API key invalida"}


def test_each_company_is_an_issuer_of_its_own(open_till: Open) -> None:
    """The NIT that came with its key, else one that follows from its name."""
    keys = (Key(key="odt_a", company="norte", nit="06140101901010"), Key(key="odt_b", company="sur"))
    options = SandboxOptions(keys=keys)
    named = [files.issuer_nit(name, "00", options) for name in ("norte", "sur", "este")]
    assert named[0] == "06140101901010"
    assert len(set(named)) == 3
    assert all(len(nit) == 14 and nit.isdigit() for nit in named)
    till = open_till()
    body = till.issue("A")
    assert len(body["dte"]["emisor"]["nit"]) == 14
