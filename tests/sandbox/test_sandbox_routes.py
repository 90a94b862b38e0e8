from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from batch_issuer.sandbox import Standing
from tests.sandbox.conftest import Clock, Open, Till

DAY = 24 * 3600.0
TAXPAYER = {"name": "Comercial El Ejemplo", "nit": "0614-050707-104-8", "nrc": "1234-5", "type_contributor": 1}
LINES = [{"description": "x", "quantity": 1, "unit_price": 113}]


def memo(till: Till, **fields: Any) -> dict[str, Any]:
    answer = till.http.post("/credit-memo", json={"external_ref": "N", "document_id": "C"} | fields)
    body: dict[str, Any] = answer.json()
    return body | {"status": answer.status_code}


def ccf(till: Till, ref: str = "C") -> dict[str, Any]:
    return till.issue(ref, 226, doc_type="03", customer=TAXPAYER)


@pytest.mark.parametrize(
    ("fields", "gross", "standing"),
    [
        ({"lines": LINES}, "113.00", Standing.STAMPED),
        ({"full_adjustment": True}, "226.00", Standing.CANCELLED),
        ({}, "226.00", Standing.STAMPED),
    ],
    ids=["lines", "full", "neither"],
)
def test_what_a_credit_note_credits_and_cancels(
    till: Till, fields: dict[str, Any], gross: str, standing: Standing
) -> None:
    """Lines credit themselves, full credits all and cancels, neither credits all and does not cancel."""
    ccf(till)
    assert memo(till, **fields)["control_number"] == "DTE-05-M001P001-000000000000001"
    note = till.sandbox.document("N")
    original = till.sandbox.document("C")
    assert note is not None
    assert original is not None
    assert note.amounts.gross == Decimal(gross)
    assert original.standing is standing


@pytest.mark.parametrize(("both", "status"), [("error400", 400), ("lines", 200), ("full", 200)])
def test_a_credit_note_with_lines_and_full_adjustment(open_till: Open, both: str, status: int) -> None:
    """Undocumented: refused, or one of the two counts."""
    till = open_till(memo_with_both=both)
    ccf(till)
    found = memo(till, lines=LINES, full_adjustment=True)
    assert found["status"] == status
    if status == 200:
        assert found["amount_gross"] == (113.0 if both == "lines" else 226.0)


def test_a_credit_note_that_cannot_be(till: Till) -> None:
    """Unknown, of the wrong type, over the CCF's amount, or on a cancelled one: each refused, none registered."""
    ccf(till)
    till.issue("F")
    assert memo(till, document_id="nobody")["status"] == 404
    assert memo(till, document_id="F")["detail"] == "Solo se puede ajustar un CCF (03)"
    assert memo(till, lines=LINES)["status"] == 200
    assert memo(till, external_ref="N2", lines=LINES)["status"] == 200
    assert memo(till, external_ref="N3", lines=LINES)["detail"] == "El monto de la nota excede el del CCF"
    ccf(till, "C2")
    till.http.post("/invalidate/C2")
    assert memo(till, external_ref="N4", document_id="C2")["status"] == 409
    assert [record.doc_type for record in till.sandbox.documents()].count("05") == 2


def test_a_credit_note_is_idempotent_and_has_its_own_status(till: Till) -> None:
    """The repeat is the duplicate; the status tells the adjusted CCF."""
    number = ccf(till)["control_number"]
    first = memo(till, full_adjustment=True)
    assert memo(till, full_adjustment=True)["is_duplicate"] is True
    found = till.http.get("/credit-memo/status/N").json()
    assert found["control_number"] == first["control_number"]
    assert found["adjusted_document"]["control_number"] == number
    assert till.http.get("/credit-memo/status/C").status_code == 404


def test_a_purchase_withholds_income_tax_on_services_only(till: Till) -> None:
    """Ten per cent of the service lines; the subject gets the rest."""
    lines = [
        {"description": "Flete", "quantity": 1, "unit_price": 100, "is_service": True},
        {"description": "Maíz", "quantity": 2, "unit_price": 25},
    ]
    body = till.http.post("/suex", json={"external_ref": "P", "subject": {"name": "Ana"}, "lines": lines}).json()
    assert [body[f"amount_{name}"] for name in ("gross", "retention", "total")] == [150.0, 10.0, 140.0]
    assert till.http.get("/suex/status/P").json()["doc_type"] == "14"
    assert till.http.get("/status/P").status_code == 404
    assert till.http.post("/invalidate/suex/P").json()["success"] is True
    assert till.http.get("/invalidate/suex/status/P").json()["reception_stamp"]


def test_a_purchase_without_subject_is_refused(till: Till) -> None:
    """The seller is required."""
    answer = till.http.post("/suex", json={"lines": LINES})
    assert (answer.status_code, answer.json()) == (400, {"detail": "subject es requerido"})


@pytest.mark.parametrize(
    ("marker", "shown"),
    [("invalidated", {"invalidated": True}), ("dte_state", {"dte_state": "INVALIDADO"}), ("none", {})],
)
def test_invalidating_is_idempotent_and_shows_as_ordered(open_till: Open, marker: str, shown: dict[str, Any]) -> None:
    """A second call answers like the first; the status has the chosen marker."""
    till = open_till(cancelled_marker=marker)
    before = {key: value for key, value in till.issue("A").items() if key != "dte"}
    assert till.http.get("/invalidate/status/A").status_code == 404
    first = till.http.post("/invalidate/A")
    assert (first.json()["success"], first.json()["created_credit_memo"]) == (True, False)
    assert till.http.post("/invalidate/A").json() == till.http.get("/invalidate/status/A").json() == first.json()
    assert till.status("A") == before | {"doc_type": "01"} | shown
    assert till.sandbox.documents()[0].standing is Standing.CANCELLED


@pytest.mark.parametrize(("answer", "status"), [("error409", 409), ("error400", 400), ("accepted", 200)])
def test_invalidating_without_stamp(open_till: Open, answer: str, status: int) -> None:
    """Undocumented: refused one way or the other, or accepted."""
    till = open_till(unstamped_invalidation=answer, contingency_refs="A")
    till.issue("A")
    assert till.http.post("/invalidate/A").status_code == status


def test_a_late_ccf_becomes_a_credit_note(till: Till, clock: Clock) -> None:
    """Through the next day it is invalidated directly; afterwards the provider writes a note of its own."""
    ccf(till, "C1")
    ccf(till, "C2")
    clock.move(DAY)
    assert till.http.post("/invalidate/C1").json()["created_credit_memo"] is False
    clock.move(DAY)
    late = till.http.post("/invalidate/C2").json()
    assert (late["success"], late["created_credit_memo"]) == (True, True)
    assert late["credit_memo_control_number"] == "DTE-05-M001P001-000000000000001"
    assert till.http.post("/invalidate/C2").json() == late
    assert [record.doc_type for record in till.sandbox.documents()] == ["03", "03", "05"]


def test_an_invoice_is_invalidated_within_90_business_days(till: Till, clock: Clock) -> None:
    """On the last day it works; a business day later the ministry rejects it."""
    till.issue("A")
    till.issue("B")
    clock.move(126 * DAY)  # Saturday 21 November 2026 to Saturday 27 March 2027: 90 business days
    assert till.http.post("/invalidate/A").json()["success"] is True
    clock.move(2 * DAY)
    late = till.http.post("/invalidate/B").json()
    assert (late["success"], late["rejected"]) == (False, True)
    assert till.sandbox.documents()[1].standing is Standing.STAMPED


def test_an_invalidation_while_the_ministry_is_silent_is_settled_later(till: Till) -> None:
    """It is pending, and stamped once the ministry is back."""
    till.issue("A")
    till.sandbox.change(contingency=True)
    assert till.http.post("/invalidate/A").json()["contingency"] is True
    till.sandbox.change(contingency=False)
    assert till.http.get("/invalidate/status/A").json()["reception_stamp"]


def test_catalogs_are_searched_without_accents(till: Till) -> None:
    """Case and accents do not matter; codes come short and long; activities end at fifty."""
    (found,) = till.http.get("/catalogs/departments", params={"search": "usulutan"}).json()
    assert (found["code"], found["name"]) == ("11", "USULUTÁN")
    assert {"code": "1124", "short_code": "24", "name": "USULUTÁN NORTE"} in found["municipalities"]
    activities = till.http.get("/catalogs/activities").json()
    assert len(activities) == 50
    assert set(activities[0]) == {"code", "description"}
    (exact,) = till.http.get("/catalogs/activities", params={"search": "01111"}).json()
    assert exact["description"].startswith("Cultivo de cereales")


def test_a_district_fills_in_its_place(till: Till) -> None:
    """The UUID that the search gives wins over department and municipality."""
    (district,) = till.http.get("/catalogs/districts/search", params={"search": "santa tecla"}).json()
    till.issue("A", customer={"name": "Ana", "district": district["id"], "department": "99", "municipality": "99"})
    recipient = till.sandbox.documents()[0].recipient
    assert recipient["department"] + recipient["municipality"] == district["municipality"]
    assert till.post("B", customer={"name": "Ana", "district": "no"}).status_code == 400
