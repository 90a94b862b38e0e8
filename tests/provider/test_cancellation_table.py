"""What an answer about an invalidation proves: the flag table once more, marks, and stamps that are not its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.records import CancelStep, CreditMemo
from batch_issuer.provider.classify import FLAGS, classify_cancellation, stamp_of_cancellation
from batch_issuer.provider.wire import credit_memo_of

OWN, OTHER = "20260421154532ABCDEF", "20260422100000FEDCBA"
ID, NOTE = "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-000000000002"
NUMBER = "DTE-05-M001P001-000000000000001"

DONE = {"TTFF"}
PENDING = {"TFTF"}
REFUSED = {"FFFT", "TFFT", "TFTT", "FFTT"}
"""success, dte_success, contingency, rejected; every other row proves nothing."""


def answer(letters: str, stamp: str = OTHER, **more: Any) -> dict[str, Any]:
    flags = {name: letter == "T" for name, letter in zip(FLAGS, letters, strict=True)}
    return {**flags, "reception_stamp": stamp if flags["dte_success"] else "", "external_ref": "R", **more}


def step(plain: dict[str, Any]) -> CancelStep:
    found, reason = classify_cancellation(plain, "R", OWN)
    assert (reason is None) == (found is not CancelStep.REQUESTED)
    return found


@pytest.mark.parametrize("letters", [f"{row:04b}".replace("0", "F").replace("1", "T") for row in range(16)])
def test_every_row_of_the_flag_table(letters: str) -> None:
    """Only one proves a cancellation, and only with a stamp that is not the document's own."""
    expected = next(
        (
            meaning
            for rows, meaning in (
                (DONE, CancelStep.DONE), (PENDING, CancelStep.PENDING), (REFUSED, CancelStep.REFUSED),
            )
            if letters in rows
        ),
        CancelStep.REQUESTED,
    )  # fmt: skip
    assert step(answer(letters)) is expected
    if expected is CancelStep.DONE:
        assert step(answer(letters, stamp=OWN)) is CancelStep.REQUESTED
        assert step(answer(letters, stamp=" ")) is CancelStep.REQUESTED


@pytest.mark.parametrize("mark", ["invalidated", "is_invalidated", "cancelled", "anulado"])
def test_a_mark_says_it_outright(mark: str) -> None:
    """With the document's own stamp or none; a false one denies it; a text is no mark."""
    assert step({"success": True, mark: True}) is CancelStep.DONE
    assert step(answer("TTFF", stamp=OWN) | {mark: True}) is CancelStep.DONE
    assert step(answer("TTFF") | {mark: False}) is CancelStep.REQUESTED
    assert step({"success": True, mark: "true"}) is CancelStep.REQUESTED
    assert step({"success": False, mark: True}) is CancelStep.REQUESTED
    assert step({"success": True, "rejected": True, mark: True}) is CancelStep.REQUESTED
    assert step({"success": True, "contingency": True, mark: True}) is CancelStep.PENDING


@pytest.mark.parametrize(
    "more",
    [
        {"invalidation_stamp": OTHER}, {"selloInvalidacion": OTHER, "reception_stamp": OWN},
        {"invalidation": {"reception_stamp": OTHER}}, {"evento": {"mh": {"selloRecibido": OTHER}}},
    ],
)  # fmt: skip
def test_the_stamp_may_have_any_name(more: dict[str, Any]) -> None:
    """Wherever it stands outside the document itself, if it is not the document's own."""
    plain = {"success": True, "dte_success": True, **more}
    assert step(plain) is CancelStep.DONE
    assert stamp_of_cancellation(plain, OWN) == OTHER
    assert step({"success": True, "dte_success": True, "dte": more}) is CancelStep.REQUESTED
    assert step({"success": True, **more}) is CancelStep.REQUESTED


@pytest.mark.parametrize(
    "plain",
    [{}, {"success": True}, {"success": None}, {"success": "true", "dte_success": True, "reception_stamp": OTHER},
     answer("TTFF") | {"external_ref": "S"}, {"success": True, "created_credit_memo": True}],
)  # fmt: skip
def test_too_little_proves_nothing(plain: dict[str, Any]) -> None:
    """Success alone, flags of other types, another document's answer, a credit note whose stamp is not told."""
    assert step(plain) is CancelStep.REQUESTED


def test_the_credit_note_s_answer_may_be_its_own() -> None:
    """An answer under the note's identity still is about our cancellation."""
    plain = answer("TTFF", external_ref="NC-1", created_credit_memo=True)
    assert step(plain) is CancelStep.DONE


@pytest.mark.parametrize(
    "plain",
    [
        {"credit_memo_id": NOTE, "credit_memo_control_number": NUMBER, "document_id": ID},
        {"credit_memo": {"uuid": NOTE.upper(), "control_number": NUMBER}, "generation_code": ID.upper()},
        {"document_id": NOTE, "control_number": NUMBER},
        {"document_id": ID, "nc": {"id": NOTE, "numeroControl": NUMBER}, "dte": {"x": ID.replace("a", "f")}},
        {"document_id": ID, "related": [ID.replace("1b", "ff"), {"nota_credito_uuid": NOTE, "number": NUMBER}]},
    ],
)
def test_the_ids_of_the_note_are_found_under_any_name(plain: dict[str, Any]) -> None:
    """The UUID that is not the document's own, first of those under a name that speaks of a note."""
    memo = credit_memo_of({"created_credit_memo": True, **plain}, ID)
    assert memo == CreditMemo(document_id=NOTE, control_number=NUMBER, generation_code=NOTE.upper())
    assert credit_memo_of(plain, ID) is None
    assert credit_memo_of({**plain, "created_credit_memo": "true"}, ID) is None


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5) | st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=12))  # fmt: skip
def test_whatever_comes_nothing_raises(plain: Any) -> None:
    """And nothing is made up: without flags, marks or stamps nothing is proven."""
    body = {"created_credit_memo": True, "x": plain, **(plain if isinstance(plain, dict) else {})}
    credit_memo_of(body, ID)
    assert classify_cancellation(body, "R", OWN)[0] is CancelStep.REQUESTED
