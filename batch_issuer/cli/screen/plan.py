"""How plans and problems look on the screen: grouped, counted, and never a wall of equal lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batch_issuer.cli.screen.durations import duration
from batch_issuer.cli.screen.output import Output, few
from batch_issuer.messages import N_
from batch_issuer.model.money import dollars, figure
from batch_issuer.model.problems import Problem
from batch_issuer.model.states import Action
from batch_issuer.plan.plan import Plan
from batch_issuer.plan.prepare import Prepared
from batch_issuer.plan.touched_customers import Seen, Touched
from batch_issuer.provider.limits import estimate
from batch_issuer.reading.batch import SourceFile

if TYPE_CHECKING:
    from batch_issuer.reports.fix.gather import Fixes

_EXAMPLES = 3
"""Places shown of each kind of problem."""
_MOST_REFS = 10


def show_sources(output: Output, prepared: Prepared) -> None:
    """Say of each source what was read, how, and which heading became which field."""
    text = output.messages.text
    for source in prepared.batch.sources:
        details = [output.messages.count("{n} row", "{n} rows", source.rows), source.sheet, source.encoding]
        details += [text(N_("separator {separator}"), separator=source.separator)] if source.encoding else []
        details += [text(_NOTATIONS[one]) for one in f"{source.decimal}, {source.dates}".split(", ") if one]
        output.show(f"{source.path}  ({' · '.join(filter(None, details))})")
        output.table(
            [(one.field, f"← {one.column}", f"«{one.heading}»", _sample(one.sample)) for one in source.mapping],
            indent=4,
        )
        if source.ignored:
            output.show("    " + text(N_("not used: {headings}"), headings=", ".join(source.ignored)))
        if source.examples:
            unread = N_("not read, it is the template's example: {sheets}")
            output.show("    " + text(unread, sheets=", ".join(source.examples)))
        if source.left_out:
            left_out = output.messages.count(
                "left out: {n} row that is a total, blank, a repeated header, or not wanted by the settings",
                "left out: {n} rows that are totals, blank, repeated headers, or not wanted by the settings",
                source.left_out,
            )
            output.show(f"    {left_out}")
        if source.control_total is not None:
            output.say(N_("    the sheet's own total row: {total}"), total=dollars(source.control_total))


_NOTATIONS: Mapping[str, str] = {
    "point": N_("decimal point"),
    "comma": N_("decimal comma"),
    "dmy": N_("day/month/year"),
    "mdy": N_("month/day/year"),
    "ymd": N_("year-month-day"),
}


def _sample(text: str, limit: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def show_plan(output: Output, prepared: Prepared, plan: Plan) -> None:
    """Say how many documents go which way, what they come to, and what the quota will take."""
    counts = plan.counts
    rows = [
        (output.messages.text(label), f"{counts[action]:,}")
        for action, label in _ACTIONS.items()
        if counts[action] or action is Action.ISSUE  # that there is nothing to issue is an answer too
    ]
    if prepared.held:
        rows.append((output.messages.text(N_("held back for their data")), f"{len(prepared.held):,}"))
    output.table(rows, right=[1])
    _show_totals(output, prepared, plan)
    seconds = estimate(plan.requests)
    if seconds:
        output.show(
            output.messages.count(
                "{n} request; the provider's usual quota makes that take at least {time}.",
                "{n} requests; the provider's usual quota makes that take at least {time}.",
                plan.requests,
                time=duration(seconds),
            )
        )
    if plan.seen_before:
        output.say(N_("Every document of these files was issued before: this looks like the same file again."))


def _show_totals(output: Output, prepared: Prepared, plan: Plan) -> None:
    """Say the amounts, sales apart from what takes away and from what is bought."""
    output.say(
        N_("To issue: {gross} with VAT, {net} without. All documents of the files: {all}."),
        gross=dollars(plan.gross),
        net=dollars(plan.taxable),
        all=dollars(prepared.gross),
    )
    credited, bought = plan.gross_of("05"), plan.gross_of("14")
    if credited or bought:
        output.say(
            N_(
                "Of that, sales (01, 03, 11): {invoiced}; credit notes (05), which take away: {notes}; "
                "purchases from excluded subjects (14): {bought}."
            ),
            invoiced=dollars(plan.gross - credited - bought),
            notes=dollars(credited),
            bought=dollars(bought),
        )
    if plan.retention or plan.income_tax:
        output.say(
            N_("Expected to be withheld: {vat} of VAT by the buyers, {tax} of income tax from the sellers (14)."),
            vat=dollars(plan.retention),
            tax=dollars(plan.income_tax),
        )


_ACTIONS: Mapping[Action, str] = {
    Action.ISSUE: N_("to issue"),
    Action.ASK: N_("in doubt: to be asked about first"),
    Action.WATCH: N_("in contingency: only to be asked about"),
    Action.NOTHING: N_("settled: nothing to do"),
    Action.CONFLICT: N_("conflicts: issued before, and the file says something else now"),
    Action.QUESTION: N_("in question: perhaps sales that the ledger, or these files, have already"),
}


def show_fixes(output: Output, fixes: Fixes, path: str) -> None:
    """Say what was written to be corrected, and what could not be."""
    if fixes.documents:
        text = output.messages.count(
            "{n} document to correct is in {path}.",
            "{n} documents to correct are in {path}.",
            fixes.documents,
            path=", ".join(map(str, fixes.paths)),
        )
        output.show(text)
    elif fixes.paths:
        output.say(N_("Rows that belong to no document are in {path}, to be corrected."), path=path)
    else:
        output.say(N_("Nothing needs correcting; {path} was not written."), path=path)
    show_left_out(output, fixes)


def show_left_out(output: Output, fixes: Fixes) -> None:
    """Name the documents that need a hand and are in no workbook to correct."""
    if fixes.left_out:
        text = output.messages.count(
            "{n} document has to be corrected in its own file, because its rows stand in several or have "
            "changed: {refs}",
            "{n} documents have to be corrected in their own files, because their rows stand in several or have "
            "changed: {refs}",
            len(fixes.left_out),
            refs=", ".join(fixes.left_out[:_MOST_REFS]) + ("…" if len(fixes.left_out) > _MOST_REFS else ""),
        )
        output.show(text)


def show_customers(output: Output, customers: Sequence[Touched], unnumbered: int) -> None:
    """Say whom of the provider's customers the plan would make or change; those known and unchanged are not shown."""
    # A known NIT or DUI changes the customer that the provider has stored, with what was sent (provider.md 5).
    new = [one for one in customers if one.seen is Seen.NEW]
    changed = [one for one in customers if one.seen is Seen.CHANGED]
    if new:
        said = output.messages.count(
            "{n} customer is sent for the first time; the provider makes it, or changes the one that it has: {names}",
            "{n} customers are sent for the first time; the provider makes them, or changes those it has: {names}",
            len(new),
            names=few([f"{one.name} ({one.number})" for one in new], _EXAMPLES),
        )
        output.show(said)
    for one in changed[:_EXAMPLES]:
        changes = "; ".join(f"{field}: «{before}» → «{now}»" for field, before, now in one.changes)
        output.say(
            N_("The customer {name} ({number}) is changed at the provider: {changes}"),
            name=one.name,
            number=one.number,
            changes=changes,
        )
    if len(changed) > _EXAMPLES:
        output.say(N_("    … and {count} more are changed; --json has them all"), count=f"{len(changed) - _EXAMPLES:,}")
    if unnumbered:
        said = output.messages.count(
            "{n} document has customer data without NIT or DUI: the provider stores a new customer with it.",
            "{n} documents have customer data without NIT or DUI: the provider stores a new customer with each.",
            unnumbered,
        )
        output.show(said)


def show_problems(output: Output, problems: Sequence[Problem]) -> None:
    """Say the problems by cause, what blocks first, with counts and a few places each."""
    grouped: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        grouped[problem.code].append(problem)
    for members in sorted(grouped.values(), key=lambda found: (not found[0].blocks, -len(found))):
        _show_cause(output, members)


def _show_cause(output: Output, members: Sequence[Problem]) -> None:
    """Say one cause, how to repair it, and a few places; where the values differ, its sentence is an example."""
    first = members[0]
    sentence = first.message(output.messages)
    if any((member.value, member.parameters) != (first.value, first.parameters) for member in members):
        sentence = output.messages.text(N_("for example: {sentence}"), sentence=sentence)
    count = f"{len(members):,} × " if len(members) > 1 else ""
    output.show(f"{'✗' if first.blocks else '!'} {count}{sentence}  [{first.code}]")
    if repair := first.repair(output.messages):
        output.show(f"    → {repair}")
    shown = 0
    for member in members[:_EXAMPLES]:
        value = f" = «{_sample(member.value, 60)}»" if member.value else ""
        if place := member.place.text(output.messages):
            output.show(f"    {place}{value}")
            shown += 1
    if 0 < shown < len(members):
        more = N_("    … and {count} more; the fix file has them all")
        output.say(
            more if first.blocks else N_("    … and {count} more; --json has them all"),
            count=f"{len(members) - shown:,}",
        )


def show_reports(output: Output, reports: Mapping[str, str]) -> None:
    """Say where the reports lie."""
    names = {
        "html": N_("Report"),
        "workbook": N_("Workbook"),
        "json": N_("Figures"),
        "fix_file": N_("To correct"),
        "ledger": N_("Ledger"),
    }
    output.show()
    # Several of a kind are numbered: fix_file_2, fix_file_3.
    output.table([(output.messages.text(names[kind.rstrip("_0123456789")]), path) for kind, path in reports.items()])


def plan_json(prepared: Prepared, plan: Plan, customers: Sequence[Touched]) -> dict[str, Any]:
    """Return the plan as `--json` has it."""
    counts = plan.counts
    return {
        "rows": prepared.batch.rows,
        "documents": len(prepared.candidates) + len(prepared.held),
        "ready": len(prepared.candidates),
        "held_back": len(prepared.held),
        "plan": {action.value: counts[action] for action in Action},
        "requests": plan.requests,
        "quota_seconds": estimate(plan.requests),
        "customers": [one.as_json() for one in customers if one.seen is not Seen.SAME],
        "customers_unchanged": sum(one.seen is Seen.SAME for one in customers),
        "customers_without_number": prepared.customers.unnumbered,
        "totals": {
            "expected_gross": figure(prepared.gross),
            "ready_gross": figure(prepared.ready_gross),
            "to_issue_gross": figure(plan.gross),
            "to_issue_taxable": figure(plan.taxable),
            "to_issue_invoiced": figure(plan.gross_of("01", "03", "11")),
            "to_issue_credit_notes": figure(plan.gross_of("05")),
            "to_issue_purchases": figure(plan.gross_of("14")),
            "to_issue_retention": figure(plan.retention),
            "to_issue_income_tax": figure(plan.income_tax),
        },
        "sources": [_source_json(source) for source in prepared.batch.sources],
    }


def _source_json(source: SourceFile) -> dict[str, Any]:
    named = ("sheet", "sha256", "rows", "left_out", "header_row", "encoding", "separator", "decimal", "dates")
    return {
        "file": source.path,
        **{name: getattr(source, name) for name in named},
        "control_total": None if source.control_total is None else str(source.control_total),
        "columns": [
            {"field": one.field, "heading": one.heading, "column": one.column, "sample": one.sample}
            for one in source.mapping
        ],
        "ignored": list(source.ignored),
    }
