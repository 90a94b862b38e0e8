"""The files' documents against the ledger: what a run would do with each, on the screen and in `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from batch_issuer.cli.screen.output import Output
from batch_issuer.cli.screen.plan import plan_json, show_customers, show_plan, show_problems
from batch_issuer.cli.session import Session
from batch_issuer.model.states import Action
from batch_issuer.plan.credit_notes import with_credits
from batch_issuer.plan.doubts import IdentityQuestion
from batch_issuer.plan.lookalikes import with_repeats
from batch_issuer.plan.plan import Plan, select
from batch_issuer.plan.prepare import Prepared, conflict_list
from batch_issuer.plan.recognise import recognise
from batch_issuer.plan.touched_customers import Touched, touched

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from batch_issuer.ledger.store import Ledger


class Planned(NamedTuple):
    """What the files' documents come to against a ledger."""

    prepared: Prepared
    plan: Plan
    conflicts: list[dict[str, Any]]
    customers: tuple[Touched, ...]
    questions: Sequence[IdentityQuestion]
    """What has to be answered before anything of the files is sent."""

    @property
    def exit_code(self) -> int:
        """1 where something in the files needs a person, else 0."""
        blocked = any(problem.blocks for problem in self.prepared.notes)
        return int(bool(self.prepared.held or self.conflicts or blocked))

    def show(self, output: Output) -> None:
        """Say what would be done, with whose customers, and what is wrong."""
        show_plan(output, self.prepared, self.plan)
        show_customers(output, self.customers, self.prepared.customers.unnumbered)
        show_problems(output, self.prepared.problems)

    def give(self, output: Output, **also: Any) -> None:
        """Write the JSON object of a command that sends nothing; `also` is what it has beside the plan."""
        if output.as_json:
            problems = [problem.as_json(output.messages) for problem in self.prepared.problems]
            plain = {**plan_json(self.prepared, self.plan, self.customers), "problems": problems}
            output.give({**plain, "conflicts": self.conflicts, **also, "exit_code": self.exit_code})


def plan_against_ledger(
    session: Session, prepared: Prepared, *, only: Sequence[str] = (), limit: int | None = None
) -> Planned:
    """Return the documents with notes on repeated sales and credit notes, and the plan for them.

    Without a ledger everything is new. Raises `CannotStart` where there is one that cannot be opened.
    """
    company, alike = session.company.code, session.settings.source.alike
    with _ledger(session.ledger) as ledger:
        recognised = recognise(prepared, ledger, company, alike)
        prepared = with_credits(with_repeats(recognised.prepared, ledger, company), ledger, company)
        plan = recognised.plan(prepared)
        conflicts = conflict_list(plan.of(Action.CONFLICT), prepared, ledger) if ledger else []
        chosen = select(plan, only=only, limit=limit)
        customers = touched(prepared, chosen, ledger, company)
        return Planned(prepared, chosen, conflicts, customers, recognised.questions(alike))


def _ledger(path: Path) -> AbstractContextManager[Ledger | None]:
    """Open the ledger to read, if there is one; `check` without one loads nothing of SQLAlchemy."""
    if not may_exist(path):
        return nullcontext()
    from batch_issuer.ledger.opening import open_to_read

    return closing(open_to_read(path))


def may_exist(ledger: Path) -> bool:
    """Whether there is such a file; where that cannot be found out, opening it says why."""
    try:
        return ledger.exists()
    except OSError:
        return True
