"""How the findings of a report look: amounts that differ, contingency, control numbers, what an earlier report left."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from batch_issuer.cli.screen.comparison import show_comparison
from batch_issuer.cli.screen.output import Output, few
from batch_issuer.cli.screen.signatures import show_signatures
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars, total_of
from batch_issuer.reconcile import STATE_NAMES, Reconciliation, Series
from batch_issuer.reports.figures import moment

_EXAMPLES = 5
"""References and lines shown of each kind; the reports have them all."""
_OLD = dt.timedelta(hours=6)
"""After so long without an entry, ages say less than they seem to."""
_LATE = ("24-72h", ">72h", ">7d")
"""A rejected document may be corrected under its code for 24 hours (the ministry's manual); one in contingency has to
be sent within 72 hours of its event's stamp, and the event within 24 of its cause's end (MF2, pp. 19-20)."""


def show_findings(output: Output, made: Reconciliation) -> None:
    """Say what a report has beyond the bridge; nothing where there is nothing to say."""
    show_comparison(output, made)
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
    show_signatures(output, made)
    if made.since is not None:
        output.show()
        output.say(N_("Since the report of {when}:"), when=moment(made.since.as_of))
        items = [(label, getattr(made.since, name)) for name, label in _SINCE.items()]
        output.table(
            [
                (output.messages.text(label), f"{len(some):,}", _named([one.external_ref for one in some]))
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
        listed = ", ".join(
            f"{count:,} {output.messages.text(STATE_NAMES[state]).lower()}" for state, count in states.items()
        )
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
            refs=_named([record.external_ref for record in made.late_rejections]),
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
    # A number that is missing may be a document that was lost, or one that another program has issued.
    odd = [one for one in made.series if one.missing or one.repeated]
    for series in odd[:_EXAMPLES]:
        _show_series(output, series)
    output.say_more(len(odd), _EXAMPLES)
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
            refs=_named([one.record.external_ref for one in made.other_months]),
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


def _named(references: Sequence[str]) -> str:
    """Return the first references as one text, and how many more there are."""
    return few(references, _EXAMPLES)
