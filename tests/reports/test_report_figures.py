from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.states import State
from batch_issuer.reconcile import split_control_number
from batch_issuer.reports import figures
from batch_issuer.reports.page.pictures import WIDTH, hours, state_bar
from tests.reports import invented

MONEY = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0.00", "$0.00"), ("1234.5", "$1,234.50"), ("-0.01", "−$0.01"), ("1000000", "$1,000,000.00")],
)
def test_money_is_written_as_in_el_salvador(amount: str, shown: str) -> None:
    """Dollars, comma between thousands, point before cents, a minus sign before all."""
    assert figures.money(Decimal(amount)) == shown


@given(MONEY)
def test_money_says_every_cent(amount: Decimal) -> None:
    """What is shown can be read back to the cent."""
    plain = figures.money(amount).replace("$", "").replace(",", "").replace("−", "-")
    assert Decimal(plain) == amount


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_share_says_nothing_and_all_only_when_it_is(part: int, more: int) -> None:
    """One of a million is not 0 %, and all but one are not 100 %."""
    whole = part + more
    assert (figures.share(part, whole) == "0 %") is (part == 0)
    assert figures.share(part, whole) != "100 %"
    assert figures.share(whole, whole) == "100 %"


@given(st.sets(st.integers(1, 60), min_size=1))
def test_span_names_every_row_once(rows: set[int]) -> None:
    """Runs are drawn together, and nothing is added or lost."""
    named: list[int] = []
    for part in figures.span(sorted(rows)).split(", "):
        first, _, last = part.partition("–")
        named += range(int(first), int(last or first) + 1)
    assert named == sorted(rows)


@pytest.mark.parametrize(
    ("utc", "shown"),
    [
        ("2026-11-20T14:03:11.250+00:00", "20/11/2026 08:03"),
        ("2026-12-01T05:59:59+00:00", "30/11/2026 23:59"),
        ("", ""),
    ],
)
def test_moments_are_those_of_el_salvador(utc: str, shown: str) -> None:
    """Six hours before UTC, the whole year."""
    assert figures.moment(utc) == shown


@pytest.mark.parametrize(
    ("iso", "shown"), [("2026-11-20", "20/11/2026"), ("", ""), ("ayer", "ayer"), ("a-b-c", "a-b-c")]
)
def test_days_are_day_first(iso: str, shown: str) -> None:
    """What is no date stays as it is."""
    assert figures.day(iso) == shown


@pytest.mark.parametrize(
    ("hours_passed", "shown"),
    [(0, "0 min"), (0.5, "30 min"), (1, "1 h"), (71.9, "71 h"), (72, "3 d 0 h"), (200, "8 d 8 h")],
)
def test_ages_are_told_in_what_suits_them(hours_passed: float, shown: str) -> None:
    """Minutes, hours, or days and hours."""
    assert figures.age(invented.moment(0), invented.moment(hours_passed * 3600)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DUI 01234567-8", "DUI ••••••678"),
        ("0614-101090-101-2", "•••••••••••012"),
        ("06141010901012", "•••••••••••012"),
        ("nadia.ejemplo@example.com", "na•••@example.com"),
        ("tel. 7123-4567, oficina 5", "tel. •••••567, oficina 5"),
        ("fila 12, $1,234.56, 20/11/2026", "fila 12, $1,234.56, 20/11/2026"),
    ],
)
def test_masking_hides_who_and_leaves_what(text: str, shown: str) -> None:
    """Identity numbers, telephones and addresses are hidden; rows, amounts and dates are not."""
    assert figures.masked_words(text) == shown


def test_shared_words_leave_open_what_differs() -> None:
    """Beginning and end that several sentences have in common, with what lies between left open."""
    assert figures.shared_words(["The value «a» is wrong.", "The value «b c» is wrong."]) == "The value … is wrong."
    assert figures.shared_words(["One."]) == "One."
    assert figures.shared_words([]) == ""
    assert figures.shared_words(["a b", "a b b"]) == "a b …"


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4).map(" ".join), min_size=1, max_size=4))
def test_shared_words_never_say_what_a_sentence_does_not(sentences: list[str]) -> None:
    """Head and tail of the shared words stand in every sentence, without overlapping."""
    head, _, tail = figures.shared_words(sentences).partition("…")
    for sentence in sentences:
        assert sentence.startswith(head.strip())
        assert sentence.endswith(tail.strip())
        assert len(head.split()) + len(tail.split()) <= len(sentence.split())


def test_fingerprint_changes_with_any_stamp_and_amount() -> None:
    """Two reports with the same fingerprint say the same of every document."""
    day, other = invented.a_quiet_day(5), invented.a_quiet_day(6)
    assert figures.fingerprint(day) == figures.fingerprint(invented.a_quiet_day(5))
    assert figures.fingerprint(day) != figures.fingerprint(other)


def test_segments_of_the_bar_fill_it() -> None:
    """Every state that has a document can be seen, and together they are as wide as the bar."""
    segments = state_bar(invented.a_day())
    assert sum(segment.width for segment in segments) == WIDTH
    assert all(segment.width > 0 for segment in segments)
    assert [segment.x for segment in segments] == [
        sum(one.width for one in segments[:at]) for at in range(len(segments))
    ]


@given(st.lists(st.floats(0, 10**7), max_size=30).map(lambda seconds: [0.0, *seconds, 10.0]))
def test_chart_over_time_counts_every_document_once(seconds: list[float]) -> None:
    """Whatever the span of time, no column is lost and there are few enough to be seen."""
    chart = hours([(invented.moment(one), State.STAMPED) for one in seconds])
    assert chart is not None
    assert sum(column.number for column in chart.columns) == len(seconds)
    assert max(sum(block.height for block in column.blocks) for column in chart.columns) == pytest.approx(100)
    assert len(chart.columns) <= 50
    assert chart.columns[0].begins.utcoffset() == dt.timedelta(hours=-6)
    assert len(chart.columns) * chart.step >= dt.timedelta(seconds=max(seconds))


def test_a_moment_is_no_chart() -> None:
    """Where all is settled at once there is nothing to draw."""
    assert hours([]) is None
    assert hours([(invented.moment(0.0), State.STAMPED)] * 5) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("DTE-01-M001P001-000000000000123", ("DTE-01-M001P001", 123)),
        ("DTE-01-M001P001-123", None),
        ("", None),
        ("DTE-01-M001P001-00000000000012३", None),
    ],
)
def test_control_numbers_are_split_only_when_they_are_such(text: str, parts: tuple[str, int] | None) -> None:
    """Series and number of the ministry's form; anything else is left whole."""
    assert split_control_number(text) == parts
