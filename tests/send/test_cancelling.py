"""Cancelling is a fiscal act: asked for once, believed only when proven, and found out about after every doubt."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from batch_issuer.model.problems import CannotStart, StoppedMidway
from batch_issuer.model.records import CancelStep, Kind, NewEvent
from batch_issuer.model.states import State
from batch_issuer.sandbox import Running, SandboxOptions, changed, running
from tests.send.archive import ONE_OF_EACH, Archive
from tests.send.shop import FREE

OPEN = replace(FREE, ministry_checks=False)
DAYS = 86_400.0
CANCELLING = NewEvent(kind=Kind.CANCELLING, external_ref="F-1", body={})


class Clock:
    """The provider's clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def post(url: str, key: str) -> None:
    """What a run that was killed had sent."""
    httpx.post(url, headers={"Authorization": f"Bearer {key}"}).raise_for_status()


def asked(provider: Running) -> int:
    """Invalidations that were asked for, taken or not."""
    requests = provider.requests()
    return requests.count("invalidate") + requests.count("invalidate-suex")


def test_every_type_is_cancelled_by_its_own_route(tmp_path: Path) -> None:
    """Directly, with the ministry's stamp on it; a second time nothing is sent at all."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(*ONE_OF_EACH)
        references = [reference for reference, _ in ONE_OF_EACH]
        archive.cancel(*references)
        archive.agree(references)
        for reference in references:
            cancellation = archive.record(reference).cancellation
            assert cancellation is not None
            assert cancellation.stamp == archive.there(reference).cancellation_stamp != ""
        archive.cancel(*references)
        assert asked(provider) == len(references)
        assert provider.requests().count("invalidate-suex") == 1


def test_a_document_is_named_by_any_of_its_identifiers_once(tmp_path: Path) -> None:
    """Reference, UUID and control number of one document are one cancellation; an unknown name sends nothing."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"), ("F-2", "01"))
        one = archive.there("F-1")
        with pytest.raises(CannotStart, match="does not know: «F-3»"):
            archive.cancel("F-1", "F-3")
        assert asked(provider) == 0
        archive.cancel("F-1", one.document_id, one.control_number, one.generation_code)
        archive.agree(["F-1"])
        assert asked(provider) == 1
        assert archive.record("F-2").state is State.STAMPED


@pytest.mark.parametrize("keys", ["flat", "nested", "in-place"])
@pytest.mark.parametrize("shape", ["flags", "marked", "bare"])
def test_a_late_ccf_gets_the_providers_credit_note(tmp_path: Path, shape: str, keys: str) -> None:
    """Its ids are kept, wherever the answer names them and however little else it says."""
    clock = Clock()
    with running(changed(OPEN, {"memo_keys": keys, "cancel_answer": shape}), clock=clock) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("C-1", "03"))
        clock.ahead = 3 * DAYS
        archive.cancel("C-1")
        archive.agree(["C-1"])
        cancellation = archive.record("C-1").cancellation
        assert cancellation is not None
        assert cancellation.memo is not None
        note = next(one for one in provider.documents() if one.doc_type == "05")
        assert (cancellation.memo.document_id, cancellation.memo.control_number) == (
            note.document_id,
            note.control_number,
        )


ON_THE_WAY = (
    "reset-before:route=invalidate,count=1",
    "reset-after:route=invalidate,count=1",
    "error-before:route=invalidate,count=1",
    "error-after:route=invalidate,count=1",
    "truncate:route=invalidate,count=1",
    "html-before:route=invalidate,count=1",
    "html-after:route=invalidate,count=1",
    "429:route=invalidate,count=2,seconds=0.01",
    "error-after:route=invalidate,count=1,status=409",
    "stranger:route=invalidate,count=1",
)


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        *(("flags", fault) for fault in ON_THE_WAY),
        *((shape, fault) for shape in ("marked", "own-stamp", "bare") for fault in ("", ON_THE_WAY[1])),
    ],
)
def test_a_lost_answer_is_asked_about_before_it_is_asked_for_again(tmp_path: Path, shape: str, fault: str) -> None:
    """Whatever is lost on the way: cancelled once, never asked for again where it arrived, and known in the end."""
    options = changed(OPEN, {"cancel_answer": shape, "cancel_repeat": "error409"})
    with running(options, faults=[fault] if fault else []) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        archive.cancel("F-1")
        archive.agree(["F-1"])


@pytest.mark.parametrize("lost", [False, True])
def test_a_vague_provider_is_believed_when_request_and_status_agree(tmp_path: Path, lost: bool) -> None:
    """It repeats the document's own stamp and marks nothing: one answer proves nothing, two of different kinds do."""
    options = replace(OPEN, cancel_answer="own-stamp", cancelled_marker="none")
    with running(options, faults=["reset-after:route=invalidate,count=1"] if lost else []) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        archive.cancel("F-1")
        if lost:
            assert (archive.record("F-1").state, archive.step("F-1")) == (State.STAMPED, CancelStep.REQUESTED)
            archive.cancel("F-1")
        assert archive.record("F-1").state is State.CANCELLED


def test_a_provider_that_gives_no_stamp_is_believed_when_request_and_status_agree(tmp_path: Path) -> None:
    """Both say that the ministry took it; one alone proves nothing."""
    options = replace(OPEN, cancelled_marker="none")
    with running(options, faults=["no-stamp:route=invalidate", "no-stamp:route=invalidate-status"]) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        archive.cancel("F-1")
        assert archive.record("F-1").state is State.CANCELLED
        assert asked(provider) == 1


@pytest.mark.parametrize("arrived", [False, True])
def test_a_run_that_was_killed_is_taken_up_by_asking(tmp_path: Path, arrived: bool) -> None:
    """An intent without an answer: the next run asks, and asks for it again only if the provider has none."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        archive.write(CANCELLING)
        if arrived:
            post(f"{provider.base_url}/invalidate/F-1", provider.key)
        before = asked(provider)
        archive.cancel("F-1")
        assert asked(provider) - before == (0 if arrived else 1)
        archive.agree(["F-1"])


def test_what_the_ministry_refuses_stays_stamped_with_its_words(tmp_path: Path) -> None:
    """An 01 after its window: the answer decides, not our clock, and it is kept."""
    clock = Clock()
    with running(replace(OPEN, invoice_days=1), clock=clock) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        clock.ahead = 9 * DAYS
        archive.cancel("F-1")
        record = archive.record("F-1")
        assert (record.state, archive.step("F-1")) == (State.STAMPED, CancelStep.REFUSED)
        assert record.cancellation is not None
        assert record.cancellation.words == "Plazo de invalidación vencido"
        provider.change(invoice_days=90)
        archive.cancel("F-1")
        archive.agree(["F-1"])


@pytest.mark.parametrize("way", ["error409", "error400"])
def test_a_document_without_stamp_may_be_refused(tmp_path: Path, way: str) -> None:
    """It stays in contingency, and the provider's words are kept."""
    with running(changed(OPEN, {"contingency": True, "unstamped_invalidation": way})) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        archive.cancel("F-1")
        record = archive.record("F-1")
        assert (record.state, archive.step("F-1")) == (State.CONTINGENCY, CancelStep.REFUSED)
        assert record.cancellation is not None
        assert record.cancellation.words == "El documento no tiene sello de recepción"


def test_a_cancellation_that_awaits_the_ministry_is_no_cancellation_yet(tmp_path: Path) -> None:
    """Taken by the provider while the ministry is silent: `refresh` learns how it ended, and asks for nothing."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        provider.change(contingency=True)
        archive.cancel("F-1")
        assert (archive.record("F-1").state, archive.step("F-1")) == (State.STAMPED, CancelStep.PENDING)
        archive.refresh()
        assert archive.step("F-1") is CancelStep.PENDING
        provider.change(contingency=False)
        archive.refresh()
        archive.agree(["F-1"])
        assert asked(provider) == 1


def test_documents_that_cannot_be_cancelled_are_held_back(tmp_path: Path) -> None:
    """Rejected, unsure and never sent: nothing is asked for, whatever else is in the list."""
    with running(replace(OPEN, rejected_refs=("R-*",))) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("R-1", "01"), ("F-1", "01"))
        archive.cancel("R-1", "F-1")
        archive.agree(["F-1"])
        assert archive.record("R-1").state is State.REJECTED
        assert asked(provider) == 1


def test_a_ccf_with_a_living_credit_note_waits_for_it(tmp_path: Path) -> None:
    """Alone it is held back; together the note goes first; if that is refused, the CCF is not asked for."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("C-1", "03"))
        archive.issue(("N-1", "05"), document_id="C-1")
        archive.cancel("C-1")
        assert asked(provider) == 0
        provider.order("error-before:route=invalidate,ref=*,count=1,status=400")
        archive.cancel("C-1", "N-1")
        assert (asked(provider), archive.step("N-1"), archive.step("C-1")) == (1, CancelStep.REFUSED, None)
        archive.cancel("C-1", "N-1")
        archive.agree(["N-1", "C-1"])


@pytest.mark.parametrize("marker", ["invalidated", "dte_state", "none"])
@pytest.mark.parametrize("late", [False, True])
def test_a_ccf_that_a_full_credit_note_invalidated_becomes_known(tmp_path: Path, marker: str, late: bool) -> None:
    """Its own status, or that of its invalidation, says so; until then the ledger does not, and nothing is asked for."""
    options = changed(OPEN, {"cancelled_marker": marker, "contingency_refs": "N-1" if late else ""})
    with running(options) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("C-1", "03"))
        archive.issue(("N-1", "05"), document_id="C-1", lines=None, full_adjustment=True)
        if late:
            assert archive.record("C-1").state is State.STAMPED
            provider.resolve()
            archive.refresh()
        assert archive.record("N-1").state is State.STAMPED
        assert archive.there("C-1").standing.value == "cancelled"
        assert archive.record("C-1").state is State.CANCELLED
        assert asked(provider) == 0


def test_a_credit_note_waits_while_its_ccf_may_be_cancelled(tmp_path: Path) -> None:
    """What is in doubt is settled first; then the note is told that there is nothing left to adjust."""
    with running(OPEN, faults=["error-after:route=invalidate", "error-before:route=invalidate-status"]) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("C-1", "03"))
        archive.cancel("C-1")
        archive.issue(("N-1", "05"), document_id="C-1")
        assert (archive.record("N-1").state, archive.record("N-1").reason) == (State.PLANNED, "ccf-cancelling")
        provider.clear_faults()
        archive.refresh()
        archive.agree(["C-1"])
        archive.issue()
        assert (archive.record("N-1").state, archive.record("N-1").reason) == (State.PLANNED, "ccf-cancelled")


def test_a_partial_credit_note_leaves_its_ccf_alone(tmp_path: Path) -> None:
    """It is not even asked about."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("C-1", "03"))
        archive.issue(("N-1", "05"), document_id="C-1")
        assert archive.record("C-1").state is State.STAMPED
        assert provider.requests().count("invalidate-status") == 0


def test_a_refused_key_stops_the_run_and_leaves_no_doubt(tmp_path: Path) -> None:
    """Nothing was asked for, and nothing is said of a cancellation."""
    with running(OPEN, faults=["error-before:route=invalidate,status=401"]) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"), ("F-2", "01"))
        outcome = archive.cancel("F-1", "F-2")
        assert isinstance(outcome.stopped, StoppedMidway)
        assert (archive.step("F-1"), archive.step("F-2")) == (None, None)


def test_a_full_quota_stops_the_run_and_leaves_no_doubt(tmp_path: Path) -> None:
    """What did not leave is as if it had never been meant."""
    with running(SandboxOptions(minute_limit=2, ministry_checks=False)) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"), ("F-2", "01"))
        archive.connection = replace(archive.connection, max_wait=0.05)
        outcome = archive.cancel("F-1")
        assert isinstance(outcome.stopped, StoppedMidway)
        assert (archive.record("F-1").state, archive.step("F-1")) == (State.STAMPED, None)
        assert archive.there("F-1").standing.value == "stamped"


@pytest.mark.parametrize("route", ["invalidate", "invalidate-status"])
def test_a_provider_that_never_answers_leaves_a_doubt(tmp_path: Path, route: str) -> None:
    """Not cancelled, not uncancelled: the next run asks first."""
    faults = ["error-after:route=invalidate"] + ([f"error-before:route={route}"] if route != "invalidate" else [])
    with running(OPEN, faults=faults) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        archive.cancel("F-1")
        if route == "invalidate-status":
            assert (archive.record("F-1").state, archive.step("F-1")) == (State.STAMPED, CancelStep.REQUESTED)
            provider.clear_faults()
            archive.cancel("F-1")
        archive.agree(["F-1"])
        assert asked(provider) == 1


def test_a_day_that_is_told_to_the_provider_does_not_count(tmp_path: Path) -> None:
    """Our own clock forbids nothing: a list of last year is asked for all the same."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"), ("C-1", "03"))
        archive.today = dt.date(2031, 1, 1)
        archive.cancel("F-1", "C-1")
        archive.agree(["F-1", "C-1"])
