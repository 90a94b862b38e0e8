from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.ledger.rows import read_rows, write_body, write_rows
from batch_issuer.model.documents import Amounts
from batch_issuer.model.records import (
    FIRST_HASH,
    Answer,
    Cancellation,
    CancelStep,
    CreditMemo,
    Event,
    Kind,
    NewEvent,
    Record,
    fold,
    hash_after,
    read_answer,
    read_cancellation,
    write_answer,
    write_cancellation,
)
from batch_issuer.model.states import State
from tests.ledger.histories import (
    ANSWER,
    ANSWERS,
    MEMO,
    answered,
    cancel_answered,
    cancel_unanswered,
    cancelling,
    digest,
    key_seen,
    look_owed,
    planned,
    recognised,
    released,
    run_ended,
    sending,
    unanswered,
    withdrawn,
)


def lived(*events: NewEvent) -> Record:
    """What follows from a document's events, one a second."""
    record: Record | None = None
    for number, one in enumerate(events, 1):
        record = fold(record, at(number, one), one.body)
    assert record is not None
    return record


def at(number: int, new: NewEvent) -> Event:
    return Event(
        seq=number, at=time(number), run=f"run-{number}", company="default", external_ref=new.external_ref,
        kind=new.kind, body=json.dumps(dict(new.body)),
    )  # fmt: skip


def time(number: int) -> str:
    return f"2026-11-21T18:00:{number:02}.000+00:00"


def test_a_planned_document_is_what_the_file_said() -> None:
    """Nothing was sent and nothing is known from the provider."""
    record = lived(planned("A-1", '{"a":1}', "7.25"))
    assert (record.state, record.expected_gross, record.fingerprint) == (
        State.PLANNED,
        Decimal("7.25"),
        digest('{"a":1}'),
    )
    assert (record.source.file, record.source.rows, record.customer) == ("ventas.csv", (2, 3), "Ana Pérez")
    assert (record.attempts, record.first_sent_at, record.settled_at, record.answer) == (0, "", "", Answer())
    assert (record.content_seq, record.last_seq, record.run, record.updated_at) == (1, 1, "run-1", time(1))


def test_every_intent_counts_as_an_attempt() -> None:
    """The time of the first stays."""
    record = lived(planned("A-1"), sending("A-1"), sending("A-1"))
    assert (record.state, record.attempts, record.first_sent_at, record.last_seq) == (State.SENDING, 2, time(2), 3)


@pytest.mark.parametrize(
    ("events", "attempts", "first_sent_at"),
    [
        ((sending("A-1"), released("A-1")), 0, ""),
        ((sending("A-1"), released("A-1", unsent=False)), 1, time(2)),
        ((sending("A-1"), unanswered("A-1"), sending("A-1"), released("A-1")), 1, time(2)),
    ],
)
def test_a_document_given_back_is_planned(events: tuple[NewEvent, ...], attempts: int, first_sent_at: str) -> None:
    """An intent that never left is no attempt; one that the provider does not know was one."""
    record = lived(planned("A-1"), *events)
    assert (record.state, record.attempts, record.first_sent_at) == (State.PLANNED, attempts, first_sent_at)
    assert record.reason == "run-ended"


def test_no_answer_is_a_doubt_with_its_reason() -> None:
    """What was answered before stays known."""
    record = lived(planned("A-1"), sending("A-1"), unanswered("A-1", reason="lost-answer"))
    assert (record.state, record.reason, record.answer, record.settled_at) == (
        State.UNSURE,
        "lost-answer",
        Answer(),
        "",
    )
    waiting = lived(
        planned("A-1"), sending("A-1"), answered("A-1", State.CONTINGENCY), unanswered("A-1", State.CONTINGENCY)
    )
    assert (waiting.state, waiting.answer) == (State.CONTINGENCY, ANSWER)


@pytest.mark.parametrize(
    ("state", "settled"),
    [
        (State.STAMPED, True),
        (State.REJECTED, True),
        (State.INVALID, True),
        (State.CANCELLED, True),
        (State.CONTINGENCY, False),
        (State.UNSURE, False),
    ],
)
def test_an_answer_settles_a_document_or_does_not(state: State, settled: bool) -> None:
    """The moment is kept only for what is final."""
    record = lived(planned("A-1"), sending("A-1"), answered("A-1", state))
    assert (record.state, record.answer, record.settled_at) == (state, ANSWER, time(3) if settled else "")
    assert record.numbered_at == time(3)


def test_contingency_is_aged_from_the_first_number() -> None:
    """Asking again does not make a document younger."""
    asked = answered("A-1", State.CONTINGENCY)
    assert lived(planned("A-1"), sending("A-1"), asked, asked, asked).numbered_at == time(3)
    assert lived(planned("A-1"), sending("A-1"), answered("A-1", State.UNSURE, Answer())).numbered_at == ""


def test_a_refused_correction_keeps_the_number_of_the_refused_original() -> None:
    """A 400 says nothing about what the provider registered before."""
    refused = Answer(http_status=400, detail="Debe incluir al menos una línea")
    record = lived(
        planned("A-1"), sending("A-1"), answered("A-1", State.REJECTED), planned("A-1", "x"), sending("A-1"),
        answered("A-1", State.INVALID, refused),
    )  # fmt: skip
    assert record.answer == replace(
        refused,
        document_id=ANSWER.document_id,
        control_number=ANSWER.control_number,
        generation_code=ANSWER.generation_code,
    )


def test_a_corrected_document_keeps_its_past() -> None:
    """New content, the same sale: the attempts, the number and the first time stay; it is no longer settled."""
    record = lived(planned("A-1"), sending("A-1"), answered("A-1", State.REJECTED), planned("A-1", "new", "6.00"))
    assert (record.state, record.fingerprint, record.expected_gross) == (State.PLANNED, digest("new"), Decimal("6.00"))
    assert (record.attempts, record.first_sent_at, record.numbered_at) == (1, time(2), time(3))
    assert (record.answer, record.settled_at, record.content_seq) == (ANSWER, "", 4)


def test_an_unexpected_duplicate_is_never_forgotten() -> None:
    """Once another program was found to have issued it, later answers do not hide that."""
    record = lived(
        planned("A-1"), sending("A-1"), answered("A-1", unexpected_duplicate=True), answered("A-1"), planned("A-1", "x")
    )
    assert record.unexpected_duplicate


@pytest.mark.parametrize("event", [sending("A-1"), released("A-1"), answered("A-1"), unanswered("A-1")])
def test_nothing_happens_to_a_document_that_was_never_planned(event: NewEvent) -> None:
    """Its content would not be known."""
    with pytest.raises(ValueError, match="event 1 speaks of a document that was never planned"):
        fold(None, at(1, event), event.body)


@pytest.mark.parametrize("event", [run_ended(), key_seen()])
def test_events_of_runs_say_nothing_about_documents(event: NewEvent) -> None:
    """They have no reference."""
    with pytest.raises(ValueError, match="event 2 is not about a document"):
        fold(lived(planned("A-1")), at(2, event), event.body)


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in Kind
        if kind.value
        not in (
            "run_started",
            "run_read",
            "run_ended",
            "key_seen",
            "key_tried",
            "settings_accepted",
            "noted",
            "signed",
            "restored",
        )
    ],
)
def test_every_kind_about_documents_moves_the_record_on(kind: Kind) -> None:
    """Whatever happened last is what the record carries."""
    by_kind = {
        one.kind: one
        for one in (
            planned("A-1"), sending("A-1"), released("A-1"), answered("A-1"), unanswered("A-1"), cancelling("A-1"),
            cancel_answered("A-1"), cancel_unanswered("A-1"), recognised("A-1"), withdrawn("A-1"), look_owed("A-1"),
        )
    }  # fmt: skip
    record = lived(planned("A-1"), cancelling("A-1"), by_kind[kind])
    assert (record.last_seq, record.updated_at, record.run) == (3, time(3), "run-3")


@given(ANSWERS)
def test_answers_survive_being_written(answer: Answer) -> None:
    """Every field, amounts to the cent, through JSON text."""
    assert read_answer(json.loads(json.dumps(write_answer(answer)))) == answer


def test_the_text_of_an_answer_in_an_event_does_not_move() -> None:
    """Events are hashed as text: whatever is read and written again has to be the very same."""
    amounts = Amounts(taxable=Decimal("1.00"), vat=Decimal("0.13"), gross=Decimal("1.130"), retention=Decimal(0))
    answer = Answer(
        http_status=200, doc_type="01", document_id="d", control_number="n", generation_code="g", reception_stamp="s",
        amounts=replace(amounts, total=Decimal("1.13")), is_duplicate=True, dte_state="PROCESADO", dte_message="m",
        codigo_msg="001", observaciones=("o", "p"), detail="t", issuer_nit="06140101901010", environment="test",
    )  # fmt: skip
    text = (
        '{"http_status": 200, "doc_type": "01", "document_id": "d", "control_number": "n", "generation_code": "g", '
        '"reception_stamp": "s", "is_duplicate": true, "dte_state": "PROCESADO", "dte_message": "m", '
        '"codigo_msg": "001", "detail": "t", "issuer_nit": "06140101901010", "environment": "test", '
        '"observaciones": ["o", "p"], "amount_taxable": "1.00", "amount_vat": "0.13", "amount_gross": "1.130", '
        '"amount_retention": "0", "amount_total": "1.13"}'
    )
    assert json.dumps(write_answer(answer)) == text
    assert read_answer(json.loads(text)) == answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(observaciones=("a", "b"), dte_message="m", detail="d"), "a; b"),
        (Answer(dte_message="m", detail="d"), "m; d"),
        (Answer(detail="d"), "d"),
        (Answer(), ""),
    ],
)
def test_what_the_provider_said_is_one_text(answer: Answer, said: str) -> None:
    assert answer.said == said
    assert replace(answer, codigo_msg="004").said_with_code == (f"004 · {said}" if said else "004")


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_amounts_are_exact(amount: Decimal) -> None:
    """Never through a float."""
    written = write_answer(Answer(amounts=Amounts(gross=amount)))
    assert str(read_answer(written).amounts.gross) == str(amount)


@given(st.lists(st.integers(1, 2_000_000) | st.integers(1, 12), max_size=30))
def test_row_numbers_survive_being_written(rows: list[int]) -> None:
    """In their order, repeated ones too."""
    assert read_rows(write_rows(rows)) == tuple(rows)


def test_row_numbers_are_short() -> None:
    """A document of neighbouring rows takes a few characters."""
    assert write_rows([2, 3, 4, 5, 9, 11, 12, 7]) == "2-5,9,11-12,7"
    assert write_rows([]) == ""
    assert read_rows("") == ()


@pytest.mark.parametrize("text", ["2-1", "x", "1-99999999999", "3--4", "1;2", "-5"])
def test_damaged_row_numbers_are_refused(text: str) -> None:
    """A flipped bit must not fill the memory or give rows that are none."""
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        read_rows(text)


FIELDS: dict[str, Any] = {
    "seq": 8, "at": time(9), "run": "other", "company": "other", "external_ref": "A-2", "kind": Kind.RELEASED,
    "body": "{ }",
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_the_hash_covers_every_field(name: str) -> None:
    """And the hash before."""
    event = at(1, sending("A-1"))
    first = hash_after(FIRST_HASH, event)
    assert hash_after(FIRST_HASH, replace(event, **{name: FIELDS[name]})) != first
    assert hash_after("1" * 64, event) != first
    assert hash_after(FIRST_HASH, replace(event, hash="ignored")) == first


def test_neighbouring_fields_do_not_run_together() -> None:
    """Moving a character from one field to the next changes the hash."""
    event = at(1, sending("A-1"))
    moved = replace(event, company=event.company + "A", external_ref="-1")
    assert hash_after(FIRST_HASH, moved) != hash_after(FIRST_HASH, event)


def test_a_hash_is_the_same_for_ever() -> None:
    """Old ledgers must verify with every later version."""
    event = Event(
        seq=1, at="2026-11-21T18:00:00.000+00:00", run="r", company="default", external_ref="Ñ-1", kind=Kind.SENDING,
        body='{"fingerprint":"x"}',
    )  # fmt: skip
    assert hash_after(FIRST_HASH, event) == "9f4df41f77da8474b21311e475f97e388db11f3c2c03d706fe7c453f95d92a2b"


@given(st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.lists(st.text()) | st.none(), max_size=4))
def test_bodies_are_canonical_and_storable(body: dict[str, Any]) -> None:
    """The text does not depend on the order of keys; what is no character becomes a question mark."""
    text, meant = write_body(body)
    assert json.loads(text) == meant
    assert write_body(dict(reversed(list(body.items()))))[0] == text
    text.encode()
    if not any("\ud800" <= character <= "\udfff" for character in json.dumps(body, ensure_ascii=False)):
        assert meant == body


STAMPED = (planned("A-1"), sending("A-1"), answered("A-1"))


def test_a_cancellation_that_was_asked_for_changes_no_state() -> None:
    """The document stays stamped, with its own stamp, until the provider's answer proves the cancellation."""
    record = lived(*STAMPED, cancelling("A-1"))
    assert (record.state, record.answer, record.settled_at) == (State.STAMPED, ANSWER, time(3))
    assert record.cancellation == Cancellation(
        step=CancelStep.REQUESTED, requests=1, requested_at=time(4), updated_at=time(4)
    )


def test_a_cancellation_without_an_answer_stays_in_doubt() -> None:
    """Why is kept; another request counts, and the time of the first stays."""
    record = lived(*STAMPED, cancelling("A-1"), cancel_unanswered("A-1"), cancelling("A-1"))
    assert record.cancellation is not None
    assert (record.cancellation.step, record.cancellation.requests) == (CancelStep.REQUESTED, 2)
    assert (record.cancellation.requested_at, record.cancellation.reason) == (time(4), "")


def test_a_cancellation_that_never_left_was_never_asked_for() -> None:
    """Nothing of it remains, unless an earlier request had left."""
    assert lived(*STAMPED, cancelling("A-1"), cancel_unanswered("A-1", unsent=True)).cancellation is None
    again = lived(
        *STAMPED,
        cancelling("A-1"),
        cancel_answered("A-1", CancelStep.REFUSED),
        cancelling("A-1"),
        cancel_unanswered("A-1", CancelStep.REFUSED, unsent=True),
    )
    assert again.cancellation is not None
    assert (again.cancellation.step, again.cancellation.requests) == (CancelStep.REFUSED, 1)


@pytest.mark.parametrize("step", [step for step in CancelStep if step is not CancelStep.DONE])
def test_only_a_proven_cancellation_cancels(step: CancelStep) -> None:
    """What is pending, refused or in doubt leaves the document stamped."""
    assert lived(*STAMPED, cancelling("A-1"), cancel_answered("A-1", step)).state is State.STAMPED


def test_a_proven_cancellation_keeps_both_stamps_and_the_credit_note() -> None:
    """The document's own answer stays beside what cancelled it."""
    record = lived(*STAMPED, cancelling("A-1"), cancel_answered("A-1", memo=MEMO))
    assert (record.state, record.answer, record.settled_at) == (State.CANCELLED, ANSWER, time(5))
    assert record.cancellation is not None
    assert (record.cancellation.stamp, record.cancellation.memo) == ("20261121130000FEDCBA", CreditMemo(**MEMO))


@given(
    st.none()
    | st.builds(
        Cancellation,
        step=st.sampled_from(CancelStep),
        requests=st.integers(0, 5),
        requested_at=st.text(max_size=5),
        stamp=st.text(max_size=5),
        memo=st.none() | st.builds(CreditMemo, document_id=st.text(max_size=5), control_number=st.text(max_size=5)),
        words=st.text(max_size=5),
    )
)
def test_a_cancellation_is_read_as_it_was_written(cancellation: Cancellation | None) -> None:
    """Whatever is empty is left out, and comes back empty."""
    assert read_cancellation(json.loads(json.dumps(write_cancellation(cancellation)))) == cancellation
