"""What is asked before it is sent, what is believed, and what ends a run: the sender against a sandbox."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.writer import Writer
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.provider.client import Client, open_transport
from batch_issuer.provider.quota import Quota
from batch_issuer.sandbox import Running, SandboxOptions, running
from batch_issuer.send.courier import PATIENCE, Progress, Sender
from batch_issuer.settings import Company
from tests.ledger.histories import tamper
from tests.send.shop import FREE, HURRIED, Shop

TWENTY = [f"S-{number}" for number in range(20)]
FORTY = [f"S-{number}" for number in range(40)]
WITH_SLASH = ["A/1", "A/2", "../B", "C"]


@contextmanager
def meanwhile(happened: Callable[[], bool], act: Callable[[], None]) -> Iterator[None]:
    """Do something from another thread as soon as something has happened."""
    over = threading.Event()

    def wait() -> None:
        while not over.is_set() and not happened():
            pass
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_intents_without_a_sending_are_asked_about_twice_and_then_issued(tmp_path: Path) -> None:
    """A crash before the first byte: the provider says twice that it has nothing, and everything is issued once."""
    with running(FREE) as provider:
        shop = Shop(tmp_path, provider)
        shop.crash()
        assert set(shop.states()) == {State.SENDING}
        outcome = shop.retry()
        assert (outcome.progress.asks, outcome.progress.posts) == (2 * len(shop.sales), len(shop.sales))
        shop.agree()


def test_an_old_doubt_needs_one_question(tmp_path: Path) -> None:
    """Long after a request nothing can still be on its way: one 404 is enough."""
    with running(FREE) as provider:
        shop = Shop(tmp_path, provider, patience=replace(HURRIED, recent=0.0))
        shop.crash()
        assert shop.retry().progress.asks == len(shop.sales)
        shop.agree()


def test_a_refresh_issues_nothing(tmp_path: Path) -> None:
    """Asking is not sending: what the provider does not have becomes planned, and no more."""
    with running(FREE) as provider:
        shop = Shop(tmp_path, provider)
        shop.crash()
        outcome = shop.refresh()
        assert outcome.progress.posts == 0
        assert set(shop.states()) == {State.PLANNED}
        assert provider.documents() == ()


def test_a_404_heard_while_the_run_ends_is_not_believed(tmp_path: Path) -> None:
    """The second question could not be asked any more, so what was sent a moment ago stays in doubt."""
    with running(SandboxOptions(minute_limit=1)) as provider:
        shop = Shop(tmp_path, provider, sales=["S-1", "S-2"])
        shop.connection = replace(shop.connection, max_wait=0.1)
        shop.crash()
        outcome = shop.refresh()
        assert isinstance(outcome.stopped, StoppedMidway)
        assert outcome.progress.asks == 1
        assert set(shop.states()) == {State.SENDING}


def test_what_the_path_does_not_carry_is_asked_by_the_providers_own_id(tmp_path: Path) -> None:
    """A contingency whose reference gets 404 in a path is settled all the same, and never sent again."""
    with running(replace(FREE, encoded_slash="not-found", contingency=True)) as provider:
        shop = Shop(tmp_path, provider, sales=WITH_SLASH)
        shop.issue()
        shop.refresh()
        shop.agree()
        assert set(shop.states()) == {State.CONTINGENCY}
        provider.resolve()
        shop.refresh()
        shop.agree()
        assert set(shop.states()) == {State.STAMPED}


def test_a_document_with_an_id_is_not_issued_again_for_a_404(tmp_path: Path) -> None:
    """An answer that proves no stamp still names the document: a 404 to its reference does not undo that."""
    faults = ["no-stamp:route=invoice"]
    with running(replace(FREE, encoded_slash="not-found"), faults=faults) as provider:
        shop = Shop(tmp_path, provider, sales=WITH_SLASH)
        shop.issue()
        shop.agree()
        assert set(shop.states()) == {State.STAMPED}
        assert {document.received for document in provider.documents()} == {1}


def test_an_answer_about_a_stranger_is_asked_about(tmp_path: Path) -> None:
    """An answer that names somebody else's document says nothing about ours; its status does."""
    faults = ["stranger:route=invoice,count=2", "reset-before:route=invoice,count=2,after=2"]
    with running(FREE, faults=faults) as provider:
        shop = Shop(tmp_path, provider)
        shop.issue()
        shop.agree()


def test_a_contingency_that_nobody_finds_stays_one(tmp_path: Path) -> None:
    """What was registered and numbered is not issued again because a status says 404, however often."""
    with running(replace(FREE, contingency=True), faults=["error-before:route=status,status=404"]) as provider:
        shop = Shop(tmp_path, provider)
        for run in (shop.issue, shop.refresh, shop.retry, shop.issue):
            run()
            shop.agree()
        assert set(shop.states()) == {State.CONTINGENCY}


def test_a_second_request_that_is_refused_leaves_the_doubt_about_the_first(tmp_path: Path) -> None:
    """Once a request has left, only an answer makes its document planned again."""
    faults = ["reset-before:route=invoice,count=1", "error-before:route=invoice,after=1,status=401"]
    with running(FREE, faults=faults) as provider:
        shop = Shop(tmp_path, provider, sales=["S-1", "S-2", "S-3"], concurrency=1)
        outcome = shop.issue()
        assert (outcome.progress.posts, outcome.progress.asks) == (2, 2)
        assert shop.states() == [State.UNSURE, State.PLANNED, State.PLANNED]


@pytest.mark.parametrize("kind", ["hang-before", "hang-after"])
def test_a_provider_that_takes_its_time_is_waited_for(tmp_path: Path, kind: str) -> None:
    """Requests under way are never given up while others go on; each is answered once."""
    with running(FREE, faults=[f"{kind}:route=invoice,count=3,after=2"]) as provider:
        shop = Shop(tmp_path, provider)
        others = len(shop.sales) - 3

        def others_are_done() -> bool:
            return provider.requests().count("invoice", 200) >= others

        with meanwhile(others_are_done, provider.release):
            outcome = shop.issue()
        shop.agree()
        assert (outcome.progress.posts, outcome.progress.asks) == (len(shop.sales), 0)


def test_a_content_that_cannot_be_read_is_not_sent_and_loses_nothing(tmp_path: Path) -> None:
    """Contents are read a page ahead: what was read before is sent and settled, and the run says why it ends there."""
    with running(FREE, faults=["error-before:route=invoice,status=401"]) as provider:
        shop = Shop(tmp_path, provider, sales=[f"S-{number}" for number in range(200)])
        shop.issue()
        provider.clear_faults()
        tamper(shop.ledger, "UPDATE events SET body = '{}' WHERE external_ref = 'S-150' AND kind = 'planned'")
        with open_to_write(shop.ledger, Company().code, create=False) as ledger:
            run, records = (
                ledger.begin_run(Company().code, "retry").run,
                ledger.in_states(Company().code, [State.PLANNED]),
            )
            progress = asyncio.run(issued(shop, ledger, run, records))
            now = {record.external_ref: record.state for record in ledger.all_records()}
        sent = {document.ref: document.received for document in provider.documents()}
        assert len(records) == 200
        assert 120 <= len(sent) == progress.posts < 150
        assert {*sent.values()} == {1}
        assert {reference for reference, state in now.items() if state is State.STAMPED} == {*sent}
        assert {state for reference, state in now.items() if reference not in sent} <= {State.PLANNED, State.SENDING}


async def issued(shop: Shop, ledger: Ledger, run: str, records: Sequence[Record]) -> Progress:
    """What a sender by itself comes to that has to stop because of its ledger."""
    transport = open_transport(shop.connection.base_url, shop.connection.concurrency)
    client = Client(shop.connection.base_url, shop.connection.key, quota=Quota(), transport=transport)
    with Writer(partial(ledger.append, Company().code, run)) as writer:
        async with client:
            sender = Sender(client=client, ledger=ledger, writer=writer, concurrency=4, patience=HURRIED)
            await sender.issue(records)
            assert "S-150" in str(sender.stopped)
    return sender.progress


@pytest.mark.parametrize("status", [307, 403, 404, 405])
def test_an_address_that_takes_no_documents_ends_the_run(tmp_path: Path, status: int) -> None:
    """At most as many requests as were under way; the rest is planned, and nothing is lost at the right address."""
    with running(FREE, faults=[f"error-before:route=invoice,status={status}"]) as provider:
        shop = Shop(tmp_path, provider, sales=FORTY)
        outcome = shop.issue()
        assert isinstance(outcome.stopped, StoppedMidway)
        assert f"does not take documents: it answered {status}" in str(outcome.stopped)
        assert outcome.progress.posts <= shop.connection.concurrency
        assert shop.states().count(State.PLANNED) >= len(FORTY) - shop.connection.concurrency
        provider.clear_faults()
        shop.retry()
        shop.agree()


def test_a_refusal_that_is_not_documented_is_believed_once_nothing_is_found(tmp_path: Path) -> None:
    """422: the same content is not sent over and over, and the provider's words are kept for who corrects it."""
    with running(FREE, faults=["error-before:route=invoice,ref=S-3,status=422,count=1"]) as provider:
        shop = Shop(tmp_path, provider, sales=TWENTY)
        shop.issue()
        assert shop.records()["S-3"].state is State.INVALID
        assert shop.records()["S-3"].answer.http_status == 422
        assert shop.records()["S-3"].answer.detail
        assert shop.issue().progress.posts == shop.retry().progress.posts == 0
        corrected = shop.issue({**shop.sales, "S-3": Decimal(7)})
        assert corrected.progress.posts == 1
        assert set(shop.states()) == {State.STAMPED}


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_type_that_is_not_taken_holds_up_no_other(tmp_path: Path, status: int) -> None:
    """A company without the right to excluded subjects, or a provider without that route: the sales behind are sent."""
    sales = ["FSE-1", *TWENTY]
    with running(FREE, faults=[f"error-before:route=suex,status={status}"]) as provider:
        shop = Shop(tmp_path, provider, sales=sales, concurrency=1)
        outcome = shop.issue()
        assert outcome.stopped is None
        assert shop.states() == [State.UNSURE, *[State.STAMPED] * len(TWENTY)]
        provider.clear_faults()
        shop.retry()
        shop.agree()


def test_a_refused_key_stops_even_many_workers(tmp_path: Path) -> None:
    """401: with eight workers at most eight requests arrive, and nothing is in doubt."""
    with running(FREE) as provider:
        shop = Shop(tmp_path, provider, sales=FORTY, concurrency=8)
        shop.connection = replace(shop.connection, key="odt_wrong")
        outcome = shop.issue()
        assert isinstance(outcome.stopped, StoppedMidway)
        assert outcome.stopped.exit_code == 3
        assert 1 <= provider.requests().total <= 8
        assert set(shop.states()) == {State.PLANNED}


def test_a_key_that_is_refused_midway_leaves_the_rest_planned(tmp_path: Path) -> None:
    """A key deactivated in the provider's panel during a run: what is stamped stays, the rest is for later."""
    with running(FREE, faults=["error-before:route=invoice,after=10,status=401"]) as provider:
        shop = Shop(tmp_path, provider, sales=FORTY)
        outcome = shop.issue()
        assert "refuses the API key" in str(outcome.stopped)
        states = shop.states()
        assert (states.count(State.STAMPED), states.count(State.PLANNED)) == (10, 30)
        provider.clear_faults()
        assert shop.retry().progress.posts == 30
        shop.agree()


def test_nothing_that_listens_is_told_within_seconds(tmp_path: Path) -> None:
    """With the patience that everybody has, a wrong address is told after a few tries."""
    with running(FREE) as provider:
        shop = Shop(tmp_path, provider, sales=TWENTY, patience=PATIENCE)
        shop.connection = replace(shop.connection, base_url="http://127.0.0.1:9/api")
        outcome = shop.issue()
        assert isinstance(outcome.stopped, StoppedMidway)
        assert outcome.stopped.exit_code == 3
        assert outcome.seconds < 10
        assert set(shop.states()) == {State.PLANNED}


def test_a_long_trouble_ends_with_its_count(tmp_path: Path) -> None:
    """The retries of a whole run are bounded, whatever each document would still be allowed."""
    with running(FREE, faults=["reset-before:route=status", "reset-before:route=invoice,after=1"]) as provider:
        shop = Shop(tmp_path, provider, sales=TWENTY, patience=replace(HURRIED, budget_least=10, budget_share=0.0))
        outcome = shop.issue()
        assert "Too many requests had to be repeated" in str(outcome.stopped)
        assert outcome.progress.retries <= 10 + shop.connection.concurrency
        provider.clear_faults()
        shop.retry()
        shop.agree()


def test_documents_with_trouble_of_their_own_spare_nobody(tmp_path: Path) -> None:
    """Refusals between stamps are no common cause: the run goes on to its end."""
    refused = [reference for number, reference in enumerate(FORTY) if number % 4]
    with running(replace(FREE, rejected_refs=tuple(refused))) as provider:
        shop = Shop(tmp_path, provider, sales=FORTY, concurrency=1, patience=replace(HURRIED, stop_after=5))
        outcome = shop.issue()
        assert outcome.stopped is None
        assert shop.states().count(State.REJECTED) == len(refused)
        shop.agree()


def test_a_refused_batch_is_told_by_its_cause(tmp_path: Path) -> None:
    """400 for the same reason again and again stops; what was refused is invalid, and what was spared is planned."""
    with running(FREE, faults=["error-before:route=invoice,status=400"]) as provider:
        shop = Shop(tmp_path, provider, sales=FORTY, concurrency=2, patience=replace(HURRIED, stop_after=6))
        outcome = shop.issue()
        assert "The same failure 6 times in a row" in str(outcome.stopped)
        states = shop.states()
        assert 6 <= states.count(State.INVALID) <= 7
        assert states.count(State.INVALID) + states.count(State.PLANNED) == len(FORTY)
        assert provider.documents() == ()


@pytest.mark.parametrize(("window", "rounding"), [("fixed", "ceil"), ("sliding", "fraction")])
def test_short_windows_of_a_real_provider_are_kept(tmp_path: Path, window: str, rounding: str) -> None:
    """Over real sockets too, no minute ends in a 429."""
    options = SandboxOptions(minute_limit=30, minute_seconds=0.5, window=window, reset_rounding=rounding)  # type: ignore[arg-type]
    with running(options) as provider:
        shop = Shop(tmp_path, provider, sales=FORTY, concurrency=8)
        shop.issue()
        shop.agree()
        assert provider.requests().refused_by_window == {}


def test_ordered_429s_are_waited_out(tmp_path: Path) -> None:
    """A 429 created nothing: the same request goes again, as often as it takes."""
    with running(
        SandboxOptions(reset_rounding="fraction"), faults=["429:p=0.3,seconds=0.01,route=invoice"]
    ) as provider:
        shop = Shop(tmp_path, provider)
        shop.issue()
        shop.agree()
        assert {document.received for document in provider.documents()} == {1}


def received_twice(provider: Running) -> list[str]:
    return [document.ref for document in provider.documents() if document.received > 1]


@pytest.mark.parametrize("repost", ["original", "resend", "error409"])
def test_a_lost_answer_that_ended_in_contingency_is_not_sent_again(tmp_path: Path, repost: str) -> None:
    """The provider registered it, the ministry was silent, and the answer was lost: the status tells, not a POST."""
    options = replace(FREE, contingency=True, contingency_repost=repost)  # type: ignore[arg-type]
    faults = ["reset-after:route=invoice,count=2", "error-after:route=invoice,count=2,after=2", "truncate:p=0.2"]
    with running(options, faults=faults) as provider:
        shop = Shop(tmp_path, provider)
        shop.issue()
        provider.clear_faults()
        shop.retry()
        shop.agree()
        assert received_twice(provider) == []
