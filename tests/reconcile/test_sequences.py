"""Control numbers over runs, years and points of sale, and documents that fall into another month than their sale."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.days import year_of
from batch_issuer.model.documents import SourceRows
from batch_issuer.model.records import Answer, Numbered, Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import split_control_number
from batch_issuer.reconcile.sequences import numbered, odd_numbers, other_months, series_of

SERIES = "DTE-01-M001P001"


def record(number: int | str, at: str = "2026-11-21T18:00:00.000+00:00", **more: Any) -> Record:
    control_number = f"{SERIES}-{number:015d}" if isinstance(number, int) else number
    plain = Record(
        company="default", external_ref=f"R{number}", doc_type="01", state=State.STAMPED, fingerprint="f" * 64,
        expected_gross=Decimal("1.00"), source=SourceRows(file="v.csv"), numbered_at=at, settled_at=at, updated_at=at,
        answer=Answer(control_number=control_number, reception_stamp="S"),
    )  # fmt: skip
    return replace(plain, **more)


@given(ours=st.sets(st.integers(1, 300), min_size=1), others=st.sets(st.integers(1, 300)), begun=st.booleans())
def test_what_is_missing_is_what_nobody_has(ours: set[int], others: set[int], *, begun: bool) -> None:
    """Between the number known before ours and our last one: exactly the numbers that no document has."""
    records = [record(number) for number in sorted(ours)]
    known = [numbered(record(number, external_ref=f"X{number}")) for number in others - ours]
    if begun:
        known.append(Numbered(control_number=f"{SERIES}-{0:015d}", external_ref="", at="2026-01-01T06:00:00+00:00"))
    (series,) = series_of(records, [*map(numbered, records), *known])
    everybody = ours | others | ({0} if begun else set())
    first = max((number for number in everybody if number < min(ours)), default=min(ours))
    missing = {number for low, high in series.missing for number in range(low, high + 1)}
    assert missing == {number for number in range(first, max(ours)) if number not in everybody}
    assert series.missing_numbers == len(missing)
    assert (series.first, series.last, series.documents, series.repeated) == (min(ours), max(ours), len(ours), ())


def test_a_hole_of_millions_is_one_range() -> None:
    """An odd number far away costs nothing."""
    (series,) = series_of([record(1), record(999_999_999_999_999)], [])
    assert series.missing == ((2, 999_999_999_999_998),)
    assert series.missing_numbers == 999_999_999_999_997


def test_a_number_that_came_twice_names_its_documents() -> None:
    """Also where the other document is of another run; the same document twice is no repeat."""
    other = Numbered(control_number=f"{SERIES}-{2:015d}", external_ref="B", at="2026-03-01T18:00:00+00:00")
    records = [record(1), record(2)]
    (series,) = series_of(records, [*map(numbered, records), other, *map(numbered, records)])
    assert [(one.number, one.references) for one in series.repeated] == [(2, ("B", "R2"))]


def test_numbers_begin_again_each_year() -> None:
    """The year is El Salvador's: six hours after midnight in UTC it is still the old one."""
    old = record(900, "2027-01-01T05:59:59.000+00:00")
    new = [record(1, "2027-01-01T06:00:00.000+00:00"), record(3, "2027-01-02T18:00:00.000+00:00")]
    found = series_of([old, *new], [numbered(one) for one in (old, *new)])
    assert [(one.year, one.first, one.last, one.missing) for one in found] == [
        (2026, 900, 900, ()),
        (2027, 1, 3, ((2, 2),)),
    ]
    assert [year_of(at) for at in ("2027-01-01T05:59:59+00:00", "2027-01-01T06:00:00+00:00")] == [2026, 2027]


@pytest.mark.parametrize(
    "text",
    [
        "", "DTE", "DTE-01-M001P001-1", "DTE-01-M001P001-00000000000000٣", "DTE-01-M001P001-0000000000000001",
        "dte-01-m001p001-000000000000001", "DTE-01-M001P001-000000000000001 ", "DTE-1-M001P001-000000000000001",
        "DTE-01-M001P001--00000000000001", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_control_number_is_told_and_counts_in_no_series(text: str) -> None:
    """Whatever the provider calls a number, nothing breaks and nothing is lost."""
    assert split_control_number(text) is None
    odd = replace(record(1), answer=Answer(control_number=text))
    assert odd_numbers([odd, record(2)]) == ((odd,) if text else ())
    assert [one.documents for one in series_of([odd, record(2)], [numbered(odd), numbered(record(2))])] == [1]


@pytest.mark.parametrize(
    ("sold", "issued", "stamped", "other"),
    [
        ("2026-11-30", "2026-12-01T05:30:00+00:00", "2026-12-01T05:31:00+00:00", False),
        ("2026-11-30", "2026-12-01T06:30:00+00:00", "2026-12-01T06:31:00+00:00", True),
        ("2026-11-30", "2026-12-01T05:30:00+00:00", "2026-12-01T06:01:00+00:00", True),
        ("", "2026-12-01T05:30:00+00:00", "2026-12-01T06:01:00+00:00", True),
        ("", "2026-11-15T12:00:00+00:00", "2026-11-16T12:00:00+00:00", False),
        ("2026-10-31", "2026-11-15T12:00:00+00:00", "2026-11-15T12:00:00+00:00", True),
        ("2025-11-15", "2026-11-15T12:00:00+00:00", "2026-11-15T12:00:00+00:00", True),
    ],
)
def test_months_are_those_of_el_salvador(sold: str, issued: str, stamped: str, *, other: bool) -> None:
    """Half past eleven at night is still that day, whatever the provider's clock says."""
    found = list(other_months([record(1, date=sold, numbered_at=issued, settled_at=stamped)]))
    assert bool(found) is other
    if found:
        day = dt.datetime.fromisoformat(stamped) - dt.timedelta(hours=6)
        assert (found[0].sold, found[0].stamped) == (sold, f"{day:%Y-%m-%d}")
