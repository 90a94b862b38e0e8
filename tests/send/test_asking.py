"""Asking, transition by transition: what a status changes, what a 404 is worth, and what is never written."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from batch_issuer.model.records import Kind, NewEvent, Record
from batch_issuer.model.states import State
from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import Found, Missing, Uncertain, Withheld
from batch_issuer.send.crew import Crew
from tests.send.archive import planned
from tests.send.literal import (
    BAD,
    BROKEN,
    CONTINGENCY,
    ID,
    LOST,
    MISSING,
    NEVER,
    NO_KEY,
    OF_ANOTHER,
    PATIENT,
    REJECTED,
    SLOW_DOWN,
    STAMPED,
    UNPROVEN,
    Book,
    ask,
    intent,
    issued,
    play,
    recognise,
    sent,
    stands,
)

ASK = "GET /api/status/F-1"
BY_ID = f"GET /api/status/{ID}"
CONTENT = f"{ASK}?include_dte=1"


@pytest.mark.parametrize(
    ("found", "state"),
    [(STAMPED, "stamped"), (CONTINGENCY, "contingency"), (REJECTED, "rejected"), (UNPROVEN, "unsure")],
)
def test_what_is_found_is_written(found: Any, state: str) -> None:
    """One question; nothing is ever posted."""
    played = play(ask, (ASK, found), book=sent())
    assert played.record.state.value == state
    assert (played.crew.progress.asks, played.crew.progress.posts) == (1, 0)


def test_a_404_soon_after_the_request_is_believed_at_the_second_time() -> None:
    """The provider may still be at work on it: a pause lies between."""
    played = play(ask, (ASK, MISSING), (ASK, MISSING), book=sent())
    assert (played.end, played.at) == (("planned", "not-found"), [0.0, PATIENT.settling])
    assert played.record.attempts == 1, "it was sent, whatever came of it"
    assert play(ask, (ASK, MISSING), (ASK, STAMPED), book=sent()).end == ("stamped", "")


def test_a_404_long_after_the_request_is_believed_at_once() -> None:
    """Nothing can be under way any more."""
    book = sent()
    book.ahead = dt.timedelta(seconds=PATIENT.recent + 1)
    assert play(ask, (ASK, MISSING), book=book).end == ("planned", "not-found")


def test_a_second_question_that_is_not_answered_leaves_the_doubt() -> None:
    """One 404 proves nothing by itself."""
    played = play(ask, (ASK, MISSING), *[(ASK, BROKEN)] * 3, book=sent())
    assert (played.end, played.book.kinds("F-1")) == (("sending", ""), ["sending"])


@pytest.mark.parametrize("reply", [BROKEN, LOST, BAD])
def test_what_nobody_answers_is_asked_so_often_and_stays_as_it_was(reply: Any) -> None:
    """With pauses that grow; nothing is written that nobody said."""
    played = play(ask, *[(ASK, reply)] * 3, book=sent())
    assert (played.end, played.book.kinds("F-1")) == (("sending", ""), ["sending"])
    assert played.at == [0.0, 0.5, 1.5]


def test_a_quota_is_waited_out() -> None:
    """A 429 is no answer about the document."""
    played = play(ask, (ASK, SLOW_DOWN), (ASK, STAMPED), book=sent())
    assert (played.end, played.at) == (("stamped", ""), [0.0, 7.0])


def test_a_refused_key_ends_it() -> None:
    """The others are not asked about, and stay what they were."""
    book = Book(planned("F-1", "01"), planned("F-2", "01"))
    book.take([intent(planned(reference, "01")) for reference in ("F-1", "F-2")])
    played = play(ask, (ASK, NO_KEY), book=book)
    assert "refuses the API key" in played.stopped
    assert {one.state for one in played.book.now_records.values()} == {State.SENDING}


def test_nothing_that_answers_ends_it() -> None:
    """After a few tries to connect."""
    played = play(ask, *[(ASK, NEVER)] * 2, book=sent())
    assert "Nothing answers at https://provider.invalid/api" in played.stopped
    assert played.end == ("sending", "")


def test_what_has_an_id_is_asked_by_it_too() -> None:
    """A reference may not travel in a path; what has an id was registered."""
    assert play(ask, (ASK, MISSING), (BY_ID, STAMPED), book=stands("contingency")).end == ("stamped", "")


def test_a_contingency_that_nobody_finds_stays_one() -> None:
    """It was registered and numbered: it is never planned again for a 404, however often."""
    asks = [(ASK, MISSING), (BY_ID, MISSING)] * 2
    played = play(ask, *asks, book=stands("contingency"))
    assert played.end == ("contingency", "not-found")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(UNPROVEN, "no-stamp"), (OF_ANOTHER, "other-document"), (issued(stamp="", success=False), "not-registered")],
)
def test_a_status_that_proves_nothing_does_not_end_a_contingency(reply: Any, reason: str) -> None:
    """Only stamped or rejected do; the reason tells what was said."""
    assert play(ask, (ASK, reply), book=stands("contingency")).end == ("contingency", reason)


def test_a_rejection_after_contingency_is_told_as_such() -> None:
    """Customers may hold it."""
    played = play(ask, (ASK, REJECTED), book=stands("contingency"))
    assert played.end == ("rejected", "after-contingency")
    assert played.crew.progress.late_rejections == ["F-1"]


@pytest.mark.parametrize("reason", ["unexpected-duplicate", "other-content"])
def test_whose_document_it_is_no_status_says(reason: str) -> None:
    """A person has to: neither a stamp nor a 404 settles it, until somebody has accepted it."""
    there, gone = stands("unsure", reason=reason), stands("unsure", reason=reason)
    assert play(ask, (ASK, STAMPED), book=there).end == ("unsure", reason)
    assert play(ask, *[(ASK, MISSING), (BY_ID, MISSING)] * 2, book=gone).end == ("unsure", reason)
    accepted = stands("unsure", reason=reason)
    accepted.take([NewEvent(kind=Kind.RECOGNISED, external_ref="F-1", body={"at_provider": True})])
    assert play(ask, (ASK, STAMPED), book=accepted).end == ("stamped", "")


# Looking, which writes nothing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", [STAMPED, REJECTED, MISSING])
def test_a_look_says_what_there_is_and_writes_nothing(reply: Any) -> None:
    """Of a document in any state; what is not answered is not said."""
    said: dict[str, Any] = {}

    async def look(crew: Crew, records: list[Record]) -> None:
        said.update(await crew.asker.look(records))

    book = Book(planned("F-1", "01"))
    written = len(book.events)
    play(look, (ASK, reply), book=book)
    assert type(said["F-1"]) is (Missing if reply is MISSING else Found)
    said.clear()
    play(look, *[(ASK, BROKEN)] * 3, book=book)
    assert (said, len(book.events)) == ({}, written)


def test_a_document_of_another_program_is_looked_up_until_it_is_answered() -> None:
    """A CCF that the ledger does not know; a quota that is used up ends the run."""
    replies: list[Any] = []

    async def look_up(crew: Crew, _records: list[Record]) -> None:
        replies.append(await crew.asker.look_up("C-1"))

    url = "GET /api/status/C-1"
    play(look_up, (url, BROKEN), (url, STAMPED))
    play(look_up, (url, MISSING))
    play(look_up, *[(url, LOST)] * 3)
    assert [type(one) for one in replies] == [Found, Missing, Uncertain]


@pytest.mark.parametrize("found_by", ["id", "reference", "neither"])
def test_a_document_is_found_by_its_id_first(found_by: str) -> None:
    """Another company may have the same reference."""
    replies: list[Any] = []

    async def find(crew: Crew, records: list[Record]) -> None:
        replies.append(await crew.asker.find(records[0]))

    first = (BY_ID, STAMPED if found_by == "id" else MISSING)
    more = [] if found_by == "id" else [(ASK, STAMPED if found_by == "reference" else MISSING)]
    play(find, first, *more, book=stands("stamped"))
    assert isinstance(replies[0], Missing if found_by == "neither" else Found)


# Recognising what the ledger may have forgotten -----------------------------------------------------------------------


def test_what_the_provider_does_not_have_is_still_to_be_issued() -> None:
    """Nothing is written, and the record is given back."""
    left: list[Record] = []

    async def look(crew: Crew, records: list[Record]) -> None:
        left.extend(await crew.settler.recognise(records, crew.journal.ledger.bodies(records)))

    played = play(look, (CONTENT, MISSING), book=Book(planned("F-1", "01")))
    assert ([one.external_ref for one in left], played.book.kinds("F-1")) == (["F-1"], [])


@pytest.mark.parametrize(
    ("reply", "end", "kinds"),
    [
        (STAMPED, ("stamped", ""), ["recognised", "answered"]),
        (CONTINGENCY, ("contingency", ""), ["recognised", "answered"]),
        (issued(amount_gross=99), ("unsure", "other-content"), ["answered"]),
        (UNPROVEN, ("unsure", "no-stamp"), ["answered"]),
    ],
)
def test_what_it_has_is_this_sale_or_a_question(reply: Any, end: tuple[str, str], kinds: list[str]) -> None:
    """The same content is this sale; another content is left to a person; what proves nothing is a doubt."""
    played = play(recognise, (CONTENT, reply), book=Book(planned("F-1", "01")))
    assert (played.end, played.book.kinds("F-1")) == (end, kinds)


def test_what_is_not_answered_is_not_sent() -> None:
    """It may be there: it waits for a run in which it can be looked up."""
    played = play(recognise, *[(CONTENT, BROKEN)] * 3, book=Book(planned("F-1", "01")))
    assert played.end == ("planned", Reason.NOT_LOOKED_UP.value)


def test_a_run_that_has_ended_asks_nothing() -> None:
    """Withheld, not missing."""
    replies: list[Any] = []

    async def stopped(crew: Crew, records: list[Record]) -> None:
        from batch_issuer.model.problems import StoppedMidway  # noqa: PLC0415 - only here

        crew.courier.stop(StoppedMidway("enough"))
        replies.append(await crew.asker.find(records[0]))
        await crew.settler.settle(records)

    played = play(stopped, book=sent())
    assert (played.end, replies) == (("sending", ""), [Withheld()])
