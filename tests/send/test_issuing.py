"""Issuing, transition by transition: what is sent after each answer, what is written, and how long is waited."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from batch_issuer.model.problems import StoppedMidway, Unreachable
from batch_issuer.model.records import Kind
from batch_issuer.model.states import State
from batch_issuer.send.crew import Crew
from tests.send.archive import planned
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
    NOT_REGISTERED,
    OF_ANOTHER,
    PAGE,
    PATIENT,
    REJECTED,
    SLOW_DOWN,
    STAMPED,
    TIMEOUT,
    UNPROCESSABLE,
    UNPROVEN,
    Book,
    Exchange,
    answer,
    intent,
    issue,
    issued,
    play,
    stands,
    with_content,
)

POST = "POST /api/invoice"
ASK = "GET /api/status/F-1"
BY_ID = f"GET /api/status/{ID}"
DUPLICATE = issued(is_duplicate=True)


def new(*references: str) -> Book:
    """Documents whose content is planned and which were never sent."""
    return Book(*(planned(reference, "01") for reference in references or ("F-1",)))


CLEAR: list[tuple[list[Exchange], str, str]] = [
    ([(POST, STAMPED)], "stamped", ""),
    ([(POST, CONTINGENCY)], "contingency", ""),
    ([(POST, REJECTED)], "rejected", ""),
    ([(POST, BAD)], "invalid", ""),
]


@pytest.mark.parametrize(("script", "state", "reason"), CLEAR)
def test_a_clear_answer_is_the_end(script: list[Exchange], state: str, reason: str) -> None:
    """One request, its intent before it, its answer after it; no time is lost."""
    played = play(issue, *script, book=new())
    assert played.end == (state, reason)
    assert played.book.kinds("F-1") == ["sending", "answered"]
    assert (played.seconds, played.stopped) == (0.0, "")
    assert played.crew.progress.states == {State(state): 1}


def test_the_intent_is_written_before_the_request_leaves() -> None:
    """And again before each time that it is sent."""
    written: list[list[str]] = []

    class Watched(Book):
        def take(self, new: Any) -> None:
            super().take(new)
            written.append([one.kind.value for one in new])

    book = Watched(planned("F-1", "01"))
    play(issue, (POST, LOST), (ASK, MISSING), (ASK, MISSING), (POST, STAMPED), book=book)
    assert written[1:] == [["sending"], ["unanswered"], ["sending"], ["answered"]]
    assert book.now_records["F-1"].attempts == 2


@pytest.mark.parametrize(
    ("doubt", "reason"),
    [
        (LOST, "lost-answer"),
        (TIMEOUT, "read-timeout"),
        (BROKEN, "server-error"),
        (PAGE, "not-understood"),
        (NOT_REGISTERED, "not-registered"),
    ],
)
@pytest.mark.parametrize("found", [STAMPED, CONTINGENCY, REJECTED])
def test_a_doubt_is_asked_about_and_the_status_decides(doubt: Any, reason: str, found: Any) -> None:
    """What the provider has is taken as it is; the doubt was written first, as the next run would need it."""
    played = play(issue, (POST, doubt), (ASK, found), book=new())
    assert played.end[0] == play(issue, (POST, found), book=new()).end[0]
    doubts = [json.loads(one.body)["reason"] for one in played.book.story("", "F-1")[2:3]]
    assert doubts == [reason]
    assert played.crew.progress.retries == 0


@pytest.mark.parametrize("doubt", [LOST, TIMEOUT, BROKEN, PAGE, NOT_REGISTERED])
def test_what_was_lost_is_sent_again_after_two_404_with_a_pause_between(doubt: Any) -> None:
    """The provider may still be at work on it: one 404 proves nothing."""
    played = play(issue, (POST, doubt), (ASK, MISSING), (ASK, MISSING), (POST, STAMPED), book=new())
    assert played.end == ("stamped", "")
    assert played.at == [0.0, 0.0, PATIENT.settling, PATIENT.settling]
    assert played.crew.progress.retries == 1


def test_a_document_is_sent_so_often_in_one_run_and_no_more() -> None:
    """After the last POST it is asked about, and stays in doubt."""
    lost: list[Exchange] = [(POST, LOST), (ASK, MISSING), (ASK, MISSING)]
    played = play(issue, *lost, *lost, *lost, book=new())
    assert played.end == ("unsure", "lost-answer")
    assert played.book.kinds("F-1") == ["sending", "unanswered"] * 3
    assert played.crew.progress.states == {State.UNSURE: 1}


@pytest.mark.parametrize("doubt", [UNPROVEN, OF_ANOTHER, CONFLICT])
def test_what_somebody_has_is_never_sent_again_though_nothing_is_found(doubt: Any) -> None:
    """It was registered, or belongs to somebody, or is being worked on: two 404 do not make it free."""
    asked: list[Exchange] = [(ASK, MISSING), (BY_ID, MISSING)] if doubt is not CONFLICT else [(ASK, MISSING)]
    played = play(issue, (POST, doubt), *asked, *asked, book=new())
    assert played.record.state is State.UNSURE
    assert played.crew.progress.posts == 1


def test_a_reference_that_does_not_travel_is_asked_for_by_its_id() -> None:
    """An answer that names an id was registered: its 404 by reference is not believed."""
    played = play(issue, (POST, UNPROVEN), (ASK, MISSING), (BY_ID, STAMPED), book=new())
    assert played.end == ("stamped", "")


@pytest.mark.parametrize("status", [413, 415, 422])
def test_an_undocumented_refusal_is_believed_once_nothing_is_found(status: int) -> None:
    """With its words; where the provider has it, that counts."""
    refusal = answer(status, detail="no se entiende")
    refused = play(issue, (POST, refusal), (ASK, MISSING), (ASK, MISSING), book=new())
    assert refused.end == ("invalid", "")
    assert refused.record.answer.detail == "no se entiende"
    assert play(issue, (POST, UNPROCESSABLE), (ASK, STAMPED), book=new()).end == ("stamped", "")


@pytest.mark.parametrize("status", [302, 307, 403, 404, 405])
def test_an_address_that_takes_nothing_ends_the_run(status: int) -> None:
    """What was sent there is in doubt; the others never left."""
    played = play(issue, (POST, answer(status)), book=new("F-1", "F-2"))
    assert f"does not take documents: it answered {status}" in played.stopped
    assert [one.state for one in played.book.now_records.values()] == [State.UNSURE, State.PLANNED]


@pytest.mark.parametrize(("doc_type", "route"), [("05", "credit-memo"), ("14", "suex")])
def test_a_type_with_a_route_of_its_own_says_nothing_of_the_address(doc_type: str, route: str) -> None:
    """A company may have no right to it, and a 404 for a credit note may mean its CCF."""
    book = Book(planned("F-1", doc_type))
    asks: list[Exchange] = [(f"GET /api/{route}/status/F-1", MISSING)] * 2
    played = play(issue, (f"POST /api/{route}", MISSING), *asks, book=book)
    assert (played.end, played.stopped) == (("unsure", "unexpected-status"), "")


def test_what_never_left_is_tried_again_with_growing_pauses() -> None:
    """Nothing is in doubt: no question is asked, and the same intent holds."""
    patience = replace(PATIENT, first_connections=9, connections=9)
    played = play(issue, *[(POST, NEVER)] * 4, (POST, STAMPED), book=new(), patience=patience)
    assert played.end == ("stamped", "")
    assert played.at == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert played.crew.progress.posts == 1
    assert played.book.kinds("F-1") == ["sending", "answered"]


def test_what_never_left_at_all_is_planned_again() -> None:
    """As if it had not been meant: `attempts` is what it was."""
    patience = replace(PATIENT, first_connections=9)
    played = play(issue, *[(POST, NEVER)] * 3, book=new(), patience=patience)
    assert (played.end, played.stopped) == (("planned", "never-left"), "")
    assert (played.record.attempts, played.record.first_sent_at) == (0, "")


def test_nothing_that_ever_answered_ends_the_run_early() -> None:
    """After so few tries as nobody minds; a second document is not even tried."""
    played = play(issue, *[(POST, NEVER)] * 2, book=new("F-1", "F-2"))
    assert isinstance(played.crew.courier.stopped, Unreachable)
    assert {one.state for one in played.book.now_records.values()} == {State.PLANNED}


def test_a_quota_is_waited_out_and_created_nothing() -> None:
    """As long as the answer says; too often, and the document waits for another run."""
    played = play(issue, (POST, SLOW_DOWN), (POST, STAMPED), book=new())
    assert (played.end, played.at) == (("stamped", ""), [0.0, 7.0])
    given_up = play(issue, *[(POST, SLOW_DOWN)] * 3, book=new())
    assert (given_up.end, given_up.record.attempts) == (("planned", "quota"), 0)


def test_a_refused_key_ends_the_run_and_leaves_no_doubt() -> None:
    """Nothing was created, and nobody else is tried with it."""
    played = play(issue, (POST, NO_KEY), book=new("F-1", "F-2"))
    assert "refuses the API key: API key inválida" in played.stopped
    assert played.end == ("planned", "key-refused")
    assert played.book.now_records["F-2"].state is State.PLANNED


@pytest.mark.parametrize(
    ("second", "reason"), [(NO_KEY, "key-refused"), (SLOW_DOWN, "quota"), (NEVER, "never-left"), (MISSING, None)]
)
def test_a_second_request_that_does_nothing_leaves_the_doubt_about_the_first(second: Any, reason: str | None) -> None:
    """Once one has left, only an answer about it makes its document planned again."""
    times = {NO_KEY: 1, MISSING: 1}.get(second, 3)
    more: list[Exchange] = [(POST, second)] * times
    played = play(issue, (POST, LOST), (ASK, MISSING), (ASK, MISSING), *more, book=new())
    assert played.record.state is State.UNSURE
    assert reason is None or played.record.reason == reason


def test_a_doubt_that_nobody_answers_stays_one() -> None:
    """Questions have their own patience, with pauses that grow; what is not answered is not sent again."""
    played = play(issue, (POST, LOST), *[(ASK, BROKEN)] * 3, book=new())
    assert played.end == ("unsure", "lost-answer")
    assert played.at == [0.0, 0.0, 0.5, 1.5]


def test_an_interruption_while_it_settles_sends_nothing_more() -> None:
    """The second question is asked, as it costs nothing; the POST is not repeated."""

    async def interrupted(crew: Crew, records: list[Any]) -> None:
        import asyncio  # noqa: PLC0415 - only here

        task = asyncio.create_task(crew.issuer.issue(records))
        await asyncio.sleep(1)
        crew.courier.stop(StoppedMidway("enough"))
        await task

    played = play(interrupted, (POST, LOST), (ASK, MISSING), book=new())
    assert (played.end, played.seconds) == (("unsure", "lost-answer"), 1.0)


def test_the_same_refusal_again_and_again_spares_the_rest() -> None:
    """A streak is of one cause; any stamp between ends it."""
    names = [f"F-{number}" for number in range(1, 9)]
    few = replace(PATIENT, stop_after=3)
    spared = play(issue, *[(POST, BAD)] * 3, book=new(*names), patience=few)
    assert "The same failure 3 times in a row" in spared.stopped
    states = [one.state.value for one in spared.book.now_records.values()]
    assert states == ["invalid"] * 3 + ["planned"] * 5
    script = [(POST, BAD), (POST, BAD), (POST, STAMPED), (POST, BAD), (POST, REJECTED), (POST, BAD), (POST, BAD)]
    assert play(issue, *script, (POST, STAMPED), book=new(*names), patience=few).stopped == ""


def test_the_retries_of_a_run_have_a_budget() -> None:
    """However patient each document may be."""
    patience = replace(PATIENT, budget_least=2, budget_share=0.0, connections=99, first_connections=99)
    played = play(issue, *[(POST, NEVER)] * 3, book=new("F-1", "F-2"), patience=patience)
    assert "Too many requests had to be repeated (3)" in played.stopped
    with_share = replace(patience, budget_share=1.0)
    assert (
        play(
            issue, *[(POST, NEVER)] * 4, (POST, STAMPED), (POST, STAMPED), book=new("F-1", "F-2"), patience=with_share
        ).stopped
        == ""
    )


# What an answer about an earlier request is worth ---------------------------------------------------------------------


def test_a_duplicate_of_what_we_sent_is_its_answer() -> None:
    """The first answer was lost, perhaps in another run; the same content went both times."""
    book = new()
    book.take([intent(planned("F-1", "01"))])
    assert play(issue, (POST, DUPLICATE), book=book).end == ("stamped", "")


def test_a_duplicate_of_what_nobody_sent_is_left_to_a_person() -> None:
    """The provider had it before we first sent it: perhaps another sale."""
    played = play(issue, (POST, DUPLICATE), (f"{ASK}?include_dte=1", STAMPED), book=new())
    assert played.end == ("unsure", "unexpected-duplicate")
    assert played.record.unexpected_duplicate


def test_a_duplicate_with_another_amount_is_shown_with_both() -> None:
    """The file says 11.30 and the provider has 99.00."""
    other = issued(is_duplicate=True, amount_gross=99)
    played = play(issue, (POST, other), (f"{ASK}?include_dte=1", other), book=new())
    assert played.end == ("unsure", "other-content")
    (conflict,) = played.crew.progress.conflicts
    assert (conflict["issued_gross"], conflict["file_gross"]) == ("99", "11.30")
    assert [one["what"] for one in conflict["changes"]] == ["gross"]


def corrected(**more: Any) -> Book:
    """Sent once with 11.30, lost, and corrected since to what `more` says; the second intent comes with the run."""
    book = with_content(stands("invalid"), lines=[{"description": "Café", "quantity": 4, "unit_price": 5.65}])
    event = book.events.pop()
    assert event.kind is Kind.SENDING
    record = book.now_records["F-1"]
    book.now_records["F-1"] = replace(record, state=State.PLANNED, attempts=1, expected_gross=Decimal("22.60"), **more)
    return book


def test_a_duplicate_of_an_earlier_content_is_that_content() -> None:
    """The ledger says again what the provider has, and the run's record shows both versions."""
    content = f"{ASK}?include_dte=1"
    played = play(issue, (POST, DUPLICATE), (content, DUPLICATE), book=corrected())
    assert played.end[0] == "stamped"
    assert played.book.kinds("F-1")[-2:] == ["planned", "answered"]
    assert [one["file_gross"] for one in played.crew.progress.conflicts] == ["22.60"]


def test_a_duplicate_of_the_corrected_content_is_an_answer() -> None:
    """It took the correction: nothing is in conflict."""
    now = issued(is_duplicate=True, amount_gross=22.6)
    played = play(issue, (POST, now), (f"{ASK}?include_dte=1", now), book=corrected())
    assert (played.end[0], played.crew.progress.conflicts) == ("stamped", [])


def test_a_stamp_after_contingency_says_nothing_of_lateness_and_a_rejection_does() -> None:
    """Customers may hold what was in contingency: its rejection is named."""
    played = play(issue, (POST, REJECTED), book=replaced_by_contingency())
    assert played.end == ("rejected", "after-contingency")
    assert played.crew.progress.late_rejections == ["F-1"]


def replaced_by_contingency() -> Book:
    book = stands("contingency")
    book.now_records["F-1"] = replace(book.now_records["F-1"], state=State.CONTINGENCY)
    return book
