from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from batch_issuer.sandbox import Standing
from tests.sandbox.conftest import Clock, Open, Till, until


def kinds(till: Till) -> list[str]:
    return [violation.kind for violation in till.sandbox.requests().violations]


def four(body: dict[str, Any]) -> str:
    return "".join("T" if body[name] else "F" for name in ("success", "dte_success", "contingency", "rejected"))


def test_a_repeat_returns_the_original_and_is_noted(till: Till) -> None:
    """Path 2: the new content is ignored, the answer says duplicate, and there is one document."""
    first = till.issue("A", 10)
    again = till.issue("A", 99)
    assert again["is_duplicate"] is True
    assert {**again, "is_duplicate": False} == first
    (violation,) = till.sandbox.requests().violations
    assert (violation.kind, violation.ref, violation.changed) == ("post-on-stamped", "A", True)
    assert till.sandbox.documents()[0].received == 2


@pytest.mark.parametrize(("success", "posted"), [(False, False), (True, False), (False, True), (True, True)])
def test_what_success_and_posted_say_under_rejection_can_be_chosen(
    open_till: Open, success: bool, posted: bool
) -> None:
    """Both values of both flags are played, and nothing else changes."""
    till = open_till(rejected_success=success, rejected_posted=posted, rejected_refs="A")
    body = till.issue("A")
    assert (body["success"], body["posted"]) == (success, posted)
    assert (body["rejected"], body["dte_success"], body["contingency"]) == (True, False, False)
    assert till.status("A")["success"] is success


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("duplicate", [True, False])
def test_a_resend_keeps_its_number(open_till: Open, keeps: bool, duplicate: bool) -> None:
    """Path 3: id and control number stay; generation code and is_duplicate are as ordered."""
    till = open_till(rejected_refs="A", keep_generation_code=keeps, resend_is_duplicate=duplicate)
    first, second = till.issue("A", 1), till.issue("A", 2)
    assert (second["document_id"], second["control_number"]) == (first["document_id"], first["control_number"])
    assert (second["generation_code"] == first["generation_code"]) is keeps
    assert second["is_duplicate"] is duplicate
    assert second["amount_gross"] == 2.0


def test_a_document_in_contingency_is_registered_without_stamp(open_till: Open) -> None:
    """The documented contingency answer: numbered, ticket at hand, no stamp and no JSON."""
    body = open_till(contingency=True).issue("A")
    assert four(body) == "TFTF"
    assert body["posted"] is True
    assert (body["reception_stamp"], body["json_url"], body["invoice_url"], body["dte_state"]) == ("", "", "", "")
    assert body["ticket_url"]
    assert body["control_number"]


@pytest.mark.parametrize(
    ("repost", "status", "flags", "gross"),
    [("original", 200, "TFTF", 1.0), ("resend", 200, "TTFF", 2.0), ("error409", 409, "", 0)],
)
def test_a_second_post_on_contingency_does_as_ordered(
    open_till: Open, repost: str, status: int, flags: str, gross: float
) -> None:
    """The open question of the overlap has three answers, and each is a violation of ours."""
    till = open_till(contingency_count=1, contingency=True, contingency_repost=repost)
    number = till.issue("A", 1)["control_number"]
    answer = till.post("A", 2)
    assert answer.status_code == status
    if status == 200:
        assert (four(answer.json()), answer.json()["amount_gross"]) == (flags, gross)
        assert answer.json()["control_number"] == number
    assert kinds(till) == ["post-on-contingency"]
    assert len(till.sandbox.documents()) == 1


def test_contingencies_settle_after_seconds(open_till: Open, clock: Clock) -> None:
    """The worker comes by when its time is up, and not before."""
    till = open_till(contingency_refs="A*", resolve_after_seconds=30, resolve_rejected_refs="A2")
    till.issue("A1")
    till.issue("A2")
    clock.move(29.9)
    assert four(till.status("A1")) == "TFTF"
    clock.move(0.1)
    assert (four(till.status("A1")), four(till.status("A2"))) == ("TTFF", "FFFT")
    assert len(till.status("A1")["reception_stamp"]) == 40


def test_contingencies_settle_after_queries(open_till: Open) -> None:
    """So many status answers say contingency, and the next tells the end."""
    till = open_till(contingency_refs="A", resolve_after_queries=2)
    till.issue("A")
    assert [four(till.status("A")) for _ in range(3)] == ["TFTF", "TFTF", "TTFF"]


def test_contingencies_settle_on_command(open_till: Open) -> None:
    """Only the references meant are settled."""
    till = open_till(contingency=True)
    for ref in ("A1", "A2", "B1"):
        till.issue(ref)
    assert till.sandbox.resolve("rejected", ["A*"]) == 2
    assert till.sandbox.resolve("stamped") == 1
    assert [record.standing for record in till.sandbox.documents()] == [
        Standing.REJECTED,
        Standing.REJECTED,
        Standing.STAMPED,
    ]


def test_bad_data_in_contingency_ends_rejected(open_till: Open, clock: Clock) -> None:
    """The ministry looks at the data when it answers at last."""
    till = open_till(contingency=True, resolve_after_seconds=1)
    till.issue("A", customer={"name": "Ana", "email": "mal"})
    clock.move(1)
    assert till.status("A")["codigo_msg"] == "096"


@pytest.mark.parametrize(("simultaneous", "statuses"), [("serialise", [200, 200]), ("error409", [200, 409])])
def test_two_posts_of_one_reference_at_once_make_one_document(
    open_till: Open, simultaneous: str, statuses: list[int]
) -> None:
    """The second waits for the first or is refused; it never makes another document."""
    till = open_till(latency=0.15, simultaneous=simultaneous)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: till.post("A"), range(2)))
    assert sorted(answer.status_code for answer in answers) == statuses
    if simultaneous == "serialise":
        assert sorted(answer.json()["is_duplicate"] for answer in answers) == [False, True]
    assert kinds(till) == ["post-while-registering"]
    assert len(till.sandbox.documents()) == 1


@pytest.mark.parametrize(("seen", "status"), [("pending", 200), ("absent", 404)])
def test_a_status_query_during_a_post(open_till: Open, seen: str, status: int) -> None:
    """While the ministry is asked, a document is registered without stamp, or not there yet."""
    till = open_till("hang-before:route=status", latency=0.6, while_issuing=seen)
    with ThreadPoolExecutor(2) as pool:
        query = pool.submit(till.get, "status", "A")
        posted = pool.submit(till.post, "A")
        until(till.sandbox.documents)

        def let_go() -> bool:
            till.sandbox.release()  # the query may arrive after the document is there
            return query.done()

        until(let_go)
        answer = query.result()
        assert answer.status_code == status
        if status == 200:
            assert four(answer.json()) == "TFFF"
        assert posted.result().json()["dte_success"]


@pytest.mark.parametrize(("repost", "status"), [("original", 200), ("resend", 200), ("error409", 409)])
def test_a_second_post_on_an_invalidated_document(open_till: Open, repost: str, status: int) -> None:
    """It is never a second document."""
    till = open_till(cancelled_repost=repost)
    number = till.issue("A")["control_number"]
    till.http.post("/invalidate/A")
    answer = till.post("A", 2)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["control_number"] == number
        assert answer.json()["is_duplicate"] is (repost == "original")
    assert kinds(till) == ["post-on-cancelled"]


def test_a_repeat_with_a_bad_body_may_still_find_the_original(open_till: Open) -> None:
    """Looked up first, the original is returned; validated first, the body is refused."""
    for validate_first, status in ((True, 400), (False, 200)):
        till = open_till(validate_first=validate_first)
        till.issue("A")
        assert till.post("A", 0).status_code == status


def test_purchases_and_sales_may_share_references(open_till: Open) -> None:
    """Apart, a reference names one document of each; together, the purchase is the sale's duplicate."""
    body = {
        "external_ref": "A",
        "lines": [{"description": "x", "quantity": 1, "unit_price": 1}],
        "subject": {"name": "Ana"},
    }
    for shared, documents in ((False, 2), (True, 1)):
        till = open_till(shared_namespace=shared)
        till.issue("A")
        assert till.http.post("/suex", json=body).json()["is_duplicate"] is shared
        assert len(till.sandbox.documents()) == documents
