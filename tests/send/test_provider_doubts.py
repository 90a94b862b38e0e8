"""The client is right under every fault of the sandbox, and under every value of what the provider leaves unsaid."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.states import State
from batch_issuer.plan.doubts import IdentityQuestion
from batch_issuer.sandbox import Standing, changed, running
from tests.send.shop import FREE, HURRIED, SALES, Shop

FAULTS = [
    "delay:seconds=0.05,p=0.3",
    "reset-before:route=invoice,count=3",
    "reset-after:route=invoice,count=3",
    "error-before:route=invoice,count=3",
    "error-after:route=invoice,count=3",
    "error-after:route=invoice,count=3,status=502",
    "truncate:route=invoice,count=3",
    "html-before:route=invoice,count=3",
    "html-after:route=invoice,count=3",
    "slow:route=invoice,count=3,seconds=0.05",
    "429:route=invoice,count=2,seconds=0.1",
    "outage:after=4,count=1,seconds=0.4",
    "closed:after=4,count=1,seconds=0.4",
    "no-stamp:route=invoice,count=3",
    "flags:route=invoice,count=3,flags=TTTF",
    "flags:route=invoice,count=3,flags=TFTT",
    "flags:route=invoice,count=3,flags=FFFF",
    "stranger:route=invoice,count=3",
    "reset-after:p=0.2",
    "error-before:p=0.2",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_with_each_sale_issued_once(tmp_path: Path, fault: str) -> None:
    """Whatever breaks for a while, a few runs later everything is stamped, once."""
    with running(FREE, faults=[fault]) as provider:
        shop = Shop(tmp_path, provider)
        shop.issue()
        provider.clear_faults()
        shop.retry()
        shop.agree()
        assert {record.state for record in shop.records().values()} == {State.STAMPED}
        assert shop.issue().progress.posts == 0


UNSAID: list[dict[str, Any]] = [
    {"rejected_success": True, "rejected_posted": True},
    {"resend_is_duplicate": True, "keep_generation_code": False},
    {"contingency_repost": "resend", "simultaneous": "error409"},
    {"contingency_repost": "error409", "validate_first": False},
    {"shared_namespace": True, "control_number_in_path": True, "generation": "flags"},
    {"absent": "null", "status_omitted": ("success", "is_duplicate")},
    {"absent": "omitted"},
    {"omitted": ("is_duplicate", "posted", "dte_state", "codigo_msg", "ticket_url", "json_url", "invoice_url")},
    {"extra_fields": True, "document_in_answer": False, "urls_with_key": True},
    {"cancelled_marker": "dte_state", "json_file": "document"},
    {"detail_shape": "list", "error_shape": "list"},
    {"detail_shape": "object", "error_shape": "object"},
    {"error_shape": "html", "schema_error_status": 422},
    {"error_shape": "empty", "unknown_fields": "refused"},
    {"rounding": "line", "decimals": 2},
    {"while_issuing": "absent", "latency": 0.02},
]


@pytest.mark.parametrize("unsaid", UNSAID, ids=str)
def test_every_value_of_what_is_unsaid(tmp_path: Path, unsaid: dict[str, Any]) -> None:
    """Contingency, refusals, a lost answer and a 500 under each reading of the documentation: the same end."""
    options = changed(
        FREE,
        {"contingency_refs": ("V-1", "V-2"), "resolve_rejected_refs": ("V-2",), "rejected_refs": ("V-3",), **unsaid},
    )
    faults = ["reset-after:route=invoice,ref=V-4,count=1", "error-before:route=invoice,ref=V-5,count=1"]
    with running(options, faults=faults) as provider:
        shop = Shop(tmp_path, provider)
        shop.issue()
        shop.agree()
        assert shop.records()["V-1"].state is State.CONTINGENCY
        assert shop.records()["V-3"].state is State.REJECTED
        shop.issue()
        provider.resolve("stamped", ["V-1"])
        provider.resolve("rejected", ["V-2"])
        outcome = shop.refresh()
        assert len(outcome.progress.late_rejections) == 1
        shop.agree()
        corrected = {**SALES, "V-2": Decimal("9.99"), "V-3": Decimal("8.88")}
        provider.change(rejected_refs=(), contingency_refs=())
        assert shop.issue(corrected).progress.posts == 2
        shop.agree()
        assert {record.state for record in shop.records().values()} == {State.STAMPED}


def test_an_older_api_that_proves_nothing_is_believed_nothing(tmp_path: Path) -> None:
    """Without the flags of today a stamp cannot be proven: unsure, and never sent again while it is there."""
    with running(replace(FREE, generation="first")) as provider:
        shop = Shop(tmp_path, provider)
        for _ in range(2):
            shop.issue()
        assert {record.state for record in shop.records().values()} == {State.UNSURE}
        assert {document.standing for document in provider.documents()} == {Standing.STAMPED}
        assert {document.received for document in provider.documents()} == {1}


def test_amounts_that_are_not_ours_are_recorded_as_they_came(tmp_path: Path) -> None:
    """A provider that answers a cent too much is not corrected by us."""
    with running(FREE, faults=["cent:route=invoice,ref=V-0,count=1"]) as provider:
        shop = Shop(tmp_path, provider)
        shop.issue()
        record = shop.records()["V-0"]
        assert record.answer.amounts.gross == record.expected_gross + Decimal("0.01")


def test_a_contradictory_status_does_not_lose_a_contingency(tmp_path: Path) -> None:
    """What is in contingency stays so until the provider says stamped or rejected, and is never posted again."""
    with running(replace(FREE, contingency=True), faults=["flags:route=status,flags=TFFF"]) as provider:
        shop = Shop(tmp_path, provider)
        shop.issue()
        shop.refresh()
        shop.issue()
        assert {record.state for record in shop.records().values()} == {State.CONTINGENCY}
        assert provider.requests().violations == ()


def test_a_refused_key_stops_everything_and_is_not_remembered(tmp_path: Path) -> None:
    """401: at most as many requests as were under way; the right key is taken afterwards without a word."""
    with running(FREE) as provider:
        shop = Shop(tmp_path, provider)
        good = shop.connection
        shop.connection = replace(good, key="odt_wrong")
        outcome = shop.issue()
        assert isinstance(outcome.stopped, StoppedMidway)
        assert outcome.progress.posts <= good.concurrency
        assert {record.state for record in shop.records().values()} == {State.PLANNED}
        shop.connection = good
        shop.retry()
        shop.agree()


def test_nothing_that_listens_ends_the_run_with_everything_planned(tmp_path: Path) -> None:
    """A wrong port is told after a few tries, and nothing is in doubt."""
    with running(FREE) as provider:
        shop = Shop(tmp_path, provider, patience=replace(HURRIED, first_connections=3))
        shop.connection = replace(shop.connection, base_url="http://127.0.0.1:9/api")
        outcome = shop.issue()
        assert isinstance(outcome.stopped, StoppedMidway)
        assert "Nothing answers" in str(outcome.stopped)
        assert {record.state for record in shop.records().values()} == {State.PLANNED}


def test_the_same_refusal_again_and_again_spares_the_rest(tmp_path: Path) -> None:
    """A cause that every document shares is told once, and what was not sent stays planned."""
    sales = {f"R-{number}": Decimal(1) for number in range(40)}
    with running(replace(FREE, rejected_refs=("*",), rejected_code="005")) as provider:
        shop = Shop(tmp_path, provider, patience=replace(HURRIED, stop_after=5), concurrency=1)
        outcome = shop.issue(sales)
        assert isinstance(outcome.stopped, StoppedMidway)
        assert outcome.progress.posts == 5
        states = [record.state for record in shop.records().values()]
        assert (states.count(State.REJECTED), states.count(State.PLANNED)) == (5, 35)


def test_an_outage_leaves_doubt_only_where_a_request_had_left(tmp_path: Path) -> None:
    """Everything answers 503: the run stops, what never left is planned, and later all of it is issued once."""
    patience = replace(HURRIED, stop_after=3, settling=0.01)
    with running(FREE, faults=["outage:after=3,seconds=60"]) as provider:
        shop = Shop(tmp_path, provider, patience=patience)
        outcome = shop.issue()
        assert isinstance(outcome.stopped, StoppedMidway)
        assert {record.state for record in shop.records().values()} <= {State.STAMPED, State.UNSURE, State.PLANNED}
        provider.clear_faults()
        shop.issue()
        shop.agree()


def test_a_sale_of_another_ledger_is_asked_about(tmp_path: Path) -> None:
    """A second machine with the same file sends nothing: what the provider has may be another sale."""
    with running(FREE) as provider:
        first = Shop(tmp_path, provider)
        first.issue()
        (tmp_path / "other").mkdir()
        second = Shop(tmp_path / "other", provider)
        with pytest.raises(IdentityQuestion):
            second.issue()
        assert (len(provider.documents()), second.records()) == (len(SALES), {})
