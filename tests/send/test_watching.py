"""Asking until everything is settled: pauses that grow, an end that is said, and nothing issued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from batch_issuer.ledger.lock import Occupied
from batch_issuer.model.problems import Interrupted, Stop, StoppedMidway, Unreachable
from batch_issuer.model.records import RunRecord
from batch_issuer.model.states import State
from batch_issuer.sandbox import running
from batch_issuer.send.courier import Progress
from batch_issuer.send.run import Outcome
from batch_issuer.send.watch import Pauses, still_open, watch
from tests.send.archive import COMPANY, Archive
from tests.send.shop import FREE

PAUSES = Pauses(first=5, factor=2, longest=30)


class Hours:
    """A clock that moves while somebody rests."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rests: list[float] = []

    def __call__(self) -> float:
        return self.now

    def rest(self, seconds: float, _left: int) -> None:
        self.rests.append(seconds)
        self.now += seconds


def outcome(stopped: Stop | None = None, asks: int = 0) -> Outcome:
    run = RunRecord(run="first", company="default", command="refresh", version="0", started_at="")
    return Outcome(run=run, progress=Progress(asks=asks), seconds=1.0, stopped=stopped)


def watched(
    *open_after: int, rounds: Callable[[int], Outcome] = lambda _: outcome(asks=1), longest: float = 1e9
) -> tuple[Outcome, list[float]]:
    """Watch a world in which so many documents are open after each round."""
    hours, looks = Hours(), list[int]()

    def look() -> Outcome:
        looks.append(len(looks))
        return rounds(len(looks))

    found = watch(
        look=look,
        count_open=lambda: open_after[min(len(looks), len(open_after)) - 1],
        rest=hours.rest,
        longest=longest,
        pauses=PAUSES,
        clock=hours,
    )
    return found, hours.rests


def test_it_ends_when_nothing_is_open() -> None:
    """At once where the first round settled everything."""
    assert watched(0)[1] == []
    found, rests = watched(3, 2, 2, 1, 0)
    assert (found.stopped, found.progress.asks, found.seconds) == (None, 5, 5.0)
    assert rests == [5, 10, 20, 30]


def test_its_time_is_bounded_and_the_last_round_comes_at_the_end() -> None:
    """It stops with what is not settled, and says how to go on."""
    found, rests = watched(2, longest=12)
    assert rests == [5, 7]
    assert isinstance(found.stopped, StoppedMidway)
    assert "2 are not settled yet" in str(found.stopped)
    assert watched(2, longest=0)[1] == []


def test_an_interruption_ends_it_with_what_is_known() -> None:
    """Between two rounds nothing is on its way."""

    def interrupted(_seconds: float, _left: int) -> None:
        raise KeyboardInterrupt

    found = watch(look=lambda: outcome(asks=4), count_open=lambda: 1, rest=interrupted)
    assert isinstance(found.stopped, Interrupted)
    assert (found.stopped.exit_code, found.progress.asks) == (130, 4)


@pytest.mark.parametrize("trouble", [Unreachable("Nothing answers"), Occupied("held")])
def test_trouble_that_passes_costs_a_round(trouble: Stop) -> None:
    """An outage, or another run at work on the ledger; but not in the first round, where it is said at once."""

    def rounds(number: int) -> Outcome:
        if number != 2:
            return outcome(asks=1)
        if isinstance(trouble, Occupied):
            raise trouble
        return outcome(trouble)

    found, rests = watched(1, 1, 0, rounds=rounds)
    assert (found.stopped, len(rests)) == (None, 2)
    assert watched(1, rounds=lambda _: outcome(Unreachable("Nothing answers")))[0].stopped is not None


def test_a_refused_key_ends_it() -> None:
    """Nothing that is asked with it will ever be answered."""
    found, rests = watched(1, 1, rounds=lambda number: outcome(StoppedMidway("refused") if number == 2 else None))
    assert (str(found.stopped), len(rests)) == ("refused", 1)


def test_a_late_rejection_is_told_and_remembered(tmp_path: Path) -> None:
    """What waits is asked about until the ministry has answered; who was rejected is named, and nothing was sent."""
    options = replace(FREE, contingency_refs=("W-*",), resolve_after_queries=2, resolve_rejected_refs=("W-2",))
    with running(options) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("W-1", "01"), ("W-2", "01"), ("S-1", "01"))
        posts = provider.requests().posts()
        found = watch(
            look=archive.refresh,
            count_open=lambda: still_open(archive.ledger, COMPANY.code),
            rest=Hours().rest,
            pauses=PAUSES,
        )
        assert found.progress.late_rejections == ["W-2"]
        assert {ref: record.state for ref, record in archive.records().items()} == {
            "W-1": State.STAMPED,
            "W-2": State.REJECTED,
            "S-1": State.STAMPED,
        }
        assert archive.record("W-2").reason == "after-contingency"
        assert provider.requests().posts() == posts
