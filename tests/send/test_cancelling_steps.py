"""Cancelling, transition by transition: what each answer proves, what is asked after it, and what is asked for again."""

from __future__ import annotations

from typing import Any

import pytest

from batch_issuer.model.records import CancelStep, Kind, NewEvent
from batch_issuer.model.states import State
from batch_issuer.send.owing import CREDITED, look_owed
from tests.send.literal import (
    BAD,
    BROKEN,
    CONFLICT,
    CONTINGENCY,
    ID,
    LOST,
    MISSING,
    NEVER,
    NO_KEY,
    PATIENT,
    REJECTED,
    SLOW_DOWN,
    STAMP,
    STAMPED,
    Book,
    Exchange,
    answer,
    ask_cancellations,
    cancel,
    issued,
    pay,
    play,
    stands,
)

POST = f"POST /api/invalidate/{ID}"
POST_REF = "POST /api/invalidate/F-1"
ASK = f"GET /api/invalidate/status/{ID}"
ASK_REF = "GET /api/invalidate/status/F-1"
STATUS = f"GET /api/status/{ID}"
MEMO_ID = "0a1b2c3d-0000-4000-8000-00000000000a"
MEMO = f"GET /api/credit-memo/status/{MEMO_ID}"


def said(**flags: Any) -> Any:
    told = {"success": True, "dte_success": True, "contingency": False, "rejected": False}
    return answer(**{**told, **flags})


DONE = said(reception_stamp="SELLO-INVALIDACION")
MARKED = said(reception_stamp="", invalidated=True)
PENDING = said(dte_success=False, contingency=True)
REFUSED = said(dte_success=False, rejected=True, observaciones=["Plazo vencido"])
VAGUE = said(reception_stamp=STAMP)
"""It repeats the document's own stamp: taken, it says, and shows no proof."""
NONE = said(success=False, dte_success=False)
"""There is no invalidation of it."""
CANCELLED = issued(invalidated=True)
REPLACED = said(created_credit_memo=True, reception_stamp="", credit_memo_id=MEMO_ID)
TWICE_NOTHING: list[Exchange] = [(ASK, MISSING), (ASK_REF, MISSING)] * 2


def stamped() -> Book:
    return stands("stamped")


def requested() -> Book:
    """A cancellation whose intent is written, and of which nothing was heard."""
    book = stamped()
    book.take([NewEvent(kind=Kind.CANCELLING, external_ref="F-1", body={})])
    return book


def step(played: Any) -> CancelStep | None:
    known = played.record.cancellation
    return known.step if known else None


@pytest.mark.parametrize(
    ("reply", "wanted"), [(DONE, "done"), (MARKED, "done"), (PENDING, "pending"), (REFUSED, "refused")]
)
def test_a_clear_answer_is_the_end(reply: Any, wanted: str) -> None:
    """One request, its intent before it; only `done` cancels."""
    played = play(cancel, (POST, reply), book=stamped())
    assert step(played) == wanted
    assert played.record.state is (State.CANCELLED if wanted == "done" else State.STAMPED)
    assert played.book.kinds("F-1")[2:] == ["cancelling", "cancel_answered"]
    assert played.crew.progress.states == {played.record.state: 1}


def test_its_stamp_and_the_ministrys_words_are_kept() -> None:
    """The stamp of the invalidation, never the document's own."""
    done, refused = (play(cancel, (POST, one), book=stamped()).record.cancellation for one in (DONE, REFUSED))
    assert done is not None
    assert refused is not None
    assert (done.stamp, refused.words) == ("SELLO-INVALIDACION", "Plazo vencido")


def test_an_id_that_is_not_found_is_tried_by_our_reference() -> None:
    """Two requests with one intent; where neither is found, nothing was cancelled."""
    assert step(play(cancel, (POST, MISSING), (POST_REF, DONE), book=stamped())) == "done"
    neither = play(cancel, (POST, MISSING), (POST_REF, MISSING), book=stamped())
    assert (step(neither), neither.record.cancellation and neither.record.cancellation.reason) == (
        "refused",
        "not-found",
    )


def test_a_400_is_a_refusal_with_its_words() -> None:
    """Nothing was cancelled."""
    played = play(cancel, (POST, BAD), book=stamped())
    assert played.record.cancellation is not None
    assert (played.record.cancellation.step, played.record.cancellation.words) == ("refused", "precio negativo")


@pytest.mark.parametrize("doubt", [LOST, BROKEN])
def test_what_was_lost_is_asked_about_first(doubt: Any) -> None:
    """And not asked for again where it arrived."""
    played = play(cancel, (POST, doubt), (ASK, DONE), book=stamped())
    assert step(played) == "done"
    assert played.book.kinds("F-1")[2:] == ["cancelling", "cancel_unanswered", "cancel_answered"]


def test_what_was_lost_and_is_not_there_is_asked_for_again_after_a_pause() -> None:
    """Twice not found, with a pause between; each request has its intent."""
    played = play(cancel, (POST, LOST), *TWICE_NOTHING, (POST, DONE), book=stamped())
    assert (step(played), played.at[-1]) == ("done", PATIENT.settling)
    assert played.record.cancellation is not None
    assert played.record.cancellation.requests == 2


def test_it_is_asked_for_so_often_in_one_run_and_no_more() -> None:
    """The doubt stays, and the next run asks first."""
    played = play(cancel, *([(POST, LOST), *TWICE_NOTHING] * 3), book=stamped())
    assert (step(played), played.record.state) == ("requested", State.STAMPED)


@pytest.mark.parametrize("status", [400, 403, 405, 409, 413, 415, 422])
def test_a_refusal_of_the_request_is_believed_once_nothing_is_found(status: int) -> None:
    """An invalidation that cannot be found after it was never made."""
    script: list[Exchange] = [(POST, answer(status, detail="no"))]
    script += [] if status == 400 else TWICE_NOTHING
    assert step(play(cancel, *script, book=stamped())) == "refused"


def test_an_answer_that_there_is_none_is_a_refusal() -> None:
    """200, and `success: false`: asked about twice, and the document's own status says nothing else."""
    asks: list[Exchange] = [(ASK, MISSING), (ASK_REF, MISSING), (STATUS, STAMPED)]
    assert step(play(cancel, (POST, NONE), *asks, *asks, book=stamped())) == "refused"


def test_request_and_status_that_both_claim_it_prove_it() -> None:
    """One alone proves nothing."""
    played = play(cancel, (POST, VAGUE), (ASK, VAGUE), book=stamped())
    assert (step(played), played.record.state) == ("done", State.CANCELLED)


def test_the_documents_own_status_may_prove_what_its_invalidation_does_not() -> None:
    """It says outright that it was invalidated; without a stamp of it."""
    lost = play(cancel, (POST, LOST), (ASK, VAGUE), (STATUS, CANCELLED), book=stamped())
    none = play(cancel, (POST, VAGUE), (ASK, MISSING), (ASK_REF, MISSING), (STATUS, CANCELLED), book=stamped())
    for played in (lost, none):
        assert (step(played), played.record.state) == ("done", State.CANCELLED)
        assert played.record.cancellation is not None
        assert played.record.cancellation.stamp == ""


def test_what_is_claimed_once_and_found_nowhere_else_stays_a_doubt() -> None:
    """After a lost answer the status alone claims it."""
    played = play(cancel, (POST, LOST), (ASK, VAGUE), (STATUS, STAMPED), book=stamped())
    assert (step(played), played.record.state) == ("requested", State.STAMPED)
    assert played.record.cancellation is not None
    assert played.record.cancellation.reason == "not-proven"


@pytest.mark.parametrize(
    ("note", "wanted"), [(STAMPED, "done"), (CONTINGENCY, "pending"), (REJECTED, "refused"), (BROKEN, "")]
)
def test_a_credit_note_in_its_place_is_asked_about_itself(note: Any, wanted: str) -> None:
    """Its own status decides; where it says nothing, the doubt stays."""
    memo: list[Exchange] = [(MEMO, issued(stamp=STAMP, external_ref="") if note is STAMPED else note)]
    if not wanted:
        memo = [(MEMO, note)] * 3
        script = [(POST, REPLACED), *memo, (ASK, REPLACED), *memo]
        played = play(cancel, *script, book=stamped())
        assert step(played) == "done", "request and status both claim it"
        return
    played = play(cancel, (POST, REPLACED), *memo, book=stamped())
    assert step(played) == wanted
    assert played.record.cancellation is not None
    assert played.record.cancellation.memo is not None
    assert played.record.cancellation.memo.document_id == MEMO_ID


@pytest.mark.parametrize(("reply", "times"), [(NEVER, 2), (SLOW_DOWN, 3), (NO_KEY, 1)])
def test_what_did_not_leave_is_as_if_it_had_not_been_meant(reply: Any, times: int) -> None:
    """Nothing is known of a cancellation, and the document is what it was."""
    played = play(cancel, *[(POST, reply)] * times, book=stamped())
    assert (played.record.state, played.record.cancellation) == (State.STAMPED, None)


@pytest.mark.parametrize(("reply", "times"), [(NEVER, 3), (SLOW_DOWN, 3), (NO_KEY, 1)])
def test_a_second_request_that_does_not_leave_keeps_the_doubt_about_the_first(reply: Any, times: int) -> None:
    """Only an answer about it settles it."""
    played = play(cancel, (POST, LOST), *TWICE_NOTHING, *[(POST, reply)] * times, book=stamped())
    assert step(played) == "requested"
    assert played.record.cancellation is not None
    assert played.record.cancellation.requests == 1


def test_a_doubt_that_nobody_answers_is_not_asked_for_again() -> None:
    """Questions have their own patience."""
    played = play(cancel, (POST, LOST), *[(ASK, BROKEN)] * 3, book=stamped())
    assert (step(played), played.crew.progress.posts) == ("requested", 1)


# What an earlier run has left -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reply", "wanted"), [(DONE, "done"), (PENDING, "pending"), (REFUSED, "refused")])
def test_an_earlier_request_is_asked_about_and_that_may_be_enough(reply: Any, wanted: str) -> None:
    """Nothing is asked for again."""
    played = play(cancel, (ASK, reply), book=requested())
    assert (step(played), played.crew.progress.posts) == (wanted, 0)


def test_an_earlier_request_that_never_arrived_is_made() -> None:
    """After two 404 with a pause between."""
    played = play(cancel, *TWICE_NOTHING, (POST, DONE), book=requested())
    assert (step(played), played.at[-1]) == ("done", PATIENT.settling)


def test_an_earlier_request_of_which_too_little_is_said_is_made_again() -> None:
    """Repeating is harmless there, and request and status together prove it."""
    script: list[Exchange] = [(ASK, VAGUE), (STATUS, STAMPED), (POST, VAGUE), (ASK, VAGUE)]
    assert step(play(cancel, *script, book=requested())) == "done"


def test_an_earlier_request_that_nobody_answers_for_is_not_made_again() -> None:
    """It may have come to something."""
    played = play(cancel, *[(ASK, LOST)] * 3, book=requested())
    assert (step(played), played.crew.progress.posts) == ("requested", 0)


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ([(ASK, DONE)], "done"),
        ([(ASK, PENDING)], "pending"),
        ([(ASK, REFUSED)], "refused"),
        ([(ASK, MISSING), (ASK_REF, DONE)], "done"),
        ([(ASK, MISSING), (ASK_REF, MISSING)], "requested"),
        ([(ASK, NONE), (ASK_REF, NONE)], "requested"),
        ([(ASK, VAGUE), (STATUS, CANCELLED)], "done"),
        ([(ASK, VAGUE), (STATUS, STAMPED)], "requested"),
        ([(ASK, BROKEN)] * 3, "requested"),
    ],
)
def test_a_refresh_asks_and_never_asks_for(script: list[Exchange], wanted: str) -> None:
    """What is proven is written; what is not stays a doubt."""
    played = play(ask_cancellations, *script, book=requested())
    assert (step(played), played.crew.progress.posts) == (wanted, 0)


def test_a_conflict_is_no_reason_to_ask_again() -> None:
    """409: somebody is at work on it, or it was cancelled before; the status says which."""
    assert step(play(cancel, (POST, CONFLICT), (ASK, DONE), book=stamped())) == "done"


# Looks that are owed --------------------------------------------------------------------------------------------------


def owed() -> Book:
    book = stamped()
    book.take([look_owed(book.now_records["F-1"], CREDITED)])
    return book


@pytest.mark.parametrize(
    ("script", "state", "owes"),
    [
        ([(ASK, DONE)], State.CANCELLED, ""),
        ([(ASK, MISSING), (ASK_REF, MISSING), (STATUS, CANCELLED)], State.CANCELLED, ""),
        ([(ASK, MISSING), (ASK_REF, MISSING), (STATUS, STAMPED)], State.STAMPED, ""),
        ([(ASK, VAGUE), (STATUS, STAMPED)], State.STAMPED, ""),
        ([(ASK, MISSING), (ASK_REF, MISSING), (STATUS, MISSING)], State.STAMPED, CREDITED),
        ([(ASK, MISSING), (ASK_REF, MISSING), *[(STATUS, BROKEN)] * 3], State.STAMPED, CREDITED),
        ([(ASK, BROKEN)] * 3, State.STAMPED, CREDITED),
    ],
)
def test_a_look_that_is_owed_is_taken_or_stays_owed(script: list[Exchange], state: State, owes: str) -> None:
    """Only an answer pays it."""
    played = play(pay, *script, book=owed())
    assert (played.record.state, played.record.look_owed) == (state, owes)
