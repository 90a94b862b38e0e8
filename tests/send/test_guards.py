"""The guards before the first documents: a canary is looked at before it counts, and each goes ahead once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from batch_issuer.model.states import State
from tests.send.nearby import running
from tests.send.shop import FREE, HURRIED, Shop

TEN = [f"S-{number}" for number in range(10)]


def shop_with(tmp_path: Path, provider: object, canary: int, expect_environment: str = "") -> Shop:
    shop = Shop(tmp_path, provider, sales=TEN, concurrency=1, patience=replace(HURRIED, stop_after=99))  # type: ignore[arg-type]
    shop.connection = replace(shop.connection, canary=canary, expect_environment=expect_environment)
    return shop


@pytest.mark.parametrize("expected", ["", "test"])
@pytest.mark.parametrize("canary", [1, 2, 3])
def test_so_many_go_ahead_and_one_that_is_refused_spares_the_rest(tmp_path: Path, canary: int, expected: str) -> None:
    """What proved whose key it is, or which environment, was looked at: it is one of them, and counted once."""
    with running(replace(FREE, rejected_refs=(f"S-{canary - 1}",))) as provider:
        shop = shop_with(tmp_path, provider, canary, expected)
        outcome = shop.issue()
        states = shop.states()
        if expected and canary == 1:
            # The one canary was sent to prove the environment, and is refused: the next document proves it, and the
            # rest goes, as what was refused was issued nowhere.
            assert states == [State.REJECTED, *[State.STAMPED] * 9]
            return
        assert "the rest was spared (--canary)" in str(outcome.stopped)
        assert states == [*[State.STAMPED] * (canary - 1), State.REJECTED, *[State.PLANNED] * (10 - canary)]


@pytest.mark.parametrize("expected", ["", "test"])
def test_what_is_refused_behind_the_canaries_spares_nobody(tmp_path: Path, expected: str) -> None:
    """With three canaries the fourth document is none, whichever guards have let the first ones go ahead."""
    with running(replace(FREE, rejected_refs=("S-3",))) as provider:
        shop = shop_with(tmp_path, provider, 3, expected)
        assert shop.issue().stopped is None
        assert shop.states().count(State.STAMPED) == 9


def test_canaries_are_proven_once_in_a_run(tmp_path: Path) -> None:
    """Credit notes come last: they are no canaries again when the first documents were."""
    with running(FREE) as provider:
        shop = shop_with(tmp_path, provider, 2)
        assert shop.issue().stopped is None
        shop.agree()
