from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.documents import Amounts, SourceRows, State
from batch_issuer.ledger.records import Answer, Record, RunRecord
from batch_issuer.reconciliation import Reconciliation, age_bucket, as_json, reconcile

AT = "2026-11-21T06:00:00.000+00:00"


def record(reference: str, state: State, gross: str = "1.13", answered: str | None = None, **more: Any) -> Record:
    return Record(
        company="default",
        external_ref=reference,
        doc_type="01",
        state=state,
        fingerprint="f" * 64,
        expected_gross=Decimal(gross),
        source=SourceRows(file="v.csv", rows=(2,)),
        lines=1,
        answer=Answer(amounts=Amounts(gross=None if answered is None else Decimal(answered))),
        updated_at=AT,
        **more,
    )


def reconciled(*records: Record, **summary: Any) -> Reconciliation:
    run = RunRecord(
        run="r", company="default", command="issue", version="0", started_at=AT, ended_at=AT,
        summary={"rows": len(records), **summary}, ending={"stopped": ""},
    )  # fmt: skip
    return reconcile(company="default", company_name="", runs=[run], records=records, tolerance=Decimal("0.01"))


@given(st.lists(st.tuples(st.sampled_from(list(State)), st.decimals("0.01", "99999.99", places=2)), max_size=30))
def test_the_bridge_adds_up_to_the_cent(sales: list[tuple[State, Decimal]]) -> None:
    """Documents less those held back are the sum of the states, in number and in money."""
    found = reconciled(*(record(f"R{number}", state, str(gross)) for number, (state, gross) in enumerate(sales)))
    steps = {step.key: step for step in found.bridge}
    states = [step for step in found.bridge if step.sign == 1]
    assert steps["to_issue"].documents == sum(step.documents for step in states)
    assert steps["to_issue"].gross == sum((step.gross for step in states), Decimal(0))
    assert steps["documents"].documents == steps["to_issue"].documents + steps["held_back"].documents
    plain = as_json(found)
    assert sum(plain["states"].values()) == len(sales)


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        (State.STAMPED, "", 0),
        (State.CONTINGENCY, "", 0),
        (State.CANCELLED, "", 0),
        (State.CONTINGENCY, "not-found", 1),
        (State.REJECTED, "", 1),
        (State.INVALID, "", 1),
        (State.UNSURE, "lost-answer", 1),
        (State.SENDING, "", 1),
        (State.PLANNED, "", 1),
    ],
)
def test_exit_code_says_whether_a_person_is_needed(state: State, reason: str, code: int) -> None:
    """Stamped and contingency need nobody; everything else does."""
    assert reconciled(record("R", state, reason=reason)).exit_code == code


@pytest.mark.parametrize(("answered", "within", "code"), [("1.14", True, 0), ("1.15", False, 1), ("1.12", True, 0)])
def test_an_amount_beyond_tolerance_needs_a_person(answered: str, *, within: bool, code: int) -> None:
    """A cent a line is counted and shown; more than that is a difference."""
    found = reconciled(record("R", State.STAMPED, "1.13", answered))
    assert [one.within_tolerance for one in found.differences] == [within]
    assert found.exit_code == code


def test_what_was_held_back_needs_a_person() -> None:
    """A sale that was not sent because of its data is not forgotten in the verdict."""
    held: dict[str, Any] = {
        "external_ref": "H", "doc_type": "01", "file": "v.csv", "sheet": "", "rows": [3], "gross": "5.00",
        "branch": "", "date": "", "customer": "", "payment_method": "", "problems": [],
    }  # fmt: skip
    found = reconciled(record("R", State.STAMPED), held_back=[held])
    assert (found.exit_code, found.needs_person, found.total.gross) == (1, 1, Decimal("6.13"))


@pytest.mark.parametrize(
    ("since", "bucket"),
    [
        ("2026-11-21T05:30:00+00:00", "<1h"),
        ("2026-11-20T07:00:00+00:00", "<24h"),
        ("2026-11-20T06:00:00+00:00", "24-72h"),
        ("2026-11-18T06:00:00+00:00", ">72h"),
        ("2026-11-14T06:00:00+00:00", ">7d"),
        ("2026-11-21T00:00:00-06:00", "<1h"),
    ],
)
def test_contingency_is_aged_in_hours(since: str, bucket: str) -> None:
    """The limits of the law, 24 and 72 hours, begin buckets of their own, whatever the offset of the time."""
    assert age_bucket(since, AT) == bucket


def test_why_a_run_stopped_is_said_with_its_particulars() -> None:
    """The sentence that ended a run keeps what fills its places, so that reports show no empty ones."""
    run = RunRecord(
        run="r", company="default", command="issue", version="0", started_at=AT, ended_at=AT, summary={},
        ending={"stopped": "The same failure {count} times in a row: {cause}.", "stopped_with": {"count": 3, "cause": "x"}},
    )  # fmt: skip
    found = reconcile(company="default", company_name="", runs=[run], records=[], tolerance=Decimal(0))
    assert found.stopped.format(**found.stopped_with) == "The same failure 3 times in a row: x."
