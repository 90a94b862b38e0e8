"""How the files against the ledger look: what is in both, what in one only, and what the provider answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from batch_issuer.cli.screen.days import days_text
from batch_issuer.cli.screen.output import Output, few
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars
from batch_issuer.reconcile import STATE_NAMES, Match, Reconciliation, StateChange

_EXAMPLES = 5
"""References and lines shown of each kind; the reports have them all."""


def show_comparison(output: Output, made: Reconciliation) -> None:
    """Say what files and ledger have in common, and what the provider answered where it was asked."""
    found = made.comparison
    if found is None:
        return
    output.show()
    text, scope = output.messages.text, made.scope
    how = text(_LOOKED_FOR.get(scope.chosen_by, _WITHOUT_DATES), days=days_text(output, scope.first, scope.last))
    output.say(N_("The files against the ledger: {how}."), how=how)
    output.table(
        [
            (text(label), f"{tally.documents:,}", dollars(tally.gross))
            for match, label in _MATCHES.items()
            if (tally := found.matches.get(match)) is not None and (tally.documents or match is Match.MATCHED)
        ],
        right=[1, 2],
    )
    # Found by reference at the provider, and never sent from this ledger: another ledger or program issued them.
    there = [f"{reference} ({_state(output, state)})" for reference, state in found.at_provider.items()]
    if there:
        output.say(N_("✗ The ledger does not have these, and the provider has: {refs}."), refs=few(there, _EXAMPLES))
    for pair in found.lookalikes[:_EXAMPLES]:
        output.say(
            N_("! {ref} looks like {other}: same customer, day, total and lines."),
            ref=pair.external_ref,
            other=pair.other_ref,
        )
    output.say_more(len(found.lookalikes), _EXAMPLES)
    _show_states(output, found.asked, [one for one in found.state_changes if one.before])


_LOOKED_FOR: Mapping[str, str] = {
    "period": N_("the ledger's documents of {days} are looked for in them"),
    "dates": N_("the ledger's documents of the days that they cover, {days}, are looked for in them"),
}
_WITHOUT_DATES = N_("they have no dates, so the ledger's documents that were read from the same sheets are looked for")
"""Which of the ledger's documents were looked for in the files, by how they were chosen."""


_MATCHES: Mapping[Match, str] = {
    Match.MATCHED: N_("the same in both, and issued"),
    Match.UNSETTLED: N_("the same in both, and not issued yet"),
    Match.CHANGED: N_("in both, with other content"),
    Match.CANCELLED: N_("in both, and cancelled"),
    Match.MISSING: N_("in the files only"),
    Match.HELD_BACK: N_("in the files with a problem: not compared"),
}


def _state(output: Output, name: str) -> str:
    """Return a state in words that stand in a sentence; the provider may also have answered that there is none such."""
    known = {state.value: label for state, label in STATE_NAMES.items()}
    return output.messages.text(known.get(name, N_("not found"))).lower()


def _show_states(output: Output, asked: int, changes: Sequence[StateChange]) -> None:
    """Say how many documents the provider answered about, and which are not as the ledger had them."""
    if not asked and not changes:
        return
    answered = output.messages.count(
        "The provider answered about {n} document; not as the ledger had it: {changed}.",
        "The provider answered about {n} documents; not as the ledger had them: {changed}.",
        asked,
        changed=f"{len(changes):,}",
    )
    output.show(answered)
    # What was proven once stays in the ledger; an answer that says less may be a failure of the provider's.
    kept = [one for one in changes if not one.recorded]
    for one in kept[:_EXAMPLES]:
        output.say(
            N_("✗ {ref}: the ledger has «{before}», the provider says «{now}». The ledger keeps what was proven."),
            ref=one.external_ref,
            before=_state(output, one.before),
            now=_state(output, one.now),
        )
    output.say_more(len(kept), _EXAMPLES)
    moved = Counter((one.before, one.now) for one in changes if one.recorded)
    output.table(
        [(f"{count:,}", f"{_state(output, before)} → {_state(output, now)}") for (before, now), count in moved.items()],
        right=[0],
    )
