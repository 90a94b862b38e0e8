"""Cancelling in any order of lost answers, crashes, silent ministries, late days and vague providers: once, or not."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from batch_issuer.model.problems import Stop
from batch_issuer.model.records import CancelStep
from batch_issuer.model.states import State
from batch_issuer.sandbox import SandboxOptions, Standing, running
from batch_issuer.send.run import Outcome
from tests.failing_ledger import failing_after
from tests.promises.test_never_twice import HURRIED
from tests.send.archive import Archive
from tests.send.test_cancelling import DAYS, Clock

ISSUED = (("F-1", "01"), ("C-1", "03"), ("C-2", "03"), ("X-1", "11"), ("S-1", "14"))
REFERENCES = [*(reference for reference, _ in ISSUED), "N-2"]
FAULTS = [
    "reset-before:route={route},count={n}",
    "reset-after:route={route},count={n}",
    "error-before:route={route},count={n}",
    "error-after:route={route},count={n}",
    "error-after:route={route},count={n},status=409",
    "truncate:route={route},count={n}",
    "html-before:route={route},count={n}",
    "html-after:route={route},count={n}",
    "no-stamp:route={route},count={n}",
    "flags:route={route},count={n},flags=TTTF",
    "flags:route={route},count={n},flags=TFFF",
    "stranger:route={route},count={n}",
    "429:route={route},count={n},seconds=0.01",
]
ROUTES = ["invalidate", "invalidate-suex", "invalidate*status", "*status"]


class NeverCancelledTwice(RuleBasedStateMachine):
    """Issued documents, a ledger and a provider; whatever happens, nobody claims a cancellation that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="never-cancelled-twice-"))
        self.stack = contextlib.ExitStack()
        self.clock = Clock()
        options = SandboxOptions(minute_limit=None, hour_limit=None, ministry_checks=False)
        self.provider = self.stack.enter_context(running(options, clock=self.clock))
        self.archive = Archive(self.folder, self.provider, replace(HURRIED, settling=0.01))
        self.elsewhere: set[str] = set()
        self.was_vague = False
        """A provider that repeats the document's own stamp makes us ask for it once more, as its pages allow."""

    @initialize()
    def issue_documents(self) -> None:
        """One of each type, and a partial credit note for the second CCF."""
        self.archive.issue(*ISSUED)
        self.archive.issue(
            ("N-2", "05"), document_id="C-2", lines=[{"description": "x", "quantity": 1, "unit_price": 1}]
        )

    def teardown(self) -> None:
        try:
            self.settle_everything()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    def run(self, start: Callable[[], Outcome]) -> None:
        with contextlib.suppress(Stop):
            start()

    @rule(fault=st.sampled_from(FAULTS), route=st.sampled_from(ROUTES), times=st.integers(1, 3))
    def order_fault(self, fault: str, route: str, times: int) -> None:
        self.provider.order(fault.format(n=times, route=route))

    @rule(
        shape=st.sampled_from(["flags", "marked", "own-stamp", "bare"]),
        marker=st.sampled_from(["invalidated", "dte_state", "none"]),
        keys=st.sampled_from(["flat", "nested", "in-place"]),
        repeat=st.sampled_from(["same", "error409"]),
        silent=st.booleans(),
    )
    def change_provider(self, shape: str, marker: str, keys: str, repeat: str, *, silent: bool) -> None:
        self.was_vague |= shape == "own-stamp"
        self.provider.change(
            cancel_answer=shape, cancelled_marker=marker, memo_keys=keys, cancel_repeat=repeat, contingency=silent
        )

    @rule()
    def let_days_pass(self) -> None:
        """From now on a CCF gets a credit note instead."""
        self.clock.ahead += 2 * DAYS

    @rule(references=st.lists(st.sampled_from(REFERENCES), min_size=1, unique=True))
    def cancel(self, references: list[str]) -> None:
        self.run(lambda: self.archive.cancel(*references))

    @rule(references=st.lists(st.sampled_from(REFERENCES), min_size=1, unique=True), writes=st.integers(2, 8))
    def cancel_and_crash(self, references: list[str], writes: int) -> None:
        """The ledger stops being writable: whatever is then answered is lost to us."""
        with failing_after(self.archive.ledger, writes):
            self.run(lambda: self.archive.cancel(*references))

    @rule()
    def refresh(self) -> None:
        before = self.asked()
        self.run(self.archive.refresh)
        assert self.asked() == before, "refresh asked for a cancellation"

    @rule(reference=st.sampled_from(["F-1", "X-1"]))
    def cancel_in_the_providers_panel(self, reference: str) -> None:
        self.elsewhere.add(reference)
        url = f"{self.provider.base_url}/invalidate/{reference}"
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(url, headers={"Authorization": f"Bearer {self.provider.key}"})

    def again(self) -> list[str]:
        """References for which a cancellation was asked though there was one."""
        return [one.ref for one in self.provider.requests().violations if one.kind == "invalidate-on-cancelled"]

    def asked(self) -> int:
        requests = self.provider.requests()
        return requests.count("invalidate") + requests.count("invalidate-suex")

    @invariant()
    def no_cancellation_is_claimed_that_is_none(self) -> None:
        for reference, record in self.archive.records().items():
            document = self.archive.there(reference)
            if record.state is State.CANCELLED:
                assert document.standing is Standing.CANCELLED
                assert record.cancellation is not None
                assert record.cancellation.step is CancelStep.DONE
            else:
                assert record.state is State.STAMPED
            assert record.answer.reception_stamp == document.stamp

    @invariant()
    def no_ccf_is_credited_twice(self) -> None:
        documents = self.provider.documents()
        for ccf in (one for one in documents if one.doc_type == "03"):
            notes = [one for one in documents if one.adjusts == ccf.document_id and one.ref != "N-2"]
            assert len(notes) <= 1
            if notes and (note := self.provider.document("N-2")) is not None and ccf.ref == "C-2":
                assert note.standing is Standing.CANCELLED, "a CCF with a living note was credited once more"

    @invariant()
    def what_is_cancelled_is_not_asked_for_again(self) -> None:
        assert self.was_vague or set(self.again()) <= self.elsewhere

    def settle_everything(self) -> None:
        """With a provider that works and speaks plainly all of it ends cancelled, and another run sends nothing."""
        if not self.provider.documents():
            return
        self.provider.clear_faults()
        self.provider.change(
            cancel_answer="flags", cancelled_marker="invalidated", contingency=False, cancel_repeat="same"
        )
        before = len(self.again())
        for _ in range(2):
            self.archive.cancel(*REFERENCES)
        assert set(self.again()[before:]) <= self.elsewhere
        self.no_cancellation_is_claimed_that_is_none()
        assert {record.state for record in self.archive.records().values()} == {State.CANCELLED}
        asked = self.asked()
        self.archive.cancel(*REFERENCES)
        assert self.asked() == asked
        self.no_ccf_is_credited_twice()


NeverCancelledTwice.TestCase.settings = hypothesis_settings(max_examples=12, stateful_step_count=10, deadline=None)
TestNeverCancelledTwice = NeverCancelledTwice.TestCase
