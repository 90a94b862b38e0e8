"""The quota in virtual time: the whole budget, no 429 from a minute, the reserve, the hour, and a whole day."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from batch_issuer.model.problems import StoppedMidway
from batch_issuer.provider.limits import estimate
from batch_issuer.provider.quota import Quota, Ticket
from tests.send.simulated_quota import Latency, heavy, simulate, spread, steady
from tests.send.virtual_time import run_virtually

WINDOWS = ("fixed", "first", "sliding")
ROUNDINGS = ("ceil", "floor", "fraction")
ENDLESS = 1_000_000
MINUTE = 60.0

LATENCIES = st.one_of(
    st.floats(0.0, 4.0).map(steady),
    st.floats(0.02, 4.0).map(lambda most: spread(most / 10, most)),
    st.tuples(st.floats(0.02, 3.0), st.floats(3.0, 40.0)).map(lambda both: heavy(*both)),
)


@hypothesis_settings(max_examples=40)
@given(
    window=st.sampled_from(WINDOWS),
    rounding=st.sampled_from(ROUNDINGS),
    concurrency=st.integers(1, 64),
    latency=LATENCIES,
    limit=st.sampled_from([20, 60, 120, 300]),
    reserve=st.sampled_from([0, 0, 5]),
    offset=st.floats(0.0, 60.0),
    seed=st.integers(0, 1000),
)
def test_no_minute_ends_in_a_429(
    window: str, rounding: str, concurrency: int, latency: Latency, limit: int, reserve: int, offset: float, seed: int
) -> None:
    """Alone with its key, a run is never refused, wherever the windows begin and whatever is counted when."""
    seen = simulate(
        Quota(reserve=reserve), work=ENDLESS, concurrency=concurrency, latency=latency, offset=offset, until=200,
        seed=seed, window=window, reset_rounding=rounding, minute_limit=limit,
    )  # fmt: skip
    assert seen.refused == []
    assert seen.least_left >= reserve
    assert seen.admitted


@pytest.mark.parametrize(("window", "rounding"), list(itertools.product(WINDOWS, ROUNDINGS)))
@pytest.mark.parametrize(
    ("concurrency", "latency"),
    [(1, steady(0.05)), (8, spread(0.1, 1.5)), (32, steady(0.3)), (64, spread(0.05, 4.0)), (16, heavy(0.4, 12.0))],
    ids=["one", "eight", "thirty-two", "sixty-four", "sixteen"],
)
def test_the_whole_budget_is_used(window: str, rounding: str, concurrency: int, latency: Latency) -> None:
    """Of three windows' requests, at least 97 % are sent, while there is enough to send."""
    seen = simulate(
        Quota(), work=ENDLESS, concurrency=concurrency, latency=latency, until=3 * MINUTE + 5,
        window=window, reset_rounding=rounding,
    )  # fmt: skip
    first = seen.admitted[0]
    assert seen.admitted_before(first + 3 * MINUTE) >= 0.97 * 3 * 120
    assert seen.refused == []


@pytest.mark.parametrize(
    ("concurrency", "latency", "limit", "seed"),
    [(49, steady(1.0), 60, 0), (63, spread(0.3, 3.0), 120, 1), (64, spread(0.05, 1.0), 120, 2)],
)
def test_answers_that_overtake_each_other_do_not_mislead(
    concurrency: int, latency: Latency, limit: int, seed: int
) -> None:
    """Many at once in a sliding window, where what is left rises and falls: only what is proven is spent."""
    seen = simulate(
        Quota(), work=ENDLESS, concurrency=concurrency, latency=latency, until=240, seed=seed,
        window="sliding", reset_rounding="fraction", minute_limit=limit,
    )  # fmt: skip
    assert seen.refused == []


@pytest.mark.parametrize(("concurrency", "latency"), [(16, spread(1.0, 14.0)), (30, steady(13.0))])
def test_slow_answers_from_the_last_window_hold_nobody_back(concurrency: int, latency: Latency) -> None:
    """Where the ministry takes so long that the quota is hardly used up, windows turn in the middle of the work."""
    seen = simulate(
        Quota(), work=ENDLESS, concurrency=concurrency, latency=latency, offset=17, until=600, seed=2, window="fixed"
    )
    assert len(seen.admitted) >= 0.9 * 10 * 120


@pytest.mark.parametrize("window", WINDOWS)
def test_the_reserve_is_left_for_the_shop(window: str) -> None:
    """Another program with the same key always finds its share of every minute, to within one request of its own."""
    seen = simulate(
        Quota(reserve=30), work=ENDLESS, concurrency=16, latency=spread(0.05, 0.5), until=300,
        window=window, others_per_second=0.4,
    )  # fmt: skip
    assert seen.least_left >= 29
    assert seen.refused == []
    assert len(seen.admitted) >= 0.97 * (5 * 90 - 0.4 * 300)


@pytest.mark.parametrize("window", WINDOWS)
def test_other_programs_with_the_same_key_cost_a_refusal_now_and_then(window: str) -> None:
    """What others take cannot be foreseen; it never leads to a storm of refusals."""
    seen = simulate(
        Quota(), work=ENDLESS, concurrency=64, latency=spread(0.05, 0.5), until=300,
        window=window, others_per_second=1.0,
    )  # fmt: skip
    assert len(seen.refused) <= 10
    assert len(seen.admitted) >= 0.97 * (5 * 120 - 300)


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_a_used_up_hour_is_waited_out_exactly(concurrency: int) -> None:
    """One refusal tells how long; nobody sends before, and the first goes then."""
    seen = simulate(
        Quota(), work=250, concurrency=concurrency, latency=steady(0.05), offset=600,
        hour_limit=200, window="fixed",
    )  # fmt: skip
    assert [name for _, name in seen.refused] == ["hour"]
    refused_at = seen.refused[0][0]
    later = sorted(at for at in seen.admitted if at > refused_at)
    assert len(later) == 50
    assert later[0] == pytest.approx(refused_at + seen.waits[0], abs=0.2)
    assert later[0] == pytest.approx(3600 - 600, abs=1.2)


def test_an_hour_that_is_told_by_the_minute_is_asked_about_once_a_minute() -> None:
    """Where `Retry-After` spans the minute only, one request a minute finds out whether the hour is over."""
    seen = simulate(
        Quota(), work=250, concurrency=8, latency=steady(0.05), offset=3000,
        hour_limit=200, window="fixed", hour_retry_after="minute",
    )  # fmt: skip
    assert seen.refused_by("hour") == len(seen.refused)
    assert 7 <= len(seen.refused) <= 10
    assert len(seen.admitted) == 250


@pytest.mark.parametrize("rounding", ["floor", "fraction"])
def test_a_retry_after_that_rounds_to_nothing_makes_no_storm(rounding: str) -> None:
    """`Retry-After: 0` means less than a second; it is not asked again at once, over and over."""
    seen = simulate(
        Quota(), work=250, concurrency=8, latency=steady(0.01), hour_limit=200, window="fixed",
        reset_rounding=rounding, hour_seconds=600.0,
    )  # fmt: skip
    assert len(seen.refused) <= 2
    assert len(seen.admitted) == 250


def test_a_wait_that_is_too_long_closes_the_quota() -> None:
    """`--max-wait` lets the minutes pass and ends the run where the hour is used up."""
    quota = Quota(max_wait=120)
    seen = simulate(quota, work=500, concurrency=8, latency=steady(0.05), offset=600, hour_limit=200)
    assert len(seen.admitted) == 200
    assert isinstance(quota.closed_by, StoppedMidway)
    assert "longer than --max-wait" in str(quota.closed_by)
    assert seen.seconds < 5 * MINUTE


def test_a_reserve_that_leaves_nothing_is_said() -> None:
    """The provider's limit is known from its first answer only."""
    quota = Quota(reserve=120)
    seen = simulate(quota, work=10, concurrency=4, latency=steady(0.05))
    assert len(seen.admitted) == 1
    assert "--reserve 120 leaves nothing to send with" in str(quota.closed_by)


@pytest.mark.parametrize(("window", "work"), [("fixed", 60_000), ("first", 11_000), ("sliding", 11_000)])
def test_a_day_takes_what_was_estimated(window: str, work: int) -> None:
    """So many documents that the hour's limit decides, to within 3 % of what the plan says beforehand."""
    seen = simulate(Quota(), work=work, concurrency=2, latency=steady(0.1), window=window)
    assert len(seen.admitted) == work
    assert seen.seconds == pytest.approx(estimate(work), rel=0.03)
    assert seen.refused_by("minute") == 0


def test_estimates_of_plain_cases() -> None:
    """What fits into the windows takes no waiting; each further window is waited for."""
    assert estimate(120) == 0
    assert estimate(121) == 60
    assert estimate(5000) == 41 * 60
    assert estimate(5001) == 3600
    assert estimate(400, per_minute=100, per_hour=200) == 3600 + 60
    assert estimate(10**6, None, None) == 0


def test_a_provider_without_limits_is_not_slowed_down() -> None:
    """Where no answer speaks of a limit, everybody sends as soon as the first answer is there."""

    async def run() -> float:
        quota, loop = Quota(), asyncio.get_running_loop()
        began = loop.time()

        async def worker() -> None:
            for _ in range(100):
                ticket = await quota.wait()
                assert ticket is not None
                await asyncio.sleep(0.1)
                quota.learn(ticket, {})

        await asyncio.gather(*[worker() for _ in range(8)])
        return loop.time() - began

    assert run_virtually(run()) == pytest.approx(10.1, abs=0.01)


def test_a_gateway_that_knows_no_limits_does_not_lift_them() -> None:
    """An error page without the headers, in the moment when the minute is used up, sets nobody loose."""

    async def run() -> int:
        quota = Quota()
        first = await quota.wait()
        assert first is not None
        quota.learn(first, headers(remaining=0, reset=5))
        probe = await quota.wait()
        assert probe is not None
        quota.learn(probe, {})
        return await _as_many_as_there_are(quota)

    assert run_virtually(run()) == 1


def test_what_was_lost_on_its_way_is_counted_and_what_never_left_is_not() -> None:
    """A request that may have arrived has used up quota; one that cannot have arrived has not."""

    async def run(*, arrived: bool) -> int:
        quota = Quota()
        first = await quota.wait()
        assert first is not None
        quota.learn(first, headers(remaining=3, reset=50))
        lost = await quota.wait()
        assert lost is not None
        quota.lost(lost, arrived=arrived)
        return await _as_many_as_there_are(quota)

    assert run_virtually(run(arrived=True)) == 2
    assert run_virtually(run(arrived=False)) == 3


async def _as_many_as_there_are(quota: Quota) -> int:
    given = 0
    while (await _within(0.01, quota)) is not None:
        given += 1
    return given


def test_an_answer_that_was_overtaken_does_not_raise_what_is_left() -> None:
    """Another program took its share between two of ours, and the older answer comes later."""

    async def run() -> int:
        quota = Quota()
        first = await quota.wait()
        assert first is not None
        quota.learn(first, headers(remaining=20, reset=50))
        older, newer = await quota.wait(), await quota.wait()
        assert older is not None
        assert newer is not None
        quota.learn(newer, headers(remaining=5, reset=50))
        quota.learn(older, headers(remaining=12, reset=50))
        return await _as_many_as_there_are(quota)

    assert run_virtually(run()) == 5


def test_an_answer_that_was_overtaken_does_not_bring_the_end_forward() -> None:
    """In a sliding window the oldest request was another one when the older answer was counted."""

    async def run() -> float:
        quota, loop = Quota(), asyncio.get_running_loop()
        began = loop.time()
        first = await quota.wait()
        assert first is not None
        await asyncio.sleep(0.1)
        quota.learn(first, headers(remaining=10, reset="0.500"))
        older, newer = await quota.wait(), await quota.wait()
        assert older is not None
        assert newer is not None
        await asyncio.sleep(0.65)
        quota.learn(newer, headers(remaining=10, reset="0.600"))
        await asyncio.sleep(0.05)
        quota.learn(older, headers(remaining=9, reset="0.400"))
        assert await _as_many_as_there_are(quota) == 9
        assert await quota.wait() is not None
        return loop.time() - began

    assert run_virtually(run()) == pytest.approx(1.4, abs=0.001)


def test_an_hour_that_refuses_does_not_hide_that_the_minute_is_used_up_too() -> None:
    """`Retry-After` speaks of the hour, `X-RateLimit-Reset` of the minute: the later of the two is waited for."""

    async def run() -> float:
        quota, loop = Quota(), asyncio.get_running_loop()
        began = loop.time()
        ticket = await quota.wait()
        assert ticket is not None
        refusal = {**headers(remaining=0, reset=30), "retry-after": "5"}
        quota.learn(ticket, refusal)
        assert quota.refused(refusal) == 5
        assert await quota.wait() is not None
        return loop.time() - began

    assert run_virtually(run()) == pytest.approx(31)


@pytest.mark.parametrize("reset", ["", "soon", "-1", "nan", "inf", "3000", "1795284000"])
def test_a_reset_that_says_nothing_is_taken_for_a_minute(reset: str) -> None:
    """A header that is missing or impossible never stops a run for longer than a window lasts."""

    async def run() -> float:
        quota, loop = Quota(), asyncio.get_running_loop()
        ticket = await quota.wait()
        assert ticket is not None
        quota.learn(ticket, {"x-ratelimit-remaining-minute": "0", "x-ratelimit-reset": reset})
        began = loop.time()
        assert await quota.wait() is not None
        return loop.time() - began

    assert run_virtually(run()) == pytest.approx(61, abs=0.01)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("0", 1.0), ("soon", 60.0), ("Sat, 21 Nov 2026 18:00:00 GMT", 60.0), (None, 60.0)],
)
def test_retry_after_is_obeyed_by_everyone_at_once(retry_after: str | None, seconds: float) -> None:
    """Exactly as long as it says, a second where it rounds to nothing, a minute where it says no number of seconds."""

    async def run() -> list[float]:
        quota, loop = Quota(), asyncio.get_running_loop()
        began = loop.time()

        async def worker() -> float:
            ticket = await quota.wait()
            assert ticket is not None
            quota.learn(ticket, headers(remaining=90, reset=30))
            return loop.time() - began

        ticket = await quota.wait()
        assert ticket is not None
        refusal = {} if retry_after is None else {"retry-after": retry_after}
        quota.learn(ticket, refusal)
        assert quota.refused(refusal) == seconds
        assert quota.waiting_until is None
        return await asyncio.gather(*[worker() for _ in range(3)])

    assert run_virtually(run()) == pytest.approx([seconds] * 3)


@pytest.mark.parametrize(
    ("until", "answered", "seconds"),
    [
        ("Sat, 21 Nov 2026 18:00:00 GMT", "Sat, 21 Nov 2026 17:15:00 GMT", 2700.0),
        ("Sat, 21 Nov 2026 18:00:00 GMT", "Sat, 21 Nov 2026 18:00:00 GMT", 1.0),
        ("Sat, 21 Nov 2026 18:00:00 GMT", "Sat, 21 Nov 2026 18:30:00 GMT", 60.0),
        ("Sat, 21 Nov 2026 18:00:00 GMT", "Sat, 21 Nov 2026 17:15:00 -0000", 60.0),
        ("Sat, 21 Nov 2026 18:00:00 GMT", "now", 60.0),
    ],
)
def test_a_date_to_wait_for_is_counted_from_the_providers_clock(until: str, answered: str, seconds: float) -> None:
    """HTTP allows a date in `Retry-After`; where it is over, or nothing dates the answer, a minute is waited for."""

    async def run() -> float:
        quota = Quota()
        assert await quota.wait() is not None
        return quota.refused({"retry-after": until, "date": answered})

    assert run_virtually(run()) == seconds


def test_closing_lets_everybody_go() -> None:
    """Whoever waits for a ticket gets none, at once, and so does whoever comes later."""

    async def run() -> list[Ticket | None]:
        quota = Quota()
        first = await quota.wait()
        assert first is not None
        quota.learn(first, headers(remaining=0, reset=50))
        waiting = asyncio.gather(quota.wait(), quota.wait())
        await asyncio.sleep(1)
        quota.close()
        return [*await waiting, await quota.wait()]

    assert run_virtually(run()) == [None, None, None]


def headers(*, remaining: int, reset: int | str) -> dict[str, str]:
    return {
        "x-ratelimit-limit-minute": "120",
        "x-ratelimit-remaining-minute": str(remaining),
        "x-ratelimit-reset": str(reset),
    }


async def _within(seconds: float, quota: Quota) -> Ticket | None:
    """A ticket, if there is one so soon."""
    try:
        async with asyncio.timeout(seconds):
            return await quota.wait()
    except TimeoutError:
        return None


class Heedless(Quota):
    """Lets everybody send at once."""

    def _delay(self, now: float) -> float:
        del now
        return 0


def test_the_simulation_would_notice() -> None:
    """A client that knows nothing of the quota is refused in the simulation, so that the tests above can fail."""
    seen = simulate(Heedless(), work=200, concurrency=8, latency=steady(0.1))
    assert seen.refused_by("minute") > 0
