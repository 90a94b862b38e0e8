"""The files' documents against the ledger: what a run would do with each, and what has to be answered before it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from batch_issuer.cli.asking import choose
from batch_issuer.cli.screen.output import Output
from batch_issuer.cli.screen.plan import plan_json, show_customers, show_plan, show_problems
from batch_issuer.cli.session import Session, keep_answer
from batch_issuer.messages import N_
from batch_issuer.model.problems import together
from batch_issuer.model.states import Action
from batch_issuer.plan.credit_notes import with_credits
from batch_issuer.plan.doubts import NEW, SAME, IdentityQuestion
from batch_issuer.plan.lookalikes import with_repeats
from batch_issuer.plan.plan import Plan, select
from batch_issuer.plan.prepare import Prepared, conflict_list
from batch_issuer.plan.recognise import recognise
from batch_issuer.plan.touched_customers import Touched, touched
from batch_issuer.reading.learned import settings_path

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from batch_issuer.ledger.store import Ledger


class Planned(NamedTuple):
    """What the files' documents come to against a ledger, or without one."""

    prepared: Prepared
    plan: Plan
    conflicts: list[dict[str, Any]]
    customers: tuple[Touched, ...]
    questions: Sequence[IdentityQuestion]
    """What has to be answered before anything of the files is sent."""

    @property
    def exit_code(self) -> int:
        """Return 1 where something in the files needs a person, else 0."""
        blocked = any(problem.blocks for problem in self.prepared.notes)
        return int(bool(self.prepared.held or self.conflicts or blocked))

    def show_counts(self, output: Output) -> None:
        """Say how many documents go which way and what they come to, above a question about them."""
        show_plan(output, self.prepared, self.plan)
        output.show()

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
    opened: AbstractContextManager[Ledger | None] = nullcontext()
    if may_exist(session.ledger):
        # Imported here, so that `check` without a ledger loads nothing of SQLAlchemy.
        from batch_issuer.ledger.opening import open_to_read

        opened = closing(open_to_read(session.ledger))
    with opened as ledger:
        recognised = recognise(prepared, ledger, company, alike)
        prepared = with_credits(with_repeats(recognised.prepared, ledger, company), ledger, company)
        plan = recognised.plan(prepared)
        conflicts = conflict_list(plan.of(Action.CONFLICT), prepared, ledger) if ledger else []
        chosen = select(plan, only=only, limit=limit)
        customers = touched(prepared, chosen, ledger, company)
        return Planned(prepared, chosen, conflicts, customers, recognised.questions(alike))


def may_exist(ledger: Path) -> bool:
    """Whether there is such a file; where that cannot be found out, opening it says why."""
    try:
        return ledger.exists()
    except OSError:
        return True


def ask_which_sales(
    session: Session, questions: Sequence[IdentityQuestion], options: dict[str, Any], files: Sequence[str]
) -> None:
    """Ask whether sales are those that the ledger has, and put the answer where the next look finds it.

    That is `--alike` among the options, or a template of the reference in the settings. Raises the questions where
    nobody can be asked.
    """
    output = session.output
    choices = {}
    if all(SAME in one.choices for one in questions):
        choices[SAME] = N_("they are the same sales: none is issued a second time")
    line = next((one.line for one in questions if one.line), "")
    if line:
        choices[NEW] = N_("they are other sales: from now on {line}")
        questions[0].parameters["line"] = line
    elif all(NEW in one.choices for one in questions):
        choices[NEW] = N_("they are other sales: issue them under their own references")
    question = together(questions)
    if not choices:
        raise question
    answer = choose(output, question, choices)
    if answer == NEW and line:
        template = tomllib.loads(line)["external_ref"]
        keep_answer(output, settings_path(options["config"], session.settings, files), "external_ref", template)
    else:
        options["alike"] = answer
