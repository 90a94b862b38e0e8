"""How a reconciliation looks on the screen: the verdict, the bridge, and what needs a person."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from batch_issuer.cli.screen.output import Output, few
from batch_issuer.messages import N_
from batch_issuer.model.days import day_of
from batch_issuer.model.money import dollars, total_of
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.reconcile import STATE_NAMES, Cause, Conflict, Reconciliation
from batch_issuer.reports.wording import CAUSE_ACTIONS, CAUSE_TITLES, refusal_title

_EXAMPLES = 3
"""References shown of each kind."""
_LINES = 10
"""Conflicts and differences shown one by one; the reports have them all."""


_SIGNS = {1: "", -1: "−", 0: "="}


def show_reconciliation(output: Output, reconciliation: Reconciliation, *, unfinished: bool = False) -> None:
    """Say the verdict, the bridge and what needs a person; `unfinished` where the command left something undone."""
    output.show()
    # A run may be settled, and a cancellation of it refused: the verdict alone would say that nothing needs a person.
    if unfinished and not reconciliation.exit_code:
        output.say(N_("Not everything that was asked for is done: see above."))
    else:
        output.say(reconciliation.verdict, **reconciliation.verdict_parameters)
    _show_bridge(output, reconciliation)
    for refusal in reconciliation.refusals:
        cause = output.messages.text(CAUSES[refusal.cause.value])
        output.show(f"✗ {len(refusal.records):,} × {cause}: {refusal_title(refusal, output.messages)}")
        output.show(f"    {few([record.external_ref for record in refusal.records], _EXAMPLES)}")
    _show_conflicts(output, reconciliation.conflicts)
    for difference in reconciliation.beyond_tolerance[:_LINES]:
        output.say(
            N_("✗ {ref}: we expected {expected}, the provider says {answered}."),
            ref=difference.record.external_ref,
            expected=dollars(difference.expected),
            answered=dollars(difference.answered),
        )
    output.say_more(len(reconciliation.beyond_tolerance), _LINES)
    _show_open(output, reconciliation)


def _show_bridge(output: Output, made: Reconciliation) -> None:
    """Say how the documents of the files become those that are issued, and what of them is sold and what is not."""
    output.show()
    output.table(
        [
            (_SIGNS[step.sign], output.messages.text(step.label), f"{step.documents:,}", dollars(step.gross))
            for step in made.bridge
            if step.documents or step.gross or step.sign == 0 or step.key in ("stamped", "contingency")
        ],
        right=[2, 3],
    )
    if made.credit_notes.documents or made.purchases.documents:
        output.say(
            N_(
                "Of these documents, in every state, sales (01, 03, 11): {invoiced}; "
                "credit notes (05), which take away: {notes}; purchases from excluded subjects (14): {bought}."
            ),
            invoiced=dollars(made.invoiced.gross),
            notes=dollars(made.credit_notes.gross),
            bought=dollars(made.purchases.gross),
        )


def _show_conflicts(output: Output, conflicts: Sequence[Conflict]) -> None:
    """Say of each sale that was issued, and that the file has otherwise, what both say."""
    for conflict in conflicts[:_LINES]:
        values = {
            "ref": conflict.external_ref,
            "file": conflict.file,
            "state": output.messages.text(STATE_NAMES[conflict.state]).lower(),
            "issued": dollars(conflict.issued_gross),
            "now": dollars(conflict.file_gross),
        }
        # Another day, branch or till under a number that was used: many shops begin their numbers anew.
        if conflict.changes and conflict.changes[0].what in ("date", "branch", "till"):
            output.say(
                N_(
                    "✗ {ref}: in the ledger it is of {before} ({state}, {issued}), in {file} of {after} ({now}): "
                    "the same sale, or a number that began anew?"
                ),
                before=conflict.changes[0].issued,
                after=conflict.changes[0].file,
                **values,
            )
        else:
            output.say(
                N_("✗ {ref}: already issued ({state}) for {issued}, and {file} now says {now}. It is not sent again."),
                **values,
            )
    output.say_more(len(conflicts), _LINES)


def show_late_rejections(output: Output, late: Sequence[str]) -> None:
    """Warn of documents rejected after contingency: customers hold them, and they are not valid.

    Nothing is more urgent, so it comes before everything else.
    """
    if not late:
        return
    warning = output.messages.count(
        "ATTENTION: {n} document that was in contingency has been REJECTED by the ministry.",
        "ATTENTION: {n} documents that were in contingency have been REJECTED by the ministry.",
        len(late),
    )
    output.show()
    output.show(f"!!! {warning}")
    output.show(f"    {few(late, _LINES)}")
    output.say(N_("    Your customers may hold them already. Correct the data and issue them again, same references."))


def show_where_from(output: Output, records: Sequence[Record]) -> None:
    """Say where documents came from: by state, file and day, with what each group comes to."""
    found: dict[tuple[State, str, str], list[Record]] = defaultdict(list)
    for record in records:
        found[record.state, record.source.file, record.date or day_of(record.updated_at)].append(record)
    for (state, file, date), some in list(found.items())[:_LINES]:
        output.say(
            N_("    {count} × {state}, {gross}: {file}, {day} ({refs})"),
            count=f"{len(some):,}",
            state=output.messages.text(STATE_NAMES[state]).lower(),
            gross=dollars(total_of(record.expected_gross for record in some)),
            file=file,
            day=f"{dt.date.fromisoformat(date):%d/%m/%Y}",
            refs=few([record.external_ref for record in some], _EXAMPLES),
        )
    output.say_more(len(found), _LINES)


def _show_open(output: Output, made: Reconciliation) -> None:
    """Say what else needs a person, by cause; then what other runs left open, by where it came from."""
    found: dict[Cause, list[str]] = defaultdict(list)
    for item in made.open_items:
        found[item.cause].append(item.external_ref or "–")
    for cause in (cause for cause in found if cause in _BY_CAUSE):
        output.show(f"✗ {len(found[cause]):,} × {output.messages.text(CAUSE_TITLES[cause])}")
        output.show(f"    {few(found[cause], _EXAMPLES)}")
    left = set(found[Cause.LEFT_OPEN])
    if left:
        output.show()
        output.show(f"✗ {output.messages.text(CAUSE_TITLES[Cause.LEFT_OPEN])}:")
        show_where_from(output, [record for record in made.carried if record.external_ref in left])
        output.say(CAUSE_ACTIONS[Cause.LEFT_OPEN])


_BY_CAUSE = (
    Cause.LOOK_OWED,
    Cause.MISSING,
    Cause.ONLY_IN_LEDGER,
    Cause.CANCELLED,
    Cause.CANCELLING,
    Cause.CONTRADICTION,
    Cause.PROBLEM,
)
"""Causes of which the screen shows only how many and which; the others have lines of their own."""


CAUSES: Mapping[str, str] = {
    "unsure": N_("unsure; run `batch-issuer refresh`"),
    "not-sent": N_("not sent; run the same command again"),
    "rejected": N_("rejected by the ministry; correct and issue again"),
    "invalid": N_("refused by the provider; correct and issue again"),
}
