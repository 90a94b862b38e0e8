from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.sandbox import SandboxOptions, changed
from batch_issuer.sandbox.quota import Quota
from tests.sandbox.conftest import Clock, Open, Till


def headers(answer: httpx.Response) -> list[str]:
    names = ("Limit-Minute", "Remaining-Minute", "Limit-Hour", "Remaining-Hour", "Reset")
    return [answer.headers.get(f"X-RateLimit-{name}", "") for name in names]


def test_every_answer_tells_the_quota(till: Till, clock: Clock) -> None:
    """Stamped, refused, unknown and unauthorised answers carry the five headers; the last uses up nothing."""
    clock.move(18)
    assert headers(till.post("A")) == ["120", "119", "5000", "4999", "42"]
    assert headers(till.post("B", 0)) == ["120", "118", "5000", "4998", "42"]
    assert headers(till.get("status", "nobody")) == ["120", "117", "5000", "4997", "42"]
    assert headers(till.http.get("/status/A", headers={"Authorization": "none"})) == [
        "120",
        "120",
        "5000",
        "5000",
        "42",
    ]


def test_the_121st_request_of_a_minute_is_refused_and_registers_nothing(till: Till, clock: Clock) -> None:
    """The documented 429, word for word; waiting exactly Retry-After helps."""
    clock.move(50.5)
    assert {till.get("status", "A").status_code for _ in range(120)} == {404}
    refused = till.post("A")
    assert (refused.status_code, refused.json()) == (429, {"detail": "Limite de 120 requests por minuto excedido"})
    assert refused.headers["Retry-After"] == refused.headers["X-RateLimit-Reset"] == "10"
    assert till.sandbox.documents() == ()
    clock.move(float(refused.headers["Retry-After"]))
    assert till.post("A").status_code == 200
    assert till.sandbox.requests().refused_by_window == {"minute": 1}


@pytest.mark.parametrize(("spans", "retry_after"), [("hour", "3590"), ("minute", "50")])
def test_the_hour_is_a_window_of_its_own(open_till: Open, clock: Clock, spans: str, retry_after: str) -> None:
    """Its 429 names the hour; Retry-After spans the hour or the minute, as ordered."""
    till = open_till(hour_limit=2, hour_retry_after=spans)
    clock.move(10)
    till.issue("A")
    till.issue("B")
    refused = till.post("C")
    assert refused.json() == {"detail": "Limite de 2 requests por hora excedido"}
    assert refused.headers["Retry-After"] == retry_after


def test_without_limits_there_are_no_headers(open_till: Open) -> None:
    """None of a window is none of its headers."""
    assert headers(open_till(minute_limit=None).post("A")) == ["", "", "5000", "4999", ""]
    assert headers(open_till(minute_limit=None, hour_limit=None).post("A")) == [""] * 5


@pytest.mark.parametrize(("rounding", "reset"), [("ceil", "58"), ("floor", "57"), ("fraction", "57.500")])
def test_reset_is_rounded_as_ordered(open_till: Open, clock: Clock, rounding: str, reset: str) -> None:
    """Up, down, or not at all."""
    clock.move(2.5)
    assert open_till(reset_rounding=rounding).post("A").headers["X-RateLimit-Reset"] == reset


def test_other_programs_use_the_same_quota(open_till: Open, clock: Clock) -> None:
    """Two requests a second of others leave 119 − 20 after ten seconds."""
    till = open_till(others_per_second=2)
    clock.move(10)
    assert headers(till.post("A"))[1] == "99"


def test_keys_have_quotas_of_their_own(open_till: Open) -> None:
    """One company's flood leaves the other alone."""
    till = open_till(minute_limit=1)
    till.issue("A")
    assert till.post("B").status_code == 429
    other = {"Authorization": "Bearer odt_" + "a" * 56}
    assert till.http.get("/status/A", headers=other).status_code == 404


@given(
    kind=st.sampled_from(["fixed", "first", "sliding"]),
    limit=st.integers(1, 5),
    refused_count=st.booleans(),
    gaps=st.lists(st.floats(0, 15), max_size=60),
)
def test_no_window_lets_more_through_than_its_limit(
    kind: str, limit: int, refused_count: bool, gaps: list[float]
) -> None:
    """Sliding: within any ten seconds. Otherwise: one more than two windows' worth takes at least a window."""
    options = changed(
        SandboxOptions(minute_limit=limit, hour_limit=None, minute_seconds=10, refused_count=refused_count),
        {"window": kind},
    )
    quota, now, admitted = Quota(options), 1000.0, []
    for gap in gaps:
        now += gap
        if not quota.take(now).refused:
            admitted.append(now)
    if kind == "sliding":
        assert all(sum(moment - 10 < at <= moment for at in admitted) <= limit for moment in admitted)
    else:
        assert all(later - earlier > 9.999 for earlier, later in zip(admitted, admitted[2 * limit :], strict=False))


@given(st.sampled_from(["fixed", "first", "sliding"]), st.floats(0, 59.9))
def test_waiting_exactly_retry_after_is_always_enough(kind: str, offset: float) -> None:
    """Rounded up, Retry-After ends where there is room again."""
    options = changed(SandboxOptions(minute_limit=1, hour_limit=None), {"window": kind})
    quota, now = Quota(options), 6000.0 + offset
    quota.take(now)
    refused = dict(quota.take(now).headers)
    assert not quota.take(now + float(refused["Retry-After"])).refused
