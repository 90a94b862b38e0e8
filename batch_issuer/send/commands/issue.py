"""`issue`: the documents of files, as the plan says of each, after what earlier runs left in doubt was asked about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.model.problems import raise_together
from batch_issuer.model.records import Kind, NewEvent
from batch_issuer.model.states import IN_DOUBT, Action, State
from batch_issuer.plan.doubts import SAME
from batch_issuer.plan.plan import Plan, Step, make_plan, select
from batch_issuer.plan.prepare import Prepared, conflict_list, planned_events, summary
from batch_issuer.plan.recognise import recognise
from batch_issuer.provider.classify import NEEDS_PERSON
from batch_issuer.send import live_catalogs
from batch_issuer.send.credit_notes import issue_all
from batch_issuer.send.crew import Crew
from batch_issuer.send.forgotten import look_up, may_be_behind, refuse_known
from batch_issuer.send.guards import Guards
from batch_issuer.send.journal import WHOSE, Journal
from batch_issuer.send.owing import CREDITED
from batch_issuer.send.run import Connection, Outcome, Run, Watcher, in_states
from batch_issuer.settings import Company

_ASKED_IN_PASSING = 60
"""Documents that earlier runs left in doubt, and that a run asks about on its way: half a minute of the quota."""
_CATALOG_SECONDS = 1.0
"""How long the end of a run waits for catalogs that are still on their way."""


def issue(
    prepared: Prepared,
    *,
    ledger_path: Path,
    company: Company,
    connection: Connection,
    watcher: Watcher,
    only: Sequence[str] = (),
    limit: int | None = None,
) -> Outcome:
    """Issue what the plan says of the files' documents.

    Raises:
        CannotStart: before anything is sent; so too where sales of the files may be those that the ledger has, and
            nobody said whether they are (`IdentityQuestion`).
    """
    alike = prepared.settings.source.alike
    with open_to_write(ledger_path, company.code, create=True) as ledger:
        recognised = recognise(prepared, ledger, company.code, alike)
        raise_together(recognised.questions(alike))
        prepared, plan = recognised.prepared, recognised.plan()
        chosen = select(plan, only=only, limit=limit)
        run = Run(ledger, company, "issue", connection, watcher)
        run.check_key()
        behind = alike == SAME or may_be_behind(ledger, company.code)
        to_issue = chosen.of(Action.ISSUE)
        fresh = [step.candidate for step in to_issue if step.record is None or not step.record.attempts]
        refuse_known(run, prepared, [] if behind else fresh, alike)
        run.begin()
        run.write([_read_event(prepared, plan, chosen, ledger, company.code), *recognised.said])
        wanted = {one.external_ref for one in fresh if behind}
        anew = [step.candidate for step in to_issue if step.record is None or step.changed or step.record.withdrawn_at]

        async def steps(crew: Crew, guards: Guards) -> None:
            await _ask_what_is_open(crew, company.code, {one.external_ref for one in prepared.candidates})
            await crew.journal.append_all(planned_events(prepared, anew))
            async with _catalogs_meanwhile(crew, ledger_path, prepared, chosen):
                await _issue_plan(run, crew, guards, prepared, chosen, wanted)

        return run.send(steps)


def _read_event(prepared: Prepared, plan: Plan, chosen: Plan, ledger: Ledger, company: str) -> NewEvent:
    """Return what the run read and chose: the largest of all events, so one that reads the same only names the other.

    It is not kept in memory while documents are sent.
    """
    references = [step.candidate.external_ref for step in chosen.steps]
    kept = set(references)
    left_out = [step.candidate for step in plan.steps if step.candidate.external_ref not in kept]
    conflicts = conflict_list(chosen.of(Action.CONFLICT), prepared, ledger)
    body = {**summary(prepared, references, left_out), "conflicts": conflicts}
    same = ledger.has_read_just(company, body)
    return NewEvent(kind=Kind.RUN_READ, body={"same_as": same} if same else body)


@asynccontextmanager
async def _catalogs_meanwhile(crew: Crew, ledger_path: Path, prepared: Prepared, plan: Plan) -> AsyncIterator[None]:
    """Ask for the provider's catalogs while documents are sent, if they are old and something sent depends on them."""
    problems = list(chain.from_iterable(held.problems for held in prepared.held))
    are_needed = prepared.customers.are_placed or any(one.field in live_catalogs.FIELDS for one in problems)
    ledger = crew.journal.ledger
    if not (are_needed and plan.of(Action.ISSUE, Action.ASK) and live_catalogs.is_old(ledger_path, ledger.now())):
        yield
        return
    searched = {one.value for one in problems if one.code == "activity-unknown" and one.value.isdecimal()}

    async def ask() -> None:
        # The first answer tells the quota: asked before, catalogs would keep the documents waiting.
        while not crew.progress.done and crew.courier.stopped is None:  # noqa: ASYNC110 - nobody else needs an event
            await asyncio.sleep(0.05)
        await live_catalogs.refresh(crew.client, ledger_path, ledger.now(), searched)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        await asyncio.wait([asking], timeout=_CATALOG_SECONDS)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)  # without them the shipped ones count


async def _ask_what_is_open(crew: Crew, company: str, without: Collection[str]) -> None:
    """Ask first about what earlier runs left in doubt, where that takes seconds; it may be in no file of today."""
    ledger = crew.journal.ledger
    owed = [one for one in ledger.owed(company) if one.look_owed == CREDITED]
    left = ledger.in_states(company, IN_DOUBT)
    doubts = [one for one in left if one.external_ref not in without and one.reason not in NEEDS_PERSON]
    if len(doubts) + len(owed) <= _ASKED_IN_PASSING:
        crew.progress.total += len(doubts)
        await crew.settler.settle(doubts)
        await crew.canceller.pay(owed)


async def _issue_plan(
    run: Run, crew: Crew, guards: Guards, prepared: Prepared, plan: Plan, wanted: Collection[str]
) -> None:
    """Ask first, then issue, then look after what is in contingency.

    Of documents in `wanted` the ledger may have forgotten that they were sent: they are looked up before they are.
    """
    in_doubt = [step.record for step in plan.of(Action.ASK) if step.record is not None]
    known = [step.record for step in plan.of(Action.WATCH, Action.CONFLICT) if step.record is not None]
    waiting = in_states(known, State.CONTINGENCY)
    crew.progress.total = len(in_doubt) + len(plan.of(Action.ISSUE)) + len(waiting)
    if prepared.settings.source.alike == SAME:
        theirs = [record for record in in_doubt if record.reason in WHOSE]
        await crew.settler.recognise(theirs, run.ledger.bodies(theirs))
    await crew.settler.settle([record for record in in_doubt if record.reason not in WHOSE])
    again = await _plan_again(run, crew.journal, prepared, plan.of(Action.ASK))
    crew.progress.total += len(again)
    # In the order of the files, whichever of them had to be asked about first.
    going = [
        step.candidate.external_ref
        for step in plan.steps
        if step.action is Action.ISSUE or step.candidate.external_ref in again
    ]
    records = run.ledger.records(run.company, going)
    to_issue = [records[reference] for reference in going]
    if wanted:
        to_issue = await look_up(crew, to_issue, wanted)
    await issue_all(crew, guards, to_issue)
    await crew.settler.settle(waiting)


async def _plan_again(run: Run, journal: Journal, prepared: Prepared, steps: Sequence[Step]) -> list[str]:
    """Plan documents that were in doubt again, now that they were asked about; return which are to be issued."""
    records = run.ledger.records(run.company, [step.candidate.external_ref for step in steps])
    plan = make_plan([step.candidate for step in steps], records)
    run.conflicts += conflict_list(plan.of(Action.CONFLICT), prepared, run.ledger)
    changed = [step.candidate for step in plan.of(Action.ISSUE) if step.changed]
    await journal.append_all(planned_events(prepared, changed))
    return [step.candidate.external_ref for step in plan.of(Action.ISSUE)]
