"""What reports find in a ledger, whatever it has been through."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.model.records import Kind, NewEvent
from batch_issuer.model.states import State
from batch_issuer.reconcile import Reconciliation, Tally, content_of, report_json
from batch_issuer.reconcile.gather import period_records, reconcile_period, reconcile_run
from batch_issuer.settings import Company, Settings
from tests.ledger.histories import COMPANY, Clock, Step, answered, planned, reading, run_ended, sending, steps, write


def closes(made: Reconciliation) -> None:
    """Nothing is left unexplained: rows to states, each grouping, contingency."""
    assert made.unexplained == Tally()
    states = sum((one.gross for one in made.states.values()), Decimal(0))
    for groups in (made.by_type, made.by_branch, made.by_day, made.by_payment):
        assert sum((group.total.gross for group in groups), Decimal(0)) == states
        assert sum((group.sales.gross for group in groups), Decimal(0)) == made.sales.gross
    bridge = made.contingency
    settled = bridge.settled.values()
    assert bridge.opening.gross + bridge.entered.gross == bridge.closing.gross + sum(one.gross for one in settled)
    assert bridge.closing.documents == len(
        {record.external_ref for record in (*made.records, *made.carried) if record.state is State.CONTINGENCY}
    )


@settings(max_examples=40, deadline=None)
@given(steps())
def test_every_report_of_any_ledger_closes(history: list[Step]) -> None:
    """Of each run, of all days, and of none; written twice it is the same."""
    with TemporaryDirectory() as folder:
        write(Path(folder) / "ledger.db", history)
        with reading(Path(folder) / "ledger.db") as ledger:
            for run in ledger.runs():
                made = reconcile_run(ledger, run.run, Company(code=run.company), Settings())
                closes(made)
                again = reconcile_run(ledger, run.run, Company(code=run.company), Settings())
                assert list(report_json(made, "")) == list(report_json(again, ""))
            for company in ledger.companies():
                closes(reconcile_period(ledger, None, None, Company(code=company), Settings()))
                late = reconcile_period(ledger, dt.date(2030, 1, 1), None, Company(code=company), Settings())
                assert late.records == ()


def test_what_is_open_is_carried_into_the_reports_of_other_days(tmp_path: Path) -> None:
    """A document of yesterday that still waits is shown today, with its age, and counts in no total of today."""
    path, clock = tmp_path / "ledger.db", Clock()
    with open_to_write(path, COMPANY, create=True, clock=clock) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("Y-1"), sending("Y-1"), answered("Y-1", State.CONTINGENCY), run_ended()])
        clock.now += dt.timedelta(hours=80)
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [NewEvent(kind=Kind.RUN_READ, body={"refs": ["T-1"], "rows": 1, "sources": []})])
        ledger.append(COMPANY, run, [planned("T-1"), sending("T-1"), answered("T-1"), run_ended()])
        made = reconcile_run(ledger, run, Company(code=COMPANY), Settings())
    assert [record.external_ref for record in made.records] == ["T-1"]
    assert [record.external_ref for record in made.carried] == ["Y-1"]
    assert (made.contingency.opening.documents, made.contingency.closing.documents) == (1, 1)
    assert {name: documents for name, documents, _ in made.ages if documents} == {">72h": 1}
    assert (made.exit_code, made.total.documents) == (0, 1)


@given(st.integers(0, 47))
def test_a_day_is_one_of_el_salvador(hour: int) -> None:
    """Half past eleven at night belongs to the day that ends, though it is tomorrow in UTC."""
    with TemporaryDirectory() as folder:
        begun = dt.datetime(2026, 11, 20, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=-6))) + dt.timedelta(hours=hour)
        with open_to_write(Path(folder) / "l.db", COMPANY, create=True, clock=Clock(begun)) as ledger:
            run = ledger.begin_run(COMPANY, "issue").run
            ledger.append(COMPANY, run, [planned("A"), sending("A"), answered("A"), run_ended()])
            days = [f"2026-11-{day}" for day in (19, 20, 21, 22)]
            found = [day for day in days if period_records(ledger, COMPANY, day, day)]
            assert found == [f"{begun:%Y-%m-%d}"]


def test_what_is_signed_does_not_depend_on_the_order(tmp_path: Path) -> None:
    """The digest is of what the documents are, and changes with each of them."""
    with open_to_write(tmp_path / "l.db", COMPANY, create=True, clock=Clock()) as ledger:
        run = ledger.begin_run(COMPANY, "issue").run
        ledger.append(COMPANY, run, [planned("A"), planned("B"), sending("A"), answered("A")])
        records = period_records(ledger, COMPANY, "", "")
        before = content_of(records)
        assert content_of(records[::-1]) == before
        ledger.append(COMPANY, run, [sending("B")])
        assert content_of(period_records(ledger, COMPANY, "", "")) != before
