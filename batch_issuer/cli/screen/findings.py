"""How the findings of a report look on the screen: files against ledger, contingency, control numbers, signatures."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from batch_issuer.cli.screen.output import Output, few
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars, total_of
from batch_issuer.model.records import Record, SignOff
from batch_issuer.model.states import State
from batch_issuer.reconcile import STATE_NAMES, Match, Reconciliation, Series, StateChange
from batch_issuer.reports.figures import day, moment

_EXAMPLES = 5
"""References and lines shown of each kind; the reports have them all."""
_OLD = dt.timedelta(hours=6)
"""After so long without an entry, ages say less than they seem to."""
_LATE = ("24-72h", ">72h", ">7d")
"""A rejected document may be corrected under its code for 24 hours (the ministry's manual); one in contingency has to
be sent within 72 hours of its event's stamp, and the event within 24 of its cause's end (MF2, pp. 19-20)."""


def show_findings(output: Output, made: Reconciliation) -> None:
    """Say what a report has beyond the bridge; nothing where there is nothing to say."""
    _show_comparison(output, made)
    if made.differences:
        output.say(
            N_(
                "Amounts that differ: {within} within the tolerance of {tolerance} a line ({small}), "
                "{beyond} beyond it ({large})."
            ),
            within=f"{len(made.within_tolerance):,}",
            small=dollars(total_of(one.amount for one in made.within_tolerance)),
            tolerance=dollars(made.tolerance),
            beyond=f"{len(made.beyond_tolerance):,}",
            large=dollars(total_of(one.amount for one in made.beyond_tolerance)),
        )
    _show_contingency(output, made)
    _show_numbers(output, made)
    _show_persons(output, made)
    if made.since is not None:
        output.show()
        output.say(N_("Since the report of {when}:"), when=moment(made.since.as_of))
        items = [(label, getattr(made.since, name)) for name, label in _SINCE.items()]
        output.table(
            [
                (output.messages.text(label), f"{len(some):,}", named([one.external_ref for one in some]))
                for label, some in items
            ],
            right=[1],
        )


_SINCE: Mapping[str, str] = {
    "resolved": N_("resolved"),
    "still_open": N_("still open"),
    "new": N_("new"),
    "gone": N_("gone from the files and not in the ledger"),
}


def _show_comparison(output: Output, made: Reconciliation) -> None:
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
    there = [f"{reference} ({_state(output, state)})" for reference, state in found.at_provider.items()]
    if there:
        output.say(N_("✗ The ledger does not have these, and the provider has: {refs}."), refs=named(there))
    for pair in found.lookalikes[:_EXAMPLES]:
        output.say(
            N_("! {ref} looks like {other}: same customer, day, total and lines."),
            ref=pair.external_ref,
            other=pair.other_ref,
        )
    _more(output, len(found.lookalikes))
    _show_states(output, found.asked, [one for one in found.state_changes if one.before])


_LOOKED_FOR: Mapping[str, str] = {
    "period": N_("the ledger's documents of {days} are looked for in them"),
    "dates": N_("the ledger's documents of the days that they cover, {days}, are looked for in them"),
}
_WITHOUT_DATES = N_("they have no dates, so the ledger's documents that were read from the same sheets are looked for")
"""Which of the ledger's documents were looked for in the files, by how they were chosen."""


def days_text(output: Output, first: str, last: str) -> str:
    """Return a span of ISO days as people write it; an end that is empty is open."""
    if first == last:
        return day(first)
    if not last:
        return output.messages.text(N_("from {first} on"), first=day(first))
    if not first:
        return output.messages.text(N_("until {last}"), last=day(last))
    return f"{day(first)} – {day(last)}"


_MATCHES: Mapping[Match, str] = {
    Match.MATCHED: N_("the same in both, and issued"),
    Match.UNSETTLED: N_("the same in both, and not issued yet"),
    Match.CHANGED: N_("in both, with other content"),
    Match.CANCELLED: N_("in both, and cancelled"),
    Match.MISSING: N_("in the files only"),
    Match.HELD_BACK: N_("in the files with a problem: not compared"),
}


def _state(output: Output, name: str) -> str:
    known = {state.value: label for state, label in STATE_NAMES.items()}
    return output.messages.text(known.get(name, N_("not found"))).lower()


def _more(output: Output, count: int) -> None:
    if count > _EXAMPLES:
        output.say(N_("    … and {count} more; the reports have them all"), count=f"{count - _EXAMPLES:,}")


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
    _more(output, len(kept))
    moved = Counter((one.before, one.now) for one in changes if one.recorded)
    output.table(
        [(f"{count:,}", f"{_state(output, before)} → {_state(output, now)}") for (before, now), count in moved.items()],
        right=[0],
    )


def _show_contingency(output: Output, made: Reconciliation) -> None:
    """Say how the company's open contingency moved, what waits too long, and what other runs left open."""
    bridge = made.contingency
    settled = sum(part.documents for part in bridge.settled.values())
    if bridge.opening.documents or bridge.entered.documents:
        output.show()
        output.say(
            N_(
                "Contingency of the whole company: "
                "{opening} open before + {entered} new − {settled} settled = {closing} open."
            ),
            opening=f"{bridge.opening.documents:,}",
            entered=f"{bridge.entered.documents:,}",
            settled=f"{settled:,}",
            closing=f"{bridge.closing.documents:,}",
        )
    _show_ages(output, made)
    if made.carried:
        states = Counter(record.state for record in made.carried)
        listed = ", ".join(f"{count:,} {_state(output, state.value)}" for state, count in states.items())
        output.say(N_("Still open from other runs: {states}."), states=listed)


def _show_ages(output: Output, made: Reconciliation) -> None:
    """Say what has waited too long, by the ministry's terms."""
    over_day = _of_ages(made.ages, _LATE)
    if over_day:
        output.say(
            N_("! In contingency for more than 24 hours: {day}; for more than 72 hours: {three}."),
            day=f"{over_day:,}",
            three=f"{_of_ages(made.ages, _LATE[1:]):,}",
        )
    if made.late_rejections:
        output.say(
            N_("✗ Rejected after they had been accepted in contingency: {refs}."),
            refs=named([record.external_ref for record in made.late_rejections]),
        )
    rejected = _of_ages(made.rejection_ages, _LATE)
    if rejected:
        output.say(
            N_("! Rejected for more than 24 hours: {count}. They can be corrected under the same code no longer."),
            count=f"{rejected:,}",
        )
    # Ages are counted to the ledger's newest entry, so that the same ledger gives the same report: tell when it is old.
    counted = any(documents for _, documents, _ in (*made.ages, *made.rejection_ages))
    if counted and made.as_of and dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(made.as_of) > _OLD:
        output.say(
            N_(
                "! The ledger's newest entry is of {when}, and ages are counted to it. "
                "`batch-issuer refresh` asks for news."
            ),
            when=moment(made.as_of),
        )


def _of_ages(ages: Iterable[tuple[str, int, object]], names: Sequence[str]) -> int:
    return sum(documents for name, documents, _ in ages if name in names)


def _show_numbers(output: Output, made: Reconciliation) -> None:
    """Say which control numbers are missing, repeated or odd, and which documents fall into another month."""
    odd = [one for one in made.series if one.missing or one.repeated]
    for series in odd[:_EXAMPLES]:
        _show_series(output, series)
    _more(output, len(odd))
    if made.odd_numbers:
        output.say(
            N_("! {count} control numbers are not built like one, for example «{number}» of {ref}."),
            count=f"{len(made.odd_numbers):,}",
            number=made.odd_numbers[0].answer.control_number[:60],
            ref=made.odd_numbers[0].external_ref,
        )
    # VAT is declared by the month of the document: such a sale stands in another return than its owner expects.
    if made.other_months:
        output.say(
            N_("! Issued or stamped in another month than that of the sale: {count} ({refs})."),
            count=f"{len(made.other_months):,}",
            refs=named([one.record.external_ref for one in made.other_months]),
        )


def _show_series(output: Output, series: Series) -> None:
    """Say which numbers of a series are missing, and which stand on several documents."""
    if series.missing:
        runs = [f"{first}" if first == last else f"{first}–{last}" for first, last in series.missing]
        shown = ", ".join(runs[:_EXAMPLES]) + (" …" if len(runs) > _EXAMPLES else "")
        output.show(
            "! "
            + output.messages.count(
                "{series} of {year}: {n} number is not in the ledger: {runs}.",
                "{series} of {year}: {n} numbers are not in the ledger: {runs}.",
                series.missing_numbers,
                series=series.name,
                year=series.year,
                runs=shown,
            )
        )
    for repeat in series.repeated[:_EXAMPLES]:
        output.say(
            N_("✗ {series} of {year}: number {number} stands on several documents: {refs}."),
            series=series.name,
            year=series.year,
            number=repeat.number,
            refs=", ".join(repeat.references[:_EXAMPLES]),
        )


def _show_persons(output: Output, made: Reconciliation) -> None:
    """Say what persons wrote: the last notes, and who answers for which days, and whether anything changed since."""
    for note in made.noted[-_EXAMPLES:]:
        output.say(
            N_("Note on {ref} by {by}, {when}: {reason}"),
            ref=note.external_ref,
            by=note.by,
            when=moment(note.at),
            reason=note.reason,
        )
    _more(output, len(made.noted))
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
            refs=named(signed.changed) or "–",
        )


def signature(output: Output, signed: SignOff) -> dict[str, str]:
    """Return the places of a text about a signature: the days, who signed as what, and what they came to."""
    return {
        "days": days_text(output, signed.first, signed.last),
        "by": signed.by,
        "role": output.messages.text(ROLES[signed.role]),
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
        output.show(f"    {output.messages.text(STATE_NAMES[state])}: {named(references)}")


ROLES: Mapping[str, str] = {"preparer": N_("preparer"), "reviewer": N_("reviewer")}


def named(references: Sequence[str]) -> str:
    """Return the first references as one text, and how many more there are."""
    return few(references, _EXAMPLES)
