"""How long the program waits before it tries again: longer each time, up to a limit, and not all programs at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from batch_issuer.provider.classify import Reason
from batch_issuer.provider.client import NeverLeft, Reply, Uncertain
from batch_issuer.provider.quota import Quota
from batch_issuer.send.courier import PATIENCE, Courier, Patience
from tests.send.virtual_time import run_virtually

GROWING = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
"""The longest pauses after the first, second, … failure."""
PATIENT = Patience(asks=9, connections=9, first_connections=9)


def asked_again(**courier: Any) -> list[float]:
    """The pauses between questions that a server error answers."""
    return pauses_of(Uncertain(reason=Reason.SERVER_ERROR), Courier.until_answered, **courier)


def sent_again(**courier: Any) -> list[float]:
    """The pauses between POSTs that never left."""
    return pauses_of(NeverLeft(detail="refused"), Courier.until_taken, **courier)


def pauses_of(reply: Reply, carry: Callable[..., Any], **given: Any) -> list[float]:
    """The pauses between requests of which none ever gives what was asked for."""
    asked: list[float] = []

    async def send() -> Reply:
        asked.append(asyncio.get_running_loop().time())
        return reply

    async def run() -> None:
        courier = Courier(quota=Quota(), address="http://127.0.0.1:9", concurrency=1, patience=PATIENT, **given)
        await carry(courier, send)

    run_virtually(run())
    return [after - before for before, after in pairwise(asked)]


@pytest.mark.parametrize("again", [asked_again, sent_again])
def test_every_pause_is_longer_than_the_one_before_up_to_the_longest(again: Callable[..., list[float]]) -> None:
    """Twice as long each time: a provider in trouble is not kept in it."""
    assert again(jitter=lambda _, longest: longest) == pytest.approx(GROWING)


@pytest.mark.parametrize("again", [asked_again, sent_again])
def test_a_pause_is_anywhere_between_a_quarter_and_all_of_it(again: Callable[..., list[float]]) -> None:
    """Chance decides where, so that not all who failed together come again together."""
    assert again(jitter=lambda shortest, _: shortest) == pytest.approx([longest / 4 for longest in GROWING])
    rounds = [again() for _ in range(8)]
    for pauses in rounds:
        assert all(longest / 4 <= pause <= longest for pause, longest in zip(pauses, GROWING, strict=True))
    assert len({round(pauses[0], 6) for pauses in rounds}) > 1
    assert len({round(pauses[-1], 6) for pauses in rounds}) > 1


def test_what_a_run_has_in_patience() -> None:
    """Said once here, so that no other figure slips in: the pauses, and how often is tried."""
    assert (PATIENCE.first_pause, PATIENCE.longest_pause, PATIENCE.settling, PATIENCE.recent) == (0.5, 20.0, 2.0, 120.0)
    assert (PATIENCE.connections, PATIENCE.first_connections, PATIENCE.asks, PATIENCE.posts) == (6, 3, 5, 3)
    assert (PATIENCE.stop_after, PATIENCE.budget_share, PATIENCE.budget_least) == (20, 0.2, 60)
