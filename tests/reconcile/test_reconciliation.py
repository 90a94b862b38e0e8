from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.documents import Amounts, SourceRows
from batch_issuer.model.records import (
    Answer,
    Cancellation,
    CancelStep,
    CreditMemo,
    Record,
    RunRecord,
    Wait,
)
from batch_issuer.model.states import State
from batch_issuer.reconcile import Cause, Reconciliation, Step, Tally, age_bucket, as_json, reconcile, report_json
from batch_issuer.reconcile.contingency import contingency_bridge

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
        summary={"rows": len(records), "sources": [], **summary}, ending={"stopped": ""},
    )  # fmt: skip
    return reconcile(company="default", company_name="", runs=[run], records=records, tolerance=Decimal("0.01"))


AMOUNTS = st.decimals("0.01", "99999.99", places=2)
NAMES = st.sampled_from(["", "Centro", "Puerto"])
SALES = st.fixed_dictionaries(
    {
        "doc_type": st.sampled_from(["01", "03", "05", "11", "14"]),
        "state": st.sampled_from(list(State)),
        "ours": AMOUNTS,
        "files": st.none() | AMOUNTS,
        "answered": st.none() | AMOUNTS,
        "withheld": st.none() | AMOUNTS,
        "branch": NAMES,
        "date": st.sampled_from(["", "2026-11-20", "2026-11-21"]),
    }
)


def sold(number: int, sale: dict[str, Any]) -> Record:
    amounts = Amounts(gross=sale["answered"], retention=sale["withheld"])
    return replace(
        record(f"R{number}", sale["state"], str(sale["ours"])),
        doc_type=sale["doc_type"], branch=sale["branch"], date=sale["date"], payment_method=sale["branch"],
        answer=Answer(amounts=amounts),
    )  # fmt: skip


def follow(bridge: Sequence[Step]) -> None:
    """Each result is the one before less its steps, and the last is the sum of the states: documents and money."""
    left: Step | None = None
    for step in bridge:
        if step.sign == 0:
            assert left is None or (left.documents, left.gross) == (step.documents, step.gross), step.key
            left = step
        elif left is not None:
            by = -1
            left = replace(left, documents=left.documents + by * step.documents, gross=left.gross + by * step.gross)
    assert left is not None
    assert (left.documents, left.gross) == (0, Decimal(0))


@given(
    sales=st.lists(SALES, max_size=20),
    held=st.lists(AMOUNTS, max_size=4),
    lost=st.lists(AMOUNTS, max_size=4),
    left_out=st.lists(AMOUNTS, max_size=4),
)
def test_every_bridge_adds_up_to_the_cent(
    sales: list[dict[str, Any]], held: list[Decimal], lost: list[Decimal], left_out: list[Decimal]
) -> None:
    """From the files' documents to the states, over what was held back, left out, lost or changed; in every grouping."""
    records = [sold(number, sale) for number, sale in enumerate(sales)]
    says = [sale["ours"] if sale["files"] is None else sale["files"] for sale in sales]
    found = reconciled(
        *records,
        held_back=[held_back(f"H{at}", gross) for at, gross in enumerate(held)],
        refs=[one.external_ref for one in records] + [f"L{at}" for at in range(len(lost))],
        amounts=[str(gross) for gross in (*says, *lost)],
        left_out={"documents": len(left_out), "gross": str(sum(left_out, Decimal(0)))},
    )
    follow(found.bridge)
    steps = {step.key: step for step in found.bridge}
    everything = [*says, *held, *lost, *left_out]
    assert (steps["documents"].documents, steps["documents"].gross) == (len(everything), sum(everything, Decimal(0)))
    assert steps["sent"].documents == sum(1 for one in records if one.state is not State.PLANNED)
    for groups in (found.by_type, found.by_branch, found.by_day, found.by_payment):
        assert sum((group.total.gross for group in groups), Decimal(0)) == steps["to_issue"].gross
        assert sum((group.sales.gross for group in groups), Decimal(0)) == found.sales.gross
        assert sum((group.held_gross for group in groups), Decimal(0)) == sum(held, Decimal(0))
        for group in groups:
            assert sum((one.gross for one in group.by_state.values()), Decimal(0)) == group.total.gross
        for state in State:
            parts = [group.by_state[state] for group in groups if state in group.by_state]
            assert sum((one.gross for one in parts), Decimal(0)) == found.states[state].gross
            assert sum(one.documents for one in parts) == found.states[state].documents == len(found.in_state(state))
    withheld = sum((sale["withheld"] or Decimal(0) for sale in sales), Decimal(0))
    assert found.total.retention + found.total.income_tax == withheld
    plain = as_json(found)
    assert sum(plain["states"].values()) == len(sales)


def test_credit_notes_take_away_from_sales_and_purchases_are_none() -> None:
    """A control total counts every document as it is; sales are less by credit notes and know no purchases."""
    kinds = [("01", "10.00"), ("03", "20.00"), ("11", "5.00"), ("05", "3.00"), ("14", "7.00")]
    records = [replace(record(kind, State.STAMPED, gross), doc_type=kind) for kind, gross in kinds]
    found = reconciled(*records, replace(record("R", State.REJECTED, "99.00"), doc_type="01"))
    assert (found.total.gross, found.sales.gross) == (Decimal("144.00"), Decimal("32.00"))
    assert found.sales.vat == Decimal("1.15") + Decimal("2.30") - Decimal("0.35")


def test_a_ccf_that_a_credit_note_undid_is_a_sale_and_no_difference() -> None:
    """The note takes it away; counted as cancelled it would be taken away twice. One that we cancelled is no sale."""
    memo = CreditMemo(control_number="DTE-05-M001P001-000000000000002")
    run = {
        "sources": [{"file": "v.csv", "sheet": "", "sha256": "", "rows": 1, "documents": 1}],
        "refs": ["C", "N", "D"],
    }
    by_note = replace(
        record("C", State.CANCELLED, "20.00"), doc_type="03", cancellation=Cancellation(step=CancelStep.DONE, memo=memo)
    )
    by_us = replace(by_note, external_ref="D", cancellation=Cancellation(step=CancelStep.DONE, requests=1, memo=memo))
    note = replace(record("N", State.STAMPED, "20.00"), doc_type="05", adjusts="C")
    silent = replace(by_note, cancellation=Cancellation(step=CancelStep.DONE))
    assert reconciled(silent, note, **run).still_in_files == ()
    assert reconciled(silent, note, **run).sales.gross == Decimal("0.00")
    partly = replace(note, expected_gross=Decimal("5.00"))
    assert [one.external_ref for one in reconciled(silent, partly, **run).still_in_files] == ["C"]
    assert [one.external_ref for one in reconciled(silent, **run).still_in_files] == ["C"]
    found = reconciled(by_note, note, by_us, **run)
    assert found.sales.gross == Decimal("0.00")
    assert [one.external_ref for one in found.still_in_files] == ["D"]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.none() | st.integers(0, 20), AMOUNTS, st.sampled_from(list(State))),
        max_size=20,
    ),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_contingency_opening_new_and_settled_make_the_closing(
    stays: list[tuple[int, int | None, Decimal, State]], one: int, other: int
) -> None:
    """Whatever waited and for how long; and what one period leaves open is what the next one begins with."""
    waits = [
        Wait(
            external_ref=f"R{at}", gross=gross, entered_at=moment(came),
            left_at="" if stayed is None else moment(came + stayed), left_to=None if stayed is None else state,
        )
        for at, (came, stayed, gross, state) in enumerate(stays)
    ]  # fmt: skip
    since, until = sorted((one, other))
    first = contingency_bridge(waits, "", moment(since))
    second = contingency_bridge(waits, moment(since), moment(until))
    assert first.opening == Tally()
    assert second.opening == first.closing
    for bridge in (first, second):
        assert (
            bridge.opening.documents
            + bridge.entered.documents
            - sum(part.documents for part in bridge.settled.values())
            == bridge.closing.documents
        )
        assert bridge.opening.gross + bridge.entered.gross - sum(
            (part.gross for part in bridge.settled.values()), Decimal(0)
        ) == bridge.closing.gross  # fmt: skip


def moment(minute: int) -> str:
    return f"2026-11-21T06:{minute:02d}:00.000+00:00"


def held_back(reference: str, gross: Decimal) -> dict[str, Any]:
    return {
        "external_ref": reference, "doc_type": "01", "file": "v.csv", "sheet": "", "rows": [3], "gross": str(gross),
        "branch": "", "date": "", "customer": "", "payment_method": "", "problems": [],
    }  # fmt: skip


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


@pytest.mark.parametrize(
    ("expected", "answered", "found"),
    [("1.00", "1.00", 0), ("1.00", "0.00", 1), (None, "5.00", 0), ("1.00", None, 0), ("0.00", "1.00", 1)],
)
def test_what_was_withheld_is_compared_too(expected: str | None, answered: str | None, found: int) -> None:
    """A wrong kind of taxpayer changes the money received; what cannot be known beforehand differs in nothing."""
    one = replace(
        record("R", State.STAMPED, "113.00", "113.00"),
        expected_retention=None if expected is None else Decimal(expected),
        answer=Answer(
            amounts=Amounts(gross=Decimal("113.00"), retention=None if answered is None else Decimal(answered))
        ),
    )
    assert [difference.what for difference in reconciled(one).differences] == ["retention"] * found


def test_what_was_held_back_needs_a_person() -> None:
    """A sale that was not sent because of its data is not forgotten in the verdict."""
    held = held_back("H", Decimal("5.00"))
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


EARLIER, LATER = "2026-11-20T23:00:00.000+00:00", "2026-11-21T07:00:00.000+00:00"


@pytest.mark.parametrize(("read_at", "told"), [(EARLIER, []), (AT, ["C"]), (LATER, ["C"])])
def test_a_file_read_before_the_sale_was_cancelled_says_nothing_of_it(read_at: str, told: list[str]) -> None:
    """It had the sale rightly. Read afterwards, or compared now, it has one that is cancelled."""
    cancelled = replace(record("C", State.CANCELLED), settled_at=AT)
    summary = {
        "rows": 1,
        "sources": [{"file": "v.csv", "sheet": "", "sha256": "", "rows": 1, "documents": 1}],
        "refs": ["C"],
    }
    run = RunRecord(
        run="r", company="default", command="issue", version="0", started_at=read_at, ended_at=LATER, summary=summary
    )
    given: dict[str, Any] = {"company": "default", "company_name": "", "tolerance": Decimal("0.01")}
    found = reconcile(runs=[run], records=[cancelled], **given)
    assert [one.external_ref for one in found.still_in_files] == told
    assert [one.external_ref for one in found.open_items if one.cause is Cause.CANCELLED] == told
    again = replace(run, run="s", started_at=LATER)
    assert [one.external_ref for one in reconcile(runs=[run, again], records=[cancelled], **given).still_in_files] == [
        "C"
    ]


@pytest.mark.parametrize(
    ("lines", "answered", "within"),
    [(1, "10.01", True), (1, "10.02", False), (3, "10.03", True), (3, "9.97", True), (3, "10.04", False),
     (0, "10.01", True), (0, "10.02", False), (40, "10.40", True), (40, "10.41", False)],
)  # fmt: skip
def test_a_cent_is_forgiven_for_each_line(lines: int, answered: str, within: bool) -> None:
    """Rounding adds up line by line: of three lines three cents, and of a document without any as of one."""
    made = reconciled(replace(record("R", State.STAMPED, "10.00", answered), lines=lines))
    assert [one.within_tolerance for one in made.differences] == [within]
    assert made.exit_code == (0 if within else 1)


def test_every_key_of_the_report_is_described(root: Path) -> None:
    described = (root / "docs" / "report-json.md").read_text(encoding="utf-8")
    keys = {*json.loads("".join(report_json(reconciled(), "")))}
    assert {key for key in keys if f"`{key}`" not in described} == set()
