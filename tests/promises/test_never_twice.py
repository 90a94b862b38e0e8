"""Never twice, never lost: every type, files, corrections, crashes, lost answers and repeated runs, in any order."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import httpx
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.verify import verify
from batch_issuer.model.problems import Stop
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.plan.prepare import prepare
from batch_issuer.provider import wire
from batch_issuer.sandbox import Running, SandboxOptions, Standing, running
from batch_issuer.send.courier import Patience
from batch_issuer.send.run import Connection, Outcome, issue, refresh, retry
from batch_issuer.settings import Company, Settings
from tests.failing_ledger import failing_after
from tests.invented_sales import InventedBatch, Silent

REFERENCES = ["V-0", "V-1", "CCF-1", "CCF-2", "FEX-1", "FSE-1", "NC-1a", "NC-1b", "NCT-2a"]
ROUTES = ["*", "invoice", "suex", "credit-memo"]
PRICES = [Decimal("1.00"), Decimal("2.50"), Decimal("11.30")]
HURRIED = Patience(first_pause=0.001, longest_pause=0.002, settling=0.06, recent=60.0, connections=2, asks=2, posts=2)
FAULTS = [
    "reset-before:route={route},count={n}",
    "reset-after:route={route},count={n}",
    "error-before:route={route},count={n}",
    "error-after:route={route},count={n}",
    "truncate:route={route},count={n}",
    "html-before:route={route},count={n}",
    "html-after:route={route},count={n}",
    "slow:route={route},count={n},seconds=0.02",
    "no-stamp:route={route},count={n}",
    "flags:route={route},count={n},flags=TTTF",
    "error-before:route=*status,count={n}",
    "reset-before:route=*status,count={n}",
    "429:route={route},count={n},seconds=0.01",
]
OPEN = frozenset({State.PLANNED, State.SENDING, State.UNSURE})
WAITS = ("ccf-", "credit-")
"""What the reasons begin with for which a credit note is held."""
SEALED = (State.STAMPED, State.CANCELLED)
VOID = (Standing.REJECTED, Standing.CANCELLED)
THERE = {State.STAMPED: (Standing.STAMPED, Standing.CANCELLED)}
"""A CCF that was credited in full is cancelled there; we say so only once the provider did."""


class NeverTwice(RuleBasedStateMachine):
    """A shop with a file, a ledger and a provider; whatever happens, each sale is issued at most once."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="never-twice-"))
        self.stack = contextlib.ExitStack()
        options = SandboxOptions(minute_limit=None, hour_limit=None, ref_case_sensitive=True)
        self.provider: Running = self.stack.enter_context(running(options))
        self.sales: dict[str, Decimal] = {}

    def teardown(self) -> None:
        try:
            self.settle_everything()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    @property
    def ledger_path(self) -> Path:
        return self.folder / "ledger.db"

    def records(self) -> dict[str, Record]:
        if not self.ledger_path.exists():
            return {}
        ledger = open_to_read(self.ledger_path)
        try:
            return {record.external_ref: record for record in ledger.all_records()}
        finally:
            ledger.close()

    def run(self, start: Callable[[], Outcome]) -> Outcome | None:
        with contextlib.suppress(Stop):
            return start()
        return None

    def connection(self) -> Connection:
        return Connection(base_url=self.provider.base_url, key=self.provider.key, concurrency=3, patience=HURRIED)

    def issue_file(self) -> Outcome | None:
        prepared = prepare(InventedBatch(dict(self.sales)), Settings(), dt.date(2026, 11, 21))
        return self.run(
            lambda: issue(
                prepared,
                ledger_path=self.ledger_path,
                company=Company(),
                connection=self.connection(),
                watcher=Silent(),
            )
        )

    @rule(reference=st.sampled_from(REFERENCES), price=st.sampled_from(PRICES))
    def write_in_file(self, reference: str, price: Decimal) -> None:
        """A new sale, or another price for one that is already there."""
        self.sales[reference] = price

    @rule(fault=st.sampled_from(FAULTS), route=st.sampled_from(ROUTES), times=st.integers(1, 4))
    def order_fault(self, fault: str, route: str, times: int) -> None:
        self.provider.order(fault.format(n=times, route=route))

    @rule(
        contingency=st.lists(st.sampled_from(REFERENCES), max_size=2),
        rejected=st.lists(st.sampled_from(REFERENCES), max_size=2),
        repost=st.sampled_from(["original", "resend", "error409"]),
        success=st.booleans(),
    )
    def change_ministry(self, contingency: list[str], rejected: list[str], repost: str, *, success: bool) -> None:
        self.provider.change(
            contingency_refs=tuple(contingency),
            rejected_refs=tuple(rejected),
            contingency_repost=repost,
            rejected_success=success,
        )

    @rule(to=st.sampled_from(["stamped", "rejected"]))
    def resolve_while_we_look_away(self, to: str) -> None:
        self.provider.resolve(to)

    @rule()
    def issue_again(self) -> None:
        if self.sales:
            self.issue_file()

    @rule(writes=st.integers(0, 25))
    def issue_and_crash(self, writes: int) -> None:
        """The ledger stops being writable after so many writes: whatever is then answered is lost to us."""
        if not self.sales:
            return
        with failing_after(self.ledger_path, writes):
            self.issue_file()

    @rule()
    def retry_from_ledger(self) -> None:
        self.run(
            lambda: retry(
                ledger_path=self.ledger_path, company=Company(), connection=self.connection(), watcher=Silent()
            )
        )

    @rule()
    def refresh_states(self) -> None:
        before = len(self.posts())
        self.run(
            lambda: refresh(
                ledger_path=self.ledger_path, company=Company(), connection=self.connection(), watcher=Silent()
            )
        )
        assert len(self.posts()) == before, "refresh issued something"

    def posts(self) -> list[str]:
        return [document.ref for document in self.provider.documents() for _ in range(document.received)]

    @invariant()
    def at_most_one_document_per_sale(self) -> None:
        references = [document.ref for document in self.provider.documents()]
        assert len(references) == len(set(references))

    @invariant()
    def nothing_in_contingency_is_posted_again(self) -> None:
        kinds = [violation.kind for violation in self.provider.requests().violations]
        assert not [kind for kind in kinds if kind in ("post-on-contingency", "post-on-stamped")], kinds

    @invariant()
    def no_stamp_is_claimed_that_was_not_given(self) -> None:
        there = {document.ref: document for document in self.provider.documents()}
        for reference, record in self.records().items():
            if record.state is State.STAMPED:
                assert there[reference].standing in THERE[State.STAMPED]
                assert there[reference].stamp == record.answer.reception_stamp

    @invariant()
    def no_ccf_is_credited_beyond_what_it_comes_to(self) -> None:
        """The provider would refuse such a note, and a note of what is not stamped: it never has to."""
        requests = self.provider.requests()
        assert (requests.count("credit-memo", 400), requests.count("credit-memo", 409)) == (0, 0)
        documents = self.provider.documents()
        for ccf in documents:
            notes = [one for one in documents if one.adjusts == ccf.document_id and one.standing not in VOID]
            assert sum((note.amounts.gross or Decimal(0) for note in notes), Decimal(0)) <= (ccf.amounts.gross or 0)

    @invariant()
    def the_ledger_is_sound(self) -> None:
        if self.ledger_path.exists():
            ledger = open_to_read(self.ledger_path)
            try:
                assert verify(ledger).damages == ()
            finally:
                ledger.close()

    def settle_everything(self) -> None:
        """With a provider that works, the file ends up issued whole, and another run sends nothing."""
        if not self.sales:
            return
        self.provider.clear_faults()
        self.provider.change(contingency_refs=(), rejected_refs=())
        self.provider.resolve("stamped")
        for _ in range(3):
            assert self.issue_file() is not None
        there = {document.ref: document for document in self.provider.documents()}
        held: set[str] = set()
        for reference, record in self.records().items():
            if record.doc_type == "05" and record.state is State.PLANNED and record.reason.startswith(WAITS):
                held.add(reference)
                continue
            assert record.state not in OPEN, record
            assert record.answer.control_number == there[reference].control_number
            standing = there[reference].standing
            assert (record.state in SEALED) == (standing in THERE[State.STAMPED]), record
            assert record.state is not State.CANCELLED or standing is Standing.CANCELLED, record
        assert set(self.sales) - held <= set(there)
        last = self.issue_file()
        assert last is not None
        assert last.progress.posts == 0
        self.at_most_one_document_per_sale()
        self.nothing_in_contingency_is_posted_again()


NeverTwice.TestCase.settings = hypothesis_settings(max_examples=15, stateful_step_count=16, deadline=None)
TestNeverTwice = NeverTwice.TestCase


def test_the_machine_would_notice() -> None:
    """The sandbox counts a second POST of what it has, so that the invariants above can fail."""
    with running(SandboxOptions(minute_limit=None, hour_limit=None, contingency=True)) as provider:
        prepared = prepare(InventedBatch({"V-1": Decimal("1.00")}), Settings(), dt.date(2026, 11, 21))
        body = wire.encode(prepared.content(prepared.candidates[0]))
        for _ in range(2):
            headers = {"Authorization": f"Bearer {provider.key}", "Content-Type": "application/json"}
            httpx.post(f"{provider.base_url}/invoice", content=body, headers=headers)
        assert [violation.kind for violation in provider.requests().violations] == ["post-on-contingency"]
