"""How notes and signatures look: what persons wrote into the ledger, and who answers for which days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from batch_issuer.cli.screen.days import days_text
from batch_issuer.cli.screen.output import Output, few
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars
from batch_issuer.model.records import Record, SignOff
from batch_issuer.model.states import State
from batch_issuer.reconcile import STATE_NAMES, Reconciliation
from batch_issuer.reports.figures import moment

_EXAMPLES = 5
"""Notes and references shown; the reports have them all."""
_ROLES: Mapping[str, str] = {"preparer": N_("preparer"), "reviewer": N_("reviewer")}


def show_signatures(output: Output, made: Reconciliation) -> None:
    """Say what persons wrote: the last notes, and who answers for which days, and whether anything changed since."""
    for note in made.noted[-_EXAMPLES:]:
        output.say(
            N_("Note on {ref} by {by}, {when}: {reason}"),
            ref=note.external_ref,
            by=note.by,
            when=moment(note.at),
            reason=note.reason,
        )
    output.say_more(len(made.noted), _EXAMPLES)
    for signed in made.sign_offs:
        said = N_("{days} was signed by {by} ({role}) on {when}, {documents} documents for {gross}: unchanged since.")
        if not signed.unchanged:
            said = N_(
                "✗ {days} was signed by {by} ({role}) on {when}, {documents} documents for {gross}. "
                "CHANGED SINCE: now {now} documents for {amount}; touched: {refs}."
            )
        output.say(
            said,
            **signature(output, signed.sign_off),
            when=moment(signed.sign_off.at),
            now=f"{signed.now.documents:,}",
            amount=dollars(signed.now.gross),
            refs=few(signed.changed, _EXAMPLES) or "–",
        )


def signature(output: Output, signed: SignOff) -> dict[str, str]:
    """Return the places of a text about a signature: the days, who signed as what, and what they came to."""
    return {
        "days": days_text(output, signed.first, signed.last),
        "by": signed.by,
        "role": output.messages.text(_ROLES[signed.role]),
        "documents": f"{signed.documents:,}",
        "gross": dollars(signed.gross),
    }


def show_waiting(output: Output, signed: SignOff, waiting: Iterable[Record]) -> None:
    """Warn of what still needs a person in days that are signed: how many, and which by their state."""
    if not signed.needs_person:
        return
    output.show(
        output.messages.count(
            "! {n} document of the period still needs a person, and is signed as it stands:",
            "! {n} documents of the period still need a person, and are signed as they stand:",
            signed.needs_person,
        )
    )
    by_state: dict[State, list[str]] = defaultdict(list)
    for record in waiting:
        by_state[record.state].append(record.external_ref)
    for state, references in by_state.items():
        output.show(f"    {output.messages.text(STATE_NAMES[state])}: {few(references, _EXAMPLES)}")
