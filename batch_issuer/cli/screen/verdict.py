"""How a reconciliation looks on the screen: the verdict, the bridge, and what needs a person."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.days import day_of
from batch_issuer.model.documents import State
from batch_issuer.model.money import dollars, total_of
from batch_issuer.model.records import Record
from batch_issuer.reconcile import STATE_NAMES, Cause, Reconciliation, Refusal
from batch_issuer.reports.wording import CAUSE_ACTIONS, CAUSE_TITLES, refusal_title

_EXAMPLES = 3
"""References shown of each kind."""
_LINES = 10
"""Conflicts and differences shown one by one; the reports have them all."""


def show_reconciliation(output: Output, reconciliation: Reconciliation, *, unfinished: bool = False) -> None:
    """The verdict and the bridge, then what needs a person; `unfinished`: the command itself left something undone."""
    output.show()
    if unfinished and not reconciliation.exit_code:
        output.say(N_("Not everything that was asked for is done: see above."))
    else:
        output.say(reconciliation.verdict, **reconciliation.verdict_parameters)
    output.show()
    signs = {1: "", -1: "−", 0: "="}
    output.table(
        [
            (signs[step.sign], output.messages.text(step.label), f"{step.documents:,}", dollars(step.gross))
            for step in reconciliation.bridge
            if step.documents or step.gross or step.sign == 0 or step.key in ("stamped", "contingency")
        ],
        right=[2, 3],
    )
    _show_kinds(output, reconciliation)
    for refusal in reconciliation.refusals:
        _show_refusal(output, refusal)
    for conflict in reconciliation.conflicts[:_LINES]:
        if conflict.changes and conflict.changes[0].what in ("date", "branch", "till"):
            output.say(
                N_(
                    "✗ {ref}: in the ledger it is of {before} ({state}, {issued}), in {file} of {after} ({now}): "
                    "the same sale, or a number that began anew?"
                ),
                ref=conflict.external_ref,
                before=conflict.changes[0].issued,
                after=conflict.changes[0].file,
                state=output.messages.text(STATE_NAMES[conflict.state]).lower(),
                issued=dollars(conflict.issued_gross),
                file=conflict.file,
                now=dollars(conflict.file_gross),
            )
            continue
        output.say(
            N_("✗ {ref}: already issued ({state}) for {issued}, and {file} now says {now}. It is not sent again."),
            ref=conflict.external_ref,
            state=output.messages.text(STATE_NAMES[conflict.state]).lower(),
            issued=dollars(conflict.issued_gross),
            file=conflict.file,
            now=dollars(conflict.file_gross),
        )
    _say_more(output, len(reconciliation.conflicts))
    for difference in reconciliation.beyond_tolerance[:_LINES]:
        output.say(
            N_("✗ {ref}: we expected {expected}, the provider says {answered}."),
            ref=difference.record.external_ref,
            expected=dollars(difference.expected),
            answered=dollars(difference.answered),
        )
    _say_more(output, len(reconciliation.beyond_tolerance))
    _show_open(output, reconciliation)
    _show_left_open(output, reconciliation)


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
    more = f" … +{len(late) - _LINES:,}" if len(late) > _LINES else ""
    output.show(f"    {', '.join(late[:_LINES])}{more}")
    output.say(N_("    Your customers may hold them already. Correct the data and issue them again, same references."))


def _show_left_open(output: Output, made: Reconciliation) -> None:
    """What other runs left open, by where it came from and what is known of it."""
    named = {item.external_ref for item in made.open_items if item.cause is Cause.LEFT_OPEN}
    if not named:
        return
    output.show()
    output.show(f"✗ {output.messages.text(CAUSE_TITLES[Cause.LEFT_OPEN])}:")
    show_where_from(output, [record for record in made.carried if record.external_ref in named])
    output.say(CAUSE_ACTIONS[Cause.LEFT_OPEN])


def show_where_from(output: Output, records: Sequence[Record]) -> None:
    """Documents by state, file and day, with what each group comes to."""
    found: dict[tuple[State, str, str], list[Record]] = defaultdict(list)
    for record in records:
        found[record.state, record.source.file, record.date or day_of(record.updated_at)].append(record)
    for (state, file, date), some in list(found.items())[:_LINES]:
        more = f" … +{len(some) - _EXAMPLES:,}" if len(some) > _EXAMPLES else ""
        output.say(
            N_("    {count} × {state}, {gross}: {file}, {day} ({refs})"),
            count=f"{len(some):,}",
            state=output.messages.text(STATE_NAMES[state]).lower(),
            gross=dollars(total_of(record.expected_gross for record in some)),
            file=file,
            day=f"{dt.date.fromisoformat(date):%d/%m/%Y}",
            refs=", ".join(record.external_ref for record in some[:_EXAMPLES]) + more,
        )
    _say_more(output, len(found))


def _say_more(output: Output, count: int) -> None:
    if count > _LINES:
        output.say(N_("    … and {count} more; the reports have them all"), count=f"{count - _LINES:,}")


def _show_kinds(output: Output, made: Reconciliation) -> None:
    """What is sold and what is not, where the bridge adds up both."""
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


def _show_open(output: Output, made: Reconciliation) -> None:
    """Whatever else needs a person, by cause."""
    found: dict[Cause, list[str]] = defaultdict(list)
    for item in made.open_items:
        if item.cause in _BY_CAUSE:
            found[item.cause].append(item.external_ref or "–")
    for cause, references in found.items():
        output.show(f"✗ {len(references):,} × {output.messages.text(CAUSE_TITLES[cause])}")
        more = len(references) - _EXAMPLES
        output.show(f"    {', '.join(references[:_EXAMPLES])}{f' … +{more:,}' if more > 0 else ''}")


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


def _show_refusal(output: Output, refusal: Refusal) -> None:
    references = ", ".join(record.external_ref for record in refusal.records[:_EXAMPLES])
    more = len(refusal.records) - _EXAMPLES
    cause = output.messages.text(CAUSES[refusal.cause.value])
    output.show(f"✗ {len(refusal.records):,} × {cause}: {refusal_title(refusal, output.messages)}")
    output.show(f"    {references}{f' … +{more:,}' if more > 0 else ''}")


CAUSES: Mapping[str, str] = {
    "unsure": N_("unsure; run `batch-issuer refresh`"),
    "not-sent": N_("not sent; run the same command again"),
    "rejected": N_("rejected by the ministry; correct and issue again"),
    "invalid": N_("refused by the provider; correct and issue again"),
}
