"""What stands before the first documents of a run: whose key it is, which environment it is of, and the canaries.

Each guard lets one document, or a few, go ahead and looks at what came of them before the others leave.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.records import Answer, NewEvent, Record
from batch_issuer.model.states import ISSUED, ONLY_PROVIDER_SETTLES, State
from batch_issuer.provider import wire
from batch_issuer.provider.client import Found, Missing
from batch_issuer.send.crew import Crew
from batch_issuer.send.keys import KeyBook, is_the_same, not_found_out, not_this_companys

_LOOKED_THROUGH = 20
"""Stamped documents among which one is looked for that is not of another company."""
_READ_ENVIRONMENT = 3
"""Tries to read a signed document, a second between two."""


class Guards:
    """Issues documents of one run behind its guards. `expect_environment` is empty where none is expected."""

    def __init__(
        self, *, crew: Crew, ledger: Ledger, company: str, key: KeyBook, expect_environment: str = "", canaries: int = 0
    ) -> None:
        self._crew = crew
        self._courier = crew.courier
        self._ledger = ledger
        self._company = company
        self._key = key
        self._expected = expect_environment
        self._canaries = canaries
        """Documents that have still to be proven."""
        self._canaries_sent = 0
        self._is_looked_at = False
        self._was_known = False
        """Whether the ledger had the key as the company's before the first document of this run."""

    async def prove_key(self) -> None:
        """Find out whether a key that the ledger does not know sees what the company has had stamped; else stop.

        One that does not is of another company or environment, and what the ledger calls settled is not settled there.
        """
        stamped = self._stamped(State.STAMPED, State.CANCELLED)
        if not self._key.is_known and stamped is not None:
            # The answer may be about another company's document of that reference, so nothing is learned of it yet.
            self._key.on_trial = True
            reply = await self._crew.asker.find(stamped)
            self._key.on_trial = False
            if isinstance(reply, Found) and is_the_same(stamped, reply.answer):
                await self._remember(self._key.learn(reply.answer, stamped.external_ref))
            elif isinstance(reply, Found | Missing):
                self._courier.stop(not_this_companys(stamped, self._company))
            else:
                self._courier.stop(not_found_out(stamped, self._company))
        self._was_known = self._key.is_known

    async def remember_trial(self) -> None:
        """Write, before a document leaves, that the run tries a key which the ledger does not know."""
        await self._remember(self._key.tried())

    async def issue(self, records: Sequence[Record]) -> None:
        """Issue documents; the first ones go ahead and prove the key, its environment, and that canaries are taken."""
        rest = list(records)
        if self._expected and not self._key.environment:
            rest = await self._prove_environment(rest)
        # What proved the environment went ahead alone and was looked at: it is a canary that has come home.
        self._canaries = max(0, self._canaries - (len(records) - len(rest)))
        if rest and not (self._key.is_told or self._is_looked_at) and self._may_go_on:
            rest = await self._look_at_first(rest)
        if self._canaries and self._may_go_on:
            await self._send_canaries(rest[: self._canaries])
            rest, self._canaries = rest[self._canaries :], max(0, self._canaries - len(rest))
        if self._may_go_on:
            await self._crew.issuer.issue(rest)

    @property
    def _may_go_on(self) -> bool:
        return self._courier.stopped is None

    async def _look_at_first(self, records: Sequence[Record]) -> list[Record]:
        """Issue one document alone and see whose key it is, before the others leave; return those that are left.

        What its answer does not say is not asked for: the others go. If it is stamped and says nothing, that is
        remembered, so that this is done once for each key.
        """
        self._is_looked_at = True
        first, *rest = records
        if self._canaries:
            await self._send_canaries([first])
            self._canaries -= 1
        else:
            await self._crew.issuer.issue([first])
        now = self._ledger.record(self._company, first.external_ref)
        if now is not None and now.state is State.STAMPED:
            await self._remember(self._key.learn_silence(first.external_ref))
        return rest

    async def _send_canaries(self, canaries: Sequence[Record]) -> None:
        """Issue the first documents, and stop the run unless each of them was issued."""
        self._canaries_sent += len(canaries)
        await self._crew.issuer.issue(canaries)
        now = self._ledger.records(self._company, [record.external_ref for record in canaries])
        bad = [record for record in now.values() if record.state not in ISSUED]
        if bad and self._may_go_on:
            self._courier.stop(
                StoppedMidway(
                    N_("{bad} of the first {count} documents were not issued; the rest was spared (--canary)."),
                    repair=N_("Look at {reference} in the report, mend the cause, and run the same command again."),
                    bad=len(bad),
                    count=self._canaries_sent,
                    reference=bad[0].external_ref,
                )
            )

    async def _prove_environment(self, records: list[Record]) -> list[Record]:
        """Find out which environment the key belongs to, from one stamped document; return the records that are left.

        Documents go one at a time until one is stamped; one that is registered and not stamped ends the run, and
        those that follow, so that at most one can ever be issued in the wrong place.
        """
        if self._was_known and await self._is_environment_told_by_old_ones():
            return records
        left = list(records)
        while left and self._may_go_on and not self._key.environment:
            first = left.pop(0)
            await self._crew.issuer.issue([first])
            now = self._ledger.records(self._company, [first.external_ref])[first.external_ref]
            if now.state in ONLY_PROVIDER_SETTLES:
                self._stop_unproven(now)
            elif now.state is State.STAMPED and not self._key.environment:
                await self._take_environment(now)
        return left

    async def _is_environment_told_by_old_ones(self) -> bool:
        """Whether documents that are at the provider already tell the environment, or the run is over.

        Asks about one that is open first: by its stamp another need not be issued to find out.
        """
        await self._crew.settler.settle(self._ledger.in_states(self._company, ONLY_PROVIDER_SETTLES)[:1])
        if self._key.environment or not self._may_go_on:
            return True
        if (stamped := self._stamped(State.STAMPED)) is not None:
            await self._take_environment(stamped)
            return True
        for waiting in self._ledger.in_states(self._company, ONLY_PROVIDER_SETTLES)[:1]:
            self._stop_unproven(waiting)
        return False

    async def _take_environment(self, record: Record) -> None:
        """Read the environment out of a signed document, remember it, and stop where it is the wrong one."""
        for _ in range(_READ_ENVIRONMENT):  # the provider may make the signed document a moment after its stamp
            code = await self._crew.client.environment(record.external_ref)
            if code in wire.ENVIRONMENTS:
                break
            await asyncio.sleep(1)
        else:
            self._courier.stop(
                StoppedMidway(
                    N_("The key's environment is not proven: the signed document of {reference} is not readable."),
                    repair=N_("Run the same command again; nothing more is issued until it is proven."),
                    reference=record.external_ref,
                )
            )
            return
        await self._remember(self._key.learn(Answer(environment=wire.ENVIRONMENTS[code]), record.external_ref))

    async def _remember(self, news: NewEvent | None) -> None:
        """Write what was learned of the key, and stop where it shows that nothing more may be sent with it."""
        if news is not None:
            await self._crew.journal.append(news)
        if self._key.objection is not None:
            self._courier.stop(self._key.objection)

    def _stop_unproven(self, record: Record) -> None:
        """Stop: what is registered may be in the wrong place already, and a second one must not follow it."""
        self._courier.stop(
            StoppedMidway(
                N_("It is not proven that the key is of the {expected} environment: {reference} has no stamp."),
                repair=N_("Run `batch-issuer refresh` until it is stamped, then run the same command again."),
                expected=self._expected,
                reference=record.external_ref,
            )
        )

    def _stamped(self, *states: State) -> Record | None:
        """Return the company's newest document in these states that no other company's key has issued."""
        return self._key.stamped(self._ledger.newest_stamped(self._company, _LOOKED_THROUGH, states))
